/* Laws of the network: the numbers of an independent implementation; gradients equal finite
 * differences; a latent depends on its picture alone, and initial weights on the seed alone. At
 * every level of this CPU. */
#include <akin/mem.h>
#include <akin/network.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "golden_step.h"
#include "levels.h"
#include "train/adam.h"

enum { BATCH = AKIN_NETWORK_MICRO_BATCH, IMAGE = 3072, LATENT = AKIN_NETWORK_LATENT };

static float weights[AKIN_NETWORK_WEIGHTS], gradient[AKIN_NETWORK_WEIGHTS];
static float mean[AKIN_NETWORK_WEIGHTS], variance[AKIN_NETWORK_WEIGHTS];
static uint8_t images[BATCH * IMAGE];
static akin_network *net;

/* The kernels that this module uses. */
static const akin_network_tensor *own_tensors(size_t *count) {
    const akin_network_tensor *tensors = akin_network_tensors(count);
    *count -= AKIN_NETWORK_HEAD_TENSORS;
    return tensors;
}

/* The gradient of reconstructing `count` of the images, starting with the first one, as themselves.
 */
static double gradient_of(size_t first, size_t count, float scale, float *out) {
    const uint8_t *at = images + first * IMAGE;
    const akin_network_task task = {.images = at, .targets = at, .count = count, .scale = scale};
    return akin_network_gradient(net, weights, &task, out, NULL, NULL);
}

/* Weights and pictures of golden_step.py. */
static void make_golden(void) {
    size_t count;
    const akin_network_tensor *tensors = own_tensors(&count);
    for (size_t t = 0; t < count; t++) {
        size_t fans = tensors[t].fan_in + tensors[t].fan_out;
        double limit = fans ? sqrt(6.0 / (double)fans) : 0.1;
        for (size_t e = 0; e < tensors[t].count; e++)
            weights[tensors[t].offset + e] =
                (float)((2 * (mix((uint32_t)(e + 1000003 * t)) / 4294967296.0) - 1) * limit);
    }
    for (size_t b = 0; b < sizeof images; b++)
        images[b] = (uint8_t)(mix((uint32_t)b + 123456789) >> 24);
}

static int setup(void **state) {
    (void)state;
    make_golden();
    return akin_network_create(&net) != AKIN_OK;
}

static int teardown(void **state) {
    (void)state;
    akin_network_free(net);
    return 0;
}

/* Against golden [sum, norm, samples...]: each to `tolerance` of the norm; the sum, which may
 * consist of many elements of one sign, to ten times that. */
static void assert_golden(const char *what, size_t count, const float *values, const double *golden,
                          double tolerance) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
        squares += (double)values[i] * values[i];
    }
    const double bound = tolerance * golden[1];
    bool right = fabs(sum - golden[0]) <= 10 * bound && fabs(sqrt(squares) - golden[1]) <= bound;
    for (size_t k = 0; k < GOLDEN_SAMPLES; k++)
        right =
            right && fabs(values[k * (count - 1) / (GOLDEN_SAMPLES - 1)] - golden[2 + k]) <= bound;
    if (!right) fail_msg("%s (%s): not the golden numbers", what, akin_cpu_name(akin_cpu_active()));
}

static void assert_golden_tensors(const float *vector, const double golden[][2 + GOLDEN_SAMPLES],
                                  double tolerance) {
    size_t count;
    const akin_network_tensor *tensors = own_tensors(&count);
    for (size_t t = 0; t < count; t++)
        assert_golden(tensors[t].name, tensors[t].count, vector + tensors[t].offset, golden[t],
                      tolerance);
}

static void test_golden_step(void **state) {
    (void)state;
    static float output[GOLDEN_COUNT * IMAGE];
    float latent[GOLDEN_COUNT * LATENT];
    FOR_EACH_LEVEL(level) {
        make_golden();
        akin_network_encode(net, weights, images, GOLDEN_COUNT, latent);
        double sum = akin_network_reconstruct(net, weights, images, GOLDEN_COUNT, output);
        assert_true(fabs(sum / (GOLDEN_COUNT * IMAGE) / golden_loss[0] - 1) < 1e-6);
        for (size_t n = 0; n < GOLDEN_COUNT; n++) {
            assert_golden("latent", LATENT, latent + n * LATENT, golden_latent[n], 1e-6);
            assert_golden("output", IMAGE, output + n * IMAGE, golden_output[n], 1e-6);
        }
        memset(mean, 0, sizeof mean);
        memset(variance, 0, sizeof variance);
        for (size_t step = 0; step <= GOLDEN_STEPS; step++) {
            sum = gradient_of(0, GOLDEN_COUNT, 1.0F / (GOLDEN_COUNT * IMAGE), gradient);
            assert_true(fabs(sum / (GOLDEN_COUNT * IMAGE) / golden_loss[step] - 1) < 1e-6);
            if (step == 0) assert_golden_tensors(gradient, golden_gradient, 3e-6);
            if (step == GOLDEN_STEPS) break;
            akin_adam_step(&(const akin_adam_params){1e-3, 0.9, 0.999, 1e-8}, step + 1,
                           AKIN_NETWORK_WEIGHTS, weights, gradient, mean, variance);
        }
        assert_golden_tensors(weights, golden_weights, 1e-6);
    }
}

