/* members: the items of a table's products, as they are written (table.h). */
#ifndef AKIN_MEMBERS_H
#define AKIN_MEMBERS_H

#include <akin/comm.h>
#include <akin/ncfile.h>
#include <akin/table.h>
#include <stdbool.h>

/* Nothing without labels. targets: of the targets of a table between two catalogues. */
void akin_members_define(akin_ncfile *file, bool targets, const akin_table_members *members);
/* Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_members_put(akin_comm *comm, akin_ncfile *file, bool targets,
                                             const akin_table_members *members);

#endif
