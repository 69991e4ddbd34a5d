/* output: whether a file that is already there was made from these inputs and options, by its
 * attributes alone. Not collective. False where unsure: no such file, damaged, another kind.
 */
#ifndef AKIN_OUTPUT_H
#define AKIN_OUTPUT_H

#include <stdbool.h>

/* A readable file of that kind whose text attribute has this value; NULL: has no such attribute. */
bool akin_output_has(const char *path, const char *kind, const char *attribute, const char *value);

/* ... whose attribute holds the content_digest of the file `input`. */
bool akin_output_made_from(const char *path, const char *kind, const char *attribute,
                           const char *input);

/* Both are readable files of that kind, and have the attribute with the same value. */
bool akin_output_alike(const char *a, const char *b, const char *kind, const char *attribute);

/* Both are readable files of that kind, and have the dimension with the same length. */
bool akin_output_same_length(const char *a, const char *b, const char *kind, const char *dimension);

/* True where a file is there but damaged, or of no such kind at all: then a warning of `verb`, by
 * rank 0, says `then`, what comes of it, and what is wrong with the file. */
bool akin_output_tell_damage(const char *path, const char *verb, const char *then);

#endif
