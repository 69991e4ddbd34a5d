/* ring_checkpoint_file: the schema of a checkpoint of an all-pairs run. */
#include "ring_checkpoint_file.h"
#include <stdio.h>

enum { PARTS_MAX = 32768 }; /* far more parts than blocks are divided into (ring.c) */

/* The order in which a block's pairs are compared (ring.h): in another one the same progress stands for other pairs. */
static const char order[] = "groups by distance";

static const akin_ncfile_field schema[] = {
    {"row", AKIN_NC_INT, "place", "1", "row of the catalogue"},
    {"count", AKIN_NC_INT64, "rank", "1", "rows of each block"},
    {"progress", AKIN_NC_INT, "layer,progress", "1", "size, subs, step, slice"},
    {"share", AKIN_NC_DOUBLE, "layer", "1", "share of the pairs that can meet"},
    {"before", AKIN_NC_DOUBLE, "layer", "1", "share that was done when it began"},
    {"label", AKIN_NC_INT, "place,layer", "1", "part of the block"},
    {0}};

void akin_ring_checkpoint_name(akin_ring_checkpoint_names *n, int table) {
    enum { NUMBER = 8 };
    char number[NUMBER] = "";
    if (table > 0) snprintf(number, sizeof number, "_%d", table % 1000);
    snprintf(n->k, sizeof n->k, "k%s", number);
    snprintf(n->lists, sizeof n->lists, "place,k%s", number);
    snprintf(n->own, sizeof n->own, "own%s", number);
    snprintf(n->held, sizeof n->held, "held%s", number);
    snprintf(n->bar, sizeof n->bar, "bar%s", number);
}

enum { FIELDS = 3 };

/* For one table; the names are borrowed. */
static void fill_fields(const akin_ring_checkpoint_names *n, akin_ncfile_field fields[FIELDS + 1]) {
    fields[0] =
        (akin_ncfile_field){n->own, AKIN_NC_UINT64, n->lists, "1", "list that stays with the row"};
    fields[1] = (akin_ncfile_field){n->held, AKIN_NC_UINT64, n->lists, "1",
                                    "list that travels with the row"};
    fields[2] =
        (akin_ncfile_field){n->bar, AKIN_NC_UINT64, "place", "1", "score that the list required"};
    fields[FIELDS] = (akin_ncfile_field){0};
}

void akin_ring_checkpoint_define(akin_ncfile *file, const akin_ring_checkpoint_origin *origin,
                                 const akin_ring_checkpoint_shape *shape,
                                 const akin_ring_checkpoint_table *table, int tables) {
    akin_ncfile_dimension(file, "place", shape->places);
    akin_ncfile_dimension(file, "rank", shape->ranks);
    akin_ncfile_dimension(file, "layer", shape->layers);
    akin_ncfile_dimension(file, "progress", AKIN_RING_CHECKPOINT_PROGRESS);
    akin_ncfile_define(file, schema);
    for (int t = 0; t < tables; t++) {
        akin_ring_checkpoint_names names;
        akin_ncfile_field fields[FIELDS + 1];
        akin_ring_checkpoint_name(&names, t);
        fill_fields(&names, fields);
        akin_ncfile_dimension(file, names.k, table[t].k);
        akin_ncfile_define(file, fields);
    }
    akin_ncfile_attribute(file, NULL, "title", "Neighbour lists in progress");
    akin_ncfile_attribute(file, NULL, "summary",
                          "State of a run of akin neighbors; the same command resumes it.");
    akin_ncfile_attribute(file, NULL, "akin_order", order);
    akin_ncfile_attribute(file, NULL, "akin_options", origin->options);
    akin_ncfile_attribute(file, NULL, "akin_result_options", origin->result_options);
    akin_ncfile_attribute(file, NULL, "input_embeddings_digest", origin->embeddings_digest);
    akin_ncfile_attribute(file, NULL, "input_previous_digest", origin->previous_digest);
}

akin_status akin_ring_checkpoint_refuse(const akin_ncfile *file) {
    return akin_error_set(AKIN_INPUT, "%s: not a checkpoint of neighbour lists of this catalogue",
                          akin_ncfile_path(file));
}

static akin_status check_origin(const akin_ncfile *file,
                                const akin_ring_checkpoint_origin *origin) {
    const akin_ncfile_claim claims[] = {
        {"akin_result_options", "the options", origin->result_options},
        {"input_embeddings_digest", "the embeddings", origin->embeddings_digest},
        {"input_previous_digest", "the previous table", origin->previous_digest},
        {"akin_order", "the order of comparing pairs", order}};
    return akin_ncfile_check_claims(file, "checkpoint", claims, sizeof claims / sizeof *claims);
}

static akin_status check_table(const akin_ncfile *file, int table, size_t k) {
    akin_status status;
    akin_ring_checkpoint_names names;
    akin_ncfile_field fields[FIELDS + 1];
    size_t length;
    akin_ring_checkpoint_name(&names, table);
    fill_fields(&names, fields);
    AKIN_TRY(akin_ncfile_check_schema(file, fields));
    AKIN_TRY(akin_ncfile_length(file, names.k, &length));
    if (length != k) return akin_ring_checkpoint_refuse(file);
done:
    return status;
}

akin_status akin_ring_checkpoint_check(const akin_ncfile *file,
                                       const akin_ring_checkpoint_origin *origin, size_t n,
                                       const akin_ring_checkpoint_table *table, int tables,
                                       akin_ring_checkpoint_shape *shape) {
    akin_status status;
    AKIN_TRY(check_origin(file, origin));
    AKIN_TRY(akin_ncfile_check_schema(file, schema));
    AKIN_TRY(akin_ncfile_length(file, "place", &shape->places));
    AKIN_TRY(akin_ncfile_length(file, "rank", &shape->ranks));
    AKIN_TRY(akin_ncfile_length(file, "layer", &shape->layers));
    for (int t = 0; t < tables; t++) AKIN_TRY(check_table(file, t, table[t].k));
    if (shape->places > n || shape->layers > AKIN_ROW_BLOCK_LAYERS + 1 || shape->ranks > INT32_MAX)
        return akin_ring_checkpoint_refuse(file);
done:
    return status;
}

bool akin_ring_checkpoint_is_progress(akin_ring_progress p) {
    return p.size >= 1 && p.subs >= 2 && p.subs % 2 == 0 && (int64_t)p.size * p.subs <= PARTS_MAX &&
           p.step >= 0 && p.step <= akin_ring_steps(p.size) && p.slice >= 0 && p.slice <= p.subs &&
           p.share >= 0 && p.share <= 1 && p.before >= 0 && p.before <= 1;
}
