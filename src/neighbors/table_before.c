/* table_before: what the night before says about a table. */
#include "table_before.h"
#include "aspect.h"
#include "product_rows.h"
#include <akin/log.h>
#include <akin/mem.h>

/* The vectors that the previous night compared, made like the current ones. */
typedef struct {
    akin_vectors *vectors,
        *made_from; /* made_from: the rows of the file, if the vectors are others */
    akin_products products;
    int32_t *order;
} night_before;

static void free_before(night_before *b) {
    akin_vectors_free(b->vectors);
    akin_vectors_free(b->made_from);
    akin_products_release(&b->products);
    akin_mem_free(b->order);
}

/* Replaces the vectors by those of --aspect, if given. Collective; agreed. */
static akin_status take_aspect(const akin_table_run *r, night_before *b) {
    const akin_neighbors_params *p = r->params;
    const char *before = p->previous_against ? p->previous_against : p->against;
    const akin_aspect aspect = {
        .parts = p->aspect,
        .input = {p->previous_embeddings, NULL},
        .against = {before, before == p->against ? p->against_catalog : NULL}};
    akin_status status = akin_aspect_take(r->comm, &aspect, &b->vectors);
    if (status == AKIN_OK || status == AKIN_INTERRUPTED) return status;
    akin_log_info("neighbors: --aspect cannot be applied to the previous night (%s): everything is "
                  "computed again",
                  akin_error_message());
    akin_error_clear();
    akin_vectors_free(b->vectors);
    b->vectors = NULL;
    return AKIN_OK;
}

/* Collective; agreed. */
static akin_status open_before(const akin_table_run *r, night_before *b) {
    akin_status status;
    const akin_neighbors_params *p = r->params;
    const akin_vectors_source sources = {p->previous_embeddings, p->previous_ids},
                              given = {p->previous_against, p->previous_against_ids},
                              same = {p->against, p->against_ids};
    *b = (night_before){0};
    AKIN_TRY(p->against ? akin_vectors_open_against(
                              r->comm, &sources, p->previous_against ? &given : &same, &b->vectors)
                        : akin_vectors_open(r->comm, sources.path, sources.ids_path, &b->vectors));
    if (p->aspect) AKIN_TRY(take_aspect(r, b));
    if (!p->by_group || !b->vectors) return AKIN_OK;
    const akin_product_rows_how how = {p->mean, !p->against};
    status =
        akin_product_rows_take(r->comm, how, &b->vectors, &b->made_from, &b->products, &b->order);
done:
    return status;
}

/* Collective; agreed. */
akin_status akin_table_before_find(akin_table_run *r) {
    akin_status status;
    const akin_neighbors_params *p = r->params;
    night_before before;
    AKIN_TRY(open_before(r, &before));
    if (!before.vectors) goto done;
    const akin_delta_source source = {.table = p->previous,
                                      .embeddings = p->previous_embeddings,
                                      .result_options = p->result_options,
                                      .before = before.vectors,
                                      .apart = p->by_group,
                                      .by_product = before.order != NULL,
                                      .k = r->pool,
                                      .list = r->list};
    status = akin_delta_find(r->comm, &source, r->vectors, &r->rules, r->more, &r->delta);
done:
    free_before(&before);
    return status;
}
