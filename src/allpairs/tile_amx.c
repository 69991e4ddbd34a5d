/* tile_amx: the tile on Intel's matrix unit, AMX (TDPBUSD); compiled only for its own level. Eight
 * registers are configured for a shape and released afterwards, so that the operating system has
 * nothing to save in between. */
#include <immintrin.h>
#include <stdint.h>

/* As LDTILECFG takes it (Intel 2024, "Architectures Software Developer's Manual", volume 1, 18.3). */
typedef struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16]; /* in a row */
    uint8_t rows[16];
} amx_configuration;

static void amx_configure(uint16_t width) {
    amx_configuration c __attribute__((aligned(64))) = {.palette = 1};
    for (int i = 0; i < 8; i++) c.bytes[i] = 64, c.rows[i] = 16;
    c.bytes[4] = c.bytes[5] = width;
    c.rows[6] = c.rows[7] = (uint8_t)(width / 4);
    __asm__ volatile("" ::: "memory"); /* the intrinsic does not say that all of it is read */
    _tile_loadconfig(&c);
}

#define MATRIX_CONFIGURE(width) amx_configure((uint16_t)(width))
#define MATRIX_RELEASE() _tile_release()
#define MATRIX_ZERO(register) _tile_zero(register)
#define MATRIX_LOAD(register, address, bytes) _tile_loadd(register, address, bytes)
#define MATRIX_MULTIPLY(sums, a, b) _tile_dpbusd(sums, a, b)
#define MATRIX_STORE(register, address, bytes) _tile_stored(register, address, bytes)

#include "tile_matrix.h"
#include <akin/cpu.h>

extern const akin_tile_kernels AKIN_LEVELED(akin_tile_kernels);
const akin_tile_kernels AKIN_LEVELED(akin_tile_kernels) = {
    .name = "amx int8",
    .format = {LIMIT, OFFSET, TOGETHER, false, true},
    .begin = begin,
    .end = end,
    .lowest = lowest,
    .lower = lower,
    .lower_to_sums = lower_to_sums,
    .hits = tile_hits,
    .four = tile_four,
    .scores = tile_scores};
