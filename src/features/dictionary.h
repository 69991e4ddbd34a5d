/* dictionary: the whitening and the words of patches.h, learnt from squares of pictures. Not
 * collective.
 *
 * One rank learns, the others are told: what is learnt is a function of the squares and the kind of
 * CPU.
 */
#ifndef AKIN_DICTIONARY_H
#define AKIN_DICTIONARY_H

#include <akin/error.h>
#include <akin/patches.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_DICTIONARY_SQUARES ((size_t)60000) /* as many, about, are worth looking at */
#define AKIN_DICTIONARY_ROUNDS 12

/* Of squares u8 [count, AKIN_PATCHES_VALUES], count > 0, brought to one contrast: the mean; the
 * whitening (covariance + 0.1)^(-1/2) (ZCA: Bell & Sejnowski, "The independent components of
 * natural scenes are edge filters", 1997); and as words the means of the whitened squares' clusters
 * by AKIN_DICTIONARY_ROUNDS rounds of k-means (Lloyd, "Least squares quantization in PCM", 1982),
 * begun with squares evenly spread over the list. The patches are prepared. */
AKIN_MUST_CHECK akin_status akin_dictionary_learn(const uint8_t *squares, size_t count,
                                                  akin_patches *patches);

#endif
