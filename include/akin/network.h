/* network: the autoencoder, forward and backward, on one micro-batch; all weights in one vector.
 * Not collective.
 *
 * Encoder: conv 3x3 3->32 same, ReLU, max pool 2; conv 3x3 32->64 same, ReLU, max pool 2;
 * flatten 4096 (row, column, channel); dense 128, ReLU; dense 32, linear: the latent.
 *
 * Decoder: dense 64, ReLU; reshape 8x8x1; transposed conv 3x3 stride 2 1->64, ReLU; transposed
 * conv 3x3 stride 2 64->32, ReLU (padding 1, output padding 1 as in PyTorch); conv 3x3 32->3
 * same, sigmoid.
 *
 * Loss: mean squared error over all values of [0,1] RGB.
 *
 * After these, the vector has the head of the contrastive loss (below), which only that objective trains; it is
 * zero for others, and this module ignores it. */
#ifndef AKIN_NETWORK_H
#define AKIN_NETWORK_H

#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_NETWORK_WEIGHTS 574211
#define AKIN_NETWORK_LATENT 32
#define AKIN_NETWORK_MICRO_BATCH                                                                   \
    16 /* images whose gradient is summed in float, in one fixed order */

typedef struct {
    const char *name; /* "conv1_weight" */
    const char
        *dims; /* "kernel_row=3,kernel_column=3,conv1_in=3,conv1_out=32": name=length, for NetCDF */
    size_t offset; /* in the vector, floats */
    size_t count;
    size_t fan_in, fan_out; /* Glorot & Bengio 2010; 0 for a bias */
} akin_network_tensor;

/* The head: the last AKIN_NETWORK_HEAD_TENSORS tensors, the weights from AKIN_NETWORK_HEAD on:
 * dense 64, ReLU; dense 32. */
#define AKIN_NETWORK_HEAD 570019
#define AKIN_NETWORK_HEAD_TENSORS 4
#define AKIN_NETWORK_HEAD_HIDDEN 64

/* The table of tensors, in the order of the vector: *count of them, static. */
const akin_network_tensor *akin_network_tensors(size_t *count);

/* Glorot-uniform weights, zero biases: a function of the seed alone; the head zero. weights
 * [AKIN_NETWORK_WEIGHTS]. */
void akin_network_initialise(uint64_t seed, float *weights);
void akin_network_initialise_head(uint64_t seed, float *weights); /* only the head, likewise */

typedef struct akin_network
    akin_network; /* activations and scratch for one micro-batch; one per thread */
AKIN_MUST_CHECK akin_status akin_network_create(akin_network **out);
void akin_network_free(akin_network *network);

/* Latents of count <= AKIN_NETWORK_MICRO_BATCH images u8 [count, 32, 32, 3] into latent [count,
 * 32]. The bits of an item's latent depend on its picture and the weights alone, not on its place
 * in the batch. */
void akin_network_encode(akin_network *network, const float *weights, const uint8_t *images,
                         size_t count, float *latent);

/* The output of the convolutions for an image, each after its ReLU and pooling: of the first
 * [16, 16, 32] with AKIN_NETWORK_MAPS1_ROW floats from row to row, of the second [8, 8, 64]. */
#define AKIN_NETWORK_MAPS1_ROW ((size_t)18 * 32)
typedef struct {
    const float *first, *second;
} akin_network_maps;

/* The maps of count <= AKIN_NETWORK_MICRO_BATCH images; borrowed until the network is used
 * again. Their bits depend on the picture and the weights alone. */
void akin_network_convolve(akin_network *network, const float *weights, const uint8_t *images,
                           size_t count, akin_network_maps *maps);

/* Reconstructions [count, 32, 32, 3] in [0, 1] of the images; returns the sum of squared errors
 * over the count images.
 */
double akin_network_reconstruct(akin_network *network, const float *weights, const uint8_t *images,
                                size_t count, float *output);

/* The gradient is completed from the decoder to the encoder, in AKIN_NETWORK_PARTS ranges of the
 * vector, without the head: the up and output convolutions, the dense layers, the first
 * convolutions. Part p is [first, first + count). */
#define AKIN_NETWORK_PARTS 3
void akin_network_part(size_t part, size_t *first, size_t *count);

/* Called when a part of the gradient is complete; and, between images of the last part, with p =
 * AKIN_NETWORK_PARTS: a chance to let messages proceed. */
typedef void akin_network_ready(void *context, size_t part);

/* The task whose gradient is computed. */
typedef struct {
    const uint8_t *images;  /* [count, 32, 32, 3] */
    const uint8_t *targets; /* what they are to be reconstructed as, in the same layout: the
                             * images themselves, or others; NULL: they are not reconstructed,
                             * the error is zero, and part 0 is not reported */
    size_t count;           /* <= AKIN_NETWORK_MICRO_BATCH */
    float scale;            /* of the sum of squared errors */
    const float *pull;      /* [count, AKIN_NETWORK_LATENT], another gradient by the latents to add;
                        * NULL: none */
} akin_network_task;

/* One micro-batch: adds nothing, writes gradient [AKIN_NETWORK_WEIGHTS] of (sum of squared errors
 * over its images) * scale, and of what pulls at the latents; returns that sum of squared errors
 * (without scale). The head's part is not touched; ready may be NULL. */
double akin_network_gradient(akin_network *network, const float *weights,
                             const akin_network_task *task, float *gradient,
                             akin_network_ready *ready, void *context);

/* Contrast: how well the latents of two views of a picture agree, among those of other pictures.
 * Not collective. NT-Xent, the normalised form of InfoNCE (van den Oord et al., "Representation
 * learning with contrastive predictive coding", 2018; Chen et al., "A simple framework for
 * contrastive learning of visual representations", 2020). A small head maps each latent to a
 * direction u; for each of the 2 n views of a group of n pictures, loss of view a =
 * -log(exp(u_a.u_p / t) / sum over views b other than a of exp(u_a.u_b / t)), where p is the
 * other view of a's picture and t the temperature. */

#define AKIN_CONTRAST_GROUP 256 /* pictures, at most */

typedef struct akin_contrast akin_contrast; /* scratch for one group, 2.5 MB */
AKIN_MUST_CHECK akin_status akin_contrast_create(akin_contrast **out);
void akin_contrast_free(akin_contrast *contrast); /* NULL is fine */

typedef struct {
    const float
        *latents; /* [2 * count, AKIN_NETWORK_LATENT], first all first views, then all second */
    size_t count; /* pictures */
    float temperature; /* >= 0.05 */
} akin_contrast_views;

/* Returns the sum over the 2 * count views of their losses. With
 * pull (not NULL) [2 * count, AKIN_NETWORK_LATENT], also writes the gradient of sum * scale by
 * the latents, and, in the vector gradient [AKIN_NETWORK_WEIGHTS], by the head's weights. Bits
 * depend only on the group as a whole. */
double akin_contrast_loss(akin_contrast *contrast, const float *weights,
                          const akin_contrast_views *views, float scale, float *pull,
                          float *gradient);

#endif
