"""`query --why`: the cosine, the share of each part, the rules and the ranks are what numpy and the lists say, at any number of
ranks."""

import os

import netCDF4
import numpy as np

from support import akin, draw_catalogue, fresh, main

N = 60
os.chdir(fresh("why"))
draw_catalogue("things", N)
akin("ingest", "things/catalog.csv", "-o", "things.nc")
for name, words in (("beside", ["--dim", 128]), ("once_more", ["--dim", 24]), ("steady", ["--dim", 16, "--features", "fused", "--steps", 1, "--batch", 16])):
    os.makedirs(name)
    akin("train", "things.nc", "-o", f"{name}/model.nc", "--tune", "none", *(words if "--features" in words else ["--features", "handcrafted", *words]))
    akin("embed", "things.nc", "--model", f"{name}/model.nc", "-o", f"{name}/e.nc")
IDS = [f"item-{i:04d}" for i in range(N)]


def read(path, *names):
    with netCDF4.Dataset(path) as d:
        d.set_auto_mask(False)
        return [np.array(d[n][...], float) for n in names]


def why(name, a, b, *words, ranks=0, **more):
    return akin("query", f"{name}/e.nc", "--id", IDS[a], "--why", IDS[b], "--json", *words, ranks=ranks, **more).json


def test_shares_of_parts_beside_each_other():
    rows, category, group = read("beside/e.nc", "embedding", "category", "group")
    assert rows.shape[1] == 128
    for a, b in ((0, 1), (3, 41), (59, 2)):
        j = why("beside", a, b)
        assert abs(j["cosine"] - rows[a] @ rows[b]) < 1e-6
        at = 0
        for part in j["parts"]:
            assert abs(part["share"] - rows[a, at : at + part["columns"]] @ rows[b, at : at + part["columns"]]) < 1e-6, part
            at += part["columns"]
        assert at == 128 and {p["part"] for p in j["parts"]} == {"colour", "edges", "texture"}


def test_shares_of_parts_that_are_projected_once_more():
    for name in ("once_more", "steady"):
        (rows,) = read(f"{name}/e.nc", "embedding")
        (axes,) = read(f"{name}/model.nc", "join_axes")
        back = rows @ np.linalg.pinv(axes)  # the shortest rows before the projection
        for a, b in ((0, 1), (7, 30)):
            j = why(name, a, b)
            terms = (back[a] * (axes @ rows[b]) + back[b] * (axes @ rows[a])) / 2
            at = 0
            for part in j["parts"]:
                assert abs(part["share"] - terms[at : at + part["columns"]].sum()) < 1e-5, (name, part)
                at += part["columns"]
            assert at == len(axes) and abs(sum(p["share"] for p in j["parts"]) - j["cosine"]) < 1e-5


def test_rules_and_ranks():
    category, group, available = read("beside/e.nc", "category", "group", "available")
    every = ("--same-category", "--exclude-same-group", "--only-available", "--min-score", "0.1")
    for a in (0, 4, 9):
        plain = [i for i, _ in akin("query", "beside/e.nc", "--id", IDS[a], "-k", N, "--json").json["neighbors"]]
        ruled = [i for i, _ in akin("query", "beside/e.nc", "--id", IDS[a], "-k", N, "--json", *every).json["neighbors"]]
        for b in (a + 1, 6, 13, 33):
            for ranks in (0, 3) if b == 13 else (0,):
                j = why("beside", a, b, *every, "-k", 3, ranks=ranks)
                assert j["rank_without_rules"] == plain.index(IDS[b]) + 1
                assert j["rank"] == (ruled.index(IDS[b]) + 1 if IDS[b] in ruled else None)
                assert j["in_list"] == (IDS[b] in ruled[:3])
                want = [category[a] >= 0 and category[a] == category[b], group[a] < 0 or group[a] != group[b], available[b] != 0,
                        j["cosine"] >= 0.1]
                assert [r["passes"] for r in j["rules"]] == [bool(w) for w in want] and all(r["asked"] for r in j["rules"])
    j = why("beside", 0, 1, "-k", N)
    assert not any(r["asked"] for r in j["rules"]) and j["in_list"] and j["rank"] == j["rank_without_rules"]


