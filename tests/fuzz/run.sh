#!/bin/sh
# Fuzzes each kind of input for SECONDS, starting with seeds/; inputs that break akin are left in FOLDER/<kind>-crash-*.
# usage: run.sh SECONDS [FOLDER] [KIND...]       builds with clang and libFuzzer first (build-fuzz/)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
seconds=${1:?usage: run.sh SECONDS [FOLDER] [KIND...]}
folder=${2:-$PWD/fuzz}
shift $(($# > 2 ? 2 : $#))
sh "$here/../../jobs/build.sh" fuzz
[ $# -gt 0 ] || set -- $(cd "$here" && ls fuzz_*.c | sed 's/fuzz_\(.*\)\.c/\1/')
mkdir -p "$folder"
failed=
for kind in "$@"; do
    mkdir -p "$folder/$kind"
    # A decoder that runs in a process of its own may end by a fault of its library (libheif 1.15 has some), but not of ours.
    # Open MPI and HDF5 keep memory until the end; other tests check for leaks.
    if ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 "$here/../../build-fuzz/tests/fuzz/fuzz_$kind" \
        -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -max_len=200000 -print_final_stats=1 -close_fd_mask=1 \
        -artifact_prefix="$folder/$kind-" "$folder/$kind" "$here/seeds/$kind" >"$folder/$kind.log" 2>&1 &&
        ! grep -qE "^SUMMARY: .*/src/|/src/.*runtime error" "$folder/$kind.log"; then
        echo "$kind: $(sed -n 's/^stat::number_of_executed_units: *//p' "$folder/$kind.log") runs in $seconds s, nothing found"
    else
        echo "$kind: FOUND: $(grep -m1 -E 'ERROR|runtime error|SUMMARY' "$folder/$kind.log" || tail -n 1 "$folder/$kind.log")"
        failed=yes
    fi
done
[ -z "$failed" ]
