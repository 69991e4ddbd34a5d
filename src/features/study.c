/* study: see study.h. */
#include "study.h"
#include "feature_params.h"
#include "ground.h"
#include "study_pairs.h"
#include "tune.h"
#include <akin/augment.h>
#include <akin/encoder.h>
#include <akin/labels.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <stdio.h>
#include <string.h>

#define CHUNK ((size_t)64) /* pictures between two checks for messages of other ranks */
#define VIEWS ((size_t)2048)
#define MOST_VIEWS ((size_t)4) /* most views per picture */

typedef struct {
    akin_comm *comm;
    const akin_catalog *catalog;
    akin_features *features;
    akin_model *model;
    akin_fit_features_choice *out;
    akin_study_list list;     /* the rows and pairs to study, the same on all ranks */
    size_t dim, first, count; /* this rank's rows of the list */
    akin_encoder *encoder;
    uint8_t *images; /* [CHUNK] */
    float *seen;     /* [CHUNK] rows of a trained network's output; NULL: not needed */
    float *rows;     /* [count, dim] */
    size_t all_views, first_view, views; /* views (tune.h): of all ranks; this rank's */
    float *changed;                      /* [views, dim] */
    int32_t *label, *group;              /* [count] */
    const akin_study_teachers *teachers;
    int32_t *taught; /* [teachers->count]: their labels */
    int64_t flat;    /* number of pictures on a flat background */
} work;

static bool tunes_by(const work *w, const char *what) {
    return w->features->tune && strcmp(w->features->tune, what) == 0;
}

/* Labels of the items from the first to the last of rows [count], ascending; *from: the first. */
static akin_status labels_around(const work *w, const size_t *rows, size_t count, size_t *from,
                                 akin_labels **out) {
    *from = count > 0 ? rows[0] : 0;
    return akin_labels_read(akin_catalog_file(w->catalog), *from,
                            count > 0 ? rows[count - 1] + 1 - *from : 0, out);
}

/* By what items belong together: w->out->by. */
static akin_status decide_by(work *w) {
    akin_status status;
    akin_labels *labels = NULL;
    AKIN_TRY(akin_labels_read(akin_catalog_file(w->catalog), 0, 0, &labels)); /* the names */
    bool categories = akin_labels_category_count(labels) > 0,
         groups = akin_labels_group_count(labels) > 0;
    const char *by = w->features->pairs  ? "pairs"
                     : w->features->tune ? w->features->tune
                     : categories        ? "category"
                     : groups            ? "group"
                                         : "ground";
    if ((tunes_by(w, "category") && !categories) || (tunes_by(w, "group") && !groups))
        AKIN_TRY(akin_error_option("tune", "--tune %s: no item of %s has a %s", by,
                                   akin_ncfile_path(akin_catalog_file(w->catalog)), by));
    w->out->by = by;
done:
    akin_labels_free(labels);
    return status;
}

static bool chosen_by(const work *w, const char *what) {
    return strcmp(w->out->by, what) == 0;
}

/* The variable of the catalogue that says what belongs together; NULL: none. */
static const char *label_of(const work *w) {
    return chosen_by(w, "category") || chosen_by(w, "group") ? w->out->by : NULL;
}

/* Labels of this rank's rows: what belongs together, and what is excluded. */
static akin_status read_labels(work *w) {
    akin_status status;
    akin_labels *labels = NULL;
    const size_t *rows = w->list.rows + w->first;
    size_t from;
    AKIN_TRY(labels_around(w, rows, w->count, &from, &labels));
    for (size_t i = 0; i < w->count; i++) {
        int32_t category = akin_labels_category(labels)[rows[i] - from],
                group = akin_labels_group(labels)[rows[i] - from];
        w->label[i] = chosen_by(w, "category") ? category : chosen_by(w, "group") ? group : -1;
        w->group[i] = chosen_by(w, "category") ? group : -1;
    }
done:
    akin_labels_free(labels);
    return status;
}

/* Labels of the rows that teach, in w->taught. */
static akin_status read_taught(work *w) {
    akin_status status;
    akin_labels *labels = NULL;
    const akin_study_teachers *from_whom = w->teachers;
    size_t from;
    AKIN_TRY(labels_around(w, from_whom->items, from_whom->count, &from, &labels));
    const int32_t *known =
        chosen_by(w, "group") ? akin_labels_group(labels) : akin_labels_category(labels);
    for (size_t i = 0; i < from_whom->count; i++) w->taught[i] = known[from_whom->items[i] - from];
done:
    akin_labels_free(labels);
    return status;
}

/* The first view of the rows from `row` on. */
static size_t view_from(const work *w, size_t row) {
    return (row * w->all_views + w->list.count - 1) / w->list.count;
}