TABLES = {
    "diversity": ["-k", 5, "--diversity", 0.5],
    "duplicates": ["-k", 6, "--collapse-duplicates", 0.3, "--exclude-same-group"],
    "fill": ["-k", 12, "--min-score", 0.1, "--fill", "category", "--same-category"],
    "all": ["-k", 9, "--diversity", 0.6, "--collapse-duplicates", 0.35, "--fill", "category", "--min-score", 0.1, "--boost", "price=0.2", "--pins", "pins.csv"],
    "products": ["-k", 8, "--by", "group", "--diversity", 0.5, "--collapse-duplicates", 0.4, "--fill", "category", "--min-score", 0.15],
    "means": ["-k", 4, "--by", "group", "--pictures", "mean", "--diversity", 0.5, "--fill", "category", "--min-score", 0.2],
    "against": ["-k", 6, "--against", "other.nc", "--collapse-duplicates", 0.35, "--fill", "category", "--min-score", 0.15]}


def table_of(path):
    """Of each id: its neighbours, how many of them were pinned and filled in; and what stands for each that is recommended."""
    with netCDF4.Dataset(path) as d:
        d.set_auto_mask(False)
        names = [str(i) for i in d["id"][:]]
        others = [str(i) for i in d["target_id"][:]] if "target_id" in d.variables else names
        of = next((d[v][:] for v in ("target_duplicate_of", "duplicate_of") if v in d.variables), np.full(len(others), -1))
        pinned, filled = (d[v][:] if v in d.variables else np.zeros(len(names), int) for v in ("pinned", "filled"))
        lists = {name: ([others[j] for j in row if j >= 0], pinned[i], filled[i]) for i, (name, row) in enumerate(zip(names, d["neighbor"][:]))}
    return lists, {name: others[j] if j >= 0 else None for name, j in zip(others, of)}


def test_the_place_in_a_table_that_chooses():
    """Diversity, collapsed duplicates, filling and pins: what is told of a pair is what the table has."""
    with open("things/catalog.csv") as f:
        rows = [line.rstrip("\n") for line in f]
    with open("things/priced.csv", "w") as f:
        f.writelines([rows[0] + ",price\n", *(f"{row},{n % 7}\n" for n, row in enumerate(rows[1:]))])
    with open("pins.csv", "w") as f:
        f.write("".join(f"{i},{IDS[(n + 30) % N]}\n" for n, i in enumerate(IDS)))
    akin("ingest", "things/priced.csv", "-o", "priced.nc", "--attributes", "price:number")
    akin("embed", "priced.nc", "--model", "beside/model.nc", "-o", "priced-e.nc")
    akin("embed", "things.nc", "--model", "beside/model.nc", "-o", "other.nc")
    with netCDF4.Dataset("priced-e.nc") as d:
        rows = d["embedding"][:].data
        group = {str(i): str(d["group_name"][g]) if g >= 0 else str(i) for i, g in zip(d["id"][:], d["group"][:])}
    seen = {"places": 0, "filled": 0, "pinned": 0, "duplicates": 0, "left out": 0, "diversity": 0}
    for number, (name, words) in enumerate(TABLES.items()):
        akin("neighbors", "priced-e.nc", "-o", f"{name}.nc", *words)
        lists, of = table_of(f"{name}.nc")
        more = words[words.index("--by"): words.index("--by") + 2] if "--by" in words else []
        more += ["--against", "other.nc"] if name == "against" else []
        for a in list(lists)[number::23]:
            near, pinned, filled = lists[a]
            own = next(i for i, one in enumerate(IDS) if a in (one, group[one]))
            alike = [group[IDS[i]] if "--by" in words else IDS[i] for i in np.argsort(-(rows @ rows[own]))[:14]]
            for b in sorted({near[0], *near[-2:], *[o for o in alike if o not in near][:4], list(of)[40 % len(of)]} - ({a} if name != "against" else set())):
                done = akin("query", "priced-e.nc", "--id", a, "--why", b, "--table", f"{name}.nc", "--json", *more, ranks=3 if seen["places"] % 19 == 0 else 0)
                j, rank = done.json, near.index(b) + 1 if b in near else None
                assert (j["rank"], j["in_list"], j["duplicate_of"]) == (rank, rank is not None, of[b]), (name, a, b, j, near)
                assert j["filled"] == bool(rank and rank > len(near) - filled) and j["pinned"] == bool(rank and rank <= pinned), (name, a, b, j)
                assert "does not apply" not in done.err, done.err
                failed = [r["rule"].split()[0] for r in j["rules"] if r["asked"] and not r["passes"]]
                assert rank or failed or j["rank_by_rules"] is None or j["rank_by_rules"] > len(near) - filled, (name, a, b, j)
                assert ("collapse-duplicates" in failed) == bool(of[b] or (name != "against" and of.get(a) == b)), (name, a, b, j)
                assert "diversity" not in failed or rank is None
                for key, is_so in (("places", True), ("filled", j["filled"]), ("pinned", j["pinned"]), ("duplicates", of[b]), ("left out", not rank),
                                   ("diversity", "diversity" in failed and j["rank_by_rules"] <= len(near))):
                    seen[key] += bool(is_so)
    assert min(seen.values()) > 2, seen
    a = next(i for i, (near, pinned, filled) in table_of("fill.nc")[0].items() if filled and len(near) > filled)
    near, _, filled = table_of("fill.nc")[0][a]
    told = akin("query", "priced-e.nc", "--id", a, "--why", near[-1], "--table", "fill.nc", ranks=2).out
    assert f"rank                 {len(near)}  filled in" in told and "rank_by_rules        none  excluded by a rule" in told, told
    # With another k it is not the table's list that is asked for.
    done = akin("query", "priced-e.nc", "--id", a, "--why", near[-1], "--table", "fill.nc", "-k", 3, "--json")
    assert "--fill category, which a query does not apply" in done.err and "rank_by_rules" not in done.json


