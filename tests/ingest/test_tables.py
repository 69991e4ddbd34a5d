"""akin ingest of tables as shops have them: malformed quotes, separators, encodings, columns of other names, exports of shop programs."""

import csv
import io
import os
import random
import shutil
import tarfile

import numpy

from support import akin, draw, fresh, main
from test_ingest import Catalog, ingest, put, rejects


def pictures(folder, count=6):
    fresh(folder)
    os.makedirs(folder, exist_ok=True)
    for i in range(count):
        draw(f"{folder}/{i}.png", i)
    done = ingest(folder, "-o", f"{folder}.nc")
    c = Catalog(f"{folder}.nc")
    return {name: value for name, value in zip(c.ids, c.hash.tolist())}


def read(table, *words, **more):
    done = ingest(table, "-o", "tables.nc", "--rejects", "tables.csv", "--max-reject-fraction", "0.9", *words, **more)
    return done, Catalog("tables.nc") if done.code == 0 else None


def test_malformed_quotes_swallow_no_row():
    hashes = pictures("quotes")
    for name, text in (
        ("text_behind", 'id,title,path\n1,"Premium" chair,1.png\n2,"b",2.png\n3,c "d" e,3.png\n4,"e ""f""",4.png\n'),
        ("blank_behind", 'id,title,path\n1,"a" ,1.png\n2,"b" ,2.png\n3,"c",3.png\n4,d,4.png\n'),
        ("again", 'id,title,path\n1,"a"b"c"",1.png\n2,"","2.png"\n3,""",",3.png\n4," ""x",4.png\n'),
        ("crlf", 'id,title,path\r\n1,"a"b,1.png\r\n2,"b",2.png\r\n3,"""",3.png\r\n4,"d"\te,4.png\r\n'),
        ("last", 'id,path,title\n1,1.png,"a"b\n2,2.png,"b" c\n3,3.png,""d\n4,4.png,"e"f'),
    ):
        put(f"quotes/{name}.csv", text)
        wanted = list(csv.DictReader(io.StringIO(text, newline="")))
        assert [row["id"] for row in wanted] == ["1", "2", "3", "4"], name
        for ranks in (0, 3):
            done, c = read(f"quotes/{name}.csv", ranks=ranks)
            assert done.json["rows"] == 4, (name, done.json)
            assert c.ids == ["1", "2", "3", "4"] and c.hash.tolist() == [hashes[row["path"]] for row in wanted], name
    put("quotes/tabs.tsv", 'id\ttitle\tpath\n1\t27" screen\t1.png\n2\t"a" b\t2.png\n3\tc\t3.png\n')
    assert read("quotes/tabs.tsv")[1].hash.tolist() == [hashes[f"{i}.png"] for i in (1, 2, 3)]


def test_rows_are_those_of_python():
    """Any text of quotes, separators and line ends; the categories show what was read."""
    pictures("python", 1)
    random.seed(3)
    for i in range(8):
        text = "path,category,id\n"
        for n in range(60):
            text += "0.png," + "".join(random.choice('ab" ,') for _ in range(random.randint(0, 12))) + f",{n}\n"
        rows = [r for r in csv.reader(io.StringIO(text, newline="")) if r][1:]
        text += '",' if len(rows[-1]) < 2 else ""
        put("python/t.csv", text)
        done = akin("ingest", "python/t.csv", "-o", "tables.nc", "--json", "--rejects", "tables.csv", "--max-reject-fraction", "1", expect=None)
        if done.code == 3 and "never closed" in done.json["message"]:
            continue
        assert done.json["rows"] == len(rows), (i, done.json)
        good = {}
        for row in rows:
            row += [""] * (3 - len(row))
            if row[0] == "0.png" and row[2] and not set("\t\n\r") & set(row[2] + row[1]):
                good.setdefault(row[2], row[1])
        if done.code == 0:
            c = Catalog("tables.nc")
            assert {k: v or "" for k, v in zip(c.ids, c.category)} == {k: good[k] for k in c.ids} and set(c.ids) <= set(good), i


def test_a_field_over_lines_is_told():
    pictures("lines")
    put("lines/open.tsv", 'id\ttitle\tpath\n1\t"open\t1.png\n2\tb\t2.png\n3\t"c"\t3.png\n4\td\t4.png\n')
    done = akin("ingest", "lines/open.tsv", "-o", "tables.nc", "--max-reject-fraction", "1", expect=None)
    assert "row 2" in done.err and "quote" in done.err, done.err
    put("lines/plain.csv", 'id,title,path\n1,"two\nlines, and a comma",1.png\n2,b,2.png\n')
    done = akin("ingest", "lines/plain.csv", "-o", "tables.nc")
    assert "row 2" in done.err and Catalog("tables.nc").ids == ["1", "2"]
    put("lines/quiet.csv", 'id,title,path\n1,"two\nlines",1.png\n2,"b, c",2.png\n')
    assert "quote" not in akin("ingest", "lines/quiet.csv", "-o", "tables.nc").err
    put("lines/long.csv", b"id,path\n1," + b"x" * (1 << 24) + b"y\n")
    message = read("lines/long.csv", expect=3)[0].json["message"]
    assert "longer" in message and "row 2" in message and "quote" not in message, message
    put("lines/never.csv", b'id,path\n1,"' + b"x" * (1 << 24) + b"y\n")
    assert "never closed" in read("lines/never.csv", expect=3)[0].json["message"]


