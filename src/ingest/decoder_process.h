/* decoder_process: decodes pictures in a process of its own, so that one that makes a library crash
 * or never return costs that item and not the night. The process is the same program, started at the
 * first such picture and used for all later ones; it ends with this one. Not collective; for one
 * thread. */
#ifndef AKIN_DECODER_PROCESS_H
#define AKIN_DECODER_PROCESS_H

#include "image_formats.h"
#include <akin/error.h>
#include <akin/image.h>

/* As akin_image_decode_here. AKIN_INPUT also: the decoder crashed, took too long, or wanted more
 * memory than so many pixels need. AKIN_FAILED also: the process cannot be started, or was killed. */
AKIN_MUST_CHECK akin_status akin_decoder_process_decode(const uint8_t *bytes, size_t count,
                                                        const akin_image_params *params,
                                                        const akin_image_view *view,
                                                        akin_image_result *result);

#endif
