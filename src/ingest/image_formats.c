/* image_formats: see image_formats.h. */
#include "image_formats.h"
#include "image_bmp.h"
#include "image_canvas.h"
#include "image_gif.h"
#include "image_heif.h"
#include "image_jpeg.h"
#include "image_png.h"
#include "image_tiff.h"
#include "image_webp.h"
#include <akin/mem.h>
#include <string.h>
#include <strings.h>

/* fragile: not one of the libraries that read most of a web's pictures, or known to crash or to take
 * memory by what a damaged file claims. */
static const struct {
    bool (*matches)(const uint8_t *bytes, size_t count);
    akin_status (*decode)(const uint8_t *bytes, size_t count, akin_canvas *canvas);
    bool fragile;
} formats[] = {
    {akin_image_jpeg_matches, akin_image_jpeg_decode, false},
    {akin_image_png_matches, akin_image_png_decode, false},
    {akin_image_webp_matches, akin_image_webp_decode, false},
    {akin_image_heif_matches, akin_image_heif_decode, true},
    {akin_image_gif_matches, akin_image_gif_decode, true},
    {akin_image_tiff_matches, akin_image_tiff_decode, true},
    {akin_image_bmp_matches, akin_image_bmp_decode, true},
};

enum { FORMATS = sizeof formats / sizeof *formats };

#define KINDS "PNG, JPEG, WebP, AVIF, HEIC, GIF, TIFF or BMP"

/* Files found in catalogues that are not pictures we read; they are recognised so that the message
 * can name their kind. */
static const struct {
    size_t at;
    const char *magic, *name; /* letters of either case */
} others[] = {
    {0, "<?xml", "XML or SVG"},
    {0, "<svg", "SVG"},
    {0, "<!DOCTYPE html", "HTML"},
    {0, "<html", "HTML"},
    {0, "<!DOCTYPE svg", "SVG"},
    {0, "<!DOCTYPE", "HTML or XML"},
    {0, "<head", "HTML"},
    {0, "<body", "HTML"},
    {0, "%PDF", "PDF"},
    {0, "%!PS", "PostScript"},
    {0, "PK\003\004", "ZIP"},
    {0, "\x1f\x8b", "gzip"},
    {0, "8BPS", "Photoshop"},
    {4, "ftyp", "a film (MP4 or the like)"},
    {0, "\xff\x0a", "JPEG XL"},
    {4, "JXL \r\n", "JPEG XL"},
    {4, "jP  \r\n", "JPEG 2000"},
};

static bool is_at(const uint8_t *bytes, size_t count, size_t at, const char *magic) {
    size_t length = strlen(magic);
    return count >= at + length && strncasecmp((const char *)bytes + at, magic, length) == 0;
}

static akin_status refuse_unknown(const uint8_t *bytes, size_t count) {
    if (count == 0) return akin_error_set(AKIN_INPUT, "the file is empty");
    /* Pages may begin with a byte order mark and blanks. */
    size_t skip = is_at(bytes, count, 0, "\xEF\xBB\xBF") ? 3 : 0;
    while (skip < count && strchr(" \t\r\n", bytes[skip]) && bytes[skip]) skip++;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        size_t begin = others[i].magic[0] == '<' ? skip : 0;
        if (is_at(bytes + begin, count - begin, others[i].at, others[i].magic))
            return akin_error_set(AKIN_INPUT, "not a " KINDS " picture: it looks like %s",
                                  others[i].name);
    }
    return akin_error_set(AKIN_INPUT, "not a " KINDS " picture");
}

/* FORMATS: of none of them. */
static size_t format_of(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i].matches(bytes, count)) return i;
    return FORMATS;
}

bool akin_image_is_fragile(const uint8_t *bytes, size_t count) {
    size_t format = format_of(bytes, count);
    return format < FORMATS && formats[format].fragile;
}

static akin_status finish(const akin_canvas *canvas, akin_image_result *result) {
    bool own = !result->rgb;
    result->width = akin_canvas_width(canvas);
    result->height = akin_canvas_height(canvas);
    if (own) result->rgb = akin_mem_alloc(result->width * result->height, 3);
    if (!result->rgb) return AKIN_FAILED;
    akin_status status = akin_canvas_finish(canvas, result->rgb);
    if (status != AKIN_OK && own) {
        akin_mem_free(result->rgb);
        result->rgb = NULL;
    }
    return status;
}

akin_status akin_image_decode_here(const uint8_t *bytes, size_t count,
                                   const akin_image_params *params, const akin_image_view *view,
                                   akin_image_result *result) {
    akin_status status = AKIN_OK;
    akin_canvas *canvas = NULL;
    size_t format = format_of(bytes, count);
    if (format == FORMATS) return refuse_unknown(bytes, count);
    AKIN_TRY(akin_canvas_create(params, &canvas));
    if (view) akin_canvas_also(canvas, view);
    AKIN_TRY(formats[format].decode(bytes, count, canvas));
    if (view) AKIN_TRY(akin_canvas_finish_view(canvas, result->seen));
    AKIN_TRY(finish(canvas, result));
done:
    akin_canvas_free(canvas);
    return status;
}
