/* product_limits: lists between products that exceed no limit. */
#include "product_limits.h"
#include "list_search.h"
#include "product_search.h"
#include "remote_rows.h"
#include <akin/mem.h>
#include <akin/topk.h>
#include <stdbool.h>
#include <string.h>

enum { AT_ONCE_MIB = 32 };

typedef struct {
    akin_comm *comm;
    const akin_product_limits_source *from;
    size_t k;
    akin_product_lists *out;
    uint64_t *scratch;
    size_t scratch_size;
    int32_t *poor;    /* this rank's products whose lists are too short */
    int32_t *removed; /* [items]: -1 = a picture of a product that is kept; NULL: all are */
} work;

/* --- applying the limits to offers --- */

/* The first k keys that are not pinned and exceed no limit, in place; returns how many. */
static size_t take_keys(const work *w, const int32_t *pins, size_t pinned, size_t count, size_t k) {
    akin_item_limits *limits = akin_item_rules_product_limits(w->from->item_rules);
    size_t held = 0;
    if (limits) return akin_item_limits_take(limits, pins, pinned, w->scratch, count, k);
    for (size_t e = 0; e < count && held < k; e++) {
        bool is_pin = false;
        for (size_t p = 0; p < pinned; p++) is_pin |= pins[p] == akin_topk_row(w->scratch[e]);
        if (!is_pin) w->scratch[held++] = w->scratch[e];
    }
    return held;
}

/* Whether a product is kept, and is not what stands for `own`. */
static bool is_kept(const work *w, int32_t own, int32_t product) {
    const int32_t *of = w->from->duplicate_of;
    return !of || (of[product] < 0 && product != of[own]);
}

/* Applies the limits to a product's offers; false: the list is too short, and there may be more
 * offers. */
static bool take(work *w, const akin_product_offer *offers, size_t count, size_t right) {
    size_t own = (size_t)offers->product - w->out->first, pinned = 0, next = 0;
    const int32_t *pins = akin_item_pins_of(w->from->pins, own, &pinned);
    size_t wanted = w->k > pinned ? w->k - pinned : 0, some = count < right ? count : right;
    size_t left = 0;
    for (size_t o = 0; o < some; o++)
        if (is_kept(w, offers->product, akin_topk_row(offers[o].key)))
            w->scratch[left++] = offers[o].key;
    size_t held = take_keys(w, pins, pinned, left, wanted);
    for (size_t e = 0; e < held; e++) {
        while (offers[next].key != w->scratch[e]) next++;
        akin_product_lists_append(w->out, w->k, &offers[next]);
    }
    return held == wanted || count < right || right >= w->from->products->count - 1;
}

/* Makes the lists of all products that have offers; those whose list is too short become numbers
 * *poor, ... of the poor. */
static akin_status take_all(work *w, const akin_product_offer *offers, size_t count, size_t right,
                            size_t *poor) {
    if (right > w->scratch_size) {
        uint64_t *more = akin_mem_resize(w->scratch, w->scratch_size, right, sizeof *more);
        if (!more) return AKIN_FAILED;
        w->scratch = more, w->scratch_size = right;
    }
    for (size_t o = 0, end; o < count; o = end) {
        for (end = o; end < count && offers[end].product == offers[o].product;) end++;
        if (take(w, offers + o, end - o, right)) continue;
        w->out->held[(size_t)offers[o].product - w->out->first] = 0; /* for a longer list */
        w->poor[(*poor)++] = offers[o].product;
    }
    return AKIN_OK;
}

/* --- searching again --- */

/* Searches for the lists of these products again, and makes them. Collective;
 * agreed. */
static akin_status search_some(void *context, size_t width, size_t first, size_t count,
                               size_t *kept) {
    akin_status status;
    work *w = context;
    akin_product_offer *offers = NULL;
    size_t offer_count = 0;
    const akin_product_search_among among = {w->from->vectors, w->from->products, w->from->rules,
                                             w->removed};
    AKIN_TRY(
        akin_product_search(w->comm, &among, w->poor + first, count, width, &offers, &offer_count));
    status = akin_agree(w->comm, take_all(w, offers, offer_count, width, kept));
done:
    akin_mem_free(offers);
    return status;
}

/* --- cosines of lists that were reordered --- */

