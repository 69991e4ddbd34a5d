/* call: one run of one verb with its report: what main does for a command line and `run` for
 * each stage of a job file. */
#ifndef AKIN_CALL_H
#define AKIN_CALL_H

#include "verbs.h"

/* A report with the common keys, in order, for a verb that has done nothing yet. Not collective. */
AKIN_MUST_CHECK akin_status akin_report_create(const char *verb, int ranks, akin_json **out);
/* Sets status, exit, message (the current error) and seconds. Not collective. */
AKIN_MUST_CHECK akin_status akin_report_finish(akin_json *report, akin_status status,
                                               double seconds);

/* The number of arguments is right for the verb: else AKIN_USAGE. Not collective. */
AKIN_MUST_CHECK akin_status akin_call_check_arguments(const akin_verb *verb,
                                                      const akin_options *options);

/* A call with an empty report and the resolved option texts; the options are borrowed. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_call_create(akin_comm *comm, const akin_verb *verb,
                                             akin_options *options, bool print, akin_call *out);
/* Runs the verb, agrees on the outcome and finishes the report. Collective. */
AKIN_MUST_CHECK akin_status akin_call_run(const akin_verb *verb, akin_call *call);
/* The same for several calls of a verb at once; more than one only if the verb can (verbs.h:
 * run_together). They fail together. Collective. */
AKIN_MUST_CHECK akin_status akin_call_run_together(const akin_verb *verb, akin_call *const *calls,
                                                   size_t count);
void akin_call_free(akin_call *call);

/* For a verb's `up_to_date`: its last run succeeded with these inputs and options. Only rank 0 knows; true on others. */
bool akin_call_is_repeated(akin_call *call);

/* NULL if there is no verb of that name. */
const akin_verb *akin_verb_find(const char *name);

#endif
