/* jobfile_keys: a key that its section does not have. */
#ifndef AKIN_JOBFILE_KEYS_H
#define AKIN_JOBFILE_KEYS_H

#include <akin/jobfile.h>

/* AKIN_USAGE: names the sections that have the key, of those declared [declared]; if there is none, the
 * nearest key of the section `at`. options: of the sections. Not collective. */
AKIN_MUST_CHECK akin_status akin_jobfile_refuse_key(const akin_jobfile_section *sections,
                                                    akin_options *const *options, size_t declared,
                                                    size_t at, const char *key);

#endif
