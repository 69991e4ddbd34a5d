/* Laws of the backward pass through a pooled convolution: both gradients equal those of a naive
 * twin in double precision that multiplies zeros too; a NaN propagates; nothing else is written. At
 * every level of this CPU. */
#include "network/pooled.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum { ROOM = 1 << 17 };
static float input[ROOM], gradient[ROOM], turned[ROOM], sum[ROOM], out[ROOM];
static double twin_sum[ROOM], twin_out[ROOM];
static uint8_t where[ROOM];
static akin_pooled_entry *scratch;

static const akin_pooled_shape shapes[] = {
    {1, 1, 32, 1}, {1, 2, 32, 5},  {2, 1, 64, 7},  {3, 3, 32, 16}, {5, 4, 32, 9},
    {2, 7, 96, 3}, {4, 5, 32, 33}, {2, 16, 32, 8}, {8, 8, 32, 64}, {1, 3, 32, 128}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* The scratch memory has exactly the documented size, so that a sanitizer detects accesses beyond
 * it. `zeros` of ten gradients are zero. */
static void make(const akin_pooled_shape *shape, unsigned zeros) {
    const size_t pooled = shape->rows * shape->columns * shape->out;
    const size_t framed = (2 * shape->rows + 2) * (2 * shape->columns + 2) * shape->in;
    assert_true(framed < ROOM && pooled < ROOM && 9 * shape->in * shape->out < ROOM);
    scratch = realloc(scratch, AKIN_POOLED_SCRATCH(shape->rows, shape->columns, shape->out) *
                                   sizeof *scratch);
    assert_non_null(scratch);
    fill(1, framed, input);
    fill(2, 9 * shape->in * shape->out, turned);
    fill(3, 9 * shape->in * shape->out, sum);
    for (size_t i = 0; i < pooled; i++) {
        gradient[i] = mix((uint32_t)i + 77) % 10 < zeros ? 0 : number(4, i);
        where[i] = (uint8_t)(mix((uint32_t)i + 99) % 4);
    }
    memset(out, 0x7f, sizeof out);
}

/* Every pixel of the convolution's result, every tap: y += x * w, backward. */
static void twin(const akin_pooled_shape *shape) {
    const size_t width = 2 * shape->columns + 2;
    memset(twin_out, 0, sizeof twin_out);
    for (size_t k = 0; k < 9 * shape->in * shape->out; k++) twin_sum[k] = number(3, k);
    for (size_t y = 0; y < 2 * shape->rows; y++)
        for (size_t x = 0; x < 2 * shape->columns; x++)
            for (size_t o = 0; o < shape->out; o++) {
                const size_t from = (y / 2 * shape->columns + x / 2) * shape->out + o;
                const double g = where[from] == y % 2 * 2 + x % 2 ? gradient[from] : 0;
                for (size_t tap = 0; tap < 9; tap++)
                    for (size_t i = 0; i < shape->in; i++) {
                        const size_t at = ((y + tap / 3) * width + x + tap % 3) * shape->in + i;
                        twin_sum[(o * 9 + tap) * shape->in + i] += g * input[at];
                        twin_out[at] += g * turned[((8 - tap) * shape->out + o) * shape->in + i];
                    }
            }
}

static void test_gradients(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        for (size_t s = 0; s < SHAPES; s++)
            for (unsigned zeros = 0; zeros <= 10; zeros += 5) {
                const akin_pooled_shape *shape = &shapes[s];
                const size_t height = 2 * shape->rows + 2, width = 2 * shape->columns + 2;
                make(shape, zeros);
                twin(shape);
                akin_pooled()->weights(shape, input, gradient, where, scratch, sum);
                for (size_t k = 0; k < 9 * shape->in * shape->out; k++)
                    assert_true(fabs(sum[k] - twin_sum[k]) < 1e-5);
                akin_pooled()->data(shape, input, gradient, where, turned, scratch, out);
                for (size_t y = 0; y < height; y++)
                    for (size_t x = 0; x < width; x++)
                        for (size_t i = 0; i < shape->in; i++) {
                            const size_t at = (y * width + x) * shape->in + i;
                            if (y == 0 || y == height - 1 || x == 0 || x == width - 1)
                                assert_true(out[at] > 3e38F); /* the border is not written */
                            else
                                assert_true(fabs(out[at] - (input[at] <= 0 ? 0 : twin_out[at])) <
                                            1e-5);
                        }
                assert_true(out[height * width * shape->in] > 3e38F);
            }
    }
}

static void test_not_a_number_shows(void **state) {
    (void)state;
    const akin_pooled_shape *shape = &shapes[3];
    FOR_EACH_LEVEL(level) {
        make(shape, 5);
        for (size_t i = 0; i < ROOM; i++) input[i] = 1;
        gradient[(1 * 3 + 1) * 16 + 2] = NAN; /* the pooled pixel in the middle, channel 2 */
        where[(1 * 3 + 1) * 16 + 2] = 3;      /* pixel (3, 3) */
        akin_pooled()->weights(shape, input, gradient, where, scratch, sum);
        akin_pooled()->data(shape, input, gradient, where, turned, scratch, out);
        for (size_t k = 0; k < 9 * 32 * 16; k++)
            assert_int_equal(!!isnan(sum[k]), k / (9 * 32) == 2);
        for (size_t y = 0; y < 6; y++)
            for (size_t x = 0; x < 6; x++)
                assert_int_equal(!!isnan(out[((y + 1) * 8 + x + 1) * 32]),
                                 y >= 2 && y <= 4 && x >= 2 && x <= 4);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gradients),
                                       cmocka_unit_test(test_not_a_number_shows)};
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(scratch);
    return failed;
}
