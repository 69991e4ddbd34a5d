/* list_search: some items' lists anew. */
#include "list_search.h"
#include <akin/compare.h>
#include <akin/labels.h>
#include <akin/mem.h>
#include <akin/topk.h>
#include <string.h>

#define ROWS ((size_t)4096)    /* of all ranks searched for, and compared with, at a time */
#define KEYS ((size_t)4 << 20) /* of their lists, at most */

typedef struct {
    akin_comm *comm;
    const akin_vectors *vectors;
    akin_row_block_rules rules;
    const size_t *items;
    size_t count, width, record_size;
    char *mine, *all;
    size_t *offsets; /* [size + 1]: of all */
    size_t total;
    akin_row_block *sought, *some;
    akin_compare *compare;
    uint64_t *found, *parts;
} search;

size_t akin_list_search_batch(akin_comm *comm, size_t width) {
    size_t rows = KEYS / width < ROWS ? KEYS / width : ROWS;
    return rows / (size_t)akin_comm_size(comm) + 1;
}

static akin_row_block_item item_of(const search *s, size_t i) {
    akin_labels *labels = akin_vectors_labels(s->vectors);
    akin_row_block_item item = {.row = (int32_t)(akin_vectors_first(s->vectors) + i),
                                .category = akin_labels_category(labels)[i],
                                .group = akin_labels_group(labels)[i],
                                .available = akin_labels_available(labels)[i] != 0};
    akin_row_rules_complete(s->rules.more, i, &item.values, &item.available);
    return item;
}

/* This rank's rows, as they are sent: an item and a row of each. */
static akin_status pack(search *s) {
    size_t row = akin_vectors_dim(s->vectors) * sizeof(float);
    s->record_size = sizeof(akin_row_block_item) + row;
    s->offsets = akin_mem_alloc((size_t)akin_comm_size(s->comm) + 1, sizeof *s->offsets);
    s->mine = akin_mem_alloc(s->count, s->record_size);
    if (!s->offsets || !s->mine) return AKIN_FAILED;
    for (size_t i = 0; i < s->count; i++) {
        const akin_row_block_item item = item_of(s, s->items[i]);
        char *to = s->mine + i * s->record_size;
        memcpy(to, &item, sizeof item);
        memcpy(to + sizeof item, akin_vectors_row(s->vectors, s->items[i]), row);
    }
    return AKIN_OK;
}

static akin_status unpack(search *s) {
    akin_status status;
    size_t dim = akin_vectors_dim(s->vectors);
    s->total = s->offsets[akin_comm_size(s->comm)] / s->record_size;
    s->found = akin_mem_alloc(s->total, s->width * sizeof *s->found);
    if (!s->found) return AKIN_FAILED;
    AKIN_TRY(akin_compare_create(&s->rules, &s->compare));
    AKIN_TRY(akin_row_block_create(s->total, dim, s->width, AKIN_ROW_BLOCK_ROWS, &s->sought));
    AKIN_TRY(akin_row_block_create(ROWS, dim, 0, AKIN_ROW_BLOCK_COLUMNS, &s->some));
    akin_row_block_begin(s->sought, s->total);
    for (size_t i = 0; i < s->total; i++) {
        akin_row_block_item item;
        memcpy(&item, s->all + i * s->record_size, sizeof item);
        const void *row = s->all + i * s->record_size + sizeof item; /* whole floats */
        akin_row_block_set(s->sought, i, item, row);
    }
    akin_row_block_ready(s->sought, &s->rules);
done:
    return status;
}

/* The rows of all ranks with those of this one. */
static void compare_all(search *s) {
    for (size_t next = 0, count = akin_vectors_count(s->vectors); next < count;) {
        size_t chosen = 0, end = next;
        for (; end < count && chosen < ROWS; end++) chosen += akin_vectors_usable(s->vectors, end);
        akin_row_block_begin(s->some, chosen);
        for (size_t at = 0; next < end; next++)
            if (akin_vectors_usable(s->vectors, next))
                akin_row_block_set(s->some, at++, item_of(s, next),
                                   akin_vectors_row(s->vectors, next));
        akin_row_block_ready(s->some, &s->rules);
        akin_compare_panels(s->compare, s->sought, 0, akin_row_block_panels(s->sought), s->some, 0,
                            akin_row_block_panels(s->some));
    }
    for (size_t i = 0; i < s->total; i++) {
        akin_topk_sort(akin_row_block_list(s->sought, i), s->width);
        memcpy(s->found + i * s->width, akin_row_block_list(s->sought, i),
               s->width * sizeof *s->found);
    }
}

/* What all ranks found for this one's rows, [size, count, width]. */
static akin_status merge(const search *s, uint64_t *lists) {
    uint64_t *best = akin_mem_alloc(2, s->width * sizeof *best), *merged = best + s->width;
    if (!best) return AKIN_FAILED;
    for (size_t i = 0; i < s->count; i++) {
        memset(best, 0, s->width * sizeof *best);
        for (size_t r = 0; r < (size_t)akin_comm_size(s->comm); r++) {
            akin_topk_limits_merge(s->rules.more ? s->rules.more->limits : NULL, best,
                                   s->parts + (r * s->count + i) * s->width, s->width, merged);
            memcpy(best, merged, s->width * sizeof *best);
        }
        memcpy(lists + i * s->width, best, s->width * sizeof *best);
    }
    akin_mem_free(best);
    return AKIN_OK;
}

akin_status akin_list_search(akin_comm *comm, const akin_vectors *vectors,
                             const akin_row_block_rules *rules, const size_t *items, size_t count,
                             size_t width, uint64_t *lists) {
    akin_status status;
    size_t came = 0, size = (size_t)akin_comm_size(comm);
    search s = {.comm = comm,
                .vectors = vectors,
                .rules = *rules,
                .items = items,
                .count = count,
                .width = width};
    s.rules.layers = 0, s.rules.again = false; /* that was for an all-pairs run that resumed */
    AKIN_TRY(akin_agree(comm, pack(&s)));
    AKIN_TRY(akin_comm_gather(comm, s.mine, count * s.record_size, -1, (void **)&s.all, s.offsets));
    AKIN_TRY(akin_agree(comm, unpack(&s)));
    compare_all(&s);
    for (size_t r = 0; r < size; r++)
        s.offsets[r] = (s.offsets[r + 1] - s.offsets[r]) / s.record_size;
    AKIN_TRY(akin_comm_exchange(comm, s.found, s.offsets, width * sizeof *s.found,
                                (void **)&s.parts, &came));
    AKIN_TRY(akin_agree(comm, merge(&s, lists)));
done:
    akin_mem_free(s.mine);
    akin_mem_free(s.all);
    akin_mem_free(s.offsets);
    akin_mem_free(s.found);
    akin_mem_free(s.parts);
    akin_compare_free(s.compare);
    akin_row_block_free(s.sought);
    akin_row_block_free(s.some);
    return status;
}
