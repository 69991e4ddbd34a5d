/* image: every picture of fixtures/images gives what make_fixtures.py says, or is refused with the
 * reason given there; fits; thumbnails; a JPEG that is written can be read; running out of memory
 * is reported. */
#include "ingest/image_formats.h"
#include <akin/file.h>
#include <akin/image.h>
#include <akin/mem.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 32, BYTES = SIDE * SIDE * 3 };

static char *fixture(const char *name) {
    static char path[4096];
    const char *source = getenv("AKIN_SOURCE");
    snprintf(path, sizeof path, "%s/tests/fixtures/images/%s", source ? source : "..", name);
    return path;
}

static uint8_t *read_fixture(const char *name, size_t *count) {
    uint8_t *bytes;
    if (akin_file_read(fixture(name), (size_t)1 << 30, &bytes, count) != AKIN_OK)
        fail_msg("%s", akin_error_message());
    return bytes;
}

static akin_status decode(const char *name, akin_image_fit fit, uint8_t *rgb) {
    akin_image_params params = {SIDE, SIDE, fit, AKIN_IMAGE_MAX_PIXELS};
    size_t count;
    uint8_t *bytes = read_fixture(name, &count);
    /* A block that ends with the last byte, so that a sanitizer detects reads beyond it. */
    uint8_t *exact = malloc(count ? count : 1);
    memcpy(exact, bytes, count);
    akin_status status = akin_image_decode(exact, count, &params, rgb);
    free(exact);
    akin_mem_free(bytes);
    return status;
}

static void compare(const char *name, const uint8_t *rgb, const uint8_t *expected, double largest,
                    double mean) {
    double worst = 0, sum = 0;
    for (size_t i = 0; i < BYTES; i++) {
        double difference = fabs((double)rgb[i] - expected[i]);
        if (difference > worst) worst = difference;
        sum += difference;
    }
    if (worst > largest || sum / BYTES > mean)
        fail_msg("%s: differs by up to %g, %g in the mean; allowed are %g and %g", name, worst,
                 sum / BYTES, largest, mean);
}

static void reads_and_refuses_the_fixtures(void **unused) {
    (void)unused;
    size_t count, accepted = 0, refused = 0;
    uint8_t *expected = read_fixture("expected.bin", &count), rgb[BYTES];
    FILE *list = fopen(fixture("expected.txt"), "r");
    assert_non_null(list);
    char line[512];
    while (fgets(line, sizeof line, list)) {
        char name[200], reason[200];
        size_t index;
        double largest, mean;
        if (sscanf(line, "%199s ok %zu %lf %lf", name, &index, &largest, &mean) == 4) {
            assert_true((index + 1) * BYTES <= count);
            if (decode(name, AKIN_FIT_STRETCH, rgb) != AKIN_OK)
                fail_msg("%s: %s", name, akin_error_message());
            compare(name, rgb, expected + index * BYTES, largest, mean);
            accepted++;
        } else {
            assert_int_equal(sscanf(line, "%199s refused %199[^\n]", name, reason), 2);
            if (decode(name, AKIN_FIT_STRETCH, rgb) != AKIN_INPUT)
                fail_msg("%s is not refused", name);
            if (!strstr(akin_error_message(), reason))
                fail_msg("%s: '%s' does not say '%s'", name, akin_error_message(), reason);
            refused++;
        }
    }
    fclose(list);
    akin_mem_free(expected);
    assert_true(accepted > 100 && refused > 30);
}

static const uint8_t *pixel(const uint8_t *rgb, int x, int y) {
    return rgb + (y * SIDE + x) * 3;
}

static int is_white(const uint8_t *p) {
    return p[0] == 255 && p[1] == 255 && p[2] == 255;
}

/* 300x600 padded: the middle 16 columns; for a turned picture, rows. */
static void pads_with_white(void **unused) {
    (void)unused;
    uint8_t rgb[BYTES];
    assert_int_equal(decode("300x600.jpg", AKIN_FIT_PAD, rgb), AKIN_OK);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            assert_int_equal(is_white(pixel(rgb, x, y)), x < 8 || x >= 24);
    assert_int_equal(decode("rgb8_90x3.png", AKIN_FIT_PAD, rgb), AKIN_OK);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) assert_int_equal(is_white(pixel(rgb, x, y)), y != 16);
}

