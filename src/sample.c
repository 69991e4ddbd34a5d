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

/* Rows [first, end) at equal distances, so that all clusters have their part; only such as may be neighbours. */
static void choose(sample *s, size_t first, size_t end, size_t wanted) {
    const akin_block_item *items = akin_block_items(s->block);
    s->count = 0;
    for (size_t j = 0; j < wanted; j++) {
        size_t i = first + j * (end - first) / wanted;
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

/* How many rows of so many to look at; 0: it does not pay. */
static size_t wanted_of(size_t rows, size_t k) {
    size_t wanted = k * PER_ENTRY < rows / SHARE ? k * PER_ENTRY : rows / SHARE;
    return wanted >= 4 * k ? wanted : 0;
}

/* The end of the rows from `first` on that may meet each other. */
static size_t end_of_run(const akin_block *block, const akin_block_rules *rules, size_t first) {
    const akin_block_item *items = akin_block_items(block);
    size_t n = akin_block_count(block), end = first + 1;
    if (!rules->same_category) return n;
    while (end < n && items[end].category == items[first].category) end++;
    return end;
}

akin_status akin_sample_raise(akin_block *block, const akin_block_rules *rules) {
    akin_status status = AKIN_FAILED;
    sample s = {.block = block, .rules = rules, .stride = akin_block_stride(block)};
    size_t n = akin_block_count(block), k = akin_block_k(block), most = wanted_of(n, k);
    if (rules->exclude_same_group || rules->layers > 0 || most == 0) return AKIN_OK;
    if ((s.rows = akin_mem_alloc(most, s.stride * sizeof *s.rows)) == NULL) goto done;
    if ((s.scores = akin_mem_alloc(most, AT_ONCE * sizeof *s.scores)) == NULL) goto done;
    for (size_t first = 0, end; first < n; first = end) {
        end = end_of_run(block, rules, first);
        choose(&s, first, end, wanted_of(end - first, k));
        for (size_t i = first; i < end && s.count > k; i += AT_ONCE)
            raise_rows(&s, i, i + AT_ONCE < end ? AT_ONCE : end - i);
    }
    status = AKIN_OK;
done:
    akin_mem_free(s.rows);
    akin_mem_free(s.scores);
    return status;
}
