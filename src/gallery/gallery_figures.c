/* gallery_figures: the summary for the gallery's page. */
#include "gallery_figures.h"
#include "gallery_rejects.h"
#include <akin/file.h>
#include <akin/json.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CURVE_POINTS ((size_t)1000) /* limit; more would make the page slow */
#define METRICS_LIMIT ((size_t)256 << 20)

/* The stages shown, in order, and the key of each rate in metrics.json; `rate` NULL: items per
 * second. */
static const struct {
    const char *verb, *rate, *items, *unit;
} stages[] = {
    {"ingest", "images_per_second", NULL, "images/s"},
    {"train", "images_per_second", NULL, "images/s"},
    {"embed", "images_per_second", NULL, "images/s"},
    {"neighbors", "pairs_per_second", NULL, "pairs/s"},
    {"evaluate", NULL, "items", "items/s"},
    {"publish", NULL, "items", "items/s"},
};

/* --- from the table and the labels --- */

static void set_array(akin_json *object, const char *key, size_t count, const int64_t *values) {
    akin_json *array = akin_json_array();
    for (size_t i = 0; i < count; i++) akin_json_append_number(array, (double)values[i]);
    akin_json_set_node(object, key, &array);
}

static void set_histogram(akin_json *summary, const akin_gallery_counts *counts) {
    akin_json *histogram = akin_json_object();
    set_array(histogram, "all", AKIN_GALLERY_BINS, counts->all);
    set_array(histogram, "best", AKIN_GALLERY_BINS, counts->best);
    akin_json_set_node(summary, "histogram", &histogram);
}

static void set_categories(akin_json *summary, akin_labels *labels) {
    akin_json *names = akin_json_array();
    for (size_t i = 0; i < akin_labels_category_count(labels); i++)
        akin_json_append_text(names, akin_labels_category_name(labels, (int32_t)i));
    akin_json_set_node(summary, "categories", &names);
}

/* [[row...]...], as many as categories: those of its rows with the fewest neighbours of it. */
static void set_worst(akin_json *summary, const akin_gallery_facts *facts) {
    akin_json *list = akin_json_array();
    for (size_t c = 0; c < akin_labels_category_count(facts->rows->labels); c++) {
        akin_json *rows = akin_json_array();
        const int32_t *worst = facts->counts->worst + c * AKIN_GALLERY_WORST;
        for (size_t i = 0; i < AKIN_GALLERY_WORST && worst[i] >= 0; i++)
            akin_json_append_number(rows, worst[i]);
        akin_json_append_node(list, &rows);
    }
    akin_json_set_node(summary, "worst", &list);
}

/* The kind of rows: products and their number of pictures; two catalogues. */
static void set_sides(akin_json *summary, const akin_gallery_facts *facts) {
    akin_json_set_bool(summary, "products", facts->rows->shots.labels != NULL);
    akin_json_set_integer(summary, "pictures", (long long)akin_gallery_rows_pictures(facts->rows));
    akin_json_set_integer(summary, "targets", (long long)facts->rows->targets);
    if (facts->rows->targets == 0) return;
    akin_json_set_text(summary, "items_name", facts->items_name);
    akin_json_set_text(summary, "targets_name", facts->targets_name);
}

/* Of a float32, as gallery_data writes it; 9: more, or an exponent. */
static int digits_after_point(float value) {
    char text[32];
    snprintf(text, sizeof text, "%.7g", (double)value);
    const char *point = strchr(text, '.');
    if (strchr(text, 'e')) return 9;
    return point ? (int)strlen(point + 1) : 0;
}

/* Digits that each item's number is shown with, if none has more than two, as of prices; else 0. */
static int decimals_of(akin_labels *labels, size_t attribute) {
    int most = 0;
    if (akin_labels_attribute_kind(labels, attribute) != AKIN_ATTRIBUTE_NUMBER) return 0;
    const float *numbers = akin_labels_attribute_numbers(labels, attribute);
    for (size_t i = 0; i < akin_labels_count(labels) && most <= 2; i++) {
        int digits = isfinite(numbers[i]) ? digits_after_point(numbers[i]) : 0;
        if (digits > most) most = digits;
    }
    return most <= 2 ? most : 0;
}

static void set_decimals(akin_json *summary, akin_labels *labels) {
    akin_json *all = akin_json_object();
    for (size_t a = 0; a < akin_labels_attributes(labels); a++) {
        int decimals = decimals_of(labels, a);
        if (decimals > 0)
            akin_json_set_integer(all, akin_labels_attribute_name(labels, a), decimals);
    }
    akin_json_set_node(summary, "decimals", &all);
}

