#!/usr/bin/env python3
"""Makes tests/fixtures/images: small pictures of every kind that ingest reads or refuses, and the expected results.

    python3 tests/support/make_fixtures.py        (needs Pillow, numpy, libturbojpeg and heif-enc)

`expected.txt` has a line for each file: `NAME ok INDEX MAX MEAN` - the 32x32 RGB picture number INDEX of `expected.bin`,
the largest and the mean difference allowed - or `NAME refused REASON`. The expected pictures come from Pillow and numpy,
the PNG files from the few lines below, so neither is made by what is tested.
"""
import ctypes
import io
import os
import struct
import subprocess
import tempfile
import zlib

import numpy
from PIL import Image, ImageCms, ImageOps

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "images")
WIDTH, HEIGHT = 41, 35  # neither divides by 32, nor do they divide each other
lines, pictures = [], []


def area(picture, side=32):
    """Exact area averages of [height, width, 3]; an axis that grows takes the pixel below the centre."""

    def weights(length):
        matrix = numpy.zeros((side, length))
        for i in range(side):
            begin, end = i * length / side, (i + 1) * length / side
            if length < side:
                matrix[i, int((begin + end) / 2)] = 1
                continue
            for j in range(int(begin), min(length, int(numpy.ceil(end)))):
                matrix[i, j] = max(0, min(end, j + 1) - max(begin, j))
        return matrix / matrix.sum(1, keepdims=True)

    rows, columns = weights(picture.shape[0]), weights(picture.shape[1])
    return numpy.einsum("yi,ijc,xj->yxc", rows, picture.astype(float), columns, optimize=True)


def put(name, data):
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(data)


def accept(name, data, picture, largest=1, mean=0.6):
    put(name, data)
    lines.append(f"{name} ok {len(pictures)} {largest} {mean}")
    pictures.append(numpy.rint(area(picture)).astype(numpy.uint8))


def refuse(name, data, reason):
    put(name, data)
    lines.append(f"{name} refused {reason}")


