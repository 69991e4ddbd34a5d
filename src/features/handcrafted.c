/* handcrafted: colour, edges and texture. */
#include "handcrafted.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

enum {
    SIDE = 32,
    HUES = 12,
    SATURATIONS = 3,
    VALUES = 3,
    COLOURED = HUES * SATURATIONS * VALUES,
    GREYS = 4,
    CELLS = 8, /* cells along a side */
    CELL = SIDE / CELLS,
    DIRECTIONS = 8,
    PATTERNS = 256,
    LIGHTER = 255 * 1000 / 50, /* weights of the channels in grey, in thousandths */
};

static const float PI = 3.14159265F;

/* Converts counts to the square roots of their shares of `total`. */
static void to_roots(float *counts, size_t count, float total) {
    for (size_t i = 0; i < count; i++) counts[i] = sqrtf(counts[i] / total);
}

/* --- colour --- */

/* `at` in [0, bins - 1] lies between two bins: the lower bin and the share of the upper one. */
static void between(float at, int bins, int *low, float *share) {
    *low = (int)at < bins - 1 ? (int)at : bins - 2;
    *share = at - (float)*low;
}

/* Hue in [0, 6), for a pixel that is not grey. */
static float hue_of(int r, int g, int b, int most, int range) {
    if (most == r) return fmodf((float)(g - b) / (float)range + 6, 6);
    if (most == g) return (float)(b - r) / (float)range + 2;
    return (float)(r - g) / (float)range + 4;
}

/* The two hues that a pixel lies between, and the share of the second. */
static float hues_of(int r, int g, int b, int most, int range, int hues[2]) {
    float at = range > 0 ? hue_of(r, g, b, most, range) * HUES / 6 - 0.5F : 0, low = floorf(at);
    hues[0] = ((int)low + HUES) % HUES;
    hues[1] = (hues[0] + 1) % HUES;
    return at - low;
}

static void add_colour(const uint8_t *pixel, float *colour) {
    int r = pixel[0], g = pixel[1], b = pixel[2], hues[2], s, v, grey;
    int most = r > g ? r : g, least = r < g ? r : g;
    most = b > most ? b : most;
    least = b < least ? b : least;
    float saturation = most == 0 ? 0 : (float)(most - least) / (float)most,
          value = (float)most / 255;
    float coloured = fminf(1, 4 * saturation * value), s_share, v_share, grey_share;
    float hue_share = hues_of(r, g, b, most, most - least, hues);
    between(saturation * (SATURATIONS - 1), SATURATIONS, &s, &s_share);
    between(value * (VALUES - 1), VALUES, &v, &v_share);
    between(value * (GREYS - 1), GREYS, &grey, &grey_share);
    for (int k = 0; k < 8; k++) {
        float share = (k & 4 ? hue_share : 1 - hue_share) * (k & 2 ? s_share : 1 - s_share) *
                      (k & 1 ? v_share : 1 - v_share);
        colour[(hues[k >> 2] * SATURATIONS + s + (k >> 1 & 1)) * VALUES + v + (k & 1)] +=
            coloured * share;
    }
    colour[COLOURED + grey] += (1 - coloured) * (1 - grey_share);
    colour[COLOURED + grey + 1] += (1 - coloured) * grey_share;
}

void akin_handcrafted_colour(const uint8_t *picture, float *colour) {
    memset(colour, 0, AKIN_HANDCRAFTED_COLOUR * sizeof *colour);
    for (size_t p = 0; p < (size_t)SIDE * SIDE; p++) add_colour(picture + 3 * p, colour);
    to_roots(colour, AKIN_HANDCRAFTED_COLOUR, SIDE * SIDE);
}

/* --- edges --- */

static int clamp(int at) {
    return at < 0 ? 0 : at >= SIDE ? SIDE - 1 : at;
}

static int value_at(const uint8_t *picture, int row, int column, int channel) {
    return picture[(clamp(row) * SIDE + clamp(column)) * 3 + channel];
}

/* For the channel with the largest gradient, the first in case of a tie. */
static void gradient_at(const uint8_t *picture, int row, int column, int *down, int *right) {
    int largest = -1;
    for (int c = 0; c < 3; c++) {
        int y = value_at(picture, row + 1, column, c) - value_at(picture, row - 1, column, c);
        int x = value_at(picture, row, column + 1, c) - value_at(picture, row, column - 1, c);
        if (x * x + y * y > largest) {
            largest = x * x + y * y;
            *down = y;
            *right = x;
        }
    }
}

/* The two cells between whose centres a pixel lies (the same cell twice at the border), and the
 * share of the second. */
