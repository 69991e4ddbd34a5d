#!/bin/bash
# Checks a job file, its paths and the free space, and submits the night to Slurm.
# usage: submit-nightly.sh [--chain] [--dry-run] [--quiet] JOB.ini
#
#   --chain     one job per part of the night, each of its own size (below), instead of a single one
#   --dry-run   only show what would be submitted; needs no Slurm
#   --quiet     print nothing if all is well: for cron, which mails a command's output
#   --help      this text
#
# Prints the ids of the jobs. Refused (exit 1) while the last night of the same name is running or queued, and if squeue
# fails. Run it in the folder that the paths of the job file are relative to. From the environment:
#   AKIN           the program; otherwise the one on the PATH, in this script's folder or in the build next to it
#   AKIN_SETUP     a file that is read here and in the jobs before akin starts: `module load ...`, PATH; otherwise setup.sh beside
#                  this script, if there is one
#   AKIN_OPTIONS   further options of sbatch, for all jobs: --partition=..., --account=..., --mail-type=FAIL
#   AKIN_MEM       memory a node (--mem), such as 12G, for all jobs whose size below does not say it; otherwise the partition's default
# and the sizes of the jobs; what is not set is taken from nightly.sbatch. README.md has a table of items -> nodes, memory and time;
# `akin plan JOB.ini --items N --nodes M` computes them for a job.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # also if it was started by sh
AKIN_NIGHT_SIZE=${AKIN_NIGHT_SIZE:-}                                               # the one job
AKIN_FETCH_SIZE=${AKIN_FETCH_SIZE:---nodes=1 --ntasks-per-node=4 --time=02:00:00} # where the job has a [fetch]; on nodes with a network, say --partition=...
AKIN_INGEST_SIZE=${AKIN_INGEST_SIZE:---nodes=1 --ntasks-per-node=4 --time=02:00:00} # waits for disks
AKIN_TRAIN_SIZE=${AKIN_TRAIN_SIZE:---nodes=2 --ntasks-per-node=8 --time=08:00:00}   # only when a model is trained
AKIN_EMBED_SIZE=${AKIN_EMBED_SIZE:---nodes=1 --ntasks-per-node=8 --time=01:00:00}
AKIN_NEIGHBORS_SIZE=${AKIN_NEIGHBORS_SIZE:---nodes=2 --ntasks-per-node=8 --time=04:00:00}
AKIN_PUBLISH_SIZE=${AKIN_PUBLISH_SIZE:---nodes=1 --ntasks-per-node=1 --time=01:00:00} # also evaluate and gallery
set -eu

say() { echo "submit-nightly.sh: $*" >&2; }
usage() { say "usage: submit-nightly.sh [--chain] [--dry-run] [--quiet] JOB.ini; --help says more"; exit 2; }

chain=no dry=no quiet=no job=
for word in "$@"; do
    case $word in
    --chain) chain=yes ;;
    --dry-run) dry=yes ;;
    --quiet) quiet=yes ;;
    --help | -h) sed -n '2,/^set -eu/{/^#/s/^# \{0,1\}//p;/^AKIN_/p}' "$0"; exit 0 ;;
    -*) usage ;;
    *) [ -z "$job" ] || usage; job=$word ;;
    esac
done
[ -n "$job" ] || usage
here=$(cd "$(dirname "$0")" && pwd -P)
[ -n "${AKIN_SETUP:-}" ] || [ ! -e "$here/setup.sh" ] || AKIN_SETUP=$here/setup.sh
if [ -n "${AKIN_SETUP:-}" ]; then
    export AKIN_SETUP
    # shellcheck disable=SC1090
    . "$AKIN_SETUP" || { say "nothing was submitted: $AKIN_SETUP (AKIN_SETUP) failed"; exit 1; }
fi

