"""neighbors between two catalogues, between products, and with what chooses from the exact lists, with all rules that go together:
random ones equal brute force, at 1 to 3 ranks, and a night that builds upon the one before equals a full one. `python
test_table_kinds.py 200` tries that many."""

import os
import sys

import netCDF4
import numpy as np
from random_rules import Asked, Catalogue, blocked_pairs, draw_rule, draw_words, embed, take, value_of
from support import akin, assert_same_variables, draw, fresh, main

os.chdir(fresh("table_kinds"))
CASES, SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 8, int(sys.argv[2]) if len(sys.argv) > 2 else 1
FIRST = int(sys.argv[3]) if len(sys.argv) > 3 else 0
WAYS = ["against", "best", "mean", "items", "best against", "mean against"]
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
    """The score of each item in each other's list; NaN: it is not allowed there."""

    def __init__(self, way, now, asked):
        self.asked = asked
        if way in ("against", "items"):
            self.names = [item["id"] for item in now[0].items]
            self.sources, self.targets, self.rows = now[0].items, now[-1].items, now[-1].rows
            self.raw, self.among = now[0].rows @ self.rows.T, self.rows @ self.rows.T
            self.score = self.judge(self.sources, self.targets, self.raw)
            if way == "items":
                np.fill_diagonal(self.score, np.nan)
            return
        sides = [Products(one.items) for one in now]
        mine, other = sides[0], sides[-1]
        self.names = mine.names
        self.pictures = mine.pictures, other.pictures
        means = [np.array([one.rows[own].mean(axis=0) for own in side.pictures], np.float32) for one, side in zip(now, sides)]
        self.rows = means[-1]
        if way.startswith("mean"):
            if len(now) == 1:
                mine.items = [{**item, "group": item["id"]} for item in mine.items]
            self.among = means[-1] @ means[-1].T
            self.raw = self.likeness = means[0] @ means[-1].T
            self.score = self.judge(mine.items, other.items, self.likeness)
        else:
            cosines, among = now[0].rows @ now[-1].rows.T, now[-1].rows @ now[-1].rows.T
            self.likeness, self.among = (np.array([[of[np.ix_(p, q)].max() for q in other.pictures] for p in side.pictures], np.float32)
                                         for side, of in ((mine, cosines), (other, among)))
            self.named, self.cosines = other.named, among
            best = lambda passed: np.nanmax(passed) if not np.isnan(passed).all() else np.nan
            self.best = lambda passed: np.array([[best(passed[np.ix_(p, q)]) for q in other.pictures] for p in mine.pictures], np.float32)
            self.pairs = lambda of: self.judge(mine.named, other.named, cosines, of)
            self.score = self.best(self.pairs(lambda rule: True))
        self.sources, self.targets = mine.items, other.items
        if len(now) == 1:
            np.fill_diagonal(self.score, np.nan)

    def judge(self, sources, targets, scores, of=lambda rule: True):
        """The scores of the pairs that pass all rules."""
        rules = [rule for rule in self.asked.rules if of(rule)]
        passes = [[all(rule(s, t, scores[i, j]) for rule in rules) for j, t in enumerate(targets)] for i, s in enumerate(sources)]
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
        """Of each list how many are pinned, the rows, and how many are filled in."""
        asked, offsets, pins = self.asked, self.offsets(k), self.pins(k)
        of = self.duplicates() if asked.least is not None else np.full(len(self.targets), -1)
        fills = self.centrals(of) if asked.fill else None
        for s, row in enumerate(self.score):
            first, pool = pins.get(s, []), k if asked.diversity is None and asked.least is None else 3 * k
            order = sorted(np.flatnonzero(~np.isnan(row)), key=lambda t: (-np.float32(row[t] + offsets[t]), t))
            same = of[s] if self.sources is self.targets else -1
            if asked.least is not None and (asked.limits or hasattr(self, "named")):  # duplicates count for no limit
                order = [t for t in order if of[t] < 0 and t != same]
            one = order
            if first and asked.limits:
                one = take([*first, *(t for t in order if t not in first)], self.targets, asked.limits, pool, first)[len(first):]
            elif asked.limits or pool > k:
                one = take(order, self.targets, asked.limits, pool, [])
            if asked.least is not None:
                full, one = len(one) == pool, [t for t in one if of[t] < 0 and t != same]
                if full and len(one) < k:
                    one = [t for t in order if of[t] < 0 and t != same][:pool]
            if asked.diversity is not None:
                one = self.diverse(one, [np.float32(row[t] + offsets[t]) for t in one], k)
            one = [*first, *[t for t in one if t not in first]][:k]
            full = self.fill(s, one, fills, k, same) if asked.fill else one
            yield len(first), full, len(full) - len(one)

    def diverse(self, order, relevance, k):
        taken, left, likeness = [], list(range(len(order))), self.among
        while left and len(taken) < k:
            values = [self.asked.diversity * float(relevance[c]) - ((1 - self.asked.diversity) * max(float(likeness[order[c], order[t]]) for t in taken) if taken else 0)
                      for c in left]
            taken.append(left.pop(int(np.argmax(values))))
        return [order[c] for c in taken]

    def recommended(self, targets):
        """Who may be somebody's neighbour."""
        nobody = {b for a, b in self.asked.blocks if a == "*"}
        return [t["id"] not in nobody and all(rule(None, t, 1) for rule in self.asked.rules if hasattr(rule, "of_target")) for t in targets]

    def duplicates(self):
        """Of those that may stand in each other's list, the first one that is kept and that close."""
        of = np.full(len(self.targets), -1)
        best = hasattr(self, "named")  # of products with several pictures
        rows, likeness = (self.named, self.cosines) if best else (self.targets, self.among)
        own, may = self.pictures[1] if best else [[t] for t in range(len(rows))], self.recommended(rows)
        rules = [getattr(rule, "of_pairs", rule) for rule in self.asked.rules if not hasattr(rule, "of_target")]
        if self.sources is not self.targets:  # blocked pairs are of an item of each
            rules = [rule for rule in self.asked.rules if not hasattr(rule, "of_target") and not hasattr(rule, "of_pairs")]
        meet = lambda i, j: may[i] and may[j] and likeness[i, j] >= self.asked.least and all(
            rule(rows[i], rows[j], likeness[i, j]) and rule(rows[j], rows[i], likeness[i, j]) for rule in rules)
        for t, mine in enumerate(own):
            of[t] = next((e for e in range(t) if of[e] < 0 and any(meet(i, j) for i in mine for j in own[e])), -1)
        return of

    def centrals(self, of):
        """The targets of each category, those in its middle first, and the pairs that pass all rules but the minimum score."""
        may = [m and of[j] < 0 for j, m in enumerate(self.recommended(self.targets))]
        found = {}
        for category in {t["category"] for t in self.targets} - {""}:
            rows = [j for j, t in enumerate(self.targets) if may[j] and t["category"] == category]
            near = self.rows[rows] @ self.rows[rows].sum(axis=0)
            found[category] = [rows[e] for e in np.argsort(-near, kind="stable")]
        passes = self.open()
        return found, passes

    def open(self):
        """The scores of the pairs that pass all rules but the minimum score."""
        others = lambda rule: not hasattr(rule, "least")
        passes = self.best(self.pairs(others)) if hasattr(self, "named") else self.judge(self.sources, self.targets, self.raw, others)
        if self.sources is self.targets:
            np.fill_diagonal(passes, np.nan)
        return passes

    def fill(self, s, one, fills, k, same):
        found, passes = fills
        some = [t for t in found.get(self.sources[s]["category"], []) if not np.isnan(passes[s, t]) and t not in one and t != same]
        return take([*one, *some], self.targets, self.asked.limits, k, one)


