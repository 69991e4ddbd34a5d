/* radix: records are sorted in ascending order, and records with the same key keep their order. */
#include "allpairs/radix.h"
#include "levels.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void records_ascend_and_stay_in_order(void **unused) {
    (void)unused;
    static const size_t counts[] = {0, 1, 2, 3, 100, 5000};
    static const uint32_t masks[] = {0,          1,         0x7ff, 0x800, 0xff00, UINT32_C(1) << 31,
                                     0xfff00000, UINT32_MAX};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
            size_t count = counts[c];
            akin_radix_record *records = malloc((count + 1) * sizeof *records);
            akin_radix_record *scratch = malloc((count + 1) * sizeof *scratch);
            unsigned char *seen = calloc(count + 1, 1);
            for (size_t i = 0; i < count; i++)
                records[i] = (akin_radix_record){mix((uint32_t)i) & masks[m], (uint32_t)i};
            akin_radix_sort(records, count, scratch);
            for (size_t i = 0; i < count; i++) {
                assert_true(records[i].key == (mix(records[i].at) & masks[m]) &&
                            !seen[records[i].at]++);
                if (i == 0) continue;
                assert_true(records[i - 1].key <= records[i].key);
                assert_true(records[i - 1].key < records[i].key ||
                            records[i - 1].at < records[i].at);
            }
            free(records);
            free(scratch);
            free(seen);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(records_ascend_and_stay_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
