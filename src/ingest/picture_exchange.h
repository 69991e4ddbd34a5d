/* picture_exchange: the pictures that this rank has accepted, until they go to the ranks that
 * write them. Not collective unless stated. Pictures are stored in blocks that never move and
 * are freed as they are sent, so that a picture is in memory hardly more than once. A picture of
 * the previous catalogue is only referenced: the rank that writes it reads it there, together
 * with adjacent rows. */
#ifndef AKIN_PICTURE_EXCHANGE_H
#define AKIN_PICTURE_EXCHANGE_H

#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_picture_exchange akin_picture_exchange;

AKIN_MUST_CHECK akin_status akin_picture_exchange_create(akin_picture_exchange **out);
void akin_picture_exchange_free(akin_picture_exchange *harvest); /* NULL is fine */

/* Where the next picture may be written, [32, 32, 3], borrowed until keep or the next room; it
 * counts once it is kept.
 */
AKIN_MUST_CHECK akin_status akin_picture_exchange_room(akin_picture_exchange *harvest,
                                                       uint8_t **image);
/* place: any number below the length of item_of, below; spot: whatever is to come home with the
 * picture, below 2^63. */
void akin_picture_exchange_keep(akin_picture_exchange *harvest, uint64_t place, uint64_t hash,
                                uint64_t spot);

/* The picture is the one in this row of the previous catalogue. */
AKIN_MUST_CHECK akin_status akin_picture_exchange_refer(akin_picture_exchange *harvest,
                                                        uint64_t place, uint64_t hash,
                                                        uint64_t row);

/* The same on all ranks; borrowed. */
typedef struct {
    size_t count;            /* items */
    const uint64_t *item_of; /* of each place */
} akin_picture_items;
/* Of the items of this rank's shard. */
typedef struct {
    uint8_t *images;  /* [shard, 32, 32, 3] */
    uint64_t *hashes; /* [shard] */
    uint64_t *spots;  /* [shard]; NULL: nobody wants them */
} akin_picture_shard;

/* Sends all pictures, kept or referenced by any rank, to the shards of their items. previous: the
 * referenced catalogue, open on all ranks; NULL = none. The exchange is empty afterwards.
 * Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_picture_exchange_bring_home(akin_picture_exchange *harvest,
                                                             akin_comm *comm,
                                                             const akin_catalog *previous,
                                                             const akin_picture_items *items,
                                                             const akin_picture_shard *own);

/* Whether a spot that came home is a row of the previous catalogue, and which. */
bool akin_picture_exchange_is_row(uint64_t spot);
size_t akin_picture_exchange_row(uint64_t spot);

#endif
