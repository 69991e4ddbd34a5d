/* labels: what catalog.nc, embeddings.nc and table.nc all store for an item: id, category,
 * group, available, and any number of attributes. Not collective unless stated.
 *
 *   char id(item, id_length)
 *   int  category(item), group(item)                    -1 = none
 *   char category_name(category_count, name_length),
 *        group_name(group_count, name_length)           ascending bytewise
 *   byte available(item)
 *
 * If no item has a category (group), the only name is empty. For each attribute, in their order,
 *
 *   float attribute_NAME(item)                          of a number: NaN = none
 *   int   attribute_NAME(item)                          of a label or labels: -1 = none
 *   char  attribute_NAME_name(attribute_NAME_count, attribute_NAME_length)
 *
 * with akin_attribute_kind = "number", "label" or "labels" as an attribute of the variable; a name
 * of labels is the whole list, "summer|winter", ascending and unique, and dimension
 * attribute_NAME_parts is the length of the longest. */
#ifndef AKIN_LABELS_H
#define AKIN_LABELS_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/ncfile.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_ATTRIBUTE_NAME_MAX 60 /* bytes */

typedef enum {
    AKIN_ATTRIBUTE_NUMBER,
    AKIN_ATTRIBUTE_LABEL,
    AKIN_ATTRIBUTE_LABELS, /* several in a cell, separated by | */
} akin_attribute_kind;

const char *akin_attribute_kind_name(akin_attribute_kind kind); /* "number" */
bool akin_attribute_kind_find(const char *name, size_t length, akin_attribute_kind *kind);
/* Letters, digits and underscores; not category, group, available or id. */
bool akin_attribute_name_is_valid(const char *name);

typedef struct akin_labels akin_labels; /* of `count` items, and all the names */

/* For count items whose longest id has id_length bytes; initially ids are empty, category =
 * group = -1, available = 1. Names are set later. */
AKIN_MUST_CHECK akin_status akin_labels_create(size_t count, size_t id_length, akin_labels **out);
/* Names in ascending bytewise order, copied; category() holds their indices. count may be 0. */
AKIN_MUST_CHECK akin_status akin_labels_set_category_names(akin_labels *labels, size_t count,
                                                           const char *const *names);
AKIN_MUST_CHECK akin_status akin_labels_set_group_names(akin_labels *labels, size_t count,
                                                        const char *const *names);
AKIN_MUST_CHECK akin_status akin_labels_set_id(
    akin_labels *labels, size_t item, const char *id); /* longer than id_length: AKIN_INPUT */

/* Rows [first, first + count) of a file that has them; checks that indices are in range
 * (AKIN_INPUT). Not collective. */
AKIN_MUST_CHECK akin_status akin_labels_read(const akin_ncfile *file, size_t first, size_t count,
                                             akin_labels **out);
/* The same of these targets of a table between two catalogues (table.h), which has no attributes of
 * them. Not collective. */
AKIN_MUST_CHECK akin_status akin_labels_read_targets(const akin_ncfile *file, size_t first,
                                                     size_t count, akin_labels **out);
/* Defines all dimensions except `item` (id_length, category_count, group_count, name_length) and
 * the variables; only the lengths and names of `labels` are used, which are the same on all
 * ranks. Collective, before akin_ncfile_begin. */
void akin_labels_define(const akin_labels *labels, akin_ncfile *file);
/* The ids alone into a variable of as many bytes a row as an id has: this rank's rows at [first, ...).
 * Collective, after begin. */
AKIN_MUST_CHECK akin_status akin_labels_put_ids(const akin_labels *labels, akin_ncfile *file,
                                                akin_comm *comm, const char *variable,
                                                size_t first);
/* This rank's rows at [first, ...), names by rank 0. Collective, after begin. */
AKIN_MUST_CHECK akin_status akin_labels_put(const akin_labels *labels, akin_ncfile *file,
                                            akin_comm *comm, size_t first);
void akin_labels_free(akin_labels *labels);

/* For count items with the names and the attributes of `from`, which no item has yet. Not collective. */
AKIN_MUST_CHECK akin_status akin_labels_create_like(akin_labels *from, size_t count,
                                                    size_t id_length, akin_labels **out);
/* Replaces the names of `to` by those of `from`; its indices then refer to these. */
AKIN_MUST_CHECK akin_status akin_labels_copy_names(akin_labels *to, const akin_labels *from);
/* The first rows of a, then the first rows of b, with the names of both merged: equal names have
 * the same index. Keeps the attributes that both have, by name and kind. */
AKIN_MUST_CHECK akin_status akin_labels_join(akin_labels *a, size_t a_count, akin_labels *b,
                                             size_t b_count, akin_labels **out);
/* The given rows [count] of this rank's labels, in that order, with only the names that a selected
 * row of any rank uses, as in a catalogue of just these items. The names of `from` are the same on
 * all ranks. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_labels_take(akin_comm *comm, akin_labels *from, const size_t *rows,
                                             size_t count, akin_labels **out);

size_t akin_labels_count(const akin_labels *labels);
size_t akin_labels_id_length(const akin_labels *labels);
const char *akin_labels_id(const akin_labels *labels, size_t item); /* NUL-terminated, borrowed */
int32_t *akin_labels_category(akin_labels *labels); /* [count], borrowed, may be written */
int32_t *akin_labels_group(akin_labels *labels);    /* [count] */
int8_t *akin_labels_available(akin_labels *labels); /* [count], 0 or 1 */
size_t akin_labels_category_count(const akin_labels *labels); /* 0 if no item has one */
const char *akin_labels_category_name(const akin_labels *labels, int32_t index); /* "" for -1 */
size_t akin_labels_group_count(const akin_labels *labels);
const char *akin_labels_group_name(const akin_labels *labels, int32_t index);

/* One more attribute, of which no item has a value yet; values [count], copied, ascending bytewise,
 * of LABEL and LABELS; the same on all ranks. */
AKIN_MUST_CHECK akin_status akin_labels_add_attribute(akin_labels *labels, const char *name,
                                                      akin_attribute_kind kind, size_t count,
                                                      const char *const *values);
size_t akin_labels_attributes(const akin_labels *labels);                       /* how many */
size_t akin_labels_find_attribute(const akin_labels *labels, const char *name); /* or SIZE_MAX */
const char *akin_labels_attribute_name(const akin_labels *labels, size_t a);
akin_attribute_kind akin_labels_attribute_kind(const akin_labels *labels, size_t a);
/* Of NUMBER: [count], NaN = none, borrowed, may be written. */
float *akin_labels_attribute_numbers(akin_labels *labels, size_t a);
/* Of LABEL and LABELS: [count], -1 = none, index of the value. */
int32_t *akin_labels_attribute_values(akin_labels *labels, size_t a);
size_t akin_labels_attribute_value_count(const akin_labels *labels, size_t a);
/* Of LABELS the whole cell, "a|b": parts ascending, unique; "" for -1. */
const char *akin_labels_attribute_value(const akin_labels *labels, size_t a, int32_t index);

#endif
