/* augment: another view of a picture, as training shows it: cut a little, moved, mirrored, lit
 * otherwise, damaged. Pure: no allocation, no globals. Not collective. Cannot fail.
 *
 * A view is a function of (seed, epoch, item, view) and the picture alone: the same at any number
 * of ranks, in any batch and after any resume. What is done follows SimCLR (Chen et al., "A simple
 * framework for contrastive learning of visual representations", 2020), with the strengths of a
 * shop: colour tells products apart, so it is changed little and never taken away, and no cut
 * leaves less than most of the product. Damage is that of denoising autoencoders (Vincent et al.,
 * "Extracting and composing robust features with denoising autoencoders", 2008) and of Cutout
 * (DeVries & Taylor 2017).
 */
#ifndef AKIN_AUGMENT_H
#define AKIN_AUGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_AUGMENT_SIDE 32 /* pixels of 3 channels */
#define AKIN_AUGMENT_BYTES (AKIN_AUGMENT_SIDE * AKIN_AUGMENT_SIDE * 3)

/* The most of each change; each is drawn anew for each view. All zero and not mirrored: the picture
 * as it is. */
typedef struct {
    float crop;       /* share of the width, and of the height, that is cut away; the rest fills the
                         picture */
    float shift;      /* share of the side by which it is moved, the edge's pixels repeated */
    float brightness; /* all channels are multiplied by 1 - this to 1 + this */
    float colour;     /* and each channel by a number of its own, 1 - this to 1 + this */
    float masked;     /* share of the picture under squares of its mean colour */
    float noise; /* standard deviation, where white is 1; not the most of it, but always so much */
    bool mirrored; /* left and right change places in every second view */
} akin_augment;

/* What a view is drawn from. Items below 2^44, views below 16. */
typedef struct {
    uint64_t seed;
    uint32_t epoch;
    uint64_t item;
    uint32_t view;
} akin_augment_key;

/* The views of the objectives, times a strength: 0 none, 1 what was found best
 * (results/objectives.md). Where the strength is 0, nothing is mirrored either. */
akin_augment akin_augment_damage(double strength); /* of denoising */
akin_augment akin_augment_pair(double strength);   /* of contrastive */

/* The view `out` of a picture, both u8 [32, 32, 3]; not the same array. */
void akin_augment_view(const akin_augment *how, const akin_augment_key *key, const uint8_t *image,
                       uint8_t *out);

#endif
