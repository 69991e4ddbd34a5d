/* Laws of evaluate: figures computed by hand; equality with a naive twin on random tables; the same
 * bits however rows are distributed. */
#include <akin/comm.h>
#include <akin/evaluate.h>
#include <akin/labels.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/table.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static akin_comm *comm;

enum { N_MAX = 40, K_MAX = 12, NAMES = 3 };

/* A whole table, on every rank. */
typedef struct {
    size_t n, k;
    int id[N_MAX]; /* formatted */
    int32_t category[N_MAX], group[N_MAX];
    int32_t neighbor[N_MAX * K_MAX], count[N_MAX];
    float score[N_MAX * K_MAX];
} sheet;

static const char *name_of(const char *what) {
    static char names[4][64];
    static int next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof names[0], "evaluate-%d-%s.nc", akin_comm_size(comm), what);
    return name;
}

static void write_sheet(const sheet *it, const char *path) {
    static const char *const names[NAMES] = {"a", "b", "c"};
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    size_t first = akin_shard_first(it->n, size, rank), count = akin_shard_count(it->n, size, rank);
    akin_labels *labels = NULL;
    assert_int_equal(akin_labels_create(count, 12, &labels), AKIN_OK);
    assert_int_equal(akin_labels_set_category_names(labels, NAMES, names), AKIN_OK);
    assert_int_equal(akin_labels_set_group_names(labels, NAMES, names), AKIN_OK);
    for (size_t i = 0; i < count; i++) {
        char id[13];
        snprintf(id, sizeof id, "%d", it->id[first + i]);
        assert_int_equal(akin_labels_set_id(labels, i, id), AKIN_OK);
        akin_labels_category(labels)[i] = it->category[first + i];
        akin_labels_group(labels)[i] = it->group[first + i];
    }
    const akin_table_origin origin = {"", "", "", ""};
    const akin_table_part part = {it->n,
                                  it->k,
                                  first,
                                  it->neighbor + first * it->k,
                                  it->score + first * it->k,
                                  it->count + first};
    assert_int_equal(akin_table_write(comm, path, &origin, labels, &part, NULL), AKIN_OK);
    akin_labels_free(labels);
}

/* Evaluates the table that was written last, compared with another one if given. */
static akin_evaluate_figures evaluate_written(bool against, akin_evaluate_label label) {
    akin_evaluate_figures figures;
    akin_evaluate_params params = {
        .table = name_of("table"), .against = against ? name_of("against") : NULL, .label = label};
    assert_int_equal(akin_evaluate(comm, &params, &figures), AKIN_OK);
    return figures;
}

static akin_evaluate_figures evaluate(const sheet *it, const sheet *against,
                                      akin_evaluate_label label) {
    write_sheet(it, name_of("table"));
    if (against) write_sheet(against, name_of("against"));
    return evaluate_written(against != NULL, label);
}

static void assert_near(double a, double b) {
    if (isnan(a) != isnan(b) || fabs(a - b) > 1e-8) fail_msg("%.12g is not %.12g", a, b);
}

/* Four items, k = 2: categories a a b none; groups none at all. */
static const sheet small = {
    .n = 4,
    .k = 2,
    .id = {10, 11, 12, 13},
    .category = {0, 0, 1, -1},
    .group = {-1, -1, -1, -1},
    .neighbor = {1, 2, 2, 0, 3, -1, -1, -1},
    .count = {2, 2, 1, 0},
    .score = {1, 0.5f, 0.75f, 0.25f, 0.5f, 0, 0, 0},
};

static void worked_out_by_hand(void **state) {
    (void)state;
    akin_evaluate_figures found = evaluate(&small, NULL, AKIN_EVALUATE_CATEGORY);
    assert_int_equal(found.items, 4);
    assert_int_equal(found.k, 2);
    assert_int_equal(found.labelled, 3);
    assert_near(found.precision[0], 1.0 / 3); /* only item 10 has a correct neighbour first */
    assert_near(found.precision[1],
                (1 + 1 + 0) / 5.0 / 3); /* 10: 11; 11: 10; missing neighbours count as wrong */
    assert_near(found.precision[2], (1 + 1 + 0) / 10.0 / 3);
    assert_near(found.average_precision,
                (1.0 + 1.0 / 2 + 0) / 3); /* 10: first; 11: second; 12: none */
    assert_near(found.chance, (1.0 / 3 + 1.0 / 3 + 0) / 3);
    assert_false(found.has_duplicates || found.has_fill);
    assert_near(found.coverage, 0.75);
    assert_near(found.full_coverage, 0.5);
    assert_near(found.mean_count, 1.25);
    assert_near(found.mean_score, 3.0 / 5);
    assert_true(isnan(found.churn));
    assert_int_equal(found.common, 0);
    assert_int_equal(strlen(found.table_digest), 32);
    assert_string_equal(found.against_digest, "");

    found = evaluate(&small, NULL, AKIN_EVALUATE_GROUP);
    assert_int_equal(found.labelled, 0);
    for (int d = 0; d < AKIN_EVALUATE_DEPTHS; d++) assert_true(isnan(found.precision[d]));
    assert_true(isnan(found.chance));
    assert_near(found.coverage, 0.75);
}

