/* query_why: explains why one item or product is, or is not, among the neighbours of another. */
#include "query_products.h"
#include "query_rules.h"
#include "query_table.h"
#include "refine.h"
#include <akin/allpairs.h>
#include <akin/compare.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <akin/query.h>
#include <akin/shard.h>
#include <akin/text.h>
#include <akin/topk.h>
#include <math.h>
#include <string.h>

typedef struct {
    akin_comm *comm;
    const akin_query_params *params;
    akin_query_rows rows;
    akin_vectors *vectors;         /* of these */
    const akin_products *products; /* whose pictures the rows are; NULL: they are none */
    size_t number[2];              /* of the two products */
    int32_t pair[2];               /* rows of their pictures that are compared */
    akin_query_asker who, other;
    akin_query_rules rules;
    akin_query_why *out;
} explanation;

/* The name of the other's catalogue. */
static const char *target_path(const akin_query_params *params) {
    return params->against ? params->against : params->input;
}

/* Finds the two items, or the two pictures of products. Collective; agreed. */
static akin_status find_both(const explanation *e, const akin_row_rules *more, akin_query_asker *a,
                             akin_query_asker *b) {
    akin_status status = AKIN_OK;
    const akin_query_params *params = e->params;
    if (e->products) {
        akin_query_take_row(e->comm, e->vectors, (size_t)e->pair[0], more, a);
        akin_query_take_row(e->comm, e->vectors, (size_t)e->pair[1], more, b);
        return AKIN_OK;
    }
    AKIN_TRY(akin_query_find_item(e->comm, params->input, params->id, e->vectors, more, a));
    status = akin_query_find_target(e->comm, target_path(params), params->why, e->vectors, more, b);
done:
    return status;
}

/* The other in lists: a row, or the number of a product. */
static int32_t other_of(const explanation *e) {
    return e->products ? (int32_t)e->number[1] : e->other.item.row;
}

/* The list under these rules, of items or of products, as of akin_query_rules_list. Collective;
 * agreed. */
static akin_status list_under(const explanation *e, const akin_query_rules *rules, uint64_t *list,
                              size_t *pinned) {
    return e->products ? akin_query_products_list(e->comm, &e->rows, rules, e->number[0],
                                                  e->out->depth, list, pinned)
                       : akin_query_rules_list(e->comm, rules, e->vectors, &e->who, e->out->depth,
                                               list, pinned);
}

/* The score as the engine computes it. Not collective. */
static akin_status score_pair(const explanation *e) {
    akin_status status = AKIN_OK;
    akin_row_block *one = NULL, *two = NULL;
    akin_compare *comparison = NULL;
    const akin_row_block_rules rules = {.min_score = -1};
    const size_t dim = akin_vectors_dim(e->vectors);
    e->out->cosine = NAN;
    if (!e->who.usable || !e->other.usable) return AKIN_OK;
    AKIN_TRY(akin_row_block_create(1, dim, 1, AKIN_ROW_BLOCK_ROWS, &one));
    AKIN_TRY(akin_row_block_create(1, dim, 0, AKIN_ROW_BLOCK_COLUMNS, &two));
    AKIN_TRY(akin_compare_create(&rules, &comparison));
    akin_row_block_begin(one, 1);
    akin_row_block_set(one, 0, e->who.item, e->who.row);
    akin_row_block_ready(one, &rules);
    akin_row_block_begin(two, 1);
    akin_row_block_set(two, 0, e->other.item, e->other.row);
    akin_row_block_ready(two, &rules);
    akin_compare_panels(comparison, one, 0, 1, two, 0, 1);
    uint64_t *list = akin_row_block_list(one, 0);
    akin_topk_sort(list, 1);
    e->out->cosine = akin_topk_score(list[0]);
done:
    akin_compare_free(comparison);
    akin_row_block_free(one);
    akin_row_block_free(two);
    return status;
}

/* --- the rules --- */

