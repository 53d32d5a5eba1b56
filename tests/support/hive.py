"""Hive data sets of flights, and a bundle whose model needs a column that stands in their paths."""

import pandas as pd
from flights import MANIFEST
from program import Slipway

FOLDERS = ["year", "month", "carrier"]


def with_dates(table):
    """The table with the columns that data sets are often divided by."""
    moment = pd.to_datetime(table.sched_dep)
    return table.assign(year=moment.dt.year, month=moment.dt.month)


def pack_monthly(folder, shop):
    """Makes monthly-1.0.0.slipway in the folder: flights-1.0.0 with `month` as one more input."""
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    slipway = Slipway(folder)
    train = with_dates(pd.read_csv(shop / "train.csv", nrows=5000)).drop(columns="year")
    train.to_csv(folder / "train.csv", index=False)
    manifest = MANIFEST.lstrip().replace("name: flights", "name: monthly")
    manifest = manifest.replace("features:\n", "  month:     {type: integer, min: 1, max: 12}\nfeatures:\n  - {as: month_z,   standardize: month}\n")
    slipway.write("monthly/slipway.yaml", manifest)
    slipway("fit", "monthly", "--data", "train.csv")
    slipway("transform", "monthly", "--data", "train.csv", "--output", "features.parquet", "--keep", "late")
    matrix = pd.read_parquet(folder / "features.parquet")
    x = matrix.drop(columns=["late"]).to_numpy("float32")
    model = LogisticRegression(max_iter=200).fit(x, matrix.late.astype(int))
    slipway.write("monthly/model.onnx", to_onnx(model, x[:1], options={"zipmap": False}).SerializeToString())
    slipway("pack", "monthly")
    return folder / "monthly-1.0.0.slipway"
