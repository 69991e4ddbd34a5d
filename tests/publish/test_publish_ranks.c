/* publish and rollback: the files have the contents of the table, at any number of ranks; the
 * previous file is kept and restored; if one target is unavailable, none is changed. */
#include <akin/comm.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/publish.h>
#include <akin/shard.h>
#include <akin/table.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static akin_comm *comm;

enum { K = 4, ID_LENGTH = 32 };

/* Item i: its id, number of neighbours, which ones, scores; `night` makes tables differ. */
static void id_of(size_t item, char *id) {
    static const char *const kinds[] = {"plain", "com,ma", "quo\"te", "\xC3\xBC", "back\\slash"};
    snprintf(id, ID_LENGTH, "%s-%04d", kinds[item % 5], (int)item);
}
static size_t count_of(size_t item, size_t n) {
    size_t count = item % (K + 1);
    return count < n ? count : n - 1;
}
static int32_t neighbor_of(size_t item, size_t rank, size_t n) {
    return (int32_t)((item + 1 + rank) % n);
}
static float score_of(size_t item, size_t rank, int night) {
    return 1.0f - 0.01f * (float)(item % 13) - 0.11f * (float)rank - 0.001f * (float)night;
}

static void write_table(const char *path, size_t n, int night) {
    int rank = akin_comm_rank(comm), size = akin_comm_size(comm);
    size_t first = akin_shard_first(n, size, rank), count = akin_shard_count(n, size, rank);
    akin_labels *labels = NULL;
    int32_t *neighbor = akin_mem_alloc(count * K, sizeof *neighbor),
            *counts = akin_mem_alloc(count, sizeof *counts);
    float *score = akin_mem_zalloc(count * K, sizeof *score);
    assert_int_equal(akin_labels_create(count, ID_LENGTH, &labels), AKIN_OK);
    for (size_t i = 0; i < count; i++) {
        char id[ID_LENGTH];
        id_of(first + i, id);
        assert_int_equal(akin_labels_set_id(labels, i, id), AKIN_OK);
        counts[i] = (int32_t)count_of(first + i, n);
        for (size_t r = 0; r < K; r++) {
            bool has = r < (size_t)counts[i];
            neighbor[i * K + r] = has ? neighbor_of(first + i, r, n) : -1;
            if (has) score[i * K + r] = score_of(first + i, r, night);
        }
    }
    akin_table_origin origin = {"", "", "", ""};
    const akin_table_part part = {n, K, first, neighbor, score, counts};
    assert_int_equal(akin_table_write(comm, path, &origin, labels, &part, NULL), AKIN_OK);
    akin_labels_free(labels);
    akin_mem_free(neighbor);
    akin_mem_free(counts);
    akin_mem_free(score);
}

/* The same texts, formatted in the simplest way. */
static void quote(FILE *out, const char *id, char escape) {
    bool bare = escape == '"' && !strpbrk(id, ",\"");
    if (!bare) fputc('"', out);
    for (; *id; id++) {
        if (*id == '"' || (*id == '\\' && escape == '\\')) fputc(escape, out);
        fputc(*id, out);
    }
    if (!bare) fputc('"', out);
}
static char *expected_text(size_t n, int night, bool json) {
    char *text = NULL, id[ID_LENGTH], other[ID_LENGTH];
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!json) fputs("id,rank,neighbor,score\n", out);
    for (size_t i = 0; i < n; i++) {
        id_of(i, id);
        if (json) {
            fputs("{\"id\": ", out);
            quote(out, id, '\\');
            fputs(", \"neighbors\": [", out);
        }
        for (size_t r = 0; r < count_of(i, n); r++) {
            id_of((size_t)neighbor_of(i, r, n), other);
            if (json) {
                fputs(r > 0 ? ", [" : "[", out);
                quote(out, other, '\\');
                fprintf(out, ", %.9g]", (double)score_of(i, r, night));
            } else {
                quote(out, id, '"');
                fprintf(out, ",%zu,", r + 1);
                quote(out, other, '"');
                fprintf(out, ",%.9g\n", (double)score_of(i, r, night));
            }
        }
        if (json) fputs("]}\n", out);
    }
    fclose(out);
    return text;
}

static void assert_file(const char *path, const char *expected) {
    if (akin_comm_rank(comm) == 0) {
        unsigned char *bytes = NULL;
        size_t count = 0;
        assert_int_equal(akin_file_read(path, 1 << 24, &bytes, &count), AKIN_OK);
        assert_int_equal(count, strlen(expected));
        assert_string_equal((char *)bytes, expected);
        akin_mem_free(bytes);
    }
    akin_comm_barrier(comm);
}

