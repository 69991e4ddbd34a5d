/* sketch: rows in 8 bits, and the proven bound, compiled once per level. */
#include <akin/cpu.h>
#include <akin/dot.h>
#include <akin/sketch.h>
#include <math.h>
#include <string.h>

enum { PANEL = AKIN_SKETCH_PANEL };

static const double column_limit = 127;
/* Rounding lengthens 64 numbers by at most 64^(1/2) / 2 = 4. */
static const double row_part = 128 - 4, column_part = 255 - 4;
static const double largest_scale =
    1 << 14; /* so that thresholds fit 32 bits where all rows are nearly one */

static float above(double x) {
    return (float)(x * (1 + 0x1p-20) + 0x1p-60);
}

enum {
    LANES = 8,
    CHUNK = 1024 /* dimensions, whole groups */
};               /* sums and maxima go in so many parts, in vectors */

/* --- compiled once per level --- */

/* Loops over arrays of eight stay scalar (gcc 12), vectors of the compiler's own do not. */
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef int64_t masks __attribute__((vector_size(LANES * sizeof(int64_t))));
typedef int32_t wholes __attribute__((vector_size(LANES * sizeof(int32_t))));
#define INLINE static inline __attribute__((always_inline))

INLINE lanes read(const float *from) {
    typedef float reals __attribute__((vector_size(LANES * sizeof(float))));
    reals value;
    memcpy(&value, from, sizeof value);
    return __builtin_convertvector(value, lanes);
}

INLINE lanes read_taken(const double *from) {
    lanes value;
    memcpy(&value, from, sizeof value);
    return value;
}

/* The sum and the difference of two vectors. */
INLINE void add_and_subtract(lanes *a, lanes *b) {
    lanes sum = *a + *b;
    *b = *a - *b;
    *a = sum;
}

INLINE lanes read_lane(const double *x, size_t i) {
    return read_taken(x + i * LANES);
}

INLINE void write_lane(double *x, size_t i, lanes value) {
    memcpy(x + i * LANES, &value, sizeof value);
}

/* The eight numbers of a vector by their Hadamard matrix, one of its factors after the other. */
INLINE lanes turn_lanes(lanes x) {
    static const lanes signs[] = {
        {1, -1, 1, -1, 1, -1, 1, -1}, {1, 1, -1, -1, 1, 1, -1, -1}, {1, 1, 1, 1, -1, -1, -1, -1}};
    x = x * signs[0] + __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6);
    x = x * signs[1] + __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5);
    return x * signs[2] + __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3);
}

/* Multiplies so many vectors by the Hadamard matrix of all their numbers; lane by lane two of its factors at a
 * time, which halves the reading and writing. */
INLINE void turn(double *x, size_t together) {
    size_t half = 1;
    for (size_t i = 0; i < together; i++) write_lane(x, i, turn_lanes(read_lane(x, i)));
    for (; half * 4 <= together; half *= 4)
        for (size_t first = 0; first < together; first += 4 * half)
            for (size_t i = first; i < first + half; i++) {
                lanes a = read_lane(x, i), b = read_lane(x, i + half),
                      c = read_lane(x, i + 2 * half), d = read_lane(x, i + 3 * half);
                add_and_subtract(&a, &b), add_and_subtract(&c, &d);
                add_and_subtract(&a, &c), add_and_subtract(&b, &d);
                write_lane(x, i, a), write_lane(x, i + half, b);
                write_lane(x, i + 2 * half, c), write_lane(x, i + 3 * half, d);
            }
    for (size_t i = 0; half < together && i < half; i++) {
        lanes a = read_lane(x, i), b = read_lane(x, i + half);
        add_and_subtract(&a, &b);
        write_lane(x, i, a), write_lane(x, i + half, b);
    }
}

