/* products: lists between products. */
#include "products.h"
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/topk.h>
#include <stdlib.h>
#include <string.h>

/* --- finding the products --- */

typedef struct {
    int32_t group;
    int8_t available, usable;
} facts;

static int by_name(const void *a, const void *b) {
    return strcmp(((const akin_product_name *)a)->name, ((const akin_product_name *)b)->name);
}

/* *all: the facts of all items. Collective; agreed. */
static akin_status gather(akin_comm *comm, const akin_vectors *vectors, akin_products *out,
                          facts **all) {
    akin_status status;
    akin_labels *labels = akin_vectors_labels(vectors);
    size_t count = akin_vectors_count(vectors), length = 0;
    facts *mine = akin_mem_alloc(count, sizeof *mine);
    char *ids = akin_mem_alloc(count, akin_labels_id_length(labels) + 1);
    AKIN_TRY(akin_agree(comm, mine && ids ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < count; i++) {
        mine[i] = (facts){akin_labels_group(labels)[i], akin_labels_available(labels)[i],
                          akin_vectors_usable(vectors, i)};
        if (mine[i].group >= 0) continue;
        const char *id = akin_labels_id(labels, i);
        memcpy(ids + length, id, strlen(id) + 1);
        length += strlen(id) + 1;
    }
    out->items = akin_vectors_items(vectors);
    AKIN_TRY(akin_comm_gather(comm, mine, count * sizeof *mine, -1, (void **)all, NULL));
    AKIN_TRY(akin_comm_gather(comm, ids, length, -1, (void **)&out->ids, NULL));
done:
    akin_mem_free(mine);
    akin_mem_free(ids);
    return status;
}

/* The items of one catalogue of two, or of the only one. */
typedef struct {
    size_t first, end;
    const facts *all;
    const char **id;   /* the next of those without a group */
    int32_t *of_group; /* [groups]: 1 if the group is used; then its product */
} side;

/* Appends the names of a side's products, ascending. Not collective; the same on all ranks. */
static akin_status name_side(const akin_labels *labels, const side *s, akin_products *out) {
    const size_t before = out->count;
    for (size_t i = s->first; i < s->end; i++) {
        int32_t group = s->all[i].group;
        if (group < 0) {
            out->names[out->count++] = (akin_product_name){*s->id, -1, (int32_t)i};
            *s->id += strlen(*s->id) + 1;
        } else if (!s->of_group[group]) {
            s->of_group[group] = 1;
            out->names[out->count++] =
                (akin_product_name){akin_labels_group_name(labels, group), group, -1};
        }
    }
    qsort(out->names + before, out->count - before, sizeof *out->names, by_name);
    for (size_t p = before + 1; p < out->count; p++)
        if (strcmp(out->names[p - 1].name, out->names[p].name) == 0)
            return akin_error_set(AKIN_INPUT,
                                  "--by group: the item \"%s\" has no group, and its id is also "
                                  "the name of a group: give it a group",
                                  out->names[p].name);
    return AKIN_OK;
}

static void assign_side(const side *s, size_t first, akin_products *out) {
    for (size_t p = first; p < out->count; p++)
        if (out->names[p].group >= 0)
            s->of_group[out->names[p].group] = (int32_t)p;
        else
            out->of_item[out->names[p].item] = (int32_t)p;
    for (size_t i = s->first; i < s->end; i++)
        if (s->all[i].group >= 0) out->of_item[i] = s->of_group[s->all[i].group];
}

static akin_status make_names(const akin_vectors *vectors, const facts *all, akin_products *out) {
    akin_status status = AKIN_FAILED;
    const akin_labels *labels = akin_vectors_labels(vectors);
    const size_t ends[2] = {akin_vectors_sources(vectors), out->items},
                 groups = akin_labels_group_count(labels);
    size_t alone = 0, counts[2] = {0, 0};
    const char *id = out->ids;
    for (size_t i = 0; i < out->items; i++) alone += all[i].group < 0;
    out->names = akin_mem_alloc(2 * groups + alone, sizeof *out->names);
    out->of_item = akin_mem_alloc(out->items, sizeof *out->of_item);
    int32_t *of_group = akin_mem_alloc(groups, sizeof *of_group);
    if (!out->names || !out->of_item || !of_group) goto done;
    for (int n = 0; n < 2; n++) {
        const side s = {n ? ends[0] : 0, ends[n], all, &id, of_group};
        size_t first = out->count;
        memset(of_group, 0, groups * sizeof *of_group);
        AKIN_TRY(name_side(labels, &s, out));
        assign_side(&s, first, out);
        counts[n] = out->count - first;
    }
    out->sources = out->listed = (akin_product_span){0, counts[0]};
    out->targets = counts[1] ? (akin_product_span){counts[0], counts[1]} : out->sources;
    status = AKIN_OK;
done:
    akin_mem_free(of_group);
    return status;
}

static akin_status summarise(const facts *all, akin_products *out) {
    out->usable = akin_mem_alloc(out->items, sizeof *out->usable);
    out->first_item = akin_mem_alloc(out->count, sizeof *out->first_item);
    out->available = akin_mem_zalloc(out->count, sizeof *out->available);
    out->shown = akin_mem_zalloc(out->count, sizeof *out->shown);
    if (!out->usable || !out->first_item || !out->available || !out->shown) return AKIN_FAILED;
    for (size_t i = out->items; i-- > 0;) { /* in reverse, so that the first item remains */
        out->usable[i] = all[i].usable;
        out->first_item[out->of_item[i]] = (int32_t)i;
        out->available[out->of_item[i]] |= all[i].available != 0;
        out->shown[out->of_item[i]] |= all[i].usable;
    }
    return AKIN_OK;
}

akin_status akin_products_find(akin_comm *comm, const akin_vectors *vectors, akin_products *out) {
    akin_status status;
    facts *all = NULL;
    *out = (akin_products){0};
    AKIN_TRY(gather(comm, vectors, out, &all));
    akin_status local = make_names(vectors, all, out);
    if (local == AKIN_OK) local = summarise(all, out);
    AKIN_TRY(akin_agree(comm, local));
done:
    akin_mem_free(all);
    return status;
}

void akin_products_release(akin_products *products) {
    akin_mem_free(products->ids);
    akin_mem_free(products->names);
    akin_mem_free(products->of_item);
    akin_mem_free(products->usable);
    akin_mem_free(products->first_item);
    akin_mem_free(products->available);
    akin_mem_free(products->shown);
}

akin_status akin_products_items(const akin_products *products, int32_t **first, int32_t **items) {
    size_t count = products->count;
    int32_t *from = *first = akin_mem_zalloc(count + 1, sizeof *from);
    *items = akin_mem_alloc(products->items, sizeof **items);
    if (!from || !*items) return AKIN_FAILED;
    for (size_t i = 0; i < products->items; i++) from[products->of_item[i] + 1]++;
    for (size_t p = 0; p < count; p++) from[p + 1] += from[p];
    for (size_t i = products->items; i-- > 0;)
        (*items)[--from[products->of_item[i] + 1]] = (int32_t)i;
    memmove(from, from + 1, count * sizeof *from); /* now each is where its items begin */
    from[count] = (int32_t)products->items;
    return AKIN_OK;
}

static int name_against(const void *key, const void *product) {
    return strcmp(key, ((const akin_product_name *)product)->name);
}

void akin_products_named(const akin_products *products, const char *const *names, size_t count,
                         int64_t *numbers) {
    const akin_product_name *all = products->names;
    for (size_t i = 0; i < count; i++) {
        const akin_product_span side = i % 2 == 0 ? products->sources : products->targets;
        const akin_product_name *found =
            bsearch(names[i], all + side.first, side.count, sizeof *all, name_against);
        numbers[i] = found ? (int64_t)(found - all) : -1;
    }
}

akin_product_span akin_products_shard(const akin_comm *comm, akin_product_span some) {
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    return (akin_product_span){some.first + akin_shard_first(some.count, size, rank),
                               akin_shard_count(some.count, size, rank)};
}

/* --- their labels --- */

typedef struct {
    akin_comm *comm;
    const akin_vectors *vectors;
    const akin_products *products;
    size_t first, count;
    akin_labels *out;
} labelling;

/* The values of the products' first items in a column, [count of the shard]. Collective; agreed. */
static akin_status take_first(const labelling *l, const int32_t *column, int32_t *out) {
    int32_t *all = NULL;
    akin_status status = akin_comm_gather(
        l->comm, column, akin_vectors_count(l->vectors) * sizeof *column, -1, (void **)&all, NULL);
    for (size_t p = 0; p < l->count && status == AKIN_OK; p++)
        out[p] = all[l->products->first_item[l->first + p]];
    akin_mem_free(all);
    return status;
}

/* Collective; agreed. */
static akin_status take_attributes(const labelling *l) {
    akin_status status = AKIN_OK;
    akin_labels *from = akin_vectors_labels(l->vectors);
    int32_t *column = akin_mem_alloc(akin_vectors_count(l->vectors), sizeof *column),
            *values = akin_mem_alloc(l->count, sizeof *values);
    AKIN_TRY(akin_agree(l->comm, column && values ? AKIN_OK : AKIN_FAILED));
    for (size_t a = 0; a < akin_labels_attributes(from); a++) {
        bool number = akin_labels_attribute_kind(from, a) == AKIN_ATTRIBUTE_NUMBER;
        const void *has = number ? (const void *)akin_labels_attribute_numbers(from, a)
                                 : akin_labels_attribute_values(from, a);
        if (akin_vectors_count(l->vectors) > 0)
            memcpy(column, has, akin_vectors_count(l->vectors) * sizeof *column);
        AKIN_TRY(take_first(l, column, values)); /* of numbers: their bits */
        void *to = number ? (void *)akin_labels_attribute_numbers(l->out, a)
                          : akin_labels_attribute_values(l->out, a);
        if (l->count > 0) memcpy(to, values, l->count * sizeof *values);
    }
done:
    akin_mem_free(column);
    akin_mem_free(values);
    return status;
}

static akin_status name_rows(const labelling *l, bool alone) {
    akin_status status;
    const akin_product_name *names = l->products->names;
    const char **groups = NULL;
    if (alone) {
        if (!(groups = akin_mem_alloc(l->products->count, sizeof *groups))) return AKIN_FAILED;
        for (size_t p = 0; p < l->products->count; p++) groups[p] = names[p].name;
        AKIN_TRY(akin_labels_set_group_names(l->out, l->products->count, groups));
    }
    for (size_t p = 0; p < l->count; p++) {
        AKIN_TRY(akin_labels_set_id(l->out, p, names[l->first + p].name));
        akin_labels_group(l->out)[p] = alone ? (int32_t)(l->first + p) : names[l->first + p].group;
        akin_labels_available(l->out)[p] = l->products->available[l->first + p];
    }
done:
    akin_mem_free(groups);
    return status;
}

akin_status akin_products_label(akin_comm *comm, const akin_vectors *vectors,
                                const akin_products *products, size_t first, size_t count,
                                bool alone, akin_labels **out) {
    akin_status status;
    labelling l = {comm, vectors, products, first, count, NULL};
    size_t longest = 1;
    *out = NULL;
    for (size_t p = 0; p < products->count; p++)
        if (strlen(products->names[p].name) > longest) longest = strlen(products->names[p].name);
    akin_status local =
        akin_labels_create_like(akin_vectors_labels(vectors), count, longest, &l.out);
    if (local == AKIN_OK) local = name_rows(&l, alone);
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(take_first(&l, akin_labels_category(akin_vectors_labels(vectors)),
                        akin_labels_category(l.out)));
    AKIN_TRY(take_attributes(&l));
    *out = l.out, l.out = NULL;
done:
    akin_labels_free(l.out);
    return status;
}

/* --- their lists --- */

typedef akin_product_offer offer;

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

/* The candidates for lists in this rank's lists of items, in the order of the ranks that own the
 * products. */
static akin_status make_offers(const akin_comm *comm, const akin_vectors *vectors,
                               const akin_products *products, const akin_product_item_lists *from,
                               offer **out, size_t *counts /* [size] */) {
    int size = akin_comm_size(comm);
    size_t first = akin_vectors_first(vectors), width = from->width, at = 0;
    const akin_product_span listed = products->listed;
    offer *offers = *out = akin_mem_alloc(from->count * width, sizeof *offers);
    if (!offers) return AKIN_FAILED;
    for (size_t i = 0; i < from->count; i++)
        for (size_t e = i * width; e < (i + 1) * width && from->lists[e] != 0; e++) {
            uint64_t key = from->lists[e];
            int32_t row = akin_topk_row(key),
                    own = (int32_t)(first + (from->items ? from->items[i] : i));
            offers[at++] = (offer){akin_topk_key(akin_topk_score(key), products->of_item[row]),
                                   products->of_item[own], own, row,
                                   from->cosines ? from->cosines[e] : akin_topk_score(key)};
        }
    qsort(offers, at, sizeof *offers, by_products);
    memset(counts, 0, (size_t)size * sizeof *counts);
    for (size_t o = 0, r = 0; o < at; o++) { /* products are sorted, and so are their ranks */
        while ((size_t)offers[o].product - listed.first >=
               akin_shard_first(listed.count, size, (int)r) +
                   akin_shard_count(listed.count, size, (int)r))
            r++;
        counts[r]++;
    }
    return AKIN_OK;
}

/* Keeps the best offer for each pair of products. Returns how many. */
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

static akin_status make_room(akin_product_lists *p, size_t k) {
    size_t count = p->count;
    p->neighbor = akin_mem_alloc(count * k, sizeof *p->neighbor);
    p->score = akin_mem_zalloc(count * k, sizeof *p->score);
    p->place = akin_mem_zalloc(count * k, sizeof *p->place);
    p->held = akin_mem_zalloc(count, sizeof *p->held);
    p->picture = akin_mem_alloc(count * k, sizeof *p->picture);
    p->other = akin_mem_alloc(count * k, sizeof *p->other);
    if (!p->neighbor || !p->score || !p->place || !p->held || !p->picture || !p->other)
        return AKIN_FAILED;
    for (size_t e = 0; e < count * k; e++) p->neighbor[e] = p->picture[e] = p->other[e] = -1;
    return AKIN_OK;
}

akin_status akin_products_offers(akin_comm *comm, const akin_vectors *vectors,
                                 const akin_products *products, const akin_product_item_lists *from,
                                 akin_product_offer **out, size_t *count) {
    akin_status status;
    offer *mine = NULL;
    size_t *counts = akin_mem_alloc((size_t)akin_comm_size(comm), sizeof *counts);
    akin_status local = counts ? AKIN_OK : AKIN_FAILED;
    *out = NULL, *count = 0;
    if (local == AKIN_OK) local = make_offers(comm, vectors, products, from, &mine, counts);
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(akin_comm_exchange(comm, mine, counts, sizeof *mine, (void **)out, count));
    *count = keep_best(*out, *count);
done:
    akin_mem_free(mine);
    akin_mem_free(counts);
    return status;
}

akin_status akin_product_lists_create(akin_comm *comm, const akin_products *products, size_t k,
                                      akin_product_lists *out) {
    const akin_product_span mine = akin_products_shard(comm, products->listed);
    *out = (akin_product_lists){.first = mine.first, .count = mine.count};
    return akin_agree(comm, make_room(out, k));
}

void akin_product_lists_append(akin_product_lists *lists, size_t k,
                               const akin_product_offer *offer) {
    size_t at = (size_t)offer->product - lists->first;
    if ((size_t)lists->held[at] == k) return;
    size_t e = at * k + (size_t)lists->held[at]++;
    lists->neighbor[e] = akin_topk_row(offer->key);
    lists->score[e] = offer->cosine;
    lists->place[e] = akin_topk_score(offer->key);
    lists->picture[e] = offer->picture, lists->other[e] = offer->other;
}

akin_status akin_products_join(akin_comm *comm, const akin_vectors *vectors,
                               const akin_products *products, const akin_product_item_lists *from,
                               size_t k, akin_product_lists *out) {
    akin_status status;
    offer *all = NULL;
    size_t count = 0;
    AKIN_TRY(akin_product_lists_create(comm, products, k, out));
    AKIN_TRY(akin_products_offers(comm, vectors, products, from, &all, &count));
    for (size_t o = 0; o < count; o++) akin_product_lists_append(out, k, &all[o]);
done:
    akin_mem_free(all);
    return status;
}

void akin_product_lists_release(akin_product_lists *lists) {
    akin_mem_free(lists->neighbor);
    akin_mem_free(lists->score);
    akin_mem_free(lists->place);
    akin_mem_free(lists->held);
    akin_mem_free(lists->picture);
    akin_mem_free(lists->other);
}
