/* remote_rows: unit rows of other ranks. */
#include "remote_rows.h"
#include <akin/mem.h>
#include <akin/shard.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NEARLY_ONE                                                                                 \
    0.999f /* below the computed score of two identical rows: akin_dot_bound is 2e-4 at most */

struct akin_remote_rows {
    akin_comm *comm;
    const akin_vectors *vectors;
    size_t stride, count;
    int32_t *rows;   /* [count], ascending: the fetched rows */
    float *brought;  /* [count, stride] */
    size_t *counts;  /* [size] */
    size_t capacity; /* of rows */
};

akin_status akin_remote_rows_create(akin_comm *comm, const akin_vectors *vectors,
                                    akin_remote_rows **out) {
    akin_remote_rows *f = akin_mem_zalloc(1, sizeof *f);
    *out = NULL;
    if (!f) return AKIN_FAILED;
    *f = (akin_remote_rows){
        .comm = comm, .vectors = vectors, .stride = akin_dot_stride(akin_vectors_dim(vectors))};
    f->counts = akin_mem_alloc((size_t)akin_comm_size(comm), sizeof *f->counts);
    if (!f->counts) {
        akin_mem_free(f);
        return AKIN_FAILED;
    }
    *out = f;
    return AKIN_OK;
}

void akin_remote_rows_free(akin_remote_rows *f) {
    if (!f) return;
    akin_mem_free(f->rows);
    akin_mem_free(f->brought);
    akin_mem_free(f->counts);
    akin_mem_free(f);
}

size_t akin_remote_rows_stride(const akin_remote_rows *f) {
    return f->stride;
}

size_t akin_remote_rows_most(const akin_remote_rows *f, size_t mebibytes) {
    size_t most = (mebibytes << 20) / (f->stride * sizeof(float));
    return most > 0 ? most : 1;
}

void akin_remote_rows_own(const akin_remote_rows *f, size_t item, float *out) {
    size_t dim = akin_vectors_dim(f->vectors);
    memcpy(out, akin_vectors_row(f->vectors, item), dim * sizeof *out);
    memset(out + dim, 0, (f->stride - dim) * sizeof *out);
}

static int ascending(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

typedef struct {
    int32_t row, asker;
} question;

/* The requested rows, sorted and distinct. Requests are thereby in the order of ranks, like shards.
 */
static akin_status prepare(akin_remote_rows *f, int32_t *rows, size_t count, question **questions) {
    qsort(rows, count, sizeof *rows, ascending);
    if (count > f->capacity) {
        akin_mem_free(f->rows);
        f->capacity = 0;
        f->rows = akin_mem_alloc(count, sizeof *f->rows);
        if (!f->rows) return AKIN_FAILED;
        f->capacity = count;
    }
    *questions = akin_mem_alloc(count, sizeof **questions);
    if (!*questions) return AKIN_FAILED;
    int size = akin_comm_size(f->comm), rank = akin_comm_rank(f->comm);
    memset(f->counts, 0, (size_t)size * sizeof *f->counts);
    f->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (f->count > 0 && f->rows[f->count - 1] == rows[i]) continue;
        (*questions)[f->count] = (question){rows[i], rank};
        f->rows[f->count++] = rows[i];
        f->counts[akin_shard_owner(akin_vectors_items(f->vectors), size, (size_t)rows[i])]++;
    }
    return AKIN_OK;
}

/* The rows requested from this rank, in the order of the requesting ranks. */
static akin_status answer(akin_remote_rows *f, const question *asked, size_t count, float **rows) {
    *rows = akin_mem_alloc(count, f->stride * sizeof **rows);
    if (!*rows) return AKIN_FAILED;
    memset(f->counts, 0, (size_t)akin_comm_size(f->comm) * sizeof *f->counts);
    for (size_t i = 0; i < count; i++) {
        f->counts[asked[i].asker]++;
        akin_remote_rows_own(f, (size_t)asked[i].row - akin_vectors_first(f->vectors),
                             *rows + i * f->stride);
    }
    return AKIN_OK;
}

akin_status akin_remote_rows_bring(akin_remote_rows *f, int32_t *rows, size_t count) {
    akin_status status;
    question *questions = NULL, *asked = NULL;
    float *answers = NULL;
    size_t asked_count = 0, came = 0;
    akin_mem_free(f->brought);
    f->brought = NULL;
    AKIN_TRY(akin_agree(f->comm, prepare(f, rows, count, &questions)));
    AKIN_TRY(akin_comm_exchange(f->comm, questions, f->counts, sizeof *questions, (void **)&asked,
                                &asked_count));
    AKIN_TRY(akin_agree(f->comm, answer(f, asked, asked_count, &answers)));
    AKIN_TRY(akin_comm_exchange(f->comm, answers, f->counts, f->stride * sizeof *answers,
                                (void **)&f->brought, &came));
    AKIN_ASSERT(came == f->count);
done:
    akin_mem_free(questions);
    akin_mem_free(asked);
    akin_mem_free(answers);
    return status;
}

const float *akin_remote_rows_get(const akin_remote_rows *f, int32_t row) {
    const int32_t *at = bsearch(&row, f->rows, f->count, sizeof row, ascending);
    AKIN_ASSERT(at != NULL);
    return f->brought + (size_t)(at - f->rows) * f->stride;
}

void akin_remote_rows_scores(const float *a, const float *rows, size_t stride,
                             const akin_dot_hit *hits, size_t count, float *scores) {
    akin_dot()->pairs(a, rows, stride, hits, count, scores);
    for (size_t h = 0; h < count; h++) {
        float score = scores[h];
        bool same =
            score > NEARLY_ONE && memcmp(a + hits[h].row * stride, rows + hits[h].column * stride,
                                         stride * sizeof *a) == 0;
        scores[h] = same ? 1 : (score > 1 ? 1 : score < -1 ? -1 : score) + 0.0f;
    }
}

float akin_remote_rows_score(const float *a, const float *b, size_t stride) {
    static const akin_dot_hit one = {0, 0};
    float score;
    akin_remote_rows_scores(a, b, stride, &one, 1, &score);
    return score;
}
