"""A pretrained network's features, from end to end: alone and joined with the others, embedded, compared
and queried with a new picture; the same bits at any rank count, against numpy; and what is refused.

In a build without OpenVINO the only test is that the network is refused (tests/ingest/test_pretrained.py)."""

import os
import shutil
import sys

import netCDF4
import numpy as np
from PIL import Image

from support import SOURCE, akin, assert_same_variables, draw, draw_catalogue, fresh, main

NETWORKS = os.path.join(SOURCE, "tests", "fixtures", "networks")
N = 60
os.chdir(fresh("network_part"))
draw_catalogue("p", N)
MODEL = shutil.copy(os.path.join(NETWORKS, "conv.onnx"), "conv.onnx")
SEE = ("--network-size", "64x64", "--network-crop", "none")
made = akin("ingest", "p/catalog.csv", "-o", "seen.nc", "--network", MODEL, *SEE, expect=None)
if made.code == 2 and "packages.sh network" in made.err:
    print("skipped: a build without OpenVINO")
    sys.exit(77)
assert made.code == 0, made.err
akin("ingest", "p/catalog.csv", "-o", "plain.nc")


def values(path, name):
    with netCDF4.Dataset(path) as d:
        return np.array(d[name][...])


def train(output, *words, catalog="seen.nc", **more):
    return akin("train", catalog, "-o", output, "--json", *words, **more)


def test_the_network_alone():
    done = train("m1.nc", "--features", "network")
    assert [p["name"] for p in done.json["parts"]] == ["network"], done.json
    akin("embed", "seen.nc", "--model", "m1.nc", "-o", "e1.nc")
    for ranks in (2, 3):
        train("m2.nc", "--features", "network", ranks=ranks)
        akin("embed", "seen.nc", "--model", "m2.nc", "-o", "e2.nc", ranks=ranks)
        assert_same_variables("m1.nc", "m2.nc")
        assert_same_variables("e1.nc", "e2.nc")
    given, embedded = values("seen.nc", "network"), values("e1.nc", "embedding")
    assert np.allclose(np.linalg.norm(embedded, axis=1), 1, atol=1e-5)
    assert embedded.shape[1] <= min(128, given.shape[1]) and len(np.unique(embedded, axis=0)) > N // 2


def test_axes_are_those_of_numpy():
    """Without whitening and with all axes, the cosines are those of the centred rows: a rotation changes none."""
    given = values("seen.nc", "network").astype(float)
    train("all.nc", "--features", "network", "--whiten", "0", "--dim", str(given.shape[1]))
    akin("embed", "seen.nc", "--model", "all.nc", "-o", "all_e.nc")
    embedded = values("all_e.nc", "embedding").astype(float)
    direct = given - given.mean(axis=0)
    direct /= np.linalg.norm(direct, axis=1, keepdims=True)
    assert abs(embedded @ embedded.T - direct @ direct.T).max() < 1e-3


def test_joined():
    words = ("--features", "fused", "--epochs", "1", "--objective", "reconstruction")
    done = train("f1.nc", *words)
    names = [p["name"] for p in done.json["parts"]]
    assert "network" in names and len(names) > 1, done.json
    assert "network" not in [p["name"] for p in train("plain_f.nc", *words, catalog="plain.nc").json["parts"]]
    akin("embed", "seen.nc", "--model", "f1.nc", "-o", "fe1.nc")
    for ranks in (2, 3):
        train("f2.nc", *words, ranks=ranks)
        akin("embed", "seen.nc", "--model", "f2.nc", "-o", "fe2.nc", ranks=ranks)
        assert_same_variables("f1.nc", "f2.nc")
        assert_same_variables("fe1.nc", "fe2.nc")
    # The default, where the catalogue has a network; a weight of its own; and none.
    assert "network" in [p["name"] for p in train("d.nc", "--epochs", "1").json["parts"]]
    weights = {p["name"]: p["weight"] for p in train("w.nc", *words, "--weights", "network=0.25").json["parts"]}
    assert abs(weights["network"] - 0.25) < 1e-6, weights
    without = {p["name"]: p["weight"] for p in train("w0.nc", *words, "--weights", "network=0").json["parts"]}
    assert without.get("network", 0) == 0, without


def lines(done):
    return [(word.split("\t")[0], float(word.split("\t")[1])) for word in done.out.splitlines()]


