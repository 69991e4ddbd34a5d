/* product_duplicates: finds products that look the same. */
#include "product_duplicates.h"
#include "duplicates.h"
#include <akin/mem.h>
#include <akin/topk.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    akin_comm *comm;
    const akin_product_duplicates_source *from;
    akin_row_block_rules rules; /* what may meet in the comparison, in both directions */
    akin_row_rules more;
    uint64_t *blocks; /* those of the rules, in both directions; NULL: as they are */
    uint64_t *rows;   /* [count of the vectors' shard, width]: the lists of rows */
    size_t width, first, count;
    uint64_t *lists; /* [count, pool]: those of products */
    size_t pool;
    int32_t *begin, *items; /* of each product, see akin_products_items */
} work;

/* --- rules --- */

/* Sources and targets of the comparison of means, either of which may be in the other's list. */
static const uint8_t either_side[4] = {0, 1, 1, 0}, any_side[4] = {1, 1, 1, 1};

static int ascending(const void *x, const void *y) {
    const uint64_t *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

/* A block of the row of a product as a source and that of another as a target also holds for the other
 * two rows of these. */
static akin_status turn_blocks(work *w) {
    const akin_row_rules *given = w->from->rules->more;
    const uint64_t rows = w->from->products->count;
    w->blocks = akin_mem_alloc(2 * given->block_count, sizeof *w->blocks);
    if (!w->blocks) return AKIN_FAILED;
    for (size_t b = 0; b < given->block_count; b++) {
        uint64_t source = given->blocks[b] >> 32, target = given->blocks[b] & UINT32_MAX;
        w->blocks[2 * b] = given->blocks[b];
        w->blocks[2 * b + 1] = (target - rows) << 32 | (source + rows);
    }
    qsort(w->blocks, 2 * given->block_count, sizeof *w->blocks, ascending);
    w->more.blocks = w->blocks, w->more.block_count = 2 * given->block_count;
    return AKIN_OK;
}

static akin_status make_rules(work *w) {
    w->rules = *w->from->rules, w->more = *w->rules.more;
    w->rules.more = &w->more;
    w->rules.layers = 0, w->rules.again = false;
    w->more.both = true, w->more.offset = NULL;
    if (w->rules.min_score < w->from->least) w->rules.min_score = w->from->least;
    if (!w->from->mean) return AKIN_OK;
    w->more.limits = NULL;
    w->more.rule[0].allowed = either_side; /* item_rules.c puts the sides first */
    return turn_blocks(w);
}

/* --- lists --- */

static akin_status make_room(work *w) {
    w->lists = akin_mem_zalloc(w->count, w->pool * sizeof *w->lists);
    return w->lists ? AKIN_OK : AKIN_FAILED;
}

/* Of the best pairs of pictures that take part. Collective; agreed. */
static akin_status list_best(work *w) {
    akin_status status;
    const akin_vectors *pictures = w->from->vectors;
    const akin_products *products = w->from->products;
    akin_product_lists joined = {0};
    for (size_t i = 0; i < akin_vectors_count(pictures); i++)
        if (!akin_duplicates_takes(pictures, &w->rules, i))
            memset(w->rows + i * w->width, 0, w->width * sizeof *w->rows);
    const akin_product_item_lists from = {
        .lists = w->rows, .width = w->width, .count = akin_vectors_count(pictures)};
    AKIN_TRY(akin_products_join(w->comm, pictures, products, &from, w->pool, &joined));
    w->first = joined.first, w->count = joined.count;
    akin_status local = make_room(w);
    if (local == AKIN_OK) local = akin_products_items(products, &w->begin, &w->items);
    AKIN_TRY(akin_agree(w->comm, local));
    for (size_t p = 0; p < w->count; p++)
        for (size_t e = p * w->pool; e < p * w->pool + (size_t)joined.held[p]; e++)
            w->lists[e] = akin_topk_key(joined.place[e], joined.neighbor[e]);
done:
    akin_product_lists_release(&joined);
    return status;
}

/* Of the rows of products as sources, which list those as targets; without the product itself. Collective;
 * agreed. */
static akin_status list_means(work *w) {
    const akin_vectors *means = w->from->vectors;
    const size_t rows = w->from->products->count, start = akin_vectors_first(means);
    w->count = akin_vectors_own_sources(means);
    w->first = start < rows ? start : rows;
    akin_status local = make_room(w);
    for (size_t p = 0; p < w->count && local == AKIN_OK; p++) {
        uint64_t *to = w->lists + p * w->pool;
        size_t held = 0;
        for (size_t e = p * w->width; e < (p + 1) * w->width && w->rows[e] != 0; e++) {
            size_t other = (size_t)akin_topk_row(w->rows[e]) - rows;
            if (other != w->first + p && held < w->pool)
                to[held++] = akin_topk_key(akin_topk_score(w->rows[e]), (int32_t)other);
        }
    }
    w->more.rule[0].allowed = any_side; /* from here on, rows are compared as products */
    return akin_agree(w->comm, local);
}

/* --- all --- */

akin_status akin_product_duplicates_find(akin_comm *comm,
                                         const akin_product_duplicates_source *from,
                                         const akin_first_pass_checkpoint *checkpoint,
                                         int32_t **duplicate_of, akin_allpairs_figures *figures) {
    akin_status status;
    work w = {.comm = comm, .from = from, .pool = from->pool};
    const size_t need = from->pool + from->mean; /* a mean may be close to itself */
    *duplicate_of = NULL;
    AKIN_TRY(akin_agree(comm, make_rules(&w)));
    w.width = akin_allpairs_list(akin_vectors_items(from->vectors), need);
    AKIN_TRY(akin_first_pass(comm, from->vectors, &w.rules, need, checkpoint, &w.rows, figures));
    w.rules.layers = 0, w.rules.again = false; /* from a comparison that was resumed */
    AKIN_TRY(from->mean ? list_means(&w) : list_best(&w));
    const akin_duplicates_source found = {.vectors = from->vectors,
                                          .rules = &w.rules,
                                          .least = from->least,
                                          .n = from->products->count,
                                          .first = w.first,
                                          .count = w.count,
                                          .begin = w.begin,
                                          .ahead = from->mean ? from->products->count : 0,
                                          .lists = w.lists,
                                          .pool = w.pool};
    status = akin_duplicates_find(comm, &found, duplicate_of);
done:
    akin_mem_free(w.blocks);
    akin_mem_free(w.rows);
    akin_mem_free(w.lists);
    akin_mem_free(w.begin);
    akin_mem_free(w.items);
    return status;
}
