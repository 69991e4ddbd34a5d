/* jobfile: an INI file with one section per stage, each key an option declared for it; the one
 * module with <ini.h>. Not collective: every rank reads the file.
 *
 *   ; a comment, also after a value; # begins one at the start of a line
 *   [ingest]
 *   source = a.csv "b c.tar"   lists: separated by blanks, quoted if an entry contains one,
 *       d.tar                  continued by lines that begin with a blank, or by the same key again
 *   fit = crop                 other keys appear once in a section
 *
 * Anything not declared is refused with file and line (AKIN_USAGE): an unknown section or key,
 * with the nearest valid one, an invalid value, a key given twice, a section without a key, a
 * line of 200 bytes or more. */
#ifndef AKIN_JOBFILE_H
#define AKIN_JOBFILE_H

#include <akin/error.h>
#include <akin/options.h>
#include <stdbool.h>
#include <stddef.h>

/* A key that is declared but not allowed in a job file, and why: "is set by the run". */
typedef struct {
    const char *key, *why;
} akin_jobfile_refusal;

typedef struct {
    const char *name;                     /* "ingest"; the list of sections ends with NULL */
    const akin_option *const *tables;     /* its keys, as in akin_options_create */
    const char *argument_key;             /* the key that holds arguments ("source"), or NULL */
    const akin_jobfile_refusal *refusals; /* ends with a NULL key; NULL = none */
    bool named; /* any number of them, each with its own name: [table NAME] */
} akin_jobfile_section;

typedef struct akin_jobfile akin_jobfile;

/* AKIN_FAILED: the file cannot be read. `sections` is borrowed for the lifetime of the job file. */
AKIN_MUST_CHECK akin_status akin_jobfile_read(const char *path,
                                              const akin_jobfile_section *sections,
                                              akin_jobfile **out);
/* The same, but a job whose only mistakes are unknown keys and invalid values is read without them, for
 * further checks: AKIN_OK, and their messages in *wrong_keys, which is empty without any. */
AKIN_MUST_CHECK akin_status akin_jobfile_read_on(const char *path,
                                                 const akin_jobfile_section *sections,
                                                 akin_error_kept *wrong_keys, akin_jobfile **out);
/* A fresh copy of the job, parsed again from the bytes that were read: with the file's own options,
 * regardless of what has been set since. */
AKIN_MUST_CHECK akin_status akin_jobfile_again(const akin_jobfile *job, akin_jobfile **out);
void akin_jobfile_free(akin_jobfile *job); /* NULL is fine */

/* The sections of a `named` kind in file order, by their full names ("table NAME"), as the
 * functions below take them: borrowed, NULL past the last. NAME consists of letters, digits, "-"
 * and "_", and is not "main". */
const char *akin_jobfile_named(const akin_jobfile *job, const char *kind, size_t index);

/* For a declared section; anything else is an assert. */
bool akin_jobfile_has(const akin_jobfile *job, const char *section);
bool akin_jobfile_names(const akin_jobfile *job, const char *section, const char *key);
bool akin_jobfile_has_wrong_keys(const akin_jobfile *job, const char *section);
akin_options *akin_jobfile_options(const akin_jobfile *job,
                                   const char *section); /* borrowed; all defaults if the section
                                                          * is absent */

/* The position of the key ("demo.ini:7"), or else of the section, or else the file: for
 * messages. Owned; NULL: out of memory. */
char *akin_jobfile_place(const akin_jobfile *job, const char *section, const char *key);
/* The same of one of the values of a key that takes several, from 0. */
char *akin_jobfile_place_of(const akin_jobfile *job, const char *section, const char *key,
                            size_t at);

#endif
