"""A Redis Cluster of three servers: publishers killed (kill -9), most of them between the switch of the first bucket and that of the
last; a reader asks for lists of every bucket all the time, and each bucket's answer is of one table as a whole. Then a server
is killed while it is written to, and comes back empty. The next publication makes all whole again."""

import json
import os
import random
import subprocess
import time
import zlib

import numpy as np

import support
from servers import Redis, free_port, redis_server
from support import akin, command
from tables import OPEN, digest_of, lists_of, names, other_table
from watcher import Watcher

BUCKETS, KILLS = 64, 60 if support.FULL else 20
os.chdir(support.fresh("cluster"))
IDS = names(range(6000))
TABLES = [other_table("a.nc", 6000, 5, 4, IDS), other_table("b.nc", 6000, 5, 5, IDS)]
LISTS = [lists_of(t) for t in TABLES]


def bucket_of(name):
    return zlib.crc32(name.encode()) % BUCKETS


def key_of(bucket):
    return f"akin:{{shop:{bucket}}}"


class Cluster:
    def __init__(self):
        self.ports = [free_port() for _ in range(3)]
        self.servers = [redis_server("--cluster-enabled", "yes", "--cluster-config-file", f"nodes-{p}.conf", "--cluster-node-timeout", 2000,
                                     "--cluster-port", free_port(), port=p) for p in self.ports]
        subprocess.run(["redis-cli", "--cluster", "create", *(f"127.0.0.1:{p}" for p in self.ports), "--cluster-yes"], check=True,
                       stdout=subprocess.DEVNULL, timeout=120)
        self.wait()
        clients = self.clients()
        self.place = {}  # which server has a bucket
        for bucket in range(BUCKETS):
            for i, client in enumerate(clients):
                try:
                    client("EXISTS", key_of(bucket))
                    self.place[bucket] = i
                except RuntimeError:
                    pass

    def clients(self):
        return [Redis(p) for p in self.ports]

    def wait(self):
        end = time.time() + 60
        while not all(b"cluster_state:ok" in c("CLUSTER", "INFO") for c in self.clients()):
            assert time.time() < end, "the cluster does not come together"
            time.sleep(0.1)

    def url(self):
        return f"redis://127.0.0.1:{self.ports[0]}?catalog=shop"


def whole(answer, asked):
    """The number of the table that all these lists are of; None: of no table, or of two."""
    if None in answer:
        return None
    found = [[(n, np.float32(s)) for n, s in json.loads(value)] for value in answer]
    return next((t for t, lists in enumerate(LISTS) if found == [lists[i] for i in asked]), None)


def poll(cluster, clients):
    """Of each bucket, the table that it holds."""
    tables = []
    for bucket in range(BUCKETS):
        asked = [i for i in IDS[:2000] if bucket_of(i) == bucket][:10]
        tables.append(whole(clients[cluster.place[bucket]]("HMGET", key_of(bucket), *asked), asked))
        assert tables[-1] is not None, f"bucket {bucket}: lists of no table, or of two"
    return tables


def publish(cluster, table, **more):
    return akin("publish", table, "--to", cluster.url(), "--buckets", BUCKETS, *OPEN, "--quiet", **more)


def test_killed_between_buckets():
    cluster, moments = Cluster(), random.Random(1)
    publish(cluster, TABLES[0])
    clients, readers = cluster.clients(), cluster.clients()
    watcher = Watcher(lambda: poll(cluster, readers), 0.05)
    probe = next(i for i in IDS if bucket_of(i) == 0)
    between, kills = 0, 0
    while kills < KILLS or (between < 3 and kills < 5 * KILLS):
        turn, kills = kills, kills + 1
        tables = poll(cluster, clients)
        table = TABLES[1 - tables[0]]
        before = clients[cluster.place[0]]("HGET", key_of(0), probe)
        process = subprocess.Popen(command(["publish", table, "--to", cluster.url(), "--buckets", BUCKETS, *OPEN, "--quiet"], 0), stderr=subprocess.DEVNULL)
        if turn % 5:  # from the switch of the first bucket on
            while process.poll() is None and clients[cluster.place[0]]("HGET", key_of(0), probe) == before:
                pass
            time.sleep(moments.choice([0, 0, 0.002, 0.01]))
        else:
            time.sleep(moments.uniform(0, 1.5))
        process.kill()
        process.wait()
        between += len(set(poll(cluster, clients))) == 2
        watcher.look_now()
    for number, table in enumerate(TABLES):
        publish(cluster, table)
        assert set(poll(cluster, clients)) == {number}
        found = {}
        for bucket in range(BUCKETS):
            found.update(clients[cluster.place[bucket]].hash(key_of(bucket)))
        assert {k: [(n, np.float32(s)) for n, s in json.loads(v)] for k, v in found.items()} == LISTS[number]
    watcher.stop()
    print(f"{kills} kills, {between} of them between two buckets; {watcher.looks} looks at {BUCKETS} buckets, each bucket of one whole table")
    assert between >= 3, between
    for server in cluster.servers:
        server.stop()


def wait_for_a_held_write(server, process):
    """Whether a write is waiting at the paused server; not if the publisher ends before."""
    while process.poll() is None:
        if b"blocked_clients:0" not in server("INFO", "clients"):
            return True
    return False


def test_a_server_of_the_cluster_is_killed():
    """While a list is on its way to it: from the moment that :next is there on, it holds writes back, so that no publisher can have ended."""
    cluster = Cluster()
    clients, last = cluster.clients(), max(b for b in range(BUCKETS) if cluster.place[b] == 2)
    publish(cluster, TABLES[0])
    for turn in range(1, 20):
        process = subprocess.Popen(command(["publish", TABLES[turn % 2], "--to", cluster.url(), "--buckets", BUCKETS, *OPEN, "--timeout", 60], 0),
                                   stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not clients[2]("EXISTS", key_of(last) + ":next"):
            pass
        clients[2]("CLIENT", "PAUSE", 60000, "WRITE")
        if wait_for_a_held_write(clients[2], process):
            break
        clients[2]("CLIENT", "UNPAUSE")  # too late: once more, with the other table
        assert process.wait() == 0, process.stderr.read()
    cluster.servers[2].stop()
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 1 and "Redis at" in said, said
    cluster.servers[2].start()
    cluster.wait()
    deadline = time.time() + 60
    while publish(cluster, TABLES[1], expect=None).code != 0:  # as long as the cluster says that it is not whole
        assert time.time() < deadline
        time.sleep(1)
    assert set(poll(cluster, cluster.clients())) == {1}
    for server in cluster.servers:
        server.stop()


if __name__ == "__main__":
    support.main(globals())
