"""gallery: what a person meets in a browser - pictures, search, filter, a click to a neighbour, the way back, links to an
item, figures - with a silent console; the same bytes at any number of ranks; 12,000 items; what is refused."""

import csv
import json
import os
import re
import shutil
import urllib.parse

import netCDF4
import numpy as np
from PIL import Image

import support
from browser import Browser
from support import akin, contents

ODD = ["<b onclick=alert(1)>&amp;", 'quo"te \'and\'', "per%20cent%", "ümlaut 👕", "#hash", "?figures", "a/b\\c.png", "</script>"]
N = 70  # more than a page


def page(folder, fragment=""):
    return "file://" + urllib.parse.quote(os.path.abspath(folder)) + "/index.html" + fragment


def make_job():
    """A run of all stages over a catalogue with odd ids, two rejects and, once ingested, one picture that is gone."""
    source = support.fresh("pictures with blanks")
    table = support.draw_catalogue(source, N)
    with open(table, newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f))
    for row, name in zip(rows[1:], ODD):
        row[0] = name
    rows += [["cut", "cut.png", "hats", "", "yes"], ["none", "none.png", "hats", "", "yes"]]
    with open(table, "w", newline="", encoding="utf-8") as f:
        csv.writer(f).writerows(rows)
    with open(os.path.join(source, "p3.png"), "rb") as f, open(os.path.join(source, "cut.png"), "wb") as cut:
        cut.write(f.read()[:60])
    with open("job.ini", "w", encoding="utf-8") as f:
        f.write(f'[job]\nname = hats & "shoes"\noutput = results\n[ingest]\nsource = "{table}"\n[train]\nepochs = 3\nfeatures = autoencoder\nholdout = 0.1\nobjective = contrastive\n'
                "[neighbors]\nk = 7\n[evaluate]\nlabel = category\n[publish]\nto = file:published.csv\n[gallery]\nenabled = yes\n")
    akin("run", "job.ini", ranks=2)
    return table


def lists_of(table):
    """{id: [(neighbour's id, score)...]} as published."""
    akin("publish", table, "--to", "file:lists.jsonl", "--max-churn", 1)
    with open("lists.jsonl", encoding="utf-8") as f:
        entries = [json.loads(line) for line in f]
    return {e["id"]: [(name, score) for name, score in e["neighbors"]] for e in entries}


def shown(score):
    """A score as the page has it: two digits, more where these would make it 1 that is not."""
    score = round(min(score, 0.9999), 4) if score < 1 else 1
    return "1.00" if score == 1 else next(text for text in (f"{score:.{n}f}" for n in (2, 3, 4)) if float(text) < 1)


READY = "return document.documentElement.dataset.ready"
SEEN = """const pictures = [...document.querySelectorAll('main > section:not([hidden]) img')].filter(i => i.getBoundingClientRect().top < innerHeight);
          return pictures.length > 0 && pictures.every(i => i.complete && i.naturalWidth > 0) && pictures.length"""
TEXT = "const node = document.querySelector(arguments[0]); return node && node.checkVisibility() ? node.textContent : ''"
IDS = "return [...document.querySelectorAll(arguments[0] + ' .card')].map(c => c.dataset.id)"


def wait_text(b, css, text):
    b.until("const node = document.querySelector(arguments[0]); return node && node.checkVisibility() && node.textContent === arguments[1]", css, text)


def test_a_person_finds_the_way():
    make_job()
    lists = lists_of("results/table.nc")
    ids = sorted(lists, key=str.encode)
    assert set(ODD) < set(ids) and len(ids) == N
    with Browser() as b:
        b.open(page("results/gallery"))
        b.until(READY)
        assert b.until(SEEN) >= 5
        assert b.run(IDS, "#items") == ids[:60]
        assert b.run(TEXT, "#found") == f"1–60 of {N}"
        b.click("a[rel=next]")
        wait_text(b, "#found", f"61–{N} of {N}")
        assert b.run(IDS, "#items") == ids[60:]
        b.back()
        wait_text(b, "#found", f"1–60 of {N}")

        b.type("#search", "0012")  # search
        wait_text(b, "#found", "1 item")
        assert b.run(IDS, "#items") == ["item-0012"]
        b.click("#items .card")  # an item, its neighbours
        wait_text(b, "#item-id", "item-0012")
        assert b.until(SEEN) >= 2
        assert b.run(IDS, "#neighbors") == [name for name, _ in lists["item-0012"]]
        assert b.run("return [...document.querySelectorAll('#neighbors .score')].map(s => s.textContent)") == \
            [shown(score) for _, score in lists["item-0012"]]
        at = "item-0012"
        for turn in (2, 1, 3):  # a click leads to the neighbour
            following = lists[at][turn][0]
            b.click(f"#neighbors li:nth-child({turn + 1}) .card")
            wait_text(b, "#item-id", following)
            assert b.run(IDS, "#neighbors") == [name for name, _ in lists[following]]
            assert urllib.parse.unquote(b.run("return location.hash")) == "#" + following
            before, at = at, following
        b.back()
        wait_text(b, "#item-id", before)
        b.click("#back")
        wait_text(b, "#found", "1 item")

        b.run("const s = document.querySelector('#category'); s.value = 'shoes'; s.dispatchEvent(new Event('change'))")
        b.until("return document.querySelector('.empty')")  # item-0012 is a hat
        b.run("const s = document.querySelector('#search'); s.value = ''; s.dispatchEvent(new Event('input'))")
        wait_text(b, "#items h1", "shoes")
        shoes = b.run(IDS, "#items")
        assert len(shoes) == len([i for i in range(N) if i % 3 == 1])
        assert set(b.run("return [...document.querySelectorAll('#items .category')].map(c => c.textContent)")) == {"shoes"}
        assert b.run("return document.querySelectorAll('#items .flag').length") > 0  # some are not available
        assert b.console() == []


