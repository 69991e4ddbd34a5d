/* network_rows: what a network has given, on disk until it is written into the catalogue: so memory
 * holds one batch, and a run that is killed goes on from there. Not collective where nothing else is
 * said.
 *
 * Every rank appends to a file of its own, <name>.<number>: a header, then records of a picture's
 * hash, its 32x32 image and its vector, each with a checksum, so that one cut short is no record.
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

/* Finds what earlier runs have left. AKIN_INPUT: files of another run, where the user named them.
 * Collective; agreed; the same params. */
AKIN_MUST_CHECK akin_status akin_network_rows_create(akin_comm *comm,
                                                     const akin_network_rows_params *params,
                                                     akin_network_rows **out);
void akin_network_rows_free(akin_network_rows *rows); /* the files stay; NULL is fine */

size_t akin_network_rows_kept(const akin_network_rows *rows); /* records of earlier runs */
/* The place of the record of a picture of that hash, of an earlier run; false: none has it. */
bool akin_network_rows_find(const akin_network_rows *rows, uint64_t hash, uint64_t *place);
/* A record of this run: image [32, 32, 3], vector [features]; *place is known to all ranks. */
AKIN_MUST_CHECK akin_status akin_network_rows_add(akin_network_rows *rows, uint64_t hash,
                                                  const uint8_t *image, const float *vector,
                                                  uint64_t *place);
/* Brings what was added to the disk; before that no rank may get it. */
AKIN_MUST_CHECK akin_status akin_network_rows_sync(akin_network_rows *rows);
/* Of a record of any rank; image or vector may be NULL. AKIN_FAILED: it cannot be read, or is not
 * what was written. */
AKIN_MUST_CHECK akin_status akin_network_rows_get(akin_network_rows *rows, uint64_t place,
                                                  uint8_t *image, float *vector);
/* Removes all files, by rank 0; after the last get of all ranks. Collective. */
void akin_network_rows_remove(akin_network_rows *rows, akin_comm *comm);

#endif
