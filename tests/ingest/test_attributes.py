"""Attributes: further columns of a catalogue, from the table into every file, and nights in which only they change."""

import os
import re
import shutil

import netCDF4
import numpy as np

from support import akin, assert_same_variables, draw, fresh, main, variables

os.chdir(fresh("attributes"))
SPEC = "price:number brand:label season:labels"
N = 12


def table(path, rows, header="id,path,price,brand,season"):
    with open(path, "w", encoding="utf-8") as f:
        f.write(header + "\n" + "".join(row + "\n" for row in rows))
    return path


ROWS = [
    "a,0.png,9.5,acme,winter|summer", "b,1.png,,,", "c,2.png, 1e2 ,beta, summer | |winter|summer", "d,3.png,-0.25,acme,summer",
    'e,4.png,3,"ac""me, co",|', "f,5.png,1234567.8,älter,winter",
]
for i in range(N):
    draw(f"{i}.png", i)


class Attributes:
    """Of a file, read with netCDF4: {name: (kind, values)}."""

    def __init__(self, path):
        with netCDF4.Dataset(path) as d:
            d.set_auto_maskandscale(False)
            d.set_auto_chartostring(False)
            text = lambda name: [row.tobytes().rstrip(b"\0").decode() for row in d[name][...]]
            self.ids = text("id")
            self.names = [n[10:] for n, v in d.variables.items() if n.startswith("attribute_") and "akin_attribute_kind" in v.ncattrs()]
            self.kinds, self.values = {}, {}
            for name in self.names:
                v = d["attribute_" + name]
                self.kinds[name] = v.akin_attribute_kind
                if v.dtype == np.float32:
                    assert np.isnan(v._FillValue) and v.dimensions == ("item",)
                    self.values[name] = v[...].tolist()
                else:
                    names = text(f"attribute_{name}_name")
                    assert names == sorted(set(names), key=lambda s: s.encode())
                    self.values[name] = [names[i] if i >= 0 else None for i in v[...]]


def test_columns_become_attributes():
    path = table("c.csv", ROWS)
    for ranks in (0, 2, 3):
        akin("ingest", path, "-o", f"c{ranks}.nc", "--attributes", SPEC, "--json", ranks=ranks)
        assert_same_variables("c0.nc", f"c{ranks}.nc")
    found = Attributes("c0.nc")
    assert found.ids == list("abcdef") and found.names == ["price", "brand", "season"]
    assert list(found.kinds.values()) == ["number", "label", "labels"]
    want = np.array([9.5, np.nan, 100, -0.25, 3, 1234567.8], np.float32)
    assert np.array_equal(np.array(found.values["price"], np.float32), want, equal_nan=True)
    assert found.values["brand"] == ["acme", None, "beta", "acme", 'ac"me, co', "älter"]
    assert found.values["season"] == ["summer|winter", None, "summer|winter", "summer", None, "winter"]
    for ranks in (0, 3):
        told = akin("inspect", "c0.nc", "--json", ranks=ranks).json["attributes"]
        assert told == {"price": {"type": "number", "items": 5}, "brand": {"type": "label", "items": 5}, "season": {"type": "labels", "items": 4}}, told
    lines = [line for line in akin("inspect", "c0.nc").out.splitlines() if line.startswith("attributes ")]
    assert [line.split(None, 1)[1] for line in lines] == ["price (number of 5 items), brand (label of 5 items), season (labels of 4 items)"], lines
    with netCDF4.Dataset("c0.nc") as d:
        assert len(d.dimensions["attribute_season_parts"]) == 2
    # Without the option there is nothing of it.
    akin("ingest", path, "-o", "plain.nc")
    assert "attributes" not in akin("inspect", "plain.nc", "--json").json
    plain, with_them = variables("plain.nc"), variables("c0.nc")
    assert all(with_them[name] == plain[name] for name in plain if name) and not [n for n in plain if n.startswith("attribute")]


def test_columns_of_other_names_and_presets():
    rows = [r.replace(",", ";") for r in ROWS]
    table("n.csv", rows, "id;path;Sale price;Vendor;season")
    akin("ingest", "n.csv", "-o", "n.nc", "--attributes", SPEC, "--columns", "price=Sale price brand=Vendor")
    found = Attributes("n.nc")
    assert found.values["brand"][0] == "acme" and found.values["price"][0] == 9.5
    table("s.csv", ["h1,0.png,active,5,Nike", "h1,1.png,,,", "h2,2.png,active,,", "h2,3.png,,7,Puma"],
          "Handle,Image Src,Status,Variant Price,Vendor")
    akin("ingest", "s.csv", "-o", "s.nc", "--attributes", "price:number vendor:label", "--columns", "shopify price=Variant Price")
    found = Attributes("s.nc")
    assert found.ids == ["h1", "h2"] and found.values == {"price": [5, 7], "vendor": ["Nike", "Puma"]}


