/* items: labels of n synthetic items for the tests of the files that contain them; each is a
 * function of the row alone. */
#ifndef AKIN_TEST_ITEMS_H
#define AKIN_TEST_ITEMS_H

#include <akin/comm.h>
#include <akin/labels.h>
#include <akin/shard.h>
#include <stdio.h>

enum { ITEM_ID_LENGTH = 12, ITEM_CATEGORIES = 3, ITEM_GROUPS = 2 };

static const char *const item_categories[ITEM_CATEGORIES] = {"caf\xc3\xa9", "tools", "toys/wooden"};
static const char *const item_groups[ITEM_GROUPS] = {"g1", "g2"};

static inline void item_id(size_t row, char id[ITEM_ID_LENGTH + 1]) {
    snprintf(id, ITEM_ID_LENGTH + 1, "\xc3\xa4-%06zu%s", row % 1000000, row % 5 == 0 ? "-x" : "");
}

static inline int32_t item_category(size_t row) {
    return (int32_t)(row % (ITEM_CATEGORIES + 1)) - 1;
}

static inline int32_t item_group(size_t row) {
    return (int32_t)(row / 2 % (ITEM_GROUPS + 1)) - 1;
}

static inline int8_t item_available(size_t row) {
    return row % 7 != 3;
}

/* Rows [first, first + count); named = false: no item has a category or group. */
static inline akin_labels *make_items(size_t first, size_t count, bool named) {
    akin_labels *labels = NULL;
    akin_status status = akin_labels_create(count, ITEM_ID_LENGTH, &labels);
    if (status == AKIN_OK && named)
        status = akin_labels_set_category_names(labels, ITEM_CATEGORIES, item_categories);
    if (status == AKIN_OK && named)
        status = akin_labels_set_group_names(labels, ITEM_GROUPS, item_groups);
    for (size_t i = 0; i < count && status == AKIN_OK; i++) {
        char id[ITEM_ID_LENGTH + 1];
        item_id(first + i, id);
        status = akin_labels_set_id(labels, i, id);
        akin_labels_category(labels)[i] = named ? item_category(first + i) : -1;
        akin_labels_group(labels)[i] = named ? item_group(first + i) : -1;
        akin_labels_available(labels)[i] = item_available(first + i);
    }
    AKIN_ASSERT(status == AKIN_OK);
    return labels;
}

/* This rank's shard of n items. */
static inline akin_labels *make_shard(const akin_comm *comm, size_t n, bool named, size_t *first) {
    *first = akin_shard_first(n, akin_comm_size(comm), akin_comm_rank(comm));
    return make_items(*first, akin_shard_count(n, akin_comm_size(comm), akin_comm_rank(comm)),
                      named);
}

#endif
