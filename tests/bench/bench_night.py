"""A full night against one in which 1 % of the pictures changed, both by `akin run` with nights: seconds and CPU seconds, in total and
by stage; and whether the second night's table is bit-identical to that of a job from scratch with the same model.

    AKIN=build/akin python3 tests/bench/bench_night.py FOLDER [ITEMS [RANKS [SIZE]]]     (20000 2 160)

FOLDER gets the pictures (drawn once, JPEG of SIZE x SIZE) and all results. With SIZE of 400 or more they resemble the photographs of a
shop: an object with colours and grain on white. Figures of the full night are given with and without fitting its model, which the
second night does not do (retrain = never). CPU seconds are meaningful even on a machine that others use."""

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time

import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
os.environ["AKIN"] = os.path.abspath(os.environ["AKIN"])
from support import assert_same_variables, command  # noqa: E402

ITEMS, RANKS, SIZE = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((2, 20000), (3, 2), (4, 160)))
GRAIN = np.random.default_rng(0).normal(0, 9, (SIZE + 64, SIZE + 64, 1)).astype(np.float32)
JOB = """[job]
name = night
output = {output}
{keep}
[ingest]
source = pictures
[neighbors]
k = 20
[evaluate]
label = category
[publish]
to = file:{output}.jsonl
"""
STAGES = ["ingest", "train", "embed", "neighbors", "evaluate", "publish"]


def draw_product(path, seed):
    dice = np.random.default_rng(seed)
    colours = Image.fromarray(dice.integers(0, 256, (4, 4, 3), np.uint8)).resize((SIZE, SIZE), Image.BICUBIC)
    x, y = dice.integers(0, 64, 2)
    body = np.clip(np.asarray(colours, np.float32) * .7 + GRAIN[x:x + SIZE, y:y + SIZE], 0, 255).astype(np.uint8)
    mask = Image.new("L", (200, 200))
    pen = ImageDraw.Draw(mask)
    for _ in range(3):
        a, b = dice.integers(20, 100, 2), dice.integers(100, 180, 2)
        (pen.ellipse if dice.random() < .5 else pen.rectangle)([int(a[0]), int(a[1]), int(b[0]), int(b[1])], fill=255)
    picture = Image.new("RGB", (SIZE, SIZE), (255, 255, 255))
    picture.paste(Image.fromarray(body), (0, 0), mask.resize((SIZE, SIZE), Image.BILINEAR))
    picture.save(path, quality=85)


def draw(path, seed):
    if SIZE >= 400:
        return draw_product(path, seed)
    dice = np.random.default_rng(seed)
    small = dice.integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(small).resize((SIZE, SIZE), Image.BICUBIC).save(path, quality=85)


def draw_all():
    for i in range(ITEMS):
        folder = f"pictures/c{i % 20:02d}"
        os.makedirs(folder, exist_ok=True)
        path = f"{folder}/{i:06d}.jpg"
        if not os.path.exists(path):
            draw(path, i)


def run(job, *words):
    """Seconds, CPU seconds, and the report of each stage."""
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command(["run", job, "--quiet", "--json", *words], RANKS), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - begin, cpu, json.loads(done.stdout.splitlines()[-1])["stages"]


def tell(name, measured):
    seconds, cpu, stages = measured
    print(f"{name}: {seconds:.1f} s, {cpu:.1f} CPU s; " + ", ".join(f"{s} {stages[s]['seconds']:.2f} s" for s in STAGES if not stages[s].get("skipped")), flush=True)


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    os.chdir(sys.argv[1])
    draw_all()
    for name in ("nights", "whole"):
        shutil.rmtree(name, ignore_errors=True)
        with open(f"{name}.ini", "w") as f:
            f.write(JOB.format(output=name, keep="keep = 3" if name == "nights" else ""))
    first = run("nights.ini", "--night", "2026-01-01")
    tell("a full night", first)
    tell("nothing changed", run("nights.ini", "--night", "2026-01-02"))
    for i in random.Random(int(time.time())).sample(range(ITEMS), ITEMS // 100):
        draw(f"pictures/c{i % 20:02d}/{i:06d}.jpg", random.randrange(1 << 40))
    second = run("nights.ini", "--night", "2026-01-03")
    tell("1 % changed", second)
    os.makedirs("whole")
    shutil.copy("nights/2026-01-03/model.nc", "whole/model.nc")
    fresh = run("whole.ini")
    tell("the same night from nothing, with the model that is there", fresh)
    for file in ("catalog.nc", "embeddings.nc", "table.nc"):
        assert_same_variables(f"nights/latest/{file}", f"whole/{file}")
    print(f"1 % changed takes {second[1] / first[1]:.1%} of a full night with the fit of the model, {second[1] / fresh[1]:.1%} of one without, by CPU seconds "
          f"({second[0] / first[0]:.1%} and {second[0] / fresh[0]:.1%} by the clock); the table is the same to the bit")


if __name__ == "__main__":
    main()
