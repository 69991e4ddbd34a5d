"""akin ingest of archives that are several, damaged, or more than an archive: nothing is read partially, no program is started."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zlib

from support import SOURCE, fresh, main
from test_ingest import PNG, Catalog, ingest, put

OTHER = open(os.path.join(SOURCE, "tests", "fixtures", "images", "420_small.jpg"), "rb").read()


def tar(names, **options):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", **options) as t:
        for name in names:
            info = tarfile.TarInfo(name)
            data = OTHER if name.endswith(".jpg") else PNG
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zstd(data):
    """A frame of one block as it is (RFC 8878), without a checksum."""
    return b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little") + (1 | len(data) << 3).to_bytes(3, "little") + data


A, B = tar(["a/1.png", "a/2.jpg"]), tar(["b/3.png", "4.jpg"])
ALL = ["4.jpg", "a/1.png", "a/2.jpg", "b/3.png"]


def ids(path, ranks=0):
    done = ingest(path, "-o", "archives.nc", ranks=ranks)
    assert done.json["rows"] == done.json["items"]
    return Catalog("archives.nc").ids


def refused(path, *words):
    for ranks in (0, 2):
        message = ingest(path, "-o", "refused.nc", expect=3, ranks=ranks)
        assert path in message.json["message"] and all(w in message.json["message"] for w in words), message.json["message"]
    assert not os.path.exists("refused.nc")


def test_archives_behind_one_another_are_all_read():
    fresh("behind")
    for name, data in (
        ("two.tar", A + B), ("three.tar", A + tar([]) + B), ("two.tgz", gzip.compress(A) + gzip.compress(B)),
        ("members.tgz", b"".join(gzip.compress((A + B)[i : i + 5000]) for i in range(0, len(A + B), 5000))),
        ("padded.tgz", gzip.compress(A + B) + bytes(300)), ("one_stream.tgz", gzip.compress(A + B)),
        ("two.tar.xz", lzma.compress(A) + lzma.compress(B)), ("two.tar.bz2", bz2.compress(A) + bz2.compress(B)),
        ("two.tar.zst", zstd(A) + zstd(B)),
        ("unblocked.tar", A.rstrip(b"\0") + bytes(-len(A.rstrip(b"\0")) % 512) + B),
    ):
        put(f"behind/{name}", data)
        for ranks in (0, 3):
            assert ids(f"behind/{name}", ranks) == ALL, name


def test_what_lies_behind_the_end_is_refused():
    fresh("more")
    put("more/words.tar", A + b"these are words" * 100)
    refused("more/words.tar", "after member 2")
    put("more/words.tgz", gzip.compress(A) + b"these are words")
    refused("more/words.tgz", "after the end", str(len(gzip.compress(A))))
    for name, pack in (("zst", zstd), ("xz", lzma.compress), ("bz2", bz2.compress)):
        for behind in (B, b"words" * 99):
            put(f"more/behind.{name}", pack(A) + behind)
            message = ingest(f"more/behind.{name}", "-o", "x.nc", expect=3).json["message"]
            assert "neither" not in message and ("after the end" in message or "compressed" in message), message
    put("more/zip.tar", A + b"PK\3\4" + bytes(2000))
    refused("more/zip.tar", "after member 2")


def test_damage_is_refused():
    fresh("damage")
    whole = gzip.compress(A + B)
    plain = bytearray(A)
    plain[512 + 60] ^= 1  # within the first picture
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(bytes(plain)) + packed.flush()
    crc, size = zlib.crc32(A).to_bytes(4, "little"), len(A).to_bytes(4, "little")
    head = whole[:10]
    put("damage/altered.tgz", head + body + crc + size)
    refused("damage/altered.tgz", "damaged")
    put("damage/size.tgz", head + body + zlib.crc32(bytes(plain)).to_bytes(4, "little") + (len(A) + 1).to_bytes(4, "little"))
    refused("damage/size.tgz", "damaged")
    put("damage/good.tgz", head + body + zlib.crc32(bytes(plain)).to_bytes(4, "little") + size)
    ingest("damage/good.tgz", "-o", "archives.nc", "--max-reject-fraction", "1")
    for cut in (len(whole) // 2, len(whole) - 1, len(whole) - 8, 12, 5):
        put("damage/cut.tgz", whole[:cut])
        refused("damage/cut.tgz", "truncated")
    second = gzip.compress(A) + gzip.compress(B)[:-3]
    put("damage/second.tgz", second)
    refused("damage/second.tgz", "truncated")
    header = bytearray(A + B)
    header[len(A) + 3] ^= 1  # a header in the middle, after which libarchive would continue as if nothing had happened
    put("damage/header.tar", bytes(header))
    refused("damage/header.tar", "after member 2")
    put("damage/text.gz", gzip.compress(b"id,path\n1,1.png\n" * 50))
    refused("damage/text.gz", "gzip", "not a complete tar")


def test_no_program_is_started():
    """Filters that libarchive would start programs for are not asked."""
    fresh("programs/bin")
    for name in ("lrzip", "lzop", "grzip", "gzip", "bzip2", "xz", "zstd", "lz4", "uudecode", "rpm2cpio"):
        put(f"programs/bin/{name}", f"#!/bin/sh\ntouch {os.path.abspath('programs')}/started\nexec cat\n")
        os.chmod(f"programs/bin/{name}", 0o755)
    path = os.path.abspath("programs/bin") + ":" + os.environ["PATH"]
    for name, magic in (("a.lrz", b"LRZI\0\5" + bytes(200)), ("a.lzo", b"\x89LZO\0\r\n\x1a\n" + bytes(200)), ("a.grz", b"GRZipII\0\2\4:)" + bytes(200))):
        put(f"programs/{name}", magic)
        done = ingest(f"programs/{name}", "-o", "x.nc", expect=3, env={"PATH": path})
        assert "compressed" in done.json["message"], done.json["message"]
    put("programs/a.tgz", gzip.compress(A))
    ingest("programs/a.tgz", "-o", "x.nc", env={"PATH": path})
    assert not os.path.exists("programs/started")


main(globals())
