/* comm: ranks, agreement and exchange; the one module with <mpi.h>. Not collective unless
 * stated. All sizes are in bytes unless stated otherwise and may exceed 2 GiB. An error inside
 * MPI aborts all ranks, so functions that only move bytes return nothing. A wait never spins for
 * long (ranks may share cores); a wait without progress for the stall limit ends all ranks with
 * 1 and names the rank that was waited for. */
#ifndef AKIN_COMM_H
#define AKIN_COMM_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_comm akin_comm;
typedef struct akin_request akin_request; /* a send or receive in progress */

/* Starts MPI, installs handlers for SIGTERM, SIGUSR1 and SIGINT, and ignores SIGPIPE. Collective
 * over the program; once per process. A watchdog is active from here to the finish: a process
 * without progress for the stall limit (--stall-limit in the words; default 600 s) exits with 1,
 * even if MPI itself hangs while starting or finishing. On failure *out still has its rank and
 * size. */
AKIN_MUST_CHECK akin_status akin_comm_start(int *argc, char ***argv, akin_comm **out);
/* AKIN_FAILED if srun started several tasks as separate runs of one rank, because Slurm and MPI
 * have no PMIx in common: each would write the same files. Not collective. */
AKIN_MUST_CHECK akin_status akin_comm_check_launch(const akin_comm *comm);
/* Whether this is the one of those that prints what one alone should: all others wait here a
 * second, since Slurm can end all tasks when the first one fails. */
bool akin_comm_speaks_for_tasks(void);
void akin_comm_finish(akin_comm *comm); /* Collective. */
/* For tests: called on each rank at the end of the start. Not collective. */
void akin_comm_on_start(void (*started)(int rank));

/* A communicator of this rank alone, for a file that only one rank writes: it never waits.
 * Borrowed. */
akin_comm *akin_comm_alone(akin_comm *comm);

int akin_comm_rank(const akin_comm *comm);
int akin_comm_size(const akin_comm *comm);
const void *akin_comm_handle(const akin_comm *comm); /* points to its MPI_Comm, for ncfile alone */

/* Every rank gets the worst status of all (the largest code other than OK; INTERRUPTED only if
 * nothing worse) and the message of the lowest rank that has it, preceded by "rank R: " when
 * size > 1 and not all ranks report the same. Collective. */
AKIN_MUST_CHECK akin_status akin_agree(akin_comm *comm, akin_status local);
/* The same after something of which rank 0 looked at more than the others: its error, if it has one,
 * is that of every rank. Collective. */
AKIN_MUST_CHECK akin_status akin_agree_with_first(akin_comm *comm, akin_status local);

void akin_comm_barrier(akin_comm *comm); /* Collective. */
void akin_comm_broadcast(akin_comm *comm, void *bytes, size_t count,
                         int root); /* Collective; same count, root */
void akin_comm_sum_i64(akin_comm *comm, int64_t *values,
                       size_t count); /* Collective; in place; wraps */
void akin_comm_max_i64(akin_comm *comm, int64_t *values, size_t count); /* Collective; in place */
void akin_comm_max_f64(akin_comm *comm, double *values, size_t count);  /* Collective; in place */

/* The number of rounds that the rank with the most work needs for its `count` items, `batch` >= 1
 * at a time. A collective loop runs this many rounds on every rank; in the last ones some ranks
 * have nothing to do. Collective. */
size_t akin_comm_rounds(akin_comm *comm, size_t count, size_t batch);

/* A nonblocking sum of int64: at most `most` values, reusable. Between start and wait the values
 * must not be touched, and occasional calls of akin_comm_poll let it proceed. Several may be in
 * progress; all ranks start them in the same order, and other collective calls wait until they are
 * done. */
typedef struct akin_comm_sum akin_comm_sum;
AKIN_MUST_CHECK akin_status akin_comm_sum_create(size_t most,
                                                 akin_comm_sum **out); /* Not collective */
void akin_comm_sum_free(akin_comm_sum *sum); /* Not collective; none in progress */
void akin_comm_sum_start(akin_comm *comm, akin_comm_sum *sum, int64_t *values,
                         size_t count);                       /* Collective; wraps */
void akin_comm_sum_wait(akin_comm *comm, akin_comm_sum *sum); /* Collective */

