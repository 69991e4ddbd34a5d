/* image_gif: GIF by giflib, a line at a time. */
#include "image_gif.h"
#include <akin/mem.h>
#include <gif_lib.h>
#include <string.h>

typedef struct {
    const uint8_t *bytes;
    size_t count, at;
} input;

typedef struct {
    size_t width, height; /* of the whole picture */
    size_t left, top, frame_width, frame_height;
    bool interlaced;
    const ColorMapObject *colors;
    int clear; /* index of the transparent colour; -1 = none */
} layout;

bool akin_image_gif_matches(const uint8_t *bytes, size_t count) {
    return count >= 6 && (memcmp(bytes, "GIF87a", 6) == 0 || memcmp(bytes, "GIF89a", 6) == 0);
}

static int on_read(GifFileType *gif, GifByteType *out, int count) {
    input *in = gif->UserData;
    size_t left = in->count - in->at, take = (size_t)count < left ? (size_t)count : left;
    memcpy(out, in->bytes + in->at, take);
    in->at += take;
    return (int)take;
}

static akin_status refuse(const input *in, int code) {
    const char *message = GifErrorString(code);
    if (code == D_GIF_ERR_NOT_ENOUGH_MEM)
        return akin_error_set(AKIN_FAILED, "not enough memory to read a GIF");
    if (in->at == in->count)
        return akin_error_set(AKIN_INPUT, "damaged GIF: the file is truncated");
    return akin_error_set(AKIN_INPUT, "damaged GIF: %s", message ? message : "broken data");
}

/* The blocks before the first picture: only its transparent colour matters. */
static akin_status read_extension(GifFileType *gif, const input *in, layout *l) {
    int kind;
    GifByteType *block;
    GraphicsControlBlock control;
    if (DGifGetExtension(gif, &kind, &block) == GIF_ERROR) return refuse(in, gif->Error);
    if (block && kind == GRAPHICS_EXT_FUNC_CODE &&
        DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
        l->clear = control.TransparentColor;
    while (block)
        if (DGifGetExtensionNext(gif, &block) == GIF_ERROR) return refuse(in, gif->Error);
    return AKIN_OK;
}

static akin_status find_picture(GifFileType *gif, const input *in, layout *l) {
    l->clear = NO_TRANSPARENT_COLOR;
    for (;;) {
        GifRecordType record;
        if (DGifGetRecordType(gif, &record) == GIF_ERROR) return refuse(in, gif->Error);
        if (record == TERMINATE_RECORD_TYPE)
            return akin_error_set(AKIN_INPUT, "damaged GIF: it contains no picture");
        if (record == IMAGE_DESC_RECORD_TYPE) break;
        if (record != EXTENSION_RECORD_TYPE) continue;
        akin_status status = read_extension(gif, in, l);
        if (status != AKIN_OK) return status;
    }
    if (DGifGetImageHeader(gif) == GIF_ERROR) return refuse(in, gif->Error);
    const GifImageDesc *frame = &gif->Image;
    if (frame->Left < 0 || frame->Top < 0 || frame->Width <= 0 || frame->Height <= 0)
        return akin_error_set(AKIN_INPUT, "damaged GIF: the picture has no pixels");
    l->left = (size_t)frame->Left;
    l->top = (size_t)frame->Top;
    l->frame_width = (size_t)frame->Width;
    l->frame_height = (size_t)frame->Height;
    l->interlaced = frame->Interlace;
    l->colors = frame->ColorMap ? frame->ColorMap : gif->SColorMap;
    if (!l->colors) return akin_error_set(AKIN_INPUT, "damaged GIF: it has no palette");
    /* A picture that extends beyond its screen enlarges it. */
    size_t screen_width = gif->SWidth > 0 ? (size_t)gif->SWidth : 0,
           screen_height = gif->SHeight > 0 ? (size_t)gif->SHeight : 0;
    size_t right = l->left + l->frame_width, bottom = l->top + l->frame_height;
    l->width = right > screen_width ? right : screen_width;
    l->height = bottom > screen_height ? bottom : screen_height;
    return AKIN_OK;
}

/* The row of the picture for line i, in the four passes of an interlaced one. */
static size_t row_of_line(const layout *l, size_t i) {
    static const size_t begin[4] = {0, 4, 2, 1}, step[4] = {8, 8, 4, 2};
    if (!l->interlaced) return i;
    for (int pass = 0; pass < 4; pass++) {
        size_t rows = l->frame_height > begin[pass]
                          ? (l->frame_height - begin[pass] + step[pass] - 1) / step[pass]
                          : 0;
        if (i < rows) return begin[pass] + i * step[pass];
        i -= rows;
    }
    return l->frame_height - 1;
}

/* Indices outside the palette have no colour: they become white, like transparent ones. */
static void look_up(const layout *l, const GifPixelType *line, uint8_t *rgb) {
    for (size_t x = 0; x < l->frame_width; x++, rgb += 3) {
        int index = line[x];
        if (index == l->clear || index >= l->colors->ColorCount) {
            memset(rgb, 255, 3);
            continue;
        }
        const GifColorType *color = &l->colors->Colors[index];
        rgb[0] = color->Red;
        rgb[1] = color->Green;
        rgb[2] = color->Blue;
    }
}

static akin_status paint(GifFileType *gif, const input *in, const layout *l, akin_canvas *canvas) {
    akin_status status = AKIN_OK;
    uint8_t *row = akin_mem_alloc(l->width, 3);
    GifPixelType *line = akin_mem_alloc(l->frame_width, 1);
    if (!row || !line) {
        status = AKIN_FAILED;
        goto done;
    }
    memset(row, 255, l->width * 3);
    for (size_t y = 0; y < l->height; y++)
        if (y < l->top || y >= l->top + l->frame_height) akin_canvas_row(canvas, y, row);
    for (size_t i = 0; i < l->frame_height; i++) {
        if (DGifGetLine(gif, line, (int)l->frame_width) == GIF_ERROR) {
            status = refuse(in, gif->Error);
            goto done;
        }
        look_up(l, line, row + l->left * 3);
        akin_canvas_row(canvas, l->top + row_of_line(l, i), row);
    }
done:
    akin_mem_free(row);
    akin_mem_free(line);
    return status;
}

akin_status akin_image_gif_decode(const uint8_t *bytes, size_t count, akin_canvas *canvas) {
    input in = {bytes, count, 0};
    layout l = {0};
    int code = 0;
    GifFileType *gif = DGifOpen(&in, on_read, &code);
    if (!gif) return refuse(&in, code);
    akin_status status = find_picture(gif, &in, &l);
    if (status == AKIN_OK) status = akin_canvas_size(canvas, l.width, l.height, 1);
    if (status == AKIN_OK) status = akin_canvas_begin(canvas, 1);
    if (status == AKIN_OK) status = paint(gif, &in, &l, canvas);
    DGifCloseFile(gif, &code);
    return status;
}
