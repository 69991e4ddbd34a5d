/* Laws of the pooled convolution by Winograd's method: equal to a naive twin in double precision,
 * with each maximum at a place where the twin has it, the first one if all are zero; the bits of a
 * result do not depend on its position in the picture; a NaN propagates; nothing else is written.
 * At every level of this CPU. */
#include "network/winograd.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum { ROOM = 1 << 17 };
static float input[ROOM], weights[ROOM], bias[256], out[ROOM];
static double twin_out[4 * ROOM];
static uint8_t where[ROOM];
static float *scratch, *packed;

static const akin_pooled_shape shapes[] = {{1, 1, 16, 32},  {1, 2, 32, 32},  {3, 1, 48, 64},
                                           {3, 3, 16, 96},  {5, 7, 32, 32},  {8, 8, 32, 64},
                                           {7, 10, 16, 32}, {11, 13, 16, 32}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Scratch memory and packed weights have exactly the documented size, so that a sanitizer detects
 * accesses beyond them. */
static void make(const akin_pooled_shape *shape, float offset) {
    const size_t framed = (2 * shape->rows + 2) * (2 * shape->columns + 2) * shape->in;
    assert_true(framed < ROOM && 9 * shape->in * shape->out < ROOM &&
                4 * shape->rows * shape->columns * shape->out < 4 * ROOM);
    scratch = realloc(scratch, AKIN_WINOGRAD_SCRATCH(shape->in) * sizeof *scratch);
    packed = realloc(packed, AKIN_WINOGRAD_PACKED(shape->in, shape->out) * sizeof *packed);
    assert_true(scratch && packed);
    fill(1, framed, input);
    fill(2, 9 * shape->in * shape->out, weights);
    fill(3, shape->out, bias);
    for (size_t o = 0; o < shape->out; o++) bias[o] += offset;
    memset(out, 0x7f, sizeof out);
    memset(where, 0x7f, sizeof where);
}

/* Result o of pixel (y, x), not pooled. */
static double one(const akin_pooled_shape *shape, size_t y, size_t x, size_t o) {
    const size_t width = 2 * shape->columns + 2;
    double sum = bias[o];
    for (size_t tap = 0; tap < 9; tap++)
        for (size_t i = 0; i < shape->in; i++)
            sum += (double)input[((y + tap / 3) * width + x + tap % 3) * shape->in + i] *
                   weights[(tap * shape->in + i) * shape->out + o];
    return sum > 0 ? sum : 0;
}

static void twin(const akin_pooled_shape *shape) {
    for (size_t t = 0; t < shape->rows * shape->columns; t++)
        for (size_t k = 0; k < 4; k++)
            for (size_t o = 0; o < shape->out; o++)
                twin_out[(t * 4 + k) * shape->out + o] =
                    one(shape, t / shape->columns * 2 + k / 2, t % shape->columns * 2 + k % 2, o);
}

static void run(const akin_pooled_shape *shape, uint8_t *places) {
    akin_winograd()->pack(shape->in, shape->out, weights, packed);
    akin_winograd()->forward(shape, input, packed, bias, scratch, out, places);
}

static void check(const akin_pooled_shape *shape) {
    const size_t pooled = shape->rows * shape->columns * shape->out;
    for (size_t at = 0; at < pooled; at++) {
        const double *four = twin_out + at / shape->out * 4 * shape->out + at % shape->out;
        double best = 0;
        for (size_t k = 0; k < 4; k++) best = fmax(best, four[k * shape->out]);
        assert_true(fabs(out[at] - best) < 1e-5);
        assert_true(where[at] < 4 && fabs(four[where[at] * shape->out] - best) < 1e-5);
        if (best == 0 && out[at] == 0) assert_int_equal(where[at], 0);
    }
    assert_true(out[pooled] > 3e38F && where[pooled] == 0x7f);
}

static void test_it_is_the_convolution(void **state) {
    (void)state;
    for (size_t s = 0; s < SHAPES; s++)
        for (int offset = -4; offset <= 4; offset += 4) { /* -4: most are zero */
            make(&shapes[s], (float)offset);
            twin(&shapes[s]);
            FOR_EACH_LEVEL(level) {
                make(&shapes[s], (float)offset);
                run(&shapes[s], where);
                check(&shapes[s]);
                memset(out, 0x7f, sizeof out);
                run(&shapes[s], NULL); /* places are not requested; the previous ones stay */
                check(&shapes[s]);
            }
        }
}

static void test_bits_do_not_depend_on_the_place(void **state) {
    (void)state;
    const akin_pooled_shape *shape = &shapes[5];
    const size_t width = 2 * shape->columns + 2, height = 2 * shape->rows + 2;
    FOR_EACH_LEVEL(level) {
        make(shape, 0);
        for (size_t y = 0; y < height; y++) /* every tile gets the same input */
            for (size_t x = 0; x < width; x++)
                fill((uint32_t)(y % 2 * 2 + x % 2 + 7), shape->in,
                     input + (y * width + x) * shape->in);
        run(shape, where);
        for (size_t at = shape->out; at < shape->rows * shape->columns * shape->out; at++) {
            assert_memory_equal(&out[at], &out[at % shape->out], sizeof *out);
            assert_int_equal(where[at], where[at % shape->out]);
        }
    }
}

static void test_not_a_number_shows(void **state) {
    (void)state;
    const akin_pooled_shape *shape = &shapes[4];
    const size_t width = 2 * shape->columns + 2;
    FOR_EACH_LEVEL(level) {
        make(shape, 0);
        input[(3 * width + 4) * shape->in + 5] =
            NAN; /* of the framed picture; tiles of rows 0 and 1, columns 1 and 2 */
        run(shape, where);
        for (size_t t = 0; t < shape->rows * shape->columns; t++) {
            const size_t row = t / shape->columns, column = t % shape->columns;
            const bool sees = row <= 1 && (column == 1 || column == 2);
            for (size_t o = 0; o < shape->out; o++)
                assert_int_equal(!!isnan(out[t * shape->out + o]), sees);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_the_convolution),
        cmocka_unit_test(test_bits_do_not_depend_on_the_place),
        cmocka_unit_test(test_not_a_number_shows),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(scratch);
    free(packed);
    return failed;
}
