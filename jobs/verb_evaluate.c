/* verb_evaluate: akin evaluate table.nc */
#include "call.h"
#include "standouts.h"

#include <akin/evaluate.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const akin_option options[] = {
    {.name = "label",
     .type = AKIN_OPTION_CHOICE,
     .initial = "category",
     .choices = "category|group",
     .help = "the label by which a neighbour counts as correct",
     .shapes_result = true},
    {.name = "against",
     .type = AKIN_OPTION_TEXT,
     .argument = "TABLE.nc",
     .help = "the table to compare with, for churn",
     .shapes_result = true},
    {.name = "pairs",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE.csv",
     .help = "id,id rows of items that belong together: how many of them are neighbours",
     .shapes_result = true},
    {.name = "golden",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE.csv",
     .help = "id,neighbor rows that people approved: how many of them are in the lists",
     .shapes_result = true},
    {0},
};

/* A text about the rows of a table. */
#define OF(found, before, after) ((found)->products ? before "product" after : before "item" after)

/* Sets a figure under its name; NaN becomes null. */
typedef struct {
    const char *key, *what;
    double value;
} figure;

static void report_category(akin_json *list, const akin_evaluate_category *category) {
    akin_json *entry = akin_json_object();
    akin_json_set_text(entry, "category", category->name);
    akin_json_set_integer(entry, "items", (long long)category->items);
    for (int d = 0; d < AKIN_EVALUATE_DEPTHS; d++) {
        char key[32];
        snprintf(key, sizeof key, "precision_at_%d", akin_evaluate_depths[d]);
        akin_json_set_number(entry, key, category->precision[d]);
    }
    akin_json_set_number(entry, "mean_average_precision", category->average_precision);
    akin_json_append_node(list, &entry);
}

static void report_categories(akin_json *json, const akin_evaluate_categories *categories) {
    akin_json *list = akin_json_array();
    for (size_t c = 0; c < akin_evaluate_categories_count(categories); c++) {
        const akin_evaluate_category one = akin_evaluate_categories_at(categories, c);
        report_category(list, &one);
    }
    akin_json_set_node(json, "by_category", &list);
}

static void report_refined(akin_json *json, const akin_evaluate_figures *found) {
    if (found->has_duplicates)
        akin_json_set_integer(json, "duplicates", (long long)found->duplicates);
    if (found->has_fill)
        akin_json_set_integer(json, "filled_items", (long long)found->filled_items);
    if (found->has_pairs) akin_json_set_integer(json, "pairs", (long long)found->pairs);
    if (found->has_pairs)
        akin_json_set_integer(json, "pairs_unknown", (long long)found->pairs_unknown);
    if (found->has_fill) akin_json_set_integer(json, "filled", (long long)found->fills);
}

static void report(akin_call *call, const akin_evaluate_figures *found, const figure *list,
                   size_t count) {
    akin_json *json = call->report;
    const char *against = *found->against_digest ? found->against_digest : NULL;
    akin_json_set_integer(json, "items", (long long)found->items);
    if (found->of_two) akin_json_set_integer(json, "targets", (long long)found->targets);
    akin_json_set_integer(json, "k", (long long)found->k);
    akin_json_set_text(json, "label", akin_options_text(call->options, "label"));
    akin_json_set_integer(json, "labelled", (long long)found->labelled);
    for (size_t i = 0; i < count; i++) akin_json_set_number(json, list[i].key, list[i].value);
    report_refined(json, found);
    akin_json_set_integer(json, "never_recommended", (long long)found->never_recommended);
    akin_json_set_integer(json, "not_recommendable", (long long)found->not_recommendable);
    akin_json_set_integer(json, "at_most_once", (long long)found->at_most_once);
    akin_json_set_integer(json, "common_ids", (long long)found->common);
    akin_json_set_text(json, "table_digest", found->table_digest);
    if (against)
        akin_json_set_text(json, "against_digest", against);
    else
        akin_json_set_null(json, "against_digest");
}

/* The approved lists, and those that lack most of what was approved. */
static void report_golden(akin_json *json, const akin_golden *golden, const akin_ids *ids) {
    akin_json *worst = akin_json_array(), *unknown = akin_json_array();
    akin_json_set_number(json, "golden", akin_golden_share(golden));
    akin_json_set_integer(json, "golden_pairs", (long long)golden->pairs);
    akin_json_set_integer(json, "golden_found", (long long)golden->found);
    akin_json_set_integer(json, "golden_unknown", (long long)golden->unknown);
    for (size_t i = 0; i < golden->name_count; i++)
        akin_json_append_text(unknown, akin_text_bytes(golden->names[i]));
    for (size_t i = 0; i < golden->worst_count; i++) {
        akin_json *item = akin_json_object();
        akin_json_set_text(item, "id", akin_ids_text(ids, golden->worst[i].row));
        akin_json_set_integer(item, "pairs", (long long)golden->worst[i].pairs);
        akin_json_set_integer(item, "found", (long long)golden->worst[i].found);
        akin_json_append_node(worst, &item);
    }
    akin_json_set_node(json, "golden_unknown_ids", &unknown);
    akin_json_set_node(json, "golden_worst", &worst);
}

