"""[table NAME] in a job file: each table is that of a run of its own, at any rank count and from night to night; evaluate, publish
and the records know it by name; a changed section alone is rebuilt; a bad one touches nothing."""

import json
import os
import re

from support import akin, assert_same_variables, draw, draw_catalogue, fresh, main

os.chdir(fresh("job_tables"))
CATALOGUE = draw_catalogue("pictures", 60)
TABLES = {"related": ["same-category = yes", "k = 4"], "other_2": ["exclude-same-group = yes", "min-score = -0.9", "k = 7"]}
JOB = """[job]
name = {name}
{job}
[ingest]
source = {catalogue}
[train]
features = handcrafted
[neighbors]
k = 5
[evaluate]
label = category
[publish]
max-churn = 1
to = {to}
"""


def write_job(name="job", tables=TABLES, job="", to="file:{name}-{{table}}.jsonl file:{name}.csv", more=""):
    with open(f"{name}.ini", "w") as f:
        f.write(JOB.format(name=name, catalogue=CATALOGUE, job=job, to=to.format(name=name)) + more)
        for key, lines in tables.items():
            f.write(f"[table {key}]\n" + "".join(f"{line}\n" for line in lines))
    return f"{name}.ini"


def run(job, *words, **more):
    return akin("run", job, "--json", *words, **more)


def told(folder):
    with open(f"{folder}/metrics.json") as f:
        return json.load(f)


def ran(done):
    """What was not skipped: the stages, and those of tables as NAME:verb."""
    stages = dict(done.json["stages"])
    found = {name: entry for name, entry in stages.items() if name != "tables"}
    for table, entry in stages.get("tables", {}).items():
        found[f"{table}:neighbors"] = entry
        found.update({f"{table}:{verb}": entry[verb] for verb in ("evaluate", "publish") if verb in entry})
    return [name for name, entry in found.items() if not entry["skipped"]]


def options_of(lines):
    words = []
    for line in lines:
        key, value = line.split(" = ")
        words += [f"--{key}"] if value == "yes" else [f"--{key}", value]
    return words


def check_alone(folder, tables=TABLES):
    for name, lines in {"": ["k = 5"], **tables}.items():
        akin("neighbors", f"{folder}/embeddings.nc", "-o", "alone.nc", *options_of(lines))
        assert_same_variables("alone.nc", f"{folder}/table{'-' if name else ''}{name}.nc")


def test_each_table_is_that_of_a_run_of_its_own():
    for ranks in (1, 2, 3):
        done = run(write_job(f"at{ranks}"), ranks=ranks)
        folder = f"results/at{ranks}"
        check_alone(folder)
        assert done.json["stages"]["tables"]["related"]["k"] == 4, done.json
    metrics = told(folder)
    assert list(metrics) == ["ingest", "train", "embed", "neighbors", "evaluate", "publish", "tables"], list(metrics)
    assert list(metrics["tables"]) == list(TABLES)
    for name, table in metrics["tables"].items():
        assert table["verb"] == "neighbors" and table["status"] == "ok" and table["ranks"] == 3, table
        assert table["evaluate"]["verb"] == "evaluate" and table["evaluate"]["k"] == table["k"]
        assert [place["url"] for place in table["publish"]["published"]] == [f"file:at3-{name}.jsonl"]
        akin("publish", f"{folder}/table-{name}.nc", "--to", "file:alone.jsonl")
        with open("alone.jsonl", "rb") as a, open(f"at3-{name}.jsonl", "rb") as b:
            assert a.read() == b.read()
        for path in ("alone.jsonl", "alone.jsonl.prev"):
            if os.path.exists(path):
                os.remove(path)
    assert metrics["tables"]["related"]["evaluate"]["precision_at_1"] == 1.0
    assert [place["url"] for place in metrics["publish"]["published"]] == ["file:at3-main.jsonl", "file:at3.csv"]
    with open(f"{folder}/metrics.prom") as f:
        prom = f.read()
    assert re.search(r'^akin_stage_items\{job="at3",stage="neighbors",table="related"\} 60$', prom, re.M), prom
    assert re.search(r'^akin_gate_refused\{job="at3",gate="min-coverage",table="related"\} 0$', prom, re.M), prom


def test_the_record_of_the_job_makes_the_same():
    run("results/at2/job.ini", ranks=1)
    assert ran(run("results/at2/job.ini")) == []


def test_a_changed_table_is_made_again_alone():
    job = write_job("job")
    run(job)
    before = {name: os.stat(f"results/job/{name}").st_mtime_ns for name in ("table.nc", "table-related.nc")}
    assert ran(run(job)) == []
    changed = {**TABLES, "other_2": ["exclude-same-group = yes", "k = 9"]}
    done = run(write_job("job", changed), ranks=2)
    assert ran(done) == ["other_2:neighbors", "other_2:evaluate", "other_2:publish"], ran(done)
    assert before == {name: os.stat(f"results/job/{name}").st_mtime_ns for name in before}
    check_alone("results/job", changed)
    changed["third"] = ["k = 3"]
    assert ran(run(write_job("job", changed))) == ["third:neighbors", "third:evaluate", "third:publish"]
    del changed["third"], changed["related"]
    done = run(write_job("job", {**changed, "related": ["enabled = no"]}))
    assert ran(done) == [] and list(told("results/job")["tables"]) == ["other_2"], done.json


