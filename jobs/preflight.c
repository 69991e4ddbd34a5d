/* preflight: checks that a run makes before it starts. */
#include "preflight.h"
#include "places.h"
#include "tables.h"
#include <akin/csv.h>
#include <akin/file.h>
#include <akin/ingest.h>
#include <akin/labels.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/npy.h>
#include <akin/publish.h>
#include <akin/source.h>
#include <akin/text.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Several mistakes are told at once; a job file that is wrong goes before what is missing. */
typedef struct {
    akin_error_kept all;
    akin_status status;
} mistakes;

static void note(mistakes *found, akin_status status) {
    if (status == AKIN_OK) return;
    if (found->status == AKIN_OK || status == AKIN_USAGE) found->status = status;
    akin_error_gather(&found->all);
}

static akin_status sum_up(const mistakes *found) {
    if (found->status != AKIN_OK) akin_error_restore(&found->all);
    return found->status;
}

/* Prefixes the message with the line of the key. */
static akin_status at_key(akin_jobfile *job, const char *section, const char *key,
                          akin_status status) {
    char *place = akin_jobfile_place(job, section, key);
    if (place) status = akin_error_context(status, "%s: [%s] ", place, section);
    akin_mem_free(place);
    return status;
}

/* --- folders --- */

/* The part of the path that exists: owned, NULL = out of memory. */
static char *existing_part(const char *path) {
    char *part = akin_mem_text(path);
    while (part && !akin_file_exists(part)) {
        char *above = akin_file_folder(part);
        akin_mem_free(part);
        part = above;
    }
    return part;
}

/* Whether what cannot be written is the job's fault: not where the disk can only be read, is full or
 * broken, or is another's. */
static bool names_wrong(const char *folder) {
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0) return errno == ENOTDIR || errno == ENAMETOOLONG;
    return !(disk.f_flag & ST_RDONLY) && access(folder, W_OK) == 0 && disk.f_bavail > 0;
}

static akin_status check_output(akin_jobfile *job, const char *output) {
    char *part = existing_part(output), *probe = NULL;
    if (!part) return AKIN_FAILED;
    akin_status status = AKIN_FAILED;
    uint64_t failures = akin_mem_failures();
    if (!akin_file_is_folder(part))
        status = akin_error_set(AKIN_USAGE,
                                "output %s cannot be created: %s is not a folder; choose another",
                                output, part);
    else if ((probe = akin_file_join(part, ".akin-probe")))
        status = akin_file_check_output(probe);
    if (status == AKIN_FAILED && akin_mem_failures() == failures)
        status = akin_error_context(names_wrong(part) ? AKIN_USAGE : AKIN_FAILED,
                                    "output %s cannot be written: ", output);
    akin_mem_free(probe);
    akin_mem_free(part);
    return status == AKIN_USAGE ? at_key(job, "job", "output", status) : status;
}

static const char *without_dot(const char *path) {
    while (strncmp(path, "./", 2) == 0) path += 2 + strspn(path + 2, "/");
    return path;
}

/* Whether the run creates this folder, or the last part of the path to it. */
static bool will_be_made(const char *folder, const char *output) {
    size_t length = strlen(without_dot(folder));
    const char *made = without_dot(output);
    return strncmp(made, without_dot(folder), length) == 0 &&
           (made[length] == '\0' || made[length] == '/');
}

static akin_status check_place(const char *path, const char *output) {
    char *folder = akin_file_folder(path);
    if (!folder) return AKIN_FAILED;
    akin_status status = AKIN_OK;
    uint64_t failures = akin_mem_failures();
    if (akin_file_exists(folder))
        status = akin_file_check_output(path);
    else if (!will_be_made(folder, output))
        status = akin_error_set(AKIN_USAGE,
                                "folder %s does not exist: create it, or choose another", folder);
    if (status == AKIN_OK) {
        akin_mem_free(folder);
        return AKIN_OK;
    }
    bool wrong = akin_mem_failures() == failures && (status == AKIN_USAGE || names_wrong(folder));
    akin_mem_free(folder);
    return akin_error_context(wrong ? AKIN_USAGE : AKIN_FAILED, "--to file:%s: ", path);
}

