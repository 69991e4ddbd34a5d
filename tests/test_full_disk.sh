# A disk that is full: exit 1 within seconds at any number of ranks, a message that says how much is needed, the old
# output as it was, no leftover that stops the next run. Needs the right to mount a small disk of memory; 77 = skipped.
set -eu

folder=$PWD/full_disk
umount "$folder/disk" 2>/dev/null || true
rm -rf "$folder"
mkdir -p "$folder/disk"
if ! mount -t tmpfs -o size=2m tmpfs "$folder/disk" 2>/dev/null; then
    # Who is not root may be it in a namespace of their own.
    if [ -z "${AKIN_UNSHARED:-}" ] && unshare --user --map-root-user --mount true 2>/dev/null; then
        # Open MPI's folder of the true root is not theirs.
        AKIN_UNSHARED=yes TMPDIR="$folder" exec unshare --user --map-root-user --mount sh "$0"
    fi
    echo "skipped: no right to mount a disk"
    exit 77
fi
trap 'umount "$folder/disk"' EXIT

"$PYTHON" - "$folder" <<'END'
import sys
import numpy as np
rows = np.random.default_rng(1).standard_normal((20000, 4)).astype("f4")
np.save(sys.argv[1] + "/large.npy", rows)
np.save(sys.argv[1] + "/small.npy", rows[:100])
END

fail() {
    echo "$1"
    cat "$folder/stderr"
    exit 1
}

"$AKIN" neighbors "$folder/small.npy" -k 5 -o "$folder/disk/table.nc" --quiet
cp "$folder/disk/table.nc" "$folder/before.nc"
for ranks in 1 3; do
    code=0
    timeout 60 mpirun -n $ranks "$AKIN" neighbors "$folder/large.npy" -k 20 -o "$folder/disk/table.nc" --json \
        >"$folder/stdout" 2>"$folder/stderr" || code=$?
    [ $code -eq 1 ] || fail "a full disk at $ranks ranks: exit $code, not 1"
    grep -q "table.nc.* [0-9][0-9]* bytes" "$folder/stderr" || fail "the message does not say how many bytes are needed"
    grep -q '"status":"failed","exit":1,' "$folder/stdout" || fail "no JSON of a failure at $ranks ranks"
    cmp "$folder/before.nc" "$folder/disk/table.nc" || fail "the old output has changed"
    [ "$(ls "$folder/disk")" = table.nc ] || fail "leftovers: $(ls "$folder/disk")"
done

# A leftover part of a killed run takes the space that the next run needs: it goes first.
head -c 1900000 /dev/zero >"$folder/disk/table.nc.part"
"$AKIN" neighbors "$folder/small.npy" -k 6 -o "$folder/disk/table.nc" --quiet 2>"$folder/stderr" ||
    fail "a leftover part stops the next run"
[ "$(ls "$folder/disk")" = table.nc ] || fail "leftovers: $(ls "$folder/disk")"
