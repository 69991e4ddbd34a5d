/* sinks: the kinds of places where something can be published, and which of them a URL names. Not
 * collective. */
#ifndef AKIN_SINKS_H
#define AKIN_SINKS_H

#include <akin/error.h>
#include <akin/sink.h>
#include <stddef.h>

/* The sink that the scheme of the URL names; NULL: none. */
const akin_sink *akin_sink_of(const char *url);

/* As akin_publish_check (publish.h). */
AKIN_MUST_CHECK akin_status akin_sinks_check(const char *const *urls, size_t url_count,
                                             const char *const *inputs, size_t input_count);

#endif
