/* neighbors: from unit rows to the table. Floor 3 (stages); looks down to error, mem, topk, block, file, comm, log,
 * vectors, table, allpairs. */
#include <akin/allpairs.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/neighbors.h>
#include <akin/table.h>
#include <akin/text.h>
#include <akin/topk.h>
#include <math.h>

akin_status akin_neighbors_resolve(const akin_neighbors_rules *rules, const akin_vectors *vectors, const char *path,
                                   akin_block_rules *out) {
    const akin_labels *labels = akin_vectors_labels(vectors);
    if (rules->same_category && akin_labels_category_count(labels) == 0)
        return akin_error_set(AKIN_USAGE, "--same-category: no item of %s has a category", path);
    if (rules->exclude_same_group && akin_labels_group_count(labels) == 0)
        return akin_error_set(AKIN_USAGE, "--exclude-same-group: no item of %s has a group", path);
    float least = (float)rules->min_score;
    if (least < rules->min_score) least = nextafterf(least, INFINITY);
    *out = (akin_block_rules){.same_category = rules->same_category,
                              .exclude_same_group = rules->exclude_same_group,
                              .only_available = rules->only_available,
                              .min_score = least};
    return AKIN_OK;
}

/* The lists of this rank's rows as the table has them. */
typedef struct {
    int32_t *neighbor; /* [count, k] */
    float *score;      /* [count, k] */
    int32_t *counts;   /* [count] */
} columns;

static akin_status spread(const uint64_t *lists, size_t listed, size_t count, size_t k, columns *out) {
    out->neighbor = akin_mem_alloc(count, k * sizeof *out->neighbor);
    out->score = akin_mem_alloc(count, k * sizeof *out->score);
    out->counts = akin_mem_alloc(count, sizeof *out->counts);
    if (out->neighbor == NULL || out->score == NULL || out->counts == NULL) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) {
        out->counts[i] = 0;
        for (size_t e = 0; e < k; e++) {
            uint64_t key = e < listed ? lists[i * listed + e] : 0;
            out->neighbor[i * k + e] = key != 0 ? akin_topk_row(key) : -1;
            out->score[i * k + e] = key != 0 ? akin_topk_score(key) : 0;
            out->counts[i] += key != 0;
        }
    }
    return AKIN_OK;
}

static void tell(const akin_neighbors_params *params, const akin_neighbors_figures *f) {
    double pairs = (double)f->items * (double)(f->items - 1);
    akin_log_info("neighbors: %zu item%s of %zu feature%s, %.3g pairs in %.3g s, %.3g pairs/s", f->items,
                  AKIN_PLURAL(f->items), f->dim, AKIN_PLURAL(f->dim), pairs, f->engine.seconds,
                  f->engine.seconds > 0 ? pairs / f->engine.seconds : 0);
    if (f->unusable > 0)
        akin_log_warning("%s: %zu row%s zero or not finite: no neighbours", params->input, f->unusable,
                         f->unusable == 1 ? " is" : "s are");
}

akin_status akin_neighbors(akin_comm *comm, const akin_neighbors_params *params, akin_neighbors_figures *out) {
    akin_status status;
    akin_vectors *vectors = NULL;
    akin_block_rules rules;
    uint64_t *lists = NULL;
    columns table = {0};
    *out = (akin_neighbors_figures){0};
    AKIN_TRY(akin_agree(comm, akin_comm_rank(comm) == 0 ? akin_file_check_output(params->output) : AKIN_OK));
    AKIN_TRY(akin_vectors_open(comm, params->input, params->ids, &vectors));
    AKIN_TRY(akin_agree(comm, akin_neighbors_resolve(&params->rules, vectors, params->input, &rules)));
    out->items = akin_vectors_items(vectors), out->dim = akin_vectors_dim(vectors);
    out->unusable = akin_vectors_unusable(vectors);
    const akin_allpairs_params all = {.k = params->k, .rules = &rules};
    AKIN_TRY(akin_allpairs(comm, vectors, &all, &lists, &out->engine));
    AKIN_TRY(akin_agree(comm, spread(lists, akin_allpairs_list(out->items, params->k), akin_vectors_count(vectors),
                                     params->k, &table)));
    const akin_table_origin origin = {params->options, params->result_options, akin_vectors_digest(vectors)};
    AKIN_TRY(akin_table_write(comm, params->output, &origin, out->items, params->k, akin_vectors_first(vectors),
                              akin_vectors_labels(vectors), table.neighbor, table.score, table.counts));
    tell(params, out);
done:
    akin_mem_free(table.neighbor);
    akin_mem_free(table.score);
    akin_mem_free(table.counts);
    akin_mem_free(lists);
    akin_vectors_free(vectors);
    return status;
}
