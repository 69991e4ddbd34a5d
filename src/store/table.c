/* table: table.nc, the recommendation table. */
#include "members.h"
#include <akin/mem.h>
#include <akin/table.h>
#include <math.h>
#include <string.h>

#define PIECE_ROWS 4096 /* rows read at a time if only some columns are requested */

struct akin_table {
    akin_ncfile *file;
    size_t items, k, targets;
    bool against, by_group;
    bool refined, diverse, boosted, calibrated, has_fill, has_pins, has_duplicates;
};

static const akin_ncfile_field
    schema[] = {{"neighbor", AKIN_NC_INT, "item,k", "1", "row of the neighbour, best first"},
                {"score", AKIN_NC_FLOAT, "item,k", "1", "cosine of item and neighbour"},
                {"count", AKIN_NC_INT, "item", "1", "number of neighbours"},
                {0}},
    /* What a refined table may have in addition to its lists. */
    fill_schema[] = {{"filled", AKIN_NC_INT, "item", "1",
                      "number of neighbours at the end of the list that were filled in"},
                     {0}},
    pin_schema[] = {{"pinned", AKIN_NC_INT, "item", "1",
                     "number of neighbours at the beginning of the list that were pinned"},
                    {0}},
    duplicate_schema[] = {{"duplicate_of", AKIN_NC_INT, "item", "1",
                           "row of the item that is recommended instead"},
                          {0}},
    target_duplicate_schema[] = {{"target_duplicate_of", AKIN_NC_INT, "target", "1",
                                  "row of the target that is recommended instead"},
                                 {0}},
    boost_schema[] = {{"boost", AKIN_NC_FLOAT, "item", "1",
                       "what rules add to the score of the item as a neighbour"},
                      {0}},
    target_boost_schema[] = {{"target_boost", AKIN_NC_FLOAT, "target", "1",
                              "what rules add to the score of the target as a neighbour"},
                             {0}},
    calibration_schema[] = {{"calibration_cosine", AKIN_NC_FLOAT, "knot", "1", "cosine, ascending"},
                            {"calibration_share", AKIN_NC_DOUBLE, "knot", "1",
                             "share of random pairs with a smaller cosine"},
                            {0}};

static const akin_ncfile_field picture_schema[] = {
    {"picture", AKIN_NC_INT, "item,k", "1", "row of the item's picture in the embeddings"},
    {"neighbor_picture", AKIN_NC_INT, "item,k", "1", "row of the neighbour's picture"},
    {0}};

static const akin_ncfile_field target_schema[] = {
    {"target_id", AKIN_NC_CHAR, "target,target_id_length", NULL,
     "identifier of the item that can be recommended"},
    {"target_category", AKIN_NC_INT, "target", "1", "its category"},
    {"target_group", AKIN_NC_INT, "target", "1", "its group"},
    {"target_available", AKIN_NC_BYTE, "target", "1", "whether it can be recommended"},
    {0}};

/* Which rows another one is recommended for are those that can be recommended. */
static const akin_ncfile_field *duplicates_of(const akin_table *table) {
    return table->against ? target_duplicate_schema : duplicate_schema;
}

static const akin_ncfile_field *boost_of(bool against) {
    return against ? target_boost_schema : boost_schema;
}

static akin_status check_extras(akin_table *table) {
    akin_status status;
    const akin_ncfile *file = table->file;
    char *order = NULL;
    AKIN_TRY(akin_ncfile_get_attribute(file, "list_order", &order));
    table->refined = order != NULL;
    table->diverse = order && strcmp(order, "diversity") == 0;
    table->boosted = order && strcmp(order, "boosted") == 0;
    table->calibrated = akin_ncfile_has(file, "calibration_share");
    table->has_fill = akin_ncfile_has(file, "filled");
    table->has_pins = akin_ncfile_has(file, "pinned");
    table->has_duplicates = akin_ncfile_has(file, duplicates_of(table)->name);
    if (table->has_fill) AKIN_TRY(akin_ncfile_check_schema(file, fill_schema));
    if (table->has_pins) AKIN_TRY(akin_ncfile_check_schema(file, pin_schema));
    if (table->has_duplicates) AKIN_TRY(akin_ncfile_check_schema(file, duplicates_of(table)));
    if (table->calibrated) AKIN_TRY(akin_ncfile_check_schema(file, calibration_schema));
done:
    akin_mem_free(order);
    return status;
}

