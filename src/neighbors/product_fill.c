/* product_fill: fills lists between products. */
#include "product_fill.h"
#include "central.h"
#include "duplicates.h"
#include "product_means.h"
#include "product_search.h"
#include <akin/mem.h>
#include <akin/topk.h>
#include <stdlib.h>
#include <string.h>

enum { GROWTH = 4 /* factor by which a span of central products is longer than the one before */ };

typedef struct {
    akin_comm *comm;
    const akin_product_limits_source *from;
    size_t k;
    akin_product_lists *lists;
    int32_t *filled;
    akin_row_block_rules rules; /* without the minimum score and boosts */
    akin_row_rules more;
    akin_vectors *means;
    int32_t *category; /* [products] */
    uint8_t *may;      /* [products]: may be appended */
    int32_t *short_of; /* [count of the lists]: those that are too short, by number of the list */
    size_t shorts;
    /* of one category: */
    int32_t *among;     /* [items]: see akin_product_search_among */
    uint64_t *centrals; /* [central_count]: keys of products, the most central one first */
    size_t central_count;
    size_t first, end; /* the central products that are offered now */
    uint8_t *in_span;  /* [products]: whether each is one of them */
    int32_t *asked;    /* [count of the lists] */
    int32_t *offered;  /* [products]: the index of the offer of each, -1 = none */
    uint64_t *keys;    /* [products]: scratch */
} filling;

/* --- what is known of products --- */

