/* product_boost: boosts the scores of products. */
#include "product_boost.h"
#include <akin/mem.h>
#include <akin/shard.h>

/* The boosts with the values of the products; owned. */
static akin_item_boost *of_products(const akin_item_boost *boosts, size_t count,
                                    akin_labels *labels) {
    akin_item_boost *own = akin_mem_alloc(count, sizeof *own);
    for (size_t b = 0; own && b < count; b++) own[b] = boosts[b], own[b].attribute.labels = labels;
    return own;
}

akin_status akin_product_boost(akin_comm *comm, const akin_vectors *vectors,
                               const akin_products *products, const akin_item_boost *boosts,
                               size_t count, float *offset) {
    akin_status status;
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    size_t first = akin_shard_first(products->count, size, rank),
           mine = akin_shard_count(products->count, size, rank), from = products->targets.first;
    from = from > first ? from - first : 0;
    if (from > mine) from = mine;
    akin_labels *labels = NULL;
    akin_item_boost *own = NULL;
    float *some = akin_mem_zalloc(mine, sizeof *some), *all = NULL;
    AKIN_TRY(akin_agree(comm, some ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_products_label(comm, vectors, products, first, mine, false, &labels));
    own = of_products(boosts, count, labels);
    AKIN_TRY(akin_agree(comm, own ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_item_boost_add(comm, (akin_item_boost_span){from, mine}, own, count, some));
    AKIN_TRY(akin_comm_gather(comm, some, mine * sizeof *some, -1, (void **)&all, NULL));
    for (size_t i = 0; i < akin_vectors_count(vectors); i++)
        offset[i] = all[products->of_item[akin_vectors_first(vectors) + i]];
done:
    akin_labels_free(labels);
    akin_mem_free(own);
    akin_mem_free(some);
    akin_mem_free(all);
    return status;
}
