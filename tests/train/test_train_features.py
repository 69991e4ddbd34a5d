"""Laws of `train --features` and what follows the model: of each kind the same bits of model.nc and embeddings.nc at any
number of ranks; unit vectors that a new picture gets too; catalogues of one, of equal and of flat pictures; what is
refused; a signal; a job from end to end."""

import csv
import json
import os
import shutil
import signal
import subprocess

import netCDF4
import numpy
from PIL import Image

import synthetic
from support import akin, assert_same_variables, command, draw, draw_catalogue, fresh, main, variables

N = 61
# kind: options that train it in little time
KINDS = {
    "pixels-pca": [],
    "handcrafted": [],
    "patches": [],
    "manifold": [],
    "fused": ["--steps", 2, "--batch", 32],
    "autoencoder": ["--objective", "reconstruction", "--epochs", 2, "--batch", 32],
    "maps": ["--steps", 2, "--batch", 32],
}
folder = fresh("train_features")
os.chdir(folder)
draw_catalogue("things", N)
akin("ingest", "things/catalog.csv", "-o", "things.nc")


def train(kind, output, *words, **how):
    return akin("train", how.pop("catalog", "things.nc"), "-o", output, "--features", kind, *KINDS[kind], *words, **how)


def read(path, name):
    with netCDF4.Dataset(path) as d:
        d.set_auto_maskandscale(False)
        return d[name][...]


def attribute(path, name):
    with netCDF4.Dataset(path) as d:
        return getattr(d, name, None)


