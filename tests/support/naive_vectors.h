/* The shard of a naive catalogue as vectors, with ids and the names of categories and groups. */
#ifndef AKIN_TESTS_NAIVE_VECTORS_H
#define AKIN_TESTS_NAIVE_VECTORS_H

#include "naive_neighbors.h"
#include <akin/comm.h>
#include <akin/labels.h>
#include <akin/shard.h>
#include <akin/vectors.h>
#include <stdio.h>

enum { NAIVE_CATEGORIES = 4, NAIVE_GROUPS = 8, NAIVE_ID = 12 };

static inline akin_labels *naive_labels(akin_comm *comm, const naive_catalogue *c) {
    static const char *const categories[NAIVE_CATEGORIES] = {"a", "b", "c", "d"};
    static const char *const groups[NAIVE_GROUPS] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    size_t first = akin_shard_first(c->n, size, rank), count = akin_shard_count(c->n, size, rank);
    akin_labels *labels = NULL;
    akin_status status = akin_labels_create(count, NAIVE_ID, &labels);
    if (status == AKIN_OK)
        status = akin_labels_set_category_names(labels, NAIVE_CATEGORIES, categories);
    if (status == AKIN_OK) status = akin_labels_set_group_names(labels, NAIVE_GROUPS, groups);
    for (size_t i = 0; i < count && status == AKIN_OK; i++) {
        char id[NAIVE_ID + 1];
        snprintf(id, sizeof id, "item-%06zu", (first + i) % 1000000);
        status = akin_labels_set_id(labels, i, id);
        akin_labels_category(labels)[i] = c->items[first + i].category;
        akin_labels_group(labels)[i] = c->items[first + i].group;
        akin_labels_available(labels)[i] = (int8_t)c->items[first + i].available;
    }
    AKIN_ASSERT(status == AKIN_OK);
    return labels;
}

/* Collective. */
static inline akin_vectors *naive_vectors(akin_comm *comm, const naive_catalogue *c) {
    akin_vectors *vectors = NULL;
    size_t first = akin_shard_first(c->n, akin_comm_size(comm), akin_comm_rank(comm));
    akin_status status = akin_vectors_create(comm, c->n, c->dim, c->rows + first * c->dim,
                                             naive_labels(comm, c), &vectors);
    AKIN_ASSERT(status == AKIN_OK);
    return vectors;
}

#endif
