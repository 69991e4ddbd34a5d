/* comm_body: declarations shared by the source files of comm. Not collective unless stated. */
#ifndef AKIN_COMM_BODY_H
#define AKIN_COMM_BODY_H

#include "stall.h"
#include <akin/comm.h>
#include <mpi.h>

enum { AKIN_COMM_PIECE = 1 << 20 };

/* Collectives; point to point; NetCDF's; who is waiting. */
enum { AKIN_COMM_WORK, AKIN_COMM_POINTS, AKIN_COMM_FOREIGN, AKIN_COMM_TALK, AKIN_COMM_OVERS };

struct akin_comm {
    int rank, size;
    MPI_Comm over[AKIN_COMM_OVERS];
    akin_stall *stall;
    double waited;  /* seconds, in all waits so far */
    double limit;   /* seconds without progress */
    double *answer; /* [size] the last answer to each rank: seconds without progress */
};

struct akin_request {
    size_t count;
    MPI_Request pieces[];
};

/* The state of MPI: the watchdog is active from STARTS to NONE. */
typedef enum { AKIN_MPI_NONE, AKIN_MPI_STARTS, AKIN_MPI_UP, AKIN_MPI_ENDS } akin_comm_phase;
void akin_comm_watch_phase(akin_comm *comm, akin_comm_phase phase);
/* Answers ranks that ask how long this one has made no progress, and records their answers. */
void akin_comm_listen(akin_comm *comm);
/* Called repeatedly by a rank while it waits. `what`: the foreign call that it is in, or "". */
void akin_comm_watch_others(akin_comm *comm, const char *what);
void akin_comm_end_after_assert(void);

/* Returns when all are done; they are MPI_REQUEST_NULL then. */
void akin_comm_wait_all(akin_comm *comm, size_t count, MPI_Request *requests);

/* Bytes of the piece that starts at `at`. */
static inline int akin_comm_piece_at(size_t at, size_t count) {
    return (int)(count - at < AKIN_COMM_PIECE ? count - at : AKIN_COMM_PIECE);
}

#endif
