/* retrain: whether the model is replaced from night to night. */
#include "retrain.h"
#include "metrics.h"
#include "output.h"
#include <akin/drift.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const double WEEK = 7 * 24 * 3600.0; /* seconds */

typedef struct {
    const akin_call *call;
    const akin_folder *folder;
    const char *catalog, *here; /* tonight's catalogue, and the path of its model */
    char *before,
        *known; /* model and catalogue of the night before; owned, NULL = no night before */
    akin_retrain_measure *measure;
} nightly;

/* --- facts: determined on rank 0, so that all ranks decide alike --- */

static int64_t ask(akin_comm *comm, int64_t answer) {
    if (akin_comm_rank(comm) != 0) answer = INT64_MIN;
    akin_comm_max_i64(comm, &answer, 1);
    return answer;
}

static bool serves(const nightly *night, const char *path) {
    return path &&
           akin_output_has(path, "model", "akin_result_options", night->call->result_options);
}

static bool is_old(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && difftime(time(NULL), facts.st_mtime) > WEEK;
}

/* --- a model of other options --- */

typedef struct {
    char **list; /* [count], "name=value" */
    size_t count;
} words;

/* Adds what `now` has and `then` has not, or with another value. train not NULL: of what it was not
 * given nothing if only_given, and nothing that `then` does not know, as of an older akin. */
static akin_status append_changes(akin_text *text, const words *then, const words *now,
                                  const akin_options *train, bool only_given, const char *format) {
    enum { NAME_SIZE = 64 };
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < now->count; i++) {
        char name[NAME_SIZE];
        int length = (int)strcspn(now->list[i], "=");
        snprintf(name, sizeof name, "%.*s", length, now->list[i]);
        bool given = !train || akin_options_given(train, name);
        if (only_given && !given) continue;
        snprintf(name, sizeof name, "%.*s=", length, now->list[i]);
        const char *old = akin_options_after(then->list, then->count, name);
        if (!old && !given) continue;
        if (old && strcmp(old, now->list[i] + strlen(name)) == 0) continue;
        AKIN_TRY(akin_text_append(text, "%s", akin_text_length(text) > 0 ? ", " : ""));
        AKIN_TRY(akin_text_append(text, format, now->list[i]));
    }
done:
    return status;
}

/* Not recorded as an option of the result, but by its digest. */
static akin_status append_init(akin_text *text, const akin_options *train, const char *model) {
    const char *init = akin_options_text(train, "init");
    if (!init || akin_output_made_from(model, "model", "input_init_digest", init)) return AKIN_OK;
    return akin_text_append(text, "%sinit=%s here", akin_text_length(text) > 0 ? ", " : "", init);
}

/* "epochs=1 there, epochs=2 here" of the model's options and those of [train]; `given`: only what [train]
 * gives and the model has otherwise. */
static akin_status append_differences(akin_text *text, const akin_options *train, const char *model,
                                      const char *recorded, bool given) {
    akin_status status = AKIN_OK;
    words then = {0}, now = {0};
    char *wanted = akin_options_resolved(train, true);
    AKIN_TRY(wanted ? AKIN_OK : AKIN_FAILED);
    AKIN_TRY(akin_options_recorded(recorded, &then.list, &then.count));
    AKIN_TRY(akin_options_recorded(wanted, &now.list, &now.count));
    if (!given) AKIN_TRY(append_changes(text, &now, &then, NULL, false, "%s there"));
    AKIN_TRY(append_changes(text, &then, &now, train, given, "%s here"));
    status = append_init(text, train, model);
done:
    akin_options_free_words(then.list, then.count);
    akin_options_free_words(now.list, now.count);
    akin_mem_free(wanted);
    return status;
}