def test_what_is_refused():
    path = table("c.csv", ROWS)
    shutil.rmtree("folder", ignore_errors=True)
    os.makedirs("folder")
    draw("folder/x.png", 1)
    os.system("tar cf folder.tar folder")
    for words, told in (
        ((path, "--attributes", "price:number colour:label"), "'colour'"),
        ((path, "--attributes", "price:number", "--columns", "price=cost"), "'cost'"),
        ((path, "--attributes", "price"), "price"),
        ((path, "--attributes", "price:int"), "number"),
        ((path, "--attributes", "category:label"), "category"),
        ((path, "--attributes", "id:label"), "id"),
        ((path, "--attributes", "a-b:label"), "a-b"),
        ((path, "--attributes", "price:number price:label"), "price"),
        ((path, "--attributes", "price:label price_name:label"), "price_name"),
        ((path, "--attributes", "x" * 61 + ":label"), "60"),
        ((path, "--columns", "price=cost"), "price=cost"),
        ((path, "--bad-attribute", "reject"), "--attributes"),
        ((path, "--attributes", SPEC, "--bad-attribute", "drop"), "empty"),
        (("folder", "--attributes", SPEC), "folder"),
        (("folder.tar", "--attributes", SPEC), "archive"),
    ):
        for ranks in (0, 3) if "colour" in told else (0,):
            done = akin("ingest", *words, "-o", "refused.nc", "--json", ranks=ranks, expect=2)
            assert told in done.json["message"], (words, done.json["message"])
            assert not os.path.exists("refused.nc")


def test_rules_name_values_that_items_have():
    """A value that no item has is probably misspelt: each word is warned of, at any number of ranks, and the right ones are not."""
    akin("ingest", table("v.csv", ROWS), "-o", "v.nc", "--attributes", SPEC)
    akin("train", "v.nc", "--features", "handcrafted", "-o", "vm.nc")
    akin("embed", "v.nc", "--model", "vm.nc", "-o", "v-e.nc")
    for ranks in (0, 3):
        done = akin("neighbors", "v-e.nc", "-o", f"v{ranks}.nc", "-k", "2", "--only", "brand=Acme", "--only", "brand=beta", "--not", "season=autumn",
                    "--not", "price=17", "--not", "price=1,5", ranks=ranks)
        lines = [line for line in done.err.splitlines() if "no item has" in line]
        assert len(lines) == 3, done.err
        assert lines[2].endswith("--not price=1,5: no item has this value"), lines
        assert lines[0].endswith("--only brand=Acme: no item has this value; did you mean acme?"), lines
        assert lines[1].endswith("--not season=autumn: no item has this value"), lines


def test_values_that_are_no_number():
    bad = ["nan", "inf", "0x10", "1,5", "12 EUR", "1e39", "--3", "1e", "1_000"]
    rows = [f'i{i},{i}.png,"{b}",x,' for i, b in enumerate(bad)] + ["z,9.png,1.5,x,", 'y,10.png,2,"a\tb",']
    path = table("bad.csv", rows)
    done = akin("ingest", path, "-o", "bad.nc", "--attributes", SPEC, "--json")
    assert done.json["rejected"] == 0 and done.json["items"] == 11
    found = Attributes("bad.nc")
    assert np.isnan(found.values["price"][: len(bad)]).all() and found.values["price"][-2:] == [2, 1.5]
    assert f"{len(bad)} rows with a wrong value of attribute price" in done.err and "row 2" in done.err and "'nan'" in done.err, done.err
    assert "1 row with a wrong value of attribute brand" in done.err and "tab" in done.err
    for wrong, advice in (("82,40", "write 82.40"), ("1,299", "with a decimal point"), ("1.299,00", "with a decimal point"), ("12 EUR", "without a unit")):
        with open("comma.csv", "w") as f:
            f.write(f"id;path;price\na;0.png;{wrong}\nb;1.png;3\n")
        err = akin("ingest", "comma.csv", "-o", "comma.nc", "--attributes", "price:number").err
        assert re.search(f"row 2: price is '{re.escape(wrong)}', which is not a number: .*{advice}", err), err
    done = akin("ingest", path, "-o", "bad.nc", "--attributes", SPEC, "--bad-attribute", "reject", "--rejects", "bad.out.csv",
                "--max-reject-fraction", 1, "--json", ranks=2)
    assert done.json["rejected"] == 10 and done.json["items"] == 1 and Attributes("bad.nc").ids == ["z"]
    with open("bad.out.csv") as f:
        lines = f.read().splitlines()
    assert "price is 'nan', which is not a number" in lines[1] and "row 2" in lines[1] and "brand holds a tab" in lines[-1]


