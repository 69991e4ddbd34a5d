"""`akin add`: new items and withdrawn ones enter the last table between nights, which is then what a full night with all rows from the
start would have made, at any number of ranks; the next run of the job uses its own sources again."""

import csv
import json
import os
import re

import picture_server as ps
from servers import free_port, redis_server
from support import akin, assert_same_variables, draw, fresh, main

os.chdir(fresh("add"))
for i in range(44):
    draw(f"{i}.png", i)
ROWS = [[f"i{i:02d}", f"{i}.png", ["hats", "bags"][i % 2], "yes"] for i in range(40)]
NEW = [[f"n{i}", f"{i}.png", "hats", "yes"] for i in range(40, 43)] + [["i05", "5.png", "bags", "no"]]


def write(name, rows):
    with open(name, "w", newline="") as f:
        csv.writer(f).writerows([["id", "path", "category", "available"], *rows])


def job(name, source, output, more=""):
    with open(name, "w") as f:
        f.write(f"[job]\nname = x\noutput = {output}\n{more}[ingest]\nsource = {source}\n[train]\nfeatures = handcrafted\n"
                f"[neighbors]\nk = 6\nonly-available = yes\n[evaluate]\nenabled = yes\n[publish]\nto = file:{output}/t.jsonl\n")


write("old.csv", ROWS)
write("new.csv", NEW)
write("all.csv", [row for row in ROWS if row[0] != "i05"] + NEW)
job("job.ini", "old.csv", "out")


def published():
    with open("out/t.jsonl") as f:
        return {line["id"]: [id for id, _ in line["neighbors"]] for line in map(json.loads, f)}


def test_the_table_is_that_of_a_night_with_all_rows():
    akin("add", "job.ini", "new.csv", expect=1)
    akin("run", "job.ini")
    model = open("out/model.nc", "rb").read()
    os.makedirs("full")
    with open("full/model.nc", "wb") as f:
        f.write(model)
    job("full.ini", "all.csv", "full")
    akin("run", "full.ini")
    for ranks in (0, 2, 3):
        if ranks:
            akin("run", "job.ini")  # the rows of the job alone again
            assert "n40" not in published()
        done = akin("add", "job.ini", "new.csv", "--json", ranks=ranks)
        assert done.json["verb"] == "add" and done.json["items"] == 43
        assert done.json["stages"]["embed"]["computed"] == 3 and done.json["stages"]["train"]["skipped"]
        assert "evaluate" not in done.json["stages"]
        assert done.json["stages"]["embed"]["new"] == 3 and done.json["stages"]["embed"]["replaced"] == 1
        for name in ("embeddings", "table"):
            assert_same_variables(f"out/{name}.nc", f"full/{name}.nc")
        assert open("out/model.nc", "rb").read() == model
        lists = published()
        assert "n40" in lists and not any("i05" in one for one in lists.values()) and len(lists["i05"]) == 6


def test_a_run_tells_what_of_the_additions_its_source_lacks():
    """Added items that it lacks and withdrawn ones that it still has, whatever file it replaces; nothing where the source has caught up."""
    for keep in ("", "keep = 3\n"):
        output = "kept" if keep else "told"
        job("told.ini", "told.csv", output, keep)

        def run(rows, day, ranks=0):
            write("told.csv", rows)
            err = akin("run", "told.ini", *(["--night", f"2026-03-0{day}"] if keep else []), ranks=ranks).err
            said = [line for line in err.splitlines() if "akin add" in line]
            folder = f"{output}/2026-03-0{day}" if keep else output
            assert all(line.removeprefix("akin: ") in open(f"{folder}/log.txt").read() for line in said)
            return said
        assert run(ROWS, 1) == []
        akin("add", "told.ini", "new.csv")
        lost, back = run(ROWS + NEW[2:3], 2, ranks=3)
        assert re.search(r"\b2 items that akin add put into the last tables are missing from the source .*: n40, n41;", lost), lost
        assert re.search(r"\b1 item that akin add took out of the last tables is still in the source, .*: i05;", back), back
        akin("add", "told.ini", "new.csv")
        assert run([row for row in ROWS if row[0] != "i05"] + NEW, 3) == []
        assert run(ROWS, 4) == []  # what the source itself had is not missed


