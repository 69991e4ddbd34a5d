/* picture_exchange: sends accepted pictures to the ranks that write them. */
#include "picture_exchange.h"
#include <akin/catalog.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 2048 }; /* pictures, 6 MiB: stored and sent together */

typedef struct {
    uint64_t place; /* followed by the item */
    uint64_t hash, spot;
    uint8_t image[AKIN_IMAGE_BYTES];
} picture;

typedef struct {
    uint64_t place; /* followed by the item */
    uint64_t hash, row;
} reference;

struct akin_picture_exchange {
    picture **blocks; /* [block_count] of BLOCK pictures each, all but the last full */
    size_t block_count, room;
    size_t count;
    reference *references; /* [reference_count] */
    size_t reference_count, reference_room;
};

akin_status akin_picture_exchange_create(akin_picture_exchange **out) {
    *out = akin_mem_zalloc(1, sizeof **out);
    return *out ? AKIN_OK : AKIN_FAILED;
}

void akin_picture_exchange_free(akin_picture_exchange *harvest) {
    if (!harvest) return;
    for (size_t i = 0; i < harvest->block_count; i++) akin_mem_free(harvest->blocks[i]);
    akin_mem_free(harvest->blocks);
    akin_mem_free(harvest->references);
    akin_mem_free(harvest);
}

static picture *next_picture(const akin_picture_exchange *harvest) {
    return &harvest->blocks[harvest->count / BLOCK][harvest->count % BLOCK];
}

akin_status akin_picture_exchange_room(akin_picture_exchange *harvest, uint8_t **image) {
    if (harvest->count == harvest->block_count * BLOCK) {
        if (harvest->block_count == harvest->room) {
            size_t room = harvest->room * 2 + 16;
            picture **grown =
                akin_mem_resize(harvest->blocks, harvest->block_count, room, sizeof *grown);
            if (!grown) return AKIN_FAILED;
            harvest->blocks = grown;
            harvest->room = room;
        }
        picture *block = akin_mem_alloc(BLOCK, sizeof *block);
        if (!block) return AKIN_FAILED;
        harvest->blocks[harvest->block_count++] = block;
    }
    *image = next_picture(harvest)->image;
    return AKIN_OK;
}

void akin_picture_exchange_keep(akin_picture_exchange *harvest, uint64_t place, uint64_t hash,
                                uint64_t spot) {
    picture *kept = next_picture(harvest);
    kept->spot = spot;
    kept->place = place;
    kept->hash = hash;
    harvest->count++;
}

akin_status akin_picture_exchange_refer(akin_picture_exchange *harvest, uint64_t place,
                                        uint64_t hash, uint64_t row) {
    if (harvest->reference_count == harvest->reference_room) {
        size_t room = harvest->reference_room * 2 + BLOCK;
        reference *grown =
            akin_mem_resize(harvest->references, harvest->reference_count, room, sizeof *grown);
        if (!grown) return AKIN_FAILED;
        harvest->references = grown;
        harvest->reference_room = room;
    }
    harvest->references[harvest->reference_count++] = (reference){place, hash, row};
    return AKIN_OK;
}

/* --- sending --- */

#define ROW ((uint64_t)1 << 63) /* a spot that is a row of the previous catalogue */

bool akin_picture_exchange_is_row(uint64_t spot) {
    return spot & ROW;
}

size_t akin_picture_exchange_row(uint64_t spot) {
    return (size_t)(spot & ~ROW);
}

/* Where pictures are sent: the items of all ranks, and what this rank receives. */
typedef struct {
    akin_comm *comm;
    int size;
    const akin_picture_items *items;
    const akin_picture_shard *own;
    size_t first, arrived; /* of this rank's shard */
} delivery;

static int owner_of(const delivery *d, uint64_t item) {
    return akin_shard_owner(d->items->count, d->size, item);
}

/* Sorts the block's pictures by destination rank into `send`, with the number for each rank in
 * counts [size]; at [size] is scratch. */
static void sort_block(const delivery *d, const picture *block, size_t count, picture *send,
                       size_t *counts, size_t *at) {
    memset(counts, 0, (size_t)d->size * sizeof *counts);
    for (size_t i = 0; i < count; i++) counts[owner_of(d, d->items->item_of[block[i].place])]++;
    for (int rank = 0, next = 0; rank < d->size; next += (int)counts[rank++])
        at[rank] = (size_t)next;
    for (size_t i = 0; i < count; i++) {
        uint64_t item = d->items->item_of[block[i].place];
        picture *to = &send[at[owner_of(d, item)]++];
        *to = block[i];
        to->place = item;
    }
}

