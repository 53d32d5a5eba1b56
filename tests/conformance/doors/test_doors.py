"""The same rows through every REST door: one table, the bits of every prediction compared."""

import json
import pathlib
import struct
import sys

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from program import Slipway  # noqa: E402

MANIFEST = """
slipway: 1
name: table
version: 1.0.0
inputs:
  a: {type: number}
  b: {type: number, missing: impute}
  n: {type: integer}
  s: {type: string, values: [x, y, "ä \\"quoted\\"", "1"]}
  t: {type: timestamp}
  f: {type: boolean}
features:
  - {as: a, column: a}
  - {as: b, standardize: b}
  - {as: n, expr: "n / 100"}
  - {as: s, one_hot: s}
  - {as: t, expr: "hour(t)"}
  - {as: f, expr: "if(f, 1, 0)"}
model: {engine: onnx, file: model.onnx, input: features}
outputs:
  score: {from: "y[0]"}
  other: {from: "y[1]"}
  high:  {when: "score > 0.5"}
  same:  {expr: "s"}
"""
TEXTS = ["x", "y", 'ä "quoted"', "1"]


def model(width):
    weights = np.random.default_rng(5).normal(size=(width, 2)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Sigmoid", ["z"], ["y"])]
    graph = helper.make_graph(
        nodes, "table", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", width])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 2])], [numpy_helper.from_array(weights, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def table():
    random = np.random.default_rng(7)
    rows = 300
    frame = pd.DataFrame({
        "a": random.normal(size=rows),
        "b": random.lognormal(0, 2, rows),
        "n": random.integers(-50, 50, rows),
        "s": random.choice(TEXTS, rows),
        "t": pd.to_datetime("2024-01-01") + pd.to_timedelta(random.integers(0, 500000, rows), "min"),
        "f": random.random(rows) < 0.5,
    })
    frame.loc[:5, "a"] = [-0.0, 0.1, 1e-310, 5e-324, -1.7976931348623157e308 / 1e300, 1 / 3]
    frame.loc[random.random(rows) < 0.1, "b"] = np.nan
    frame["n"] = frame["n"].astype(object)
    frame.loc[0, "n"] = 9007199254740993  # no double has this value
    frame["t"] = frame["t"].dt.strftime("%Y-%m-%dT%H:%M:%S")
    return frame


@pytest.fixture(scope="module")
def frame():
    return table()


@pytest.fixture(scope="module")
def server(tmp_path_factory, frame):
    slipway = Slipway(tmp_path_factory.mktemp("doors"))
    frame.to_csv(slipway.folder / "train.csv", index=False)
    slipway.write("table/slipway.yaml", MANIFEST)
    slipway("fit", "table", "--data", "train.csv")
    slipway.write("table/model.onnx", model(9))
    with slipway.serving("table") as running:
        yield running


def records_of(frame):
    return [{k: None if v != v else v for k, v in record.items()} for record in frame.to_dict(orient="records")]


def bits(rows):
    return [{k: struct.pack("<d", v) if isinstance(v, float) else v for k, v in row.items()} for row in rows]


def ask(server, path, body, content_type="application/json"):
    status, answer, _ = server.request("POST", path, body, {"Content-Type": content_type})
    assert status == 200, answer
    return json.loads(answer)


@pytest.fixture(scope="module")
def expected(server, frame):
    rows = bits(ask(server, "/predict/table", {"records": records_of(frame)})["predictions"])
    assert len({row["score"] for row in rows}) > 250
    return rows


def test_tensorflow_serving_by_rows(server, frame, expected):
    path = "/v1/models/table:predict"
    assert bits(ask(server, path, {"instances": records_of(frame)})["predictions"]) == expected
    lists = [list(record.values()) for record in records_of(frame)]
    assert bits(ask(server, path, {"instances": lists})["predictions"]) == expected


def test_tensorflow_serving_by_columns(server, frame, expected):
    columns = {name: [record[name] for record in records_of(frame)] for name in frame}
    outputs = ask(server, "/v1/models/table:predict", {"inputs": columns})["outputs"]
    assert bits([dict(zip(outputs, row)) for row in zip(*outputs.values())]) == expected


def test_tensorflow_serving_regresses_the_same_score(server, frame, expected):
    results = ask(server, "/v1/models/table:regress", {"examples": records_of(frame)})["results"]
    assert [struct.pack("<d", value) for value in results] == [row["score"] for row in expected]


@pytest.mark.parametrize("form", ["dataframe_split", "dataframe_records", "instances", "inputs"])
def test_mlflow_in_json(server, frame, expected, form):
    bodies = {
        "dataframe_split": frame.to_dict(orient="split"),  # pandas' missing values become bare NaN tokens
        "dataframe_records": frame.to_dict(orient="records"),
        "instances": records_of(frame),
        "inputs": {name: [record[name] for record in records_of(frame)] for name in frame},
    }
    assert bits(ask(server, "/invocations", {form: bodies[form]})["predictions"]) == expected


def test_mlflow_in_csv(server, frame, expected):
    text = frame.to_csv(index=False)
    assert bits(ask(server, "/invocations", text, "text/csv")["predictions"]) == expected


def test_one_row_has_the_bits_it_has_in_company(server, frame, expected):
    for row in (0, 17, 299):
        record = records_of(frame)[row]
        assert bits(ask(server, "/v1/models/table:predict", {"instances": [record]})["predictions"]) == [expected[row]]
        assert bits(ask(server, "/invocations", {"dataframe_records": [record]})["predictions"]) == [expected[row]]