typedef struct {
    akin_remote_rows *fetch;
    int32_t *wanted;
    size_t room;
} scoring;

/* For entries [first, end) of all lists. Collective; agreed. */
static akin_status score_some(const scoring *s, akin_product_lists *lists, size_t first,
                              size_t end) {
    size_t count = 0, stride = akin_remote_rows_stride(s->fetch);
    for (size_t e = first; e < end; e++)
        if (lists->neighbor[e] >= 0)
            s->wanted[count++] = lists->picture[e], s->wanted[count++] = lists->other[e];
    akin_status status = akin_remote_rows_bring(s->fetch, s->wanted, count);
    for (size_t e = first; e < end && status == AKIN_OK; e++)
        if (lists->neighbor[e] >= 0)
            lists->score[e] =
                akin_remote_rows_score(akin_remote_rows_get(s->fetch, lists->picture[e]),
                                       akin_remote_rows_get(s->fetch, lists->other[e]), stride);
    return status;
}

/* Collective; agreed. */
static akin_status score_all(work *w) {
    akin_status status;
    scoring s = {0};
    size_t entries = w->out->count * w->k;
    akin_status local = akin_remote_rows_create(w->comm, w->from->vectors, &s.fetch);
    if (local == AKIN_OK) {
        s.room = akin_remote_rows_most(s.fetch, AT_ONCE_MIB) / 2 + 1;
        s.wanted = akin_mem_alloc(2 * s.room, sizeof *s.wanted);
        if (!s.wanted) local = AKIN_FAILED;
    }
    AKIN_TRY(akin_agree(w->comm, local));
    const size_t rounds = akin_comm_rounds(w->comm, entries, s.room);
    for (size_t r = 0; r < rounds; r++) {
        size_t first = r * s.room < entries ? r * s.room : entries;
        size_t rest = entries - first;
        AKIN_TRY(score_some(&s, w->out, first, first + (rest < s.room ? rest : s.room)));
    }
done:
    akin_remote_rows_free(s.fetch);
    akin_mem_free(s.wanted);
    return status;
}

/* A list that was too short before may have old entries after its new end. */
static void clear_ends(akin_product_lists *lists, size_t k) {
    for (size_t p = 0; p < lists->count; p++)
        for (size_t e = (size_t)lists->held[p]; e < k; e++) {
            lists->neighbor[p * k + e] = -1, lists->score[p * k + e] = 0;
            lists->picture[p * k + e] = lists->other[p * k + e] = -1;
        }
}

akin_status akin_product_limits_keep(akin_comm *comm, const akin_product_limits_source *source,
                                     size_t k, akin_product_lists *out, size_t *sought) {
    akin_status status;
    work w = {.comm = comm, .from = source, .k = k, .out = out};
    akin_list_search_rounds rounds = {.width = source->stride,
                                      .share = AKIN_PRODUCT_SEARCH_PICTURES,
                                      .some = search_some,
                                      .context = &w};
    akin_product_offer *offers = NULL;
    size_t count = 0;
    const akin_product_item_lists from = {.lists = source->lists,
                                          .width = source->stride,
                                          .items = source->items,
                                          .count = source->count};
    *sought = 0;
    AKIN_TRY(akin_product_lists_create(comm, source->products, k, out));
    w.poor = akin_mem_alloc(out->count, sizeof *w.poor);
    if (source->duplicate_of)
        w.removed = akin_mem_alloc(source->products->items, sizeof *w.removed);
    AKIN_TRY(
        akin_agree(comm, w.poor && !source->duplicate_of == !w.removed ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; w.removed && i < source->products->items; i++)
        w.removed[i] = source->duplicate_of[source->products->of_item[i]] < 0 ? -1 : 0;
    AKIN_TRY(akin_products_offers(comm, source->vectors, source->products, &from, &offers, &count));
    AKIN_TRY(akin_agree(comm, take_all(&w, offers, count, source->pool, &rounds.count)));
    AKIN_TRY(akin_list_search_again(comm, source->vectors, &rounds, sought));
    clear_ends(out, k);
    if (akin_item_rules_boosted(source->item_rules)) AKIN_TRY(score_all(&w));
done:
    akin_mem_free(offers);
    akin_mem_free(w.scratch);
    akin_mem_free(w.poor);
    akin_mem_free(w.removed);
    return status;
}
