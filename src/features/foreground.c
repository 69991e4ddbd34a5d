/* foreground: the colours of a picture's foreground. */
#include "foreground.h"
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, PIXELS = SIDE * SIDE, BORDER = 4 * SIDE, LIGHTNESSES = 4, HUES = 6 };

static const float REACH = 70;    /* range of a and b in both directions */
static const float FLOOR = 0.05F; /* weight of the background */
static const float FAR = 12;      /* a clearly visible difference between colours */
static const float WIDE = 14;     /* pixels */

/* --- the colour space --- */

static float linear(uint8_t value) {
    float v = (float)value / 255;
    return v <= 0.04045F ? v / 12.92F : powf((v + 0.055F) / 1.055F, 2.4F);
}

static float bent(float t) {
    return t > 0.008856F ? cbrtf(t) : 7.787F * t + 16.0F / 116;
}

/* lab[0..2]: L, a, b of each pixel, [PIXELS]. */
static void to_lab(const uint8_t *picture, float lab[3][PIXELS]) {
    float table[256];
    for (int v = 0; v < 256; v++) table[v] = linear((uint8_t)v);
    for (size_t p = 0; p < PIXELS; p++) {
        float r = table[picture[3 * p]], g = table[picture[3 * p + 1]],
              b = table[picture[3 * p + 2]];
        float x = bent((0.4124F * r + 0.3576F * g + 0.1805F * b) / 0.9505F);
        float y = bent(0.2126F * r + 0.7152F * g + 0.0722F * b);
        float z = bent((0.0193F * r + 0.1192F * g + 0.9505F * b) / 1.089F);
        lab[0][p] = 116 * y - 16;
        lab[1][p] = 500 * (x - y);
        lab[2][p] = 200 * (y - z);
    }
}

/* --- the weight of a pixel --- */

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The median of the pixels of the sides; a corner belongs to two sides. */
static float background(const float *channel) {
    float border[BORDER];
    for (size_t i = 0; i < SIDE; i++) {
        border[4 * i] = channel[i];
        border[4 * i + 1] = channel[(SIDE - 1) * SIDE + i];
        border[4 * i + 2] = channel[i * SIDE];
        border[4 * i + 3] = channel[i * SIDE + SIDE - 1];
    }
    qsort(border, BORDER, sizeof *border, ascending);
    return (border[BORDER / 2 - 1] + border[BORDER / 2]) / 2;
}

/* weights [PIXELS], with sum one. */
static void weigh(float lab[3][PIXELS], float *weights) {
    float ground[3], middle[SIDE], total = 0;
    for (int c = 0; c < 3; c++) ground[c] = background(lab[c]);
    for (int i = 0; i < SIDE; i++)
        middle[i] = expf(-((float)i - 15.5F) * ((float)i - 15.5F) / (WIDE * WIDE));
    for (size_t p = 0; p < PIXELS; p++) {
        float square = 0;
        for (int c = 0; c < 3; c++) square += (lab[c][p] - ground[c]) * (lab[c][p] - ground[c]);
        weights[p] =
            (1 - expf(-square / (FAR * FAR)) + FLOOR) * middle[p / SIDE] * middle[p % SIDE];
        total += weights[p];
    }
    for (size_t p = 0; p < PIXELS; p++) weights[p] /= total;
}

/* --- the histogram --- */

/* `at` in [0, 1] among bins whose centres range from 0 to 1: the lower bin and the share of the
 * upper one. */
static float between(float at, int bins, int *low) {
    float place = fminf(1, fmaxf(0, at)) * (float)(bins - 1);
    *low = (int)place < bins - 1 ? (int)place : bins - 2;
    return place - (float)*low;
}

void akin_foreground(const uint8_t *picture, float *shares) {
    float lab[3][PIXELS], weights[PIXELS];
    to_lab(picture, lab);
    weigh(lab, weights);
    memset(shares, 0, AKIN_FOREGROUND * sizeof *shares);
    for (size_t p = 0; p < PIXELS; p++) {
        int l, a, b;
        float l_share = between(lab[0][p] / 100, LIGHTNESSES, &l);
        float a_share = between(lab[1][p] / REACH / 2 + 0.5F, HUES, &a);
        float b_share = between(lab[2][p] / REACH / 2 + 0.5F, HUES, &b);
        for (int k = 0; k < 8; k++)
            shares[((l + (k >> 2)) * HUES + a + (k >> 1 & 1)) * HUES + b + (k & 1)] +=
                weights[p] * (k & 4 ? l_share : 1 - l_share) * (k & 2 ? a_share : 1 - a_share) *
                (k & 1 ? b_share : 1 - b_share);
    }
    for (size_t i = 0; i < AKIN_FOREGROUND; i++) shares[i] = sqrtf(shares[i]);
}
