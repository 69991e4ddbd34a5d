"""The reconstruction loss that `akin train` reaches, against the same network in PyTorch, on the same pictures.

usage: AKIN=build/akin bench_training_loss.py CATALOG.nc [--epochs 10] [--ranks 1] [--seeds 1] [--threads 1]
needs: torch, netCDF4. Both sides: all pictures (no holdout), batches of 256, Adam at 1e-3, Glorot-uniform weights and
zero biases; each its own random numbers. The loss of an epoch is the mean over its steps, as both see it on their way.
Prints one JSON line a seed and side, interleaved, and at the end the ratio of the means of the last epoch. Not a test:
it takes minutes. What it gave stands in results/training.md.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time

import netCDF4
import numpy as np
import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("catalog")
p.add_argument("--epochs", type=int, default=10)
p.add_argument("--ranks", type=int, default=1)
p.add_argument("--seeds", type=int, default=1)
p.add_argument("--threads", type=int, default=1)
a = p.parse_args()
BATCH, RATE = 256, 1e-3


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4096, 128), nn.ReLU(), nn.Linear(128, 32))
        self.seed = nn.Sequential(nn.Linear(32, 64), nn.ReLU())
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(1, 64, 3, 2, 1, 1), nn.ReLU(), nn.ConvTranspose2d(64, 32, 3, 2, 1, 1), nn.ReLU(),
            nn.Conv2d(32, 3, 3, padding=1), nn.Sigmoid())
        for layer in self.modules():
            if hasattr(layer, "weight"):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, x):
        return self.decoder(self.seed(self.encoder(x)).view(-1, 1, 8, 8))


def with_torch(images, seed):
    torch.manual_seed(seed)
    torch.set_num_threads(a.threads)
    network = Network().to(memory_format=torch.channels_last)
    assert sum(w.numel() for w in network.parameters()) == 570019
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    curve, start = [], time.perf_counter()
    for _ in range(a.epochs):
        order, total = torch.randperm(len(images)), 0.0
        for first in range(0, len(images), BATCH):
            x = torch.from_numpy(images[order[first : first + BATCH].numpy()]).permute(0, 3, 1, 2).float() / 255
            optimiser.zero_grad()
            loss = ((network(x) - x) ** 2).mean()
            loss.backward()
            optimiser.step()
            total += float(loss) * len(x)
        curve.append(total / len(images))
    rate = a.epochs * len(images) / (time.perf_counter() - start)
    return dict(side="torch", version=torch.__version__, seed=seed, curve=curve, images_per_second=rate)


def with_akin(seed):
    with tempfile.TemporaryDirectory() as folder:
        launch = ["mpirun", "-n", str(a.ranks)] if a.ranks > 1 else []
        call = [os.environ["AKIN"], "train", a.catalog, "-o", f"{folder}/model.nc", "--epochs", str(a.epochs), "--batch",
                str(BATCH), "--learning-rate", str(RATE), "--seed", str(seed), "--holdout", "0", "--objective",
                "reconstruction", "--features", "autoencoder", "--quiet", "--json"]
        done = json.loads(subprocess.run(launch + call, check=True, capture_output=True).stdout)
    return dict(side="akin", ranks=a.ranks, seed=seed, curve=done["curve"], images_per_second=done["images_per_second"])


with netCDF4.Dataset(a.catalog) as dataset:
    pictures = np.asarray(dataset["image"][...])
last = {"akin": [], "torch": []}
for number in range(1, a.seeds + 1):
    for result in (with_akin(number), with_torch(pictures, number)):
        print(json.dumps(result), flush=True)
        last[result["side"]].append(result["curve"][-1])
mean = {side: sum(values) / len(values) for side, values in last.items()}
print(json.dumps(dict(items=len(pictures), epochs=a.epochs, akin=mean["akin"], torch=mean["torch"],
                      ratio=mean["akin"] / mean["torch"])))