def test_a_change_reuses_what_the_tables_were_made_from():
    draw(os.path.join("pictures", "p5.png"), 555)
    done = run(write_job("job"), ranks=2)
    check_alone("results/job")
    assert done.json["stages"]["tables"]["related"]["kept"] > 0, done.json["stages"]["tables"]["related"]
    assert not [name for name in os.listdir("results/job") if "last" in name or "part" in name]


def test_nights_take_the_tables_of_the_night_before():
    job = write_job("night", job="keep = 3")
    first = run(job, "--night", "2026-01-01").json["output"]
    draw(os.path.join("pictures", "p7.png"), 777)
    done = run(job, "--night", "2026-01-02", ranks=2)
    check_alone(done.json["output"])
    tables = done.json["stages"]["tables"]
    assert all(tables[name]["kept"] > 0 for name in TABLES), tables
    for name in TABLES:
        against = tables[name]["evaluate"]["against_digest"]
        assert against == told(first)["tables"][name]["evaluate"]["table_digest"], name
        assert tables[name]["evaluate"]["churn"] >= 0


def test_each_line_of_the_log_names_its_table():
    """And says why all lists of a boosted table are new."""
    with open("pins.csv", "w") as f:
        f.write("id,neighbor\nitem-0001,nowhere\n")
    job = write_job("named", {"popular": ["damp-hubs = yes"], "pinned": ["pins = pins.csv"]}, job="keep = 3")
    run(job, "--night", "2026-01-01")
    draw(os.path.join("pictures", "p8.png"), 888)
    done = run(job, "--night", "2026-01-02", ranks=2)
    line = {table: next(line for line in done.err.splitlines() if f"akin: neighbors (table {table}): " in line) for table in ("popular", "pinned")}
    assert "every list recomputed, because what --damp-hubs adds to a score depends on all items" in line["popular"] and "new or changed" not in line["popular"], line
    assert "1 item new or changed" in line["pinned"], line
    assert "akin: table-pinned.nc: --pins: " in done.err and "akin: --pins" not in done.err and done.err.count("every list recomputed") == 1, done.err


def test_a_gate_holds_back_its_own_table_only():
    tables = {"sparse": ["min-score = 0.99999"], "whole": ["k = 3"]}
    done = run(write_job("gate", tables), expect=4, ranks=2)
    assert "publish (table sparse)" in done.err, done.err
    assert not os.path.exists("gate-sparse.jsonl") and os.path.exists("gate-whole.jsonl") and os.path.exists("gate-main.jsonl")
    assert told("results/gate")["tables"]["sparse"]["publish"]["exit"] == 4
    for more in (), ("bare",), ("bare", "thin"):
        names = dict.fromkeys(("sparse", *more), tables["sparse"])
        done = run(write_job("gates", {**names, "whole": ["k = 3"]}), expect=4, ranks=2)
        said = done.json["message"]
        held = re.findall(r"^akin: publish \(table (\w+)\): this table is held back by min-coverage: its targets keep what they have$", done.err, re.M)
        assert held == list(names), done.err
        limit = r"; the limit is the default: \[publish\], gates.ini:\d+, has no min-coverage"
        told_of = "".join(rf"publish \(table {name}\): coverage is 0[.0-9]*, --min-coverage is 0.95{limit}\npublish \(table {name}\): nothing was published: inspect .*\n" for name in names)
        assert re.fullmatch(told_of, said + "\n"), said
        assert all(f"akin run: {line}" in done.err for line in said.splitlines()), done.err


def test_a_refusal_has_the_limit_of_its_own_gate():
    """Whatever a target is called: here by words of another gate, which refuses too."""
    to = '"file:--min-coverage is {{table}}.csv"'
    run(write_job("words", {"own": ["k = 3"]}, to=to))
    done = run(write_job("words", {"own": ["k = 3", "min-score = 0.99999", "max-churn = 0.5"]}, to=to), expect=4, ranks=2)
    coverage, churn, last = done.json["message"].splitlines()
    assert last.endswith("if it is right") and coverage.count("the limit is") == churn.count("the limit is") == 1, done.json["message"]
    assert "file:--min-coverage is own.csv: churn is 1, --max-churn is 0.5; the limit is max-churn in [table own], words.ini:18" in churn, churn
    said = {gate["gate"]: gate.get("message") for gate in told("results/words")["tables"]["own"]["publish"]["gates"]}
    assert said["max-churn"] in churn and said["min-coverage"] in coverage and said["max-shrink"] is None, said


