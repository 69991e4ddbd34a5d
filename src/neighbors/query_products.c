/* query_products: the neighbours of one product by the best pairs of pictures. */
#include "query_products.h"
#include "list_search.h"
#include "product_limits.h"
#include "product_pins.h"
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/text.h>
#include <akin/topk.h>
#include <string.h>

akin_status akin_query_products_find(const char *path, const char *name,
                                     const akin_products *products, bool target, size_t *number) {
    const akin_product_span side = target ? products->targets : products->sources;
    const char *names[2] = {name, name}, *nearest = NULL; /* a source and a target */
    int64_t found[2];
    size_t count = side.count;
    akin_products_named(products, names, 2, found);
    if (found[target] >= 0) {
        *number = (size_t)found[target];
        return AKIN_OK;
    }
    const char **all = akin_mem_alloc(count + 1, sizeof *all);
    if (!all) return AKIN_FAILED;
    for (size_t p = 0; p < count; p++) all[p] = products->names[side.first + p].name;
    all[count] = NULL;
    nearest = akin_text_nearest(name, all);
    if (nearest && !akin_text_is_near(name, nearest, 3)) nearest = NULL;
    akin_mem_free(all);
    return akin_error_set(AKIN_INPUT,
                          nearest
                              ? "%s has no product '%s'; did you mean '%s'?"
                              : "%s has no product '%s': give the name of a group, or the id of "
                                "an item without one",
                          path, name, nearest);
}

typedef struct {
    akin_comm *comm;
    const akin_query_rows *rows;
    const akin_query_rules *rules;
    size_t number, k, width;
    size_t *items; /* [count]: this rank's pictures of the product */
    size_t count;
    uint64_t *lists; /* [count, width] */
} asking;

static akin_status begin(asking *a) {
    const akin_vectors *v = a->rows->vectors;
    const int32_t *of = a->rows->products.of_item + akin_vectors_first(v);
    size_t others = akin_vectors_items(v) - 1;
    a->width = a->k < others ? a->k : others > 0 ? others : 1;
    a->items = akin_mem_alloc(akin_vectors_count(v), sizeof *a->items);
    if (!a->items) return AKIN_FAILED;
    for (size_t i = 0; i < akin_vectors_count(v); i++)
        if (akin_vectors_usable(v, i) && (size_t)of[i] == a->number) a->items[a->count++] = i;
    a->lists = akin_mem_zalloc(a->count, a->width * sizeof *a->lists);
    return a->lists ? AKIN_OK : AKIN_FAILED;
}

/* The lists of the pictures; none if the product is not to have neighbours. Collective; agreed. */
static akin_status search(const asking *a) {
    const akin_item_blocks *blocks = akin_item_rules_blocks(a->rules->more);
    const akin_list_search_wanted wanted = {a->items, a->count, a->width, NULL};
    if (akin_item_blocks_alone(blocks, a->rows->products.first_item[a->number])) return AKIN_OK;
    return akin_list_search(a->comm, a->rows->vectors, &a->rules->rows, &wanted, a->lists);
}

/* *pinned: of each list, owned; NULL: no pins. Collective; agreed. */
static akin_status make_list(const asking *a, akin_product_lists *out, int32_t **pinned) {
    akin_status status;
    size_t sought;
    *pinned = NULL;
    const akin_product_limits_source source = {.vectors = a->rows->vectors,
                                               .products = &a->rows->products,
                                               .rules = &a->rules->rows,
                                               .item_rules = a->rules->more,
                                               .pins = a->rules->pins,
                                               .lists = a->lists,
                                               .items = a->items,
                                               .count = a->count,
                                               .stride = a->width,
                                               .pool = a->width};
    AKIN_TRY(akin_product_limits_keep(a->comm, &source, a->k, out, &sought));
    if (a->rules->pins)
        status = akin_product_pins_put(a->comm, a->rows->vectors, &a->rows->products,
                                       a->rules->pins, a->k, out, pinned);
done:
    return status;
}

/* The list of its rank becomes the answer of rank 0. Collective; agreed. */
static akin_status answer(const asking *a, const akin_product_lists *lists, akin_answer **out) {
    akin_status status, local = AKIN_OK;
    const akin_products *products = &a->rows->products;
    const akin_product_span listed = products->listed;
    int owner = akin_shard_owner(listed.count, akin_comm_size(a->comm), a->number - listed.first);
    size_t at = (a->number - lists->first) * a->k;
    int32_t held = 0, *neighbor = akin_mem_alloc(a->k, sizeof *neighbor);
    float *score = akin_mem_alloc(a->k, sizeof *score);
    const char **names = akin_mem_alloc(a->k, sizeof *names);
    AKIN_TRY(akin_agree(a->comm, neighbor && score && names ? AKIN_OK : AKIN_FAILED));
    if (akin_comm_rank(a->comm) == owner) {
        held = lists->held[a->number - lists->first];
        memcpy(neighbor, lists->neighbor + at, a->k * sizeof *neighbor);
        memcpy(score, lists->score + at, a->k * sizeof *score);
    }
    akin_comm_broadcast(a->comm, &held, sizeof held, owner);
    akin_comm_broadcast(a->comm, neighbor, a->k * sizeof *neighbor, owner);
    akin_comm_broadcast(a->comm, score, a->k * sizeof *score, owner);
    for (int32_t e = 0; e < held; e++) names[e] = products->names[neighbor[e]].name;
    if (akin_comm_rank(a->comm) == 0)
        local = akin_query_answer_create(products->targets.count, names, score, (size_t)held, out);
    AKIN_TRY(akin_agree(a->comm, local));
done:
    akin_mem_free(neighbor);
    akin_mem_free(score);
    akin_mem_free(names);
    return status;
}

