/* sketch: rows in 8 bits, with a proven bound on the error of their products. Not collective.
 * Cannot fail. Pure.
 *
 * Rows come in panels of 48. A panel has two sketches, one for each side of a tile (tile.h):
 *
 * - as rows: relative to a mean c of the panel's rows (or of theirs and their neighbours'),
 *   q = round((a - c) S) in [-127, 127], stored as q + 128 in an unsigned byte (in [-63, 63] and
 *   q + 64 where the tile adds in 16 bits: the format);
 * - as columns: q' = round(b S') in [-127, 127].
 *
 * With the residuals r = a - c - q / S and r' = b - q' / S' it holds exactly that
 *
 *   a.b = c.b + (q.q') / (S S') + (q / S).r' + r.b
 *
 * and so, by the Cauchy-Schwarz inequality,
 *
 *   | a.b - c.b - (q.q') / (S S') | <= reach error' + error |b|
 *
 * where error and error' are the longest residuals of the two panels and reach is the longest
 * q / S, all measured after rounding: the bound holds for these bytes, however they were made. The
 * more similar the rows of a panel are, the shorter are their differences from the mean, and the
 * tighter is the bound. akin_sketch_margin adds the possible errors of float32: of the score and of
 * the product c.b (dot.h, akin_dot_bound), and 2^-19 for the arithmetic of thresholds (values below
 * 4 and at most eight roundings of 2^-24).
 *
 * Long rows are turned first, a - c and b alike: by an orthogonal matrix H, which leaves all
 * products and lengths as they are (akin_sketch_turned). The scale follows from the largest of a
 * panel's numbers; those of a network are very unequal, which leaves few of the bits for most of
 * them, and turned they are not: the error halves for such rows, and stays for rows whose numbers
 * are normal.
 *
 * Where the tile adds in 16 bits, scales are chosen so that sums of 64 products fit (a part: every
 * dimension out of 64, or every second pair out of 128): such a part of q has a length of at most
 * 128, of q' at most 255, and 128 x 255 < 2^15.
 *
 * A panel also lies in a cone: none of its rows is further from the mean's direction than an angle
 * R. A row b at an angle T > R from that direction has a score of at most cos(T - R) with every row
 * of the panel; two panels whose directions are T apart have at most cos(T - R1 - R2) if that angle
 * is positive (angles on the sphere are a metric). */
#ifndef AKIN_SKETCH_H
#define AKIN_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AKIN_SKETCH_PANEL = 48 };

typedef struct {
    int row_limit, offset; /* 127 and 128, or 63 and 64 */
    int together;          /* adjacent dimensions of a row: 2 or 4 */
    bool narrow;           /* sums of a part fit 16 bits */
    bool matrix;           /* for a matrix unit: in chunks of dimensions of one width */
} akin_sketch_format;

typedef struct {
    float row_scale, row_error, row_reach; /* S, the longest r, the longest q / S */
    float column_scale, column_error;      /* S', the longest r' */
    float inverse;                /* 1 / |c|; 0 if c is zero: the cone is the whole sphere */
    float cos_radius, sin_radius; /* of R */
    float slack;                  /* for rounding in scores that are estimated from the cone */
} akin_sketch;

/* Dimensions in a group: together / 2 parts of it are summed in 16 bits, dimension t in part t %
 * together / 2. */
static inline size_t akin_sketch_group(akin_sketch_format format) {
    return 32 * (size_t)format.together;
}

static inline size_t akin_sketch_parts(akin_sketch_format format, size_t stride) {
    size_t group = akin_sketch_group(format);
    return (stride + group - 1) / group * (size_t)format.together / 2;
}

/* How many eights of adjacent numbers are turned together, with signs that differ by dimension
 * (the top bit of t t SIGNS), by a Hadamard matrix over the root of how many numbers they are. A
 * power of two; 1: rows are short, and are not turned. */
#define AKIN_SKETCH_SIGNS UINT64_C(0x9E3779B97F4A7C15)
static inline size_t akin_sketch_turned(size_t stride) {
    enum { FROM = 128, MOST = 64 };
    size_t together = 1;
    while (stride >= FROM && together < MOST && stride / 8 % (2 * together) == 0) together *= 2;
    return together;
}