def test_a_second_addition_builds_on_the_first_and_a_repeated_one_does_nothing():
    """Names that no item has any longer are gone, as are ids whose row cannot be read; the next run has its own rows again."""
    akin("run", "job.ini")
    night = open("out/catalog.nc", "rb").read()
    akin("add", "job.ini", "new.csv")
    second = [[row[0], row[1], "shoes", "yes"] for row in ROWS if row[2] == "bags"] + [["m0", "43.png", "", "yes"]]
    write("second.csv", second)
    write("both.csv", [row for row in ROWS + NEW[:3] if row[0] not in [other[0] for other in second]] + second)
    job("both.ini", "both.csv", "both")
    os.makedirs("both")
    os.link("out/model.nc", "both/model.nc")
    akin("run", "both.ini")
    for ranks in (1, 3):
        akin("add", "job.ini", "second.csv", ranks=ranks)
        for name in ("embeddings", "table"):
            assert_same_variables(f"out/{name}.nc", f"both/{name}.nc")
        again = akin("add", "job.ini", "second.csv", "--json", ranks=ranks).json["stages"]
        assert all(again[stage]["skipped"] for stage in ("ingest", "embed", "neighbors", "publish")), again
        akin("run", "job.ini")
        assert open("out/catalog.nc", "rb").read() == night and "n40" not in published() and "m0" not in published()
        akin("add", "job.ini", "new.csv")


def test_what_cannot_be_read_is_taken_out_as_a_night_would():
    """Where the job lets rows be rejected; and a killed addition is made good by the next."""
    for name, source in (("loose", "old.csv"), ("want", "want.csv")):
        job(f"{name}.ini", f"{source}\nmax-reject-fraction = 0.7", name)
    some = [["i02", "absent.png", "hats", "yes"], ["n9", "41.png", "hats", "yes"], ["n9", "42.png", "hats", "yes"]]
    write("some.csv", some)
    write("want.csv", [row for row in ROWS if row[0] != "i02"] + some)
    akin("run", "loose.ini")
    akin("add", "job.ini", "some.csv", expect=3)
    os.makedirs("want")
    os.link("loose/model.nc", "want/model.nc")
    akin("run", "want.ini")
    done = akin("add", "loose.ini", "some.csv", "--until", "embed", "--json", ranks=2).json["stages"]["embed"]
    assert (done["new"], done["replaced"], done["left_out"]) == (1, 0, 1)
    akin("add", "loose.ini", "some.csv", ranks=3)
    for name in ("embeddings", "table"):
        assert_same_variables(f"loose/{name}.nc", f"want/{name}.nc")
    assert set(os.listdir("loose")) - set(os.listdir("want")) == {"added.nc", "added.rejects.csv", "t.jsonl.prev"}


def test_a_cache_gets_the_changed_lists_alone():
    """Also where a first addition was stopped before it was published."""
    server = redis_server()
    job("cache.ini", "old.csv", "cache")
    text = open("cache.ini").read().replace("k = 6", "k = 1").replace("file:cache/t.jsonl", f"redis://127.0.0.1:{server.port}/0?catalog=add")
    open("cache.ini", "w").write(text)
    akin("run", "cache.ini")
    write("one.csv", NEW[:1])
    write("two.csv", NEW[1:2])
    akin("add", "cache.ini", "one.csv", "--until", "neighbors")
    assert os.path.exists("cache/table.nc.last")
    done = akin("add", "cache.ini", "two.csv", "--json", ranks=2).json["stages"]["publish"]["published"][0]
    assert done["change"]["new"] == 2 and done["lists_sent"] == 2 + done["change"]["changed"] < 42
    assert not os.path.exists("cache/table.nc.last") and not os.path.exists("cache/embeddings.last.nc")


def test_with_nights_it_goes_into_the_last_one():
    job("nights.ini", "old.csv", "nights", "keep = 3\n")
    akin("run", "nights.ini", "--night", "2026-03-01")
    akin("add", "nights.ini", "new.csv")
    assert sorted(name for name in os.listdir("nights") if name[0] == "2") == ["2026-03-01"]
    assert_same_variables("nights/2026-03-01/table.nc", "out/table.nc")
    job("nights.ini", "all.csv", "nights", "keep = 3\n")
    akin("run", "nights.ini", "--night", "2026-03-02")
    assert_same_variables("nights/2026-03-02/table.nc", "out/table.nc")


