"""Adding new items between nights: seconds and CPU seconds of `akin add` with a few new items and a large catalogue, in total and by
stage; and whether the next full night makes a bit-identical table.

    AKIN=build/akin python3 tests/bench/bench_add.py FOLDER [ITEMS [NEW [ROUNDS]]]     (200000 10 5)

FOLDER gets the pictures (ITEMS of 32 x 32 in one tar, drawn once; decoding time is not of interest), the first night and all results.
Each round adds the new items to the files of that night, once with 2 ranks and once in one process on one core. BEFORE="chrt -f 10" is
put in front of the command, for machines that others use. TO is a target other than a file, such as redis://...; it is reset to the
night's table before each round."""

import csv
import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
import zlib

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
os.environ["AKIN"] = os.path.abspath(os.environ["AKIN"])
from support import assert_same_variables, command  # noqa: E402

ITEMS, NEW, ROUNDS = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((2, 200000), (3, 10), (4, 5)))
BEFORE = os.environ.get("BEFORE", "").split()
CATEGORIES = 100
JOB = """[job]
name = add
output = {output}
[ingest]
source = {source}
[train]
features = pixels-pca
dim = 128
[neighbors]
k = 20
[publish]
to = {to}
"""
STAGES = ["ingest", "embed", "neighbors", "publish"]


def chunk(kind, data):
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def picture(dice):
    """64 squares of random colours, as a PNG: all pixels count, so that 128 components mean something."""
    rows = dice.integers(0, 256, (8, 8, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    header = (32).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def pack(name, count, first):
    """A tar of pictures in folders, whose names are the categories."""
    dice = np.random.default_rng(first)
    with tarfile.open(name, "w") as tar:
        for i in range(first, first + count):
            data = picture(dice)
            info = tarfile.TarInfo(f"c{i % CATEGORIES:02d}/i{i:07d}.png")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def unpack(name):
    """The same items as a CSV file, for `add`: ids and categories as in the tar."""
    with tarfile.open(name) as tar, open("new.csv", "w", newline="") as f:
        rows = csv.writer(f)
        rows.writerow(["id", "path", "category"])
        for member in tar:
            os.makedirs(os.path.dirname(f"new/{member.name}"), exist_ok=True)
            with open(f"new/{member.name}", "wb") as out:
                out.write(tar.extractfile(member).read())
            rows.writerow([member.name, f"new/{member.name}", member.name.split("/")[0]])


def job(output, source):
    to = os.environ.get("TO", f"file:{output}.jsonl")
    with open(f"{output}.ini", "w") as f:
        f.write(JOB.format(output=output, source=source, to=to))
    return f"{output}.ini"


def measure(ranks, *words):
    pinned = [] if ranks else ["taskset", "-c", "1"]
    words = [*BEFORE, *pinned, *command([*words, "--json", "--quiet"], ranks)]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, check=True)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, json.loads(done.stdout)["stages"]


def put_back():
    """Restores the files of the night, and what it published."""
    shutil.rmtree("live", ignore_errors=True)
    shutil.copytree("night", "live", copy_function=os.link)
    if "TO" not in os.environ:
        shutil.copyfile("night.jsonl", "live.jsonl")
    else:
        measure(2, "publish", "night/table.nc", "--to", os.environ["TO"])


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    os.chdir(sys.argv[1])
    if not os.path.exists("all.tar"):
        pack("old.tar", ITEMS, 0)
        os.rename("old.tar", "all.tar")
    pack("new.tar", NEW, ITEMS)
    unpack("new.tar")
    if not os.path.exists("night/table.nc"):
        measure(2, "run", job("night", "all.tar"))
    live = job("live", "all.tar")
    for ranks in (2, 0):
        walls, cpus = [], []
        for _ in range(ROUNDS):
            put_back()
            wall, cpu, stages = measure(ranks, "add", live, "new.csv")
            walls.append(wall)
            cpus.append(cpu)
            by_stage = ", ".join(f"{stage} {stages[stage]['seconds']:.2f}" for stage in STAGES)
            print(f"{ranks or 1} rank(s): {wall:.2f} s, {cpu:.2f} CPU s; {by_stage}; load {os.getloadavg()[0]:.0f}", flush=True)
        print(f"{ranks or 1} rank(s), {NEW} into {ITEMS}: median {statistics.median(walls):.2f} s (least {min(walls):.2f}), "
              f"{statistics.median(cpus):.2f} CPU s", flush=True)
    os.makedirs("full", exist_ok=True)
    if not os.path.exists("full/model.nc"):
        os.link("night/model.nc", "full/model.nc")
    measure(2, "run", job("full", "all.tar new.tar"))
    for name in ("embeddings", "table"):
        assert_same_variables(f"live/{name}.nc", f"full/{name}.nc")
    print("a full night with all rows: the same embeddings and the same table, to the bit")


main()