static akin_status check_apart(const akin_options *publish, const char *path) {
    const char *const *urls = NULL;
    size_t count = akin_options_list(publish, "to", &urls);
    return path ? akin_publish_check(urls, count, &path, 1) : AKIN_OK;
}

static akin_status check_apart_from_output(const akin_options *publish, const char *output,
                                           const char *name) {
    char *path = akin_file_join(output, name);
    akin_status status = path ? check_apart(publish, path) : AKIN_FAILED;
    akin_mem_free(path);
    return status;
}

/* No publishing target may be a file that the job itself reads or writes. */
static akin_status check_all_apart(akin_jobfile *job, const char *output) {
    static const char *const written[] = {"rejects.csv",   "catalog.nc",         "model.nc",
                                          "embeddings.nc", "table.nc",           "metrics.json",
                                          "log.txt",       "model.nc.checkpoint"};
    static const struct {
        const char *section, *key;
    } read[] = {{"ingest", "previous"},  {"ingest", "network"},  {"train", "init"},
                {"train", "checkpoint"}, {"embed", "from"},      {"embed", "ids"},
                {"evaluate", "against"}, {"publish", "previous"}};
    akin_status status = AKIN_OK;
    const akin_options *publish = akin_jobfile_options(job, "publish");
    const char *const *sources = NULL;
    size_t count = akin_options_arguments(akin_jobfile_options(job, "ingest"), &sources);
    for (size_t i = 0; i < count; i++) AKIN_TRY(check_apart(publish, sources[i]));
    for (size_t i = 0; i < sizeof read / sizeof *read; i++)
        AKIN_TRY(check_apart(
            publish, akin_options_text(akin_jobfile_options(job, read[i].section), read[i].key)));
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        AKIN_TRY(check_apart_from_output(publish, output, written[i]));
done:
    return status;
}

/* An existing file must have been written by akin. */
static akin_status check_ours(const akin_options *publish, const char *url) {
    akin_sink_options sink;
    akin_live live;
    akin_status status = akin_places_options(publish, &sink);
    return status == AKIN_OK ? akin_publish_look(url, &sink, &live) : status;
}

static akin_status check_places(akin_jobfile *job, const char *output) {
    static const char scheme[] = "file:";
    const char *const *urls = NULL;
    const akin_options *publish = akin_jobfile_options(job, "publish");
    size_t count = akin_options_list(publish, "to", &urls);
    mistakes found = {.status = AKIN_OK};
    akin_status status = check_all_apart(job, output);
    if (status != AKIN_OK) return at_key(job, "publish", "to", status);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(urls[i], scheme, strlen(scheme)) != 0) continue;
        status = check_place(urls[i] + strlen(scheme), output);
        if (status == AKIN_OK) status = check_ours(publish, urls[i]);
        if (status != AKIN_OK) note(&found, at_key(job, "publish", "to", status));
    }
    return sum_up(&found);
}

/* --- files that are read later --- */

static akin_status check_inputs(akin_jobfile *job) {
    static const struct {
        const char *section, *key;
    } inputs[] = {{"ingest", "root"},
                  {"ingest", "previous"},
                  {"ingest", "network"},
                  {"train", "init"},
                  {"embed", "from"},
                  {"embed", "ids"},
                  {"embed", "previous"},
                  {"neighbors", "previous"},
                  {"neighbors", "previous-embeddings"},
                  {"neighbors", "against"},
                  {"neighbors", "against-ids"},
                  {"evaluate", "against"},
                  {"publish", "previous"},
                  {"gallery", "against"},
                  {"gallery", "embeddings"}};
    mistakes found = {.status = AKIN_OK};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        const char *path =
            akin_options_text(akin_jobfile_options(job, inputs[i].section), inputs[i].key);
        if (!path || akin_file_exists(path)) continue;
        char *place = akin_jobfile_place(job, inputs[i].section, inputs[i].key);
        if (!place) continue; /* set by the run, which creates it */
        akin_mem_free(place);
        note(&found, at_key(job, inputs[i].section, inputs[i].key,
                            akin_error_set(AKIN_FAILED, "%s %s: no such file; nothing was started",
                                           inputs[i].key, path)));
    }
    return sum_up(&found);
}

