"""A sheet of pictures for a set: 12 queries x 8 neighbours for each way, side by side.

usage: quality_sheet.py FOLDER OUT.png [--ways NAME...] [--queries 12] [--neighbors 8] [--seed 1] [--side 64] [--across 3]
needs: python3-numpy, python3-pil, python3-netcdf4. FOLDER is that of one set and seed in bench_quality.py's work folder; each of its
subfolders with a table.nc is a way. The pictures are those that akin uses, 32x32, enlarged to --side pixels; the sheet has 256 colours,
to be small. The first column is the query; a green frame means that the neighbour has the query's category. Queries are spread evenly
over the categories.
"""

import argparse
import os

import netCDF4
import numpy
from PIL import Image, ImageDraw

GAP, HEAD = 4, 18


def read(path, *names):
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        return [file[n][:] for n in names]


def queries(category, count, seed):
    """Rows: of each category in turn one at random, of as many categories as are wanted."""
    draw = numpy.random.RandomState(seed)
    kinds = numpy.unique(category)
    kinds = kinds[numpy.linspace(0, len(kinds) - 1, min(count, len(kinds))).astype(int)]
    rows = [int(draw.choice(numpy.flatnonzero(category == kinds[i % len(kinds)]))) for i in range(count)]
    return sorted(rows, key=lambda row: category[row])


def paint(sheet, pen, left, top, side, title, rows, pictures, category, neighbor):
    pen.text((left, top + 3), title, fill="black")
    for line, row in enumerate(rows):
        for place, other in enumerate([row, *neighbor[row]]):
            x, y = left + place * (side + GAP) + (GAP * 2 if place else 0), top + HEAD + line * (side + GAP)
            if other < 0:
                continue
            colour = "black" if place == 0 else "#15a34a" if category[other] == category[row] else "#d1d5db"
            pen.rectangle((x - 2, y - 2, x + side + 1, y + side + 1), fill=colour)
            sheet.paste(Image.fromarray(pictures[other]).resize((side, side), Image.NEAREST), (x, y))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder")
    p.add_argument("out")
    p.add_argument("--ways", nargs="+")
    p.add_argument("--queries", type=int, default=12)
    p.add_argument("--neighbors", type=int, default=8)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--side", type=int, default=64)
    p.add_argument("--across", type=int, default=3, help="ways side by side")
    a = p.parse_args()
    found = (w for w in os.listdir(a.folder) if os.path.exists(os.path.join(a.folder, w, "table.nc")))
    ways = a.ways or sorted(found, key=lambda w: (w != "default", w))
    pictures, category = read(os.path.join(a.folder, "catalog.nc"), "image", "category")
    rows = queries(category, a.queries, a.seed)
    wide = (a.neighbors + 1) * (a.side + GAP) + 6 * GAP
    tall = HEAD + len(rows) * (a.side + GAP) + GAP
    across = min(a.across, len(ways))
    sheet = Image.new("RGB", (wide * across + GAP, tall * -(-len(ways) // across)), "white")
    pen = ImageDraw.Draw(sheet)
    for n, way in enumerate(ways):
        neighbor = read(os.path.join(a.folder, way, "table.nc"), "neighbor")[0][:, : a.neighbors]
        paint(sheet, pen, GAP + n % across * wide, n // across * tall, a.side, way, rows, pictures, category, neighbor)
    sheet.quantize(256).save(a.out, optimize=True)


main()
