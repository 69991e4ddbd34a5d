/* Writes a table of random neighbours, for benchmarks of programs that read one.
 *
 * usage: bench_table OUT.nc ITEMS K SEED [SHARE]
 *
 * SHARE of the lists depend on the seed; the others are the same for all seeds. */
#include <akin/comm.h>
#include <akin/labels.h>
#include <akin/mem.h>
#include <akin/rng.h>
#include <akin/table.h>
#include <stdio.h>
#include <stdlib.h>

static void draw_list(size_t item, size_t n, size_t k, uint64_t seed, int32_t *neighbor,
                      float *score) {
    for (size_t r = 0; r < k; r++) {
        uint64_t bits = akin_rng_bits(seed, AKIN_RNG_TEST, (uint32_t)r, item);
        neighbor[r] = (int32_t)((item + 1 + bits % (n - 1)) % n);
        double drop = akin_rng_uniform(seed, AKIN_RNG_TEST, (uint32_t)(1000 + r), item);
        score[r] = r == 0 ? 0.999f : score[r - 1] - (float)(0.02 * drop + 1e-6);
    }
}

int main(int argc, char **argv) {
    akin_comm *comm = NULL;
    akin_labels *labels = NULL;
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK || argc < 5) return 2;
    size_t n = (size_t)atoll(argv[2]), k = (size_t)atoll(argv[3]);
    uint64_t seed = (uint64_t)atoll(argv[4]);
    double share = argc > 5 ? atof(argv[5]) : 1;
    int32_t *neighbor = akin_mem_alloc(n * k, sizeof *neighbor),
            *counts = akin_mem_alloc(n, sizeof *counts);
    float *score = akin_mem_alloc(n * k, sizeof *score);
    if (!neighbor || !counts || !score || akin_labels_create(n, 10, &labels) != AKIN_OK) return 1;
    for (size_t i = 0; i < n; i++) {
        char id[32];
        snprintf(id, sizeof id, "sku%07zu", i);
        if (akin_labels_set_id(labels, i, id) != AKIN_OK) return 1;
        counts[i] = (int32_t)k;
        bool own = akin_rng_uniform(seed, AKIN_RNG_TEST, 5000, i) < share;
        draw_list(i, n, k, own ? seed : 0, neighbor + i * k, score + i * k);
    }
    const akin_table_origin origin = {"", "", "", ""};
    const akin_table_part part = {n, k, 0, neighbor, score, counts};
    akin_status status = akin_table_write(comm, argv[1], &origin, labels, &part, NULL);
    if (status != AKIN_OK) fprintf(stderr, "bench_table: %s\n", akin_error_message());
    akin_comm_finish(comm);
    return status;
}
