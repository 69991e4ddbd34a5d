/* first_duplicates: finds the duplicates of a table in a pass of their own. */
#include "first_duplicates.h"
#include "aspect.h"
#include "product_duplicates.h"
#include "product_rows.h"
#include "refine.h"
#include "target_duplicates.h"
#include <akin/mem.h>

/* The other catalogue, and the rules under which its rows can be duplicates of each other. */
typedef struct {
    akin_vectors *vectors,
        *made_from;         /* made_from: the rows of the file, if the others are made of them */
    akin_products products; /* with by_group */
    akin_item_rules *more;  /* NULL: no rules other than those of labels */
    akin_row_block_rules rules;
} others;

static void free_others(others *o) {
    akin_item_rules_free(o->more);
    akin_products_release(&o->products);
    akin_vectors_free(o->vectors);
    akin_vectors_free(o->made_from);
}

/* Collective; agreed. */
static akin_status take_products(akin_comm *comm, const akin_neighbors_params *p, others *o) {
    const akin_product_rows_how how = {.mean = p->mean};
    int32_t *order = NULL;
    akin_status status =
        akin_product_rows_take(comm, how, &o->vectors, &o->made_from, &o->products, &order);
    if (!p->mean) o->rules.exclude_same_group = true; /* pictures of a product are no duplicates */
    akin_mem_free(order);
    return status;
}

/* The first row that can be in a list. */
static size_t targets_at(const others *o) {
    size_t sources = akin_vectors_sources(o->vectors);
    return sources < akin_vectors_items(o->vectors) ? sources : 0;
}

/* Collective; agreed. */
static akin_status open_others(akin_comm *comm, const akin_table_run *r, others *o) {
    akin_status status;
    const akin_neighbors_params *p = r->params;
    const akin_aspect aspect = {.parts = p->aspect,
                                .input = {p->against, p->against_catalog},
                                .model = p->model,
                                .beside = p->input};
    akin_neighbors_rules given = p->rules;
    const akin_item_blocks *blocks = akin_item_rules_blocks(r->more);
    given.boost = given.pins = given.at_most = given.blocks = (akin_neighbors_words){0};
    given.damp_hubs = false;
    *o = (others){.rules = r->rules};
    o->rules.more = NULL;
    AKIN_TRY(akin_vectors_open(comm, p->against, p->against_ids, &o->vectors));
    if (p->aspect) AKIN_TRY(akin_aspect_take(comm, &aspect, &o->vectors));
    if (p->by_group) AKIN_TRY(take_products(comm, p, o));
    if (!akin_item_rules_asked(&given) && blocks->for_all_count == 0 && !p->by_group)
        return AKIN_OK;
    AKIN_TRY(akin_item_rules_create(comm, &given, o->vectors,
                                    p->by_group && !p->mean ? &o->products : NULL, p->against,
                                    &o->more));
    akin_item_rules_strike(o->more, o->vectors, blocks,
                           (int64_t)akin_vectors_sources(r->vectors) - (int64_t)targets_at(o));
    o->rules.more = akin_item_rules_rows(o->more);
    o->rules.only_available = akin_item_rules_targets(o->more);
done:
    return status;
}

/* From numbers of products of one catalogue to those of all products, and to rows of means. */
static akin_status number(akin_table_run *r, const int32_t *of) {
    const akin_product_span targets = r->products.targets;
    const size_t rows = akin_vectors_items(r->vectors);
    int32_t *all = r->product_duplicate_of = akin_mem_alloc(r->products.count, sizeof *all);
    if (!all) return AKIN_FAILED;
    for (size_t p = 0; p < r->products.count; p++) all[p] = -1;
    for (size_t t = 0; t < targets.count; t++)
        if (of[t] >= 0) all[targets.first + t] = of[t] + (int32_t)targets.first;
    if (!r->params->mean) return AKIN_OK;
    const size_t before = rows - targets.count; /* the rows of targets come last */
    int32_t *row = r->duplicate_of = akin_mem_alloc(rows, sizeof *row);
    if (!row) return AKIN_FAILED;
    for (size_t i = 0; i < before; i++)
        row[i] = r->params->against || of[i] < 0 ? -1 : of[i] + (int32_t)before;
    for (size_t t = 0; t < targets.count; t++)
        row[before + t] = of[t] < 0 ? -1 : of[t] + (int32_t)before;
    return AKIN_OK;
}

/* Collective; agreed. */
static akin_status find_products(akin_comm *comm, akin_table_run *r, const others *o,
                                 const akin_first_pass_checkpoint *checkpoint,
                                 akin_allpairs_figures *figures) {
    const akin_product_duplicates_source from = {.vectors = o->vectors,
                                                 .products = r->params->against ? &o->products
                                                                                : &r->products,
                                                 .rules = &o->rules,
                                                 .mean = r->params->mean,
                                                 .least = akin_refine_least(&r->params->refine),
                                                 .pool = r->pool};
    int32_t *of = NULL;
    akin_status status = akin_product_duplicates_find(comm, &from, checkpoint, &of, figures);
    if (status == AKIN_OK) status = akin_agree(comm, number(r, of));
    akin_mem_free(of);
    return status;
}

akin_status akin_first_duplicates_find(akin_comm *comm, akin_table_run *r,
                                       const akin_first_pass_checkpoint *checkpoint,
                                       akin_allpairs_figures *figures) {
    const akin_neighbors_params *p = r->params;
    others o = {.vectors = r->vectors, .rules = r->rules};
    akin_status status = p->against ? open_others(comm, r, &o) : AKIN_OK;
    if (status == AKIN_OK && p->by_group)
        status = find_products(comm, r, &o, checkpoint, figures);
    else if (status == AKIN_OK)
        status = akin_target_duplicates_find(
            comm, o.vectors, p->against ? akin_vectors_sources(r->vectors) : 0, &o.rules,
            akin_refine_least(&p->refine), r->pool, checkpoint, &r->duplicate_of, figures);
    if (p->against) free_others(&o);
    return status;
}
