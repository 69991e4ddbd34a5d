/* products: lists between products. */
#include "products.h"
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/topk.h>
#include <stdlib.h>
#include <string.h>

/* --- which products there are --- */

typedef struct {
    int32_t group, category, available;
} facts;

typedef struct {
    const char *name;
    int32_t group, item; /* one of them is -1 */
} named;

/* What is known of all items, on every rank. */
typedef struct {
    size_t items;
    facts *all; /* [items] */
    char *ids;  /* of those without a group, one after the other */
    named *names;
    size_t count;
} survey;

static int by_name(const void *a, const void *b) {
    return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

/* Collective; agreed. */
static akin_status gather(akin_comm *comm, const akin_vectors *vectors, survey *s) {
    akin_status status;
    akin_labels *labels = akin_vectors_labels(vectors);
    size_t count = akin_vectors_count(vectors), length = 0;
    facts *mine = akin_mem_alloc(count, sizeof *mine);
    char *ids = akin_mem_alloc(count, akin_labels_id_length(labels) + 1);
    AKIN_TRY(akin_agree(comm, mine && ids ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < count; i++) {
        mine[i] = (facts){akin_labels_group(labels)[i], akin_labels_category(labels)[i],
                          akin_labels_available(labels)[i]};
        if (mine[i].group >= 0) continue;
        const char *id = akin_labels_id(labels, i);
        memcpy(ids + length, id, strlen(id) + 1);
        length += strlen(id) + 1;
    }
    s->items = akin_vectors_items(vectors);
    AKIN_TRY(akin_comm_gather(comm, mine, count * sizeof *mine, -1, (void **)&s->all, NULL));
    AKIN_TRY(akin_comm_gather(comm, ids, length, -1, (void **)&s->ids, NULL));
done:
    akin_mem_free(mine);
    akin_mem_free(ids);
    return status;
}

/* The names of products, ascending. Not collective; the same on all ranks. */
static akin_status name_products(const akin_vectors *vectors, survey *s) {
    const akin_labels *labels = akin_vectors_labels(vectors);
    size_t groups = akin_labels_group_count(labels), alone = 0;
    const char *id = s->ids;
    for (size_t i = 0; i < s->items; i++) alone += s->all[i].group < 0;
    s->names = akin_mem_alloc(groups + alone, sizeof *s->names);
    uint8_t *used = akin_mem_zalloc(groups, 1);
    if (!s->names || !used) {
        akin_mem_free(used);
        return AKIN_FAILED;
    }
    for (size_t i = 0; i < s->items; i++) {
        int32_t group = s->all[i].group;
        if (group < 0) {
            s->names[s->count++] = (named){id, -1, (int32_t)i};
            id += strlen(id) + 1;
        } else if (!used[group]) {
            used[group] = 1;
            s->names[s->count++] = (named){akin_labels_group_name(labels, group), group, -1};
        }
    }
    akin_mem_free(used);
    qsort(s->names, s->count, sizeof *s->names, by_name);
    for (size_t p = 1; p < s->count; p++)
        if (strcmp(s->names[p - 1].name, s->names[p].name) == 0)
            return akin_error_set(AKIN_INPUT,
                                  "--by group: the item \"%s\" has no group, and a group has its "
                                  "id for a name: give it a group",
                                  s->names[p].name);
    return AKIN_OK;
}

static akin_status assign(const akin_vectors *vectors, const survey *s, akin_products *out) {
    size_t groups = akin_labels_group_count(akin_vectors_labels(vectors));
    int32_t *of_group = akin_mem_alloc(groups, sizeof *of_group);
    out->of_item = akin_mem_alloc(s->items, sizeof *out->of_item);
    if (!of_group || !out->of_item) {
        akin_mem_free(of_group);
        return AKIN_FAILED;
    }
    for (size_t p = 0; p < s->count; p++)
        if (s->names[p].group >= 0)
            of_group[s->names[p].group] = (int32_t)p;
        else
            out->of_item[s->names[p].item] = (int32_t)p;
    for (size_t i = 0; i < s->items; i++)
        if (s->all[i].group >= 0) out->of_item[i] = of_group[s->all[i].group];
    akin_mem_free(of_group);
    return AKIN_OK;
}

/* Of this rank's shard of the products. */
static akin_status label(const akin_vectors *vectors, const survey *s, size_t count,
                         akin_products *out) {
    akin_status status;
    size_t longest = 1;
    for (size_t p = 0; p < s->count; p++)
        if (strlen(s->names[p].name) > longest) longest = strlen(s->names[p].name);
    AKIN_TRY(akin_labels_create(count, longest, &out->labels));
    AKIN_TRY(akin_labels_copy_names(out->labels, akin_vectors_labels(vectors)));
    for (size_t p = 0; p < count; p++) {
        const named *name = &s->names[out->first + p];
        AKIN_TRY(akin_labels_set_id(out->labels, p, name->name));
        akin_labels_group(out->labels)[p] = name->group;
        akin_labels_available(out->labels)[p] = 0;
    }
    for (size_t i = s->items; i-- > 0;) { /* from the last, so that the first one remains */
        size_t p = (size_t)out->of_item[i] - out->first;
        if (p >= count) continue;
        akin_labels_category(out->labels)[p] = s->all[i].category;
        akin_labels_available(out->labels)[p] |= (int8_t)s->all[i].available;
    }
done:
    return status;
}

akin_status akin_products_find(akin_comm *comm, const akin_vectors *vectors, akin_products *out) {
    akin_status status;
    survey s = {0};
    *out = (akin_products){0};
    AKIN_TRY(gather(comm, vectors, &s));
    akin_status local = name_products(vectors, &s);
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    out->count = s.count, out->first = akin_shard_first(s.count, size, rank);
    if (local == AKIN_OK) local = assign(vectors, &s, out);
    if (local == AKIN_OK) local = label(vectors, &s, akin_shard_count(s.count, size, rank), out);
    AKIN_TRY(akin_agree(comm, local));
done:
    akin_mem_free(s.all);
    akin_mem_free(s.ids);
    akin_mem_free(s.names);
    return status;
}

void akin_products_release(akin_products *products) {
    akin_mem_free(products->of_item);
    akin_labels_free(products->labels);
    akin_mem_free(products->neighbor);
    akin_mem_free(products->score);
    akin_mem_free(products->held);
    akin_mem_free(products->picture);
    akin_mem_free(products->other);
}

/* --- their lists --- */

/* A picture of one product and what its list holds. */
typedef struct {
    uint64_t key; /* score and product, as in topk.h */
    int32_t product, picture, other;
} offer;

static int by_products(const void *left, const void *right) {
    const offer *a = left, *b = right;
    if (a->product != b->product) return a->product < b->product ? -1 : 1;
    int32_t x = akin_topk_row(a->key), y = akin_topk_row(b->key);
    if (x != y) return x < y ? -1 : 1;
    if (a->key != b->key) return a->key > b->key ? -1 : 1;
    if (a->picture != b->picture) return a->picture < b->picture ? -1 : 1;
    return (a->other > b->other) - (a->other < b->other);
}

static int by_score(const void *left, const void *right) {
    const offer *a = left, *b = right;
    if (a->product != b->product) return a->product < b->product ? -1 : 1;
    return (a->key < b->key) - (a->key > b->key);
}

/* What this rank's lists offer, in the order of the ranks that have the products. */
static akin_status make_offers(const akin_comm *comm, const akin_vectors *vectors,
                               const akin_products *products, const uint64_t *lists, size_t width,
                               offer **out, size_t *counts /* [size] */) {
    int size = akin_comm_size(comm);
    size_t n = akin_vectors_count(vectors), first = akin_vectors_first(vectors), at = 0;
    offer *offers = *out = akin_mem_alloc(n * width, sizeof *offers);
    if (!offers) return AKIN_FAILED;
    for (size_t i = 0; i < n; i++)
        for (size_t e = 0; e < width && lists[i * width + e] != 0; e++) {
            uint64_t key = lists[i * width + e];
            int32_t row = akin_topk_row(key);
            offers[at++] = (offer){akin_topk_key(akin_topk_score(key), products->of_item[row]),
                                   products->of_item[first + i], (int32_t)(first + i), row};
        }
    qsort(offers, at, sizeof *offers, by_products);
    memset(counts, 0, (size_t)size * sizeof *counts);
    for (size_t o = 0, r = 0; o < at; o++) { /* products ascend, and so do their ranks */
        while ((size_t)offers[o].product >= akin_shard_first(products->count, size, (int)r) +
                                                akin_shard_count(products->count, size, (int)r))
            r++;
        counts[r]++;
    }
    return AKIN_OK;
}

/* Of each pair of products the best one is kept. Returns how many. */
static size_t keep_best(offer *offers, size_t count) {
    size_t kept = 0;
    qsort(offers, count, sizeof *offers, by_products);
    for (size_t o = 0; o < count; o++) {
        bool again = kept > 0 && offers[kept - 1].product == offers[o].product &&
                     akin_topk_row(offers[kept - 1].key) == akin_topk_row(offers[o].key);
        if (!again) offers[kept++] = offers[o];
    }
    qsort(offers, kept, sizeof *offers, by_score);
    return kept;
}

static akin_status make_room(akin_products *p, size_t k) {
    size_t count = akin_labels_count(p->labels);
    p->neighbor = akin_mem_alloc(count * k, sizeof *p->neighbor);
    p->score = akin_mem_zalloc(count * k, sizeof *p->score);
    p->held = akin_mem_zalloc(count, sizeof *p->held);
    p->picture = akin_mem_alloc(count * k, sizeof *p->picture);
    p->other = akin_mem_alloc(count * k, sizeof *p->other);
    if (!p->neighbor || !p->score || !p->held || !p->picture || !p->other) return AKIN_FAILED;
    for (size_t e = 0; e < count * k; e++) p->neighbor[e] = p->picture[e] = p->other[e] = -1;
    return AKIN_OK;
}

static void take(akin_products *p, size_t k, const offer *offers, size_t count) {
    for (size_t o = 0; o < count; o++) {
        size_t at = (size_t)offers[o].product - p->first;
        if ((size_t)p->held[at] == k) continue;
        size_t e = at * k + (size_t)p->held[at]++;
        p->neighbor[e] = akin_topk_row(offers[o].key);
        p->score[e] = akin_topk_score(offers[o].key);
        p->picture[e] = offers[o].picture, p->other[e] = offers[o].other;
    }
}

akin_status akin_products_join(akin_comm *comm, const akin_vectors *vectors, const uint64_t *lists,
                               size_t width, size_t k, akin_products *products) {
    akin_status status;
    offer *mine = NULL, *all = NULL;
    size_t count = 0, *counts = akin_mem_alloc((size_t)akin_comm_size(comm), sizeof *counts);
    akin_status local = counts ? AKIN_OK : AKIN_FAILED;
    if (local == AKIN_OK) local = make_offers(comm, vectors, products, lists, width, &mine, counts);
    if (local == AKIN_OK) local = make_room(products, k);
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(akin_comm_exchange(comm, mine, counts, sizeof *mine, (void **)&all, &count));
    take(products, k, all, keep_best(all, count));
done:
    akin_mem_free(mine);
    akin_mem_free(all);
    akin_mem_free(counts);
    return status;
}
