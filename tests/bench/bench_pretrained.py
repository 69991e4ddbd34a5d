"""Measures ingest --network with a real network: EfficientNet-lite0 (network_export.py).

    V/bin/pip install openvino==2026.4.1 netCDF4 pillow      # V: the environment of network_export.py
    AKIN=build/akin V/bin/python tests/bench/bench_pretrained.py MODEL.onnx FOLDER vectors|speed|ranks|precision|rounded

FOLDER contains catalog.csv. vectors: akin's rows against PyTorch's for the same pixels, and against a complete pipeline of Pillow and
PyTorch. speed: the network alone against the same loop in OpenVINO's own Python, decoding alone, and both together, in turns; medians
of CPU time on one core. ranks: two ranks against one. precision: precision@10 of the network, of the default without it and of both
joined, and the share of float32's ten neighbours that bfloat16 keeps (WAYS=all: weights and axes, too). rounded: only that share, for
bfloat16 and int8, and their speed; int8 is QUANTISED=FILE.onnx (network_quantise.py). The group (a photograph's sender) is excluded if
there is one."""

import json
import os
import resource
import statistics
import subprocess
import sys
import time

import netCDF4
import numpy

AKIN = os.environ.get("AKIN", "build/akin")
ALONE = os.path.join(os.path.dirname(AKIN), "tests", "bench_pretrained_alone")
MODEL, FOLDER, WHAT = sys.argv[1:4]
SOURCE = os.path.join(FOLDER, "catalog.csv")
NOTHING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "networks", "any.onnx")
ROUNDS = int(os.environ.get("ROUNDS", "3"))