/* The loss with a tensor moved by `step` along its normalised gradient. */
static double loss_along(const akin_network_tensor *tensor, double length, double step,
                         size_t count) {
    static float output[BATCH * IMAGE], kept[AKIN_NETWORK_WEIGHTS];
    memcpy(kept, weights, sizeof kept);
    for (size_t e = tensor->offset; e < tensor->offset + tensor->count; e++)
        weights[e] += (float)(step / length * gradient[e]);
    double sum = akin_network_reconstruct(net, weights, images, count, output);
    memcpy(weights, kept, sizeof kept);
    return sum;
}

/* Along the gradient of each tensor, the loss grows at the rate of its length. Approximately: some
 * of the many ReLUs and maxima change sides within the difference, and the loss is computed in
 * floats. The tests of the layers are exact. */
static void test_gradient_is_difference(void **state) {
    (void)state;
    enum { COUNT = 3 };
    size_t count;
    const akin_network_tensor *tensors = own_tensors(&count);
    FOR_EACH_LEVEL(level) {
        make_golden();
        gradient_of(0, COUNT, 1, gradient);
        for (size_t t = 0; t < count; t++) {
            double squares = 0, step = 2e-3;
            for (size_t e = 0; e < tensors[t].count; e++)
                squares +=
                    (double)gradient[tensors[t].offset + e] * gradient[tensors[t].offset + e];
            double length = sqrt(squares),
                   difference = loss_along(&tensors[t], length, step, COUNT);
            difference = (difference - loss_along(&tensors[t], length, -step, COUNT)) / (2 * step);
            if (!(fabs(difference / length - 1) <= 0.02))
                fail_msg("%s (%s): gradient %g, difference %g", tensors[t].name,
                         akin_cpu_name(akin_cpu_active()), length, difference);
        }
    }
}

/* The error is relative to the target, whatever the input: changing a byte of the target changes
 * the sum by the expected amount. */
static void test_targets(void **state) {
    (void)state;
    enum { COUNT = 5 };
    static uint8_t targets[COUNT * IMAGE];
    static float output[COUNT * IMAGE], other[AKIN_NETWORK_WEIGHTS];
    for (size_t b = 0; b < sizeof targets; b++) targets[b] = (uint8_t)(mix((uint32_t)b + 77) >> 24);
    FOR_EACH_LEVEL(level) {
        make_golden();
        akin_network_reconstruct(net, weights, images, COUNT, output);
        double expected = 0;
        for (size_t b = 0; b < sizeof targets; b++) {
            double error = output[b] - targets[b] / 255.0;
            expected += error * error;
        }
        const akin_network_task task = {
            .images = images, .targets = targets, .count = COUNT, .scale = 1e-4F};
        double sum = akin_network_gradient(net, weights, &task, gradient, NULL, NULL);
        assert_true(fabs(sum / expected - 1) < 1e-6);
        gradient_of(0, COUNT, 1e-4F, other);
        assert_true(memcmp(gradient, other, sizeof other) != 0);
        /* The last bias moves each pixel of a channel alike, so its gradient is known from the
         * output. */
        double by_hand = 0;
        for (size_t b = 0; b < sizeof targets; b += 3)
            by_hand += 2e-4 * (output[b] - targets[b] / 255.0) * output[b] * (1 - output[b]);
        assert_true(fabs(gradient[AKIN_NETWORK_HEAD - 3] / by_hand - 1) < 1e-4);
    }
}

/* Bit for bit: at any place in a batch of any size. */
static void test_latent_depends_on_picture_alone(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        make_golden();
        float all[BATCH * LATENT], some[BATCH * LATENT];
        akin_network_encode(net, weights, images, BATCH, all);
        for (size_t count = 1; count <= BATCH; count++) {
            size_t first = (count * 5) % (BATCH - count + 1);
            akin_network_encode(net, weights, images + first * IMAGE, count, some);
            assert_same_bytes(some, all + first * LATENT, count * LATENT * sizeof *some);
        }
    }
}

