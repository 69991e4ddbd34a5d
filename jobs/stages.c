/* stages: the order of the stages of a run, and their files. */
#include "stages.h"
#include "call.h"
#include "output.h"
#include "preflight.h"
#include "reuse.h"
#include "stages_gallery.h"
#include "table_gates.h"
#include "tables.h"
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/publish.h>
#include <akin/text.h>
#include <stdio.h>
#include <string.h>

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
#define WITHDRAWALS_ARE_SET                                                                        \
    { "withdrawals", "belongs to akin add JOB.ini NEW.csv, which sets it" }

static const akin_jobfile_refusal refused[] = {OUTPUT_IS_SET, REFUSED_EVERYWHERE};
static const akin_jobfile_refusal ingest_refused[] = {
    OUTPUT_IS_SET,
    {"rejects", "is set by the run: rejects.csv in the output folder"},
    WITHDRAWALS_ARE_SET,
    REFUSED_EVERYWHERE};
static const akin_jobfile_refusal job_refused[] = {
    {AKIN_STAGES_ADDED, "belongs on the command line: akin add JOB.ini NEW.csv"}, {NULL, NULL}};
static const akin_jobfile_refusal fetch_refused[] = {
    {"root", "is that of [ingest]"},
    {"columns", "is that of [ingest]"},
    {"separator", "is that of [ingest]"},
    {"encoding", "is that of [ingest]"},
    {"attributes", "is that of [ingest]"},
    {"bad-attribute", "is that of [ingest]"},
    {"last-replaces", "is that of [ingest]"},
    {"max-pixels", "is that of [ingest]"},
    {"rejects", "is for ingest: rejects.csv has them"},
    WITHDRAWALS_ARE_SET,
    REFUSED_EVERYWHERE};
static const akin_jobfile_refusal embed_refused[] = {
    OUTPUT_IS_SET,
    {"into", "belongs to akin add JOB.ini NEW.csv, which sets it"},
    {"leave-out", "belongs to akin add JOB.ini NEW.csv, which sets it"},
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
    OUTPUT_IS_SET,
    {"results", "is set by the run: the output folder"},
    {"table", "is set by the run: the tables of the sections [table NAME]"},
    REFUSED_EVERYWHERE};

static bool is_of_job(const akin_stage *stage, const akin_jobfile *job);
static bool train_needed(const akin_jobfile *job);
static bool ingest_needed(const akin_jobfile *job);
static bool each_table(const akin_job *job);
static bool published_tables(const akin_job *job);
static akin_status settle_fetch(const akin_stage_setting *setting, akin_options *options);
static akin_status settle_ingest(const akin_stage_setting *setting, akin_options *options);
static akin_status settle_publish(const akin_stage_setting *setting, akin_options *options);
static akin_status check_gallery(const akin_options *options);
static akin_stage_hook end_ingest, prepare_train, end_train;

