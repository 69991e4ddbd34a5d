/* table_run: one of the tables that a run makes. */
#include "table_run.h"
#include "limited_lists.h"
#include "list_scores.h"
#include "neighbors_check.h"
#include "product_calibrate.h"
#include "product_diversity.h"
#include "product_fill.h"
#include "product_limits.h"
#include "product_means.h"
#include "product_members.h"
#include "product_order.h"
#include "product_pins.h"
#include "refine.h"
#include "table_before.h"
#include "table_spare.h"
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/npy.h>
#include <akin/table.h>
#include <akin/topk.h>
#include <string.h>

typedef akin_table_run run;

enum { LIMITED_TIMES = 3 /* extra length of lists of which limits can remove entries */ };

akin_status akin_table_run_name(run *r) {
    akin_status status;
    const akin_neighbors_params *p = r->params;
    AKIN_TRY(akin_text_create(&r->checkpoint));
    AKIN_TRY(akin_text_create(&r->spare));
    AKIN_TRY(akin_text_create(&r->result_options));
    AKIN_TRY(akin_text_append(r->checkpoint, "%s%s", p->checkpoint ? p->checkpoint : p->output,
                              p->checkpoint ? "" : ".checkpoint"));
    AKIN_TRY(akin_text_append(r->spare, "%s.spare", p->output));
    if (akin_comm_rank(r->comm) == 0) AKIN_TRY(akin_file_check_output(p->output));
    if (akin_comm_rank(r->comm) == 0)
        AKIN_TRY(akin_file_check_output(akin_text_bytes(r->checkpoint)));
done:
    return status;
}

/* --- properties of the table --- */

/* The products whose pictures are compared; NULL: rows are not pictures of products. */
static const akin_products *pictures_of(const run *r) {
    return r->params->by_group && !r->params->mean ? &r->products : NULL;
}

/* Whether lists of the comparison can exceed limits. */
static bool is_limited(const run *r) {
    const akin_item_limits *limits = r->more != NULL ? akin_item_rules_limits(r->more) : NULL;
    bool pinned = r->pins != NULL &&
                  pictures_of(r) == NULL; /* else they are added to the lists of products */
    return limits != NULL &&
           (akin_item_limits_several(limits) || pinned || r->params->refine.collapse);
}

static bool is_boosted(const run *r) {
    return r->more != NULL && akin_item_rules_boosted(r->more);
}

/* Whether the table's lists differ from those of the comparison. */
static bool is_refined(const run *r) {
    return akin_refine_asked(&r->params->refine) || is_limited(r) || is_boosted(r) ||
           r->pins != NULL;
}

static size_t pool_of(const run *r) {
    size_t pool = akin_refine_pool(&r->params->refine, r->params->k);
    bool limited = is_limited(r) || (r->more && akin_item_rules_product_limits(r->more));
    return limited ? LIMITED_TIMES * pool + LIMITED_TIMES : pool;
}

/* Points out a rule without effect; of a catalogue's items it is told where their source is known. */
static void tell_unknown(const akin_neighbors_params *p) {
    bool is_npy = false;
    if (!p->rules.only_available || p->against) return;
    if (akin_npy_recognise(p->input, &is_npy) != AKIN_OK) akin_error_clear(); /* told elsewhere */
    if (is_npy)
        akin_log_warning("neighbors: --only-available has no effect: the rows of %s are all "
                         "available",
                         p->input);
}

/* The rules for single items, if there are any. Collective; agreed. */
static akin_status take_rules(run *r) {
    akin_status status = AKIN_OK;
    const akin_neighbors_params *p = r->params;
    const char *files = "";
    if (akin_item_rules_asked(&p->rules) || p->against || p->by_group) {
        const akin_products *products = pictures_of(r);
        AKIN_TRY(
            akin_item_rules_create(r->comm, &p->rules, r->vectors, products, p->input, &r->more));
        akin_item_limits *limits = akin_item_rules_limits(r->more);
        if (p->refine.collapse && limits && !products)
            AKIN_TRY(akin_agree(r->comm, akin_item_limits_loosen(limits, LIMITED_TIMES)));
        r->rules.more = akin_item_rules_rows(r->more);
        r->rules.only_available = akin_item_rules_targets(r->more);
        files = akin_item_rules_digest(r->more);
        const akin_item_pins_lists lists = {r->vectors,
                                            products,
                                            akin_item_rules_blocks(r->more),
                                            p->rules.only_available,
                                            p->mean && !p->against,
                                            p->k};
        if (p->rules.pins.count > 0)
            AKIN_TRY(akin_item_pins_read(r->comm, &p->rules.pins, &lists, &r->pins));
    }
    AKIN_TRY(akin_agree(r->comm, akin_text_append(r->result_options, "%s%s%s", p->result_options,
                                                  *files ? " rule-files=" : "", files)));
done:
    return status;
}

