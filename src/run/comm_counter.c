/* comm_counter: a shared counter, by one-sided atomic additions to a number on rank 0. Within a
 * node they use shared memory and complete at once; between nodes rank 0 may have to poll, so each
 * rank requests its next number when it takes one. If MPI does not support such additions between
 * these ranks (Open MPI 4 with threads, between nodes by TCP), each takes an equal share. */
#include "comm_body.h"
#include <akin/comm.h>
#include <akin/mem.h>

struct akin_comm_counter {
    akin_comm *comm;
    MPI_Win window; /* one number on rank 0; MPI_WIN_NULL: equal shares */
    int64_t next;   /* this rank's next number, once the request is done */
    MPI_Request request;
};

static const int64_t one = 1;

static void ask(akin_comm_counter *counter) {
    MPI_Rget_accumulate(&one, 1, MPI_INT64_T, &counter->next, 1, MPI_INT64_T, 0, 0, 1, MPI_INT64_T,
                        MPI_SUM, counter->window, &counter->request);
}

/* Whether MPI supports this; if not, MPI reports the error on all ranks alike. Collective. */
static bool allocate_window(akin_comm_counter *counter, int64_t **value) {
    akin_comm *comm = counter->comm;
    MPI_Comm over = comm->over[AKIN_COMM_WORK];
    MPI_Errhandler usual;
    MPI_Comm_get_errhandler(over, &usual);
    MPI_Comm_set_errhandler(over, MPI_ERRORS_RETURN);
    int64_t failed = MPI_Win_allocate(comm->rank == 0 ? sizeof **value : 0, sizeof **value,
                                      MPI_INFO_NULL, over, value, &counter->window) != MPI_SUCCESS;
    MPI_Comm_set_errhandler(over, usual);
    MPI_Errhandler_free(&usual);
    akin_comm_max_i64(comm, &failed, 1);
    if (failed) counter->window = MPI_WIN_NULL;
    return !failed;
}

/* Collective. */
static void open_window(akin_comm_counter *counter) {
    int64_t *value;
    akin_comm *comm = counter->comm;
    if (!allocate_window(counter, &value)) return;
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
    if (counter->window != MPI_WIN_NULL) akin_comm_wait_all(counter->comm, 1, &counter->request);
    uint64_t taken = (uint64_t)counter->next;
    if (counter->window != MPI_WIN_NULL)
        ask(counter);
    else
        counter->next += counter->comm->size;
    return taken;
}

void akin_comm_counter_free(akin_comm_counter *counter) {
    if (!counter) return;
    if (counter->window != MPI_WIN_NULL) {
        akin_comm_wait_all(counter->comm, 1, &counter->request);
        MPI_Win_unlock_all(counter->window);
        akin_comm_barrier(counter->comm); /* MPI itself would spin until the last rank arrives */
        MPI_Win_free(&counter->window);
    }
    akin_mem_free(counter);
}
