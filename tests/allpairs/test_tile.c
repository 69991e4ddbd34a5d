/* tile: at every level of this CPU, and with a model of a matrix unit, on panels of all kinds, no
 * required pair is missed, and no pair that the sketches rule out is a hit; scores are within the margin. Four tiles together
 * find what each finds alone. The state of a unit survives signals, fork and other kernels. */
#include "allpairs/tile_task.h"
#include "naive_neighbors.h"
#include "tile_model.h"
#include <akin/linalg.h>
#include <akin/mem.h>
#include <akin/rng.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* Thresholds that are scores themselves, so that an error of one step would be noticed. */
static void choose_least(uint32_t trial, float scores[PANEL][PANEL], float *row_least,
                         float *column_least) {
    for (uint64_t i = 0; i < PANEL; i++) {
        uint64_t bits = akin_rng_bits(3, AKIN_RNG_TEST, trial, i);
        row_least[i] = scores[i][bits % PANEL], column_least[i] = scores[(bits >> 8) % PANEL][i];
        if (trial % 4 > 0 && (bits >> 18) % 16 > 0)
            row_least[i] = INFINITY; /* few hits, as usual */
        if (trial % 4 > 1 && (bits >> 22) % 16 > 0) column_least[i] = INFINITY;
        if (trial == 5) row_least[i] = -INFINITY;
    }
}

/* The sketches' own estimate, computed exactly. */
static double estimate(const akin_tile_task *task, size_t i, size_t j) {
    double product = 0;
    const akin_sketch_format format = akin_tile()->format;
    for (size_t t = 0; t < task->stride; t++) {
        size_t at = akin_sketch_row_place(format, task->stride, i, t);
        int row = task->rows[at] - format.offset;
        product += row * task->columns[akin_sketch_column_place(format, j, t)];
    }
    return product / ((double)task->row_sketch->row_scale * task->column_sketch->column_scale) +
           (double)task->products[j] + (double)task->margin;
}

static void check_hits(const akin_tile_task *task, float scores[PANEL][PANEL], size_t rows,
                       size_t columns, size_t *ruled_out) {
    size_t tried, count;
    akin_tile()->begin(task->stride);
    count = akin_tile()->hits(task, hits, &tried);
    akin_tile()->end();
    unsigned char hit[PANEL][PANEL] = {{0}};
    double step =
        4 / ((double)task->row_sketch->row_scale * task->column_sketch->column_scale) + 1e-5;
    assert_true(tried <= PANEL * PANEL && count <= tried);
    for (size_t h = 0; h < count; h++) {
        size_t i = hits[h].row, j = hits[h].column;
        float least =
            task->row_least[i] < task->column_least[j] ? task->row_least[i] : task->column_least[j];
        assert_int_equal(hit[i][j]++, 0);
        if (task->stride > 512 && h % 5 > 0) continue; /* of many columns, some estimates do */
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

/* Scores without a search are those that the search compares. */
static void check_scores(const akin_tile_task *task, float scores[PANEL][PANEL], size_t rows,
                         size_t columns) {
    enum { WIDTH = PANEL + 8 }; /* of the place that they are written to */
    static float told[PANEL][WIDTH];
    const double margin = (double)task->margin;
    memset(told, 0, sizeof told);
    akin_tile()->begin(task->stride);
    akin_tile()->scores(task, told[0], WIDTH);
    akin_tile()->end();
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            double one = (double)told[i][j];
            assert_true(fabs(one - (double)scores[i][j]) <= margin);
            if (task->stride <= 512 || (i + j) % 5 == 0) /* of many columns, some estimates do */
                assert_true(fabs(one + margin - estimate(task, i, j)) < 1e-5);
        }
        for (size_t j = PANEL; j < WIDTH; j++) assert_true(told[i][j] == 0);
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
        akin_tile_task task = akin_tile_task_of(stride, &of_a, &of_b);
        task.row_least = row_least, task.column_least = column_least, task.row_lowest = lowest;
        task.products = products;
        task.margin = akin_sketch_margin(of_a.sketch, of_b.sketch, dim);
        check_hits(&task, scores, rows, columns, ruled_out);
        if (trial == 0 && akin_tile()->scores != NULL) check_scores(&task, scores, rows, columns);
    }
    akin_row_block_free(a);
    akin_row_block_free(b);
    naive_free(&c);
}

static void nothing_is_missed(void **unused) {
    (void)unused;
    static const size_t dims[] = {2, 3, 16, 32, 33, 65, 100, 128, 129, 150, 300, 2048};
    FOR_EACH_TILE(level)
    for (int kind = 0; kind < NAIVE_KINDS; kind++)
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
            if (level == AKIN_CPU_LEVELS && dims[d] > 300) continue; /* the model is slow */
            size_t ruled_out = 0;
            check(kind, dims[d], PANEL, PANEL, &ruled_out);
            if (kind == NAIVE_RANDOM)
                assert_true(ruled_out > PANEL * PANEL); /* it does rule out pairs */
            check(kind, dims[d], 7, PANEL - 1, &ruled_out);
        }
}

