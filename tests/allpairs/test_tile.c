/* tile: at every level that this CPU has, no pair is missed that a row or a column asks for, and
 * none is a hit that the sketches rule out, on panels of all kinds. */
#include "allpairs/tile.h"
#include "levels.h"
#include "naive_neighbors.h"
#include <akin/mem.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { PANEL = AKIN_SKETCH_PANEL };

static akin_dot_hit hits[AKIN_TILE_HITS];

static akin_row_block *block_of(const naive_catalogue *c, size_t first, size_t count) {
    static const akin_row_block_rules rules = {.min_score = -1};
    akin_row_block *block;
    assert_int_equal(akin_row_block_create(count, c->dim, 1, AKIN_ROW_BLOCK_BOTH, &block), AKIN_OK);
    akin_row_block_begin(block, count);
    for (size_t i = 0; i < count; i++)
        akin_row_block_set(block, i, c->items[first + i], c->rows + (first + i) * c->dim);
    akin_row_block_ready(block, &rules);
    return block;
}

/* Thresholds that are scores themselves, so that one step more would be wrong. */
static void choose_least(uint32_t trial, float scores[PANEL][PANEL], float *row_least,
                         float *column_least) {
    for (uint64_t i = 0; i < PANEL; i++) {
        uint64_t bits = akin_rng_bits(3, AKIN_RNG_TEST, trial, i);
        row_least[i] = scores[i][bits % PANEL], column_least[i] = scores[(bits >> 8) % PANEL][i];
        if (trial % 4 > 0 && (bits >> 18) % 16 > 0)
            row_least[i] = INFINITY; /* few hits, as is usual */
        if (trial % 4 > 1 && (bits >> 22) % 16 > 0) column_least[i] = INFINITY;
        if (trial == 5) row_least[i] = -INFINITY;
    }
}

/* The sketches' own estimate, exactly. */
static double estimate(const akin_tile_task *task, size_t i, size_t j) {
    double product = 0;
    for (size_t t = 0; t < task->stride; t++) {
        akin_sketch_format format = akin_tile()->format;
        int row = task->rows[akin_sketch_place(format, i, t)] - format.offset;
        product += row * task->columns[akin_sketch_place(format, j, t)];
    }
    return product / ((double)task->row_sketch->row_scale * task->column_sketch->column_scale) +
           (double)task->products[j] + (double)task->margin;
}

static void check_hits(const akin_tile_task *task, float scores[PANEL][PANEL], size_t rows,
                       size_t columns, size_t *ruled_out) {
    size_t tried, count = akin_tile()->hits(task, hits, &tried);
    unsigned char hit[PANEL][PANEL] = {{0}};
    double step =
        4 / ((double)task->row_sketch->row_scale * task->column_sketch->column_scale) + 1e-5;
    assert_true(tried <= PANEL * PANEL && count <= tried);
    for (size_t h = 0; h < count; h++) {
        size_t i = hits[h].row, j = hits[h].column;
        float least =
            task->row_least[i] < task->column_least[j] ? task->row_least[i] : task->column_least[j];
        assert_int_equal(hit[i][j]++, 0);
        assert_true(least < -3 || estimate(task, i, j) + step >= (double)least);
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            bool asked =
                scores[i][j] >= task->row_least[i] || scores[i][j] >= task->column_least[j];
            if (asked && !hit[i][j])
                fail_msg("row %zu, column %zu: score %.9g missed", i, j, (double)scores[i][j]);
            *ruled_out += !hit[i][j];
        }
}

static void check(int kind, size_t dim, size_t rows, size_t columns, size_t *ruled_out) {
    naive_catalogue c = naive_create(kind, (uint32_t)dim, rows + columns, dim);
    akin_row_block *a = block_of(&c, 0, rows), *b = block_of(&c, rows, columns);
    akin_row_block_panel of_a = akin_row_block_view(a, 0), of_b = akin_row_block_view(b, 0);
    size_t stride = akin_row_block_stride(a);
    float scores[PANEL][PANEL], row_least[PANEL], column_least[PANEL], products[PANEL];
    memset(scores, 0, sizeof scores);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            scores[i][j] = naive_product(of_a.rows + i * stride, of_b.rows + j * stride, dim);
    akin_dot()->one_many(of_a.centre, of_b.rows, stride, PANEL, products);
    for (uint32_t trial = 0; trial < 8; trial++) {
        choose_least(trial, scores, row_least, column_least);
        float lowest = INFINITY;
        for (size_t i = 0; i < PANEL; i++) lowest = fminf(lowest, row_least[i]);
        assert_true(akin_tile()->lowest(row_least) == lowest);
        const akin_tile_task task = {.stride = stride,
                                     .row_sketch = of_a.sketch,
                                     .column_sketch = of_b.sketch,
                                     .rows = of_a.as_rows,
                                     .columns = of_b.as_columns,
                                     .wrap = of_b.wrap,
                                     .sums = of_b.sums,
                                     .row_least = row_least,
                                     .column_least = column_least,
                                     .row_lowest = lowest,
                                     .products = products,
                                     .margin = akin_sketch_margin(of_a.sketch, of_b.sketch, dim)};
        check_hits(&task, scores, rows, columns, ruled_out);
    }
    akin_row_block_free(a);
    akin_row_block_free(b);
    naive_free(&c);
}

static void nothing_is_missed(void **unused) {
    (void)unused;
    static const size_t dims[] = {2, 3, 16, 32, 33, 100, 128, 129, 300, 2048};
    FOR_EACH_LEVEL(level)
    for (int kind = 0; kind < NAIVE_KINDS; kind++)
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
            size_t ruled_out = 0;
            check(kind, dims[d], PANEL, PANEL, &ruled_out);
            if (kind == NAIVE_RANDOM) assert_true(ruled_out > PANEL * PANEL); /* it does rule out */
            check(kind, dims[d], 7, PANEL - 1, &ruled_out);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_missed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
