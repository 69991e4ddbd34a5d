/* sorted: one key into a short sorted array, without a branch on what the keys are. Not collective.
 * Cannot fail. Pure. */
#ifndef AKIN_SORTED_H
#define AKIN_SORTED_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    /* keys descend; the key goes in behind those that are not smaller, and the smallest drops out.
     */
    void (*insert)(uint64_t *keys /* [count] */, size_t count, uint64_t key);
} akin_sorted_kernels;

/* The kernels of the active level. */
const akin_sorted_kernels *akin_sorted(void);

#endif
