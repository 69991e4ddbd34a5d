"""A folder a night: what it records, the model from night to night, and a night that equals a full run to the bit."""

import csv
import json
import os
import re
import shutil
import time

import netCDF4
from prometheus_client.parser import text_string_to_metric_families

from support import akin, assert_same_variables, draw, draw_catalogue, fresh, main

os.chdir(fresh("nights"))
CATALOGUE = draw_catalogue("pictures", 60)
STAGES = ["ingest", "train", "embed", "neighbors", "evaluate", "publish"]
JOB = """[job]
name = {name}
keep = 3
[ingest]
source = {catalogue}
[train]
features = autoencoder
whiten = 0
epochs = 2
batch = 16
holdout = 0.1
{train}
[neighbors]
k = 6
[evaluate]
label = category
[publish]
to = file:{name}.jsonl
"""


def write_job(name, train="retrain = never"):
    with open(f"{name}.ini", "w") as f:
        f.write(JOB.format(name=name, catalogue=CATALOGUE, train=train))
    return f"{name}.ini"


def run(job, *words, ranks=0, **more):
    return akin("run", job, "--json", *words, ranks=ranks, **more)


def ran(done):
    return [name for name, stage in done.json["stages"].items() if not stage["skipped"]]


def as_night(base, date):
    """Makes last night of this one; where it is."""
    today = os.readlink(f"{base}/latest")
    os.rename(f"{base}/{today}", f"{base}/{date}")
    os.remove(f"{base}/latest")
    os.symlink(date, f"{base}/latest")
    return f"{base}/{date}"


def told(folder):
    with open(f"{folder}/metrics.json") as f:
        return json.load(f)


def gauge(folder, name):
    with open(f"{folder}/metrics.prom") as f:
        return {s.labels["stage"]: s.value for family in text_string_to_metric_families(f.read()) if family.name == name for s in family.samples}


def skipped(folder):
    return gauge(folder, "akin_stage_skipped")


def test_what_a_night_records():
    job = write_job("recorded")
    done = run(job, ranks=2)
    folder = done.json["output"]
    assert {"job.ini", "log.txt", "metrics.json", "metrics.prom", "rejects.csv"} <= set(os.listdir(folder))
    metrics = told(folder)
    assert all(metrics[name]["waiting_seconds"] >= 0 and metrics[name]["peak_rss_bytes"] > 1e6 for name in STAGES), metrics
    with open(f"{folder}/metrics.prom") as f:
        families = {family.name: family for family in text_string_to_metric_families(f.read())}
    assert {"akin_stage_seconds", "akin_stage_waiting_seconds", "akin_stage_peak_rss_bytes", "akin_rejected"} <= set(families)
    seconds = {sample.labels["stage"]: sample.value for sample in families["akin_stage_seconds"].samples}
    assert seconds == {name: metrics[name]["seconds"] for name in STAGES}, seconds
    assert skipped(folder) == dict.fromkeys(STAGES, 0)
    assert all(sample.labels["job"] == "recorded" for family in families.values() for sample in family.samples)
    assert [s.value for s in families["akin_rejected"].samples] == [0] and families["akin_stage_pairs_per_second"].samples[0].value > 0
    # The recorded job is the job: with every default written out it finds all done.
    shutil.copy(f"{folder}/job.ini", "again.ini")
    assert "epochs = 2" in open("again.ini").read() and "checkpoint-every = 300" in open("again.ini").read()
    assert "respect-rollback" not in open("again.ini").read()  # as the run decides
    assert ran(run("again.ini")) == [] and skipped(folder) == dict.fromkeys(STAGES, 1)
    with open("quoted.ini", "w") as f:
        f.write(open(job).read().replace("name = recorded", 'name = a "b'))
    folder = run("quoted.ini").json["output"]
    with open(f"{folder}/metrics.prom") as f:
        assert {s.labels["job"] for family in text_string_to_metric_families(f.read()) for s in family.samples} == {'a "b'}


def change_one_percent():
    """One picture changes, one goes, one comes."""
    draw("pictures/p7.png", 7000)
    draw("pictures/new.png", 7001)
    with open(CATALOGUE, newline="") as f:
        rows = list(csv.reader(f))
    rows = [row for row in rows if row[0] != "item-0011"] + [["item-new", "new.png", "hats", "", "yes"]]
    with open(CATALOGUE, "w", newline="") as f:
        csv.writer(f).writerows(rows)


