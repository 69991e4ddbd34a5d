/* source: all ranks have the same rows, in the source's order and by id; the first row with an id
 * is accepted; every requested row is read once with its own bytes; the digest depends on the list
 * and the files, not on the ranks. */
#include <akin/comm.h>
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/mem.h>
#include <akin/source.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static akin_comm *comm;
static char folder[64];

static const char *in_folder(const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* By rank 0; the other ranks continue when it exists. */
static void put(const char *name, const char *text) {
    if (akin_comm_rank(comm) == 0) {
        FILE *stream = fopen(in_folder(name), "wb");
        assert_non_null(stream);
        fputs(text, stream);
        fclose(stream);
    }
    akin_comm_barrier(comm);
}

static int make_folder(void **unused) {
    (void)unused;
    snprintf(folder, sizeof folder, "source_%d", akin_comm_size(comm));
    akin_status status = AKIN_OK;
    if (akin_comm_rank(comm) == 0) {
        status = akin_file_remove_tree(folder);
        if (status == AKIN_OK) status = akin_file_make_folders(in_folder("tree/b"));
    }
    if (akin_agree(comm, status) != AKIN_OK) return 1;
    put("one", "the first");
    put("two", "the second");
    put("tree/a", "in a tree");
    put("tree/b/c", "deeper");
    put("t.csv", "id,path,category,group,available\n"
                 "m,one,x,g,1\n" /* 0 */
                 "b,two,y,,no\n" /* 1 */
                 "m,two,,,\n"    /* 2: duplicate of 0 */
                 "z,,,,\n"       /* 3: no path, but it is the first row with id z */
                 "z,one,,,\n"    /* 4: duplicate of 3 */
                 "a,none,,,\n"   /* 5: no such file, which is noticed when it is read */
                 ",one,,,\n");   /* 6: no id */
    return 0;
}

static akin_source *opened(const char *const *names, size_t count) {
    akin_source_params params = {.names = names, .count = count};
    akin_source *source;
    if (akin_source_open(comm, &params, &source) != AKIN_OK) fail_msg("%s", akin_error_message());
    return source;
}

static void rows_are_the_same_everywhere(void **unused) {
    (void)unused;
    char table[256], tree[256];
    snprintf(table, sizeof table, "%s", in_folder("t.csv"));
    snprintf(tree, sizeof tree, "%s", in_folder("tree"));
    const char *names[] = {table, tree};
    akin_source *source = opened(names, 2);
    static const struct {
        const char *id, *category, *group, *reason;
        bool available;
    } expected[] = {
        {"m", "x", "g", NULL, true},
        {"b", "y", "", NULL, false},
        {"m", "", "", "duplicate", true},
        {"z", "", "", "row 5: the path is empty", true},
        {"z", "", "", "duplicate", true},
        {"a", "", "", NULL, true}, /* the tree's own a comes later */
        {"", "", "", "row 8: the id is empty", true},
        {"a", "", "", "duplicate", true},
        {"b/c", "b", "", NULL, true},
    };
    assert_int_equal(akin_source_rows(source), sizeof expected / sizeof *expected);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        akin_source_row row = akin_source_get(source, i);
        assert_string_equal(row.id, expected[i].id);
        assert_string_equal(row.category, expected[i].category);
        assert_string_equal(row.group, expected[i].group);
        assert_int_equal(row.available, expected[i].available);
        assert_int_equal(row.reason == NULL, expected[i].reason == NULL);
        if (row.reason) assert_non_null(strstr(row.reason, expected[i].reason));
    }
    static const size_t order[] = {5, 1, 8, 0}; /* a, b, b/c, m */
    assert_int_equal(akin_source_valid(source), 4);
    assert_memory_equal(akin_source_order(source), order, sizeof order);
    assert_int_equal(akin_source_find(source, "b/c"), 8);
    assert_int_equal(akin_source_find(source, "m"), 0);
    assert_true(akin_source_find(source, "z") == SIZE_MAX);
    assert_true(akin_source_find(source, "") == SIZE_MAX);
    assert_true(akin_source_find(source, "zz") == SIZE_MAX);
    akin_source_close(source);
}

typedef struct {
    int seen[16];
    const akin_source *source;
} seen_rows;

static akin_status see(void *context, size_t row, const uint8_t *bytes, size_t count,
                       const char *reason) {
    static const char *const texts[] = {"the first", "the second", NULL, NULL, NULL, NULL};
    seen_rows *seen = context;
    seen->seen[row]++;
    assert_int_equal(bytes == NULL, reason != NULL);
    assert_int_equal(bytes == NULL, texts[row] == NULL);
    if (!bytes) return AKIN_OK;
    assert_int_equal(count, strlen(texts[row]));
    assert_memory_equal(bytes, texts[row], count);
    return AKIN_OK;
}

static akin_status stop(void *context, size_t row, const uint8_t *bytes, size_t count,
                        const char *reason) {
    (void)row, (void)bytes, (void)count, (void)reason;
    ++*(int *)context;
    return akin_error_set(AKIN_GATE, "stop");
}

