"""What the tests of the Python package share: what the program says, and models of several kinds."""

import pandas as pd
import pyarrow.parquet as pq
import pytest
from program import Slipway

MODELS = {
    "labels": """
inputs:
  a: {type: number}
  b: {type: number, missing: impute, default: 0.5}
model: {engine: onnx, file: model.onnx, input: [a, b]}
outputs:
  kind: {from: label}
  chance: {from: probabilities, labels: [low, middle, high]}
""",
    "whole": """
inputs:
  a: {type: number}
  b: {type: number}
model: {engine: onnx, file: model.onnx, input: [a, b]}
""",
    "bare": """
model: {engine: onnx, file: model.onnx}
""",
}


@pytest.fixture(scope="session")
def predicted(flights_shop):
    """What `slipway predict` and `slipway batch run` say of all flights, as a pyarrow table each."""
    program = Slipway(flights_shop)
    model = "flights-1.0.0.slipway"
    program("predict", model, "--input", "flights.parquet", "--output", "predicted.parquet", "--keep", "flight")
    program("batch", "run", "--model", model, "--input", "flights.parquet", "--output", "batch.parquet", "--keep", "flight")
    return {name: pq.read_table(flights_shop / f"{name}.parquet") for name in ("predicted", "batch")}


@pytest.fixture(scope="session")
def models_shop(tmp_path_factory):
    """Folders named as MODELS, each a bundle with 60 trees of three classes, and rows.parquet for them."""
    import numpy as np
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier

    folder = tmp_path_factory.mktemp("models")
    program = Slipway(folder)
    chance = np.random.default_rng(3)
    x = chance.normal(size=(3000, 2)).astype("float32")
    y = np.digitize(x[:, 0] + x[:, 1], [-0.5, 0.5])
    forest = RandomForestClassifier(n_estimators=60, max_depth=8, random_state=1, n_jobs=1).fit(x, y)
    model = to_onnx(forest, x[:1], options={"zipmap": False}).SerializeToString()
    for name, text in MODELS.items():
        program.write(f"{name}/slipway.yaml", f"slipway: 1\nname: {name}\nversion: 1.0.0{text}")
        program.write(f"{name}/model.onnx", model)
    pd.DataFrame({"a": x[:, 0].astype("float64"), "b": x[:, 1].astype("float64")}).to_parquet(folder / "rows.parquet")
    return folder
