/* item_rules: translates a shop's rules into those of the comparison. */
#include "item_rules.h"
#include "item_attributes.h"
#include "item_blocks.h"
#include "item_boost.h"
#include "item_order.h"
#include "item_targets.h"
#include "label_parts.h"
#include "product_boost.h"
#include "rule_words.h"
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <stdlib.h>
#include <string.h>

enum { USED_MOST = 32, NO_ATTRIBUTE = -100 };
#define FILE_LIMIT ((size_t)1 << 30)

struct akin_item_rules {
    akin_row_rules rows;
    bool has_targets;
    char *used[USED_MOST];          /* attributes, by name; owned */
    const char *used_by[USED_MOST]; /* the option that first names it */
    int used_count;
    akin_item_attribute slot[AKIN_ROW_RULES_SLOTS];
    int32_t *value[AKIN_ROW_RULES_SLOTS];
    akin_label_parts *parts[AKIN_ROW_RULES_SLOTS];
    uint8_t *target, *allowed;
    akin_item_boost boost[AKIN_ITEM_BOOST_MOST];
    size_t boost_count;
    float *offset; /* [count of the shard]; NULL: none */
    akin_item_blocks blocks;
    akin_item_limit limit[AKIN_ITEM_LIMITS_MOST];
    akin_item_limits *limits, *product_limits; /* NULL: none */
    char digest[AKIN_HASH_TEXT_SIZE];
};

typedef struct {
    akin_item_rules *rules;
    const akin_vectors *vectors;
    const char *path;
} making;

bool akin_item_rules_asked(const akin_neighbors_rules *r) {
    return r->same.count + r->different.count + r->within.count + r->only.count + r->barred.count +
                   r->at_most.count + r->categories.count + r->blocks.count + r->boost.count +
                   r->pins.count >
               0 ||
           r->damp_hubs;
}

akin_status akin_neighbors_files_digest(const akin_neighbors_rules *rules,
                                        char digest[AKIN_HASH_TEXT_SIZE]) {
    const akin_neighbors_words *lists[] = {&rules->categories, &rules->blocks, &rules->pins};
    akin_status status = AKIN_OK;
    akin_hasher *hasher = NULL;
    size_t files = 0;
    digest[0] = '\0';
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) files += lists[l]->count;
    if (files == 0) return AKIN_OK;
    AKIN_TRY(akin_hasher_create(&hasher));
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
        for (size_t w = 0; w < lists[l]->count; w++) {
            unsigned char *bytes;
            size_t count;
            AKIN_TRY(akin_file_read(lists[l]->words[w], FILE_LIMIT, &bytes, &count));
            akin_hasher_add(hasher, &l, sizeof l);
            akin_hasher_add(hasher, bytes, count);
            akin_mem_free(bytes);
        }
    akin_hash_text(akin_hasher_result(hasher), digest);
done:
    akin_hasher_free(hasher);
    return status;
}

/* --- attributes --- */

/* Records the name, and looks up the values of the items. */
static akin_status use(making *m, const char *option, const char *text, akin_item_attribute *out) {
    akin_item_rules *rules = m->rules;
    if (!akin_item_attribute_find(akin_vectors_labels(m->vectors), text, out))
        return akin_error_option(
            option,
            strcmp(text, "category") == 0 || strcmp(text, "group") == 0
                ? "--%s: no item of %s has a %s"
                : "--%s: the items of %s have no attribute \"%s\"; `akin inspect` lists them",
            option, m->path, text);
    for (int u = 0; u < rules->used_count; u++)
        if (strcmp(rules->used[u], text) == 0) return AKIN_OK;
    if (rules->used_count == USED_MOST)
        return akin_error_option(option, "--%s: more than %d attributes in rules", option,
                                 USED_MOST);
    char *copy = akin_mem_text(text);
    if (copy == NULL) return AKIN_FAILED;
    rules->used_by[rules->used_count] = option;
    rules->used[rules->used_count++] = copy;
    return AKIN_OK;
}

/* Whether an item of this rank has a value. */
static bool is_valued(const making *m, const char *name) {
    akin_item_attribute a;
    if (!akin_item_attribute_find(akin_vectors_labels(m->vectors), name, &a)) return false;
    for (size_t i = 0; i < akin_vectors_count(m->vectors); i++)
        if (!akin_item_attribute_none(&a, akin_item_attribute_value(&a, i))) return true;
    return false;
}

