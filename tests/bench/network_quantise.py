"""Quantises an ONNX network of network_export.py to int8: weights per output channel, activations by their range on some pictures.

    V/bin/pip install onnx onnxruntime pillow      # V: any environment
    V/bin/python tests/bench/network_quantise.py IN.onnx FOLDER OUT.onnx [PICTURES]

FOLDER contains catalog.csv; PICTURES (256) of it, evenly spread, determine the range of activations. preprocessor_config.json is read
from the folder of IN.onnx and written to that of OUT.onnx. QDQ form: pairs of QuantizeLinear and DequantizeLinear, which OpenVINO fuses.
"""
import csv
import json
import os
import sys
import tempfile

import numpy
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

BATCH = 8


class Pictures(CalibrationDataReader):
    def __init__(self, folder, count, config):
        with open(os.path.join(folder, "catalog.csv"), newline="") as file:
            paths = [os.path.join(folder, row["path"]) for row in csv.DictReader(file)]
        self.paths = paths[:: max(1, len(paths) // count)][:count]
        self.config = config

    def see(self, path):
        size = self.config["size"]
        picture = Image.open(path).convert("RGB").resize((size["width"], size["height"]), self.config["resample"])
        values = numpy.asarray(picture, dtype="f4") * self.config["rescale_factor"]
        return ((values - self.config["image_mean"]) / self.config["image_std"]).transpose(2, 0, 1)

    def get_next(self):
        batch, self.paths = self.paths[:BATCH], self.paths[BATCH:]
        return {"pixel_values": numpy.stack([self.see(path) for path in batch]).astype("f4")} if batch else None


def main():
    source, folder, out = sys.argv[1:4]
    with open(os.path.join(os.path.dirname(source) or ".", "preprocessor_config.json")) as file:
        config = json.load(file)
    os.makedirs(os.path.dirname(out) or ".", exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        ready = os.path.join(scratch, "ready.onnx")
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        quantize_static(ready, out, Pictures(folder, int(sys.argv[4]) if len(sys.argv) > 4 else 256, config),
                        quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                        calibrate_method=CalibrationMethod.MinMax)
    with open(os.path.join(os.path.dirname(out) or ".", "preprocessor_config.json"), "w") as file:
        json.dump(config, file, indent=2)


if __name__ == "__main__":
    main()
