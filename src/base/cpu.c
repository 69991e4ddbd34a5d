/* cpu: which compiled level of the kernels is used. */
#include <akin/cpu.h>
#include <cpuid.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const names[AKIN_CPU_LEVELS] = {"portable", "avx2", "avx512", "vnni", "amx"};
static int active = -1; /* -1: not determined yet */

/* The matrix unit: the CPU has it and its 8-bit products (CPUID leaf 7), the operating system saves
 * its state (XCR0, bits 17 and 18) and grants this process its use: the 8 KiB of registers are
 * saved only for processes that ask. The permission is permanent and inherited by children. */
static bool has_matrix_unit(void) {
    enum { ARCH_REQUEST_STATE = 0x1023, TILE_DATA = 18 };
    unsigned a, b, c, d, low, high;
    const unsigned unit = 1u << 24, bytes = 1u << 25, states = 3u << 17, managed = 1u << 27;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & managed)) return false;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & unit) || !(d & bytes)) return false;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0)); /* allowed by `managed` */
    return (low & states) == states && syscall(SYS_arch_prctl, ARCH_REQUEST_STATE, TILE_DATA) == 0;
}

/* Checks for the whole level, not only the features in its name: the compiler may use all of
 * them. These answers include the operating system's part, which must save the wide registers. */
static bool has(akin_cpu_level level) {
    __builtin_cpu_init();
    switch (level) {
    case AKIN_CPU_PORTABLE: return true;
#ifdef __clang__ /* which does not know these levels */
    case AKIN_CPU_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
               __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    case AKIN_CPU_AVX512:
        return has(AKIN_CPU_AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
    case AKIN_CPU_AVX2: return __builtin_cpu_supports("x86-64-v3");
    case AKIN_CPU_AVX512: return __builtin_cpu_supports("x86-64-v4");
#endif
    case AKIN_CPU_VNNI: return has(AKIN_CPU_AVX512) && __builtin_cpu_supports("avx512vnni");
    case AKIN_CPU_AMX: return has(AKIN_CPU_VNNI) && has_matrix_unit();
    default: return false;
    }
}

static akin_cpu_level best(void) {
    akin_cpu_level level = AKIN_CPU_PORTABLE;
    while (level + 1 < AKIN_CPU_LEVELS && has(level + 1)) level++;
    return level;
}

akin_cpu_level akin_cpu_active(void) {
    if (active < 0) active = best();
    return (akin_cpu_level)active;
}

void akin_cpu_limit(akin_cpu_level level) {
    if (akin_cpu_active() > level) active = (int)level;
}

const char *akin_cpu_name(akin_cpu_level level) {
    return names[level];
}

/* "auto, portable or avx2": what works here. */
static void name_usable(char *out, size_t size) {
    int used = snprintf(out, size, "auto");
    for (int level = 0; level <= (int)best(); level++)
        used += snprintf(out + used, size - (size_t)used, "%s%s",
                         level == (int)best() ? " or " : ", ", names[level]);
}

akin_status akin_cpu_force(const char *name) {
    if (!strcmp(name, "auto")) {
        active = best();
        return AKIN_OK;
    }
    for (int level = 0; level < AKIN_CPU_LEVELS; level++) {
        if (strcmp(name, names[level])) continue;
        if (!has((akin_cpu_level)level)) {
            char usable[64];
            name_usable(usable, sizeof usable);
            return akin_error_option("cpu", "--cpu %s: this machine does not support it; use %s",
                                     name, usable);
        }
        active = level;
        return AKIN_OK;
    }
    return akin_error_option(
        "cpu", "--cpu %s: not known; use auto, portable, avx2, avx512, vnni or amx", name);
}
