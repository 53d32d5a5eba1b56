"""Models that take a processor milliseconds, made without a trainer: what is measured is the work, not the answers."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

WIDTH, LAYERS = 512, 14
TOKENS, WORDS = 32, 1000


def model_of(nodes, weights, given, answer):
    graph = helper.make_graph(nodes, "heavy", [given], [answer], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def deep_network():
    """x[512] -> y[4]. Fourteen layers of 512 x 512: 15 MB of weights, which rows that run together share."""
    random = np.random.default_rng(5)
    nodes, weights, name = [], [], "x"
    for layer in range(LAYERS):
        weights.append(numpy_helper.from_array((random.normal(size=(WIDTH, WIDTH)) / 22).astype("float32"), f"w{layer}"))
        nodes.append(helper.make_node("MatMul", [name, f"w{layer}"], [f"m{layer}"]))
        nodes.append(helper.make_node("Relu", [f"m{layer}"], [f"h{layer}"]))
        name = f"h{layer}"
    weights.append(numpy_helper.from_array(random.normal(size=(WIDTH, 4)).astype("float32"), "w"))
    nodes.append(helper.make_node("MatMul", [name, "w"], ["y"]))
    return model_of(nodes, weights, helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", WIDTH]),
                    helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4]))


class Encoder:
    """ids[tokens] -> y[2]: BERT's layers (post-norm, GELU by Erf, the first token's answer), small."""

    def __init__(self, layers=4, width=256, heads=4, tokens=TOKENS):
        self.width, self.heads, self.tokens = width, heads, tokens
        self.random, self.nodes, self.weights = np.random.default_rng(5), [], []
        self.constant("by_head", np.array([0, tokens, heads, width // heads], dtype="int64"))
        self.constant("joined", np.array([0, tokens, width], dtype="int64"))
        self.constant("first", np.array(0, dtype="int64"))
        for name, value in [("scale", (width // heads) ** -0.5), ("half", 0.5), ("one", 1), ("root", 0.5**0.5)]:
            self.constant(name, np.array(value, dtype="float32"))
        words = self.constant("words", self.random.normal(size=(WORDS, width)).astype("float32"))
        places = self.constant("places", self.random.normal(size=(tokens, width)).astype("float32"))
        x = self.norm("start", self.node("Add", self.node("Gather", words, "ids"), places))
        for layer in range(layers):
            x = self.norm(f"a{layer}", self.node("Add", x, self.attention(layer, x)))
            x = self.norm(f"b{layer}", self.node("Add", x, self.perceptron(layer, x)))
        head = self.linear("head", self.node("Gather", x, "first", axis=1), width, 2)
        self.nodes.append(helper.make_node("Sigmoid", [head], ["y"]))

    def bytes(self):
        return model_of(self.nodes, self.weights, helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", self.tokens]),
                        helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2]))

    def node(self, operator, *inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, name, values):
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def linear(self, name, x, rows, columns):
        scale = rows**-0.5
        weight = self.constant(name, (self.random.normal(size=(rows, columns)) * scale).astype("float32"))
        bias = self.constant(name + "_bias", (self.random.normal(size=columns) * scale).astype("float32"))
        return self.node("Add", self.node("MatMul", x, weight), bias)

    def norm(self, name, x):
        scale = self.constant(name + "_scale", np.ones(self.width, dtype="float32"))
        shift = self.constant(name + "_shift", np.zeros(self.width, dtype="float32"))
        return self.node("LayerNormalization", x, scale, shift, axis=-1)

    def attention(self, layer, x):
        def heads(part, order):
            projected = self.linear(f"{part}{layer}", x, self.width, self.width)
            return self.node("Transpose", self.node("Reshape", projected, "by_head"), perm=order)

        query, key, value = heads("q", [0, 2, 1, 3]), heads("k", [0, 2, 3, 1]), heads("v", [0, 2, 1, 3])
        weights = self.node("Softmax", self.node("Mul", self.node("MatMul", query, key), "scale"), axis=-1)
        mixed = self.node("Transpose", self.node("MatMul", weights, value), perm=[0, 2, 1, 3])
        return self.linear(f"o{layer}", self.node("Reshape", mixed, "joined"), self.width, self.width)

    def perceptron(self, layer, x):
        wide = self.linear(f"up{layer}", x, self.width, 4 * self.width)
        bell = self.node("Add", self.node("Erf", self.node("Mul", wide, "root")), "one")
        return self.linear(f"down{layer}", self.node("Mul", self.node("Mul", wide, "half"), bell), 4 * self.width, self.width)
