/* churn: how much of one table's neighbours another table does not have.
 *
 * The mean, over the ids that are in both tables, of 1 - |A and B| / max(|A|, |B|), where A and B
 * are the sets of the neighbours' ids; 0 where both are empty. Ids are matched by their XXH3-128,
 * each by the rank that its hash names.
 */
#ifndef AKIN_CHURN_H
#define AKIN_CHURN_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/table.h>
#include <stddef.h>

/* common: ids in both tables; churn: NaN where there are none. The same bits at any number of
 * ranks. Memory on each rank: some 20 bytes an item. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_churn(akin_comm *comm, const akin_table *table,
                                       const akin_table *other, size_t *common, double *churn);

#endif
