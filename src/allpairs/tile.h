/* tile: compares two panels of rows in 8 bits. Pairs that their sketches rule out are never scored,
 * and no product reaches memory. Not collective. Cannot fail. Pure.
 *
 * For a row a and a column b the tile knows the product of the row panel's mean with b. With the
 * product of the sketches and the margin (sketch.h) this is an upper bound of the score. The pair is
 * a hit if the bound reaches the threshold of the row or of the column. Before that, a column whose
 * angle to the row panel's cone is too wide is ruled out for the whole panel, 16 columns at a time.
 *
 * Levels: unsigned times signed bytes, summed in pairs to 16 bits (AVX2, AVX-512) or in fours to 32
 * bits (VNNI, AMX); 16-bit products where there is neither. Levels may find different hits, since
 * their sketches differ.
 *
 * A matrix unit has state: `hits` is called between `begin` and `end`, with the stride given to
 * `begin` and on the same thread, and nothing else may use that unit in between. */
#ifndef AKIN_TILE_H
#define AKIN_TILE_H

#include <akin/dot.h>
#include <akin/sketch.h>
#include <stddef.h>
#include <stdint.h>

enum { AKIN_TILE_FOUND_FROM = 128, AKIN_TILE_HITS = AKIN_SKETCH_PANEL * AKIN_SKETCH_PANEL };

typedef struct {
    size_t stride;
    const akin_sketch *row_sketch, *column_sketch;
    /* As in sketch.h, in the kernels' format. */
    const uint8_t *rows;
    const int8_t *columns;
    const int16_t *wrap;
    const int32_t *sums;       /* [48] */
    const float *row_least;    /* [48]: the row needs no score below it; +infinity: it needs none */
    const float *column_least; /* [48] */
    float
        row_lowest; /* the lowest of row_least; where the mean is zero, any of them below 2 does */
    const float
        *products; /* [48]: the row panel's mean by each column; zeros where the mean is zero */
    float margin;  /* akin_sketch_margin of the two */
    /* [AKIN_TILE_HITS]: gets what decided each hit, the upper bound less the margin, in units of 1 / (S S')
     * (sketch.h), at most one and 2^-22 of it off; NULL: not wanted. Not with a matrix unit; from
     * AKIN_TILE_FOUND_FROM dimensions on */
    int32_t *found;
    const int8_t *next; /* columns that will probably be wanted next, to be fetched; NULL: none */
} akin_tile_task;

/* Thresholds of sums of a score and an offset, as thresholds of scores. */
typedef struct {
    float largest; /* offset */
    float minimum; /* score; -1: none */
    float sure;    /* no threshold is above it */
} akin_tile_sums;

typedef struct {
    const char *name;                               /* "avx2 int8", say */
    akin_sketch_format format;                      /* of the sketches that it takes */
    void (*begin)(size_t stride);                   /* gets the matrix unit ready, if it is one */
    void (*end)(void);                              /* gives it back */
    float (*lowest)(const float *least /* [48] */); /* the lowest of them; no NaN */
    /* Lowers thresholds to those of one more table. */
    void (*lower)(const float *more /* [48] */, float *least /* [48] */);
    void (*lower_to_sums)(const float *more /* [48] */, akin_tile_sums of, float *least /* [48] */);
    /* Writes the hits, each once; returns their number. *tried: the number of pairs whose sketches were
     * multiplied. */
    size_t (*hits)(const akin_tile_task *task, akin_dot_hit *hits /* [AKIN_TILE_HITS] */,
                   size_t *tried);
    /* The same of two row panels by two column panels: tasks[2 i + j] has row panel i and column panel j.
     * NULL: the level gains nothing from it. `next` of the first: two panels side by side. */
    void (*four)(const akin_tile_task tasks[4], akin_dot_hit *const hits[4], size_t counts[4],
                 size_t tried[4]);
    /* What the sketches tell of all pairs' scores, each at most `margin` from it; thresholds are not looked
     * at. NULL: float32 products are as fast. */
    void (*scores)(const akin_tile_task *task, float *scores /* [48, width] */, size_t width);
} akin_tile_kernels;

/* The kernels of the active level. */
const akin_tile_kernels *akin_tile(void);

/* Uses these instead of the level's kernels; NULL: the level's again. For tests, while no block
 * exists. */
void akin_tile_replace(const akin_tile_kernels *kernels);

#endif
