"""A bundle with a schema, features and a trained model, and the table it comes from."""

import numpy as np
import pandas as pd
from program import Slipway


def loans(rows, seed):
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "income": np.round(random.lognormal(10, 0.6, rows), 2),
            "age": random.integers(18, 90, rows),
            "purpose": random.choice(["car", "home", "school", "trip"], rows),
            "city": random.choice([f"city-{i}" for i in range(40)], rows),
            "applied": pd.to_datetime("2024-01-01") + pd.to_timedelta(random.integers(0, 500000, rows), "min"),
        }
    )
    table.loc[random.random(rows) < 0.05, "income"] = np.nan
    late = (table.income.fillna(20000) < 22000).astype(int) ^ (random.random(rows) < 0.1)
    table["default"] = late.astype(int)
    table["applied"] = table.applied.dt.strftime("%Y-%m-%dT%H:%M:%S")
    return table


MANIFEST = """
slipway: 1
name: loans
version: 1.0.0
target: default
inputs:
  income:  {type: number, min: 0, missing: impute}
  age:     {type: integer, min: 18, max: 120}
  purpose: {type: string, values: [car, home, school, trip], unknown: other}
  city:    {type: string}
  applied: {type: timestamp}
  email:   {type: string, optional: true, personal: true, pattern: "[^@]+@[^@]+"}
rules:
  - {check: "age > 20 or income < 1000000", message: nobody earns that at twenty}
features:
  - {as: income_z,  standardize: income}
  - {as: age,       column: age}
  - {as: purpose,   one_hot: purpose}
  - {as: city_rate, target_encode: city, smoothing: 10}
  - {as: hour,      expr: "hour(applied)"}
  - {as: cycle,     cyclical: hour, period: 24}
model: {engine: onnx, file: model.onnx, input: features}
outputs:
  probability: {from: "probabilities[1]", min: 0, max: 1}
  default:     {when: "probability >= 0.5"}
"""


def pack_loans(folder):
    """Fits, trains and packs: loans/ with slipway.yaml, and loans-1.0.0.slipway beside it."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import GradientBoostingClassifier

    slipway = Slipway(folder)
    loans(4000, 1).to_csv(folder / "train.csv", index=False)
    loans(500, 2).to_csv(folder / "test.csv", index=False)
    slipway.write("loans/slipway.yaml", MANIFEST)
    slipway("fit", "loans", "--data", "train.csv")
    slipway("transform", "loans", "--data", "train.csv", "--output", "features.parquet", "--keep", "default")
    matrix = pd.read_parquet(folder / "features.parquet")
    features = matrix.drop(columns=["default"]).to_numpy(dtype="float32")
    model = GradientBoostingClassifier(n_estimators=40, random_state=0).fit(features, matrix["default"])
    onnx_model = to_onnx(model, features[:1], options={"zipmap": False}, target_opset=17)
    (folder / "loans/model.onnx").write_bytes(onnx_model.SerializeToString())
    slipway("pack", "loans", "--golden", "test.csv")
    return folder
