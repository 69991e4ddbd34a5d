/* verb_train: `akin train catalog.nc -o model.nc`. */
#include "checkpoints.h"
#include "trained.h"
#include "verbs.h"
#include <akin/features.h>
#include <akin/file.h>
#include <akin/ids.h>
#include <akin/log.h>
#include <akin/ncfile.h>
#include <akin/train.h>
#include <math.h>
#include <string.h>

#define CURVE_POINTS ((size_t)1000) /* at most, in the report */

static const akin_option options[] = {
    {.name = "output",
     .letter = 'o',
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "the model to write, model.nc"},
    {.name = "epochs",
     .type = AKIN_OPTION_REAL,
     .minimum = 1e-9,
     .maximum = 1e6,
     .shapes_result = true,
     .argument = "N",
     .help =
         "passes over the pictures; may be a fraction, such as 0.5 (default: 20, fewer for a large "
         "catalogue)"},
    {.name = "steps",
     .type = AKIN_OPTION_INT,
     .initial = "0",
     .minimum = 0,
     .maximum = 1e15,
     .shapes_result = true,
     .argument = "N",
     .help = "maximum number of optimiser steps, whatever the epochs; 0 = no limit"},
    {.name = "batch",
     .type = AKIN_OPTION_INT,
     .initial = "256",
     .minimum = 1,
     .maximum = 1e6,
     .shapes_result = true,
     .argument = "N",
     .help = "pictures per optimiser step, over all ranks"},
    {.name = "learning-rate",
     .type = AKIN_OPTION_REAL,
     .initial = "0.002",
     .minimum = 1e-9,
     .maximum = 1e6,
     .shapes_result = true,
     .argument = "R",
     .help = "peak learning rate of Adam"},
    {.name = "warmup",
     .type = AKIN_OPTION_INT,
     .initial = "50",
     .minimum = 0,
     .maximum = 1e9,
     .shapes_result = true,
     .argument = "STEPS",
     .help = "warm-up steps of the learning rate, scaled from a batch of 256; at most a tenth of "
             "the run"},
    {.name = "schedule",
     .type = AKIN_OPTION_CHOICE,
     .initial = "cosine",
     .choices = "cosine|constant",
     .shapes_result = true,
     .help = "the learning rate after the warm-up: down to zero along a cosine, or constant"},
    {.name = "seed",
     .type = AKIN_OPTION_INT,
     .initial = "1",
     .minimum = 0,
     .maximum = 9007199254740992.0,
     .shapes_result = true,
     .argument = "N",
     .help = "seed of the initial weights, the order and the holdout"},
    {.name = "holdout",
     .type = AKIN_OPTION_REAL,
     .initial = "0.02",
     .minimum = 0,
     .maximum = 0.99,
     .shapes_result = true,
     .argument = "FRACTION",
     .help = "share of the items that is never trained on, only measured"},
    {.name = "patience",
     .type = AKIN_OPTION_INT,
     .initial = "0",
     .minimum = 0,
     .maximum = 1e9,
     .shapes_result = true,
     .argument = "EPOCHS",
     .help = "stop after N epochs without improvement of the holdout loss, and keep the best "
             "weights; 0 = never"},
    {.name = "objective",
     .type = AKIN_OPTION_CHOICE,
     .choices = "reconstruction|denoising|contrastive",
     .shapes_result = true,
     .help = "the loss: reconstruction error (reconstruction); the same, from a damaged picture "
             "(denoising); or both reconstruction error and disagreement of two views of a picture "
             "(contrastive; the default, except that --features autoencoder takes reconstruction)"},
    {.name = "augment",
     .type = AKIN_OPTION_REAL,
     .initial = "1",
     .minimum = 0,
     .maximum = 4,
     .shapes_result = true,
     .argument = "STRENGTH",
     .help =
         "strength of the random changes to pictures in training; 1 is the tuned value, 0 is off"},
    {.name = "contrast",
     .type = AKIN_OPTION_REAL,
     .initial = "0.005",
     .minimum = 0,
     .maximum = 1e6,
     .shapes_result = true,
     .argument = "WEIGHT",
     .help = "contrastive: weight of the contrastive loss relative to the mean squared error"},
    {.name = "temperature",
     .type = AKIN_OPTION_REAL,
     .initial = "0.2",
     .minimum = 0.05,
     .maximum = 100,
     .shapes_result = true,
     .argument = "T",
     .help = "contrastive: divisor of the cosines; lower means that only the most similar pictures "
             "count"},
    {.name = "features",
     .type = AKIN_OPTION_CHOICE,
     .initial = "fused",
     .choices = AKIN_FEATURES_NAMES,
     .shapes_result = true,
     .help = "what an embedding is made of: several parts joined (fused), or one of them"},
    {.name = "whiten",
     .type = AKIN_OPTION_REAL,
     .minimum = 0,
     .maximum = 1,
     .shapes_result = true,
     .argument = "POWER",
     .help = "whitening: each axis is divided by its eigenvalue to this power; 0 = none, 0.5 = "
             "full (default: as tuned for each part)"},
    {.name = "dim",
     .type = AKIN_OPTION_INT,
     .minimum = 1,
     .maximum = AKIN_FEATURES_MAX_DIM,
     .shapes_result = true,
     .argument = "N",
     .help = "columns of an embedding (default: as tuned, at most 128)"},
    {.name = "weights",
     .type = AKIN_OPTION_TEXT,
     .shapes_result = true,
     .argument = "PART=W,...",
     .help = "of features with several parts: latent, pixels, colour, edges, texture, foreground, "
             "patches, shape, maps, manifold; 0 leaves a part out"},
    {.name = "tune",
     .type = AKIN_OPTION_CHOICE,
     .choices = "category|group|none",
     .shapes_result = true,
     .help = "choose those weights of fused that are not given so that items of the same category, "
             "or group, become neighbours; none: use fixed weights (default: by the labels that "
             "the catalogue has)"},
    {.name = "pairs",
     .type = AKIN_OPTION_TEXT,
     .shapes_result = true,
     .argument = "FILE.csv",
     .help = "id,id[,weight] rows of items that belong together, to learn from in place of labels"},
    {.name = "init",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "start from the weights of this model, but not from its optimiser state"},
    AKIN_CHECKPOINT_OPTIONS("how often it is saved, in addition to the end of each epoch"),
    {.name = "retrain",
     .type = AKIN_OPTION_CHOICE,
     .initial = "never",
     .choices = "never|always|weekly|drift",
     .unrecorded = true,
     .help = "in `run`: when an existing model is replaced; without this key it is kept for any "
             "catalogue, but not for other options that the job file gives; weekly and drift "
             "start from its weights"},
    {.name = "drift-limit",
     .type = AKIN_OPTION_REAL,
     .initial = "0.2",
     .minimum = 0,
     .maximum = 1e6,
     .unrecorded = true,
     .argument = "X",
     .help = "with --retrain drift: how far the loss on new items may exceed the holdout loss, as "
             "a share of it"},
    {0},
};

