"""run --check finds what it can, several mistakes at once; and the log of a run has one line a stage."""

import os
import re
import shutil

import support
from servers import Redis, free_port, memcached_server, redis_server
from support import akin, draw_catalogue

os.chdir(support.fresh("check"))
draw_catalogue("pictures", 20)


def write_job(name, *more, source="pictures/catalog.csv"):
    with open(f"{name}.ini", "w") as f:
        f.write(f"[job]\nname = {name}\n[ingest]\nsource = {source}\n[train]\nfeatures = handcrafted\n" + "\n".join(more) + "\n")
    return f"{name}.ini"


def test_several_mistakes_of_keys_are_told_at_once():
    job = write_job("wrong", "[neighbors]", "kk = 3", "k = many", "min-score = 0.5", "[publish]", "too = file:x.csv")
    for words in ((), ("--check",)):
        done = akin("run", job, *words, "--json", expect=2)
        assert re.search(r"^wrong.ini:8: \[neighbors\] .*\nwrong.ini:9: \[neighbors\] k .*\nwrong.ini:12: \[publish\] ", done.json["message"]), done.json
        assert [line for line in done.err.splitlines() if "wrong.ini" in line] == [f"akin run: {line}" for line in done.json["message"].split("\n")], done.err
    assert not os.path.exists("results")
    job = write_job("section", "[neighbors]", "kk = 3", "[neighbours]")
    message = akin("run", job, "--json", expect=2).json["message"]
    assert "section.ini:8: " in message and "unknown section [neighbours]" in message, message


def test_mistakes_in_sections_are_told_at_once():
    """Headings that are wrong, unknown or twice, and empty sections, with the wrong keys of the others; no key of a section without a right heading."""
    job = write_job("headings", "[table a b]", "k = many", "[evaluate]", "[table x", "[publsh]", "to = file:x.csv", "[table y]", "kk = 3", "[table y]", "k = many", "[table z]")
    for ranks in (0, 2):
        lines = akin("run", job, "--check", "--json", expect=2, ranks=ranks).json["message"].split("\n")
        places = [re.fullmatch(r"headings.ini:(\d+): (.*)", line).groups() for line in lines]
        said = [("7", "[table a b] needs a name"), ("9", "[evaluate] has no key"), ("10", "a section is written as"), ("11", "unknown section [publsh]; did you mean [publish]?"),
                ("14", "[table y] unknown key kk"), ("15", "[table y] is given twice, first on line 13"), ("17", "[table z] has no key")]
        assert [line for line, _ in places] == [line for line, _ in said] and all(told.startswith(words) for (_, told), (_, words) in zip(places, said)), lines


def test_rules_that_cannot_be_read_are_told_with_wrong_values():
    """Also where nothing is known of the items, and each once."""
    job = write_job("ruled", "[neighbors]", "diversity = 2", "boost = popularity", "within = price=2..1x", "[table more]", "within = price=2..1x", source="absent.csv")
    lines = akin("run", job, "--check", "--json", expect=2, ranks=2).json["message"].split("\n")
    starts = [f"ruled.ini:{line}: [{words}" for line, words in ((4, "ingest] source absent.csv"), (8, "neighbors] diversity"), (9, "neighbors] boost"), (10, "neighbors] within"), (12, "table more] within"))]
    assert len(lines) == len(starts) and all(line.replace("--", "").startswith(start) for line, start in zip(lines, starts)), lines


def test_a_key_of_another_section():
    """The section that has it is named, rather than a key that merely looks like it."""
    job = write_job("astray", "k = 3", "tune = none", "[neighbors]", "min-coverage = 0.5", "to = file:x.csv")
    assert akin("run", job, "--check", "--json", expect=2).json["message"].split("\n") == [
        "astray.ini:7: [train] unknown key k; it belongs to [neighbors] or [table NAME]",
        "astray.ini:10: [neighbors] unknown key min-coverage; it belongs to [publish] or [table NAME]",
        "astray.ini:11: [neighbors] unknown key to; it belongs to [publish]"]


