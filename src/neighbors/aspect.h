/* aspect: vectors of some parts of the model alone, such as colour (neighbors --aspect).
 *
 * A learnt map mixes the parts of a vector, and what it mixed cannot be taken out again. So the parts
 * are computed anew, from the pictures of the catalogue and by the model that made the embeddings, as
 * they are before the map, each with the weight that it has there. */
#ifndef AKIN_ASPECT_H
#define AKIN_ASPECT_H

#include <akin/comm.h>
#include <akin/vectors.h>

typedef struct {
    const char *embeddings;
    const char *catalog; /* NULL: catalog.nc beside it */
} akin_aspect_input;

typedef struct {
    const char *parts; /* "colour,shape" */
    akin_aspect_input input,
        against;                /* of vectors that were opened against others: theirs; else NULL */
    const char *model, *beside; /* model NULL: model.nc beside these embeddings, NULL: the input */
} akin_aspect;

/* In place of the vectors, whose labels and digests the new ones have. AKIN_USAGE: the model has no such
 * part; AKIN_INPUT: a file that the embeddings were not made from. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_aspect_take(akin_comm *comm, const akin_aspect *aspect,
                                             akin_vectors **vectors);

#endif
