/* comm_watch: the part of comm that ends a run without progress. A rank that waits watches the
 * others (stall.h); the watchdog thread watches this one, even if it is the only rank, and also
 * while MPI starts and finishes. */
#include "comm_body.h"
#include "process.h"
#include "watchdog.h"
#include <akin/pulse.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 4096 };
enum { TALK_ASK = 1, TALK_ANSWER = 2 };

/* Seconds. A rank that hangs is first reported by the ranks that wait for it, and only this much
 * later by itself, the lowest rank first; many ranks on a busy node also take a while to start. A
 * watchdog that has not looked for so long was suspended with the whole process. */
static const double BEHIND = 5, NEXT = 1, ASLEEP = 5, LAST_RESORT = 10;

static struct {
    atomic_int phase;
    _Atomic double alive; /* when this process last made progress */
    uint64_t pulses;      /* seen until then */
    double looked;        /* when the watchdog last did */
    atomic_flag ending;
    void (*tell)(akin_status status, int rank, const char *message);
} watch = {.ending = ATOMIC_FLAG_INIT};

/* --- the end of all ranks --- */

static volatile sig_atomic_t abort_code;

static void leave_at_once(int signal_number) {
    (void)signal_number;
    _exit(abort_code);
}

/* If the following calls hang too, the alarm ends at least this rank. */
static void begin_end(int code) {
    while (atomic_flag_test_and_set(&watch.ending))
        pause(); /* another thread is already aborting */
    abort_code = code;
    signal(SIGALRM, leave_at_once);
    alarm((unsigned)LAST_RESORT);
}

/* MPI_Abort needs the launcher, which is unknown before MPI has started. */
static _Noreturn void end_all(int code) {
    if (atomic_load(&watch.phase) == AKIN_MPI_UP) MPI_Abort(MPI_COMM_WORLD, code);
    _exit(code);
}

void akin_comm_end_after_assert(void) {
    begin_end(AKIN_FAILED);
    end_all(AKIN_FAILED);
}

void akin_comm_on_abort(void (*tell)(akin_status status, int rank, const char *message)) {
    watch.tell = tell;
}

_Noreturn void akin_comm_abort(akin_comm *comm, akin_status status, const char *format, ...) {
    char text[MESSAGE_SIZE];
    va_list arguments;
    begin_end(status);
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (watch.tell)
        watch.tell(status, comm->rank, text);
    else
        fprintf(stderr, "akin: rank %d: %s\n", comm->rank, text);
    fflush(stdout);
    fflush(stderr);
    end_all(status);
}

/* --- ranks that wait for others --- */

/* Sending a talk message completes whether or not it is ever received. */
static void talk_to(akin_comm *comm, int to, int tag, const double *content) {
    MPI_Request request;
    MPI_Isend(content, content ? 1 : 0, MPI_DOUBLE, to, tag, comm->over[AKIN_COMM_TALK], &request);
    MPI_Request_free(&request);
}

void akin_comm_listen(akin_comm *comm) {
    MPI_Status from;
    double still = 0;
    int there;
    while (MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm->over[AKIN_COMM_TALK], &there, &from),
           there) {
        MPI_Recv(&still, 1, MPI_DOUBLE, from.MPI_SOURCE, from.MPI_TAG, comm->over[AKIN_COMM_TALK],
                 MPI_STATUS_IGNORE);
        double now = akin_comm_seconds();
        if (from.MPI_TAG == TALK_ASK) {
            comm->answer[from.MPI_SOURCE] = akin_stall_still(comm->stall, now);
            talk_to(comm, from.MPI_SOURCE, TALK_ANSWER, &comm->answer[from.MPI_SOURCE]);
        } else
            akin_stall_heard(comm->stall, from.MPI_SOURCE, still, now);
    }
}

