/* pretrained_recipe: a network's preprocessing: from the options, else from the
 * preprocessor_config.json next to the model (with the keys of Hugging Face's image processors),
 * else the usual one for ImageNet. Not collective.
 */
#ifndef AKIN_PRETRAINED_RECIPE_H
#define AKIN_PRETRAINED_RECIPE_H

#include <akin/error.h>
#include <akin/image.h>
#include <akin/pretrained.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    bool told;           /* by options or a file; else ImageNet's manner is taken */
    bool resizes, crops; /* resizes: to the two below; crops: its middle */
    bool shorter;        /* the shorter side becomes resize_width */
    size_t resize_width, resize_height, crop_width, crop_height; /* pixels; 0: not said */
    akin_image_filter filter;
    double factor; /* of a value 0..255 */
    double mean[3], deviation[3];
} akin_pretrained_recipe;

/* AKIN_USAGE: an option is not a size or not three numbers; AKIN_INPUT: the file is invalid. A
 * missing file is the same as NULL: no file.
 */
AKIN_MUST_CHECK akin_status akin_pretrained_recipe_read(const akin_pretrained_params *params,
                                                        const char *config,
                                                        akin_pretrained_recipe *out);

/* The file beside the model, owned; NULL: out of memory. */
char *akin_pretrained_config(const char *path);

/* For an input of that size, pixels; 0: the model takes any size, and *width and *height are set to
 * the requested one. AKIN_INPUT: they are incompatible. */
AKIN_MUST_CHECK akin_status akin_pretrained_recipe_view(const akin_pretrained_recipe *recipe,
                                                        const char *path, size_t *width,
                                                        size_t *height, akin_image_view *view);

/* The network's input of a picture seen [pixels, 3]: values [3, pixels], or [pixels, 3] where the
 * channels come last. */
void akin_pretrained_recipe_apply(const akin_pretrained_recipe *recipe, const uint8_t *seen,
                                  size_t pixels, bool channels_last, float *values);

#endif
