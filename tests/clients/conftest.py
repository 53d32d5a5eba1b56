"""Clients that other projects wrote, against the real program."""

import pathlib
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from program import Slipway  # noqa: E402

PLAIN = """
slipway: 1
name: plain
version: 1.4.2
model: {engine: onnx, file: model.onnx}
"""

TRIPS = """
slipway: 1
name: trips
version: 2.0.0
inputs:
  distance: {type: number, min: 0}
  stops:    {type: integer}
  night:    {type: boolean}
  city:     {type: string, values: [bern, rome, oslo]}
  start:    {type: timestamp, optional: true}
features:
  - {as: distance, column: distance}
  - {as: stops,    column: stops}
  - {as: night,    expr: "if(night, 1, 0)"}
  - {as: city,     one_hot: city}
model: {engine: onnx, file: model.onnx, input: features}
outputs:
  cost: {from: "y[0]"}
  dear: {when: "cost >= 100"}
"""


def linear_model(weights, outputs):
    """y = x · weights for rows of floats."""
    width, height = weights.shape
    node = helper.make_node("MatMul", ["x", "w"], [outputs])
    graph = helper.make_graph(
        [node], "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", width])],
        [helper.make_tensor_value_info(outputs, TensorProto.FLOAT, ["rows", height])],
        [numpy_helper.from_array(weights.astype(np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


PLAIN_WEIGHTS = np.arange(12, dtype=np.float32).reshape(4, 3) / 8
TRIP_WEIGHTS = np.array([[0.5], [3], [20], [1], [2], [4]], dtype=np.float32)


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """`plain`, whose tensors are its schema, and `trips`, which has columns and features."""
    slipway = Slipway(tmp_path_factory.mktemp("clients"))
    slipway.write("plain/slipway.yaml", PLAIN)
    slipway.write("plain/model.onnx", linear_model(PLAIN_WEIGHTS, "y"))
    slipway.write("trips/slipway.yaml", TRIPS)
    slipway.write("trips/model.onnx", linear_model(TRIP_WEIGHTS, "y"))
    slipway.write("train.csv", "distance,stops,night,city,start\n" + "".join(
        f"{i}.5,{i},{'true' if i % 2 else 'false'},{city},2024-01-01\n" for i, city in enumerate(["bern", "rome", "oslo"] * 4)))
    slipway("fit", "trips", "--data", "train.csv")
    with slipway.serving("plain", "trips", options=["--admin", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--grpc-admin", "127.0.0.1:0"]) as server:
        yield server


@pytest.fixture(scope="session")
def address(served):
    """host:port"""
    return served.url.removeprefix("http://")
