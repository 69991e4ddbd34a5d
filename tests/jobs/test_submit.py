"""submit-nightly.sh without a Slurm: stand-ins for sbatch and squeue record their arguments. (long_slurm.py has a real one.)"""

import os
import subprocess

import support
from support import AKIN, SOURCE, draw_catalogue

os.chdir(support.fresh("submit"))
SCRIPT = f"{SOURCE}/slurm/submit-nightly.sh"
draw_catalogue("pictures", 4)
with open("night.ini", "w") as f:
    f.write("[job]\nkeep = 2\n[ingest]\nsource = pictures/catalog.csv\n")


def stand_in(name, text):
    os.makedirs("bin", exist_ok=True)
    with open(f"bin/{name}", "w") as f:
        f.write(f"#!/bin/sh\n{text}\n")
    os.chmod(f"bin/{name}", 0o755)


def submit(*words, expect=0, script=SCRIPT, shell="bash", **env):
    done = subprocess.run([shell, script, *words], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "PATH": f"{os.getcwd()}/bin:/usr/bin:/bin", "AKIN": AKIN, **env})
    assert done.returncode == expect, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def asked():
    if not os.path.exists("asked"):
        return []
    with open("asked") as f:
        lines = f.read().splitlines()
    os.remove("asked")
    return lines


stand_in("squeue", "exit 0")
stand_in("sbatch", 'echo "$@" >>asked; echo $((700 + $(wc -l <asked)))')


def test_help():
    assert os.access(SCRIPT, os.X_OK)
    done = submit("--help")
    assert "usage: submit-nightly.sh" in done.stdout and "AKIN_SETUP" in done.stdout and "AKIN_TRAIN_SIZE=" in done.stdout and not done.stderr
    assert "--help says more" in submit("--nothing", expect=2).stderr and "set -eu" not in done.stdout


def test_any_shell_will_do_and_a_dry_run_needs_no_slurm():
    assert submit("--help", shell="sh").stdout == submit("--help").stdout
    os.makedirs("tools")
    for folder in "/bin", "/usr/bin":
        for name in set(os.listdir(folder)) - {"sbatch", "squeue", *os.listdir("tools")}:
            os.symlink(f"{folder}/{name}", f"tools/{name}")
    without = dict(shell="sh", PATH=os.path.abspath("tools"))
    dry = submit("--dry-run", "--chain", "night.ini", **without)
    assert dry.stdout.count("dry run, not submitted: sbatch ") == 5 and "squeue" not in dry.stderr, dry
    assert "sbatch not found" in submit("night.ini", expect=1, **without).stderr
    assert submit("--quiet", "night.ini", shell="sh").stdout == "" and len(asked()) == 1


def test_cron_is_silent():
    with open(f"{SOURCE}/slurm/crontab") as f:
        line = next(x for x in f if "submit-nightly.sh" in x)
    assert " --quiet " in line and ">" not in line, line
    done = submit("--quiet", "night.ini")
    assert (done.stdout, done.stderr) == ("", "") and len(asked()) == 1
    done = submit("--quiet", "--chain", "night.ini")
    assert (done.stdout, done.stderr) == ("", "") and len(asked()) == 5
    with open("bad.ini", "w") as f:
        f.write("[neighbors]\nkk = 3\n")
    assert "bad.ini" in submit("--quiet", "bad.ini", expect=2).stderr and asked() == []


def test_only_a_job_with_nights_gets_a_date():
    for keep, dated in (("", False), ("keep = 0\n", False), ("; keep = 2\n", False), ("keep: 14\n", True), ("  keep = 014\n", True), ("keep=3 ; nights\n", True)):
        with open("dated.ini", "w") as f:
            f.write(f"[job]\nname = dated\n{keep}[ingest]\nsource = pictures/catalog.csv\n")
        submit("--quiet", "dated.ini")
        assert ("--night 20" in asked()[0]) == dated, keep
        submit("--quiet", "--chain", "dated.ini")
        assert all(("--night 20" in line) == dated for line in asked()), keep


