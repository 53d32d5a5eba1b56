"""Instructions that one request costs inside the server, counted by callgrind: repeatable where times are not.

budgets.json holds what each kind of request may cost, ONNX Runtime's own instructions left out. A request that costs more
than its budget fails; one that costs a fifth less wants its budget lowered. `SHOW=1` prints the dearest functions.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

import numpy as np
import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROGRAM = os.environ.get("SLIPWAY", str(ROOT / "build/release/slipway"))
BUDGETS = json.loads((HERE / "budgets.json").read_text())
COLUMNS, REQUESTS = 30, 200
LINE = re.compile(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+\S+?:(.*?) \[(.*)\]$")


def http(method, path, body=""):
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def records(count, seed):
    values = np.random.default_rng(seed).normal(size=(count, COLUMNS)).round(4)
    return [{f"f{i}": value for i, value in enumerate(row)} for row in values.tolist()]


def infer(binary, count, seed):
    """An Open Inference Protocol request, a tensor per column."""
    values = np.random.default_rng(seed).normal(size=(COLUMNS, count)).astype("float32").round(4)
    inputs = [{"name": f"f{i}", "shape": [count], "datatype": "FP32"} for i in range(COLUMNS)]
    for given, column in zip(inputs, values):
        given |= {"parameters": {"binary_data_size": 4 * count}} if binary else {"data": [float(str(v)) for v in column]}
    text = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": binary}}).encode()
    head = f"POST /v2/models/logistic/infer HTTP/1.1\r\nHost: x\r\nInference-Header-Content-Length: {len(text)}\r\n"
    body = text + (values.tobytes() if binary else b"")
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


REQUEST_KINDS = {
    "GET /livez": lambda i: http("GET", "/livez"),
    "POST /predict, one record of 30 numbers": lambda i: http("POST", "/predict/logistic", json.dumps(records(1, i)[0])),
    "POST /predict, 64 records of 30 numbers": lambda i: http("POST", "/predict/logistic", json.dumps({"records": records(64, i)})),
    "POST /predict, one record that breaks the schema": lambda i: http(
        "POST", "/predict/logistic", json.dumps(records(1, i)[0] | {"f3": 1000})),
    "POST /v2 infer, one row of 30 columns, binary": lambda i: infer(True, 1, i),
    "POST /v2 infer, 64 rows of 30 columns, binary": lambda i: infer(True, 64, i),
    "POST /v2 infer, 64 rows of 30 columns, JSON": lambda i: infer(False, 64, i),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    folder = tmp_path_factory.mktemp("instructions")
    rows = np.random.default_rng(1).normal(size=(500, COLUMNS)).astype("float32")
    model = LogisticRegression().fit(rows, rows[:, 0] > 0)
    (folder / "model.onnx").write_bytes(to_onnx(model, rows[:1], options={"zipmap": False}).SerializeToString())
    inputs = "".join(f"  f{i}: {{type: number, min: -100, max: 100}}\n" for i in range(COLUMNS))
    steps = "".join(f"  - {{as: z{i}, clip: f{i}, min: -3, max: 3}}\n" for i in range(COLUMNS))
    (folder / "slipway.yaml").write_text(
        f"slipway: 1\nname: logistic\nversion: 1.0.0\ninputs:\n{inputs}features:\n{steps}"
        'model: {engine: onnx, file: model.onnx}\noutputs: {probability: "probabilities[1]"}\n')
    return folder


class CountedServer:
    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--dump-instr=no", f"--callgrind-out-file={folder}/count",
             PROGRAM, "serve", str(folder), "--http", f"127.0.0.1:{self.port}", "--threads", "1", "--log-level", "off",
             "--heavy-from", "1h"],  # under callgrind every model is slow
            stdout=subprocess.DEVNULL, stderr=(folder / "valgrind.log").open("w"))
        end = time.monotonic() + 120
        while b" 200 " not in self.ask_once(http("GET", "/readyz"))[:20]:
            assert self.process.poll() is None and time.monotonic() < end, (folder / "valgrind.log").read_text()
            time.sleep(0.1)

    def ask_once(self, request):
        try:
            with socket.create_connection(("127.0.0.1", self.port)) as connection:
                return self.ask(connection, request)
        except OSError:
            return b""

    def ask(self, connection, request):
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
        head, body = answer.split(b"\r\n\r\n", 1)
        size = int(re.search(rb"Content-Length: (\d+)", head)[1])
        while len(body) < size:
            body += connection.recv(65536)
        return head

    def control(self, *arguments):
        subprocess.run(["callgrind_control", *arguments, str(self.process.pid)], check=True, capture_output=True)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)


def count(folder, kind):
    """Instructions per request by function, without ONNX Runtime's."""
    server = CountedServer(folder)
    requests = [REQUEST_KINDS[kind](i) for i in range(REQUESTS)]
    try:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            for request in requests[:20]:
                server.ask(connection, request)  # buffers grow, symbols bind
            server.control("-i", "on")
            for request in requests:
                server.ask(connection, request)
            server.control("-i", "off")
    finally:
        server.stop()
    text = subprocess.run(["callgrind_annotate", "--threshold=100", f"{folder}/count"], check=True, capture_output=True,
                          text=True).stdout
    costs = collections.Counter()
    for line in text.splitlines():
        if (match := LINE.match(line)) and "onnxruntime" not in match[3]:
            costs[match[2]] += int(match[1].replace(",", "")) / REQUESTS
    return costs


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is missing: run deps/install test")
@pytest.mark.parametrize("kind", REQUEST_KINDS)
def test_a_request_keeps_its_budget(folder, kind):
    costs = count(folder, kind)
    total, budget = sum(costs.values()), BUDGETS[kind]
    dearest = "\n".join(f"{cost:10.0f}  {function[:110]}" for function, cost in costs.most_common(25))
    print(f"{kind}: {total:.0f} instructions, budget {budget}")
    if os.environ.get("SHOW"):
        print(dearest)
    assert total > 500, "nothing was counted"
    assert total <= budget, f"{kind} costs {total:.0f} instructions, its budget is {budget}; the dearest functions:\n{dearest}"
    assert total > 0.8 * budget, f"{kind} costs {total:.0f} instructions only: lower its budget of {budget} in budgets.json"
