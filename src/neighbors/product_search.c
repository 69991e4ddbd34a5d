/* product_search: searches for the lists of some products' pictures again. */
#include "product_search.h"
#include "list_search.h"
#include <akin/mem.h>

typedef struct {
    akin_comm *comm;
    const akin_product_search_among *from;
    uint8_t *wanted; /* [products]: those that any rank asks for */
    size_t *items;   /* [count of the shard]: their pictures */
} search;

/* Collective; agreed. */
static akin_status share_wanted(const search *s, const int32_t *asked, size_t count) {
    int32_t *all = NULL;
    size_t size = (size_t)akin_comm_size(s->comm),
           *offsets = akin_mem_alloc(size + 1, sizeof *offsets);
    akin_status status = akin_agree(s->comm, offsets ? AKIN_OK : AKIN_FAILED);
    if (status == AKIN_OK)
        status = akin_comm_gather(s->comm, asked, count * sizeof *all, -1, (void **)&all, offsets);
    for (size_t p = 0; status == AKIN_OK && p < offsets[size] / sizeof *all; p++)
        s->wanted[all[p]] = 1;
    akin_mem_free(all);
    akin_mem_free(offsets);
    return status;
}

/* Lists this rank's pictures of the wanted products; returns how many. */
static size_t list_pictures(const search *s) {
    const akin_vectors *v = s->from->pictures;
    const akin_products *products = s->from->products;
    const int32_t *product = products->of_item + akin_vectors_first(v);
    size_t found = 0;
    for (size_t i = 0; i < akin_vectors_count(v); i++)
        if (s->wanted[product[i]] && (akin_vectors_usable(v, i) || !products->shown[product[i]]))
            s->items[found++] = i;
    return found;
}

akin_status akin_product_search(akin_comm *comm, const akin_product_search_among *among,
                                const int32_t *asked, size_t count, size_t width,
                                akin_product_offer **out, size_t *offer_count) {
    akin_status status;
    uint64_t *lists = NULL;
    search s = {.comm = comm,
                .from = among,
                .wanted = akin_mem_zalloc(among->products->count, 1),
                .items = akin_mem_alloc(akin_vectors_count(among->pictures), sizeof *s.items)};
    *out = NULL, *offer_count = 0;
    AKIN_TRY(akin_agree(comm, s.wanted && s.items ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(share_wanted(&s, asked, count));
    size_t pictures = list_pictures(&s);
    lists = akin_mem_alloc(pictures, width * sizeof *lists);
    AKIN_TRY(akin_agree(comm, lists ? AKIN_OK : AKIN_FAILED));
    const akin_list_search_wanted sought = {s.items, pictures, width, among->among};
    AKIN_TRY(akin_list_search(comm, among->pictures, among->rules, &sought, lists));
    const akin_product_item_lists from = {
        .lists = lists, .width = width, .items = s.items, .count = pictures};
    status = akin_products_offers(comm, among->pictures, among->products, &from, out, offer_count);
done:
    akin_mem_free(lists);
    akin_mem_free(s.wanted);
    akin_mem_free(s.items);
    return status;
}

size_t akin_product_search_batch(akin_comm *comm, size_t width) {
    return akin_list_search_batch(comm, width) / AKIN_PRODUCT_SEARCH_PICTURES + 1;
}
