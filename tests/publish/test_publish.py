"""publish and rollback as a user sees them: what is in the files, at any number of ranks; what is kept; what is refused."""

import csv
import json
import os
import re
import shutil

import netCDF4
import numpy as np

import support
from support import akin

IDS = ["plain", "com,ma", 'quo"te', "ümlaut 👕", "back\\slash", "a/b c.png", " blank", "<b>&amp;", "'; drop"]


def make_table(path, n, k, seed=1, rules=()):
    """A table by `akin neighbors` on vectors with ids; one vector is zero, so that one list is empty."""
    vectors = np.random.default_rng(seed).standard_normal((n, 6)).astype(np.float32)
    vectors[min(3, n - 1)] = 0
    np.save("vectors.npy", vectors)
    with open("ids.txt", "w", encoding="utf-8") as f:
        f.writelines(f"{IDS[i % len(IDS)]}-{i}\n" for i in range(n))
    akin("neighbors", "vectors.npy", "--ids", "ids.txt", "-o", path, "-k", k, *rules)


OPEN = ("--min-coverage", 0, "--max-churn", 1, "--max-shrink", 1)  # the gates


def lists_of(path):
    """[(id, [(neighbour's id, score)...])...] of a table, read with netCDF4."""
    with netCDF4.Dataset(path) as d:
        d.set_auto_maskandscale(False)
        d.set_auto_chartostring(False)
        ids = [row.tobytes().rstrip(b"\0").decode() for row in d["id"][...]]
        neighbor, score, count = d["neighbor"][...], d["score"][...], d["count"][...]
    return [(ids[i], [(ids[neighbor[i, r]], score[i, r]) for r in range(count[i])]) for i in range(len(ids))]


def read(path):
    with open(path, "rb") as f:
        return f.read()


def assert_jsonl(path, lists):
    lines = read(path).decode().splitlines()
    assert len(lines) == len(lists)
    for line, (name, neighbors) in zip(lines, lists):
        entry = json.loads(line)
        assert list(entry) == ["id", "neighbors"] and entry["id"] == name
        assert [(other, np.float32(score)) for other, score in entry["neighbors"]] == neighbors, name


def assert_csv(path, lists):
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f))
    assert rows[0] == ["id", "rank", "neighbor", "score"]
    expected = [(name, str(r + 1), other, score) for name, neighbors in lists for r, (other, score) in enumerate(neighbors)]
    assert [(a, b, c, np.float32(d)) for a, b, c, d in rows[1:]] == expected


def test_files_hold_the_table_at_any_number_of_ranks():
    make_table("table.nc", 40, 5)
    lists, first = lists_of("table.nc"), None
    assert any(not neighbors for _, neighbors in lists) and any(len(neighbors) == 5 for _, neighbors in lists)
    for ranks in (0, 1, 2, 3, 5):
        done = akin("publish", "table.nc", "--to", "file:t.jsonl", "--to=file:" + os.path.abspath("t.csv"), *OPEN, "--json", ranks=ranks)
        assert_jsonl("t.jsonl", lists)
        assert_csv("t.csv", lists)
        assert done.json["status"] == "ok" and done.json["exit"] == 0 and done.json["items"] == 40
        assert done.json["ranks"] == max(1, ranks)
        with netCDF4.Dataset("table.nc") as d:
            assert done.json["table_digest"] == d.content_digest
        assert [p["bytes"] for p in done.json["published"]] == [os.path.getsize("t.jsonl"), os.path.getsize("t.csv")]
        assert [p["url"] for p in done.json["published"]] == ["file:t.jsonl", "file:" + os.path.abspath("t.csv")]
        bytes_now = read("t.jsonl"), read("t.csv")
        first = first or bytes_now
        assert bytes_now == first, f"other bytes at {ranks} ranks"


def test_fewer_items_than_ranks():
    for n in (1, 2):
        make_table("table.nc", n, 3)
        akin("publish", "table.nc", "--to", "file:t.jsonl", "--to", "file:t.csv", *OPEN, ranks=4)
        assert_jsonl("t.jsonl", lists_of("table.nc"))
        assert_csv("t.csv", lists_of("table.nc"))


def test_the_file_before_is_kept_and_comes_back():
    nights = []
    for seed in (1, 2, 3):
        make_table("table.nc", 20, 4, seed)
        akin("publish", "table.nc", "--to", "file:r.jsonl", *OPEN)
        nights.append(read("r.jsonl"))
    assert len(set(nights)) == 3
    assert read("r.jsonl.prev") == nights[1]
    done = akin("rollback", "--to", "file:r.jsonl", "--json", ranks=2)
    assert done.json["status"] == "ok" and done.json["restored"] == ["file:r.jsonl"] and done.json["items"] == 20
    assert (read("r.jsonl"), read("r.jsonl.prev")) == (nights[1], nights[2])
    akin("rollback", "--to", "file:r.jsonl")
    assert (read("r.jsonl"), read("r.jsonl.prev")) == (nights[2], nights[1])


