/* Laws of patches and dictionary: the description of a picture equals that of a naive twin, at
 * every level; whitened squares have the promised covariance; words are better than randomly chosen
 * squares; learning from the same squares gives the same bits; flat pictures and single squares do
 * no harm. */
#include "features/patches.h"
#include <akin/linalg.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum {
    SIDE = AKIN_PATCHES_SIDE,
    VALUES = AKIN_PATCHES_VALUES,
    WORDS = AKIN_PATCHES_WORDS,
    RAW = AKIN_PATCHES_RAW,
    MANY = 3000
};

/* Waves of many directions and colours, so that squares are related. */
static uint8_t value(size_t picture, size_t row, size_t column, size_t channel) {
    double a = (double)(mix((uint32_t)picture) % 628) / 100,
           b = (double)(mix((uint32_t)picture + 999) % 100) / 60 + 0.2;
    double wave = sin(b * ((double)row * cos(a) + (double)column * sin(a)) + (double)channel * a);
    return (uint8_t)(128 + 90 * wave +
                     20 * (double)number((uint32_t)picture, (row * 32 + column) * 3 + channel));
}

static const uint8_t *picture(size_t which) {
    static uint8_t p[3072];
    for (size_t i = 0; i < 3072; i++)
        p[i] = which == 0 ? 200 : value(which, i / 96, i / 3 % 32, i % 3);
    return p;
}

static uint8_t *some_squares(void) {
    uint8_t *squares = malloc(MANY * VALUES);
    assert_non_null(squares);
    for (size_t s = 0; s < MANY; s++)
        for (size_t v = 0; v < VALUES; v++)
            squares[s * VALUES + v] =
                value(s / 10 + 5, s % 27 + v / 18, s / 27 % 27 + v / 3 % 6, v % 3);
    return squares;
}

static akin_patches *learnt(const uint8_t *squares, size_t count) {
    akin_patches *p;
    assert_int_equal(akin_patches_create(&p), AKIN_OK);
    assert_int_equal(akin_patches_learn(squares, count, p), AKIN_OK);
    return p;
}

/* A square of u8, contrast-normalised, centred and whitened, in double. */
static void naive_white(akin_patches *p, const uint8_t *square, double *white) {
    double mean = 0, variance = 0, x[VALUES];
    for (size_t v = 0; v < VALUES; v++) mean += square[v] / (double)VALUES;
    for (size_t v = 0; v < VALUES; v++)
        variance += (square[v] - mean) * (square[v] - mean) / VALUES;
    for (size_t v = 0; v < VALUES; v++)
        x[v] = (square[v] - mean) / sqrt(variance + 10) - (double)akin_patches_mean(p)[v];
    for (size_t w = 0; w < VALUES; w++) {
        white[w] = 0;
        for (size_t v = 0; v < VALUES; v++)
            white[w] += x[v] * (double)akin_patches_whitening(p)[v * VALUES + w];
    }
}

static double distance(const double *white, const float *word) {
    double square = 0;
    for (size_t v = 0; v < VALUES; v++)
        square += (white[v] - (double)word[v]) * (white[v] - (double)word[v]);
    return sqrt(square);
}

static void naive_describe(akin_patches *p, const uint8_t *image, double *raw) {
    memset(raw, 0, RAW * sizeof *raw);
    for (size_t row = 0; row < 27; row++)
        for (size_t column = 0; column < 27; column++) {
            uint8_t square[VALUES];
            double white[VALUES], z[WORDS], mean = 0;
            for (size_t v = 0; v < VALUES; v++)
                square[v] = image[((row + v / 18) * 32 + column + v / 3 % SIDE) * 3 + v % 3];
            naive_white(p, square, white);
            for (size_t k = 0; k < WORDS; k++)
                z[k] = distance(white, akin_patches_words(p) + k * VALUES), mean += z[k] / WORDS;
            double *quarter = raw + ((row >= 14) * 2 + (column >= 14)) * WORDS;
            size_t places = (row >= 14 ? 13 : 14) * (column >= 14 ? 13U : 14U);
            for (size_t k = 0; k < WORDS; k++) quarter[k] += fmax(0, mean - z[k]) / (double)places;
        }
}

