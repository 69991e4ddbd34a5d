"""neighbors: 20,000 x 32 equal to brute force in float64; the same table at any rank count and CPU path; ids; refusals."""

import os
import struct
import time

import netCDF4
import numpy as np
from support import akin, assert_same_variables, fresh, main

work = fresh("neighbors")
os.chdir(work)
BOUND = 1.01 * 32 * 2.0**-24  # of a float32 dot product of 32 products, as src/dot.c documents it


def unit(x):
    x = x.astype(np.float64)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def read(path):
    with netCDF4.Dataset(path) as d:
        d.set_auto_mask(False)
        d.set_auto_chartostring(False)  # of netCDF4 1.6 splits wrongly where a character has two bytes
        table = {name: d[name][...] for name in ("neighbor", "score", "count", "category", "group", "available")}
        return table | {name: [row.tobytes().rstrip(b"\0").decode() for row in d[name][...]] for name in ("id", "category_name")}


def assert_exact(table, x, k):
    """Every list is as good as that of float64, and the same where its scores differ by more than the bound."""
    u = unit(x).astype(np.float64)
    clear_rows = 0
    for first in range(0, len(u), 2000):
        s = u[first:first + 2000] @ u.T
        rows = np.arange(first, first + len(s))
        s[np.arange(len(s)), rows] = -2
        best = np.argpartition(-s, k, axis=1)[:, :k + 1]
        best = np.take_along_axis(best, np.argsort(-np.take_along_axis(s, best, 1), axis=1), 1)
        scores, mine = np.take_along_axis(s, best, 1), np.take_along_axis(s, table["neighbor"][rows], 1)
        assert np.abs(mine - scores[:, :k]).max() <= 2 * BOUND, "an entry is not the best that is left"
        assert np.abs(mine - table["score"][rows]).max() <= BOUND + 2.0**-23
        clear = (scores[:, :-1] - scores[:, 1:] > 2 * BOUND).all(axis=1)
        assert (table["neighbor"][rows][clear] == best[clear, :k]).all()
        clear_rows += clear.sum()
    assert clear_rows > 0.9 * len(u)
    assert (np.diff(table["score"], axis=1) <= 0).all() and (table["count"] == k).all()


def test_brute_force_and_ranks():
    x = np.random.default_rng(7).standard_normal((20000, 32)).astype(np.float32)
    np.save("big.npy", x)
    report = akin("neighbors", "big.npy", "-o", "big.nc", "--json").json
    assert report["items"] == 20000 and report["k"] == 20 and report["dim"] == 32 and report["unusable"] == 0
    assert report["pairs"] == 20000 * 19999
    assert abs(report["pairs_per_second"] * report["seconds_compute"] / report["pairs"] - 1) < 1e-9
    table = read("big.nc")
    assert_exact(table, x, 20)
    assert table["id"] == [str(i) for i in range(20000)] and (table["available"] == 1).all()
    assert (table["category"] == -1).all() and (table["group"] == -1).all() and table["category_name"] == [""]
    for ranks in (2, 3):
        akin("neighbors", "big.npy", "-o", "again.nc", ranks=ranks)
        assert_same_variables("big.nc", "again.nc")


def test_cpu_paths_agree():
    np.save("small.npy", np.random.default_rng(8).standard_normal((3000, 33)).astype(np.float32))
    akin("neighbors", "small.npy", "-o", "auto.nc", "-k", "7")
    akin("neighbors", "small.npy", "-o", "portable.nc", "-k", "7", "--cpu", "portable", ranks=2)
    assert_same_variables("auto.nc", "portable.nc")


def test_heads_ties_and_unusable():
    r = np.random.default_rng(9)
    x = r.standard_normal((300, 8)).astype(np.float16).astype(np.float32)
    x[10:200:10] = x[5]                       # many the same to the bit
    x[7], x[8, 2], x[9, 0] = 0, np.nan, np.inf
    np.save("odd.npy", x)
    np.save("odd16.npy", x.astype(np.float16))
    done = akin("neighbors", "odd.npy", "-o", "k100.nc", "-k", "100", "--json")
    assert done.json["unusable"] == 3 and "odd.npy: 3 rows are zero or not finite and get no neighbours: row 7, row 8, row 9 (" in done.err, done.err
    akin("neighbors", "odd16.npy", "-o", "k10.nc", "-k10", ranks=2)
    many, few = read("k100.nc"), read("k10.nc")
    assert (many["neighbor"][:, :10] == few["neighbor"]).all() and (many["score"][:, :10] == few["score"]).all()
    assert many["score"].max() == 1 and many["score"].min() >= -1
    same = [5] + list(range(10, 200, 10))
    for i in same:
        others = [j for j in same if j != i]
        assert list(many["neighbor"][i, :len(others)]) == others and (many["score"][i, :len(others)] == 1).all()
    for i in (7, 8, 9):
        assert many["count"][i] == 0 and (many["neighbor"][i] == -1).all() and (many["score"][i] == 0).all()
        assert not (many["neighbor"] == i).any()
    assert not (many["neighbor"] == np.arange(300)[:, None]).any()


