"""embed --from: vectors of another network become embeddings.nc: joined by id, whatever their order, the same at any rank
count; what does not match is reported; a job that brings its vectors trains nothing and goes on from night to night."""

import json
import os
import re
import shutil

import netCDF4
import numpy as np
from support import akin, assert_same_variables, draw_catalogue, fresh, main

work = fresh("adopt")
os.chdir(work)
N, DIM = 41, 512
CSV = draw_catalogue("shop", N)
akin("ingest", CSV, "-o", "catalog.nc")
R = np.random.default_rng(3)
X = R.standard_normal((N, DIM)).astype(np.float32) + R.standard_normal((3, DIM))[np.arange(N) % 3].astype(np.float32)
IDS = [f"item-{i:04d}" for i in range(N)]


def save(name, rows, ids):
    np.save(f"{name}.npy", rows)
    with open(f"{name}.txt", "w") as f:
        f.writelines(f"{i}\n" for i in ids)
    return f"{name}.npy", "--ids", f"{name}.txt"


def unit(x):
    x = x.astype(np.float64)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def read(path):
    with netCDF4.Dataset(path) as d:
        d.set_auto_mask(False)
        found = {name: d[name][...] for name in d.variables}
        found["attributes"] = {name: d.getncattr(name) for name in d.ncattrs()}
        return found


def test_joined_by_id_in_any_order():
    order = R.permutation(N)
    from_ = save("mixed", X[order], [IDS[i] for i in order])
    report = akin("embed", "catalog.nc", "--from", *from_, "-o", "e.nc", "--json").json
    assert (report["items"], report["dim"], report["vectors"]) == (N, DIM, N), report
    assert report["items_without_vector"] == report["vectors_without_item"] == report["unusable"] == 0
    assert report["images_per_second"] is None
    e, catalog = read("e.nc"), read("catalog.nc")
    assert np.abs(e["embedding"] - unit(X)).max() < 1e-7 and [str(i) for i in e["id"]] == IDS
    for name in ("category", "group", "available", "content_hash"):
        assert (e[name] == catalog[name]).all(), name
    assert e["attributes"]["input_catalog_digest"] == catalog["attributes"]["content_digest"]
    assert "input_model_digest" not in e["attributes"]
    for ranks in (2, 3, 4):
        akin("embed", "catalog.nc", "--from", *from_, "-o", "more.nc", ranks=ranks)
        assert_same_variables("e.nc", "more.nc")
    akin("embed", "catalog.nc", "--from", *save("straight", X, IDS), "-o", "straight.nc", ranks=2)
    assert_same_variables("e.nc", "straight.nc")


def test_what_does_not_match_is_counted():
    rows = np.concatenate([X[5:], R.standard_normal((4, DIM)).astype(np.float32)])
    rows[0] = 0
    rows[1, 7] = np.nan
    ids = IDS[5:] + ["no-such-0", "a", "zzz", "item-00070"]
    done = akin("embed", "catalog.nc", "--from", *save("some", rows, ids), "-o", "some.nc", "--json", ranks=3)
    assert done.json["items"] == N and done.json["vectors"] == len(ids) and done.json["unusable"] == 2, done.json
    assert done.json["items_without_vector"] == 5 and done.json["vectors_without_item"] == 4
    assert "5 of 41 items" in done.err and "4 of 40 vectors" in done.err, done.err
    assert (read("some.nc")["embedding"][:7] == 0).all()
    akin("embed", "catalog.nc", "--from", "some.npy", "--ids", "some.txt", "-o", "alone.nc")
    assert_same_variables("some.nc", "alone.nc")
    report = akin("neighbors", "some.nc", "-k", "5", "-o", "some-table.nc", "--json").json
    assert report["unusable"] == 7
    table = read("some-table.nc")
    assert (table["count"][:7] == 0).all() and (table["count"][7:] == 5).all() and table["neighbor"].max() < N
    assert not np.isin(table["neighbor"], np.arange(7)).any()


def test_without_a_catalogue():
    half = X.astype(np.float16)
    np.save("half.npy", half)
    report = akin("embed", "--from", "half.npy", "-o", "half.nc", "--json").json
    assert (report["items"], report["items_without_vector"]) == (N, 0)
    e = read("half.nc")
    assert [str(i) for i in e["id"]] == [str(i) for i in range(N)] and (e["category"] == -1).all()
    assert np.abs(e["embedding"] - unit(half)).max() < 1e-7
    ids = [f"z{N - i:02d}" for i in range(N)]  # in no order
    akin("embed", "--from", *save("named", half, ids), "-o", "named.nc", ranks=3)
    assert [str(i) for i in read("named.nc")["id"]] == ids
    for source in (["named.npy", "--ids", "named.txt"], ["named.nc"]):
        akin("neighbors", *source, "-k", "7", "-o", f"{len(source)}.nc")
    assert_same_variables("1.nc", "3.nc")


