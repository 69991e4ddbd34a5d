/* recorded: the options that a file was made with, taken from the file. Not collective. */
#ifndef AKIN_RECORDED_H
#define AKIN_RECORDED_H

#include <akin/error.h>
#include <akin/ncfile.h>
#include <akin/options.h>

typedef akin_status akin_recorded_other(void *context, const char *path, const char *name,
                                        const char *value);

/* Sets the options that the file records, but those that are given already; files of rules are named so that they are
 * found from here, where the file stands at the path that its run wrote it to; `other` (NULL: nothing) is
 * told those that are not declared. AKIN_INPUT: they cannot be read. */
AKIN_MUST_CHECK akin_status akin_recorded_take(const akin_ncfile *file, akin_options *options,
                                               akin_recorded_other *other, void *context);

#endif
