#!/bin/sh
# Builds akin into build/ of the source tree. usage: build.sh [preset]
set -eu
cd "$(dirname "$0")/.."
preset=${1:-release}
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" -j "$(nproc)" | grep -E 'error|warning|Error' || :
test -x build/akin