static akin_status check_schema(akin_table *table) {
    akin_status status;
    const akin_ncfile *file = table->file;
    AKIN_TRY(akin_ncfile_length(file, "item", &table->items));
    AKIN_TRY(akin_ncfile_length(file, "k", &table->k));
    AKIN_TRY(akin_ncfile_check_schema(file, schema));
    table->targets = table->items;
    table->against = akin_ncfile_has(file, "target_id");
    table->by_group = akin_ncfile_has(file, "picture");
    if (table->by_group) AKIN_TRY(akin_ncfile_check_schema(file, picture_schema));
    if (table->against) {
        AKIN_TRY(akin_ncfile_check_schema(file, target_schema));
        AKIN_TRY(akin_ncfile_length(file, "target", &table->targets));
    }
    AKIN_TRY(check_extras(table));
done:
    return status;
}

akin_status akin_table_open(akin_comm *comm, const char *path, akin_table **out) {
    akin_status status;
    *out = NULL;
    akin_table *table = akin_mem_zalloc(1, sizeof *table);
    AKIN_TRY(akin_agree(comm, table ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_ncfile_open(comm, path, "table", &table->file));
    AKIN_TRY(akin_agree(comm, check_schema(table)));
    *out = table;
    return AKIN_OK;
done:
    akin_table_close(table);
    return status;
}

void akin_table_close(akin_table *table) {
    if (!table) return;
    akin_ncfile_close(table->file);
    akin_mem_free(table);
}

size_t akin_table_items(const akin_table *table) {
    return table->items;
}

size_t akin_table_k(const akin_table *table) {
    return table->k;
}

const char *akin_table_digest(const akin_table *table) {
    return akin_ncfile_digest(table->file);
}

const akin_ncfile *akin_table_file(const akin_table *table) {
    return table->file;
}

size_t akin_table_targets(const akin_table *table) {
    return table->targets;
}

bool akin_table_is_against(const akin_table *table) {
    return table->against;
}

bool akin_table_is_by_group(const akin_table *table) {
    return table->by_group;
}

bool akin_table_is_refined(const akin_table *table) {
    return table->refined;
}

bool akin_table_is_diverse(const akin_table *table) {
    return table->diverse;
}

bool akin_table_is_boosted(const akin_table *table) {
    return table->boosted;
}

bool akin_table_is_calibrated(const akin_table *table) {
    return table->calibrated;
}

bool akin_table_has_fill(const akin_table *table) {
    return table->has_fill;
}

bool akin_table_has_pins(const akin_table *table) {
    return table->has_pins;
}

bool akin_table_has_duplicates(const akin_table *table) {
    return table->has_duplicates;
}

/* Reads rows of an int variable, whose values must be within [least, most]. */
static akin_status get_checked(const akin_table *table, const char *variable, size_t first,
                               size_t count, int32_t least, int32_t most, int32_t *values) {
    akin_status status = akin_ncfile_get(table->file, variable, first, count, values);
    for (size_t i = 0; i < count && status == AKIN_OK; i++)
        if (values[i] < least || values[i] > most)
            status =
                akin_error_set(AKIN_INPUT, "%s: %s of row %zu is out of range; run neighbors again",
                               akin_ncfile_path(table->file), variable, first + i);
    return status;
}

akin_status akin_table_filled(const akin_table *table, size_t first, size_t count,
                              int32_t *filled) {
    memset(filled, 0, count * sizeof *filled);
    return table->has_fill
               ? get_checked(table, "filled", first, count, 0, (int32_t)table->k, filled)
               : AKIN_OK;
}

akin_status akin_table_pinned(const akin_table *table, size_t first, size_t count,
                              int32_t *pinned) {
    memset(pinned, 0, count * sizeof *pinned);
    return table->has_pins
               ? get_checked(table, "pinned", first, count, 0, (int32_t)table->k, pinned)
               : AKIN_OK;
}

akin_status akin_table_duplicates(const akin_table *table, size_t first, size_t count,
                                  int32_t *duplicate_of) {
    memset(duplicate_of, 0xFF, count * sizeof *duplicate_of);
    if (!table->has_duplicates) return AKIN_OK;
    return get_checked(table, duplicates_of(table)->name, first, count, -1,
                       (int32_t)table->targets - 1, duplicate_of);
}

akin_status akin_table_pictures(const akin_table *table, size_t first, size_t count,
                                size_t pictures, size_t others, int32_t *picture, int32_t *other) {
    akin_status status;
    const size_t rows[] = {pictures, others};
    static const char *const names[] = {"picture", "neighbor_picture"};
    int32_t *const values[] = {picture, other};
    for (size_t v = 0; v < 2; v++) {
        AKIN_TRY(akin_ncfile_get(table->file, names[v], first, count, values[v]));
        for (size_t e = 0; e < count * table->k; e++)
            if (values[v][e] < -1 || values[v][e] >= (int64_t)rows[v])
                AKIN_TRY(akin_error_set(
                    AKIN_INPUT, "%s: %s of row %zu is out of range; run neighbors again",
                    akin_ncfile_path(table->file), names[v], first + e / table->k));
    }
done:
    return status;
}

akin_status akin_table_boost(const akin_table *table, size_t first, size_t count, float *boost) {
    const akin_ncfile_field *field = boost_of(table->against);
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < count; i++) boost[i] = 0;
    if (!akin_ncfile_has(table->file, field->name)) return AKIN_OK;
    AKIN_TRY(akin_ncfile_check_schema(table->file, field));
    AKIN_TRY(akin_ncfile_get(table->file, field->name, first, count, boost));
    for (size_t i = 0; i < count; i++)
        if (!isfinite(boost[i]))
            AKIN_TRY(akin_error_set(AKIN_INPUT, "%s: %s of row %zu is not a number",
                                    akin_ncfile_path(table->file), field->name, first + i));
done:
    return status;
}

