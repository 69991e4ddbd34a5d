/* image_canvas: size limits, fit and orientation of a picture. */
#include "image_canvas.h"
#include "area.h"
#include "resample.h"
#include <akin/mem.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

struct akin_canvas {
    akin_image_params params;
    size_t width, height; /* of the result */
    size_t source_width, source_height;
    int orientation;
    size_t shown_width,
        shown_height;  /* of the area filter's output, upright: the result without its padding */
    akin_area_box box; /* the part of the source that is shown, before any reduction */
    akin_area *area;
    akin_image_view view;                 /* width 0: not requested */
    size_t resized_width, resized_height; /* of the view, upright */
    akin_resample *resample;
};

/* Where pixel (x, y) of the upright picture is in the stored one: whether each axis is reversed,
 * and whether they are exchanged (EXIF 2.3, tag 0x0112). */
static const struct {
    bool swap, far_x, far_y;
} turns[9] = {
    [1] = {false, false, false}, [2] = {false, true, false}, [3] = {false, true, true},
    [4] = {false, false, true},  [5] = {true, false, false}, [6] = {true, false, true},
    [7] = {true, true, true},    [8] = {true, true, false},
};

akin_status akin_canvas_create(const akin_image_params *params, akin_canvas **out) {
    AKIN_ASSERT(params->width > 0 && params->height > 0);
    *out = akin_mem_zalloc(1, sizeof **out);
    if (!*out) return AKIN_FAILED;
    (*out)->params = *params;
    return AKIN_OK;
}

void akin_canvas_free(akin_canvas *canvas) {
    if (!canvas) return;
    akin_area_free(canvas->area);
    akin_resample_free(canvas->resample);
    akin_mem_free(canvas);
}

void akin_canvas_also(akin_canvas *canvas, const akin_image_view *view) {
    AKIN_ASSERT(view->width > 0 && view->height > 0 && view->resize_width > 0);
    canvas->view = *view;
}

static akin_status check_size(uint64_t width, uint64_t height, uint64_t max_pixels) {
    if (width == 0 || height == 0) return akin_error_set(AKIN_INPUT, "the picture has no pixels");
    if (width > max_pixels / height)
        return akin_error_set(AKIN_INPUT,
                              "%" PRIu64 "x%" PRIu64 " pixels exceed --max-pixels %" PRIu64, width,
                              height, max_pixels);
    if (width > AKIN_IMAGE_SIDE_LIMIT || height > AKIN_IMAGE_SIDE_LIMIT)
        return akin_error_set(AKIN_INPUT,
                              "%" PRIu64 "x%" PRIu64 " pixels: a side may have at most %d", width,
                              height, AKIN_IMAGE_SIDE_LIMIT);
    return AKIN_OK;
}

static size_t scaled_side(size_t side, size_t to, size_t from) {
    double exact = rint((double)side * (double)to / (double)from);
    return exact < 1 ? 1 : (size_t)exact;
}

/* How much of the result a picture of this aspect ratio fills when all of it is shown (like
 * Pillow's contain). */
static void contain(size_t width, size_t height, size_t *shown_width, size_t *shown_height) {
    uint64_t wide = (uint64_t)width * *shown_height, high = (uint64_t)height * *shown_width;
    if (wide > high) *shown_height = scaled_side(height, *shown_width, width);
    if (wide < high) *shown_width = scaled_side(width, *shown_height, height);
}

/* The shorter side becomes that of the view, the longer is rounded down, as image processors do. */
static void resize_view(akin_canvas *canvas, size_t upright_width, size_t upright_height) {
    const akin_image_view *view = &canvas->view;
    size_t shorter = upright_width < upright_height ? upright_width : upright_height;
    canvas->resized_width = view->resize_width;
    canvas->resized_height = view->resize_height;
    if (view->resize_height > 0) return;
    canvas->resized_width = upright_width * view->resize_width / shorter;
    canvas->resized_height = upright_height * view->resize_width / shorter;
}

