/* duplicates: treats items that look the same as one item. */
#include "duplicates.h"
#include "remote_rows.h"
#include <akin/compare.h>
#include <akin/dot.h>
#include <akin/labels.h>
#include <akin/mem.h>
#include <akin/topk.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = -1 };

/* A close pair that may be missing in the list of its higher one. */
typedef struct {
    int32_t number, with; /* with < number */
} pair;

/* A row of a full one. */
typedef struct {
    int32_t number, row, category, group;
    akin_row_values values;
} face;

typedef struct {
    akin_comm *comm;
    const akin_duplicates_source *from;
    const akin_vectors *vectors;
    size_t n, first, count; /* as of the source */
    size_t *starts;         /* [ranks + 1]: the first of each rank */
    uint8_t *taking;        /* [rows]: whether each takes part */
    uint8_t *full; /* [n], 1: the list is full of such close ones, so there may be more of them */
    int32_t *of;   /* [n]: the result */
    pair *told;    /* [told_count], ascending: pairs found in the lists of others */
    size_t told_count;
    akin_remote_rows *fetch;
    float *own;      /* [stride] */
    face *own_faces; /* [own_count]: of this rank's full ones, ascending */
    size_t own_count, own_next;
    face *faces; /* [kept]: of full ones that are kept, ascending */
    float *rows; /* [kept, stride] */
    size_t kept, room;
} search;

static size_t rows_begin(const search *s, size_t number) {
    return s->from->begin ? (size_t)s->from->begin[number] : number;
}

static const uint64_t *list_of(const search *s, size_t own) {
    return s->from->lists + own * s->from->pool;
}

/* Close entries come first in a list. */
static size_t close_ones(const search *s, size_t own) {
    const uint64_t *list = list_of(s, own);
    size_t count = 0;
    while (count < s->from->pool && list[count] != 0 &&
           akin_topk_score(list[count]) >= s->from->least)
        count++;
    return count;
}

bool akin_duplicates_takes(const akin_vectors *vectors, const akin_row_block_rules *rules,
                           size_t item) {
    akin_row_values values;
    int32_t available = akin_labels_available(akin_vectors_labels(vectors))[item];
    if (!akin_vectors_usable(vectors, item)) return false;
    akin_row_rules_complete(rules->more, item, &values, &available);
    return !rules->only_available || available;
}

/* Whether any of its rows does. */
static bool takes_part(const search *s, size_t own) {
    size_t number = s->first + own;
    for (size_t row = rows_begin(s, number); row < rows_begin(s, number + 1); row++)
        if (s->taking[row + s->from->ahead]) return true;
    return false;
}

static akin_status begin(search *s) {
    s->full = akin_mem_zalloc(s->n, 1);
    s->of = akin_mem_alloc(s->n, sizeof *s->of);
    s->taking = akin_mem_zalloc(akin_vectors_items(s->vectors), 1);
    s->starts = akin_mem_alloc((size_t)akin_comm_size(s->comm) + 1, sizeof *s->starts);
    akin_status status = akin_remote_rows_create(s->comm, s->vectors, &s->fetch);
    if (status == AKIN_OK)
        s->own = akin_mem_alloc(1, akin_remote_rows_stride(s->fetch) * sizeof *s->own);
    return s->full && s->of && s->taking && s->starts && s->own ? AKIN_OK : AKIN_FAILED;
}

/* Which rows take part, and where the ranks begin. Collective; agreed. */
static akin_status share_taking(search *s) {
    akin_status status;
    size_t count = akin_vectors_count(s->vectors), *counts = NULL;
    uint8_t *all = NULL, *mine = s->taking + akin_vectors_first(s->vectors);
    for (size_t i = 0; i < count; i++)
        mine[i] = akin_duplicates_takes(s->vectors, s->from->rules, i);
    AKIN_TRY(akin_comm_gather(s->comm, mine, count, -1, (void **)&all, NULL));
    memcpy(s->taking, all, akin_vectors_items(s->vectors));
    AKIN_TRY(akin_comm_gather(s->comm, &s->count, sizeof s->count, -1, (void **)&counts, NULL));
    s->starts[0] = 0;
    for (int r = 0; r < akin_comm_size(s->comm); r++) s->starts[r + 1] = s->starts[r] + counts[r];
done:
    akin_mem_free(all);
    akin_mem_free(counts);
    return status;
}

