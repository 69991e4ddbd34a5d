# Each kind of input is fuzzed for a short time; results/faults.md tells of the long ones.
set -eu
sh "$AKIN_SOURCE/tests/fuzz/run.sh" "${AKIN_FUZZ_SECONDS:-15}" "$PWD/fuzz"
