/* table_spare: writes the neighbours beyond those of a table to a file next to it, for the next
 * night (extra_neighbors.h). */
#ifndef AKIN_TABLE_SPARE_H
#define AKIN_TABLE_SPARE_H

#include "table_run.h"
#include <stdbool.h>

/* For a table that has been written. Only sources have lists; targets that are not sources have
 * none. apart: the table does not contain the exact lists, so all of them are stored. Collective;
 * agreed. */
AKIN_MUST_CHECK akin_status akin_table_spare_write(const akin_table_run *run, bool apart);

#endif
