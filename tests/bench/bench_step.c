/* The cost of an optimiser step, and of its exactness, at any number of ranks; and of embedding.
 * Not a test.
 *
 * usage: [mpirun -n N] bench_step [--json] [--cpu] [steps] [batch]
 *
 * Exact: gradients of micro-batches in fixed point, with 64-bit sums over the ranks, as in
 * training. Plain: gradients added up as floats, with one sum of floats over the ranks. Both run in
 * turns on the same pictures in memory, with Adam; the time of the slowest rank counts, and medians
 * and fastest times are printed. Then each rank's share of the batch goes through the encoder
 * alone. On a machine that others use too, --cpu measures CPU time in place of wall-clock time. */
#include "train/adam.h"
#include <akin/comm.h>
#include <akin/fixed.h>
#include <akin/mem.h>
#include <akin/network.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MICRO = AKIN_NETWORK_MICRO_BATCH,
    WEIGHTS = AKIN_NETWORK_WEIGHTS,
    IMAGE = 3072,
    BITS = 48,
    MOST = 1000,
    RUNS = 6
};

static akin_comm *comm;
static akin_network *net;
static float weights[WEIGHTS], gradient[WEIGHTS], total[WEIGHTS], mean[WEIGHTS], variance[WEIGHTS];
static int64_t sums[WEIGHTS];
static akin_comm_sum *parts[AKIN_NETWORK_PARTS];
static uint8_t *images; /* this rank's micro-batches */
static size_t micros;   /* number of them */
static float scale;
static bool last;
static double waited;
static clockid_t which = CLOCK_MONOTONIC;

