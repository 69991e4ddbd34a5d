/* topk: bounded lists of the best neighbours.
 * Compiled once per level of x86-64 (cpu.h). */
#include <akin/cpu.h>
#include <akin/topk.h>
#include <immintrin.h>

/* Inserts a key into a short sorted array. The new value at i is the larger of the old one and of
 * the smaller of the key and the old value before it; from the back, so that nothing is overwritten
 * before it is read. */
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
    const __mmask8 left = (__mmask8)((1u << end) - 1); /* before the first stands the key itself */
    __m512i before = _mm512_mask_loadu_epi64(spread, (__mmask8)(left & ~1u), keys - 1);
    __m512i there = _mm512_maskz_loadu_epi64(left, keys);
    _mm512_mask_storeu_epi64(keys, left, _mm512_max_epu64(there, _mm512_min_epu64(before, spread)));
    return;
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

extern const akin_topk_kernels akin_topk_kernels_v1, akin_topk_kernels_v3, akin_topk_kernels_v4;
const akin_topk_kernels AKIN_LEVELED(akin_topk_kernels) = {.insert = insert};

#if AKIN_LEVEL == 1
const akin_topk_kernels *akin_topk_kernel(void) {
    static const akin_topk_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_topk_kernels_v1, &akin_topk_kernels_v3, &akin_topk_kernels_v4, &akin_topk_kernels_v4,
        &akin_topk_kernels_v4};
    return levels[akin_cpu_active()];
}

enum { BAR, HELD, KEYS };

/* Puts `key` into the heap below the hole at `at`: worse children move up (Williams 1964,
 * "Algorithm 232: heapsort").
 */
static void sift(uint64_t *heap, size_t count, size_t at, uint64_t key) {
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count) child += heap[child + 1] < heap[child];
        if (heap[child] >= key) break;
        heap[at] = heap[child];
    }
    heap[at] = key;
}

/* Best first. */
static void sort(uint64_t *keys, size_t count) {
    for (size_t at = count / 2; at-- > 0;) sift(keys, count, at, keys[at]);
    for (size_t last = count; last-- > 1;) { /* the worst of those left goes to their end */
        uint64_t key = keys[last];
        keys[last] = keys[0];
        sift(keys, last, 0, key);
    }
}

static uint64_t middle_of(uint64_t a, uint64_t b, uint64_t c) {
    return a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
}

/* Parts keys [first, last] by one of them: those up to the place returned are no worse than those
 * after it. */
static size_t part(uint64_t *keys, size_t first, size_t last) {
    uint64_t pivot = middle_of(keys[first], keys[first + (last - first) / 2], keys[last]);
    for (;; first++, last--) {
        while (keys[first] > pivot) first++;
        while (keys[last] < pivot) last--;
        if (first >= last) return last;
        uint64_t key = keys[first];
        keys[first] = keys[last];
        keys[last] = key;
    }
}

/* Brings the k best of count > k keys to the front (Hoare 1961, "Algorithm 65: find"); where it
 * partitions badly too often, it sorts what is left, so that it is never quadratic. */
static void select_best(uint64_t *keys, size_t count, size_t k) {
    size_t first = 0, last = count - 1, patience = 8;
    for (size_t n = count; n > 1; n /= 2) patience += 2;
    while (first < last) {
        if (patience-- == 0) {
            sort(keys + first, last - first + 1);
            return;
        }
        size_t better = part(keys, first, last) + 1;
        if (better == k) return;
        if (better > k)
            last = better - 1;
        else
            first = better;
    }
}

void akin_topk_raise(uint64_t *list, uint64_t key) {
    if (list[BAR] < key) list[BAR] = key;
}

/* Keeps the k best of what fills a long list; the worst of them is the bar. */
static void tidy(uint64_t *list, size_t k) {
    uint64_t *keys = list + KEYS, worst;
    select_best(keys, (size_t)list[HELD], k);
    worst = keys[0];
    for (size_t e = 1; e < k; e++) worst = keys[e] < worst ? keys[e] : worst;
    akin_topk_raise(list, worst);
    list[HELD] = k;
}

/* Into a short list, which is always sorted; zeros follow its keys. Its last key is computed from
 * the old values, since values just written can only be read later. */
static void push_short(uint64_t *list, size_t k, uint64_t key) {
    const uint64_t worst = one(list + KEYS, k - 1, key);
    akin_topk_kernel()->insert(list + KEYS, k, key);
    list[HELD] += list[HELD] < k;
    akin_topk_raise(list, worst);
}

void akin_topk_push(uint64_t *list, size_t k, uint64_t key) {
    if (key <= list[BAR]) return;
    if (k <= AKIN_TOPK_SHORT) {
        push_short(list, k, key);
        return;
    }
    list[KEYS + list[HELD]++] = key;
    if (list[HELD] == akin_topk_words(k) - KEYS) tidy(list, k);
}

bool akin_topk_holds(const uint64_t *list, uint64_t key) {
    for (size_t e = 0; e < list[HELD]; e++)
        if (list[KEYS + e] == key) return true;
    return false;
}

void akin_topk_sort(uint64_t *list, size_t k) {
    if (list[HELD] > k) tidy(list, k);
    size_t held = (size_t)list[HELD];
    if (k > AKIN_TOPK_SHORT) sort(list + KEYS, held);
    memmove(list, list + KEYS, held * sizeof *list);
    memset(list + held, 0, (k - held) * sizeof *list);
}

bool akin_topk_broken(const uint64_t *list, size_t k) {
    size_t reach = 0;
    if (list[BAR] == 0) return false;
    if (k <= AKIN_TOPK_SHORT) return list[KEYS + k - 1] < list[BAR];
    for (size_t e = 0; e < list[HELD]; e++) reach += list[KEYS + e] >= list[BAR];
    return reach < k;
}

void akin_topk_restore(uint64_t *list, size_t k, const uint64_t *keys, uint64_t bar) {
    memset(list, 0, akin_topk_words(k) * sizeof *list);
    while (list[HELD] < k && keys[list[HELD]] != 0) list[HELD]++;
    memcpy(list + KEYS, keys, (size_t)list[HELD] * sizeof *list);
    list[BAR] = keys[k - 1] > bar ? keys[k - 1] : bar;
}

void akin_topk_merge(const uint64_t *a, const uint64_t *b, size_t k, uint64_t *out) {
    for (size_t i = 0, j = 0, n = 0; n < k; n++) { /* i and j are at most n */
        uint64_t from_a = a[i], from_b = b[j];
        out[n] = from_a > from_b ? from_a : from_b;
        i += from_a == out[n];
        j += from_b == out[n];
    }
}
#endif
