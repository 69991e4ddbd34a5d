/* manifold_learn: the dictionary of a manifold, from squares, and its axes, from covariances of
 * codes. Both run on one rank; the results are broadcast. */
#include "covariance.h"
#include "manifold.h"
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <string.h>

#define VALUES ((size_t)AKIN_MANIFOLD_VALUES)
#define AXES ((size_t)AKIN_MANIFOLD_AXES)
#define EVEN 1e-3  /* added to each eigenvalue, so that small ones are not amplified */
#define RIDGE 1e-5 /* added to a word's variance, as a share of the mean over all words */

/* --- the dictionary --- */

typedef struct {
    size_t count;
    float *values; /* [count, VALUES]: squares with contrast */
    akin_covariance *covariance;
    double *matrix, *vectors; /* [VALUES, VALUES] */
} study;

static akin_status find_covariance(study *s, float *mean) {
    akin_status status;
    AKIN_TRY(akin_covariance_create(VALUES, &s->covariance));
    AKIN_TRY(akin_covariance_see(s->covariance, s->values, s->count));
    akin_covariance_mean(s->covariance, s->count, mean);
    AKIN_TRY(akin_covariance_scale(s->covariance,
                                   akin_covariance_measure(s->covariance, s->values, s->count)));
    for (size_t at = 0; at < s->count; at += AKIN_COVARIANCE_BLOCK)
        akin_covariance_add(s->covariance, s->values + at * VALUES,
                            s->count - at < AKIN_COVARIANCE_BLOCK ? s->count - at
                                                                  : AKIN_COVARIANCE_BLOCK);
    akin_covariance_get(s->covariance, s->count, s->matrix);
done:
    return status;
}

/* word = (square - mean) * whitening, of unit length. */
static void make_word(const float *square, const float *mean, const float *whitening, float *word) {
    double white[AKIN_MANIFOLD_VALUES] = {0}, length = 0;
    for (size_t v = 0; v < VALUES; v++) {
        double centred = (double)square[v] - (double)mean[v];
        for (size_t w = 0; w < VALUES; w++) white[w] += centred * (double)whitening[v * VALUES + w];
    }
    for (size_t w = 0; w < VALUES; w++) length += white[w] * white[w];
    for (size_t w = 0; w < VALUES; w++) word[w] = length > 0 ? (float)(white[w] / sqrt(length)) : 0;
}

/* Centred values of the squares that have contrast. */
static void keep_contrast(study *s, const uint8_t *squares, size_t count) {
    static const float none[AKIN_MANIFOLD_VALUES];
    for (size_t i = 0; i < count; i++)
        s->count +=
            !akin_manifold_centre_square(squares + i * VALUES, none, s->values + s->count * VALUES);
}

akin_status akin_manifold_learn(akin_manifold *manifold, const uint8_t *squares, size_t count) {
    akin_status status = AKIN_FAILED;
    study s = {0};
    size_t atoms = akin_manifold_atoms(manifold);
    float *mean = akin_manifold_mean(manifold), *whitening = akin_manifold_whitening(manifold),
          *dictionary = akin_manifold_dictionary(manifold);
    AKIN_ASSERT(count > 0 && count <= AKIN_MANIFOLD_LEARNT);
    s.values = akin_mem_alloc(count, VALUES * sizeof *s.values);
    s.matrix = akin_mem_zalloc(VALUES, VALUES * sizeof *s.matrix);
    s.vectors = akin_mem_alloc(VALUES, VALUES * sizeof *s.vectors);
    if (!s.values || !s.matrix || !s.vectors) goto done;
    keep_contrast(&s, squares, count);
    memset(mean, 0, VALUES * sizeof *mean);
    memset(dictionary, 0, atoms * VALUES * sizeof *dictionary);
    if (s.count > 0) AKIN_TRY(find_covariance(&s, mean));
    AKIN_TRY(akin_linalg_whitening(s.matrix, VALUES, EVEN, s.vectors, whitening));
    for (size_t k = 0; s.count > 0 && k < atoms; k++)
        make_word(s.values + k * s.count / atoms * VALUES, mean, whitening,
                  dictionary + k * VALUES);
    akin_manifold_prepare(manifold);
done:
    akin_mem_free(s.values);
    akin_mem_free(s.matrix);
    akin_mem_free(s.vectors);
    akin_covariance_free(s.covariance);
    return status;
}

/* --- the axes --- */

akin_status akin_manifold_solve(akin_manifold *manifold, double *near, double *alone) {
    akin_status status = AKIN_FAILED;
    size_t words = akin_manifold_words(manifold);
    float *axes = akin_manifold_axes(manifold);
    double trace = 0, values[AKIN_MANIFOLD_AXES];
    double *vectors = akin_mem_alloc(AXES, words * sizeof *vectors);
    if (!vectors) goto done;
    for (size_t w = 0; w < words; w++) trace += alone[w * words + w];
    for (size_t w = 0; w < words; w++)
        alone[w * words + w] += trace > 0 ? RIDGE * trace / (double)words : 1;
    AKIN_TRY(akin_linalg_eigenvectors_of_pair(near, alone, words, AXES, values, vectors));
    for (size_t w = 0; w < words; w++)
        for (size_t a = 0; a < AXES; a++)
            axes[w * AXES + a] = values[a] > 0 ? (float)vectors[a * words + w] : 0;
    akin_manifold_prepare(manifold);
done:
    akin_mem_free(vectors);
    return status;
}
