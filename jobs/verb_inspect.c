/* verb_inspect: akin inspect FILE.nc */
#include "verbs.h"

#include <akin/labels.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <akin/ncfile.h>
#include <akin/shard.h>
#include <akin/text.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const akin_option options[] = {{0}};

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* --- for every file --- */

static akin_status add_attribute(akin_json *object, const char *key, const akin_ncfile *file,
                                 const char *name) {
    char *text = NULL;
    akin_status status = akin_ncfile_get_attribute(file, name, &text);
    if (status == AKIN_OK && text) akin_json_set_text(object, key, text);
    akin_mem_free(text);
    return status;
}

/* The digest of each input, under its name: input_catalog_digest is "catalog". */
static akin_status add_inputs(akin_json *report, const akin_ncfile *file) {
    akin_status status;
    char key[64];
    akin_json *inputs = akin_json_object();
    for (size_t a = 0; a < akin_ncfile_attribute_count(file); a++) {
        const char *name = akin_ncfile_attribute_name(file, a);
        size_t length = strlen(name), around = strlen("input_") + strlen("_digest");
        if (strncmp(name, "input_", 6) != 0 || !ends_with(name, "_digest")) continue;
        if (length <= around || length - around >= sizeof key) continue;
        snprintf(key, sizeof key, "%.*s", (int)(length - around), name + strlen("input_"));
        AKIN_TRY(add_attribute(inputs, key, file, name));
    }
    akin_json_set_node(report, "inputs", &inputs);
done:
    akin_json_free(inputs);
    return status;
}

static void add_dimensions(akin_json *report, const akin_ncfile *file) {
    akin_json *dimensions = akin_json_object();
    for (size_t d = 0; d < akin_ncfile_dimension_count(file); d++) {
        size_t length;
        const char *name = akin_ncfile_dimension_name(file, d, &length);
        akin_json_set_integer(dimensions, name, (long long)length);
    }
    akin_json_set_node(report, "dimensions", &dimensions);
}

static akin_status add_variables(akin_json *report, const akin_ncfile *file) {
    akin_status status;
    akin_text *text = NULL;
    akin_json *variables = akin_json_object();
    AKIN_TRY(akin_text_create(&text));
    for (size_t v = 0; v < akin_ncfile_variable_count(file); v++) {
        const char *type, *dims, *name = akin_ncfile_variable_name(file, v, &type, &dims);
        akin_text_clear(text);
        AKIN_TRY(akin_text_append(text, "%s(%s)", type, dims));
        akin_json_set_text(variables, name, akin_text_bytes(text));
    }
    akin_json_set_node(report, "variables", &variables);
done:
    akin_text_free(text);
    akin_json_free(variables);
    return status;
}

static akin_status add_common(akin_json *report, const akin_ncfile *file) {
    akin_status status;
    akin_json_set_text(report, "kind", akin_ncfile_kind(file));
    AKIN_TRY(add_attribute(report, "akin_version", file, "akin_version"));
    akin_json_set_text(report, "digest", akin_ncfile_digest(file));
    AKIN_TRY(add_inputs(report, file));
    AKIN_TRY(add_attribute(report, "options", file, "akin_options"));
    add_dimensions(report, file);
    AKIN_TRY(add_variables(report, file));
done:
    return status;
}

/* --- for each kind of file --- */

static akin_status add_length(akin_json *report, const char *key, const akin_ncfile *file,
                              const char *dimension) {
    size_t length;
    akin_status status = akin_ncfile_length(file, dimension, &length);
    if (status == AKIN_OK) akin_json_set_integer(report, key, (long long)length);
    return status;
}

/* This rank's part of a dimension. Not collective. */
static akin_status find_shard(const akin_comm *comm, const akin_ncfile *file, const char *dimension,
                              size_t *first, size_t *count) {
    size_t n;
    akin_status status = akin_ncfile_length(file, dimension, &n);
    if (status != AKIN_OK) return status;
    *first = akin_shard_first(n, akin_comm_size(comm), akin_comm_rank(comm));
    *count = akin_shard_count(n, akin_comm_size(comm), akin_comm_rank(comm));
    return AKIN_OK;
}

