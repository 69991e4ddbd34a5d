/* extend: items between nights: the vectors of some new items are put into those of a catalogue, in
 * place of items with the same id. What results is, to the bit, what embed makes of a catalogue with
 * all of them; pictures of the catalogue are not read. */
#ifndef AKIN_EXTEND_H
#define AKIN_EXTEND_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stddef.h>

typedef struct {
    const char *base, *added; /* two embeddings.nc of one model */
    const char *left_out; /* CSV with a header, of which the first column are ids: an item of base
                               * with such an id is taken out, unless `added` has it; NULL = none */
    const char *left_out_digest; /* recorded; NULL = none */
    const char *output;
    const char *options, *result_options;
} akin_extend_params;

typedef struct {
    size_t items, dim;
    size_t fresh, replaced, left_out; /* items that base lacked, had, and has no longer */
} akin_extend_result;

/* AKIN_INPUT: the two were made with different models, or from pictures that were shrunk in different
 * ways, or have different attributes. Each rank keeps its shard of base, and all that is added.
 * Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_extend(akin_comm *comm, const akin_extend_params *params,
                                        akin_extend_result *result);

#endif
