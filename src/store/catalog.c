/* catalog: catalog.nc, the accepted items, their 32x32 pictures and labels, ascending by id. */
#include <akin/catalog.h>

#include <akin/mem.h>
#include <stdio.h>
#include <string.h>

enum { AT_ONCE = 1024 }; /* rows of a network that are in memory while they are written */

struct akin_catalog {
    akin_ncfile *file;
    size_t items, network_features;
};

static const akin_ncfile_field schema[] = {
    {"image", AKIN_NC_UBYTE, "item,row,column,channel", "1",
     "picture of the item: red, green, blue, 8-bit sRGB"},
    {"content_hash", AKIN_NC_UINT64, "item", NULL, "XXH3-64 of the bytes of the image file"},
    {0}};

static const struct {
    const char *name;
    size_t length;
} fixed[] = {
    {"row", AKIN_IMAGE_SIDE}, {"column", AKIN_IMAGE_SIDE}, {"channel", AKIN_IMAGE_CHANNELS}};
#define FIXED (sizeof fixed / sizeof *fixed)

/* Where a network has seen the pictures. */
static const akin_ncfile_field network_schema[] = {
    {"network", AKIN_NC_FLOAT, "item,network_feature", "1",
     "what a network gave for the picture of the item"},
    {0}};

static akin_status check_network(akin_catalog *catalog) {
    akin_status status = AKIN_OK;
    if (!akin_ncfile_has(catalog->file, "network")) return AKIN_OK;
    AKIN_TRY(akin_ncfile_check_schema(catalog->file, network_schema));
    AKIN_TRY(akin_ncfile_length(catalog->file, "network_feature", &catalog->network_features));
done:
    return status;
}

static akin_status check_schema(akin_catalog *catalog) {
    akin_status status;
    const akin_ncfile *file = catalog->file;
    AKIN_TRY(akin_ncfile_length(file, "item", &catalog->items));
    AKIN_TRY(akin_ncfile_check_schema(file, schema));
    AKIN_TRY(check_network(catalog));
    for (size_t d = 0; d < FIXED; d++) {
        size_t length;
        AKIN_TRY(akin_ncfile_length(file, fixed[d].name, &length));
        if (length != fixed[d].length)
            AKIN_TRY(akin_error_set(
                AKIN_INPUT, "%s: dimension %s is %zu, it should be %zu; run ingest again",
                akin_ncfile_path(file), fixed[d].name, length, fixed[d].length));
    }
done:
    return status;
}

