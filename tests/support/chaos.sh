#!/bin/sh
# A campaign of N random faults against `akin run`: under mpirun, or with --slurm on a real Slurm that it starts.
# usage: chaos.sh N [--slurm] [--seed S] [--only KIND,...]      prints runs, faults, resumed, lost and wrong; fails unless the last two are 0
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export AKIN="${AKIN:-$here/../../build/akin}" AKIN_SOURCE="$here/../.."
. "$here/../../jobs/environment.sh"
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
exec "${PYTHON:-/usr/bin/python3}" "$here/chaos.py" "$@"
