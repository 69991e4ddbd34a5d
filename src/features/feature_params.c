/* feature_params: all fitted parameters except those of the network. */
#include "feature_params.h"
#include <akin/fixed.h>
#include <akin/mem.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 64

struct akin_feature_params {
    akin_features features;
    akin_projection *projections[AKIN_PARTS]; /* NULL where the weight is 0 */
    akin_projection *join;                    /* NULL = none */
    akin_patches *patches;                    /* NULL = none */
    akin_manifold *manifold;                  /* NULL = none */
    char by[32], why[768];                    /* how weights were chosen; "" = not */
};

akin_status akin_feature_params_create(const akin_features *features, akin_feature_params **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_feature_params *params = akin_mem_zalloc(1, sizeof *params);
    if (!params) return AKIN_FAILED;
    params->features = *features;
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        const akin_features_part *choice = &features->parts[p];
        if (choice->weight > 0)
            AKIN_TRY(akin_projection_create(akin_features_raw(features, (akin_part)p), choice->dim,
                                            !akin_features_centred(choice, p),
                                            &params->projections[p]));
    }
    if (params->projections[AKIN_PART_PATCHES]) AKIN_TRY(akin_patches_create(&params->patches));
    if (akin_features_join(features))
        AKIN_TRY(akin_projection_create(akin_features_joined(features), features->dim, true,
                                        &params->join));
    *out = params;
    params = NULL;
done:
    akin_feature_params_free(params);
    return status;
}

void akin_feature_params_free(akin_feature_params *params) {
    if (!params) return;
    for (size_t p = 0; p < AKIN_PARTS; p++) akin_projection_free(params->projections[p]);
    akin_projection_free(params->join);
    akin_patches_free(params->patches);
    akin_manifold_free(params->manifold);
    akin_mem_free(params);
}

void akin_feature_params_weigh(akin_feature_params *params, akin_part part, double weight) {
    AKIN_ASSERT(params->features.parts[part].weight > 0 && weight > 0);
    params->features.parts[part].weight = weight;
}

void akin_feature_params_explain(akin_feature_params *params, const char *by, const char *why) {
    snprintf(params->by, sizeof params->by, "%s", by);
    snprintf(params->why, sizeof params->why, "%s", why);
}

const akin_features *akin_feature_params_features(const akin_feature_params *params) {
    return &params->features;
}

akin_projection *akin_feature_params_projection(const akin_feature_params *params, akin_part part) {
    return params->projections[part];
}

akin_projection *akin_feature_params_join(const akin_feature_params *params) {
    return params->join;
}

akin_patches *akin_feature_params_patches(const akin_feature_params *params) {
    return params->patches;
}

akin_manifold *akin_feature_params_manifold(const akin_feature_params *params) {
    return params->manifold;
}

akin_status akin_feature_params_make_manifold(akin_feature_params *params, size_t atoms) {
    akin_manifold_free(params->manifold);
    return akin_manifold_create(atoms, &params->manifold);
}

/* --- names in the file --- */

/* The variables of part patches. */
static const struct patch_variable {
    const char *name, *dims, *long_name;
    float *(*values)(akin_patches *patches);
    size_t rows, count;
} patch_variables[] = {
    {"patch_mean", "patch", "mean of the contrast-normalised squares", akin_patches_mean,
     AKIN_PATCHES_VALUES, AKIN_PATCHES_VALUES},
    {"patch_whitening", "patch,patch_white", "whitening of squares", akin_patches_whitening,
     AKIN_PATCHES_VALUES, AKIN_PATCHES_VALUES *AKIN_PATCHES_VALUES},
    {"patch_word", "word,patch", "dictionary of whitened squares", akin_patches_words,
     AKIN_PATCHES_WORDS, AKIN_PATCHES_WORDS *AKIN_PATCHES_VALUES},
};
#define PATCH_VARIABLES (sizeof patch_variables / sizeof *patch_variables)

static const struct {
    const char *name;
    size_t length;
} patch_dimensions[] = {{"patch", AKIN_PATCHES_VALUES},
                        {"patch_white", AKIN_PATCHES_VALUES},
                        {"word", AKIN_PATCHES_WORDS}};
#define PATCH_DIMENSIONS (sizeof patch_dimensions / sizeof *patch_dimensions)

