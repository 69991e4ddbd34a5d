/* Laws of labels: reading inverts writing, at any number of ranks, for any range of rows; a file
 * with invalid indices, names or texts is refused. */
#include "items.h"
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static akin_comm *comm;

static const char *file_name(void) {
    static char name[64];
    snprintf(name, sizeof name, "labels-%d.nc", akin_comm_size(comm));
    return name;
}

/* Takes ownership of the labels. */
static void write_labels(akin_labels *labels, size_t n, size_t first, char digest[33]) {
    akin_ncfile *file = NULL;
    assert_int_equal(akin_ncfile_create(comm, file_name(), "test", &file), AKIN_OK);
    akin_ncfile_dimension(file, "item", n);
    akin_labels_define(labels, file);
    assert_int_equal(akin_ncfile_begin(file), AKIN_OK);
    assert_int_equal(akin_labels_put(labels, file, comm, first), AKIN_OK);
    assert_int_equal(akin_ncfile_commit(file, digest), AKIN_OK);
    akin_labels_free(labels);
}

static void write_items(size_t n, bool named, char digest[33]) {
    size_t first;
    akin_labels *labels = make_shard(comm, n, named, &first);
    write_labels(labels, n, first, digest);
}

static void check_range(const akin_ncfile *file, size_t first, size_t count, bool named) {
    akin_labels *labels = NULL;
    assert_int_equal(akin_labels_read(file, first, count, &labels), AKIN_OK);
    assert_int_equal(akin_labels_count(labels), count);
    assert_int_equal(akin_labels_id_length(labels), ITEM_ID_LENGTH);
    assert_int_equal(akin_labels_category_count(labels), named ? ITEM_CATEGORIES : 0);
    assert_int_equal(akin_labels_group_count(labels), named ? ITEM_GROUPS : 0);
    for (size_t i = 0; i < count; i++) {
        char id[ITEM_ID_LENGTH + 1];
        item_id(first + i, id);
        int32_t category = named ? item_category(first + i) : -1,
                group = named ? item_group(first + i) : -1;
        assert_string_equal(akin_labels_id(labels, i), id);
        assert_int_equal(akin_labels_category(labels)[i], category);
        assert_int_equal(akin_labels_group(labels)[i], group);
        assert_int_equal(akin_labels_available(labels)[i], item_available(first + i));
        assert_string_equal(akin_labels_category_name(labels, category),
                            category < 0 ? "" : item_categories[category]);
        assert_string_equal(akin_labels_group_name(labels, group),
                            group < 0 ? "" : item_groups[group]);
    }
    akin_labels_free(labels);
}

static void written_is_read(void **state) {
    (void)state;
    const size_t counts[] = {1, 3, 50};
    for (size_t c = 0; c < 6; c++) {
        size_t n = counts[c / 2];
        bool named = c % 2;
        akin_ncfile *file = NULL;
        write_items(n, named, NULL);
        assert_int_equal(akin_ncfile_open(comm, file_name(), "test", &file), AKIN_OK);
        check_range(file, 0, n, named);
        check_range(file, n / 2, n - n / 2, named);
        check_range(file, n - 1, 1, named);
        check_range(file, n, 0, named);
        akin_ncfile_close(file);
    }
}

static void digest_is_the_same_for_any_ranks(void **state) {
    (void)state;
    char digest[33];
    write_items(50, true, digest);
    assert_string_equal(digest, "bc213ca26b320395182b22ecdd871431");
}

/* A file like that of labels, with one error. */
typedef struct {
    int32_t category, group;
    int8_t available;
    const char *id, *first_name, *second_name;
    akin_status expected;
} wrong_file;

static void write_wrong(const wrong_file *it) {
    akin_ncfile *file = NULL;
    size_t rows = akin_comm_rank(comm) == 0;
    char names[2][4] = {{0}}, id[4] = {0};
    memcpy(id, it->id, strlen(it->id));
    memcpy(names[0], it->first_name, strlen(it->first_name));
    memcpy(names[1], it->second_name, strlen(it->second_name));
    assert_int_equal(akin_ncfile_create(comm, file_name(), "test", &file), AKIN_OK);
    akin_ncfile_dimension(file, "item", 1);
    akin_ncfile_dimension(file, "id_length", 4);
    akin_ncfile_dimension(file, "name_length", 4);
    akin_ncfile_dimension(file, "category_count", 2);
    akin_ncfile_dimension(file, "group_count", 1);
    akin_ncfile_variable(file, "id", AKIN_NC_CHAR, "item,id_length", NULL, NULL);
    akin_ncfile_variable(file, "category", AKIN_NC_INT, "item", NULL, NULL);
    akin_ncfile_variable(file, "group", AKIN_NC_INT, "item", NULL, NULL);
    akin_ncfile_variable(file, "available", AKIN_NC_BYTE, "item", NULL, NULL);
    akin_ncfile_variable(file, "category_name", AKIN_NC_CHAR, "category_count,name_length", NULL,
                         NULL);
    akin_ncfile_variable(file, "group_name", AKIN_NC_CHAR, "group_count,name_length", NULL, NULL);
    assert_int_equal(akin_ncfile_begin(file), AKIN_OK);
    akin_ncfile_put(file, "id", 0, rows, id);
    akin_ncfile_put(file, "category", 0, rows, &it->category);
    akin_ncfile_put(file, "group", 0, rows, &it->group);
    akin_ncfile_put(file, "available", 0, rows, &it->available);
    akin_ncfile_put(file, "category_name", 0, 2 * rows, names);
    akin_ncfile_put(file, "group_name", 0, rows, "\0\0\0");
    assert_int_equal(akin_ncfile_commit(file, NULL), AKIN_OK);
}

