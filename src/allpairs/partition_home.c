/* partition: returns lists to the ranks whose shards have the rows. */
#include "partition.h"
#include <akin/mem.h>
#include <akin/shard.h>
#include <string.h>

typedef struct {
    const akin_row_block *own;
    size_t n, first, count, k; /* this rank's shard is [first, first + count) of n */
    int size;
    uint64_t *mine;    /* [count, k] */
    uint64_t *records; /* of a row and its list, for other ranks, grouped by rank */
    size_t *send, *at; /* [size]: how many for each, and where the next goes */
} homecoming;

static bool stays(const homecoming *h, size_t row) {
    return row - h->first < h->count;
}

/* Lists of this rank's shard are stored directly; the others become records. */
static akin_status part_lists(homecoming *h) {
    const akin_row_block_item *items = akin_row_block_items(h->own);
    size_t leave = 0;
    for (size_t i = 0; i < akin_row_block_count(h->own); i++) {
        size_t row = (size_t)items[i].row;
        if (stays(h, row))
            memcpy(h->mine + (row - h->first) * h->k, akin_row_block_list(h->own, i),
                   h->k * sizeof *h->mine);
        else
            h->send[akin_shard_owner(h->n, h->size, row)]++, leave++;
    }
    if ((h->records = akin_mem_alloc(leave, (h->k + 1) * sizeof *h->records)) == NULL)
        return AKIN_FAILED;
    for (size_t r = 1; r < (size_t)h->size; r++) h->at[r] = h->at[r - 1] + h->send[r - 1];
    for (size_t i = 0; leave > 0 && i < akin_row_block_count(h->own); i++) {
        size_t row = (size_t)items[i].row;
        if (stays(h, row)) continue;
        uint64_t *record = h->records + h->at[akin_shard_owner(h->n, h->size, row)]++ * (h->k + 1);
        record[0] = row;
        memcpy(record + 1, akin_row_block_list(h->own, i), h->k * sizeof *record);
    }
    return AKIN_OK;
}

static akin_status begin_home(homecoming *h) {
    h->mine = akin_mem_zalloc(h->count, h->k * sizeof *h->mine);
    h->send = akin_mem_zalloc((size_t)h->size, sizeof *h->send);
    h->at = akin_mem_zalloc((size_t)h->size, sizeof *h->at);
    return h->mine && h->send && h->at ? part_lists(h) : AKIN_FAILED;
}

akin_status akin_partition_home(akin_comm *comm, const akin_vectors *vectors, size_t k,
                                akin_row_block **own, uint64_t **lists) {
    akin_status status;
    void *received = NULL;
    size_t count = 0;
    homecoming h = {.own = *own,
                    .n = akin_vectors_items(vectors),
                    .first = akin_vectors_first(vectors),
                    .count = akin_vectors_count(vectors),
                    .k = k,
                    .size = akin_comm_size(comm)};
    AKIN_TRY(akin_agree(comm, begin_home(&h)));
    akin_row_block_free(*own);
    *own = NULL;
    AKIN_TRY(akin_comm_exchange(comm, h.records, h.send, (k + 1) * sizeof *h.records, &received,
                                &count));
    for (size_t i = 0; i < count; i++) {
        const uint64_t *record = (const uint64_t *)received + i * (k + 1);
        memcpy(h.mine + (record[0] - h.first) * k, record + 1, k * sizeof *h.mine);
    }
    *lists = h.mine, h.mine = NULL;
done:
    akin_mem_free(h.send);
    akin_mem_free(h.at);
    akin_mem_free(h.records);
    akin_mem_free(h.mine);
    akin_mem_free(received);
    return status;
}
