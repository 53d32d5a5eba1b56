"""Triton's perf_analyzer, which loads servers and checks what they answer."""

import csv
import json
import os
import re
import pathlib
import subprocess

import numpy as np
import pytest
from conftest import PLAIN_WEIGHTS

FOLDER = pathlib.Path(os.environ.get("SLIPWAY_DEPS", pathlib.Path(__file__).resolve().parents[2] / ".deps")) / "perf-analyzer"
REQUESTS = 300

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="perf_analyzer is packaged for x86-64 only")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Rows for `plain`, with the answers that perf_analyzer is to find, bit by bit."""
    inputs = np.random.default_rng(3).integers(-64, 64, (64, 4)).astype(np.float32) / 8
    path = tmp_path_factory.mktemp("perf") / "rows.json"
    path.write_text(json.dumps({"data": [{"x": row.tolist()} for row in inputs],
                                "validation_data": [{"y": row.tolist()} for row in inputs @ PLAIN_WEIGHTS]}))
    return path


def analyze(where, data, report, *options):
    # Statistics are looked for by a whole number as version: the major one.
    command = [FOLDER / "perf_analyzer", "-m", "plain", "-x", "1", "-u", where, "--input-data", data, "--request-count", REQUESTS,
               "--concurrency-range", 2, "-f", report, *options]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "LD_LIBRARY_PATH": str(FOLDER)})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("protocol, options", [
    ("http", []),
    ("http", ["--input-tensor-format", "json", "--output-tensor-format", "json"]),
    ("grpc", []),
    ("grpc", ["--streaming", "--async"]),
])
def test_answers_under_load_are_right_and_counted(served, address, rows, tmp_path, protocol, options):
    where = served.grpc if protocol == "grpc" else address
    text = analyze(where, rows, tmp_path / "report.csv", "-i", protocol, *options)
    client, server = text.split("Server:")
    assert f"Request count: {REQUESTS}" in client and "Failed" not in text, text
    # It looks at the server's counts when it has begun already.
    counted = int(re.search(r"Successful request count: (\d+)", server)[1])
    assert REQUESTS * 0.8 <= counted <= REQUESTS, text
    with (tmp_path / "report.csv").open() as report:
        measured = next(csv.DictReader(report))
    assert float(measured["Inferences/Second"]) > 0


def test_a_wrong_answer_would_be_found(served, address, rows, tmp_path):
    spoilt = json.loads(rows.read_text())
    spoilt["validation_data"][5]["y"][0] += 1
    path = tmp_path / "spoilt.json"
    path.write_text(json.dumps(spoilt))
    with pytest.raises(AssertionError, match="[Oo]utput doesn't match"):
        analyze(address, path, tmp_path / "report.csv", "-i", "http")
