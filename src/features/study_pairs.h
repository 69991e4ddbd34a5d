/* study_pairs: which rows of a catalogue are looked at, and what pairs say of them. */
#ifndef AKIN_STUDY_PAIRS_H
#define AKIN_STUDY_PAIRS_H

#include "tune.h"
#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>

typedef struct {
    size_t *rows; /* [count], ascending; owned */
    size_t count;
    akin_study_pair *pairs; /* [pair_count] of places in rows; owned; NULL: no file */
    size_t pair_count;
} akin_study_list;

/* At most `most` rows: of the items of pairs, up to two thirds of that (pairs evenly chosen from
 * the file's), and others evenly spread over the catalogue. pairs: a file (ids.h), or NULL.
 * The same on all ranks. Collective; agreed; same pairs. */
AKIN_MUST_CHECK akin_status akin_study_list_make(akin_comm *comm, const akin_catalog *catalog,
                                                 const char *pairs, size_t most,
                                                 akin_study_list *out);
void akin_study_list_free(akin_study_list *list);

#endif