/* Finds the products and replaces the items' rows by those that are compared: the items in product
 * order or, if the score is a mean, the products. Collective; agreed. */
static akin_status take_products(run *r, const run *like, akin_neighbors_figures *out) {
    akin_status status;
    akin_vectors *means = NULL;
    r->items = r->vectors;
    if (!r->params->by_group) return AKIN_OK;
    r->shares_order = !r->params->mean && like && like->order;
    if (r->shares_order) r->vectors = like->vectors, r->order = like->order;
    AKIN_TRY(akin_products_find(r->comm, r->vectors, &r->products));
    out->products = r->products.sources.count;
    if (r->shares_order) return AKIN_OK;
    if (!r->params->mean)
        return akin_product_order_put(r->comm, &r->vectors, &r->products, &r->order);
    AKIN_TRY(
        akin_product_means_create(r->comm, r->vectors, &r->products, !r->params->against, &means));
    r->pictures = r->vectors, r->vectors = means;
done:
    return status;
}

akin_status akin_table_run_begin(run *r, const run *like, akin_neighbors_figures *out) {
    akin_status status;
    const akin_neighbors_params *p = r->params;
    AKIN_TRY(
        akin_agree(r->comm, akin_neighbors_resolve(&p->rules, r->vectors, p->input, &r->rules)));
    AKIN_TRY(akin_agree(r->comm, akin_neighbors_check(p, r->vectors)));
    out->unusable = akin_vectors_unusable(r->vectors);
    out->dim = akin_vectors_dim(r->vectors);
    AKIN_TRY(take_products(r, like, out));
    AKIN_TRY(take_rules(r));
    tell_unknown(p);
    out->items = akin_vectors_sources(r->pictures ? r->pictures : r->vectors);
    out->targets = !p->against ? out->items
                   : p->mean   ? r->products.targets.count
                               : akin_vectors_items(r->vectors) - out->items;
    if (!p->against || !p->by_group || p->mean) akin_neighbors_tell_short(p, out);
done:
    return status;
}

/* --- before the comparison --- */

akin_status akin_table_run_know(run *r, akin_neighbors_figures *out) {
    r->pool = pool_of(r);
    r->list = akin_allpairs_list(akin_vectors_items(r->vectors), r->pool + r->params->spare);
    if (!r->params->previous) return AKIN_OK;
    akin_status status = akin_table_before_find(r);
    if (r->delta == NULL) return status;
    out->kept = r->delta->kept, out->shorter = r->delta->shorter;
    out->fresh = r->delta->fresh, out->gone = r->delta->gone;
    return status;
}

/* --- from lists to the table --- */

/* Drops entries below the horizon of a reused list (delta.h). */
static void drop_unknown(run *r) {
    for (size_t i = 0; r->delta != NULL && i < akin_vectors_count(r->vectors); i++)
        for (size_t e = 0; e < r->list; e++)
            if (r->lists[i * r->list + e] < r->delta->horizon[i]) r->lists[i * r->list + e] = 0;
}

void akin_table_run_take(run *r, uint64_t *lists) {
    r->lists = lists;
    drop_unknown(r);
    if (r->more != NULL) akin_item_rules_empty(r->more, r->vectors, r->list, r->lists);
}

/* Makes the table's lists from those of the comparison. Collective; agreed. */
static akin_status refine(run *r, akin_neighbors_figures *figures, akin_refined *out) {
    akin_status status;
    const akin_neighbors_params *p = r->params;
    const akin_limited_lists_source source = {.rules = &r->rules,
                                              .more = r->more,
                                              .pins = r->pins,
                                              .duplicate_of = r->duplicate_of,
                                              .lists = r->lists,
                                              .stride = r->list,
                                              .horizon = r->delta ? r->delta->horizon : NULL};
    size_t k = akin_refine_pool(&p->refine, p->k);
    uint64_t *limited = NULL;
    if (!is_limited(r))
        return akin_refine(r->comm, r->vectors, &r->rules, &p->refine, p->k,
                           (akin_refine_lists){r->lists, r->list, r->duplicate_of}, out);
    AKIN_TRY(akin_limited_lists(r->comm, r->vectors, &source, k, &limited, &figures->sought));
    AKIN_TRY(akin_refine(r->comm, r->vectors, &r->rules, &p->refine, p->k,
                         (akin_refine_lists){limited, k, r->duplicate_of}, out));
done:
    akin_mem_free(limited);
    return status;
}

