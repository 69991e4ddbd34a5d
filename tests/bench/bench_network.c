/* What the network does per second on one core: images through gradient and encode, and the rate of
 * each kernel as the layers call it, as a share of the peak that FMAs on registers reach. A kernel
 * that needs fewer products than the plain sums (conv2: Winograd forward, only nonzero values
 * backward) is counted as if it computed all of them. Not a test.
 *
 * usage: bench_network [seconds per figure] [auto|portable|avx2|avx512|vnni|amx] */
#include "network/conv.h"
#include "network/pooled.h"
#include "network/winograd.h"
#include "train/adam.h"
#include <akin/augment.h>
#include <akin/cpu.h>
#include <akin/mem.h>
#include <akin/network.h>
#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "levels.h"

enum { BATCH = AKIN_NETWORK_MICRO_BATCH };
static float weights[AKIN_NETWORK_WEIGHTS], gradient[AKIN_NETWORK_WEIGHTS];
static float mean[AKIN_NETWORK_WEIGHTS], variance[AKIN_NETWORK_WEIGHTS];
static uint8_t images[BATCH * 3072];
static float in[1 << 18], result[1 << 18], packed[1 << 18], output[BATCH * 3072],
    latent[BATCH * AKIN_NETWORK_LATENT];
static akin_network *net;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* others may use the machine, too */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run_gradient(const akin_conv_map *map) {
    (void)map;
    const akin_network_task task = {
        .images = images, .targets = images, .count = BATCH, .scale = 1e-5F};
    akin_network_gradient(net, weights, &task, gradient, NULL, NULL);
}

static void run_damage(const akin_conv_map *map) {
    (void)map;
    const akin_augment how = akin_augment_damage(1);
    const akin_augment_key key = {.seed = 1};
    akin_augment_view(&how, &key, images, images + 3072);
}