def test_the_list_of_a_table_that_chooses():
    """Without --why the answer is the table's row, scores included, whatever chose it; with another k it is that of the rules."""
    tables = {**TABLES, "calibrated": ["-k", 5, "--score", "calibrated", "--diversity", 0.7],
              "colour": ["-k", 4, "--aspect", "colour", "--model", "beside/model.nc", "--catalog", "priced.nc"]}
    for number, (name, words) in enumerate(tables.items()):
        akin("neighbors", "priced-e.nc", "-o", f"{name}.nc", *words)
        lists = table_of(f"{name}.nc")[0]
        with netCDF4.Dataset(f"{name}.nc") as d:
            scores = dict(zip(lists, d["score"][:].data))
        for a in list(lists)[number::21]:
            done = akin("query", "priced-e.nc", "--id", a, "--table", f"{name}.nc", "--json", ranks=number % 3)
            near = lists[a][0]
            told = [(b, np.float32(s)) for b, s in done.json["neighbors"]]
            assert told == list(zip(near, scores[a])) and not done.err, (name, a, done.err, told, near, scores[a])
    done = akin("query", "priced-e.nc", "--id", IDS[0], "--table", "calibrated.nc", "--json", "-k", 4, ranks=2)
    assert all(f"--{word}, which a query does not apply" in done.err for word in ("diversity 0.7", "score calibrated")), done.err
    # Another --pictures than the table's has other scores.
    done = akin("query", "priced-e.nc", "--by", "group", "--pictures", "best", "--id", "g0", "--table", "means.nc", "--json")
    assert "--diversity 0.5, which a query does not apply" in done.err
    assert "has no row" in akin("query", "priced-e.nc", "--id", "nobody", "--table", "diversity.nc", expect=3, ranks=3).err


def by_rules_alone(*words, **more):
    """The answer of the rules alone, with the warning."""
    done = akin("query", "priced-e.nc", *words, "--json", **more)
    assert "--diversity 0.5, which a query does not apply" in done.err and "rank_by_rules" not in done.json, (done.err, done.json)
    assert not [r for r in done.json["rules"] if "diversity" in r["rule"]]
    return done.json


def test_beyond_the_candidates_of_a_table():
    """Diversity chooses from 3 k or --pool candidates: what comes after them is beyond the end of the list, whatever it prefers."""
    a = IDS[4]
    for name, words, pool in (("diversity", [], 15), ("pool", ["--pool", 9], 9)):
        akin("neighbors", "priced-e.nc", "-o", f"{name}.nc", *TABLES["diversity"], *words)
        near = table_of(f"{name}.nc")[0][a][0]
        ranked = [i for i, _ in akin("query", "priced-e.nc", "--id", a, "-k", N - 1, "--json").json["neighbors"]]
        for b in (ranked[pool - 1], ranked[pool], ranked[-2]):
            told = akin("query", "priced-e.nc", "--id", a, "--why", b, "--table", f"{name}.nc", ranks=2).out
            is_candidate = ranked.index(b) < pool
            assert b not in near and f"rank_by_rules        {ranked.index(b) + 1}  " in told, told
            assert (f"rank                 none  {'excluded by a rule' if is_candidate else 'beyond the end of the list'}\n") in told, told
            assert ("diversity 0.5        does not pass" if is_candidate else "diversity 0.5        passes") in told, told