static void print_golden(const akin_golden *golden, const akin_ids *ids) {
    if (golden->pairs == 0) printf("%-22s none: no pair of the table\n", "golden");
    if (golden->pairs > 0)
        printf("%-22s %.4f  %zu of %zu approved pairs are in the lists\n", "golden",
               akin_golden_share(golden), golden->found, golden->pairs);
    for (size_t i = 0; i < golden->worst_count; i++)
        printf("%-22s %s: %zu of %zu\n", i == 0 ? "golden, worst items" : "",
               akin_ids_text(ids, golden->worst[i].row), golden->worst[i].found,
               golden->worst[i].pairs);
}

/* Sorted by mean average precision: precision at 10 would count the missing neighbours of short
 * lists as wrong. */
static int worst_first(const void *x, const void *y) {
    const akin_evaluate_category *a = x, *b = y;
    if (a->average_precision != b->average_precision)
        return a->average_precision < b->average_precision ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* The worst of them, if there is more than one. */
static void print_categories(const akin_evaluate_categories *categories, const char *rows) {
    enum { SHOWN = 30 };
    size_t count = akin_evaluate_categories_count(categories);
    akin_evaluate_category *list = count > 1 ? akin_mem_alloc(count, sizeof *list) : NULL;
    if (!list) return;
    for (size_t c = 0; c < count; c++) list[c] = akin_evaluate_categories_at(categories, c);
    qsort(list, count, sizeof *list, worst_first);
    printf("\nby category, lowest mean average precision (map) first\n   at 1    at 5   at 10     "
           "map   %s\n",
           rows);
    for (size_t c = 0; c < count && c < SHOWN; c++)
        printf(" %.4f  %.4f  %.4f  %.4f %7zu  %s\n", list[c].precision[0], list[c].precision[1],
               list[c].precision[2], list[c].average_precision, list[c].items, list[c].name);
    if (count > SHOWN) printf("and %zu more: --json shows all\n", count - SHOWN);
    akin_mem_free(list);
}

static void print(const akin_call *call, const akin_evaluate_figures *found, const figure *list,
                  size_t count) {
    const char *label = akin_options_text(call->options, "label"),
               *items = found->of_two     ? "targets"
                        : found->products ? "products"
                                          : "items";
    printf("%-22s %zu, of which %zu have a %s\n", found->products ? "products" : "items",
           found->items, found->labelled, label);
    if (found->of_two)
        printf("%-22s %zu  items of the other catalogue, which are recommended\n", "targets",
               found->targets);
    printf("%-22s %zu\n", "k", found->k);
    for (size_t i = 0; i < count; i++) {
        if (isnan(list[i].value)) continue;
        printf("%-22s %.4f  %s\n", list[i].key, list[i].value, list[i].what);
    }
    if (found->labelled == 0)
        printf("%-22s none: no %s has a %s\n", "precision", OF(found, "", ""), label);
    printf("%-22s %zu  %s that are in no list\n", "never_recommended", found->never_recommended,
           items);
    if (found->not_recommendable > 0)
        printf("%-22s %zu  of these, which no list may hold: %s\n", "not_recommendable",
               found->not_recommendable,
               !found->has_duplicates   ? "not available"
               : !found->only_available ? "duplicates"
                                        : "not available, or duplicates");
    printf("%-22s %zu  %s that are in one list or none\n", "at_most_once", found->at_most_once,
           items);
    if (found->has_duplicates)
        printf("%-22s %zu  %s that another one represents\n", "duplicates", found->duplicates,
               items);
    if (found->has_fill)
        printf("%-22s %zu  neighbours added by --fill, in the lists of %zu %s\n", "filled",
               found->fills, found->filled_items, OF(found, "", "s"));
    if (*found->against_digest && found->common == 0)
        printf("%-22s none: the tables have no id in common\n", "churn");
}

/* Reasons why a precision is not what it seems; on stdout with the figures, otherwise on stderr. */
static void remark(const akin_call *call, const akin_evaluate_figures *found, bool by_group) {
    char list[3][160] = {""};
    int most = akin_evaluate_depths[AKIN_EVALUATE_DEPTHS - 1];
    if (found->labelled == 0) return;
    if (found->k < (size_t)most)
        snprintf(list[0], sizeof *list,
                 "lists have %zu neighbours: precision_at_%d counts the missing ones as wrong",
                 found->k, most);
    if (found->has_fill && found->fills > 0 && !by_group)
        snprintf(list[1], sizeof *list,
                 "%zu neighbours were added by --fill from the %s's own category: they count as "
                 "correct",
                 found->fills, OF(found, "", ""));
    if (found->by_rule) snprintf(list[2], sizeof *list, "%s", found->by_rule);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if (!*list[i]) continue;
        if (!call->print)
            akin_log_summary("evaluate: %s", list[i]);
        else if (akin_comm_rank(call->comm) == 0)
            printf("%-22s %s\n", "remark", list[i]);
    }
}