/* A shared counter: each of 0, 1, 2, ... goes to exactly one rank, whichever asks next, so that
 * ranks of different speed share work without waiting for one another. The numbers that a rank gets
 * ascend; the first is its rank. */
typedef struct akin_comm_counter akin_comm_counter;
AKIN_MUST_CHECK akin_status
akin_comm_counter_create(akin_comm *comm, akin_comm_counter **out); /* Collective; agreed */
uint64_t akin_comm_counter_take(akin_comm_counter *counter);        /* Not collective */
void akin_comm_counter_free(
    akin_comm_counter *counter); /* Collective; NULL, on all ranks, is fine */

/* Sends `*bytes` of rank root (owned by it) to all others (owned there): for texts and lists
 * whose length only root knows. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_comm_share(akin_comm *comm, void **bytes, size_t *count, int root);

/* All ranks' pieces, concatenated in rank order: *all owned; offsets [size + 1] by the caller,
 * or NULL. On ranks other than root, *all is NULL (the offsets are set); root = -1: everywhere.
 * Collective; agreed; same root. */
AKIN_MUST_CHECK akin_status akin_comm_gather(akin_comm *comm, const void *mine, size_t count,
                                             int root, void **all, size_t *offsets);

/* Records of `record_size` bytes (the same on all ranks): send[..] holds send_counts[r] records
 * for each rank r, in rank order; *received (owned) gets those for this rank, in rank order,
 * *received_count records. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_comm_exchange(akin_comm *comm, const void *send,
                                               const size_t *send_counts, size_t record_size,
                                               void **received, size_t *received_count);

/* The same, but `send` lacks the records of this rank for itself: *own is the room that is left for
 * them in *received, which the caller fills. own = NULL: it does not lack them. */
AKIN_MUST_CHECK akin_status akin_comm_exchange_others(akin_comm *comm, const void *send,
                                                      const size_t *send_counts, size_t record_size,
                                                      void **received, size_t *received_count,
                                                      void **own);

/* Point to point, overlapping with computation: buffers must not be touched until
 * akin_comm_wait. Messages between two ranks with the same tag (0..32767) arrive in order. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_comm_send_start(akin_comm *comm, const void *bytes, size_t count,
                                                 int to, int tag, akin_request **out);
AKIN_MUST_CHECK akin_status akin_comm_receive_start(akin_comm *comm, void *bytes, size_t count,
                                                    int from, int tag, akin_request **out);
void akin_comm_poll(akin_comm *comm); /* lets messages proceed during a long computation */
void akin_comm_wait(akin_comm *comm, akin_request **request); /* frees, sets NULL; NULL is fine */

double
akin_comm_waited(const akin_comm *comm); /* seconds that this rank has waited for others so far */

/* Seconds without progress before all ranks are aborted; default 600. A rank marks foreign
 * collective calls (parallel NetCDF) that it is inside, so that a watchdog thread notices a
 * stall there too. */
void akin_comm_stall_limit(akin_comm *comm, double seconds);
/* Raises the limit where a rank may be silent for that long. */
void akin_comm_stall_at_least(akin_comm *comm, double seconds);
void akin_comm_enter(akin_comm *comm, const char *what); /* "writing table.nc" */
void akin_comm_leave(akin_comm *comm);

bool akin_comm_signalled(void); /* this rank received SIGTERM, SIGUSR1 or SIGINT. Not collective. */
/* AKIN_INTERRUPTED everywhere if any rank was signalled. Collective. */
AKIN_MUST_CHECK akin_status akin_comm_check_signal(akin_comm *comm);

/* Prints the message on this rank and ends all ranks with this exit code at once. Not
 * collective. */
_Noreturn void akin_comm_abort(akin_comm *comm, akin_status status, const char *format, ...)
    AKIN_PRINTF(3, 4);

/* Sets a function that receives the message of an abort instead of stderr (NULL: stderr again), so
 * that main can still print its report. It is called on the rank that aborts, possibly from another
 * thread or before MPI has started. Not collective. */
void akin_comm_on_abort(void (*tell)(akin_status status, int rank, const char *message));

double akin_comm_seconds(void); /* a monotonic clock, seconds */

#endif
