"""What evaluate reports about hubs and approved lists equals a count from the table; publish refuses by it."""

import os

import numpy as np

import random_rules
from support import akin, assert_same_variables, draw, draw_catalogue, fresh, main
from tables import OPEN, lists_of, make_table

os.chdir(fresh("golden"))
N, K = 230, 5
IDS = [f"i{i:03d}" for i in range(N)]
VECTORS = np.random.default_rng(4).standard_normal((N, 6)).astype(np.float32)
VECTORS[:, 0] += np.linspace(0, 4, N)  # some items are in many lists
make_table("t.nc", VECTORS, IDS, K)
LISTS = {i: [n for n, _ in near] for i, near in lists_of("t.nc").items()}


def write(name, rows):
    with open(name, "w") as f:
        f.write("".join(row + "\n" for row in rows))


def test_hubs():
    times = {i: 0 for i in IDS}
    for near in LISTS.values():
        for n in near:
            times[n] += 1
    ordered = sorted(times.values(), reverse=True)
    share = sum(ordered[: (N + 99) // 100]) / sum(ordered)
    for ranks in (0, 2, 3):
        j = akin("evaluate", "t.nc", "--json", ranks=ranks).json
        assert abs(j["hub_share"] - share) < 1e-12 and 0.02 < share < 1, (j, share)
        assert j["never_recommended"] == sum(t == 0 for t in ordered) > 0
        assert j["at_most_once"] == sum(t <= 1 for t in ordered)
        assert "golden" not in j
    told = akin("evaluate", "t.nc").out
    assert "hub_share" in told and "never_recommended" in told and "at_most_once" in told


def test_what_no_list_may_hold():
    """Items that are not available and collapsed duplicates are counted apart from those that could be in a list."""
    vectors, gone = VECTORS.copy(), set(IDS[::9])
    vectors[41:49:2] = vectors[40:48:2]  # four duplicates
    duplicates = set(IDS[41:49:2])
    draw("p.png", 1)
    random_rules.embed("stock-e", [{**dict.fromkeys(random_rules.COLUMNS, ""), "id": i, "path": "p.png", "available": str(int(i not in gone))} for i in IDS], vectors)
    for words, barred, why in (([], set(), None), (["--only-available"], gone, "not available"), (["--collapse-duplicates", 1], duplicates, "duplicates"),
                               (["--only-available", "--collapse-duplicates", 1], gone | duplicates, "not available, or duplicates")):
        akin("neighbors", "stock-e.nc", "-o", "stock.nc", "-k", K, *words)
        held = {n for near in lists_of("stock.nc").values() for n, _ in near}
        assert barred.isdisjoint(held)
        for ranks in (0, 3):
            j = akin("evaluate", "stock.nc", "--json", ranks=ranks).json
            assert (j["never_recommended"], j["not_recommendable"]) == (N - len(held), len(barred)), (words, j)
        lines = [line for line in akin("evaluate", "stock.nc").out.splitlines() if line.startswith("not_recommendable")]
        assert [line.split(": ")[1] for line in lines] == ([why] if why else []), lines


def pairs():
    """Half of the items with two right pairs, one of them twice; five with one right and two wrong."""
    rows, right, wrong = [], 0, 0
    for i in IDS[:100]:
        rows += [f"{i},{LISTS[i][0]}", f"{i},{LISTS[i][K - 1]}", f"{i},{LISTS[i][0]}"]
        right += 2
    for i in IDS[100:105]:
        others = [j for j in IDS if j != i and j not in LISTS[i]][:2]
        rows += [f"{i},{LISTS[i][1]}", *(f"{i},{j}" for j in others)]
        right, wrong = right + 1, wrong + 2
    return rows, right, right + wrong


def test_approved_lists():
    rows, right, count = pairs()
    write("g.csv", ["id,neighbor", *rows, f"gone,{IDS[0]}", f"{IDS[1]},lost", "gone,lost"])
    for ranks in (0, 3):
        done = akin("evaluate", "t.nc", "--golden", "g.csv", "--json", ranks=ranks)
        j = done.json
        assert (j["golden_pairs"], j["golden_found"], j["golden_unknown"]) == (count, right, 3), j
        assert abs(j["golden"] - right / count) < 1e-12 and j["golden_unknown_ids"] == ["gone", "lost"]
        assert j["golden_worst"] == [{"id": i, "pairs": 3, "found": 1} for i in IDS[100:105]]
        assert "gone, lost" in done.err
    assert "golden" in akin("evaluate", "t.nc", "--golden", "g.csv").out
    write("strangers.csv", ["id,neighbor", "x,y"])
    j = akin("evaluate", "t.nc", "--golden", "strangers.csv", "--json").json
    assert j["golden"] is None and j["golden_pairs"] == 0 and j["golden_unknown"] == 1


def test_the_gate():
    rows, right, count = pairs()
    for ranks in (0, 2):
        to = f"t{ranks}"
        done = akin("publish", "t.nc", "--to", f"file:{to}.csv", *OPEN, "--golden", "g.csv", "--min-golden", right / count + 0.001,
                    "--json", ranks=ranks, expect=4)
        assert "golden" in done.json["message"] and not os.path.exists(f"{to}.csv")
        assert [g for g in done.json["gates"] if g["gate"] == "min-golden"][0]["refused"]
        done = akin("publish", "t.nc", "--to", f"file:{to}.csv", *OPEN, "--golden", "g.csv", "--min-golden", right / count, "--json",
                    ranks=ranks)
        assert done.json["golden"] == right / count and done.json["golden_unknown"] == 3 and os.path.exists(f"{to}.csv")
    # Without the option the limit is 0.9.
    write("wrong.csv", [f"{IDS[0]},{IDS[1]}" if IDS[1] not in LISTS[IDS[0]] else f"{IDS[0]},{IDS[2]}"])
    akin("publish", "t.nc", "--to", "file:w.csv", *OPEN, "--golden", "wrong.csv", expect=4)
    akin("publish", "t.nc", "--to", "file:w.csv", *OPEN, "--min-golden", 0.5, expect=2)
    akin("publish", "t.nc", "--to", "file:w.csv", *OPEN, "--golden", "absent.csv", expect=1)
    write("one.csv", ["a"])
    akin("publish", "t.nc", "--to", "file:w.csv", *OPEN, "--golden", "one.csv", expect=3, ranks=2)


def test_a_gate_that_cannot_be_judged_refuses():
    """Strangers beside known pairs are only counted; by strangers alone, or by nothing, nobody can judge."""
    for name, text in (("nothing.csv", ""), ("header.csv", "id,neighbor\n"), ("strangers.csv", "id,neighbor\nx,y\n"),
                       ("columns.csv", f"rank,id,score\n1,{IDS[0]},{IDS[1]}\n"), ("self.csv", f"{IDS[0]},{IDS[0]}\n")):
        with open(name, "w") as f:
            f.write(text)
        for ranks in (0, 2):
            done = akin("publish", "t.nc", "--to", "file:u.csv", *OPEN, "--golden", name, "--json", ranks=ranks, expect=4)
            message = done.json["message"]
            assert f"golden cannot be judged, --min-golden is 0.9: {name} has no pair id,neighbor of two items in the table" in message, message
            gate = [g for g in done.json["gates"] if g["gate"] == "min-golden"][0]
            assert gate["refused"] and gate["measured"] is None and not os.path.exists("u.csv"), gate
        akin("publish", "t.nc", "--to", "file:u.csv", *OPEN, "--golden", name, "--min-golden", 0)  # every share would pass
        os.remove("u.csv")


def embed(side, count, seed):
    """side.nc of items in products of two or three pictures, and some without a group; returns the product of each item."""
    r, products = np.random.default_rng(seed), {}
    ids = [f"{side}{i:03d}" for i in range(count)]
    with open(f"{side}.csv", "w") as f:
        f.write("id,path,group\n")
        for i, name in enumerate(ids):
            group = "" if i % 7 == 0 else f"g{(7 * i) % (count // 3):02d}"  # in another order than the ids
            products[name] = group or name
            f.write(f"{name},p.png,{group}\n")
    np.save(f"{side}.npy", r.standard_normal((count, 6)).astype(np.float32))
    write(f"{side}.txt", ids)
    akin("ingest", f"{side}.csv", "-o", f"{side}-catalog.nc")
    akin("embed", f"{side}-catalog.nc", "--from", f"{side}.npy", "--ids", f"{side}.txt", "-o", f"{side}.nc")
    return products


def test_pairs_of_items_count_for_their_products():
    """Of products as they are found, in product order, by means, and of two catalogues, at any number of ranks."""
    draw("p.png", 1)
    a, b = embed("a", 120, 1), embed("b", 90, 2)
    r = np.random.default_rng(3)
    for more, others in (([], a), (["--pictures", "mean"], a), (["--against", "b.nc"], b)):
        approved = [(x, y) for x in r.choice(list(a), 60) for y in r.choice(list(others), 4)]
        for ranks in (0, 3):
            akin("neighbors", "a.nc", "-o", f"p{ranks}.nc", "-k", 9, "--by", "group", *more, ranks=ranks)
        assert_same_variables("p0.nc", "p3.nc")
        lists = {i: [n for n, _ in near] for i, near in lists_of("p3.nc").items()}
        apart = {(a[x], others[y]) for x, y in approved if others is b or a[x] != a[y]}
        found = sum(q in lists[p] for p, q in apart)
        assert 5 < found < len(apart)
        some = approved[:40] + [(a[x], others[y]) for x, y in approved[40:80]] + [(a[x], y) for x, y in approved[80:]]  # both ways
        write("items.csv", ["id,neighbor", *(f"{x},{y}" for x, y in some), "gone,a001"])
        same = sum(others is a and a[x] == a[y] for x, y in approved)
        for ranks in (0, 2):
            done = akin("evaluate", "p3.nc", "--golden", "items.csv", "--json", ranks=ranks)
            j = done.json
            assert (j["golden_pairs"], j["golden_found"], j["golden_unknown"]) == (len(apart), found, same + 1), j
            assert j["golden_unknown_ids"][0] == "gone" and all(worst["id"] in lists for worst in j["golden_worst"])
            assert (f"passed over in p3.nc; the table lacks these ids: gone; {same} because both ids are of one item or product" in done.err) == (same > 0), done.err
        j = akin("publish", "p3.nc", "--to", "file:p.csv", *OPEN, "--golden", "items.csv", "--min-golden", 0, "--json").json
        assert (j["golden"], j["golden_unknown"]) == (found / len(apart), same + 1), j
        if others is a:
            j = akin("evaluate", "p3.nc", "--pairs", "items.csv", "--json", ranks=2).json
            pairs = {tuple(sorted(pair)) for pair in apart}
            assert (j["pairs"], j["pairs_unknown"]) == (len(pairs), same + 1), j
            assert abs(j["pairs_found"] - sum(p in lists[q] or q in lists[p] for p, q in pairs) / len(pairs)) < 1e-12


def test_a_night_of_products_is_measured_by_pairs_of_items():
    """Without a warning, before the run or in it; the pairs hold for tables of items and of products alike."""
    with open(draw_catalogue("shop", 24)) as f:
        rows = [line.split(",")[:2] for line in f][1:]
    items = [name for name, _ in rows]
    write("shop.csv", ["id,path,group", *(f"{name},shop/{path},p{n // 3}" for n, (name, path) in enumerate(rows))])
    write("approved.csv", ["id,neighbor", *(f"{i},{items[(n + 9) % 24]}" for n, i in enumerate(items))])
    with open("shop.ini", "w") as f:
        f.write("[job]\noutput = shop-out\n[ingest]\nsource = shop.csv\n[train]\nfeatures = handcrafted\n[neighbors]\nk = 23\n[table products]\nby = group\n"
                "k = 7\n[table own]\nby = group\nk = 7\ngolden = approved.csv\n[publish]\ngolden = approved.csv\nto = file:shop-{table}.csv\n")
    for words in (("--check",), ()):
        done = akin("run", "shop.ini", "--json", *words, ranks=2)
        assert "approved.csv" not in done.err, done.err
    told = done.json["stages"]
    assert told["publish"]["golden_pairs"] == 24 and all(told["tables"][name]["publish"]["golden_pairs"] == 24 / 3 for name in ("products", "own")), told
    assert all(stage["golden"] == 1 for stage in (told["publish"], told["tables"]["products"]["publish"]))  # every list has everything


def test_a_run_sees_what_people_changed_in_the_files_that_it_reads():
    source = draw_catalogue("pictures", 24)
    with open("job.ini", "w") as f:
        f.write(f"[job]\noutput = out\n[ingest]\nsource = {source}\n[train]\nfeatures = handcrafted\n[neighbors]\nk = 3\n[evaluate]\n"
                "golden = ours.csv\npairs = bought.csv\n[publish]\ngolden = ours.csv\nmin-golden = 0.01\nto = file:out/t.csv\n")
    write("ours.csv", [f"item-{i:04d},item-{j:04d}" for i in range(24) for j in range(24)])
    write("bought.csv", ["nobody,nothing"])
    akin("run", "job.ini", ranks=2)
    ids = [line.split(",")[0] for line in open("out/t.csv")][1::3]
    lists = {i: [n for n, _ in near] for i, near in lists_of("out/table.nc").items()}
    skipped = lambda **more: {name: stage["skipped"] for name, stage in akin("run", "job.ini", "--json", **more).json["stages"].items()}
    assert all(skipped().values())
    write("bought.csv", [f"{ids[0]},{lists[ids[0]][0]}"])
    assert [name for name, it in skipped(ranks=2).items() if not it] == ["evaluate"]
    write("ours.csv", [f"{ids[0]},{lists[ids[0]][0]}"])
    assert [name for name, it in skipped().items() if not it] == ["evaluate", "publish"]
    strange = next(i for i in ids if i != ids[0] and i not in lists[ids[0]])
    write("ours.csv", [f"{ids[0]},{strange}"])
    akin("run", "job.ini", expect=4)
    assert all(skipped(expect=4)[name] for name in ("embed", "neighbors"))


if __name__ == "__main__":
    main(globals())
