"""Passwords stay where they are: in no message, report, log, figure or process title, in no file with wider permissions than the job's own;
and what a job says of its night and its output is checked. An output that is a symbolic link stays one."""

import json
import os
import stat
import subprocess
import time

from support import AKIN, akin, draw_catalogue, fresh, main

PASSWORD = "hunter2"
ADDRESSES = [f"redis://u:{PASSWORD}@127.0.0.1:1/0?catalog=x", f"redis:u:{PASSWORD}@h", f"qdrant://user:{PASSWORD}@",
             f"qdrant://user:{PASSWORD}@127.0.0.1:1/c", f"memcached://u:{PASSWORD}@127.0.0.1:1?catalog=a", f"nothing://u:{PASSWORD}@h",
             f"redis://u:{PASSWORD}@h:99999/0?catalog=x", f"redis://u:{PASSWORD}@[::1/0?catalog=x",
             f"redis://127.0.0.1:1/0?catalog=x&password={PASSWORD}", f"redis://{PASSWORD}@127.0.0.1:1/0?catalog=x",
             f"user:{PASSWORD}@h:6379/0", f"//user:{PASSWORD}@h", f"redis://u:{PASSWORD}", f"redis://u%3A{PASSWORD}@127.0.0.1:1/0?catalog=x",
             f"redis%3A%2F%2Fu%3A{PASSWORD}%40h", f"redis://u:{PASSWORD} {PASSWORD}@127.0.0.1:1/0?catalog=x"]


def table(folder):
    akin("ingest", draw_catalogue(f"{folder}/source", 9), "-o", f"{folder}/c.nc")
    akin("train", f"{folder}/c.nc", "-o", f"{folder}/m.nc")
    akin("embed", f"{folder}/c.nc", "--model", f"{folder}/m.nc", "-o", f"{folder}/e.nc")
    akin("neighbors", f"{folder}/e.nc", "-o", f"{folder}/t.nc", "-k", "3")
    return f"{folder}/t.nc"


def test_no_message_shows_a_password():
    path = table(fresh("secrets"))
    for n, address in enumerate(ADDRESSES):
        for words in (["publish", path, "--to", address, "--timeout", "1"], ["rollback", f"--to={address}", "--timeout", "1"],
                      ["publish", address, "--to", "file:x.csv"], ["inspect", path, address], ["query", path, "--id", address])[: 5 if n < 2 else 2]:
            done = akin(*words, "--json", expect=None)
            assert done.code in (1, 2, 3), (words, done.code)
            assert PASSWORD not in done.out + done.err, (words, done.err, done.out)


def test_the_process_list_shows_none():
    process = subprocess.Popen([AKIN, "publish", "absent.nc", "--to", ADDRESSES[0], "--stall-limit", "60"], stderr=subprocess.PIPE,
                               env={**os.environ, "LD_DEBUG": "", "OMPI_MCA_opal_progress_yield_when_idle": "1"})
    seen, shown = False, ""
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/cmdline") as f:
                shown = f.read()
        except OSError:
            break
        seen = seen or "***@" in shown
        time.sleep(0.001)
    process.communicate()
    assert seen, shown


def test_job_ini_is_no_wider_than_the_job_file():
    folder = fresh("modes")
    source = draw_catalogue(f"{folder}/source", 8)
    job = f"{folder}/night.ini"
    with open(job, "w") as f:
        f.write(f"[job]\noutput = {folder}/out\n[ingest]\nsource = {source}\n[neighbors]\nk = 3\n"
                f"[publish]\nto = redis://u:{PASSWORD}@127.0.0.1:1/0?catalog=x\ntimeout = 1\n")
    for mode in (0o600, 0o640, 0o644):
        os.chmod(job, mode)
        done = akin("run", job, "--json", expect=1, ranks=0)
        made = f"{folder}/out/job.ini"
        assert stat.S_IMODE(os.stat(made).st_mode) & ~mode == 0, oct(os.stat(made).st_mode)
        for name in os.listdir(f"{folder}/out"):
            with open(f"{folder}/out/{name}", "rb") as f:
                assert name == "job.ini" or PASSWORD.encode() not in f.read(), name
        assert PASSWORD not in done.out + done.err


def test_a_night_is_a_day_of_the_calendar():
    for night in ("2026-13-45", "2026-02-29", "2026-00-10", "2026-04-31", "2026-1-1", "tonight"):
        assert "--night" in akin("run", "absent.ini", "--night", night, expect=2).err
    assert "absent.ini" in akin("run", "absent.ini", "--night", "2028-02-29", expect=1).err


def test_an_output_that_is_a_link_stays_one():
    folder = fresh("links")
    source = draw_catalogue(f"{folder}/source", 8)
    os.makedirs(f"{folder}/far")
    os.symlink("far/c.nc", f"{folder}/c.nc")
    os.symlink("c.nc", f"{folder}/again.nc")
    for _ in range(2):  # the first time it leads to nothing yet
        akin("ingest", source, "-o", f"{folder}/again.nc", ranks=2)
        assert os.path.islink(f"{folder}/c.nc") and os.path.islink(f"{folder}/again.nc")
        assert sorted(os.listdir(f"{folder}/far")) == ["c.nc"]
    path = table(f"{folder}/far")
    os.symlink("far/t.csv", f"{folder}/t.csv")
    akin("publish", path, "--to", f"file:{folder}/t.csv")
    akin("neighbors", f"{folder}/far/e.nc", "-o", path, "-k", "2")
    akin("publish", path, "--to", f"file:{folder}/t.csv", "--max-churn", "1")
    with open(f"{folder}/t.csv") as f:
        second = f.read()
    akin("rollback", "--to", f"file:{folder}/t.csv")
    assert os.path.islink(f"{folder}/t.csv") and os.path.exists(f"{folder}/far/t.csv.prev")
    with open(f"{folder}/t.csv") as f:
        assert f.read() != second


if __name__ == "__main__":
    main(globals())
