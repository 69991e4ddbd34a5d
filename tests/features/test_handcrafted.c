/* Laws of handcrafted: each description equals that of a naive twin, written from the papers pixel
 * by pixel; shares add up to one; the effect of rotating, mirroring or greying a picture on its
 * columns; flat pictures have no edges. */
#include "features/handcrafted.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum { SIDE = 32, BYTES = SIDE * SIDE * 3 };

/* Pictures 0..: noise, a gradient with a coloured disc, grey noise, noise of few values, flat
 * colours, black, white. */
enum { PICTURES = 8 };
static const uint8_t *picture(int which) {
    static uint8_t p[BYTES];
    for (int i = 0; i < BYTES; i++) {
        int row = i / 96, column = i / 3 % 32, channel = i % 3,
            inside = (row - 14) * (row - 14) + (column - 18) * (column - 18) < 80;
        uint32_t any = mix((uint32_t)i + 77), same = mix((uint32_t)(i / 3) + 99);
        const int values[PICTURES] = {(int)(any & 255),
                                      inside ? 40 + 60 * channel : 3 * row + 2 * column,
                                      (int)(same & 255),
                                      (int)(any & 3) * 85,
                                      channel * 100,
                                      77,
                                      0,
                                      255};
        p[i] = (uint8_t)values[which];
    }
    return p;
}

static void assert_near(const float *a, const double *b, size_t count, double within) {
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - b[i]) <= within))
            fail_msg("column %zu: %.9g, not %.9g", i, (double)a[i], b[i]);
}

/* --- colour: the share of each bin is a product of three triangles around its centre --- */

static double triangle(double at, double centre) {
    return fmax(0, 1 - fabs(at - centre));
}

static void naive_colour(const uint8_t *p, double *out) {
    memset(out, 0, AKIN_HANDCRAFTED_COLOUR * sizeof *out);
    for (int i = 0; i < SIDE * SIDE; i++) {
        double r = p[3 * i] / 255.0, g = p[3 * i + 1] / 255.0, b = p[3 * i + 2] / 255.0;
        double most = fmax(r, fmax(g, b)), least = fmin(r, fmin(g, b)), range = most - least;
        double h = range == 0  ? 0
                   : most == r ? (g - b) / range
                   : most == g ? 2 + (b - r) / range
                               : 4 + (r - g) / range;
        double s = most > 0 ? range / most : 0, coloured = fmin(1, 4 * s * most);
        for (int bin = 0; bin < 108; bin++) {
            double away = fabs(fmod(h * 2 + 12, 12) - (bin / 9 + 0.5));
            out[bin] += coloured * triangle(fmin(away, 12 - away), 0) *
                        triangle(2 * s, bin / 3 % 3) * triangle(2 * most, bin % 3) / (SIDE * SIDE);
        }
        for (int bin = 0; bin < 4; bin++)
            out[108 + bin] += (1 - coloured) * triangle(3 * most, bin) / (SIDE * SIDE);
    }
    for (int bin = 0; bin < AKIN_HANDCRAFTED_COLOUR; bin++) out[bin] = sqrt(out[bin]);
}

static void colour_is_that_of_the_twin(void **state) {
    (void)state;
    for (int which = 0; which < PICTURES; which++) {
        float colour[AKIN_HANDCRAFTED_COLOUR];
        double twin[AKIN_HANDCRAFTED_COLOUR], total = 0;
        akin_handcrafted_colour(picture(which), colour);
        naive_colour(picture(which), twin);
        /* These are square roots: near zero, an error of 1e-7 in a share becomes 3e-4. */
        assert_near(colour, twin, AKIN_HANDCRAFTED_COLOUR, 4e-4);
        for (int i = 0; i < AKIN_HANDCRAFTED_COLOUR; i++)
            total += (double)colour[i] * (double)colour[i];
        assert_true(fabs(total - 1) < 1e-4);
    }
}

static void colour_does_not_depend_on_places(void **state) {
    (void)state;
    float there[AKIN_HANDCRAFTED_COLOUR], turned[AKIN_HANDCRAFTED_COLOUR];
    uint8_t other[BYTES];
    const uint8_t *p = picture(1);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        memcpy(other + 3 * i, p + 3 * (SIDE * SIDE - 1 - i), 3);
    akin_handcrafted_colour(p, there);
    akin_handcrafted_colour(other, turned);
    for (int i = 0; i < AKIN_HANDCRAFTED_COLOUR; i++)
        assert_true(fabsf(there[i] - turned[i]) < 4e-4F);
}

/* --- edges --- */

static double at(const uint8_t *p, int row, int column, int channel) {
    row = row < 0 ? 0 : row > 31 ? 31 : row;
    column = column < 0 ? 0 : column > 31 ? 31 : column;
    return p[(row * SIDE + column) * 3 + channel];
}

/* The position of a pixel among the centres of cells; the cells at the border extend to it. */
static double place_of(int at) {
    return fmin(7, fmax(0, (at + 0.5) / 4 - 0.5));
}

