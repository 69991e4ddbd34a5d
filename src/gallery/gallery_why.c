/* gallery_why: the contributions of the vectors' parts to a score. */
#include "gallery_why.h"
#include "gallery_data.h"
#include "gallery_scripts.h"
#include <akin/embeddings.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <akin/ncfile.h>
#include <akin/options.h>
#include <akin/text.h>
#include <math.h>
#include <string.h>

#define MOST_BYTES ((size_t)512 << 20)

typedef struct {
    akin_comm *comm;
    akin_gallery_folder *folder;
    const akin_table *table;
    const akin_gallery_rows *page;
    akin_embeddings *embeddings, *targets; /* targets: NULL except with two catalogues */
    akin_model *model;
    akin_part_sharer *sharer;
    float *rows; /* [pictures and targets, size], prepared */
    size_t size;
    int32_t *neighbor, *counts; /* of AKIN_GALLERY_LIST items */
    int32_t *picture, *other;   /* the same, for a table between products; else NULL */
    akin_text *script;
} work;

/* --- the files --- */

/* Whether scores are not those of two vectors: they are of some parts only, or means of several. */
static bool is_another_score(const akin_table *table) {
    char *options = NULL, **words = NULL;
    size_t count = 0;
    bool found = akin_ncfile_get_attribute(akin_table_file(table), "akin_result_options",
                                           &options) == AKIN_OK &&
                 akin_options_recorded(options, &words, &count) == AKIN_OK &&
                 (akin_options_after(words, count, "aspect=") ||
                  akin_options_after(words, count, "pictures=mean"));
    akin_options_free_words(words, count);
    akin_mem_free(options);
    return found;
}

/* Whether the vectors are those that the table was made from, of one model, and complete. */
static bool open_vectors(const work *w, const char *path, const char *attribute, size_t items,
                         akin_embeddings **out) {
    return path && akin_file_exists(path) &&
           akin_embeddings_open(akin_comm_alone(w->comm), path, out) == AKIN_OK &&
           akin_ncfile_has_text(akin_table_file(w->table), attribute,
                                akin_embeddings_digest(*out)) &&
           akin_embeddings_items(*out) == items &&
           strcmp(akin_model_digest(w->model), akin_embeddings_model_digest(*out)) == 0 &&
           akin_model_features(w->model)->dim == akin_embeddings_dim(*out);
}

/* Whether the files exist and belong together. */
static bool open_files(work *w, const akin_gallery_made_from *from) {
    char *folder = from->embeddings ? akin_file_folder(from->embeddings) : NULL,
         *model = folder ? akin_file_join(folder, "model.nc") : NULL;
    bool fits = model && akin_file_exists(model) &&
                akin_model_read(akin_comm_alone(w->comm), model, &w->model) == AKIN_OK &&
                open_vectors(w, from->embeddings, "input_embeddings_digest",
                             akin_gallery_rows_pictures(w->page), &w->embeddings) &&
                (w->page->targets == 0 ||
                 open_vectors(w, from->target_embeddings, "input_against_digest",
                              akin_gallery_rows_target_pictures(w->page), &w->targets));
    akin_mem_free(folder);
    akin_mem_free(model);
    return fits;
}

/* --- the shares --- */

/* All rows of a file, prepared, starting at row `at`. */
static akin_status prepare_file(work *w, const akin_embeddings *embeddings, size_t at) {
    akin_status status = AKIN_OK;
    size_t n = akin_embeddings_items(embeddings), dim = akin_embeddings_dim(embeddings);
    float *read = akin_mem_alloc(AKIN_GALLERY_LIST, dim * sizeof *read);
    if (!read) return AKIN_FAILED;
    for (size_t first = 0; first < n; first += AKIN_GALLERY_LIST) {
        size_t count = n - first < AKIN_GALLERY_LIST ? n - first : AKIN_GALLERY_LIST;
        AKIN_TRY(akin_embeddings_rows(embeddings, first, count, read));
        for (size_t i = 0; i < count; i++)
            akin_part_sharer_prepare(w->sharer, read + i * dim,
                                     w->rows + (at + first + i) * w->size);
        akin_comm_poll(w->comm);
    }
done:
    akin_mem_free(read);
    return status;
}

static size_t rows_of(const work *w) {
    return akin_gallery_rows_pictures(w->page) + akin_gallery_rows_target_pictures(w->page);
}

static akin_status prepare_rows(work *w) {
    w->rows = akin_mem_alloc(rows_of(w), w->size * sizeof *w->rows);
    if (!w->rows) return AKIN_FAILED;
    akin_status status = prepare_file(w, w->embeddings, 0);
    if (status == AKIN_OK && w->targets)
        status = prepare_file(w, w->targets, akin_gallery_rows_pictures(w->page));
    return status;
}

/* The prepared rows of entry e of the rows read, of this item; false: there is none. */
static bool find_pair(const work *w, size_t item, size_t e, const float **a, const float **b) {
    size_t mine = item, other = (size_t)w->neighbor[e];
    if (w->picture && (w->picture[e] < 0 || w->other[e] < 0)) return false;
    if (w->picture) mine = (size_t)w->picture[e], other = (size_t)w->other[e];
    if (w->targets) other += akin_gallery_rows_pictures(w->page);
    *a = w->rows + mine * w->size, *b = w->rows + other * w->size;
    return true;
}