def test_a_table_that_was_rolled_back_is_not_added_to():
    write("second.csv", ROWS[1:])
    for name in ("old.csv", "second.csv"):
        job("back.ini", name, "back")
        akin("run", "back.ini")
    akin("rollback", "--to", "file:back/t.jsonl")
    before = {name: open(f"back/{name}", "rb").read() for name in ("t.jsonl", "table.nc", "embeddings.nc")}
    for words in ([], ["--check"]):
        done = akin("add", "back.ini", "new.csv", *words, ranks=2, expect=1)
        assert "back.ini:14: [publish] file:back/t.jsonl: the last table was rolled back there" in done.err, done.err
    assert before == {name: open(f"back/{name}", "rb").read() for name in before}
    akin("publish", "back/table.nc", "--to", "file:back/t.jsonl")  # by hand
    akin("add", "back.ini", "new.csv")
    akin("rollback", "--to", "file:back/t.jsonl")
    akin("add", "back.ini", "new.csv", expect=1)
    with open("back.ini", "a") as f:
        f.write("respect-rollback = no\n")
    akin("add", "back.ini", "new.csv")
    assert "n40" in open("back/t.jsonl").read()


def test_what_is_wrong_is_refused_and_nothing_lost():
    before = open("out/table.nc", "rb").read()
    akin("add", "job.ini", expect=2)
    akin("add", "job.ini", "absent.csv", expect=1)
    with open("bad.csv", "w") as f:
        f.write("name,file\na,b\n")
    akin("add", "job.ini", "bad.csv", expect=3)
    write("lost.csv", [["lost", "gone.png", "hats", "yes"]])
    done = akin("add", "job.ini", "lost.csv", "--check", expect=3)
    assert "lost.csv: " in done.err and "will be rejected" in done.err and "job.ini:" not in done.err, done.err
    os.link("lost.csv", "row")  # a name that the message has as a word
    assert akin("add", "job.ini", "row", "--check", "--json", expect=3).json["message"].startswith("row: no usable picture: 1 row, of which 1 ")
    done = akin("add", "job.ini", "lost.csv", expect=3, ranks=2)
    assert done.err.count("rejected: lost (gone.png): row 2: no such file") == 1, done.err
    assert open("out/table.nc", "rb").read() == before


def test_check_judges_the_table_that_it_would_make():
    """Not NEW.csv alone: the rules, pins and values of the job concern all items, and what is published is all of them again."""
    with open("pins.csv", "w") as f:
        f.write("id,neighbor\ni01,i02\n")
    job("whole.ini", "old.csv", "whole")
    with open("whole.ini", "a") as f:
        f.write("min-coverage = 0\n[table pinned]\nsame-category = yes\nonly = category=hats\npins = pins.csv\n")
    akin("run", "whole.ini")
    with open("plain.csv", "w") as f:  # neither categories nor availability, and few rows
        f.write("id,path\nn40,40.png\ni00,0.png\n")
    for ranks in (0, 3):
        done = akin("add", "whole.ini", "plain.csv", "--check", ranks=ranks)
        assert "valid; 2 rows" in done.out and [line for line in done.err.splitlines() if "not published" not in line] == [], done.err
    assert akin("add", "whole.ini", "plain.csv", "--json").json["items"] == 41
    write("torn.csv", [[f"i{i:02d}", "gone.png", "hats", "yes"] for i in range(10, 13)] +
          [["i13", "", "hats", "no"], ["n40", "40.png", "hats", "yes"], ["n41", "41.png", "hats", "yes"]])
    for limit, code in (("0.05", 4), ("0.2", 0)):
        job("lose.ini", "old.csv", "whole", "[publish]\nmax-churn = 1\nmin-coverage = 0\nmax-shrink = " + limit + "\n[ingest]\nmax-reject-fraction = 0.9\n")
        done = akin("add", "lose.ini", "torn.csv", "--check", ranks=2)
        assert ("at least 4 of the 41 items that are published there would be missing: shrink would be 0.09756, max-shrink is 0.05" in done.err) == (code == 4), done.err
        assert "3 files of the source are not there" in done.err, done.err
        akin("add", "lose.ini", "torn.csv", expect=code)
    write("torn.csv", [["i10", "gone.png", "hats", "yes"], ["n42", "42.png", "hats", "yes"]])
    done = akin("add", "whole.ini", "torn.csv", "--check", "--json", expect=3)
    assert done.json["message"].startswith("torn.csv: 1 of 2 rows will be rejected, more than max-reject-fraction"), done.json


