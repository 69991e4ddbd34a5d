/* The operations of a matrix unit in plain C: eight registers of 16 x 64 bytes. Where the unit
 * would fault (not configured, a shape that does not fit), the model has an assertion. */
#define AKIN_LEVEL 1
#include "tile_model.h"
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { REGISTERS = 8, REGISTER_ROWS = 16, ROW_BYTES = 64 };

size_t tile_model_configured, tile_model_released;
static size_t width; /* of A's rows; 0: not configured */
static unsigned char registers[REGISTERS][REGISTER_ROWS][ROW_BYTES];

static size_t rows_of(int index) {
    return index >= 6 ? width / 4 : REGISTER_ROWS;
}

static size_t bytes_of(int index) {
    return index == 4 || index == 5 ? width : ROW_BYTES;
}

static void model_configure(size_t bytes) {
    assert(width == 0 && bytes > 0 && bytes <= ROW_BYTES && bytes % 4 == 0);
    memset(registers, 0xa5, sizeof registers);
    width = bytes;
    tile_model_configured++;
}

static void model_release(void) {
    assert(width > 0);
    width = 0;
    tile_model_released++;
}

static void model_load(int index, const void *from, size_t bytes) {
    assert(width > 0);
    for (size_t r = 0; r < rows_of(index); r++)
        memcpy(registers[index][r], (const unsigned char *)from + r * bytes, bytes_of(index));
}

static void model_multiply(int sums, int a, int b) {
    assert(width > 0 && bytes_of(a) == 4 * rows_of(b));
    for (size_t i = 0; i < REGISTER_ROWS; i++)
        for (size_t j = 0; j < ROW_BYTES / 4; j++) {
            int32_t sum;
            memcpy(&sum, &registers[sums][i][4 * j], sizeof sum);
            for (size_t t = 0; t < width; t++)
                sum += registers[a][i][t] * (int8_t)registers[b][t / 4][4 * j + t % 4];
            memcpy(&registers[sums][i][4 * j], &sum, sizeof sum);
        }
}

static void model_store(int index, void *to, size_t bytes) {
    assert(width > 0);
    for (size_t r = 0; r < rows_of(index); r++)
        memcpy((unsigned char *)to + r * bytes, registers[index][r], bytes_of(index));
}

#define MATRIX_CONFIGURE(width) model_configure(width)
#define MATRIX_RELEASE() model_release()
#define MATRIX_ZERO(register) memset(registers[register], 0, sizeof registers[register])
#define MATRIX_LOAD(register, address, bytes) model_load(register, address, bytes)
#define MATRIX_MULTIPLY(sums, a, b) model_multiply(sums, a, b)
#define MATRIX_STORE(register, address, bytes) model_store(register, address, bytes)

/* The portable level's sketches are not in the format of a matrix unit. */
#include "allpairs/tile_matrix.h"

const akin_tile_kernels akin_tile_kernels_v1_model = {
    .name = "model int8",
    .format = {LIMIT, OFFSET, TOGETHER, false, true},
    .begin = begin,
    .end = end,
    .lowest = lowest,
    .lower = lower,
    .lower_to_sums = lower_to_sums,
    .hits = tile_hits,
    .four = tile_four,
    .scores = tile_scores};