/* null if no item has a category */
static void set_precision(akin_json *summary, const akin_evaluate_figures *measured) {
    if (measured->labelled == 0) {
        akin_json_set_null(summary, "precision");
        return;
    }
    akin_json *precision = akin_json_object();
    for (int i = 0; i < AKIN_EVALUATE_DEPTHS; i++) {
        char depth[16];
        snprintf(depth, sizeof depth, "%d", akin_evaluate_depths[i]);
        akin_json_set_number(precision, depth, measured->precision[i]);
    }
    akin_json_set_node(summary, "precision", &precision);
}

/* [name, items, precision at 1, at 10, average precision] per category. */
static void append_category(akin_json *list, const akin_evaluate_category *one) {
    akin_json *entry = akin_json_array();
    akin_json_append_text(entry, one->name);
    akin_json_append_number(entry, (double)one->items);
    akin_json_append_number(entry, one->precision[0]);
    akin_json_append_number(entry, one->precision[AKIN_EVALUATE_DEPTHS - 1]);
    akin_json_append_number(entry, one->average_precision);
    akin_json_append_node(list, &entry);
}

static void set_by_category(akin_json *summary, const akin_evaluate_categories *categories) {
    akin_json *list = akin_json_array();
    for (size_t c = 0; c < akin_evaluate_categories_count(categories); c++) {
        const akin_evaluate_category one = akin_evaluate_categories_at(categories, c);
        append_category(list, &one);
    }
    akin_json_set_node(summary, "by_category", &list);
}

static void set_refined(akin_json *summary, const akin_gallery_facts *facts) {
    akin_json_set_integer(summary, "duplicates", (long long)facts->duplicates);
    akin_json_set_integer(summary, "placed", (long long)facts->placed);
    akin_json_set_bool(summary, "diverse", facts->diverse);
    akin_json_set_bool(summary, "calibrated", facts->calibrated);
    akin_json_set_bool(summary, "collapsed", facts->measured->has_duplicates);
    akin_json_set_integer(summary, "filled", (long long)facts->measured->fills);
    akin_json_set_integer(summary, "filled_items", (long long)facts->measured->filled_items);
    akin_json_set_number(summary, "average_precision", facts->measured->average_precision);
    set_by_category(summary, facts->by_category);
    set_worst(summary, facts);
}

/* A copy of the node, or an empty list. */
static void copy_node(akin_json *summary, const char *key, const akin_json *node) {
    akin_json *copy = node ? akin_json_copy(node) : akin_json_array();
    akin_json_set_node(summary, key, &copy);
}

static void set_measured(akin_json *summary, const akin_gallery_facts *facts) {
    const akin_evaluate_figures *measured = facts->measured;
    akin_json_set_text(summary, "version", AKIN_VERSION);
    akin_json_set_text(summary, "table_digest", measured->table_digest);
    akin_json_set_integer(summary, "index_size", AKIN_GALLERY_INDEX);
    akin_json_set_integer(summary, "list_size", AKIN_GALLERY_LIST);
    akin_json_set_integer(summary, "items", (long long)measured->items);
    akin_json_set_integer(summary, "k", (long long)measured->k);
    akin_json_set_integer(summary, "unavailable", facts->counts->unavailable);
    akin_json_set_integer(summary, "missing", (long long)facts->placeholders);
    akin_json_set_integer(summary, "redrawn", (long long)facts->learnt->shown);
    akin_json_set_number(summary, "coverage", measured->coverage);
    akin_json_set_number(summary, "full_coverage", measured->full_coverage);
    set_precision(summary, measured);
    set_refined(summary, facts);
    akin_json_set_number(summary, "chance", measured->chance);
    akin_json_set_number(summary, "hub_share", measured->hub_share);
    akin_json_set_integer(summary, "never_recommended", (long long)measured->never_recommended);
    akin_json_set_integer(summary, "not_recommendable", (long long)measured->not_recommendable);
    akin_json_set_bool(summary, "only_available", measured->only_available);
    akin_json_set_integer(summary, "at_most_once", (long long)measured->at_most_once);
    akin_json_set_text(summary, "options", facts->table_options);
    akin_json_set_bool(summary, "against", facts->against);
    if (facts->product_url) akin_json_set_text(summary, "product_url", facts->product_url);
    if (facts->beside) akin_json_set_text(summary, "beside", akin_file_name(facts->beside));
    akin_json_set_integer(summary, "leaving", (long long)facts->leaving);
    akin_json_set_integer(summary, "listed", (long long)facts->listed);
    copy_node(summary, "outliers", facts->outliers);
    copy_node(summary, "share_parts", facts->parts);
    akin_json_set_bool(summary, "ranked", facts->ranked);
    set_histogram(summary, facts->counts);
    set_categories(summary, facts->rows->labels);
    set_decimals(summary, facts->rows->labels);
    set_sides(summary, facts);
}

