"""The reconstruction loss that `akin train` reaches, against the same network in PyTorch, on the same pictures.

usage: AKIN=build/akin bench_training_loss.py CATALOG.nc [--steps 250] [--batch 128] [--rate 0.002] [--seeds 3] [--threads 1]
       [--twin]
needs: torch, netCDF4. Both sides start from the same weights, get the same pictures in the same order, and have the same
learning rate in each step; no holdout. They differ in arithmetic only: in its order, and in how rounding errors grow. The curves are
compared, and at the end the losses of both models over the first 2,000 pictures, both computed by PyTorch. Prints one JSON line per
seed, and at the end the ratio of the means over the seeds. With --twin, PyTorch also trains from weights that are each the next float
above: how far rounding alone moves a run. Not a test: it takes minutes.
"""

import argparse
import copy
import json
import math
import os
import subprocess
import tempfile

import netCDF4
import numpy as np
import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("catalog")
p.add_argument("--steps", type=int, default=250)
p.add_argument("--batch", type=int, default=128)
p.add_argument("--rate", type=float, default=0.002)
p.add_argument("--warmup", type=int, default=50)
p.add_argument("--seeds", type=int, default=3)
p.add_argument("--threads", type=int, default=1)
p.add_argument("--twin", action="store_true")
a = p.parse_args()


# --- the order of the pictures and the rates, as akin has them (rng.c, sampler.c, schedule.c) ---

M64 = (1 << 64) - 1


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def mix(x):
    x = (x ^ x >> np.uint64(33)) * np.uint64(0xFF51AFD7ED558CCD)
    x = (x ^ x >> np.uint64(33)) * np.uint64(0xC4CEB9FE1A85EC53)
    return x ^ x >> np.uint64(33)


def permutation(seed, purpose, stream, n):
    bits = max(6, (n - 1).bit_length())
    left_bits, right_bits = np.uint64(bits // 2), np.uint64(bits - bits // 2)
    keys = []
    for round in range(0, 8, 2):
        counter = 0xFEED000000000000 + round
        w = philox([counter & 0xFFFFFFFF, counter >> 32, stream, purpose], [seed & 0xFFFFFFFF, seed >> 32])
        keys += [np.uint64(w[0] | w[1] << 32), np.uint64(w[2] | w[3] << 32)]
    one = np.uint64(1)
    left_mask, right_mask = (one << left_bits) - one, (one << right_bits) - one

    def walk(x):
        left, right = x >> right_bits, x & right_mask
        for round in range(0, 8, 2):
            left = left ^ (mix(right + keys[round]) & left_mask)
            right = right ^ (mix(left + keys[round + 1]) & right_mask)
        return left << right_bits | right

    with np.errstate(over="ignore"):
        x = walk(np.arange(n, dtype=np.uint64))
        while (outside := x >= n).any():
            x[outside] = walk(x[outside])
    return x.astype(np.int64)


def batches(seed, n):
    split, epoch = permutation(seed, 3, 0, n), 0
    while True:
        order = split[permutation(seed, 2, epoch, n)]
        yield from (order[first : first + a.batch] for first in range(0, n, a.batch))
        epoch += 1


def rate_of(step):
    warmup = min(math.ceil(a.warmup * a.batch / 256), a.steps // 10)
    if step < warmup:
        return a.rate * (step + 1) / (warmup + 1)
    return a.rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (a.steps - warmup)))


