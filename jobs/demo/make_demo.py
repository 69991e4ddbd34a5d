"""Makes the demo catalogue from Debian's openclipart-png: pictures of things that a shop might sell.

usage: make_demo.py [FOLDER]     FOLDER: this script's own, by default
needs: python3-pil, openclipart-png. The same packages give the same files.

Each picture is scaled to at most 96 pixels and saved with a palette. category = the department; group = variants of one
product (the same first words of the file's name in one department); some items are not available. price, brand and popularity
are invented, each from the item's name: a department has its own level of prices and its own brands, and few items are popular.
"""

import csv
import hashlib
import os
import re
import sys
import warnings

from PIL import Image, ImageChops

SOURCE = "/usr/share/openclipart/png"
SIDE = 96
# department: (folders, most items)
DEPARTMENTS = {
    "fruit and vegetables": (["food/fruit", "food/vegetables"], 90),
    "bakery and sweets": (["food/desserts", "food/breads_and_carbs"], 80),
    "beverages": (["food/beverages"], 40),
    "clothing": (["people/clothing", "people/clothing/hats", "people/clothing/pantyhose"], 70),
    "tools": (["tools"], 90),
    "toys": (["recreation/toys", "recreation/games/chess"], 50),
    "music": (["recreation/music"], 70),
    "sports": (["recreation/sports"], 70),
    "office": (["office", "office/telephone"], 80),
    "books": (["education/books"], 20),
    "electronics": (["electronics", "electronics/bulb"], 40),
    "computers": (["computer/hardware"], 50),
    "party": (["recreation/party"], 50),
    "flowers": (["plants/flowers", "plants"], 50),
    "furniture and containers": (["buildings/furniture", "containers"], 30),
    "jigsaws": (["shapes/jigsaw"], 25),
}


def number(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def invented(item, department):
    """Price, brand and popularity of an item; every 25th has no price, as in a real catalogue."""
    level = 2 + number(department) % 60
    price = level * (50 + number("price " + item) % 151) / 100
    brand = "ABCD"[number("brand " + item) % 4]
    return dict(price="" if number("none " + item) % 25 == 0 else f"{price:.2f}",
                brand=f"{department.split()[0].capitalize()} {brand}",
                popularity=round(1000 / (1 + number("popularity " + item) % 200)))


def pictures(folders, most):
    """Names of real files in the folders, each picture once, spread evenly over what there is."""
    found, seen = [], set()
    for folder in folders:
        for name in sorted(os.listdir(os.path.join(SOURCE, folder))):
            path = os.path.join(SOURCE, folder, name)
            real = os.path.realpath(path)
            # stylized_yoga*: drawings of which only "linked image not found" is left
            if os.path.isfile(path) and name.endswith(".png") and real not in seen and "yoga_person" not in name:
                seen.add(real)
                found.append(path)
    if len(found) > most:
        found = [found[i * len(found) // most] for i in range(most)]
    return found


def over_white(picture):
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    return white.convert("RGB")


def small(path):
    """At most SIDE pixels, a palette of 64 colours with transparency; None for what can't be had or shows nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            picture = Image.open(path).convert("RGBA")
        except Exception:
            return None
    box = ImageChops.difference(over_white(picture), Image.new("RGB", picture.size, "white")).getbbox()
    if box is None:
        return None
    picture = picture.crop(box)  # a small drawing on a large sheet is made large
    picture.thumbnail((SIDE, SIDE), Image.LANCZOS)
    darkest, lightest = over_white(picture).convert("L").getextrema()
    if lightest - darkest < 24 or min(picture.size) < 8:
        return None
    return picture.quantize(64, method=Image.FASTOCTREE)


def stem(name):
    """The product's words: "acoustic_guitar_ben_01.png" -> "acoustic_guitar"."""
    words = re.sub(r"\.png$", "", name.lower())
    words = [w for w in re.split(r"[^a-z]+", words) if len(w) > 1]
    return "_".join(words[:2]) if words else name


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    rows, used = [], set()
    for department, (folders, most) in DEPARTMENTS.items():
        place = department.replace(" ", "_")
        os.makedirs(os.path.join(folder, "pictures", place), exist_ok=True)
        for path in pictures(folders, most):
            picture = small(path)
            item = re.sub(r"[^A-Za-z0-9]+", "-", os.path.basename(path)[:-4]).strip("-").lower()
            if picture is None or item in used:
                continue
            used.add(item)
            relative = f"pictures/{place}/{item}.png"
            picture.save(os.path.join(folder, relative), optimize=True)
            rows.append(dict(id=item, path=relative, category=department, group=stem(os.path.basename(path)),
                             available="no" if number(item) % 20 == 0 else "yes", **invented(item, department)))
    members = {}
    for row in rows:
        members.setdefault((row["category"], row["group"]), []).append(row)
    for (_, group), of_group in members.items():
        for row in of_group:
            row["group"] = group if 2 <= len(of_group) <= 8 else ""
    with open(os.path.join(folder, "catalog.csv"), "w", newline="") as f:
        writer = csv.DictWriter(f, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(len(rows), "items,", sum(1 for r in rows if r["group"]), "in groups,",
          sum(1 for r in rows if r["available"] == "no"), "not available")


main()
