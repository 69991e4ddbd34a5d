/* study_pairs: selects the rows of a catalogue to study, and finds the given pairs among them. */
#ifndef AKIN_STUDY_PAIRS_H
#define AKIN_STUDY_PAIRS_H

#include "tune.h"
#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <stdbool.h>

typedef struct {
    size_t *rows; /* [count], ascending; owned */
    size_t count;
    akin_study_pair *pairs; /* [pair_count], as positions in rows; owned; NULL: no file */
    size_t pair_count;
    bool together; /* some rows were selected by their labels (study_rows.h) */
} akin_study_list;

/* Selects at most `most` rows. Up to two thirds of them are the items of pairs (evenly spaced pairs
 * of the file), or whole labels where these are small (study_rows.h); the others are spread over the
 * catalogue. pairs: a file (ids.h), or NULL; label: "category", "group", or NULL. The result is the
 * same on all ranks. Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_study_list_make(akin_comm *comm, const akin_catalog *catalog,
                                                 const char *pairs, const char *label, size_t most,
                                                 akin_study_list *out);
void akin_study_list_free(akin_study_list *list);

#endif