/* [[12,3],[9,1]]: for entries [at, at + count) of this item. */
static akin_status append_shares(work *w, size_t item, size_t at, size_t count) {
    akin_status status = AKIN_OK;
    akin_part_share share[AKIN_PARTS];
    AKIN_TRY(akin_text_append(w->script, "["));
    for (size_t e = at; e < at + count; e++) {
        const float *a, *b;
        size_t parts =
            find_pair(w, item, e, &a, &b) ? akin_part_sharer_pair(w->sharer, a, b, share) : 0;
        AKIN_TRY(akin_text_append(w->script, e > at ? ",[" : "["));
        for (size_t p = 0; p < parts; p++)
            AKIN_TRY(
                akin_text_append(w->script, p > 0 ? ",%.0f" : "%.0f", 1000 * share[p].share + 0.0));
        AKIN_TRY(akin_text_append(w->script, "]"));
    }
    status = akin_text_append(w->script, "]");
done:
    return status;
}

static akin_status write_shares(void *context, size_t first, size_t count) {
    akin_status status;
    work *w = context;
    size_t k = akin_table_k(w->table);
    AKIN_TRY(akin_table_rows(w->table, first, count, w->neighbor, NULL, w->counts));
    if (w->picture)
        AKIN_TRY(akin_gallery_rows_pairs(w->page, w->table, first, count, w->picture, w->other));
    AKIN_TRY(akin_text_append(w->script, "akin.shares(%zu,[", first));
    for (size_t i = 0; i < count; i++) {
        AKIN_TRY(akin_text_append(w->script, i > 0 ? ",\n" : "\n"));
        AKIN_TRY(append_shares(w, first + i, i * k, (size_t)w->counts[i]));
    }
    status = akin_text_append(w->script, "]);\n");
done:
    return status;
}

static akin_status write_scripts(work *w) {
    akin_status status;
    size_t n = akin_table_items(w->table);
    size_t values = AKIN_GALLERY_LIST * akin_table_k(w->table);
    w->neighbor = akin_mem_alloc(values, sizeof *w->neighbor);
    w->counts = akin_mem_alloc(AKIN_GALLERY_LIST, sizeof *w->counts);
    if (w->page->shots.labels) w->picture = akin_mem_alloc(values, sizeof *w->picture);
    if (w->page->shots.labels) w->other = akin_mem_alloc(values, sizeof *w->other);
    if (!w->neighbor || !w->counts || (w->page->shots.labels && (!w->picture || !w->other)))
        return AKIN_FAILED;
    AKIN_TRY(akin_text_create(&w->script));
    const akin_gallery_scripts scripts = {w->comm,           w->folder, "data/why",   n,
                                          AKIN_GALLERY_LIST, w->script, write_shares, w};
    AKIN_TRY(akin_gallery_scripts_fan(&scripts));
    status = akin_gallery_scripts_write(&scripts, 0, 1);
done:
    return status;
}

static akin_json *name_parts(akin_model *model) {
    akin_json *names = akin_json_array();
    const akin_features *features = akin_model_features(model);
    for (size_t p = 0; p < AKIN_PARTS; p++)
        if (features->parts[p].weight > 0)
            akin_json_append_text(names, akin_part_name((akin_part)p));
    return names;
}

static akin_status share(work *w, akin_json **parts) {
    akin_status status;
    AKIN_TRY(akin_part_sharer_create(w->model, &w->sharer));
    w->size = akin_part_sharer_size(w->sharer);
    if (rows_of(w) > MOST_BYTES / sizeof(float) / w->size) {
        akin_log_info("gallery: without the parts of the scores: there are too many items");
        return AKIN_OK;
    }
    AKIN_TRY(prepare_rows(w));
    AKIN_TRY(write_scripts(w));
    *parts = name_parts(w->model);
    if (!*parts) status = AKIN_FAILED;
done:
    return status;
}

akin_status akin_gallery_why(akin_comm *comm, akin_gallery_folder *folder, const akin_table *table,
                             const akin_gallery_made_from *from, const akin_gallery_rows *rows,
                             akin_json **parts) {
    akin_status status = AKIN_OK;
    work w = {.comm = comm, .folder = folder, .table = table, .page = rows};
    *parts = NULL;
    if (!is_another_score(table) && open_files(&w, from))
        status = share(&w, parts);
    else
        akin_error_clear(); /* the page works without them */
    akin_embeddings_close(w.embeddings);
    akin_embeddings_close(w.targets);
    akin_part_sharer_free(w.sharer);
    akin_model_free(w.model);
    akin_mem_free(w.rows);
    akin_mem_free(w.neighbor);
    akin_mem_free(w.counts);
    akin_mem_free(w.picture);
    akin_mem_free(w.other);
    akin_text_free(w.script);
    return status;
}