def test_more_mistakes_than_fit_are_counted():
    """In the order of the lines also where the folder's name looks like the place of a mistake."""
    os.makedirs("w: 3", exist_ok=True)
    for wrong in (4, 160):
        job = "w: 3/many.ini"
        os.rename(write_job("many", "[neighbors]", *(f"wrong-{i} = 3" for i in range(wrong)), source="no-catalog.csv"), job)
        for ranks in (0, 3):
            lines = akin("run", job, "--json", expect=2, ranks=ranks).json["message"].split("\n")
            more = re.fullmatch(r"and (\d+) more", lines[-1])
            assert bool(more) == (wrong == 160), lines
            shown = lines[:-1] if more else lines
            assert len(shown) + (int(more[1]) if more else 0) == wrong + 1, lines
            places = [re.fullmatch(r"w: 3/many\.ini:(\d+): \[(neighbors\] unknown key wrong-\d+; did you mean only\?|ingest\] source no-catalog.csv: no such file or folder; give .*)", line) for line in shown]
            assert all(places), lines
            assert [int(place[1]) for place in places] == sorted(int(place[1]) for place in places), lines


def test_mistakes_of_several_kinds_are_told_at_once():
    """Unknown keys, bad values, options that do not go together, and missing files; nothing that follows only from a wrong key."""
    job = write_job("kinds", "epochs = many", "init = no-model.nc", "[neighbors]", "pins = no-pins.csv", "[evaluate]", "pairs = no-pairs.csv",
                    "[publish]", "too = file:x.csv", "[gallery]", "enabled = yes", "[ingest]", "fit = round", "[table more]", "k = 3", source="no-catalog.csv")
    for words in ((), ("--check",)):
        message = akin("run", job, *words, "--json", expect=2, ranks=2).json["message"]
        for part in ("kinds.ini:7: ", "no-model.nc: no such file", "no-pins.csv: no such file", "no-pairs.csv: no such file", "unknown key too", "round",
                     "kinds.ini:4: [ingest] source no-catalog.csv: no such file"):
            assert part in message, (part, message)
        lines = [int(line.split(":")[1]) for line in message.split("\n")]
        assert lines == sorted(lines) and len(lines) == 7 and lines[-1] == 18, message  # what a table repeats is told once
    job = write_job("kinds", "patience = 3", "holdout = 0", "[evaluate]", "against = old.nc", "[publish]", "to = nowhere:x")
    message = akin("run", job, "--check", "--json", expect=2).json["message"]
    for part in ("[train] --patience", "[publish] --to nowhere:x", "old.nc: no such file"):
        assert part in message, (part, message)
    assert message.count("kinds.ini:") == 3 and not os.path.exists("results"), message
    with open("typo.ini", "w") as f:
        f.write("[job]\nname = typo\n[ingest]\nsorce = pictures/catalog.csv\n[gallery]\nenabled = yes\n")
    for words in (("run", "typo.ini"), ("add", "typo.ini", "lost.csv")):
        message = akin(*words, "--json", expect=2).json["message"]
        assert message.count("typo.ini:") == 1 and "unknown key sorce; did you mean source?" in message and "no [ingest]" not in message, message


def test_a_mistake_of_the_sources_is_told_once():
    """Also where other stages read the same sources, with what they take from [ingest]; their own mistakes have their own lines."""
    stages = "[fetch]\ncache = cache\n[gallery]\nenabled = yes\n"
    for line, said in (("encoding = klingon", "--encoding klingon"), ("attributes = price:colour", "price:colour"), ("columns = colour=x", "--columns"),
                       ("bad-attribute = reject", "--bad-attribute")):
        job = write_job("once", stages, source=f"pictures/catalog.csv\n{line}")
        message = akin("run", job, "--check", "--json", expect=2).json["message"]
        assert message.startswith("once.ini:5: [ingest] ") and said in message and "\n" not in message, message
        job = write_job("once", stages + line)
        message = akin("run", job, "--check", "--json", expect=2).json["message"]
        assert message.startswith("once.ini:11: [gallery] ") and said in message and "\n" not in message, message
    job = write_job("once", stages, source="pictures/catalog.csv\nencodin = utf-8")
    message = akin("run", job, "--check", "--json", expect=2).json["message"]
    assert message.startswith("once.ini:5: [ingest] unknown key encodin") and "\n" not in message, message


