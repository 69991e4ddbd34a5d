"""The memory of training, per rank: the largest resident set while `akin train` takes steps on a large catalogue.

usage: AKIN_BUILD=build python3 tests/bench/bench_training_memory.py [--items 2000000] [--ranks 2] [--steps 200] [--folder .]
Writes the catalogue first (3 kB per item) and removes it at the end. Prints one JSON object: MiB of each rank, the rate, and the
seconds that steps waited for pictures and for checkpoints, one of which is written every second. Not a test.
"""

import argparse
import json
import os
import subprocess
import sys

RANK = """import os, resource, subprocess, sys
done = subprocess.run(sys.argv[2:])
with open(f"{sys.argv[1]}.{os.environ.get('OMPI_COMM_WORLD_RANK', '0')}", "w") as f:
    f.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024))
sys.exit(done.returncode)"""

p = argparse.ArgumentParser()
p.add_argument("--items", type=int, default=2000000)
p.add_argument("--ranks", type=int, default=2)
p.add_argument("--steps", type=int, default=200)
p.add_argument("--folder", default=".")
a = p.parse_args()
build = os.environ.get("AKIN_BUILD", "build")
catalog, model = os.path.join(a.folder, "large-catalog.nc"), os.path.join(a.folder, "large-model.nc")
try:
    subprocess.run([f"{build}/tests/bench_catalog", str(a.items), catalog], check=True)
    size = os.path.getsize(catalog)
    done = subprocess.run(["mpirun", "-n", str(a.ranks), sys.executable, "-c", RANK, model + ".rss", f"{build}/akin", "train", catalog,
                           "-o", model, "--steps", str(a.steps), "--holdout", "0.0005", "--checkpoint-every", "1", "--json", "--quiet"],
                          check=True, stdout=subprocess.PIPE, text=True)
    report = json.loads(done.stdout)
    resident = []
    for rank in range(a.ranks):
        with open(f"{model}.rss.{rank}") as f:
            resident.append(round(float(f.read()), 1))
    print(json.dumps(dict(items=a.items, catalog_mib=round(size / 2**20), ranks=a.ranks, steps=report["steps"], resident_mib=resident,
                          **{key: report[key] for key in ("images_per_second", "seconds", "seconds_waiting", "seconds_reading", "seconds_saving")})))
finally:
    for name in [catalog, model, *(f"{model}.rss.{rank}" for rank in range(a.ranks))]:
        if os.path.exists(name):
            os.unlink(name)
