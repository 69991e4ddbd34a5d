/* mem: see mem.h. */
#include <akin/error.h>
#include <akin/mem.h>
#include <akin/pulse.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { ALIGNMENT = 64 };

static atomic_uint_fast64_t calls, failures, live,
    fail_call; /* fail_call: the number of the call that fails, 0 = none */

static void *fail(size_t count, size_t size) {
    atomic_fetch_add(&failures, 1);
    akin_error_set(AKIN_FAILED,
                   "not enough memory for %zu x %zu bytes: run fewer ranks per node, or use a node "
                   "with more memory",
                   count, size);
    return NULL;
}

void *akin_mem_alloc(size_t count, size_t size) {
    uint_fast64_t call = atomic_fetch_add(&calls, 1) + 1;
    akin_pulse();
    size_t bytes;
    if (call == atomic_load(&fail_call)) return fail(count, size);
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - ALIGNMENT)
        return fail(count, size);
    bytes = bytes ? (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    void *block = aligned_alloc(ALIGNMENT, bytes);
    if (!block) return fail(count, size);
    atomic_fetch_add(&live, 1);
    return block;
}

void *akin_mem_zalloc(size_t count, size_t size) {
    void *block = akin_mem_alloc(count, size);
    if (block) memset(block, 0, count * size);
    return block;
}

void *akin_mem_resize(void *block, size_t old_count, size_t count, size_t size) {
    void *grown = akin_mem_alloc(count, size);
    if (!grown) return NULL;
    if (block) memcpy(grown, block, (old_count < count ? old_count : count) * size);
    akin_mem_free(block);
    return grown;
}

char *akin_mem_text(const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = akin_mem_alloc(bytes, 1);
    if (copy) memcpy(copy, text, bytes);
    return copy;
}

void akin_mem_free(void *block) {
    if (block) atomic_fetch_sub(&live, 1);
    free(block);
}

void akin_mem_fail_at(uint64_t n) {
    atomic_store(&fail_call, n ? atomic_load(&calls) + n : 0);
}

uint64_t akin_mem_calls(void) {
    return atomic_load(&calls);
}

uint64_t akin_mem_failures(void) {
    return atomic_load(&failures);
}

uint64_t akin_mem_live(void) {
    return atomic_load(&live);
}

size_t akin_mem_peak(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (size_t)usage.ru_maxrss * 1024;
}

void akin_mem_peak_restart(void) {
    FILE *file = fopen("/proc/self/clear_refs", "we"); /* 5: proc(5) */
    if (!file) return;
    fputs("5", file);
    fclose(file);
}
