/* row_sketches: the sketches of a block's rows, panel by panel. */
#include "row_sketches.h"
#include "sharing.h"
#include "tile.h"
#include <akin/dot.h>
#include <akin/mem.h>

enum { PANEL = AKIN_ROW_BLOCK_PANEL };

/* Room for sketches of so many dimensions. */
static akin_status make_sides(akin_row_sketches *s, size_t width) {
    const akin_sketch_format format = akin_tile()->format;
    const size_t bytes = PANEL * akin_sketch_width(format, width);
    s->width = width;
    s->side_size = bytes;
    s->wrap_size = PANEL * akin_sketch_parts(format, width);
    if ((s->taken = akin_mem_alloc(PANEL + 1, width * sizeof *s->taken)) == NULL)
        return AKIN_FAILED;
    if (s->sides & AKIN_ROW_BLOCK_ROWS && (s->as_rows = akin_mem_alloc(s->panels, bytes)) == NULL)
        return AKIN_FAILED;
    if (!(s->sides & AKIN_ROW_BLOCK_COLUMNS)) return AKIN_OK;
    s->as_columns = akin_mem_alloc(s->panels, bytes);
    s->wrap = akin_mem_alloc(s->panels, s->wrap_size * sizeof *s->wrap);
    s->sums = akin_mem_alloc(s->panels, PANEL * sizeof *s->sums);
    return s->as_columns && s->wrap && s->sums ? AKIN_OK : AKIN_FAILED;
}

static void free_sides(akin_row_sketches *s) {
    akin_mem_free(s->as_rows);
    akin_mem_free(s->as_columns);
    akin_mem_free(s->wrap);
    akin_mem_free(s->sums);
    akin_mem_free(s->taken);
    s->as_rows = NULL, s->as_columns = NULL, s->wrap = NULL, s->sums = NULL, s->taken = NULL;
}

akin_status akin_row_sketches_create(size_t panels, size_t dim, akin_row_block_sides sides,
                                     akin_row_sketches **out) {
    akin_status status = AKIN_FAILED;
    *out = NULL;
    akin_row_sketches *s = akin_mem_alloc(1, sizeof *s);
    if (s == NULL) return AKIN_FAILED;
    *s = (akin_row_sketches){
        .panels = panels, .dim = dim, .stride = akin_dot_stride(dim), .sides = sides, .sharing = 1};
    s->sketches = akin_mem_alloc(panels, sizeof *s->sketches);
    s->centres = akin_mem_alloc(panels, s->stride * sizeof *s->centres);
    if (s->sketches == NULL || s->centres == NULL) goto done;
    AKIN_TRY(make_sides(s, s->stride));
    *out = s, s = NULL;
done:
    akin_row_sketches_free(s);
    return status;
}

void akin_row_sketches_free(akin_row_sketches *s) {
    if (s == NULL) return;
    akin_mem_free(s->sketches);
    akin_mem_free(s->centres);
    free_sides(s);
    akin_row_lead_free(s->lead);
    akin_mem_free(s);
}

akin_status akin_row_sketches_divide(akin_row_sketches *s, const akin_leading *leading) {
    akin_status status;
    free_sides(s);
    AKIN_TRY(make_sides(s, leading->count));
    status = akin_row_lead_create(s->panels, leading, &s->lead);
done:
    return status;
}

const akin_row_lead *akin_row_sketches_lead(const akin_row_sketches *s) {
    return s->lead;
}

/* Panel p in 8 bits. mean: NULL where it is zero. */
static void sketch_panel(akin_row_sketches *s, size_t p, const float *numbers, size_t count,
                         const float *mean) {
    const akin_sketch_format format = akin_tile()->format;
    const size_t width = s->width;
    double *centre = mean != NULL ? s->taken + PANEL * width : NULL;
    akin_sketch_take(numbers, count, width, s->taken);
    if (mean != NULL) akin_sketch_take(mean, 1, width, centre);
    if (s->as_rows != NULL)
        akin_sketch_rows(format, s->taken, count, width, centre, s->as_rows + p * s->side_size,
                         &s->sketches[p]);
    if (s->as_columns == NULL) return;
    const akin_sketch_panel columns = {s->as_columns + p * s->side_size, s->wrap + p * s->wrap_size,
                                       s->sums + p * PANEL};
    akin_sketch_columns(format, s->taken, count, width, &columns, &s->sketches[p]);
}

/* Panel p, whose rows are the first `count` of the `left` ones from there on. */
static void make_panel(akin_row_sketches *s, size_t p, const float *rows, size_t left) {
    const size_t stride = s->stride, most = s->sharing * PANEL, count = left < PANEL ? left : PANEL;
    float *centre = s->centres + p / s->sharing * stride;
    const akin_leading *leading = akin_row_lead_leading(s->lead);
    if (p % s->sharing == 0) {
        akin_sketch_mean(rows, left < most ? left : most, stride,
                         leading != NULL ? leading->least_mean : AKIN_SKETCH_LEAST_MEAN, centre);
        if (leading != NULL) akin_leading_mean(leading, centre);
    }
    akin_sketch_cone(rows, count, stride, s->dim, centre, &s->sketches[p]);
    const bool relative = s->as_rows != NULL && s->sketches[p].inverse > 0;
    const float *numbers = rows, *mean = relative ? centre : NULL;
    if (s->lead != NULL) {
        numbers = akin_row_lead_part(s->lead, p, rows, count);
        if (mean != NULL) mean = akin_row_lead_mean(s->lead, mean);
    }
    sketch_panel(s, p, numbers, count, mean);
}

void akin_row_sketches_make(akin_row_sketches *s, const float *rows, size_t count) {
    s->sharing = akin_sharing_choose(rows, count, s->stride);
    for (size_t p = 0; p * PANEL < count; p++)
        make_panel(s, p, rows + p * PANEL * s->stride, count - p * PANEL);
}

const int8_t *akin_row_sketches_columns(const akin_row_sketches *s, size_t p) {
    return s->as_columns + p * s->side_size;
}
