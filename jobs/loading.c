/* loading: an end for libraries that never finish to load, which no watchdog of ours can see yet.
 * OpenBLAS 0.3.29 asks for memory while it is loaded, and again without end if there is none (a
 * limit of address space); older ones do so in a thread of their own. */
#include <akin/error.h>
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include <unistd.h>

/* The sanitizer's own start comes first; and programs of the tests, which rename this main, have one
 * of their own that would not end the timer. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(main)
enum { ENOUGH = 5 }; /* CPU seconds; all libraries together take a tenth of one */

static void set_timer(time_t seconds, void (*handler)(int)) {
    const struct itimerval limit = {.it_value = {.tv_sec = seconds}};
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_PROF, &limit, NULL);
}

/* The C library is not set up yet either: only system calls. */
static void give_up(int signal_number) {
    static const char words[] =
        "akin: a library used 5 s of CPU time and is still not loaded, as OpenBLAS does without "
        "memory: raise the limit of memory (ulimit -v)\n";
    (void)signal_number;
    (void)!write(STDERR_FILENO, words, sizeof words - 1);
    _exit(AKIN_FAILED);
}

static void before_libraries(void) {
    set_timer(ENOUGH, give_up);
}

/* The loader calls what stands in this section before it starts any library. */
__attribute__((section(".preinit_array"), used)) static void (*first)(void) = before_libraries;

/* After all libraries, and before all else that runs before main: what decodes pictures does. */
__attribute__((constructor(101))) static void after_libraries(void) {
    set_timer(0, SIG_DFL);
}
#endif
