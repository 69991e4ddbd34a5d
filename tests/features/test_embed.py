"""Laws of `akin embed`: unit vectors, a function of picture and model alone: the same bits at any number of ranks, in
any catalogue, computed or taken from a previous night; labels come along; what it refuses."""

import csv
import os
import shutil

import netCDF4
import numpy

from support import akin, assert_same_variables, draw, draw_catalogue, fresh, main, variables

N = 61
folder = fresh("embed")
os.chdir(folder)
draw_catalogue("night1", N)
akin("ingest", "night1/catalog.csv", "-o", "night1.nc")
TRAIN = ["--epochs", 2, "--batch", 32, "--objective", "reconstruction", "--features", "autoencoder"]
akin("train", "night1.nc", "-o", "model.nc", *TRAIN)
akin("train", "night1.nc", "-o", "other.nc", *TRAIN, "--seed", 2)


def vectors(path):
    with netCDF4.Dataset(path) as d:
        ids = [bytes(row).rstrip(b"\0").decode() for row in variable(d, "id")]
        return dict(zip(ids, variable(d, "embedding")))


def variable(dataset, name):
    dataset.set_auto_maskandscale(False)
    dataset.set_auto_chartostring(False)
    return dataset[name][...]


def second_night():
    """The pictures of the first: some gone, one changed, two new, one under another id, so all rows move."""
    shutil.copytree("night1", "night2")
    with open("night1/catalog.csv") as f:
        rows = list(csv.reader(f))
    head, rows = rows[0], rows[1:]
    draw("night2/p7.png", 1007)
    draw("night2/new.png", 1008)
    rows = [row for i, row in enumerate(rows) if i % 10 != 3]
    rows += [["a-new-one", "new.png", "hats", "", "yes"], ["zz-copy", "p5.png", "bags", "", "yes"]]
    with open("night2/catalog.csv", "w", newline="") as f:
        csv.writer(f).writerows([head, *rows])
    akin("ingest", "night2/catalog.csv", "-o", "night2.nc")
    return len(rows)


def test_same_bits_at_any_number_of_ranks():
    akin("embed", "night1.nc", "--model", "model.nc", "-o", "one.nc")
    for ranks in (1, 2, 3, 4):
        akin("embed", "night1.nc", "--model", "model.nc", "-o", "many.nc", ranks=ranks)
        assert_same_variables("one.nc", "many.nc")
    akin("embed", "night1.nc", "--model", "other.nc", "-o", "many.nc")
    assert variables("one.nc")["embedding"] != variables("many.nc")["embedding"]


def test_rows_are_unit_vectors_with_their_labels():
    j = akin("embed", "night1.nc", "--model", "model.nc", "-o", "one.nc", "--json", ranks=2).json
    assert (j["status"], j["items"], j["dim"]) == ("ok", N, 32) and j["images_per_second"] > 0, j
    with netCDF4.Dataset("one.nc") as d:
        x = variable(d, "embedding")
        assert x.dtype == numpy.float32 and x.shape == (N, 32) and d["embedding"].dimensions == ("item", "feature")
        assert abs((x.astype(numpy.float64) ** 2).sum(1) - 1).max() < 1e-6
        assert numpy.unique(x, axis=0).shape[0] == N
    a, b = variables("night1.nc"), variables("one.nc")
    for name in ("id", "category", "group", "category_name", "group_name", "available"):
        assert a[name] == b[name], name


def test_previous_night():
    n = second_night()
    akin("embed", "night1.nc", "--model", "model.nc", "-o", "night1e.nc")
    akin("embed", "night2.nc", "--model", "model.nc", "-o", "anew.nc")
    for ranks in (1, 2, 3):
        done = akin("embed", "night2.nc", "--model", "model.nc", "--previous", "night1e.nc", "-o", "kept.nc", "--json",
                    ranks=ranks)
        assert done.json["items"] == n and done.json["computed"] == 2, done.json
        assert_same_variables("anew.nc", "kept.nc")
    one, two = vectors("night1e.nc"), vectors("kept.nc")
    assert (one["item-0005"] == two["zz-copy"]).all() and (one["item-0007"] != two["item-0007"]).any()
    done = akin("embed", "night1.nc", "--model", "model.nc", "--previous", "night1e.nc", "-o", "all.nc", "--json")
    assert done.json["computed"] == 0 and not done.json["images_per_second"], done.json
    assert_same_variables("night1e.nc", "all.nc")