static void wrong_values_are_refused(void **state) {
    (void)state;
    const wrong_file files[] = {
        {1, -1, 1, "id", "a", "b", AKIN_OK},
        {-1, -1, 0, "\xc3\xa4", "a", "bcd", AKIN_OK},
        {2, -1, 1, "id", "a", "b", AKIN_INPUT},
        {-2, -1, 1, "id", "a", "b", AKIN_INPUT},
        {INT32_MAX, -1, 1, "id", "a", "b", AKIN_INPUT},
        {INT32_MIN, -1, 1, "id", "a", "b", AKIN_INPUT},
        {0, 0, 1, "id", "a", "b", AKIN_INPUT}, /* the only group has an empty name: no groups */
        {0, -1, 2, "id", "a", "b", AKIN_INPUT},
        {0, -1, -1, "id", "a", "b", AKIN_INPUT},
        {0, -1, 1, "", "a", "b", AKIN_INPUT},
        {0, -1, 1, "\xff", "a", "b", AKIN_INPUT},
        {0, -1, 1, "id", "b", "a", AKIN_INPUT},
        {0, -1, 1, "id", "a", "a", AKIN_INPUT},
        {0, -1, 1, "id", "", "a", AKIN_INPUT},
        {0, -1, 1, "id", "a", "\xc3", AKIN_INPUT},
    };
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        akin_ncfile *file = NULL;
        akin_labels *labels = NULL;
        write_wrong(&files[f]);
        assert_int_equal(akin_ncfile_open(comm, file_name(), "test", &file), AKIN_OK);
        akin_status status = akin_labels_read(file, 0, 1, &labels);
        if (status != files[f].expected) fail_msg("file %zu: status %d", f, status);
        if (status != AKIN_OK) assert_null(labels);
        akin_labels_free(labels);
        akin_ncfile_close(file);
    }
}

static void ids_fit_their_length(void **state) {
    (void)state;
    akin_labels *labels = NULL;
    assert_int_equal(akin_labels_create(2, 3, &labels), AKIN_OK);
    assert_string_equal(akin_labels_id(labels, 0), "");
    assert_int_equal(akin_labels_set_id(labels, 0, "abc"), AKIN_OK);
    assert_int_equal(akin_labels_set_id(labels, 1, "abcd"), AKIN_INPUT);
    assert_int_equal(akin_labels_set_id(labels, 0, "z"), AKIN_OK);
    assert_string_equal(akin_labels_id(labels, 0), "z");
    assert_int_equal(akin_labels_category(labels)[1], -1);
    assert_int_equal(akin_labels_group(labels)[1], -1);
    assert_int_equal(akin_labels_available(labels)[1], 1);
    akin_labels_free(labels);
}

static void failing_memory_is_reported(void **state) {
    (void)state;
    akin_ncfile *file = NULL;
    write_items(5, true, NULL);
    assert_int_equal(akin_ncfile_open(comm, file_name(), "test", &file), AKIN_OK);
    uint64_t before = akin_mem_calls();
    check_range(file, 0, 5, true);
    uint64_t calls = akin_mem_calls() - before;
    assert_true(calls > 0);
    for (uint64_t n = 1; n <= calls; n++) {
        akin_labels *labels = NULL;
        akin_mem_fail_at(n);
        akin_status status = akin_labels_read(file, 0, 5, &labels);
        akin_mem_fail_at(0);
        assert_int_equal(status, AKIN_FAILED);
        assert_null(labels);
    }
    akin_ncfile_close(file);
}

/* --- attributes --- */

static const char *const brands[] = {"acme", "b\xc3\xa9ta", "zed"};
static const char *const seasons[] = {"autumn", "autumn|spring|winter", "spring"};

