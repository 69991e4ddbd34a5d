/* product_diversity: maximal marginal relevance between products. */
#include "product_diversity.h"
#include "diversity.h"
#include "remote_rows.h"
#include <akin/mem.h>
#include <akin/topk.h>
#include <string.h>

enum { AT_ONCE_MIB = 64 };

typedef struct {
    const akin_products *products;
    double lambda;
    size_t k, pool;
    const akin_product_lists *from;
    akin_product_lists *out;
    int32_t *first, *items; /* of each product, see akin_products_items */
    akin_remote_rows *fetch;
    int32_t *wanted;
    size_t wanted_room; /* pictures at a time, and one list more */
    uint64_t *keys;     /* [pool] */
    size_t *rows;       /* [pool + 1]: where each candidate's pictures begin */
    akin_diversity_room room;
} work;

/* Appends the usable pictures of a list's entries; returns how many there are. wanted NULL: only counts. */
static size_t list_pictures(const work *w, size_t list, int32_t *wanted, size_t *begins) {
    size_t count = 0;
    for (size_t e = 0; e < (size_t)w->from->held[list]; e++) {
        int32_t product = w->from->neighbor[list * w->pool + e];
        if (begins) begins[e] = count;
        for (int32_t i = w->first[product]; i < w->first[product + 1]; i++) {
            if (!w->products->usable[w->items[i]]) continue;
            if (wanted) wanted[count] = w->items[i];
            count++;
        }
    }
    if (begins) begins[w->from->held[list]] = count;
    return count;
}

static akin_status begin(akin_comm *comm, const akin_vectors *pictures, work *w) {
    size_t most = 1;
    if (akin_products_items(w->products, &w->first, &w->items) != AKIN_OK ||
        akin_remote_rows_create(comm, pictures, &w->fetch) != AKIN_OK)
        return AKIN_FAILED;
    for (size_t p = 0; p < w->from->count; p++) {
        size_t count = list_pictures(w, p, NULL, NULL);
        if (count > most) most = count;
    }
    w->wanted_room = akin_remote_rows_most(w->fetch, AT_ONCE_MIB) + most;
    w->wanted = akin_mem_alloc(w->wanted_room, sizeof *w->wanted);
    w->keys = akin_mem_alloc(w->pool, sizeof *w->keys);
    w->rows = akin_mem_alloc(w->pool + 1, sizeof *w->rows);
    akin_status status =
        akin_diversity_room_make(&w->room, w->pool, most, akin_remote_rows_stride(w->fetch));
    w->room.first = w->rows;
    return w->wanted && w->keys && w->rows ? status : AKIN_FAILED;
}

/* Appends the candidate with this key to the new list. */
static void append(const work *w, size_t list, uint64_t key) {
    size_t e = list * w->pool;
    while (w->from->neighbor[e] != akin_topk_row(key)) e++;
    const akin_product_offer chosen = {key, (int32_t)(w->from->first + list), w->from->picture[e],
                                       w->from->other[e], w->from->score[e]};
    akin_product_lists_append(w->out, w->k, &chosen);
}

static void pick(const work *w, size_t list) {
    size_t held = (size_t)w->from->held[list], count = list_pictures(w, list, w->wanted, w->rows);
    for (size_t r = 0; r < count; r++)
        memcpy(w->room.rows + r * w->room.stride, akin_remote_rows_get(w->fetch, w->wanted[r]),
               w->room.stride * sizeof *w->room.rows);
    for (size_t e = 0; e < held; e++)
        w->keys[e] = akin_topk_key(w->from->place[list * w->pool + e],
                                   w->from->neighbor[list * w->pool + e]);
    akin_diversity_pick(w->lambda, w->k, w->keys, held, &w->room);
    for (size_t e = 0; e < held && e < w->k; e++) append(w, list, w->keys[e]);
}

/* Collective; agreed. */
static akin_status pick_all(akin_comm *comm, const work *w) {
    size_t done = 0, count = w->from->count;
    for (int64_t more = 1; more;) {
        size_t end = done, wanted = 0;
        while (end < count && wanted + list_pictures(w, end, NULL, NULL) <= w->wanted_room)
            wanted += list_pictures(w, end++, w->wanted + wanted, NULL);
        akin_status status = akin_remote_rows_bring(w->fetch, w->wanted, wanted);
        if (status != AKIN_OK) return status;
        for (; done < end; done++) pick(w, done);
        more = done < count;
        akin_comm_max_i64(comm, &more, 1);
    }
    return AKIN_OK;
}

akin_status akin_product_diversity(akin_comm *comm, const akin_vectors *pictures,
                                   const akin_products *products, double lambda, size_t k,
                                   size_t pool, akin_product_lists *lists) {
    akin_status status;
    akin_product_lists chosen = {0};
    work w = {.products = products,
              .lambda = lambda,
              .k = k,
              .pool = pool,
              .from = lists,
              .out = &chosen};
    AKIN_TRY(akin_product_lists_create(comm, products, k, &chosen));
    AKIN_TRY(akin_agree(comm, begin(comm, pictures, &w)));
    AKIN_TRY(pick_all(comm, &w));
    akin_product_lists_release(lists);
    *lists = chosen, chosen = (akin_product_lists){0};
done:
    akin_product_lists_release(&chosen);
    akin_remote_rows_free(w.fetch);
    akin_mem_free(w.first);
    akin_mem_free(w.items);
    akin_mem_free(w.wanted);
    akin_mem_free(w.keys);
    akin_mem_free(w.rows);
    akin_diversity_room_release(&w.room);
    return status;
}
