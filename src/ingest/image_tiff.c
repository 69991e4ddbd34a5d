/* image_tiff: TIFF by libtiff, a strip or a row of tiles at a time. */
#include "image_tiff.h"
#include "image_color.h"
#include <akin/mem.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <tiffio.h>

enum { ONE_BLOCK = 1 << 30 }; /* bytes that libtiff may allocate at once */

typedef struct {
    const uint8_t *bytes;
    toff_t count, at;
    char message[200]; /* libtiff's first message; "" = none */
    TIFF *file;
    akin_canvas *canvas;
    uint32_t width, height;
    int orientation;
    const uint8_t *profile; /* [profile_count], borrowed from libtiff; NULL = none */
    uint32_t profile_count;
} job;

bool akin_image_tiff_matches(const uint8_t *bytes, size_t count) {
    static const char magic[4][5] = {"II*\0", "MM\0*", "II+\0", "MM\0+"};
    for (size_t i = 0; i < sizeof magic / sizeof *magic; i++)
        if (count >= 8 && memcmp(bytes, magic[i], 4) == 0) return true;
    return false;
}

/* --- a file in memory --- */

static tmsize_t on_read(thandle_t handle, void *out, tmsize_t count) {
    job *j = handle;
    toff_t left = j->at < j->count ? j->count - j->at : 0;
    toff_t take = count < 0 ? 0 : (toff_t)count < left ? (toff_t)count : left;
    if (take > 0) memcpy(out, j->bytes + j->at, take);
    j->at += take;
    return (tmsize_t)take;
}

static tmsize_t on_write(thandle_t handle, void *bytes, tmsize_t count) {
    (void)handle;
    (void)bytes;
    (void)count;
    return -1;
}

static toff_t on_seek(thandle_t handle, toff_t to, int whence) {
    job *j = handle;
    j->at = whence == SEEK_SET ? to : whence == SEEK_CUR ? j->at + to : j->count + to;
    return j->at;
}

static int on_close(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t on_size(thandle_t handle) {
    return ((job *)handle)->count;
}

static int on_map(thandle_t handle, void **base, toff_t *count) {
    job *j = handle;
    *base = (void *)(uintptr_t)j->bytes; /* libtiff only reads it */
    *count = j->count;
    return 1;
}

static void on_unmap(thandle_t handle, void *base, toff_t count) {
    (void)handle;
    (void)base;
    (void)count;
}

static void keep_message(job *j, const char *form, va_list words) {
    if (!*j->message) vsnprintf(j->message, sizeof j->message, form, words);
}

static int on_error(TIFF *file, void *context, const char *module, const char *form,
                    va_list words) {
    (void)file;
    (void)module;
    keep_message(context, form, words);
    return 1;
}

/* Most warnings concern tags that nobody reads; warnings of an embedded JPEG concern missing
 * parts of the picture. */
static int on_warning(TIFF *file, void *context, const char *module, const char *form,
                      va_list words) {
    (void)file;
    if (module && strstr(module, "JPEG")) keep_message(context, form, words);
    return 1;
}

/* --- the picture --- */

static akin_status refuse(const job *j) {
    const char *message = *j->message ? j->message : "it cannot be read";
    if (strstr(message, "emory"))
        return akin_error_set(AKIN_INPUT, "damaged TIFF, or one that needs too much memory: %s",
                              message);
    return akin_error_set(AKIN_INPUT, "damaged TIFF, or an unsupported kind: %s", message);
}

static akin_status open_file(job *j) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return akin_error_set(AKIN_FAILED, "not enough memory to read a TIFF");
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, ONE_BLOCK);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, j);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, j);
    j->file = TIFFClientOpenExt("picture", "r", j, on_read, on_write, on_seek, on_close, on_size,
                                on_map, on_unmap, options);
    TIFFOpenOptionsFree(options);
    return j->file ? AKIN_OK : refuse(j);
}

static akin_status read_header(job *j) {
    uint16_t orientation = ORIENTATION_TOPLEFT;
    uint32_t count = 0;
    void *profile = NULL;
    if (!TIFFGetField(j->file, TIFFTAG_IMAGEWIDTH, &j->width) ||
        !TIFFGetField(j->file, TIFFTAG_IMAGELENGTH, &j->height))
        return akin_error_set(AKIN_INPUT, "damaged TIFF: it has no size");
    TIFFGetFieldDefaulted(j->file, TIFFTAG_ORIENTATION, &orientation);
    j->orientation = orientation;
    if (TIFFGetField(j->file, TIFFTAG_ICCPROFILE, &count, &profile) && count > 0) {
        j->profile = profile;
        j->profile_count = count;
    }
    return akin_canvas_size(j->canvas, j->width, j->height, j->orientation);
}

static uint16_t number_of(const job *j, uint32_t tag) {
    uint16_t value = 0;
    TIFFGetFieldDefaulted(j->file, tag, &value);
    return value;
}