const akin_stage akin_stages[] = {
    {.verb = "fetch", .refusals = fetch_refused, .online = true, .settle = settle_fetch},
    {.verb = "ingest",
     .always = true,
     .needed = ingest_needed,
     .argument_key = "source",
     .refusals = ingest_refused,
     .paths = {{"output", "catalog.nc"}, {"rejects", "rejects.csv"}},
     .paths_added = {{"output", "added.nc"}, {"rejects", "added.rejects.csv"}},
     .settle = settle_ingest,
     .end = end_ingest,
     .previous = {{"previous", "catalog.nc"}},
     .previous_serves = akin_reuse_catalog},
    {.verb = "train",
     .always = true,
     .needed = train_needed,
     .refusals = refused,
     .argument = "catalog.nc",
     .paths = {{"output", "model.nc"}},
     .not_added = true,
     .prepare = prepare_train,
     .end = end_train},
    {.verb = "embed",
     .always = true,
     .refusals = embed_refused,
     .argument = "catalog.nc",
     .paths = {{"model", "model.nc"}, {"output", "embeddings.nc"}},
     .argument_added = "added.nc",
     .paths_added = {{"model", "model.nc"},
                     {"output", "embeddings.nc"},
                     {"into", "embeddings.nc"},
                     {"leave-out", "added.rejects.csv"}},
     .begin = akin_reuse_set_aside,
     .previous = {{"previous", "embeddings.nc"}},
     .previous_serves = akin_reuse_embeddings},
    {.verb = "neighbors",
     .always = true,
     .refusals = neighbors_refused,
     .argument = "embeddings.nc",
     .of_tables = each_table,
     .paths = {{"output", "table.nc"}},
     .begin = akin_reuse_keep_table,
     .end = akin_reuse_clear_aside,
     .previous = {{"previous", "table.nc"}, {"previous-embeddings", "embeddings.nc"}},
     .previous_serves = akin_reuse_table,
     .previous_here = AKIN_LAST_EMBEDDINGS},
    {.verb = "evaluate",
     .refusals = refused,
     .argument = "table.nc",
     .of_tables = each_table,
     .not_added = true,
     .before = "against",
     .recorded = true},
    {.verb = "publish",
     .refusals = publish_refused,
     .argument = "table.nc",
     .of_tables = published_tables,
     .settle = settle_publish,
     .begin = akin_reuse_kept_table,
     .end = akin_reuse_drop_table,
     .before = "previous",
     .decides = "respect-rollback",
     .recorded = true,
     .measured_again = "places_left"},
    {.verb = "gallery",
     .refusals = gallery_refused,
     .argument = "table.nc",
     .paths = {{"output", "gallery"}, {"results", "."}},
     .not_added = true,
     .settle = akin_stages_settle_gallery,
     .check = check_gallery,
     .before = "against",
     .recorded = true,
     .shows_all = true},
    {0},
};

static const akin_option job_options[] = {
    {.name = "name", .type = AKIN_OPTION_TEXT},
    {.name = "output", .type = AKIN_OPTION_TEXT},
    {.name = "keep", .type = AKIN_OPTION_INT, .initial = "0", .minimum = 0, .maximum = 100000},
    {.name = AKIN_STAGES_ADDED, .type = AKIN_OPTION_TEXT},
    {0},
};
static const akin_option section_options[] = {
    {.name = "enabled", .type = AKIN_OPTION_FLAG, .initial = "yes", .unrecorded = true}, {0}};

enum { STAGES = sizeof akin_stages / sizeof *akin_stages - 1, TABLES = 5 };

const akin_jobfile_section *akin_stage_sections(void) {
    static const akin_option *tables[STAGES + 2][TABLES] = {{job_options}};
    static akin_jobfile_section sections[STAGES + 3] = {
        {.name = "job", .tables = tables[0], .refusals = job_refused}};
    for (size_t i = 0; i < STAGES; i++) {
        const akin_stage *stage = &akin_stages[i];
        const akin_option **own = tables[i + 1];
        own[0] = akin_verb_find(stage->verb)->options;
        own[1] = akin_common_options;
        own[2] = section_options;
        sections[i + 1] = (akin_jobfile_section){.name = stage->verb,
                                                 .tables = own,
                                                 .argument_key = stage->argument_key,
                                                 .refusals = stage->refusals};
    }
    const akin_option **keys = tables[STAGES + 1];
    akin_jobfile_section *table = &sections[STAGES + 1];
    *table = sections[akin_stage_find("neighbors") - akin_stages + 1];
    memcpy(keys, table->tables, sizeof tables[0]);
    keys[3] = akin_table_gates_options();
    table->tables = keys;
    table->name = AKIN_TABLE_SECTION;
    table->named = true;
    return sections;
}

const akin_stage *akin_stage_find(const char *verb) {
    const akin_stage *stage = akin_stages;
    while (strcmp(stage->verb, verb) != 0) stage++;
    return stage;
}

