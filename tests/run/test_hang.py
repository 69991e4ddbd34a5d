"""Nothing outlives --stall-limit: a library call that never returns, on one rank and on all, ignoring signals; MPI's own
start and end; an OpenBLAS without its buffer. Each exits with 1 and a message, and --json is one line."""

import json
import os
import resource
import subprocess
import time

from support import akin, command, draw_catalogue, fresh, main

LIMIT = 3  # seconds, of which a start of MPI beside others takes less


def hang(words, ranks, stall, rank, seconds):
    """The report (None: rank 0 is the one that stopped) and stderr; it must end within LIMIT plus this many seconds."""
    env = {**os.environ, "AKIN_STALL": stall, "AKIN_STALL_RANK": str(rank)}
    began = time.monotonic()
    done = subprocess.run(command([*words, "--json", "--stall-limit", LIMIT], ranks, env), capture_output=True, timeout=60, env=env)
    assert time.monotonic() - began < LIMIT + seconds, (time.monotonic() - began, done.stderr)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 1 and len(lines) <= 1, (done.returncode, lines, done.stderr)
    return json.loads(lines[0]) if lines else None, done.stderr.decode()


def catalogue():
    folder = fresh("hang")
    akin("ingest", draw_catalogue(f"{folder}/source", 12), "-o", f"{folder}/c.nc")
    return ["train", f"{folder}/c.nc", "-o", f"{folder}/m.nc"], folder


def test_a_library_that_never_returns():
    words, folder = catalogue()
    for ranks in (0, 1, 3):
        report, err = hang(words, ranks, "library", 0, 20)
        if ranks < 2:  # with more, another rank may be the one that speaks, and mpirun ends rank 0
            assert report["exit"] == 1 and "no progress for" in report["message"] and "library" in report["message"], report
        assert "no progress for" in err, err
        assert not os.path.exists(f"{folder}/m.nc")
    words, folder = catalogue()
    assert akin(*words, env={"AKIN_STALL": "elsewhere"}).code == 0  # and without a stall it is the same program


def test_mpi_that_does_not_start_or_end():
    words, folder = catalogue()
    for where in ("start", "end"):
        report, err = hang([*words, "--epochs", 1], 3, where, 2, 20)
        assert report and report["exit"] == 1 and report["status"] == "failed" and report["verb"] == "train", report
        assert f"while MPI {where}ed: rank 0 of 3 waited" in report["message"], report
        assert report["message"] in err, err
    _, err = hang(words, 2, "start", 0, 20)
    assert "rank 1 of 2 waited" in err, err


def refused_for_memory(done):
    """The report of a run that ended for want of memory; None if that was before main, which says so and writes no report."""
    if not done.stdout:
        assert b"still not loaded" in done.stderr and b"memory" in done.stderr, done
        return None
    report = json.loads(done.stdout.decode())
    assert "memory" in report["message"], report
    return report


def test_a_library_that_is_never_loaded():
    folder = fresh("loading")
    with open(f"{folder}/spin.c", "w") as f:
        f.write("__attribute__((constructor)) static void spin(void) { for (volatile int i = 0;; i++) ; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", f"{folder}/spin.so", f"{folder}/spin.c"], check=True)
    done = subprocess.run(command(["--version"], 0), capture_output=True, timeout=120, env={**os.environ, "LD_PRELOAD": f"{folder}/spin.so"})
    assert done.returncode == 1 and b"still not loaded" in done.stderr and not done.stdout, done


def test_openblas_whose_threads_have_no_buffer():
    """It starts a thread per core when it is loaded, which looks for memory for ever, and waits for it when the process exits;
    0.3.29 looks for memory itself, and akin's timer ends that."""
    words, folder = catalogue()
    codes = set()
    for mebibytes in (280, 290, 300, 310):
        room = mebibytes << 20
        done = subprocess.run(command([*words, "--json", "--stall-limit", "20"], 0), capture_output=True, timeout=60,
                              env={**os.environ, "OPENBLAS_NUM_THREADS": "2"},
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (room, room)))
        codes.add(done.returncode)
        if done.returncode == 1 and (done.stdout or b"not loaded" in done.stderr):
            refused_for_memory(done)
    assert 1 in codes, codes


def test_openblas_without_its_buffer():
    words, folder = catalogue()
    seen = set()
    for mebibytes in (220, 260, 300, 320, 340, 360, 400, 480, 2048):
        room = mebibytes << 20
        began = time.monotonic()
        done = subprocess.run(command([*words, "--json", "--stall-limit", "20"], 0), capture_output=True, timeout=60,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (room, room)))
        seen.add(done.returncode)
        report = refused_for_memory(done) if done.returncode == 1 else None
        assert done.returncode == 0 or time.monotonic() - began < 15 or (done.returncode == 1 and not report), mebibytes
        if done.returncode == 1:
            seen.add("OpenBLAS" if not report or "OpenBLAS" in report["message"] else "other")
        else:  # the loader itself (127) and MPI's start may fail, in their own words
            assert done.returncode in (0, 127) or b"MPI" in done.stderr or b"error while loading" in done.stderr, done
    assert {0, 1, "OpenBLAS"} <= seen, seen


if __name__ == "__main__":
    main(globals())
