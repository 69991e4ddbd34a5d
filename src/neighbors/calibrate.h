/* calibrate: samples the scores of random pairs of a catalogue, for a calibration. The sample is
 * AKIN_CALIBRATE_PAIRS pairs of two different rows, drawn uniformly from all rows, regardless of
 * the rules; only pairs of two usable rows count. If the vectors were opened against others, a pair
 * is a source and a target. If a catalogue has no more pairs than that, all are used. The pairs
 * drawn depend on the number of rows alone. */
#ifndef AKIN_CALIBRATE_H
#define AKIN_CALIBRATE_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/table.h>
#include <akin/vectors.h>
#include <stddef.h>
#include <stdint.h>

enum { AKIN_CALIBRATE_PAIRS = 1 << 17 };

typedef struct {
    int32_t own, other;
} akin_calibrate_pair;

/* n rows of which the first are sources: all of them, or with two catalogues those of the first one. */
typedef struct {
    size_t n, sources;
    size_t first, end; /* of this rank */
} akin_calibrate_rows;

/* Writes the pairs of the sample whose first row is this rank's to out, unless it is NULL, and
 * returns their number. With two catalogues, each pair is a source and a target. Not collective. */
size_t akin_calibrate_pairs(const akin_calibrate_rows *rows, akin_calibrate_pair *out);

/* The calibration from the scores that each rank has. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_calibrate_with(akin_comm *comm, const float *scores, size_t count,
                                                akin_calibration **out);

/* The result is the same on all ranks. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_calibrate(akin_comm *comm, const akin_vectors *vectors,
                                           akin_calibration **out);

#endif
