/* simd: vectors of the level that a kernel is compiled for, on the compiler's own vector types. Not
 * collective. Cannot fail. Private to the leveled sources. */
#ifndef AKIN_SIMD_H
#define AKIN_SIMD_H

#include <string.h>

#define WIDTH (AKIN_LEVEL == 4 ? 16 : AKIN_LEVEL == 3 ? 8 : 4) /* floats in a vector */
#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

typedef float vector __attribute__((vector_size(WIDTH * sizeof(float))));
typedef int integers __attribute__((vector_size(WIDTH * sizeof(float))));

/* As it lies in an array of floats, at any address. */
INLINE vector load(const float *from) {
    vector value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store(float *to, vector value) {
    memcpy(to, &value, sizeof value);
}

/* value where test > 0 or is not a number, else zero. */
INLINE vector where_alive(vector test, vector value) {
    return (vector)((integers)value & ~(test <= (vector){0}));
}

#endif