def test_a_table_has_gates_of_its_own():
    """In place of those of [publish], and without being made again; a gate that nothing uses is refused."""
    with open("golden.csv", "w") as f:
        f.write("id,neighbor\n" + "".join(f"item-0000,item-{i:04d}\n" for i in range(1, 11)))  # of which a list of 3 has 0.3 at most
    tables = {"sparse": ["min-score = 0.99999", "min-coverage = 0"], "strict": ["k = 3", "golden = golden.csv"], "plain": ["k = 2"]}
    done = run(write_job("own", tables), expect=4, ranks=2)
    assert "publish (table strict)" in done.err and "--min-golden is 0.9" in done.err, done.err
    assert "the limit is the default: [publish], own.ini:12, has no min-golden" in done.json["message"], done.json["message"]
    assert [os.path.exists(f"own-{name}.jsonl") for name in ("main", "sparse", "strict", "plain")] == [True, True, False, True]
    gates = {name: {gate["gate"]: gate["limit"] for gate in entry["publish"]["gates"]} for name, entry in told("results/own")["tables"].items()}
    assert gates["sparse"]["min-coverage"] == 0 and gates["plain"]["min-coverage"] == 0.95, gates
    assert gates["strict"]["min-golden"] == 0.9 and "min-golden" not in gates["plain"], gates
    with open("results/own/metrics.prom") as f:
        assert re.search(r'^akin_gate_limit\{job="own",gate="min-coverage",table="sparse"\} 0$', f.read(), re.M)
    tables["strict"] = ["k = 3", "golden = golden.csv", "min-golden = 0.8"]
    message = run(write_job("own", tables), expect=4).json["message"]
    assert re.search(r"--min-golden is 0.8.*; the limit is min-golden in \[table strict\], own.ini:21", message), message
    tables["strict"] = ["k = 3", "golden = golden.csv", "min-golden = 0"]
    done = run(write_job("own", tables))
    assert ran(done) == ["strict:publish"] and os.path.exists("own-strict.jsonl"), done.json
    assert ran(run("results/own/job.ini")) == []


def test_a_table_that_no_address_has_is_told():
    done = run(write_job("silent", to="file:{name}.jsonl"))
    assert done.err.count("is not published") == 2 and "table related is not published" in done.err, done.err
    assert "publish" not in told("results/silent")["tables"]["related"]


def test_a_bad_section_touches_nothing():
    for text, line, words in [("[table a]\nk = 3\n[table a]\nk = 4\n", 17, "twice"),
                              ("[table main]\nk = 3\n", 15, "main"),
                              ("[table a/b]\nk = 3\n", 15, "letters"),
                              ("[table]\nk = 3\n", 15, "name"),
                              ("[table a]\nkk = 3\n", 16, "unknown key kk"),
                              ("[table a]\noutput = x.nc\n", 16, "is set by the run"),
                              ("[table a]\nk = 0\n", 16, "whole number"),
                              ("[table a]\npool = 5\n", 16, "[table a]"),
                              ("[table a]\nmin-coverage = 2\n", 16, "a number"),
                              ("[table a]\nk = 2\nmin-golden = 0.5\n", 17, "[table a] --min-golden belongs to --golden"),
                              ("[table a]\nto = file:x.csv\n", 16, "unknown key to"),
                              ("[neighbors]\nmax-churn = 0.5\n", 16, "unknown key max-churn"),
                              ("[table a]\nk = 2\n[table x]\n", 17, "no key")]:
        with open(write_job("bad", {}), "a") as f:
            f.write(text)
        for more in ((), ("--check",)):
            done = run("bad.ini", *more, expect=2)
            assert f"bad.ini:{line}:" in done.err and words in done.err, (text, done.err)
        assert not os.path.exists("results/bad")
    write_job("bad", to="file:{name}-{{table}}.jsonl file:{name}-related.jsonl")
    done = run("bad.ini", expect=2)
    assert "bad.ini:14:" in done.err and not os.path.exists("results/bad"), done.err
    write_job("bad", {"a": ["golden = none.csv"]})
    done = run("bad.ini", "--check", expect=1)
    assert "bad.ini:16: [table a] golden none.csv: no such file" in done.err, done.err
    for to, named in (("file:{name}.jsonl", True), ("file:{name}-{{table}}.jsonl", False), ("file:{name}.jsonl\nenabled = no", False)):
        done = run(write_job("bad", {"a": ["k = 3", "max-churn = 0.5"]}, to=to), "--check", expect=2 if named else 0)
        assert ("bad.ini:17: [table a] max-churn is a gate of publishing" in done.err) is named, done.err
    done = run(write_job("nolabel", {"a": ["k = 2"], "b": ["exclude-same-group = yes"]}), "--check")
    assert done.json["exit"] == 0


def test_a_failed_table_leaves_the_old_files():
    job = write_job("job")
    run(job)
    before = os.stat("results/job/table-other_2.nc").st_mtime_ns
    os.rename("results/job/table-other_2.nc", "kept.nc")
    os.makedirs("results/job/table-other_2.nc/in-the-way")
    done = run(job, expect=None)
    assert done.code in (1, 3) and "table other_2" in done.err, done.err
    check_alone("results/job", {"related": TABLES["related"]})
    os.rmdir("results/job/table-other_2.nc/in-the-way")
    os.rmdir("results/job/table-other_2.nc")
    os.rename("kept.nc", "results/job/table-other_2.nc")
    assert ran(run(job)) == [] and before == os.stat("results/job/table-other_2.nc").st_mtime_ns



main(globals())