/* --- four tiles together --- */

static int by_place(const void *x, const void *y) {
    const akin_dot_hit *a = x, *b = y;
    return a->row != b->row ? a->row - b->row : a->column - b->column;
}

/* Two panels by two; `narrow` makes one of them require nothing, so that its columns are ruled out.
 */
static void check_four(size_t dim, bool narrow) {
    static akin_dot_hit alone[AKIN_TILE_HITS], together[4][AKIN_TILE_HITS];
    static float least[2][PANEL], products[PANEL];
    naive_catalogue c = naive_create(NAIVE_RANDOM, (uint32_t)dim, 4 * PANEL, dim);
    akin_row_block *a = block_of(&c, 0, 2 * PANEL), *b = block_of(&c, 2 * PANEL, 2 * PANEL);
    akin_tile_task tasks[4];
    akin_dot_hit *const hits_of[4] = {together[0], together[1], together[2], together[3]};
    size_t counts[4], tried[4], one, some = 0;
    for (int i = 0; i < PANEL; i++)
        least[0][i] = (float)i / PANEL, least[1][i] = INFINITY, products[i] = (float)i / 100;
    for (size_t t = 0; t < 4; t++) {
        akin_row_block_panel rows = akin_row_block_view(a, t / 2),
                             columns = akin_row_block_view(b, t % 2);
        bool nothing = narrow && t == 2;
        tasks[t] = akin_tile_task_of(akin_row_block_stride(a), &rows, &columns);
        tasks[t].row_least = least[nothing], tasks[t].row_lowest = least[nothing][0];
        tasks[t].column_least = least[nothing || t % 2 == 0];
        tasks[t].products = products;
        tasks[t].margin = akin_sketch_margin(rows.sketch, columns.sketch, dim);
        tasks[t].next = t == 0 ? akin_row_block_columns(b, 0) : NULL;
    }
    akin_tile()->begin(akin_row_block_stride(a));
    akin_tile()->four(tasks, hits_of, counts, tried);
    for (size_t t = 0; t < 4; t++) {
        assert_int_equal(akin_tile()->hits(&tasks[t], alone, &one), counts[t]);
        assert_int_equal(one, tried[t]);
        qsort(alone, counts[t], sizeof *alone, by_place);
        qsort(together[t], counts[t], sizeof *alone, by_place);
        assert_memory_equal(alone, together[t], counts[t] * sizeof *alone);
        some += counts[t];
    }
    assert_true(some > 0 && counts[2] < PANEL * PANEL);
    akin_tile()->end();
    akin_row_block_free(a);
    akin_row_block_free(b);
    naive_free(&c);
}

static void four_are_as_each(void **unused) {
    (void)unused;
    static const size_t dims[] = {16, 65, 300};
    FOR_EACH_TILE(level) {
        if (akin_tile()->four == NULL) continue;
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
            check_four(dims[d], false);
            check_four(dims[d], true);
        }
    }
}

/* --- thresholds --- */

/* The least score that is enough, in double: what reaches the sum with the largest offset. */
static double enough(float sum, akin_tile_sums of) {
    double score = (double)sum - (double)of.largest;
    if (sum == INFINITY) return INFINITY;
    if (score < (double)of.minimum) score = (double)of.minimum;
    if (score > (double)of.sure) score = (double)of.sure;
    return score <= -1 ? -INFINITY : score;
}

static float draw(uint64_t seed, uint64_t i) {
    return 3 * (float)(akin_rng_uniform(seed, AKIN_RNG_TEST, 8, i) - 0.5);
}

static void thresholds_are_lowered(void **unused) {
    (void)unused;
    static const float minima[] = {-1, 0.25f}, special[] = {INFINITY, -INFINITY, 1, -1};
    FOR_EACH_TILE(level)
    for (uint64_t trial = 0; trial < 200; trial++) {
        const akin_tile_sums of = {draw(9, trial), minima[trial % 2], 0.999f};
        float more[PANEL], before[PANEL], plain[PANEL], sums[PANEL];
        for (size_t i = 0; i < PANEL; i++) {
            more[i] = i % 6 == 0 ? special[i / 6 % 4] : draw(10 + trial, i);
            before[i] = i % 5 == 0 ? INFINITY : draw(300 + trial, i);
        }
        memcpy(plain, before, sizeof plain);
        memcpy(sums, before, sizeof sums);
        akin_tile()->lower(more, plain);
        akin_tile()->lower_to_sums(more, of, sums);
        for (size_t i = 0; i < PANEL; i++) {
            double score = enough(more[i], of), most = fmin(score, (double)before[i]);
            assert_true(plain[i] == fminf(more[i], before[i]));
            assert_true((double)sums[i] <= most);
            assert_true((double)sums[i] >= most - 1e-5 || score < -1 + 1e-5);
        }
    }
}

