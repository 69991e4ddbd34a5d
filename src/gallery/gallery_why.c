/* gallery_why: what each part of the vectors adds to a score. */
#include "gallery_why.h"
#include "gallery_data.h"
#include <akin/embeddings.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <akin/ncfile.h>
#include <akin/text.h>
#include <math.h>
#include <string.h>

#define MOST_BYTES ((size_t)512 << 20)

typedef struct {
    akin_comm *comm;
    akin_gallery_folder *folder;
    const akin_table *table;
    akin_embeddings *embeddings;
    akin_model *model;
    akin_part_sharer *sharer;
    float *rows; /* [items, size], prepared */
    size_t size;
    int32_t *neighbor, *counts; /* of AKIN_GALLERY_LIST items */
    akin_text *script;
} work;

/* --- the files --- */

static bool has_attribute(const akin_ncfile *file, const char *name, const char *value) {
    char *held = NULL;
    bool same =
        akin_ncfile_get_attribute(file, name, &held) == AKIN_OK && held && strcmp(held, value) == 0;
    akin_mem_free(held);
    return same;
}

static bool is_by_aspect(const akin_table *table) {
    char *options = NULL;
    bool found = akin_ncfile_get_attribute(akin_table_file(table), "akin_result_options",
                                           &options) == AKIN_OK &&
                 options && strstr(options, "aspect=");
    akin_mem_free(options);
    return found;
}

/* Whether the files are there, belong together, and are few enough. */
static bool open_files(work *w, const char *embeddings) {
    char *folder = akin_file_folder(embeddings),
         *model = folder ? akin_file_join(folder, "model.nc") : NULL;
    bool fits =
        model && akin_file_exists(embeddings) && akin_file_exists(model) &&
        akin_embeddings_open(akin_comm_alone(w->comm), embeddings, &w->embeddings) == AKIN_OK &&
        has_attribute(akin_table_file(w->table), "input_embeddings_digest",
                      akin_embeddings_digest(w->embeddings)) &&
        akin_embeddings_items(w->embeddings) == akin_table_items(w->table) &&
        akin_model_read(akin_comm_alone(w->comm), model, &w->model) == AKIN_OK &&
        strcmp(akin_model_digest(w->model), akin_embeddings_model_digest(w->embeddings)) == 0 &&
        akin_model_features(w->model)->dim == akin_embeddings_dim(w->embeddings);
    akin_mem_free(folder);
    akin_mem_free(model);
    return fits;
}

/* --- the shares --- */

static akin_status prepare_rows(work *w) {
    akin_status status;
    size_t n = akin_table_items(w->table), dim = akin_embeddings_dim(w->embeddings);
    float *read = akin_mem_alloc(AKIN_GALLERY_LIST, dim * sizeof *read);
    w->rows = akin_mem_alloc(n, w->size * sizeof *w->rows);
    if (!read || !w->rows) {
        akin_mem_free(read);
        return AKIN_FAILED;
    }
    for (size_t first = 0; first < n; first += AKIN_GALLERY_LIST) {
        size_t count = n - first < AKIN_GALLERY_LIST ? n - first : AKIN_GALLERY_LIST;
        AKIN_TRY(akin_embeddings_rows(w->embeddings, first, count, read));
        for (size_t i = 0; i < count; i++)
            akin_part_sharer_prepare(w->sharer, read + i * dim, w->rows + (first + i) * w->size);
        akin_comm_poll(w->comm);
    }
    status = AKIN_OK;
done:
    akin_mem_free(read);
    return status;
}

/* [[12,3],[9,1]]: of an item. */
static akin_status append_shares(work *w, size_t item, const int32_t *neighbor, size_t count) {
    akin_status status = AKIN_OK;
    akin_part_share share[AKIN_PARTS];
    AKIN_TRY(akin_text_append(w->script, "["));
    for (size_t e = 0; e < count; e++) {
        size_t parts = akin_part_sharer_pair(w->sharer, w->rows + item * w->size,
                                             w->rows + (size_t)neighbor[e] * w->size, share);
        for (size_t p = 0; p < parts; p++)
            AKIN_TRY(akin_text_append(w->script, "%s%.0f",
                                      p > 0   ? ","
                                      : e > 0 ? ",["
                                              : "[",
                                      1000 * share[p].share + 0.0));
        AKIN_TRY(akin_text_append(w->script, "]"));
    }
    status = akin_text_append(w->script, "]");
done:
    return status;
}

static akin_status write_script(work *w, size_t first, size_t count) {
    akin_status status;
    char path[AKIN_GALLERY_NAME_SIZE];
    size_t k = akin_table_k(w->table);
    akin_text_clear(w->script);
    AKIN_TRY(akin_table_rows(w->table, first, count, w->neighbor, NULL, w->counts));
    AKIN_TRY(akin_text_append(w->script, "akin.shares(%zu,[", first));
    for (size_t i = 0; i < count; i++) {
        AKIN_TRY(akin_text_append(w->script, i > 0 ? ",\n" : "\n"));
        AKIN_TRY(append_shares(w, first + i, w->neighbor + i * k, (size_t)w->counts[i]));
    }
    AKIN_TRY(akin_text_append(w->script, "]);\n"));
    akin_gallery_name(path, "data/why", first / AKIN_GALLERY_LIST, ".js");
    status = akin_gallery_folder_put(w->folder, path, akin_text_bytes(w->script),
                                     akin_text_length(w->script));
done:
    return status;
}

static akin_status write_scripts(work *w) {
    akin_status status;
    size_t n = akin_table_items(w->table);
    w->neighbor = akin_mem_alloc(AKIN_GALLERY_LIST, akin_table_k(w->table) * sizeof *w->neighbor);
    w->counts = akin_mem_alloc(AKIN_GALLERY_LIST, sizeof *w->counts);
    if (!w->neighbor || !w->counts) return AKIN_FAILED;
    AKIN_TRY(akin_text_create(&w->script));
    AKIN_TRY(akin_gallery_folder_fan(w->folder, "data/why",
                                     (n + AKIN_GALLERY_LIST - 1) / AKIN_GALLERY_LIST));
    for (size_t first = 0; first < n; first += AKIN_GALLERY_LIST) {
        AKIN_TRY(
            write_script(w, first, n - first < AKIN_GALLERY_LIST ? n - first : AKIN_GALLERY_LIST));
        akin_comm_poll(w->comm);
    }
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
    if (akin_table_items(w->table) > MOST_BYTES / sizeof(float) / w->size) {
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
                             const char *embeddings, const char *results, akin_json **parts) {
    akin_status status = AKIN_OK;
    work w = {.comm = comm, .folder = folder, .table = table};
    char *beside = results ? akin_file_join(results, "embeddings.nc") : NULL;
    *parts = NULL;
    if (results && !beside) return AKIN_FAILED;
    if ((embeddings || beside) && !is_by_aspect(table) &&
        open_files(&w, embeddings ? embeddings : beside))
        status = share(&w, parts);
    else
        akin_error_clear(); /* the page does without */
    akin_embeddings_close(w.embeddings);
    akin_part_sharer_free(w.sharer);
    akin_model_free(w.model);
    akin_mem_free(w.rows);
    akin_mem_free(w.neighbor);
    akin_mem_free(w.counts);
    akin_text_free(w.script);
    akin_mem_free(beside);
    return status;
}
