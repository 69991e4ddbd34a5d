/* Laws of maps: the description of a picture equals that of a naive twin, written from the
 * network's layers; a row depends on its picture alone, whatever its place in a batch. */
#include "features/maps.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum { COUNT = 5, IMAGE = 32 * 32 * 3 };

static const float *tensor(const float *weights, const char *name) {
    size_t count;
    const akin_network_tensor *all = akin_network_tensors(&count);
    for (size_t t = 0; t < count; t++)
        if (strcmp(all[t].name, name) == 0) return weights + all[t].offset;
    fail_msg("no tensor %s", name);
    return NULL;
}

/* in [side, side, channels] -> the 2 x 2 maxima of ReLU of its 3 x 3 convolution: out [side / 2,
 * side / 2, to]. */
static void convolve(const double *in, int side, int channels, const float *kernel,
                     const float *bias, int to, double *out) {
    for (int i = 0; i < side * side / 4 * to; i++) out[i] = 0;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            for (int o = 0; o < to; o++) {
                double sum = (double)bias[o];
                for (int tap = 0; tap < 9; tap++) {
                    int row = y + tap / 3 - 1, column = x + tap % 3 - 1;
                    if (row < 0 || row >= side || column < 0 || column >= side) continue;
                    for (int c = 0; c < channels; c++)
                        sum += in[(row * side + column) * channels + c] *
                               (double)kernel[(tap * channels + c) * to + o];
                }
                double *at = out + (y / 2 * (side / 2) + x / 2) * to + o;
                *at = fmax(*at, sum);
            }
}

/* Mean and deviation of map c of [side, side, channels], over rows and columns from..from+wide. */
static void moments(const double *maps, int side, int channels, int c, int row, int column,
                    int wide, double *mean, double *deviation) {
    double sum = 0, square = 0;
    for (int y = row; y < row + wide; y++)
        for (int x = column; x < column + wide; x++) sum += maps[(y * side + x) * channels + c];
    *mean = sum / (wide * wide);
    for (int y = row; y < row + wide; y++)
        for (int x = column; x < column + wide; x++)
            square += pow(maps[(y * side + x) * channels + c] - *mean, 2);
    *deviation = sqrt(square / (wide * wide));
}

static void naive(const float *weights, const uint8_t *image, double *raw) {
    static double pixels[IMAGE], first[16 * 16 * 32], second[8 * 8 * 64];
    double unused;
    for (int i = 0; i < IMAGE; i++) pixels[i] = image[i] / 255.0;
    convolve(pixels, 32, 3, tensor(weights, "conv1_weight"), tensor(weights, "conv1_bias"), 32,
             first);
    convolve(first, 16, 32, tensor(weights, "conv2_weight"), tensor(weights, "conv2_bias"), 64,
             second);
    for (int c = 0; c < 32; c++) {
        moments(first, 16, 32, c, 0, 0, 16, raw + c, raw + 32 + c);
        for (int q = 0; q < 4; q++)
            moments(first, 16, 32, c, q / 2 * 8, q % 2 * 8, 8, raw + 448 + q * 32 + c, &unused);
    }
    for (int c = 0; c < 64; c++) {
        moments(second, 8, 64, c, 0, 0, 8, raw + 64 + c, raw + 128 + c);
        for (int q = 0; q < 4; q++)
            moments(second, 8, 64, c, q / 2 * 4, q % 2 * 4, 4, raw + 192 + q * 64 + c, &unused);
    }
    for (int i = 0; i < AKIN_MAPS; i++) raw[i] = sqrt(raw[i]);
}

static void as_its_twin_at_every_level(void **state) {
    (void)state;
    float *weights = calloc(AKIN_NETWORK_WEIGHTS, sizeof *weights);
    uint8_t images[COUNT * IMAGE];
    akin_network *network;
    assert_non_null(weights);
    akin_network_initialise(3, weights);
    for (size_t i = 0; i < sizeof images; i++) images[i] = (uint8_t)(mix((uint32_t)i / 7) & 255);
    memset(images + 2 * IMAGE, 90, IMAGE); /* a flat picture */
    assert_int_equal(akin_network_create(&network), AKIN_OK);
    FOR_EACH_LEVEL(level) {
        akin_network_maps maps[COUNT], alone;
        float raw[COUNT][AKIN_MAPS], again[AKIN_MAPS];
        akin_network_convolve(network, weights, images, COUNT, maps);
        for (size_t n = 0; n < COUNT; n++) akin_maps_describe(&maps[n], raw[n]);
        for (size_t n = 0; n < COUNT; n++) {
            double wanted[AKIN_MAPS];
            naive(weights, images + n * IMAGE, wanted);
            for (size_t i = 0; i < AKIN_MAPS; i++)
                assert_true(fabs((double)raw[n][i] - wanted[i]) < 2e-3);
            akin_network_convolve(network, weights, images + n * IMAGE, 1, &alone);
            akin_maps_describe(&alone, again);
            assert_memory_equal(again, raw[n], sizeof again);
        }
    }
    akin_network_free(network);
    free(weights);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_its_twin_at_every_level)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
