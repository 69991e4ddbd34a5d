"""What the Python tests share: running akin at some number of ranks, drawing a small catalogue, comparing files."""

import csv
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import netCDF4
from PIL import Image, ImageDraw

AKIN = os.environ["AKIN"]
INJECTED = os.environ.get("AKIN_INJECTED", "")  # the same with faults on purpose, which injected.c lists
IDLE = ["-x", "LD_PRELOAD=" + os.environ["AKIN_IDLE"]] if "AKIN_IDLE" in os.environ else []  # idle.c
FULL = os.environ.get("AKIN_FULL") == "1"  # the whole of a campaign; its short form, in CI, is another part of it from day to day
SEED = int(os.environ.get("AKIN_SEED") or time.strftime("%j"))
SOURCE = os.environ.get("AKIN_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def program_for(env):
    """What listens to the faults that the environment names, if it names any."""
    return INJECTED if any(name in (env or {}) for name in ("AKIN_MEM_FAIL_AT", "AKIN_READ_FAIL_AT", "AKIN_STALL")) else AKIN


def command(words, ranks=1, env=None):
    """The words of a call; ranks = 0 is without mpirun; env: of the call, for the faults in it."""
    return (["mpirun", *IDLE, "-n", str(ranks)] if ranks else []) + [program_for(env), *map(str, words)]


# After a failure mpirun sleeps for a second before SIGTERM to the other ranks, and for one more before SIGKILL. Where all of them refuse
# a call there is nothing to wait for.
AT_ONCE = {"OMPI_MCA_odls_base_sigkill_timeout": "0", "PRTE_MCA_odls_base_sigkill_timeout": "0"}


def akin(*words, ranks=0, expect=0, timeout=120, env=None):
    """Runs akin; fails unless its exit code is `expect` (None = any). Has .out, .err, .code, .json (if it printed one line of it)."""
    refused = expect not in (0, None) and program_for(env) == AKIN
    done = subprocess.run(command(words, ranks, env), capture_output=True, timeout=timeout, env={**os.environ, **(AT_ONCE if refused else {}), **(env or {})})
    done.out, done.err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    done.code, done.json = done.returncode, None
    if "--json" in words:
        lines = done.out.splitlines()
        assert len(lines) == 1, f"--json: {len(lines)} lines on stdout: {done.out[:500]!r}\n{done.err[-2000:]}"
        done.json = json.loads(lines[0])
    if expect is not None and done.code != expect:
        raise AssertionError(f"{' '.join(map(str, words))} at {ranks} ranks: exit {done.code}, expected {expect}\n"
                             f"stdout: {done.out[-2000:]}\nstderr: {done.err[-3000:]}")
    return done


def children(pid):
    """The process numbers of what a process has started: of mpirun, its ranks."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(word) for word in f.read().split()]
    except FileNotFoundError:
        return []


def kill_ranks(process):
    """kill -9 of every rank below mpirun, or of a call without it. Of mpirun alone its ranks would go on, and may even end well."""
    for pid in children(process.pid) or [process.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # has ended meanwhile


def fresh(name):
    """An empty folder of this name in the current one; its absolute path."""
    path = os.path.abspath(name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def draw(path, seed, size=40):
    """A picture with shape and colours of its own."""
    r = random.Random(seed)
    colour = lambda: tuple(r.randrange(256) for _ in range(3))
    picture = Image.new("RGB", (size, size), colour())
    pen = ImageDraw.Draw(picture)
    for _ in range(3):
        a, b = sorted(r.sample(range(size), 2)), sorted(r.sample(range(size), 2))
        shape = r.choice([pen.rectangle, pen.ellipse])
        shape([a[0], b[0], a[1], b[1]], fill=colour())
    picture.save(path)


def draw_catalogue(folder, n, categories=("hats", "shoes", "bags")):
    """n pictures and catalog.csv in the folder; the path of the CSV."""
    os.makedirs(folder, exist_ok=True)
    table = os.path.join(folder, "catalog.csv")
    with open(table, "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(["id", "path", "category", "group", "available"])
        for i in range(n):
            draw(os.path.join(folder, f"p{i}.png"), i)
            w.writerow([f"item-{i:04d}", f"p{i}.png", categories[i % len(categories)], f"g{i // 2}" if i % 4 < 2 else "",
                        "no" if i % 7 == 6 else "yes"])
    return table


def variables(path):
    """{name: (type, dimensions, bytes)} of a NetCDF file, and its dimensions under ""."""
    with netCDF4.Dataset(path) as d:
        d.set_auto_maskandscale(False)
        d.set_auto_chartostring(False)
        found = {name: (str(v.dtype), v.dimensions, v[...].tobytes()) for name, v in d.variables.items()}
        found[""] = {name: len(v) for name, v in d.dimensions.items()}
    return found


def contents(folder):
    """{path below: digest} of every file."""
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = hashlib.sha256(f.read()).hexdigest()
    return found


def assert_same_variables(a, b):
    """Dimensions and variables equal to the bit."""
    x, y = variables(a), variables(b)
    assert x.keys() == y.keys(), f"{a} and {b}: variables {sorted(x)} and {sorted(y)}"
    for name in x:
        assert x[name] == y[name], f"{a} and {b} differ in {name or 'dimensions'}"


def main(namespace):
    """Runs every function test_* of the module, in the order written."""
    for name, function in list(namespace.items()):
        if name.startswith("test_") and callable(function):
            print("--", name, flush=True)
            begin = time.monotonic()
            function()
            print(f"   {time.monotonic() - begin:.1f} s", flush=True)
    sys.stdout.flush()