def test_what_was_rolled_back_is_left_out_after_other_tables_too():
    def left(seed, *words):
        return akin("publish", f"b{seed}.nc", "--to", "file:b.csv", *OPEN, *words, "--json").json["places_left"]

    for seed in range(12):
        make_table(f"b{seed}.nc", 20, 4, seed)
    left(0)
    for seed in range(1, 11):  # of ten in turn the last eight are known
        assert left(seed) == 0
        akin("rollback", "--to", "file:b.csv")
    assert left(11, "--respect-rollback") == 0 and not left(2, "--respect-rollback", "--dry-run")
    assert [left(seed, "--respect-rollback") for seed in range(3, 11)] == [1] * 8
    assert left(7) == 0 and left(0) == 0  # by hand it is published, and no longer one of them
    assert [left(seed, "--respect-rollback", "--dry-run") for seed in (6, 7, 8)] == [1, 0, 1]
    with open("b.csv.rolled-back", "w") as f:
        f.write("mine")
    assert "b.csv.rolled-back" in akin("publish", "b1.nc", "--to", "file:b.csv", *OPEN, expect=3).err and read("b.csv.rolled-back") == b"mine"


def test_refusals_touch_nothing():
    make_table("table.nc", 9, 3)
    folder = support.fresh("out")
    good = f"file:{folder}/t.jsonl"
    for url in ("ftp:x.jsonl", "file:x.json", "x.jsonl", "file:", "redis://localhost", "file:x.parquet", f"file:{folder}/../out/t.jsonl",
                f"file:{folder}/a.jsonl file:{folder}/b.csv"):
        done = akin("publish", "table.nc", "--to", good, "--to", url, "--json", expect=2, ranks=2)
        assert done.json["status"] == "failed" and done.json["exit"] == 2 and url in done.json["message"]
        assert akin("rollback", "--to", url, "--to", good, expect=2).err
    assert "file:PATH.jsonl" in akin("publish", "table.nc", "--to", "ftp:x", expect=2).err
    akin("publish", "table.nc", expect=2)
    akin("publish", "--to", good, expect=2)
    akin("publish", "missing.nc", "--to", good, expect=1)
    akin("publish", "table.nc", "--to", good, "--to", f"file:{folder}/no/t.csv", expect=1)
    assert "t.jsonl.prev" in akin("rollback", "--to", good, expect=1).err
    damaged = bytearray(read("table.nc"))
    damaged[-40] ^= 0xFF
    for name, content in (("cut.nc", damaged[:len(damaged) // 2]), ("text.nc", b"no table"), ("damaged.nc", damaged)):
        with open(name, "wb") as f:
            f.write(content)
        akin("publish", name, "--to", good, expect=3, ranks=2)
    assert os.listdir(folder) == []


def test_options_of_other_places_are_refused():
    for words, named in ((("--format", "ids"), "--format is for redis:// and memcached://"), (("--buckets", 2), "--buckets is for redis://"),
                         (("--keep-previous", "1h"), "--keep-previous is for redis://")):
        assert named in akin("publish", "table.nc", "--to", "file:other.jsonl", *words, expect=2).err
    assert not os.path.exists("other.jsonl")
    akin("publish", "table.nc", "--to", "file:other.jsonl", "--format", "json", "--buckets", 0, "--keep-previous", "12h", *OPEN)


def test_leftovers_and_odd_names():
    folder = support.fresh("with blank & ünicode")
    make_table("table.nc", 9, 3)
    path = os.path.join(folder, "a table.jsonl")
    with open(path + ".part", "w") as f:
        f.write("left by a run that was killed")
    akin("publish", "table.nc", "--to", "file:" + path, *OPEN)
    assert_jsonl(path, lists_of("table.nc"))
    assert os.listdir(folder) == ["a table.jsonl"]


def test_cells_that_a_spreadsheet_would_run_are_marked_on_demand():
    """--csv-safe: an apostrophe before = + - @, which a later publication understands; without it ids stay as they are."""
    ids = ["=cmd()", "+1", "-2", "@x", "plain", "a=b"]
    np.save("formulas.npy", np.random.default_rng(4).standard_normal((6, 5)).astype(np.float32))
    with open("formulas.ids", "w") as f:
        f.writelines(name + "\n" for name in ids)
    akin("neighbors", "formulas.npy", "--ids", "formulas.ids", "-k", 3, "-o", "formulas.nc")
    cells = lambda path: {cell for row in csv.reader(open(path, newline="")) for cell in (row[0], row[2])} - {"id", "neighbor"}
    akin("publish", "formulas.nc", "--to", "file:bare.csv")
    assert cells("bare.csv") == set(ids)
    akin("publish", "formulas.nc", "--to", "file:safe.csv", "--csv-safe")
    assert cells("safe.csv") == {"'" + name if name[0] in "=+-@" else name for name in ids}
    akin("neighbors", "formulas.npy", "--ids", "formulas.ids", "-k", 2, "-o", "fewer.nc")
    change = akin("publish", "fewer.nc", "--to", "file:safe.csv", "--csv-safe", "--dry-run", "--json").json["published"][0]["change"]
    assert change["new"] == change["gone"] == 0 and abs(change["churn"] - 1 / 3) < 1e-6, change
    assert "csv-safe = yes" in akin("run", "none.ini", "--csv-safe", expect=2).err


def test_the_same_table_again_keeps_the_one_before():
    for name in ("s.jsonl", "s.csv", "s.npy"):
        make_table("first.nc", 20, 4, 1)
        make_table("second.nc", 20, 4, 2)
        akin("publish", "first.nc", "--to", "file:" + name, *OPEN)
        first = read(name)
        akin("publish", "second.nc", "--to", "file:" + name, *OPEN)
        second = read(name)
        done = akin("publish", "second.nc", "--to", "file:" + name, *OPEN, "--json")
        assert done.json["published"][0]["already"] is True and "already" in done.err, done.err
        assert (read(name), read(name + ".prev")) == (second, first)
        done = akin("rollback", "--to", "file:" + name, "--json")
        assert (read(name), read(name + ".prev")) == (first, second) and done.json["items"] in (19, 20), done.json


def test_numpy_reads_the_pair():
    make_table("table.nc", 30, 4)
    akin("publish", "table.nc", "--to", "file:pair.npy", *OPEN)
    with netCDF4.Dataset("table.nc") as d:
        d.set_auto_maskandscale(False)
        expected = d["neighbor"][...], d["score"][...]
    with open("pair.npy", "rb") as f:
        neighbor, score = np.load(f), np.load(f)
        assert not f.read()
    assert neighbor.dtype == np.int32 and score.dtype == np.float32
    assert (neighbor == expected[0]).all() and (score == expected[1]).all()


def test_a_numpy_pair_is_gated_by_its_size_alone_and_that_is_said():
    make_table("table.nc", 30, 4)
    make_table("other.nc", 30, 4, 2)
    make_table("few.nc", 20, 4)
    akin("publish", "table.nc", "--to", "file:gated.npy", "--min-coverage", 0)
    before = read("gated.npy")
    refused = akin("publish", "few.nc", "--to", "file:gated.npy", "--min-coverage", 0, expect=4)
    assert "shrink is 0.3" in refused.err and read("gated.npy") == before, refused.err
    done = akin("publish", "other.nc", "--to", "file:gated.npy", "--min-coverage", 0, "--max-churn", 0, "--json")
    change = done.json["published"][0]["change"]
    assert "--max-churn cannot gate it" in done.err and (change["churn"], change["shrink"]) == (None, 0), (done.err, change)


def test_files_of_others_are_not_written_over():
    make_table("table.nc", 9, 3)
    folder = support.fresh("others")
    theirs = {"catalog.csv": b"id,path\na,a.png\n", "rejects.csv": b"id,path,reason\n", "notes.jsonl": b'{"a": 1}\n',
              "bytes.npy": b"\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }\n", "kept.csv.prev": b"mine"}
    for name, content in theirs.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(content)
    for name in theirs:
        path = os.path.join(folder, name.removesuffix(".prev"))
        done = akin("publish", "table.nc", "--to", "file:" + path, *OPEN, expect=3)
        assert name in done.err and "not overwritten" in done.err, done.err
        for verb in "rollback", "status":
            done = akin(verb, "--to", "file:" + path, expect=3)
            assert name in done.err and "give the file that was published" in done.err and "overwritten" not in done.err, done.err
    for name, content in theirs.items():
        assert read(os.path.join(folder, name)) == content
    assert sorted(os.listdir(folder)) == sorted(theirs)
    open(os.path.join(folder, "empty.csv"), "w").close()  # holds nothing that could be lost
    akin("publish", "table.nc", "--to", f"file:{folder}/empty.csv", *OPEN)
    os.symlink(os.path.abspath("table.nc"), os.path.join(folder, "alias.csv"))
    before = read("table.nc")
    done = akin("publish", "table.nc", "--to", f"file:{folder}/alias.csv", *OPEN, expect=2)
    assert "table.nc" in done.err and read("table.nc") == before, done.err


def test_a_job_does_not_write_over_its_own_files():
    support.draw_catalogue("pictures", 12)
    source = read("pictures/catalog.csv")
    for url, code in (("file:pictures/catalog.csv", 2), ("file:results/own/rejects.csv", 2), ("file:others/notes.jsonl", 3)):
        with open("own.ini", "w") as f:
            f.write(f"[job]\nname = own\n[ingest]\nsource = pictures/catalog.csv\n[train]\nepochs = 1\n[publish]\nto = {url}\n")
        done = akin("run", "own.ini", "--json", expect=code)
        assert url in done.json["message"] or url[5:] in done.json["message"], done.json
        assert "own.ini:8" in done.json["message"] and not os.path.exists("results/own/table.nc"), done.json
    assert read("pictures/catalog.csv") == source


def test_a_folder_without_the_right_to_write_is_told_from_one_that_is_missing():
    make_table("table.nc", 9, 3)
    assert "create its folder" in akin("publish", "table.nc", "--to", "file:absent/t.csv", *OPEN, expect=1).err
    done = akin("publish", "table.nc", "--to", "file:/proc/self/fd/t.csv", *OPEN, expect=1)
    assert "cannot be written" in done.err and ("create its folder" in done.err) == ("No such file" in done.err), done.err


def gate(*words, expect=0):
    return akin("publish", "new.nc", "--to", "file:g.jsonl", *words, "--json", expect=expect)


def test_gates_refuse_and_say_what_was_measured():
    def table(path, vectors, ids):
        np.save("vectors.npy", vectors.astype(np.float32))
        with open("ids.txt", "w") as f:
            f.writelines(f"{i}\n" for i in ids)
        akin("neighbors", "vectors.npy", "--ids", "ids.txt", "-o", path, "-k", 5)

    old, other = np.random.default_rng(1).standard_normal((2, 50, 6))
    table("old.nc", old, range(50))
    akin("publish", "old.nc", "--to", "file:g.jsonl")
    before = read("g.jsonl")
    table("new.nc", np.vstack([old[:44], other[44:]]), [*range(44), *range(144, 150)])
    for expect, more in ((4, ()), (0, ("--dry-run", "--max-shrink", 0.2)), (4, ("--dry-run",))):
        done = gate(*more, expect=expect)
        change = done.json["published"][0]["change"]
        assert (change["before"], change["new"], change["gone"]) == (50, 6, 6) and abs(change["shrink"] - 0.12) < 1e-9, change
        assert read("g.jsonl") == before and os.listdir(".").count("g.jsonl.prev") == 0
        if expect:
            assert "shrink is 0.12" in done.json["message"] and "--max-shrink" in done.json["message"], done.json
    table("new.nc", other, range(50))
    done = gate(expect=4)
    akin("neighbors", "vectors.npy", "--ids", "ids.txt", "-o", "new.nc", "-k", 5)
    churn = akin("evaluate", "new.nc", "--against", "old.nc", "--json").json["churn"]
    assert abs(done.json["published"][0]["change"]["churn"] - churn) < 1e-12 and "churn is" in done.json["message"]
    gate("--dry-run", "--max-churn", churn - 1e-12)  # at its limit, but for the rounding of a mean
    gate("--dry-run", "--max-churn", churn - 1e-6, expect=4)
    for name in ("g.csv", "g.jsonl"):  # a .csv is read back too
        akin("publish", "old.nc", "--to", "file:" + name)
        done = akin("publish", "new.nc", "--to", "file:" + name, "--json", "--max-churn", 1)
        assert abs(done.json["published"][0]["change"]["churn"] - churn) < 1e-12
    other[:5] = 0
    table("new.nc", other, range(50))
    done = gate("--max-churn", 1, expect=4)
    assert done.json["coverage"] == 0.9 and "coverage is 0.9" in done.json["message"], done.json
    *lines, last = gate("--max-churn", 0.05, expect=4).json["message"].splitlines()
    assert last.startswith("nothing was published: ") and lines[0] == "coverage is 0.9, --min-coverage is 0.95", lines
    assert len(lines) == 2 and re.fullmatch(r"file:g.jsonl: churn is 0\.\d+, --max-churn is 0.05", lines[1]), lines
    assert "50 items" not in akin("publish", "new.nc", "--to", "file:g.jsonl", "--dry-run", "--max-churn", 1, "--min-coverage", 0).err
    out = akin("publish", "new.nc", "--to", "file:g.jsonl", "--dry-run", "--max-churn", 1, "--min-coverage", 0).out
    assert "holds 50 items; 0 new, 0 lost" in out, out
    np.save("vectors.npy", np.zeros((3, 3), np.float32))
    akin("publish", "old.nc", "--to", "file:fresh.jsonl", "--dry-run")
    assert not os.path.exists("fresh.jsonl")


if __name__ == "__main__":
    for name in os.listdir("."):
        shutil.rmtree(name) if os.path.isdir(name) else os.unlink(name)
    support.main(globals())