/* Whether the entry may follow the one before it; the first `pinned`, and those from `chosen` on, have
 * no order. */
static bool in_order(const akin_table *table, const int32_t *neighbor, const float *score, size_t j,
                     size_t pinned, size_t chosen) {
    if (table->diverse || table->boosted || j <= pinned || j >= chosen || score[j] < score[j - 1])
        return true;
    return score[j] == score[j - 1] && (neighbor[j] > neighbor[j - 1] || table->calibrated);
}

/* What is wrong with the row, NULL if nothing: it must have `held` neighbours that are rows,
 * best first, and none after them; the last `filled` were filled in. */
static const char *find_fault(const akin_table *table, size_t row, int32_t held, int32_t filled,
                              int32_t pinned, const int32_t *neighbor, const float *score) {
    if (held < 0 || (size_t)held > table->k) return "its count is not within 0 to k";
    if (pinned > held) return "it has more pinned neighbours than neighbours";
    if (filled > held) return "it has more filled neighbours than neighbours";
    for (size_t j = 0; j < table->k; j++) {
        bool there = j < (size_t)held;
        if (!there && (neighbor[j] != -1 || score[j] != 0))
            return "it has a neighbour after its count";
        if (!there) continue;
        if (neighbor[j] < 0 || (size_t)neighbor[j] >= table->targets)
            return "a neighbour is not a row of the table";
        if (!table->against && (size_t)neighbor[j] == row) return "it is its own neighbour";
        if (!(score[j] >= -1 && score[j] <= 1)) return "a score is not within [-1, 1]";
        if (j > 0 && !in_order(table, neighbor, score, j, (size_t)pinned, (size_t)(held - filled)))
            return "its neighbours are out of order";
    }
    return NULL;
}

/* Rows that were read, to be checked. */
typedef struct {
    size_t first, count;
    int32_t *neighbor;                 /* [count, k] */
    float *score;                      /* [count, k] */
    int32_t *counts, *filled, *pinned; /* [count] */
} piece;

static akin_status check_piece(const akin_table *table, const piece *p) {
    for (size_t i = 0; i < p->count; i++) {
        const char *fault =
            find_fault(table, p->first + i, p->counts[i], p->filled[i], p->pinned[i],
                       p->neighbor + i * table->k, p->score + i * table->k);
        if (fault)
            return akin_error_set(AKIN_INPUT, "%s: row %zu: %s; run neighbors again",
                                  akin_ncfile_path(table->file), p->first + i, fault);
    }
    return AKIN_OK;
}

static akin_status read_piece(const akin_table *table, const piece *p) {
    akin_status status;
    AKIN_TRY(akin_ncfile_get(table->file, "neighbor", p->first, p->count, p->neighbor));
    AKIN_TRY(akin_ncfile_get(table->file, "score", p->first, p->count, p->score));
    AKIN_TRY(akin_ncfile_get(table->file, "count", p->first, p->count, p->counts));
    AKIN_TRY(akin_table_filled(table, p->first, p->count, p->filled));
    AKIN_TRY(akin_table_pinned(table, p->first, p->count, p->pinned));
    status = check_piece(table, p);
done:
    return status;
}

