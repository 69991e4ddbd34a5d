/* foreground: the colours of what is in front of a picture's background. Not collective. Cannot
 * fail. Pure. */
#ifndef AKIN_FOREGROUND_H
#define AKIN_FOREGROUND_H

#include <stdint.h>

#define AKIN_FOREGROUND 144 /* 4 lightnesses x 6 x 6 of a, b */

/* Histogram of the pixels' colours in CIE L*a*b* (1976, of sRGB at D65), where distances match
 * perception: each pixel is shared among the nearest bins; L from 0 to 100, a and b from -70 to
 * 70, values beyond go to the end bins. A pixel's weight is (1.05 - exp(-(e / 12)^2)) exp(-r^2 /
 * 14^2), where e is its distance from the background, which is the median of the 128 pixels of
 * the four sides, separately in L, a and b, and r that from the picture's centre. The square
 * roots of the shares, as in handcrafted.h. Columns (L, a, b). picture [32, 32, 3] -> shares
 * [144]. */
void akin_foreground(const uint8_t *picture, float *shares);

#endif
