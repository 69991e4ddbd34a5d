/* publish: publishes a table to its targets, step by step. */
#include "publish_gates.h"
#include <akin/file.h>
#include <akin/golden.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/publish.h>
#include <akin/rng.h>
#include <akin/sink.h>
#include <akin/table.h>
#include <akin/text.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLE = 200, KEEP_SECONDS = 5 };

/* One publication, on the rank that publishes. */
typedef struct {
    const akin_publish_params *params;
    akin_publish_place *places;
    akin_publish_result *result;
    const akin_sink **sinks;     /* [url_count] the kind of each target */
    akin_target **targets;       /* [url_count] */
    akin_publish_diff **changes; /* [url_count], NULL if not compared */
    akin_sink_source table, embeddings;
    akin_ids *ids, *embedded_ids, *previous_ids;
    akin_labels *labels;
    const akin_table *previous;
    double kept; /* when locks were last renewed */
} publication;

/* --- messages --- */

akin_status akin_publish_check(const char *const *urls, size_t url_count, const char *const *inputs,
                               size_t input_count) {
    return akin_sink_check(urls, url_count, inputs, input_count);
}

bool akin_publish_takes_embeddings(const char *url) {
    const akin_sink *sink = akin_sink_of(url);
    return sink && sink->input == AKIN_SINK_EMBEDDINGS;
}

bool akin_publish_heeds(const char *url, const char *option) {
    const akin_sink *sink = akin_sink_of(url);
    for (const char *const *it = sink ? sink->heeds : NULL; it && *it; it++)
        if (strcmp(*it, option) == 0) return true;
    return false;
}

/* The kind of each target, for URLs that akin_publish_check has accepted. Owned; NULL: out of
 * memory. */
static const akin_sink **find_sinks(const char *const *urls, size_t count) {
    const akin_sink **sinks = akin_mem_alloc(count, sizeof *sinks);
    for (size_t i = 0; sinks && i < count; i++) sinks[i] = akin_sink_of(urls[i]);
    return sinks;
}

/* --- long work --- */

static akin_status hold_on(publication *p) {
    akin_status status = AKIN_OK;
    double now = akin_comm_seconds();
    if (now - p->kept < KEEP_SECONDS) return AKIN_OK;
    p->kept = now;
    for (size_t i = 0; i < p->params->url_count && status == AKIN_OK; i++)
        if (p->targets[i] && p->sinks[i]->keep) status = p->sinks[i]->keep(p->targets[i]);
    return status;
}

static akin_status pulse(void *context, const char *doing, size_t done, size_t total) {
    akin_log_progress(doing, "items", (double)done, (double)total);
    if (akin_comm_signalled())
        return akin_error_set(AKIN_INTERRUPTED,
                              "stopped by a signal; nothing was published: run it again");
    return hold_on(context);
}

/* --- the published tables --- */

static akin_sink_source *source_of(publication *p, size_t place) {
    return p->sinks[place]->input == AKIN_SINK_EMBEDDINGS ? &p->embeddings : &p->table;
}

static akin_status measure_coverage(publication *p) {
    akin_status status = AKIN_OK;
    enum { ROWS = 4096 };
    int32_t counts[ROWS];
    size_t n = p->table.items, covered = 0;
    for (size_t first = 0; first < n; first += ROWS) {
        size_t count = n - first < ROWS ? n - first : ROWS;
        AKIN_TRY(akin_ncfile_get(akin_table_file(p->table.table), "count", first, count, counts));
        for (size_t i = 0; i < count; i++) covered += counts[i] > 0;
    }
    p->result->coverage = (double)covered / (double)n;
done:
    return status;
}

