/* drift: see drift.h. */
#include <akin/catalog.h>
#include <akin/drift.h>
#include <akin/fixed.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <akin/network.h>
#include <akin/shard.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define ERROR_BITS 24 /* fixed-point scale of a sum of squared errors, as in train */

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* All hashes [*count] of the catalogue, ascending; owned. */
static akin_status known_pictures(const akin_catalog *catalog, uint64_t **hashes, size_t *count) {
    *count = akin_catalog_items(catalog);
    *hashes = akin_mem_alloc(*count, sizeof **hashes);
    if (!*hashes) return AKIN_FAILED;
    akin_status status = akin_catalog_hashes(catalog, 0, *count, *hashes);
    if (status == AKIN_OK) qsort(*hashes, *count, sizeof **hashes, by_value);
    return status;
}

/* Rows of this rank's shard with a new picture: *items [*count], owned. */
static akin_status list_new(akin_comm *comm, const akin_catalog *catalog,
                            const akin_catalog *previous, size_t **items, size_t *count) {
    akin_status status = AKIN_OK;
    size_t n = akin_catalog_items(catalog), known_count = 0;
    size_t first = akin_shard_first(n, akin_comm_size(comm), akin_comm_rank(comm));
    size_t mine = akin_shard_count(n, akin_comm_size(comm), akin_comm_rank(comm));
    uint64_t *known = NULL, *hashes = akin_mem_alloc(mine, sizeof *hashes);
    *items = akin_mem_alloc(mine, sizeof **items);
    *count = 0;
    if (!hashes || !*items) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(known_pictures(previous, &known, &known_count));
    AKIN_TRY(akin_catalog_hashes(catalog, first, mine, hashes));
    for (size_t i = 0; i < mine; i++)
        if (!bsearch(&hashes[i], known, known_count, sizeof *known, by_value))
            (*items)[(*count)++] = first + i;
done:
    akin_mem_free(known);
    akin_mem_free(hashes);
    return status;
}

typedef struct {
    akin_network *network;
    uint8_t *images; /* one micro-batch */
    float *output;   /* their reconstructions */
} scratch;

/* One picture at a time, so that the sum does not depend on how pictures are distributed over
 * ranks. */
static akin_status add_errors(akin_comm *comm, const akin_catalog *catalog, akin_model *model,
                              const scratch *room, const size_t *items, size_t count,
                              int64_t *sum) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < count; i++) {
        AKIN_TRY(akin_catalog_images(catalog, items[i], 1, room->images));
        double error = akin_network_reconstruct(room->network, akin_model_weights(model),
                                                room->images, 1, room->output);
        if (!isfinite(error))
            return akin_error_set(AKIN_FAILED, "drift: a reconstruction is not finite");
        *sum += akin_fixed_from(error, ERROR_BITS);
        akin_comm_poll(comm);
        akin_log_progress("train: drift", "images", (double)(i + 1), (double)count);
    }
done:
    return status;
}

static akin_status measure(akin_comm *comm, const akin_catalog *catalog,
                           const akin_catalog *previous, akin_model *model, int64_t sums[2]) {
    akin_status status = AKIN_OK;
    size_t *items = NULL, count = 0;
    scratch room = {.images = akin_mem_alloc(AKIN_NETWORK_MICRO_BATCH, AKIN_IMAGE_BYTES),
                    .output =
                        akin_mem_alloc(AKIN_NETWORK_MICRO_BATCH, AKIN_IMAGE_BYTES * sizeof(float))};
    AKIN_TRY(akin_network_create(&room.network));
    if (!room.images || !room.output) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(list_new(comm, catalog, previous, &items, &count));
    AKIN_TRY(add_errors(comm, catalog, model, &room, items, count, &sums[1]));
    sums[0] = (int64_t)count;
done:
    akin_log_progress_end();
    akin_network_free(room.network);
    akin_mem_free(room.images);
    akin_mem_free(room.output);
    akin_mem_free(items);
    return status;
}

akin_status akin_drift(akin_comm *comm, const char *catalog, const char *previous,
                       const char *model, akin_drift_result *result) {
    akin_status status = AKIN_OK;
    akin_catalog *now = NULL, *before = NULL;
    akin_model *weights = NULL;
    int64_t sums[2] = {0, 0};
    AKIN_TRY(akin_catalog_open(comm, catalog, &now));
    AKIN_TRY(akin_catalog_open(comm, previous, &before));
    AKIN_TRY(akin_model_read(comm, model, &weights));
    *result = (akin_drift_result){akin_model_has_network(weights), 0, NAN};
    if (!result->has_network) goto done; /* no network to reconstruct with */
    AKIN_TRY(akin_agree(comm, measure(comm, now, before, weights, sums)));
    akin_comm_sum_i64(comm, sums, 2);
    double values = (double)sums[0] * AKIN_IMAGE_BYTES;
    *result = (akin_drift_result){true, (size_t)sums[0],
                                  sums[0] > 0 ? akin_fixed_to(sums[1], ERROR_BITS) / values : NAN};
done:
    akin_model_free(weights);
    akin_catalog_close(before);
    akin_catalog_close(now);
    return status;
}
