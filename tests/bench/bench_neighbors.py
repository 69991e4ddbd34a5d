"""Measures `akin neighbors` against a peer on the same file and core, interleaved, and prints medians and their ratio.

usage: AKIN=build/akin python3 tests/bench_neighbors.py --peer "python knn_faiss.py" [--n 50000] [--dim 32] [--k 20] [--rounds 5]
The peer is called with a .npy file, --k and --threads 1, and prints a JSON line with pairs_per_second and version.
Besides the rates, which are by the clock, it tells the seconds of CPU of the whole programs, reading and writing too:
on a busy machine those are the ones to go by. Not a test: it takes minutes. What it gave stands in results/neighbors.md.
"""

import argparse
import json
import os
import resource
import shlex
import statistics
import subprocess
import tempfile

import numpy as np

p = argparse.ArgumentParser()
p.add_argument("--peer")
p.add_argument("--n", type=int, default=50000)
p.add_argument("--dim", type=int, default=32)
p.add_argument("--k", type=int, default=20)
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--vectors", help="a .npy file instead of rows uniform on the sphere")
a = p.parse_args()


def run(command):
    """Its JSON line and its seconds of CPU."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return json.loads(done.stdout.splitlines()[-1]), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


with tempfile.TemporaryDirectory() as folder:
    path = a.vectors or os.path.join(folder, "x.npy")
    if not a.vectors:
        np.save(path, np.random.default_rng(1).standard_normal((a.n, a.dim)).astype(np.float32))
    commands = {"akin": [os.environ["AKIN"], "neighbors", path, "-o", os.path.join(folder, "t.nc"), "-k", str(a.k), "--json", "--quiet"]}
    if a.peer:
        commands["peer"] = [*shlex.split(a.peer), path, "--k", str(a.k), "--threads", "1"]
    rates, cpu, said = {name: [] for name in commands}, {name: [] for name in commands}, {}
    for _ in range(a.rounds):
        for name, command in commands.items():
            said[name], seconds = run(command)
            rates[name].append(said[name]["pairs_per_second"])
            cpu[name].append(seconds)
    report = {"items": said["akin"]["items"], "dim": said["akin"]["dim"], "k": a.k, "rounds": a.rounds}
    for name in commands:
        report |= {name: statistics.median(rates[name]), f"{name}_least": min(rates[name]), f"{name}_most": max(rates[name]),
                   f"{name}_cpu_seconds": statistics.median(cpu[name])}
    if a.peer:
        report |= {"ratio": report["akin"] / report["peer"], "peer_version": said["peer"].get("version")}
    print(json.dumps(report))
