"""Scores tables in memory in one process: Slipway's Python package beside ONNX Runtime's with pandas or polars around it.

Usage: python.py BUILD WORK [--rows N] [--rounds N] [--threads N…] [--models flights trees]. Prints a table of rows a second and ratios; every answer is compared.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
parser = argparse.ArgumentParser()
parser.add_argument("build", type=pathlib.Path)
parser.add_argument("work", type=pathlib.Path)
parser.add_argument("--rows", type=int, default=1_000_000)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
parser.add_argument("--models", nargs="*", default=["flights", "trees"])
options = parser.parse_args()
os.environ["SLIPWAY_LIBRARY"] = str(options.build.resolve() / "lib/libslipway.so")
os.environ["SLIPWAY"] = str(options.build.resolve() / "slipway")
sys.path[:0] = [str(ROOT / "python/src"), str(ROOT / "tests/support")]

import lightgbm  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import pandas as pd  # noqa: E402
import polars as pl  # noqa: E402
import pyarrow as pa  # noqa: E402
import slipway  # noqa: E402
from flights import MANIFEST, pack_flights  # noqa: E402
from onnxmltools import convert_lightgbm  # noqa: E402
from onnxmltools.convert.common.data_types import FloatTensorType  # noqa: E402
from program import Slipway  # noqa: E402

CHUNK = 65536  # rows a call of ONNX Runtime: as fast as any that was tried


def prepare():
    """The flights model, and one with 300 trees on the same features; the flights repeated, as typed columns."""
    folder = options.work
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "flights-1.0.0.slipway").exists():
        pack_flights(folder)
    if not (folder / "trees-1.0.0.slipway").exists():
        matrix = pd.read_parquet(folder / "features.parquet")
        features = matrix.drop(columns=["late"])
        trees = lightgbm.LGBMClassifier(n_estimators=300, num_leaves=31, n_jobs=2, verbose=-1)
        trees.fit(features.to_numpy("float32"), matrix.late.astype(int))
        onnx = convert_lightgbm(trees.booster_, initial_types=[("x", FloatTensorType([None, features.shape[1]]))], zipmap=False)
        program = Slipway(folder)
        program.write("trees/slipway.yaml", MANIFEST.lstrip().replace("name: flights", "name: trees"))
        program("fit", "trees", "--data", "train.csv")
        program.write("trees/model.onnx", onnx.SerializeToString())
        program("pack", "trees")
    table = pd.read_csv(folder / "flights.csv", dtype={"tailnum": "string"}).drop(columns=["flight"])
    table["sched_dep"] = pd.to_datetime(table.sched_dep)
    table["distance"] = table.distance.astype("float64")
    table = pd.concat([table] * (options.rows // len(table) + 1), ignore_index=True).head(options.rows)
    return pa.Table.from_pandas(table, preserve_index=False).combine_chunks()


class ByHand:
    """What somebody writes around ONNX Runtime: the features of the manifest by array functions, with what fit learned."""

    def __init__(self, name, threads):
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(options.work / name / "model.onnx", settings, providers=["CPUExecutionProvider"])
        learned = json.loads((options.work / name / "fitted.json").read_text())["features"]
        self.mean, self.scale = learned["far"]["center"][0], learned["far"]["scale"][0]
        self.carriers = learned["carrier"]["inputs"][0]["categories"]
        rates = learned["dest_rate"]["inputs"][0]
        self.rates, self.rest = dict(zip(rates["categories"], rates["values"])), learned["dest_rate"]["mean"]

    def run(self, matrix):
        feed, output = self.session.get_inputs()[0].name, [each.name for each in self.session.get_outputs()][1]
        return np.concatenate([self.session.run([output], {feed: matrix[i : i + CHUNK]})[0][:, 1] for i in range(0, len(matrix), CHUNK)])

    def pandas(self, frame):
        hour, carrier = frame.sched_dep.dt.hour.to_numpy(), frame.carrier.to_numpy()
        matrix = np.empty((len(frame), 5 + len(self.carriers)), "float32")
        matrix[:, 0] = hour
        matrix[:, 1], matrix[:, 2] = np.sin(hour * (2 * np.pi / 24)), np.cos(hour * (2 * np.pi / 24))
        matrix[:, 3] = (frame.distance.to_numpy() - self.mean) / self.scale
        for index, name in enumerate(self.carriers):
            matrix[:, 4 + index] = carrier == name
        matrix[:, -1] = frame.dest.map(self.rates).fillna(self.rest).to_numpy()
        chance = self.run(matrix)
        return pd.DataFrame({"probability": chance, "late": chance >= 0.5})

    def polars(self, frame):
        angle = pl.col("sched_dep").dt.hour().cast(pl.Float64) * (2 * np.pi / 24)
        features = frame.select(
            pl.col("sched_dep").dt.hour().cast(pl.Float32), angle.sin().cast(pl.Float32).alias("sin"), angle.cos().cast(pl.Float32).alias("cos"),
            ((pl.col("distance") - self.mean) / self.scale).cast(pl.Float32),
            *[(pl.col("carrier") == name).cast(pl.Float32).alias(f"is_{name}") for name in self.carriers],
            pl.col("dest").replace_strict(self.rates, default=self.rest, return_dtype=pl.Float32),
        )
        chance = self.run(features.to_numpy(order="c"))
        return pl.DataFrame({"probability": chance, "late": chance >= 0.5})


def seconds(call, *arguments):
    begin = time.perf_counter()
    answer = call(*arguments)
    return time.perf_counter() - begin, answer


def main():
    table = prepare()
    batch, frame, polar = table.to_batches()[0], table.to_pandas(), pl.from_arrow(table)
    rows = table.num_rows
    print(f"{rows:,} flights in memory, rows/s, median of {options.rounds} rounds (least to greatest ratio); polars' own part takes every processor in each row\n")
    print("| model | threads | Slipway, pyarrow | Slipway, pandas | Slipway, polars | pandas + ORT | polars + ORT | Slipway, pyarrow : the fastest |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.models:
        for threads in options.threads:
            scorer = slipway.Scorer(options.work / f"{name}-1.0.0.slipway", threads=threads)
            hand = ByHand(name, threads)
            calls = [(scorer.score, batch), (scorer.score, frame), (scorer.score, polar), (hand.pandas, frame), (hand.polars, polar)]
            times, answers = [[] for _ in calls], []
            for _ in range(options.rounds):
                answers = []
                for number, (call, argument) in enumerate(calls):
                    took, answer = seconds(call, argument)
                    times[number].append(took)
                    answers.append(np.asarray(answer.column("probability") if hasattr(answer, "num_rows") else answer["probability"]))
            for other in answers[1:3]:
                assert other.tobytes() == answers[0].tobytes()
            for other in answers[3:]:
                assert (np.abs(other - answers[0]) > 1e-3).mean() < 1e-3, "other answers"
            ratios = sorted(min(others) / mine for mine, *others in zip(times[0], times[3], times[4]))
            speeds = " | ".join(f"{rows / statistics.median(one):,.0f}" for one in times)
            print(f"| {name} | {threads} | {speeds} | {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |", flush=True)


main()
