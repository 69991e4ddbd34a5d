/* fit_features: fits all feature parameters on a catalogue. */
#include "covariance.h"
#include "feature_params.h"
#include "fit_manifold.h"
#include "patches.h"
#include "study.h"
#include <akin/augment.h>
#include <akin/encoder.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <akin/projection.h>
#include <akin/rng.h>
#include <akin/shard.h>
#include <string.h>

#define BLOCK AKIN_COVARIANCE_BLOCK
enum {
    VIEWS = 4096,
    MOST_VIEWS = 8
}; /* of a small catalogue; at most MOST_VIEWS of each picture */

typedef struct {
    akin_comm *comm;
    const akin_catalog *catalog;
    akin_features features; /* a copy, because the model's own features are replaced */
    akin_model *model;
    size_t sample, items;   /* items used, out of the total */
    size_t first, count;    /* this rank's items: whole blocks, except for the last */
    float *raw[AKIN_PARTS]; /* [count, akin_part_raw]; NULL where the weight is 0 */
    size_t views;           /* views per picture, for the steady parts */
    float *moved
        [AKIN_PARTS]; /* [count * views, akin_part_raw]: a view's features minus its picture's */
    float *joined;    /* [count, joined] */
    uint8_t *images;  /* [BLOCK] */
    akin_describe *describe;
    double
        *together; /* rank 0: turn applied to the joined parts (projection.h), [joined, joined] */
    bool turned;   /* whether it is applied */
} fit;

static void plan(fit *f) {
    size_t raw = 0, rank = (size_t)akin_comm_rank(f->comm);
    int size = akin_comm_size(f->comm);
    for (size_t p = 0; p < AKIN_PARTS; p++)
        if (f->features.parts[p].weight > 0)
            raw += akin_features_raw(&f->features, (akin_part)p) *
                   (akin_part_steady((akin_part)p) ? 2 : 1);
    f->items = akin_catalog_items(f->catalog);
    f->sample = AKIN_FIT_FEATURES_VALUES / raw;
    if (f->sample > AKIN_COVARIANCE_ROWS) f->sample = AKIN_COVARIANCE_ROWS;
    if (f->sample > f->items) f->sample = f->items;
    f->views = VIEWS / f->sample < 1            ? 1
               : VIEWS / f->sample > MOST_VIEWS ? MOST_VIEWS
                                                : VIEWS / f->sample;
    size_t blocks = (f->sample + BLOCK - 1) / BLOCK;
    size_t end = akin_shard_first(blocks, size, (int)rank + 1) * BLOCK;
    f->first = akin_shard_first(blocks, size, (int)rank) * BLOCK;
    if (f->first > f->sample) f->first = f->sample;
    f->count = (end < f->sample ? end : f->sample) - f->first;
}

/* Row of item i of the sample. */
static size_t row_of(const fit *f, size_t i) {
    return f->items == f->sample ? i : i * f->items / f->sample;
}

/* Records which network produced the outputs used here: the model is valid only for that one. */
static akin_status tell_network(const fit *f) {
    akin_status status = AKIN_OK;
    const akin_ncfile *file = akin_catalog_file(f->catalog);
    char *path = NULL, *request = NULL;
    if (!akin_features_sees(&f->features)) return AKIN_OK;
    if (akin_catalog_network_features(f->catalog) != f->features.seen)
        return akin_error_set(AKIN_INPUT, "%s has changed while it was read",
                              akin_ncfile_path(file));
    AKIN_TRY(akin_ncfile_get_attribute(file, "network_file", &path));
    AKIN_TRY(akin_ncfile_get_attribute(file, "network_request", &request));
    AKIN_TRY(akin_model_set_network(f->model, path ? path : "", request ? request : ""));
done:
    akin_mem_free(path);
    akin_mem_free(request);
    return status;
}

/* Everything that can fail on one rank only. */
static akin_status allocate(fit *f) {
    akin_status status;
    AKIN_TRY(akin_model_set_features(f->model, &f->features));
    AKIN_TRY(tell_network(f));
    AKIN_TRY(akin_describe_create(f->model, &f->describe));
    status = AKIN_FAILED;
    for (size_t p = 0; p < AKIN_PARTS; p++)
        if (f->features.parts[p].weight > 0 &&
            !(f->raw[p] = akin_mem_alloc(f->count, akin_features_raw(&f->features, (akin_part)p) *
                                                       sizeof(float))))
            goto done;
    for (size_t p = 0; p < AKIN_PARTS; p++)
        if (f->raw[p] && akin_part_steady((akin_part)p) &&
            !(f->moved[p] =
                  akin_mem_alloc(f->count * f->views,
                                 akin_features_raw(&f->features, (akin_part)p) * sizeof(float))))
            goto done;
    f->images = akin_mem_alloc(BLOCK, AKIN_IMAGE_BYTES);
    if (f->images) status = AKIN_OK;
done:
    return status;
}