akin_status akin_table_rows(const akin_table *table, size_t first, size_t count, int32_t *neighbor,
                            float *score, int32_t *counts) {
    akin_status status = AKIN_OK;
    size_t k = table->k, step = count < PIECE_ROWS ? count : PIECE_ROWS;
    /* A row is checked as a whole; what was not requested is read to scratch. */
    int32_t *some_neighbor = neighbor ? NULL : akin_mem_alloc(step * k, sizeof *some_neighbor);
    float *some_score = score ? NULL : akin_mem_alloc(step * k, sizeof *some_score);
    int32_t *some_counts = counts ? NULL : akin_mem_alloc(step, sizeof *some_counts);
    int32_t *filled = akin_mem_alloc(step, sizeof *filled);
    int32_t *pinned = akin_mem_alloc(step, sizeof *pinned);
    if ((!neighbor && !some_neighbor) || (!score && !some_score) || (!counts && !some_counts) ||
        !filled || !pinned)
        AKIN_TRY(AKIN_FAILED);
    for (size_t done = 0; done < count; done += step) {
        const piece p = {.first = first + done,
                         .count = step < count - done ? step : count - done,
                         .neighbor = neighbor ? neighbor + done * k : some_neighbor,
                         .score = score ? score + done * k : some_score,
                         .counts = counts ? counts + done : some_counts,
                         .filled = filled,
                         .pinned = pinned};
        AKIN_TRY(read_piece(table, &p));
    }
done:
    akin_mem_free(some_neighbor);
    akin_mem_free(some_score);
    akin_mem_free(some_counts);
    akin_mem_free(filled);
    akin_mem_free(pinned);
    return status;
}

static void define_extras(akin_ncfile *file, const akin_table_extras *extras) {
    size_t knots;
    const float *cosine;
    const double *share;
    if (!extras->exact)
        akin_ncfile_attribute(file, NULL, "list_order",
                              extras->diverse   ? "diversity"
                              : extras->boosted ? "boosted"
                                                : "score");
    akin_ncfile_attribute(file, NULL, "akin_rules_digest", extras->rules_digest);
    if (extras->filled) akin_ncfile_define(file, fill_schema);
    if (extras->picture) {
        static const int32_t none = -1;
        akin_ncfile_define(file, picture_schema);
        akin_ncfile_attribute_values(file, "picture", "_FillValue", 1, &none);
        akin_ncfile_attribute_values(file, "neighbor_picture", "_FillValue", 1, &none);
    }
    if (extras->pinned) akin_ncfile_define(file, pin_schema);
    if (extras->boost && !extras->target_labels) akin_ncfile_define(file, boost_schema);
    if (extras->duplicate_of && !extras->target_labels) {
        akin_ncfile_define(file, duplicate_schema);
        akin_ncfile_attribute(file, "duplicate_of", "comment",
                              "index into item, from 0; -1 = none");
    }
    if (extras->calibration) {
        akin_calibration_knots(extras->calibration, &knots, &cosine, &share);
        akin_ncfile_dimension(file, "knot", knots);
        akin_ncfile_define(file, calibration_schema);
    }
}

static void define_targets(akin_ncfile *file, const akin_table_extras *extras) {
    akin_ncfile_attribute(file, NULL, "input_against_digest", extras->against_digest);
    akin_ncfile_dimension(file, "target", extras->targets);
    akin_ncfile_dimension(file, "target_id_length", akin_labels_id_length(extras->target_labels));
    akin_ncfile_define(file, target_schema);
    if (extras->boost) akin_ncfile_define(file, target_boost_schema);
    if (extras->duplicate_of) akin_ncfile_define(file, target_duplicate_schema);
    akin_ncfile_attribute(file, "target_duplicate_of", "comment",
                          extras->duplicate_of ? "index into target, from 0; -1 = none" : NULL);
    akin_ncfile_attribute(file, "neighbor", "comment", "index into target, from 0; -1 = none");
    akin_ncfile_attribute(file, "target_category", "comment",
                          "index into category_name; -1 = none");
    akin_ncfile_attribute(file, "target_group", "comment", "index into group_name; -1 = none");
}

/* Collective; agreed. */
static akin_status put_targets(akin_comm *comm, akin_ncfile *file,
                               const akin_table_extras *extras) {
    akin_status status;
    akin_labels *labels = extras->target_labels;
    size_t count = akin_labels_count(labels), first = extras->first_target;
    AKIN_TRY(akin_labels_put_ids(labels, file, comm, "target_id", first));
    akin_ncfile_put(file, "target_category", first, count, akin_labels_category(labels));
    akin_ncfile_put(file, "target_group", first, count, akin_labels_group(labels));
    akin_ncfile_put(file, "target_available", first, count, akin_labels_available(labels));
    if (extras->boost) akin_ncfile_put(file, "target_boost", first, count, extras->boost);
    if (extras->duplicate_of)
        akin_ncfile_put(file, "target_duplicate_of", first, count, extras->duplicate_of);
done:
    return status;
}