def test_a_new_picture():
    for model, embeddings in (("m1.nc", "e1.nc"), ("f1.nc", "fe1.nc")):
        ask = lambda *words, **more: akin("query", embeddings, "--image", "p/p7.png", "--model", model, "-k", "5", *words, **more)
        plain = lines(ask())
        assert abs(plain[0][1] - 1) < 1e-5 and "item-0007" in [i for i, s in plain if s > 1 - 1e-5], plain
        assert lines(ask(ranks=2)) == plain
        other = shutil.copy(MODEL, "renamed.onnx")
        assert lines(ask("--network", other)) == plain
        done = ask("--network", os.path.join(NETWORKS, "mean.onnx"), expect=3)
        assert "is not the network that" in done.err and "mean.onnx" in done.err, done.err
        os.rename(MODEL, "away.onnx")
        done = ask(expect=1)
        assert "conv.onnx" in done.err and "--network" in done.err, done.err
        assert lines(ask("--network", "away.onnx")) == plain
        shutil.copy(os.path.join(NETWORKS, "mean.onnx"), MODEL)  # another one under its name
        assert "is not the network that" in ask(expect=3).err
        os.replace("away.onnx", MODEL)
        draw("new.png", 991)
        assert len(lines(akin("query", embeddings, "--image", "new.png", "--model", model, "-k", "5"))) == 5
    akin("train", "plain.nc", "-o", "h.nc", "--features", "handcrafted")
    akin("embed", "plain.nc", "--model", "h.nc", "-o", "he.nc")
    done = akin("query", "he.nc", "--image", "p/p7.png", "--model", "h.nc", "--network", MODEL, expect=2)
    assert "uses no network" in done.err


def test_what_is_refused():
    done = train("no.nc", "--features", "network", catalog="plain.nc", expect=None)
    assert done.code in (2, 3) and "--network" in done.err and not os.path.exists("no.nc"), (done.code, done.err)
    for ranks in (0, 3):
        done = akin("embed", "plain.nc", "--model", "m1.nc", "-o", "no.nc", ranks=ranks, expect=3)
        assert "network" in done.err and not os.path.exists("no.nc"), done.err
    akin("ingest", "p/catalog.csv", "-o", "other.nc", "--network", os.path.join(NETWORKS, "mean.onnx"), "--network-crop", "none")
    done = akin("embed", "other.nc", "--model", "m1.nc", "-o", "no.nc", expect=3)
    assert "network" in done.err, done.err


def test_from_night_to_night():
    """Embeddings of pictures that stay are kept; the others, as if all were computed."""
    shutil.copytree("p", "q")
    Image.new("RGB", (40, 40), (3, 90, 200)).save("q/p5.png")
    akin("ingest", "q/catalog.csv", "-o", "next.nc", "--network", MODEL, *SEE, "--previous", "seen.nc")
    for model, before in (("m1.nc", "e1.nc"), ("f1.nc", "fe1.nc")):
        akin("embed", "next.nc", "--model", model, "-o", "kept.nc", "--previous", before)
        akin("embed", "next.nc", "--model", model, "-o", "anew.nc", ranks=2)
        assert_same_variables("kept.nc", "anew.nc")


def test_a_whole_job():
    job = "[job]\noutput = out{0}\n[ingest]\nsource = p/catalog.csv\nnetwork = conv.onnx\nnetwork-size = 64x64\nnetwork-crop = none\n" \
        "[train]\nfeatures = network\n[neighbors]\nk = 4\n[evaluate]\nlabel = category\n"
    for ranks in (1, 3):
        with open(f"job{ranks}.ini", "w") as f:
            f.write(job.format(ranks))
        akin("run", f"job{ranks}.ini", ranks=ranks)
    for name in ("catalog", "model", "embeddings", "table"):
        assert_same_variables(f"out1/{name}.nc", f"out3/{name}.nc")
    unit = values("out1/embeddings.nc", "embedding").astype(float)
    score = unit @ unit.T
    np.fill_diagonal(score, -9)
    assert np.allclose(-np.sort(-score, axis=1)[:, :4], values("out1/table.nc", "score"), atol=1e-5)


def test_a_model_of_another_network_is_not_kept():
    """By `retrain = never` it would be, and every embed would refuse it."""
    job = "[job]\noutput = kept\n[ingest]\nsource = p/catalog.csv\nnetwork = {0}\nnetwork-size = 64x64\nnetwork-crop = none\n" \
        "[train]\nretrain = never\nfeatures = network\n"
    plain = "[job]\noutput = kept\n[ingest]\nsource = p/catalog.csv\n[train]\nretrain = never\nfeatures = handcrafted\n"
    made = []
    for text in (job.format(MODEL), plain, job.format(MODEL).replace("64x64", "32x32")):
        with open("kept.ini", "w") as f:
            f.write(text)
        akin("run", "kept.ini", "--until", "embed", ranks=2 if not made else 0)
        made.append(os.stat("kept/model.nc").st_mtime_ns)
    # The second serves the third catalogue, too, so it stays.
    assert made[0] != made[1] == made[2], made


main(globals())