/* Rounding in double, here and in all that follows, is far below the 2^-19 that a margin adds. */
static void take(const float *rows, size_t count, size_t stride, double *taken) {
    typedef uint64_t whole_lanes __attribute__((vector_size(LANES * sizeof(uint64_t))));
    const size_t together = akin_sketch_turned(stride);
    const double scale = 1 / sqrt((double)(LANES * together));
    for (size_t i = 0; i < count; i++, rows += stride, taken += stride) {
        whole_lanes at = {0, 1, 2, 3, 4, 5, 6, 7};
        for (size_t t = 0; t < stride; t += LANES, at += LANES) {
            lanes x = read(rows + t);
            if (together > 1)
                x = (lanes)((whole_lanes)(x * scale) ^
                            (at * at * AKIN_SKETCH_SIGNS & (UINT64_C(1) << 63)));
            memcpy(taken + t, &x, sizeof x);
        }
        for (size_t t = 0; together > 1 && t < stride; t += together * LANES)
            turn(taken + t, together);
    }
}

/* Numbers relative to `from`; NULL is a constant where this is inlined. */
INLINE lanes read_from(const double *taken, const double *from, size_t t) {
    lanes x = read_taken(taken + t);
    return from != NULL ? x - read_taken(from + t) : x;
}

INLINE lanes larger(lanes a, lanes b) {
    masks above = (masks)(a > b);
    return (lanes)(((masks)a & above) | ((masks)b & ~above));
}

INLINE lanes size_of(lanes x) {
    return (lanes)((masks)x & INT64_MAX);
}

/* The nearest whole numbers; |x| < 2^51. The sum has no bits for a fraction (a call of rint() costs
 * more than all else). */
INLINE lanes nearest(lanes x) {
    return (x + 0x1.8p52) - 0x1.8p52;
}

INLINE void write_bytes(wholes from, int8_t *to) {
    typedef int8_t bytes __attribute__((vector_size(LANES)));
    bytes value = __builtin_convertvector(from, bytes);
    memcpy(to, &value, sizeof value);
}

INLINE wholes read_bytes(const int8_t *from) {
    typedef int8_t bytes __attribute__((vector_size(LANES)));
    bytes value;
    memcpy(&value, from, sizeof value);
    return __builtin_convertvector(value, wholes);
}

INLINE double total(lanes sums) {
    double sum = 0;
    for (int l = 0; l < LANES; l++) sum += sums[l];
    return sum;
}

/* The smallest cosine of a row's angle to the mean of that length. */
static double least_cosine(const float *rows, size_t count, size_t stride, const float *centre,
                           double length) {
    double least = 1;
    for (size_t i = 0; i < count; i++) {
        lanes product = {0}, own = {0};
        for (size_t t = 0; t < stride; t += LANES) {
            lanes x = read(rows + i * stride + t);
            product += read(centre + t) * x;
            own += x * x;
        }
        double square = total(own),
               cosine = square > 0 ? total(product) / (length * sqrt(square)) : -1;
        least = cosine < least ? cosine : least;
    }
    return least - 0x1p-22; /* for the rounding of this */
}

static double length_of(const float *centre, size_t stride) {
    double square = 0;
    for (size_t t = 0; t < stride; t++) square += (double)centre[t] * centre[t];
    return sqrt(square);
}

static void mean_of(const float *rows, size_t count, size_t stride, double least, float *centre) {
    memset(centre, 0, stride * sizeof *centre);
    for (size_t i = 0; i < count; i++)
        for (size_t t = 0; t < stride; t++) centre[t] += rows[i * stride + t];
    for (size_t t = 0; t < stride; t++) centre[t] /= (float)count;
    const double length = length_of(centre, stride);
    if (length * length < least) memset(centre, 0, stride * sizeof *centre);
}

static void cone_of(const float *rows, size_t count, size_t stride, size_t dim, const float *centre,
                    akin_sketch *out) {
    const double length = length_of(centre, stride);
    *out = (akin_sketch){.cos_radius = -1};
    if (length == 0) return;
    double least = least_cosine(rows, count, stride, centre, length);
    out->inverse = (float)(1 / length);
    out->cos_radius = least > -1 ? (float)least : -1;
    out->sin_radius = (float)sqrt(1 - (double)out->cos_radius * out->cos_radius);
    out->slack = (float)(akin_dot_bound(dim) * out->inverse + 0x1p-18);
}

/* The largest scale at which the numbers fit: each into `limit`, each part of a group into `part`.
 */