static void take(const delivery *d, const picture *pictures, size_t count) {
    for (size_t j = 0; j < count; j++) {
        size_t at = pictures[j].place - d->first;
        memcpy(d->own->images + at * AKIN_IMAGE_BYTES, pictures[j].image, AKIN_IMAGE_BYTES);
        d->own->hashes[at] = pictures[j].hash;
        if (d->own->spots) d->own->spots[at] = pictures[j].spot;
    }
}

/* Collective; agreed. */
static akin_status bring_pictures(akin_picture_exchange *harvest, delivery *d) {
    akin_status status = AKIN_OK;
    picture *send = akin_mem_alloc(BLOCK, sizeof *send);
    size_t *counts = akin_mem_alloc((size_t)d->size, 2 * sizeof *counts);
    AKIN_TRY(akin_agree(d->comm, send && counts ? AKIN_OK : AKIN_FAILED));
    const size_t rounds = akin_comm_rounds(d->comm, harvest->count, BLOCK);
    for (size_t i = 0; i < rounds; i++) {
        void *received = NULL;
        size_t left = harvest->count > i * BLOCK ? harvest->count - i * BLOCK : 0,
               received_count = 0;
        size_t count = left < BLOCK ? left : BLOCK;
        sort_block(d, count > 0 ? harvest->blocks[i] : NULL, count, send, counts, counts + d->size);
        if (count > 0) {
            akin_mem_free(harvest->blocks[i]);
            harvest->blocks[i] = NULL;
        }
        AKIN_TRY(
            akin_comm_exchange(d->comm, send, counts, sizeof *send, &received, &received_count));
        take(d, received, received_count);
        d->arrived += received_count;
        akin_mem_free(received);
    }
    harvest->count = 0;
done:
    akin_mem_free(send);
    akin_mem_free(counts);
    return status;
}

static int by_item(const void *a, const void *b) {
    const reference *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

/* References by ascending item, [count]: consecutive rows are read at once. */
static akin_status read_references(const delivery *d, const akin_catalog *previous,
                                   const reference *all, size_t count) {
    akin_status status = AKIN_OK;
    for (size_t i = 0, run; i < count && status == AKIN_OK; i += run) {
        size_t to = all[i].place - d->first;
        for (run = 0; i + run < count; run++) {
            if (all[i + run].place != all[i].place + run || all[i + run].row != all[i].row + run)
                break;
            d->own->hashes[to + run] = all[i + run].hash;
            if (d->own->spots) d->own->spots[to + run] = all[i + run].row | ROW;
        }
        status =
            akin_catalog_images(previous, all[i].row, run, d->own->images + to * AKIN_IMAGE_BYTES);
    }
    return status;
}

/* Collective; agreed. */
static akin_status bring_references(akin_picture_exchange *harvest, delivery *d,
                                    const akin_catalog *previous) {
    akin_status status = AKIN_OK;
    size_t *counts = akin_mem_zalloc((size_t)d->size, sizeof *counts), received_count = 0;
    void *received = NULL;
    AKIN_TRY(akin_agree(d->comm, counts ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < harvest->reference_count; i++) {
        harvest->references[i].place = d->items->item_of[harvest->references[i].place];
        counts[owner_of(d, harvest->references[i].place)]++;
    }
    if (harvest->reference_count > 0)
        qsort(harvest->references, harvest->reference_count, sizeof(reference),
              by_item); /* and therefore also by their rank */
    AKIN_TRY(akin_comm_exchange(d->comm, harvest->references, counts, sizeof(reference), &received,
                                &received_count));
    if (received_count > 0) qsort(received, received_count, sizeof(reference), by_item);
    AKIN_TRY(akin_agree(d->comm, read_references(d, previous, received, received_count)));
    d->arrived += received_count;
    harvest->reference_count = 0;
done:
    akin_mem_free(received);
    akin_mem_free(counts);
    return status;
}

akin_status akin_picture_exchange_bring_home(akin_picture_exchange *harvest, akin_comm *comm,
                                             const akin_catalog *previous,
                                             const akin_picture_items *items,
                                             const akin_picture_shard *own) {
    akin_status status = AKIN_OK;
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    delivery d = {comm, size, items, own, akin_shard_first(items->count, size, rank), 0};
    AKIN_TRY(bring_pictures(harvest, &d));
    if (previous) AKIN_TRY(bring_references(harvest, &d, previous));
    AKIN_ASSERT(d.arrived == akin_shard_count(items->count, size, rank));
done:
    return status;
}
