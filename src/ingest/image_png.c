/* image_png: PNG by libpng. */
#include "image_png.h"
#include "image_color.h"
#include "image_exif.h"
#include <akin/mem.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

/* Everything that must survive a longjmp is in this struct, behind a pointer, because local
 * variables of the function that called setjmp can be lost. */
typedef struct {
    const uint8_t *bytes;
    size_t count, at;
    akin_canvas *canvas;
    png_structp png;
    png_infop info;
    uint8_t *row;    /* as libpng gives it, RGB or RGBA */
    int orientation; /* 1..8, as far as known */
    bool alpha, bad_profile;
    const akin_color *color; /* borrowed, NULL = none */
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
    job *j = png_get_error_ptr(png);
    if (strstr(message, "iCCP")) j->bad_profile = true; /* or one that is known to be imprecise */
}

static void on_read(png_structp png, png_bytep out, size_t count) {
    job *j = png_get_io_ptr(png);
    if (count > j->count - j->at) png_error(png, "the file is truncated");
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

/* Converts everything to 8-bit RGB, or RGBA if there is transparency. */
static void set_transforms(png_structp png) {
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
}

static void paint_row(job *j, size_t y, size_t x, size_t step, size_t count) {
    akin_color_convert(j->color, j->alpha ? AKIN_COLOR_RGBA : AKIN_COLOR_RGB, j->row, count,
                       j->row);
    if (j->alpha) akin_canvas_over_white(j->row, count, j->row);
    if (step == 1) {
        akin_canvas_row(j->canvas, y, j->row);
    } else {
        akin_canvas_pixels(j->canvas, y, x, step, count, j->row);
    }
}

static void read_rows(job *j) {
    png_uint_32 width = png_get_image_width(j->png, j->info),
                height = png_get_image_height(j->png, j->info);
    if (png_get_interlace_type(j->png, j->info) == PNG_INTERLACE_NONE) {
        for (png_uint_32 y = 0; y < height; y++) {
            png_read_row(j->png, j->row, NULL);
            paint_row(j, y, 0, 1, width);
        }
        return;
    }
    for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++) {
        png_uint_32 columns = PNG_PASS_COLS(width, pass), rows = PNG_PASS_ROWS(height, pass);
        if (columns == 0) continue;
        for (png_uint_32 row = 0; row < rows; row++) {
            png_read_row(j->png, j->row, NULL);
            png_uint_32 y = PNG_ROW_FROM_PASS_ROW(row, pass);
            /* The last pass has whole rows, but not all of them; with step 1 a row is complete. */
            paint_row(j, y, PNG_PASS_START_COL(pass), (size_t)1 << PNG_PASS_COL_SHIFT(pass),
                      columns);
        }
    }
}

static int find_orientation(const job *j) {
    png_bytep exif = NULL;
    png_uint_32 count = 0;
    if (png_get_eXIf_1(j->png, j->info, &count, &exif) != PNG_INFO_eXIf) return 1;
    return akin_image_exif_orientation(exif, count);
}

static void find_color(job *j, bool grey) {
    png_charp name;
    png_bytep profile;
    png_uint_32 count;
    int method;
    j->color = NULL;
    if (png_get_iCCP(j->png, j->info, &name, &method, &profile, &count) == PNG_INFO_iCCP) {
        j->color =
            akin_color_find(profile, count, j->alpha ? AKIN_COLOR_RGBA : AKIN_COLOR_RGB, grey);
    } else if (j->bad_profile) {
        akin_color_count_broken();
    }
}

static void set_limits(png_structp png) {
    static const png_byte used[] = "iCCP\0eXIf"; /* names of four letters and a NUL each */
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* the canvas enforces the limits */
    /* libpng's default: a wrong checksum is an error in critical chunks, and drops ancillary
     * ones. */
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
    png_set_benign_errors(png, 1);
    /* Text chunks may be decompression bombs: skips all chunks that neither contain pixels nor
     * affect them. */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, used, 2);
}

static void read_picture(job *j) {
    png_set_read_fn(j->png, j, on_read);
    set_limits(j->png);
    png_read_info(j->png, j->info);
    if (j->orientation == 0) j->orientation = find_orientation(j);
    j->status = akin_canvas_size(j->canvas, png_get_image_width(j->png, j->info),
                                 png_get_image_height(j->png, j->info), j->orientation);
    if (j->status == AKIN_OK) j->status = akin_canvas_begin(j->canvas, 1);
    if (j->status != AKIN_OK) return;
    bool grey = !(png_get_color_type(j->png, j->info) & PNG_COLOR_MASK_COLOR);
    set_transforms(j->png);
    png_read_update_info(j->png, j->info);
    j->alpha = png_get_channels(j->png, j->info) == 4;
    find_color(j, grey);
    j->row = akin_mem_alloc(png_get_rowbytes(j->png, j->info), 1);
    if (!j->row) {
        j->status = AKIN_FAILED;
        return;
    }
    read_rows(j);
    png_read_end(j->png, j->info); /* verifies the checksums up to the last chunk */
}

/* orientation: 0 = not known yet; then the one found in the whole file. */
static akin_status decode(const uint8_t *bytes, size_t count, int *orientation,
                          akin_canvas *canvas) {
    job *j = akin_mem_zalloc(1, sizeof *j);
    if (!j) return AKIN_FAILED;
    j->bytes = bytes;
    j->count = count;
    j->canvas = canvas;
    j->orientation = *orientation;
    j->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, j, on_error, on_warning, j, on_malloc,
                                      on_free);
    if (j->png) j->info = png_create_info_struct(j->png);
    if (!j->png || !j->info) {
        j->status = akin_error_set(AKIN_FAILED, "not enough memory to read a PNG");
    } else if (setjmp(png_jmpbuf(j->png)) == 0) {
        read_picture(j);
        if (j->status == AKIN_OK) *orientation = find_orientation(j);
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

akin_status akin_image_png_decode(const uint8_t *bytes, size_t count, akin_canvas *canvas) {
    int found = 0;
    akin_status status = decode(bytes, count, &found, canvas);
    if (status != AKIN_OK) return status;
    /* EXIF data may come after the pixels. Now that the orientation is known, the pixels are read
     * again. */
    return found == akin_canvas_orientation(canvas) ? AKIN_OK
                                                    : decode(bytes, count, &found, canvas);
}
