/* gallery_strip: some pictures next to the network's reconstructions. */
#include "gallery_strip.h"
#include <akin/catalog.h>
#include <akin/file.h>
#include <akin/image.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <akin/network.h>
#include <math.h>
#include <string.h>

enum {
    SHOWN = 12, /* most pictures */
    SIDE = AKIN_IMAGE_SIDE,
    ROW = SIDE * AKIN_IMAGE_CHANNELS,
    GAP = 2,  /* pixels between two pictures */
    ZOOM = 2, /* magnification of each pixel: JPEG blurs the colours of single pixels */
    QUALITY = 95,
};
_Static_assert(SHOWN <= AKIN_NETWORK_MICRO_BATCH, "one micro-batch shows them all");

/* The data that one strip needs. */
typedef struct {
    akin_catalog *catalog;
    akin_model *model;
    akin_network *network;
    size_t count;
    uint8_t pictures[SHOWN * AKIN_IMAGE_BYTES], redrawn[SHOWN * AKIN_IMAGE_BYTES];
    float output[SHOWN * AKIN_IMAGE_BYTES];
} strip;

static akin_status open_file(akin_comm *comm, const char *results, const char *name, strip *s) {
    char *path = akin_file_join(results, name);
    if (!path) return AKIN_FAILED;
    akin_status status = AKIN_OK;
    if (!akin_file_exists(path))
        s->count = 0;
    else if (strcmp(name, "catalog.nc") == 0)
        status = akin_catalog_open(comm, path, &s->catalog);
    else
        status = akin_model_read(comm, path, &s->model);
    akin_mem_free(path);
    return status;
}

static akin_status redraw(strip *s) {
    akin_status status = AKIN_OK;
    size_t items[SHOWN], n = akin_catalog_items(s->catalog);
    s->count = n < SHOWN ? n : SHOWN;
    for (size_t i = 0; i < s->count; i++) items[i] = i * n / s->count;
    AKIN_TRY(akin_catalog_images_at(s->catalog, items, s->count, s->pictures));
    AKIN_TRY(akin_network_create(&s->network));
    akin_network_reconstruct(s->network, akin_model_weights(s->model), s->pictures, s->count,
                             s->output);
    for (size_t i = 0; i < s->count * AKIN_IMAGE_BYTES; i++)
        s->redrawn[i] = (uint8_t)(s->output[i] > 0 ? lrintf(255 * s->output[i]) : 0);
done:
    return status;
}

/* Copies picture i of a row, enlarged, to its place in rgb. */
static void place(const uint8_t *picture, size_t width, size_t x, size_t y, uint8_t *rgb) {
    for (size_t r = 0; r < SIDE * ZOOM; r++)
        for (size_t c = 0; c < SIDE * ZOOM; c++)
            memcpy(rgb + ((y + r) * width + x + c) * 3, picture + r / ZOOM * ROW + c / ZOOM * 3, 3);
}

static akin_status put(const strip *s, akin_gallery_folder *folder) {
    akin_status status = AKIN_OK;
    size_t step = SIDE * ZOOM + GAP, width = s->count * step - GAP, height = 2 * step - GAP,
           bytes = 0;
    uint8_t *jpeg = NULL, *rgb = akin_mem_alloc(width * height, 3);
    if (!rgb) return AKIN_FAILED;
    memset(rgb, 255, width * height * 3);
    for (size_t i = 0; i < s->count; i++) {
        place(s->pictures + i * AKIN_IMAGE_BYTES, width, i * step, 0, rgb);
        place(s->redrawn + i * AKIN_IMAGE_BYTES, width, i * step, step, rgb);
    }
    AKIN_TRY(akin_image_encode_jpeg(rgb, width, height, QUALITY, &jpeg, &bytes));
    AKIN_TRY(akin_gallery_folder_put(folder, "strip.jpg", jpeg, bytes));
done:
    akin_mem_free(jpeg);
    akin_mem_free(rgb);
    return status;
}

static akin_status copy_series(const double *series, size_t epochs, double **out) {
    *out = akin_mem_alloc(epochs, sizeof *series);
    if (!*out) return AKIN_FAILED;
    memcpy(*out, series, epochs * sizeof *series);
    return AKIN_OK;
}

static akin_status copy_curve(const akin_model *model, akin_gallery_learnt *out) {
    akin_status status;
    const double *loss, *holdout_loss;
    size_t epochs = akin_model_curve(model, &loss, &holdout_loss);
    AKIN_TRY(copy_series(loss, epochs, &out->loss));
    AKIN_TRY(copy_series(holdout_loss, epochs, &out->holdout_loss));
    if (akin_model_contrast_curve(model, &loss, &holdout_loss)) {
        AKIN_TRY(copy_series(loss, epochs, &out->contrast));
        AKIN_TRY(copy_series(holdout_loss, epochs, &out->holdout_contrast));
    }
    out->epochs = epochs;
done:
    return status;
}

void akin_gallery_learnt_free(akin_gallery_learnt *learnt) {
    akin_mem_free(learnt->loss);
    akin_mem_free(learnt->holdout_loss);
    akin_mem_free(learnt->contrast);
    akin_mem_free(learnt->holdout_contrast);
    *learnt = (akin_gallery_learnt){0};
}

akin_status akin_gallery_strip(akin_comm *comm, akin_gallery_folder *folder, const char *results,
                               akin_gallery_learnt *out) {
    akin_status status = AKIN_OK;
    *out = (akin_gallery_learnt){0};
    strip *s = results ? akin_mem_zalloc(1, sizeof *s) : NULL;
    if (!s) return results ? AKIN_FAILED : AKIN_OK;
    akin_comm *alone = akin_comm_alone(comm);
    s->count = SHOWN;
    status = open_file(alone, results, "catalog.nc", s);
    if (status == AKIN_OK) status = open_file(alone, results, "model.nc", s);
    bool network = s->model && akin_model_has_network(
                                   s->model); /* else there are no reconstructions and no curve */
    if (status == AKIN_OK && !network) s->count = 0;
    if (status == AKIN_OK && s->count > 0) status = redraw(s);
    if (status == AKIN_OK && network) status = copy_curve(s->model, out);
    if (status == AKIN_INPUT) {
        akin_log_warning("the gallery has no reconstructions: %s", akin_error_message());
        status = AKIN_OK;
        s->count = 0;
    }
    if (status == AKIN_OK && s->count > 0) {
        AKIN_TRY(put(s, folder));
        out->shown = s->count;
    }
done:
    akin_network_free(s->network);
    akin_model_free(s->model);
    akin_catalog_close(s->catalog);
    akin_mem_free(s);
    return status;
}
