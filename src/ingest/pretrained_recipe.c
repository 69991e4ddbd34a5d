/* pretrained_recipe: sizes, filter and normalisation. */
#include "pretrained_recipe.h"
#include <akin/file.h>
#include <akin/json.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_LIMIT 4096 /* pixels of an input */
#define CONFIG_LIMIT ((size_t)1 << 20)
#define IMAGENET_SHOWN 0.875 /* the middle 224 pixels, of 256 on the shorter side */

static const double imagenet_mean[3] = {0.485, 0.456, 0.406};
static const double imagenet_deviation[3] = {0.229, 0.224, 0.225};

/* --- the file --- */

/* One entry of a file; a missing or null one leaves the value unchanged. */
static bool is_true(const akin_json *config, const char *key, bool otherwise) {
    const akin_json *node = akin_json_get(config, key);
    char *text = node ? akin_json_print(node, false) : NULL;
    bool value = otherwise;
    if (text) value = strcmp(text, "true") == 0 || (strcmp(text, "false") != 0 && otherwise);
    akin_mem_free(text);
    return value;
}

static akin_status get_side(const akin_json *node, const char *key, size_t *side) {
    double value = key ? akin_json_number(node, key, 0) : akin_json_as_number(node, 0);
    if (!(value >= 0 && value <= SIDE_LIMIT && value == floor(value)))
        return akin_error_set(AKIN_INPUT, "%s is %g, not a number of pixels up to %d",
                              key ? key : "a size", value, SIDE_LIMIT);
    *side = (size_t)value;
    return AKIN_OK;
}

/* 224, {"shortest_edge": 224} or {"height": 224, "width": 224}. */
static akin_status get_size(const akin_json *node, size_t *shorter, size_t *width, size_t *height) {
    akin_status status = AKIN_OK;
    *shorter = *width = *height = 0;
    if (akin_json_get(node, "longest_edge"))
        return akin_error_set(AKIN_INPUT, "size has longest_edge, which does not fit a network "
                                          "with a fixed input; give --network-size");
    AKIN_TRY(get_side(node, NULL, shorter));
    if (*shorter == 0) AKIN_TRY(get_side(node, "shortest_edge", shorter));
    AKIN_TRY(get_side(node, "width", width));
    AKIN_TRY(get_side(node, "height", height));
done:
    return status;
}

static akin_status read_resize(const akin_json *config, akin_pretrained_recipe *out) {
    akin_status status = AKIN_OK;
    size_t shorter, width, height;
    const akin_json *size = akin_json_get(config, "size");
    out->resizes = is_true(config, "do_resize", size != NULL);
    out->crops = is_true(config, "do_center_crop", false);
    if (out->resizes && size) {
        AKIN_TRY(get_size(size, &shorter, &width, &height));
        bool number = akin_json_as_number(size, 0) > 0;
        out->shorter = shorter > 0 && (!number || out->crops);
        out->resize_width = shorter > 0 ? shorter : width;
        out->resize_height = shorter > 0 ? shorter : height;
        double shown = akin_json_number(config, "crop_pct", 0);
        if (shown > 0 && shown <= 1 && shorter > 0 && shorter < 384) {
            out->crop_width = out->crop_height = shorter;
            out->resize_width = out->resize_height = (size_t)((double)shorter / shown);
            out->shorter = out->crops = true;
        }
    }
    if (out->crops && akin_json_get(config, "crop_size")) {
        AKIN_TRY(get_size(akin_json_get(config, "crop_size"), &shorter, &width, &height));
        out->crop_width = shorter > 0 ? shorter : width;
        out->crop_height = shorter > 0 ? shorter : height;
    }
done:
    return status;
}

static akin_status read_three(const akin_json *config, const char *key, double out[3]) {
    const akin_json *array = akin_json_get(config, key);
    size_t count = array ? akin_json_count(array) : 0;
    if (count == 0) return AKIN_OK;
    for (size_t c = 0; c < 3; c++) {
        out[c] = akin_json_as_number(akin_json_at(array, count == 3 ? c : 0), NAN);
        if ((count != 1 && count != 3) || !isfinite(out[c]))
            return akin_error_set(AKIN_INPUT, "%s should be three numbers", key);
    }
    return AKIN_OK;
}

