/* stages_gallery: what the gallery of a run shows is what the run made it from. */
#include "stages_gallery.h"
#include "job.h"
#include "tables.h"
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/npy.h>
#include <akin/text.h>
#include <stdio.h>

bool akin_stages_gallery_lacks(const akin_jobfile *job, const char *section) {
    const akin_options *o = akin_jobfile_options(job, section);
    const char *against = akin_options_text(o, "against");
    bool is_npy = false;
    if (!against || !akin_options_is(o, "by", "group")) return false;
    if (akin_npy_recognise(against, &is_npy) != AKIN_OK) akin_error_clear(); /* told elsewhere */
    return is_npy;
}

/* A page for each further table that has one. */
static akin_status settle_pages(const akin_stage_setting *setting, akin_options *options) {
    akin_status status = AKIN_OK;
    akin_text *word = NULL;
    const char *section;
    AKIN_TRY(akin_text_create(&word));
    for (size_t i = 0; (section = akin_job_table_section(setting->job, i)); i++) {
        char room[AKIN_JOB_FILE_SIZE];
        if (akin_stages_gallery_lacks(setting->job, section)) continue;
        const char *name = akin_job_table_name(section);
        akin_text_clear(word);
        AKIN_TRY(akin_text_append(word, "%s=%s/%s", name, setting->folder,
                                  akin_job_file("table.nc", name, room)));
        AKIN_TRY(akin_options_append(options, "table", akin_text_bytes(word)));
    }
done:
    akin_text_free(word);
    return status;
}

/* What the first table that is made against another catalogue says of that one; NULL: there is none. */
static const char *find_against(const akin_jobfile *job) {
    const char *section, *against = NULL;
    for (size_t i = 0; !against && (section = akin_job_neighbors_section(job, i)); i++)
        against = akin_options_text(akin_jobfile_options(job, section), "against");
    return against;
}

/* The other catalogue of a table: its embeddings, and what lies beside them. */
static akin_status settle_target(const akin_stage_setting *setting, akin_options *options) {
    akin_status status = AKIN_OK;
    bool is_npy = false;
    const char *against = find_against(setting->job);
    char *folder = against ? akin_file_folder(against) : NULL,
         *catalog = folder ? akin_file_join(folder, "catalog.nc") : NULL;
    if (!against) goto done;
    if (!catalog) AKIN_TRY(AKIN_FAILED);
    if (akin_npy_recognise(against, &is_npy) != AKIN_OK) akin_error_clear(); /* told later */
    if (!is_npy && !akin_options_given(options, "target-embeddings"))
        AKIN_TRY(akin_options_set(options, "target-embeddings", against, "run"));
    if (akin_file_exists(catalog) && !akin_options_given(options, "target-catalog"))
        status = akin_options_set(options, "target-catalog", catalog, "run");
done:
    akin_mem_free(folder);
    akin_mem_free(catalog);
    return status;
}

/* The gallery shows the pictures that were ingested, from the same sources. */
akin_status akin_stages_settle_gallery(const akin_stage_setting *setting, akin_options *options) {
    akin_status status = settle_pages(setting, options);
    if (status == AKIN_OK) status = settle_target(setting, options);
    if (status != AKIN_OK) return status;
    const akin_options *ingest = akin_jobfile_options(setting->job, "ingest");
    const char *const *sources = NULL;
    static const char *const shared[] = AKIN_TABLE_KEYS;
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