static void a_picture_is_told_as_by_the_twin(void **state) {
    (void)state;
    uint8_t *squares = some_squares();
    akin_patches *p = learnt(squares, MANY);
    static float raw[RAW], again[RAW];
    static double twin[RAW];
    for (size_t which = 0; which < 3; which++) {
        const uint8_t *image = picture(which);
        naive_describe(p, image, twin);
        FOR_EACH_LEVEL(level) {
            akin_patches_describe(p, image, raw);
            for (size_t i = 0; i < RAW; i++) assert_true(fabs((double)raw[i] - twin[i]) < 2e-3);
        }
        akin_patches_describe(p, image, raw);
        akin_patches_describe(p, picture(7), again);
        akin_patches_describe(p, picture(which), again); /* whatever was computed before */
        assert_same_bytes(raw, again, sizeof raw);
    }
    akin_patches_free(p);
    free(squares);
}

static void whitened_squares_have_the_covariance_promised(void **state) {
    (void)state;
    uint8_t *squares = some_squares();
    akin_patches *p = learnt(squares, MANY), *again = learnt(squares, MANY);
    assert_same_bytes(akin_patches_words(p), akin_patches_words(again),
                      WORDS * VALUES * sizeof(float));
    assert_same_bytes(akin_patches_whitening(p), akin_patches_whitening(again),
                      VALUES * VALUES * sizeof(float));
    /* W (C + 0.1) W = 1, where W C W is the covariance of the whitened squares. */
    static double covariance[VALUES][VALUES];
    memset(covariance, 0, sizeof covariance);
    for (size_t s = 0; s < MANY; s++) {
        double white[VALUES];
        naive_white(p, squares + s * VALUES, white);
        for (size_t a = 0; a < VALUES; a++)
            for (size_t b = 0; b < VALUES; b++) covariance[a][b] += white[a] * white[b] / MANY;
    }
    const float *w = akin_patches_whitening(p);
    for (size_t a = 0; a < VALUES; a++)
        for (size_t b = 0; b < VALUES; b += 5) {
            double even = 0;
            for (size_t v = 0; v < VALUES; v++)
                even += 0.1 * (double)w[a * VALUES + v] * (double)w[v * VALUES + b];
            assert_true(fabs(covariance[a][b] + even - (a == b)) < 1e-3);
            assert_true(fabsf(w[a * VALUES + b] - w[b * VALUES + a]) < 1e-5F);
        }
    akin_patches_free(p);
    akin_patches_free(again);
    free(squares);
}

/* The mean squared distance of squares to their nearest word, for the training squares and for
 * others. */
static void words_are_nearer_than_squares_at_random(void **state) {
    (void)state;
    uint8_t *squares = some_squares();
    akin_patches *p = learnt(squares, MANY);
    float *random = malloc(WORDS * VALUES * sizeof *random);
    double white[VALUES], of_words = 0, of_random = 0;
    for (size_t k = 0; k < WORDS; k++) {
        naive_white(p, squares + k * MANY / WORDS * VALUES, white);
        for (size_t v = 0; v < VALUES; v++) random[k * VALUES + v] = (float)white[v];
    }
    for (size_t s = 3; s < MANY; s += 11) {
        double word = 1e9, other = 1e9;
        naive_white(p, squares + s * VALUES, white);
        for (size_t k = 0; k < WORDS; k++) {
            word = fmin(word, distance(white, akin_patches_words(p) + k * VALUES));
            other = fmin(other, distance(white, random + k * VALUES));
        }
        of_words += word * word;
        of_random += other * other;
    }
    assert_true(of_words < 0.9 * of_random);
    free(random);
    akin_patches_free(p);
    free(squares);
}

static void few_and_equal_squares_do_no_harm(void **state) {
    (void)state;
    uint8_t *squares = some_squares();
    static float raw[RAW];
    for (size_t count = 1; count <= 500; count += 499) {
        for (size_t s = 0; s < count; s++) memcpy(squares + s * VALUES, squares, VALUES);
        akin_patches *p = learnt(squares, count);
        for (size_t which = 0; which < 2; which++) {
            akin_patches_describe(p, picture(which), raw);
            for (size_t i = 0; i < RAW; i++) assert_true(isfinite(raw[i]) && raw[i] >= 0);
        }
        akin_patches_free(p);
    }
    free(squares);
}

int main(void) {
    if (akin_linalg_start() != AKIN_OK) return EXIT_FAILURE;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_told_as_by_the_twin),
        cmocka_unit_test(whitened_squares_have_the_covariance_promised),
        cmocka_unit_test(words_are_nearer_than_squares_at_random),
        cmocka_unit_test(few_and_equal_squares_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
