# Random faults, twelve of them or, with AKIN_FULL=1, a hundred, different ones each day: nothing is lost or wrong.
set -eu
seed=${AKIN_SEED:-$(date +%j)}
echo "AKIN_SEED=$seed"
sh "$AKIN_SOURCE/tests/support/chaos.sh" "$([ "${AKIN_FULL:-}" = 1 ] && echo 100 || echo 12)" --seed "$seed"
