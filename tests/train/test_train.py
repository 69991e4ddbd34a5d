"""Laws of `akin train`: the same bits at any number of ranks; what it reports; what it refuses."""

import os

import netCDF4
import numpy as np

from support import akin, assert_same_variables, draw_catalogue, fresh, main

N = 70  # with --batch 40 and 7 held out: two steps an epoch, micro-batches of 16, 16, 8 and 16, 7
OPTIONS = ["--objective", "reconstruction", "--features", "autoencoder", "--batch", 40, "--holdout", 0.1]
folder = fresh("train")
os.chdir(folder)


def catalogue(name, n, first=0):
    draw_catalogue(name, n)
    akin("ingest", f"{name}/catalog.csv", "-o", f"{name}.nc")
    return f"{name}.nc"


CATALOG = catalogue("things", N)


def train(output, *words, epochs=2, **how):
    return akin("train", CATALOG, "-o", output, "--epochs", epochs, *OPTIONS, *words, **how)


def attributes(path):
    with netCDF4.Dataset(path) as d:
        return {name: d.getncattr(name) for name in d.ncattrs()}


def test_same_bits_at_any_number_of_ranks():
    train("one.nc")
    for ranks in (2, 3, 4, 7):
        train("many.nc", ranks=ranks)
        assert_same_variables("one.nc", "many.nc")
    train("other.nc", "--seed", 2)
    a, b = attributes("one.nc"), attributes("other.nc")
    assert a["content_digest"] != b["content_digest"] and a["input_catalog_digest"] == b["input_catalog_digest"]
    assert "seed=2" in b["akin_result_options"]


def test_report():
    j = train("report.nc", "--json", epochs=5, ranks=2).json
    assert (j["status"], j["items"], j["epochs"], j["steps"], j["ranks"]) == ("ok", N, 5, 10, 2), j
    assert 0 < j["loss_last"] < j["loss_first"] < 1 and 0 < j["holdout_loss"] < 1 and j["images_per_second"] > 0, j
    assert len(j["curve"]) == 5 and j["curve"][-1] == j["loss_last"] and j["curve"][-1] < j["curve"][0], j
    assert len(j["holdout_curve"]) == 5 and j["holdout_curve"][-1] == j["holdout_loss"], j
    assert j["seconds_waiting"] > 0 and j["seconds_reading"] >= 0, j
    assert os.listdir(".").count("report.nc.checkpoint") == 0
    with netCDF4.Dataset("report.nc") as d:
        assert int(d["step"][...]) == 10 and d["latent_mean"].shape == (32,) and abs(d["latent_mean"][:]).max() > 0
    j = train("report.nc", "--json", "--holdout", 0, epochs=1).json
    assert j["holdout_loss"] is None and j["holdout_curve"] == [None] and j["steps"] == 2, j


def test_parts_of_epochs_and_steps():
    """Two steps an epoch: half an epoch is one step; --steps caps; a curve has a point for a part of an epoch, too."""
    for words, steps, points in ((["--epochs", 0.5], 1, 1), (["--epochs", 1.5], 3, 2), (["--epochs", 0.01], 1, 1),
                                 (["--epochs", 3, "--steps", 5], 5, 3), (["--epochs", 2, "--steps", 9], 4, 2)):
        j = akin("train", CATALOG, "-o", "part.nc", *OPTIONS, *words, "--json").json
        assert (j["steps"], len(j["curve"]), j["epochs"]) == (steps, points, steps / 2), (words, j)
        assert all(0 < loss < 1 for loss in j["curve"] + j["holdout_curve"]) and j["curve"][-1] == j["loss_last"], j
        with netCDF4.Dataset("part.nc") as d:
            for name, key in (("loss", "curve"), ("holdout_loss", "holdout_curve")):  # JSON may round the last bit
                assert np.allclose(d[name][:], j[key], rtol=1e-14, atol=0), words
    akin("train", CATALOG, "-o", "part3.nc", *OPTIONS, "--epochs", 2, "--steps", 9, ranks=3)
    assert_same_variables("part.nc", "part3.nc")


def test_the_rate_falls():
    """The schedule shapes the result: what is the same until the first step is another model at the end."""
    a = train("cosine.nc", "--json", epochs=4).json
    b = train("constant.nc", "--schedule", "constant", "--json", epochs=4).json
    assert a["loss_first"] == b["loss_first"] and a["loss_last"] != b["loss_last"]
    c = train("warm.nc", "--schedule", "constant", "--warmup", 0, "--json", epochs=10).json
    d = train("warmed.nc", "--schedule", "constant", "--warmup", 12, "--json", epochs=10).json  # 2 of its 20 steps
    assert c["loss_first"] == d["loss_first"] and c["curve"][1] != d["curve"][1]


