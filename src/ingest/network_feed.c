/* network_feed: batches of pictures. */
#include "network_feed.h"
#include "network_rows.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <string.h>

#define STALL_BATCHES 20 /* batches after which a rank counts as stuck */

typedef struct {
    uint64_t place, hash;
    uint8_t image[AKIN_IMAGE_BYTES];
} waiting;

struct akin_network_feed {
    akin_pretrained *network;
    akin_network_rows *rows;
    akin_picture_exchange *pictures; /* borrowed */
    akin_text *checkpoint;
    double every, saved_at;
    uint8_t *seen;    /* [height, width, 3] */
    waiting *waiting; /* [batch] */
    size_t count;
    const akin_catalog *previous; /* borrowed */
    const uint64_t *spots;        /* borrowed */
};

/* --- preparation --- */

static akin_status allocate(akin_network_feed *feed) {
    const akin_image_view *view = akin_pretrained_view(feed->network);
    feed->seen = akin_mem_alloc(view->width * view->height, 3);
    feed->waiting = akin_mem_alloc(akin_pretrained_batch(feed->network), sizeof *feed->waiting);
    return feed->seen && feed->waiting ? AKIN_OK : AKIN_FAILED;
}

static akin_status write_key(const akin_network_feed *feed, const char *result_options,
                             akin_text *key) {
    akin_status status = akin_text_append(key, "%s", result_options);
    for (const akin_catalog_fact *fact = akin_pretrained_facts(feed->network);
         status == AKIN_OK && fact->name; fact++)
        if (strcmp(fact->name, "network_file") != 0) /* in whatever folder it is */
            status = akin_text_append(key, "\n%s=%s", fact->name, fact->value);
    return status;
}

static akin_status name_checkpoint(akin_network_feed *feed,
                                   const akin_network_feed_params *params) {
    akin_status status = akin_text_create(&feed->checkpoint);
    if (status == AKIN_OK)
        status = akin_text_append(feed->checkpoint, "%s%s",
                                  params->checkpoint ? params->checkpoint : params->output,
                                  params->checkpoint ? "" : ".checkpoint");
    return status;
}

akin_status akin_network_feed_create(akin_comm *comm, const akin_network_feed_params *params,
                                     akin_network_feed **out) {
    akin_status status = AKIN_OK, local = AKIN_OK;
    akin_text *key = NULL;
    *out = NULL;
    akin_network_feed *feed = akin_mem_zalloc(1, sizeof *feed);
    AKIN_TRY(akin_agree(comm, feed ? name_checkpoint(feed, params) : AKIN_FAILED));
    feed->pictures = params->pictures;
    feed->every = params->every;
    AKIN_TRY(akin_pretrained_open(comm, params->network, &feed->network));
    akin_comm_stall_at_least(comm, STALL_BATCHES * akin_pretrained_seconds(feed->network));
    local = akin_text_create(&key);
    if (local == AKIN_OK) local = write_key(feed, params->result_options, key);
    if (local == AKIN_OK) local = allocate(feed);
    AKIN_TRY(akin_agree(comm, local));
    const akin_network_rows_params kept = {.name = akin_text_bytes(feed->checkpoint),
                                           .named = params->checkpoint != NULL,
                                           .key = akin_text_bytes(key),
                                           .features = akin_pretrained_features(feed->network)};
    AKIN_TRY(akin_network_rows_create(comm, &kept, &feed->rows));
    if (akin_network_rows_kept(feed->rows) > 0)
        akin_log_info("ingest: continuing from %s, which has %zu pictures",
                      akin_text_bytes(feed->checkpoint), akin_network_rows_kept(feed->rows));
    feed->saved_at = akin_comm_seconds();
    *out = feed;
    feed = NULL;
done:
    akin_text_free(key);
    akin_network_feed_free(feed);
    return status;
}

void akin_network_feed_free(akin_network_feed *feed) {
    if (!feed) return;
    akin_network_rows_free(feed->rows);
    akin_pretrained_free(feed->network);
    akin_text_free(feed->checkpoint);
    akin_mem_free(feed->seen);
    akin_mem_free(feed->waiting);
    akin_mem_free(feed);
}

/* --- pictures --- */

