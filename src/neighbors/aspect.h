/* aspect: vectors made of selected parts of the model, such as shape (neighbors --aspect).
 *
 * A learned map mixes the parts of a vector, and they cannot be separated afterwards. The selected
 * parts are therefore computed again from the pictures of the catalogue, with the model that made
 * the embeddings; they are used as they are before the map, each with its weight in the model. */
#ifndef AKIN_ASPECT_H
#define AKIN_ASPECT_H

#include <akin/comm.h>
#include <akin/vectors.h>

typedef struct {
    const char *embeddings;
    const char *catalog; /* NULL: catalog.nc beside it */
} akin_aspect_input;

typedef struct {
    const char *parts; /* "foreground,shape" */
    akin_aspect_input input,
        against; /* the targets' vectors, if opened against others; else NULL */
    const char *model,
        *beside; /* model NULL: model.nc in the folder of these; NULL: input's folder */
} akin_aspect;

/* Replaces the vectors by those of the selected parts; labels and digests stay the same.
 * AKIN_USAGE: the model has no such part; AKIN_INPUT: the embeddings were made from another file.
 * Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_aspect_take(akin_comm *comm, const akin_aspect *aspect,
                                             akin_vectors **vectors);

#endif