const char *akin_stages_vectors(const akin_jobfile *job) {
    if (akin_options_given(akin_jobfile_options(job, "embed"), "from-weight")) return NULL;
    return akin_options_text(akin_jobfile_options(job, "embed"), "from");
}

static bool train_needed(const akin_jobfile *job) {
    return !akin_stages_vectors(job);
}

static bool ingest_needed(const akin_jobfile *job) {
    return !akin_stages_vectors(job) || akin_jobfile_has(job, "ingest");
}

const char *akin_stages_added(const akin_jobfile *job) {
    return akin_options_text(akin_jobfile_options(job, "job"), AKIN_STAGES_ADDED);
}

bool akin_stage_of_added(const akin_stage *stage, const akin_jobfile *job) {
    return akin_stages_added(job) && stage->paths_added[0].option;
}

bool akin_stage_wanted(const akin_stage *stage, const akin_jobfile *job) {
    return !(stage->not_added && akin_stages_added(job)) && is_of_job(stage, job);
}

/* Of a run of the whole job. */
static bool is_of_job(const akin_stage *stage, const akin_jobfile *job) {
    if (stage->needed && !stage->needed(job)) return false;
    return stage->always || (akin_jobfile_has(job, stage->verb) &&
                             akin_options_flag(akin_jobfile_options(job, stage->verb), "enabled"));
}

static bool each_table(const akin_job *job) {
    (void)job;
    return true;
}

/* What is left of [publish] to (settle_publish). */
static bool published_tables(const akin_job *job) {
    const char *const *urls = NULL;
    return akin_options_list(akin_jobfile_options(job->file, "publish"), "to", &urls) > 0;
}

bool akin_stage_runs(const akin_stage *stage, const akin_job *job) {
    return akin_stage_wanted(stage, job->file) &&
           (!job->table || (stage->of_tables && stage->of_tables(job)));
}

const char *akin_stage_section(const akin_stage *stage, const akin_job *job) {
    return job->table && strcmp(stage->verb, "neighbors") == 0 ? job->section : stage->verb;
}

/* --- options that the run sets --- */

akin_status akin_stage_set_file(akin_options *options, const char *option, const char *folder,
                                const char *file) {
    char *path = strcmp(file, ".") == 0 ? akin_mem_text(folder) : akin_file_join(folder, file);
    if (!path) return AKIN_FAILED;
    akin_status status = akin_options_set(options, option, path, "run");
    akin_mem_free(path);
    return status;
}

/* Whether the job has no stage that makes this file of the output folder. */
static bool is_absent(const akin_jobfile *job, const char *file) {
    for (const akin_stage *stage = akin_stages; stage->verb; stage++)
        for (size_t i = 0; stage->paths[i].option; i++)
            if (strcmp(stage->paths[i].option, "output") == 0 &&
                strcmp(stage->paths[i].file, file) == 0)
                return !is_of_job(stage, job);
    return false;
}

static akin_status settle_argument(const char *file, akin_options *options,
                                   const akin_stage_setting *setting) {
    char room[AKIN_JOB_FILE_SIZE];
    if (!file || is_absent(setting->job, file)) return AKIN_OK;
    char *path = akin_file_join(setting->folder, akin_job_file(file, setting->table, room));
    akin_status status = path ? akin_options_add_argument(options, path) : AKIN_FAILED;
    akin_mem_free(path);
    return status;
}

static akin_status settle_withdrawals(const akin_stage_setting *setting, akin_options *options) {
    return akin_stages_added(setting->job) ? akin_options_set(options, "withdrawals", "yes", "add")
                                           : AKIN_OK;
}

/* What ingest will read is fetched, as it will read it. */
static akin_status settle_fetch(const akin_stage_setting *setting, akin_options *options) {
    akin_status status = AKIN_OK;
    const akin_options *ingest = akin_jobfile_options(setting->job, "ingest");
    static const char *const shared[] = AKIN_TABLE_KEYS;
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
    AKIN_TRY(akin_options_set(options, "max-pixels", max_pixels, "run"));
    status = settle_withdrawals(setting, options);
done:
    return status;
}

