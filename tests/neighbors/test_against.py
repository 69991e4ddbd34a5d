"""neighbors --against: for each item of one catalogue the neighbours from another, equal to brute force with the rules of both, the
same at 1 to 3 ranks, published and measured with the other catalogue's ids."""

import csv
import json
import os
import subprocess
import time

import netCDF4
import numpy as np
from support import akin, assert_same_variables, command, draw, fresh, main

os.chdir(fresh("against"))
R = np.random.default_rng(3)
K = 7


def draw_item(id, none, brands):
    return {"id": id, "path": "p.png", "category": "" if R.random() < none else str(R.choice(["bags", "hats", "shoes"])),
            "group": str(R.choice([f"g{g}" for g in range(9)])), "available": str(int(R.random() < 0.8)),
            "brand": "" if R.random() < none else str(R.choice(brands)), "price": "" if R.random() < none else str(R.integers(1, 90))}


def draw_rows(n):
    """Rows whose products are exact."""
    rows = np.zeros((n, 24), np.float32)
    for i in range(n):
        rows[i, R.permutation(24)[:16]] = R.choice([-0.25, 0.25], 16)
    return rows


def write(name, items, rows):
    with open(f"{name}.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, list(items[0]))
        writer.writeheader()
        writer.writerows(items)
    np.save(f"{name}.npy", rows)
    with open(f"{name}.txt", "w") as f:
        f.writelines(f"{item['id']}\n" for item in items)
    akin("ingest", f"{name}.csv", "-o", f"{name}-catalog.nc", "--attributes", "brand:label price:number")
    akin("embed", f"{name}-catalog.nc", "--from", f"{name}.npy", "--ids", f"{name}.txt", "-o", f"{name}.nc")


def embed(name, n, none, brands):
    items, rows = [draw_item(f"{name}-{i:04d}", none, brands) for i in range(n)], draw_rows(n)
    write(name, items, rows)
    return items, rows


def pass_night(name, items, rows, brands):
    """Some go, some come, some change in their vector or their price."""
    items, rows = [dict(item) for item in items], rows.copy()
    for i in R.choice(len(items), 4, replace=False):
        items[i]["price"] = str(R.integers(1, 90))
    rows[R.choice(len(items), 3, replace=False)] = draw_rows(3)
    keep = np.sort(R.permutation(len(items))[3:])
    items = [items[i] for i in keep] + [draw_item(f"{items[i]['id']}x", 0.1, brands) for i in R.choice(keep, 4, replace=False)]
    rows = np.concatenate([rows[keep], draw_rows(4)])
    order = sorted(range(len(items)), key=lambda i: items[i]["id"])
    items, rows = [items[i] for i in order], rows[order]
    write(name, items, rows)
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


def exact(rules, new=None, old=None):
    (new, new_rows), (old, old_rows) = new or (NEW, NEW_ROWS), old or (OLD, OLD_ROWS)
    scores = new_rows.astype(np.float64) @ old_rows.T.astype(np.float64)
    lists = []
    for i, a in enumerate(new):
        rows = [j for j in np.lexsort((np.arange(len(old)), -scores[i])) if allowed(a, old[j], rules)][:K]
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


def test_query_and_why():
    """The answers are rows of the table; the ranks are places among the other catalogue's items, also where an id is in both."""
    words = WORDS["brand"] + WORDS["only"] + ["-k", K]
    same = [dict(item, id=other["id"]) for item, other in zip(NEW[:20], OLD)] + NEW[20:]
    write("named", same, NEW_ROWS)
    akin("neighbors", "named.nc", "--against", "old.nc", "-o", "named-table.nc", *words)
    lists, scores = exact(["brand", "only"]), NEW_ROWS.astype(np.float64) @ OLD_ROWS.T.astype(np.float64)
    for i, ranks in ((3, 0), (30, 2), (59, 3)):
        expected = [[OLD[j]["id"], float(np.float32(score))] for j, score in lists[i]]
        answer = akin("query", "named.nc", "--id", same[i]["id"], "--against", "old.nc", *words, "--json", ranks=ranks).json
        assert answer["neighbors"] == expected == akin("query", "named.nc", "--id", same[i]["id"], "--table", "named-table.nc", "--json").json["neighbors"]
        assert answer["items"] == len(OLD)
        for j in (3, *(int(b) for b, _ in lists[i][:2])):
            told = akin("query", "named.nc", "--id", same[i]["id"], "--against", "old.nc", "--why", OLD[j]["id"], *words, "--json", ranks=ranks).json
            order = list(np.lexsort((np.arange(len(OLD)), -scores[i])))
            may = [b for b in order if allowed(NEW[i], OLD[b], ["brand", "only"])]
            assert told["cosine"] == scores[i, j] and told["rank_without_rules"] == order.index(j) + 1, (i, j, told)
            assert told["rank"] == (may.index(j) + 1 if j in may else None), (i, j, told)
    assert "did you mean 'old-000" in akin("query", "new.nc", "--id", NEW[0]["id"], "--against", "old.nc", "--why", "old-000l", expect=3).err
    assert "--against names" in akin("query", "named.nc", "--id", same[0]["id"], "--table", "named-table.nc", "--against", "new.nc", expect=3).err


def assert_lists(path, expected):
    with netCDF4.Dataset(path) as d:
        d.set_auto_maskandscale(False)
        neighbor, score, count = d["neighbor"][:], d["score"][:], d["count"][:]
    for i, one in enumerate(expected):
        assert count[i] == len(one) and list(neighbor[i, :len(one)]) == [j for j, _ in one], i
        assert np.array_equal(score[i, :len(one)], np.float32([s for _, s in one]))


def test_a_night_that_builds_upon_the_one_before():
    """Either catalogue may have changed; ids may be those of the other catalogue too."""
    same = [dict(item, id=other["id"]) for item, other in zip(NEW[:20], OLD)] + NEW[20:]
    write("shared", same, NEW_ROWS)
    new, old = pass_night("new2", same, NEW_ROWS, ["Ace", "Bolt", "Cup"]), pass_night("old2", OLD, OLD_ROWS, ["Bolt", "Dot", "Ace"])
    limited = ["--at-most", "brand=2"]
    for case, words in enumerate([[], WORDS["brand"] + WORDS["price"], [w for r in WORDS for w in WORDS[r]], limited, ["--boost", "price=0.2"]]):
        rules = [] if case in (0, 3, 4) else ["brand", "price"] if case == 1 else list(WORDS)
        base = ["-k", K, "--json", *words]
        akin("neighbors", "shared.nc", "--against", "old.nc", "-o", "t.nc", *base, ranks=1 + case % 3)
        for name, targets, before in (("old", (OLD, OLD_ROWS), []), ("old2", old, ["--previous-against", "old.nc"]))[case % 2 if case else 0:]:
            akin("neighbors", "new2.nc", "--against", f"{name}.nc", "-o", "full.nc", *base, ranks=1 + (case + 1) % 3)
            done = akin("neighbors", "new2.nc", "--against", f"{name}.nc", "-o", "delta.nc", "--previous", "t.nc", "--previous-embeddings", "shared.nc", *before,
                        *base, ranks=1 + (case + 2) % 3)
            assert_same_variables("full.nc", "delta.nc")
            if case < 3:
                assert_lists("full.nc", exact(rules, new, targets))
            assert done.json["kept"] > 20 or case >= 3, (case, name, done.json)
            assert done.json["kept"] > 0 or case == 4, (case, name, done.json)
    akin("neighbors", "shared.nc", "--against", "old.nc", "-o", "t.nc", *base[:3])
    words = ["--previous", "t.nc", "--previous-embeddings", "shared.nc", "-k", K, "--json"]
    done = akin("neighbors", "new2.nc", "--against", "old2.nc", "-o", "delta.nc", *words, ranks=2)
    assert done.json["kept"] == 0 and "--previous-against" in done.err, done.err
    akin("neighbors", "new2.nc", "--against", "old2.nc", "-o", "full.nc", "-k", K)
    assert_same_variables("full.nc", "delta.nc")
    assert "--against" in akin("neighbors", "new2.nc", "-o", "x.nc", "--previous-against", "old.nc", expect=2).err


def test_an_interrupted_run_goes_on():
    """Stopped again and again, at other rank counts, first in the pass over the other catalogue, the table is the one of a run in
    one piece."""
    r = np.random.default_rng(7)
    np.save("many.npy", r.standard_normal((7000, 128)).astype(np.float32))
    np.save("more.npy", r.standard_normal((11000, 128)).astype(np.float32))
    words = ["neighbors", "many.npy", "--against", "more.npy", "-k", K, "--collapse-duplicates", "0.3"]
    akin(*words, "-o", "one.nc")
    interrupted, said = 0, ""
    for turn, ranks in enumerate((1, 2, 3, 1)):
        saved = "parts.nc.checkpoint" if turn else "parts.nc.checkpoint.duplicates"
        process = subprocess.Popen(command([*words, "-o", "parts.nc", "--checkpoint-every", 0], ranks), stderr=subprocess.PIPE, text=True)
        before = os.stat(saved).st_mtime_ns if os.path.exists(saved) else None
        while process.poll() is None and (not os.path.exists(saved) or os.stat(saved).st_mtime_ns == before):
            time.sleep(0.002)
        process.send_signal(10)
        said += process.communicate(timeout=120)[1]
        if process.returncode == 0:
            break
        assert process.returncode == 75, said
        interrupted += 1
    said += akin(*words, "-o", "parts.nc").err
    assert interrupted > 0 and "resuming from" in said and "resuming from parts.nc.checkpoint.duplicates" in said, said
    assert_same_variables("one.nc", "parts.nc")
    assert not [name for name in os.listdir(".") if name.startswith("parts.nc.") and name != "parts.nc.spare"]


def duplicates(old, rows, rules, least):
    """Which items of the other catalogue look the same, as a table of it alone has them."""
    scores, of = rows.astype(np.float64) @ rows.T.astype(np.float64), np.full(len(old), -1)
    for i, a in enumerate(old):
        if "only" in rules and a["available"] == "0":
            continue
        close = [j for j in range(i) if of[j] < 0 and scores[i, j] >= least and allowed(a, old[j], rules)]
        of[i] = close[0] if close else -1
    return of


def refined(rules, new, old, least=None, fill=False):
    """Lists and how many of each were filled in."""
    (new, new_rows), (old, old_rows) = new, old
    scores = new_rows.astype(np.float64) @ old_rows.T.astype(np.float64)
    of = duplicates(old, old_rows, rules, least) if least else np.full(len(old), -1)
    category = np.array([b["category"] for b in old])
    lists, filled = [], []
    for i, a in enumerate(new):
        list_ = [j for j in np.lexsort((np.arange(len(old)), -scores[i])) if of[j] < 0 and allowed(a, old[j], rules) and (scores[i, j] >= 0.25 or "score" not in rules)][:K]
        held = len(list_)
        if fill and a["category"]:
            rows = [j for j in np.flatnonzero((category == a["category"]) & (of < 0)) if not ("only" in rules and old[j]["available"] == "0")]
            values = old_rows[rows].astype(np.float64) @ old_rows[rows].astype(np.float64).sum(axis=0)
            for j in np.array(rows, int)[np.lexsort((rows, -values))]:
                if len(list_) < K and j not in list_ and not ("group" in rules and a["group"] == old[j]["group"]):
                    list_.append(j)
        lists.append([(j, scores[i, j]) for j in list_])
        filled.append(len(list_) - held)
    return lists, np.array(filled), of


MIN = ["--min-score", "0.25"]
REFINED = ((["only", "score"], 0.5, True), (["category", "group", "score"], None, True), ([], 0.5, False), (["only", "category", "group", "score"], 0.375, True))


def test_duplicates_and_fill_are_those_of_brute_force():
    new, old = (NEW, NEW_ROWS), (OLD, OLD_ROWS)
    for rules, least, fill in REFINED:
        words = [word for rule in rules for word in WORDS.get(rule, MIN)] + (["--collapse-duplicates", least] if least else []) + (["--fill", "category"] if fill else [])
        lists, filled, of = refined(rules, new, old, least, fill)
        for ranks in (0, 2, 3):
            done = akin("neighbors", "new.nc", "--against", "old.nc", "-o", f"t{ranks}.nc", "-k", K, "--json", *words, ranks=ranks).json
        assert_same_variables("t0.nc", "t2.nc")
        assert_same_variables("t0.nc", "t3.nc")
        assert_lists("t0.nc", lists)
        with netCDF4.Dataset("t0.nc") as d:
            d.set_auto_maskandscale(False)
            if fill:
                assert np.array_equal(d["filled"][:], filled) and done["filled"] == filled.sum() and (filled.sum() > 0 or "category" not in rules)
            if least:
                assert np.array_equal(d["target_duplicate_of"][:], of) and done["duplicates"] == (of >= 0).sum() > 5 and "duplicate_of" not in d.variables
                report = akin("evaluate", "t0.nc", "--json", ranks=2).json
                assert report["duplicates"] == (of >= 0).sum() == akin("inspect", "t0.nc", "--json", ranks=3).json["duplicates"]
                assert report["targets"] == len(OLD) and report["never_recommended"] == len(OLD) - len({j for one in lists for j, _ in one})


def test_duplicates_and_fill_on_a_night_that_builds_upon_the_one_before():
    new, old = pass_night("new3", NEW, NEW_ROWS, ["Ace", "Bolt"]), pass_night("old3", OLD, OLD_ROWS, ["Bolt", "Dot"])
    for case, (rules, least, fill) in enumerate(REFINED):
        words = [word for rule in rules for word in WORDS.get(rule, MIN)] + (["--collapse-duplicates", least] if least else []) + (["--fill", "category"] if fill else [])
        words += ["-k", K, "--score", "calibrated"] if case == 0 else ["-k", K]
        akin("neighbors", "new.nc", "--against", "old.nc", "-o", "t.nc", *words, ranks=2)
        akin("neighbors", "new3.nc", "--against", "old3.nc", "-o", "full.nc", *words)
        done = akin("neighbors", "new3.nc", "--against", "old3.nc", "-o", "delta.nc", "--previous", "t.nc", "--previous-embeddings", "new.nc",
                    "--previous-against", "old.nc", *words, "--json", ranks=3)
        assert_same_variables("full.nc", "delta.nc")
        assert done.json["kept"] > 10, done.json
        if case:
            assert_lists("full.nc", refined(rules, new, old, least, fill)[0])


def test_scores_are_shares_of_the_pairs_between_the_two():
    akin("neighbors", "new.nc", "--against", "old.nc", "-o", "plain.nc", "-k", K)
    pairs = np.sort((NEW_ROWS.astype(np.float64) @ OLD_ROWS.T.astype(np.float64)).ravel())
    for ranks in (0, 3):
        akin("neighbors", "new.nc", "--against", "old.nc", "-o", f"c{ranks}.nc", "-k", K, "--score", "calibrated", ranks=ranks)
    assert_same_variables("c0.nc", "c3.nc")
    with netCDF4.Dataset("plain.nc") as d, netCDF4.Dataset("c0.nc") as e:
        assert (d["neighbor"][:] == e["neighbor"][:]).all()
        assert abs(e["score"][:] - np.searchsorted(pairs, d["score"][:], side="left") / len(pairs)).max() < 1e-6
    r = np.random.default_rng(5)
    a, b = (r.standard_normal((n, 8)).astype(np.float32) for n in (500, 1500))
    np.save("some.npy", a)
    np.save("many.npy", b + np.float32(0.3))
    for ranks in (0, 2):
        akin("neighbors", "some.npy", "--against", "many.npy", "-o", f"many{ranks}.nc", "-k", K, "--score", "calibrated", ranks=ranks)
    assert_same_variables("many0.nc", "many2.nc")
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b + np.float32(0.3)))
    pairs = np.sort((a @ b.T).ravel())
    with netCDF4.Dataset("many0.nc") as d:
        found = np.interp(pairs[::1000], d["calibration_cosine"][:], d["calibration_share"][:])
    assert abs(found - np.arange(0, len(pairs), 1000) / len(pairs)).max() < 0.006  # 4 deviations of 131,072 pairs


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
    assert "category" in akin("neighbors", "new.npy", "--against", "old.npy", "-o", "x.nc", "--fill", "category", expect=2).err
    akin("neighbors", "new.nc", "--against", "absent.nc", "-o", "x.nc", expect=1)
    akin("neighbors", "new.npy", "--against", "old.npy", "-o", "x.nc", "--same", "brand", expect=2)
    assert not os.path.exists("x.nc")


if __name__ == "__main__":
    main(globals())
