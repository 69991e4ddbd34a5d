/* augment: modified views of a picture for training: slightly cropped, shifted, mirrored, with
 * other lighting, damaged. Pure: no allocation, no globals. Not collective. Cannot fail. A view
 * is a function of (seed, epoch, item, view) and the picture alone: the same at any number of
 * ranks, in any batch and after any resume. The changes follow SimCLR (Chen et al., "A simple
 * framework for contrastive learning of visual representations", 2020), with strengths suited to
 * a shop: colour distinguishes products, so it is changed little and never removed, and no crop
 * leaves less than most of the product. Damage is that of denoising autoencoders (Vincent et
 * al., "Extracting and composing robust features with denoising autoencoders", 2008) and of
 * Cutout (DeVries & Taylor 2017). */
#ifndef AKIN_AUGMENT_H
#define AKIN_AUGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_AUGMENT_SIDE 32 /* pixels of 3 channels */
#define AKIN_AUGMENT_BYTES (AKIN_AUGMENT_SIDE * AKIN_AUGMENT_SIDE * 3)

/* The maximum of each change; each is drawn again for each view. All zero and not mirrored: the
 * unmodified picture. */
typedef struct {
    float crop;       /* share of the width, and of the height, that is cropped; the rest fills
                       * the picture */
    float shift;      /* maximum shift as a share of the side, with the edge's pixels repeated */
    float brightness; /* all channels are multiplied by 1 - this to 1 + this */
    float colour;     /* and each channel by its own number, 1 - this to 1 + this */
    float masked;     /* share of the picture under squares of its mean colour */
    float noise;      /* standard deviation, where white is 1; always this value, not a maximum */
    bool mirrored;    /* every second view is mirrored left to right */
} akin_augment;

/* The key of a view. Items below 2^44, views below 16. */
typedef struct {
    uint64_t seed;
    uint32_t epoch;
    uint64_t item;
    uint32_t view;
} akin_augment_key;

/* The views of the objectives, times a strength: 0 none, 1 the tuned value
 * (results/objectives.md). At strength 0 nothing is mirrored either. */
akin_augment akin_augment_damage(double strength); /* of denoising */
akin_augment akin_augment_pair(double strength);   /* of contrastive */

/* The view `out` of a picture, both u8 [32, 32, 3]; not the same array. */
void akin_augment_view(const akin_augment *how, const akin_augment_key *key, const uint8_t *image,
                       uint8_t *out);

#endif
