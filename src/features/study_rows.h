/* study_rows: selects rows of a catalogue for a study. Not collective. */
#ifndef AKIN_STUDY_ROWS_H
#define AKIN_STUDY_ROWS_H

#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>

/* Row i of `count` that are spread over `items`: all of them, or one from each of `count` stretches
 * of equal length, at a random place, so that they do not keep step with a catalogue whose items take
 * turns (front, back, front, back). Ascending. Cannot fail. Pure. */
size_t akin_study_rows_spread(size_t items, size_t count, size_t i);

/* Where few of `most` rows that are spread would have another one of their label among them, because
 * labels have few of very many items (a group of four in 50,000): the rows of whole labels, drawn at
 * random until they are two thirds of `most`. *rows [*count], owned; NULL, 0: where spread rows will
 * do. label [items]: -1 = none. */
AKIN_MUST_CHECK akin_status akin_study_rows_together(const int32_t *label, size_t items,
                                                     size_t most, size_t **rows, size_t *count);

#endif
