/* manifold: what small squares of a picture stand for, by the squares that they are found among. Not
 * collective.
 *
 * After Chen, Yun, Ma, Olshausen & LeCun, "Minimalistic unsupervised representation learning with
 * the sparse manifold transform", 2022 (arXiv 2209.15261). Each of the 14 x 14 squares of 6 x 6
 * pixels, two pixels apart, less its mean, whitened and of unit length, is told by the words of a
 * dictionary whose cosine with it is above 0.3: a code of zeros and ones. A square without contrast
 * (its standard deviation is below AKIN_MANIFOLD_PLAIN of 255) would be told by noise; instead it
 * has a word of its own, the last. The axes turn a code, less the mean code, into a vector in which
 * squares that occur together lie near each other (akin_manifold_solve); it is brought to unit
 * length. A picture is the mean of such vectors over each of 4 x 4 places.
 *
 * A code is a function of picture and dictionary, to the bit on one kind of CPU.
 */
#ifndef AKIN_MANIFOLD_H
#define AKIN_MANIFOLD_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_MANIFOLD_SIDE 6
#define AKIN_MANIFOLD_VALUES 108 /* of a square: row, column, channel */
#define AKIN_MANIFOLD_ALONG 14   /* squares along a side of a picture */
#define AKIN_MANIFOLD_SQUARES (AKIN_MANIFOLD_ALONG * AKIN_MANIFOLD_ALONG)
#define AKIN_MANIFOLD_STEP 2     /* pixels from a square to the next */
#define AKIN_MANIFOLD_PLAIN 2.5  /* contrast, of values to 255 */
#define AKIN_MANIFOLD_ATOMS 2048 /* words that are squares, at most; a multiple of 64 */
#define AKIN_MANIFOLD_AXES 128   /* of a square's vector */
#define AKIN_MANIFOLD_CONTEXT 5  /* squares along a side of a neighbourhood */
#define AKIN_MANIFOLD_RAW (16 * AKIN_MANIFOLD_AXES) /* columns (place row, place column, axis) */

typedef struct akin_manifold akin_manifold;

/* Square number `place` < AKIN_MANIFOLD_SQUARES of a picture [32, 32, 3]; square u8 [VALUES]. */
void akin_manifold_cut(const uint8_t *picture, size_t place, uint8_t *square);
/* One square u8 [VALUES] less its own mean, of values to 1, less `mean` [VALUES]; whether it is plain. */
bool akin_manifold_centre_square(const uint8_t *square, const float *mean, float *values);

/* All zero. atoms: a multiple of 64 from AKIN_MANIFOLD_AXES to AKIN_MANIFOLD_ATOMS; the dictionary
 * has atoms + 1 words. */
AKIN_MUST_CHECK akin_status akin_manifold_create(size_t atoms, akin_manifold **out);
void akin_manifold_free(akin_manifold *manifold); /* NULL is fine */

size_t akin_manifold_atoms(const akin_manifold *manifold);
size_t akin_manifold_words(const akin_manifold *manifold); /* atoms + 1 */

/* Borrowed, may be written; akin_manifold_prepare follows. */
float *akin_manifold_mean(akin_manifold *manifold);       /* [AKIN_MANIFOLD_VALUES] */
float *akin_manifold_whitening(akin_manifold *manifold);  /* [VALUES, VALUES], symmetric */
float *akin_manifold_dictionary(akin_manifold *manifold); /* [atoms, VALUES], unit length or zero */
float *akin_manifold_share(akin_manifold *manifold);      /* [words], the mean code */
float *akin_manifold_axes(akin_manifold *manifold);       /* [words, AKIN_MANIFOLD_AXES] */

/* What describing needs of these, computed once. */
void akin_manifold_prepare(akin_manifold *manifold);

/* picture [32, 32, 3] -> raw [AKIN_MANIFOLD_RAW]. */
void akin_manifold_describe(akin_manifold *manifold, const uint8_t *picture, float *raw);

/* The words of each square of a picture, ascending: codes [SQUARES, words], of which counts
 * [SQUARES] are written. */
void akin_manifold_encode(akin_manifold *manifold, const uint8_t *picture, uint16_t *codes,
                          uint16_t *counts);

/* --- learning --- */

/* Of squares u8 [count, AKIN_MANIFOLD_VALUES], count > 0, those with contrast: mean, whitening
 * (covariance + 1e-3)^(-1/2) of values to 1, and evenly spread over the list the words. At most
 * AKIN_MANIFOLD_LEARNT squares. */
#define AKIN_MANIFOLD_LEARNT ((size_t)65536)
AKIN_MUST_CHECK akin_status akin_manifold_learn(akin_manifold *manifold, const uint8_t *squares,
                                                size_t count);

/* The axes: the largest solutions v of C v = value V v, v V v = 1, where V is the covariance of
 * codes and C that of codes averaged over a neighbourhood, [words, words], used up; of both the
 * elements [i, j] with j >= i are read. */
AKIN_MUST_CHECK akin_status akin_manifold_solve(akin_manifold *manifold, double *near,
                                                double *alone);

typedef struct {
    /* Numbers k < count, a multiple of 16, with products[k] > limit, ascending; how many. */
    size_t (*above)(const float *products, size_t count, float limit, uint16_t *list);
    float (*square)(const float *values); /* of AKIN_MANIFOLD_VALUES, in one order of the level */
    /* pooled [AXES] += v / |v|, v = the sum of the listed rows of axes - centre; nothing where v is
     * zero. */
    void (*pool)(const float *axes, const float *centre, const uint16_t *list, size_t count,
                 float *pooled);
} akin_manifold_kernels;

#endif
