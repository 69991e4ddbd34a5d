/* pretrained: runs a network trained elsewhere (ONNX, or OpenVINO's IR) that computes a vector from
 * each picture. Not collective unless stated.
 *
 * It runs on this rank's one core, in batches of a fixed size, the last one padded: a vector
 * depends only on its picture. A build without OpenVINO has all functions, but open fails and says
 * what to install.
 */
#ifndef AKIN_PRETRAINED_H
#define AKIN_PRETRAINED_H

#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/image.h>
#include <akin/text.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_PRETRAINED_FEATURES 8192 /* columns of a vector, at most */

/* Texts as the options give them; NULL: not given. */
typedef struct {
    const char *path;
    const char *size, *crop, *mean, *deviation;
    const char *output;    /* name */
    const char *precision; /* "float32", "bfloat16", "int8-if-quantised"; NULL: the first */
} akin_pretrained_params;

/* Everything in the options and files that affects the vectors: "digest=... size=256 ...", owned.
 * The model's bytes are read by rank 0. AKIN_FAILED: no such file; AKIN_USAGE: neither ONNX nor
 * IR, by its name. Needs no runtime. Collective; agreed; the same params. */
AKIN_MUST_CHECK akin_status akin_pretrained_request(akin_comm *comm,
                                                    const akin_pretrained_params *params,
                                                    char **out);
/* Recovers the params from such a text, except the path: they point into `copy`, which is
 * modified. */
void akin_pretrained_parse(char *copy, akin_pretrained_params *out);

/* AKIN_USAGE: a build without a runtime (the message says what to install), a file name of another
 * kind, or an option that is not a valid size or number. Opens no file. */
AKIN_MUST_CHECK akin_status akin_pretrained_check(const akin_pretrained_params *params);

typedef struct akin_pretrained akin_pretrained;

/* AKIN_USAGE: no runtime, or an invalid option; AKIN_INPUT: a model that cannot be used; the
 * message says what it has and what is needed. All ranks use the instructions that all of them
 * support. Collective; agreed; the same params. */
AKIN_MUST_CHECK akin_status akin_pretrained_open(akin_comm *comm,
                                                 const akin_pretrained_params *params,
                                                 akin_pretrained **out);
void akin_pretrained_free(akin_pretrained *network); /* NULL is fine */

size_t akin_pretrained_features(const akin_pretrained *network); /* columns of a vector */
size_t akin_pretrained_batch(const akin_pretrained *network);    /* pictures at a time */
double akin_pretrained_seconds(const akin_pretrained *network);  /* of a batch, about */
const akin_image_view *akin_pretrained_view(const akin_pretrained *network); /* borrowed */

/* What is recorded beside the vectors, borrowed. */
const akin_catalog_fact *akin_pretrained_facts(const akin_pretrained *network);

/* Picture `slot` < batch of the next run, as the view has it: seen [height, width, 3]. */
void akin_pretrained_put(akin_pretrained *network, size_t slot, const uint8_t *seen);
/* Of the first `count` slots: *vectors [count, features], borrowed until the next run. AKIN_INPUT:
 * a value is not finite. */
AKIN_MUST_CHECK akin_status akin_pretrained_run(akin_pretrained *network, size_t count,
                                                const float **vectors);

#endif
