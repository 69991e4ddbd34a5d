/* maps: what the network's convolutions respond to in a picture, in few numbers. Not collective.
 * Cannot fail. Pure. A latent says what is needed to reconstruct a picture; the maps before it
 * say what is in the picture, and are better at telling its kind. For each map, the mean and the
 * standard deviation over all places measure how much of its pattern there is, anywhere; the
 * means over 2 x 2 quarters say roughly where. */
#ifndef AKIN_MAPS_H
#define AKIN_MAPS_H

#include <akin/network.h>

/* 32 means, 32 deviations; 64 means, 64 deviations; 2 x 2 x 64 means, 2 x 2 x 32 means */
#define AKIN_MAPS 576

/* The square roots of these numbers, which are not negative: raw [AKIN_MAPS]. */
void akin_maps_describe(const akin_network_maps *maps, float *raw);

#endif
