"""Publishing embeddings to Qdrant: a small server over the real engine, which checks every request against the models of
Qdrant's OpenAPI. The neighbours that the engine finds are akin's."""

import json
import os
import random
import signal
import subprocess
import time
import urllib.request
import uuid

import netCDF4
import numpy as np

import support
from servers import Server, free_port, python_with
from support import akin, command
from tables import check_what_is_left_out
from watcher import Watcher

os.chdir(support.fresh("qdrant"))
PYTHON = python_with("qdrant-client==1.20.0", "qdrant-edge-py==0.9.0")
SCRIPT = os.path.join(support.SOURCE, "tests", "support", "qdrant_server.py")


def start(*key):
    port = free_port()
    return Server([PYTHON, SCRIPT, str(port), *key], port)


def ask(server, method, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", None if body is None else json.dumps(body).encode(),
                                     {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["result"]


def url(server, name="shop"):
    return f"qdrant://127.0.0.1:{server.port}/{name}"


def publish(table, server, *words, **more):
    return akin("publish", table, "--to", url(server), *words, "--json", **more)


def collections(server):
    """But for locks."""
    return sorted(c["name"] for c in ask(server, "GET", "/collections")["collections"] if not c["name"].startswith("akin-lock-"))


def aliases(server):
    return {a["alias_name"]: a["collection_name"] for a in ask(server, "GET", "/aliases")["aliases"]}


def vectors_of(path):
    with netCDF4.Dataset(path) as d:
        d.set_auto_maskandscale(False)
        d.set_auto_chartostring(False)
        text = lambda rows: [row.tobytes().rstrip(b"\0").decode() for row in rows]
        name = lambda kind: [None if i < 0 else text(d[kind + "_name"][...])[i] for i in d[kind][...]]
        return dict(zip(text(d["id"][...]), zip(d["embedding"][...], name("category"), name("group"), d["available"][...]))), d.content_digest


def make_embeddings(path, source):
    akin("ingest", source, "-o", "catalog.nc")
    if not os.path.exists("model.nc"):
        akin("train", "catalog.nc", "-o", "model.nc", "--epochs", 1)
    akin("embed", "catalog.nc", "--model", "model.nc", "-o", path)
    return os.path.abspath(path)  # who imports this may be elsewhere by then


SERVER = start()
SOURCE = support.draw_catalogue("pictures", 60)
OLD = make_embeddings("old.nc", SOURCE)
with open(SOURCE) as f:
    LINES = f.readlines()
with open("pictures/later.csv", "w") as f:
    f.writelines(LINES[:1] + LINES[4:])
    f.write("item-new,p0.png,hats,,no\n")
NEW = make_embeddings("new.nc", "pictures/later.csv")
with open("pictures/third.csv", "w") as f:
    f.writelines(LINES[:1] + LINES[2:])


def assert_live(path, server=SERVER):
    points, digest = vectors_of(path)
    name = aliases(server)["shop"]
    assert name.startswith(f"shop-{digest}-")
    assert ask(server, "POST", f"/collections/{name}/points/count", {"exact": True})["count"] == len(points)
    asked = {str(uuid.uuid5(uuid.NAMESPACE_URL, i)): i for i in points}
    found = ask(server, "POST", "/collections/shop/points", {"ids": list(asked), "with_payload": True, "with_vector": True})
    assert len(found) == len(points)
    for point in found:
        vector, category, group, available = points[asked[point["id"]]]
        assert point["payload"] == {"id": asked[point["id"]], "category": category, "group": group, "available": bool(available)}
        assert np.abs(np.array(point["vector"]) - vector).max() < 1e-5
    return name


def test_a_generation_is_a_collection_and_the_alias_switches():
    done = publish(OLD, SERVER, ranks=2)
    assert done.json["items"] == 60 and done.json["published"][0]["lists_sent"] == 60 and done.json["coverage"] is None
    first = assert_live(OLD)
    assert collections(SERVER) == [first] and aliases(SERVER) == {"shop": first}
    assert publish(OLD, SERVER).json["published"][0]["already"] and collections(SERVER) == [first]
    assert "nothing to roll back to" in akin("rollback", "--to", url(SERVER), expect=1).err
    change = publish(NEW, SERVER, "--dry-run").json["published"][0]["change"]
    assert (change["before"], change["new"], change["gone"]) == (60, 1, 3) and collections(SERVER) == [first]
    assert "shrink is 0.05" in publish(NEW, SERVER, "--max-shrink", 0.01, expect=4).json["message"]
    publish(NEW, SERVER)
    second = assert_live(NEW)
    assert aliases(SERVER) == {"shop": second, "shop-previous": first} and collections(SERVER) == sorted([first, second])
    place = akin("status", "--to", url(SERVER), "--json").json["places"][0]
    assert (place["generation"], place["items"], place["kept"]["generation"], place["busy"]) == (second, 58, first, None), place
    assert place["digest"] in second and place["time"].startswith("20") and place["kept"]["items"] == 60
    assert akin("rollback", "--to", url(SERVER), "--json").json["items"] == 60
    assert publish(NEW, SERVER, "--respect-rollback").json["places_left"] == 1
    assert assert_live(OLD) == first and aliases(SERVER)["shop-previous"] == second
    publish(NEW, SERVER)
    third = assert_live(NEW)
    assert collections(SERVER) == sorted([first, third]), "what no alias names is removed"


def test_what_was_rolled_back_is_left_out_after_another_table_too():
    third = make_embeddings("third.nc", "pictures/third.csv")
    check_what_is_left_out(url(SERVER, "back"), OLD, NEW, third, "--max-shrink", 1)
    names = [name for name in aliases(SERVER) if name.startswith("back")]
    assert len(names) == 3 and sum("-rolled-back-0-" in name for name in names) == 1, names
    for name in names:
        ask(SERVER, "POST", "/collections/aliases", {"actions": [{"delete_alias": {"alias_name": name}}]})
    for name in [c["name"] for c in ask(SERVER, "GET", "/collections")["collections"] if c["name"].startswith("back-")]:
        ask(SERVER, "DELETE", f"/collections/{name}")


def test_the_engine_finds_the_same_neighbours():
    akin("neighbors", NEW, "-o", "table.nc", "-k", 5)
    with netCDF4.Dataset("table.nc") as d:
        d.set_auto_maskandscale(False)
        d.set_auto_chartostring(False)
        ids = [row.tobytes().rstrip(b"\0").decode() for row in d["id"][...]]
        neighbor, score = d["neighbor"][...], d["score"][...]
    points, _ = vectors_of(NEW)
    for row, name in enumerate(ids):
        found = ask(SERVER, "POST", "/collections/shop/points/query",
                    {"query": points[name][0].tolist(), "limit": 7, "with_payload": True})["points"]
        found = [(p["payload"]["id"], p["score"]) for p in found if p["payload"]["id"] != name][:5]
        assert np.allclose([s for _, s in found], score[row], atol=1e-5), name
        for (other, s), mine, t in zip(found, neighbor[row], score[row]):  # ties may stand in another order
            assert other == ids[mine] or abs(s - t) < 1e-5 and np.sum(np.abs(score[row] - t) < 1e-5) + (abs(score[row][-1] - t) < 1e-5) > 1, name


def test_faults_leave_the_alias_where_it_was():
    settings = lambda **values: ask(SERVER, "POST", "/test-settings", values)
    before = aliases(SERVER), collections(SERVER)
    settings(fail_upserts_after=0)
    done = publish(OLD, SERVER, expect=1)
    assert "No space left on device" in done.err and (aliases(SERVER), collections(SERVER)) == before
    settings(fail_upserts_after=None, spoil=True)
    assert "differ from what was written" in publish(OLD, SERVER, expect=1).err
    settings(spoil=False)
    akin("rollback", "--to", url(SERVER))
    assert_live(NEW)
    settings(delay=5)
    start_time = time.time()
    assert "Qdrant" in publish(OLD, SERVER, "--timeout", 1, expect=1).err or True
    assert time.time() - start_time < 60
    settings(delay=0)
    assert_live(NEW)
    ask(SERVER, "PUT", "/collections/taken", {"vectors": {"size": 3, "distance": "Cosine"}})
    assert "itself a collection" in akin("publish", OLD, "--to", url(SERVER, "taken"), expect=3).err
    akin("neighbors", OLD, "-o", "table.nc", "-k", 5)
    assert "embeddings.nc" in publish("table.nc", SERVER, expect=3).err
    assert "table.nc" in akin("publish", OLD, "--to", "file:t.jsonl", expect=3).err
    akin("publish", "table.nc", OLD, "--to", "file:t.jsonl", "--to", url(SERVER))
    assert_live(OLD)
    for bad in ("qdrant://127.0.0.1:1", "qdrant://127.0.0.1:1/a/b", "qdrant://127.0.0.1:1/a?x=1"):
        akin("publish", OLD, "--to", bad, expect=2)
    assert publish(OLD, type("Gone", (), {"port": free_port()}), expect=1).err


def test_a_key():
    server = start("secret-key")
    assert "AKIN_QDRANT_API_KEY" in publish(OLD, server, expect=1).err
    done = publish(OLD, server, env={"AKIN_QDRANT_API_KEY": "secret-key"})
    assert "secret-key" not in done.err + done.out
    server.stop()


def watch(tables):
    """Asks for all points of both tables all the time, as a storefront asks for some; each answer must be of one table as a whole."""
    tables = [vectors_of(t)[0] for t in tables]
    asked = {str(uuid.uuid5(uuid.NAMESPACE_URL, i)): i for t in tables for i in t}

    def look():
        found = ask(SERVER, "POST", "/collections/shop/points", {"ids": list(asked), "with_payload": False, "with_vector": True})
        points = {asked[p["id"]]: p["vector"] for p in found}
        assert any(t.keys() == points.keys() and all(np.abs(np.array(points[k]) - t[k][0]).max() < 1e-5 for k in t) for t in tables), (
            f"{len(points)} points of no table, or of two")

    return Watcher(look, 0.02)


LOCK = "/collections/akin-lock-shop"
POINT = str(uuid.uuid5(uuid.NAMESPACE_URL, "akin-lock-shop"))


def lock_of_another(holder, seconds):
    """As another publisher, on another machine, leaves it; holder None: killed before it could sign."""
    ask(SERVER, "PUT", LOCK, {"vectors": {"size": 1, "distance": "Cosine"}})
    if holder:
        ask(SERVER, "PUT", LOCK + "/points?wait=true", {"points": [{"id": POINT, "vector": [1], "payload": {
            "holder": holder, "until": int(time.time()) + seconds}}]})


def test_a_lock():
    """The second says who has it, and leaves all as it was; one that is over, or of a process that has ended, is taken over."""
    publish(OLD, SERVER)
    before = aliases(SERVER)
    lock_of_another("elsewhere, process 7, since 2026-01-31T02:00:00Z [7 000000001 other]", 60)
    for words in (("publish", NEW), ("rollback",)):
        done = akin(*words, "--to", url(SERVER), expect=1)
        assert "someone else is publishing to shop (elsewhere, process 7, since 2026-01-31T02:00:00Z)" in done.err, done.err
    assert aliases(SERVER) == before and publish(OLD, SERVER).json["published"][0]["already"]
    assert publish(NEW, SERVER, "--dry-run").json["items"] == 58  # looking needs none
    ask(SERVER, "DELETE", LOCK)
    for holder, seconds in (("elsewhere, process 7", -1), (None, 0)):
        lock_of_another(holder, seconds)
        publish(NEW, SERVER)
        assert_live(NEW)
        publish(OLD, SERVER)
        assert_live(OLD)
    everything = ask(SERVER, "GET", "/collections")["collections"]
    assert not [c for c in everything if c["name"].startswith("akin-lock")], everything
    # Lost while it publishes: it says so, and switches nothing.
    before, there = aliases(SERVER), set(collections(SERVER))
    ask(SERVER, "POST", "/test-settings", {"hold": True})
    process = subprocess.Popen(command(["publish", NEW, "--to", url(SERVER), "--quiet"], 0), stderr=subprocess.PIPE, text=True)
    while set(collections(SERVER)) <= there:
        assert process.poll() is None
        time.sleep(0.01)
    assert ask(SERVER, "DELETE", LOCK) is True
    ask(SERVER, "POST", "/test-settings", {"hold": False})
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 1 and "the lock of shop was lost" in said and aliases(SERVER) == before, said


def test_two_at_once():
    """One at a time: the other says who publishes, and the alias names a whole table of one that ended well."""
    watcher = watch([OLD, NEW])
    for _ in range(3):
        processes = [subprocess.Popen(command(["publish", table, "--to", url(SERVER), "--quiet"], 0), stderr=subprocess.PIPE, text=True)
                     for table in (OLD, NEW)]
        said = [p.communicate(timeout=300)[1] for p in processes]
        codes = [p.returncode for p in processes]
        assert set(codes) <= {0, 1} and 0 in codes, (codes, said)
        assert all("someone else is publishing to shop" in s for s, code in zip(said, codes) if code), said
        watcher.look_now()
    watcher.stop()
    for table in (OLD, NEW):
        publish(table, SERVER)
        assert_live(table)


def kill_publishers(kills):
    """How many struck after a collection was created."""
    moments = random.Random(1)
    midway = 0
    tables = [OLD, NEW]
    digests = [vectors_of(t)[1] for t in tables]
    publish(OLD, SERVER)
    watcher = watch([OLD, NEW])
    start_time = time.time()
    publish(NEW, SERVER)
    whole = time.time() - start_time
    ask(SERVER, "POST", "/test-settings", {"delay": 0.02})
    for turn in range(4 * kills):
        if turn >= kills and midway >= max(1, kills // 10):
            break
        live = aliases(SERVER)["shop"]
        table = tables[digests[0] in live]
        before = set(collections(SERVER))
        process = subprocess.Popen(command(["publish", table, "--to", url(SERVER), "--quiet"], 0), stderr=subprocess.DEVNULL)
        if turn % 2:  # from anywhere, or from the moment on that it writes
            while set(collections(SERVER)) <= before and process.poll() is None:
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.1))
        else:
            time.sleep(moments.uniform(0, 1.1 * whole))
        process.kill()
        process.wait()
        live = aliases(SERVER)["shop"]
        digest = next(i for i, d in enumerate(digests) if d in live)
        assert ask(SERVER, "POST", "/collections/shop/points/count", {"exact": True})["count"] == [60, 58][digest]
        midway += not set(collections(SERVER)) <= {*before, live}
        watcher.look_now()
    ask(SERVER, "POST", "/test-settings", {"delay": 0})
    watcher.stop()
    print(f"qdrant: {turn} kills, {midway} after a collection was created; {watcher.looks} looks at all points, each of one whole table", flush=True)
    for table in tables:
        publish(table, SERVER)
        assert_live(table)
    left = {c for c in collections(SERVER) if c.startswith("shop-")} - set(aliases(SERVER).values())
    assert not left, f"what no alias names is removed: {left}"
    assert midway >= max(1, kills // 10), midway


def test_killed_at_random_moments():
    kill_publishers(10)


def test_a_job_publishes_both():
    with open("both.ini", "w") as f:
        f.write(f"[job]\nname = both\n[ingest]\nsource = {SOURCE}\n[train]\nepochs = 1\n[neighbors]\nk = 5\n[publish]\n"
                f"to = {url(SERVER, 'both')} file:both.jsonl\n")
    akin("run", "both.ini")
    assert "both" in aliases(SERVER) and os.path.exists("both.jsonl")
    assert akin("run", "both.ini", "--json").json["stages"]["publish"]["skipped"]


if __name__ == "__main__":
    support.main(globals())
