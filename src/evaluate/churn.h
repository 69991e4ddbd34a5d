/* churn: how many of one table's neighbours another table lacks. The mean, over the ids that are
 * in both tables, of 1 - |A and B| / max(|A|, |B|), where A and B are the sets of the
 * neighbours' ids; 0 if both are empty. Ids are matched by their XXH3-128, each on the rank that
 * its hash selects. */
#ifndef AKIN_CHURN_H
#define AKIN_CHURN_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/table.h>
#include <stddef.h>

/* common: ids in both tables; churn: NaN if there are none. The same bits at any number of
 * ranks. Memory on each rank: some 20 bytes per item. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_churn(akin_comm *comm, const akin_table *table,
                                       const akin_table *other, size_t *common, double *churn);

#endif