def test_an_addition_that_a_gate_refuses_says_how_to_take_it_out():
    """It is in the tables, and a later one that builds on it is refused too, until a run of the whole job."""
    job("gate.ini", "old.csv", "gate", "[publish]\nmax-churn = 1\n")
    write("many.csv", [[f"i{i:02d}", "", "", "no"] for i in range(8)] + NEW[:1])
    write("good.csv", NEW[1:3])
    akin("run", "gate.ini")
    for added in ("many.csv", "good.csv"):
        *lines, last = akin("add", "gate.ini", added, "--json", expect=4, ranks=2).json["message"].splitlines()
        assert "--max-shrink is 0.1" in lines[0] and "nothing was published" in lines[1], lines
        assert last == "the addition is in the tables in gate, and later additions build on it: akin run gate.ini takes it out", last
    akin("run", "gate.ini")
    akin("add", "gate.ini", "good.csv")


def test_check_names_what_no_item_of_that_table_has():
    """Pins, values and categories: of the items of the last table and NEW.csv together, as the check of the run does of its source."""
    with open("few.csv", "w") as f:
        f.write("id,path,category,available\nn40,40.png,coats,yes\ni05,gone.png,bags,no\n")
    with open("names.csv", "w") as f:
        f.write("id,neighbor\ni01,i02\nn40,i01\nn41,i01\ni05,i01\n")
    with open("kinds.csv", "w") as f:
        f.write("from,to\nhats,coats\nhats,shoes\n")
    job("named.ini", "old.csv", "named")
    akin("run", "named.ini")
    with open("named.ini", "a") as f:
        f.write("[table some]\npins = names.csv\ncategories = kinds.csv\nonly = category=coat\n[table more]\nonly = category=coats\n")
    for ranks in (0, 2):
        told = [line for line in akin("add", "named.ini", "few.csv", "--check", ranks=ranks).err.splitlines() if "not published" not in line]
        said = ("[table some] pins: 2 of 4 pairs in names.csv name an id that the table lacks; the first: n41,i01 in row 4",
                "[table some] categories: 1 of 2 pairs in kinds.csv name a category that the table lacks; the first: hats,shoes in row 3",
                "[table some] only category=coat: no item has this value; did you mean coats?")
        assert len(told) == 3 and all(any(words in line for line in told) for words in said), told


def test_a_job_that_nothing_can_be_added_to_has_its_line():
    for name, text, said in (("imports", "[job]\nname = imports\n[embed]\nfrom = v.npy\n", "imports.ini:4: [embed] the job imports its vectors"),
                             ("bare", "[job]\nname = bare\n[ingest]\nfit = pad\n", "bare.ini:3: [ingest] the job has no [ingest] source")):
        with open(f"{name}.ini", "w") as f:
            f.write(text)
        for more in ((), ("--check",)):
            assert akin("add", f"{name}.ini", "new.csv", "--json", *more, expect=2).json["message"].startswith(said)


def test_withdrawing_needs_no_picture():
    """Of one item alone, of several, of one that the table lacks; a damaged picture is as none. The table is that of a night without them."""
    with open("torn.png", "wb") as f:
        f.write(b"\x89PNG torn")
    job("drop.ini", "old.csv", "drop")
    job("left.ini", "left.csv", "left")
    os.makedirs("left")
    os.link("out/model.nc", "left/model.nc")
    for ranks, some, counts in ((0, [["i03", "gone.png", "hats", "no"]], (0, 0, 1)),
                                (2, [["i03", "gone.png", "", "no"], ["i39", "torn.png", "", "no"], ["zz", "gone.png", "", "no"], ["n0", "41.png", "hats", "yes"]], (1, 0, 2)),
                                (3, [["i00", "gone.png", "hats", "no"], ["i01", "1.png", "bags", "no"]], (0, 1, 1))):
        write("some.csv", some)
        akin("run", "drop.ini")
        assert "gone.png" not in akin("add", "drop.ini", "some.csv", "--check", ranks=ranks).err
        done = akin("add", "drop.ini", "some.csv", "--json", ranks=ranks).json["stages"]
        assert tuple(done["embed"][key] for key in ("new", "replaced", "left_out")) == counts, done["embed"]
        taken = [row[0] for row in some]
        write("left.csv", [row for row in ROWS if row[0] not in taken] + [row for row in some if row[1] in ("41.png", "1.png")])
        akin("run", "left.ini")
        for name in ("embeddings", "table"):
            assert_same_variables(f"drop/{name}.nc", f"left/{name}.nc")
        with open("drop/t.jsonl") as f:
            assert taken[0] not in f.read()
    write("some.csv", [["i03", "gone.png", "hats", "no"], ["i04", "gone.png", "hats", "yes"]])
    akin("add", "drop.ini", "some.csv", expect=3)  # one that is still sold needs its picture
    akin("run", "drop.ini")
    write("some.csv", [[row[0], "gone.png", "", "no"] for row in ROWS])
    kept = {name: open(f"drop/{name}", "rb").read() for name in ("embeddings.nc", "table.nc", "t.jsonl")}
    for ranks in (1, 3):
        done = akin("add", "drop.ini", "some.csv", "--check", "--json", expect=3, ranks=ranks)
        assert done.json["message"] == "some.csv: every item would be withdrawn", done.json
        done = akin("add", "drop.ini", "some.csv", "--json", expect=3, ranks=ranks)
        assert "every item would be withdrawn" in done.json["message"], done.json
        assert {name: open(f"drop/{name}", "rb").read() for name in kept} == kept
        assert not [name for name in os.listdir("drop") if name.endswith((".added", ".part"))], os.listdir("drop")
    with open("bad.ini", "w") as f:
        f.write("[ingest]\nsource = old.csv\nwithdrawals = yes\n")
    assert "belongs to akin add" in akin("run", "bad.ini", expect=2).err


