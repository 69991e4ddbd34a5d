/* foreground: the colours of a picture's foreground. Not collective. Cannot fail. Pure. */
#ifndef AKIN_FOREGROUND_H
#define AKIN_FOREGROUND_H

#include <stdint.h>

#define AKIN_FOREGROUND 144 /* 4 lightnesses x 6 x 6 of a, b */

/* Histogram of the pixels' colours in CIE L*a*b* (1976, of sRGB at D65), where distances match
 * perception. Each pixel is shared among the nearest bins; L ranges from 0 to 100, a and b from -70
 * to 70, and values beyond that are counted in the end bins. The weight of a pixel is (1.05 -
 * exp(-(e / 12)^2)) exp(-r^2 / 14^2), where e is its distance from the background colour and r its
 * distance from the picture's centre. The background colour is the median of the 128 pixels of the
 * four sides, separately in L, a and b. The result contains the square roots of the shares, as in
 * handcrafted.h. Columns (L, a, b). picture [32, 32, 3] -> shares [144]. */
void akin_foreground(const uint8_t *picture, float *shares);

#endif
