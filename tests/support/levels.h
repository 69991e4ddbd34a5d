/* For tests of the kernels: every level of this CPU, and numbers to test them with. */
#ifndef AKIN_TESTS_LEVELS_H
#define AKIN_TESTS_LEVELS_H

#include <akin/cpu.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Forces a level if this CPU has it. If $AKIN_TEST_CPU names levels, only those are used, and they
 * must exist. */
static inline bool force_level(int level) {
    const char *name = akin_cpu_name((akin_cpu_level)level), *only = getenv("AKIN_TEST_CPU");
    if (only && !strstr(only, name)) return false;
    bool forced = akin_cpu_force(name) == AKIN_OK;
    if (only && !forced) abort();
    return forced;
}

/* Runs the body once for each level of the CPU, forced; then returns to the best one. */
#define FOR_EACH_LEVEL(level)                                                                      \
    for (int level = 0; level < AKIN_CPU_LEVELS || akin_cpu_force("auto") != AKIN_OK; level++)     \
        if (force_level(level))

/* cmocka checks each byte, which is slow on large arrays and even slower when emulated. */
#define assert_same_bytes(a, b, size)                                                              \
    do {                                                                                           \
        if (memcmp(a, b, size) != 0) assert_memory_equal(a, b, size);                              \
    } while (0)

/* An integer hash of 32 bits, the same as in golden_step.py. */
static inline uint32_t mix(uint32_t x) {
    x = (x ^ (x >> 16)) * 0x7feb352dU;
    x = (x ^ (x >> 15)) * 0x846ca68bU;
    return x ^ (x >> 16);
}

/* Numbers in [-1, 1) without repetitions: element i of array `which`. */
static inline float number(uint32_t which, size_t i) {
    return (float)(2 * (mix((uint32_t)i + 1000003U * which) / 4294967296.0) - 1);
}

static inline void fill(uint32_t which, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = number(which, i);
}

#endif