/* The catalogue of the night before determines which items are new. */
static akin_status check_drift(akin_jobfile *job) {
    bool nights = akin_options_int(akin_jobfile_options(job, "job"), "keep") > 0;
    if (nights ||
        strcmp(akin_options_text(akin_jobfile_options(job, "train"), "retrain"), "drift") != 0)
        return AKIN_OK;
    return at_key(
        job, "train", "retrain",
        akin_error_set(AKIN_USAGE,
                       "retrain = drift needs nights to compare: set keep = 2 or more in [job]"));
}

/* --- the checks as a whole --- */

akin_status akin_preflight_start(akin_jobfile *job, const char *output) {
    mistakes found = {.status = AKIN_OK};
    note(&found, check_drift(job));
    note(&found, check_output(job, output));
    if (akin_stage_wanted(akin_stage_find("publish"), job)) note(&found, check_places(job, output));
    note(&found, check_inputs(job));
    return sum_up(&found);
}

/* --- where it will publish, beyond files --- */

static akin_status look_at_place(const akin_options *publish, const char *url) {
    akin_status status = AKIN_OK;
    akin_sink_options sink;
    akin_standing standing;
    akin_text *shown = NULL;
    AKIN_TRY(akin_places_options(publish, &sink));
    AKIN_TRY(akin_publish_ask(url, &sink, &standing));
    if (!*standing.busy) goto done;
    AKIN_TRY(akin_text_create(&shown));
    AKIN_TRY(akin_text_append_hidden(shown, url));
    akin_log_warning("%s: someone is publishing there (%s); a run waits for nobody and would fail",
                     akin_text_bytes(shown), standing.busy);
done:
    akin_text_free(shown);
    return status;
}

akin_status akin_preflight_places(akin_jobfile *job) {
    mistakes found = {.status = AKIN_OK};
    const char *const *urls = NULL;
    const akin_options *publish = akin_jobfile_options(job, "publish");
    if (!akin_stage_wanted(akin_stage_find("publish"), job)) return AKIN_OK;
    size_t count = akin_options_list(publish, "to", &urls);
    for (size_t i = 0; i < count; i++) {
        akin_status status = look_at_place(publish, urls[i]);
        if (status != AKIN_OK) note(&found, at_key(job, "publish", "to", status));
    }
    return sum_up(&found);
}

/* Bytes per row: the picture, the labels in three files, the vector, the lists and a picture of
 * the gallery; plus the model, its checkpoint, and the temporary copy of each file. */
static uint64_t bytes_of(akin_jobfile *job, size_t rows, size_t features) {
    enum { PICTURE = 3072, LABELS = 3 * 64, MODEL = 3 * (7 << 20) };
    const akin_options *gallery = akin_jobfile_options(job, "gallery");
    uint64_t k = (uint64_t)akin_options_int(akin_jobfile_options(job, "neighbors"), "k");
    uint64_t side = (uint64_t)akin_options_int(gallery, "picture-size"), page = 0;
    if (akin_jobfile_has(job, "gallery") && akin_options_flag(gallery, "enabled"))
        page = side * side / 32 + 12 * k;
    return rows * (PICTURE + LABELS + features * sizeof(float) + 8 * k + page) + MODEL;
}

/* Rows and columns of the vectors that the job imports. */
static akin_status look_at_vectors(const char *path, size_t *rows, size_t *columns) {
    akin_npy *npy = NULL;
    akin_status status = akin_npy_open(path, &npy);
    if (status == AKIN_OK) *rows = akin_npy_rows(npy), *columns = akin_npy_columns(npy);
    akin_npy_close(npy);
    return status;
}

static void warn_of_refused(const akin_source *source, const akin_preflight_needs *needs) {
    size_t row = 0;
    if (needs->refused == 0) return;
    while (!akin_source_get(source, row).reason) row++;
    akin_source_row first = akin_source_get(source, row);
    akin_log_warning("%zu row%s will be rejected; the first: id \"%s\", %s: %s", needs->refused,
                     AKIN_PLURAL(needs->refused), first.id, first.path, first.reason);
}

/* Rows that the list alone shows will be rejected; pictures that cannot be decoded are not known
 * yet. */
