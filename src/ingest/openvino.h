/* openvino: reads a model file, compiles it for this rank's one core and runs it. Not collective.
 *
 * In a build without OpenVINO, `read` fails and says what to install.
 */
#ifndef AKIN_OPENVINO_H
#define AKIN_OPENVINO_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct akin_openvino akin_openvino;

/* What the model's one input takes; 0: any. */
typedef struct {
    size_t width, height;
    bool channels_last;
} akin_openvino_input;

/* What comes out of it. */
typedef struct {
    char name[128];
    size_t rank, dims[4]; /* the batch first */
} akin_openvino_output;

/* AKIN_USAGE: a build without OpenVINO, with what to install for the model at `path`. */
AKIN_MUST_CHECK akin_status akin_openvino_check(const char *path);

/* AKIN_USAGE: likewise; AKIN_FAILED: OpenVINO is not where it was; AKIN_INPUT: not a model, or not
 * of one input of pictures. */
AKIN_MUST_CHECK akin_status akin_openvino_read(const char *path, akin_openvino **out);
void akin_openvino_free(akin_openvino *model);                                 /* NULL is fine */
const akin_openvino_input *akin_openvino_input_of(const akin_openvino *model); /* borrowed */
const char *akin_openvino_version(const akin_openvino *model);                 /* "2026.4.1-..." */
/* Whether the CPU has native bfloat16 multiplication. */
bool akin_openvino_has_bfloat16(const akin_openvino *model);

typedef struct {
    size_t batch, width, height;
    const char *output; /* NULL: by common names, else the only one */
    bool bfloat16, int8;
} akin_openvino_choice;

/* May be called again with another choice. AKIN_INPUT: no such output, a shape that cannot be, or
 * an operator that the runtime lacks. */
AKIN_MUST_CHECK akin_status akin_openvino_compile(akin_openvino *model,
                                                  const akin_openvino_choice *choice);
const akin_openvino_output *akin_openvino_output_of(const akin_openvino *model); /* borrowed */
bool akin_openvino_ran_int8(const akin_openvino *model); /* some operators, after the first run */

/* Input [batch, 3, height, width], or [batch, height, width, 3]; borrowed, to be written. */
float *akin_openvino_values(akin_openvino *model);
/* Output of the shape above, borrowed until the next run. */
AKIN_MUST_CHECK akin_status akin_openvino_run(akin_openvino *model, const float **output);

#endif