/* The arrays of a manifold: each has one or two dimensions. */
enum { SQUARE, SQUARE_WHITE, ATOM, CODE, SQUARE_AXIS, MANIFOLD_DIMENSIONS };
static const char *const manifold_dimensions[MANIFOLD_DIMENSIONS] = {"square", "square_white",
                                                                     "atom", "code", "square_axis"};
static const struct manifold_variable {
    const char *name, *dims, *long_name;
    float *(*values)(akin_manifold *manifold);
    int rows, columns; /* -1: no second dimension */
} manifold_variables[] = {
    {"manifold_square_mean", "square", "mean of squares with contrast, less their own means",
     akin_manifold_mean, SQUARE, -1},
    {"manifold_whitening", "square,square_white", "whitening of squares", akin_manifold_whitening,
     SQUARE, SQUARE_WHITE},
    {"manifold_dictionary", "atom,square", "whitened squares of unit length",
     akin_manifold_dictionary, ATOM, SQUARE},
    {"manifold_share", "code",
     "share of squares that a word tells; the last is told by no contrast", akin_manifold_share,
     CODE, -1},
    {"manifold_code_axes", "code,square_axis",
     "generalised eigenvectors of codes in a neighbourhood and codes alone", akin_manifold_axes,
     CODE, SQUARE_AXIS},
};
#define MANIFOLD_VARIABLES (sizeof manifold_variables / sizeof *manifold_variables)

static size_t manifold_length(const akin_manifold *manifold, int dimension) {
    const size_t lengths[MANIFOLD_DIMENSIONS] = {
        [SQUARE] = AKIN_MANIFOLD_VALUES,        [SQUARE_WHITE] = AKIN_MANIFOLD_VALUES,
        [ATOM] = akin_manifold_atoms(manifold), [CODE] = akin_manifold_words(manifold),
        [SQUARE_AXIS] = AKIN_MANIFOLD_AXES,
    };
    return dimension < 0 ? 1 : lengths[dimension];
}

/* A projection's variables are PREFIX_mean(RAW), PREFIX_axes(RAW,AXIS), PREFIX_eigenvalue(AXIS),
 * PREFIX_whiten. */
typedef struct {
    const char *prefix, *raw, *axis;
    char own_axis[NAME_SIZE];
} names;

static names names_of(akin_part part) {
    names n = {.prefix = akin_part_name(part), .raw = akin_part_name(part)};
    snprintf(n.own_axis, NAME_SIZE, "%s_axis", n.prefix);
    return n;
}

static const names names_of_join = {.prefix = "join", .raw = "joined", .axis = "feature"};

static const char *axis_of(const names *n) {
    return n->axis ? n->axis : n->own_axis;
}

static const char *name_of(const names *n, const char *what, char out[NAME_SIZE]) {
    snprintf(out, NAME_SIZE, "%s_%s", n->prefix, what);
    return out;
}

/* --- writing --- */

static void define_projection(akin_ncfile *file, const names *n, akin_projection *p) {
    char name[NAME_SIZE], dims[2 * NAME_SIZE];
    if (strcmp(n->raw, akin_part_name(AKIN_PART_LATENT)) != 0) /* this is the network's dimension */
        akin_ncfile_dimension(file, n->raw, akin_projection_raw(p));
    akin_ncfile_variable(file, name_of(n, "mean", name), AKIN_NC_FLOAT, n->raw,
                         "mean over the training catalogue, subtracted first", "1");
    if (!akin_projection_axes(p)) return;
    akin_ncfile_dimension(file, axis_of(n), akin_projection_dim(p));
    snprintf(dims, sizeof dims, "%s,%s", n->raw, axis_of(n));
    akin_ncfile_variable(file, name_of(n, "axes", name), AKIN_NC_FLOAT, dims,
                         "eigenvectors of the covariance, divided by eigenvalue^whiten", "1");
    akin_ncfile_variable(file, name_of(n, "eigenvalue", name), AKIN_NC_DOUBLE, axis_of(n),
                         "eigenvalues of the covariance", "1");
    akin_ncfile_variable(file, name_of(n, "whiten", name), AKIN_NC_DOUBLE, "",
                         "power of the eigenvalue that an axis is divided by", "1");
}

