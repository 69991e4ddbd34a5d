/* list_search: searches for the lists of some items again. */
#include "list_search.h"
#include <akin/labels.h>
#include <akin/log.h>
#include <akin/row_search.h>

#define ROWS ((size_t)4096)    /* rows searched for (on all ranks), and compared with, at a time */
#define KEYS ((size_t)4 << 20) /* most bytes of their lists */

enum { GROWTH = 4 /* factor by which lists that were too short are lengthened */ };

typedef struct {
    const akin_vectors *vectors;
    const akin_list_search_wanted *wanted;
    const akin_row_rules *more;
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
    akin_row_rules_complete(s->more, i, &item.values, &item.available);
    return item;
}

static const float *wanted_row(const void *context, size_t i, akin_row_block_item *item) {
    const search *s = context;
    *item = item_of(s, s->wanted->items[i]);
    return akin_vectors_row(s->vectors, s->wanted->items[i]);
}

static bool is_among(const search *s, size_t i) {
    const int32_t *of = s->wanted->duplicate_of;
    return akin_vectors_usable(s->vectors, i) &&
           (!of || of[akin_vectors_first(s->vectors) + i] < 0);
}

/* Compares with this rank's rows, one block at a time. */
static void compare_all(const search *s, const akin_row_block_rules *rules, akin_row_search *rows,
                        akin_row_block *some) {
    for (size_t next = 0, count = akin_vectors_count(s->vectors); next < count;) {
        size_t chosen = 0, end = next;
        for (; end < count && chosen < ROWS; end++) chosen += is_among(s, end);
        akin_row_block_begin(some, chosen);
        for (size_t at = 0; next < end; next++)
            if (is_among(s, next))
                akin_row_block_set(some, at++, item_of(s, next),
                                   akin_vectors_row(s->vectors, next));
        akin_row_block_ready(some, rules);
        akin_row_search_among(rows, some);
    }
}

akin_status akin_list_search(akin_comm *comm, const akin_vectors *vectors,
                             const akin_row_block_rules *rules,
                             const akin_list_search_wanted *wanted, uint64_t *lists) {
    akin_status status;
    akin_row_block_rules alone = *rules;
    alone.layers = 0, alone.again = false; /* layers are valid for a resumed all-pairs run only */
    const search s = {vectors, wanted, rules->more};
    const akin_row_search_rows rows = {
        wanted->count, akin_vectors_dim(vectors), wanted->width, NULL, wanted_row, &s};
    akin_row_search *found = NULL;
    akin_row_block *some = NULL;
    AKIN_TRY(akin_agree(comm, akin_row_block_create(ROWS, akin_vectors_dim(vectors), 0,
                                                    AKIN_ROW_BLOCK_COLUMNS, &some)));
    AKIN_TRY(akin_row_search_begin(comm, &alone, &rows, &found));
    compare_all(&s, &alone, found, some);
    status = akin_row_search_end(found, lists);
done:
    akin_row_search_free(found);
    akin_row_block_free(some);
    return status;
}

akin_status akin_list_search_again(akin_comm *comm, const akin_vectors *vectors,
                                   akin_list_search_rounds *r, size_t *sought) {
    akin_status status = AKIN_OK;
    size_t others = akin_vectors_items(vectors) - 1;
    for (*sought = 0;;) {
        int64_t most = (int64_t)r->count, sum = most;
        akin_comm_max_i64(comm, &most, 1);
        akin_comm_sum_i64(comm, &sum, 1);
        if (most == 0) return AKIN_OK;
        if (*sought == 0) *sought = (size_t)sum;
        r->width = GROWTH * r->width < others ? GROWTH * r->width : others;
        size_t batch = akin_list_search_batch(comm, r->width), kept = 0;
        if (r->share > 1) batch = batch / r->share + 1;
        for (size_t done = 0; done < (size_t)most; done += batch) {
            size_t first = done < r->count ? done : r->count, rest = r->count - first;
            AKIN_TRY(r->some(r->context, r->width, first, rest < batch ? rest : batch, &kept));
            if (r->progress)
                akin_log_progress("neighbors", r->progress, (double)first, (double)most);
        }
        r->count = kept;
    }
done:
    return status;
}
