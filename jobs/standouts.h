/* standouts: what evaluate reports about categories whose lists are not what a shop expects
 * (akin/outliers.h): as warnings and in the report. */
#ifndef AKIN_STANDOUTS_H
#define AKIN_STANDOUTS_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/json.h>

/* Sets lists_leaving_category, outlier_categories and outliers in the report, on rank 0. against: the
 * previous table, NULL = none. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_standouts_tell(akin_comm *comm, const char *path,
                                                const char *against, akin_json *report);

#endif
