"""neighbors of long rows whose dimensions are of unequal size, which are compared by the larger ones first: equal to brute force in
float64 with and without rules, and the same table at 1 to 4 ranks, at every level of the CPU, and with other tables in the pass."""

import csv
import os

import netCDF4
import numpy as np
from support import akin, assert_same_variables, draw, fresh, main

os.chdir(fresh("long_rows"))
N, DIM, K = 8300, 272, 12
BOUND = 1.01 * DIM * 2.0**-24  # of a float32 dot product, as dot.h documents it
LEVELS = ("portable", "avx2", "avx512", "vnni", "amx")


def draw_rows():
    """Clusters about a common mean; few dimensions hold most of a row, some rows are the same, and of some only small ones are left."""
    r = np.random.default_rng(21)
    size = (1 / (1 + np.arange(DIM) / 12))[r.permutation(DIM)]
    x = (r.standard_normal((N, DIM)) + 0.8 * r.standard_normal((40, DIM))[r.integers(0, 40, N)] + 0.5) * size
    x[r.integers(0, N, 60)] = x[17]
    x[r.integers(0, N, 60)] *= size < np.median(size)
    return x.astype(np.float16)


def write_catalogue(rows):
    r = np.random.default_rng(22)
    draw("p.png", 1)
    np.save("rows.npy", rows)
    with open("catalog.csv", "w", newline="") as f, open("ids.txt", "w") as ids:
        writer = csv.writer(f)
        writer.writerow(["id", "path", "category", "group", "available"])
        for i in range(N):
            writer.writerow([f"i{i:05d}", "p.png", f"c{r.integers(0, 3)}", f"g{r.integers(0, 1500)}", int(r.random() < 0.8)])
            ids.write(f"i{i:05d}\n")
    akin("ingest", "catalog.csv", "-o", "catalog.nc", "--rejects", "rejects.csv")
    akin("embed", "catalog.nc", "--from", "rows.npy", "--ids", "ids.txt", "-o", "rows.nc")


def read(path):
    with netCDF4.Dataset(path) as d:
        d.set_auto_mask(False)
        return {name: d[name][...] for name in ("neighbor", "score", "count", "category", "group", "available")}


def assert_exact(table, unit, allowed, least):
    """Every list is as good as that of float64, and the same where scores differ by more than the bound."""
    clear_entries = 0
    for i in range(0, N, 3):  # of three rows one: all of them meet its candidates
        score = unit @ unit[i]
        candidates = np.flatnonzero(allowed(i) & (np.arange(N) != i) & (score >= least - BOUND))
        best = candidates[np.argsort(-score[candidates], kind="stable")][:K + 1]
        count, mine = table["count"][i], table["neighbor"][i][:table["count"][i]]
        assert min(K, (score[candidates] >= least + BOUND).sum()) <= count <= min(K, len(candidates)), i
        assert np.isin(mine, candidates).all() and len(set(mine)) == count, i
        assert np.abs(score[mine] - table["score"][i][:count]).max(initial=0) <= BOUND + 2.0**-23, i
        assert np.abs(score[mine] - score[best[:count]]).max(initial=0) <= 2 * BOUND, f"row {i}: an entry is not the best that is left"
        clear_entries += (mine == best[:count]).sum()
    assert clear_entries > 0.9 * table["count"][::3].sum() > 0


def check(words, allowed, least=-1.0, more_ranks=(3,)):
    one = akin("neighbors", "rows.nc", "-k", K, "-o", "one.nc", "--json", *words).json
    table = read("one.nc")
    assert one["kernel"].startswith("amx") or 0 < one["leading_dimensions"] < DIM, one
    assert_exact(table, unit, lambda i: allowed(table, i), least)
    for ranks in more_ranks:
        akin("neighbors", "rows.nc", "-k", K, "-o", "some.nc", *words, ranks=ranks)
        assert_same_variables("one.nc", "some.nc")
    return one


def test_all_items():
    one = check([], lambda t, i: np.ones(N, bool), more_ranks=(2, 3, 4))
    assert one["lists_mended"] > 0, one


def test_rules():
    check(["--same-category", "--exclude-same-group", "--only-available"],
          lambda t, i: (t["category"] == t["category"][i]) & (t["group"] != t["group"][i]) & (t["available"] == 1))
    check(["--min-score", "0.6", "--only-available"], lambda t, i: t["available"] == 1, 0.6)


def test_levels():
    akin("neighbors", "rows.npy", "-k", K, "-o", "auto.nc")
    for level in LEVELS:
        call = akin("neighbors", "rows.npy", "-k", K, "-o", f"{level}.nc", "--cpu", level, expect=None)
        assert call.code in (0, 2), call.err  # 2: this CPU has not got it
        if call.code == 0:
            assert_same_variables("auto.nc", f"{level}.nc")


def test_tables_of_one_pass():
    with open("job.ini", "w") as f:
        f.write("[job]\nname = job\n[ingest]\nsource = catalog.csv\n[embed]\nfrom = rows.npy\nids = ids.txt\n"
                f"[table all]\nk = {K}\n[table category]\nk = {K}\nsame-category = yes\n[table high]\nk = 5\nmin-score = 0.7\n")
    akin("run", "job.ini", ranks=2)
    for name, words in {"all": ["-k", K], "category": ["-k", K, "--same-category"], "high": ["-k", "5", "--min-score", "0.7"]}.items():
        akin("neighbors", "rows.nc", "-o", "alone.nc", *words)
        assert_same_variables("alone.nc", f"results/job/table-{name}.nc")


rows = draw_rows()
unit = rows.astype(np.float32).astype(np.float64)
unit /= np.linalg.norm(unit, axis=1, keepdims=True)
write_catalogue(rows)
main(globals())
