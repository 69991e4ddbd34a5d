/* stages: the order of the stages of a run, and their files. */
#include "stages.h"
#include "call.h"
#include "output.h"
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/publish.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Keys that are options of a verb but not allowed in its section. */
#define REFUSED_EVERYWHERE                                                                         \
    {"help", "belongs on the command line"}, {"version", "belongs on the command line"},           \
        {"json", "belongs on the command line: akin run JOB.ini --json"},                          \
        {"quiet", "belongs on the command line: akin run JOB.ini --quiet"},                        \
        {"stall-limit", "belongs on the command line: akin run JOB.ini --stall-limit SECONDS"},    \
        {"cpu", "belongs on the command line: akin run JOB.ini --cpu NAME"}, {                     \
        NULL, NULL                                                                                 \
    }
#define OUTPUT_IS_SET                                                                              \
    { "output", "is set by the run: output in [job] is the folder for all files" }

static const akin_jobfile_refusal refused[] = {OUTPUT_IS_SET, REFUSED_EVERYWHERE};
static const akin_jobfile_refusal ingest_refused[] = {
    OUTPUT_IS_SET,
    {"rejects", "is set by the run: rejects.csv in the output folder"},
    REFUSED_EVERYWHERE};
static const akin_jobfile_refusal fetch_refused[] = {
    {"root", "is that of [ingest]"},
    {"columns", "is that of [ingest]"},
    {"separator", "is that of [ingest]"},
    {"encoding", "is that of [ingest]"},
    {"max-pixels", "is that of [ingest]"},
    {"rejects", "is for ingest: rejects.csv has them"},
    REFUSED_EVERYWHERE};
static const akin_jobfile_refusal embed_refused[] = {
    OUTPUT_IS_SET,
    {"model", "is set by the run: model.nc in the output folder"},
    REFUSED_EVERYWHERE};
static const akin_jobfile_refusal neighbors_refused[] = {
    {"ids", "is for .npy files: a run compares its own embeddings"},
    OUTPUT_IS_SET,
    REFUSED_EVERYWHERE};
static const akin_jobfile_refusal publish_refused[] = {
    {"dry-run", "belongs on the command line: akin publish TABLE.nc --to URL --dry-run"},
    OUTPUT_IS_SET,
    REFUSED_EVERYWHERE};
static const akin_jobfile_refusal gallery_refused[] = {
    OUTPUT_IS_SET, {"results", "is set by the run: the output folder"}, REFUSED_EVERYWHERE};

#define LAST_EMBEDDINGS "embeddings.last.nc"

static bool catalog_serves(const akin_call *call, const char *folder, const char *second);
static bool embeddings_serve(const akin_call *call, const char *folder, const char *second);
static bool table_serves(const akin_call *call, const char *folder, const char *second);

const akin_stage akin_stages[] = {
    {.verb = "fetch", .refusals = fetch_refused},
    {.verb = "ingest",
     .always = true,
     .argument_key = "source",
     .refusals = ingest_refused,
     .paths = {{"output", "catalog.nc"}, {"rejects", "rejects.csv"}},
     .previous = {{"previous", "catalog.nc"}},
     .previous_serves = catalog_serves},
    {.verb = "train",
     .always = true,
     .refusals = refused,
     .argument = "catalog.nc",
     .paths = {{"output", "model.nc"}}},
    {.verb = "embed",
     .always = true,
     .refusals = embed_refused,
     .argument = "catalog.nc",
     .paths = {{"model", "model.nc"}, {"output", "embeddings.nc"}},
     .previous = {{"previous", "embeddings.nc"}},
     .previous_serves = embeddings_serve},
    {.verb = "neighbors",
     .always = true,
     .refusals = neighbors_refused,
     .argument = "embeddings.nc",
     .paths = {{"output", "table.nc"}},
     .previous = {{"previous", "table.nc"}, {"previous-embeddings", "embeddings.nc"}},
     .previous_serves = table_serves,
     .previous_here = LAST_EMBEDDINGS},
    {.verb = "evaluate",
     .refusals = refused,
     .argument = "table.nc",
     .before = "against",
     .by_metrics = true},
    {.verb = "publish",
     .refusals = publish_refused,
     .argument = "table.nc",
     .before = "previous",
     .decides = "respect-rollback",
     .by_metrics = true},
    {.verb = "gallery",
     .refusals = gallery_refused,
     .argument = "table.nc",
     .before = "against",
     .paths = {{"output", "gallery"}, {"results", "."}},
     .by_metrics = true},
    {0},
};