def test_links_to_items_and_keys():
    lists = lists_of("results/table.nc")
    with Browser(width=420, height=800) as b:
        for name in ODD + ["item-0033"]:
            b.open("about:blank")
            b.open(page("results/gallery", "#" + urllib.parse.quote(name, safe="")))
            b.until(READY)
            wait_text(b, "#item-id", name)
            assert b.run(IDS, "#neighbors") == [other for other, _ in lists[name]]
            assert b.run("return document.title").startswith(name)
        assert b.run("return document.documentElement.scrollWidth <= innerWidth"), "a phone has to scroll sideways"
        b.open("about:blank")
        b.open(page("results/gallery", "#no%20such"))
        b.until(READY)
        assert "no such" in b.run(TEXT, "#item .empty")
        b.run("document.activeElement.blur()")
        b.type("body", "/")  # the key of the search field
        assert b.run("return document.activeElement.id") == "search"
        b.type("#search", "item-0020\n")
        wait_text(b, "#item-id", "item-0020")
        assert b.console() == []


def test_figures():
    with open("results/metrics.json", encoding="utf-8") as f:
        metrics = json.load(f)
    with Browser() as b:
        b.open(page("results/gallery", "#?figures"))
        b.until(READY)
        text = b.until("return document.querySelector('#figures').checkVisibility() && document.querySelector('#figures').innerText")
        numbers = dict(b.run("return [...document.querySelectorAll('.number')].map(n => [n.querySelector('span').textContent, n.querySelector('b').textContent])"))
        share = lambda x: f"{round(x * 100 + 1e-9, 1):g} %"
        assert numbers["items"] == str(N) and numbers["rejected"] == "2"
        assert numbers["coverage"] == share(metrics["evaluate"]["coverage"])
        for n in (1, 5, 10):
            assert numbers[f"precision at {n}"] == share(metrics["evaluate"][f"precision_at_{n}"]), numbers
        assert ("publish" in text) == ("publish" in metrics)
        assert "cut" in text and "none" in text and "images/s" in text and "pairs/s" in text
        assert b.run("return document.querySelectorAll('#figures svg').length") == 4
        bars = b.run("return [...document.querySelectorAll('#figures svg')].map(s => s.querySelectorAll('rect').length)")
        assert bars[0] > 0 and bars[1] > 0
        assert b.run("return [...document.querySelectorAll('#figures .legend')].map(l => l.textContent)") == ["training", "held-out pictures"] * 2
        assert "held-out" not in b.run("return [...document.querySelectorAll('#figures svg text')].map(s => s.textContent).join()")  # never on a line
        rates = re.findall(r"([\d.,]+)(\w?) (?:images|pairs|items)/s", text)
        assert len(rates) >= 5 and not any(unit for _, unit in rates), rates
        assert b.run("return [...document.querySelectorAll('#figures polyline')].map(l => l.getAttribute('points').split(' ').length)") == [3, 3, 3, 3]
        assert "Agreement of views" in text  # this objective has a curve of its own
        assert "Parts of a vector" in text and metrics["train"]["weights_chosen"] in text
        strip = "const i = document.querySelector('#figures .strip'); return i && i.complete && [i.naturalWidth, i.naturalHeight]"
        assert b.until(strip) == [12 * 66 - 2, 2 * 66 - 2]
        assert b.console() == []
    check_strip("results/gallery/strip.jpg")


