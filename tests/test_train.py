"""Laws of `akin train`: the same bits at any number of ranks and after any interruption; a checkpoint serves only its own
run; what it reports; what it refuses."""

import os
import random
import signal
import subprocess
import time

import netCDF4

from support import akin, assert_same_variables, command, draw_catalogue, fresh, main

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
    assert os.listdir(".").count("report.nc.checkpoint") == 0
    with netCDF4.Dataset("report.nc") as d:
        assert int(d["step"][...]) == 10 and d["latent_mean"].shape == (32,) and abs(d["latent_mean"][:]).max() > 0
    j = train("report.nc", "--json", "--holdout", 0, epochs=1).json
    assert j["holdout_loss"] is None and j["holdout_curve"] == [None] and j["steps"] == 2, j


def test_few_items():
    for n in (1, 2):
        catalog = catalogue(f"few{n}", n)
        j = akin("train", catalog, "-o", "few.nc", "--epochs", 2, "--holdout", 0.9, "--json").json
        assert j["steps"] == 2 and j["items"] == n and (j["holdout_loss"] is None) == (n == 1), j
        akin("train", catalog, "-o", "few3.nc", "--epochs", 2, "--holdout", 0.9, ranks=3)
        assert_same_variables("few.nc", "few3.nc")


def test_batches_of_any_size():
    j = train("whole.nc", "--batch", 1000, "--json", epochs=1).json
    assert j["steps"] == 1, j
    j = train("single.nc", "--batch", 1, "--json", epochs=1).json
    assert j["steps"] == 63, j
    train("single3.nc", "--batch", 1, epochs=1, ranks=3)
    assert_same_variables("single.nc", "single3.nc")


def start(output, words, ranks):
    call = command(["train", CATALOG, "-o", output, "--epochs", 6, "--checkpoint-every", 0, *OPTIONS, *words], ranks)
    return subprocess.Popen(call, stderr=subprocess.PIPE, text=True)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(word) for word in f.read().split()]


def test_kill_and_go_on():
    """kill -9 of a rank at random moments, and again at another number of ranks, until one run comes to its end."""
    train("straight.nc", epochs=6)
    r, kills, resumed, turn = random.Random(5), 0, 0, 0
    while True:
        ranks = (2, 1, 3)[turn % 3]
        turn += 1
        patience = r.uniform(0.5, 2.0) if kills < 4 else 100
        run = start("killed.nc", [], ranks)
        end = time.time() + patience
        while time.time() < end and run.poll() is None:
            time.sleep(0.01)
        if run.poll() is None:
            victims = children(run.pid)
            if not victims:  # mpirun has not begun
                run.kill()
            else:
                os.kill(r.choice(victims), signal.SIGKILL)
            kills += 1
        err = run.communicate(timeout=60)[1]
        resumed += "going on from killed.nc.checkpoint" in err
        if run.returncode == 0:
            break
        assert turn < 30, err
    assert kills >= 3 and resumed >= 1, (kills, resumed)
    assert_same_variables("straight.nc", "killed.nc")
    left = [name for name in os.listdir(".") if name.startswith("killed.nc") and name != "killed.nc"]
    assert not left, left


def wait_for(path, run):
    end = time.time() + 60
    while not os.path.exists(path):
        assert run.poll() is None and time.time() < end, f"no {path}: {run.communicate()[1]}"
        time.sleep(0.01)


def test_signals():
    """SIGUSR1 to mpirun, SIGTERM to a rank: exit 75 with a checkpoint, and the next run ends with the same bits."""
    train("straight.nc", epochs=6)
    for who, number in (("mpirun", signal.SIGUSR1), ("a rank", signal.SIGTERM)):
        run = start("signalled.nc", ["--json"], 2)
        wait_for("signalled.nc.checkpoint", run)
        os.kill(run.pid if who == "mpirun" else children(run.pid)[1], number)
        err = run.communicate(timeout=60)[1]
        assert run.returncode == 75, (who, run.returncode, err)
        assert "signalled.nc.checkpoint is saved, submit again" in err, err
        assert os.path.exists("signalled.nc.checkpoint") and not os.path.exists("signalled.nc")
        done = train("signalled.nc", "--json", epochs=6, ranks=3)
        assert "going on from signalled.nc.checkpoint" in done.err
        assert_same_variables("straight.nc", "signalled.nc")
        first = train("straight.nc", "--json", epochs=6).json
        for key in ("loss_first", "loss_last", "holdout_loss", "curve", "holdout_curve", "steps"):
            assert first[key] == done.json[key], (key, first[key], done.json[key])
        os.remove("signalled.nc")


