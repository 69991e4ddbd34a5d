"""A gallery of a table between two catalogues and of one between products: which side is which, links that lead to the right one, all
pictures of a product and the pair that is most alike; the same bytes at any number of ranks; made by a job from its own inputs."""

import csv
import json
import os
import re
import shutil
import urllib.parse

import netCDF4
import numpy as np

import support
from browser import Browser
from support import akin, contents

os.chdir(support.fresh("gallery_kinds"))
READY = "return document.documentElement.dataset.ready"
CARDS = "return [...document.querySelectorAll(arguments[0] + ' .card')].map(c => c.dataset.id)"
TEXT = "const node = document.querySelector(arguments[0]); return node && node.checkVisibility() ? node.innerText : ''"
PICTURE = "return document.querySelector(arguments[0]).getAttribute('src')"


def draw(folder, n, rename, brands):
    """A catalogue with prices and brands; ids as `rename` makes them."""
    path = support.draw_catalogue(folder, n)
    with open(path, newline="") as f:
        head, *rows = csv.reader(f)
    with open(path, "w", newline="") as f:
        csv.writer(f).writerows([[*head, "price", "brand"], *([rename(row[0]), *row[1:], 10 + i % 7, brands[i % 2]] for i, row in enumerate(rows))])
    return path


BASE = draw("base", 50, lambda id: id if id < "item-0010" else f"old-{id}", ["Ace", "Bolt"])  # some ids are in both
NEW = draw("new", 36, lambda id: id if id < "item-0010" else f"new-{id}", ["Bolt", "Cup"])
HEAD = "[ingest]\nsource = {}\nattributes = price:number brand:label\n[train]\nfeatures = handcrafted\n"


def make_jobs():
    with open("base.ini", "w") as f:
        f.write(f"[job]\nname = last-season\n{HEAD.format(BASE)}[neighbors]\nk = 3\n")
    akin("run", "base.ini")
    os.makedirs("results/arrivals")
    shutil.copy("results/last-season/model.nc", "results/arrivals/model.nc")
    with open("new.ini", "w") as f:
        f.write(f"[job]\nname = arrivals\n{HEAD.format(NEW)}[neighbors]\nk = 6\nagainst = results/last-season/embeddings.nc\ncollapse-duplicates = 0.97\n"
                "[table own]\nk = 4\n[table products]\nk = 5\nby = group\n[table both]\nk = 5\nby = group\nagainst = results/last-season/embeddings.nc\ncollapse-duplicates = 0.97\n[gallery]\nenabled = yes\npicture-size = 64\n")
    akin("run", "new.ini", ranks=2)


def script(path, name):
    with open(path, encoding="utf-8") as f:
        return json.loads(re.search(rf"akin\.{name}\((?:\d+,)?(.*)\);\n$", f.read(), re.S).group(1))


def read(path, *names):
    with netCDF4.Dataset(path) as d:
        d.set_auto_maskandscale(False)
        return [d[name][...] for name in names]


def ids_of(path, variable="id"):
    return [str(id) for id in read(path, variable)[0]]


def page(folder, fragment=""):
    return "file://" + urllib.parse.quote(os.path.abspath(folder)) + "/index.html" + fragment


def test_a_job_knows_the_other_catalogue():
    make_jobs()
    folder, table = "results/arrivals/gallery", "results/arrivals/table.nc"
    told = script(f"{folder}/data/summary.js", "summary")
    assert (told["items"], told["targets"], told["items_name"], told["targets_name"], told["products"]) == (36, 50, "arrivals", "last-season", False)
    assert told["tables"] == ["main", "own", "products", "both"] and told["share_parts"] and told["collapsed"]
    lists, index = script(f"{folder}/data/lists/000/000000.js", "list"), script(f"{folder}/data/index/000/000000.js", "index")
    neighbor, count = read(table, "neighbor", "count")
    ids, targets = ids_of(table), ids_of(table, "target_id")
    assert index["id"] == ids + targets and len(lists) == 86
    for i in range(36):
        assert lists[i][1] == [36 + j for j in neighbor[i, :count[i]]]
    for t in range(50):  # a target has no list, is in some, and has its attributes
        holders = [i for i in range(36) if t in neighbor[i, :count[i]]]
        assert lists[36 + t][1] == [] and lists[36 + t][4] == len(holders) and set(lists[36 + t][5]) <= set(holders) and lists[36 + t][6]["price"] >= 10
    shares = script(f"{folder}/data/why/000/000000.js", "shares")
    assert all(abs(sum(add) / 1000 - score) < 0.004 for i in range(36) for add, score in zip(shares[i], lists[i][2]))
    assert len(os.listdir(f"{folder}/targets/000")) == 50 and os.path.getsize(f"{folder}/targets/000/000007.jpg") > 0
    with netCDF4.Dataset(table) as d:
        d.set_auto_maskandscale(False)
        of = d["target_duplicate_of"][:]
    if (of >= 0).any():
        assert {row for set_ in script(f"{folder}/data/duplicates.js", "duplicates")["shown"] for row in set_[2]} <= {36 + t for t in np.flatnonzero(of >= 0)}
    assert akin("run", "new.ini", "--json").json["stages"]["gallery"]["skipped"]


