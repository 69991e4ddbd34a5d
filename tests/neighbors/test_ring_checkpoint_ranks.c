/* Checkpoints of an all-pairs run, at 1, 2, 3 and 4 ranks: the part of a row is the one that the
 * sweep counts it in; a checkpoint is read by the shard that has the row, with both lists merged,
 * and with its place and label; a checkpoint of another run is refused, with the differences. */
#include "allpairs/partition.h"
#include "naive_vectors.h"
#include "neighbors/ring_checkpoint.h"
#include <akin/mem.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static akin_comm *comm;
static int size;
static const char path[] = "ring.nc";
static const akin_ring_checkpoint_origin origin = {"k=4 cpu=auto", "k=4", "digest-of-embeddings",
                                                   ""};

/* Part s of a block has panels [panels * s / subs, panels * (s + 1) / subs). */
static void a_part_is_what_the_sweep_calls_so(void **unused) {
    (void)unused;
    static const size_t counts[] = {1, 47, 48, 49, 500, 4801};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int subs = 2; subs <= 64; subs += 2)
            for (size_t i = 0; i < counts[c]; i += 1 + counts[c] / 97) {
                size_t panels = (counts[c] + AKIN_ROW_BLOCK_PANEL - 1) / AKIN_ROW_BLOCK_PANEL;
                size_t part = (size_t)akin_ring_checkpoint_part(counts[c], subs, i);
                assert_true(part < (size_t)subs);
                assert_true(panels * part / (size_t)subs <= i / AKIN_ROW_BLOCK_PANEL);
                assert_true(i / AKIN_ROW_BLOCK_PANEL < panels * (part + 1) / (size_t)subs);
            }
}

enum { N = 250, DIM = 8, K = 4, SUBS = 6 };

typedef struct {
    naive_catalogue c;
    akin_vectors *vectors;
    akin_row_block *own;
    size_t *counts;
} run;

/* Two tables; the second one's lists are longer. */
static const akin_allpairs_table tables[2] = {{.k = K, .rules = &naive_rules[0]},
                                              {.k = K + 1, .rules = &naive_rules[0]}};
static const akin_ring_checkpoint_table known[2] = {{.k = K}, {.k = K + 1}};

static run begin(void) {
    run r = {.c = naive_create(NAIVE_RANDOM, 5, N, DIM)};
    r.vectors = naive_vectors(comm, &r.c);
    assert_int_equal(akin_partition_out(comm, r.vectors, tables, 2, &r.own, &r.counts), AKIN_OK);
    for (int t = 0; t < 2; t++)
        for (size_t i = 0; i < akin_row_block_count(r.own); i++) {
            int32_t row = akin_row_block_items(r.own)[i].row;
            for (int32_t e = 0; e < row % (K + 2); e++)
                akin_topk_push(akin_row_block_list(akin_row_block_table(r.own, t), i), known[t].k,
                               akin_topk_key(0.125f * (float)(e + 1), (row + 1 + e) % N));
        }
    return r;
}

static akin_status save(const run *r) {
    const akin_ring_checkpoint_state state = {
        .progress = {size, SUBS, 0, 3, 0.375, 0.25}, .counts = r->counts, .own = r->own};
    return akin_ring_checkpoint_write(comm, path, &origin, &state);
}

static void end(run *r) {
    akin_row_block_free(r->own);
    akin_mem_free(r->counts);
    akin_vectors_free(r->vectors);
    naive_free(&r->c);
}

static void check_row(const akin_ring_checkpoint *w, size_t i, int32_t row) {
    size_t held = (size_t)(row % (K + 2));
    for (int t = 0; t < 2; t++) {
        uint64_t list[K + 2] = {0};
        size_t k = known[t].k;
        for (size_t e = 0; e < k && e < held; e++) { /* best first: the last one that was pushed */
            int32_t at = (int32_t)(held - 1 - e);
            list[e] = akin_topk_key(0.125f * (float)(at + 1), (row + 1 + at) % N);
        }
        assert_memory_equal(w->lists[t] + i * k, list, k * sizeof *list);
    }
    assert_true(w->place[i] >= 0 && w->place[i] < N);
    assert_true(w->label[i] >= 0 && w->label[i] < size * SUBS);
}

static void what_is_written_is_read(void **unused) {
    (void)unused;
    run r = begin();
    akin_ring_checkpoint *w;
    int64_t taken[N] = {0};
    assert_int_equal(save(&r), AKIN_OK);
    assert_int_equal(akin_ring_checkpoint_read(comm, path, &origin, N, known, 2, &w), AKIN_OK);
    assert_int_equal(w->progress.size, size);
    assert_int_equal(w->progress.subs, SUBS);
    assert_int_equal(w->progress.step, 0);
    assert_int_equal(w->progress.slice, 3);
    assert_true(w->progress.share == 0.375 && w->progress.before == 0.25);
    assert_int_equal(w->layers, 0);
    assert_memory_equal(w->counts, r.counts, (size_t)size * sizeof *r.counts);
    for (size_t i = 0; i < akin_vectors_count(r.vectors); i++) {
        check_row(w, i, (int32_t)(akin_vectors_first(r.vectors) + i));
        taken[w->place[i]]++;
    }
    akin_comm_sum_i64(comm, taken, N);
    for (size_t p = 0; p < N; p++)
        assert_int_equal(taken[p], 1); /* no two rows have the same place */
    akin_ring_checkpoint_free(w);
    end(&r);
}

static void another_run_is_refused(void **unused) {
    (void)unused;
    static const struct {
        akin_ring_checkpoint_origin origin;
        const char *named;
    } others[] = {{{"", "k=5", "digest-of-embeddings", ""}, "options"},
                  {{"", "k=4", "another-digest", ""}, "embeddings"},
                  {{"", "k=4", "digest-of-embeddings", "a-table"}, "table"}};
    run r = begin();
    akin_ring_checkpoint *w;
    assert_int_equal(save(&r), AKIN_OK);
    for (size_t o = 0; o < sizeof others / sizeof *others; o++) {
        assert_int_equal(akin_ring_checkpoint_read(comm, path, &others[o].origin, N, known, 2, &w),
                         AKIN_INPUT);
        if (!strstr(akin_error_message(), others[o].named))
            fail_msg("no \"%s\" in: %s", others[o].named, akin_error_message());
    }
    const akin_ring_checkpoint_table longer[2] = {{.k = K}, {.k = K + 2}};
    assert_int_equal(akin_ring_checkpoint_read(comm, path, &origin, N, longer, 2, &w), AKIN_INPUT);
    assert_int_equal(akin_ring_checkpoint_read(comm, path, &origin, N, known, 1, &w), AKIN_OK);
    akin_ring_checkpoint_free(w);
    const akin_ring_checkpoint_table more[3] = {known[0], known[1], {.k = K}};
    assert_int_equal(akin_ring_checkpoint_read(comm, path, &origin, N, more, 3, &w), AKIN_INPUT);
    assert_int_equal(akin_ring_checkpoint_read(comm, "none.nc", &origin, N, known, 2, &w),
                     AKIN_FAILED);
    end(&r);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    size = akin_comm_size(comm);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_what_the_sweep_calls_so),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(another_run_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
