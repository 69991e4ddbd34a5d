/* Laws of the manifold: codes and descriptions equal those of a naive twin in double precision, at
 * every level; words have unit length and recognise their own squares; squares without contrast
 * have a word of their own; the axes solve the pair of matrices, with v V v = 1; flat and equal
 * squares do no harm; learning from the same squares gives the same bits. */
#include "features/manifold.h"
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
    VALUES = AKIN_MANIFOLD_VALUES,
    SQUARES = AKIN_MANIFOLD_SQUARES,
    AXES = AKIN_MANIFOLD_AXES,
    RAW = AKIN_MANIFOLD_RAW,
    ATOMS = 192,
    WORDS = ATOMS + 1,
    MANY = 3000
};

/* Waves of many directions and colours; the left third of every second picture is plain. */
static const uint8_t *picture(size_t which) {
    static uint8_t p[3072];
    double a = (double)(mix((uint32_t)which) % 628) / 100,
           b = (double)(mix((uint32_t)which + 999) % 100) / 60 + 0.2;
    for (size_t i = 0; i < 3072; i++) {
        double row = (double)(i / 96), column = (double)(i / 3 % 32), channel = (double)(i % 3);
        double wave = sin(b * (row * cos(a) + column * sin(a)) + channel * a);
        bool plain = which % 2 && i / 3 % 32 < 10;
        p[i] = (uint8_t)(plain ? 250 : 128 + 90 * wave + 20 * (double)number((uint32_t)which, i));
    }
    return p;
}

static uint8_t *some_squares(void) {
    uint8_t *squares = malloc(MANY * VALUES);
    assert_non_null(squares);
    for (size_t s = 0; s < MANY; s++)
        akin_manifold_cut(picture(s / 20 + 5), mix((uint32_t)s) % SQUARES, squares + s * VALUES);
    return squares;
}

/* Learned from squares; share and axes are arbitrary numbers. */
static akin_manifold *learnt(const uint8_t *squares, size_t count) {
    akin_manifold *m;
    assert_int_equal(akin_manifold_create(ATOMS, &m), AKIN_OK);
    assert_int_equal(akin_manifold_words(m), WORDS);
    assert_int_equal(akin_manifold_learn(m, squares, count), AKIN_OK);
    for (size_t w = 0; w < WORDS; w++) akin_manifold_share(m)[w] = fabsf(number(1, w)) / 20;
    fill(2, (size_t)WORDS * AXES, akin_manifold_axes(m));
    akin_manifold_prepare(m);
    return m;
}

/* --- the twin --- */

static bool naive_white(akin_manifold *m, const uint8_t *image, size_t place, double *white) {
    double x[VALUES], mean = 0, variance = 0, length = 0;
    for (size_t v = 0; v < VALUES; v++) {
        size_t row = place / 14 * 2 + v / 18, column = place % 14 * 2 + v / 3 % 6;
        x[v] = image[(row * 32 + column) * 3 + v % 3];
        mean += x[v] / VALUES;
    }
    for (size_t v = 0; v < VALUES; v++) variance += (x[v] - mean) * (x[v] - mean) / VALUES;
    memset(white, 0, VALUES * sizeof *white);
    for (size_t v = 0; v < VALUES; v++)
        for (size_t w = 0; w < VALUES; w++)
            white[w] += ((x[v] - mean) / 255 - (double)akin_manifold_mean(m)[v]) *
                        (double)akin_manifold_whitening(m)[v * VALUES + w];
    for (size_t w = 0; w < VALUES; w++) length += white[w] * white[w];
    for (size_t w = 0; w < VALUES; w++) white[w] /= sqrt(length);
    return sqrt(variance) < AKIN_MANIFOLD_PLAIN;
}

/* The cosine of a whitened square and each word. */
static void naive_cosines(akin_manifold *m, const double *white, double *cosines) {
    for (size_t k = 0; k < ATOMS; k++) {
        cosines[k] = 0;
        for (size_t v = 0; v < VALUES; v++)
            cosines[k] += white[v] * (double)akin_manifold_dictionary(m)[k * VALUES + v];
    }
}

