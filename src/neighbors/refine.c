/* refine: turns exact lists into the lists of a table. */
#include "refine.h"
#include "backfill.h"
#include "calibrate.h"
#include "diversity.h"
#include "duplicates.h"
#include <akin/mem.h>
#include <akin/topk.h>
#include <math.h>
#include <string.h>

enum { POOL_TIMES = 3 };

bool akin_refine_asked(const akin_refine_params *params) {
    return params->diverse || params->collapse || params->fill || params->calibrated;
}

size_t akin_refine_pool(const akin_refine_params *params, size_t k) {
    if (!params->diverse && !params->collapse) return k;
    if (params->pool > 0) return params->pool > k ? params->pool : k;
    size_t pool = POOL_TIMES * k;
    return pool <= AKIN_TOPK_MAX ? pool : k > AKIN_TOPK_MAX ? k : AKIN_TOPK_MAX;
}

/* Converts keys [count, pool] to columns, the first k of each list. */
static akin_status spread(const uint64_t *lists, size_t pool, size_t count, size_t k,
                          akin_refined *out) {
    out->neighbor = akin_mem_alloc(count, k * sizeof *out->neighbor);
    out->score = akin_mem_alloc(count, k * sizeof *out->score);
    out->counts = akin_mem_alloc(count, sizeof *out->counts);
    if (!out->neighbor || !out->score || !out->counts) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) {
        out->counts[i] = 0;
        for (size_t e = 0; e < k; e++) {
            uint64_t key = e < pool ? lists[i * pool + e] : 0;
            out->neighbor[i * k + e] = key != 0 ? akin_topk_row(key) : -1;
            out->score[i * k + e] = key != 0 ? akin_topk_score(key) : 0;
            out->counts[i] += key != 0;
        }
    }
    return AKIN_OK;
}

typedef struct {
    akin_comm *comm;
    const akin_vectors *vectors;
    const akin_row_block_rules *rules;
    const akin_refine_params *params;
    size_t k, pool;  /* pool: of the lists here */
    uint64_t *lists; /* [count, pool] */
    akin_refined *out;
} refinement;

static akin_status copy_lists(refinement *r, const uint64_t *lists, size_t stride) {
    size_t count = akin_vectors_count(r->vectors);
    r->lists = akin_mem_alloc(count, r->pool * sizeof *r->lists);
    if (!r->lists) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++)
        memcpy(r->lists + i * r->pool, lists + i * stride, r->pool * sizeof *r->lists);
    return AKIN_OK;
}

float akin_refine_least(const akin_refine_params *params) {
    float least = (float)params->duplicates;
    return least < params->duplicates ? nextafterf(least, INFINITY) : least;
}

/* Uses the given duplicates, or finds them in the lists. Collective; agreed. */
static akin_status find_duplicates(refinement *r, const int32_t *given) {
    size_t n = akin_vectors_items(r->vectors);
    const akin_duplicates_source from = {.vectors = r->vectors,
                                         .rules = r->rules,
                                         .least = akin_refine_least(r->params),
                                         .n = n,
                                         .first = akin_vectors_first(r->vectors),
                                         .count = akin_vectors_count(r->vectors),
                                         .lists = r->lists,
                                         .pool = r->pool};
    if (!given) return akin_duplicates_find(r->comm, &from, &r->out->duplicates_of);
    int32_t *of = r->out->duplicates_of = akin_mem_alloc(n, sizeof *of);
    if (of) memcpy(of, given, n * sizeof *given);
    return akin_agree(r->comm, of ? AKIN_OK : AKIN_FAILED);
}

/* Collective; agreed. */
static akin_status collapse(refinement *r, const int32_t *given) {
    akin_status status;
    int64_t duplicates = 0;
    size_t count = akin_vectors_count(r->vectors), need = r->k < r->pool ? r->k : r->pool;
    AKIN_TRY(find_duplicates(r, given));
    const akin_duplicates_lists lists = {r->lists, r->pool, need};
    AKIN_TRY(akin_duplicates_collapse(r->comm, r->vectors, r->rules, r->out->duplicates_of, &lists,
                                      &r->out->sought));
    r->out->duplicate_of = akin_mem_alloc(count, sizeof *r->out->duplicate_of);
    AKIN_TRY(akin_agree(r->comm, r->out->duplicate_of ? AKIN_OK : AKIN_FAILED));
    memcpy(r->out->duplicate_of, r->out->duplicates_of + akin_vectors_first(r->vectors),
           count * sizeof *r->out->duplicate_of);
    for (size_t i = 0; i < count; i++) duplicates += r->out->duplicate_of[i] >= 0;
    akin_comm_sum_i64(r->comm, &duplicates, 1);
    r->out->duplicates = (size_t)duplicates;
done:
    return status;
}

