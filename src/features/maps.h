/* maps: what the network's convolutions hold of a picture, in few numbers. Not collective. Cannot
 * fail. Pure.
 *
 * A latent says what is needed to redraw a picture; the maps before it say what there is in it, and
 * tell more of its kind. Of each map the mean and the standard deviation over all places say how
 * much of what it looks for there is, wherever that lies; the means over 2 x 2 quarters of the
 * second convolution's say roughly where.
 */
#ifndef AKIN_MAPS_H
#define AKIN_MAPS_H

#include <akin/network.h>

#define AKIN_MAPS 448 /* 32 means, 32 deviations; 64 means, 64 deviations; 2 x 2 x 64 means */

/* The square roots of these numbers, which are not negative: raw [AKIN_MAPS]. */
void akin_maps_describe(const akin_network_maps *maps, float *raw);

#endif