def test_patience():
    """Ends after this many epochs without improvement on the holdout, and keeps the best weights."""
    words = ["--learning-rate", 0.03, "--batch", 10, "--patience", 2, "--json"]
    done = train("patient.nc", *words, epochs=40)
    j = done.json
    curve = j["holdout_curve"]
    best = curve.index(min(curve))
    assert len(curve) < 40 and len(curve) - 1 - best == 2 and j["holdout_loss"] == curve[best], j
    assert f"epoch {best + 1} are kept" in done.err, done.err
    # They are the best weights: a run that starts from them begins with their loss.
    akin("train", CATALOG, "-o", "on.nc", "--init", "patient.nc", *OPTIONS, "--steps", 1, "--learning-rate", 1e-9)
    with netCDF4.Dataset("on.nc") as d:
        assert abs(float(d["holdout_loss"][0]) / curve[best] - 1) < 1e-4
    train("patient3.nc", *words, epochs=40, ranks=3)
    assert_same_variables("patient.nc", "patient3.nc")


def test_a_diverged_model_is_not_saved():
    for words in (["--learning-rate", 0.5], ["--learning-rate", 1e6], ["--learning-rate", 3, "--schedule", "constant"]):
        done = train("wild.nc", *words, "--json", epochs=6, expect=1, ranks=2)
        assert "--learning-rate" in done.json["message"], done.json
    assert not os.path.exists("wild.nc")


def test_a_line_an_epoch():
    lines = [line for line in train("lines.nc", epochs=3).err.splitlines() if "epoch " in line]
    assert len(lines) == 3 and all("loss 0." in line and "images/s" in line and "s left" in line for line in lines), lines


def test_few_items():
    for n in (1, 2):
        catalog = catalogue(f"few{n}", n)
        j = akin("train", catalog, "-o", "few.nc", "--features", "autoencoder", "--epochs", 2, "--holdout", 0.9, "--json").json
        assert j["steps"] == 2 and j["items"] == n and (j["holdout_loss"] is None) == (n == 1), j
        akin("train", catalog, "-o", "few3.nc", "--features", "autoencoder", "--epochs", 2, "--holdout", 0.9, ranks=3)
        assert_same_variables("few.nc", "few3.nc")


def test_batches_of_any_size():
    j = train("whole.nc", "--batch", 1000, "--json", epochs=1).json
    assert j["steps"] == 1, j
    j = train("single.nc", "--batch", 1, "--json", epochs=1).json
    assert j["steps"] == 63, j
    train("single3.nc", "--batch", 1, epochs=1, ranks=3)
    assert_same_variables("single.nc", "single3.nc")


def test_init():
    long = train("long.nc", "--json", epochs=8).json
    more = train("more.nc", "--init", "long.nc", "--json").json
    assert more["loss_first"] < long["loss_first"] and abs(more["loss_first"] / long["loss_last"] - 1) < 0.5, (long, more)
    a = attributes("more.nc")
    assert a["input_init_digest"] == attributes("long.nc")["content_digest"]
    train("more2.nc", "--init", "long.nc", ranks=3)
    assert_same_variables("more.nc", "more2.nc")


def test_what_is_refused():
    for turn, (code, words, told) in enumerate((
        (2, ["train", CATALOG], "-o"),
        (2, ["train", "-o", "x.nc"], ""),
        (2, ["train", CATALOG, "-o", "x.nc", "--epochs", 0], "epochs"),
        (2, ["train", CATALOG, "-o", "x.nc", "--objective", "fame"], "reconstruction"),
        (2, ["train", CATALOG, "-o", "x.nc", "--learning-rate", "fast"], "learning-rate"),
        (2, ["train", CATALOG, "-o", "x.nc", "--epoch", 3], "epochs"),
        (2, ["train", CATALOG, "-o", "x.nc", "--patience", 2, "--holdout", 0], "--holdout is 0"),
        (2, ["train", CATALOG, "-o", "x.nc", "--schedule", "sine"], "cosine"),
        (2, ["train", CATALOG, "-o", "x.nc", "--temperature", 0], "temperature"),
        (2, ["train", CATALOG, "-o", CATALOG], "is also the input"),
        (2, ["train", CATALOG, "-o", "one.nc", "--checkpoint", "one.nc"], "is also the output"),
        (1, ["train", "missing.nc", "-o", "x.nc", "--features", "autoencoder"], "missing.nc"),
        (3, ["train", "things/catalog.csv", "-o", "x.nc"], "catalog.csv"),
        (3, ["train", "one.nc", "-o", "x.nc"], "one.nc"),
        (1, ["train", CATALOG, "-o", "x.nc", "--features", "autoencoder", "--init", "missing.nc"], "missing.nc"),
        (3, ["train", CATALOG, "-o", "x.nc", "--features", "autoencoder", "--init", CATALOG], CATALOG),
        (1, ["train", CATALOG, "-o", "no/such/folder/x.nc"], "no/such/folder"),
    )):
        done = akin(*words, expect=code, ranks=2 * (turn % 2))
        assert told in done.err, (words, done.err)
    assert not [name for name in os.listdir(".") if name.startswith("x.nc")]


main(globals())
