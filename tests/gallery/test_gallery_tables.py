"""A gallery of several tables: a page for each, of the same pictures, with links between them that keep the item; the same
bytes at any number of ranks; made again when any table is; a table of other items is left out."""

import json
import os
import re
import urllib.parse

import numpy as np

import support
from browser import Browser
from support import akin, contents

os.chdir(support.fresh("gallery_tables"))
CATALOGUE = support.draw_catalogue("pictures", 40)
READY = "return document.documentElement.dataset.ready"
TEXT = "const node = document.querySelector(arguments[0]); return node ? node.textContent : ''"


def write_job(k=3):
    with open("job.ini", "w") as f:
        f.write(f"[job]\nname = job\n[ingest]\nsource = {CATALOGUE}\n[train]\nfeatures = handcrafted\n[neighbors]\nk = 6\n[evaluate]\nlabel = category\n"
                f"[gallery]\nenabled = yes\npicture-size = 64\n[table related]\nk = {k}\nsame-category = yes\n[table other]\nexclude-same-group = yes\n")
    return "job.ini"


def summary(folder):
    with open(os.path.join(folder, "data", "summary.js"), encoding="utf-8") as f:
        return json.loads(re.fullmatch(r"akin\.summary\((.*)\);\n", f.read(), re.S).group(1))


def gallery(out, *words, **more):
    akin("gallery", "results/job/table.nc", "--source", CATALOGUE, "-o", out, "--picture-size", 64, *words, **more)
    return contents(out)


def test_a_page_for_each_table():
    akin("run", write_job(), ranks=2)
    made = summary("results/job/gallery")
    assert (made["tables"], made["table"], made["k"], made["home"]) == (["main", "related", "other"], "main", 6, "")
    related = summary("results/job/gallery/tables/related")
    assert (related["table"], related["k"], related["home"]) == ("related", 3, "../../") and related["precision"]["1"] == 1
    assert "same-category=yes" in related["options"] and not os.path.exists("results/job/gallery/tables/related/pictures")
    done = akin("run", "job.ini", "--json")
    assert done.json["stages"]["gallery"]["skipped"]
    done = akin("run", write_job(4), "--json")
    assert not done.json["stages"]["gallery"]["skipped"] and done.json["stages"]["neighbors"]["skipped"]
    assert summary("results/job/gallery/tables/related")["k"] == 4
    with open("job.ini") as f:
        before, after = f.read().split("[table related]")
    with open("front.ini", "w") as f:  # one that is recorded last and comes first
        f.write(f"{before}[table front]\nk = 2\n[table related]{after}")
    for job in ("front.ini", "job.ini", "front.ini"):
        assert not akin("run", job, "--json").json["stages"]["gallery"]["skipped"]
        assert akin("run", job, "--json").json["stages"]["gallery"]["skipped"], job
    akin("run", "job.ini")


def test_the_same_bytes_at_any_rank_count():
    more = ["--table", "related=results/job/table-related.nc", "--table", "other=results/job/table-other.nc"]
    first = gallery("one", *more, ranks=1)
    assert "tables/other/data/lists/000/000000.js" in first and "tables/other/index.html" in first
    assert first == gallery("two", *more, ranks=2) == gallery("three", *more, ranks=3)


def test_what_is_refused():
    for word in ("main=results/job/table.nc", "a/b=results/job/table.nc", "=x", "name", "name="):
        done = akin("gallery", "results/job/table.nc", "--source", CATALOGUE, "-o", "no", "--table", word, expect=2)
        assert "NAME=TABLE.nc" in done.err and not os.path.exists("no"), done.err
    akin("gallery", "results/job/table.nc", "--source", CATALOGUE, "-o", "no", "--table", "a=x.nc", "--table", "a=y.nc", expect=2)
    akin("gallery", "results/job/table.nc", "--source", CATALOGUE, "-o", "no", "--table", "a=absent.nc", expect=1)
    with open("bad.ini", "w") as f:
        f.write(f"[ingest]\nsource = {CATALOGUE}\n[gallery]\ntable = a=b.nc\n")
    assert "bad.ini:4" in akin("run", "bad.ini", expect=2).err


