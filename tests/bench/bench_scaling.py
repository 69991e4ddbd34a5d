"""A model of the time of a training step from 1 to 4,096 ranks, and its check against the ranks of this machine.

usage: AKIN_BUILD=build python3 tests/bench/bench_scaling.py [--steps 10] [--cores 2] [--check 1 2 3 4] [--given C U]

A step on P ranks with batch B has ceil(B / 16 / P) micro-batches on the busiest rank, c seconds each, and an update of u.
The gradient is summed in three messages of n_k bytes (64-bit numbers): the decoder's starts when a share d of the last micro-batch is
done, the dense layers' at e, the encoder's at its end; one after the other, each takes

    t(n) = 2 ceil(log2 P) a + 2 (P - 1) / P n / b        (a: latency, b: bandwidth, reduce-scatter and all-gather)

and the update waits for the last one. c, u, a and b are measured by bench_step (a and b of this machine, whose ranks communicate
through memory; if there are more ranks than cores, they take turns, so their c and their share of a sum are that much longer); d and e
are the shares of a micro-batch's operations that are done by then.

Steps of one rank do not all take the same time, and P ranks wait for the slowest of them: with scatter, the computation takes
the mean of the largest of P steps drawn from those measured on one rank (their deciles; ranks are independent of each other).
For a cluster, a and b are given: 2 us and 10 GB/s, as for a 100 Gbit/s fabric. --given: c and u in seconds, and nothing is
measured. Prints Markdown. Not a test.
"""

import argparse
import json
import math
import os
import subprocess

WEIGHTS, DECODER, ENCODER = 570019, 19971, 19392
SUMS = (8 * DECODER, 8 * (WEIGHTS - DECODER - ENCODER), 8 * ENCODER)
FORWARD = dict(conv1=1.77, conv2=9.44, dense=1.06, up=9.51, output=1.77)  # million operations an image
ALL = sum(FORWARD.values()) + 2 * sum(FORWARD.values()) - FORWARD["conv1"]
DECODED = sum(FORWARD.values()) + 2 * (FORWARD["up"] + FORWARD["output"])
STARTS = (DECODED / ALL, (DECODED + 2 * FORWARD["dense"]) / ALL, 1.0)

p = argparse.ArgumentParser()
p.add_argument("--steps", type=int, default=10)
p.add_argument("--cores", type=int, default=2)
p.add_argument("--check", type=int, nargs="+", default=[1, 2, 3, 4])
p.add_argument("--given", type=float, nargs=2)
p.add_argument("--batch", type=int, default=192)
a = p.parse_args()
build = os.environ.get("AKIN_BUILD", "build")


def measure(ranks):
    """The medians of a run of bench_step, which takes exact and plain steps in turns."""
    done = subprocess.run(["mpirun", "-n", str(ranks), f"{build}/tests/bench_step", "--json", str(a.steps), str(a.batch)],
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def step(ranks, batch, c, u, latency, bandwidth, cores=None):
    """(seconds of a step, seconds of it in which nothing is computed)."""
    turns = max(1, ranks / cores) if cores else 1
    micros = math.ceil(batch / 16 / ranks)
    computed, end = turns * micros * c, 0.0
    for start, size in zip(STARTS, SUMS):
        begin = max(end, turns * ((micros - 1) * c + start * c))
        end = begin if ranks == 1 else begin + turns * (
            2 * math.ceil(math.log2(ranks)) * latency + 2 * (ranks - 1) / ranks * size / bandwidth)
    waiting = max(0.0, end - computed)
    return computed + waiting + turns * u, waiting


def held_up(deciles, ranks):
    """The mean of the largest of `ranks` draws from a distribution with these deciles, as a share of its median."""
    middles = [(low + high) / 2 for low, high in zip(deciles, deciles[1:])]
    n = len(middles)
    return sum(t * (((i + 1) / n) ** ranks - (i / n) ** ranks) for i, t in enumerate(middles)) / deciles[n // 2]


def check():
    """Prints model and measurement side by side; returns c and u."""
    measured = {ranks: measure(ranks) for ranks in a.check}
    one, two = measured[1], measured[2]
    u = one["update_ms"] / 1e3
    c = (one["exact_median_ms"] / 1e3 - u) / (a.batch // 16)
    latency = two["sum_small_ms"] / 1e3 / 2
    bandwidth = sum(SUMS) / max(1e-9, two["sum_large_ms"] / 1e3 - 2 * latency)
    print(f"Measured at batch {a.batch}: c = {c * 1e3:.2f} ms a micro-batch of 16, u = {u * 1e3:.2f} ms, a = {latency * 1e6:.1f} us, "
          f"b = {bandwidth / 1e9:.2f} GB/s; d = {STARTS[0]:.2f}, e = {STARTS[1]:.2f}.\n")
    print("| ranks here | model, ms | with scatter, ms | measured, ms | model / measured | with scatter / measured |\n|---|---|---|---|---|---|")
    for ranks, found in measured.items():
        plain, _ = step(ranks, a.batch, c, u, latency, bandwidth, a.cores)
        drawn = held_up(one["exact_deciles_ms"], min(ranks, a.cores))
        scattered, _ = step(ranks, a.batch, c * drawn, u, latency, bandwidth, a.cores)
        median = found["exact_median_ms"] / 1e3
        print(f"| {ranks} | {plain * 1e3:.1f} | {scattered * 1e3:.1f} | {median * 1e3:.1f} | {plain / median:.2f} | {scattered / median:.2f} |")
    print(f"\nFrom 1 to 2 ranks, measured: {one['exact_median_ms'] / two['exact_median_ms']:.2f} x.\n")
    return c, u


c, u = a.given or check()
print("| ranks of a cluster | batch | step, ms | waiting, ms | images/s | speed-up | efficiency |\n|---|---|---|---|---|---|---|")
for batches in ((256,), (16384,), (32, "a rank")):
    for ranks in (1, 2, 4, 16, 64, 256, 1024, 4096):
        batch = batches[0] * (ranks if len(batches) > 1 else 1)
        if batch < 16 * ranks:
            continue
        alone, _ = step(1, batch, c, u, 0, 1)
        seconds, waiting = step(ranks, batch, c, u, 2e-6, 10e9)
        print(f"| {ranks} | {batch} | {seconds * 1e3:.2f} | {waiting * 1e3:.2f} | {batch / seconds:,.0f} | {alone / seconds:.1f} | "
              f"{100 * alone / seconds / ranks:.0f} % |")
