"""akin run: what is up to date is skipped, what changed is redone, nights come and go, and a bad job file touches nothing."""

import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time

from support import akin, assert_same_variables, command, draw, draw_catalogue, fresh, main

os.chdir(fresh("run"))
STAGES = ["ingest", "train", "embed", "neighbors", "evaluate", "publish", "gallery"]
CATALOGUE = draw_catalogue("pictures", 40)


def write_job(name="job.ini", **changed):
    """A job file; a section given as None is left out, one given as text replaces that of the same name."""
    sections = {"job": "name = small", "ingest": f"source = {CATALOGUE}", "train": "features = autoencoder\nwhiten = 0\nepochs = 1", "neighbors": "k = 5",
                "evaluate": "label = category", "publish": "to = file:out/table.jsonl file:out/table.csv",
                "gallery": "enabled = yes", **changed}
    with open(name, "w") as f:
        f.writelines(f"[{key}]\n{text}\n" for key, text in sections.items() if text is not None)
    return name


def run(ranks=0, job="job.ini", expect=0, **more):
    return akin("run", job, "--json", ranks=ranks, expect=expect, **more)


def ran(done):
    """The stages that were not skipped."""
    return [name for name, stage in done.json["stages"].items() if not stage["skipped"]]


def metrics(folder="results/small"):
    with open(os.path.join(folder, "metrics.json")) as f:
        return json.load(f)


def touch_picture(name, seed):
    draw(os.path.join("pictures", name), seed)


def test_a_run_makes_everything():
    os.makedirs("out")
    write_job()
    done = run(ranks=2)
    assert list(done.json["stages"]) == STAGES == ran(done), done.json
    assert done.json["items"] == 40 and done.json["output"] == "results/small", done.json
    assert {"catalog.nc", "rejects.csv", "model.nc", "embeddings.nc", "table.nc", "gallery", "metrics.json", "log.txt"} <= set(
        os.listdir("results/small"))
    told = metrics()
    assert list(told) == STAGES
    for name in STAGES:
        assert told[name]["verb"] == name and told[name]["status"] == "ok" and told[name]["ranks"] == 2, told[name]
        line = re.search(rf"^akin: {name}: [\d,]+ items in [\d.]+ s, [\d,]+ \S+/s, peak memory \d+ MiB \(rank \d\)(; .*)?$", done.err, re.M)
        assert line, f"{name}: no line with time, rate and memory:\n{done.err}"
    with open("results/small/log.txt") as f:  # what was said, and what only the log needs to know: which kernels all ranks have
        logged = [line for line in f if "kernels for" not in line]
    said = [line for line in done.err.splitlines() if line.startswith("akin")]  # an MPI may have things of its own to say
    assert len(said) < 60 and len(said) == len(logged), logged
    assert not [name for name in os.listdir("results/small") if name.endswith(".part")]


def test_what_fits_is_skipped():
    before = metrics()
    for ranks in (0, 3):
        done = run(ranks=ranks)
        assert ran(done) == [] and "neighbors: up to date, skipped" in done.err, done.err
        assert metrics() == before and done.json["items"] == 40


def test_what_a_run_left_that_was_killed_behind_its_table_goes():
    left = [os.path.join("results", "small", name) for name in ("table.nc.spare.part", "embeddings.last.nc")]
    for path in left:
        open(path, "w").close()
    assert ran(run()) == []
    assert not any(map(os.path.exists, left))


def test_only_what_changed_is_done_again():
    for changed, expected in [
        ({"neighbors": "k = 6"}, ["neighbors", "evaluate", "publish", "gallery"]),
        ({"neighbors": "k = 6", "evaluate": "label = group"}, ["evaluate", "gallery"]),
        ({"neighbors": "k = 6", "evaluate": "label = group", "publish": "to = file:out/table.csv"}, ["publish", "gallery"]),
        ({"neighbors": "k = 6", "evaluate": None, "publish": None}, ["gallery"]),
        ({"neighbors": "k = 6", "evaluate": None, "publish": None, "gallery": "enabled = no"}, []),
        ({"neighbors": "k = 6", "train": "features = autoencoder\nwhiten = 0\nepochs = 2"}, STAGES[1:]),
    ]:
        write_job(**changed)
        done = run()
        assert ran(done) == expected, (changed, ran(done), done.err)
    assert list(metrics()) == STAGES