/* After a fetch stage, or where there is no network, it takes what the cache has. */
static akin_status settle_ingest(const akin_stage_setting *setting, akin_options *options) {
    akin_status status = AKIN_OK;
    bool fetched = akin_stage_wanted(akin_stage_find("fetch"), setting->job),
         offline = akin_options_flag(setting->run, "offline");
    const char *cache =
        fetched ? akin_options_text(akin_jobfile_options(setting->job, "fetch"), "cache") : NULL;
    if (cache && !akin_options_given(options, "cache"))
        AKIN_TRY(akin_options_set(options, "cache", cache, "run"));
    if ((fetched || offline) && akin_options_text(options, "cache"))
        AKIN_TRY(akin_options_set(options, "offline", "yes", "run"));
    status = settle_withdrawals(setting, options);
done:
    return status;
}

/* The gallery of the night before, whose pictures are linked. */
static akin_status settle_pictures(akin_options *options, const char *previous) {
    if (akin_options_given(options, "previous")) return AKIN_OK;
    char *gallery = akin_file_join(previous, "gallery");
    if (!gallery) return AKIN_FAILED;
    akin_status status = AKIN_OK;
    if (akin_file_is_folder(gallery))
        status = akin_options_set(options, "previous", gallery, "run");
    akin_mem_free(gallery);
    return status;
}

/* The table of the night before, for stages that report what changed since; a damaged one does
 * not stop this night. */
static akin_status settle_before(const akin_stage *stage, akin_options *options,
                                 const char *previous, const char *name) {
    char room[AKIN_JOB_FILE_SIZE];
    const char *option = stage->before;
    if (!previous || akin_options_given(options, option)) return AKIN_OK;
    char *table = akin_file_join(previous, akin_job_file("table.nc", name, room));
    if (!table) return AKIN_FAILED;
    akin_status status = AKIN_OK;
    if (akin_file_exists(table) &&
        !akin_output_tell_damage(table, stage->verb, "continuing without the previous table"))
        status = akin_options_set(options, option, table, "run");
    akin_mem_free(table);
    if (status == AKIN_OK && stage->shows_all) status = settle_pictures(options, previous);
    return status;
}

#define TABLE_SIGN "{table}"

/* Adds the address with the table's name in it; without its sign it is the address of table.nc. */
static akin_status append_named(akin_options *options, const char *url, int line,
                                const char *table) {
    akin_status status = AKIN_OK;
    akin_text *named = NULL;
    const char *sign = strstr(url, TABLE_SIGN);
    if (!sign && table) return AKIN_OK;
    AKIN_TRY(akin_text_create(&named));
    for (; sign; url = sign + strlen(TABLE_SIGN), sign = strstr(url, TABLE_SIGN)) {
        AKIN_TRY(akin_text_append_bytes(named, url, (size_t)(sign - url)));
        AKIN_TRY(akin_text_append(named, "%s", table ? table : "main"));
    }
    AKIN_TRY(akin_text_append(named, "%s", url));
    AKIN_TRY(akin_options_append(options, "to", akin_text_bytes(named)));
    status = akin_options_mark(options, "to", line);
done:
    akin_text_free(named);
    return status;
}

/* Where this table is published. */
static akin_status settle_addresses(akin_options *options, const char *table) {
    akin_status status = AKIN_OK;
    const char *const *given = NULL;
    size_t count = akin_options_list(options, "to", &given), copied = 0;
    char **urls = akin_mem_zalloc(count + 1, sizeof *urls);
    int *lines = akin_mem_zalloc(count + 1, sizeof *lines);
    for (; urls && lines && copied < count; copied++) {
        lines[copied] = akin_options_line(options, "to", copied);
        if (!(urls[copied] = akin_mem_text(given[copied]))) break;
    }
    if (!urls || !lines || copied < count) AKIN_TRY(AKIN_FAILED);
    akin_options_empty(options, "to");
    for (size_t i = 0; i < count; i++) AKIN_TRY(append_named(options, urls[i], lines[i], table));
done:
    for (size_t i = 0; urls && i < copied; i++) akin_mem_free(urls[i]);
    akin_mem_free(urls);
    akin_mem_free(lines);
    return status;
}

