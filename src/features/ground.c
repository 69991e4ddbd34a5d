/* ground: see ground.h. */
#include "ground.h"
#include <stddef.h>
#include <stdlib.h>

enum { SIDE = 32, SIDES = 4 * SIDE, NEAR = 24, FLAT = SIDES * 4 / 5 };

/* Pixel n of the four sides; a corner belongs to two sides. */
static const uint8_t *side_pixel(const uint8_t *picture, size_t n) {
    size_t at = n % SIDE, row = at, column = at;
    if (n / SIDE == 0) row = 0;
    if (n / SIDE == 1) row = SIDE - 1;
    if (n / SIDE == 2) column = 0;
    if (n / SIDE == 3) column = SIDE - 1;
    return picture + (row * SIDE + column) * 3;
}

bool akin_ground_is_flat(const uint8_t *picture) {
    size_t near = 0;
    int median[3];
    for (size_t c = 0; c < 3; c++) {
        size_t counts[256] = {0}, seen = 0;
        for (size_t n = 0; n < SIDES; n++) counts[side_pixel(picture, n)[c]]++;
        for (median[c] = 0; (seen += counts[median[c]]) <= SIDES / 2;) median[c]++;
    }
    for (size_t n = 0; n < SIDES; n++) {
        const uint8_t *pixel = side_pixel(picture, n);
        bool all = true;
        for (size_t c = 0; c < 3; c++) all = all && abs(pixel[c] - median[c]) <= NEAR;
        near += all;
    }
    return near >= FLAT;
}
