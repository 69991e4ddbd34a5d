/* gallery_rejects: rejected rows grouped by reason: the most frequent first, numbers ignored, none
 * lost. */
#include "gallery/gallery_rejects.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static akin_json *group(const char *csv) {
    akin_json *found = NULL;
    FILE *stream = fopen("rejects.csv", "wb");
    assert_non_null(stream);
    fputs(csv, stream);
    fclose(stream);
    assert_int_equal(akin_gallery_rejects("rejects.csv", &found), AKIN_OK);
    assert_non_null(found);
    return found;
}

static void assert_group(const akin_json *rejects, size_t index, const char *reason, double count,
                         const char *examples) {
    const akin_json *entry = akin_json_at(akin_json_get(rejects, "reasons"), index);
    assert_string_equal(akin_json_text(entry, "reason"), reason);
    assert_true(akin_json_number(entry, "count", -1) == count);
    char *text = akin_json_print(akin_json_get(entry, "examples"), false);
    assert_string_equal(text, examples);
}

static void reasons_are_grouped(void **unused) {
    (void)unused;
    akin_json *found = group("id,path,reason\n"
                             "a,a.png,no such file\n"
                             "b,b.png,20990 x 29700 pixels are too many\n"
                             ",c.png,\"empty, so no id\"\n"
                             "d,d.png,300 x 7 pixels are too many\n"
                             "e,e.png,no such file\n"
                             "f,f.png,no such file\n"
                             "g,g.png,no such file\n");
    assert_true(akin_json_number(found, "total", -1) == 7);
    assert_int_equal(akin_json_count(akin_json_get(found, "reasons")), 3);
    assert_group(found, 0, "no such file", 4, "[\"a\",\"e\",\"f\"]");
    assert_group(found, 1, "20990 x 29700 pixels are too many, and similar", 2, "[\"b\",\"d\"]");
    assert_group(found, 2, "empty, so no id", 1, "[\"c.png\"]");
    akin_json_free(found);
    found = group("id,path,reason\n"
                  "a,a.png,row 2: no such file (pics/a.png)\n"
                  "b,\"b (1).png\",row 9: no such file (pics/b (1).png)\n"
                  "c,c.png,row 3: no such file (in a list)\n");
    assert_int_equal(akin_json_count(akin_json_get(found, "reasons")), 2);
    assert_group(found, 0, "row 2: no such file, and similar", 2, "[\"a\",\"b\"]");
    assert_group(found, 1, "row 3: no such file (in a list)", 1, "[\"c\"]");
    akin_json_free(found);
}

static void no_row_is_lost(void **unused) {
    (void)unused;
    static char csv[1 << 17];
    size_t used = (size_t)snprintf(csv, sizeof csv, "id,path,reason\n");
    for (int i = 0; i < 300; i++) { /* 300 reasons that differ in letters; the first one twice */
        const char *reason =
            i == 299 ? "aa" : (char[]){(char)('a' + i / 26), (char)('a' + i % 26), '\0'};
        used += (size_t)snprintf(csv + used, sizeof csv - used, "i%d,p,%s\n", i, reason);
    }
    akin_json *found = group(csv);
    const akin_json *reasons = akin_json_get(found, "reasons");
    double sum = 0, others = 0;
    for (size_t i = 0; i < akin_json_count(reasons); i++) {
        double count = akin_json_number(akin_json_at(reasons, i), "count", -1);
        sum += count;
        if (strcmp(akin_json_text(akin_json_at(reasons, i), "reason"), "other reasons") == 0)
            others = count;
    }
    assert_true(sum == 300 && akin_json_number(found, "total", -1) == 300);
    assert_true(others > 200 && akin_json_count(reasons) < 100);
    akin_json_free(found);
}

static void empty_and_missing(void **unused) {
    (void)unused;
    akin_json *found = group("id,path,reason\n");
    assert_true(akin_json_number(found, "total", -1) == 0);
    assert_int_equal(akin_json_count(akin_json_get(found, "reasons")), 0);
    akin_json_free(found);
    assert_int_equal(akin_gallery_rejects("no such file.csv", &found), AKIN_OK);
    assert_null(found);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_are_grouped),
        cmocka_unit_test(no_row_is_lost),
        cmocka_unit_test(empty_and_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