/* The figures of each category equal those of a table with its items alone; combined, they are
 * those of the whole table. */
static void by_category(void **state) {
    (void)state;
    akin_evaluate_figures found;
    akin_evaluate_categories *categories = NULL;
    akin_evaluate_params params = {.table = name_of("table"), .categories = &categories};
    write_sheet(&small, params.table);
    assert_int_equal(akin_evaluate(comm, &params, &found), AKIN_OK);
    assert_int_equal(akin_evaluate_categories_count(categories), 2);
    akin_evaluate_category a = akin_evaluate_categories_at(categories, 0),
                           b = akin_evaluate_categories_at(categories, 1);
    assert_string_equal(a.name, "a");
    assert_string_equal(b.name, "b");
    assert_int_equal(a.items, 2);
    assert_int_equal(b.items, 1);
    assert_near(a.precision[0], 0.5);
    assert_near(a.average_precision, 0.75);
    assert_near(b.precision[0], 0);
    assert_near(b.average_precision, 0);
    for (int d = 0; d < AKIN_EVALUATE_DEPTHS; d++)
        assert_near(found.precision[d], (2 * a.precision[d] + b.precision[d]) / 3);
    akin_evaluate_categories_free(categories);
}

static void churn_worked_out_by_hand(void **state) {
    (void)state;
    assert_near(evaluate(&small, &small, AKIN_EVALUATE_CATEGORY).churn, 0);
    /* Other rows and another k; 13 is new in one table, 99 is gone in the other. */
    const sheet before = {
        .n = 4,
        .k = 3,
        .id = {99, 12, 10, 11},
        .category = {-1, -1, -1, -1},
        .group = {-1, -1, -1, -1},
        .neighbor = {1, 2, 3, -1, -1, -1, 3, 1, 0, 0, 2, -1},
        .count = {3, 0, 3, 2},
        .score = {1, 1, 1, 0, 0, 0, 1, 0.5f, 0.5f, 1, 1, 0},
    };
    /* before: 10 -> 11 12 99, 11 -> 99 10, 12 -> nothing; now: 10 -> 11 12, 11 -> 12 10, 12 -> 13
     */
    sheet mended = before; /* equal scores: ascending rows */
    mended.neighbor[6] = 3, mended.neighbor[7] = 0, mended.neighbor[8] = 1;
    akin_evaluate_figures found = evaluate(&small, &mended, AKIN_EVALUATE_CATEGORY);
    assert_int_equal(found.common, 3);
    assert_near(found.churn, ((1 - 2.0 / 3) + (1 - 1.0 / 2) + 1) / 3);
    found = evaluate(&mended, &small, AKIN_EVALUATE_CATEGORY); /* churn is symmetric */
    assert_int_equal(found.common, 3);
    assert_near(found.churn, ((1 - 2.0 / 3) + (1 - 1.0 / 2) + 1) / 3);

    sheet strangers = small;
    for (size_t i = 0; i < 4; i++) strangers.id[i] += 1000;
    found = evaluate(&small, &strangers, AKIN_EVALUATE_CATEGORY);
    assert_int_equal(found.common, 0);
    assert_true(isnan(found.churn));
    assert_int_equal(strlen(found.against_digest), 32);

    sheet empty = small;
    for (size_t i = 0; i < 4; i++) empty.count[i] = 0;
    for (size_t i = 0; i < 8; i++) empty.neighbor[i] = -1, empty.score[i] = 0;
    found = evaluate(&empty, &empty, AKIN_EVALUATE_CATEGORY);
    assert_near(found.churn, 0);
    assert_near(found.coverage, 0);
    assert_true(isnan(found.mean_score));
}

static size_t draw(uint64_t *seed, size_t below) {
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull; /* Knuth's MMIX generator */
    return (size_t)(*seed >> 33) % below;
}

static sheet make_random(uint64_t seed) {
    sheet it = {.n = 1 + draw(&seed, N_MAX), .k = 1 + draw(&seed, K_MAX)};
    int shift = (int)draw(&seed, 30);
    size_t step = draw(&seed, 2) ? 1 : it.n > 1 ? it.n - 1 : 1; /* ascending, or in another order */
    for (size_t i = 0; i < it.n; i++) {
        it.id[i] = shift + (int)((i * step + 3) % it.n);
        it.category[i] = (int32_t)draw(&seed, NAMES + 1) - 1;
        it.group[i] = draw(&seed, 2) ? -1 : (int32_t)draw(&seed, NAMES);
        size_t count = draw(&seed, (it.k < it.n - 1 ? it.k : it.n - 1) + 1);
        it.count[i] = (int32_t)count;
        size_t turn = draw(&seed, it.n);
        for (size_t j = 0, c = 0; j < it.k; j++) {
            int32_t *to = &it.neighbor[i * it.k + j];
            *to = -1;
            if (j >= count) continue;
            do *to = (int32_t)((turn + c++) % it.n);
            while (*to == (int32_t)i);
            it.score[i * it.k + j] = 1.0f - (float)j / 16;
        }
    }
    return it;
}

