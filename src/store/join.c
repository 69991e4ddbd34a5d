/* join: matches the rows of two files by id. */
#include <akin/ids.h>
#include <akin/mem.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

akin_join_row akin_join_row_of(const char *id, size_t row, akin_join_side side) {
    return (akin_join_row){
        .id = akin_hash_128(id, strlen(id), 0), .row = (int32_t)row, .side = (int32_t)side};
}

static bool same(akin_hash128 a, akin_hash128 b) {
    return a.low == b.low && a.high == b.high;
}

/* By id, then the first file before the second, then by row. */
static int in_order(const void *x, const void *y) {
    const akin_join_row *a = x, *b = y;
    if (a->id.low != b->id.low) return a->id.low < b->id.low ? -1 : 1;
    if (a->id.high != b->id.high) return a->id.high < b->id.high ? -1 : 1;
    if (a->side != b->side) return a->side - b->side;
    return (a->row > b->row) - (a->row < b->row);
}

/* Ranges of the hash, in order, so that sorting by it sorts by owner. */
static size_t owner_of(const akin_join_row *row, size_t size) {
    return (size_t)((row->id.low >> 32) * size >> 32);
}

/* Matches among what came to this rank. */
static size_t match_rows(akin_join_row *all, size_t count, akin_join_match *out) {
    size_t found = 0;
    if (count > 0) qsort(all, count, sizeof *all, in_order);
    for (size_t i = 0, head = 0; i < count; i++) {
        if (!same(all[i].id, all[head].id)) head = i;
        if (all[i].side == AKIN_JOIN_SECOND && all[head].side == AKIN_JOIN_FIRST &&
            same(all[i].content, all[head].content))
            out[found++] = (akin_join_match){all[head].row, all[i].row};
    }
    return found;
}

akin_status akin_join(akin_comm *comm, akin_join_row *rows, size_t count, akin_join_match **matches,
                      size_t *match_count) {
    akin_status status;
    size_t size = (size_t)akin_comm_size(comm), received = 0, found;
    void *came = NULL, *all = NULL;
    akin_join_match *mine = NULL;
    size_t *send = akin_mem_zalloc(size, sizeof *send),
           *offsets = akin_mem_zalloc(size + 1, sizeof *offsets);
    *matches = NULL;
    AKIN_TRY(akin_agree(comm, send && offsets ? AKIN_OK : AKIN_FAILED));
    if (count > 0) qsort(rows, count, sizeof *rows, in_order);
    for (size_t i = 0; i < count; i++) send[owner_of(&rows[i], size)]++;
    AKIN_TRY(akin_comm_exchange(comm, rows, send, sizeof *rows, &came, &received));
    mine = akin_mem_alloc(received, sizeof *mine);
    AKIN_TRY(akin_agree(comm, mine ? AKIN_OK : AKIN_FAILED));
    found = match_rows(came, received, mine);
    AKIN_TRY(akin_comm_gather(comm, mine, found * sizeof *mine, -1, &all, offsets));
    *match_count = offsets[size] / sizeof **matches;
    *matches = all;
done:
    akin_mem_free(came);
    akin_mem_free(mine);
    akin_mem_free(send);
    akin_mem_free(offsets);
    return status;
}
