/* gallery_pictures: small pictures of the items. */
#include "gallery_pictures.h"
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/ids.h>
#include <akin/image.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/source.h>
#include <stdbool.h>
#include <string.h>

enum { JPEG_QUALITY = 85 };
#define NO_ITEM SIZE_MAX

struct akin_gallery_pictures {
    const char *kind; /* borrowed */
    akin_source *source;
    size_t items;
    size_t *item_of; /* [rows of the source]: the item shown by each, or NO_ITEM */
    bool *wanted;    /* [rows of the source] */
};

/* The context of akin_source_read's `each`. */
typedef struct {
    akin_comm *comm;
    const akin_gallery_pictures *pictures;
    akin_gallery_folder *folder;
    akin_gallery_size size;
    const akin_gallery_reuse *reuse;
    const akin_labels *labels;
    uint64_t *hashes; /* [items], hashes of the pictures' files; 0: unknown */
    uint8_t *missing;
    size_t done;
} writer;

void akin_gallery_pictures_free(akin_gallery_pictures *pictures) {
    if (!pictures) return;
    akin_source_close(pictures->source);
    akin_mem_free(pictures->item_of);
    akin_mem_free(pictures->wanted);
    akin_mem_free(pictures);
}

/* Finds every item's row, and marks those of this rank. */
static akin_status find_rows(akin_gallery_pictures *pictures, const akin_labels *labels,
                             size_t rank, size_t size) {
    size_t rows = akin_source_rows(pictures->source), lost = 0, first_lost = 0;
    bool of_targets = strcmp(pictures->kind, AKIN_GALLERY_OF_TARGETS) == 0;
    pictures->item_of = akin_mem_alloc(rows, sizeof *pictures->item_of);
    pictures->wanted = akin_mem_zalloc(rows, sizeof *pictures->wanted);
    if (!pictures->item_of || !pictures->wanted) return AKIN_FAILED;
    for (size_t row = 0; row < rows; row++) pictures->item_of[row] = NO_ITEM;
    for (size_t item = 0; item < pictures->items; item++) {
        size_t row = akin_source_find(pictures->source, akin_labels_id(labels, item));
        if (row == SIZE_MAX && lost++ == 0) first_lost = item;
        if (row == SIZE_MAX || item % size != rank) continue;
        pictures->item_of[row] = item;
        pictures->wanted[row] = true;
    }
    if (lost == 0) return AKIN_OK;
    return akin_error_set(AKIN_INPUT,
                          "%s lacks %zu of the table's %zu %s, such as \"%s\": give the "
                          "source of their catalogue",
                          of_targets ? "--target-source" : "the source", lost, pictures->items,
                          of_targets ? "targets" : "items", akin_labels_id(labels, first_lost));
}

akin_status akin_gallery_pictures_find(akin_comm *comm, const akin_source_params *sources,
                                       const char *kind, const akin_labels *labels,
                                       akin_gallery_pictures **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_gallery_pictures *pictures = akin_mem_zalloc(1, sizeof *pictures);
    AKIN_TRY(akin_agree(comm, pictures ? AKIN_OK : AKIN_FAILED));
    pictures->kind = kind;
    AKIN_TRY(akin_source_open(comm, sources, &pictures->source));
    pictures->items = akin_labels_count(labels);
    AKIN_TRY(akin_agree(comm, find_rows(pictures, labels, (size_t)akin_comm_rank(comm),
                                        (size_t)akin_comm_size(comm))));
    *out = pictures;
    pictures = NULL;
done:
    akin_gallery_pictures_free(pictures);
    return status;
}

static akin_status write_picture(const writer *w, size_t item, const uint8_t *bytes, size_t count) {
    akin_status status = AKIN_OK;
    uint8_t *rgb = NULL, *jpeg = NULL;
    size_t width = 0, height = 0, jpeg_count = 0;
    char name[AKIN_GALLERY_NAME_SIZE];
    AKIN_TRY(akin_image_thumbnail(bytes, count, w->size.side, w->size.max_pixels, &rgb, &width,
                                  &height));
    AKIN_TRY(akin_image_encode_jpeg(rgb, width, height, JPEG_QUALITY, &jpeg, &jpeg_count));
    akin_gallery_name(name, w->pictures->kind, item, ".jpg");
    AKIN_TRY(akin_gallery_folder_put(w->folder, name, jpeg, jpeg_count));
done:
    akin_mem_free(rgb);
    akin_mem_free(jpeg);
    return status;
}

/* Links the picture of an earlier gallery, if its file is unchanged. */
static akin_status reuse(const writer *w, size_t item, bool *done) {
    char name[AKIN_GALLERY_NAME_SIZE];
    akin_gallery_name(name, w->pictures->kind, item, ".jpg");
    return akin_gallery_reuse_take(w->reuse, akin_labels_id(w->labels, item), w->hashes[item],
                                   w->folder, name, done);
}

static akin_status make_picture(const writer *w, size_t item, const uint8_t *bytes, size_t count) {
    bool done = false;
    w->hashes[item] = akin_hash_64(bytes, count);
    akin_status status = reuse(w, item, &done);
    return status == AKIN_OK && !done ? write_picture(w, item, bytes, count) : status;
}