static bool tries_map(const work *w) {
    return akin_features_join(w->features) && akin_tune_can_map(w->list.count, w->dim);
}

/* No views are made where neither weights nor a map could be learned from them, or where an imported
 * network is used, since its output for views is not available. */
static void plan_views(work *w) {
    bool maps = tries_map(w);
    bool looked = (maps || !chosen_by(w, "ground")) && !akin_features_sees(w->features);
    size_t most = w->list.count * MOST_VIEWS;
    w->all_views = !looked ? 0 : most < VIEWS ? most : VIEWS;
    w->first_view = view_from(w, w->first);
    w->views = view_from(w, w->first + w->count) - w->first_view;
}

/* Everything that can fail on one rank only. */
static akin_status prepare(work *w) {
    akin_status status;
    int size = akin_comm_size(w->comm), rank = akin_comm_rank(w->comm);
    w->first = akin_shard_first(w->list.count, size, rank);
    w->count = akin_shard_count(w->list.count, size, rank);
    w->dim = akin_features_joined(w->features);
    AKIN_TRY(akin_encoder_create(w->model, &w->encoder));
    w->images = akin_mem_alloc(CHUNK, AKIN_IMAGE_BYTES);
    w->rows = akin_mem_alloc(w->count, w->dim * sizeof *w->rows);
    w->label = akin_mem_alloc(w->count, sizeof *w->label);
    w->group = akin_mem_alloc(w->count, sizeof *w->group);
    w->taught = akin_mem_alloc(w->teachers->count, sizeof *w->taught);
    size_t seen = akin_encoder_seen(w->encoder);
    if (seen > 0) w->seen = akin_mem_alloc(CHUNK, seen * sizeof *w->seen);
    if (!w->images || !w->rows || !w->label || !w->group || !w->taught || (seen > 0 && !w->seen))
        return AKIN_FAILED;
    AKIN_TRY(read_labels(w));
    AKIN_TRY(read_taught(w));
    plan_views(w);
    w->changed = akin_mem_alloc(w->views, w->dim * sizeof *w->changed);
    if (!w->changed) status = AKIN_FAILED;
done:
    return status;
}

static akin_status describe_chunk(work *w, size_t at, size_t count) {
    akin_status status;
    AKIN_TRY(akin_catalog_images_at(w->catalog, w->list.rows + w->first + at, count, w->images));
    for (size_t i = 0; i < count; i++)
        w->flat += akin_ground_is_flat(w->images + i * AKIN_IMAGE_BYTES);
    if (w->seen)
        AKIN_TRY(akin_catalog_network_at(w->catalog, w->list.rows + w->first + at, count, w->seen));
    akin_encoder_parts(w->encoder, w->images, w->seen, count, w->rows + at * w->dim);
done:
    return status;
}

/* Computes `count` of this rank's views, starting with number `at`. They resemble new versions of a
 * shop's picture: cropped and under other light; every second one is changed less, but noise is
 * added as if it had been encoded again. */
static akin_status describe_views(work *w, size_t at, size_t count) {
    static const akin_augment hows[] = {{.crop = 0.2F, .brightness = 0.2F},
                                        {.crop = 0.1F, .brightness = 0.1F, .noise = 0.02F}};
    akin_status status;
    uint8_t image[AKIN_IMAGE_BYTES];
    for (size_t i = 0; i < count; i++) {
        size_t view = w->first_view + at + i;
        const akin_augment_key key = {.item = view};
        const size_t row = w->list.rows[view * w->list.count / w->all_views];
        AKIN_TRY(akin_catalog_images_at(w->catalog, &row, 1, image));
        akin_augment_view(&hows[view % 2], &key, image, w->images + i * AKIN_IMAGE_BYTES);
    }
    akin_encoder_parts(w->encoder, w->images, NULL, count, w->changed + at * w->dim);
done:
    return status;
}

/* The next CHUNK of rows and of views. */
static akin_status describe_next(work *w, size_t at) {
    akin_status status = AKIN_OK;
    if (at < w->count)
        AKIN_TRY(describe_chunk(w, at, w->count - at < CHUNK ? w->count - at : CHUNK));
    if (at < w->views)
        AKIN_TRY(describe_views(w, at, w->views - at < CHUNK ? w->views - at : CHUNK));
done:
    return status;
}

