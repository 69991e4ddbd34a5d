"""neighbors --by group: lists between products of several pictures, by their most similar pair, equal to brute force and the same at
1 to 3 ranks."""

import csv
import json
import os

import netCDF4
import numpy as np
from support import akin, assert_same_variables, draw, fresh, main

os.chdir(fresh("products"))
R = np.random.default_rng(5)
K, N = 6, 240


def make():
    """Items with a group, some without; their rows have products that are multiples of 1/16."""
    items = [{"id": f"i{i:04d}", "path": "p.png", "category": str(R.choice(["bags", "hats"])),
              "group": "" if i % 5 == 0 else f"g{R.integers(0, 60):02d}", "available": str(int(R.random() < 0.8))} for i in range(N)]
    rows = R.standard_normal((N, 24)).astype(np.float32)
    rows[R.integers(0, N, 20)] = rows[3]
    with open("items.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, list(items[0]))
        writer.writeheader()
        writer.writerows(items)
    np.save("rows.npy", rows)
    with open("ids.txt", "w") as f:
        f.writelines(f"{item['id']}\n" for item in items)
    akin("ingest", "items.csv", "-o", "catalog.nc")
    akin("embed", "catalog.nc", "--from", "rows.npy", "--ids", "ids.txt", "-o", "e.nc")
    with netCDF4.Dataset("e.nc") as d:
        return items, d["embedding"][:].data.astype(np.float64)


draw("p.png", 1)
ITEMS, ROWS = make()
NAMES = sorted({item["group"] or item["id"] for item in ITEMS})
PICTURES = {name: [i for i, item in enumerate(ITEMS) if (item["group"] or item["id"]) == name] for name in NAMES}


def exact(only_available):
    scores = ROWS @ ROWS.T
    may = np.array([not only_available or item["available"] == "1" for item in ITEMS])
    best = {}
    for name in NAMES:
        found = []
        for other in NAMES:
            there = [j for j in PICTURES[other] if may[j]]
            if other != name and there:
                found.append((scores[np.ix_(PICTURES[name], there)].max(), other))
        best[name] = sorted(found, key=lambda one: (-one[0], one[1]))
    return best


def read(path):
    with netCDF4.Dataset(path) as d:
        d.set_auto_maskandscale(False)
        return {name: d[name][:] for name in ("id", "neighbor", "score", "count", "picture", "neighbor_picture", "category", "available")}


def test_lists_are_those_of_brute_force():
    for words in ([], ["--only-available"]):
        for ranks in (0, 2, 3):
            done = akin("neighbors", "e.nc", "-o", f"t{ranks}.nc", "-k", K, "--by", "group", "--json", *words, ranks=ranks)
            assert done.json["items"] == N and done.json["products"] == len(NAMES)
        assert_same_variables("t0.nc", "t2.nc")
        assert_same_variables("t0.nc", "t3.nc")
        table, expected = read("t0.nc"), exact(bool(words))
        assert [str(id) for id in table["id"]] == NAMES
        for p, name in enumerate(NAMES):
            assert table["count"][p] == min(K, len(expected[name]))
            for e in range(table["count"][p]):
                score, other = table["score"][p, e], NAMES[table["neighbor"][p, e]]
                mine, theirs = table["picture"][p, e], table["neighbor_picture"][p, e]
                assert other != name and mine in PICTURES[name] and theirs in PICTURES[other]
                assert abs(score - expected[name][e][0]) < 1e-6 and abs(ROWS[mine] @ ROWS[theirs] - score) < 1e-6
            assert len(set(table["neighbor"][p, :table["count"][p]])) == table["count"][p]


def test_products_have_what_their_pictures_have():
    table = read("t0.nc")
    for p, name in enumerate(NAMES):
        pictures = [ITEMS[i] for i in PICTURES[name]]
        assert table["available"][p] == int(any(item["available"] == "1" for item in pictures))
    akin("publish", "t0.nc", "--to", "file:t.jsonl")
    with open("t.jsonl") as f:
        assert [json.loads(line)["id"] for line in f] == NAMES
    assert akin("evaluate", "t0.nc", "--json").json["items"] == len(NAMES)


def test_more_ranks_than_products():
    np.save("two.npy", ROWS[:2].astype(np.float32))
    assert "group" in akin("neighbors", "two.npy", "-o", "x.nc", "--by", "group", expect=2).err
    akin("neighbors", "e.nc", "-o", "many.nc", "-k", K, "--by", "group", "--only-available", ranks=4)
    assert_same_variables("t0.nc", "many.nc")


def test_what_does_not_go_together_is_refused():
    for words in (["--diversity", "0.5"], ["--at-most", "category=1"], ["--fill", "category"], ["--against", "e.nc"]):
        assert "--by" in akin("neighbors", "e.nc", "-o", "x.nc", "--by", "group", *words, expect=2).err
    assert not os.path.exists("x.nc")


if __name__ == "__main__":
    main(globals())
