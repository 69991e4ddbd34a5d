/* Laws of product: equal to a naive twin, for shapes that do not fill panels; the bits of an
 * element do not depend on its neighbours; integers are exact at every level. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "features/product.h"
#include "levels.h"

#define HIGH AKIN_PRODUCT_HIGH
#define WIDE AKIN_PRODUCT_WIDE

enum { MOST = 100 }; /* of rows, columns and inner */

static float left[MOST * MOST], right[MOST * MOST];
static float packed_left[MOST * (MOST + 8)], packed_right[MOST * (MOST + 48)];
static float out[(MOST + 8) * 160], again[(MOST + 8) * 160];

/* left [inner, rows] and right [inner, columns] lie in rows of MOST. */
static void multiply(size_t rows, size_t columns, size_t inner, float *result) {
    assert_true(AKIN_PRODUCT_PACKED(inner, rows, HIGH) <= sizeof packed_left / sizeof(float));
    assert_true(AKIN_PRODUCT_PACKED(inner, columns, WIDE) <= sizeof packed_right / sizeof(float));
    akin_product_pack(left, MOST, inner, rows, HIGH, packed_left);
    akin_product_pack(right, MOST, inner, columns, WIDE, packed_right);
    akin_product(packed_left, rows, packed_right, columns, inner, result, 160);
}

static const size_t shapes[][3] = {{1, 1, 1}, {8, 48, 16}, {13, 50, 37}, {96, 97, 100}};

static void as_by_the_twin(void **state) {
    (void)state;
    fill(1, MOST * MOST, left);
    fill(2, MOST * MOST, right);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) FOR_EACH_LEVEL(level) {
            size_t rows = shapes[s][0], columns = shapes[s][1], inner = shapes[s][2];
            multiply(rows, columns, inner, out);
            for (size_t r = 0; r < rows; r++)
                for (size_t c = 0; c < columns; c++) {
                    double sum = 0;
                    for (size_t k = 0; k < inner; k++)
                        sum += (double)left[k * MOST + r] * (double)right[k * MOST + c];
                    assert_true(fabs((double)out[r * 160 + c] - sum) < 1e-5);
                }
        }
}

static void neighbours_change_no_bit(void **state) {
    (void)state;
    fill(3, MOST * MOST, left);
    fill(4, MOST * MOST, right);
    FOR_EACH_LEVEL(level) {
        multiply(96, 97, 50, out);
        for (size_t rows = 1; rows < 96; rows += 13) {
            multiply(rows, rows, 50, again);
            for (size_t r = 0; r < rows; r++)
                assert_same_bytes(out + r * 160, again + r * 160, rows * sizeof *out);
        }
    }
}

static void whole_numbers_are_exact(void **state) {
    (void)state;
    for (size_t i = 0; i < (size_t)MOST * MOST; i++) {
        left[i] = (float)(mix((uint32_t)i) % 300);
        right[i] = (float)(mix((uint32_t)i + 77) % 300);
    }
    FOR_EACH_LEVEL(level) {
        multiply(40, 60, 100, out);
        for (size_t r = 0; r < 40; r++)
            for (size_t c = 0; c < 60; c++) {
                int64_t sum = 0;
                for (size_t k = 0; k < 100; k++)
                    sum += (int64_t)left[k * MOST + r] * (int64_t)right[k * MOST + c];
                assert_true((int64_t)out[r * 160 + c] == sum);
            }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_by_the_twin),
        cmocka_unit_test(neighbours_change_no_bit),
        cmocka_unit_test(whole_numbers_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
