/* duplicates_collapse: removes duplicates from lists. */
#include "duplicates.h"
#include <akin/compare.h>
#include <akin/labels.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/topk.h>
#include <stdbool.h>
#include <string.h>

#define ROUND_ROWS                                                                                 \
    ((size_t)4096) /* rows searched for at a time by all ranks, and rows compared with at a time */
#define ROUND_KEYS ((size_t)4 << 20) /* of their lists, at most */

typedef struct {
    akin_comm *comm;
    const akin_vectors *vectors;
    akin_row_block_rules rules;
    const int32_t *of;  /* [n] */
    size_t pool, width; /* width: of the lists that are searched: they may contain what the item
                         * is a duplicate of */
    uint64_t *lists;
    size_t *poor; /* [poor_count] items of this rank to search for */
    size_t poor_count;
    size_t batch;         /* per rank and round */
    akin_row_block *kept; /* ROUND_ROWS of this rank's rows */
    akin_compare *compare;
} collapse;

/* Filters a list in place; returns how many remain. */
static size_t filter(const collapse *c, size_t item, uint64_t *list, size_t width) {
    int32_t mine = c->of[akin_vectors_first(c->vectors) + item];
    size_t held = 0;
    for (size_t e = 0; e < width && list[e] != 0; e++) {
        int32_t row = akin_topk_row(list[e]);
        if (c->of[row] < 0 && row != mine) list[held++] = list[e];
    }
    for (size_t e = held; e < width; e++) list[e] = 0;
    return held;
}

/* All lists; those to be searched again are collected. */
static akin_status filter_all(collapse *c, size_t need) {
    size_t count = akin_vectors_count(c->vectors);
    bool whole = c->pool >= akin_vectors_items(c->vectors) - 1; /* a full list contains all
                                                                 * others */
    c->poor = akin_mem_alloc(count, sizeof *c->poor);
    if (!c->poor) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) {
        uint64_t *list = c->lists + i * c->pool;
        bool full = list[c->pool - 1] != 0 && !whole;
        if (filter(c, i, list, c->pool) < need && full) c->poor[c->poor_count++] = i;
    }
    return AKIN_OK;
}

/* --- searching again --- */

static akin_row_block_item item_of(const collapse *c, size_t item) {
    akin_labels *labels = akin_vectors_labels(c->vectors);
    return (akin_row_block_item){.row = (int32_t)(akin_vectors_first(c->vectors) + item),
                                 .category = akin_labels_category(labels)[item],
                                 .group = akin_labels_group(labels)[item],
                                 .available = akin_labels_available(labels)[item] != 0};
}

/* This rank's rows of the round, as they are sent: labels and row of each. */
static akin_status pack(const collapse *c, size_t first, size_t count, char **out) {
    size_t row = akin_vectors_dim(c->vectors) * sizeof(float),
           bytes = sizeof(akin_row_block_item) + row;
    *out = akin_mem_alloc(count, bytes);
    if (!*out) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) {
        const akin_row_block_item item = item_of(c, c->poor[first + i]);
        memcpy(*out + i * bytes, &item, sizeof item);
        memcpy(*out + i * bytes + sizeof item, akin_vectors_row(c->vectors, c->poor[first + i]),
               row);
    }
    return AKIN_OK;
}

static void unpack(const collapse *c, const char *all, size_t count, akin_row_block *block) {
    size_t bytes = sizeof(akin_row_block_item) + akin_vectors_dim(c->vectors) * sizeof(float);
    akin_row_block_begin(block, count);
    for (size_t i = 0; i < count; i++) {
        akin_row_block_item item;
        memcpy(&item, all + i * bytes, sizeof item);
        const void *row = all + i * bytes + sizeof item; /* whole floats from the beginning */
        akin_row_block_set(block, i, item, row);
    }
    akin_row_block_ready(block, &c->rules);
}

/* Compares the rows that all ranks search for with the kept rows of this rank. */
static void compare_all(collapse *c, akin_row_block *block) {
    size_t count = akin_vectors_count(c->vectors), first = akin_vectors_first(c->vectors);
    for (size_t next = 0; next < count;) {
        size_t chosen = 0, end = next;
        for (; end < count && chosen < ROUND_ROWS; end++)
            chosen += akin_vectors_usable(c->vectors, end) && c->of[first + end] < 0;
        akin_row_block_begin(c->kept, chosen);
        for (size_t at = 0; next < end; next++)
            if (akin_vectors_usable(c->vectors, next) && c->of[first + next] < 0)
                akin_row_block_set(c->kept, at++, item_of(c, next),
                                   akin_vectors_row(c->vectors, next));
        akin_row_block_ready(c->kept, &c->rules);
        akin_compare_panels(c->compare, block, 0, akin_row_block_panels(block), c->kept, 0,
                            akin_row_block_panels(c->kept));
    }
}

/* Merges the lists that all ranks found for this rank's `count` rows, [size, count, width]. */
static akin_status take(collapse *c, size_t first, size_t count, const uint64_t *found) {
    uint64_t *best = akin_mem_alloc(2, c->width * sizeof *best), *merged = best + c->width;
    if (!best) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) {
        memcpy(best, found + i * c->width, c->width * sizeof *best);
        for (size_t r = 1; r < (size_t)akin_comm_size(c->comm); r++) {
            akin_topk_merge(best, found + (r * count + i) * c->width, c->width, merged);
            memcpy(best, merged, c->width * sizeof *best);
        }
        (void)filter(c, c->poor[first + i], best, c->width);
        memcpy(c->lists + c->poor[first + i] * c->pool, best, c->pool * sizeof *best);
    }
    akin_mem_free(best);
    return AKIN_OK;
}

