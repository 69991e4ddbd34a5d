/* preflight_labels: whether the catalogue has the labels that the rules of the tables use. */
#include "preflight.h"
#include "tables.h"
#include <akin/labels.h>
#include <akin/ncfile.h>
#include <string.h>

typedef enum { CATEGORY, GROUP, LABEL_KINDS } label;

typedef struct {
    const char *key, *column;
    label which;
    bool asked;
} label_rule;

enum { LABEL_RULES = 3 };

static bool list_rules(akin_jobfile *job, const char *section, label_rule rules[LABEL_RULES]) {
    const akin_options *options = akin_jobfile_options(job, section);
    const char *fill = akin_options_text(options, "fill");
    rules[0] = (label_rule){"same-category", "category", CATEGORY,
                            akin_options_flag(options, "same-category")};
    rules[1] = (label_rule){"exclude-same-group", "group", GROUP,
                            akin_options_flag(options, "exclude-same-group")};
    rules[2] = (label_rule){"fill", "category", CATEGORY, fill && strcmp(fill, "category") == 0};
    return rules[0].asked || rules[1].asked || rules[2].asked;
}

static bool any_rules(akin_jobfile *job) {
    label_rule rules[LABEL_RULES];
    const char *section;
    bool any = false;
    for (size_t i = 0; (section = akin_job_neighbors_section(job, i)); i++)
        any = list_rules(job, section, rules) || any;
    return any;
}

static akin_status check_rules_of(akin_jobfile *job, const char *section,
                                  const bool there[LABEL_KINDS]) {
    label_rule rules[LABEL_RULES];
    list_rules(job, section, rules);
    for (size_t i = 0; i < LABEL_RULES; i++)
        if (rules[i].asked && !there[rules[i].which])
            return akin_job_at_key(
                job, section, rules[i].key,
                akin_error_set(AKIN_USAGE,
                               "%s: no item of the catalogue has a %s: add a column `%s` "
                               "to the source, or remove the rule",
                               rules[i].key, rules[i].column, rules[i].column));
    return AKIN_OK;
}

/* there: whether any row has the label. */
static akin_status check_rules(akin_jobfile *job, const bool there[LABEL_KINDS]) {
    akin_status status = AKIN_OK;
    const char *section;
    for (size_t i = 0; (section = akin_job_neighbors_section(job, i)) && status == AKIN_OK; i++)
        status = check_rules_of(job, section, there);
    return status;
}

/* Only rows that can become items count. */
akin_status akin_preflight_source_labels(akin_jobfile *job, const akin_source *source) {
    bool there[LABEL_KINDS] = {false};
    size_t count = akin_source_valid(source);
    const size_t *order = akin_source_order(source);
    for (size_t i = 0; i < count && !(there[CATEGORY] && there[GROUP]); i++) {
        akin_source_row row = akin_source_get(source, order[i]);
        there[CATEGORY] |= *row.category != '\0';
        there[GROUP] |= *row.group != '\0';
    }
    return count > 0 ? check_rules(job, there) : AKIN_OK;
}

akin_source_params akin_preflight_sources(akin_jobfile *job) {
    const akin_options *ingest = akin_jobfile_options(job, "ingest");
    akin_source_params params = {.root = akin_options_text(ingest, "root"),
                                 .cache = akin_options_text(ingest, "cache")};
    (void)!akin_tables_params(ingest, &params); /* checked with the options */
    params.count = akin_options_arguments(ingest, &params.names);
    return params;
}

akin_status akin_preflight_rules(akin_comm *comm, akin_jobfile *job, akin_source **listed) {
    const akin_source_params params = akin_preflight_sources(job);
    *listed = NULL;
    if (params.count == 0 || !any_rules(job)) return AKIN_OK;
    if (akin_source_open(comm, &params, listed) != AKIN_OK) { /* ingest has the better message */
        akin_error_clear();
        return AKIN_OK;
    }
    return akin_agree(comm, akin_preflight_source_labels(job, *listed));
}

akin_status akin_preflight_labels(akin_jobfile *job, const char *catalog) {
    akin_status status = AKIN_OK;
    akin_ncfile *file = NULL;
    akin_labels *labels = NULL;
    bool there[LABEL_KINDS];
    AKIN_TRY(akin_ncfile_peek(catalog, "catalog", &file));
    AKIN_TRY(akin_labels_read(file, 0, 1, &labels));
    there[CATEGORY] = akin_labels_category_count(labels) > 0;
    there[GROUP] = akin_labels_group_count(labels) > 0;
    status = check_rules(job, there);
done:
    akin_labels_free(labels);
    akin_ncfile_close(file);
    return status;
}
