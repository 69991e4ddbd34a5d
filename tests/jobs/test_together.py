"""Two calls with one output, started together at random moments: each ends with 0 or is refused, and the output is whole and one of
the two. Every verb that writes, against itself with other options, at one process and at two ranks, and `run`."""

import os
import random
import re
import shutil
import signal
import subprocess
import time

import picture_server
from support import akin, command, draw, draw_catalogue, fresh, main, variables

os.chdir(fresh("together"))
dice = random.Random(time.time_ns())
CATALOGUE = draw_catalogue("pictures", 40)
LATENT = ["--features", "autoencoder", "--whiten", "0"]
REFUSED = re.compile(r"(another akin|another run) \((process \d+ on \S+|unknown)\) is writing there; wait for it")


def prepare():
    akin("ingest", CATALOGUE, "-o", "catalog.nc")
    akin("train", "catalog.nc", "-o", "model.nc", "--epochs", "1", *LATENT)
    akin("train", "catalog.nc", "-o", "other.nc", "--epochs", "1", "--seed", "2", *LATENT)
    akin("embed", "catalog.nc", "--model", "model.nc", "-o", "embeddings.nc")
    akin("neighbors", "embeddings.nc", "-o", "table.nc", "-k", "3")
    akin("neighbors", "embeddings.nc", "-o", "table5.nc", "-k", "5")


prepare()
PAIRS = {  # verb: (output, words of one, words of the other)
    "ingest": ("o.nc", ["ingest", CATALOGUE, "-o", "o.nc", "--rejects", "r.csv"], ["ingest", CATALOGUE, "--fit", "crop", "-o", "o.nc", "--rejects", "r.csv"]),
    "train": ("o.nc", ["train", "catalog.nc", "-o", "o.nc", "--epochs", "2", "--checkpoint-every", "0", *LATENT],
              ["train", "catalog.nc", "-o", "o.nc", "--epochs", "2", "--seed", "2", "--checkpoint-every", "0", *LATENT]),
    "embed": ("o.nc", ["embed", "catalog.nc", "--model", "model.nc", "-o", "o.nc"], ["embed", "catalog.nc", "--model", "other.nc", "-o", "o.nc"]),
    "neighbors": ("o.nc", ["neighbors", "embeddings.nc", "-o", "o.nc", "-k", "3"], ["neighbors", "embeddings.nc", "-o", "o.nc", "-k", "5"]),
    "publish": ("o.csv", ["publish", "table.nc", "--to", "file:o.csv"], ["publish", "table5.nc", "--to", "file:o.csv"]),
    "gallery": ("o", ["gallery", "table.nc", "--source", CATALOGUE, "-o", "o"], ["gallery", "table5.nc", "--source", CATALOGUE, "-o", "o"]),
}


def content(path):
    if path.endswith(".nc"):
        return variables(path)
    if os.path.isdir(path):
        return {name: "" if name == "akin" else open(os.path.join(folder, name), "rb").read() for folder, _, names in os.walk(path) for name in names}
    with open(path, "rb") as f:
        return f.read()


def remove(path):
    for name in (path, path + ".prev", "r.csv"):
        shutil.rmtree(name, ignore_errors=True) if os.path.isdir(name) else os.path.exists(name) and os.remove(name)


