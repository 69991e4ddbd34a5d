"""akin ingest as its users see it: every clause of what it promises about sources, rejects, options and exit codes."""

import csv
import io
import os
import re
import shutil
import socket
import subprocess
import tarfile
import time

import netCDF4
import numpy

from support import AKIN, SOURCE, akin, assert_same_variables, children, command, draw, draw_catalogue, fresh, kill_ranks, main

FIXTURES = os.path.join(SOURCE, "tests", "fixtures", "images")
PNG = open(os.path.join(FIXTURES, "rgb8.png"), "rb").read()


def put(path, data):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    return path


def ingest(*words, ranks=0, expect=0, **more):
    done = akin("ingest", *words, "--json", ranks=ranks, expect=expect, **more)
    assert done.json["exit"] == done.code and done.json["status"] == ("ok" if done.code == 0 else "failed")
    if "rows" in done.json:
        assert done.json["items"] + done.json["rejected"] == done.json["rows"], done.json
    if expect:
        assert done.json["message"], "a failure without a message"
    return done


def texts(variable):
    return [bytes(row.tobytes()).rstrip(b"\0").decode() for row in numpy.ma.getdata(variable[...])]


class Catalog:
    def __init__(self, path):
        with netCDF4.Dataset(path) as d:
            d.set_auto_maskandscale(False)
            d.set_auto_chartostring(False)
            self.ids = texts(d["id"])
            names, groups = texts(d["category_name"]), texts(d["group_name"])
            assert names == sorted(names, key=str.encode) and groups == sorted(groups, key=str.encode)
            self.category = [names[c] if c >= 0 else None for c in d["category"][...]]
            self.group = [groups[g] if g >= 0 else None for g in d["group"][...]]
            self.available = d["available"][...].tolist()
            self.image, self.hash = d["image"][...], d["content_hash"][...]
            self.names, self.groups = names, groups
            self.attributes = {name: d.getncattr(name) for name in d.ncattrs()}
        assert self.ids == sorted(self.ids, key=str.encode), "ids do not ascend"


def rejects(path):
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f))
    assert rows[0] == ["id", "path", "reason"]
    assert all(len(row) == 3 and row[2] for row in rows[1:])
    return rows[1:]


def test_a_table_of_pictures():
    folder = fresh("table")
    table = draw_catalogue(folder, 30)
    done = ingest(table, "-o", "table.nc")
    assert (done.json["rows"], done.json["items"], done.json["rejected"]) == (30, 30, 0)
    c = Catalog("table.nc")
    assert c.ids == [f"item-{i:04d}" for i in range(30)]
    assert c.category == [("hats", "shoes", "bags")[i % 3] for i in range(30)] and c.names == ["bags", "hats", "shoes"]
    assert c.group == [f"g{i // 2}" if i % 4 < 2 else None for i in range(30)]
    assert c.available == [0 if i % 7 == 6 else 1 for i in range(30)]
    assert c.image.shape == (30, 32, 32, 3) and c.image.dtype == numpy.uint8 and c.hash.dtype == numpy.uint64
    assert len(set(c.hash.tolist())) == 30
    for name in ("akin_version", "akin_options", "input_source_digest", "content_digest", "Conventions"):
        assert c.attributes[name], name
    for ranks in (1, 2, 3, 5):
        ingest(table, "-o", f"table{ranks}.nc", ranks=ranks)
        assert_same_variables("table.nc", f"table{ranks}.nc")
        assert Catalog(f"table{ranks}.nc").attributes["content_digest"] == c.attributes["content_digest"]


