"""Compares pictures of every format with Pillow: the same files, each decoded, turned, converted to sRGB and composited on white by both,
then averaged to 32x32; and the number of pixels that akin takes a file to have. Prints one row per format.

usage: AKIN=build/akin python3 tests/bench/bench_formats.py FOLDER...       (pillow-heif for HEIC, if it is installed)
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile

import netCDF4
import numpy
from PIL import Image, ImageCms, ImageOps

try:
    import pillow_heif

    pillow_heif.register_heif_opener()
except ImportError:
    pass

AKIN = os.environ["AKIN"]


def ingest(folder, *words):
    out = os.path.join(folder, "out.nc")
    subprocess.run([AKIN, "ingest", os.path.join(folder, "in"), "-o", out, "--max-reject-fraction", "1", "--quiet", *words], stderr=subprocess.DEVNULL)
    if not os.path.exists(out):
        return {}
    with netCDF4.Dataset(out) as d:
        d.set_auto_maskandscale(False)
        d.set_auto_chartostring(False)
        found = {bytes(i.tobytes()).rstrip(b"\0").decode(): p.astype(int) for i, p in zip(d["id"][:], d["image"][:])}
    os.remove(out)
    return found


def theirs(path):
    """Pillow's picture, upright, in sRGB, over white: [height, width, 3]; and the stored one's number of pixels."""
    picture = Image.open(path)
    pixels, profile = picture.width * picture.height, picture.info.get("icc_profile")
    picture.load()
    turned = picture.getexif().get(274, 1) if picture.format not in ("HEIF", "AVIF", "TIFF") else 1  # those it turns itself
    if picture.mode.startswith("I"):
        picture = Image.fromarray(numpy.rint(numpy.asarray(picture) / 257).astype(numpy.uint8))
    if "transparency" in picture.info or picture.mode in ("LA", "PA"):
        picture = picture.convert("RGBA")
    alpha = picture.getchannel("A") if "A" in picture.mode else None
    base = picture if picture.mode in ("L", "CMYK", "RGB") else picture.convert("RGB")
    if profile:
        try:
            base = ImageCms.profileToProfile(base, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            pass
    base = base.convert("RGB")
    if alpha:
        white = Image.new("RGB", base.size, "white")
        white.paste(base, mask=alpha)
        base = white
    turns = [None, Image.FLIP_LEFT_RIGHT, Image.ROTATE_180, Image.FLIP_TOP_BOTTOM, Image.TRANSPOSE, Image.ROTATE_270, Image.TRANSVERSE, Image.ROTATE_90]
    turn = turns[turned - 1] if 1 <= turned <= 8 else None
    return base.transpose(turn) if turn is not None else base, pixels


def weights(length, side=32):
    """Exact averages of areas; an axis that grows takes the pixel below the centre."""
    matrix = numpy.zeros((side, length))
    for i in range(side):
        begin, end = i * length / side, (i + 1) * length / side
        if length < side:
            matrix[i, int((begin + end) / 2)] = 1
        else:
            for j in range(int(begin), min(length, int(numpy.ceil(end)))):
                matrix[i, j] = max(0, min(end, j + 1) - max(begin, j))
    return matrix / matrix.sum(1, keepdims=True)


def shrunk(picture):
    pixels = numpy.asarray(picture).astype(float)
    return numpy.rint(numpy.einsum("yi,ijc,xj->yxc", weights(pixels.shape[0]), pixels, weights(pixels.shape[1]), optimize=True)).astype(int)


def seen_by_pillow(tops):
    """[(path, format, picture, pixels)]"""
    seen = []
    for top in tops:
        for name in sorted(os.listdir(top)):
            try:
                picture, pixels = theirs(os.path.join(top, name))
                seen.append((os.path.join(top, name), Image.open(os.path.join(top, name)).format, picture, pixels))
            except Exception:
                continue  # pictures that Pillow cannot read are not compared
    return seen


def main():
    rows, sizes = {}, {}
    for file in seen_by_pillow(sys.argv[1:]):
        sizes.setdefault(file[3], []).append(file)
    for pixels, files in sizes.items():  # with this limit akin accepts the files, with one pixel less it accepts none
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "in"))
            for path, *_ in files:
                shutil.copy(path, os.path.join(folder, "in"))
            ours, fewer = ingest(folder, "--max-pixels", str(pixels)), ingest(folder, "--max-pixels", str(pixels - 1)) if pixels > 1 else {}
        for path, kind, picture, _ in files:
            name = os.path.basename(path)
            row = rows.setdefault(kind, {"files": 0, "differs": [], "size": 0, "refused": []})
            row["files"] += 1
            if name not in ours:
                row["refused"].append(name)
                continue
            row["size"] += name not in fewer
            difference = abs(ours[name] - shrunk(picture))
            row["differs"].append((difference.mean(), difference.max(), name))
    print("| format | files that Pillow reads | read by akin | same number of pixels | mean difference, median file | of the file that differs most | its largest |\n|---|---|---|---|---|---|---|")
    for kind, row in sorted(rows.items()):
        worst = max(row["differs"])
        median = numpy.median([d[0] for d in row["differs"]])
        print(f"| {kind} | {row['files']} | {len(row['differs'])} | {row['size']} | {median:.3f} | {worst[0]:.2f} ({worst[2]}) | {worst[1]} |")
    for kind, row in sorted(rows.items()):
        if row["refused"]:
            print(f"{kind}, refused by akin:", ", ".join(row["refused"]))


main()
