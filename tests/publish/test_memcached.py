"""Publishing to memcached, against real servers: keys that a storefront asks for, generations that come and go, faults."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import time
import uuid

import numpy as np

import support
from servers import memcached_server, wait_for
from support import akin, command
from tables import OPEN, check_what_is_left_out, digest_of, lists_of, make_table, names, other_table, two_nights

os.chdir(support.fresh("memcached"))


class Memcached:
    """memcached's text protocol, as far as tests need it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.file = self.socket.makefile("rb")

    def get(self, *keys):
        self.socket.sendall(b"get " + b" ".join(k if isinstance(k, bytes) else k.encode() for k in keys) + b"\r\n")
        found = {}
        while (line := self.file.readline()) != b"END\r\n":
            _, key, _, count = line.split()
            found[key.decode()] = self.file.read(int(count) + 2)[:-2]
        return found

    def get_one(self, key):
        return self.get(key).get(key)

    def call(self, text):
        self.socket.sendall(text.encode() + b"\r\n")
        return self.file.readline().strip().decode()

    def set(self, key, value, seconds=0):
        assert self.call(f"set {key} 0 {seconds} {len(value.encode())}\r\n{value}") == "STORED"

    def table(self, ids, catalog="shop", generation=None):
        generation = generation or self.get_one(f"akin:{catalog}:current").decode()
        found = {}
        for at in range(0, len(ids), 100):
            some = {key_of(i, generation, catalog): i for i in ids[at:at + 100]}
            found.update({some[k]: v for k, v in self.get(*some).items()})
        return found


def key_of(name, generation, catalog="shop"):
    head = f"akin:{catalog}:{generation}:"
    plain = not name.startswith("#") and len((head + name).encode()) <= 250 and all(32 < b < 127 for b in name.encode())
    return head + (name if plain else "#" + str(uuid.uuid5(uuid.NAMESPACE_URL, name)))


SERVER = memcached_server("-m", 64)
CLIENT = Memcached(SERVER.port)
ODD = ["with blank", "#hash", "x" * 300, "tab", "#" + str(uuid.uuid5(uuid.NAMESPACE_URL, "with blank"))]
OLD, NEW = two_nights()
OTHER = other_table()


def url(catalog="shop", port=None):
    return f"memcached://127.0.0.1:{port or SERVER.port}?catalog={catalog}"


def publish(table, *words, to=None, **more):
    return akin("publish", table, "--to", to or url(), *words, "--json", **more)


def assert_live(table, client=None, catalog="shop"):
    client, lists = client or CLIENT, lists_of(table)
    found = client.table(list(lists), catalog)
    assert {k: [(n, np.float32(s)) for n, s in json.loads(v)] for k, v in found.items()} == lists
    meta = json.loads(client.get_one(f"akin:{catalog}:meta"))
    assert meta["digest"] == digest_of(table) and meta["items"] == len(lists) and meta["k"] == max(map(len, lists.values()))
    assert meta["generation"] == client.get_one(f"akin:{catalog}:current").decode()
    assert client.get_one(f"akin:{catalog}:lock") is None and client.get_one(f"akin:{catalog}:next") is None
    return meta["generation"]


def test_generations_come_and_go():
    done = publish(OLD, ranks=2)
    assert done.json["published"][0]["lists_sent"] == 300 and done.json["published"][0]["change"] is None
    first = assert_live(OLD)
    assert publish(OLD).json["published"][0]["already"] and assert_live(OLD) == first
    change = publish(NEW).json["published"][0]["change"]
    assert (change["before"], change["new"], change["gone"]) == (300, 15, 15)
    assert abs(change["churn"] - akin("evaluate", NEW, "--against", OLD, "--json").json["churn"]) < 1e-12
    second = assert_live(NEW)
    assert len(CLIENT.table(list(lists_of(OLD)), generation=first)) == 300, "a reader in between still finds its generation"
    assert "churn is" in publish(OTHER, expect=4).json["message"]
    assert akin("rollback", "--to", url(), "--json").json["items"] == 300
    assert publish(NEW, "--respect-rollback").json["places_left"] == 1 and assert_live(OLD) == first
    akin("rollback", "--to", url())
    assert publish(OLD, "--respect-rollback", "--dry-run").json["places_left"] == 0
    assert assert_live(NEW) == second
    publish(OTHER, *OPEN)
    assert not CLIENT.table(list(lists_of(NEW)), generation=first), "what is older than the one before is forgotten"
    assert_live(OTHER)
    publish(NEW, "--format", "ids", *OPEN)
    assert {k: v.decode().split() for k, v in CLIENT.table(list(lists_of(NEW))).items()} == {
        k: [n for n, _ in v] for k, v in lists_of(NEW).items()}


