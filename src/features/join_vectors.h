/* join_vectors: joins vectors of another network with those of one of our models, with a weight.
 * A row is the model's vector of the picture followed by the other one times `weight`, both of
 * unit length, normalised: so the cosine is the mean of both cosines, the other one's with
 * weight^2 (late fusion, like the parts in features.h). An item without the other vector has
 * zeros there: it is compared by the model's part alone, as if it were as dissimilar from all
 * others in the other part as can be expected. */
#ifndef AKIN_JOIN_VECTORS_H
#define AKIN_JOIN_VECTORS_H

#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/hash.h>
#include <stddef.h>

typedef struct {
    const akin_catalog *catalog;
    const char *model;   /* a path */
    double weight;       /* > 0 */
    size_t first, count; /* this rank's items */
    size_t dim;          /* of the other vectors */
    const float *other;  /* [count, dim], of unit length or zero */
} akin_join_vectors_source;

typedef struct {
    size_t dim;
    float *rows;              /* [count, dim], owned by the caller */
    double images_per_second; /* computed images over the time of computing them, all ranks
                               * together; NaN: none */
    char model_digest[AKIN_HASH_TEXT_SIZE];
} akin_join_vectors_result;

/* AKIN_USAGE: more columns in total than `neighbors` accepts. AKIN_INTERRUPTED: received a
 * signal. Collective; agreed; same model, weight, dim. */
AKIN_MUST_CHECK akin_status akin_join_vectors(akin_comm *comm,
                                              const akin_join_vectors_source *source,
                                              akin_join_vectors_result *out);

#endif
