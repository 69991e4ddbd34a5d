/* fault: read errors on purpose, for tests; as mem's failing allocations. Not collective.
 * Thread-safe. */
#ifndef AKIN_FAULT_H
#define AKIN_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* Asked by whoever is about to read: true for the n-th call, and errno is EIO then. Never, without
 * the environment. */
bool akin_fault_read(void);
/* The n-th call from now on; 0 = none. */
void akin_fault_fail_at(uint64_t n);
uint64_t akin_fault_reads(void); /* how often it was asked */
/* n from AKIN_READ_FAIL_AT, on the rank of AKIN_READ_FAIL_RANK (unset: on all); comm's start calls
 * it. */
void akin_fault_by_environment(int rank);

#endif
