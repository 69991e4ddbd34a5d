"""Publishing to Redis, against real servers: what is in the keys, what a delta leaves, every fault that a night can meet,
and publishers that are killed at random moments while a reader watches."""

import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
import zlib

import numpy as np

import support
from servers import Redis, free_port, redis_server
from support import akin, command
from tables import OPEN, check_what_is_left_out, digest_of, lists_of, make_table, names, other_table, two_nights
from watcher import Watcher

os.chdir(support.fresh("redis"))
SERVER = redis_server()
CLIENT = Redis(SERVER.port)
OLD, NEW = two_nights()
OTHER = other_table()
PASSWORD = "pa/ss:word@x"


def url(catalog="shop", port=None, user="", more=""):
    return f"redis://{user}127.0.0.1:{port or SERVER.port}/0?catalog={catalog}{more}"


def publish(table, *words, to=None, **more):
    return akin("publish", table, "--to", to or url(), *words, "--json", **more)


def decoded(hash):
    return {name: [(other, np.float32(score)) for other, score in json.loads(value)] for name, value in hash.items()}


def assert_live(table, catalog="shop", client=None):
    client = client or CLIENT
    assert decoded(client.hash(f"akin:{catalog}")) == lists_of(table)
    assert client("PTTL", f"akin:{catalog}") == -1
    meta = client.hash(f"akin:{catalog}:meta")
    assert meta["digest"].decode() == digest_of(table) and int(meta["items"]) == len(lists_of(table))
    left = {key.decode() for key in client("KEYS", "akin:*")} - {f"akin:{catalog}{end}" for end in ("", ":meta", ":prev")}
    assert not [key for key in left if key.startswith(f"akin:{catalog}:")], left


def test_a_storefront_reads_the_lists():
    done = publish(OLD, ranks=3)
    place = done.json["published"][0]
    assert not place["already"] and place["lists_sent"] == done.json["items"] == 300 and place["digest"] == digest_of(OLD)
    assert_live(OLD)
    assert CLIENT("EXISTS", "akin:shop:prev") == 0 and b" " not in CLIENT("HGET", "akin:shop", "plain-7")
    meta = CLIENT.hash("akin:shop:meta")
    assert meta["generation"] == b"1" and meta["k"] == b"5" and meta["format"] == b"json" and set(meta) >= {"time", "model"}
    done = publish(OLD)
    assert done.json["published"][0]["already"] and "already" in done.err and CLIENT("EXISTS", "akin:shop:prev") == 0


def test_a_list_that_someone_changed_is_published_again():
    for buckets in (), ("--buckets", 3):
        publish(OLD, *buckets, to=url("spoilt"))
        for key in CLIENT("KEYS", "akin:*spoilt*"):
            for name in ([] if key.endswith((b":meta", b":lock", b":prev")) else CLIENT("HKEYS", key)):
                CLIENT("HSET", key, name, "[]")
        done = publish(OLD, *buckets, *OPEN, to=url("spoilt"))
        assert not done.json["published"][0]["already"] and "publishing it again" in done.err
        found = {}
        for key in CLIENT("KEYS", "akin:*spoilt*"):
            if not key.endswith((b":meta", b":prev")):
                found.update(CLIENT.hash(key))
        assert decoded(found) == lists_of(OLD)
        CLIENT("DEL", *CLIENT("KEYS", "akin:*spoilt*"))


def test_the_table_before_is_kept_for_a_while_and_comes_back():
    done = publish(NEW, "--keep-previous", "90m")
    change = done.json["published"][0]["change"]
    assert (change["before"], change["new"], change["gone"]) == (300, 15, 15) and 0 < change["churn"] < 0.6
    churn = akin("evaluate", NEW, "--against", OLD, "--json").json["churn"]
    assert abs(change["churn"] - churn) < 1e-12
    assert_live(NEW)
    assert decoded(CLIENT.hash("akin:shop:prev")) == lists_of(OLD) and 0 < CLIENT("PTTL", "akin:shop:prev") <= 90 * 60000
    for back, kept in ((OLD, NEW), (NEW, OLD)):
        done = akin("rollback", "--to", url(), "--json", ranks=2)
        left = publish(kept, "--respect-rollback", "--dry-run").json["published"][0]["rolled_back"]
        assert left == (kept == NEW) and (not left or publish(kept, "--respect-rollback", ranks=2).json["places_left"] == 1)
        assert done.json["items"] == 300 and done.json["restored"] == [url()]
        assert_live(back)
        assert decoded(CLIENT.hash("akin:shop:prev")) == lists_of(kept) and CLIENT("PTTL", "akin:shop:prev") > 0
    CLIENT("DEL", "akin:shop:prev")
    assert "nothing to roll back to" in akin("rollback", "--to", url(), expect=1).err
    publish(OLD, "--keep-previous", "0")
    assert CLIENT("EXISTS", "akin:shop:prev") == 0
    assert_live(OLD)