def test_a_night_of_small_changes_equals_a_full_run():
    job = write_job("changing")
    run(job)
    before = as_night("results/changing", "2001-01-01")
    change_one_percent()
    done = run(job, ranks=3)
    stages = done.json["stages"]
    assert stages["ingest"]["reused"] == 58 and stages["embed"]["computed"] == 2 and stages["train"]["skipped"], done.json
    assert stages["train"]["epochs"] == 2 and stages["train"]["night"] == "2001-01-01", "the figures of the training come along with the model"
    assert "night" not in stages["embed"]
    assert 0 < stages["evaluate"]["churn"] < 0.5 and stages["evaluate"]["common_ids"] == 59, stages["evaluate"]
    # From nothing but the model, with no night before.
    os.makedirs("full")
    for words in (["ingest", CATALOGUE, "-o", "full/catalog.nc"],
                  ["embed", "full/catalog.nc", "--model", f"{before}/model.nc", "-o", "full/embeddings.nc"],
                  ["neighbors", "full/embeddings.nc", "-k", "6", "-o", "full/table.nc"]):
        akin(*words, "--quiet")
    for name in ("catalog.nc", "embeddings.nc", "table.nc"):
        assert_same_variables(f"full/{name}", f"{done.json['output']}/{name}")


def test_parts_of_a_night():
    job = write_job("parts")
    checked = akin("run", job, "--check", "--json").json
    assert checked["rows"] == 60 and checked["bytes"] > 60 * 3072 and not os.path.exists("results/parts"), checked
    assert "valid; 60 rows" in akin("run", job, "--check", ranks=2).out
    for wrong in ("tonight", "2026-13-45", "2026-02-29", "2026-00-10", "2026-1-1"):
        akin("run", job, "--check", "--night", wrong, expect=2)
    assert list(run(job, "--until", "train", "--night", "2024-02-29").json["stages"]) == ["ingest", "train"]
    assert not os.path.exists("results/parts/latest")  # it is not complete
    assert ran(run(job, "--until=neighbors", "--night=2024-03-01", ranks=2)) == ["embed", "neighbors"]
    done = run(job)
    assert ran(done) == ["evaluate", "publish"] and done.json["output"] == "results/parts/2024-02-29", done.json
    assert os.readlink("results/parts/latest") == "2024-02-29"


def test_a_date_without_nights_is_refused():
    with open("undated.ini", "w") as f:
        f.write(JOB.format(name="undated", catalogue=CATALOGUE, train="").replace("keep = 3\n", ""))
    for more in ((), ("--check",)):
        done = run("undated.ini", "--night", "2024-03-01", *more, expect=2, ranks=2 if more else 0)
        assert "undated.ini keeps no nights" in done.json["message"] and "set keep" in done.json["message"], done.json
    assert not os.path.exists("results/undated")
    akin("add", "undated.ini", f"{CATALOGUE}", "--night", "2024-03-01", expect=2)


def test_a_night_does_not_begin_before_the_last():
    with open("order.ini", "w") as f:
        f.write(f"[job]\nname = order\nkeep = 3\n[ingest]\nsource = {CATALOGUE}\n[publish]\nto = file:order.jsonl\n")
    run("order.ini", "--night", "2024-03-02")
    published = os.stat("order.jsonl")
    for more in ((), ("--check",)):
        done = run("order.ini", "--night", "2024-03-01", *more, expect=2, ranks=2 if more else 0)
        assert "earlier than the existing night of 2024-03-02" in done.json["message"], done.json
    assert os.listdir("results/order") != [] and not os.path.exists("results/order/2024-03-01") and os.stat("order.jsonl") == published
    assert ran(run("order.ini", "--night", "2024-03-02")) == []
    with open("results/order/.night", "w") as f:
        f.write("2024-03-02\n")
    for more in (("--check",), ("--quiet",)):  # it is continued first
        done = run("order.ini", "--night", "2024-03-01", *more, ranks=2)
        assert done.err.count("ignoring --night 2024-03-01: the night of 2024-03-02 is not complete") == 1, done.err
    assert done.json["output"] == "results/order/2024-03-02"
    with open("results/order/.night", "w") as f:
        f.write("2024-03-02\n")
    assert "ignoring --night" not in run("order.ini", "--night", "2024-03-02").err
    as_night("results/order", "2999-01-01")
    kept = sorted(os.listdir("results/order"))
    for more in ((), ("--check",)):
        done = run("order.ini", *more, expect=2, ranks=2 if more else 0)
        today = time.strftime("%Y-%m-%d")
        for words in (f"today, {today}, is earlier than the existing night of 2999-01-01", "Check this machine's clock", "--night"):
            assert words in done.json["message"], done.json
    assert sorted(os.listdir("results/order")) == kept and os.stat("order.jsonl") == published
    assert run("order.ini", "--night", "2999-01-02").json["output"] == "results/order/2999-01-02"


