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