def test_mistakes_of_the_folder_and_of_the_source_are_told_together():
    """A name that is none, a night that is over, and what the source lacks: each with its line."""
    job = write_job("both", "[neighbors]", "same-category = yes", "pins = no-pins.csv", "[ingest]", "columns = id=SKU")
    text = open(job).read().replace("name = both", "name = a/b")
    with open(job, "w") as f:
        f.write(text)
    for ranks in (0, 3):
        lines = akin("run", job, "--check", "--json", expect=2, ranks=ranks).json["message"].split("\n")
        assert len(lines) == 3, lines
        assert lines[0] == 'both.ini:2: [job] name must be the name of a folder, not "a/b"; use output for a path', lines
        assert lines[1] == "both.ini:9: [neighbors] pins no-pins.csv: no such file", lines
        assert lines[2].startswith("both.ini:11: [ingest] pictures/catalog.csv: no column 'SKU' in its header (id, path"), lines
    assert not os.path.exists("results/a")
    job = write_job("sku", source="pictures/catalog.csv\ncolumns = id=SKU")
    for ranks, words in ((0, ()), (2, ()), (2, ("--check",))):
        message = akin("run", job, *words, "--json", expect=3, ranks=ranks).json["message"]
        assert message.startswith("sku.ini:5: [ingest] pictures/catalog.csv: no column 'SKU'"), message
    shutil.rmtree("results")
    job = write_job("night", "[job]", "keep = 3", "[neighbors]", "same = brand")
    os.makedirs("results/night/2999-01-01")
    lines = akin("run", job, "--check", "--json", expect=2, ranks=2).json["message"].split("\n")
    assert len(lines) == 2 and lines[0].startswith("night.ini:10: [neighbors] same: the items have no attribute brand") and "earlier than the existing night" in lines[1], lines
    os.removedirs("results/night/2999-01-01")


def test_what_is_no_table_has_the_line_of_its_source():
    for name, text in (("empty.csv", ""), ("headless.csv", "name,file\na,b\n")):
        with open(name, "w") as f:
            f.write(text)
        job = write_job("headless", source=f"pictures/catalog.csv {name}")
        for ranks in (0, 2):
            done = akin("run", job, "--check", "--json", expect=3, ranks=ranks)
            assert re.match(rf"headless.ini:4: \[ingest\] \S*{name}: ", done.json["message"]), done.json


def test_a_source_that_is_not_there():
    """Refused before the night begins, with its line."""
    job = write_job("lost", "[job]", "keep = 3", source="pictures/catalog.csv no-catalog.csv")
    for words, ranks in (((), 0), ((), 3), (("--check",), 0)):
        message = akin("run", job, *words, "--json", expect=1, ranks=ranks).json["message"]
        assert message.startswith("lost.ini:4: [ingest] source no-catalog.csv: no such file or folder"), message
        assert not os.path.exists("results"), message


def test_several_missing_files():
    job = write_job("absent", "[publish]", "to = file:nowhere/a.csv file:neither/b.csv", "previous = last.nc", "[evaluate]", "against = old.nc")
    message = akin("run", job, "--check", "--json", expect=2, ranks=2).json["message"]
    assert all(word in message for word in ("nowhere", "neither", "last.nc", "old.nc")), message