static void run_pair(const akin_conv_map *map) {
    (void)map;
    const akin_augment how = akin_augment_pair(1);
    const akin_augment_key key = {.seed = 1};
    akin_augment_view(&how, &key, images, images + 3072);
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
    akin_adam_step(&(const akin_adam_params){0, 0.9, 0.999, 1e-8}, 1, AKIN_NETWORK_WEIGHTS, weights,
                   gradient, mean, variance);
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

/* Products of a layer per image, forward; there are twice as many floating-point operations. */
#define CONV1 (2.0 * 32 * 32 * 27 * 32)
#define CONV2 (2.0 * 16 * 16 * 288 * 64)
#define HIDDEN (2.0 * 4096 * 128)
#define SMALL (2.0 * (128 * 32 + 32 * 64))
#define UP1 (2.0 * 64 * 9 * 64)
#define UP2 (2.0 * 256 * 576 * 32)
#define OUTPUT (2.0 * 32 * 32 * 288 * 3)
#define ENCODE_FLOP (CONV1 + CONV2 + HIDDEN + 2.0 * 128 * 32)
#define GRADIENT_FLOP (2 * CONV1 + 3 * (CONV2 + HIDDEN + SMALL + UP1 + UP2 + OUTPUT))

static const akin_pooled_shape conv2 = {8, 8, 32, 64};
static float tiles[AKIN_WINOGRAD_SCRATCH(32)], flat[BATCH * 4096], pooled_gradient[4096];
static uint8_t places[4096];
static akin_pooled_entry entries[AKIN_POOLED_SCRATCH(8, 8, 64)];

static void run_conv2(const akin_conv_map *map) {
    (void)map;
    akin_winograd()->forward(&conv2, in, packed, weights, tiles, result, places);
}

static void run_conv2_weights(const akin_conv_map *map) {
    (void)map;
    akin_pooled()->weights(&conv2, in, pooled_gradient, places, entries, result);
}

static void run_conv2_data(const akin_conv_map *map) {
    (void)map;
    akin_pooled()->data(&conv2, in, pooled_gradient, places, packed, entries, result);
}

static void run_dense(const akin_conv_map *map) {
    (void)map;
    const akin_conv_dense layer = {4096, 128, weights, weights, true};
    akin_conv()->dense(BATCH, &layer, flat, result);
}

static void run_dense_outer(const akin_conv_map *map) {
    (void)map;
    akin_conv()->dense_outer(BATCH, 4096, 128, flat, result, gradient);
}

/* Enough chains of FMAs to hide their latency, and no memory access. */
#define PEAK(name, isa, vector, set, fma, lanes)                                                   \
    __attribute__((target(isa))) static double name(long rounds) {                                 \
        vector sum[12], a = set(0.999F), b = set(1e-3F);                                           \
        for (int i = 0; i < 12; i++) sum[i] = set((float)i);                                       \
        for (long r = 0; r < rounds; r++)                                                          \
            for (int i = 0; i < 12; i++) sum[i] = fma(sum[i], a, b);                               \
        volatile vector kept = sum[0];                                                             \
        for (int i = 1; i < 12; i++) kept = sum[i];                                                \
        (void)kept;                                                                                \
        return 2.0 * lanes * 12 * (double)rounds;                                                  \
    }
static inline __m128 plain_fma(__m128 x, __m128 a, __m128 b) {
    return _mm_add_ps(_mm_mul_ps(x, a), b);
}
PEAK(peak_portable, "sse2", __m128, _mm_set1_ps, plain_fma, 4)
PEAK(peak_avx2, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, 8)
PEAK(peak_avx512, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, 16)

static double measure_peak(double seconds) {
    const akin_cpu_level level = akin_cpu_active();
    double (*const run)(long) = level >= AKIN_CPU_AVX512 ? peak_avx512
                                : level == AKIN_CPU_AVX2 ? peak_avx2
                                                         : peak_portable;
    double best = 0;
    for (double begin = now(); now() - begin < seconds;) {
        const double start = now(), flop = run(1000000), taken = now() - start;
        if (1e-9 * flop / taken > best) best = 1e-9 * flop / taken;
    }
    return best;
}

/* Calls per second, in the best of several intervals. */
static double rate(void (*run)(const akin_conv_map *map), const akin_conv_map *map,
                   double seconds) {
    double best = 0, begin = now();
    do {
        const double start = now();
        double end = start;
        size_t calls = 0;
        for (; end - start < seconds / 10; end = now())
            for (size_t i = 0; i < (map ? 100 : 1); i++, calls++)
                run(map); /* reading the clock takes as long as a short run */
        if ((double)calls / (end - start) > best) best = (double)calls / (end - start);
    } while (now() - begin < seconds);
    return best;
}

int main(int argc, char **argv) {
    const double seconds = argc > 1 ? atof(argv[1]) : 1;
    if (akin_cpu_force(argc > 2 ? argv[2] : "auto") != AKIN_OK ||
        akin_network_create(&net) != AKIN_OK) {
        fprintf(stderr, "%s\n", akin_error_message());
        return 1;
    }
    akin_network_initialise(1, weights);
    for (size_t i = 0; i < sizeof images; i++) images[i] = (uint8_t)(mix((uint32_t)i) >> 24);
    fill(1, sizeof in / sizeof *in, in);
    fill(2, sizeof packed / sizeof *packed, packed);

    fill(3, sizeof flat / sizeof *flat, flat);
    for (size_t i = 0; i < 4096; i++) { /* half of the maxima are alive */
        pooled_gradient[i] = mix((uint32_t)i) % 2 ? number(4, i) : 0;
        places[i] = (uint8_t)(mix((uint32_t)i + 9) % 4);
    }
    printf("level %s\n", akin_cpu_name(akin_cpu_active()));
    const double gradients = BATCH * rate(run_gradient, NULL, seconds),
                 encodes = BATCH * rate(run_encode, NULL, seconds);
    printf("gradient    %8.1f images/s\n", gradients);
    printf("encode      %8.1f images/s\n", encodes);
    printf("reconstruct %8.1f images/s\n", BATCH * rate(run_reconstruct, NULL, seconds));
    printf("views       %8.1f damaged, %.1f of a pair /s\n", rate(run_damage, NULL, seconds),
           rate(run_pair, NULL, seconds));
    printf("adam        %8.1f steps/s\n", rate(run_adam, NULL, seconds));

    double peak = measure_peak(seconds);
    printf("peak        %8.1f GFLOP/s, FMAs on registers\n", peak);
    printf("gradient    %8.1f GFLOP/s, %.0f %% of it; encode %.1f, %.0f %%\n",
           1e-9 * GRADIENT_FLOP * gradients, 1e-7 * GRADIENT_FLOP * gradients / peak,
           1e-9 * ENCODE_FLOP * encodes, 1e-7 * ENCODE_FLOP * encodes / peak);

    static const struct {
        const char *name;
        void (*run)(const akin_conv_map *map);
        akin_conv_map map;
        double flop; /* 0: as in the map */
    } layers[] = {
        {"conv1 forward", run_multiply, {2, 32, 3, 9, {0, 102, 204}, 102, 3, 32, 1024, 32}, 0},
        {"conv1 weights", run_outer, {2, 32, 3, 9, {0, 102, 204}, 102, 3, 32, 1024, 32}, 0},
        {"conv2 forward, ReLU, pool", run_conv2, {0}, CONV2},
        {"conv2 weights", run_conv2_weights, {0}, CONV2},
        {"conv2 data", run_conv2_data, {0}, CONV2},
        {"hidden forward, of 16", run_dense, {0}, 16 * HIDDEN},
        {"hidden weights, of 16", run_dense_outer, {0}, 16 * HIDDEN},
        {"up1 forward", run_multiply, {8, 8, 2, 2, {0, 9}, 9, 1, 64, 2176, 128}, 0},
        {"up1 weights", run_outer, {8, 8, 1, 1, {0}, 9, 1, 64, 2176, 128}, 0},
        {"up1 data", run_dot, {8, 8, 3, 192, {0, 1088, 2176}, 2176, 128, 1, 8, 1}, 0},
        {"up2 forward", run_multiply, {16, 16, 2, 128, {0, 1088}, 1088, 64, 32, 2112, 64}, 0},
        {"up2 weights", run_outer, {16, 16, 3, 96, {0, 1056, 2112}, 2112, 64, 64, 1088, 64}, 0},
        {"up2 data", run_multiply, {16, 16, 3, 96, {0, 1056, 2112}, 2112, 64, 64, 1088, 64}, 0},
        {"output forward", run_multiply, {1, 32, 1, 32, {0}, 0, 32, 32, 0, 32}, 0},
        {"output weights", run_outer, {32, 32, 3, 9, {0, 102, 204}, 102, 3, 32, 1056, 32}, 0},
        {"output data", run_multiply, {32, 32, 3, 9, {0, 102, 204}, 102, 3, 32, 1056, 32}, 0},
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const akin_conv_map *map = &layers[i].map;
        const double products =
            (double)(map->rows * map->columns * map->runs * map->run * map->channels);
        const double flop = layers[i].flop > 0 ? layers[i].flop : 2 * products;
        const double gflops = 1e-9 * flop * rate(layers[i].run, map, seconds / 4);
        printf("%-26s %6.1f GFLOP/s %4.0f %%\n", layers[i].name, gflops, 100 * gflops / peak);
    }
    akin_network_free(net);
    return 0;
}
