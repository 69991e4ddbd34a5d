"""Makes tests/fixtures/networks: small ONNX models whose outputs can be computed by hand, and ones that must be refused.

    python3 -m venv V && V/bin/pip install onnx && V/bin/python tests/support/make_network_fixtures.py

W is weights.json: [8, 3]. Of a picture whose normalised channels have the means m:
mean.onnx, maps.onnx, nhwc.onnx, any.onnx, half.onnx, grid.onnx (tokens of the picture's squares alone): W m
class.onnx (a first token for the whole): 2 W m;  two.onnx: pooler_output 3 W m beside last_hidden_state
names.onnx: outputs left (W m) and right (4 W m);  pixels.onnx: the normalised picture itself, [3, 16, 16]
conv.onnx: three convolutions with ReLU, of any size: a real network in miniature
int8.onnx: the same, quantised as tools do it: weights and activations go through QuantizeLinear and DequantizeLinear
"""

import json
import os

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "networks")
random = numpy.random.default_rng(7)
W = numpy.round(random.normal(size=(8, 3)), 2).astype(numpy.float32)


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def save(name, nodes, inputs, outputs, constants, domain=None):
    graph = helper.make_graph(nodes, name, inputs, outputs, [numpy_helper.from_array(numpy.asarray(v), k) for k, v in constants.items()])
    imports = [helper.make_opsetid("", 17)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    model = helper.make_model(graph, opset_imports=imports, producer_name="akin tests")
    model.ir_version = 8
    if not domain:
        onnx.checker.check_model(model)
    onnx.save(model, os.path.join(FOLDER, name + ".onnx"))


def node(kind, inputs, output, **more):
    return helper.make_node(kind, inputs, [output], **more)


PICTURE = ["batch", 3, 32, 32]
MIX = node("Conv", ["pixel_values", "w"], "mixed")
POOL = node("AveragePool", ["mixed"], "maps", kernel_shape=[8, 8], strides=[8, 8])
MEAN = [MIX, node("GlobalAveragePool", ["mixed"], "means"), node("Flatten", ["means"], "vector")]
MIXING = {"w": W.reshape(8, 3, 1, 1)}
TOKENS = [MIX, POOL, node("Reshape", ["maps", "columns"], "flat"), node("Transpose", ["flat"], "tokens", perm=[0, 2, 1])]
TOKENING = {**MIXING, "columns": numpy.array([0, 8, 16])}


def scaled(factor, source, output):
    return node("Mul", [source, f"times{factor}"], output), {f"times{factor}": numpy.float32(factor)}


def rounded(values, most, kind):
    """The scale that takes `most` to the end of the kind's range; of constants also the whole numbers."""
    scale = numpy.float32(float(f"{most / numpy.iinfo(kind).max:.2g}"))
    return scale, numpy.clip(numpy.rint(values / scale), -127, 127).astype(kind) if values is not None else None


def quantised(layers, constants, picture):
    """Layers of Conv and Relu with their inputs and weights in eight bits. Scales are those of a picture's activations."""
    seen = [value(name, None) for layer in layers for name in layer.output]
    graph = helper.make_graph(layers, "seen", [value("pixel_values", ["batch", 3, "height", "width"])], seen,
                              [numpy_helper.from_array(v, k) for k, v in constants.items()])
    run = ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]))
    values = dict(zip(run.output_names, run.run(None, {"pixel_values": picture})), pixel_values=picture)
    out, whole, plain = [], {}, {k: v for k, v in constants.items() if not k.startswith("k")}
    for layer in layers:
        inputs = list(layer.input)
        if layer.op_type == "Conv":
            at, kernel = inputs
            low = values[at].min()
            kind = numpy.uint8 if low >= 0 else numpy.int8
            plain[at + "_scale"], _ = rounded(None, abs(values[at]).max(), kind)
            plain[at + "_zero"] = kind(0)
            plain[kernel + "_scale"], whole[kernel + "_whole"] = rounded(constants[kernel], abs(constants[kernel]).max(), numpy.int8)
            plain[kernel + "_zero"] = numpy.int8(0)
            out += [node("QuantizeLinear", [at, at + "_scale", at + "_zero"], at + "_whole"),
                    node("DequantizeLinear", [at + "_whole", at + "_scale", at + "_zero"], at + "_near"),
                    node("DequantizeLinear", [kernel + "_whole", kernel + "_scale", kernel + "_zero"], kernel + "_near")]
            layer = helper.make_node("Conv", [at + "_near", kernel + "_near"], layer.output,
                                     **{a.name: helper.get_attribute_value(a) for a in layer.attribute})
        out.append(layer)
    return out, {**plain, **whole}