/* Whether an item has a value. */
static bool is_valued(akin_labels *labels, size_t a, size_t item) {
    return akin_labels_attribute_kind(labels, a) == AKIN_ATTRIBUTE_NUMBER
               ? !isnan(akin_labels_attribute_numbers(labels, a)[item])
               : akin_labels_attribute_values(labels, a)[item] >= 0;
}

/* The items' attributes: the type of each, and how many items have a value. Collective; agreed. */
static akin_status add_item_attributes(akin_comm *comm, akin_json *report, akin_labels *labels) {
    size_t count = akin_labels_attributes(labels);
    if (count == 0) return AKIN_OK;
    int64_t *sums = akin_mem_zalloc(count, sizeof *sums);
    akin_status status = akin_agree(comm, sums ? AKIN_OK : AKIN_FAILED);
    akin_json *all = akin_json_object();
    if (status != AKIN_OK) goto done;
    for (size_t a = 0; a < count; a++)
        for (size_t i = 0; i < akin_labels_count(labels); i++) sums[a] += is_valued(labels, a, i);
    akin_comm_sum_i64(comm, sums, count);
    for (size_t a = 0; a < count; a++) {
        akin_json *one = akin_json_object();
        const akin_attribute_kind kind = akin_labels_attribute_kind(labels, a);
        akin_json_set_text(one, "type", akin_attribute_kind_name(kind));
        akin_json_set_integer(one, "items", sums[a]);
        akin_json_set_node(all, akin_labels_attribute_name(labels, a), &one);
    }
    akin_json_set_node(report, "attributes", &all);
done:
    akin_json_free(all);
    akin_mem_free(sums);
    return status;
}

/* Items, names, and how many items have them. Collective. */
static akin_status add_labels(akin_comm *comm, akin_json *report, const akin_ncfile *file) {
    akin_status status;
    akin_labels *labels = NULL;
    size_t first = 0, count = 0;
    int64_t sums[3] = {0};
    status = find_shard(comm, file, "item", &first, &count);
    if (status == AKIN_OK) status = akin_labels_read(file, first, count, &labels);
    AKIN_TRY(akin_agree(comm, status));
    for (size_t i = 0; i < count; i++) {
        sums[0] += akin_labels_available(labels)[i];
        sums[1] += akin_labels_category(labels)[i] >= 0;
        sums[2] += akin_labels_group(labels)[i] >= 0;
    }
    akin_comm_sum_i64(comm, sums, 3);
    AKIN_TRY(akin_agree(comm, add_length(report, "items", file, "item")));
    akin_json_set_integer(report, "available_items", sums[0]);
    akin_json_set_integer(report, "categories", (long long)akin_labels_category_count(labels));
    akin_json_set_integer(report, "items_with_category", sums[1]);
    akin_json_set_integer(report, "groups", (long long)akin_labels_group_count(labels));
    akin_json_set_integer(report, "items_with_group", sums[2]);
    AKIN_TRY(add_item_attributes(comm, report, labels));
done:
    akin_labels_free(labels);
    return status;
}

static akin_status add_embeddings(akin_comm *comm, akin_json *report, const akin_ncfile *file) {
    akin_status status;
    AKIN_TRY(add_labels(comm, report, file));
    AKIN_TRY(add_length(report, "dim", file, "feature"));
done:
    return status;
}

/* How many rows of a refined table are duplicates; of two catalogues they are rows of the other.
 * Collective; agreed. */
static akin_status add_duplicates(akin_comm *comm, akin_json *report, const akin_ncfile *file) {
    bool two = akin_ncfile_has(file, "target_id");
    const char *name = two ? "target_duplicate_of" : "duplicate_of",
               *dimension = two ? "target" : "item";
    size_t first = 0, count = 0;
    int64_t duplicates = 0;
    int32_t *values = NULL;
    if (!akin_ncfile_has(file, name)) return AKIN_OK;
    akin_status status = find_shard(comm, file, dimension, &first, &count);
    if (status == AKIN_OK && !(values = akin_mem_alloc(count, sizeof *values)))
        status = AKIN_FAILED;
    if (status == AKIN_OK) status = akin_ncfile_expect(file, name, AKIN_NC_INT, dimension);
    if (status == AKIN_OK) status = akin_ncfile_get(file, name, first, count, values);
    for (size_t i = 0; status == AKIN_OK && i < count; i++) duplicates += values[i] >= 0;
    akin_mem_free(values);
    status = akin_agree(comm, status);
    akin_comm_sum_i64(comm, &duplicates, 1);
    akin_json_set_integer(report, "duplicates", duplicates);
    return status;
}

