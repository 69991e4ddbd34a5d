/* label_names: the distinct names that the indices of a file point to - categories, groups, the
 * values of an attribute. Not collective unless stated. */
#ifndef AKIN_LABEL_NAMES_H
#define AKIN_LABEL_NAMES_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/ncfile.h>
#include <stddef.h>
#include <stdint.h>

/* Ascending bytewise, each NUL-terminated in a slot of length + 1 bytes. */
typedef struct {
    char *slots; /* owned */
    size_t count, length;
} akin_label_names;

/* Copies; ascending and not empty. */
AKIN_MUST_CHECK akin_status akin_label_names_set(akin_label_names *names, size_t count,
                                                 const char *const *texts);
/* Of a char variable (dimension, length): one empty name stands for none. AKIN_INPUT: not UTF-8,
 * not ascending, too long. */
AKIN_MUST_CHECK akin_status akin_label_names_read(const akin_ncfile *file, const char *variable,
                                                  const char *dimension, const char *length,
                                                  akin_label_names *out);
/* Written by rank 0 into rows of `length` bytes. Collective. */
AKIN_MUST_CHECK akin_status akin_label_names_put(const akin_label_names *names, akin_ncfile *file,
                                                 akin_comm *comm, const char *variable,
                                                 size_t length);
AKIN_MUST_CHECK akin_status akin_label_names_copy(akin_label_names *to,
                                                  const akin_label_names *from);
void akin_label_names_release(akin_label_names *names);

/* What the dimensions are: at least 1. */
size_t akin_label_names_rows(const akin_label_names *names);
size_t akin_label_names_length(const akin_label_names *names);
const char *akin_label_names_at(const akin_label_names *names, int32_t index); /* "" for -1 */

/* Rows [count, length] of a char variable as NUL-terminated slots of length + 1 bytes. AKIN_INPUT:
 * not UTF-8. */
AKIN_MUST_CHECK akin_status akin_label_texts_read(const akin_ncfile *file, const char *variable,
                                                  size_t first, size_t count, size_t length,
                                                  char *slots);
typedef struct {
    const char *slots; /* [count, stride]: texts */
    size_t count, stride;
    size_t length; /* bytes of a row of the file; no text is longer */
} akin_label_texts;
/* As rows from `first` on. Collective. */
AKIN_MUST_CHECK akin_status akin_label_texts_put(akin_ncfile *file, akin_comm *comm,
                                                 const char *variable, size_t first,
                                                 akin_label_texts texts);

#endif
