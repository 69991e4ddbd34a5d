"""How good the neighbours are: sets of pictures with known labels, ways to make vectors, and what each way finds.

usage: AKIN=build/akin bench_quality.py [--sets NAME...] [--ways NAME...] [--clothing clothing.tar] [--own NAME=catalog.csv]
           [--items 10000] [--seeds 3] [--first-seed 1] [--epochs 20] [--batch N] [--full] [--near 1000] [--work DIR] [--out DIR] [--ranks 1] [--kept] [--list]
needs: python3-numpy, python3-pil, python3-netcdf4; Debian's dataset-fashion-mnist and openclipart-png for these sets.

For each set, seed and way it runs akin's own verbs: ingest, train --features ..., embed, neighbors, evaluate; the ways of
quality_ways.py are imported with embed --from. The set's groups are excluded if it has any (photographs of one sender share a
background). Precision by each label is computed from table.nc; that of the category must equal the output of `akin evaluate`.
Near-duplicates: pictures that were re-encoded (JPEG, quality 75), cropped by 5 % and brightened by 10 % are ingested and embedded
with the same model; the result is the share whose nearest item is their original.

--full: one seed, 50,000 pictures per set, and training that is stopped after 30 minutes at 2 ranks (as many epochs as fit).
DIR/quality.json has every figure; quality_report.py makes tables and plots of it, quality_sheet.py the sheets. Results in the work
folder are not computed again, so a run that was stopped can be resumed; --kept computes nothing at all.
"""

import argparse
import csv
import io
import json
import os
import re
import subprocess
import sys
import time

import netCDF4
import numpy
from PIL import Image

import quality_sets
import quality_ways

AKIN = os.environ.get("AKIN", "build/akin")
K = 20  # neighbours; mean average precision is of so many
# way: options of train. "default" is the product's, whatever it is; "before" its parts without the trained ones, at fixed weights.
TRAINED = {
    "maps": ["--features", "maps"],
    "default": [],
    "without labels": [],
    "before": ["--tune", "none", "--weights", "shape=1.5,foreground=1.3,texture=0.5,maps=0,manifold=0"],
    "manifold": ["--features", "manifold"],
    "autoencoder": ["--features", "autoencoder", "--objective", "reconstruction", "--whiten", "0"],
    "autoencoder, whitened": ["--features", "autoencoder", "--objective", "reconstruction", "--whiten", "0.5"],
    "denoising, whitened": ["--features", "autoencoder", "--objective", "denoising", "--whiten", "0.5"],
    "contrastive, whitened": ["--features", "autoencoder", "--objective", "contrastive", "--whiten", "0.5"],
    "pixels-pca": ["--features", "pixels-pca"],
    "handcrafted": ["--features", "handcrafted"],
    "patches": ["--features", "patches"],
}
# The same network, fitted otherwise: it is trained once, and taken over by a step that changes nothing.
SAME_NETWORK = {"autoencoder, whitened": "autoencoder", "default": "maps", "without labels": "maps"}


