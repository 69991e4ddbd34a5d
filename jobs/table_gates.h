/* table_gates: the gates of publishing that a section [table NAME] may have of its own. They hold for
 * that table in place of those of [publish]. Not collective. */
#ifndef AKIN_TABLE_GATES_H
#define AKIN_TABLE_GATES_H

#include "job.h"
#include <akin/json.h>

/* The keys: publish's options, without their defaults, which are those of [publish]. */
const akin_option *akin_table_gates_options(void);

/* Sets in `publish` what the section has. */
AKIN_MUST_CHECK akin_status akin_table_gates_settle(const akin_options *section,
                                                    akin_options *publish);

/* Of a settled job: a gate of a table that is published nowhere is refused, AKIN_USAGE with its line. */
AKIN_MUST_CHECK akin_status akin_table_gates_check(const akin_job *job);

/* After a gate has refused (status): makes the message of publish's report, a line for each gate with its
 * table and where the job file has its limit. Returns status. */
akin_status akin_table_gates_tell(const akin_job *job, const akin_json *report, akin_status status);

/* The section that has publish's key for this table: its own, or "publish". */
const char *akin_table_gates_section(const akin_job *job, const char *key);

#endif