def test_the_rate_is_by_all_pairs():
    """Of all items, also those that take no part, and what the night before has compared."""
    x = np.random.default_rng(10).standard_normal((3000, 8)).astype(np.float32)
    np.save("rated.npy", x)
    akin("neighbors", "rated.npy", "-o", "rated.nc")
    x[2000:] = np.nan
    np.save("later.npy", x)
    for words in (["rated.npy", "--damp-hubs"], ["later.npy", "--previous", "rated.nc", "--previous-embeddings", "rated.npy"]):
        done = akin("neighbors", *words, "-o", "later.nc", "--json", ranks=2).json
        assert done["pairs"] == 3000 * 2999
        assert abs(done["pairs_per_second"] * done["seconds_compute"] / done["pairs"] - 1) < 1e-9


def test_what_is_probably_not_wanted_is_said():
    x = np.random.default_rng(11).standard_normal((90, 8)).astype(np.float32)
    np.save("apart.npy", x)
    said = akin("neighbors", "apart.npy", "-o", "apart.nc", "-k", "3", "--min-score", "0.999", ranks=2).err
    assert "apart.nc: none of 90 items has a neighbour; --min-score 0.999 may be too high" in said, said
    said = akin("neighbors", "apart.npy", "-o", "apart.nc", "-k", "89").err
    assert "has a neighbour" not in said and "no list can" not in said, said
    said = akin("neighbors", "apart.npy", "-o", "apart.nc", "-k", "90", ranks=2).err
    assert said.count("k = 90: no list can have more than 89 neighbours, of 90 items") == 1, said
    x[[5, 20, 60, 80]] = 0
    np.save("apart.npy", x)
    said = akin("neighbors", "apart.npy", "-o", "apart.nc", "-k", "3", ranks=3).err
    assert "4 rows are zero or not finite and get no neighbours: row 5, row 20, row 60 and others (counted from 0)" in said, said
    said = akin("neighbors", "apart.npy", "-o", "apart.nc", "--same-category", expect=2).err
    assert "no item of apart.npy has a category" in said and "akin embed CATALOG --from" in said, said


def test_more_neighbours_than_items():
    np.save("three.npy", np.eye(3, 4, dtype=np.float32))
    akin("neighbors", "three.npy", "-o", "three.nc", "-k", "5", ranks=4)
    t = read("three.nc")
    assert t["neighbor"].tolist() == [[1, 2, -1, -1, -1], [0, 2, -1, -1, -1], [0, 1, -1, -1, -1]]
    assert (t["count"] == 2).all() and (t["score"] == 0).all()
    np.save("one.npy", np.ones((1, 2), dtype=np.float32))
    report = akin("neighbors", "one.npy", "-o", "one.nc", "--json", ranks=2).json
    assert report["pairs"] == 0 and read("one.nc")["count"].tolist() == [0]


def test_min_score_and_availability():
    angles = np.radians([0, 10, 20, 90])
    np.save("fan.npy", np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32))
    done = akin("neighbors", "fan.npy", "-o", "fan.nc", "-k", "3", "--min-score", "0.9", "--only-available", ranks=2)
    assert done.err.count("--only-available has no effect: the rows of fan.npy are all available") == 1, done.err
    assert read("fan.nc")["neighbor"].tolist() == [[1, 2, -1], [0, 2, -1], [1, 0, -1], [-1, -1, -1]]
    akin("neighbors", "fan.npy", "-o", "fan.nc", "--min-score=-0.5", "-k", "1")
    assert read("fan.nc")["count"].tolist() == [1, 1, 1, 1]