/* Puts the pins first, replaces other scores by cosines, and fills the lists. Collective; agreed.
 */
static akin_status finish_lists(run *r, akin_refined *out) {
    akin_status status = AKIN_OK;
    size_t k = r->params->k;
    if (r->pins != NULL) {
        out->pinned = akin_mem_alloc(akin_vectors_count(r->vectors), sizeof *out->pinned);
        AKIN_TRY(akin_agree(r->comm, out->pinned ? AKIN_OK : AKIN_FAILED));
        akin_item_pins_put(r->pins, akin_vectors_count(r->vectors), k, out->neighbor, out->score,
                           out->counts, out->pinned);
    }
    if (is_boosted(r) || r->pins != NULL)
        AKIN_TRY(akin_list_scores(r->comm, r->vectors, k, is_boosted(r) ? out->counts : out->pinned,
                                  out->neighbor, out->score));
    akin_refine_params refine = r->params->refine;
    if (r->params->by_group) refine.calibrated = false; /* by pairs of products, afterwards */
    status = akin_refine_finish(r->comm, r->vectors, &r->rules, r->more, &refine, k, out);
done:
    return status;
}

static akin_table_origin origin_of(const run *r) {
    const akin_neighbors_params *p = r->params;
    return (akin_table_origin){p->options, p->result_options,
                               p->against ? akin_vectors_source_digest(r->vectors)
                                          : akin_vectors_digest(r->vectors),
                               akin_vectors_model_digest(r->vectors)};
}

/* Digest of the rules' files; NULL: none. */
static const char *rules_digest(const run *r) {
    const char *digest = r->more != NULL ? akin_item_rules_digest(r->more) : "";
    return *digest != '\0' ? digest : NULL;
}

static void count_from(size_t first, int32_t *rows, size_t count) {
    for (size_t e = 0; e < count; e++)
        if (rows[e] >= 0) rows[e] -= (int32_t)first;
}

/* Converts rows of the vectors to rows of the other catalogue. */
static void count_from_targets(const run *r, int32_t *rows, size_t count) {
    count_from(akin_vectors_sources(r->vectors), rows, count);
}

/* The lists of products that were compared as rows, and the other columns of the table. Collective;
 * agreed. */
static akin_status list_means(run *r, akin_neighbors_figures *figures, akin_refined *table,
                              akin_product_lists *out) {
    akin_status status;
    size_t first = akin_vectors_first(r->vectors), n = r->products.sources.count,
           end = first + akin_vectors_count(r->vectors);
    AKIN_TRY(refine(r, figures, table));
    AKIN_TRY(finish_lists(r, table));
    if (!r->params->against) /* with it, a row is the number of its product */
        count_from_targets(r, table->neighbor, akin_vectors_count(r->vectors) * r->params->k);
    *out = (akin_product_lists){.first = first < n ? first : n,
                                .neighbor = table->neighbor,
                                .score = table->score,
                                .held = table->counts};
    out->count = (end < n ? end : n) - out->first;
    table->neighbor = table->counts = NULL, table->score = NULL;
    status =
        akin_product_means_pictures(r->comm, r->pictures, &r->products, r->params->k, NULL, out);
done:
    return status;
}

/* Joins the lists of pictures to those of products, of at most k. Collective; agreed. */
static akin_status join_lists(run *r, const akin_product_limits_source *source,
                              akin_neighbors_figures *figures, size_t k, akin_product_lists *out) {
    akin_status status = AKIN_OK;
    float *cosines = NULL;
    if (akin_item_rules_product_limits(r->more) || r->product_duplicate_of)
        return akin_product_limits_keep(r->comm, source, k, out, &figures->sought);
    if (is_boosted(r))
        AKIN_TRY(akin_list_cosines(r->comm, r->vectors, r->lists, r->list, &cosines));
    const akin_product_item_lists from = {.lists = r->lists,
                                          .width = r->list,
                                          .cosines = cosines,
                                          .count = akin_vectors_count(r->vectors)};
    status = akin_products_join(r->comm, r->vectors, &r->products, &from, k, out);
done:
    akin_mem_free(cosines);
    return status;
}

