"""Models that take NaN for a missing value, with nothing but their file and `missing: nan`: every door says missing its own way."""

import json

import numpy as np
import onnxruntime
import pandas as pd
import pytest

pytest.importorskip("sklearn")

MANIFEST = "slipway: 1\nname: gaps\nversion: 1.0.0\nmodel: {engine: onnx, file: model.onnx, missing: nan}\n"


def table():
    random = np.random.default_rng(5)
    x = random.normal(size=(400, 4)).astype("float32")
    x[random.random(x.shape) < 0.2] = np.nan
    y = (np.nan_to_num(x[:, 0]) + np.isnan(x[:, 1]) > 0.3).astype(int)
    return x, y


def boosting(x, y):
    from skl2onnx import to_onnx
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(x, y)
    return to_onnx(model, x[:1], options={"zipmap": False}, target_opset=17).SerializeToString()


def lightgbm(x, y):
    from lightgbm import LGBMClassifier
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    model = LGBMClassifier(n_estimators=20, verbose=-1).fit(x, y)
    return convert_lightgbm(model, initial_types=[("X", FloatTensorType([None, 4]))], zipmap=False).SerializeToString()


@pytest.fixture(params=[boosting, lightgbm], ids=lambda make: make.__name__)
def gaps(request, slipway):
    """The bundle, forty rows with gaps, and what Python's ONNX Runtime says of each alone."""
    x, y = table()
    model = request.param(x, y)
    slipway.write("gaps/slipway.yaml", MANIFEST)
    slipway.write("gaps/model.onnx", model)
    session = onnxruntime.InferenceSession(model)
    output = session.get_outputs()[1].name
    rows = x[:40]
    assert np.isnan(rows).any()
    expected = np.concatenate([session.run([output], {"X": rows[i:i + 1]})[0] for i in range(len(rows))])
    return slipway, rows, output, expected


def lists(rows):
    return [[None if np.isnan(v) else float(v) for v in row] for row in rows]


def test_null_in_a_float_tensor_is_nan_through_every_door(gaps):
    slipway, rows, output, expected = gaps

    def same(got):
        assert np.array_equal(np.array(got, dtype="float32"), expected)

    records = [{"X": row} for row in lists(rows)]
    texts = [json.dumps(row) for row in lists(rows)]
    bare = json.dumps([[float(v) for v in row] for row in rows])  # NaN as Python writes it
    with slipway.serving("gaps") as server:
        same([p[output] for p in server.predict("gaps", {"records": records})[1]["predictions"]])
        csv = "X\n" + "".join(f'"{text}"\n' for text in texts)
        answer = server.request("POST", "/predict/gaps", csv, {"Content-Type": "text/csv", "Accept": "application/json"})[1]
        same([p[output] for p in json.loads(answer)["predictions"]])
        for body in (json.dumps({"instances": lists(rows)}), '{"instances":' + bare + "}"):
            status, answer, _ = server.request("POST", "/v1/models/gaps:predict", body)
            assert status == 200, answer
            same([p[output] for p in json.loads(answer)["predictions"]])
        for body in (json.dumps({"inputs": lists(rows)}), '{"inputs":' + bare + "}"):
            status, answer, _ = server.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            assert status == 200, answer
            same([p[output] for p in json.loads(answer)["predictions"]])
        flat = [v for row in lists(rows) for v in row]
        tensor = {"name": "X", "datatype": "FP32", "shape": list(rows.shape), "data": flat}
        same(infer(server, {"inputs": [tensor]}, output))
        same(infer(server, {"inputs": [tensor | {"data": None}]}, output, rows.astype("<f4").tobytes()))


def infer(server, request, output, raw=b""):
    headers = {}
    if raw:
        del request["inputs"][0]["data"]
        request["inputs"][0]["parameters"] = {"binary_data_size": len(raw)}
        headers["Inference-Header-Content-Length"] = str(len(json.dumps(request)))
    status, answer, _ = server.request("POST", "/v2/models/gaps/infer", json.dumps(request).encode() + raw, headers)
    assert status == 200, answer
    found = next(o for o in json.loads(answer)["outputs"] if o["name"] == output)
    return np.array(found["data"]).reshape(found["shape"])


def test_null_in_a_float_tensor_is_nan_in_files(gaps):
    slipway, rows, output, expected = gaps
    pd.DataFrame({"X": lists(rows)}).to_parquet(slipway.folder / "rows.parquet")
    lines = slipway.lines("predict", "gaps", "--input", "rows.parquet")
    assert np.array_equal(np.array([line["prediction"][output] for line in lines], dtype="float32"), expected)


def test_without_missing_nan_a_gap_is_refused_with_the_way_out(gaps):
    slipway, rows, _, _ = gaps
    slipway.write("gaps/slipway.yaml", MANIFEST.replace(", missing: nan", ""))
    with slipway.serving("gaps") as server:
        status, answer = server.predict("gaps", {"X": [None, 1, 2, 3]})
    assert status == 422 and "missing: nan" in answer["violations"][0]["message"]