/* Refuses a rule on an attribute of which no item of any rank has a value: it would bind nothing, or
 * leave nothing. Collective. */
static akin_status check_used(akin_comm *comm, const making *m) {
    const akin_item_rules *rules = m->rules;
    int64_t valued[USED_MOST] = {0};
    for (int u = 0; u < rules->used_count; u++) valued[u] = is_valued(m, rules->used[u]);
    akin_comm_max_i64(comm, valued, (size_t)rules->used_count);
    for (int u = 0; u < rules->used_count; u++)
        if (!valued[u])
            return akin_error_option(rules->used_by[u],
                                     "--%s: no item of %s has a value of the attribute %s",
                                     rules->used_by[u], m->path, rules->used[u]);
    return AKIN_OK;
}

/* The slot of an attribute, with the values of this rank's items. */
static akin_status find_slot(making *m, const char *option, const akin_item_attribute *a,
                             int *out) {
    akin_item_rules *rules = m->rules;
    int slot = 0;
    size_t count = akin_vectors_count(m->vectors);
    for (; slot < rules->rows.slots; slot++)
        if (rules->slot[slot].which == a->which) break;
    *out = slot;
    if (slot < rules->rows.slots) return AKIN_OK;
    if (slot == AKIN_ROW_RULES_SLOTS)
        return akin_error_option(option, "--%s: rules compare more than %d attributes", option,
                                 AKIN_ROW_RULES_SLOTS);
    int32_t *values = rules->value[slot] = akin_mem_alloc(count, sizeof *values);
    if (values == NULL) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) values[i] = akin_item_attribute_value(a, i);
    rules->slot[slot] = *a;
    rules->rows.value[slot] = values;
    rules->rows.number[slot] = a->number;
    rules->rows.attribute[slot] = a->which;
    rules->rows.slots++;
    return a->many ? akin_label_parts_create(a, &rules->parts[slot]) : AKIN_OK;
}

/* A rule that compares an attribute of source and target. */
static akin_status add_rule(making *m, const char *option, const akin_item_attribute *a,
                            akin_row_rule rule) {
    akin_row_rules *rows = &m->rules->rows;
    if (rows->count == AKIN_ROW_RULES_MOST)
        return akin_error_option(option, "--%s: more than %d rules", option, AKIN_ROW_RULES_MOST);
    akin_status status = find_slot(m, option, a, &rule.slot);
    if (status != AKIN_OK) return status;
    rule.number = a->number;
    rule.values = (int32_t)a->values;
    if (m->rules->parts[rule.slot] != NULL) {
        rule.parts_first = m->rules->parts[rule.slot]->first;
        rule.parts = m->rules->parts[rule.slot]->part;
    }
    rows->rule[rows->count++] = rule;
    return AKIN_OK;
}

/* --- parsing the rules --- */

static akin_status add_plain(making *m, const char *option, const akin_neighbors_words *words,
                             akin_row_rule_kind kind) {
    akin_status status = AKIN_OK;
    akin_item_attribute a;
    for (size_t w = 0; w < words->count && status == AKIN_OK; w++) {
        status = use(m, option, words->words[w], &a);
        if (status == AKIN_OK) status = add_rule(m, option, &a, (akin_row_rule){.kind = kind});
    }
    return status;
}

static akin_status add_within(making *m, const akin_neighbors_words *words) {
    akin_status status = AKIN_OK;
    akin_item_attribute a;
    akin_rule_word read;
    for (size_t w = 0; w < words->count && status == AKIN_OK; w++) {
        const char *word = words->words[w];
        status = akin_rule_word_read(AKIN_RULE_WORD_BAND, "within", word, &read);
        if (status == AKIN_OK) status = use(m, "within", read.attribute, &a);
        if (status == AKIN_OK && !a.number)
            return akin_error_option("within", "--within %s: the attribute is not a number", word);
        if (status == AKIN_OK) status = add_rule(m, "within", &a, read.band);
    }
    return status;
}

