/* duplicates_collapse: removes duplicates from lists. */
#include "duplicates.h"
#include "list_search.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/topk.h>
#include <stdbool.h>
#include <string.h>

typedef struct {
    akin_comm *comm;
    const akin_vectors *vectors;
    const akin_row_block_rules *rules;
    const int32_t *of;  /* [n] */
    size_t pool, width; /* width: of the lists searched, which can include the kept twin */
    uint64_t *lists;
    size_t *poor; /* [poor_count] items of this rank that are searched again */
    size_t poor_count;
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

/* Filters all lists and collects those to be searched again. */
static akin_status filter_all(collapse *c, size_t need) {
    size_t count = akin_vectors_count(c->vectors);
    bool whole = c->pool >= akin_vectors_items(c->vectors) - 1; /* a list has room for all others */
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

/* Searches for this rank's poor items [first, first + count), together with those of all other
 * ranks; found: room for their lists. Collective; agreed. */
static akin_status seek_round(const collapse *c, size_t first, size_t count, uint64_t *found) {
    const akin_list_search_wanted wanted = {c->poor + first, count, c->width, c->of};
    akin_status status = akin_list_search(c->comm, c->vectors, c->rules, &wanted, found);
    for (size_t i = 0; i < count && status == AKIN_OK; i++) {
        uint64_t *best = found + i * c->width;
        (void)filter(c, c->poor[first + i], best, c->width);
        memcpy(c->lists + c->poor[first + i] * c->pool, best, c->pool * sizeof *best);
    }
    return status;
}

/* Collective; agreed. */
static akin_status seek(const collapse *c, size_t *sought) {
    akin_status status;
    int64_t most = (int64_t)c->poor_count, sum = most;
    uint64_t *found = NULL;
    akin_comm_max_i64(c->comm, &most, 1);
    akin_comm_sum_i64(c->comm, &sum, 1);
    *sought = (size_t)sum;
    if (most == 0) return AKIN_OK;
    size_t batch = akin_list_search_batch(c->comm, c->width);
    found = akin_mem_alloc(batch, c->width * sizeof *found);
    AKIN_TRY(akin_agree(c->comm, found ? AKIN_OK : AKIN_FAILED));
    for (size_t done = 0; done < (size_t)most; done += batch) {
        size_t first = done < c->poor_count ? done : c->poor_count, rest = c->poor_count - first;
        AKIN_TRY(seek_round(c, first, rest < batch ? rest : batch, found));
        size_t shown = done + batch < (size_t)most ? done + batch : (size_t)most;
        akin_log_progress("duplicates", "lists of rank 0", (double)shown, (double)most);
    }
done:
    akin_mem_free(found);
    akin_log_progress_end();
    return status;
}

akin_status akin_duplicates_collapse(akin_comm *comm, const akin_vectors *vectors,
                                     const akin_row_block_rules *rules, const int32_t *duplicate_of,
                                     const akin_duplicates_lists *lists, size_t *sought) {
    akin_status status;
    collapse c = {.comm = comm,
                  .vectors = vectors,
                  .rules = rules,
                  .of = duplicate_of,
                  .pool = lists->pool,
                  .width = lists->pool + 1,
                  .lists = lists->keys};
    AKIN_TRY(akin_agree(comm, filter_all(&c, lists->need)));
    AKIN_TRY(seek(&c, sought));
done:
    akin_mem_free(c.poor);
    return status;
}
