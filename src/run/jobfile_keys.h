/* jobfile_keys: a key that its section does not have. */
#ifndef AKIN_JOBFILE_KEYS_H
#define AKIN_JOBFILE_KEYS_H

#include <akin/jobfile.h>

/* AKIN_USAGE: names the sections that have the key, of those declared [declared]; if there is none, the
 * nearest key of the section `at`. options: of the sections. Not collective. */
AKIN_MUST_CHECK akin_status akin_jobfile_refuse_key(const akin_jobfile_section *sections,
                                                    akin_options *const *options, size_t declared,
                                                    size_t at, const char *key);

/* The error of a section that is not declared, with the nearest one that is; not collective. */
akin_status akin_jobfile_unknown_section(const akin_jobfile_section *sections, size_t declared,
                                         const char *name);

/* Whether it may be the NAME of a section [kind NAME]. Not collective. */
enum { AKIN_JOBFILE_NAME_LIMIT = 64 };
bool akin_jobfile_is_name(const char *name);

#endif