def test_what_was_rolled_back_is_left_out_after_another_table_too():
    check_what_is_left_out(url("back"), OLD, NEW, OTHER, *OPEN)
    assert_live(NEW, catalog="back")


def test_a_gate_leaves_all_as_it_is():
    before = sorted(CLIENT("KEYS", "*"))
    done = publish(OTHER, expect=4)
    assert "churn is" in done.json["message"] and done.json["published"][0]["change"]["churn"] > 0.9
    assert "holds 300 items; 0 new, 0 lost" in akin("publish", OTHER, "--to", url(), "--max-churn", 1, "--dry-run").out
    assert sorted(CLIENT("KEYS", "*")) == before
    assert_live(OLD)


def test_a_delta_is_a_full_publish():
    for words in ((), ("--buckets", 3)):
        for catalog, more in (("full", ()), ("delta", ("--previous", OLD))):
            publish(OLD, *words, to=url(catalog))
            done = publish(NEW, *words, *more, to=url(catalog))
            sent = done.json["published"][0]["lists_sent"]
            assert sent == 300 if catalog == "full" else 15 <= sent < 200, sent
            assert done.json["published"][0]["change"]["gone"] == 15
        keys = [f"akin:{{%s:{b}}}" for b in range(3)] if words else ["akin:%s"]
        for key in keys:
            assert CLIENT.hash(key % "full") == CLIENT.hash(key % "delta") != {}
            assert CLIENT.hash((key + ":prev") % "full") == CLIENT.hash((key + ":prev") % "delta") != {}
        CLIENT("DEL", *[k for k in CLIENT("KEYS", "akin:*") if b"full" in k or b"delta" in k])
    # a table that the server does not hold is no base
    publish(OLD, to=url("delta"))
    assert publish(NEW, "--previous", OTHER, to=url("delta")).json["published"][0]["lists_sent"] == 300


def test_ids_alone():
    publish(OLD, "--format", "ids", to=url("ids"))
    assert {k: v.decode().split() for k, v in CLIENT.hash("akin:ids").items()} == {k: [n for n, _ in v] for k, v in lists_of(OLD).items()}
    assert publish(NEW, "--format", "ids", "--dry-run", to=url("ids")).json["published"][0]["change"]["gone"] == 15
    change = publish(NEW, to=url("ids")).json["published"][0]["change"]  # from one format to the other
    assert change["gone"] == 15 and 0 < change["churn"] < 0.6
    assert_live(NEW, "ids")
    blanks = make_table("blanks.nc", np.random.default_rng(1).standard_normal((9, 6)), [f"no{i}" if i < 4 else f"a b{i}" for i in range(9)])
    done = publish(blanks, "--format", "ids", *OPEN, to=url("blanks"), expect=3)
    assert '"a b4"' in done.json["message"] and CLIENT("KEYS", "akin:blanks*") == []


def test_buckets_and_a_change_of_their_number():
    publish(OLD, "--buckets", 4, to=url("spread"))
    found = {}
    for b in range(4):
        for name, value in decoded(CLIENT.hash(f"akin:{{spread:{b}}}")).items():
            assert zlib.crc32(name.encode()) % 4 == b
            found[name] = value
    assert found == lists_of(OLD) and publish(OLD, "--buckets", 4, to=url("spread")).json["published"][0]["already"]
    publish(NEW, "--buckets", 4, to=url("spread"))
    assert akin("rollback", "--to", url("spread"), "--buckets", 4, "--json").json["items"] == 300
    assert {k for b in range(4) for k in CLIENT.hash(f"akin:{{spread:{b}}}")} == set(found)
    publish(NEW, to=url("spread"))
    assert_live(NEW, "spread")
    assert all(CLIENT("PTTL", f"akin:{{spread:{b}}}") > 0 for b in range(4)), "readers of the old keys have time to change"
    assert "nothing to roll back to" in akin("rollback", "--to", url("spread"), expect=1).err


