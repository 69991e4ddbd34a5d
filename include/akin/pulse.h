/* pulse: signs of life of this process, for whoever watches whether it still moves. Whatever a long
 * piece of work does again and again (allocates memory, reads, takes a row) gives one. Not
 * collective. Thread-safe, and as cheap as adding to a number.
 */
#ifndef AKIN_PULSE_H
#define AKIN_PULSE_H

#include <stdint.h>

void akin_pulse(void);
uint64_t akin_pulses(void); /* so far */

#endif