/* Adds all figures to the report, and prints them if that is wanted. */
static void tell(akin_call *call, const akin_evaluate_params *params,
                 const akin_evaluate_figures *found) {
    double pairs_found = found->pairs > 0 ? (double)found->pairs_found / (double)found->pairs : NAN;
    const figure list[] = {
        {"precision_at_1", OF(found, "share of the first neighbours with the ", "'s label"),
         found->precision[0]},
        {"precision_at_5", "the same for the first five", found->precision[1]},
        {"precision_at_10", "the same for the first ten", found->precision[2]},
        {"mean_average_precision",
         OF(found, "mean of the average precision of each ", "'s k neighbours"),
         found->average_precision},
        {"precision_by_chance", "the precision of randomly chosen neighbours", found->chance},
        {"coverage", OF(found, "share of ", "s with a neighbour"), found->coverage},
        {"full_coverage", OF(found, "share of ", "s with k neighbours"), found->full_coverage},
        {"mean_neighbors", OF(found, "neighbours per ", ""), found->mean_count},
        {"hub_share",
         OF(found, "share of all list entries that are of the 1 % of ", "s recommended most"),
         found->hub_share},
        {"mean_score", "mean cosine or score of the neighbours", found->mean_score},
        {"pairs_found", "share of the pairs of which one is a neighbour of the other", pairs_found},
        {"churn", "share of neighbours that are not in the other table", found->churn},
    };
    size_t count = sizeof list / sizeof *list;
    report(call, found, list, count);
    if (params->categories && *params->categories)
        report_categories(call->report, *params->categories);
    if (params->golden) report_golden(call->report, params->golden_found, *params->ids);
    if (params->golden && akin_comm_rank(call->comm) == 0)
        akin_golden_tell_unknown(params->golden_found, params->golden, params->table);
    if (found->labelled == 0 && !call->print)
        akin_log_info("evaluate: no %s has a %s, so there is no precision", OF(found, "", ""),
                      akin_options_text(call->options, "label"));
    if (call->print && akin_comm_rank(call->comm) == 0) print(call, found, list, count);
    if (params->golden && call->print && akin_comm_rank(call->comm) == 0)
        print_golden(params->golden_found, *params->ids);
    remark(call, found, params->label == AKIN_EVALUATE_GROUP);
}

static akin_status run(akin_call *call) {
    akin_status status;
    const char *const *arguments;
    akin_evaluate_figures found;
    bool by_group = strcmp(akin_options_text(call->options, "label"), "group") == 0;
    (void)akin_options_arguments(call->options, &arguments);
    akin_evaluate_categories *categories = NULL;
    akin_golden golden = {0};
    akin_ids *ids = NULL;
    akin_evaluate_params params = {.table = arguments[0],
                                   .categories = by_group ? NULL : &categories,
                                   .against = akin_options_text(call->options, "against"),
                                   .pairs = akin_options_text(call->options, "pairs"),
                                   .golden = akin_options_text(call->options, "golden"),
                                   .golden_found = &golden,
                                   .ids = &ids,
                                   .label =
                                       by_group ? AKIN_EVALUATE_GROUP : AKIN_EVALUATE_CATEGORY};
    AKIN_TRY(akin_evaluate(call->comm, &params, &found));
    tell(call, &params, &found);
    AKIN_TRY(akin_standouts_tell(call->comm, params.table, params.against, call->report));
    if (call->print && akin_comm_rank(call->comm) == 0 && categories)
        print_categories(categories, OF(&found, "", "s"));
done:
    akin_evaluate_categories_free(categories);
    akin_golden_release(&golden);
    akin_ids_free(ids);
    return status;
}

const akin_verb akin_verb_evaluate = {
    .name = "evaluate",
    .arguments = "table.nc",
    .summary = "measure a table: precision by label, coverage, churn against another table",
    .argument_key = "table",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .run = run,
    .up_to_date = akin_call_is_repeated,
};
