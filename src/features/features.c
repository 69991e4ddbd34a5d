/* features: the kinds of features, their parts, and how one is selected. */
#include "foreground.h"
#include "handcrafted.h"
#include "manifold.h"
#include "maps.h"
#include "patches.h"
#include <akin/features.h>
#include <akin/network.h>
#include <akin/text.h>
#include <stdio.h>
#include <string.h>

#define WEIGHT_LIMIT 1e3

static const struct part {
    const char *name;
    size_t raw;
    double whiten; /* the best value measured */
    size_t dim;
    bool keeps_length, steady, network;
} parts[AKIN_PARTS] = {
    [AKIN_PART_LATENT] = {"latent", AKIN_NETWORK_LATENT, 0.5, AKIN_NETWORK_LATENT, .network = true},
    [AKIN_PART_PIXELS] = {"pixels", 3072, 0.25, 64},
    [AKIN_PART_COLOUR] = {"colour", AKIN_HANDCRAFTED_COLOUR, 0, 40, .keeps_length = true},
    [AKIN_PART_EDGES] = {"edges", AKIN_HANDCRAFTED_EDGES, 0, 64},
    [AKIN_PART_TEXTURE] = {"texture", AKIN_HANDCRAFTED_TEXTURE, 0.25, 24},
    [AKIN_PART_FOREGROUND] = {"foreground", AKIN_FOREGROUND, 0, 32, .keeps_length = true},
    [AKIN_PART_PATCHES] = {"patches", AKIN_PATCHES_RAW, 0.25, 64},
    [AKIN_PART_SHAPE] = {"shape", AKIN_HANDCRAFTED_EDGES, 0, 64, .steady = true},
    [AKIN_PART_MAPS] = {"maps", AKIN_MAPS, 0.5, 96, .network = true},
    [AKIN_PART_MANIFOLD] = {"manifold", AKIN_MANIFOLD_RAW, 0.25, 128},
    [AKIN_PART_PRETRAINED] = {"network", 0, 0, 128},
};

static const struct kind {
    const char *name;
    double weights[AKIN_PARTS]; /* weights for pictures on a flat background */
    double wild[AKIN_PARTS];    /* for others, if chosen on the catalogue */
    size_t dim;                 /* 0 = the dimension of its only part */
    bool tuned;
} kinds[] = {
    {.name = "autoencoder", .weights = {[AKIN_PART_LATENT] = 1}},
    {.name = "maps", .weights = {[AKIN_PART_MAPS] = 1}},
    {.name = "network", .weights = {[AKIN_PART_PRETRAINED] = 1}},
    {.name = "pixels-pca", .weights = {[AKIN_PART_PIXELS] = 1}},
    {.name = "handcrafted",
     .weights = {[AKIN_PART_COLOUR] = 1, [AKIN_PART_EDGES] = 1.5, [AKIN_PART_TEXTURE] = 0.3},
     .dim = 128},
    {.name = "patches", .weights = {[AKIN_PART_PATCHES] = 1}},
    {.name = "manifold", .weights = {[AKIN_PART_MANIFOLD] = 1}},
    {.name = "fused",
     .weights = {[AKIN_PART_SHAPE] = 1.5,
                 [AKIN_PART_FOREGROUND] = 1.3,
                 [AKIN_PART_TEXTURE] = 0.6,
                 [AKIN_PART_MAPS] = 0.5,
                 [AKIN_PART_MANIFOLD] = 0.5,
                 [AKIN_PART_PRETRAINED] = 2},
     .wild = {[AKIN_PART_SHAPE] = 1,
              [AKIN_PART_FOREGROUND] = 0.25,
              [AKIN_PART_TEXTURE] = 0.4,
              [AKIN_PART_MAPS] = 0.7,
              [AKIN_PART_MANIFOLD] = 1,
              [AKIN_PART_PRETRAINED] = 2.5},
     .dim = 128,
     .tuned = true},
};

static const struct kind *find_kind(const char *name) {
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (strcmp(kinds[k].name, name) == 0) return &kinds[k];
    return NULL;
}