static void define_patches(akin_ncfile *file) {
    for (size_t d = 0; d < PATCH_DIMENSIONS; d++)
        akin_ncfile_dimension(file, patch_dimensions[d].name, patch_dimensions[d].length);
    for (size_t v = 0; v < PATCH_VARIABLES; v++)
        akin_ncfile_variable(file, patch_variables[v].name, AKIN_NC_FLOAT, patch_variables[v].dims,
                             patch_variables[v].long_name, "1");
}

static void define_manifold(akin_ncfile *file, const akin_manifold *manifold) {
    for (int d = 0; d < MANIFOLD_DIMENSIONS; d++)
        akin_ncfile_dimension(file, manifold_dimensions[d], manifold_length(manifold, d));
    for (size_t v = 0; v < MANIFOLD_VARIABLES; v++)
        akin_ncfile_variable(file, manifold_variables[v].name, AKIN_NC_FLOAT,
                             manifold_variables[v].dims, manifold_variables[v].long_name, "1");
}

void akin_feature_params_define(const akin_feature_params *params, akin_ncfile *file) {
    char name[NAME_SIZE];
    akin_ncfile_attribute(file, NULL, "features", params->features.name);
    if (*params->by) akin_ncfile_attribute(file, NULL, "weights_chosen_by", params->by);
    if (*params->by) akin_ncfile_attribute(file, NULL, "weights_chosen", params->why);
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        if (!params->projections[p]) continue;
        names n = names_of(p);
        define_projection(file, &n, params->projections[p]);
        if (akin_features_parts(&params->features) > 1)
            akin_ncfile_variable(file, name_of(&n, "scale", name), AKIN_NC_DOUBLE, "",
                                 "length of this part of a vector", "1");
    }
    if (params->patches) define_patches(file);
    if (params->manifold) define_manifold(file, params->manifold);
    if (params->join) define_projection(file, &names_of_join, params->join);
}

static void put_projection(akin_ncfile *file, const names *n, bool mine, akin_projection *p,
                           double whiten) {
    char name[NAME_SIZE];
    size_t raw = mine ? akin_projection_raw(p) : 0, dim = mine ? akin_projection_dim(p) : 0;
    akin_ncfile_put(file, name_of(n, "mean", name), 0, raw, akin_projection_mean(p));
    if (!akin_projection_axes(p)) return;
    akin_ncfile_put(file, name_of(n, "axes", name), 0, raw, akin_projection_axes(p));
    akin_ncfile_put(file, name_of(n, "eigenvalue", name), 0, dim, akin_projection_eigenvalues(p));
    akin_ncfile_put(file, name_of(n, "whiten", name), 0, mine, &whiten);
}

void akin_feature_params_put(const akin_feature_params *params, akin_ncfile *file, bool mine) {
    char name[NAME_SIZE];
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        if (!params->projections[p]) continue;
        names n = names_of(p);
        const akin_features_part *choice = &params->features.parts[p];
        put_projection(file, &n, mine, params->projections[p], choice->whiten);
        if (akin_features_parts(&params->features) > 1)
            akin_ncfile_put(file, name_of(&n, "scale", name), 0, mine, &choice->weight);
    }
    for (size_t v = 0; params->patches && v < PATCH_VARIABLES; v++)
        akin_ncfile_put(file, patch_variables[v].name, 0, mine ? patch_variables[v].rows : 0,
                        patch_variables[v].values(params->patches));
    for (size_t v = 0; params->manifold && v < MANIFOLD_VARIABLES; v++)
        akin_ncfile_put(file, manifold_variables[v].name, 0,
                        mine ? manifold_length(params->manifold, manifold_variables[v].rows) : 0,
                        manifold_variables[v].values(params->manifold));
    if (params->join) put_projection(file, &names_of_join, mine, params->join, 0);
}

/* --- reading --- */

static akin_status get_scalar(const akin_ncfile *file, const names *n, const char *what,
                              double *value) {
    akin_status status;
    char name[NAME_SIZE];
    AKIN_TRY(akin_ncfile_expect(file, name_of(n, what, name), AKIN_NC_DOUBLE, ""));
    AKIN_TRY(akin_ncfile_get(file, name, 0, 1, value));
    if (!isfinite(*value) || *value < 0)
        status = akin_error_set(AKIN_INPUT, "%s: %s is %g; train the model again",
                                akin_ncfile_path(file), name, *value);
done:
    return status;
}