def test_rows_with_other_fields_than_the_header_are_told():
    """Once for a source, and counted as before; what a spreadsheet leaves out at the end of a row is empty."""
    pictures("fields")
    put("fields/more.csv", "id,path,price,category\n1,1.png,3,hats\n2,2.png,3,50,hats\n3,3.png,4,50,\n4,4.png,4\n")
    done, c = read("fields/more.csv", "--attributes", "price:number")
    told = [line for line in done.err.splitlines() if "fields than the header" in line]
    assert len(told) == 1 and "fields/more.csv: 2 rows with more fields than the header (the first is row 3, with 5 instead of 4)" in told[0], done.err
    assert done.json["items"] == 4 and c.category == ["hats", "50", "50", None], c.category
    put("fields/fewer.csv", "category;price;id;path\n\nhats;3;1;1.png\nbags;3;50\nbags;3\n")
    done, c = read("fields/fewer.csv")
    told = [line for line in done.err.splitlines() if "fields than the header" in line]
    assert len(told) == 1 and "2 rows with fewer fields than the header (the first is row 4, with 3 instead of 4), without an id or a path" in told[0], done.err
    assert done.json["rejected"] == 2 and c.ids == ["1"]
    put("fields/one.csv", "id,path,price,category\n1,,3\n2,2.png,3\n")
    told = read("fields/one.csv")[0].err
    assert "1 row with fewer fields than the header (the first is row 2, with 3 instead of 4), without an id or a path" in told, told
    put("fields/excel.csv", "id;path;price;category\n1;1.png;3;hats\n2;2.png\n3;3.png;;\n")
    done, c = read("fields/excel.csv", "--attributes", "price:number")
    assert "fields than" not in done.err and len(c.ids) == 3, done.err