/* How many lists of a refined table were filled, and with how many neighbours. Not collective. */
static akin_status count_fill(const akin_ncfile *file, size_t first, size_t count, int32_t *values,
                              int64_t sums[2]) {
    akin_status status = AKIN_OK;
    if (!akin_ncfile_has(file, "filled")) return AKIN_OK;
    AKIN_TRY(akin_ncfile_expect(file, "filled", AKIN_NC_INT, "item"));
    AKIN_TRY(akin_ncfile_get(file, "filled", first, count, values));
    for (size_t i = 0; i < count; i++) sums[0] += values[i] > 0, sums[1] += values[i];
done:
    return status;
}

/* What the rows are, and what their neighbours. */
static akin_status add_sides(akin_json *report, const akin_ncfile *file) {
    bool by_group = akin_ncfile_has(file, "picture");
    akin_json_set_text(report, "rows", by_group ? "products" : "items");
    return akin_ncfile_has(file, "target_id") ? add_length(report, "targets", file, "target")
                                              : AKIN_OK;
}

static akin_status add_table(akin_comm *comm, akin_json *report, const akin_ncfile *file) {
    akin_status status;
    size_t first = 0, count = 0;
    int64_t sums[4] = {0};
    int32_t *counts = NULL;
    AKIN_TRY(akin_agree(comm, add_labels(comm, report, file)));
    status = find_shard(comm, file, "item", &first, &count);
    if (status == AKIN_OK && !(counts = akin_mem_alloc(count, sizeof *counts)))
        status = AKIN_FAILED;
    if (status == AKIN_OK) status = akin_ncfile_expect(file, "count", AKIN_NC_INT, "item");
    if (status == AKIN_OK) status = akin_ncfile_get(file, "count", first, count, counts);
    for (size_t i = 0; status == AKIN_OK && i < count; i++) {
        sums[0] += counts[i];
        sums[1] += counts[i] == 0;
    }
    if (status == AKIN_OK) status = count_fill(file, first, count, counts, sums + 2);
    AKIN_TRY(akin_agree(comm, status));
    akin_comm_sum_i64(comm, sums, sizeof sums / sizeof *sums);
    AKIN_TRY(add_length(report, "k", file, "k"));
    akin_json_set_integer(report, "neighbors", sums[0]);
    akin_json_set_integer(report, "items_without_neighbors", sums[1]);
    AKIN_TRY(add_sides(report, file));
    AKIN_TRY(add_duplicates(comm, report, file));
    if (!akin_ncfile_has(file, "filled")) goto done;
    akin_json_set_integer(report, "filled_items", sums[2]);
    akin_json_set_integer(report, "filled", sums[3]);
done:
    akin_mem_free(counts);
    return status;
}

/* The number of values in all variables that have an Adam moment, which are the weights. */
static long long count_parameters(const akin_ncfile *file) {
    long long total = 0;
    char twin[256];
    for (size_t v = 0; v < akin_ncfile_variable_count(file); v++) {
        const char *type, *dims, *name = akin_ncfile_variable_name(file, v, &type, &dims);
        snprintf(twin, sizeof twin, "%s_adam_mean", name);
        if (!akin_ncfile_has(file, twin)) continue;
        long long count = 1;
        for (const char *rest = dims; *rest; rest += strcspn(rest, ","), rest += *rest == ',') {
            size_t length = 1;
            char dimension[256];
            snprintf(dimension, sizeof dimension, "%.*s", (int)strcspn(rest, ","), rest);
            if (akin_ncfile_length(file, dimension, &length) == AKIN_OK) count *= (long long)length;
        }
        total += count;
    }
    return total;
}

static akin_status add_step(akin_comm *comm, akin_json *report, const akin_ncfile *file) {
    akin_status status;
    int64_t step = 0;
    (void)comm;
    AKIN_TRY(akin_ncfile_expect(file, "step", AKIN_NC_INT64, ""));
    AKIN_TRY(akin_ncfile_get(file, "step", 0, 1, &step));
    akin_json_set_integer(report, "steps", step);
done:
    return status;
}

