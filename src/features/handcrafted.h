/* handcrafted: colour, edges and texture of a 32x32 picture, as classical image descriptors. Not
 * collective. Cannot fail. Pure. Histograms are given as the square roots of their shares: their
 * dot product is then Bhattacharyya's coefficient, and distances are Hellinger's (Arandjelovic &
 * Zisserman, "Three things everyone should know to improve object retrieval", 2012). Grey is (299 R
 * + 587 G + 114 B) / 1000. */
#ifndef AKIN_HANDCRAFTED_H
#define AKIN_HANDCRAFTED_H

#include <stdint.h>

#define AKIN_HANDCRAFTED_COLOUR 112 /* 12 hues x 3 saturations x 3 values, and 4 greys */
#define AKIN_HANDCRAFTED_EDGES 512  /* 8 x 8 cells of 8 directions */
#define AKIN_HANDCRAFTED_TEXTURE 59 /* 58 uniform patterns and the rest */

/* Histogram of hue, saturation and value (Swain & Ballard, "Color indexing", 1991): each pixel
 * is shared among the nearest bins by its distance from their centres; hue is circular. A pixel
 * counts as coloured to the degree that its hue is recognisable, min(1, 4 x saturation x value);
 * the rest goes to greys by value. Columns (hue, saturation, value), then the greys from black
 * on. picture [32, 32, 3] -> colour [112]. */
void akin_handcrafted_colour(const uint8_t *picture, float *colour);

/* Histograms of oriented gradients (Dalal & Triggs, "Histograms of oriented gradients for human
 * detection", 2005): 8 unsigned directions in 8 x 8 cells of 4 x 4 pixels, each pixel's gradient
 * (of the channel where it is largest, by central differences, with the border replicated)
 * shared among the nearest cells and directions. A cell is divided by the length of the 3 x 3
 * cells around it, with the border replicated, and clipped at 0.4: like their overlapping
 * blocks, but with each cell once. Columns (cell row, cell column, direction). picture [32, 32,
 * 3] -> edges [512]. */
void akin_handcrafted_edges(const uint8_t *picture, float *edges);

/* Histogram of local binary patterns (Ojala, Pietikainen & Maenpaa, "Multiresolution gray-scale
 * and rotation invariant texture classification with local binary patterns", 2002): which of the
 * 8 neighbours, from the right one counter-clockwise, are lighter than the pixel by at least 2 %
 * of white, with the border replicated; patterns with at most two changes around the circle have
 * a column each, in ascending order of their code, all others share the last. picture [32, 32,
 * 3] -> texture [59]. */
void akin_handcrafted_texture(const uint8_t *picture, float *texture);

#endif
