/* import_vectors: turns vectors of another program, a .npy file of any network, into
 * embeddings.nc: joined by id with a catalogue, which provides the labels, or by themselves.
 * With a catalogue, the result has its items in its order. An item without a vector keeps its
 * place with a row of zeros: it has no neighbours and is nobody's neighbour, but is in the
 * table. A vector whose id is not in the catalogue is left out. Both are counted. Without a
 * catalogue the rows keep the file's order, without labels, and content_hash is 0. Each rank
 * reads its shard of the .npy; rows are sent in rounds to the ranks whose shards of the
 * catalogue hold their items: memory for both shards, a few MiB, and all ids. */
#ifndef AKIN_IMPORT_VECTORS_H
#define AKIN_IMPORT_VECTORS_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/hash.h>
#include <stddef.h>

typedef struct {
    const char *from, *ids; /* a .npy, and its ids, one per line; ids NULL: the row numbers from
                             * 0 */
    const char *catalog;    /* NULL = none */
    const char *model;      /* NULL, or a path: the vectors are joined with this model's vectors of
                        * the catalogue (join_vectors.h) */
    double weight;          /* with a model, > 0 */
    const char *output;
    const char *options, *result_options;
} akin_import_vectors_params;

typedef struct {
    size_t items, dim;
    size_t vectors;           /* rows of the .npy */
    size_t without_vector;    /* items of the catalogue that the .npy lacks */
    size_t without_item;      /* rows of the .npy that the catalogue lacks */
    size_t unusable;          /* items whose vector is zero or not finite */
    double images_per_second; /* as in akin_join_vectors; NaN if no picture is computed */
} akin_import_vectors_result;

/* AKIN_USAGE: `from` is not a .npy file. AKIN_INPUT: a file is refused, or no id is in both.
 * AKIN_INTERRUPTED: received a signal, nothing is written. Collective; agreed; same params. */
AKIN_MUST_CHECK akin_status akin_import_vectors(akin_comm *comm,
                                                const akin_import_vectors_params *params,
                                                akin_import_vectors_result *result);

/* The attribute input_vectors_digest of embeddings.nc: of the rows and the ids
 * (akin_vectors_digest). Reads the whole file, each rank its shard. Collective; agreed; same
 * params. */
AKIN_MUST_CHECK akin_status akin_import_vectors_digest(akin_comm *comm,
                                                       const akin_import_vectors_params *params,
                                                       char out[AKIN_HASH_TEXT_SIZE]);

#endif
