"""publish and rollback as a user sees them: what is in the files, at any number of ranks; what is kept; what is refused."""

import csv
import json
import os
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
        done = akin("publish", "table.nc", "--to", "file:t.jsonl", "--to=file:" + os.path.abspath("t.csv"), "--json", ranks=ranks)
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
        akin("publish", "table.nc", "--to", "file:t.jsonl", "--to", "file:t.csv", ranks=4)
        assert_jsonl("t.jsonl", lists_of("table.nc"))
        assert_csv("t.csv", lists_of("table.nc"))


def test_the_file_before_is_kept_and_comes_back():
    nights = []
    for seed in (1, 2, 3):
        make_table("table.nc", 20, 4, seed)
        akin("publish", "table.nc", "--to", "file:r.jsonl")
        nights.append(read("r.jsonl"))
    assert len(set(nights)) == 3
    assert read("r.jsonl.prev") == nights[1]
    done = akin("rollback", "--to", "file:r.jsonl", "--json", ranks=2)
    assert done.json["status"] == "ok" and done.json["restored"] == ["file:r.jsonl"]
    assert (read("r.jsonl"), read("r.jsonl.prev")) == (nights[1], nights[2])
    akin("rollback", "--to", "file:r.jsonl")
    assert (read("r.jsonl"), read("r.jsonl.prev")) == (nights[2], nights[1])


def test_refusals_touch_nothing():
    make_table("table.nc", 9, 3)
    folder = support.fresh("out")
    good = f"file:{folder}/t.jsonl"
    for url in ("ftp:x.jsonl", "file:x.json", "x.jsonl", "file:", "redis://localhost", f"file:{folder}/../out/t.jsonl"):
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


def test_leftovers_and_odd_names():
    folder = support.fresh("with blank & ünicode")
    make_table("table.nc", 9, 3)
    path = os.path.join(folder, "a table.jsonl")
    with open(path + ".part", "w") as f:
        f.write("left by a run that was killed")
    akin("publish", "table.nc", "--to", "file:" + path)
    assert_jsonl(path, lists_of("table.nc"))
    assert os.listdir(folder) == ["a table.jsonl"]


if __name__ == "__main__":
    for name in os.listdir("."):
        shutil.rmtree(name) if os.path.isdir(name) else os.unlink(name)
    support.main(globals())