/* Targets that take vectors get them. */
static akin_status settle_publish(const akin_stage_setting *setting, akin_options *options) {
    const char *const *urls = NULL;
    akin_status status = settle_addresses(options, setting->table);
    if (status == AKIN_OK && setting->section)
        status =
            akin_table_gates_settle(akin_jobfile_options(setting->job, setting->section), options);
    if (status != AKIN_OK) return status;
    size_t count = akin_options_list(options, "to", &urls), takers = 0;
    for (size_t i = 0; i < count; i++) takers += akin_publish_takes_embeddings(urls[i]);
    return settle_argument(takers > 0 ? "embeddings.nc" : NULL, options, setting);
}

static akin_status settle(const akin_stage *stage, const akin_stage_setting *setting,
                          const akin_job *job, const char *previous) {
    akin_status status = AKIN_OK;
    char room[AKIN_JOB_FILE_SIZE];
    akin_options *options = akin_jobfile_options(setting->job, akin_stage_section(stage, job));
    AKIN_TRY(akin_options_set(options, "cpu", akin_options_text(setting->run, "cpu"), "run"));
    bool added = akin_stage_of_added(stage, setting->job);
    const akin_stage_path *paths = added ? stage->paths_added : stage->paths;
    AKIN_TRY(settle_argument(added ? stage->argument_added : stage->argument, options, setting));
    for (size_t i = 0; paths[i].option; i++)
        if (!is_absent(setting->job, paths[i].file))
            AKIN_TRY(akin_stage_set_file(options, paths[i].option, setting->folder,
                                         akin_job_file(paths[i].file, setting->table, room)));
    if (stage->before) AKIN_TRY(settle_before(stage, options, previous, setting->table));
    if (stage->decides && !akin_options_given(options, stage->decides))
        AKIN_TRY(akin_options_set(options, stage->decides, "yes", "run"));
    if (stage->settle) status = stage->settle(setting, options);
done:
    return status;
}

akin_status akin_stages_settle(const akin_job *job, const akin_options *run, const char *folder,
                               const char *previous) {
    akin_status status = AKIN_OK;
    akin_stage_setting setting = {job->file, run, folder, job->table, job->section};
    for (const akin_stage *stage = akin_stages; stage->verb && status == AKIN_OK; stage++)
        if (akin_stage_runs(stage, job)) status = settle(stage, &setting, job, previous);
    return status;
}

/* --- what can be refused before anything is changed --- */

static akin_status check_gallery(const akin_options *options) {
    const char *const *sources = NULL;
    if (akin_options_list(options, "source", &sources) > 0) return AKIN_OK;
    return akin_error_option("source", "needs the key source, for the pictures of the "
                                       "catalogue; there is no [ingest] to take it from");
}

/* --- hooks of the stages, from other files --- */

/* Whether the catalogue has what later stages need. */
static akin_status end_ingest(akin_stage_run *run) {
    akin_status status = AKIN_OK;
    if (akin_comm_rank(run->call->comm) == 0 && !akin_stages_added(run->job->file))
        status =
            akin_preflight_labels(run->job->file, akin_options_text(run->call->options, "output"));
    return akin_agree_with_first(run->call->comm, status);
}

static akin_status prepare_train(akin_stage_run *run) {
    return akin_retrain_prepare(run->call, run->folder, run->metrics, &run->measure);
}

static akin_status end_train(akin_stage_run *run) {
    return akin_retrain_report(run->call->comm, run->metrics, &run->measure);
}
