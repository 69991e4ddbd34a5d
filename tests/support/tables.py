"""Tables for tests of publishing: made from random vectors, with ids that need escaping; two nights of one catalogue."""

import netCDF4
import numpy as np

from support import akin

OPEN = ("--min-coverage", 0, "--max-churn", 1, "--max-shrink", 1)  # the gates


def names(numbers):
    kinds = ["plain", "com,ma", 'quo"te', "ümlaut👕", "back\\slash", "a/b.png", "100%"]
    return [f"{kinds[i % len(kinds)]}-{i}" for i in numbers]


def make_table(path, vectors, ids, k=5):
    np.save(path + ".npy", np.asarray(vectors, np.float32))
    with open(path + ".ids", "w", encoding="utf-8") as f:
        f.writelines(f"{i}\n" for i in ids)
    akin("neighbors", path + ".npy", "--ids", path + ".ids", "-o", path, "-k", k)
    return path


def two_nights(n=300, k=5, share=0.05, old="old.nc", new="new.nc"):
    """Two tables: in the second, a share of the items is gone, as many are new, and some lists differ."""
    vectors = np.random.default_rng(1).standard_normal((n, 6))
    few = max(1, int(n * share))
    make_table(old, vectors, names(range(n)), k)
    more = np.vstack([vectors[few:], np.random.default_rng(2).standard_normal((few, 6))])
    make_table(new, more, names([*range(few, n), *range(n + 1000, n + 1000 + few)]), k)
    return old, new


def other_table(path="other.nc", n=300, k=5, seed=3, ids=None):
    """Nothing like them, under the same ids as the first."""
    return make_table(path, np.random.default_rng(seed).standard_normal((n, 6)), ids or names(range(n)), k)


def lists_of(path):
    """{id: [(neighbour's id, score)...]} of a table, read with netCDF4."""
    with netCDF4.Dataset(path) as d:
        d.set_auto_maskandscale(False)
        d.set_auto_chartostring(False)
        ids, others = ([row.tobytes().rstrip(b"\0").decode() for row in d[name if name in d.variables else "id"][...]] for name in ("id", "target_id"))
        neighbor, score, count = d["neighbor"][...], d["score"][...], d["count"][...]
    return {ids[i]: [(others[neighbor[i, r]], score[i, r]) for r in range(count[i])] for i in range(len(ids))}


def digest_of(path):
    with netCDF4.Dataset(path) as d:
        return d.content_digest


def check_what_is_left_out(place, old, new, other, *words):
    """A target leaves out what was rolled back there, also after other tables; a table published by hand no longer counts as that. It ends with
    `new`."""
    def left(path, *more):
        return akin("publish", path, "--to", place, *words, *more, "--json").json["places_left"]

    left(old), left(new)
    akin("rollback", "--to", place)
    assert left(other) == 0 and left(new, "--respect-rollback") == 1
    akin("rollback", "--to", place)  # the other one goes too, and the old one is back
    assert left(new, "--respect-rollback") == 1 and left(other, "--respect-rollback") == 1
    assert left(new) == 0 and left(old, "--respect-rollback") == 0  # `new` by hand
    assert left(other, "--respect-rollback") == 1 and left(new, "--respect-rollback") == 0
