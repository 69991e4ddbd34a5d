/* calibrate: samples the scores of random pairs. */
#include "calibrate.h"
#include "remote_rows.h"
#include <akin/mem.h>
#include <akin/rng.h>
#include <stdbool.h>
#include <stdint.h>

#define AT_ONCE_MIB 16 /* bytes of fetched rows at a time */

typedef akin_calibrate_pair pair;

typedef struct {
    const akin_vectors *vectors;
    akin_remote_rows *fetch;
    pair *pairs;
    size_t count, batch;
    int32_t *wanted; /* [batch] */
    float *own;      /* [stride] */
    float *scores;   /* [count]: of pairs of usable rows; the first `scored` are set */
    size_t scored;
} sample;

size_t akin_calibrate_pairs(const akin_calibrate_rows *rows, pair *out) {
    uint64_t n = rows->n, sources = rows->sources, count = 0, first = rows->first, end = rows->end;
    bool two = sources < n;
    if (two && end > sources) end = sources;
    if ((two ? sources * (n - sources) : n * (n - 1) / 2) <= AKIN_CALIBRATE_PAIRS) {
        for (uint64_t a = first; a < end; a++)
            for (uint64_t b = two ? sources : a + 1; b < n; b++, count++)
                if (out) out[count] = (pair){(int32_t)a, (int32_t)b};
        return count;
    }
    for (uint64_t p = 0; p < AKIN_CALIBRATE_PAIRS; p++) {
        uint64_t a = akin_rng_bits(n, AKIN_RNG_PAIRS, 0, p) % sources,
                 b = akin_rng_bits(n, AKIN_RNG_PAIRS, 1, p) % (two ? n - sources : n - 1);
        if (a < first || a >= end) continue;
        b = two ? b + sources : b + (b >= a);
        if (out) out[count] = (pair){(int32_t)a, (int32_t)b};
        count++;
    }
    return count;
}

static akin_status begin(akin_comm *comm, sample *s) {
    size_t first = akin_vectors_first(s->vectors);
    const akin_calibrate_rows rows = {akin_vectors_items(s->vectors),
                                      akin_vectors_sources(s->vectors), first,
                                      first + akin_vectors_count(s->vectors)};
    akin_status status = akin_remote_rows_create(comm, s->vectors, &s->fetch);
    if (status != AKIN_OK) return status;
    s->count = akin_calibrate_pairs(&rows, NULL);
    s->batch = akin_remote_rows_most(s->fetch, AT_ONCE_MIB);
    s->pairs = akin_mem_alloc(s->count, sizeof *s->pairs);
    s->scores = akin_mem_alloc(s->count, sizeof *s->scores);
    s->wanted = akin_mem_alloc(s->batch, sizeof *s->wanted);
    s->own = akin_mem_alloc(1, akin_remote_rows_stride(s->fetch) * sizeof *s->own);
    if (!s->pairs || !s->scores || !s->wanted || !s->own) return AKIN_FAILED;
    (void)akin_calibrate_pairs(&rows, s->pairs);
    return AKIN_OK;
}

static bool is_zero(const float *row, size_t stride) {
    for (size_t t = 0; t < stride; t++)
        if (row[t] != 0) return false;
    return true;
}

/* Pairs [first, end). Collective; agreed. */
static akin_status score_batch(sample *s, size_t first, size_t end) {
    size_t stride = akin_remote_rows_stride(s->fetch), shard = akin_vectors_first(s->vectors);
    for (size_t p = first; p < end; p++) s->wanted[p - first] = s->pairs[p].other;
    akin_status status = akin_remote_rows_bring(s->fetch, s->wanted, end - first);
    for (size_t p = first; p < end && status == AKIN_OK; p++) {
        size_t own = (size_t)s->pairs[p].own - shard;
        const float *other = akin_remote_rows_get(s->fetch, s->pairs[p].other);
        if (!akin_vectors_usable(s->vectors, own) || is_zero(other, stride)) continue;
        akin_remote_rows_own(s->fetch, own, s->own);
        s->scores[s->scored++] = akin_remote_rows_score(s->own, other, stride);
    }
    return status;
}

akin_status akin_calibrate_with(akin_comm *comm, const float *scores, size_t count,
                                akin_calibration **out) {
    akin_status status;
    float *all = NULL;
    size_t size = (size_t)akin_comm_size(comm);
    size_t *offsets = akin_mem_alloc(size + 1, sizeof *offsets);
    *out = NULL;
    AKIN_TRY(akin_agree(comm, offsets ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_comm_gather(comm, scores, count * sizeof *scores, -1, (void **)&all, offsets));
    AKIN_TRY(akin_agree(comm, akin_calibration_create(all, offsets[size] / sizeof *all, out)));
done:
    akin_mem_free(all);
    akin_mem_free(offsets);
    return status;
}

akin_status akin_calibrate(akin_comm *comm, const akin_vectors *vectors, akin_calibration **out) {
    akin_status status;
    sample s = {.vectors = vectors};
    *out = NULL;
    AKIN_TRY(akin_agree(comm, begin(comm, &s)));
    const size_t rounds = akin_comm_rounds(comm, s.count, s.batch);
    for (size_t r = 0; r < rounds; r++) {
        size_t first = r * s.batch < s.count ? r * s.batch : s.count;
        AKIN_TRY(score_batch(&s, first, s.count - first < s.batch ? s.count : first + s.batch));
    }
    status = akin_calibrate_with(comm, s.scores, s.scored, out);
done:
    akin_remote_rows_free(s.fetch);
    akin_mem_free(s.pairs);
    akin_mem_free(s.scores);
    akin_mem_free(s.wanted);
    akin_mem_free(s.own);
    return status;
}
