/* leading: each dimension has one place; what 8 bits leave of a tail is within the error that is told; no
 * required pair is missed by a tile and what sifts its hits, at every level without a matrix unit. */
#include "allpairs/row_lead.h"
#include "allpairs/tile_task.h"
#include "leading_rows.h"
#include "levels.h"
#include "naive_neighbors.h"
#include <akin/dot.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { PANEL = AKIN_SKETCH_PANEL, MOST = LEADING_MOST };

/* --- places --- */

static void check_places(const akin_leading *l, const uint32_t *order) {
    size_t seen[MOST] = {0}, none = 0;
    const size_t end = l->count + l->tail + l->lost;
    for (size_t i = 0; i < end; i++) {
        if (l->from[i] == UINT32_MAX)
            none++;
        else
            seen[l->from[i]] = i + 1;
        if (i < l->count) assert_true((l->from[i] == UINT32_MAX) == (i == l->place));
    }
    assert_int_equal(end - none, l->stride); /* with what follows: each once */
    for (size_t i = 0; i < l->stride; i++) {
        const size_t at = seen[order[i]];
        assert_true(at > 0);
        assert_true((at <= l->count) == (i < l->count - 1));
        assert_true((at > l->count + l->tail) == (i >= l->stride - l->lost));
    }
    assert_true(l->tail % 64 == 0 && l->lost <= 4 && none <= 1 + 63);
    assert_true(l->lost == 0 || none == 1); /* without the last few, or with zeros */
}

static void check_parts(const akin_leading *l) {
    float row[MOST], numbers[MOST], tail[MOST], cut_numbers[MOST], cut_tail[MOST];
    const size_t others = l->tail + l->lost;
    for (size_t t = 0; t < l->stride; t++) row[t] = (float)(t + 1);
    akin_leading_part(l, row, numbers, tail);
    for (size_t i = 0; i < l->count + others; i++) {
        const float told = i < l->count ? numbers[i] : tail[i - l->count];
        assert_true(told == (l->from[i] == UINT32_MAX ? 0 : (float)(l->from[i] + 1)));
    }
    akin_leading_cut(l, row);
    akin_leading_part(l, row, cut_numbers, cut_tail);
    assert_same_bytes(cut_numbers, numbers, l->count * sizeof *numbers);
    for (size_t i = 0; i < others; i++) assert_true(cut_tail[i] == 0);
}

static void each_dimension_has_one_place(void **unused) {
    (void)unused;
    size_t lost = 0, zeros = 0;
    for (size_t count = 128; count <= 384; count += 128)
        for (size_t stride = count + 1; stride < count + 260; stride++) {
            uint32_t order[MOST];
            akin_leading *l = leading_of(stride, count);
            leading_order(stride, order);
            assert_int_equal(l->stride, stride);
            assert_int_equal(l->count, count);
            check_places(l, order);
            check_parts(l);
            lost += l->lost > 0, zeros += l->lost == 0;
            akin_leading_free(l);
        }
    assert_true(lost > 0 && zeros > 0);
}

static void places_need_memory(void **unused) {
    (void)unused;
    uint32_t order[256];
    const uint64_t live = akin_mem_live();
    leading_order(256, order);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        akin_leading *leading;
        akin_mem_fail_at(nth);
        assert_int_equal(akin_leading_create(order, 256, 128, &leading), AKIN_FAILED);
        assert_null(leading);
    }
    akin_mem_fail_at(0);
    assert_int_equal(akin_mem_live(), live);
}

/* A block whose rows cannot be divided is still one that can be freed. */
static void blocks_need_memory(void **unused) {
    (void)unused;
    akin_leading *l = leading_of(256, 128);
    const uint64_t live = akin_mem_live();
    akin_status status = AKIN_FAILED;
    uint64_t nth = 0;
    while (status != AKIN_OK) {
        akin_row_block *block;
        assert_int_equal(akin_row_block_create(100, 256, 1, AKIN_ROW_BLOCK_BOTH, &block), AKIN_OK);
        akin_mem_fail_at(++nth);
        status = akin_row_block_lead(block, l);
        akin_mem_fail_at(0);
        akin_row_block_free(block);
        assert_int_equal(akin_mem_live(), live);
    }
    assert_true(nth > 6); /* sides, and what is left of the rows */
    akin_leading_free(l);
}

/* --- a row in 8 bits by itself --- */

enum { SINGLES = 9, OF_KIND = 2 };

