/* previous_pictures: the hashes of a catalogue, sorted. */
#include "previous_pictures.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t hash, row;
} known;

struct akin_previous_pictures {
    const char *path; /* borrowed */
    akin_catalog *catalog;
    known *known; /* [count], ascending by hash */
    size_t count;
};

static int by_hash(const void *a, const void *b) {
    const known *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static akin_status list_known(akin_previous_pictures *previous) {
    akin_status status = AKIN_OK;
    size_t count = akin_catalog_items(previous->catalog);
    uint64_t *hashes = akin_mem_alloc(count, sizeof *hashes);
    previous->known = akin_mem_alloc(count, sizeof *previous->known);
    if (!hashes || !previous->known) {
        status = AKIN_FAILED;
        goto done;
    }
    AKIN_TRY(akin_catalog_hashes(previous->catalog, 0, count, hashes));
    for (size_t i = 0; i < count; i++) previous->known[i] = (known){hashes[i], i};
    qsort(previous->known, count, sizeof *previous->known, by_hash);
    previous->count = count;
done:
    akin_mem_free(hashes);
    return status;
}

/* Checks that its pictures were shrunk with the same options; then what it refused would be refused
 * again. */
static akin_status check_options(const akin_previous_pictures *previous,
                                 const char *result_options) {
    char *options = NULL;
    akin_status status = akin_ncfile_get_attribute(akin_catalog_file(previous->catalog),
                                                   "akin_result_options", &options);
    if (status == AKIN_OK && (!options || strcmp(options, result_options) != 0))
        status = akin_error_set(
            AKIN_INPUT,
            "--previous %s does not belong here: it was made with %s, this is %s; leave it out to "
            "decode all pictures",
            previous->path, options ? options : "unknown options", result_options);
    akin_mem_free(options);
    return status;
}

/* Pictures are decoded again if another network or none was run on them. */
static akin_status look_at_network(const akin_previous_pictures *previous, const char *request,
                                   bool *same) {
    char *before = NULL;
    akin_status status =
        akin_ncfile_get_attribute(akin_catalog_file(previous->catalog), "network_request", &before);
    if (status != AKIN_OK) return status;
    *same = before && request ? strcmp(before, request) == 0 : !before && !request;
    akin_mem_free(before);
    if (!*same)
        akin_log_info("ingest: %s was made with another network, or one of the two without any: "
                      "all pictures are decoded",
                      previous->path);
    return AKIN_OK;
}

akin_status akin_previous_pictures_open(akin_comm *comm, const char *path,
                                        const char *result_options,
                                        const akin_pretrained_params *network,
                                        akin_previous_pictures **out) {
    akin_status status = AKIN_OK;
    char *request = NULL;
    bool same = false;
    *out = NULL;
    akin_previous_pictures *previous = akin_mem_zalloc(1, sizeof *previous);
    AKIN_TRY(akin_agree(comm, previous ? AKIN_OK : AKIN_FAILED));
    previous->path = path;
    if (network->path) AKIN_TRY(akin_pretrained_request(comm, network, &request));
    AKIN_TRY(akin_catalog_open(comm, path, &previous->catalog));
    status = check_options(previous, result_options);
    if (status == AKIN_OK) status = look_at_network(previous, request, &same);
    if (status == AKIN_OK && same) status = list_known(previous);
    AKIN_TRY(akin_agree(comm, status));
    *out = previous;
    previous = NULL;
done:
    akin_mem_free(request);
    akin_previous_pictures_close(previous);
    return status;
}

void akin_previous_pictures_close(akin_previous_pictures *previous) {
    if (!previous) return;
    akin_catalog_close(previous->catalog);
    akin_mem_free(previous->known);
    akin_mem_free(previous);
}

bool akin_previous_pictures_find(const akin_previous_pictures *previous, uint64_t hash,
                                 uint64_t *row) {
    const known key = {hash, 0};
    size_t low = 0, high = previous->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_hash(&previous->known[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == previous->count || previous->known[low].hash != hash) return false;
    *row = previous->known[low].row;
    return true;
}

const akin_catalog *akin_previous_pictures_catalog(const akin_previous_pictures *previous) {
    return previous ? previous->catalog : NULL;
}
