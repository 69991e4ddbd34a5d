/* comm: see comm.h; the one file with <mpi.h>. Every wait is a loop around MPI_Testany, so that
 * ranks which share cores do not spin against each other and a stall is noticed. Messages are
 * cut into pieces of 1 MiB: MPI counts in ints, and a wait notices progress only when a piece
 * has arrived. (With pieces of 64 MiB a wait slept between the fragments that shared memory
 * transfers at a time, and took 50 times as long.) */
#include "process.h"
#include "stall.h"
#include <akin/comm.h>
#include <akin/mem.h>
#include <akin/pulse.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "comm_body.h"

/* Seconds. A wait spins, then yields, then sleeps for a share of the time waited so far, so that
 * waking late costs little. */
static const double SPIN = 100e-6, YIELD = 5e-3, SLEEP_SHARE = 1.0 / 16, SLEEP_LONGEST = 1e-3,
                    STALL_LIMIT = 600;

static void (*on_start)(int rank);
static akin_comm the_comm; /* one per process; static, so that starting cannot fail for lack of
                            * memory */

double akin_comm_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void nap(double waited) {
    double seconds = waited * SLEEP_SHARE < SLEEP_LONGEST ? waited * SLEEP_SHARE : SLEEP_LONGEST;
    nanosleep(&(struct timespec){.tv_nsec = (long)(1e9 * seconds)}, NULL);
}

/* --- waits
 * --------------------------------------------------------------------------------------------------------
 */

/* Returns when all are done; they are MPI_REQUEST_NULL then. */
void akin_comm_wait_all(akin_comm *comm, size_t count, MPI_Request *requests) {
    int index, done;
    akin_pulse();
    MPI_Testall((int)count, requests, &done, MPI_STATUSES_IGNORE);
    if (done) return;
    double moved = akin_comm_seconds(), begin = moved;
    akin_stall_moved(comm->stall, moved);
    for (;;) {
        while (count && *requests == MPI_REQUEST_NULL)
            requests++, count--; /* pieces mostly arrive in order */
        MPI_Testany((int)count, requests, &index, &done, MPI_STATUS_IGNORE);
        double now = akin_comm_seconds(), waited = now - moved;
        akin_pulse();
        if (done && index == MPI_UNDEFINED) {
            comm->waited += now - begin;
            return;
        } else if (done)
            akin_stall_moved(comm->stall, moved = now);
        else if (waited > YIELD) {
            akin_comm_watch_others(comm, "");
            nap(waited);
        } else if (waited > SPIN)
            sched_yield();
    }
}

double akin_comm_waited(const akin_comm *comm) {
    return comm->waited;
}

/* --- start and end --- */

/* The limit is needed before the options are read. */
static double limit_in(int count, char **words) {
    static const char name[] = "--stall-limit";
    size_t length = sizeof name - 1;
    for (int i = 1; i < count; i++) {
        if (strncmp(words[i], name, length) != 0) continue;
        const char *value = words[i][length] == '=' ? words[i] + length + 1
                            : i + 1 < count         ? words[i + 1]
                                                    : "";
        double seconds = strtod(value, NULL);
        if (seconds > 0) return seconds;
    }
    return STALL_LIMIT;
}

/* Rank and size from the launcher's environment, before MPI knows them; 0 of 1 if it has none. */
static int said_by_launcher(const char *const *names, int otherwise) {
    for (; *names; names++) {
        const char *value = getenv(*names);
        if (value && *value) return atoi(value);
    }
    return otherwise;
}

static akin_comm *prepare(int count, char **words) {
    static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", NULL};
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", NULL};
    the_comm = (akin_comm){.limit = limit_in(count, words),
                           .rank = said_by_launcher(ranks, 0),
                           .size = said_by_launcher(sizes, 1)};
    return &the_comm;
}

void akin_comm_on_start(void (*started)(int rank)) {
    on_start = started;
}

