"""What `status` and `rollback` say about a target: what is live, what is kept, who is publishing; and that looking changes nothing."""

import os
import re
import socket
import threading

import support
from servers import Redis, memcached_server, redis_server
from support import akin
from tables import OPEN, digest_of, other_table, two_nights

os.chdir(support.fresh("status"))
OLD, NEW = two_nights()
STAMP = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"


class answering:
    """A server that says this to whatever it is asked, and hangs up."""

    def __init__(self, answer):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, args=(answer,), daemon=True).start()

    def serve(self, answer):
        while True:
            with self.socket.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(answer)


def place(url, **more):
    done = akin("status", "--to", url, "--json", **more)
    assert done.json["verb"] == "status" and len(done.json["places"]) == 1
    return done.json["places"][0]


def check(url, generations=True, ranks=0):
    """Nothing, one night, two nights, a rollback tried and one done."""
    empty = place(url)
    assert empty["published"] is False and empty["kept"] is None and empty["busy"] is None
    akin("rollback", "--to", url, "--dry-run", expect=1)
    akin("publish", OLD, "--to", url, *OPEN)
    first = place(url, ranks=ranks)
    assert first["published"] and first["items"] == 300 and first["k"] == 5 and re.fullmatch(STAMP, first["time"])
    assert first["kept"] is None and (first["generation"] is not None) == generations
    akin("publish", NEW, "--to", url, *OPEN)
    second = place(url)
    kept = {key: value for key, value in second["kept"].items() if key != "seconds_left"}
    assert kept == {key: first[key] for key in kept} and second["digest"] != first["digest"]
    told = akin("rollback", "--to", url, "--dry-run", "--json", ranks=ranks)
    assert told.json["dry_run"] and told.json["restored"] == [] and told.json["places"][0]["digest"] == second["digest"]
    assert place(url)["digest"] == second["digest"], "a dry run changed something"
    done = akin("rollback", "--to", url, "--json")
    assert done.json["restored"] and done.json["places"][0]["digest"] == first["digest"]
    assert done.json["places"][0]["kept"]["digest"] == second["digest"]
    line = [x for x in done.err.splitlines() if "live again" in x][0]
    assert first["time"] in line and second["time"] in line, line
    if generations:
        assert f"generation {first['generation']} " in line and f"generation {second['generation']} " in line, line
    out = akin("status", "--to", url).out
    assert f"digest: {first['digest']}" in out and "kept for a rollback: " in out and "published: yes" in out, out


def test_files():
    assert "published: no" in akin("status", "--to", "file:none.csv").out
    check("file:t.jsonl", generations=False, ranks=3)
    # its bytes do not tell the table that it was made from
    assert place("file:t.jsonl")["table_digest"] == digest_of(OLD) != place("file:t.jsonl")["digest"], "after a rollback"
    assert place("file:t.jsonl")["kept"]["table_digest"] == digest_of(NEW)
    assert f"table digest: {digest_of(OLD)}" in akin("status", "--to", "file:t.jsonl").out
    with open("t.jsonl", "a") as f:
        f.write('{"id": "by hand", "neighbors": []}\n')
    assert place("file:t.jsonl")["table_digest"] is None, "no longer what was published"
    akin("publish", OLD, "--to", "file:t.csv", "--to", "file:t.npy", *OPEN)
    both = akin("status", "--to", "file:t.csv", "--to", "file:t.npy", "--json").json
    assert [(p["items"], p["k"], p["kept"]) for p in both["places"]] == [(300, 5, None)] * 2 and both["items"] == 300
    akin("status", "--to", "file:t.txt", expect=2)
    akin("status", expect=2)


def test_redis():
    server = redis_server()
    client = Redis(server.port)
    url = f"redis://127.0.0.1:{server.port}/0?catalog="
    check(url + "shop")
    assert 0 < place(url + "shop")["kept"]["seconds_left"] <= 12 * 3600
    assert place(url + "shop")["digest"] == place(url + "shop")["table_digest"] == digest_of(OLD)
    akin("publish", OLD, "--to", url + "wide", "--buckets", 3, *OPEN)
    akin("publish", NEW, "--to", url + "wide", "--buckets", 3, *OPEN)
    wide = place(url + "wide")
    assert wide["items"] and wide["kept"]["digest"] == digest_of(OLD), "the buckets are found out"
    akin("rollback", "--to", url + "wide", "--format", "ids")
    back = place(url + "wide")
    assert (back["digest"], back["buckets"], back["format"]) == (digest_of(OLD), 3, "json"), back
    for verb in ("rollback", "status"):
        said = " ".join(akin(verb, "--help").out.split())
        assert "the B that the table was published with" in said and "spread the catalogue" not in said, said
    client("SET", "akin:shop:lock", "another, process 1, since now [1 2 elsewhere]", "PX", "60000")
    assert place(url + "shop")["busy"] == "another, process 1, since now"
    akin("status", "--to", "redis://user:secret@127.0.0.1:1/0?catalog=x", expect=1)


def test_a_server_that_is_not_there():
    """Each message names the server, and asks what a person can look for."""
    for place, name in (("redis://{}/0?catalog=x", "Redis at {}: "), ("memcached://{}?catalog=x", "memcached at {}: "), ("qdrant://{}/x", "Qdrant: http://{}: ")):
        for host in ("127.0.0.1:1", "no-such-host.invalid:1"):
            message = akin("status", "--to", place.format(host), "--json", expect=1).json["message"]
            assert message.startswith(name.format(host)) and message.endswith(": is the server running there, and is the address right?"), message
            assert "/src/" not in message and "0x" not in message, message


def test_a_server_of_another_kind():
    """The message asks for it, and the library's words come after, without its pointers and source lines."""
    ports = {"redis": redis_server().port, "memcached": memcached_server().port, "http": answering(b"HTTP/1.1 400 Bad Request\r\n\r\n").port,
             "tls": answering(b"\x15\x03\x01\x00\x02\x02\x28").port, "silent": answering(b"").port}
    for at, kinds in {"redis://{}/0?catalog=x": ("memcached", "http", "tls", "silent"), "memcached://{}?catalog=x": ("redis", "http"),
                      "qdrant://{}/x": ("redis", "memcached", "tls", "silent")}.items():
        for kind in kinds:
            host = f"127.0.0.1:{ports[kind]}"
            message = akin("status", "--to", at.format(host), "--timeout", 5, "--json", expect=1).json["message"]
            assert f"{host}: is another kind of server there, or is TLS expected on one side only? (" in message, (kind, message)
            assert "libmemcached" not in message and "(0x" not in message, message


def test_memcached():
    server = memcached_server()
    check(f"memcached://127.0.0.1:{server.port}?catalog=shop")


support.main(globals())