/* --- from the results of a run --- */

/* Unreadable files are left out: an incomplete page is better than none. */
static akin_status read_metrics(const char *results, akin_json **out) {
    unsigned char *bytes = NULL;
    size_t count = 0;
    *out = NULL;
    char *path = akin_file_join(results, "metrics.json");
    if (!path) return AKIN_FAILED;
    if (akin_file_exists(path)) {
        akin_status status = akin_file_read(path, METRICS_LIMIT, &bytes, &count);
        if (status == AKIN_OK) status = akin_json_parse((const char *)bytes, count, out);
        if (status != AKIN_OK)
            akin_log_warning("%s is left out of the gallery: %s", path, akin_error_message());
    }
    akin_mem_free(bytes);
    akin_mem_free(path);
    return AKIN_OK;
}

/* A number, or null if it is not finite. */
static void append_stage(akin_json *list, size_t index, const akin_json *entry) {
    double seconds = akin_json_number(entry, "seconds", NAN), rate = NAN;
    if (stages[index].rate)
        rate = akin_json_number(entry, stages[index].rate, NAN);
    else if (seconds > 0)
        rate = akin_json_number(entry, stages[index].items, NAN) / seconds;
    akin_json *stage = akin_json_object();
    akin_json_set_text(stage, "verb", stages[index].verb);
    akin_json_set_number(stage, "seconds", seconds);
    akin_json_set_number(stage, "rate", rate);
    akin_json_set_text(stage, "unit", stages[index].unit);
    const char *night = akin_json_text(entry, "night"); /* the night that did it, if not this */
    if (night) akin_json_set_text(stage, "night", night);
    akin_json_append_node(list, &stage);
}

/* The report of a stage in metrics.json. For another table `name` it is under "tables", in the
 * report of neighbors. */
static const akin_json *entry_of(const akin_json *metrics, const char *name, const char *verb) {
    const akin_json *table =
        name && metrics ? akin_json_get(akin_json_get(metrics, "tables"), name) : NULL;
    if (table && strcmp(verb, "neighbors") == 0) return table;
    if (table && akin_json_get(table, verb)) return akin_json_get(table, verb);
    bool own = strcmp(verb, "evaluate") == 0 || strcmp(verb, "publish") == 0;
    return metrics && !(name && own) ? akin_json_get(metrics, verb) : NULL;
}

/* The names of all tables, and the relative paths from this page to theirs and to the pictures. */
static void set_tables(akin_json *summary, const akin_gallery_facts *facts) {
    akin_json *names = akin_json_array();
    akin_json_append_text(names, "main");
    for (const char *const *name = facts->names; name && *name; name++)
        akin_json_append_text(names, *name);
    akin_json_set_node(summary, "tables", &names);
    akin_json_set_text(summary, "table", facts->name ? facts->name : "main");
    akin_json_set_text(summary, "home", facts->name ? "../../" : "");
}

static void set_stages(akin_json *summary, const akin_json *metrics, const char *name) {
    akin_json *list = akin_json_array();
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        const akin_json *entry = entry_of(metrics, name, stages[i].verb);
        if (entry) append_stage(list, i, entry);
    }
    akin_json_set_node(summary, "stages", &list);
}

static void set_values(akin_json *summary, const char *key, size_t count, const double *values) {
    akin_json *array = akin_json_array();
    for (size_t i = 0; i < count; i++) akin_json_append_number(array, values[i]);
    akin_json_set_node(summary, key, &array);
}

/* The training curve of the model, of whichever night trained it; for a very long run, the points
 * in metrics.json. */
