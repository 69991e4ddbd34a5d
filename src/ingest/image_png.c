/* image_png: PNG by libpng. */
#include "image_png.h"
#include <akin/mem.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

/* All that lives across a longjmp is in here, behind a pointer, so that no local variable of the
 * function that called setjmp can be lost. */
typedef struct {
    const uint8_t *bytes;
    size_t count, at;
    akin_canvas *canvas;
    png_structp png;
    png_infop info;
    uint8_t *row; /* as libpng gives it, RGB or RGBA */
    akin_status status;
    bool no_memory;
    char message[160];
} job;

bool akin_image_png_matches(const uint8_t *bytes, size_t count) {
    return count >= sizeof signature && memcmp(bytes, signature, sizeof signature) == 0;
}

static void on_error(png_structp png, png_const_charp message) {
    job *j = png_get_error_ptr(png);
    snprintf(j->message, sizeof j->message, "%s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void on_read(png_structp png, png_bytep out, size_t count) {
    job *j = png_get_io_ptr(png);
    if (count > j->count - j->at) png_error(png, "the file is cut short");
    memcpy(out, j->bytes + j->at, count);
    j->at += count;
}

static png_voidp on_malloc(png_structp png, png_alloc_size_t size) {
    job *j = png_get_mem_ptr(png);
    void *block = akin_mem_alloc(size, 1);
    if (!block) j->no_memory = true;
    return block;
}

static void on_free(png_structp png, png_voidp block) {
    (void)png;
    akin_mem_free(block);
}

/* Everything to 8-bit RGB, or RGBA where there is transparency. */
static void set_transforms(png_structp png) {
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
}

static void paint_row(job *j, bool alpha, size_t y, size_t x, size_t step, size_t count) {
    if (alpha) akin_canvas_over_white(j->row, count, j->row);
    if (step == 1) {
        akin_canvas_row(j->canvas, y, j->row);
    } else {
        akin_canvas_pixels(j->canvas, y, x, step, count, j->row);
    }
}

static void read_rows(job *j) {
    png_uint_32 width = png_get_image_width(j->png, j->info),
                height = png_get_image_height(j->png, j->info);
    bool alpha = png_get_channels(j->png, j->info) == 4;
    if (png_get_interlace_type(j->png, j->info) == PNG_INTERLACE_NONE) {
        for (png_uint_32 y = 0; y < height; y++) {
            png_read_row(j->png, j->row, NULL);
            paint_row(j, alpha, y, 0, 1, width);
        }
        return;
    }
    for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++) {
        png_uint_32 columns = PNG_PASS_COLS(width, pass), rows = PNG_PASS_ROWS(height, pass);
        if (columns == 0) continue;
        for (png_uint_32 row = 0; row < rows; row++) {
            png_read_row(j->png, j->row, NULL);
            png_uint_32 y = PNG_ROW_FROM_PASS_ROW(row, pass);
            /* The last pass has whole rows, but not all of them: step 1 is a whole row. */
            paint_row(j, alpha, y, PNG_PASS_START_COL(pass), (size_t)1 << PNG_PASS_COL_SHIFT(pass),
                      columns);
        }
    }
}

static void read_picture(job *j) {
    png_set_read_fn(j->png, j, on_read);
    png_set_user_limits(j->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* the canvas has the limits */
    png_set_crc_action(j->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_benign_errors(j->png, 1);
    /* Texts and profiles may be bombs too: skip all but what paints. */
    png_set_keep_unknown_chunks(j->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(j->png, j->info);
    j->status = akin_canvas_size(j->canvas, png_get_image_width(j->png, j->info),
                                 png_get_image_height(j->png, j->info), 1);
    if (j->status == AKIN_OK) j->status = akin_canvas_begin(j->canvas, 1);
    if (j->status != AKIN_OK) return;
    set_transforms(j->png);
    png_read_update_info(j->png, j->info);
    j->row = akin_mem_alloc(png_get_rowbytes(j->png, j->info), 1);
    if (!j->row) {
        j->status = AKIN_FAILED;
        return;
    }
    read_rows(j);
    png_read_end(j->png, NULL); /* the checksums up to the last chunk */
}

akin_status akin_image_png_decode(const uint8_t *bytes, size_t count, akin_canvas *canvas) {
    job *j = akin_mem_zalloc(1, sizeof *j);
    if (!j) return AKIN_FAILED;
    j->bytes = bytes;
    j->count = count;
    j->canvas = canvas;
    j->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, j, on_error, on_warning, j, on_malloc,
                                      on_free);
    if (j->png) j->info = png_create_info_struct(j->png);
    if (!j->png || !j->info) {
        j->status = akin_error_set(AKIN_FAILED, "no memory to read a PNG");
    } else if (setjmp(png_jmpbuf(j->png)) == 0) {
        read_picture(j);
    } else {
        j->status =
            j->no_memory ? AKIN_FAILED : akin_error_set(AKIN_INPUT, "damaged PNG: %s", j->message);
    }
    akin_status status = j->status;
    if (j->png) png_destroy_read_struct(&j->png, &j->info, NULL);
    akin_mem_free(j->row);
    akin_mem_free(j);
    return status;
}