LAYOUTS = [(format, buckets) for format in ("json", "ids") for buckets in (0, 4, 8)]


def words_of(layout):
    return ("--format", layout[0], "--buckets", layout[1])


def read_as(layout, catalog):
    """What a storefront reads that knows format and buckets."""
    format, buckets = layout
    found = {}
    for b in range(buckets or 1):
        for name, value in CLIENT.hash(f"akin:{{{catalog}:{b}}}" if buckets else f"akin:{catalog}").items():
            assert not buckets or zlib.crc32(name.encode()) % buckets == b
            found[name] = value.decode().split(" ") if format == "ids" else [other for other, _ in json.loads(value)]
    return found


def ids_of(table):
    return {name: [other for other, _ in list] for name, list in lists_of(table).items()}


def keys_of(layout, catalog):
    return [f"akin:{{{catalog}:{b}}}" for b in range(layout[1])] or [f"akin:{catalog}"]


def check_a_change_of_layout(first, second, catalog):
    """`second` after `first`, where `second` was published before too and its keys may still be there."""
    place = dict(to=url(catalog))
    publish(OTHER, *words_of(second), *OPEN, **place)
    publish(OLD, *words_of(first), *OPEN, **place)
    standing = akin("status", "--to", url(catalog), "--json").json["places"][0]
    assert (standing["format"], standing["buckets"], standing["digest"]) == (*first, digest_of(OLD)), standing
    direct = akin("evaluate", NEW, "--against", OLD, "--json").json["churn"]
    for word in ("--dry-run",), (), ("--previous", OLD):
        if word == ("--previous", OLD):
            publish(OLD, *words_of(first), *OPEN, **place)
        done = publish(NEW, *words_of(second), *word, **place)
        change = done.json["published"][0]["change"]
        assert (change["before"], change["gone"], change["new"]) == (300, 15, 15) and abs(change["churn"] - direct) < 1e-12, change
    assert read_as(second, catalog) == ids_of(NEW)
    live, left = keys_of(second, catalog), set(keys_of(first, catalog)) - set(keys_of(second, catalog))
    assert all(CLIENT("PTTL", key) == -1 for key in live), "what is live does not expire"
    assert all(0 < CLIENT("PTTL", key) <= 12 * 3600000 for key in left), "readers of the old keys have time to change"
    assert ("its lists are now" in done.err) == (first[0] != second[0]) and ("must now read" in done.err) == (first[1] != second[1]), done.err
    after = akin("status", "--to", url(catalog), "--json").json["places"][0]
    assert (after["format"], after["buckets"], after["items"], after["digest"]) == (*second, 300, digest_of(NEW)), after
    if first[1] != second[1]:
        assert after["kept"] is None and "nothing to roll back to" in akin("rollback", "--to", url(catalog), expect=1).err
        return
    assert (after["kept"]["format"], after["kept"]["buckets"], after["kept"]["digest"]) == (*first, digest_of(OLD))
    akin("rollback", "--to", url(catalog))
    assert read_as(first, catalog) == ids_of(OLD)
    assert not publish(OLD, *words_of(second), "--dry-run", **place).json["published"][0]["already"]
    assert publish(OLD, *words_of(first), "--dry-run", **place).json["published"][0]["already"]


def test_any_change_of_format_and_buckets_is_compared_with_what_is_live():
    for first in LAYOUTS:
        for second in LAYOUTS:
            if first != second and (support.FULL or (0, 4) == (first[1], second[1]) or first[0] == "json"):
                catalog = f"{first[0]}{first[1]}.{second[0]}{second[1]}"
                check_a_change_of_layout(first, second, catalog)
                CLIENT("DEL", *CLIENT("KEYS", f"akin:*{catalog}*"))
    publish(OLD, "--format", "ids", "--buckets", 4, to=url("seen"))
    out = akin("status", "--to", url("seen")).out
    assert "format: ids" in out and "buckets: 4" in out, out


