/* decoder_limits: how much time and memory this process, which decodes pictures for another
 * (decoder_process.h), may use for one. Not collective. Cannot fail: without them it works on. */
#ifndef AKIN_DECODER_LIMITS_H
#define AKIN_DECODER_LIMITS_H

#include <akin/error.h>
#include <stdint.h>

#define AKIN_DECODER_SECONDS 120 /* of CPU time for a picture; then SIGXCPU */

/* For the picture that comes next, whose decoder refuses more than max_pixels. */
void akin_decoder_limits_set(uint64_t max_pixels);

/* The status of its decoding; AKIN_INPUT in place of AKIN_FAILED where the memory would have been
 * there without the limit: the picture is to blame. */
AKIN_MUST_CHECK akin_status akin_decoder_limits_judge(akin_status status);

#endif
