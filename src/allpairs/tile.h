/* tile: two panels of rows against each other in 8 bits. Whatever their sketches rule out is never
 * scored, and no product reaches memory. Not collective. Cannot fail. Pure.
 *
 * For a row a and a column b the tile knows the product of the row panel's mean with b, adds to it
 * the product of the sketches and the margin (sketch.h), and so has an upper bound of the score.
 * The pair is a hit where that reaches what the row or the column asks for. Before that, a column
 * whose angle to the row panel's cone is too wide is ruled out with the whole panel, 16 columns at
 * a time.
 *
 * Levels: unsigned by signed bytes, summed in pairs to 16 bits (AVX2, AVX-512) or in fours to 32
 * bits (VNNI, AMX); 16-bit products where there is neither. Which hits are found may differ between
 * levels, for their sketches do.
 *
 * A matrix unit has state of its own: `hits` is called between `begin` and `end`, with the stride
 * that `begin` was told and on the same thread, and nothing in between may use that unit.
 */
#ifndef AKIN_TILE_H
#define AKIN_TILE_H

#include <akin/dot.h>
#include <akin/sketch.h>
#include <stddef.h>
#include <stdint.h>

enum { AKIN_TILE_HITS = AKIN_SKETCH_PANEL * AKIN_SKETCH_PANEL };

typedef struct {
    size_t stride;
    const akin_sketch *row_sketch, *column_sketch;
    const uint8_t *rows;   /* as in sketch.h, in the kernels' format */
    const int8_t *columns; /* so too */
    const int16_t *wrap;   /* so too */
    const int32_t *sums;   /* [48] */
    const float
        *row_least; /* [48]: a score below it is of no use to the row; +infinity: none is of use */
    const float *column_least; /* [48] */
    float row_lowest;          /* the lowest of row_least */
    const float
        *products; /* [48]: the row panel's mean by each column; zeros where the mean is zero */
    float margin;  /* akin_sketch_margin of the two */
} akin_tile_task;

typedef struct {
    const char *name;                               /* "avx2 int8", say */
    akin_sketch_format format;                      /* of the sketches that it takes */
    void (*begin)(size_t stride);                   /* gets the matrix unit ready, if it is one */
    void (*end)(void);                              /* gives it back */
    float (*lowest)(const float *least /* [48] */); /* the lowest of them; no NaN */
    /* Writes the hits, each once; returns how many. *tried: how many pairs had their sketches
     * multiplied. */
    size_t (*hits)(const akin_tile_task *task, akin_dot_hit *hits /* [AKIN_TILE_HITS] */,
                   size_t *tried);
} akin_tile_kernels;

/* The kernels of the active level. */
const akin_tile_kernels *akin_tile(void);

/* From here on these take the place of the level's kernels; NULL: no more. For tests, while there are
 * no blocks. */
void akin_tile_replace(const akin_tile_kernels *kernels);

#endif