static akin_status measure_golden(publication *p) {
    akin_golden golden;
    const char *table = akin_ncfile_path(akin_table_file(p->table.table));
    akin_status status = akin_golden_measure(p->params->golden, p->table.table, p->ids, &golden);
    if (status != AKIN_OK) return status;
    p->result->golden = akin_golden_share(&golden);
    p->result->golden_pairs = golden.pairs;
    p->result->golden_unknown = golden.unknown;
    akin_golden_tell_unknown(&golden, p->params->golden, table);
    akin_golden_release(&golden);
    return AKIN_OK;
}

static akin_status read_source(publication *p) {
    akin_status status = AKIN_OK;
    if (p->table.table) {
        AKIN_TRY(akin_ids_read(akin_table_file(p->table.table), &p->ids));
        p->table.ids = p->ids;
        AKIN_TRY(measure_coverage(p));
        if (p->params->golden) AKIN_TRY(measure_golden(p));
    }
    if (p->embeddings.embeddings) {
        AKIN_TRY(akin_labels_read(akin_embeddings_file(p->embeddings.embeddings), 0,
                                  p->embeddings.items, &p->labels));
        AKIN_TRY(akin_ids_read(akin_embeddings_file(p->embeddings.embeddings), &p->embedded_ids));
        p->embeddings.labels = p->labels;
        p->embeddings.ids = p->embedded_ids;
    }
done:
    return status;
}

/* Opens the targets and reads their state; nothing is written. */
static akin_status open_targets(publication *p) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < p->params->url_count; i++) {
        AKIN_TRY(p->sinks[i]->open(p->params->urls[i], &p->params->sink, &p->targets[i]));
        AKIN_TRY(p->sinks[i]->look(p->targets[i], &p->places[i].live));
    }
done:
    return status;
}

/* --- the changes --- */

static akin_status compare_with_previous(publication *p, akin_publish_diff *change) {
    akin_status status = AKIN_OK;
    if (!p->previous_ids) AKIN_TRY(akin_ids_read(akin_table_file(p->previous), &p->previous_ids));
    status = akin_publish_diff_see_table(change, p->previous, p->previous_ids);
done:
    return status;
}

static int compare_sizes(const void *left, const void *right) {
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    return (a > b) - (a < b);
}

static akin_status verify(publication *p, size_t i) {
    size_t rows[SAMPLE], n = source_of(p, i)->items, count = n < SAMPLE ? n : SAMPLE, used = 0;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    for (size_t s = 0; s < count; s++)
        rows[s] = (size_t)akin_rng_permute(seed, AKIN_RNG_SAMPLE, 0, n, s);
    qsort(rows, count, sizeof *rows, compare_sizes);
    for (size_t s = 0; s < count; s++)
        if (s == 0 || rows[s] != rows[s - 1]) rows[used++] = rows[s];
    return p->sinks[i]->verify(p->targets[i], source_of(p, i), rows, used);
}

static void tell(const publication *p, size_t i, bool warns, const char *what) {
    akin_text *shown = NULL;
    if (akin_text_create(&shown) == AKIN_OK &&
        akin_text_append_hidden(shown, p->params->urls[i]) == AKIN_OK)
        (warns ? akin_log_warning : akin_log_summary)("publish: %s %s", akin_text_bytes(shown),
                                                      what);
    akin_text_free(shown);
}

void akin_publish_warn_left(const char *url, const char *const *inputs, size_t input_count,
                            const char *why) {
    akin_text *how = NULL;
    akin_status status = akin_text_create(&how);
    if (status == AKIN_OK) status = akin_text_append_hidden(how, url);
    if (status == AKIN_OK)
        status = akin_text_append(
            how, " was left unchanged: %s. To publish this table anyway: akin publish", why);
    for (size_t f = 0; f < input_count && status == AKIN_OK; f++)
        status = akin_text_append(how, " '%s'", inputs[f]);
    if (status == AKIN_OK) status = akin_text_append(how, " --to '");
    if (status == AKIN_OK) status = akin_text_append_hidden(how, url);
    if (status == AKIN_OK) akin_log_warning("publish: %s'", akin_text_bytes(how));
    akin_text_free(how);
}

