/* cpu: which compiled level of the kernels is used. Not collective.
 *
 * The leveled sources (CMakeLists: AKIN_LEVELED) are compiled once per level with
 * -DAKIN_LEVEL=1|3|4; each exports its table of functions as AKIN_LEVELED(name), and its level-1
 * object also exports the chooser that indexes them by akin_cpu_level. Sources that benefit from
 * VNNI (AKIN_LEVELED_VNNI) are compiled with -DAKIN_LEVEL=5 too, those that use AMX with
 * -DAKIN_LEVEL=6; the others use the previous level's table there.
 */
#ifndef AKIN_CPU_H
#define AKIN_CPU_H

#include <akin/error.h>

typedef enum {
    AKIN_CPU_PORTABLE, /* x86-64 */
    AKIN_CPU_AVX2,     /* x86-64-v3: AVX2, FMA */
    AKIN_CPU_AVX512,   /* x86-64-v4: AVX-512 F, BW, CD, DQ, VL */
    AKIN_CPU_VNNI,     /* and AVX-512 VNNI: 8-bit dot products */
    AKIN_CPU_AMX,      /* and AMX: 8-bit products of matrices, if the system grants its state */
    AKIN_CPU_LEVELS,
} akin_cpu_level;

#if defined(AKIN_LEVEL)
#define AKIN_JOIN_(a, b) a##_v##b
#define AKIN_JOIN(a, b) AKIN_JOIN_(a, b)
#define AKIN_LEVELED(name) AKIN_JOIN(name, AKIN_LEVEL)
#endif

/* The level in use: the best that CPU and operating system support, unless one was forced. */
akin_cpu_level akin_cpu_active(void);
const char *akin_cpu_name(akin_cpu_level level); /* "portable", "avx2", "avx512", "vnni", "amx" */
/* Caps the level from now on, until one is forced: at what all ranks support. */
void akin_cpu_limit(akin_cpu_level level);
/* "auto" or a name; AKIN_USAGE if it is unknown or this machine does not support it. For tests,
 * benchmarks and --cpu. */
AKIN_MUST_CHECK akin_status akin_cpu_force(const char *name);

#endif