def test_what_the_tables_need_and_the_items_lack():
    """Each with its line and section, all at once, and before anything is touched."""
    lines = ["[neighbors]", "within = price=0.8..1.2x", "boost = brand=0.1 margin=0.05", "[table cheap]", "same = season gender", "at-most = price=2",
             "within = price=2", "[table looks]", "aspect = foreground,pixels", "pins = no-pins.csv", "fill = category"]
    source = "labels.csv\nattributes = price:number brand:label"
    with open("labels.csv", "w") as f:
        f.writelines(["id,path,price,brand\n", *(f"i{i},pictures/p{i}.png,{i},b\n" for i in range(9))])
    job = write_job("needs", *lines, source=source).replace(".ini", "")
    text = open(f"{job}.ini").read()
    at = {line: text.split("\n").index(line) + 1 for line in lines}
    missing = akin("run", "needs.ini", "--check", "--json", expect=2).json["message"]
    assert f":{at['pins = no-pins.csv']}: [table looks] pins no-pins.csv: no such file" in missing and missing.count("needs.ini:") == 10, missing
    with open("no-pins.csv", "w") as f:
        f.write("id,neighbor\n")
    for words in (("--check",), ()):
        message = akin("run", "needs.ini", "--json", *words, expect=2, ranks=2).json["message"]
        for line, section, said in [(lines[2], "neighbors", "the attribute brand is not a number"), (lines[2], "neighbors", "margin:number"),
                                    (lines[4], "table cheap", "no attribute season"), (lines[4], "table cheap", "no attribute gender"),
                                    (lines[5], "table cheap", "the attribute price is a number"), (lines[6], "table cheap", "LOW..HIGH"),
                                    (lines[8], "table looks", 'no part "foreground"'), (lines[8], "table looks", 'no part "pixels"; they have colour, edges, texture'),
                                    (lines[10], "table looks", "has a category")]:
            found = [part for part in message.split("\n") if f":{at[line]}: [{section}]" in part and said in part]
            assert len(found) == 1, (line, said, message)
        assert message.count("needs.ini:") == 9 and not os.path.exists("results/needs"), message
    write_job("needs", "[neighbors]", "same = colour", source=source.replace("brand:label", "colour:label size:number"))
    message = akin("run", "needs.ini", "--check", "--json", expect=2).json["message"]
    assert "[ingest]" in message and "no column 'colour'" in message, message
    write_job("needs", "[neighbors]", "same = brand", "within = price=-2..2", "[table a]", "different = available", source=source)
    akin("run", "needs.ini", "--check", ranks=2)
    akin("run", "needs.ini")
    write_job("needs", "[neighbors]", "same = shop", source=source)  # the catalogue that is there is not asked
    assert "shop" in akin("run", "needs.ini", "--json", expect=2).json["message"]


def test_values_that_no_item_has():
    """Each word of `only` and `not`, with its line, as the run itself will say."""
    with open("values.csv", "w") as f:
        f.writelines(["id,path,price,brand,season,category\n", *(f"i{i},pictures/p{i}.png,{i},acme,summer|winter,hats\n" for i in range(9))])
    job = write_job("values", "[neighbors]", "only = brand=Acme category=hats", "not = season=winter season=autumn price=77 price=7,5", "[table right]",
                    "only = brand=acme season=summer available=yes", source="values.csv\nattributes = price:number brand:label season:labels")
    for ranks in (0, 3):
        told = [line for line in akin("run", job, "--check", ranks=ranks).err.splitlines() if "no item" in line]
        assert [line.removeprefix("akin: ") for line in told] == [
            "values.ini:9: [neighbors] only brand=Acme: no item has this value; did you mean acme?",
            "values.ini:10: [neighbors] not season=autumn: no item has this value",
            "values.ini:10: [neighbors] not price=7,5: no item has this value"], told
    told = [line for line in akin("run", job).err.splitlines() if "no item" in line]
    assert len(told) == 3 and "--only brand=Acme" in told[0] and "--not season=autumn" in told[1], told