static akin_status read_values(const akin_json *config, akin_pretrained_recipe *out) {
    akin_status status = AKIN_OK;
    double filter = akin_json_number(config, "resample", AKIN_IMAGE_BILINEAR);
    if (!(filter >= 0 && filter < AKIN_IMAGE_FILTERS && filter == floor(filter)))
        return akin_error_set(AKIN_INPUT, "resample is %g, not one of 0 to %d", filter,
                              AKIN_IMAGE_FILTERS - 1);
    out->filter = (akin_image_filter)filter;
    out->factor = is_true(config, "do_rescale", true)
                      ? akin_json_number(config, "rescale_factor", 1.0 / 255)
                      : 1;
    if (is_true(config, "do_normalize", true)) {
        AKIN_TRY(read_three(config, "image_mean", out->mean));
        AKIN_TRY(read_three(config, "image_std", out->deviation));
    } else {
        for (size_t c = 0; c < 3; c++) out->mean[c] = 0, out->deviation[c] = 1;
    }
done:
    return status;
}

static akin_status read_config(const char *path, akin_pretrained_recipe *out) {
    akin_status status = AKIN_OK;
    unsigned char *bytes = NULL;
    size_t count;
    akin_json *config = NULL;
    AKIN_TRY(akin_file_read(path, CONFIG_LIMIT, &bytes, &count));
    AKIN_TRY(akin_json_parse((const char *)bytes, count, &config));
    AKIN_TRY(read_resize(config, out));
    AKIN_TRY(read_values(config, out));
    out->told = true;
done:
    if (status != AKIN_OK) status = akin_error_context(status, "%s: ", path);
    akin_json_free(config);
    akin_mem_free(bytes);
    return status;
}

/* --- the options --- */

/* "224" or "320x224": width and height. */
static bool read_pixels(const char *text, size_t *width, size_t *height, bool *one) {
    char copy[32];
    long long wide, high;
    snprintf(copy, sizeof copy, "%s", text);
    char *times = strchr(copy, 'x');
    if (times) *times = '\0';
    if (strlen(text) >= sizeof copy || !akin_text_to_int(copy, &wide)) return false;
    high = wide;
    if (times && !akin_text_to_int(times + 1, &high)) return false;
    if (wide < 1 || high < 1 || wide > SIDE_LIMIT || high > SIDE_LIMIT) return false;
    *width = (size_t)wide;
    *height = (size_t)high;
    *one = !times;
    return true;
}

static akin_status take_sizes(const akin_pretrained_params *params, akin_pretrained_recipe *out) {
    bool one = false;
    if (params->size) {
        if (!read_pixels(params->size, &out->resize_width, &out->resize_height, &one))
            return akin_error_option(
                "network-size",
                "--network-size %s: write the pixels of the shorter side, 256, or "
                "WIDTHxHEIGHT, at most %d",
                params->size, SIDE_LIMIT);
        if (!out->told) out->crops = one;
        out->told = out->resizes = true;
        out->shorter = one;
    }
    if (params->crop && strcmp(params->crop, "none") == 0) {
        if (!params->size) out->shorter = false;
        out->told = out->resizes = true;
        out->crops = false;
    } else if (params->crop) {
        if (!read_pixels(params->crop, &out->crop_width, &out->crop_height, &one))
            return akin_error_option(
                "network-crop",
                "--network-crop %s: write pixels, 224 or WIDTHxHEIGHT, at most "
                "%d, or none",
                params->crop, SIDE_LIMIT);
        out->crops = true;
    }
    return AKIN_OK;
}

