#!/bin/sh
# Runs unit tests of the kernels on an emulated CPU with AVX-512 and VNNI, on any machine. It checks
# what the kernels compute, not how fast. Debian's emulator Bochs executes every instruction; Debian's kernel
# boots in it from a CD image with nothing but the tests (init), and reports on a serial port.
# usage: run.sh [TEST...]     as in build/tests; default: all that test every level. AKIN_BUILD: another build folder;
# AKIN_TEST_CPU: the levels to test; one that the emulated CPU lacks is a failure
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${AKIN_BUILD:-$source/build}" && pwd)
here=$source/tests/emulated
work=$build/emulated
levels=${AKIN_TEST_CPU:-avx512 vnni}
limit=${AKIN_EMULATED_LIMIT:-7200} # seconds for all of it; each test has a limit of its own, in init

if [ $# -eq 0 ]; then
    for test in $(grep -lE "FOR_EACH_(LEVEL|TILE)" "$source"/tests/*/test_*.c); do set -- "$@" "$(basename "$test" .c)"; done
fi

sh "$source/jobs/packages.sh" emulated
mkdir -p "$work"
cd "$work"
rm -rf root iso ./*.txt

fetch_kernel() {
    [ ! -e vmlinuz ] || return 0
    package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p' | head -n 1)
    if [ -z "$package" ]; then
        echo "emulated/run.sh: apt knows no linux-image-cloud-amd64; on Debian: apt-get update" >&2
        exit 1
    fi
    rm -rf kernel ./*.deb
    apt-get download -qq "$package" 2>apt.txt || { cat apt.txt >&2; exit 1; }
    dpkg-deb -x ./*.deb kernel
    mv kernel/boot/vmlinuz-* vmlinuz
    rm -rf kernel ./*.deb
}

add_tests() {
    mkdir -p root/bin root/dev root/proc root/tests root/tmp
    echo "$levels" >root/tests/levels
    cp "$here/init" root/init
    chmod 755 root/init
    cp /bin/busybox root/bin/
    for test in "$@"; do
        cp "$build/tests/$test" root/tests/
        echo "$test" >>root/tests/list
        ldd "$build/tests/$test" | grep -o '/[^ ]*' | while read -r library; do
            mkdir -p "root$(dirname "$library")"
            cp -L "$library" "root$library"
        done
    done
}

make_image() {
    mkdir -p iso/isolinux
    (cd root && find . | cpio -o -H newc --quiet) | gzip -1 >iso/isolinux/initrd
    cp vmlinuz /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$here/isolinux.cfg" iso/isolinux/
    xorriso -as mkisofs -quiet -o tests.iso -b isolinux/isolinux.bin -c isolinux/catalog -no-emul-boot -boot-load-size 4 \
        -boot-info-table iso 2>xorriso.txt || { cat xorriso.txt >&2; exit 1; }
}

fetch_kernel
add_tests "$@"
make_image
echo continue >debugger.txt # Debian's Bochs starts in its debugger
echo "emulated/run.sh: half an hour for all, a minute or two for most; see $work/serial.txt" >&2
TERM=vt100 nice timeout --foreground -s KILL "$limit" bochs-bin -q -f "$here/bochsrc" -rc debugger.txt \
    </dev/null >bochs.out 2>&1 || true # its status only says that the machine was switched off
[ -s serial.txt ] || { echo "emulated/run.sh: the machine did not start" >&2; cat bochs.out bochs.txt >&2; exit 1; }
tr -d '\r' <serial.txt >console.txt

failed=0
for test in "$@"; do
    status=$(sed -n "s/^akin: $test ends with //p" console.txt)
    echo "$test: $([ "$status" = 0 ] && echo passed || echo "FAILED (${status:-never ended})")"
    [ "$status" = 0 ] || failed=$((failed + 1))
done
[ $failed -eq 0 ] || cat console.txt
echo "$(($# - failed)) passed, $failed failed"
[ $failed -eq 0 ]
