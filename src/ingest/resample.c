/* resample: separable filters. */
#include "resample.h"
#include <akin/mem.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The part of its axis that one output uses: `count` pixels, starting with `first`, with the
 * weights at `at`. */
typedef struct {
    size_t first, count, at;
} taps;

typedef struct {
    size_t count, pixels;
    taps *taps;     /* [count], first and last ascending */
    float *weights; /* the weights of an output add up to 1 */
} axis;

struct akin_resample {
    axis x, y;
    float *row;       /* [x.count, 3] */
    float *sum;       /* [y.count, x.count, 3] */
    uint8_t *partial; /* [x.pixels, 3]: a row of which only some pixels are given */
};

/* --- filters: value at a distance in pixels of the smaller side --- */

static double box(double x) {
    return x > -0.5 && x <= 0.5 ? 1 : 0;
}

static double triangle(double x) {
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

/* Keys (1981), a = -0.5. */
static double cubic(double x) {
    x = fabs(x);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

static double sinc(double x) {
    return x == 0 ? 1 : sin(M_PI * x) / (M_PI * x);
}

static double lanczos(double x) {
    return fabs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
}

static double hamming(double x) {
    return fabs(x) < 1 ? sinc(x) * (0.54 + 0.46 * cos(M_PI * x)) : 0;
}

static const struct {
    double (*value)(double x);
    double support;
} filters[AKIN_IMAGE_FILTERS] = {
    [AKIN_IMAGE_NEAREST] = {NULL, 0},      [AKIN_IMAGE_LANCZOS] = {lanczos, 3},
    [AKIN_IMAGE_BILINEAR] = {triangle, 1}, [AKIN_IMAGE_BICUBIC] = {cubic, 2},
    [AKIN_IMAGE_BOX] = {box, 0.5},         [AKIN_IMAGE_HAMMING] = {hamming, 1},
};

/* --- axes --- */

/* The pixels used by output `i` of the resized axis. */
static taps taps_of(const akin_resample_axis *a, akin_image_filter filter, size_t i, double *center,
                    double *widened) {
    double scale = a->extent / (double)a->resized;
    *widened = scale > 1 ? scale : 1;
    *center = ((double)i + 0.5) * scale;
    double support = filters[filter].support * *widened, last = (double)a->pixels;
    double from = filters[filter].value ? floor(*center - support + 0.5) : floor(*center);
    double to = filters[filter].value ? floor(*center + support + 0.5) : from + 1;
    from = fmin(fmax(from, 0), last - 1);
    to = fmin(fmax(to, from + 1), last);
    return (taps){.first = (size_t)from, .count = (size_t)(to - from)};
}

static void weigh(akin_image_filter filter, const taps *t, double center, double widened,
                  float *weights) {
    double sum = 0;
    for (size_t k = 0; k < t->count; k++) {
        double distance = ((double)(t->first + k) - center + 0.5) / widened;
        double value = filters[filter].value ? filters[filter].value(distance) : 1;
        weights[k] = (float)value;
        sum += value;
    }
    for (size_t k = 0; k < t->count; k++)
        weights[k] = sum != 0 ? (float)(weights[k] / sum) : 1 / (float)t->count;
}

static akin_status axis_create(const akin_resample_axis *from, akin_image_filter filter,
                               axis *out) {
    double center, widened;
    size_t total = 0;
    out->count = from->count;
    out->pixels = from->pixels;
    out->taps = akin_mem_alloc(from->count, sizeof *out->taps);
    if (!out->taps) return AKIN_FAILED;
    for (size_t i = 0; i < from->count; i++) {
        out->taps[i] = taps_of(from, filter, from->first + i, &center, &widened);
        out->taps[i].at = total;
        total += out->taps[i].count;
    }
    out->weights = akin_mem_alloc(total, sizeof *out->weights);
    if (!out->weights) return AKIN_FAILED;
    for (size_t i = 0; i < from->count; i++) {
        taps t = taps_of(from, filter, from->first + i, &center, &widened);
        weigh(filter, &t, center, widened, out->weights + out->taps[i].at);
    }
    return AKIN_OK;
}

akin_status akin_resample_create(const akin_resample_axis *x, const akin_resample_axis *y,
                                 akin_image_filter filter, akin_resample **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    AKIN_ASSERT(x->pixels > 0 && y->pixels > 0 && x->first + x->count <= x->resized &&
                y->first + y->count <= y->resized);
    akin_resample *resample = akin_mem_zalloc(1, sizeof *resample);
    if (!resample) return AKIN_FAILED;
    AKIN_TRY(axis_create(x, filter, &resample->x));
    AKIN_TRY(axis_create(y, filter, &resample->y));
    resample->row = akin_mem_alloc(x->count, 3 * sizeof *resample->row);
    resample->sum = akin_mem_zalloc(x->count * y->count, 3 * sizeof *resample->sum);
    resample->partial = akin_mem_alloc(x->pixels, 3);
    if (!resample->row || !resample->sum || !resample->partial) {
        status = AKIN_FAILED;
        goto done;
    }
    *out = resample;
    resample = NULL;
done:
    akin_resample_free(resample);
    return status;
}

void akin_resample_free(akin_resample *resample) {
    if (!resample) return;
    akin_mem_free(resample->x.taps);
    akin_mem_free(resample->x.weights);
    akin_mem_free(resample->y.taps);
    akin_mem_free(resample->y.weights);
    akin_mem_free(resample->row);
    akin_mem_free(resample->sum);
    akin_mem_free(resample->partial);
    akin_mem_free(resample);
}

/* --- rows --- */

/* The first output whose last pixel is not before `pixel`. */
static size_t axis_find(const axis *a, size_t pixel) {
    size_t low = 0, high = a->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (a->taps[middle].first + a->taps[middle].count <= pixel) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void filter_row(akin_resample *resample, const uint8_t *rgb) {
    for (size_t i = 0; i < resample->x.count; i++) {
        const taps *t = &resample->x.taps[i];
        const float *weights = resample->x.weights + t->at;
        const uint8_t *pixel = rgb + 3 * t->first;
        float red = 0, green = 0, blue = 0;
        for (size_t k = 0; k < t->count; k++, pixel += 3) {
            red += weights[k] * (float)pixel[0];
            green += weights[k] * (float)pixel[1];
            blue += weights[k] * (float)pixel[2];
        }
        float *to = resample->row + 3 * i;
        to[0] = red;
        to[1] = green;
        to[2] = blue;
    }
}

void akin_resample_row(akin_resample *resample, size_t y, const uint8_t *rgb) {
    const axis *down = &resample->y;
    size_t values = resample->x.count * 3, i = axis_find(down, y);
    if (i == down->count || down->taps[i].first > y) return;
    filter_row(resample, rgb);
    for (; i < down->count && down->taps[i].first <= y; i++) {
        float weight = down->weights[down->taps[i].at + (y - down->taps[i].first)];
        float *sum = resample->sum + i * values;
        for (size_t v = 0; v < values; v++) sum[v] += weight * resample->row[v];
    }
}

void akin_resample_pixels(akin_resample *resample, size_t y, size_t x, size_t step, size_t count,
                          const uint8_t *rgb) {
    memset(resample->partial, 0, resample->x.pixels * 3);
    for (size_t i = 0; i < count; i++, x += step) memcpy(resample->partial + 3 * x, rgb + 3 * i, 3);
    akin_resample_row(resample, y, resample->partial);
}

void akin_resample_finish(const akin_resample *resample, uint8_t *rgb) {
    size_t values = resample->x.count * resample->y.count * 3;
    for (size_t v = 0; v < values; v++) {
        float value = resample->sum[v] + 0.5F;
        rgb[v] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : (int)value);
    }
}
