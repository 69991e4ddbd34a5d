/* join_vectors: joins vectors of another network with those of a model. */
#include "join_vectors.h"
#include <akin/encoder.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <akin/vectors.h>
#include <math.h>
#include <string.h>

#define CHUNK ((size_t)1024) /* pictures between two checks for messages of other ranks */

typedef struct {
    const akin_join_vectors_source *source;
    akin_model *model;
    akin_encoder *encoder;
    size_t own, dim; /* columns of the model's vectors; of a joined row */
    uint8_t *images; /* [CHUNK] */
    size_t *items;   /* [CHUNK] */
    float *vectors;  /* [CHUNK, own] */
    float *seen;     /* [CHUNK] rows of network outputs; NULL: the model needs none */
    float *rows;     /* [count, dim] */
    double seconds;  /* spent computing vectors */
} blend;

/* Everything that can fail on one rank only. */
static akin_status prepare(blend *b) {
    akin_status status;
    AKIN_TRY(akin_model_check_network(b->model, b->source->catalog));
    AKIN_TRY(akin_encoder_create(b->model, &b->encoder));
    size_t seen = akin_encoder_seen(b->encoder);
    if (seen > 0 && !(b->seen = akin_mem_alloc(CHUNK, seen * sizeof *b->seen)))
        AKIN_TRY(AKIN_FAILED);
    b->own = akin_encoder_dim(b->encoder);
    b->dim = b->own + b->source->dim;
    if (b->dim > AKIN_VECTORS_DIM_MAX)
        return akin_error_option(
            "from-weight",
            "--from-weight: %zu features of %s and %zu imported ones are more than %d", b->own,
            b->source->model, b->source->dim, AKIN_VECTORS_DIM_MAX);
    b->images = akin_mem_alloc(CHUNK, AKIN_IMAGE_BYTES);
    b->items = akin_mem_alloc(CHUNK, sizeof *b->items);
    b->vectors = akin_mem_alloc(CHUNK, b->own * sizeof *b->vectors);
    b->rows = akin_mem_alloc(b->source->count, b->dim * sizeof *b->rows);
    status = b->images && b->items && b->vectors && b->rows ? AKIN_OK : AKIN_FAILED;
done:
    return status;
}

/* Items [at, at + count) of this rank. */
static akin_status join_chunk(blend *b, size_t at, size_t count) {
    akin_status status;
    const akin_join_vectors_source *s = b->source;
    for (size_t i = 0; i < count; i++) b->items[i] = s->first + at + i;
    AKIN_TRY(akin_catalog_images_at(s->catalog, b->items, count, b->images));
    if (b->seen) AKIN_TRY(akin_catalog_network_at(s->catalog, b->items, count, b->seen));
    double start = akin_comm_seconds();
    AKIN_TRY(akin_encoder_vectors(b->encoder, b->images, b->seen, count, b->vectors));
    b->seconds += akin_comm_seconds() - start;
    for (size_t i = 0; i < count; i++) {
        float *row = b->rows + (at + i) * b->dim;
        const float *other = s->other + (at + i) * s->dim;
        memcpy(row, b->vectors + i * b->own, b->own * sizeof *row);
        for (size_t d = 0; d < s->dim; d++) row[b->own + d] = (float)(s->weight * (double)other[d]);
        (void)akin_vectors_unit(row, b->dim, row); /* a model's vector is never zero */
    }
done:
    return status;
}

static akin_status join_all(akin_comm *comm, blend *b) {
    akin_status status = AKIN_OK;
    size_t count = b->source->count, rounds = akin_comm_rounds(comm, count, CHUNK);
    for (size_t round = 0; round < rounds; round++) {
        size_t at = round * CHUNK;
        akin_status local = AKIN_OK;
        if (at < count) local = join_chunk(b, at, count - at < CHUNK ? count - at : CHUNK);
        if (local == AKIN_OK && akin_comm_signalled())
            local = akin_error_set(AKIN_INTERRUPTED, "embed was interrupted; submit again");
        AKIN_TRY(akin_agree(comm, local));
        akin_log_progress("embed", "chunks of pictures", (double)round + 1, (double)rounds);
    }
done:
    akin_log_progress_end();
    return status;
}

akin_status akin_join_vectors(akin_comm *comm, const akin_join_vectors_source *source,
                              akin_join_vectors_result *out) {
    akin_status status;
    blend b = {.source = source};
    *out = (akin_join_vectors_result){0};
    AKIN_TRY(akin_model_read(comm, source->model, &b.model));
    AKIN_TRY(akin_agree(comm, prepare(&b)));
    AKIN_TRY(join_all(comm, &b));
    int64_t images = (int64_t)source->count;
    akin_comm_sum_i64(comm, &images, 1);
    akin_comm_max_f64(comm, &b.seconds, 1);
    *out = (akin_join_vectors_result){.dim = b.dim,
                                      .rows = b.rows,
                                      .images_per_second =
                                          b.seconds > 0 ? (double)images / b.seconds : NAN};
    memcpy(out->model_digest, akin_model_digest(b.model), AKIN_HASH_TEXT_SIZE);
    b.rows = NULL;
done:
    akin_mem_free(b.images);
    akin_mem_free(b.items);
    akin_mem_free(b.vectors);
    akin_mem_free(b.seen);
    akin_mem_free(b.rows);
    akin_encoder_free(b.encoder);
    akin_model_free(b.model);
    return status;
}
