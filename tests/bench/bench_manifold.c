/* bench_manifold: how fast a manifold encodes and describes pictures, compared with the peak of a
 * product that stays in the caches, for our own kernel and for the BLAS. One core; medians of 9.
 *
 * usage: bench_manifold [CPU]; CPU as for --cpu */
#include "features/manifold.h"
#include "features/product.h"
#include <akin/comm.h>
#include <akin/cpu.h>
#include <akin/linalg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PICTURES = 40, ROUNDS = 9, ATOMS = AKIN_MANIFOLD_ATOMS, EDGE = 768 };

static uint8_t pictures[PICTURES * 3072], squares[4096 * AKIN_MANIFOLD_VALUES];
static uint16_t codes[AKIN_MANIFOLD_SQUARES * (ATOMS + 1)], counts[AKIN_MANIFOLD_SQUARES];
static float raw[AKIN_MANIFOLD_RAW], a[EDGE * EDGE], b[EDGE * EDGE], out[EDGE * EDGE];
static akin_manifold *manifold;

static void code_all(void) {
    for (size_t i = 0; i < PICTURES; i++)
        akin_manifold_encode(manifold, pictures + i * 3072, codes, counts);
}

static void describe_all(void) {
    for (size_t i = 0; i < PICTURES; i++)
        akin_manifold_describe(manifold, pictures + i * 3072, raw);
}

static void by_blas(void) {
    akin_linalg_product((akin_linalg_shape){EDGE, EDGE, EDGE, AKIN_TURN_NONE}, a, b, out);
}

static void by_kernel(void) {
    akin_product(a, EDGE, b, EDGE, 256, out, EDGE);
}

static int ascending(const void *x, const void *y) {
    double d = *(const double *)x - *(const double *)y;
    return (d > 0) - (d < 0);
}

static double median_of(void (*work)(void)) {
    double seconds[ROUNDS];
    for (size_t r = 0; r < ROUNDS; r++) {
        double start = akin_comm_seconds();
        work();
        seconds[r] = akin_comm_seconds() - start;
    }
    qsort(seconds, ROUNDS, sizeof *seconds, ascending);
    return seconds[ROUNDS / 2];
}

int main(int argc, char **argv) {
    if (akin_linalg_start() != AKIN_OK) return EXIT_FAILURE;
    if (akin_cpu_force(argc > 1 ? argv[1] : "auto") != AKIN_OK ||
        akin_manifold_create(ATOMS, &manifold) != AKIN_OK)
        return 1;
    for (size_t i = 0; i < sizeof pictures; i++) pictures[i] = (uint8_t)(i * 2654435761U >> 13);
    for (size_t i = 0; i < 4096; i++)
        akin_manifold_cut(pictures + i % PICTURES * 3072, i / 21,
                          squares + i * AKIN_MANIFOLD_VALUES);
    if (akin_manifold_learn(manifold, squares, 4096) != AKIN_OK) return 1;
    for (size_t i = 0; i < (size_t)EDGE * EDGE; i++) a[i] = b[i] = (float)(i % 7);
    double flops =
        2.0 * AKIN_MANIFOLD_SQUARES * AKIN_MANIFOLD_VALUES * (ATOMS + AKIN_MANIFOLD_VALUES);
    double coded = median_of(code_all) / PICTURES, described = median_of(describe_all) / PICTURES;
    double blas = 2.0 * EDGE * EDGE * EDGE / median_of(by_blas) / 1e9,
           kernel = 2.0 * EDGE * EDGE * 256 / median_of(by_kernel) / 1e9;
    printf("level %s: coding %.1f Gflop/s, with all of describing %.1f (%.0f pictures/s); kernel "
           "%.1f, "
           "BLAS %.1f Gflop/s\n",
           akin_cpu_name(akin_cpu_active()), flops / coded / 1e9, flops / described / 1e9,
           1 / described, kernel, blas);
    akin_manifold_free(manifold);
    return 0;
}
