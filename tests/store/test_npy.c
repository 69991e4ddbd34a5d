/* npy: rows are read as they were written, however the header is formatted; everything else is
 * refused with the reason. */
#include <akin/mem.h>
#include <akin/npy.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A file of this version with this header and `bytes` of data; header_length 0 = computed. */
static void put(int major, const char *header, size_t header_length, const void *data,
                size_t bytes) {
    size_t length = header_length ? header_length : strlen(header);
    unsigned char start[12] = {0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)major, 0};
    for (int i = 0; i < 4; i++) start[8 + i] = (unsigned char)(length >> (8 * i));
    FILE *stream = fopen("x.npy", "wb");
    assert_non_null(stream);
    fwrite(start, 1, major == 1 ? 10 : 12, stream);
    fwrite(header, 1, strlen(header), stream);
    fwrite(data, 1, bytes, stream);
    assert_int_equal(fclose(stream), 0);
}

static void refused(akin_status expected, const char *what) {
    akin_npy *npy;
    akin_status got = akin_npy_open("x.npy", &npy);
    if (got != expected) fail_msg("%s: status %d", what, (int)got);
    assert_null(npy);
    if (strstr(akin_error_message(), what) == NULL)
        fail_msg("'%s' lacks '%s'", akin_error_message(), what);
}

static const float six[6] = {1, -2.5f, 0, 1e-40f, INFINITY, 7};

static void headers_of_every_kind_are_read(void **unused) {
    (void)unused;
    static const struct {
        int major;
        const char *header;
    } cases[] = {
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }          \n"},
        {1, "{'descr':'<f4','fortran_order':False,'shape':(3,2)}"},
        {1, "{ 'shape' : ( 3 , 2 , ) , \"fortran_order\" : False , \"descr\" : \"<f4\" } \n"},
        {2, "{'shape': (3L, 2L), 'fortran_order': False, 'descr': '<f4'}\n"},
        {3, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        akin_npy *npy;
        bool is_npy;
        float rows[6];
        put(cases[i].major, cases[i].header, 0, six, sizeof six);
        assert_int_equal(akin_npy_recognise("x.npy", &is_npy), AKIN_OK);
        assert_true(is_npy);
        assert_int_equal(akin_npy_open("x.npy", &npy), AKIN_OK);
        assert_int_equal(akin_npy_rows(npy), 3);
        assert_int_equal(akin_npy_columns(npy), 2);
        assert_int_equal(akin_npy_read(npy, 0, 3, rows), AKIN_OK);
        assert_memory_equal(rows, six, sizeof six);
        assert_int_equal(akin_npy_read(npy, 1, 1, rows), AKIN_OK);
        assert_memory_equal(rows, six + 2, 2 * sizeof *six);
        assert_int_equal(akin_npy_read(npy, 3, 0, rows), AKIN_OK);
        akin_npy_close(npy);
    }
}

static void other_files_are_refused(void **unused) {
    (void)unused;
    static const struct {
        const char *header, *what;
    } cases[] = {
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 1), }", "'<f8'"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (3, 2), }", "'>f4'"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (3, 2), }", "'<i4'"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3, 2), }", "structures"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }", "Fortran"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", "1 dimension;"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "0 dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 2), }", "3 dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2), }", "empty array, 0 x 2"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2), }", "4 x 2"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }",
         "truncated"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 4), }",
         "not a dictionary"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", "8 bytes after"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3 2), }", "not a dictionary"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, -2), }", "not a dictionary"},
        {"{'descr': '<f4', 'fortran_order': False, }", "not a dictionary"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), 'shape': (3, 2)}",
         "not a dictionary"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 2), }", "not a dictionary"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), } x", "not a dictionary"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2)", "not a dictionary"},
        {"{'descr: '<f4', 'fortran_order': False, 'shape': (3, 2)}", "not a dictionary"},
        {"", "not a dictionary"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(1, cases[i].header, 0, six, sizeof six);
        refused(AKIN_INPUT, cases[i].what);
    }
    const char *good = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }";
    put(4, good, 0, six, sizeof six);
    refused(AKIN_INPUT, "version 4.0");
    put(2, good, 1U << 31, six, sizeof six);
    refused(AKIN_INPUT, "a header of");
    put(1, good, 60000, six, sizeof six);
    refused(AKIN_INPUT, "a header of");
}

/* A file truncated at any byte is refused, and never read beyond its end. */
static void every_cut_is_refused(void **unused) {
    (void)unused;
    unsigned char whole[256];
    put(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n", 0, six, sizeof six);
    FILE *stream = fopen("x.npy", "rb");
    size_t length = fread(whole, 1, sizeof whole, stream);
    fclose(stream);
    for (size_t cut = 0; cut < length; cut++) {
        akin_npy *npy;
        stream = fopen("x.npy", "wb");
        fwrite(whole, 1, cut, stream);
        fclose(stream);
        assert_int_equal(akin_npy_open("x.npy", &npy), AKIN_INPUT);
    }
    assert_true(length > 80);
}

static void missing_files_and_folders_fail(void **unused) {
    (void)unused;
    akin_npy *npy;
    bool is_npy;
    assert_int_equal(akin_npy_open("not-there.npy", &npy), AKIN_FAILED);
    assert_int_equal(akin_npy_recognise("not-there.npy", &is_npy), AKIN_FAILED);
    assert_int_equal(akin_npy_open(".", &npy), AKIN_FAILED);
    for (uint64_t nth = 1; nth <= 3; nth++) { /* each of its allocations */
        put(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n", 0, six, sizeof six);
        akin_mem_fail_at(nth);
        assert_int_equal(akin_npy_open("x.npy", &npy), AKIN_FAILED);
        assert_null(npy);
    }
    akin_mem_fail_at(0);
}

static void halves_are_exact(void **unused) {
    (void)unused;
    for (uint32_t bits = 0; bits < 65536; bits++) {
        uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
        double magnitude = exponent == 31 ? (fraction ? NAN : INFINITY)
                           : exponent     ? ldexp(1024 + fraction, (int)exponent - 25)
                                          : ldexp(fraction, -24);
        float got = akin_npy_half((uint16_t)bits);
        if (isnan(magnitude))
            assert_true(isnan(got));
        else
            assert_true((double)got == (bits >> 15 ? -magnitude : magnitude) &&
                        !!signbit(got) == bits >> 15);
    }
    enum { ROWS = 30011, COLUMNS = 3 }; /* more than one piece */
    static uint16_t halves[ROWS * COLUMNS];
    static float rows[ROWS * COLUMNS];
    for (size_t i = 0; i < ROWS * COLUMNS; i++) halves[i] = (uint16_t)(i % 31744);
    put(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (30011, 3), }", 0, halves,
        sizeof halves);
    akin_npy *npy;
    assert_int_equal(akin_npy_open("x.npy", &npy), AKIN_OK);
    assert_int_equal(akin_npy_read(npy, 1, ROWS - 1, rows), AKIN_OK);
    for (size_t i = COLUMNS; i < ROWS * COLUMNS; i++)
        assert_true(rows[i - COLUMNS] == akin_npy_half(halves[i]));
    akin_npy_close(npy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_of_every_kind_are_read),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(missing_files_and_folders_fail),
        cmocka_unit_test(halves_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