def test_a_night_that_a_gate_refused_goes_on():
    def job(**gate):
        with open("gate.ini", "w") as f:
            f.write(f"[job]\nname = gate\nkeep = 3\n[ingest]\nsource = {CATALOGUE}\n[neighbors]\nmin-score = {gate['score']}\n[publish]\nto = file:gate.jsonl\n[gallery]\nenabled = yes\n")
        return "gate.ini"

    done = run(job(score=1), "--night", "2024-03-04", expect=4)
    assert "failed with exit 4" in open("results/gate/2024-03-04/log.txt").read()
    for words in ("coverage is 0, ", "the limit is the default: [publish], gate.ini:8, has no min-coverage", "all other stages are done; the gallery is results/gate/2024-03-04/gallery/index.html"):
        assert words in done.json["message"] and words in done.err, done.json["message"]
    assert os.path.exists("results/gate/2024-03-04/gallery/index.html") and not os.path.exists("results/gate/latest") and not os.path.exists("gate.jsonl")
    message = run("gate.ini", "--until", "publish", ranks=2, expect=4).json["message"]
    assert message.startswith("publish: ") and "rank 0" not in message and "the gallery is" not in message, message
    done = run(job(score=-1), "--night", "2024-03-05", "--quiet")
    assert done.json["output"] == "results/gate/2024-03-04" and "ignoring --night 2024-03-05" in done.err and "gate" in done.err, done.err
    assert run("gate.ini", "--night", "2024-03-05").json["output"] == "results/gate/2024-03-05"


def test_a_place_that_is_left_is_counted():
    def night(day, k):
        with open("left.ini", "w") as f:
            f.write(f"[job]\nname = left\nkeep = 3\n[ingest]\nsource = {CATALOGUE}\n[neighbors]\nk = {k}\n[publish]\nto = file:left.jsonl file:left.csv\n")
        done = run("left.ini", "--night", day, ranks=2)
        folder = done.json["output"]
        left = gauge(folder, "akin_publish_places_left")["publish"]
        assert left == told(folder)["publish"]["places_left"] == done.json["stages"]["publish"]["places_left"], done.json
        return left, skipped(folder)["publish"]

    assert night("2024-03-01", 5) == (0, 0) and night("2024-03-02", 6) == (0, 0)
    akin("rollback", "--to", "file:left.csv")
    assert night("2024-03-02", 6) == (1, 1)  # by the look of the place alone
    assert night("2024-03-03", 6) == (1, 0) and night("2024-03-03", 6) == (1, 1)
    akin("rollback", "--to", "file:left.csv")  # forth again
    assert night("2024-03-03", 6) == (0, 1) and night("2024-03-04", 7) == (0, 0)


