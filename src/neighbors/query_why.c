/* query_why: why one item is, or is not, among the neighbours of another. */
#include "query_item.h"
#include <akin/allpairs.h>
#include <akin/compare.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <akin/query.h>
#include <akin/shard.h>
#include <akin/topk.h>
#include <math.h>
#include <string.h>

typedef struct {
    akin_comm *comm;
    const akin_query_params *params;
    akin_vectors *vectors;
    akin_query_asker who, other;
    akin_query_why *out;
} explanation;

/* The score as the engine computes it. Not collective. */
static akin_status score_pair(const explanation *e) {
    akin_status status = AKIN_OK;
    akin_row_block *one = NULL, *two = NULL;
    akin_compare *comparison = NULL;
    const akin_row_block_rules rules = {.min_score = -1};
    const size_t dim = akin_vectors_dim(e->vectors);
    e->out->cosine = NAN;
    if (!e->who.usable || !e->other.usable) return AKIN_OK;
    AKIN_TRY(akin_row_block_create(1, dim, 1, AKIN_ROW_BLOCK_ROWS, &one));
    AKIN_TRY(akin_row_block_create(1, dim, 0, AKIN_ROW_BLOCK_COLUMNS, &two));
    AKIN_TRY(akin_compare_create(&rules, &comparison));
    akin_row_block_begin(one, 1);
    akin_row_block_set(one, 0, e->who.item, e->who.row);
    akin_row_block_ready(one, &rules);
    akin_row_block_begin(two, 1);
    akin_row_block_set(two, 0, e->other.item, e->other.row);
    akin_row_block_ready(two, &rules);
    akin_compare_panels(comparison, one, 0, 1, two, 0, 1);
    uint64_t *list = akin_row_block_list(one, 0);
    akin_topk_sort(list, 1);
    e->out->cosine = akin_topk_score(list[0]);
done:
    akin_compare_free(comparison);
    akin_row_block_free(one);
    akin_row_block_free(two);
    return status;
}

/* Whether the other is available. Collective. */
static bool is_available(const explanation *e) {
    const size_t row = (size_t)e->other.item.row, first = akin_vectors_first(e->vectors);
    int64_t available = 0;
    if (row >= first && row - first < akin_vectors_count(e->vectors))
        available = akin_labels_available(akin_vectors_labels(e->vectors))[row - first];
    akin_comm_sum_i64(e->comm, &available, 1);
    return available != 0;
}

/* Collective. */
static void judge(explanation *e, const akin_row_block_rules *rules) {
    const akin_row_block_item a = e->who.item, b = e->other.item;
    const akin_query_verdict verdicts[AKIN_QUERY_RULES] = {
        {"same-category", rules->same_category, a.category >= 0 && a.category == b.category},
        {"exclude-same-group", rules->exclude_same_group, a.group < 0 || a.group != b.group},
        {"only-available", rules->only_available, is_available(e)},
        {"min-score", rules->min_score > -1, e->out->cosine >= (double)rules->min_score}};
    memcpy(e->out->rules, verdicts, sizeof verdicts);
}

/* The place of the other in a list of the item's, 0 = not in it. Collective; agreed. */
static akin_status rank_of(const explanation *e, const akin_row_block_rules *rules, size_t depth,
                           size_t *rank) {
    akin_status status;
    uint64_t *list = akin_mem_zalloc(depth, sizeof *list);
    akin_status local = list ? AKIN_OK : AKIN_FAILED;
    *rank = 0;
    if (local == AKIN_OK) local = akin_query_search(&e->who, e->vectors, rules, depth, list);
    AKIN_TRY(akin_agree(e->comm, local));
    AKIN_TRY(akin_query_merge(e->comm, depth, list));
    for (size_t i = 0; i < depth && list[i] && *rank == 0; i++)
        if (akin_topk_row(list[i]) == e->other.item.row) *rank = i + 1;
done:
    akin_mem_free(list);
    return status;
}

