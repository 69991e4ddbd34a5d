/* harvest: accepted pictures on their way. Floor 3 (stages); looks down to error, mem, shard, comm, catalog. */
#include <akin/catalog.h>
#include <akin/harvest.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <string.h>

enum { BLOCK = 2048 }; /* pictures, 6 MiB: kept together, and sent together */

typedef struct {
    uint64_t place; /* then the item */
    uint64_t hash;
    uint8_t image[AKIN_IMAGE_BYTES];
} picture;

struct akin_harvest {
    picture **blocks; /* [block_count] of BLOCK pictures each, all but the last full */
    size_t block_count, room;
    size_t count;
};

akin_status akin_harvest_create(akin_harvest **out) {
    *out = akin_mem_zalloc(1, sizeof **out);
    return *out ? AKIN_OK : AKIN_FAILED;
}

void akin_harvest_free(akin_harvest *harvest) {
    if (!harvest) return;
    for (size_t i = 0; i < harvest->block_count; i++) akin_mem_free(harvest->blocks[i]);
    akin_mem_free(harvest->blocks);
    akin_mem_free(harvest);
}

static picture *next_picture(const akin_harvest *harvest) {
    return &harvest->blocks[harvest->count / BLOCK][harvest->count % BLOCK];
}

akin_status akin_harvest_room(akin_harvest *harvest, uint8_t **image) {
    if (harvest->count == harvest->block_count * BLOCK) {
        if (harvest->block_count == harvest->room) {
            size_t room = harvest->room * 2 + 16;
            picture **grown = akin_mem_resize(harvest->blocks, harvest->block_count, room, sizeof *grown);
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

void akin_harvest_keep(akin_harvest *harvest, uint64_t place, uint64_t hash) {
    picture *kept = next_picture(harvest);
    kept->place = place;
    kept->hash = hash;
    harvest->count++;
}

/* The block's pictures sorted by the rank that they go to, into `send`; their number for each rank into counts. */
static void sort_block(const picture *block, size_t count, size_t n, int size, const uint64_t *item_of, picture *send,
                       size_t *counts, size_t *at) {
    memset(counts, 0, (size_t)size * sizeof *counts);
    for (size_t i = 0; i < count; i++) counts[akin_shard_owner(n, size, item_of[block[i].place])]++;
    for (int rank = 0, next = 0; rank < size; next += (int)counts[rank++]) at[rank] = (size_t)next;
    for (size_t i = 0; i < count; i++) {
        uint64_t item = item_of[block[i].place];
        picture *to = &send[at[akin_shard_owner(n, size, item)]++];
        *to = block[i];
        to->place = item;
    }
}

akin_status akin_harvest_bring_home(akin_harvest *harvest, akin_comm *comm, size_t n, const uint64_t *item_of,
                                    uint8_t *images, uint64_t *hashes) {
    akin_status status = AKIN_OK;
    int size = akin_comm_size(comm);
    size_t first = akin_shard_first(n, size, akin_comm_rank(comm)), arrived = 0;
    picture *send = akin_mem_alloc(BLOCK, sizeof *send);
    size_t *counts = akin_mem_alloc((size_t)size, 2 * sizeof *counts);
    AKIN_TRY(akin_agree(comm, send && counts ? AKIN_OK : AKIN_FAILED));
    const size_t rounds = akin_comm_rounds(comm, harvest->count, BLOCK);
    for (size_t i = 0; i < rounds; i++) {
        void *received = NULL;
        size_t left = harvest->count > i * BLOCK ? harvest->count - i * BLOCK : 0, received_count = 0;
        size_t count = left < BLOCK ? left : BLOCK;
        sort_block(count > 0 ? harvest->blocks[i] : NULL, count, n, size, item_of, send, counts, counts + size);
        if (count > 0) {
            akin_mem_free(harvest->blocks[i]);
            harvest->blocks[i] = NULL;
        }
        AKIN_TRY(akin_comm_exchange(comm, send, counts, sizeof *send, &received, &received_count));
        const picture *pictures = received;
        for (size_t j = 0; j < received_count; j++) {
            memcpy(images + (pictures[j].place - first) * AKIN_IMAGE_BYTES, pictures[j].image, AKIN_IMAGE_BYTES);
            hashes[pictures[j].place - first] = pictures[j].hash;
        }
        arrived += received_count;
        akin_mem_free(received);
    }
    harvest->count = 0;
    AKIN_ASSERT(arrived == akin_shard_count(n, size, akin_comm_rank(comm)));
done:
    akin_mem_free(send);
    akin_mem_free(counts);
    return status;
}
