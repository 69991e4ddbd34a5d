/* pooled: backward through a convolution whose result was pooled. Compiled once per level of
 * x86-64 (cpu.h). */
#include "pooled.h"
#include "conv.h"
#include <akin/cpu.h>
#include <stdbool.h>
#include <string.h>

#include <akin/simd.h>

/* --- weights --- */

enum {
    CHUNK =
        AKIN_LEVEL == 1 ? 48 : 96, /* inputs whose sums stay in registers: 12, 12 and 6 vectors */
    BAND = 4,                      /* pooled rows whose input fits into the first-level cache */
};

typedef struct {
    const float *gradient;
    const uint8_t *where;
    size_t first, last, room; /* room: for the entries of a channel */
} band;

/* For each channel of the result, the gradients of the band's rows first..last-1 that are not zero,
 * and the start in the input of the neighbourhood that they belong to. Every entry is written without
 * a branch and kept by advancing the counter. */
static void list_by_channel(const akin_pooled_shape *shape, const band *of,
                            akin_pooled_entry *lists, size_t *counts) {
    const float *gradient = of->gradient;
    const uint8_t *where = of->where;
    const size_t last = of->last, room = of->room; /* what is written cannot change these */
    const size_t width = 2 * shape->columns + 2;
    memset(counts, 0, shape->out * sizeof *counts);
    for (size_t r = of->first; r < last; r++)
        for (size_t c = 0; c < shape->columns; c++) {
            const size_t from = (r * shape->columns + c) * shape->out;
            uint32_t places[4];
            for (size_t k = 0; k < 4; k++)
                places[k] = (uint32_t)(((2 * r + k / 2) * width + 2 * c + k % 2) * shape->in);
            for (size_t o = 0; o < shape->out; o++) {
                const float value = gradient[from + o];
                lists[o * room + counts[o]] = (akin_pooled_entry){value, places[where[from + o]]};
                counts[o] += value != 0;
            }
        }
}

INLINE void add_chunk(const akin_pooled_entry *list, size_t count, const float *input, float *sum) {
    vector part[CHUNK / WIDTH];
    UNROLL for (size_t v = 0; v < CHUNK / WIDTH; v++) part[v] = load(sum + v * WIDTH);
    for (size_t e = 0; e < count; e++) {
        const float *x = input + list[e].at;
        UNROLL for (size_t v = 0; v < CHUNK / WIDTH; v++) part[v] +=
            list[e].value * load(x + v * WIDTH);
    }
    UNROLL for (size_t v = 0; v < CHUNK / WIDTH; v++) store(sum + v * WIDTH, part[v]);
}

static void weights_gradient(const akin_pooled_shape *shape, const float *input,
                             const float *gradient, const uint8_t *where,
                             akin_pooled_entry *scratch, float *sum) {
    size_t counts[AKIN_POOLED_CHANNELS];
    const size_t run = 3 * shape->in, input_row = (2 * shape->columns + 2) * shape->in;
    const size_t room = BAND * shape->columns;
    for (size_t first = 0; first < shape->rows; first += BAND) {
        const size_t last = first + BAND < shape->rows ? first + BAND : shape->rows;
        const band here = {gradient, where, first, last, room};
        list_by_channel(shape, &here, scratch, counts);
        for (size_t o = 0; o < shape->out; o++)
            for (size_t i = 0; i < 3; i++)
                for (size_t k = 0; k < run; k += CHUNK)
                    add_chunk(scratch + o * room, counts[o], input + i * input_row + k,
                              sum + (o * 3 + i) * run + k);
    }
}

/* --- data --- */

enum {
    LANES = AKIN_CONV_LANES,
    SETS = AKIN_LEVEL == 4   ? 4
           : AKIN_LEVEL == 3 ? 2
                             : 1, /* sums side by side, which hide the latency of an FMA */
};

/* A row of the convolution's gradient: its entries from left to right, begins[x] the first of pixel
 * x. */
typedef struct {
    size_t begins[2 * AKIN_POOLED_COLUMNS + 1];
} row_index;

/* The entries of two rows of the convolution's gradient, pixel by pixel in slots of shape->out
 * each; counts [2 rows * 2 columns]. An entry's `at` is the position of its weights as if the
 * row of pixels were the kernel's columns; the offset of the computed pixel is subtracted. The
 * inner loop is over pooled columns, so that no counter is waited for. */
static void list_by_pixel(const akin_pooled_shape *shape, const float *gradient,
                          const uint8_t *where, akin_pooled_entry *slots, uint32_t *counts) {
    const size_t width = 2 * shape->columns;
    memset(counts, 0, 2 * width * sizeof *counts);
    for (size_t o = 0; o < shape->out; o++)
        for (size_t c = 0; c < shape->columns; c++) {
            const size_t from = c * shape->out + o, place = where[from];
            const size_t column = 2 * c + place % 2, pixel = place / 2 * width + column;
            slots[pixel * shape->out + counts[pixel]] = (akin_pooled_entry){
                gradient[from], (uint32_t)((column * shape->out + o) * shape->in)};
            counts[pixel] += gradient[from] != 0;
        }
}

