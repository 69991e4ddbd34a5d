/* cpu: which compiled level of the kernels runs. */
#include <akin/cpu.h>
#include <stdbool.h>
#include <string.h>

static const char *const names[AKIN_CPU_LEVELS] = {"portable", "avx2", "avx512", "vnni"};
static int active = -1; /* -1: not yet asked */

/* The whole level is asked for, not only what its name says: the compiler may use all of it. The
 * operating system's part (it must keep the wide registers) is in these answers too. */
static bool has(akin_cpu_level level) {
    __builtin_cpu_init();
    switch (level) {
    case AKIN_CPU_PORTABLE: return true;
#ifdef __clang__ /* which knows no levels here */
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

const char *akin_cpu_name(akin_cpu_level level) {
    return names[level];
}

akin_status akin_cpu_force(const char *name) {
    if (!strcmp(name, "auto")) {
        active = best();
        return AKIN_OK;
    }
    for (int level = 0; level < AKIN_CPU_LEVELS; level++) {
        if (strcmp(name, names[level])) continue;
        if (!has((akin_cpu_level)level))
            return akin_error_set(AKIN_USAGE, "--cpu %s: this machine lacks it; use auto or %s",
                                  name, names[best()]);
        active = level;
        return AKIN_OK;
    }
    return akin_error_set(AKIN_USAGE,
                          "--cpu %s: not known; use auto, portable, avx2, avx512 or vnni", name);
}