akin_status akin_canvas_size(akin_canvas *canvas, uint64_t width, uint64_t height,
                             int orientation) {
    akin_status status = check_size(width, height, canvas->params.max_pixels);
    if (status != AKIN_OK) return status;
    const akin_image_params *params = &canvas->params;
    akin_area_free(canvas->area);
    canvas->area = NULL;
    canvas->orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
    canvas->source_width = (size_t)width;
    canvas->source_height = (size_t)height;
    bool swap = turns[canvas->orientation].swap;
    size_t upright_width = swap ? height : width, upright_height = swap ? width : height;
    /* The part that is shown, upright, in units of the box. */
    uint64_t part_width = (uint64_t)upright_width * AKIN_AREA_UNIT;
    uint64_t part_height = (uint64_t)upright_height * AKIN_AREA_UNIT;
    if (canvas->view.width > 0) resize_view(canvas, upright_width, upright_height);
    canvas->shown_width = canvas->width = params->width;
    canvas->shown_height = canvas->height = params->height;
    switch (params->fit) {
    case AKIN_FIT_STRETCH: break;
    case AKIN_FIT_PAD:
        contain(upright_width, upright_height, &canvas->shown_width, &canvas->shown_height);
        break;
    case AKIN_FIT_CROP:
        if (part_width * params->height > part_height * params->width) {
            part_width = part_height * params->width / params->height;
        } else {
            part_height = part_width * params->height / params->width;
        }
        break;
    case AKIN_FIT_WITHIN:
        if (upright_width > params->width || upright_height > params->height) {
            contain(upright_width, upright_height, &canvas->shown_width, &canvas->shown_height);
        } else {
            canvas->shown_width = upright_width;
            canvas->shown_height = upright_height;
        }
        canvas->width = canvas->shown_width;
        canvas->height = canvas->shown_height;
        break;
    }
    /* Centred; at least one pixel, however long and thin the picture is. */
    if (part_width < AKIN_AREA_UNIT) part_width = AKIN_AREA_UNIT;
    if (part_height < AKIN_AREA_UNIT) part_height = AKIN_AREA_UNIT;
    uint64_t across = swap ? part_height : part_width, down = swap ? part_width : part_height;
    canvas->box.x0 = (width * AKIN_AREA_UNIT - across) / 2;
    canvas->box.x1 = canvas->box.x0 + across;
    canvas->box.y0 = (height * AKIN_AREA_UNIT - down) / 2;
    canvas->box.y1 = canvas->box.y0 + down;
    return AKIN_OK;
}

/* The area filter's output in the orientation of the source. */
static size_t stored_width(const akin_canvas *canvas) {
    return turns[canvas->orientation].swap ? canvas->shown_height : canvas->shown_width;
}

static size_t stored_height(const akin_canvas *canvas) {
    return turns[canvas->orientation].swap ? canvas->shown_width : canvas->shown_height;
}

/* A decoder's reduced pixel is itself an area average, so nothing is lost if output pixels consist
 * of whole ones. Otherwise there should be so many that those on a border matter little: one and a
 * half times as many as the output has. */
static bool may_reduce(uint64_t box_length, size_t count, size_t reduction) {
    uint64_t pixel = (uint64_t)AKIN_AREA_UNIT * reduction;
    return box_length % (pixel * count) == 0 || 2 * box_length >= 3 * pixel * count;
}

/* A network gets no fewer pixels than it expects. */
static bool view_may_reduce(const akin_canvas *canvas, size_t reduction) {
    if (canvas->view.width == 0) return true;
    bool swap = turns[canvas->orientation].swap;
    size_t across = swap ? canvas->resized_height : canvas->resized_width;
    size_t down = swap ? canvas->resized_width : canvas->resized_height;
    return canvas->source_width / reduction >= across && canvas->source_height / reduction >= down;
}

size_t akin_canvas_reduction(const akin_canvas *canvas) {
    const akin_area_box *box = &canvas->box;
    for (size_t reduction = 8; reduction > 1; reduction /= 2)
        if (may_reduce(box->x1 - box->x0, stored_width(canvas), reduction) &&
            may_reduce(box->y1 - box->y0, stored_height(canvas), reduction) &&
            view_may_reduce(canvas, reduction))
            return reduction;
    return 1;
}

/* The part of one axis of the resized picture that the view shows, upright: from `first` on, at
 * `margin` of the result (one of them is 0). */
typedef struct {
    size_t first, margin, count;
} view_part;

static view_part part_of(size_t resized, size_t wanted) {
    if (resized >= wanted) return (view_part){(resized - wanted) / 2, 0, wanted};
    return (view_part){0, (wanted - resized + 1) / 2, resized};
}

/* The same axis as it lies in the source. */
static akin_resample_axis view_axis(size_t source, size_t reduction, size_t resized,
                                    const view_part *part, bool far) {
    return (akin_resample_axis){.pixels = (source + reduction - 1) / reduction,
                                .extent = (double)source / (double)reduction,
                                .resized = resized,
                                .first = far ? resized - part->first - part->count : part->first,
                                .count = part->count};
}

static akin_status begin_view(akin_canvas *canvas, size_t reduction) {
    bool swap = turns[canvas->orientation].swap;
    view_part wide = part_of(canvas->resized_width, canvas->view.width);
    view_part high = part_of(canvas->resized_height, canvas->view.height);
    akin_resample_axis x = view_axis(canvas->source_width, reduction,
                                     swap ? canvas->resized_height : canvas->resized_width,
                                     swap ? &high : &wide, turns[canvas->orientation].far_x);
    akin_resample_axis y = view_axis(canvas->source_height, reduction,
                                     swap ? canvas->resized_width : canvas->resized_height,
                                     swap ? &wide : &high, turns[canvas->orientation].far_y);
    return akin_resample_create(&x, &y, canvas->view.filter, &canvas->resample);
}