def test_every_kind_of_picture():
    expected = numpy.fromfile(os.path.join(FIXTURES, "expected.bin"), numpy.uint8).reshape(-1, 32, 32, 3).astype(int)
    wanted = {}
    with open(os.path.join(FIXTURES, "expected.txt")) as f:
        for line in f:
            name, kind, rest = line.rstrip("\n").split(" ", 2)
            wanted[name] = rest.split() if kind == "ok" else rest
    done = ingest(FIXTURES, "-o", "kinds.nc", "--rejects", "kinds.csv", "--max-reject-fraction", "0.9", ranks=3)
    good = {name for name in wanted if isinstance(wanted[name], list)}
    assert done.json["rows"] == len(wanted) + 2 and done.json["items"] == len(good) > 100  # and the two expected.* themselves
    broken = [name for name in good if name.startswith("profile_")]
    assert done.json["broken_profiles"] == len(broken) > 8, (done.json, broken)
    c = Catalog("kinds.nc")
    assert set(c.ids) == good
    for name, image in zip(c.ids, c.image.astype(int)):
        index, largest, mean = wanted[name]
        difference = abs(image - expected[int(index)])
        assert difference.max() <= float(largest) and difference.mean() <= float(mean), name
    for name, path, reason in rejects("kinds.csv"):
        assert name.startswith("expected.") or wanted[name] in reason, (name, reason)


def test_dialects_of_tables():
    folder = fresh("dialects")
    put("dialects/a b/x y.png", PNG)
    put("dialects/other.png", PNG)
    plain = 'id,path,category\n"a,""b""",a b/x y.png,Möbel\nzwei,other.png,\n'
    ids, category = ['a,"b"', "zwei"], ["Möbel", None]
    tables = {
        "plain.csv": plain, "bom.csv": b"\xef\xbb\xbf" + plain.encode(), "crlf.csv": plain.replace("\n", "\r\n"),
        "no_end.csv": plain.rstrip("\n"), "blank_lines.csv": plain.replace("\n", "\n\n"),
        "order.csv": 'x,path,category,id,y\n1,a b/x y.png,Möbel,"a,""b""",2\n,other.png,,zwei,\n',
        "case.csv": plain.replace("id,path,category", " ID , Path,CATEGORY"),
        "tabs.tsv": 'id\tpath\tcategory\n"a,""b"""\ta b/x y.png\tMöbel\nzwei\tother.png\t\n',
        "tabs.csv": 'id\tpath\tcategory\n"a,""b"""\ta b/x y.png\tMöbel\nzwei\tother.png\t\n',
        "quoted.csv": '"id","path","category"\n"a,""b""","a b/x y.png","Möbel"\n"zwei","other.png",""\n',
        "short_row.csv": 'id,path,category\n"a,""b""",a b/x y.png,Möbel\nzwei,other.png\n',
        "no_ending": plain,
    }
    for name, text in tables.items():
        put(os.path.join(folder, name), text)
        ingest(os.path.join(folder, name), "-o", "dialects.nc")
        c = Catalog("dialects.nc")
        assert (c.ids, c.category) == (ids, category), (name, c.ids, c.category)
        assert c.group == [None, None] and c.groups == [""] and c.available == [1, 1]
    put("dialects/switch.csv", "id,path,available\n" + "".join(
        f"{i},other.png,{v}\n" for i, v in enumerate(["1", "0", "yes", "no", "true", "false", "", " Yes ", "FALSE", "perhaps"])))
    done = ingest("dialects/switch.csv", "-o", "dialects.nc", "--rejects", "switch.csv", "--max-reject-fraction", "0.1")
    assert Catalog("dialects.nc").available == [1, 0, 1, 0, 1, 0, 1, 1, 0] and done.json["rejected"] == 1
    assert "perhaps" in rejects("switch.csv")[0][2]
    put("dialects/ends.csv", "id,path\n a,other.png\na ,other.png\na,other.png\n")  # blanks are part of an id
    ingest("dialects/ends.csv", "-o", "dialects.nc")
    assert Catalog("dialects.nc").ids == [" a", "a", "a "]