/* Collective; agreed. */
static akin_status put_extras(akin_comm *comm, akin_ncfile *file, const akin_table_extras *extras,
                              size_t first, size_t count) {
    akin_status status;
    size_t knots;
    const float *cosine;
    const double *share;
    if (extras->filled) akin_ncfile_put(file, "filled", first, count, extras->filled);
    if (extras->picture) akin_ncfile_put(file, "picture", first, count, extras->picture);
    if (extras->picture)
        akin_ncfile_put(file, "neighbor_picture", first, count, extras->neighbor_picture);
    if (extras->pinned) akin_ncfile_put(file, "pinned", first, count, extras->pinned);
    if (extras->boost && !extras->target_labels)
        akin_ncfile_put(file, "boost", first, count, extras->boost);
    if (extras->duplicate_of && !extras->target_labels)
        akin_ncfile_put(file, "duplicate_of", first, count, extras->duplicate_of);
    if (extras->calibration) {
        akin_calibration_knots(extras->calibration, &knots, &cosine, &share);
        if (akin_comm_rank(comm) != 0) knots = 0;
        akin_ncfile_put(file, "calibration_cosine", 0, knots, cosine);
        akin_ncfile_put(file, "calibration_share", 0, knots, share);
    }
    AKIN_TRY(akin_members_put(comm, file, false, &extras->members));
    AKIN_TRY(akin_members_put(comm, file, true, &extras->target_members));
    if (extras->target_labels) status = put_targets(comm, file, extras);
done:
    return status;
}

static void define(akin_ncfile *file, const akin_table_origin *origin, size_t n, size_t k,
                   const akin_labels *labels, const akin_table_extras *extras) {
    static const float cosines[2] = {-1, 1}, shares[2] = {0, 1};
    bool calibrated = extras && extras->calibration;
    const int32_t counts[2] = {0, (int32_t)k};
    akin_ncfile_attribute(file, NULL, "title", "Recommendation table of a product catalogue");
    akin_ncfile_attribute(file, NULL, "summary",
                          "For every item of a product catalogue, the k items that look most like "
                          "it, by the cosine of their embeddings.");
    akin_ncfile_attribute(file, NULL, "akin_options", origin->options);
    akin_ncfile_attribute(file, NULL, "akin_result_options", origin->result_options);
    akin_ncfile_attribute(file, NULL, "input_embeddings_digest", origin->embeddings_digest);
    akin_ncfile_attribute(file, NULL, "input_model_digest", origin->model_digest);
    akin_ncfile_dimension(file, "item", n);
    akin_ncfile_dimension(file, "k", k);
    akin_labels_define(labels, file);
    akin_ncfile_define(file, schema);
    static const int32_t none = -1; /* a reader that masks sees no neighbour, not the last item */
    akin_ncfile_attribute_values(file, "neighbor", "_FillValue", 1, &none);
    akin_ncfile_attribute(file, "neighbor", "comment", "index into item, from 0; -1 = none");
    if (calibrated)
        akin_ncfile_attribute(file, "score", "long_name",
                              "share of random pairs that are less alike than item and neighbour");
    akin_ncfile_attribute_values(file, "score", "valid_range", 2, calibrated ? shares : cosines);
    akin_ncfile_attribute(file, "score", "comment", "0 where there is no neighbour");
    akin_ncfile_attribute_values(file, "count", "valid_range", 2, counts);
    if (!extras) return;
    define_extras(file, extras);
    akin_members_define(file, false, &extras->members);
    akin_members_define(file, true, &extras->target_members);
    if (extras->target_labels) define_targets(file, extras);
}

akin_status akin_table_write(akin_comm *comm, const char *path, const akin_table_origin *origin,
                             const akin_labels *labels, const akin_table_part *part,
                             const akin_table_extras *extras) {
    akin_status status;
    akin_ncfile *file = NULL;
    size_t first = part->first, count = akin_labels_count(labels);
    AKIN_TRY(akin_ncfile_create(comm, path, "table", &file));
    define(file, origin, part->n, part->k, labels, extras);
    AKIN_TRY(akin_ncfile_begin(file));
    AKIN_TRY(akin_labels_put(labels, file, comm, first));
    akin_ncfile_put(file, "neighbor", first, count, part->neighbor);
    akin_ncfile_put(file, "score", first, count, part->score);
    akin_ncfile_put(file, "count", first, count, part->counts);
    if (extras) AKIN_TRY(put_extras(comm, file, extras, first, count));
    status = akin_ncfile_commit(file, NULL);
    file = NULL; /* freed by commit */
done:
    akin_ncfile_discard(file);
    return status;
}