static double now(void) {
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void update(const float *by, uint64_t number) {
    akin_adam_step(&(const akin_adam_params){1e-6, 0.9, 0.999, 1e-8}, number, WEIGHTS, weights, by,
                   mean, variance);
}

static void add_part(void *context, size_t part) {
    size_t first, count;
    (void)context;
    if (part < AKIN_NETWORK_PARTS) {
        akin_network_part(part, &first, &count);
        akin_fixed_add(gradient + first, count, BITS, 1, sums + first);
        if (last) akin_comm_sum_start(comm, parts[part], sums + first, count);
    }
    akin_comm_poll(comm);
}

static void compute(size_t m, akin_network_ready *ready) {
    const uint8_t *at = images + m * MICRO * IMAGE;
    const akin_network_task task = {.images = at, .targets = at, .count = MICRO, .scale = scale};
    akin_network_gradient(net, weights, &task, gradient, ready, NULL);
}

static void step_exactly(uint64_t number) {
    memset(sums, 0, sizeof sums);
    for (size_t m = 0; m < micros; m++) {
        last = m + 1 == micros;
        compute(m, add_part);
    }
    double start = akin_comm_seconds();
    for (size_t p = 0; p < AKIN_NETWORK_PARTS; p++) akin_comm_sum_wait(comm, parts[p]);
    waited += akin_comm_seconds() - start;
    akin_fixed_get(sums, WEIGHTS, BITS, gradient);
    update(gradient, number);
}

static void step_plainly(uint64_t number) {
    memset(total, 0, sizeof total);
    for (size_t m = 0; m < micros; m++) {
        compute(m, NULL);
        for (size_t i = 0; i < WEIGHTS; i++) total[i] += gradient[i];
    }
    if (akin_comm_size(comm) > 1)
        MPI_Allreduce(MPI_IN_PLACE, total, WEIGHTS, MPI_FLOAT, MPI_SUM,
                      *(const MPI_Comm *)akin_comm_handle(comm));
    update(total, number);
}

static void embed(uint64_t number) {
    static float latent[MICRO * AKIN_NETWORK_LATENT];
    (void)number;
    for (size_t m = 0; m < micros; m++)
        akin_network_encode(net, weights, images + m * MICRO * IMAGE, MICRO, latent);
}

static void update_alone(uint64_t number) {
    akin_fixed_get(sums, WEIGHTS, BITS, gradient);
    update(gradient, number);
}

static void sum_small(uint64_t number) {
    (void)number;
    akin_comm_sum_i64(comm, sums, 1);
}

static void sum_large(uint64_t number) {
    (void)number;
    akin_comm_sum_i64(comm, sums, WEIGHTS);
}

/* Seconds of the slowest rank. */
static double time_of(void (*run)(uint64_t number), uint64_t number) {
    akin_comm_barrier(comm);
    double start = now();
    run(number);
    double seconds = now() - start;
    akin_comm_max_f64(comm, &seconds, 1);
    return seconds;
}

static int ascending(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    argc -= json, argv += json;
    bool cpu = argc > 1 && strcmp(argv[1], "--cpu") == 0;
    argc -= cpu, argv += cpu;
    if (cpu) which = CLOCK_PROCESS_CPUTIME_ID;
    size_t steps = argc > 1 ? strtoul(argv[1], NULL, 10) : 20,
           batch = argc > 2 ? strtoul(argv[2], NULL, 10) : 256;
    micros = batch / MICRO / (size_t)size;
    if (steps < 1 || steps > MOST || micros < 1 || micros * MICRO * (size_t)size != batch) {
        if (rank == 0)
            fprintf(stderr, "steps: 1 to %d; batch: a multiple of %d x ranks\n", MOST, MICRO);
        akin_comm_finish(comm);
        return 2;
    }
    scale = (float)(1 / ((double)batch * IMAGE));
    images = akin_mem_alloc(micros * MICRO, IMAGE);
    if (!images || akin_network_create(&net) != AKIN_OK) return 1;
    for (size_t i = 0; i < micros * MICRO * IMAGE; i++)
        images[i] = (uint8_t)(i * 2654435761U >> 24);
    akin_network_initialise(1, weights);
    for (size_t p = 0; p < AKIN_NETWORK_PARTS; p++) {
        size_t first, count;
        akin_network_part(p, &first, &count);
        if (akin_comm_sum_create(count, &parts[p]) != AKIN_OK) return 1;
    }

    static void (*const runs[RUNS])(uint64_t number) = {step_exactly, step_plainly, embed,
                                                        update_alone, sum_small,    sum_large};
    static double seconds[RUNS][MOST];
    for (uint64_t s = 0; s <= steps; s++) /* the first one is not counted */
        for (size_t r = 0; r < RUNS; r++) {
            double taken = time_of(runs[r], s + 1);
            if (s > 0) seconds[r][s - 1] = taken;
            if (s == 0) waited = 0;
        }
    akin_comm_max_f64(comm, &waited, 1);
    for (size_t r = 0; r < RUNS; r++) qsort(seconds[r], steps, sizeof(double), ascending);
    double exact = seconds[0][steps / 2], plain = seconds[1][steps / 2];
    double deciles[11];
    for (size_t d = 0; d <= 10; d++) deciles[d] = 1e3 * seconds[0][d * (steps - 1) / 10];
    if (rank == 0 && json) {
        printf("{\"ranks\": %d, \"batch\": %zu, \"train_images_per_second\": %.1f, "
               "\"embed_images_per_second\": %.1f, "
               "\"exact_median_ms\": %.3f, \"plain_median_ms\": %.3f, \"exact_best_ms\": %.3f, "
               "\"plain_best_ms\": %.3f, "
               "\"waiting_ms\": %.3f, \"update_ms\": %.3f, \"sum_small_ms\": %.4f, "
               "\"sum_large_ms\": %.3f, "
               "\"exact_deciles_ms\": [%.3f",
               size, batch, (double)batch / seconds[0][0], (double)batch / seconds[2][0],
               1e3 * exact, 1e3 * plain, 1e3 * seconds[0][0], 1e3 * seconds[1][0],
               1e3 * waited / (double)steps, 1e3 * seconds[3][steps / 2],
               1e3 * seconds[4][steps / 2], 1e3 * seconds[5][steps / 2], deciles[0]);
        for (size_t d = 1; d <= 10; d++) printf(", %.3f", deciles[d]);
        printf("]}\n");
    } else if (rank == 0)
        printf("%d ranks, batch %zu: exact %.2f ms (fastest %.2f), plain %.2f ms (fastest %.2f), "
               "exactness costs %.1f "
               "%% (%.1f "
               "%%); waiting %.2f ms; embed %.0f images/s\n",
               size, batch, 1e3 * exact, 1e3 * seconds[0][0], 1e3 * plain, 1e3 * seconds[1][0],
               100 * (exact / plain - 1), 100 * (seconds[0][0] / seconds[1][0] - 1),
               1e3 * waited / (double)steps, (double)batch / seconds[2][0]);
    for (size_t p = 0; p < AKIN_NETWORK_PARTS; p++) akin_comm_sum_free(parts[p]);
    akin_network_free(net);
    akin_mem_free(images);
    akin_comm_finish(comm);
    return 0;
}