/* Whether it could be told. *text is owned. */
static bool compare(const akin_options *train, const char *model, bool given, akin_text **text) {
    char *recorded = NULL;
    bool told = akin_output_read(model, "model", "akin_result_options", &recorded) && recorded &&
                akin_text_create(text) == AKIN_OK &&
                append_differences(*text, train, model, recorded, given) == AKIN_OK;
    akin_mem_free(recorded);
    akin_error_clear();
    return told;
}

bool akin_retrain_keeps(const akin_options *train, const char *model) {
    akin_text *text = NULL;
    bool written = akin_options_given(train, "retrain");
    bool keeps = akin_options_is(train, "retrain", "never") &&
                 compare(train, model, !written, &text) && (written || akin_text_length(text) == 0);
    akin_text_free(text);
    return keeps;
}

void akin_retrain_tell_other(const akin_options *train, const char *model, akin_json *report) {
    akin_text *text = NULL, *said = NULL;
    if (compare(train, model, false, &text) && akin_text_length(text) > 0 &&
        akin_text_create(&said) == AKIN_OK &&
        akin_text_append(said,
                         "%s is kept, and the options of [train] that it was not made with are "
                         "ignored (%s): for a new model set retrain = always, or remove this one",
                         model, akin_text_bytes(text)) == AKIN_OK) {
        akin_log_warning("train: %s", akin_text_bytes(said));
        if (report) akin_json_set_text(report, "warning", akin_text_bytes(said));
    }
    akin_error_clear();
    akin_text_free(text);
    akin_text_free(said);
}

void akin_retrain_tell_new(const akin_options *train, const char *model) {
    akin_text *text = NULL;
    bool never = akin_options_is(train, "retrain", "never");
    if (!akin_file_exists(model) || (never && akin_options_given(train, "retrain"))) return;
    if (compare(train, model, never, &text) && akin_text_length(text) > 0)
        akin_log_info("train: a new model will be trained, because %s was made with other options "
                      "than [train] has (%s)%s",
                      model, akin_text_bytes(text), never ? "; retrain = never keeps it" : "");
    else if (akin_options_is(train, "retrain", "weekly") && is_old(model))
        akin_log_info("train: a new model will be trained from the weights of %s, because that is "
                      "older than a week",
                      model);
    akin_text_free(text);
}

/* --- decisions --- */

static akin_status take_over(const nightly *night) {
    akin_comm *comm = night->call->comm;
    akin_status status = AKIN_OK;
    if (akin_comm_rank(comm) == 0 && !akin_file_exists(night->here) &&
        akin_file_exists(night->before))
        status = akin_file_link(night->before, night->here);
    return akin_agree(comm, status);
}

static akin_status begin_from(const nightly *night, const char *model) {
    return akin_agree(night->call->comm,
                      akin_options_set(night->call->options, "init", model, "run"));
}

static akin_status decide_weekly(const nightly *night) {
    akin_comm *comm = night->call->comm;
    if (ask(comm, akin_file_exists(night->here))) {
        bool done =
            akin_output_made_from(night->here, "model", "input_catalog_digest", night->catalog);
        if (ask(comm, done || !serves(night, night->here) || !is_old(night->here))) return AKIN_OK;
        return begin_from(night,
                          ask(comm, serves(night, night->before)) ? night->before : night->here);
    }
    if (!ask(comm, serves(night, night->before))) return AKIN_OK;
    if (!ask(comm, is_old(night->before))) return take_over(night);
    akin_log_info("train: the model is older than a week; training a new one from its weights");
    return begin_from(night, night->before);
}

/* A night without new items needs no warning; the other cases would recur every night. */
static void tell_unmeasured(const akin_drift_result *found) {
    if (!found->has_network)
        akin_log_warning(
            "train: retrain = drift compares the network's loss, and this model has no network; it "
            "is kept. Use retrain = weekly, or features with the network (autoencoder)");
    else if (found->new_items == 0)
        akin_log_info("train: no new items, so no drift; the model is kept");
    else
        akin_log_warning(
            "train: retrain = drift compares with the training's holdout loss, and the holdout was "
            "empty; the model is kept. Use a larger holdout = FRACTION, or retrain = weekly");
}

