"""What docs/features.md says of null, NaN, infinities, unseen categories and huge numbers, through the program itself:
fit, transform and predict agree with each other and with the tables there."""
import json
import math
import os
import subprocess

import numpy as np
import onnx
import pyarrow
import pyarrow.parquet
import pytest
from onnx import TensorProto, helper

import tables

PROGRAM = os.environ.get("SLIPWAY", str(tables.ROOT / "build/release/slipway"))
NAN, INF = math.nan, math.inf
COLUMNS = {"x": pyarrow.float64(), "y": pyarrow.float64(), "s": pyarrow.string(), "t": pyarrow.timestamp("us")}
TRAIN = {"x": [1.0, 2.0, 4.0, 8.0, None], "y": [3.0, -1.0, 2.0, 6.0, 1.0], "s": ["a", "b", "a", "", None],
         "t": [0, 86_400_000_000, None, 10**15, 1], "target": [1.0, 0.0, 1.0, 0.0, 1.0]}
NUMBERS = [None, NAN, INF, -INF, 1e308, 3.0]
TEXTS = [None, "", "unseen", "a"]
TIMES = [None, 0, -1]

MANIFEST = """
slipway: 1
name: edges
version: 1.0.0
target: target
inputs:
  x: {type: number, nullable: true, allow_non_finite: true}
  y: {type: number, nullable: true, allow_non_finite: true}
  s: {type: string, nullable: true}
  t: {type: timestamp, nullable: true}
model: {engine: onnx, file: model.onnx, input: features}
features:
"""

# A step of the name f, what its x, s or t holds row by row, and the matrix in float32.
EDGES = {
    "column": ("column: x", "x", [NAN, NAN, INF, -INF, INF, 3]),
    "expr": ("expr: x + 1", "x", [NAN, NAN, INF, -INF, INF, 4]),
    "impute": ("impute: x", "x", [3.75, 3.75, INF, -INF, INF, 3]),
    "missing_indicator": ("missing_indicator: x", "x", [1, 1, 0, 0, 0, 0]),
    "standardize": ("standardize: x, with_std: false", "x", [NAN, NAN, INF, -INF, INF, -0.75]),
    "min_max": ("min_max: x, range: [1, 8], clip: true", "x", [NAN, NAN, 8, 1, 8, 3]),
    "max_abs": ("max_abs: x", "x", [NAN, NAN, INF, -INF, INF, 0.375]),
    "robust": ("robust: x", "x", [NAN, NAN, INF, -INF, INF, 0]),
    "normalize": ("normalize: [x, y], norm: max", "x", [(NAN, NAN), (NAN, NAN), (NAN, 0), (NAN, 0), (1, 0), (1, 1 / 3)]),
    "log1p": ("log1p: x", "x", [NAN, NAN, INF, NAN, 709.19621, 1.3862944]),
    "power": ("power: x, standardize: false", "x", [NAN, NAN, 4.0735018, -INF, 4.0735018, 1.1750319]),
    "quantile": ("quantile: x", "x", [NAN, NAN, 1, 0, 1, 0.5]),
    "clip": ("clip: x, quantiles: [0, 0.5]", "x", [NAN, NAN, 3, 1, 3, 3]),
    "bucketize": ("bucketize: x, bins: 2", "x", [(0, 0), (0, 0), (0, 1), (1, 0), (0, 1), (0, 1)]),
    "cyclical": ("cyclical: x, period: 12", "x", [(NAN, NAN)] * 4 + [(-math.sqrt(0.75), -0.5), (1, 6.123234e-17)]),
    "spline": ("spline: x, degree: 1, n_knots: 2", "x", [(NAN, NAN), (NAN, NAN), (0, 1), (1, 0), (0, 1), (5 / 7, 2 / 7)]),
    "interaction": ("interaction: [x, y]", "x", [NAN, NAN, INF, -INF, INF, 3]),
    "polynomial": ("polynomial: x", "x", [(1, NAN, NAN), (1, NAN, NAN), (1, INF, INF), (1, -INF, INF), (1, INF, INF), (1, 3, 9)]),
    "one_hot": ("one_hot: s, unknown: other", "s", [(0, 0, 0, 1, 0), (1, 0, 0, 0, 0), (0, 0, 0, 0, 1), (0, 1, 0, 0, 0)]),
    "ordinal": ("ordinal: s", "s", [NAN, 0, -1, 1]),
    "frequency": ("frequency: s", "s", [0.2, 0.2, 0, 0.4]),
    "target_encode": ("target_encode: s, smoothing: 0", "s", [1, 0, 0.6, 1]),
    "hash": ("hash: s, buckets: 4, function: murmur3", "s", [(0, 0, 0, 0), (1, 0, 0, 0), (1, 0, 0, 0), (0, 0, 1, 0)]),
    "text": ("text: s, analyzer: char", "s", [(0, 0), (0, 0), (0, 0), (1, 0)]),
    "lookup": ("lookup: s, table: {a: 2, '': 3}", "s", [NAN, 3, NAN, 2]),
    "date_parts": ("date_parts: t, parts: [year, hour]", "t", [(NAN, NAN), (1970, 0), (1969, 23)]),
    "elapsed": ("elapsed: [t, t]", "t", [NAN, 0, 0]),
    "haversine": ("haversine: [x, y, x, y]", "x", [NAN, NAN, NAN, NAN, 0, 0]),
}


def write(path, columns):
    types = {**COLUMNS, "target": pyarrow.float64()}
    rows = max(len(values) for values in columns.values())
    filled = {"y": [1.0] * rows, **columns}
    arrays = {name: pyarrow.array(filled.get(name, [None] * rows), type=types[name], from_pandas=False) for name in types}
    pyarrow.parquet.write_table(pyarrow.table(arrays if "target" in columns else {n: arrays[n] for n in COLUMNS}), path)


def write_model(path, width):
    """Answers the features it is given."""
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width]) for name in ("features", "seen")]
    graph = helper.make_graph([helper.make_node("Identity", ["features"], ["seen"])], "graph", tensors[:1], tensors[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)


def slipway(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def matrix_of(answers):
    """The fields of predictions, where null stands for NaN and for the infinities."""
    rows = [answer["prediction"]["seen"] for answer in answers]
    return np.array([row if isinstance(row, list) else [row] for row in rows], dtype=np.float32)


@pytest.mark.parametrize("kind", EDGES)
def test_every_door_answers_as_documented(kind, tmp_path):
    step, column, expected = EDGES[kind]
    (tmp_path / "slipway.yaml").write_text(f"{MANIFEST}  - {{as: f, {step}}}\n")
    write(tmp_path / "train.parquet", TRAIN)
    write(tmp_path / "rows.parquet", {column: {"x": NUMBERS, "s": TEXTS, "t": TIMES}[column]})
    slipway("fit", tmp_path, "--data", tmp_path / "train.parquet")
    slipway("transform", tmp_path, "--data", tmp_path / "rows.parquet", "--output", tmp_path / "m.npy", "--path", "serving")
    matrix = np.load(tmp_path / "m.npy")
    np.testing.assert_allclose(matrix, np.reshape(expected, (len(expected), -1)), rtol=2e-6, atol=1e-30)

    write_model(tmp_path / "model.onnx", matrix.shape[1])
    answers = [json.loads(line) for line in slipway("predict", tmp_path, "--input", tmp_path / "rows.parquet").splitlines()]
    np.testing.assert_array_equal(matrix_of(answers), np.where(np.isfinite(matrix), matrix, NAN))


def test_every_step_has_its_edges_here():
    assert set(EDGES) == set(tables.kinds())
