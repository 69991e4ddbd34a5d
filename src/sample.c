/* sample: thresholds that are tight from the start. Floor 1 (kernels); looks down to error, mem, dot, gemm, block. */
#include <akin/dot.h>
#include <akin/gemm.h>
#include <akin/mem.h>
#include <akin/sample.h>
#include <string.h>

enum {
    AT_ONCE = 2 * AKIN_BLOCK_PANEL, /* rows in a product of matrices */
    PER_ENTRY = 32,                 /* rows of the sample for an entry of a list */
    SHARE = 8                       /* at most this part of the block */
};
#define PRECISION 0x1p-10f

typedef struct {
    akin_block *block;
    const akin_block_rules *rules;
    size_t count, stride;
    float *rows;   /* [count, stride] */
    float *scores; /* [AT_ONCE, count] */
    float guess;
} sample;

static const float *row_of(const akin_block *block, size_t i) {
    return akin_block_view(block, i / AKIN_BLOCK_PANEL).rows + i % AKIN_BLOCK_PANEL * akin_block_stride(block);
}

/* Rows at equal distances, so that all clusters have their part; only such as may be neighbours. */
static void choose(sample *s, size_t wanted) {
    const akin_block_item *items = akin_block_items(s->block);
    for (size_t j = 0; j < wanted; j++) {
        size_t i = j * akin_block_count(s->block) / wanted;
        if (s->rules->only_available && !items[i].available) continue;
        memcpy(s->rows + s->count++ * s->stride, row_of(s->block, i), s->stride * sizeof *s->rows);
    }
}

/* A value that `rank` of the scores reach, at most PRECISION below the largest such. Rows that stand together ask for
 * about the same, so the search goes out from `guess`, in steps that double. */
static float reached_by(const float *scores, size_t count, size_t rank, float guess) {
    float low, high, step = 16 * PRECISION;
    if (akin_dot()->at_least(scores, count, guess) >= rank) {
        for (low = guess; akin_dot()->at_least(scores, count, high = low + step) >= rank; step *= 2) low = high;
    } else {
        for (high = guess; akin_dot()->at_least(scores, count, low = high - step) < rank; step *= 2) high = low;
    }
    while (high - low > PRECISION) {
        float middle = (low + high) / 2;
        if (akin_dot()->at_least(scores, count, middle) >= rank)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void raise_rows(sample *s, size_t first, size_t count) {
    size_t k = akin_block_k(s->block);
    float hidden = (float)(2 * akin_dot_bound(akin_block_dim(s->block)) + 0x1p-20);
    akin_gemm(false, true, count, s->count, s->stride, row_of(s->block, first), s->rows, false, s->scores);
    for (size_t i = 0; i < count; i++) {
        float score = s->guess = reached_by(s->scores + i * s->count, s->count, k + 1, s->guess);
        score -= hidden;
        if (score > -1) akin_block_raise(s->rules, s->block, first + i, score < 1 ? score : 1);
    }
}

akin_status akin_sample_raise(akin_block *block, const akin_block_rules *rules) {
    akin_status status = AKIN_FAILED;
    sample s = {.block = block, .rules = rules, .stride = akin_block_stride(block)};
    size_t n = akin_block_count(block), wanted = akin_block_k(block) * PER_ENTRY;
    if (rules->same_category || rules->exclude_same_group || rules->layers > 0) return AKIN_OK;
    if (wanted > n / SHARE) wanted = n / SHARE;
    if (wanted < 4 * akin_block_k(block)) return AKIN_OK;
    if ((s.rows = akin_mem_alloc(wanted, s.stride * sizeof *s.rows)) == NULL) goto done;
    if ((s.scores = akin_mem_alloc(wanted, AT_ONCE * sizeof *s.scores)) == NULL) goto done;
    choose(&s, wanted);
    for (size_t first = 0; first < n && s.count > akin_block_k(block); first += AT_ONCE)
        raise_rows(&s, first, first + AT_ONCE < n ? AT_ONCE : n - first);
    status = AKIN_OK;
done:
    akin_mem_free(s.rows);
    akin_mem_free(s.scores);
    return status;
}