def test_rows_other_than_the_tables():
    """Where --by or --against is not the table's, its lists are not what is asked for."""
    with netCDF4.Dataset("priced-e.nc") as d:
        groups, of = [str(g) for g in d["group_name"][:]], d["group"][:].filled(-1)
        alone = [str(i) for i, g in zip(d["id"][:], of) if g < 0]
    akin("neighbors", "priced-e.nc", "-o", "diverse-products.nc", "-k", 5, "--by", "group", "--diversity", 0.5)
    j = by_rules_alone("--by", "group", "--id", groups[0], "--why", groups[1], "--table", "diversity.nc", ranks=2)
    assert j["picture"] and j["rank"]
    by_rules_alone("--against", "other.nc", "--id", IDS[0], "--why", IDS[1], "--table", "diversity.nc", ranks=2)
    by_rules_alone("--by", "item", "--id", IDS[0], "--why", IDS[1], "--table", "diverse-products.nc")
    by_rules_alone("--by", "group", "--id", alone[0], "--why", alone[1], "--table", "diversity.nc")


def test_files_of_rules_are_read_where_the_run_of_the_table_read_them():
    """Wherever the query is; not a file of the same name that is there."""
    near = [row.split("\t")[0] for row in akin("query", "beside/e.nc", "--id", IDS[0], "-k", 2).out.splitlines()]
    os.makedirs("shop/out")
    os.makedirs("elsewhere")
    with open("shop/blocks.csv", "w") as f:
        f.write(f"id,neighbor\n{IDS[0]},{near[0]}\n")
    os.chdir("shop")
    try:
        for output in ("out/t.nc", "./t.nc"):
            akin("neighbors", "../beside/e.nc", "-o", output, "-k", 5, "--blocks", "blocks.csv")
        words = ["query", "../beside/e.nc", "--id", IDS[0], "--why", near[0], "--json", "--table"]
        here = akin(*words, "out/t.nc").json
        os.chdir("../elsewhere")
        for ranks, table in ((0, "out/t.nc"), (2, "t.nc")):
            done = akin(*words, f"../shop/{table}", ranks=ranks)
            assert [rule["passes"] for rule in done.json["rules"]] == [rule["passes"] for rule in here["rules"]] == [True] * 4 + [False], done.json
            assert done.json["rank"] is None is here["rank"] and done.err == "", done.err
        with open("blocks.csv", "w") as f:
            f.write(f"id,neighbor\n{IDS[0]},{near[1]}\n")
        rows = akin("query", "../beside/e.nc", "--id", IDS[0], "--table", "../shop/out/t.nc").out
        assert rows.startswith(near[1]) and near[0] not in rows, rows
        os.rename("../shop/out/t.nc", "moved.nc")  # nobody knows any longer where its run was
        assert "other contents" in akin(*words, "moved.nc").err
    finally:
        os.chdir("..")


def test_the_text_and_what_is_refused():
    told = akin("query", "beside/e.nc", "--id", IDS[0], "--why", IDS[1], ranks=2).out
    assert all(word in told for word in ("cosine", "colour", "same-category", "not asked for", "rank_without_rules"))
    assert "excluded by a rule" not in told
    told = akin("query", "beside/e.nc", "--id", IDS[0], "--why", IDS[1], "--min-score", 0.9999).out
    assert "rank                 none  excluded by a rule" in told and told.count("excluded") == 1, told
    akin("query", "beside/e.nc", "--id", IDS[0], "--why", IDS[0], expect=2)
    akin("query", "beside/e.nc", "--image", "things/p0.png", "--model", "beside/model.nc", "--why", IDS[0], expect=2)
    assert IDS[3] in akin("query", "beside/e.nc", "--id", IDS[0], "--why", "item-0003x", expect=3, ranks=2).err
    akin("query", "beside/e.nc", "--id", IDS[0], "--why", IDS[1], "--model", "once_more/model.nc", expect=3, ranks=2)
    # Vectors without a model: all but the parts.
    rows = np.random.default_rng(1).standard_normal((20, 8)).astype(np.float32)
    rows[5] = 0
    np.save("v.npy", rows)
    for ranks in (0, 3):
        j = akin("query", "v.npy", "--id", 1, "--why", 2, "--json", ranks=ranks).json
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-9)
        assert j["parts"] == [] and abs(j["cosine"] - unit[1] @ unit[2]) < 1e-6
        j = akin("query", "v.npy", "--id", 1, "--why", 5, "--json", ranks=ranks).json
        assert j["cosine"] is None and j["rank"] is None


if __name__ == "__main__":
    main(globals())
