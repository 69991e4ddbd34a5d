"""Random catalogues and random rules over them, and a second implementation of the rules for a pair, for tests that compare with brute
force."""

import csv

import netCDF4
import numpy as np
from support import akin

KINDS = {"price": "number", "stock": "number", "brand": "label", "gender": "label", "season": "labels"} if "--attributes" in akin("ingest", "--help").out else {}
COLUMNS = ["id", "path", "category", "group", "available", *KINDS]


def exact_rows(r, n):
    """Rows of unit length whose products are multiples of 1/16, computed without rounding; many tie, some are the same."""
    x = np.zeros((n, 24), np.float32)
    for i in range(n):
        x[i, r.permutation(24)[:16]] = r.choice([-0.25, 0.25], 16)
    x[r.integers(0, n, n // 10)] = x[r.integers(0, n)]
    return x


def some(r, values, none):
    return "" if r.random() < none else str(r.choice(values))


def draw_item(r, i, none):
    return {"id": f"i{i:05d}", "path": "p.png", "category": some(r, ["hats", "shoes", "bags", "coats"], none),
            "group": some(r, [f"g{g}" for g in range(30)], none), "available": str(int(r.random() < 0.8)),
            "price": some(r, np.round(np.exp(r.normal(3, 0.7, 3)), 2), none) if r.random() < 0.9 else some(r, [0, -5, 20], 0),
            "stock": some(r, range(9), none), "brand": some(r, ["Ace", "Bolt & Co", "Cup", "Dot", "Eel"], none), "gender": some(r, ["w", "m", "u"], none),
            "season": "|".join(sorted(r.choice(["summer", "winter", "spring", "fall"], r.integers(1, 3), replace=False)))
            if r.random() > none else ""}


def write_catalogue(items, rows):
    with open("now.csv", "w", newline="") as f:
        writer = csv.DictWriter(f, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(items)
    np.save("now.npy", rows)
    with open("now.txt", "w") as f:
        f.writelines(f"{item['id']}\n" for item in items)


def embed(name, items, rows):
    write_catalogue(items, rows)
    akin("ingest", "now.csv", "-o", "catalog.nc", "--rejects", "rejects.csv", *(["--attributes", " ".join(f"{a}:{k}" for a, k in KINDS.items())] if KINDS else []))
    akin("embed", "catalog.nc", "--from", "now.npy", "--ids", "now.txt", "-o", f"{name}.nc")


class Catalogue:
    def __init__(self, r, n, none):
        self.r, self.none = r, none
        self.items, self.rows = [draw_item(r, i, none) for i in range(n)], exact_rows(r, n)
        self.next = n

    def pass_night(self):
        """Some go, some come, some change in their vector or in an attribute alone."""
        r, n = self.r, len(self.items)
        for i in r.choice(n, 6, replace=False):
            column = str(r.choice(COLUMNS[2:]))
            self.items[i] = {**self.items[i], column: draw_item(r, i, self.none)[column]}
        self.rows[r.choice(n, 4, replace=False)] = exact_rows(r, 4)
        keep = np.sort(r.permutation(n)[4:])
        items, rows = [self.items[i] for i in keep], self.rows[keep]
        for i in r.integers(0, self.next, 5):
            items.append({**draw_item(r, i, self.none), "id": f"i{i:05d}x{self.next}"})
            self.next += 1
        rows = np.concatenate([rows, exact_rows(r, 5)])
        order = sorted(range(len(items)), key=lambda i: items[i]["id"])
        self.items, self.rows = [items[i] for i in order], rows[order]


# --- the rules, again ---

blocked_pairs = set()
files = {"prefix": ""}  # of the files of a case

def value_of(item, attribute):
    text = item[attribute]
    if attribute == "available":
        return text
    if text == "":
        return None
    return {"number": lambda: np.float32(text), "labels": lambda: set(text.split("|"))}.get(KINDS.get(attribute), lambda: text)()


def same(a, b):
    return bool(a & b) if isinstance(a, set) else a == b


def compares(attribute, test):
    def passes(source, target, _):
        a, b = value_of(source, attribute), value_of(target, attribute)
        return a is None or (b is not None and bool(test(a, b)))
    return passes


def for_targets(attribute, test):
    def passes(source, target, _):
        b = value_of(target, attribute)
        return b is not None and bool(test(b))
    passes.of_target = True
    return passes


def is_value(value, text):
    return text in value if isinstance(value, set) else value == np.float32(text) if isinstance(value, np.float32) else value == text


LABELS = ["category", "group", "available", "brand", "gender", "season"]


def any_value(r, attribute, items):
    item = items[r.integers(0, len(items))]
    return str(r.choice((item[attribute] or "none").split("|")))


def draw_rule(r, kind, items):
    """The words of a rule, and what it asks of a pair."""
    known = [a for a in LABELS if a in COLUMNS[2:5] or a in KINDS]
    a = str(r.choice(known if kind != "within" else ["price"]))
    if kind == "same":
        return ["--same", a], compares(a, same)
    if kind == "different":
        return ["--different", a], compares(a, lambda x, y: not same(x, y))
    if kind == "within" and r.random() < 0.6:
        low, high = r.choice([0.5, 0.7, 0.8, 1]), r.choice([1, 1.2, 1.5, 3])
        return ["--within", f"{a}={low}..{high}x"], compares(
            a, lambda x, y: min(low * float(x), high * float(x)) <= float(y) <= max(low * float(x), high * float(x)))
    if kind == "within":
        low, high = r.choice([-20, -10.5, 0]), r.choice([0, 2.5, 10])
        return ["--within", f"{a}={low}..{high}"], compares(a, lambda x, y: float(x) + low <= float(y) <= float(x) + high)
    if kind == "only":
        texts = [any_value(r, a, items) for _ in range(r.integers(1, 3))]
        return [w for t in texts for w in ("--only", f"{a}={t}")], for_targets(a, lambda y: any(is_value(y, t) for t in texts))
    if kind == "not":
        text = any_value(r, a, items)
        return ["--not", f"{a}={text}"], for_targets(a, lambda y: not is_value(y, text))
    if kind == "categories":
        pairs = {(any_value(r, "category", items), any_value(r, "category", items)) for _ in range(8)}
        write(files["prefix"] + "categories.csv", ["from", "to"], pairs)
        return ["--categories", files["prefix"] + "categories.csv"], compares("category", lambda x, y: (x, y) in pairs)
    if kind == "blocks":
        ids = [item["id"] for item in items] + ["nobody"]
        pairs = {(str(r.choice(ids)), str(r.choice(ids))) for _ in range(500)}
        pairs |= {("*", str(r.choice(ids))) for _ in range(3)} | {(str(r.choice(ids)), "*")}
        write(files["prefix"] + "blocks.csv", ["id", "neighbor"], pairs)
        blocked_pairs.clear()
        blocked_pairs.update(pairs)
        passes = lambda s, t, _: not {(s["id"], t["id"]), ("*", t["id"]), (s["id"], "*")} & pairs
        passes.of_pairs = lambda s, t, _: (s["id"], t["id"]) not in pairs
        return ["--blocks", files["prefix"] + "blocks.csv"], passes
    if kind == "only-available":
        return ["--only-available"], for_targets("available", lambda available: available == "1")
    if kind == "same-category":
        return ["--same-category"], lambda s, t, _: s["category"] != "" and s["category"] == t["category"]
    if kind == "exclude-same-group":
        return ["--exclude-same-group"], lambda s, t, _: s["group"] == "" or s["group"] != t["group"]
    least = float(r.choice([0, 0.25, -0.5]))
    passes = lambda s, t, score: score >= least
    passes.least = least
    return ["--min-score", least], passes


RULES = ["same", "different", "within", "only", "not", "categories", "blocks", "only-available", "same-category", "exclude-same-group",
         "min-score"]


def write(path, header, rows):
    with open(path, "w", newline="") as f:
        csv.writer(f).writerows([header, *sorted(rows)])


class Asked:
    """What a run is asked for."""

    def __init__(self, rules, limits):
        self.rules, self.limits, self.pairs, self.boosts, self.damp = rules, limits, [], [], False

    def pins(self, items):
        row, found = {item["id"]: i for i, item in enumerate(items)}, {}
        for (a, b), rank in sorted(self.pairs, key=lambda pair: int(pair[1] or 99)):
            if a in row and b in row and a != b and not {(a, b), ("*", b), (a, "*")} & self.barred and \
                    (not self.only_available or items[row[b]]["available"] == "1"):
                found.setdefault(row[a], []).append(row[b])
        return found

    def offsets(self, items, rows, k):
        sums = np.zeros(len(items))
        for a, weight in self.boosts:
            numbers = [value_of(item, a) for item in items]
            known = np.array([x for x in numbers if x is not None])
            for i, x in enumerate(numbers):
                if x is not None and len(known) > 1:
                    sums[i] += weight * (((known < x).sum() + ((known == x).sum() - 1) / 2) / (len(known) - 1))
        sums = sums.astype(np.float32)
        if self.damp:
            near = brute_force(items, rows, Asked(self.rules, []), k)
            for i, row in enumerate(near[0]):
                if row[0] >= 0:
                    sums[i] = np.float32(float(sums[i]) - near[1][i][row >= 0].astype(np.float64).sum() / (row >= 0).sum())
        return sums


def names_of(item, attribute):
    value = value_of(item, attribute)
    return [] if value is None else sorted(value) if isinstance(value, set) else [value]


def take(order, items, limits, k, pinned):
    """Best first, who exceeds no limit."""
    chosen, used = [], {}
    for j in order:
        names = {(attribute, name, most) for attribute, most in limits for name in names_of(items[j], attribute)}
        if len(chosen) < k and (j in pinned or all(used.get(name, 0) < name[2] for name in names)):
            chosen.append(j)
            for name in names:
                used[name] = used.get(name, 0) + 1
    return chosen


def brute_force(items, rows, asked, k):
    rules, limits = asked.rules, asked.limits
    offsets, pins = asked.offsets(items, rows, k), asked.pins(items)
    neighbor, scores = np.full((len(items), k), -1, np.int32), np.zeros((len(items), k), np.float32)
    product = rows @ rows.T
    for i, source in enumerate(items):
        order = sorted((j for j in range(len(items)) if j != i), key=lambda j: (-np.float32(product[i, j] + offsets[j]), j))
        allowed = [j for j in order if all(rule(source, items[j], product[i, j]) for rule in rules)]
        chosen = take([*pins.get(i, []), *(j for j in allowed if j not in pins.get(i, []))], items, limits, k, pins.get(i, []))
        neighbor[i, :len(chosen)] = chosen
        scores[i, :len(chosen)] = product[i, chosen]
    return neighbor, scores


def assert_exact(path, items, rows, asked, k, said):
    neighbor, scores = brute_force(items, rows, asked, k)
    with netCDF4.Dataset(path) as d:
        d.set_auto_mask(False)
        wrong = np.flatnonzero((d["neighbor"][...] != neighbor).any(axis=1) | (d["score"][...] != scores).any(axis=1))
        assert len(wrong) == 0, (said, len(wrong), wrong[0], items[wrong[0]], d["neighbor"][wrong[0]], neighbor[wrong[0]])


def draw_words(r, items):
    words, rules, limits = [], [], []
    for kind in r.choice(RULES, r.integers(1, 5), replace=False):
        if kind == "within" and "price" not in KINDS:
            continue
        some_words, rule = draw_rule(r, kind, items)
        words, rules = words + some_words, rules + [rule]
    for _ in range(r.choice([0, 0, 1, 1, 2])):
        a, most = str(r.choice([a for a in LABELS if a in COLUMNS[2:5] or a in KINDS])), int(r.choice([1, 2, 5]))
        words, limits = words + ["--at-most", f"{a}={most}"], limits + [(a, most)]
    asked = Asked(rules, limits)
    if r.random() < 0.3:
        ids = [item["id"] for item in items] + ["nobody"]
        asked.pairs = list({(a, str(r.choice(ids))): "" if r.random() < 0.3 else str(r.integers(1, 4))
                            for a in r.choice(ids, 40) for _ in range(3)}.items())
        with open(files["prefix"] + "pins.csv", "w", newline="") as f:
            csv.writer(f).writerows([["id", "neighbor", "rank"], *([a, b, rank] for (a, b), rank in asked.pairs)])
        words = words + ["--pins", files["prefix"] + "pins.csv"]
        asked.barred = set(blocked_pairs) if "--blocks" in words else set()
        asked.only_available = "--only-available" in words
    if r.random() < 0.3 and KINDS:
        asked.boosts = [("price", 0.25)] + ([("stock", -0.5)] if r.random() < 0.5 else [])
        words = words + ["--boost", " ".join(f"{a}={w}" for a, w in asked.boosts)]
    if r.random() < 0.15:
        asked.damp, words = True, words + ["--damp-hubs"]
    return words, asked