static akin_status describe_rows(work *w) {
    akin_status status = AKIN_OK;
    size_t most = w->count > w->views ? w->count : w->views;
    size_t rounds = akin_comm_rounds(w->comm, most, CHUNK);
    for (size_t round = 0; round < rounds; round++) {
        size_t at = round * CHUNK;
        akin_status local = describe_next(w, at);
        if (local == AKIN_OK && akin_comm_signalled())
            local = akin_error_set(AKIN_INTERRUPTED,
                                   "choosing weights was interrupted; submit again to continue");
        AKIN_TRY(akin_agree(w->comm, local));
        akin_log_progress("train: weights", "chunks of pictures", (double)round + 1,
                          (double)rounds);
    }
    akin_comm_sum_i64(w->comm, &w->flat, 1);
done:
    akin_log_progress_end();
    return status;
}

/* --- the choice --- */

/* Gathers the rows that teach on rank 0: *rows and *label, owned; the study borrows them unless those
 * studied are more, or were selected because they belong together. Collective; agreed. */
static akin_status gather_taught(const work *w, akin_study *study, void **rows, void **label) {
    akin_status status;
    const akin_study_teachers *from = w->teachers;
    AKIN_TRY(akin_comm_gather(w->comm, from->rows, from->count * w->dim * sizeof *from->rows, 0,
                              rows, NULL));
    AKIN_TRY(akin_comm_gather(w->comm, w->taught, from->count * sizeof *w->taught, 0, label, NULL));
    int64_t count = (int64_t)from->count;
    akin_comm_sum_i64(w->comm, &count, 1);
    bool more = (size_t)count >= w->list.count && w->list.pair_count == 0 && !w->list.together;
    study->taught_count = more ? (size_t)count : 0;
    study->taught = *rows;
    study->taught_label = *label;
done:
    return status;
}

/* Gathers all rows on rank 0, which learns; `result` is set there only. Collective; agreed. */
static akin_status learn(const work *w, double flat, akin_tune_result *result) {
    akin_status status;
    void *rows = NULL, *views = NULL, *label = NULL, *group = NULL, *all = NULL, *labels = NULL;
    akin_study study = {.count = w->list.count,
                        .dim = w->dim,
                        .pairs = w->list.pairs,
                        .pair_count = w->list.pair_count,
                        .flat = flat,
                        .view_count = w->all_views};
    AKIN_TRY(
        akin_comm_gather(w->comm, w->rows, w->count * w->dim * sizeof *w->rows, 0, &rows, NULL));
    AKIN_TRY(akin_comm_gather(w->comm, w->changed, w->views * w->dim * sizeof *w->changed, 0,
                              &views, NULL));
    AKIN_TRY(akin_comm_gather(w->comm, w->label, w->count * sizeof *w->label, 0, &label, NULL));
    AKIN_TRY(akin_comm_gather(w->comm, w->group, w->count * sizeof *w->group, 0, &group, NULL));
    AKIN_TRY(gather_taught(w, &study, &all, &labels));
    study.rows = rows;
    study.views = views;
    study.label = label;
    study.group = group;
    if (akin_comm_rank(w->comm) == 0)
        status = akin_tune(&study, w->features, akin_features_join(w->features), result);
    status = akin_agree(w->comm, status);
done:
    akin_mem_free(all);
    akin_mem_free(labels);
    akin_mem_free(rows);
    akin_mem_free(views);
    akin_mem_free(label);
    akin_mem_free(group);
    return status;
}

/* Broadcasts rank 0's result. */
static void tell(const work *w, akin_tune_result *result) {
    double *turn = result->turn;
    akin_comm_broadcast(w->comm, result, sizeof *result, 0);
    result->turn = turn; /* the pointer is valid on rank 0 only */
}

/* Says in text [size] how many views find their originals, and what was done for it. */
static void describe_again(const akin_tune_result *result, char *text, size_t size) {
    text[0] = '\0';
    if (result->again_plain > 0)
        snprintf(
            text, size,
            "; of slightly changed pictures, %.1f %% find their original first with the default "
            "weights, %.1f %% in the end%s",
            100 * result->again, 100 * (result->mapped ? result->again_map : result->again_plain),
            result->steady ? ", with vectors made insensitive to such changes" : "");
}

/* Describes the map, or says that it is not used, in text [size]. */
static void describe_use(const akin_tune_result *result, char *text, size_t size) {
    char colours[64] = "", texture[64] = "";
    if (result->colours > 0)
        snprintf(colours, sizeof colours, ", colours kept apart with %.2g times their weight",
                 result->colours);
    if (result->texture > 1)
        snprintf(texture, sizeof texture, ", texture with %.3g times its weight", result->texture);
    if (result->mapped)
        snprintf(text, size, "it is used (%sridge %.2g, strength %.2g%s%s)",
                 result->press ? "discriminant, " : "", result->ridge, result->amount, colours,
                 texture);
    else
        snprintf(text, size, "it is not used");
}