def test_a_table_of_other_items_is_left_out():
    other = support.draw_catalogue("fewer", 10)
    akin("ingest", other, "-o", "fewer.nc")
    akin("embed", "fewer.nc", "--model", "results/job/model.nc", "-o", "fewer-embeddings.nc")
    akin("neighbors", "fewer-embeddings.nc", "-o", "fewer-table.nc")
    done = akin("gallery", "results/job/table.nc", "--source", CATALOGUE, "-o", "left", "--table", "fewer=fewer-table.nc", ranks=2)
    assert "table fewer is left out" in done.err and summary("left")["tables"] == ["main"], done.err


def script(path, name):
    with open(path, encoding="utf-8") as f:
        return json.loads(re.search(rf"akin\.{name}\(\d+,(.*)\);\n$", f.read(), re.S).group(1))


def test_what_parts_add_sums_to_the_score():
    """As in `query --why`; a table by an aspect has none."""
    parts = summary("results/job/gallery")["share_parts"]
    lists, shares = (script(f"results/job/gallery/data/{folder}/000/000000.js", name) for folder, name in (("lists", "list"), ("why", "shares")))
    for entry, share in zip(lists, shares):
        assert len(share) == len(entry[1]) and entry[7] == 0
        for score, adds in zip(entry[2], share):
            assert len(adds) == len(parts) and abs(sum(adds) / 1000 - score) < 0.0006 * (len(adds) + 1), (score, adds)
    told = akin("query", "results/job/embeddings.nc", "--id", "item-0003", "--why", f"item-{lists[3][1][1]:04d}", "--json").json["parts"]
    assert [part["part"] for part in told] == parts and all(abs(part["share"] - adds / 1000) < 0.0006 for part, adds in zip(told, shares[3][1])), (told, parts, shares[3][1])
    akin("neighbors", "results/job/embeddings.nc", "-o", "aspect.nc", "--aspect", "colour")
    akin("gallery", "aspect.nc", "--source", CATALOGUE, "-o", "aspect", "--picture-size", 64, "--embeddings", "results/job/embeddings.nc")
    assert summary("aspect")["share_parts"] == [] and not os.path.exists("aspect/data/why")


def test_why_a_neighbour_stands_in_a_list():
    """Shown at a card that is pointed at or has the focus: the score, the parts, and what each rule says."""
    with open("priced.csv", "w") as f:
        f.writelines(["id,path,price,brand,season\n", *(f"i{i:02d},pictures/p{i}.png,{10 + i % 5},{'AB'[i % 2]},{['summer', 'summer|winter'][i % 3 > 0]}\n" for i in range(30))])
    with open("pins.csv", "w") as f:
        f.write("id,neighbor\ni03,i20\n")
    with open("why.ini", "w") as f:
        f.write("[job]\nname = why\n[ingest]\nsource = priced.csv\nattributes = price:number brand:label season:labels\n[train]\nfeatures = handcrafted\n"
                "[neighbors]\nk = 6\nwithin = price=0.8..1.2x\nsame = season\nat-most = brand=4\nnot = brand=C\nboost = price=0.1\npins = pins.csv\nmin-score = -0.5\n"
                "[gallery]\nenabled = yes\npicture-size = 64\n")
    akin("run", "why.ini")
    box = "return document.getElementById('why').hidden ? '' : document.getElementById('why').innerText"
    with Browser() as b:
        b.open("file://" + urllib.parse.quote(os.path.abspath("results/why/gallery")) + "/index.html#i03")
        b.until(READY)
        b.until("return document.querySelectorAll('#neighbors .card').length > 2")
        b.run("document.querySelector('#neighbors li:nth-child(1) .card').focus()")
        assert "pinned" in b.until(box) and "i20" in b.run(box)
        b.run("document.querySelector('#neighbors li:nth-child(2) .card').dispatchEvent(new Event('mouseenter'))")
        b.until("return document.getElementById('why').innerText.startsWith('2.')")
        said = b.run(box)
        assert all(word in said for word in ("Rank 2 · without boosts", "without rules", "boost +", "Cosine", "colour", "texture", "within price=0.8..1.2x 13 →", "same season", "at most 4 of one brand", "not brand=C", "boost price=0.1")), said
        marks = b.run("return [...document.querySelectorAll('#why li')].map((li) => li.className)")
        assert marks.count("passes") == 4 and "fails" not in marks, (marks, said)
        for width, height in ((1400, 900), (390, 844)):
            b.size(width, height)
            b.run("document.querySelector('#neighbors li:nth-child(3) .card').dispatchEvent(new Event('mouseenter'))")
            b.until("return document.getElementById('why').innerText.startsWith('3.')")
            inside = b.run("const r = document.getElementById('why').getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth && document.documentElement.scrollWidth <= innerWidth")
            assert inside, width
            b.screenshot(f"why-{width}.png")
            b.run("document.querySelector('#neighbors li:nth-child(3) .card').dispatchEvent(new Event('mouseleave'))")
            assert b.run(box) == ""
        assert not [line for line in b.console() if line.startswith("SEVERE")]


