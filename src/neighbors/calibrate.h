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

enum { AKIN_CALIBRATE_PAIRS = 1 << 17 };

/* The result is the same on all ranks. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_calibrate(akin_comm *comm, const akin_vectors *vectors,
                                           akin_calibration **out);

#endif
