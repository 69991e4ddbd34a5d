/* Reusing the previous table, at 1, 2, 3 and 4 ranks: for the same catalogue everything is reused.
 * A row that has changed is new; one that has lost so many neighbours that fewer than k are left is
 * short; what is kept is the beginning of the naive list, down to the horizon. A table of other
 * embeddings, another model or other rules is refused. */
#include "naive_vectors.h"
#include "neighbors/delta.h"
#include <akin/embeddings.h>
#include <akin/mem.h>
#include <akin/table.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N = 160, DIM = 7, K = 5, LIST = 8 };

static akin_comm *comm;

static const akin_row_block_rules *rules_of_test = &naive_rules[0];
static const akin_delta_source source = {.table = "table.nc",
                                         .embeddings = "embeddings.nc",
                                         .result_options = "k=5 rules",
                                         .k = K,
                                         .list = LIST};

/* The previous night's two files: embeddings, and their naive lists. */
static void write_night(const naive_catalogue *c, const char *model, size_t k) {
    size_t first = akin_shard_first(c->n, akin_comm_size(comm), akin_comm_rank(comm)),
           count = akin_shard_count(c->n, akin_comm_size(comm), akin_comm_rank(comm));
    akin_labels *labels = naive_labels(comm, c);
    uint64_t *hashes = calloc(count + 1, sizeof *hashes), list[K + 4];
    int32_t *neighbor = malloc((count * k + 1) * sizeof *neighbor),
            *counts = calloc(count + 1, sizeof *counts);
    float *score = calloc(count * k + 1, sizeof *score);
    const akin_embeddings_origin embedded = {
        .options = "", .result_options = "", .catalog_digest = "catalog", .model_digest = model};
    akin_embeddings *embeddings;
    assert_int_equal(
        akin_embeddings_write(comm, source.embeddings, &embedded,
                              &(akin_embeddings_content){c->n, c->dim, first, labels,
                                                         c->rows + first * c->dim, hashes}),
        AKIN_OK);
    assert_int_equal(akin_embeddings_open(comm, source.embeddings, &embeddings), AKIN_OK);
    for (size_t i = 0; i < count; i++) {
        naive_list(c, rules_of_test, NULL, first + i, k, list);
        for (size_t e = 0; e < k; e++) {
            neighbor[i * k + e] = list[e] ? akin_topk_row(list[e]) : -1;
            score[i * k + e] = list[e] ? akin_topk_score(list[e]) : 0;
            counts[i] += list[e] != 0;
        }
    }
    const akin_table_origin origin = {"k=5 rules", "k=5 rules", akin_embeddings_digest(embeddings),
                                      model};
    const akin_table_part part = {c->n, k, first, neighbor, score, counts};
    assert_int_equal(akin_table_write(comm, source.table, &origin, labels, &part, NULL), AKIN_OK);
    akin_embeddings_close(embeddings);
    akin_labels_free(labels);
    free(hashes);
    free(neighbor);
    free(counts);
    free(score);
}

/* Rows that were removed, and rows whose vector has changed. */
static bool changes(size_t row, int every) {
    return every > 0 && row % (size_t)every == 3;
}

static naive_catalogue tonight(const naive_catalogue *before, int every) {
    naive_catalogue c = naive_create(NAIVE_RANDOM, 1, before->n, before->dim);
    memcpy(c.items, before->items, c.n * sizeof *c.items);
    for (size_t i = 0; i < c.n; i++)
        for (size_t t = 0; t < c.dim; t++)
            c.rows[i * c.dim + t] = changes(i, every) ? -before->rows[i * c.dim + t] + 0.0f
                                                      : before->rows[i * c.dim + t];
    return c;
}

/* Embeddings in memory have no model digest, so the current ones come from a file too. */
static akin_vectors *reopen(const naive_catalogue *c, const char *model) {
    akin_vectors *vectors;
    akin_labels *labels = naive_labels(comm, c);
    size_t first = akin_shard_first(c->n, akin_comm_size(comm), akin_comm_rank(comm));
    uint64_t *hashes = calloc(c->n + 1, sizeof *hashes);
    const akin_embeddings_origin embedded = {
        .options = "", .result_options = "", .catalog_digest = "catalog", .model_digest = model};
    assert_int_equal(
        akin_embeddings_write(comm, "tonight.nc", &embedded,
                              &(akin_embeddings_content){c->n, c->dim, first, labels,
                                                         c->rows + first * c->dim, hashes}),
        AKIN_OK);
    assert_int_equal(akin_vectors_open(comm, "tonight.nc", NULL, &vectors), AKIN_OK);
    akin_labels_free(labels);
    free(hashes);
    return vectors;
}

