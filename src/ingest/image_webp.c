/* image_webp: WebP by libwebp. */
#include "image_webp.h"
#include "image_color.h"
#include "image_exif.h"
#include <akin/mem.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

/* One coded picture and its position on the canvas. */
typedef struct {
    WebPData data;
    size_t canvas_width, canvas_height;
    size_t left, top, width, height;
    int orientation;
    const akin_color *color; /* borrowed, NULL = none */
} frame;

bool akin_image_webp_matches(const uint8_t *bytes, size_t count) {
    return count >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0;
}

static akin_status refuse(VP8StatusCode code) {
    static const char *const reasons[] = {
        [VP8_STATUS_INVALID_PARAM] = "its sizes do not match",
        [VP8_STATUS_BITSTREAM_ERROR] = "its data is corrupt",
        [VP8_STATUS_UNSUPPORTED_FEATURE] = "it uses an unsupported feature",
        [VP8_STATUS_SUSPENDED] = "the file is truncated",
        [VP8_STATUS_USER_ABORT] = "it was aborted",
        [VP8_STATUS_NOT_ENOUGH_DATA] = "the file is truncated",
    };
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return akin_error_set(AKIN_FAILED, "not enough memory to read a WebP");
    return akin_error_set(AKIN_INPUT, "damaged WebP: %s", reasons[code]);
}

/* The first frame of an animation, which need not cover the canvas. */
static akin_status find_first_frame(const WebPData *file, frame *f) {
    WebPDemuxer *demuxer = WebPDemux(file); /* needs the whole file, refuses a truncated one */
    if (!demuxer)
        return akin_error_set(AKIN_INPUT, "damaged WebP: the animation is truncated or corrupt");
    akin_status status = AKIN_OK;
    WebPIterator iterator;
    if (WebPDemuxGetFrame(demuxer, 1, &iterator)) {
        f->data = iterator.fragment; /* points into the file */
        f->canvas_width = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH);
        f->canvas_height = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
        f->left = (size_t)iterator.x_offset;
        f->top = (size_t)iterator.y_offset;
        f->width = (size_t)iterator.width;
        f->height = (size_t)iterator.height;
        WebPDemuxReleaseIterator(&iterator);
        if (f->left + f->width > f->canvas_width || f->top + f->height > f->canvas_height)
            status = akin_error_set(AKIN_INPUT, "damaged WebP: a frame lies outside the picture");
    } else {
        status = akin_error_set(AKIN_INPUT, "damaged WebP: an animation without a frame");
    }
    WebPDemuxDelete(demuxer);
    return status;
}

static bool find_chunk(const WebPDemuxer *demuxer, const char *name, WebPChunkIterator *chunk) {
    if (WebPDemuxGetChunk(demuxer, name, 1, chunk)) return true;
    WebPDemuxReleaseChunkIterator(chunk);
    return false;
}

/* The contents of the chunks other than the pixels. */
static void read_chunks(const WebPData *file, frame *f) {
    WebPChunkIterator chunk;
    WebPDemuxer *demuxer = WebPDemux(file);
    if (!demuxer) return;
    if (find_chunk(demuxer, "EXIF", &chunk)) {
        f->orientation = akin_image_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    if (find_chunk(demuxer, "ICCP", &chunk)) {
        f->color = akin_color_find(chunk.chunk.bytes, chunk.chunk.size, AKIN_COLOR_RGBA, false);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    WebPDemuxDelete(demuxer);
}

/* Checks the header before anything relies on it. */
static akin_status read_header(const uint8_t *bytes, size_t count, frame *f) {
    uint64_t riff =
        bytes[4] | (uint64_t)bytes[5] << 8 | (uint64_t)bytes[6] << 16 | (uint64_t)bytes[7] << 24;
    if (riff + 8 > count) return refuse(VP8_STATUS_NOT_ENOUGH_DATA);
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(bytes, count, &features);
    if (code != VP8_STATUS_OK) return refuse(code);
    *f = (frame){.data = {bytes, count}, .orientation = 1};
    read_chunks(&f->data, f);
    f->canvas_width = f->width = (size_t)features.width;
    f->canvas_height = f->height = (size_t)features.height;
    return features.has_animation ? find_first_frame(&f->data, f) : AKIN_OK;
}

/* libwebp halves a large picture itself, so that it is not in memory twice. */
static void set_reduction(WebPDecoderConfig *config, const frame *f, size_t reduction) {
    if (reduction == 1) return;
    config->options.use_scaling = 1;
    config->options.scaled_width = (int)(f->width / reduction);
    config->options.scaled_height = (int)(f->height / reduction);
}

/* Only whole reduced pixels, and only if a single frame is the whole picture. */
static size_t choose_reduction(const akin_canvas *canvas, const frame *f) {
    size_t reduction = akin_canvas_reduction(canvas);
    bool whole = f->width == f->canvas_width && f->height == f->canvas_height;
    if (!whole || f->width * f->height < ((size_t)1 << 22)) return 1;
    while (f->width % reduction || f->height % reduction) reduction /= 2;
    return reduction;
}

static akin_status paint(const frame *f, const WebPRGBABuffer *pixels, size_t reduction,
                         akin_canvas *canvas) {
    size_t width = f->canvas_width / reduction, height = f->canvas_height / reduction;
    size_t frame_width = f->width / reduction, frame_height = f->height / reduction;
    uint8_t *row = akin_mem_alloc(width, 3);
    if (!row) return AKIN_FAILED;
    memset(row, 255, width * 3);
    for (size_t y = 0; y < height; y++) {
        if (y >= f->top && y < f->top + frame_height) {
            uint8_t *from = pixels->rgba + (y - f->top) * (size_t)pixels->stride;
            akin_color_convert(f->color, AKIN_COLOR_RGBA, from, frame_width, from);
            akin_canvas_over_white(from, frame_width, row + f->left * 3);
        } else if (y == f->top + frame_height) {
            memset(row, 255, width * 3);
        }
        akin_canvas_row(canvas, y, row);
    }
    akin_mem_free(row);
    return AKIN_OK;
}

akin_status akin_image_webp_decode(const uint8_t *bytes, size_t count, akin_canvas *canvas) {
    frame f;
    akin_status status = read_header(bytes, count, &f);
    if (status != AKIN_OK) return status;
    status = akin_canvas_size(canvas, f.canvas_width, f.canvas_height, f.orientation);
    if (status != AKIN_OK) return status;
    size_t reduction = choose_reduction(canvas, &f);
    status = akin_canvas_begin(canvas, reduction);
    if (status != AKIN_OK) return status;
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return akin_error_set(AKIN_FAILED, "libwebp has a different version");
    config.output.colorspace = MODE_RGBA;
    set_reduction(&config, &f, reduction);
    VP8StatusCode code = WebPDecode(f.data.bytes, f.data.size, &config);
    status =
        code == VP8_STATUS_OK ? paint(&f, &config.output.u.RGBA, reduction, canvas) : refuse(code);
    WebPFreeDecBuffer(&config.output);
    return status;
}
