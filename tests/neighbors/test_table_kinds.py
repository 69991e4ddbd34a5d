"""neighbors between two catalogues and between products, with all rules that go together: random ones equal brute force, at 1 to 3
ranks, and a night that builds upon the one before equals a full one. `python test_table_kinds.py 200` tries that many."""

import os
import sys

import netCDF4
import numpy as np
from random_rules import Catalogue, draw_words, embed, take, value_of
from support import akin, assert_same_variables, draw, fresh, main

os.chdir(fresh("table_kinds"))
CASES, SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 6, int(sys.argv[2]) if len(sys.argv) > 2 else 1
WAYS = ["against", "best", "mean"]
RANKS = [0, 2, 3]


class Products:
    """Of a catalogue's items; each has what its first picture has, and is available where one of its pictures is."""

    def __init__(self, items):
        name = [item["group"] or item["id"] for item in items]
        self.names = sorted(set(name))
        self.pictures = [[i for i, n in enumerate(name) if n == p] for p in self.names]
        self.items = [{**items[own[0]], "id": p, "available": str(max(int(items[i]["available"]) for i in own))} for p, own in zip(self.names, self.pictures)]
        self.named = [{**item, "id": n} for item, n in zip(items, name)]


class Model:
    """Who may stand in whose list, and with what score; NaN: nobody."""

    def __init__(self, way, now, asked):
        self.asked = asked
        if way == "against":
            self.names = [item["id"] for item in now[0].items]
            self.sources, self.targets = now[0].items, now[1].items
            self.score = self.judge(self.sources, self.targets, now[0].rows @ now[1].rows.T)
            return
        products = Products(now[0].items)
        self.sources = self.targets = products.items
        self.names = products.names
        scores = now[0].rows @ now[0].rows.T
        mine = products.pictures
        if way == "mean":
            means = np.array([now[0].rows[own].mean(axis=0) for own in mine], np.float32)
            alone = [{**item, "group": item["id"]} for item in products.items]
            self.score = self.judge(alone, alone, means @ means.T)
            self.sources = self.targets = alone
        else:
            passed = self.judge(products.named, products.named, scores)
            self.score = np.array([[np.nanmax(passed[np.ix_(p, q)]) if not np.isnan(passed[np.ix_(p, q)]).all() else np.nan for q in mine] for p in mine], np.float32)
        np.fill_diagonal(self.score, np.nan)

    def judge(self, sources, targets, scores):
        """The scores of the pairs that pass all rules."""
        passes = [[all(rule(s, t, scores[i, j]) for rule in self.asked.rules) for j, t in enumerate(targets)] for i, s in enumerate(sources)]
        return np.where(passes, scores, np.nan).astype(np.float32)

    def offsets(self, k):
        sums = np.zeros(len(self.targets))
        for a, weight in self.asked.boosts:
            numbers = [value_of(item, a) for item in self.targets]
            known = np.array([x for x in numbers if x is not None])
            for i, x in enumerate(numbers):
                if x is not None and len(known) > 1:
                    sums[i] += weight * (((known < x).sum() + ((known == x).sum() - 1) / 2) / (len(known) - 1))
        sums = sums.astype(np.float32)
        if self.asked.damp:
            found = self.score.T if self.sources is not self.targets else self.score
            for t, row in enumerate(found):
                near = np.sort(row[~np.isnan(row)])[::-1][:k].astype(np.float64)
                if len(near):
                    sums[t] = np.float32(float(sums[t]) - near.sum() / len(near))
        return sums

    def pins(self, k):
        asked, row, found = self.asked, {item["id"]: i for i, item in enumerate(self.targets)}, {}
        for (a, b), rank in sorted(asked.pairs, key=lambda pair: int(pair[1] or 99)):
            if a in self.names and b in row and (self.sources is not self.targets or a != b) and not {(a, b), ("*", b), (a, "*")} & asked.barred and \
                    (not asked.only_available or self.targets[row[b]]["available"] == "1"):
                found.setdefault(self.names.index(a), []).append(row[b])
        return {a: some[:k] for a, some in found.items()}

    def lists(self, k):
        offsets, pins = self.offsets(k), self.pins(k)
        for s, row in enumerate(self.score):
            order = sorted(np.flatnonzero(~np.isnan(row)), key=lambda t: (-np.float32(row[t] + offsets[t]), t))
            first = pins.get(s, [])
            yield len(first), take([*first, *(t for t in order if t not in first)], self.targets, self.asked.limits, k, first)