static double naive_precision(const sheet *it, const int32_t *labels, size_t depth) {
    double sum = 0, labelled = 0;
    for (size_t i = 0; i < it->n; i++) {
        if (labels[i] < 0) continue;
        double right = 0;
        for (size_t j = 0; j < depth && j < it->k; j++) {
            int32_t other = it->neighbor[i * it->k + j];
            right += other >= 0 && labels[other] == labels[i];
        }
        sum += right / (double)depth;
        labelled++;
    }
    return sum / labelled;
}

static double naive_churn(const sheet *a, const sheet *b, size_t *common) {
    double sum = 0;
    *common = 0;
    for (size_t i = 0; i < a->n; i++) {
        for (size_t j = 0; j < b->n; j++) {
            if (a->id[i] != b->id[j]) continue;
            int both = 0, longer = a->count[i] > b->count[j] ? a->count[i] : b->count[j];
            for (int32_t x = 0; x < a->count[i]; x++)
                for (int32_t y = 0; y < b->count[j]; y++)
                    both += a->id[a->neighbor[i * a->k + (size_t)x]] ==
                            b->id[b->neighbor[j * b->k + (size_t)y]];
            sum += longer ? 1 - (double)both / longer : 0;
            ++*common;
        }
    }
    return sum / (double)*common;
}

static void equals_the_naive_twin(void **state) {
    (void)state;
    size_t compared = 0;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        sheet it = make_random(2 * seed), other = make_random(2 * seed + 1);
        write_sheet(&it, name_of("table"));
        write_sheet(&other, name_of("against"));
        for (int label = 0; label < 2; label++) {
            akin_evaluate_figures found = evaluate_written(true, (akin_evaluate_label)label);
            const int32_t *labels = label == AKIN_EVALUATE_CATEGORY ? it.category : it.group;
            size_t common;
            for (int d = 0; d < AKIN_EVALUATE_DEPTHS; d++)
                assert_near(found.precision[d],
                            naive_precision(&it, labels, (size_t)akin_evaluate_depths[d]));
            assert_near(found.churn, naive_churn(&it, &other, &common));
            assert_int_equal(found.common, common);
            compared += common;
        }
    }
    assert_true(compared > 100);
}

static void wrong_input_is_refused(void **state) {
    (void)state;
    akin_evaluate_figures figures;
    write_sheet(&small, name_of("table"));
    akin_evaluate_params params = {.table = "no-such-table.nc"};
    assert_int_equal(akin_evaluate(comm, &params, &figures), AKIN_FAILED);
    params = (akin_evaluate_params){.table = name_of("table"), .against = "no-such-table.nc"};
    assert_int_equal(akin_evaluate(comm, &params, &figures), AKIN_FAILED);
}

/* Whichever allocation fails on one rank alone, all ranks hear of it and none waits for ever. Each of
 * them at one and at two ranks; a third of them at more, which share the cores. */
static void failing_memory_is_agreed_on(void **state) {
    (void)state;
    akin_evaluate_figures figures;
    write_sheet(&small, name_of("table"));
    akin_evaluate_params params = {.table = name_of("table"), .against = name_of("table")};
    uint64_t before = akin_mem_calls();
    assert_int_equal(akin_evaluate(comm, &params, &figures), AKIN_OK);
    int64_t calls = (int64_t)(akin_mem_calls() - before);
    int last = akin_comm_size(comm) - 1, every = last < 2 ? 1 : 3, tried = 0, failures = 0;
    akin_comm_broadcast(comm, &calls, sizeof calls, last);
    assert_true(calls > 20);
    for (int64_t n = 1; n <= calls; n += every, tried++) {
        if (akin_comm_rank(comm) == last) akin_mem_fail_at((uint64_t)n);
        akin_status status = akin_evaluate(comm, &params, &figures);
        akin_mem_fail_at(0);
        assert_true(status == AKIN_FAILED ||
                    status == AKIN_OK); /* only a message may lack memory */
        failures += status == AKIN_FAILED;
    }
    assert_true(failures > tried * 3 / 4);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_out_by_hand),       cmocka_unit_test(by_category),
        cmocka_unit_test(churn_worked_out_by_hand), cmocka_unit_test(equals_the_naive_twin),
        cmocka_unit_test(wrong_input_is_refused),   cmocka_unit_test(failing_memory_is_agreed_on),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