static akin_status look_at_signals(const fit *f) {
    if (!akin_comm_signalled()) return AKIN_OK;
    return akin_error_set(
        AKIN_INTERRUPTED,
        akin_features_network(&f->features)
            ? "interrupted after the last step, which is saved; submit again to continue"
            : "fitting was interrupted; submit again to start it over");
}

/* --- the dictionary of patches --- */

enum {
    PLACES = AKIN_IMAGE_SIDE - AKIN_PATCHES_SIDE + 1,
    MOST_SQUARES = 128 /* squares drawn per picture, which has 729 */
};

/* Square number `which` of item `item` of the sample, from a random place in its picture. */
static void cut_square(const uint8_t *picture, size_t item, size_t which, uint8_t *square) {
    uint64_t place = akin_rng_bits(0, AKIN_RNG_SAMPLE, (uint32_t)which, item) % (PLACES * PLACES);
    for (size_t row = 0; row < AKIN_PATCHES_SIDE; row++)
        memcpy(square + row * AKIN_PATCHES_SIDE * 3,
               picture + ((place / PLACES + row) * AKIN_IMAGE_SIDE + place % PLACES) * 3,
               (size_t)AKIN_PATCHES_SIDE * 3);
}

/* Draws `each` squares from each of this rank's items: squares [count * each, AKIN_PATCHES_VALUES].
 */
static akin_status cut_squares(fit *f, size_t each, uint8_t *squares) {
    akin_status status = AKIN_OK;
    for (size_t at = 0; at < f->count; at++) {
        size_t row = row_of(f, f->first + at);
        AKIN_TRY(akin_catalog_images_at(f->catalog, &row, 1, f->images));
        for (size_t s = 0; s < each; s++)
            cut_square(f->images, f->first + at, s,
                       squares + (at * each + s) * AKIN_PATCHES_VALUES);
        akin_comm_poll(f->comm);
    }
done:
    return status;
}

/* Rank 0 learns from the squares of all ranks, in the order of the items, and broadcasts the
 * result. Collective; agreed. */
static akin_status learn_dictionary(fit *f) {
    akin_status status;
    akin_patches *patches = akin_feature_params_patches(akin_model_feature_params(f->model));
    if (!patches) return AKIN_OK;
    void *all = NULL;
    size_t each = (AKIN_PATCHES_SQUARES + f->sample - 1) / f->sample;
    if (each > MOST_SQUARES) each = MOST_SQUARES;
    uint8_t *squares = akin_mem_alloc(f->count * each, AKIN_PATCHES_VALUES);
    AKIN_TRY(akin_agree(f->comm, squares ? cut_squares(f, each, squares) : AKIN_FAILED));
    AKIN_TRY(akin_agree(f->comm, look_at_signals(f)));
    AKIN_TRY(
        akin_comm_gather(f->comm, squares, f->count * each * AKIN_PATCHES_VALUES, 0, &all, NULL));
    status =
        akin_comm_rank(f->comm) == 0 ? akin_patches_learn(all, f->sample * each, patches) : AKIN_OK;
    AKIN_TRY(akin_agree(f->comm, status));
    akin_comm_broadcast(f->comm, akin_patches_mean(patches), AKIN_PATCHES_VALUES * sizeof(float),
                        0);
    akin_comm_broadcast(f->comm, akin_patches_whitening(patches),
                        sizeof(float) * AKIN_PATCHES_VALUES * AKIN_PATCHES_VALUES, 0);
    akin_comm_broadcast(f->comm, akin_patches_words(patches),
                        sizeof(float) * AKIN_PATCHES_WORDS * AKIN_PATCHES_VALUES, 0);
    akin_patches_prepare(patches);
done:
    akin_mem_free(squares);
    akin_mem_free(all);
    return status;
}

/* --- the raw features of the sample --- */

/* Changes that shoppers overlook: cropping, shifting, mirroring. A view of this rank's item `at`.
 */