/* model.nc beside the embeddings, where it is the one that made them; owned, "" = none. Rank 0. */
static akin_status find_model(const explanation *e, char **out) {
    akin_ncfile *file = NULL;
    char *folder = akin_file_folder(e->params->input);
    *out = folder ? akin_file_join(folder, "model.nc") : NULL;
    akin_mem_free(folder);
    if (!*out) return AKIN_FAILED;
    bool fits = akin_file_exists(*out) && akin_ncfile_peek(*out, "model", &file) == AKIN_OK &&
                strcmp(akin_ncfile_digest(file), akin_vectors_model_digest(e->vectors)) == 0;
    akin_ncfile_close(file);
    akin_error_clear();
    if (!fits) **out = '\0';
    return AKIN_OK;
}

/* Collective; agreed. */
static akin_status share_parts(explanation *e) {
    akin_status status = AKIN_OK;
    akin_model *model = NULL;
    void *path = NULL;
    size_t length = 0;
    if (!e->params->model) {
        char *found = NULL;
        bool finds = akin_comm_rank(e->comm) == 0;
        AKIN_TRY(akin_agree(e->comm, finds ? find_model(e, &found) : AKIN_OK));
        path = found;
        length = found ? strlen(found) + 1 : 0;
        AKIN_TRY(akin_comm_share(e->comm, &path, &length, 0));
    }
    const char *name = e->params->model ? e->params->model : path;
    if (*name == '\0') goto done;
    AKIN_TRY(akin_model_read(e->comm, name, &model));
    akin_status local = AKIN_OK;
    if (akin_model_features(model)->dim != akin_vectors_dim(e->vectors) ||
        strcmp(akin_model_digest(model), akin_vectors_model_digest(e->vectors)) != 0) {
        if (e->params->model)
            local = akin_error_set(AKIN_INPUT, "%s was not made by the model %s alone",
                                   e->params->input, name);
    } else if (e->who.usable && e->other.usable) {
        local =
            akin_part_shares(model, e->who.row, e->other.row, e->out->parts, &e->out->part_count);
    }
    AKIN_TRY(akin_agree(e->comm, local));
done:
    akin_model_free(model);
    akin_mem_free(path);
    return status;
}

static akin_status explain(explanation *e) {
    akin_status status;
    akin_row_block_rules rules, none = {.min_score = -1};
    const akin_query_params *params = e->params;
    AKIN_TRY(akin_agree(e->comm,
                        akin_neighbors_resolve(&params->rules, e->vectors, params->input, &rules)));
    size_t n = akin_vectors_items(e->vectors);
    e->out->depth = n < AKIN_TOPK_MAX ? n : AKIN_TOPK_MAX;
    AKIN_TRY(akin_query_find_item(e->comm, params->input, params->id, e->vectors, &e->who));
    AKIN_TRY(akin_query_find_item(e->comm, params->input, params->why, e->vectors, &e->other));
    AKIN_TRY(akin_agree(e->comm, score_pair(e)));
    judge(e, &rules);
    AKIN_TRY(rank_of(e, &rules, e->out->depth, &e->out->rank));
    AKIN_TRY(rank_of(e, &none, e->out->depth, &e->out->rank_without_rules));
    status = share_parts(e);
done:
    return status;
}

akin_status akin_query_explain(akin_comm *comm, const akin_query_params *params,
                               akin_query_why *out) {
    akin_status status;
    explanation e = {.comm = comm, .params = params, .out = out};
    *out = (akin_query_why){.cosine = NAN};
    AKIN_TRY(akin_vectors_open(comm, params->input, params->ids, &e.vectors));
    e.who.row = akin_mem_zalloc(akin_vectors_dim(e.vectors), sizeof *e.who.row);
    e.other.row = akin_mem_zalloc(akin_vectors_dim(e.vectors), sizeof *e.other.row);
    AKIN_TRY(akin_agree(comm, e.who.row && e.other.row ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(explain(&e));
done:
    akin_mem_free(e.who.row);
    akin_mem_free(e.other.row);
    akin_vectors_free(e.vectors);
    return status;
}
