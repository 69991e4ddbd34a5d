/* table_before: what the previous night says about a table. */
#ifndef AKIN_TABLE_BEFORE_H
#define AKIN_TABLE_BEFORE_H

#include "table_run.h"

/* Sets run->delta; NULL: nothing can be used. run->pool and run->list are known. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_table_before_find(akin_table_run *run);

#endif
