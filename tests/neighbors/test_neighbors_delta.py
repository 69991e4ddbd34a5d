"""neighbors --previous: whatever changed since last night, the table equals the full recompute to the bit, at any rank count
and with or without the spare lists, and little is computed; mismatched files are refused."""

import csv
import json
import os
import shutil

import numpy as np
from support import akin, assert_same_variables, draw_catalogue, fresh, main

os.chdir(fresh("neighbors_delta"))
WAYS = [(1, True), (2, True), (3, False)]  # ranks, with the spare lists


def save(name, rows, ids):
    np.save(f"{name}.npy", rows.astype(np.float32))
    with open(f"{name}.txt", "w") as f:
        f.writelines(f"{i}\n" for i in ids)


def neighbors(name, *words, out=None, **more):
    return akin("neighbors", f"{name}.npy", "--ids", f"{name}.txt", "-o", f"{out or name}.nc", "--json", *words, **more).json


def since(before):
    return ["--previous", f"{before}.nc", "--previous-embeddings", f"{before}.npy", "--previous-ids", f"{before}.txt"]


def next_night(rows, ids, seed, new, changed, gone):
    """Some rows go, some change, some come, anywhere among the others."""
    r = np.random.default_rng(seed)
    order = r.permutation(len(rows))
    rows = rows.copy()
    rows[order[gone:gone + changed]] = r.standard_normal((changed, rows.shape[1]))
    keep = np.sort(order[gone:]) if gone else np.arange(len(rows))
    fresh_ids = [f"{ids[i]}x{seed}" for i in r.choice(len(ids), new, replace=False)]
    rows = np.concatenate([rows[keep], r.standard_normal((new, rows.shape[1]))])
    ids = np.array([ids[i] for i in keep] + fresh_ids)
    order = np.argsort(ids)
    return rows[order], ids[order]


def check(before, name, *words):
    full = neighbors(name, *words)
    for ranks, spare in WAYS:
        if not spare:
            os.rename(f"{before}.nc.spare", "hidden.spare")
        report = neighbors(name, *words, *since(before), out="delta", ranks=ranks)
        if not spare:
            os.rename("hidden.spare", f"{before}.nc.spare")
        assert_same_variables(f"{name}.nc", "delta.nc")
    return full, report


def test_nights_of_all_kinds():
    r = np.random.default_rng(1)
    for kind, (new, changed, gone) in enumerate([(10, 10, 10), (0, 0, 0), (40, 0, 0), (0, 0, 60), (0, 25, 0), (300, 300, 300)]):
        rows, ids = r.standard_normal((1500, 16)), np.array([f"i{i:05d}" for i in range(1500)])
        if kind % 2:
            rows[100:160] = rows[7]  # ties and equals
        rows[3] = 0  # unusable, and stays so
        save("a", rows, ids)
        neighbors("a", "-k", "8")
        rows, ids = next_night(rows, ids, kind, new, changed, gone)
        save("b", rows, ids)
        check("a", "b", *[["-k", "8"], ["-k", "5"], ["-k", "8", "--spare", "0"]][kind % 3])  # 5: the head of a longer list


def test_little_is_computed():
    rows, ids = np.random.default_rng(2).standard_normal((6000, 24)), np.array([f"i{i:05d}" for i in range(6000)])
    save("a", rows, ids)
    neighbors("a")
    rows, ids = next_night(rows, ids, 5, 20, 20, 20)
    save("b", rows, ids)
    full = neighbors("b")
    delta = neighbors("b", *since("a"), out="delta")
    assert full["kept"] == 0 and delta["kept"] == 5960
    assert delta["pairs_computed"] < full["pairs_computed"] / 15
    assert delta["pairs_computed"] + delta["pairs_skipped"] == delta["pairs"]


def test_night_after_night():
    """What the lists have to spare dwindles and comes back; the table is always the full one."""
    rows, ids = np.random.default_rng(3).standard_normal((1200, 12)), np.array([f"i{i:05d}" for i in range(1200)])
    save("n0", rows, ids)
    neighbors("n0", "-k", "6", "--spare", "2")
    for night in range(1, 5):
        rows, ids = next_night(rows, ids, night, 30, 30, 30)
        save(f"n{night}", rows, ids)
        neighbors(f"n{night}", "-k", "6", out="full")
        neighbors(f"n{night}", "-k", "6", "--spare", "2", *since(f"n{night - 1}"), ranks=1 + night % 3)
        assert_same_variables("full.nc", f"n{night}.nc")


