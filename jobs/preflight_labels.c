/* preflight_labels: whether the items will have what the rules of the tables use: labels,
 * attributes, and the parts of --aspect. */
#include "mistakes.h"
#include "preflight.h"
#include "rules.h"
#include "tables.h"
#include "verbs.h"
#include <akin/labels.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/text.h>
#include <math.h>
#include <string.h>

/* What the items have. */
typedef struct {
    bool category, group;
    akin_source_attributes attributes;
    bool valued[AKIN_SOURCE_ATTRIBUTES_MAX]; /* an attribute: some item has a value, or may have */
} having;

typedef struct {
    akin_jobfile *job;
    const char *section; /* of a table */
    const having *has;
    akin_mistakes *found;
} table_check;

static void note_at(const table_check *t, const char *key, akin_status status) {
    if (status != AKIN_OK)
        akin_mistakes_note(t->found, akin_job_at_key(t->job, t->section, key, status));
}

/* --- labels and attributes --- */

static akin_status check_label(const char *key, const char *column, bool there) {
    if (there) return AKIN_OK;
    return akin_error_set(AKIN_USAGE,
                          "%s: no item of the catalogue has a %s: add a column `%s` to the source, "
                          "or remove the rule",
                          key, column, column);
}

static akin_status check_attribute(const having *has, const char *key, const char *name,
                                   akin_rule_needs needs) {
    for (size_t a = 0; a < has->attributes.count; a++) {
        const akin_source_attribute *attribute = &has->attributes.of[a];
        bool number = attribute->kind == AKIN_ATTRIBUTE_NUMBER;
        if (strcmp(attribute->name, name) != 0) continue;
        if (needs == AKIN_RULE_NEEDS_NUMBER && !number)
            return akin_error_set(AKIN_USAGE, "%s: the attribute %s is not a number", key, name);
        if (needs == AKIN_RULE_NEEDS_NAMES && number)
            return akin_error_set(AKIN_USAGE, "%s: the attribute %s is a number", key, name);
        if (has->valued[a]) return AKIN_OK;
        return akin_error_set(
            AKIN_USAGE,
            "%s: no item of the catalogue has a value of the attribute %s: correct "
            "its column in the source, or remove the rule",
            key, name);
    }
    return akin_error_set(
        AKIN_USAGE,
        "%s: the items have no attribute %s: name it in `attributes` of [ingest], "
        "as %s:%s, or remove the rule",
        key, name, name, needs == AKIN_RULE_NEEDS_NUMBER ? "number" : "label");
}

static void see_attribute(void *context, const char *option, const char *attribute,
                          akin_rule_needs needs, akin_status wrong) {
    const table_check *t = context;
    akin_status status = wrong;
    bool label = strcmp(attribute, "category") == 0 || strcmp(attribute, "group") == 0;
    if (status == AKIN_OK && (label || strcmp(attribute, "available") == 0)) {
        if (needs == AKIN_RULE_NEEDS_NUMBER)
            status = akin_error_set(AKIN_USAGE, "%s: %s is not a number", option, attribute);
        else if (label)
            status = check_label(option, attribute,
                                 *attribute == 'c' ? t->has->category : t->has->group);
    } else if (status == AKIN_OK)
        status = check_attribute(t->has, option, attribute, needs);
    note_at(t, option, status);
}

static void check_rules(const table_check *t) {
    const akin_options *o = akin_jobfile_options(t->job, t->section);
    const akin_neighbors_rules rules = akin_item_rules_of(o);
    const char *fill = akin_options_text(o, "fill");
    if (rules.same_category)
        note_at(t, "same-category", check_label("same-category", "category", t->has->category));
    if (rules.exclude_same_group)
        note_at(t, "exclude-same-group", check_label("exclude-same-group", "group", t->has->group));
    if (akin_options_is(o, "by", "group"))
        note_at(t, "by", check_label("by group", "group", t->has->group));
    if (fill && strcmp(fill, "category") == 0)
        note_at(t, "fill", check_label("fill", "category", t->has->category));
    akin_neighbors_rules_attributes(&rules, see_attribute, (void *)t);
}

/* --- aspects --- */

static akin_status check_part(const char *parts, const char *name, size_t length,
                              const akin_features *features) {
    akin_text *known = NULL;
    if (akin_features_find_part(features, name, length) != AKIN_PARTS) return AKIN_OK;
    akin_status status = akin_text_create(&known);
    if (status == AKIN_OK) status = akin_features_name_parts(features, known);
    if (status == AKIN_OK)
        status = akin_error_set(AKIN_USAGE,
                                "aspect %s: the features %s of [train] have no part \"%.*s\"; they "
                                "have %s",
                                parts, features->name, (int)length, name, akin_text_bytes(known));
    akin_text_free(known);
    return status;
}

