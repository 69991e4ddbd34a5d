/* metrics: metrics.json in the output folder, the report of each stage under its verb.
 *
 * Rank 0 holds it; on the other ranks it is empty and nothing is written. The entries of evaluate,
 * publish and gallery also hold `input_digest`, over all that went into them, and `options`: so a
 * later run knows whether to do them again.
 */
#ifndef AKIN_METRICS_H
#define AKIN_METRICS_H

#include "stages.h"
#include <akin/hash.h>

typedef struct akin_metrics akin_metrics;

/* What is there already is read; if it cannot be, a warning and empty. Collective; agreed. */
/* `job`: what metrics.prom, which goes with it, calls the job. */
AKIN_MUST_CHECK akin_status akin_metrics_open(akin_comm *comm, const char *folder, const char *job,
                                              akin_metrics **out);
void akin_metrics_free(akin_metrics *metrics); /* Not collective; NULL is fine */

/* The entry of the verb; borrowed, NULL if none. Not collective; rank 0 knows. */
const akin_json *akin_metrics_entry(const akin_metrics *metrics, const char *verb);
/* A copy of the report becomes the entry, and the file is written. `ran`: this run did the stage,
 * or tried to. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_metrics_put(akin_comm *comm, akin_metrics *metrics,
                                             const char *verb, const akin_json *report, bool ran);
/* The entry of the verb in another folder's metrics.json becomes the entry here, where there is
 * none yet: of what was taken over from there. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_metrics_inherit(akin_comm *comm, akin_metrics *metrics,
                                                 const char *verb, const char *from);
/* A number in the entry of a verb that has one, added or changed. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_metrics_add(akin_comm *comm, akin_metrics *metrics,
                                             const char *verb, const char *key, double value);
/* A number of the entry in another folder's metrics.json; NaN where there is none. Not collective.
 */
double akin_metrics_number(const char *folder, const char *verb, const char *key);
/* Entries of what the job does not run go, the others are put into the order of the stages.
 * Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_metrics_keep_wanted(akin_comm *comm, akin_metrics *metrics,
                                                     akin_jobfile *job);

/* Over all that goes into a stage that is judged by metrics.json: the files that it reads, the
 * entries of other stages where it shows them, its options. "" on ranks other than 0. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_metrics_digest(const akin_metrics *metrics,
                                                const akin_stage *stage, const akin_call *call,
                                                char digest[AKIN_HASH_TEXT_SIZE]);
/* Whether its last run was of this digest and its outputs are still there. Collective: all ranks
 * get one answer. *left, rank 0's: so many places hold something else, and are left so
 * (akin_published_stands). */
bool akin_metrics_up_to_date(const akin_metrics *metrics, const akin_stage *stage,
                             const akin_call *call, const char *digest, size_t *left);

#endif