static akin_status decide_drift(const nightly *night) {
    akin_status status = AKIN_OK;
    akin_comm *comm = night->call->comm;
    akin_retrain_measure *measure = night->measure;
    akin_drift_result found;
    double limit = akin_options_real(night->call->options, "drift-limit");
    if (ask(comm, akin_file_exists(night->here))) return AKIN_OK; /* already decided */
    if (!ask(comm, serves(night, night->before) && akin_file_exists(night->known))) return AKIN_OK;
    double holdout =
        akin_metrics_number(akin_folder_previous(night->folder), "train", "holdout_loss");
    akin_comm_broadcast(comm, &holdout, sizeof holdout, 0);
    AKIN_TRY(akin_drift(comm, night->catalog, night->known, night->before, &found));
    *measure = (akin_retrain_measure){found.loss / holdout - 1, found.loss, found.new_items};
    if (isnan(measure->drift)) {
        tell_unmeasured(&found);
        return take_over(night);
    }
    bool drifted = measure->drift > limit;
    akin_log_info("train: drift %.3f (loss %.5f on %zu new items, %.5f on the held-out items of "
                  "the training), "
                  "limit %g: %s",
                  measure->drift, found.loss, found.new_items, holdout, limit,
                  drifted ? "training a new model from the existing weights" : "the model is kept");
    status = drifted ? begin_from(night, night->before) : take_over(night);
done:
    return status;
}

akin_status akin_retrain_prepare(const akin_call *call, const akin_folder *folder,
                                 akin_metrics *metrics, akin_retrain_measure *out) {
    akin_status status = AKIN_OK;
    const char *const *arguments = NULL, *previous = akin_folder_previous(folder);
    const char *policy = akin_options_text(call->options, "retrain");
    akin_options_arguments(call->options, &arguments);
    *out = (akin_retrain_measure){NAN, NAN, 0};
    nightly night = {.call = call,
                     .folder = folder,
                     .catalog = arguments[0],
                     .here = akin_options_text(call->options, "output"),
                     .before = previous ? akin_file_join(previous, "model.nc") : NULL,
                     .known = previous ? akin_file_join(previous, "catalog.nc") : NULL,
                     .measure = out};
    AKIN_TRY(akin_agree(call->comm,
                        previous && (!night.before || !night.known) ? AKIN_FAILED : AKIN_OK));
    if (night.before && akin_comm_rank(call->comm) == 0 && !akin_file_exists(night.here))
        akin_output_tell_damage(night.before, "train",
                                "the model of the previous night cannot be used");
    if (strcmp(policy, "weekly") == 0) AKIN_TRY(decide_weekly(&night));
    if (previous && strcmp(policy, "drift") == 0) AKIN_TRY(decide_drift(&night));
    if (previous && strcmp(policy, "never") == 0) AKIN_TRY(take_over(&night));
    if (strcmp(policy, "never") == 0 && akin_comm_rank(call->comm) == 0)
        akin_retrain_tell_new(call->options, night.here);
    if (previous && ask(call->comm, akin_file_exists(night.here)))
        AKIN_TRY(akin_metrics_inherit(call->comm, metrics, "train", previous));
done:
    akin_mem_free(night.before);
    akin_mem_free(night.known);
    return status;
}

akin_status akin_retrain_report(akin_comm *comm, akin_metrics *metrics,
                                const akin_retrain_measure *measure) {
    akin_status status = AKIN_OK;
    if (isnan(measure->drift)) return AKIN_OK;
    AKIN_TRY(akin_metrics_add(comm, metrics, "train", NULL, "drift", measure->drift));
    AKIN_TRY(akin_metrics_add(comm, metrics, "train", NULL, "drift_loss", measure->loss));
    AKIN_TRY(akin_metrics_add(comm, metrics, "train", NULL, "drift_new_items",
                              (double)measure->new_items));
done:
    return status;
}