static void set_curves(akin_json *summary, const akin_json *train,
                       const akin_gallery_learnt *learnt) {
    if (learnt->epochs > 0 && learnt->epochs <= CURVE_POINTS) {
        akin_json_set_integer(summary, "epochs", (long long)learnt->epochs);
        set_values(summary, "curve", learnt->epochs, learnt->loss);
        set_values(summary, "holdout_curve", learnt->epochs, learnt->holdout_loss);
        if (learnt->contrast) {
            set_values(summary, "contrast_curve", learnt->epochs, learnt->contrast);
            set_values(summary, "holdout_contrast_curve", learnt->epochs, learnt->holdout_contrast);
        }
    } else {
        akin_json_set_number(summary, "epochs", train ? akin_json_number(train, "epochs", 0) : 0);
        copy_node(summary, "curve", train ? akin_json_get(train, "curve") : NULL);
        copy_node(summary, "holdout_curve", train ? akin_json_get(train, "holdout_curve") : NULL);
        if (train && akin_json_get(train, "contrast_curve")) {
            copy_node(summary, "contrast_curve", akin_json_get(train, "contrast_curve"));
            copy_node(summary, "holdout_contrast_curve",
                      akin_json_get(train, "holdout_contrast_curve"));
        }
    }
}

static void set_metrics(akin_json *summary, const akin_json *metrics, const char *name,
                        const akin_gallery_learnt *learnt) {
    const akin_json *train = metrics ? akin_json_get(metrics, "train") : NULL;
    const akin_json *evaluate = entry_of(metrics, name, "evaluate");
    set_stages(summary, metrics, name);
    copy_node(summary, "published", akin_json_get(entry_of(metrics, name, "publish"), "published"));
    set_curves(summary, train, learnt);
    copy_node(summary, "parts", train ? akin_json_get(train, "parts") : NULL);
    copy_node(summary, "weights_chosen", train ? akin_json_get(train, "weights_chosen") : NULL);
    akin_json_set_number(summary, "churn",
                         evaluate ? akin_json_number(evaluate, "churn", NAN) : NAN);
}

static akin_status set_rejects(akin_json *summary, const char *results) {
    akin_json *rejects = NULL;
    char *path = akin_file_join(results, "rejects.csv");
    if (!path) return AKIN_FAILED;
    if (akin_gallery_rejects(path, &rejects) != AKIN_OK)
        akin_log_warning("%s is left out of the gallery: %s", path, akin_error_message());
    akin_mem_free(path);
    if (rejects)
        akin_json_set_node(summary, "rejects", &rejects);
    else
        akin_json_set_null(summary, "rejects");
    return AKIN_OK;
}

/* The job is named after its folder. */
static akin_status set_name(akin_json *summary, const char *results) {
    char *copy = akin_mem_text(results);
    if (!copy) return AKIN_FAILED;
    for (size_t length = strlen(copy); length > 1 && copy[length - 1] == '/'; length--)
        copy[length - 1] = '\0';
    const char *name = akin_file_name(copy);
    akin_json_set_text(summary, "name", strspn(name, ".") == strlen(name) ? "" : name);
    akin_mem_free(copy);
    return AKIN_OK;
}

static akin_status set_results(akin_json *summary, const char *results, const char *name,
                               const akin_gallery_learnt *learnt) {
    akin_status status = AKIN_OK;
    akin_json *metrics = NULL;
    AKIN_TRY(set_name(summary, results ? results : ""));
    if (results) {
        AKIN_TRY(read_metrics(results, &metrics));
        AKIN_TRY(set_rejects(summary, results));
    } else
        akin_json_set_null(summary, "rejects");
    set_metrics(summary, metrics, name, learnt);
done:
    akin_json_free(metrics);
    return status;
}

akin_status akin_gallery_figures(akin_gallery_folder *folder, const akin_gallery_facts *facts) {
    akin_status status = AKIN_OK;
    akin_text *script = NULL;
    char *text = NULL;
    akin_json *summary = akin_json_object();
    set_measured(summary, facts);
    set_tables(summary, facts);
    AKIN_TRY(set_results(summary, facts->results, facts->name, facts->learnt));
    AKIN_TRY(akin_json_check(summary));
    text = akin_json_print(summary, true);
    if (!text) AKIN_TRY(akin_error_set(AKIN_FAILED, "not enough memory for the gallery's figures"));
    AKIN_TRY(akin_text_create(&script));
    AKIN_TRY(akin_text_append(script, "akin.summary(%s);\n", text));
    AKIN_TRY(akin_gallery_folder_put(folder, "data/summary.js", akin_text_bytes(script),
                                     akin_text_length(script)));
done:
    akin_text_free(script);
    akin_mem_free(text);
    akin_json_free(summary);
    return status;
}
