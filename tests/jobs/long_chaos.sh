# Twenty random faults: nothing lost, nothing wrong.
set -eu
sh "$AKIN_SOURCE/tests/support/chaos.sh" 20 --seed "${AKIN_CHAOS_SEED:-6}"
