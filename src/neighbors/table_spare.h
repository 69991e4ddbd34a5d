/* table_spare: the neighbours beyond those of a table, in a file beside it, for the night after
 * (extra_neighbors.h). */
#ifndef AKIN_TABLE_SPARE_H
#define AKIN_TABLE_SPARE_H

#include "table_run.h"
#include <stdbool.h>

/* Of a table that is written; of its sources alone, for targets that are none have no lists. apart: the table
 * does not have the exact lists, so all of them are kept. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_table_spare_write(const akin_table_run *run, bool apart);

#endif
