"""neighbors --against: for each item of one catalogue the neighbours from another, equal to brute force with the rules of both, the
same at 1 to 3 ranks, published and measured with the other catalogue's ids."""

import csv
import json
import os

import netCDF4
import numpy as np
from support import akin, assert_same_variables, draw, fresh, main

os.chdir(fresh("against"))
R = np.random.default_rng(3)
K = 7


def embed(name, n, none, brands):
    """A catalogue of rows whose products are exact; its items."""
    items = [{"id": f"{name}-{i:04d}", "path": "p.png", "category": "" if R.random() < none else str(R.choice(["bags", "hats", "shoes"])),
              "group": str(R.choice([f"g{g}" for g in range(9)])), "available": str(int(R.random() < 0.8)),
              "brand": "" if R.random() < none else str(R.choice(brands)), "price": "" if R.random() < none else str(R.integers(1, 90))}
             for i in range(n)]
    rows = np.zeros((n, 24), np.float32)
    for i in range(n):
        rows[i, R.permutation(24)[:16]] = R.choice([-0.25, 0.25], 16)
    with open(f"{name}.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, list(items[0]))
        writer.writeheader()
        writer.writerows(items)
    np.save(f"{name}.npy", rows)
    with open(f"{name}.txt", "w") as f:
        f.writelines(f"{item['id']}\n" for item in items)
    akin("ingest", f"{name}.csv", "-o", f"{name}-catalog.nc", "--attributes", "brand:label price:number")
    akin("embed", f"{name}-catalog.nc", "--from", f"{name}.npy", "--ids", f"{name}.txt", "-o", f"{name}.nc")
    return items, rows


draw("p.png", 1)
NEW, NEW_ROWS = embed("new", 61, 0.1, ["Ace", "Bolt", "Cup"])
OLD, OLD_ROWS = embed("old", 203, 0.1, ["Bolt", "Dot", "Ace", "Zip"])


def allowed(a, b, rules):
    if "only" in rules and b["available"] == "0":
        return False
    if "category" in rules and (not a["category"] or a["category"] != b["category"]):
        return False
    if "group" in rules and a["group"] == b["group"]:
        return False
    if "brand" in rules and a["brand"] and a["brand"] != b["brand"]:
        return False
    if "price" in rules and a["price"] and not (b["price"] and 0.5 <= float(b["price"]) / float(a["price"]) <= 2):
        return False
    return True


def exact(rules):
    scores = NEW_ROWS.astype(np.float64) @ OLD_ROWS.T.astype(np.float64)
    lists = []
    for i, a in enumerate(NEW):
        rows = [j for j in np.lexsort((np.arange(len(OLD)), -scores[i])) if allowed(a, OLD[j], rules)][:K]
        lists.append([(j, scores[i, j]) for j in rows])
    return lists


WORDS = {"only": ["--only-available"], "category": ["--same-category"], "group": ["--exclude-same-group"], "brand": ["--same", "brand"],
         "price": ["--within", "price=0.5..2x"]}


def test_lists_are_those_of_brute_force():
    for rules in ([], ["only"], ["category", "group"], ["brand", "price"], list(WORDS)):
        words = [word for rule in rules for word in WORDS[rule]]
        expected = exact(rules)
        for ranks in (0, 2, 3):
            done = akin("neighbors", "new.nc", "--against", "old.nc", "-o", f"t{ranks}.nc", "-k", K, "--json", *words, ranks=ranks)
            assert done.json["items"] == len(NEW) and done.json["pairs"] == len(NEW) * len(OLD)
        assert_same_variables("t0.nc", "t2.nc")
        assert_same_variables("t0.nc", "t3.nc")
        with netCDF4.Dataset("t0.nc") as d:
            d.set_auto_maskandscale(False)
            neighbor, score, count = d["neighbor"][:], d["score"][:], d["count"][:]
            assert str(d["target_id"][5]) == OLD[5]["id"] and len(d.dimensions["target"]) == len(OLD)
        for i, one in enumerate(expected):
            assert count[i] == len(one) and list(neighbor[i, :len(one)]) == [j for j, _ in one], (rules, i)
            assert np.array_equal(score[i, :len(one)], np.float32([s for _, s in one])) and (neighbor[i, len(one):] == -1).all()


def test_it_is_published_and_measured_with_the_ids_of_the_others():
    akin("neighbors", "new.nc", "--against", "old.nc", "-o", "table.nc", "-k", K)
    akin("publish", "table.nc", "--to", "file:table.jsonl")
    akin("publish", "table.nc", "--to", "file:table.csv")
    expected = exact([])
    with open("table.jsonl") as f:
        lines = [json.loads(line) for line in f]
    assert [line["id"] for line in lines] == [item["id"] for item in NEW]
    for line, one in zip(lines, expected):
        assert [id for id, _ in line["neighbors"]] == [OLD[j]["id"] for j, _ in one]
    hits = [sum(OLD[j]["category"] == a["category"] for j, _ in one[:5]) / 5 for a, one in zip(NEW, expected) if a["category"]]
    figures = akin("evaluate", "table.nc", "--against", "table.nc", "--json").json
    assert abs(figures["precision_at_5"] - np.mean(hits)) < 1e-6 and figures["churn"] == 0
    # Of the same items with the others' rows in another order of scores: all ids are found again.
    akin("neighbors", "new.nc", "--against", "old.nc", "-o", "available.nc", "-k", K, "--only-available")
    there = exact(["only"])
    lost = [1 - len({j for j, _ in a} & {j for j, _ in b}) / max(len(a), len(b)) for a, b in zip(expected, there)]
    assert abs(akin("evaluate", "available.nc", "--against", "table.nc", "--json").json["churn"] - np.mean(lost)) < 1e-6
    akin("publish", "available.nc", "--to", "file:table.jsonl", "--max-churn", "0.0001", expect=4)


def test_approved_pairs_are_found_among_the_others():
    one = exact([])[0]
    with open("golden.csv", "w") as f:
        f.write("id,neighbor\n" + "".join(f"{NEW[0]['id']},{OLD[j]['id']}\n" for j, _ in one[:3]))
        f.write(f"{OLD[3]['id']},{OLD[4]['id']}\n")
    report = akin("evaluate", "table.nc", "--golden", "golden.csv", "--json").json
    assert report["golden"] == 1 and report["golden_pairs"] == report["golden_found"] == 3 and report["golden_unknown"] == 1, report


def test_npy_files_take_part():
    akin("neighbors", "new.npy", "--ids", "new.txt", "--against", "old.npy", "--against-ids", "old.txt", "-o", "npy.nc", "-k", K, ranks=2)
    with netCDF4.Dataset("npy.nc") as d, netCDF4.Dataset("table.nc") as e:
        assert (d["neighbor"][:] == e["neighbor"][:]).all() and (d["target_id"][:] == e["target_id"][:]).all()


def test_more_ranks_than_items():
    np.save("two.npy", NEW_ROWS[:2])
    np.save("one.npy", OLD_ROWS[:1])
    akin("neighbors", "two.npy", "--against", "one.npy", "-o", "small.nc", "-k", 3, ranks=4)
    with netCDF4.Dataset("small.nc") as d:
        d.set_auto_maskandscale(False)
        assert d["neighbor"][:].tolist() == [[0, -1, -1], [0, -1, -1]]


def test_what_does_not_fit_is_refused():
    np.save("narrow.npy", OLD_ROWS[:, :12])
    assert "columns" in akin("neighbors", "new.npy", "--against", "narrow.npy", "-o", "x.nc", expect=3).err
    assert "--against" in akin("neighbors", "new.nc", "--against", "old.nc", "-o", "x.nc", "--fill", "category", expect=2).err
    akin("neighbors", "new.nc", "--against", "absent.nc", "-o", "x.nc", expect=1)
    assert "two catalogues" in akin("gallery", "table.nc", "--source", "new.csv", "-o", "page", expect=2).err
    akin("neighbors", "new.npy", "--against", "old.npy", "-o", "x.nc", "--same", "brand", expect=2)
    assert not os.path.exists("x.nc")


if __name__ == "__main__":
    main(globals())
