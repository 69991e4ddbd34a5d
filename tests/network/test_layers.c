/* Laws of the layers between the sums of products: each equals a naive twin on odd sizes; gradients
 * of the loss equal differences; ties and NaN as documented. At every level of this CPU. */
#include "network/layers.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum { ROOM = 20000 };
static float in[ROOM], out[ROOM], twin[ROOM], target[ROOM];
static uint8_t where[ROOM], twin_where[ROOM], bytes[ROOM];
static const size_t counts[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 96, 100, 1001};
#define FOR_EACH_COUNT(n)                                                                          \
    for (size_t k_ = 0, n; k_ < sizeof counts / sizeof *counts && (n = counts[k_], true); k_++)

static void test_from_bytes(void **state) {
    (void)state;
    for (size_t i = 0; i < ROOM; i++) bytes[i] = (uint8_t)i;
    FOR_EACH_LEVEL(level) {
        FOR_EACH_COUNT(n) {
            memset(out, 0x7f, sizeof out);
            akin_layers()->from_bytes(n, bytes, out);
            for (size_t i = 0; i < n; i++) assert_true(out[i] == (float)(uint8_t)i / 255.0F);
            assert_true(out[n] > 3e38F); /* not written */
        }
    }
}

/* Small integers from `least` on: with many ties, also at zero. */
static void fill_tied(int least) {
    for (size_t i = 0; i < ROOM; i++) in[i] = (float)((int)(mix((uint32_t)i) % 7) + least);
}

static void test_pool_and_back(void **state) {
    (void)state;
    fill_tied(0);
    FOR_EACH_LEVEL(level) {
        for (size_t columns = 1; columns <= 5; columns++)
            for (size_t channels = 1; channels <= 70; channels += 3) {
                memset(out, 0x7f, sizeof out);
                memset(twin, 0x7f, sizeof twin);
                memset(where, 9, sizeof where);
                memset(twin_where, 9, sizeof twin_where);
                akin_layers()->pool(columns, channels, in, out, where);
                for (size_t c = 0; c < columns; c++)
                    for (size_t i = 0; i < channels; i++) {
                        const float *corner = in + 2 * c * channels + i;
                        const float four[4] = {corner[0], corner[channels],
                                               corner[2 * columns * channels],
                                               corner[2 * columns * channels + channels]};
                        uint8_t best = 0;
                        for (uint8_t k = 1; k < 4; k++)
                            if (four[k] > four[best]) best = k;
                        twin[c * channels + i] = four[best];
                        twin_where[c * channels + i] = best;
                    }
                assert_same_bytes(out, twin, sizeof out);
                assert_same_bytes(where, twin_where, sizeof where);
                memset(out, 0x7f, sizeof out);
                akin_layers()->pool(columns, channels, in, out, NULL);
                assert_same_bytes(out, twin, sizeof out);

                /* Backward: each value goes to where it was taken from, in rows with a gap between
                 * them. */
                const size_t row = 2 * columns * channels + 5;
                fill(8, columns * channels, target);
                memset(out, 0x7f, sizeof out);
                memset(twin, 0x7f, sizeof twin);
                akin_layers()->unpool(columns, channels, target, where, row, out);
                for (size_t c = 0; c < columns; c++)
                    for (size_t i = 0; i < channels; i++)
                        for (size_t k = 0; k < 4; k++)
                            twin[k / 2 * row + (2 * c + k % 2) * channels + i] =
                                where[c * channels + i] == k ? target[c * channels + i] : 0;
                assert_same_bytes(out, twin, sizeof out);
            }
    }
}

static void test_not_a_number_is_greatest(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        for (size_t k = 0; k < 4; k++) {
            for (size_t i = 0; i < 4 * 3; i++) in[i] = (float)i;
            in[k / 2 * 6 + k % 2 * 3 + 1] =
                k < 2 ? NAN : -NAN; /* NaNs made by the CPU have a sign */
            akin_layers()->pool(1, 3, in, out, where);
            assert_true(!isnan(out[0]) && isnan(out[1]) && !isnan(out[2]));
            assert_int_equal(where[1], k);
        }
    }
}

static void test_relu_gradient(void **state) {
    (void)state;
    fill_tied(-3);
    in[4] = NAN;
    FOR_EACH_LEVEL(level) {
        FOR_EACH_COUNT(n) {
            fill(9, n + 1, out);
            akin_layers()->relu_gradient(n, in, out);
            for (size_t i = 0; i <= n; i++)
                assert_true(out[i] == (i < n && in[i] <= 0 ? 0 : number(9, i)));
        }
    }
}

static void test_bias_gradient(void **state) {
    (void)state;
    fill(1, ROOM, in);
    FOR_EACH_LEVEL(level) {
        for (size_t rows = 1; rows <= 4; rows++)
            for (size_t columns = 1; columns <= 9; columns++)
                for (size_t channels = 1; channels <= 97; channels += 8) {
                    const size_t column = channels + rows, row = columns * column + 3;
                    assert_true(rows * row < ROOM);
                    fill(2, channels + 1, out);
                    akin_layers()->bias_gradient(rows, columns, channels, row, column, in, out);
                    for (size_t i = 0; i < channels; i++) {
                        double sum = number(2, i);
                        for (size_t r = 0; r < rows; r++)
                            for (size_t c = 0; c < columns; c++)
                                sum += in[r * row + c * column + i];
                        assert_true(fabs(out[i] - sum) < 5e-6);
                    }
                    assert_true(out[channels] == number(2, channels));
                }
    }
}

/* One row of a 3x3 "same" convolution from its products, with and without neighbours above and
 * below. */
