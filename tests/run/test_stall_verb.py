"""A rank of a verb that stops in the middle of its work: the run ends with 1, names it, and --json is still one line."""

import json
import os
import signal
import subprocess
import time

import numpy

from support import command, fresh

LIMIT = 4  # seconds: no rank that only lacks its core is named


def processes_of(launcher):
    """{rank: process id} of what mpirun has started."""
    ranks = {}
    for pid in subprocess.run(["pgrep", "-P", str(launcher)], capture_output=True, text=True).stdout.split():
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                variables = dict(word.split(b"=", 1) for word in f.read().split(b"\0") if b"=" in word)
            ranks[int(variables[b"OMPI_COMM_WORLD_RANK"])] = int(pid)
        except (OSError, KeyError):
            pass
    return ranks


def seconds_of_cpu(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return int(f.read().rsplit(")", 1)[1].split()[11]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0


def stop_in_the_middle(rank):
    folder = fresh("stall")
    vectors = numpy.random.default_rng(1).standard_normal((200000, 64)).astype("float32")
    numpy.save(f"{folder}/v.npy", vectors)
    run = subprocess.Popen(command(["neighbors", f"{folder}/v.npy", "-o", f"{folder}/t.nc", "--json", "--stall-limit", LIMIT], 3),
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ranks, end = {}, time.monotonic() + 30
    while time.monotonic() < end and run.poll() is None:
        ranks = processes_of(run.pid)
        if len(ranks) == 3 and seconds_of_cpu(ranks[rank]) > 0.8:  # its start takes less
            break
        time.sleep(0.02)
    assert run.poll() is None and len(ranks) == 3, (run.poll(), ranks, run.poll() is not None and run.communicate())
    os.kill(ranks[rank], signal.SIGSTOP)
    stopped = time.monotonic()
    out, err = run.communicate(timeout=60)
    assert run.returncode == 1, (run.returncode, err)
    assert f"waited for rank {rank}," in err.decode(), err
    assert time.monotonic() - stopped < LIMIT + 40, "it took too long"
    while [pid for pid in ranks.values() if os.path.exists(f"/proc/{pid}")]:
        assert time.monotonic() - stopped < LIMIT + 50, f"processes remain of {ranks}"
        time.sleep(0.1)
    assert not os.path.exists(f"{folder}/t.nc")
    return out.decode()


report = json.loads(stop_in_the_middle(2))
assert report["exit"] == 1 and report["status"] == "failed" and "rank 2" in report["message"], report
assert stop_in_the_middle(0) == ""  # rank 0 alone prints, and it is the one that stopped
