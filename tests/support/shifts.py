"""Bundles of a model that adds a number to its input, a version for each number: every answer tells who gave it."""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper


def write_shift(folder, name, version, shift, golden=None):
    """A bundle folder whose model answers x + shift."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "shift"], ["y"])],
        "shift",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["rows", 1])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["rows", 1])],
        [onnx.numpy_helper.from_array(np.array([shift], dtype="float64"), "shift")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / "slipway.yaml").write_text(
        f"slipway: 1\nname: {name}\nversion: {version}\ninputs:\n  x: {{type: number}}\n"
        "model: {engine: onnx, file: model.onnx, input: [x]}\noutputs: {y: y}\n")
    if golden is not None:
        (folder / "golden.jsonl").write_text(golden + "\n")
    return folder