typedef struct {
    double largest, longest;
} extent;

INLINE void widen(extent *e, akin_sketch_format format, const double *taken, const double *from,
                  size_t stride) {
    const size_t group = akin_sketch_group(format);
    lanes largest = {0};
    for (size_t g = 0; g < stride; g += group) {
        lanes squares = {0};
        double parts[2] = {0, 0};
        for (size_t t = g; t < stride && t < g + group; t += LANES) {
            lanes x = read_from(taken, from, t);
            largest = larger(size_of(x), largest);
            squares += x * x;
        }
        for (int l = 0; l < LANES; l++) parts[l >> 1 & 1] += squares[l];
        double longer = format.together == 2  ? parts[0] + parts[1]
                        : parts[0] > parts[1] ? parts[0]
                                              : parts[1];
        if (longer > e->longest) e->longest = longer;
    }
    for (int l = 0; l < LANES; l++)
        if (largest[l] > e->largest) e->largest = largest[l];
}

static float scale_for(const extent *e, double limit, bool narrow, double part) {
    double scale = largest_scale, longest = sqrt(e->longest);
    if (e->largest * scale > limit) scale = limit / e->largest;
    if (narrow && longest * scale > part) scale = part / longest;
    return (float)(scale * (1 - 0x1p-20));
}

/* Some dimensions of a row in whole numbers, and the squares of what that leaves and of what it
 * takes, so far. */
typedef struct {
    int8_t q[CHUNK];
    double residual, length;
} whole_row;

INLINE void quantise(const double *taken, const double *from, size_t first, size_t count,
                     double scale, whole_row *out) {
    const double inverse = 1 / scale;
    lanes residual = {0}, length = {0};
    for (size_t t = 0; t < count; t += LANES) {
        lanes x = read_from(taken, from, first + t), q = nearest(x * scale), rest = x - q * inverse;
        residual += rest * rest;
        length += q * q;
        write_bytes(__builtin_convertvector(q, wholes), out->q + t);
    }
    out->residual += total(residual), out->length += total(length);
}

/* Dimensions of column i, from the first on, into their place among the panel's, in units of
 * `together` bytes. */
static void place_column(akin_sketch_format format, const int8_t *q, size_t first, size_t count,
                         size_t i, void *quantised) {
    unsigned char *to = (unsigned char *)quantised + akin_sketch_column_place(format, i, first);
    if (format.together == 2)
        for (size_t t = 0; t < count; t += 2, to += PANEL * 2) memcpy(to, q + t, 2);
    else
        for (size_t t = 0; t < count; t += 4, to += PANEL * 4) memcpy(to, q + t, 4);
}

/* So too of row i, of so many dimensions in all. */
static void place_row(akin_sketch_format format, const int8_t *q, size_t first, size_t count,
                      size_t stride, size_t i, uint8_t *quantised) {
    if (!format.matrix) {
        place_column(format, q, first, count, i, quantised);
        return;
    }
    const size_t chunk = akin_sketch_chunk(stride);
    for (size_t t = first, end = first + count; t < end;) {
        size_t left = chunk - t % chunk, some = end - t < left ? end - t : left;
        memcpy(quantised + akin_sketch_row_place(format, stride, i, t), q + t - first, some);
        t += some;
    }
}

INLINE void rows_from(akin_sketch_format format, const double *taken, size_t count, size_t stride,
                      const double *from, uint8_t *quantised, akin_sketch *out) {
    extent e = {0, 0};
    whole_row whole;
    double error = 0, reach = 0;
    for (size_t i = 0; i < count; i++) widen(&e, format, taken + i * stride, from, stride);
    out->row_scale = scale_for(&e, format.row_limit, format.narrow, row_part);
    size_t width = akin_sketch_width(format, stride);
    if (count < PANEL || width > stride) memset(quantised, format.offset, PANEL * width);
    for (size_t i = 0; i < count; i++) {
        whole.residual = whole.length = 0;
        for (size_t t = 0; t < stride; t += CHUNK) {
            size_t count_t = stride - t < CHUNK ? stride - t : CHUNK;
            quantise(taken + i * stride, from, t, count_t, out->row_scale, &whole);
            for (size_t u = 0; u < count_t; u++)
                whole.q[u] = (int8_t)(uint8_t)(whole.q[u] + format.offset);
            place_row(format, whole.q, t, count_t, stride, i, quantised);
        }
        error = whole.residual > error ? whole.residual : error;
        reach = whole.length > reach ? whole.length : reach;
    }
    out->row_error = above(sqrt(error));
    out->row_reach = above(sqrt(reach) / out->row_scale);
}