/* Handles one picture. An error in the file itself leaves a placeholder. */
static akin_status take_picture(void *context, size_t row, const uint8_t *bytes, size_t count,
                                const char *reason) {
    writer *w = context;
    size_t item = w->pictures->item_of[row];
    (void)reason;
    if (akin_comm_signalled())
        return akin_error_set(
            AKIN_INTERRUPTED,
            "interrupted: the previous gallery, if any, is unchanged; submit again");
    akin_status status = bytes ? make_picture(w, item, bytes, count) : AKIN_INPUT;
    if (status == AKIN_INPUT) {
        w->missing[item] = 1;
        w->hashes[item] = 0;
        status = AKIN_OK;
    }
    w->done++;
    akin_comm_poll(w->comm);
    akin_log_progress("gallery", "pictures", (double)w->done * akin_comm_size(w->comm),
                      (double)w->pictures->items);
    return status;
}

/* Combines the flags of all ranks. */
static akin_status share_missing(akin_comm *comm, uint8_t *missing, size_t items) {
    int64_t *flags = akin_mem_zalloc(items / 64 + 1, sizeof *flags);
    akin_status status = akin_agree(comm, flags ? AKIN_OK : AKIN_FAILED);
    if (status != AKIN_OK) goto done;
    for (size_t i = 0; i < items; i++)
        if (missing[i]) flags[i / 64] |= (int64_t)((uint64_t)1 << i % 64);
    akin_comm_sum_i64(comm, flags, items / 64 + 1); /* each bit is set by one rank at most */
    for (size_t i = 0; i < items; i++)
        missing[i] = (uint8_t)((uint64_t)flags[i / 64] >> i % 64 & 1);
done:
    akin_mem_free(flags);
    return status;
}

/* Reads the hashes of this rank's picture files from the catalogue: files with a picture in an
 * earlier gallery need not be read. Hashes are unknown if the catalogue is missing or unreadable.
 */
static akin_status reuse_by_catalog(writer *w, const char *catalog) {
    akin_status status = AKIN_OK;
    akin_ncfile *file = NULL;
    akin_ids *ids = NULL;
    uint64_t *hashes = NULL, failures = akin_mem_failures();
    if (!catalog || !akin_file_exists(catalog)) return AKIN_OK;
    AKIN_TRY(akin_ncfile_peek(catalog, "catalog", &file));
    AKIN_TRY(akin_ids_read(file, &ids));
    hashes = akin_mem_alloc(akin_ids_count(ids), sizeof *hashes);
    if (!hashes) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_ncfile_get(file, "content_hash", 0, akin_ids_count(ids), hashes));
    for (size_t row = 0; row < akin_source_rows(w->pictures->source); row++) {
        size_t item = w->pictures->item_of[row];
        bool done = false;
        if (item == NO_ITEM) continue;
        int64_t found = akin_ids_find(ids, akin_labels_id(w->labels, item));
        if (found < 0) continue;
        w->hashes[item] = hashes[found];
        AKIN_TRY(reuse(w, item, &done));
        if (done) w->pictures->wanted[row] = false, w->done++;
    }
done:
    if (status != AKIN_OK && akin_mem_failures() == failures && !ids) {
        akin_error_clear();
        status = AKIN_OK;
    }
    akin_mem_free(hashes);
    akin_ids_free(ids);
    akin_ncfile_close(file);
    return status;
}

/* Rank 0 gathers all hashes and writes the list. */
static akin_status write_list(writer *w) {
    akin_status status = AKIN_OK;
    akin_comm *comm = w->comm;
    size_t items = w->pictures->items;
    akin_comm_sum_i64(comm, (int64_t *)w->hashes, items); /* each is known on one rank at most */
    if (akin_comm_rank(comm) == 0)
        status =
            akin_gallery_reuse_write(w->folder, w->pictures->kind, &w->size, w->labels, w->hashes);
    return akin_agree(comm, status);
}

akin_status akin_gallery_pictures_write(akin_comm *comm, akin_gallery_pictures *pictures,
                                        akin_gallery_folder *folder, const akin_labels *labels,
                                        const akin_gallery_earlier *earlier,
                                        const akin_gallery_size *size, uint8_t *missing) {
    akin_status status = AKIN_OK, local = AKIN_OK;
    writer w = {.comm = comm,
                .pictures = pictures,
                .folder = folder,
                .size = *size,
                .reuse = earlier->reuse,
                .labels = labels,
                .missing = missing};
    memset(missing, 0, pictures->items);
    w.hashes = akin_mem_zalloc(pictures->items, sizeof *w.hashes);
    if (!w.hashes) local = AKIN_FAILED;
    if (local == AKIN_OK && akin_comm_rank(comm) == 0)
        local = akin_gallery_folder_fan(folder, pictures->kind, pictures->items);
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(akin_agree(comm, reuse_by_catalog(&w, earlier->catalog)));
    AKIN_TRY(
        akin_agree(comm, akin_source_read(pictures->source, pictures->wanted, take_picture, &w)));
    AKIN_TRY(write_list(&w));
    AKIN_TRY(share_missing(comm, missing, pictures->items));
    size_t lost = 0;
    for (size_t i = 0; i < pictures->items; i++) lost += missing[i];
    if (lost > 0)
        akin_log_warning(
            "gallery: %zu of %zu pictures cannot be read and are shown as a placeholder", lost,
            pictures->items);
done:
    akin_mem_free(w.hashes);
    akin_log_progress_end();
    return status;
}
