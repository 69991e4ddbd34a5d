/* join_vectors: joins vectors of another network with those of one of akin's models. A row is the
 * model's vector of the picture followed by the other vector times `weight`, both of unit length,
 * and is then normalised. The cosine of two rows is therefore the weighted mean of both cosines,
 * with weight 1 for the model's and weight^2 for the other one (late fusion, as for the parts in
 * features.h). An item without the other vector has zeros in its place: it is compared by the
 * model's part alone, as if the other part were unrelated to that of any item. */
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
    size_t first, count; /* number of items of this rank */
    size_t dim;          /* columns of the other vectors */
    const float *other;  /* [count, dim], of unit length or zero */
} akin_join_vectors_source;

typedef struct {
    size_t dim;
    float *rows; /* [count, dim], owned by the caller */
    double
        images_per_second; /* images computed per second, over all ranks; NaN: none were computed */
    char model_digest[AKIN_HASH_TEXT_SIZE];
} akin_join_vectors_result;

/* AKIN_USAGE: more columns in total than `neighbors` accepts. AKIN_INTERRUPTED: received a
 * signal. Collective; agreed; same model, weight, dim. */
AKIN_MUST_CHECK akin_status akin_join_vectors(akin_comm *comm,
                                              const akin_join_vectors_source *source,
                                              akin_join_vectors_result *out);

#endif
