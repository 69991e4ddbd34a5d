/* manifold: describes small squares of a picture by the squares that they usually occur with. Not
 * collective.
 *
 * After Chen, Yun, Ma, Olshausen & LeCun, "Minimalistic unsupervised representation learning with
 * the sparse manifold transform", 2022 (arXiv 2209.15261). A picture has 14 x 14 squares of 6 x 6
 * pixels, two pixels apart. Each square is centred, whitened and normalised, and is represented by
 * the words of a dictionary whose cosine with it is above 0.3: a code of zeros and ones. A square
 * without contrast (standard deviation below AKIN_MANIFOLD_PLAIN of 255) would be represented by
 * noise; it has a word of its own instead, the last one. The axes map a code, minus the mean code,
 * to a vector, such that squares that occur together are close to each other (akin_manifold_solve);
 * the vector is normalised. The description of a picture is the mean of these vectors over each of
 * 4 x 4 places.
 *
 * Codes are a function of picture and dictionary, bit-identical on CPUs of the same kind. */
#ifndef AKIN_MANIFOLD_H
#define AKIN_MANIFOLD_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_MANIFOLD_SIDE 6
#define AKIN_MANIFOLD_VALUES 108 /* values of a square: row, column, channel */
#define AKIN_MANIFOLD_ALONG 14   /* squares along a side of a picture */
#define AKIN_MANIFOLD_SQUARES (AKIN_MANIFOLD_ALONG * AKIN_MANIFOLD_ALONG)
#define AKIN_MANIFOLD_STEP 2     /* pixels between neighbouring squares */
#define AKIN_MANIFOLD_PLAIN 2.5  /* standard deviation, of values up to 255 */
#define AKIN_MANIFOLD_ATOMS 2048 /* most words that are squares; a multiple of 64 */
#define AKIN_MANIFOLD_AXES 128   /* columns of a square's vector */
#define AKIN_MANIFOLD_CONTEXT 5  /* squares along a side of a neighbourhood */
#define AKIN_MANIFOLD_RAW (16 * AKIN_MANIFOLD_AXES) /* columns (place row, place column, axis) */

typedef struct akin_manifold akin_manifold;

/* Copies square number `place` < AKIN_MANIFOLD_SQUARES of a picture [32, 32, 3] to square u8
 * [VALUES]. */
void akin_manifold_cut(const uint8_t *picture, size_t place, uint8_t *square);
/* Centres a square u8 [VALUES]: scales values to at most 1 and subtracts its own mean and `mean`
 * [VALUES]. Returns whether it is plain. */
bool akin_manifold_centre_square(const uint8_t *square, const float *mean, float *values);

/* All parameters are zero. atoms: a multiple of 64 from AKIN_MANIFOLD_AXES to AKIN_MANIFOLD_ATOMS;
 * the dictionary has atoms + 1 words. */
AKIN_MUST_CHECK akin_status akin_manifold_create(size_t atoms, akin_manifold **out);
void akin_manifold_free(akin_manifold *manifold); /* NULL is fine */

size_t akin_manifold_atoms(const akin_manifold *manifold);
size_t akin_manifold_words(const akin_manifold *manifold); /* atoms + 1 */

/* Borrowed; may be written to, followed by akin_manifold_prepare. */
float *akin_manifold_mean(akin_manifold *manifold);       /* [AKIN_MANIFOLD_VALUES] */
float *akin_manifold_whitening(akin_manifold *manifold);  /* [VALUES, VALUES], symmetric */
float *akin_manifold_dictionary(akin_manifold *manifold); /* [atoms, VALUES], unit length or zero */
float *akin_manifold_share(akin_manifold *manifold);      /* [words], the mean code */
float *akin_manifold_axes(akin_manifold *manifold);       /* [words, AKIN_MANIFOLD_AXES] */

/* Precomputes from the parameters what descriptions need. */
void akin_manifold_prepare(akin_manifold *manifold);

/* picture [32, 32, 3] -> raw [AKIN_MANIFOLD_RAW]. */
void akin_manifold_describe(akin_manifold *manifold, const uint8_t *picture, float *raw);

/* The words of each square of a picture, ascending: codes [SQUARES, words], the first counts
 * [SQUARES] of each are set. */
void akin_manifold_encode(akin_manifold *manifold, const uint8_t *picture, uint16_t *codes,
                          uint16_t *counts);

/* --- learning --- */

/* Learns from those squares of u8 [count, AKIN_MANIFOLD_VALUES], count > 0, that have contrast: the
 * mean; the whitening (covariance + 1e-3)^(-1/2) of values up to 1; and the words, which are
 * squares evenly spread over the list. Uses at most AKIN_MANIFOLD_LEARNT squares. */
#define AKIN_MANIFOLD_LEARNT ((size_t)65536)
AKIN_MUST_CHECK akin_status akin_manifold_learn(akin_manifold *manifold, const uint8_t *squares,
                                                size_t count);

/* Computes the axes: the solutions v of C v = value V v, v V v = 1, with the largest values, where
 * V is the covariance of codes and C that of codes averaged over a neighbourhood. Both are [words,
 * words]; their elements [i, j] with j >= i are read, and both are overwritten. */
AKIN_MUST_CHECK akin_status akin_manifold_solve(akin_manifold *manifold, double *near,
                                                double *alone);

typedef struct {
    /* Writes the numbers k < count with products[k] > limit, ascending, and returns how many.
     * count: a multiple of 16. */
    size_t (*above)(const float *products, size_t count, float limit, uint16_t *list);
    float (*square)(const float *values); /* of VALUES numbers */
    /* pooled [AXES] += v / |v|, where v is the sum of (axes - centre) over the listed rows; nothing
     * is added where v is zero. */
    void (*pool)(const float *axes, const float *centre, const uint16_t *list, size_t count,
                 float *pooled);
} akin_manifold_kernels;

#endif
