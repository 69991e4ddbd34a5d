"""The default vectors agree with what is known of a drawn catalogue: more of the first 10 neighbours share shape, colour and
texture than with raw pixels and with the plain latent of a network that was trained shortly (6 epochs of 500 pictures).

Measured when the margins were set, one seed - default, pixels, network: shape 0.864, 0.632, 0.372; colour 0.479, 0.375, 0.166;
texture 0.262, 0.190, 0.170 (0.17 is chance); shape and colour 0.355, 0.171, 0.060. The margins were set below these differences (by 0.03
for texture, the thinnest). results/quality.md has the figures on photographs."""

import csv
import os

import netCDF4
import numpy

import synthetic
from support import akin, fresh

os.chdir(fresh("quality"))
ITEMS, SEED = 500, 1
PLAIN = ["--features", "autoencoder", "--objective", "reconstruction", "--whiten", "0", "--epochs", 6, "--batch", 32]


def read(path, name):
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        return file[name][:]


def precisions(neighbor, labels):
    return {name: (of[neighbor] == of[:, None]).mean() for name, of in labels.items()}


def by_akin(words):
    akin("train", "catalog.nc", "-o", "model.nc", *words, timeout=300)
    akin("embed", "catalog.nc", "--model", "model.nc", "-o", "embeddings.nc")
    akin("neighbors", "embeddings.nc", "-o", "table.nc", "-k", 10)
    assert len(read("embeddings.nc", "embedding")[0]) <= 128
    return precisions(read("table.nc", "neighbor"), LABELS)


def by_pixels():
    rows = read("catalog.nc", "image").reshape(ITEMS, -1).astype(float)
    rows -= rows.mean(0)
    rows /= numpy.linalg.norm(rows, axis=1, keepdims=True)
    cosine = rows @ rows.T
    numpy.fill_diagonal(cosine, -2)
    return precisions(numpy.argsort(-cosine, 1)[:, :10], LABELS)


synthetic.write("things", ITEMS, SEED)
with open("things/catalog.csv", newline="") as f:
    ROWS = list(csv.DictReader(f))
LABELS = {name: numpy.array([row[name] for row in ROWS]) for name in ("category", "colour", "texture")}
LABELS["both"] = numpy.char.add(LABELS["category"], LABELS["colour"])
akin("ingest", "things/catalog.csv", "-o", "catalog.nc")

DEFAULT, NETWORK, PIXELS = by_akin([]), by_akin(PLAIN), by_pixels()
# by how much, at least, the default is better: than pixels, than the network
MARGINS = {"category": (0.15, 0.3), "colour": (0.05, 0.2), "texture": (0.04, 0.06), "both": (0.1, 0.2)}
for name in MARGINS:
    if os.environ.get("AKIN_TELL"):
        print(f"{name}: default {DEFAULT[name]:.3f}, pixels {PIXELS[name]:.3f}, network {NETWORK[name]:.3f}")
for name, (pixels, network) in MARGINS.items():
    told = f"{name}: default {DEFAULT[name]:.3f}, pixels {PIXELS[name]:.3f}, network {NETWORK[name]:.3f}"
    assert DEFAULT[name] >= PIXELS[name] + pixels and DEFAULT[name] >= NETWORK[name] + network, told
