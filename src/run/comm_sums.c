/* comm_sums: sums and maxima over all ranks, blocking or overlapped with the computation. */
#include <akin/mem.h>

#include "comm_body.h"

/* All types here have 8 bytes, and pieces are a multiple of that. */
static void reduce(akin_comm *comm, void *values, size_t count, MPI_Datatype type,
                   MPI_Op operation) {
    MPI_Request request;
    for (size_t at = 0; comm->size > 1 && at < 8 * count; at += AKIN_COMM_PIECE) {
        MPI_Iallreduce(MPI_IN_PLACE, (char *)values + at, akin_comm_piece_at(at, 8 * count) / 8,
                       type, operation, comm->over[AKIN_COMM_WORK], &request);
        akin_comm_wait_all(comm, 1, &request);
    }
}

void akin_comm_sum_i64(akin_comm *comm, int64_t *values, size_t count) {
    reduce(comm, values, count, MPI_INT64_T, MPI_SUM);
}

void akin_comm_max_i64(akin_comm *comm, int64_t *values, size_t count) {
    reduce(comm, values, count, MPI_INT64_T, MPI_MAX);
}

void akin_comm_max_f64(akin_comm *comm, double *values, size_t count) {
    reduce(comm, values, count, MPI_DOUBLE, MPI_MAX);
}

size_t akin_comm_rounds(akin_comm *comm, size_t count, size_t batch) {
    int64_t rounds = (int64_t)(count / batch + (count % batch != 0));
    akin_comm_max_i64(comm, &rounds, 1);
    return (size_t)rounds;
}

struct akin_comm_sum {
    size_t room, count;
    MPI_Request pieces[];
};

akin_status akin_comm_sum_create(size_t most, akin_comm_sum **out) {
    size_t room = (8 * most + AKIN_COMM_PIECE - 1) / AKIN_COMM_PIECE;
    *out = akin_mem_alloc(1, sizeof(akin_comm_sum) + room * sizeof(MPI_Request));
    if (!*out) return AKIN_FAILED;
    (*out)->room = room;
    (*out)->count = 0;
    return AKIN_OK;
}

void akin_comm_sum_free(akin_comm_sum *sum) {
    akin_mem_free(sum);
}

void akin_comm_sum_start(akin_comm *comm, akin_comm_sum *sum, int64_t *values, size_t count) {
    AKIN_ASSERT(sum->count == 0);
    for (size_t at = 0; comm->size > 1 && at < 8 * count; at += AKIN_COMM_PIECE) {
        AKIN_ASSERT(sum->count < sum->room);
        MPI_Iallreduce(MPI_IN_PLACE, (char *)values + at, akin_comm_piece_at(at, 8 * count) / 8,
                       MPI_INT64_T, MPI_SUM, comm->over[AKIN_COMM_WORK],
                       &sum->pieces[sum->count++]);
    }
}

void akin_comm_sum_wait(akin_comm *comm, akin_comm_sum *sum) {
    if (sum->count > 0) akin_comm_wait_all(comm, sum->count, sum->pieces);
    sum->count = 0;
}
