/* vectors: the unit rows among which neighbours are searched, from embeddings.nc or a .npy file,
 * each rank its shard. Not collective unless stated. The kind of file is recognised by its
 * content. A .npy has rows of 2 to 2048 columns and no labels: ids are the lines of a text file,
 * or the row numbers from 0; no category, no group, all available. Rows are normalised by
 * akin_vectors_unit. A row that is zero or not finite is unusable. */
#ifndef AKIN_VECTORS_H
#define AKIN_VECTORS_H

#include <akin/comm.h>
#include <akin/labels.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AKIN_VECTORS_DIM_MIN = 2, AKIN_VECTORS_DIM_MAX = 2048 };

typedef struct akin_vectors akin_vectors;

/* Normalises a row: divided, in double, by its length, and rounded to float32; -0 becomes +0.
 * False, and all zeros, if it is zero or not finite. Repeating it changes nothing: a row whose
 * length is within 2^-24 (rounding of its entries) of 1 is kept as it is. So a vector has the
 * same bits in `neighbors` and in `query`. `out` may be `row`. */
bool akin_vectors_unit(const float *row /* [dim] */, size_t dim, float *out /* [dim] */);

/* ids_path: NULL, or for a .npy a file with one id per line (AKIN_USAGE with embeddings.nc,
 * which has its own). AKIN_FAILED: a file cannot be read; AKIN_INPUT: refused. Collective;
 * agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_vectors_open(akin_comm *comm, const char *path,
                                              const char *ids_path, akin_vectors **out);

/* The rows of two files as those of one: first the sources, then their targets (`against`). The
 * digest is of both. AKIN_INPUT: of different widths or models. Collective; agreed; same
 * arguments. */
typedef struct {
    const char *path, *ids_path; /* as above */
} akin_vectors_source;
AKIN_MUST_CHECK akin_status akin_vectors_open_against(akin_comm *comm,
                                                      const akin_vectors_source *sources,
                                                      const akin_vectors_source *against,
                                                      akin_vectors **out);

/* From rows in memory, of any length and dim >= 1; this rank has its shard of the n, [count,
 * dim], copied, and their labels, taken over, also on failure. Collective; agreed; same n, dim. */
AKIN_MUST_CHECK akin_status akin_vectors_create(akin_comm *comm, size_t n, size_t dim,
                                                const float *rows, akin_labels *labels,
                                                akin_vectors **out);
typedef struct {
    size_t n,
        sources; /* rows of all ranks, of which so many at the beginning are sources (below) */
    size_t dim;
    size_t ends; /* last columns, which keep sources from targets and say nothing of a row */
} akin_vectors_shape;
/* The same for rows derived from other vectors: they inherit those vectors' digests and options,
 * and, if there are as many rows, their sources and targets. */
AKIN_MUST_CHECK akin_status akin_vectors_create_of(akin_comm *comm, const akin_vectors *made_of,
                                                   akin_vectors_shape shape, const float *rows,
                                                   akin_labels *labels, akin_vectors **out);
void akin_vectors_free(akin_vectors *vectors); /* NULL is fine */

size_t akin_vectors_items(const akin_vectors *vectors); /* of all ranks */
/* How many of them are sources: all, unless the vectors were opened against others. Items from here
 * on are only targets. */
size_t akin_vectors_sources(const akin_vectors *vectors);
size_t akin_vectors_own_sources(const akin_vectors *vectors); /* of this rank: its first rows */
size_t akin_vectors_unusable(const akin_vectors *vectors);    /* of all ranks */
size_t akin_vectors_dim(const akin_vectors *vectors);
/* The columns that compare any two rows, of sources or of targets: all but the ends of the shape. */
size_t akin_vectors_columns(const akin_vectors *vectors);
size_t akin_vectors_first(const akin_vectors *vectors); /* this rank's shard: shard.h */
size_t akin_vectors_count(const akin_vectors *vectors);
const float *akin_vectors_row(const akin_vectors *vectors,
                              size_t item); /* [dim], unit length; item of this rank's */
bool akin_vectors_usable(const akin_vectors *vectors, size_t item);
akin_labels *akin_vectors_labels(const akin_vectors *vectors); /* of this rank's, borrowed */

/* Of this rank's sources, and of its targets that are not sources, with the names of both;
 * borrowed. NULL but for vectors that were opened against others. */
akin_labels *akin_vectors_source_labels(const akin_vectors *vectors);
akin_labels *akin_vectors_target_labels(const akin_vectors *vectors);

/* Identifies the input: content_digest of embeddings.nc; for a .npy XXH3-128 over its shape, the
 * sum of its rows' XXH3-128 (seed = row + 1), and its ids. "" for rows in memory. */
const char *akin_vectors_digest(const akin_vectors *vectors);
const char *akin_vectors_model_digest(
    const akin_vectors *vectors); /* of the model that made them; "" unknown */
/* So too of either file, where vectors were opened against others. */
const char *akin_vectors_source_digest(const akin_vectors *vectors);
const char *akin_vectors_target_digest(const akin_vectors *vectors);
/* The options of the catalogue that was embedded, "fit=stretch ..."; "" unknown. */
const char *akin_vectors_catalog_options(const akin_vectors *vectors);

#endif
