/* image_jpeg: JPEG by TurboJPEG. */
#include "image_jpeg.h"
#include "image_color.h"
#include "image_jpeg_header.h"
#include <akin/mem.h>
#include <limits.h>
#include <string.h>
#include <turbojpeg.h>

bool akin_image_jpeg_matches(const uint8_t *bytes, size_t count) {
    return count >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

/* libjpeg warns about errors that it could repair. Most of them have lost part of the picture (a
 * truncated file ends in grey); these have not. */
static bool is_harmless(const char *message) {
    static const char *const parts[] = {"extraneous bytes", "unknown JFIF revision",
                                        "Unknown Adobe color transform", "Inconsistent progress",
                                        "Invalid SOS parameters"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(message, parts[i])) return true;
    return false;
}

static akin_status refuse(tjhandle handle) {
    const char *message = tjGetErrorStr2(handle);
    if (strstr(message, "emory"))
        return akin_error_set(AKIN_FAILED, "not enough memory to read a JPEG: %s", message);
    if (strstr(message, "remature end")) /* so libjpeg says too of zeros in the middle */
        return akin_error_set(AKIN_INPUT, "damaged JPEG: truncated, or overwritten in the middle");
    return akin_error_set(AKIN_INPUT, "damaged JPEG: %s", message);
}

/* The length of a side of `side` pixels when decoded to 1/reduction. */
static int reduced(int side, size_t reduction) {
    tjscalingfactor factor = {1, (int)reduction};
    return TJSCALED(side, factor);
}

static akin_status decompress(tjhandle handle, const uint8_t *bytes, size_t count, uint8_t *out,
                              int width, int height, int format) {
    int flags = TJFLAG_LIMITSCANS | TJFLAG_STOPONWARNING;
    unsigned long length = (unsigned long)count;
    if (tjDecompress2(handle, bytes, length, out, width, 0, height, format, flags) == 0)
        return AKIN_OK;
    if (tjGetErrorCode(handle) != TJERR_WARNING || !is_harmless(tjGetErrorStr2(handle)))
        return refuse(handle);
    flags = TJFLAG_LIMITSCANS;
    if (tjDecompress2(handle, bytes, length, out, width, 0, height, format, flags) == 0)
        return AKIN_OK;
    if (tjGetErrorCode(handle) != TJERR_WARNING || !is_harmless(tjGetErrorStr2(handle)))
        return refuse(handle);
    return AKIN_OK;
}

static akin_status paint(tjhandle handle, const uint8_t *bytes, size_t count,
                         const akin_jpeg_header *h, bool cmyk, akin_canvas *canvas) {
    size_t reduction = akin_canvas_reduction(canvas), pixel = cmyk ? 4 : 3;
    int width = reduced(h->width, reduction), height = reduced(h->height, reduction);
    akin_color_layout layout = cmyk ? AKIN_COLOR_CMYK_INVERTED : AKIN_COLOR_RGB;
    akin_status status = akin_canvas_begin(canvas, reduction);
    if (status != AKIN_OK) return status;
    uint8_t *out = akin_mem_alloc((size_t)width * (size_t)height, pixel);
    if (!out) return AKIN_FAILED;
    status = decompress(handle, bytes, count, out, width, height, cmyk ? TJPF_CMYK : TJPF_RGB);
    const akin_color *color = NULL;
    if (status == AKIN_OK && h->profile)
        color = akin_color_find(h->profile, h->profile_count, layout, h->components == 1);
    for (int y = 0; status == AKIN_OK && y < height; y++) {
        uint8_t *row = out + (size_t)y * (size_t)width * pixel;
        akin_color_convert(color, layout, row, (size_t)width, row);
        akin_canvas_row(canvas, (size_t)y, row);
    }
    akin_mem_free(out);
    return status;
}

static akin_status decode_with(tjhandle handle, const uint8_t *bytes, size_t count,
                               akin_jpeg_header *h, akin_canvas *canvas) {
    int subsampling, space = -1;
    /* TurboJPEG's answer counts if it has one; otherwise it only decodes what matches the size
     * found here. */
    if (tjDecompressHeader3(handle, bytes, (unsigned long)count, &h->width, &h->height,
                            &subsampling, &space) != 0) {
        const char *message = tjGetErrorStr2(handle);
        bool harmless = tjGetErrorCode(handle) == TJERR_WARNING && is_harmless(message);
        if (!harmless && (h->components == 0 || !strstr(message, "subsampling")))
            return refuse(handle);
    } else if (h->components == 0) {
        return akin_error_set(AKIN_INPUT,
                              "damaged JPEG: the file is truncated, or contains only tables");
    }
    akin_status status =
        akin_canvas_size(canvas, (uint64_t)h->width, (uint64_t)h->height, h->orientation);
    if (status != AKIN_OK) return status;
    bool cmyk = space == -1 ? h->components == 4 : space == TJCS_CMYK || space == TJCS_YCCK;
    return paint(handle, bytes, count, h, cmyk, canvas);
}

akin_status akin_image_jpeg_decode(const uint8_t *bytes, size_t count, akin_canvas *canvas) {
    if (count > INT_MAX) return akin_error_set(AKIN_INPUT, "a JPEG of more than 2 GiB");
    tjhandle handle = tjInitDecompress();
    if (!handle) return akin_error_set(AKIN_FAILED, "not enough memory to read a JPEG");
    akin_jpeg_header header;
    akin_jpeg_header_read(bytes, count, &header);
    akin_status status = decode_with(handle, bytes, count, &header, canvas);
    akin_jpeg_header_clear(&header);
    tjDestroy(handle);
    return status;
}

akin_status akin_image_jpeg_encode(const uint8_t *rgb, size_t width, size_t height, int quality,
                                   uint8_t **bytes, size_t *count) {
    akin_status status = AKIN_OK;
    *bytes = NULL;
    *count = 0;
    if (width == 0 || height == 0 || width > 65500 || height > 65500)
        return akin_error_set(AKIN_INPUT, "a JPEG has 1 to 65500 pixels per side, not %zux%zu",
                              width, height);
    unsigned char *jpeg = NULL;
    unsigned long length = 0;
    tjhandle handle = tjInitCompress();
    if (!handle) return akin_error_set(AKIN_FAILED, "not enough memory to write a JPEG");
    if (tjCompress2(handle, rgb, (int)width, 0, (int)height, TJPF_RGB, &jpeg, &length, TJSAMP_420,
                    quality, 0) != 0) {
        status = akin_error_set(AKIN_FAILED, "cannot make a JPEG: %s", tjGetErrorStr2(handle));
        goto done;
    }
    *bytes = akin_mem_alloc(length, 1);
    if (!*bytes) {
        status = AKIN_FAILED;
        goto done;
    }
    memcpy(*bytes, jpeg, length);
    *count = length;
done:
    tjFree(jpeg);
    tjDestroy(handle);
    return status;
}