def test_tables_that_are_none():
    fresh("none")
    put("none/x.png", PNG)
    for name, data, words in (
        ("missing_path", "id,file,category\na,x.png,b\n", ["path", "file"]),
        ("missing_id", "sku,path\na,x.png\n", ["id", "sku"]),
        ("colons", "id:path\na:x.png\n", ["id:path"]),
        ("empty", "", ["empty"]), ("header_only", "id,path\n", ["0 rows"]), ("blank", "\n\n", ["header"]),
        ("utf16_without_a_mark", "id,path\na,x.png\n".encode("utf-16le"), ["--encoding"]),
        ("zip", b"PK\x03\x04" + bytes(60), ["ZIP"]), ("array", b"\x93NUMPY\x01\0" + bytes(60), ["NumPy"]),
        ("binary", PNG, ["neither"]), ("open_quote", 'id,path\n"a,x.png\nb,x.png\n', ["quote"]),
        ("zeros", bytes(100), ["neither"]),
    ):
        put(f"none/{name}.csv", data)
        done = ingest(f"none/{name}.csv", "-o", "none.nc", expect=3)
        for word in words:
            assert word in done.json["message"], (name, word, done.json["message"])
        assert not os.path.exists("none.nc")
    for ranks in (0, 3):
        done = ingest("none/there_is_no.csv", "-o", "none.nc", expect=1, ranks=ranks)
        assert "there_is_no.csv" in done.json["message"]
    os.makedirs("none/folder/in/folder")
    assert "0 rows" in ingest("none/folder", "-o", "none.nc", expect=3).json["message"]
    ingest("none/x.png", "-o", "none.nc", "--root", "none/no_such_root", expect=1)
    akin("ingest", expect=2)
    akin("ingest", "none/x.png", expect=2)
    akin("ingest", "none/x.png", "-o", "none/x.png", expect=2)
    akin("ingest", "none/x.png", "-o", "none.nc", "--fit", "squash", expect=2)
    akin("ingest", "none/x.png", "-o", "none.nc", "--max-pixels", "0", expect=2)
    assert open("none/x.png", "rb").read() == PNG


def test_rejects_balance_and_say_why():
    folder = fresh("rejects")
    put("rejects/good.png", PNG)
    put("rejects/twin.png", PNG)
    put("rejects/empty.png", b"")
    put("rejects/words.png", "no picture")
    put("rejects/cut.png", PNG[:200])
    with open(f"{SOURCE}/tests/fixtures/images/420_large.jpg", "rb") as f:
        jpeg = f.read()
    half, noise = len(jpeg) // 2, numpy.random.default_rng(1).integers(0, 256, len(jpeg) // 4, numpy.uint8).tobytes()
    put("rejects/inside.jpg", jpeg[:half] + noise + jpeg[half + len(noise) :])
    os.makedirs("rejects/folder.png")
    os.mkfifo("rejects/pipe.png")
    rows = [
        (b"good", b"good.png", None), (b"twin", b"twin.png", None), (b"good", b"twin.png", "duplicate id: row 2 has it"),
        (b"", b"good.png", "empty"), (b"bad\xffid", b"good.png", "not UTF-8"), (b'"tab\there"', b"good.png", "tab"),
        (b'"new\nline"', b"good.png", "newline"), (b'"new\rline"', b"good.png", "newline"), (b"nopath", b"", "path is empty"),
        (b"missing", b"nothing.png", "no such file"), (b"empty", b"empty.png", "empty"), (b"words", b"words.png", "not a PNG"),
        (b"cut", b"cut.png", "truncated"), (b"inside", b"inside.jpg", "truncated, or overwritten in the middle"), (b"folder", b"folder.png", "folder"), (b"pipe", b"pipe.png", "pipe"),
        (b"x" * 1024, b"good.png", None), (b"y" * 1025, b"good.png", "longer"), ("日本語 ☂".encode(), b"good.png", None),
        (b"dangling", b"dangling.png", "no such file"), (b"device", b"/dev/zero", "device"),
        (b"missing", b"good.png", "duplicate id: row 11 has it"), (b"nul\0id", b"good.png", "NUL"), (b"nulpath", b"good\0.png", "NUL"),
    ]
    os.symlink("nowhere", "rejects/dangling.png")
    put("rejects/t.csv", b"id,path\n" + b"".join(b"%s,%s\n" % (i, p) for i, p, _ in rows))
    good = sorted(i.decode() for i, _, why in rows if why is None)
    for ranks in (0, 1, 2, 3, 5):
        done = ingest("rejects/t.csv", "-o", "rejects.nc", "--rejects", "rejects.csv", "--max-reject-fraction", "0.9",
                      ranks=ranks, timeout=60)
        assert (done.json["rows"], done.json["items"]) == (len(rows), len(good)), done.json
        c = Catalog("rejects.nc")
        assert c.ids == sorted(good, key=str.encode) and len(set(c.hash.tolist())) == 1
        found = rejects("rejects.csv")
        assert len(found) == len(rows) - len(good)
        for (i, p, why), (seen_id, seen_path, reason) in zip([r for r in rows if r[2]], found):
            assert why in reason, (i, reason)
            wanted = i.strip(b'"').replace(b"\xff", b"\\xFF").replace(b"\0", b"\\x00").decode()
            assert seen_id == wanted, (seen_id, wanted)
            assert seen_path == p.replace(b"\0", b"\\x00").decode()
    shutil.rmtree(folder)