def test_the_same_bytes_at_any_rank_count():
    words = ["gallery", "results/arrivals/table.nc", "--source", NEW, "--picture-size", 64, "--target-source", BASE, "--target-name", "the old ones", "--name", "new",
             "--table", "products=results/arrivals/table-products.nc", "--table", "both=results/arrivals/table-both.nc", "--embeddings", "results/arrivals/embeddings.nc",
             "--target-embeddings", "results/last-season/embeddings.nc"]
    akin(*words, "-o", "one")
    first = contents("one")
    told = script("one/data/summary.js", "summary")
    assert (told["items_name"], told["targets_name"]) == ("new", "the old ones") and "targets/list.txt" in first and "tables/products/index.html" in first
    for ranks in (2, 3):
        akin(*words, "-o", f"with{ranks}", ranks=ranks)
        assert contents(f"with{ranks}") == first
    again = akin(*words, "-o", "one", "--json").json
    assert again["files_linked"] == 86 and contents("one") == first  # pictures of both


def test_without_what_it_could_know():
    """No pictures, attributes and shares of the others, but a page; files that belong to other tables are reported."""
    done = akin("gallery", "results/arrivals/table.nc", "--source", NEW, "-o", "bare", "--picture-size", 64)
    told = script("bare/data/summary.js", "summary")
    assert "--target-source" in done.err and told["targets_name"] == "last-season" and told["share_parts"] == [] and not os.path.exists("bare/targets")
    assert script("bare/data/index/000/000000.js", "index")["missing"] == list(range(36, 86))
    assert script("bare/data/lists/000/000000.js", "list")[40][6] == {}
    assert "--target-source lacks" in akin("gallery", "results/arrivals/table.nc", "--source", NEW, "--target-source", NEW, "-o", "x", ranks=2, expect=3).err
    assert "--embeddings" in akin("gallery", "results/arrivals/table-products.nc", "--source", NEW, "-o", "x", ranks=2, expect=2).err
    assert "not what" in akin("gallery", "results/arrivals/table-products.nc", "--source", NEW, "-o", "x", "--embeddings", "results/last-season/embeddings.nc", ranks=2, expect=3).err
    assert not os.path.exists("x")


def test_products_have_their_pictures():
    folder, table = "results/arrivals/gallery/tables/products", "results/arrivals/table-products.nc"
    told, index = script(f"{folder}/data/summary.js", "summary"), script(f"{folder}/data/index/000/000000.js", "index")
    items, names = ids_of("results/arrivals/embeddings.nc"), ids_of(table)
    group, = read("results/arrivals/embeddings.nc", "group")
    groups = ids_of("results/arrivals/embeddings.nc", "group_name")
    of = {name: [i for i in range(36) if (groups[group[i]] if group[i] >= 0 else items[i]) == name] for name in names}
    assert told["products"] and told["pictures"] == 36 and told["items"] == len(names) < 36 and index["id"] == names
    for name, own in zip(names, index["pictures"]):
        assert own[::2] == of[name] and own[1::2] == [items[i] for i in of[name]], name
    picture, other, count = read(table, "picture", "neighbor_picture", "count")
    for i, entry in enumerate(script(f"{folder}/data/lists/000/000000.js", "list")):
        assert entry[8] == [[a, b] for a, b in zip(picture[i, :count[i]], other[i, :count[i]])]
        assert all(a in of[names[i]] and b in of[names[j]] for (a, b), j in zip(entry[8], entry[1]))
    lists, shares = script(f"{folder}/data/lists/000/000000.js", "list"), script(f"{folder}/data/why/000/000000.js", "shares")
    assert all(abs(sum(add) / 1000 - score) < 0.004 for entry, adds in zip(lists, shares) for add, score in zip(adds, entry[2]))
    assert told["placed"] == len(names)


