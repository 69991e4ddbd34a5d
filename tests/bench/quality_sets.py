"""The sets of pictures that the vectors' quality is measured on: each is made into a folder with catalog.csv (id, path,
category, group) and labels.csv (id and one column per label). Used by bench_quality.py.

Pictures in the packages and the archive are used as they are; what is not a picture file yet (Fashion-MNIST, the synthetic set, and
Fashion-MNIST in colours) is written as PNG.
"""

import csv
import gzip
import os
import sys
import tarfile

import numpy
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
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


# --- Fashion-MNIST as a shop's coloured pictures on white ---

# name: hue in degrees and chroma from-to, in CIE L*a*b*
TINTS = {"black": (0, 0, 3), "grey": (0, 0, 3), "white": (0, 0, 3), "navy": (275, 15, 30), "blue": (270, 25, 45),
         "brown": (60, 18, 30), "red": (30, 40, 65), "maroon": (20, 22, 35), "green": (140, 20, 45), "pink": (0, 20, 45),
         "yellow": (90, 40, 70), "beige": (80, 10, 18), "purple": (310, 20, 40), "orange": (60, 45, 70)}
# mean lightness below which: which colours things that dark have, in hundredths
SHARES = {35: {"black": 60, "navy": 15, "brown": 12, "maroon": 6, "green": 7},
          65: {"blue": 24, "grey": 18, "red": 16, "brown": 14, "green": 12, "purple": 8, "black": 8},
          101: {"white": 40, "pink": 13, "grey": 12, "beige": 10, "blue": 10, "yellow": 8, "orange": 7}}


def to_srgb(l, a, b):
    """CIE L*a*b* at D65 to u8 RGB."""
    bent = [(l + 16) / 116 + a / 500, (l + 16) / 116, (l + 16) / 116 - b / 200]
    x, y, z = (numpy.where(t > 6 / 29, t**3, 3 * (6 / 29) ** 2 * (t - 4 / 29)) for t in bent)
    to_xyz = numpy.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    linear = numpy.clip(numpy.stack([0.9505 * x, y, 1.089 * z], -1) @ numpy.linalg.inv(to_xyz).T, 0, 1)
    return numpy.rint(255 * numpy.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)).astype(numpy.uint8)


def tint(picture, draw):
    """A grey photograph [28, 28], a negative: the thing in a colour that goes with its lightness, on white; and the
    colour's name."""
    light = (255 - picture.astype(float)) / 255 * 100
    thing = light < 98
    mean = light[thing].mean() if thing.any() else 90
    shares = next(shares for below, shares in SHARES.items() if mean < below)
    name = list(shares)[draw.choice(len(shares), p=numpy.array(list(shares.values())) / 100)]
    hue, least, most = TINTS[name]
    hue, chroma = numpy.radians(hue + draw.normal(0, 8)), numpy.clip((99 - light) / 4, 0, 1) * draw.uniform(least, most)
    if name == "black":
        light = numpy.where(thing, 0.6 * light, light)
    return to_srgb(light, chroma * numpy.cos(hue), chroma * numpy.sin(hue)), name


def tinted(folder, items, seed, source):
    """The 10,000 test photographs of Fashion-MNIST, whose kind and colour are both known."""
    pictures = idx("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    kinds = idx("t10k-labels-idx1-ubyte.gz", 8)
    os.makedirs(os.path.join(folder, "pictures"), exist_ok=True)
    rows, types, colours = [], [], []
    for i in chosen(len(pictures), items, seed):
        coloured, name = tint(pictures[i], numpy.random.RandomState([seed, i]))
        Image.fromarray(coloured).save(os.path.join(folder, "pictures", f"{i:05d}.png"))
        types.append(FASHION_NAMES[kinds[i]])
        colours.append(name)
        rows.append((f"{i:05d}", f"pictures/{i:05d}.png", types[-1], ""))
    write(folder, rows, {"type": types, "colour": colours, "both": [f"{t} {c}" for t, c in zip(types, colours)]})


# name: how it is made, whether it is the same for every seed where all its pictures are taken
SETS = {"fashion": fashion, "tinted": tinted, "clothing": clothing, "clipart": clipart, "synthetic": drawn}


def make(name, folder, items, seed, source=None):
    """Makes the set's folder, unless it exists."""
    done = os.path.join(folder, "made")
    if not os.path.exists(done):
        SETS.get(name, own)(folder, items, seed, source)
        open(done, "w").close()
