"""Ranks that have several kinds of CPU: they agree on the kernels that all have, before anything is computed. The result
is in the report, the log and the files; the bits are those of a run whose ranks all have that kind; inputs with other bits are reported."""

import json
import os
import subprocess
import sys

import netCDF4
import numpy
from support import AKIN, akin, assert_same_variables, draw_catalogue, fresh, main

os.chdir(fresh("mixed_cpus"))
if subprocess.run(["mpirun", "-n", "1", "true", ":", "-n", "1", "true"], capture_output=True, timeout=120).returncode != 0:
    print("this mpirun starts no ranks of several kinds, as the one of Open MPI 5.0.7, which crashes", file=sys.stderr)
    sys.exit(77)  # ctest: skipped
draw_catalogue("things", 24)
akin("ingest", "things/catalog.csv", "-o", "catalog.nc")
numpy.save("rows.npy", numpy.random.default_rng(1).standard_normal((300, 33), dtype=numpy.float32))
TRAIN = ["train", "catalog.nc", "--epochs", 1, "--batch", 12, "--objective", "reconstruction", "--features", "autoencoder"]


def mixed(kinds, *words):
    """A run with a rank of each kind: report, and what was said."""
    call = ["mpirun"]
    for kind in kinds:
        call += [*([":"] if len(call) > 1 else []), "-n", "1", AKIN, *map(str, words), "--cpu", kind, "--json"]
    done = subprocess.run(call, capture_output=True, timeout=120, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def attribute(path):
    with netCDF4.Dataset(path) as d:
        return d.akin_cpu


def test_the_lowest_is_agreed_on():
    best = akin("neighbors", "rows.npy", "-o", "best.nc", "--json").json["cpu"]
    assert attribute("best.nc") == best
    for kinds in (["auto", "portable"], ["portable", "auto", "auto"], ["auto", "auto", "portable", "auto"]):
        report, said = mixed(kinds, "neighbors", "rows.npy", "-o", "mixed.nc")
        assert report["cpu"] == attribute("mixed.nc") == "portable" and report["kernel"] == "sse2 int16"
        assert best == "portable" or "several kinds of CPU" in said
        assert_same_variables("best.nc", "mixed.nc")
    assert "several kinds" not in akin("neighbors", "rows.npy", "-o", "alike.nc", ranks=2).err


def test_what_is_trained_has_the_bits_of_one_kind():
    akin(*TRAIN, "-o", "one.nc", "--cpu", "portable", ranks=2)
    akin("embed", "catalog.nc", "--model", "one.nc", "-o", "one_embeddings.nc", "--cpu", "portable")
    for kinds in (["auto", "portable"], ["portable", "auto", "auto"]):
        mixed(kinds, *TRAIN, "-o", "mixed.nc")
        assert attribute("mixed.nc") == "portable"
        assert_same_variables("one.nc", "mixed.nc")
        mixed(kinds, "embed", "catalog.nc", "--model", "one.nc", "-o", "mixed_embeddings.nc")
        assert_same_variables("one_embeddings.nc", "mixed_embeddings.nc")


def test_vectors_of_other_kernels_are_named():
    best = akin("neighbors", "rows.npy", "-o", "best.nc", "--json").json["cpu"]
    akin(*TRAIN, "-o", "model.nc")
    akin("embed", "catalog.nc", "--model", "model.nc", "-o", "before.nc", "--cpu", "portable")
    again = akin("embed", "catalog.nc", "--model", "model.nc", "-o", "now.nc", "--previous", "before.nc")
    assert ("kernels for portable" in again.err) == (best != "portable"), again.err
    again = akin("embed", "catalog.nc", "--model", "model.nc", "-o", "now.nc", "--previous", "before.nc", "--cpu", "portable")
    assert "kernels for" not in again.err
    # A table does not depend on them: the previous night's is reused, without a message.
    akin("neighbors", "before.nc", "-o", "table.nc", "-k", 5, "--cpu", "portable")
    later = akin("neighbors", "before.nc", "-o", "next.nc", "-k", 5, "--previous", "table.nc", "--previous-embeddings", "before.nc")
    assert "kernels for" not in later.err
    assert_same_variables("table.nc", "next.nc")


main(globals())