/* The parts that --aspect can name, with the columns of each. Collective; agreed. */
static akin_status add_parts(akin_comm *comm, akin_json *report, const akin_ncfile *file) {
    akin_model *model = NULL;
    akin_status status = akin_model_read(comm, akin_ncfile_path(file), &model);
    if (status != AKIN_OK) return status;
    const akin_features *features = akin_model_features(model);
    akin_json *parts = akin_json_object();
    for (size_t p = 0; p < AKIN_PARTS; p++)
        if (features->parts[p].weight > 0)
            akin_json_set_integer(parts, akin_part_name((akin_part)p),
                                  (long long)features->parts[p].dim);
    akin_json_set_node(report, "parts", &parts);
    akin_model_free(model);
    return AKIN_OK;
}

static akin_status add_model(akin_comm *comm, akin_json *report, const akin_ncfile *file) {
    akin_status status;
    akin_json_set_integer(report, "parameters", count_parameters(file));
    status = add_step(comm, report, file);
    if (status == AKIN_OK) status = add_attribute(report, "objective", file, "objective");
    if (status == AKIN_OK) status = add_attribute(report, "features", file, "features");
    AKIN_TRY(akin_agree(comm, status));
    AKIN_TRY(add_parts(comm, report, file));
done:
    return status;
}

/* Collective; after its last collective call a rank may fail alone, so the caller agrees. */
static const struct {
    const char *kind;
    akin_status (*add)(akin_comm *comm, akin_json *report, const akin_ncfile *file);
} kinds[] = {{"catalog", add_labels},
             {"embeddings", add_embeddings},
             {"table", add_table},
             {"model", add_model},
             {"checkpoint", add_step}};

/* --- the answer --- */

static void print_value(const akin_json *object, const char *key) {
    const char *text = akin_json_text(object, key);
    const akin_json *attribute = akin_json_get(object, key);
    if (akin_json_count(attribute) > 0)
        printf("(%s of %.0f items)", akin_json_text(attribute, "type"),
               akin_json_number(attribute, "items", 0));
    else if (text)
        printf("%s", text);
    else
        printf("%.0f", akin_json_number(object, key, 0));
}

/* A line for each key from `first` on; ncdump shows the variables. */
static void print(const akin_json *report, size_t first) {
    if (akin_json_number(report, "items", 0) > 0)
        printf("%-26s %.0f\n", "items", akin_json_number(report, "items", 0));
    for (size_t i = first; i < akin_json_count(report); i++) {
        const akin_json *node = akin_json_at(report, i);
        const char *key = akin_json_key(node);
        bool nested = akin_json_count(node) > 0;
        if (strcmp(key, "variables") == 0 || (!nested && strcmp(key, "inputs") == 0)) continue;
        printf("%-26s ", key);
        if (!nested) print_value(report, key);
        for (size_t j = 0; j < akin_json_count(node); j++) {
            const char *inner = akin_json_key(akin_json_at(node, j));
            printf("%s%s ", j ? ", " : "", inner);
            print_value(node, inner);
        }
        putchar('\n');
    }
}

static akin_status run(akin_call *call) {
    akin_status status;
    akin_ncfile *file = NULL;
    const char *const *arguments;
    (void)akin_options_arguments(call->options, &arguments);
    size_t common = akin_json_count(call->report);
    AKIN_TRY(akin_ncfile_open(call->comm, arguments[0], NULL, &file));
    AKIN_TRY(akin_agree(call->comm, add_common(call->report, file)));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(akin_ncfile_kind(file), kinds[i].kind) == 0)
            AKIN_TRY(akin_agree(call->comm, kinds[i].add(call->comm, call->report, file)));
    if (call->print && akin_comm_rank(call->comm) == 0) {
        printf("%s: an akin file, undamaged\n", arguments[0]);
        print(call->report, common);
    }
done:
    akin_ncfile_close(file);
    return status;
}

const akin_verb akin_verb_inspect = {
    .name = "inspect",
    .arguments = "FILE.nc",
    .summary = "describe a file in a few lines",
    .argument_key = NULL,
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .run = run,
};
