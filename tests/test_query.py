"""query: an item's answer is its row of the table, to the bit, at any rank count; what cannot be asked is refused."""

import os

import netCDF4
import numpy as np
from support import akin, fresh, main

work = fresh("query")
os.chdir(work)


def read(path):
    with netCDF4.Dataset(path) as d:
        d.set_auto_mask(False)
        d.set_auto_chartostring(False)
        ids = [row.tobytes().rstrip(b"\0").decode() for row in d["id"][...]]
        return ids, d["neighbor"][...], d["score"][...], d["count"][...]


def pairs(done):
    """What was printed: [(id, score)]."""
    return [(line.split("\t")[0], np.float32(line.split("\t")[1])) for line in done.out.splitlines()]


def assert_row(source, table, item, *words, ranks=0):
    ids, neighbor, score, count = table
    expected = [(ids[j], s) for j, s in zip(neighbor[item], score[item])][:count[item]]
    found = pairs(akin("query", source, "--id", ids[item], *words, ranks=ranks))
    assert found == expected, (source, ids[item], words, found, expected)
    return expected


def test_rows_of_the_table():
    r = np.random.default_rng(1)
    x = r.standard_normal((500, 16)).astype(np.float32)
    x[100:110] = x[7]
    x[3] = 0
    np.save("x.npy", x)
    open("ids.txt", "w").writelines(f"größe {i}\n" for i in range(500))
    words = ("--ids", "ids.txt", "-k", "12", "--min-score", "0.1")
    akin("neighbors", "x.npy", "-o", "x.nc", *words)
    table = read("x.nc")
    for item, ranks in ((0, 0), (7, 0), (105, 3), (499, 4), (250, 2)):
        assert assert_row("x.npy", table, item, *words, ranks=ranks)
    assert assert_row("x.npy", table, 3, *words) == []
    as_json = akin("query", "x.npy", "--id", "größe 7", *words, "--json", ranks=2).json
    assert [(i, np.float32(s)) for i, s in as_json["neighbors"]] == assert_row("x.npy", table, 7, *words)
    assert as_json["neighbors"][0][1] == 1 and as_json["items"] == 500
    np.save("one.npy", x[:1])
    assert akin("query", "one.npy", "--id", "0", ranks=2).out == ""


def test_refusals():
    assert "did you mean 'größe 77'" in akin("query", "x.npy", "--ids", "ids.txt", "--id", "größe 77x", expect=3, ranks=3).err
    akin("query", "x.npy", expect=2)
    akin("query", "x.npy", "--id", "1", "--image", "x.png", "--model", "m.nc", expect=2)
    akin("query", "x.npy", "--image", "x.png", expect=2, ranks=2)
    akin("query", "x.npy", "--id", "1", "--same-category", expect=2)
    akin("query", "x.npy", "--id", "1", "-k", "0", expect=2)
    akin("query", "x.npy", "--id", "1", "--id-file", "x", expect=2)
    akin("query", "--id", "1", expect=2)
    akin("query", "not-there.nc", "--id", "1", expect=1)
    failed = akin("query", "x.npy", "--id", "nobody", "--json", expect=3).json
    assert failed["status"] == "failed" and failed["exit"] == 3 and "nobody" in failed["message"]


main(globals())