def test_rules_on_an_availability_that_no_row_states():
    """Each with its line; not where the source has the column, and not where the other catalogue may state it."""
    rules = ["[neighbors]", "only = available=yes", "[table more]", "different = available", "at-most = available=3", "same = available",
             "[table all]", "only = available=no available=true", "not = available=0", "[table none]", "only = available=no", "not = available=yes"]
    nothing, count = ("has no effect: the source does not say which items are available: add", "the source does not say which items are available, so all count as available: add")
    expected = [("8: [neighbors] only ", nothing), ("10: [table more] different: ", count), ("11: [table more] at-most: ", count), ("12: [table more] same ", nothing),
                ("14: [table all] only ", nothing), ("15: [table all] not ", nothing), ("17: [table none] only: ", count), ("18: [table none] not: ", count)]
    for column, told in (("", 8), (",available", 0)):
        with open("stock.csv", "w") as f:
            f.writelines([f"id,path{column}\n", *(f"i{i},pictures/p{i}.png{column and f',{i % 2}'}\n" for i in range(9))])
        err = akin("run", write_job("stock", *rules, source="stock.csv"), "--check", ranks=2).err
        lines = [line.removeprefix("akin: stock.ini:").split(" a column ")[0] for line in err.splitlines() if "does not say which items are available" in line]
        assert sorted(lines) == sorted("".join(one) for one in expected[:told]), err


def test_places_that_do_not_answer_or_are_locked():
    port, other = free_port(), free_port()
    job = write_job("far", "[publish]", f"to = redis://127.0.0.1:{port}/0?catalog=a redis://:secret@127.0.0.1:{other}/0?catalog=b")
    done = akin("run", job, "--check", "--json", expect=1, ranks=2)
    assert re.match(r"far.ini:8: \[publish\] .*\nfar.ini:8: \[publish\] ", done.json["message"]) and "secret" not in done.err + done.json["message"], done.json["message"]
    server = redis_server(port=port)
    job = write_job("far", "[publish]", f"to = redis://127.0.0.1:{port}/0?catalog=b")
    akin("run", job, "--check", ranks=2)
    Redis(server.port)("SET", "akin:b:lock", "another, process 7, since then [7 1 elsewhere]", "PX", "60000")
    done = akin("run", job, "--check")
    assert "catalog=b: someone is publishing there (another, process 7, since then)" in done.err, done.err


def test_files_that_hold_something_else():
    """Read by the readers of the verbs: each with its line, its file and its row, all at once, before anything is touched."""
    files = {"golden.csv": "id,neighbor\np1.png,p2.png\nonly\n", "pins.csv": "a,b,1\na,b,two\n", "blocks.csv": "nothing\n", "kinds.csv": "from,to\nx\n",
             "pairs.csv": "id,neighbor,weight\na,b,-3\n", "junk.nc": "junk\n"}
    for name, text in files.items():
        with open(name, "w") as f:
            f.write(text)
    lines = ["previous = junk.nc", "[train]", "init = junk.nc", "pairs = pairs.csv", "[neighbors]", "pins = pins.csv", "blocks = blocks.csv",
             "[table kinds]", "categories = kinds.csv", "golden = golden.csv", "against = junk.nc", "[evaluate]", "golden = golden.csv",
             "pairs = pairs.csv", "against = junk.nc", "[publish]", "to = file:out-{table}.csv", "previous = junk.nc", "[gallery]", "embeddings = junk.nc"]
    job = write_job("inside", *lines).replace(".ini", "")
    text = open(f"{job}.ini").read().replace("[train]\nfeatures = handcrafted\nprevious = junk.nc\n[train]\n", "previous = junk.nc\n[train]\n")
    with open(f"{job}.ini", "w") as f:
        f.write(text)
    said = {"pairs": 'pairs.csv row 2: "-3" is not a weight', "pins": 'pins.csv row 2: "two" is not a rank', "blocks": "blocks.csv row 1: 1 field",
            "categories": "kinds.csv row 2: 1 field", "golden": "golden.csv row 3: 1 field", "to": None}
    for words in (("--check",), ()):
        message = akin("run", "inside.ini", "--json", *words, expect=3, ranks=2).json["message"]
        for at, line in enumerate(text.split("\n"), 1):
            key = line.split(" = ")[0]
            wanted = said.get(key, "junk.nc: not an akin file" if "junk" in line else None)
            found = [part for part in message.split("\n") if part.startswith(f"inside.ini:{at}: ")]
            assert not wanted or any(wanted in part for part in found), (line, message)
        assert message.count("inside.ini:") == 13, message
    assert not os.path.exists("results/inside")


