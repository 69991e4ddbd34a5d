"""Laws of the objectives of `akin train`: the same bits at any number of ranks and over an interruption; what each reports
and keeps; that views come to agree."""

import os
import signal
import subprocess
import time

import netCDF4
import numpy as np

from support import akin, assert_same_variables, command, draw_catalogue, fresh, main

N = 70  # with --batch 40 and 7 held out: two steps an epoch, micro-batches of 16, 16, 8 and 16, 7
OPTIONS = ["--features", "autoencoder", "--batch", 40, "--holdout", 0.1]
folder = fresh("objective")
os.chdir(folder)


def catalogue(name, n):
    draw_catalogue(name, n)
    akin("ingest", f"{name}/catalog.csv", "-o", f"{name}.nc")
    return f"{name}.nc"


CATALOG = catalogue("things", N)


def words_of(output, *words, epochs=2):
    return ["train", CATALOG, "-o", output, "--epochs", epochs, *OPTIONS, *words]


def train(output, *words, epochs=2, **how):
    return akin(*words_of(output, *words, epochs=epochs), timeout=300, **how)


def attributes(path):
    with netCDF4.Dataset(path) as d:
        return {name: d.getncattr(name) for name in d.ncattrs()}


train("one.nc", "--objective", "reconstruction")


def test_damaged_pictures():
    """Denoising: other weights, which any number of ranks draws alike; no strength is no damage; the file says it."""
    assert attributes("one.nc")["objective"] == "reconstruction"
    words = ["--objective", "denoising"]
    train("damaged.nc", *words)
    for ranks in (2, 3, 4, 7):
        train("damaged_many.nc", *words, ranks=ranks)
        assert_same_variables("damaged.nc", "damaged_many.nc")
    assert attributes("damaged.nc")["objective"] == "denoising"
    digests = [attributes("one.nc")["content_digest"], attributes("damaged.nc")["content_digest"]]
    train("damaged_more.nc", *words, "--augment", 2)
    digests.append(attributes("damaged_more.nc")["content_digest"])
    assert len(set(digests)) == 3, digests
    train("undamaged.nc", *words, "--augment", 0)
    assert_same_variables("one.nc", "undamaged.nc")


def test_two_views():
    """Contrastive: the same bits at any number of ranks, with one group of pictures a step or more; what is reported and
    kept of it; the other objectives have none of it."""
    words = ["--objective", "contrastive"]
    j = train("pairs.nc", *words, "--json").json
    for ranks in (2, 3, 4, 7):
        train("pairs_many.nc", *words, ranks=ranks)
        assert_same_variables("pairs.nc", "pairs_many.nc")
    assert 0 < j["contrast_last"] < 6 and 0 < j["holdout_contrast"] < 6, j
    assert len(j["contrast_curve"]) == 2 and j["contrast_curve"][-1] == j["contrast_last"], j
    with netCDF4.Dataset("pairs.nc") as d, netCDF4.Dataset("one.nc") as other:
        assert d.objective == "contrastive" and d["head1_weight"].shape == (32, 64)
        assert d["head2_bias_adam_variance"].shape == (32,) and abs(d["head1_weight"][:]).max() > 0
        assert np.allclose(d["contrast_loss"][:], j["contrast_curve"], rtol=1e-14, atol=0)
        assert set(d.variables) > set(other.variables) and "head" not in other.dimensions
    akin("embed", CATALOG, "--model", "pairs.nc", "-o", "pairs_vectors.nc")
    for option, value in (("--contrast", 1), ("--temperature", 0.7), ("--augment", 0.3)):
        train("pairs_other.nc", *words, option, value)
        assert attributes("pairs_other.nc")["content_digest"] != attributes("pairs.nc")["content_digest"], option
    assert train("plain.nc", "--objective", "reconstruction", "--json").json["contrast_last"] is None
    # Where the holdout is smaller than a batch, so that its loss is lower, the log says why.
    told = "has to be found among those of 7 pictures, in training of up to 40"
    assert train("told.nc", *words).err.count(told) == 1 and "has to be found" not in train("told.nc").err
    assert "has to be found" not in train("told.nc", *words, "--holdout", 0.6).err


def test_two_views_of_many():
    """More pictures a step than a group has: 20 micro-batches are two groups of 10; and the last step of an epoch has a
    group of one picture."""
    catalog = catalogue("many", 321)
    for words in (["--batch", 320, "--steps", 2], ["--batch", 320, "--steps", 1, "--holdout", 0.99]):
        call = ["train", catalog, "--objective", "contrastive", "--features", "autoencoder", "--epochs", 5, "--holdout", 0]
        a = akin(*call, *words, "-o", "groups.nc", "--json", timeout=300).json
        akin(*call, *words, "-o", "groups3.nc", ranks=3, timeout=300)
        assert_same_variables("groups.nc", "groups3.nc")
        assert 0 <= a["contrast_last"] < 7, a


def test_views_agree():
    """Training makes the loss small; it begins from any model, and keeps the weights that are best in both losses."""
    words = ["--objective", "contrastive", "--contrast", 0.05, "--batch", 32, "--json"]
    j = train("agree.nc", *words, epochs=12).json
    assert j["contrast_curve"][-1] < 0.7 * j["contrast_curve"][0], j
    more = train("agree2.nc", *words, "--init", "agree.nc").json  # the head, too
    assert more["contrast_curve"][0] < j["contrast_curve"][0], (more, j)
    train("agree3.nc", *words, "--init", "one.nc")  # which has none
    train("agree4.nc", "--objective", "reconstruction", "--init", "agree.nc")
    best = train("agree5.nc", *words, "--patience", 1, "--learning-rate", 0.01, epochs=30).json
    whole = [a + 0.05 * b for a, b in zip(best["holdout_curve"], best["holdout_contrast_curve"])]
    kept = whole.index(min(whole))
    assert best["holdout_contrast"] == best["holdout_contrast_curve"][kept], best
    done = train("wild.nc", *words, "--learning-rate", 1e6, epochs=6, expect=1, ranks=2)
    assert "--learning-rate" in done.json["message"] and not os.path.exists("wild.nc"), done.json


def test_going_on():
    """The random changes of a picture depend on the epoch, not on where the run began: stopped by a signal behind any step, and
    gone on with at another number of ranks."""
    for objective in ("denoising", "contrastive"):
        words = ["--objective", objective, "--checkpoint-every", 0]
        train("whole.nc", *words, epochs=6)
        run = subprocess.Popen(command(words_of("parts.nc", *words, epochs=6)), stderr=subprocess.PIPE, text=True)
        end = time.time() + 120
        while not os.path.exists("parts.nc.checkpoint"):
            assert run.poll() is None and time.time() < end, run.communicate()[1]
            time.sleep(0.01)
        os.kill(int(open(f"/proc/{run.pid}/task/{run.pid}/children").read().split()[0]), signal.SIGTERM)
        err = run.communicate(timeout=300)[1]
        assert run.returncode == 75, err
        assert "resuming from" in train("parts.nc", *words, epochs=6, ranks=3).err
        assert_same_variables("whole.nc", "parts.nc")


main(globals())