/* A row that is wrong is found before anything is trained, for that may take hours. */
static akin_status look_at_pairs(const akin_call *call, const char *catalog, const char *pairs) {
    akin_status status = AKIN_OK;
    akin_ncfile *file = NULL;
    akin_id_pairs found = {0};
    if (akin_comm_rank(call->comm) != 0) return AKIN_OK;
    AKIN_TRY(akin_ncfile_peek(catalog, "catalog", &file));
    AKIN_TRY(akin_id_pairs_read(pairs, file, &found));
done:
    akin_id_pairs_release(&found);
    akin_ncfile_close(file);
    return status;
}

akin_status akin_train_features(const akin_options *o, size_t seen, akin_features *features) {
    const akin_features_params params = {
        .name = akin_options_text(o, "features"),
        .dim = akin_options_given(o, "dim") ? (size_t)akin_options_int(o, "dim") : 0,
        .whiten = akin_options_given(o, "whiten") ? akin_options_real(o, "whiten") : -1,
        .weights = akin_options_text(o, "weights"),
        .tune = akin_options_given(o, "tune") ? akin_options_text(o, "tune") : NULL,
        .pairs = akin_options_text(o, "pairs"),
        .seen = seen};
    return akin_features_choose(&params, features);
}

/* The one that is given; otherwise the best one for the maps, or for a latent. */
static akin_objective_kind objective_of(const akin_options *o, const akin_features *features) {
    if (akin_options_given(o, "objective"))
        return akin_objective_find(akin_options_text(o, "objective"));
    return akin_features_is_latent(features) ? AKIN_OBJECTIVE_RECONSTRUCTION
                                             : AKIN_OBJECTIVE_CONTRASTIVE;
}

