/* alone: Open MPI's settings for a process that was started without mpirun or srun. */
#ifndef AKIN_ALONE_H
#define AKIN_ALONE_H

/* Started alone, without mpirun or srun, Open MPI would first start a daemon for ranks that are
 * never asked for. But * then all such processes of a machine have one name, so nothing may be kept
 * under it. To be called before MPI_Init. Not collective. */
void akin_alone_settings(void);

#endif