def test_places_are_those_that_query_tells():
    """With and without rules and boosts, and the size of the boost, to the digit; also --damp-hubs; at any number of ranks."""
    akin("neighbors", "results/why/embeddings.nc", "-o", "damped.nc", "-k", 5, "--damp-hubs", "--boost", "price=0.05", "--different", "brand")
    akin("gallery", "damped.nc", "--source", "priced.csv", "-o", "damped", "--picture-size", 64, "--embeddings", "results/why/embeddings.nc", "--attributes",
         "price:number brand:label season:labels", ranks=2)
    ids = [f"i{i:02d}" for i in range(30)]
    for folder, table in (("results/why/gallery", "results/why/table.nc"), ("damped", "damped.nc")):
        with open(f"{folder}/data/ranks/000/000000.js", encoding="utf-8") as f:
            depth, places = json.loads("[" + re.search(r"akin\.ranks\(\d+,(.*)\);\n$", f.read(), re.S).group(1) + "]")
        lists = script(f"{folder}/data/lists/000/000000.js", "list")
        assert depth == 200 and len(places) == 30 and any(place[0] != at + 1 for one in places for at, place in enumerate(one))
        for item, at in ((3, 0), (3, 1), (7, 2), (19, 0), (28, 3)):
            if at >= len(lists[item][1]):
                continue
            told = akin("query", "results/why/embeddings.nc", "--table", table, "--id", ids[item], "--why", ids[lists[item][1][at]], "--json").json
            bare, unboosted, boost = places[item][at]
            assert [bare, unboosted, at + 1] == [told["rank_without_rules"], told["rank_without_boost"], told["rank"]], (item, at, told)
            assert np.float32(boost) == np.float32(told["boost"]), (boost, told)
        assert not [name for name in os.listdir(os.path.dirname(folder) or ".") if "plain" in name or "unboosted" in name]
    assert not os.path.exists("results/job/gallery/data/ranks") and summary("results/job/gallery/tables/related")["ranked"]


def test_a_person_switches_between_them():
    with Browser() as b:
        b.open("file://" + urllib.parse.quote(os.path.abspath("results/job/gallery")) + "/index.html#item-0005")
        b.until(READY)
        assert b.run(TEXT, "#tables") == "mainrelatedother"
        cards = "return document.querySelectorAll('#item .card').length"
        assert b.until("return document.querySelectorAll('#item .card').length >= 6")
        whole = b.run(cards)
        b.click("#tables a[data-table=related]")
        b.until("return document.querySelector('#tables a[aria-current]')?.dataset.table === 'related' && document.documentElement.dataset.ready")
        b.until("const p = [...document.querySelectorAll('#item img')]; return p.length > 0 && p.every(i => i.complete && i.naturalWidth > 0)")
        assert b.run("return location.hash") == "#item-0005" and b.run(cards) < whole
        b.click("#tables a[data-table=main]")
        b.until("return document.querySelector('#tables a[aria-current]')?.dataset.table === 'main' && document.documentElement.dataset.ready")


support.main(globals())
