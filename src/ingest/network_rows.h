/* network_rows: keeps a network's output on disk until it is written to the catalogue: memory holds
 * only one batch, and a killed run can be resumed. Not collective unless stated.
 *
 * Every rank appends to its own file, <name>.<number>: a header, then records of a picture's hash,
 * its 32x32 image and its vector, each with a checksum, so that truncated records are ignored.
 * A run reads the files that earlier ones left, of however many ranks, and never writes to them.
 */
#ifndef AKIN_NETWORK_ROWS_H
#define AKIN_NETWORK_ROWS_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_network_rows akin_network_rows;

typedef struct {
    const char *name; /* of the files, without the number; borrowed */
    bool named;       /* by the user: files of another run are refused; else they are replaced */
    const char *key;  /* what images and vectors depend on, beside the pictures; borrowed */
    size_t features;  /* of a vector */
} akin_network_rows_params;

/* Finds the files of earlier runs. AKIN_INPUT: files of a different run, if the user named them.
 * Collective; agreed; the same params. */
AKIN_MUST_CHECK akin_status akin_network_rows_create(akin_comm *comm,
                                                     const akin_network_rows_params *params,
                                                     akin_network_rows **out);
void akin_network_rows_free(akin_network_rows *rows); /* the files stay; NULL is fine */

size_t akin_network_rows_kept(const akin_network_rows *rows); /* records of earlier runs */
/* The place of an earlier run's record for a picture with that hash; false: there is none. */
bool akin_network_rows_find(const akin_network_rows *rows, uint64_t hash, uint64_t *place);
/* A record of this run: image [32, 32, 3], vector [features]; *place is known to all ranks. */
AKIN_MUST_CHECK akin_status akin_network_rows_add(akin_network_rows *rows, uint64_t hash,
                                                  const uint8_t *image, const float *vector,
                                                  uint64_t *place);
/* Writes the added records to disk; no rank may get them before that. */
AKIN_MUST_CHECK akin_status akin_network_rows_sync(akin_network_rows *rows);
/* Of a record of any rank; image or vector may be NULL. AKIN_FAILED: it cannot be read, or is not
 * what was written. */
AKIN_MUST_CHECK akin_status akin_network_rows_get(akin_network_rows *rows, uint64_t place,
                                                  uint8_t *image, float *vector);
/* Removes all files, by rank 0; after the last get of all ranks. Collective. */
void akin_network_rows_remove(akin_network_rows *rows, akin_comm *comm);

#endif
