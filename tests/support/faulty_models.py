"""Models that behave until a record makes them crash, take memory, answer NaN or change their shape."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
SMALLEST = -2**63


def bytes_of(nodes, inputs, outputs, initializers=()):
    graph = helper.make_graph(nodes, "faulty", inputs, outputs, list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def value(name, element, shape):
    return helper.make_tensor_value_info(name, element, shape)


def divides():
    """y = a / b, of 64-bit integers. ONNX Runtime 1.32 dies of SIGFPE when SMALLEST is divided by -1."""
    return bytes_of([helper.make_node("Div", ["a", "b"], ["y"])], [value(name, INT64, ["n", 1]) for name in "ab"],
                    [value("y", INT64, ["n", 1])])


def grows():
    """y[1] = n[0]: the sum of so many ones, all in memory at once."""
    one = numpy_helper.from_array(np.array([1], dtype="float32"))
    nodes = [helper.make_node("ConstantOfShape", ["n"], ["ones"], value=one), helper.make_node("ReduceSum", ["ones"], ["y"], keepdims=1)]
    return bytes_of(nodes, [value("n", INT64, [1])], [value("y", FLOAT, [1])])


def logarithm():
    """y = log(x): NaN for numbers below zero, -Infinity for zero."""
    return bytes_of([helper.make_node("Log", ["x"], ["y"])], [value("x", FLOAT, ["n", 1])], [value("y", FLOAT, ["n", 1])])


def compresses():
    """y: those of x's rows that are above zero, which is not the shape that the model declares."""
    nodes = [helper.make_node("Greater", ["x", "zero"], ["positive"]), helper.make_node("Reshape", ["positive", "flat"], ["chosen"]),
             helper.make_node("Compress", ["x", "chosen"], ["y"], axis=0)]
    numbers = [numpy_helper.from_array(np.array(0, dtype="float32"), "zero"), numpy_helper.from_array(np.array([-1]), "flat")]
    return bytes_of(nodes, [value("x", FLOAT, ["n", 1])], [value("y", FLOAT, ["n", 1])], numbers)


def doubles():
    """y = 2 x, with a text handed through."""
    nodes = [helper.make_node("Mul", ["x", "two"], ["y"]), helper.make_node("Identity", ["t"], ["u"])]
    return bytes_of(nodes, [value("x", FLOAT, ["n", 3]), value("t", TensorProto.STRING, ["n", 1])],
                    [value("y", FLOAT, ["n", 3]), value("u", TensorProto.STRING, ["n", 1])],
                    [numpy_helper.from_array(np.array(2, dtype="float32"), "two")])