def share_of(pairs, scores):
    """Of the sorted pairs those with smaller scores; between two of them interpolated, for rules may leave products a lower score."""
    values, first = np.unique(pairs, return_index=True)
    if values[-1] < 1:
        values, first = np.append(values, 1), np.append(first, len(pairs))
    return np.interp(scores, values, first / len(pairs), left=0)


def assert_lists(path, way, now, asked, k, said):
    """Of products' pins that no rule lets pass the score is not known here."""
    model = Model(way, now, asked)
    with netCDF4.Dataset(path) as d:
        d.set_auto_mask(False)
        neighbor, score, count = d["neighbor"][...], d["score"][...], d["count"][...]
        pinned = d["pinned"][...] if "pinned" in d.variables else np.zeros(len(neighbor), int)
        filled = d["filled"][...] if asked.fill else np.zeros(len(neighbor), int)
        if asked.least is not None:
            of = d["target_duplicate_of" if way.endswith("against") else "duplicate_of"][...]
            assert np.array_equal(of, model.duplicates()), (said, of, model.duplicates())
    if asked.calibrated:
        all_pairs = model.raw if hasattr(model, "raw") else model.likeness
        pairs = np.sort(all_pairs[np.triu_indices(len(all_pairs), 1)] if len(now) == 1 else all_pairs.ravel())
    known_scores = model.raw if hasattr(model, "raw") else np.where(np.isnan(model.score), model.open(), model.score)
    for s, (first, one, more) in enumerate(model.lists(k)):
        about = (said, s, model.sources[s], neighbor[s], one)
        assert pinned[s] == first and count[s] == len(one) and list(neighbor[s, :len(one)]) == [int(t) for t in one] and filled[s] == more, about
        known = 0 if hasattr(model, "raw") else first
        scores = known_scores[s, one[known:]]
        if asked.calibrated:
            assert np.abs(share_of(pairs, scores) - score[s, known:len(one)]).max(initial=0) < 1e-6, (about, score[s])
        else:
            assert np.array_equal(score[s, known:len(one)], scores), (about, score[s], scores)
        assert (neighbor[s, len(one):] == -1).all()
        if hasattr(model, "pictures"):
            assert_pictures(path, now, model, s, one, first if way.startswith("best") else len(one), known_scores, about)


