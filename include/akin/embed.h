/* embed: one unit vector per item of a catalogue, computed by a model, into embeddings.nc.
 * Nothing is fitted here: a vector depends on its picture and the model alone. */
#ifndef AKIN_EMBED_H
#define AKIN_EMBED_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/hash.h>
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

/* Imports vectors of another program, a .npy file of any network, to embeddings.nc: matched by id
 * with a catalogue, which provides the labels, or alone. With a catalogue, the result has its items
 * in its order. An item without a vector keeps its place with a row of zeros: it has no neighbours
 * and cannot be one, but is in the table. A vector whose id is not in the catalogue is left out.
 * Both are counted. Without a catalogue the rows keep the file's order, without labels, and
 * content_hash is 0. Each rank reads its shard of the .npy; rows are sent in rounds to the ranks
 * whose shards of the catalogue contain their items: memory for both shards, a few MiB, and all
 * ids. */

typedef struct {
    const char *from, *ids; /* a .npy, and its ids, one per line; ids NULL: row numbers from 0 */
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

/* Adds items between nights: inserts the vectors of some new items into those of a catalogue,
 * replacing items with the same id. The result is bit-identical to what embed makes of a catalogue
 * with all of them; pictures of the catalogue are not read. */

typedef struct {
    const char *base, *added; /* two embeddings.nc of one model */
    const char *left_out;     /* CSV with ids in column 1: removed unless in `added`; NULL = none */
    const char *left_out_digest; /* recorded; NULL = none */
    const char *output;
    const char *options, *result_options;
} akin_extend_params;

typedef struct {
    size_t items, dim;
    size_t fresh, replaced, left_out; /* items that base lacked, had, and has no longer */
} akin_extend_result;

/* AKIN_INPUT: the two were made with different models, or from pictures that were shrunk in
 * different ways, or have different attributes. Each rank holds its shard of base, and all added
 * items. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_extend(akin_comm *comm, const akin_extend_params *params,
                                        akin_extend_result *result);

#endif