/* Collective; agreed. */
static akin_status ask(asking *a, akin_product_lists *lists, int32_t **pinned) {
    akin_status status;
    AKIN_TRY(akin_agree(a->comm, begin(a)));
    AKIN_TRY(search(a));
    status = make_list(a, lists, pinned);
done:
    akin_mem_free(a->items);
    akin_mem_free(a->lists);
    return status;
}

akin_status akin_query_products_answer(akin_comm *comm, const akin_query_rows *rows,
                                       const akin_query_rules *rules, size_t number, size_t k,
                                       akin_answer **out) {
    asking a = {.comm = comm, .rows = rows, .rules = rules, .number = number, .k = k};
    akin_product_lists lists = {0};
    int32_t *pinned = NULL;
    akin_status status = ask(&a, &lists, &pinned);
    if (status == AKIN_OK) status = answer(&a, &lists, out);
    akin_product_lists_release(&lists);
    akin_mem_free(pinned);
    return status;
}

akin_status akin_query_products_list(akin_comm *comm, const akin_query_rows *rows,
                                     const akin_query_rules *rules, size_t number, size_t k,
                                     uint64_t *list, size_t *pinned) {
    akin_status status;
    asking a = {.comm = comm, .rows = rows, .rules = rules, .number = number, .k = k};
    akin_product_lists lists = {0};
    int32_t *pins = NULL;
    const akin_product_span listed = rows->products.listed;
    int owner = akin_shard_owner(listed.count, akin_comm_size(comm), number - listed.first);
    AKIN_TRY(ask(&a, &lists, &pins));
    size_t own = number - lists.first;
    *pinned = 0;
    memset(list, 0, k * sizeof *list);
    if (akin_comm_rank(comm) == owner) {
        if (pins) *pinned = (size_t)pins[own];
        for (size_t e = own * k; e < own * k + (size_t)lists.held[own]; e++)
            list[e - own * k] = akin_topk_key(lists.place[e], lists.neighbor[e]);
    }
    akin_comm_broadcast(comm, pinned, sizeof *pinned, owner);
    akin_comm_broadcast(comm, list, k * sizeof *list, owner);
done:
    akin_product_lists_release(&lists);
    akin_mem_free(pins);
    return status;
}

/* --- two products --- */

typedef struct {
    uint64_t key; /* the score, and the other product's picture */
    int32_t picture;
} picture_pair;

/* The best of all ranks' pairs. Collective; agreed. */
static akin_status choose_pair(akin_comm *comm, const picture_pair *mine, int32_t pair[2]) {
    picture_pair *all = NULL, best = {0, -1};
    akin_status status = akin_comm_gather(comm, mine, sizeof *mine, -1, (void **)&all, NULL);
    for (int r = 0; r < akin_comm_size(comm) && status == AKIN_OK; r++)
        if (all[r].key != 0 &&
            (best.key == 0 || akin_topk_score(all[r].key) > akin_topk_score(best.key)))
            best = all[r]; /* of equal ones that with the first picture */
    akin_mem_free(all);
    pair[0] = best.picture, pair[1] = best.key ? akin_topk_row(best.key) : -1;
    return status;
}

