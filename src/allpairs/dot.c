/* dot: the score of two rows, compiled once per level. */
#include <akin/cpu.h>
#include <akin/dot.h>
#include <immintrin.h>
#include <string.h>

#if AKIN_LEVEL == 1
enum { LANES = AKIN_DOT_LANES };

/* fma(a, b, sum) in float32 without the instruction: the product of two floats is exact in double;
 * its sum is rounded to odd (Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded
 * sums"), after which rounding to float once more gives what one rounding would have given. */
static float fused_step(float a, float b, float sum) {
    double product = (double)a * b, s = product + sum;
    double part = s - product,
           rest = (product - (s - part)) + (sum - part); /* s + rest is exact (Knuth's TwoSum) */
    if (rest != 0) {
        int64_t bits;
        memcpy(&bits, &s, sizeof bits);
        if (!(bits & 1)) bits += (rest > 0) == (s > 0) ? 1 : -1;
        memcpy(&s, &bits, sizeof s);
    }
    return (float)s;
}

static float score(const float *a, const float *b, size_t stride) {
    float sum[LANES] = {0};
    for (size_t t = 0; t < stride; t += LANES)
        for (size_t l = 0; l < LANES; l++) sum[l] = fused_step(a[t + l], b[t + l], sum[l]);
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++) sum[l] += sum[l + half];
    return sum[0];
}

static float product(const float *a, const float *b, size_t stride) {
    __m128 sum[LANES / 4];
    for (int q = 0; q < LANES / 4; q++) sum[q] = _mm_setzero_ps();
    for (size_t t = 0; t < stride; t += LANES)
        for (size_t q = 0; q < LANES / 4; q++)
            sum[q] = _mm_add_ps(sum[q],
                                _mm_mul_ps(_mm_load_ps(a + t + 4 * q), _mm_load_ps(b + t + 4 * q)));
    __m128 v = _mm_add_ps(_mm_add_ps(sum[0], sum[1]), _mm_add_ps(sum[2], sum[3]));
    v = _mm_add_ps(v, _mm_movehl_ps(v, v));
    return _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps(v, v, 1)));
}
#else
static inline float total(__m256 u) {
    __m128 v = _mm_add_ps(_mm256_castps256_ps128(u), _mm256_extractf128_ps(u, 1));
    v = _mm_add_ps(v, _mm_movehl_ps(v, v));
    return _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps(v, v, 1)));
}

static inline float score(const float *a, const float *b, size_t stride) {
#if AKIN_LEVEL >= 4
    __m512 sum = _mm512_setzero_ps();
    for (size_t t = 0; t < stride; t += 16)
        sum = _mm512_fmadd_ps(_mm512_load_ps(a + t), _mm512_load_ps(b + t), sum);
    return total(_mm256_add_ps(_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps(sum, 1)));
#else
    __m256 low = _mm256_setzero_ps(), high = low;
    for (size_t t = 0; t < stride; t += 16) {
        low = _mm256_fmadd_ps(_mm256_load_ps(a + t), _mm256_load_ps(b + t), low);
        high = _mm256_fmadd_ps(_mm256_load_ps(a + t + 8), _mm256_load_ps(b + t + 8), high);
    }
    return total(_mm256_add_ps(low, high));
#endif
}

static inline float product(const float *a, const float *b, size_t stride) {
    return score(a, b, stride);
}
#endif

#if AKIN_LEVEL >= 4
/* Four pairs at once, since each step of a chain of sums waits for the one before. */
static inline void four(const float *a, const float *b, size_t stride, const akin_dot_hit *hits,
                        float *scores) {
    const float *x[4], *y[4];
    __m512 sum[4];
    for (int h = 0; h < 4; h++) {
        x[h] = a + hits[h].row * stride, y[h] = b + hits[h].column * stride;
        sum[h] = _mm512_setzero_ps();
    }
    for (size_t t = 0; t < stride; t += 16)
        for (int h = 0; h < 4; h++)
            sum[h] = _mm512_fmadd_ps(_mm512_load_ps(x[h] + t), _mm512_load_ps(y[h] + t), sum[h]);
    for (int h = 0; h < 4; h++)
        scores[h] =
            total(_mm256_add_ps(_mm512_castps512_ps256(sum[h]), _mm512_extractf32x8_ps(sum[h], 1)));
}
#elif AKIN_LEVEL == 3
static inline void four(const float *a, const float *b, size_t stride, const akin_dot_hit *hits,
                        float *scores) {
    const float *x[4], *y[4];
    __m256 low[4], high[4];
    for (int h = 0; h < 4; h++) {
        x[h] = a + hits[h].row * stride, y[h] = b + hits[h].column * stride;
        low[h] = high[h] = _mm256_setzero_ps();
    }
    for (size_t t = 0; t < stride; t += 16)
        for (int h = 0; h < 4; h++) {
            low[h] = _mm256_fmadd_ps(_mm256_load_ps(x[h] + t), _mm256_load_ps(y[h] + t), low[h]);
            high[h] = _mm256_fmadd_ps(_mm256_load_ps(x[h] + t + 8), _mm256_load_ps(y[h] + t + 8),
                                      high[h]);
        }
    for (int h = 0; h < 4; h++) scores[h] = total(_mm256_add_ps(low[h], high[h]));
}
#endif