static const akin_option job_options[] = {
    {.name = "name", .type = AKIN_OPTION_TEXT},
    {.name = "output", .type = AKIN_OPTION_TEXT},
    {.name = "keep", .type = AKIN_OPTION_INT, .initial = "0", .minimum = 0, .maximum = 100000},
    {0},
};
static const akin_option section_options[] = {
    {.name = "enabled", .type = AKIN_OPTION_FLAG, .initial = "yes", .unrecorded = true}, {0}};

enum { STAGES = sizeof akin_stages / sizeof *akin_stages - 1, TABLES = 4 };

const akin_jobfile_section *akin_stage_sections(void) {
    static const akin_option *tables[STAGES + 1][TABLES] = {{job_options}};
    static akin_jobfile_section sections[STAGES + 2] = {{.name = "job", .tables = tables[0]}};
    for (size_t i = 0; i < STAGES; i++) {
        const akin_stage *stage = &akin_stages[i];
        const akin_option **own = tables[i + 1];
        own[0] = akin_verb_find(stage->verb)->options;
        own[1] = akin_common_options;
        own[2] = section_options;
        sections[i + 1] =
            (akin_jobfile_section){stage->verb, own, stage->argument_key, stage->refusals};
    }
    return sections;
}

const char *akin_stages_vectors(akin_jobfile *job) {
    if (akin_options_given(akin_jobfile_options(job, "embed"), "from-weight")) return NULL;
    return akin_options_text(akin_jobfile_options(job, "embed"), "from");
}

bool akin_stage_wanted(const akin_stage *stage, akin_jobfile *job) {
    if (akin_stages_vectors(job) && strcmp(stage->verb, "train") == 0) return false;
    if (akin_stages_vectors(job) && strcmp(stage->verb, "ingest") == 0)
        return akin_jobfile_has(job, stage->verb);
    return stage->always || (akin_jobfile_has(job, stage->verb) &&
                             akin_options_flag(akin_jobfile_options(job, stage->verb), "enabled"));
}

/* --- options that the run sets --- */

static akin_status set_file(akin_options *options, const char *option, const char *folder,
                            const char *file) {
    char *path = strcmp(file, ".") == 0 ? akin_mem_text(folder) : akin_file_join(folder, file);
    if (!path) return AKIN_FAILED;
    akin_status status = akin_options_set(options, option, path, "run");
    akin_mem_free(path);
    return status;
}

static const akin_stage *stage_of(const char *verb) {
    const akin_stage *stage = akin_stages;
    while (strcmp(stage->verb, verb) != 0) stage++;
    return stage;
}

static akin_status settle_argument(const akin_stage *stage, akin_jobfile *job, const char *folder) {
    akin_options *options = akin_jobfile_options(job, stage->verb);
    if (!stage->argument) return AKIN_OK;
    if (strcmp(stage->verb, "embed") == 0 && !akin_stage_wanted(stage_of("ingest"), job))
        return AKIN_OK;
    char *path = akin_file_join(folder, stage->argument);
    akin_status status = path ? akin_options_add_argument(options, path) : AKIN_FAILED;
    akin_mem_free(path);
    return status;
}

/* What ingest will read is fetched, as it will read it. */
static akin_status settle_fetch(akin_jobfile *job, akin_options *options) {
    akin_status status = AKIN_OK;
    const akin_options *ingest = akin_jobfile_options(job, "ingest");
    static const char *const shared[] = {"root", "columns", "separator", "encoding"};
    const char *const *sources = NULL;
    const char *cache = akin_options_text(ingest, "cache");
    char max_pixels[32];
    size_t count = akin_options_arguments(ingest, &sources);
    for (size_t i = 0; i < count; i++) AKIN_TRY(akin_options_add_argument(options, sources[i]));
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        if (akin_options_given(ingest, shared[i]))
            AKIN_TRY(
                akin_options_set(options, shared[i], akin_options_text(ingest, shared[i]), "run"));
    if (cache && !akin_options_given(options, "cache"))
        AKIN_TRY(akin_options_set(options, "cache", cache, "run"));
    snprintf(max_pixels, sizeof max_pixels, "%lld", akin_options_int(ingest, "max-pixels"));
    status = akin_options_set(options, "max-pixels", max_pixels, "run");
done:
    return status;
}

