/* encoder: pictures to unit vectors. Floor 2; looks down to error, mem, network, model. */
#include <akin/encoder.h>
#include <akin/mem.h>
#include <akin/network.h>
#include <math.h>
#include <stdbool.h>

#define DIM AKIN_NETWORK_LATENT
#define IMAGE_BYTES ((size_t)32 * 32 * 3)

struct akin_encoder {
    akin_model *model; /* borrowed */
    akin_network *network;
};

akin_status akin_encoder_create(akin_model *model, akin_encoder **out) {
    akin_status status;
    *out = NULL;
    akin_encoder *encoder = akin_mem_zalloc(1, sizeof *encoder);
    if (!encoder) return AKIN_FAILED;
    encoder->model = model;
    AKIN_TRY(akin_network_create(&encoder->network));
    *out = encoder;
    return AKIN_OK;
done:
    akin_encoder_free(encoder);
    return status;
}

void akin_encoder_free(akin_encoder *encoder) {
    if (!encoder) return;
    akin_network_free(encoder->network);
    akin_mem_free(encoder);
}

size_t akin_encoder_dim(const akin_encoder *encoder) {
    (void)encoder;
    return DIM;
}

/* vector [DIM] holds a latent and gets the unit vector; false where that is not finite. */
static bool centre_to_unit_length(const float *mean, float *vector) {
    double centred[DIM], square = 0;
    for (size_t d = 0; d < DIM; d++) {
        centred[d] = (double)vector[d] - (double)mean[d];
        square += centred[d] * centred[d];
    }
    if (!isfinite(square)) return false;
    double length = sqrt(square);
    for (size_t d = 0; d < DIM; d++) vector[d] = length > 0 ? (float)(centred[d] / length) : (d == 0 ? 1.0F : 0.0F);
    return true;
}

akin_status akin_encoder_vectors(akin_encoder *encoder, const uint8_t *images, size_t count, float *vectors) {
    const float *weights = akin_model_weights(encoder->model), *mean = akin_model_latent_mean(encoder->model);
    for (size_t first = 0; first < count; first += AKIN_NETWORK_MICRO_BATCH) {
        size_t part = count - first < AKIN_NETWORK_MICRO_BATCH ? count - first : AKIN_NETWORK_MICRO_BATCH;
        akin_network_encode(encoder->network, weights, images + first * IMAGE_BYTES, part, vectors + first * DIM);
        for (size_t i = first; i < first + part; i++)
            if (!centre_to_unit_length(mean, vectors + i * DIM))
                return akin_error_set(AKIN_INPUT, "the model gives no finite vector for picture %zu; train it anew", i);
    }
    return AKIN_OK;
}