/* What a map gave, in text [size]; nothing where the parts are not joined. */
static void describe_map(const work *w, const akin_tune_result *result, char *text, size_t size) {
    char use[256];
    text[0] = '\0';
    describe_use(result, use, sizeof use);
    if (tries_map(w))
        snprintf(text, size,
                 "; a linear map learned from half of the items changes the precision of the other "
                 "half from %.3f to %.3f: %s",
                 result->share_plain, result->share_map, use);
    else if (akin_features_join(w->features))
        snprintf(text, size, "; too few items to learn a linear map from");
}

/* What the weights gave, in text [size]. */
static void describe_weights(const work *w, const akin_tune_result *result, char *text,
                             size_t size) {
    char chosen[64] = ", which no others improve";
    if (result->weighed)
        snprintf(chosen, sizeof chosen, ", %.3f with the chosen ones", result->share_weighed);
    snprintf(text, size,
             "; precision at 10 by %s, of %zu held-out items: %.3f with the default weights%s",
             w->out->by, result->queries, result->share, chosen);
}

static void describe_choice(const work *w, const akin_tune_result *result) {
    akin_fit_features_choice *out = w->out;
    char weights[160] = "", map[384] = "", views[192];
    describe_again(result, views, sizeof views);
    if (result->queries > 0) {
        describe_weights(w, result, weights, sizeof weights);
        describe_map(w, result, map, sizeof map);
    } else if (strcmp(out->by, "ground") != 0) {
        snprintf(weights, sizeof weights,
                 "; the default weights, as too few items belong together by %s to choose others",
                 out->by);
    }
    snprintf(out->why, sizeof out->why, "%.0f %% of the pictures have a plain background%s%s%s",
             100 * out->flat, weights, map, views);
}

static void put_weights(const work *w, const double *weights) {
    for (size_t p = 0; p < AKIN_PARTS; p++)
        if (w->features->parts[p].weight > 0) {
            w->features->parts[p].weight = weights[p];
            akin_feature_params_weigh(akin_model_feature_params(w->model), (akin_part)p,
                                      weights[p]);
        }
}

static void log_choice(const work *w) {
    char weights[320] = "";
    size_t used = 0;
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        const akin_features_part *part = &w->features->parts[p];
        if (part->weight > 0 && used < sizeof weights)
            used +=
                (size_t)snprintf(weights + used, sizeof weights - used, "%s%s %.3g",
                                 used > 0 ? ", " : "", akin_part_name((akin_part)p), part->weight);
    }
    akin_log_info("train: weights of the parts: %s", weights);
    akin_log_info("train: %s", w->out->why);
}

static akin_status choose(work *w, double **turn, bool *turned) {
    akin_status status = AKIN_OK;
    akin_tune_result result = {0};
    w->out->flat = (double)w->flat / (double)w->list.count;
    akin_features_weigh_by_ground(w->features, w->out->flat, result.weights);
    AKIN_TRY(learn(w, w->out->flat, &result));
    tell(w, &result);
    put_weights(w, result.weights);
    describe_choice(w, &result);
    w->out->share = result.queries > 0 ? result.share_map : 0;
    akin_feature_params_explain(akin_model_feature_params(w->model), w->out->by, w->out->why);
    log_choice(w);
    *turn = result.turn;
    *turned = result.mapped || result.steady;
    result.turn = NULL;
done:
    akin_mem_free(result.turn);
    return status;
}

akin_status akin_study_catalog(akin_comm *comm, const akin_catalog *catalog,
                               const akin_study_teachers *teachers, akin_model *model,
                               akin_features *features, akin_fit_features_choice *out,
                               double **turn, bool *turned) {
    akin_status status;
    work w = {.comm = comm,
              .catalog = catalog,
              .teachers = teachers,
              .features = features,
              .model = model,
              .out = out};
    *turn = NULL;
    *turned = false;
    AKIN_TRY(akin_agree(comm, decide_by(&w)));
    AKIN_TRY(akin_study_list_make(comm, catalog, features->pairs, label_of(&w), AKIN_STUDY_ROWS,
                                  &w.list));
    AKIN_TRY(akin_agree(comm, prepare(&w)));
    AKIN_TRY(describe_rows(&w));
    AKIN_TRY(choose(&w, turn, turned));
done:
    akin_study_list_free(&w.list);
    akin_encoder_free(w.encoder);
    akin_mem_free(w.images);
    akin_mem_free(w.seen);
    akin_mem_free(w.rows);
    akin_mem_free(w.changed);
    akin_mem_free(w.label);
    akin_mem_free(w.group);
    akin_mem_free(w.taught);
    return status;
}