/* Behind a fetch of its own, or where there is no network, it takes what the cache has. */
static akin_status settle_ingest(akin_jobfile *job, akin_options *options, bool offline) {
    akin_status status = AKIN_OK;
    bool fetched = akin_stage_wanted(akin_stages, job);
    const char *cache =
        fetched ? akin_options_text(akin_jobfile_options(job, "fetch"), "cache") : NULL;
    if (cache && !akin_options_given(options, "cache"))
        AKIN_TRY(akin_options_set(options, "cache", cache, "run"));
    if ((fetched || offline) && akin_options_text(options, "cache"))
        status = akin_options_set(options, "offline", "yes", "run");
done:
    return status;
}

/* The gallery shows the pictures that were ingested, from the same sources. */
static akin_status settle_gallery(akin_jobfile *job, akin_options *options) {
    akin_status status = AKIN_OK;
    const akin_options *ingest = akin_jobfile_options(job, "ingest");
    const char *const *sources = NULL;
    static const char *const shared[] = {"root", "columns", "separator", "encoding"};
    const char *cache = akin_options_text(ingest, "cache");
    char max_pixels[32];
    if (akin_options_given(options, "source")) return AKIN_OK;
    if (cache && !akin_options_given(options, "cache"))
        AKIN_TRY(akin_options_set(options, "cache", cache, "run"));
    size_t count = akin_options_arguments(ingest, &sources);
    for (size_t i = 0; i < count; i++) AKIN_TRY(akin_options_append(options, "source", sources[i]));
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        if (akin_options_given(ingest, shared[i]) && !akin_options_given(options, shared[i]))
            AKIN_TRY(
                akin_options_set(options, shared[i], akin_options_text(ingest, shared[i]), "run"));
    if (akin_options_given(ingest, "max-pixels") && !akin_options_given(options, "max-pixels")) {
        snprintf(max_pixels, sizeof max_pixels, "%lld", akin_options_int(ingest, "max-pixels"));
        status = akin_options_set(options, "max-pixels", max_pixels, "run");
    }
done:
    return status;
}

/* The table of the night before, for stages that report what changed since; a damaged one does
 * not stop this night. */
static akin_status settle_before(const akin_stage *stage, akin_options *options,
                                 const char *previous) {
    const char *option = stage->before;
    if (!previous || akin_options_given(options, option)) return AKIN_OK;
    char *table = akin_file_join(previous, "table.nc");
    if (!table) return AKIN_FAILED;
    akin_status status = AKIN_OK;
    if (akin_file_exists(table) &&
        !akin_output_tell_damage(table, stage->verb, "continuing without the previous table"))
        status = akin_options_set(options, option, table, "run");
    akin_mem_free(table);
    return status;
}

/* Targets that take vectors get them. */
static akin_status settle_publish(akin_options *options, const char *folder) {
    const char *const *urls = NULL;
    size_t count = akin_options_list(options, "to", &urls), takers = 0;
    for (size_t i = 0; i < count; i++) takers += akin_publish_takes_embeddings(urls[i]);
    if (takers == 0) return AKIN_OK;
    char *path = akin_file_join(folder, "embeddings.nc");
    akin_status status = path ? akin_options_add_argument(options, path) : AKIN_FAILED;
    akin_mem_free(path);
    return status;
}

static akin_status settle(const akin_stage *stage, akin_jobfile *job, const akin_options *run,
                          const char *folder, const char *previous) {
    akin_status status = AKIN_OK;
    akin_options *options = akin_jobfile_options(job, stage->verb);
    AKIN_TRY(akin_options_set(options, "cpu", akin_options_text(run, "cpu"), "run"));
    AKIN_TRY(settle_argument(stage, job, folder));
    for (size_t i = 0; stage->paths[i].option; i++) {
        if (strcmp(stage->paths[i].option, "model") == 0 && akin_stages_vectors(job)) continue;
        AKIN_TRY(set_file(options, stage->paths[i].option, folder, stage->paths[i].file));
    }
    if (stage->before) AKIN_TRY(settle_before(stage, options, previous));
    if (stage->decides && !akin_options_given(options, stage->decides))
        AKIN_TRY(akin_options_set(options, stage->decides, "yes", "run"));
    if (strcmp(stage->verb, "publish") == 0) AKIN_TRY(settle_publish(options, folder));
    if (strcmp(stage->verb, "gallery") == 0) AKIN_TRY(settle_gallery(job, options));
    if (strcmp(stage->verb, "fetch") == 0) AKIN_TRY(settle_fetch(job, options));
    if (strcmp(stage->verb, "ingest") == 0)
        AKIN_TRY(settle_ingest(job, options, akin_options_flag(run, "offline")));
done:
    return status;
}

