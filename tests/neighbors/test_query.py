"""query: an item's answer is its row of the table, to the bit, at any rank count; invalid queries are refused."""

import os

import netCDF4
import numpy as np
from PIL import Image
from support import akin, draw_catalogue, fresh, main

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
    assert akin("query", "x.npy", "--id", "größe 3", *words, ranks=2).err.count("no neighbours") == 1
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
    np.save("y.npy", np.eye(3, dtype="f4"))
    with open("y.txt", "w") as f:
        f.write("shirt-17\nshirt-18\nhat-3\n")
    assert "did you mean 'shirt-17'" in akin("query", "y.npy", "--ids", "y.txt", "--id", "SHIRT-17", expect=3, ranks=2).err
    assert "did you mean 'shirt-17'" in akin("query", "y.npy", "--ids", "y.txt", "--id", "shrit-17", expect=3).err
    for ranks in (0, 2):  # what is near to nothing is compared with nothing
        assert "did you mean" not in akin("query", "y.npy", "--ids", "y.txt", "--id", "nope", expect=3, ranks=ranks).err
    failed = akin("query", "x.npy", "--id", "nobody", "--json", expect=3).json
    assert failed["status"] == "failed" and failed["exit"] == 3 and "nobody" in failed["message"]


def make(name, *ingest):
    """A small catalogue, half of its pictures wide, with its embeddings by model.nc; made once."""
    if not os.path.exists("shop"):
        draw_catalogue("shop", 60)
        for i in range(0, 60, 2):
            Image.open(f"shop/p{i}.png").resize((60, 40)).save(f"shop/p{i}.png")
    akin("ingest", "shop/catalog.csv", "-o", f"{name}-catalog.nc", "--quiet", *ingest)
    if not os.path.exists("model.nc"):
        akin("train", f"{name}-catalog.nc", "-o", "model.nc", "--epochs", "1", "--features", "autoencoder", "--quiet")
    akin("embed", f"{name}-catalog.nc", "--model", "model.nc", "-o", f"{name}.nc", "--quiet", ranks=2)
    return f"{name}.nc"


def test_rules_as_in_the_table():
    source = make("stretch")
    for words in ((), ("--same-category",), ("--exclude-same-group",), ("--only-available", "-k", "60"),
                  ("--same-category", "--exclude-same-group", "--only-available", "--min-score=-0.2", "-k", "5")):
        akin("neighbors", source, "-o", "rules.nc", *words)
        table = read("rules.nc")
        for item, ranks in ((0, 0), (6, 3), (59, 0)):
            assert_row(source, table, item, *words, ranks=ranks)


def test_pictures_find_themselves():
    for fit in ("stretch", "pad", "crop"):
        source = make(fit, "--fit", fit)
        for item, ranks in ((0, 0), (7, 3), (58, 0)):
            found = pairs(akin("query", source, "--image", f"shop/p{item}.png", "--model", "model.nc", "-k", "3", ranks=ranks))
            same = [score for name, score in found if name == f"item-{item:04d}"]
            assert len(found) == 3 and same and abs(same[0] - 1) <= 1e-5 and found[0][1] <= 1 and found[0][1] >= same[0], (fit, found)
    as_json = akin("query", "pad.nc", "--image", "shop/p6.png", "--model", "model.nc", "--only-available", "--json").json
    assert "item-0006" not in [name for name, _ in as_json["neighbors"]]  # it is not available
    assert as_json["image"] == "shop/p6.png" and len(as_json["neighbors"]) == 20


def test_pictures_among_products_and_in_another_catalogue():
    source = make("stretch")
    with netCDF4.Dataset(source) as d:
        names = [str(d["group_name"][g]) if g >= 0 else str(id) for id, g in zip(d["id"][:], d["group"][:].filled(-1))]
        product = dict(zip([str(id) for id in d["id"][:]], names))
        category = {name: int(c) for name, c in reversed(list(zip(names, d["category"][:].filled(-1))))}  # of its first picture
    assert len(set(names)) < 50, names
    call = ("query", source, "--image", "shop/p7.png", "--model", "model.nc")
    for words in ((), ("--only-available", "--min-score=0.2")):
        every = pairs(akin(*call, "-k", "60", *words))
        best, scores = {}, {}
        for name, score in every:
            best.setdefault(product[name], score)
            scores.setdefault(product[name], []).append(score)
        assert pairs(akin(*call, "-k", "9", *words, "--against", source, ranks=2)) == every[:9]
        for ranks, more in ((0, ()), (3, ()), (2, ("--against", source))):
            found = pairs(akin(*call, "-k", "9", "--by", "group", *words, *more, ranks=ranks))
            assert found == list(best.items())[:9], (words, more, found)
            found = akin(*call, "-k", "9", "--by", "group", "--pictures", "mean", *more, ranks=ranks)
            if words:
                continue
            wanted = sorted(((np.mean(s), name) for name, s in scores.items()), reverse=True)[:9]
            assert np.allclose([score for _, score in pairs(found)], [score for score, _ in wanted], atol=1e-5), (more, found.out, wanted)
    limited = []
    for name, score in akin(*call, "-k", "60", "--by", "group", "--json").json["neighbors"]:
        if category[name] < 0 or sum(category[name] == category[other] for other, _ in limited) < 2:
            limited.append((name, score))
    for ranks, more in ((0, ()), (3, ()), (2, ("--against", source))):
        found = akin(*call, "-k", "5", "--by", "group", "--at-most", "category=2", "--json", *more, ranks=ranks).json["neighbors"]
        assert [tuple(pair) for pair in found] == limited[:5], (more, found, limited)
    assert limited[:5] != [tuple(pair) for pair in akin(*call, "-k", "5", "--by", "group", "--json").json["neighbors"]]


def test_pictures_that_are_refused():
    call = ("query", "stretch.nc", "--image")
    open("text.png", "w").write("no picture")
    open("cut.png", "wb").write(open("shop/p0.png", "rb").read()[:60])
    akin(*call, "not-there.png", "--model", "model.nc", expect=1, ranks=2)
    for broken in ("text.png", "cut.png"):
        assert broken in akin(*call, broken, "--model", "model.nc", expect=3).err
    akin(*call, "shop/p0.png", expect=2)
    akin(*call, "shop/p0.png", "--model", "model.nc", "--same-category", expect=2)
    akin(*call, "shop/p0.png", "--model", "not-there.nc", expect=1)
    akin(*call, "shop/p0.png", "--model", "stretch.nc", expect=3, ranks=2)
    akin("train", "stretch-catalog.nc", "-o", "other.nc", "--epochs", "1", "--features", "autoencoder", "--seed", "2", "--quiet")
    assert "other.nc" in akin(*call, "shop/p0.png", "--model", "other.nc", expect=3).err
    akin("query", "x.npy", "--image", "shop/p0.png", "--model", "model.nc", expect=3)
    akin("query", "model.nc", "--id", "x", expect=3)


main(globals())
