/* product_calibrate: calibrated scores in lists between products. */
#include "product_calibrate.h"
#include "calibrate.h"
#include "product_means.h"
#include "remote_rows.h"
#include <akin/mem.h>

enum { AT_ONCE_MIB = 16 };

typedef struct {
    akin_comm *comm;
    const akin_product_scores *from;
    akin_calibrate_pair *pairs; /* [count]: of products that have usable pictures */
    size_t count;
    float *scores; /* [count] */
} sample;

static akin_status draw(sample *s) {
    const akin_products *products = s->from->products;
    const akin_product_span mine = akin_products_shard(s->comm, products->sources);
    const akin_calibrate_rows rows = {products->count, products->sources.count, mine.first,
                                      mine.first + mine.count};
    size_t drawn = akin_calibrate_pairs(&rows, NULL);
    s->pairs = akin_mem_alloc(drawn, sizeof *s->pairs);
    s->scores = akin_mem_alloc(drawn, sizeof *s->scores);
    if (!s->pairs || !s->scores) return AKIN_FAILED;
    (void)akin_calibrate_pairs(&rows, s->pairs);
    for (size_t p = 0; p < drawn; p++)
        if (products->shown[s->pairs[p].own] && products->shown[s->pairs[p].other])
            s->pairs[s->count++] = s->pairs[p];
    return AKIN_OK;
}

/* --- means --- */

/* Pairs [first, end). Collective; agreed. */
static akin_status score_some(const sample *s, akin_remote_rows *fetch, int32_t *wanted,
                              size_t first, size_t end) {
    const akin_products *products = s->from->products;
    int32_t shift = (int32_t)(products->sources.count - products->targets.first);
    size_t count = 0, stride = akin_remote_rows_stride(fetch);
    for (size_t p = first; p < end; p++) {
        wanted[count++] = s->pairs[p].own;
        wanted[count++] = s->pairs[p].other + shift;
    }
    akin_status status = akin_remote_rows_bring(fetch, wanted, count);
    for (size_t p = first; p < end && status == AKIN_OK; p++)
        s->scores[p] =
            akin_remote_rows_score(akin_remote_rows_get(fetch, s->pairs[p].own),
                                   akin_remote_rows_get(fetch, s->pairs[p].other + shift), stride);
    return status;
}

/* Collective; agreed. */
static akin_status score_means(const sample *s) {
    akin_status status;
    akin_remote_rows *fetch = NULL;
    int32_t *wanted = NULL;
    size_t batch = 1;
    akin_status local = akin_remote_rows_create(s->comm, s->from->means, &fetch);
    if (local == AKIN_OK) {
        batch = akin_remote_rows_most(fetch, AT_ONCE_MIB) / 2 + 1;
        wanted = akin_mem_alloc(2 * batch, sizeof *wanted);
        if (!wanted) local = AKIN_FAILED;
    }
    AKIN_TRY(akin_agree(s->comm, local));
    const size_t rounds = akin_comm_rounds(s->comm, s->count, batch);
    for (size_t r = 0; r < rounds; r++) {
        size_t first = r * batch < s->count ? r * batch : s->count;
        AKIN_TRY(score_some(s, fetch, wanted, first,
                            s->count - first < batch ? s->count : first + batch));
    }
done:
    akin_remote_rows_free(fetch);
    akin_mem_free(wanted);
    return status;
}

/* --- best pairs --- */

/* The largest number of pairs that a product has, on all ranks. Collective; agreed. */
static akin_status count_most(const sample *s, size_t *most) {
    const akin_product_span mine = akin_products_shard(s->comm, s->from->products->sources);
    size_t *counts = akin_mem_zalloc(mine.count, sizeof *counts);
    int64_t largest = 1;
    akin_status status = akin_agree(s->comm, counts ? AKIN_OK : AKIN_FAILED);
    for (size_t p = 0; p < s->count && status == AKIN_OK; p++) {
        int64_t count = (int64_t)++counts[(size_t)s->pairs[p].own - mine.first];
        if (count > largest) largest = count;
    }
    akin_mem_free(counts);
    if (status != AKIN_OK) return status;
    akin_comm_max_i64(s->comm, &largest, 1);
    *most = (size_t)largest;
    return AKIN_OK;
}

/* The pairs as lists, whose scores are then those of the best pairs. Collective; agreed. */
static akin_status score_best(const sample *s) {
    akin_status status;
    akin_product_lists lists = {0};
    size_t k = 0, at = 0;
    AKIN_TRY(count_most(s, &k));
    AKIN_TRY(akin_product_lists_create(s->comm, s->from->products, k, &lists));
    for (size_t p = 0; p < s->count; p++) {
        size_t own = (size_t)s->pairs[p].own - lists.first;
        lists.neighbor[own * k + (size_t)lists.held[own]++] = s->pairs[p].other;
    }
    AKIN_TRY(akin_product_means_pictures(s->comm, s->from->pictures, s->from->products, k,
                                         lists.held, &lists));
    for (size_t i = 0; i < lists.count; i++)
        for (size_t e = 0; e < (size_t)lists.held[i]; e++) s->scores[at++] = lists.score[i * k + e];
done:
    akin_product_lists_release(&lists);
    return status;
}

akin_status akin_product_calibrate(akin_comm *comm, const akin_product_scores *scores, size_t k,
                                   akin_product_lists *lists, akin_calibration **out) {
    akin_status status;
    sample s = {.comm = comm, .from = scores};
    *out = NULL;
    AKIN_TRY(akin_agree(comm, draw(&s)));
    AKIN_TRY(scores->means ? score_means(&s) : score_best(&s));
    AKIN_TRY(akin_calibrate_with(comm, s.scores, s.count, out));
    for (size_t i = 0; i < lists->count; i++)
        for (size_t e = i * k; e < i * k + (size_t)lists->held[i]; e++)
            lists->score[e] = akin_calibration_share(*out, lists->score[e]);
done:
    akin_mem_free(s.pairs);
    akin_mem_free(s.scores);
    return status;
}