static akin_status add_targets(making *m, const char *option, const akin_neighbors_words *words,
                               bool wanted) {
    akin_status status = AKIN_OK;
    akin_item_attribute a;
    akin_rule_word read;
    for (size_t w = 0; w < words->count && status == AKIN_OK; w++) {
        status = akin_rule_word_read(AKIN_RULE_WORD_VALUE, option, words->words[w], &read);
        if (status == AKIN_OK) status = use(m, option, read.attribute, &a);
        if (status == AKIN_OK)
            status = akin_item_targets_strike(words, w, &a, option, wanted, m->rules->target,
                                              akin_vectors_count(m->vectors));
    }
    return status;
}

static akin_status add_limits(making *m, const akin_neighbors_words *words) {
    akin_status status = AKIN_OK;
    akin_rule_word read;
    for (size_t w = 0; w < words->count && status == AKIN_OK; w++) {
        const char *word = words->words[w];
        if (w == AKIN_ITEM_LIMITS_MOST)
            return akin_error_option("at-most", "--at-most %s: more than %d of them", word,
                                     AKIN_ITEM_LIMITS_MOST);
        akin_item_limit *limit = &m->rules->limit[w];
        status = akin_rule_word_read(AKIN_RULE_WORD_LIMIT, "at-most", word, &read);
        limit->most = read.most;
        if (status == AKIN_OK) status = use(m, "at-most", read.attribute, &limit->attribute);
        if (status == AKIN_OK && limit->attribute.number)
            return akin_error_option("at-most", "--at-most %s: the attribute is a number", word);
    }
    return status;
}

static akin_status add_boost(making *m, const akin_rule_word *word) {
    akin_item_rules *rules = m->rules;
    if (rules->boost_count == AKIN_ITEM_BOOST_MOST)
        return akin_error_option("boost", "--boost: more than %d attributes", AKIN_ITEM_BOOST_MOST);
    akin_item_boost *boost = &rules->boost[rules->boost_count++];
    boost->weight = word->weight;
    akin_status status = use(m, "boost", word->attribute, &boost->attribute);
    if (status == AKIN_OK && !boost->attribute.number)
        return akin_error_option("boost", "--boost %s: the attribute is not a number",
                                 word->attribute);
    return status;
}

/* "ATTR=WEIGHT ATTR=WEIGHT" */
static akin_status add_boosts(making *m, const akin_neighbors_words *words) {
    akin_status status = AKIN_OK;
    akin_rule_word read;
    for (size_t w = 0; w < words->count && status == AKIN_OK; w++)
        for (const char *at = words->words[w];
             akin_rule_word_next(AKIN_RULE_WORD_WEIGHT, "boost", &at, &read, &status);) {
            if (status == AKIN_OK) status = add_boost(m, &read);
            if (status != AKIN_OK) return status;
        }
    return status;
}

/* --- categories --- */

static const char *value_at(const void *attribute, size_t value) {
    return akin_item_attribute_text(attribute, (int32_t)value);
}

static int32_t find_category(const akin_item_attribute *a, const char *name) {
    return (int32_t)akin_text_search(name, value_at, a, (size_t)a->values);
}

static akin_status add_categories(making *m, const akin_neighbors_words *files) {
    static const char *const columns[3] = {"from", "to", NULL};
    akin_status status = AKIN_OK;
    akin_pair_file pairs = {0};
    akin_item_attribute a;
    size_t unknown = 0, first = 0;
    if (files->count == 0) return AKIN_OK;
    AKIN_TRY(use(m, "categories", "category", &a));
    for (size_t f = 0; f < files->count; f++)
        AKIN_TRY(akin_pair_file_read(files->words[f], columns, &pairs));
    uint8_t *allowed = m->rules->allowed = akin_mem_zalloc(a.values, a.values);
    if (allowed == NULL) AKIN_TRY(AKIN_FAILED);
    for (size_t p = 0; p < pairs.count; p++) {
        int32_t from = find_category(&a, akin_pair_file_text(&pairs, p, 0)),
                to = find_category(&a, akin_pair_file_text(&pairs, p, 1));
        if (from >= 0 && to >= 0)
            allowed[(size_t)from * a.values + (size_t)to] = 1;
        else if (unknown++ == 0)
            first = p;
    }
    if (unknown > 0)
        akin_log_warning(
            "--categories: %zu pair%s a category that no item has; the first: %s,%s in "
            "row %zu of %s",
            unknown, unknown == 1 ? " names" : "s name", akin_pair_file_text(&pairs, first, 0),
            akin_pair_file_text(&pairs, first, 1), pairs.rows[first].row, pairs.rows[first].path);
    AKIN_TRY(add_rule(m, "categories", &a,
                      (akin_row_rule){.kind = AKIN_ROW_RULE_PAIRS, .allowed = allowed}));
done:
    akin_pair_file_release(&pairs);
    return status;
}

