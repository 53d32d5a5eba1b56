"""Prepares tables and models, runs everybody in turn, checks the answers. Usage: measure.py BUILD WORK [--rows N] [--rounds N]
[--models M…] [--formats F…] [--threads N…] [--who W…]"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import threading
import time

import lightgbm
import numpy as np
import onnxruntime
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

MODELS, FORMATS = ["logistic", "trees"], ["csv", "parquet"]
OTHERS = ["polars", "pandas", "duckdb", "spark", "lightgbm", "reading"]
parser = argparse.ArgumentParser()
parser.add_argument("build", type=pathlib.Path)
parser.add_argument("work", type=pathlib.Path)
parser.add_argument("--rows", type=int, default=1_000_000)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--models", nargs="*", default=MODELS, choices=MODELS)
parser.add_argument("--formats", nargs="*", default=FORMATS, choices=FORMATS)
parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
parser.add_argument("--who", nargs="*", default=OTHERS, choices=OTHERS, help="beside Slipway")
options = parser.parse_args()
COLUMNS = [f"f{i}" for i in range(30)]
DEPS = pathlib.Path(os.environ.get("SLIPWAY_DEPS", pathlib.Path(__file__).resolve().parents[2] / ".deps"))
PYTHON = os.environ.get("BENCH_PYTHON", str(DEPS / "bench/venv/bin/python"))


def fit(name, folder, matrix, target):
    """As ONNX, and of LightGBM also as its own text."""
    if name == "logistic":
        return to_onnx(LogisticRegression().fit(matrix, target), matrix[:1], options={"zipmap": False})
    model = lightgbm.LGBMClassifier(n_estimators=300, num_leaves=63, max_depth=6, n_jobs=2, verbose=-1)
    model.fit(matrix, target, feature_name=COLUMNS)
    model.booster_.save_model(folder / "model.txt")
    return convert_lightgbm(model, initial_types=[("x", FloatTensorType([None, 30]))], zipmap=False)


def prepare():
    """Rows of 30 numbers, 300 trees of depth 6 and a logistic regression over them; the same ONNX file for everybody."""
    options.work.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    matrix = random.standard_normal((options.rows, 30), dtype="float32").round(4)
    target = (matrix[:, 0] * matrix[:, 1] + matrix[:, 2] > matrix[:, 3] * 0.5).astype(int)
    table = pa.table({"id": np.arange(options.rows), **{name: matrix[:, i] for i, name in enumerate(COLUMNS)}})
    pq.write_table(table, options.work / "rows.parquet", row_group_size=122_880)
    with (options.work / "rows.csv").open("wb") as file:
        file.write((",".join(table.column_names) + "\n").encode())  # pyarrow would quote the names, which LightGBM does not know
        pyarrow.csv.write_csv(table, file, pyarrow.csv.WriteOptions(include_header=False, quoting_style="none"))
    inputs = "".join(f"  {name}: {{type: number}}\n" for name in COLUMNS)
    part = slice(0, 20_000)
    expected = {}
    for name in options.models:
        folder = options.work / name
        folder.mkdir(exist_ok=True)
        (folder / "model.onnx").write_bytes(fit(name, folder, matrix[part], target[part]).SerializeToString())
        (folder / "slipway.yaml").write_text(
            f"slipway: 1\nname: {name}\nversion: 1.0.0\ninputs:\n{inputs}model: {{engine: onnx, file: model.onnx}}\n"
            'outputs: {probability: {from: "probabilities[1]"}}\n'
        )
        (folder / "model.txt").exists() and (folder / "model.txt").rename(options.work / f"{name}.txt")  # no part of the bundle
        subprocess.run([options.build / "slipway", "pack", folder, "--output", options.work / f"{name}.slipway"], check=True,
                       capture_output=True)
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
        feed, output = session.get_inputs()[0].name, session.get_outputs()[1].name
        expected[name] = np.concatenate([session.run([output], {feed: matrix[i : i + 100_000]})[0][:, 1]
                                         for i in range(0, options.rows, 100_000)])
    return expected


class Watch(threading.Thread):
    """Follows a process and those that it starts: the most memory that all held at once, and the processor time of all."""

    TICK = os.sysconf("SC_CLK_TCK")

    def __init__(self, process):
        super().__init__()
        self.process, self.peak, self.spent = process, 0, {}
        self.start()

    def look(self, process):
        """Bytes of it and its children."""
        text = pathlib.Path(f"/proc/{process}/status").read_text()
        kind = "VmHWM:" if process == self.process else "VmRSS:"
        size = int(text.split(kind)[1].split()[0]) * 1024
        fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        self.spent[process] = (int(fields[11]) + int(fields[12])) / self.TICK
        for task in pathlib.Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                try:
                    size += self.look(int(child))
                except (OSError, IndexError):  # it is over
                    continue
        return size

    def run(self):
        while True:
            try:
                self.peak = max(self.peak, self.look(self.process))
            except (OSError, IndexError):
                return
            time.sleep(0.02)


def run(who, model, form, processors):
    """Seconds, seconds of the whole command, CPU seconds and peak bytes of one run; the answers are where it wrote them."""
    source, target = options.work / f"rows.{form}", options.work / f"out.{form}"
    if who == "slipway":
        command = [options.build / "slipway", "batch", "run", "--model", options.work / f"{model}.slipway", "--input", source,
                   "--output", target, "--keep", "id", "--threads", processors]
    else:
        command = [PYTHON, pathlib.Path(__file__).parent / "opponents.py", who, options.work / model, source, target, processors]
    shutil.rmtree(options.work / f"out.{form}.job", ignore_errors=True)
    shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
    cores = sorted(os.sched_getaffinity(0))[:processors]
    begin = time.perf_counter()
    process = subprocess.Popen(["taskset", "-c", ",".join(map(str, cores)), *map(str, command)], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL if who == "spark" else None, text=True)
    watch = Watch(process.pid)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    whole = time.perf_counter() - begin
    watch.join()
    assert status == 0, (who, model, form, processors)
    seconds = whole if who == "slipway" else float(out.split()[-1])
    return {"seconds": seconds, "whole": whole, "cpu": max(usage.ru_utime + usage.ru_stime, sum(watch.spent.values())),
            "peak": watch.peak}


def answers(who, form):
    """In the order of the rows."""
    path = options.work / f"out.{form}"
    if who == "lightgbm":
        return np.loadtxt(path)
    if who == "spark" and form == "csv":
        table = pd.concat(pd.read_csv(part) for part in path.glob("part-*"))
    else:
        table = pd.read_csv(path) if form == "csv" else pd.read_parquet(path, columns=["id", "probability"])
    if who == "spark":
        table = table.sort_values("id")
    assert (table["id"].to_numpy() == np.arange(options.rows)).all()
    return table["probability"].to_numpy()


def check(who, model, form, expected):
    off = np.abs(answers(who, form) - expected[model]) > 1e-5
    # LightGBM reads doubles, so a value on a threshold may go the other way.
    allowed = options.rows / 100 if who == "lightgbm" else 0
    assert off.sum() <= allowed, f"{who}, {model}, {form}: {off.sum()} answers are off"


def plays(who, model, form):
    return who != "lightgbm" or (model, form) == ("trees", "csv")


def told(ours, theirs, key):
    ratios = sorted(their[key] / our["seconds"] for our, their in zip(ours, theirs))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def measure(model, form, threads, expected):
    who = ["slipway", *(each for each in options.who if plays(each, model, form))]
    runs = {each: [] for each in who}
    for _ in range(options.rounds):
        for each in who:
            runs[each].append(run(each, model, form, threads))
            if each != "reading":
                check(each, model, form, expected)
    for each in who:
        middle = {key: statistics.median(one[key] for one in runs[each]) for key in runs[each][0]}
        line = (f"{model:<9} {form:<8} {threads:>7}  {each:<8} {options.rows / middle['seconds']:>10,.0f} "
                f"{middle['cpu']:>7.2f} {middle['peak'] / 1e6:>8.0f}")
        if each != "slipway":
            ours, theirs = runs["slipway"], runs[each]
            line += f"  {told(ours, theirs, 'seconds'):<22} {told(ours, theirs, 'whole')}"
        print(line, flush=True)
    return [{"model": model, "format": form, "threads": threads, "who": each, "runs": runs[each]} for each in who]


def main():
    expected = prepare()
    results = []
    print(f"{options.rows:,} rows x 30, median of {options.rounds} interleaved rounds. Ratio: rows/s of slipway's whole command to theirs,")
    print("without and with the time that they take to start (least to greatest). reading: DuckDB only reads the input.")
    print(f"{'model':<9} {'format':<8} {'threads':>7}  {'':<8} {'rows/s':>10} {'CPU s':>7} {'peak MB':>8}  {'ratio':<22} with start")
    for model in options.models:
        for form in options.formats:
            for threads in options.threads:
                results += measure(model, form, threads, expected)
    (options.work / "batch.json").write_text(json.dumps({"rows": options.rows, "results": results}, indent=1))


main()
