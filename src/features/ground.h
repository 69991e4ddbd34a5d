/* ground: whether a picture shows an object on a background of one colour, as product photographs
 * do. Not collective. Cannot fail. Pure. */
#ifndef AKIN_GROUND_H
#define AKIN_GROUND_H

#include <stdbool.h>
#include <stdint.h>

/* Whether at least four fifths of the pixels on the four sides of a picture [32, 32, 3] are close
 * to their median (within 24 of 255 in each channel). */
bool akin_ground_is_flat(const uint8_t *picture);

#endif
