/* Compiled without the sanitizers, under which scoring every pair took most of the tests' time. */
#include "naive_neighbors.h"
#include <akin/rng.h>
#include <math.h>
#include <string.h>

static double naive_value(int kind, uint32_t seed, size_t n, size_t dim, size_t i, size_t t) {
    double noise = akin_rng_normal(seed, AKIN_RNG_TEST, 1, i * dim + t);
    size_t pool = i % (n / 8 + 1);
    switch (kind) {
    case NAIVE_CLUSTERED:
        return akin_rng_normal(seed, AKIN_RNG_TEST, 2, i % 5 * dim + t) + 0.05 * noise;
    case NAIVE_DUPLICATED: return akin_rng_normal(seed, AKIN_RNG_TEST, 3, pool * dim + t);
    case NAIVE_TIED:
        if (dim < 4) return t == i % dim ? (i & 8 ? 1 : -1) : 0;
        return (t + 4 * dim - i % 3) % dim < 4
                   ? (akin_rng_bits(seed, AKIN_RNG_TEST, 4, i * dim + t) & 1 ? 0.5 : -0.5)
                   : 0;
    case NAIVE_NEARLY_ONE:
        return (i % 4 == 3 ? -1 : 1) *
               (akin_rng_normal(seed, AKIN_RNG_TEST, 5, t) + (i % 3 ? 1e-7 * noise : 0));
    default: return noise;
    }
}

naive_catalogue naive_create(int kind, uint32_t seed, size_t n, size_t dim) {
    naive_catalogue c = {n, dim, malloc((n * dim + 1) * sizeof(float)),
                         malloc((n + 1) * sizeof(akin_row_block_item))};
    for (size_t i = 0; i < n; i++) {
        double length = 0;
        for (size_t t = 0; t < dim; t++) {
            c.rows[i * dim + t] = (float)naive_value(kind, seed, n, dim, i, t);
            length += (double)c.rows[i * dim + t] * c.rows[i * dim + t];
        }
        for (size_t t = 0; t < dim; t++)
            c.rows[i * dim + t] = (float)(c.rows[i * dim + t] / sqrt(length)) + 0.0f;
        uint64_t bits = akin_rng_bits(seed, AKIN_RNG_TEST, 6, i);
        int32_t category = bits % 8 == 0  ? -1
                           : bits % 8 < 5 ? 0
                                          : (int32_t)(bits % 8) - 4; /* one is half of all */
        int32_t group = bits >> 8 & 1 ? (int32_t)(bits >> 9) & 7 : -1;
        c.items[i] = (akin_row_block_item){.row = (int32_t)i,
                                           .category = category,
                                           .group = group,
                                           .available = (bits >> 20) % 4 != 0};
    }
    return c;
}

void naive_free(naive_catalogue *c) {
    free(c->rows);
    free(c->items);
}

/* Inlined if the CPU has the instruction: a call of fmaf() for each number takes ten times as long.
 */
__attribute__((target_clones("fma", "default"))) float naive_product(const float *a, const float *b,
                                                                     size_t dim) {
    float s[16] = {0};
    for (size_t t = 0; t < dim; t++) s[t % 16] = fmaf(a[t], b[t], s[t % 16]);
    for (size_t half = 8; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++) s[l] = s[l] + s[l + half];
    return s[0];
}

float naive_score(const naive_catalogue *c, size_t i, size_t j) {
    const float *a = c->rows + i * c->dim, *b = c->rows + j * c->dim;
    if (memcmp(a, b, c->dim * sizeof *a) == 0) return 1;
    float sum = naive_product(a, b, c->dim);
    return (sum > 1 ? 1 : sum < -1 ? -1 : sum) + 0.0f;
}

static int naive_better_first(const void *x, const void *y) {
    uint64_t a, b;
    memcpy(&a, x, sizeof a);
    memcpy(&b, y, sizeof b);
    return a < b ? 1 : a > b ? -1 : 0;
}

void naive_list(const naive_catalogue *c, const akin_row_block_rules *rules, const uint8_t *usable,
                size_t i, size_t k, uint64_t *list) {
    uint64_t *all = calloc(c->n + k, sizeof *all);
    const akin_row_block_item *a = &c->items[i];
    for (size_t j = 0; j < c->n; j++) {
        const akin_row_block_item *b = &c->items[j];
        if (i == j || (usable && !(usable[i] && usable[j]))) continue;
        if (rules->same_category && (a->category < 0 || a->category != b->category)) continue;
        if (rules->exclude_same_group && a->group >= 0 && a->group == b->group) continue;
        if (rules->more &&
            !akin_row_rules_allow(rules->more, a->row, &a->values, b->row, &b->values))
            continue;
        if (rules->only_available && !b->available) continue;
        float score = naive_score(c, i, j);
        if (score >= rules->min_score) all[j] = akin_topk_key(score, (int32_t)j);
    }
    qsort(all, c->n + k, sizeof *all, naive_better_first);
    memcpy(list, all, k * sizeof *list);
    free(all);
}
