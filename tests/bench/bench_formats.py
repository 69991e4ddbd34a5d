"""Pictures of every format beside Pillow: the same files, each decoded, turned, converted to sRGB and laid over white by both, then
averaged to 32x32; and the number of pixels that akin takes a file to have. Prints a row for each format.

usage: AKIN=build/akin python3 tests/bench/bench_formats.py FOLDER...       (pillow-heif for HEIC, if it is installed)
"""

import io
import os
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
    turned = picture.getexif().get(274, 1) if picture.format not in ("HEIF", "AVIF") else 1
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


def shrunk(picture):
    """Exact averages of areas, as akin's: by Pillow in 32-bit floating point; an axis that grows takes the nearest pixel."""
    planes = [numpy.asarray(Image.fromarray(numpy.asarray(picture)[..., c].astype(numpy.float32)).resize((32, 32), Image.BOX)) for c in range(3)]
    return numpy.rint(numpy.stack(planes, axis=2)).astype(int)


def main():
    rows = {}
    for top in sys.argv[1:]:
        for name in sorted(os.listdir(top)):
            path = os.path.join(top, name)
            try:
                picture, pixels = theirs(path)
                kind = Image.open(path).format
            except Exception:
                continue
            with tempfile.TemporaryDirectory() as folder:
                os.makedirs(os.path.join(folder, "in"))
                os.symlink(os.path.abspath(path), os.path.join(folder, "link"))
                os.link(path, os.path.join(folder, "in", name)) if os.stat(folder).st_dev == os.stat(path).st_dev else \
                    open(os.path.join(folder, "in", name), "wb").write(open(path, "rb").read())
                ours = ingest(folder, "--max-pixels", str(pixels)).get(name)
                row = rows.setdefault(kind, {"files": 0, "ours_alone": 0, "differs": [], "means": [], "size": 0, "refused": []})
                row["files"] += 1
                if ours is None:
                    row["refused"].append(name)
                    continue
                row["size"] += pixels == 1 or not ingest(folder, "--max-pixels", str(pixels - 1))
                difference = abs(ours - shrunk(picture))
                row["means"].append(difference.mean())
                row["differs"].append((difference.max(), name))
    print("| format | files that Pillow reads | read by akin | same number of pixels | mean difference, median file | largest mean | largest of a value |\n|---|---|---|---|---|---|---|")
    for kind, row in sorted(rows.items()):
        worst = max(row["differs"])
        read = row["files"] - len(row["refused"])
        print(f"| {kind} | {row['files']} | {read} | {row['size']} | {numpy.median(row['means']):.3f} | {max(row['means']):.2f} | {worst[0]} ({worst[1]}) |")
    for kind, row in sorted(rows.items()):
        if row["refused"]:
            print(kind, "refused by akin:", ", ".join(row["refused"]))


main()
