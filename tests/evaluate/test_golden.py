"""What evaluate reports about hubs and approved lists equals a count from the table; publish refuses by it."""

import os

import numpy as np

from support import akin, draw_catalogue, fresh, main
from tables import OPEN, lists_of, make_table

os.chdir(fresh("golden"))
N, K = 230, 5
IDS = [f"i{i:03d}" for i in range(N)]
VECTORS = np.random.default_rng(4).standard_normal((N, 6)).astype(np.float32)
VECTORS[:, 0] += np.linspace(0, 4, N)  # some items are in many lists
make_table("t.nc", VECTORS, IDS, K)
LISTS = {i: [n for n, _ in near] for i, near in lists_of("t.nc").items()}


def write(name, rows):
    with open(name, "w") as f:
        f.write("".join(row + "\n" for row in rows))


def test_hubs():
    times = {i: 0 for i in IDS}
    for near in LISTS.values():
        for n in near:
            times[n] += 1
    ordered = sorted(times.values(), reverse=True)
    share = sum(ordered[: (N + 99) // 100]) / sum(ordered)
    for ranks in (0, 2, 3):
        j = akin("evaluate", "t.nc", "--json", ranks=ranks).json
        assert abs(j["hub_share"] - share) < 1e-12 and 0.02 < share < 1, (j, share)
        assert j["never_recommended"] == sum(t == 0 for t in ordered) > 0
        assert j["at_most_once"] == sum(t <= 1 for t in ordered)
        assert "golden" not in j
    told = akin("evaluate", "t.nc").out
    assert "hub_share" in told and "never_recommended" in told and "at_most_once" in told


def pairs():
    """Half of the items with two right pairs, one of them twice; five with one right and two wrong."""
    rows, right, wrong = [], 0, 0
    for i in IDS[:100]:
        rows += [f"{i},{LISTS[i][0]}", f"{i},{LISTS[i][K - 1]}", f"{i},{LISTS[i][0]}"]
        right += 2
    for i in IDS[100:105]:
        others = [j for j in IDS if j != i and j not in LISTS[i]][:2]
        rows += [f"{i},{LISTS[i][1]}", *(f"{i},{j}" for j in others)]
        right, wrong = right + 1, wrong + 2
    return rows, right, right + wrong


def test_approved_lists():
    rows, right, count = pairs()
    write("g.csv", ["id,neighbor", *rows, f"gone,{IDS[0]}", f"{IDS[1]},lost", "gone,lost"])
    for ranks in (0, 3):
        done = akin("evaluate", "t.nc", "--golden", "g.csv", "--json", ranks=ranks)
        j = done.json
        assert (j["golden_pairs"], j["golden_found"], j["golden_unknown"]) == (count, right, 3), j
        assert abs(j["golden"] - right / count) < 1e-12 and j["golden_unknown_ids"] == ["gone", "lost"]
        assert j["golden_worst"] == [{"id": i, "pairs": 3, "found": 1} for i in IDS[100:105]]
        assert "gone, lost" in done.err
    assert "golden" in akin("evaluate", "t.nc", "--golden", "g.csv").out
    write("strangers.csv", ["id,neighbor", "x,y"])
    j = akin("evaluate", "t.nc", "--golden", "strangers.csv", "--json").json
    assert j["golden"] is None and j["golden_pairs"] == 0 and j["golden_unknown"] == 1


def test_the_gate():
    rows, right, count = pairs()
    for ranks in (0, 2):
        to = f"t{ranks}"
        done = akin("publish", "t.nc", "--to", f"file:{to}.csv", *OPEN, "--golden", "g.csv", "--min-golden", right / count + 0.001,
                    "--json", ranks=ranks, expect=4)
        assert "golden" in done.json["message"] and not os.path.exists(f"{to}.csv")
        assert [g for g in done.json["gates"] if g["gate"] == "min-golden"][0]["refused"]
        done = akin("publish", "t.nc", "--to", f"file:{to}.csv", *OPEN, "--golden", "g.csv", "--min-golden", right / count, "--json",
                    ranks=ranks)
        assert done.json["golden"] == right / count and done.json["golden_unknown"] == 3 and os.path.exists(f"{to}.csv")
    # Without the option the limit is 0.9; strangers are never fatal.
    write("wrong.csv", [f"{IDS[0]},{IDS[1]}" if IDS[1] not in LISTS[IDS[0]] else f"{IDS[0]},{IDS[2]}"])
    akin("publish", "t.nc", "--to", "file:w.csv", *OPEN, "--golden", "wrong.csv", expect=4)
    akin("publish", "t.nc", "--to", "file:w.csv", *OPEN, "--golden", "strangers.csv")
    akin("publish", "t.nc", "--to", "file:w.csv", *OPEN, "--min-golden", 0.5, expect=2)
    akin("publish", "t.nc", "--to", "file:w.csv", *OPEN, "--golden", "absent.csv", expect=1)
    write("one.csv", ["a"])
    akin("publish", "t.nc", "--to", "file:w.csv", *OPEN, "--golden", "one.csv", expect=3, ranks=2)


def test_a_run_sees_what_people_changed_in_the_files_that_it_reads():
    source = draw_catalogue("pictures", 24)
    with open("job.ini", "w") as f:
        f.write(f"[job]\noutput = out\n[ingest]\nsource = {source}\n[train]\nfeatures = handcrafted\n[neighbors]\nk = 3\n[evaluate]\n"
                "golden = ours.csv\npairs = bought.csv\n[publish]\ngolden = ours.csv\nto = file:out/t.csv\n")
    write("ours.csv", ["nobody,nothing"])
    write("bought.csv", ["nobody,nothing"])
    akin("run", "job.ini", ranks=2)
    ids = [line.split(",")[0] for line in open("out/t.csv")][1::3]
    lists = {i: [n for n, _ in near] for i, near in lists_of("out/table.nc").items()}
    skipped = lambda **more: {name: stage["skipped"] for name, stage in akin("run", "job.ini", "--json", **more).json["stages"].items()}
    assert all(skipped().values())
    write("bought.csv", [f"{ids[0]},{lists[ids[0]][0]}"])
    assert [name for name, it in skipped(ranks=2).items() if not it] == ["evaluate"]
    write("ours.csv", [f"{ids[0]},{lists[ids[0]][0]}"])
    assert [name for name, it in skipped().items() if not it] == ["evaluate", "publish"]
    strange = next(i for i in ids if i != ids[0] and i not in lists[ids[0]])
    write("ours.csv", [f"{ids[0]},{strange}"])
    akin("run", "job.ini", expect=4)
    assert all(skipped(expect=4)[name] for name in ("embed", "neighbors"))


if __name__ == "__main__":
    main(globals())