def members(path):
    """The names of a catalogue's products, and the rows of the items of each."""
    items, groups, (group,) = ids_of(path), ids_of(path, "group_name"), read(path, "group")
    name = [groups[g] if g >= 0 else item for g, item in zip(group, items)]
    return sorted(set(name)), {p: [i for i, n in enumerate(name) if n == p] for p in set(name)}, items


def test_products_of_two_catalogues():
    folder, table = "results/arrivals/gallery/tables/both", "results/arrivals/table-both.nc"
    (names, of, items), (others, of_others, targets) = members("results/arrivals/embeddings.nc"), members("results/last-season/embeddings.nc")
    told, index = script(f"{folder}/data/summary.js", "summary"), script(f"{folder}/data/index/000/000000.js", "index")
    assert told["products"] and (told["items"], told["targets"], told["pictures"]) == (len(names), len(others), 36) and index["id"] == names + others
    for row, name in enumerate(names + others):
        own, ids = (of[name], items) if row < len(names) else (of_others[name], targets)
        assert index["pictures"][row][::2] == own and index["pictures"][row][1::2] == [ids[i] for i in own], name
    neighbor, picture, other, count = read(table, "neighbor", "picture", "neighbor_picture", "count")
    lists, shares = script(f"{folder}/data/lists/000/000000.js", "list"), script(f"{folder}/data/why/000/000000.js", "shares")
    for i, name in enumerate(names):
        assert lists[i][1] == [len(names) + j for j in neighbor[i, :count[i]]] and lists[i][8] == [[a, b] for a, b in zip(picture[i, :count[i]], other[i, :count[i]])]
        assert all(a in of[name] and b in of_others[others[j]] for (a, b), j in zip(lists[i][8], neighbor[i]))
        assert all(abs(sum(add) / 1000 - score) < 0.004 for add, score in zip(shares[i], lists[i][2])), name
    price, = read("results/last-season/embeddings.nc", "attribute_price")
    for t, name in enumerate(others):
        assert lists[len(names) + t][1] == [] and lists[len(names) + t][6]["price"] == price[of_others[name][0]]
    words = ["gallery", table, "--source", NEW, "--embeddings", "results/arrivals/embeddings.nc", "-o", "x"]
    assert "--target-embeddings" in akin(*words, ranks=2, expect=2).err
    assert "not what" in akin(*words, "--target-embeddings", "results/arrivals/embeddings.nc", ranks=2, expect=3).err


def test_a_person_meets_products_of_both_catalogues():
    folder = "results/arrivals/gallery/tables/both"
    index, lists = script(f"{folder}/data/index/000/000000.js", "index"), script(f"{folder}/data/lists/000/000000.js", "list")
    with Browser() as b:
        b.open(page(folder, "#" + urllib.parse.quote(index["id"][0], safe="")))
        b.until("return document.querySelectorAll('#neighbors .card').length > 0")
        assert b.run(CARDS, "#neighbors") == [index["id"][j] for j in lists[0][1]]
        wanted = [f"../../targets/000/{other:06d}.jpg" for _, other in lists[0][8]]
        assert b.run("return [...document.querySelectorAll('#neighbors .tile > img')].map(i => i.getAttribute('src'))") == wanted
        b.open("about:blank")
        b.open(page(folder, "#target:" + urllib.parse.quote(index["id"][lists[0][1][0]], safe="")))
        b.until("return document.querySelector('#item-id')?.innerText")
        assert b.run(PICTURE, ".about img").startswith("../../targets/000/")
        assert not [line for line in b.console() if line.startswith("SEVERE")]


