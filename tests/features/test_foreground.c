/* Laws of foreground: equal to a naive twin, written from the formulas; shares add up to one; a
 * coloured object is recognised on any background. */
#include "features/foreground.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum { SIDE = 32, BYTES = SIDE * SIDE * 3, BINS = AKIN_FOREGROUND };

/* A disc of one colour on a background of another. */
static void disc(const int *inside, const int *outside, uint8_t *p) {
    for (int i = 0; i < BYTES; i++) {
        int row = i / 96 - 16, column = i / 3 % 32 - 15;
        p[i] = (uint8_t)(row * row + column * column < 70 ? inside : outside)[i % 3];
    }
}

static void lab_of(const uint8_t *pixel, double lab[3]) {
    static const double to_xyz[3][3] = {
        {0.4124, 0.3576, 0.1805}, {0.2126, 0.7152, 0.0722}, {0.0193, 0.1192, 0.9505}};
    static const double white[3] = {0.9505, 1, 1.089};
    double f[3];
    for (int k = 0; k < 3; k++) {
        double t = 0;
        for (int c = 0; c < 3; c++) {
            double v = pixel[c] / 255.0;
            t += to_xyz[k][c] / white[k] *
                 (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
        }
        f[k] = t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116;
    }
    lab[0] = 116 * f[1] - 16, lab[1] = 500 * (f[0] - f[1]), lab[2] = 200 * (f[1] - f[2]);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double share(double at, int bin, int bins) {
    return fmax(0, 1 - fabs(fmin(1, fmax(0, at)) * (bins - 1) - bin));
}

static void naive(const uint8_t *p, double *out) {
    double lab[1024][3], ground[3], total = 0;
    for (int i = 0; i < 1024; i++) lab_of(p + 3 * i, lab[i]);
    for (int c = 0; c < 3; c++) {
        double side[128];
        int n = 0;
        for (int i = 0; i < 1024; i++) {
            if (i / 32 == 0 || i / 32 == 31) side[n++] = lab[i][c];
            if (i % 32 == 0 || i % 32 == 31) side[n++] = lab[i][c];
        }
        assert_int_equal(n, 128);
        qsort(side, 128, sizeof *side, ascending);
        ground[c] = (side[63] + side[64]) / 2;
    }
    memset(out, 0, BINS * sizeof *out);
    for (int i = 0; i < 1024; i++) {
        double e = 0, y = i / 32 - 15.5, x = i % 32 - 15.5;
        for (int c = 0; c < 3; c++) e += pow(lab[i][c] - ground[c], 2);
        double weight = (1.05 - exp(-e / 144)) * exp(-(x * x + y * y) / 196);
        total += weight;
        for (int bin = 0; bin < BINS; bin++)
            out[bin] += weight * share(lab[i][0] / 100, bin / 36, 4) *
                        share(lab[i][1] / 140 + 0.5, bin / 6 % 6, 6) *
                        share(lab[i][2] / 140 + 0.5, bin % 6, 6);
    }
    for (int bin = 0; bin < BINS; bin++) out[bin] = sqrt(out[bin] / total);
}

static void it_is_that_of_the_twin(void **state) {
    (void)state;
    static const int red[3] = {220, 30, 20}, blue[3] = {0, 0, 255}, grey[3] = {128, 128, 128},
                     black[3] = {0, 0, 0};
    uint8_t p[BYTES];
    for (int which = 0; which < 5; which++) {
        float shares[BINS];
        double twin[BINS], total = 0;
        if (which == 0) disc(red, grey, p);
        if (which == 1) disc(blue, black, p);
        if (which == 2) disc(black, black, p);
        for (size_t i = 0; which >= 3 && i < BYTES; i++)
            p[i] = (uint8_t)(mix((uint32_t)i + 5) >> (which == 3 ? 0 : 3) & 255);
        akin_foreground(p, shares);
        naive(p, twin);
        for (int i = 0; i < BINS; i++) {
            assert_true(fabs((double)shares[i] - twin[i]) <
                        1e-3); /* these are square roots: an error of 1e-6 near zero becomes 1e-3 */
            total += (double)shares[i] * (double)shares[i];
        }
        assert_true(fabs(total - 1) < 1e-4);
    }
}

/* The same object on two backgrounds is more similar than another object on the same background. */
static void a_thing_is_told_on_any_ground(void **state) {
    (void)state;
    static const int red[3] = {220, 30, 20}, green[3] = {20, 160, 40}, white[3] = {255, 255, 255},
                     dark[3] = {40, 40, 60};
    uint8_t p[BYTES];
    float a[BINS], b[BINS], c[BINS];
    double same = 0, other = 0;
    disc(red, white, p);
    akin_foreground(p, a);
    disc(red, dark, p);
    akin_foreground(p, b);
    disc(green, white, p);
    akin_foreground(p, c);
    for (int i = 0; i < BINS; i++) same += (double)(a[i] * b[i]), other += (double)(a[i] * c[i]);
    assert_true(same > 0.7 && other < 0.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_that_of_the_twin),
                                       cmocka_unit_test(a_thing_is_told_on_any_ground)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