def test_names_that_the_source_lacks():
    with open("golden.csv", "w") as f:
        f.write("id,neighbor\np1.png,p2.png\np1.png,gone\n")
    with open("pins.csv", "w") as f:
        f.write("no-id,p2,1\np1,p2,1\np1,*,1\n")
    with open("blocks.csv", "w") as f:
        f.write("*,p2\np1,p3\n")
    with open("kinds.csv", "w") as f:
        f.write("from,to\nred,nothing\n")
    with open("named.csv", "w") as f:
        f.writelines(["id,path,category\n", *(f"p{i},pictures/p{i}.png,{'red' if i < 9 else 'blue'}\n" for i in range(18))])
    job = write_job("names", "tune = group", "[neighbors]", "pins = pins.csv", "blocks = blocks.csv", "categories = kinds.csv", "[evaluate]", "label = group",
                    "[publish]", "to = file:names.csv", "golden = golden.csv", source="named.csv")
    done = akin("run", job, "--check", ranks=2)
    for part in ("names.ini:9: [neighbors] pins: 2 of 3 pairs in pins.csv name an id that the source lacks; the first: no-id,p2 in row 1",
                 "categories: 1 of 1 pairs in kinds.csv name a category that the source lacks; the first: red,nothing in row 2",
                 "golden: 2 of 2 pairs in golden.csv", "[train] tune: no item of the source has a group", "[evaluate] label: no item of the source has a group"):
        assert part in done.err, (part, done.err)
    assert "blocks" not in done.err, done.err
    job = write_job("names", "[table products]", "by = group", "[publish]", "to = file:names.csv", source="named.csv")
    assert "names.ini:8: [table products] by group: no item" in akin("run", job, "--json", expect=2).json["message"]
    job = write_job("names", "[publish]", "to = file:names.csv", source="named.csv")
    akin("run", job)
    with open("named.csv") as f:
        rows = f.readlines()
    with open("named.csv", "w") as f:
        f.writelines(rows[:12])
    assert "at least 7 of the 18 items that are published there would be missing" in akin("run", job, "--check").err
    akin("run", job, expect=4)


def test_published_items_that_others_replace():
    """Those that are missing count for max-shrink, also where there are as many items as before: at each kind of place, as the gate judges."""
    def source(first, count):
        with open("moving.csv", "w") as f:
            f.writelines(["id,path\n", *(f"i{i},pictures/p{i - first}.png\n" for i in range(first, first + count))])
    redis, memcached = redis_server(), memcached_server()
    if not redis or not memcached:
        return
    places = ["file:moving.jsonl", "file:moving.csv.csv", f"redis://127.0.0.1:{redis.port}/0?catalog=m", f"memcached://127.0.0.1:{memcached.port}?catalog=m"]
    job = write_job("moving", "[neighbors]", "k = 3", "[publish]", "to = " + " ".join(places), "max-churn = 1", source="moving.csv")
    source(0, 16)
    akin("run", job)
    source(4, 16)
    for ranks in (0, 2):
        err = akin("run", job, "--check", ranks=ranks).err
        assert err.count("at least 4 of the 16 items that are published there would be missing: shrink would be 0.25, max-shrink is 0.1") == 4, err
    refused = akin("run", job, expect=4).err
    assert refused.count("shrink is 0.25, --max-shrink is 0.1") >= 4, refused
    source(1, 16)
    assert "shrink" not in akin("run", job, "--check").err
    akin("run", job)