static akin_status add_verdict(explanation *e, const char *option, const char *word, bool asked,
                               bool passes) {
    akin_query_why *out = e->out;
    akin_text *text = NULL;
    akin_query_verdict *more =
        akin_mem_resize(out->rules, out->rule_count, out->rule_count + 1, sizeof *out->rules);
    if (!more) return AKIN_FAILED;
    out->rules = more;
    akin_status status = akin_text_create(&text);
    if (status == AKIN_OK)
        status = akin_text_append(text, "%s%s%s", option, *word ? " " : "", word);
    char *rule = status == AKIN_OK ? akin_mem_text(akin_text_bytes(text)) : NULL;
    akin_text_free(text);
    if (!rule) return AKIN_FAILED;
    more[out->rule_count++] = (akin_query_verdict){rule, asked, passes};
    return AKIN_OK;
}

/* The rules that every table can have, whether requested or not. */
static akin_status judge_plain(explanation *e) {
    akin_status status;
    const akin_neighbors_rules *rules = &e->params->rules;
    const akin_row_block_item a = e->who.item, b = e->other.item;
    AKIN_TRY(add_verdict(e, "same-category", "", rules->same_category,
                         a.category >= 0 && a.category == b.category));
    bool own = e->params->by_group && !e->params->against; /* then nobody asks for it */
    AKIN_TRY(add_verdict(e, "exclude-same-group", "", rules->exclude_same_group && !own,
                         a.group < 0 || a.group != b.group));
    AKIN_TRY(add_verdict(e, "only-available", "", rules->only_available, b.available != 0));
    AKIN_TRY(add_verdict(e, "min-score", "", rules->min_score > -1,
                         e->out->cosine >= (double)e->rules.rows.min_score));
done:
    return status;
}

/* Whether the pair passes the rules, except limits. Collective; agreed. */
static akin_status passes(explanation *e, const akin_query_rules *rules, bool *out) {
    akin_status status;
    akin_query_asker a = e->who, b = e->other;
    const akin_row_rules *rows = rules->rows.more;
    AKIN_TRY(find_both(e, rows, &a, &b));
    *out = akin_row_rules_allow(rows, a.item.row, &a.item.values, b.item.row, &b.item.values) &&
           (!rules->rows.only_available || b.item.available) &&
           !akin_item_blocks_alone(akin_item_rules_blocks(rules->more), a.item.row);
done:
    return status;
}

/* Whether one limit, applied after all other rules, admits the other item to the list: it does
 * unless the entries before it have used the limit up. list [depth]. */
static bool fits(const explanation *e, const akin_query_rules *limit, const uint64_t *list,
                 uint64_t *scratch) {
    size_t depth = e->out->depth, at = 0, kept = 0;
    float score = (float)e->out->cosine + e->other.item.values.offset + 0.0f;
    const uint64_t own = akin_topk_key(isnan(score) ? -1 : score, other_of(e));
    for (; at < depth && list[at] > own; at++) scratch[kept++] = list[at];
    scratch[kept++] = own;
    akin_item_limits *limits = e->products ? akin_item_rules_product_limits(limit->more)
                                           : akin_item_rules_limits(limit->more);
    const size_t held = akin_item_limits_take(limits, NULL, 0, scratch, kept, kept);
    return held > 0 && akin_topk_row(scratch[held - 1]) == other_of(e);
}

typedef struct {
    const char *option;
    size_t offset; /* offset of the words in akin_neighbors_rules */
} word_rule;

#define WORDS(option, field)                                                                       \
    { option, offsetof(akin_neighbors_rules, field) }
static const word_rule word_rules[] = {WORDS("same", same),     WORDS("different", different),
                                       WORDS("within", within), WORDS("only", only),
                                       WORDS("not", barred),    WORDS("at-most", at_most),
                                       WORDS("blocks", blocks), WORDS("categories", categories)};

/* Checks one rule alone. Words of `only` or `not` about the same attribute belong together, so all
 * words of the option are checked at once. Collective; agreed. */
static akin_status judge_word(explanation *e, const word_rule *rule, size_t word,
                              const uint64_t *list, uint64_t *scratch) {
    akin_status status;
    const akin_neighbors_words *given =
        (const void *)((const char *)&e->params->rules + rule->offset);
    bool together = strcmp(rule->option, "only") == 0 || strcmp(rule->option, "not") == 0,
         limit = strcmp(rule->option, "at-most") == 0, ok = false;
    akin_neighbors_rules one = {.min_score = -1};
    akin_neighbors_words *words = (void *)((char *)&one + rule->offset);
    akin_query_rules rules = {0};
    *words = together ? *given : (akin_neighbors_words){1, given->words + word};
    AKIN_TRY(akin_query_rules_create(e->comm, e->params, &one, &e->rows, 1, &rules));
    if (limit)
        ok = fits(e, &rules, list, scratch);
    else
        AKIN_TRY(passes(e, &rules, &ok));
    AKIN_TRY(akin_agree(e->comm, add_verdict(e, rule->option, given->words[word], true, ok)));
done:
    akin_query_rules_release(&rules);
    return status;
}

