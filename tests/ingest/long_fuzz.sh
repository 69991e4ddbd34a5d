# Each kind of input is fuzzed for a short time, AKIN_FULL=1: a minute; results/faults.md has the longest campaigns.
set -eu
sh "$AKIN_SOURCE/tests/fuzz/run.sh" "${AKIN_FUZZ_SECONDS:-$([ "${AKIN_FULL:-}" = 1 ] && echo 60 || echo 2)}" "$PWD/fuzz"
