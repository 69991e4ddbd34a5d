"""A real Slurm of virtual nodes on this machine, for the tests: started in its own folder on 127.0.0.1 and stopped with the test."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time

from support import AKIN, SOURCE

SCRIPTS = os.path.join(SOURCE, "tests", "slurm")
NIGHT = os.path.join(SOURCE, "slurm")


def free_port():
    """The first of a range of 300 whose ends are both unused."""
    for port in range(17800, 32000, 400):
        with contextlib.suppress(OSError):
            for one in (port, port + 1, port + 100):
                with socket.socket() as s:
                    s.bind(("127.0.0.1", one))
            return port
    raise AssertionError("no free ports")


class Cluster:
    def __init__(self, nodes=2, cpus=4):
        self.folder = tempfile.mkdtemp(prefix="akin-slurm-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.env = {**os.environ, "SLURMBOX_NODES": str(nodes), "SLURMBOX_CPUS": str(cpus), "SLURMBOX_PORT": str(free_port()),
                    "SLURMBOX_WAIT": "60", "SLURMBOX_EXTRA": "OverTimeLimit=0"}
        try:
            self.script("up.sh")
        except BaseException:
            self.stop()
            raise
        shown = subprocess.run(["bash", "-c", f". {SCRIPTS}/env.sh {self.folder}; env -0"], env=self.env, capture_output=True, check=True)
        self.env = dict(word.split("=", 1) for word in shown.stdout.decode().split("\0") if "=" in word)
        # What ctest and environment.sh set for one machine without Slurm: Slurm spreads the ranks, and its nodes need a network.
        for name in ("OMPI_MCA_rmaps_base_mapping_policy", "OMPI_MCA_btl"):
            self.env.pop(name, None)
        self.env["AKIN"] = AKIN

    def script(self, name, *words):
        done = subprocess.run([os.path.join(SCRIPTS, name), self.folder, *words], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        assert done.returncode == 0, f"{name}: {done.stdout}"

    def stop(self):
        self.script("down.sh")
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, *words, expect=0, **env):
        done = subprocess.run([str(w) for w in words], env={**self.env, **env}, capture_output=True, text=True, timeout=180)
        assert expect is None or done.returncode == expect, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def submit(self, *words, expect=0, **env):
        return self.command(os.path.join(NIGHT, "submit-nightly.sh"), *words, expect=expect, **env)

    def sbatch(self, *words, **env):
        return self.command("sbatch", "--parsable", *words, AKIN_SLURM=NIGHT, **env).stdout.strip()

    def fields(self, job):
        out = self.command("scontrol", "show", "job", "-o", job).stdout.splitlines()[0]
        return dict(word.split("=", 1) for word in out.split() if "=" in word)

    def state(self, job):
        return self.fields(job)["JobState"]

    def wait_for(self, condition, what, seconds=90):
        deadline = time.time() + seconds
        while not condition():
            assert time.time() < deadline, f"{what}: not within {seconds} s\n" + self.command("squeue", expect=None).stdout + self.log()
            time.sleep(0.2)

    def ended(self, job, seconds=180):
        """Its fields, once it has."""
        going = {"PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "REQUEUED"}
        self.wait_for(lambda: self.state(job) not in going, f"job {job} to end", seconds)
        return self.fields(job)

    def log(self):
        """What all jobs have written."""
        text = ""
        for name in sorted(os.listdir(".")):
            if name.endswith(".log"):
                with open(name, errors="replace") as f:
                    text += f"== {name}\n{f.read()}\n"
        return text


@contextlib.contextmanager
def cluster(**words):
    found = Cluster(**words)
    try:
        yield found
    finally:
        found.stop()
