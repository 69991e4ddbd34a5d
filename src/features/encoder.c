/* encoder: turns pictures into raw features, and raw features into unit vectors. */
#include "feature_params.h"
#include "foreground.h"
#include "handcrafted.h"
#include "manifold.h"
#include "maps.h"
#include "patches.h"
#include <akin/encoder.h>
#include <akin/mem.h>
#include <akin/network.h>
#include <akin/projection.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define IMAGE_BYTES ((size_t)32 * 32 * 3)
#define BATCH ((size_t)16) /* pictures encoded at a time */

/* --- raw features of each part --- */

struct akin_describe {
    akin_model *model; /* borrowed */
    akin_network *network;
};

akin_status akin_describe_create(akin_model *model, akin_describe **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_describe *describe = akin_mem_zalloc(1, sizeof *describe);
    if (!describe) return AKIN_FAILED;
    describe->model = model;
    if (akin_model_has_network(model)) AKIN_TRY(akin_network_create(&describe->network));
    *out = describe;
    describe = NULL;
done:
    akin_describe_free(describe);
    return status;
}

void akin_describe_free(akin_describe *describe) {
    if (!describe) return;
    akin_network_free(describe->network);
    akin_mem_free(describe);
}

/* Each part, for up to AKIN_NETWORK_MICRO_BATCH pictures. */

static void latents(akin_describe *d, const uint8_t *images, size_t count, float *raw) {
    akin_network_encode(d->network, akin_model_weights(d->model), images, count, raw);
}

static void maps(akin_describe *d, const uint8_t *images, size_t count, float *raw) {
    akin_network_maps found[AKIN_NETWORK_MICRO_BATCH];
    akin_network_convolve(d->network, akin_model_weights(d->model), images, count, found);
    for (size_t i = 0; i < count; i++) akin_maps_describe(&found[i], raw + i * AKIN_MAPS);
}

static void pixels(akin_describe *d, const uint8_t *images, size_t count, float *raw) {
    (void)d;
    for (size_t i = 0; i < count * IMAGE_BYTES; i++) raw[i] = (float)images[i] / 255;
}

/* A kernel for one picture. */
#define EACH(name, kernel, dim)                                                                    \
    static void name(akin_describe *d, const uint8_t *images, size_t count, float *raw) {          \
        (void)d;                                                                                   \
        for (size_t i = 0; i < count; i++) kernel(images + i * IMAGE_BYTES, raw + i * (dim));      \
    }
EACH(colours, akin_handcrafted_colour, AKIN_HANDCRAFTED_COLOUR)
EACH(edges, akin_handcrafted_edges, AKIN_HANDCRAFTED_EDGES)
EACH(textures, akin_handcrafted_texture, AKIN_HANDCRAFTED_TEXTURE)
EACH(foregrounds, akin_foreground, AKIN_FOREGROUND)

static void patches(akin_describe *d, const uint8_t *images, size_t count, float *raw) {
    akin_patches *dictionary = akin_feature_params_patches(akin_model_feature_params(d->model));
    for (size_t i = 0; i < count; i++)
        akin_patches_describe(dictionary, images + i * IMAGE_BYTES, raw + i * AKIN_PATCHES_RAW);
}

static void manifolds(akin_describe *d, const uint8_t *images, size_t count, float *raw) {
    akin_manifold *manifold = akin_feature_params_manifold(akin_model_feature_params(d->model));
    for (size_t i = 0; i < count; i++)
        akin_manifold_describe(manifold, images + i * IMAGE_BYTES, raw + i * AKIN_MANIFOLD_RAW);
}

static void (*const kernels[AKIN_PARTS])(akin_describe *, const uint8_t *, size_t, float *) = {
    [AKIN_PART_LATENT] = latents,   [AKIN_PART_PIXELS] = pixels,
    [AKIN_PART_COLOUR] = colours,   [AKIN_PART_EDGES] = edges,
    [AKIN_PART_TEXTURE] = textures, [AKIN_PART_FOREGROUND] = foregrounds,
    [AKIN_PART_PATCHES] = patches,  [AKIN_PART_SHAPE] = edges,
    [AKIN_PART_MAPS] = maps,        [AKIN_PART_MANIFOLD] = manifolds,
};