/* The same, without gaps in a row: rows at entries and entries + room. */
static void list_rows(const akin_pooled_shape *shape, const float *gradient, const uint8_t *where,
                      size_t room, akin_pooled_entry *slots, akin_pooled_entry *entries,
                      row_index *rows) {
    uint32_t counts[4 * AKIN_POOLED_COLUMNS];
    const size_t width = 2 * shape->columns;
    list_by_pixel(shape, gradient, where, slots, counts);
    for (size_t y = 0; y < 2; y++) {
        size_t at = 0;
        for (size_t x = 0; x < width; x++) {
            const size_t pixel = y * width + x;
            rows[y].begins[x] = at;
            memcpy(entries + y * room + at, slots + pixel * shape->out,
                   counts[pixel] * sizeof *entries);
            at += counts[pixel];
        }
        rows[y].begins[width] = at;
    }
}

/* out [LANES] = start + sum of the entries' values times their weights, finished by `alive` if
 * that is not NULL. */
INLINE void add_entries(const akin_pooled_entry *entries, size_t count, const float *weights,
                        ptrdiff_t shift, const float *alive, bool more, float *out) {
    vector sum[SETS][LANES / WIDTH] = {0};
    if (more) {
        UNROLL for (size_t v = 0; v < LANES / WIDTH; v++) sum[0][v] = load(out + v * WIDTH);
    }
    for (size_t e = 0; e < count; e += SETS) {
        UNROLL for (size_t s = 0; s < SETS; s++) {
            const akin_pooled_entry entry = entries[e + s < count ? e + s : e];
            const float value = e + s < count ? entry.value : 0;
            UNROLL for (size_t v = 0; v < LANES / WIDTH; v++) sum[s][v] +=
                value * load(weights + (entry.at - shift) + v * WIDTH);
        }
    }
    UNROLL for (size_t v = 0; v < LANES / WIDTH; v++) {
        vector total = sum[0][v];
        UNROLL for (size_t s = 1; s < SETS; s++) total += sum[s][v];
        if (alive) total = where_alive(load(alive + v * WIDTH), total);
        store(out + v * WIDTH, total);
    }
}

/* One kernel row at a time, so that its weights stay in the first-level cache. */
static void data_gradient(const akin_pooled_shape *shape, const float *input, const float *gradient,
                          const uint8_t *where, const float *turned, akin_pooled_entry *scratch,
                          float *out) {
    row_index rows[2 * AKIN_POOLED_COLUMNS];
    const size_t height = 2 * shape->rows, width = 2 * shape->columns,
                 room = shape->columns * shape->out;
    const size_t tap = shape->out * shape->in, pooled_row = shape->columns * shape->out;
    akin_pooled_entry *slots = scratch + height * room;
    for (size_t r = 0; r < shape->rows; r++)
        list_rows(shape, gradient + r * pooled_row, where + r * pooled_row, room, slots,
                  scratch + 2 * r * room, rows + 2 * r);
    for (size_t i = 0; i < 3; i++)
        for (size_t y = 0; y < height; y++)
            for (size_t x = 0; x < width; x++) {
                const bool inside = y + i >= 1 && y + i <= height;
                const size_t row = inside ? y + i - 1 : 0;
                const size_t begin = rows[row].begins[x < 1 ? 0 : x - 1];
                const size_t end = inside ? rows[row].begins[x + 2 < width ? x + 2 : width] : begin;
                const ptrdiff_t shift = ((ptrdiff_t)x - 1) * (ptrdiff_t)tap;
                const size_t at = ((y + 1) * (width + 2) + x + 1) * shape->in;
                for (size_t k = 0; k < shape->in; k += LANES)
                    add_entries(scratch + row * room + begin, end - begin, turned + i * 3 * tap + k,
                                shift, i == 2 ? input + at + k : NULL, i > 0, out + at + k);
            }
}

const akin_pooled_kernels AKIN_LEVELED(akin_pooled_kernels) = {weights_gradient, data_gradient};

#if AKIN_LEVEL == 1
extern const akin_pooled_kernels akin_pooled_kernels_v3, akin_pooled_kernels_v4;

const akin_pooled_kernels *akin_pooled(void) {
    static const akin_pooled_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_pooled_kernels_v1, &akin_pooled_kernels_v3, &akin_pooled_kernels_v4,
        &akin_pooled_kernels_v4, &akin_pooled_kernels_v4};
    return levels[akin_cpu_active()];
}
#endif
