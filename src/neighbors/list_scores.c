/* list_scores: the cosines of items with the entries of their lists. */
#include "list_scores.h"
#include "remote_rows.h"
#include <akin/mem.h>
#include <akin/topk.h>

enum { AT_ONCE_MIB = 32 };

typedef struct {
    akin_remote_rows *fetch;
    size_t k, room;
    float *own;      /* [stride] */
    int32_t *wanted; /* [room] */
} work;

static akin_status begin(akin_comm *comm, const akin_vectors *vectors, work *w) {
    akin_status status = akin_remote_rows_create(comm, vectors, &w->fetch);
    if (status != AKIN_OK) return status;
    w->room = akin_remote_rows_most(w->fetch, AT_ONCE_MIB) + w->k;
    w->own = akin_mem_alloc(1, akin_remote_rows_stride(w->fetch) * sizeof *w->own);
    w->wanted = akin_mem_alloc(w->room, sizeof *w->wanted);
    return w->own && w->wanted ? AKIN_OK : AKIN_FAILED;
}

/* Items [begin, end). Collective; agreed. */
static akin_status score_some(work *w, size_t begin, size_t end, const int32_t *first,
                              const int32_t *neighbor, float *score) {
    size_t count = 0, stride = akin_remote_rows_stride(w->fetch);
    for (size_t i = begin; i < end; i++)
        for (size_t e = 0; e < (size_t)first[i]; e++) w->wanted[count++] = neighbor[i * w->k + e];
    akin_status status = akin_remote_rows_bring(w->fetch, w->wanted, count);
    for (size_t i = begin; i < end && status == AKIN_OK; i++) {
        akin_remote_rows_own(w->fetch, i, w->own);
        for (size_t e = i * w->k; e < i * w->k + (size_t)first[i]; e++)
            score[e] =
                akin_remote_rows_score(w->own, akin_remote_rows_get(w->fetch, neighbor[e]), stride);
    }
    return status;
}

akin_status akin_list_scores(akin_comm *comm, const akin_vectors *vectors, size_t k,
                             const int32_t *first, const int32_t *neighbor, float *score) {
    akin_status status;
    size_t done = 0, count = akin_vectors_count(vectors);
    work w = {.k = k};
    AKIN_TRY(akin_agree(comm, begin(comm, vectors, &w)));
    for (int64_t more = 1; more;) {
        size_t end = done, some = 0;
        for (; end < count && some + k <= w.room; end++) some += (size_t)first[end];
        AKIN_TRY(score_some(&w, done, end, first, neighbor, score));
        done = end;
        more = done < count;
        akin_comm_max_i64(comm, &more, 1);
    }
done:
    akin_remote_rows_free(w.fetch);
    akin_mem_free(w.own);
    akin_mem_free(w.wanted);
    return status;
}

akin_status akin_list_cosines(akin_comm *comm, const akin_vectors *vectors, const uint64_t *lists,
                              size_t width, float **out) {
    akin_status status;
    size_t count = akin_vectors_count(vectors);
    int32_t *neighbor = akin_mem_alloc(count * width, sizeof *neighbor),
            *held = akin_mem_zalloc(count, sizeof *held);
    *out = akin_mem_alloc(count * width, sizeof **out);
    AKIN_TRY(akin_agree(comm, neighbor && held && *out ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < count; i++)
        for (size_t e = 0; e < width && lists[i * width + e] != 0; e++, held[i]++)
            neighbor[i * width + e] = akin_topk_row(lists[i * width + e]);
    status = akin_list_scores(comm, vectors, width, held, neighbor, *out);
done:
    akin_mem_free(neighbor);
    akin_mem_free(held);
    return status;
}
