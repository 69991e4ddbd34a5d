"""The gallery from night to night and beside another table: pictures that are linked, those of items that are gone, what stands out,
an item with all that is known of it, and which of two lists is better."""

import csv
import io
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

os.chdir(support.fresh("gallery_nights"))
SHOTS = os.environ.get("AKIN_SHOTS")
READY = "return document.documentElement.dataset.ready"
IDS = "return [...document.querySelectorAll(arguments[0] + ' .card')].map(c => c.dataset.id)"
WIDE = "return document.documentElement.scrollWidth - innerWidth"


def page(folder, fragment=""):
    return "file://" + urllib.parse.quote(os.path.abspath(folder)) + "/index.html" + fragment


def write_catalogue(ids, name="catalog.csv"):
    os.makedirs("pictures", exist_ok=True)
    with open(name, "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(["id", "path", "category", "group", "brand", "price"])
        for i in ids:
            if not os.path.exists(f"pictures/{i}.png"):
                draw(f"pictures/{i}.png", i)
            w.writerow([f"item-{i:03d}", f"pictures/{i}.png", ("hats", "shoes")[i % 2], f"g{i // 3}", "Acme" if i % 3 else "", 10 + i / 4])
    return name


def job(output, keep=0, more=""):
    with open("job.ini", "w") as f:
        f.write(f"[job]\noutput = {output}\nkeep = {keep}\n[ingest]\nsource = catalog.csv\nattributes = brand:label price:number\n[train]\nfeatures = handcrafted\n"
                f"[neighbors]\nk = 5\n[evaluate]\nlabel = category\n[gallery]\nproduct-url = https://shop.example/p/{{id}}?from=akin\n{more}")
    return "job.ini"


def lists_of(path):
    with netCDF4.Dataset(path) as d:
        d.set_auto_chartostring(False)
        ids = [row.tobytes().rstrip(b"\0").decode() for row in np.ma.filled(d["id"][...], b"\0")]
        rows, count = np.ma.filled(d["neighbor"][...], -1), np.ma.filled(d["count"][...], 0)
    return {ids[i]: [ids[j] for j in rows[i, : count[i]]] for i in range(len(ids))}


def shoot(name, folder, fragment, check=lambda b: None):
    """At three widths nothing is wider than the screen; and pictures of it where someone wants to look."""
    for width, dark in ((1400, False), (800, True), (390, False)):
        with Browser(dark=dark) as b:
            b.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
                "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}})
            b.open(page(folder, fragment))
            b.until(READY)
            check(b)
            assert b.run(WIDE) <= 0 and b.run("return innerWidth") == width and b.console() == [], (name, width)
            if SHOTS:
                b.screenshot(f"{SHOTS}/{name}-{width}.png")


def test_a_night_links_what_is_unchanged_and_shows_what_is_gone():
    n = 1500
    write_catalogue(range(n))
    first = akin("run", job("nights", 3), "--night", "2026-03-01", "--json", timeout=300).json["stages"]["gallery"]
    assert first["files_linked"] == 0 and first["files_written"] > n
    draw("pictures/7.png", 90007)  # 1 %: one changes, seven go, seven come
    write_catalogue([*range(8, n), 7, *range(n, n + 7)][:])
    second = akin("run", job("nights", 3), "--night", "2026-03-02", "--json", ranks=2, timeout=300).json["stages"]["gallery"]
    assert second["files_linked"] == n - 8 + 7, second  # the unchanged, and the pictures of the gone
    print(f"   {second['files_written']} of {first['files_written']} files written, {second['files_linked']} linked")
    assert second["files_written"] < 0.05 * first["files_written"]
    # The same gallery as one made without an earlier one.
    alone = akin("gallery", "nights/2026-03-02/table.nc", "--source", "catalog.csv", "-o", "alone", "--json").json
    assert alone["files_linked"] == 0
    for i in range(0, n, 97):
        name = f"pictures/{i // 1000:03d}/{i:06d}.jpg"
        assert open(f"alone/{name}", "rb").read() == open(f"nights/2026-03-02/gallery/{name}", "rb").read(), name
    again = akin("gallery", "nights/2026-03-02/table.nc", "--source", "catalog.csv", "-o", "alone", "--json", ranks=2).json  # in place
    assert again["files_linked"] == n and os.stat("alone/pictures/000/000000.jpg").st_nlink == 1
    gone = [f"item-{i:03d}" for i in range(7)]
    def check(b):
        b.click("#changes details:last-of-type summary")
        assert b.run(IDS, "#gone") == gone
        assert b.run("return [...document.querySelectorAll('#gone .category')].map(c => c.textContent)") == [("hats", "shoes")[i % 2] for i in range(7)]
        b.until("return [...document.querySelectorAll('#gone img')].length === 7 && [...document.querySelectorAll('#gone img')].every(i => { i.loading = 'eager'; return i.complete && i.naturalWidth > 0; })")
    shoot("changes", "nights/latest/gallery", "#?changes", check)
    shutil.rmtree("nights/2026-03-01")  # what is linked stays
    assert os.path.getsize("nights/2026-03-02/gallery/pictures/000/000000.jpg") > 0


def test_each_table_is_compared_with_its_own_of_last_night():
    """Also one between products, on a page that counts products."""
    write_catalogue(range(30))
    more = "[table same]\nk = 4\nsame-category = yes\n[table products]\nk = 3\nby = group\n"
    akin("run", job("own", 3, more), "--night", "2026-03-01")
    draw("pictures/4.png", 90004)
    write_catalogue([*range(3, 30), 40])  # a product goes, one comes
    more += "[table fresh]\nk = 2\n"
    done = akin("run", job("own", 3, more), "--night", "2026-03-02", "--json", ranks=2)
    assert "evaluate (table products): 10 products in" in done.err and "evaluate (table same): 28 items in" in done.err, done.err
    def changed(table):
        with open(f"own/latest/gallery/tables/{table}/data/changes.js", encoding="utf-8") as f:
            return json.loads(re.fullmatch(r"akin\.changed\((.*)\);\n", f.read(), re.S).group(1))
    for table, counts in (("same", (30, 1, 3)), ("products", (10, 1, 1))):
        found = changed(table)
        assert (found["before"], found["new"], found["gone"]) == counts and found["changed"] > 0, (table, found)
        assert (found["made_before"], found["made"]) == ("2026-03-01", "2026-03-02")
        now, before = (lists_of(f"own/2026-03-0{night}/table-{table}.nc") for night in (2, 1))
        assert found["changed"] == sum(now[i] != before[i] for i in now if i in before), table
        assert "gone," in open(f"own/latest/gallery/tables/{table}/changes.csv").read()
        churn = done.json["stages"]["tables"][table]["evaluate"]["churn"]
        assert churn > 0 and os.path.exists("own/latest/gallery/tables/same/pictures/gone/000/000000.jpg"), table
        assert f'akin_churn{{job="own",stage="evaluate",table="{table}"}}' in open("own/latest/metrics.prom").read(), table
    assert not os.path.exists("own/latest/gallery/tables/fresh/data/changes.js")
    assert akin("run", "job.ini", "--night", "2026-03-02", "--json").json["stages"]["gallery"]["skipped"]
    with Browser() as b:
        b.open(page("own/latest/gallery/tables/products", "#?changes"))
        b.until(READY)
        said = b.run("return document.getElementById('changes').innerText")
        assert "products previously" in said and "from the table of 2026-03-01 to that of 2026-03-02" in said and "items" not in said, said
        b.open(page("own/latest/gallery/tables/products", "#?figures"))
        b.until(READY)
        b.run("document.querySelectorAll('#figures details').forEach((d) => { d.open = true; })")
        said = b.run("return document.getElementById('figures').innerText")
        assert "products" in said and not re.search(r"\bitems?\b", said.replace("items/s", "")), said


def test_a_newer_table_of_last_night_is_shown():
    """That of a further table too, where no figure depends on it."""
    write_catalogue(range(30))
    text = open(job("newer", 3, "[table same]\nk = 4\nsame-category = yes\n")).read().replace("[evaluate]\nlabel = category\n", "")
    for night in ("2026-03-01", "2026-03-02"):
        with open("job.ini", "w") as f:
            f.write(text)
        akin("run", "job.ini", "--night", night)
    again = ("run", "job.ini", "--night", "2026-03-02", "--json")
    changes = "newer/2026-03-02/gallery/tables/same/data/changes.js"
    assert akin(*again).json["stages"]["gallery"]["skipped"] and '"changed":0,' in open(changes).read()
    akin("neighbors", "newer/2026-03-01/embeddings.nc", "-k", "4", "--exclude-same-group", "-o", "newer/2026-03-01/table-same.nc")
    assert not akin(*again).json["stages"]["gallery"]["skipped"] and '"changed":0,' not in open(changes).read()
    os.remove("newer/2026-03-01/table-same.nc")
    assert not akin(*again).json["stages"]["gallery"]["skipped"] and not os.path.exists(changes)
    assert akin(*again).json["stages"]["gallery"]["skipped"]


def test_an_item_with_all_that_is_known_of_it():
    write_catalogue(range(40))
    akin("run", job("item"))
    lists = lists_of("item/table.nc")
    most = max(lists, key=lambda i: (sum(i in l for l in lists.values()), i))
    by = [other for other in lists if most in lists[other]]
    ranked = sorted(by, key=lambda other: (lists[other].index(most), other))
    with Browser() as b:
        b.open(page("item/gallery", "#" + most))
        b.until(READY)
        facts = dict(b.run("return [...document.querySelectorAll('#item dt')].map(d => [d.textContent, d.nextSibling.textContent])"))
        number = int(most[5:])
        assert facts["Category"] == ("hats", "shoes")[number % 2] and facts["Group"] == f"g{number // 3}" and facts["Available"] == "yes"
        assert facts.get("brand") == ("Acme" if number % 3 else None) and float(facts["price"]) == 10 + number / 4
        assert facts["Recommended"] == f"in {len(by)} lists" and b.run(IDS, "#by") == ranked[:12]
        assert b.run("return document.querySelector('#product').href") == f"https://shop.example/p/{most}?from=akin"
        b.until("const i = document.querySelector('.about img'); return i.complete && i.naturalWidth > 0")
        assert b.run("return getComputedStyle(document.querySelector('.about img')).objectFit") == "scale-down"
    shoot("item", "item/gallery", "#" + most)
    # Of a table with rules a list says which, and its cards show what they are about.
    akin("neighbors", "item/embeddings.nc", "-o", "ruled.nc", "-k", 5, "--same-category", "--within", "price=0.5..0.9x")
    akin("gallery", "ruled.nc", "--source", "catalog.csv", "-o", "cheaper")
    with Browser() as b:
        b.open(page("cheaper", "#" + most))
        b.until(READY)
        assert b.run("return document.querySelector('#rules').innerText") == "Rules of this table: same category, price 0.5 to 0.9 times this one's"
        assert b.run("return [...document.querySelectorAll('#neighbors .card .ruled')].map(r => r.innerText)") == [
            f"price {10 + int(other[5:]) / 4:.2f}" for other in lists_of("ruled.nc")[most]]
        b.open(page("item/gallery", "#" + most))
        b.until(READY)
        assert not b.run("return document.querySelector('#rules') || document.querySelector('.ruled')")
    # Short lists, pinned neighbours and what cannot be recommended are explained.
    with open("pins.csv", "w") as f:
        f.write(f"id,neighbor\nitem-020,item-000\nitem-020,item-001\nitem-039,{most}\n")
    words = ["-k", 9, "--pins", "pins.csv", "--within", "price=0..0.9x", "--only", "brand=Acme", "--boost", "price=0.1", "--exclude-same-group"]
    akin("neighbors", "item/embeddings.nc", "-o", "short.nc", *words)
    akin("gallery", "short.nc", "--source", "catalog.csv", "-o", "short")
    near = lists_of("short.nc")
    with Browser() as b:
        for item, others in sorted(near.items()):
            if item not in ("item-000", "item-020", "item-030", "item-039", "item-038"):
                continue
            b.open("about:blank")
            b.open(page("short", "#" + item))
            b.until(READY)
            facts = dict(b.run("return [...document.querySelectorAll('#item dt')].map(d => [d.textContent, d.nextSibling.textContent])"))
            assert facts["Similar items"] == ("9" if len(others) == 9 else f"{len(others)} of 9: no others pass the rules"), (item, facts)
            order, pinned = b.run("return document.querySelector('#order')?.innerText || ''"), {"item-020": 2, "item-039": 1}.get(item, 0)
            assert order.startswith(["", "the first, marked “pinned”, was put", "the first 2, marked “pinned”, were put"][pinned]), order
            assert ("then in the order" in order) == (0 < pinned < len(others)) and ("pinned" in order) == (pinned > 0), order
            assert b.run("return document.querySelector('#rules').innerText") == (
                "Rules of this table: another group, price at most 0.9 times this one's, only brand Acme, ranking boosted by price (0.1), pinned ones of pins.csv first")
        assert {len(others) == 9 for others in near.values()} == {True, False}
        assert b.console() == [], b.console()
    akin("neighbors", "item/embeddings.nc", "-o", "alike.nc", "-k", 2, "--collapse-duplicates", 0.3)
    akin("gallery", "alike.nc", "--source", "catalog.csv", "-o", "alike")
    told = akin("evaluate", "alike.nc", "--json").json
    assert 0 < told["not_recommendable"] < told["never_recommended"], told
    with Browser() as b:
        b.open(page("alike", "#?figures"))
        b.until(READY)
        [(value, words)] = b.run("return [...document.querySelectorAll('.number')].filter(n => n.children[1].innerText === 'never recommended').map(n => [n.children[0].innerText, n.children[2].innerText])")
        assert value == str(told["never_recommended"] - told["not_recommendable"]) and words.endswith(f"besides, {told['not_recommendable']} cannot be recommended (duplicates)"), (value, words)
    shoot("ruled", "cheaper", "#" + most)
    akin("gallery", "item/table.nc", "--source", "catalog.csv", "-o", "refused", "--product-url", "javascript:alert({id})", expect=2)
    akin("gallery", "item/table.nc", "--source", "catalog.csv", "-o", "refused", "--product-url", "https://shop.example/p/", expect=2)


def test_departments_that_stand_out_are_named():
    """300 items of three categories in their own corners; potatoes among which a bra's lists end; lamps far from all."""
    r = np.random.default_rng(4)
    names = ["hats"] * 100 + ["shoes"] * 100 + ["potatoes"] * 100 + ["bras"] * 30 + ["garden lamps"] * 12
    corner = {"hats": 0, "shoes": 1, "potatoes": 2, "bras": 2}
    rows = np.zeros((len(names), 24), np.float32)
    for i, name in enumerate(names):
        if name == "garden lamps":
            rows[i] = r.standard_normal(24)
        else:
            rows[i, corner[name]] = 1
            rows[i] += 0.05 * r.standard_normal(24) * (4 if name == "bras" else 1)
    with open("catalog.csv", "w") as f:
        f.write("id,path,category\n")
        f.writelines(f"item-{i:03d},pictures/{i % 40}.png,{name}\n" for i, name in enumerate(names))
    with open("ids.txt", "w") as f:
        f.writelines(f"item-{i:03d}\n" for i in range(len(names)))
    np.save("v.npy", rows)
    with open("stand.ini", "w") as f:
        f.write("[job]\noutput = stand\n[ingest]\nsource = catalog.csv\n[embed]\nfrom = v.npy\nids = ids.txt\n[neighbors]\nk = 5\n"
                "[evaluate]\nlabel = category\n[gallery]\nenabled = yes\n")
    done = akin("run", "stand.ini", "--json", ranks=2)
    told = {o["category"]: o for o in done.json["stages"]["evaluate"]["outliers"]}
    lists, category = lists_of("stand/table.nc"), {f"item-{i:03d}": name for i, name in enumerate(names)}
    leaving = {c: sum(category[i] == c and all(category[o] != c for o in l) for i, l in lists.items()) for c in set(names)}
    assert set(told) == {"bras", "garden lamps"}, told
    assert told["bras"]["leaves"] and told["bras"]["instead"] == "potatoes" and told["bras"]["leaving"] == leaving["bras"]
    assert told["garden lamps"]["far"] and told["garden lamps"]["best"] < told["garden lamps"]["others"]
    assert done.json["stages"]["evaluate"]["lists_leaving_category"] == sum(leaving.values())
    log = open("stand/log.txt").read()
    assert re.search(r'evaluate: stand/table\.nc: category "bras" \(30 items\): \d+ % of its lists have no item of the category, mostly "potatoes" instead', log), log
    assert 'category "garden lamps" (12 items): ' in log and "far from everything" in log
    assert 'akin_outlier_categories{job="stand",stage="evaluate"} 2\n' in open("stand/metrics.prom").read()
    def check(b):
        text = b.run("return document.querySelector('#alarms').innerText")
        assert "bras" in text and "potatoes" in text and "lamps" in text and "far from everything" in text, text
    shoot("alarms", "stand/gallery", "#?figures", check)
    # Nor do lists leave a category where a rule sends them elsewhere; and what the rule decides is said of the precision.
    for rule, word in (("--same", "every"), ("--different", "no")):
        akin("neighbors", "stand/embeddings.nc", "-o", "ruled.nc", "-k", 5, rule, "category")
        assert not any(o["leaves"] for o in akin("evaluate", "ruled.nc", "--json").json["outliers"])
        assert f"made with {rule} category: {word} neighbour has the same category" in akin("evaluate", "ruled.nc").out
    for rule in ("--only", "--not"):  # a value with a blank is recorded in quotes
        akin("neighbors", "stand/embeddings.nc", "-o", "named.nc", "-k", 5, rule, "category=garden lamps")
        told = akin("evaluate", "named.nc", "--json").json["outliers"]
        assert not any(o["leaves"] for o in told), (rule, told)
    akin("gallery", "ruled.nc", "--source", "catalog.csv", "-o", "ruled")
    with Browser() as b:
        b.open(page("ruled", "#?figures"))
        b.until(READY)
        text = b.run("return document.querySelector('#figures').innerText")
        assert "different=category" in text and "recision" not in text and "=no" not in text, text
    # Nor is a difference worth a warning that hardly shows: the lamps are as close to each other as others are, nearly.
    r, own = np.random.default_rng(5), [*dict.fromkeys(names)]
    rows = np.eye(24, dtype=np.float32)[[own.index(name) for name in names]]
    rows += r.standard_normal(rows.shape) * np.where(np.array(names) == "garden lamps", 0.057, 0.05)[:, None]
    np.save("close.npy", rows)
    akin("embed", "stand/catalog.nc", "--from", "close.npy", "--ids", "ids.txt", "-o", "close.nc")
    for way in ([], ["--score", "calibrated", "--same-category", "--fill", "category"]):
        akin("neighbors", "close.nc", "-o", "close-table.nc", "-k", 5, *way)
        done = akin("evaluate", "close-table.nc", "--json")
        assert "garden lamps" not in [o["category"] for o in done.json["outliers"]], (way, done.err)
    # Nothing is reported where all is well.
    assert akin("evaluate", "item/table.nc", "--json").json["outliers"] == []


def test_two_tables_side_by_side():
    akin("neighbors", "item/embeddings.nc", "-o", "other.nc", "-k", 5, "--exclude-same-group")
    akin("gallery", "item/table.nc", "--beside", "other.nc", "--source", write_catalogue(range(40)), "-o", "beside")
    ours, theirs = lists_of("item/table.nc"), lists_of("other.nc")
    share = {i: 1 - len(set(ours[i]) & set(theirs[i])) / max(len(ours[i]), len(theirs[i])) for i in ours}
    on_page = "return [...document.querySelectorAll('#beside .pair')].map(p => p.dataset.id)"
    def few_screens(b):
        assert 0 < len(b.run(on_page)) <= 4 and b.run("return document.documentElement.scrollHeight / innerHeight") < 4.5
    shoot("beside", "beside", "#?beside", few_screens)
    with Browser() as b:
        b.open(page("beside", "#?beside"))
        b.until(READY)
        items = b.run(on_page)
        def vote(id, which):
            b.run("document.querySelector(`#beside .pair[data-id='${arguments[0]}'] [data-vote='${arguments[1]}']`).click()", id, which)
        assert b.run("return document.querySelector('#votes-csv').hidden") and "exclude-same-group=yes" in b.run("return document.querySelector('.settings').innerText")
        vote(items[0], "A")
        while b.run("return document.querySelector('#beside a[rel=next]') !== null"):
            b.click("#beside a[rel=next]")
            b.until(f"return !({on_page[7:]}).includes(arguments[0])", items[-1])
            items += b.run(on_page)
        assert len(items) > 8 and set(items) == {i for i in share if share[i] > 0} and [share[i] for i in items] == sorted((share[i] for i in items), reverse=True)
        vote(items[-1], "B")  # on the last page
        vote(items[-1], "B")  # taken back
        b.run("location.hash = '#?beside'")
        b.until(f"return ({on_page[7:]})[0] === arguments[0]", items[0])
        vote(items[1], "B")
        vote(items[2], "=")
        assert f"Of {len(items)} items: A is better for 1, B for 1, equal for 1" in b.run("return document.querySelector('#votes').textContent")
        b.open("about:blank")
        b.open(page("beside", "#?beside"))  # kept in the browser
        b.until(READY)
        text = urllib.parse.unquote(b.run("return document.querySelector('#votes-csv').href").split(",", 1)[1])
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[0] == ["id", "neighbor"]
        assert rows[1:] == [[items[0], o] for o in ours[items[0]]] + [[items[1], o] for o in theirs[items[1]]]
        assert b.console() == []
        b.open("about:blank")
        b.open(page("item/gallery", "#?beside"))
        b.until(READY)
        assert "no table to compare with" in b.run("return document.querySelector('#beside').innerText") and b.run("return document.querySelector('#to-beside').hidden")


support.main(globals())