static akin_train_params read_params(const akin_call *call) {
    const akin_options *o = call->options;
    const char *const *arguments;
    akin_options_arguments(o, &arguments);
    return (akin_train_params){
        .catalog = arguments[0],
        .output = akin_options_text(o, "output"),
        .init = akin_options_text(o, "init"),
        .checkpoint = akin_options_text(o, "checkpoint"),
        .checkpoint_every = akin_options_real(o, "checkpoint-every"),
        .epochs = akin_options_given(o, "epochs") ? akin_options_real(o, "epochs") : 0,
        .steps = (size_t)akin_options_int(o, "steps"),
        .batch = (size_t)akin_options_int(o, "batch"),
        .learning_rate = akin_options_real(o, "learning-rate"),
        .warmup = (size_t)akin_options_int(o, "warmup"),
        .constant_rate = strcmp(akin_options_text(o, "schedule"), "constant") == 0,
        .patience = (size_t)akin_options_int(o, "patience"),
        .holdout = akin_options_real(o, "holdout"),
        .seed = (uint64_t)akin_options_int(o, "seed"),
        .objective = {.augment = akin_options_real(o, "augment"),
                      .contrast = akin_options_real(o, "contrast"),
                      .temperature = akin_options_real(o, "temperature")},
        .options = call->options_text,
        .result_options = call->result_options};
}

/* One number per epoch; for a long run, every n-th and the last. */
static void set_curve(akin_json *report, const char *key, const double *curve, size_t count) {
    size_t stride = (count + CURVE_POINTS - 1) / CURVE_POINTS;
    akin_json *array = akin_json_array();
    for (size_t i = 0; i < count; i++)
        if ((i + 1) % stride == 0 || i + 1 == count) akin_json_append_number(array, curve[i]);
    akin_json_set_node(report, key, &array);
}

static void append_part(akin_json *list, const akin_features_part *part, const char *name) {
    akin_json *entry = akin_json_object();
    akin_json_set_text(entry, "name", name);
    akin_json_set_integer(entry, "columns", (long long)part->dim);
    akin_json_set_number(entry, "weight", part->weight);
    akin_json_append_node(list, &entry);
}

/* What a vector is made of, and by what its weights were chosen. */
static void set_parts(akin_json *report, const akin_fit_features_result *fitted) {
    akin_json *list = akin_json_array();
    for (size_t p = 0; p < AKIN_PARTS; p++)
        if (fitted->features.parts[p].weight > 0)
            append_part(list, &fitted->features.parts[p], akin_part_name((akin_part)p));
    akin_json_set_node(report, "parts", &list);
    akin_json_set_text(report, "weights_chosen_by", fitted->choice.by ? fitted->choice.by : "none");
    akin_json_set_text(report, "weights_chosen", fitted->choice.why);
}

static void fill_report(akin_json *report, const akin_train_result *result) {
    akin_json_set_integer(report, "items", (long long)result->items);
    akin_json_set_number(report, "epochs", result->epochs);
    akin_json_set_integer(report, "steps", (long long)result->steps);
    akin_json_set_number(report, "loss_first", result->loss_first);
    akin_json_set_number(report, "loss_last", result->loss_last);
    akin_json_set_number(report, "holdout_loss", result->holdout_loss);
    akin_json_set_number(report, "contrast_last", result->contrast_last);
    akin_json_set_number(report, "holdout_contrast", result->holdout_contrast);
    akin_json_set_number(report, "images_per_second", result->images_per_second);
    akin_json_set_number(report, "seconds_waiting", result->seconds_waiting);
    akin_json_set_number(report, "seconds_reading", result->seconds_reading);
    akin_json_set_number(report, "seconds_saving", result->seconds_saving);
    set_parts(report, &result->fitted);
    set_curve(report, "curve", result->loss_curve, result->points);
    set_curve(report, "holdout_curve", result->holdout_curve, result->points);
    if (!isnan(result->contrast_last)) {
        set_curve(report, "contrast_curve", result->contrast_curve, result->points);
        set_curve(report, "holdout_contrast_curve", result->holdout_contrast_curve, result->points);
    }
}

