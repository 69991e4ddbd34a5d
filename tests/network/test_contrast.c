/* Laws of the contrastive loss: equal to a naive twin in double precision; its gradients with
 * respect to the latents, the head and, through the network, every tensor of the encoder equal
 * finite differences; a single picture has nothing to be distinguished from; it is deterministic.
 */
#include <akin/mem.h>
#include <akin/network.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum {
    LATENT = AKIN_NETWORK_LATENT,
    HIDDEN = AKIN_NETWORK_HEAD_HIDDEN,
    GROUP = AKIN_CONTRAST_GROUP,
    HEAD = AKIN_NETWORK_HEAD,
    WEIGHTS = AKIN_NETWORK_WEIGHTS,
    IMAGE = 3072,
};

static float weights[WEIGHTS], gradient[WEIGHTS], again[WEIGHTS];
static float latents[2 * GROUP * LATENT], pull[2 * GROUP * LATENT], pull_again[2 * GROUP * LATENT];
static akin_contrast *contrast;

/* Second views are close to the first ones; biases are not zero. */
static void make_numbers(size_t count) {
    akin_network_initialise(5, weights);
    akin_network_initialise_head(5, weights);
    for (size_t i = HEAD; i < WEIGHTS; i++) weights[i] += 0.05F * number(1, i);
    for (size_t i = 0; i < count * LATENT; i++) {
        latents[i] = 2 * number(2, i);
        latents[count * LATENT + i] = latents[i] + 0.5F * number(3, i);
    }
}

static int setup(void **state) {
    (void)state;
    return akin_contrast_create(&contrast) != AKIN_OK;
}

static int teardown(void **state) {
    (void)state;
    akin_contrast_free(contrast);
    return 0;
}

/* --- the twin --- */

static void direction(const float *latent, const float *head, double unit[LATENT]) {
    const float *bias1 = head + LATENT * HIDDEN, *weight2 = bias1 + HIDDEN,
                *bias2 = weight2 + HIDDEN * LATENT;
    double hidden[HIDDEN], square = 0;
    for (size_t h = 0; h < HIDDEN; h++) {
        hidden[h] = (double)bias1[h];
        for (size_t i = 0; i < LATENT; i++)
            hidden[h] += (double)latent[i] * (double)head[i * HIDDEN + h];
        hidden[h] = fmax(hidden[h], 0);
    }
    for (size_t k = 0; k < LATENT; k++) {
        unit[k] = (double)bias2[k];
        for (size_t h = 0; h < HIDDEN; h++) unit[k] += hidden[h] * (double)weight2[h * LATENT + k];
        square += unit[k] * unit[k];
    }
    for (size_t k = 0; k < LATENT; k++) unit[k] /= sqrt(square);
}

static double twin(const float *of, const float *head, size_t count, double temperature) {
    static double units[2 * GROUP][LATENT];
    double sum = 0;
    for (size_t a = 0; a < 2 * count; a++) direction(of + a * LATENT, head, units[a]);
    for (size_t a = 0; a < 2 * count; a++) {
        double total = 0, same = 0;
        for (size_t b = 0; b < 2 * count; b++) {
            double cosine = 0;
            for (size_t k = 0; k < LATENT; k++) cosine += units[a][k] * units[b][k];
            if (b != a) total += exp(cosine / temperature);
            if (b == (a + count) % (2 * count)) same = exp(cosine / temperature);
        }
        sum -= log(same / total);
    }
    return sum;
}

static void test_twin(void **state) {
    (void)state;
    static const size_t counts[] = {2, 3, 7, 16, 33, 100, GROUP};
    static const float temperatures[] = {0.05F, 0.2F, 1};
    FOR_EACH_LEVEL(level) {
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
            for (size_t t = 0; t < 3; t++) {
                make_numbers(counts[k]);
                double expected = twin(latents, weights + HEAD, counts[k], (double)temperatures[t]);
                double found = akin_contrast_loss(
                    contrast, weights, &(akin_contrast_views){latents, counts[k], temperatures[t]},
                    0, NULL, NULL);
                if (!(fabs(found - expected) <= 1e-5 * fabs(expected) + 1e-5 * (double)counts[k]))
                    fail_msg("%zu pictures at %g: %.9g, not %.9g", counts[k],
                             (double)temperatures[t], found, expected);
            }
    }
}

/* --- gradients --- */

/* The twin's loss with one number moved in each direction. */
static double difference(float *at, const float *of, const float *head, size_t count,
                         double temperature) {
    const float kept = *at, step = 1e-4F;
    *at = kept + step;
    double up = twin(of, head, count, temperature), width = (double)*at;
    *at = kept - step;
    double down = twin(of, head, count, temperature);
    width -= (double)*at;
    *at = kept;
    return (up - down) / width;
}