static akin_status compare_place(publication *p, size_t i) {
    akin_status status = AKIN_OK;
    akin_publish_place *place = &p->places[i];
    akin_sink_source *source = source_of(p, i);
    AKIN_TRY(p->sinks[i]->prepare(p->targets[i], source, &place->published));
    place->published.already =
        place->live.there && strcmp(place->live.digest, place->published.digest) == 0;
    if (place->published.already &&
        verify(p, i) != AKIN_OK) { /* a cache may have evicted some of it */
        akin_log_warning("publish: %s; publishing it again", akin_error_message());
        akin_error_clear();
        place->published.already = false;
    }
    if (!place->live.there || place->published.already) goto done;
    place->left = p->params->respect_rollback &&
                  akin_rolled_back_has(place->live.rolled_back, place->published.digest);
    if (place->left) goto done;
    AKIN_TRY(akin_publish_diff_create(source->table, source->ids, &p->changes[i]));
    if (p->previous && strcmp(akin_table_digest(p->previous), place->live.table_digest) == 0)
        AKIN_TRY(compare_with_previous(p, p->changes[i]));
    else
        AKIN_TRY(p->sinks[i]->compare(p->targets[i], source, p->changes[i]));
    place->change = akin_publish_diff_result(p->changes[i]);
    place->compared = true;
    if (source->table && isnan(place->change.churn) && place->change.common > 0)
        tell(p, i, true,
             "contains no ids: --max-churn cannot gate it, and --max-shrink only compares the "
             "number of items");
done:
    return status;
}

/* --- writing --- */

/* The lock is free once a table is committed, so another run may have published since, in another
 * layout too; then there is nothing of ours to verify. */
static akin_status verify_committed(publication *p, size_t i) {
    akin_error_kept why;
    akin_live live = {0};
    akin_status status = verify(p, i);
    if (status != AKIN_FAILED) return status;
    akin_error_keep(&why);
    bool superseded = p->sinks[i]->look(p->targets[i], &live) == AKIN_OK && live.there &&
                      (*live.digest || *live.table_digest) &&
                      strcmp(live.digest, p->places[i].published.digest) != 0;
    if (!superseded) {
        akin_error_restore(&why);
        return status;
    }
    akin_error_clear();
    tell(p, i, true, "has been published to by another run since; what it holds now is that run's");
    return AKIN_OK;
}

static akin_status write_places(publication *p) {
    akin_status status = AKIN_OK;
    size_t count = p->params->url_count;
    for (size_t i = 0; i < count; i++) {
        if (p->places[i].published.already || p->places[i].left) continue;
        akin_sink_source *source = source_of(p, i);
        source->change = p->places[i].compared ? p->changes[i] : NULL;
        AKIN_TRY(p->sinks[i]->stage(p->targets[i], source, &p->places[i].published));
    }
    for (size_t i = 0; i < count; i++) {
        if (p->places[i].left) {
            akin_publish_warn_left(p->params->urls[i], p->params->inputs, p->params->input_count,
                                   AKIN_PUBLISH_ROLLED_BACK);
            continue;
        }
        if (p->places[i].published.already) {
            if (p->sinks[i]->tidy) p->sinks[i]->tidy(p->targets[i]);
            tell(p, i, false, "already holds this table; the previous one is left unchanged");
            continue;
        }
        AKIN_TRY(p->sinks[i]->commit(p->targets[i], source_of(p, i), &p->places[i].published));
        tell(p, i, false, "now holds this table");
    }
    for (size_t i = 0; i < count; i++)
        if (!p->places[i].left) AKIN_TRY(verify_committed(p, i));
done:
    akin_log_progress_end();
    return status;
}

/* Rank 0. */
static akin_status publish_all(publication *p) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < p->params->url_count; i++) AKIN_TRY(compare_place(p, i));
    akin_log_progress_end();
    AKIN_TRY(akin_publish_check_gates(p->params, p->result, p->places));
    if (!p->params->dry_run) status = write_places(p);