static void rows_of(akin_sketch_format format, const double *taken, size_t count, size_t stride,
                    const double *centre, uint8_t *quantised, akin_sketch *out) {
    if (centre != NULL)
        rows_from(format, taken, count, stride, centre, quantised, out);
    else
        rows_from(format, taken, count, stride, NULL, quantised, out);
}

/* The sums of a column, of all and for every part. */
static void sum_up(akin_sketch_format format, const int8_t *q, size_t first, size_t stride,
                   size_t i, int16_t *wrap, int32_t *sums) {
    const size_t group = akin_sketch_group(format), halves = (size_t)format.together / 2;
    for (size_t g = 0; g < stride; g += group) {
        int32_t parts[2] = {0, 0};
        wholes sum = {0};
        for (size_t t = g; t < stride && t < g + group; t += LANES) sum += read_bytes(q + t);
        for (int l = 0; l < LANES; l++) parts[l >> 1 & 1] += sum[l];
        if (halves == 1) parts[0] += parts[1], parts[1] = 0;
        for (size_t h = 0; h < halves; h++)
            wrap[((first + g) / group * PANEL + i) * halves + h] =
                (int16_t)(uint16_t)(uint32_t)(-format.offset * parts[h]);
        sums[i] += parts[0] + parts[1];
    }
}

static void columns_of(akin_sketch_format format, const double *taken, size_t count, size_t stride,
                       const akin_sketch_panel *panel, akin_sketch *out) {
    int8_t *quantised = panel->quantised;
    int16_t *wrap = panel->wrap;
    int32_t *sums = panel->sums;
    extent e = {0, 0};
    whole_row whole;
    double error = 0;
    for (size_t i = 0; i < count; i++) widen(&e, format, taken + i * stride, NULL, stride);
    out->column_scale = scale_for(&e, column_limit, format.narrow, column_part);
    size_t width = akin_sketch_width(format, stride);
    if (count < PANEL || width > stride) memset(quantised, 0, PANEL * width);
    memset(wrap, 0, akin_sketch_parts(format, stride) * PANEL * sizeof *wrap);
    memset(sums, 0, PANEL * sizeof *sums);
    for (size_t i = 0; i < count; i++) {
        whole.residual = whole.length = 0;
        for (size_t t = 0; t < stride; t += CHUNK) {
            size_t count_t = stride - t < CHUNK ? stride - t : CHUNK;
            quantise(taken + i * stride, NULL, t, count_t, out->column_scale, &whole);
            place_column(format, whole.q, t, count_t, i, quantised);
            sum_up(format, whole.q, t, count_t, i, wrap, sums);
        }
        error = whole.residual > error ? whole.residual : error;
    }
    out->column_error = above(sqrt(error));
}

static void one(const double *taken, size_t stride, int8_t *quantised, akin_sketch_single *out) {
    const akin_sketch_format format = {.together = 4};
    extent e = {0, 0};
    whole_row whole;
    lanes squares = {0};
    whole.residual = whole.length = 0;
    widen(&e, format, taken, NULL, stride);
    const float scale = scale_for(&e, column_limit, false, 0);
    wholes sum = {0};
    for (size_t t = 0; t < stride; t += LANES)
        squares += read_taken(taken + t) * read_taken(taken + t);
    for (size_t t = 0; t < stride; t += CHUNK) {
        size_t count = stride - t < CHUNK ? stride - t : CHUNK;
        quantise(taken, NULL, t, count, scale, &whole);
        for (size_t u = 0; u < count; u += LANES) sum += read_bytes(whole.q + u);
        memcpy(quantised + t, whole.q, count);
    }
    *out = (akin_sketch_single){.unit = 1 / scale,
                                .error = above(sqrt(whole.residual)),
                                .reach = above(sqrt(whole.length) / scale),
                                .length = above(sqrt(total(squares)))};
    for (int l = 0; l < LANES; l++) out->sum += sum[l];
}