find_akin() { # the program's path
    local place
    if [ -n "${AKIN:-}" ]; then
        command -v "$AKIN" || say "nothing was submitted: AKIN is $AKIN, which is no program here"
        return
    fi
    for place in akin "$here/akin" "$here/../build/akin" "$here/../../../bin/akin"; do
        command -v "$place" && return
    done
    say "akin not found: put it on the PATH or beside this script, or set AKIN to its path"
    return 1
}
AKIN=$(find_akin) && [ -n "$AKIN" ] || exit 1
case ${AKIN_MEM:-0} in
[!0-9]* | *[!0-9]?* | *[!0-9KMGTkmgt]) say "nothing was submitted: AKIN_MEM is $AKIN_MEM, not a memory such as 12G"; exit 2 ;;
esac
export AKIN AKIN_SLURM=$here

command -v sbatch >/dev/null || [ $dry = yes ] || { say "sbatch not found: run this where jobs are submitted, or use: $AKIN run $job"; exit 1; }
# A single process, not part of any job.
silent=() code=0
[ $quiet = no ] || silent=(--quiet)
if [ $quiet = yes ]; then exec 3>/dev/null; else exec 3>&2; fi
env -u SLURM_JOB_ID -u PMIX_RANK "$AKIN" run "$job" --check "${silent[@]}" >&3 || code=$?
[ $code -eq 0 ] || { say "nothing was submitted: $job cannot run as it is (exit $code)"; exit $code; }

# A name for the night that is the same every night. Another folder's job file of that name, or another user's, is another night.
name=akin-$(basename "$job" .ini | tr -c 'A-Za-z0-9_.\n-' _)
if [ $dry = yes ]; then exec 4>/dev/null; else exec 4>&2; fi
running=$(squeue -h -n "$name" -t PENDING,RUNNING,CONFIGURING,COMPLETING,SUSPENDED,REQUEUED -u "$(id -un)" -o '%A (%T)|%Z' 2>&4) || {
    unknown="squeue failed, so whether the last night of $job still runs is not known"
    [ $dry = yes ] || { say "nothing was submitted: $unknown: try again when Slurm answers"; exit 1; }
    ! command -v squeue >/dev/null || say "$unknown"
}
running=$(awk -F '|' -v a="$PWD" -v b="$(pwd -P)" '$1 != "" && (NF < 2 || $2 == a || $2 == b) && !seen[$1]++ {
    printf "%s%s", n++ ? ", " : "", $1 }' <<<"$running")
if [ -n "$running" ]; then
    say "nothing was submitted: the last night of $job is still running or queued, job $running: wait for it, or cancel it with" \
        "scancel -n $name"
    [ $dry = yes ] || exit 1
fi

submit() { # submit SIZE DEPENDENCY COMMENT WORD... ; the id in $id
    local size=$1 depends=$2 comment=$3
    shift 3
    # shellcheck disable=SC2206
    local command=(sbatch --parsable "--job-name=$name" "--comment=$comment" "--dependency=${depends}singleton"
        --kill-on-invalid-dep=yes ${AKIN_MEM:+--mem=$AKIN_MEM} $size ${AKIN_OPTIONS:-} "$here/nightly.sbatch" "$@")
    if [ $dry = yes ]; then
        echo "dry run, not submitted:$(printf ' %q' "${command[@]}")"
        id="<id of $comment>"
    else
        id=$("${command[@]}") || {
            say "sbatch refused the job \"$comment\" (above)${first:+; the jobs before it, from $first on, stay queued: scancel -n $name}"
            exit 1
        }
        id=${id%%;*} first=${first:-$id}
        [ $quiet = yes ] || echo "$id $comment"
    fi
}

first= # the first job that was submitted
night=()
if grep -qE '^[[:space:]]*keep[[:space:]]*[=:][[:space:]]*0*[1-9]' "$job"; then
    night=(--night "$(date +%F)") # the date of submission, whenever it starts
fi
if [ $chain = no ]; then
    submit "$AKIN_NIGHT_SIZE" "" night "$job" "${night[@]}"
    exit 0
fi
before=
parts="ingest train embed neighbors publish"
grep -q '^[[:space:]]*\[fetch\]' "$job" && parts="fetch $parts"
for part in $parts; do
    size=AKIN_${part^^}_SIZE until=$part
    [ $part != publish ] || until=gallery # and what follows it
    offline=()
    [ $part = fetch ] || offline=(--offline) # only that one's nodes need a network
    submit "${!size}" "$before" $part "$job" --until $until "${offline[@]}" "${night[@]}"
    before=afterok:$id,
done
