"""The scripts of slurm/ on a real Slurm: one job, a chain, an array, stages apart; refused, requeued, failed."""

import os
import re
import time

from picture_server import Server, picture
from slurm_cluster import NIGHT, cluster
from support import akin, assert_same_variables, draw_catalogue, fresh

FILES = ["catalog.nc", "model.nc", "embeddings.nc", "table.nc"]
JOB = """[job]
name = {name}
{keep}
[ingest]
source = {catalogue}
[train]
epochs = {epochs}
features = autoencoder
checkpoint-every = 1
[neighbors]
k = 5
[evaluate]
label = category
[publish]
to = file:{name}.jsonl
"""
SIZE = "--nodes=2 --ntasks-per-node=2 --time=10"
SIZES = {"AKIN_NIGHT_SIZE": SIZE, **{f"AKIN_{part}_SIZE": "--nodes=1 --ntasks-per-node=2 --time=10" for part in
                                     ("INGEST", "EMBED", "PUBLISH")}, "AKIN_TRAIN_SIZE": SIZE, "AKIN_NEIGHBORS_SIZE": SIZE}
os.chdir(fresh("slurm"))
CATALOGUE = draw_catalogue("pictures", 60)


def write_job(name, epochs=2, keep="keep = 3", catalogue=CATALOGUE):
    with open(f"{name}.ini", "w") as f:
        f.write(JOB.format(name=name, epochs=epochs, keep=keep, catalogue=catalogue))
    return f"{name}.ini"


def assert_good(name, folder=None):
    for file in FILES:
        assert_same_variables(f"results/whole/{file}", f"{folder or f'results/{name}/latest'}/{file}")


def test_refusals(slurm):
    dry = slurm.submit("--dry-run", write_job("night"), **SIZES)
    assert "nightly.sbatch night.ini --until" not in dry.stdout and "--dependency=singleton" in dry.stdout, dry.stdout
    dry = slurm.submit("--dry-run", "--chain", "night.ini", **SIZES)
    assert len(dry.stdout.splitlines()) == 5 and "not submitted" in dry.stdout and "id\\ of\\ train" in dry.stdout, dry.stdout
    write_job("bad")
    with open("bad.ini", "a") as f:
        f.write("kk = 7\n")
    with open("bad.ini") as f:
        assert f"bad.ini:{len(f.readlines())}: [" in slurm.submit("bad.ini", expect=2).stderr
    assert "absent.csv" in slurm.submit(write_job("absent", catalogue="absent.csv"), expect=1).stderr
    slurm.submit(expect=2)
    assert slurm.command("squeue", "-h").stdout == "" and not os.path.exists("results/night")


def test_one_job(slurm):
    akin("run", write_job("whole", keep=""), "--quiet", ranks=2)
    job = slurm.submit(write_job("night", epochs=2), **SIZES).stdout.split()[0]
    again = slurm.submit("night.ini", expect=1, **SIZES)
    assert f"job {job} (" in again.stderr and "scancel" in again.stderr, again.stderr
    fields = slurm.ended(job)
    assert (fields["JobState"], fields["ExitCode"]) == ("COMPLETED", "0:0"), (fields, slurm.log())
    assert_good("night")
    with open(f"akin-night.{job}.log") as f:
        text = f.read()
    assert "by srun" in text and "run: done" in text and text.count("ranks") < 10, text
    # The date is that of the submission.
    assert os.readlink("results/night/latest") == re.search(r"--night (\S+)", slurm.submit("--dry-run", "night.ini").stdout).group(1)


def test_by_mpirun(slurm):
    job = slurm.submit(write_job("mpirun"), AKIN_LAUNCHER="mpirun", **SIZES).stdout.split()[0]
    assert slurm.ended(job)["JobState"] == "COMPLETED", slurm.log()
    assert_good("mpirun")


def test_a_warning_before_the_time_limit(slurm):
    akin("run", write_job("whole40", epochs=40, keep=""), "--quiet", ranks=2)
    for launcher in ("srun", "mpirun"):
        name = f"limit-{launcher}"
        job = slurm.submit(write_job(name, epochs=40), AKIN_LAUNCHER=launcher, **SIZES).stdout.split()[0]
        slurm.wait_for(lambda: os.path.exists(f"results/{name}") and any("checkpoint" in n for _, _, names in os.walk(f"results/{name}") for n in names),
                       "a checkpoint")
        slurm.command("scancel", "-b", "-s", "USR1", job)  # what --signal=B:USR1 does
        fields = slurm.ended(job)
        assert (fields["JobState"], fields["Restarts"]) == ("COMPLETED", "1"), (fields, slurm.log())
        assert "goes back into the queue" in slurm.log() and "resuming from" in slurm.log(), slurm.log()
        for file in FILES:
            assert_same_variables(f"results/whole40/{file}", f"results/{name}/latest/{file}")
    job = slurm.submit(write_job("bounded", epochs=4000), AKIN_REQUEUES="0", **SIZES).stdout.split()[0]
    slurm.wait_for(lambda: os.path.exists("results/bounded") and any("checkpoint" in n for _, _, names in os.walk("results/bounded") for n in names), "a checkpoint")
    slurm.command("scancel", "-b", "-s", "USR1", job)
    fields = slurm.ended(job)
    assert (fields["JobState"], fields["ExitCode"]) == ("FAILED", "75:0") and "AKIN_REQUEUES" in slurm.log(), slurm.log()