akin_status akin_catalog_open(akin_comm *comm, const char *path, akin_catalog **out) {
    akin_status status;
    *out = NULL;
    akin_catalog *catalog = akin_mem_zalloc(1, sizeof *catalog);
    AKIN_TRY(akin_agree(comm, catalog ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_ncfile_open(comm, path, "catalog", &catalog->file));
    AKIN_TRY(akin_agree(comm, check_schema(catalog)));
    *out = catalog;
    return AKIN_OK;
done:
    akin_catalog_close(catalog);
    return status;
}

void akin_catalog_close(akin_catalog *catalog) {
    if (!catalog) return;
    akin_ncfile_close(catalog->file);
    akin_mem_free(catalog);
}

size_t akin_catalog_items(const akin_catalog *catalog) {
    return catalog->items;
}

const char *akin_catalog_digest(const akin_catalog *catalog) {
    return akin_ncfile_digest(catalog->file);
}

const akin_ncfile *akin_catalog_file(const akin_catalog *catalog) {
    return catalog->file;
}

akin_status akin_catalog_images(const akin_catalog *catalog, size_t first, size_t count,
                                uint8_t *images) {
    return akin_ncfile_get(catalog->file, "image", first, count, images);
}

/* Rows of a variable at ascending items: those that follow each other in one read. */
static akin_status rows_at(const akin_catalog *catalog, const char *variable, size_t row_bytes,
                           const size_t *items, size_t count, void *rows) {
    akin_status status = AKIN_OK;
    for (size_t i = 0, run; i < count; i += run) {
        for (run = 1; i + run < count && items[i + run] == items[i] + run;) run++;
        AKIN_TRY(
            akin_ncfile_get(catalog->file, variable, items[i], run, (char *)rows + i * row_bytes));
    }
done:
    return status;
}

akin_status akin_catalog_images_at(const akin_catalog *catalog, const size_t *items, size_t count,
                                   uint8_t *images) {
    return rows_at(catalog, "image", AKIN_IMAGE_BYTES, items, count, images);
}

akin_status akin_catalog_hashes(const akin_catalog *catalog, size_t first, size_t count,
                                uint64_t *hashes) {
    return akin_ncfile_get(catalog->file, "content_hash", first, count, hashes);
}

akin_status akin_catalog_decoding(const akin_catalog *catalog, char **out) {
    akin_status status = AKIN_OK;
    char *options = NULL, *view = NULL;
    *out = NULL;
    AKIN_TRY(akin_ncfile_get_attribute(catalog->file, "akin_result_options", &options));
    AKIN_TRY(akin_ncfile_get_attribute(catalog->file, "network_view", &view));
    if (!options) goto done;
    const char *between = view ? " network-view=" : "", *end = view ? view : "";
    size_t size = strlen(options) + strlen(between) + strlen(end) + 1;
    *out = akin_mem_alloc(size, 1);
    if (*out)
        snprintf(*out, size, "%s%s%s", options, between, end);
    else
        status = AKIN_FAILED;
done:
    akin_mem_free(options);
    akin_mem_free(view);
    return status;
}

size_t akin_catalog_network_features(const akin_catalog *catalog) {
    return catalog->network_features;
}

akin_status akin_catalog_network_rows(const akin_catalog *catalog, size_t first, size_t count,
                                      float *rows) {
    return akin_ncfile_get(catalog->file, "network", first, count, rows);
}

akin_status akin_catalog_network_at(const akin_catalog *catalog, const size_t *items, size_t count,
                                    float *rows) {
    return rows_at(catalog, "network", catalog->network_features * sizeof *rows, items, count,
                   rows);
}

static void define_network(akin_ncfile *file, const akin_catalog_network *network) {
    akin_ncfile_dimension(file, "network_feature", network->features);
    akin_ncfile_define(file, network_schema);
    for (const akin_catalog_fact *fact = network->facts; fact->name; fact++) {
        akin_ncfile_attribute(file, "network", fact->name, fact->value);
        akin_ncfile_attribute(file, NULL, fact->name, fact->value);
    }
}

/* In rounds, so that few rows are in memory. Collective. */
static akin_status put_network(akin_comm *comm, akin_ncfile *file,
                               const akin_catalog_network *network, size_t first, size_t count) {
    akin_status status = AKIN_OK;
    float *rows = akin_mem_alloc(AT_ONCE, network->features * sizeof *rows);
    AKIN_TRY(akin_agree(comm, rows ? AKIN_OK : AKIN_FAILED));
    size_t rounds = akin_comm_rounds(comm, count, AT_ONCE);
    for (size_t round = 0; round < rounds; round++) {
        size_t at = round * AT_ONCE < count ? round * AT_ONCE : count;
        size_t part = count - at < AT_ONCE ? count - at : AT_ONCE;
        AKIN_TRY(akin_agree(comm, network->rows(network->context, at, part, rows)));
        akin_ncfile_put(file, "network", first + at, part, rows);
    }
done:
    akin_mem_free(rows);
    return status;
}

static void define(akin_ncfile *file, const akin_catalog_origin *origin, size_t n,
                   const akin_labels *labels, const akin_catalog_network *network) {
    akin_ncfile_attribute(file, NULL, "title", "Product catalogue");
    akin_ncfile_attribute(
        file, NULL, "summary",
        "The pictures of a product catalogue, shrunk to 32x32 by an area filter, with the "
        "identifier, category, group and availability of each item.");
    akin_ncfile_attribute(file, NULL, "akin_options", origin->options);
    akin_ncfile_attribute(file, NULL, "akin_result_options", origin->result_options);
    akin_ncfile_attribute(file, NULL, "input_source_digest", origin->source_digest);
    akin_ncfile_attribute(file, NULL, "akin_rejects_digest", origin->rejects_digest);
    akin_ncfile_dimension(file, "item", n);
    for (size_t d = 0; d < FIXED; d++) akin_ncfile_dimension(file, fixed[d].name, fixed[d].length);
    akin_labels_define(labels, file);
    akin_ncfile_define(file, schema);
    if (network) define_network(file, network);
}

akin_status akin_catalog_write(akin_comm *comm, const char *path, const akin_catalog_origin *origin,
                               const akin_labels *labels, const akin_catalog_part *part,
                               const akin_catalog_network *network) {
    akin_status status;
    akin_ncfile *file = NULL;
    size_t first = part->first, count = akin_labels_count(labels);
    AKIN_TRY(akin_ncfile_create(comm, path, "catalog", &file));
    define(file, origin, part->n, labels, network);
    AKIN_TRY(akin_ncfile_begin(file));
    AKIN_TRY(akin_labels_put(labels, file, comm, first));
    akin_ncfile_put(file, "image", first, count, part->images);
    akin_ncfile_put(file, "content_hash", first, count, part->hashes);
    if (network) AKIN_TRY(put_network(comm, file, network, first, count));
    status = akin_ncfile_commit(file, NULL);
    file = NULL; /* freed by commit */
done:
    akin_ncfile_discard(file);
    return status;
}