void akin_describe_part(akin_describe *describe, akin_part part, const uint8_t *images,
                        size_t count, float *raw) {
    for (size_t first = 0; first < count; first += AKIN_NETWORK_MICRO_BATCH) {
        size_t rest = count - first;
        kernels[part](describe, images + first * IMAGE_BYTES,
                      rest < AKIN_NETWORK_MICRO_BATCH ? rest : AKIN_NETWORK_MICRO_BATCH,
                      raw + first * akin_part_raw(part));
    }
}

/* --- vectors --- */

struct akin_encoder {
    akin_features features;            /* with the weights of the parts to compute */
    const akin_feature_params *params; /* borrowed */
    akin_projection *join;             /* NULL: none */
    akin_describe *describe;
    float *raw[AKIN_PARTS]; /* [BATCH, akin_part_raw]; NULL where the weight is 0 */
    double *parts;          /* [joined] */
    float *joined;          /* [joined] */
};

static akin_status make_room(akin_encoder *encoder, akin_model *model) {
    akin_status status;
    size_t joined = akin_features_joined(&encoder->features);
    AKIN_TRY(akin_describe_create(model, &encoder->describe));
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        if (!(encoder->features.parts[p].weight > 0)) continue;
        size_t raw = akin_features_raw(&encoder->features, (akin_part)p);
        if (!(encoder->raw[p] = akin_mem_alloc(BATCH, raw * sizeof(float)))) return AKIN_FAILED;
    }
    encoder->parts = akin_mem_alloc(joined, sizeof *encoder->parts);
    encoder->joined = akin_mem_alloc(joined, sizeof *encoder->joined);
    if (!encoder->parts || !encoder->joined) return AKIN_FAILED;
done:
    return status;
}

akin_status akin_encoder_create(akin_model *model, akin_encoder **out) {
    return akin_encoder_create_of(model, NULL, out);
}

akin_status akin_encoder_create_of(akin_model *model, const bool *parts, akin_encoder **out) {
    akin_status status;
    *out = NULL;
    akin_encoder *encoder = akin_mem_zalloc(1, sizeof *encoder);
    if (!encoder) return AKIN_FAILED;
    encoder->params = akin_model_feature_params(model);
    encoder->features = *akin_feature_params_features(encoder->params);
    for (size_t p = 0; parts && p < AKIN_PARTS; p++)
        if (!parts[p]) encoder->features.parts[p].weight = 0;
    if (parts)
        encoder->features.dim = akin_features_joined(&encoder->features);
    else
        encoder->join = akin_feature_params_join(encoder->params);
    AKIN_TRY(make_room(encoder, model));
    *out = encoder, encoder = NULL;
done:
    akin_encoder_free(encoder);
    return status;
}

void akin_encoder_free(akin_encoder *encoder) {
    if (!encoder) return;
    akin_describe_free(encoder->describe);
    for (size_t p = 0; p < AKIN_PARTS; p++) akin_mem_free(encoder->raw[p]);
    akin_mem_free(encoder->parts);
    akin_mem_free(encoder->joined);
    akin_mem_free(encoder);
}

size_t akin_encoder_dim(const akin_encoder *encoder) {
    return encoder->features.dim;
}

size_t akin_encoder_seen(const akin_encoder *encoder) {
    return akin_features_sees(&encoder->features) ? encoder->features.seen : 0;
}

static double length_of(const double *vector, size_t dim) {
    double square = 0;
    for (size_t d = 0; d < dim; d++) square += vector[d] * vector[d];
    return sqrt(square);
}

/* Computes the parts of one picture into encoder->parts. If there are several, they are scaled by
 * their weights. */