static double norm(const float *values, size_t count) {
    double squares = 0;
    for (size_t i = 0; i < count; i++) squares += (double)values[i] * (double)values[i];
    return sqrt(squares / (double)count);
}

/* Each element of a vector's gradient, or some of many, to a thousandth of its usual size. */
static void assert_differences(const char *what, float *values, size_t all, size_t stride,
                               const float *found, double scale, size_t count, double temperature) {
    const double usual = norm(found, all) / scale;
    for (size_t i = 0; i < all; i += stride) {
        double by_hand = difference(&values[i], latents, weights + HEAD, count, temperature);
        if (!(fabs((double)found[i] / scale - by_hand) <= 5e-3 * usual))
            fail_msg("%s %zu of %zu pictures: %g, not %g (usual %g)", what, i, count,
                     (double)found[i] / scale, by_hand, usual);
    }
}

static void test_gradients_are_differences(void **state) {
    (void)state;
    static const size_t counts[] = {2, 5, 21};
    const double scale = 0.125;
    FOR_EACH_LEVEL(level) {
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            const size_t count = counts[k];
            make_numbers(count);
            memset(gradient, 0, sizeof gradient);
            akin_contrast_loss(contrast, weights, &(akin_contrast_views){latents, count, 0.3F},
                               (float)scale, pull, gradient);
            for (size_t i = 0; i < HEAD; i++) assert_true(gradient[i] == 0); /* not its own */
            assert_differences("latent", latents, 2 * count * LATENT, 1 + count * 3, pull, scale,
                               count, 0.3);
            const size_t parts[] = {0, 2048, 2112, 4160,
                                    4192}; /* weights and biases of both layers */
            for (size_t p = 0; p < 4; p++)
                assert_differences("head", weights + HEAD + parts[p], parts[p + 1] - parts[p],
                                   p % 2 ? 3 : 97, gradient + HEAD + parts[p], scale, count, 0.3);
        }
    }
}

/* --- through the network --- */

enum { PICTURES = 3 };
static uint8_t views[2][PICTURES * IMAGE];
static akin_network *net;

/* For both views' latents, with a tensor moved by `step` along its gradient. */
static double loss_along(const akin_network_tensor *tensor, double length, double step) {
    static float moved[WEIGHTS], of[2 * PICTURES * LATENT];
    memcpy(moved, weights, sizeof moved);
    for (size_t e = tensor->offset; e < tensor->offset + tensor->count; e++)
        moved[e] += (float)(step / length * (double)gradient[e]);
    for (size_t v = 0; v < 2; v++)
        akin_network_encode(net, moved, views[v], PICTURES, of + v * PICTURES * LATENT);
    return twin(of, moved + HEAD, PICTURES, 0.5);
}

static double length_of(const akin_network_tensor *tensor) {
    return norm(gradient + tensor->offset, tensor->count) * sqrt((double)tensor->count);
}

/* As in test_network.c, and with the same tolerance. The decoder is not involved. */
static void test_through_the_network(void **state) {
    (void)state;
    size_t count;
    const akin_network_tensor *tensors = akin_network_tensors(&count);
    assert_int_equal(akin_network_create(&net), AKIN_OK);
    for (size_t b = 0; b < sizeof views[0]; b++) {
        views[0][b] = (uint8_t)(mix((uint32_t)b) >> 24);
        views[1][b] = (uint8_t)(views[0][b] / 2 + (mix((uint32_t)b + 9999) >> 25));
    }
    FOR_EACH_LEVEL(level) {
        make_numbers(0);
        for (size_t v = 0; v < 2; v++)
            akin_network_encode(net, weights, views[v], PICTURES, latents + v * PICTURES * LATENT);
        memset(gradient, 0, sizeof gradient);
        akin_contrast_loss(contrast, weights, &(akin_contrast_views){latents, PICTURES, 0.5F}, 1,
                           pull, gradient);
        for (size_t v = 0; v < 2; v++) {
            const akin_network_task task = {
                .images = views[v], .count = PICTURES, .pull = pull + v * PICTURES * LATENT};
            assert_true(akin_network_gradient(net, weights, &task, again, NULL, NULL) == 0);
            for (size_t e = 0; e < HEAD; e++) gradient[e] += again[e];
        }
        for (size_t t = 0; t < count; t++) {
            double length = length_of(&tensors[t]), step = 2e-4;
            bool decoder = t >= 8 && t < count - AKIN_NETWORK_HEAD_TENSORS;
            assert_true((length == 0) == decoder);
            if (decoder) continue;
            double slope =
                (loss_along(&tensors[t], length, step) - loss_along(&tensors[t], length, -step)) /
                (2 * step);
            if (!(fabs(slope / length - 1) <= 0.02))
                fail_msg("%s (%s): gradient %g, difference %g", tensors[t].name,
                         akin_cpu_name(akin_cpu_active()), length, slope);
        }
    }
    akin_network_free(net);
}

