/* calibration: maps a cosine to the share of random pairs that are less alike. */
#include <akin/mem.h>
#include <akin/table.h>
#include <math.h>
#include <stdlib.h>

struct akin_calibration {
    size_t count;
    float *cosine; /* [count], ascending, distinct */
    double *share; /* [count] */
};

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void add(akin_calibration *c, float cosine, double share) {
    if (c->count > 0 && c->cosine[c->count - 1] == cosine) return;
    c->cosine[c->count] = cosine;
    c->share[c->count++] = share;
}

/* The index of the first value equal to that of index i: this many values are below it. */
static size_t below(const float *scores, size_t i) {
    size_t low = 0, high = i;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (scores[middle] < scores[i])
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The number of values up to and including that of index i. */
static size_t above(const float *scores, size_t count, size_t i) {
    size_t low = i, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (scores[middle] <= scores[i])
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

akin_status akin_calibration_create(float *scores, size_t count, akin_calibration **out) {
    const size_t most = 3 * AKIN_CALIBRATION_TAIL + 2;
    akin_calibration *c = akin_mem_zalloc(1, sizeof *c);
    *out = NULL;
    if (!c) return AKIN_FAILED;
    c->cosine = akin_mem_alloc(most, sizeof *c->cosine);
    c->share = akin_mem_alloc(most, sizeof *c->share);
    if (!c->cosine || !c->share) {
        akin_calibration_free(c);
        return AKIN_FAILED;
    }
    qsort(scores, count, sizeof *scores, ascending);
    size_t tail = count > AKIN_CALIBRATION_TAIL ? count - AKIN_CALIBRATION_TAIL : 0;
    size_t spread = tail < AKIN_CALIBRATION_TAIL ? tail : AKIN_CALIBRATION_TAIL;
    for (size_t s = 0; s < spread; s++) {
        size_t i = s * tail / spread, first = below(scores, i), next = (s + 1) * tail / spread;
        add(c, scores[i], (double)first / (double)count);
        /* A value that occurs many times is a step: it ends just above. */
        if (next < count && scores[next] > scores[i] && i - first > tail / spread)
            add(c, nextafterf(scores[i], 2), (double)above(scores, count, i) / (double)count);
    }
    for (size_t i = tail; i < count; i++)
        add(c, scores[i], (double)below(scores, i) / (double)count);
    add(c, 1, 1);
    *out = c;
    return AKIN_OK;
}

void akin_calibration_free(akin_calibration *c) {
    if (!c) return;
    akin_mem_free(c->cosine);
    akin_mem_free(c->share);
    akin_mem_free(c);
}

float akin_calibration_share(const akin_calibration *c, float cosine) {
    size_t low = 0, high = c->count; /* the first knot above it */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->cosine[middle] <= cosine)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return 0;
    double share = c->share[low - 1];
    if (low < c->count) {
        double step = (double)c->cosine[low] - (double)c->cosine[low - 1];
        share += (c->share[low] - share) * (((double)cosine - (double)c->cosine[low - 1]) / step);
    }
    return (float)share;
}

void akin_calibration_knots(const akin_calibration *c, size_t *count, const float **cosine,
                            const double **share) {
    *count = c->count;
    *cosine = c->cosine;
    *share = c->share;
}
