/* gallery_sides: names of two catalogues, and small pictures of the second. */
#include "gallery_sides.h"
#include "gallery_pictures.h"
#include <akin/catalog.h>
#include <akin/file.h>
#include <akin/ids.h>
#include <akin/image.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/options.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { QUALITY = 90 };

/* --- names --- */

static bool is_night(const char *name) {
    int year, month, day, length = 0;
    return strcmp(name, "latest") == 0 ||
           (sscanf(name, "%4d-%2d-%2d%n", &year, &month, &day, &length) == 3 &&
            (size_t)length == strlen(name));
}

/* How a user would call a file: by its name without the extension, or by the folder of the run that
 * it is in; changes the path. */
static const char *call(char *path) {
    static const char *const of_runs[] = {"embeddings.nc", "catalog.nc", "catalog.csv", "table.nc"};
    for (;;) {
        size_t length = strlen(path);
        while (length > 1 && path[length - 1] == '/') path[--length] = '\0';
        const char *name = akin_file_name(path);
        bool plain = !is_night(name) && strcmp(name, ".") != 0;
        for (size_t i = 0; i < sizeof of_runs / sizeof *of_runs && plain; i++)
            plain = strcmp(name, of_runs[i]) != 0;
        if (plain || name == path) break;
        path[name - path - 1] = '\0'; /* the parent folder */
    }
    char *name = path + (akin_file_name(path) - path), *dot = strrchr(name, '.');
    if (dot && dot > name && strlen(dot) <= 5) *dot = '\0';
    return name;
}

static akin_status name_after(const char *path, const char *otherwise, char **out) {
    char *copy = akin_mem_text(path);
    if (!copy) return AKIN_FAILED;
    const char *name = call(copy);
    *out = akin_mem_text(*name && strcmp(name, ".") != 0 && *name != '/' ? name : otherwise);
    akin_mem_free(copy);
    return *out ? AKIN_OK : AKIN_FAILED;
}

akin_status akin_gallery_name_items(const akin_gallery_params *params, char **out) {
    const char *after = params->results            ? params->results
                        : params->source.count > 0 ? params->source.names[0]
                                                   : "";
    if (!params->name) return name_after(after, "this catalogue", out);
    return (*out = akin_mem_text(params->name)) ? AKIN_OK : AKIN_FAILED;
}

/* The file that neighbours are from; owned, NULL = unknown. */
static akin_status find_against(const akin_table *table, char **out) {
    akin_status status;
    char *options = NULL, **words = NULL;
    size_t count = 0;
    *out = NULL;
    AKIN_TRY(akin_ncfile_get_attribute(akin_table_file(table), "akin_result_options", &options));
    AKIN_TRY(akin_options_recorded(options, &words, &count));
    const char *against = akin_options_after(words, count, "against=");
    if (against && !(*out = akin_mem_text(against))) status = AKIN_FAILED;
done:
    akin_options_free_words(words, count);
    akin_mem_free(options);
    return status;
}

akin_status akin_gallery_name_targets(const akin_gallery_params *params, const akin_table *table,
                                      char **out) {
    static const char other[] = "the other catalogue";
    akin_status status;
    char *path = NULL;
    if (params->target.name)
        return (*out = akin_mem_text(params->target.name)) ? AKIN_OK : AKIN_FAILED;
    AKIN_TRY(find_against(table, &path));
    status = name_after(path ? path : "", other, out);
done:
    akin_mem_free(path);
    return status;
}

/* --- pictures --- */

static akin_status write_one(const akin_catalog *catalog, akin_gallery_folder *folder, size_t row,
                             size_t target) {
    akin_status status;
    uint8_t rgb[AKIN_IMAGE_BYTES], *jpeg = NULL;
    size_t bytes = 0;
    char name[AKIN_GALLERY_NAME_SIZE];
    AKIN_TRY(akin_catalog_images(catalog, row, 1, rgb));
    AKIN_TRY(akin_image_encode_jpeg(rgb, AKIN_IMAGE_SIDE, AKIN_IMAGE_SIDE, QUALITY, &jpeg, &bytes));
    akin_gallery_name(name, AKIN_GALLERY_OF_TARGETS, target, ".jpg");
    status = akin_gallery_folder_put(folder, name, jpeg, bytes);
done:
    akin_mem_free(jpeg);
    return status;
}

/* Not collective. */
static akin_status write_own(akin_comm *comm, const akin_catalog *catalog,
                             akin_gallery_folder *folder, const akin_labels *labels,
                             const akin_ids *ids, uint8_t *missing) {
    akin_status status = AKIN_OK;
    size_t rank = (size_t)akin_comm_rank(comm), size = (size_t)akin_comm_size(comm);
    for (size_t t = 0; t < akin_labels_count(labels); t++) {
        int64_t row = akin_ids_find(ids, akin_labels_id(labels, t));
        missing[t] = row < 0;
        if (row < 0 || t % size != rank) continue;
        AKIN_TRY(write_one(catalog, folder, (size_t)row, t));
        akin_comm_poll(comm);
    }
done:
    return status;
}

akin_status akin_gallery_small_pictures(akin_comm *comm, const char *path,
                                        akin_gallery_folder *folder, const akin_labels *labels,
                                        uint8_t *missing) {
    akin_status status, local;
    akin_catalog *catalog = NULL;
    akin_ids *ids = NULL;
    AKIN_TRY(akin_catalog_open(comm, path, &catalog));
    local = akin_ids_read(akin_catalog_file(catalog), &ids);
    if (local == AKIN_OK && akin_comm_rank(comm) == 0)
        local = akin_gallery_folder_fan(folder, AKIN_GALLERY_OF_TARGETS, akin_labels_count(labels));
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(akin_agree(comm, write_own(comm, catalog, folder, labels, ids, missing)));
done:
    akin_ids_free(ids);
    akin_catalog_close(catalog);
    return status;
}