akin_status akin_comm_start(int *argc, char ***argv, akin_comm **out) {
    akin_comm *comm = *out = prepare(*argc, *argv);
    int level;
    akin_process_catch_signals();
    akin_process_settings();
    akin_comm_watch_phase(comm, AKIN_MPI_STARTS);
    MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &level);
    akin_error_on_assert(akin_comm_end_after_assert);
    MPI_Comm_rank(MPI_COMM_WORLD, &comm->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &comm->size);
    for (int i = 0; i < AKIN_COMM_OVERS; i++) MPI_Comm_dup(MPI_COMM_WORLD, &comm->over[i]);
    if (on_start) on_start(comm->rank);
    comm->answer = akin_mem_zalloc((size_t)comm->size, sizeof *comm->answer);
    int missing = akin_stall_create(comm->rank, comm->size, comm->limit, akin_comm_seconds(),
                                    &comm->stall) != AKIN_OK ||
                  !comm->answer; /* akin cannot wait before these exist */
    MPI_Allreduce(MPI_IN_PLACE, &missing, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (missing) { /* on any rank: from here on no rank waits for another */
        akin_stall_free(comm->stall);
        comm->stall = NULL;
        akin_comm_finish(comm);
        return akin_error_set(AKIN_FAILED, "not enough memory to start");
    }
    akin_comm_watch_phase(comm, AKIN_MPI_UP);
    return AKIN_OK;
}

akin_status akin_comm_check_launch(const akin_comm *comm) {
    long tasks;
    if (!akin_process_is_split(comm->size, &tasks)) return AKIN_OK;
    return akin_error_set(AKIN_FAILED,
                          "srun started %ld tasks, but MPI sees one rank in each, so each would do "
                          "the whole job and write the same files: start them with srun --mpi=pmix "
                          "(srun --mpi=list shows whether Slurm has it) or with mpirun",
                          tasks);
}

bool akin_comm_speaks_for_tasks(void) {
    if (akin_process_is_first_task()) return true;
    sleep(1);
    return false;
}

void akin_comm_finish(akin_comm *comm) {
    if (!comm) return;
    if (comm->stall && comm->answer) {
        akin_comm_barrier(comm);
        akin_comm_listen(comm);
    }
    akin_comm_watch_phase(comm, AKIN_MPI_ENDS);
    for (int i = 0; i < AKIN_COMM_OVERS; i++) MPI_Comm_free(&comm->over[i]);
    MPI_Finalize();
    akin_comm_watch_phase(comm, AKIN_MPI_NONE);
    akin_stall_free(comm->stall);
    akin_mem_free(comm->answer);
    comm->stall = NULL;
    comm->answer = NULL;
    akin_error_on_assert(NULL);
}

akin_comm *akin_comm_alone(akin_comm *comm) {
    static akin_comm alone = {.size = 1};
    (void)comm;
    return &alone;
}

int akin_comm_rank(const akin_comm *comm) {
    return comm->rank;
}

int akin_comm_size(const akin_comm *comm) {
    return comm->size;
}

const void *akin_comm_handle(const akin_comm *comm) {
    return &comm->over[AKIN_COMM_FOREIGN];
}

bool akin_comm_signalled(void) {
    return akin_process_signalled();
}

/* --- agreement and collectives --- */

void akin_comm_barrier(akin_comm *comm) {
    if (comm->size == 1) return;
    MPI_Request request;
    MPI_Ibarrier(comm->over[AKIN_COMM_WORK], &request);
    akin_comm_wait_all(comm, 1, &request);
}

void akin_comm_broadcast(akin_comm *comm, void *bytes, size_t count, int root) {
    MPI_Request request;
    for (size_t at = 0; comm->size > 1 && at < count; at += AKIN_COMM_PIECE) {
        MPI_Ibcast((char *)bytes + at, akin_comm_piece_at(at, count), MPI_BYTE, root,
                   comm->over[AKIN_COMM_WORK], &request);
        akin_comm_wait_all(comm, 1, &request);
    }
}

/* Higher is worse; being interrupted is the least severe. */
static int64_t badness(akin_status status) {
    return status == AKIN_OK ? 0 : status == AKIN_INTERRUPTED ? 1 : 1 + (int64_t)status;
}

akin_status akin_agree(akin_comm *comm, akin_status local) {
    akin_pulse();
    if (comm->size == 1) return local;
    /* One maximum finds the worst status and the lowest rank that has it. */
    int64_t worst = badness(local) << 32 | (INT32_MAX - comm->rank);
    akin_comm_max_i64(comm, &worst, 1);
    int64_t bad = worst >> 32;
    if (bad == 0) return AKIN_OK;
    int root = INT32_MAX - (int)(worst & UINT32_MAX);
    akin_status status = bad == 1 ? AKIN_INTERRUPTED : (akin_status)(bad - 1);
    akin_error_kept worst_of = {.item = 0};
    if (comm->rank == root) akin_error_keep(&worst_of);
    akin_comm_broadcast(comm, &worst_of, sizeof worst_of, root);
    int64_t differs = local != status || strcmp(worst_of.message, akin_error_message()) != 0;
    akin_comm_max_i64(comm, &differs, 1);
    akin_error_restore(&worst_of);
    return differs ? akin_error_context(status, "rank %d: ", root) : status;
}

