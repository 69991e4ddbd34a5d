"""neighbors, interrupted again and again and resumed at other rank counts, ends with the same table; a checkpoint that does
not fit is replaced, or refused where it was named."""

import os
import pty
import re
import shutil
import signal
import subprocess
import time

import netCDF4
import numpy as np
from support import akin, assert_same_variables, command, fresh, kill_ranks, main

os.chdir(fresh("neighbors_resume"))
CHECKPOINT = "t.nc.checkpoint"


def stamp(path=None):
    try:
        now = os.stat(path or CHECKPOINT)
        return now.st_mtime_ns, now.st_ino
    except FileNotFoundError:
        return None


def start(words, ranks):
    return subprocess.Popen(command(words, ranks), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_save(process, before, path=None):
    """Whether there is a newer checkpoint than that one before the run has ended."""
    deadline = time.monotonic() + 100
    while process.poll() is None and time.monotonic() < deadline:
        if stamp(path) not in (None, before):
            return True
        time.sleep(0.002)
    return False


WORDS = ["neighbors", "x.npy", "-o", "t.nc", "-k", "9", "--checkpoint-every", "0", "--json"]


def go_through(steps):
    """Runs until done, interrupted after the first save of each run that has one; returns how often, and what was said."""
    interrupted, said = 0, ""
    for ranks, how in steps:
        before = stamp()
        process = start(WORDS, ranks)
        if wait_for_save(process, before):
            process.send_signal(signal.SIGUSR1) if how == "signal" else kill_ranks(process)
        out, err = process.communicate(timeout=120)
        said += err
        if process.returncode == 0:
            return interrupted, said
        assert process.returncode == 75 or how == "kill", (process.returncode, err)
        interrupted += 1
    return interrupted, said + akin(*WORDS).err  # of a killed mpirun's ranks nothing may have come through


def check_shares(said):
    """A run resumes at the share at which the one before was saved, also at another number of ranks, goes on from there, and ends at 100 %."""
    saved = 0
    for word, share in re.findall(rf"(saved|resuming from) {CHECKPOINT} at (\d+) %", said):
        assert int(share) >= saved if word == "saved" else int(share) == saved, said
        saved = int(share)
    assert saved == 100, said


def test_interrupted_and_resumed():
    r = np.random.default_rng(1)
    centres = r.standard_normal((60, 256))
    np.save("x.npy", (centres[r.integers(60, size=20000)] + 0.7 * r.standard_normal((20000, 256))).astype(np.float32))
    akin("neighbors", "x.npy", "-o", "whole.nc", "-k", "9")
    interrupted, said = go_through([(1, "signal"), (2, "signal"), (3, "signal"), (4, "signal"), (1, "signal")])
    assert interrupted >= 2 and "resuming from" in said, said
    check_shares(said)
    assert_same_variables("whole.nc", "t.nc")
    assert not os.path.exists(CHECKPOINT)
    os.remove("t.nc")
    interrupted, said = go_through([(2, "kill"), (1, "kill"), (3, "kill"), (2, "kill")])
    assert interrupted >= 1 and "resuming from" in said, said
    assert_same_variables("whole.nc", "t.nc")


def bars(words):
    """A call on a terminal: what it says, and the shares of pairs that its bars show."""
    ours, its = pty.openpty()
    process = subprocess.Popen(command(words, 0), stdout=subprocess.DEVNULL, stderr=its)
    os.close(its)
    said = b""
    while True:
        try:
            said += (more := os.read(ours, 4096))
        except OSError:  # the other end is closed
            break
        if not more:
            break
    os.close(ours)
    assert process.wait(timeout=120) == 0, said
    shown = re.findall(r"([\d,]+) of ([\d,]+) pairs", said.decode())
    return said.decode(), [int(done.replace(",", "")) / int(all_pairs.replace(",", "")) for done, all_pairs in shown]


def test_progress_continues_where_it_was():
    """At another number of ranks too, and after a second resume."""
    np.save("slow.npy", np.random.default_rng(4).standard_normal((25000, 512)).astype(np.float32))
    words = ["neighbors", "slow.npy", "-o", "slow.nc", "-k", "9", "--cpu", "portable", "--checkpoint-every", "0"]
    kept = []
    for ranks in (2, 3):
        before = stamp("slow.nc.checkpoint")
        process = start(words, ranks)
        assert wait_for_save(process, before, "slow.nc.checkpoint")
        process.send_signal(signal.SIGUSR1)
        kept += re.findall(r"(?:resuming from|saved) slow.nc.checkpoint at (\d+) %", process.communicate(timeout=120)[1])
        assert process.returncode == 75
    assert kept == sorted(kept, key=int) and int(kept[-1]) < 90, kept
    said, shares = bars([*words[:-1], "600"])
    assert f"at {kept[-1]} %" in said and shares and min(shares) >= int(kept[-1]) / 100 - 0.005, (kept, shares)
    assert shares == sorted(shares), shares


def test_the_first_pass_of_damped_hubs_goes_on():
    """It has a checkpoint of its own, which stays until the table is there."""
    words, own = ["neighbors", "x.npy", "-k", "9", "--damp-hubs"], "d.nc.checkpoint.hubs"
    akin(*words, "-o", "whole-d.nc", ranks=2)
    interrupted, said = 0, ""
    for ranks, kill in ((1, False), (2, False), (1, True), (3, False)):
        before = stamp(own)
        process = start([*words, "-o", "d.nc", "--checkpoint-every", "0"], ranks)
        if wait_for_save(process, before, own):
            kill_ranks(process) if kill else process.send_signal(signal.SIGUSR1)
        said += process.communicate(timeout=120)[1]
        if process.returncode == 0:
            break
        assert process.returncode == 75 or kill, said
        interrupted += 1
    said += akin(*words, "-o", "d.nc").err
    assert interrupted > 0 and f"{own} is saved" in said and f"resuming from {own}" in said, said
    assert f"neighbors, pass 1 of 2: saved {own} at" in said and "neighbors, pass 1 of 2: for --damp-hubs of d.nc" in said, said
    assert_same_variables("whole-d.nc", "d.nc")
    assert not os.path.exists(own) and not os.path.exists("d.nc.checkpoint")


def test_a_first_pass_that_is_complete_is_not_done_again():
    """Whatever the interval: it is saved at its end, so that a run which is stopped in the next pass finds all of it."""
    own = "e.nc.checkpoint.hubs"
    words = ["neighbors", "x.npy", "-o", "e.nc", "-k", "9", "--damp-hubs", "--checkpoint-every", "600"]
    process = start(words, 2)
    assert wait_for_save(process, None, own)
    process.send_signal(signal.SIGUSR1)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 75 and f"neighbors, pass 1 of 2: saved {own} at 100 %" in said, said
    assert "neighbors, pass 2 of 2: saved e.nc.checkpoint at" in said and os.path.exists(own), said
    for ranks in (2, 3):
        shutil.copy(own, "hubs")
        shutil.copy("e.nc.checkpoint", "main")
        said = akin(*words, ranks=ranks).err
        assert f"resuming from {own} at 100 %" in said, said
        assert_same_variables("whole-d.nc", "e.nc")
        shutil.move("hubs", own)
        shutil.move("main", "e.nc.checkpoint")


def test_a_checkpoint_of_another_run():
    process = start(WORDS, 2)
    assert wait_for_save(process, None)
    process.send_signal(signal.SIGUSR1)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 75 and '"exit":75' in out and CHECKPOINT in err, (process.returncode, out, err)
    shutil.copy(CHECKPOINT, "kept")
    np.save("y.npy", np.random.default_rng(2).standard_normal((500, 8)).astype(np.float32))
    done = akin("neighbors", "y.npy", "-o", "y.nc", "--checkpoint", "kept", expect=3)
    assert "kept is a checkpoint from another run" in done.err and not os.path.exists("y.nc") and os.path.exists("kept")
    shutil.copy("kept", "y.nc.checkpoint")
    done = akin("neighbors", "y.npy", "-o", "y.nc", ranks=2)
    assert "starting over" in done.err and not os.path.exists("y.nc.checkpoint")
    with open("kept", "r+b") as f:  # damaged
        f.seek(os.path.getsize("kept") // 2)
        f.write(b"\xff" * 64)
    akin(*WORDS, "--checkpoint", "kept", expect=3)
    shutil.copy("kept", CHECKPOINT)
    assert "starting over" in akin(*WORDS, ranks=3).err
    assert_same_variables("whole.nc", "t.nc")


def key(score, row):
    """An entry of a list, as in include/akin/topk.h."""
    bits = int(np.float32(score).view(np.uint32))
    bits ^= 0xFFFFFFFF if bits >> 31 else 1 << 31
    return bits << 32 | (~row & 0xFFFFFFFF)


def test_a_forged_checkpoint():
    """Each number in turn is one that no run can have come to, in a file without a checksum, as another program leaves it."""
    r = np.random.default_rng(3)
    x = r.standard_normal((6000, 256)).astype(np.float32)
    x[7] = 0  # takes no part
    np.save("f.npy", x)
    akin("neighbors", "f.npy", "-o", "honest.nc", "-k", "3")
    process = start(["neighbors", "f.npy", "-o", "t.nc", "-k", "3", "--checkpoint-every", "0"], 2)
    assert wait_for_save(process, None)
    process.send_signal(signal.SIGUSR1)
    process.communicate(timeout=120)
    assert process.returncode == 75
    shutil.move(CHECKPOINT, "saved")
    huge, none = 10**9, -1
    forgeries = [("row", 5, huge), ("row", 5, none), ("row", 5, 6000), ("count", 0, huge), ("count", 1, none), ("count", 0, 0)]
    forgeries += [("progress", (0, i), value) for i in range(4) for value in (huge, none, 3 if i == 1 else 40000)]
    forgeries += [("label", (9, 0), value) for value in (huge, none)]
    forgeries += [(name, 0, value) for name in ("share", "before") for value in (-0.5, 1.5, np.nan)]
    forgeries += [(name, (4, 0), value) for name in ("own", "held")
                  for value in (key(0.5, 6000), key(0.5, huge), key(7.0, 1), key(np.nan, 1), 2**64 - 1, 1)]
    forgeries += [("row", 5, "another's"), ("row", 5, "unusable"), ("own", (4, 0), "itself"), ("own", (4, 2), "better")]
    for i, (name, at, value) in enumerate(forgeries):
        shutil.copy("saved", "forged")
        with netCDF4.Dataset("forged", "r+") as d:
            d.set_auto_maskandscale(False)
            told = {"another's": lambda: d["row"][6], "unusable": lambda: 7, "itself": lambda: key(0.5, int(d["row"][4])),
                    "better": lambda: key(1.0, int(d["row"][3]))}
            d[name][at] = told[value]() if value in told else value
        ranks = 1 + i % 3
        done = akin("neighbors", "f.npy", "-o", "t.nc", "-k", "3", "--checkpoint", "forged", ranks=ranks, expect=3)
        assert "forged" in done.err, (name, at, value, ranks, done.err)
        if i % 7 == 0 or isinstance(value, str):
            shutil.copy("forged", CHECKPOINT)
            assert "starting over" in akin("neighbors", "f.npy", "-o", "t.nc", "-k", "3", ranks=ranks).err, (name, at, value)
            assert_same_variables("honest.nc", "t.nc")
    shutil.copy("saved", "older")
    with netCDF4.Dataset("older", "r+") as d:  # of a program that compared pairs in another order
        d.delncattr("akin_order")
    assert "the order of comparing pairs" in akin("neighbors", "f.npy", "-o", "t.nc", "-k", "3", "--checkpoint", "older", expect=3).err
    with netCDF4.Dataset("saved", "r+") as d:  # what is only without its checksum is used
        d.setncattr("note", "seen by another program")
    assert "resuming from" in akin("neighbors", "f.npy", "-o", "t.nc", "-k", "3", "--checkpoint", "saved", ranks=3).err
    assert_same_variables("honest.nc", "t.nc")


main(globals())