def test_ids():
    np.save("ids.npy", np.eye(3, dtype=np.float32))
    good = "äpfel, 'n' \"birnen\"\r\nb\na"
    open("ids.txt", "wb").write(b"\xef\xbb\xbf" + good.encode())
    akin("neighbors", "ids.npy", "-o", "ids.nc", "--ids", "ids.txt", ranks=2)
    assert read("ids.nc")["id"] == ["äpfel, 'n' \"birnen\"", "b", "a"]  # a .npy keeps its own order
    for content, word in ((b"a\nb\n", "2 ids"), (b"a\nb\nc\nd\n", "4 ids"), (b"a\nb\na\n", "twice"), (b"a\n\nc\n", "empty"),
                          (b"a\n\xff\nc\n", "UTF-8"), (b"a\nb\tb\nc\n", "tab"), (b"a\nb\nc\n\n", "empty"), (b"", "0 ids")):
        open("bad.txt", "wb").write(content)
        ranks = 2 if word == "twice" else 0
        assert word in akin("neighbors", "ids.npy", "-o", "no.nc", "--ids", "bad.txt", ranks=ranks, expect=3).err
    akin("neighbors", "ids.npy", "-o", "no.nc", "--ids", "missing.txt", expect=1)
    assert not os.path.exists("no.nc")


def test_refusals():
    ok = np.ones((4, 3), dtype=np.float32)
    for name, array, word in (("double", ok.astype(np.float64), "<f8"), ("swapped", ok.astype(">f4"), ">f4"),
                              ("fortran", np.asfortranarray(ok), "Fortran"), ("flat", ok.ravel(), "1 dimension"),
                              ("deep", ok[None], "3 dimensions"), ("none", ok[:0], "empty"), ("thin", ok[:, :1], "1 column"),
                              ("wide", np.ones((2, 2049), np.float32), "2049 columns"), ("whole", ok.astype(np.int32), "<i4")):
        np.save(f"{name}.npy", array)
        message = akin("neighbors", f"{name}.npy", "-o", "no.nc", expect=3, ranks=2 if name == "wide" else 0).err
        assert word in message and f"{name}.npy" in message, message
    np.save("edge.npy", np.ones((2, 2048), np.float32))
    akin("neighbors", "edge.npy", "-o", "edge.nc")
    np.save("good.npy", ok)
    whole = open("good.npy", "rb").read()
    for length in (0, 5, 9, 60, len(whole) - 1):
        open("cut.npy", "wb").write(whole[:length])
        akin("neighbors", "cut.npy", "-o", "no.nc", expect=3)
    open("cut.npy", "wb").write(whole + b"x")
    akin("neighbors", "cut.npy", "-o", "no.nc", expect=3)
    open("text.npy", "w").write("hello, this is no array")
    akin("neighbors", "text.npy", "-o", "no.nc", expect=3)
    akin("neighbors", "not-there.npy", "-o", "no.nc", expect=1)
    akin("neighbors", ".", "-o", "no.nc", expect=1)
    akin("neighbors", "good.npy", "-o", "no-folder/no.nc", expect=1, ranks=2)
    for words in ((), ("-o", "good.npy"), ("-o", "no.nc", "-k", "0"), ("-o", "no.nc", "-k", "-3"), ("-o", "no.nc", "-k", "65537"), ("-o", "no.nc", "-k", "2.5"),
                  ("-o", "no.nc", "--same-category"), ("-o", "no.nc", "--exclude-same-group"), ("-o", "no.nc", "--min-score", "x"),
                  ("-o", "no.nc", "--min-score", "nan"), ("-o", "no.nc", "--same-categroy"), ("good.npy", "-o", "no.nc")):
        akin("neighbors", "good.npy", *words, expect=2)
    akin("neighbors", "-o", "no.nc", expect=2)
    assert not os.path.exists("no.nc")
    failed = akin("neighbors", "good.npy", "-o", "no.nc", "--same-category", "--json", expect=2, ranks=2).json
    assert failed["status"] == "failed" and failed["exit"] == 2 and "--same-category" in failed["message"]


def test_memory_failures_end_all_ranks():
    np.save("some.npy", np.random.default_rng(3).standard_normal((200, 8)).astype(np.float32))
    failures = 0
    for nth in (1, 45, 49, 53, 57, 61, 66, 69, 74):
        env = {"AKIN_MEM_FAIL_AT": str(nth), "AKIN_MEM_FAIL_RANK": "1"}
        start = time.time()
        done = akin("neighbors", "some.npy", "-o", "maybe.nc", "--quiet", ranks=2, expect=None, env=env, timeout=60)
        assert done.code in (0, 1) and time.time() - start < 30, (nth, done.code, done.err)
        failures += done.code == 1
    assert failures >= 7


main(globals())
