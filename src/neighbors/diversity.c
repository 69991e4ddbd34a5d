/* diversity: maximal marginal relevance. */
#include "diversity.h"
#include "remote_rows.h"
#include <akin/mem.h>
#include <akin/topk.h>
#include <math.h>
#include <string.h>

#define AT_ONCE_MIB 64 /* bytes of candidates' rows in memory */

akin_status akin_diversity_room_make(akin_diversity_room *room, size_t candidates, size_t rows,
                                     size_t stride) {
    *room = (akin_diversity_room){
        .stride = stride,
        .rows = akin_mem_alloc(rows, stride * sizeof *room->rows),
        .row = akin_mem_alloc(candidates, sizeof *room->row),
        .nearest = akin_mem_alloc(candidates, sizeof *room->nearest),
        .hits = akin_mem_alloc(candidates, sizeof *room->hits),
        .scores = akin_mem_alloc(candidates, sizeof *room->scores),
    };
    return room->rows && room->row && room->nearest && room->hits && room->scores ? AKIN_OK
                                                                                  : AKIN_FAILED;
}

void akin_diversity_room_release(akin_diversity_room *room) {
    akin_mem_free(room->rows);
    akin_mem_free(room->row);
    akin_mem_free(room->nearest);
    akin_mem_free(room->hits);
    akin_mem_free(room->scores);
}

/* The best score of a row of candidate `taken` and one of candidate c. */
static float best_of(const akin_diversity_room *room, size_t taken, size_t c) {
    const size_t *mine = room->first + room->row[taken], *its = room->first + room->row[c];
    float best = -2;
    for (size_t a = mine[0]; a < mine[1]; a++)
        for (size_t b = its[0]; b < its[1]; b++) {
            float score = akin_remote_rows_score(room->rows + a * room->stride,
                                                 room->rows + b * room->stride, room->stride);
            if (score > best) best = score;
        }
    return best;
}

/* Updates the candidates from `from` on: their similarity to the last one chosen, if that is higher
 * than before. */
static void meet(const akin_diversity_room *room, size_t taken, size_t from, size_t count) {
    if (from >= count) return;
    for (size_t c = from; room->first && c < count; c++)
        room->scores[c - from] = best_of(room, taken, c);
    for (size_t c = from; c < count; c++) room->hits[c - from] = (akin_dot_hit){0, room->row[c]};
    if (!room->first)
        akin_remote_rows_scores(room->rows + room->row[taken] * room->stride, room->rows,
                                room->stride, room->hits, count - from, room->scores);
    for (size_t c = from; c < count; c++)
        if (room->scores[c - from] > room->nearest[c]) room->nearest[c] = room->scores[c - from];
}

/* Moves candidate `best` to position `taken`; those in between move back by one, so that the others
 * keep their order. */
static void move_up(const akin_diversity_room *room, uint64_t *keys, size_t best, size_t taken) {
    uint64_t key = keys[best];
    uint16_t row = room->row[best];
    for (size_t c = best; c > taken; c--) {
        keys[c] = keys[c - 1];
        room->row[c] = room->row[c - 1];
        room->nearest[c] = room->nearest[c - 1];
    }
    keys[taken] = key;
    room->row[taken] = row;
}

void akin_diversity_pick(double lambda, size_t k, uint64_t *keys, size_t count,
                         const akin_diversity_room *room) {
    for (size_t c = 0; c < count; c++) room->nearest[c] = -2, room->row[c] = (uint16_t)c;
    for (size_t taken = 0; taken < k && taken < count; taken++) {
        size_t best = taken;
        double best_value = -INFINITY;
        for (size_t c = taken; c < count; c++) {
            double value = lambda * (double)akin_topk_score(keys[c]);
            if (taken > 0) value -= (1 - lambda) * (double)room->nearest[c];
            if (value > best_value) best = c, best_value = value;
        }
        move_up(room, keys, best, taken);
        if (taken + 1 < k) meet(room, taken, taken + 1, count);
    }
}

static size_t held(const uint64_t *list, size_t pool) {
    size_t count = 0;
    while (count < pool && list[count] != 0) count++;
    return count;
}

typedef struct {
    akin_remote_rows *fetch;
    size_t batch; /* items at a time */
    size_t columns;
    int32_t *wanted; /* [batch, pool] */
    akin_diversity_room room;
} work;

static akin_status begin(akin_comm *comm, const akin_vectors *vectors, size_t pool, work *w) {
    akin_status status = akin_remote_rows_create(comm, vectors, &w->fetch);
    if (status != AKIN_OK) return status;
    w->batch = akin_remote_rows_most(w->fetch, AT_ONCE_MIB) / pool;
    if (w->batch == 0) w->batch = 1;
    if (w->batch > akin_vectors_count(vectors) + 1) w->batch = akin_vectors_count(vectors) + 1;
    w->wanted = akin_mem_alloc(w->batch, pool * sizeof *w->wanted);
    w->columns = akin_vectors_columns(vectors);
    if (!w->wanted) return AKIN_FAILED;
    return akin_diversity_room_make(&w->room, pool, pool, akin_remote_rows_stride(w->fetch));
}

/* Its columns that compare any two rows. */
static void take_row(work *w, int32_t row, size_t e) {
    float *to = w->room.rows + e * w->room.stride;
    memcpy(to, akin_remote_rows_get(w->fetch, row), w->columns * sizeof *to);
    memset(to + w->columns, 0, (w->room.stride - w->columns) * sizeof *to);
}

/* Lists [first, end) of this rank. Collective; agreed. */
static akin_status pick_batch(work *w, double lambda, size_t k, size_t pool, size_t first,
                              size_t end, uint64_t *lists) {
    size_t wanted = 0;
    for (size_t i = first; i < end; i++)
        for (size_t e = 0; e < pool && lists[i * pool + e] != 0; e++)
            w->wanted[wanted++] = akin_topk_row(lists[i * pool + e]);
    akin_status status = akin_remote_rows_bring(w->fetch, w->wanted, wanted);
    if (status != AKIN_OK) return status;
    for (size_t i = first; i < end; i++) {
        uint64_t *list = lists + i * pool;
        size_t count = held(list, pool);
        for (size_t e = 0; e < count; e++) take_row(w, akin_topk_row(list[e]), e);
        akin_diversity_pick(lambda, k, list, count, &w->room);
        for (size_t e = k; e < count; e++) list[e] = 0;
    }
    return AKIN_OK;
}

akin_status akin_diversity(akin_comm *comm, const akin_vectors *vectors, double lambda, size_t k,
                           size_t pool, uint64_t *lists) {
    akin_status status;
    work w = {0};
    size_t count = akin_vectors_count(vectors);
    AKIN_TRY(akin_agree(comm, begin(comm, vectors, pool, &w)));
    const size_t rounds = akin_comm_rounds(comm, count, w.batch);
    for (size_t r = 0; r < rounds; r++) {
        size_t first = r * w.batch < count ? r * w.batch : count;
        size_t end = first + w.batch < count ? first + w.batch : count;
        AKIN_TRY(pick_batch(&w, lambda, k, pool, first, end, lists));
    }
done:
    akin_remote_rows_free(w.fetch);
    akin_mem_free(w.wanted);
    akin_diversity_room_release(&w.room);
    return status;
}
