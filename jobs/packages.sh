#!/bin/sh
# Installs the packages that akin is built from, on Debian and Ubuntu; elsewhere it names what is missing.
# usage: packages.sh [build|test|emulated|network]     test: also what the tests need (a browser, Python's netCDF4, sample
# pictures) and network; emulated: what tests/emulated/run.sh needs; network: OpenVINO, for ingest --network, from PyPI
# into .openvino beside the sources, where the next build finds it (another one: OpenVINO_DIR)
set -eu

build="build-essential cmake ninja-build pkg-config git openmpi-bin libopenmpi-dev libopenblas-dev liblapacke-dev libpng-dev
    libnetcdf-mpi-dev libturbojpeg0-dev libjpeg-dev libwebp-dev
    libheif-dev libtiff-dev libgif-dev libgdk-pixbuf-2.0-dev liblcms2-dev libarchive-dev libcsv-dev libexif-dev libinih-dev libcjson-dev libxxhash-dev
    libhiredis-dev libmemcached-dev libcurl4-openssl-dev libssl-dev uuid-dev zlib1g-dev libcmocka-dev"
tests="clang-format python3 python3-numpy python3-netcdf4 python3-pil python3-prometheus-client python3-yaml netcdf-bin man-db chromium chromium-driver
    redis-server memcached python3-venv openclipart-png dataset-fashion-mnist slurmctld slurmd slurm-client munge
    clang libclang-rt-dev"
emulated="bochs bochs-term isolinux syslinux-common xorriso busybox-static cpio"

# Only the wheel of this version, and of that only headers, libraries and CMake files, not the Python package.
openvino=2026.4.1
install_openvino() {
    here=$(dirname "$0")/../.openvino
    [ -z "${OpenVINO_DIR:-}" ] || return 0
    [ "$(cat "$here/version" 2>/dev/null)" != "$openvino" ] || return 0
    echo "packages.sh: installing OpenVINO $openvino" >&2
    rm -rf "$here"
    python3 -m venv "$here" &&
        "$here/bin/pip" install -q --disable-pip-version-check --no-deps --only-binary :all: "openvino==$openvino" &&
        echo "$openvino" >"$here/version" && return 0
    rm -rf "$here"
    echo "packages.sh: OpenVINO cannot be had; akin is built without ingest --network" >&2
    return 1
}
[ "${1:-build}" != network ] || { install_openvino; exit; }

# Ubuntu's packages with this name only call snap; an installed Chrome (google-chrome, chromedriver) works too.
if grep -qsx 'ID=ubuntu' /etc/os-release && ! command -v chromium >/dev/null 2>&1; then
    tests=$(printf '%s' "$tests" | sed 's/chromium chromium-driver//')
    [ "${1:-build}" != test ] || { command -v google-chrome && command -v chromedriver; } >/dev/null 2>&1 ||
        echo "packages.sh: Ubuntu has Chromium as a snap only; without google-chrome and chromedriver the tests in a browser are skipped" >&2
fi
packages=$build
[ "${1:-build}" = build ] || packages="$build $tests"
[ "${1:-build}" != emulated ] || packages="$build $emulated"

if ! command -v apt-get >/dev/null 2>&1; then
    echo "packages.sh: no apt-get found; akin needs these packages (Debian's names):" >&2
    missing=
    for tool in cc cmake pkg-config mpicc mpirun; do
        command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
    done
    for library in openblas libpng libturbojpeg libjpeg lcms2 libheif 'libtiff-4 >= 4.5' gdk-pixbuf-2.0 libwebp libwebpdemux libarchive libexif inih libcjson libxxhash hiredis libmemcached libcurl uuid zlib cmocka; do
        pkg-config --exists "$library" 2>/dev/null || missing="$missing $library"
    done
    echo $packages >&2
    [ -z "$missing" ] && exit 0
    echo "packages.sh: missing:$missing" >&2
    exit 1
fi

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    root=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || { echo "packages.sh: as root, run: apt-get install$missing" >&2; exit 1; }
        root=sudo
    fi
    echo "packages.sh: installing$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    $root apt-get update -qq
    # shellcheck disable=SC2086
    $root apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
[ "${1:-build}" != test ] || install_openvino || true # without it, tests check that ingest --network is refused
