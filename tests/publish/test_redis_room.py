"""A Redis with too little room for a second table in addition to the published one is refused before anything is sent; one whose policy
may evict the table causes a warning; and a server is reached by an IPv6 address."""

import json
import re
import socket
import subprocess

import numpy

from servers import Server, free_port, redis_server
from support import akin, fresh, main


def table(folder, n, seed):
    numpy.save(f"{folder}/v.npy", numpy.random.default_rng(seed).standard_normal((n, 16)).astype("float32"))
    akin("neighbors", f"{folder}/v.npy", "-o", f"{folder}/t{seed}.nc", "-k", "20")
    return f"{folder}/t{seed}.nc"


def ask(server, *words, host="127.0.0.1"):
    return subprocess.run(["redis-cli", "-h", host, "-p", str(server.port), *words], capture_output=True, text=True).stdout.strip()


def publish(path, server, expect=0, host="127.0.0.1"):
    return akin("publish", path, "--to", f"redis://{host}:{server.port}/0?catalog=shop", "--max-churn", "1", "--max-shrink", "1",
                "--min-coverage", "0", "--json", expect=expect)


def test_room_and_policy():
    folder = fresh("room")
    first, second = table(folder, 4000, 1), table(folder, 4000, 2)
    server = redis_server()
    quiet = publish(first, server)
    assert "maxmemory" not in quiet.err, quiet.err
    before = ask(server, "hget", "akin:shop", "7")
    used = int(next(line.split(":")[1] for line in ask(server, "info", "memory").splitlines() if line.startswith("used_memory:")))
    for policy in ("allkeys-lru", "noeviction", "volatile-lru"):
        ask(server, "config", "set", "maxmemory-policy", policy)
        ask(server, "config", "set", "maxmemory", str(used + (1 << 20)))
        refused = publish(second, server, expect=1)
        assert "maxmemory" in refused.json["message"] and "nothing was sent" in refused.json["message"], refused.json
        sizes = re.search(r"room for ([\d.]+ \w+) \(maxmemory ([\d.]+ \w+), used ([\d.]+ \w+)\).* takes about ([\d.]+ \w+) in", refused.json["message"])
        assert sizes and not any(size.startswith("0 ") for size in sizes.groups()), refused.json["message"]
        assert ask(server, "hget", "akin:shop", "7") == before and ask(server, "exists", "akin:shop:next") == "0"
    ask(server, "config", "set", "maxmemory", str(used + (64 << 20)))
    ask(server, "config", "set", "maxmemory-policy", "allkeys-lru")
    warned = publish(second, server)
    assert "allkeys-lru" in warned.err and "noeviction" in warned.err, warned.err
    assert ask(server, "hget", "akin:shop", "7") != before
    server.stop()


def test_a_user_that_may_not_ask_publishes_all_the_same():
    folder = fresh("acl")
    server = redis_server()
    ask(server, "acl", "setuser", "shop", "on", ">pw", "~akin:*", "+@all", "-info", "-config")
    path = table(folder, 50, 1)
    akin("publish", path, "--to", f"redis://shop:pw@127.0.0.1:{server.port}/0?catalog=shop")
    assert ask(server, "hlen", "akin:shop") == "50"
    server.stop()


def test_an_ipv6_address():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
    except OSError:
        print("   left out: no IPv6 here")
        return
    folder, port = fresh("ipv6"), free_port()
    server = Server(["redis-server", "--port", str(port), "--bind", "::1", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder], port)
    path = table(folder, 50, 1)
    publish(path, server, host="[::1]")
    assert ask(server, "hlen", "akin:shop", host="::1") == "50"
    server.stop()
    assert "[::1]:" in publish(path, server, expect=1, host="[::1]").err


if __name__ == "__main__":
    main(globals())
