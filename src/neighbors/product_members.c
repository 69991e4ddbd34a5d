/* product_members: the items of products. */
#include "product_members.h"
#include <akin/mem.h>

/* The row in the table, or in its targets, of each product of this rank's rows of the files. */
static int32_t *number(const akin_vectors *items, const akin_products *products,
                       const int32_t *order) {
    size_t first = akin_vectors_first(items), count = akin_vectors_count(items);
    int32_t *rows = akin_mem_alloc(count, sizeof *rows);
    for (size_t i = 0; rows && i < products->items; i++) {
        size_t item = order ? (size_t)order[i] : i, p = (size_t)products->of_item[i];
        if (item < first || item - first >= count) continue;
        bool target = item >= akin_vectors_sources(items);
        rows[item - first] = (int32_t)(target ? p - products->targets.first : p);
    }
    return rows;
}

akin_status akin_product_members_list(const akin_vectors *items, const akin_products *products,
                                      const int32_t *order, int32_t **numbers,
                                      akin_table_members *members, akin_table_members *targets) {
    const size_t first = akin_vectors_first(items), sources = akin_vectors_sources(items);
    const akin_labels *own = akin_vectors_source_labels(items);
    const int32_t *rows = *numbers = number(items, products, order);
    if (!rows) return AKIN_FAILED;
    *members = (akin_table_members){own ? own : akin_vectors_labels(items), rows,
                                    first < sources ? first : sources, sources};
    *targets = (akin_table_members){
        akin_vectors_target_labels(items), rows + akin_vectors_own_sources(items),
        first > sources ? first - sources : 0, akin_vectors_items(items) - sources};
    return AKIN_OK;
}
