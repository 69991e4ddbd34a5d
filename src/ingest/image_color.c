/* image_color: colour profiles by Little CMS. */
#include "image_color.h"
#include <akin/hash.h>
#include <akin/image.h>
#include <lcms2.h>
#include <limits.h>
#include <string.h>

enum { KEPT = 8, GRID = 6, SAMPLES = GRID * GRID * GRID };

struct akin_color {
    uint64_t key;            /* hash of the profile and its use; 0 = an empty slot */
    bool converts, broken;   /* broken: ignored, and counted for each picture */
    cmsHTRANSFORM transform; /* NULL for a grey profile, for which the table is sufficient */
    uint8_t grey[UCHAR_MAX + 1][3];
};

static _Thread_local akin_color kept[KEPT];
static _Thread_local size_t next_place;
static _Thread_local uint64_t broken_count;

uint64_t akin_image_broken_profiles(void) {
    return broken_count;
}

void akin_color_count_broken(void) {
    broken_count++;
}

static cmsUInt32Number pixel_type(akin_color_layout layout, bool output) {
    switch (layout) {
    case AKIN_COLOR_RGB: return TYPE_RGB_8;
    case AKIN_COLOR_RGBA: return TYPE_RGBA_8;
    case AKIN_COLOR_CMYK: return output ? TYPE_RGB_8 : TYPE_CMYK_8;
    case AKIN_COLOR_CMYK_INVERTED: return output ? TYPE_RGB_8 : TYPE_CMYK_8_REV;
    case AKIN_COLOR_LAB: return output ? TYPE_RGB_8 : TYPE_Lab_8;
    }
    return 0;
}

/* Links and named colours are profiles too, but pictures do not use them. */
static bool is_of_a_picture(cmsHPROFILE profile) {
    switch (cmsGetDeviceClass(profile)) {
    case cmsSigInputClass:
    case cmsSigDisplayClass:
    case cmsSigOutputClass:
    case cmsSigColorSpaceClass: return true;
    default: return false;
    }
}

static bool fits(cmsHPROFILE profile, akin_color_layout layout, bool grey) {
    cmsColorSpaceSignature space = cmsGetColorSpace(profile);
    if (layout == AKIN_COLOR_LAB) return space == cmsSigLabData;
    if (!is_of_a_picture(profile)) return false;
    if (layout == AKIN_COLOR_CMYK || layout == AKIN_COLOR_CMYK_INVERTED)
        return space == cmsSigCmykData;
    return space == cmsSigRgbData || (grey && space == cmsSigGrayData);
}

/* Whether any of a grid of colours changes by more than a step. */
static bool changes_colors(cmsHTRANSFORM transform, size_t pixel) {
    uint8_t in[SAMPLES * 4], out[SAMPLES * 4];
    for (size_t i = 0; i < SAMPLES; i++) {
        const size_t steps[4] = {i % GRID, i / GRID % GRID, i / GRID / GRID, GRID - 1};
        for (size_t c = 0; c < pixel; c++)
            in[i * pixel + c] = (uint8_t)(steps[c] * UCHAR_MAX / (GRID - 1));
    }
    memcpy(out, in, SAMPLES * pixel);
    cmsDoTransform(transform, in, out, SAMPLES);
    for (size_t i = 0; i < SAMPLES * pixel; i++)
        if (out[i] > in[i] + 1 || in[i] > out[i] + 1) return true;
    return false;
}

static void take_grey(akin_color *color, cmsHTRANSFORM transform) {
    uint8_t levels[UCHAR_MAX + 1];
    for (int i = 0; i <= UCHAR_MAX; i++) levels[i] = (uint8_t)i;
    cmsDoTransform(transform, levels, color->grey, UCHAR_MAX + 1);
    for (int i = 0; i <= UCHAR_MAX; i++)
        for (int c = 0; c < 3; c++)
            if (color->grey[i][c] > i + 1 || i > color->grey[i][c] + 1) color->converts = true;
}

/* Builds the conversion; false if the profile is broken. */
static bool open_transform(akin_color *color, cmsHPROFILE profile, akin_color_layout layout,
                           bool grey) {
    if (!fits(profile, layout, grey)) return false;
    bool table = cmsGetColorSpace(profile) == cmsSigGrayData;
    cmsHPROFILE srgb = cmsCreate_sRGBProfile();
    if (!srgb) return false;
    cmsHTRANSFORM transform =
        cmsCreateTransform(profile, table ? TYPE_GRAY_8 : pixel_type(layout, false), srgb,
                           table ? TYPE_RGB_8 : pixel_type(layout, true), INTENT_PERCEPTUAL,
                           layout == AKIN_COLOR_RGBA && !table ? cmsFLAGS_COPY_ALPHA : 0);
    cmsCloseProfile(srgb);
    if (!transform) return false;
    if (table) {
        take_grey(color, transform);
    } else {
        bool inks = layout == AKIN_COLOR_CMYK || layout == AKIN_COLOR_CMYK_INVERTED;
        color->converts = inks || changes_colors(transform, layout == AKIN_COLOR_RGBA ? 4 : 3);
        if (color->converts) color->transform = transform;
    }
    if (!color->transform) cmsDeleteTransform(transform);
    return true;
}