typedef struct {
    void (*mean)(const float *rows, size_t count, size_t stride, double least, float *centre);
    void (*cone)(const float *rows, size_t count, size_t stride, size_t dim, const float *centre,
                 akin_sketch *out);
    void (*take)(const float *rows, size_t count, size_t stride, double *taken);
    void (*rows)(akin_sketch_format format, const double *taken, size_t count, size_t stride,
                 const double *centre, uint8_t *quantised, akin_sketch *out);
    void (*columns)(akin_sketch_format format, const double *taken, size_t count, size_t stride,
                    const akin_sketch_panel *panel, akin_sketch *out);
    void (*one)(const double *taken, size_t stride, int8_t *quantised, akin_sketch_single *out);
} sketch_kernels;

extern const sketch_kernels akin_sketch_kernels_v1, akin_sketch_kernels_v3, akin_sketch_kernels_v4;
const sketch_kernels AKIN_LEVELED(akin_sketch_kernels) = {.mean = mean_of,
                                                          .cone = cone_of,
                                                          .take = take,
                                                          .rows = rows_of,
                                                          .columns = columns_of,
                                                          .one = one};

/* --- once --- */

#if AKIN_LEVEL == 1
static const sketch_kernels *active(void) {
    static const sketch_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_sketch_kernels_v1, &akin_sketch_kernels_v3, &akin_sketch_kernels_v4,
        &akin_sketch_kernels_v4, &akin_sketch_kernels_v4};
    return levels[akin_cpu_active()];
}

void akin_sketch_mean(const float *rows, size_t count, size_t stride, double least, float *centre) {
    active()->mean(rows, count, stride, least, centre);
}

void akin_sketch_cone(const float *rows, size_t count, size_t stride, size_t dim,
                      const float *centre, akin_sketch *out) {
    active()->cone(rows, count, stride, dim, centre, out);
}

void akin_sketch_take(const float *rows, size_t count, size_t stride, double *taken) {
    active()->take(rows, count, stride, taken);
}

void akin_sketch_rows(akin_sketch_format format, const double *taken, size_t count, size_t stride,
                      const double *centre, uint8_t *quantised, akin_sketch *out) {
    active()->rows(format, taken, count, stride, centre, quantised, out);
}

void akin_sketch_columns(akin_sketch_format format, const double *taken, size_t count,
                         size_t stride, const akin_sketch_panel *panel, akin_sketch *out) {
    active()->columns(format, taken, count, stride, panel, out);
}

void akin_sketch_one(const double *taken, size_t stride, int8_t *quantised,
                     akin_sketch_single *out) {
    active()->one(taken, stride, quantised, out);
}

/* The column's length is at most 1 + 2^-18: that of a row of length 1 + 2^-20 whose tail's length was rounded up
 * twice (leading.h). */
float akin_sketch_margin(const akin_sketch *rows, const akin_sketch *columns, size_t dim) {
    double hidden =
        (double)rows->row_reach * columns->column_error + (double)rows->row_error * (1 + 0x1p-18);
    return above(hidden + 2 * akin_dot_bound(dim) + 0x1p-19);
}

float akin_sketch_cones(const akin_sketch *a, const akin_sketch *b, float product) {
    if (a->inverse == 0 || b->inverse == 0) return 2;
    float x = product * a->inverse * b->inverse + a->slack + b->slack;
    float cosine =
        a->cos_radius * b->cos_radius - a->sin_radius * b->sin_radius; /* of both angles together */
    float sine = a->sin_radius * b->cos_radius + a->cos_radius * b->sin_radius;
    if (sine <= 0 || x >= cosine - 0x1p-18f)
        return 2; /* more than a half turn, or the cones meet */
    if (x < -1) x = -1;
    return x * cosine + sqrtf(1 - x * x) * sine + a->slack + b->slack;
}
#endif
