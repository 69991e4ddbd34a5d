/* signals: see signals.h. */
#include "signals.h"
#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t seen;

static void note(int signal_number) {
    if (signal_number == SIGINT) signal(SIGINT, SIG_DFL); /* who asks twice does not want to wait */
    seen = 1;
}

void akin_signals_catch(void) {
    struct sigaction keep = {.sa_handler = note, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&keep.sa_mask);
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGTERM, &keep, NULL);
    sigaction(SIGUSR1, &keep, NULL);
    sigaction(SIGINT, &keep, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

bool akin_signals_seen(void) {
    return seen;
}
