/* maps: see maps.h. */
#include "maps.h"
#include <math.h>
#include <string.h>

enum { FIRST = 32, SECOND = 64, SIDE1 = 16, SIDE2 = 8 };

/* Means and deviations of `channels` maps over side x side places: raw [2, channels]. */
static void measure(const float *maps, size_t side, size_t row, size_t channels, float *raw) {
    double sum[SECOND] = {0}, square[SECOND] = {0}, places = (double)(side * side);
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < side; x++)
            for (size_t c = 0; c < channels; c++) {
                double value = (double)maps[y * row + x * channels + c];
                sum[c] += value;
                square[c] += value * value;
            }
    for (size_t c = 0; c < channels; c++) {
        double mean = sum[c] / places, variance = square[c] / places - mean * mean;
        raw[c] = (float)sqrt(mean);
        raw[channels + c] = (float)sqrt(sqrt(fmax(0, variance)));
    }
}

/* Means of `channels` maps over each quarter of side x side places: raw [2, 2, channels]. */
static void measure_quarters(const float *maps, size_t side, size_t row, size_t channels,
                             float *raw) {
    float sum[4 * SECOND] = {0};
    size_t half = side / 2;
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < side; x++)
            for (size_t c = 0; c < channels; c++)
                sum[(y / half * 2 + x / half) * channels + c] += maps[y * row + x * channels + c];
    for (size_t i = 0; i < 4 * channels; i++) raw[i] = sqrtf(sum[i] / (float)(half * half));
}

void akin_maps_describe(const akin_network_maps *maps, float *raw) {
    const size_t row2 = (size_t)SIDE2 * SECOND;
    measure(maps->first, SIDE1, AKIN_NETWORK_MAPS1_ROW, FIRST, raw);
    measure(maps->second, SIDE2, row2, SECOND, raw + (size_t)2 * FIRST);
    raw += (size_t)2 * (FIRST + SECOND);
    measure_quarters(maps->second, SIDE2, row2, SECOND, raw);
    measure_quarters(maps->first, SIDE1, AKIN_NETWORK_MAPS1_ROW, FIRST, raw + (size_t)4 * SECOND);
}