def together(calls, longest):
    """Starts them at most this many seconds apart, in any order; returns [(exit, stderr)] in the order of the calls."""
    begun = [None] * len(calls)
    for i in dice.sample(range(len(calls)), len(calls)):
        begun[i] = subprocess.Popen(calls[i], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(dice.random() * longest)
    found = [child.communicate(timeout=120)[1] for child in begun]
    return [(child.returncode, err) for child, err in zip(begun, found)]


def assert_clear(ended):
    assert any(code == 0 for code, _ in ended), ended
    for code, err in ended:
        assert code == 0 or (code == 1 and REFUSED.search(err)), (code, err)


def pair(verb, ranks):
    output, *words = PAIRS[verb]
    alone = []
    for one in words:
        remove(output)
        akin(*one)
        alone.append(content(output))
    refused = 0
    for _ in range(3 if ranks else 4):
        if dice.random() < .5:
            remove(output)
        before = time.monotonic()
        akin(*words[0])
        ended = together([command(one, ranks) for one in words], .6 * (time.monotonic() - before))
        assert_clear(ended)
        refused += sum(code != 0 for code, _ in ended)
        assert content(output) in alone, verb
        left = [name for name in os.listdir(".") if ".part" in name or ".lock" in name or ".space" in name or "checkpoint" in name]
        assert not left, left
    return refused


def test_each_verb_with_itself():
    for verb in PAIRS:
        for ranks in (0, 2):
            print("  ", verb, ranks, "refused:", pair(verb, ranks), flush=True)


def test_rollback_and_publish():
    for _ in range(4):
        for table in ("table.nc", "table5.nc"):
            akin("publish", table, "--to", "file:p.csv")
        first, second = content("p.csv.prev"), content("p.csv")
        ended = together([command(["rollback", "--to", "file:p.csv"], 0), command(["publish", "table.nc", "--to", "file:p.csv"], 0)], .3)
        assert_clear(ended)
        assert content("p.csv") in (first, second) and content("p.csv.prev") in (first, second)


def test_two_additions():
    """Each waits for no one and loses nothing: what is there at the end is of those that ended with 0, in either order."""
    with open("live.ini", "w") as f:
        f.write(f"[job]\noutput = live\n[ingest]\nsource = {CATALOGUE}\n[train]\nfeatures = handcrafted\n[neighbors]\nk = 3\n[publish]\nto = file:live.csv\n")
    for name in "ab":
        draw(f"{name}.png", name)
        with open(f"{name}.csv", "w") as f:
            f.write(f"id,path\nnew-{name},{name}.png\n")
    files = [f"live/{name}.nc" for name in ("embeddings", "table")] + ["live.csv"]
    akin("run", "live.ini")
    shutil.copytree("live", "night")
    shutil.copyfile("live.csv", "night.csv")

    def put_back():
        shutil.rmtree("live")
        shutil.copytree("night", "live")
        shutil.copyfile("night.csv", "live.csv")

    alone = {}
    for order in ("a", "b", "ab", "ba"):
        put_back()
        for name in order:
            akin("add", "live.ini", f"{name}.csv")
        alone[order] = [content(file) for file in files]
    for ranks in (0, 2):
        put_back()
        ended = together([command(["add", "live.ini", f"{name}.csv"], ranks) for name in "ab"], .4)
        assert_clear(ended)
        done = {name for name, (code, _) in zip("ab", ended) if code == 0}
        assert [content(file) for file in files] in [known for order, known in alone.items() if set(order) == done], done


def test_two_fetches_into_one_cache():
    server = picture_server.Server()
    with open("far.csv", "w") as f:
        f.write("id,path\n")
        for i in range(12):
            with open(f"pictures/p{i}.png", "rb") as picture:
                server.rules[f"/p{i}.png"] = picture_server.picture(picture.read(), 0.02)
            f.write(f"i{i},{server.base}/p{i}.png\n")
    words = ["fetch", "far.csv", "--cache", "cache", "--allow-private", "--rate", "0"]
    found = []
    for _ in range(3):
        shutil.rmtree("cache", ignore_errors=True)
        assert_clear(together([command(words, 0)] * 2, .4))
        assert akin("ingest", "far.csv", "--cache", "cache", "--allow-private", "-o", "far.nc", "--json").json["items"] == 12
        found.append(variables("far.nc"))
        assert found[-1] == found[0]
    server.stop()


def test_what_was_killed_holds_nothing():
    """Killed at any moment: the next one works, whether the lock's file is left or not."""
    output, words, other = PAIRS["train"]
    for _ in range(3):
        child = subprocess.Popen(command(words, 0), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(.2 + dice.random())
        child.send_signal(signal.SIGKILL)
        child.wait()
        akin(*other)


def test_a_verb_and_a_run():
    """The job's own lock keeps a second run out; the file's keeps out a verb that writes into its folder."""
    job = f"[job]\noutput = out\n[ingest]\nsource = {CATALOGUE}\nfit = %s\n[train]\nfeatures = autoencoder\nwhiten = 0\nepochs = 1\n[neighbors]\nk = 3\n[publish]\nto = file:run.csv\n"
    for name, fit in (("a.ini", "stretch"), ("b.ini", "crop")):
        with open(name, "w") as f:
            f.write(job % fit)
    alone = {}
    for name in ("a.ini", "b.ini"):
        shutil.rmtree("out", ignore_errors=True)
        akin("run", name)
        alone[name] = [content(f"out/{file}") for file in ("catalog.nc", "model.nc", "embeddings.nc", "table.nc")] + [content("run.csv")]
    for ranks in (0, 2, 0):
        shutil.rmtree("out", ignore_errors=True)
        ended = together([command(["run", name], ranks) for name in ("a.ini", "b.ini")], .5)
        assert_clear(ended)
        if [code for code, _ in ended].count(0) == 1:
            whole = [content(f"out/{file}") for file in ("catalog.nc", "model.nc", "embeddings.nc", "table.nc")] + [content("run.csv")]
            assert whole == alone["a.ini" if ended[0][0] == 0 else "b.ini"]
        assert '"verb"' in content("out/metrics.json").decode() and "run: done" in content("out/log.txt").decode()
        ended = together([command(["run", "a.ini"], 0), command(["neighbors", "embeddings.nc", "-o", "out/table.nc", "-k", "5"], 0)], .5)
        for code, err in ended:
            assert code == 0 or (code == 1 and REFUSED.search(err)), (code, err)
        variables("out/table.nc")


def test_a_lock_is_no_picture():
    folder = fresh("folder")
    shutil.copy("pictures/p1.png", folder)
    done = akin("ingest", folder, "-o", "folder/catalog.nc", "--json")
    assert done.json["rows"] == 1, done.json


main(globals())
