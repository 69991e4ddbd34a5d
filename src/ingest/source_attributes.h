/* source_attributes: which further columns of a table are attributes of its items, and how their
 * cells are parsed. Not collective. */
#ifndef AKIN_SOURCE_ATTRIBUTES_H
#define AKIN_SOURCE_ATTRIBUTES_H

#include "source_list.h"
#include <akin/error.h>
#include <akin/source.h>
#include <akin/text.h>

/* A decimal number in the range of a float; false: not one. */
bool akin_source_attribute_number(akin_source_text cell, float *out);
/* What to write instead of a cell that is not a number: the number, where a comma is its decimal
 * point. Returns `advice`. */
enum { AKIN_SOURCE_ADVICE_SIZE = 80 };
const char *akin_source_attribute_advise(akin_source_text cell,
                                         char advice[AKIN_SOURCE_ADVICE_SIZE]);
/* What goes into the files: for LABELS the parts between |, ascending and unique, written into
 * `scratch`; for LABEL the cell. Without blanks at the ends; "" = none. */
AKIN_MUST_CHECK akin_status akin_source_attribute_label(akin_attribute_kind kind,
                                                        akin_source_text cell, akin_text *scratch,
                                                        akin_source_text *out);

#endif
