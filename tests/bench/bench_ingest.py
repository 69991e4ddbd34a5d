"""Images per second per core: akin ingest against Pillow (draft + resize(BOX)), one process per core, in one run.

    python3 tests/bench/bench_ingest.py FOLDER [ROUNDS [CORES]]

FOLDER contains photographs. $AKIN is the program, default build/akin; the Python that runs this needs Pillow. Both take turns, and
medians are compared. Pillow's time is that of its loop, without starting its processes. Two figures are given for akin: the rate of
its loop (images_per_second), and the rate of the whole call, which starts MPI and writes the catalogue. The ratio of CPU seconds
(for akin, of the whole call) is meaningful even on a machine that others use. Prints one JSON object."""

import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import PIL
from PIL import Image, features

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


def peer_part(files, gate, out):
    gate.wait()
    begin, cpu = time.perf_counter(), time.process_time()
    for name in files:
        picture = Image.open(name)
        picture.draft("RGB", (32, 32))
        picture.convert("RGB").resize((32, 32), Image.BOX).tobytes()
    out.put((begin, time.perf_counter(), time.process_time() - cpu))


def peer(files, cores):
    gate, out = multiprocessing.Barrier(cores), multiprocessing.Queue()
    parts = [multiprocessing.Process(target=peer_part, args=(files[i::cores], gate, out)) for i in range(cores)]
    for part in parts:
        part.start()
    times = [out.get() for _ in parts]
    for part in parts:
        part.join()
    begins, ends, cpu = zip(*times)
    return len(files) / (max(ends) - min(begins)), len(files) / sum(cpu)


def ours(folder, cores, output):
    akin = os.environ.get("AKIN", os.path.join(os.path.dirname(__file__), "..", "build", "akin"))
    words = ["mpirun", "-n", str(cores)] if cores > 1 else []
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*words, akin, "ingest", folder, "-o", output, "--json", "--quiet", "--max-reject-fraction", "1"],
                          capture_output=True, text=True, check=True)
    seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    report = json.loads(done.stdout)
    return report["images_per_second"], report["rows"] / seconds, report["rows"] / cpu, report


def main():
    folder = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    cores = int(sys.argv[3]) if len(sys.argv) > 3 else os.cpu_count()
    files = sorted(os.path.join(top, n) for top, _, names in os.walk(folder) for n in names if n.lower().endswith(ENDINGS))
    theirs, theirs_cpu, loop, whole, cpu = [], [], [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        output = os.path.join(scratch, "catalog.nc")
        ours(folder, cores, output)  # from here on the files are in the page cache
        for _ in range(rounds):
            for series, value in zip((theirs, theirs_cpu), peer(files, cores)):
                series.append(value)
            *rates, report = ours(folder, cores, output)
            for series, value in zip((loop, whole, cpu), rates):
                series.append(value)
    theirs_median, theirs_cpu_median, loop_median, whole_median, cpu_median = map(
        statistics.median, (theirs, theirs_cpu, loop, whole, cpu))
    print(json.dumps({
        "images": len(files), "rejected": report["rejected"], "cores": cores, "rounds": rounds, "pillow": PIL.__version__,
        "pillow_libjpeg_turbo": features.version("libjpeg_turbo"), "pillow_per_core": round(theirs_median / cores, 1),
        "akin_per_core": round(loop_median / cores, 1), "akin_whole_call_per_core": round(whole_median / cores, 1),
        "ratio": round(loop_median / theirs_median, 3), "ratio_whole_call": round(whole_median / theirs_median, 3),
        "pillow_per_cpu_second": round(theirs_cpu_median, 1), "akin_whole_call_per_cpu_second": round(cpu_median, 1),
        "ratio_cpu": round(cpu_median / theirs_cpu_median, 3),
        "ratios": [round(a / b, 3) for a, b in zip(loop, theirs)], "load": os.getloadavg()[0]}))


if __name__ == "__main__":
    main()