/* The sorted lists of a block, by destination rank: counts [size] of rows. Collective; agreed. */
static akin_status send_home(collapse *c, akin_row_block *block, const size_t *counts,
                             uint64_t **found) {
    akin_status status;
    size_t count = akin_row_block_count(block), came = 0;
    uint64_t *send = akin_mem_alloc(count, c->width * sizeof *send);
    AKIN_TRY(akin_agree(c->comm, send ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < count; i++) {
        akin_topk_sort(akin_row_block_list(block, i), c->width);
        memcpy(send + i * c->width, akin_row_block_list(block, i), c->width * sizeof *send);
    }
    AKIN_TRY(
        akin_comm_exchange(c->comm, send, counts, c->width * sizeof *send, (void **)found, &came));
done:
    akin_mem_free(send);
    return status;
}

/* This rank's poor items [first, first + count), together with those of all others. Collective;
 * agreed. */
static akin_status seek_round(collapse *c, size_t first, size_t count) {
    akin_status status;
    char *mine = NULL, *all = NULL;
    akin_row_block *block = NULL;
    uint64_t *found = NULL;
    size_t size = (size_t)akin_comm_size(c->comm);
    size_t bytes = sizeof(akin_row_block_item) + akin_vectors_dim(c->vectors) * sizeof(float);
    size_t *offsets = akin_mem_alloc(size + 1, sizeof *offsets);
    akin_status local = pack(c, first, count, &mine);
    AKIN_TRY(akin_agree(c->comm, offsets ? local : AKIN_FAILED));
    AKIN_TRY(akin_comm_gather(c->comm, mine, count * bytes, -1, (void **)&all, offsets));
    size_t total = offsets[size] / bytes;
    AKIN_TRY(akin_agree(c->comm, akin_row_block_create(total, akin_vectors_dim(c->vectors),
                                                       c->width, AKIN_ROW_BLOCK_ROWS, &block)));
    unpack(c, all, total, block);
    compare_all(c, block);
    for (size_t r = 0; r < size; r++) offsets[r] = (offsets[r + 1] - offsets[r]) / bytes;
    AKIN_TRY(send_home(c, block, offsets, &found));
    AKIN_TRY(akin_agree(c->comm, take(c, first, count, found)));
done:
    akin_mem_free(found);
    akin_mem_free(offsets);
    akin_mem_free(mine);
    akin_mem_free(all);
    akin_row_block_free(block);
    return status;
}

static akin_status begin(collapse *c) {
    akin_status status;
    AKIN_TRY(akin_row_block_create(ROUND_ROWS, akin_vectors_dim(c->vectors), 0,
                                   AKIN_ROW_BLOCK_COLUMNS, &c->kept));
    AKIN_TRY(akin_compare_create(&c->rules, &c->compare));
done:
    return status;
}

/* Collective; agreed. */
static akin_status seek(collapse *c, size_t *sought) {
    akin_status status;
    int64_t most = (int64_t)c->poor_count, sum = most;
    size_t rows = ROUND_KEYS / c->width < ROUND_ROWS ? ROUND_KEYS / c->width : ROUND_ROWS;
    akin_comm_max_i64(c->comm, &most, 1);
    akin_comm_sum_i64(c->comm, &sum, 1);
    *sought = (size_t)sum;
    if (most == 0) return AKIN_OK;
    AKIN_TRY(akin_agree(c->comm, begin(c)));
    c->batch = rows / (size_t)akin_comm_size(c->comm) + 1;
    for (size_t done = 0; done < (size_t)most; done += c->batch) {
        size_t first = done < c->poor_count ? done : c->poor_count, rest = c->poor_count - first;
        AKIN_TRY(seek_round(c, first, rest < c->batch ? rest : c->batch));
        size_t shown = done + c->batch < (size_t)most ? done + c->batch : (size_t)most;
        akin_log_progress("duplicates", "lists of rank 0", (double)shown, (double)most);
    }
done:
    akin_log_progress_end();
    return status;
}

akin_status akin_duplicates_collapse(akin_comm *comm, const akin_vectors *vectors,
                                     const akin_row_block_rules *rules, const int32_t *duplicate_of,
                                     const akin_duplicates_lists *lists, size_t *sought) {
    akin_status status;
    collapse c = {.comm = comm,
                  .vectors = vectors,
                  .rules = *rules,
                  .of = duplicate_of,
                  .pool = lists->pool,
                  .width = lists->pool + 1,
                  .lists = lists->keys};
    c.rules.layers = 0, c.rules.again = false; /* that was for an all-pairs run that resumed */
    AKIN_TRY(akin_agree(comm, filter_all(&c, lists->need)));
    AKIN_TRY(seek(&c, sought));
done:
    akin_mem_free(c.poor);
    akin_row_block_free(c.kept);
    akin_compare_free(c.compare);
    return status;
}
