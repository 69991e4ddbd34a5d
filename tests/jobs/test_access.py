"""File permissions and locations: files are made with the umask; ids that look like paths, shell words or markup never become
a file name, and nothing outside the job's folders is touched."""

import csv
import os
import re
import shutil
import stat

import support
from support import akin, draw

IDS = ["../../escaped", "..", "/etc/akin-escaped", "a/b/../../../../escaped", "back\\..\\slash", "$(touch pwned)", "`touch pwned`", "; touch pwned",
       "| touch pwned", "<script>alert(1)</script>", "%2e%2e%2fescaped", "con", "nul.", "-rf", "*", "~", "ü👕", "a b", "quo\"te'", "{x}", "\x1b[31m", "\x01\x7f",
       "x" * 1000, "index.html", ".hidden", "items.js"]
JOB = """[job]
name = odd $(touch pwned) ; touch pwned
output = results/odd
[ingest]
source = pictures/catalog.csv
[train]
epochs = 1
[neighbors]
k = 4
[evaluate]
label = category
[publish]
to = file:published/odd.jsonl file:published/odd.csv file:published/odd.npy
[gallery]
picture-size = 16
"""


def everything():
    return {os.path.join(at, name) for at, folders, names in os.walk(".") for name in folders + names}


def make():
    folder = support.fresh("access")
    os.makedirs(os.path.join(folder, "inside", "deep"))
    os.chdir(os.path.join(folder, "inside", "deep"))
    os.makedirs("pictures")
    with open("pictures/catalog.csv", "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f)
        w.writerow(["id", "path", "category"])
        for i, name in enumerate(IDS):
            draw(f"pictures/p{i}.png", i)
            w.writerow([name, f"p{i}.png", IDS[(i * 7) % len(IDS)] if i % 3 else "plain"])
    os.makedirs("published")
    with open("odd.ini", "w") as f:
        f.write(JOB)
    return folder


def test_ids_become_no_names():
    folder = make()
    before = everything()
    done = akin("run", "odd.ini", "--json", ranks=2)
    assert done.json["items"] == len(IDS), done.json
    names = everything() - before
    assert all(path.startswith(("./results", "./published")) for path in names), sorted(names)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", part) for path in names for part in path.split("/")), sorted(names)
    assert "pwned" not in os.listdir(".") and sorted(os.listdir(folder)) == ["inside"] and os.listdir(os.path.join(folder, "inside")) == ["deep"]
    assert not os.path.exists("/etc/akin-escaped")
    found = akin("query", "results/odd/embeddings.nc", "--id", IDS[0], "-k", "3").out.splitlines()
    assert len(found) == 3
    page = "".join(open(os.path.join(at, name), encoding="utf-8", errors="replace").read() for at, _, files in os.walk("results/odd/gallery")
                   for name in files if name.endswith(".html"))
    assert "<script>alert(1)" not in page


def test_the_umask_is_obeyed():
    for mask in (0o027, 0o002):
        make()
        old = os.umask(mask)
        try:
            shutil.rmtree("published")
            os.makedirs("published")
            before = everything()
            akin("run", "odd.ini", "--quiet", ranks=2)
            akin("run", "odd.ini", "--quiet")
        finally:
            os.umask(old)
        for path in sorted(everything() - before):
            facts = os.lstat(path)
            if stat.S_ISLNK(facts.st_mode):
                continue
            wanted = (0o777 if stat.S_ISDIR(facts.st_mode) else 0o666) & ~mask
            if os.path.basename(path) == "job.ini":  # repeats the job file, so it is never readable by more people
                wanted &= stat.S_IMODE(os.stat("odd.ini").st_mode)
            assert stat.S_IMODE(facts.st_mode) == wanted, f"umask {mask:03o}: {path} has {stat.S_IMODE(facts.st_mode):03o}, not {wanted:03o}"


if __name__ == "__main__":
    support.main(globals())
