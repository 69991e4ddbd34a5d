"""neighbors --aspect: lists by some parts of the vectors alone, of models that join parts side by side and of models that mix them, equal
to numpy; the same at any number of ranks."""

import os

import netCDF4
import numpy as np
from support import akin, assert_same_variables, draw_catalogue, fresh, main

N, K = 60, 7
os.chdir(fresh("aspect"))
draw_catalogue("things", N)
for name, words in (("beside", ["--dim", 128, "--features", "handcrafted"]), ("mixed", ["--dim", 24, "--features", "handcrafted"]),
                    ("fused", ["--dim", 16, "--features", "fused", "--steps", 1, "--batch", 16])):
    os.makedirs(name)
    akin("ingest", "things/catalog.csv", "-o", f"{name}/catalog.nc")
    akin("train", f"{name}/catalog.nc", "-o", f"{name}/model.nc", "--tune", "none", *words)
    akin("embed", f"{name}/catalog.nc", "--model", f"{name}/model.nc", "-o", f"{name}/embeddings.nc")


def read(path, *names):
    with netCDF4.Dataset(path) as d:
        d.set_auto_mask(False)
        return [np.array(d[n][...]) for n in names]


def parts_of(name):
    """{part: its columns in the joined vector}, as in `query --why`."""
    parts, at = {}, 0
    for part in akin("query", f"{name}/embeddings.nc", "--id", "item-0001", "--why", "item-0002", "--json").json["parts"]:
        parts[part["part"]] = slice(at, at + part["columns"])
        at += part["columns"]
    return parts


def neighbors(name, *words, ranks=0, out="t.nc", **more):
    return akin("neighbors", f"{name}/embeddings.nc", "-o", out, "-k", K, *words, ranks=ranks, **more)


def assert_lists(path, rows):
    neighbor, score = read(path, "neighbor", "score")
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    product = unit @ unit.T
    np.fill_diagonal(product, -2)
    best = -np.sort(-product, axis=1)[:, :K]
    assert abs(score - best).max() < 2e-6
    assert abs(np.take_along_axis(product, neighbor.astype(int), axis=1) - best).max() < 2e-6


def test_the_parts_that_can_be_named():
    """As inspect lists them, and as a wrong name is answered; each of them makes a table."""
    for name in ("beside", "mixed", "fused"):
        listed = akin("inspect", f"{name}/model.nc", "--json", ranks=3).json["parts"]
        assert listed == {part: columns.stop - columns.start for part, columns in parts_of(name).items()}, (name, listed)
        line = next(line for line in akin("inspect", f"{name}/model.nc").out.splitlines() if line.startswith("parts "))
        assert line.split(None, 1)[1] == ", ".join(f"{part} {columns}" for part, columns in listed.items()), line
        message = neighbors(name, "--aspect", "looks", "--json", expect=2).json["message"]
        assert message.endswith("have no part \"looks\"; they have " + ", ".join(listed)), message
        for part in listed:
            neighbors(name, "--aspect", part)


def test_parts_that_lie_side_by_side():
    (rows,), parts = read("beside/embeddings.nc", "embedding"), parts_of("beside")
    for asked in (["colour"], ["edges"], ["texture", "colour"]):
        neighbors("beside", "--aspect", ",".join(asked))
        assert_lists("t.nc", np.hstack([rows[:, columns] for part, columns in parts.items() if part in asked]).astype(float))
        neighbors("beside", "--aspect", ",".join(asked), ranks=3, out="t3.nc")
        assert_same_variables("t.nc", "t3.nc")


def test_parts_that_a_map_mixes():
    """The same parts of the same catalogue without a map give the same lists: the map hides nothing."""
    neighbors("beside", "--aspect", "colour", out="plain.nc")
    neighbors("mixed", "--aspect", "colour", ranks=2)
    assert_same_variables("plain.nc", "t.nc")
    for part in parts_of("fused"):
        neighbors("fused", "--aspect", part, out=f"{part}.nc")
        neighbors("fused", "--aspect", part, ranks=2)
        assert_same_variables("t.nc", f"{part}.nc")
    lists = [read(f"{part}.nc", "neighbor")[0] for part in parts_of("fused")]
    assert all((a != b).any() for i, a in enumerate(lists) for b in lists[:i])


def test_with_rules_and_products_and_more_ranks_than_items():
    neighbors("mixed", "--aspect", "colour", "--same-category", "--exclude-same-group", ranks=2)
    neighbor, category = read("t.nc", "neighbor", "category")
    assert all(category[i] == category[o] for i in range(N) for o in neighbor[i] if o >= 0)
    neighbors("mixed", "--aspect", "colour", "--by", "group", "--pictures", "mean", ranks=2, out="g2.nc")
    neighbors("mixed", "--aspect", "colour", "--by", "group", "--pictures", "mean", out="g.nc")
    assert_same_variables("g2.nc", "g.nc")


def test_a_night_that_builds_upon_the_one_before():
    """With that night's catalogue and model in the folder of its embeddings; without them everything is computed."""
    os.makedirs("before")
    with open("things/catalog.csv") as f, open("things/less.csv", "w") as g:
        g.writelines(line for i, line in enumerate(f) if i % 20 != 3)
    akin("ingest", "things/less.csv", "-o", "before/catalog.nc")
    os.link("mixed/model.nc", "before/model.nc")
    akin("embed", "before/catalog.nc", "--model", "before/model.nc", "-o", "before/embeddings.nc")
    before = ["--previous", "b.nc", "--previous-embeddings", "before/embeddings.nc", "--json"]
    for words in ([], ["--by", "group", "--pictures", "mean"]):
        words = ["--aspect", "colour,texture", *words]
        neighbors("before", *words, out="b.nc", ranks=2)
        neighbors("mixed", *words, out="full.nc")
        done = neighbors("mixed", *words, *before, ranks=3)
        assert_same_variables("full.nc", "t.nc")
        assert done.json["kept"] > 20, done.json
    os.rename("before/catalog.nc", "before/other.nc")
    done = neighbors("mixed", *words, *before, ranks=2)
    assert_same_variables("full.nc", "t.nc")
    assert done.json["kept"] == 0 and "everything is computed again" in done.err, done.err


