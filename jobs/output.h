/* output: whether a file that is already there was made from these inputs and options, by its
 * attributes alone. Not collective. False where unsure: no such file, damaged, another kind.
 */
#ifndef AKIN_OUTPUT_H
#define AKIN_OUTPUT_H

#include <stdbool.h>

/* The text attribute of a file of that kind, owned; NULL if it has none. False if there is no such
 * file. */
bool akin_output_read(const char *path, const char *kind, const char *attribute, char **value);

/* A readable file of that kind whose text attribute has this value; NULL: one without the
 * attribute. */
bool akin_output_has(const char *path, const char *kind, const char *attribute, const char *value);

/* ... whose attribute holds the content_digest of the file `input`. */
bool akin_output_made_from(const char *path, const char *kind, const char *attribute,
                           const char *input);

/* Both are readable files of that kind with the same value of the attribute. */
bool akin_output_alike(const char *a, const char *b, const char *kind, const char *attribute);

/* The same for files of two kinds. */
bool akin_output_same_attribute(const char *a, const char *kind_of_a, const char *b,
                                const char *kind_of_b, const char *attribute);

/* Both are readable files of that kind with the same length of the dimension. */
bool akin_output_same_length(const char *a, const char *b, const char *kind, const char *dimension);

/* True if a file exists but is damaged or not of that kind. Rank 0 then warns on behalf of
 * `verb`: what follows from it (`then`), and what is wrong with the file. */
bool akin_output_tell_damage(const char *path, const char *verb, const char *then);

#endif
