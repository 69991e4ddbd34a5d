/* encoder: turns pictures into unit vectors with a model; shared by `embed` and `query --image`.
 * Not collective unless stated. A picture's raw numbers, projected onto the axes of each part,
 * concatenated as described in features.h and projected once more if the model does so,
 * normalised in double and rounded to float: a function of picture and model alone, whatever
 * else is in the batch. If the vector is exactly zero (a catalogue of one picture is its own
 * mean) it becomes (1, 0, ... 0), so that every row has unit length. */
#ifndef AKIN_ENCODER_H
#define AKIN_ENCODER_H

#include <akin/error.h>
#include <akin/features.h>
#include <akin/model.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- the raw numbers of pictures, part by part (features.h): not collective --- */

typedef struct akin_describe akin_describe;

/* The model is borrowed and must outlive it; its weights may still change. */
AKIN_MUST_CHECK akin_status akin_describe_create(akin_model *model, akin_describe **out);
void akin_describe_free(akin_describe *describe); /* NULL is fine */

/* For every part but the output of a trained network. raw [count, akin_part_raw] of images u8
 * [count, 32, 32, 3], any count: a row is a function of its picture and the model alone. */
void akin_describe_part(akin_describe *describe, akin_part part, const uint8_t *images,
                        size_t count, float *raw);

/* --- vectors --- */

typedef struct akin_encoder akin_encoder;

/* The model is borrowed and must outlive the encoder. Not collective. */
AKIN_MUST_CHECK akin_status akin_encoder_create(akin_model *model, akin_encoder **out);
/* An encoder for some parts only, as they are before the last projection, which mixes them; each
 * has the same weight as in the joined vector. parts [AKIN_PARTS]: at least one, and all of them
 * have a weight. */
AKIN_MUST_CHECK akin_status akin_encoder_create_of(akin_model *model, const bool *parts,
                                                   akin_encoder **out);
void akin_encoder_free(akin_encoder *encoder); /* NULL is fine */

size_t akin_encoder_dim(const akin_encoder *encoder); /* columns of a vector */

/* Columns of a trained network's output that the model uses; 0: none. */
size_t akin_encoder_seen(const akin_encoder *encoder);

/* Vectors [count, dim] of images u8 [count, 32, 32, 3], any count, and of a trained network's
 * output for them, seen [count, akin_encoder_seen] (NULL if that is 0). AKIN_INPUT if the model
 * gives no finite vector. Not collective. */
AKIN_MUST_CHECK akin_status akin_encoder_vectors(akin_encoder *encoder, const uint8_t *images,
                                                 const float *seen, size_t count, float *vectors);

/* The input of the last projection, on which `train` fits it: the parts of one picture, raw[p]
 * [akin_part_raw] for each with a weight, concatenated; joined [akin_features_joined]. Not
 * collective. */
void akin_encoder_join(akin_encoder *encoder, const float *const raw[AKIN_PARTS], float *joined);

/* The same for images u8 [count, 32, 32, 3], any count, and a trained network's output for them,
 * seen, as above: joined [count, akin_features_joined]. Not collective. */
void akin_encoder_parts(akin_encoder *encoder, const uint8_t *images, const float *seen,
                        size_t count, float *joined);

#endif
