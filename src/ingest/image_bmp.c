/* image_bmp: BMP by GdkPixbuf. */
#include "image_bmp.h"
#include <akin/mem.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <string.h>

bool akin_image_bmp_matches(const uint8_t *bytes, size_t count) {
    return count >= 2 && memcmp(bytes, "BM", 2) == 0;
}

/* Header fields by which GdkPixbuf would allocate memory: where the pixels begin, how long the rest
 * of the header is, and how many colours of four bytes the palette has. No file is shorter. */
static bool claims_too_much(const uint8_t *bytes, size_t count) {
    static const struct { size_t at, bytes_each; } claims[] = {{10, 1}, {14, 1}, {46, 4}};
    enum { OS2_HEADER = 12, LENGTH = 14 };
    if (count < LENGTH + 4) return true;
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        size_t at = claims[i].at;
        if (at > LENGTH && bytes[LENGTH] == OS2_HEADER) break; /* this header has no such field */
        if (count < at + 4) return true;
        uint64_t claim = bytes[at] | (uint64_t)bytes[at + 1] << 8 | (uint64_t)bytes[at + 2] << 16 |
                         (uint64_t)bytes[at + 3] << 24;
        if (claim * claims[i].bytes_each > count) return true;
    }
    return false;
}

typedef struct {
    akin_canvas *canvas;
    akin_status status;
    bool sized;
    gint top, bottom; /* the rows decoded so far, [top, bottom); bottom 0 = none */
} sizing;

/* Called with the size in the header, before memory is allocated. For a picture of size 0 the
 * loader stops reading. */
static void on_size(GdkPixbufLoader *loader, gint width, gint height, gpointer context) {
    sizing *s = context;
    s->sized = true;
    s->status = akin_canvas_size(s->canvas, width > 0 ? (uint64_t)width : 0,
                                 height > 0 ? (uint64_t)height : 0, 1);
    if (s->status != AKIN_OK) gdk_pixbuf_loader_set_size(loader, 0, 0);
}

/* Rows arrive in order, from either end; a truncated file lacks some of them. */
static void on_rows(GdkPixbufLoader *loader, gint x, gint y, gint width, gint height,
                    gpointer context) {
    sizing *s = context;
    (void)loader;
    (void)x;
    (void)width;
    if (s->bottom == 0 || y < s->top) s->top = y;
    if (y + height > s->bottom) s->bottom = y + height;
}

static akin_status refuse(const GError *error) {
    if (error && g_error_matches(error, GDK_PIXBUF_ERROR, GDK_PIXBUF_ERROR_INSUFFICIENT_MEMORY))
        return akin_error_set(AKIN_FAILED, "not enough memory to read a BMP");
    return akin_error_set(AKIN_INPUT, "damaged BMP: %s",
                          error ? error->message : "the file is truncated");
}

static akin_status paint(const GdkPixbuf *pixels, akin_canvas *canvas) {
    size_t width = (size_t)gdk_pixbuf_get_width(pixels),
           height = (size_t)gdk_pixbuf_get_height(pixels),
           stride = (size_t)gdk_pixbuf_get_rowstride(pixels);
    bool alpha = gdk_pixbuf_get_n_channels(pixels) == 4;
    const uint8_t *row = gdk_pixbuf_read_pixels(pixels);
    akin_status status = akin_canvas_begin(canvas, 1);
    if (status != AKIN_OK) return status;
    uint8_t *rgb = akin_mem_alloc(width, 3);
    if (!rgb) return AKIN_FAILED;
    for (size_t y = 0; y < height; y++, row += stride) {
        if (alpha) akin_canvas_over_white(row, width, rgb);
        akin_canvas_row(canvas, y, alpha ? rgb : row);
    }
    akin_mem_free(rgb);
    return AKIN_OK;
}

akin_status akin_image_bmp_decode(const uint8_t *bytes, size_t count, akin_canvas *canvas) {
    GError *error = NULL;
    if (claims_too_much(bytes, count))
        return akin_error_set(AKIN_INPUT, "damaged BMP: the file is truncated");
    sizing s = {.canvas = canvas};
    GdkPixbufLoader *loader = gdk_pixbuf_loader_new_with_type("bmp", &error);
    if (!loader) {
        akin_status status =
            akin_error_set(AKIN_INPUT, "a BMP, which GdkPixbuf cannot read here: %s",
                           error ? error->message : "its loader is missing");
        g_clear_error(&error);
        return status;
    }
    g_signal_connect(loader, "size-prepared", G_CALLBACK(on_size), &s);
    g_signal_connect(loader, "area-updated", G_CALLBACK(on_rows), &s);
    bool read = gdk_pixbuf_loader_write(loader, bytes, count, &error);
    /* Closing reveals whether the file was complete; the first error is the one reported. */
    bool closed = gdk_pixbuf_loader_close(loader, read ? &error : NULL);
    const GdkPixbuf *pixels = gdk_pixbuf_loader_get_pixbuf(loader);
    bool whole = s.sized && read && closed && pixels && s.top == 0 &&
                 s.bottom == gdk_pixbuf_get_height(pixels);
    akin_status status = s.status;
    if (status == AKIN_OK) status = whole ? paint(pixels, canvas) : refuse(error);
    g_clear_error(&error);
    g_object_unref(loader);
    return status;
}
