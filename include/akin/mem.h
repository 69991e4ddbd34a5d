/* mem: checked, aligned memory, with allocation failures that tests can inject. Not collective.
 * Thread-safe. */
#ifndef AKIN_MEM_H
#define AKIN_MEM_H

#include <stddef.h>
#include <stdint.h>

/* count * size bytes aligned to 64, uninitialised; owned by the caller and released with
 * akin_mem_free. NULL if there is not enough memory or the product overflows: the message is
 * set, and the caller returns AKIN_FAILED. A size of zero gives a valid pointer. */
void *akin_mem_alloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));

/* The same, zeroed. */
void *akin_mem_zalloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));

/* Grows or shrinks a block of akin_mem_alloc (or NULL); on failure returns NULL and the old block
 * stays valid. */
void *akin_mem_resize(void *block, size_t old_count, size_t count, size_t size)
    __attribute__((warn_unused_result));

/* An owned copy of the text; NULL on failure. */
char *akin_mem_text(const char *text) __attribute__((warn_unused_result));

void akin_mem_free(void *block); /* NULL is fine */

/* For tests: the n-th allocation from now fails (n = 1 is the next one), and only that one; 0
 * turns it off. */
void akin_mem_fail_at(uint64_t n);
uint64_t akin_mem_calls(void); /* allocations so far */
uint64_t
akin_mem_failures(void);      /* how many of them failed: whether an error may be due to memory */
uint64_t akin_mem_live(void); /* blocks that are not released */

/* The peak resident set size of this process, bytes (getrusage). */
size_t akin_mem_peak(void);
/* Resets the peak, if the kernel supports it: for the peak of one stage instead of the process. */
void akin_mem_peak_restart(void);

#endif