/* The rows of these embeddings. */
static akin_status find(akin_delta_source from, const akin_vectors *vectors, akin_delta **out) {
    akin_vectors *before;
    assert_int_equal(akin_vectors_open(comm, from.embeddings, NULL, &before), AKIN_OK);
    from.before = before;
    akin_status status = akin_delta_find(comm, &from, vectors, rules_of_test, NULL, out);
    akin_vectors_free(before);
    return status;
}

/* How many entries of row i's old list are left. */
static size_t left_of(const naive_catalogue *before, size_t i, int every) {
    uint64_t list[K];
    size_t left = 0;
    naive_list(before, rules_of_test, NULL, i, K, list);
    for (size_t e = 0; e < K; e++)
        left += list[e] != 0 && !changes((size_t)akin_topk_row(list[e]), every);
    return left;
}

static void check_row(const akin_delta *delta, const naive_catalogue *before, size_t at, size_t i,
                      int every) {
    uint64_t list[K];
    size_t left = left_of(before, i, every), held = 0;
    if (changes(i, every)) {
        assert_int_equal(delta->label[at], 2);
        assert_int_equal(delta->lists[at * LIST], 0);
        return;
    }
    assert_int_equal(delta->label[at], left < K); /* kept, or short */
    naive_list(before, rules_of_test, NULL, i, K, list);
    for (size_t e = 0; e < K; e++)
        if (list[e] && !changes((size_t)akin_topk_row(list[e]), every))
            assert_int_equal(delta->lists[at * LIST + held++], list[e]);
    assert_int_equal(delta->lists[at * LIST + held], 0);
    assert_int_equal(delta->horizon[at],
                     delta->label[at] == 0 ? delta->lists[at * LIST + held - 1] : 0);
}

static void check(int every) {
    naive_catalogue before = naive_create(NAIVE_RANDOM, 1, N, DIM), now = tonight(&before, every);
    akin_delta *delta;
    size_t fresh = 0, shorter = 0;
    write_night(&before, "model", K);
    akin_vectors *vectors = reopen(&now, "model");
    assert_int_equal(find(source, vectors, &delta), AKIN_OK);
    for (size_t i = 0; i < akin_vectors_count(vectors); i++)
        check_row(delta, &before, i, akin_vectors_first(vectors) + i, every);
    for (size_t i = 0; i < N; i++) {
        fresh += changes(i, every);
        shorter += !changes(i, every) && left_of(&before, i, every) < K;
    }
    assert_int_equal(delta->fresh, fresh);
    assert_int_equal(delta->gone, fresh); /* the old vector with the same id is gone */
    assert_int_equal(delta->shorter, shorter);
    assert_int_equal(delta->kept, N - fresh - shorter);
    assert_true(every > 0 ? shorter > 0 : shorter == 0);
    akin_delta_free(delta);
    akin_vectors_free(vectors);
    naive_free(&before);
    naive_free(&now);
}

static void the_same_catalogue_is_kept_whole(void **unused) {
    (void)unused;
    check(0);
}

static void rows_are_new_short_or_kept(void **unused) {
    (void)unused;
    check(40);
    check(9);
}

static void what_does_not_belong_together_is_refused(void **unused) {
    (void)unused;
    naive_catalogue c = naive_create(NAIVE_RANDOM, 1, N, DIM);
    akin_delta *delta;
    akin_delta_source other = source;
    write_night(&c, "model", K);
    akin_vectors *vectors = reopen(&c, "another model");
    assert_int_equal(find(source, vectors, &delta), AKIN_INPUT);
    akin_vectors_free(vectors);
    vectors = reopen(&c, "model");
    other.k = K + 1; /* more than the table has */
    assert_int_equal(find(other, vectors, &delta), AKIN_INPUT);
    other.k = K;
    other.result_options = "k=5 other rules";
    assert_int_equal(find(other, vectors, &delta), AKIN_INPUT);
    other.result_options = "k=4 rules"; /* fewer can be taken from it */
    other.k = K - 1;
    assert_int_equal(find(other, vectors, &delta), AKIN_OK);
    akin_delta_free(delta);
    other = source;
    other.embeddings = "tonight.nc"; /* the same rows and therefore the same digest: it matches */
    assert_int_equal(find(other, vectors, &delta), AKIN_OK);
    akin_delta_free(delta);
    other.table = "none.nc";
    assert_int_equal(find(other, vectors, &delta), AKIN_FAILED);
    akin_vectors_free(vectors);
    naive_free(&c);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_catalogue_is_kept_whole),
        cmocka_unit_test(rows_are_new_short_or_kept),
        cmocka_unit_test(what_does_not_belong_together_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