def test_too_many_rejects_leave_the_old_output():
    fresh("many")
    table = draw_catalogue("many", 20)
    ingest(table, "-o", "many.nc")
    before = open("many.nc", "rb").read()
    os.remove("many/p3.png")
    done = ingest(table, "-o", "many.nc")  # one of 20 is just 0.05
    assert done.json["rejected"] == 1
    put("many.nc", before)
    os.remove("many/p4.png")
    for ranks in (0, 2):
        if os.path.exists("many.csv"):
            os.remove("many.csv")
        done = ingest(table, "-o", "many.nc", "--rejects", "many.csv", expect=3, ranks=ranks)
        assert done.json["rejected"] == 2 and "max-reject-fraction" in done.json["message"]
        assert open("many.nc", "rb").read() == before
        assert [r[0] for r in rejects("many.csv")] == ["item-0003", "item-0004"]
    done = akin("ingest", table, "-o", "many.nc", "--max-reject-fraction", "0.1")
    assert "item-0003" in done.err and "no such file" in done.err and done.out == ""
    for i in range(20):
        if os.path.exists(f"many/p{i}.png"):
            os.remove(f"many/p{i}.png")
    done = ingest(table, "-o", "none.nc", "--max-reject-fraction", "1", expect=3)
    assert not os.path.exists("none.nc") and done.json["rejected"] == 20


def test_root():
    fresh("root")
    put("root/inside/a.png", PNG)
    put("root/inside/deep/b.png", PNG)
    put("root/outside.png", PNG)
    os.symlink("../outside.png", "root/inside/link_out.png")
    os.symlink("deep/b.png", "root/inside/link_in.png")
    os.symlink("..", "root/inside/up")
    here = os.path.abspath("root")
    put("root/lists/t.csv", "id,path\n" + "".join(f"{i},{p}\n" for i, p in enumerate([
        "a.png", "deep/b.png", "deep/../a.png", "link_in.png", "../outside.png", "link_out.png", "up/outside.png",
        f"{here}/outside.png", f"{here}/inside/a.png", "/etc/passwd", "missing.png"])))
    done = ingest("root/lists/t.csv", "--root", "root/inside", "-o", "root.nc", "--rejects", "root.csv",
                  "--max-reject-fraction", "1")
    assert Catalog("root.nc").ids == ["0", "1", "2", "3"] and done.json["rejected"] == 7
    reasons = {r[0]: r[2] for r in rejects("root.csv")}
    assert all("outside" in reasons[i] for i in "456") and all("absolute" in reasons[i] for i in "789"), reasons
    assert re.fullmatch(r"row \d+: no such file \(root/inside/.*\)", reasons["10"]), reasons["10"]
    put("root/inside/t.csv", f"id,path\na,a.png\nb,../outside.png\nc,{here}/outside.png\nd,link_out.png\n")
    ingest("root/inside/t.csv", "-o", "root.nc")
    assert Catalog("root.nc").ids == ["a", "b", "c", "d"]


