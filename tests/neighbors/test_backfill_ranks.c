/* Filling short lists, at 1, 2, 3 and 4 ranks: with the result of a plain search for the most
 * central items of the category, under any rules. Full lists and items without a category stay as
 * they are. No item gets itself, the item that it is a duplicate of, items of its own group if that
 * is excluded, or the same item twice. */
#include "naive_vectors.h"
#include "neighbors/backfill.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { K = 6 };

static akin_comm *comm;

typedef struct {
    size_t n;
    int32_t *neighbor, *counts, *filled, *duplicate_of;
    float *score;
} lists;

/* Every third item is a duplicate of the one before it; an item has row % (K + 1) neighbours. */
static lists lists_of(const naive_catalogue *c, bool duplicates) {
    lists l = {c->n,
               malloc((c->n * K + 1) * sizeof(int32_t)),
               malloc((c->n + 1) * sizeof(int32_t)),
               malloc((c->n + 1) * sizeof(int32_t)),
               NULL,
               calloc(c->n * K + 1, sizeof(float))};
    if (duplicates) l.duplicate_of = malloc((c->n + 1) * sizeof(int32_t));
    for (size_t i = 0; i < c->n; i++) {
        size_t count = i % (K + 1) < c->n ? i % (K + 1) : 0;
        l.counts[i] = (int32_t)count;
        if (duplicates) l.duplicate_of[i] = i % 3 == 2 ? (int32_t)i - 1 : -1;
        for (size_t e = 0; e < K; e++) {
            l.neighbor[i * K + e] = e < count ? (int32_t)((i + e + 1) % c->n) : -1;
            if (e < count) l.score[i * K + e] = 0.5f - 0.01f * (float)e;
        }
    }
    return l;
}

static void lists_free(lists *l) {
    free(l->neighbor);
    free(l->counts);
    free(l->filled);
    free(l->duplicate_of);
    free(l->score);
}

static bool may_be_taken(const naive_catalogue *c, const akin_row_block_rules *rules,
                         const lists *l, size_t j) {
    return c->items[j].category >= 0 && !(rules->only_available && !c->items[j].available) &&
           !(l->duplicate_of && l->duplicate_of[j] >= 0);
}

/* The product of each item with the sum of its category. */
static double *centralities(const naive_catalogue *c, const akin_row_block_rules *rules,
                            const lists *l) {
    double *sums = calloc(NAIVE_CATEGORIES * c->dim, sizeof *sums);
    double *values = calloc(c->n + 1, sizeof *values);
    for (size_t j = 0; j < c->n; j++)
        for (size_t t = 0; t < c->dim && may_be_taken(c, rules, l, j); t++)
            sums[(size_t)c->items[j].category * c->dim + t] += c->rows[j * c->dim + t];
    for (size_t j = 0; j < c->n; j++)
        for (size_t t = 0; t < c->dim && c->items[j].category >= 0; t++)
            values[j] += c->rows[j * c->dim + t] * sums[(size_t)c->items[j].category * c->dim + t];
    free(sums);
    return values;
}

static bool stands(const int32_t *list, size_t count, size_t j) {
    for (size_t e = 0; e < count; e++)
        if (list[e] == (int32_t)j) return true;
    return false;
}

static bool suits(const naive_catalogue *c, const akin_row_block_rules *rules, const lists *l,
                  size_t i, size_t j) {
    const akin_row_block_item *a = &c->items[i], *b = &c->items[j];
    return i != j && a->category == b->category && may_be_taken(c, rules, l, j) &&
           !(l->duplicate_of && l->duplicate_of[i] == (int32_t)j) &&
           !(rules->exclude_same_group && a->group >= 0 && a->group == b->group);
}

/* The most central item that is allowed and not in the list yet; n: none. */
static size_t next_of(const naive_catalogue *c, const akin_row_block_rules *rules, const lists *l,
                      const double *values, size_t i, size_t count) {
    size_t best = c->n;
    for (size_t j = 0; j < c->n; j++)
        if (suits(c, rules, l, i, j) && !stands(l->neighbor + i * K, count, j) &&
            (best == c->n || values[j] > values[best] + 1e-6))
            best = j;
    return best;
}

static void naive_fill(const naive_catalogue *c, const akin_row_block_rules *rules, lists *l) {
    double *values = centralities(c, rules, l);
    for (size_t i = 0; i < c->n; i++) {
        l->filled[i] = 0;
        if (c->items[i].category < 0) continue;
        for (size_t j; l->counts[i] < K; l->counts[i]++, l->filled[i]++) {
            j = next_of(c, rules, l, values, i, (size_t)l->counts[i]);
            if (j == c->n) break;
            l->neighbor[i * K + (size_t)l->counts[i]] = (int32_t)j;
            l->score[i * K + (size_t)l->counts[i]] = naive_score(c, i, j);
        }
    }
    free(values);
}

static void check(int kind, size_t n, const akin_row_block_rules *rules, bool duplicates) {
    naive_catalogue c = naive_create(kind, (uint32_t)n + 3, n, 12);
    lists expected = lists_of(&c, duplicates), got = lists_of(&c, duplicates);
    akin_vectors *vectors = naive_vectors(comm, &c);
    size_t first = akin_vectors_first(vectors), count = akin_vectors_count(vectors);
    naive_fill(&c, rules, &expected);
    const akin_backfill_lists lists = {K,
                                       got.neighbor + first * K,
                                       got.score + first * K,
                                       got.counts + first,
                                       got.filled + first,
                                       NULL};
    assert_int_equal(akin_backfill(comm, vectors, rules, got.duplicate_of, &lists), AKIN_OK);
    for (size_t i = first; i < first + count; i++) {
        assert_int_equal(got.counts[i], expected.counts[i]);
        assert_int_equal(got.filled[i], expected.filled[i]);
        for (size_t e = 0; e < (size_t)got.counts[i]; e++) {
            assert_int_equal(got.neighbor[i * K + e], expected.neighbor[i * K + e]);
            assert_true(got.score[i * K + e] == expected.score[i * K + e]);
        }
    }
    akin_vectors_free(vectors);
    lists_free(&expected);
    lists_free(&got);
    naive_free(&c);
}

static void lists_are_filled_with_the_most_central(void **unused) {
    (void)unused;
    static const size_t sizes[] = {1, 2, 9, 120, 300};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t r = 0; r < NAIVE_RULES; r++)
            for (int duplicates = 0; duplicates < 2; duplicates++)
                check(NAIVE_RANDOM, sizes[s], &naive_rules[r], duplicates);
}

/* If all items are the same picture, lower rows come first. */
static void ties_go_to_the_lower_row(void **unused) {
    (void)unused;
    check(NAIVE_TIED, 90, &naive_rules[0], false);
    check(NAIVE_DUPLICATED, 8, &naive_rules[0], true); /* one picture, eight times */
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_filled_with_the_most_central),
        cmocka_unit_test(ties_go_to_the_lower_row),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