static float single_number(int kind, size_t i, size_t t) {
    const float noise = number((uint32_t)i, t);
    switch (kind) {
    case 0: return noise;
    case 1: return t == 5 + i ? 1e6f : noise;
    case 2: return 0;
    case 3: return 0.25f; /* equal; turned, they are not */
    case 4: return 1e-30f * noise;
    case 5: return 1e-40f * noise; /* subnormal */
    case 6: return 1e-3f * noise / (float)(1 + t);
    case 7: return t == i ? -1 : 0;
    default: return (t % 3 ? 1 : -1) * number(77, t); /* the same twice */
    }
}

/* The law for one row: nothing is told that is too small, and little that is too large. */
static void check_single(const float *row, size_t stride, const int8_t *q,
                         const akin_sketch_single *told) {
    double square = 0, whole = 0, sum = 0, largest = 0;
    for (size_t t = 0; t < stride; t++) {
        square += (double)row[t] * row[t], whole += q[t] * q[t], sum += q[t];
        largest = fmax(largest, abs(q[t]));
    }
    const double length = sqrt(square), unit = (double)told->unit, reach = sqrt(whole) * unit;
    assert_true((double)told->sum == sum && largest <= 127);
    assert_true((double)told->length >= length * (1 - 1e-12));
    assert_true((double)told->length <= length * (1 + 0x1p-19) + 0x1p-59);
    assert_true((double)told->reach >= reach * (1 - 0x1p-23));
    assert_true((double)told->reach <= reach * (1 + 0x1p-19) + 0x1p-59);
    assert_true((double)told->error <= sqrt((double)stride) * unit / 2 * (1 + 1e-3) + 0x1p-59);
    assert_true(largest >= 126 || unit == 0x1p-14 || unit < 0x1.001p-14);
}

static double product_of(const float *a, const float *b, size_t stride) {
    double product = 0;
    for (size_t t = 0; t < stride; t++) product += (double)a[t] * b[t];
    return product;
}

static void check_singles(size_t stride) {
    enum { ALL = SINGLES * OF_KIND };
    static float rows[ALL][MOST];
    static int8_t q[ALL][MOST];
    static double taken[MOST];
    akin_sketch_single told[ALL];
    for (size_t i = 0; i < ALL; i++) {
        for (size_t t = 0; t < stride; t++)
            rows[i][t] = single_number((int)i / OF_KIND, i % OF_KIND, t);
        akin_sketch_take(rows[i], 1, stride, taken);
        akin_sketch_one(taken, stride, q[i], &told[i]);
        check_single(rows[i], stride, q[i], &told[i]);
    }
    for (size_t i = 0; i < ALL; i++)
        for (size_t j = 0; j < ALL; j++) {
            const akin_sketch_single *x = &told[i], *y = &told[j];
            int64_t product = 0;
            for (size_t t = 0; t < stride; t++) product += q[i][t] * q[j][t];
            const double estimate = (double)product * (double)x->unit * (double)y->unit,
                         error = (double)x->reach * (double)y->error +
                                 (double)x->error * (double)y->length,
                         units = 0x1p-22 * (double)x->reach * (double)y->reach; /* are rounded */
            assert_true(fabs(product_of(rows[i], rows[j], stride) - estimate) <= error + units);
        }
}

static void single_rows_are_within_their_error(void **unused) {
    (void)unused;
    static const size_t strides[] = {64, 128, 192, 320, 384, 1024, 1088, 1984};
    FOR_EACH_LEVEL(level)
    for (size_t s = 0; s < sizeof strides / sizeof *strides; s++) check_singles(strides[s]);
}

/* --- a tile and what sifts its hits --- */

enum { DECAYING, UNIFORM, IN_TAIL, IN_LEAD, SAME, UP_TO_SIGN, TOGETHER, ONE_NUMBER, KINDS };

static double value(int kind, uint32_t which, size_t i, size_t at, size_t leads) {
    const double noise = (double)number(which, i * MOST + at), decay = exp(-(double)at / 150),
                 shared = (double)number(99, at);
    switch (kind) {
    case DECAYING: return noise * decay;
    case IN_TAIL: return at >= leads ? noise : 0;
    case IN_LEAD: return at < leads ? noise : 0;
    case SAME: return shared;
    case UP_TO_SIGN: return (i % 3 ? 1 : -1) * (shared + 1e-6 * noise);
    case TOGETHER: return (shared + 0.4 * noise) * decay;
    case ONE_NUMBER: return at == (i % 2 ? leads + i % 5 : i % 3) ? 1 : 0.01 * noise;
    default: return noise;
    }
}