static void check_aspect(const table_check *t) {
    const char *parts = akin_options_text(akin_jobfile_options(t->job, t->section), "aspect");
    bool seen = akin_options_text(akin_jobfile_options(t->job, "ingest"), "network") != NULL;
    akin_features features;
    if (!parts) return;
    if (akin_options_text(akin_jobfile_options(t->job, "embed"), "from")) {
        note_at(t, "aspect",
                akin_error_set(AKIN_USAGE,
                               "aspect %s: the vectors of `from` in [embed] do not come from a "
                               "model, so they have no known parts",
                               parts));
        return;
    }
    if (akin_train_features(akin_jobfile_options(t->job, "train"),
                            seen ? AKIN_FEATURES_SEEN_UNKNOWN : 0, &features) != AKIN_OK) {
        akin_error_clear(); /* told where [train] is checked */
        return;
    }
    for (const char *at = parts;; at++) {
        size_t length = strcspn(at, ",");
        note_at(t, "aspect", check_part(parts, at, length, &features));
        at += length;
        if (*at == '\0') return;
    }
}

/* --- all tables --- */

static void take_labels(akin_labels *labels, having *out) {
    *out = (having){akin_labels_category_count(labels) > 0,
                    akin_labels_group_count(labels) > 0,
                    {.count = 0},
                    {0}};
    for (size_t a = 0; a < akin_labels_attributes(labels) && a < AKIN_SOURCE_ATTRIBUTES_MAX; a++) {
        akin_source_attribute *to = &out->attributes.of[out->attributes.count++];
        out->valued[a] = akin_labels_attribute_kind(labels, a) == AKIN_ATTRIBUTE_NUMBER ||
                         akin_labels_attribute_value_count(labels, a) > 0;
        strcpy(to->name, akin_labels_attribute_name(labels, a));
        to->kind = akin_labels_attribute_kind(labels, a);
    }
}

/* What the items of a file have; those of a .npy have nothing. Numbers are left to the tables. */
static akin_status read_having(const char *path, const char *kind, having *out) {
    akin_status status;
    akin_ncfile *file = NULL;
    akin_labels *labels = NULL;
    *out = (having){0};
    AKIN_TRY(akin_ncfile_peek(path, kind, &file));
    AKIN_TRY(akin_labels_read(file, 0, 1, &labels));
    take_labels(labels, out);
done:
    akin_labels_free(labels);
    akin_ncfile_close(file);
    return status;
}

/* What two catalogues have together (akin_labels_join). */
static having both(const having *a, const having *b) {
    having out = {a->category || b->category, a->group || b->group, {.count = 0}, {0}};
    for (size_t i = 0; i < a->attributes.count; i++)
        for (size_t j = 0; j < b->attributes.count; j++)
            if (strcmp(a->attributes.of[i].name, b->attributes.of[j].name) == 0 &&
                a->attributes.of[i].kind == b->attributes.of[j].kind) {
                out.valued[out.attributes.count] = a->valued[i] || b->valued[j];
                out.attributes.of[out.attributes.count++] = a->attributes.of[i];
            }
    return out;
}

/* All mistakes of all tables. */
static akin_status check_tables(akin_jobfile *job, const having *has) {
    akin_mistakes found = {.status = AKIN_OK};
    const char *section;
    for (size_t i = 0; (section = akin_job_neighbors_section(job, i)); i++) {
        const char *against = akin_options_text(akin_jobfile_options(job, section), "against");
        having other, together = *has;
        if (against && read_having(against, "embeddings", &other) == AKIN_OK)
            together = both(has, &other);
        akin_error_clear(); /* the table itself reports what cannot be read */
        const table_check t = {job, section, &together, &found};
        check_rules(&t);
        check_aspect(&t);
    }
    return akin_mistakes_sum(&found);
}

static void see_any(void *context, const char *option, const char *attribute, akin_rule_needs needs,
                    akin_status wrong) {
    (void)option, (void)attribute, (void)needs, (void)wrong;
    *(bool *)context = true;
}