def test_folders():
    fresh("folder")
    for name in ("top.png", "people/clothing/hat.png", "people/sam.png", ".hidden.png", ".dot/x.png", "b c/ä ö.png", "noending"):
        put(f"folder/{name}", PNG)
    put("outside/x.png", PNG)
    os.symlink("people/sam.png", "folder/link.png")
    os.symlink("people", "folder/also_people")
    os.symlink(".", "folder/loop")
    os.symlink("../..", "folder/people/clothing/loop")
    good = [".dot/x.png", ".hidden.png", "also_people/clothing/hat.png", "also_people/sam.png", "b c/ä ö.png", "link.png",
            "noending", "people/clothing/hat.png", "people/sam.png", "top.png"]
    done = ingest("folder", "-o", "folder.nc")
    c = Catalog("folder.nc")
    assert c.ids == good and done.json["rows"] == len(good), c.ids
    assert c.category == [".dot", None, "also_people/clothing", "also_people", "b c", None, None, "people/clothing", "people", None]
    assert c.group == [None] * len(good)
    ingest("folder/", "-o", "folder2.nc", ranks=2)
    assert_same_variables("folder.nc", "folder2.nc")
    os.symlink("../outside/x.png", "folder/out.png")
    os.symlink("../outside", "folder/out")
    os.symlink("nothing", "folder/dangling.png")
    os.symlink("itself", "folder/itself")
    os.mkfifo("folder/pipe")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("folder/socket")
    put(b"folder/latin\xe9.png".decode("utf-8", "surrogateescape"), PNG)
    done = ingest("folder", "-o", "folder.nc", "--rejects", "folder.csv", "--max-reject-fraction", "0.5", timeout=60)
    assert Catalog("folder.nc").ids == good
    assert {r[0] for r in rejects("folder.csv")} == {"out.png", "out", "dangling.png", "itself", "pipe", "socket", "latin\\xE9.png"}
    shutil.rmtree("folder")


def test_hidden_files_are_rows():
    """Files that desktops create are accounted for, too."""
    fresh("hidden")
    put("hidden/.DS_Store", "no picture")
    put("hidden/people/._a.png", "no picture")
    put("hidden/people/.b.png", PNG)
    with tarfile.open("hidden.tar", "w") as t:
        t.add("hidden", ".")
    for source in ("hidden", "hidden.tar"):
        done = ingest(source, "-o", "hidden.nc", "--rejects", "hidden.csv", "--max-reject-fraction", "1", ranks=2)
        assert Catalog("hidden.nc").ids == ["people/.b.png"], source
        assert (done.json["rows"], done.json["rejected"]) == (3, 2), done.json
        assert [row["id"] for row in csv.DictReader(open("hidden.csv"))] == [".DS_Store", "people/._a.png"], source