#if AKIN_LEVEL >= 3
/* The rows of hits to come, as far as they fit the first cache with those at hand. */
static inline void fetch(const float *a, const float *b, size_t stride, const akin_dot_hit *hits) {
    const size_t bytes = stride * sizeof(float), most = bytes < 1024 ? bytes : 1024;
    for (int h = 0; h < 4; h++)
        for (size_t t = 0; t < most; t += 64) {
            _mm_prefetch((const char *)(a + hits[h].row * stride) + t, _MM_HINT_T0);
            _mm_prefetch((const char *)(b + hits[h].column * stride) + t, _MM_HINT_T0);
        }
}
#endif

/* From so many dimensions on four pairs at once take hardly longer than one. */
enum { FOUR_FROM = 128 };

static void pairs(const float *a, const float *b, size_t stride, const akin_dot_hit *hits,
                  size_t count, float *scores) {
    size_t h = 0;
#if AKIN_LEVEL >= 3
    for (; h + 4 <= count; h += 4) {
        if (h + 8 <= count) fetch(a, b, stride, hits + h + 4);
        four(a, b, stride, hits + h, scores + h);
    }
    if (h < count && stride >= FOUR_FROM) { /* one of them several times */
        akin_dot_hit left[4];
        float of_left[4];
        for (size_t i = 0; i < 4; i++) left[i] = hits[h + i < count ? h + i : h];
        four(a, b, stride, left, of_left);
        for (size_t i = 0; h < count; i++) scores[h++] = of_left[i];
    }
#endif
    for (; h < count; h++)
        scores[h] = score(a + hits[h].row * stride, b + hits[h].column * stride, stride);
}

#if AKIN_LEVEL >= 3
/* Eight rows at once: their lanes are added up together. */
static inline __m256 eight(const float *a, const float *rows, size_t stride) {
    __m256 sum[8];
    for (int r = 0; r < 8; r++) sum[r] = _mm256_setzero_ps();
    for (size_t t = 0; t < stride; t += 8) {
        __m256 one = _mm256_load_ps(a + t);
        for (int r = 0; r < 8; r++)
            sum[r] = _mm256_fmadd_ps(one, _mm256_load_ps(rows + (size_t)r * stride + t), sum[r]);
    }
    for (int r = 0; r < 8; r += 2) sum[r / 2] = _mm256_hadd_ps(sum[r], sum[r + 1]);
    __m256 low = _mm256_hadd_ps(sum[0], sum[1]), high = _mm256_hadd_ps(sum[2], sum[3]);
    return _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20),
                         _mm256_permute2f128_ps(low, high, 0x31));
}
#endif

static void one_many(const float *a, const float *rows, size_t stride, size_t count,
                     float *products) {
    size_t i = 0;
#if AKIN_LEVEL >= 3
    for (; i + 8 <= count; i += 8)
        _mm256_storeu_ps(products + i, eight(a, rows + i * stride, stride));
#endif
    for (; i < count; i++) products[i] = product(a, rows + i * stride, stride);
}

static size_t at_least(const float *values, size_t count, float least) {
    int32_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += values[i] >= least;
    return (size_t)sum;
}

extern const akin_dot_kernels akin_dot_kernels_v1, akin_dot_kernels_v3, akin_dot_kernels_v4;
const akin_dot_kernels AKIN_LEVELED(akin_dot_kernels) = {
    .pairs = pairs, .one_many = one_many, .at_least = at_least};

#if AKIN_LEVEL == 1
const akin_dot_kernels *akin_dot(void) {
    static const akin_dot_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_dot_kernels_v1, &akin_dot_kernels_v3, &akin_dot_kernels_v4, &akin_dot_kernels_v4,
        &akin_dot_kernels_v4};
    return levels[akin_cpu_active()];
}
#endif
