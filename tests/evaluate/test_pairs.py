"""Laws of pairs: `evaluate --pairs` counts as a reading of the table does, at any number of ranks; what makes no sense in the
file is refused, or passed over and counted; `train --pairs` learns the same at any number of ranks, and says by what."""

import os

import netCDF4

from support import akin, assert_same_variables, draw_catalogue, fresh, main

N = 120
os.chdir(fresh("pairs"))
draw_catalogue("things", N)
akin("ingest", "things/catalog.csv", "-o", "things.nc")
IDS = [f"item-{i:04d}" for i in range(N)]


def write(name, *rows):
    with open(name, "w") as f:
        f.write("".join(row + "\n" for row in rows))


def test_pairs_are_counted():
    akin("train", "things.nc", "-o", "plain.nc", "--features", "handcrafted")
    akin("embed", "things.nc", "--model", "plain.nc", "-o", "plain.e.nc")
    akin("neighbors", "plain.e.nc", "-o", "table.nc", "-k", 6)
    with netCDF4.Dataset("table.nc") as d:
        d.set_auto_mask(False)
        lists = [set(row) for row in d["neighbor"][:].tolist()]
    pairs = [(i, (i * 7 + 3) % N) for i in range(N) if i != (i * 7 + 3) % N] + [(0, min(lists[0]))]
    known = {tuple(sorted(p)) for p in pairs}
    found = sum(b in lists[a] or a in lists[b] for a, b in known)
    assert found > 0
    write("pairs.csv", "id,other,weight", *[f"{IDS[a]},{IDS[b]},2" for a, b in pairs], f"{IDS[3]},gone,1", f"{IDS[4]},{IDS[4]}")
    for ranks in (0, 2, 3):
        j = akin("evaluate", "table.nc", "--pairs", "pairs.csv", "--json", ranks=ranks).json
        assert (j["pairs"], j["pairs_unknown"]) == (len(known), 2) and abs(j["pairs_found"] - found / len(known)) < 1e-9, j
    assert "pairs" not in akin("evaluate", "table.nc", "--json").json


def test_what_is_refused():
    for code, name, rows, says in ((3, "one.csv", ["a"], "row 1"), (3, "light.csv", [f"{IDS[0]},{IDS[1]},-1"], "row 1"),
                                   (1, "absent.csv", None, "absent.csv")):
        if rows:
            write(name, *rows)
        assert says in akin("evaluate", "table.nc", "--pairs", name, expect=code, ranks=2).err
    write("strangers.csv", "a,b", "c,d")
    assert "strangers.csv" in akin("train", "things.nc", "-o", "x.nc", "--steps", 1, "--pairs", "strangers.csv", expect=3).err
    assert "fused" in akin("train", "things.nc", "-o", "x.nc", "--features", "handcrafted", "--pairs", "pairs.csv", expect=2).err
    for weight in ("0", "-1", "nan", "inf", "1e10", "much"):  # before training, which would not end
        write("heavy.csv", "id,other,weight", f"{IDS[0]},{IDS[1]},1", f"{IDS[0]},{IDS[2]},{weight}")
        done = akin("train", "things.nc", "-o", "x.nc", "--epochs", "1000000", "--pairs", "heavy.csv", ranks=2, expect=3)
        assert f'heavy.csv row 3: "{weight}" is not a weight' in done.err and not os.path.exists("x.nc"), done.err
    assert not os.path.exists("x.nc")


def test_pairs_teach_the_same_at_any_number_of_ranks():
    words = ["--steps", 1, "--batch", 16, "--weights", "manifold=0", "--pairs", "pairs.csv"]
    j = akin("train", "things.nc", "-o", "one.nc", *words, "--json").json
    assert j["weights_chosen_by"] == "pairs" and "held-out" in j["weights_chosen"], j
    assert {p["name"] for p in j["parts"]} == {"shape", "foreground", "texture", "maps"}
    assert all(p["columns"] > 0 and p["weight"] > 0 for p in j["parts"])
    akin("train", "things.nc", "-o", "many.nc", *words, ranks=3)
    assert_same_variables("one.nc", "many.nc")
    with netCDF4.Dataset("one.nc") as d:
        assert d.weights_chosen_by == "pairs" and d.weights_chosen == j["weights_chosen"]


def test_changed_pairs_of_a_model_that_is_kept_are_told():
    with open("job.ini", "w") as f:
        f.write("[job]\nname = job\n[ingest]\nsource = things/catalog.csv\n[train]\nsteps = 1\nbatch = 16\nweights = manifold=0\npairs = own.csv\n")
    write("own.csv", "item-0000,item-0003", "item-0001,item-0004")
    akin("run", "job.ini", "--until", "embed")
    done = akin("run", "job.ini", "--until", "embed", "--json", ranks=2)
    assert "warning" not in done.json["stages"]["train"] and "own.csv" not in done.err, done.err
    write("own.csv", "item-0000,item-0006")
    done = akin("run", "job.ini", "--until", "embed", "--json", ranks=2)
    assert "own.csv is no longer the file of pairs" in done.json["stages"]["train"]["warning"] and done.json["stages"]["train"]["skipped"], done.json
    assert done.err.count("own.csv is no longer the file of pairs") == 1, done.err


main(globals())
