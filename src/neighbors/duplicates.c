/* duplicates: treats items that look the same as one item. */
#include "duplicates.h"
#include "remote_rows.h"
#include <akin/compare.h>
#include <akin/dot.h>
#include <akin/labels.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/topk.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = -1 };

/* A close pair that may be missing in the list of its higher row. */
typedef struct {
    int32_t row, with; /* with < row */
} pair;

typedef struct {
    int32_t row, category, group;
    akin_row_values values;
} face;

typedef struct {
    akin_comm *comm;
    const akin_vectors *vectors;
    const akin_row_block_rules *rules;
    float least;
    size_t pool, n, first, count;
    const uint64_t *lists;
    uint8_t *full; /* [n], 1: the list is full of such close rows, so there may be more of them */
    int32_t *of;   /* [n]: the result */
    pair *told;    /* [told_count], ascending: pairs found in the lists of other rows */
    size_t told_count;
    akin_remote_rows *fetch; /* for its stride and padding */
    float *own;              /* [stride] */
    face *faces;             /* [kept]: of full rows that are kept, ascending */
    float *rows;             /* [kept, stride] */
    size_t kept, room;
} search;

static const uint64_t *list_of(const search *s, size_t item) {
    return s->lists + item * s->pool;
}

/* Close entries come first in a list. */
static size_t close_ones(const search *s, size_t item) {
    const uint64_t *list = list_of(s, item);
    size_t count = 0;
    while (count < s->pool && list[count] != 0 && akin_topk_score(list[count]) >= s->least) count++;
    return count;
}

static bool takes_part(const search *s, size_t item) {
    akin_row_values values;
    int32_t available = akin_labels_available(akin_vectors_labels(s->vectors))[item];
    if (!akin_vectors_usable(s->vectors, item)) return false;
    akin_row_rules_complete(s->rules->more, item, &values, &available);
    return !s->rules->only_available || available;
}

static akin_status begin(search *s) {
    s->full = akin_mem_zalloc(s->n, 1);
    s->of = akin_mem_alloc(s->n, sizeof *s->of);
    akin_status status = akin_remote_rows_create(s->comm, s->vectors, &s->fetch);
    if (status == AKIN_OK)
        s->own = akin_mem_alloc(1, akin_remote_rows_stride(s->fetch) * sizeof *s->own);
    return s->full && s->of && s->own ? AKIN_OK : AKIN_FAILED;
}

/* Finds the full rows of all ranks. Collective; agreed. */
static akin_status share_full(search *s) {
    void *all = NULL;
    for (size_t i = 0; i < s->count; i++)
        s->full[s->first + i] =
            takes_part(s, i) && s->pool < s->n - 1 && close_ones(s, i) == s->pool;
    akin_status status = akin_comm_gather(s->comm, s->full + s->first, s->count, -1, &all, NULL);
    if (status == AKIN_OK) memcpy(s->full, all, s->n);
    akin_mem_free(all);
    return status;
}

static int by_row(const void *x, const void *y) {
    const pair *a = x, *b = y;
    if (a->row != b->row) return a->row < b->row ? -1 : 1;
    return (a->with > b->with) - (a->with < b->with);
}

/* The pairs in this rank's lists whose other row is full and higher: [*count], owned by the caller.
 * Pairs of two full rows are left out, because those are compared directly. */
static akin_status list_told(const search *s, pair **out, size_t *count) {
    *count = 0;
    for (int pass = 0; pass < 2; pass++) {
        size_t found = 0;
        for (size_t i = 0; i < s->count; i++) {
            if (!takes_part(s, i) || s->full[s->first + i]) continue;
            size_t close = close_ones(s, i);
            for (size_t e = 0; e < close; e++) {
                int32_t row = akin_topk_row(list_of(s, i)[e]), with = (int32_t)(s->first + i);
                if (row < with || !s->full[row]) continue;
                if (pass == 1) (*out)[found] = (pair){row, with};
                found++;
            }
        }
        if (pass == 0 && !(*out = akin_mem_alloc(found, sizeof **out))) return AKIN_FAILED;
        *count = found;
    }
    qsort(*out, *count, sizeof **out, by_row);
    return AKIN_OK;
}

/* Collective; agreed. */
static akin_status tell(search *s) {
    akin_status status;
    pair *mine = NULL;
    size_t count = 0;
    size_t *counts = akin_mem_zalloc((size_t)akin_comm_size(s->comm), sizeof *counts);
    akin_status local = counts ? list_told(s, &mine, &count) : AKIN_FAILED;
    AKIN_TRY(akin_agree(s->comm, local));
    for (size_t i = 0; i < count; i++)
        counts[akin_shard_owner(s->n, akin_comm_size(s->comm), (size_t)mine[i].row)]++;
    AKIN_TRY(
        akin_comm_exchange(s->comm, mine, counts, sizeof *mine, (void **)&s->told, &s->told_count));
    qsort(s->told, s->told_count, sizeof *s->told, by_row);
done:
    akin_mem_free(mine);
    akin_mem_free(counts);
    return status;
}

/* --- deciding in order --- */

static bool may_meet(const akin_row_block_rules *rules, const face *a, const face *b) {
    if (rules->same_category && (a->category != b->category || a->category < 0)) return false;
    if (rules->exclude_same_group && a->group == b->group && a->group >= 0) return false;
    return !rules->more ||
           akin_row_rules_allow(rules->more, a->row, &a->values, b->row, &b->values);
}