def test_rules():
    """Labels count where a rule asks for them: a changed category or availability makes a new item."""
    pictures = draw_catalogue("pictures", 90)
    with open(pictures, newline="") as f:
        rows = list(csv.DictReader(f))
    columns = ["id", "path", "category", "group", "available"]
    rows = [{"group": f"g{i % 30}" if i % 3 else "", "available": str(int(i % 5 > 0)), **row} for i, row in enumerate(rows)]

    def embed(name, rows):
        with open("pictures/now.csv", "w", newline="") as f:
            writer = csv.DictWriter(f, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        akin("ingest", "pictures/now.csv", "-o", "catalog.nc")
        if not os.path.exists("model.nc"):
            akin("train", "catalog.nc", "-o", "model.nc", "--epochs", "1", "--batch", "16", "--features", "autoencoder")
        akin("embed", "catalog.nc", "--model", "model.nc", "-o", f"{name}.nc")

    embed("before", rows)
    rows = rows[4:]
    rows[3]["category"], rows[8]["available"], rows[20]["group"] = "gloves", "0", "g1"
    rows[9]["category"] = ""
    embed("now", rows)
    for k, words in enumerate([["--same-category"], ["--only-available"], ["--exclude-same-group", "--min-score", "0.9"],
                               ["--same-category", "--exclude-same-group", "--only-available"]]):
        akin("neighbors", "before.nc", "-o", "old.nc", "-k", "7", *words)
        akin("neighbors", "now.nc", "-o", "full.nc", "-k", "7", *words)
        done = akin("neighbors", "now.nc", "-o", "delta.nc", "-k", "7", "--previous", "old.nc", "--previous-embeddings", "before.nc",
                    "--json", *words, ranks=1 + k % 3)
        assert 30 < done.json["kept"] < len(rows)
        assert_same_variables("full.nc", "delta.nc")
    done = akin("neighbors", "now.nc", "-o", "x.nc", "-k", "7", "--previous", "old.nc", "--previous-embeddings", "before.nc", expect=3)
    assert "other rules" in done.err and not os.path.exists("x.nc")
    akin("train", "catalog.nc", "-o", "model.nc", "--epochs", "1", "--batch", "16", "--features", "autoencoder", "--seed", "9")
    akin("embed", "catalog.nc", "--model", "model.nc", "-o", "now.nc")
    done = akin("neighbors", "now.nc", "-o", "x.nc", "-k", "7", "--previous", "old.nc", "--previous-embeddings", "before.nc",
                "--same-category", "--exclude-same-group", "--only-available", expect=3)
    assert "another model" in done.err


def test_refusals():
    rows, ids = np.random.default_rng(4).standard_normal((300, 8)), np.array([f"i{i:05d}" for i in range(300)])
    save("a", rows, ids)
    save("b", rows[::-1], ids)
    neighbors("a", "-k", "8")
    for words, code, said in [
            (["--previous", "a.nc"], 2, "--previous-embeddings"),
            (["--previous-embeddings", "a.npy"], 2, "--previous"),
            (["--previous", "a.nc", "--previous-embeddings", "b.npy", "--previous-ids", "b.txt"], 3, "not made from"),
            (["--previous", "a.nc", "--previous-embeddings", "a.npy"], 3, "not made from"),
            (since("a") + ["-k", "9"], 3, "fewer than k"),
            (since("a") + ["-k", "8", "--min-score", "0.1"], 3, "other rules"),
            (["--previous", "none.nc", "--previous-embeddings", "a.npy"], 1, "none.nc")]:
        done = akin("neighbors", "a.npy", "--ids", "a.txt", "-o", "x.nc", *words, expect=code)
        assert said in done.err, done.err
        assert not os.path.exists("x.nc")
    shutil.copy("a.nc", "c.nc")  # a damaged spare file costs time, no more
    with open("a.nc.spare", "rb") as f:
        spare = bytearray(f.read())
    spare[len(spare) // 2] ^= 0xFF
    with open("c.nc.spare", "wb") as f:
        f.write(spare)
    done = akin("neighbors", "a.npy", "--ids", "a.txt", "-o", "x.nc", "-k", "8", "--previous", "c.nc", "--previous-embeddings", "a.npy",
                "--previous-ids", "a.txt", "--json", ranks=2)
    assert "c.nc.spare" in done.err and done.json["kept"] == 300
    assert_same_variables("a.nc", "x.nc")
    save("r", rows[::-1], ids[::-1])  # the same items in another order
    neighbors("r", "-k", "8")
    done = akin("neighbors", "r.npy", "--ids", "r.txt", "-o", "x.nc", "-k", "8", *since("a"), "--json")
    assert "another order" in done.err and done.json["kept"] == 0
    assert_same_variables("r.nc", "x.nc")


def test_run_uses_it():
    """In one folder, run after run: the neighbours build upon the last table; with another model they do not."""
    job = "[job]\nname = {0}\n[ingest]\nsource = shop/catalog.csv\n[train]\nepochs = 1\nfeatures = autoencoder\nbatch = 16\n{1}[neighbors]\nk = 6\n"
    draw_catalogue("shop", 80)

    def run(name, train="", **more):
        with open("job.ini", "w") as f:
            f.write(job.format(name, train))
        akin("run", "job.ini", **more)
        with open(f"results/{name}/metrics.json") as f:
            return json.load(f)["neighbors"]

    assert run("again")["kept"] == 0
    with open("shop/catalog.csv") as f:
        lines = f.readlines()
    with open("shop/catalog.csv", "w") as f:
        f.writelines(lines[:1] + lines[6:])
    os.makedirs("results/anew")
    shutil.copy("results/again/model.nc", "results/anew")
    assert run("again", ranks=2)["kept"] > 40
    assert run("anew")["kept"] == 0
    assert_same_variables("results/again/table.nc", "results/anew/table.nc")
    assert not os.path.exists("results/again/embeddings.last.nc")
    with open("shop/catalog.csv", "w") as f:
        f.writelines(lines)
    assert run("again", "retrain = always\nseed = 5\n")["kept"] == 0


main(globals())
