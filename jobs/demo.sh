#!/bin/sh
# From a fresh clone to a gallery: installs what is missing, builds, and runs the whole job on the demo catalogue.
set -eu
cd "$(dirname "$0")/.."
sh jobs/packages.sh build
echo "== building (a minute or two)"
sh jobs/build.sh "${AKIN_PRESET:-release}" akin_program
. jobs/environment.sh

ranks=$(nproc)
echo "== mpirun -n $ranks build/akin run jobs/demo.ini"
mpirun -n "$ranks" build/akin run jobs/demo.ini

echo
echo "== some items and their neighbours"
for item in an-apple-01 lime-half-ganson rubik-s-cube-random-petr-01; do
    echo "$item"
    build/akin query results/demo/embeddings.nc --id "$item" -k 3 --exclude-same-group --quiet | sed 's/^/    /'
done
echo
echo "== evaluation"
build/akin evaluate results/demo/table.nc --quiet
echo
echo "Open in a browser: file://$PWD/results/demo/gallery/index.html"