static void describe_moved(fit *f, akin_part part, const uint8_t *image, size_t at) {
    static const akin_augment how = {.crop = 0.2F, .shift = 0.06F, .mirrored = true};
    uint8_t view[AKIN_IMAGE_BYTES];
    size_t raw = akin_features_raw(&f->features, part);
    for (size_t v = 0; v < f->views; v++) {
        const akin_augment_key key = {.item = f->first + at, .view = (uint32_t)v};
        float *moved = f->moved[part] + (at * f->views + v) * raw;
        akin_augment_view(&how, &key, image, view);
        akin_describe_part(f->describe, part, view, 1, moved);
        for (size_t r = 0; r < raw; r++) moved[r] -= f->raw[part][at * raw + r];
    }
}

/* `count` <= BLOCK items of this rank, starting with number `at`. */
static akin_status describe_block(fit *f, size_t at, size_t count) {
    akin_status status;
    size_t rows[AKIN_COVARIANCE_BLOCK];
    for (size_t i = 0; i < count; i++) rows[i] = row_of(f, f->first + at + i);
    AKIN_TRY(akin_catalog_images_at(f->catalog, rows, count, f->images));
    for (size_t p = 0; p < AKIN_PARTS; p++)
        if (f->raw[p] && p == AKIN_PART_PRETRAINED)
            AKIN_TRY(akin_catalog_network_at(f->catalog, rows, count,
                                             f->raw[p] + at * f->features.seen));
        else if (f->raw[p])
            akin_describe_part(f->describe, p, f->images, count,
                               f->raw[p] + at * akin_features_raw(&f->features, (akin_part)p));
    for (size_t p = 0; p < AKIN_PARTS; p++)
        for (size_t i = 0; f->moved[p] && i < count; i++)
            describe_moved(f, (akin_part)p, f->images + i * AKIN_IMAGE_BYTES, at + i);
done:
    return status;
}

static akin_status describe_all(fit *f) {
    akin_status status = AKIN_OK;
    size_t blocks = (f->sample + BLOCK - 1) / BLOCK;
    size_t longest = akin_shard_count(blocks, akin_comm_size(f->comm), 0) *
                     BLOCK; /* the same number of rounds on all ranks */
    for (size_t at = 0; at < longest; at += BLOCK) {
        akin_status local = AKIN_OK;
        if (at < f->count)
            local = describe_block(f, at, f->count - at < BLOCK ? f->count - at : BLOCK);
        if (local == AKIN_OK) local = look_at_signals(f);
        AKIN_TRY(akin_agree(f->comm, local));
        akin_log_progress("train: features", "images of rank 0", (double)(at + BLOCK),
                          (double)longest);
    }
done:
    akin_log_progress_end();
    return status;
}

/* --- mean and axes of rows --- */

/* The rows whose mean and products are computed: `total` rows on all ranks, of which this one holds
 * [count, raw]. */
typedef struct {
    const char *what; /* name used in messages */
    const float *rows;
    size_t raw, count, total;
} sought;

/* The mean of all rows. Collective; agreed. */
static akin_status sum_mean(const fit *f, const sought *s, akin_covariance *covariance,
                            float *mean) {
    akin_status status, local = AKIN_OK;
    size_t count;
    if (akin_covariance_see(covariance, s->rows, s->count) != AKIN_OK)
        local = akin_error_set(
            AKIN_FAILED, "%s: the raw numbers of a picture (%s) are not finite%s",
            akin_ncfile_path(akin_catalog_file(f->catalog)), s->what,
            akin_features_network(&f->features) ? "; try a smaller --learning-rate" : "");
    AKIN_TRY(akin_agree(f->comm, local));
    int64_t *sums = akin_covariance_mean_sums(covariance, &count);
    akin_comm_sum_i64(f->comm, sums, count);
    akin_covariance_mean(covariance, s->total, mean);
done:
    return status;
}

/* The sum over all ranks of the products of the centred rows. Collective; agreed. */
static akin_status sum_products(const fit *f, const sought *s, akin_covariance *covariance) {
    akin_status status;
    size_t count;
    double peak = akin_covariance_measure(covariance, s->rows, s->count);
    akin_comm_max_f64(f->comm, &peak, 1);
    AKIN_TRY(akin_agree(f->comm, akin_covariance_scale(covariance, peak)));
    for (size_t at = 0; at < s->count; at += BLOCK) {
        akin_covariance_add(covariance, s->rows + at * s->raw,
                            s->count - at < BLOCK ? s->count - at : BLOCK);
        akin_comm_poll(f->comm);
    }
    AKIN_TRY(akin_agree(f->comm, look_at_signals(f)));
    int64_t *sums = akin_covariance_sums(covariance, &count);
    akin_comm_sum_i64(f->comm, sums, count);
done:
    return status;
}

