/* neighbors: from unit vectors to tables. */
#include "aspect.h"
#include "first_duplicates.h"
#include "first_pass.h"
#include "hubs.h"
#include "neighbors_check.h"
#include "resume.h"
#include "ring_checkpoint.h"
#include "table_run.h"
#include <akin/allpairs.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/neighbors.h>
#include <akin/text.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void akin_neighbors_tell(const akin_neighbors_params *params, const akin_neighbors_figures *f) {
    const char *boost = params->rules.boost.count == 0 ? "--damp-hubs"
                        : params->rules.damp_hubs      ? "--boost and --damp-hubs"
                                                       : "--boost";
    bool boosted = params->rules.boost.count > 0 || params->rules.damp_hubs;
    if (params->previous && boosted)
        akin_log_summary(
            "neighbors: every list recomputed, because what %s adds to a score depends "
            "on all items",
            boost);
    else if (params->previous && !params->against && !params->by_group && !params->aspect)
        akin_log_summary(
            "neighbors: since %s %zu item%s new or changed, %zu removed or changed; %zu "
            "list%s recomputed, %zu kept",
            params->previous, f->fresh, AKIN_PLURAL(f->fresh), f->gone, f->fresh + f->shorter,
            AKIN_PLURAL(f->fresh + f->shorter), f->kept);
    double rows = (double)(params->mean ? f->products : f->items),
           pairs = rows * (params->against ? (double)f->targets : rows - 1);
    char items[AKIN_TEXT_COMMAS], all[AKIN_TEXT_COMMAS], rate[AKIN_TEXT_COMMAS];
    bool rated = !akin_log_holds() && f->engine.seconds > 0; /* run reports the rate itself */
    akin_log_summary("neighbors: %s item%s of %zu feature%s, %s pairs%s%s%s",
                     akin_text_commas((double)f->items, items), AKIN_PLURAL(f->items), f->dim,
                     AKIN_PLURAL(f->dim), akin_text_commas(pairs, all), rated ? ", " : "",
                     rated ? akin_text_commas(pairs / f->engine.seconds, rate) : "",
                     rated ? " pairs/s" : "");
    if (params->refine.collapse)
        akin_log_summary("neighbors: %zu duplicate%s, %zu list%s searched again", f->duplicates,
                         AKIN_PLURAL(f->duplicates), f->sought, AKIN_PLURAL(f->sought));
    if (params->refine.fill)
        akin_log_summary("neighbors: %zu entr%s added by --fill", f->fills,
                         f->fills == 1 ? "y" : "ies");
}

/* --- tables that share a pass over the pairs --- */

enum { MOST = AKIN_ROW_BLOCK_TABLES, STAGE = 48 };

typedef struct {
    akin_comm *comm;
    akin_table_run table[MOST];
    akin_neighbors_figures *figures[MOST]; /* of the tables; borrowed */
    bool *taken[MOST];                     /* whether the table is in a pass */
    int tables, saving;                    /* saving: the table whose checkpoint stores all lists */
    const bool *all; /* [count]: the same for all tables, including those of other passes */
    size_t count;
    akin_vectors *vectors;
    akin_resume *known;
    akin_text *options, *result_options, *previous; /* of all tables */
    akin_ring_checkpoint_origin origin;
    int passes, pass; /* over the pairs: how many, and which one it is, from 1 */
    char stage[STAGE];
} sweep;

/* The number of tables that are not in a pass yet. */
static size_t count_left(const bool *taken, size_t count) {
    size_t left = 0;
    for (size_t i = 0; i < count; i++) left += !taken[i];
    return left;
}

/* The rows that are compared: the items, or the products of a table that has a pass of its own. */
static akin_vectors *rows_of(const sweep *s) {
    return s->table[0].vectors;
}

static const char *checkpoint_of(const sweep *s) {
    return akin_text_bytes(s->table[s->saving].checkpoint);
}

