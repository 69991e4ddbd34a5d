/* comm_counter: numbers handed out among the ranks, by one-sided atomic additions to a number that
 * lies on rank 0: of ranks on one node by shared memory, at once; elsewhere rank 0 may have to poll,
 * so each rank asks for its next number when it takes one. */
#include "comm_body.h"
#include <akin/comm.h>
#include <akin/mem.h>

struct akin_comm_counter {
    akin_comm *comm;
    MPI_Win window; /* one number on rank 0; MPI_WIN_NULL: this is the only rank */
    int64_t next;   /* this rank's next number, once the request is done */
    MPI_Request request;
};

static const int64_t one = 1;

static void ask(akin_comm_counter *counter) {
    MPI_Rget_accumulate(&one, 1, MPI_INT64_T, &counter->next, 1, MPI_INT64_T, 0, 0, 1, MPI_INT64_T,
                        MPI_SUM, counter->window, &counter->request);
}

/* Collective. */
static void open_window(akin_comm_counter *counter) {
    int64_t *value;
    akin_comm *comm = counter->comm;
    MPI_Win_allocate(comm->rank == 0 ? sizeof *value : 0, sizeof *value, MPI_INFO_NULL,
                     comm->over[AKIN_COMM_WORK], &value, &counter->window);
    MPI_Win_lock_all(MPI_MODE_NOCHECK, counter->window);
    if (comm->rank == 0) *value = comm->size;
    MPI_Win_sync(counter->window);
    akin_comm_barrier(comm);
    MPI_Win_sync(counter->window);
}

akin_status akin_comm_counter_create(akin_comm *comm, akin_comm_counter **out) {
    akin_comm_counter *counter = *out = akin_mem_zalloc(1, sizeof *counter);
    akin_status status = akin_agree(comm, counter ? AKIN_OK : AKIN_FAILED);
    if (status != AKIN_OK) {
        akin_mem_free(counter);
        *out = NULL;
        return status;
    }
    *counter = (akin_comm_counter){
        .comm = comm, .window = MPI_WIN_NULL, .next = comm->rank, .request = MPI_REQUEST_NULL};
    if (comm->size > 1) open_window(counter);
    return AKIN_OK;
}

uint64_t akin_comm_counter_take(akin_comm_counter *counter) {
    if (counter->window == MPI_WIN_NULL) return (uint64_t)counter->next++;
    akin_comm_wait_all(counter->comm, 1, &counter->request);
    uint64_t taken = (uint64_t)counter->next;
    ask(counter);
    return taken;
}

void akin_comm_counter_free(akin_comm_counter *counter) {
    if (!counter) return;
    if (counter->window != MPI_WIN_NULL) {
        akin_comm_wait_all(counter->comm, 1, &counter->request);
        MPI_Win_unlock_all(counter->window);
        akin_comm_barrier(counter->comm); /* MPI itself would spin until the last one is here */
        MPI_Win_free(&counter->window);
    }
    akin_mem_free(counter);
}
