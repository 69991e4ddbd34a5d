"""Draws a catalogue whose every picture has a known shape, colour and texture: for tests of the vectors' quality.

usage: synthetic.py FOLDER [--items 4000] [--seed 1]   writes FOLDER/catalog.csv (id, path, category = shape, colour,
                                                       texture) and FOLDER/pictures/*.png of 64x64
needs: python3-numpy, python3-pil. The same packages give the same pictures.

The factors are drawn independently of each other. All else that differs between two photographs of like products -
place, size, lean, mirrored or not, outline, shade, light, the texture's scale and direction, shadow, background - is
drawn too, and is no factor.
"""

import colorsys
import csv
import math
import os
import sys

import numpy
from PIL import Image, ImageDraw

SIDE = 64
FINE = 3  # drawn so much larger, then averaged


def ring(cx, cy, rx, ry, points=28, start=0.0, end=2 * math.pi):
    return [(cx + rx * math.cos(start + (end - start) * i / points), cy + ry * math.sin(start + (end - start) * i / points))
            for i in range(points + 1)]


# name: outlines in [-1, 1]^2 (down is positive), the first filled, then holes ("-") and additions ("+")
SHAPES = {
    "shirt": [("+", [(-.3, -.8), (.3, -.8), (.9, -.45), (.72, -.1), (.48, -.25), (.48, .85), (-.48, .85), (-.48, -.25),
                     (-.72, -.1), (-.9, -.45)])],
    "trousers": [("+", [(-.45, -.9), (.45, -.9), (.6, .9), (.18, .9), (0, -.2), (-.18, .9), (-.6, .9)])],
    "dress": [("+", [(-.3, -.9), (-.12, -.75), (.12, -.75), (.3, -.9), (.28, -.2), (.75, .9), (-.75, .9), (-.28, -.2)])],
    "shoe": [("+", [(-.9, -.35), (-.45, -.4), (-.1, -.05), (.5, .05), (.9, .3), (.9, .5), (-.9, .5)])],
    "bag": [("+", [(-.75, -.2), (.75, -.2), (.85, .85), (-.85, .85)]), ("+", ring(0, -.2, .45, .6)), ("-", ring(0, -.2, .3, .45)),
            ("+", [(-.75, -.2), (.75, -.2), (.77, .3), (-.77, .3)])],
    "mug": [("+", ring(.5, .0, .42, .42)), ("-", ring(.5, .0, .24, .24)), ("+", [(-.75, -.75), (.5, -.75), (.45, .8), (-.7, .8)])],
    "bottle": [("+", [(-.14, -.95), (.14, -.95), (.14, -.5), (.36, -.2), (.36, .95), (-.36, .95), (-.36, -.2), (-.14, -.5)])],
    "lamp": [("+", [(-.3, -.9), (.3, -.9), (.65, -.05), (-.65, -.05)]), ("+", [(-.07, -.1), (.07, -.1), (.07, .75), (-.07, .75)]),
             ("+", ring(0, .8, .42, .12))],
    "chair": [("+", [(-.55, -.95), (-.35, -.95), (-.3, .0), (.55, .0), (.55, .2), (-.55, .2)]),
              ("+", [(-.55, .1), (-.38, .1), (-.42, .95), (-.6, .95)]), ("+", [(.38, .1), (.55, .1), (.6, .95), (.42, .95)])],
    "ball": [("+", ring(0, 0, .8, .8))],
}
# name: hue in degrees, saturation, value, each from-to
COLOURS = {
    "red": ((-9, 8), (.75, .95), (.65, .9)), "orange": ((20, 32), (.8, 1), (.85, 1)), "yellow": ((48, 60), (.7, .95), (.85, 1)),
    "green": ((95, 145), (.5, .9), (.4, .75)), "blue": ((208, 235), (.6, .95), (.5, .9)), "purple": ((270, 295), (.45, .8), (.45, .75)),
    "pink": ((322, 345), (.3, .55), (.9, 1)), "brown": ((18, 32), (.5, .75), (.3, .5)), "black": ((0, 360), (0, .15), (.08, .2)),
    "grey": ((0, 360), (0, .1), (.45, .65)),
}
TEXTURES = ["plain", "stripes", "checks", "dots", "grain", "fade"]


