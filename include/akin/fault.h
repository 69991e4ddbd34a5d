/* fault: injected read errors, for tests, like mem's failing allocations. Not collective.
 * Thread-safe. */
#ifndef AKIN_FAULT_H
#define AKIN_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* Called before each read: true, with errno set to EIO, for the call that a test has chosen. Also
 * counts as a sign of life (pulse.h). */
bool akin_fault_read(void);
/* The n-th call from now fails; 0 = none. */
void akin_fault_fail_at(uint64_t n);
uint64_t akin_fault_reads(void); /* number of calls so far */

#endif
