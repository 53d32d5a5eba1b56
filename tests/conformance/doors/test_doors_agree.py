"""The same rows through /predict and through the Open Inference Protocol, as JSON and in binary, give the same bits."""

import json
import math
import pathlib
import struct
import sys

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from loans import loans, pack_loans  # noqa: E402
from program import Slipway  # noqa: E402

ROWS = loans(300, seed=7)
DATATYPES = {"income": "FP64", "age": "INT64", "purpose": "BYTES", "city": "BYTES", "applied": "BYTES"}
NUMPY = {"FP64": "<f8", "FP32": "<f4", "INT64": "<i8", "BOOL": "?"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = pack_loans(tmp_path_factory.mktemp("oip"))
    with Slipway(folder).serving("loans-1.0.0.slipway") as running:
        yield running


@pytest.fixture(scope="module")
def native(server):
    """What /predict answers: columns of bytes."""
    records = [{k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items() if k in DATATYPES}
               for row in ROWS.to_dict("records")]
    status, answer = server.predict("loans", {"records": records})
    assert status == 200 and "errors" not in answer
    return answer["predictions"]


def values(name):
    return ROWS[name].tolist()


def infer(server, inputs, tail=b"", **more):
    body = json.dumps({"inputs": inputs, **more}).encode()
    headers = {"Inference-Header-Content-Length": str(len(body))} if tail else {}
    status, answer, headers = server.request("POST", "/v2/models/loans/infer", body + tail, headers)
    assert status == 200, answer
    return answer, headers


def bits(outputs):
    """The probability is single precision: JSON has the shortest text that names the float, which float32 reads back."""
    return [(np.float32(p).tobytes(), bool(d)) for p, d in zip(outputs["probability"], outputs["default"])]


def test_json(server, native):
    inputs = [{"name": n, "shape": [len(ROWS)], "datatype": t,
               "data": [None if isinstance(v, float) and math.isnan(v) else v for v in values(n)]} for n, t in DATATYPES.items()]
    answer, _ = infer(server, inputs)
    outputs = {o["name"]: o["data"] for o in json.loads(answer)["outputs"]}
    assert bits(outputs) == bits({k: [row[k] for row in native] for k in outputs})


def raw(name, datatype):
    if datatype == "BYTES":
        return b"".join(struct.pack("<I", len(v)) + v.encode() for v in values(name))
    return np.array(values(name), NUMPY[datatype]).tobytes()


def test_binary(server, native):
    parts = {name: raw(name, datatype) for name, datatype in DATATYPES.items()}
    inputs = [{"name": n, "shape": [len(ROWS), 1], "datatype": DATATYPES[n], "parameters": {"binary_data_size": len(b)}} for n, b in parts.items()]
    answer, headers = infer(server, inputs, b"".join(parts.values()), parameters={"binary_data_output": True})
    length = int(headers["Inference-Header-Content-Length"])
    at, outputs = length, {}
    for output in json.loads(answer[:length])["outputs"]:
        size = output["parameters"]["binary_data_size"]
        outputs[output["name"]] = np.frombuffer(answer[at:at + size], NUMPY[output["datatype"]])
        at += size
    assert at == len(answer)
    assert bits(outputs) == bits({k: [row[k] for row in native] for k in outputs})


def test_one_row_and_all_rows(server, native):
    inputs = [{"name": n, "shape": [1, 1], "datatype": t, "data": [values(n)[1]]} for n, t in DATATYPES.items()]
    outputs = {o["name"]: o["data"] for o in json.loads(infer(server, inputs)[0])["outputs"]}
    assert bits(outputs) == bits({k: [native[1][k]] for k in outputs})


@pytest.mark.parametrize("field, bad, datatype", [("age", 7, "INT64"), ("income", -1.0, "FP64"), ("purpose", 5, "BYTES"), ("age", 30.5, "FP64"), ("applied", "soon", "BYTES")])
def test_the_same_fault_has_the_same_code_rule_and_words(server, field, bad, datatype):
    record = {name: values(name)[1] for name in DATATYPES} | {field: bad}
    status, problem = server.predict("loans", record)
    violation = problem["violations"][0]
    inputs = [{"name": n, "shape": [1], "datatype": datatype if n == field else DATATYPES[n], "data": [record[n]]} for n in DATATYPES]
    status, body, _ = server.request("POST", "/v2/models/loans/infer", {"inputs": inputs})
    error = json.loads(body)["error"]
    assert status == 400
    assert f"row 0, {field}: {violation['code']} ({violation['rule']}): {violation['message']}" in error
