# A full disk: exit 1 within seconds at any number of ranks, a message that says how much space is needed, the old
# output unchanged, no leftover that stops the next run. A read-only disk: exit 1 too. Needs permission to mount a small tmpfs; 77 = skipped.
set -eu

folder=$PWD/full_disk
umount "$folder/disk" 2>/dev/null || true
rm -rf "$folder"
mkdir -p "$folder/disk"
if ! mount -t tmpfs -o size=2m tmpfs "$folder/disk" 2>/dev/null; then
    # Other users may be root in a namespace of their own.
    if [ -z "${AKIN_UNSHARED:-}" ] && unshare --user --map-root-user --mount true 2>/dev/null; then
        # Open MPI's folder of the real root is not accessible there.
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

# Files other than the table and its spare lists.
leftovers() {
    ls "$folder/disk" | grep -v '^table\.nc\(\.spare\)\?$' || true
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
    [ -z "$(leftovers)" ] || fail "leftovers: $(leftovers)"
done

# Room for the table but not for the spare lists: those are left out, with a message.
rm -f "$folder/disk/"*
head -c 300000 /dev/zero >"$folder/disk/ballast"
"$AKIN" neighbors "$folder/large.npy" -k 1 --spare 8 -o "$folder/disk/table.nc" 2>"$folder/stderr" || fail "no room for the spare lists"
grep -q "continuing without .*table.nc.spare" "$folder/stderr" || fail "nothing is said of the spare lists"
rm -f "$folder/disk/"*
"$AKIN" neighbors "$folder/small.npy" -k 5 -o "$folder/disk/table.nc" --quiet

# A limit on the size of files is not a full disk.
code=0
(ulimit -f 100 && "$AKIN" neighbors "$folder/large.npy" -k 20 --spare 0 -o "$folder/limited.nc" --quiet 2>"$folder/stderr") || code=$?
[ $code -eq 1 ] || fail "a limit on the size of files: exit $code, not 1"
grep -q "limited.nc.*: a limit on the size of files is below the [0-9]* bytes that it needs: .*ulimit -f" "$folder/stderr" ||
    fail "the message does not name the limit"

# A leftover part of a killed run takes the space that the next run needs: it is removed first.
head -c 1900000 /dev/zero >"$folder/disk/table.nc.part"
"$AKIN" neighbors "$folder/small.npy" -k 6 -o "$folder/disk/table.nc" --quiet 2>"$folder/stderr" ||
    fail "a leftover part stops the next run"
[ -z "$(leftovers)" ] || fail "leftovers: $(leftovers)"

"$AKIN" neighbors "$folder/small.npy" -k 2 -o "$folder/after.nc" --quiet
# Publishing to two targets changes neither if one is unavailable; the previous file is unchanged.
"$AKIN" neighbors "$folder/large.npy" -k 20 -o "$folder/large.nc" --quiet
rm -f "$folder/disk/"*
"$AKIN" publish "$folder/before.nc" --to "file:$folder/disk/a.csv" --max-churn 1 --max-shrink 1 --min-coverage 0 --quiet
cp "$folder/disk/a.csv" "$folder/a.csv"
for ranks in 1 3; do
    code=0
    timeout 60 mpirun -n $ranks "$AKIN" publish "$folder/large.nc" --to "file:$folder/b.csv" --to "file:$folder/disk/a.csv" \
        --max-churn 1 --max-shrink 1 --quiet 2>"$folder/stderr" || code=$?
    [ $code -eq 1 ] || fail "publish on a full disk at $ranks ranks: exit $code, not 1"
    cmp "$folder/a.csv" "$folder/disk/a.csv" || fail "the published file has changed"
    [ "$(ls "$folder/disk")" = a.csv ] || fail "leftovers: $(ls "$folder/disk")"
    [ ! -e "$folder/b.csv" ] || fail "one place was published, the other not"
done
head -c 1900000 /dev/zero >"$folder/disk/a.csv.part"
"$AKIN" publish "$folder/after.nc" --to "file:$folder/disk/a.csv" --max-churn 1 --quiet 2>"$folder/stderr" ||
    fail "a leftover part stops the next publishing"
[ "$(ls "$folder/disk" | tr '\n' ' ')" = "a.csv a.csv.prev " ] || fail "leftovers: $(ls "$folder/disk")"

# A gallery that runs out of space leaves nothing.
"$PYTHON" -c "
from PIL import Image
Image.effect_noise((200, 200), 90).save('$folder/p.png')
open('$folder/c.csv', 'w').write('id,path\n' + ''.join(f'{i},p.png\n' for i in range(100)))"
code=0
timeout 60 mpirun -n 3 "$AKIN" gallery "$folder/before.nc" --source "$folder/c.csv" -o "$folder/disk/g" --quiet 2>"$folder/stderr" ||
    code=$?
[ $code -eq 1 ] || fail "a gallery on a full disk: exit $code, not 1"
grep -q "$folder/disk/g: .*free some space" "$folder/stderr" || fail "the message does not name the gallery, or what to do"
[ "$(ls "$folder/disk" | tr '\n' ' ')" = "a.csv a.csv.prev " ] || fail "leftovers: $(ls "$folder/disk")"

printf '[job]\noutput = %s\n[ingest]\nsource = %s\n' "$folder/disk/run" "$folder/c.csv" >"$folder/run.ini"
code=0
"$AKIN" run "$folder/run.ini" --check 2>"$folder/stderr" || code=$?
[ $code -eq 1 ] || fail "a check before a run on a full disk: exit $code, not 1"
grep -q "run.ini:2: \[job\] output $folder/disk/run: $folder/disk: the disk has no room for the [0-9]* bytes" "$folder/stderr" ||
    fail "the message names neither the line nor the folder"

# One that only publishes there: a warning, since the lists may be shorter.
printf '[job]\noutput = %s\n[ingest]\nsource = %s\n[publish]\nto = file:%s\n' \
    "$folder/run" "$folder/c.csv" "$folder/disk/new.csv" >"$folder/there.ini"
head -c 2060000 /dev/zero >"$folder/disk/ballast"
"$AKIN" run "$folder/there.ini" --check 2>"$folder/stderr" || fail "a check is refused where only the published file has no room"
grep -q "there.ini:6: \[publish\] $folder/disk/new.csv.*no room for the [0-9]* bytes" "$folder/stderr" ||
    fail "the check does not warn of the disk that is published to"
rm "$folder/disk/ballast"
"$AKIN" run "$folder/there.ini" --check 2>"$folder/stderr" || fail "a check where there is room"
! grep -q "no room" "$folder/stderr" || fail "the check warns of a disk with room"

# A run without a check before, on a disk without a free byte: what it names is a file that the user knows.
mkdir -p "$folder/disk/run"
dd if=/dev/zero of="$folder/disk/ballast" bs=4096 2>/dev/null || true
code=0
"$AKIN" run "$folder/run.ini" 2>"$folder/stderr" || code=$?
[ $code -eq 1 ] || fail "a run on a full disk: exit $code, not 1"
grep -q "$folder/disk/run/[a-z.]*: .*free some space" "$folder/stderr" || fail "the message does not say what to do"
! grep -q "\.part" "$folder/stderr" || fail "the message names a file that the user does not know"
rm -r "$folder/disk/ballast" "$folder/disk/run"

# A read-only disk: exit 1, since no job file is wrong; at once, before anything is read.
mount -o remount,ro "$folder/disk" || { echo "no right to make the disk read-only"; exit 0; }
printf '[job]\noutput = %s\n[ingest]\nsource = %s\n[publish]\nto = file:%s\n' \
    "$folder/run" "$folder/c.csv" "$folder/disk/a.csv" >"$folder/publish.ini"
# All ranks refuse, so that mpirun does not sleep for a second before each of its signals to the others.
export OMPI_MCA_odls_base_sigkill_timeout=0 PRTE_MCA_odls_base_sigkill_timeout=0
for ranks in 1 3; do
    for words in "run $folder/run.ini" "run $folder/run.ini --check" "run $folder/publish.ini" \
        "ingest $folder/c.csv -o $folder/disk/c.nc" "neighbors $folder/small.npy -o $folder/disk/t.nc" \
        "publish $folder/before.nc --to file:$folder/disk/a.csv" "gallery $folder/before.nc --source $folder/c.csv -o $folder/disk/g"; do
        code=0
        # shellcheck disable=SC2086
        timeout 60 mpirun -n $ranks "$AKIN" $words --json >"$folder/stdout" 2>"$folder/stderr" || code=$?
        [ $code -eq 1 ] || fail "$words on a read-only disk at $ranks ranks: exit $code, not 1"
        grep -q "Read-only file system" "$folder/stderr" || fail "$words: the message does not say that the disk is read-only"
        grep -q '"status":"failed","exit":1,' "$folder/stdout" || fail "$words: no JSON of a failure at $ranks ranks"
    done
done
[ ! -e "$folder/run" ] || fail "a run began before its places were tried"
mount -o remount,rw "$folder/disk"