def test_a_chain(slurm):
    ids = [line.split() for line in slurm.submit("--chain", write_job("chain"), **SIZES).stdout.splitlines()]
    assert [part for _, part in ids] == ["ingest", "train", "embed", "neighbors", "publish"], ids
    assert "was submitted" in slurm.submit("--chain", "chain.ini", expect=1, **SIZES).stderr
    for job, _ in ids:
        assert slurm.ended(job)["JobState"] == "COMPLETED", slurm.log()
    assert_good("chain")
    # A part that fails takes what waits for it along, so that the next night is not refused.
    with open("no picture.png", "w") as f:
        f.write("what can only be told by reading it")
    with open("few.csv", "w") as f:
        f.write("id,path\n" + "".join(f"i{i},no picture.png\n" for i in range(9)))
    ids = [line.split()[0] for line in slurm.submit("--chain", write_job("badchain", catalogue="few.csv"), **SIZES).stdout.splitlines()]
    states = [slurm.ended(job)["JobState"] for job in ids]
    assert states == ["FAILED"] + ["CANCELLED"] * 4 and slurm.fields(ids[0])["ExitCode"] == "3:0", (states, slurm.log())
    last = open(f"akin-badchain.{ids[0]}.log").read().splitlines()[-1]
    assert last.startswith("akin: FAILED with exit 3: the input was refused"), last


def test_a_chain_that_fetches_first(slurm):
    """Pictures that are addresses: the first job of the chain brings them into the cache, and no other asks the server."""
    server = Server()
    rows = open(CATALOGUE).read().splitlines()
    with open("addresses.csv", "w") as f:
        f.write(rows[0] + "\n")
        for row in rows[1:]:
            name = row.split(",")[1]
            with open(os.path.join(os.path.dirname(CATALOGUE), name), "rb") as of:
                server.rules[f"/{name}"] = picture(of.read())
            f.write(row.replace(name, f"{server.base}/{name}") + "\n")
    with open(write_job("fetching", catalogue="addresses.csv"), "a") as f:
        f.write("[fetch]\ncache = cache\nallow-private = yes\n")
    fetch = {"AKIN_FETCH_SIZE": "--nodes=1 --ntasks-per-node=2 --time=10"}
    ids = [line.split() for line in slurm.submit("--chain", "fetching.ini", **SIZES, **fetch).stdout.splitlines()]
    assert [part for _, part in ids] == ["fetch", "ingest", "train", "embed", "neighbors", "publish"], ids
    assert slurm.ended(ids[0][0])["JobState"] == "COMPLETED", slurm.log()
    server.stop()  # what would ask it now would fail
    assert len(server.requests()) == len(rows) - 1, len(server.requests())
    for job, _ in ids:
        assert slurm.ended(job)["JobState"] == "COMPLETED", slurm.log()
    assert_good("fetching")


def test_stages_apart_and_arrays(slurm):
    os.makedirs("apart")
    akin("ingest", CATALOGUE, "-o", "apart/catalog.nc", "--quiet")
    small = ["--nodes=2", "--ntasks-per-node=2", "--time=10"]
    train = slurm.sbatch(*small, f"{NIGHT}/train.sbatch", "apart/catalog.nc", "apart/model.nc", "--epochs", "2", "--features", "autoencoder")
    assert slurm.ended(train)["JobState"] == "COMPLETED", slurm.log()
    akin("embed", "apart/catalog.nc", "--model", "apart/model.nc", "-o", "apart/embeddings.nc", "--quiet")
    neighbors = slurm.sbatch(*small, f"{NIGHT}/neighbors.sbatch", "apart/embeddings.nc", "apart/table.nc", "-k", "5")
    assert slurm.ended(neighbors)["JobState"] == "COMPLETED", slurm.log()
    publish = slurm.sbatch("--time=10", f"{NIGHT}/publish.sbatch", "apart/table.nc", "file:apart/a.jsonl", "file:apart/b.csv")
    assert slurm.ended(publish)["JobState"] == "COMPLETED", slurm.log()
    assert_good("apart", "apart")
    assert open("apart/a.jsonl").read() == open("whole.jsonl").read() and os.path.exists("apart/b.csv")
    with open("list", "w") as f:
        f.writelines(f"{write_job(f'shop{i}')}\n" for i in range(3))
    array = slurm.sbatch("--array=1-3%2", "--nodes=1", "--ntasks-per-node=2", "--time=10", f"{NIGHT}/array.sbatch", "list")
    for i in range(3):
        assert slurm.ended(f"{array}_{i + 1}")["JobState"] == "COMPLETED", slurm.log()
        assert_good(f"shop{i}")


if __name__ == "__main__":
    with cluster() as slurm:
        for name, function in list(globals().items()):
            if name.startswith("test_"):
                begin = time.time()
                function(slurm)
                print(f"-- {name} {time.time() - begin:.0f} s", flush=True)
