/* features: what an embedding is made of: the table of kinds and of their parts, and a choice
 * among them. Not collective. A part describes a picture by a number of raw values. `train` fits
 * the mean of each and its axes of largest variance (projection.h); the part's vector is the
 * picture's projection onto these axes. A kind with one part uses that vector; otherwise each is
 * normalised (but see akin_part_keeps_length) and multiplied by its weight, and they are
 * concatenated: so the cosine is the mean of the parts' cosines, each with weight^2 (late
 * fusion). If there are more columns than `dim`, they are projected once more. */
#ifndef AKIN_FEATURES_H
#define AKIN_FEATURES_H

#include <akin/error.h>
#include <akin/text.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum {
    AKIN_PART_LATENT,     /* the network's */
    AKIN_PART_PIXELS,     /* values of the picture in [0, 1] */
    AKIN_PART_COLOUR,     /* handcrafted.h */
    AKIN_PART_EDGES,      /* handcrafted.h */
    AKIN_PART_TEXTURE,    /* handcrafted.h */
    AKIN_PART_FOREGROUND, /* foreground.h */
    AKIN_PART_PATCHES,    /* patches.h */
    AKIN_PART_SHAPE,      /* the edges of handcrafted.h, made steady */
    AKIN_PART_MAPS,       /* maps.h: the responses of the network's convolutions */
    AKIN_PART_MANIFOLD,   /* manifold.h */
    AKIN_PART_PRETRAINED, /* catalog.h: a trained network's output for the picture */
    AKIN_PARTS,
} akin_part;

#define AKIN_FEATURES_MAX_DIM 2048 /* the limit of `neighbors` */

const char *akin_part_name(akin_part part); /* "latent"; static */
size_t akin_part_raw(akin_part part);       /* raw features per picture; 0: akin_features_raw */
/* The part is not normalised when joined with others: a histogram of colours, which hardly
 * distinguishes grey pictures, then has little weight among them. */
bool akin_part_keeps_length(akin_part part);
bool akin_part_network(akin_part part); /* it needs a trained network */
/* The axes are those of the covariance after division by how much other views of a picture differ
 * from it (projection.h, model.h): changes by shifting, cropping or mirroring then have little
 * weight. */
bool akin_part_steady(akin_part part);

typedef struct {
    double weight; /* 0: the part is left out */
    double whiten; /* power of the eigenvalues: 0 = rotated only, 0.5 = unit variance */
    size_t dim;    /* number of axes kept, <= akin_part_raw */
    bool given;    /* the weight was given by the user, and is not chosen on the catalogue */
} akin_features_part;

/* A resolved choice; a function of the options alone. */
typedef struct {
    const char *name; /* of the kind, static */
    akin_features_part parts[AKIN_PARTS];
    size_t dim;        /* columns of a vector */
    bool tuned;        /* weights that are not given are chosen on the catalogue (model.h) */
    const char *tune;  /* by category or group; NULL: by the labels in the catalogue; borrowed */
    const char *pairs; /* by pairs of this file (ids.h); NULL = none; borrowed */
    size_t seen; /* raw features of AKIN_PART_PRETRAINED: columns of `network` in the catalogue */
} akin_features;

typedef struct {
    const char *name;    /* "autoencoder" */
    size_t dim;          /* 0 = the kind's own */
    double whiten;       /* for all parts; below 0 = each part's own */
    const char *weights; /* "latent=1,colour=0.5": parts with other weights; NULL = none */
    const char *tune;    /* "category", "group", "none"; NULL: by the catalogue's labels */
    const char *pairs;   /* a file, or NULL */
    size_t seen; /* columns of the catalogue's `network`; 0 = none, unnamed part is left out */
} akin_features_params;

#define AKIN_FEATURES_SEEN_UNKNOWN ((size_t)-1) /* before the catalogue is known */

#define AKIN_FEATURES_NAMES "fused|autoencoder|maps|manifold|network|handcrafted|patches|pixels-pca"

/* AKIN_USAGE: an unknown name, weights for a kind with one part or without any positive one, or
 * too many dimensions. */
AKIN_MUST_CHECK akin_status akin_features_choose(const akin_features_params *params,
                                                 akin_features *out);

/* Number of raw features of a picture in this part. */
size_t akin_features_raw(const akin_features *features, akin_part part);
bool akin_features_sees(const akin_features *features); /* what a trained network gave */

const char *
akin_features_known(const char *name); /* its static copy; NULL = no kind has this name */

size_t akin_features_parts(const akin_features *features); /* with a weight */
/* The part with a weight that has this name, of `length` bytes; AKIN_PARTS: none. */
akin_part akin_features_find_part(const akin_features *features, const char *name, size_t length);
/* Appends the names of the parts with a weight: "texture, shape". */
AKIN_MUST_CHECK akin_status akin_features_name_parts(const akin_features *features, akin_text *out);
size_t akin_features_joined(const akin_features *features); /* columns of all parts together */
bool akin_features_join(const akin_features *features); /* whether these are projected once more */
bool akin_features_is_latent(const akin_features *features); /* the latent alone */
bool akin_features_network(const akin_features *features); /* whether it needs a trained network */
/* Initial weights [AKIN_PARTS] for a catalogue in which this share of the pictures shows an object
 * on a plain background: between those tuned for such pictures and those for ordinary photographs.
 * Given weights stay. */
void akin_features_weigh_by_ground(const akin_features *features, double flat, double *weights);
bool akin_features_centred(const akin_features_part *choice,
                           akin_part part); /* only the mean of this part is subtracted */

#endif
