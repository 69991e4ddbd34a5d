/* fault: see fault.h. */
#include <akin/fault.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_uint_fast64_t reads,
    fail_read; /* fail_read: the number of the call that fails, 0 = none */

void akin_fault_by_environment(int rank) {
    const char *at = getenv("AKIN_READ_FAIL_AT"), *on = getenv("AKIN_READ_FAIL_RANK");
    if (at && (!on || atoi(on) == rank)) akin_fault_fail_at(strtoull(at, NULL, 10));
}

void akin_fault_fail_at(uint64_t n) {
    atomic_store(&fail_read, n ? atomic_load(&reads) + n : 0);
}

uint64_t akin_fault_reads(void) {
    return atomic_load(&reads);
}

bool akin_fault_read(void) {
    if (atomic_fetch_add(&reads, 1) + 1 != atomic_load(&fail_read)) return false;
    errno = EIO;
    return true;
}