def test_an_output_that_is_gone_comes_back():
    write_job(neighbors="k = 6", train="features = autoencoder\nwhiten = 0\nepochs = 2")
    assert ran(run()) == []
    for path, expected in [("out/table.jsonl", "publish"), ("results/small/gallery/index.html", "gallery"),
                           ("results/small/table.nc", "neighbors"), ("results/small/embeddings.nc", "embed")]:
        os.remove(path)
        assert expected in ran(run()) and os.path.exists(path), path
    with open("results/small/metrics.json", "w") as f:
        f.write("{")
    done = run()
    assert "starting a new" in done.err and "neighbors" not in ran(done) and list(metrics()) == STAGES, done.err


def test_a_rollback_is_not_undone_by_the_same_night():
    def published(k):
        write_job("rolled.ini", job="name = rolled", neighbors=f"k = {k}", publish="to = file:out/rolled.jsonl", gallery=None)
        return run(job="rolled.ini"), open("out/rolled.jsonl").read()

    _, first = published(5)
    _, second = published(6)
    assert akin("rollback", "--to", "file:out/rolled.jsonl", "--json").json["items"] == 40
    done, now = published(6)
    assert ran(done) == [] and now == first != second, done.err
    said = "file:out/rolled.jsonl was left unchanged: this table was rolled back there"
    assert said in done.err and said in open("results/rolled/log.txt").read() and "publish: up to date" not in done.err, done.err
    assert "publish: nothing to do, skipped; 1 target is left unchanged" in done.err, done.err
    done, third = published(7)
    assert ran(done) == ["neighbors", "evaluate", "publish"] and third not in (first, second), done.err
    os.remove("out/rolled.jsonl")
    done, now = published(7)
    assert ran(done) == ["publish"] and now == third, done.err
    shutil.rmtree("results/rolled")


def test_a_rollback_is_not_undone_by_the_next_night():
    """The same table once more the night after; only where it was rolled back, until someone publishes it by hand, or a night has another."""
    places = ["out/one.jsonl", "out/two.csv"]
    to = " ".join("file:" + place for place in places)

    def night(date, k, more=""):
        write_job("back.ini", job="name = back\nkeep = 9", neighbors=f"k = {k}", publish=f"to = {to}\n{more}", gallery=None)
        return akin("run", "back.ini", "--json", "--night", date), [open(place).read() for place in places]

    _, first = night("2001-01-01", 5)
    _, second = night("2001-01-02", 6)
    akin("rollback", "--to", "file:" + places[0])
    done, now = night("2001-01-03", 6)
    assert now == [first[0], second[1]] and os.readlink("results/back/latest") == "2001-01-03", done.err
    by_hand = f"akin publish 'results/back/2001-01-03/table.nc' --to 'file:{places[0]}'"
    assert f"file:{places[0]} was left unchanged: this table was rolled back there" in done.err and by_hand in done.err, done.err
    assert "publish: left 1 of 2 targets unchanged, " in done.err, done.err
    assert "publish: 40 items" not in done.err and f"file:{places[1]} was left" not in done.err, done.err
    stage = done.json["stages"]["publish"]
    assert stage["places_left"] == 1 and [place["rolled_back"] for place in stage["published"]] == [True, False], stage
    # The same night again; with the other place lost, which comes back.
    os.remove(places[1])
    done, now = night("2001-01-03", 6)
    assert now == [first[0], second[1]] and f"file:{places[0]} was left unchanged" in done.err, done.err
    # A rollback of the rollback holds the table itself.
    akin("rollback", "--to", "file:" + places[0])
    done, now = night("2001-01-04", 6)
    assert now == second and "was left unchanged" not in done.err, done.err
    akin("rollback", "--to", "file:" + places[0])
    done, now = night("2001-01-05", 6, "respect-rollback = no")
    assert now == second, done.err
    akin("rollback", "--to", "file:" + places[0])
    assert "was rolled back there" in akin(*shlex.split(by_hand)[1:], "--respect-rollback", "--dry-run").out
    akin(*shlex.split(by_hand)[1:])
    assert open(places[0]).read() == second[0]
    akin("rollback", "--to", "file:" + places[0])
    done, third = night("2001-01-06", 7)
    assert third[0] not in (first[0], second[0]) and "was left unchanged" not in done.err, done.err
    done, now = night("2001-01-07", 5)  # an old table that was not rolled back
    assert now == first, done.err
    shutil.rmtree("results/back")


