/* process: what this process agrees on with the operating system and with whoever starts ranks:
 * which signals end a run, and Open MPI's settings where nobody started ranks. Not collective.
 * Cannot fail. */
#ifndef AKIN_PROCESS_H
#define AKIN_PROCESS_H

#include <stdbool.h>

/* To be called before MPI_Init. Started without mpirun or srun, Open MPI would first start a daemon
 * for ranks that are never asked for; without it all such processes of a machine have one name, so
 * nothing may be kept under it. */
void akin_process_settings(void);

/* Whether Slurm started this process as one of several tasks that MPI does not know of (it has `size`
 * ranks): plain `srun` where it does not speak PMIx. *tasks: how many. Each would do all of the work
 * and write the same files. */
bool akin_process_is_split(int size, long *tasks);

/* From now on SIGTERM, SIGUSR1 and SIGINT only set a flag: "save and exit 75". Calls that wait go
 * on (SA_RESTART). A closed pipe and the file size limit are ignored as signals: the write that
 * meets them fails and says so. */
void akin_process_catch_signals(void);
bool akin_process_signalled(void);

#endif