const akin_image_view *akin_network_feed_view(const akin_network_feed *feed) {
    return akin_pretrained_view(feed->network);
}

uint8_t *akin_network_feed_seen(akin_network_feed *feed) {
    return feed->seen;
}

static akin_status keep(akin_network_feed *feed, const waiting *picture, uint64_t spot) {
    uint8_t *image;
    akin_status status = akin_picture_exchange_room(feed->pictures, &image);
    if (status != AKIN_OK) return status;
    memcpy(image, picture->image, AKIN_IMAGE_BYTES);
    akin_picture_exchange_keep(feed->pictures, picture->place, picture->hash, spot);
    return AKIN_OK;
}

akin_status akin_network_feed_flush(akin_network_feed *feed) {
    akin_status status = AKIN_OK;
    const float *vectors;
    if (feed->count == 0) return AKIN_OK;
    AKIN_TRY(akin_pretrained_run(feed->network, feed->count, &vectors));
    for (size_t i = 0; i < feed->count; i++) {
        uint64_t spot;
        AKIN_TRY(akin_network_rows_add(feed->rows, feed->waiting[i].hash, feed->waiting[i].image,
                                       vectors + i * akin_pretrained_features(feed->network),
                                       &spot));
        AKIN_TRY(keep(feed, &feed->waiting[i], spot));
    }
    feed->count = 0;
done:
    return status;
}

akin_status akin_network_feed_add(akin_network_feed *feed, uint64_t place, uint64_t hash,
                                  const uint8_t *image) {
    waiting *next = &feed->waiting[feed->count];
    akin_pretrained_put(feed->network, feed->count, feed->seen);
    next->place = place;
    next->hash = hash;
    memcpy(next->image, image, AKIN_IMAGE_BYTES);
    feed->count++;
    return feed->count < akin_pretrained_batch(feed->network) ? AKIN_OK
                                                              : akin_network_feed_flush(feed);
}

akin_status akin_network_feed_take(akin_network_feed *feed, uint64_t place, uint64_t hash,
                                   bool *found) {
    uint64_t spot;
    waiting picture = {.place = place, .hash = hash};
    *found = akin_network_rows_find(feed->rows, hash, &spot);
    if (!*found) return AKIN_OK;
    akin_status status = akin_network_rows_get(feed->rows, spot, picture.image, NULL);
    return status == AKIN_OK ? keep(feed, &picture, spot) : status;
}

akin_status akin_network_feed_save(akin_network_feed *feed, bool now) {
    double clock = akin_comm_seconds();
    if (!now && clock - feed->saved_at < feed->every) return AKIN_OK;
    feed->saved_at = clock;
    return akin_network_rows_sync(feed->rows);
}

const char *akin_network_feed_checkpoint(const akin_network_feed *feed) {
    return akin_text_bytes(feed->checkpoint);
}

/* --- vectors --- */

void akin_network_feed_bring(akin_network_feed *feed, const akin_catalog *previous,
                             const uint64_t *spots) {
    feed->previous = previous;
    feed->spots = spots;
}

/* For rows [first, first + count) of this rank. */
static akin_status rows_of(void *context, size_t first, size_t count, float *rows) {
    akin_network_feed *feed = context;
    akin_status status = AKIN_OK;
    size_t features = akin_pretrained_features(feed->network);
    const uint64_t *spots = feed->spots + first;
    for (size_t i = 0, run = 1; i < count; i += run, run = 1) {
        if (!akin_picture_exchange_is_row(spots[i])) {
            AKIN_TRY(akin_network_rows_get(feed->rows, spots[i], NULL, rows + i * features));
            continue;
        }
        while (i + run < count && spots[i + run] == spots[i] + run) run++;
        AKIN_TRY(akin_catalog_network_rows(feed->previous, akin_picture_exchange_row(spots[i]), run,
                                           rows + i * features));
    }
done:
    return status;
}

akin_catalog_network akin_network_feed_network(akin_network_feed *feed) {
    return (akin_catalog_network){.features = akin_pretrained_features(feed->network),
                                  .facts = akin_pretrained_facts(feed->network),
                                  .rows = rows_of,
                                  .context = feed};
}

void akin_network_feed_finish(akin_network_feed *feed, akin_comm *comm) {
    akin_network_rows_remove(feed->rows, comm);
}
