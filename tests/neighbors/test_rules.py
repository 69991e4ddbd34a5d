"""neighbors with rules for each item: random rules over random catalogues equal brute force, at 1 to 3 ranks, and a night that
builds upon the one before equals a full one. The rules of a catalogue are the tables of one job. `python test_rules.py 200` tries
that many."""

import os
import shutil
import sys

import netCDF4
import numpy as np
from random_rules import Asked, Catalogue, KINDS, assert_exact, brute_force, draw_words, embed, files, write, write_catalogue
from support import akin, assert_same_variables, draw, fresh, main
from tables import lists_of

os.chdir(fresh("rules"))
CASES = int(sys.argv[1]) if len(sys.argv) > 1 else 16
PER_CATALOGUE, SEED = 8, int(sys.argv[2]) if len(sys.argv) > 2 else 1


FLAGS = ("--only-available", "--same-category", "--exclude-same-group", "--damp-hubs")


def quoted(value):
    return f'"{value}"' if " " in value else value


def lines_of(words):
    """The words of a call as lines of a section."""
    words = [str(word) for word in words]
    lines = [f"{word[2:]} = yes" if word in FLAGS else None if not word.startswith("--") else f"{word[2:]} = {quoted(words[at + 1])}"
             for at, word in enumerate(words)]
    return [line for line in lines if line]


def write_job(name, cases):
    with open(f"{name}.ini", "w") as f:
        f.write(f"[job]\nname = {name}\n[ingest]\nsource = now.csv\nattributes = {' '.join(f'{a}:{k}' for a, k in KINDS.items())}\n"
                "[embed]\nfrom = now.npy\nids = now.txt\n[neighbors]\nk = 3\n")
        for case, (words, _, k, _) in cases.items():
            f.write("\n".join([f"[table c{case}]", f"k = {k}", *lines_of(words)]) + "\n")


def draw_case(r, items, case):
    files["prefix"] = f"c{case}-"
    words, asked = draw_words(r, items)
    files["prefix"] = ""
    k = int(r.choice([1, 5, 12, 150]))
    return words, asked, k, (SEED, case, *map(str, words), k)


def check_exact(folder, cases, items, rows):
    for case, (_, asked, k, said) in cases.items():
        assert_exact(f"results/{folder}/table-c{case}.nc", items, rows, asked, k, said)


def check_catalogue(first, cases):
    """The night that builds upon the one before, of each table, is the full one; how many lists were kept."""
    r, ranks = np.random.default_rng([SEED, first]), first // PER_CATALOGUE
    now = Catalogue(r, int(r.integers(100, 400)), float(r.choice([0, 0.15])))
    shutil.rmtree("results", ignore_errors=True)
    drawn = {case: draw_case(r, now.items, case) for case in cases}
    for name in ("night", "full"):
        write_job(name, drawn)
    write_catalogue(now.items, now.rows)
    akin("run", "night.ini", ranks=1 + ranks % 3)
    check_exact("night", drawn, now.items, now.rows)
    now.pass_night()
    write_catalogue(now.items, now.rows)
    akin("run", "full.ini", ranks=1 + (ranks + 1) % 3)
    check_exact("full", drawn, now.items, now.rows)
    tables = akin("run", "night.ini", "--json", ranks=1 + (ranks + 2) % 3).json["stages"]["tables"]
    for case in cases:
        assert_same_variables(f"results/full/table-c{case}.nc", f"results/night/table-c{case}.nc")
    return sum(tables[f"c{case}"]["kept"] for case in cases)


def test_random_rules():
    draw("p.png", 1)
    kept = sum(check_catalogue(first, range(first, min(first + PER_CATALOGUE, CASES))) for first in range(0, CASES, PER_CATALOGUE))
    assert kept > 50 * CASES, kept


