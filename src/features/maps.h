/* maps: summarises the feature maps of the network's convolutions in few numbers. Not collective.
 * Cannot fail. Pure. A latent holds what is needed to reconstruct a picture; the feature maps
 * before it show what is in the picture, and are better for recognising its kind. For each map, the
 * mean and the standard deviation over all places measure how much of its pattern there is; the
 * means over 2 x 2 quarters show roughly where. */
#ifndef AKIN_MAPS_H
#define AKIN_MAPS_H

#include <akin/network.h>

/* 32 means, 32 deviations; 64 means, 64 deviations; 2 x 2 x 64 means, 2 x 2 x 32 means */
#define AKIN_MAPS 576

/* Replaces these non-negative numbers by their square roots: raw [AKIN_MAPS]. */
void akin_maps_describe(const akin_network_maps *maps, float *raw);

#endif
