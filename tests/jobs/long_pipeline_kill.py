"""The whole job on the demo catalogue, killed with -9 at random moments, ends with the bits of an undisturbed one."""

import os
import random
import signal
import subprocess
import time

from support import AKIN, FULL, SEED, SOURCE, akin, assert_same_variables, command, fresh

KILLS = 30 if FULL else 6
FILES = ["catalog.nc", "model.nc", "embeddings.nc", "table.nc"]
JOB = """[job]
name = kill
output = {output}
[ingest]
source = {source}/jobs/demo/catalog.csv
[train]
epochs = 6
features = autoencoder
checkpoint-every = 1
[neighbors]
k = 10
exclude-same-group = yes
[publish]
to = file:{output}/table.jsonl
"""


def job(folder, name):
    path = os.path.join(folder, name + ".ini")
    with open(path, "w") as f:
        f.write(JOB.format(output=os.path.join(folder, name), source=SOURCE))
    return path


def ranks_of(launcher):
    """Process numbers of the program's ranks below mpirun."""
    found = subprocess.run(["pgrep", "-P", str(launcher.pid), "-f", AKIN], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


def test_killed_and_resumed():
    print(f"AKIN_SEED={SEED}", flush=True)
    r = random.Random(SEED)
    folder = fresh("kill")
    begin = time.monotonic()
    akin("run", job(folder, "whole"), ranks=2, timeout=300)
    whole = time.monotonic() - begin

    ini, kills, finished = job(folder, "killed"), 0, False
    while kills < KILLS and not finished:
        ranks = r.choice([1, 2, 3])
        run = subprocess.Popen(command(["run", ini], ranks), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(r.uniform(0.05, 0.4) * whole)
        victims = ranks_of(run)
        if victims and run.poll() is None:
            os.kill(r.choice(victims), signal.SIGKILL)
            kills += 1
        _, err = run.communicate(timeout=120)
        finished = run.returncode == 0
        if finished and kills < KILLS:  # done before all kills: begin again
            for name in FILES:
                assert_same_variables(os.path.join(folder, "whole", name), os.path.join(folder, "killed", name))
            subprocess.run(["rm", "-rf", os.path.join(folder, "killed")], check=True)
            finished = False
    assert kills == KILLS
    akin("run", ini, ranks=3, timeout=300)
    for name in FILES:
        assert_same_variables(os.path.join(folder, "whole", name), os.path.join(folder, "killed", name))
    with open(os.path.join(folder, "whole", "table.jsonl")) as a, open(os.path.join(folder, "killed", "table.jsonl")) as b:
        assert a.read() == b.read(), "published tables differ"


if __name__ == "__main__":
    test_killed_and_resumed()