akin_status akin_stages_settle(akin_jobfile *job, const akin_options *run, const char *folder,
                               const char *previous) {
    akin_status status = AKIN_OK;
    for (const akin_stage *stage = akin_stages; stage->verb && status == AKIN_OK; stage++)
        if (akin_stage_wanted(stage, job)) status = settle(stage, job, run, folder, previous);
    return status;
}

/* --- what can be refused before anything is changed --- */

static akin_status check(const akin_stage *stage, akin_jobfile *job) {
    const akin_verb *verb = akin_verb_find(stage->verb);
    akin_options *options = akin_jobfile_options(job, stage->verb);
    const char *const *arguments = NULL;
    if (!akin_options_flag(options, "enabled"))
        return stage->always
                   ? akin_error_set(AKIN_USAGE, "cannot be turned off: later stages need it")
                   : AKIN_OK;
    if (!akin_stage_wanted(stage, job)) return AKIN_OK;
    if (stage->argument_key && akin_options_arguments(options, &arguments) == 0)
        return akin_error_set(AKIN_USAGE, "needs the key %s", stage->argument_key);
    if (strcmp(stage->verb, "gallery") == 0 &&
        akin_options_list(options, "source", &arguments) == 0)
        return akin_error_set(AKIN_USAGE, "needs the key source, for the pictures of the "
                                          "catalogue; there is no [ingest] to take it from");
    return verb->check ? verb->check(options) : AKIN_OK;
}

/* The key that the message is about: the first of the options it names that the job sets, or
 * else the first it names, or the verb's first option. */
static const char *key_of_message(const akin_verb *verb, const akin_options *options) {
    char option[80];
    if (!akin_options_flag(options, "enabled")) return "enabled";
    const char *found = NULL, *at = NULL;
    bool given = false;
    for (const akin_option *spec = verb->options; spec->name; spec++) {
        int length = snprintf(option, sizeof option, "--%s", spec->name);
        const char *here = strstr(akin_error_message(), option);
        if (!here || here[length] == '-') continue; /* --previous is not --previous-embeddings */
        bool gives = akin_options_given(options, spec->name);
        if (found && (given > gives || (given == gives && at < here))) continue;
        found = spec->name, at = here, given = gives;
    }
    return found ? found : verb->options->name;
}

akin_status akin_stages_check(akin_jobfile *job) {
    for (const akin_stage *stage = akin_stages; stage->verb; stage++) {
        akin_status status = check(stage, job);
        if (status == AKIN_OK) continue;
        const char *key =
            key_of_message(akin_verb_find(stage->verb), akin_jobfile_options(job, stage->verb));
        char *place = akin_jobfile_place(job, stage->verb, key);
        if (place) status = akin_error_context(status, "%s: [%s] ", place, stage->verb);
        akin_mem_free(place);
        return status;
    }
    return AKIN_OK;
}

/* --- what is reused from an earlier run --- */

typedef bool file_test(const char *path, const char *kind, const char *attribute,
                       const char *value);

static bool file_serves(file_test *test, const char *folder, const char *name, const char *kind,
                        const char *attribute, const char *value) {
    char *path = akin_file_join(folder, name);
    bool good = path && value && test(path, kind, attribute, value);
    akin_mem_free(path);
    return good;
}

/* Made with the same options. */
static bool catalog_serves(const akin_call *call, const char *folder, const char *second) {
    (void)second;
    return file_serves(akin_output_has, folder, "catalog.nc", "catalog", "akin_result_options",
                       call->result_options);
}

/* Made with the same model. */
static bool embeddings_serve(const akin_call *call, const char *folder, const char *second) {
    (void)second;
    return file_serves(akin_output_made_from, folder, "embeddings.nc", "embeddings",
                       "input_model_digest", akin_options_text(call->options, "model"));
}

/* Made with the same model, or imported and of the same width. */
static bool alike(const char *a, const char *b) {
    return akin_output_alike(a, b, "embeddings", "input_model_digest") ||
           (akin_output_has(a, "embeddings", "input_model_digest", NULL) &&
            akin_output_has(b, "embeddings", "input_model_digest", NULL) &&
            akin_output_same_length(a, b, "embeddings", "feature"));
}