def pattern(name, draw, x, y):
    """How much of the second shade each point has, 0 to 1; x and y in pixels of the picture."""
    lean = draw.uniform(-.25, .25) + (math.pi / 2 if draw.uniform() < .5 else 0)
    u, v = x * math.cos(lean) + y * math.sin(lean), y * math.cos(lean) - x * math.sin(lean)
    period, phase, other = draw.uniform(9, 15), draw.uniform(), draw.uniform()
    a, b = u / period + phase, v / period + other
    grain = draw.uniform(size=(SIDE // 2, SIDE // 2)).repeat(2 * FINE, 0).repeat(2 * FINE, 1)
    if name == "stripes":
        return (a % 1 < .5) * 1.0
    if name == "checks":
        return ((a % 1 < .5) ^ (b % 1 < .5)) * 1.0
    if name == "dots":
        return ((a % 1 - .5) ** 2 + (b % 1 - .5) ** 2 < .09) * 1.0
    if name == "grain":
        return grain
    if name == "fade":
        return numpy.clip(.5 + v / (.9 * SIDE), 0, 1)
    return numpy.zeros_like(x)


def outline(shape, draw, side):
    """The shape's mask [side, side], 0 or 1, placed and bent."""
    size, wide, tall, lean = draw.uniform(.62, .95), draw.uniform(.85, 1.1), draw.uniform(.85, 1.1), draw.normal(0, .09)
    mirrored, dx, dy = (-1 if draw.uniform() < .5 else 1), draw.uniform(-.12, .12), draw.uniform(-.12, .12)
    mask = Image.new("1", (side, side), 0)
    for sign, points in SHAPES[shape]:
        bent = numpy.array(points) + draw.normal(0, .025, (len(points), 2))
        bent *= [size * wide * mirrored, size * tall]
        turned = bent @ [[math.cos(lean), math.sin(lean)], [-math.sin(lean), math.cos(lean)]] + [dx, dy]
        ImageDraw.Draw(mask).polygon([tuple(p) for p in (turned + 1) * side / 2], fill=1 if sign == "+" else 0)
    return numpy.asarray(mask, float)


def shades(colour, draw):
    """The colour, and a darker or lighter one of the same name, for the texture; RGB in [0, 1]."""
    hue, saturation, value = (draw.uniform(*span) for span in COLOURS[colour])
    other = value * draw.uniform(.45, .65) if value > .3 else value + draw.uniform(.25, .4)
    return [numpy.array(colorsys.hsv_to_rgb(hue / 360 % 1, saturation, v)) for v in (value, other)]


def picture(item, seed, shape, colour, texture):
    """u8 [SIDE, SIDE, 3]: a function of the arguments alone."""
    draw = numpy.random.RandomState([seed, item])
    side = SIDE * FINE
    y, x = numpy.mgrid[0:side, 0:side] / FINE
    mask = outline(shape, draw, side)
    first, second = shades(colour, draw)
    share = pattern(texture, draw, x, y)[..., None]
    light = 1 + draw.uniform(-.15, .15) * (x / SIDE - .5) + draw.uniform(-.15, .15) * (y / SIDE - .5)
    thing = (first * (1 - share) + second * share) * light[..., None]
    paper = draw.uniform(.82, 1) * (1 - draw.uniform(0, .06, 3)) * (1 + draw.uniform(-.08, .02) * (y / SIDE)[..., None])
    fall = int(draw.uniform(0, 5) * FINE)
    shadow = 1 - draw.uniform(0, .25) * numpy.roll(mask, (fall, fall // 2), (0, 1))[..., None]
    whole = mask[..., None] * thing + (1 - mask[..., None]) * paper * shadow
    small = whole.reshape(SIDE, FINE, SIDE, FINE, 3).mean((1, 3)) + draw.normal(0, .008, (SIDE, SIDE, 3))
    return numpy.rint(numpy.clip(small, 0, 1) * 255).astype(numpy.uint8)


def factors(items, seed):
    """(shape, colour, texture) of each item, independent of each other."""
    draw = numpy.random.RandomState(seed)
    kinds = [sorted(SHAPES), sorted(COLOURS), TEXTURES]
    columns = [[kind[i] for i in draw.randint(0, len(kind), items)] for kind in kinds]
    return list(zip(*columns))


def write(folder, items, seed=1):
    os.makedirs(os.path.join(folder, "pictures"), exist_ok=True)
    with open(os.path.join(folder, "catalog.csv"), "w", newline="") as f:
        rows = csv.writer(f, lineterminator="\n")
        rows.writerow(["id", "path", "category", "colour", "texture"])
        for item, known in enumerate(factors(items, seed)):
            name = f"{item:06d}"
            Image.fromarray(picture(item, seed, *known)).save(os.path.join(folder, "pictures", name + ".png"))
            rows.writerow([name, f"pictures/{name}.png", *known])


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--items", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    write(arguments.folder, arguments.items, arguments.seed)
    sys.exit(0)
