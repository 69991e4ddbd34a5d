/* pairs_found: counts the pairs of items that belong together (ids.h) that a table contains. */
#ifndef AKIN_PAIRS_FOUND_H
#define AKIN_PAIRS_FOUND_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/table.h>
#include <stddef.h>

/* *count: pairs of items of the table; *found: those of which one item is among the neighbours of
 * the other; *unknown: rows of the file that name an item the table lacks, or the same one twice.
 * Collective; agreed; same path. */
AKIN_MUST_CHECK akin_status akin_pairs_found(akin_comm *comm, const akin_table *table,
                                             const char *path, size_t *count, size_t *found,
                                             size_t *unknown);

#endif
