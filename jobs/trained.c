/* trained: see trained.h. */
#include "trained.h"
#include "output.h"
#include "retrain.h"
#include <akin/features.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/ncfile.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *catalog, *output, *init; /* NULL: not given */
} models;

static models models_of(const akin_options *o) {
    const char *const *arguments;
    akin_options_arguments(o, &arguments);
    return (models){arguments[0], akin_options_text(o, "output"), akin_options_text(o, "init")};
}

akin_status akin_trained_look_at_catalog(const char *path, size_t *seen) {
    akin_status status = AKIN_OK;
    akin_ncfile *file = NULL;
    *seen = 0;
    AKIN_TRY(akin_ncfile_peek(path, "catalog", &file));
    if (akin_ncfile_has(file, "network"))
        AKIN_TRY(akin_ncfile_length(file, "network_feature", seen));
done:
    akin_ncfile_close(file);
    return status;
}

static bool uses_no_network(const models *m) {
    return akin_output_has(m->output, "model", "network_request", NULL);
}

static bool uses_its_network(const models *m) {
    return akin_output_same_attribute(m->output, "model", m->catalog, "catalog", "network_request");
}

/* A model that uses the output of a network only serves a catalogue of that network; one that does
 * not, where it could, is not what these options ask for. */
static bool network_up_to_date(const akin_call *call, const models *m) {
    akin_features features;
    size_t seen;
    if (akin_trained_look_at_catalog(m->catalog, &seen) != AKIN_OK ||
        akin_train_features(call->options, seen, &features) != AKIN_OK)
        return false;
    return akin_features_sees(&features) ? uses_its_network(m) : uses_no_network(m);
}

/* Its weights were chosen by what the file of pairs holds now. */
static bool has_these_pairs(const akin_call *call, const char *model) {
    char digest[AKIN_HASH_TEXT_SIZE];
    const char *pairs = akin_options_text(call->options, "pairs");
    return (!pairs || akin_file_digest(pairs, digest) == AKIN_OK) &&
           akin_output_has(model, "model", "input_pairs_digest", pairs ? digest : NULL);
}

/* What retrain = never keeps although the file of pairs has changed. */
static void tell_other_pairs(akin_call *call, const char *model) {
    char said[1024];
    const char *pairs = akin_options_text(call->options, "pairs");
    if (!pairs || !akin_file_exists(pairs) || has_these_pairs(call, model)) return;
    snprintf(
        said, sizeof said,
        "%s is no longer the file of pairs that %s was trained with, and retrain = never keeps "
        "the model: set retrain = always in [train], or remove the model",
        pairs, model);
    akin_log_warning("train: %s", said);
    const char *before = akin_json_text(call->report, "warning");
    char both[4096];
    snprintf(both, sizeof both, "%s%s%s", before ? before : "", before ? "; " : "", said);
    akin_json_set_text(call->report, "warning", both);
}

/* A model that uses another network than the catalogue's is refused by embed. */
static bool can_embed(const models *m) {
    return uses_no_network(m) || uses_its_network(m);
}

static void tell_unused_network(const akin_call *call, const models *m) {
    if (uses_no_network(m) && !network_up_to_date(call, m))
        akin_log_warning("train: %s is kept (retrain = never), and does not use the network whose "
                         "output %s has",
                         m->output, m->catalog);
}

/* Whether retrain = never keeps the model, which must serve the catalogue; as a mere default only where
 * the model uses the catalogue's network, or does not, as [train] asks. */
static bool is_kept(akin_call *call, const models *m) {
    if (!akin_retrain_keeps(call->options, m->output) || !can_embed(m)) return false;
    if (!akin_options_given(call->options, "retrain") && !network_up_to_date(call, m)) return false;
    if (akin_comm_rank(call->comm) == 0)
        akin_retrain_tell_other(call->options, m->output, call->report);
    tell_unused_network(call, m);
    tell_other_pairs(call, m->output);
    return true;
}

/* A model with these options is used. Its catalogue and its --init matter only if `run` decides
 * so: then `run` sets --init when a new model is wanted. */
bool akin_trained_up_to_date(akin_call *call) {
    const models m = models_of(call->options);
    const char *policy = akin_options_text(call->options, "retrain");
    if (m.output && strcmp(policy, "never") == 0) return is_kept(call, &m);
    if (!m.output ||
        !akin_output_has(m.output, "model", "akin_result_options", call->result_options) ||
        !network_up_to_date(call, &m))
        return false;
    bool same_catalog =
        akin_output_made_from(m.output, "model", "input_catalog_digest", m.catalog) &&
        has_these_pairs(call, m.output);
    if (strcmp(policy, "weekly") == 0 || strcmp(policy, "drift") == 0)
        return same_catalog || !m.init;
    bool same_init = m.init ? akin_output_made_from(m.output, "model", "input_init_digest", m.init)
                            : akin_output_has(m.output, "model", "input_init_digest", NULL);
    return same_init && same_catalog;
}