def main():
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(FOLDER, "weights.json"), "w") as f:
        json.dump(W.tolist(), f)
    picture = [value("pixel_values", PICTURE)]
    vector = [value("vector", ["batch", 8])]
    save("mean", MEAN, picture, vector, MIXING)
    save("fixed", MEAN, [value("pixel_values", [2, 3, 32, 32])], [value("vector", [2, 8])], MIXING)
    save("any", MEAN, [value("pixel_values", ["batch", "channels", "height", "width"])], vector, MIXING)
    save("maps", [MIX, POOL], picture, [value("maps", ["batch", 8, 4, 4])], MIXING)
    save("grid", TOKENS, picture, [value("tokens", ["batch", 16, 8])], TOKENING)
    twice, times2 = scaled(2, "vector", "twice")
    first = [twice, node("Unsqueeze", ["twice", "one"], "first"), node("Concat", ["first", "tokens"], "last_hidden_state", axis=1)]
    ahead = {**TOKENING, **times2, "one": numpy.array([1])}
    save("class", TOKENS + MEAN[1:] + first, picture, [value("last_hidden_state", ["batch", 17, 8])], ahead)
    thrice, times3 = scaled(3, "vector", "pooler_output")
    save("two", TOKENS + MEAN[1:] + first + [thrice], picture,
         [value("last_hidden_state", ["batch", 17, 8]), value("pooler_output", ["batch", 8])], {**ahead, **times3})
    left, right = node("Identity", ["vector"], "left"), scaled(4, "vector", "right")
    save("names", MEAN + [left, right[0]], picture, [value("left", ["batch", 8]), value("right", ["batch", 8])], {**MIXING, **right[1]})
    save("nhwc", [node("Transpose", ["pictures"], "pixel_values", perm=[0, 3, 1, 2])] + MEAN, [value("pictures", ["batch", 32, 32, 3])], vector, MIXING)
    save("half", [node("Cast", ["halves"], "pixel_values", to=TensorProto.FLOAT)] + MEAN + [node("Cast", ["vector"], "out", to=TensorProto.FLOAT16)],
         [value("halves", PICTURE, TensorProto.FLOAT16)], [value("out", ["batch", 8], TensorProto.FLOAT16)], MIXING)
    save("pixels", [node("Flatten", ["pixel_values"], "out")], [value("pixel_values", ["batch", 3, 16, 16])], [value("out", ["batch", 768])], {})

    layers, constants, at = [], {}, "pixel_values"
    for i, (a, b, stride) in enumerate([(3, 16, 2), (16, 16, 1), (16, 24, 2)]):
        constants[f"k{i}"] = (random.normal(size=(b, a, 3, 3)) / numpy.sqrt(9 * a / 2)).astype(numpy.float32)
        layers += [node("Conv", [at, f"k{i}"], f"c{i}", strides=[stride, stride], pads=[1, 1, 1, 1]), node("Relu", [f"c{i}"], f"r{i}")]
        at = f"r{i}"
    layers += [node("GlobalAveragePool", [at], "pooled"), node("Flatten", ["pooled"], "image_embeds")]
    sizes, embeds = [value("pixel_values", ["batch", 3, "height", "width"])], [value("image_embeds", ["batch", 24])]
    save("conv", layers, sizes, embeds, constants)
    picture_like = numpy.clip(random.normal(size=(1, 3, 8, 8)), -2.1, 2.6).repeat(8, axis=2).repeat(8, axis=3).astype(numpy.float32)
    nodes, eighth = quantised(layers, constants, picture_like)
    save("int8", nodes, sizes, embeds, eighth)

    # Refused.
    save("text", MEAN + [node("Cast", ["input_ids"], "words", to=TensorProto.FLOAT), node("ReduceMean", ["words"], "word", keepdims=0),
                         node("Add", ["vector", "word"], "image_embeds")],
         picture + [value("input_ids", ["batch", 77], TensorProto.INT64)], [value("image_embeds", ["batch", 8])], MIXING)
    save("grey", [node("Flatten", ["pixel_values"], "out")], [value("pixel_values", ["batch", 1, 32, 32])], [value("out", ["batch", 1024])], {})
    save("whole", [node("Cast", ["pixels"], "pixel_values", to=TensorProto.FLOAT)] + MEAN, [value("pixels", PICTURE, TensorProto.INT32)], vector, MIXING)
    save("scalar", MEAN + [node("ReduceSum", ["vector"], "out", keepdims=0)], picture, [value("out", [])], MIXING)
    save("operator", [helper.make_node("Frobnicate", ["pixel_values"], ["out"], domain="akin.test")], picture, [value("out", ["batch", 8])], {}, "akin.test")
    save("nan", MEAN + [node("Mul", ["vector", "zero"], "nothing"), node("Div", ["nothing", "nothing"], "out")], picture,
         [value("out", ["batch", 8])], {**MIXING, "zero": numpy.float32(0)})
    with open(os.path.join(FOLDER, "mean.onnx"), "rb") as f:
        whole = f.read()
    with open(os.path.join(FOLDER, "cut.onnx"), "wb") as f:
        f.write(whole[: len(whole) // 2])
    with open(os.path.join(FOLDER, "words.onnx"), "wb") as f:
        f.write(b"these are words, no model\n" * 20)


main()
