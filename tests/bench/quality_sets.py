"""The sets of pictures that the vectors' quality is measured on: each is made into a folder with catalog.csv (id, path,
category, group) and labels.csv (id and a column a label). Used by bench_quality.py.

Pictures that the packages and the archive have are used as they are; what is not a picture file yet (Fashion-MNIST, the
synthetic set) is written as PNG.
"""

import csv
import gzip
import os
import sys
import tarfile

import numpy
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import synthetic  # noqa: E402

FASHION = "/usr/share/datasets/fashion-mnist"  # Debian's dataset-fashion-mnist
CLIPART = "/usr/share/openclipart/png"  # Debian's openclipart-png
FASHION_NAMES = "t-shirt trouser pullover dress coat sandal shirt sneaker bag boot".split()
# What a shop might sell, as the demo has it: no signs, no icons, no scenes. A folder counts from 15 pictures on.
PRODUCTS = """food people/clothing tools recreation/toys recreation/music recreation/sports recreation/party recreation/games/chess
    office education/books electronics computer/hardware plants buildings/furniture containers transportation/vehicles
    decorations""".split()
FEWEST, MOST_PIXELS = 15, 100_000_000


def write(folder, rows, labels):
    """rows: (id, path, category, group); labels: {name: [value of each row]}."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "catalog.csv"), "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["id", "path", "category", "group"])
        out.writerows(rows)
    with open(os.path.join(folder, "labels.csv"), "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["id", *labels])
        out.writerows([row[0], *values] for row, values in zip(rows, zip(*labels.values())))


def chosen(count, items, seed):
    """At most `items` of count rows, ascending; others with another seed."""
    return sorted(numpy.random.RandomState(seed).permutation(count)[:items].tolist())


def idx(name, header):
    with gzip.open(os.path.join(FASHION, name)) as f:
        return numpy.frombuffer(f.read()[header:], numpy.uint8)


def fashion(folder, items, seed, source):
    pictures = idx("train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    kinds = idx("train-labels-idx1-ubyte.gz", 8)
    os.makedirs(os.path.join(folder, "pictures"), exist_ok=True)
    rows, names = [], []
    for i in chosen(len(pictures), items, seed):
        Image.fromarray(pictures[i]).save(os.path.join(folder, "pictures", f"{i:05d}.png"))
        names.append(FASHION_NAMES[kinds[i]])
        rows.append((f"{i:05d}", f"pictures/{i:05d}.png", names[-1], ""))
    write(folder, rows, {"type": names})


def clothing(folder, items, seed, source):
    with tarfile.open(source) as archive:
        archive.extractall(folder)
    with open(os.path.join(folder, "clothing", "catalog.csv"), newline="") as f:
        found = list(csv.DictReader(f))
    found = [found[i] for i in chosen(len(found), items, seed)]
    write(folder, [(r["id"], os.path.join("clothing", r["path"]), r["category"], r["group"]) for r in found],
          {"type": [r["category"] for r in found]})


def clipart(folder, items, seed, source):
    root, rows, labels = source or CLIPART, [], []
    for place, _, files in sorted(os.walk(root)):
        label = os.path.relpath(place, root)
        real = [f for f in sorted(files) if f.endswith(".png") and not os.path.islink(os.path.join(place, f))]
        if len(real) < FEWEST or not any(label == p or label.startswith(p + "/") for p in PRODUCTS) or "weapons" in label:
            continue
        for name in real:
            path = os.path.join(place, name)
            with open(path, "rb") as f:
                head = f.read(24)
            if int.from_bytes(head[16:20], "big") * int.from_bytes(head[20:24], "big") <= MOST_PIXELS:
                rows.append((f"{label}/{name}", path, label, ""))
                labels.append(label)
    kept = chosen(len(rows), items, seed)
    write(folder, [rows[i] for i in kept], {"folder": [labels[i] for i in kept]})


def drawn(folder, items, seed, source):
    items = min(items, 4000)
    synthetic.write(folder, items, seed)
    known = synthetic.factors(items, seed)
    rows = [(f"{i:06d}", f"pictures/{i:06d}.png", shape, "") for i, (shape, _, _) in enumerate(known)]
    shapes, colours, textures = zip(*known)
    write(folder, rows, {"shape": shapes, "colour": colours, "texture": textures,
                         "shape+colour": [f"{s} {c}" for s, c, _ in known], "all three": [" ".join(k) for k in known]})


def own(folder, items, seed, source):
    """A catalogue of yours: its CSV has category, perhaps group; every other column but id, path, available is a label."""
    with open(source, newline="", encoding="utf-8-sig") as f:
        found = list(csv.DictReader(f))
    found = [found[i] for i in chosen(len(found), items, seed)]
    below = os.path.dirname(os.path.abspath(source))
    names = [n for n in found[0] if n not in ("id", "path", "group", "available")]
    write(folder, [(r["id"], os.path.join(below, r["path"]), r["category"], r.get("group", "")) for r in found],
          {name: [r[name] for r in found] for name in names})


# name: how it is made, whether it is the same for every seed where all its pictures are taken
SETS = {"fashion": fashion, "clothing": clothing, "clipart": clipart, "synthetic": drawn}


def make(name, folder, items, seed, source=None):
    """Makes the set's folder, unless it is there."""
    done = os.path.join(folder, "made")
    if not os.path.exists(done):
        SETS.get(name, own)(folder, items, seed, source)
        open(done, "w").close()