const char *akin_part_name(akin_part part) {
    return parts[part].name;
}

size_t akin_part_raw(akin_part part) {
    return parts[part].raw;
}

size_t akin_features_raw(const akin_features *features, akin_part part) {
    return part == AKIN_PART_PRETRAINED ? features->seen : parts[part].raw;
}

bool akin_features_sees(const akin_features *features) {
    return features->parts[AKIN_PART_PRETRAINED].weight > 0;
}

bool akin_part_keeps_length(akin_part part) {
    return parts[part].keeps_length;
}

bool akin_part_network(akin_part part) {
    return parts[part].network;
}

bool akin_part_steady(akin_part part) {
    return parts[part].steady;
}

size_t akin_features_parts(const akin_features *features) {
    size_t count = 0;
    for (size_t p = 0; p < AKIN_PARTS; p++) count += features->parts[p].weight > 0;
    return count;
}

akin_part akin_features_find_part(const akin_features *features, const char *name, size_t length) {
    size_t p = 0;
    while (p < AKIN_PARTS &&
           !(features->parts[p].weight > 0 && strlen(akin_part_name((akin_part)p)) == length &&
             strncmp(akin_part_name((akin_part)p), name, length) == 0))
        p++;
    return (akin_part)p;
}

akin_status akin_features_name_parts(const akin_features *features, akin_text *out) {
    akin_status status = AKIN_OK;
    const char *between = "";
    for (size_t p = 0; p < AKIN_PARTS && status == AKIN_OK; p++) {
        if (!(features->parts[p].weight > 0)) continue;
        status = akin_text_append(out, "%s%s", between, akin_part_name((akin_part)p));
        between = ", ";
    }
    return status;
}

size_t akin_features_joined(const akin_features *features) {
    size_t dim = 0;
    for (size_t p = 0; p < AKIN_PARTS; p++)
        if (features->parts[p].weight > 0) dim += features->parts[p].dim;
    return dim;
}

bool akin_features_join(const akin_features *features) {
    return features->dim < akin_features_joined(features);
}

bool akin_features_is_latent(const akin_features *features) {
    return features->parts[AKIN_PART_LATENT].weight > 0 && akin_features_parts(features) == 1;
}

bool akin_features_network(const akin_features *features) {
    bool network = false;
    for (size_t p = 0; p < AKIN_PARTS; p++)
        network = network || (features->parts[p].weight > 0 && parts[p].network);
    return network;
}

void akin_features_weigh_by_ground(const akin_features *features, double flat, double *weights) {
    const struct kind *kind = find_kind(features->name);
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        const akin_features_part *part = &features->parts[p];
        bool chosen = kind && kind->wild[p] > 0 && part->weight > 0 && !part->given;
        weights[p] = chosen ? flat * kind->weights[p] + (1 - flat) * kind->wild[p] : part->weight;
    }
}

bool akin_features_centred(const akin_features_part *choice, akin_part part) {
    return choice->dim == parts[part].raw && !(choice->whiten > 0);
}

/* --- selection --- */

const char *akin_features_known(const char *name) {
    const struct kind *kind = find_kind(name);
    return kind ? kind->name : NULL;
}

/* Parses one "name=weight" in [text, end). */
static akin_status set_weight(const char *text, size_t length, akin_features *out) {
    char word[64];
    double weight;
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    char *equals = strchr(word, '=');
    if (equals) *equals = '\0';
    for (size_t p = 0; equals && length < sizeof word && p < AKIN_PARTS; p++)
        if (strcmp(parts[p].name, word) == 0) {
            if (!akin_text_to_real(equals + 1, &weight) || !(weight >= 0 && weight <= WEIGHT_LIMIT))
                break;
            out->parts[p].weight = weight;
            out->parts[p].given = true;
            return AKIN_OK;
        }
    char names[256] = "";
    for (size_t p = 0; p < AKIN_PARTS; p++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s",
                 p == 0               ? ""
                 : p + 1 < AKIN_PARTS ? ", "
                                      : " or ",
                 parts[p].name);
    return akin_error_option(
        "weights",
        "--weights %.*s: not a weight; write %s, '=' and a number from 0 to %g, "
        "separated by commas if there are several",
        (int)length, text, names, WEIGHT_LIMIT);
}