/* In the pattern, red grows from left to right and green from top to bottom: a crop lacks the ends.
 */
static void crops_the_middle(void **unused) {
    (void)unused;
    uint8_t rgb[BYTES], turned[BYTES];
    assert_int_equal(decode("300x600.jpg", AKIN_FIT_CROP, rgb), AKIN_OK);
    assert_in_range(pixel(rgb, 16, 0)[1], 58,
                    74); /* a quarter of the height is cut off at the top and at the bottom */
    assert_in_range(pixel(rgb, 16, 31)[1], 181, 197);
    assert_in_range(pixel(rgb, 0, 16)[0], 0, 12);
    assert_in_range(pixel(rgb, 31, 16)[0], 243, 255);
    /* A photograph that is stored sideways is cropped in the same place, and turned. */
    assert_int_equal(decode("exif1.jpg", AKIN_FIT_CROP, rgb), AKIN_OK);
    assert_int_equal(decode("exif6.jpg", AKIN_FIT_CROP, turned), AKIN_OK);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 3; c++)
                assert_in_range(pixel(turned, SIDE - 1 - y, x)[c] - pixel(rgb, x, y)[c] + 8, 0, 16);
}

static void makes_thumbnails(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        size_t side, width, height;
    } cases[] = {
        {"300x600.jpg", 96, 48, 96}, {"exif1.jpg", 100, 100, 77}, {"exif6.jpg", 100, 77, 100},
        {"rgba8.png", 20, 20, 17},   {"rgba8.png", 100, 41, 35},  {"rgb8_90x3.png", 10, 10, 1},
        {"lossy.webp", 40, 40, 34},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count, width, height;
        uint8_t *bytes = read_fixture(cases[i].name, &count), *rgb;
        if (akin_image_thumbnail(bytes, count, cases[i].side, AKIN_IMAGE_MAX_PIXELS, &rgb, &width,
                                 &height) != AKIN_OK)
            fail_msg("%s: %s", cases[i].name, akin_error_message());
        assert_int_equal(width, cases[i].width);
        assert_int_equal(height, cases[i].height);
        akin_mem_free(rgb);
        akin_mem_free(bytes);
    }
}

static void reads_the_jpeg_it_writes(void **unused) {
    (void)unused;
    uint8_t rgb[BYTES], again[BYTES], *jpeg;
    size_t count;
    assert_int_equal(decode("rgb8.png", AKIN_FIT_STRETCH, rgb), AKIN_OK);
    assert_int_equal(akin_image_encode_jpeg(rgb, SIDE, SIDE, 95, &jpeg, &count), AKIN_OK);
    akin_image_params params = {SIDE, SIDE, AKIN_FIT_STRETCH, AKIN_IMAGE_MAX_PIXELS};
    assert_int_equal(akin_image_decode(jpeg, count, &params, again), AKIN_OK);
    compare("a written JPEG", again, rgb, 40, 5);
    akin_mem_free(jpeg);
}

static void keeps_to_max_pixels(void **unused) {
    (void)unused;
    uint8_t rgb[BYTES];
    static const struct {
        const char *name;
        uint64_t pixels;
    } cases[] = {{"rgb8.png", 41 * 35},   {"420_large.jpg", 333 * 257}, {"moving.webp", 83 * 71},
                 {"part.gif", 61 * 65},   {"lzw.tif", 41 * 35},         {"rgb.bmp", 41 * 35},
                 {"plain.heic", 83 * 71}, {"plain.avif", 83 * 71},      {"exif6.jpg", 333 * 257}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count;
        uint8_t *bytes = read_fixture(cases[i].name, &count);
        akin_image_params params = {SIDE, SIDE, AKIN_FIT_STRETCH, cases[i].pixels};
        assert_int_equal(akin_image_decode(bytes, count, &params, rgb), AKIN_OK);
        params.max_pixels--;
        assert_int_equal(akin_image_decode(bytes, count, &params, rgb), AKIN_INPUT);
        assert_non_null(strstr(akin_error_message(), "--max-pixels"));
        akin_mem_free(bytes);
    }
}

