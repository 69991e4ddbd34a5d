/* import_vectors: vectors that another program made, a .npy file of any network, become
 * embeddings.nc: joined by id with a catalogue, whose labels they get, or by themselves.
 *
 * With a catalogue its items and their order are those of the result. An item for which there is no
 * vector keeps a place and a row of zeros: it has no neighbours and is nobody's neighbour, but is
 * in the table. A vector whose id the catalogue does not know is left out. Both are counted.
 * Without a catalogue the rows keep the file's order, without labels, and content_hash is 0.
 *
 * A rank reads its shard of the .npy, and rows go to the ranks whose shards of the catalogue hold
 * their items some at a time: memory for both shards, a few MiB, and all ids.
 */
#ifndef AKIN_IMPORT_VECTORS_H
#define AKIN_IMPORT_VECTORS_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/hash.h>
#include <stddef.h>

typedef struct {
    const char *from, *ids; /* a .npy, and its ids, a line each; ids NULL: the row numbers from 0 */
    const char *catalog;    /* NULL = none */
    const char *model; /* NULL, or a path: the vectors are joined with this model's of the catalogue
                          (join_vectors.h) */
    double weight;     /* with a model, > 0 */
    const char *output;
    const char *options, *result_options;
} akin_import_vectors_params;

typedef struct {
    size_t items, dim;
    size_t vectors;           /* rows of the .npy */
    size_t without_vector;    /* items of the catalogue that the .npy does not have */
    size_t without_item;      /* rows of the .npy that the catalogue does not have */
    size_t unusable;          /* items whose vector is zero or not finite */
    double images_per_second; /* as of akin_join_vectors; NaN where no picture is computed */
} akin_import_vectors_result;

/* AKIN_USAGE: `from` is no .npy file. AKIN_INPUT: a file is refused, or no id is in both.
 * AKIN_INTERRUPTED: a signal came, nothing is written. Collective; agreed; same params. */
AKIN_MUST_CHECK akin_status akin_import_vectors(akin_comm *comm,
                                                const akin_import_vectors_params *params,
                                                akin_import_vectors_result *result);

/* What embeddings.nc has as input_vectors_digest: of the rows and the ids (akin_vectors_digest).
 * Reads the whole file, each rank its shard. Collective; agreed; same params. */
AKIN_MUST_CHECK akin_status akin_import_vectors_digest(akin_comm *comm,
                                                       const akin_import_vectors_params *params,
                                                       char out[AKIN_HASH_TEXT_SIZE]);

#endif
