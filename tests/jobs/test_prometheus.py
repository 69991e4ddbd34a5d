"""metrics.prom has what an operator must know about a job, also when a run fails, and the alert rules and the dashboard use only
metrics that it has. The exposition is read by a strict parser, after the grammar of Prometheus' text format 0.0.4."""

import json
import os
import re
import shutil
import subprocess
import time

import yaml

import support
from support import SOURCE, akin, draw

os.chdir(support.fresh("prometheus"))
NAME, LABEL = r"[a-zA-Z_:][a-zA-Z0-9_:]*", r"[a-zA-Z_][a-zA-Z0-9_]*"
SAMPLE = re.compile(rf'({NAME})\{{((?:{LABEL}="(?:[^"\\\n]|\\[\\"n])*",?)*)\}} (-?[0-9][0-9.e+-]*|NaN|[+-]Inf)$')


def parse(path):
    """{name: {labels: value}}; every family once, HELP before TYPE before its samples, no sample twice."""
    text = open(path, encoding="utf-8").read()
    assert text.endswith("\n") and "\n\n" not in text and "\r" not in text
    families, current, helped = {}, None, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            helped = line.split(" ", 3)[2]
            assert helped not in families and len(line.split(" ", 3)) == 4, line
        elif line.startswith("# TYPE "):
            _, _, current, kind = line.split(" ")
            assert current == helped and kind == "gauge" and re.fullmatch(NAME, current), line
            families[current] = {}
        else:
            name, labels, value = SAMPLE.fullmatch(line).groups()
            assert name == current and labels not in families[name], line
            families[name][labels] = float(value)
    assert all(families.values())
    return families


def only(families, name):
    return next(iter(families[name].values()))


def write_job(more="", items=12):
    os.makedirs("pictures", exist_ok=True)
    with open("catalog.csv", "w") as f:
        f.write("id,path,category\n")
        for i in range(items):
            if not os.path.exists(f"pictures/{i}.png"):
                draw(f"pictures/{i}.png", i)
            f.write(f"item-{i},pictures/{i}.png,{'ab'[i % 2]}\n")
    with open("job.ini", "w") as f:
        f.write(f"[job]\nname = night\n{more}\n[ingest]\nsource = catalog.csv\n[train]\nfeatures = handcrafted\n[neighbors]\nk = 3\n"
                "[evaluate]\nlabel = category\n[publish]\nto = file:t.jsonl\nmax-shrink = 0.3\n")


SEEN = set()


def metrics(path):
    families = parse(path)
    SEEN.update(families)
    return families


NOW = 10 * 86400
ALERTS = {"AkinNightMissing": ("akin_last_success_timestamp_seconds", 0), "AkinRunFailed": ("akin_last_run_exit_code", 1),
          "AkinGateRefused": ("akin_gate_refused", 1), "AkinTableOld": ("akin_published_timestamp_seconds", 0), "AkinRejects": ("akin_rejected{", 1e3),
          "AkinItemsWithoutNeighbors": ("akin_items_without_neighbors", 1e3), "AkinLeftUnpublished": ("akin_publish_places_left", 1),
          "AkinDepartmentStandsOut": ("akin_outlier_categories", 1)}


def every_alert_fires(path):
    """Where its series of a run's file is bad; where all are good, none does."""
    with open(path) as f:
        series = [line.rsplit(" ", 1) for line in f if not line.startswith("#")]
    values = {name: NOW if "timestamp" in name else 0 if name.startswith(tuple(start for start, _ in ALERTS.values())) else float(value) for name, value in series}
    with open(f"{SOURCE}/slurm/akin-alerts.yml") as f:
        rules = [rule["alert"] for rule in yaml.safe_load(f)["groups"][0]["rules"]]
    assert sorted(rules) == sorted(ALERTS)
    for alert, (start, bad) in ALERTS.items():
        for is_bad in (False, True):
            given = {name: bad if is_bad and name.startswith(start) else value for name, value in values.items()}
            assert not is_bad or given != values, alert
            tests = [{"interval": "1h", "input_series": [{"series": name, "values": f"{value:g}x300"} for name, value in given.items()],
                      "alert_rule_test": [{"eval_time": f"{NOW}s", "alertname": alert, "exp_alerts": []}]}]
            with open("alerts-test.yml", "w") as f:
                yaml.safe_dump({"rule_files": [f"{SOURCE}/slurm/akin-alerts.yml"], "evaluation_interval": "1h", "tests": tests}, f)
            done = subprocess.run(["promtool", "test", "rules", "alerts-test.yml"], capture_output=True, text=True)
            assert (done.returncode != 0) == is_bad and (not is_bad or alert in done.stdout + done.stderr), (alert, is_bad, done)


