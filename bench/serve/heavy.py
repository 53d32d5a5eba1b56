"""Bundles of models that take milliseconds a row, with rows for them and ONNX Runtime's own answers."""

import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import onnxruntime
from driver import BUILD, SERVER_CPU, WORK, Opponent, slipway

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/support"))
from heavy_models import TOKENS, WIDTH, WORDS, Encoder, deep_network  # noqa: E402

ROWS = 1024


def session_of(name):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(WORK / name / "model.onnx"), options)


def rows_of(name):
    random = np.random.default_rng(6)
    if name == "encoder":
        return random.integers(0, WORDS, (ROWS, TOKENS))
    return random.normal(size=(ROWS, WIDTH)).round(4).astype("float32")


def prepare_heavy(name, limits=""):
    """WORK/{name}.slipway, .jsonl and .expected; `limits` stands in the manifest."""
    folder, rows = WORK / name, rows_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(Encoder().bytes() if name == "encoder" else deep_network())
    (folder / "slipway.yaml").write_text(
        f"slipway: 1\nname: {name}\nversion: 1.0.0\nmodel: {{engine: onnx, file: model.onnx}}\n"
        f'outputs: {{score: "y[0]"}}\n{limits}')
    session = session_of(name)
    given = session.get_inputs()[0].name
    records = [json.dumps({given: row.tolist()} if name == "encoder" else {given: [round(float(v), 4) for v in row]})
               for row in rows]
    (WORK / f"{name}.jsonl").write_text("\n".join(records) + "\n")
    (WORK / f"{name}-golden.jsonl").write_text("\n".join(records[:8]) + "\n")
    subprocess.run([BUILD / "slipway", "pack", folder, "--golden", WORK / f"{name}-golden.jsonl", "--output",
                    WORK / f"{name}.slipway"], check=True, capture_output=True)
    answers = np.concatenate([session.run(None, {given: part})[0][:, 0] for part in np.array_split(rows, ROWS // 32)])
    (WORK / f"{name}.expected").write_text("".join(f"{value:.9g}\n" for value in answers))


def heavy_server(label, name, *options):
    server = Opponent(f"{name}-{label}", slipway(name, *options), f"/predict/{name}", name)
    server.rows, server.field = WORK / f"{name}.jsonl", "score"
    return server


def row_times(name, sizes):
    """µs a row in ONNX Runtime alone, on the server's processor, by rows of a run: the median of many runs, in turn."""
    session, rows = session_of(name), rows_of(name)
    given = session.get_inputs()[0].name
    took = {size: [] for size in sizes}
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(SERVER_CPU)})
    for i in range(16):
        for size in sizes:
            for part in np.split(rows[i % 8 * 64:][:64], 64 // size)[:4]:
                begun = time.perf_counter()
                session.run(None, {given: part})
                took[size].append((time.perf_counter() - begun) / size * 1e6)
    os.sched_setaffinity(0, mine)
    return {size: float(np.median(values)) for size, values in took.items()}