def test_a_unix_socket_and_a_database():
    path = os.path.abspath("redis.sock")
    server = redis_server("--unixsocket", path)
    publish(OLD, to=f"redis+unix:{path}?catalog=shop&db=2")
    client = Redis(server.port)
    client("SELECT", 2)
    assert_live(OLD, client=client)
    publish(OLD, to=f"redis://127.0.0.1:{server.port}/3?catalog=shop")
    client("SELECT", 3)
    assert_live(OLD, client=client)
    server.stop()


def test_words_that_are_refused():
    for bad in ("redis://127.0.0.1:1", url("no:colon"), url(""), "redis://127.0.0.1:x?catalog=a", url(more="&ttl=3"),
                f"redis://u:{'secret'}@127.0.0.1/x?catalog=a"):
        for done in (publish(OLD, to=bad, expect=2), akin("rollback", "--to", bad, expect=2)):
            assert "secret" not in done.err + done.out
    akin("publish", OLD, "--to", url(), "--to", url() + "", expect=2)
    publish(OLD, "--keep-previous", "soon", expect=2)
    done = publish(OLD, to="rediss://127.0.0.1:1/0?catalog=a", expect=None)
    assert (done.code == 2 and "tunnel" in done.err) or done.code == 1
    assert "embeddings" not in publish("missing.nc", expect=1).err


def test_a_password_is_used_and_never_shown():
    server = redis_server("--requirepass", PASSWORD)
    client = Redis(server.port)
    client("AUTH", PASSWORD)
    client("ACL", "SETUSER", "shop", "on", ">" + PASSWORD, "~akin:*", "+@all")
    quoted = "pa%2Fss%3Aword%40x"
    outputs = [publish(OLD, to=url(port=server.port, user=f":{quoted}@")), publish(NEW, to=url(port=server.port, user=f"shop:{quoted}@")),
               publish(OLD, to=url(port=server.port), env={"AKIN_REDIS_PASSWORD": PASSWORD}),
               akin("rollback", "--to", url(port=server.port, user=f"shop:{quoted}@"), "--json"),
               publish(OLD, to=url(port=server.port, user=":wrong%2Fword@"), expect=1),
               publish(OLD, to=url(port=server.port), expect=1)]
    assert "password is wrong" in outputs[4].err and "needs a password" in outputs[5].err
    for done in outputs:
        for secret in (PASSWORD, quoted, "wrong%2Fword", "wrong/word"):
            assert secret not in done.out + done.err, secret
    support.draw_catalogue("pictures", 12)
    with open("secret.ini", "w") as f:
        f.write(f"[job]\nname = secret\n[ingest]\nsource = pictures/catalog.csv\n[train]\nepochs = 1\n[neighbors]\nk = 3\n"
                f"[publish]\nto = {url('night', server.port, f':{quoted}@')}\n")
    akin("run", "secret.ini")
    found = subprocess.run(["grep", "-rlaE", f"{quoted}|{PASSWORD}", "results"], capture_output=True, text=True)
    kept = [name for name in found.stdout.split() if not name.endswith("job.ini")]
    assert not kept, kept
    assert client.hash("akin:night:meta")["model"].decode() == digest_of("results/secret/model.nc") != ""
    client("FLUSHALL")
    done = akin("run", "secret.ini", "--json")
    assert not done.json["stages"]["publish"]["skipped"] and client("HLEN", "akin:night") == 12
    client("HSET", "akin:night:meta", "digest", "0" * 32)  # as a rollback, or another publisher, leaves it
    done = akin("run", "secret.ini", "--json")
    assert done.json["stages"]["publish"]["skipped"] and "was left unchanged: it holds a table from another run" in done.err and PASSWORD not in done.err
    server.stop()


def test_a_replica_and_a_full_server_touch_nothing():
    replica = redis_server("--replicaof", "127.0.0.1", SERVER.port)
    client = Redis(replica.port)
    while client("INFO", "replication").find(b"master_link_status:up") < 0:
        time.sleep(0.1)
    publish(OLD, "--max-churn", 1)
    assert "read-only replica" in publish(NEW, to=url(port=replica.port), expect=1).err
    replica.stop()
    full = redis_server("--maxmemory-policy", "noeviction")
    client = Redis(full.port)
    publish(OLD, to=url(port=full.port))
    used = int(dict(line.split(b":") for line in client("INFO", "memory").split() if b":" in line)[b"used_memory"])
    client("CONFIG", "SET", "maxmemory", used + 15000)
    large = other_table("large.nc", 3000)
    done = publish(large, *OPEN, to=url(port=full.port), expect=1)
    assert "maxmemory" in done.err, done.err
    assert_live(OLD, client=client)
    client("CONFIG", "SET", "maxmemory", 0)
    publish(large, *OPEN, to=url(port=full.port))
    assert_live(large, client=client)
    full.stop()