/* A comparison that one table needs before the shared one. */
typedef struct {
    const char *option, *ending; /* suffix of the name of its checkpoint */
    bool (*wanted)(const akin_table_run *r);
    akin_status (*run)(const sweep *s, akin_table_run *r,
                       const akin_first_pass_checkpoint *checkpoint,
                       akin_allpairs_figures *figures);
} first_pass;
#define HUBS ".hubs"
#define DUPLICATES ".duplicates"

/* If there are several tables, names the one that a failure or a line of the log is about. */
static void tell_about(const sweep *s, int table) {
    const akin_neighbors_params *params = s->table[table].params;
    if (s->count > 1 && !params->aside) akin_log_about(akin_file_name(params->output));
}

static akin_status of_table(const sweep *s, int table, akin_status status) {
    akin_log_about(NULL);
    if (status == AKIN_OK || s->tables == 1) return status;
    return akin_error_context(status, "%s: ", akin_file_name(s->table[table].params->output));
}

static akin_status name_files(sweep *s) {
    akin_status status;
    AKIN_TRY(akin_text_create(&s->options));
    AKIN_TRY(akin_text_create(&s->result_options));
    AKIN_TRY(akin_text_create(&s->previous));
    for (int t = 0; t < s->tables; t++) AKIN_TRY(akin_table_run_name(&s->table[t]));
done:
    return status;
}

/* The checkpoint is that of the first table that names one; else of the first table. */
static void choose_checkpoint(sweep *s) {
    s->saving = 0;
    for (int t = s->tables; t-- > 0;)
        if (s->table[t].params->checkpoint) s->saving = t;
}

/* Collective; agreed. */
static akin_status open_vectors(sweep *s) {
    const akin_neighbors_params *p = s->table[0].params;
    const akin_vectors_source sources = {p->input, p->ids}, others = {p->against, p->against_ids};
    const akin_aspect aspect = {.parts = p->aspect,
                                .input = {p->input, p->catalog},
                                .against = {p->against, p->against_catalog},
                                .model = p->model};
    akin_status status;
    AKIN_TRY(p->against ? akin_vectors_open_against(s->comm, &sources, &others, &s->vectors)
                        : akin_vectors_open(s->comm, p->input, p->ids, &s->vectors));
    if (p->aspect) AKIN_TRY(akin_aspect_take(s->comm, &aspect, &s->vectors));
    for (int t = 0; t < s->tables; t++) s->table[t].vectors = s->vectors;
    AKIN_TRY(akin_neighbors_tell_unusable(s->comm, p, s->vectors));
done:
    return status;
}

/* Everything that affects the result, of all tables. */
static akin_status describe(sweep *s) {
    akin_status status = AKIN_OK;
    for (int t = 0; t < s->tables; t++) {
        const akin_table_run *r = &s->table[t];
        const char *between = t > 0 ? " | " : "";
        AKIN_TRY(akin_text_append(s->options, "%s%s", between, r->params->options));
        AKIN_TRY(akin_text_append(s->result_options, "%s%s%s", between,
                                  akin_text_bytes(r->result_options),
                                  r->order ? " rows by product" : ""));
        AKIN_TRY(akin_text_append(s->previous, "%s%s", between, r->delta ? r->delta->digest : ""));
    }
    s->origin = (akin_ring_checkpoint_origin){
        akin_text_bytes(s->options), akin_text_bytes(s->result_options),
        akin_vectors_digest(rows_of(s)), akin_text_bytes(s->previous)};
done:
    return status;
}

/* Collects what is known before the first pair is compared. Collective; agreed. */
static akin_status gather_known(sweep *s) {
    akin_status status = AKIN_OK;
    akin_resume_table known[MOST];
    for (int t = 0; t < s->tables; t++) {
        akin_table_run *r = &s->table[t];
        tell_about(s, t);
        AKIN_TRY(of_table(s, t, akin_table_run_know(r, s->figures[t])));
        known[t] = (akin_resume_table){&r->rules, r->delta, r->list};
    }
    AKIN_TRY(akin_agree(s->comm, describe(s)));
    AKIN_TRY(akin_resume_create(s->comm, rows_of(s), known, s->tables, &s->known));
    AKIN_TRY(akin_resume_resume(s->known, checkpoint_of(s),
                                s->table[s->saving].params->checkpoint != NULL, &s->origin));
done:
    return status;
}

