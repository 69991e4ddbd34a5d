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
    char warning[200]; /* its first warning: newer versions refuse some files without a message */
    TIFF *file;
    akin_canvas *canvas;
    uint32_t width, height;
    int orientation;
    const uint8_t *profile; /* [profile_count], borrowed from libtiff; NULL = none */
    uint32_t profile_count;
    bool bad_profile; /* whether it has a profile that cannot be read */
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

static void keep_text(char kept[200], const char *text) {
    if (!*kept) snprintf(kept, 200, "%s", text);
}

static int on_error(TIFF *file, void *context, const char *module, const char *form,
                    va_list words) {
    (void)file;
    (void)module;
    char text[200];
    vsnprintf(text, sizeof text, form, words);
    keep_text(((job *)context)->message, text);
    return 1;
}

/* Most warnings are about tags that are not used here; those of an embedded JPEG are about missing
 * parts of the picture, and a profile that cannot be read is a broken one. */
static int on_warning(TIFF *file, void *context, const char *module, const char *form,
                      va_list words) {
    (void)file;
    job *j = context;
    char text[200];
    vsnprintf(text, sizeof text, form, words);
    keep_text(module && strstr(module, "JPEG") ? j->message : j->warning, text);
    if (strstr(text, "ICC Profile")) j->bad_profile = true;
    return 1;
}

/* --- the picture --- */

static akin_status refuse(const job *j) {
    const char *message = *j->message ? j->message : *j->warning ? j->warning : "it cannot be read";
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
    } else if (j->bad_profile) {
        akin_color_count_broken();
    }
    return akin_canvas_size(j->canvas, j->width, j->height, j->orientation);
}

static uint16_t number_of(const job *j, uint32_t tag) {
    uint16_t value = 0;
    TIFFGetFieldDefaulted(j->file, tag, &value);
    return value;
}

/* How many rows are decoded at once: a strip, or a row of tiles. */
static uint32_t band_of(const job *j) {
    uint32_t rows = 0;
    TIFFGetFieldDefaulted(j->file, TIFFIsTiled(j->file) ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP,
                          &rows);
    return rows == 0 || rows > j->height ? j->height : rows;
}

/* Samples that libtiff does not convert as needed: inks with a profile, CIELAB (libtiff knows no
 * white point other than the screen's), and grey with alpha (it drops 16-bit alpha, and takes 8-bit
 * alpha for premultiplied). */
typedef enum { OTHER, INKS, LAB, GREY_ALPHA } kind;

static kind kind_of(const job *j) {
    uint16_t bits = number_of(j, TIFFTAG_BITSPERSAMPLE), extras = 0, *types = NULL,
             samples = number_of(j, TIFFTAG_SAMPLESPERPIXEL);
    if (bits != 8 && bits != 16) return OTHER;
    TIFFGetFieldDefaulted(j->file, TIFFTAG_EXTRASAMPLES, &extras, &types);
    bool alpha = extras > 0 && types[0] != EXTRASAMPLE_UNSPECIFIED;
    switch (number_of(j, TIFFTAG_PHOTOMETRIC)) {
    case PHOTOMETRIC_SEPARATED: return j->profile && samples >= 4 ? INKS : OTHER;
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_ICCLAB: return samples >= 3 ? LAB : OTHER;
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MINISWHITE: return samples >= 2 && alpha ? GREY_ALPHA : OTHER;
    default: return OTHER;
    }
}

/* One tile or strip, of one plane or of all samples. */
typedef struct {
    uint8_t *bytes; /* [size], as libtiff gives it */
    tmsize_t size;
    uint32_t width, height;
    bool planar, tiled;
    size_t samples, wide; /* samples per pixel in it; bytes of each */
} block;