done:
    akin_log_progress_end();
    return status;
}

/* --- all ranks --- */

typedef struct {
    akin_table *table, *previous;
    akin_embeddings *embeddings;
    char *model;
} inputs;

/* Sorts the inputs by their kind; the same on all ranks. Collective; agreed. */
static akin_status open_input(akin_comm *comm, const char *path, inputs *in) {
    akin_status status = AKIN_OK;
    akin_ncfile *file = NULL;
    bool embeddings = false;
    akin_status local = akin_ncfile_peek(path, NULL, &file);
    if (local == AKIN_OK) embeddings = strcmp(akin_ncfile_kind(file), "embeddings") == 0;
    akin_ncfile_close(file);
    AKIN_TRY(akin_agree(comm, local));
    if (embeddings ? in->embeddings != NULL : in->table != NULL)
        AKIN_TRY(akin_error_set(
            AKIN_USAGE, "%s: too many files: give one table.nc and one embeddings.nc", path));
    if (embeddings) return akin_embeddings_open(comm, path, &in->embeddings);
    AKIN_TRY(akin_table_open(comm, path, &in->table));
    AKIN_TRY(akin_agree(comm, akin_ncfile_get_attribute(akin_table_file(in->table),
                                                        "input_model_digest", &in->model)));
done:
    return status;
}

static akin_status open_inputs(akin_comm *comm, const akin_publish_params *params, inputs *in) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < params->input_count; i++)
        AKIN_TRY(open_input(comm, params->inputs[i], in));
    for (size_t i = 0; i < params->url_count; i++) {
        bool embeddings = akin_publish_takes_embeddings(params->urls[i]);
        if (embeddings ? in->embeddings != NULL : in->table != NULL) continue;
        AKIN_TRY(akin_error_set(AKIN_INPUT, "%s: %s is published there; give it too",
                                params->urls[i], embeddings ? "embeddings.nc" : "table.nc"));
    }
done:
    return status;
}

static bool may_recognise(const publication *p, size_t i) {
    const akin_live *live = &p->places[i].live;
    return live->there && !*live->table_digest && p->sinks[i]->recognise;
}

/* A file does not contain the digest of its table. To find out whether it holds the previous table,
 * the file is generated again, which is faster than parsing it. Rank 0. */
static akin_status recognise_all(publication *p) {
    akin_status status = AKIN_OK;
    akin_sink_source before = p->table;
    for (size_t i = 0; i < p->params->url_count; i++) {
        bool same = false;
        if (!may_recognise(p, i)) continue;
        if (!p->previous_ids)
            AKIN_TRY(akin_ids_read(akin_table_file(p->previous), &p->previous_ids));
        before.table = p->previous;
        before.ids = p->previous_ids;
        before.items = akin_table_items(p->previous);
        AKIN_TRY(p->sinks[i]->recognise(p->targets[i], &before, &same));
        if (same)
            snprintf(p->places[i].live.table_digest, AKIN_HASH_TEXT_SIZE, "%s",
                     akin_table_digest(p->previous));
    }
done:
    akin_log_progress_end();
    return status;
}

/* The previous table is used only if a target holds exactly that table. Collective; agreed. */
static akin_status open_previous(akin_comm *comm, publication *p, inputs *in) {
    akin_status status = AKIN_OK;
    akin_ncfile *file = NULL;
    int64_t wanted = 0;
    const char *path = p->params->previous;
    if (!path) return AKIN_OK;
    akin_status local =
        akin_comm_rank(comm) == 0 ? akin_ncfile_peek(path, "table", &file) : AKIN_OK;
    for (size_t i = 0; file && i < p->params->url_count; i++)
        wanted |= strcmp(p->places[i].live.table_digest, akin_ncfile_digest(file)) == 0 ||
                  may_recognise(p, i);
    akin_ncfile_close(file);
    AKIN_TRY(akin_agree(comm, local));
    akin_comm_max_i64(comm, &wanted, 1);
    if (wanted) AKIN_TRY(akin_table_open(comm, path, &in->previous));
    p->previous = in->previous;
    if (p->previous) p->table.previous_digest = akin_table_digest(p->previous);
    if (p->previous)
        status = akin_agree(comm, akin_comm_rank(comm) == 0 ? recognise_all(p) : AKIN_OK);
done:
    return status;
}

