"""Makes seeds/<kind>/: small files of every kind that akin reads, from which the fuzzers begin. Run once; the seeds are kept.
usage: AKIN=build/akin python3 make_seeds.py"""

import glob
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "support"))
from support import SOURCE, akin, draw_catalogue  # noqa: E402

MOST = 6000  # bytes of a picture


def put(kind, name, content):
    os.makedirs(os.path.join(HERE, "seeds", kind), exist_ok=True)
    with open(os.path.join(HERE, "seeds", kind, name), "wb") as f:
        f.write(content)


def tar(entries, **words):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", **words) as t:
        for name, kind, content in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(content)
                t.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content
                t.addfile(info)
    return out.getvalue()


def redis_seeds():
    """Answers of a server in the order in which they are asked for; the first byte is what is done (fuzz_redis.c). The lists are those
    of its table."""
    names = ['"' + c for c in "abcde"]
    quote = lambda name: '"\\' + name + '"'
    lists = [f"[[{quote(names[(i + 1) % 5])},0.5],[{quote(names[(i + 2) % 5])},0.25]]".encode() for i in range(5)]
    bulk = lambda text: b"$%d\r\n%s\r\n" % (len(text), text)
    many = lambda *parts: b"*%d\r\n" % len(parts) + b"".join(parts)
    number = lambda n: b":%d\r\n" % n
    ok, queued, nil = b"+OK\r\n", b"+QUEUED\r\n", b"$-1\r\n"
    guard = ok + bulk(b"me")
    stage = guard + ok + queued + many(number(0))  # the old :next goes
    stage += guard + ok + 2 * queued + many(number(5), number(1)) + guard + number(5)
    found = b"".join(map(bulk, lists))
    first = 2 * number(0) + many() + number(0) + ok + stage + guard + ok + number(0) + number(1) + number(0) + ok + 5 * queued + many(ok, *4 * [number(1)])
    put("redis", "first", b"\0" + first + found)
    meta = many(*map(bulk, b"generation 1 time t digest d items 5 k 2 model m format json buckets 0 previous_generation 0".split()))
    head = 2 * number(1) + meta + number(5)
    switch = guard + ok + 3 * number(1) + ok + 8 * queued + many(number(1), ok, number(1), ok, *4 * [number(1)])
    put("redis", "next", b"\0" + head + found + number(5) + ok + stage + switch + found)
    put("redis", "other", b"\2" + head + 5 * bulk(b'[["x",1e999],[[[[],7]]]') + number(7) + number(0) + ok + stage + switch + found)
    put("redis", "ids", b"\5" + head + 5 * bulk(b"a b c") + number(5))
    put("redis", "taken", b"\0" + first[: first.index(ok)] + nil + bulk(b"old [1]") + ok + bulk(b"old [1]") + ok + 1 * queued + many(ok) + stage)
    put("redis", "held", b"\0" + first[: first.index(ok)] + nil + bulk(b"another") + number(777))
    put("redis", "errors", b"\0-ERR AUTH\r\n-MOVED 1 a:7\r\n-OOM x\r\n*-1\r\n:99999999999999999999\r\n$999999999\r\nx")
    put("redis", "back", b"\3" + 2 * number(1) + meta + number(1) + ok + meta + number(1) + guard + ok + 3 * number(1) + ok + 9 * queued + many(*9 * [ok]))
    put("redis", "cluster", b"\x08-MOVED 7 b:7001\r\n" + 3 * number(0) + many() + 3 * number(0))


def picture_seeds():
    """A file of each kind and way that a format has, small; and the profiles of tests/support/make_fixtures.py."""
    folder = os.path.join(SOURCE, "tests", "fixtures", "images")
    for kind, endings in (("heif", (".heic", ".avif")), ("tiff", (".tif",)), ("gif", (".gif",)), ("bmp", (".bmp",))):
        for name in sorted(os.listdir(folder)):
            if name.endswith(endings):
                put(kind, name, open(os.path.join(folder, name), "rb").read())
    from PIL import Image

    for name in ("adobe.tif", "display_p3.tif", "prophoto.tif", "grey_profile.png", "srgb.png", "inks_profile.tif"):
        put("color", os.path.splitext(name)[0], Image.open(os.path.join(folder, name)).info["icc_profile"])