def assert_lists(path, way, now, asked, k, said):
    """Of a pin that no rule lets pass the score is not known here."""
    model = Model(way, now, asked)
    with netCDF4.Dataset(path) as d:
        d.set_auto_mask(False)
        neighbor, score, count = d["neighbor"][...], d["score"][...], d["count"][...]
        pinned = d["pinned"][...] if "pinned" in d.variables else np.zeros(len(neighbor), int)
    for s, (first, one) in enumerate(model.lists(k)):
        about = (said, s, model.sources[s], neighbor[s], one)
        assert pinned[s] == first and count[s] == len(one) and list(neighbor[s, :len(one)]) == [int(t) for t in one], about
        assert (neighbor[s, len(one):] == -1).all() and np.array_equal(score[s, first:len(one)], model.score[s, one[first:]]), (about, score[s], model.score[s, one])


def group(items, r):
    """Products of one, two or four pictures: their means are computed without rounding."""
    at = 0
    order = r.permutation(len(items))
    while at < len(items):
        size = int(r.choice([1, 2, 4]))
        some = order[at:at + size]
        at += size
        for i in some:
            items[i]["group"] = "" if len(some) != size or size == 1 and r.random() < 0.5 else f"g{some[0]:04d}"


def draw_asked(r, way, items):
    while True:
        words, asked = draw_words(r, items)
        if way != "best" or not asked.limits:
            break
    if not asked.damp and r.random() < 0.5:
        asked.damp, words = True, words + ["--damp-hubs"]
    return [str(word) for word in words], asked


def make_night(r, way, none):
    now = [Catalogue(r, int(r.integers(60, 160)), none)]
    if way == "against":
        now.append(Catalogue(r, int(r.integers(60, 160)), none))
    else:
        group(now[0].items, r)
    return now


def embed_night(name, now):
    for catalogue, side in zip(now, ["", "-base"]):
        embed(name + side, catalogue.items, catalogue.rows)


def check_case(case):
    """A table of this night, then one of the next, which builds upon the first: how many lists were kept."""
    r, way = np.random.default_rng([SEED, case]), WAYS[case % len(WAYS)]
    now = make_night(r, way, float(r.choice([0, 0.15])))
    items = now[0].items if way == "against" else Products(now[0].items).named
    words, asked = draw_asked(r, way, items)
    k, ranks = int(r.choice([1, 5, 12, 150])), case // len(WAYS)
    said = (SEED, case, way, *words, k)
    base = lambda name: ["-k", k, "--json", *words, *(["--against", f"{name}-base.nc"] if way == "against" else ["--by", "group", "--pictures", way])]
    embed_night("then", now)
    akin("neighbors", "then.nc", "-o", "t.nc", *base("then"), ranks=RANKS[ranks % 3])
    assert_lists("t.nc", way, now, asked, k, said)
    for catalogue in now:
        catalogue.pass_night()
    embed_night("now", now)
    akin("neighbors", "now.nc", "-o", "full.nc", *base("now"), ranks=RANKS[(ranks + 1) % 3])
    if way != "mean":  # products may have three pictures now
        assert_lists("full.nc", way, now, asked, k, said)
    before = ["--previous", "t.nc", "--previous-embeddings", "then.nc", *(["--previous-against", "then-base.nc"] if way == "against" else [])]
    done = akin("neighbors", "now.nc", "-o", "delta.nc", *base("now"), *before, ranks=RANKS[(ranks + 2) % 3])
    assert_same_variables("full.nc", "delta.nc")
    return done.json["kept"]


def test_random_rules():
    draw("p.png", 1)
    kept = sum(check_case(case) for case in range(CASES))
    assert kept > 5 * CASES, kept


main(globals())