/* The product's list under all rules except limits and pins. Collective; agreed. */
static akin_status list_products_without_limits(explanation *e, uint64_t *list) {
    akin_query_rules rules = {0};
    akin_neighbors_rules free = e->params->rules;
    size_t pinned;
    free.at_most = free.pins = (akin_neighbors_words){0};
    akin_status status =
        akin_query_rules_create(e->comm, e->params, &free, &e->rows, e->params->k, &rules);
    if (status == AKIN_OK) status = list_under(e, &rules, list, &pinned);
    akin_query_rules_release(&rules);
    return status;
}

/* The item's list under all rules except limits and pins. Collective; agreed. */
static akin_status list_without_limits(explanation *e, uint64_t *list) {
    if (e->products) return list_products_without_limits(e, list);
    akin_row_rules more;
    akin_query_rules rules = {.rows = e->rules.rows};
    if (rules.rows.more) {
        more = *rules.rows.more;
        more.limits = NULL;
        rules.rows.more = &more;
    }
    size_t pinned;
    return list_under(e, &rules, list, &pinned);
}

/* Collective; agreed. */
static akin_status judge_words(explanation *e) {
    akin_status status;
    size_t depth = e->out->depth;
    uint64_t *list = akin_mem_zalloc(depth, sizeof *list),
             *scratch = akin_mem_alloc(depth + 1, sizeof *scratch);
    AKIN_TRY(akin_agree(e->comm, list && scratch ? AKIN_OK : AKIN_FAILED));
    if (e->params->rules.at_most.count > 0) AKIN_TRY(list_without_limits(e, list));
    for (size_t r = 0; r < sizeof word_rules / sizeof *word_rules; r++) {
        const akin_neighbors_words *given =
            (const void *)((const char *)&e->params->rules + word_rules[r].offset);
        for (size_t w = 0; w < given->count; w++)
            AKIN_TRY(judge_word(e, &word_rules[r], w, list, scratch));
    }
done:
    akin_mem_free(list);
    akin_mem_free(scratch);
    return status;
}

/* --- the ranks --- */