def test_a_person_meets_both_catalogues():
    ids, targets = ids_of("results/arrivals/table.nc"), ids_of("results/arrivals/table.nc", "target_id")
    neighbor, = read("results/arrivals/table.nc", "neighbor")
    with Browser() as b:
        b.open(page("results/arrivals/gallery"))
        b.until(READY)
        assert b.run(TEXT, "#items h1") == "arrivals" and b.run(CARDS, "#items") == ids
        b.click("#sides a:nth-child(2)")
        b.until("return document.querySelector('#items h1').innerText === 'last-season'")
        assert b.run(CARDS, "#items") == targets
        # An id of both: an item is an item, a target a target.
        b.open(page("results/arrivals/gallery", "#item-0003"))
        b.until("return document.querySelectorAll('#neighbors .card').length === 6")
        first = targets[neighbor[ids.index("item-0003"), 0]]
        assert "of last-season" in b.run(TEXT, "#item h2") and b.run(CARDS, "#neighbors") == [targets[j] for j in neighbor[ids.index("item-0003")]]
        assert first == "item-0003" and "/targets/" in "/" + b.run(PICTURE, "#neighbors img") and "pictures/" in b.run(PICTURE, ".about img")
        b.click("#neighbors .card")
        b.until("return location.hash === '#target:item-0003' && document.querySelector('#by .card') && !document.querySelector('#neighbors')")
        assert "last-season" in b.run(TEXT, ".about dl") and "targets/" in b.run(PICTURE, ".about img")
        assert "item-0003" in b.run(CARDS, "#by")
        b.click("#by .card[data-id=item-0003]")
        b.until("return location.hash === '#item-0003' && document.querySelector('#neighbors')")
        b.type("#search", "0004")
        b.until("return document.querySelectorAll('#items .card').length === 2")
        assert b.run("return [...document.querySelectorAll('#items .side')].map(s => s.innerText)") == ["arrivals", "last-season"]
        b.open("about:blank")
        b.open(page("results/arrivals/gallery", "#target:nothing"))
        b.until("return document.querySelector('#item .empty')")
        assert "no item “nothing” in last-season" in b.run(TEXT, "#item")
        assert not [line for line in b.console() if line.startswith("SEVERE")]


def test_a_person_meets_products():
    folder = "results/arrivals/gallery/tables/products"
    index = script(f"{folder}/data/index/000/000000.js", "index")
    lists = script(f"{folder}/data/lists/000/000000.js", "list")
    row = next(i for i, own in enumerate(index["pictures"]) if len(own) > 2)
    name, second = index["id"][row], index["pictures"][row][3]
    with Browser() as b:
        b.open(page(folder, "#" + urllib.parse.quote(name, safe="")))
        b.until("return document.querySelectorAll('#neighbors .card').length > 0")
        assert b.run("return [...document.querySelectorAll('#pictures li > span')].map(s => s.innerText)") == index["pictures"][row][1::2]
        assert b.run(CARDS, "#neighbors") == [index["id"][j] for j in lists[row][1]]
        wanted = [f"../../pictures/000/{other:06d}.jpg" for _, other in lists[row][8]]
        assert b.run("return [...document.querySelectorAll('#neighbors .tile > img')].map(i => i.getAttribute('src'))") == wanted
        b.run("document.querySelector('#neighbors li:nth-child(2) .card').dispatchEvent(new Event('mouseenter'))")
        said = b.until("return document.getElementById('why').hidden ? '' : document.getElementById('why').innerText")
        assert "Most similar pictures" in said and "undefined" not in said, said
        # A picture's id finds its product, and shows that picture first.
        b.type("#search", second)
        b.until("return document.querySelectorAll('#items .card').length === 1")
        assert b.run(CARDS, "#items") == [name] and b.run(TEXT, "#found") == "1 product"
        b.open("about:blank")
        b.open(page(folder, "#" + second))
        b.until("return document.querySelector('#item-id')?.innerText")
        assert b.run(TEXT, "#item-id") == name and b.run(PICTURE, ".about img").endswith(f"{index['pictures'][row][2]:06d}.jpg")
        b.click("#tables a[data-table=own]")  # in another table: one of its pictures
        b.until("return document.documentElement.dataset.ready && document.querySelector('#item-id')?.innerText === arguments[0]", index["pictures"][row][1])
        for width in (800, 390):
            b.size(width, 844)
            for place, fragment in ((folder, "#" + urllib.parse.quote(name, safe="")), ("results/arrivals/gallery", "#item-0003"), ("results/arrivals/gallery", "#?side=targets"),
                                    ("results/arrivals/gallery", "#?figures")):
                b.open("about:blank")
                b.open(page(place, fragment))
                b.until(READY)
                assert b.run("return document.documentElement.scrollWidth <= innerWidth"), (width, fragment)
        assert not [line for line in b.console() if line.startswith("SEVERE")]


support.main(globals())