def test_what_changed():
    """Two nights of vectors: two items gone, two new, lists before and after side by side, the storefront's lines."""
    rows = np.random.default_rng(7).standard_normal((N, 6)).astype(np.float32)
    with netCDF4.Dataset("results/table.nc") as d:
        d.set_auto_chartostring(False)
        names = [row.tobytes().rstrip(b"\0").decode() for row in np.ma.filled(d["id"][...], b"\0")]
    later = np.vstack([rows[2:N], rows[:2]])
    for path, some, vectors in (("one.nc", names[:N - 2], rows[:N - 2]), ("two.nc", names[2:], later[:N - 2])):
        np.save("night.npy", vectors)
        with open("night.ids", "w", encoding="utf-8") as f:
            f.writelines(name + "\n" for name in some)
        akin("neighbors", "night.npy", "--ids", "night.ids", "-o", path, "-k", 4)
    akin("gallery", "two.nc", "--against", "one.nc", "--source", "pictures with blanks/catalog.csv", "-o", "changed")
    before, after = lists_of_table("one.nc"), lists_of_table("two.nc")
    churn = akin("evaluate", "two.nc", "--against", "one.nc", "--json").json["churn"]
    with Browser(width=1200) as b:
        b.open(page("changed", "#?changes"))
        b.until(READY)
        numbers = dict(b.run("return [...document.querySelectorAll('#changes .number')].map(n => [n.querySelector('span').textContent, n.querySelector('b').textContent])"))
        assert (numbers["items previously"], numbers["items now"], numbers["new"], numbers["gone"]) == (str(N - 2), str(N - 2), "2", "2"), numbers
        assert numbers["churn"] == f"{round(churn * 100 + 1e-9, 1):g} %"
        assert b.run(IDS, "#new") == names[-2:]
        assert b.run(IDS, "#gone") == names[:2]
        assert b.run("return [...document.querySelectorAll('#gone .chip, #new .name')].every(c => c.title === c.textContent)")
        assert re.fullmatch(r"from the table of \d{4}-\d\d-\d\d to that of \d{4}-\d\d-\d\d", b.run(TEXT, "#nights"))
        order = b.run("return ['#pairs', '#new', '#gone'].map(s => document.querySelector(s).getBoundingClientRect().top)")
        assert not b.run("return [...document.querySelectorAll('details.fold')].some(d => d.open)")  # the lists first, the rest folded
        b.run("document.querySelectorAll('details.fold').forEach(d => { d.open = true; })")
        assert order[0] < b.run("return document.querySelector('#new').getBoundingClientRect().top")
        if b.run("return !document.querySelector('#more-pairs').hidden"):
            b.click("#more-pairs")
        pairs = b.run("return [...document.querySelectorAll('.pair')].map(p => [p.querySelector('.one .card').dataset.id, "
                      "...[...p.querySelectorAll('.sides > div')].map(s => [...s.querySelectorAll('.card')].map(c => c.dataset.id))])")
        lost = lambda name: 1 - len(set(before[name]) & set(after[name])) / max(len(before[name]), len(after[name]))
        assert pairs and all(was == before[name] and now == after[name] and lost(name) > 0 for name, was, now in pairs)
        assert [lost(name) for name, _, _ in pairs] == sorted((lost(n) for n in before if n in after), reverse=True)[:len(pairs)]
        differ = b.run("return document.querySelectorAll('.sides .different').length")
        assert differ == sum(len(set(was) ^ set(now)) for _, was, now in pairs)
        lines = b.run(TEXT, "#changes .code")
        with open("changed/changes.csv", newline="") as f:
            rows = list(csv.DictReader(f))
        assert [r["id"] for r in rows if r["change"] == "new"] == names[-2:] and sorted(r["id"] for r in rows if r["change"] == "gone") == sorted(names[:2])
        assert {r["id"]: r["share"] for r in rows if r["change"] == "changed"} == {n: f"{lost(n):.4f}" for n in before if n in after and before[n] != after[n]}
        for words in ("redis-cli -u redis://HOST HGET akin:NAME", "hget(", "hGet("):
            assert words in lines, lines
        assert b.run("return document.querySelector('#to-changes').hasAttribute('aria-current')")
        b.click("#new .card")
        wait_text(b, "#item-id", names[-2])
        b.open("about:blank")
        b.open(page("results/gallery", "#?changes"))
        b.until(READY)
        assert "no previous table" in b.run(TEXT, "#changes .empty")
        assert b.console() == []
    akin("gallery", "two.nc", "--against", "pictures with blanks/catalog.csv", "--source", "pictures with blanks/catalog.csv", "-o", "refused", expect=3)


