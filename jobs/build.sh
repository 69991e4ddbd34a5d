#!/bin/sh
# Builds akin with a preset, using ccache if available; silent unless it fails. usage: build.sh [release|debug|ci|asan-ubsan] [target]
set -eu
cd "$(dirname "$0")/.."
preset=${1:-release}
! command -v ccache >/dev/null 2>&1 || export CMAKE_C_COMPILER_LAUNCHER="${CMAKE_C_COMPILER_LAUNCHER-ccache}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake --preset "$preset" && cmake --build --preset "$preset" --target "${2:-all}" -j "$(nproc)"; } >"$log" 2>&1; then
    grep -E -A5 'error|Error|warning' "$log" >&2 || tail -n 40 "$log" >&2
    echo "build.sh: the build of preset $preset failed" >&2
    exit 1
fi