/* The length of a dimension that must exist with 1 .. most. */
static akin_status get_length(const akin_ncfile *file, const char *dimension, size_t most,
                              size_t *length) {
    akin_status status = akin_ncfile_length(file, dimension, length);
    if (status != AKIN_OK || *length <= most) return status;
    return akin_error_set(AKIN_INPUT, "%s: an incompatible model: %s is %zu, more than %zu",
                          akin_ncfile_path(file), dimension, *length, most);
}

/* Reads a part's weight, dimensions and power from the file; *seen: the number of columns of a
 * trained network's output. */
static akin_status read_part(const akin_ncfile *file, akin_part part, akin_features_part *choice,
                             size_t *seen) {
    akin_status status = AKIN_OK;
    char name[NAME_SIZE];
    names n = names_of(part);
    size_t raw;
    *choice = (akin_features_part){0};
    if (!akin_ncfile_has(file, name_of(&n, "mean", name))) return AKIN_OK;
    AKIN_TRY(akin_ncfile_length(file, n.raw, &raw));
    if (part == AKIN_PART_PRETRAINED) *seen = raw;
    if (part != AKIN_PART_PRETRAINED && raw != akin_part_raw(part))
        return akin_error_set(AKIN_INPUT, "%s: an incompatible model: %s is %zu, not %zu",
                              akin_ncfile_path(file), n.raw, raw, akin_part_raw(part));
    *choice = (akin_features_part){.weight = 1, .dim = raw};
    if (akin_ncfile_has(file, name_of(&n, "scale", name)))
        AKIN_TRY(get_scalar(file, &n, "scale", &choice->weight));
    if (!akin_ncfile_has(file, name_of(&n, "axes", name))) return AKIN_OK;
    AKIN_TRY(get_length(file, n.own_axis, raw, &choice->dim));
    AKIN_TRY(get_scalar(file, &n, "whiten", &choice->whiten));
done:
    return status;
}

static akin_status read_features(const akin_ncfile *file, akin_features *features) {
    akin_status status;
    char *name = NULL;
    *features = (akin_features){0};
    AKIN_TRY(akin_ncfile_get_attribute(file, "features", &name));
    features->name = name ? akin_features_known(name) : NULL;
    if (!features->name)
        AKIN_TRY(akin_error_set(AKIN_INPUT,
                                "%s: a model with features that this akin does not know: %s",
                                akin_ncfile_path(file), name ? name : "none named"));
    for (size_t p = 0; p < AKIN_PARTS; p++)
        AKIN_TRY(read_part(file, p, &features->parts[p], &features->seen));
    features->dim = akin_features_joined(features);
    if (features->dim == 0)
        AKIN_TRY(akin_error_set(AKIN_INPUT, "%s: a model without any features; train it again",
                                akin_ncfile_path(file)));
    if (akin_ncfile_has(file, "join_mean"))
        AKIN_TRY(get_length(file, "feature", features->dim - 1, &features->dim));
done:
    akin_mem_free(name);
    return status;
}

static akin_status get_floats(const akin_ncfile *file, const char *name, const char *dims,
                              size_t rows, size_t count, float *values) {
    akin_status status;
    AKIN_TRY(akin_ncfile_expect(file, name, AKIN_NC_FLOAT, dims));
    AKIN_TRY(akin_ncfile_get(file, name, 0, rows, values));
    if (!isfinite(akin_fixed_peak(values, count)))
        status = akin_error_set(AKIN_INPUT,
                                "%s: %s contains a value that is not finite; train the model again",
                                akin_ncfile_path(file), name);
done:
    return status;
}

