/* Laws of code_sums: means and covariance equal those of a naive twin; rows split among several
 * holders add up to the same bits; numbers of the largest size are exact. */
#include "features/code_sums.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum { WORDS = 301, ROWS = 700 }; /* not multiples of a panel or a block */

/* Mostly zeros, as in codes. */
static float value(size_t row, size_t word, unsigned most) {
    uint32_t bits = mix((uint32_t)(row * WORDS + word));
    return bits % 5 ? 0 : (float)(bits / 5 % (most + 1));
}

static akin_code_sums *sums_of(size_t first, size_t end, unsigned most) {
    akin_code_sums *sums;
    assert_int_equal(akin_code_sums_create(WORDS, &sums), AKIN_OK);
    for (size_t r = first; r < end; r++) {
        float *row = akin_code_sums_row(sums);
        for (size_t w = 0; w < WORDS; w++) {
            assert_true(row[w] == 0);
            row[w] = value(r, w, most);
        }
    }
    akin_code_sums_finish(sums);
    return sums;
}

static double matrix[WORDS * WORDS];

static void as_by_the_twin(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        akin_code_sums *sums = sums_of(0, ROWS, 3);
        akin_code_sums_covariance(sums, ROWS, 2, matrix);
        for (size_t i = 0; i < WORDS; i += 7)
            for (size_t j = i; j < WORDS; j += 3) {
                double a = 0, b = 0, both = 0;
                for (size_t r = 0; r < ROWS; r++) {
                    a += (double)value(r, i, 3) / 2 / ROWS;
                    b += (double)value(r, j, 3) / 2 / ROWS;
                    both += (double)(value(r, i, 3) * value(r, j, 3)) / 4 / ROWS;
                }
                assert_true(fabs(akin_code_sums_mean(sums, ROWS, 2, i) - a) < 1e-12);
                assert_true(fabs(matrix[i * WORDS + j] - (both - a * b)) < 1e-12);
            }
        akin_code_sums_free(sums);
    }
}

/* With numbers of the largest size: the products of a block just fit. */
static void holders_change_no_bit(void **state) {
    (void)state;
    size_t count, part_count;
    akin_code_sums *all = sums_of(0, ROWS, AKIN_CODE_SUMS_MOST);
    int64_t *counts = akin_code_sums_counts(all, &count);
    for (size_t cut = 0; cut <= ROWS; cut += 175) FOR_EACH_LEVEL(level) {
            akin_code_sums *one = sums_of(0, cut, AKIN_CODE_SUMS_MOST),
                           *two = sums_of(cut, ROWS, AKIN_CODE_SUMS_MOST);
            int64_t *mine = akin_code_sums_counts(one, &part_count);
            const int64_t *others = akin_code_sums_counts(two, &part_count);
            assert_int_equal(part_count, count);
            for (size_t i = 0; i < count; i++) mine[i] += others[i];
            assert_same_bytes(mine, counts, count * sizeof *counts);
            akin_code_sums_free(one);
            akin_code_sums_free(two);
        }
    akin_code_sums_free(all);
}

static void the_largest_numbers_are_exact(void **state) {
    (void)state;
    akin_code_sums *sums;
    assert_int_equal(akin_code_sums_create(WORDS, &sums), AKIN_OK);
    for (size_t r = 0; r < 600; r++) {
        float *row = akin_code_sums_row(sums);
        for (size_t w = 0; w < WORDS; w++) row[w] = AKIN_CODE_SUMS_MOST;
    }
    akin_code_sums_finish(sums);
    akin_code_sums_covariance(sums, 600, 1, matrix);
    for (size_t i = 0; i < WORDS; i++)
        for (size_t j = i; j < WORDS; j++) assert_true(matrix[i * WORDS + j] == 0);
    assert_true(akin_code_sums_mean(sums, 600, 1, 5) == AKIN_CODE_SUMS_MOST);
    akin_code_sums_free(sums);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_by_the_twin),
        cmocka_unit_test(holders_change_no_bit),
        cmocka_unit_test(the_largest_numbers_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
