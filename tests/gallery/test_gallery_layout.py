"""How the gallery's pages look at the width of a desk, a tablet and a phone, light and dark: nothing empty, cut or too small to see; and
what changed, of each table."""

import contextlib
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
from support import akin, draw

os.chdir(support.fresh("gallery_layout"))
READY = "return document.documentElement.dataset.ready"
N = 240
LONG = "garden furniture"  # a category that a small card could cut
EDGES = """const all = [...document.querySelectorAll(arguments[0])].filter(n => n.checkVisibility()).map(n => n.getBoundingClientRect());
           return [Math.min(...all.map(r => r.left)), Math.max(...all.map(r => r.right)), document.querySelector('main > section:not([hidden])').getBoundingClientRect().right]"""


def page(fragment="", table=""):
    folder = os.path.abspath("nights/latest/gallery") + (f"/tables/{table}" if table else "")
    return "file://" + urllib.parse.quote(folder) + "/index.html" + fragment


@contextlib.contextmanager
def look(width, dark=False):
    with Browser(dark=dark) as b:
        b.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}})
        yield b


def show(b, fragment="", table=""):
    b.open("about:blank")
    b.open(page(fragment, table))
    b.until(READY)


def night(date, ids):
    """Pictures 0 to 9 are shared by two items each, picture 10 by eight."""
    os.makedirs("pictures", exist_ok=True)
    with open("catalog.csv", "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(["id", "path", "category", "group"])
        for i in ids:
            seed = i % 10 if i < 20 else 10 if i < 28 else i
            if not os.path.exists(f"pictures/{seed}.png"):
                draw(f"pictures/{seed}.png", seed)
            w.writerow([f"{i:03d}.{i * 7 % 1000:03d}.{i % 97:02d}", f"pictures/{seed}.png", "lamps" if i == N - 30 else (LONG, "shoes")[i % 2], f"product {i // 2}"])
    akin("run", "job.ini", "--night", date, ranks=2)


def make_nights():
    with open("job.ini", "w") as f:
        f.write("[job]\noutput = nights\nkeep = 3\n[ingest]\nsource = catalog.csv\n[train]\nfeatures = handcrafted\n[neighbors]\nk = 15\n"
                "[table other]\nk = 5\nexclude-same-group = yes\ndamp-hubs = yes\n[table calibrated]\nk = 10\nscore = calibrated\n[table products]\nk = 6\nby = group\n"
                "[evaluate]\nlabel = category\n[gallery]\nenabled = yes\n")
    night("2026-03-01", range(N - 20))
    night("2026-03-02", range(0, N)[8:])


def test_duplicates_fill_the_page():
    make_nights()
    for width in (1400, 800, 390):
        with look(width, dark=width == 800) as b:
            show(b, "#?duplicates")
            left, right, end = b.run(EDGES, ".set")
            assert end - right < 2, (width, right, end)
            assert b.run("return [...document.querySelectorAll('.set')].map(s => s.querySelectorAll('.card').length)")[0] == 8
            inside = "return [...document.querySelectorAll('.set')].every(s => { const r = s.getBoundingClientRect(); return [...s.querySelectorAll('.card')].every(c => c.getBoundingClientRect().right < r.right && c.getBoundingClientRect().width >= 70); })"
            assert b.run(inside), width
            text = b.run("return document.querySelector('#duplicates .heading').innerText")
            sets = b.run("return document.querySelectorAll('.set').length")
            cards = b.run("return document.querySelectorAll('.set .card').length")
            if not b.run("return [...document.querySelectorAll('#duplicates > button')].some(n => n.checkVisibility())"):
                assert f"{sets} sets of items that look the same, {cards} items in all" in text, text
            show(b, "#?duplicates", "products")
            assert "of products that look the same" in b.run("return document.querySelector('#duplicates .heading').innerText")


def test_changes_stand_beside_their_item():
    for width in (1400, 800, 390):
        with look(width, dark=width == 1400) as b:
            show(b, "#?changes")
            item, lists = b.run(EDGES, ".pair .one .card"), b.run(EDGES, ".sides .card")
            assert (item[1] < lists[0]) == (width > 500), (width, item, lists)
            assert "the first 12 of each list" in b.run("return document.querySelector('#changes').innerText")
            cut = "return [...document.querySelectorAll('.sides .card')].flatMap(c => [c.querySelector('.category'), c.querySelector('.score')]).filter(n => n.scrollWidth > n.clientWidth + 1 && n.offsetWidth > 0).map(n => n.textContent)"
            assert [text for text in b.run(cut) if text != LONG] == [], width
            # An id such as 001.737.36 stays on one line, and the lines for the storefront break rather than scroll.
            assert b.run("return Math.max(...[...document.querySelectorAll('.sides .name')].map(n => n.getBoundingClientRect().height))") < 20, width
            assert b.run("return [...document.querySelectorAll('.code pre')].every(p => p.scrollWidth <= p.clientWidth)"), width


def test_each_table_says_what_changed():
    """Of the table of the same name of the night before; the figures agree, and gone items have their pictures."""
    for table in ("", "other", "calibrated", "products"):
        name = f"nights/latest/gallery{f'/tables/{table}' if table else ''}"
        with open(f"{name}/data/changes.js", encoding="utf-8") as f:
            changed = json.loads(re.search(r"akin\.changed\((.*)\);\n$", f.read(), re.S).group(1))
        products = table == "products"
        assert (changed["new"], changed["gone"]) == ((10, 4) if products else (20, 8)), (table, changed)
        assert changed["gone_pictures"] == ([] if products else list(range(8)))
        with open(f"{name}/data/summary.js", encoding="utf-8") as f:
            summary = json.loads(f.read()[len("akin.summary("):-3])
        assert abs(changed["churn"] - summary["churn"]) < 1e-5, (table, changed["churn"], summary["churn"])
    with look(1400) as b:
        show(b, "#?changes", "other")
        b.click("#changes details:last-of-type summary")
        b.until("const all = [...document.querySelectorAll('#gone img')]; all.forEach(i => { i.loading = 'eager'; }); return all.length === 8 && all.every(i => i.complete && i.naturalWidth > 0)")
        show(b, "#?changes", "products")
        assert "products previously" in b.run("return document.querySelector('#changes').innerText") and b.console() == []
    # Beside an earlier table, without one of the other's name, or with a damaged one.
    os.makedirs("before", exist_ok=True)
    arguments = ("gallery", "nights/latest/table.nc", "--against", "before/table.nc", "--table", "other=nights/latest/table-other.nc", "--source", "catalog.csv", "-o", "alone")
    with open("nights/2026-03-01/table.nc", "rb") as f, open("before/table.nc", "wb") as to:
        to.write(f.read())
    akin(*arguments)
    assert os.path.exists("alone/data/changes.js") and not os.path.exists("alone/tables/other/data/changes.js")
    with open("before/table-other.nc", "wb") as f:
        f.write(b"no table")
    told = akin(*arguments, ranks=3)
    assert "without changes since before/table-other.nc" in told.err and not os.path.exists("alone/tables/other/data/changes.js")
    # Nor beside the main table's own previous one, which may have the same file name, or beside rows of another kind.
    for table, before, says in (("other", "table.nc", ""), ("products", "table.nc", ""), ("products", "table-products.nc", "its rows are items, not products")):
        os.makedirs("elsewhere", exist_ok=True)
        shutil.copyfile(f"nights/latest/table-{table}.nc", f"elsewhere/{before}")
        shutil.copyfile("nights/2026-03-01/table.nc", f"before/{before}")
        told = akin("gallery", "nights/latest/table.nc", "--against", "before/table.nc", "--table", f"{table}=elsewhere/{before}", "--results", "nights/latest", "--source", "catalog.csv", "-o", "alone")
        assert says in told.err and os.path.exists("alone/data/changes.js"), told.err
        assert os.path.exists(f"alone/tables/{table}/index.html") and not os.path.exists(f"alone/tables/{table}/data/changes.js"), (table, before)


def test_the_map_on_a_phone():
    """It begins with pictures that can be told apart, their corners as on a desk; two fingers zoom."""
    size = "const r = document.querySelector('.map img').getBoundingClientRect(); return r.width"
    corner = "const i = document.querySelector('.map img'); return parseFloat(getComputedStyle(i).borderTopLeftRadius) * i.getBoundingClientRect().width / i.offsetWidth"
    for width in (1400, 390):
        with look(width) as b:
            show(b, "#?map")
            b.until("return getComputedStyle(document.querySelector('.plane')).getPropertyValue('--corner') !== ''")
            assert b.run(size) >= 26 and 3 < b.run(corner) < 5, (width, b.run(size), b.run(corner))
    with look(390) as b:
        show(b, "#?map")
        b.until("return getComputedStyle(document.querySelector('.plane')).getPropertyValue('--corner') !== ''")
        assert b.run("const r = document.querySelector('.map').getBoundingClientRect(); return r.height > r.width")
        assert "evenly" not in b.run("return document.querySelector('section:not([hidden])').innerText")  # all are shown
        before = b.run(size)
        b.run("""const board = document.querySelector('.map'), r = board.getBoundingClientRect(), x = r.left + r.width / 2, y = r.top + r.height / 2;
                 const tell = (type, id, at) => board.dispatchEvent(new PointerEvent(type, { pointerId: id, pointerType: 'touch', clientX: at, clientY: y, bubbles: true }));
                 tell('pointerdown', 7, x - 20); tell('pointerdown', 8, x + 20); tell('pointermove', 7, x - 40); tell('pointermove', 8, x + 40);
                 tell('pointerup', 7, x - 40); tell('pointerup', 8, x + 40);""")
        assert abs(b.run(size) / before - 2) < 0.05, (before, b.run(size))
        b.run("return new Promise(done => setTimeout(done, 100))")
        seen = "const r = document.querySelector('.map').getBoundingClientRect(); return [...document.querySelectorAll('.map a')].filter(a => !a.classList.contains('faded')).some(a => { const p = a.getBoundingClientRect(); return p.right > r.left && p.left < r.right && p.bottom > r.top && p.top < r.bottom; })"
        for category in (LONG, "lamps"):  # what is filtered is brought into sight
            b.run("const s = document.querySelector('#category'); s.value = arguments[0]; s.dispatchEvent(new Event('change'))", category)
            assert b.run("return document.querySelectorAll('.map .faded').length") > 0 and b.run(seen), category
        b.click(".zoom button:last-child")  # the whole map; fingers leave no click behind that would swallow this one
        assert b.run(size) < before


def test_a_boosted_list_says_what_its_order_means():
    """--damp-hubs changes the order: the best score is not always the first one."""
    with netCDF4.Dataset("nights/latest/table-other.nc") as d:
        d.set_auto_chartostring(False)
        scores, count = np.ma.filled(d["score"][...], -1), np.ma.filled(d["count"][...], 0)
        ids = [row.tobytes().rstrip(b"\0").decode() for row in np.ma.filled(d["id"][...], b"\0")]
    best = [max(s[:c]) for s, c in zip(scores, count) if c]
    mixed = [i for i in range(len(ids)) if count[i] and max(scores[i][:count[i]]) - scores[i][0] > 0.02]
    assert mixed
    with open("nights/latest/gallery/tables/other/data/summary.js", encoding="utf-8") as f:
        told = json.loads(f.read()[len("akin.summary("):-3])["histogram"]["best"]
    assert told == np.bincount([min(99, int((float(b) + 1) / 2 * 100)) for b in best], minlength=100).tolist()
    with look(800) as b:
        for table, order in (("other", "in the order of score and boosts"), ("", "best first")):
            show(b, "#" + ids[mixed[0]], table)
            assert order in b.run("return document.querySelector('#order').innerText")
            facts = dict(b.run("return [...document.querySelectorAll('#item dt')].map(d => [d.textContent, d.nextSibling.textContent])"))
            if table:
                assert abs(float(facts["Best score"]) - max(scores[mixed[0]][:count[mixed[0]]])) < 0.006, facts


def test_scores_as_shares_differ_in_the_chart():
    with netCDF4.Dataset("nights/latest/table-calibrated.nc") as d:
        scores, count = np.ma.filled(d["score"][...], 0).astype(np.float32), np.ma.filled(d["count"][...], 0)
    best = [float(s[0]) for s, c in zip(scores, count) if c]
    expected = [0] * 100
    for score in best:
        expected[99 if score >= 1 else min(99, int(-np.log10(1 - score) / 6 * 100))] += 1
    with open("nights/latest/gallery/tables/calibrated/data/summary.js", encoding="utf-8") as f:
        told = json.loads(f.read()[len("akin.summary("):-3])["histogram"]["best"]
    assert told == expected and sum(n > 0 for n in told) > 5, told
    with look(800) as b:
        show(b, "#?figures", "calibrated")
        marks = b.run("return [...document.querySelectorAll('.chart')].slice(0, 1).flatMap(c => [...c.querySelectorAll('text')].map(t => t.textContent))")
        assert "100" in marks and "one random pair in so many is more similar" in marks, marks


# Texts whose colour has a contrast below 4.5 with what is behind them (WCAG 2.1), as [text, contrast].
PALE = """const parts = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
const light = (c) => { const [r, g, b] = c.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = (n) => { for (; n; n = n.parentElement) { const c = parts(getComputedStyle(n).backgroundColor); if (c.length === 3 || c[3] > 0.9) return c.slice(0, 3); } return [255, 255, 255]; };
return [...document.querySelectorAll('body *')].filter((n) => n.checkVisibility() && [...n.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim())).map((n) => {
  const chart = n.closest('svg'), style = getComputedStyle(n), a = light(parts(chart ? style.fill : style.color).slice(0, 3)), b = light(behind(chart ? chart.parentElement : n));
  return [n.textContent.slice(0, 30), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
}).filter(([, contrast]) => contrast < 4.5)"""


def test_text_can_be_read_by_day_and_by_night():
    for dark in (False, True):
        with look(1400, dark) as b:
            for view in ("", "#?map", "#?duplicates", "#?changes", "#?figures", "#100.700.03"):
                show(b, view)
                assert b.run(PALE) == [], (dark, view)
            b.run("document.querySelector('h1').style.color = getComputedStyle(document.body).backgroundColor")
            assert len(b.run(PALE)) == 1  # the check finds what is pale


def test_figures_and_tabs():
    """Figures in rows of one length; the tables named; the chosen tab stands out in the dark; which night it is."""
    for width, dark in ((1400, True), (800, False), (390, True)):
        with look(width, dark) as b:
            show(b, "#?figures", "other")
            rows = {}
            for top in b.run("return [...document.querySelectorAll('#figures .number')].map(n => Math.round(n.getBoundingClientRect().top))"):
                rows[top] = rows.get(top, 0) + 1
            assert max(rows.values()) - min(rows.values()) <= (1 if width != 800 else 3), (width, rows)
            assert b.run("return getComputedStyle(document.querySelector('#tables'), '::before').content") == '"Table"'
            assert b.run("return document.querySelector('#night').innerText") == "2026-03-02"
            colours = b.run("return [document.querySelector('#tables a[aria-current]'), document.querySelector('#tables'), document.querySelector('.bar')].map(n => getComputedStyle(n).backgroundColor)")
            chosen, tray, bar = [sum(map(int, re.findall(r"\d+", c)[:3])) for c in colours]
            assert abs(chosen - tray) > (90 if dark else 20), (width, colours)
            assert b.run("return [...document.querySelectorAll('.panel .grid.small')].every(g => { const end = Math.max(...[...g.children].map(c => c.getBoundingClientRect().right)); return g.children.length < 4 || g.getBoundingClientRect().right - end < 2; })")
            assert b.run("return getComputedStyle(document.querySelector('.why')).borderTopWidth") == "1px"
            show(b, "#" + "100.700.03", "")
            if width == 800:  # three neighbours in a row beside the item
                assert len(set(b.run("return [...document.querySelectorAll('#neighbors .card')].map(c => Math.round(c.getBoundingClientRect().left))"))) == 3
            assert b.run("return document.documentElement.scrollWidth <= innerWidth") and b.console() == []
            show(b, "#?duplicates", "products")  # all views on one line, none cut
            assert b.run("return [...document.querySelectorAll('.views')].every(n => n.scrollWidth <= n.clientWidth)"), width


support.main(globals())