static block block_of(const job *j) {
    bool tiled = TIFFIsTiled(j->file);
    bool planar = number_of(j, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
    block b = {.size = tiled ? TIFFTileSize(j->file) : TIFFStripSize(j->file),
               .width = j->width,
               .height = band_of(j),
               .tiled = tiled,
               .planar = planar,
               .samples = planar ? 1 : number_of(j, TIFFTAG_SAMPLESPERPIXEL),
               .wide = number_of(j, TIFFTAG_BITSPERSAMPLE) / 8};
    if (tiled) TIFFGetField(j->file, TIFFTAG_TILEWIDTH, &b.width);
    return b;
}

/* Copies the pixels of a block that lie in rows [0, rows) and in the picture to out [rows, width,
 * used], starting at column x: the sample of a plane, or the first `used` samples. */
static void place_block(const job *j, const block *b, uint32_t x, uint32_t rows, size_t plane,
                        size_t used, uint16_t *out) {
    uint32_t columns = b->width < j->width - x ? b->width : j->width - x;
    size_t count = b->planar ? 1 : used;
    for (uint32_t row = 0; row < rows; row++)
        for (uint32_t column = 0; column < columns; column++) {
            const uint8_t *from =
                b->bytes + ((size_t)row * b->width + column) * b->samples * b->wide;
            uint16_t *to = out + ((size_t)row * j->width + x + column) * used + plane;
            for (size_t i = 0; i < count; i++) {
                if (b->wide == 2)
                    memcpy(to + i, from + 2 * i, 2);
                else
                    to[i] = (uint16_t)(from[i] * 257);
            }
        }
}

/* The first `used` samples, with 16 bits, of rows [y, y + rows): out [rows, width, used]. */
static akin_status read_samples(job *j, const block *b, uint32_t y, uint32_t rows, size_t used,
                                uint16_t *out) {
    for (uint16_t plane = 0; plane < (b->planar ? used : 1); plane++)
        for (uint32_t x = 0; x < j->width; x += b->width) {
            tmsize_t got =
                b->tiled ? TIFFReadEncodedTile(j->file, TIFFComputeTile(j->file, x, y, 0, plane),
                                               b->bytes, b->size)
                         : TIFFReadEncodedStrip(j->file, TIFFComputeStrip(j->file, y, plane),
                                                b->bytes, b->size);
            size_t needed = (size_t)rows * b->width * b->samples * b->wide;
            if (got < 0 || (size_t)got < needed || *j->message) return refuse(j);
            place_block(j, b, x, rows, plane, used, out);
        }
    return AKIN_OK;
}

static uint8_t eight_bits(uint16_t value) {
    return (uint8_t)((value + 128) / 257);
}

/* a and b of CIELAB are signed; 16-bit values are 256 times the 8-bit ones, except for L. half:
 * added for rounding; 0: the samples had 8 bits. */
static void take_lab(const uint16_t *from, size_t width, bool is_signed, unsigned half,
                     uint8_t *out) {
    for (size_t i = 0; i < width * 3; i++) {
        unsigned value = i % 3 > 0 && is_signed ? from[i] ^ 0x8000u : from[i];
        unsigned byte = (value + half) / 256;
        out[i] = i % 3 == 0 && is_signed ? eight_bits(from[i]) : (uint8_t)(byte > 255 ? 255 : byte);
    }
}

static void take_grey(const uint16_t *from, size_t width, bool inverted, uint8_t *rgba) {
    for (size_t x = 0; x < width; x++) {
        uint8_t level = eight_bits(from[2 * x]);
        memset(rgba + 4 * x, inverted ? 255 - level : level, 3);
        rgba[4 * x + 3] = eight_bits(from[2 * x + 1]);
    }
}

/* One row of samples; line: room for 4 bytes per pixel. */
static void paint_samples(job *j, kind k, const akin_color *color, const uint16_t *from, uint32_t y,
                          uint8_t *line) {
    uint16_t photometric = number_of(j, TIFFTAG_PHOTOMETRIC), extras = 0, *types = NULL;
    if (k == GREY_ALPHA) {
        take_grey(from, j->width, photometric == PHOTOMETRIC_MINISWHITE, line);
        TIFFGetFieldDefaulted(j->file, TIFFTAG_EXTRASAMPLES, &extras, &types);
        if (types[0] == EXTRASAMPLE_ASSOCALPHA) akin_canvas_straighten(line, j->width);
        akin_color_convert(color, AKIN_COLOR_RGBA, line, j->width, line);
        akin_canvas_over_white(line, j->width, line);
    } else if (k == LAB) {
        take_lab(from, j->width, photometric == PHOTOMETRIC_CIELAB,
                 number_of(j, TIFFTAG_BITSPERSAMPLE) == 16 ? 128 : 0, line);
        akin_color_convert(color, AKIN_COLOR_LAB, line, j->width, line);
    } else {
        for (size_t i = 0; i < (size_t)j->width * 4; i++) line[i] = eight_bits(from[i]);
        akin_color_convert(color, AKIN_COLOR_CMYK, line, j->width, line);
    }
    akin_canvas_row(j->canvas, y, line);
}

static akin_status paint_kind(job *j, kind k, const akin_color *color) {
    akin_status status = AKIN_OK;
    size_t used = k == INKS ? 4 : k == LAB ? 3 : 2;
    block b = block_of(j);
    if (b.size <= 0 || b.width == 0) return refuse(j);
    if (b.size > ONE_BLOCK) /* libtiff's own limit, for a size that the header merely claims */
        return akin_error_set(AKIN_INPUT, "damaged TIFF, or one that needs too much memory: its "
                                          "tiles or strips are larger than 1 GiB");
    uint16_t *samples = akin_mem_zalloc((size_t)b.height * j->width, used * sizeof *samples);
    uint8_t *line = akin_mem_alloc(j->width, 4);
    b.bytes = akin_mem_alloc((size_t)b.size, 1);
    if (!samples || !line || !b.bytes) {
        status = AKIN_FAILED;
        goto done;
    }
    for (uint32_t y = 0; y < j->height; y += b.height) {
        uint32_t rows = b.height < j->height - y ? b.height : j->height - y;
        AKIN_TRY(read_samples(j, &b, y, rows, used, samples));
        for (uint32_t i = 0; i < rows; i++)
            paint_samples(j, k, color, samples + (size_t)i * j->width * used, y + i, line);
    }
done:
    akin_mem_free(samples);
    akin_mem_free(line);
    akin_mem_free(b.bytes);
    return status;
}

/* Converts libtiff's pixels to bytes: one word per pixel, red in the lowest byte, colours
 * premultiplied by alpha. */
static void paint_band(job *j, const akin_color *color, const uint32_t *raster, uint32_t y,
                       uint32_t rows, uint8_t *rgba) {
    uint16_t extras = 0, *types = NULL;
    TIFFGetFieldDefaulted(j->file, TIFFTAG_EXTRASAMPLES, &extras, &types);
    /* libtiff takes a fourth sample for alpha even if the file says that it is something else. */
    bool opaque = extras > 0 && types[0] == EXTRASAMPLE_UNSPECIFIED;
    for (uint32_t i = 0; i < rows; i++, raster += j->width) {
        for (size_t x = 0; x < j->width; x++) {
            rgba[4 * x] = (uint8_t)TIFFGetR(raster[x]);
            rgba[4 * x + 1] = (uint8_t)TIFFGetG(raster[x]);
            rgba[4 * x + 2] = (uint8_t)TIFFGetB(raster[x]);
            rgba[4 * x + 3] = opaque ? UINT8_MAX : (uint8_t)TIFFGetA(raster[x]);
        }
        akin_canvas_straighten(rgba, j->width);
        akin_color_convert(color, AKIN_COLOR_RGBA, rgba, j->width, rgba);
        akin_canvas_over_white(rgba, j->width, rgba);
        akin_canvas_row(j->canvas, y + i, rgba);
    }
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
    image.orientation = image.req_orientation = ORIENTATION_TOPLEFT; /* left to the canvas */
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

/* libtiff would take the bits for unsigned numbers */
static akin_status check_samples(const job *j) {
    uint16_t form = number_of(j, TIFFTAG_SAMPLEFORMAT);
    bool any = form == SAMPLEFORMAT_UINT || form == SAMPLEFORMAT_VOID;
    switch (number_of(j, TIFFTAG_PHOTOMETRIC)) {
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_LOGL:
    case PHOTOMETRIC_LOGLUV: any = true; break;
    default: break;
    }
    return any ? AKIN_OK
               : akin_error_set(AKIN_INPUT, "a TIFF with signed or floating-point samples, which "
                                            "is not read; save it with 8 or 16 bits");
}

static const akin_color *color_of(const job *j, kind k) {
    switch (k) {
    case INKS: return akin_color_find(j->profile, j->profile_count, AKIN_COLOR_CMYK, false);
    case LAB: return akin_color_find_lab();
    case GREY_ALPHA:
        return j->profile ? akin_color_find(j->profile, j->profile_count, AKIN_COLOR_RGBA, true)
                          : NULL;
    case OTHER: break;
    }
    return NULL;
}

akin_status akin_image_tiff_decode(const uint8_t *bytes, size_t count, akin_canvas *canvas) {
    akin_status status;
    job j = {.bytes = bytes, .count = count, .canvas = canvas};
    AKIN_TRY(open_file(&j));
    AKIN_TRY(read_header(&j));
    AKIN_TRY(check_samples(&j));
    AKIN_TRY(akin_canvas_begin(canvas, 1));
    kind k = kind_of(&j);
    const akin_color *color = color_of(&j, k);
    AKIN_TRY(k == GREY_ALPHA || color ? paint_kind(&j, k, color) : paint(&j));
done:
    if (j.file) TIFFClose(j.file);
    return status;
}