def make_catalogue(name, pictures):
    """A catalogue of Pillow pictures, in their order."""
    path = fresh(name)
    with open(os.path.join(path, "catalog.csv"), "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(["id", "path"])
        for i, picture in enumerate(pictures):
            picture.save(os.path.join(path, f"{i}.png"))
            w.writerow([f"i{i:03d}", f"{i}.png"])
    akin("ingest", os.path.join(path, "catalog.csv"), "-o", f"{name}.nc")
    return f"{name}.nc"


def test_same_bits_at_any_number_of_ranks():
    """Each kind at three ranks; at two what has all parts, at four a network."""
    for kind in KINDS:
        train(kind, f"{kind}.nc")
        assert attribute(f"{kind}.nc", "features") == kind
        akin("embed", "things.nc", "--model", f"{kind}.nc", "-o", f"{kind}.e.nc")
        for ranks in {"fused": (2, 3), "autoencoder": (4, 3)}.get(kind, (3,)):
            train(kind, "many.nc", ranks=ranks)
            assert_same_variables(f"{kind}.nc", "many.nc")
            assert attribute("many.nc", "content_digest") == attribute(f"{kind}.nc", "content_digest")
        akin("embed", "things.nc", "--model", "many.nc", "-o", "many.e.nc", ranks=3)
        assert_same_variables(f"{kind}.e.nc", "many.e.nc")


def test_several_blocks_of_rows():
    draw_catalogue("more", 300)
    akin("ingest", "more/catalog.csv", "-o", "more.nc", ranks=2)
    train("fused", "one.nc", catalog="more.nc")
    train("fused", "many.nc", catalog="more.nc", ranks=3)
    assert_same_variables("one.nc", "many.nc")


def test_same_bits_with_a_map_that_labels_teach():
    """Of parts that no network is trained for, and few columns, so that few pictures teach a map; of weights that leave it much."""
    synthetic.write("taught", 400, 1)
    akin("ingest", "taught/catalog.csv", "-o", "taught.nc")
    words = ("taught.nc", "-o", "{}", "--weights", "maps=0,manifold=0,texture=2,shape=0.5", "--dim", 64)
    said = akin("train", *(w if w != "{}" else "one.nc" for w in words), "--json").json
    assert said["weights_chosen_by"] == "category" and ": it is used" in said["weights_chosen"], said
    akin("embed", "taught.nc", "--model", "one.nc", "-o", "one.e.nc")
    for ranks in (2, 3):
        akin("train", *(w if w != "{}" else "many.nc" for w in words), ranks=ranks)
        assert_same_variables("one.nc", "many.nc")
        akin("embed", "taught.nc", "--model", "many.nc", "-o", "many.e.nc", ranks=ranks)
        assert_same_variables("one.e.nc", "many.e.nc")


def test_what_moves_hardly_counts():
    """Pictures and the same, moved by a pixel or mirrored: nearer with the steady axes of `shape` than with `edges`."""
    some = [Image.open(f"things/p{i}.png").convert("RGB").resize((32, 32)) for i in range(40)]
    views = [p.transpose(Image.FLIP_LEFT_RIGHT) if i % 2 else p.transform((32, 32), Image.AFFINE, (1, 0, 1, 0, 1, 1))
             for i, p in enumerate(some)]
    catalogue = make_catalogue("moved", some + views)
    cosine = {}
    for part in ("shape", "edges"):
        train("fused", "part.nc", "--weights", f"shape=0,{part}=1,foreground=0,texture=0,maps=0,manifold=0", catalog="things.nc")
        akin("embed", catalogue, "--model", "part.nc", "-o", "part.e.nc")
        x = read("part.e.nc", "embedding").astype(numpy.float64)
        cosine[part] = (x[:40] * x[40:]).sum(1).mean() - (x[:40] * numpy.roll(x[40:], 1, 0)).sum(1).mean()
    assert cosine["shape"] > cosine["edges"] + 0.02, cosine


def test_vectors_are_unit_and_follow_the_model():
    for kind in KINDS:
        j = akin("embed", "things.nc", "--model", f"{kind}.nc", "-o", "e.nc", "--json", ranks=2).json
        x = read("e.nc", "embedding").astype(numpy.float64)
        assert x.shape == (N, j["dim"]) and j["dim"] <= 128, j
        assert abs((x ** 2).sum(1) - 1).max() < 1e-6
        # A vector is a function of picture and model alone: of another batch, taken from another night.
        akin("embed", "few.nc", "--model", f"{kind}.nc", "-o", "few.e.nc")
        assert (read("few.e.nc", "embedding") == read("e.nc", "embedding")[10:15]).all(), kind
        akin("embed", "few.nc", "--model", f"{kind}.nc", "--previous", "e.nc", "-o", "kept.nc")
        assert_same_variables("few.e.nc", "kept.nc")
        report = json.loads(akin("inspect", f"{kind}.nc", "--json").out)
        assert report["features"] == kind and report["steps"] == {"autoencoder": 4, "maps": 2, "fused": 2}.get(kind, 0)


def test_a_picture_of_the_catalogue_finds_itself():
    for kind in KINDS:
        for item, ranks in ((7, 0), (33, 3)):
            out = akin("query", f"{kind}.e.nc", "--image", f"things/p{item}.png", "--model", f"{kind}.nc", "-k", 3, ranks=ranks).out
            found, score = out.splitlines()[0].split("\t")
            assert found == f"item-{item:04d}" and abs(float(score) - 1) < 1e-5, (kind, out)
        akin("query", f"{kind}.e.nc", "--image", "things/p7.png", "--model",
             "handcrafted.nc" if kind != "handcrafted" else "autoencoder.nc", expect=3)


def principal(x, dim, power):
    """Rows x on the first axes of their covariance, each divided by eigenvalue^power, in numpy."""
    turned, lengths, _ = numpy.linalg.svd(x - x.mean(0), full_matrices=False)
    return turned[:, :dim] * lengths[:dim] * (lengths[:dim] ** 2 / len(x)) ** -power


def cosines(x):
    x = x / numpy.linalg.norm(x, axis=1, keepdims=True)
    return x @ x.T


def test_pixels_are_projected_as_numpy_does():
    x = read("things.nc", "image").reshape(N, -1).astype(numpy.float64) / 255
    for dim, power in ((20, 0), (20, 0.25), (10, 0.5)):
        train("pixels-pca", "p.nc", "--dim", dim, "--whiten", power)
        akin("embed", "things.nc", "--model", "p.nc", "-o", "p.e.nc", ranks=2)
        mine = read("p.e.nc", "embedding").astype(numpy.float64)
        assert mine.shape == (N, dim)
        assert abs(mine @ mine.T - cosines(principal(x, dim, power))).max() < 1e-4, (dim, power)


def test_the_latent_is_centred_or_whitened():
    train("autoencoder", "plain.nc", "--whiten", 0)
    train("autoencoder", "white.nc", "--whiten", 0.5)
    assert "latent_axes" not in variables("plain.nc") and variables("plain.nc")["latent_mean"] == variables("white.nc")["latent_mean"]
    akin("embed", "things.nc", "--model", "plain.nc", "-o", "plain.e.nc")
    akin("embed", "things.nc", "--model", "white.nc", "-o", "white.e.nc")
    axes, values = read("white.nc", "latent_axes").astype(numpy.float64), read("white.nc", "latent_eigenvalue")
    assert axes.shape == (32, 32) and (values[:-1] >= values[1:]).all()
    alive = values >= 1e-6 * values[0]
    turned = axes[:, alive] * values[alive] ** 0.5
    assert abs(turned.T @ turned - numpy.eye(alive.sum())).max() < 1e-4  # eigenvectors are orthonormal
    # On its axes a centred vector has the same direction as before, up to their scale.
    plain = read("plain.e.nc", "embedding").astype(numpy.float64) @ axes
    white = read("white.e.nc", "embedding").astype(numpy.float64)
    assert abs(plain / numpy.linalg.norm(plain, axis=1, keepdims=True) - white).max() < 1e-4
    train("autoencoder", "small.nc", "--dim", 8)
    assert akin("embed", "things.nc", "--model", "small.nc", "-o", "small.e.nc", "--json").json["dim"] == 8


def test_small_and_flat_catalogues():
    flat = [Image.new("RGB", (32, 32), c) for c in ((0, 0, 0), (255, 255, 255), (90, 90, 90), (200, 10, 10))]
    catalogues = [make_catalogue("single", flat[3:]), make_catalogue("equal", flat[2:3] * 5), make_catalogue("flat", flat),
                  make_catalogue("grey", [Image.open(f"things/p{i}.png").convert("L") for i in range(6)])]
    for kind in KINDS:
        for catalogue in catalogues:
            train(kind, "tiny.nc", catalog=catalogue, ranks=3 if catalogue == "flat.nc" else 0)
            akin("embed", catalogue, "--model", "tiny.nc", "-o", "tiny.e.nc", ranks=2 if catalogue == "single.nc" else 0)
            x = read("tiny.e.nc", "embedding").astype(numpy.float64)
            assert numpy.isfinite(x).all() and abs((x ** 2).sum(1) - 1).max() < 1e-6, (kind, catalogue)
            if catalogue in ("single.nc", "equal.nc"):
                assert (x[:, 0] == 1).all() and (x[:, 1:] == 0).all(), (kind, catalogue)


def test_refusals():
    refused = [(["--features", "dreams"], "dreams"), (["--features", "autoencoder", "--dim", 33], "at most 32"),
               (["--features", "autoencoder", "--weights", "latent=1"], "one part"),
               (["--features", "handcrafted", "--weights", "smell=1"], "smell"),
               (["--features", "pixels-pca", "--init", "autoencoder.nc"], "--init"),
               (["--features", "pixels-pca", "--whiten", 2], "whiten")]
    for words, says in refused:
        done = akin("train", "things.nc", "-o", "refused.nc", *words, expect=2, ranks=2)
        assert says in done.err and not os.path.exists("refused.nc"), (words, done.err)
    done = akin("train", "things.nc", "-o", "refused.nc", "--features", "autoencoder", "--init", "handcrafted.nc", expect=3)
    assert "handcrafted.nc" in done.err and not os.path.exists("refused.nc")
    # An objective without a network is reported to have no effect, once.
    said = train("pixels-pca", "p.nc", "--objective", "reconstruction", "--epochs", 3).err
    assert "--objective reconstruction has no effect" in said and "the features pixels-pca need no network: --epochs has no effect" in said
    assert "no effect" not in train("pixels-pca", "p.nc", "--batch", 256).err  # the default
    said = akin("train", "things.nc", "-o", "p.nc", "--objective", "denoising", "--contrast", 0.1, "--augment", 2, "--epochs", 1).err
    assert "--contrast has no effect with --objective denoising" in said and "--augment" not in said
    # The features are fused whatever the options of the network's training, since they include the network.
    akin("train", "things.nc", "-o", "named.nc", "--objective", "reconstruction", "--epochs", 1)
    assert attribute("named.nc", "features") == "fused" and attribute("named.nc", "objective") == "reconstruction"
    akin("train", "things.nc", "-o", "warm.nc", "--init", "named.nc", "--epochs", 1)
    assert attribute("warm.nc", "features") == "fused" and attribute("warm.nc", "objective") == "contrastive"


def test_a_signal_ends_a_fit():
    """Sent as soon as there is any output: 75 and no model, or the run was already complete."""
    for after in (0.05, 0.15, 0.3):
        if os.path.exists("stopped.nc"):
            os.remove("stopped.nc")
        run = subprocess.Popen(command(["train", "things.nc", "-o", "stopped.nc", "--features", "handcrafted"], 0),
                               stderr=subprocess.PIPE, text=True)
        try:
            run.wait(after)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGTERM)
        err = run.communicate(timeout=60)[1]
        # Before its handlers stand, a signal ends the process as it ends any other.
        assert run.returncode in (0, 75, -signal.SIGTERM), (run.returncode, err)
        assert os.path.exists("stopped.nc") == (run.returncode == 0)
    train("handcrafted", "stopped.nc")
    assert_same_variables("stopped.nc", "handcrafted.nc")


