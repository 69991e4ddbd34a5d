"""Images per second of a training step and of embedding, akin's against PyTorch's best variant, in turns on one core each.

usage: AKIN_BUILD=build python3 tests/bench/bench_training_peer.py --python VENV/bin/python --peer train_torch.py [--rounds 5] [--cpu]
needs: a Python with torch (the newest that can be installed), and the peer, which prints train_images_per_second and
embed_images_per_second of the best of its variants as one JSON line. Both sides take the fastest of several steps of 256
images; rounds take turns, and medians are compared. --cpu: both by CPU time, for a machine that others use, too. Prints one JSON
object. Not a test: a round takes a minute.
"""

import argparse
import json
import os
import statistics
import subprocess

p = argparse.ArgumentParser()
p.add_argument("--python", required=True)
p.add_argument("--peer", required=True)
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--cpu", action="store_true")
p.add_argument("--steps", type=int, default=10)
a = p.parse_args()
build = os.environ.get("AKIN_BUILD", "build")


def last_line(words):
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


rounds = []
for _ in range(a.rounds):
    ours = last_line([f"{build}/tests/bench_step", "--json", *(["--cpu"] if a.cpu else []), str(a.steps)])
    script = ("import sys, time, runpy\n" + ("time.perf_counter = time.process_time\n" if a.cpu else "") +
              "sys.argv = sys.argv[1:]\nrunpy.run_path(sys.argv[0], run_name='__main__')")
    theirs = last_line([a.python, "-c", script, a.peer, "--threads", "1", "--steps", str(a.steps)])
    rounds.append({side: {what: result[f"{what}_images_per_second"] for what in ("train", "embed")}
                   for side, result in (("akin", ours), ("torch", theirs))})
    rounds[-1]["torch_version"] = theirs["version"]
medians = {side: {what: statistics.median(r[side][what] for r in rounds) for what in ("train", "embed")} for side in ("akin", "torch")}
print(json.dumps(dict(medians=medians, torch=rounds[0]["torch_version"], rounds=rounds,
                      ratio={what: medians["akin"][what] / medians["torch"][what] for what in ("train", "embed")})))