/* A matrix unit takes at most 64 dimensions per step. All chunks have one width, a multiple of
 * 4, so that it is configured once; the stride is padded with zeros. */
static inline size_t akin_sketch_chunks(size_t stride) {
    return (stride + 63) / 64;
}

static inline size_t akin_sketch_chunk(size_t stride) {
    size_t chunks = akin_sketch_chunks(stride);
    return ((stride + chunks - 1) / chunks + 3) / 4 * 4;
}

/* Bytes of a row in a sketch; not less than the stride. */
static inline size_t akin_sketch_width(akin_sketch_format format, size_t stride) {
    return format.matrix ? akin_sketch_chunks(stride) * akin_sketch_chunk(stride) : stride;
}

/* The place of dimension t of a column of the panel: `together` dimensions of it are adjacent. */
static inline size_t akin_sketch_column_place(akin_sketch_format format, size_t column, size_t t) {
    size_t together = (size_t)format.together;
    return t / together * AKIN_SKETCH_PANEL * together + column * together + t % together;
}

/* The position of dimension t of a row: likewise, or in its part of a chunk. */
static inline size_t akin_sketch_row_place(akin_sketch_format format, size_t stride, size_t row,
                                           size_t t) {
    size_t chunk = akin_sketch_chunk(stride);
    return format.matrix ? t / chunk * AKIN_SKETCH_PANEL * chunk + row * chunk + t % chunk
                         : akin_sketch_column_place(format, row, t);
}

/* A mean is used if the square of its length is at least this: the products of a shorter one with
 * all rows cost more than it saves (results/neighbors.md). */
#define AKIN_SKETCH_LEAST_MEAN 0.7

/* The mean of some rows, of one panel or of several; zero where the square of its length is below
 * `least`. rows: unit length, as in dot.h. */
void akin_sketch_mean(const float *rows /* [count, stride] */, size_t count, size_t stride,
                      double least, float *centre /* [stride] */);

/* The cone of a panel's rows around such a mean. count in [1, 48]. */
void akin_sketch_cone(const float *rows /* [count, stride] */, size_t count, size_t stride,
                      size_t dim, const float *centre, akin_sketch *out);

/* Rows, or a mean, in double and turned: all that is put into 8 bits below is taken first, once for
 * both sides. */
void akin_sketch_take(const float *rows /* [count, stride] */, size_t count, size_t stride,
                      double *taken /* [count, stride] */);

/* The panel as rows of a tile, which are taken, as the mean is; NULL: a mean of zero. Rows after
 * `count` equal the mean. */
void akin_sketch_rows(akin_sketch_format format, const double *taken /* [count, stride] */,
                      size_t count, size_t stride, const double *centre /* [stride] */,
                      uint8_t *quantised /* [48 * width] */, akin_sketch *out);

typedef struct {
    int8_t *quantised; /* [48 * width] */
    int16_t *wrap;     /* [groups, 48, together / 2] */
    int32_t *sums;     /* [48] */
} akin_sketch_panel;

/* The panel as columns of a tile; those after `count` are zeros. sums: of a column's q'; wrap:
 * -offset times the sum of its q' over every part, modulo 2^16. */
void akin_sketch_columns(akin_sketch_format format, const double *taken /* [count, stride] */,
                         size_t count, size_t stride, const akin_sketch_panel *panel,
                         akin_sketch *out);

/* A row, or a part of one, by itself: q = round(x S) in [-127, 127] of x, turned. For two of
 * them, as above, | x.y - (q.q') / (S S') | <= reach error' + error length'. */
typedef struct {
    float unit, error; /* 1 / S, the length of x - q / S */
    float length;      /* of x; not less */
    int32_t sum;       /* of q */
    float reach;       /* the length of q / S */
} akin_sketch_single;

/* taken: as above. stride: a multiple of 64. */
void akin_sketch_one(const double *taken /* [stride] */, size_t stride,
                     int8_t *quantised /* [stride] */, akin_sketch_single *out);

/* How far a score may be from c.b + (q.q') / (S S'). */
float akin_sketch_margin(const akin_sketch *rows, const akin_sketch *columns, size_t dim);

/* No score between the two panels is above this; product: of their means (akin_dot one_many). */
float akin_sketch_cones(const akin_sketch *a, const akin_sketch *b, float product);

#endif
