/* pulse: see include/akin/pulse.h. */
#include <akin/pulse.h>
#include <stdatomic.h>

static atomic_uint_fast64_t pulses;

void akin_pulse(void) {
    atomic_fetch_add_explicit(&pulses, 1, memory_order_relaxed);
}

uint64_t akin_pulses(void) {
    return atomic_load_explicit(&pulses, memory_order_relaxed);
}
