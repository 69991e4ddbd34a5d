/* injected: akin with deliberate faults, which the program itself has no option for. They are set
 * in the environment and apply to the rank in the variable with the suffix _RANK (unset: all
 * ranks):
 *
 * AKIN_MEM_FAIL_AT=n    the n-th allocation fails
 * AKIN_READ_FAIL_AT=n   the n-th read fails
 * AKIN_STALL=start|end|library   it stops before MPI starts, before MPI ends, or never returns from
 *                       LAPACK, ignoring every signal that can be ignored */
#include <akin/comm.h>
#include <akin/fault.h>
#include <akin/mem.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int akin_main(int argc, char **argv);
int PMPI_Init_thread(int *argc, char ***argv, int wanted, int *given);
int PMPI_Finalize(void);
int MPI_Init_thread(int *argc, char ***argv, int wanted, int *given);
int MPI_Finalize(void);

static int here = -1; /* the rank, as far as it is known */

static bool is_here(const char *name) {
    const char *on = getenv(name);
    return !on || atoi(on) == here;
}

static bool stalls(const char *where) {
    const char *how = getenv("AKIN_STALL");
    return how && strcmp(how, where) == 0 && is_here("AKIN_STALL_RANK");
}

static void started(int rank) {
    const char *memory = getenv("AKIN_MEM_FAIL_AT"), *reading = getenv("AKIN_READ_FAIL_AT");
    here = rank;
    if (memory && is_here("AKIN_MEM_FAIL_RANK")) akin_mem_fail_at(strtoull(memory, NULL, 10));
    if (reading && is_here("AKIN_READ_FAIL_RANK")) akin_fault_fail_at(strtoull(reading, NULL, 10));
}

int MPI_Init_thread(int *argc, char ***argv, int wanted, int *given) {
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    here = rank ? atoi(rank) : 0;
    if (stalls("start")) raise(SIGSTOP);
    return PMPI_Init_thread(argc, argv, wanted, given);
}

int MPI_Finalize(void) {
    if (stalls("end")) raise(SIGSTOP);
    return PMPI_Finalize();
}

/* Waits without reacting to signals. The linker calls it before the real function (--wrap). */
#define ARGUMENTS                                                                                  \
    int layout, char job, char range, char part, int n, double *a, int lda, double low,            \
        double high, int first, int last, double tolerance, int *found, double *values,            \
        double *vectors, int ldz, int *support, double *work, int work_size, int *whole,           \
        int whole_size
int __real_LAPACKE_dsyevr_work(ARGUMENTS);
int __wrap_LAPACKE_dsyevr_work(ARGUMENTS);

int __wrap_LAPACKE_dsyevr_work(ARGUMENTS) {
    if (stalls("library")) {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        for (volatile bool forever = true; forever;) {
        }
    }
    return __real_LAPACKE_dsyevr_work(layout, job, range, part, n, a, lda, low, high, first, last,
                                      tolerance, found, values, vectors, ldz, support, work,
                                      work_size, whole, whole_size);
}

int main(int argc, char **argv) {
    akin_comm_on_start(started);
    return akin_main(argc, argv);
}
