/* cluster: orders rows so that similar ones are adjacent. */
#include "cluster.h"
#include <akin/dot.h>
#include <akin/mem.h>
#include <akin/rng.h>
#include <akin/sketch.h>
#include <string.h>

enum {
    PANEL = AKIN_SKETCH_PANEL,
    SAMPLE = 128,
    TRIES = 24,
    STEPS = 2,
    AHEAD = 2 /* rows that are fetched before they are multiplied */
};

typedef struct {
    float value;
    uint32_t row;
} place;

typedef struct {
    const float *rows;
    size_t stride;
    place *places;
    float *plane, *means[2]; /* [stride] */
} bisection;

static float product(const bisection *b, const float *x, const float *y) {
    float out;
    akin_dot()->one_many(x, y, b->stride, 1, &out);
    return out;
}

static const float *row_of(const bisection *b, uint32_t row) {
    return b->rows + row * b->stride;
}

/* Rows are read in no order of memory. */
static void fetch(const bisection *b, uint32_t row) {
    enum { LINE = 64 };
    const char *from = (const char *)row_of(b, row);
    for (size_t at = 0; at < b->stride * sizeof(float); at += LINE)
        __builtin_prefetch(from + at, 0, 2);
}

/* The plane's normal is the vector from one row to another that is far from it. */
static void begin_plane(bisection *b, const uint32_t *order, size_t count) {
    const float *one = row_of(b, order[akin_rng_bits(1, AKIN_RNG_ORDER, 1, order[0]) % count]),
                *other = one;
    float least = 2;
    for (uint64_t i = 0; i < TRIES; i++) {
        const float *row =
            row_of(b, order[akin_rng_bits(2 + i, AKIN_RNG_ORDER, 1, order[0]) % count]);
        float score = product(b, one, row);
        if (score < least) least = score, other = row;
    }
    for (size_t t = 0; t < b->stride; t++) b->plane[t] = other[t] - one[t];
}

/* The plane half-way between the means of the sample's two sides. Returns its distance from the
 * origin, times the normal's length. */
static float better_plane(bisection *b, const uint32_t *order, size_t count, float distance) {
    size_t sample = count < SAMPLE ? count : SAMPLE, sizes[2] = {0, 0};
    for (int s = 0; s < 2; s++) memset(b->means[s], 0, b->stride * sizeof(float));
    for (size_t i = 0; i < sample; i++) {
        const float *row = row_of(b, order[i * count / sample]);
        int side = product(b, b->plane, row) >= distance;
        sizes[side]++;
        for (size_t t = 0; t < b->stride; t++) b->means[side][t] += row[t];
    }
    if (sizes[0] == 0 || sizes[1] == 0) return distance;
    float sum = 0;
    for (size_t t = 0; t < b->stride; t++) {
        float x = b->means[0][t] / (float)sizes[0], y = b->means[1][t] / (float)sizes[1];
        b->plane[t] = y - x;
        sum += (y - x) * (y + x) / 2;
    }
    return sum;
}

/* Moves the `first` positions with the smallest value to the front (Hoare 1961, "Algorithm 65:
 * find"). */
static void select_front(place *places, size_t count, size_t first) {
    size_t low = 0, high = count - 1;
    while (low < high) {
        float pivot = places[low + (high - low) / 2].value;
        size_t i = low, j = high;
        for (;; i++, j--) {
            while (places[i].value < pivot) i++;
            while (places[j].value > pivot) j--;
            if (i >= j) break;
            place swap = places[i];
            places[i] = places[j], places[j] = swap;
        }
        if (j >= first)
            high = j;
        else
            low = j + 1;
    }
}

static void bisect(bisection *b, uint32_t *order, size_t count) {
    while (count > PANEL) {
        size_t half = (count / 2 + PANEL - 1) / PANEL * PANEL;
        float distance = 0;
        begin_plane(b, order, count);
        for (int step = 0; step < STEPS; step++) distance = better_plane(b, order, count, distance);
        for (size_t i = 0; i < count; i++) {
            if (i + AHEAD < count) fetch(b, order[i + AHEAD]);
            b->places[i] = (place){product(b, b->plane, row_of(b, order[i])), order[i]};
        }
        select_front(b->places, count, half);
        for (size_t i = 0; i < count; i++) order[i] = b->places[i].row;
        bisect(b, order, half);
        order += half, count -= half;
    }
}

akin_status akin_cluster_order(const float *rows, size_t stride, uint32_t *order, size_t count) {
    akin_status status = AKIN_FAILED;
    bisection b = {.rows = rows, .stride = stride};
    float *room = akin_mem_alloc(3 * stride, sizeof *room);
    if (room == NULL || (b.places = akin_mem_alloc(count, sizeof *b.places)) == NULL) goto done;
    b.plane = room, b.means[0] = room + stride, b.means[1] = room + 2 * stride;
    bisect(&b, order, count);
    status = AKIN_OK;
done:
    akin_mem_free(room);
    akin_mem_free(b.places);
    return status;
}