static void tell_axes(const fit *f, akin_projection *projection) {
    size_t raw = akin_projection_raw(projection), dim = akin_projection_dim(projection);
    akin_comm_broadcast(f->comm, akin_projection_axes(projection), raw * dim * sizeof(float), 0);
    akin_comm_broadcast(f->comm, akin_projection_eigenvalues(projection), dim * sizeof(double), 0);
}

/* On rank 0 the matrix of the sums, owned; NULL: out of memory. */
static double *matrix_of(const sought *s, const akin_covariance *covariance) {
    double *matrix = akin_mem_alloc(s->raw, s->raw * sizeof *matrix);
    if (matrix) akin_covariance_get(covariance, s->total, matrix);
    return matrix;
}

/* Rank 0 finds the axes and broadcasts them. turn [raw, raw] is used on rank 0 only; NULL: rows are
 * not turned first. Collective; agreed. */
static akin_status find_axes(const fit *f, const sought *s, const akin_covariance *covariance,
                             const double *turn, double whiten, akin_projection *projection) {
    akin_status status = AKIN_OK;
    if (akin_comm_rank(f->comm) == 0) {
        double *matrix = matrix_of(s, covariance);
        status = !matrix ? AKIN_FAILED
                 : !turn ? akin_projection_fit(projection, matrix, whiten)
                         : akin_projection_fit_turned(projection, matrix, turn, whiten);
        akin_mem_free(matrix);
    }
    AKIN_TRY(akin_agree(f->comm, status));
    tell_axes(f, projection);
done:
    return status;
}

/* The axes of a small sample: all rows are sent to rank 0. Collective; agreed. */
static akin_status find_axes_of_few(const fit *f, const sought *s, double whiten,
                                    akin_projection *projection) {
    akin_status status;
    void *all = NULL;
    AKIN_TRY(
        akin_comm_gather(f->comm, s->rows, s->count * s->raw * sizeof *s->rows, 0, &all, NULL));
    status = akin_comm_rank(f->comm) == 0
                 ? akin_projection_fit_rows(projection, all, s->total, whiten)
                 : AKIN_OK;
    AKIN_TRY(akin_agree(f->comm, status));
    tell_axes(f, projection);
done:
    akin_mem_free(all);
    return status;
}

/* Computes on rank 0 the turn [raw, raw] that makes a part steady against the variation between
 * views of a picture; owned. Collective; agreed. */
static akin_status steady_turn(const fit *f, akin_part part, double **out) {
    akin_status status;
    const sought s = {akin_part_name(part), f->moved[part], akin_features_raw(&f->features, part),
                      f->count * f->views, f->sample * f->views};
    akin_covariance *covariance = NULL;
    double *nuisance = NULL;
    float *mean = akin_mem_alloc(s.raw, sizeof *mean);
    AKIN_TRY(akin_agree(f->comm, mean ? akin_covariance_create(s.raw, &covariance) : AKIN_FAILED));
    AKIN_TRY(sum_mean(f, &s, covariance, mean));
    AKIN_TRY(sum_products(f, &s, covariance));
    if (akin_comm_rank(f->comm) == 0) {
        nuisance = matrix_of(&s, covariance);
        *out = akin_mem_alloc(s.raw, s.raw * sizeof **out);
        status = nuisance && *out ? akin_projection_steady(nuisance, s.raw, *out) : AKIN_FAILED;
    }
    status = akin_agree(f->comm, status);
done:
    akin_mem_free(mean);
    akin_mem_free(nuisance);
    akin_covariance_free(covariance);
    return status;
}

/* rows [f->count, raw] of this rank; turned: whether rank 0's turn is applied to rows first.
 * Collective; agreed. */
static akin_status fit_projection(const fit *f, const char *what, const float *rows, bool turned,
                                  const double *turn, double whiten, akin_projection *projection) {
    akin_status status;
    const sought s = {what, rows, akin_projection_raw(projection), f->count, f->sample};
    akin_covariance *covariance = NULL;
    AKIN_TRY(akin_agree(f->comm, akin_covariance_create(s.raw, &covariance)));
    AKIN_TRY(sum_mean(f, &s, covariance, akin_projection_mean(projection)));
    if (!akin_projection_axes(projection)) goto done;
    if (f->sample <= s.raw / 2 && !turned) {
        AKIN_TRY(find_axes_of_few(f, &s, whiten, projection));
        goto done;
    }
    AKIN_TRY(sum_products(f, &s, covariance));
    AKIN_TRY(find_axes(f, &s, covariance, turn, whiten, projection));
done:
    akin_covariance_free(covariance);
    return status;
}