static float cells_of(int at, int cells[2]) {
    float place = ((float)at + 0.5F) / CELL - 0.5F;
    int low = (int)floorf(place);
    cells[0] = low < 0 ? 0 : low;
    cells[1] = low + 1 < CELLS ? low + 1 : CELLS - 1;
    return place - (float)low;
}

/* Adds a pixel's gradient to 2 x 2 cells and 2 directions. */
static void add_gradient(int row, int column, int down, int right,
                         float cells[CELLS][CELLS][DIRECTIONS]) {
    int rows[2], columns[2];
    float row_share = cells_of(row, rows), column_share = cells_of(column, columns);
    float length = sqrtf((float)(right * right + down * down));
    float at = atan2f((float)down, (float)right) / PI * DIRECTIONS +
               2 * DIRECTIONS; /* opposite directions are the same */
    int direction = (int)at;
    float turned = at - (float)direction;
    for (int k = 0; k < 8; k++)
        cells[rows[k >> 2]][columns[k >> 1 & 1]][(direction + (k & 1)) % DIRECTIONS] +=
            length * (k & 4 ? row_share : 1 - row_share) *
            (k & 2 ? column_share : 1 - column_share) * (k & 1 ? turned : 1 - turned);
}

static int clamp_cell(int at) {
    return at < 0 ? 0 : at >= CELLS ? CELLS - 1 : at;
}

/* The squared length of the 3 x 3 cells around a cell, given `square` of each. */
static float around(float square[CELLS][CELLS], int row, int column) {
    float sum = 0;
    for (int n = 0; n < 9; n++)
        sum += square[clamp_cell(row + n / 3 - 1)][clamp_cell(column + n % 3 - 1)];
    return sum;
}

void akin_handcrafted_edges(const uint8_t *picture, float *edges) {
    static const float unit =
        255.0F * CELL *
        CELL; /* scaled so that a cell holds the mean gradient of values in [0, 1] */
    float cells[CELLS][CELLS][DIRECTIONS] = {{{0}}}, square[CELLS][CELLS] = {{0}};
    for (int row = 0; row < SIDE; row++)
        for (int column = 0; column < SIDE; column++) {
            int down = 0, right = 0;
            gradient_at(picture, row, column, &down, &right);
            if (down != 0 || right != 0) add_gradient(row, column, down, right, cells);
        }
    for (int c = 0; c < CELLS * CELLS; c++)
        for (int d = 0; d < DIRECTIONS; d++) {
            cells[c / CELLS][c % CELLS][d] /= unit;
            square[c / CELLS][c % CELLS] +=
                cells[c / CELLS][c % CELLS][d] * cells[c / CELLS][c % CELLS][d];
        }
    for (int c = 0; c < CELLS * CELLS; c++) {
        float length = sqrtf(around(square, c / CELLS, c % CELLS) +
                             1e-4F); /* keeps almost flat areas close to zero */
        for (int d = 0; d < DIRECTIONS; d++)
            edges[c * DIRECTIONS + d] = fminf(cells[c / CELLS][c % CELLS][d] / length, 0.4F);
    }
}

/* --- texture --- */

/* The column of each code. */
static void list_patterns(uint8_t columns[PATTERNS]) {
    uint8_t next = 0;
    for (int code = 0; code < PATTERNS; code++) {
        int turned = (code >> 1) | (code & 1) << 7;
        columns[code] = __builtin_popcount((unsigned)(code ^ turned)) <= 2
                            ? next++
                            : AKIN_HANDCRAFTED_TEXTURE - 1;
    }
}

void akin_handcrafted_texture(const uint8_t *picture, float *texture) {
    static const int ways[8][2] = {{0, 1},  {-1, 1}, {-1, 0}, {-1, -1},
                                   {0, -1}, {1, -1}, {1, 0},  {1, 1}};
    int grey[SIDE][SIDE];
    uint8_t columns[PATTERNS];
    list_patterns(columns);
    memset(texture, 0, AKIN_HANDCRAFTED_TEXTURE * sizeof *texture);
    for (size_t p = 0; p < (size_t)SIDE * SIDE; p++)
        grey[p / SIDE][p % SIDE] =
            299 * picture[3 * p] + 587 * picture[3 * p + 1] + 114 * picture[3 * p + 2];
    for (int row = 0; row < SIDE; row++)
        for (int column = 0; column < SIDE; column++) {
            int code = 0;
            for (int n = 0; n < 8; n++)
                code |= (grey[clamp(row + ways[n][0])][clamp(column + ways[n][1])] >=
                         grey[row][column] + LIGHTER)
                        << n;
            texture[columns[code]] += 1;
        }
    to_roots(texture, AKIN_HANDCRAFTED_TEXTURE, SIDE * SIDE);
}