static akin_status foresee_rejects(akin_jobfile *job, const akin_source *source,
                                   akin_preflight_needs *needs) {
    size_t first = 0, valid = akin_source_valid(source);
    double limit = akin_options_real(akin_jobfile_options(job, "ingest"), "max-reject-fraction");
    needs->refused = needs->rows - valid;
    needs->missing = akin_source_missing(source, &first);
    size_t bad = needs->refused + needs->missing;
    warn_of_refused(source, needs);
    if (needs->missing > 0)
        akin_log_warning("%zu file%s of the source %s not there; the first: id \"%s\", %s",
                         needs->missing, AKIN_PLURAL(needs->missing),
                         needs->missing == 1 ? "is" : "are", akin_source_get(source, first).id,
                         akin_source_get(source, first).path);
    if (needs->rows == 0 || bad == needs->rows)
        return at_key(job, "ingest", "source",
                      akin_error_set(AKIN_INPUT,
                                     "no usable picture: %zu rows, of which %zu will be rejected",
                                     needs->rows, bad));
    if (akin_ingest_too_many(bad, needs->rows, limit))
        return at_key(
            job, "ingest", "source",
            akin_error_set(
                AKIN_INPUT,
                "%zu of %zu rows will be rejected, more than max-reject-fraction = %g allows", bad,
                needs->rows, limit));
    return AKIN_OK;
}

/* --- what the last night rejected --- */

typedef struct {
    const akin_source *source;
    size_t known;
} last_rejects;

/* A row that is still there, under the same path, and that the list alone does not reject. */
static akin_status see_reject(void *context, size_t row, size_t count, const char *const *fields,
                              const size_t *lengths) {
    last_rejects *last = context;
    (void)lengths;
    if (row == 1 || count != 3) return AKIN_OK;
    size_t now = akin_source_find(last->source, akin_csv_unsafe(fields[0]));
    if (now == SIZE_MAX) return AKIN_OK;
    akin_source_row it = akin_source_get(last->source, now);
    last->known += !it.reason && strcmp(it.path, akin_csv_unsafe(fields[1])) == 0;
    return AKIN_OK;
}

/* They may have been repaired, so this is a warning. */
static akin_status foresee_last(akin_jobfile *job, const akin_source *source, const char *output,
                                akin_preflight_needs *needs) {
    static const char *const places[] = {"latest/rejects.csv", "rejects.csv"};
    double limit = akin_options_real(akin_jobfile_options(job, "ingest"), "max-reject-fraction");
    last_rejects last = {.source = source};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *path = akin_file_join(output, places[i]);
        if (!path) return AKIN_FAILED;
        bool there = akin_file_exists(path);
        if (there && akin_csv_read(path, ',', see_reject, &last) != AKIN_OK) akin_error_clear();
        akin_mem_free(path);
        if (there) break;
    }
    needs->rejected_before = last.known;
    if (last.known == 0) return AKIN_OK;
    bool many =
        akin_ingest_too_many(needs->refused + needs->missing + last.known, needs->rows, limit);
    akin_log_warning(
        "%zu row%s of the source %s rejected the last time too, because of the picture "
        "itself (rejects.csv): unless it was repaired, it will be again%s",
        last.known, AKIN_PLURAL(last.known), last.known == 1 ? "was" : "were",
        many ? ", and then there are more than max-reject-fraction allows: the job "
               "would exit with 3"
             : "");
    return AKIN_OK;
}

/* --- the labels that the rules of [neighbors] use --- */

typedef enum { CATEGORY, GROUP, LABEL_KINDS } label;

typedef struct {
    const char *key, *column;
    label which;
    bool asked;
} label_rule;

enum { LABEL_RULES = 3 };

static bool list_rules(akin_jobfile *job, label_rule rules[LABEL_RULES]) {
    const akin_options *options = akin_jobfile_options(job, "neighbors");
    const char *fill = akin_options_text(options, "fill");
    rules[0] = (label_rule){"same-category", "category", CATEGORY,
                            akin_options_flag(options, "same-category")};
    rules[1] = (label_rule){"exclude-same-group", "group", GROUP,
                            akin_options_flag(options, "exclude-same-group")};
    rules[2] = (label_rule){"fill", "category", CATEGORY, fill && strcmp(fill, "category") == 0};
    return rules[0].asked || rules[1].asked || rules[2].asked;
}

