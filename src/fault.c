/* fault: see include/akin/fault.h. Floor 0 (base); looks down to nothing. */
#include <akin/fault.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

static atomic_uint_fast64_t reads, fail_read; /* fail_read: the number of the call that fails, 0 = none */

void akin_fault_by_environment(int rank) {
    const char *at = getenv("AKIN_READ_FAIL_AT"), *on = getenv("AKIN_READ_FAIL_RANK");
    if (at && (!on || atoi(on) == rank)) atomic_store(&fail_read, strtoull(at, NULL, 10));
}

bool akin_fault_read(void) {
    if (atomic_load(&fail_read) == 0 || atomic_fetch_add(&reads, 1) + 1 != atomic_load(&fail_read)) return false;
    errno = EIO;
    return true;
}
