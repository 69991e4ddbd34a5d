/* describe: the raw numbers of pictures. */
#include "describe.h"
#include "foreground.h"
#include "handcrafted.h"
#include <akin/mem.h>
#include <akin/network.h>
#include <akin/patches.h>

#define IMAGE_BYTES ((size_t)32 * 32 * 3)

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

/* --- each part: up to AKIN_NETWORK_MICRO_BATCH pictures --- */

static void latents(akin_describe *d, const uint8_t *images, size_t count, float *raw) {
    akin_network_encode(d->network, akin_model_weights(d->model), images, count, raw);
}

static void pixels(akin_describe *d, const uint8_t *images, size_t count, float *raw) {
    (void)d;
    for (size_t i = 0; i < count * IMAGE_BYTES; i++) raw[i] = (float)images[i] / 255;
}

/* A kernel of one picture. */
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
    akin_patches *dictionary = akin_feature_params_patches(akin_model_fitted(d->model));
    for (size_t i = 0; i < count; i++)
        akin_patches_describe(dictionary, images + i * IMAGE_BYTES, raw + i * AKIN_PATCHES_RAW);
}

static void (*const kernels[AKIN_PARTS])(akin_describe *, const uint8_t *, size_t, float *) = {
    [AKIN_PART_LATENT] = latents,   [AKIN_PART_PIXELS] = pixels,
    [AKIN_PART_COLOUR] = colours,   [AKIN_PART_EDGES] = edges,
    [AKIN_PART_TEXTURE] = textures, [AKIN_PART_FOREGROUND] = foregrounds,
    [AKIN_PART_PATCHES] = patches,  [AKIN_PART_SHAPE] = edges,
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
