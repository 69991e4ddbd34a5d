"""What a shop asks of a list: diversity, duplicates, fill and calibrated scores, each against a naive twin made from
all pairs' scores; under every rule, together, at 1 to 4 ranks, from night to night."""

import os

import netCDF4
import numpy as np
from support import akin, assert_same_variables, fresh, main

work = fresh("refine")
os.chdir(work)
N, DIM, K = 240, 12, 5
R = np.random.default_rng(11)


def make_rows():
    """Clusters; rows that stand many times, to the bit or nearly; one without a direction."""
    centre = R.standard_normal((9, DIM))
    x = centre[R.integers(0, 9, N)] + 0.4 * R.standard_normal((N, DIM))
    x[60:120] = x[60]  # more than any list holds
    x[120:150] = x[120] + 0.01 * R.standard_normal((30, DIM))
    x[200:210] = x[190:200]
    x[170] = 0
    return x[R.permutation(N)].astype(np.float32)


def write_catalogue(name, x, category, group, available, first=0):
    """embeddings.nc with labels, of a catalogue whose pictures are not used."""
    from PIL import Image
    os.makedirs(name, exist_ok=True)
    with open(f"{name}/catalog.csv", "w") as f:
        f.write("id,path,category,group,available\n")
        for i in range(len(x)):
            Image.new("RGB", (2, 2), (i % 256, i // 256, 7)).save(f"{name}/{i}.png")
            f.write(f"i{first + i:04d},{i}.png,{category[i]},{group[i]},{available[i]}\n")
    np.save(f"{name}.npy", x)
    with open(f"{name}.txt", "w") as f:
        f.writelines(f"i{first + i:04d}\n" for i in range(len(x)))
    akin("ingest", f"{name}/catalog.csv", "-o", f"{name}-catalog.nc")
    akin("embed", f"{name}-catalog.nc", "--from", f"{name}.npy", "--ids", f"{name}.txt", "-o", f"{name}.nc")


X = make_rows()
CATEGORY = [["hats", "bags", "rings", ""][i] for i in R.integers(0, 4, N)]
GROUP = [f"g{g}" if g < 30 else "" for g in R.integers(0, 60, N)]
AVAILABLE = R.integers(0, 4, N) > 0
write_catalogue("a", X, CATEGORY, GROUP, AVAILABLE.astype(int))


def read(path):
    with netCDF4.Dataset(path) as d:
        d.set_auto_mask(False)
        found = {name: d[name][...] for name in d.variables}
        found["order"] = getattr(d, "list_order", None)
        return found


def neighbors(out, *options, source="a.nc", ranks=0):
    return akin("neighbors", source, "-o", out, "-k", str(K), *options, "--json", ranks=ranks).json


akin("neighbors", "a.nc", "-k", str(N - 1), "-o", "all.nc")
ALL = read("all.nc")
SCORE = np.full((N, N), -2, np.float32)
for i in range(N):
    SCORE[i, ALL["neighbor"][i, :ALL["count"][i]]] = ALL["score"][i, :ALL["count"][i]]
USABLE = ALL["count"] > 0
ROWS = read("a.nc")["embedding"].astype(np.float64)


class Rules:
    def __init__(self, same_category=False, exclude_same_group=False, only_available=False, min_score=-1.0):
        self.words = (["--same-category"] if same_category else []) + (["--exclude-same-group"] if exclude_same_group else []) \
            + (["--only-available"] if only_available else []) + ([f"--min-score={min_score}"] if min_score > -1 else [])
        c, g = np.array(CATEGORY), np.array(GROUP)
        self.only_available, self.exclude_same_group = only_available, exclude_same_group
        self.meet = np.outer(USABLE, USABLE) & ~np.eye(N, dtype=bool)
        if same_category:
            self.meet &= (c[:, None] == c) & (c != "")
        if exclude_same_group:
            self.meet &= (g[:, None] != g) | (g == "")
        self.apart = ~self.meet  # before availability and scores
        if only_available:
            self.meet = self.meet & AVAILABLE[None, :]
        self.meet = self.meet & (SCORE >= np.float32(min_score))

    def list(self, i, length, but=()):
        """The exact list: by score, then row."""
        rows = np.flatnonzero(self.meet[i])
        rows = rows[~np.isin(rows, list(but))]
        return list(rows[np.argsort(-SCORE[i, rows], kind="stable")][:length])


RULES = [Rules(), Rules(same_category=True, only_available=True), Rules(exclude_same_group=True),
         Rules(min_score=0.8), Rules(True, True, True, 0.5)]


def duplicates(rules, least):
    of = np.full(N, -1)
    for i in range(N):
        if rules.only_available and not AVAILABLE[i]:
            continue
        close = [j for j in range(i) if rules.meet[i, j] and SCORE[i, j] >= np.float32(least) and of[j] < 0]
        if close:
            of[i] = close[0]
    return of


def collapsed(rules, of, i, pool):
    before = rules.list(i, pool)
    left = [j for j in before if of[j] < 0 and j != of[i]]
    if len(left) < K and len(before) == pool and pool < N - 1:
        left = rules.list(i, pool, but=[*np.flatnonzero(of >= 0), *([of[i]] if of[i] >= 0 else [])])
    return left


def diverse(candidates, i, lam):
    taken, left = [], list(candidates)
    while left and len(taken) < K:
        values = [lam * float(SCORE[i, c]) - ((1 - lam) * max(float(SCORE[c, t]) for t in taken) if taken else 0)
                  for c in left]
        taken.append(left.pop(int(np.argmax(values))))
    return taken


def fills(rules, of, i, chosen):
    if CATEGORY[i] == "":
        return []
    may = USABLE & (np.array(CATEGORY) == CATEGORY[i]) & (of < 0)
    if rules.only_available:
        may &= AVAILABLE
    rows = np.flatnonzero(may)
    centre = ROWS[rows].sum(axis=0)
    central = rows[np.argsort([-np.float32((ROWS[r] * centre).sum()) for r in rows], kind="stable")]
    out = []
    for r in central:
        if len(chosen) + len(out) == K:
            break
        if r == i or r == of[i] or r in chosen:
            continue
        if rules.exclude_same_group and GROUP[i] and GROUP[r] == GROUP[i]:
            continue
        out.append(r)
    return out


def check(name, rules, lam=None, least=None, fill=False, pool=3 * K, words=()):
    table = read(name)
    of = duplicates(rules, least) if least is not None else np.full(N, -1)
    if least is not None:
        assert (table["duplicate_of"] == of).all(), name
    for i in range(N):
        chosen = collapsed(rules, of, i, pool) if least is not None else rules.list(i, pool if lam is not None else K)
        chosen = diverse(chosen, i, lam) if lam is not None else chosen[:K]
        more = fills(rules, of, i, chosen) if fill else []
        count = table["count"][i]
        assert list(table["neighbor"][i, :count]) == chosen + more, (name, i, table["neighbor"][i], chosen, more)
        if fill:
            assert table["filled"][i] == len(more), (name, i)
        expected = [SCORE[i, j] if USABLE[i] else 0 for j in chosen + more]
        assert (table["score"][i, :count] == expected).all(), (name, i)
        assert (table["neighbor"][i, count:] == -1).all() and (table["score"][i, count:] == 0).all()
    return table


def test_lambda_one_is_the_plain_list():
    for rules in RULES:
        neighbors("plain.nc", *rules.words)
        neighbors("one.nc", "--diversity", "1", *rules.words)
        plain, one = read("plain.nc"), read("one.nc")
        for name in ("neighbor", "score", "count"):
            assert (plain[name] == one[name]).all()
        assert plain["order"] is None and one["order"] == "diversity"


def test_diversity():
    changed = 0
    for lam, rules in [(0.7, RULES[0]), (0.3, RULES[1]), (0.5, RULES[2]), (0.0, RULES[3]), (0.9, RULES[4])]:
        neighbors("diverse.nc", "--diversity", str(lam), *rules.words)
        check("diverse.nc", rules, lam=lam)
        neighbors("wide.nc", "--diversity", str(lam), "--pool", "40", *rules.words)
        table = check("wide.nc", rules, lam=lam, pool=40)
        changed += (np.diff(table["score"], axis=1) > 0).sum()
    assert changed > 100, "an order of its own"


def test_duplicates():
    for rules in RULES:
        for least in (1.0, 0.995, 0.9):
            report = neighbors("collapsed.nc", "--collapse-duplicates", str(least), *rules.words)
            of = check("collapsed.nc", rules, least=least)["duplicate_of"]
            assert report["duplicates"] == (of >= 0).sum() > 20, report
            kept = np.flatnonzero(of < 0)
            assert np.isin(of[of >= 0], kept).all(), "a partition: who is not kept belongs to one that is"
            assert np.isin(read("collapsed.nc")["neighbor"], [-1, *kept]).all()
    assert neighbors("c.nc", "--collapse-duplicates", "1")["sought_anew"] > 50


def test_fill():
    for number, rules in enumerate(RULES):
        report = neighbors("filled.nc", "--fill", "category", *rules.words)
        table = check("filled.nc", rules, fill=True)
        assert report["filled"] == table["filled"].sum() > 0, (number, report)
        for i in range(N):
            last = table["neighbor"][i, table["count"][i] - table["filled"][i]:table["count"][i]]
            assert i not in last and all(CATEGORY[j] == CATEGORY[i] != "" for j in last)
            assert not rules.only_available or AVAILABLE[last].all()
    # Those in the middle of the category are of one group: its own items get the others.
    r = np.random.default_rng(5)
    n, one = 150, np.arange(150) % 5 < 4
    x = np.where(one[:, None], 1, 0.6) + np.where(one[:, None], 0.05, 0.6) * r.standard_normal((n, DIM))
    write_catalogue("one", x.astype(np.float32), ["hats"] * n, np.where(one, "g1", [f"h{i}" for i in range(n)]), [1] * n)
    tables = []
    for ranks in (0, 3):
        neighbors("of-one.nc", "--fill", "category", "--exclude-same-group", "--min-score", "0.999", source="one.nc", ranks=ranks)
        tables.append(read("of-one.nc"))
        assert (tables[-1]["count"] == K).all() and (tables[-1]["filled"][one] == K).all()
        assert not one[tables[-1]["neighbor"][one]].any()
    assert np.array_equal(tables[0]["neighbor"], tables[1]["neighbor"])
    neighbors("tight.nc", "--fill", "category", "--min-score", "0.97")
    table = read("tight.nc")
    assert (table["count"][np.array(CATEGORY) != ""] == K).all() and table["filled"].max() == K


def test_calibrated():
    neighbors("plain.nc")
    neighbors("calibrated.nc", "--score", "calibrated")
    plain, table = read("plain.nc"), read("calibrated.nc")
    assert (plain["neighbor"] == table["neighbor"]).all() and (plain["count"] == table["count"]).all()
    upper = np.triu(np.outer(USABLE, USABLE), 1)
    pairs = np.sort(SCORE[upper])
    cosine, share = plain["score"][USABLE], table["score"][USABLE]
    expected = np.searchsorted(pairs, cosine, side="left") / len(pairs)
    assert np.abs(share - expected).max() < 1e-6, "the share of all pairs that are less alike"
    order = np.argsort(cosine, axis=None)
    assert (np.diff(share.ravel()[order]) >= 0).all() and share.min() >= 0 and share.max() <= 1
    assert (np.diff(table["calibration_cosine"]) > 0).all() and (np.diff(table["calibration_share"]) >= 0).all()
    assert (table["score"][~USABLE] == 0).all()
    low = np.interp(pairs, table["calibration_cosine"], table["calibration_share"])
    assert np.abs(low - np.searchsorted(pairs, pairs, side="left") / len(pairs)).max() < 1e-3


def test_calibrated_by_a_sample():
    x = np.random.default_rng(5).standard_normal((3000, 8)).astype(np.float32)
    np.save("many.npy", x)
    neighbors("many.nc", "--score", "calibrated", source="many.npy")
    table = read("many.nc")
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    pairs = np.sort((u @ u.T)[np.triu(np.ones((3000, 3000), bool), 1)])
    found = np.interp(pairs[::1000], table["calibration_cosine"], table["calibration_share"])
    assert np.abs(found - np.arange(0, len(pairs), 1000) / len(pairs)).max() < 0.006  # 4 deviations of 131,072 pairs
    akin("neighbors", "many.npy", "-k", str(K), "--score", "calibrated", "-o", "many3.nc", ranks=3)
    assert_same_variables("many.nc", "many3.nc")


EVERYTHING = ["--diversity", "0.6", "--collapse-duplicates", "0.95", "--fill", "category", "--score", "calibrated"]


def test_all_of_it_at_any_rank_count():
    for number, rules in enumerate(RULES):
        together = ["--diversity", "0.6", "--collapse-duplicates", "0.95", "--fill", "category", *rules.words]
        neighbors("together.nc", *together)
        table = check("together.nc", rules, lam=0.6, least=0.95, fill=True)
        neighbors("e1.nc", *EVERYTHING, *rules.words)
        assert (read("e1.nc")["neighbor"] == table["neighbor"]).all()
        for ranks in ([2, 3, 4] if number == 4 else [2 + number % 3]):
            neighbors("e.nc", *EVERYTHING, *rules.words, ranks=ranks)
            assert_same_variables("e1.nc", "e.nc")


def test_from_night_to_night():
    x, category = X.copy(), list(CATEGORY)
    x[::17] = x[1::17][:len(x[::17])]
    x[5] += 1
    write_catalogue("b", x[3:], category[3:], GROUP[3:], AVAILABLE.astype(int)[3:], 3)
    for rules in (RULES[0], RULES[4]):
        options = [*EVERYTHING, *rules.words]
        neighbors("night1.nc", *options, ranks=2)
        neighbors("anew.nc", *options, source="b.nc")
        since = ["--previous", "night1.nc", "--previous-embeddings", "a.nc"]
        for ranks in (1, 3):
            report = neighbors("night2.nc", *options, *since, source="b.nc", ranks=ranks)
            assert_same_variables("anew.nc", "night2.nc")
        assert report["kept"] > 60, report
        os.remove("night1.nc.spare")
        done = akin("neighbors", "b.nc", "-o", "night2.nc", "-k", str(K), *options, *since, "--json")
        assert done.json["kept"] == 0 and "night1.nc.spare" in done.err, done.err
        assert_same_variables("anew.nc", "night2.nc")
    done = akin("neighbors", "b.nc", "-o", "x.nc", "-k", str(K), "--previous", "night1.nc", "--previous-embeddings", "a.nc", expect=3)
    assert "other rules" in done.err


def test_published_and_measured():
    neighbors("e1.nc", *EVERYTHING, "--only-available")
    akin("publish", "e1.nc", "--to", "file:e1.jsonl", "--min-coverage", "0")
    akin("publish", "e1.nc", "--to", "file:e1.csv", "--min-coverage", "0")
    neighbors("e2.nc", *EVERYTHING, "--only-available", source="b.nc")
    akin("publish", "e2.nc", "--to", "file:e1.jsonl", "--max-churn", "1", "--min-coverage", "0")
    akin("evaluate", "e2.nc", "--against", "e1.nc")


def test_what_is_told():
    neighbors("told.nc", "--collapse-duplicates", "0.95", "--fill", "category", "--min-score", "0.9")
    table = read("told.nc")
    known = {"duplicates": (table["duplicate_of"] >= 0).sum(), "filled_items": (table["filled"] > 0).sum(), "filled": table["filled"].sum()}
    assert all(known.values()), known
    for ranks in (0, 3):
        for verb in ("inspect", "evaluate"):
            report = akin(verb, "told.nc", "--json", ranks=ranks).json
            assert {key: report[key] for key in known} == known, (verb, report)
    assert "duplicates" not in akin("inspect", "all.nc", "--json").json
    said = akin("evaluate", "told.nc").out
    assert "lists have 5 neighbours" in said and f"{known['filled']} neighbours were added by --fill" in said and "by category" in said, said
    assert "lists have 5 neighbours" in akin("evaluate", "told.nc", "--json").err
    by_group = akin("evaluate", "told.nc", "--label", "group")
    assert "category" not in by_group.out, by_group.out
    assert "by_category" not in akin("evaluate", "told.nc", "--label", "group", "--json").json
    neighbors("same.nc", "--same-category")
    assert "--same-category" in akin("evaluate", "same.nc").out and "--same-category" not in said
    akin("neighbors", "a.nc", "-o", "ten.nc", "-k", 10)
    assert "remark" not in akin("evaluate", "ten.nc").out


def test_refusals():
    for words, code, said in [
        (["--pool", "50"], 2, "--pool needs"), (["--pool", "3", "--diversity", "0.5"], 2, "less than k"),
        (["--diversity", "1.5"], 2, "diversity"), (["--collapse-duplicates", "0.3", "--min-score", "0.5"], 2, "--min-score"),
        (["--fill", "group"], 2, "fill"), (["--score", "best"], 2, "score"),
    ]:
        done = akin("neighbors", "a.nc", "-o", "x.nc", "-k", str(K), *words, expect=code)
        assert said in done.err, (words, done.err)
    done = akin("neighbors", "a.npy", "-o", "x.nc", "--fill", "category", expect=2)
    assert "no item of a.npy has a category" in done.err
    assert not os.path.exists("x.nc")


main(globals())
