/* image_heif: AVIF and HEIC by libheif. */
#include "image_heif.h"
#include "image_color.h"
#include <akin/mem.h>
#include <libheif/heif.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    struct heif_context *file;
    struct heif_image_handle *handle;
    struct heif_decoding_options *options;
    struct heif_image *image;
    int width, height;
    bool alpha;
} job;

bool akin_image_heif_matches(const uint8_t *bytes, size_t count) {
    if (count < 12) return false;
    enum heif_filetype_result kind =
        heif_check_filetype(bytes, count < INT_MAX ? (int)count : INT_MAX);
    return kind == heif_filetype_yes_supported || kind == heif_filetype_maybe ||
           kind == heif_filetype_yes_unsupported;
}

/* libheif's decoders are packages of their own in some systems. Since 1.17 it has a code for a missing
 * one, heif_suberror_No_matching_decoder_installed. */
static bool lacks_decoder(struct heif_error error) {
    enum { NO_MATCHING_DECODER = 6003 };
    return (int)error.subcode == NO_MATCHING_DECODER ||
           error.subcode == heif_suberror_Unsupported_codec;
}

static akin_status refuse(struct heif_error error) {
    if (error.code == heif_error_Memory_allocation_error &&
        error.subcode != heif_suberror_Security_limit_exceeded)
        return akin_error_set(AKIN_FAILED, "not enough memory to read an AVIF or HEIC");
    if (lacks_decoder(error))
        return akin_error_set(AKIN_INPUT, "libheif has no decoder for this AVIF or HEIC here: "
                                          "install libheif-plugin-dav1d for AVIF, "
                                          "libheif-plugin-libde265 for HEIC");
    if (error.subcode == heif_suberror_End_of_data)
        return akin_error_set(AKIN_INPUT, "damaged AVIF or HEIC: the file is truncated");
    return akin_error_set(AKIN_INPUT, "damaged AVIF or HEIC: %s", error.message);
}

/* The colours as defined by its profile, or by the numbers in place of one. */
static const akin_color *find_color(const struct heif_image_handle *handle,
                                    akin_color_layout layout) {
    const akin_color *color = NULL;
    size_t count = heif_image_handle_get_raw_color_profile_size(handle);
    struct heif_color_profile_nclx *numbers = NULL;
    if (count > 0) {
        uint8_t *profile = akin_mem_alloc(count, 1);
        if (profile &&
            heif_image_handle_get_raw_color_profile(handle, profile).code == heif_error_Ok)
            color = akin_color_find(profile, count, layout, false);
        akin_mem_free(profile);
    } else if (heif_image_handle_get_nclx_color_profile(handle, &numbers).code == heif_error_Ok &&
               (numbers->color_primaries == heif_color_primaries_SMPTE_EG_432_1 ||
                numbers->color_primaries == heif_color_primaries_SMPTE_RP_431_2 ||
                numbers->color_primaries == heif_color_primaries_ITU_R_BT_2020_2_and_2100_0) &&
               numbers->transfer_characteristics !=
                   heif_transfer_characteristic_ITU_R_BT_2100_0_PQ &&
               numbers->transfer_characteristics !=
                   heif_transfer_characteristic_ITU_R_BT_2100_0_HLG) {
        const double xy[8] = {numbers->color_primary_red_x,   numbers->color_primary_red_y,
                              numbers->color_primary_green_x, numbers->color_primary_green_y,
                              numbers->color_primary_blue_x,  numbers->color_primary_blue_y,
                              numbers->color_primary_white_x, numbers->color_primary_white_y};
        color = akin_color_find_primaries(xy, layout);
    }
    heif_nclx_color_profile_free(numbers);
    return color;
}

/* A picture made up of others gives its size once more, and memory would be taken for that too. Small
 * ones may be cut from tiles that are larger. */
static void limit_size(const job *j) {
    const int sides[] = {j->width, j->height, heif_image_handle_get_ispe_width(j->handle),
                         heif_image_handle_get_ispe_height(j->handle)};
    int limit = 4096;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        if (sides[i] > limit) limit = sides[i];
    if (limit < INT_MAX) heif_context_set_maximum_image_size_limit(j->file, limit + 1);
}

/* Checks the header before anything relies on it. */
static akin_status open_picture(job *j, const uint8_t *bytes, size_t count) {
    struct heif_error error;
    j->file = heif_context_alloc();
    j->options = heif_decoding_options_alloc();
    if (!j->file || !j->options)
        return akin_error_set(AKIN_FAILED, "not enough memory to read an AVIF or HEIC");
    heif_context_set_max_decoding_threads(j->file, 0); /* a rank has only its own core */
    error = heif_context_read_from_memory_without_copy(j->file, bytes, count, NULL);
    if (error.code == heif_error_Ok)
        error = heif_context_get_primary_image_handle(j->file, &j->handle);
    if (error.code != heif_error_Ok) return refuse(error);
    j->width = heif_image_handle_get_width(j->handle);
    j->height = heif_image_handle_get_height(j->handle);
    j->alpha = heif_image_handle_has_alpha_channel(j->handle);
    limit_size(j);
    j->options->convert_hdr_to_8bit = 1;
    if (j->options->version >= 3) j->options->strict_decoding = 1;
    return AKIN_OK;
}

static akin_status decode(job *j) {
    struct heif_error error = heif_decode_image(
        j->handle, &j->image, heif_colorspace_RGB,
        j->alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, j->options);
    if (error.code != heif_error_Ok) return refuse(error);
    if (heif_image_get_width(j->image, heif_channel_interleaved) != j->width ||
        heif_image_get_height(j->image, heif_channel_interleaved) != j->height)
        return akin_error_set(AKIN_INPUT, "damaged AVIF or HEIC: its size differs from its header");
    return AKIN_OK;
}

static akin_status paint(const job *j, akin_canvas *canvas) {
    int stride = 0;
    size_t width = (size_t)j->width;
    uint8_t *row = heif_image_get_plane(j->image, heif_channel_interleaved, &stride);
    bool multiplied = j->alpha && heif_image_handle_is_premultiplied_alpha(j->handle);
    akin_color_layout layout = j->alpha ? AKIN_COLOR_RGBA : AKIN_COLOR_RGB;
    const akin_color *color = find_color(j->handle, layout);
    if (!row || stride <= 0)
        return akin_error_set(AKIN_INPUT, "damaged AVIF or HEIC: it contains no colours");
    for (int y = 0; y < j->height; y++, row += stride) {
        if (multiplied) akin_canvas_straighten(row, width);
        akin_color_convert(color, layout, row, width, row);
        if (j->alpha) akin_canvas_over_white(row, width, row);
        akin_canvas_row(canvas, (size_t)y, row);
    }
    return AKIN_OK;
}

akin_status akin_image_heif_decode(const uint8_t *bytes, size_t count, akin_canvas *canvas) {
    akin_status status;
    job j = {0};
    AKIN_TRY(open_picture(&j, bytes, count));
    AKIN_TRY(akin_canvas_size(canvas, j.width > 0 ? (uint64_t)j.width : 0,
                              j.height > 0 ? (uint64_t)j.height : 0, 1));
    AKIN_TRY(akin_canvas_begin(canvas, 1));
    AKIN_TRY(decode(&j));
    AKIN_TRY(paint(&j, canvas));
done:
    heif_image_release(j.image);
    heif_image_handle_release(j.handle);
    heif_decoding_options_free(j.options);
    if (j.file) heif_context_free(j.file);
    return status;
}