akin_status akin_refine(akin_comm *comm, const akin_vectors *vectors,
                        const akin_row_block_rules *rules, const akin_refine_params *params,
                        size_t k, akin_refine_lists lists, akin_refined *out) {
    akin_status status;
    size_t pool = akin_refine_pool(params, k);
    refinement r = {.comm = comm,
                    .vectors = vectors,
                    .rules = rules,
                    .params = params,
                    .k = k,
                    .pool = pool < lists.stride ? pool : lists.stride,
                    .out = out};
    *out = (akin_refined){0};
    if (!akin_refine_asked(params))
        return akin_agree(comm,
                          spread(lists.keys, lists.stride, akin_vectors_count(vectors), k, out));
    AKIN_TRY(akin_agree(comm, copy_lists(&r, lists.keys, lists.stride)));
    if (params->collapse) AKIN_TRY(collapse(&r, lists.duplicate_of));
    if (params->diverse)
        AKIN_TRY(akin_diversity(comm, vectors, params->lambda, k, r.pool, r.lists));
    status = akin_agree(comm, spread(r.lists, r.pool, akin_vectors_count(vectors), k, out));
done:
    akin_mem_free(r.lists);
    return status;
}

/* --- after the lists have been chosen --- */

typedef struct {
    akin_comm *comm;
    const akin_vectors *vectors;
    const akin_row_block_rules *rules;
    const akin_item_rules *item_rules;
    size_t k;
    akin_refined *out;
} finishing;

static akin_status fill(const finishing *r) {
    akin_status status;
    int64_t fills = 0;
    size_t count = akin_vectors_count(r->vectors);
    akin_refined *out = r->out;
    out->filled = akin_mem_alloc(count, sizeof *out->filled);
    AKIN_TRY(akin_agree(r->comm, out->filled ? AKIN_OK : AKIN_FAILED));
    const akin_backfill_lists lists = {r->k,        out->neighbor, out->score,
                                       out->counts, out->filled,   r->item_rules};
    AKIN_TRY(akin_backfill(r->comm, r->vectors, r->rules, r->out->duplicates_of, &lists));
    for (size_t i = 0; i < count; i++) fills += out->filled[i];
    akin_comm_sum_i64(r->comm, &fills, 1);
    out->fills = (size_t)fills;
done:
    return status;
}

static akin_status calibrate(const finishing *r) {
    akin_refined *out = r->out;
    akin_status status = akin_calibrate(r->comm, r->vectors, &out->calibration);
    for (size_t i = 0; status == AKIN_OK && i < akin_vectors_count(r->vectors); i++)
        for (size_t e = 0; e < (size_t)out->counts[i]; e++)
            out->score[i * r->k + e] =
                akin_calibration_share(out->calibration, out->score[i * r->k + e]);
    return status;
}

akin_status akin_refine_finish(akin_comm *comm, const akin_vectors *vectors,
                               const akin_row_block_rules *rules, const akin_item_rules *item_rules,
                               const akin_refine_params *params, size_t k, akin_refined *out) {
    akin_status status = AKIN_OK;
    const finishing f = {comm, vectors, rules, item_rules, k, out};
    if (params->fill) AKIN_TRY(fill(&f));
    if (params->calibrated) AKIN_TRY(calibrate(&f));
done:
    return status;
}

void akin_refined_free(akin_refined *refined) {
    akin_mem_free(refined->neighbor);
    akin_mem_free(refined->score);
    akin_mem_free(refined->counts);
    akin_mem_free(refined->filled);
    akin_mem_free(refined->pinned);
    akin_mem_free(refined->duplicate_of);
    akin_mem_free(refined->duplicates_of);
    akin_calibration_free(refined->calibration);
    *refined = (akin_refined){0};
}
