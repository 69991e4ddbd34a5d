/* process: see process.h. */
#include "process.h"
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

void akin_process_settings(void) {
    static const char *const settings[][2] = {{"OMPI_MCA_ess_singleton_isolated", "1"},
                                              {"OMPI_MCA_orte_create_session_dirs", "0"},
                                              {"OMPI_MCA_sharedfp", "^sm"},
                                              {"OMPI_MCA_btl", "self"}};
    if (getenv("PMIX_RANK") || getenv("PMI_RANK") || getenv("OMPI_COMM_WORLD_RANK")) return;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        setenv(settings[i][0], settings[i][1], 0);
}

static volatile sig_atomic_t signalled;

static void note(int signal_number) {
    if (signal_number == SIGINT) signal(SIGINT, SIG_DFL); /* a second Ctrl-C exits at once */
    signalled = 1;
}

void akin_process_catch_signals(void) {
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

bool akin_process_signalled(void) {
    return signalled;
}

/* A number from the environment; 0 if it is not set. */
static long number_of(const char *name) {
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : 0;
}

bool akin_process_is_split(int size, long *tasks) {
    const long special_steps =
        4294967200; /* a batch script, and other processes that are not tasks of srun */
    *tasks = number_of("SLURM_STEP_NUM_TASKS");
    return size == 1 && *tasks > 1 && getenv("SLURM_PROCID") && !getenv("OMPI_COMM_WORLD_SIZE") &&
           number_of("SLURM_STEP_ID") < special_steps;
}

bool akin_process_is_first_task(void) {
    return number_of("SLURM_PROCID") == 0;
}
