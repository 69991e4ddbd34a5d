"""The k-th allocation fails, for every k of every verb on a small catalogue, alone and on one of two ranks: a clean error, all
memory given back, no hang, and whatever the faults left behind, the verb then makes the same bits as without them. The short
form takes every 13th of them, fewer at two ranks, from another one on each day."""

import os
import subprocess

from support import FULL, IDLE, SEED, akin, assert_same_variables, draw_catalogue, fresh

FAULTS = os.environ["AKIN_FAULTS"]
RARELY = int(os.environ.get("AKIN_FAULTS_RARELY", "0"))  # under the sanitizers, which are slow and look for leaks
ALONE, AT_RANKS = (RARELY, RARELY) if RARELY else (1, 1) if FULL else (13, 4)
JOB = """[job]
name = small
keep = 2
[ingest]
source = pictures/catalog.csv
max-reject-fraction = 0.5
[train]
epochs = 1
features = autoencoder
[neighbors]
k = 3
[evaluate]
label = category
[publish]
to = file:small.jsonl
[gallery]
picture-size = 16
"""
VERBS = [  # verb and options, every how many-th allocation alone and at two ranks, the file it makes, the same without faults
    ("ingest pictures/catalog.csv -o c.nc --rejects r.csv --max-reject-fraction 0.5", 1, 7, ("c.nc", "catalog.nc")),
    ("ingest pictures/catalog.csv --previous catalog.nc -o c2.nc --max-reject-fraction 0.5", 1, 9, ("c2.nc", "catalog.nc")),
    ("ingest pictures/catalog.csv -o a.nc --max-reject-fraction 0.5 --columns kind=category --attributes kind:labels", 1, 9, ("a.nc", "labels.nc")),
    ("train catalog.nc -o m.nc --epochs 1 --features autoencoder", 1, 60, ("m.nc", "model.nc")),
    ("embed catalog.nc --model model.nc -o e.nc", 1, 20, ("e.nc", "embeddings.nc")),
    ("neighbors embeddings.nc -k 3 -o t.nc", 1, 7, ("t.nc", "table.nc")),
    ("evaluate table.nc --against table.nc", 1, 5, None),
    ("publish table.nc --to file:p.csv --previous other.nc --dry-run --max-churn 1", 1, 9, None),
    ("publish table.nc --to file:p.jsonl --to file:p.csv", 1, 9, None),
    ("rollback --to file:p.csv", 1, 5, None),
    ("query embeddings.nc --id item-0001", 1, 7, None),
    ("query embeddings.nc --id item-0001 --why item-0002", 1, 9, None),
    ("evaluate table.nc --golden golden.csv", 1, 5, None),
    ("query embeddings.nc --image pictures/p1.png --model model.nc", 1, 25, None),
    ("gallery table.nc --source pictures/catalog.csv -o g --picture-size 16", 1, 25, None),
    ("inspect table.nc", 1, 9, None),
    ("run small.ini", 5, 60, None),  # all is there: what is skipped
    ("run small.ini", 60, 400, "results/small"),  # from nothing
]


def run(command, words, every):
    """The last of as many calls as it takes, and how many faults ended all ranks at once, as inside a parallel write."""
    ended, first = 0, 1 + SEED % every
    while True:
        done = subprocess.run([*command, "--from", str(first), *words.split()], capture_output=True, text=True, timeout=300)
        if done.returncode != 1 or "mpirun" not in command or "akin: rank 1: not enough memory for " not in done.stderr:
            return done, ended
        ended += 1
        with open("faults.k") as f:
            first = int(f.read()) + every


def test_every_allocation():
    os.chdir(fresh("alloc"))
    draw_catalogue("pictures", 12)
    with open("pictures/catalog.csv", "a") as f:
        f.write("bad,absent.png\n")
    with open("golden.csv", "w") as f:
        f.write("id,neighbor\nitem-0001,item-0002\nitem-0003,lost\n")
    with open("small.ini", "w") as f:
        f.write(JOB)
    for words in ("ingest pictures/catalog.csv -o catalog.nc --max-reject-fraction 0.5", "train catalog.nc -o model.nc --epochs 1 --features autoencoder",
                  "embed catalog.nc --model model.nc -o embeddings.nc", "neighbors embeddings.nc -k 3 -o table.nc",
                  "publish table.nc --to file:p.csv", "neighbors embeddings.nc -k 2 -o other.nc", "publish other.nc --to file:p.csv",
                  "ingest pictures/catalog.csv -o labels.nc --max-reject-fraction 0.5 --columns kind=category --attributes kind:labels"):
        akin(*words.split(), "--quiet")
    print(f"AKIN_SEED={SEED}", flush=True)
    for words, every, at_ranks, made in VERBS:
        again = ["--fresh", made] if isinstance(made, str) else []
        for launch in ([], ["mpirun", *IDLE, "-n", "2"]):
            more = ["--rank", "1", "--every", str(at_ranks * AT_RANKS)] if launch else ["--every", str(every * ALONE)]
            if again and launch:
                continue
            done, ended = run([*launch, FAULTS, *more, *again], words, int(more[-1]))
            assert done.returncode == 0, f"{launch} {words}\n{done.stdout[-500:]}\n{done.stderr[-2000:]}"
            print(f"{2 if launch else 1} ranks, every {more[-1]}: {done.stdout.strip()}, {ended} ended all ranks", flush=True)
            assert not words.startswith("evaluate") or launch or " 0 failed cleanly" not in done.stdout
        if isinstance(made, tuple):
            assert_same_variables(*made)
    assert not [name for name in os.listdir(".") if ".part" in name or ".space" in name]


if __name__ == "__main__":
    test_every_allocation()
