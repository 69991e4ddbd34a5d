/* sorted: one key into a sorted array, compiled once per level.
 *
 * What stands at i afterwards is the larger of what stood there and of the smaller of the key and
 * what stood before it; from the back, so that nothing is overwritten that is still to be read. */
#include "sorted.h"
#include <akin/cpu.h>
#include <immintrin.h>

enum {
    STRIDE = 32
}; /* keys between two looks at whether all that are left are larger: rare in short arrays */

static inline uint64_t one(const uint64_t *keys, size_t i, uint64_t key) {
    uint64_t before = i > 0 && keys[i - 1] < key ? keys[i - 1] : key;
    return keys[i] > before ? keys[i] : before;
}

static void insert(uint64_t *keys, size_t count, uint64_t key) {
    size_t end = count;
#if AKIN_LEVEL >= 4
    const __m512i spread = _mm512_set1_epi64((long long)key);
    for (; end > 8; end -= 8) {
        if (end % STRIDE == 0 && keys[end - 1] >= key) return;
        __m512i before = _mm512_min_epu64(_mm512_loadu_si512(keys + end - 9), spread);
        _mm512_storeu_si512(keys + end - 8,
                            _mm512_max_epu64(_mm512_loadu_si512(keys + end - 8), before));
    }
#elif AKIN_LEVEL == 3
    const __m256i sign = _mm256_set1_epi64x(INT64_MIN),
                  spread = _mm256_set1_epi64x((long long)(key ^ 1ull << 63));
    for (; end > 4; end -= 4) { /* comparisons are of signed numbers */
        if (end % STRIDE == 0 && keys[end - 1] >= key) return;
        __m256i before = _mm256_xor_si256(_mm256_loadu_si256((const void *)(keys + end - 5)), sign);
        __m256i there = _mm256_xor_si256(_mm256_loadu_si256((const void *)(keys + end - 4)), sign);
        before = _mm256_blendv_epi8(before, spread, _mm256_cmpgt_epi64(before, spread));
        there = _mm256_blendv_epi8(before, there, _mm256_cmpgt_epi64(there, before));
        _mm256_storeu_si256((void *)(keys + end - 4), _mm256_xor_si256(there, sign));
    }
    if (end == 4) { /* before the first stands the key itself */
        __m256i there = _mm256_xor_si256(_mm256_loadu_si256((const void *)keys), sign);
        __m256i before = _mm256_blend_epi32(_mm256_permute4x64_epi64(there, 0x90), spread, 3);
        before = _mm256_blendv_epi8(before, spread, _mm256_cmpgt_epi64(before, spread));
        there = _mm256_blendv_epi8(before, there, _mm256_cmpgt_epi64(there, before));
        _mm256_storeu_si256((void *)keys, _mm256_xor_si256(there, sign));
        return;
    }
#endif
    for (; end > 0; end--) keys[end - 1] = one(keys, end - 1, key);
}

extern const akin_sorted_kernels akin_sorted_kernels_v1, akin_sorted_kernels_v3,
    akin_sorted_kernels_v4;
const akin_sorted_kernels AKIN_LEVELED(akin_sorted_kernels) = {.insert = insert};

#if AKIN_LEVEL == 1
const akin_sorted_kernels *akin_sorted(void) {
    static const akin_sorted_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_sorted_kernels_v1, &akin_sorted_kernels_v3, &akin_sorted_kernels_v4,
        &akin_sorted_kernels_v4};
    return levels[akin_cpu_active()];
}
#endif