/* Bit for bit, whatever was computed before: nothing remains in the scratch memory. */
static void test_gradient_is_a_function(void **state) {
    (void)state;
    static float again[AKIN_NETWORK_WEIGHTS];
    FOR_EACH_LEVEL(level) {
        make_golden();
        double sum = gradient_of(0, 5, 0.25F, gradient);
        gradient_of(3, 13, 1, again);
        memset(again, 0xff, sizeof again);
        assert_true(sum == gradient_of(0, 5, 0.25F, again));
        assert_same_bytes(again, gradient, AKIN_NETWORK_HEAD * sizeof *again);
        assert_true(isnan(again[AKIN_NETWORK_HEAD])); /* that of the head is unchanged */
    }
}

static void test_not_a_number_shows(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        size_t count;
        const akin_network_tensor *tensors = own_tensors(&count);
        for (size_t t = 0; t < count; t++) {
            make_golden();
            weights[tensors[t].offset] = NAN;
            assert_true(isnan(gradient_of(0, 1, 1, gradient)));
        }
    }
}

static void test_initial_weights(void **state) {
    (void)state;
    size_t count, offset = 0;
    const akin_network_tensor *tensors = akin_network_tensors(&count);
    akin_network_initialise(1, weights);
    akin_network_initialise(1, gradient);
    assert_same_bytes(weights, gradient, sizeof weights);
    for (size_t e = AKIN_NETWORK_HEAD; e < AKIN_NETWORK_WEIGHTS; e++) assert_true(weights[e] == 0);
    akin_network_initialise_head(1, weights);
    assert_same_bytes(weights, gradient, AKIN_NETWORK_HEAD * sizeof *weights);
    akin_network_initialise(2, gradient);
    akin_network_initialise_head(2, gradient);
    for (size_t t = 0; t < count; t++) {
        assert_int_equal(tensors[t].offset, offset);
        offset += tensors[t].count;
        const float *w = weights + tensors[t].offset, *other = gradient + tensors[t].offset;
        const double n = (double)tensors[t].count;
        const double limit =
            tensors[t].fan_in ? sqrt(6.0 / (double)(tensors[t].fan_in + tensors[t].fan_out)) : 0;
        double sum = 0, squares = 0;
        size_t same = 0;
        for (size_t e = 0; e < tensors[t].count; e++) {
            assert_true(fabs(w[e]) <= limit * (1 + 1e-6));
            sum += w[e];
            squares += (double)w[e] * w[e];
            same += w[e] == other[e];
        }
        if (limit == 0) continue; /* a bias: zero, as the bound says */
        assert_true(same < 3);
        assert_true(fabs(sum / n) < 5 * limit / sqrt(3 * n));
        assert_true(fabs(squares / n / (limit * limit / 3) - 1) < 5 / sqrt(n));
    }
    assert_int_equal(offset, AKIN_NETWORK_WEIGHTS);
}

/* name=length, ..., in the order of the tensor's elements; the same name has the same length
 * everywhere. */
static void test_dimensions(void **state) {
    (void)state;
    size_t count, known = 0;
    const akin_network_tensor *tensors = akin_network_tensors(&count);
    struct {
        char name[64];
        size_t length;
    } dims[64];
    for (size_t t = 0; t < count; t++) {
        size_t product = 1;
        char text[256], *rest;
        assert_true(strlen(tensors[t].dims) < sizeof text);
        strcpy(text, tensors[t].dims);
        for (char *dim = strtok_r(text, ",", &rest); dim; dim = strtok_r(NULL, ",", &rest)) {
            assert_int_equal(sscanf(dim, "%63[a-z0-9_]=%zu", dims[known].name, &dims[known].length),
                             2);
            product *= dims[known].length;
            size_t first = 0;
            while (strcmp(dims[first].name, dims[known].name)) first++;
            assert_int_equal(dims[first].length, dims[known].length);
            known++;
        }
        assert_int_equal(product, tensors[t].count);
    }
    assert_int_equal(count, 16 + AKIN_NETWORK_HEAD_TENSORS);
}

static void test_memory_fails(void **state) {
    (void)state;
    akin_network *none = net;
    akin_mem_fail_at(1);
    assert_int_equal(akin_network_create(&none), AKIN_FAILED);
    akin_mem_fail_at(0);
    assert_null(none);
    akin_network_free(none);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_step),
        cmocka_unit_test(test_gradient_is_difference),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_latent_depends_on_picture_alone),
        cmocka_unit_test(test_gradient_is_a_function),
        cmocka_unit_test(test_not_a_number_shows),
        cmocka_unit_test(test_initial_weights),
        cmocka_unit_test(test_dimensions),
        cmocka_unit_test(test_memory_fails),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, setup, teardown);
}