static int start_clean(void **unused) {
    (void)unused;
    static const char *const files[] = {"t.jsonl", "t.jsonl.prev", "t.jsonl.part",
                                        "t.csv",   "t.csv.prev",   "t.csv.part"};
    if (akin_comm_rank(comm) == 0)
        for (size_t i = 0; i < sizeof files / sizeof *files; i++) remove(files[i]);
    akin_comm_barrier(comm);
    return 0;
}

static akin_status publish(const char *table, size_t count, const char *const *urls,
                           akin_publish_place *places) {
    akin_publish_params params = {.inputs = &table,
                                  .input_count = 1,
                                  .urls = urls,
                                  .url_count = count,
                                  .max_churn = 1,
                                  .max_shrink = 1};
    akin_publish_result result;
    return akin_publish(comm, &params, places, &result);
}

static akin_status roll_back(const char *const *urls, size_t count) {
    const akin_sink_options options = {0};
    akin_standing standings[2];
    return akin_rollback(comm, urls, count, &options, false, standings);
}

static void files_say_what_the_table_says(void **unused) {
    (void)unused;
    static const size_t sizes[] = {1, 2, 5, 61, 30011}; /* the last one takes several rounds */
    static const char *const urls[] = {"file:t.jsonl", "file:t.csv"};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        akin_publish_place published[2];
        write_table("t.nc", sizes[s], 0);
        assert_int_equal(publish("t.nc", 2, urls, published), AKIN_OK);
        for (int form = 0; form < 2; form++) {
            char *text = expected_text(sizes[s], 0, form == 0), digest[AKIN_HASH_TEXT_SIZE];
            assert_file(urls[form] + 5, text);
            akin_hash_text(akin_hash_128(text, strlen(text), 0), digest);
            assert_int_equal(published[form].published.bytes, strlen(text));
            assert_string_equal(published[form].published.digest, digest);
            free(text);
        }
    }
    assert_false(akin_file_exists("t.jsonl.part"));
}

static void the_file_before_is_kept_and_comes_back(void **unused) {
    (void)unused;
    static const char *const urls[] = {"file:t.jsonl", "file:t.csv"};
    akin_publish_place published[2];
    char *nights[2] = {expected_text(20, 0, true), expected_text(21, 1, true)};
    assert_int_equal(roll_back(urls, 1), AKIN_FAILED);
    write_table("t.nc", 20, 0);
    assert_int_equal(publish("t.nc", 1, urls, published), AKIN_OK);
    assert_false(akin_file_exists("t.jsonl.prev"));
    assert_int_equal(roll_back(urls, 1), AKIN_FAILED);
    assert_file("t.jsonl", nights[0]);
    write_table("t.nc", 21, 1);
    assert_int_equal(publish("t.nc", 1, urls, published), AKIN_OK);
    assert_file("t.jsonl", nights[1]);
    assert_file("t.jsonl.prev", nights[0]);
    for (int turn = 0; turn < 3; turn++) {
        assert_int_equal(roll_back(urls, 1), AKIN_OK);
        assert_file("t.jsonl", nights[turn % 2]);
        assert_file("t.jsonl.prev", nights[1 - turn % 2]);
    }
    /* csv was never published, so neither is rolled back */
    assert_int_equal(roll_back(urls, 2), AKIN_FAILED);
    assert_file("t.jsonl", nights[0]);
    free(nights[0]);
    free(nights[1]);
}

static void one_place_that_cannot_be_had_stops_all(void **unused) {
    (void)unused;
    static const char *const urls[] = {"file:t.jsonl", "file:no such folder/t.csv"};
    static const char *const twice[] = {"file:t.jsonl", "file:./t.jsonl"};
    static const char *const kinds[] = {"t.jsonl", "ftp:t.jsonl", "file:t.json",
                                        "file:",   "file:.csv",   ""};
    akin_publish_place published[2];
    write_table("t.nc", 5, 0);
    assert_int_equal(publish("t.nc", 2, urls, published), AKIN_FAILED);
    assert_int_equal(publish("t.nc", 2, twice, published), AKIN_USAGE);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *const pair[] = {"file:t.jsonl", kinds[i]};
        assert_int_equal(publish("t.nc", 2, pair, published), AKIN_USAGE);
        assert_int_equal(roll_back(pair, 2), AKIN_USAGE);
    }
    assert_int_equal(publish("t.nc", 0, NULL, published), AKIN_USAGE);
    assert_int_equal(publish("no such.nc", 1, urls, published), AKIN_FAILED);
    assert_false(akin_file_exists("t.jsonl"));
    assert_false(akin_file_exists("t.jsonl.part"));
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(files_say_what_the_table_says, start_clean),
        cmocka_unit_test_setup(the_file_before_is_kept_and_comes_back, start_clean),
        cmocka_unit_test_setup(one_place_that_cannot_be_had_stops_all, start_clean),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