static akin_status get_projection(const akin_ncfile *file, const names *n, akin_projection *p) {
    akin_status status;
    char name[NAME_SIZE], dims[2 * NAME_SIZE];
    size_t raw = akin_projection_raw(p), dim = akin_projection_dim(p), length;
    AKIN_TRY(get_length(file, n->raw, raw, &length));
    if (length < raw)
        return akin_error_set(AKIN_INPUT, "%s: an incompatible model: %s is %zu, not %zu",
                              akin_ncfile_path(file), n->raw, length, raw);
    AKIN_TRY(get_floats(file, name_of(n, "mean", name), n->raw, raw, raw, akin_projection_mean(p)));
    if (!akin_projection_axes(p)) goto done;
    snprintf(dims, sizeof dims, "%s,%s", n->raw, axis_of(n));
    AKIN_TRY(
        get_floats(file, name_of(n, "axes", name), dims, raw, raw * dim, akin_projection_axes(p)));
    AKIN_TRY(akin_ncfile_expect(file, name_of(n, "eigenvalue", name), AKIN_NC_DOUBLE, axis_of(n)));
    AKIN_TRY(akin_ncfile_get(file, name, 0, dim, akin_projection_eigenvalues(p)));
done:
    return status;
}

static akin_status get_patches(const akin_ncfile *file, akin_patches *patches) {
    akin_status status;
    size_t length;
    for (size_t d = 0; d < PATCH_DIMENSIONS; d++) {
        AKIN_TRY(akin_ncfile_length(file, patch_dimensions[d].name, &length));
        if (length != patch_dimensions[d].length)
            return akin_error_set(AKIN_INPUT, "%s: an incompatible model: %s is %zu, not %zu",
                                  akin_ncfile_path(file), patch_dimensions[d].name, length,
                                  patch_dimensions[d].length);
    }
    for (size_t v = 0; v < PATCH_VARIABLES; v++)
        AKIN_TRY(get_floats(file, patch_variables[v].name, patch_variables[v].dims,
                            patch_variables[v].rows, patch_variables[v].count,
                            patch_variables[v].values(patches)));
    akin_patches_prepare(patches);
done:
    return status;
}

static akin_status another_shape(const akin_ncfile *file, const char *name, size_t length) {
    return akin_error_set(AKIN_INPUT, "%s: a model of another shape: %s is %zu; train it again",
                          akin_ncfile_path(file), name, length);
}

/* The number of words is taken from the file: a multiple of 64 in the range given in manifold.h. */
static akin_status get_manifold(const akin_ncfile *file, akin_feature_params *params) {
    akin_status status;
    size_t atoms, length;
    AKIN_TRY(get_length(file, manifold_dimensions[ATOM], AKIN_MANIFOLD_ATOMS, &atoms));
    if (atoms < AKIN_MANIFOLD_AXES || atoms % 64 != 0)
        return another_shape(file, manifold_dimensions[ATOM], atoms);
    AKIN_TRY(akin_feature_params_make_manifold(params, atoms));
    for (int d = 0; d < MANIFOLD_DIMENSIONS; d++) {
        AKIN_TRY(akin_ncfile_length(file, manifold_dimensions[d], &length));
        if (length != manifold_length(params->manifold, d))
            return another_shape(file, manifold_dimensions[d], length);
    }
    for (size_t v = 0; v < MANIFOLD_VARIABLES; v++) {
        const struct manifold_variable *m = &manifold_variables[v];
        size_t rows = manifold_length(params->manifold, m->rows),
               columns = manifold_length(params->manifold, m->columns);
        AKIN_TRY(
            get_floats(file, m->name, m->dims, rows, rows * columns, m->values(params->manifold)));
    }
    akin_manifold_prepare(params->manifold);
done:
    return status;
}

akin_status akin_feature_params_read(const akin_ncfile *file, akin_feature_params **out) {
    akin_status status;
    akin_features features;
    akin_feature_params *params = NULL;
    *out = NULL;
    AKIN_TRY(read_features(file, &features));
    AKIN_TRY(akin_feature_params_create(&features, &params));
    for (size_t p = 0; p < AKIN_PARTS; p++)
        if (params->projections[p]) {
            names n = names_of(p);
            AKIN_TRY(get_projection(file, &n, params->projections[p]));
        }
    if (params->patches) AKIN_TRY(get_patches(file, params->patches));
    if (params->projections[AKIN_PART_MANIFOLD]) AKIN_TRY(get_manifold(file, params));
    if (params->join) AKIN_TRY(get_projection(file, &names_of_join, params->join));
    *out = params;
    params = NULL;
done:
    akin_feature_params_free(params);
    return status;
}