def test_success_failure_and_a_gate():
    write_job()
    began = time.time()
    akin("run", "job.ini")
    good = metrics("results/night/metrics.prom")
    success = only(good, "akin_last_success_timestamp_seconds")
    assert int(began) <= success <= time.time() and only(good, "akin_last_run_exit_code") == 0
    assert int(began) <= only(good, "akin_published_timestamp_seconds") <= success
    assert only(good, "akin_items_without_neighbors") == 0 and only(good, "akin_rejected") == 0 and only(good, "akin_warnings") == 0
    assert good["akin_gate_refused"] == {'job="night",gate="min-coverage"': 0}
    assert {re.search('stage="(.*)"', k)[1] for k in good["akin_stage_seconds"]} == {"ingest", "train", "embed", "neighbors", "evaluate", "publish"}
    time.sleep(1.1)
    write_job(items=6)
    akin("run", "job.ini", expect=4)
    refused = metrics("results/night/metrics.prom")
    assert only(refused, "akin_last_run_exit_code") == 4 and only(refused, "akin_last_success_timestamp_seconds") == success
    assert only(refused, "akin_last_run_timestamp_seconds") > success
    assert refused["akin_gate_refused"]['job="night",gate="max-shrink"'] == 1
    assert refused["akin_gate_measured"]['job="night",gate="max-shrink"'] == 0.5 and refused["akin_gate_limit"]['job="night",gate="max-shrink"'] == 0.3
    with open("results/night/metrics.prom") as f:
        codes = re.search("^# HELP akin_last_run_exit_code .*", f.read(), re.M)[0]
    assert re.findall(r"\d+", codes) == ["0", "1", "2", "3", "4", "75"], codes
    os.rename("pictures", "away")
    akin("run", "job.ini", expect=3)
    failed = metrics("results/night/metrics.prom")
    assert only(failed, "akin_last_run_exit_code") == 3 and only(failed, "akin_last_success_timestamp_seconds") == success
    os.rename("away", "pictures")


def test_nights_have_it_in_the_output_folder_too():
    write_job("keep = 3\noutput = nights")
    shutil.rmtree("t.jsonl", ignore_errors=True)
    akin("run", "job.ini", "--night", "2026-03-01", ranks=2)
    assert open("nights/metrics.prom").read() == open("nights/2026-03-01/metrics.prom").read()
    success = only(metrics("nights/metrics.prom"), "akin_last_success_timestamp_seconds")
    akin("run", "job.ini", "--night", "2026-03-02", "--until", "embed")
    part = metrics("nights/metrics.prom")
    assert only(part, "akin_last_success_timestamp_seconds") == success and only(part, "akin_last_run_exit_code") == 0


def asked(expression):
    """The metrics that an expression of PromQL names."""
    return set(re.findall(r"\bakin_\w+", expression))


def test_rules_and_dashboard_ask_for_what_is_there():
    rules = yaml.safe_load(open(f"{SOURCE}/slurm/akin-alerts.yml"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    for rule in alerts:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"} and rule["annotations"]["summary"], rule
        assert rule["expr"].count("(") == rule["expr"].count(")") and asked(rule["expr"]) <= SEEN | {"akin_publish_places_left"}, rule
    assert len({rule["alert"] for rule in alerts}) == len(alerts) >= 5
    board = json.load(open(f"{SOURCE}/slurm/akin-dashboard.json"))
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= set(board)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24 and panel["targets"], panel["title"]
        for target in panel["targets"]:
            names = asked(target["expr"])
            assert names and names <= SEEN | {"akin_churn"}, f"{panel['title']}: {names - SEEN}"


def labels_of(text):
    return frozenset(re.findall(rf'({LABEL})="((?:[^"\\\n]|\\.)*)"', text))


def test_rules_hold_for_each_table():
    """A quotient of PromQL takes the samples of both sides with the same labels: of a job with two tables each has one."""
    write_job()
    with open("job.ini") as f:
        text = f.read().replace("file:t.jsonl", "file:{table}.jsonl").replace("name = night", "name = tables")
    with open("tables.ini", "w") as f:
        f.write(text + "[table other]\nk = 2\nsame-category = yes\n")
    akin("run", "tables.ini", ranks=2)
    families = parse("results/tables/metrics.prom")
    assert len(families["akin_items_without_neighbors"]) == 2
    rules = yaml.safe_load(open(f"{SOURCE}/slurm/akin-alerts.yml"))["groups"][0]["rules"]
    quotients = [re.fullmatch(r"(\w+) / (\w+) > [\d.]+", rule["expr"]) for rule in rules if " / " in rule["expr"]]
    assert len(quotients) == 2 and all(quotients)
    for above, below in (q.groups() for q in quotients):
        assert {labels_of(l) for l in families[above]} <= {labels_of(l) for l in families[below]}, above
    if shutil.which("promtool"):  # Debian's package prometheus
        subprocess.run(["promtool", "check", "rules", f"{SOURCE}/slurm/akin-alerts.yml"], check=True, stdout=subprocess.DEVNULL)
        with open("results/tables/metrics.prom") as f:
            subprocess.run(["promtool", "check", "metrics"], check=True, stdin=f)
        every_alert_fires("results/tables/metrics.prom")


support.main(globals())