static void put_parts(akin_encoder *encoder, const float *const raw[AKIN_PARTS]) {
    double *at = encoder->parts;
    bool several = akin_features_parts(&encoder->features) > 1;
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        const akin_features_part *part = &encoder->features.parts[p];
        if (!(part->weight > 0)) continue;
        akin_projection_apply(akin_feature_params_projection(encoder->params, p), raw[p], at);
        double length = !several ? 0 : akin_part_keeps_length(p) ? 1 : length_of(at, part->dim);
        for (size_t d = 0; length > 0 && d < part->dim; d++) at[d] *= part->weight / length;
        at += part->dim;
    }
}

/* Raw features of up to BATCH pictures. */
static void describe_batch(akin_encoder *encoder, const uint8_t *images, const float *seen,
                           size_t count) {
    for (size_t p = 0; p < AKIN_PARTS; p++)
        if (encoder->raw[p] && p == AKIN_PART_PRETRAINED)
            memcpy(encoder->raw[p], seen, count * encoder->features.seen * sizeof *seen);
        else if (encoder->raw[p])
            akin_describe_part(encoder->describe, p, images, count, encoder->raw[p]);
}

/* The raw features of picture i of the batch. */
static void raw_of(const akin_encoder *encoder, size_t i, const float *raw[AKIN_PARTS]) {
    for (size_t p = 0; p < AKIN_PARTS; p++)
        if (encoder->raw[p])
            raw[p] = encoder->raw[p] + i * akin_features_raw(&encoder->features, (akin_part)p);
}

void akin_encoder_join(akin_encoder *encoder, const float *const raw[AKIN_PARTS], float *joined) {
    size_t count = akin_features_joined(&encoder->features);
    put_parts(encoder, raw);
    for (size_t d = 0; d < count; d++) joined[d] = (float)encoder->parts[d];
}

void akin_encoder_parts(akin_encoder *encoder, const uint8_t *images, const float *seen,
                        size_t count, float *joined) {
    const size_t columns = akin_encoder_seen(encoder);
    size_t dim = akin_features_joined(&encoder->features);
    for (size_t first = 0; first < count; first += BATCH) {
        size_t part = count - first < BATCH ? count - first : BATCH;
        describe_batch(encoder, images + first * IMAGE_BYTES, seen ? seen + first * columns : NULL,
                       part);
        for (size_t i = 0; i < part; i++) {
            const float *raw[AKIN_PARTS] = {NULL};
            raw_of(encoder, i, raw);
            akin_encoder_join(encoder, raw, joined + (first + i) * dim);
        }
    }
}

/* False if the vector is not finite. */
static bool to_unit_length(const double *from, size_t dim, float *vector) {
    double length = length_of(from, dim);
    if (!isfinite(length)) return false;
    for (size_t d = 0; d < dim; d++)
        vector[d] = length > 0 ? (float)(from[d] / length) : (d == 0 ? 1.0F : 0.0F);
    return true;
}

/* Picture i of the batch. */
static bool encode(akin_encoder *encoder, size_t i, float *vector) {
    const float *raw[AKIN_PARTS] = {NULL};
    akin_projection *join = encoder->join;
    raw_of(encoder, i, raw);
    if (join) {
        akin_encoder_join(encoder, raw, encoder->joined);
        akin_projection_apply(join, encoder->joined, encoder->parts);
    } else {
        put_parts(encoder, raw);
    }
    return to_unit_length(encoder->parts, encoder->features.dim, vector);
}

akin_status akin_encoder_vectors(akin_encoder *encoder, const uint8_t *images, const float *seen,
                                 size_t count, float *vectors) {
    const size_t columns = akin_encoder_seen(encoder);
    AKIN_ASSERT(seen || columns == 0);
    for (size_t first = 0; first < count; first += BATCH) {
        size_t part = count - first < BATCH ? count - first : BATCH;
        describe_batch(encoder, images + first * IMAGE_BYTES, seen ? seen + first * columns : NULL,
                       part);
        for (size_t i = 0; i < part; i++)
            if (!encode(encoder, i, vectors + (first + i) * encoder->features.dim))
                return akin_error_set(
                    AKIN_INPUT, "the model gives no finite vector for picture %zu; train it again",
                    first + i);
    }
    return AKIN_OK;
}
