/* Laws of the views: no change at strength zero; a function of seed, epoch, item and view, each of
 * which matters; geometric changes are those that a naive twin finds; colours stay close; damage
 * has the requested extent. */
#include <akin/augment.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum { SIDE = AKIN_AUGMENT_SIDE, BYTES = AKIN_AUGMENT_BYTES, VIEWS = 400 };

static uint8_t picture[BYTES], view[BYTES], again[BYTES];

/* Smooth, with every colour, all values well inside 0 to 255: preserved by bilinear resampling. */
static void draw_smooth(void) {
    for (int r = 0; r < SIDE; r++)
        for (int c = 0; c < SIDE; c++) {
            uint8_t *pixel = picture + (r * SIDE + c) * 3;
            pixel[0] = (uint8_t)(80 + 2 * r);
            pixel[1] = (uint8_t)(90 + c);
            pixel[2] = (uint8_t)(150 - r - c);
        }
}

static void draw_rough(void) {
    for (uint32_t i = 0; i < BYTES; i++) picture[i] = (uint8_t)(mix(i) >> 24);
}

static akin_augment_key key_of(uint64_t item) {
    return (akin_augment_key){.seed = 3, .epoch = 2, .item = item, .view = 1};
}

static void test_no_strength_no_change(void **state) {
    (void)state;
    const akin_augment none[] = {akin_augment_damage(0), akin_augment_pair(0), {.crop = 0}};
    draw_rough();
    for (size_t k = 0; k < 3; k++)
        for (uint64_t item = 0; item < 20; item++) {
            const akin_augment_key key = key_of(item);
            memset(view, 7, sizeof view);
            akin_augment_view(&none[k], &key, picture, view);
            assert_same_bytes(view, picture, BYTES);
        }
}

/* Each part of the key makes a different view, and nothing else does. */
static void test_a_function_of_the_key(void **state) {
    (void)state;
    const akin_augment ways[] = {akin_augment_damage(1), akin_augment_pair(1)};
    const akin_augment_key keys[] = {{3, 2, 9, 1}, {4, 2, 9, 1},
                                     {3, 3, 9, 1}, {3, 2, 10, 1},
                                     {3, 2, 9, 0}, {3, 2, 9 + (UINT64_C(1) << 40), 1}};
    draw_rough();
    for (size_t w = 0; w < 2; w++) {
        akin_augment_view(&ways[w], &keys[0], picture, view);
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            memset(again, (int)k, sizeof again);
            akin_augment_view(&ways[w], &keys[k], picture, again);
            assert_true((memcmp(view, again, BYTES) == 0) == (k == 0));
        }
    }
}

/* Mirrored only: about every second view is the mirrored picture, to the byte, the others are the
 * picture. */
static void test_mirror(void **state) {
    (void)state;
    const akin_augment how = {.mirrored = true};
    int turned = 0;
    draw_rough();
    for (int r = 0; r < SIDE; r++)
        for (int c = 0; c < SIDE; c++)
            memcpy(again + (r * SIDE + c) * 3, picture + (r * SIDE + SIDE - 1 - c) * 3, 3);
    for (uint64_t item = 0; item < VIEWS; item++) {
        const akin_augment_key key = key_of(item);
        akin_augment_view(&how, &key, picture, view);
        bool is = memcmp(view, again, BYTES) == 0;
        assert_true(is || memcmp(view, picture, BYTES) == 0);
        turned += is;
    }
    assert_true(abs(turned - VIEWS / 2) < 5 * sqrt(VIEWS) / 2);
}

/* The window of source pixels that a view shows: on a ramp, colours indicate positions. Red rises
 * by 2 per row, green by 1 per column; the twin is a straight line from one end of the window to
 * the other. */