static void test_collect(void **state) {
    (void)state;
    fill(1, ROOM, in);
    fill(2, 4, target);
    FOR_EACH_LEVEL(level) {
        for (size_t columns = 1; columns <= 9; columns++)
            for (size_t channels = 2; channels <= 4; channels++)
                for (size_t edge = 0; edge < 4; edge++) {
                    const size_t lanes = 9 * channels + 4 - channels + columns % 3;
                    const float *const products[3] = {edge & 1 ? NULL : in, in + columns * lanes,
                                                      edge & 2 ? NULL : in + 2 * columns * lanes};
                    memset(out, 0x7f, sizeof out);
                    akin_layers()->collect(columns, channels, lanes, products, target, out);
                    for (size_t c = 0; c < columns; c++)
                        for (size_t i = 0; i < channels; i++) {
                            double sum = target[i];
                            for (size_t tap = 0; tap < 9; tap++) {
                                size_t from = c + tap % 3; /* one more than the column */
                                if (!products[tap / 3] || from < 1 || from > columns) continue;
                                sum += products[tap / 3][(from - 1) * lanes + tap * channels + i];
                            }
                            assert_true(fabs(out[c * channels + i] - sum) < 2e-6);
                        }
                    assert_true(out[columns * channels] > 3e38F);
                }
    }
}

static void test_sigmoid(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        for (size_t part = 0; part < 200; part++) { /* -100 to 100 */
            for (size_t i = 0; i < 1001; i++) in[i] = (float)part - 100 + (float)i / 1001;
            akin_layers()->sigmoid(1001, in, out);
            for (size_t i = 0; i < 1001; i++) {
                double x = in[i] < -87 ? -87 : in[i], expected = 1 / (1 + exp(-x));
                assert_true(fabs(out[i] - expected) <= 3e-7 * expected);
            }
        }
        in[0] = NAN, in[1] = INFINITY, in[2] = -INFINITY, in[3] = 0;
        akin_layers()->sigmoid(4, in, out);
        assert_true(isnan(out[0]) && out[1] == 1 && out[2] >= 0 && out[2] < 2e-38F &&
                    out[3] == 0.5F);
        FOR_EACH_COUNT(n) { /* the same bits wherever an element is */
            fill(1, n, in);
            memset(out, 0x7f, sizeof out);
            akin_layers()->sigmoid(n, in, out);
            for (size_t i = 0; i < n; i++) {
                akin_layers()->sigmoid(1, in + i, twin);
                assert_true(twin[0] == out[i]);
            }
            assert_true(out[n] > 3e38F);
        }
    }
}

static double loss_of(size_t n, const float *y, const float *t) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += ((double)y[i] - t[i]) * ((double)y[i] - t[i]);
    return sum;
}

static void test_loss_and_its_difference(void **state) {
    (void)state;
    const float scale = 0.375F;
    fill(1, ROOM, in);
    for (size_t i = 0; i < ROOM; i++) target[i] = (number(2, i) + 1) / 2;
    FOR_EACH_LEVEL(level) {
        FOR_EACH_COUNT(n) {
            akin_layers()->sigmoid(n, in, out);
            memset(twin, 0x7f, sizeof twin);
            const double sum = loss_of(n, out, target);
            assert_true(fabs(akin_layers()->loss(n, out, target, scale, NULL) - sum) <= 1e-6 * sum);
            assert_true(fabs(akin_layers()->loss(n, out, target, scale, twin) - sum) <= 1e-6 * sum);
            for (size_t i = 0; i < n; i++) {
                const double step = 1e-4, high = 1 / (1 + exp(-(in[i] + step))),
                             low = 1 / (1 + exp(-(in[i] - step)));
                const double t = target[i];
                const double difference =
                    scale * ((high - t) * (high - t) - (low - t) * (low - t)) / (2 * step);
                assert_true(fabs(twin[i] - difference) <= 1e-6);
            }
            assert_true(twin[n] > 3e38F);
        }
    }
}

static void test_exponentials(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        FOR_EACH_COUNT(n) {
            const float factor = 3, shift = 2;
            double sum = 0;
            for (size_t i = 0; i < n; i++) in[i] = 4 * number(7, i);
            memset(out, 0x7f, sizeof out);
            double found = akin_layers()->exponentials(n, factor, shift, in, out);
            for (size_t i = 0; i < n; i++) {
                double expected = exp((double)factor * (double)in[i] - (double)shift);
                assert_true(fabs((double)out[i] / expected - 1) <
                            3e-6); /* the exponent is rounded, too */
                sum += (double)out[i];
            }
            assert_true(out[n] > 3e38F); /* not written */
            assert_true(fabs(found / sum - 1) < 1e-12);
            memcpy(twin, in, sizeof in);
            assert_true(found == akin_layers()->exponentials(n, factor, shift, twin, twin));
            assert_same_bytes(twin, out, n * sizeof *out);
        }
        in[0] = -1e30F, in[1] = NAN;
        akin_layers()->exponentials(2, 1, 0, in, out);
        assert_true(out[0] >= 0 && out[0] < 2e-38F && isnan(out[1]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_bytes),
        cmocka_unit_test(test_pool_and_back),
        cmocka_unit_test(test_not_a_number_is_greatest),
        cmocka_unit_test(test_relu_gradient),
        cmocka_unit_test(test_bias_gradient),
        cmocka_unit_test(test_collect),
        cmocka_unit_test(test_sigmoid),
        cmocka_unit_test(test_loss_and_its_difference),
        cmocka_unit_test(test_exponentials),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
