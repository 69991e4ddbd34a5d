/* holds: while a verb runs, no other akin writes the same outputs. */
#ifndef AKIN_HOLDS_H
#define AKIN_HOLDS_H

#include "verbs.h"
#include <akin/file.h>

enum { AKIN_HOLDS_MAX = 20 };
typedef struct {
    akin_lock *locks[AKIN_HOLDS_MAX];
    int count;
} akin_holds;

/* What the options name as outputs: --output, --rejects, --checkpoint, and files that are published
 * to. AKIN_FAILED if another process writes one of them. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_holds_take(akin_comm *comm, const akin_verb *verb,
                                            const akin_options *options, akin_holds *out);
/* Says that it waits for another process to end. */
akin_lock_wait akin_holds_tell;
void akin_holds_release(akin_holds *holds); /* Not collective */

#endif
