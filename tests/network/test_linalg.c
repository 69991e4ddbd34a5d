/* linalg: every form of the product equals three loops in double precision; whitening maps a matrix
 * to the identity. */
#include <akin/linalg.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum { ROOM = 70 * 70 };
static float a[ROOM], b[ROOM], out[ROOM];

static void test_products(void **state) {
    (void)state;
    static const size_t sizes[][3] = {{1, 1, 1},   {2, 3, 4},   {7, 5, 1},
                                      {1, 64, 33}, {17, 9, 65}, {64, 32, 16}};
    assert_int_equal(akin_linalg_start(), AKIN_OK);
    fill(1, ROOM, a);
    fill(2, ROOM, b);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (akin_linalg_turn turned = AKIN_TURN_NONE; turned <= AKIN_TURN_B; turned++) {
            const size_t rows = sizes[s][0], columns = sizes[s][1], inner = sizes[s][2];
            const bool turn_a = turned == AKIN_TURN_A, turn_b = turned == AKIN_TURN_B;
            fill(3, ROOM, out);
            akin_linalg_product((akin_linalg_shape){rows, columns, inner, turned}, a, b, out);
            for (size_t r = 0; r < rows; r++)
                for (size_t c = 0; c < columns; c++) {
                    double sum = 0;
                    for (size_t k = 0; k < inner; k++)
                        sum += (double)a[turn_a ? k * rows + r : r * inner + k] *
                               b[turn_b ? c * inner + k : k * columns + c];
                    assert_true(fabs(out[r * columns + c] - sum) < 1e-5);
                }
            for (size_t i = rows * columns; i < ROOM; i++) assert_true(out[i] == number(3, i));
        }
}

/* W M W = 1 for a matrix with all eigenvalues well above zero; with a ridge, for M + ridge. */
static void whitening_takes_a_matrix_to_one(void **unused) {
    (void)unused;
    enum { SIZE = 9 };
    static const double ridges[] = {0, 0.5};
    for (size_t r = 0; r < sizeof ridges / sizeof *ridges; r++) {
        double m[SIZE * SIZE], used[SIZE * SIZE], vectors[SIZE * SIZE];
        float w[SIZE * SIZE];
        for (size_t i = 0; i < SIZE; i++)
            for (size_t j = 0; j < SIZE; j++)
                m[i * SIZE + j] = (i == j ? 2.0 + (double)i : 0) + 1.0 / (double)(1 + i + j);
        memcpy(used, m, sizeof m);
        assert_int_equal(akin_linalg_whitening(used, SIZE, ridges[r], vectors, w), AKIN_OK);
        for (size_t i = 0; i < SIZE; i++)
            for (size_t j = 0; j < SIZE; j++) {
                double sum = 0;
                for (size_t a = 0; a < SIZE; a++)
                    for (size_t b = 0; b < SIZE; b++)
                        sum += (double)w[i * SIZE + a] *
                               (m[a * SIZE + b] + (a == b ? ridges[r] : 0)) *
                               (double)w[b * SIZE + j];
                assert_true(fabs(sum - (i == j)) < 1e-5);
            }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(whitening_takes_a_matrix_to_one),
                                       cmocka_unit_test(test_products)};
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
