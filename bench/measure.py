"""Prepares models, drives the measurements in turn and prints the ratios. Usage: measure.py BUILD WORK"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import xgboost
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

build, work = map(pathlib.Path, sys.argv[1:])
slipway = build / "slipway"
ROWS, COLUMNS = 8192, 30
MODELS = ["trees", "logistic"]
os.environ["OMP_NUM_THREADS"] = "1"


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def prepare():
    """30 numbers, standardized and clipped; 300 trees of depth 6, and a logistic regression."""
    work.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    table = pd.DataFrame(random.normal(size=(ROWS, COLUMNS)).round(4), columns=[f"f{i}" for i in range(COLUMNS)])
    target = (table.f0 * table.f1 + table.f2 > table.f3 * 0.5).astype(int)
    table.to_csv(work / "rows.csv", index=False)
    table.to_json(work / "rows.jsonl", orient="records", lines=True)
    inputs = "".join(f"  f{i}: {{type: number, min: -100, max: 100}}\n" for i in range(COLUMNS))
    steps = "".join(f"  - {{as: z{i}, standardize: f{i}}}\n" for i in range(COLUMNS))
    for name in MODELS:
        folder = work / name
        folder.mkdir(exist_ok=True)
        (folder / "slipway.yaml").write_text(
            f"slipway: 1\nname: {name}\nversion: 1.0.0\ninputs:\n{inputs}features:\n{steps}"
            'model: {engine: onnx, file: model.onnx}\noutputs: {probability: {from: "probabilities[1]"}}\n'
        )
        run(slipway, "fit", folder, "--data", work / "rows.csv")
        run(slipway, "transform", folder, "--data", work / "rows.csv", "--output", work / f"{name}.npy")
        matrix = np.load(work / f"{name}.npy")
        if name == "trees":
            model = xgboost.XGBClassifier(n_estimators=300, max_depth=6, n_jobs=2).fit(matrix, target)
            onnx = convert_xgboost(model, initial_types=[("x", FloatTensorType([None, COLUMNS]))])
        else:
            onnx = to_onnx(LogisticRegression().fit(matrix, target), matrix[:1], options={"zipmap": False})
        (folder / "model.onnx").write_bytes(onnx.SerializeToString())
        run(slipway, "pack", folder, "--output", work / f"{name}.slipway")


def until_first_line(command, given=b""):
    """Milliseconds from the start of a process to the first line of its answer; how it ends is not counted."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(given)
    process.stdin.close()
    line = process.stdout.readline()
    took = time.perf_counter() - start
    trouble = process.stderr.read()
    if process.wait() != 0 or not line:
        sys.exit(f"{command[0]} gave no answer: {trouble.decode()}")
    return took * 1e3


def first_answer(name):
    """Process start to first answer, against Python that loads the same model in ONNX Runtime: pairs in turn, the first unmeasured."""
    record = (work / "rows.jsonl").open("rb").readline()
    python = (
        "import numpy, onnxruntime; o = onnxruntime.SessionOptions(); o.intra_op_num_threads = 1; "
        f"s = onnxruntime.InferenceSession({str(work / name / 'model.onnx')!r}, o); "
        f"print(s.run(None, {{s.get_inputs()[0].name: numpy.zeros((1, {COLUMNS}), 'float32')}}), flush=True)"
    )
    ours, theirs = [], []
    for _ in range(12):
        ours.append(until_first_line([slipway, "predict", work / f"{name}.slipway"], record))
        theirs.append(until_first_line([sys.executable, "-c", python]))
    pairs = sorted(a / b for a, b in zip(ours[1:], theirs[1:]))
    return {"slipway_ms": statistics.median(ours[1:]), "python_ms": statistics.median(theirs[1:]),
            "ratio": statistics.median(pairs), "ratio_min": pairs[0], "ratio_max": pairs[-1]}


def start_up():
    times = []
    for _ in range(20):
        start = time.perf_counter()
        subprocess.run([slipway, "--version"], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return {"megabytes": slipway.stat().st_size / 1e6, "version_ms": statistics.median(times) * 1e3}


prepare()
results = {"program": start_up(), "first_answer": {name: first_answer(name) for name in MODELS}}
for name in MODELS:
    results[name] = json.loads(run(build / "bench/scoring_bench", work / f"{name}.slipway", work / "rows.jsonl"))
results["counting"] = json.loads(run(build / "bench/counting_bench"))
(work / "results.json").write_text(json.dumps(results, indent=2))

print(f"program: {results['program']['megabytes']:.1f} MB, --version in {results['program']['version_ms']:.1f} ms")
for name, first in results["first_answer"].items():
    print(f"{name}: bundle to first answer {first['slipway_ms']:.0f} ms, Python with ONNX Runtime {first['python_ms']:.0f} ms, "
          f"ratio {first['ratio']:.2f} ({first['ratio_min']:.2f} to {first['ratio_max']:.2f})")
print(f"a call is counted in {results['counting']['counting_ns']:.0f} ns, and {results['counting']['clock_ns']:.0f} ns of clocks between its phases")
for name in MODELS:
    print(f"{name}: a JSON record of {COLUMNS} numbers decodes in {results[name]['decode_json_us_per_record']:.2f} us")
    for entry in results[name]["scorer"]:
        print(f"  batch {entry['batch']:5}: model {entry['model_us_per_row']:.2f} us a row, scorer {entry['scorer_us_per_row']:.2f}, validation and "
              f"features {entry['validate_and_features_us_per_row']:.2f} "
              f"({entry['validate_and_features_us_per_row'] / entry['model_us_per_row']:.1%} of the model); scorer : model {entry['scorer_to_model']:.2f} "
              f"({entry['scorer_to_model_min']:.2f} to {entry['scorer_to_model_max']:.2f})")
