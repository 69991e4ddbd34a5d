/* query_rows: the rows that a query compares. */
#include "query_rows.h"
#include "product_rows.h"
#include <akin/mem.h>

/* Collective; agreed. */
static akin_status take_products(akin_comm *comm, const akin_query_params *params,
                                 akin_query_rows *out) {
    const akin_product_rows_how how = {params->mean, !params->against};
    int32_t *order = NULL;
    if (akin_labels_group_count(akin_vectors_labels(out->vectors)) == 0)
        return akin_error_option("by", "--by group: no item of %s has a group", params->input);
    akin_status status =
        akin_product_rows_take(comm, how, &out->vectors, &out->made_from, &out->products, &order);
    akin_mem_free(order);
    return status;
}

akin_status akin_query_rows_open(akin_comm *comm, const akin_query_params *params,
                                 akin_query_rows *out) {
    akin_status status;
    const akin_vectors_source sources = {params->input, params->ids},
                              others = {params->against, params->against_ids};
    *out = (akin_query_rows){0};
    AKIN_TRY(params->against ? akin_vectors_open_against(comm, &sources, &others, &out->vectors)
                             : akin_vectors_open(comm, params->input, params->ids, &out->vectors));
    if (params->by_group) status = take_products(comm, params, out);
done:
    return status;
}

void akin_query_rows_release(akin_query_rows *rows) {
    akin_vectors_free(rows->vectors);
    akin_vectors_free(rows->made_from);
    akin_products_release(&rows->products);
}

const akin_products *akin_query_rows_pictures(const akin_query_rows *rows,
                                              const akin_query_params *params) {
    return params->by_group && !params->mean ? &rows->products : NULL;
}