static face face_of(const search *s, size_t item) {
    akin_labels *labels = akin_vectors_labels(s->vectors);
    face f = {.row = (int32_t)(s->first + item),
              .category = akin_labels_category(labels)[item],
              .group = akin_labels_group(labels)[item]};
    int32_t available;
    akin_row_rules_complete(s->rules->more, item, &f.values, &available);
    return f;
}

/* The first kept row that a full row is close to: a full row before `best`, or `best` itself. */
static int32_t compare_full(const search *s, size_t item, int32_t best) {
    size_t stride = akin_remote_rows_stride(s->fetch);
    const face mine = face_of(s, item);
    akin_remote_rows_own(s->fetch, item, s->own);
    for (size_t f = 0; f < s->kept && s->faces[f].row < best; f++)
        if (may_meet(s->rules, &mine, &s->faces[f]) &&
            akin_remote_rows_score(s->own, s->rows + f * stride, stride) >= s->least)
            return s->faces[f].row;
    return best;
}

static akin_status grow(search *s, size_t more) {
    if (s->kept + more <= s->room) return AKIN_OK;
    size_t room = 2 * s->room + more + 64,
           row = akin_remote_rows_stride(s->fetch) * sizeof *s->rows;
    face *faces = akin_mem_resize(s->faces, s->kept, room, sizeof *faces);
    if (faces) s->faces = faces;
    float *rows = akin_mem_resize(s->rows, s->kept, room, row);
    if (rows) s->rows = rows;
    if (!faces || !rows) return AKIN_FAILED;
    s->room = room;
    return AKIN_OK;
}

static akin_status keep_full(search *s, size_t item) {
    size_t stride = akin_remote_rows_stride(s->fetch);
    if (grow(s, 1) != AKIN_OK) return AKIN_FAILED;
    s->faces[s->kept] = face_of(s, item);
    akin_remote_rows_own(s->fetch, item, s->rows + s->kept * stride);
    s->kept++;
    return AKIN_OK;
}

/* Decides this rank's rows, once all lower rows have been decided. */
static akin_status decide(search *s) {
    const pair *told = s->told, *end = s->told + s->told_count;
    for (size_t i = 0; i < s->count; i++) {
        int32_t row = (int32_t)(s->first + i), best = row;
        s->of[row] = KEPT;
        if (!takes_part(s, i)) continue;
        size_t close = close_ones(s, i);
        for (size_t e = 0; e < close; e++) {
            int32_t other = akin_topk_row(list_of(s, i)[e]);
            if (other < best && s->of[other] == KEPT) best = other;
        }
        for (; told < end && told->row == row; told++)
            if (told->with < best && s->of[told->with] == KEPT) best = told->with;
        if (s->full[row]) best = compare_full(s, i, best);
        if (best < row) s->of[row] = best;
        if (s->full[row] && best == row && keep_full(s, i) != AKIN_OK) return AKIN_FAILED;
    }
    return AKIN_OK;
}

/* Broadcasts the decisions of rank `from`. Collective; agreed. */
static akin_status spread(search *s, int from, size_t kept_before) {
    akin_status status;
    int size = akin_comm_size(s->comm), rank = akin_comm_rank(s->comm);
    size_t stride = akin_remote_rows_stride(s->fetch);
    int64_t fresh = rank == from ? (int64_t)(s->kept - kept_before) : 0;
    akin_comm_max_i64(s->comm, &fresh, 1);
    AKIN_TRY(akin_agree(s->comm, rank == from ? AKIN_OK : grow(s, (size_t)fresh)));
    akin_comm_broadcast(s->comm, s->of + akin_shard_first(s->n, size, from),
                        akin_shard_count(s->n, size, from) * sizeof *s->of, from);
    if (fresh == 0) return AKIN_OK;
    akin_comm_broadcast(s->comm, s->faces + kept_before, (size_t)fresh * sizeof *s->faces, from);
    akin_comm_broadcast(s->comm, s->rows + kept_before * stride,
                        (size_t)fresh * stride * sizeof *s->rows, from);
    s->kept = kept_before + (size_t)fresh;
done:
    return status;
}

akin_status akin_duplicates_find(akin_comm *comm, const akin_vectors *vectors,
                                 const akin_row_block_rules *rules, float least, size_t pool,
                                 const uint64_t *lists, int32_t **duplicate_of) {
    akin_status status;
    search s = {.comm = comm,
                .vectors = vectors,
                .rules = rules,
                .least = least,
                .pool = pool,
                .n = akin_vectors_items(vectors),
                .first = akin_vectors_first(vectors),
                .count = akin_vectors_count(vectors),
                .lists = lists};
    *duplicate_of = NULL;
    AKIN_TRY(akin_agree(comm, begin(&s)));
    AKIN_TRY(share_full(&s));
    AKIN_TRY(tell(&s));
    for (int rank = 0; rank < akin_comm_size(comm); rank++) {
        size_t kept_before = s.kept;
        AKIN_TRY(akin_agree(comm, akin_comm_rank(comm) == rank ? decide(&s) : AKIN_OK));
        AKIN_TRY(spread(&s, rank, kept_before));
    }
    *duplicate_of = s.of;
    s.of = NULL;
done:
    akin_mem_free(s.full);
    akin_mem_free(s.of);
    akin_mem_free(s.told);
    akin_mem_free(s.own);
    akin_mem_free(s.faces);
    akin_mem_free(s.rows);
    akin_remote_rows_free(s.fetch);
    return status;
}