def test_a_change_of_format_is_compared_with_what_is_live():
    place = url("formats")
    churn = akin("evaluate", NEW, "--against", OLD, "--json").json["churn"]
    for first, second in (("json", "ids"), ("ids", "json")):
        publish(OLD, "--format", first, *OPEN, to=place)
        for words in ("--dry-run",), ():
            done = publish(NEW, "--format", second, *words, to=place)
            change = done.json["published"][0]["change"]
            assert (change["before"], change["gone"]) == (300, 15) and abs(change["churn"] - churn) < 1e-12, change
        assert "its lists are now" in done.err and f"--format {second}" in done.err, done.err
        standing = akin("status", "--to", place, "--json").json["places"][0]
        assert (standing["format"], standing["kept"]["format"], standing["buckets"]) == (second, first, None), standing
        told = akin("rollback", "--to", place).err
        assert re.search(f"live again is .*, format {first}; kept is .*, format {second}$", told, re.M), told
        assert akin("status", "--to", place, "--json").json["places"][0]["format"] == first
        assert publish(OLD, "--format", first, "--dry-run", to=place).json["published"][0]["already"]
        assert not publish(OLD, "--format", second, "--dry-run", to=place).json["published"][0]["already"]
    publish(OLD, "--format", "json", *OPEN, to=place)
    assert "its lists are now" not in publish(NEW, "--format", "json", to=place).err


def test_what_was_rolled_back_is_left_out_after_another_table_too():
    check_what_is_left_out(url("back"), OLD, NEW, OTHER, *OPEN)
    assert_live(NEW, catalog="back")


def test_ids_that_are_no_keys():
    table = make_table("odd.nc", np.random.default_rng(1).standard_normal((len(ODD), 6)), ODD, 3)
    publish(table, to=url("odd"))
    found = CLIENT.table(ODD, "odd")
    assert {k: [n for n, _ in json.loads(v)] for k, v in found.items()} == {k: [n for n, _ in v] for k, v in lists_of(table).items()}


def test_several_servers():
    servers = [memcached_server("-m", 32) for _ in range(3)]
    to = "memcached://" + ",".join(f"127.0.0.1:{s.port}" for s in servers) + "?catalog=shop"
    publish(OLD, to=to)
    clients = [Memcached(s.port) for s in servers]
    generation = [g for c in clients if (g := c.get_one("akin:shop:current"))]
    assert len(generation) == 1
    shares = [c.table(list(lists_of(OLD)), generation=generation[0].decode()) for c in clients]
    assert all(shares) and sum(map(len, shares)) == 300
    assert publish(OLD, to=to).json["published"][0]["already"]
    servers[1].stop()
    publish(NEW, "--timeout", 2, to=to, expect=1)
    for server in servers:
        server.stop()


def test_what_does_not_fit_is_refused_before_anything_is_sent():
    small = memcached_server("-I", "512k", "-m", 64)
    client = Memcached(small.port)
    publish(OLD, to=url(port=small.port))
    long = make_table("long.nc", np.random.default_rng(1).standard_normal((700, 6)), [f"long-name-{i}-" + "x" * 900 for i in range(700)], 600)
    done = publish(long, *OPEN, to=url(port=small.port), expect=3)
    assert "item limit is 524288" in done.json["message"] and "long-name" in done.json["message"]
    assert_live(OLD, client)
    small.stop()
    # memory for less than the table: no reader is directed to evicted lists
    tiny = memcached_server("-m", 8)
    publish(OLD, to=url(port=tiny.port))
    client = Memcached(tiny.port)
    before = client.get_one("akin:shop:current")
    large = other_table("large.nc", 30000, 20)
    done = publish(large, *OPEN, to=url(port=tiny.port), expect=1)
    assert "evicted again" in done.err and client.get_one("akin:shop:current") in (before, None), done.err
    tiny.stop()


def test_faults():
    for bad in ("memcached://", "memcached://x", "memcached://127.0.0.1:1?catalog=", "memcached://127.0.0.1:1?catalog=a&x=1",
                "memcached://127.0.0.1:1?catalog=a b", "memcached://[::1?catalog=a", "memcached://h:99999?catalog=a",
                "memcached://h:1,,i?catalog=a"):
        publish(OLD, to=bad, expect=2)
        akin("rollback", "--to", bad, expect=2)
    server = memcached_server()
    publish(OLD, to=url(port=server.port))
    assert "nothing to roll back to" in akin("rollback", "--to", url(port=server.port), expect=1).err
    server.stop()
    assert "memcached" in publish(NEW, to=url(port=server.port), expect=1).err
    server.start()
    assert publish(NEW, to=url(port=server.port)).json["published"][0]["change"] is None  # it came back empty
    client = Memcached(server.port)
    generation = assert_live(NEW, client)
    client.call(f"delete {key_of(next(iter(lists_of(NEW))), generation)}")
    for name in list(lists_of(NEW))[1:200]:
        client.call(f"delete {key_of(name, generation)}")
    done = publish(NEW, *OPEN, to=url(port=server.port))  # what was forgotten comes back
    assert not done.json["published"][0]["already"]
    assert_live(NEW, client)
    client.set("akin:shop:lock", "elsewhere, process 7, since yesterday [7 1 x/y]", 30)
    assert "elsewhere, process 7" in publish(OLD, to=url(port=server.port), expect=1).err
    client.call("delete akin:shop:lock")
    server.process.send_signal(signal.SIGSTOP)
    start = time.time()
    done = publish(OLD, "--timeout", 1, to=url(port=server.port), expect=1)
    assert "no answer" in done.err and time.time() - start < 60, done.err
    server.process.send_signal(signal.SIGCONT)
    assert_live(NEW, client)
    server.stop()


