/* area: equal to the sum over all pairs of pixels; independent of the order of rows and pixels; a
 * constant picture stays constant; a picture of the same size stays as it is. */
#include "ingest/area.h"
#include <akin/mem.h>
#include <akin/rng.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LARGEST = 70 };

static void fill(uint8_t *bytes, size_t count, uint32_t stream) {
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)akin_rng_bits(1, AKIN_RNG_TEST, stream, i);
}

/* The overlap of pixel i with bin j of [begin, end), in 1/(unit * count) pixels; an enlarged axis
 * uses one pixel. */
static uint64_t overlap(uint64_t begin, uint64_t end, size_t count, size_t i, size_t j) {
    uint64_t pixel = (uint64_t)AKIN_AREA_UNIT * count, length = end - begin;
    uint64_t from = begin * count + length * j, to = from + length;
    if (length < pixel) return (from + to) / 2 / pixel == i ? length : 0;
    uint64_t low = from > pixel * i ? from : pixel * i,
             high = to < pixel * (i + 1) ? to : pixel * (i + 1);
    return high > low ? high - low : 0;
}

static void naive(const uint8_t *rgb, size_t width, size_t height, const akin_area_box *box,
                  size_t out_width, size_t out_height, uint8_t *out) {
    uint64_t total = (box->x1 - box->x0) * (box->y1 - box->y0);
    for (size_t oy = 0; oy < out_height; oy++)
        for (size_t ox = 0; ox < out_width; ox++)
            for (size_t c = 0; c < 3; c++) {
                uint64_t sum = 0;
                for (size_t y = 0; y < height; y++)
                    for (size_t x = 0; x < width; x++)
                        sum += overlap(box->x0, box->x1, out_width, x, ox) *
                               overlap(box->y0, box->y1, out_height, y, oy) *
                               rgb[(y * width + x) * 3 + c];
                out[(oy * out_width + ox) * 3 + c] = (uint8_t)((sum + total / 2) / total);
            }
}

static const struct {
    size_t width, height;
    akin_area_box box;
    size_t out_width, out_height;
} cases[] = {
    {32, 32, {0, 512, 0, 512}, 8, 8},    {41, 35, {0, 656, 0, 560}, 8, 7},
    {41, 35, {48, 608, 0, 560}, 8, 8},   {5, 70, {0, 80, 0, 1120}, 9, 9},
    {70, 3, {0, 1120, 0, 48}, 6, 5},     {1, 1, {0, 16, 0, 16}, 4, 4},
    {51, 67, {0, 802, 0, 1070}, 32, 32}, {13, 13, {7, 201, 3, 19}, 5, 6},
    {33, 33, {0, 528, 0, 528}, 32, 32},  {16, 16, {120, 136, 0, 256}, 3, 3},
    {8, 8, {0, 128, 0, 128}, 32, 32},
};

static void equals_naive_sum(void **unused) {
    (void)unused;
    static uint8_t rgb[LARGEST * LARGEST * 3], expected[LARGEST * LARGEST * 3],
        rows[sizeof expected], pixels[sizeof expected];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t width = cases[i].width, height = cases[i].height;
        size_t out_width = cases[i].out_width, out_height = cases[i].out_height;
        fill(rgb, width * height * 3, (uint32_t)i);
        naive(rgb, width, height, &cases[i].box, out_width, out_height, expected);
        akin_area *area;
        assert_int_equal(
            akin_area_create(width, height, &cases[i].box, out_width, out_height, &area), AKIN_OK);
        for (size_t y = 0; y < height; y++) akin_area_row(area, y, rgb + y * width * 3);
        akin_area_finish(area, rows);
        akin_area_free(area);
        assert_memory_equal(rows, expected, out_width * out_height * 3);

        /* From the last row to the first, and each row in two halves, as if interlaced. */
        assert_int_equal(
            akin_area_create(width, height, &cases[i].box, out_width, out_height, &area), AKIN_OK);
        for (size_t y = height; y-- > 0;)
            for (size_t start = 2; start-- > 0;) {
                uint8_t some[LARGEST * 3];
                size_t count = 0;
                for (size_t x = start; x < width; x += 2)
                    memcpy(some + 3 * count++, rgb + (y * width + x) * 3, 3);
                akin_area_pixels(area, y, start, 2, count, some);
            }
        akin_area_finish(area, pixels);
        akin_area_free(area);
        assert_memory_equal(pixels, expected, out_width * out_height * 3);
    }
}

static void same_size_is_identity(void **unused) {
    (void)unused;
    uint8_t rgb[32 * 32 * 3], out[sizeof rgb];
    fill(rgb, sizeof rgb, 77);
    akin_area_box box = {0, 32 * AKIN_AREA_UNIT, 0, 32 * AKIN_AREA_UNIT};
    akin_area *area;
    assert_int_equal(akin_area_create(32, 32, &box, 32, 32, &area), AKIN_OK);
    for (size_t y = 0; y < 32; y++) akin_area_row(area, y, rgb + y * 32 * 3);
    akin_area_finish(area, out);
    akin_area_free(area);
    assert_memory_equal(out, rgb, sizeof rgb);
}

/* A million pixels in a row: no sum overflows. */
static void long_rows_do_not_overflow(void **unused) {
    (void)unused;
    size_t width = 1000000;
    uint8_t *rgb = akin_mem_alloc(width, 3), out[32 * 32 * 3];
    assert_non_null(rgb);
    memset(rgb, 255, width * 3);
    akin_area_box box = {0, width * AKIN_AREA_UNIT, 0, 100 * AKIN_AREA_UNIT};
    akin_area *area;
    assert_int_equal(akin_area_create(width, 100, &box, 32, 32, &area), AKIN_OK);
    for (size_t y = 0; y < 100; y++) akin_area_row(area, y, rgb);
    akin_area_finish(area, out);
    for (size_t i = 0; i < sizeof out; i++) assert_int_equal(out[i], 255);
    akin_area_free(area);
    akin_mem_free(rgb);
}

static void without_memory_it_says_so(void **unused) {
    (void)unused;
    akin_area_box box = {0, 16, 0, 16};
    akin_area *area;
    for (uint64_t n = 1; n <= 5; n++) {
        akin_mem_fail_at(n);
        assert_int_equal(akin_area_create(1, 1, &box, 4, 4, &area), AKIN_FAILED);
        assert_null(area);
    }
    akin_mem_fail_at(6);
    assert_int_equal(akin_area_create(1, 1, &box, 4, 4, &area), AKIN_OK);
    akin_mem_fail_at(0);
    akin_area_free(area);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_naive_sum),
        cmocka_unit_test(same_size_is_identity),
        cmocka_unit_test(long_rows_do_not_overflow),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
