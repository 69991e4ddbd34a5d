/* image_jpeg_header: the markers of a JPEG by libjpeg. */
#include "image_jpeg_header.h"
#include "image_color.h"
#include "image_exif.h"
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h> /* jpeglib.h needs it */
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { EXIF = JPEG_APP0 + 1, PROFILE = JPEG_APP0 + 2, ALL = 0xFFFF };

typedef struct {
    struct jpeg_error_mgr manager; /* first, because libjpeg knows it by this address */
    jmp_buf back;
} errors;

static void on_error(j_common_ptr codec) {
    longjmp(((errors *)codec->err)->back, 1);
}

/* Warnings are left to the decoder. */
static void on_message(j_common_ptr codec, int level) {
    (void)codec;
    (void)level;
}

static void on_output(j_common_ptr codec) {
    (void)codec;
}

static bool begins_with(const struct jpeg_marker_struct *marker, const char *text, size_t length) {
    return marker->data_length > length && memcmp(marker->data, text, length) == 0;
}

static void read_markers(struct jpeg_decompress_struct *codec, akin_jpeg_header *out) {
    bool exif = false, profile = false;
    for (const struct jpeg_marker_struct *m = codec->marker_list; m; m = m->next) {
        if (m->marker == EXIF && !exif && begins_with(m, "Exif\0", 6)) {
            exif = true;
            out->orientation = akin_image_exif_orientation(m->data, m->data_length);
        }
        profile = profile || (m->marker == PROFILE && begins_with(m, "ICC_PROFILE", 12));
    }
    unsigned length = 0;
    if (profile && !jpeg_read_icc_profile(codec, &out->profile, &length)) akin_color_count_broken();
    out->profile_count = out->profile ? length : 0;
}

void akin_jpeg_header_read(const uint8_t *bytes, size_t count, akin_jpeg_header *out) {
    struct jpeg_decompress_struct codec;
    errors e;
    *out = (akin_jpeg_header){.orientation = 1};
    codec.err = jpeg_std_error(&e.manager);
    e.manager.error_exit = on_error;
    e.manager.emit_message = on_message;
    e.manager.output_message = on_output;
    if (setjmp(e.back) == 0) {
        jpeg_create_decompress(&codec);
        jpeg_mem_src(&codec, bytes, (unsigned long)count);
        jpeg_save_markers(&codec, EXIF, ALL);
        jpeg_save_markers(&codec, PROFILE, ALL);
        if (jpeg_read_header(&codec, FALSE) == JPEG_HEADER_OK) {
            out->width = (int)codec.image_width;
            out->height = (int)codec.image_height;
            out->components = codec.num_components;
            read_markers(&codec, out);
        }
    }
    jpeg_destroy_decompress(&codec);
}

void akin_jpeg_header_clear(akin_jpeg_header *header) {
    free(header->profile); /* libjpeg's malloc */
    *header = (akin_jpeg_header){0};
}
