#!/bin/bash
# Runs akin on all tasks of this Slurm allocation. usage: launch.sh VERB [ARGUMENT...]   (used by the .sbatch files here)
#
# Slurm's warning before the time limit (--signal=B:USR1@120) becomes "save and exit 75"; a job that exits with 75
# requeues itself and resumes. Any other end gives the job akin's own status and a last line that says what to do.
#
#   AKIN            the program, if it is not on the PATH
#   AKIN_SETUP      a file that is read first: `module load ...`; by default setup.sh in this script's folder, if it exists
#   AKIN_LAUNCHER   srun or mpirun; by default srun if Slurm supports PMIx
#   AKIN_REQUEUES   how often a job may requeue itself (20)
set -u

setup=${AKIN_SETUP:-$(dirname "$0")/setup.sh}
if [ -n "${AKIN_SETUP:-}" ] || [ -e "$setup" ]; then
    # shellcheck disable=SC1090
    . "$setup" || { echo "akin: FAILED: $setup (AKIN_SETUP) failed" >&2; exit 1; }
fi
akin=${AKIN:-akin}
limit=${AKIN_REQUEUES:-20}
restarts=${SLURM_RESTART_COUNT:-0}
unset SLURM_EXPORT_ENV # "NONE" would remove PATH from srun's environment

case ${AKIN_LAUNCHER:-auto} in
mpirun) launcher=(mpirun) ;;
srun) launcher=(srun --mpi=pmix --kill-on-bad-exit=1) ;;
auto)
    launcher=(mpirun)
    srun --mpi=list 2>&1 | grep -qw pmix && launcher=(srun --mpi=pmix --kill-on-bad-exit=1)
    ;;
*)
    echo "launch.sh: AKIN_LAUNCHER is srun or mpirun, not $AKIN_LAUNCHER" >&2
    exit 2
    ;;
esac

echo "akin: job ${SLURM_JOB_ID:-none} of ${SLURM_NTASKS:-?} tasks on ${SLURM_JOB_NODELIST:-?}, restart $restarts, by ${launcher[0]}" >&2
"${launcher[@]}" "$akin" "$@" &
child=$!
trap 'kill -USR1 $child 2>/dev/null' USR1 TERM
code=0
while :; do # a signal ends `wait`, not the child
    wait $child
    code=$?
    kill -0 $child 2>/dev/null || break
done

state() { # of this job; a job that is being cancelled is not requeued
    scontrol show job -o "$SLURM_JOB_ID" 2>/dev/null | head -n 1 | sed -n 's/.* JobState=\([A-Z]*\).*/\1/p'
}

if [ $code -eq 75 ] && [ "$(state)" = RUNNING ]; then
    if [ "$restarts" -lt "$limit" ]; then
        echo "akin: saved; job $SLURM_JOB_ID goes back into the queue to continue (time $((restarts + 1)) of $limit)" >&2
        scontrol requeue "$SLURM_JOB_ID" && sleep 120 # until Slurm ends this job
        echo "akin: FAILED: job $SLURM_JOB_ID cannot be requeued; its state is saved: submit it again" >&2
        exit 75
    fi
    echo "akin: FAILED: job $SLURM_JOB_ID was requeued $limit times (AKIN_REQUEUES); its state is saved: give it more time and submit it again" >&2
    exit 75
fi

case $code in
0) exit 0 ;;
1) why="input, output, memory or network: fix what the message above names and submit again" ;;
2) why="the job file or a script is wrong: fix the line that the message above names and submit again" ;;
3) why="the input was refused: see the message above and rejects.csv; the store keeps its present table" ;;
4) why="a gate refused to publish: see the message above; the store keeps its present table" ;;
75) why="stopped; its state is saved: submit again to continue" ;;
*) why="it was killed or crashed, a node was lost, or Slurm ended it: submit again to resume from the saved state" ;;
esac
echo "akin: FAILED with exit $code: $why" >&2
exit $code
