/* area: exact area averages. */
#include "area.h"
#include <akin/mem.h>
#include <stdbool.h>
#include <string.h>

/* The part of its axis that one output column (or row) covers: source pixels first..last, the end
 * ones partially. */
typedef struct {
    size_t first, last;
    uint64_t first_weight, last_weight; /* last_weight counts only if last > first */
} bin;

typedef struct {
    size_t count;
    bin *bins;             /* [count], ascending */
    uint64_t inner_weight; /* weight of a pixel that lies entirely inside */
    uint64_t total;        /* weight of a bin, the same for all */
} axis;

struct akin_area {
    size_t source_width, source_height;
    axis x, y;
    uint64_t *row; /* [x.count, 3]: the sums of one source row */
    uint64_t *sum; /* [y.count, x.count, 3] */
};

/* Positions are counted in 1 / (unit * count) of a pixel, so that the borders of all bins are
 * whole numbers. */
static akin_status axis_create(size_t pixels, uint64_t begin, uint64_t end, size_t count,
                               axis *out) {
    uint64_t pixel = (uint64_t)AKIN_AREA_UNIT * count, length = end - begin;
    out->count = count;
    out->inner_weight = pixel;
    out->total = length;
    out->bins = akin_mem_alloc(count, sizeof *out->bins);
    if (!out->bins) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) {
        uint64_t from = begin * count + length * i, to = from + length;
        bin *b = &out->bins[i];
        if (length < pixel) {
            b->first = (size_t)((from + to) / (2 * pixel));
            if (b->first >= pixels) b->first = pixels - 1;
            b->last = b->first;
            b->first_weight = length;
            b->last_weight = 0;
            continue;
        }
        b->first = (size_t)(from / pixel);
        b->last = (size_t)((to - 1) / pixel);
        bool one = b->first == b->last;
        b->first_weight = one ? length : pixel * (b->first + 1) - from;
        b->last_weight = one ? 0 : to - pixel * b->last;
    }
    return AKIN_OK;
}

akin_status akin_area_create(size_t source_width, size_t source_height, const akin_area_box *box,
                             size_t width, size_t height, akin_area **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    AKIN_ASSERT(width > 0 && height > 0 && box->x0 < box->x1 && box->y0 < box->y1);
    AKIN_ASSERT(box->x1 <= (uint64_t)source_width * AKIN_AREA_UNIT);
    AKIN_ASSERT(box->y1 <= (uint64_t)source_height * AKIN_AREA_UNIT);
    akin_area *area = akin_mem_zalloc(1, sizeof *area);
    if (!area) return AKIN_FAILED;
    area->source_width = source_width;
    area->source_height = source_height;
    AKIN_TRY(axis_create(source_width, box->x0, box->x1, width, &area->x));
    AKIN_TRY(axis_create(source_height, box->y0, box->y1, height, &area->y));
    area->row = akin_mem_alloc(width, 3 * sizeof *area->row);
    area->sum = akin_mem_zalloc(width * height, 3 * sizeof *area->sum);
    if (!area->row || !area->sum) status = AKIN_FAILED;
done:
    if (status == AKIN_OK) {
        *out = area;
    } else {
        akin_area_free(area);
    }
    return status;
}

void akin_area_free(akin_area *area) {
    if (!area) return;
    akin_mem_free(area->x.bins);
    akin_mem_free(area->y.bins);
    akin_mem_free(area->row);
    akin_mem_free(area->sum);
    akin_mem_free(area);
}

/* The first bin that extends to the pixel or beyond. */
static size_t axis_find(const axis *a, size_t pixel) {
    size_t low = 0, high = a->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (a->bins[middle].last < pixel) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Whether the pixel can contribute to a bin; rows that a crop leaves out cost nothing. */
static bool axis_covers(const axis *a, size_t pixel) {
    return pixel >= a->bins[0].first && pixel <= a->bins[a->count - 1].last;
}

static uint64_t axis_weight(const axis *a, const bin *b, size_t pixel) {
    if (pixel == b->first) return b->first_weight;
    return pixel == b->last ? b->last_weight : a->inner_weight;
}

/* Adds the sums of a source row to the output rows that it contributes to. */
static void add_row(akin_area *area, size_t y) {
    size_t values = area->x.count * 3;
    for (size_t i = axis_find(&area->y, y); i < area->y.count && area->y.bins[i].first <= y; i++) {
        uint64_t weight = axis_weight(&area->y, &area->y.bins[i], y), *sum = area->sum + i * values;
        for (size_t v = 0; v < values; v++) sum[v] += weight * area->row[v];
    }
}

void akin_area_row(akin_area *area, size_t y, const uint8_t *rgb) {
    AKIN_ASSERT(y < area->source_height);
    if (!axis_covers(&area->y, y)) return;
    for (size_t i = 0; i < area->x.count; i++) {
        const bin *b = &area->x.bins[i];
        const uint8_t *first = rgb + 3 * b->first, *last = rgb + 3 * b->last;
        uint64_t red = 0, green = 0, blue = 0;
        for (const uint8_t *p = first + 3; p < last; p += 3) {
            red += p[0];
            green += p[1];
            blue += p[2];
        }
        uint64_t *sum = area->row + 3 * i;
        sum[0] = red * area->x.inner_weight + first[0] * b->first_weight + last[0] * b->last_weight;
        sum[1] =
            green * area->x.inner_weight + first[1] * b->first_weight + last[1] * b->last_weight;
        sum[2] =
            blue * area->x.inner_weight + first[2] * b->first_weight + last[2] * b->last_weight;
    }
    add_row(area, y);
}

void akin_area_pixels(akin_area *area, size_t y, size_t x, size_t step, size_t count,
                      const uint8_t *rgb) {
    AKIN_ASSERT(y < area->source_height);
    if (!axis_covers(&area->y, y)) return;
    memset(area->row, 0, area->x.count * 3 * sizeof *area->row);
    size_t at = axis_find(&area->x, x);
    for (size_t i = 0; i < count; i++, x += step, rgb += 3) {
        while (at < area->x.count && area->x.bins[at].last < x) at++;
        for (size_t j = at; j < area->x.count && area->x.bins[j].first <= x; j++) {
            uint64_t weight = axis_weight(&area->x, &area->x.bins[j], x), *sum = area->row + 3 * j;
            for (size_t c = 0; c < 3; c++) sum[c] += weight * rgb[c];
        }
    }
    add_row(area, y);
}

void akin_area_finish(const akin_area *area, uint8_t *rgb) {
    uint64_t total = area->x.total * area->y.total;
    size_t values = area->x.count * area->y.count * 3;
    for (size_t v = 0; v < values; v++) rgb[v] = (uint8_t)((area->sum[v] + total / 2) / total);
}
