"""Tables of one job are made in one pass over the pairs: with random rules, k, boosts, blocks and pins each is, to the bit, what a
command for it alone makes, at 1 to 3 ranks and from night to night; a pass that is interrupted or killed resumes at any rank count."""

import csv
import os
import subprocess
import time

import numpy as np
from support import akin, assert_same_variables, command, draw, fresh, kill_ranks, main

os.chdir(fresh("sweep"))
KINDS = {"price": "number", "popularity": "number", "brand": "label", "gender": "label", "season": "labels"}
R = np.random.default_rng(11)
draw("p.png", 1)


def draw_catalogue(n, dim, changed=()):
    """Changed rows get other vectors and prices."""
    r = np.random.default_rng(n + dim)
    rows = (r.standard_normal((20, dim))[r.integers(20, size=n)] + 0.5 * r.standard_normal((n, dim))).astype(np.float32)
    items = [{"id": f"i{i:05d}", "path": "p.png", "category": str(r.choice(["hats", "shoes", "bags", ""])), "group": f"g{r.integers(n // 3)}",
              "available": str(int(r.random() < 0.8)), "price": f"{np.exp(r.normal(3, 0.7)):.2f}" if r.random() < 0.9 else "",
              "popularity": f"{r.random():.3f}", "brand": f"b{r.integers(6)}", "gender": str(r.choice(["w", "m", "u", ""])),
              "season": "|".join(sorted(r.choice(["summer", "winter", "spring"], r.integers(1, 3), replace=False)))} for i in range(n)]
    for i in changed:
        rows[i], items[i]["price"] = R.standard_normal(dim), f"{5 + R.integers(40)}"
    keep = [i for i in range(n) if i % 97 != 5 or not len(changed)]
    with open("c.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, items[0])
        writer.writeheader()
        writer.writerows(items[i] for i in keep)
    np.save("v.npy", rows[keep])
    with open("v.txt", "w") as f:
        f.writelines(f"{items[i]['id']}\n" for i in keep)
    pairs = {(str(R.choice(keep)), str(R.choice(keep))) for _ in range(200)}
    for name in ("blocks.csv", "pins.csv"):
        if not os.path.exists(name):
            with open(name, "w") as f:
                f.writelines(["id,neighbor\n", *(f"i{int(a):05d},i{int(b):05d}\n" for a, b in sorted(pairs))])


OPTIONS = [["same-category = yes"], ["exclude-same-group = yes"], ["only-available = yes"], ["min-score = 0.1"], ["same = gender"],
           ["same = season"], ["different = brand"], ["within = price=0.7..1.3x"], ["within = price=-10..5"], ["only = gender=w"],
           ["not = brand=b2"], ["at-most = brand=2"], ["boost = popularity=0.2"], ["blocks = blocks.csv"], ["pins = pins.csv"],
           ["at-most = season=3"], ["damp-hubs = yes"], ["boost = popularity=-0.1 price=0.05"], ["diversity = 0.7"]]
NOT_TOGETHER = [("diversity", "boost"), ("diversity", "damp-hubs")]


def draw_table():
    chosen = [OPTIONS[i][0] for i in R.choice(len(OPTIONS), R.integers(0, 4), replace=False)]
    keys = [line.split(" = ")[0] for line in chosen]
    if len(set(keys)) < len(keys) or any(a in keys and b in keys for a, b in NOT_TOGETHER):
        return draw_table()
    return [f"k = {R.choice([1, 3, 7, 12])}", *chosen]


def write_job(tables, more=()):
    with open("job.ini", "w") as f:
        f.write("[job]\nname = job\n[ingest]\nsource = c.csv\nattributes = " + " ".join(f"{a}:{k}" for a, k in KINDS.items()) +
                "\n[embed]\nfrom = v.npy\nids = v.txt\n")
        for i, lines in enumerate(tables):
            f.write("".join(f"{line}\n" for line in ["[neighbors]" if i == 0 else f"[table t{i}]", *lines, *more]))


def alone(lines, output):
    words = []
    for line in lines:
        key, value = line.split(" = ")
        words += [f"--{key}"] if value == "yes" else [f"--{key}", value]
    akin("neighbors", "results/job/embeddings.nc", "-o", output, *words)


def run(ranks):
    return akin("run", "job.ini", "--json", ranks=ranks).json["stages"]


def check(tables):
    for i, lines in enumerate(tables):
        alone(lines, "alone.nc")
        assert_same_variables("alone.nc", f"results/job/table{f'-t{i}' if i else ''}.nc")


def forget():
    for name in os.listdir("results/job") if os.path.isdir("results/job") else []:
        if name.startswith("table"):
            os.remove(f"results/job/{name}")


def test_random_tables_are_those_of_runs_of_their_own():
    draw_catalogue(700, 16)
    for turn in range(3):
        tables = [draw_table() for _ in range(R.integers(2, 6))]
        write_job(tables)
        forget()
        stages = run(1 + turn % 3)
        assert stages["neighbors"]["tables_in_pass"] == len(tables), stages["neighbors"]
        check(tables)


def test_from_night_to_night():
    for turn in (0, 2):
        draw_catalogue(600, 12)
        tables = [["k = 5"], ["k = 7", "within = price=0.7..1.3x"], draw_table(), draw_table()]
        write_job(tables)
        forget()
        run(2)
        draw_catalogue(600, 12, changed=R.choice(600, 8, replace=False))
        write_job(tables + [["k = 2", "same = gender"]])  # the new one has no night before
        stages = run(1 + turn)
        assert stages["neighbors"]["kept"] > 400 and stages["tables"]["t1"]["kept"] > 400, stages
        check(tables + [["k = 2", "same = gender"]])


def wait_for_checkpoint(process, before):
    deadline = time.monotonic() + 100
    while process.poll() is None and time.monotonic() < deadline:
        if os.path.exists(CHECKPOINT) and os.stat(CHECKPOINT).st_mtime_ns != before:
            return
        time.sleep(0.002)


CHECKPOINT = "results/job/table.nc.checkpoint"


def test_a_pass_that_is_interrupted_goes_on():
    draw_catalogue(20000, 256)
    tables = [["k = 9"], ["k = 4", "at-most = brand=2"], ["k = 5", "same = gender", "boost = popularity=0.2"]]
    write_job(tables)
    akin("run", "job.ini", "--until", "embed")
    write_job(tables, ["checkpoint-every = 0"])
    interrupted, said = 0, ""
    for ranks, kill in ((1, False), (1, True), (2, False), (3, True), (2, False)):
        before = os.stat(CHECKPOINT).st_mtime_ns if os.path.exists(CHECKPOINT) else None
        process = subprocess.Popen(command(["run", "job.ini", "--json"], ranks), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for_checkpoint(process, before)
        if kill:
            kill_ranks(process)
        else:
            process.send_signal(10)
        out, err = process.communicate(timeout=120)
        said += err
        if process.returncode == 0:
            break
        assert kill or process.returncode == 75, (process.returncode, err)
        interrupted += 1
    said += akin("run", "job.ini").err
    assert interrupted > 0 and "resuming from" in said, said
    assert not os.path.exists(CHECKPOINT)
    check(tables)


main(globals())