def test_nothing_is_wider_than_the_screen():
    """Every view on a phone, a tablet and a desk: no sideways scrolling; on a phone the search has a line of its own."""
    for width in (390, 800, 1400):
        with Browser(width=width, height=850, dark=width == 800) as b:
            b.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
                "width": width, "height": 850, "deviceScaleFactor": 1, "mobile": width < 500}})
            for folder, views in (("results/gallery", ("", "#?map", "#?duplicates", "#?figures", "#item")), ("changed", ("#?changes",))):
                for view in views:
                    b.open("about:blank")
                    b.open(page(folder, view))
                    b.until(READY)
                    wide = b.run("return [document.documentElement.scrollWidth, innerWidth]")
                    assert wide == [width, width], (width, folder, view, wide)
            lines = b.run("return ['.search', '.filter', '.views'].map(s => document.querySelector(s).getBoundingClientRect().top)")
            assert len(set(lines)) == (3 if width == 390 else len(set(lines)))
            assert b.console() == []


def lists_of_table(path):
    """{id: [neighbour's id...]}"""
    with netCDF4.Dataset(path) as d:
        d.set_auto_maskandscale(False)
        d.set_auto_chartostring(False)
        names = [row.tobytes().rstrip(b"\0").decode() for row in d["id"][...]]
        return {names[i]: [names[j] for j in row if j >= 0] for i, row in enumerate(d["neighbor"][...])}


def test_map_and_precision_by_category():
    """Every item that has a picture has a place of its own on the map; categories stand as evaluate has them."""
    told = {e["category"]: e for e in akin("evaluate", "results/table.nc", "--json").json["by_category"]}
    share = lambda x: f"{round(x * 100 + 1e-9, 1):g} %"
    with Browser() as b:
        b.open(page("results/gallery", "#?map"))
        b.until(READY)
        b.until("return document.querySelectorAll('.map a').length > 0")
        ids = b.run("return [...document.querySelectorAll('.map a')].map(a => a.dataset.id)")
        assert sorted(ids, key=str.encode) == sorted(lists_of("results/table.nc"), key=str.encode)
        places = b.run("return [...document.querySelectorAll('.map a')].map(a => a.style.left + ' ' + a.style.top)")
        assert len(set(places)) == len(places)
        inside = b.run("const m = document.querySelector('.map').getBoundingClientRect(); return [...document.querySelectorAll('.map a')]"
                       ".every(a => { const r = a.getBoundingClientRect(); return r.left >= m.left - 1 && r.right <= m.right + 1 && r.bottom <= m.bottom + 1; })")
        assert inside and len(b.run("return [...document.querySelectorAll('#map .legend')].map(l => l.textContent)")) == 3
        b.run("const s = document.querySelector('#category'); s.value = 'shoes'; s.dispatchEvent(new Event('change'))")  # fades the others
        faded = b.run("return [...document.querySelectorAll('.map a')].filter(a => a.classList.contains('faded')).map(a => a.title.split(' · ')[1])")
        assert 0 < len(faded) < len(ids) and "shoes" not in faded and b.run("return document.querySelector('#map').checkVisibility()")
        b.run("const s = document.querySelector('#category'); s.value = ''; s.dispatchEvent(new Event('change'))")
        assert not b.run("return document.querySelectorAll('.map .faded').length")
        wide = "return document.querySelector('.map a').getBoundingClientRect().width"
        before = b.run(wide)
        b.click(".zoom button")  # closer, and back to the whole
        assert abs(b.run(wide) / before - 1.6) < 0.01
        b.click(".zoom button:last-child")
        assert abs(b.run(wide) / before - 1) < 0.01
        b.click(".map a")
        wait_text(b, "#item-id", ids[0])
        assert not b.run("return document.querySelector('#to-map').hasAttribute('aria-current')")
        b.click("#to-figures")
        rows = b.until("return [...document.querySelectorAll('#figures .panel')].filter(p => p.querySelector('h2').textContent === 'Precision by category')"
                       ".flatMap(p => [...p.querySelectorAll('tbody tr')].map(r => [...r.querySelectorAll('td')].map(c => c.textContent)))")
        missing = lambda c: told[c]["items"] * (1 - told[c]["mean_average_precision"])
        assert [r[0] for r in rows] == sorted(told, key=lambda c: (-missing(c), c))
        for name, items, at1, at10, average, lacks in rows:
            e = told[name]
            assert abs(float(lacks) - missing(name)) <= 0.5001
            assert (items, at1, at10, average) == (str(e["items"]), share(e["precision_at_1"]), share(e["precision_at_10"]), share(e["mean_average_precision"]))
        with netCDF4.Dataset("results/table.nc") as d:
            d.set_auto_mask(False)
            neighbor, category, names = d["neighbor"][...], d["category"][...], ["bags", "hats", "shoes"]
        own, ids = ((category[neighbor] == category[:, None]) & (neighbor >= 0)).sum(1), sorted(lists_of("results/table.nc"), key=str.encode)
        gain = b.run("const p = [...document.querySelectorAll('#figures .panel')].find(p => p.querySelector('h2').textContent === 'Most to gain');"
                     "return [...p.querySelectorAll('ul')].map(u => [...u.querySelectorAll('.card')].map(c => c.dataset.id))")
        assert gain == [[ids[i] for i in sorted(np.flatnonzero(category == names.index(r[0])), key=lambda i: (own[i], i))[:4]] for r in rows[:3]], gain
        names_of = ("return [...[...document.querySelectorAll('#figures .panel')].find(p => p.querySelector('h2').textContent === 'Precision by category')"
                    ".querySelectorAll('tbody a')].map(a => a.textContent)")
        b.run("[...document.querySelectorAll('#figures th button')].find(x => x.textContent === 'mean average').click()")  # sorted by it, the largest first
        assert b.run(names_of) == sorted(told, key=lambda c: (-told[c]["mean_average_precision"], c))
        assert b.console() == []


