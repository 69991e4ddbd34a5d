"""Measures `akin neighbors`, in turns with a peer if one is given, and prints tables in Markdown.

usage: AKIN=build/akin python3 tests/bench/bench_neighbors.py WHAT [--peer "python knn_faiss.py"] [--rounds 3]
WHAT   peer CASE...   pairs per second against the peer on one core; a case is N,DIM,K of rows uniform on the sphere, or a .npy
                      file and K: pictures.npy,20
       ablation B...  the same cases for several builds of the program (--cases, separated by blanks)
       growth         time over n; writes a plot (--plot FILE.svg)
       ranks          1 and 2 ranks at --n, waiting time at 4
       rules          --same-category with 100 categories at --n against no rule; and with one category that has half of all items,
                      at 2 ranks (BENCH_EMBEDDINGS=build/tests/bench_embeddings)
       delta          1 % of --n items new, changed or removed, against the full run
       sisap [N...]   the self-join of SISAP's 2026 challenge: k = 15, 1,024 columns, cosine, clustered rows; for each n (100000
                      200000 400000) seconds, memory and the recall of 100 rows, extrapolated to 6.4 million rows on --cores
       memory         n = 1,000,000 on 2 ranks; fails above 1.5 GiB in total
The peer is called with a .npy file, --k and --threads, and prints a JSON line with pairs_per_second and version. Rates are those
of the computation alone, as both report them: medians of the rounds (minimum to maximum). A peer's OpenBLAS may be older than the CPU
and then uses kernels of 2004: "env OPENBLAS_CORETYPE=SkylakeX python knn_faiss.py". peer_duckdb.py is another peer. Not a test: it
takes minutes.
"""

import argparse
import json
import os
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile

import numpy as np

p = argparse.ArgumentParser(usage=__doc__.replace("%", "%%"))
p.add_argument("what")
p.add_argument("cases", nargs="*")
p.add_argument("--peer")
p.add_argument("--rounds", type=int, default=3)
p.add_argument("--n", type=int, default=200000)
p.add_argument("--cases", dest="of", default="50000,32,20")
p.add_argument("--plot")
p.add_argument("--cores", type=int, default=8)
p.add_argument("--cpu", default="auto")
p.add_argument("--before", default="", help="words before each command, such as: chrt -f 10 taskset -c 1")
a = p.parse_args()
AKIN = os.environ.get("AKIN", "build/akin")


def uniform(n, dim, seed=1):
    if not os.path.exists(f"u{n}_{dim}.npy"):
        np.save(f"u{n}_{dim}.npy", np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32))
    return f"u{n}_{dim}.npy"