/* Made with the same options, from those embeddings, which have the same model as today's. */
static bool table_serves(const akin_call *call, const char *folder, const char *second) {
    const char *const *today = NULL;
    char *embeddings = akin_file_join(folder, second);
    bool good = embeddings && akin_options_arguments(call->options, &today) == 1 &&
                alike(embeddings, today[0]) &&
                file_serves(akin_output_has, folder, "table.nc", "table", "akin_result_options",
                            call->result_options) &&
                file_serves(akin_output_made_from, folder, "table.nc", "table",
                            "input_embeddings_digest", embeddings);
    akin_mem_free(embeddings);
    return good;
}

/* Whether all ranks find the first file intact; a damaged one only costs the time it would have
 * saved. Collective. */
static bool is_whole(const akin_stage *stage, const akin_call *call, const char *folder,
                     const char *second) {
    akin_ncfile *file = NULL;
    char *path = akin_file_join(folder, stage->previous[0].file);
    int64_t wrong = !path || !stage->previous_serves(call, folder, second);
    akin_comm_max_i64(call->comm, &wrong, 1);
    akin_status status = AKIN_FAILED;
    if (!wrong) {
        status = akin_ncfile_open(call->comm, path, NULL, &file);
        if (status != AKIN_OK) akin_log_warning("%s is not reused: %s", path, akin_error_message());
    }
    akin_ncfile_close(file);
    akin_mem_free(path);
    akin_error_clear();
    return status == AKIN_OK;
}

/* A file that is skipped for another reason needs no message. Only rank 0 prints. */
static void tell_damage_before(const akin_stage *stage, const akin_call *call, const char *folder) {
    for (size_t i = 0; stage->previous[i].option; i++) {
        char *path = akin_file_join(folder, stage->previous[i].file);
        if (path && akin_comm_rank(call->comm) == 0)
            akin_output_tell_damage(path, stage->verb, "a file of the night before is not reused");
        akin_mem_free(path);
    }
}

akin_status akin_stage_take_previous(const akin_stage *stage, const akin_call *call,
                                     const akin_folder *folder) {
    akin_status status = AKIN_OK;
    const char *first = stage->previous[0].option, *before = akin_folder_previous(folder),
               *taken = NULL;
    const char *second = stage->previous_here ? stage->previous_here : stage->previous[1].file;
    if (!first || !akin_options_declared(call->options, first, NULL) ||
        akin_options_given(call->options, first))
        return AKIN_OK;
    if (is_whole(stage, call, akin_folder_path(folder), second)) taken = akin_folder_path(folder);
    if (!taken && before) {
        tell_damage_before(stage, call, before);
        if (is_whole(stage, call, before, second = stage->previous[1].file)) taken = before;
    }
    for (size_t i = 0; taken && stage->previous[i].option && status == AKIN_OK; i++)
        if (akin_options_declared(call->options, stage->previous[i].option, NULL))
            status = set_file(call->options, stage->previous[i].option, taken,
                              i == 1 ? second : stage->previous[i].file);
    return akin_agree(call->comm, status);
}

/* --- what the last table was made from --- */

void akin_stage_set_aside(const akin_stage *stage, const akin_folder *folder) {
    if (strcmp(stage->verb, "embed") != 0) return;
    const char *path = akin_folder_path(folder);
    char *embeddings = akin_file_join(path, "embeddings.nc"),
         *last = akin_file_join(path, LAST_EMBEDDINGS);
    if (embeddings && last &&
        file_serves(akin_output_made_from, path, "table.nc", "table", "input_embeddings_digest",
                    embeddings)) {
        (void)unlink(last);
        if (akin_file_link(embeddings, last) != AKIN_OK) akin_error_clear();
    }
    akin_mem_free(embeddings);
    akin_mem_free(last);
}

void akin_stage_clear_aside(const akin_stage *stage, const akin_folder *folder) {
    static const char *const left[] = {LAST_EMBEDDINGS, "table.nc.spare.part"};
    if (strcmp(stage->verb, "neighbors") != 0) return;
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        char *path = akin_file_join(akin_folder_path(folder), left[i]);
        if (path) (void)unlink(path);
        akin_mem_free(path);
    }
}