def test_a_changed_picture_is_seen():
    table = open("results/small/table.nc", "rb").read()
    touch_picture("p3.png", 1000)
    done = run()
    assert ran(done) == ["ingest", "embed", "neighbors", "evaluate", "publish", "gallery"], done.err
    assert metrics()["embed"]["computed"] == 1, metrics()["embed"]  # the others keep their vectors
    assert open("results/small/table.nc", "rb").read() != table
    write_job(neighbors="k = 6", train="features = autoencoder\nwhiten = 0\nepochs = 2\nretrain = always")
    assert "train" in ran(run())
    assert ran(run()) == []


def test_the_same_job_at_once_in_one_go():
    """A run that was built up step by step, at several ranks, holds what one from nothing holds."""
    write_job(job="name = anew", neighbors="k = 6", train="features = autoencoder\nwhiten = 0\nepochs = 2\nretrain = always")
    run(ranks=3)
    for name in ("catalog.nc", "model.nc", "embeddings.nc", "table.nc"):
        assert_same_variables(f"results/small/{name}", f"results/anew/{name}")


def test_a_bad_job_touches_nothing():
    for changed, line, named in [
        ({"neighbors": "kk = 5"}, 10, "kk"),
        ({"neighbors": "k = five"}, 10, "five"),
        ({"neigbors": "k = 5"}, 17, "neighbors"),
        ({"neighbors": "output = t.nc"}, 10, "set by the run"),
        ({"neighbors": "json = yes"}, 10, "command line"),
        ({"train": "enabled = no"}, 6, "cannot be turned off"),
        ({"publish": "to = nowhere:x"}, 14, "nowhere:x"),
        ({"publish": "enabled = yes"}, 13, "--to"),
        ({"ingest": "fit = crop"}, 3, "source"),
        ({"job": "name = bad\nkeep = -1"}, 3, "keep"),
    ]:
        write_job("bad.ini", **{"job": "name = bad", **changed})
        done = run(job="bad.ini", expect=2)
        assert f"bad.ini:{line}:" in done.json["message"] and named in done.json["message"], (changed, done.json["message"])
    write_job("bad.ini", job="name = a/b")
    run(job="bad.ini", expect=2)
    write_job("bad.ini", job="name = bad", ingest=None)
    assert "source" in run(job="bad.ini", expect=2, ranks=3).json["message"]
    assert sorted(os.listdir("results")) == ["anew", "small"]


def test_what_can_be_known_is_known_at_the_start():
    """Exit 2 before anything is touched: folders that are missing or are none. (Root may write everywhere else.)"""
    with open("plain", "w") as f:
        f.write("no folder")
    before = sorted(os.listdir("results"))
    for changed, line, named in [
        ({"publish": "to = file:nowhere/t.jsonl"}, 14, "folder nowhere does not exist"),
        ({"publish": "to = file:plain/t.jsonl"}, 14, "plain"),
        ({"publish": "to = file:results/early/sub/t.csv"}, 14, "results/early/sub"),
        ({"job": "output = plain/deep/er"}, 2, "plain is not a folder"),
        ({"job": "output = plain"}, 2, "plain is not a folder"),
    ]:
        write_job("early.ini", **{"job": "name = early", **changed})
        for ranks in (0, 3):
            done = run(job="early.ini", expect=2, ranks=ranks)
            assert f"early.ini:{line}:" in done.json["message"] and named in done.json["message"], done.json["message"]
    write_job("early.ini", job="name = early", train="features = autoencoder\ninit = absent.nc")
    assert "early.ini:7: [train] init absent.nc" in run(job="early.ini", expect=1).json["message"]
    assert sorted(os.listdir("results")) == before
    write_job("early.ini", job="name = early", publish="to = file:results/early/t.jsonl", gallery=None)
    run(job="early.ini")  # the run makes that folder


