"""Prepares tables and models, runs everybody in turn, checks the answers. Usage: measure.py BUILD WORK [--rows N] [--rounds N]"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import threading
import time

import numpy as np
import onnxruntime
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

parser = argparse.ArgumentParser()
parser.add_argument("build", type=pathlib.Path)
parser.add_argument("work", type=pathlib.Path)
parser.add_argument("--rows", type=int, default=1_000_000)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
options = parser.parse_args()
COLUMNS = [f"f{i}" for i in range(30)]
WHO = ["slipway", "polars", "pandas", "duckdb"]
DEPS = pathlib.Path(os.environ.get("SLIPWAY_DEPS", pathlib.Path(__file__).resolve().parents[2] / ".deps"))
PYTHON = os.environ.get("BENCH_PYTHON", str(DEPS / "bench/venv/bin/python"))


def prepare():
    """1 M rows of 30 numbers, 300 trees of depth 6 and a logistic regression over them; the same ONNX file for everybody."""
    options.work.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    matrix = random.normal(size=(options.rows, 30)).round(4).astype("float32")
    target = (matrix[:, 0] * matrix[:, 1] + matrix[:, 2] > matrix[:, 3] * 0.5).astype(int)
    table = pa.table({"id": np.arange(options.rows), **{name: matrix[:, i] for i, name in enumerate(COLUMNS)}})
    pq.write_table(table, options.work / "rows.parquet", row_group_size=122_880)
    table.to_pandas().to_csv(options.work / "rows.csv", index=False)
    inputs = "".join(f"  {name}: {{type: number}}\n" for name in COLUMNS)
    part = slice(0, 20_000)
    expected = {}
    for name in "logistic", "trees":
        folder = options.work / name
        folder.mkdir(exist_ok=True)
        if name == "trees":
            model = xgboost.XGBClassifier(n_estimators=300, max_depth=6, n_jobs=2).fit(matrix[part], target[part])
            onnx = convert_xgboost(model, initial_types=[("x", FloatTensorType([None, 30]))])
        else:
            onnx = to_onnx(LogisticRegression().fit(matrix[part], target[part]), matrix[:1], options={"zipmap": False})
        (folder / "model.onnx").write_bytes(onnx.SerializeToString())
        (folder / "slipway.yaml").write_text(
            f"slipway: 1\nname: {name}\nversion: 1.0.0\ninputs:\n{inputs}model: {{engine: onnx, file: model.onnx}}\n"
            'outputs: {probability: {from: "probabilities[1]"}}\n'
        )
        subprocess.run([options.build / "slipway", "pack", folder, "--output", options.work / f"{name}.slipway"], check=True,
                       capture_output=True)
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
        expected[name] = session.run([session.get_outputs()[1].name], {session.get_inputs()[0].name: matrix})[0][:, 1]
    return expected


def follow(process, peak):
    """The most memory that a process has held, as long as it runs; what wait4 tells has this one's in it."""
    while True:
        try:
            text = pathlib.Path(f"/proc/{process}/status").read_text()
            peak[0] = max(peak[0], int(text.split("VmHWM:")[1].split()[0]) * 1024)
        except (OSError, IndexError):  # it is over
            return
        time.sleep(0.005)


def run(who, model, form, processors):
    """Seconds, CPU seconds and peak bytes of one run; the answers are where it wrote them."""
    source, target = options.work / f"rows.{form}", options.work / f"out.{form}"
    if who == "slipway":
        command = [options.build / "slipway", "batch", "run", "--model", options.work / f"{model}.slipway", "--input", source,
                   "--output", target, "--keep", "id", "--threads", processors]
    else:
        command = [PYTHON, pathlib.Path(__file__).parent / "opponents.py", who, options.work / model / "model.onnx", source,
                   target, processors]
    shutil.rmtree(options.work / f"out.{form}.job", ignore_errors=True)
    cores = sorted(os.sched_getaffinity(0))[:processors]
    begin = time.perf_counter()
    process = subprocess.Popen(["taskset", "-c", ",".join(map(str, cores)), *map(str, command)], stdout=subprocess.PIPE, text=True)
    peak = [0]
    watch = threading.Thread(target=follow, args=(process.pid, peak))
    watch.start()
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    watch.join()
    assert status == 0, (who, model, form, processors)
    seconds = wall if who == "slipway" else float(out)
    return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak[0]}


def check(model, form, expected):
    path = options.work / f"out.{form}"
    answers = pd.read_csv(path) if form == "csv" else pd.read_parquet(path)
    assert (answers["id"] == np.arange(options.rows)).all()
    worst = np.abs(answers["probability"].to_numpy() - expected[model]).max()
    assert worst < 1e-5, f"{model} {form}: an answer is off by {worst}"


def main():
    expected = prepare()
    results = []
    print(f"{options.rows:,} rows x 30, median of {options.rounds} interleaved rounds; ratio: rows/s of slipway to theirs")
    print(f"{'model':<9} {'format':<8} {'threads':>7}  {'':<8} {'rows/s':>10} {'CPU s':>7} {'peak MB':>8}  ratio (least to greatest)")
    for model in "logistic", "trees":
        for form in "csv", "parquet":
            for threads in options.threads:
                runs = {who: [] for who in WHO}
                for _ in range(options.rounds):
                    for who in WHO:
                        runs[who].append(run(who, model, form, threads))
                        if who != "duckdb":
                            check(model, form, expected)
                for who in WHO:
                    middle = {key: statistics.median(each[key] for each in runs[who]) for key in runs[who][0]}
                    ratios = sorted(theirs["seconds"] / ours["seconds"] for ours, theirs in zip(runs["slipway"], runs[who]))
                    told = "" if who == "slipway" else f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
                    label = "reading" if who == "duckdb" else who
                    print(f"{model:<9} {form:<8} {threads:>7}  {label:<8} {options.rows / middle['seconds']:>10,.0f} "
                          f"{middle['cpu']:>7.2f} {middle['peak'] / 1e6:>8.0f}  {told}", flush=True)
                    results.append({"model": model, "format": form, "threads": threads, "who": who, "runs": runs[who]})
    (options.work / "batch.json").write_text(json.dumps({"rows": options.rows, "results": results}, indent=1))


main()
