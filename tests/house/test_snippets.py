"""The README's lines for xarray, pandas and DuckDB run as they stand, on ids that look like numbers too."""

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
    for name, check in CHECKS.items():
        mine = [s for s in snippets if name in s]
        assert len(mine) == 1, name
        clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run([python, "-c", mine[0] + check], cwd=folder, capture_output=True, text=True, env=clean, timeout=120)
        assert done.returncode == 0, (name, done.stderr[-2000:])


if __name__ == "__main__":
    main(globals())
