"""Ways to make vectors of pictures that are not in the product, to compare its own with. Used by bench_quality.py.

A way is a function of the catalogue's pictures u8 [n, 32, 32, 3] and a seed that returns a function from pictures to
vectors; it is fitted on the catalogue, without labels.
"""

import numpy

SIDE = 32


def centred(pictures, seed):
    flat = lambda x: x.reshape(len(x), -1).astype(numpy.float32) / 255
    mean = flat(pictures).mean(0)
    return lambda x: flat(x) - mean


def axes(rows, dim, power):
    """Onto the dim axes of largest variance, each divided by eigenvalue^power."""
    mean = rows.mean(0)
    apart = (rows - mean).astype(numpy.float64)
    if len(rows) > rows.shape[1]:
        value, vector = numpy.linalg.eigh(apart.T @ apart / len(rows))
    else:  # the same axes from the smaller matrix
        value, vector = numpy.linalg.eigh(apart @ apart.T / len(rows))
        vector = apart.T @ vector / numpy.sqrt(numpy.maximum(value, value[-1] * 1e-12) * len(rows))
    value, vector = numpy.maximum(value[::-1][:dim], value[-1] * 1e-6), vector[:, ::-1][:, :dim]
    turn = (vector / value**power).astype(numpy.float32)
    return lambda x: (x - mean) @ turn


def centres(rows, count, rounds, draw):
    """k-means of Lloyd, from random rows."""
    found = rows[draw.permutation(len(rows))[:count]].copy()
    for _ in range(rounds):
        nearest = (rows @ found.T - (found**2).sum(1) / 2).argmax(1)
        for i in range(count):
            own = rows[nearest == i]
            found[i] = own.mean(0) if len(own) else rows[draw.randint(len(rows))]
    return found


def between(at, bins, around=False):
    """Distributes each value of [0, 1] over its two nearest bins: [(bin, share), (bin, share)]."""
    place = at * bins - 0.5 if around else at * (bins - 1)
    low = numpy.floor(place).astype(int)
    share = place - low
    if around:
        return [(low % bins, 1 - share), ((low + 1) % bins, share)]
    return [(numpy.minimum(low, bins - 1), 1 - share), (numpy.minimum(low + 1, bins - 1), share)]


def counted(bins, weights, count):
    """Histogram [n, count] of bins [n, ...]."""
    rows = numpy.arange(len(bins)).reshape(-1, *[1] * (bins.ndim - 1)) * count + bins
    return numpy.bincount(rows.ravel(), weights.ravel(), len(bins) * count).reshape(len(bins), count)


def colour_histogram(x):
    """Square roots of the shares of 8 hues x 3 saturations x 3 values."""
    rgb = x.astype(numpy.float32) / 255
    most, least = rgb.max(-1), rgb.min(-1)
    span = numpy.where(most > least, most - least, 1)
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    hue = numpy.where(most == r, (g - b) / span % 6, numpy.where(most == g, (b - r) / span + 2, (r - g) / span + 4)) / 6
    parts = 0
    for h, hs in between(hue, 8, True):
        for s, ss in between((most - least) / numpy.maximum(most, 1e-6), 3):
            for v, vs in between(most, 3):
                parts = parts + counted((h * 3 + s) * 3 + v, hs * ss * vs, 72)
    return numpy.sqrt(parts / SIDE**2)


def orientations(x):
    """Gradients of grey in 4x4 cells of 8 unsigned directions, each picture normalised to unit length."""
    grey = numpy.pad(x @ numpy.array([0.299, 0.587, 0.114], numpy.float32), ((0, 0), (1, 1), (1, 1)), "edge")
    down, right = grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1], grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2]
    cell = numpy.arange(SIDE) // 8
    cells = (cell[:, None] * 4 + cell)[None]
    parts = sum(counted(cells * 8 + d, s * numpy.hypot(down, right), 128)
                for d, s in between(numpy.arctan2(down, right) / numpy.pi % 1, 8, True))
    return parts / numpy.maximum(numpy.linalg.norm(parts, axis=1, keepdims=True), 1e-9)


def binary_patterns(x):
    """Square roots of the shares of the 256 local binary patterns of the inner pixels."""
    grey = x @ numpy.array([0.299, 0.587, 0.114], numpy.float32)
    ways = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
    inner = grey[:, 1:-1, 1:-1]
    codes = sum((grey[:, 1 + dy : 31 + dy, 1 + dx : 31 + dx] >= inner).astype(int) << n for n, (dy, dx) in enumerate(ways))
    return numpy.sqrt(counted(codes, numpy.ones(codes.shape), 256) / 900)


def simple(pictures, seed):
    """Handcrafted as the first table of this project had it: histogram, orientations and patterns, each weighing the same."""
    describe = lambda x: numpy.concatenate([colour_histogram(x), orientations(x), binary_patterns(x)], 1).astype(numpy.float32)
    mean = describe(pictures).mean(0)
    return lambda x: describe(x) - mean


class Patches:
    """k-means features of Coates & Ng ("Learning feature representations with k-means", 2012): patches of 6x6 brought to
    mean 0 and deviation 1, whitened; how much nearer than on average each of 400 centres is; means of four quadrants."""

    WIDE, COUNT, SAMPLE, ROUNDS = 6, 400, 40000, 10

    def __init__(self, pictures, seed):
        draw = numpy.random.RandomState(seed)
        rows = self.cut(pictures[draw.randint(0, len(pictures), self.SAMPLE // 8)])
        rows = self.level(rows[draw.permutation(len(rows))[: self.SAMPLE]])
        self.mean = rows.mean(0)
        value, vector = numpy.linalg.eigh(numpy.cov((rows - self.mean).T))
        self.turn = ((vector / numpy.sqrt(numpy.maximum(value, 0) + 0.1)) @ vector.T).astype(numpy.float32)
        self.found = centres((rows - self.mean) @ self.turn, self.COUNT, self.ROUNDS, draw)

    def cut(self, pictures):
        view = numpy.lib.stride_tricks.sliding_window_view(pictures, (self.WIDE, self.WIDE), axis=(1, 2))
        return view.reshape(-1, self.WIDE * self.WIDE * 3).astype(numpy.float32)

    @staticmethod
    def level(rows):
        return (rows - rows.mean(1, keepdims=True)) / numpy.sqrt(rows.var(1, keepdims=True) + 10)

    def near(self, pictures):
        rows = (self.level(self.cut(pictures)) - self.mean) @ self.turn
        square = (rows**2).sum(1)[:, None] - 2 * rows @ self.found.T + (self.found**2).sum(1)
        distance = numpy.sqrt(numpy.maximum(square, 0))
        places = SIDE - self.WIDE + 1
        return numpy.maximum(0, distance.mean(1, keepdims=True) - distance).reshape(len(pictures), places, places, -1)

    def __call__(self, pictures):
        out = []
        for i in range(0, len(pictures), 50):
            near = self.near(pictures[i : i + 50])
            half = near.shape[1] // 2
            parts = [near[:, y, x].mean((1, 2)) for y in (slice(half), slice(half, None)) for x in (slice(half), slice(half, None))]
            out.append(numpy.concatenate(parts, 1))
        return numpy.concatenate(out)


def patches(pictures, seed):
    describe = Patches(pictures, seed)
    turn = axes(describe(pictures), 64, 0.25)
    return lambda x: turn(describe(x))


# name: the way; the last two are those of this project's first table
WAYS = {"raw pixels": centred, "histogram + HOG 4x4 + LBP": simple, "patches (numpy)": patches}