def test_joined_with_a_model():
    akin("train", "catalog.nc", "-o", "m.nc")
    akin("embed", "catalog.nc", "--model", "m.nc", "-o", "own.nc")
    rows = X.copy()
    rows[7] = np.nan
    from_ = save("others", rows[3:], IDS[3:])
    words = ["embed", "catalog.nc", "--model", "m.nc", "--from", *from_, "--from-weight", "0.5"]
    done = akin(*words, "-o", "both.nc", "--json")
    own, both = read("own.nc"), read("both.nc")
    other = np.zeros((N, DIM), np.float32)
    other[3:] = unit(X[3:])
    other[7] = 0
    twin = np.concatenate([own["embedding"], np.float32(0.5) * other], 1)
    assert np.abs(both["embedding"] - unit(twin)).max() < 1e-6
    assert (both["embedding"][:3, :own["embedding"].shape[1]] == own["embedding"][:3]).all()
    assert done.json["dim"] == twin.shape[1] and done.json["items_without_vector"] == 3 and "pictures only" in done.err, done.err
    assert done.json["images_per_second"] > 0
    assert (both["content_hash"] == own["content_hash"]).all()
    assert both["attributes"]["input_blended_digest"] == own["attributes"]["input_model_digest"]
    for ranks in (2, 3, 4):
        akin(*words, "-o", "more.nc", ranks=ranks)
        assert_same_variables("both.nc", "more.nc")
    assert akin("neighbors", "both.nc", "-k", "5", "-o", "both-table.nc", "--json").json["unusable"] == 0
    akin("query", "both.nc", "--id", IDS[9])
    done = akin("query", "both.nc", "--image", "shop/p9.png", "--model", "m.nc", expect=3)
    wide = save("wide", np.ones((N, 2000), np.float32), IDS)
    for words, said in [
        (["catalog.nc", "--from", *from_, "--from-weight", "1"], "--model model.nc"),
        (["--from", *from_, "--from-weight", "1", "--model", "m.nc"], "a catalogue"),
        (["catalog.nc", "--from", *from_, "--from-weight", "0", "--model", "m.nc"], "above 0"),
        (["catalog.nc", "--from-weight", "1", "--model", "m.nc"], "--from, which is missing"),
        (["catalog.nc", "--from", *wide, "--from-weight", "1", "--model", "m.nc"], "more than 2048"),
    ]:
        done = akin("embed", *words, "-o", "x.nc", expect=2)
        assert said in done.err and not os.path.exists("x.nc"), (words, done.err)


def test_refusals():
    save("few", X[:5], IDS[:4])
    save("strange", X[:2], ["a", "b"])
    open("text.npy", "w").write("no numbers")
    np.save("cube.npy", X[:4].reshape(2, 2, DIM))
    for words, code, said in [
        (["embed", "-o", "x.nc"], 2, "no catalogue given"),
        (["embed", "catalog.nc", "--from", "mixed.npy", "--model", "m.nc", "-o", "x.nc"], 2, "leave --model out"),
        (["embed", "catalog.nc", "--from", "mixed.npy", "--previous", "e.nc", "-o", "x.nc"], 2, "--previous"),
        (["embed", "catalog.nc", "--ids", "mixed.txt", "--model", "m.nc", "-o", "x.nc"], 2, "--ids"),
        (["embed", "catalog.nc", "--from", "mixed.npy"], 2, "-o embeddings.nc"),
        (["embed", "catalog.nc", "--from", "mixed.npy", "-o", "mixed.npy"], 2, "is also the input"),
        (["embed", "catalog.nc", "--from", "none.npy", "-o", "x.nc"], 1, "none.npy"),
        (["embed", "none.nc", "--from", "mixed.npy", "-o", "x.nc"], 1, "none.nc"),
        (["embed", "catalog.nc", "--from", "few.npy", "--ids", "few.txt", "-o", "x.nc"], 3, "4 ids for the 5 rows"),
        (["embed", "catalog.nc", "--from", "strange.npy", "--ids", "strange.txt", "-o", "x.nc"], 3, "none of the ids of"),
        (["embed", "catalog.nc", "--from", "mixed.npy", "-o", "x.nc"], 3, "row numbers"),
        (["embed", "catalog.nc", "--from", "text.npy", "-o", "x.nc"], 3, "not a .npy"),
        (["embed", "catalog.nc", "--from", "e.nc", "-o", "x.nc"], 3, "not a .npy"),
        (["embed", "catalog.nc", "--from", "cube.npy", "-o", "x.nc"], 3, "cube.npy"),
    ]:
        for ranks in (0, 2) if "ids for" in said or "no id" in said else (0,):
            done = akin(*words, ranks=ranks, expect=code)
            assert said in done.err, (words, done.err)
            assert not os.path.exists("x.nc")


JOB = """[job]
output = {output}
{more}
[ingest]
source = shop/catalog.csv
[train]
epochs = 3
[embed]
from = night.npy
ids = night.txt
[neighbors]
k = 6
only-available = yes
[evaluate]
label = category
[gallery]
enabled = yes
[publish]
to = file:{output}/table.jsonl
"""