def test_against_another_catalogue():
    """The parts of both are those of the one model; also with duplicates collapsed, calibrated, and from night to night."""
    draw_catalogue("elsewhere", N + 7)
    os.makedirs("base")
    akin("ingest", "elsewhere/catalog.csv", "-o", "base/catalog.nc")
    akin("embed", "base/catalog.nc", "--model", "mixed/model.nc", "-o", "base/embeddings.nc")
    akin("embed", "base/catalog.nc", "--model", "beside/model.nc", "-o", "base/beside.nc")
    columns = parts_of("beside")["colour"]
    (a,), (b,) = read("beside/embeddings.nc", "embedding"), read("base/beside.nc", "embedding")
    a, b = (rows[:, columns].astype(float) / np.linalg.norm(rows[:, columns].astype(float), axis=1, keepdims=True) for rows in (a, b))
    base = ["--aspect", "colour", "--against", "base/embeddings.nc"]
    neighbors("mixed", *base)
    neighbor, score = read("t.nc", "neighbor", "score")
    best = -np.sort(-(a @ b.T), axis=1)[:, :K]
    assert abs(score - best).max() < 2e-6 and abs(np.take_along_axis(a @ b.T, neighbor.astype(int), axis=1) - best).max() < 2e-6
    os.rename("base/catalog.nc", "base/pictures.nc")
    assert "--against-catalog" in neighbors("mixed", *base, "--against-catalog", "mixed/catalog.nc", ranks=2, expect=3).err
    words = [*base, "--against-catalog", "base/pictures.nc", "--collapse-duplicates", "0.75", "--fill", "category", "--score", "calibrated"]
    neighbors("mixed", *words, out="one.nc")
    assert (read("one.nc", "target_duplicate_of")[0] >= 0).any()
    for ranks in (2, 3):
        neighbors("mixed", *words, ranks=ranks)
        assert_same_variables("one.nc", "t.nc")
    with open("elsewhere/catalog.csv") as f, open("elsewhere/less.csv", "w") as g:
        g.writelines(line for i, line in enumerate(f) if i % 20 != 5)
    os.makedirs("base2")
    akin("ingest", "elsewhere/less.csv", "-o", "base2/catalog.nc")
    akin("embed", "base2/catalog.nc", "--model", "mixed/model.nc", "-o", "base2/embeddings.nc")
    os.link("base/pictures.nc", "base/catalog.nc")
    words = ["--aspect", "colour", "--against", "base2/embeddings.nc", *words[6:]]
    neighbors("mixed", *words, out="full.nc")
    done = neighbors("mixed", *words, "--previous", "one.nc", "--previous-embeddings", "mixed/embeddings.nc", "--previous-against", "base/embeddings.nc", "--json", ranks=2)
    assert_same_variables("full.nc", "t.nc")
    assert done.json["kept"] > 10, done.json


def test_files_and_refusals():
    said = neighbors("mixed", "--aspect", "colour,taste", ranks=2, expect=2).err
    assert "taste" in said and "colour, edges, texture" in said, said
    assert "colour" in neighbors("mixed", "--aspect", "latent", expect=2).err
    assert "--model" in neighbors("mixed", "--aspect", "colour", "--model", "fused/model.nc", ranks=2, expect=3).err
    draw_catalogue("others", N - 1)
    akin("ingest", "others/catalog.csv", "-o", "other.nc")
    assert "--catalog" in neighbors("mixed", "--aspect", "colour", "--catalog", "other.nc", ranks=2, expect=3).err
    assert "--aspect" in neighbors("mixed", "--catalog", "other.nc", expect=2).err
    assert "same model" in neighbors("mixed", "--aspect", "colour", "--against", "beside/embeddings.nc", ranks=2, expect=3).err
    assert "--against" in neighbors("mixed", "--aspect", "colour", "--against-catalog", "other.nc", expect=2).err
    np.save("v.npy", np.eye(5, dtype=np.float32))
    assert "--aspect" in akin("neighbors", "v.npy", "-o", "x.nc", "--aspect", "colour", ranks=2, expect=2).err
    assert not os.path.exists("x.nc")


def test_a_table_of_a_job():
    with open("job.ini", "w") as f:
        f.write("[job]\nname = a\noutput = out\n[ingest]\nsource = things/catalog.csv\n[train]\nfeatures = handcrafted\ntune = none\ndim = 24\n"
                "[neighbors]\nk = 5\n[table colour]\nk = 5\naspect = colour\n[publish]\nto = file:out/{table}.jsonl\n"
                "[gallery]\nenabled = yes\n")
    akin("run", "job.ini", ranks=2)
    a, b = read("out/table.nc", "neighbor")[0], read("out/table-colour.nc", "neighbor")[0]
    assert (a != b).any() and os.path.exists("out/colour.jsonl") and os.path.exists("out/gallery/tables/colour/index.html")
    akin("neighbors", "out/embeddings.nc", "-o", "alone.nc", "-k", 5, "--aspect", "colour")
    assert_same_variables("alone.nc", "out/table-colour.nc")
    assert "up to date" in akin("run", "job.ini").err


if __name__ == "__main__":
    main(globals())
