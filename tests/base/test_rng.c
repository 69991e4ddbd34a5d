/* rng: the published answers of Philox4x32-10, the moments of its distributions, and that
 * permutations are bijections. */
#include <akin/rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* kat_vectors of Random123 (Salmon et al. 2011): zeros, ones, digits of pi. */
static void philox_gives_the_published_answers(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], expected[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint32_t out[4];
        akin_rng_block(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].expected, sizeof out);
    }
}

static void every_argument_makes_other_numbers(void **state) {
    (void)state;
    uint64_t same = akin_rng_bits(1, AKIN_RNG_TEST, 2, 3);
    assert_true(same == akin_rng_bits(1, AKIN_RNG_TEST, 2, 3));
    assert_true(same != akin_rng_bits(2, AKIN_RNG_TEST, 2, 3));
    assert_true(same != akin_rng_bits(1 + (UINT64_C(1) << 32), AKIN_RNG_TEST, 2, 3));
    assert_true(same != akin_rng_bits(1, AKIN_RNG_ORDER, 2, 3));
    assert_true(same != akin_rng_bits(1, AKIN_RNG_TEST, 3, 3));
    assert_true(same != akin_rng_bits(1, AKIN_RNG_TEST, 2, 4));
    assert_true(same != akin_rng_bits(1, AKIN_RNG_TEST, 2, 3 + (UINT64_C(1) << 32)));
}

/* The mean of n draws is within 5 standard errors; with a fixed seed this holds always or never. */
static void distributions_have_their_moments(void **state) {
    (void)state;
    enum { N = 200000 };
    double sum = 0, squares = 0, normal = 0, normal_squares = 0, fourth = 0;
    for (uint64_t i = 0; i < N; i++) {
        double u = akin_rng_uniform(7, AKIN_RNG_TEST, 0, i),
               z = akin_rng_normal(7, AKIN_RNG_TEST, 1, i);
        assert_true(u >= 0 && u < 1 && isfinite(z));
        sum += u;
        squares += u * u;
        normal += z;
        normal_squares += z * z;
        fourth += z * z * z * z;
    }
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(squares / N - 1.0 / 3) < 5 * sqrt(4.0 / 45 / N));
    assert_true(fabs(normal / N) < 5 * sqrt(1.0 / N));
    assert_true(fabs(normal_squares / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(fourth / N - 3) < 5 * sqrt(96.0 / N));
}

static void permutations_are_bijections(void **state) {
    (void)state;
    static const uint64_t sizes[] = {1,   2,   3,   4,    5,    7,     63,    64,   65,
                                     127, 128, 129, 1000, 4096, 65535, 65536, 65537};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            uint64_t n = sizes[s];
            unsigned char *hit = calloc(n, 1);
            for (uint64_t i = 0; i < n; i++) {
                uint64_t to = akin_rng_permute(seed, AKIN_RNG_ORDER, 5, n, i);
                assert_true(to < n && !hit[to]);
                hit[to] = 1;
            }
            free(hit);
        }
    uint64_t n = UINT64_MAX; /* too many to try all of them */
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(akin_rng_permute(1, AKIN_RNG_ORDER, 0, n, n - 1 - i) < n);
}

/* The places of item 0 are evenly distributed over streams (chi-square, 9 degrees of freedom: 27.9
 * is one in a thousand); and the permutation of two items is not always the same. */
static void permutations_shuffle(void **state) {
    (void)state;
    enum { N = 10, STREAMS = 5000 };
    double chi_square = 0;
    int count[N] = {0}, swapped = 0;
    for (uint32_t stream = 0; stream < STREAMS; stream++) {
        count[akin_rng_permute(1, AKIN_RNG_ORDER, stream, N, 0)]++;
        swapped += akin_rng_permute(1, AKIN_RNG_ORDER, stream, 2, 0) == 1;
    }
    for (int i = 0; i < N; i++) chi_square += pow(count[i] - STREAMS / N, 2) / (STREAMS / N);
    assert_true(chi_square < 27.9);
    assert_true(abs(swapped - STREAMS / 2) < 200);
}

/* Neighbours in the catalogue end up far apart: the mean distance between the places of i and i + 1
 * is a third of n. */
static void neighbours_come_apart(void **state) {
    (void)state;
    enum { N = 10000 };
    double sum = 0;
    for (uint64_t i = 0; i + 1 < N; i++)
        sum += fabs((double)akin_rng_permute(1, AKIN_RNG_ORDER, 1, N, i) -
                    (double)akin_rng_permute(1, AKIN_RNG_ORDER, 1, N, i + 1));
    assert_true(fabs(sum / (N - 1) / N - 1.0 / 3) < 0.02);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(every_argument_makes_other_numbers),
        cmocka_unit_test(distributions_have_their_moments),
        cmocka_unit_test(permutations_are_bijections),
        cmocka_unit_test(permutations_shuffle),
        cmocka_unit_test(neighbours_come_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
