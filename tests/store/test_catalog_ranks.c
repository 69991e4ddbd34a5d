/* Laws of the catalogue, embeddings and table files: reading inverts writing, at any number of
 * ranks, including more ranks than items; a file of another kind is refused by name; a table with
 * invalid rows is refused. */
#include "items.h"
#include <akin/catalog.h>
#include <akin/embeddings.h>
#include <akin/mem.h>
#include <akin/table.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static akin_comm *comm;

enum { DIM = 4, K = 3 };

static const char *name_of(const char *what) {
    static char names[4][64];
    static int next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof names[0], "catalog-%d-%s.nc", akin_comm_size(comm), what);
    return name;
}

static uint8_t pixel(size_t row, size_t byte) {
    return (uint8_t)(row * 31 + byte * 7 + byte / 96);
}

static uint64_t hash_of(size_t row) {
    return UINT64_MAX - row * 0x123456789ull;
}

static void write_catalog(const char *path, size_t n) {
    size_t first;
    akin_labels *labels = make_shard(comm, n, true, &first);
    size_t count = akin_labels_count(labels);
    uint8_t *images = akin_mem_alloc(count, AKIN_IMAGE_BYTES);
    uint64_t *hashes = akin_mem_alloc(count, sizeof *hashes);
    for (size_t i = 0; i < count; i++) {
        hashes[i] = hash_of(first + i);
        for (size_t b = 0; b < AKIN_IMAGE_BYTES; b++)
            images[i * AKIN_IMAGE_BYTES + b] = pixel(first + i, b);
    }
    const akin_catalog_origin origin = {"fit=stretch quiet=no", "fit=stretch", "0123", NULL};
    const akin_catalog_part part = {n, first, images, hashes};
    assert_int_equal(akin_catalog_write(comm, path, &origin, labels, &part, NULL), AKIN_OK);
    akin_mem_free(images);
    akin_mem_free(hashes);
    akin_labels_free(labels);
}

static void expect_attribute(const akin_ncfile *file, const char *name, const char *expected) {
    char *text = NULL;
    assert_int_equal(akin_ncfile_get_attribute(file, name, &text), AKIN_OK);
    assert_non_null(text);
    assert_string_equal(text, expected);
    akin_mem_free(text);
}

static void catalog_written_is_read(void **state) {
    (void)state;
    const size_t counts[] = {1, 2, 21};
    for (size_t c = 0; c < 3; c++) {
        size_t n = counts[c];
        akin_catalog *catalog = NULL;
        write_catalog(name_of("catalog"), n);
        assert_int_equal(akin_catalog_open(comm, name_of("catalog"), &catalog), AKIN_OK);
        assert_int_equal(akin_catalog_items(catalog), n);
        assert_int_equal(strlen(akin_catalog_digest(catalog)), 32);
        expect_attribute(akin_catalog_file(catalog), "akin_options", "fit=stretch quiet=no");
        expect_attribute(akin_catalog_file(catalog), "akin_result_options", "fit=stretch");
        expect_attribute(akin_catalog_file(catalog), "input_source_digest", "0123");
        uint8_t *images = akin_mem_alloc(n, AKIN_IMAGE_BYTES);
        uint64_t *hashes = akin_mem_alloc(n, sizeof *hashes);
        assert_int_equal(akin_catalog_images(catalog, 0, n, images), AKIN_OK);
        assert_int_equal(akin_catalog_hashes(catalog, 0, n, hashes), AKIN_OK);
        for (size_t i = 0; i < n; i++) {
            assert_true(hashes[i] == hash_of(i));
            for (size_t b = 0; b < AKIN_IMAGE_BYTES; b++)
                assert_int_equal(images[i * AKIN_IMAGE_BYTES + b], pixel(i, b));
        }
        akin_mem_free(images);
        akin_mem_free(hashes);
        akin_catalog_close(catalog);
    }
}

static void embeddings_written_is_read(void **state) {
    (void)state;
    size_t n = 10, first;
    akin_labels *labels = make_shard(comm, n, false, &first);
    size_t count = akin_labels_count(labels);
    float rows[10 * DIM];
    uint64_t hashes[10];
    for (size_t i = 0; i < count; i++) {
        hashes[i] = hash_of(first + i);
        for (size_t d = 0; d < DIM; d++) rows[i * DIM + d] = d == (first + i) % DIM ? 1.0f : 0.0f;
    }
    const akin_embeddings_origin origin = {.options = "o",
                                           .result_options = "r",
                                           .catalog_digest = "catalog-digest",
                                           .model_digest = "model-digest",
                                           .catalog_options = "fit=stretch"};
    const char *path = name_of("embeddings");
    assert_int_equal(
        akin_embeddings_write(comm, path, &origin,
                              &(akin_embeddings_content){n, DIM, first, labels, rows, hashes}),
        AKIN_OK);
    akin_labels_free(labels);

    akin_embeddings *embeddings = NULL;
    assert_int_equal(akin_embeddings_open(comm, path, &embeddings), AKIN_OK);
    assert_int_equal(akin_embeddings_items(embeddings), n);
    assert_int_equal(akin_embeddings_dim(embeddings), DIM);
    assert_string_equal(akin_embeddings_model_digest(embeddings), "model-digest");
    expect_attribute(akin_embeddings_file(embeddings), "input_catalog_digest", "catalog-digest");
    assert_int_equal(akin_embeddings_rows(embeddings, 0, n, rows), AKIN_OK);
    assert_int_equal(akin_embeddings_hashes(embeddings, 0, n, hashes), AKIN_OK);
    for (size_t i = 0; i < n; i++) {
        assert_true(hashes[i] == hash_of(i));
        for (size_t d = 0; d < DIM; d++)
            assert_true(rows[i * DIM + d] == (d == i % DIM ? 1.0f : 0.0f));
    }
    akin_catalog *catalog = NULL;
    assert_int_equal(akin_catalog_open(comm, path, &catalog), AKIN_INPUT);
    assert_null(catalog);
    assert_non_null(strstr(akin_error_message(), "'embeddings'"));
    akin_embeddings_close(embeddings);
}