def akin(*words, ranks=1):
    before = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
    done = subprocess.run([*before, AKIN, *map(str, words), "--json", "--quiet"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"akin {' '.join(map(str, words))}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


def texts(variable):
    variable.set_auto_chartostring(False)
    return [row.tobytes().rstrip(b"\0").decode() for row in variable[:]]


def read(path, *names):
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        return [texts(file[n]) if file[n].dtype == "S1" else file[n][:] for n in names]


class Set:
    """A set of one seed: its folder, its catalogue, its labels in the catalogue's order."""

    def __init__(self, name, seed, a):
        self.name, self.seed = name, seed
        self.folder = os.path.join(a.work, f"{name}-{a.items}-{seed}")
        source = {"clothing": a.clothing, **a.own}.get(name)
        quality_sets.make(name, self.folder, a.items, seed, source)
        self.catalog = os.path.join(self.folder, "catalog.nc")
        if not os.path.exists(self.catalog):
            akin("ingest", os.path.join(self.folder, "catalog.csv"), "-o", self.catalog)
        self.ids, self.pictures, group = read(self.catalog, "id", "image", "group")
        self.grouped = bool((group >= 0).any())
        with open(os.path.join(self.folder, "labels.csv"), newline="") as f:
            rows = {row["id"]: row for row in csv.DictReader(f)}
        names = [n for n in next(iter(rows.values())) if n != "id"]
        self.labels = {n: numpy.unique([rows[i][n] for i in self.ids], return_inverse=True) for n in names}
        with open(os.path.join(self.folder, "catalog.csv"), newline="") as f:
            self.paths = {row["id"]: os.path.join(self.folder, row["path"]) for row in csv.DictReader(f)}


# --- one way ---


def folder_of(which, way):
    return os.path.join(which.folder, re.sub("[^a-z0-9]+", "-", way.lower()))


def core_seconds():
    """Of the processes that have ended."""
    took = os.times()
    return took.children_user + took.children_system


def training(which, way, a):
    """Options of train, and the time already spent on its network, in seconds and in core seconds."""
    options = [*TRAINED[way], "--seed", which.seed, *(["--batch", a.batch] if a.batch else [])]
    before = folder_of(which, SAME_NETWORK.get(way, way))
    model, kept = os.path.join(before, "model.nc"), os.path.join(before, "figures.json")
    if way not in SAME_NETWORK or not os.path.exists(model) or not os.path.exists(kept):
        return [*options, "--epochs", a.epochs], (0, 0)
    with open(kept) as f:
        figures = json.load(f)
    return [*options, "--init", model, "--steps", 1, "--learning-rate", 1e-9], (figures["seconds"], figures["core_train"])


def unlabelled(which):
    """catalog.nc of the same pictures without labels."""
    out = os.path.join(which.folder, "unlabelled.nc")
    if not os.path.exists(out):
        rows = [(i, os.path.relpath(which.paths[i], which.folder)) for i in which.ids]
        with open(os.path.join(which.folder, "unlabelled.csv"), "w", newline="") as f:
            csv.writer(f, lineterminator="\n").writerows([("id", "path"), *rows])
        akin("ingest", os.path.join(which.folder, "unlabelled.csv"), "-o", out)
    return out


def embed_trained(which, way, folder, a, near):
    """Model and embeddings by akin; (embeddings.nc, seconds of training, the near pictures' vectors, what took how many
    seconds of a core)."""
    model, out = os.path.join(folder, "model.nc"), os.path.join(folder, "embeddings.nc")
    options, before = training(which, way, a)
    catalog = unlabelled(which) if way == "without labels" else which.catalog
    began, core = time.time(), core_seconds()
    akin("train", catalog, "-o", model, *options, ranks=a.ranks)
    seconds, cores = time.time() - began + before[0], {"core_train": core_seconds() - core + before[1]}
    core = core_seconds()
    akin("embed", which.catalog, "--model", model, "-o", out)
    cores["core_embed"] = core_seconds() - core
    if near:
        akin("embed", near, "--model", model, "-o", os.path.join(folder, "near.nc"))
        return out, seconds, read(os.path.join(folder, "near.nc"), "id", "embedding"), cores
    return out, seconds, None, cores


def embed_other(which, way, folder, a, near):
    """The same for a way of quality_ways.py, imported with embed --from."""
    began = time.time()
    describe = quality_ways.WAYS[way](which.pictures, which.seed)
    seconds = time.time() - began
    rows, out = os.path.join(folder, "rows.npy"), os.path.join(folder, "embeddings.nc")
    vectors = describe(which.pictures).astype(numpy.float32)
    if vectors.shape[1] > 2048:  # more columns than akin accepts: projected to the largest axes, without visible loss
        plain, turn = describe, quality_ways.axes(vectors, 2048, 0)
        describe = lambda x: turn(plain(x))
        vectors = turn(vectors)
    numpy.save(rows, vectors)
    with open(rows + ".ids", "w") as f:
        f.writelines(i + "\n" for i in which.ids)
    akin("embed", which.catalog, "--from", rows, "--ids", rows + ".ids", "-o", out)
    if not near:
        return out, seconds, None, {}
    ids, pictures = read(near, "id", "image")
    found = describe(pictures)
    return out, seconds, (ids, found / numpy.maximum(numpy.linalg.norm(found, axis=1, keepdims=True), 1e-12)), {}


def near_catalog(which, count):
    """catalog.nc of pictures of the set re-encoded, cropped and brightened, under the ids of their originals."""
    folder = os.path.join(which.folder, "near")
    out = os.path.join(folder, "catalog.nc")
    if not count or os.path.exists(out):
        return out if count else None
    os.makedirs(folder, exist_ok=True)
    rows = []
    for n, i in enumerate(quality_sets.chosen(len(which.ids), count, 99)):
        picture = Image.open(which.paths[which.ids[i]])
        if "A" in picture.getbands() or "transparency" in picture.info:  # on white, as in akin
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
        picture = picture.convert("RGB")
        picture.thumbnail((800, 800))
        wide, tall = picture.size
        picture = picture.crop((round(wide * 0.025), round(tall * 0.025), round(wide * 0.975), round(tall * 0.975)))
        bytes_ = io.BytesIO()
        picture.point(lambda v: min(255, round(v * 1.1))).save(bytes_, "JPEG", quality=75)
        with open(os.path.join(folder, f"{n}.jpg"), "wb") as f:
            f.write(bytes_.getvalue())
        rows.append((which.ids[i], f"{n}.jpg", "", ""))
    quality_sets.write(folder, rows, {"none": [""] * len(rows)})
    akin("ingest", os.path.join(folder, "catalog.csv"), "-o", out)
    return out


# --- what is measured ---


def precisions(neighbor, label):
    """precision@1, 5, 10, mean average precision at K and precision@10 of each value of the label; a missing neighbour
    counts as wrong. Average precision: mean of the precision at each right place, over all that could be right in K."""
    right = (label[neighbor] == label[:, None]) & (neighbor >= 0)
    share = right.cumsum(1) / numpy.arange(1, right.shape[1] + 1)
    possible = numpy.minimum(numpy.bincount(label)[label] - 1, right.shape[1])
    average = (share * right).sum(1) / numpy.maximum(possible, 1)
    ten = right[:, :10].mean(1)
    each = [float(ten[label == v].mean()) for v in range(label.max() + 1)]
    return {"p1": float(right[:, 0].mean()), "p5": float(right[:, :5].mean()), "p10": float(ten.mean()),
            "map": float(average.mean()), "by": each}


def originals_first(embeddings, ids, near):
    """Share of the near pictures whose nearest item is their original."""
    vectors, (near_ids, near_vectors) = read(embeddings, "embedding")[0], near
    row = {item: i for i, item in enumerate(ids)}
    parts = [near_vectors[i : i + 200] @ vectors.T for i in range(0, len(near_ids), 200)]
    found = numpy.concatenate([part.argmax(1) for part in parts])
    # a picture that is in the catalogue twice is found as either
    return float(numpy.mean([f == row[i] or numpy.array_equal(vectors[f], vectors[row[i]]) for f, i in zip(found, near_ids)]))


def chosen(folder):
    """What train reported about its choice of weights."""
    model = os.path.join(folder, "model.nc")
    if not os.path.exists(model):
        return None
    with netCDF4.Dataset(model) as file:
        return getattr(file, "weights_chosen", None)


def measure(which, way, a):
    """All results of one way on one set, stored with its files so that a second run can reuse them."""
    folder = folder_of(which, way)
    kept = os.path.join(folder, "figures.json")
    if os.path.exists(kept):
        with open(kept) as f:
            return json.load(f)
    os.makedirs(folder, exist_ok=True)
    near = near_catalog(which, a.near)
    embed = embed_trained if way in TRAINED else embed_other
    embeddings, seconds, found, cores = embed(which, way, folder, a, near)
    table = os.path.join(folder, "table.nc")
    rules = ["--exclude-same-group"] if which.grouped else []
    akin("neighbors", embeddings, "-o", table, "-k", K, *rules)
    neighbor, said = read(table, "neighbor")[0], akin("evaluate", table)
    with netCDF4.Dataset(embeddings) as file:
        dim = len(file.dimensions["feature"])
    labels = {n: {**precisions(neighbor, index), "values": values.tolist()} for n, (values, index) in which.labels.items()}
    first = next(iter(labels.values()))
    assert abs(first["p10"] - said["precision_at_10"]) < 1e-6, (first["p10"], said)
    figures = {"set": which.name, "seed": which.seed, "way": way, "items": len(which.ids), "dim": dim, "seconds": seconds, **cores,
               "epochs": a.epochs if way in TRAINED else 0, "labels": labels,
               "near": originals_first(embeddings, which.ids, found) if found else None, "chosen": chosen(folder)}
    with open(kept, "w") as f:
        json.dump(figures, f)
    return figures


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sets", nargs="+", default=[])
    p.add_argument("--ways", nargs="+", default=[*TRAINED, *quality_ways.WAYS])
    p.add_argument("--clothing", help="the archive of clothing photographs; without it this set is left out")
    p.add_argument("--own", action="append", default=[], metavar="NAME=catalog.csv")
    p.add_argument("--items", type=int, default=10000)
    p.add_argument("--seeds", type=int, default=3, help="how many, one after the other")
    p.add_argument("--first-seed", type=int, default=1)
    p.add_argument("--epochs", type=float, default=20)
    p.add_argument("--batch", type=int, help="of training; without it the product's default")
    p.add_argument("--near", type=int, default=1000)
    p.add_argument("--ranks", type=int, default=1)
    p.add_argument("--work", default="results/quality-work")
    p.add_argument("--out", default="results/quality-work")
    p.add_argument("--full", action="store_true", help="50,000 pictures, 2 ranks, one seed, the epochs that 30 minutes hold")
    p.add_argument("--images-per-second", type=float, default=2000, help="--full: of training, both ranks together")
    p.add_argument("--kept", action="store_true", help="only what was measured before, into one DIR/quality.json")
    p.add_argument("--list", action="store_true", help="only name the sets and the ways")
    a = p.parse_args()
    a.own = dict(word.split("=", 1) for word in a.own)
    a.sets = a.sets or [s for s in [*quality_sets.SETS, *a.own] if s != "clothing" or a.clothing]
    if a.full:
        a.items, a.seeds, a.ranks = 50000, 1, 2
        a.epochs = round(1800 * a.images_per_second / a.items, 1)
    return a


def main():
    a = arguments()
    if a.list:
        print("sets:", ", ".join(quality_sets.SETS), "\nways:", ", ".join([*TRAINED, *quality_ways.WAYS]))
        return
    os.makedirs(a.out, exist_ok=True)
    results = []
    for seed in range(a.first_seed, a.first_seed + a.seeds):
        for name in a.sets:
            which = Set(name, seed, a)
            for way in a.ways:
                if a.kept and not os.path.exists(os.path.join(folder_of(which, way), "figures.json")):
                    continue
                try:
                    found = measure(which, way, a)
                except RuntimeError as problem:  # for example, an option that this akin does not have
                    print(f"{name} {seed} {way}: left out: {problem}", file=sys.stderr)
                    continue
                results.append(found)
                print(name, seed, way, {n: round(v["p10"], 4) for n, v in found["labels"].items()}, "near", found["near"],
                      f"{found['seconds']:.0f} s", flush=True)
    with open(os.path.join(a.out, "quality.json"), "w") as f:
        json.dump({"k": K, "results": results}, f)


main()