def test_a_check_tells_what_is_bound_to_be_refused():
    with open("pictures/poor.csv", "w") as f:
        f.write("id,path\n" + "".join(f"i{i},p{i}.png\n" for i in range(30)) + "i3,p30.png\ni40,absent.png\ni41,gone.png\n")

    def check(limit, **more):
        write_job("poor.ini", job="name = poor", ingest=f"source = pictures/poor.csv\nmax-reject-fraction = {limit}", publish=None)
        return akin("run", "poor.ini", "--check", "--json", **more)

    for ranks in (0, 3):
        done = check(0.1, ranks=ranks)
        assert (done.json["rows"], done.json["refused"], done.json["missing"]) == (33, 1, 2), done.json
        assert '1 row will be rejected' in done.err and 'id "i3", p30.png: row 32: duplicate id: row 5 has it' in done.err, done.err
        assert '2 files of the source are not there; the first: id "i40", absent.png: row 33: no such file (pictures/absent.png)' in done.err, done.err
        message = check(0.05, ranks=ranks, expect=3).json["message"]
        assert "poor.ini:4: [ingest]" in message and "3 of 33 rows" in message, message
    assert not os.path.exists("results/poor")
    done = run(job="poor.ini", expect=3)
    assert "results/poor/catalog.nc was not written" in done.json["message"], done.json
    check(0.1)
    assert "3 rejected (see results/poor/rejects.csv)" in run(job="poor.ini").err
    with open("vectors.ini", "w") as f:
        f.write("[job]\nname = vectors\n[embed]\nfrom = v.npy\nids = v.txt\n[gallery]\nenabled = yes\n")
    message = run(job="vectors.ini", expect=2).json["message"]
    assert "[gallery] needs the key source" in message and "--source" not in message, message


def test_rules_that_need_labels_are_checked_before_anything_is_touched():
    with open("pictures/bare.csv", "w") as f:
        f.write("id,path\n" + "".join(f"i{i},p{i}.png\n" for i in range(20)))
    with open("pictures/good.csv", "w") as f:  # a day on which every item happens to be available
        f.write("id,path,available\n" + "".join(f"i{i},p{i}.png,yes\n" for i in range(20)))
    with open("pictures/blank.csv", "w") as f:
        f.write("id,path,available\n" + "".join(f"i{i},p{i}.png,\n" for i in range(20)))
    for source, told in [("bare", True), ("blank", True), ("catalog", False), ("good", False)]:
        write_job("sold.ini", job=f"name = sold-{source}", ingest=f"source = pictures/{source}.csv", neighbors="k = 3\nonly-available = yes", publish=None, gallery=None)
        for done in (run(job="sold.ini", ranks=3), akin("run", "sold.ini", "--check")):
            assert done.err.count("[neighbors] only-available has no effect: ") == told and ("sold.ini:11: " in done.err) == told, done.err
    for rule, column in [("same-category", "category"), ("exclude-same-group", "group")]:
        write_job("bare.ini", job="name = bare", ingest="source = pictures/bare.csv", neighbors=f"k = 3\n{rule} = yes", publish=None)
        for more in ((), ("--check",)):
            done = akin("run", "bare.ini", "--json", *more, expect=2, ranks=0 if more else 2)
            assert f"bare.ini:11: [neighbors] {rule}: no item" in done.json["message"] and column in done.json["message"], done.json["message"]
        assert not os.path.exists("results/bare"), done.json
    write_job("bare.ini", job="name = bare", ingest="source = pictures/bare.csv pictures/catalog.csv", neighbors="k = 3\nsame-category = yes", publish=None)
    assert akin("run", "bare.ini", "--json", "--check").json["rows"] == 60  # the other file has them
    # What has the label cannot be decoded: that is known after ingest.
    with open("pictures/torn.png", "w") as f:
        f.write("no picture")
    with open("pictures/torn.csv", "w") as f:
        f.write("id,path,category,group\n" + "".join(f"i{i},p{i}.png,,\n" for i in range(20)) + "torn,torn.png,hats,g\n")
    write_job("torn.ini", job="name = torn", ingest="source = pictures/torn.csv", neighbors="k = 3\nexclude-same-group = yes\nsame-category = yes", publish=None)
    for ranks in (0, 3):
        done = run(job="torn.ini", expect=2, ranks=ranks)
        first, second = done.json["message"].split("\n")
        assert first.startswith("torn.ini:11: [neighbors] exclude-same-group: no item"), first
        assert second.startswith("torn.ini:12: [neighbors] same-category: no item"), second
    assert list(done.json["stages"]) == ["ingest"] and not os.path.exists("results/torn/model.nc"), done.json
    write_job("bare.ini", job="name = bare", ingest="source = pictures/bare.csv", neighbors="k = 3", publish=None)
    done = run(job="bare.ini")
    assert "no item has a category" in open("results/bare/log.txt").read()
    assert "evaluate: no item has a category, so there is no precision" in done.err, done.err