akin_status akin_agree_with_first(akin_comm *comm, akin_status local) {
    int64_t first = comm->rank == 0 ? (int64_t)local : 0;
    akin_error_kept kept = {.item = 0};
    if (comm->size == 1) return local;
    akin_comm_max_i64(comm, &first, 1);
    if (first == AKIN_OK) return akin_agree(comm, local);
    if (comm->rank == 0) akin_error_keep(&kept);
    akin_comm_broadcast(comm, &kept, sizeof kept, 0);
    akin_error_restore(&kept);
    return (akin_status)first;
}

akin_status akin_comm_check_signal(akin_comm *comm) {
    int64_t any = akin_process_signalled();
    akin_comm_max_i64(comm, &any, 1);
    return any ? akin_error_set(AKIN_INTERRUPTED, "stopped by a signal; submit again to continue")
               : AKIN_OK;
}

/* --- messages in pieces --- */

static size_t pieces_of(size_t bytes) {
    return (bytes + AKIN_COMM_PIECE - 1) / AKIN_COMM_PIECE;
}

typedef struct {
    bool sends;        /* or receives */
    const void *bytes; /* only read if they are sent */
    size_t count;
    int other, tag;
} message;

/* Appends the pieces to requests and returns the new count. */
static size_t start(MPI_Comm over, message m, MPI_Request *requests, size_t used) {
    char *buffer = (char *)(uintptr_t)m.bytes;
    for (size_t at = 0; at < m.count; at += AKIN_COMM_PIECE) {
        int piece = akin_comm_piece_at(at, m.count);
        if (m.sends)
            MPI_Isend(buffer + at, piece, MPI_BYTE, m.other, m.tag, over, &requests[used++]);
        else
            MPI_Irecv(buffer + at, piece, MPI_BYTE, m.other, m.tag, over, &requests[used++]);
    }
    return used;
}

static akin_status start_request(akin_comm *comm, message m, akin_request **out) {
    size_t pieces = pieces_of(m.count);
    *out = akin_mem_alloc(1, sizeof(akin_request) + pieces * sizeof(MPI_Request));
    if (!*out) return AKIN_FAILED;
    (*out)->count = pieces;
    start(comm->over[AKIN_COMM_POINTS], m, (*out)->pieces, 0);
    return AKIN_OK;
}

akin_status akin_comm_send_start(akin_comm *comm, const void *bytes, size_t count, int to, int tag,
                                 akin_request **out) {
    return start_request(comm, (message){true, bytes, count, to, tag}, out);
}

akin_status akin_comm_receive_start(akin_comm *comm, void *bytes, size_t count, int from, int tag,
                                    akin_request **out) {
    return start_request(comm, (message){false, bytes, count, from, tag}, out);
}

void akin_comm_wait(akin_comm *comm, akin_request **request) {
    if (!*request) return;
    akin_comm_wait_all(comm, (*request)->count, (*request)->pieces);
    akin_mem_free(*request);
    *request = NULL;
}

akin_status akin_comm_share(akin_comm *comm, void **bytes, size_t *count, int root) {
    if (comm->size == 1) return AKIN_OK;
    uint64_t length = comm->rank == root ? *count : 0;
    akin_comm_broadcast(comm, &length, sizeof length, root);
    akin_status status = AKIN_OK;
    if (comm->rank != root) {
        *count = length;
        *bytes = akin_mem_alloc(length, 1);
        if (!*bytes) status = AKIN_FAILED;
    }
    status = akin_agree(comm, status);
    if (status == AKIN_OK)
        akin_comm_broadcast(comm, *bytes, length, root);
    else if (comm->rank != root) {
        akin_mem_free(*bytes);
        *bytes = NULL;
        *count = 0;
    }
    return status;
}

/* One rank's view of an all-to-all transfer: bytes to and from each rank, and room for the
 * requests of the pieces. */
typedef struct {
    uint64_t *sends, *receives; /* [size] */
    MPI_Request *requests;
} transfer;

static void free_transfer(transfer *all) {
    akin_mem_free(all->sends);
    akin_mem_free(all->receives);
    akin_mem_free(all->requests);
}

static akin_status plan_transfer(akin_comm *comm, transfer *all) {
    all->sends = akin_mem_zalloc((size_t)comm->size, sizeof *all->sends);
    all->receives = akin_mem_zalloc((size_t)comm->size, sizeof *all->receives);
    return akin_agree(comm, all->sends && all->receives ? AKIN_OK : AKIN_FAILED);
}

