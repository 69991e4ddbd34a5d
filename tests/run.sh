#!/bin/sh
# Installs missing packages, builds, and runs the tests. usage: run.sh [ctest options]
# All but the long ones by default; `run.sh -L ''` runs all.
set -eu
cd "$(dirname "$0")/.."
sh jobs/packages.sh test
sh jobs/build.sh "${AKIN_PRESET:-release}"
[ $# -gt 0 ] || set -- -LE long
exec ctest --test-dir build --output-on-failure -j "$((2 * $(nproc)))" "$@"