def test_a_small_category_is_not_the_worst_for_being_small():
    """Two items that find each other at once: precision at 10 cannot be more than 0.1 there, yet nothing is wrong."""
    support.fresh("uneven")
    Image.new("RGB", (24, 24), (60, 120, 200)).save("uneven/p.png")
    with open("uneven/catalog.csv", "w") as f:
        f.write("id,path,category\n")
        f.writelines(f"i{i:02d},p.png,{'pair' if i < 2 else ('even', 'odd')[i % 2]}\n" for i in range(18))
    angles = np.concatenate([[0, 0.01], 1.5 + 0.01 * np.random.default_rng(5).permutation(16)])
    np.save("uneven.npy", np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32))
    with open("uneven.ids", "w") as f:
        f.writelines(f"i{i:02d}\n" for i in range(18))
    akin("ingest", "uneven/catalog.csv", "-o", "uneven.nc")
    akin("embed", "uneven.nc", "--from", "uneven.npy", "--ids", "uneven.ids", "-o", "uneven.vectors.nc")
    akin("neighbors", "uneven.vectors.nc", "-o", "uneven.table.nc", "-k", 10)
    told = {e["category"]: e for e in akin("evaluate", "uneven.table.nc", "--json").json["by_category"]}
    assert told["pair"]["mean_average_precision"] == 1 and told["pair"]["precision_at_10"] == 0.1
    assert min(told, key=lambda c: told[c]["precision_at_10"]) == "pair"
    order = sorted(told, key=lambda c: (told[c]["mean_average_precision"], c))
    lines = akin("evaluate", "uneven.table.nc").out.split("by category, ", 1)[1].splitlines()
    assert "mean average precision" in lines[0] and [line.split()[-1] for line in lines[2:5]] == order and order[-1] == "pair"
    akin("gallery", "uneven.table.nc", "--source", "uneven/catalog.csv", "-o", "uneven/g")
    with Browser() as b:
        b.open(page("uneven/g", "#?figures"))
        b.until(READY)
        assert b.run("const p = [...document.querySelectorAll('#figures .panel')].find(p => p.querySelector('h2').textContent === 'Precision by category');"
                     "return [...p.querySelectorAll('tbody a')].map(a => a.textContent)") == \
            sorted(told, key=lambda c: (told[c]["items"] * (told[c]["mean_average_precision"] - 1), c))