/* Collective. Allocates room for what is received and for the requests, once all counts are
 * known. */
static akin_status open_transfer(akin_comm *comm, transfer *all, void **into, uint64_t *total) {
    size_t pieces = 0;
    *total = 0;
    for (int rank = 0; rank < comm->size; rank++) {
        *total += all->receives[rank];
        pieces += pieces_of(all->sends[rank]) + pieces_of(all->receives[rank]);
    }
    all->requests = akin_mem_alloc(pieces, sizeof *all->requests);
    *into = akin_mem_alloc(*total, 1);
    return akin_agree(comm, *into && all->requests ? AKIN_OK : AKIN_FAILED);
}

/* Collective. What is sent to the ranks is consecutive (cut up), or the same for each. own: where
 * room is left for what is this rank's own, which is not in `from` then; or NULL. */
static void run_transfer(akin_comm *comm, const transfer *all, const char *from, bool cut_up,
                         char *into, void **own) {
    MPI_Comm over = comm->over[AKIN_COMM_WORK];
    size_t used = 0;
    for (int rank = 0; rank < comm->size; rank++) {
        uint64_t sends = all->sends[rank], receives = all->receives[rank];
        if (rank != comm->rank) {
            used = start(over, (message){false, into, receives, rank, 0}, all->requests, used);
            used = start(over, (message){true, from, sends, rank, 0}, all->requests, used);
        } else if (own != NULL) {
            *own = into;
            sends = 0;
        } else if (receives)
            memcpy(into, from, receives);
        into += receives;
        if (cut_up) from += sends;
    }
    akin_comm_wait_all(comm, used, all->requests);
}

akin_status akin_comm_gather(akin_comm *comm, const void *mine, size_t count, int root, void **all,
                             size_t *offsets) {
    transfer plan = {0};
    akin_status status;
    uint64_t total, length = count;
    MPI_Request request;
    *all = NULL;
    AKIN_TRY(plan_transfer(comm, &plan));
    plan.receives[0] = length;
    if (comm->size > 1) { /* one rank alone needs no MPI */
        MPI_Iallgather(&length, 1, MPI_UINT64_T, plan.receives, 1, MPI_UINT64_T,
                       comm->over[AKIN_COMM_WORK], &request);
        akin_comm_wait_all(comm, 1, &request);
    }
    if (offsets) offsets[0] = 0;
    for (int rank = 0; rank < comm->size; rank++) {
        if (offsets) offsets[rank + 1] = offsets[rank] + plan.receives[rank];
        if (root >= 0 && root != comm->rank) plan.receives[rank] = 0;
        plan.sends[rank] = root < 0 || root == rank ? count : 0;
    }
    AKIN_TRY(open_transfer(comm, &plan, all, &total));
    run_transfer(comm, &plan, mine, false, *all, NULL);
done:
    free_transfer(&plan);
    if (status != AKIN_OK || (root >= 0 && root != comm->rank)) {
        akin_mem_free(*all);
        *all = NULL;
    }
    return status;
}

akin_status akin_comm_exchange(akin_comm *comm, const void *send, const size_t *send_counts,
                               size_t record_size, void **received, size_t *received_count) {
    return akin_comm_exchange_others(comm, send, send_counts, record_size, received, received_count,
                                     NULL);
}

akin_status akin_comm_exchange_others(akin_comm *comm, const void *send, const size_t *send_counts,
                                      size_t record_size, void **received, size_t *received_count,
                                      void **own) {
    transfer plan = {0};
    akin_status status;
    uint64_t total;
    MPI_Request request;
    *received = NULL;
    *received_count = 0;
    AKIN_TRY(plan_transfer(comm, &plan));
    for (int rank = 0; rank < comm->size; rank++)
        plan.sends[rank] = send_counts[rank] * record_size;
    plan.receives[0] = plan.sends[0];
    if (comm->size > 1) {
        MPI_Ialltoall(plan.sends, 1, MPI_UINT64_T, plan.receives, 1, MPI_UINT64_T,
                      comm->over[AKIN_COMM_WORK], &request);
        akin_comm_wait_all(comm, 1, &request);
    }
    AKIN_TRY(open_transfer(comm, &plan, received, &total));
    run_transfer(comm, &plan, send, true, *received, own);
    *received_count = record_size ? total / record_size : 0;
done:
    free_transfer(&plan);
    if (status != AKIN_OK) {
        akin_mem_free(*received);
        *received = NULL;
    }
    return status;
}