/* A row whose dimensions at `at` places of the order are as above. */
static void draw_row(int kind, uint32_t which, size_t i, const akin_leading *l, size_t dim,
                     float *row) {
    uint32_t order[MOST];
    leading_order(l->stride, order);
    for (size_t at = 0; at < l->stride; at++)
        row[order[at]] =
            order[at] < dim ? (float)value(kind, which, i, at, l->count - 1) + 0.0f : 0;
    leading_normalise(row, l->stride);
}

static akin_row_block *block_of(const akin_leading *l, const float *rows /* [count, stride] */,
                                size_t count, size_t dim) {
    static const akin_row_block_rules rules = {.min_score = -1};
    akin_row_block *block;
    assert_int_equal(akin_row_block_create(count, dim, 1, AKIN_ROW_BLOCK_BOTH, &block), AKIN_OK);
    assert_int_equal(akin_row_block_lead(block, l), AKIN_OK);
    assert_true(akin_row_block_leading(block) == l);
    akin_row_block_begin(block, count);
    for (size_t i = 0; i < count; i++)
        akin_row_block_set(block, i, (akin_row_block_item){.row = (int32_t)i},
                           rows + i * l->stride);
    akin_row_block_ready(block, &rules);
    return block;
}

/* Two panels. */
typedef struct {
    const akin_leading *l;
    akin_row_block *a, *b;
    size_t dim, rows, columns;
    float of_a[PANEL * MOST], of_b[PANEL * MOST];
    float scores[PANEL][PANEL], products[PANEL], row_least[PANEL], column_least[PANEL];
    akin_tile_task task;
    int32_t found[AKIN_TILE_HITS + 3];
    akin_dot_hit hits[AKIN_TILE_HITS];
    float bounds[AKIN_TILE_HITS];
    size_t all, left; /* hits, and those left, so far */
} pair;

static pair now __attribute__((aligned(64)));

/* The panels of rows that are drawn. */
static void prepare_pair(pair *p) {
    const size_t stride = p->l->stride;
    p->a = block_of(p->l, p->of_a, p->rows, p->dim);
    p->b = block_of(p->l, p->of_b, p->columns, p->dim);
    const akin_row_block_panel a = akin_row_block_view(p->a, 0), b = akin_row_block_view(p->b, 0);
    assert_int_equal(akin_row_block_width(p->a), p->l->count);
    memset(p->scores, 0, sizeof p->scores);
    for (size_t i = 0; i < p->rows; i++)
        for (size_t j = 0; j < p->columns; j++)
            p->scores[i][j] = naive_product(a.rows + i * stride, b.rows + j * stride, p->dim);
    akin_dot()->one_many(a.centre, b.rows, stride, PANEL, p->products);
    p->task = akin_tile_task_of(p->l->count, &a, &b);
    p->task.row_least = p->row_least, p->task.column_least = p->column_least;
    p->task.products = p->products;
    p->task.margin = akin_sketch_margin(a.sketch, b.sketch, p->dim);
    p->task.found = p->found;
}

static void end_pair(pair *p) {
    akin_row_block_free(p->a);
    akin_row_block_free(p->b);
}

/* All hits; scores themselves, so that an error of one step would be noticed, on one side and on both;
 * a row's highest score. */
enum { ALL_HITS, ROW_SCORES, COLUMN_SCORES, BOTH_SCORES, HIGHEST, TRIALS };

static void choose_least(pair *p, int trial) {
    const bool rows = trial != COLUMN_SCORES,
               columns = trial == COLUMN_SCORES || trial == BOTH_SCORES;
    for (size_t i = 0; i < PANEL; i++) {
        const size_t other = mix((uint32_t)(i + 50 * (size_t)trial)) % PANEL;
        float highest = -1;
        for (size_t j = 0; j < p->columns; j++) highest = fmaxf(highest, p->scores[i][j]);
        float row = trial == ALL_HITS  ? -INFINITY
                    : trial == HIGHEST ? highest
                                       : p->scores[i][other % p->columns];
        p->row_least[i] = rows && i < p->rows ? row : INFINITY;
        p->column_least[i] = columns && i < p->columns ? p->scores[other % p->rows][i] : INFINITY;
    }
    p->task.row_lowest = akin_tile()->lowest(p->row_least);
}