def test_of_withdrawn_items_no_picture_is_fetched():
    """Nor is an address or a path needed, whether the job fetches first or as it reads; in a night both are."""
    server = ps.Server()
    for name in ("new", "old", "later"):
        server.rules[f"/{name}.png"] = ps.picture(open("41.png", "rb").read())
    drop = [["i03", f"http://127.0.0.1:{free_port()}/gone.png", "", "no"], ["i04", "", "", "no"], ["i05", f"{server.base}/old.png", "", "no"]]
    write("drop.csv", drop)
    write("more.csv", [*drop[:2], ["n41", f"{server.base}/new.png", "hats", "yes"]])
    write("kept.csv", [["i03", "", "", "yes"]])
    for name, fetch in (("first", "[fetch]\ncache = first.cache\nallow-private = yes\n"), ("reading", "")):
        job(f"{name}.ini", f"old.csv\ncache = {name}.cache\nallow-private = yes", name)
        with open(f"{name}.ini", "a") as f:
            f.write(fetch)
        for source, ranks, asked, counts in (("drop.csv", 1, 0, (0, 0, 3)), ("more.csv", 3, 1, (1, 0, 2))):
            akin("run", f"{name}.ini")
            server.forget()
            done = akin("add", f"{name}.ini", source, "--json", ranks=ranks).json["stages"]
            assert tuple(done["embed"][key] for key in ("new", "replaced", "left_out")) == counts, done["embed"]
            assert len(server.requests()) == asked, server.requests()
            if fetch:
                assert (done["fetch"]["addresses"], done["fetch"]["rejected"]) == (asked, 0), done["fetch"]
        again = akin("add", f"{name}.ini", "more.csv", "--json", ranks=2).json["stages"]
        assert all(again[stage]["skipped"] for stage in ("embed", "neighbors", "publish")), again
        write("later.csv", [["n42", f"{server.base}/later.png", "hats", "yes"]])
        assert akin("add", f"{name}.ini", "later.csv", "--json", ranks=3).json["stages"]["embed"]["new"] == 1  # soon after another
        assert "i03 (): row 2: the path is empty" in akin("add", f"{name}.ini", "kept.csv", expect=3).err
    akin("ingest", "drop.csv", "-o", "none.nc", "--cache", "none", "--offline", expect=3)
    with open("bad.ini", "w") as f:
        f.write("[ingest]\nsource = old.csv\n[fetch]\ncache = c\nwithdrawals = yes\n")
    assert "belongs to akin add" in akin("run", "bad.ini", expect=2).err
    server.stop()


def test_a_table_by_aspect_is_refused_before_anything_changes():
    """Its parts are computed from the catalogue, which an addition does not enter."""
    job("aspect.ini", "old.csv", "aspect")
    with open("aspect.ini", "a") as f:
        f.write("[table looks]\naspect = colour\n")
    akin("run", "aspect.ini")
    before = {name: os.stat(f"aspect/{name}").st_mtime_ns for name in os.listdir("aspect")}
    for more in ((), ("--check",)):
        done = akin("add", "aspect.ini", "new.csv", "--json", *more, expect=2, ranks=2)
        assert "[table looks] aspect needs the catalogue of all items" in done.json["message"], done.json
    assert {name: os.stat(f"aspect/{name}").st_mtime_ns for name in os.listdir("aspect")} == before


if __name__ == "__main__":
    main(globals())
