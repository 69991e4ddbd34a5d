/* first_duplicates: the pass over the pairs that finds the duplicates of a table first, where the lists
 * of the main one do not tell them: among the items of another catalogue, among products, or under
 * rules for single items. */
#ifndef AKIN_FIRST_DUPLICATES_H
#define AKIN_FIRST_DUPLICATES_H

#include "first_pass.h"
#include "table_run.h"

/* Sets the table's duplicates. Adds to the figures. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_first_duplicates_find(akin_comm *comm, akin_table_run *run,
                                                       const akin_first_pass_checkpoint *checkpoint,
                                                       akin_allpairs_figures *figures);

#endif
