/* mistakes: collects several to report at once; errors in the job file take precedence over missing
 * files. Not collective. */
#ifndef AKIN_MISTAKES_H
#define AKIN_MISTAKES_H

#include <akin/error.h>

typedef struct {
    akin_error_kept all;
    akin_status status;
} akin_mistakes; /* all zero: none */

void akin_mistakes_note(akin_mistakes *found, akin_status status);

/* The status, with all of their texts as the message: each once, on a line of its own, in the order
 * of the job file's lines; those that are about none come last, and then how many had no room. */
AKIN_MUST_CHECK akin_status akin_mistakes_sum(const akin_mistakes *found);

#endif