/* Finds the full ones of all ranks. Collective; agreed. */
static akin_status share_full(search *s) {
    void *all = NULL;
    for (size_t i = 0; i < s->count; i++)
        s->full[s->first + i] =
            takes_part(s, i) && s->from->pool < s->n - 1 && close_ones(s, i) == s->from->pool;
    akin_status status = akin_comm_gather(s->comm, s->full + s->first, s->count, -1, &all, NULL);
    if (status == AKIN_OK) memcpy(s->full, all, s->n);
    akin_mem_free(all);
    return status;
}

static int by_number(const void *x, const void *y) {
    const pair *a = x, *b = y;
    if (a->number != b->number) return a->number < b->number ? -1 : 1;
    return (a->with > b->with) - (a->with < b->with);
}

/* The pairs in this rank's lists whose other one is full and higher: [*count], owned by the caller.
 * Pairs of two full ones are left out, because those are compared directly. */
static akin_status list_told(const search *s, pair **out, size_t *count) {
    *count = 0;
    for (int pass = 0; pass < 2; pass++) {
        size_t found = 0;
        for (size_t i = 0; i < s->count; i++) {
            if (!takes_part(s, i) || s->full[s->first + i]) continue;
            size_t close = close_ones(s, i);
            for (size_t e = 0; e < close; e++) {
                int32_t number = akin_topk_row(list_of(s, i)[e]), with = (int32_t)(s->first + i);
                if (number < with || !s->full[number]) continue;
                if (pass == 1) (*out)[found] = (pair){number, with};
                found++;
            }
        }
        if (pass == 0 && !(*out = akin_mem_alloc(found, sizeof **out))) return AKIN_FAILED;
        *count = found;
    }
    qsort(*out, *count, sizeof **out, by_number);
    return AKIN_OK;
}

/* The rank of a number at or behind those of rank `from`. */
static size_t owner_from(const search *s, size_t from, int32_t number) {
    while ((size_t)number >= s->starts[from + 1]) from++;
    return from;
}

/* Collective; agreed. */
static akin_status tell(search *s) {
    akin_status status;
    pair *mine = NULL;
    size_t count = 0;
    size_t *counts = akin_mem_zalloc((size_t)akin_comm_size(s->comm), sizeof *counts);
    akin_status local = counts ? list_told(s, &mine, &count) : AKIN_FAILED;
    AKIN_TRY(akin_agree(s->comm, local));
    for (size_t i = 0, owner = 0; i < count; i++)
        counts[owner = owner_from(s, owner, mine[i].number)]++;
    AKIN_TRY(
        akin_comm_exchange(s->comm, mine, counts, sizeof *mine, (void **)&s->told, &s->told_count));
    qsort(s->told, s->told_count, sizeof *s->told, by_number);
done:
    akin_mem_free(mine);
    akin_mem_free(counts);
    return status;
}

/* --- the rows of full ones --- */

