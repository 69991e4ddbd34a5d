/* patches: encodes small squares of a picture with a dictionary of such squares. Not collective.
 * After Coates, Ng & Lee, "An analysis of single-layer networks in unsupervised feature learning",
 * 2011. Each of the 27 x 27 squares of 6 x 6 pixels is normalised in contrast (minus its mean,
 * divided by sqrt(variance + 10) of values up to 255), whitened, and encoded by how much nearer
 * than average it is to each word of the dictionary: max(0, mean distance - distance). The
 * description of a picture is the mean of these codes over each of the four quarters (rows and
 * columns 0..13 and 14..26). One rank learns the dictionary and broadcasts it: it is a function of
 * the squares and the kind of CPU. */
#ifndef AKIN_PATCHES_H
#define AKIN_PATCHES_H

#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_PATCHES_SIDE 6
#define AKIN_PATCHES_VALUES 108 /* values of a square: row, column, channel */
#define AKIN_PATCHES_WORDS 400
#define AKIN_PATCHES_RAW 1600                /* columns (quarter row, quarter column, word) */
#define AKIN_PATCHES_SQUARES ((size_t)60000) /* for learning; many more do not help */
#define AKIN_PATCHES_ROUNDS 12

typedef struct akin_patches akin_patches;

AKIN_MUST_CHECK akin_status akin_patches_create(akin_patches **out); /* all zero */
void akin_patches_free(akin_patches *patches);                       /* NULL is fine */

/* Borrowed; may be written to, followed by akin_patches_prepare. */
float *
akin_patches_mean(akin_patches *patches); /* [AKIN_PATCHES_VALUES], subtracted before whitening */
float *akin_patches_whitening(
    akin_patches *patches); /* [AKIN_PATCHES_VALUES, AKIN_PATCHES_VALUES], symmetric */
float *
akin_patches_words(akin_patches *patches); /* [AKIN_PATCHES_WORDS, AKIN_PATCHES_VALUES], whitened */

/* Precomputes from these three what descriptions need. */
void akin_patches_prepare(akin_patches *patches);

/* picture [32, 32, 3] -> raw [AKIN_PATCHES_RAW]; a function of the picture and these three. */
void akin_patches_describe(akin_patches *patches, const uint8_t *picture, float *raw);

/* Normalises the contrast of `count` squares [count, AKIN_PATCHES_VALUES]. */
void akin_patches_normalise(const uint8_t *squares, size_t count, float *values);

/* Learns from squares u8 [count, AKIN_PATCHES_VALUES], count > 0, normalised in contrast: the mean;
 * the whitening (covariance + 0.1)^(-1/2) (ZCA: Bell & Sejnowski, "The independent components of
 * natural scenes are edge filters", 1997); and the words, which are the cluster means of the
 * whitened squares after AKIN_PATCHES_ROUNDS rounds of k-means (Lloyd, "Least squares quantization
 * in PCM", 1982), started with squares evenly spaced over the list. Also prepares the patches. */
AKIN_MUST_CHECK akin_status akin_patches_learn(const uint8_t *squares, size_t count,
                                               akin_patches *patches);

typedef struct {
    /* pooled [WORDS] += max(0, mean over words of z - z), z = sqrt(max(0, square - 2 products +
     * word_squares)). */
    void (*activate)(const float *products, const float *word_squares, float square, float *pooled);
    float (*square)(const float *values); /* of VALUES numbers */
} akin_patches_kernels;

#endif
