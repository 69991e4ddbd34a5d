"""akin ingest on large inputs: a million rows without files, and all of openclipart-png with its bombs, where that is installed."""

import csv
import os
import shutil
import subprocess
import time

from support import akin, command, fresh, main

CLIPART = "/usr/share/openclipart/png"


def test_a_million_rows_without_files():
    fresh("million")
    with open("million/t.csv", "w") as f:
        f.write("id,path,category,group\n")
        f.writelines(f"item-{i:07d},pictures/{i % 1000}/{i}.jpg,c{i % 50},g{i // 3}\n" for i in range(1_000_000))
    begin = time.time()
    done = akin("ingest", "million/t.csv", "--json", "-o", "million.nc", "--rejects", "million.csv", expect=3, timeout=300)
    assert done.json["rows"] == done.json["rejected"] == 1_000_000 and done.json["items"] == 0
    with open("million.csv") as f:
        assert sum(1 for _ in f) == 1_000_001
    print(f"   a million rows: {time.time() - begin:.1f} s", flush=True)
    shutil.rmtree("million")
    os.remove("million.csv")


def test_openclipart():
    """8,121 files, with links to files and folders, and pictures of up to 20990x29700 pixels; under 1 GiB a rank."""
    if not os.path.isdir(CLIPART):
        print("   openclipart-png is not installed: skipped", flush=True)
        return
    files = sum(len(names) for _, _, names in os.walk(CLIPART, followlinks=True))
    begin = time.time()
    done = subprocess.run(["/usr/bin/env", "python3", "-c", """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)""", *command(["ingest", CLIPART, "-o", "clipart.nc", "--rejects", "clipart.csv", "--json", "--quiet"], 2)],
                          capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    peak = int(done.stderr.split()[-1]) // 1024
    with open("clipart.csv", newline="") as f:
        rejected = list(csv.reader(f))[1:]
    assert f'"rows":{files},' in done.stdout and f'"rejected":{len(rejected)},' in done.stdout, done.stdout
    assert rejected and all("--max-pixels" in reason for _, _, reason in rejected)
    assert peak < 1024, f"{peak} MiB"
    print(f"   {files} files, {len(rejected)} rejected, {peak} MiB, {time.time() - begin:.0f} s", flush=True)


main(globals())