static float price_of(size_t row) {
    return row % 4 == 1 ? NAN : (float)row * 0.1f - 1;
}

static int32_t index_of(size_t row, size_t step) {
    return (int32_t)(row / step % 4) - 1;
}

static akin_labels *make_attributes(size_t n, size_t *first) {
    akin_labels *labels = make_shard(comm, n, true, first);
    assert_int_equal(akin_labels_add_attribute(labels, "price", AKIN_ATTRIBUTE_NUMBER, 0, NULL),
                     AKIN_OK);
    assert_int_equal(akin_labels_add_attribute(labels, "brand", AKIN_ATTRIBUTE_LABEL, 3, brands),
                     AKIN_OK);
    assert_int_equal(akin_labels_add_attribute(labels, "nobody", AKIN_ATTRIBUTE_LABEL, 0, NULL),
                     AKIN_OK);
    assert_int_equal(akin_labels_add_attribute(labels, "season", AKIN_ATTRIBUTE_LABELS, 3, seasons),
                     AKIN_OK);
    for (size_t i = 0; i < akin_labels_count(labels); i++) {
        assert_true(isnan(akin_labels_attribute_numbers(labels, 0)[i]));
        assert_int_equal(akin_labels_attribute_values(labels, 1)[i], -1);
        akin_labels_attribute_numbers(labels, 0)[i] = price_of(*first + i);
        akin_labels_attribute_values(labels, 1)[i] = index_of(*first + i, 1);
        akin_labels_attribute_values(labels, 3)[i] = index_of(*first + i, 2);
    }
    return labels;
}

static void write_attributes(size_t n, char digest[33]) {
    size_t first;
    akin_labels *labels = make_attributes(n, &first);
    write_labels(labels, n, first, digest);
}

static void check_attributes(const akin_ncfile *file, size_t first, size_t count) {
    akin_labels *labels = NULL;
    assert_int_equal(akin_labels_read(file, first, count, &labels), AKIN_OK);
    assert_int_equal(akin_labels_attributes(labels), 4);
    assert_string_equal(akin_labels_attribute_name(labels, 0), "price");
    assert_string_equal(akin_labels_attribute_name(labels, 3), "season");
    assert_int_equal(akin_labels_attribute_kind(labels, 0), AKIN_ATTRIBUTE_NUMBER);
    assert_int_equal(akin_labels_attribute_kind(labels, 1), AKIN_ATTRIBUTE_LABEL);
    assert_int_equal(akin_labels_attribute_kind(labels, 3), AKIN_ATTRIBUTE_LABELS);
    assert_int_equal(akin_labels_find_attribute(labels, "season"), 3);
    assert_true(akin_labels_find_attribute(labels, "colour") == SIZE_MAX);
    assert_int_equal(akin_labels_attribute_value_count(labels, 1), 3);
    assert_int_equal(akin_labels_attribute_value_count(labels, 2), 0);
    for (size_t i = 0; i < count; i++) {
        float price = akin_labels_attribute_numbers(labels, 0)[i], expected = price_of(first + i);
        int32_t season = akin_labels_attribute_values(labels, 3)[i];
        assert_true(price == expected || (isnan(price) && isnan(expected)));
        assert_int_equal(akin_labels_attribute_values(labels, 1)[i], index_of(first + i, 1));
        assert_int_equal(akin_labels_attribute_values(labels, 2)[i], -1);
        assert_int_equal(season, index_of(first + i, 2));
        assert_string_equal(akin_labels_attribute_value(labels, 3, season),
                            season < 0 ? "" : seasons[season]);
    }
    akin_labels_free(labels);
}

static void attributes_are_read_as_written(void **state) {
    (void)state;
    char digest[33];
    akin_ncfile *file = NULL;
    write_attributes(23, digest);
    assert_string_equal(digest, "4fa69ce1d7c7662052265a1fdec53532");
    assert_int_equal(akin_ncfile_open(comm, file_name(), "test", &file), AKIN_OK);
    check_attributes(file, 0, 23);
    check_attributes(file, 9, 5);
    check_attributes(file, 23, 0);
    uint64_t before = akin_mem_calls();
    check_attributes(file, 0, 23);
    uint64_t calls = akin_mem_calls() - before;
    for (uint64_t n = 1; n <= calls; n++) {
        akin_labels *labels = NULL;
        akin_mem_fail_at(n);
        akin_status status = akin_labels_read(file, 0, 23, &labels);
        akin_mem_fail_at(0);
        assert_int_equal(status, AKIN_FAILED);
        assert_null(labels);
    }
    akin_ncfile_close(file);
}

/* An attribute with one error. */
typedef struct {
    const char *kind, *first_name, *second_name;
    akin_nc_type type;
    int32_t index;
    float number;
    akin_status expected;
} wrong_attribute;

