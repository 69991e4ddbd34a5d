/* process: this process's dealings with the operating system and with the launcher of ranks:
 * which signals end a run, and Open MPI's settings if there is no launcher. Not collective.
 * Cannot fail. */
#ifndef AKIN_PROCESS_H
#define AKIN_PROCESS_H

#include <stdbool.h>

/* Call before MPI_Init. Without mpirun or srun, Open MPI would first start a daemon for ranks
 * that are never needed; without the daemon, all such processes of a machine have the same name,
 * so nothing may be stored under that name. */
void akin_process_settings(void);

/* Whether Slurm started this process as one of several tasks that MPI does not know of (it sees
 * `size` ranks): plain `srun` without PMIx support. *tasks: how many. Each would do all of the
 * work and write the same files. */
bool akin_process_is_split(int size, long *tasks);
bool akin_process_is_first_task(void); /* of those */

/* From now on SIGTERM, SIGUSR1 and SIGINT only set a flag: "save and exit 75". Blocking calls
 * are restarted (SA_RESTART). SIGPIPE and SIGXFSZ are ignored: the write itself fails with an
 * error. */
void akin_process_catch_signals(void);
bool akin_process_signalled(void);

#endif