def test_a_job_that_brings_its_vectors():
    save("night", X, IDS)
    open("job.ini", "w").write(JOB.format(output="out", more=""))
    akin("run", "job.ini", "--check")
    done = akin("run", "job.ini", "--json", ranks=2)
    assert "train: skipped, the vectors come from night.npy" in done.err, done.err
    stages = done.json["stages"]
    assert stages["train"]["skipped"] and stages["embed"]["dim"] == DIM and stages["evaluate"]["precision_at_1"] > 0.9
    assert not os.path.exists("out/model.nc") and os.path.exists("out/gallery/index.html")
    assert len(open("out/table.jsonl").readlines()) == N
    again = akin("run", "job.ini", "--json", ranks=3).json["stages"]
    assert all(stage["skipped"] for stage in again.values()), again
    rows = X.copy()
    rows[3] += 1
    save("night", rows, IDS)
    changed = akin("run", "job.ini", "--json").json["stages"]
    assert changed["ingest"]["skipped"] and not changed["embed"]["skipped"]
    assert changed["neighbors"]["kept"] > 0, "the table before is built upon"
    akin("neighbors", "out/embeddings.nc", "-k", "6", "--only-available", "-o", "anew.nc")
    assert_same_variables("out/table.nc", "anew.nc")
    save("night", rows[:, :64], IDS)
    assert akin("run", "job.ini", "--json").json["stages"]["neighbors"]["kept"] == 0, "of other vectors nothing is kept"


def test_a_job_that_joins_both():
    save("night", X, IDS)
    text = JOB.format(output="joined", more="").replace("ids = night.txt", "ids = night.txt\nfrom-weight = 0.7")
    open("joined.ini", "w").write(text.replace("epochs = 3", "features = fused"))
    akin("run", "joined.ini", "--check")
    stages = akin("run", "joined.ini", "--json", ranks=2).json["stages"]
    assert not stages["train"].get("skipped") and stages["embed"]["dim"] > DIM and os.path.exists("joined/model.nc")
    again = akin("run", "joined.ini", "--json").json["stages"]
    assert all(stage["skipped"] for stage in again.values()), again
    rows = X.copy()
    rows[3] += 1
    save("night", rows, IDS)
    changed = akin("run", "joined.ini", "--json", ranks=3).json["stages"]
    assert changed["train"]["skipped"] and not changed["embed"]["skipped"] and changed["neighbors"]["kept"] > 0, changed


def test_nights():
    save("night", X, IDS)
    open("nights.ini", "w").write(JOB.format(output="nights", more="keep = 2"))
    akin("run", "nights.ini", "--night", "2026-03-01")
    rows = X.copy()
    rows[8] -= 2
    save("night", rows, IDS)
    report = akin("run", "nights.ini", "--night", "2026-03-02", "--json").json
    assert report["stages"]["neighbors"]["kept"] > 0, report


def test_a_job_without_pictures():
    save("night", X, IDS)
    text = JOB.format(output="bare", more="").replace("[ingest]\nsource = shop/catalog.csv\n", "")
    open("bare.ini", "w").write(text.replace("[gallery]\nenabled = yes\n", ""))
    akin("run", "bare.ini", "--check")
    report = akin("run", "bare.ini", "--json").json
    assert report["items"] == N and report["stages"]["ingest"]["skipped"], report
    assert len(open("bare/table.jsonl").readlines()) == N
    metrics = json.load(open("bare/metrics.json"))
    assert metrics["embed"]["vectors"] == N and "train" not in metrics
    open("missing.ini", "w").write(text.replace("night.npy", "none.npy"))
    shutil.rmtree("bare")
    done = akin("run", "missing.ini", expect=2)  # a gallery without pictures
    assert "source" in done.err
    open("missing.ini", "w").write(JOB.format(output="bare", more="").replace("night.npy", "none.npy"))
    done = akin("run", "missing.ini", expect=1)
    assert "no such file" in done.err and not os.path.exists("bare")


def test_what_a_job_names_is_known_before_it_begins():
    save("night", X, IDS)
    job = JOB.format(output="named", more="")
    for keys, code, line, words in [
            ("[neighbors]\nprevious = none.nc\n", 2, 2, "must be given together"),
            ("[neighbors]\nprevious-embeddings = none.nc\n", 2, 2, "must be given together"),
            ("[neighbors]\nprevious = none.nc\nprevious-embeddings = none.nc\n", 1, 2, "no such file"),
            ("[neighbors]\nids = ids.txt\n", 2, 2, ".npy"), ("[neighbors]\n\npool = 30\n", 2, 3, "--diversity"),
            ("[publish]\nto = file:t.jsonl\nprevious = none.nc\n", 1, 3, "no such file"),
            ("[gallery]\nagainst = none.nc\n", 1, 2, "no such file")]:
        text = "".join(part for part in re.split(r"(?m)^(?=\[)", job) if not part.startswith(keys.split("\n")[0]))
        open("named.ini", "w").write(text + keys)
        for more in (["--check"], []):
            done = akin("run", "named.ini", *more, expect=code)
            assert f"named.ini:{text.count(chr(10)) + line}: [" in done.err and words in done.err, (keys, done.err)
            assert not os.path.exists("named")


main(globals())