/* --- other properties --- */

static void test_a_picture_alone(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        make_numbers(1);
        assert_true(
            fabs(akin_contrast_loss(contrast, weights, &(akin_contrast_views){latents, 1, 0.1F}, 1,
                                    pull, gradient)) < 1e-5);
        for (size_t i = 0; i < 2 * LATENT; i++) assert_true(fabsf(pull[i]) < 1e-5F);
    }
}

/* Bit for bit, whatever was computed before. */
static void test_a_function(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        make_numbers(GROUP);
        akin_contrast_loss(contrast, weights, &(akin_contrast_views){latents, GROUP, 0.2F}, 1,
                           pull_again, again);
        make_numbers(40);
        double sum = akin_contrast_loss(
            contrast, weights, &(akin_contrast_views){latents, 40, 0.2F}, 0.5F, pull, gradient);
        akin_contrast_loss(contrast, weights, &(akin_contrast_views){latents + 64, 17, 1}, 3,
                           pull_again, again);
        memcpy(again, gradient, sizeof again);
        memset(again + HEAD, 0xff, (WEIGHTS - HEAD) * sizeof *again);
        assert_true(sum == akin_contrast_loss(contrast, weights,
                                              &(akin_contrast_views){latents, 40, 0.2F}, 0.5F,
                                              pull_again, again));
        assert_same_bytes(pull_again, pull, (size_t)80 * LATENT * sizeof *pull);
        assert_same_bytes(again, gradient, sizeof again);
    }
}

static void test_not_a_number_shows(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        make_numbers(9);
        latents[100] = NAN;
        assert_true(isnan(akin_contrast_loss(
            contrast, weights, &(akin_contrast_views){latents, 9, 0.2F}, 1, pull, gradient)));
        make_numbers(9);
        weights[WEIGHTS - 1] = NAN;
        assert_true(isnan(akin_contrast_loss(
            contrast, weights, &(akin_contrast_views){latents, 9, 0.2F}, 1, pull, gradient)));
    }
}

/* Latents that are all equal have no direction of their own: everything is finite and the same. */
static void test_collapsed_latents(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        make_numbers(8);
        memset(latents, 0, sizeof latents);
        double sum = akin_contrast_loss(contrast, weights, &(akin_contrast_views){latents, 8, 0.2F},
                                        1, pull, gradient);
        assert_true(fabs(sum / 16 - log(15)) < 1e-4);
        memset(weights + HEAD, 0, (WEIGHTS - HEAD) * sizeof *weights);
        assert_true(isfinite(akin_contrast_loss(
            contrast, weights, &(akin_contrast_views){latents, 8, 0.2F}, 1, pull, gradient)));
        for (size_t i = 0; i < 16 * LATENT; i++) assert_true(isfinite(pull[i]));
    }
}

/* A black picture before the first step: all biases are zero, so its latents and the head's output
 * are too. It has no direction, and has no effect. */
static void test_a_view_without_direction(void **state) {
    (void)state;
    enum { COUNT = 4 };
    make_numbers(COUNT);
    akin_network_initialise_head(5, weights);
    for (size_t view = 0; view < 2; view++)
        memset(latents + view * COUNT * LATENT, 0, LATENT * sizeof *latents);
    double loss = akin_contrast_loss(
        contrast, weights, &(akin_contrast_views){latents, COUNT, 0.2F}, 0.01F, pull, gradient);
    assert_true(isfinite(loss));
    for (size_t i = 0; i < 2 * COUNT * LATENT; i++) assert_true(fabsf(pull[i]) < 10);
    for (size_t i = HEAD; i < WEIGHTS; i++) assert_true(fabsf(gradient[i]) < 10);
    for (size_t i = 0; i < LATENT; i++) assert_true(pull[i] == 0);
}

static void test_memory_fails(void **state) {
    (void)state;
    akin_contrast *none = contrast;
    akin_mem_fail_at(1);
    assert_int_equal(akin_contrast_create(&none), AKIN_FAILED);
    akin_mem_fail_at(0);
    assert_null(none);
    akin_contrast_free(none);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twin),
        cmocka_unit_test(test_gradients_are_differences),
        cmocka_unit_test(test_through_the_network),
        cmocka_unit_test(test_a_picture_alone),
        cmocka_unit_test(test_a_function),
        cmocka_unit_test(test_not_a_number_shows),
        cmocka_unit_test(test_collapsed_latents),
        cmocka_unit_test(test_a_view_without_direction),
        cmocka_unit_test(test_memory_fails),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, setup, teardown);
}