def test_approved_lists_that_cannot_be_judged():
    """--check tells it with its line, and the night refuses; a limit that every share keeps needs no pair."""
    for text, more, warned in (("", [], True), ("id,neighbor\nx,y\n", [], True), ("id,neighbor\nx,y\nitem-0001,item-0002\n", [], False),
                               ("", ["min-golden = 0"], False)):
        with open("judge.csv", "w") as f:
            f.write(text)
        job = write_job("judge", "[publish]", "to = file:judge-out.csv", "golden = judge.csv", *more)
        told = "judge.ini:9: [publish] golden: judge.csv has no pair of two items of the source: min-golden = 0.9 cannot be judged, and the job would exit with 4"
        done = akin("run", job, "--check", ranks=2)
        assert (told in done.err) == warned, done.err
    with open("judge.csv", "w") as f:
        f.write("")
    for name, more, warned in (("own", ["golden = judge.csv"], True), ("off", ["golden = judge.csv", "min-golden = 0"], False)):
        job = write_job("judge", f"[table {name}]", "k = 3", *more, "[publish]", "to = file:judge-{table}.csv")
        assert (f"[table {name}] golden: judge.csv has no pair" in akin("run", job, "--check").err) == warned
    job = write_job("judge", "[publish]", "to = file:judge-out.csv", "golden = judge.csv")
    message = akin("run", job, "--json", expect=4).json["message"]
    assert "golden cannot be judged" in message and "judge.csv has no pair" in message and "[publish], judge.ini:7, has no min-golden" in message, message
    with open("results/judge/metrics.prom") as f:
        told = f.read()
    assert 'akin_gate_refused{job="judge",gate="min-golden"} 1' in told and 'akin_gate_measured{job="judge",gate="min-golden"}' not in told


def test_the_line_of_the_value_that_is_wrong():
    """Of a key that is given several times, also where a line continues it, and of every table."""
    good, begin = "to = file:fine.csv", 7  # the line of [publish]
    for lines, at, part, code in (([good, "to = file:none/x.csv"], 2, "--to: folder none does not exist", 2),
                                  ([good, "    file:none/x.csv", "to = file:other.csv"], 2, "--to: folder none does not exist", 2),
                                  ([good, "to = nowhere:x"], 2, "--to nowhere:x", 2),
                                  ([good, "to = file:other.csv file:./fine.csv"], 2, "give each target once", 2),
                                  ([good, "to = file:pictures/catalog.csv"], 2, "would overwrite pictures/catalog.csv", 2),
                                  ([good, "to = file:other.csv", "to = redis://127.0.0.1:1/0?catalog=a"], 3, "Redis at 127.0.0.1:1: ", 1),
                                  ([good, "to = file:{table}.csv", "to = file:none-{table}/x.csv", "[table a]", "k = 3"], 3, "--to: folder none-a does not exist", 2),
                                  ([good, "to = file:main-{table}.csv", "to = file:main-a.csv", "[table a]", "k = 3"], 2, "give each target once", 2)):
        job = write_job("line", "[publish]", *lines)
        message = akin("run", job, "--check", "--json", expect=code).json["message"]
        assert any(one.startswith(f"line.ini:{begin + at}: [publish] ") and part in one for one in message.split("\n")), (lines, message)
        assert f"line.ini:{begin + 1}: " not in message, (lines, message)
    job = write_job("line", "[publish]", "to = file:none/{table}.csv", "[table a]", "k = 3", "[table b]", "k = 4")
    message = akin("run", job, "--check", "--json", expect=2).json["message"]
    assert message == "line.ini:8: [publish] --to: folder none does not exist: create it, or choose another", message
    job = write_job("line", "[neighbors]", "pins = pins.csv", "pins = none.csv", "[ingest]", "source = none-there.csv")
    message = akin("run", job, "--check", "--json", expect=1).json["message"]
    for told in ("line.ini:9: [neighbors] pins none.csv: no such file", "line.ini:11: [ingest] source none-there.csv: no such file"):
        assert told in message, message
    with open(job, "w") as f:
        f.write("[job]\noutput = /proc/out\n[ingest]\nsource = pictures/catalog.csv\n")
    assert akin("run", job, "--check", "--json", expect=1).json["message"].startswith("line.ini:2: [job] output /proc/out cannot be written: ")