/* Collective; agreed. */
static akin_status learn(filling *f) {
    akin_status status;
    const akin_vectors *v = f->from->vectors;
    const akin_products *products = f->from->products;
    const int32_t *of = f->from->duplicate_of;
    size_t count = akin_vectors_count(v), n = products->count;
    int32_t *categories = NULL;
    uint8_t *takes = akin_mem_alloc(count, 1), *all = NULL;
    f->category = akin_mem_alloc(n, sizeof *f->category);
    f->may = akin_mem_zalloc(n, 1);
    AKIN_TRY(akin_agree(f->comm, takes && f->category && f->may ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < count; i++) takes[i] = akin_duplicates_takes(v, &f->rules, i);
    AKIN_TRY(akin_comm_gather(f->comm, takes, count, -1, (void **)&all, NULL));
    AKIN_TRY(akin_comm_gather(f->comm, akin_labels_category(akin_vectors_labels(v)),
                              count * sizeof *categories, -1, (void **)&categories, NULL));
    for (size_t p = 0; p < n; p++) f->category[p] = categories[products->first_item[p]];
    for (size_t i = 0; i < products->items; i++) {
        size_t p = (size_t)products->of_item[i];
        if (all[i] && p >= products->targets.first && (!of || of[p] < 0)) f->may[p] = 1;
    }
done:
    akin_mem_free(takes);
    akin_mem_free(all);
    akin_mem_free(categories);
    return status;
}

/* Whether a short list already contains every product that the rules allow, since nothing but a minimum
 * score made it short. */
static bool has_all(const filling *f, size_t product) {
    return f->from->rules->min_score <= -1 && f->from->products->shown[product];
}

static void find_short(filling *f) {
    const akin_item_blocks *blocks = akin_item_rules_blocks(f->from->item_rules);
    for (size_t p = 0; p < f->lists->count; p++) {
        size_t product = f->lists->first + p;
        if ((size_t)f->lists->held[p] < f->k && f->category[product] >= 0 && !has_all(f, product) &&
            !akin_item_blocks_alone(blocks, f->from->products->first_item[product]))
            f->short_of[f->shorts++] = (int32_t)p;
    }
}

static akin_status begin(filling *f) {
    const akin_products *products = f->from->products;
    f->filled = akin_mem_zalloc(f->lists->count, sizeof *f->filled);
    f->short_of = akin_mem_alloc(f->lists->count, sizeof *f->short_of);
    f->asked = akin_mem_alloc(f->lists->count, sizeof *f->asked);
    f->among = akin_mem_alloc(products->items, sizeof *f->among);
    f->offered = akin_mem_alloc(products->count, sizeof *f->offered);
    f->keys = akin_mem_alloc(products->count, sizeof *f->keys);
    f->in_span = akin_mem_zalloc(products->count, 1);
    if (!f->filled || !f->short_of || !f->asked || !f->among || !f->offered || !f->keys ||
        !f->in_span)
        return AKIN_FAILED;
    for (size_t p = 0; p < products->count; p++) f->offered[p] = -1;
    return AKIN_OK;
}

/* --- the central products of a category --- */

typedef struct {
    const filling *f;
    int32_t category;
} slot_context;

/* The product of a row of the means as a target; -1: it is a source. */
static int64_t product_of(const filling *f, size_t item) {
    size_t row = akin_vectors_first(f->means) + item, sources = akin_vectors_sources(f->means);
    return row < sources ? -1 : (int64_t)(f->from->products->targets.first + row - sources);
}

static int32_t is_candidate(const void *context, size_t item) {
    const slot_context *c = context;
    int64_t p = product_of(c->f, item);
    return p >= 0 && c->f->may[p] && c->f->category[p] == c->category ? 0 : -1;
}

static int best_first(const void *x, const void *y) {
    const uint64_t *a = x, *b = y;
    return (*a < *b) - (*a > *b);
}

/* Collective; agreed. */
static akin_status find_central(filling *f, int32_t category) {
    akin_status status;
    const slot_context one = {f, category};
    size_t count = akin_vectors_count(f->means), found = 0, ranks = (size_t)akin_comm_size(f->comm);
    float *centre = NULL;
    uint64_t *own = akin_mem_alloc(count, sizeof *own);
    size_t *offsets = akin_mem_alloc(ranks + 1, sizeof *offsets);
    AKIN_TRY(akin_agree(f->comm, own && offsets ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_central_sums(f->comm, f->means, is_candidate, &one, 1, &centre));
    for (size_t i = 0; i < count; i++)
        if (is_candidate(&one, i) == 0)
            own[found++] =
                akin_topk_key(akin_central_value(f->means, i, centre), (int32_t)product_of(f, i));
    akin_mem_free(f->centrals);
    f->centrals = NULL;
    AKIN_TRY(
        akin_comm_gather(f->comm, own, found * sizeof *own, -1, (void **)&f->centrals, offsets));
    f->central_count = offsets[ranks] / sizeof *own;
    qsort(f->centrals, f->central_count, sizeof *f->centrals, best_first);
done:
    akin_mem_free(own);
    akin_mem_free(offsets);
    akin_mem_free(centre);
    return status;
}

/* --- filling --- */

static bool stands(const int32_t *list, size_t count, int32_t product) {
    for (size_t e = 0; e < count; e++)
        if (list[e] == product) return true;
    return false;
}

/* The central products that are offered and may be appended to a list: keys; returns how many. */
static size_t list_fitting(const filling *f, size_t list) {
    const int32_t *of = f->from->duplicate_of, *neighbor = f->lists->neighbor + list * f->k;
    const int32_t same = of ? of[f->lists->first + list] : -1;
    size_t held = (size_t)f->lists->held[list], count = 0;
    for (size_t c = f->first; c < f->end; c++) {
        int32_t product = akin_topk_row(f->centrals[c]);
        if (f->offered[product] >= 0 && product != same && !stands(neighbor, held, product))
            f->keys[count++] = akin_topk_key(0, product);
    }
    return count;
}

/* Fills the list of the product of these offers. */
static void fill(filling *f, const akin_product_offer *offers, size_t count) {
    akin_item_limits *limits = akin_item_rules_product_limits(f->from->item_rules);
    size_t list = (size_t)offers->product - f->lists->first, held = (size_t)f->lists->held[list];
    for (size_t o = 0; o < count; o++) f->offered[akin_topk_row(offers[o].key)] = (int32_t)o;
    size_t some = list_fitting(f, list);
    if (limits)
        some = akin_item_limits_take(limits, f->lists->neighbor + list * f->k, held, f->keys, some,
                                     f->k - held);
    for (size_t e = 0; e < some; e++) /* those beyond k are dropped */
        akin_product_lists_append(f->lists, f->k, &offers[f->offered[akin_topk_row(f->keys[e])]]);
    f->filled[list] += f->lists->held[list] - (int32_t)held;
    for (size_t o = 0; o < count; o++) f->offered[akin_topk_row(offers[o].key)] = -1;
}

/* Fills the lists of `count` products that are asked for. Collective; agreed. */
static akin_status fill_some(filling *f, const int32_t *asked, size_t count) {
    akin_product_offer *offers = NULL;
    size_t offer_count = 0;
    const akin_product_search_among among = {f->from->vectors, f->from->products, &f->rules,
                                             f->among};
    akin_status status = akin_product_search(f->comm, &among, asked, count, f->end - f->first,
                                             &offers, &offer_count);
    for (size_t o = 0, end; status == AKIN_OK && o < offer_count; o = end) {
        for (end = o; end < offer_count && offers[end].product == offers[o].product;) end++;
        fill(f, offers + o, end - o);
    }
    akin_mem_free(offers);
    return status;
}

/* Only pictures of the central products [first, end) are searched. */
static void take_span(filling *f, size_t first, size_t end) {
    const akin_products *products = f->from->products;
    f->first = first, f->end = end;
    for (size_t c = first; c < end; c++) f->in_span[akin_topk_row(f->centrals[c])] = 1;
    for (size_t i = 0; i < products->items; i++)
        f->among[i] = f->in_span[products->of_item[i]] ? -1 : 0;
    for (size_t c = first; c < end; c++) f->in_span[akin_topk_row(f->centrals[c])] = 0;
}

/* Fills the lists of all `count` products that are asked for from the span. Collective; agreed. */
static akin_status fill_from_span(filling *f, size_t count) {
    akin_status status = AKIN_OK;
    const size_t batch = akin_product_search_batch(f->comm, f->end - f->first),
                 rounds = akin_comm_rounds(f->comm, count, batch);
    for (size_t r = 0; r < rounds; r++) {
        size_t first = r * batch < count ? r * batch : count, rest = count - first;
        AKIN_TRY(fill_some(f, f->asked + first, rest < batch ? rest : batch));
    }
done:
    return status;
}

/* Keeps those in front whose lists are still short; returns how many. */
static size_t keep_short(const filling *f, size_t count) {
    size_t kept = 0;
    for (size_t a = 0; a < count; a++)
        if ((size_t)f->lists->held[(size_t)f->asked[a] - f->lists->first] < f->k)
            f->asked[kept++] = f->asked[a];
    return kept;
}

/* The most central products are offered first, then as many more as some list still needs.
 * Collective; agreed. */
static akin_status fill_category(filling *f, int32_t category) {
    akin_status status;
    size_t count = 0, length = 2 * f->k + 8;
    AKIN_TRY(find_central(f, category));
    for (size_t s = 0; s < f->shorts; s++) {
        int32_t product = (int32_t)f->lists->first + f->short_of[s];
        if (f->category[product] == category) f->asked[count++] = product;
    }
    for (size_t first = 0; first < f->central_count; first += length, length *= GROWTH) {
        int64_t most = (int64_t)count;
        akin_comm_max_i64(f->comm, &most, 1);
        if (most == 0) break;
        size_t rest = f->central_count - first;
        take_span(f, first, first + (rest < length ? rest : length));
        AKIN_TRY(fill_from_span(f, count));
        count = keep_short(f, count);
    }
done:
    return status;
}

/* The categories that have a short list on any rank, one after the other. Collective; agreed. */
static akin_status fill_categories(filling *f) {
    akin_status status;
    size_t count = akin_labels_category_count(akin_vectors_labels(f->from->vectors));
    int64_t *needed = akin_mem_zalloc(count, sizeof *needed);
    AKIN_TRY(akin_agree(f->comm, needed ? AKIN_OK : AKIN_FAILED));
    for (size_t s = 0; s < f->shorts; s++)
        needed[f->category[f->lists->first + (size_t)f->short_of[s]]] = 1;
    akin_comm_max_i64(f->comm, needed, count);
    for (size_t c = 0; c < count; c++)
        if (needed[c]) AKIN_TRY(fill_category(f, (int32_t)c));
done:
    akin_mem_free(needed);
    return status;
}

akin_status akin_product_fill(akin_comm *comm, const akin_product_limits_source *from, size_t k,
                              akin_product_lists *lists, int32_t **filled, size_t *fills) {
    akin_status status;
    filling f = {.comm = comm, .from = from, .k = k, .lists = lists, .rules = *from->rules};
    int64_t sum = 0;
    f.more = *from->rules->more;
    f.more.offset = NULL;
    f.rules.more = &f.more, f.rules.min_score = -1;
    AKIN_TRY(akin_agree(comm, begin(&f)));
    AKIN_TRY(learn(&f));
    find_short(&f);
    AKIN_TRY(akin_product_means_create(comm, from->vectors, from->products, false, &f.means));
    AKIN_TRY(fill_categories(&f));
    for (size_t p = 0; p < lists->count; p++) sum += f.filled[p];
    akin_comm_sum_i64(comm, &sum, 1);
    *filled = f.filled, f.filled = NULL, *fills = (size_t)sum;
done:
    akin_vectors_free(f.means);
    akin_mem_free(f.filled);
    akin_mem_free(f.category);
    akin_mem_free(f.may);
    akin_mem_free(f.short_of);
    akin_mem_free(f.among);
    akin_mem_free(f.centrals);
    akin_mem_free(f.asked);
    akin_mem_free(f.offered);
    akin_mem_free(f.keys);
    akin_mem_free(f.in_span);
    return status;
}
