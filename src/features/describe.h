/* describe: the raw numbers of pictures, part by part (features.h), by a model.
 * Not collective.
 */
#ifndef AKIN_DESCRIBE_H
#define AKIN_DESCRIBE_H

#include <akin/error.h>
#include <akin/features.h>
#include <akin/model.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_describe akin_describe;

/* The model is borrowed and outlives it; what it uses of it (weights) may still change. */
AKIN_MUST_CHECK akin_status akin_describe_create(akin_model *model, akin_describe **out);
void akin_describe_free(akin_describe *describe); /* NULL is fine */

/* raw [count, akin_part_raw] of images u8 [count, 32, 32, 3], any count: a row is a function of its
 * picture and the model alone. */
void akin_describe_part(akin_describe *describe, akin_part part, const uint8_t *images,
                        size_t count, float *raw);

#endif