def run(command):
    """Its JSON line, including CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*shlex.split(a.before), *command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return json.loads(done.stdout.splitlines()[-1]) | {"cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def akin(vectors, k, *words, ranks=0, program=None, out="t.nc"):
    mpi = ["mpirun", "-n", str(ranks)] if ranks else []
    return run([*mpi, program or AKIN, "neighbors", vectors, "-o", out, "-k", str(k), "--cpu", a.cpu, "--json", "--quiet", *words])


def middle(reports, key="pairs_per_second"):
    values = [r[key] for r in reports]
    return statistics.median(values), min(values), max(values)


def billions(reports):
    return "{:.2f}e9 ({:.2f} to {:.2f})".format(*(v / 1e9 for v in middle(reports)))


def case_of(text):
    parts = text.split(",")
    return (HOME(parts[0]), int(parts[1])) if parts[0].endswith(".npy") else (uniform(int(parts[0]), int(parts[1])), int(parts[2]))


def peer():
    print("| vectors | k | akin, pairs/s | peer, pairs/s | ratio | scored a row | pairs passed over |\n|---|---|---|---|---|---|---|")
    for text in a.cases:
        vectors, k = case_of(text)
        mine, theirs = [], []
        for _ in range(a.rounds):
            mine.append(akin(vectors, k))
            theirs.append(run([*shlex.split(a.peer), vectors, "--k", str(k), "--threads", "1"]))
        one = mine[0]
        print(f"| {one['items']} x {one['dim']}{' of ' + os.path.basename(vectors) if text.count(',') == 1 else ''} | {k} "
              f"| {billions(mine)} | {billions(theirs)} | **{middle(mine)[0] / middle(theirs)[0]:.1f}** "
              f"| {one['pairs_scored'] / one['items']:.0f} | {100 * one['pairs_skipped'] / one['pairs']:.0f} % |", flush=True)
    print(f"\nkernel {one['kernel']}, peer {theirs[0].get('peer')} {theirs[0].get('version')}")


def ablation():
    print("| vectors | build | pairs/s | CPU seconds | scored a row | pairs passed over |\n|---|---|---|---|---|---|")
    for text in a.of.split():
        vectors, k = case_of(text)
        reports = {program: [] for program in a.cases}
        for _ in range(a.rounds):
            for program in a.cases:
                reports[program].append(akin(vectors, k, program=HOME(program)))
        for program, r in reports.items():
            print(f"| {text} | {os.path.basename(program)} | {billions(r)} | {min(x['cpu'] for x in r):.2f} "
                  f"| {r[0].get('pairs_scored', 0) / r[0]['items']:.0f} | {100 * r[0].get('pairs_skipped', 0) / r[0]['pairs']:.0f} % |", flush=True)


def growth():
    points = []
    for n in [25000 * 2**i for i in range(6) if 25000 * 2**i <= a.n]:
        r = [akin(uniform(n, 32), 20) for _ in range(a.rounds if n <= 100000 else 1)]
        points.append((n, middle(r, "seconds_compute")[0]))
        print(f"| {n} | {points[-1][1]:.2f} s | {billions(r)} |", flush=True)
    x, y = np.log([q[0] for q in points]), np.log([q[1] for q in points])
    slope, offset = np.polyfit(x, y, 1)
    print(f"\nseconds grow with n to the power of {slope:.2f}")
    if a.plot:
        plot(points, slope, offset, HOME(a.plot))


def plot(points, slope, offset, path):
    """Both axes logarithmic."""
    x0, x1 = np.log(points[0][0]), np.log(points[-1][0])
    y0, y1 = np.log(min(q[1] for q in points)), np.log(max(q[1] for q in points))
    at = lambda n, s: (60 + 420 * (np.log(n) - x0) / (x1 - x0), 260 - 220 * (np.log(s) - y0) / (y1 - y0))
    dots = "".join(f'<circle cx="{at(*q)[0]:.0f}" cy="{at(*q)[1]:.0f}" r="4"/><text x="{at(*q)[0]:.0f}" y="{at(*q)[1] - 10:.0f}" '
                   f'text-anchor="middle">{q[0] // 1000}k: {q[1]:.3g} s</text>' for q in points)
    ends = [at(n, np.exp(offset) * n**slope) for n in (points[0][0], points[-1][0])]
    with open(path, "w") as f:
        f.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="560" height="300" font-family="sans-serif" font-size="12">'
                f'<rect width="560" height="300" fill="white"/><line x1="{ends[0][0]:.0f}" y1="{ends[0][1]:.0f}" x2="{ends[1][0]:.0f}" '
                f'y2="{ends[1][1]:.0f}" stroke="gray"/>{dots}<text x="300" y="290" text-anchor="middle">seconds of compute by number of items, '
                f'd = 32, k = 20, one core: n to the power of {slope:.2f}</text></svg>\n')


def ranks():
    vectors, reports = uniform(a.n, 32), {1: [], 2: []}
    for _ in range(a.rounds):
        for n in reports:
            reports[n].append(akin(vectors, 20, ranks=n))
    four = akin(vectors, 20, ranks=4)
    print("| ranks | pairs/s | seconds | waiting |\n|---|---|---|---|")
    for n, r in (*reports.items(), (4, [four])):
        print(f"| {n} | {billions(r)} | {middle(r, 'seconds_compute')[0]:.2f} | {middle(r, 'seconds_waiting')[0]:.2f} s |")
    print(f"\n1 to 2 ranks: {middle(reports[2])[0] / middle(reports[1])[0]:.2f}")


def rules():
    words = {"no rule": [], "--same-category": ["--same-category"]}
    make = lambda name, *how: subprocess.run([HOME(os.environ.get("BENCH_EMBEDDINGS", "build/tests/bench_embeddings")), name, str(a.n), "32", "100", *how], check=True)
    make("even.nc")
    reports = {name: [] for name in words}
    for _ in range(a.rounds):
        for name, word in words.items():
            reports[name].append(akin("even.nc", 20, *word))
    seconds = {name: middle(r, "seconds_compute")[0] for name, r in reports.items()}
    for name, r in reports.items():
        print(f"{a.n} items in 100 categories, {name}: {seconds[name]:.3f} s, {100 * r[0]['pairs_computed'] / r[0]['pairs']:.1f} % of the pairs")
    print(f"{seconds['no rule'] / seconds['--same-category']:.1f} times less time")
    make("half.nc", "half")
    for ranks in (1, 2):
        r = [akin("half.nc", 20, "--same-category", ranks=ranks) for _ in range(a.rounds)]
        print(f"one category is half of all, {ranks} ranks: {middle(r, 'seconds_compute')[0]:.3f} s, waiting {middle(r, 'seconds_waiting')[0]:.3f} s")


def delta():
    r = np.random.default_rng(5)
    rows, c = r.standard_normal((a.n, 32)).astype(np.float32), a.n // 300
    ids = np.array([f"i{i:09d}" for i in range(a.n)])
    order = r.permutation(a.n)
    save("old", rows, ids)
    rows = rows.copy()
    rows[order[:c]] = r.standard_normal((c, 32))
    keep = np.sort(order[:a.n - c])
    rows, ids = np.concatenate([rows[keep], r.standard_normal((c, 32)).astype(np.float32)]), np.concatenate([ids[keep], [f"i{i:09d}x" for i in range(c)]])
    at = np.argsort(ids)
    save("new", rows[at], ids[at])
    akin("old.npy", 20, "--ids", "old.txt", out="old.nc")
    full, part = [], []
    for _ in range(a.rounds):
        full.append(akin("new.npy", 20, "--ids", "new.txt", out="full.nc"))
        part.append(akin("new.npy", 20, "--ids", "new.txt", "--previous", "old.nc", "--previous-embeddings", "old.npy", "--previous-ids", "old.txt", out="part.nc"))
    seconds = [middle(x, "seconds_compute")[0] for x in (full, part)]
    print(f"full {seconds[0]:.2f} s, 1 % changed {seconds[1]:.2f} s: {seconds[0] / seconds[1]:.1f} times faster; "
          f"whole program {middle(full, 'seconds')[0]:.2f} s and {middle(part, 'seconds')[0]:.2f} s")


def save(name, rows, ids):
    np.save(f"{name}.npy", rows)
    with open(f"{name}.txt", "w") as f:
        f.writelines(f"{i}\n" for i in ids)


def memory():
    r = akin(uniform(1000000, 32), 20, ranks=2)
    print(f"1,000,000 x 32, k = 20, 2 ranks: {r['seconds_compute']:.0f} s, {r['pairs_per_second'] / 1e9:.2f}e9 pairs/s, at most "
          f"{r['peak_memory_bytes'] / 2**20:.0f} MiB a rank, {2 * r['peak_memory_bytes'] / 2**30:.2f} GiB in all")
    if 2 * r["peak_memory_bytes"] >= 1.5 * 2**30:
        sys.exit("that is more than 1.5 GiB")


def clustered(n, dim=1024):
    """n rows around n / 100 centres, in float16; the random part of a row is as long as its centre."""
    r, path = np.random.default_rng(n), f"c{n}_{dim}.npy"
    centres = r.standard_normal((max(n // 100, 1), dim), dtype=np.float32)
    rows = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(n, dim))
    for first in range(0, n, 4096):
        count = min(4096, n - first)
        rows[first:first + count] = centres[r.integers(len(centres), size=count)] + r.standard_normal((count, dim), dtype=np.float32)
    rows.flush()
    return path


def recall_of(path, table, k, trials=100):
    """For some rows, the share of entries whose score is at least the k-th best of all rows, in double precision."""
    import netCDF4
    x = np.load(path, mmap_mode="r")
    asked = np.linspace(0, len(x) - 1, trials).astype(int)
    best, y = np.empty((trials, 0)), np.asarray(x[asked], np.float64)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    for first in range(0, len(x), 8192):
        part = np.asarray(x[first:first + 8192], np.float64)
        scores = y @ (part / np.linalg.norm(part, axis=1, keepdims=True)).T
        mine = (asked >= first) & (asked < first + len(part))
        scores[mine, asked[mine] - first] = -2
        best = -np.sort(-np.concatenate([best, scores], axis=1), axis=1)[:, :k]
    with netCDF4.Dataset(table) as d:
        found = np.asarray(d["score"][:])[asked]
    return float((found >= best[:, -1:] - 1e-6).mean())


def sisap():
    sizes, points = [int(n) for n in a.cases] or [100000, 200000, 400000], []
    print("| rows | seconds | CPU seconds | pairs passed over | memory | recall |\n|---|---|---|---|---|---|")
    for n in sizes:
        vectors = clustered(n)
        r = [akin(vectors, 15) for _ in range(a.rounds)]
        points.append((n, min(x["cpu"] for x in r), r[0]["peak_memory_bytes"]))
        print(f"| {n:,} | {middle(r, 'seconds_compute')[0]:.1f} | {points[-1][1]:.1f} | {100 * r[0]['pairs_skipped'] / r[0]['pairs']:.0f} % | "
              f"{points[-1][2] / 2**30:.2f} GiB | {recall_of(vectors, 't.nc', 15):.4f} |", flush=True)
        os.remove(vectors)
    if len(points) < 2:
        return
    full, logs = 6.4e6, np.log([q[:2] for q in points])
    slope, offset = np.polyfit(logs[:, 0], logs[:, 1], 1)
    hours = np.exp(offset) * full**slope / a.cores / 3600
    at_last_rate = full**2 / points[-1][0]**2 * points[-1][1] / a.cores / 3600
    print(f"\nCPU seconds of the whole program grow with n to the power of {slope:.2f}: 6.4 million rows would take {hours:.1f} h on "
          f"{a.cores} cores as fast as this one, by the last pairs a second {at_last_rate:.1f} h, and "
          f"{points[-1][2] / points[-1][0] * full / 2**30:.0f} GiB in all; kernel {r[0]['kernel']}")


start = os.getcwd()
HOME = lambda path: os.path.join(start, path)
AKIN = HOME(AKIN)
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    {"peer": peer, "ablation": ablation, "growth": growth, "ranks": ranks, "rules": rules, "delta": delta, "sisap": sisap, "memory": memory}[a.what]()
