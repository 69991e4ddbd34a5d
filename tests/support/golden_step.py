"""The golden step: what an independent implementation (PyTorch, in double precision) makes of fixed weights and pictures.

usage: python3 golden_step.py > golden_step.h    (Debian: python3-torch; run again only when the network changes)

Weights and pictures come from a formula that both sides compute: mix() of a number, an integer hash of 32 bits.
  weight element e of tensor t: (2 * mix(e + 1000003 * t) / 2^32 - 1) * limit, rounded to float;
      limit = sqrt(6 / (fan_in + fan_out)) for weights, 0.1 for biases
  byte b of the pictures [COUNT, 32, 32, 3]: mix(b + 123456789) >> 24
Elements are counted in akin's order (network.h); here they are turned into PyTorch's:
  convolution            [row, column, in, out] -> [out, in, row, column]
  transposed convolution [row, column, out, in] -> [in, out, row, column]
  dense                  [in, out]              -> [out, in]; akin flattens by row, column, channel
The loss is the mean squared error; Adam has a rate of 1e-3, betas 0.9 and 0.999, eps 1e-8.
"""
import numpy as np
import torch
import torch.nn.functional as F

COUNT, STEPS, SAMPLES = 5, 3, 6
TENSORS = [  # name, akin's shape, fan_in, fan_out
    ("conv1_weight", (3, 3, 3, 32), 27, 288), ("conv1_bias", (32,), 0, 0),
    ("conv2_weight", (3, 3, 32, 64), 288, 576), ("conv2_bias", (64,), 0, 0),
    ("hidden_weight", (4096, 128), 4096, 128), ("hidden_bias", (128,), 0, 0),
    ("latent_weight", (128, 32), 128, 32), ("latent_bias", (32,), 0, 0),
    ("seed_weight", (32, 64), 32, 64), ("seed_bias", (64,), 0, 0),
    ("up1_weight", (3, 3, 64, 1), 9, 576), ("up1_bias", (64,), 0, 0),
    ("up2_weight", (3, 3, 32, 64), 576, 288), ("up2_bias", (32,), 0, 0),
    ("output_weight", (3, 3, 32, 3), 288, 27), ("output_bias", (3,), 0, 0)]


def mix(x):
    x = np.asarray(x, dtype=np.uint32)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def weights():
    made = []
    for t, (_, shape, fan_in, fan_out) in enumerate(TENSORS):
        limit = np.sqrt(6.0 / (fan_in + fan_out)) if fan_in else 0.1
        count = np.arange(np.prod(shape), dtype=np.uint64) + 1000003 * t
        values = (2 * (mix(count) / 2.0 ** 32) - 1) * limit
        made.append(torch.tensor(values.astype(np.float32).astype(np.float64).reshape(shape), requires_grad=True))
    return made


def forward(w, x):
    kernel = lambda t: t.permute(3, 2, 0, 1)
    h = F.max_pool2d(F.relu(F.conv2d(x, kernel(w[0]), w[1], padding=1)), 2)
    h = F.max_pool2d(F.relu(F.conv2d(h, kernel(w[2]), w[3], padding=1)), 2)
    h = h.permute(0, 2, 3, 1).flatten(1)
    latent = F.linear(F.relu(F.linear(h, w[4].T, w[5])), w[6].T, w[7])
    h = F.relu(F.linear(latent, w[8].T, w[9])).view(-1, 1, 8, 8)
    h = F.relu(F.conv_transpose2d(h, kernel(w[10]), w[11], stride=2, padding=1, output_padding=1))
    h = F.relu(F.conv_transpose2d(h, kernel(w[12]), w[13], stride=2, padding=1, output_padding=1))
    return latent, torch.sigmoid(F.conv2d(h, kernel(w[14]), w[15], padding=1))


def row(values):
    return "{" + ", ".join("%.12g" % v for v in values) + "}"


def summary(tensor):
    """sum, norm, and SAMPLES elements, the i-th at i * (count - 1) / (SAMPLES - 1)."""
    flat = tensor.detach().reshape(-1)
    at = [i * (len(flat) - 1) // (SAMPLES - 1) for i in range(SAMPLES)]
    return row([flat.sum().item(), flat.norm().item()] + [flat[i].item() for i in at])


def table(name, comment, tensors):
    print("/* %s */\nstatic const double %s[][2 + GOLDEN_SAMPLES] = {" % (comment, name))
    print(",\n".join("    " + summary(t) for t in tensors) + "};\n")


bytes_ = (mix(np.arange(COUNT * 3072) + 123456789) >> np.uint32(24)).astype(np.float64).reshape(COUNT, 32, 32, 3)
x = torch.tensor(bytes_ / 255).permute(0, 3, 1, 2)
w = weights()
optimiser = torch.optim.Adam(w, lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
losses, first_gradient = [], None
for step in range(STEPS + 1):
    latent, y = forward(w, x)
    loss = ((y - x) ** 2).mean()
    losses.append(loss.item())
    if step == 0:
        first_latent, first_output = latent.detach().clone(), y.detach().permute(0, 2, 3, 1).clone()
    if step == STEPS:
        break
    optimiser.zero_grad()
    loss.backward()
    if step == 0:
        first_gradient = [t.grad.clone() for t in w]
    optimiser.step()

print("/* Numbers of an independent implementation, PyTorch %s in double precision. Made by golden_step.py, which says\n"
      " * how; do not edit. */\n// clang-format off" % torch.__version__)
print("#define GOLDEN_COUNT %d\n#define GOLDEN_STEPS %d\n#define GOLDEN_SAMPLES %d\n" % (COUNT, STEPS, SAMPLES))
print("/* The mean squared error before each step and after the last one. */")
print("static const double golden_loss[] = %s;\n" % row(losses))
table("golden_latent", "The latent of each picture: sum, norm, samples.", list(first_latent))
table("golden_output", "The reconstruction of each picture: sum, norm, samples.", list(first_output))
table("golden_gradient", "The first gradient of each tensor: sum, norm, samples.", first_gradient)
table("golden_weights", "Each tensor after the last step: sum, norm, samples.", w)