/* Every cell and direction collects its share of every pixel. */
static void naive_cells(const uint8_t *p, double cells[8][8][8]) {
    memset(cells, 0, sizeof(double[8][8][8]));
    for (int row = 0; row < SIDE; row++)
        for (int column = 0; column < SIDE; column++) {
            double x = 0, y = 0, most = -1;
            for (int c = 0; c < 3; c++) {
                double right = at(p, row, column + 1, c) - at(p, row, column - 1, c);
                double down = at(p, row + 1, column, c) - at(p, row - 1, column, c);
                if (right * right + down * down > most)
                    most = right * right + down * down, x = right, y = down;
            }
            double turn = fmod(atan2(y, x) + 2 * acos(-1), acos(-1)) / acos(-1) * 8;
            for (int i = 0; i < 512; i++) {
                double away = fabs(turn - i % 8), share = triangle(fmin(away, 8 - away), 0);
                cells[i / 64][i / 8 % 8][i % 8] += sqrt(most) / 255 / 16 * share *
                                                   triangle(place_of(row), i / 64) *
                                                   triangle(place_of(column), i / 8 % 8);
            }
        }
}

static void naive_edges(const uint8_t *p, double *out) {
    static double cells[8][8][8];
    naive_cells(p, cells);
    for (int i = 0; i < 512; i++) {
        double square = 1e-4;
        for (int n = 0; n < 72; n++) {
            int row = (int)fmin(7, fmax(0, i / 64 + n / 24 - 1)),
                column = (int)fmin(7, fmax(0, i / 8 % 8 + n / 8 % 3 - 1));
            square += cells[row][column][n % 8] * cells[row][column][n % 8];
        }
        out[i] = fmin(cells[i / 64][i / 8 % 8][i % 8] / sqrt(square), 0.4);
    }
}

static void edges_are_those_of_the_twin(void **state) {
    (void)state;
    for (int which = 0; which < PICTURES; which++) {
        float edges[AKIN_HANDCRAFTED_EDGES];
        double twin[AKIN_HANDCRAFTED_EDGES];
        akin_handcrafted_edges(picture(which), edges);
        naive_edges(picture(which), twin);
        assert_near(edges, twin, AKIN_HANDCRAFTED_EDGES, 1e-5);
    }
}

static void a_flat_picture_has_no_edges_and_a_bar_has_them_across(void **state) {
    (void)state;
    float edges[AKIN_HANDCRAFTED_EDGES];
    akin_handcrafted_edges(picture(4), edges);
    for (int i = 0; i < AKIN_HANDCRAFTED_EDGES; i++) assert_true(edges[i] == 0);
    uint8_t bars[BYTES];
    for (int i = 0; i < BYTES; i++) bars[i] = i / 3 % 32 / 2 % 2 ? 200 : 0;
    akin_handcrafted_edges(bars, edges);
    for (int i = 0; i < AKIN_HANDCRAFTED_EDGES; i++)
        assert_true(i % 8 == 0 ? edges[i] > 0.1F : edges[i] < 1e-5F);
}

/* --- texture --- */

static void naive_texture(const uint8_t *p, double *out) {
    static const int rows[8] = {0, -1, -1, -1, 0, 1, 1, 1},
                     columns[8] = {1, 1, 0, -1, -1, -1, 0, 1};
    int codes[256] = {0}, uniform[256], found = 0;
    for (int code = 0; code < 256; code++) {
        int changes = 0;
        for (int b = 0; b < 8; b++) changes += (code >> b & 1) != (code >> (b + 1) % 8 & 1);
        uniform[code] = changes <= 2 ? found++ : 58;
    }
    assert_int_equal(found, 58);
    for (int row = 0; row < SIDE; row++)
        for (int column = 0; column < SIDE; column++) {
            int code = 0;
            double grey[9];
            for (int n = 0; n < 9; n++) {
                int r = n < 8 ? row + rows[n] : row, c = n < 8 ? column + columns[n] : column;
                grey[n] = 299 * at(p, r, c, 0) + 587 * at(p, r, c, 1) + 114 * at(p, r, c, 2);
            }
            for (int n = 0; n < 8; n++) code += grey[n] >= grey[8] + 0.02 * 255000 ? 1 << n : 0;
            codes[code]++;
        }
    memset(out, 0, AKIN_HANDCRAFTED_TEXTURE * sizeof *out);
    for (int code = 0; code < 256; code++) out[uniform[code]] += codes[code] / 1024.0;
    for (int i = 0; i < AKIN_HANDCRAFTED_TEXTURE; i++) out[i] = sqrt(out[i]);
}

static void texture_is_that_of_the_twin(void **state) {
    (void)state;
    for (int which = 0; which < PICTURES; which++) {
        float texture[AKIN_HANDCRAFTED_TEXTURE];
        double twin[AKIN_HANDCRAFTED_TEXTURE];
        akin_handcrafted_texture(picture(which), texture);
        naive_texture(picture(which), twin);
        assert_near(texture, twin, AKIN_HANDCRAFTED_TEXTURE, 1e-6);
        if (which >= 4)
            assert_true(texture[0] == 1); /* in a flat picture no neighbour is lighter: code 0 */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colour_is_that_of_the_twin),
        cmocka_unit_test(colour_does_not_depend_on_places),
        cmocka_unit_test(edges_are_those_of_the_twin),
        cmocka_unit_test(a_flat_picture_has_no_edges_and_a_bar_has_them_across),
        cmocka_unit_test(texture_is_that_of_the_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