def test_duplicates():
    rows = np.random.default_rng(8).standard_normal((N, 6)).astype(np.float32)
    rows[20:30], rows[40:43] = rows[3], rows[5]
    np.save("planted.npy", rows)
    with open("planted.ids", "w", encoding="utf-8") as f:
        f.writelines(name + "\n" for name in sorted(lists_of("results/table.nc"), key=str.encode))
    akin("embed", "results/catalog.nc", "--from", "planted.npy", "--ids", "planted.ids", "-o", "planted.nc")
    akin("neighbors", "planted.nc", "-o", "collapsed.nc", "--collapse-duplicates", "0.9999", "-k", "5")
    with netCDF4.Dataset("collapsed.nc") as d:
        d.set_auto_chartostring(False)
        names = [row.tobytes().rstrip(b"\0").decode() for row in np.ma.filled(d["id"][...], b"\0")]
        of = np.ma.filled(d["duplicate_of"][...], -1)
    assert (of >= 0).sum() == 13
    akin("gallery", "collapsed.nc", "--source", "pictures with blanks/catalog.csv", "-o", "collapsed", "--embeddings", "planted.nc")
    with Browser() as b:
        b.open(page("collapsed", "#?duplicates"))
        b.until(READY)
        sets = b.until("return [...document.querySelectorAll('#duplicates article')].map(a => [...a.querySelectorAll('.card')].map(c => c.dataset.id))")
        kept = sorted(set(of[of >= 0]), key=lambda k: (-(of == k).sum(), k))[:60]
        assert sets == [[names[k], *[names[i] for i in np.flatnonzero(of == k)[:24]]] for k in kept]
        assert b.run("return [...document.querySelectorAll('#duplicates article')].every(a => a.querySelectorAll('.kept').length === 1)")
        assert b.run("return document.querySelector('#to-map').checkVisibility()")
        b.open("about:blank")
        b.open(page("changed"))  # of vectors of which none are the same, and which are not at hand
        b.until(READY)
        assert not b.run("return document.querySelector('#to-duplicates').checkVisibility() || document.querySelector('#to-map').checkVisibility()")
        for view, words in (("duplicates", "There are no duplicates"), ("map", "There is no map")):  # by an address of before
            b.open("about:blank")
            b.open(page("changed", "#?" + view))
            b.until(READY)
            assert words in b.run(TEXT, f"#{view} .empty")
        assert b.console() == []
    # Where the table collapses none, the first available one of a set stands for it, not one that is out of stock.
    with netCDF4.Dataset("results/catalog.nc") as d:
        d.set_auto_mask(False)
        available = d["available"][...]
    out = next(i for i in range(N - 4) if not available[i] and available[i + 1])
    rows = np.random.default_rng(8).standard_normal((N, 6)).astype(np.float32)
    rows[out + 1 : out + 4] = rows[out]
    np.save("planted.npy", rows)
    akin("embed", "results/catalog.nc", "--from", "planted.npy", "--ids", "planted.ids", "-o", "stock.nc")
    akin("neighbors", "stock.nc", "-o", "stock-table.nc", "-k", 5)
    akin("gallery", "stock-table.nc", "--source", "pictures with blanks/catalog.csv", "-o", "stock")
    with open("stock/duplicates.csv", encoding="utf-8", newline="") as f:
        assert list(csv.reader(f))[1:] == [[names[out + 1], names[i]] for i in (out, out + 2, out + 3)]
    done = akin("gallery", "two.nc", "--source", "pictures with blanks/catalog.csv", "-o", "refused", "--embeddings", "results/embeddings.nc", expect=3)
    assert "is not what two.nc was made from" in done.err and not os.path.exists("refused")


def share_shown(share):
    """A share of random pairs as the page has it: three digits, more where these would make it 1 that is not."""
    share = round(min(share, 0.999999), 6) if share < 1 else 1
    return "1.000" if share == 1 else next(text for text in (f"{share:.{n}f}" for n in (3, 4, 5, 6)) if float(text) < 1)


def test_refined_lists_are_told_as_what_they_are():
    """Fill is marked and never the best; the order of choosing and shares of random pairs are not told as likeness."""
    some = ["neighbors", "planted.nc", "-k", 6, "--fill", "category", "-o"]
    akin(*some, "filled.nc", "--min-score", 0.75)
    akin(*some, "refined.nc", "--min-score", 0.6, "--diversity", 0.5, "--score", "calibrated")
    akin("gallery", "filled.nc", "--source", "pictures with blanks/catalog.csv", "-o", "filled")
    akin("gallery", "refined.nc", "--against", "filled.nc", "--source", "pictures with blanks/catalog.csv", "-o", "refined")
    seen = """return [...document.querySelectorAll('#neighbors .card')].map(c =>
              [c.dataset.id, c.querySelector('.score').textContent, c.querySelector('.flag.fill') ? 1 : 0])"""
    facts = "return [...document.querySelectorAll('#item dt')].map(d => [d.textContent, d.nextSibling.textContent])"
    marks = {}
    for name, text in (("filled", shown), ("refined", share_shown)):
        lists = lists_of(f"{name}.nc")
        with netCDF4.Dataset(f"{name}.nc") as d:
            d.set_auto_chartostring(False)
            names = [row.tobytes().rstrip(b"\0").decode() for row in np.ma.filled(d["id"][...], b"\0")]
            count, fill = (np.ma.filled(d[v][...], 0) for v in ("count", "filled"))
        marks[name] = {names[i]: [int(j >= count[i] - fill[i]) for j in range(count[i])] for i in range(N)}
        picked = [names[np.flatnonzero(which)[0]] for which in ((fill > 0) & (fill < count), (fill == 0) & (count > 0), (fill > 0) & (fill == count)) if which.any()]
        assert len(picked) >= 2, (count, fill)
        with Browser() as b:
            for item in picked:
                b.open("about:blank")
                b.open(page(name, "#" + urllib.parse.quote(item, safe="")))
                b.until(READY)
                wait_text(b, "#item-id", item)
                assert b.run(seen) == [[other, text(score), mark] for (other, score), mark in zip(lists[item], marks[name][item])]
                real, order, told = marks[name][item].count(0), b.run(TEXT, "#order"), dict(b.run(facts))
                assert told["Similar items"] == ("6" if real == 6 else f"{real} of 6: no others pass the rules") and told.get("Fill", "0") == str(6 - real)
                assert told.get("Best score") == (text(max(score for _, score in lists[item][:real])) if real else None)
                assert ("fill" in order) == (real < 6) and ("best first" in order) == (real > 0 and name == "filled")
                assert ("1.00 is identical" in order) == (real > 0 and name == "filled")
                assert ("order they were chosen" in order and "random pairs" in order) == (real > 0 and name == "refined")
            b.open("about:blank")
            b.open(page(name, "#?figures"))
            b.until(READY)
            assert ("random pairs" in b.run(TEXT, "#figures")) == (name == "refined")
            best = json.loads(open(f"{name}/data/summary.js", encoding="utf-8").read()[len("akin.summary("):-3])["histogram"]["best"]
            assert sum(best) == (count > fill).sum()
            assert b.console() == []
    with Browser() as b:  # both sides of what changed
        b.open(page("refined", "#?changes"))
        b.until(READY)
        sides = b.run("return [...document.querySelectorAll('.pair')].map(p => [p.querySelector('.one .card').dataset.id, ...[...p.querySelectorAll('.sides > div')].map(s => "
                      "[...s.querySelectorAll('.card')].map(c => c.querySelector('.flag.fill') ? 1 : 0))])")
        assert sides and all(was == marks["filled"][item] and now == marks["refined"][item] for item, was, now in sides)
        assert any(1 in was for _, was, _ in sides)