# --- PNG, from scratch -------------------------------------------------------------------------------------------------

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def packed_rows(samples, depth):
    """Rows of [height, width, channels] samples as bytes, each with its filter: all five take turns."""
    out, before = b"", None
    step = max(1, samples.shape[2] * depth // 8)
    for y, row in enumerate(samples):
        if depth == 16:
            raw = row.astype(">u2").tobytes()
        elif depth == 8:
            raw = row.astype(numpy.uint8).tobytes()
        else:
            bits = "".join(format(int(v), f"0{depth}b") for v in row.ravel())
            bits += "0" * (-len(bits) % 8)
            raw = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        before = before or bytes(len(raw))
        kind, line = y % 5, bytearray()
        for i, value in enumerate(raw):
            a = raw[i - step] if i >= step else 0
            b, c = before[i], before[i - step] if i >= step else 0
            line.append((value - [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]) & 255)
        out += bytes([kind]) + bytes(line)
        before = raw
    return out


def png(samples, colour, depth, interlaced=False, extra=b"", size=None, data=None):
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", *(size or (width, height)), depth, colour, 0, 0, int(interlaced))
    if data is None:
        if interlaced:
            passes = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
            data = b"".join(packed_rows(p, depth) for p in passes if p.size)
        else:
            data = packed_rows(samples, depth)
    packed = zlib.compress(data, 9)
    half = len(packed) // 2
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", packed[:half]) + chunk(b"IDAT", packed[half:])
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def pattern(width=WIDTH, height=HEIGHT):
    """Colours that differ from place to place in every turn and mirroring, in [0, 1]."""
    y, x = numpy.mgrid[0:height, 0:width]
    u, v = x / max(1, width - 1), y / max(1, height - 1)
    return numpy.stack([u, v, 0.5 + 0.5 * numpy.cos(3 * u + 5 * v * v)], axis=2)


def alpha_pattern(width=WIDTH, height=HEIGHT):
    y, x = numpy.mgrid[0:height, 0:width]
    return numpy.clip(1.5 - numpy.hypot(x / width - 0.3, y / height - 0.6) * 2, 0, 1)


def over_white(rgb, alpha):
    return rgb * alpha[..., None] + 255 * (1 - alpha[..., None])


def quantised(values, depth):
    return numpy.rint(values * (2**depth - 1))


def make_png():
    colours, alpha = pattern(), alpha_pattern()
    grey = colours[..., 2]
    for interlaced in (False, True):
        end = "_interlaced.png" if interlaced else ".png"
        for depth in (1, 2, 4, 8, 16):
            top = 2**depth - 1
            g = quantised(grey, depth)
            rgb = numpy.repeat(g[..., None] * 255 / top, 3, axis=2)
            accept(f"grey{depth}{end}", png(g[..., None], 0, depth, interlaced), rgb)
            key = int(g[HEIGHT // 2, WIDTH // 2])
            masked = numpy.where((g == key)[..., None], 255, rgb)
            trns = chunk(b"tRNS", struct.pack(">H", key))
            accept(f"grey{depth}_trns{end}", png(g[..., None], 0, depth, interlaced, trns), masked)
        for depth in (1, 2, 4, 8):
            count = 2**depth
            palette = numpy.stack([numpy.linspace(0, 255, count), numpy.linspace(255, 0, count) ** 2 / 255,
                                   (numpy.arange(count) * 37) % 256], axis=1).astype(int)
            index = quantised(grey, depth).astype(int)
            plte = chunk(b"PLTE", palette.astype(numpy.uint8).tobytes())
            accept(f"palette{depth}{end}", png(index[..., None], 3, depth, interlaced, plte), palette[index])
            opacity = (numpy.arange(count) * 80 + 20) % 256
            opacity[count // 2 :] = 255  # a tRNS may be shorter than the palette
            trns = chunk(b"tRNS", opacity[: count // 2].astype(numpy.uint8).tobytes())
            accept(f"palette{depth}_trns{end}", png(index[..., None], 3, depth, interlaced, plte + trns),
                   over_white(palette[index], opacity[index] / 255))
        for depth in (8, 16):
            top = 2**depth - 1
            c, a = quantised(colours, depth), quantised(alpha, depth)
            rgb, opacity = c * 255 / top, a / top
            accept(f"rgb{depth}{end}", png(c, 2, depth, interlaced), rgb)
            key = c[5, 7].astype(int)
            trns = chunk(b"tRNS", struct.pack(">HHH", *key))
            masked = numpy.where((c == key).all(axis=2)[..., None], 255, rgb)
            accept(f"rgb{depth}_trns{end}", png(c, 2, depth, interlaced, trns), masked)
            accept(f"rgba{depth}{end}", png(numpy.dstack([c, a]), 6, depth, interlaced), over_white(rgb, opacity))
            ga = numpy.dstack([c[..., 2], a])
            rgb_grey = numpy.repeat(rgb[..., 2:], 3, axis=2)
            accept(f"grey_alpha{depth}{end}", png(ga, 4, depth, interlaced), over_white(rgb_grey, opacity))
    make_png_sizes(colours)
    make_png_oddities(colours)


def make_png_sizes(colours):
    for width, height in ((1, 1), (32, 32), (64, 96), (5, 90), (90, 3), (16, 16), (2, 2)):
        c = quantised(pattern(width, height), 8)
        accept(f"rgb8_{width}x{height}.png", png(c, 2, 8), c)
        accept(f"rgb8_{width}x{height}_interlaced.png", png(c, 2, 8, True), c)


def make_png_oddities(colours):
    c = quantised(colours, 8)
    good = png(c, 2, 8)
    bomb = zlib.compress(bytes(20_000_000), 9)
    accept("gamma_ignored.png", png(c, 2, 8, extra=chunk(b"gAMA", struct.pack(">I", 100000))), c)
    accept("text_bomb.png", png(c, 2, 8, extra=chunk(b"zTXt", b"k\0\0" + bomb)), c)
    accept("profile_bomb.png", png(c, 2, 8, extra=chunk(b"iCCP", b"k\0\0" + bomb)), c)
    accept("bytes_behind.png", good + b"anything", c)
    accept("jpeg_inside_its_name.jpg", good, c)
    refuse("cut.png", good[: len(good) // 2], "truncated")
    refuse("cut_in_header.png", good[:20], "truncated")
    refuse("cut_signature_only.png", good[:8], "truncated")
    refuse("cut_end.png", good[:-12], "truncated")
    refuse("cut_last_byte.png", good[:-1], "truncated")
    wrong = bytearray(good)
    wrong[len(good) // 2] ^= 0x10
    refuse("wrong_checksum.png", bytes(wrong), "damaged PNG")
    text = bytearray(chunk(b"tEXt", b"k\0words"))
    text[-1] ^= 1
    accept("wrong_checksum_of_a_text.png", png(c, 2, 8, extra=bytes(text)), c)
    refuse("too_few_rows.png", png(c, 2, 8, data=packed_rows(c[:20], 8)), "damaged PNG")
    refuse("bomb.png", png(c, 2, 8, size=(65535, 65535)), "--max-pixels")
    refuse("bomb_interlaced.png", png(c, 2, 8, True, size=(65535, 65535)), "--max-pixels")
    refuse("bomb_largest.png", png(c, 2, 8, size=(2**31 - 1, 2**31 - 1)), "--max-pixels")
    refuse("bomb_long.png", png(c, 2, 8, size=(50_000_000, 1)), "a side may have at most")
    refuse("bomb_high.png", png(c, 2, 8, size=(1, 50_000_000)), "a side may have at most")
    refuse("no_width.png", png(c, 2, 8, size=(0, 10)), "damaged PNG")
    refuse("no_height.png", png(c, 2, 8, size=(10, 0)), "damaged PNG")
    refuse("no_palette.png", png(c[..., :1] % 2, 3, 8), "damaged PNG")


# --- JPEG and WebP, by their libraries ----------------------------------------------------------------------------------


def saved(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def opened(data):
    return numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def ycck(inverted):
    """TurboJPEG writes CMYK as YCCK."""
    library = ctypes.CDLL("libturbojpeg.so.0")
    library.tjInitCompress.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(library.tjInitCompress())
    out, size = ctypes.c_void_p(), ctypes.c_ulong()
    height, width = inverted.shape[:2]
    pixels = numpy.ascontiguousarray(inverted)
    assert library.tjCompress2(handle, ctypes.c_void_p(pixels.ctypes.data), width, 0, height, 11, ctypes.byref(out),
                               ctypes.byref(size), 0, 95, 0) == 0
    return ctypes.string_at(out, size.value)


def find_marker(data, markers):
    at = 2
    while data[at + 1] not in markers:
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return at


def with_size(jpeg, width, height):
    at = find_marker(jpeg, {0xC0, 0xC2})
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


def with_sampling(jpeg, sampling):
    at = find_marker(jpeg, {0xC0, 0xC2})
    data = bytearray(jpeg)
    for component, value in enumerate(sampling):
        data[at + 11 + 3 * component] = value
    return bytes(data)


def make_jpeg():
    small = Image.fromarray(quantised(pattern(), 8).astype(numpy.uint8))
    large = Image.fromarray(quantised(pattern(333, 257), 8).astype(numpy.uint8))
    for name, options in (("444", {"subsampling": 0}), ("422", {"subsampling": 1}), ("420", {"subsampling": 2}),
                          ("progressive", {"progressive": True}), ("optimised", {"optimize": True})):
        for size, picture in (("small", small), ("large", large)):
            data = saved(picture, "JPEG", quality=92, **options)
            accept(f"{name}_{size}.jpg", data, opened(data), 8, 1.2)
    data = saved(large.convert("L"), "JPEG", quality=92)
    accept("grey.jpg", data, opened(data), 8, 1.2)
    ink = numpy.dstack([255 - numpy.asarray(large), quantised(alpha_pattern(333, 257), 8) / 2]).astype(numpy.uint8)
    for name, options in (("cmyk", {}), ("cmyk_progressive", {"progressive": True})):
        data = saved(Image.fromarray(ink, "CMYK"), "JPEG", quality=95, **options)
        accept(f"{name}.jpg", data, opened(data), 8, 1.2)
    data = ycck(255 - ink)
    accept("ycck.jpg", data, opened(data), 8, 1.2)
    for side in (1, 8, 31, 32, 33, 256, 300):
        picture = Image.fromarray(quantised(pattern(side, 2 * side), 8).astype(numpy.uint8))
        data = saved(picture, "JPEG", quality=95, subsampling=0)
        accept(f"{side}x{2 * side}.jpg", data, opened(data), 8, 1.2)
    make_jpeg_turned(large)
    make_jpeg_oddities(large)


def make_jpeg_turned(picture):
    for orientation in range(0, 10):
        exif = Image.Exif()
        exif[274] = orientation
        data = saved(picture, "JPEG", quality=92, exif=exif)
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
        accept(f"exif{orientation}.jpg", data, numpy.asarray(upright), 8, 1.2)
    big_endian = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    plain = saved(picture, "JPEG", quality=92)
    segment = b"\xff\xe1" + struct.pack(">H", len(big_endian) + 2) + big_endian
    data = plain[:2] + segment + plain[2:]
    accept("exif6_big_endian.jpg", data, numpy.asarray(picture.transpose(Image.ROTATE_270)), 9, 1.6)
    broken = b"\xff\xe1\0\x12Exif\0\0MM\0*\xff\xff\xff\xff\0\0"
    accept("exif_broken.jpg", plain[:2] + broken + plain[2:], opened(plain), 8, 1.2)


def make_jpeg_oddities(picture):
    good = saved(picture, "JPEG", quality=92)
    scan = find_marker(good, {0xDA})
    table = find_marker(good, {0xC4})
    accept("bytes_behind.jpg", good + b"\0\0anything", opened(good), 8, 1.2)
    accept("stray_bytes.jpg", good[:table] + b"\0\x01\x02" + good[table:], opened(good), 8, 1.2)
    accept("fill_bytes.jpg", good[:table] + b"\xff\xff\xff" + good[table:], opened(good), 8, 1.2)
    grey = saved(picture.convert("L"), "JPEG", quality=92)
    accept("grey_sampled_22.jpg", with_sampling(grey, [0x22]), opened(grey), 8, 1.2)
    accept("webp_in_its_name.webp", good, opened(good), 8, 1.2)
    refuse("cut.jpg", good[: len(good) // 2], "truncated")
    refuse("cut_progressive.jpg", (lambda d: d[: len(d) * 2 // 3])(saved(picture, "JPEG", progressive=True)), "truncated")
    refuse("cut_in_header.jpg", good[:100], "truncated")
    refuse("cut_before_scan.jpg", good[:scan], "damaged JPEG")
    refuse("cut_end.jpg", good[:-2], "truncated")
    refuse("cut_last_byte.jpg", good[:-1], "truncated")
    refuse("cut_behind.jpg", good[: len(good) // 2] + b"\xff\xd9", "truncated")
    wrong = bytearray(good)
    for i in range(scan + 60, scan + 400):
        wrong[i] = 0x55 if i % 3 else 0xFE
    refuse("wrong_data.jpg", bytes(wrong), "damaged JPEG")
    refuse("bomb.jpg", with_size(good, 65500, 65500), "--max-pixels")
    refuse("bomb_progressive.jpg", with_size(saved(picture, "JPEG", progressive=True), 65500, 65500), "--max-pixels")
    refuse("no_width.jpg", with_size(good, 0, 100), "damaged JPEG")
    refuse("no_height.jpg", with_size(good, 100, 0), "damaged JPEG")


def make_webp():
    colours = quantised(pattern(83, 71), 8).astype(numpy.uint8)
    alpha = quantised(alpha_pattern(83, 71), 8).astype(numpy.uint8)
    plain, clear = Image.fromarray(colours), Image.fromarray(numpy.dstack([colours, alpha]))
    data = saved(plain, "WEBP", quality=90)
    accept("lossy.webp", data, opened(data), 4, 1)
    accept("lossless.webp", saved(plain, "WEBP", lossless=True), colours)
    lossless = saved(clear, "WEBP", lossless=True, exact=True)
    accept("lossless_alpha.webp", lossless, over_white(colours, alpha / 255))
    data = saved(clear, "WEBP", quality=90)
    rgba = numpy.asarray(Image.open(io.BytesIO(data)).convert("RGBA")).astype(float)
    accept("lossy_alpha.webp", data, over_white(rgba[..., :3], rgba[..., 3] / 255), 4, 1)
    others = [Image.fromarray(255 - colours), Image.fromarray(colours[::-1])]
    moving = saved(plain, "WEBP", lossless=True, save_all=True, append_images=others, duration=50)
    accept("moving.webp", moving, colours)
    part = numpy.zeros((71, 83, 4), numpy.uint8)
    part[20:50, 10:60, :3] = colours[20:50, 10:60]
    part[20:50, 10:60, 3] = 255
    moving_part = saved(Image.fromarray(part), "WEBP", lossless=True, exact=True, save_all=True,
                        append_images=[Image.fromarray(part[::-1].copy())], duration=50)
    accept("moving_part.webp", moving_part, over_white(part[..., :3], part[..., 3] / 255))
    accept("png_in_its_name.png", saved(plain, "WEBP", lossless=True), colours)
    for name, good in (("lossy", saved(plain, "WEBP", quality=90)), ("lossless", lossless), ("moving", moving)):
        refuse(f"cut_{name}.webp", good[: len(good) // 2], "truncated")
        refuse(f"cut_end_{name}.webp", good[:-4], "truncated")
        refuse(f"cut_header_{name}.webp", good[:18], "truncated")
    wrong = bytearray(lossless)
    wrong[len(wrong) // 2 :] = bytes(len(wrong) - len(wrong) // 2)
    refuse("wrong_data.webp", bytes(wrong[:40]) + bytes(b ^ 0x5A for b in lossless[40:]), "damaged WebP")
    claim = b"VP8L" + struct.pack("<I", 10) + b"\x2f" + struct.pack("<I", 16383 | 16383 << 14) + bytes(5)
    refuse("bomb.webp", b"RIFF" + struct.pack("<I", 4 + len(claim)) + b"WEBP" + claim, "--max-pixels")


# --- GIF, TIFF, BMP, HEIC and AVIF ---------------------------------------------------------------------------------------


def make_gif():
    picture = Image.fromarray(quantised(pattern(), 8).astype(numpy.uint8)).quantize(60)
    plain, colours = saved(picture, "GIF", interlace=0), numpy.asarray(picture.convert("RGB"))
    accept("plain.gif", plain, colours)
    accept("interlaced.gif", saved(picture, "GIF", interlace=1), colours)
    accept("moving.gif", saved(picture, "GIF", save_all=True, append_images=[picture.rotate(180)]), colours)
    accept("gif.png", saved(picture, "GIF"), colours)
    index = numpy.asarray(picture)
    clear = saved(picture, "GIF", transparency=int(index[5, 7]))
    accept("clear.gif", clear, numpy.where((index == index[5, 7])[..., None], 255, colours))
    at = plain.index(b",", 13 + 3 * 64)  # the picture's own place and size, 10 pixels from the corner of a larger screen
    screen = plain[:6] + struct.pack("<HH", WIDTH + 20, HEIGHT + 30) + plain[10:at]
    white = numpy.full((HEIGHT + 30, WIDTH + 20, 3), 255)
    white[10 : 10 + HEIGHT, 10 : 10 + WIDTH] = colours
    accept("part.gif", screen + b"," + struct.pack("<HH", 10, 10) + plain[at + 5 :], white)
    refuse("cut.gif", plain[: len(plain) // 2], "truncated")
    refuse("cut_in_header.gif", plain[:9], "truncated")
    refuse("no_picture.gif", plain[:at] + b";", "contains no picture")
    refuse("bomb.gif", plain[:6] + b"\xff\xff\xff\xff" + plain[10:], "--max-pixels")


def make_tiff():
    colours, alpha = quantised(pattern(), 8).astype(numpy.uint8), quantised(alpha_pattern(), 8).astype(numpy.uint8)
    picture = Image.fromarray(colours)
    for name, options in (("raw", {}), ("lzw", {"compression": "tiff_lzw"}), ("deflate", {"compression": "tiff_adobe_deflate"}),
                          ("packbits", {"compression": "packbits"})):
        accept(f"{name}.tif", saved(picture, "TIFF", **options), colours)
    data = saved(picture, "TIFF", compression="jpeg")
    accept("jpeg.tif", data, opened(data), 8, 1.2)
    refuse("cut_jpeg.tif", data.replace(data[len(data) // 2 : len(data) // 2 + 200], bytes(200)), "damaged TIFF")
    one = picture.convert("1")
    accept("group4.tif", saved(one, "TIFF", compression="group4"), numpy.asarray(one.convert("RGB")))
    indexed = picture.quantize(90)
    accept("palette.tif", saved(indexed, "TIFF"), numpy.asarray(indexed.convert("RGB")))
    accept("grey.tif", saved(picture.convert("L"), "TIFF"), numpy.asarray(picture.convert("L").convert("RGB")))
    wide = Image.fromarray(colours[..., 2].astype(numpy.uint16) * 257)
    accept("grey16.tif", saved(wide, "TIFF"), numpy.repeat(colours[..., 2:], 3, axis=2))
    clear = saved(Image.fromarray(numpy.dstack([colours, alpha])), "TIFF")
    accept("alpha.tif", clear, over_white(colours, alpha / 255), 2)
    ink = numpy.dstack([255 - colours, alpha // 2])
    accept("cmyk.tif", saved(Image.fromarray(ink, "CMYK"), "TIFF"), opened(saved(Image.fromarray(ink, "CMYK"), "TIFF")), 2)
    turns = [None, Image.FLIP_LEFT_RIGHT, Image.ROTATE_180, Image.FLIP_TOP_BOTTOM, Image.TRANSPOSE, Image.ROTATE_270,
             Image.TRANSVERSE, Image.ROTATE_90]
    for i, turn in enumerate(turns):
        upright = picture if turn is None else picture.transpose(turn)
        accept(f"turned{i + 1}.tif", saved(picture, "TIFF", tiffinfo={274: i + 1}), numpy.asarray(upright))
    pages = saved(picture, "TIFF", save_all=True, append_images=[picture.rotate(180)])
    accept("pages.tif", pages, colours)
    raw = saved(picture, "TIFF")
    refuse("cut.tif", raw[: len(raw) // 2], "damaged TIFF")
    refuse("cut_in_header.tif", raw[:9], "damaged TIFF")
    size = raw.index(struct.pack("<HHII", 256, 4, 1, WIDTH)) if struct.pack("<HHII", 256, 4, 1, WIDTH) in raw else None
    kind = "<HHII" if size is not None else "<HHIHH"
    entry = lambda tag, value: struct.pack(kind, tag, 4, 1, value) if kind == "<HHII" else struct.pack(kind, tag, 3, 1, value, 0)
    big = raw.replace(entry(256, WIDTH), struct.pack("<HHII", 256, 4, 1, 900000))
    big = big.replace(entry(278, HEIGHT), struct.pack("<HHII", 278, 4, 1, 900000))  # one strip: libtiff 4.5.1 opens no file whose list of strips is cut
    refuse("bomb.tif", big.replace(entry(257, HEIGHT), struct.pack("<HHII", 257, 4, 1, 900000)), "--max-pixels")


def make_bmp():
    picture = Image.fromarray(quantised(pattern(), 8).astype(numpy.uint8))
    colours = numpy.asarray(picture)
    plain = saved(picture, "BMP")
    accept("rgb.bmp", plain, colours)
    for name, other in (("one", picture.convert("1")), ("grey", picture.convert("L")), ("palette", picture.quantize(200))):
        accept(f"{name}.bmp", saved(other, "BMP"), numpy.asarray(other.convert("RGB")))
    rows = colours.astype(int)
    words = (rows[..., 0] >> 3) << 11 | (rows[..., 1] >> 2) << 5 | rows[..., 2] >> 3
    packed = b"".join(row.astype("<u2").tobytes() + bytes(-2 * WIDTH % 4) for row in words[::-1])
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    head = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 16, 3, len(packed), 2835, 2835, 0, 0)
    file = lambda body, offset: b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, offset) + body
    five = numpy.dstack([(rows[..., 0] >> 3) * 255 / 31, (rows[..., 1] >> 2) * 255 / 63, (rows[..., 2] >> 3) * 255 / 31])
    accept("bitfields565.bmp", file(head + masks + packed, 14 + 40 + 12), five, 3, 1.2)
    down = struct.pack("<IiiHHIIiiII", 40, WIDTH, -HEIGHT, 1, 24, 0, 0, 2835, 2835, 0, 0)
    lines = b"".join(row[:, ::-1].tobytes() + bytes(-3 * WIDTH % 4) for row in colours)
    accept("top_down.bmp", file(down + lines, 54), colours)
    grey = numpy.asarray(picture.convert("L"))
    palette = b"".join(bytes([i, i, i, 0]) for i in range(256))
    runs = b"".join(b"".join(bytes([1, v]) for v in row) + b"\0\0" for row in grey[::-1].tolist()) + b"\0\1"
    head = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 8, 1, len(runs), 2835, 2835, 256, 0)
    accept("runs.bmp", file(head + palette + runs, 54 + 1024), numpy.repeat(grey[..., None], 3, axis=2))
    refuse("claims.bmp", plain[:14] + struct.pack("<I", 0xE0000000) + plain[18:], "damaged BMP")
    refuse("claims_colours.bmp", plain[:46] + struct.pack("<I", 0xF0000000) + plain[50:], "damaged BMP")
    refuse("cut.bmp", plain[: len(plain) // 2], "damaged BMP")
    refuse("cut_in_header.bmp", plain[:20], "damaged BMP")
    refuse("bomb.bmp", plain[:18] + struct.pack("<ii", 60000, 60000) + plain[26:], "--max-pixels")


def encoded(picture, ending, *words, kind="PNG", **options):
    with tempfile.TemporaryDirectory() as folder:
        source, out = os.path.join(folder, f"p.{'jpg' if kind == 'JPEG' else 'png'}"), os.path.join(folder, "p." + ending)
        picture.save(source, kind, **options)
        subprocess.run(["heif-enc", *words, source, "-o", out], check=True, capture_output=True)
        return open(out, "rb").read()


def make_heif():
    picture = Image.fromarray(quantised(pattern(83, 71), 8).astype(numpy.uint8))
    colours = numpy.asarray(picture)
    alpha = quantised(alpha_pattern(83, 71), 8).astype(numpy.uint8)
    clear = Image.fromarray(numpy.dstack([colours, alpha]))
    for ending, words in (("heic", []), ("avif", ["-A"])):
        plain = encoded(picture, ending, *words, "-q", "95")
        accept(f"plain.{ending}", plain, colours, 8, 1.2)
        accept(f"alpha.{ending}", encoded(clear, ending, *words, "-q", "95"), over_white(colours, alpha / 255), 8, 1.2)
        accept(f"ten_bits.{ending}", encoded(picture, ending, *words, "-q", "95", "-b", "10"), colours, 8, 1.2)
        accept(f"grey.{ending}", encoded(picture.convert("L"), ending, *words, "-q", "95"), numpy.asarray(picture.convert("L").convert("RGB")), 8, 1.2)
        exif = Image.Exif()
        exif[274] = 6
        turned = encoded(picture, ending, *words, "-q", "95", kind="JPEG", quality=97, subsampling=0, exif=exif)
        if b"irot" in turned:  # the file turns itself: not by EXIF once more
            accept(f"turned.{ending}", turned, numpy.asarray(picture.transpose(Image.ROTATE_270)), 9, 1.6)
        adobe = encoded(picture, ending, *words, "-q", "95", icc_profile=profile(*ADOBE))
        accept(f"adobe.{ending}", adobe, to_srgb(colours, *ADOBE), 10, 1.5)
        refuse(f"cut.{ending}", plain[: len(plain) * 2 // 3], "damaged AVIF or HEIC")
        refuse(f"cut_in_header.{ending}", plain[:40], "damaged AVIF or HEIC")
        boxes = plain.split(b"ispe")  # each is followed by 4 bytes, width and height
        large = [boxes[0]] + [box[:4] + struct.pack(">II", 30000, 30000) + box[12:] for box in boxes[1:]]
        refuse(f"bomb.{ending}", b"ispe".join(large), "--max-pixels")


# --- HEIF made up of other items, from scratch (ISO/IEC 23008-12, 6.6.2; ISO/IEC 14496-12, 8.11) ----------------------------


def box(kind, *parts):
    return struct.pack(">I", 8 + sum(map(len, parts))) + kind + b"".join(parts)


def full_box(kind, version, *parts):
    return box(kind, struct.pack(">I", version << 24), *parts)


def derived(kind, data, made_of, size, tile=None):
    """Item 1, of that kind, data and size, is made of the items `made_of`; item 2, if any, is a coded tile: its hvcC, size, bytes."""
    def extents(number, item, at):
        return struct.pack(">HHHHII", number, 1, 0, 1, at, len(item))

    def entry(number, name):
        return full_box(b"infe", 2, struct.pack(">HH", number, 0), name, b"\0")

    def ispe(width, height):
        return full_box(b"ispe", 0, struct.pack(">II", width, height))

    items = [data] + ([tile[2]] if tile else [])
    places = b"".join(extents(i + 1, item, sum(map(len, items[:i]))) for i, item in enumerate(items))
    properties = [ispe(*size), full_box(b"pixi", 0, bytes([3, 8, 8, 8]))] + ([tile[0], ispe(*tile[1])] if tile else [])
    meta = full_box(
        b"meta", 0, full_box(b"hdlr", 0, bytes(4), b"pict", bytes(13)), full_box(b"pitm", 0, struct.pack(">H", 1)),
        full_box(b"iloc", 1, bytes([0x44, 0]), struct.pack(">H", len(items)), places),
        full_box(b"iinf", 0, struct.pack(">H", len(items)), entry(1, kind), *([entry(2, b"hvc1")] if tile else [])),
        full_box(b"iref", 0, box(b"dimg", struct.pack(f">HH{len(made_of)}H", 1, len(made_of), *made_of))),
        box(b"iprp", box(b"ipco", *properties),
            full_box(b"ipma", 0, struct.pack(">IHBBB", len(items), 1, 2, 1, 2), struct.pack(">HBBB", 2, 2, 0x83, 4) if tile else b"")),
        box(b"idat", *items))
    return box(b"ftyp", b"heic", bytes(4), b"mif1heic") + meta


def grid(rows, columns, width, height):
    return struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, width, height)


def make_derived_heif():
    picture = Image.fromarray(quantised(pattern(64, 64), 8).astype(numpy.uint8))
    coded = encoded(picture, "heic", "-q", "95")
    at, media = coded.index(b"hvcC") - 4, coded.index(b"mdat")
    tile = coded[at : at + struct.unpack(">I", coded[at : at + 4])[0]], (64, 64), coded[media + 4 :]
    colours = numpy.tile(numpy.asarray(picture), (2, 2, 1))[:120, :100]
    accept("grid.heic", derived(b"grid", grid(2, 2, 100, 120), [2, 2, 2, 2], (100, 120), tile), colours, 8, 1.2)
    refuse("grid_claims.heic", derived(b"grid", grid(2, 2, 30000, 30000), [2, 2, 2, 2], (100, 120), tile), "damaged")
    refuse("grid_of_itself.heic", derived(b"grid", grid(1, 1, 100, 120), [1], (100, 120)), "damaged")
    refuse("itself.heic", derived(b"iden", b"", [1], (100, 120)), "damaged")


# --- colour profiles, from scratch -----------------------------------------------------------------------------------------

# Chromaticities of red, green, blue and white, and the curve: a gamma.
D65, D50 = (0.3127, 0.3290), (0.3457, 0.3585)
ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), D65, 563 / 256
DISPLAY_P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)), D65, 563 / 256  # with a gamma in place of its curve
PROPHOTO = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), D50, 1.8
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), D65, 2.2
BRADFORD = numpy.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def xyz(x, y):
    return numpy.array([x / y, 1, (1 - x - y) / y])


def to_d50(primaries, white):
    """The matrix from linear colours to XYZ, adapted to D50 as profiles are."""
    columns = numpy.stack([xyz(*p) for p in primaries], axis=1)
    matrix = columns * numpy.linalg.solve(columns, xyz(*white))
    cones = numpy.diag((BRADFORD @ xyz(*D50)) / (BRADFORD @ xyz(*white)))
    return numpy.linalg.inv(BRADFORD) @ cones @ BRADFORD @ matrix


def profile(primaries, white, gamma, space=b"RGB "):
    fixed = lambda v: struct.pack(">i", int(round(v * 65536)))
    vector = lambda v: b"XYZ \0\0\0\0" + b"".join(map(fixed, v))
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, int(round(gamma * 256))) + b"\0\0"
    matrix = to_d50(primaries, white)
    tags = [(b"desc", b"desc" + bytes(4) + struct.pack(">I", 2) + b"p\0" + bytes(12 + 67 + 3)), (b"wtpt", vector(xyz(*D50))), (b"cprt", b"text\0\0\0\0none")]
    if space == b"GRAY":
        tags += [(b"kTRC", curve)]
    else:
        tags += [(name, vector(matrix[:, i])) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))]
        tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    return wrapped(space, b"XYZ ", b"mntr", tags)


def wrapped(space, connection, kind, tags):
    table, data, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags:
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", at + len(data), len(content))
        data += content
    head = struct.pack(">I4sI4s4s4s12s4s", at + len(data), b"none", 0x02400000, kind, space, connection, bytes(12), b"acsp")
    head += bytes(68 - len(head)) + struct.pack(">iii", 63190, 65536, 54061)
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + data


def ink_profile():
    """CMYK by a table of the 16 corners, in Lab: paper is white, all inks are dark, and cyan is bluer than ours."""
    corners = b""
    for i in range(16):
        c, m, y, k = i >> 3 & 1, i >> 2 & 1, i >> 1 & 1, i & 1
        light = max(5, 95 - 35 * c - 40 * m - 10 * y - 85 * k)
        corners += bytes([light * 255 // 100, 128 - (1 - k) * (30 * c - 60 * m), 128 - (1 - k) * (45 * c - 70 * y)])
    ramp = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + b"".join(struct.pack(">i", 65536 * (i % 4 == 0)) for i in range(9))
    lut += ramp * 4 + corners + ramp * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)
    return wrapped(b"CMYK", b"Lab ", b"prtr", [(b"desc", b"desc" + bytes(4) + struct.pack(">I", 2) + b"p\0" + bytes(82)), (b"wtpt", white),
                                                (b"cprt", b"text\0\0\0\0none"), (b"A2B0", lut)])


def to_srgb(colours, primaries, white, gamma):
    """By the definitions, in floating point."""
    linear = (numpy.asarray(colours, float) / 255) ** gamma
    ours = linear @ to_d50(primaries, white).T @ numpy.linalg.inv(to_d50(*SRGB[:2])).T
    ours = numpy.clip(ours, 0, 1)
    return 255 * numpy.where(ours <= 0.0031308, 12.92 * ours, 1.055 * ours ** (1 / 2.4) - 0.055)


def make_profiles():
    picture = Image.fromarray(quantised(pattern(), 8).astype(numpy.uint8))
    colours, alpha = numpy.asarray(picture), quantised(alpha_pattern(), 8).astype(numpy.uint8)
    clear = Image.fromarray(numpy.dstack([colours, alpha]))
    for name, space in (("adobe", ADOBE), ("display_p3", DISPLAY_P3), ("prophoto", PROPHOTO)):
        icc, ours = profile(*space), to_srgb(colours, *space)
        accept(f"{name}.png", saved(picture, "PNG", icc_profile=icc), ours, 2)
        accept(f"{name}.tif", saved(picture, "TIFF", icc_profile=icc), ours, 2)
        accept(f"{name}.webp", saved(picture, "WEBP", lossless=True, icc_profile=icc), ours, 2)
        data = saved(picture, "JPEG", quality=97, subsampling=0, icc_profile=icc)
        accept(f"{name}.jpg", data, to_srgb(opened(data), *space), 8, 1.2)
        accept(f"{name}_alpha.png", saved(clear, "PNG", icc_profile=icc), over_white(ours, alpha / 255), 2)
    accept("srgb.png", saved(picture, "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()), colours)
    icc, grey = profile(*SRGB[:2], 1.0, b"GRAY"), picture.convert("L")
    light = numpy.repeat(numpy.asarray(grey)[..., None], 3, axis=2)
    accept("grey_profile.png", saved(grey, "PNG", icc_profile=icc), to_srgb(light, *SRGB[:2], 1.0), 2)
    ink = Image.fromarray(numpy.dstack([255 - colours, alpha // 2]), "CMYK")
    data = saved(ink, "TIFF", icc_profile=ink_profile())
    theirs = lambda p: numpy.asarray(ImageCms.profileToProfile(p, io.BytesIO(ink_profile()), ImageCms.createProfile("sRGB"), outputMode="RGB"))
    accept("inks_profile.tif", data, theirs(ink), 2)
    data = saved(ink, "JPEG", quality=97, subsampling=0, icc_profile=ink_profile())
    accept("inks_profile.jpg", data, theirs(Image.open(io.BytesIO(data))), 8, 1.2)
    for name, broken in (("cut", profile(*ADOBE)[:200]), ("words", b"no profile at all" * 20), ("inks", ink_profile())):
        accept(f"profile_{name}.tif", saved(picture, "TIFF", icc_profile=broken), colours)
        accept(f"profile_{name}.webp", saved(picture, "WEBP", lossless=True, icc_profile=broken), colours)
        accept(f"profile_{name}.png", saved(picture, "PNG", icc_profile=broken), colours)


def tiff(samples, photometric, kind=1, extras=(), planar=False, tile=None, icc=None):
    """[height, width, samples] of 8 or 16 bits, by hand: in tiles, or in strips of 7 rows; kind: what the numbers are (SampleFormat)."""
    height, width, count = samples.shape
    down, across = tile or (7, width)
    blocks = []
    for plane in range(count) if planar else [slice(None)]:
        for y in range(0, height, down):
            for x in range(0, width, across):
                part = samples[y : y + down, x : x + across, plane]
                if tile:
                    part = numpy.pad(part, [(0, down - part.shape[0]), (0, across - part.shape[1])] + [(0, 0)] * (part.ndim - 2))
                blocks.append(part.astype(samples.dtype.newbyteorder("<")).tobytes())
    tags = [(256, "I", [width]), (257, "I", [height]), (258, "H", [samples.dtype.itemsize * 8] * count), (259, "H", [1]), (262, "H", [photometric])]
    tags += [(277, "H", [count]), (284, "H", [2 if planar else 1]), (339, "H", [kind] * count)]
    tags += [(338, "H", list(extras))] if extras else []
    tags += [(322, "I", [across]), (323, "I", [down])] if tile else [(278, "I", [down])]
    tags += [(34675, "B", list(icc))] if icc else []
    at = 8 + sum(map(len, blocks))
    places = [8 + sum(map(len, blocks[:i])) for i in range(len(blocks))]
    tags += [(324 if tile else 273, "I", places), (325 if tile else 279, "I", [len(b) for b in blocks])]
    entries, beyond, begin = b"", b"", at + 2 + 12 * len(tags) + 4
    for tag, letter, values in sorted(tags):
        data = struct.pack(f"<{len(values)}{letter}", *values)
        if len(data) > 4:
            data, beyond = struct.pack("<I", begin + len(beyond)), beyond + data + bytes(len(data) % 2)
        entries += struct.pack("<HHI", tag, {"B": 1, "H": 3, "I": 4}[letter], len(values)) + data.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", at) + b"".join(blocks) + struct.pack("<H", len(tags)) + entries + bytes(4) + beyond


def make_tiff_samples():
    """Kinds of samples that libtiff does not convert as they are meant."""
    colours, alpha = quantised(pattern(), 8).astype(numpy.uint8), quantised(alpha_pattern(), 8).astype(numpy.uint8)
    wide = lambda a: a.astype(numpy.uint16) * 257
    grey = numpy.dstack([colours[..., 1], alpha])
    light = numpy.repeat(colours[..., 1:2], 3, axis=2)
    accept("grey_alpha.tif", tiff(grey, 1, extras=[2]), over_white(light, alpha / 255), 2)
    accept("grey_alpha16.tif", tiff(wide(grey), 1, extras=[2], planar=True), over_white(light, alpha / 255), 2)
    accept("grey_inverted_alpha.tif", tiff(grey, 0, extras=[2], tile=(16, 32)), over_white(255 - light, alpha / 255), 2)
    multiplied = numpy.dstack([numpy.rint(grey[..., 0] * (alpha / 255.0)).astype(numpy.uint8), alpha])
    accept("grey_multiplied.tif", tiff(multiplied, 1, extras=[1]), over_white(light, alpha / 255), 3)
    accept("fourth_sample.tif", tiff(numpy.dstack([colours, alpha]), 2, extras=[0]), colours)
    ink = numpy.dstack([255 - colours, alpha // 2])
    theirs = ImageCms.profileToProfile(Image.fromarray(ink, "CMYK"), io.BytesIO(ink_profile()), ImageCms.createProfile("sRGB"), outputMode="RGB")
    for name, options in (("tiled", {"tile": (16, 16)}), ("planar", {"planar": True}), ("tiled_planar", {"tile": (32, 16), "planar": True})):
        accept(f"inks_{name}.tif", tiff(ink, 5, icc=ink_profile(), **options), numpy.asarray(theirs), 2)
    lost = tiff(ink, 5, icc=ink_profile())[:-100]
    accept("profile_lost.tif", lost, opened(saved(Image.fromarray(ink, "CMYK"), "TIFF")), 2)
    accept("inks16.tif", tiff(wide(ink), 5, icc=ink_profile(), tile=(16, 48)), numpy.asarray(theirs), 2)
    picture = Image.fromarray(colours)
    lab = ImageCms.profileToProfile(picture, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB")
    back = ImageCms.profileToProfile(lab, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB")
    accept("lab.tif", saved(lab, "TIFF"), numpy.asarray(back), 2)
    unsigned = numpy.asarray(lab) ^ numpy.array([0, 128, 128], numpy.uint8)  # as an array a and b are signed
    accept("icc_lab.tif", tiff(unsigned, 9), numpy.asarray(back), 2)
    accept("icc_lab16.tif", tiff(unsigned.astype(numpy.uint16) << 8, 9, planar=True), numpy.asarray(back), 2)
    refuse("signed.tif", tiff(grey[..., :1].astype(numpy.int16), 1, kind=2), "signed or floating-point")
    refuse("half.tif", tiff(colours.astype(numpy.float16) / 255, 2, kind=3), "signed or floating-point")
    high = tiff(grey, 0, extras=[2], tile=(16, 32))
    refuse("tile_bomb.tif", high.replace(struct.pack("<HHII", 323, 4, 1, 16), struct.pack("<HHII", 323, 4, 1, 167772176)), "too much memory")
    cut = tiff(ink, 5, icc=ink_profile(), tile=(16, 16))
    at = cut.index(struct.pack("<HHI", 324, 4, 9)) + 8
    place = struct.unpack("<I", cut[at : at + 4])[0]
    refuse("inks_outside.tif", cut[: place + 32] + struct.pack("<I", 1 << 30) + cut[place + 36 :], "damaged TIFF")


def make_turned():
    """EXIF in PNG - before and after the pixels - and in WebP."""
    picture = Image.fromarray(quantised(pattern(), 8).astype(numpy.uint8))
    for orientation in (1, 3, 6, 8):
        exif = Image.Exif()
        exif[274] = orientation
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(saved(picture, "PNG", exif=exif))))
        accept(f"turned{orientation}.png", saved(picture, "PNG", exif=exif), numpy.asarray(upright))
        accept(f"turned{orientation}.webp", saved(picture, "WEBP", lossless=True, exif=exif), numpy.asarray(upright))
        plain = saved(picture, "PNG")
        behind = plain[:-12] + chunk(b"eXIf", exif.tobytes()[6:]) + plain[-12:]
        accept(f"turned{orientation}_behind.png", behind, numpy.asarray(upright))


def make_others():
    refuse("empty.png", b"", "empty")
    refuse("text.jpg", b"these are words, not a picture\n" * 5, "not a PNG")
    refuse("page.png", b"<!DOCTYPE html><title>404</title>", "looks like HTML")
    refuse("small_letters.png", b"\xef\xbb\xbf\n <!doctype html><title>404</title>", "looks like HTML")
    refuse("three_bytes.jpg", b"\xff\xd8\xff", "truncated")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for name in os.listdir(FOLDER):
        os.remove(os.path.join(FOLDER, name))
    make_png()
    make_jpeg()
    make_webp()
    make_gif()
    make_tiff()
    make_bmp()
    make_heif()
    make_profiles()
    make_turned()
    make_others()
    make_tiff_samples()
    make_derived_heif()
    put("expected.bin", numpy.stack(pictures).tobytes())
    put("expected.txt", ("\n".join(lines) + "\n").encode())


main()