def test_foretold_thresholds():
    """More rows than the random cases have, so that thresholds are foretold from samples, also with boosts and where rules let few pairs pass."""
    r, n, k = np.random.default_rng(7), 2000, 8
    now = Catalogue(r, n, 0.1)
    write_catalogue(now.items, now.rows)
    value = {a: np.array([np.float32(item[a] or "nan") for item in now.items]) for a in ("price", "stock")}
    gender = np.array([item["gender"] for item in now.items])
    rank = Asked([], [])
    rank.boosts = [("stock", 1.0)]
    boost = rank.offsets(now.items, now.rows, k)
    bound = ~np.isnan(value["price"])
    price = value["price"].astype(np.float64)
    ends = np.sort([0.8 * price, 1.2 * price], axis=0)[:, :, None]
    within = ~bound[:, None] | (price >= ends[0]) & (price <= ends[1])
    alike = (gender[:, None] == "") | (gender[:, None] == gender)
    scores = now.rows.astype(np.float64) @ now.rows.T
    cases = {"plain": ([], True, 0), "up": (["--boost", "stock=0.25"], True, 0.25), "down": (["--boost", "stock=-8", "--min-score", 0.125], scores >= 0.125, -8),
             "far": (["--boost", "stock=10", "--same", "gender"], alike, 10), "both": (["--within", "price=0.8..1.2x", "--same", "gender"], within & alike, 0),
             "all": (["--boost", "stock=0.5", "--within", "price=0.8..1.2x"], within, 0.5)}
    write_job("foretold", {name: (words, None, k, None) for name, (words, _, _) in cases.items()})
    for ranks in (1, 3):
        shutil.rmtree("results", ignore_errors=True)
        akin("run", "foretold.ini", ranks=ranks)
        for name, (_, may, weight) in cases.items():
            with netCDF4.Dataset(f"results/foretold/table-c{name}.nc") as d:
                found = d["neighbor"][:].filled(-1)
            wanted = np.where(may & ~np.eye(n, dtype=bool), (scores.astype(np.float32) + (boost * np.float32(weight))[None]).astype(np.float64), -np.inf)
            for i in range(n):
                best = np.lexsort((np.arange(n), -wanted[i]))[:k]
                best = np.where(wanted[i][best] > -np.inf, best, -1)
                assert (found[i] == best).all(), (name, ranks, i, found[i], best, wanted[i][best], wanted[i][found[i]])


def test_queries_answer_as_the_table():
    """A query with the rules of a table is the item's row; --why explains each rule, and the ranks, of a pair."""
    r, k = np.random.default_rng([SEED, 77]), 12
    now = Catalogue(r, 110, 0.1)
    items, rows, n = now.items, now.rows, len(now.items)
    embed("now", items, rows)
    draws = [draw_words(r, items) for _ in range(60)]
    wanted = [lambda w: "--pins" in w and "--at-most" in w, lambda w: "--boost" in w and "--blocks" in w, lambda w: "--damp-hubs" in w, lambda w: "--within" in w]
    for case, want in enumerate(wanted):
        words, asked = next(draw for draw in draws if want(draw[0]) and "categories.csv" not in draw[0] and ("--blocks" not in draw[0] or case == 1))
        for name in ("pins", "blocks"):  # the files of this draw, not of the last one
            if f"--{name}" in words:
                words, asked = next((w, a) for w, a in (draw_words(r, items) for _ in range(999)) if want(w))
                break
        akin("neighbors", "now.nc", "-o", "t.nc", "-k", k, *words, ranks=2)
        assert_exact("t.nc", items, rows, asked, k, words)
        with netCDF4.Dataset("t.nc") as d:
            neighbor, score, count = d["neighbor"][...].data, d["score"][...].data, d["count"][...].data
        for more in (["--table", "t.nc"], ["-k", k, *words]):
            for i in (int(x) for x in r.choice(n, 1 + case % 2, replace=False)):
                j = akin("query", "now.nc", "--id", items[i]["id"], "--json", *more, ranks=case % 4).json
                assert j["neighbors"] == [[items[o]["id"], float(x)] for o, x in zip(neighbor[i, :count[i]], score[i])], (case, words, i, j)
        fixed = asked.offsets(items, rows, k)
        asked.offsets = lambda *_: fixed
        full = brute_force(items, rows, asked, n)[0]
        plain = Asked(asked.rules, asked.limits)
        plain.pairs, plain.barred, plain.only_available = asked.pairs, getattr(asked, "barred", set()), getattr(asked, "only_available", False)
        without = brute_force(items, rows, plain, n)[0]
        for i, b in ((i, int(full[i, 0]) if full[i, 0] >= 0 and t else int(r.integers(0, n))) for i in r.choice(n, 1) for t in (0, 1)):
            if i == b:
                continue
            why = akin("query", "now.nc", "--id", items[i]["id"], "--why", items[b]["id"], "--json", "--table", "t.nc", ranks=case).json
            place = lambda lists: int(np.flatnonzero(lists[i] == b)[0]) + 1 if b in lists[i] else None
            said = (case, words, items[i], items[b], why)
            assert why["cosine"] == rows[i] @ rows[b] and abs(why["boost"] - fixed[b]) < 1e-6, said
            assert why["rank"] == place(full) and why["rank_without_boost"] == place(without), said
            assert why["pinned"] == (b in asked.pins(items).get(i, [])), said
            asked_for = [rule for rule in why["rules"] if rule["asked"]]
            own = [rule for rule in asked_for if not rule["rule"].startswith("at-most")]
            assert all(rule["passes"] for rule in own) == all(rule(items[i], items[b], rows[i] @ rows[b]) for rule in asked.rules), said
            if why["rank"] is not None and not why["pinned"]:
                assert all(rule["passes"] for rule in asked_for) or len(asked.limits) > 1 or asked.pairs, said
            told = {rule["rule"] for rule in asked_for}
            assert all(f"{w[2:]} {words[at + 1]}" in told for at, w in enumerate(map(str, words))
                       if w in ("--same", "--different", "--within", "--only", "--not", "--at-most", "--categories", "--blocks")), said


