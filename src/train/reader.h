/* reader: reads the pictures of a training run from catalog.nc ahead of their use, in a thread
 * alongside the computation. Not collective. The micro-batches of a rank are known beforehand:
 * number m of a step belongs to rank m % size. Two halves of AKIN_READER_HALF micro-batches each
 * alternate, one being read while the other is used; this is all the memory for pictures,
 * however large the catalogue. Within a half, rows are read in ascending order. NetCDF supports
 * only one thread at a time: other users first wait until the worker is idle. */
#ifndef AKIN_READER_H
#define AKIN_READER_H

#include "sampler.h"
#include "worker.h"
#include <akin/catalog.h>
#include <akin/error.h>
#include <akin/network.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_READER_HALF ((size_t)32) /* micro-batches: 1.5 MiB */

typedef struct {
    int rank, size;
    size_t first_step, steps; /* of the run: the next one, and the last */
} akin_reader_span;

typedef struct akin_reader akin_reader;

/* Starts reading. catalog, sampler and worker are borrowed and must outlive it. */
AKIN_MUST_CHECK akin_status akin_reader_create(const akin_catalog *catalog,
                                               const akin_sampler *sampler, akin_worker *worker,
                                               const akin_reader_span *span, akin_reader **out);
void akin_reader_free(akin_reader *reader); /* NULL is fine */

/* The next micro-batch of this rank, [count, 32, 32, 3], borrowed until the next call; call it
 * once for each. */
AKIN_MUST_CHECK akin_status akin_reader_next(akin_reader *reader, size_t *count,
                                             const uint8_t **images);

/* The number of micro-batches in a step of this many images, and the number of images in number
 * `micro` of them. */
size_t akin_reader_micros(size_t images);
size_t akin_reader_micro_images(size_t images, size_t micro);

#endif
