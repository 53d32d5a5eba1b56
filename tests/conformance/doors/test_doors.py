"""The same rows through every door, REST and gRPC: one table, the bits of every prediction compared."""

import json
import pathlib
import struct
import sys

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from grpc_client import INFERENCE, PREDICTION, Client, infer_request, message  # noqa: E402
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
    with slipway.serving("table", options=["--grpc", "127.0.0.1:0"]) as running:
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


COLUMNS = {"a": ("FP64", "<f8"), "b": ("FP64", "<f8"), "n": ("INT64", "<i8"), "s": ("BYTES", None), "t": ("BYTES", None), "f": ("BOOL", "?")}
OUTPUTS = {"FP64": "<f8", "FP32": "<f4", "BOOL": "?"}
TYPED = {"FP64": "fp64_contents", "INT64": "int64_contents", "BOOL": "bool_contents", "BYTES": "bytes_contents"}


@pytest.fixture(scope="module")
def client(server):
    with Client(server.grpc) as made:
        yield made


def tensors(frame):
    return {name: (datatype, frame[name].tolist() if dtype is None else frame[name].to_numpy().astype(dtype).reshape(-1, 1))
            for name, (datatype, dtype) in COLUMNS.items()}


def texts(raw):
    found = []
    while raw:
        size = struct.unpack("<I", raw[:4])[0]
        found.append(raw[4:4 + size].decode())
        raw = raw[4 + size:]
    return found


def rows_of(columns):
    """As the native door has them: single-precision numbers as the doubles that their shortest texts name."""
    plain = {name: [float(str(v)) if isinstance(v, np.float32) else v for v in values] for name, values in columns.items()}
    return bits([dict(zip(plain, row)) for row in zip(*plain.values())])


def inferred(answer):
    columns = {}
    for output, raw in zip(answer.outputs, answer.raw_output_contents, strict=True):
        values = texts(raw) if output.datatype == "BYTES" else list(np.frombuffer(raw, OUTPUTS[output.datatype]))
        columns[output.name] = [bool(v) for v in values] if output.datatype == "BOOL" else values
    return rows_of(columns)


def test_grpc_in_raw_contents(client, frame, expected):
    assert inferred(client.infer(infer_request("table", tensors(frame)))) == expected


def test_grpc_in_typed_contents(client, frame, expected):
    request = message("inference.ModelInferRequest")(model_name="table")
    for name, (datatype, values) in tensors(frame).items():
        given = request.inputs.add(name=name, datatype=datatype, shape=[len(frame), 1])
        getattr(given.contents, TYPED[datatype]).extend([v.encode() for v in values] if datatype == "BYTES" else values.ravel().tolist())
    assert inferred(client.infer(request)) == expected


def test_a_grpc_stream_of_single_rows(client, frame, expected):
    rows = range(0, 300, 7)
    requests = (infer_request("table", tensors(frame.iloc[row:row + 1])) for row in rows)
    answers = client.method(f"{INFERENCE}/ModelStreamInfer")(requests)
    assert [inferred(answer.infer_response) for answer in answers] == [[expected[row]] for row in rows]


TENSORFLOW = {"FP64": (2, "double_val"), "INT64": (9, "int64_val"), "BOOL": (10, "bool_val"), "BYTES": (7, "string_val")}


def test_tensorflow_serving_over_grpc(client, frame, expected):
    request = message("tensorflow.serving.PredictRequest")()
    request.model_spec.name = "table"
    for name, (datatype, values) in tensors(frame).items():
        tensor = request.inputs[name]
        tensor.dtype, field = TENSORFLOW[datatype]
        tensor.tensor_shape.dim.add(size=len(frame))
        getattr(tensor, field).extend([v.encode() for v in values] if datatype == "BYTES" else values.ravel().tolist())
    answer = client.method(f"{PREDICTION}/Predict")(request)
    columns = {}
    for name in expected[0]:
        tensor = answer.outputs[name]
        field = {1: "float_val", 2: "double_val", 7: "string_val", 10: "bool_val"}[tensor.dtype]
        values = list(getattr(tensor, field))
        columns[name] = [np.float32(v) for v in values] if tensor.dtype == 1 else [v.decode() for v in values] if tensor.dtype == 7 else values
    assert rows_of(columns) == expected