/* --- the state of a unit --- */

typedef struct {
    naive_catalogue c;
    akin_row_block *a, *b;
    float least[PANEL], nothing[PANEL], products[PANEL];
    akin_tile_task task;
    akin_dot_hit hits[AKIN_TILE_HITS];
    size_t count;
} trial;

static size_t run_trial(trial *t, akin_dot_hit *found) {
    size_t tried;
    return akin_tile()->hits(&t->task, found, &tried);
}

static void begin_trial(trial *t, uint32_t seed, size_t dim) {
    memset(t, 0, sizeof *t);
    t->c = naive_create(NAIVE_RANDOM, seed, 2 * PANEL, dim);
    t->a = block_of(&t->c, 0, PANEL), t->b = block_of(&t->c, PANEL, PANEL);
    akin_row_block_panel of_a = akin_row_block_view(t->a, 0), of_b = akin_row_block_view(t->b, 0);
    for (int i = 0; i < PANEL; i++) t->least[i] = 0.1f, t->nothing[i] = INFINITY;
    t->task = akin_tile_task_of(akin_row_block_stride(t->a), &of_a, &of_b);
    t->task.row_least = t->least, t->task.column_least = t->nothing;
    t->task.row_lowest = 0.1f;
    t->task.products = t->products;
    t->task.margin = akin_sketch_margin(of_a.sketch, of_b.sketch, dim);
    akin_tile()->begin(t->task.stride);
    t->count = run_trial(t, t->hits);
    akin_tile()->end();
    assert_true(t->count > 0);
}

static bool is_as_before(trial *t) {
    static akin_dot_hit found[AKIN_TILE_HITS];
    return run_trial(t, found) == t->count && !memcmp(found, t->hits, t->count * sizeof *found);
}

static void end_trial(trial *t) {
    akin_row_block_free(t->a);
    akin_row_block_free(t->b);
    naive_free(&t->c);
}

static trial here, there; /* another shape, in handlers and in children */
static volatile sig_atomic_t interrupted, went_wrong;

static void interrupt(int signal) {
    static akin_dot_hit found[AKIN_TILE_HITS];
    (void)signal;
    akin_tile()->begin(there.task.stride);
    went_wrong |= run_trial(&there, found) != there.count ||
                  memcmp(found, there.hits, there.count * sizeof *found) != 0;
    akin_tile()->end();
    interrupted++;
}

/* Handlers use the unit themselves, with another shape. */
static void signals_leave_the_state(void **unused) {
    (void)unused;
    const struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    FOR_EACH_LEVEL(level) {
        begin_trial(&here, 1, 300);
        begin_trial(&there, 2, 33);
        interrupted = 0;
        assert_true(signal(SIGALRM, interrupt) != SIG_ERR);
        assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
        akin_tile()->begin(here.task.stride);
        bool right = true;
        while (interrupted < 20) right &= is_as_before(&here);
        akin_tile()->end();
        assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
        assert_true(right && !went_wrong);
        end_trial(&here);
        end_trial(&there);
    }
}

/* Child processes have a unit of their own, and other kernels may run before the next tile. */
static void fork_and_other_kernels_leave_the_state(void **unused) {
    (void)unused;
    static float a[64 * 64] __attribute__((aligned(64))), b[64 * 64] __attribute__((aligned(64))),
        out[64 * 64];
    FOR_EACH_LEVEL(level) {
        int ended;
        begin_trial(&here, 1, 300);
        begin_trial(&there, 2, 33);
        akin_tile()->begin(here.task.stride);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            akin_tile()->begin(there.task.stride);
            _exit(!is_as_before(&there));
        }
        assert_int_equal(waitpid(child, &ended, 0), child);
        assert_int_equal(ended, 0);
        assert_true(is_as_before(&here));
        akin_linalg_product((akin_linalg_shape){64, 64, 64, AKIN_TURN_B}, a, b, out);
        akin_dot()->one_many(a, b, 64, 64, out);
        assert_true(is_as_before(&here));
        akin_tile()->end();
        end_trial(&here);
        end_trial(&there);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_missed),
        cmocka_unit_test(four_are_as_each),
        cmocka_unit_test(thresholds_are_lowered),
        cmocka_unit_test(signals_leave_the_state),
        cmocka_unit_test(fork_and_other_kernels_leave_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
