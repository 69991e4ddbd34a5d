/* augment: modified views of a picture. */
#include <akin/augment.h>
#include <akin/rng.h>
#include <math.h>
#include <string.h>

enum {
    SIDE = AKIN_AUGMENT_SIDE,
    ROW = SIDE * 3,
    IMAGE = AKIN_AUGMENT_BYTES,
    SQUARE = 8, /* side of a mask */
};

akin_augment akin_augment_damage(double strength) {
    float s = (float)strength;
    return (akin_augment){.masked = 0.25F * s, .noise = 0.1F * s};
}

akin_augment akin_augment_pair(double strength) {
    float s = (float)strength;
    return (akin_augment){.crop = 0.2F * s,
                          .shift = 0.05F * s,
                          .brightness = 0.1F * s,
                          .colour = 0.05F * s,
                          .mirrored = strength > 0};
}

/* --- random numbers --- */

/* Block `number` of the view: the first blocks determine its changes, the others its noise. */
enum { BLOCK_PLACE, BLOCK_LIGHT, BLOCK_SQUARES, BLOCK_NOISE = 256, BLOCKS = 4096 };

static void draw(const akin_augment_key *key, uint32_t number, uint32_t words[4]) {
    akin_rng_words(key->seed, AKIN_RNG_AUGMENT, key->epoch,
                   (key->item * 16 + key->view) * BLOCKS + number, words);
}

/* In [0, 1), of 24 bits, which a float holds. */
static float unit(uint32_t word) {
    return (float)(word >> 8) * 0x1p-24F;
}

static float either_side(uint32_t word) {
    return 2 * unit(word) - 1;
}

/* --- geometry --- */

/* For each of SIDE places along an axis: the source pixels before and after it, and the distance
 * to the latter. */
typedef struct {
    int before[SIDE], behind[SIDE];
    float far[SIDE];
} axis;

/* A window of `length` source pixels starting at `start` fills the axis; beyond the edge, the
 * edge pixel is repeated. */
static void lay_axis(float start, float length, bool mirrored, axis *a) {
    for (int i = 0; i < SIDE; i++) {
        float at = start + ((float)i + 0.5F) * length / SIDE - 0.5F;
        at = at < 0 ? 0 : at > SIDE - 1 ? SIDE - 1 : at;
        int before = (int)at, place = mirrored ? SIDE - 1 - i : i;
        a->before[place] = before;
        a->behind[place] = before < SIDE - 1 ? before + 1 : before;
        a->far[place] = at - (float)before;
    }
}

static void lay_one(const akin_augment *how, uint32_t word, bool mirrored, axis *a) {
    /* Three numbers from one word: 11, 11 and 10 bits are fine enough steps for 32 pixels. */
    float cut = how->crop * (float)(word & 2047) / 2047, place = (float)(word >> 11 & 2047) / 2047;
    float moved = how->shift * (2 * (float)(word >> 22) / 1023 - 1);
    lay_axis(SIDE * (cut * place + moved), SIDE * (1 - cut), mirrored, a);
}

/* Bilinear: first between two rows, then between two pixels. */
static void resample(const axis *vertical, const axis *horizontal, const uint8_t *image,
                     float *out) {
    float between[ROW];
    for (int r = 0; r < SIDE; r++, out += ROW) {
        const uint8_t *upper = image + vertical->before[r] * ROW,
                      *lower = image + vertical->behind[r] * ROW;
        const float far = vertical->far[r];
        for (int i = 0; i < ROW; i++)
            between[i] = (float)upper[i] + far * (float)(lower[i] - upper[i]);
        for (int c = 0; c < SIDE; c++) {
            const float *left = between + 3 * horizontal->before[c],
                        *right = between + 3 * horizontal->behind[c];
            for (int k = 0; k < 3; k++)
                out[3 * c + k] = left[k] + horizontal->far[c] * (right[k] - left[k]);
        }
    }
}

static void place(const akin_augment *how, const akin_augment_key *key, const uint8_t *image,
                  float *out) {
    if (how->crop <= 0 && how->shift <= 0 && !how->mirrored) {
        for (int i = 0; i < IMAGE; i++) out[i] = image[i];
        return;
    }
    uint32_t words[4];
    axis vertical, horizontal;
    draw(key, BLOCK_PLACE, words);
    lay_one(how, words[0], false, &vertical);
    lay_one(how, words[1], how->mirrored && words[2] >> 31, &horizontal);
    resample(&vertical, &horizontal, image, out);
}

/* --- colour and damage --- */

static void light(const akin_augment *how, const akin_augment_key *key, float *view) {
    if (how->brightness <= 0 && how->colour <= 0) return;
    uint32_t words[4];
    float factors[ROW];
    draw(key, BLOCK_LIGHT, words);
    for (int i = 0; i < ROW; i++)
        factors[i] = (1 + how->brightness * either_side(words[3])) *
                     (1 + how->colour * either_side(words[i % 3]));
    for (int r = 0; r < SIDE; r++)
        for (int i = 0; i < ROW; i++) view[r * ROW + i] *= factors[i];
}

static void mean_colour(const float *view, float mean[3]) {
    mean[0] = mean[1] = mean[2] = 0;
    for (int i = 0; i < IMAGE; i += 3)
        for (int k = 0; k < 3; k++) mean[k] += view[i + k];
    for (int k = 0; k < 3; k++) mean[k] /= SIDE * SIDE;
}

/* Squares anywhere, possibly overlapping each other and the edge. */
static void mask(const akin_augment *how, const akin_augment_key *key, float *view) {
    const int count = (int)lrintf(how->masked * (SIDE * SIDE / (SQUARE * SQUARE)));
    float mean[3];
    if (count <= 0) return;
    mean_colour(view, mean);
    for (int s = 0; s < count && s < BLOCK_NOISE - BLOCK_SQUARES; s++) {
        uint32_t words[4];
        draw(key, BLOCK_SQUARES + (uint32_t)s, words);
        int top = (int)(words[0] % (SIDE + SQUARE - 1)) - SQUARE + 1;
        int left = (int)(words[1] % (SIDE + SQUARE - 1)) - SQUARE + 1;
        for (int r = top < 0 ? 0 : top; r < top + SQUARE && r < SIDE; r++)
            for (int c = left < 0 ? 0 : left; c < left + SQUARE && c < SIDE; c++)
                memcpy(view + r * ROW + 3 * c, mean, sizeof mean);
    }
}

/* Nearly normal: the sum of four bytes of a block (mean 510, variance 4 * (256^2 - 1) / 12). */
static void add_noise(const akin_augment *how, const akin_augment_key *key, float *view) {
    if (how->noise <= 0) return;
    const float scale = 255 * how->noise / sqrtf(65535.0F / 3);
    for (int i = 0; i < IMAGE; i += 4) {
        uint32_t words[4];
        draw(key, BLOCK_NOISE + (uint32_t)i / 4, words);
        for (int k = 0; k < 4; k++) {
            uint32_t w = words[k], sum = (w & 255) + (w >> 8 & 255) + (w >> 16 & 255) + (w >> 24);
            view[i + k] += scale * ((float)sum - 510);
        }
    }
}

void akin_augment_view(const akin_augment *how, const akin_augment_key *key, const uint8_t *image,
                       uint8_t *out) {
    float view[IMAGE];
    place(how, key, image, view);
    light(how, key, view);
    mask(how, key, view);
    add_noise(how, key, view);
    for (int i = 0; i < IMAGE; i++) {
        float value = view[i] < 0 ? 0 : view[i] > 255 ? 255 : view[i];
        out[i] = (uint8_t)(value + 0.5F);
    }
}
