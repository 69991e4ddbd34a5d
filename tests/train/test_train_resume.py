"""Laws of `akin train` over interruptions: killed or signalled at any moment and submitted again at another number of
ranks it ends with the same bits; a checkpoint serves only its own run."""

import os
import random
import shutil
import signal
import subprocess
import time

import netCDF4
import numpy as np
from support import akin, assert_same_variables, children, command, draw_catalogue, fresh, main

OPTIONS = ["--objective", "reconstruction", "--features", "autoencoder", "--batch", 40, "--holdout", 0.1]
CATALOG = "things.nc"
EPOCHS = 6
folder = fresh("train_resume")
os.chdir(folder)
draw_catalogue("things", 70)
akin("ingest", "things/catalog.csv", "-o", CATALOG)


def train(output, *words, **how):
    return akin("train", CATALOG, "-o", output, "--epochs", EPOCHS, *OPTIONS, *words, **how)


REPORT = train("straight.nc", "--json").json  # never stopped


def start(output, words, ranks):
    call = command(["train", CATALOG, "-o", output, "--epochs", EPOCHS, "--checkpoint-every", 0, *OPTIONS, *words], ranks)
    return subprocess.Popen(call, stderr=subprocess.PIPE, text=True)


def moment(path):
    """When the file was last replaced; None if it does not exist."""
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return None


def kill_one(run, r):
    """kill -9 of one rank, or of mpirun where it has not begun any."""
    os.kill(r.choice(children(run.pid) or [run.pid]), signal.SIGKILL)


def test_kill_and_go_on():
    """Killed at random moments, early or while steps are taken and saved, and begun again at another number of ranks."""
    r, kills, resumed, turn = random.Random(5), 0, 0, 0
    while True:
        saved, early = moment("killed.nc.checkpoint"), kills % 3 == 2
        run = start("killed.nc", [], (2, 1, 3)[turn % 3])
        turn += 1
        end = time.time() + (r.uniform(0, 0.7) if early else 60)
        while run.poll() is None and time.time() < end and (early or moment("killed.nc.checkpoint") == saved):
            time.sleep(0.002)
        time.sleep(r.uniform(0, 0.05))
        if kills < 5 and run.poll() is None:
            kill_one(run, r)
            kills += 1
        err = run.communicate(timeout=120)[1]
        resumed += "resuming from killed.nc.checkpoint" in err
        if run.returncode == 0:
            break
        assert turn < 8, err
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
    for who, number in (("mpirun", signal.SIGUSR1), ("a rank", signal.SIGTERM)):
        run = start("signalled.nc", ["--json"], 2)
        wait_for("signalled.nc.checkpoint", run)
        os.kill(run.pid if who == "mpirun" else children(run.pid)[1], number)
        err = run.communicate(timeout=120)[1]
        assert run.returncode == 75, (who, run.returncode, err)
        assert "signalled.nc.checkpoint is saved, submit again" in err, err
        assert os.path.exists("signalled.nc.checkpoint") and not os.path.exists("signalled.nc")
        done = train("signalled.nc", "--json", ranks=3)
        assert "resuming from signalled.nc.checkpoint" in done.err
        assert_same_variables("straight.nc", "signalled.nc")
        for key in ("loss_first", "loss_last", "holdout_loss", "curve", "holdout_curve", "steps"):
            assert REPORT[key] == done.json[key], (key, REPORT[key], done.json[key])
        os.remove("signalled.nc")


def leave_checkpoint(output):
    run = start(output, [], 1)
    wait_for(f"{output}.checkpoint", run)
    os.kill(run.pid, signal.SIGUSR1)
    err = run.communicate(timeout=120)[1]
    assert run.returncode == 75, err


def test_a_checkpoint_of_another_run():
    leave_checkpoint("a.nc")
    # Named: refused, and it stays.
    for words, told in ((["--seed", 2], "seed=2"), (["--learning-rate", 0.01], "learning-rate=0.01")):
        done = train("b.nc", "--checkpoint", "a.nc.checkpoint", *words, expect=3)
        assert told in done.err and "the options" in done.err and "a.nc.checkpoint" in done.err, done.err
    assert not os.path.exists("b.nc") and os.path.exists("a.nc.checkpoint")
    # Named and fitting: used.
    assert "resuming from" in train("c.nc", "--checkpoint", "a.nc.checkpoint").err
    assert_same_variables("straight.nc", "c.nc")
    assert not os.path.exists("a.nc.checkpoint")
    # Default: reported with what differs, and replaced.
    leave_checkpoint("a.nc")
    done = train("a.nc", "--seed", 2, ranks=2)
    assert "the options" in done.err and "seed=2" in done.err and "resuming" not in done.err, done.err
    train("seed2.nc", "--seed", 2)
    assert_same_variables("a.nc", "seed2.nc")


def test_a_damaged_checkpoint():
    leave_checkpoint("d.nc")
    with open("d.nc.checkpoint", "r+b") as f:
        f.truncate(1000000)
    done = train("e.nc", "--checkpoint", "d.nc.checkpoint", expect=3, ranks=2)
    assert "d.nc.checkpoint" in done.err
    done = train("d.nc")
    assert "starting over" in done.err, done.err
    assert_same_variables("straight.nc", "d.nc")


def test_a_forged_checkpoint():
    """Each number in turn is one that this run cannot have come to, in a file without a checksum, as another program leaves it."""
    leave_checkpoint("f.nc")
    shutil.move("f.nc.checkpoint", "saved")
    forgeries = [("step", ..., 10**9), ("step", ..., -1), ("step", ..., -2**63), ("step", ..., 2**63 - 1)]
    forgeries += [("state", (0, 5), np.nan), ("state", (1, 5), np.inf), ("state", (2, 5), -1.0)]
    for name, at, value in forgeries:
        shutil.copy("saved", "forged")
        with netCDF4.Dataset("forged", "r+") as d:
            d[name][at] = value
        done = train("g.nc", "--checkpoint", "forged", expect=3, ranks=2)
        assert "forged" in done.err and "damaged" in done.err and not os.path.exists("g.nc"), done.err
    shutil.copy("forged", "f.nc.checkpoint")
    assert "starting over" in train("f.nc").err
    assert_same_variables("straight.nc", "f.nc")


main(globals())
