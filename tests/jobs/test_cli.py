"""The command line, whatever the verb: usage errors name the nearest right word and touch nothing, --json is one line."""

import json
import os
import re
import shutil
import signal
import subprocess

from support import AKIN, akin, command, draw_catalogue, fresh, main

os.chdir(fresh("cli"))
VERBS = ["ingest", "train", "embed", "neighbors", "evaluate", "publish", "rollback", "query", "gallery", "run", "inspect",
         "fetch", "status", "plan"]
RANKS = (0, 3)


def common_keys(done, verb, code, ranks):
    report = done.json
    assert report["verb"] == verb and report["exit"] == code and report["ranks"] == max(ranks, 1), report
    assert report["status"] == ("ok" if code == 0 else "failed"), report
    assert report["seconds"] >= 0 and report["items"] == 0, report
    assert ("message" in report) == (code != 0), report


def test_help_and_version_are_answers():
    assert akin("--version").out.startswith("akin ")
    for word in ("man akin", "75 interrupted"):  # where to read on, and what an exit status means
        assert word in akin("--help").out, word
    for words in (["--help"], ["-h"], ["help"]):
        out = akin(*words).out
        assert all(f"\n  {verb} " in out for verb in VERBS), out
    for verb in VERBS:
        done = akin(verb, "--help")
        assert done.out.startswith(f"usage: akin {verb} ") and "--stall-limit" in done.out and not done.err, done.err
        assert akin("help", verb).out == done.out
    assert akin("run", "--version").out == akin("--version").out


def test_help_has_one_column_and_fits_the_screen():
    for words in ([], *([verb] for verb in VERBS)):
        options = akin(*words, "--help").out
        assert max(len(line) for line in options.splitlines()) <= 100, (words, [line for line in options.splitlines() if len(line) > 100])
        for line in options.partition("Options")[2].splitlines():
            name = re.match(r"  (-\w, |    )--\S+( [^ ]\S*)?(?=  |$)", line) or re.match(r"  (-\w, |    )--\S{1,28}", line)
            column = len(line) - len(line[name.end() if name else 0:].lstrip()) if line.startswith("  ") else 36
            assert column in (36, len(line)), (words, line)


