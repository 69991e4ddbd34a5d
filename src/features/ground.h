/* ground: whether a picture shows a thing on one flat colour, as product photographs do. Not
 * collective. Cannot fail. Pure. */
#ifndef AKIN_GROUND_H
#define AKIN_GROUND_H

#include <stdbool.h>
#include <stdint.h>

/* Whether of the pixels of the four sides of a picture [32, 32, 3] four in five are near (within
 * 24 of 255 in each channel) to their median. */
bool akin_ground_is_flat(const uint8_t *picture);

#endif
