/* fault: see fault.h. */
#include <akin/fault.h>
#include <akin/pulse.h>
#include <errno.h>
#include <stdatomic.h>

static atomic_uint_fast64_t reads,
    fail_read; /* fail_read: the number of the call that fails, 0 = none */

void akin_fault_fail_at(uint64_t n) {
    atomic_store(&fail_read, n ? atomic_load(&reads) + n : 0);
}

uint64_t akin_fault_reads(void) {
    return atomic_load(&reads);
}

bool akin_fault_read(void) {
    akin_pulse();
    if (atomic_fetch_add(&reads, 1) + 1 != atomic_load(&fail_read)) return false;
    errno = EIO;
    return true;
}