/* Options that were given but have no effect. */
static void warn_of_idle(const akin_options *o, const akin_features *features) {
    static const struct {
        const char *option;
        bool denoising, contrastive; /* the objectives that use it, besides reconstruction if
                                      * both are false */
    } asked[] = {
        {"augment", true, true},    {"contrast", false, true},       {"temperature", false, true},
        {"epochs", false, false},   {"steps", false, false},         {"batch", false, false},
        {"warmup", false, false},   {"learning-rate", false, false}, {"schedule", false, false},
        {"patience", false, false}, {"holdout", false, false}};
    const char *objective = akin_objective_name(objective_of(o, features));
    bool denoising = strcmp(objective, "denoising") == 0,
         contrastive = strcmp(objective, "contrastive") == 0;
    bool network = akin_features_network(features);
    if (!network && akin_options_given(o, "objective"))
        akin_log_warning("train: the features %s need no network: --objective %s has no effect",
                         features->name, objective);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        bool every = !asked[i].denoising && !asked[i].contrastive;
        bool goes =
            every || (denoising && asked[i].denoising) || (contrastive && asked[i].contrastive);
        if (!akin_options_changed(o, asked[i].option) || (network && goes)) continue;
        if (network)
            akin_log_warning("train: --%s has no effect with --objective %s", asked[i].option,
                             objective);
        else
            akin_log_warning("train: the features %s need no network: --%s has no effect",
                             features->name, asked[i].option);
    }
}

static akin_status run_train(akin_call *call) {
    akin_status status;
    akin_train_result result = {0};
    akin_train_params params = read_params(call);
    akin_features features;
    size_t seen;
    const char *pairs = akin_options_text(call->options, "pairs");
    char digest[AKIN_HASH_TEXT_SIZE];
    akin_status local = akin_trained_look_at_catalog(params.catalog, &seen);
    if (local == AKIN_OK && pairs) local = akin_file_digest(pairs, digest);
    if (local == AKIN_OK && pairs) local = look_at_pairs(call, params.catalog, pairs);
    AKIN_TRY(akin_agree(call->comm, local));
    params.pairs_digest = pairs ? digest : NULL;
    AKIN_TRY(akin_train_features(call->options, seen, &features)); /* the same on every rank */
    params.features = &features;
    params.objective.kind = objective_of(call->options, &features);
    if (!params.output) return akin_error_set(AKIN_USAGE, "no output given: -o model.nc");
    if (strcmp(params.output, params.catalog) == 0)
        return akin_error_option("output", "--output %s is also the input", params.output);
    if (akin_checkpoints_check(call->options, params.output) != AKIN_OK) return AKIN_USAGE;
    warn_of_idle(call->options, &features);
    AKIN_TRY(akin_train(call->comm, &params, &result));
    fill_report(call->report, &result);
done:
    akin_train_result_free(&result);
    return status;
}

static akin_status check(akin_options *options) {
    const char *policy = akin_options_text(options, "retrain");
    bool decides = strcmp(policy, "weekly") == 0 || strcmp(policy, "drift") == 0;
    if (decides && akin_options_given(options, "init"))
        return akin_error_option(
            "init",
            "--init cannot be combined with --retrain %s, which starts from the existing model",
            policy);
    if (akin_options_int(options, "patience") > 0 && akin_options_real(options, "holdout") <= 0)
        return akin_error_option("patience", "--patience %lld needs a holdout, and --holdout is 0",
                                 akin_options_int(options, "patience"));
    akin_features features;
    akin_status status = akin_train_features(options, AKIN_FEATURES_SEEN_UNKNOWN, &features);
    if (status == AKIN_OK && !akin_features_network(&features) &&
        akin_options_given(options, "init"))
        status = akin_error_option(
            "init",
            "--init: the features %s need no network, so there are no weights to start from",
            features.name);
    return status;
}

const akin_verb akin_verb_train = {
    .name = "train",
    .multiplies = true,
    .arguments = "catalog.nc -o model.nc",
    .summary = "fit the features to a catalogue, and train their network if they use one",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .run = run_train,
    .up_to_date = akin_trained_up_to_date,
    .check = check,
};