def test_a_failed_ingest_leaves_the_next_one_nothing_to_do():
    write_job("again.ini", job="name = again", publish=None, gallery=None)
    rejected = run(job="again.ini").json["stages"]["ingest"]["rejected"]
    write_job("gone.ini", job="name = again", ingest="source = absent.csv", publish=None, gallery=None)
    run(job="gone.ini", expect=1)
    done = run(job="again.ini")
    assert ran(done) == [], done.err
    told = done.json["stages"]["ingest"]
    assert told["status"] == "ok" and told["rows"] == 40 and told["rejected"] == rejected, told
    os.remove("results/again/rejects.csv")
    assert ran(run(job="again.ini")) == ["ingest"] and os.path.exists("results/again/rejects.csv")
    with open("results/again/rejects.csv", "a") as f:
        f.write("another,night,entirely\n")
    assert ran(run(job="again.ini")) == ["ingest"]


def test_interrupted_from_the_keyboard():
    job = write_job("keyboard.ini", job="name = keyboard", train="features = autoencoder\nwhiten = 0\nepochs = 3000\ncheckpoint-every = 0.2", publish=None)
    for twice in (False, True):
        if os.path.exists("results/keyboard/model.nc.checkpoint"):
            os.remove("results/keyboard/model.nc.checkpoint")
        child = subprocess.Popen(command(["run", job, "--json"], 0), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.time() + 60
        while not os.path.exists("results/keyboard/model.nc.checkpoint"):
            assert time.time() < deadline and child.poll() is None, child.communicate()
            time.sleep(0.05)
        if twice:
            child.send_signal(signal.SIGSTOP)  # so that it sees both at once
        child.send_signal(signal.SIGINT)
        if twice:
            child.send_signal(signal.SIGCONT)
            time.sleep(0.001)
            child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
        assert child.returncode in ((75, -signal.SIGINT) if twice else (75,)), child.returncode
        assert twice or os.path.exists("results/keyboard/model.nc.checkpoint")


def test_a_failing_stage_is_named():
    with open("pictures/notes.csv", "w") as f:
        f.write("day,note\n1,rain\n")
    write_job("fails.ini", job="name = fails", ingest="source = pictures/notes.csv", publish=None)
    done = run(job="fails.ini", expect=3, ranks=2)
    assert done.json["message"].startswith("ingest: ") and "notes.csv" in done.json["message"], done.json
    told = metrics("results/fails")
    assert list(told) == ["ingest"] and told["ingest"]["status"] == "failed" and told["ingest"]["exit"] == 3, told
    assert "notes.csv" in open("results/fails/log.txt").read()
    with open("pictures/bad.csv", "w") as f:
        f.write("id,path\na,absent.png\n")
    write_job("fails.ini", job="name = fails", ingest="source = pictures/bad.csv", publish=None)
    assert run(job="fails.ini", expect=3).json["stages"]["ingest"]["exit"] == 3
    write_job("fails.ini", job="name = fails", publish=None)
    assert ran(run(job="fails.ini")) == [name for name in STAGES if name != "publish"]


def test_one_run_at_a_time():
    write_job()
    with open("results/small/.lock", "r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = run(expect=1, ranks=2)
        assert "another run" in done.json["message"], done.json
        assert done.err.index("results/small: waiting up to 10 s for another run (process ") < done.err.index("is writing there; wait for it"), done.err
    run()


def test_a_run_that_is_killed_or_stopped_goes_on():
    job = write_job("long.ini", job="name = long", train="features = autoencoder\nwhiten = 0\nepochs = 3000", publish=None)
    for sent, code in [(signal.SIGKILL, -9), (signal.SIGTERM, 75)]:
        if os.path.exists("results/long/log.txt"):
            os.remove("results/long/log.txt")
        child = subprocess.Popen(command(["run", job, "--json"], 0), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.time() + 60
        while not os.path.exists("results/long/log.txt") or "ingest: " not in open("results/long/log.txt").read():
            assert time.time() < deadline and child.poll() is None, child.communicate()
            time.sleep(0.05)
        time.sleep(0.3)
        child.send_signal(sent)
        out, err = child.communicate(timeout=60)
        assert child.returncode == code, (child.returncode, err)
        if code == 75:
            report = json.loads(out)
            assert report["exit"] == 75 and report["stages"]["ingest"]["skipped"], report
            told = open("results/long/log.txt").read()
            assert "run: interrupted (exit 75), submit again to continue: train: " in told and "failed" not in told, told
            assert metrics("results/long")["train"]["exit"] == 75
    write_job("long.ini", job="name = long", train="features = autoencoder\nwhiten = 0\nepochs = 1", publish=None)
    done = run(job="long.ini", ranks=2)
    assert "ingest" not in ran(done) and "train" in ran(done), done.err


def as_night(base, date):
    """Makes last night of this one."""
    today = os.readlink(f"{base}/latest")
    os.rename(f"{base}/{today}", f"{base}/{date}")
    os.remove(f"{base}/latest")
    os.symlink(date, f"{base}/latest")


def nights(base):
    return sorted(name for name in os.listdir(base) if re.fullmatch(r"\d{4}-\d\d-\d\d", name))


def test_nights():
    base = "results/nightly"
    job = write_job("night.ini", job="name = nightly\nkeep = 2", publish=None)
    first = run(job=job)
    tonight = time.strftime("%Y-%m-%d")
    assert nights(base) == [tonight] and os.readlink(f"{base}/latest") == tonight
    assert first.json["output"] == f"{base}/{tonight}"
    assert ran(run(job=job)) == []  # the same day, nothing changed

    as_night(base, "2001-01-01")
    touch_picture("p4.png", 2000)
    second = run(job=job, ranks=2)
    assert nights(base) == ["2001-01-01", tonight] and os.readlink(f"{base}/latest") == tonight
    stages = second.json["stages"]
    assert stages["train"]["skipped"], second.err  # the model of the night before serves
    assert stages["embed"]["computed"] == 1, stages["embed"]
    assert 0 <= stages["evaluate"]["churn"] < 1 and stages["evaluate"]["common_ids"] == 40, stages["evaluate"]
    assert_same_variables(f"{base}/2001-01-01/model.nc", f"{base}/{tonight}/model.nc")

    as_night(base, "2001-01-02")
    write_job("night.ini", job="name = nightly\nkeep = 2", publish=None, neighbors="k = 5\nmin-score = 2")
    run(job=job, expect=2)  # before anything is touched
    assert nights(base) == ["2001-01-01", "2001-01-02"]
    write_job("night.ini", job="name = nightly\nkeep = 2", publish=None, ingest=f"source = {CATALOGUE} night.ini")
    run(job=job, expect=3)  # which is no catalogue
    assert os.readlink(f"{base}/latest") == "2001-01-02"  # an incomplete night is not the latest
    os.rename(f"{base}/{tonight}", f"{base}/2001-01-03")  # the night that is not complete was begun some days ago
    with open(f"{base}/.night", "w") as f:
        f.write("2001-01-03\n")
    write_job("night.ini", job="name = nightly\nkeep = 2", publish=None)
    done = run(job=job)
    assert done.json["output"] == f"{base}/2001-01-03" and os.readlink(f"{base}/latest") == "2001-01-03"
    assert nights(base) == ["2001-01-02", "2001-01-03"]  # the oldest went
    run(job=job)
    assert nights(base) == ["2001-01-03", tonight]


main(globals())