static bool any_rules(akin_jobfile *job) {
    const char *section;
    bool any = false;
    for (size_t i = 0; (section = akin_job_neighbors_section(job, i)); i++) {
        const akin_options *o = akin_jobfile_options(job, section);
        const akin_neighbors_rules rules = akin_item_rules_of(o);
        const char *fill = akin_options_text(o, "fill");
        any = any || rules.same_category || rules.exclude_same_group || rules.only_available ||
              akin_options_text(o, "aspect") || akin_options_text(o, "by") ||
              (fill && strcmp(fill, "category") == 0);
        akin_neighbors_rules_attributes(&rules, see_any, &any);
    }
    akin_error_clear();
    return any;
}

static void see_word(void *context, const char *option, const char *attribute,
                     akin_rule_needs needs, akin_status wrong) {
    (void)attribute, (void)needs;
    note_at(context, option, wrong);
}

akin_status akin_preflight_words(akin_jobfile *job) {
    akin_mistakes found = {.status = AKIN_OK};
    const char *section;
    for (size_t i = 0; (section = akin_job_neighbors_section(job, i)); i++) {
        table_check t = {.job = job, .section = section, .found = &found};
        const akin_neighbors_rules rules = akin_item_rules_of(akin_jobfile_options(job, section));
        akin_neighbors_rules_attributes(&rules, see_word, &t);
    }
    return akin_mistakes_sum(&found);
}

/* --- sources --- */

static bool has_value(const akin_source *source, size_t row, size_t a) {
    return akin_source_attributes_of(source)->of[a].kind == AKIN_ATTRIBUTE_NUMBER
               ? !isnan(akin_source_number(source, row, a))
               : *akin_source_label(source, row, a) != '\0';
}

/* Only rows that can become items count. */
static having having_of(const akin_source *source) {
    having has = {.attributes = *akin_source_attributes_of(source)};
    size_t count = akin_source_valid(source);
    const size_t *order = akin_source_order(source);
    for (size_t i = 0; i < count && !(has.category && has.group); i++) {
        akin_source_row row = akin_source_get(source, order[i]);
        has.category |= *row.category != '\0';
        has.group |= *row.group != '\0';
    }
    for (size_t a = 0; a < has.attributes.count; a++)
        for (size_t i = 0; i < count && !has.valued[a]; i++)
            has.valued[a] = has_value(source, order[i], a);
    return has;
}

/* A table, for the attributes of its rules. */
typedef struct {
    akin_jobfile *job;
    const char *section;
} rules_of;

static void tell_unknown(const rules_of *of, const char *key, bool has_effect) {
    char *place = akin_jobfile_place(of->job, of->section, key);
    if (place)
        akin_log_warning_once("%s: [%s] %s%s: the source does not say which items are available%s: "
                              "add a column `available`, or remove the rule",
                              place, of->section, key, has_effect ? "" : " has no effect",
                              has_effect ? ", so all count as available" : "");
    akin_mem_free(place);
}

/* Where all items are available. */
static bool has_effect(const rules_of *of, const char *key) {
    const akin_neighbors_rules rules =
        akin_item_rules_of(akin_jobfile_options(of->job, of->section));
    if (strcmp(key, "only") == 0) return !akin_neighbors_lets_available(&rules.only, true);
    if (strcmp(key, "not") == 0) return !akin_neighbors_lets_available(&rules.barred, false);
    return strcmp(key, "same") != 0;
}

static void see_available(void *context, const char *option, const char *attribute,
                          akin_rule_needs needs, akin_status wrong) {
    if (wrong == AKIN_OK && needs != AKIN_RULE_NEEDS_NUMBER && strcmp(attribute, "available") == 0)
        tell_unknown(context, option, has_effect(context, option));
}

/* Points out rules on an availability that no row states, as caused by a missing or misspelt column.
 * source NULL: items of which nothing is known but their vectors. */
static void tell_available(akin_jobfile *job, const akin_source *source) {
    const char *section;
    bool known = false;
    for (size_t row = 0; source && !known && row < akin_source_rows(source); row++)
        known = akin_source_get(source, row).says_available;
    for (size_t i = 0; !known && (section = akin_job_neighbors_section(job, i)); i++) {
        const akin_options *o = akin_jobfile_options(job, section);
        const akin_neighbors_rules rules = akin_item_rules_of(o);
        rules_of of = {job, section};
        if (akin_options_text(o, "against")) continue;
        if (rules.only_available) tell_unknown(&of, "only-available", false);
        akin_neighbors_rules_attributes(&rules, see_available, &of);
    }
    akin_error_clear(); /* of wrong words, which are told with the rules */
}