def test_rejects_of_the_last_night():
    job = write_job("rejected")
    with open("pictures/p3.png", "wb") as f:
        f.write(b"no picture")
    akin("run", job)
    done = akin("run", job, "--check", "--json")
    assert done.json["rejected_before"] == 1 and "1 row of the source was rejected last time" in done.err and "exit with 3" not in done.err
    with open("pictures/p4.png", "wb") as f:
        f.write(b"no picture")
    akin("run", job, expect=3)
    assert "the job would exit with 3" in akin("run", job, "--check").err
    with open("thirty.csv", "w") as f:  # a file that was missing then and is missing now counts once
        f.writelines(["id,path\n", *(f"i{i},pictures/p{5 + i % 15}.png\n" for i in range(29)), "gone,gone.png\n"])
    job = write_job("thirty", source="thirty.csv")
    akin("run", job)
    done = akin("run", job, "--check", "--json")
    assert (done.json["missing"], done.json["rejected_before"]) == (1, 0) and "exit with 3" not in done.err, done.err


def test_what_a_source_says_is_told_once():
    """By all stages of a run that list it, also beforehand; in the log where it is listed once more after that begins."""
    with open("spare.csv", "w") as f:
        f.writelines(["id,path,category,popularity,price\n", *(f"i{i},pictures/p{i}.png,a,{i},{'x' if i == 12 else i}\n" for i in range(10, 20))])
    job = write_job("spare", "[neighbors]", "same-category = yes", "[gallery]", "enabled = yes", source="spare.csv\nattributes = price:number")
    for ranks, words in ((0, ["--check"]), (0, []), (2, [])):
        err = akin("run", job, *words, ranks=ranks).err
        assert err.count("spare.csv: 1 column is ignored: popularity") == 1, err
        assert err.count("1 row with a wrong value of attribute price") == 1, err
    log = open("results/spare/log.txt").read()
    assert log.count("1 column is ignored") == 1 and log.count("wrong value of attribute price") == 1, log


def test_a_line_a_stage():
    job = write_job("lines", "[neighbors]", "k = 10", "[evaluate]", "label = category", "[publish]", "to = file:lines.jsonl")
    draw_catalogue("pictures", 20)
    done = akin("run", job, ranks=2)
    with open("results/lines/log.txt") as f:
        log = [line[20:].rstrip("\n") for line in f]
    for stage in ("ingest", "train", "embed", "neighbors", "evaluate", "publish"):
        lines = [line for line in log if line.startswith(f"{stage}: ")]
        assert len(lines) == 1 and re.match(rf"{stage}: 20 items in [\d.]+ s, [\d,]+ \S+/s, peak memory [\d,]+ MiB \(rank \d\)(; |$)", lines[0]), lines
    assert "20 rows, 20 items, 0 rejected" in done.err and "now holds this table" in done.err and "380 pairs" in done.err, done.err
    alone = akin("ingest", "pictures/catalog.csv", "-o", "alone.nc")
    assert re.search(r"ingest: 20 rows, 20 items, 0 rejected, 0 reused from the previous catalogue, [\d,]+ images/s", alone.err), alone.err


def test_a_table_does_not_take_keys_of_neighbors():
    """Which is said, with the keys; not of those that it has, or that are as by default."""
    job = write_job("tables", "[neighbors]", "k = 9", "min-score = 0.1", "damp-hubs = no", "at-most = category=2", "checkpoint-every = 60",
                    "[table one]", "k = 3", "[table two]", "k = 3", "min-score = 0", "at-most = category=1")
    for ranks in (0, 2):
        said = [line for line in akin("run", job, "--check", ranks=ranks).err.splitlines() if "[neighbors]" in line]
        assert said == ["akin: tables.ini:13: [table one] does not take these keys from [neighbors], and has their defaults: min-score, at-most"], said


support.main(globals())