akin_status akin_query_products_pair(akin_comm *comm, const akin_vectors *pictures,
                                     const akin_products *products,
                                     const akin_row_block_rules *rules, const size_t number[2],
                                     int32_t pair[2]) {
    akin_status status;
    const size_t first = akin_vectors_first(pictures), count = akin_vectors_count(pictures);
    akin_row_block_rules plain = *rules;
    akin_row_rules more;
    picture_pair best = {0, -1};
    size_t asked = 0, *items = akin_mem_alloc(count, sizeof *items);
    int32_t *others = akin_mem_alloc(products->items, sizeof *others);
    uint64_t *lists = akin_mem_zalloc(count, sizeof *lists);
    if (plain.more) {
        more = *plain.more, more.limits = NULL, more.offset = NULL;
        plain.more = &more;
    }
    AKIN_TRY(akin_agree(comm, items && others && lists ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < products->items; i++) /* only rows with -1 are found */
        others[i] = (size_t)products->of_item[i] == number[1] ? -1 : 0;
    for (size_t i = 0; i < count; i++)
        if ((size_t)products->of_item[first + i] == number[0] && akin_vectors_usable(pictures, i))
            items[asked++] = i;
    const akin_list_search_wanted wanted = {items, asked, 1, others};
    AKIN_TRY(akin_list_search(comm, pictures, &plain, &wanted, lists));
    for (size_t i = 0; i < asked; i++)
        if (lists[i] != 0 &&
            (best.key == 0 || akin_topk_score(lists[i]) > akin_topk_score(best.key)))
            best = (picture_pair){lists[i], (int32_t)(first + items[i])};
    status = choose_pair(comm, &best, pair);
done:
    akin_mem_free(items);
    akin_mem_free(others);
    akin_mem_free(lists);
    return status;
}

/* --- a new picture --- */

/* Keeps the best picture of each product in front; returns how many. Pictures are in the order of
 * products, so products with the same score are too. */
static size_t keep_best(const akin_products *products, uint64_t *list, size_t width) {
    size_t held = 0;
    for (size_t e = 0; e < width && list[e] != 0; e++) {
        int32_t own = products->of_item[akin_topk_row(list[e])];
        bool known = false;
        for (size_t h = 0; h < held && !known; h++)
            known = products->of_item[akin_topk_row(list[h])] == own;
        if (!known) list[held++] = list[e];
    }
    return held;
}

/* Of the best pictures in front the first k whose products exceed no limit; scratch [width]. */
static size_t keep_products(const akin_products *products, akin_item_limits *limits, uint64_t *list,
                            size_t width, size_t k, uint64_t *scratch) {
    size_t held = keep_best(products, list, width), taken = 0;
    if (!limits) return held < k ? held : k;
    for (size_t e = 0; e < held; e++)
        scratch[e] =
            akin_topk_key(akin_topk_score(list[e]), products->of_item[akin_topk_row(list[e])]);
    size_t count = akin_item_limits_take(limits, NULL, 0, scratch, held, k);
    for (size_t e = 0; taken < count; e++)
        if (products->of_item[akin_topk_row(list[e])] == akin_topk_row(scratch[taken]))
            list[taken++] = list[e];
    return count;
}

/* Makes the list longer until k products are in it. *list: owned. Collective; agreed. */
static akin_status list_products(akin_comm *comm, const akin_query_rows *rows,
                                 const akin_query_rules *rules, const akin_query_asker *who,
                                 size_t k, uint64_t **list, size_t *held) {
    enum { GROWTH = 4 };
    akin_status status;
    size_t n = akin_vectors_items(rows->vectors), most = n < AKIN_TOPK_MAX ? n : AKIN_TOPK_MAX,
           pinned;
    akin_item_limits *limits = rules->more ? akin_item_rules_product_limits(rules->more) : NULL;
    uint64_t *scratch = akin_mem_alloc(most, sizeof *scratch);
    AKIN_TRY(akin_agree(comm, scratch ? AKIN_OK : AKIN_FAILED));
    for (size_t width = k < most ? k : most;;
         width = GROWTH * width < most ? GROWTH * width : most) {
        akin_mem_free(*list);
        *list = akin_mem_zalloc(width, sizeof **list);
        AKIN_TRY(akin_agree(comm, *list ? AKIN_OK : AKIN_FAILED));
        AKIN_TRY(akin_query_rules_list(comm, rules, rows->vectors, who, width, *list, &pinned));
        bool whole = width == most || (*list)[width - 1] == 0;
        *held = keep_products(&rows->products, limits, *list, width, k, scratch);
        if (*held == k || whole) break;
    }
done:
    akin_mem_free(scratch);
    return status;
}

akin_status akin_query_products_near(akin_comm *comm, const akin_query_rows *rows,
                                     const akin_query_rules *rules, const akin_query_asker *who,
                                     size_t k, akin_answer **out) {
    akin_status status, local = AKIN_OK;
    const akin_products *products = &rows->products;
    uint64_t *list = NULL;
    size_t held = 0;
    float *score = akin_mem_alloc(k, sizeof *score);
    const char **names = akin_mem_alloc(k, sizeof *names);
    AKIN_TRY(akin_agree(comm, score && names ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(list_products(comm, rows, rules, who, k, &list, &held));
    if (rules->more && akin_item_rules_boosted(rules->more))
        AKIN_TRY(akin_query_rules_cosines(comm, rows->vectors, who, list, held));
    for (size_t e = 0; e < held; e++) {
        names[e] = products->names[products->of_item[akin_topk_row(list[e])]].name;
        score[e] = akin_topk_score(list[e]);
    }
    if (akin_comm_rank(comm) == 0)
        local = akin_query_answer_create(products->targets.count, names, score, held, out);
    AKIN_TRY(akin_agree(comm, local));
done:
    akin_mem_free(list);
    akin_mem_free(score);
    akin_mem_free(names);
    return status;
}
