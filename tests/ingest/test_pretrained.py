"""ingest --network: a network's output, computed by hand; the pictures that it sees, pixel by pixel; the same bits at any rank
count, after kill and resume, and from the catalogue before; and everything that is refused.

In a build without OpenVINO the test is that the option is refused, with what to install."""

import glob
import json
import os
import shutil
import signal
import subprocess
import time

import netCDF4
import numpy
from PIL import Image, ImageOps

from support import SOURCE, akin, assert_same_variables, command, draw_catalogue, fresh, kill_ranks, main

NETWORKS = os.path.join(SOURCE, "tests", "fixtures", "networks")
W = numpy.array(json.load(open(os.path.join(NETWORKS, "weights.json"))))
MEAN, STD = numpy.array([0.485, 0.456, 0.406]), numpy.array([0.229, 0.224, 0.225])
WHOLE = ("--network-crop", "none")


def network(name):
    return os.path.join(NETWORKS, name + ".onnx")


def runtime():
    """Whether this build has one; where it has none, that it says so."""
    done = akin("ingest", draw_catalogue(fresh("probe"), 1), "-o", "probe.nc", "--network", network("mean"), expect=None)
    if done.code == 0:
        return True
    assert done.code == 2 and "packages.sh network" in done.err, done.err
    assert not os.path.exists("probe.nc"), "refused, and yet written"
    return False


HERE = runtime()


def rows(path):
    with netCDF4.Dataset(path) as d:
        assert d["network"].dimensions == ("item", "network_feature") and d["network"].dtype == numpy.float32
        return numpy.array(d["network"][...]), {name: d["network"].getncattr(name) for name in d["network"].ncattrs()}


def see(source, name, *words, **more):
    akin("ingest", source, "-o", "seen.nc", "--network", network(name) if os.sep not in name else name, *words, **more)
    return rows("seen.nc")


def test_what_a_network_gives():
    if not HERE:
        return
    source = draw_catalogue(fresh("given"), 6)
    expected = []
    for i in range(6):
        picture = Image.open(f"given/p{i}.png").convert("RGB").resize((32, 32), Image.BILINEAR)
        expected.append(W @ ((numpy.array(picture, float) / 255 - MEAN) / STD).mean(axis=(0, 1)))
    expected = numpy.array(expected)
    for name, factor, words, said in [
        ("mean", 1, (), "vector: as it is"), ("fixed", 1, (), "as it is"), ("nhwc", 1, (), "as it is"), ("half", 1, (), "as it is"),
        ("maps", 1, (), "maps: mean over the places"), ("grid", 1, (), "tokens: mean of its tokens"),
        ("class", 2, (), "class token"), ("two", 3, (), "pooler_output: as it is"),
        ("two", 2, ("--network-output", "last_hidden_state"), "last_hidden_state: its class token"),
        ("names", 4, ("--network-output", "right"), "right: as it is"),
        ("any", 1, ("--network-size", "32x32"), "as it is"),
    ]:
        given, facts = see(source, name, *WHOLE, *words)
        limit = 0.02 if name == "half" else 0.01  # pictures are rounded to whole values, once or twice
        assert given.shape == (6, 8) and abs(given - factor * expected).max() < limit * factor, (name, abs(given - factor * expected).max())
        assert said in facts["network_output"], facts
        assert facts["network_input"] == "32x32" and len(facts["network_digest"]) == 32 and "0.485" in facts["network_normalisation"], facts


def test_what_it_sees_of_a_withdrawn_item_is_black():
    """Not the picture before it."""
    if not HERE:
        return
    draw_catalogue(fresh("withdrawn"), 3)
    with open("withdrawn/some.csv", "w") as f:
        f.write("id,path,available\n" + "".join(f"i{i}a,p{i}.png,yes\ni{i}b,gone.png,no\n" for i in range(3)))
    for ranks in (1, 3):
        given, _ = see("withdrawn/some.csv", "mean", "--withdrawals", *WHOLE, ranks=ranks)
        black = abs(given - W @ (-MEAN / STD)).max(axis=1) < 0.01
        assert black.tolist() == [False, True] * 3, (ranks, given)