static void wanted_rows_are_read_once(void **unused) {
    (void)unused;
    char table[256];
    snprintf(table, sizeof table, "%s", in_folder("t.csv"));
    const char *names[] = {table};
    akin_source *source = opened(names, 1);
    seen_rows seen = {.source = source};
    bool wanted[7] = {true, true, false, false, false, true, false};
    assert_int_equal(akin_source_read(source, wanted, see, &seen), AKIN_OK);
    for (size_t i = 0; i < 7; i++) assert_int_equal(seen.seen[i], wanted[i]);
    wanted[1] = false;
    assert_int_equal(akin_source_read(source, wanted, see, &seen), AKIN_OK);
    assert_int_equal(seen.seen[0], 2);
    assert_int_equal(seen.seen[1], 1);
    int calls = 0;
    assert_int_equal(akin_source_read(source, wanted, stop, &calls), AKIN_GATE);
    assert_int_equal(calls, 1);
    akin_source_close(source);
}

typedef struct {
    seen_rows seen; /* first, because it is also the context of `see` */
    size_t asked[16], count;
} asked_rows;

/* No rank knows yet what follows the requested row. */
static bool every_other(void *context, size_t row) {
    asked_rows *asked = context;
    asked->asked[asked->count++] = row;
    return asked->count % 2 == 0;
}

static void rows_are_asked_for_when_they_are_reached(void **unused) {
    (void)unused;
    char table[256];
    snprintf(table, sizeof table, "%s", in_folder("t.csv"));
    const char *names[] = {table};
    akin_source *source = opened(names, 1);
    asked_rows asked = {.seen = {.source = source}};
    assert_int_equal(akin_source_read_chosen(source, every_other, see, &asked), AKIN_OK);
    assert_int_equal(asked.count, akin_source_valid(source));
    for (size_t i = 0; i < asked.count; i++) {
        assert_null(akin_source_get(source, asked.asked[i]).reason);
        if (i > 0) assert_true(asked.asked[i] > asked.asked[i - 1]);
        assert_int_equal(asked.seen.seen[asked.asked[i]], i % 2);
    }
    akin_source_close(source);
}

static void digest_tells_what_changed(void **unused) {
    (void)unused;
    char table[256], before[AKIN_HASH_TEXT_SIZE], alone[AKIN_HASH_TEXT_SIZE];
    snprintf(table, sizeof table, "%s", in_folder("t.csv"));
    const char *names[] = {table, table};
    akin_source *source = opened(names, 1);
    snprintf(before, sizeof before, "%s", akin_source_digest(source));
    akin_source_close(source);
    source = opened(names, 1);
    assert_string_equal(akin_source_digest(source), before);
    akin_source_close(source);
    source = opened(names, 2);
    assert_string_not_equal(akin_source_digest(source), before);
    akin_source_close(source);
    put("two", "the second, but longer");
    source = opened(names, 1);
    assert_string_not_equal(akin_source_digest(source), before);
    snprintf(alone, sizeof alone, "%s", akin_source_digest(source));
    akin_source_close(source);
    /* The same on every rank, whichever of them read the files. */
    akin_comm_broadcast(comm, alone, sizeof alone, 0);
    source = opened(names, 1);
    assert_string_equal(akin_source_digest(source), alone);
    akin_source_close(source);
    akin_comm_barrier(comm);
    put("two", "the second");
}

static void what_is_no_source_is_refused_everywhere(void **unused) {
    (void)unused;
    static const struct {
        const char *name, *text, *root;
        akin_status status;
    } cases[] = {
        {"missing", NULL, NULL, AKIN_FAILED},
        {"empty.csv", "", NULL, AKIN_INPUT},
        {"no_id.csv", "path\nx\n", NULL, AKIN_INPUT},
        {"t.csv", NULL, "no such root", AKIN_FAILED},
        {"quote.csv", "id,path\n\"a,b\n", NULL, AKIN_INPUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].text) put(cases[i].name, cases[i].text);
        char path[256];
        snprintf(path, sizeof path, "%s", in_folder(cases[i].name));
        const char *names[] = {path};
        akin_source_params params = {.names = names, .count = 1, .root = cases[i].root};
        akin_source *source;
        assert_int_equal(akin_source_open(comm, &params, &source), cases[i].status);
        assert_null(source);
        assert_true(strlen(akin_error_message()) > 0);
    }
}

/* The n-th allocation fails on the last rank alone: all ranks learn of it, and none hangs. */
static void a_rank_without_memory_tells_the_others(void **unused) {
    (void)unused;
    char table[256];
    snprintf(table, sizeof table, "%s", in_folder("t.csv"));
    const char *names[] = {table};
    akin_source_params params = {.names = names, .count = 1};
    bool last = akin_comm_rank(comm) == akin_comm_size(comm) - 1;
    int64_t failures = 0, done = 0;
    for (uint64_t n = 1; !done && n < 1000; n++) {
        akin_source *source;
        if (last) akin_mem_fail_at(n);
        akin_status status = akin_source_open(comm, &params, &source);
        akin_mem_fail_at(0);
        assert_true(status == AKIN_OK || status == AKIN_FAILED);
        failures += status == AKIN_FAILED;
        done = status == AKIN_OK;
        akin_source_close(source);
    }
    assert_true(done && failures > 5);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_the_same_everywhere),
        cmocka_unit_test(wanted_rows_are_read_once),
        cmocka_unit_test(rows_are_asked_for_when_they_are_reached),
        cmocka_unit_test(digest_tells_what_changed),
        cmocka_unit_test(what_is_no_source_is_refused_everywhere),
        cmocka_unit_test(a_rank_without_memory_tells_the_others),
    };
    int failed = cmocka_run_group_tests(tests, make_folder, NULL);
    akin_comm_finish(comm);
    return failed;
}