def test_archives():
    fresh("tar")
    put("tar/tree/top.png", PNG)
    put("tar/tree/people/clothing/hät.png", PNG)
    draw("tar/tree/people/other.png", 5)
    for name, mode, form in (("plain.tar", "w", tarfile.PAX_FORMAT), ("gnu.tar", "w", tarfile.GNU_FORMAT),
                             ("small.tgz", "w:gz", tarfile.PAX_FORMAT), ("small.tar.xz", "w:xz", tarfile.GNU_FORMAT),
                             ("small.tar.bz2", "w:bz2", tarfile.PAX_FORMAT), ("no_ending", "w:gz", tarfile.PAX_FORMAT)):
        with tarfile.open(f"tar/{name}", mode, format=form) as t:
            t.add("tar/tree", ".")
        for ranks in (0, 3):
            done = ingest(f"tar/{name}", "-o", "tar.nc", ranks=ranks, env={"LC_ALL": "C"})
            c = Catalog("tar.nc")
            assert c.ids == ["people/clothing/hät.png", "people/other.png", "top.png"], (name, c.ids)
            assert c.category == ["people/clothing", "people", None] and done.json["rows"] == 3
        ingest("tar/tree", "-o", "tree.nc")
        assert_same_variables("tar.nc", "tree.nc")

    def add(t, name, data=PNG, kind=tarfile.REGTYPE, link=""):
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        member.size = len(data) if kind == tarfile.REGTYPE else 0
        t.addfile(member, io.BytesIO(data))

    with tarfile.open("tar/odd.tar", "w") as t:
        add(t, "a/good.png")
        add(t, "a/hard.png", kind=tarfile.LNKTYPE, link="a/good.png")
        add(t, "a/soft.png", kind=tarfile.SYMTYPE, link="good.png")
        add(t, "b/soft.png", kind=tarfile.SYMTYPE, link="../a/soft.png")
        add(t, "b/early.png", kind=tarfile.SYMTYPE, link="late.png")
        add(t, "b/late.png")
        add(t, "../out.png")
        add(t, "/absolute.png")
        add(t, "a/../../out2.png")
        add(t, "dangling.png", kind=tarfile.SYMTYPE, link="nothing")
        add(t, "self.png", kind=tarfile.SYMTYPE, link="self.png")
        add(t, "passwd", kind=tarfile.SYMTYPE, link="/etc/passwd")
        add(t, "up.png", kind=tarfile.SYMTYPE, link="../up.png")
        add(t, "pipe", kind=tarfile.FIFOTYPE)
        add(t, "device", kind=tarfile.CHRTYPE)
        add(t, "words.txt", b"words")
        add(t, "a/good.png", b"later")
        add(t, "folder", kind=tarfile.DIRTYPE)
    before = sorted(os.listdir("."))
    done = ingest("tar/odd.tar", "-o", "odd.nc", "--rejects", "odd.csv", "--max-reject-fraction", "0.9", ranks=2)
    assert Catalog("odd.nc").ids == ["a/good.png", "a/hard.png", "a/soft.png", "b/early.png", "b/late.png", "b/soft.png"]
    assert done.json["rows"] == 17
    found = [r[0] for r in rejects("odd.csv")]
    for name in ("../out.png", "/absolute.png", "a/../../out2.png", "dangling.png", "self.png", "passwd", "up.png", "pipe",
                 "device", "words.txt", "a/good.png"):
        assert name in found, name
    assert not os.path.exists("../out.png") and set(os.listdir(".")) - set(before) <= {"odd.nc", "odd.csv"}
    whole = open("tar/small.tgz", "rb").read()
    put("tar/cut.tgz", whole[: len(whole) // 2])
    assert "cut.tgz" in ingest("tar/cut.tgz", "-o", "cut.nc", expect=3).json["message"]
    assert not os.path.exists("cut.nc")
    plain = open("tar/plain.tar", "rb").read()
    put("tar/cut.tar", plain[:2700])
    ingest("tar/cut.tar", "-o", "cut.nc", expect=3, ranks=2)
    put("tar/empty.tar", bytes(10240))
    ingest("tar/empty.tar", "-o", "cut.nc", expect=3)


def test_several_sources():
    fresh("several")
    table = draw_catalogue("several/t", 4)
    os.makedirs("several/f/x")
    draw("several/f/x/one.png", 1)
    put("several/f/item-0002", PNG)
    with tarfile.open("several/s.tar", "w") as t:
        t.add("several/f/x/one.png", "y/two.png")
    done = ingest(table, "several/f", "several/s.tar", "-o", "several.nc", "--rejects", "several.csv",
                  "--max-reject-fraction", "0.2", ranks=2)
    c = Catalog("several.nc")
    assert c.ids == ["item-0000", "item-0001", "item-0002", "item-0003", "x/one.png", "y/two.png"]
    assert c.names == ["bags", "hats", "shoes", "x", "y"] and done.json["rows"] == 7
    assert rejects("several.csv")[0][:2] == ["item-0002", "item-0002"]


def test_options():
    fresh("options")
    draw("options/square.png", 1, 64)
    for kind in ("stretch", "pad", "crop"):
        ingest(os.path.join(FIXTURES), "--fit", kind, "-o", f"{kind}.nc", "--max-reject-fraction", "1", "--quiet")
    a, b, c = (Catalog(f"{kind}.nc") for kind in ("stretch", "pad", "crop"))
    at = a.ids.index("300x600.jpg")
    assert (b.image[at][:, :8] == 255).all() and (b.image[at][:, 24:] == 255).all() and (b.image[at][:, 8:24] < 255).any()
    assert (a.image[at] != c.image[at]).any() and (a.hash == b.hash).all()
    at = a.ids.index("32x64.jpg")
    assert (b.image[at][:, :8] == 255).all()
    done = ingest("options", "-o", "options.nc", "--max-pixels", "4095", expect=3)
    assert done.json["rejected"] == 1
    ingest("options", "-o", "options.nc", "--max-pixels", "4096")


def test_previous():
    fresh("previous")
    table = draw_catalogue("previous", 40)
    first = ingest(table, "-o", "previous0.nc")
    assert first.json["reused"] == 0
    for i in range(5):
        draw(f"previous/p{i}.png", 100 + i)
    fresh_one = ingest(table, "-o", "previous1.nc")
    for ranks in (0, 3):
        done = ingest(table, "-o", "previous2.nc", "--previous", "previous0.nc", ranks=ranks)
        assert done.json["reused"] == 35
        assert_same_variables("previous1.nc", "previous2.nc")
    ingest(table, "-o", "previous0.nc", "--previous", "previous0.nc")  # onto itself
    assert_same_variables("previous1.nc", "previous0.nc")
    done = ingest(table, "-o", "previous0.nc", "--previous", "previous0.nc", ranks=2)
    assert done.json["reused"] == 40 and done.json["images_per_second"] is None, done.json  # a rate is of work that was done
    for ranks in (0, 2):
        done = ingest(table, "-o", "previous3.nc", "--previous", "previous0.nc", "--fit", "crop", expect=3, ranks=ranks)
        assert "previous0.nc" in done.json["message"] and "fit=" in done.json["message"]
        ingest(table, "-o", "previous3.nc", "--previous", "no_such.nc", expect=1, ranks=ranks)
        ingest(table, "-o", "previous3.nc", "--previous", table, expect=3, ranks=ranks)
        assert not os.path.exists("previous3.nc")


def test_ranks_without_additions_from_afar():
    """As Open MPI 4 leaves ranks on several nodes that TCP joins: each then reads its equal share, and the rows are the same."""
    table = draw_catalogue(fresh("afar"), 40)
    none = {"OMPI_MCA_osc": "^rdma,sm,pt2pt,ucx,portals4,monitoring"}
    ingest(table, "-o", "near.nc", ranks=2)
    for ranks in (1, 2, 3):
        ingest(table, "-o", "afar.nc", ranks=ranks, env=none)
        assert_same_variables("near.nc", "afar.nc")


def test_outputs_that_cannot_be_written():
    fresh("outputs")
    table = draw_catalogue("outputs", 3)
    for words in (["-o", "no/such/folder.nc"], ["-o", "outputs"], ["-o", "x.nc", "--rejects", "no/such/folder.csv"]):
        for ranks in (0, 2):
            done = ingest(table, *words, expect=1, ranks=ranks)
            assert words[-1] in done.json["message"]
    assert not os.path.exists("x.nc")


def test_a_signal_stops_all_ranks():
    """Many slow pictures, so that there is time to stop."""
    fresh("signal")
    os.makedirs("signal/s")
    big = os.path.join("signal", "big.png")
    from PIL import Image
    Image.effect_noise((3000, 3000), 50).save(big, compress_level=1)
    for i in range(600):
        os.link(big, f"signal/s/{i}.png")
    run = subprocess.Popen(command(["ingest", "signal/s", "-o", "signal/c.nc", "--json"], 2), stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
    time.sleep(2.5)
    run.send_signal(subprocess.signal.SIGUSR1)
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 75, (run.returncode, out)
    assert not os.path.exists("signal/c.nc")
    shutil.rmtree("signal")


def decoders():
    """The processes that decode pictures, of all runs: their numbers by who started them."""
    found = {}
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and open(f"/proc/{name}/cmdline").read().startswith("akin-decoder"):
                found[int(name)] = int(open(f"/proc/{name}/stat").read().rsplit(")")[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def test_a_picture_that_crashes_its_decoder():
    """libheif 1.15 follows an item that is made of itself until its stack is full; newer ones refuse it."""
    fresh("crash")
    table = "id,path\n"
    for i in range(8):
        name = ("itself.heic", "plain.avif", "grid.heic", "grid_of_itself.heic", "lzw.tif", "palette.bmp", "clear.gif", "rgb8.png")[i]
        shutil.copy(os.path.join(FIXTURES, name), "crash")
        table += f"{i},{name}\n"
    put("crash/c.csv", table)
    catalogs = []
    for ranks in (0, 2, 3):
        done = ingest("crash/c.csv", "-o", "crash/c.nc", "--rejects", "crash/r.csv", "--max-reject-fraction", "1", ranks=ranks)
        assert {row[0] for row in rejects("crash/r.csv")} == {"0", "3"}, done.err
        assert all(re.match(r"row \d: damaged.* \(.*crash/", row[2]) for row in rejects("crash/r.csv"))
        catalogs.append(Catalog("crash/c.nc"))
        assert catalogs[-1].ids == list("124567")
        assert (catalogs[-1].image == catalogs[0].image).all()


def test_a_decoder_ends_with_its_rank():
    """Killed with kill -9 as well."""
    fresh("ends")
    os.makedirs("ends/s")
    from PIL import Image
    Image.effect_noise((2000, 2000), 50).convert("RGB").save("ends/big.tif", compression="tiff_lzw")
    for i in range(200):
        os.link("ends/big.tif", f"ends/s/{i}.tif")
    for end in (lambda run: run.send_signal(subprocess.signal.SIGUSR1), kill_ranks):
        run = subprocess.Popen(command(["ingest", "ends/s", "-o", "ends/c.nc"], 2), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.time() + 60
        while not (ours := [d for d, parent in decoders().items() if parent in children(run.pid)]) and time.time() < until:
            time.sleep(0.05)
        assert ours, "no decoder was started"
        end(run)
        assert run.wait(timeout=60) != 0
        until = time.time() + 20
        while set(ours) & set(decoders()) and time.time() < until:
            time.sleep(0.05)
        assert not set(ours) & set(decoders())
    done = ingest("ends/s", "-o", "ends/c.nc")  # one decoder works for more than the 5 s that loading libraries may take
    assert done.json["items"] == 200, done.err
    shutil.rmtree("ends")


def test_a_rank_without_memory_ends_all():
    fresh("memory")
    table = draw_catalogue("memory", 12)
    for at in (3, 40, 120, 200, 260):
        done = akin("ingest", table, "-o", "memory.nc", ranks=3, expect=None, timeout=60,
                    env={"AKIN_MEM_FAIL_AT": str(at), "AKIN_MEM_FAIL_RANK": "1"})
        assert done.code in (0, 1), (at, done.code, done.err)
        assert done.code == 0 or "memory" in done.err, (at, done.err)


if __name__ == "__main__":
    main(globals())
