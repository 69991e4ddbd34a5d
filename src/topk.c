/* topk: bounded lists of the best neighbours. Floor 1 (kernels); looks down to nothing. */
#include <akin/topk.h>

/* Puts `key` into the heap below the hole at `at`: worse children move up (Williams 1964, "Algorithm 232: heapsort").
 */
static void sift(uint64_t *heap, size_t count, size_t at, uint64_t key) {
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count) child += heap[child + 1] < heap[child];
        if (heap[child] >= key) break;
        heap[at] = heap[child];
    }
    heap[at] = key;
}

void akin_topk_push(uint64_t *list, size_t k, uint64_t key) {
    if (key > list[0]) sift(list, k, 0, key);
}

void akin_topk_sort(uint64_t *list, size_t k) {
    for (size_t at = k / 2; at-- > 0;) sift(list, k, at, list[at]);
    for (size_t last = k; last-- > 1;) { /* the worst of those left goes to their end */
        uint64_t key = list[last];
        list[last] = list[0];
        sift(list, last, 0, key);
    }
}

void akin_topk_merge(const uint64_t *a, const uint64_t *b, size_t k, uint64_t *out) {
    for (size_t i = 0, j = 0, n = 0; n < k; n++) { /* i and j are at most n */
        uint64_t from_a = a[i], from_b = b[j];
        out[n] = from_a > from_b ? from_a : from_b;
        i += from_a == out[n];
        j += from_b == out[n];
    }
}