/* "0.5,0.5,0.5", or "0.5" for all. */
static akin_status take_three(const char *option, const char *text, double least, double out[3]) {
    const char *at = text;
    size_t count = 0;
    bool good = true;
    if (!text) return AKIN_OK;
    for (; good && count < 3; count++) {
        char *end = NULL;
        out[count] = strtod(at, &end);
        good = end != at && isfinite(out[count]) && out[count] > least;
        at = end;
        if (*at != ',') break;
        at++;
    }
    if (good && count == 0 && *at == '\0') {
        out[1] = out[2] = out[0];
    } else if (!good || count != 2 || *at != '\0') {
        return akin_error_option(option, "--%s %s: write three numbers, 0.5,0.5,0.5, or one",
                                 option, text);
    }
    return AKIN_OK;
}

akin_status akin_pretrained_recipe_read(const akin_pretrained_params *params, const char *config,
                                        akin_pretrained_recipe *out) {
    akin_status status = AKIN_OK;
    *out = (akin_pretrained_recipe){.filter = AKIN_IMAGE_BILINEAR, .factor = 1.0 / 255};
    memcpy(out->mean, imagenet_mean, sizeof out->mean);
    memcpy(out->deviation, imagenet_deviation, sizeof out->deviation);
    if (config && akin_file_exists(config)) AKIN_TRY(read_config(config, out));
    AKIN_TRY(take_sizes(params, out));
    AKIN_TRY(take_three("network-mean", params->mean, -1e6, out->mean));
    AKIN_TRY(take_three("network-std", params->deviation, 0, out->deviation));
    for (size_t c = 0; c < 3; c++)
        if (!(out->deviation[c] > 0))
            return akin_error_set(AKIN_INPUT, "%s: image_std is %g", config ? config : params->path,
                                  out->deviation[c]);
done:
    return status;
}

/* --- for a model's input --- */

static akin_status choose_input(const akin_pretrained_recipe *r, const char *path, size_t *width,
                                size_t *height) {
    size_t wide = r->crops ? r->crop_width : r->shorter ? 0 : r->resize_width;
    size_t high = r->crops ? r->crop_height : r->shorter ? 0 : r->resize_height;
    if (*width > 0 && *height > 0) {
        if ((wide > 0 && wide != *width) || (high > 0 && high != *height))
            return akin_error_set(
                AKIN_INPUT,
                "%s takes pictures of %zux%zu pixels, and %zux%zu are requested; give "
                "--network-size and --network-crop that fit, or export it with that size",
                path, *width, *height, wide, high);
        return AKIN_OK;
    }
    if (*width == 0) *width = wide;
    if (*height == 0) *height = high;
    if (*width == 0 || *height == 0)
        return akin_error_set(
            AKIN_INPUT,
            "%s takes pictures of any size, and none is given: add --network-crop 224 (and "
            "--network-size 256), or put the model's preprocessor_config.json in its folder",
            path);
    return AKIN_OK;
}

akin_status akin_pretrained_recipe_view(const akin_pretrained_recipe *r, const char *path,
                                        size_t *width, size_t *height, akin_image_view *view) {
    akin_status status = choose_input(r, path, width, height);
    if (status != AKIN_OK) return status;
    *view = (akin_image_view){.width = *width,
                              .height = *height,
                              .resize_width = *width,
                              .resize_height = *height,
                              .filter = r->filter};
    bool square = *width == *height;
    if (r->resizes && r->resize_width > 0) {
        view->resize_width = r->resize_width;
        view->resize_height = r->shorter ? 0 : r->resize_height;
    } else if (!r->told && square) {
        view->resize_width = (size_t)rint((double)*width / IMAGENET_SHOWN);
        view->resize_height = 0;
    }
    return AKIN_OK;
}

void akin_pretrained_recipe_apply(const akin_pretrained_recipe *recipe, const uint8_t *seen,
                                  size_t pixels, bool channels_last, float *values) {
    for (size_t c = 0; c < 3; c++) {
        float scale = (float)(recipe->factor / recipe->deviation[c]);
        float shift = (float)(-recipe->mean[c] / recipe->deviation[c]);
        float *to = values + c * (channels_last ? 1 : pixels), value_of[256];
        size_t step = channels_last ? 3 : 1;
        for (size_t v = 0; v < 256; v++) value_of[v] = (float)v * scale + shift;
        for (size_t i = 0; i < pixels; i++) to[i * step] = value_of[seen[3 * i + c]];
    }
}