static void write_wrong_attribute(const wrong_attribute *it) {
    akin_ncfile *file = NULL;
    bool number = it->type == AKIN_NC_FLOAT;
    size_t first, rows = akin_comm_rank(comm) == 0;
    char names[2][4] = {{0}};
    akin_labels *labels = make_shard(comm, 1, false, &first);
    memcpy(names[0], it->first_name, strlen(it->first_name));
    memcpy(names[1], it->second_name, strlen(it->second_name));
    assert_int_equal(akin_ncfile_create(comm, file_name(), "test", &file), AKIN_OK);
    akin_ncfile_dimension(file, "item", 1);
    akin_ncfile_dimension(file, "attribute_a_count", 2);
    akin_ncfile_dimension(file, "attribute_a_length", 4);
    akin_labels_define(labels, file);
    akin_ncfile_variable(file, "attribute_a", it->type, "item", NULL, NULL);
    akin_ncfile_variable(file, "attribute_a_name", AKIN_NC_CHAR,
                         "attribute_a_count,attribute_a_length", NULL, NULL);
    akin_ncfile_attribute(file, "attribute_a", "akin_attribute_kind", it->kind);
    assert_int_equal(akin_ncfile_begin(file), AKIN_OK);
    assert_int_equal(akin_labels_put(labels, file, comm, first), AKIN_OK);
    akin_ncfile_put(file, "attribute_a", 0, rows,
                    number ? (void *)&it->number : (void *)&it->index);
    akin_ncfile_put(file, "attribute_a_name", 0, 2 * rows, names);
    assert_int_equal(akin_ncfile_commit(file, NULL), AKIN_OK);
    akin_labels_free(labels);
}

static void wrong_attributes_are_refused(void **state) {
    (void)state;
    const wrong_attribute files[] = {
        {"label", "a", "b", AKIN_NC_INT, 1, 0, AKIN_OK},
        {"number", "a", "b", AKIN_NC_FLOAT, 0, 1, AKIN_OK},
        {"number", "a", "b", AKIN_NC_FLOAT, 0, NAN, AKIN_OK},
        {"labels", "a", "a|b", AKIN_NC_INT, -1, 0, AKIN_OK},
        {"number", "a", "b", AKIN_NC_FLOAT, 0, INFINITY, AKIN_INPUT},
        {"number", "a", "b", AKIN_NC_INT, 0, 0, AKIN_INPUT},
        {"label", "a", "b", AKIN_NC_FLOAT, 0, 0, AKIN_INPUT},
        {"words", "a", "b", AKIN_NC_INT, 0, 0, AKIN_INPUT},
        {"label", "a", "b", AKIN_NC_INT, 2, 0, AKIN_INPUT},
        {"label", "a", "b", AKIN_NC_INT, -2, 0, AKIN_INPUT},
        {"label", "b", "a", AKIN_NC_INT, 0, 0, AKIN_INPUT},
        {"label", "a", "\xc3", AKIN_NC_INT, 0, 0, AKIN_INPUT},
        {"labels", "a", "b|a", AKIN_NC_INT, 0, 0, AKIN_INPUT},
        {"labels", "a", "a|a", AKIN_NC_INT, 0, 0, AKIN_INPUT},
        {"labels", "a", "a||b", AKIN_NC_INT, 0, 0, AKIN_INPUT},
        {"labels", "a", "ab|", AKIN_NC_INT, 0, 0, AKIN_INPUT},
    };
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        akin_ncfile *file = NULL;
        akin_labels *labels = NULL;
        write_wrong_attribute(&files[f]);
        assert_int_equal(akin_ncfile_open(comm, file_name(), "test", &file), AKIN_OK);
        akin_status status = akin_labels_read(file, 0, 1, &labels);
        if (status != files[f].expected) fail_msg("file %zu: status %d", f, status);
        if (status == AKIN_OK) assert_int_equal(akin_labels_attributes(labels), 1);
        akin_labels_free(labels);
        akin_ncfile_close(file);
    }
}

static void names_of_attributes_are_checked(void **state) {
    (void)state;
    assert_true(akin_attribute_name_is_valid("price_2"));
    assert_true(akin_attribute_name_is_valid("Id"));
    const char *const wrong[] = {"",      "a b",       "a-b", "category",
                                 "group", "available", "id",  "caf\xc3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(akin_attribute_name_is_valid(wrong[i]));
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_is_read),
        cmocka_unit_test(digest_is_the_same_for_any_ranks),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(ids_fit_their_length),
        cmocka_unit_test(failing_memory_is_reported),
        cmocka_unit_test(attributes_are_read_as_written),
        cmocka_unit_test(wrong_attributes_are_refused),
        cmocka_unit_test(names_of_attributes_are_checked),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
