/* network_feed: runs a network on the accepted pictures in batches, keeps the results so that a run
 * can be resumed, and delivers the vectors for the catalogue. Not collective unless stated.
 */
#ifndef AKIN_NETWORK_FEED_H
#define AKIN_NETWORK_FEED_H

#include "picture_exchange.h"
#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/pretrained.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_network_feed akin_network_feed;

typedef struct {
    const akin_pretrained_params *network;
    const char *checkpoint;          /* NULL: <output>.checkpoint */
    const char *output;              /* of ingest */
    const char *result_options;      /* what else the 32x32 image depends on */
    double every;                    /* seconds between two savings */
    akin_picture_exchange *pictures; /* where they go; borrowed */
} akin_network_feed_params;

/* Opens the network and the files left by an earlier run. Collective; agreed; the same params. */
AKIN_MUST_CHECK akin_status akin_network_feed_create(akin_comm *comm,
                                                     const akin_network_feed_params *params,
                                                     akin_network_feed **out);
void akin_network_feed_free(akin_network_feed *feed); /* NULL is fine */

/* How the next picture is to be seen, and where it is put, [height, width, 3]; borrowed. */
const akin_image_view *akin_network_feed_view(const akin_network_feed *feed);
uint8_t *akin_network_feed_seen(akin_network_feed *feed);

/* The picture that was put there: image [32, 32, 3] is copied; place and hash as in
 * picture_exchange. It is kept there, at the latest with the last flush. */
AKIN_MUST_CHECK akin_status akin_network_feed_add(akin_network_feed *feed, uint64_t place,
                                                  uint64_t hash, const uint8_t *image);
/* *found: an earlier run had this picture, and it is kept already. */
AKIN_MUST_CHECK akin_status akin_network_feed_take(akin_network_feed *feed, uint64_t place,
                                                   uint64_t hash, bool *found);
/* Also runs the last, incomplete batch. */
AKIN_MUST_CHECK akin_status akin_network_feed_flush(akin_network_feed *feed);
/* Saves the results so far, if it is time or `now` is set. */
AKIN_MUST_CHECK akin_status akin_network_feed_save(akin_network_feed *feed, bool now);
const char *akin_network_feed_checkpoint(const akin_network_feed *feed); /* borrowed */

/* The vectors of this rank's items for the catalogue; spots [count] as picture_exchange delivered
 * them home, previous as there; all borrowed by the feed. */
void akin_network_feed_bring(akin_network_feed *feed, const akin_catalog *previous,
                             const uint64_t *spots);
akin_catalog_network akin_network_feed_network(akin_network_feed *feed);
/* Call after the catalogue is written: removes the files kept for resuming. Collective. */
void akin_network_feed_finish(akin_network_feed *feed, akin_comm *comm);

#endif
