"""Pictures at addresses: fetched into a cache and read from there, with every fault that a server may have.

The laws: items + rejected = rows whatever the server does; the catalogue is the one that the same pictures give as files, at
any rank count; what was had is not transferred again; and nothing inside a private network is asked without leave."""

import csv
import os
import signal
import socket
import subprocess
import sys
import time

import picture_server as ps
from support import akin, assert_same_variables, command, draw, fresh, main

ALLOW = ["--allow-private"]
QUICK = ["--fetch-timeout", "0.8", "--rate", "0"]


def png(seed, size=40):
    folder = os.path.abspath("pictures")
    os.makedirs(folder, exist_ok=True)
    path = f"{folder}/{seed}-{size}.png"
    if not os.path.exists(path):
        draw(path, seed, size)
    with open(path, "rb") as f:
        return f.read()


def table(folder, rows, name="catalog.csv"):
    path = f"{folder}/{name}"
    with open(path, "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(["id", "path"])
        w.writerows(rows)
    return path


def rejects(path):
    with open(path, newline="") as f:
        return {r["id"]: r["reason"] for r in csv.DictReader(f)}


def serve(n, server=None):
    server = server or ps.Server()
    for i in range(n):
        server.rules[f"/p{i}.png"] = ps.picture(png(i))
    return server, [(f"i{i:03d}", f"{server.base}/p{i}.png") for i in range(n)]


def test_the_catalogue_is_that_of_the_same_files_at_any_rank_count():
    folder = fresh("same")
    server, rows = serve(12)
    rows.append(("again", rows[3][1]))  # one address, two items
    files = []
    for i, address in rows:
        name = address.rsplit("/", 1)[1]
        with open(f"{folder}/{name}", "wb") as f:
            f.write(png(int(name[1:-4])))
        files.append((i, name))
    akin("ingest", table(folder, files, "files.csv"), "-o", f"{folder}/files.nc")
    source = table(folder, rows)
    for ranks in (0, 2, 3, 4):
        out = f"{folder}/{ranks}.nc"
        before = len(server.requests())
        r = akin("ingest", source, "-o", out, *ALLOW, "--json", ranks=ranks).json
        assert r["items"] == 13 and r["fetched"] == 12 and r["addresses"] == 12, r
        assert len(server.requests()) == before + 12  # each once, however many rows refer to it
        assert_same_variables(f"{folder}/files.nc", out)
        assert not os.path.exists(out + ".fetched")
    server.stop()


def test_a_cache_is_asked_for_what_changed():
    folder = fresh("etag")
    server, rows = serve(1)
    server.rules["/tagged.png"] = ps.tagged(png(50), '"one"')
    server.rules["/dated.png"] = ps.tagged(png(51), None, "Sat, 01 Nov 2025 10:00:00 GMT")
    rows += [("tagged", f"{server.base}/tagged.png"), ("dated", f"{server.base}/dated.png")]
    source, cache = table(folder, rows), f"{folder}/cache"
    a = akin("fetch", source, "--cache", cache, *ALLOW, "--json", ranks=2).json
    assert (a["fetched"], a["unchanged"], a["failed"], a["items"], a["rows"]) == (3, 0, 0, 3, 3), a
    b = akin("fetch", source, "--cache", cache, *ALLOW, "--json", ranks=3).json
    assert (b["fetched"], b["unchanged"]) == (1, 2), b
    assert [s[1] for s in server.requests("/tagged.png")] == [200, 304]
    assert [s[1] for s in server.requests("/dated.png")] == [200, 304]
    akin("ingest", source, "-o", f"{folder}/before.nc", "--cache", cache, *ALLOW)
    server.rules["/tagged.png"] = ps.tagged(png(52), '"two"')
    c = akin("ingest", source, "-o", f"{folder}/after.nc", "--cache", cache, *ALLOW, "--json").json
    assert (c["fetched"], c["unchanged"], c["items"]) == (2, 1, 3), c
    try:
        assert_same_variables(f"{folder}/before.nc", f"{folder}/after.nc")
    except AssertionError:
        pass
    else:
        raise AssertionError("the new picture was not taken")
    # Without a network only the cache is used, with a message; --offline does not even try.
    server.stop()
    d = akin("ingest", source, "-o", f"{folder}/dark.nc", "--cache", cache, *ALLOW, *QUICK, "--retries", "0", "--json")
    assert d.json["items"] == 3 and d.json["kept"] == 3 and "could not be requested" in d.err, d.err
    e = akin("ingest", source, "-o", f"{folder}/offline.nc", "--cache", cache, "--offline", "--json").json
    assert e["items"] == 3 and e["kept"] == 0, e
    for name in ("dark", "offline"):
        assert_same_variables(f"{folder}/after.nc", f"{folder}/{name}.nc")
    # A copy that was altered is found, and not taken.
    pictures = [os.path.join(d, f) for d, _, names in os.walk(cache) for f in names if "." not in f]
    with open(pictures[0], "r+b") as f:
        f.seek(60)
        f.write(b"\xAA\xAA\xAA")
    f = akin("ingest", source, "-o", f"{folder}/bad.nc", "--cache", cache, "--offline", "--json", "--max-reject-fraction",
             "1", "--rejects", f"{folder}/bad.csv").json
    assert f["rejected"] == 1 and "damaged" in list(rejects(f"{folder}/bad.csv").values())[0]


def faults(server):
    """{id: (address, what its reject must say; None: it is an item)}."""
    good, base, rules = png(1), server.base, server.rules
    rules["/good.png"] = ps.picture(good)
    rules["/busy.png"] = ps.status(429, [("Retry-After", "1")], until=1, then=ps.picture(good))
    rules["/once.png"] = ps.status(503, until=1, then=ps.picture(good))
    rules["/broken.png"] = ps.status(500)
    rules["/busy-for-ever.png"] = ps.status(429, [("Retry-After", "86400")])
    rules["/gone.png"] = ps.status(410)
    rules["/forbidden.png"] = ps.status(403)
    rules["/slow.png"] = ps.trickle(good, 0.3)
    rules["/silent.png"] = ps.hang(2)
    rules["/cut.png"] = ps.cut(good, 50)
    rules["/long.png"] = lambda h, n: ps.answer(h, 200, good + b"x" * 70000)
    rules["/loop.png"] = ps.redirect("/loop.png")
    rules["/there.png"] = ps.redirect("/there2.png", 301)
    rules["/there2.png"] = ps.redirect(f"{base}/good.png", 307)
    rules["/file.png"] = ps.redirect("file:///etc/passwd")
    rules["/nowhere.png"] = ps.status(302)
    rules["/page.png"] = ps.status(200, body=b"<!DOCTYPE html><p>log in")
    rules["/empty.png"] = ps.status(200)
    rules["/damaged.png"] = ps.picture(good[:len(good) // 2])
    rules["/kein%20Bild%C3%A4.png"] = ps.picture(good)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        closed = s.getsockname()[1]
    say = {
        "good": None, "busy": None, "once": None, "there": None, "broken": "500 Internal Server Error",
        "busy-for-ever": "429 Too Many Requests", "gone": "410 Gone", "forbidden": "403 Forbidden", "absent": "404 Not Found",
        "slow": "timed out", "silent": "timed out", "cut": "", "long": "--max-bytes", "loop": "redirected more than 10 times",
        "file": "file", "nowhere": "302", "page": "HTML", "empty": "empty", "damaged": "",
    }
    found = {name: (f"{base}/{name}.png", what) for name, what in say.items()}
    found["umlaut"] = (f"{base}/kein Bildä.png", None)
    found["closed"] = (f"http://127.0.0.1:{closed}/x.png", "connect")
    found["unknown"] = ("http://no-such-host.invalid/x.png", "")
    found["ftp"] = ("ftp://127.0.0.1/x.png", "unsupported kind")
    found["none"] = ("http://", "")
    found["spoiled"] = ("http://[::1/x.png", "")
    return found


def test_every_fault_is_a_reject_with_its_reason():
    for ranks in (1, 3):
        folder = fresh(f"faults{ranks}")
        server = ps.Server()
        found = faults(server)
        source = table(folder, [(i, address) for i, (address, _) in found.items()])
        r = akin("ingest", source, "-o", f"{folder}/c.nc", "--cache", f"{folder}/cache", *ALLOW, *QUICK, "--retries", "1",
                 "--max-bytes", "50000", "--max-reject-fraction", "1", "--rejects", f"{folder}/r.csv", "--json",
                 ranks=ranks, timeout=60).json
        said = rejects(f"{folder}/r.csv")
        for i, (address, what) in found.items():
            assert (what is None) == (i not in said), (i, said.get(i))
            assert what is None or (what in said[i] and said[i]), (i, said[i])
        assert r["items"] + r["rejected"] == r["rows"] == len(found), r
        assert len(server.requests("/broken.png")) == 2 and len(server.requests("/gone.png")) == 1
        # Only those are tried again: what was had is not asked for, and what is mended is an item.
        server.forget()
        server.rules["/broken.png"] = ps.picture(png(1))
        server.rules["/page.png"] = ps.picture(png(1))
        again = akin("ingest", source, "-o", f"{folder}/c.nc", "--cache", f"{folder}/cache", *ALLOW, *QUICK, "--retries", "0",
                     "--max-bytes", "50000", "--max-reject-fraction", "1", "--rejects", f"{folder}/r.csv", "--json",
                     ranks=ranks, timeout=60).json
        assert again["items"] == r["items"] + 2 and again["fetched"] == 2, again
        assert not server.requests("/good.png") and server.requests("/gone.png")
        server.stop()


def test_too_many_failures_are_refused_and_the_old_catalogue_stays():
    folder = fresh("many")
    server, rows = serve(4)
    source = table(folder, rows)
    akin("ingest", source, "-o", f"{folder}/c.nc", *ALLOW)
    with open(f"{folder}/c.nc", "rb") as f:
        before = f.read()
    server.rules["/p2.png"] = ps.status(404)
    done = akin("ingest", source, "-o", f"{folder}/c.nc", *ALLOW, ranks=2, expect=3)
    assert "1 of 4 rows" in done.err, done.err
    with open(f"{folder}/c.nc", "rb") as f:
        assert f.read() == before
    server.stop()
    dead = akin("fetch", source, "--cache", f"{folder}/none", *ALLOW, *QUICK, "--retries", "0", "--json", ranks=2, expect=1)
    assert dead.json["failed"] == 4 and dead.json["items"] == 0, dead.json


def test_private_networks_are_refused_unless_allowed():
    folder = fresh("private")
    server, _ = serve(1)
    port = server.port
    private = [f"http://127.0.0.1:{port}/p0.png", f"http://localhost:{port}/p0.png", f"http://[::1]:{port}/p0.png",
               f"http://[::ffff:127.0.0.1]:{port}/p0.png", f"http://2130706433:{port}/p0.png", f"http://0x7f.1:{port}/p0.png",
               f"http://0:{port}/p0.png", "http://10.0.0.1/p.png", "http://192.168.1.1/p.png", "http://172.20.0.1/p.png",
               "http://169.254.169.254/latest/meta-data", "http://100.64.0.1/p.png", "http://[fd00::1]/p.png",
               "http://[fe80::1]/p.png", "http://[64:ff9b::7f00:1]/p.png", "http://[2002:7f00:1::]/p.png"]
    source = table(folder, [(f"i{n:02d}", a) for n, a in enumerate(private)])
    for ranks in (1, 2):
        r = akin("ingest", source, "-o", f"{folder}/c.nc", "--rejects", f"{folder}/r.csv", "--json", *QUICK, ranks=ranks,
                 expect=3).json
        assert r["items"] == 0 and r["failed"] == len(private), r
        said = rejects(f"{folder}/r.csv")
        assert all("private network" in reason for reason in said.values()), said
    assert server.requests() == []
    server.stop()


def outside():
    """Runs in a network of its own, where this machine has a public address: what leads from there to its own loopback, by a
    redirect or by a name, is refused; the public address is not."""
    public = "93.184.216.34"
    for words in (["link", "set", "lo", "up"], ["addr", "add", f"{public}/32", "dev", "lo"]):
        subprocess.run(["ip", *words], check=True)
    server = ps.Server(host=public)
    hidden = ps.Server()
    hidden.rules["/p.png"] = server.rules["/p.png"] = ps.picture(png(1))
    server.rules["/away.png"] = ps.redirect(f"{hidden.base}/p.png")
    server.rules["/mapped.png"] = ps.redirect(f"http://[::ffff:127.0.0.1]:{hidden.port}/p.png")
    folder = fresh("outside")
    source = table(folder, [("public", f"{server.base}/p.png"), ("away", f"{server.base}/away.png"),
                            ("mapped", f"{server.base}/mapped.png"), ("name", f"http://localhost:{hidden.port}/p.png")])
    r = akin("ingest", source, "-o", f"{folder}/c.nc", "--rejects", f"{folder}/r.csv", "--max-reject-fraction", "1", "--json",
             *QUICK).json
    said = rejects(f"{folder}/r.csv")
    assert r["items"] == 1 and sorted(said) == ["away", "mapped", "name"], said
    assert all("private network" in reason for reason in said.values()), said
    assert not hidden.requests() and server.requests("/away.png")


def test_a_redirect_into_a_private_network_is_refused():
    alone = ["unshare", "-n", sys.executable, os.path.abspath(__file__), "outside"]
    if subprocess.run(["unshare", "-n", "ip", "link", "set", "lo", "up"], capture_output=True).returncode != 0:
        print("   left out: no network of its own can be made here")
        return
    subprocess.run(alone, check=True, timeout=60)


def test_connections_and_rate_are_bounded_over_all_ranks():
    folder = fresh("bounds")
    server = ps.Server()
    rows = []
    for i in range(24):
        server.rules[f"/s{i}.png"] = ps.picture(png(i), 0.1)
        rows.append((f"i{i}", f"{server.base}/s{i}.png"))
    source = table(folder, rows)
    for ranks, connections in ((1, 3), (3, 2), (4, 6)):
        server.forget()
        akin("fetch", source, "--cache", f"{folder}/c{ranks}", *ALLOW, "--connections", connections, "--rate", "0", ranks=ranks)
        assert len(server.requests()) == 24 and server.most <= connections, (ranks, connections, server.most)
        assert server.most > 1 or connections == 1
    server.forget()
    akin("fetch", source, "--cache", f"{folder}/rate", *ALLOW, "--rate", "20", "--connections", "4", ranks=3)
    times = sorted(s[2] for s in server.requests())
    assert times[-1] - times[0] > (len(rows) - 4) / 20 * 0.9, times[-1] - times[0]
    server.stop()


def test_https_is_checked_and_s3_is_mapped():
    folder = fresh("tls")
    pem = ps.certificate(folder)
    server, rows = serve(2, ps.Server(tls=pem))
    server.rules["/bucket/a/key 1.png".replace(" ", "%20")] = ps.picture(png(7))
    source = table(folder, rows)
    out = f"{folder}/c.nc"
    bad = akin("ingest", source, "-o", out, *ALLOW, *QUICK, "--rejects", f"{folder}/r.csv", expect=3)
    assert all("certificate" in r.lower() or "ssl" in r.lower() for r in rejects(f"{folder}/r.csv").values()), bad.err
    trusting = {"SSL_CERT_FILE": pem}
    assert akin("ingest", source, "-o", out, *ALLOW, "--json", env=trusting).json["items"] == 2
    bucket = table(folder, [("k", "s3://bucket/a/key 1.png")], "s3.csv")
    missing = akin("ingest", bucket, "-o", out, *ALLOW, expect=2)
    assert "--s3-endpoint" in missing.err
    r = akin("ingest", bucket, "-o", out, *ALLOW, "--s3-endpoint", server.base + "/", "--json", env=trusting).json
    assert r["items"] == 1 and r["fetched"] == 1, r
    server.stop()


def test_usage():
    folder = fresh("usage")
    source = table(folder, [("a", "https://example.invalid/x.png")])
    for words, said in ((["fetch", source], "--cache"), (["fetch", source, "--cache", "c", "--fresh", "soon"], "--fresh"),
                        (["ingest", source, "-o", "x.nc", "--offline"], "--cache"),
                        (["ingest", source, "-o", "x.nc", "--s3-endpoint", "minio"], "--s3-endpoint")):
        assert said in akin(*words, expect=2).err
    assert "download it first" in akin("ingest", "https://example.invalid/c.csv", "-o", "x.nc", expect=1).err
    assert not os.path.exists("c") and not os.path.exists("x.nc.fetched")


def test_a_password_in_an_address_is_not_told():
    folder = fresh("secret")
    server, _ = serve(1)
    source = table(folder, [("a", f"http://me:hunter2@127.0.0.1:{server.port}/none.png"),
                            ("b", f"{server.base}/p0.png"), ("c", f"http://hunter2@127.0.0.1:{server.port}/none.png"),
                            ("d", "//me:hunter2@127.0.0.1/x.png"), ("e", "https://me:hunter2"), ("f", f"http://me%3Ahunter2@127.0.0.1:{server.port}/x"),
                            ("g", f"{server.base}/none.png?pass=hunter2#token=hunter2"), ("h", "https%3A%2F%2Fme%3Ahunter2%40h/x.png")])
    done = akin("ingest", source, "-o", f"{folder}/c.nc", "--cache", f"{folder}/cache", *ALLOW, "--json", "--rejects",
                f"{folder}/r.csv", "--max-reject-fraction", "1")
    told = done.out + done.err
    for path, _, names in os.walk(folder):
        for name in names:
            if name != "catalog.csv":
                with open(os.path.join(path, name), "rb") as f:
                    told += f.read().decode("latin-1")
    assert "hunter2" not in told
    shown = akin("fetch", source, "--cache", f"{folder}/cache", *ALLOW)
    assert "404" in shown.err and "hunter2" not in shown.err
    server.stop()


def test_a_fetch_that_is_stopped_goes_on():
    folder = fresh("stopped")
    server = ps.Server()
    rows = []
    for i in range(40):
        server.rules[f"/p{i}.png"] = ps.picture(png(i), 0.1)
        rows.append((f"i{i}", f"{server.base}/p{i}.png"))
    words = ["fetch", table(folder, rows), "--cache", f"{folder}/cache", *ALLOW, "--connections", "2"]
    run = subprocess.Popen(command(words, 0), stderr=subprocess.PIPE)
    while len(server.requests()) < 6:
        time.sleep(0.02)
    run.send_signal(signal.SIGTERM)
    _, err = run.communicate(timeout=30)
    assert run.returncode == 75 and b"submit again" in err, (run.returncode, err)
    time.sleep(0.3)  # what it had begun ends
    had = len([s for s in server.requests() if s[1] == 200])
    server.forget()
    r = akin(*words, "--json", ranks=2).json
    assert r["items"] == 40 and r["settled"] >= had - 4 and len(server.requests()) == r["fetched"] == 40 - r["settled"], r
    server.stop()


def test_a_job_fetches_first_and_the_other_nodes_need_no_network():
    """[fetch] in a job: a stage before ingest, up to date the next time; with run --offline nothing is asked."""
    folder = fresh("job")
    server, rows = serve(6)
    table(folder, rows)
    with open("fetching.ini", "w") as f:
        f.write("[job]\nname = fetching\noutput = job/out\n[fetch]\ncache = job/cache\nallow-private = yes\n[ingest]\n"
                "source = job/catalog.csv\n[train]\nfeatures = handcrafted\n[neighbors]\nk = 2\n")
    akin("run", "fetching.ini", "--until", "fetch", ranks=2)
    asked = len(server.requests())
    assert asked >= 6 and not os.path.exists("job/out/catalog.nc")
    server.stop()
    done = akin("run", "fetching.ini", "--offline", "--json", ranks=2).json  # on a node without a network
    assert done["stages"]["ingest"]["items"] == 6 and len(server.requests()) == asked


if __name__ == "__main__":
    outside() if sys.argv[1:] == ["outside"] else main(globals())
