/* query_table: a table's list of an item or product, and the place of another in it. */
#ifndef AKIN_QUERY_TABLE_H
#define AKIN_QUERY_TABLE_H

#include <akin/query.h>

/* Of params->why in the list of params->id in params->table; every rank gets the same, to be released
 * with the explanation. Collective; agreed; same params. */
AKIN_MUST_CHECK akin_status akin_query_table_place(akin_comm *comm, const akin_query_params *params,
                                                   akin_query_place *out);

/* The list of params->id in params->table. *out on rank 0, owned. Collective; agreed; same params. */
AKIN_MUST_CHECK akin_status akin_query_table_list(akin_comm *comm, const akin_query_params *params,
                                                  akin_answer **out);

#endif