def test_a_damaged_file_of_the_night_before_is_told_and_healed():
    with open("torn.ini", "w") as f:
        f.write(f"[job]\nname = torn\nkeep = 9\n[ingest]\nsource = {CATALOGUE}\n[evaluate]\nlabel = category\n[publish]\nto = file:torn.jsonl\n")
    before = run("torn.ini", "--night", "2024-03-01").json["output"]
    for day, (name, verbs) in enumerate([("catalog.nc", ["ingest"]), ("model.nc", ["train"]), ("embeddings.nc", ["embed", "neighbors"]),
                                         ("table.nc", ["neighbors", "evaluate", "publish"])], 2):
        shutil.copy(f"{before}/{name}", "whole.nc")
        os.truncate(f"{before}/{name}", os.path.getsize(f"{before}/{name}") * 2 // 3)
        done = run("torn.ini", "--night", f"2024-03-{day:02}", "--quiet", ranks=day % 3)
        for verb in verbs:
            told = [line for line in done.err.splitlines() if line.startswith(f"akin: {verb}: ") and f"{before}/{name}: damaged" in line]
            assert len(told) == 1, (name, verb, done.err)
        after = done.json["output"]
        assert_same_variables("whole.nc", f"{after}/{name}")
        assert ran(run("torn.ini", "--night", f"2024-03-{day:02}")) == []
        before = after
    os.truncate(f"{before}/embeddings.nc", 1000)
    done = run("torn.ini", "--night", f"2024-03-{day:02}", "--quiet", ranks=2)
    assert ran(done) == ["embed"] and done.err.count("embeddings.nc: damaged") == 1 and f"embed: it is damaged; it will be recomputed: {before}/embeddings.nc: " in done.err, done.err
    assert run("torn.ini", "--night", "2024-03-09", "--quiet").err == ""  # intact files cause no message


def test_a_drift_that_cannot_be_measured_is_told():
    for seed, name, train, told_so in ((9001, "plain", "features = handcrafted", "this model has no network"),
                                       (9002, "small", "features = autoencoder\nepochs = 1\nholdout = 0", "the holdout was empty")):
        with open(f"{name}.ini", "w") as f:
            f.write(f"[job]\nname = {name}\nkeep = 3\n[ingest]\nsource = {CATALOGUE}\n[train]\nretrain = drift\n{train}\n")
        run(f"{name}.ini")
        as_night(f"results/{name}", "2001-01-01")
        draw("pictures/p9.png", seed)
        done = run(f"{name}.ini", ranks=2)
        assert "train: retrain = drift" in done.err and told_so in done.err and "nan" not in done.err, done.err


def test_never_keeps_a_model_of_other_options():
    """That of the night before, of this night, and one that was copied here; what is ignored is told, beforehand too."""
    night = run(write_job("other")).json["output"]
    before = as_night("results/other", "2001-01-01")
    job = write_job("other", "retrain = never\nseed = 5")
    for more in (["--check"], [], ["--until", "embed"]):
        done = run(job, *more, ranks=2)
        assert done.err.count("model.nc is kept") == 1 and "ignored (seed=1 there, seed=5 here)" in done.err, done.err
        assert more == ["--check"] or "train" not in ran(done), done.err
    assert "seed=5 here" in done.json["stages"]["train"]["warning"], done.json
    assert os.path.samefile(f"{before}/model.nc", f"{night}/model.nc")
    akin("train", f"{night}/catalog.nc", "-o", "warm.nc", "--init", f"{night}/model.nc", "--features", "autoencoder", "--epochs", "1", "--quiet")
    done = run(write_job("other", "retrain = never\ninit = warm.nc\ndim = 16"))
    assert "train" not in ran(done) and "init=warm.nc here" in done.err and "dim=16 here" in done.err, done.err
    os.makedirs("results/copied")
    shutil.copy("warm.nc", "results/copied/model.nc")
    with open("copied.ini", "w") as f:
        f.write(f"[job]\nname = copied\n[ingest]\nsource = {CATALOGUE}\n[neighbors]\nk = 3\n")
    done = run("copied.ini", ranks=2)
    assert "train" not in ran(done) and "features=autoencoder there, features=fused here" in done.err, done.err
    assert_same_variables("warm.nc", "results/copied/model.nc")
    with netCDF4.Dataset("results/copied/model.nc", "a") as model:  # as an akin wrote it that had no such option
        model.akin_result_options = model.akin_result_options.replace("augment=1 ", "")
    assert "augment" not in run("copied.ini", "--check").err


def test_options_that_are_given_want_a_model_of_their_own_by_default():
    run(write_job("given", ""))
    as_night("results/given", "2001-01-01")
    with open(write_job("given", "seed = 5"), "a") as f:
        f.write("max-churn = 1\n")
    why = r"akin: train: a new model will be trained, because results/given/\S*model.nc was made with other options than \[train\] has \(seed=5 here\); retrain = never keeps it"
    for ranks in (0, 2):
        assert len(re.findall(why, run("given.ini", "--check", ranks=ranks).err)) == 1
    done = run("given.ini")
    assert "train" in ran(done) and "is kept" not in done.err and len(re.findall(why, done.err)) == 1, done.err
    assert "new model" not in run("given.ini", "--check").err
    done = run(write_job("given", ""), "--until", "embed")
    assert "train" not in ran(done) and "ignored (seed=5 there, seed=1 here)" in done.err, done.err


def test_a_model_older_than_a_week():
    job = write_job("weekly", "retrain = weekly")
    first = run(job)
    assert "train" in ran(first)
    before = as_night("results/weekly", "2001-01-01")
    second = run(job, ranks=2)
    assert "train" not in ran(second), second.err
    before = as_night("results/weekly", "2001-01-02")
    old = time.time() - 8 * 24 * 3600
    os.utime(f"{before}/model.nc", (old, old))  # it is a link to the first night's
    assert re.search(r"a new model will be trained from the weights of results/weekly/latest/model.nc, because that is older than a week", run(job, "--check").err)
    third = run(job, ranks=2)
    assert "train" in ran(third) and "older than a week" in third.err, third.err
    akin("train", f"{third.json['output']}/catalog.nc", "-o", "warm.nc", "--features", "autoencoder", "--whiten", "0", "--epochs", "2", "--batch", "16", "--holdout", "0.1",
         "--init", f"{before}/model.nc", "--quiet")
    assert_same_variables("warm.nc", f"{third.json['output']}/model.nc")  # it began from the weights that were there
    assert third.json["stages"]["train"]["loss_first"] < first.json["stages"]["train"]["loss_first"]
    assert third.json["stages"]["evaluate"]["churn"] >= 0
    assert ran(run(job)) == []  # and it stays
    akin("run", write_job("wrong", "retrain = weekly\ninit = warm.nc"), "--json", expect=2)


def test_a_model_that_new_items_have_drifted_from():
    akin("run", "nokeep.ini", expect=1)  # no such file
    with open("nokeep.ini", "w") as f:
        f.write(JOB.format(name="nokeep", catalogue=CATALOGUE, train="retrain = drift").replace("keep = 3\n", ""))
    assert "keep" in run("nokeep.ini", expect=2).json["message"]
    job = write_job("drift", "retrain = drift\ndrift-limit = 0.5")
    run(job)
    as_night("results/drift", "2001-01-01")
    done = run(job, ranks=2)
    assert "train" not in ran(done) and "no new items, so no drift" in done.err, done.err
    as_night("results/drift", "2001-01-02")
    # The same pictures again with a dot: new to the catalogue, but nothing that the model has not seen.
    from PIL import Image
    for i in range(5):
        with Image.open(f"pictures/p{i}.png") as picture:
            picture = picture.convert("RGB")
            picture.putpixel((0, 0), (1, 2, 3))
            picture.save(f"pictures/p{i}.png")
    done = run(job, ranks=3)
    metrics = told(done.json["output"])["train"]
    assert metrics["drift_new_items"] == 5 and ("train" in ran(done)) == (metrics["drift"] > 0.5), (metrics, done.err)
    # The drift is measured to the bit at any number of ranks.
    first = metrics["drift"]
    shutil.rmtree(done.json["output"])
    os.remove("results/drift/latest")
    os.symlink("2001-01-02", "results/drift/latest")
    assert told(run(job).json["output"])["train"]["drift"] == first
    as_night("results/drift", "2001-01-03")
    for i in range(20, 30):  # black and white: nothing that it knows
        picture = Image.new("RGB", (40, 40))
        picture.paste((255, 255, 255), (0, 0, i, 40))
        picture.save(f"pictures/p{i}.png")
    write_job("drift", "retrain = drift\ndrift-limit = 0.1")
    done = run(job, ranks=2)
    metrics = told(done.json["output"])["train"]
    assert "train" in ran(done) and metrics["drift"] > 0.1 and metrics["drift_new_items"] == 10, (metrics, done.err)
    assert "training a new model" in done.err and f"drift {metrics['drift']:.3f}" in done.err, done.err
    assert ran(run(job)) == []


main(globals())
