/* image: the table of formats. */
#include "image_bmp.h"
#include "image_gif.h"
#include "image_heif.h"
#include "image_jpeg.h"
#include "image_png.h"
#include "image_tiff.h"
#include "image_webp.h"
#include <akin/image.h>
#include <akin/mem.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const struct {
    bool (*matches)(const uint8_t *bytes, size_t count);
    akin_status (*decode)(const uint8_t *bytes, size_t count, akin_canvas *canvas);
} formats[] = {
    {akin_image_jpeg_matches, akin_image_jpeg_decode},
    {akin_image_png_matches, akin_image_png_decode},
    {akin_image_webp_matches, akin_image_webp_decode},
    {akin_image_heif_matches, akin_image_heif_decode},
    {akin_image_gif_matches, akin_image_gif_decode},
    {akin_image_tiff_matches, akin_image_tiff_decode},
    {akin_image_bmp_matches, akin_image_bmp_decode},
};

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

static akin_status decode(const uint8_t *bytes, size_t count, akin_canvas *canvas) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].matches(bytes, count)) return formats[i].decode(bytes, count, canvas);
    return refuse_unknown(bytes, count);
}

akin_status akin_image_decode_both(const uint8_t *bytes, size_t count,
                                   const akin_image_params *params, uint8_t *rgb,
                                   const akin_image_view *view, uint8_t *seen) {
    akin_status status = AKIN_OK;
    akin_canvas *canvas = NULL;
    AKIN_ASSERT(params->fit != AKIN_FIT_WITHIN);
    AKIN_TRY(akin_canvas_create(params, &canvas));
    if (view) akin_canvas_also(canvas, view);
    AKIN_TRY(decode(bytes, count, canvas));
    AKIN_TRY(akin_canvas_finish(canvas, rgb));
    if (view) AKIN_TRY(akin_canvas_finish_view(canvas, seen));
done:
    akin_canvas_free(canvas);
    return status;
}

akin_status akin_image_decode(const uint8_t *bytes, size_t count, const akin_image_params *params,
                              uint8_t *rgb) {
    return akin_image_decode_both(bytes, count, params, rgb, NULL, NULL);
}

akin_status akin_image_thumbnail(const uint8_t *bytes, size_t count, size_t side,
                                 uint64_t max_pixels, uint8_t **rgb, size_t *width,
                                 size_t *height) {
    akin_status status = AKIN_OK;
    akin_canvas *canvas = NULL;
    akin_image_params params = {
        .width = side, .height = side, .fit = AKIN_FIT_WITHIN, .max_pixels = max_pixels};
    *rgb = NULL;
    AKIN_TRY(akin_canvas_create(&params, &canvas));
    AKIN_TRY(decode(bytes, count, canvas));
    *width = akin_canvas_width(canvas);
    *height = akin_canvas_height(canvas);
    *rgb = akin_mem_alloc(*width * *height, 3);
    if (!*rgb) {
        status = AKIN_FAILED;
        goto done;
    }
    AKIN_TRY(akin_canvas_finish(canvas, *rgb));
done:
    akin_canvas_free(canvas);
    if (status != AKIN_OK) {
        akin_mem_free(*rgb);
        *rgb = NULL;
    }
    return status;
}

akin_status akin_image_encode_jpeg(const uint8_t *rgb, size_t width, size_t height, int quality,
                                   uint8_t **bytes, size_t *count) {
    return akin_image_jpeg_encode(rgb, width, height, quality, bytes, count);
}
