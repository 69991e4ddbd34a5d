/* embed: one unit vector per item of a catalogue, computed by a model, into embeddings.nc.
 * Nothing is fitted here: a vector depends on its picture and the model alone. */
#ifndef AKIN_EMBED_H
#define AKIN_EMBED_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stddef.h>

typedef struct {
    const char *catalog, *model, *output;
    const char *previous; /* embeddings.nc of the same model: pictures in it keep their vectors;
                           * NULL = none */
    const char *options, *result_options;
} akin_embed_params;

typedef struct {
    size_t items, dim;
    size_t computed;          /* the others were reused from the previous file */
    double images_per_second; /* computed images over the time of computing them; NaN if there were
                            * none */
} akin_embed_result;

/* AKIN_INPUT: the previous file was made with another model. AKIN_INTERRUPTED: received a
 * signal, nothing is written. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_embed(akin_comm *comm, const akin_embed_params *params,
                                       akin_embed_result *result);

#endif