/* What the sketches tell, in their units. */
static double plain_found(const akin_tile_task *task, size_t i, size_t j) {
    const akin_sketch_format format = akin_tile()->format;
    const double scale = (double)task->row_sketch->row_scale * task->column_sketch->column_scale;
    int64_t product = 0;
    for (size_t t = 0; t < task->stride; t++)
        product += (task->rows[akin_sketch_row_place(format, task->stride, i, t)] - format.offset) *
                   task->columns[akin_sketch_column_place(format, j, t)];
    return (double)product + scale * (double)task->products[j];
}

/* A row's leading numbers; the length of its tail; what 8 bits leave of it at most, and the lost. */
typedef struct {
    float numbers[MOST];
    double length, error;
} parted;

static parted part_of(const akin_leading *l, const float *row) {
    parted p;
    float tail[MOST];
    akin_leading_part(l, row, p.numbers, tail);
    p.length = sqrt(product_of(tail, tail, l->tail + l->lost));
    p.error = 0.03 * p.length + sqrt(product_of(tail + l->tail, tail + l->tail, l->lost));
    return p;
}

static void check_found(const pair *p, size_t count) {
    const double unit =
        1 / ((double)p->task.row_sketch->row_scale * p->task.column_sketch->column_scale);
    for (size_t h = 0; h < count; h += 7) {
        const size_t i = p->hits[h].row, j = p->hits[h].column;
        const double found = p->found[h], rounding = 0x1p-22 * fabs(found);
        assert_true(fabs(found - plain_found(&p->task, i, j)) <= 1 + rounding);
        if (i >= p->rows || j >= p->columns) continue;
        const parted a = part_of(p->l, akin_row_block_row(p->a, i)),
                     b = part_of(p->l, akin_row_block_row(p->b, j));
        const double by_lengths =
            product_of(a.numbers, b.numbers, p->l->count) + a.length * b.length;
        assert_true(fabs(found * unit - by_lengths) <=
                    (double)p->task.margin + (1 + rounding) * unit);
    }
}

static float least_of(const pair *p, size_t i, size_t j) {
    return fminf(p->row_least[i], p->column_least[j]);
}

/* Neither below the score nor far above. */
static void check_bound(const pair *p, size_t i, size_t j, double bound) {
    const double score = (double)p->scores[i][j];
    const parted a = part_of(p->l, akin_row_block_row(p->a, i)),
                 b = part_of(p->l, akin_row_block_row(p->b, j));
    assert_true(bound >= score);
    assert_true(bound <= score + 2 * (double)p->task.margin + 2e-4 +
                             2 * (a.length * b.error + a.error * b.length));
}

static void check_trial(pair *p, int trial) {
    unsigned char hit[PANEL][PANEL] = {{0}};
    size_t tried, count, left;
    choose_least(p, trial);
    memset(p->found, 0x55, sizeof p->found);
    count = akin_tile()->hits(&p->task, p->hits, &tried);
    check_found(p, count);
    for (size_t h = 0; h < count; h++) hit[p->hits[h].row][p->hits[h].column]++;
    left = akin_row_lead_sift(akin_row_block_parted(p->a), 0, akin_row_block_parted(p->b), 0,
                              &p->task, p->hits, count, p->bounds);
    assert_true(left <= count && count <= AKIN_TILE_HITS);
    for (size_t h = 0; h < left; h++) {
        const size_t i = p->hits[h].row, j = p->hits[h].column;
        assert_int_equal(hit[i][j]++, 1); /* it was one, and is left once */
        assert_true(p->bounds[h] >= least_of(p, i, j));
        if (i < p->rows && j < p->columns) check_bound(p, i, j, (double)p->bounds[h]);
    }
    for (size_t i = 0; i < p->rows; i++)
        for (size_t j = 0; j < p->columns; j++)
            if (p->scores[i][j] >= least_of(p, i, j) && hit[i][j] != 2)
                fail_msg("trial %d, row %zu, column %zu: score %.9g missed", trial, i, j,
                         (double)p->scores[i][j]);
    if (trial == HIGHEST) p->all += count, p->left += left;
}

static void check_pair(int kind, const akin_leading *l, size_t dim, size_t rows, size_t columns) {
    now.l = l, now.dim = dim, now.rows = rows, now.columns = columns;
    for (size_t i = 0; i < rows; i++) draw_row(kind, 1, i, l, dim, now.of_a + i * l->stride);
    for (size_t j = 0; j < columns; j++) draw_row(kind, 2, j, l, dim, now.of_b + j * l->stride);
    prepare_pair(&now);
    for (int trial = 0; trial < TRIALS; trial++) check_trial(&now, trial);
    end_pair(&now);
}