static void test_window(void **state) {
    (void)state;
    const akin_augment how = {.crop = 0.2F, .shift = 0.1F};
    double narrowest = SIDE, widest = 0, least = SIDE, most = -SIDE;
    draw_smooth();
    for (uint64_t item = 0; item < VIEWS; item++) {
        const akin_augment_key key = key_of(item);
        akin_augment_view(&how, &key, picture, view);
        /* Columns 8 and 23 are inside the picture, whatever the window. */
        const uint8_t *row = view + 16 * SIDE * 3;
        double at8 = row[8 * 3 + 1] - 90.0, at23 = row[23 * 3 + 1] - 90.0;
        double length = (at23 - at8) / 15 * SIDE, centre = (at8 + at23) / 2 - 15.5;
        narrowest = fmin(narrowest, length), widest = fmax(widest, length);
        least = fmin(least, centre), most = fmax(most, centre);
        for (int c = 0; c < SIDE; c++) {
            double line = fmin(fmax(at8 + (c - 8) * (at23 - at8) / 15, 0), SIDE - 1);
            assert_true(fabs(row[c * 3 + 1] - 90.0 - line) <= 2.2); /* all of them are rounded */
        }
    }
    assert_true(narrowest >= 0.8 * SIDE - 2.2 && narrowest < 0.87 * SIDE && widest > 0.97 * SIDE &&
                widest <= SIDE + 2.2);
    assert_true(least < -3 && most > 3 && least >= -0.2 * SIDE - 1 && most <= 0.2 * SIDE + 1);
}

static double mean_of(const uint8_t *image, int channel) {
    double sum = 0;
    for (int i = channel; i < BYTES; i += 3) sum += image[i];
    return sum / (SIDE * SIDE);
}

/* A few percent for one view, almost nothing on average over many. */
static void test_mean_colour_stays(void **state) {
    (void)state;
    const akin_augment how = akin_augment_pair(1);
    const double most = (double)((1 + how.brightness) * (1 + how.colour) - 1);
    draw_smooth();
    for (int channel = 0; channel < 3; channel++) {
        double mean = mean_of(picture, channel), sum = 0;
        for (uint64_t item = 0; item < VIEWS; item++) {
            const akin_augment_key key = key_of(item);
            akin_augment_view(&how, &key, picture, view);
            double now = mean_of(view, channel);
            assert_true(fabs(now / mean - 1) <=
                        most + 0.06); /* the result of a shifted window of a ramp */
            sum += now;
        }
        assert_true(fabs(sum / VIEWS / mean - 1) < 0.01);
    }
}

/* Noise around the picture with the requested standard deviation; at the ends of the range it is
 * clipped, not wrapped. */
static void test_noise(void **state) {
    (void)state;
    const akin_augment how = {.noise = 0.1F};
    double sum = 0, squares = 0, fourth = 0, n = 50.0 * BYTES;
    memset(picture, 128, sizeof picture);
    for (uint64_t item = 0; item < 50; item++) {
        const akin_augment_key key = key_of(item);
        akin_augment_view(&how, &key, picture, view);
        for (int i = 0; i < BYTES; i++) {
            double off = view[i] - 128;
            sum += off, squares += off * off, fourth += off * off * off * off;
        }
    }
    assert_true(fabs(sum / n) < 5 * 25.5 / sqrt(n) + 0.01);
    assert_true(fabs(sqrt(squares / n) / 25.5 - 1) < 0.01);
    assert_true(fabs(fourth / n / (squares / n * squares / n) - 2.7) <
                0.05); /* four uniform numbers: 3 - 1.2 / 4 */
    for (int end = 0; end < 2; end++) {
        const akin_augment_key key = key_of(1);
        memset(picture, end * 255, sizeof picture);
        akin_augment_view(&how, &key, picture, view);
        for (int i = 0; i < BYTES; i++) assert_true(end ? view[i] > 100 : view[i] < 155);
    }
}

/* About the requested share is covered, or less where squares overlap or cross the edge; by the
 * mean colour. */
static void test_masked(void **state) {
    (void)state;
    const akin_augment how = {.masked = 0.25F};
    size_t covered = 0;
    draw_rough();
    for (uint64_t item = 0; item < VIEWS; item++) {
        const akin_augment_key key = key_of(item);
        akin_augment_view(&how, &key, picture, view);
        for (int i = 0; i < BYTES; i += 3) {
            if (memcmp(view + i, picture + i, 3) == 0) continue;
            covered++;
            for (int k = 0; k < 3; k++)
                assert_true(fabs(view[i + k] - mean_of(picture, k)) <= 0.51);
        }
    }
    double share = (double)covered / VIEWS / (SIDE * SIDE);
    assert_true(share > 0.12 && share < 0.25);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_strength_no_change),
        cmocka_unit_test(test_a_function_of_the_key),
        cmocka_unit_test(test_mirror),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_mean_colour_stays),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_masked),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
