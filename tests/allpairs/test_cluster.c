/* cluster: the order is a permutation, even if all rows are equal, and rows of one group are next
 * to each other. */
#include "allpairs/cluster.h"
#include "naive_neighbors.h"
#include <akin/dot.h>
#include <akin/mem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static float *rows_of(const naive_catalogue *c) {
    size_t stride = akin_dot_stride(c->dim);
    float *rows = akin_mem_zalloc(c->n, stride * sizeof *rows);
    assert_non_null(rows);
    for (size_t i = 0; i < c->n; i++)
        memcpy(rows + i * stride, c->rows + i * c->dim, c->dim * sizeof *rows);
    return rows;
}

/* Orders every second row; returns how often a row's group differs from that of the row before it.
 */
static size_t order_half(const naive_catalogue *c, size_t groups) {
    size_t count = (c->n + 1) / 2, changes = 0;
    float *rows = rows_of(c);
    uint32_t *order = calloc(count + 1, sizeof *order);
    unsigned char *seen = calloc(c->n, 1);
    for (size_t i = 0; i < count; i++) order[i] = (uint32_t)(2 * i);
    order[count] = 77;
    assert_int_equal(akin_cluster_order(rows, akin_dot_stride(c->dim), order, count), AKIN_OK);
    for (size_t i = 0; i < count; i++) {
        assert_true(order[i] < c->n && order[i] % 2 == 0 && !seen[order[i]]);
        seen[order[i]] = 1;
        if (i > 0) changes += order[i] % groups != order[i - 1] % groups;
    }
    assert_int_equal(order[count], 77);
    akin_mem_free(rows);
    free(order);
    free(seen);
    return changes;
}

static void an_order_is_a_permutation(void **unused) {
    (void)unused;
    static const size_t sizes[][2] = {{1, 2}, {2, 3}, {95, 2}, {97, 5}, {193, 32}, {1200, 16}};
    for (int kind = 0; kind < NAIVE_KINDS; kind++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            naive_catalogue c = naive_create(kind, 3, sizes[s][0], sizes[s][1]);
            order_half(&c, 1);
            naive_free(&c);
        }
}

static void groups_stand_together(void **unused) {
    (void)unused;
    naive_catalogue c = naive_create(NAIVE_CLUSTERED, 3, 4000, 16); /* row i is of group i % 5 */
    assert_true(order_half(&c, 5) < 2000 / 10);
    naive_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_a_permutation),
        cmocka_unit_test(groups_stand_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