def shown(picture, resize, crop, resample):
    """As Hugging Face's image processors do it: a number is the shorter side."""
    width, height = picture.size
    short = min(width, height)
    size = resize if isinstance(resize, tuple) else (width * resize // short, height * resize // short)
    picture = picture.resize(size, resample)
    left, top = (size[0] - crop) // 2, (size[1] - crop) // 2
    return numpy.array(picture.crop((left, top, left + crop, top + crop)), int)  # beyond the picture: black


def values(given):
    return numpy.rint((given.reshape(-1, 3, 16, 16).transpose(0, 2, 3, 1) * STD + MEAN) * 255).astype(int)


def test_the_picture_that_it_sees():
    if not HERE:
        return
    folder = fresh("shapes")
    random = numpy.random.default_rng(3)
    smooth = Image.fromarray(random.integers(0, 256, (9, 7, 3), dtype=numpy.uint8))
    for name, size in [("wide", (90, 41)), ("high", (33, 120)), ("small", (11, 13))]:
        smooth.resize(size, Image.BICUBIC).save(os.path.join(folder, name + ".png"))
    names = sorted(os.listdir(folder))
    pictures = [Image.open(os.path.join(folder, name)).convert("RGB") for name in names]
    model = os.path.join(fresh("pixels"), "m.onnx")
    shutil.copy(network("pixels"), model)
    for config, resize in [
        (None, 18), ({"size": {"shortest_edge": 20}, "crop_size": 16, "do_center_crop": True, "resample": 3}, 20),
        ({"size": 19, "crop_size": {"height": 16, "width": 16}, "do_center_crop": True, "resample": 2}, 19),
        ({"size": {"height": 16, "width": 16}, "resample": 1}, (16, 16)), ({"size": 16, "resample": 5}, (16, 16)),
        ({"size": {"height": 16, "width": 16}, "resample": 4}, (16, 16)), ({"size": {"height": 16, "width": 16}, "resample": 0}, (16, 16)),
        ({"size": {"height": 12, "width": 20}, "crop_size": 16, "do_center_crop": True, "resample": 2}, (20, 12)),
    ]:
        path = "pixels/preprocessor_config.json"
        if os.path.exists(path):
            os.remove(path)
        if config:
            json.dump({**config, "image_mean": MEAN.tolist(), "image_std": STD.tolist()}, open(path, "w"))
        given, facts = see(folder, model)
        filter_ = (config or {}).get("resample", 2)
        expected = numpy.array([shown(picture, resize, 16, filter_) for picture in pictures])
        worst = abs(values(given) - expected).max()
        mean = abs(values(given) - expected).mean()
        assert worst <= 2 and mean < 0.2, (config, facts["network_picture"], worst, mean)  # Pillow rounds once more, between its two passes
    os.remove(path)
    bare, _ = see(folder, model, "--network-size", "18", "--network-crop", "16", "--network-mean", "0", "--network-std", "1")
    assert 0 <= bare.min() and bare.max() <= 1


def test_turned_pictures_and_reduced_jpegs():
    if not HERE:
        return
    folder = fresh("turned")
    random = numpy.random.default_rng(4)
    upright = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=numpy.uint8)).resize((173, 131), Image.BICUBIC)
    for turn in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = turn
        stored = upright.transpose({2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[turn]) if turn > 1 else upright
        stored.save(os.path.join(folder, f"t{turn}.jpg"), quality=95, exif=exif)
    upright.resize((1730, 1310), Image.BICUBIC).save(os.path.join(folder, "t9.jpg"), quality=95)  # decoded to a fraction
    given, _ = see(folder, "pixels")
    seen = values(given)
    for turn in range(1, 10):
        picture = ImageOps.exif_transpose(Image.open(os.path.join(folder, f"t{turn}.jpg"))).convert("RGB")
        error = abs(seen[turn - 1] - shown(picture, 18, 16, Image.BILINEAR))
        assert error.mean() < 1.5 and error.max() <= 12, (turn, error.mean(), error.max())


def test_the_same_bits_at_any_rank_count():
    if not HERE:
        return
    source = draw_catalogue(fresh("ranks"), 23)
    left = set(glob.glob("*.checkpoint*"))  # of another test
    for words, name in [(("--network-size", "48"), "conv"), (WHOLE, "maps")]:
        words = (*words, "--network-crop", "40") if name == "conv" else words
        for ranks in (1, 2, 3, 4):
            akin("ingest", source, "-o", f"r{ranks}.nc", "--network", network(name), *words, ranks=ranks)
            assert_same_variables("r1.nc", f"r{ranks}.nc")
    few = draw_catalogue(fresh("few"), 2)
    for ranks in (0, 4):
        akin("ingest", few, "-o", f"f{ranks}.nc", "--network", network("mean"), *WHOLE, ranks=ranks)
    assert_same_variables("f0.nc", "f4.nc")
    assert set(glob.glob("*.checkpoint*")) <= left, "what was kept for a run that goes on is left behind"


SLOW = ("--network-size", "900x900", *WHOLE, "--checkpoint-every", "0")


def stop_when_it_has(pictures, number, source, output, ranks, *words):
    """Starts ingest, sends the signal once so many records are saved; its exit code."""
    process = subprocess.Popen(command(["ingest", source, "-o", output, "--network", network("conv"), *SLOW, *words], ranks),
                               stderr=subprocess.PIPE)
    record, end = 16 + 3072 + 24 * 4, time.time() + 60
    saved = lambda: sum(max(0, os.path.getsize(p) - 32) // record for p in glob.glob(output + ".checkpoint.*"))
    while saved() < pictures and process.poll() is None and time.time() < end:
        time.sleep(0.01)
    kill_ranks(process) if number == signal.SIGKILL else process.send_signal(number)
    process.communicate(timeout=60)
    return process.returncode


def test_killed_and_gone_on_with():
    if not HERE:
        return
    source = draw_catalogue(fresh("slow"), 60)
    akin("ingest", source, "-o", "whole.nc", "--network", network("conv"), *SLOW, ranks=2)
    for number, ranks, then, expected in [(signal.SIGTERM, 0, 3, 75), (signal.SIGKILL, 0, 2, -9), (signal.SIGKILL, 3, 1, None)]:
        code = stop_when_it_has(8, number, source, "cut.nc", ranks)
        assert expected in (None, code), code
        assert not os.path.exists("cut.nc"), "it was done before it was stopped: too quick for this test"
        for path in sorted(glob.glob("cut.nc.checkpoint.*"))[:1]:  # a record that is cut short is none
            with open(path, "ab") as f:
                f.write(b"half a record")
        done = akin("ingest", source, "-o", "cut.nc", "--network", network("conv"), *SLOW, ranks=then)
        assert "continuing from cut.nc.checkpoint" in done.err, done.err
        assert_same_variables("whole.nc", "cut.nc")
        assert not glob.glob("cut.nc.checkpoint*")
        os.remove("cut.nc")


def test_a_checkpoint_that_does_not_fit():
    if not HERE:
        return
    source = draw_catalogue(fresh("other"), 60)
    assert stop_when_it_has(4, signal.SIGTERM, source, "one.nc", 0) == 75
    kept = sorted(glob.glob("one.nc.checkpoint.*"))
    done = akin("ingest", source, "-o", "one.nc", "--network", network("mean"), "--checkpoint", "one.nc.checkpoint", *WHOLE, expect=3, ranks=2)
    assert "another network" in done.err and sorted(glob.glob("one.nc.checkpoint.*")) == kept
    done = akin("ingest", source, "-o", "one.nc", "--network", network("mean"), *WHOLE)
    assert "starting over" in done.err and not glob.glob("one.nc.checkpoint.*")
    akin("ingest", source, "-o", "two.nc", "--network", network("mean"), *WHOLE)
    assert_same_variables("one.nc", "two.nc")


def test_the_catalogue_before():
    if not HERE:
        return
    source = draw_catalogue(fresh("nights"), 12)
    see_it = lambda output, *words, **more: akin("ingest", source, "-o", output, "--json", *words, **more)
    before = ("--network", network("conv"), "--network-size", "32x32", *WHOLE)
    see_it("before.nc", *before)
    shutil.copy("nights/p3.png", "nights/p4.png")
    fresh("elsewhere")
    same = shutil.copy(network("conv"), "elsewhere/renamed.onnx")
    for ranks in (0, 3):
        done = see_it("now.nc", "--network", same, *before[2:], "--previous", "before.nc", ranks=ranks)
        assert done.json["reused"] == 12, done.json  # p4 is a picture that p3 was
        see_it("anew.nc", *before)
        assert_same_variables("now.nc", "anew.nc")
    for other in (("--network", network("mean"), *WHOLE), (), (*before[:2], "--network-size", "40x40", *WHOLE), (*before, "--network-mean", "0.5")):
        done = see_it("other.nc", *other, "--previous", "before.nc")
        assert done.json["reused"] == 0 and "another network" in done.err, done.err
    assert "network" not in netCDF4.Dataset("other.nc").variables or other


def test_refused():
    if not HERE:
        return
    source = draw_catalogue(fresh("refused"), 2)
    for name, words, code, said in [
        ("text", WHOLE, 3, ["input_ids [?, 77]", "one input"]), ("grey", WHOLE, 3, ["[?, 1, 32, 32]", "three channels"]),
        ("whole", WHOLE, 3, ["floating-point"]), ("scalar", WHOLE, 3, ["has the shape", "[batch, features]"]),
        ("operator", WHOLE, 3, ["Frobnicate"]), ("cut", WHOLE, 3, ["cut.onnx", "cannot be read"]), ("words", WHOLE, 3, ["cannot be read"]),
        ("nan", WHOLE, 3, ["not finite"]), ("names", WHOLE, 3, ["left [?, 8], right [?, 8]", "--network-output"]),
        ("mean", (*WHOLE, "--network-output", "no"), 3, ["vector [?, 8]", "names none"]),
        ("any", (), 3, ["any size", "--network-crop"]), ("mean", ("--network-crop", "24"), 3, ["32x32", "24x24"]),
        ("mean", ("--network-size", "huge"), 2, ["--network-size huge"]), ("mean", ("--network-crop", "0"), 2, ["--network-crop 0"]),
        ("mean", ("--network-mean", "1,2"), 2, ["--network-mean 1,2"]), ("mean", ("--network-std", "0"), 2, ["--network-std 0"]),
        ("mean", ("--network-output", "a b"), 2, ["without blanks"]), ("gone", WHOLE, 1, ["gone.onnx"]),
        ("weights.json", (), 2, [".onnx"]),
    ]:
        path = network(name) if "." not in name else os.path.join(NETWORKS, name)
        for ranks in (0, 3) if code != 2 else (0,):
            done = akin("ingest", source, "-o", "no.nc", "--network", path, *words, expect=code, ranks=ranks)
            for word in said:
                assert word in done.err, (name, word, done.err)
            assert not os.path.exists("no.nc")
    assert "--network-size belongs to --network" in akin("ingest", source, "-o", "no.nc", "--network-size", "32", expect=2).err
    for text, said in [("{", "preprocessor_config.json"), ('{"resample": 9}', "resample"), ('{"image_std": [0, 1, 1]}', "image_std"),
                       ('{"size": {"longest_edge": 3}}', "longest_edge"), ('{"image_mean": [1, 2]}', "image_mean")]:
        folder = fresh("config")
        model = shutil.copy(network("mean"), os.path.join(folder, "m.onnx"))
        with open(os.path.join(folder, "preprocessor_config.json"), "w") as f:
            f.write(text)
        assert said in akin("ingest", source, "-o", "no.nc", "--network", model, expect=3).err


def test_precisions():
    if not HERE:
        return
    source = draw_catalogue(fresh("precise"), 5)
    exact, _ = see(source, "conv", "--network-size", "64x64", *WHOLE)
    near, facts = see(source, "conv", "--network-size", "64x64", *WHOLE, "--network-precision", "bfloat16")
    assert facts["network_precision"] in ("bfloat16", "float32") and abs(near - exact).max() < 0.05 * abs(exact).max()
    same, facts = see(source, "conv", "--network-size", "64x64", *WHOLE, "--network-precision", "int8-if-quantised")
    assert facts["network_precision"] == "float32" and (same == exact).all()  # it is not quantised
    least, facts = see(source, "conv", "--network-size", "64x64", *WHOLE, env={"ONEDNN_MAX_CPU_ISA": "AVX2"})
    assert facts["network_instructions"] in ("AVX2", "SSE41") and abs(least - exact).max() < 1e-4 * abs(exact).max()


def test_a_quantised_network():
    if not HERE:
        return
    source = draw_catalogue(fresh("quantised"), 13)
    size = ("--network-size", "64x64", *WHOLE)
    exact, _ = see(source, "conv", *size)
    error = lambda vectors: abs(vectors - exact).max() / abs(exact).max()
    plain, facts = see(source, "int8", *size)  # as rounded as its weights, but counted in float
    assert facts["network_precision"] == "float32" and 0 < error(plain) < 0.1, (facts, error(plain))
    for ranks in (1, 2, 3):
        akin("ingest", source, "-o", f"q{ranks}.nc", "--network", network("int8"), *size, "--network-precision", "int8-if-quantised", ranks=ranks)
        assert_same_variables("q1.nc", f"q{ranks}.nc")
    whole, facts = rows("q1.nc")
    assert facts["network_precision"] == "int8" and "precision=int8-if-quantised" in facts["network_request"], facts
    assert 0 < error(whole) < 0.15 and (whole != plain).any(), error(whole)  # without VNNI's instructions sums of two products saturate
    unit = lambda v: v / numpy.linalg.norm(v, axis=1, keepdims=True)
    assert (unit(whole) * unit(exact)).sum(axis=1).min() > 0.99


def test_a_job():
    if not HERE:
        return
    source = draw_catalogue(fresh("job"), 12)
    job = lambda model: open("n.ini", "w").write(
        f"[job]\nname = n\noutput = out\n[ingest]\nsource = {source}\nnetwork = {model}\nnetwork-crop = none\n"
        "[train]\nfeatures = handcrafted\n[neighbors]\nk = 3\n")
    job(network("mean"))
    akin("run", "n.ini")
    first = os.stat("out/catalog.nc").st_mtime_ns
    akin("run", "n.ini")
    assert os.stat("out/catalog.nc").st_mtime_ns == first, "the stage was done"
    job(network("maps"))
    akin("run", "n.ini")
    assert os.stat("out/catalog.nc").st_mtime_ns != first and "maps" in rows("out/catalog.nc")[1]["network_output"]
    job(network("gone"))
    assert akin("run", "n.ini", expect=None).code in (1, 2)


main(globals())