/* --- the parts, and their join --- */

static akin_status fit_part(const fit *f, akin_part part) {
    akin_status status;
    double *turn = NULL;
    akin_projection *projection =
        akin_feature_params_projection(akin_model_feature_params(f->model), part);
    if (f->moved[part]) AKIN_TRY(steady_turn(f, part, &turn));
    AKIN_TRY(fit_projection(f, akin_part_name(part), f->raw[part], f->moved[part] != NULL, turn,
                            f->features.parts[part].whiten, projection));
done:
    akin_mem_free(turn);
    return status;
}

static akin_status fit_parts(const fit *f) {
    akin_status status = AKIN_OK;
    for (size_t p = 0; p < AKIN_PARTS; p++)
        if (f->raw[p]) AKIN_TRY(fit_part(f, (akin_part)p));
done:
    return status;
}

/* The parts of this rank's items with the weights that they have now. */
static akin_status join_all(fit *f) {
    akin_status status;
    size_t dim = akin_features_joined(&f->features);
    akin_encoder *encoder = NULL;
    AKIN_TRY(akin_encoder_create(f->model, &encoder));
    if (!f->joined) f->joined = akin_mem_alloc(f->count, dim * sizeof *f->joined);
    if (!f->joined) status = AKIN_FAILED;
    if (!f->joined) goto done;
    for (size_t i = 0; i < f->count; i++) {
        const float *raw[AKIN_PARTS] = {NULL};
        for (size_t p = 0; p < AKIN_PARTS; p++)
            if (f->raw[p]) raw[p] = f->raw[p] + i * akin_features_raw(&f->features, (akin_part)p);
        akin_encoder_join(encoder, raw, f->joined + i * dim);
    }
done:
    akin_encoder_free(encoder);
    return status;
}

/* What is chosen on the catalogue: the weights of the parts, and the turn of the joined ones. */
static akin_status choose(fit *f, akin_fit_features_choice *choice) {
    akin_status status = AKIN_OK;
    size_t *items = NULL;
    akin_study_teachers teachers = {0};
    if (akin_features_join(&f->features)) {
        items = akin_mem_alloc(f->count, sizeof *items);
        AKIN_TRY(akin_agree(f->comm, items ? join_all(f) : AKIN_FAILED));
        for (size_t i = 0; i < f->count; i++) items[i] = row_of(f, f->first + i);
        teachers = (akin_study_teachers){f->count, items, f->joined};
    }
    AKIN_TRY(akin_study_catalog(f->comm, f->catalog, &teachers, f->model, &f->features, choice,
                                &f->together, &f->turned));
done:
    akin_mem_free(items);
    return status;
}

static akin_status fit_join(fit *f) {
    akin_status status = AKIN_OK;
    double *together = f->together;
    f->together = NULL;
    akin_projection *join = akin_feature_params_join(akin_model_feature_params(f->model));
    if (!join) goto done;
    AKIN_TRY(akin_agree(f->comm, join_all(f)));
    AKIN_TRY(fit_projection(f, "joined parts", f->joined, f->turned, together, 0, join));
done:
    akin_mem_free(together);
    return status;
}

static void end(fit *f) {
    for (size_t p = 0; p < AKIN_PARTS; p++) akin_mem_free(f->raw[p]), akin_mem_free(f->moved[p]);
    akin_mem_free(f->joined);
    akin_mem_free(f->together);
    akin_mem_free(f->images);
    akin_describe_free(f->describe);
}

akin_status akin_fit_features(akin_comm *comm, const akin_catalog *catalog,
                              const akin_features *features, akin_model *model,
                              akin_fit_features_result *result) {
    akin_status status;
    fit f = {.comm = comm, .catalog = catalog, .features = *features, .model = model};
    *result = (akin_fit_features_result){0};
    plan(&f);
    AKIN_TRY(akin_agree(comm, allocate(&f)));
    double start = akin_comm_seconds();
    AKIN_TRY(learn_dictionary(&f));
    if (f.features.parts[AKIN_PART_MANIFOLD].weight > 0) /* the copy; the model frees its own */
        AKIN_TRY(akin_fit_manifold(comm, catalog, akin_model_feature_params(model)));
    AKIN_TRY(describe_all(&f));
    *result = (akin_fit_features_result){.items = f.sample, .seconds = akin_comm_seconds() - start};
    AKIN_TRY(fit_parts(&f));
    if (f.features.tuned) AKIN_TRY(choose(&f, &result->choice));
    result->features = f.features;
    AKIN_TRY(fit_join(&f));
done:
    end(&f);
    return status;
}