/* --- two catalogues --- */

/* The lists of sources contain targets. The side of an item is stored in a slot, like an attribute.
 */
static akin_status add_sides(making *m) {
    static const uint8_t allowed[4] = {0, 1, 0, 0};
    akin_row_rules *rows = &m->rules->rows;
    size_t count = akin_vectors_count(m->vectors), first = akin_vectors_first(m->vectors),
           sources = akin_vectors_sources(m->vectors);
    if (sources == akin_vectors_items(m->vectors)) return AKIN_OK;
    int32_t *values = m->rules->value[0] = akin_mem_alloc(count, sizeof *values);
    if (values == NULL) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) values[i] = first + i >= sources;
    m->rules->slot[0].which = NO_ATTRIBUTE;
    rows->value[0] = values;
    rows->slots = 1, rows->sides = true;
    rows->rule[rows->count++] =
        (akin_row_rule){.kind = AKIN_ROW_RULE_PAIRS, .allowed = allowed, .values = 2};
    return AKIN_OK;
}

/* --- putting it together --- */

static akin_status begin_targets(making *m, const akin_neighbors_rules *given) {
    size_t count = akin_vectors_count(m->vectors);
    const int8_t *available = akin_labels_available(akin_vectors_labels(m->vectors));
    uint8_t *target = m->rules->target = akin_mem_alloc(count, sizeof *target);
    if (target == NULL) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) target[i] = !given->only_available || available[i] != 0;
    return AKIN_OK;
}

static akin_status read_words(making *m, const akin_neighbors_rules *given) {
    akin_status status;
    AKIN_TRY(begin_targets(m, given));
    AKIN_TRY(add_sides(m));
    AKIN_TRY(add_plain(m, "same", &given->same, AKIN_ROW_RULE_SAME));
    AKIN_TRY(add_plain(m, "different", &given->different, AKIN_ROW_RULE_DIFFERENT));
    AKIN_TRY(add_within(m, &given->within));
    AKIN_TRY(add_targets(m, "only", &given->only, true));
    AKIN_TRY(add_targets(m, "not", &given->barred, false));
    AKIN_TRY(add_limits(m, &given->at_most));
    AKIN_TRY(add_boosts(m, &given->boost));
    AKIN_TRY(add_categories(m, &given->categories));
done:
    return status;
}

/* Collective; agreed. */
static akin_status add_offsets(akin_comm *comm, const akin_vectors *vectors,
                               const akin_products *products, akin_item_rules *rules) {
    if (products)
        return akin_product_boost(comm, vectors, products, rules->boost, rules->boost_count,
                                  rules->offset);
    return akin_item_boost_add(comm, akin_item_boost_of(vectors), rules->boost, rules->boost_count,
                               rules->offset);
}

/* The comparison finds one picture of each product; the user's limits apply to the lists of
 * products. Collective; agreed. */
static akin_status create_limits(akin_comm *comm, const akin_neighbors_rules *given,
                                 const akin_vectors *vectors, const akin_products *products,
                                 akin_item_rules *rules) {
    akin_status status = AKIN_OK;
    akin_item_limit one = {.most = 1};
    if (given->at_most.count > 0)
        AKIN_TRY(akin_item_limits_create(comm, vectors, products, rules->limit,
                                         given->at_most.count,
                                         products ? &rules->product_limits : &rules->limits));
    if (products &&
        akin_item_attribute_find(akin_vectors_labels(vectors), "group", &one.attribute)) {
        making m = {rules, vectors, ""};
        AKIN_TRY(akin_agree(comm, use(&m, "by", "group", &one.attribute))); /* it tells products */
        AKIN_TRY(akin_item_limits_create(comm, vectors, NULL, &one, 1, &rules->limits));
    }
    if (rules->limits) rules->rows.limits = akin_item_limits_kinds(rules->limits);
done:
    return status;
}