/* Chooses from these lists, puts the pins first, and fills them. Collective; agreed. */
static akin_status list_best(run *r, akin_neighbors_figures *figures, akin_refined *table,
                             akin_product_lists *out) {
    akin_status status;
    const akin_refine_params *refine = &r->params->refine;
    size_t k = r->params->k, pool = refine->diverse ? akin_refine_pool(refine, k) : k;
    const akin_product_limits_source source = {.vectors = r->vectors,
                                               .products = &r->products,
                                               .rules = &r->rules,
                                               .item_rules = r->more,
                                               .pins = r->pins,
                                               .duplicate_of = r->product_duplicate_of,
                                               .lists = r->lists,
                                               .count = akin_vectors_count(r->vectors),
                                               .stride = r->list,
                                               .pool = r->pool < r->list ? r->pool : r->list};
    AKIN_TRY(join_lists(r, &source, figures, pool, out));
    if (refine->diverse)
        AKIN_TRY(akin_product_diversity(r->comm, r->vectors, &r->products, refine->lambda, k, pool,
                                        out));
    if (r->pins != NULL)
        AKIN_TRY(akin_product_pins_put(r->comm, r->vectors, &r->products, r->pins, k, out,
                                       &table->pinned));
    if (refine->fill)
        status = akin_product_fill(r->comm, &source, k, out, &table->filled, &table->fills);
done:
    return status;
}

/* Converts numbers of products to rows of the table, and rows of pictures to those of their files. */
static void number_rows(const run *r, akin_product_lists *lists) {
    size_t entries = lists->count * r->params->k,
           sources = akin_vectors_sources(r->pictures ? r->pictures : r->vectors);
    for (size_t e = 0; r->order && e < entries; e++) {
        if (lists->picture[e] >= 0) lists->picture[e] = r->order[lists->picture[e]];
        if (lists->other[e] >= 0) lists->other[e] = r->order[lists->other[e]];
    }
    if (!r->params->against) return;
    count_from(r->products.targets.first, lists->neighbor, entries);
    count_from(sources, lists->other, entries);
}

/* For the table: the duplicates among this rank's products, or among its targets. */
static akin_status tell_duplicates(const run *r, const akin_product_lists *lists,
                                   akin_refined *table) {
    const akin_product_span targets = r->products.targets,
                            own = r->params->against
                                      ? akin_products_shard(r->comm, targets)
                                      : (akin_product_span){lists->first, lists->count};
    akin_mem_free(table->duplicate_of);
    table->duplicate_of = akin_mem_alloc(own.count, sizeof *table->duplicate_of);
    if (!table->duplicate_of) return AKIN_FAILED;
    for (size_t p = 0; p < own.count; p++)
        table->duplicate_of[p] = r->product_duplicate_of[own.first + p];
    count_from(targets.first, table->duplicate_of, own.count);
    table->duplicates = 0;
    for (size_t p = 0; p < r->products.count; p++)
        table->duplicates += r->product_duplicate_of[p] >= 0;
    return AKIN_OK;
}

/* Makes the table between products. Collective; agreed. */
static akin_status write_products(run *r, akin_neighbors_figures *figures) {
    akin_status status;
    const akin_neighbors_params *p = r->params;
    const akin_vectors *pictures = r->pictures ? r->pictures : r->vectors;
    const akin_product_span targets = akin_products_shard(r->comm, r->products.targets);
    akin_refined table = {0};
    akin_product_lists lists = {0};
    int32_t *numbers = NULL;
    akin_labels *labels = NULL, *target_labels = NULL;
    const akin_table_origin origin = origin_of(r);
    AKIN_TRY(r->pictures ? list_means(r, figures, &table, &lists)
                         : list_best(r, figures, &table, &lists));
    AKIN_TRY(akin_products_label(r->comm, pictures, &r->products, lists.first, lists.count, false,
                                 &labels));
    if (p->against)
        AKIN_TRY(akin_products_label(r->comm, pictures, &r->products, targets.first, targets.count,
                                     false, &target_labels));
    const akin_product_scores scores = {pictures, r->pictures ? r->vectors : NULL, &r->products};
    if (p->refine.calibrated)
        AKIN_TRY(akin_product_calibrate(r->comm, &scores, p->k, &lists, &table.calibration));
    number_rows(r, &lists);
    if (r->product_duplicate_of) AKIN_TRY(akin_agree(r->comm, tell_duplicates(r, &lists, &table)));
    akin_table_members members, others;
    AKIN_TRY(akin_agree(r->comm, akin_product_members_list(r->items, &r->products, r->order,
                                                           &numbers, &members, &others)));
    const akin_table_extras extras = {.diverse = p->refine.diverse,
                                      .members = members,
                                      .target_members = others,
                                      .boosted = is_boosted(r),
                                      .pinned = table.pinned,
                                      .filled = table.filled,
                                      .duplicate_of = table.duplicate_of,
                                      .calibration = table.calibration,
                                      .rules_digest = rules_digest(r),
                                      .picture = lists.picture,
                                      .neighbor_picture = lists.other,
                                      .target_labels = target_labels,
                                      .targets = r->products.targets.count,
                                      .first_target = targets.first - r->products.targets.first,
                                      .against_digest =
                                          p->against ? akin_vectors_target_digest(pictures) : NULL};
    const akin_table_part part = {
        r->products.sources.count, p->k, lists.first, lists.neighbor, lists.score, lists.held};
    AKIN_TRY(akin_table_write(r->comm, p->output, &origin, labels, &part, &extras));
    figures->fills = table.fills, figures->duplicates = table.duplicates;
    figures->sought += table.sought;
done:
    akin_labels_free(labels);
    akin_labels_free(target_labels);
    akin_mem_free(numbers);
    akin_product_lists_release(&lists);
    akin_refined_free(&table);
    return status;
}