static akin_color *empty_place(uint64_t key) {
    akin_color *color = &kept[next_place++ % KEPT];
    if (color->transform) cmsDeleteTransform(color->transform);
    *color = (akin_color){.key = key};
    return color;
}

/* The entry with the key, or NULL. */
static akin_color *find_kept(uint64_t key) {
    for (size_t i = 0; i < KEPT; i++)
        if (kept[i].key == key) return &kept[i];
    return NULL;
}

static const akin_color *judge(const akin_color *color) {
    if (color->broken) akin_color_count_broken();
    return color->converts ? color : NULL;
}

static void fill(akin_color *color, cmsHPROFILE profile, akin_color_layout layout, bool grey) {
    color->broken = !profile || !open_transform(color, profile, layout, grey);
    if (profile) cmsCloseProfile(profile);
}

static uint64_t key_of(const void *bytes, size_t count, akin_color_layout layout, bool grey) {
    uint64_t parts[2] = {akin_hash_64(bytes, count), (uint64_t)layout * 2 + grey};
    return akin_hash_64(parts, sizeof parts) | 1;
}

const akin_color *akin_color_find(const uint8_t *profile, size_t count, akin_color_layout layout,
                                  bool grey) {
    uint64_t key = key_of(profile, count, layout, grey);
    akin_color *color = find_kept(key);
    if (!color) {
        color = empty_place(key);
        fill(color,
             count <= INT_MAX ? cmsOpenProfileFromMem(profile, (cmsUInt32Number)count) : NULL,
             layout, grey);
    }
    return judge(color);
}

const akin_color *akin_color_find_primaries(const double xy[8], akin_color_layout layout) {
    uint64_t key = key_of(xy, 8 * sizeof *xy, layout, false);
    akin_color *color = find_kept(key);
    if (!color) {
        const cmsFloat64Number curve[5] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
        const cmsCIExyY white = {xy[6], xy[7], 1};
        const cmsCIExyYTRIPLE primaries = {{xy[0], xy[1], 1}, {xy[2], xy[3], 1}, {xy[4], xy[5], 1}};
        cmsToneCurve *tone = cmsBuildParametricToneCurve(NULL, 4, curve);
        cmsToneCurve *tones[3] = {tone, tone, tone};
        color = empty_place(key);
        fill(color, tone ? cmsCreateRGBProfile(&white, &primaries, tones) : NULL, layout, false);
        cmsFreeToneCurve(tone);
    }
    return judge(color);
}

const akin_color *akin_color_find_lab(void) {
    static const char name[] = "Lab";
    uint64_t key = key_of(name, sizeof name, AKIN_COLOR_LAB, false);
    akin_color *color = find_kept(key);
    if (!color) {
        color = empty_place(key);
        fill(color, cmsCreateLab4Profile(NULL), AKIN_COLOR_LAB, false);
    }
    return judge(color);
}

/* Ink on white paper, each layer transmitting what it does not absorb: 4 bytes to 3. */
static void mix_inks(const uint8_t *in, size_t count, uint8_t *out, bool inverted) {
    uint8_t flip = inverted ? 0 : UCHAR_MAX;
    for (size_t i = 0; i < count; i++, in += 4, out += 3) {
        unsigned black = in[3] ^ flip;
        for (int c = 0; c < 3; c++)
            out[c] = (uint8_t)(((in[c] ^ flip) * black + UCHAR_MAX / 2) / UCHAR_MAX);
    }
}

void akin_color_convert(const akin_color *color, akin_color_layout layout, const uint8_t *in,
                        size_t count, uint8_t *out) {
    bool inks = layout == AKIN_COLOR_CMYK || layout == AKIN_COLOR_CMYK_INVERTED;
    if (!color) {
        if (inks) mix_inks(in, count, out, layout == AKIN_COLOR_CMYK_INVERTED);
        return;
    }
    if (color->transform) {
        cmsDoTransform(color->transform, in, out, (cmsUInt32Number)count);
        return;
    }
    size_t step = layout == AKIN_COLOR_RGBA ? 4 : 3;
    for (size_t i = 0; i < count; i++, out += step) memcpy(out, color->grey[*out], 3);
}