static akin_status prepare_publication(akin_comm *comm, publication *p, const inputs *in) {
    size_t count = p->params->url_count;
    const akin_sink_source blank = {
        .model = "", .previous_digest = "", .pulse = pulse, .context = p};
    p->table = p->embeddings = blank;
    p->result->coverage = p->result->golden = NAN;
    if (in->embeddings) {
        p->embeddings.embeddings = in->embeddings;
        p->embeddings.items = p->result->items = akin_embeddings_items(in->embeddings);
        p->embeddings.digest = akin_embeddings_digest(in->embeddings);
        p->embeddings.model = akin_embeddings_model_digest(in->embeddings);
        strcpy(p->result->table_digest, p->embeddings.digest);
    }
    if (in->table) {
        p->table.table = in->table;
        p->table.items = p->result->items = akin_table_items(in->table);
        p->table.digest = akin_table_digest(in->table);
        if (in->model) p->table.model = in->model;
        strcpy(p->result->table_digest, p->table.digest);
    }
    p->sinks = find_sinks(p->params->urls, count);
    p->targets = akin_mem_zalloc(count, sizeof *p->targets);
    p->changes = akin_mem_zalloc(count, sizeof *p->changes);
    akin_status local = p->sinks && p->targets && p->changes ? AKIN_OK : AKIN_FAILED;
    if (local == AKIN_OK && akin_comm_rank(comm) == 0) local = read_source(p);
    if (local == AKIN_OK && akin_comm_rank(comm) == 0) local = open_targets(p);
    return akin_agree(comm, local);
}

static void end_publication(publication *p) {
    for (size_t i = 0; i < p->params->url_count; i++) {
        if (p->sinks && p->targets) p->sinks[i]->close(p->targets[i]);
        if (p->changes) akin_publish_diff_free(p->changes[i]);
    }
    akin_mem_free(p->sinks);
    akin_mem_free(p->targets);
    akin_mem_free(p->changes);
    akin_ids_free(p->ids);
    akin_ids_free(p->embedded_ids);
    akin_ids_free(p->previous_ids);
    akin_labels_free(p->labels);
}

akin_status akin_publish(akin_comm *comm, const akin_publish_params *params,
                         akin_publish_place *places, akin_publish_result *result) {
    akin_status status = AKIN_OK;
    inputs in = {0};
    publication p = {.params = params, .places = places, .result = result};
    *result = (akin_publish_result){0};
    memset(places, 0, params->url_count * sizeof *places);
    AKIN_TRY(akin_agree(comm, akin_publish_check(params->urls, params->url_count, params->inputs,
                                                 params->input_count)));
    AKIN_TRY(open_inputs(comm, params, &in));
    AKIN_TRY(prepare_publication(comm, &p, &in));
    AKIN_TRY(open_previous(comm, &p, &in));
    status = akin_agree_with_first(comm, akin_comm_rank(comm) == 0 ? publish_all(&p) : AKIN_OK);
    akin_comm_broadcast(comm, result, sizeof *result, 0);
    akin_comm_broadcast(comm, places, params->url_count * sizeof *places, 0);
done:
    end_publication(&p);
    akin_mem_free(in.model);
    akin_table_close(in.previous);
    akin_embeddings_close(in.embeddings);
    akin_table_close(in.table);
    return status;
}