def test_what_a_query_cannot_take_of_a_table():
    akin("neighbors", "now.nc", "-o", "d.nc", "-k", 5, "--diversity", 0.5, "--same-category")
    done = akin("query", "now.nc", "--id", "i00003", "--table", "d.nc", "--json", ranks=2)
    assert not done.err and [n for n, _ in done.json["neighbors"]] == [n for n, _ in lists_of("d.nc")["i00003"]]
    assert "--diversity 0.5" in akin("query", "now.nc", "--id", "i00003", "--table", "d.nc", "-k", 5, ranks=2).err
    assert "not made from" in akin("query", "now.npy", "--id", "3", "--table", "d.nc", expect=3, ranks=2).err
    assert "no-table" in akin("query", "now.nc", "--id", "i00003", "--table", "no-table.nc", expect=1, ranks=2).err
    write("pins.csv", ["id", "neighbor"], [("i00003", "i00005")])
    akin("neighbors", "now.nc", "-o", "p.nc", "-k", 5, "--pins", "pins.csv")
    assert akin("query", "now.nc", "--id", "i00003", "--table", "p.nc", "--json").json["neighbors"][0][0] == "i00005"
    assert len(akin("query", "now.nc", "--id", "i00003", "--table", "p.nc", "-k", 2, "--json").json["neighbors"]) == 2
    write("pins.csv", ["id", "neighbor"], [("i00003", "i00006")])
    assert "other contents" in akin("query", "now.nc", "--id", "i00003", "--table", "p.nc").err
    draw("new.png", 5)
    assert "model" in akin("query", "now.nc", "--image", "new.png", "--same", "brand", expect=2).err


def test_hubs():
    """Rows around one direction: those nearest to it are in most lists, until that is subtracted."""
    x = np.random.default_rng(5).standard_normal((600, 48)) + 0.5
    x[:300] += 0.3
    np.save("hubs.npy", x.astype(np.float32))
    told = {}
    for words in ((), ("--damp-hubs",)):
        akin("neighbors", "hubs.npy", "-o", "hubs.nc", "-k", "10", *words, ranks=2)
        told[words] = akin("evaluate", "hubs.nc", "--json", ranks=2).json
        with netCDF4.Dataset("hubs.nc") as d:
            places = np.sort(np.bincount(d["neighbor"][...].ravel(), minlength=600))[::-1]
        assert abs(told[words]["hub_share"] - places[:6].sum() / 6000) < 1e-9
        assert told[words]["never_recommended"] == (places == 0).sum() and told[words]["at_most_once"] == (places <= 1).sum()
    assert told[("--damp-hubs",)]["hub_share"] < 0.7 * told[()]["hub_share"], told
    assert told[("--damp-hubs",)]["never_recommended"] < told[()]["never_recommended"], told


def test_refusals_and_files():
    r = np.random.default_rng(3)
    now = Catalogue(r, 120, 0)
    embed("now", now.items, now.rows)
    for words, said in [(["--same", "colour"], "colour"), (["--within", "price=2"], "LOW..HIGH"), (["--within", "group=1..2x"], "not a number"),
                        (["--within", "price=3..2x"], "price=3..2x: LOW is above HIGH; write ATTR=LOW..HIGHx"),
                        (["--within", "price=5..-5"], "LOW is above HIGH"), (["--within", "price=-1..2x"], "a factor cannot be negative"),
                        (["--within", "price=0,5..2x"], "decimal point"), (["--boost", "price=1e9"], "WEIGHT must be from -100 to 100"),
                        (["--boost", "price=0,1"], "decimal point"), (["--at-most", "brand=70000"], "N must be from 1 to"), (["--only", "group"], "ATTR=VALUE"), (["--at-most", "group=0"], "at least 1"),
                        (["--boost", "group=1"], "number")]:
        done = akin("neighbors", "now.nc", "-o", "x.nc", *words, expect=2, ranks=2)
        assert said in done.err and not os.path.exists("x.nc"), (words, done.err)
    akin("neighbors", "now.nc", "-o", "x.nc", "--blocks", "none.csv", expect=1)
    write("blocks.csv", ["id", "neighbor"], [("i00001", "nobody"), ("i00001", "i00002")])
    done = akin("neighbors", "now.nc", "-o", "old.nc", "--blocks", "blocks.csv", ranks=2)
    assert "1 pair names an id that the catalogue lacks" in done.err and "nobody" in done.err, done.err
    write("blocks.csv", ["id", "neighbor"], [("i00001", "i00003")])  # the same name, another content
    done = akin("neighbors", "now.nc", "-o", "delta.nc", "--blocks", "blocks.csv", "--previous", "old.nc", "--previous-embeddings", "now.nc",
                "--json", ranks=2)
    assert done.json["kept"] == 0 and "computed again" in done.err, done.err
    akin("neighbors", "now.nc", "-o", "full.nc", "--blocks", "blocks.csv")
    assert_same_variables("full.nc", "delta.nc")


main(globals())