static akin_status save(void *context, const akin_allpairs_state *state) {
    const sweep *s = context;
    return akin_resume_save(s->known, s->stage, checkpoint_of(s), &s->origin, state);
}

/* Adds the figures of two comparisons. */
static void add_figures(akin_allpairs_figures *sum, const akin_allpairs_figures *more) {
    sum->seconds += more->seconds, sum->seconds_waiting += more->seconds_waiting;
    sum->pairs += more->pairs, sum->computed += more->computed, sum->scored += more->scored,
        sum->mended += more->mended;
}

/* Each product is a source and a target; with itself it is no pair. */
static void leave_out_itself(const akin_table_run *r, akin_allpairs_figures *figures) {
    double rows = (double)r->products.sources.count;
    if (!r->params->mean || r->params->against || rows == 0) return;
    figures->pairs *= (rows - 1) / rows, figures->computed *= (rows - 1) / rows;
}

static double save_every(const sweep *s) {
    double least = INFINITY;
    for (int t = 0; t < s->tables; t++) least = fmin(least, s->table[t].params->checkpoint_every);
    return least;
}

/* CHECKPOINT.hubs and the like, for the first passes of a table; owned, NULL: out of memory. */
static char *name_first(const akin_table_run *r, const char *ending) {
    return akin_file_with_ending(akin_text_bytes(r->checkpoint), ending);
}

static void remove_checkpoints(const akin_table_run *r) {
    char *hubs = r->params->rules.damp_hubs ? name_first(r, HUBS) : NULL,
         *duplicates =
             r->duplicate_of || r->product_duplicate_of ? name_first(r, DUPLICATES) : NULL;
    akin_file_remove(akin_text_bytes(r->checkpoint));
    if (hubs) akin_file_remove(hubs);
    if (duplicates) akin_file_remove(duplicates);
    akin_mem_free(hubs);
    akin_mem_free(duplicates);
}

static bool wants_damping(const akin_table_run *r) {
    return r->params->rules.damp_hubs;
}

/* The first pass of --damp-hubs. Collective; agreed. */
static akin_status damp_hubs(const sweep *s, akin_table_run *r,
                             const akin_first_pass_checkpoint *checkpoint,
                             akin_allpairs_figures *figures) {
    bool rows = r->params->mean && r->params->against; /* products are those of two catalogues */
    const akin_hubs_lists lists = {.vectors = rows_of(s),
                                   .rules = &r->rules,
                                   .item_rules = r->more,
                                   .products = r->params->by_group && !rows ? &r->products : NULL,
                                   .mean = r->params->mean,
                                   .k = r->params->k};
    return akin_hubs_damp(s->comm, &lists, checkpoint, akin_item_rules_offsets(r->more), figures);
}

static bool wants_collapsing(const akin_table_run *r) {
    return r->params->refine.collapse && (r->params->against || r->more);
}

/* The first pass of --collapse-duplicates: for another catalogue, for products, or under rules for single
 * items, where lists do not contain this information. Collective; agreed. */
static akin_status collapse_first(const sweep *s, akin_table_run *r,
                                  const akin_first_pass_checkpoint *checkpoint,
                                  akin_allpairs_figures *figures) {
    return akin_first_duplicates_find(s->comm, r, checkpoint, figures);
}

static const first_pass first_passes[] = {
    {"--damp-hubs", HUBS, wants_damping, damp_hubs},
    {"--collapse-duplicates", DUPLICATES, wants_collapsing, collapse_first}};
enum { FIRST_PASSES = sizeof first_passes / sizeof *first_passes };

static int count_passes(const sweep *s) {
    int passes = 1;
    for (int t = 0; t < s->tables; t++)
        for (size_t p = 0; p < FIRST_PASSES; p++) passes += first_passes[p].wanted(&s->table[t]);
    return passes;
}