static uint16_t codes[SQUARES * WORDS], counts[SQUARES];

static void squares_are_told_as_by_the_twin(void **state) {
    (void)state;
    uint8_t *squares = some_squares();
    akin_manifold *m = learnt(squares, MANY);
    double white[VALUES], cosines[ATOMS];
    size_t told = 0, plain_ones = 0;
    FOR_EACH_LEVEL(level) for (size_t which = 0; which < 3; which++) {
        const uint8_t *image = picture(which);
        akin_manifold_encode(m, image, codes, counts);
        for (size_t s = 0; s < SQUARES; s++) {
            const uint16_t *code = codes + s * WORDS;
            if (naive_white(m, image, s, white)) {
                assert_true(counts[s] == 1 && code[0] == ATOMS);
                plain_ones++;
                continue;
            }
            naive_cosines(m, white, cosines);
            for (size_t k = 0, at = 0; k < ATOMS; k++) {
                bool is = at < counts[s] && code[at] == k;
                if (fabs(cosines[k] - 0.3) > 1e-4) assert_true(is == (cosines[k] > 0.3));
                at += is;
                told += is;
                if (k + 1 == ATOMS) assert_int_equal(at, counts[s]); /* ascending, and no others */
            }
        }
    }
    assert_true(told > 1000 && plain_ones > 50);
    akin_manifold_free(m);
    free(squares);
}

/* From the codes found: the mean, over each place, of the codes' normalised vectors. */
static void naive_raw(akin_manifold *m, double *raw) {
    static const size_t from[5] = {0, 4, 7, 10, 14};
    memset(raw, 0, RAW * sizeof *raw);
    for (size_t p = 0; p < 16; p++)
        for (size_t s = 0; s < SQUARES; s++) {
            double vector[AXES] = {0}, length = 0;
            const size_t *row = from + p / 4, *column = from + p % 4;
            if (s / 14 < row[0] || s / 14 >= row[1] || s % 14 < column[0] || s % 14 >= column[1])
                continue;
            for (size_t a = 0; a < AXES; a++) {
                for (size_t i = 0; i < counts[s]; i++)
                    vector[a] += (double)akin_manifold_axes(m)[codes[s * WORDS + i] * AXES + a];
                for (size_t w = 0; w < WORDS; w++)
                    vector[a] -= (double)akin_manifold_share(m)[w] *
                                 (double)akin_manifold_axes(m)[w * AXES + a];
                length += vector[a] * vector[a];
            }
            for (size_t a = 0; a < AXES; a++)
                raw[p * AXES + a] += vector[a] / sqrt(length) /
                                     (double)((row[1] - row[0]) * (column[1] - column[0]));
        }
}

static void a_picture_is_the_mean_of_its_squares(void **state) {
    (void)state;
    uint8_t *squares = some_squares();
    akin_manifold *m = learnt(squares, MANY);
    static float raw[RAW], again[RAW];
    static double twin[RAW];
    for (size_t which = 0; which < 3; which++) FOR_EACH_LEVEL(level) {
            akin_manifold_encode(m, picture(which), codes, counts);
            naive_raw(m, twin);
            akin_manifold_describe(m, picture(which), raw);
            for (size_t i = 0; i < RAW; i++) assert_true(fabs((double)raw[i] - twin[i]) < 1e-5);
            akin_manifold_describe(m, picture(8), again);
            akin_manifold_describe(m, picture(which), again); /* whatever was computed before */
            assert_same_bytes(raw, again, sizeof raw);
        }
    akin_manifold_free(m);
    free(squares);
}

