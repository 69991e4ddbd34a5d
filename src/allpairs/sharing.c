/* sharing: which panels share a mean. */
#include "sharing.h"
#include <akin/sketch.h>

enum { PANEL = AKIN_SKETCH_PANEL, SHARE = AKIN_SHARING_PANELS, PART = 256, TRIALS = 16 };

/* The most that the square of a mean's length may lose on average. */
static const double most_lost = 0.12;

/* The squares of the mean of SHARE panels and, on average, of their own, over some dimensions. */
static void add_squares(const float *rows, size_t stride, size_t count, double *shared,
                        double *own) {
    float sum[PART] = {0};
    for (size_t p = 0; p < SHARE; p++) {
        float panel[PART] = {0};
        for (size_t i = p * PANEL; i < (p + 1) * PANEL; i++)
            for (size_t t = 0; t < count; t++) panel[t] += rows[i * stride + t];
        for (size_t t = 0; t < count; t++) {
            sum[t] += panel[t];
            *own += (double)panel[t] * panel[t] / (PANEL * PANEL * SHARE);
        }
    }
    for (size_t t = 0; t < count; t++)
        *shared += (double)sum[t] * sum[t] / (PANEL * PANEL * SHARE * SHARE);
}

size_t akin_sharing_choose(const float *rows, size_t count, size_t stride) {
    const size_t groups = count / (SHARE * PANEL), trials = groups < TRIALS ? groups : TRIALS;
    double shared = 0, own = 0;
    if (stride < AKIN_SHARING_FROM) return 1;
    for (size_t i = 0; i < trials; i++) {
        const float *first = rows + i * groups / trials * SHARE * PANEL * stride;
        for (size_t t = 0; t < stride; t += PART)
            add_squares(first + t, stride, stride - t < PART ? stride - t : PART, &shared, &own);
    }
    return own - shared <= most_lost * (double)trials ? SHARE : 1;
}