/* Of several passes, what is logged of this one begins with its number. */
static void begin_pass(sweep *s) {
    s->pass++;
    if (s->passes > 1)
        snprintf(s->stage, sizeof s->stage, "neighbors, pass %d of %d", s->pass, s->passes);
    else
        snprintf(s->stage, sizeof s->stage, "neighbors");
}

/* A first pass of one table. Its checkpoint stays until the table is written, because a second pass
 * that is interrupted needs the result again. Collective; agreed. */
static akin_status pass_first(sweep *s, int t, const first_pass *pass) {
    akin_table_run *r = &s->table[t];
    char *path = name_first(r, pass->ending);
    begin_pass(s);
    const akin_first_pass_checkpoint checkpoint = {path, s->stage, save_every(s), s->origin};
    akin_log_info("%s: for %s of %s", s->stage, pass->option, akin_file_name(r->params->output));
    const akin_allpairs_figures before = s->figures[t]->engine;
    akin_status status = akin_agree(s->comm, path ? AKIN_OK : AKIN_FAILED);
    if (status == AKIN_OK) status = pass->run(s, r, &checkpoint, &s->figures[t]->engine);
    add_figures(&s->figures[t]->engine, &before);
    if (status == AKIN_INTERRUPTED)
        status = akin_error_set(status,
                                "interrupted in the first pass of %s; %s is saved: run the same "
                                "command again to continue",
                                pass->option, path);
    akin_mem_free(path);
    return status;
}

/* Collective; agreed. */
static akin_status pass_all_first(sweep *s) {
    akin_status status = AKIN_OK;
    s->passes = count_passes(s);
    for (int t = 0; t < s->tables; t++)
        for (size_t p = 0; p < FIRST_PASSES; p++)
            if (first_passes[p].wanted(&s->table[t])) AKIN_TRY(pass_first(s, t, &first_passes[p]));
done:
    return status;
}

/* Collective; agreed. */
static akin_status compute(sweep *s) {
    akin_status status = pass_all_first(s);
    akin_allpairs_table table[MOST];
    uint64_t *lists[MOST];
    akin_allpairs_figures figures;
    if (status != AKIN_OK) return status;
    begin_pass(s);
    for (int t = 0; t < s->tables; t++) {
        akin_table_run *r = &s->table[t];
        table[t] = (akin_allpairs_table){.k = r->pool + r->params->spare, .rules = &r->rules};
        table[t].prior = akin_resume_apply(s->known, t, &r->rules);
    }
    const akin_allpairs_params all = {.table = table,
                                      .tables = s->tables,
                                      .progress = akin_resume_progress(s->known),
                                      .save_every = save_every(s),
                                      .save = save,
                                      .context = s,
                                      .stage = s->stage};
    status = akin_allpairs(s->comm, rows_of(s), &all, lists, &figures);
    if (status == AKIN_INTERRUPTED)
        return akin_error_set(status,
                              "interrupted; %s is saved: run the same command again to continue",
                              checkpoint_of(s));
    for (int t = 0; t < s->tables && status == AKIN_OK; t++) {
        akin_allpairs_figures *sum = &s->figures[t]->engine;
        const akin_allpairs_figures first = *sum;
        *sum = figures;
        add_figures(sum, &first);
        leave_out_itself(&s->table[t], sum);
        s->figures[t]->sharing = (size_t)s->tables;
        akin_table_run_take(&s->table[t], lists[t]);
    }
    return status;
}

/* Makes the tables from the lists; once they are written, the checkpoint is no longer needed.
 * Collective; agreed. */
static akin_status write_tables(sweep *s) {
    akin_status status = AKIN_OK;
    for (int t = 0; t < s->tables; t++) {
        tell_about(s, t);
        AKIN_TRY(of_table(s, t, akin_table_run_write(&s->table[t], s->figures[t])));
    }
    for (int t = 0; t < s->tables && akin_comm_rank(s->comm) == 0; t++)
        remove_checkpoints(&s->table[t]);
    int64_t peak = (int64_t)akin_mem_peak();
    akin_comm_max_i64(s->comm, &peak, 1);
    for (int t = 0; t < s->tables; t++) s->figures[t]->peak_memory = (size_t)peak;
done:
    return status;
}

