/* Laws of the two sums of products: each equals a naive twin in double precision, on shapes with
 * every remainder; the bits of an element do not depend on its block; nothing else is written;
 * backward is the derivative of forward. At every level of this CPU. */
#include "network/conv.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum { ROOM = 1 << 18 }; /* floats; every array of the tests fits */
static float in[ROOM], weights[ROOM], packed[ROOM], out[ROOM], twin[ROOM], alive[ROOM], bias[ROOM];

/* Shapes of the layers (a 3x3 convolution, a parity of a transposed one, a dense layer, ...) and
 * unusual ones. */
typedef struct {
    size_t rows, columns, runs, run, in_column, channels, out_gap;
} shape;
static const shape shapes[] = {
    {1, 1, 1, 1, 1, 32, 0},       {1, 2, 1, 5, 5, 32, 3},     {2, 3, 2, 4, 2, 64, 0},
    {3, 4, 3, 9, 3, 32, 1},       {2, 5, 3, 9, 3, 96, 0},     {2, 6, 1, 7, 9, 32, 0},
    {1, 7, 3, 21, 7, 32, 5},      {4, 8, 2, 13, 6, 64, 0},    {2, 9, 3, 12, 4, 32, 0},
    {1, 10, 1, 31, 31, 32, 0},    {3, 11, 2, 8, 4, 64, 32},   {2, 13, 3, 17, 5, 32, 0},
    {1, 16, 1, 100, 100, 128, 0}, {2, 17, 3, 96, 32, 64, 64}, {5, 23, 3, 6, 2, 32, 0},
    {3, 64, 1, 2, 1, 32, 0},      {2, 67, 3, 10, 3, 32, 7},   {9, 8, 3, 48, 32, 32, 0},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static akin_conv_map map_of(const shape *s) {
    size_t in_row = s->columns * s->in_column + s->run + 3, out_column = s->channels + s->out_gap;
    akin_conv_map map = {s->rows,
                         s->columns,
                         s->runs,
                         s->run,
                         {0, (ptrdiff_t)in_row, (ptrdiff_t)(2 * in_row)},
                         in_row,
                         s->in_column,
                         s->channels,
                         s->columns * out_column + s->out_gap,
                         out_column};
    assert_true((map.rows + 2) * map.in_row < ROOM && map.rows * map.out_row < ROOM);
    assert_true(map.runs * map.run * map.channels < ROOM);
    return map;
}

static float input_at(const akin_conv_map *map, size_t r, size_t c, size_t k) {
    return in[r * map->in_row + c * map->in_column + (size_t)map->offset[k / map->run] +
              k % map->run];
}

/* One element: the chain in double, and the sum of magnitudes, which the error of the float chain
 * is relative to. */
static double chain(const akin_conv_map *map, size_t r, size_t c, size_t channel, double start,
                    double *size) {
    double sum = start;
    *size = fabs(start);
    for (size_t k = 0; k < map->runs * map->run; k++) {
        double product = (double)input_at(map, r, c, k) * weights[k * map->channels + channel];
        sum += product;
        *size += fabs(product);
    }
    return sum;
}

static void assert_near(double value, double expected, double bound, const char *what,
                        size_t which) {
    if (!(fabs(value - expected) <= bound))
        fail_msg("%s, shape %zu (%s): %.9g is not %.9g", what, which,
                 akin_cpu_name(akin_cpu_active()), value, expected);
}

/* A relative error for sums of up to 300 products, each rounded once or twice; far below the worst
 * case. */
static const double RELATIVE = 2e-6;

static void check_multiply(size_t which, const akin_conv_finish *finish) {
    const akin_conv_map map = map_of(&shapes[which]);
    akin_conv()->pack(map.runs * map.run, map.channels, weights, packed);
    memset(out, 0x7f, sizeof out);
    memset(twin, 0x7f, sizeof twin); /* gaps between the results are not written */
    akin_conv()->multiply(&map, in, packed, finish, out);
    for (size_t r = 0; r < map.rows; r++)
        for (size_t c = 0; c < map.columns; c++)
            for (size_t i = 0; i < map.channels; i++) {
                double size;
                double sum = chain(&map, r, c, i, finish->bias ? finish->bias[i] : 0, &size);
                size_t at = r * map.out_row + c * map.out_column + i;
                if (finish->relu && sum <= 0) sum = 0;
                if (finish->alive && finish->alive[at] <= 0) sum = 0;
                assert_near(out[at], sum, RELATIVE * size, "multiply", which);
                twin[at] = out[at];
            }
    assert_same_bytes(out, twin, sizeof out);

    /* Pixel by pixel: the same bits. */
    memset(twin, 0x7f, sizeof twin);
    akin_conv_map one = map;
    one.rows = one.columns = 1;
    for (size_t r = 0; r < map.rows; r++)
        for (size_t c = 0; c < map.columns; c++) {
            size_t at = r * map.out_row + c * map.out_column;
            akin_conv_finish here = *finish;
            if (here.alive) here.alive += at;
            akin_conv()->multiply(&one, in + r * map.in_row + c * map.in_column, packed, &here,
                                  twin + at);
        }
    assert_same_bytes(out, twin, sizeof out);
}

static void test_multiply(void **state) {
    (void)state;
    fill(1, ROOM, in);
    fill(2, ROOM, weights);
    fill(3, ROOM, bias);
    fill(4, ROOM, alive);
    const akin_conv_finish finishes[] = {
        {0}, {.bias = bias}, {.bias = bias, .relu = true}, {.alive = alive}};
    FOR_EACH_LEVEL(level) {
        for (size_t which = 0; which < SHAPES; which++)
            for (size_t f = 0; f < sizeof finishes / sizeof *finishes; f++)
                check_multiply(which, &finishes[f]);
    }
}

/* Channels that are not a multiple of the lanes: the rest becomes zero. */
static void test_pack_pads(void **state) {
    (void)state;
    static float wide[ROOM];
    FOR_EACH_LEVEL(level) {
        for (size_t channels = 1; channels <= 70; channels++) {
            const size_t inputs = 5, padded = (channels + 31) / 32 * 32;
            assert_int_equal(akin_conv_packed_count(inputs, channels), inputs * padded);
            fill(5, inputs * channels, weights);
            memset(wide, 0, sizeof wide);
            for (size_t k = 0; k < inputs; k++)
                memcpy(wide + k * padded, weights + k * channels, channels * sizeof *wide);
            memset(packed, 0x7f, sizeof packed);
            memset(twin, 0x7f, sizeof twin);
            akin_conv()->pack(inputs, channels, weights, packed);
            akin_conv()->pack(inputs, padded, wide, twin);
            assert_same_bytes(packed, twin, sizeof packed);
        }
    }
}

/* The same bits as `multiply`, for any number of items and inputs. */
static void test_dense(void **state) {
    (void)state;
    fill(1, ROOM, in);
    fill(2, ROOM, weights);
    fill(3, ROOM, bias);
    static const size_t inputs[] = {1, 31, 32, 33, 64, 100, 1000};
    FOR_EACH_LEVEL(level) {
        for (size_t items = 1; items <= 17; items++)
            for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
                for (size_t channels = 32; channels <= 128; channels += 96) {
                    const bool relu = items % 2;
                    const akin_conv_map map = {1, items,     1,        inputs[i], {0},
                                               0, inputs[i], channels, 0,         channels};
                    const akin_conv_finish finish = {.bias = bias, .relu = relu};
                    akin_conv()->pack(inputs[i], channels, weights, packed);
                    memset(out, 0x7f, sizeof out);
                    memset(twin, 0x7f, sizeof twin);
                    akin_conv()->multiply(&map, in, packed, &finish, twin);
                    const akin_conv_dense layer = {inputs[i], channels, weights, bias, relu};
                    akin_conv()->dense(items, &layer, in, out);
                    assert_same_bytes(out, twin, sizeof out);
                }
    }
}

static void test_outer(void **state) {
    (void)state;
    fill(1, ROOM, in);
    fill(6, ROOM, out);
    FOR_EACH_LEVEL(level) {
        for (size_t which = 0; which < SHAPES; which++) {
            const akin_conv_map map = map_of(&shapes[which]);
            const size_t inputs = map.runs * map.run;
            fill(7, ROOM, twin);
            akin_conv()->outer(&map, in, out, twin);
            for (size_t k = 0; k < inputs; k++)
                for (size_t i = 0; i < map.channels; i++) {
                    const size_t at = k * map.channels + i;
                    double sum = number(7, at), size = fabs(sum);
                    for (size_t r = 0; r < map.rows; r++)
                        for (size_t c = 0; c < map.columns; c++) {
                            double product = (double)input_at(&map, r, c, k) *
                                             out[r * map.out_row + c * map.out_column + i];
                            sum += product;
                            size += fabs(product);
                        }
                    assert_near(twin[at], sum, RELATIVE * size, "outer", which);
                }
            for (size_t at = inputs * map.channels; at < ROOM; at++)
                assert_true(twin[at] == number(7, at));
        }
    }
}

/* The same as `outer` added to zeros, for any number of items and inputs. */
static void test_dense_outer(void **state) {
    (void)state;
    fill(1, ROOM, in);
    fill(6, ROOM, weights);
    FOR_EACH_LEVEL(level) {
        for (size_t items = 1; items <= 17; items++)
            for (size_t inputs = 1; inputs <= 64; inputs += 7) {
                const size_t channels = items % 2 ? 32 : 96;
                const akin_conv_map map = {1, items,  1,        inputs, {0},
                                           0, inputs, channels, 0,      channels};
                memset(out, 0x7f, sizeof out);
                memset(twin, 0x7f, sizeof twin);
                memset(twin, 0, inputs * channels * sizeof *twin);
                akin_conv()->dense_outer(items, inputs, channels, in, weights, out);
                akin_conv()->outer(&map, in, weights, twin);
                assert_same_bytes(out, twin, sizeof out);
            }
    }
}

static void test_dot(void **state) {
    (void)state;
    fill(1, ROOM, in);
    fill(2, ROOM, weights);
    FOR_EACH_LEVEL(level) {
        for (size_t which = 0; which < SHAPES; which++) {
            akin_conv_map map = map_of(&shapes[which]);
            map.run = (map.run + 15) / 16 * 16;
            map.out_column = 1 + which % 3;
            map.out_row = map.columns * map.out_column;
            map.channels = 1;
            memset(out, 0x7f, sizeof out);
            memset(twin, 0x7f, sizeof twin);
            akin_conv()->dot(&map, in, weights, out);
            for (size_t r = 0; r < map.rows; r++)
                for (size_t c = 0; c < map.columns; c++) {
                    double size, sum = chain(&map, r, c, 0, 0, &size);
                    const size_t at = r * map.out_row + c * map.out_column;
                    assert_near(out[at], sum, RELATIVE * size, "dot", which);
                    twin[at] = out[at];
                }
            assert_same_bytes(out, twin, sizeof out);
        }
    }
}

static void test_turn(void **state) {
    (void)state;
    const size_t in_count = 5, out_count = 7;
    fill(2, 9 * in_count * out_count, weights);
    akin_conv_turn(in_count, out_count, weights, twin);
    for (size_t row = 0; row < 3; row++)
        for (size_t column = 0; column < 3; column++)
            for (size_t i = 0; i < in_count; i++)
                for (size_t o = 0; o < out_count; o++)
                    assert_true(
                        twin[(((2 - row) * 3 + 2 - column) * out_count + o) * in_count + i] ==
                        weights[((row * 3 + column) * in_count + i) * out_count + o]);
}

/* A 3x3 "same" convolution of channels 3 -> 32 on a framed picture: <forward(x, w), y> is linear in
 * w and in x, so its difference along any step is, exactly, the step times the gradient. */
static void test_backward_is_derivative(void **state) {
    (void)state;
    enum { SIDE = 7, IN = 3, OUT = 32, ROW = (SIDE + 2) * IN, GRAD_ROW = (SIDE + 2) * OUT };
    static float x[(SIDE + 2) * ROW], y[(SIDE + 2) * GRAD_ROW], w[9 * IN * OUT],
        turned[9 * IN * OUT];
    static float grad_w[9 * IN * OUT], grad_x[SIDE * SIDE * 32], plain[SIDE * SIDE * OUT];
    const akin_conv_map forward = {SIDE, SIDE, 3,   3 * IN,     {0, ROW, 2 * ROW},
                                   ROW,  IN,   OUT, SIDE * OUT, OUT};
    const akin_conv_map data = {SIDE,     SIDE, 3,  3 * OUT,   {0, GRAD_ROW, 2 * GRAD_ROW},
                                GRAD_ROW, OUT,  32, SIDE * 32, 32};
    akin_conv_map weight = forward;
    weight.out_row = GRAD_ROW;
    const akin_conv_finish finish = {0};
    fill(10, 9 * IN * OUT, w);
    for (size_t r = 0; r < SIDE; r++) {
        fill((uint32_t)(20 + r), SIDE * IN, x + (r + 1) * ROW + IN);
        fill((uint32_t)(40 + r), SIDE * OUT, y + (r + 1) * GRAD_ROW + OUT);
    }
    akin_conv_turn(IN, OUT, w, turned);
    FOR_EACH_LEVEL(level) {
        akin_conv()->pack(9 * IN, OUT, w, packed);
        akin_conv()->multiply(&forward, x, packed, &finish, plain);
        memset(grad_w, 0, sizeof grad_w);
        akin_conv()->outer(&weight, x, y + GRAD_ROW + OUT, grad_w);
        akin_conv()->pack(9 * OUT, IN, turned, packed);
        akin_conv()->multiply(&data, y, packed, &finish, grad_x);
        double by_result = 0, by_weight = 0, by_input = 0, size = 0;
        for (size_t r = 0; r < SIDE; r++)
            for (size_t c = 0; c < SIDE; c++) {
                for (size_t i = 0; i < OUT; i++) {
                    double product = (double)plain[(r * SIDE + c) * OUT + i] *
                                     y[(r + 1) * GRAD_ROW + (c + 1) * OUT + i];
                    by_result += product;
                    size += fabs(product);
                }
                for (size_t i = 0; i < IN; i++)
                    by_input += (double)x[(r + 1) * ROW + (c + 1) * IN + i] *
                                grad_x[(r * SIDE + c) * 32 + i];
            }
        for (size_t k = 0; k < 9 * IN * OUT; k++) by_weight += (double)w[k] * grad_w[k];
        assert_near(by_weight, by_result, 1e-6 * size, "weight gradient", 0);
        assert_near(by_input, by_result, 1e-6 * size, "data gradient", 0);
    }
}

static void test_not_a_number_stays(void **state) {
    (void)state;
    const akin_conv_map map = {1, 7, 1, 3, {0}, 0, 3, 32, 0, 32};
    FOR_EACH_LEVEL(level) {
        fill(1, 21, in);
        fill(2, 3 * 32, weights);
        in[10] = NAN; /* pixel 3 */
        akin_conv()->pack(3, 32, weights, packed);
        const akin_conv_finish finish = {.relu = true};
        akin_conv()->multiply(&map, in, packed, &finish, out);
        for (size_t i = 0; i < 7 * 32; i++) assert_int_equal(!!isnan(out[i]), i / 32 == 3);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_multiply),
        cmocka_unit_test(test_pack_pads),
        cmocka_unit_test(test_dense),
        cmocka_unit_test(test_outer),
        cmocka_unit_test(test_dense_outer),
        cmocka_unit_test(test_dot),
        cmocka_unit_test(test_turn),
        cmocka_unit_test(test_backward_is_derivative),
        cmocka_unit_test(test_not_a_number_stays),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