akin_status akin_item_rules_create(akin_comm *comm, const akin_neighbors_rules *given,
                                   const akin_vectors *vectors, const akin_products *products,
                                   const char *path, akin_item_rules **out) {
    akin_status status;
    akin_item_rules *rules = akin_mem_zalloc(1, sizeof *rules);
    making m = {rules, vectors, path};
    *out = NULL;
    AKIN_TRY(akin_agree(comm, rules ? read_words(&m, given) : AKIN_FAILED));
    AKIN_TRY(check_used(comm, &m));
    rules->has_targets = given->only_available || given->only.count + given->barred.count > 0;
    AKIN_TRY(akin_item_order_choose(comm, vectors, &rules->rows));
    AKIN_TRY(akin_item_blocks_read(comm, &given->blocks, vectors, products, &rules->blocks));
    akin_item_rules_strike(rules, vectors, &rules->blocks, 0);
    rules->rows.blocks = rules->blocks.pairs, rules->rows.block_count = rules->blocks.count;
    rules->rows.target = rules->target;
    AKIN_TRY(create_limits(comm, given, vectors, products, rules));
    if (given->boost.count > 0 || given->damp_hubs) {
        rules->offset = akin_mem_zalloc(akin_vectors_count(vectors), sizeof *rules->offset);
        AKIN_TRY(akin_agree(comm, rules->offset ? AKIN_OK : AKIN_FAILED));
        AKIN_TRY(add_offsets(comm, vectors, products, rules));
        rules->rows.offset = rules->offset;
    }
    AKIN_TRY(akin_agree(comm, akin_neighbors_files_digest(given, rules->digest)));
    *out = rules, rules = NULL;
done:
    akin_item_rules_free(rules);
    return status;
}

void akin_item_rules_free(akin_item_rules *rules) {
    if (rules == NULL) return;
    for (int s = 0; s < AKIN_ROW_RULES_SLOTS; s++) {
        akin_mem_free(rules->value[s]);
        akin_label_parts_free(rules->parts[s]);
    }
    for (int u = 0; u < USED_MOST; u++) akin_mem_free(rules->used[u]);
    akin_mem_free(rules->target);
    akin_mem_free(rules->allowed);
    akin_mem_free(rules->offset);
    akin_item_blocks_release(&rules->blocks);
    akin_item_limits_free(rules->limits);
    akin_item_limits_free(rules->product_limits);
    akin_mem_free(rules);
}

const akin_row_rules *akin_item_rules_rows(const akin_item_rules *rules) {
    return &rules->rows;
}

akin_item_limits *akin_item_rules_limits(const akin_item_rules *rules) {
    return rules->limits;
}

akin_item_limits *akin_item_rules_product_limits(const akin_item_rules *rules) {
    return rules->product_limits;
}

bool akin_item_rules_boosted(const akin_item_rules *rules) {
    return rules->offset != NULL;
}

float *akin_item_rules_offsets(const akin_item_rules *rules) {
    return rules->offset;
}

const akin_item_blocks *akin_item_rules_blocks(const akin_item_rules *rules) {
    return &rules->blocks;
}

void akin_item_rules_strike(akin_item_rules *rules, const akin_vectors *vectors,
                            const akin_item_blocks *blocks, int64_t before) {
    akin_item_blocks_strike(blocks, vectors, before, rules->target);
    rules->has_targets = rules->has_targets || blocks->for_all_count > 0;
}

bool akin_item_rules_targets(const akin_item_rules *rules) {
    return rules->has_targets;
}

void akin_item_rules_empty(const akin_item_rules *rules, const akin_vectors *vectors, size_t k,
                           uint64_t *lists) {
    int64_t first = (int64_t)akin_vectors_first(vectors);
    for (size_t b = 0; b < rules->blocks.alone_count; b++) {
        int64_t at = rules->blocks.alone[b] - first;
        if (at >= 0 && at < (int64_t)akin_vectors_count(vectors))
            memset(lists + (size_t)at * k, 0, k * sizeof *lists);
    }
}

const char *akin_item_rules_digest(const akin_item_rules *rules) {
    return rules->digest;
}

void akin_item_rules_hash(const akin_item_rules *rules, akin_labels *labels, size_t item,
                          akin_hasher *hasher) {
    akin_item_attribute a;
    for (int u = 0; u < rules->used_count; u++)
        if (akin_item_attribute_find(labels, rules->used[u], &a))
            akin_item_attribute_hash(&a, item, hasher);
        else
            akin_hasher_add_text(hasher, "none");
}
