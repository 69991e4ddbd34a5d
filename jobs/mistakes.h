/* mistakes: collects several to report at once; errors in the job file take precedence over missing
 * files. Not collective. */
#ifndef AKIN_MISTAKES_H
#define AKIN_MISTAKES_H

#include <akin/error.h>

typedef struct {
    akin_error_kept all;
    akin_status status;
} akin_mistakes; /* all zero: none */

static inline void akin_mistakes_note(akin_mistakes *found, akin_status status) {
    if (status == AKIN_OK) return;
    if (found->status == AKIN_OK || status == AKIN_USAGE) found->status = status;
    akin_error_gather(&found->all);
}

/* The status, with all of their texts as the message. */
static inline akin_status akin_mistakes_sum(const akin_mistakes *found) {
    if (found->status != AKIN_OK) akin_error_restore(&found->all);
    return found->status;
}

#endif
