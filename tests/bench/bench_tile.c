/* bench_tile: cycles and rates of the tile alone - two panels of 48 random rows without any hit -
 * and the peak of the unit that multiplies. The minimum of many short runs, so that other load on
 * the machine hardly matters. Not a test.
 *
 * usage: bench_tile [auto|LEVEL [DIM...]]   one line per level of this CPU, or for the given one,
 * and per dimension */
#include "allpairs/tile_task.h"
#include <akin/comm.h>
#include <akin/cpu.h>
#include <akin/dot.h>
#include <akin/rng.h>
#include <akin/row_block.h>
#include <immintrin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL = AKIN_SKETCH_PANEL, PANELS = 16, TRIALS = 400 };

static akin_row_block *random_block(size_t dim) {
    static const akin_row_block_rules rules = {.min_score = -1};
    akin_row_block *block;
    float *row = malloc(dim * sizeof *row);
    if (row == NULL || akin_row_block_create(PANELS * PANEL, dim, 1, AKIN_ROW_BLOCK_BOTH, &block))
        exit(1);
    akin_row_block_begin(block, PANELS * PANEL);
    for (size_t i = 0; i < PANELS * PANEL; i++) {
        double length = 0;
        for (size_t t = 0; t < dim; t++) {
            row[t] = (float)akin_rng_normal(1, AKIN_RNG_TEST, 1, i * dim + t);
            length += (double)row[t] * row[t];
        }
        for (size_t t = 0; t < dim; t++) row[t] /= (float)sqrt(length);
        akin_row_block_set(block, i, (akin_row_block_item){.row = (int32_t)i}, row);
    }
    akin_row_block_ready(block, &rules);
    free(row);
    return block;
}

static size_t found;

/* One row panel against all of them. */
static void sweep(akin_row_block *block, size_t p, const float *least) {
    static akin_dot_hit hits[AKIN_TILE_HITS];
    static const float products[PANEL];
    akin_row_block_panel rows = akin_row_block_view(block, p);
    for (size_t q = 0; q < PANELS; q++) {
        akin_row_block_panel columns = akin_row_block_view(block, q);
        size_t tried;
        akin_tile_task task = akin_tile_task_of(akin_row_block_stride(block), &rows, &columns);
        task.row_least = task.column_least = least, task.row_lowest = least[0];
        task.products = products;
        found += akin_tile()->hits(&task, hits, &tried);
    }
}

/* Seconds of one tile. */
static double tile_seconds(size_t dim) {
    float least[PANEL];
    double best = INFINITY;
    akin_row_block *block = random_block(dim);
    for (int i = 0; i < PANEL; i++) least[i] = 1.5f;
    akin_tile()->begin(akin_row_block_stride(block));
    for (size_t trial = 0; trial < TRIALS; trial++) {
        double start = akin_comm_seconds();
        for (size_t p = 0; p < PANELS; p++) sweep(block, p, least);
        best = fmin(best, (akin_comm_seconds() - start) / (PANELS * PANELS));
    }
    akin_tile()->end();
    akin_row_block_free(block);
    return best;
}

/* Seconds of a multiplication of 16 x 64 by 64 x 16 bytes, four independent ones in turns. */
__attribute__((target("amx-tile,amx-int8"))) static double matrix_seconds(void) {
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } c __attribute__((aligned(64))) = {.palette = 1};
    double best = INFINITY;
    for (int i = 0; i < 8; i++) c.bytes[i] = 64, c.rows[i] = 16;
    __asm__ volatile("" ::: "memory");
    _tile_loadconfig(&c);
    for (int i = 0; i < TRIALS; i++) {
        double start = akin_comm_seconds();
        for (int j = 0; j < 2000; j++) {
            _tile_dpbusd(0, 6, 7);
            _tile_dpbusd(1, 6, 7);
            _tile_dpbusd(2, 6, 7);
            _tile_dpbusd(3, 6, 7);
        }
        best = fmin(best, (akin_comm_seconds() - start) / 8000);
    }
    _tile_release();
    return best;
}

/* Multiply-adds per second that the level's unit can do; 0: not measured. */
static double peak_of(int level) {
    if (level == AKIN_CPU_AMX) return 16 * 16 * 64 / matrix_seconds();
    return 0;
}

int main(int argc, char **argv) {
    const char *usual[] = {"32", "64", "128", "512", "1280"}, *only = argc > 1 ? argv[1] : "auto";
    int count = argc > 2 ? argc - 2 : 5;
    for (int level = 0; level < AKIN_CPU_LEVELS; level++) {
        if (strcmp(only, "auto") && strcmp(only, akin_cpu_name((akin_cpu_level)level))) continue;
        if (akin_cpu_force(akin_cpu_name((akin_cpu_level)level)) != AKIN_OK) continue;
        double peak = peak_of(level);
        for (int i = 0; i < count; i++) {
            size_t dim = (size_t)strtoul(argc > 2 ? argv[i + 2] : usual[i], NULL, 10);
            if (dim < 2 || dim > 2048) return 2;
            double seconds = tile_seconds(dim), rate = PANEL * PANEL * (double)dim / seconds;
            printf("%-8s d %4zu: %7.0f ns a tile, %.2e pairs/s (both ways), %.2e multiply-adds/s",
                   akin_cpu_name((akin_cpu_level)level), dim, seconds * 1e9,
                   2 * PANEL * PANEL / seconds, rate);
            printf(peak > 0 ? ", %.0f %% of the unit's %.2e\n" : "\n", 100 * rate / peak, peak);
        }
    }
    return found > SIZE_MAX / 2;
}
