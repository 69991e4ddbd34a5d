/* leading: the dimensions of long rows that decide most. */
#include "leading.h"
#include <akin/mem.h>
#include <akin/sketch.h>
#include <string.h>

enum { LOST = 4 }; /* dimensions that are left out, at most: all pairs pay for them (row_lead.c) */

/* Dimensions that follow each other in the order, and so are about as large, are put among different numbers that
 * are turned together (sketch.h): each group of those then has about the same share of a row. */
static void spread(const uint32_t *order, size_t count, size_t width, uint32_t *from) {
    const size_t together = 8 * akin_sketch_turned(width), groups = width / together;
    for (size_t i = 0; i < width; i++)
        from[i % groups * together + i / groups] = i < count ? order[i] : UINT32_MAX;
}

akin_status akin_leading_create(const uint32_t *order, size_t stride, size_t count,
                                akin_leading **out) {
    const size_t others = stride - (count - 1), few = others % 64 <= LOST ? others % 64 : 0,
                 tail = (others - few + 63) / 64 * 64;
    akin_leading *l = akin_mem_alloc(1, sizeof *l);
    *out = NULL;
    if (l == NULL) return AKIN_FAILED;
    *l = (akin_leading){.stride = stride,
                        .count = count,
                        .tail = tail,
                        .lost = few,
                        .least_mean = AKIN_SKETCH_LEAST_MEAN};
    if ((l->from = akin_mem_alloc(count + tail + few, sizeof *l->from)) == NULL) {
        akin_leading_free(l);
        return AKIN_FAILED;
    }
    spread(order, count - 1, count, l->from);
    spread(order + count - 1, others - few, tail, l->from + count);
    memcpy(l->from + count + tail, order + stride - few, few * sizeof *l->from);
    while (l->from[l->place] != UINT32_MAX) l->place++;
    *out = l;
    return AKIN_OK;
}

void akin_leading_free(akin_leading *leading) {
    if (leading == NULL) return;
    akin_mem_free(leading->from);
    akin_mem_free(leading);
}

static void gather(const uint32_t *from, size_t count, const float *row, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = from[i] != UINT32_MAX ? row[from[i]] : 0;
}

void akin_leading_part(const akin_leading *l, const float *row, float *numbers, float *tail) {
    gather(l->from, l->count, row, numbers);
    gather(l->from + l->count, l->tail + l->lost, row, tail);
}

void akin_leading_cut(const akin_leading *l, float *row) {
    for (size_t i = l->count; i < l->count + l->tail + l->lost; i++)
        if (l->from[i] != UINT32_MAX) row[l->from[i]] = 0;
}

void akin_leading_mean(const akin_leading *l, float *mean) {
    double square = 0;
    akin_leading_cut(l, mean);
    for (size_t t = 0; t < l->stride; t++) square += (double)mean[t] * mean[t];
    if (square < l->least_mean) memset(mean, 0, l->stride * sizeof *mean);
}