def assert_pictures(path, now, model, s, one, pinned, scores, about):
    """Each pair is of a picture of one and a picture of the other, and of those by whose best pair lists are, it has the score."""
    with netCDF4.Dataset(path) as d:
        d.set_auto_mask(False)
        picture, other = d["picture"][s], d["neighbor_picture"][s]
    assert all(a in model.pictures[0][s] and b in model.pictures[1][t] for a, b, t in zip(picture, other, one)), (about, picture, other)
    for e in range(pinned, len(one)):
        assert now[0].rows[picture[e]] @ now[-1].rows[other[e]] == scores[s, one[e]], (about, e)


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
    words, asked = draw_words(r, items)
    if not asked.damp and r.random() < 0.25:
        asked.damp, words = True, words + ["--damp-hubs"]
    asked.blocks = set(blocked_pairs) if "--blocks" in words else set()
    asked.diversity, asked.least, asked.fill, asked.calibrated = None, None, False, False
    draw_choice(r, way, asked, words)
    return [str(word) for word in words], asked


def draw_choice(r, way, asked, words):
    """What chooses from the exact lists, adds to them or names their scores otherwise."""
    if r.random() < 0.5:
        asked.diversity = float(r.choice([0.3, 0.7]))
        words += ["--diversity", asked.diversity]
    if r.random() < 0.5:
        asked.least = float(r.choice([1, 0.75]))
        words += ["--collapse-duplicates", asked.least]
    if r.random() < 0.6:
        asked.fill = True
        words += ["--fill", "category"]
        if "--min-score" not in words:
            asked.rules.append(lambda s, t, score: score >= 0.25)
            asked.rules[-1].least = 0.25
            words += ["--min-score", 0.25]
    if r.random() < 0.4:
        asked.calibrated = True
        words += ["--score", "calibrated"]


def make_night(r, way, none):
    now = [Catalogue(r, int(r.integers(60, 160)), none)]
    if way == "items":
        return now
    if way.endswith("against"):
        now.append(Catalogue(r, int(r.integers(60, 160)), none))
    for catalogue in now:
        if way != "against":
            group(catalogue.items, r)
    return now


def embed_night(name, now):
    for catalogue, side in zip(now, ["", "-base"]):
        embed(name + side, catalogue.items, catalogue.rows)


def check_case(case):
    """A table of this night, then one of the next, which builds upon the first: how many lists were kept."""
    r, way = np.random.default_rng([SEED, case]), WAYS[case % len(WAYS)]
    now = make_night(r, way, float(r.choice([0, 0.15])))
    items = now[0].items if way in ("against", "items") else Products(now[0].items).named
    words, asked = draw_asked(r, way, items)
    k, ranks = int(r.choice([1, 5, 12, 150])), case // len(WAYS)
    return check_nights(r, way, now, (words, asked, k), ranks, (SEED, case, way, *words, k))


def assert_queries(r, ranks, said):
    """The answers for some rows of the table are these rows."""
    with netCDF4.Dataset("t.nc") as d:
        d.set_auto_mask(False)
        names, count = [[str(id) for id in d[name][...]] for name in ("id", "target_id" if "target_id" in d.variables else "id")], d["count"][...]
        for s in r.choice(np.flatnonzero(count) if count.any() else [0], 2):
            expected = [[names[1][t], float(score)] for t, score in zip(d["neighbor"][s, :count[s]], d["score"][s])]
            answer = akin("query", "then.nc", "--id", names[0][s], "--table", "t.nc", "--json", ranks=ranks).json
            assert answer["neighbors"] == expected, (said, names[0][s], answer["neighbors"], expected)


def check_nights(r, way, now, ask, ranks, said):
    words, asked, k = ask
    kind = lambda name: ["--against", f"{name}-base.nc"] * (len(now) - 1) + (["--by", "group", "--pictures", way[:4]] if way[:4] in ("best", "mean") else [])
    base = lambda name: ["-k", k, "--json", *words, *kind(name)]
    embed_night("then", now)
    akin("neighbors", "then.nc", "-o", "t.nc", *base("then"), ranks=RANKS[ranks % 3])
    assert_lists("t.nc", way, now, asked, k, said)
    if not {"--diversity", "--collapse-duplicates", "--fill", "--score"} & set(words):
        assert_queries(r, RANKS[(ranks + 1) % 3], said)
    for catalogue in now:
        catalogue.pass_night()
    embed_night("now", now)
    akin("neighbors", "now.nc", "-o", "full.nc", *base("now"), ranks=RANKS[(ranks + 1) % 3])
    if not way.startswith("mean") and not (asked.fill and way.startswith("best")):  # products may have three pictures now
        assert_lists("full.nc", way, now, asked, k, said)
    before = ["--previous", "t.nc", "--previous-embeddings", "then.nc", *(["--previous-against", "then-base.nc"] if len(now) > 1 else [])]
    done = akin("neighbors", "now.nc", "-o", "delta.nc", *base("now"), *before, ranks=RANKS[(ranks + 2) % 3])
    assert_same_variables("full.nc", "delta.nc")
    return done.json["kept"]