def test_previous_of_another_model():
    akin("embed", "night1.nc", "--model", "other.nc", "-o", "others.nc")
    done = akin("embed", "night1.nc", "--model", "model.nc", "--previous", "others.nc", "-o", "x.nc", expect=3, ranks=2)
    assert "others.nc" in done.err and "another model" in done.err, done.err
    assert not os.path.exists("x.nc")


def test_previous_of_pictures_shrunk_otherwise():
    draw("night1/wide.png", 5, size=64)
    with open("night1/wide.csv", "w") as f:
        f.write("id,path\nwide,wide.png\n")
    from PIL import Image
    Image.open("night1/wide.png").crop((0, 0, 64, 30)).save("night1/wide.png")
    for fit in ("stretch", "pad"):
        akin("ingest", "night1/wide.csv", "--fit", fit, "-o", f"{fit}.nc")
    akin("embed", "stretch.nc", "--model", "model.nc", "-o", "stretch_e.nc")
    akin("embed", "pad.nc", "--model", "model.nc", "-o", "pad_e.nc")
    done = akin("embed", "pad.nc", "--model", "model.nc", "--previous", "stretch_e.nc", "-o", "pad_p.nc", "--json")
    assert done.json["computed"] == 1, done.json
    assert_same_variables("pad_e.nc", "pad_p.nc")
    assert variables("stretch_e.nc")["embedding"] != variables("pad_e.nc")["embedding"]


def test_one_item_that_is_the_mean():
    draw_catalogue("single", 1)
    akin("ingest", "single/catalog.csv", "-o", "single.nc")
    akin("train", "single.nc", "-o", "single_m.nc", *TRAIN)
    akin("embed", "single.nc", "--model", "single_m.nc", "-o", "single_e.nc", ranks=3)
    (vector,) = vectors("single_e.nc").values()
    assert abs((vector**2).sum() - 1) < 1e-6


def test_a_rank_without_memory_ends_all():
    akin("embed", "night1.nc", "--model", "model.nc", "-o", "whole.nc")
    codes = []
    for n in (30, 90, 150, 210, 270):
        codes.append(akin("embed", "night1.nc", "--model", "model.nc", "-o", "x.nc", ranks=3, expect=None,
                          env={"AKIN_MEM_FAIL_AT": str(n), "AKIN_MEM_FAIL_RANK": "1"}).code)
        if codes[-1] == 0:
            assert_same_variables("whole.nc", "x.nc")
            os.remove("x.nc")
        assert not os.path.exists("x.nc")
    assert set(codes) <= {0, 1} and codes.count(1) >= 2, codes


def test_what_is_refused():
    for turn, (code, words, told) in enumerate((
        (2, ["embed", "night1.nc", "-o", "x.nc"], "--model"),
        (2, ["embed", "night1.nc", "--model", "model.nc"], "-o"),
        (1, ["embed", "missing.nc", "--model", "model.nc", "-o", "x.nc"], "missing.nc"),
        (1, ["embed", "night1.nc", "--model", "missing.nc", "-o", "x.nc"], "missing.nc"),
        (1, ["embed", "night1.nc", "--model", "model.nc", "--previous", "missing.nc", "-o", "x.nc"], "missing.nc"),
        (3, ["embed", "night1.nc", "--model", "night1.nc", "-o", "x.nc"], "night1.nc"),
        (3, ["embed", "model.nc", "--model", "model.nc", "-o", "x.nc"], "model.nc"),
        (1, ["embed", "night1.nc", "--model", "model.nc", "-o", "no/folder/x.nc"], "no/folder"),
    )):
        done = akin(*words, expect=code, ranks=2 * (turn % 2))
        assert told in done.err, (words, done.err)
    assert not [name for name in os.listdir(".") if name.startswith("x.nc")]


main(globals())
