/* sketch: rows in 8 bits, and the proven bound. Floor 1 (kernels); looks down to dot. */
#include <akin/dot.h>
#include <akin/sketch.h>
#include <math.h>
#include <string.h>

enum { PANEL = AKIN_SKETCH_PANEL };

static const double column_limit = 127;
/* Rounding lengthens 64 numbers by at most 64^(1/2) / 2 = 4. */
static const double row_part = 128 - 4, column_part = 255 - 4;
static const double worthwhile = 0.5;        /* the least square of a mean's length: rows lose half of theirs */
static const double largest_scale = 1 << 14; /* so that thresholds fit 32 bits where all rows are nearly one */

/* The nearest whole number; |x| < 2^51. The sum has no bits for a fraction (a call of rint() costs more than all else).
 */
static inline double nearest(double x) {
    return (x + 0x1.8p52) - 0x1.8p52;
}

static float above(double x) {
    return (float)(x * (1 + 0x1p-20) + 0x1p-60);
}

void akin_sketch_centre(const float *rows, size_t count, size_t stride, size_t dim, float *centre, akin_sketch *out) {
    double length = 0, least = 1;
    for (size_t t = 0; t < stride; t++) {
        float sum = 0;
        for (size_t i = 0; i < count; i++) sum += rows[i * stride + t];
        centre[t] = sum / (float)count;
        length += (double)centre[t] * centre[t];
    }
    *out = (akin_sketch){.cos_radius = -1};
    if (length < worthwhile) {
        memset(centre, 0, stride * sizeof *centre);
        return;
    }
    length = sqrt(length);
    for (size_t i = 0; i < count; i++) {
        double product = 0, own = 0;
        for (size_t t = 0; t < stride; t++) {
            product += (double)centre[t] * rows[i * stride + t];
            own += (double)rows[i * stride + t] * rows[i * stride + t];
        }
        double cosine = own > 0 ? product / (length * sqrt(own)) : -1;
        least = cosine < least ? cosine : least;
    }
    least -= 0x1p-22; /* for the rounding of this */
    out->inverse = (float)(1 / length);
    out->cos_radius = least > -1 ? (float)least : -1;
    out->sin_radius = (float)sqrt(1 - (double)out->cos_radius * out->cos_radius);
    out->slack = (float)(akin_dot_bound(dim) * out->inverse + 0x1p-18);
}

/* The largest scale at which the numbers fit: each into `limit`, each part of a group into `part`. */
typedef struct {
    double largest, longest;
} extent;

static void widen(extent *e, akin_sketch_format format, const float *row, const float *from, size_t stride) {
    size_t group = akin_sketch_group(format), together = (size_t)format.together;
    for (size_t g = 0; g < stride; g += group) {
        double squares[2] = {0, 0};
        for (size_t t = g; t < stride && t < g + group; t++) {
            double x = from != NULL ? (double)row[t] - from[t] : row[t], size = fabs(x);
            if (size > e->largest) e->largest = size;
            squares[t % together / 2] += x * x;
        }
        for (int h = 0; h < 2; h++)
            if (squares[h] > e->longest) e->longest = squares[h];
    }
}

static float scale_for(const extent *e, double limit, bool narrow, double part) {
    double scale = largest_scale, longest = sqrt(e->longest);
    if (e->largest * scale > limit) scale = limit / e->largest;
    if (narrow && longest * scale > part) scale = part / longest;
    return (float)(scale * (1 - 0x1p-20));
}

void akin_sketch_rows(akin_sketch_format format, const float *rows, size_t count, size_t stride, const float *centre,
                      uint8_t *quantised, akin_sketch *out) {
    extent e = {0, 0};
    double error = 0, reach = 0;
    for (size_t i = 0; i < count; i++) widen(&e, format, rows + i * stride, centre, stride);
    out->row_scale = scale_for(&e, format.row_limit, format.narrow, row_part);
    memset(quantised, format.offset, PANEL * stride);
    for (size_t i = 0; i < count; i++) {
        double residual = 0, length = 0;
        for (size_t t = 0; t < stride; t++) {
            double x = (double)rows[i * stride + t] - centre[t], q = nearest(x * out->row_scale);
            double rest = x - q / out->row_scale;
            residual += rest * rest, length += q * q;
            quantised[akin_sketch_place(format, i, t)] = (uint8_t)(format.offset + (int)q);
        }
        error = residual > error ? residual : error;
        reach = length > reach ? length : reach;
    }
    out->row_error = above(sqrt(error));
    out->row_reach = above(sqrt(reach) / out->row_scale);
}

void akin_sketch_columns(akin_sketch_format format, const float *rows, size_t count, size_t stride, int8_t *quantised,
                         int16_t *wrap, int32_t *sums, akin_sketch *out) {
    const size_t group = akin_sketch_group(format), together = (size_t)format.together;
    extent e = {0, 0};
    double error = 0;
    for (size_t i = 0; i < count; i++) widen(&e, format, rows + i * stride, NULL, stride);
    out->column_scale = scale_for(&e, column_limit, format.narrow, column_part);
    memset(quantised, 0, PANEL * stride);
    memset(wrap, 0, akin_sketch_parts(format, stride) * PANEL * sizeof *wrap);
    memset(sums, 0, PANEL * sizeof *sums);
    for (size_t i = 0; i < count; i++) {
        double residual = 0;
        for (size_t t = 0; t < stride; t++) {
            double x = rows[i * stride + t], q = nearest(x * out->column_scale), rest = x - q / out->column_scale;
            int16_t *part = wrap + (t / group * PANEL + i) * (together / 2) + t % together / 2;
            residual += rest * rest;
            quantised[akin_sketch_place(format, i, t)] = (int8_t)q;
            sums[i] += (int32_t)q;
            *part = (int16_t)(uint16_t)((uint16_t)*part - (uint16_t)(format.offset * (int)q));
        }
        error = residual > error ? residual : error;
    }
    out->column_error = above(sqrt(error));
}

float akin_sketch_margin(const akin_sketch *rows, const akin_sketch *columns, size_t dim) {
    double hidden = (double)rows->row_reach * columns->column_error + (double)rows->row_error * (1 + 0x1p-19);
    return above(hidden + 2 * akin_dot_bound(dim) + 0x1p-19);
}

float akin_sketch_cones(const akin_sketch *a, const akin_sketch *b, float product) {
    if (a->inverse == 0 || b->inverse == 0) return 2;
    float x = product * a->inverse * b->inverse + a->slack + b->slack;
    float cosine = a->cos_radius * b->cos_radius - a->sin_radius * b->sin_radius; /* of both angles together */
    float sine = a->sin_radius * b->cos_radius + a->cos_radius * b->sin_radius;
    if (sine <= 0 || x >= cosine - 0x1p-18f) return 2; /* more than a half turn, or the cones meet */
    if (x < -1) x = -1;
    return x * cosine + sqrtf(1 - x * x) * sine + a->slack + b->slack;
}
