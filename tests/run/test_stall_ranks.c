/* Stalls of real ranks. Without an argument: slow ranks that report progress (which polls), wait or
 * work in a foreign call do not end the run. With one (test_stall_end.sh): the last rank stops
 * itself, or all ranks wait for each other, and the run must end. */
#include <akin/comm.h>
#include <akin/log.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static akin_comm *comm;

static void compute(double seconds, bool report) {
    for (double end = akin_comm_seconds() + seconds; akin_comm_seconds() < end;) {
        usleep(20000);
        if (report) akin_log_progress("computing", "naps", end - akin_comm_seconds(), 0);
    }
}

/* Longer than the limit and the time to answer together, but with progress all the while. */
static void be_slow(int rank) {
    if (akin_comm_size(comm) == 1) return;
    akin_comm_stall_limit(comm, 1);
    if (rank == 0) compute(4.5, true);
    akin_comm_barrier(comm);
    compute(0.7 * rank, false); /* one after the other */
    akin_comm_barrier(comm);
    akin_comm_enter(comm, "thinking");
    compute(0.5, false);
    akin_comm_leave(comm);
    akin_comm_barrier(comm);
}

static void wait_for_ever(int rank, int size, const char *how) {
    bool last = rank == size - 1;
    akin_comm_stall_limit(comm, 4);
    if (last && !strncmp(how, "stop", 4)) raise(SIGSTOP);
    if (!strcmp(how, "stop-in-call")) {
        akin_comm_enter(comm, "writing cheese.nc");
        compute(60, false);
        akin_comm_leave(comm);
    }
    if (last && !strcmp(how, "compute")) compute(60, false);
    int byte;
    akin_request *request;
    if (!strcmp(how, "deadlock") &&
        akin_comm_receive_start(comm, &byte, 1, (rank + 1) % size, 1, &request) == AKIN_OK)
        akin_comm_wait(comm, &request);
    akin_comm_barrier(comm);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return EXIT_FAILURE;
    int rank = akin_comm_rank(comm), size = akin_comm_size(comm);
    akin_log_start(comm, true);
    if (argc > 1)
        wait_for_ever(rank, size, argv[1]);
    else
        be_slow(rank);
    akin_log_stop();
    akin_comm_finish(comm);
    return EXIT_SUCCESS;
}