/* In a table of n items, item i has the next i % (K + 1) items as neighbours. */
static void make_row(size_t n, size_t row, int32_t *neighbor, float *score, int32_t *count) {
    *count = (int32_t)(row % (K + 1));
    for (int32_t j = 0; j < K; j++) {
        neighbor[j] = j < *count ? (int32_t)((row + 1 + (size_t)j) % n) : -1;
        score[j] = j < *count ? 1.0f - 0.25f * (float)j : 0.0f;
    }
}

static akin_status write_table(const char *path, size_t n, size_t spoiled_row,
                               int32_t spoiled_neighbor, float spoiled_score,
                               int32_t spoiled_count) {
    size_t first;
    akin_labels *labels = make_shard(comm, n, true, &first);
    size_t count = akin_labels_count(labels);
    int32_t neighbor[64 * K], counts[64];
    float score[64 * K];
    for (size_t i = 0; i < count; i++) {
        make_row(n, first + i, neighbor + i * K, score + i * K, counts + i);
        if (first + i != spoiled_row) continue;
        neighbor[i * K] = spoiled_neighbor;
        score[i * K] = spoiled_score;
        counts[i] = spoiled_count;
    }
    const akin_table_origin origin = {"k=3", "k=3", "embeddings-digest", "model-digest"};
    const akin_table_part part = {n, K, first, neighbor, score, counts};
    akin_status status = akin_table_write(comm, path, &origin, labels, &part, NULL);
    akin_labels_free(labels);
    return status;
}

static void table_written_is_read(void **state) {
    (void)state;
    size_t n = 23;
    akin_table *table = NULL;
    assert_int_equal(write_table(name_of("table"), n, SIZE_MAX, 0, 0, 0), AKIN_OK);
    assert_int_equal(akin_table_open(comm, name_of("table"), &table), AKIN_OK);
    assert_int_equal(akin_table_items(table), n);
    assert_int_equal(akin_table_k(table), K);
    int32_t neighbor[23 * K], counts[23], counts_alone[23];
    float score[23 * K];
    assert_int_equal(akin_table_rows(table, 0, n, neighbor, score, counts), AKIN_OK);
    assert_int_equal(akin_table_rows(table, 0, n, NULL, NULL, counts_alone), AKIN_OK);
    assert_memory_equal(counts, counts_alone, sizeof counts);
    for (size_t i = 0; i < n; i++) {
        int32_t row[K], count;
        float scores[K];
        make_row(n, i, row, scores, &count);
        assert_int_equal(counts[i], count);
        assert_memory_equal(neighbor + i * K, row, sizeof row);
        assert_memory_equal(score + i * K, scores, sizeof scores);
    }
    akin_table_close(table);
}

/* Digests are correct but values are not, as in a file from a faulty program. */
static void wrong_rows_are_refused(void **state) {
    (void)state;
    const struct {
        int32_t neighbor;
        float score;
        int32_t count;
    } spoils[] = {{23, 1, 3}, {-1, 1, 3},   {INT32_MAX, 1, 3}, {7, 1, 3},     {8, 1, 4},
                  {8, 1, -1}, {8, 1.5f, 3}, {8, NAN, 3},       {8, -0.5f, 3}, {8, 1, 2}};
    for (size_t s = 0; s < sizeof spoils / sizeof *spoils; s++) {
        akin_table *table = NULL;
        int32_t counts[23];
        assert_int_equal(write_table(name_of("spoiled"), 23, 7, spoils[s].neighbor, spoils[s].score,
                                     spoils[s].count),
                         AKIN_OK);
        assert_int_equal(akin_table_open(comm, name_of("spoiled"), &table), AKIN_OK);
        if (akin_table_rows(table, 0, 23, NULL, NULL, counts) != AKIN_INPUT)
            fail_msg("spoil %zu was not found", s);
        assert_non_null(strstr(akin_error_message(), "row 7"));
        assert_int_equal(akin_table_rows(table, 8, 15, NULL, NULL, counts), AKIN_OK);
        akin_table_close(table);
    }
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catalog_written_is_read),
        cmocka_unit_test(embeddings_written_is_read),
        cmocka_unit_test(table_written_is_read),
        cmocka_unit_test(wrong_rows_are_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