/* CMYK with a profile of its own, in a layout that can be converted directly. */
static bool has_profiled_inks(const job *j) {
    uint16_t bits = number_of(j, TIFFTAG_BITSPERSAMPLE);
    return j->profile && number_of(j, TIFFTAG_PHOTOMETRIC) == PHOTOMETRIC_SEPARATED &&
           number_of(j, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_CONTIG && (bits == 8 || bits == 16) &&
           number_of(j, TIFFTAG_SAMPLESPERPIXEL) >= 4 && !TIFFIsTiled(j->file);
}

/* Rows of CMYK as stored, each converted. */
static akin_status paint_inks(job *j, const akin_color *color) {
    akin_status status = AKIN_OK;
    size_t samples = number_of(j, TIFFTAG_SAMPLESPERPIXEL),
           wide = number_of(j, TIFFTAG_BITSPERSAMPLE) / 8;
    size_t length = (size_t)TIFFScanlineSize(j->file);
    uint8_t *row = akin_mem_zalloc(length, 1), *inks = akin_mem_alloc(j->width, 4);
    if (!row || !inks || length < (size_t)j->width * samples * wide) {
        status = row && inks ? refuse(j) : AKIN_FAILED;
        goto done;
    }
    for (uint32_t y = 0; y < j->height; y++) {
        if (TIFFReadScanline(j->file, row, y, 0) != 1 || *j->message) {
            status = refuse(j);
            goto done;
        }
        for (size_t x = 0; x < j->width; x++)
            for (size_t c = 0; c < 4; c++) {
                uint16_t value;
                const uint8_t *from = row + (x * samples + c) * wide;
                memcpy(&value, from, wide);
                inks[x * 4 + c] = wide == 2 ? (uint8_t)((value + 128) / 257) : *from;
            }
        akin_color_convert(color, AKIN_COLOR_CMYK, inks, j->width, inks);
        akin_canvas_row(j->canvas, y, inks);
    }
done:
    akin_mem_free(row);
    akin_mem_free(inks);
    return status;
}

/* libtiff's pixels, a word each with red lowest and colours premultiplied by alpha, as bytes. */
static void paint_band(job *j, const akin_color *color, const uint32_t *raster, uint32_t y,
                       uint32_t rows, uint8_t *rgba) {
    for (uint32_t i = 0; i < rows; i++, raster += j->width) {
        for (size_t x = 0; x < j->width; x++) {
            rgba[4 * x] = (uint8_t)TIFFGetR(raster[x]);
            rgba[4 * x + 1] = (uint8_t)TIFFGetG(raster[x]);
            rgba[4 * x + 2] = (uint8_t)TIFFGetB(raster[x]);
            rgba[4 * x + 3] = (uint8_t)TIFFGetA(raster[x]);
        }
        akin_canvas_straighten(rgba, j->width);
        akin_color_convert(color, AKIN_COLOR_RGBA, rgba, j->width, rgba);
        akin_canvas_over_white(rgba, j->width, rgba);
        akin_canvas_row(j->canvas, y + i, rgba);
    }
}

/* How many rows are decoded at once: a strip, or a row of tiles. */
static uint32_t band_of(const job *j) {
    uint32_t rows = 0;
    TIFFGetFieldDefaulted(j->file, TIFFIsTiled(j->file) ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP,
                          &rows);
    return rows == 0 || rows > j->height ? j->height : rows;
}

static akin_status paint(job *j) {
    akin_status status = AKIN_OK;
    TIFFRGBAImage image;
    uint16_t photometric = number_of(j, TIFFTAG_PHOTOMETRIC);
    bool grey = photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE;
    const akin_color *color = NULL;
    if (j->profile && photometric != PHOTOMETRIC_SEPARATED)
        color = akin_color_find(j->profile, j->profile_count, AKIN_COLOR_RGBA, grey);
    char why[1024] = ""; /* the size that libtiff writes */
    if (!TIFFRGBAImageBegin(&image, j->file, 1, why)) {
        if (!*j->message) snprintf(j->message, sizeof j->message, "%.199s", why);
        return refuse(j);
    }
    uint32_t band = band_of(j);
    uint32_t *raster = akin_mem_zalloc((size_t)j->width * band, sizeof *raster);
    uint8_t *rgba = akin_mem_alloc(j->width, 4);
    image.orientation = image.req_orientation = ORIENTATION_TOPLEFT; /* the canvas turns it */
    if (!raster || !rgba) status = AKIN_FAILED;
    for (uint32_t y = 0; y < j->height && status == AKIN_OK; y += band) {
        uint32_t rows = band < j->height - y ? band : j->height - y;
        image.row_offset = (int)y;
        if (!TIFFRGBAImageGet(&image, raster, j->width, rows) || *j->message)
            status = refuse(j);
        else
            paint_band(j, color, raster, y, rows, rgba);
    }
    TIFFRGBAImageEnd(&image);
    akin_mem_free(raster);
    akin_mem_free(rgba);
    return status;
}

akin_status akin_image_tiff_decode(const uint8_t *bytes, size_t count, akin_canvas *canvas) {
    akin_status status;
    job j = {.bytes = bytes, .count = count, .canvas = canvas};
    const akin_color *inks = NULL;
    AKIN_TRY(open_file(&j));
    AKIN_TRY(read_header(&j));
    AKIN_TRY(akin_canvas_begin(canvas, 1));
    if (has_profiled_inks(&j))
        inks = akin_color_find(j.profile, j.profile_count, AKIN_COLOR_CMYK, false);
    AKIN_TRY(inks ? paint_inks(&j, inks) : paint(&j));
done:
    if (j.file) TIFFClose(j.file);
    return status;
}