def test_a_job_from_end_to_end():
    shutil.rmtree("results", ignore_errors=True)
    with open("job.ini", "w") as f:
        f.write("[job]\nname = plain\n[ingest]\nsource = things/catalog.csv\n[train]\nfeatures = handcrafted\nweights = texture=1\n"
                "[neighbors]\nk = 5\n[evaluate]\nlabel = category\n[gallery]\nenabled = yes\n")
    akin("run", "job.ini", ranks=2)
    first = os.stat("results/plain/model.nc").st_mtime_ns
    report = json.load(open("results/plain/metrics.json"))
    assert report["train"]["epochs"] == 0 and report["train"]["steps"] == 0 and report["train"]["loss_last"] is None
    assert report["train"]["images_per_second"] > 0
    assert not os.path.exists("results/plain/gallery/strip.jpg")
    akin("run", "job.ini", ranks=3)
    assert os.stat("results/plain/model.nc").st_mtime_ns == first  # it fits
    with open("job.ini") as f:
        text = f.read()
    with open("job.ini", "w") as f:
        f.write(text.replace("texture=1", "texture=0.9"))
    akin("run", "job.ini", ranks=2)
    assert os.stat("results/plain/model.nc").st_mtime_ns != first


def make_few():
    """Five of the pictures, as a catalogue of their own."""
    os.makedirs("few", exist_ok=True)
    with open("things/catalog.csv") as f:
        rows = list(csv.reader(f))
    with open("few.csv", "w", newline="") as f:
        csv.writer(f).writerows([rows[0], *rows[11:16]])
    akin("ingest", "few.csv", "--root", "things", "-o", "few.nc")


make_few()

main(globals())