/* there: whether any row has the label. */
static akin_status check_rules(akin_jobfile *job, const bool there[LABEL_KINDS]) {
    label_rule rules[LABEL_RULES];
    list_rules(job, rules);
    for (size_t i = 0; i < LABEL_RULES; i++)
        if (rules[i].asked && !there[rules[i].which])
            return at_key(job, "neighbors", rules[i].key,
                          akin_error_set(AKIN_USAGE,
                                         "%s: no item of the catalogue has a %s: add a column `%s` "
                                         "to the source, or remove the rule",
                                         rules[i].key, rules[i].column, rules[i].column));
    return AKIN_OK;
}

/* Only rows that can become items count; ingest itself refuses a source without any. */
static akin_status check_source_labels(akin_jobfile *job, const akin_source *source) {
    bool there[LABEL_KINDS] = {false};
    size_t count = akin_source_valid(source);
    const size_t *order = akin_source_order(source);
    for (size_t i = 0; i < count && !(there[CATEGORY] && there[GROUP]); i++) {
        akin_source_row row = akin_source_get(source, order[i]);
        there[CATEGORY] |= *row.category != '\0';
        there[GROUP] |= *row.group != '\0';
    }
    return count > 0 ? check_rules(job, there) : AKIN_OK;
}

/* What [ingest] names; the strings are borrowed from the job. */
static akin_source_params sources_of(akin_jobfile *job) {
    const akin_options *ingest = akin_jobfile_options(job, "ingest");
    akin_source_params params = {.root = akin_options_text(ingest, "root"),
                                 .cache = akin_options_text(ingest, "cache")};
    (void)!akin_tables_params(ingest, &params); /* checked with the options */
    params.count = akin_options_arguments(ingest, &params.names);
    return params;
}

akin_status akin_preflight_rules(akin_comm *comm, akin_jobfile *job, akin_source **listed) {
    label_rule rules[LABEL_RULES];
    const akin_source_params params = sources_of(job);
    *listed = NULL;
    if (params.count == 0 || !list_rules(job, rules)) return AKIN_OK;
    if (akin_source_open(comm, &params, listed) != AKIN_OK) { /* ingest has the better message */
        akin_error_clear();
        return AKIN_OK;
    }
    return akin_agree(comm, check_source_labels(job, *listed));
}

akin_status akin_preflight_labels(akin_jobfile *job, const char *catalog) {
    akin_status status = AKIN_OK;
    akin_ncfile *file = NULL;
    akin_labels *labels = NULL;
    bool there[LABEL_KINDS];
    AKIN_TRY(akin_ncfile_peek(catalog, "catalog", &file));
    AKIN_TRY(akin_labels_read(file, 0, 1, &labels));
    there[CATEGORY] = akin_labels_category_count(labels) > 0;
    there[GROUP] = akin_labels_group_count(labels) > 0;
    status = check_rules(job, there);
done:
    akin_labels_free(labels);
    akin_ncfile_close(file);
    return status;
}

akin_status akin_preflight_space(akin_comm *comm, akin_jobfile *job, const char *output,
                                 akin_preflight_needs *needs) {
    akin_status status = AKIN_OK;
    akin_source *source = NULL;
    const akin_source_params params = sources_of(job);
    char *part = NULL, *probe = NULL;
    size_t rows = 0, features = 32;
    const char *vectors = akin_stages_vectors(job);
    AKIN_TRY(akin_agree(comm, vectors ? look_at_vectors(vectors, &rows, &features) : AKIN_OK));
    if (params.count > 0 || !vectors) {
        AKIN_TRY(akin_source_open(comm, &params, &source));
        rows = akin_source_rows(source);
    }
    *needs = (akin_preflight_needs){.rows = rows, .bytes = bytes_of(job, rows, features)};
    if (source) AKIN_TRY(akin_agree(comm, foresee_rejects(job, source, needs)));
    if (source) AKIN_TRY(akin_agree(comm, foresee_last(job, source, output, needs)));
    if (source) AKIN_TRY(akin_agree(comm, check_source_labels(job, source)));
    if (akin_comm_rank(comm) == 0) {
        part = existing_part(output);
        probe = part ? akin_file_join(part, ".akin-probe") : NULL;
        status = probe ? akin_file_check_space(probe, needs->bytes) : AKIN_FAILED;
    }
    AKIN_TRY(akin_agree(comm, status));
done:
    akin_source_close(source);
    akin_mem_free(probe);
    akin_mem_free(part);
    return status;
}