def leave_checkpoint(output):
    run = start(output, [], 1)
    wait_for(f"{output}.checkpoint", run)
    os.kill(run.pid, signal.SIGUSR1)
    err = run.communicate(timeout=60)[1]
    assert run.returncode == 75, err


def test_a_checkpoint_of_another_run():
    leave_checkpoint("a.nc")
    train("a6.nc", epochs=6)
    # Named: refused, and it stays.
    for words, told in ((["--seed", 2], "seed=2"), (["--learning-rate", 0.01], "learning-rate=0.01")):
        done = train("b.nc", "--checkpoint", "a.nc.checkpoint", *words, epochs=6, expect=3)
        assert told in done.err and "the options" in done.err and "a.nc.checkpoint" in done.err, done.err
    assert not os.path.exists("b.nc") and os.path.exists("a.nc.checkpoint")
    # Named and fitting: used.
    assert "going on from" in train("c.nc", "--checkpoint", "a.nc.checkpoint", epochs=6).err
    assert_same_variables("a6.nc", "c.nc")
    assert not os.path.exists("a.nc.checkpoint")
    # Default: reported with what differs, and replaced.
    leave_checkpoint("a.nc")
    done = train("a.nc", "--seed", 2, epochs=6, ranks=2)
    assert "the options" in done.err and "seed=2" in done.err and "going on" not in done.err, done.err
    train("seed2.nc", "--seed", 2, epochs=6)
    assert_same_variables("a.nc", "seed2.nc")


def test_a_damaged_checkpoint():
    leave_checkpoint("d.nc")
    with open("d.nc.checkpoint", "r+b") as f:
        f.truncate(1000000)
    done = train("e.nc", "--checkpoint", "d.nc.checkpoint", expect=3, epochs=6, ranks=2)
    assert "d.nc.checkpoint" in done.err
    done = train("d.nc", epochs=6)
    assert "begins anew" in done.err, done.err
    assert_same_variables("a6.nc", "d.nc")


def test_init():
    long = train("long.nc", "--json", epochs=8).json
    more = train("more.nc", "--init", "long.nc", "--json").json
    assert more["loss_first"] < long["loss_first"] and abs(more["loss_first"] / long["loss_last"] - 1) < 0.5, (long, more)
    a = attributes("more.nc")
    assert a["input_init_digest"] == attributes("long.nc")["content_digest"]
    train("more2.nc", "--init", "long.nc", ranks=3)
    assert_same_variables("more.nc", "more2.nc")


def test_what_is_refused():
    for code, words, told in (
        (2, ["train", CATALOG], "-o"),
        (2, ["train", "-o", "x.nc"], ""),
        (2, ["train", CATALOG, "-o", "x.nc", "--epochs", 0], "epochs"),
        (2, ["train", CATALOG, "-o", "x.nc", "--objective", "fame"], "reconstruction"),
        (2, ["train", CATALOG, "-o", "x.nc", "--learning-rate", "fast"], "learning-rate"),
        (2, ["train", CATALOG, "-o", "x.nc", "--epoch", 3], "epochs"),
        (2, ["train", CATALOG, "-o", CATALOG], "is the input"),
        (2, ["train", CATALOG, "-o", "one.nc", "--checkpoint", "one.nc"], "is the output"),
        (1, ["train", "missing.nc", "-o", "x.nc"], "missing.nc"),
        (3, ["train", "things/catalog.csv", "-o", "x.nc"], "catalog.csv"),
        (3, ["train", "one.nc", "-o", "x.nc"], "one.nc"),
        (1, ["train", CATALOG, "-o", "x.nc", "--init", "missing.nc"], "missing.nc"),
        (3, ["train", CATALOG, "-o", "x.nc", "--init", CATALOG], CATALOG),
        (1, ["train", CATALOG, "-o", "no/such/folder/x.nc"], "no/such/folder"),
    ):
        for ranks in (0, 2):
            done = akin(*words, expect=code, ranks=ranks)
            assert told in done.err, (words, done.err)
    assert not [name for name in os.listdir(".") if name.startswith("x.nc")]


main(globals())
