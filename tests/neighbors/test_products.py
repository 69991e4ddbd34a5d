"""neighbors --by group: lists between products of several pictures, by their most similar pair or by the mean of all pairs, equal to
brute force and the same at 1 to 4 ranks."""

import csv
import json
import os
import re

import netCDF4
import numpy as np
from support import akin, assert_same_variables, draw, fresh, main

os.chdir(fresh("products"))
R = np.random.default_rng(5)
K, N = 6, 240


def embed(items, rows, name):
    """name.nc: the rows, with the items' labels and attributes."""
    with open(f"{name}.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, list(items[0]))
        writer.writeheader()
        writer.writerows(items)
    np.save(f"{name}.npy", rows)
    with open(f"{name}.txt", "w") as f:
        f.writelines(f"{item['id']}\n" for item in items)
    akin("ingest", f"{name}.csv", "-o", f"{name}-catalog.nc", "--attributes", "price:number brand:label")
    akin("embed", f"{name}-catalog.nc", "--from", f"{name}.npy", "--ids", f"{name}.txt", "-o", f"{name}.nc")


def make():
    """Items with a group, some without; their rows have products that are multiples of 1/16."""
    items = [{"id": f"i{i:04d}", "path": "p.png", "category": str(R.choice(["bags", "hats"])),
              "group": "" if i % 5 == 0 else f"g{R.integers(0, 60):02d}", "available": str(int(R.random() < 0.8)),
              "price": "" if R.random() < 0.1 else str(R.integers(1, 9)), "brand": str(R.choice(["Ace", "Bolt", "Cup"]))} for i in range(N)]
    rows = R.standard_normal((N, 24)).astype(np.float32)
    rows[R.integers(0, N, 20)] = rows[3]
    rows[[10, 11]] = 0  # one product that is one picture without a vector, and one picture of another
    embed(items, rows, "e")
    with netCDF4.Dataset("e.nc") as d:
        return items, d["embedding"][:].data.astype(np.float64)


draw("p.png", 1)
ITEMS, ROWS = make()
NAMES = sorted({item["group"] or item["id"] for item in ITEMS})
PICTURES = {name: [i for i, item in enumerate(ITEMS) if (item["group"] or item["id"]) == name] for name in NAMES}
USABLE = np.flatnonzero(ROWS.any(axis=1))


def exact(only_available):
    scores = ROWS @ ROWS.T
    may = np.array([not only_available or item["available"] == "1" for item in ITEMS])
    best = {}
    for name in NAMES:
        found = []
        for other in NAMES:
            there = [j for j in PICTURES[other] if may[j] and j in USABLE]
            if other != name and there and set(PICTURES[name]) & set(USABLE):
                found.append((scores[np.ix_(np.intersect1d(PICTURES[name], USABLE), there)].max(), other))
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


def draw_ties(n, r):
    """Few different pictures, so that nearly all lists end among products of the same score, and products in another order than their
    pictures."""
    items = [{"id": f"i{i:04d}", "path": "p.png", "category": "bags", "group": f"g{(7 * i) % 50:02d}" if i % 6 else "", "available": str(i % 4 and 1),
              "price": str(i % 3), "brand": "Ace"} for i in range(n)]
    return items, np.eye(8, dtype=np.float32)[r.integers(0, 5, n)]


def assert_ties(path, items, rows, others=None):
    """Of products with the same score the first ones stand in the list; others: the other catalogue's items and rows."""
    mine, theirs = ({name: [i for i, item in enumerate(one) if (item["group"] or item["id"]) == name] for name in sorted({item["group"] or item["id"] for item in one})}
                    for one in (items, others[0] if others else items))
    table, scores = read(path), rows @ (others[1] if others else rows).T
    for p, (name, own) in enumerate(mine.items()):
        found = sorted((-scores[np.ix_(own, there)].max(), q) for q, (other, there) in enumerate(theirs.items()) if others or other != name)[:K]
        assert list(table["neighbor"][p]) == [q for _, q in found], (p, name, table["neighbor"][p], found)
        for q, a, b in zip(table["neighbor"][p], table["picture"][p], table["neighbor_picture"][p]):
            pairs = [(i, j) for i in own for j in list(theirs.values())[q]]
            assert (a, b) == max(pairs, key=lambda pair: (scores[pair], -pair[0], -pair[1])), (p, q, a, b)


def test_ties_are_broken_by_product():
    r = np.random.default_rng(8)
    items, rows = draw_ties(180, r)
    embed(items, rows, "ties")
    for ranks in (0, 2, 3, 4):
        akin("neighbors", "ties.nc", "-o", f"ties{ranks}.nc", "-k", K, "--by", "group", ranks=ranks)
        assert ranks == 0 or assert_same_variables("ties0.nc", f"ties{ranks}.nc") is None
    assert_ties("ties0.nc", items, rows)
    later = [dict(item, group="g03" if i % 37 == 1 else item["group"]) for i, item in enumerate(items) if i % 50 != 9]
    moved = np.delete(rows, [i for i in range(180) if i % 50 == 9], axis=0)
    moved[[20, 90]] = moved[[90, 21]]
    embed(later, moved, "ties-then")
    done = akin("neighbors", "ties-then.nc", "-o", "ties-delta.nc", "-k", K, "--by", "group", "--previous", "ties3.nc", "--previous-embeddings", "ties.nc", "--json", ranks=2)
    assert_ties("ties-delta.nc", later, moved)
    assert done.json["kept"] > 0, done.json


def test_of_two_catalogues():
    """Also those whose products have the same names; what else reads tables knows both sides."""
    r = np.random.default_rng(9)
    (items, rows), (others, other_rows) = draw_ties(90, r), draw_ties(130, r)
    others = [dict(item, group=item["group"] and f"g{(11 * i) % 40:02d}") for i, item in enumerate(others)]
    embed(items, rows, "queries")
    embed(others, other_rows, "base")
    for ranks in (0, 2, 3):
        done = akin("neighbors", "queries.nc", "--against", "base.nc", "-o", f"a{ranks}.nc", "-k", K, "--by", "group", "--json", ranks=ranks)
    assert_same_variables("a0.nc", "a2.nc")
    assert_same_variables("a0.nc", "a3.nc")
    assert_ties("a0.nc", items, rows, (others, other_rows))
    names = sorted({item["group"] or item["id"] for item in others})
    assert done.json["items"] == 90 and done.json["pairs"] == 90 * 130 and done.json["products"] == len({item["group"] or item["id"] for item in items})
    akin("publish", "a0.nc", "--to", "file:a.jsonl", ranks=2)
    table = read("a0.nc")
    with open("a.jsonl") as f:
        for p, line in enumerate(f):
            assert [other for other, _ in json.loads(line)["neighbors"]] == [names[q] for q in table["neighbor"][p]]
    told = akin("evaluate", "a0.nc", "--json", ranks=3).json
    assert told["items"] == len(table["id"]) and told["targets"] == len(names) and told["never_recommended"] == len(names) - len(set(table["neighbor"].ravel()))
    assert akin("inspect", "a0.nc", "--json").json["rows"] == "products"
    p, e = 5, K - 1
    for how in ("best", "mean"):
        words = ["--by", "group", "--pictures", how, "--against", "base.nc", "-k", K, "--json"]
        last = akin("query", "queries.nc", "--id", table["id"][p], *words).json["neighbors"][e]
        j = akin("query", "queries.nc", "--id", table["id"][p], "--why", last[0], *words, ranks=2).json
        assert j["rank"] == e + 1 and j["in_list"] and abs(j["cosine"] - last[1]) < 1e-6, (how, last, j)


def test_tables_of_one_job():
    """Tables of products share a pass of their own, in the order of their rows, and each has a page of the gallery."""
    with open("job.ini", "w") as f:
        f.write("[job]\nname = job\n[ingest]\nsource = ties.csv\nattributes = price:number brand:label\n[embed]\nfrom = ties.npy\nids = ties.txt\n"
                f"[neighbors]\nk = {K}\n[table one]\nk = {K}\nby = group\n[table two]\nk = 3\nby = group\nonly-available = yes\n"
                f"[table both]\nk = {K}\nby = group\nagainst = base.nc\n[gallery]\nenabled = yes\npicture-size = 16\n")
    stages = akin("run", "job.ini", "--json", ranks=2).json["stages"]
    assert stages["neighbors"]["tables_in_pass"] == 1 and stages["tables"]["one"]["tables_in_pass"] == 2 == stages["tables"]["two"]["tables_in_pass"], stages
    assert_same_variables("results/job/table-one.nc", "ties0.nc")
    akin("neighbors", "ties.nc", "-o", "two.nc", "-k", 3, "--by", "group", "--only-available", ranks=3)
    assert_same_variables("results/job/table-two.nc", "two.nc")
    akin("neighbors", "ties.nc", "-o", "two.nc", "-k", K, "--by", "group", "--against", "base.nc")
    assert_same_variables("results/job/table-both.nc", "two.nc")
    assert sorted(os.listdir("results/job/gallery/tables")) == ["both", "one", "two"]
    words = ["gallery", "two.nc", "--source", "ties.csv", "-o", "x", "--embeddings", "ties.nc"]
    assert "--target-embeddings" in akin(*words, expect=2).err
    with open("job.ini") as f:
        text = f.read().replace("[table one]\n", "by = group\nagainst = ties.npy\n[table one]\n")
    with open("wrong.ini", "w") as f:
        f.write(text)
    assert "[gallery]" in akin("run", "wrong.ini", "--check", expect=2).err


def means():
    """[products, products]: of all pairs of usable pictures, one by one; NaN where there is none."""
    mean, rows = np.full((len(NAMES), len(NAMES)), np.nan), ROWS.astype(np.float32).astype(np.float64)
    for p, name in enumerate(NAMES):
        for q, other in enumerate(NAMES):
            pairs = [rows[i] @ rows[j] for i in PICTURES[name] if i in USABLE for j in PICTURES[other] if j in USABLE]
            if p != q and pairs:
                mean[p, q] = np.mean(pairs)
    return mean


def assert_means(table, k, allowed, offset=None, at_most=None, least=-1):
    """Scores may be off by rounding, and so may the order of those that are nearly the same."""
    mean, offset = means(), np.zeros(len(NAMES)) if offset is None else offset
    for p, name in enumerate(NAMES):
        may = sorted((q for q in range(len(NAMES)) if not np.isnan(mean[p, q]) and allowed(p, q) and mean[p, q] >= least),
                     key=lambda q: -mean[p, q] - offset[q])
        if at_most:
            may = [q for e, q in enumerate(may) if sum(at_most[q] == at_most[o] for o in may[:e]) < 1]
        count = table["count"][p]
        assert count == min(k, len(may)), name
        for e in range(count):
            q = table["neighbor"][p, e]
            assert q in may and abs(table["score"][p, e] - mean[p, q]) < 1e-6, (name, NAMES[q], table["score"][p, e], mean[p, q])
            assert abs(mean[p, q] + offset[q] - mean[p, may[e]] - offset[may[e]]) < 1e-6
            mine, theirs = table["picture"][p, e], table["neighbor_picture"][p, e]
            best = max(ROWS[i] @ ROWS[j] for i in PICTURES[name] if i in USABLE for j in PICTURES[NAMES[q]] if j in USABLE)
            assert mine in PICTURES[name] and theirs in PICTURES[NAMES[q]] and abs(ROWS[mine] @ ROWS[theirs] - best) < 1e-6


def first(p, column):
    return ITEMS[PICTURES[NAMES[p]][0]][column]


def test_means_are_those_of_all_pairs():
    may = [any(ITEMS[i]["available"] == "1" for i in PICTURES[name]) for name in NAMES]
    cases = [([], {"allowed": lambda p, q: True}), (["-k", 100], {"allowed": lambda p, q: True, "k": 100}),
             (["--only-available", "--same-category"], {"allowed": lambda p, q: may[q] and first(p, "category") == first(q, "category")}),
             (["--different", "brand", "--within", "price=0..2"],
              {"allowed": lambda p, q: first(p, "brand") != first(q, "brand") and (not first(p, "price") or bool(first(q, "price")) and 0 <= int(first(q, "price")) - int(first(p, "price")) <= 2)}),
             (["--at-most", "brand=1"], {"allowed": lambda p, q: True, "at_most": [first(q, "brand") for q in range(len(NAMES))]}),
             (["--min-score", "0.05"], {"allowed": lambda p, q: True, "least": 0.05})]
    for case, (words, expected) in enumerate(cases):
        for ranks in (0, 2 + case % 2):
            done = akin("neighbors", "e.nc", "-o", "m0.nc" if ranks == 0 else "m.nc", "--by", "group", "--pictures", "mean", "--json", *(words if "-k" in words else ["-k", K, *words]), ranks=ranks)
            assert done.json["items"] == N and done.json["products"] == len(NAMES) and done.json["pairs"] == len(NAMES) * (len(NAMES) - 1)
        assert_same_variables("m0.nc", "m.nc")
        table = read("m0.nc")
        assert [str(id) for id in table["id"]] == NAMES
        assert_means(table, **{"k": K, **expected})
    akin("neighbors", "e.nc", "-o", "many.nc", "-k", K, "--min-score", "0.05", "--by", "group", "--pictures", "mean", ranks=4)
    assert_same_variables("m0.nc", "many.nc")


def test_means_with_a_boost():
    akin("neighbors", "e.nc", "-o", "m.nc", "-k", K, "--by", "group", "--pictures", "mean", "--boost", "price=0.3", ranks=2)
    numbers = [float(first(q, "price") or "nan") for q in range(len(NAMES))]
    known = np.array([x for x in numbers if x == x])
    offset = np.array([0.3 * ((known < x).sum() + ((known == x).sum() - 1) / 2) / (len(known) - 1) if x == x else 0 for x in numbers])
    assert_means(read("m.nc"), K, lambda p, q: True, offset)


def ranks_of(column):
    """In [0, 1], of the first pictures' numbers."""
    numbers = [float(first(q, column) or "nan") for q in range(len(NAMES))]
    known = np.array([x for x in numbers if x == x])
    return np.array([((known < x).sum() + ((known == x).sum() - 1) / 2) / (len(known) - 1) if x == x else 0 for x in numbers])


def bests():
    """[products, products]: the best cosine of two pictures; NaN where there is none."""
    best, scores = np.full((len(NAMES), len(NAMES)), np.nan), ROWS.astype(np.float32).astype(np.float64) @ ROWS.astype(np.float32).astype(np.float64).T
    for p, name in enumerate(NAMES):
        for q, other in enumerate(NAMES):
            mine, theirs = np.intersect1d(PICTURES[name], USABLE), np.intersect1d(PICTURES[other], USABLE)
            if p != q and len(mine) and len(theirs):
                best[p, q] = scores[np.ix_(mine, theirs)].max()
    return best


def assert_bests(table, offset, pins, blocked, mean=False):
    """Pins first, in their order; then by score and offset, but for rounding; with the two pictures that are most alike."""
    best, score_of = bests(), means() if mean else bests()
    for p in range(len(NAMES)):
        may = [q for q in range(len(NAMES)) if not np.isnan(best[p, q]) and (p, q) not in blocked]
        pinned = [q for q in pins.get(p, []) if q in may][:K]
        rest = sorted((q for q in may if q not in pinned), key=lambda q: -score_of[p, q] - offset[q])
        assert table["pinned"][p] == len(pinned) and list(table["neighbor"][p, :len(pinned)]) == pinned, (p, pinned, table["neighbor"][p])
        assert table["count"][p] == min(K, len(may))
        assert len(set(table["neighbor"][p, :table["count"][p]])) == table["count"][p]
        for e in range(table["count"][p]):
            q, mine, theirs = table["neighbor"][p, e], table["picture"][p, e], table["neighbor_picture"][p, e]
            assert q in may and abs(table["score"][p, e] - score_of[p, q]) < 1e-6
            assert mine in PICTURES[NAMES[p]] and theirs in PICTURES[NAMES[q]] and abs(ROWS[mine] @ ROWS[theirs] - best[p, q]) < 1e-6
            if e >= len(pinned):
                other = rest[e - len(pinned)]
                assert abs(score_of[p, q] + offset[q] - score_of[p, other] - offset[other]) < 1e-6, (p, e)


def write_pairs(path, pairs):
    with open(path, "w", newline="") as f:
        csv.writer(f).writerows([["id", "neighbor"], *pairs])


def test_boosts_pins_and_blocks_are_of_products():
    pairs = [(int(a), int(b)) for a, b in R.integers(0, len(NAMES), (60, 2)) if a != b]
    pairs += [(2, q) for q in range(20, 30)]  # more than there is room for
    write_pairs("pins.csv", [("nobody", NAMES[1])] + [(NAMES[a], NAMES[b]) for a, b in pairs])
    blocked = {(int(a), int(b)) for a, b in R.integers(0, len(NAMES), (300, 2))} | {pairs[0]}
    nobody, alone = 7, 11
    write_pairs("blocks.csv", [(NAMES[a], NAMES[b]) for a, b in blocked] + [("*", NAMES[nobody]), (NAMES[alone], "*")])
    every = blocked | {(p, nobody) for p in range(len(NAMES))} | {(alone, q) for q in range(len(NAMES))}
    pins = {a: [b for c, b in dict.fromkeys(pairs) if c == a] for a, _ in pairs}
    cases = [(["--boost", "price=0.3"], 0.3, {}, set()), (["--pins", "pins.csv"], 0, pins, set()),
             (["--blocks", "blocks.csv", "--pins", "pins.csv", "--boost", "price=-0.2"], -0.2, pins, every)]
    for case, (words, weight, pinned, barred) in enumerate(cases):
        for how in ("best", "mean"):
            for path, ranks in (("a.nc", 1 + case % 3), ("b.nc", 1 + (case + 1) % 3)):
                done = akin("neighbors", "e.nc", "-o", path, "-k", K, "--by", "group", "--pictures", how, *words, ranks=ranks)
            assert_same_variables("a.nc", "b.nc")
            table = read("a.nc")
            with netCDF4.Dataset("a.nc") as d:
                table["pinned"] = d["pinned"][:].data if "pinned" in d.variables else np.zeros(len(NAMES), int)
            assert_bests(table, weight * ranks_of("price"), pinned, barred, how == "mean")
            assert "--pins" not in words or "nobody" in done.err, done.err


def test_a_night_that_builds_upon_the_one_before():
    """Pictures that are gone, new, or of another product; of the best pair, of the mean, and with rules."""
    items, rows = [dict(item) for item in ITEMS], np.load("e.npy")
    for i in R.choice(N, 4, replace=False):
        items[i]["group"] = f"g{R.integers(0, 60):02d}"
    for i in R.choice(N, 4, replace=False):
        items[i]["price"] = str(R.integers(1, 9))
    rows[R.choice(N, 3, replace=False)] = R.standard_normal((3, 24))
    keep = [i for i in range(N) if i % 60 != 7]
    items, rows = [items[i] for i in keep] + [dict(items[0], id=f"j{i}", group=f"g{i:02d}") for i in range(3)], np.concatenate([rows[keep], rows[:3] + 0.1])
    embed(items, rows, "then")
    cases = [([], "best", 60), (["--only-available", "--within", "price=0..3"], "best", 20), (["--pins", "pins.csv"], "best", 60), ([], "mean", 40),
             (["--within", "price=-1..3"], "mean", 20), (["--at-most", "brand=2"], "mean", 0), (["--boost", "price=0.1"], "best", None)]
    for case, (words, how, least) in enumerate(cases):
        base = ["-k", K, "--by", "group", "--pictures", how, "--json", *words]
        akin("neighbors", "e.nc", "-o", "t.nc", *base, ranks=1 + case % 3)
        akin("neighbors", "then.nc", "-o", "full.nc", *base, ranks=1 + (case + 1) % 3)
        done = akin("neighbors", "then.nc", "-o", "delta.nc", *base, "--previous", "t.nc", "--previous-embeddings", "e.nc", ranks=1 + (case + 2) % 3)
        assert_same_variables("full.nc", "delta.nc")
        assert done.json["kept"] == 0 if least is None else done.json["kept"] > least, (case, done.json)


def test_products_have_what_their_pictures_have():
    table = read("t0.nc")
    for p, name in enumerate(NAMES):
        pictures = [ITEMS[i] for i in PICTURES[name]]
        assert table["available"][p] == int(any(item["available"] == "1" for item in pictures))
    with netCDF4.Dataset("t0.nc") as d:
        d.set_auto_mask(False)
        for p in range(len(NAMES)):
            assert str(d["attribute_price"][p]) == str(np.float32(first(p, "price") or "nan")), p
            assert str(d["attribute_brand_name"][d["attribute_brand"][p]]) == first(p, "brand")
    akin("publish", "t0.nc", "--to", "file:t.jsonl")
    with open("t.jsonl") as f:
        assert [json.loads(line)["id"] for line in f] == NAMES
    assert akin("evaluate", "t0.nc", "--json").json["items"] == len(NAMES)
    shown = akin("evaluate", "t0.nc").out
    assert f"products               {len(NAMES)}" in shown and "share of products with a neighbour" in shown and not re.search(r"\bitems?\b", shown), shown
    for name in (NAMES[0], NAMES[-1]):
        for words in ([], ["--pictures", "mean"]):
            assert len(akin("query", "e.nc", "--id", name, "--by", "group", "-k", 3, *words, "--json", ranks=2).json["neighbors"]) == 3
    assert "no product" in akin("query", "e.nc", "--id", next(item["id"] for item in ITEMS if item["group"]), "--by", "group", expect=3).err
    group = next(name for name in NAMES if len(PICTURES[name]) > 1)
    assert "which is a group" in akin("query", "e.nc", "--id", group, ranks=2, expect=3).err


def within(a, b):
    return not a["price"] or bool(b["price"]) and 0 <= int(b["price"]) - int(a["price"]) <= 3


def assert_why(p, q, how, ranks):
    """The ranks are those of the lists, the pictures and the verdicts those of brute force."""
    name, by, rule, most, boost = NAMES[p], ["--by", "group", "--pictures", how], ["--within", "price=0..3"], ["--at-most", "brand=1"], ["--boost", "price=0.2"]
    listed = lambda *words: [other for other, _ in akin("query", "e.nc", "--id", name, *by, "-k", 200, "--json", *words).json["neighbors"]]
    place = lambda names: names.index(NAMES[q]) + 1 if NAMES[q] in names else None
    j = akin("query", "e.nc", "--id", name, "--why", NAMES[q], *by, *rule, *most, *boost, "-k", 3, "--json", ranks=ranks).json
    plain, whole, free = listed(), listed(*rule, *most, *boost), listed(*rule, *boost)
    assert (j["rank"], j["rank_without_rules"], j["rank_without_boost"]) == (place(whole), place(plain), place(listed(*rule, *most))), (p, q, how, j)
    assert j["in_list"] == (NAMES[q] in whole[:3]) and not j["pinned"] and abs(j["boost"] - 0.2 * ranks_of("price")[q]) < 1e-6
    pairs = {(i, o): ROWS[i] @ ROWS[o] for i in PICTURES[name] for o in PICTURES[NAMES[q]] if i in USABLE and o in USABLE}
    passed = [pair for pair in pairs if within(ITEMS[pair[0]], ITEMS[pair[1]])]
    mine, theirs = (next(i for i, item in enumerate(ITEMS) if item["id"] == j[key]) for key in ("picture", "neighbor_picture"))
    best = max(pairs[pair] for pair in (passed if passed and how == "best" else pairs))
    assert abs(pairs[mine, theirs] - best) < 1e-6 and abs(j["cosine"] - (best if how == "best" else means()[p, q])) < 1e-6
    verdict = {one["rule"]: one["passes"] for one in j["rules"]}
    assert verdict["within price=0..3"] == (bool(passed) if how == "best" else within(ITEMS[PICTURES[name][0]], ITEMS[PICTURES[NAMES[q]][0]])), (p, q, j)
    assert not next(one["asked"] for one in j["rules"] if one["rule"] == "exclude-same-group")
    if NAMES[q] in free:
        before = [NAMES.index(other) for other in free[:free.index(NAMES[q])]]
        assert verdict["at-most brand=1"] == all(first(o, "brand") != first(q, "brand") for o in before)


def test_why_a_product_is_in_the_list_of_another():
    for p, q, how, ranks in ((0, 3, "best", 3), (9, 44, "mean", 2), (30, 17, "best", 0), (51, 8, "mean", 3)):
        assert_why(p, q, how, ranks)
    told = akin("query", "e.nc", "--id", NAMES[0], "--why", NAMES[1], "--by", "group", ranks=2).out
    assert "pictures" in told and "rank_without_rules" in told
    assert "no product" in akin("query", "e.nc", "--id", NAMES[0], "--why", "nobody", "--by", "group", expect=3, ranks=2).err
    without = next(name for name in NAMES if not set(PICTURES[name]) & set(USABLE))
    j = akin("query", "e.nc", "--id", NAMES[0], "--why", without, "--by", "group", "--json", ranks=3).json
    assert j["cosine"] is None and j["rank"] is None


def test_equal_means_are_as_close_as_in_lists():
    """Two products of the same two pictures: their score is below 1, also where their lists are full of others."""
    turn = np.arccos(0.9985) / 2
    pictures = np.zeros((104, 24), np.float32)
    pictures[:, 0] = 1
    pictures[:4, 0], pictures[:4, 1] = np.cos(turn), np.sin(turn) * np.array([1, -1, 1, -1])
    items = [{"id": f"i{i:03d}", "path": "p.png", "category": "bags", "group": "ab"[i // 2] if i < 4 else f"c{i:03d}", "available": "1",
              "price": "1", "brand": "Ace"} for i in range(104)]
    embed(items, pictures, "alike")
    for k in (1, 200):
        for ranks in (0, 3):
            done = akin("neighbors", "alike.nc", "-o", "alike-table.nc", "-k", k, "--spare", 0, "--by", "group", "--pictures", "mean",
                        "--collapse-duplicates", 0.9995, "--json", ranks=ranks)
            assert done.json["duplicates"] == 100, done.json  # those of one picture are duplicates of the first


def test_no_checkpoint_remains():
    akin("neighbors", "e.nc", "-o", "clean.nc", "-k", K, "--by", "group", "--collapse-duplicates", 0.9, "--checkpoint-every", 0, ranks=2)
    assert [name for name in os.listdir(".") if name.startswith("clean.nc")] in (["clean.nc"], ["clean.nc", "clean.nc.spare"])


def test_more_ranks_than_products():
    np.save("two.npy", ROWS[:2].astype(np.float32))
    assert "group" in akin("neighbors", "two.npy", "-o", "x.nc", "--by", "group", expect=2).err
    akin("neighbors", "e.nc", "-o", "many.nc", "-k", K, "--by", "group", "--only-available", ranks=4)
    assert_same_variables("t0.nc", "many.nc")


def test_a_product_without_a_vector_is_filled():
    p = next(p for p, name in enumerate(NAMES) if not set(PICTURES[name]) & set(USABLE))
    for how in ("best", "mean"):
        done = akin("neighbors", "e.nc", "-o", "filled.nc", "-k", K, "--by", "group", "--pictures", how, "--fill", "category", "--min-score", 0.9, "--json", ranks=3)
        with netCDF4.Dataset("filled.nc") as d:
            d.set_auto_mask(False)
            neighbor, score, filled = d["neighbor"][p], d["score"][p], d["filled"][:]
        assert filled[p] == K and (score == 0).all() and len(set(neighbor)) == K and p not in neighbor, (how, neighbor, score)
        assert all(first(q, "category") == first(p, "category") for q in neighbor)
        assert done.json["filled"] == filled.sum() > len(NAMES)
        assert akin("evaluate", "filled.nc", "--json").json["coverage"] == 1


def test_a_long_category_is_asked_in_parts():
    """Lists of few are the heads of lists of many, which ask all of the category at once."""
    r = np.random.default_rng(12)
    items = [dict(ITEMS[0], id=f"i{i:03d}", group=f"g{i // 2 * 37 % 150:03d}", price=str(r.integers(1, 60)), brand=f"b{r.integers(40)}")
             for i in range(300)]
    embed(items, (r.standard_normal((300, 12)) + 0.5).astype(np.float32), "long")
    akin("neighbors", "long.nc", "-o", "long-t.nc", "-k", 149, "--by", "group", "--min-score", 1, "--fill", "category")
    with netCDF4.Dataset("long-t.nc") as d:
        place = np.argsort([*d["neighbor"][0], 0])  # in the order in which products are offered
    for words in (["--same", "brand", "--different", "price"], ["--at-most", "brand=1", "--within", "price=-1..1"], ["--same", "brand", "--collapse-duplicates", 0.8]):
        tables = {}
        for k, ranks in ((200, 2), (1, 0), (2, 3), (5, 2)):
            akin("neighbors", "long.nc", "-o", "long-t.nc", "-k", k, "--by", "group", "--min-score", 0.75, "--fill", "category", *words, ranks=ranks)
            with netCDF4.Dataset("long-t.nc") as d:
                d.set_auto_mask(False)
                tables[k] = {name: d[name][...] for name in ("neighbor", "score", "picture", "neighbor_picture", "count", "filled")}
        many = tables.pop(200)
        for k, few in tables.items():
            for name in ("neighbor", "score", "picture", "neighbor_picture"):
                assert np.array_equal(few[name], many[name][:, :k]), (words, k, name)
            assert np.array_equal(few["count"], np.minimum(many["count"], k)) and (few["filled"] > 0).sum() > 20
            last = [few["neighbor"][p, count - 1] for p, count in enumerate(few["count"]) if few["filled"][p]]
            assert (place[last] > 2 * k + 8).sum() > 5, (words, k)  # not of the first part alone


def test_what_does_not_go_together_is_refused():
    assert "--by group" in akin("neighbors", "e.nc", "-o", "x.nc", "--pictures", "mean", expect=2).err
    assert not os.path.exists("x.nc")


def test_pairs_are_counted():
    """Of every kind of table and of its separate passes: no more pairs are computed than there are, and none is scored twice."""
    embed(ITEMS[:100], ROWS[:100].astype(np.float32), "base")
    products, base = len(NAMES), len({item["group"] or item["id"] for item in ITEMS[:100]})
    group, mean, against = ["--by", "group"], ["--by", "group", "--pictures", "mean"], ["--against", "base.nc"]
    for words, pairs, passed in (
            ([], N * (N - 1), 1), (group, N * (N - 1), 1), (mean, products * (products - 1), 1), (against, N * 100, 1), (group + against, N * 100, 1),
            (mean + against, products * base, 1), (["--damp-hubs"], N * (N - 1), 2), (mean + ["--damp-hubs"], products * (products - 1), 2),
            (["--collapse-duplicates", 0.9, "--same", "brand"], N * (N - 1), 2), (["--same-category", "--boost", "price=0.1"], N * (N - 1), 1)):
        for ranks in (1, 3):
            j = akin("neighbors", "e.nc", "-o", "counted.nc", "-k", K, "--json", *words, ranks=ranks).json
            assert j["pairs"] == pairs and abs(j["pairs_computed"] + j["pairs_skipped"] - passed * pairs) < 1, (words, j)
            assert j["pairs_skipped"] >= 0 and 0 < j["pairs_scored"] <= j["pairs_computed"], (words, j)


if __name__ == "__main__":
    main(globals())
