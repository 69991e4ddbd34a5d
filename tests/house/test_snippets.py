"""The README's lines for xarray, pandas and DuckDB run as they stand, on ids that look like numbers too, and show the scores."""

import csv
import os
import re
import subprocess

from servers import python_with
from support import SOURCE, akin, draw, fresh, main

CHECKS = {
    "xarray": "assert table.neighbor.sel(item='007').notnull().sum() == 3 and table.neighbor.sel(item='apple').isnull().sum() == 1",
    "pandas": "assert set(rows.id) == {'007', '1e3', 'apple', 'NA'} and len(rows[rows.id == 'NA']) == 3",
    "duckdb": "assert duckdb.sql(\"SELECT count(*) FROM read_csv('table.csv', types={'id': 'VARCHAR'}) WHERE id = '007'\").fetchall() == [(3,)]",
}


def test_the_snippets():
    folder = fresh("snippets")
    os.makedirs(f"{folder}/pictures")
    with open(f"{folder}/catalog.csv", "w") as f:
        f.write("id,path\n")
        for seed, name in enumerate(("007", "1e3", "apple", "NA")):
            draw(f"{folder}/pictures/{seed}.png", seed)
            f.write(f"{name},pictures/{seed}.png\n")
    akin("ingest", f"{folder}/catalog.csv", "-o", f"{folder}/c.nc")
    akin("train", f"{folder}/c.nc", "-o", f"{folder}/m.nc", "--features", "pixels-pca")
    akin("embed", f"{folder}/c.nc", "--model", f"{folder}/m.nc", "-o", f"{folder}/e.nc")
    akin("neighbors", f"{folder}/e.nc", "-o", f"{folder}/table.nc", "-k", "4")
    akin("publish", f"{folder}/table.nc", "--to", f"file:{folder}/table.csv")
    with open(f"{SOURCE}/README.md") as f:
        snippets = re.findall(r"```python\n(.*?)```", f.read(), re.S)
    python = python_with("xarray", "netCDF4", "pandas", "duckdb")
    assert len(snippets) == 1 and all(f"import {', '.join(sorted(CHECKS))}" in s for s in snippets), snippets
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run([python, "-c", "\n".join([snippets[0], *CHECKS.values()])], cwd=folder, capture_output=True, text=True, env=clean, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    with open(f"{folder}/table.csv", newline="") as f:
        scores = [row["score"][:6] for row in csv.DictReader(f) if row["id"] == "apple"]
    assert len(scores) == 3 and all(done.stdout.count(score) == 2 for score in scores), (scores, done.stdout)  # by xarray and by duckdb


if __name__ == "__main__":
    main(globals())
