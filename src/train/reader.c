/* reader: reads the pictures of a training run ahead. */
#include "reader.h"
#include <akin/mem.h>
#include <stdlib.h>
#include <string.h>

#define MICRO ((size_t)AKIN_NETWORK_MICRO_BATCH)
#define HALF_IMAGES (AKIN_READER_HALF * MICRO)

typedef struct {
    size_t item, place; /* row of the catalogue; image of the half */
} wanted;

typedef struct {
    size_t used; /* micro-batches in it */
    size_t counts[AKIN_READER_HALF];
    uint8_t *images; /* [HALF_IMAGES, AKIN_IMAGE_BYTES]; a micro-batch starts at a multiple of
                      * MICRO images */
} half;

struct akin_reader {
    const akin_catalog *catalog;
    const akin_sampler *sampler;
    akin_worker *worker;
    akin_reader_span span;
    half halves[2];
    size_t front, taken; /* the half in use, and how much of it is consumed */
    /* Used by the worker while its job is running. */
    akin_worker_job job;
    size_t step, micro; /* the next to read */
    wanted list[HALF_IMAGES];
};

size_t akin_reader_micros(size_t images) {
    return (images + MICRO - 1) / MICRO;
}

size_t akin_reader_micro_images(size_t images, size_t micro) {
    return images - micro * MICRO < MICRO ? images - micro * MICRO : MICRO;
}

/* Advances to this rank's next micro-batch, if there is one, whose step has `images`. */
static bool find_next(akin_reader *reader, size_t *images) {
    const akin_sampler *sampler = reader->sampler;
    size_t in_epoch = akin_sampler_steps(sampler);
    if ((size_t)reader->span.rank >= akin_reader_micros(akin_sampler_batch_items(sampler, 0)))
        return false;
    for (; reader->step < reader->span.steps;
         reader->step++, reader->micro = (size_t)reader->span.rank) {
        *images = akin_sampler_batch_items(sampler, reader->step % in_epoch);
        if (reader->micro < akin_reader_micros(*images)) return true;
    }
    return false;
}

/* Lists the images of the micro-batches that this half will hold; returns their number. */
static size_t list_wanted(akin_reader *reader, half *half) {
    size_t in_epoch = akin_sampler_steps(reader->sampler), listed = 0, images;
    for (half->used = 0; half->used < AKIN_READER_HALF && find_next(reader, &images);
         half->used++) {
        size_t epoch = reader->step / in_epoch;
        size_t first = reader->step % in_epoch * reader->sampler->batch + reader->micro * MICRO;
        size_t count = half->counts[half->used] = akin_reader_micro_images(images, reader->micro);
        for (size_t i = 0; i < count; i++)
            reader->list[listed++] = (wanted){akin_sampler_train(reader->sampler, epoch, first + i),
                                              half->used * MICRO + i};
        reader->micro += (size_t)reader->span.size;
    }
    return listed;
}

static int by_item(const void *a, const void *b) {
    const wanted *x = a, *y = b;
    if (x->item != y->item) return x->item < y->item ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* The worker's job: fills the half that is not in use. */
static akin_status fill(void *context) {
    akin_status status = AKIN_OK;
    akin_reader *reader = context;
    half *back = &reader->halves[1 - reader->front];
    size_t count = list_wanted(reader, back);
    qsort(reader->list, count, sizeof *reader->list, by_item);
    for (size_t i = 0; i < count; i++) {
        const wanted *it = &reader->list[i];
        uint8_t *to = back->images + it->place * AKIN_IMAGE_BYTES;
        if (i > 0 && it[-1].item == it->item) /* a small catalogue repeats within a half */
            memcpy(to, back->images + it[-1].place * AKIN_IMAGE_BYTES, AKIN_IMAGE_BYTES);
        else
            AKIN_TRY(akin_catalog_images(reader->catalog, it->item, 1, to));
    }
done:
    return status;
}

akin_status akin_reader_create(const akin_catalog *catalog, const akin_sampler *sampler,
                               akin_worker *worker, const akin_reader_span *span,
                               akin_reader **out) {
    *out = NULL;
    akin_reader *reader = akin_mem_zalloc(1, sizeof *reader);
    if (!reader) return AKIN_FAILED;
    reader->catalog = catalog;
    reader->sampler = sampler;
    reader->worker = worker;
    reader->span = *span;
    reader->step = span->first_step;
    reader->micro = (size_t)span->rank;
    for (size_t h = 0; h < 2; h++)
        reader->halves[h].images = akin_mem_alloc(HALF_IMAGES, AKIN_IMAGE_BYTES);
    if (!reader->halves[0].images || !reader->halves[1].images) {
        akin_mem_free(reader->halves[0].images);
        akin_mem_free(reader->halves[1].images);
        akin_mem_free(reader);
        return AKIN_FAILED;
    }
    reader->job = (akin_worker_job){.run = fill, .context = reader};
    akin_worker_start(worker, &reader->job);
    *out = reader;
    return AKIN_OK;
}

void akin_reader_free(akin_reader *reader) {
    if (!reader) return;
    akin_worker_idle(reader->worker);
    for (size_t h = 0; h < 2; h++) akin_mem_free(reader->halves[h].images);
    akin_mem_free(reader);
}

akin_status akin_reader_next(akin_reader *reader, size_t *count, const uint8_t **images) {
    if (reader->taken == reader->halves[reader->front].used) {
        akin_status status = akin_worker_wait(reader->worker, &reader->job);
        if (status != AKIN_OK) return status;
        reader->front = 1 - reader->front;
        reader->taken = 0;
        akin_worker_start(reader->worker, &reader->job);
    }
    const half *front = &reader->halves[reader->front];
    AKIN_ASSERT(reader->taken < front->used);
    *count = front->counts[reader->taken];
    *images = front->images + reader->taken * MICRO * AKIN_IMAGE_BYTES;
    reader->taken++;
    return AKIN_OK;
}