akin_status akin_preflight_source_labels(akin_jobfile *job, const akin_source *source) {
    const having has = having_of(source);
    tell_available(job, source);
    return akin_source_valid(source) > 0 ? check_tables(job, &has) : AKIN_OK;
}

akin_status akin_preflight_added_labels(akin_jobfile *job, const akin_source *source,
                                        const char *last) {
    having has;
    akin_status status = read_having(last, "embeddings", &has);
    if (status != AKIN_OK) return status;
    const having own = having_of(source);
    has = both(&has, &own);
    return check_tables(job, &has);
}

static void tell_label(akin_jobfile *job, const char *section, const char *key, const having *has,
                       const char *meaning) {
    const char *label = akin_options_text(akin_jobfile_options(job, section), key);
    char *place = akin_jobfile_place(job, section, key);
    bool there = !label || strcmp(label, "none") == 0 ||
                 (strcmp(label, "group") == 0 ? has->group : has->category);
    if (place && !there)
        akin_log_warning("%s: [%s] %s: no item of the source has a %s: %s", place, section, key,
                         label, meaning);
    akin_mem_free(place);
}

void akin_preflight_tell_labels(akin_jobfile *job, const akin_source *source) {
    const having has = having_of(source);
    if (akin_source_valid(source) == 0) return;
    if (!akin_stages_vectors(job))
        tell_label(job, "train", "tune", &has, "a model could not be trained by it");
    tell_label(job, "evaluate", "label", &has, "precision would not be measured");
}

akin_source_params akin_preflight_sources(akin_jobfile *job) {
    const akin_options *ingest = akin_jobfile_options(job, "ingest");
    akin_source_params params = {.root = akin_options_text(ingest, "root"),
                                 .cache = akin_options_text(ingest, "cache")};
    params.withdrawals = akin_options_flag(ingest, "withdrawals");
    (void)!akin_tables_params(ingest, &params); /* checked with the options */
    params.count = akin_options_arguments(ingest, &params.names);
    return params;
}

/* A source that lacks the column of an attribute: all else that the tables lack is reported with
 * it. */
static akin_status tell_columns(akin_jobfile *job, const akin_source_params *params) {
    akin_mistakes found = {.status = AKIN_OK};
    having has = {.category = true, .group = true}; /* not known */
    akin_mistakes_note(&found, akin_job_at_key(job, "ingest", "attributes", AKIN_USAGE));
    akin_mistakes_note(&found, akin_source_attributes_parse(params->attributes, &has.attributes));
    for (size_t a = 0; a < has.attributes.count; a++) has.valued[a] = true;
    akin_mistakes_note(&found, check_tables(job, &has));
    return akin_mistakes_sum(&found);
}

/* What cannot be listed: its message names the source. */
static akin_status at_listing(const akin_jobfile *job, akin_status status) {
    const char *about = akin_error_about();
    bool of_columns =
        about && strcmp(about, "columns") == 0 && akin_jobfile_names(job, "ingest", "columns");
    if (of_columns) return akin_job_at_key(job, "ingest", "columns", status);
    return akin_stages_added(job) ? status : akin_job_at_key(job, "ingest", "source", status);
}

akin_status akin_preflight_list(akin_comm *comm, akin_jobfile *job, akin_source **source) {
    const akin_source_params params = akin_preflight_sources(job);
    akin_status status = akin_source_open(comm, &params, source);
    if (status == AKIN_USAGE && params.attributes) return tell_columns(job, &params);
    return status == AKIN_OK ? AKIN_OK : at_listing(job, status);
}

akin_status akin_preflight_rules(akin_comm *comm, akin_jobfile *job, akin_source **listed) {
    const akin_source_params params = akin_preflight_sources(job);
    const having nothing = {0};
    *listed = NULL;
    if (!any_rules(job)) return AKIN_OK;
    if (params.count == 0 && !akin_stages_vectors(job)) return AKIN_OK; /* ingest reports it */
    if (params.count == 0) {
        tell_available(job, NULL);
        return akin_agree(comm, check_tables(job, &nothing));
    }
    akin_status status = akin_preflight_list(comm, job, listed);
    if (status == AKIN_USAGE) return status;
    if (status != AKIN_OK) { /* ingest has the better message */
        akin_error_clear();
        return AKIN_OK;
    }
    return akin_agree(comm, akin_preflight_source_labels(job, *listed));
}

akin_status akin_preflight_labels(akin_jobfile *job, const char *catalog) {
    having has;
    akin_status status = read_having(catalog, "catalog", &has);
    return status == AKIN_OK ? check_tables(job, &has) : status;
}