/* The rank of the other in a list of the item, 0 = not in it. Collective; agreed. */
static akin_status rank_of(const explanation *e, const akin_query_rules *rules, size_t *rank,
                           size_t *pinned) {
    akin_status status;
    size_t depth = e->out->depth;
    uint64_t *list = akin_mem_zalloc(depth, sizeof *list);
    *rank = *pinned = 0;
    AKIN_TRY(akin_agree(e->comm, list ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(list_under(e, rules, list, pinned));
    for (size_t i = 0; i < depth && list[i] && *rank == 0; i++)
        if (akin_topk_row(list[i]) == other_of(e)) *rank = i + 1;
done:
    akin_mem_free(list);
    return status;
}

/* Collective; agreed. */
static akin_status find_places(explanation *e) {
    akin_status status;
    size_t pinned = 0, none = 0;
    const akin_neighbors_rules no_rules = {
        .min_score = -1, .exclude_same_group = e->params->by_group && !e->params->against};
    akin_query_rules bare = {0}, plain = {0};
    akin_neighbors_rules unboosted = e->params->rules;
    unboosted.boost = (akin_neighbors_words){0}, unboosted.damp_hubs = false;
    AKIN_TRY(rank_of(e, &e->rules, &e->out->rank, &pinned));
    e->out->pinned = e->out->rank > 0 && e->out->rank <= pinned;
    AKIN_TRY(akin_query_rules_create(e->comm, e->params, &no_rules, &e->rows, e->params->k, &bare));
    AKIN_TRY(rank_of(e, &bare, &e->out->rank_without_rules, &none));
    e->out->rank_without_boost = e->out->rank;
    if (!e->out->boosted) goto done;
    AKIN_TRY(
        akin_query_rules_create(e->comm, e->params, &unboosted, &e->rows, e->params->k, &plain));
    AKIN_TRY(rank_of(e, &plain, &e->out->rank_without_boost, &none));
done:
    akin_query_rules_release(&plain);
    akin_query_rules_release(&bare);
    return status;
}

/* --- the list of a table --- */

/* Whether diversity had the other to choose from, and did not choose it. */
static bool is_passed_over(const explanation *e) {
    const akin_query_table *table = e->params->table;
    const akin_refine_params refine = {
        .diverse = true, .collapse = table->collapse != NULL, .pool = table->pool};
    const akin_query_place *place = &e->out->place;
    return place->rank == 0 && !place->collapsed && e->out->rank > 0 &&
           e->out->rank <= akin_refine_pool(&refine, e->params->k);
}

/* Those of its options that leave out what the rules allow. Collective; agreed. */
static akin_status judge_table(explanation *e) {
    akin_status status;
    const akin_query_table *table = e->params->table;
    akin_query_place *place = &e->out->place;
    if (!table) return AKIN_OK;
    AKIN_TRY(akin_query_table_place(e->comm, e->params, place));
    e->out->pinned = place->pinned;
    akin_status local = AKIN_OK;
    if (table->collapse)
        local = add_verdict(e, "collapse-duplicates", table->collapse, true, !place->collapsed);
    if (table->diversity && local == AKIN_OK)
        local = add_verdict(e, "diversity", table->diversity, true, !is_passed_over(e));
    AKIN_TRY(akin_agree(e->comm, local));
done:
    return status;
}

/* --- the parts --- */

/* model.nc in the folder of the embeddings, if it is the model that made them; owned, "" = none. On
 * rank 0. */
static akin_status find_model(const explanation *e, char **out) {
    akin_ncfile *file = NULL;
    char *folder = akin_file_folder(e->params->input);
    *out = folder ? akin_file_join(folder, "model.nc") : NULL;
    akin_mem_free(folder);
    if (!*out) return AKIN_FAILED;
    bool fits = akin_file_exists(*out) && akin_ncfile_peek(*out, "model", &file) == AKIN_OK &&
                strcmp(akin_ncfile_digest(file), akin_vectors_model_digest(e->vectors)) == 0;
    akin_ncfile_close(file);
    akin_error_clear();
    if (!fits) **out = '\0';
    return AKIN_OK;
}

/* Collective; agreed. */
static akin_status share_parts(explanation *e) {
    akin_status status = AKIN_OK;
    akin_model *model = NULL;
    void *path = NULL;
    size_t length = 0;
    if (!e->params->model) {
        char *found = NULL;
        bool finds = akin_comm_rank(e->comm) == 0;
        AKIN_TRY(akin_agree(e->comm, finds ? find_model(e, &found) : AKIN_OK));
        path = found;
        length = found ? strlen(found) + 1 : 0;
        AKIN_TRY(akin_comm_share(e->comm, &path, &length, 0));
    }
    const char *name = e->params->model ? e->params->model : path;
    if (*name == '\0') goto done;
    AKIN_TRY(akin_model_read(e->comm, name, &model));
    akin_status local = AKIN_OK;
    if (akin_model_features(model)->dim != akin_vectors_columns(e->vectors) ||
        strcmp(akin_model_digest(model), akin_vectors_model_digest(e->vectors)) != 0) {
        if (e->params->model)
            local = akin_error_set(AKIN_INPUT, "%s was not made by the model %s alone",
                                   e->params->input, name);
    } else if (e->who.usable && e->other.usable) {
        local =
            akin_part_shares(model, e->who.row, e->other.row, e->out->parts, &e->out->part_count);
    }
    AKIN_TRY(akin_agree(e->comm, local));
done:
    akin_model_free(model);
    akin_mem_free(path);
    return status;
}

/* --- products --- */

/* The id of a row, for all ranks; owned. Collective; agreed. */
static akin_status name_row(akin_comm *comm, const akin_vectors *vectors, int32_t row, char **out) {
    void *text = NULL;
    size_t first = akin_vectors_first(vectors), length = 0;
    int owner = akin_shard_owner(akin_vectors_items(vectors), akin_comm_size(comm), (size_t)row);
    akin_status local = AKIN_OK;
    if (akin_comm_rank(comm) == owner) {
        const char *id = akin_labels_id(akin_vectors_labels(vectors), (size_t)row - first);
        text = akin_mem_text(id), length = strlen(id) + 1;
        if (!text) local = AKIN_FAILED;
    }
    akin_status status = akin_agree(comm, local);
    if (status == AKIN_OK) status = akin_comm_share(comm, &text, &length, owner);
    *out = text;
    return status;
}

/* Chooses the pictures of the two products: those by which one stands in the other's list, or if none
 * may, the most similar ones; of means always the latter. Collective; agreed. */
static akin_status choose_pictures(explanation *e) {
    akin_status status = AKIN_OK;
    const akin_vectors *pictures = e->products ? e->vectors : e->rows.made_from;
    const akin_products *products = &e->rows.products;
    const akin_row_block_rules none = {.min_score = -1};
    e->pair[0] = e->pair[1] = -1;
    if (e->products)
        AKIN_TRY(akin_query_products_pair(e->comm, pictures, products, &e->rules.rows, e->number,
                                          e->pair));
    if (e->pair[0] < 0)
        AKIN_TRY(akin_query_products_pair(e->comm, pictures, products, &none, e->number, e->pair));
    for (int side = 0; side < 2; side++) {
        if (e->pair[side] < 0) e->pair[side] = products->first_item[e->number[side]];
        AKIN_TRY(name_row(e->comm, pictures, e->pair[side], &e->out->picture[side]));
    }
done:
    return status;
}

/* Collective; agreed. */
static akin_status find_products(explanation *e) {
    const akin_query_params *params = e->params;
    const akin_products *products = &e->rows.products;
    akin_status status =
        akin_query_products_find(params->input, params->id, products, false, &e->number[0]);
    if (status == AKIN_OK)
        status = akin_query_products_find(target_path(params), params->why, products, true,
                                          &e->number[1]);
    return akin_agree(e->comm, status);
}

static akin_status explain(explanation *e) {
    akin_status status;
    const akin_query_params *params = e->params;
    size_t n = e->products ? e->products->count : akin_vectors_items(e->vectors);
    e->out->depth = n < AKIN_TOPK_MAX ? n : AKIN_TOPK_MAX;
    if (params->by_group)
        AKIN_TRY(find_products(e));
    else
        AKIN_TRY(find_both(e, NULL, &e->who, &e->other));
    AKIN_TRY(
        akin_query_rules_create(e->comm, params, &params->rules, &e->rows, params->k, &e->rules));
    if (params->by_group) AKIN_TRY(choose_pictures(e));
    AKIN_TRY(find_both(e, e->rules.rows.more, &e->who, &e->other));
    AKIN_TRY(akin_agree(e->comm, score_pair(e)));
    AKIN_TRY(akin_agree(e->comm, judge_plain(e)));
    e->out->boosted = e->rules.more && akin_item_rules_boosted(e->rules.more);
    e->out->boost = (double)e->other.item.values.offset;
    AKIN_TRY(judge_words(e));
    AKIN_TRY(find_places(e));
    AKIN_TRY(judge_table(e));
    status = share_parts(e);
done:
    return status;
}

akin_status akin_query_explain(akin_comm *comm, const akin_query_params *params,
                               akin_query_why *out) {
    akin_status status;
    explanation e = {.comm = comm, .params = params, .out = out};
    *out = (akin_query_why){.cosine = NAN};
    AKIN_TRY(akin_query_rows_open(comm, params, &e.rows));
    e.vectors = e.rows.vectors;
    e.products = akin_query_rows_pictures(&e.rows, params);
    e.who.row = akin_mem_zalloc(akin_vectors_dim(e.vectors), sizeof *e.who.row);
    e.other.row = akin_mem_zalloc(akin_vectors_dim(e.vectors), sizeof *e.other.row);
    AKIN_TRY(akin_agree(comm, e.who.row && e.other.row ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(explain(&e));
done:
    akin_query_rules_release(&e.rules);
    akin_mem_free(e.who.row);
    akin_mem_free(e.other.row);
    akin_query_rows_release(&e.rows);
    return status;
}

void akin_query_why_release(akin_query_why *why) {
    for (size_t r = 0; r < why->rule_count; r++) akin_mem_free(why->rules[r].rule);
    akin_mem_free(why->rules);
    akin_mem_free(why->picture[0]);
    akin_mem_free(why->picture[1]);
    akin_mem_free(why->place.duplicate_of);
}