def test_ids_and_a_dry_run_that_has_none():
    assert submit("night.ini").stdout == "701 night\n" and "night.ini --night 20" in asked()[0]
    dry = submit("--dry-run", "--chain", "night.ini", AKIN_MEM="12G", AKIN_OPTIONS="--partition=long")
    assert asked() == [] and len(dry.stdout.splitlines()) == 5
    for line in dry.stdout.splitlines():
        assert line.startswith("dry run, not submitted: sbatch ") and "--mem=12G " in line and "--partition=long" in line, line
    submit("night.ini", AKIN_MEM="12G")
    assert "--mem=12G" in asked()[0]
    submit("night.ini", AKIN_MEM="12G", AKIN_NIGHT_SIZE="--mem=3G")
    assert "--mem=12G --mem=3G" in asked()[0]  # of sbatch the last one counts
    for wrong in ("12Q", "lots", "1.5G", "G", "12GB"):
        assert f"AKIN_MEM is {wrong}" in submit("night.ini", AKIN_MEM=wrong, expect=2).stderr and asked() == []
    assert "no program" in submit("night.ini", AKIN="/no/akin", expect=1).stderr and asked() == []


def test_refused_where_squeue_or_sbatch_fails():
    stand_in("squeue", "echo slurm_load_jobs error >&2; exit 1")
    done = submit("--quiet", "night.ini", expect=1)
    assert "squeue failed" in done.stderr and "slurm_load_jobs error" in done.stderr and asked() == []
    for shell in "sh", "bash":
        done = submit("--dry-run", "night.ini", shell=shell)
        assert "squeue failed" in done.stderr and "slurm_load_jobs" not in done.stderr and "dry run, not submitted: sbatch " in done.stdout and asked() == []
    stand_in("squeue", "echo \"12 (RUNNING)|$PWD\"; echo \"14 (PENDING)|$PWD\"; echo '13 (RUNNING)|/another/shop'")
    assert "job 12 (RUNNING), 14 (PENDING): wait" in submit("night.ini", expect=1).stderr and asked() == []
    stand_in("squeue", "echo '13 (RUNNING)|/another/shop'")
    submit("night.ini")
    assert len(asked()) == 1
    stand_in("squeue", "exit 0")
    stand_in("sbatch", "echo sbatch: error: no such partition >&2; exit 1")
    refused = submit("--chain", "night.ini", expect=1).stderr
    assert 'sbatch refused the job "ingest"' in refused and "stay queued" not in refused
    stand_in("sbatch", '[ ! -e first ] || { rm first; exit 1; }; touch first; echo 77')
    assert "from 77 on, stay queued: scancel -n akin-night" in submit("--chain", "night.ini", expect=1).stderr
    stand_in("sbatch", 'echo "$@" >>asked; echo $((700 + $(wc -l <asked)))')


def test_the_program_beside_it_and_modules():
    os.makedirs("elsewhere/slurm", exist_ok=True)
    os.makedirs("elsewhere/build", exist_ok=True)
    for name in ("submit-nightly.sh", "nightly.sbatch", "launch.sh"):
        with open(f"{SOURCE}/slurm/{name}") as f, open(f"elsewhere/slurm/{name}", "w") as out:
            out.write(f.read())
    script = "elsewhere/slurm/submit-nightly.sh"
    assert "akin not found" in submit("night.ini", expect=1, script=script, AKIN="").stderr
    os.symlink(AKIN, "elsewhere/build/akin")
    submit("night.ini", script=script, AKIN="")
    with open("elsewhere/slurm/setup.sh", "w") as f:
        f.write("touch was-read; MODULES=yes\n")
    submit("--quiet", "night.ini", script=script, AKIN="")
    assert os.path.exists("was-read")
    os.remove("was-read")
    done = subprocess.run(["bash", "elsewhere/slurm/launch.sh", "--version"], capture_output=True, text=True,
                          env={**os.environ, "AKIN_LAUNCHER": "mpirun", "AKIN": AKIN})
    assert done.returncode == 0 and os.path.exists("was-read"), done
    with open("elsewhere/slurm/setup.sh", "w") as f:
        f.write("false\n")
    assert "setup.sh (AKIN_SETUP) failed" in submit("night.ini", expect=1, script=script).stderr


support.main(globals())
