/* embeddings: embeddings.nc, one unit vector per item. Not collective unless stated.
 *
 *   float  embedding(item, feature)   unit length
 *   uint64 content_hash(item)         as in the catalogue: lets the next night keep the vector of
 *                                     an unchanged picture; 0 = none
 *   and the variables of labels
 *   attributes: input_catalog_digest, input_model_digest, catalog_options; for imported vectors
 *   (embed.h) input_vectors_digest instead of a model's, and input_blended_digest of a
 *   model that they were joined with (join_vectors.h); where items were put into it between nights
 *   (embed.h) input_added_digest of their catalogue, and input_left_out_digest of what they took away */
#ifndef AKIN_EMBEDDINGS_H
#define AKIN_EMBEDDINGS_H

#include <akin/comm.h>
#include <akin/labels.h>
#include <akin/ncfile.h>

typedef struct akin_embeddings akin_embeddings;

AKIN_MUST_CHECK akin_status akin_embeddings_open(akin_comm *comm, const char *path,
                                                 akin_embeddings **out); /* Collective; agreed */
void akin_embeddings_close(akin_embeddings *embeddings);

size_t akin_embeddings_items(const akin_embeddings *embeddings);
size_t akin_embeddings_dim(const akin_embeddings *embeddings);
const char *akin_embeddings_digest(const akin_embeddings *embeddings);
const char *akin_embeddings_model_digest(
    const akin_embeddings *embeddings); /* of the model that made it; "" unknown */
const akin_ncfile *akin_embeddings_file(const akin_embeddings *embeddings);
AKIN_MUST_CHECK akin_status akin_embeddings_rows(const akin_embeddings *embeddings, size_t first,
                                                 size_t count, float *rows /* [count, dim] */);
AKIN_MUST_CHECK akin_status akin_embeddings_hashes(const akin_embeddings *embeddings, size_t first,
                                                   size_t count, uint64_t *hashes /* [count] */);

typedef struct {
    const char *options, *result_options;
    const char *catalog_digest, *model_digest; /* NULL = none */
    const char *catalog_options; /* akin_catalog_decoding of the catalogue: how its pictures were
                                  * shrunk; NULL = unknown */
    const char *vectors_digest;  /* of imported vectors; NULL = none */
    const char *blended_digest;  /* of the model that they were joined with; NULL = none */
    const char *added_digest;    /* of the catalogue of what was put into it; NULL = none */
    const char *left_out_digest; /* of the list of what was taken out of it; NULL = none */
} akin_embeddings_origin;

/* What a rank writes: of n items in all its own, [first, first + count of labels). Borrowed. */
typedef struct {
    size_t n, dim, first;
    const akin_labels *labels;
    const float *rows;      /* [count, dim] */
    const uint64_t *hashes; /* [count] */
} akin_embeddings_content;

/* Collective; same origin, n and dim. */
AKIN_MUST_CHECK akin_status akin_embeddings_write(akin_comm *comm, const char *path,
                                                  const akin_embeddings_origin *origin,
                                                  const akin_embeddings_content *content);
#endif