/* A truncated file gives a status, and what is accepted is a complete picture. */
static void survives_every_cut(void **unused) {
    (void)unused;
    static const char *const names[] = {"rgba16_interlaced.png",
                                        "palette4_trns.png",
                                        "cmyk_progressive.jpg",
                                        "420_small.jpg",
                                        "moving_part.webp",
                                        "lossy_alpha.webp",
                                        "grey_inverted_alpha.tif",
                                        "interlaced.gif",
                                        "raw.tif",
                                        "lzw.tif",
                                        "palette.bmp",
                                        "plain.heic",
                                        "alpha.avif",
                                        "grid.heic"};
    uint8_t rgb[BYTES];
    akin_image_params params = {SIDE, SIDE, AKIN_FIT_PAD, AKIN_IMAGE_MAX_PIXELS};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t count;
        uint8_t *bytes = read_fixture(names[i], &count);
        for (size_t cut = 0; cut < count; cut += 1 + cut / 40) {
            uint8_t *exact = malloc(cut ? cut : 1);
            memcpy(exact, bytes, cut);
            if (akin_image_decode(exact, cut, &params, rgb) != AKIN_INPUT)
                fail_msg("%s cut at %zu of %zu is not refused", names[i], cut, count);
            if (strstr(akin_error_message(), "crashed"))
                fail_msg("%s cut at %zu of %zu: %s", names[i], cut, count, akin_error_message());
            free(exact);
        }
        akin_mem_free(bytes);
    }
}

/* Profiles that are truncated, invalid, or of another kind of colours are ignored and counted. */
static void counts_broken_profiles(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        uint64_t count;
    } cases[] = {{"adobe.jpg", 0},        {"srgb.png", 0},         {"profile_bomb.png", 1},
                 {"profile_lost.tif", 1}, {"profile_cut.tif", 1},  {"profile_words.tif", 1},
                 {"profile_inks.tif", 1}, {"profile_cut.webp", 1}, {"profile_inks.webp", 1},
                 {"profile_cut.png", 1},  {"profile_words.png", 1}};
    uint8_t rgb[BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int times = 0; times < 2; times++) { /* the second time it is already known */
            uint64_t before = akin_image_broken_profiles();
            assert_int_equal(decode(cases[i].name, AKIN_FIT_STRETCH, rgb), AKIN_OK);
            if (akin_image_broken_profiles() - before != cases[i].count)
                fail_msg("%s: %d broken profiles", cases[i].name,
                         (int)(akin_image_broken_profiles() - before));
        }
}

static void without_memory_it_says_so(void **unused) {
    (void)unused;
    static const char *const names[] = {"rgba8.png",    "cmyk.jpg",  "lossy_alpha.webp",
                                        "clear.gif",    "lzw.tif",   "inks_planar.tif",
                                        "top_down.bmp", "alpha.avif"};
    uint8_t rgb[BYTES];
    akin_image_params params = {SIDE, SIDE, AKIN_FIT_STRETCH, AKIN_IMAGE_MAX_PIXELS};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t count, failures = 0;
        uint8_t *bytes = read_fixture(names[i], &count);
        for (uint64_t n = 1;; n++) {
            akin_image_result result = {.rgb = rgb};
            akin_mem_fail_at(n);
            akin_status status = akin_image_decode_here(bytes, count, &params, NULL, &result);
            akin_mem_fail_at(0);
            if (status == AKIN_OK) break;
            assert_int_equal(status, AKIN_FAILED);
            failures++;
        }
        assert_true(failures >= 6);
        akin_mem_free(bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_refuses_the_fixtures),
        cmocka_unit_test(pads_with_white),
        cmocka_unit_test(crops_the_middle),
        cmocka_unit_test(makes_thumbnails),
        cmocka_unit_test(reads_the_jpeg_it_writes),
        cmocka_unit_test(keeps_to_max_pixels),
        cmocka_unit_test(survives_every_cut),
        cmocka_unit_test(counts_broken_profiles),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
