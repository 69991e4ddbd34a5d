"""A peer for bench_neighbors.py: DuckDB's join of a table with itself, the k largest inner products of each row.

usage: peer_duckdb.py VECTORS.npy [--k 20] [--threads 1]
needs: numpy, duckdb (both from PyPI)
prints one JSON line: items, dim, k, threads, seconds, pairs_per_second = n*(n-1)/seconds
"""

import argparse
import json
import os
import tempfile
import time

import duckdb
import numpy as np

p = argparse.ArgumentParser()
p.add_argument("vectors")
p.add_argument("--k", type=int, default=20)
p.add_argument("--threads", type=int, default=1)
a = p.parse_args()

x = np.load(a.vectors).astype(np.float32)
x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30)
n, dim = x.shape
base = duckdb.connect(config={"threads": a.threads})
with tempfile.TemporaryDirectory() as folder:
    table = os.path.join(folder, "rows.csv")
    with open(table, "w") as f:
        f.writelines(f'{i}|[{",".join(map(repr, row.tolist()))}]\n' for i, row in enumerate(x))
    base.execute(f"CREATE TABLE rows AS SELECT id, CAST(v AS FLOAT[{dim}]) AS v FROM read_csv('{table}', delim='|', header=false, "
                 "columns={'id': 'INTEGER', 'v': 'FLOAT[]'})")
start = time.perf_counter()
found = base.execute("SELECT a.id, max_by(b.id, array_inner_product(a.v, b.v), $k) FROM rows a, rows b WHERE a.id <> b.id GROUP BY a.id",
                     {"k": a.k}).fetchall()
seconds = time.perf_counter() - start
assert len(found) == n and all(len(ids) == min(a.k, n - 1) for _, ids in found)
i, ids = found[0]
scores = x @ x[i]
scores[i] = -2
assert len(set(ids) & set(np.argsort(-scores)[:a.k].tolist())) >= len(ids) - 1, "not the nearest"
print(json.dumps(dict(peer="duckdb", version=duckdb.__version__, items=n, dim=dim, k=a.k, threads=a.threads, seconds=seconds,
                      pairs_per_second=n * (n - 1) / seconds)))
