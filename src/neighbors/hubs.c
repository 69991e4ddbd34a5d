/* hubs: items that are near to very many others. */
#include "hubs.h"
#include <akin/mem.h>
#include <akin/topk.h>
#include <string.h>

/* --- means of lists --- */

typedef struct {
    akin_comm *comm;
    const akin_hubs_lists *of;
    size_t list;     /* length of the lists */
    uint64_t *lists; /* [count of the shard, list] */
    float *offset;
} damping;

static void subtract(float *offset, double sum, size_t held) {
    if (held > 0) *offset = (float)((double)*offset - sum / (double)held);
}

static double sum_list(const damping *d, size_t item, size_t *held) {
    const uint64_t *list = d->lists + item * d->list;
    double sum = 0;
    for (*held = 0; *held < d->list && list[*held] != 0; ++*held)
        sum += (double)akin_topk_score(list[*held]);
    return sum;
}

static bool has_sides(const akin_vectors *v) {
    return akin_vectors_sources(v) < akin_vectors_items(v);
}

/* For items; with two catalogues, for the targets. */
static void damp_rows(const damping *d) {
    const akin_vectors *v = d->of->vectors;
    for (size_t i = has_sides(v) ? akin_vectors_own_sources(v) : 0; i < akin_vectors_count(v);
         i++) {
        size_t held;
        double sum = sum_list(d, i, &held);
        subtract(&d->offset[i], sum, held);
    }
}

typedef struct {
    double sum;
    size_t held;
} product_sum;

/* The sums of this rank's *count products. mine: owned. Collective; agreed. */
static akin_status sum_products(const damping *d, product_sum **mine, size_t *count) {
    akin_status status;
    const akin_hubs_lists *of = d->of;
    akin_products listed = *of->products;
    akin_product_lists joined = {0};
    const akin_product_item_lists from = {
        .lists = d->lists, .width = d->list, .count = akin_vectors_count(of->vectors)};
    listed.listed = listed.targets; /* of two catalogues the lists are reversed */
    AKIN_TRY(akin_products_join(d->comm, of->vectors, &listed, &from, of->k, &joined));
    *count = joined.count;
    *mine = akin_mem_zalloc(joined.count, sizeof **mine);
    AKIN_TRY(akin_agree(d->comm, *mine ? AKIN_OK : AKIN_FAILED));
    for (size_t p = 0; p < joined.count; p++) {
        (*mine)[p].held = (size_t)joined.held[p];
        for (size_t e = 0; e < (*mine)[p].held; e++)
            (*mine)[p].sum += (double)joined.score[p * of->k + e];
    }
done:
    akin_product_lists_release(&joined);
    return status;
}

/* For products that are rows: the sums of their lists as sources. */
static akin_status sum_means(const damping *d, product_sum **mine, size_t *count) {
    *count = akin_vectors_own_sources(d->of->vectors);
    *mine = akin_mem_zalloc(*count, sizeof **mine);
    for (size_t p = 0; *mine && p < *count; p++) (*mine)[p].sum = sum_list(d, p, &(*mine)[p].held);
    return akin_agree(d->comm, *mine ? AKIN_OK : AKIN_FAILED);
}

/* Gathers the sums, since a product's list and its rows may be on different ranks. Collective;
 * agreed. */
static akin_status damp_products(const damping *d) {
    akin_status status;
    const akin_vectors *v = d->of->vectors;
    product_sum *mine = NULL, *all = NULL;
    size_t count = 0, first = akin_vectors_first(v), n = d->of->products->count,
           targets = d->of->products->targets.first;
    AKIN_TRY(d->of->mean ? sum_means(d, &mine, &count) : sum_products(d, &mine, &count));
    AKIN_TRY(akin_comm_gather(d->comm, mine, count * sizeof *mine, -1, (void **)&all, NULL));
    for (size_t i = 0; i < akin_vectors_count(v); i++) {
        size_t row = first + i;
        if (d->of->mean && row < n) continue; /* cannot be a neighbour */
        size_t product = d->of->mean ? row - n : (size_t)d->of->products->of_item[row];
        if (product < targets) continue;
        subtract(&d->offset[i], all[product - targets].sum, all[product - targets].held);
    }
done:
    akin_mem_free(mine);
    akin_mem_free(all);
    return status;
}

/* --- the comparison --- */

/* Rules under which targets search among the sources. Sources may be unavailable, but must have a
 * list. */
static akin_status reverse(const akin_hubs_lists *of, akin_row_block_rules *rules,
                           akin_row_rules *more, uint8_t **listed) {
    const akin_item_blocks *blocks = akin_item_rules_blocks(of->item_rules);
    more->reversed = true, more->target = NULL;
    rules->only_available = false;
    if (blocks->alone_count == 0) return AKIN_OK;
    size_t count = akin_vectors_count(of->vectors), first = akin_vectors_first(of->vectors);
    *listed = akin_mem_alloc(count, sizeof **listed);
    if (!*listed) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++)
        (*listed)[i] = !akin_item_blocks_alone(blocks, (int64_t)(first + i));
    more->target = *listed;
    rules->only_available = true;
    return AKIN_OK;
}

/* Empties the lists of pictures that rules bar from being neighbours: of a product only the others count. */
static void empty_barred(const damping *d) {
    const uint8_t *target = d->of->rules->more->target;
    for (size_t i = 0; target && i < akin_vectors_count(d->of->vectors); i++)
        if (!target[i]) memset(d->lists + i * d->list, 0, d->list * sizeof *d->lists);
}

akin_status akin_hubs_damp(akin_comm *comm, const akin_hubs_lists *of,
                           const akin_first_pass_checkpoint *checkpoint, float *offset,
                           akin_allpairs_figures *figures) {
    akin_status status = AKIN_OK;
    damping d = {comm, of, akin_allpairs_list(akin_vectors_items(of->vectors), of->k), NULL,
                 offset};
    uint8_t *listed = NULL;
    akin_row_rules more = *of->rules->more;
    akin_row_block_rules plain = *of->rules;
    more.offset = NULL;
    if (!of->products || of->mean) more.limits = NULL; /* else one picture of a product */
    plain.more = &more, plain.layers = 0, plain.again = false;
    if (!(of->products && of->mean) && has_sides(of->vectors))
        AKIN_TRY(akin_agree(comm, reverse(of, &plain, &more, &listed)));
    AKIN_TRY(akin_first_pass(comm, of->vectors, &plain, of->k, checkpoint, &d.lists, figures));
    akin_item_rules_empty(of->item_rules, of->vectors, d.list, d.lists);
    if (of->products && has_sides(of->vectors) && !of->mean) empty_barred(&d);
    if (of->products)
        AKIN_TRY(damp_products(&d));
    else
        damp_rows(&d);
done:
    akin_mem_free(d.lists);
    akin_mem_free(listed);
    return status;
}
