/* contrast: how well two views of a picture agree. */
#include "conv.h"
#include "dense.h"
#include "layers.h"
#include <akin/linalg.h>
#include <akin/mem.h>
#include <akin/network.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
    VIEWS = 2 * AKIN_CONTRAST_GROUP,
    LATENT = AKIN_NETWORK_LATENT,
    HIDDEN = AKIN_NETWORK_HEAD_HIDDEN,
    OUT = AKIN_NETWORK_LATENT,
    /* Offsets of the head's tensors in the vector. */
    WEIGHT1 = AKIN_NETWORK_HEAD,
    BIAS1 = WEIGHT1 + LATENT * HIDDEN,
    WEIGHT2 = BIAS1 + HIDDEN,
    BIAS2 = WEIGHT2 + HIDDEN * OUT,
};
_Static_assert(BIAS2 + OUT == AKIN_NETWORK_WEIGHTS, "the head ends the vector");

#define ALIGNED _Alignas(64) float

struct akin_contrast {
    ALIGNED hidden[VIEWS * HIDDEN], out[VIEWS * OUT], unit[VIEWS * OUT];
    ALIGNED terms[VIEWS *
                  VIEWS]; /* cosines, then their exponentials, then the gradient by the cosines */
    ALIGNED grad_unit[VIEWS * OUT], grad_hidden[VIEWS * HIDDEN];
    float length[VIEWS], share[VIEWS]; /* of out; 1 / sum of a view's exponentials */
};

akin_status akin_contrast_create(akin_contrast **out) {
    *out = NULL;
    akin_status status = akin_linalg_start();
    if (status != AKIN_OK) return status;
    *out = akin_mem_zalloc(1, sizeof **out);
    return *out ? AKIN_OK : AKIN_FAILED;
}

void akin_contrast_free(akin_contrast *contrast) {
    akin_mem_free(contrast);
}

/* --- forward --- */

#define SHORTEST 1e-12F /* a direction needs a positive length to be normalised */
/* Below this length a view has no direction and gets no gradient: a black picture before the first
 * step, where all biases are zero. */
#define DIRECTED 1e-6F

static void to_units(akin_contrast *c, size_t views) {
    for (size_t a = 0; a < views; a++) {
        const float *out = c->out + a * OUT;
        float square = 0;
        for (size_t k = 0; k < OUT; k++) square += out[k] * out[k];
        c->length[a] = sqrtf(square) + SHORTEST;
        for (size_t k = 0; k < OUT; k++) c->unit[a * OUT + k] = out[k] / c->length[a];
    }
}

static size_t other_view(size_t a, size_t count) {
    return a < count ? a + count : a - count;
}

/* Cosines to exponentials, minus 1 / t so that none overflows; the sum of the losses. */
static double to_terms(akin_contrast *c, size_t count, float temperature) {
    const size_t views = 2 * count;
    const float factor = 1 / temperature;
    double sum = 0;
    for (size_t a = 0; a < views; a++) {
        float *row = c->terms + a * views;
        double agreement = (double)(factor * row[other_view(a, count)] - factor);
        row[a] = -1e30F; /* a view is not compared with itself */
        double total = akin_layers()->exponentials(views, factor, factor, row, row);
        row[a] = 0;
        c->share[a] = (float)(1 / total);
        sum += log(total) - agreement;
    }
    return sum;
}

/* --- backward --- */

/* The terms are symmetric, so the weights of cosine (a, b) in the losses of a and of b form one
 * matrix. */
static void to_gradient(akin_contrast *c, size_t count, float factor) {
    const size_t views = 2 * count;
    for (size_t a = 0; a < views; a++) {
        float *row = c->terms + a * views;
        const float share = c->share[a];
        for (size_t b = 0; b < views; b++) row[b] *= factor * (share + c->share[b]);
        row[other_view(a, count)] -= 2 * factor;
    }
}

/* Back through the normalisation: the component along the direction is removed. In place. */
static void units_backward(const akin_contrast *c, size_t views, float *gradient) {
    for (size_t a = 0; a < views; a++) {
        const float *unit = c->unit + a * OUT;
        float *g = gradient + a * OUT, along = 0;
        for (size_t k = 0; k < OUT; k++) along += g[k] * unit[k];
        bool directed = !(c->length[a] <= DIRECTED); /* what is no number shows */
        for (size_t k = 0; k < OUT; k++)
            g[k] = directed ? (g[k] - along * unit[k]) / c->length[a] : 0;
    }
}

double akin_contrast_loss(akin_contrast *c, const float *weights, const akin_contrast_views *of,
                          float scale, float *pull, float *gradient) {
    const size_t count = of->count, views = 2 * count;
    const akin_conv_dense first = {LATENT, HIDDEN, weights + WEIGHT1, weights + BIAS1, true};
    const akin_conv_dense second = {HIDDEN, OUT, weights + WEIGHT2, weights + BIAS2, false};
    AKIN_ASSERT(count <= AKIN_CONTRAST_GROUP);
    akin_conv()->dense(views, &first, of->latents, c->hidden);
    akin_conv()->dense(views, &second, c->hidden, c->out);
    to_units(c, views);
    akin_linalg_product((akin_linalg_shape){views, views, OUT, AKIN_TURN_B}, c->unit, c->unit,
                        c->terms);
    double sum = to_terms(c, count, of->temperature);
    if (!pull) return sum;

    to_gradient(c, count, scale / of->temperature);
    akin_linalg_product((akin_linalg_shape){views, OUT, views, AKIN_TURN_NONE}, c->terms, c->unit,
                        c->grad_unit);
    units_backward(c, views, c->grad_unit);
    memset(gradient + BIAS2, 0, OUT * sizeof *gradient);
    memset(gradient + BIAS1, 0, HIDDEN * sizeof *gradient);
    akin_dense_backward(views, &second, c->hidden, c->grad_unit, gradient + WEIGHT2,
                        gradient + BIAS2, c->grad_hidden);
    akin_layers()->relu_gradient(views * HIDDEN, c->hidden, c->grad_hidden);
    akin_dense_backward(views, &first, of->latents, c->grad_hidden, gradient + WEIGHT1,
                        gradient + BIAS1, pull);
    return sum;
}
