/* gemm: every form of the product against three loops in double precision. */
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
        for (unsigned form = 0; form < 8; form++) {
            const size_t rows = sizes[s][0], columns = sizes[s][1], inner = sizes[s][2];
            const bool turn_a = form & 1, turn_b = form & 2, add = form & 4;
            fill(3, ROOM, out);
            akin_linalg_product(turn_a, turn_b, rows, columns, inner, a, b, add, out);
            for (size_t r = 0; r < rows; r++)
                for (size_t c = 0; c < columns; c++) {
                    double sum = add ? number(3, r * columns + c) : 0;
                    for (size_t k = 0; k < inner; k++)
                        sum += (double)a[turn_a ? k * rows + r : r * inner + k] *
                               b[turn_b ? c * inner + k : k * columns + c];
                    assert_true(fabs(out[r * columns + c] - sum) < 1e-5);
                }
            for (size_t i = rows * columns; i < ROOM; i++) assert_true(out[i] == number(3, i));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_products)};
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
