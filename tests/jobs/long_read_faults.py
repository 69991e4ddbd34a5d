"""The k-th read of a file fails (EIO), for every k of every verb, alone and on one of two ranks: exit 1 with a message (or the verb
reads again and does without), never 3, no hang; and the verb then makes the same bits as without faults."""

import os
import subprocess
import tarfile

from support import IDLE, akin, assert_same_variables, draw_catalogue, fresh

FAULTS = os.environ["AKIN_FAULTS"]
VERBS = [  # verb and options, the file it makes, the same without faults
    ("ingest pictures/catalog.csv -o c.nc", ("c.nc", "catalog.nc")),
    ("ingest pictures.tar -o d.nc", ("d.nc", "tar.nc")),
    ("ingest pictures/catalog.csv --previous catalog.nc -o c2.nc", ("c2.nc", "catalog.nc")),
    ("train catalog.nc -o m.nc --epochs 1 --features autoencoder", ("m.nc", "model.nc")),
    ("embed catalog.nc --model model.nc -o e.nc", ("e.nc", "embeddings.nc")),
    ("embed catalog.nc --model model.nc --previous embeddings.nc -o e2.nc", ("e2.nc", "embeddings.nc")),
    ("neighbors embeddings.nc -k 3 -o t.nc", ("t.nc", "table.nc")),
    ("neighbors embeddings.nc -k 3 --previous table.nc --previous-embeddings embeddings.nc -o t2.nc", ("t2.nc", "table.nc")),
    ("evaluate table.nc --against table.nc", None),
    ("publish table.nc --to file:p.jsonl --to file:p.csv --to file:p.npy", None),
    ("query embeddings.nc --image pictures/p1.png --model model.nc", None),
    ("gallery table.nc --source pictures/catalog.csv -o g --picture-size 16", None),
    ("inspect table.nc", None),
]


def test_every_read():
    os.chdir(fresh("reads"))
    draw_catalogue("pictures", 12)
    with tarfile.open("pictures.tar", "w") as tar:
        for i in range(12):
            tar.add(f"pictures/p{i}.png")
    for words in ("ingest pictures/catalog.csv -o catalog.nc", "ingest pictures.tar -o tar.nc", "train catalog.nc -o model.nc --epochs 1 --features autoencoder",
                  "embed catalog.nc --model model.nc -o embeddings.nc", "neighbors embeddings.nc -k 3 -o table.nc",
                  "publish table.nc --to file:p.jsonl --to file:p.csv --to file:p.npy", "neighbors embeddings.nc -k 2 -o other.nc",
                  "publish other.nc --to file:p.jsonl --to file:p.csv --to file:p.npy"):
        akin(*words.split(), "--quiet")
    for words, made in VERBS:
        for launch, more in (([], []), (["mpirun", *IDLE, "-n", "2"], ["--rank", "1", "--every", "3"])):
            done = subprocess.run([*launch, FAULTS, "--reads", "1", *more, *words.split()], capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, f"{launch} {words}\n{done.stdout[-500:]}\n{done.stderr[-2000:]}"
            print(f"{len(launch) - 1 if launch else 1} ranks: {done.stdout.strip()}", flush=True)
            assert launch or (" 0 reads" not in done.stdout and " 0 failed" not in done.stdout), done.stdout
        if made:
            assert_same_variables(*made)
    assert not [name for name in os.listdir(".") if ".part" in name or ".space" in name]


if __name__ == "__main__":
    test_every_read()
