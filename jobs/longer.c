/* longer: tables with longer lists. */
#include "longer.h"
#include "call.h"
#include "output.h"
#include "recorded.h"
#include "rules.h"
#include "verbs.h"
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/neighbors.h>

#define MOST_BYTES ((size_t)512 << 20) /* of the lists of one such table */

typedef struct {
    akin_options *options; /* of the table */
    size_t items, k;
    bool fits; /* a table whose neighbours have places to tell */
} recorded;

static bool is_boosted(const akin_neighbors_rules *r) {
    return r->boost.count > 0 || r->damp_hubs;
}

static bool has_rules(const akin_neighbors_rules *r) {
    return r->same_category || r->exclude_same_group || r->only_available || r->min_score > -1 ||
           is_boosted(r) ||
           r->same.count + r->different.count + r->within.count + r->only.count + r->barred.count +
                   r->at_most.count + r->categories.count + r->blocks.count + r->pins.count >
               0;
}

/* Whether the files of its rules are as they were. */
static bool same_files(const char *table, const akin_neighbors_rules *rules) {
    char files[AKIN_HASH_TEXT_SIZE];
    bool same = akin_neighbors_files_digest(rules, files) == AKIN_OK &&
                akin_output_has(table, "table", "akin_rules_digest", *files ? files : NULL);
    akin_error_clear();
    return same;
}

/* Not collective; the same on all ranks. */
static akin_status read_table(const akin_longer_source *source, recorded *out) {
    akin_status status;
    const akin_option *tables[] = {akin_verb_find("neighbors")->options, NULL};
    akin_ncfile *file = NULL;
    AKIN_TRY(akin_ncfile_peek(source->table, "table", &file));
    AKIN_TRY(akin_ncfile_length(file, "item", &out->items));
    AKIN_TRY(akin_ncfile_length(file, "k", &out->k));
    AKIN_TRY(akin_options_create(tables, &out->options));
    AKIN_TRY(akin_recorded_take(file, out->options, NULL, NULL));
    const akin_neighbors_rules rules = akin_item_rules_of(out->options);
    bool two = akin_ncfile_has(file, "target_id");
    out->fits = has_rules(&rules) && !akin_ncfile_has(file, "picture") &&
                !akin_options_given(out->options, "aspect") && (!two || source->against) &&
                same_files(source->table, &rules) &&
                akin_output_made_from(source->table, "table", "input_embeddings_digest",
                                      source->embeddings) &&
                (!two || akin_output_made_from(source->table, "table", "input_against_digest",
                                               source->against));
done:
    akin_ncfile_close(file);
    return status;
}

/* Collective; agreed. */
static akin_status compute(akin_comm *comm, const akin_longer_source *source, const recorded *of,
                           const akin_gallery_longer *names, size_t depth) {
    akin_neighbors_rules rules = akin_item_rules_of(of->options);
    akin_neighbors_figures figures[2];
    akin_neighbors_params params[2] = {{.input = source->embeddings,
                                        .output = names->plain,
                                        .k = depth,
                                        .rules = {.min_score = -1},
                                        .options = "",
                                        .result_options = "",
                                        .checkpoint_every = 1e9,
                                        .aside = true}};
    if (akin_options_given(of->options, "against")) params[0].against = source->against;
    params[1] = params[0];
    rules.boost = (akin_neighbors_words){0}, rules.damp_hubs = false;
    params[1].rules = rules;
    params[1].output = names->unboosted;
    return akin_neighbors(comm, params, names->unboosted ? 2 : 1, figures);
}

/* Collective; agreed. */
static akin_status make(akin_comm *comm, const akin_longer_source *source, const char *output,
                        const recorded *of, akin_gallery_longer *out) {
    const akin_neighbors_rules rules = akin_item_rules_of(of->options);
    size_t most = MOST_BYTES / 8 / (of->items > 0 ? of->items : 1),
           depth = most < AKIN_LONGER_DEPTH ? most : AKIN_LONGER_DEPTH;
    if (depth <= of->k) return AKIN_OK;
    out->plain = akin_file_with_ending(output, ".plain.nc");
    if (is_boosted(&rules)) out->unboosted = akin_file_with_ending(output, ".unboosted.nc");
    bool room = out->plain && (out->unboosted || !is_boosted(&rules));
    akin_status status = akin_agree(comm, room ? AKIN_OK : AKIN_FAILED);
    if (status != AKIN_OK) return status;
    akin_log_hold();
    status = compute(comm, source, of, out, depth);
    (void)akin_log_release();
    if (status == AKIN_OK || status == AKIN_INTERRUPTED) return status;
    akin_log_info("gallery: does not show the ranks that neighbours would have without rules: %s",
                  akin_error_message());
    akin_error_clear();
    akin_longer_remove(comm, out);
    return AKIN_OK;
}

akin_status akin_longer_make(akin_comm *comm, const akin_longer_source *source, const char *output,
                             akin_gallery_longer *out) {
    recorded of = {0};
    *out = (akin_gallery_longer){0};
    if (!source->embeddings) return AKIN_OK;
    akin_status status = akin_agree(comm, read_table(source, &of));
    if (status == AKIN_OK && of.fits) status = make(comm, source, output, &of, out);
    akin_options_free(of.options);
    return status;
}

static void remove_one(const akin_comm *comm, const char **name) {
    if (*name && akin_comm_rank(comm) == 0) akin_file_remove(*name);
    akin_mem_free((void *)(uintptr_t)*name);
    *name = NULL;
}

void akin_longer_remove(const akin_comm *comm, akin_gallery_longer *longer) {
    remove_one(comm, &longer->plain);
    remove_one(comm, &longer->unboosted);
}