void akin_comm_watch_others(akin_comm *comm, const char *what) {
    akin_comm_listen(comm);
    double now = akin_comm_seconds();
    char text[MESSAGE_SIZE];
    switch (akin_stall_judge(comm->stall, now)) {
    case AKIN_STALL_WAIT: break;
    case AKIN_STALL_ASK:
        for (int rank = 0; rank < comm->size; rank++)
            if (rank != comm->rank) talk_to(comm, rank, TALK_ASK, NULL);
        break;
    case AKIN_STALL_END:
        akin_stall_describe(comm->stall, now, text, sizeof text);
        akin_comm_abort(comm, AKIN_FAILED, "%s%s%s", what, *what ? ": " : "", text);
    }
}

void akin_comm_poll(akin_comm *comm) {
    akin_pulse();
    if (comm->size == 1) return;
    akin_stall_moved(comm->stall, akin_comm_seconds());
    akin_comm_listen(comm);
}

void akin_comm_stall_limit(akin_comm *comm, double seconds) {
    comm->limit = seconds;
    if (comm->stall) akin_stall_limit(comm->stall, seconds);
}

void akin_comm_stall_at_least(akin_comm *comm, double seconds) {
    if (comm->limit < seconds) akin_comm_stall_limit(comm, seconds);
}

/* --- this rank, as the watchdog sees it --- */

static _Noreturn void end_still(akin_comm *comm, double still, const char *what) {
    switch (atomic_load(&watch.phase)) {
    case AKIN_MPI_STARTS:
        akin_comm_abort(comm, AKIN_FAILED,
                        "no progress for %.0f s while MPI started: rank %d of %d waited, another "
                        "one did not come: see whether its node is well",
                        still, comm->rank, comm->size);
    case AKIN_MPI_ENDS:
        akin_comm_abort(comm, AKIN_FAILED,
                        "no progress for %.0f s while MPI ended: rank %d of %d waited, another "
                        "one did not end; the work itself was done",
                        still, comm->rank, comm->size);
    default:
        akin_comm_abort(comm, AKIN_FAILED,
                        "%s%sno progress for %.0f s in this process, which hangs in a computation "
                        "or in a call of a library: see whether memory and disk are well, or raise "
                        "--stall-limit",
                        what ? what : "", what ? ": " : "", still);
    }
}

/* Runs in the watchdog thread. During a foreign collective call it asks and answers other ranks on
 * behalf of the main thread. */
static void look_on(void *context, const char *what) {
    akin_comm *comm = context;
    double now = akin_comm_seconds(), asleep = now - watch.looked;
    bool up = atomic_load(&watch.phase) == AKIN_MPI_UP, moved = akin_pulses() != watch.pulses;
    if (moved) atomic_store(&watch.alive, now);
    if (asleep > ASLEEP) atomic_store(&watch.alive, atomic_load(&watch.alive) + asleep);
    watch.looked = now;
    watch.pulses = akin_pulses();
    if (up && what && comm->size > 1) {
        akin_comm_watch_others(comm, what);
        return;
    }
    double still = now - atomic_load(&watch.alive), patience = comm->limit;
    if (comm->size > 1 || !up) patience += BEHIND + NEXT * (comm->rank > 0);
    if (still > patience) end_still(comm, still, what);
}

void akin_comm_watch_phase(akin_comm *comm, akin_comm_phase phase) {
    double now = akin_comm_seconds();
    atomic_store(&watch.alive, now);
    atomic_store(&watch.phase, phase);
    if (phase == AKIN_MPI_STARTS) {
        watch.looked = now;
        akin_watchdog_start(look_on, comm);
    }
    if (phase == AKIN_MPI_NONE) akin_watchdog_stop();
}

/* A file that one rank writes alone is not a region of all ranks. */
void akin_comm_enter(akin_comm *comm, const char *what) {
    akin_pulse();
    if (!comm->stall) return;
    akin_stall_moved(comm->stall, akin_comm_seconds());
    akin_watchdog_enter(what);
}

void akin_comm_leave(akin_comm *comm) {
    if (!comm->stall) return;
    akin_watchdog_leave();
    akin_stall_moved(comm->stall, akin_comm_seconds());
    akin_pulse();
}
