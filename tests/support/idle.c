/* Preloaded into the ranks of the tests, which are more than the cores. While a rank waits, Open MPI
 * polls, and yields the core between two polls (mpi_yield_when_idle); on Linux the core often goes
 * back to it at once. Asleep for a moment it leaves the core to a rank that has work. */
#include <sched.h>
#include <time.h>

int sched_yield(void) {
    struct timespec moment = {.tv_nsec = 20000};
    return nanosleep(&moment, NULL);
}
