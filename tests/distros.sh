#!/bin/bash
# Builds akin and runs its tests on another distribution, in a root file system made by debootstrap: needs root, debootstrap, and
# a mirror of the distribution. The sources are this repository's HEAD; a second run builds only what has changed.
# usage: distros.sh trixie|noble|SUITE [CTEST_ARGUMENT...]     the arguments are -LE long without any
#        distros.sh SUITE -- COMMAND...    runs a command in the root instead, in the sources' folder
# AKIN_ROOTS: where the roots are kept (/var/tmp/akin-roots); AKIN_MIRROR: http://deb.debian.org/debian or Ubuntu's
set -eu

[ $# -ge 1 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
suite=$1
shift
here=$(cd "$(dirname "$0")/.." && pwd)
root=${AKIN_ROOTS:-/var/tmp/akin-roots}/$suite
inside=/akin # the sources' folder in the root

make_root() {
    local mirror=${AKIN_MIRROR:-http://deb.debian.org/debian} components=main script=
    local scripts=/usr/share/debootstrap/scripts keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    case $suite in
    focal | jammy | noble | oracular | plucky | questing)
        mirror=${AKIN_MIRROR:-http://archive.ubuntu.com/ubuntu} components=main,universe
        [ -e "$scripts/$suite" ] || script=$scripts/gutsy # the one of all Ubuntu, by its oldest name
        keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg
        ;;
    esac
    [ -e "$keyring" ] || keyring=${AKIN_KEYRING:?"no $keyring: name the keyring of $suite in AKIN_KEYRING"}
    debootstrap --variant=minbase --include=ca-certificates --keyring="$keyring" --components="$components" \
        "$suite" "$root.part" "$mirror" ${script:+"$script"}
    echo force-unsafe-io >"$root.part/etc/dpkg/dpkg.cfg.d/unsafe" # nobody keeps a root after a crash
    mv "$root.part" "$root"
}

# The folders that programs expect, for this command only: the namespace ends with it.
enter() {
    unshare --mount --pid --ipc --uts --fork --kill-child bash -eu -c '
        root=$1 inside=$2
        shift 2
        mount --make-rprivate /
        mount --bind "$root" "$root" # a mount point, which slurmd wants of its root
        mount -t proc proc "$root/proc"
        mount --rbind /sys "$root/sys"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
        mount -t tmpfs -o mode=1777 tmpfs "$root/run"
        # Not exec: this shell reaps the orphans of the namespace, as an init does; tests look for processes that remain.
        chroot "$root" /usr/bin/env -i HOME=/root USER=root LANG=C.UTF-8 TERM=dumb \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin AKIN_PRESET=ci \
            /bin/sh -c "cd $inside && exec \"\$@\"" sh "$@" || exit
    ' enter "$root" "$inside" "$@"
}

[ -d "$root" ] || make_root
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt" # a site's own authorities
if [ -d "$root$inside/.git" ]; then
    git -C "$root$inside" fetch -q "$here" HEAD
    git -C "$root$inside" checkout -q --detach FETCH_HEAD
else
    git clone -q --no-hardlinks "$here" "$root$inside"
fi

if [ "${1:-}" = -- ]; then
    shift
    enter "$@"
    exit
fi
[ $# -gt 0 ] || set -- -LE long
enter sh jobs/packages.sh test
enter sh jobs/build.sh "${AKIN_PRESET:-ci}"
enter ctest --test-dir build --output-on-failure "$@"