static void free_sweep(sweep *s) {
    akin_resume_free(s->known);
    for (int t = 0; t < s->tables; t++) akin_table_run_release(&s->table[t]);
    akin_vectors_free(s->vectors);
    akin_text_free(s->options);
    akin_text_free(s->result_options);
    akin_text_free(s->previous);
}

/* Removes tables whose rows are in another order than the first table's; another pass takes them. */
static void leave_others(sweep *s) {
    int kept = 0;
    for (int t = 0; t < s->tables; t++) {
        if ((s->table[t].order == NULL) != (s->table[0].order == NULL)) {
            *s->taken[t] = false;
            akin_table_run_release(&s->table[t]);
            continue;
        }
        s->table[kept] = s->table[t], s->figures[kept] = s->figures[t];
        s->taken[kept++] = s->taken[t];
    }
    s->tables = kept;
}

/* Collective; agreed. */
static akin_status begin_tables(sweep *s) {
    akin_status status = AKIN_OK;
    const akin_table_run *ordered = NULL; /* a table whose rows are in product order */
    for (int t = 0; t < s->tables; t++) {
        tell_about(s, t);
        AKIN_TRY(of_table(s, t, akin_table_run_begin(&s->table[t], ordered, s->figures[t])));
        if (!ordered && s->table[t].order) ordered = &s->table[t];
    }
    leave_others(s);
    choose_checkpoint(s);
done:
    return status;
}

static void tell_pass(const sweep *s) {
    akin_log_info("neighbors: one pass over the pairs makes %d of %zu tables", s->tables, s->count);
}

/* Collective; agreed. */
static akin_status sweep_tables(sweep *s) {
    akin_status status;
    AKIN_TRY(akin_agree(s->comm, name_files(s)));
    AKIN_TRY(open_vectors(s));
    AKIN_TRY(begin_tables(s));
    if (s->count > 1 && !s->table[0].params->aside) tell_pass(s);
    AKIN_TRY(gather_known(s));
    AKIN_TRY(compute(s));
    AKIN_TRY(write_tables(s));
done:
    return status;
}

/* --- all tables --- */

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whether two tables compare the same rows. */
static bool share(const akin_neighbors_params *a, const akin_neighbors_params *b) {
    if (a->mean || b->mean) return false; /* the rows of products depend on the rules */
    return same_text(a->input, b->input) && same_text(a->ids, b->ids) &&
           same_text(a->against, b->against) && same_text(a->against_ids, b->against_ids) &&
           same_text(a->aspect, b->aspect) && same_text(a->model, b->model) &&
           same_text(a->catalog, b->catalog) && same_text(a->against_catalog, b->against_catalog);
}

/* Takes those remaining tables that share a pass with the first one. */
static void gather(sweep *s, const akin_neighbors_params *params, size_t count, bool *taken,
                   akin_neighbors_figures *out) {
    size_t first = 0;
    while (taken[first]) first++;
    for (size_t i = first; i < count && s->tables < MOST; i++) {
        if (taken[i] || (i > first && !share(&params[first], &params[i]))) continue;
        s->table[s->tables] = (akin_table_run){.comm = s->comm, .params = &params[i]};
        s->taken[s->tables] = &taken[i];
        s->figures[s->tables++] = &out[i];
        taken[i] = true;
    }
}

akin_status akin_neighbors(akin_comm *comm, const akin_neighbors_params *params, size_t count,
                           akin_neighbors_figures *out) {
    bool *taken = akin_mem_zalloc(count, sizeof *taken);
    akin_status status = akin_agree(comm, taken ? AKIN_OK : AKIN_FAILED);
    for (size_t i = 0; i < count; i++) out[i] = (akin_neighbors_figures){0};
    while (status == AKIN_OK && count_left(taken, count) > 0) {
        sweep s = {.comm = comm, .all = taken, .count = count};
        gather(&s, params, count, taken, out);
        status = sweep_tables(&s);
        free_sweep(&s);
    }
    akin_mem_free(taken);
    return status;
}