def test_a_rule_on_an_attribute_that_no_item_has_is_refused():
    """As one on a category or a group that none has: it would bind nothing, or leave nothing. One item with a value is enough."""
    words = [["--within", "price=0..0.9x"], ["--boost", "price=0.1"], ["--only", "price=3"], ["--not", "price=3"], ["--same", "brand"],
             ["--different", "brand"], ["--at-most", "brand=2"], ["--only", "brand=x"], ["--not", "season=x"], ["--same", "season"]]
    for last, code in (("82,40,,", 2), ("82.4,x,y|z", 0)):
        with open("none.csv", "w") as f:
            f.write("id;path;price;brand;season\n" + "".join(f"i{i};{i}.png;3,50;;\n" for i in range(N - 1)) + f"last;{N - 1}.png;{last.replace(',,', ';;').replace(',x,', ';x;')}\n")
        akin("ingest", "none.csv", "-o", "none.nc", "--attributes", SPEC)
        akin("train", "none.nc", "--features", "handcrafted", "-o", "none-m.nc")
        akin("embed", "none.nc", "--model", "none-m.nc", "-o", "none-e.nc")
        for at, rule in enumerate(words):
            for ranks in (0, 3) if at in (0, 4) else (0,):
                done = akin("neighbors", "none-e.nc", "-o", "none-t.nc", "-k", "2", *rule, "--json", ranks=ranks, expect=code)
                said = f"{rule[0]}: no item of none-e.nc has a value of the attribute {rule[1].split('=')[0]}"
                assert code == 0 or done.json["message"] == said, (rule, done.json)
            akin("query", "none-e.nc", "--id", "i0", *rule, expect=code)
            with open("none.ini", "w") as f:
                f.write(f"[job]\nname = none\n[ingest]\nsource = none.csv\nattributes = {SPEC}\n[train]\nfeatures = handcrafted\n[table other]\n{rule[0][2:]} = {rule[1]}\n")
            for check in (["--check"], []) if at == 0 else (["--check"],):
                done = akin("run", "none.ini", *check, "--json", expect=code)
                said = f"none.ini:9: [table other] {rule[0][2:]}: no item of the catalogue has a value of the attribute {rule[1].split('=')[0]}"
                assert code == 0 or said in done.json["message"], (rule, done.json)
        assert os.path.exists("results/none") == (code == 0)


JOB = """[job]
name = {name}
keep = 3
[ingest]
source = {source}
{more}
[train]
features = pixels-pca
dim = 8
[neighbors]
k = 5
"""


def run(name, ranks=0, more=""):
    with open(f"{name}.ini", "w") as f:
        f.write(JOB.format(name=name, source=f"{name}.csv", more=more))
    return akin("run", f"{name}.ini", "--json", ranks=ranks).json["stages"]


def write_prices(path, prices):
    table(path, [f"item-{i:02d},{i}.png,{p},b{i % 3}" for i, p in enumerate(prices)], "id,path,price,brand")


def test_a_night_of_other_prices_decodes_and_embeds_nothing():
    more = "attributes = price:number brand:label"
    write_prices("night.csv", range(N))
    stages = run("night", more=more)
    assert stages["ingest"]["reused"] == 0 and not stages["neighbors"]["skipped"]
    again = run("night", more=more)
    assert all(stage["skipped"] for name, stage in again.items() if name in ("ingest", "train", "embed", "neighbors")), again
    # In the same folder, and in the folder of the next night.
    for night in (False, True):
        if night:
            today = os.readlink("results/night/latest")
            os.rename(f"results/night/{today}", "results/night/2001-01-01")
            os.remove("results/night/latest")
            os.symlink("2001-01-01", "results/night/latest")
        prices = [100 + 7 * i + night for i in range(N)]
        write_prices("night.csv", prices)
        stages = run("night", ranks=2, more=more)
        assert stages["ingest"]["reused"] == N and stages["train"]["skipped"], stages
        assert stages["embed"]["computed"] == 0 and not stages["neighbors"]["skipped"], stages
        folder = "results/night/latest"
        for file in ("catalog.nc", "embeddings.nc", "table.nc"):
            found = Attributes(f"{folder}/{file}")
            assert found.values["price"] == prices and found.values["brand"] == [f"b{i % 3}" for i in range(N)], file
    # The same bits as a night of its own.
    write_prices("whole.csv", prices)
    run("whole", ranks=3, more=more)
    for file in ("catalog.nc", "embeddings.nc", "table.nc"):
        assert_same_variables(f"results/night/latest/{file}", f"results/whole/latest/{file}")
    # A label that becomes labels is another file, though no value changes.
    stages = run("whole", more="attributes = price:number brand:labels")
    assert not stages["ingest"]["skipped"] and not stages["neighbors"]["skipped"]
    assert Attributes("results/whole/latest/table.nc").kinds["brand"] == "labels"
    # The check of a job names the column that is missing.
    done = akin("run", "whole.ini", "--check", "--json")
    assert done.json["status"] == "ok"
    with open("whole.ini", "a") as f:
        f.write("[gallery]\nenabled = yes\n")
    done = akin("run", "whole.ini", "--json")
    assert done.json["status"] == "ok"


if __name__ == "__main__":
    main(globals())
