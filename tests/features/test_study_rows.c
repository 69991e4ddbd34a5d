/* Laws of study_rows: spread rows ascend, are all rows where these are few, and do not keep step with
 * items that take turns; labels of few items are drawn whole where spread rows tear them apart, and only
 * there. */
#include "features/study_rows.h"
#include <akin/mem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MOST = 3072, PERIOD = 20, ITEMS = PERIOD * MOST };

static void spread_rows_ascend(void **state) {
    (void)state;
    static const size_t items[] = {1, 100, MOST, MOST + 1, 5502, ITEMS};
    for (size_t n = 0; n < sizeof items / sizeof *items; n++) {
        size_t count = items[n] < MOST ? items[n] : MOST;
        for (size_t i = 0; i < count; i++) {
            size_t row = akin_study_rows_spread(items[n], count, i);
            assert_true(row < items[n] && (items[n] > MOST || row == i));
            assert_true(i == 0 || row > akin_study_rows_spread(items[n], count, i - 1));
        }
    }
}

/* Items that take turns, of which evenly spaced rows would see one kind only. */
static void turns_are_all_seen(void **state) {
    (void)state;
    size_t seen[PERIOD] = {0};
    for (size_t i = 0; i < MOST; i++) seen[akin_study_rows_spread(ITEMS, MOST, i) % PERIOD]++;
    for (size_t p = 0; p < PERIOD; p++)
        assert_in_range(seen[p], MOST / PERIOD / 2, MOST / PERIOD * 2);
}

static int32_t label[ITEMS];

/* Groups of four; every fifth item has none. */
static void small_labels_stay_whole(void **state) {
    (void)state;
    size_t *rows, count, mates[ITEMS / 4] = {0};
    for (size_t i = 0; i < ITEMS; i++) label[i] = i % 5 == 4 ? -1 : (int32_t)(i / 5);
    assert_int_equal(akin_study_rows_together(label, ITEMS, MOST, &rows, &count), AKIN_OK);
    assert_in_range(count, MOST / 2, MOST / 3 * 2);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || rows[i] > rows[i - 1]);
        mates[label[rows[i]]]++;
    }
    for (size_t l = 0; l < ITEMS / 4; l++) assert_true(mates[l] == 0 || mates[l] == 4);
    assert_true(rows[0] < ITEMS / 10 && rows[count - 1] > ITEMS - ITEMS / 10);
    akin_mem_free(rows);
}

/* Labels of many items, of few items all of which are studied, of one item each, and none at all. */
static void others_are_spread(void **state) {
    (void)state;
    static const size_t items[] = {ITEMS, MOST, ITEMS, ITEMS}, sizes[] = {500, 4, 1, 0};
    for (size_t n = 0; n < 4; n++) {
        size_t *rows, count;
        for (size_t i = 0; i < items[n]; i++)
            label[i] = sizes[n] > 0 ? (int32_t)(i / sizes[n]) : -1;
        assert_int_equal(akin_study_rows_together(label, items[n], MOST, &rows, &count), AKIN_OK);
        assert_true(!rows && count == 0);
    }
}

/* Labels that are larger than what is studied are left out, not cut. */
static void large_labels_are_left_out(void **state) {
    (void)state;
    size_t *rows, count;
    for (size_t i = 0; i < ITEMS; i++) label[i] = i < MOST ? 0 : (int32_t)(i / 3);
    assert_int_equal(akin_study_rows_together(label, ITEMS, MOST, &rows, &count), AKIN_OK);
    assert_true(count > MOST / 2 && rows[0] >= MOST);
    akin_mem_free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spread_rows_ascend), cmocka_unit_test(turns_are_all_seen),
        cmocka_unit_test(small_labels_stay_whole), cmocka_unit_test(others_are_spread),
        cmocka_unit_test(large_labels_are_left_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
