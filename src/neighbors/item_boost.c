/* item_boost: boosts the scores of items. */
#include "item_boost.h"
#include <akin/mem.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *x, const void *y) {
    float a = *(const float *)x, b = *(const float *)y;
    return (a > b) - (a < b);
}

/* The number of values that are smaller, or not larger. */
static size_t count_below(const float *sorted, size_t count, float number, bool or_same) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < number || (or_same && sorted[middle] == number))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

akin_item_boost_span akin_item_boost_of(const akin_vectors *vectors) {
    bool all = akin_vectors_sources(vectors) == akin_vectors_items(vectors);
    return (akin_item_boost_span){all ? 0 : akin_vectors_own_sources(vectors),
                                  akin_vectors_count(vectors)};
}

static float number_at(const akin_item_attribute *a, size_t item) {
    int32_t bits = akin_item_attribute_value(a, item);
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* The values of all items that have one, ascending; owned. Collective; agreed. */
static akin_status gather_numbers(akin_comm *comm, akin_item_boost_span span,
                                  const akin_item_attribute *a, float **out, size_t *count) {
    akin_status status;
    void *all = NULL;
    size_t found = 0, size = (size_t)akin_comm_size(comm);
    float *mine = akin_mem_alloc(span.count, sizeof *mine);
    size_t *offsets = akin_mem_alloc(size + 1, sizeof *offsets);
    AKIN_TRY(akin_agree(comm, mine && offsets ? AKIN_OK : AKIN_FAILED));
    for (size_t i = span.first; i < span.count; i++)
        if (!isnan(number_at(a, i))) mine[found++] = number_at(a, i);
    AKIN_TRY(akin_comm_gather(comm, mine, found * sizeof *mine, -1, &all, offsets));
    *out = all, *count = offsets[size] / sizeof *mine;
    qsort(*out, *count, sizeof **out, ascending);
done:
    akin_mem_free(mine);
    akin_mem_free(offsets);
    return status;
}

static double rank_of(const float *sorted, size_t count, float number) {
    if (isnan(number) || count < 2) return 0;
    size_t smaller = count_below(sorted, count, number, false),
           same = count_below(sorted, count, number, true) - smaller - 1; /* other values */
    return ((double)smaller + (double)same / 2) / (double)(count - 1);
}

akin_status akin_item_boost_add(akin_comm *comm, akin_item_boost_span span,
                                const akin_item_boost *boosts, size_t count, float *offset) {
    akin_status status = AKIN_OK;
    float *sorted = NULL;
    size_t numbers = 0;
    double *sums = akin_mem_zalloc(span.count, sizeof *sums);
    AKIN_TRY(akin_agree(comm, sums ? AKIN_OK : AKIN_FAILED));
    for (size_t b = 0; b < count; b++) {
        AKIN_TRY(gather_numbers(comm, span, &boosts[b].attribute, &sorted, &numbers));
        for (size_t i = span.first; i < span.count; i++)
            sums[i] +=
                boosts[b].weight * rank_of(sorted, numbers, number_at(&boosts[b].attribute, i));
        akin_mem_free(sorted);
        sorted = NULL;
    }
    for (size_t i = 0; i < span.count; i++) offset[i] = (float)((double)offset[i] + sums[i]);
done:
    akin_mem_free(sums);
    return status;
}