static size_t number_of(const search *s, size_t row) {
    size_t low = 0, high = s->n;
    if (!s->from->begin) return row;
    while (low + 1 < high) { /* low: the last that begins at or before the row */
        size_t middle = low + (high - low) / 2;
        if ((size_t)s->from->begin[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static face face_of(const search *s, size_t item, size_t number) {
    akin_labels *labels = akin_vectors_labels(s->vectors);
    face f = {.number = (int32_t)number,
              .row = (int32_t)(akin_vectors_first(s->vectors) + item),
              .category = akin_labels_category(labels)[item],
              .group = akin_labels_group(labels)[item]};
    int32_t available;
    akin_row_rules_complete(s->from->rules->more, item, &f.values, &available);
    return f;
}

/* Those of this rank's rows that are of full ones, for the ranks that have these. */
static akin_status list_faces(const search *s, face **out, size_t *counts) {
    size_t first = akin_vectors_first(s->vectors), found = 0, owner = 0,
           count = akin_vectors_count(s->vectors), end = rows_begin(s, s->n);
    face *faces = *out = NULL;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1 && !(faces = *out = akin_mem_alloc(found, sizeof *faces))) return AKIN_FAILED;
        found = 0;
        for (size_t i = 0; i < count && first + i < end; i++) {
            size_t number = number_of(s, first + i);
            if (!s->full[number] || !s->taking[first + i + s->from->ahead]) continue;
            if (pass == 1) {
                faces[found] = face_of(s, i, number);
                counts[owner = owner_from(s, owner, (int32_t)number)]++;
            }
            found++;
        }
    }
    return AKIN_OK;
}

static bool is_here(const search *s, int32_t row) {
    size_t first = akin_vectors_first(s->vectors);
    return (size_t)row >= first && (size_t)row < first + akin_vectors_count(s->vectors);
}

/* Gets them, and the rows of other ranks. Collective; agreed. */
static akin_status bring_faces(search *s) {
    akin_status status;
    face *mine = NULL;
    int32_t *wanted = NULL;
    size_t some = 0, *counts = akin_mem_zalloc((size_t)akin_comm_size(s->comm), sizeof *counts);
    AKIN_TRY(akin_agree(s->comm, counts ? list_faces(s, &mine, counts) : AKIN_FAILED));
    AKIN_TRY(akin_comm_exchange(s->comm, mine, counts, sizeof *mine, (void **)&s->own_faces,
                                &s->own_count));
    wanted = akin_mem_alloc(s->own_count, sizeof *wanted);
    AKIN_TRY(akin_agree(s->comm, wanted ? AKIN_OK : AKIN_FAILED));
    for (size_t f = 0; f < s->own_count; f++)
        if (!is_here(s, s->own_faces[f].row)) wanted[some++] = s->own_faces[f].row;
    status = akin_remote_rows_bring(s->fetch, wanted, some);
done:
    akin_mem_free(mine);
    akin_mem_free(wanted);
    akin_mem_free(counts);
    return status;
}

/* The columns of a row that compare it with any other; returns what its ends hold. */
static float take_row(const search *s, int32_t row, float *out) {
    size_t columns = akin_vectors_columns(s->vectors), stride = akin_remote_rows_stride(s->fetch);
    if (is_here(s, row))
        akin_remote_rows_own(s->fetch, (size_t)row - akin_vectors_first(s->vectors), out);
    else
        memcpy(out, akin_remote_rows_get(s->fetch, row), stride * sizeof *out);
    float ends = 0;
    for (size_t c = columns; c < stride; c++) ends += out[c];
    memset(out + columns, 0, (stride - columns) * sizeof *out);
    return ends;
}

/* --- deciding in order --- */

static bool may_meet(const akin_row_block_rules *rules, const face *a, const face *b) {
    if (rules->same_category && (a->category != b->category || a->category < 0)) return false;
    if (rules->exclude_same_group && a->group == b->group && a->group >= 0) return false;
    return !rules->more ||
           akin_row_rules_allow(rules->more, a->row, &a->values, b->row, &b->values);
}

/* The first kept one that this row is close to: a full one before `best`, or `best` itself. */
static int32_t compare_face(const search *s, const face *mine, int32_t best) {
    size_t stride = akin_remote_rows_stride(s->fetch);
    take_row(s, mine->row, s->own);
    for (size_t f = 0; f < s->kept && s->faces[f].number < best; f++)
        if (may_meet(s->from->rules, mine, &s->faces[f]) &&
            akin_remote_rows_score(s->own, s->rows + f * stride, stride) >= s->from->least)
            return s->faces[f].number;
    return best;
}

/* The same for all rows of a full one: this rank's faces [first, end). */
static int32_t compare_full(const search *s, size_t first, size_t end, int32_t best) {
    for (size_t f = first; f < end; f++) best = compare_face(s, &s->own_faces[f], best);
    return best;
}

/* Where this rank's faces of a number end, of which the next one is the first. */
static size_t faces_end(const search *s, int32_t number) {
    size_t end = s->own_next;
    while (end < s->own_count && s->own_faces[end].number == number) end++;
    return end;
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

static akin_status keep_full(search *s, size_t first, size_t end) {
    size_t columns = akin_vectors_columns(s->vectors), stride = akin_remote_rows_stride(s->fetch);
    if (grow(s, end - first) != AKIN_OK) return AKIN_FAILED;
    for (size_t f = first; f < end; f++) {
        float *row = s->rows + s->kept * stride;
        s->faces[s->kept] = s->own_faces[f];
        s->faces[s->kept].row += (int32_t)s->from->ahead;
        float ends = take_row(s, s->own_faces[f].row, row);
        /* Beside the zero of another it adds nothing, but rows with ends are never identical. */
        if (columns < stride) row[columns] = ends;
        s->kept++;
    }
    return AKIN_OK;
}

/* Decides this rank's, once all lower ones have been decided. */
static akin_status decide(search *s) {
    const pair *told = s->told, *told_end = s->told + s->told_count;
    for (size_t i = 0; i < s->count; i++) {
        int32_t number = (int32_t)(s->first + i), best = number;
        s->of[number] = KEPT;
        if (!takes_part(s, i)) continue;
        size_t close = close_ones(s, i), end = faces_end(s, number);
        for (size_t e = 0; e < close; e++) {
            int32_t other = akin_topk_row(list_of(s, i)[e]);
            if (other < best && s->of[other] == KEPT) best = other;
        }
        for (; told < told_end && told->number == number; told++)
            if (told->with < best && s->of[told->with] == KEPT) best = told->with;
        best = compare_full(s, s->own_next, end, best);
        if (best < number) s->of[number] = best;
        if (best == number && keep_full(s, s->own_next, end) != AKIN_OK) return AKIN_FAILED;
        s->own_next = end;
    }
    return AKIN_OK;
}

/* Broadcasts the decisions of rank `from`. Collective; agreed. */
static akin_status spread(search *s, int from, size_t kept_before) {
    akin_status status;
    int rank = akin_comm_rank(s->comm);
    size_t stride = akin_remote_rows_stride(s->fetch);
    int64_t fresh = rank == from ? (int64_t)(s->kept - kept_before) : 0;
    akin_comm_max_i64(s->comm, &fresh, 1);
    AKIN_TRY(akin_agree(s->comm, rank == from ? AKIN_OK : grow(s, (size_t)fresh)));
    akin_comm_broadcast(s->comm, s->of + s->starts[from],
                        (s->starts[from + 1] - s->starts[from]) * sizeof *s->of, from);
    if (fresh == 0) return AKIN_OK;
    akin_comm_broadcast(s->comm, s->faces + kept_before, (size_t)fresh * sizeof *s->faces, from);
    akin_comm_broadcast(s->comm, s->rows + kept_before * stride,
                        (size_t)fresh * stride * sizeof *s->rows, from);
    s->kept = kept_before + (size_t)fresh;
done:
    return status;
}

akin_status akin_duplicates_find(akin_comm *comm, const akin_duplicates_source *from,
                                 int32_t **duplicate_of) {
    akin_status status;
    search s = {.comm = comm,
                .from = from,
                .vectors = from->vectors,
                .n = from->n,
                .first = from->first,
                .count = from->count};
    *duplicate_of = NULL;
    AKIN_TRY(akin_agree(comm, begin(&s)));
    AKIN_TRY(share_taking(&s));
    AKIN_TRY(share_full(&s));
    AKIN_TRY(tell(&s));
    AKIN_TRY(bring_faces(&s));
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
    akin_mem_free(s.starts);
    akin_mem_free(s.taking);
    akin_mem_free(s.own);
    akin_mem_free(s.own_faces);
    akin_mem_free(s.faces);
    akin_mem_free(s.rows);
    akin_remote_rows_free(s.fetch);
    return status;
}
