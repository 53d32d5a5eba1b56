"""A job over many gigabytes: its memory, a kill in the midst of it, and every part of the answer.

large_batch.py BUILD WORK [--gigabytes N] [--format csv|parquet] [--memory-limit BYTES]. The input is one file under many names, so that a
small disk holds it and each file's answers must be those of the first.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

parser = argparse.ArgumentParser()
parser.add_argument("build", type=pathlib.Path)
parser.add_argument("work", type=pathlib.Path)
parser.add_argument("--gigabytes", type=float, default=20)
parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
parser.add_argument("--memory-limit", type=int, default=10**9)
options = parser.parse_args()
COLUMNS = [f"f{i}" for i in range(30)]
ROWS = 1_000_000


def prepare():
    """The model, and the folder of input files; their number."""
    folder = options.work / "in"
    shutil.rmtree(options.work, ignore_errors=True)
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    matrix = random.standard_normal((ROWS, 30), dtype="float32").round(4)
    table = pd.DataFrame(matrix, columns=COLUMNS)
    table.insert(0, "id", np.arange(ROWS))
    first = folder / f"0000.{options.format}"
    table.to_csv(first, index=False) if options.format == "csv" else table.to_parquet(first, index=False)
    model = LogisticRegression().fit(matrix[:10_000], matrix[:10_000, 0] > 0)
    source = options.work / "model"
    source.mkdir()
    (source / "model.onnx").write_bytes(to_onnx(model, matrix[:1], options={"zipmap": False}).SerializeToString())
    inputs = "".join(f"  {name}: {{type: number}}\n" for name in COLUMNS)
    (source / "slipway.yaml").write_text(f"slipway: 1\nname: large\nversion: 1.0.0\ninputs:\n{inputs}model: {{engine: onnx, file: "
                                         'model.onnx}\noutputs: {probability: {from: "probabilities[1]"}}\n')
    subprocess.run([options.build / "slipway", "pack", source, "--output", options.work / "large.slipway"], check=True,
                   capture_output=True)
    files = max(2, round(options.gigabytes * 1e9 / first.stat().st_size))
    for number in range(1, files):
        os.link(first, folder / f"{number:04}.{options.format}")
    return files


def follow(process, stop_at=None):
    """Peak bytes of a process until it ends, or until it is killed at the time."""
    peak, begin = 0, time.monotonic()
    while process.poll() is None:
        try:
            peak = max(peak, int(pathlib.Path(f"/proc/{process.pid}/status").read_text().split("VmHWM:")[1].split()[0]) * 1024)
        except (OSError, IndexError):
            pass
        if stop_at is not None and time.monotonic() - begin > stop_at:
            process.send_signal(signal.SIGKILL)
            stop_at = None
        time.sleep(0.05)
    return peak


def main():
    files = prepare()
    begin = time.monotonic()
    job = options.work / "scored.job"
    run = [options.build / "slipway", "batch", "run", "--model", options.work / "large.slipway", "--input", options.work / "in",
           "--output", f"{options.work}/scored/", "--output-format", "parquet", "--keep", "id", "--job", job, "--json"]
    with (options.work / "events").open("w") as events:
        killed = subprocess.Popen(run, stdout=events, stderr=events)
        peak = follow(killed, stop_at=20)
        assert killed.returncode == -signal.SIGKILL, "it was done before it could be killed; take more gigabytes"
        before = len((job / "parts.jsonl").read_text().splitlines())
        resumed = subprocess.Popen([options.build / "slipway", "batch", "resume", job, "--json"], stdout=events, stderr=events)
        peak = max(peak, follow(resumed))
    assert resumed.returncode == 0, (options.work / "events").read_text()[-2000:]
    parts = [json.loads(line) for line in (job / "parts.jsonl").read_text().splitlines()]
    of_file = [[part["output"] for part in parts if part["file"] == number] for number in range(files)]
    assert len(of_file[0]) >= 8 and all(each == of_file[0] for each in of_file), "files of the same rows got different answers"
    written = list((options.work / "scored").glob("part-*.parquet"))
    assert len(written) == len(parts) and 0 < before < len(parts)
    seconds = time.monotonic() - begin
    size = sum(path.stat().st_size for path in (options.work / "in").iterdir())
    print(f"{size / 1e9:.1f} GB of {options.format}, {files * ROWS:,} rows in {len(parts)} parts: {seconds:.0f} s, killed behind part "
          f"{before}, peak {peak / 1e6:.0f} MB")
    shutil.rmtree(options.work)
    return 0 if peak <= options.memory_limit else f"more than {options.memory_limit:,} bytes"


sys.exit(main())