def test_separators_and_encodings():
    hashes = pictures("forms")
    text = "id,path,category\nä,1.png,Möbel\nb,2.png,Hüte\n"
    for separator, name in ((",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "pipe")):
        other = text.replace(",", separator)
        put("forms/t.csv", other)
        for words in ([], ["--separator", name]):
            _, c = read("forms/t.csv", *words)
            assert c.ids == ["b", "ä"] and c.category == ["Hüte", "Möbel"], (name, words)
        for encoding, data, words in (
            ("UTF-8", b"\xef\xbb\xbf" + other.encode(), []), ("UTF-16 LE", b"\xff\xfe" + other.encode("utf-16le"), []),
            ("UTF-16 BE", b"\xfe\xff" + other.encode("utf-16be"), []), ("1252", other.encode("cp1252"), ["--encoding", "windows-1252"]),
            ("1252 named", other.encode("cp1252"), ["--encoding", "CP1252"]), ("no mark", other.encode("utf-16le"), ["--encoding", "utf-16"]),
        ):
            put("forms/t.csv", data)
            _, c = read("forms/t.csv", *words)
            assert c.ids == ["b", "ä"] and c.hash.tolist() == [hashes["2.png"], hashes["1.png"]], (encoding, c.ids)
    # Commas within fields of another separator, and one that is in no field.
    put("forms/t.csv", "id;title, short;path\n1;a, b;1.png\n")
    assert read("forms/t.csv")[1].ids == ["1"]
    # A byte that means nothing refuses its row alone; a file in another encoding says how it is read.
    put("forms/t.csv", b"id,path\n\x81,1.png\n\x80,2.png\n")
    done, c = read("forms/t.csv", "--encoding", "windows-1252")
    assert c.ids == ["€"] and "UTF-8" in rejects("tables.csv")[0][2]
    put("forms/t.csv", "id,path\nä,1.png\nb,2.png\n".encode("cp1252"))
    assert "--encoding" in (read("forms/t.csv"), rejects("tables.csv"))[1][0][2]
    long = "id,path\n" + "".join(f"{i:05d}é,{i % 6}.png\n" for i in range(9000))  # over many pieces
    put("forms/long.csv", long.encode("utf-16"))
    assert read("forms/long.csv")[0].json["items"] == 9000
    err = akin("ingest", "forms/t.csv", "-o", "x.nc", "--encoding", "klingon", expect=2).err
    assert "--encoding klingon is not one of utf-8, " in err and "windows-1252 or iso-8859-1" in err, err
    for name in ("latin1", "iso-8859-1", "ISO-8859-1", "latin-1"):
        assert read("forms/t.csv", "--encoding", name)[1].ids == ["b", "ä"]
    akin("ingest", "forms/t.csv", "-o", "x.nc", "--separator", "colon", expect=2)


def test_columns_by_other_names():
    hashes = pictures("columns")
    put("columns/t.csv", "sku,Image Link,second,product_type,unused,stock\n1,1.png,2.png,hats,x,1\n2,,3.png,bags,y,0\n3,,\"4.png, 5.png\",bags,y,yes\n")
    for words, wanted in (
        ("id=sku path=second category=product_type", [2, 3, None]), ("path=Image Link id=sku category=product_type", [1, None, None]),
        ("id=sku path=Image Link,second[1] category=product_type available=stock", [1, 3, 4]),
        ("id='sku' path=\"Image Link\",'second'  category=product_type", [1, 3, None]), ("id=SKU path=second[2] category=product_type", [None, None, 5]),
    ):
        done, c = read("columns/t.csv", "--columns", words)
        found = dict(zip(c.ids, c.hash.tolist()))
        assert found == {str(i + 1): hashes[f"{n}.png"] for i, n in enumerate(wanted) if n is not None}, (words, found)
        assert set(c.names) <= {"hats", "bags"} and c.available == ([1, 0, 1] if "stock" in words else [1] * len(c.ids))
    err = akin("ingest", "columns/t.csv", "-o", "tables.nc", "--columns", "id=sku path=second", "--max-reject-fraction", "1").err
    assert err.count("ignored") == 1 and "unused" in err and "Image Link" in err and "second" not in err.split("ignored")[1].split("\n")[0], err
    message = read("columns/t.csv", "--columns", "id=sku path=picture", expect=3)[0].json["message"]
    assert "picture" in message and "Image Link" in message, message
    for wrong in ("sku", "id=sku path=", "name=sku", "shopiphy", "id=sku path=second[0]"):
        akin("ingest", "columns/t.csv", "-o", "x.nc", "--columns", wrong, expect=2)
    put("columns/twice.csv", "id,path,path\n1,1.png,2.png\n")
    assert "twice" in read("columns/twice.csv", expect=3)[0].json["message"]
    put("columns/unused_twice.csv", "id,x,path,x\n1,a,1.png,b\n")
    assert read("columns/unused_twice.csv")[1].ids == ["1"]


def test_exports_of_shops():
    hashes = pictures("shops")
    put("shops/shopify.csv", """Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Image Src,Image Position,Status
chair,Chair,"<p>Fine,
""solid""</p>",A,Furniture,,true,Size,S,C-S,0.png,1,active
chair,,,,,,,,M,C-M,1.png,2,
chair,,,,,,,,,,2.png,3,
lamp,Lamp,,A,Light,,false,Title,Default,L,,,active
lamp,,,,,,,,,,3.png,1,
hat,Hat,,B,Clothing,,true,Title,Default,H,4.png,1,draft
""")
    for ranks in (0, 2):
        done, c = read("shops/shopify.csv", "--columns", "shopify", ranks=ranks)
        assert c.ids == ["chair", "hat", "lamp"] and done.json["rejected"] == 0 and done.json["rows"] == 3
        assert c.hash.tolist() == [hashes[f"{i}.png"] for i in (0, 4, 3)] and c.category == ["Furniture", "Clothing", "Light"]
        assert c.available == [1, 0, 0]
    put("shops/woo.csv", """ID,Type,SKU,Name,Published,"In stock?",Categories,Images,Parent
7,simple,S7,Cap,1,1,"Clothing > Caps, Sale","0.png, 1.png",
8,variable,S8,Shirt,1,1,Clothing,2.png,
9,variation,S9,Shirt S,1,0,,3.png,S8
10,variation,S10,Shirt M,1,1,,,S8
11,simple,S11,Mug,-1,backorder,Home,4.png,
""")
    done, c = read("shops/woo.csv", "--columns", "woocommerce")
    assert c.ids == ["11", "7", "8", "9"] and done.json["rejected"] == 0, c.ids
    assert c.hash.tolist() == [hashes[f"{i}.png"] for i in (4, 0, 2, 3)] and c.category == ["Home", "Clothing > Caps", "Clothing", None]
    assert c.group == [None, None, None, "S8"] and c.available == [0, 1, 1, 0]
    done, c = read("shops/woo.csv", "--columns", "woocommerce id=SKU path=Images[2]")
    assert c.ids == ["S7"] and c.hash.tolist() == [hashes["1.png"]]
    shutil.copy("shops/1.png", "shops/a,b.png")  # a comma inside a text is "\\,"
    put("shops/woo.csv", 'ID,Type,SKU,Categories,Images\n1,simple,S1,"Music\\, Films > CDs, Sale","a\\,b.png, 2.png"\n2,simple,S2,Art,"2.png , a\\,b.png"\n')
    done, c = read("shops/woo.csv", "--columns", "woocommerce")
    assert c.ids == ["1", "2"] and c.hash.tolist() == [hashes["1.png"], hashes["2.png"]] and c.category == ["Music, Films > CDs", "Art"]
    done, c = read("shops/woo.csv", "--columns", "woocommerce path=Images[2]")
    assert c.hash.tolist() == [hashes["2.png"], hashes["1.png"]]
    merchant = "id\ttitle\timage link\tadditional_image_link\tavailability\tproduct_type\titem_group_id\n" \
        "a\tA 27\" screen\t0.png\t1.png,2.png\tin_stock\tHome > Screens\tg\nb\tB\t\t1.png,2.png\tout of stock\tHome\tg\nc\tC\t3.png\t\tpreorder\t\t\n"
    put("shops/merchant.txt", merchant)
    done, c = read("shops/merchant.txt", "--columns", "merchant")
    assert c.ids == ["a", "b", "c"] and c.hash.tolist() == [hashes[f"{i}.png"] for i in (0, 1, 3)]
    assert c.available == [1, 0, 1] and c.group == ["g", "g", None] and c.category == ["Home > Screens", "Home", None]


def test_what_is_no_table_is_called_what_it_is():
    """The message names what was given, not what akin took it for; 1 where there is no such file."""
    fresh("others")
    numpy.savez("others/x.npz", a=numpy.eye(3, dtype="f4"))
    numpy.save("others/x.npy", numpy.eye(3, dtype="f4"))
    draw("others/p.png", 1)
    put("others/page.nc", "<!doctype html><title>log in</title>")
    put("others/words.npy", "no array at all, but words\n" * 9)
    put("others/wide.csv", "id,path\n1," + "a" * (1 << 24) + "b\n2,p.png\n")
    put("others/open.csv", 'id,path\n1,"' + "a" * (1 << 24) + "b\n2,p.png\n")
    with tarfile.open("others/t.tgz", "w:gz") as t:
        t.add("others/p.png")
    with open("others/t.tgz", "r+b") as f:
        f.truncate(os.path.getsize("others/t.tgz") // 2)
    neighbors, ingest_ = lambda name: ("neighbors", name, "-o", "o.nc"), lambda name: ("ingest", name, "-o", "o.nc")
    for words, code, said, unsaid in [
        (neighbors("others/x.npz"), 3, "numpy.save", "damaged"), (("embed", "others/x.npz", "--model", "m.nc", "-o", "o.nc"), 3, "ZIP archive", "damaged"),
        (neighbors("others/p.png"), 3, "a PNG picture", "damaged"), (neighbors("others/page.nc"), 3, "web page", "damaged"),
        (neighbors("others/words.npy"), 3, "neither a NetCDF-4 nor a .npy file", "damaged"),
        (neighbors("https://shop.example/x.npy"), 1, "an address", "relative path"), (("run", "https://shop.example/j.ini"), 1, "an address", "relative path"),
        (ingest_("https://shop.example/c.csv"), 1, "an address", "no such file"), (ingest_("others/x.npz"), 3, "ZIP archive", "null"),
        (ingest_("others/x.npy"), 3, "NumPy array", "null"), (ingest_("others/p.png"), 3, "a PNG picture", "column"),
        (ingest_("others/t.tgz"), 3, "gzip data is truncated", "null"), (ingest_("others/wide.csv"), 3, "longer than 16777216", "quote"),
        (ingest_("others/open.csv"), 3, "the quote opened in row 2 is never closed", "longer"),
    ]:
        done = akin(*words, expect=code)
        assert said in done.err and unsaid not in done.err, (words, done.err)


def test_a_job_with_columns():
    pictures("job")
    put("job/feed.csv", "sku;bild;art\n" + "".join(f"{i};{i}.png;x\n" for i in range(6)))
    put("job.ini", "[job]\noutput = jobout\n[ingest]\nsource = job/feed.csv\ncolumns = id=sku path=bild category=art\n"
        "[train]\nepochs = 1\nfeatures = pixels-pca\n[neighbors]\nk = 2\n[gallery]\nenabled = yes\n")
    akin("run", "job.ini", "--quiet", timeout=300)
    assert len(Catalog("jobout/catalog.nc").ids) == 6 and os.path.exists("jobout/gallery/index.html")
    put("job.ini", open("job.ini").read().replace("id=sku", "key=sku"))
    done = akin("run", "job.ini", "--json", expect=2)
    assert "--columns" in done.json["message"] or "columns" in done.json["message"]


if __name__ == "__main__":
    main(globals())
