"""The whole job on the demo catalogue: the same bits at 1, 2 and 3 ranks; and one rank that fails, in every stage, ends all."""

import os
import time

from support import SOURCE, akin, assert_same_variables, draw_catalogue, fresh, main

FILES = ["catalog.nc", "model.nc", "embeddings.nc", "table.nc"]
JOB = """[job]
name = pipeline
output = {output}
[ingest]
source = {source}/jobs/demo/catalog.csv
[train]
epochs = 2
features = autoencoder
[neighbors]
k = 10
exclude-same-group = yes
[evaluate]
label = category
[gallery]
enabled = yes
[publish]
to = file:{output}/table.jsonl
"""


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def test_same_bits_at_any_rank_count():
    folder = fresh("ranks")
    for ranks in (1, 2, 3):
        output = os.path.join(folder, f"at-{ranks}")
        done = akin("run", write(output + ".ini", JOB.format(output=output, source=SOURCE)), "--json", ranks=ranks, timeout=300)
        assert done.json["status"] == "ok" and done.json["ranks"] == ranks, done.json
        assert len(done.err.splitlines()) < 60, f"{len(done.err.splitlines())} lines of log"
        for name in FILES:
            assert_same_variables(os.path.join(folder, "at-1", name), os.path.join(output, name))
        with open(os.path.join(folder, "at-1", "table.jsonl")) as a, open(os.path.join(output, "table.jsonl")) as b:
            assert a.read() == b.read()
        assert os.path.getsize(os.path.join(output, "gallery", "index.html")) > 1000


def stages(folder):
    """Each stage with its inputs ready, writing to a name of its own."""
    table = draw_catalogue(os.path.join(folder, "pictures"), 40)
    at = lambda name: os.path.join(folder, name)
    akin("ingest", table, "-o", at("catalog.nc"))
    akin("train", at("catalog.nc"), "-o", at("model.nc"), "--epochs", 1, "--features", "autoencoder")
    akin("embed", at("catalog.nc"), "--model", at("model.nc"), "-o", at("embeddings.nc"))
    akin("neighbors", at("embeddings.nc"), "-o", at("table.nc"), "-k", 5)
    return {
        "ingest": (["ingest", table, "-o", at("out.nc")], "out.nc"),
        "train": (["train", at("catalog.nc"), "-o", at("out.nc"), "--epochs", 1, "--features", "autoencoder"], "out.nc"),
        "embed": (["embed", at("catalog.nc"), "--model", at("model.nc"), "-o", at("out.nc")], "out.nc"),
        "neighbors": (["neighbors", at("embeddings.nc"), "-o", at("out.nc"), "-k", 5], "out.nc"),
        "evaluate": (["evaluate", at("table.nc")], None),
        "publish": (["publish", at("table.nc"), "--to", "file:" + at("out.jsonl")], "out.jsonl"),
        "query": (["query", at("embeddings.nc"), "--id", "item-0003"], None),
        "gallery": (["gallery", at("table.nc"), "--source", table, "-o", at("out")], "out"),
    }


def test_one_failing_rank_ends_all():
    """The n-th allocation of rank 1 of 3 fails: exit 1 with the rank's message within seconds, and no output.
    Every allocation of one of two ranks: long_alloc_faults.py."""
    folder = fresh("failing")
    for name, (words, output) in stages(folder).items():
        failed = 0
        for nth in (1, 3, 8, 21, 55):
            begin = time.monotonic()
            done = akin(*words, ranks=3, expect=None, timeout=60, env={"AKIN_MEM_FAIL_AT": str(nth), "AKIN_MEM_FAIL_RANK": "1"})
            assert time.monotonic() - begin < 20, f"{name}: {time.monotonic() - begin:.0f} s after a failure"
            assert done.code in (0, 1), f"{name}, allocation {nth}: exit {done.code}\n{done.err[-2000:]}"
            if done.code == 1:
                failed += 1
                assert "memory" in done.err, f"{name}, allocation {nth}: {done.err[-2000:]}"
                if output:
                    assert not os.path.exists(os.path.join(folder, output)), f"{name}: a failed run left {output}"
            elif output:
                path = os.path.join(folder, output)
                assert os.path.exists(path), f"{name}: exit 0 without {output}"
                import shutil
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        assert failed >= 2, f"{name}: only {failed} of the injected failures were met"


if __name__ == "__main__":
    main(globals())