def test_a_reader_that_has_enough_is_no_error():
    """As of coreutils: silent, and ended by SIGPIPE. A full disk is an error still."""
    for words in (["--help"], ["train", "--help"], ["--version"], ["train", "--help", "--json"]):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([AKIN, *words], stdout=write, stderr=subprocess.PIPE)
        os.close(write)
        assert done.stderr == b"" and done.returncode == -signal.SIGPIPE, (words, done)
        with open("/dev/full", "w") as full:
            done = subprocess.run([AKIN, *words], stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and "cannot write to stdout" in done.stderr, (words, done)


def test_a_verb_that_nobody_reads_ends_with_its_own_status():
    """What it did is done: a published table must not look failed."""
    os.chdir(fresh("unread"))
    draw_catalogue("pictures", 12)
    with open("unread.ini", "w") as f:
        f.write("[job]\nname = unread\n[ingest]\nsource = pictures/catalog.csv\n[train]\nfeatures = handcrafted\n[neighbors]\nk = 1\n")
    with open("golden.csv", "w") as f:
        f.write("id,neighbor\n" + "".join(f"item-0000,item-{i:04d}\n" for i in range(1, 12)))
    to = "file:unread.jsonl"
    table = "results/unread/table.nc"
    for words, code in ((["run", "unread.ini"], 0), (["publish", table, "--to", to], 0), (["neighbors", "results/unread/embeddings.nc", "-o", "other.nc"], 0),
                        (["publish", "other.nc", "--to", to, "--max-churn", "1"], 0), (["rollback", "--to", to], 0), (["add", "unread.ini", "pictures/catalog.csv"], 0),
                        (["inspect", table], 0), (["publish", table, "--to", to, "--max-churn", "1", "--golden", "golden.csv"], 4)):
        for more in ([], ["--json"]):
            read, write = os.pipe()
            os.close(read)
            done = subprocess.run([AKIN, *words, *more], stdout=write, stderr=subprocess.PIPE, text=True)
            os.close(write)
            assert done.returncode == code and "stdout" not in done.stderr, (words, done)
    os.chdir("..")
    shutil.rmtree("unread")


def test_only_rank_0_answers():
    assert akin("train", "--help", ranks=3).out.count("usage:") == 1
    assert akin("--version", ranks=3).out.count("akin") == 1


def test_no_verb_is_a_usage_error():
    done = akin(expect=2)
    assert "usage:" in done.err and not done.out
    akin("--quiet", expect=2)


def test_the_nearest_right_word_is_named():
    for words, named in [
        (["trian"], '"train"'),
        (["eval"], '"evaluate"'),
        (["foo"], "the verbs are ingest, train, embed"),
        (["help", "galery"], '"gallery"'),
        (["ingest", "a.csv", "-o", "c.nc", "--fit", "streched"], "stretch|pad|crop"),
        (["train", "c.nc", "--epoch", "3"], "--epochs"),
        (["train", "c.nc", "--batch-size=3"], "--batch"),
        (["neighbors", "e.nc", "-o", "t.nc", "--same-categroy"], "--same-category"),
        (["neighbors", "e.nc", "-o", "t.nc", "-k", "0"], "whole number from 1"),
        (["neighbors", "e.nc", "-o", "t.nc", "--min-score", "-1.5"], "-1 to 1"),
        (["run", "job.ini", "--epochs", "3"], "epochs = ... in the section [train]"),
        (["run", "job.ini", "--output", "x"], "output = ... in the section [job]"),
        (["run", "job.ini", "--source=x"], "source = ... in the section [ingest]"),
        (["run", "job.ini", "--jsn"], "--json"),
        (["query", "e.nc", "--id", "a", "--image", "b.png"], "both given"),
        (["train"], "missing argument"),
        (["train", "a.nc", "b.nc", "-o", "m.nc"], 'unexpected argument "b.nc"'),
        (["train", "a.nc", "-o"], "-o needs a value"),
        (["publish", "t.nc", "--to", "nowhere:x"], "nowhere:x"),
        (["train", "a.nc", "-o", "m.nc", "--cpu", "z80"], "auto|portable|avx2|avx512|vnni|amx"),
    ]:
        for ranks in RANKS if words[0] == "neighbors" else (0,):
            done = akin(*words, ranks=ranks, expect=2)
            lines = [line for line in done.err.splitlines() if line.startswith("akin")]
            assert not done.out and named in lines[0], (words, done.out, done.err)
            assert len(lines) == 2, done.err  # one message, one hint, whatever the number of ranks
    assert os.listdir(".") == []


def test_json_is_one_line_also_on_failure():
    for ranks in RANKS:
        for words, verb, code in [
            (["trian", "--json"], "trian", 2),
            (["--json"], "", 2),
            (["train", "--json"], "train", 2),
            (["train", "c.nc", "--epochs", "x", "--json"], "train", 2),
            (["train", "absent.nc", "-o", "m.nc", "--json"], "train", 1),
            (["neighbors", "absent.nc", "-o", "t.nc", "--json"], "neighbors", 1),
            (["evaluate", "absent.nc", "--json"], "evaluate", 1),
            (["run", "absent.ini", "--json"], "run", 1),
            (["inspect", "absent.nc", "--json"], "inspect", 1),
            (["train", "--help", "--json"], "train", 0),
            (["--version", "--json"], "", 0),
        ]:
            if ranks and verb not in ("trian", "train"):
                continue
            done = akin(*words, ranks=ranks, expect=code)
            common_keys(done, verb, code, ranks)
            if code == 1:
                assert "absent" in done.json["message"] and f"akin {verb}: " in done.err, done.err
    assert os.listdir(".") == []


def test_the_answer_comes_before_mpirun_ends_all():
    """A rank that ends with a failure before rank 0 has given its answer would have mpirun end rank 0."""
    for _ in range(12):
        done = akin("train", "absent.nc", "-o", "m.nc", "--json", ranks=4, expect=1)
        common_keys(done, "train", 1, 4)


def test_words_behind_two_dashes_are_arguments():
    done = akin("evaluate", "--json", "--", "--json", expect=1)
    assert "--json" in done.json["message"], done.json


def test_a_name_that_is_no_utf8_stays_json():
    done = subprocess.run([AKIN, "evaluate", b"a\xff.nc", "--json"], capture_output=True)
    assert "a\ufffd.nc" in json.loads(done.stdout.decode())["message"] and done.returncode == 1


def test_an_answer_that_cannot_be_written_is_a_failure():
    with open("/dev/full", "w") as full:
        done = subprocess.run([AKIN, "--version"], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"stdout" in done.stderr, done


def test_failing_memory_ends_every_rank():
    """The n-th allocation of one of two ranks fails: both end with 1, and rank 0 answers once MPI is up."""
    told = 0
    for n in (9, 16, 25, 36, 49, 64):
        for rank in "01"[n % 2]:
            fault = {**os.environ, "AKIN_MEM_FAIL_AT": str(n), "AKIN_MEM_FAIL_RANK": rank}
            done = subprocess.run(command(["evaluate", "absent.nc", "--json"], 2, fault), capture_output=True, timeout=60, env=fault)
            assert done.returncode == 1, (n, rank, done.stderr)
            report = json.loads(done.stdout.decode())
            assert report["exit"] == 1 and report["message"], (n, rank, report)
            told += "not enough memory" in report["message"]
    assert told >= 3, told


def test_tasks_that_mpi_does_not_know_of_are_refused():
    """As plain srun starts them where Slurm and MPI have no PMIx in common."""
    task = {"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0", "SLURM_STEP_ID": "0"}
    done = akin("inspect", "absent.nc", expect=1, env=task)
    assert "srun started 4 tasks" in done.err and "--mpi=pmix" in done.err and "absent.nc" not in done.err
    assert akin("inspect", "absent.nc", "--json", expect=1, env=task).json["exit"] == 1
    other = akin("inspect", "absent.nc", "--json=yes", expect=1, env={**task, "SLURM_PROCID": "2"})
    assert other.out == "" and "srun started 4 tasks" in other.err  # one line of JSON, by the first task
    for fine in ({"SLURM_STEP_NUM_TASKS": "1"}, {"SLURM_STEP_ID": "4294967291"}):
        assert "absent.nc" in akin("inspect", "absent.nc", expect=1, env={**task, **fine}).err
    assert "absent.nc" in akin("inspect", "absent.nc", ranks=2, expect=1, env=task).err  # started by mpirun


main(globals())