def akin(*words, ranks=0, log=False):
    done = subprocess.run((["mpirun", "-n", str(ranks)] if ranks else []) + [AKIN, *words, "--json"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return (json.loads(done.stdout), done.stderr) if log else json.loads(done.stdout)


def table(path):
    import csv
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def vectors():
    import torch
    from PIL import Image
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from network_export import Features, MEAN, STD
    few = "few.csv"
    rows = table(SOURCE)[:: max(1, len(table(SOURCE)) // 200)]
    with open(few, "w") as f:
        f.write("id,path\n" + "".join(f"{r['id']},{os.path.abspath(os.path.join(FOLDER, r['path']))}\n" for r in rows))
    akin("ingest", few, "-o", "few.nc", "--network", MODEL)
    with netCDF4.Dataset("few.nc") as d:
        d.set_auto_chartostring(False)
        ids = [bytes(r.tobytes()).rstrip(b"\0").decode() for r in numpy.ma.getdata(d["id"][:])]
        given = numpy.array(d["network"][:])
        side = int(d["network"].network_input.split("x")[0])
    paths = {r["id"]: os.path.join(FOLDER, r["path"]) for r in rows}
    pixels = numpy.stack([numpy.array(Image.open(paths[i]).convert("RGB").resize((side, side), Image.BILINEAR)) for i in ids])
    values = torch.tensor(((pixels / 255 - MEAN) / STD).transpose(0, 3, 1, 2).astype("f4"))
    with torch.no_grad():
        own = Features().eval()(values).numpy()
    unit = lambda v: v / numpy.linalg.norm(v, axis=1, keepdims=True)
    print("pipeline of Pillow and PyTorch: least and mean cosine", (unit(own) * unit(given)).sum(1).min(), (unit(own) * unit(given)).sum(1).mean())
    # The same pixels: lossless pictures of the input's size, so that nothing is resized.
    os.makedirs("exact", exist_ok=True)
    for i, picture in enumerate(pixels):
        Image.fromarray(picture).save(f"exact/{i:04d}.png")
    akin("ingest", "exact", "-o", "exact.nc", "--network", MODEL)
    with netCDF4.Dataset("exact.nc") as d:
        same = numpy.array(d["network"][:])
    print("same pixels: largest difference over the largest value of a vector",
          (abs(same - own).max(1) / abs(own).max(1)).max(), "relative length of the difference",
          (numpy.linalg.norm(same - own, axis=1) / numpy.linalg.norm(own, axis=1)).max())


PINNED = ["taskset", "-c", os.environ.get("CORE", "1")]


def cpu_seconds(words):
    """Of a process, or of all ranks, that runs on one core; others may use the machine, too."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(PINNED + words, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stdout


def loop(precision, batch, seconds):
    """OpenVINO's own Python, the same batch; images in a second of CPU time. In a process of its own."""
    import openvino
    core = openvino.Core()
    model = core.read_model(MODEL)
    shape = [batch] + [d.get_length() for d in list(model.input(0).partial_shape)[1:]]
    model.reshape(shape)
    compiled = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": False,
                                                 "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision]})
    request = compiled.create_infer_request()
    request.infer({0: numpy.random.default_rng(1).normal(size=shape).astype("f4")})
    request.infer()
    begin, count = time.process_time(), 0
    while time.process_time() - begin < seconds:
        request.infer()
        count += batch
    return count / (time.process_time() - begin)


def speed():
    """All in seconds of CPU time, on one core, in turns."""
    found, seconds, images = {}, os.environ.get("SECONDS", "5"), len(table(SOURCE))
    tell = lambda key, value: found.setdefault(key, []).append(value)
    with open("one.csv", "w") as f:
        row = table(SOURCE)[0]
        f.write(f"id,path\n1,{os.path.abspath(os.path.join(FOLDER, row['path']))}\n")
    for _ in range(ROUNDS):
        for name in ("float32", "bfloat16"):
            alone = json.loads(cpu_seconds([ALONE, MODEL, seconds, name])[1])
            tell(f"{name}: akin's network alone", alone["network"])
            tell(f"{name}: OpenVINO's loop in Python", float(cpu_seconds([sys.executable, __file__, MODEL, FOLDER, "loop", name, str(alone["batch"]), seconds])[1]))
            tell(f"{name}: akin's over Python's", found[f"{name}: akin's network alone"][-1] / found[f"{name}: OpenVINO's loop in Python"][-1])
            # Decoding to the network's size is measured as the cost of a network that does almost nothing.
            spent, network = {}, ["--network", MODEL, "--network-precision", name]
            nothing = ["--network", NOTHING, "--network-crop", "none", "--network-size", alone["input"]]
            for what, words in (("plain", []), ("nothing", nothing), ("network", network)):
                start = cpu_seconds([AKIN, "ingest", "one.csv", "-o", "seen.nc", "--quiet", *words])[0]
                spent[what] = cpu_seconds([AKIN, "ingest", SOURCE, "-o", "seen.nc", "--quiet", *words])[0] - start
            tell(f"{name}: decoding to 32x32 alone", images / spent["plain"])
            tell(f"{name}: decoding to 32x32 and the network's size alone", images / spent["nothing"])
            tell(f"{name}: ingest --network", images / spent["network"])
            tell(f"{name}: decoding and network added up, over ingest --network", (spent["nothing"] + images / alone["network"]) / spent["network"])
            tell(f"{name}: start with a network, seconds", start)
    for key, values in found.items():
        print(f"{key}: {statistics.median(values):.3f}  ({', '.join(f'{v:.3f}' for v in values)})")


def ranks():
    """Two ranks against one: wall time, so on a machine that does nothing else."""
    found = {1: [], 2: []}
    for _ in range(ROUNDS):
        for count in found:
            found[count].append(akin("ingest", SOURCE, "-o", "seen.nc", "--network", MODEL, ranks=count)["images_per_second"])
    print({count: [statistics.median(v), v] for count, v in found.items()}, "load", os.getloadavg())


def precision_of(name, label):
    """The same by another column of the table than ingest's category."""
    of = {r["id"]: r[label] for r in table(SOURCE)}
    with netCDF4.Dataset(f"{name}.nc") as d:
        d.set_auto_mask(False)
        d.set_auto_chartostring(False)
        labels = numpy.array([of[r.tobytes().rstrip(b"\0").decode()] for r in d["id"][:]])
        neighbor = d["neighbor"][:, :10]
    return float(((labels[neighbor] == labels[:, None]) & (neighbor >= 0)).mean())


def rounded():
    """What bfloat16 and int8 keep of float32's ten neighbours, by the network's own axes; and pictures in a second of CPU time."""
    excluded = ["--exclude-same-group"] if any(r.get("group") for r in table(SOURCE)) else []
    ways, neighbors, rates = {"float32": MODEL, "bfloat16": MODEL, "int8-if-quantised": os.environ["QUANTISED"]}, {}, {}
    for way, model in ways.items():
        akin("ingest", SOURCE, "-o", "seen.nc", "--network", model, "--network-precision", way)
        akin("train", "seen.nc", "-o", "m.nc", "--features", "network")
        akin("embed", "seen.nc", "--model", "m.nc", "-o", "e.nc")
        akin("neighbors", "e.nc", "-o", "t.nc", "-k", "10", *excluded)
        neighbors[way] = numpy.array(netCDF4.Dataset("t.nc")["neighbor"][:])
        kept = numpy.mean([len(set(a) & set(b)) / 10 for a, b in zip(neighbors["float32"], neighbors[way])])
        recorded = netCDF4.Dataset("seen.nc")["network"].network_precision
        print(f"{way}: recorded {recorded}, keeps {kept:.3f}, precision@10 {akin('evaluate', 't.nc')['precision_at_10']:.3f}", flush=True)
    for _ in range(ROUNDS):
        for way, model in ways.items():
            line = json.loads(cpu_seconds([ALONE, model, os.environ.get("SECONDS", "5"), way])[1])
            rates.setdefault(way, []).append(line["network"])
    for way, values in rates.items():
        print(f"{way}: {statistics.median(values):.0f} images/s ({', '.join(f'{v:.0f}' for v in values)})")


def precision():
    labels = [label for label in ("type", "colour") if label in table(SOURCE)[0]]
    excluded = ["--exclude-same-group"] if any(r.get("group") for r in table(SOURCE)) else []

    def measure(name, catalog, *words):
        akin("train", catalog, "-o", "m.nc", *words)
        akin("embed", catalog, "--model", "m.nc", "-o", "e.nc")
        akin("neighbors", "e.nc", "-o", f"{name}.nc", "-k", "10", *excluded)
        print(name, *words, akin("evaluate", f"{name}.nc")["precision_at_10"], {l: precision_of(name, l) for l in labels}, flush=True)

    akin("ingest", SOURCE, "-o", "plain.nc")
    akin("ingest", SOURCE, "-o", "seen.nc", "--network", MODEL)
    akin("ingest", SOURCE, "-o", "seen16.nc", "--network", MODEL, "--network-precision", "bfloat16")
    measure("network", "seen.nc", "--features", "network")
    measure("network16", "seen16.nc", "--features", "network")
    tables = [numpy.array(netCDF4.Dataset(f"{n}.nc")["neighbor"][:]) for n in ("network", "network16")]
    kept = [len(set(a) & set(b)) / 10 for a, b in zip(*tables)]
    print("bfloat16 keeps of float32's ten neighbours:", numpy.mean(kept), flush=True)
    measure("default", "plain.nc")
    measure("joined", "seen.nc")
    if os.environ.get("WAYS") == "all":
        measure("whole", "seen.nc", "--features", "network", "--dim", "1280")
        measure("white", "seen.nc", "--features", "network", "--whiten", "0.25")
        for weight in (0.5, 1, 2, 4):
            measure(f"joined{weight}", "seen.nc", "--weights", f"network={weight}")


if WHAT == "loop":
    print(loop(sys.argv[4], int(sys.argv[5]), float(sys.argv[6])))
else:
    {"vectors": vectors, "speed": speed, "ranks": ranks, "precision": precision, "rounded": rounded}[WHAT]()