akin_status akin_canvas_begin(akin_canvas *canvas, size_t reduction) {
    AKIN_ASSERT(!canvas->area && AKIN_AREA_UNIT % reduction == 0);
    akin_area_box box = {canvas->box.x0 / reduction, canvas->box.x1 / reduction,
                         canvas->box.y0 / reduction, canvas->box.y1 / reduction};
    /* Only a sliver would remain of a picture much smaller than the reduction. */
    if (box.x1 == box.x0) box.x1++;
    if (box.y1 == box.y0) box.y1++;
    akin_status status =
        akin_area_create((canvas->source_width + reduction - 1) / reduction,
                         (canvas->source_height + reduction - 1) / reduction, &box,
                         stored_width(canvas), stored_height(canvas), &canvas->area);
    if (status == AKIN_OK && canvas->view.width > 0) status = begin_view(canvas, reduction);
    return status;
}

void akin_canvas_row(akin_canvas *canvas, size_t y, const uint8_t *rgb) {
    akin_area_row(canvas->area, y, rgb);
    if (canvas->resample) akin_resample_row(canvas->resample, y, rgb);
}

void akin_canvas_pixels(akin_canvas *canvas, size_t y, size_t x, size_t step, size_t count,
                        const uint8_t *rgb) {
    akin_area_pixels(canvas->area, y, x, step, count, rgb);
    if (canvas->resample) akin_resample_pixels(canvas->resample, y, x, step, count, rgb);
}

int akin_canvas_orientation(const akin_canvas *canvas) {
    return canvas->orientation;
}

size_t akin_canvas_width(const akin_canvas *canvas) {
    return canvas->width;
}

size_t akin_canvas_height(const akin_canvas *canvas) {
    return canvas->height;
}

/* Writes a filter's result, which is oriented like the stored picture, upright to rgb at (left,
 * top). */
typedef struct {
    const uint8_t *stored;
    size_t wide, high; /* upright */
    size_t left, top;
} laid;

static void lay(const akin_canvas *canvas, const laid *from, uint8_t *rgb, size_t width) {
    bool swap = turns[canvas->orientation].swap;
    bool far_x = turns[canvas->orientation].far_x, far_y = turns[canvas->orientation].far_y;
    size_t across = swap ? from->high : from->wide, down = swap ? from->wide : from->high;
    for (size_t y = 0; y < from->high; y++) {
        uint8_t *out = rgb + ((from->top + y) * width + from->left) * 3;
        for (size_t x = 0; x < from->wide; x++, out += 3) {
            size_t from_x = swap ? y : x, from_y = swap ? x : y;
            if (far_x) from_x = across - 1 - from_x;
            if (far_y) from_y = down - 1 - from_y;
            memcpy(out, from->stored + (from_y * across + from_x) * 3, 3);
        }
    }
}

akin_status akin_canvas_finish(const akin_canvas *canvas, uint8_t *rgb) {
    uint8_t *stored = akin_mem_alloc(stored_width(canvas) * stored_height(canvas), 3);
    if (!stored) return AKIN_FAILED;
    akin_area_finish(canvas->area, stored);
    memset(rgb, 255, canvas->width * canvas->height * 3);
    const laid from = {.stored = stored,
                       .wide = canvas->shown_width,
                       .high = canvas->shown_height,
                       .left = (size_t)rint((double)(canvas->width - canvas->shown_width) * 0.5),
                       .top = (size_t)rint((double)(canvas->height - canvas->shown_height) * 0.5)};
    lay(canvas, &from, rgb, canvas->width);
    akin_mem_free(stored);
    return AKIN_OK;
}

akin_status akin_canvas_finish_view(const akin_canvas *canvas, uint8_t *rgb) {
    const akin_image_view *view = &canvas->view;
    view_part wide = part_of(canvas->resized_width, view->width);
    view_part high = part_of(canvas->resized_height, view->height);
    uint8_t *stored = akin_mem_alloc(wide.count * high.count, 3);
    if (!stored) return AKIN_FAILED;
    akin_resample_finish(canvas->resample, stored);
    memset(rgb, 0, view->width * view->height * 3);
    const laid from = {.stored = stored,
                       .wide = wide.count,
                       .high = high.count,
                       .left = wide.margin,
                       .top = high.margin};
    lay(canvas, &from, rgb, view->width);
    akin_mem_free(stored);
    return AKIN_OK;
}

void akin_canvas_over_white(const uint8_t *rgba, size_t count, uint8_t *rgb) {
    for (size_t i = 0; i < count; i++, rgba += 4, rgb += 3) {
        unsigned alpha = rgba[3];
        for (int c = 0; c < 3; c++) {
            unsigned value = rgba[c] * alpha + 255 * (255 - alpha);
            rgb[c] = (uint8_t)((value + 127) / 255);
        }
    }
}

void akin_canvas_straighten(uint8_t *rgba, size_t count) {
    for (size_t i = 0; i < count; i++, rgba += 4) {
        unsigned alpha = rgba[3];
        if (alpha == 0 || alpha == 255) continue;
        for (int c = 0; c < 3; c++) {
            unsigned value = (rgba[c] * 255 + alpha / 2) / alpha;
            rgba[c] = (uint8_t)(value > 255 ? 255 : value);
        }
    }
}
