/* For tests of rows that are divided: some order of their dimensions, and rows that decay in it. */
#ifndef AKIN_TESTS_LEADING_ROWS_H
#define AKIN_TESTS_LEADING_ROWS_H

#include "allpairs/leading.h"
#include "allpairs/tile.h"
#include "levels.h"
#include <math.h>

enum { LEADING_MOST = 2048 /* dimensions */ };

/* Levels whose tiles tell what they found. */
#define FOR_EACH_LEADING(level)                                                                    \
    FOR_EACH_LEVEL(level)                                                                          \
    if (!akin_tile()->format.matrix)

static inline void leading_order(size_t stride, uint32_t *order) {
    enum { STEP = 2053 }; /* a prime, of which no stride is a multiple */
    for (size_t i = 0; i < stride; i++) order[i] = (uint32_t)((i * STEP + 5) % stride);
}

/* In that order. */
static inline akin_leading *leading_of(size_t stride, size_t count) {
    uint32_t order[LEADING_MOST];
    akin_leading *leading;
    leading_order(stride, order);
    if (akin_leading_create(order, stride, count, &leading) != AKIN_OK) abort();
    return leading;
}

static inline void leading_normalise(float *row, size_t dim) {
    double square = 0;
    for (size_t t = 0; t < dim; t++) square += (double)row[t] * row[t];
    for (size_t t = 0; t < dim; t++) row[t] = (float)(row[t] / sqrt(square)) + 0.0f;
}

/* Makes dimensions smaller the later they are in the order: by e each `range`. */
static inline void leading_decay(float *rows, size_t count, size_t dim, size_t stride,
                                 double range) {
    uint32_t order[LEADING_MOST];
    leading_order(stride, order);
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < stride; at++)
            if (order[at] < dim) rows[i * dim + order[at]] *= (float)exp(-(double)at / range);
        leading_normalise(rows + i * dim, dim);
    }
}

#endif