def test_a_server_that_is_gone_empty_or_silent():
    server = redis_server()
    publish(OLD, to=url(port=server.port))
    server.stop()
    assert "Redis at" in publish(NEW, to=url(port=server.port), expect=1).err
    server.start()
    assert publish(NEW, to=url(port=server.port)).json["published"][0]["change"] is None
    client = Redis(server.port)
    assert_live(NEW, client=client)
    server.process.send_signal(signal.SIGSTOP)
    start = time.time()
    done = publish(OLD, "--timeout", 1, to=url(port=server.port), expect=1)
    assert "no answer within 1 s" in done.err and time.time() - start < 30
    server.process.send_signal(signal.SIGCONT)
    assert_live(NEW, client=client)
    other_table("large.nc", 20000, 10)
    process = subprocess.Popen(command(["publish", "large.nc", "--to", url(port=server.port), "--timeout", 1, *OPEN], 0),
                               stderr=subprocess.PIPE)
    while not client("EXISTS", "akin:shop:next") and process.poll() is None:
        pass
    server.process.send_signal(signal.SIGSTOP)
    assert process.wait(60) == 1, process.stderr.read()
    server.process.send_signal(signal.SIGCONT)
    time.sleep(0.2)
    assert decoded(client.hash("akin:shop")) == lists_of(NEW)
    publish("large.nc", *OPEN, to=url(port=server.port))
    assert_live("large.nc", client=client)
    server.stop()


def test_a_reader_that_does_not_read_holds_nobody_up():
    slow = Redis(SERVER.port)
    publish(NEW, "--max-churn", 1)
    for _ in range(300):
        slow.send("HGETALL", "akin:shop")
    publish(OLD, "--timeout", 20)
    assert_live(OLD)
    slow.close()


def test_a_key_of_another_type_is_named():
    for key, words in (("akin:odd:meta", ()), ("akin:odd", ()), ("akin:{odd:2}", ("--buckets", 3))):
        CLIENT("SET", key, "mine")
        assert f"the key {key} has another type" in publish(OLD, *words, to=url("odd"), expect=1).json["message"]
        assert CLIENT("GET", key) == b"mine" and CLIENT("DEL", key) == 1


def test_one_at_a_time():
    CLIENT("SET", "akin:shop:lock", "elsewhere, process 7, since yesterday [7 1 x/y]", "PX", 30000)
    done = publish(NEW, expect=1)
    assert "elsewhere, process 7, since yesterday" in done.err and "[" not in done.json["message"], done.err
    assert CLIENT("GET", "akin:shop:lock").startswith(b"elsewhere") and "someone else is publishing" in akin("rollback", "--to", url(), expect=1).err
    CLIENT("DEL", "akin:shop:lock")
    assert_live(OLD)
    processes = [subprocess.Popen(command(["publish", table, "--to", url(), *OPEN, "--timeout", 60], 0), stderr=subprocess.PIPE)
                 for table in (NEW, OTHER, "large.nc")]
    codes = [p.wait(120) for p in processes]
    assert set(codes) <= {0, 1} and 0 in codes, codes
    live = decoded(CLIENT.hash("akin:shop"))
    winners = [table for table, code in zip((NEW, OTHER, "large.nc"), codes) if code == 0]
    assert live in [lists_of(table) for table in winners]


def stopped_while_it_writes(lock, *words):
    """A publisher that holds this lock and stands still."""
    for _ in range(20):
        slow = subprocess.Popen(command(["publish", "large.nc", *words, *OPEN], 0), stderr=subprocess.PIPE)
        while not CLIENT("EXISTS", lock) and slow.poll() is None:
            pass
        if slow.returncode is None:
            os.kill(slow.pid, signal.SIGSTOP)
        if slow.returncode is None and os.WIFSTOPPED(os.waitpid(slow.pid, os.WUNTRACED)[1]) and CLIENT("EXISTS", lock):
            return slow
        if slow.returncode is None:
            slow.send_signal(signal.SIGCONT)
            slow.wait(120)
        publish(OLD, *OPEN, to=url("race"))
    raise AssertionError("it always ends first")