static void no_pair_is_sifted_out_that_is_wanted(void **unused) {
    (void)unused;
    /* dimensions, of which so many lead: some are lost; zeros follow the tail; both, of the stride */
    static const size_t sizes[][2] = {{256, 128}, {272, 128}, {384, 256}, {395, 128}};
#ifdef __SANITIZE_ADDRESS__ /* tiles are slow there */
    const size_t tried = 2;
#else
    const size_t tried = sizeof sizes / sizeof *sizes;
#endif
    FOR_EACH_LEADING(level)
    for (size_t s = 0; s < tried; s++) {
        const size_t dim = sizes[s][0];
        akin_leading *l = leading_of(akin_dot_stride(dim), sizes[s][1]);
        assert_int_equal(l->lost, dim % 64 == 0);
        for (int kind = 0; kind < KINDS; kind++) {
            now.all = now.left = 0;
            check_pair(kind, l, dim, PANEL, PANEL);
            if (kind == DECAYING) /* it does rule out pairs */
                assert_true(now.left > 0 && now.left < now.all / (l->count == 128 ? 4 : 1));
            check_pair(kind, l, dim, 7, PANEL - 1);
        }
        akin_leading_free(l);
    }
}

/* --- the largest error of what a tile has found --- */

/* Numbers that are z once they are turned, by all of a power of two; twice is the same but for signs. */
static void turn_back(const double *z, size_t count, double *out) {
    for (size_t t = 0; t < count; t++) {
        out[t] = 0;
        for (size_t k = 0; k < count; k++)
            out[t] += (__builtin_parityll(t & k) ? -1 : 1) * z[k] / sqrt((double)count);
        if (t * t * AKIN_SKETCH_SIGNS >> 63) out[t] = -out[t];
    }
}

/* u + times w + extra in whole numbers, turned: without a length of a tail, but for `extra`, which is one. */
static void draw_whole(const akin_leading *l, int times, int extra, float *row) {
    enum { COUNT = 128 };
    double z[COUNT], x[COUNT];
    const int turned = l->place * l->place * AKIN_SKETCH_SIGNS >> 63 ? -1 : 1;
    assert_int_equal(l->count, COUNT);
    for (size_t k = 0; k < COUNT; k++) {
        const int u = k == 0           ? 127
                      : k == COUNT - 1 ? -3 + extra
                      : k >= 65        ? -2
                                       : 0,
                  w = k == 1            ? 63
                      : k > 1 && k < 65 ? -1
                                        : 0;
        z[k] = (__builtin_parityll(k & l->place) ? -turned : turned) * (u + times * w);
    }
    turn_back(z, COUNT, x);
    memset(row, 0, l->stride * sizeof *row);
    for (size_t i = 0; i < COUNT; i++)
        if (i != l->place) row[l->from[i]] = (float)x[i] + 0.0f;
    row[l->from[l->count]] = (float)x[l->place] + 0.0f; /* the tail */
    leading_normalise(row, l->stride);
}

/* Rows of which 8 bits lose nothing, and the product of whose mean lies between two units: the error of
 * what is found is half a unit, and no other error hides it. */
static void half_a_unit_is_not_lost(void **unused) {
    (void)unused;
    enum { STRIDE = 144 };
    akin_leading *l = leading_of(STRIDE, 128);
    l->least_mean = 0.5;
    FOR_EACH_LEADING(level) {
        now.l = l, now.dim = STRIDE, now.rows = now.columns = PANEL;
        for (size_t i = 0; i < PANEL; i++) {
            const int sign = i % 2 ? 2 : -2;
            draw_whole(l, sign, 0, now.of_a + i * STRIDE);
            draw_whole(l, sign, 1, now.of_b + i * STRIDE);
        }
        prepare_pair(&now);
        assert_true(now.task.row_sketch->inverse > 0);
        for (int trial = 0; trial < TRIALS; trial++) check_trial(&now, trial);
        end_pair(&now);
    }
    akin_leading_free(l);
}

int main(void) {
    if (akin_linalg_start() != AKIN_OK) return EXIT_FAILURE;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_dimension_has_one_place),
        cmocka_unit_test(places_need_memory),
        cmocka_unit_test(blocks_need_memory),
        cmocka_unit_test(single_rows_are_within_their_error),
        cmocka_unit_test(no_pair_is_sifted_out_that_is_wanted),
        cmocka_unit_test(half_a_unit_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