def check_strip(path):
    """Its upper row holds pictures of the catalogue, its lower one something for each."""
    with netCDF4.Dataset("results/catalog.nc") as d:
        images = np.asarray(d["image"][...]).astype(float)
    with Image.open(path) as picture:
        strip = np.asarray(picture.convert("RGB")).astype(float)
    for i in range(12):
        upper, lower = (strip[y : y + 64 : 2, i * 66 : i * 66 + 64 : 2] for y in (0, 66))
        assert abs(upper - images[i * len(images) // 12]).mean() < 8, i
        assert lower.std() > 0 and 0 < abs(lower - upper).mean() < 128, i


def test_a_file_that_is_missing_is_said():
    """Also shows that a silent console is not silent for not being heard."""
    shutil.rmtree("broken", ignore_errors=True)
    shutil.copytree("results/gallery", "broken")
    os.unlink("broken/data/lists/000/000000.js")
    with Browser() as b:
        b.open(page("broken"))
        b.until(READY)
        assert b.console() == []
        b.click("#items .card")
        assert "data/lists/000/000000.js" in b.until(TEXT, "#problem")
        assert b.console() != []


def test_same_bytes_at_any_rank_count():
    table = os.path.abspath("pictures with blanks/catalog.csv")
    expected = contents("results/gallery")
    assert len([name for name in expected if name.endswith(".jpg")]) == N + 1  # and the strip
    for ranks in (0, 1, 3, 5):
        done = akin("gallery", "results/table.nc", "--source", table, "-o", "again", "--results", "results", "--json", ranks=ranks)
        assert (done.json["items"], done.json["pictures"], done.json["placeholders"]) == (N, N, 0)
        assert done.json["bytes"] == sum(os.path.getsize(os.path.join("again", name)) for name in expected)
        found = contents("again")
        # its own entry of metrics.json is not shown, so all is the same but the name of the folder of results
        assert found == expected, [name for name in expected if found.get(name) != expected[name]]
    assert not os.path.exists("again.part")


def test_a_picture_that_is_gone_is_a_placeholder():
    source = support.fresh("some gone")
    table = support.draw_catalogue(source, 6)
    make_vectors([f"item-{i:04d}" for i in range(6)], "small.nc")
    os.unlink(os.path.join(source, "p1.png"))
    with open(os.path.join(source, "p4.png"), "wb") as f:
        f.write(b"no picture")
    done = akin("gallery", "small.nc", "--source", table, "-o", "small", "--json", ranks=2)
    assert (done.json["items"], done.json["pictures"], done.json["placeholders"]) == (6, 4, 2)
    assert "2 of 6" in done.err
    with Browser() as b:
        b.open(page("small"))
        b.until(READY)
        assert b.until(SEEN) == 4
        assert b.run("return document.querySelectorAll('#items .none').length") == 2
        assert b.run("return document.querySelector('#category').checkVisibility()") is False  # nothing has a category
        b.open(page("small", "#?figures"))
        b.until(READY)
        assert "precision" not in b.run("return document.body.innerText")
        assert b.run("return document.querySelector('.strip')") is None  # no results, no model
        assert b.console() == []


def make_vectors(ids, path, k=5, dim=2):
    np.save("vectors.npy", np.random.default_rng(3).standard_normal((len(ids), dim)).astype(np.float32))
    with open("ids.txt", "w", encoding="utf-8") as f:
        f.writelines(name + "\n" for name in ids)
    akin("neighbors", "vectors.npy", "--ids", "ids.txt", "-o", path, "-k", k)


def test_what_is_refused():
    source = support.fresh("few")
    table = support.draw_catalogue(source, 6)
    make_vectors([f"item-{i:04d}" for i in range(6)], "few.nc")
    make_vectors([f"item-{i:04d}" for i in range(7)], "other.nc")
    home = support.fresh("home")
    with open("home/letter.txt", "w") as f:
        f.write("dear")
    call = ["gallery", "few.nc", "--source", table, "-o"]
    assert "home" in akin(*call, "home", expect=2, ranks=2).err  # never a folder that is no gallery
    akin(*call, "home/letter.txt", expect=2)
    akin("gallery", "few.nc", "--source", table, expect=2)
    akin("gallery", "few.nc", "-o", "home/g", expect=2)
    akin("gallery", "--source", table, "-o", "home/g", expect=2)
    akin("gallery", "none.nc", "--source", table, "-o", "home/g", expect=1)
    akin("gallery", "few.nc", "--source", "none.csv", "-o", "home/g", expect=1)
    akin(*call, "home/g", "--results", "none", expect=1)
    assert "create the one above it" in akin(*call, "home/none/g", expect=1).err
    done = akin(*call, "home/letter.txt/g", expect=1)
    assert "Not a directory" in done.err and "create its parent" not in done.err, done.err
    done = akin("gallery", "other.nc", "--source", table, "-o", "home/g", "--json", expect=3, ranks=3)
    assert "item-0006" in done.json["message"]
    akin("gallery", table, "--source", table, "-o", "home/g", expect=3)
    assert sorted(os.listdir("home")) == ["letter.txt"] and os.path.getsize("home/letter.txt") == 4


def test_it_is_replaced_as_a_whole():
    table = os.path.abspath("few/catalog.csv")
    os.mkdir("home/g")  # an empty folder is fine
    akin("gallery", "few.nc", "--source", table, "-o", "home/g/")
    first = contents("home/g")
    with open("home/g/pictures/000/old.jpg", "w") as f:
        f.write("of the gallery before")
    shutil.copytree("home/g", "home/g.part")  # left by a run that was killed
    akin("gallery", "other.nc", "--source", table, "-o", "home/g", expect=3)
    assert os.path.exists("home/g/pictures/000/old.jpg")
    akin("gallery", "few.nc", "--source", table, "-o", "home/g", ranks=2)
    assert contents("home/g") == first
    os.symlink("g", "home/link")
    akin("gallery", "few.nc", "--source", table, "-o", "home/link")
    assert os.path.islink("home/link") and contents("home/g") == first
    assert sorted(os.listdir("home")) == ["g", "letter.txt", "link"]


def test_twelve_thousand_items():
    n = 12000 # more than one part of the index
    os.makedirs("many", exist_ok=True)
    Image.new("RGB", (24, 24), (60, 120, 200)).save("many/p.png")
    names = [f"item-{i:06d}" for i in range(n)]
    with open("many/catalog.csv", "w") as f:
        f.write("id,path,category\n")
        f.writelines(f"{name},p.png,c{i % 40}\n" for i, name in enumerate(names))
    make_vectors(names, "many.nc", k=10)
    akin("gallery", "many.nc", "--source", "many/catalog.csv", "-o", "many/g", ranks=2, timeout=400)
    with Browser() as b:
        b.open(page("many/g"))
        b.until(READY)
        b.until(SEEN)
        assert b.run(TEXT, "#found") == "1–60 of 12,000"
        b.type("#search", "011999")
        wait_text(b, "#found", "1 item")
        b.click("#items .card")
        wait_text(b, "#item-id", "item-011999")
        b.until(SEEN)
        b.click("#neighbors .card")
        b.until("return document.querySelector('#item-id').textContent !== 'item-011999'")
        assert b.run("return document.querySelectorAll('*').length") < 3000
        assert b.console() == []
    shutil.rmtree("many")


if __name__ == "__main__":
    for leftover in os.listdir("."):
        shutil.rmtree(leftover) if os.path.isdir(leftover) and not os.path.islink(leftover) else os.unlink(leftover)
    support.main(globals())