static akin_status set_weights(const struct kind *kind, const char *text, akin_features *out) {
    akin_status status = AKIN_OK;
    if (kind->dim == 0)
        return akin_error_option(
            "weights",
            "--weights: the features %s have only one part, so there is nothing to weight",
            kind->name);
    for (;;) {
        size_t length = strcspn(text, ",");
        AKIN_TRY(set_weight(text, length, out));
        if (text[length] == '\0') break;
        text += length + 1;
    }
    if (akin_features_parts(out) == 0)
        status =
            akin_error_option("weights", "--weights: at least one part needs a weight above 0");
done:
    return status;
}

/* A kind with a single part has the requested dimensions. With several parts, each keeps its own,
 * and the join has the requested ones. */
static akin_status set_dim(const struct kind *kind, size_t dim, akin_features *out) {
    size_t most = akin_features_joined(out);
    if (kind->dim == 0)
        for (size_t p = 0; p < AKIN_PARTS; p++)
            if (out->parts[p].weight > 0) {
                size_t raw = akin_features_raw(out, (akin_part)p);
                most = raw < AKIN_FEATURES_MAX_DIM ? raw : AKIN_FEATURES_MAX_DIM;
                if (dim > 0 && dim <= most) out->parts[p].dim = dim;
                out->dim = out->parts[p].dim;
            }
    if (dim > most)
        return akin_error_option("dim", "--dim %zu: the features %s have at most %zu", dim,
                                 kind->name, most);
    if (kind->dim > 0) out->dim = dim > 0 ? dim : kind->dim < most ? kind->dim : most;
    return AKIN_OK;
}

/* Whether the user gave the weight of a part. */
static bool is_given(const char *weights, const char *name) {
    size_t length = strlen(name);
    for (const char *at = weights; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, name, length) == 0 && at[length] == '=') return true;
    return false;
}

/* The part of a trained network is empty if the catalogue holds no output of one. */
static akin_status settle_seen(const struct kind *kind, const akin_features_params *params,
                               akin_features *out) {
    akin_features_part *part = &out->parts[AKIN_PART_PRETRAINED];
    out->seen = params->seen;
    if (!(part->weight > 0)) return AKIN_OK;
    if (params->seen > 0) {
        if (part->dim > params->seen) part->dim = params->seen;
        return AKIN_OK;
    }
    if (kind->dim > 0 && !is_given(params->weights, parts[AKIN_PART_PRETRAINED].name)) {
        part->weight = 0;
        return AKIN_OK;
    }
    return akin_error_set(AKIN_USAGE,
                          "the features %s need the output of a network, and the catalogue has "
                          "none: make it with akin ingest --network FILE",
                          kind->name);
}

akin_status akin_features_choose(const akin_features_params *params, akin_features *out) {
    akin_status status = AKIN_OK;
    const struct kind *kind = find_kind(params->name);
    *out = (akin_features){0};
    if (!kind)
        return akin_error_option("features", "--features %s: unknown; use %s", params->name,
                                 AKIN_FEATURES_NAMES);
    out->name = kind->name;
    out->tuned = kind->tuned && !(params->tune && strcmp(params->tune, "none") == 0);
    out->tune = params->tune;
    out->pairs = params->pairs;
    if (!kind->tuned && params->pairs)
        return akin_error_option(
            "pairs", "--pairs: the features %s have no weights to choose; use fused", kind->name);
    for (size_t p = 0; p < AKIN_PARTS; p++)
        out->parts[p] =
            (akin_features_part){.weight = kind->weights[p],
                                 .whiten = params->whiten < 0 ? parts[p].whiten : params->whiten,
                                 .dim = parts[p].dim};
    if (params->weights) AKIN_TRY(set_weights(kind, params->weights, out));
    AKIN_TRY(settle_seen(kind, params, out));
    AKIN_TRY(set_dim(kind, params->dim, out));
done:
    return status;
}
