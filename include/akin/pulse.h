/* pulse: counts signs of life of this process, from which a watchdog sees that it makes progress.
 * The frequent operations of long computations (allocating, reading, starting a row) each give one.
 * Not collective. Thread-safe; costs one atomic addition.
 */
#ifndef AKIN_PULSE_H
#define AKIN_PULSE_H

#include <stdint.h>

void akin_pulse(void);
uint64_t akin_pulses(void); /* so far */

#endif