/* For this rank's items, or for its targets; NULL: none. */
static const float *boost_of(const run *r) {
    const float *offset = is_boosted(r) ? akin_item_rules_offsets(r->more) : NULL;
    return offset && r->params->against ? offset + akin_vectors_own_sources(r->vectors) : offset;
}

static akin_status write_table(run *r, akin_neighbors_figures *figures) {
    akin_status status;
    const akin_neighbors_params *p = r->params;
    size_t first = akin_vectors_first(r->vectors), sources = akin_vectors_sources(r->vectors);
    akin_refined table = {0};
    const akin_table_origin origin = origin_of(r);
    AKIN_TRY(refine(r, figures, &table));
    AKIN_TRY(finish_lists(r, &table));
    const akin_table_extras extras = {
        .diverse = p->refine.diverse,
        .boosted = is_boosted(r),
        .pinned = table.pinned,
        .boost = boost_of(r),
        .filled = table.filled,
        .duplicate_of = table.duplicate_of && p->against
                            ? table.duplicate_of + akin_vectors_own_sources(r->vectors)
                            : table.duplicate_of,
        .calibration = table.calibration,
        .exact = !is_refined(r),
        .rules_digest = rules_digest(r),
        .target_labels = akin_vectors_target_labels(r->vectors),
        .targets = akin_vectors_items(r->vectors) - sources,
        .against_digest = p->against ? akin_vectors_target_digest(r->vectors) : NULL,
        .first_target = first > sources ? first - sources : 0};
    akin_labels *labels = akin_vectors_labels(r->vectors);
    if (p->against) {
        size_t count = akin_vectors_count(r->vectors);
        count_from_targets(r, table.neighbor, count * p->k);
        if (table.duplicate_of) count_from_targets(r, table.duplicate_of, count);
        labels = akin_vectors_source_labels(r->vectors);
        if (first > sources) first = sources;
    }
    const akin_table_part part = {sources, p->k, first, table.neighbor, table.score, table.counts};
    AKIN_TRY(akin_table_write(r->comm, p->output, &origin, labels, &part, &extras));
    figures->duplicates = table.duplicates, figures->sought += table.sought,
    figures->fills = table.fills;
done:
    akin_refined_free(&table);
    return status;
}

akin_status akin_table_run_write(run *r, akin_neighbors_figures *out) {
    akin_status status;
    AKIN_TRY(r->params->by_group ? write_products(r, out) : write_table(r, out));
    if (akin_table_spare_write(r, is_refined(r) || r->params->by_group) !=
        AKIN_OK) { /* the table is complete; the spare file is optional */
        akin_log_warning("neighbors: continuing without %s: %s", akin_text_bytes(r->spare),
                         akin_error_message());
        akin_error_clear();
    }
done:
    akin_mem_free(r->lists);
    r->lists = NULL;
    return status;
}

void akin_table_run_release(run *r) {
    if (r->pictures || (r->order && !r->shares_order)) akin_vectors_free(r->vectors);
    if (!r->shares_order) akin_mem_free(r->order);
    akin_products_release(&r->products);
    akin_mem_free(r->lists);
    akin_mem_free(r->duplicate_of);
    akin_mem_free(r->product_duplicate_of);
    akin_delta_free(r->delta);
    akin_text_free(r->checkpoint);
    akin_text_free(r->spare);
    akin_text_free(r->result_options);
    akin_item_rules_free(r->more);
    akin_item_pins_free(r->pins);
}
