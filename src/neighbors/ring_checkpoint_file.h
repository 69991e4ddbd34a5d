/* ring_checkpoint_file: the schema of the file of ring_checkpoint.h. Not collective.
 *
 *   int    row(place)          of the catalogue; places are those of the blocks, concatenated
 *   of the first table; of others own_1(place, k_1), held_1, bar_1 ...:
 *   uint64 own(place, k)       keys of topk.h, best first, 0 = none: the list that stays with the
 *                              row
 *   uint64 held(place, k)      the list that travels with it
 *   uint64 bar(place)          the key that a list that is not full required (topk.h), 0 = any
 *   int64  count(rank)         rows of each rank's block
 *   int    progress(layer, progress = 4)
 *                              ring.h: size, subs, step, slice; the first is for these blocks, any
 *                              others for the blocks of earlier runs
 *   double share(layer)        of the pairs that can meet, how many are done
 *   double before(layer)       the share that was done when it began (ring.h)
 *   int    label(place, layer) the part of the block that the row was in: block * subs + part
 *   attributes: akin_result_options, input_embeddings_digest, input_previous_digest: all that
 *   affects the result; akin_order: what progress means */
#ifndef AKIN_RING_CHECKPOINT_FILE_H
#define AKIN_RING_CHECKPOINT_FILE_H

#include "ring_checkpoint.h"
#include <akin/ncfile.h>

enum { AKIN_RING_CHECKPOINT_PROGRESS = 4 }; /* numbers of a progress */

typedef struct {
    size_t places, ranks, layers; /* lengths of the dimensions */
} akin_ring_checkpoint_shape;

/* The names of a table's variables in the file. */
enum { AKIN_RING_CHECKPOINT_NAME = 24 };
typedef struct {
    char k[AKIN_RING_CHECKPOINT_NAME], lists[AKIN_RING_CHECKPOINT_NAME]; /* dimensions */
    char own[AKIN_RING_CHECKPOINT_NAME], held[AKIN_RING_CHECKPOINT_NAME],
        bar[AKIN_RING_CHECKPOINT_NAME];
} akin_ring_checkpoint_names;
void akin_ring_checkpoint_name(akin_ring_checkpoint_names *names, int table);

void akin_ring_checkpoint_define(akin_ncfile *file, const akin_ring_checkpoint_origin *origin,
                                 const akin_ring_checkpoint_shape *shape,
                                 const akin_ring_checkpoint_table *table, int tables);

/* Checks origin, schema and shape. AKIN_INPUT: the file is from another run (with the differences),
 * or is not a checkpoint of n rows and these tables. */
AKIN_MUST_CHECK akin_status akin_ring_checkpoint_check(
    const akin_ncfile *file, const akin_ring_checkpoint_origin *origin, size_t n,
    const akin_ring_checkpoint_table *table, int tables, akin_ring_checkpoint_shape *shape);

/* Whether a run can have this progress; the engine divides blocks into an even number of parts. */
bool akin_ring_checkpoint_is_progress(akin_ring_progress p);

/* AKIN_INPUT: the numbers cannot be those of a run. */
AKIN_MUST_CHECK akin_status akin_ring_checkpoint_refuse(const akin_ncfile *file);

#endif
