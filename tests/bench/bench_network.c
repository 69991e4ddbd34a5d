/* What the network does in a second on one core: images through gradient and encode, and each kernel's rate as the
 * layers call it. Not a test: it asserts nothing.
 *
 * usage: bench_network [seconds a figure] [auto|portable|avx2|avx512|vnni] */
#include <akin/adam.h>
#include <akin/conv.h>
#include <akin/cpu.h>
#include <akin/mem.h>
#include <akin/network.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "levels.h"

enum { BATCH = AKIN_NETWORK_MICRO_BATCH };
static float weights[AKIN_NETWORK_WEIGHTS], gradient[AKIN_NETWORK_WEIGHTS];
static float mean[AKIN_NETWORK_WEIGHTS], variance[AKIN_NETWORK_WEIGHTS];
static uint8_t images[BATCH * 3072];
static float in[1 << 18], result[1 << 18], packed[1 << 18], output[BATCH * 3072], latent[BATCH * AKIN_NETWORK_LATENT];
static akin_network *net;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* others may use the machine, too */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run_gradient(const akin_conv_map *map) {
    (void)map;
    akin_network_gradient(net, weights, images, BATCH, 1e-5F, gradient, NULL, NULL);
}

static void run_encode(const akin_conv_map *map) {
    (void)map;
    akin_network_encode(net, weights, images, BATCH, latent);
}

static void run_reconstruct(const akin_conv_map *map) {
    (void)map;
    akin_network_reconstruct(net, weights, images, BATCH, output);
}

static void run_adam(const akin_conv_map *map) {
    (void)map;
    akin_adam_step(weights, gradient, mean, variance, AKIN_NETWORK_WEIGHTS, 1, 0, 0.9, 0.999, 1e-8);
}

static void run_multiply(const akin_conv_map *map) {
    const akin_conv_finish finish = {0};
    akin_conv()->multiply(map, in, packed, &finish, result);
}

static void run_outer(const akin_conv_map *map) {
    akin_conv()->outer(map, in, result, gradient);
}

static void run_dot(const akin_conv_map *map) {
    akin_conv()->dot(map, in, packed, result);
}

/* Calls in the best of several stretches of time, a second. */
static double rate(void (*run)(const akin_conv_map *map), const akin_conv_map *map, double seconds) {
    double best = 0, begin = now();
    do {
        const double start = now();
        double end = start;
        size_t calls = 0;
        for (; end - start < seconds / 10; end = now())
            for (size_t i = 0; i < (map ? 100 : 1); i++, calls++) run(map); /* a clock costs as much as a short run */
        if ((double)calls / (end - start) > best) best = (double)calls / (end - start);
    } while (now() - begin < seconds);
    return best;
}

int main(int argc, char **argv) {
    const double seconds = argc > 1 ? atof(argv[1]) : 1;
    if (akin_cpu_force(argc > 2 ? argv[2] : "auto") != AKIN_OK || akin_network_create(&net) != AKIN_OK) {
        fprintf(stderr, "%s\n", akin_error_message());
        return 1;
    }
    akin_network_initialise(1, weights);
    for (size_t i = 0; i < sizeof images; i++) images[i] = (uint8_t)(mix((uint32_t)i) >> 24);
    fill(1, sizeof in / sizeof *in, in);
    fill(2, sizeof packed / sizeof *packed, packed);

    printf("level %s\n", akin_cpu_name(akin_cpu_active()));
    printf("gradient    %8.1f images/s\n", BATCH * rate(run_gradient, NULL, seconds));
    printf("encode      %8.1f images/s\n", BATCH * rate(run_encode, NULL, seconds));
    printf("reconstruct %8.1f images/s\n", BATCH * rate(run_reconstruct, NULL, seconds));
    printf("adam        %8.1f steps/s\n", rate(run_adam, NULL, seconds));

    static const struct {
        const char *name;
        void (*run)(const akin_conv_map *map);
        akin_conv_map map;
    } layers[] = {
        {"conv1 forward", run_multiply, {2, 32, 3, 9, {0, 102, 204}, 102, 3, 32, 1024, 32}},
        {"conv1 weights", run_outer, {2, 32, 3, 9, {0, 102, 204}, 102, 3, 32, 1024, 32}},
        {"conv2 forward", run_multiply, {2, 16, 3, 96, {0, 576, 1152}, 576, 32, 64, 1024, 64}},
        {"conv2 weights", run_outer, {16, 16, 3, 96, {0, 576, 1152}, 576, 32, 64, 1152, 64}},
        {"conv2 data", run_multiply, {16, 16, 3, 192, {0, 1152, 2304}, 1152, 64, 32, 576, 32}},
        {"up2 forward", run_multiply, {16, 16, 2, 128, {0, 1088}, 1088, 64, 32, 2112, 64}},
        {"up2 weights", run_outer, {16, 16, 3, 96, {0, 1056, 2112}, 2112, 64, 64, 1088, 64}},
        {"up2 data", run_multiply, {16, 16, 3, 96, {0, 1056, 2112}, 2112, 64, 64, 1088, 64}},
        {"up1 forward", run_multiply, {8, 8, 2, 2, {0, 9}, 9, 1, 64, 2176, 128}},
        {"up1 weights", run_outer, {8, 8, 1, 1, {0}, 9, 1, 64, 2176, 128}},
        {"up1 data", run_dot, {8, 8, 3, 192, {0, 1088, 2176}, 2176, 128, 1, 8, 1}},
        {"output forward", run_multiply, {1, 32, 1, 32, {0}, 0, 32, 32, 0, 32}},
        {"output backward", run_multiply, {32, 32, 3, 9, {0, 102, 204}, 102, 3, 32, 1056, 32}},
        {"output weights", run_outer, {32, 32, 3, 9, {0, 102, 204}, 102, 3, 32, 1056, 32}},
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const akin_conv_map *map = &layers[i].map;
        const double products = (double)(map->rows * map->columns * map->runs * map->run * map->channels);
        printf("%-16s %6.1f GFLOP/s\n", layers[i].name, 2e-9 * products * rate(layers[i].run, map, seconds / 4));
    }
    akin_network_free(net);
    return 0;
}