def test_two_with_different_buckets_do_not_mix():
    """Their locks differ; the one that others have overtaken since it compared switches nothing over."""
    publish(OLD, *OPEN, to=url("race"))
    for words, other in (((), ("--buckets", 4)), (("--buckets", 4), ())):
        slow = stopped_while_it_writes("akin:{race:0}:lock" if words else "akin:race:lock", "--to", url("race"), *words)
        publish(NEW, *other, *OPEN, to=url("race"))
        os.kill(slow.pid, signal.SIGCONT)
        told = slow.communicate(timeout=120)[1].decode()
        assert slow.returncode == 1 and "another run has published there" in told, (slow.returncode, told)
        assert read_as(("json", 4 if other else 0), "race") == ids_of(NEW)
        assert not [key for key in CLIENT("KEYS", "akin:*race*") if key.endswith((b":next", b":lock"))]


def in_front(act):
    """A port that passes everything on to the server, after act(what is to be passed on)."""
    ear = socket.create_server(("127.0.0.1", 0))

    def copy(source, to, before):
        while data := source.recv(1 << 20):
            before(data)
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)

    def serve():
        while True:
            client, server = ear.accept()[0], socket.create_connection(("127.0.0.1", SERVER.port))
            for words in ((client, server, act), (server, client, lambda data: None)):
                threading.Thread(target=copy, args=words, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return ear.getsockname()[1]


def once(when, act):
    """For in_front: acts before the first bytes for which `when` holds."""
    left = [act]
    return lambda data: left.pop()() if left and when(data) else None


def test_another_publication_up_to_the_very_switch_is_noticed():
    """With another number of buckets, so without a lock in common: between the last look at the meta and the transaction."""
    for words in ("publish", NEW, *OPEN), ("rollback",):
        for table in OTHER, OLD:
            publish(table, *OPEN, to=url("late"))
        port = in_front(once(lambda data: b"RENAME" in data, lambda: CLIENT("HSET", "akin:late:meta", "generation", "77")))
        done = akin(*words, "--to", url("late", port), expect=1)
        assert "another run has published there" in done.err and CLIENT("HGET", "akin:late:meta", "generation") == b"77", done.err
        assert decoded(CLIENT.hash("akin:late")) == lists_of(OLD) and not CLIENT("EXISTS", "akin:late:next", "akin:late:lock")


def test_what_another_run_published_since_is_not_called_a_fault():
    """The lock is free before the lists are read back: then another run's lists are there, in its layout."""
    for more in ("--format", "ids"), ("--buckets", 2), ():
        publish(OLD, "--buckets", 4, *OPEN, to=url("since"))
        steps = [lambda data: b"RENAME" in data, lambda data: b"HGET\r\n" in data]

        def act(data):
            if steps and steps[0](data):
                del steps[0]
                if not steps:
                    publish(OTHER, "--buckets", 4, *more, *OPEN, to=url("since"))

        done = publish(NEW, "--buckets", 4, *OPEN, to=url("since", in_front(act)))
        assert not steps and "published to by another run since" in done.err, done.err


def test_a_key_of_another_type_among_several_is_not_guessed():
    publish(OLD, "--buckets", 3, *OPEN, to=url("guess"))
    key = "akin:{guess:0}"
    port = in_front(once(lambda data: b"HGET\r\n" in data, lambda: (CLIENT("DEL", key), CLIENT("SET", key, "mine"))))
    message = publish(NEW, "--buckets", 3, *OPEN, to=url("guess", port), expect=1).json["message"]
    assert "a key of the catalogue has another type" in message and "guess:" not in message, message
    CLIENT("DEL", key)


def watch(port, key, tables):
    """Asks for 50 lists all the time; each answer must be of one table as a whole. Returns the watcher, and the tables that it has seen."""
    client = Redis(port)
    ids = random.Random(1).sample(sorted(set.intersection(*(set(lists_of(t)) for t in tables))), 50)
    expected = {tuple(map(tuple, (lists_of(t)[i] for i in ids))): t for t in tables}
    seen = set()

    def look():
        answer = client("HMGET", key, *ids)
        assert None not in answer, "an id without a list"
        found = tuple(tuple((n, np.float32(s)) for n, s in json.loads(value)) for value in answer)
        assert found in expected, "lists of no table, or of two"
        seen.add(expected[found])

    return Watcher(look, 0.0005), seen


def kill_publishers(kills, seed, server, tables):
    """Publishers killed (kill -9) at random moments; the next one cleans up. Returns how many were killed while writing: of more
    than `kills` where these were fewer than a tenth."""
    client, random_moment = Redis(server.port), random.Random(seed)
    key, to = "akin:kill", url("kill", server.port)
    publish(tables[0], *OPEN, to=to)
    watcher, seen = watch(server.port, key, tables)
    watcher.look_now()
    start = time.time()
    publish(tables[1], *OPEN, to=to)
    whole, midway = time.time() - start, 0
    for turn in range(4 * kills):
        if turn >= kills and midway >= kills // 10:
            break
        live = client("HGET", key + ":meta", "digest").decode()
        table = next(t for t in tables if digest_of(t) != live)
        process = subprocess.Popen(command(["publish", table, "--to", to, *OPEN, "--quiet"], 0), stderr=subprocess.DEVNULL)
        if turn % 2:  # from anywhere, or from the moment on that it writes, which is a small part of a slow start of MPI
            while not client("EXISTS", key + ":next") and process.poll() is None:
                pass
            time.sleep(random_moment.choice([0, random_moment.uniform(0, 0.05 * whole)]))
        else:
            time.sleep(random_moment.uniform(0, 1.1 * whole))
        process.kill()
        process.wait()
        midway += client("EXISTS", key + ":next")
        watcher.look_now()
    for table in tables:
        publish(table, *OPEN, to=to)
        assert_live(table, "kill", client)
    watcher.stop()
    assert seen == set(tables)
    return midway, watcher


def test_killed_at_random_moments():
    ids = names(range(8000))
    tables = [other_table("kill-a.nc", 8000, 10, 4, ids), other_table("kill-b.nc", 8000, 10, 5, ids)]
    midway, _ = kill_publishers(10, 1, SERVER, tables)
    assert midway >= 1, "no kill came while :next was written"


def test_a_cluster():
    ports = [free_port() for _ in range(3)]
    servers = [redis_server("--cluster-enabled", "yes", "--cluster-config-file", f"nodes-{p}.conf", "--cluster-port", free_port(), port=p)
               for p in ports]
    clients = [Redis(p) for p in ports]
    subprocess.run(["redis-cli", "--cluster", "create", *(f"127.0.0.1:{p}" for p in ports), "--cluster-yes"], check=True,
                   stdout=subprocess.DEVNULL, timeout=120)
    while not all(b"cluster_state:ok" in c("CLUSTER", "INFO") for c in clients):
        time.sleep(0.1)
    assert "--buckets" in publish(OLD, to=url(port=ports[0]), expect=1).err
    for table in (OLD, NEW):
        publish(table, "--buckets", 16, "--previous", OLD, to=url(port=ports[1]))
        held = [{k.decode() for k in c("KEYS", "akin:{shop:*}")} for c in clients]
        assert all(held), "every server has some buckets"
        found = {}
        for c, keys in zip(clients, held):
            for key in keys:
                found.update(decoded(c.hash(key)))
        assert found == lists_of(table)
    assert akin("status", "--to", url(port=ports[2]), "--json").json["places"][0]["buckets"] == 16
    akin("rollback", "--to", url(port=ports[2]))
    found = {}
    for c in clients:
        for key in c("KEYS", "akin:{shop:*}"):
            found.update(decoded(c.hash(key)) if not key.endswith(b":prev") else {})
    assert found == lists_of(OLD)
    change = publish(NEW, "--buckets", 5, to=url(port=ports[0])).json["published"][0]["change"]
    assert (change["before"], change["new"], change["gone"]) == (300, 15, 15) and 0 < change["churn"] < 0.6, "compared with the 16 buckets"
    left = {k.decode(): c("PTTL", k) for c in clients for k in c("KEYS", "akin:{shop:*}")}
    assert {k for k, time in left.items() if time == -1} == {f"akin:{{shop:{b}}}" for b in range(5)}, left
    for server in servers:
        server.stop()


if __name__ == "__main__":
    support.main(globals())
