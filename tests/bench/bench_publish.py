"""Publishing to Redis: speed against redis-benchmark's HSET with values of the same size, bytes per item in Redis for both
formats, and the publisher's memory. usage: AKIN=build/akin BENCH_TABLE=build/tests/bench_table bench_publish.py [ITEMS] [K] [ROUNDS]   (1000000 20 3)
As root, clients and server get a core each with priority over all others (chrt, taskset), as on an idle machine."""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from servers import Redis, redis_server  # noqa: E402

ITEMS, K, ROUNDS = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((1, 1000000), (2, 20), (3, 3)))
QUIET = ["chrt", "-f", "10", "taskset", "-c", "0"] if os.getuid() == 0 else []
AKIN = os.path.abspath(os.environ["AKIN"])
os.environ["BENCH_TABLE"] = os.path.abspath(os.environ["BENCH_TABLE"])
os.chdir(tempfile.mkdtemp())


def write_table(path, seed, share=1.0):
    subprocess.run([os.environ["BENCH_TABLE"], path, str(ITEMS), str(K), str(seed), str(share)], check=True)
    return path


def akin(*words):
    start = time.time()
    done = subprocess.run(["/usr/bin/time", "-f", "%M", *QUIET, AKIN, *words, "--json", "--quiet"], capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert done.returncode == 0, report
    return report, time.time() - start, int(done.stderr.split()[-1]) / 1024


def used(client):
    return int(re.search(rb"used_memory:(\d+)", client("INFO", "memory")).group(1))


def measure_format(words):
    """Seconds, lists a second, MiB of the publisher, bytes an item of the server: a first publication."""
    server = redis_server()
    client = Redis(server.port)
    if QUIET:
        subprocess.run(["chrt", "-a", "-f", "-p", "10", str(server.process.pid)], check=True)
        subprocess.run(["taskset", "-a", "-p", "-c", "1", str(server.process.pid)], check=True, stdout=subprocess.DEVNULL)
    before = used(client)
    report, seconds, memory = akin("publish", "one.nc", "--to", f"redis://127.0.0.1:{server.port}/0?catalog=shop", *words)
    size = report["published"][0]["bytes"]
    print(f"publish {' '.join(words) or '--format json'}: {seconds:.2f} s, {ITEMS / seconds:,.0f} lists/s, publisher {memory:.0f} MiB, "
          f"{size / ITEMS:.0f} bytes of key and value an item, {(used(client) - before) / ITEMS:.0f} bytes an item in Redis")
    return server, client, seconds, size / ITEMS - 10


def main():
    write_table("one.nc", 1)
    write_table("two.nc", 2, 0.05)
    write_table("base.nc", 3, 0)
    measure_format(["--format", "ids"])[0].stop()
    server, client, seconds, value = measure_format([])
    shares = []
    for _ in range(ROUNDS):
        client("FLUSHALL")
        seconds = akin("publish", "one.nc", "--to", f"redis://127.0.0.1:{server.port}/0?catalog=shop")[1]
        client("FLUSHALL")
        done = subprocess.run([*QUIET, "redis-benchmark", "-p", str(server.port), "-P", "100", "-c", "1", "-n", str(ITEMS), "-r", str(ITEMS), "--csv",
                               "HSET", "bench", "sku__rand_int__", "x" * round(value)], capture_output=True, text=True)
        rate = float(done.stdout.splitlines()[-1].split(",")[1].strip('"'))
        shares.append(ITEMS / seconds / rate)
        print(f"publish {seconds:.2f} s, {ITEMS / seconds:,.0f} lists/s; redis-benchmark -P 100 -c 1, HSET of {round(value)} bytes: {rate:,.0f} a second; {shares[-1]:.0%}")
    print(f"publish reaches {statistics.median(shares):.0%} (median), the whole run, reading back included")
    client("FLUSHALL")
    url = f"redis://127.0.0.1:{server.port}/0?catalog=shop"
    akin("publish", "base.nc", "--to", url)
    for words in ([], ["--previous", "base.nc"]):
        report, seconds, memory = akin("publish", "two.nc", "--to", url, *words)
        place = report["published"][0]
        print(f"the next night {' '.join(words)}: {seconds:.2f} s, {place['lists_sent']:,} lists sent, churn {place['change']['churn']:.3f}, publisher {memory:.0f} MiB")
        akin("rollback", "--to", url)
    server.stop()


if __name__ == "__main__":
    main()
