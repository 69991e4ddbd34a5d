/* image_jpeg: JPEG by TurboJPEG. */
#include "image_jpeg.h"
#include "image_exif.h"
#include <akin/mem.h>
#include <limits.h>
#include <string.h>
#include <turbojpeg.h>

/* What the markers before the first scan say. */
typedef struct {
    int width, height, components;
    int orientation;
} header;

bool akin_image_jpeg_matches(const uint8_t *bytes, size_t count) {
    return count >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

static bool is_frame(int marker) {
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* TurboJPEG's own header call refuses unusual chroma subsampling that its decoder reads well, and
 * knows no EXIF. */
static header read_header(const uint8_t *bytes, size_t count) {
    header h = {.orientation = 1};
    bool seen_exif = false;
    size_t at = 2;
    while (at + 4 <= count) {
        if (bytes[at] != 0xFF) {
            at++; /* bytes that belong nowhere: the decoder skips them too */
            continue;
        }
        int marker = bytes[at + 1];
        if (marker == 0xFF) {
            at++;
            continue;
        }
        if (marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
            at += 2;
            continue;
        }
        if (marker == 0xDA || marker == 0xD9) break;
        const uint8_t *segment = bytes + at + 4;
        size_t length = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (length < 2 || length > count - at - 2) break;
        if (is_frame(marker) && length >= 8) {
            h.height = segment[1] << 8 | segment[2];
            h.width = segment[3] << 8 | segment[4];
            h.components = segment[5];
        } else if (marker == 0xE1 && !seen_exif && length >= 16 &&
                   memcmp(segment, "Exif\0", 6) == 0) {
            seen_exif = true;
            h.orientation = akin_image_exif_orientation(segment, length - 2);
        }
        at += 2 + length;
    }
    return h;
}

/* libjpeg warns of what it could mend. Most of that has cost picture (a cut file ends in grey);
 * these have not. */
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
        return akin_error_set(AKIN_FAILED, "no memory to read a JPEG: %s", message);
    if (strstr(message, "remature end"))
        return akin_error_set(AKIN_INPUT, "damaged JPEG: the file is cut short");
    return akin_error_set(AKIN_INPUT, "damaged JPEG: %s", message);
}

/* How many pixels a side of `side` has when it is decoded to 1/reduction. */
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

/* Inverted CMYK, so that 255 is no ink, to RGB: in place, 4 bytes to 3. */
static void cmyk_to_rgb(uint8_t *pixels, size_t count) {
    const uint8_t *in = pixels;
    for (size_t i = 0; i < count; i++, in += 4, pixels += 3) {
        unsigned black = in[3];
        for (int c = 0; c < 3; c++) pixels[c] = (uint8_t)((in[c] * black + 127) / 255);
    }
}

static akin_status decode_with(tjhandle handle, const uint8_t *bytes, size_t count,
                               akin_canvas *canvas) {
    header h = read_header(bytes, count);
    int subsampling, space = -1;
    /* Where TurboJPEG can tell, its word counts; where not, it decodes only what fits the size
     * found here. */
    if (tjDecompressHeader3(handle, bytes, (unsigned long)count, &h.width, &h.height, &subsampling,
                            &space) != 0) {
        const char *message = tjGetErrorStr2(handle);
        bool harmless = tjGetErrorCode(handle) == TJERR_WARNING && is_harmless(message);
        if (!harmless && (h.components == 0 || !strstr(message, "subsampling")))
            return refuse(handle);
    } else if (h.components == 0) {
        return akin_error_set(AKIN_INPUT,
                              "damaged JPEG: the file is cut short, or holds tables alone");
    }
    akin_status status =
        akin_canvas_size(canvas, (uint64_t)h.width, (uint64_t)h.height, h.orientation);
    if (status != AKIN_OK) return status;
    size_t reduction = akin_canvas_reduction(canvas);
    bool cmyk = space == -1 ? h.components == 4 : space == TJCS_CMYK || space == TJCS_YCCK;
    int width = reduced(h.width, reduction), height = reduced(h.height, reduction);
    size_t pixel = cmyk ? 4 : 3;
    status = akin_canvas_begin(canvas, reduction);
    if (status != AKIN_OK) return status;
    uint8_t *out = akin_mem_alloc((size_t)width * (size_t)height, pixel);
    if (!out) return AKIN_FAILED;
    status = decompress(handle, bytes, count, out, width, height, cmyk ? TJPF_CMYK : TJPF_RGB);
    for (int y = 0; status == AKIN_OK && y < height; y++) {
        uint8_t *row = out + (size_t)y * (size_t)width * pixel;
        if (cmyk) cmyk_to_rgb(row, (size_t)width);
        akin_canvas_row(canvas, (size_t)y, row);
    }
    akin_mem_free(out);
    return status;
}

akin_status akin_image_jpeg_decode(const uint8_t *bytes, size_t count, akin_canvas *canvas) {
    if (count > INT_MAX) return akin_error_set(AKIN_INPUT, "a JPEG of more than 2 GiB");
    tjhandle handle = tjInitDecompress();
    if (!handle) return akin_error_set(AKIN_FAILED, "no memory to read a JPEG");
    akin_status status = decode_with(handle, bytes, count, canvas);
    tjDestroy(handle);
    return status;
}

akin_status akin_image_jpeg_encode(const uint8_t *rgb, size_t width, size_t height, int quality,
                                   uint8_t **bytes, size_t *count) {
    akin_status status = AKIN_OK;
    *bytes = NULL;
    *count = 0;
    if (width == 0 || height == 0 || width > 65500 || height > 65500)
        return akin_error_set(AKIN_INPUT, "a JPEG has 1 to 65500 pixels a side, not %zux%zu", width,
                              height);
    unsigned char *jpeg = NULL;
    unsigned long length = 0;
    tjhandle handle = tjInitCompress();
    if (!handle) return akin_error_set(AKIN_FAILED, "no memory to write a JPEG");
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