# --- the network ---


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1)
        self.hidden, self.latent, self.seed = nn.Linear(4096, 128), nn.Linear(128, 32), nn.Linear(32, 64)
        self.up1, self.up2 = nn.ConvTranspose2d(1, 64, 3, 2, 1, 1), nn.ConvTranspose2d(64, 32, 3, 2, 1, 1)
        self.output = nn.Conv2d(32, 3, 3, padding=1)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2).permute(0, 2, 3, 1).flatten(1)  # row, column, channel
        x = torch.relu(self.seed(self.latent(torch.relu(self.hidden(x)))))
        x = torch.relu(self.up2(torch.relu(self.up1(x.view(-1, 1, 8, 8)))))
        return torch.sigmoid(self.output(x))

    def load(self, path):
        """The weights of a model.nc: [row, column, in, out] of a convolution, [row, column, out, in] of one that is
        transposed, [in, out] of a dense layer."""
        with netCDF4.Dataset(path) as d, torch.no_grad():
            for name, layer in self.named_children():
                w = np.asarray(d[f"{name}_weight"][...])
                w = w.T if w.ndim == 2 else w.transpose(3, 2, 0, 1)
                layer.weight.copy_(torch.from_numpy(w.copy()))
                layer.bias.copy_(torch.from_numpy(np.asarray(d[f"{name}_bias"][...])))
        return self

    def loss_over(self, images):
        total = 0.0
        with torch.no_grad():
            for first in range(0, len(images), 100):
                x = tensor(images[first : first + 100])
                total += float(((self(x) - x) ** 2).mean()) * len(x)
        return total / len(images)


def tensor(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255


def with_torch(network, images, seed):
    optimiser = torch.optim.Adam(network.parameters(), a.rate)
    losses = []
    for step, places in zip(range(a.steps), batches(seed, len(images))):
        x = tensor(images[places])
        optimiser.param_groups[0]["lr"] = rate_of(step)
        optimiser.zero_grad()
        loss = ((network(x) - x) ** 2).mean()
        loss.backward()
        optimiser.step()
        losses.append((float(loss), len(x)))
    return losses


def with_akin(folder, name, seed, *words):
    call = [os.environ["AKIN"], "train", a.catalog, "-o", f"{folder}/{name}", "--batch", str(a.batch), "--seed", str(seed),
            "--holdout", "0", "--objective", "reconstruction", "--features", "autoencoder", "--quiet", "--json",
            "--epochs", "1000", "--warmup", str(a.warmup), *words]
    return json.loads(subprocess.run(call, check=True, capture_output=True).stdout)


with netCDF4.Dataset(a.catalog) as dataset:
    pictures = np.asarray(dataset["image"][...])
torch.set_num_threads(a.threads)
in_epoch = -(-len(pictures) // a.batch)
ends = {"akin": [], "torch": []} | ({"twin": []} if a.twin else {})
for number in range(1, a.seeds + 1):
    with tempfile.TemporaryDirectory() as folder:
        # The initial weights of both: zeros that a step moves to 1e-9 are no longer zeros where a picture is black.
        with_akin(folder, "first.nc", number, "--steps", "1", "--learning-rate", "1e-9")
        network = Network().load(f"{folder}/first.nc").to(memory_format=torch.channels_last)
        assert sum(w.numel() for w in network.parameters()) == 570019
        done = with_akin(folder, "last.nc", number, "--init", f"{folder}/first.nc", "--steps", str(a.steps), "--learning-rate", str(a.rate))
        ours = Network().load(f"{folder}/last.nc").loss_over(pictures[:2000])
    twin = copy.deepcopy(network)
    losses = with_torch(network, pictures, number)
    if a.twin:
        with torch.no_grad():
            for w in twin.parameters():
                w.copy_(torch.nextafter(w, torch.tensor(torch.inf)))
        with_torch(twin, pictures, number)
        ends["twin"].append(twin.loss_over(pictures[:2000]))
    curve = [sum(l * n for l, n in losses[e : e + in_epoch]) / sum(n for _, n in losses[e : e + in_epoch])
             for e in range(0, a.steps, in_epoch)]
    ends["akin"].append(ours)
    ends["torch"].append(network.loss_over(pictures[:2000]))
    print(json.dumps(dict(seed=number, loss_first=dict(akin=done["loss_first"], torch=losses[0][0]),
                          curve=dict(akin=done["curve"], torch=curve),
                          end={side: values[-1] for side, values in ends.items()})), flush=True)
mean = {side: sum(values) / len(values) for side, values in ends.items()}
print(json.dumps(dict(items=len(pictures), steps=a.steps, batch=a.batch, torch=torch.__version__, end=mean,
                      ratio=mean["akin"] / mean["torch"],
                      ratios=[ours / theirs for ours, theirs in zip(ends["akin"], ends["torch"])])))