def web_seeds(picture):
    """Answers of a web server; the first byte is whether a copy was known (fuzz_web.c). And records of the cache."""
    whole = b"HTTP/1.1 200 OK\r\nETag: \"abc\"\r\nLast-Modified: Tue, 03 Mar 2026 00:00:00 GMT\r\n"
    put("web", "whole", b"\0" + whole + b"Content-Length: %d\r\n\r\n" % len(picture) + picture)
    put("web", "chunked", b"\0" + whole + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(picture) + picture + b"\r\n0\r\n\r\n")
    put("web", "closed", b"\0HTTP/1.0 200 OK\r\n\r\n" + picture)
    put("web", "unchanged", b"\1HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n")
    put("web", "moved", b"\0HTTP/1.1 302 Found\r\nLocation: /b.png?a=1\r\nContent-Length: 0\r\n\r\n")
    put("web", "busy", b"\1HTTP/1.1 429 Too Many Requests\r\nRetry-After: Wed, 21 Oct 2099 07:28:00 GMT\r\n\r\n")
    put("web", "continue", b"\0HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 \r\nRetry-After: 120\r\nContent-Length: 99\r\n\r\n")
    put("cache", "record", b'{"address":"https://u:***@a.shop/1.png","etag":"\\"e\\"","last_modified":"x","digest":"00112233445566778899aabbccddeeff","bytes":12,"session":3}')
    put("cache", "failure", b'{"address":"https://u:***@a.shop/1.png","failure":"the server answered 404 Not Found"}')
    put("cache", "session", b'{"session":7,"begun":1772000000.5,"incomplete":1}')


def main():
    shutil.rmtree(os.path.join(HERE, "seeds"), ignore_errors=True)
    pictures = sorted(glob.glob(os.path.join(SOURCE, "tests", "fixtures", "images", "*")))
    chosen = [p for p in pictures if 0 < os.path.getsize(p) < MOST and not p.endswith((".bin", ".json", ".txt"))]
    for path in chosen[:: max(1, len(chosen) // 40)]:
        put("image", os.path.basename(path), open(path, "rb").read())
    picture_seeds()
    put("csv", "plain", b"id,path,category,group,available\na,a.png,hats,g1,yes\nb,b.png,,,no\n")
    put("csv", "quoted", b'\xef\xbb\xbfid\tpath\r\n"a ""b"""\t"x\ty.png"\r\n\r\nc\td\r\n')
    put("csv", "wrong", b"id,path,available\n,p,1\n\xff,p,0\na\x00b,p,maybe\na,..\\/p\na,/etc/passwd\n")
    png = open(min(chosen, key=os.path.getsize), "rb").read()[:300]
    put("tar", "ustar", tar([("a/b.png", tarfile.REGTYPE, png), ("c.png", tarfile.SYMTYPE, "a/b.png")], format=tarfile.USTAR_FORMAT))
    put("tar", "pax", tar([("ü" * 120 + ".png", tarfile.REGTYPE, png), ("d.png", tarfile.LNKTYPE, "ü" * 120 + ".png")], format=tarfile.PAX_FORMAT))
    put("tar", "out", tar([("../x.png", tarfile.REGTYPE, png), ("/etc/y.png", tarfile.REGTYPE, b""), ("z.png", tarfile.SYMTYPE, "../../z")], format=tarfile.GNU_FORMAT))
    for name, array in [("f4", numpy.ones((3, 5), "f4")), ("f2", numpy.arange(12, dtype="f2").reshape(4, 3)), ("f8", numpy.ones((2, 2)))]:
        out = io.BytesIO()
        numpy.save(out, array)
        put("npy", name, out.getvalue())
    for path in glob.glob(os.path.join(SOURCE, "jobs", "*.ini")):
        put("job", os.path.basename(path), open(path, "rb").read())
    put("job", "lists", b'[ingest]\nsource = "a b.csv" c.tar\n  d.csv\n[publish]\nto = file:x.jsonl\nto = file:y.csv\n[train]\nepochs = 3\n')
    redis_seeds()
    web_seeds(png)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        akin("ingest", draw_catalogue("p", 2), "-o", "catalog.nc", "--quiet")
        numpy.save("v.npy", numpy.eye(3, dtype="f4"))
        akin("neighbors", "v.npy", "-k", "2", "-o", "table.nc", "--quiet")
        for name in ("catalog.nc", "table.nc"):
            content = open(name, "rb").read()
            put("nc", name, content)
            put("nc", "unsealed_" + name, content[:content.rindex(b"akin sum ")])  # as another program would leave it
    print(subprocess.run(["du", "-sh", os.path.join(HERE, "seeds")], capture_output=True, text=True).stdout)


main()
