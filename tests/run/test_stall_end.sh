#!/bin/sh
# A run without progress exits with 1 within seconds, names the rank that the others waited for, and leaves no process.
set -u
program=$AKIN_BUILD/tests/test_stall_ranks
failed=0

# expect HOW RANKS PATTERN: the stall limit is 4 s, so that no rank that only lacks its core is named, and 60 s is a hang.
expect() {
    cp "$program" "./stall_$$_$1" || exit 1 # a unique name, to find remaining processes
    timeout -k 5 60 mpirun -n "$2" "./stall_$$_$1" "$1" >out.txt 2>err.txt
    code=$?
    if [ $code -ne 1 ]; then echo "$1 at $2 ranks: exit $code, not 1"; cat err.txt; failed=1; fi
    if ! grep -q "$3" err.txt; then echo "$1 at $2 ranks: no message like '$3'"; cat err.txt; failed=1; fi
    for wait in 1 2 3 4 5 6 7 8 9 10 last; do
        pgrep -f "stall_$$_$1" >/dev/null || break
        if [ $wait = last ]; then echo "$1 at $2 ranks: a process remains"; failed=1; kill -KILL $(pgrep -f "stall_$$_$1"); fi
        sleep 0.5
    done
    rm -f "./stall_$$_$1"
}

expect stop 3 'rank 0: no progress for [0-9]* s; waited for rank 2,'
expect stop-in-call 3 'rank 0: writing cheese.nc: no progress for [0-9]* s; waited for rank 2,'
expect compute 2 'rank 0: no progress for [0-9]* s; waited for rank 1,'
expect deadlock 3 'rank 0: no progress for [0-9]* s; all ranks wait for each other'
exit $failed
