/* neighbors_check: checks the options of a table against the vectors. */
#include "neighbors_check.h"
#include "item_rules.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/npy.h>
#include <akin/text.h>
#include <math.h>

/* How rows without labels get them. */
static const char *hint(const char *path) {
    bool is_npy = false;
    if (akin_npy_recognise(path, &is_npy) != AKIN_OK) akin_error_clear(); /* told elsewhere */
    return is_npy ? ": a .npy file has no labels; akin embed CATALOG --from FILE.npy -o FILE.nc "
                    "joins it by id with a catalogue (akin ingest), which has them"
                  : "";
}

akin_status akin_neighbors_resolve(const akin_neighbors_rules *rules, const akin_vectors *vectors,
                                   const char *path, akin_row_block_rules *out) {
    const akin_labels *labels = akin_vectors_labels(vectors);
    if (rules->same_category && akin_labels_category_count(labels) == 0)
        return akin_error_option("same-category", "--same-category: no item of %s has a category%s",
                                 path, hint(path));
    if (rules->exclude_same_group && akin_labels_group_count(labels) == 0)
        return akin_error_option("exclude-same-group",
                                 "--exclude-same-group: no item of %s has a group%s", path,
                                 hint(path));
    float least = (float)rules->min_score;
    if (least < rules->min_score) least = nextafterf(least, INFINITY);
    *out = (akin_row_block_rules){.same_category = rules->same_category,
                                  .exclude_same_group = rules->exclude_same_group,
                                  .only_available = rules->only_available,
                                  .min_score = least};
    return AKIN_OK;
}

akin_status akin_neighbors_check(const akin_neighbors_params *params, const akin_vectors *vectors) {
    const akin_refine_params *refine = &params->refine;
    const char *path = params->input;
    if (refine->fill && akin_labels_category_count(akin_vectors_labels(vectors)) == 0)
        return akin_error_option("fill", "--fill category: no item of %s has a category%s", path,
                                 hint(path));
    if (params->by_group && akin_labels_group_count(akin_vectors_labels(vectors)) == 0)
        return akin_error_option("by", "--by group: no item of %s has a group%s", path, hint(path));
    return AKIN_OK;
}

void akin_neighbors_tell_short(const akin_neighbors_params *p, const akin_neighbors_figures *f) {
    size_t rows = p->by_group ? f->products : f->items, targets = p->against ? f->targets : rows,
           most = p->against ? targets
                  : rows > 0 ? rows - 1
                             : 0;
    if (p->k > most && !p->aside)
        akin_log_info("neighbors: k = %zu: no list can have more than %zu neighbour%s, of %zu %s%s",
                      p->k, most, AKIN_PLURAL(most), targets, p->by_group ? "product" : "item",
                      AKIN_PLURAL(targets));
}

/* --- rows that cannot be compared --- */

enum { NAMED = 3 }; /* rows */

/* "row 7, row 8 of base.nc": the first of `count` rows, in the order of the ranks. */
static akin_status name_rows(const akin_neighbors_params *p, const akin_vectors *v,
                             const int64_t *rows, size_t count, akin_text *out) {
    akin_status status = AKIN_OK;
    const int64_t sources = (int64_t)akin_vectors_sources(v);
    for (size_t i = 0; i < count && i < NAMED; i++) {
        bool other = rows[i] >= sources;
        AKIN_TRY(akin_text_append(out, "%srow %lld%s%s", i > 0 ? ", " : "",
                                  (long long)(other ? rows[i] - sources : rows[i]),
                                  other ? " of " : "", other ? p->against : ""));
    }
done:
    return status;
}

akin_status akin_neighbors_tell_unusable(akin_comm *comm, const akin_neighbors_params *p,
                                         const akin_vectors *v) {
    akin_status status = AKIN_OK;
    const size_t unusable = akin_vectors_unusable(v);
    int64_t mine[NAMED], *all = NULL;
    size_t found = 0, named = unusable < NAMED ? unusable : NAMED;
    akin_text *rows = NULL;
    if (unusable == 0) return AKIN_OK;
    for (size_t i = 0; i < akin_vectors_count(v) && found < NAMED; i++)
        if (!akin_vectors_usable(v, i)) mine[found++] = (int64_t)(akin_vectors_first(v) + i);
    AKIN_TRY(akin_comm_gather(comm, mine, found * sizeof *mine, -1, (void **)&all, NULL));
    AKIN_TRY(akin_agree(comm, akin_text_create(&rows)));
    AKIN_TRY(akin_agree(comm, name_rows(p, v, all, named, rows)));
    akin_log_warning("%s: %zu row%s zero or not finite and get%s no neighbours: %s%s "
                     "(counted from 0)",
                     p->input, unusable, unusable == 1 ? " is" : "s are", unusable == 1 ? "s" : "",
                     akin_text_bytes(rows), unusable > NAMED ? " and others" : "");
done:
    akin_text_free(rows);
    akin_mem_free(all);
    return status;
}