def test_two_at_once():
    """Only one holds the lock; a storefront reads all of the table whose publisher succeeded."""
    tables = [other_table(f"race-{i}.nc", 3000, 5, 10 + i, names(range(3000))) for i in range(3)]
    for _ in range(2):
        processes = [subprocess.Popen(command(["publish", table, "--to", url("race"), *OPEN, "--timeout", 60], 0), stderr=subprocess.PIPE, text=True)
                     for table in tables]
        said = [p.communicate(timeout=300)[1] for p in processes]
        codes = [p.returncode for p in processes]
        assert set(codes) <= {0, 1} and 0 in codes, (codes, said)
        assert all("someone else is publishing" in s or "was lost" in s or "publish again" in s for s, c in zip(said, codes) if c), said
        client = Memcached(SERVER.port)
        live = json.loads(client.get_one("akin:race:meta"))["digest"]
        winners = [t for t, code in zip(tables, codes) if code == 0]
        assert live in map(digest_of, winners)
        assert_live(next(t for t in winners if digest_of(t) == live), client, "race")
        tables = tables[1:] + tables[:1]


def test_killed_between_meta_and_switch():
    """The meta that a killed publisher wrote for a table that was never switched to goes with that table, also where the live one is
    published again; what was rolled back is still known."""
    place = url("between")
    for table in (OLD, OTHER):
        publish(table, *OPEN, to=place)
    akin("rollback", "--to", place)
    publish(NEW, *OPEN, to=place)
    for table in (OLD, OLD, NEW):
        publish(NEW, *OPEN, to=place)
        live = CLIENT.get_one("akin:between:current").decode()
        publish(OLD, *OPEN, to=place)
        never = CLIENT.get_one("akin:between:current").decode()
        CLIENT.set("akin:between:current", live)
        CLIENT.set("akin:between:next", never)
        publish(table, *OPEN, to=place)
        assert_live(table, catalog="between")
        assert not CLIENT.table(sorted(lists_of(OLD).keys() & lists_of(table).keys()), "between", never)
        assert publish(OTHER, *OPEN, "--respect-rollback", to=place).json["places_left"] == 1


def test_killed_after_the_switch():
    """The lock that a killed publisher left goes when its table is published again, although it is there already."""
    place = url("after")
    process = subprocess.Popen(command(["publish", OLD, "--to", place, *OPEN, "--quiet"], 0), stderr=subprocess.DEVNULL)
    while not (signature := CLIENT.get_one("akin:after:lock")):
        assert process.poll() is None
    process.kill()
    process.wait()
    publish(OLD, *OPEN, to=place)
    CLIENT.set("akin:after:lock", signature.decode())
    assert publish(OLD, *OPEN, to=place).json["published"][0]["already"]
    assert_live(OLD, catalog="after")


def kill_publishers(kills, seed, server, tables):
    """Publishers killed (kill -9) at random moments, while a reader asks for 50 lists as a storefront does. Returns how many were killed
    while writing: of more than `kills` where these were fewer than a tenth."""
    client, random_moment = Memcached(server.port), random.Random(seed)
    to = url("kill", server.port)
    lists = {t: lists_of(t) for t in tables}
    ids = random_moment.sample(sorted(set.intersection(*(set(l) for l in lists.values()))), 50)
    for table in tables:
        start = time.time()
        publish(table, *OPEN, to=to)
        whole = time.time() - start
    midway = 0
    for turn in range(4 * kills):
        if turn >= kills and midway >= kills // 10:
            break
        live = json.loads(client.get_one("akin:kill:meta"))["digest"]
        table = next(t for t in tables if digest_of(t) != live)
        process = subprocess.Popen(command(["publish", table, "--to", to, *OPEN, "--quiet"], 0), stderr=subprocess.DEVNULL)
        if turn % 2:  # from anywhere, or from the moment on that it writes
            while client.get_one("akin:kill:next") is None and process.poll() is None:
                pass
        end = time.time() + random_moment.uniform(0, (0.2 if turn % 2 else 1.1) * whole)
        polls = 0
        while time.time() < end or polls == 0:
            generation = client.get_one("akin:kill:current").decode()
            found = client.table(ids, "kill", generation)
            shown = {k: [(n, np.float32(s)) for n, s in json.loads(v)] for k, v in found.items()}
            assert any(shown == {i: l[i] for i in ids} for l in lists.values()), f"kill {turn}: lists of no table, or of two"
            polls += 1
        process.kill()
        process.wait()
        midway += client.get_one("akin:kill:next") is not None
    for table in tables:
        publish(table, *OPEN, to=to)
        assert_live(table, client, "kill")
    return midway


def test_killed_at_random_moments():
    ids = names(range(6000))
    tables = [other_table("kill-a.nc", 6000, 5, 4, ids), other_table("kill-b.nc", 6000, 5, 5, ids)]
    assert kill_publishers(10, 1, SERVER, tables) >= 1


if __name__ == "__main__":
    support.main(globals())