static void words_are_squares_of_unit_length(void **state) {
    (void)state;
    uint8_t *squares = some_squares();
    akin_manifold *m = learnt(squares, MANY), *again = learnt(squares, MANY);
    const float *words = akin_manifold_dictionary(m);
    assert_same_bytes(words, akin_manifold_dictionary(again), ATOMS * VALUES * sizeof *words);
    for (size_t k = 0; k < ATOMS; k++) {
        double square = 0;
        for (size_t v = 0; v < VALUES; v++)
            square += (double)words[k * VALUES + v] * (double)words[k * VALUES + v];
        assert_true(fabs(square - 1) < 1e-5);
    }
    akin_manifold_free(m);
    akin_manifold_free(again);
    free(squares);
}

/* C v = value V v for known matrices, where V = 2 plus something next to the diagonal. */
static void axes_solve_the_pair(void **state) {
    (void)state;
    akin_manifold *m;
    double *near = calloc(WORDS, WORDS * sizeof *near),
           *alone = calloc(WORDS, WORDS * sizeof *near),
           *kept = malloc(sizeof(double) * WORDS * WORDS), last = INFINITY;
    assert_true(near && alone && kept);
    for (size_t i = 0; i < WORDS; i++)
        for (size_t j = i; j < WORDS; j++) {
            alone[i * WORDS + j] = i == j ? 2 : 0.3 / (double)(1 + j - i) / (double)(1 + j - i);
            near[i * WORDS + j] = i == j ? 1 + (double)i / WORDS : i + 1 == j ? 0.25 : 0;
        }
    memcpy(kept, alone, sizeof(double) * WORDS * WORDS);
    assert_int_equal(akin_manifold_create(ATOMS, &m), AKIN_OK);
    assert_int_equal(akin_manifold_solve(m, near, alone), AKIN_OK);
    for (size_t a = 0; a < AXES; a++) {
        double v[WORDS], length = 0, value = 0;
        for (size_t w = 0; w < WORDS; w++) v[w] = (double)akin_manifold_axes(m)[w * AXES + a];
        for (size_t i = 0; i < WORDS; i++)
            for (size_t j = 0; j < WORDS; j++) {
                size_t low = i < j ? i : j, high = i < j ? j : i;
                length += v[i] * v[j] * kept[low * WORDS + high];
                value += v[i] * v[j] *
                         (low == high       ? 1 + (double)i / WORDS
                          : low + 1 == high ? 0.25
                                            : 0);
            }
        assert_true(fabs(length - 1) < 1e-3); /* except for the ridge */
        assert_true(value < last + 1e-6);     /* largest first */
        last = value;
    }
    akin_manifold_free(m);
    free(near);
    free(alone);
    free(kept);
}

static void flat_and_equal_squares_do_no_harm(void **state) {
    (void)state;
    uint8_t *squares = some_squares();
    static float raw[RAW];
    for (size_t count = 1; count <= 500; count += 499)
        for (int flat = 0; flat < 2; flat++) {
            for (size_t s = 0; s < count; s++)
                if (flat)
                    memset(squares + s * VALUES, 200, VALUES);
                else if (s > 0)
                    memcpy(squares + s * VALUES, squares, VALUES);
            akin_manifold *m = learnt(squares, count);
            for (size_t which = 0; which < 2; which++) {
                akin_manifold_describe(m, picture(which), raw);
                for (size_t i = 0; i < RAW; i++) assert_true(isfinite(raw[i]));
            }
            double *zero = calloc((size_t)WORDS * WORDS, 2 * sizeof *zero);
            assert_non_null(zero);
            assert_int_equal(akin_manifold_solve(m, zero, zero + (size_t)WORDS * WORDS), AKIN_OK);
            akin_manifold_describe(m, picture(1), raw);
            for (size_t i = 0; i < RAW; i++) assert_true(raw[i] == 0);
            free(zero);
            akin_manifold_free(m);
        }
    free(squares);
}

int main(void) {
    if (akin_linalg_start() != AKIN_OK) return EXIT_FAILURE;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(squares_are_told_as_by_the_twin),
        cmocka_unit_test(a_picture_is_the_mean_of_its_squares),
        cmocka_unit_test(words_are_squares_of_unit_length),
        cmocka_unit_test(axes_solve_the_pair),
        cmocka_unit_test(flat_and_equal_squares_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