def test_duplicates_do_not_count_for_limits():
    """Many are the same, also of one brand, and lists are searched again where the limits left too few."""
    draw("p.png", 1)
    for case, way in enumerate(["items", "against"]):
        r = np.random.default_rng(case)
        now = make_night(r, way, 0.1)
        for one in now:
            one.rows[r.integers(0, len(one.rows), 60)] = one.rows[r.integers(0, len(one.rows), 4)][r.integers(0, 4, 60)]
            for item in one.items[::2]:
                item["brand"] = "Ace"
        words, rule = draw_rule(r, "blocks", now[0].items)
        asked = Asked([rule], [("brand", 2)] + ([("season", 3)] if case else []))
        asked.blocks, asked.diversity, asked.least, asked.fill, asked.calibrated = set(blocked_pairs), None, 0.75, False, False
        words = [*words, "--collapse-duplicates", 0.75, *(word for a, n in asked.limits for word in ("--at-most", f"{a}={n}"))]
        check_nights(r, way, now, ([str(word) for word in words], asked, 5), case, (way, *words))
    report = akin("neighbors", "now.nc", "-o", "x.nc", "-k", 5, *words, "--json", "--against", "now-base.nc").json
    assert report["sought_anew"] > 0, report


def at_least(least):
    rule = lambda s, t, score: score >= least
    rule.least = least
    return rule


def test_choices_between_products():
    """Varied lists, and lists that are filled, under a rule and a limit."""
    draw("p.png", 1)
    for case, way in enumerate(["best", "mean", "best against", "mean against"]):
        r = np.random.default_rng(case)
        now = make_night(r, way, 0.1)
        words, rule = draw_rule(r, "within", now[0].items)
        asked = Asked([rule, at_least(0.25)], [("brand", 2)] if case > 1 else [])
        asked.blocks, asked.diversity, asked.least, asked.fill, asked.calibrated = set(), 0.5, None, True, False
        words = [*words, "--diversity", 0.5, "--min-score", 0.25, "--fill", "category", *(["--at-most", "brand=2"] if case > 1 else [])]
        check_nights(r, way, now, ([str(word) for word in words], asked, 5), case, way)


def test_many_products_that_look_the_same():
    """More than lists hold, under a rule for pairs that separates some."""
    draw("p.png", 1)
    for case, way in enumerate(["best", "mean", "best against", "mean against"]):
        r = np.random.default_rng(case)
        now = make_night(r, way, 0.1)
        for one in now:
            for own in Products(one.items).pictures:
                if r.random() < 0.8:
                    one.rows[own] = one.rows[int(r.integers(0, 3))]
        words, rule = draw_rule(r, ["within", "blocks"][case % 2], Products(now[0].items).named)
        asked = Asked([rule], [("brand", 2)] if case > 1 else [])
        asked.blocks = set(blocked_pairs) if case % 2 else set()
        asked.diversity, asked.least, asked.fill, asked.calibrated = None, 0.75, False, False
        words = [*words, "--collapse-duplicates", 0.75, *(["--at-most", "brand=2"] if case > 1 else [])]
        check_nights(r, way, now, ([str(word) for word in words], asked, 1 + case % 2), case, (way, *words))


def test_lists_of_nothing_but_duplicates():
    """What the limit lets into the list of a copy is other copies, all of which go: the list is searched again."""
    draw("p.png", 1)
    for case, way in enumerate(["items", "against"]):
        r = np.random.default_rng(case)
        now = make_night(r, way, 0)
        for one in now:
            one.rows[:40] = one.rows[np.arange(40) % 4]
            for item in one.items:
                item["brand"] = "Ace"
        asked = Asked([], [("brand", 1)])
        asked.blocks, asked.diversity, asked.least, asked.fill, asked.calibrated = set(), None, 0.75, False, False
        check_nights(r, way, now, (["--collapse-duplicates", "0.75", "--at-most", "brand=1"], asked, 5), case, way)


def test_random_rules():
    draw("p.png", 1)
    kept = sum(check_case(case) for case in range(FIRST, FIRST + CASES))
    assert kept > CASES or CASES < 8, kept


main(globals())
