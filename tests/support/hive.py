"""Hive data sets of flights, and a bundle whose model needs a column that stands in their paths."""

import pandas as pd
import pytest
from flights import MANIFEST
from program import Slipway

FOLDERS = ["year", "month", "carrier"]
ROWS = 6000
NAMES = ["flight", "carrier", "tailnum", "origin", "dest", "distance", "sched_dep", "year", "month"]


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


@pytest.fixture(scope="session")
def model(flights_shop, tmp_path_factory):
    return pack_monthly(tmp_path_factory.mktemp("monthly"), flights_shop)


@pytest.fixture(scope="session")
def table(flights_shop):
    """Flights of all months, numbered by `flight`."""
    table = pd.read_csv(flights_shop / "flights.csv", dtype={"tailnum": "string"})
    table = table[table.carrier.isin(["9E", "AA", "UA"])].sample(ROWS, random_state=3)
    table = with_dates(table.assign(flight=range(ROWS)))
    table["tailnum"] = table.tailnum.astype(object)
    return table.reset_index(drop=True)[NAMES]
