"""What the measurements of this folder share: models and rows, servers to start, a generator to drive them with."""

import contextlib
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

import numpy as np
import pandas as pd

BUILD, WORK, OPPONENTS = map(pathlib.Path, sys.argv[1:4])
QUICK = "--quick" in sys.argv
HERE = pathlib.Path(__file__).resolve().parent
ROWS, COLUMNS = 4096, 30
ROUNDS = 2 if QUICK else 5
SECONDS = 1 if QUICK else 2
CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU, CLIENT_CPU = str(CPUS[0]), str(CPUS[-1])
PYTHON = OPPONENTS / "venv/bin/python"


def prepare(limits=""):
    """The light models and their rows; `limits` stands in their manifests."""
    import joblib
    import xgboost
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    WORK.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    names = [f"f{i}" for i in range(COLUMNS)]
    table = pd.DataFrame(random.normal(size=(ROWS, COLUMNS)).round(4), columns=names)
    target = (table.f0 * table.f1 + table.f2 > table.f3 * 0.5).astype(int)
    matrix = table.to_numpy(dtype="float32")
    write_rows(table, WORK / "rows.jsonl")
    inputs = "".join(f"  {name}: {{type: number, min: -100, max: 100}}\n" for name in names)
    for name in ["logistic", "trees"]:
        folder = WORK / name
        folder.mkdir(exist_ok=True)
        if name == "logistic":
            model = LogisticRegression().fit(matrix, target)
            joblib.dump(model, folder / "model.joblib")
            onnx = to_onnx(model, matrix[:1], options={"zipmap": False})
        else:
            model = xgboost.XGBClassifier(n_estimators=300, max_depth=6, n_jobs=2).fit(matrix, target)
            onnx = convert_xgboost(model, initial_types=[("x", FloatTensorType([None, COLUMNS]))])
        (folder / "model.onnx").write_bytes(onnx.SerializeToString())
        (folder / "slipway.yaml").write_text(
            f"slipway: 1\nname: {name}\nversion: 1.0.0\ninputs:\n{inputs}"
            'model: {engine: onnx, file: model.onnx}\noutputs: {probability: "probabilities[1]"}\n' + limits)
        # The joblib file is the opponent's alone.
        subprocess.run([BUILD / "slipway", "pack", folder, "--output", WORK / f"{name}.slipway"], check=True,
                       capture_output=True)
        write_expected(name, matrix, WORK / f"{name}.expected")


def write_rows(table, path):
    table.to_json(path, orient="records", lines=True, double_precision=4)


def write_expected(model, matrix, path):
    """What ONNX Runtime itself answers."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # several threads would add trees up in another order
    session = onnxruntime.InferenceSession(str(WORK / model / "model.onnx"), options)
    answers = session.run([session.get_outputs()[1].name], {session.get_inputs()[0].name: matrix})[0][:, 1]
    path.write_text("".join(f"{value:.9g}\n" for value in answers))


def slipway(model, *options):
    """The command of a server with one bundle, as Opponent takes it."""
    return lambda port: [BUILD / "slipway", "serve", WORK / f"{model}.slipway", "--http", f"127.0.0.1:{port}",
                         "--threads", 1, "--log-file", WORK / "slipway.log", *options]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Opponent:
    """One server; commands are given the port."""

    def __init__(self, name, command, path, model=None, environment=None):
        self.name, self.command, self.path, self.model, self.environment = name, command, path, model, environment or {}
        self.rows, self.expected, self.field = WORK / "rows.jsonl", WORK / f"{model}.expected", "probability"

    def start(self):
        self.port = free_port()
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            ["taskset", "-c", SERVER_CPU, *map(str, self.command(self.port))], stdout=subprocess.DEVNULL,
            stderr=open(WORK / f"{self.name}.log", "w"), env={**os.environ, **self.environment})
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                break
            if self.process.poll() is not None or time.perf_counter() - begun > 60:
                sys.exit(f"{self.name} does not start: {(WORK / f'{self.name}.log').read_text()[-2000:]}")
            time.sleep(0.005)
        # The first right answer, not the open port, ends the start.
        while self.drive(connections=1, seconds=0.02, rate=0, settle=False)["refused"]:
            time.sleep(0.005)
        self.start_seconds = time.perf_counter() - begun

    def stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        self.process.kill()

    def processes(self):
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += map(int, task.read_text().split())
        return found

    def cpu_seconds(self):
        ticks = 0
        for pid in self.processes():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def megabytes(self):
        total = 0
        for pid in self.processes():
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS"):
                    total += int(line.split()[1]) / 1024
        return total

    def drive(self, connections, seconds, rate, settle=True, more=()):
        """`settle`: refusals and connections that break are faults, too; `more`: further options of the generator."""
        command = ["taskset", "-c", CLIENT_CPU, BUILD / "bench/load_generator", "--port", self.port, "--path", self.path,
                   "--rows", self.rows, "--connections", connections, "--seconds", seconds, "--rate", rate, *more]
        if self.model:
            command += ["--expect", self.expected, "--field", self.field]
        before = self.cpu_seconds()
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{self.name}: {done.stderr}")
        result = json.loads(done.stdout)
        result["cpu_us"] = (self.cpu_seconds() - before) * 1e6 / max(1, result["answered"])
        bad = result["wrong"] + (result["broken"] + result["refused"] if settle else 0)
        if bad:
            sys.exit(f"{self.name}: not every answer was right: {result}")
        return result


def in_turn(servers, connections, load_seconds, idle_seconds, idle_rate, after):
    """Starts servers (by label) and drives them in alternate rounds: idle ones at `idle_rate` of the first round, and with so many
    connections that never wait. Both, and what `after` tells of each server."""
    try:
        for server in servers.values():
            server.start()
        for server in servers.values():
            server.drive(connections=connections, seconds=1, rate=0)
        idle, loaded = [], []
        for _ in range(ROUNDS):
            loaded.append({label: server.drive(connections=connections, seconds=load_seconds, rate=0) for label, server in servers.items()})
            idle.append({label: server.drive(connections=1, seconds=idle_seconds, rate=idle_rate(loaded[0]))
                         for label, server in servers.items()})
        return idle, loaded, {label: after(server) for label, server in servers.items()}
    finally:
        for server in servers.values():
            if hasattr(server, "process"):
                server.stop()


def median(rounds, name, key):
    return statistics.median(entry[name][key] for entry in rounds)


def ratio(rounds, key, ours, theirs):
    """Median, least and greatest of ours : theirs, taken within each round."""
    values = [entry[ours][key] / entry[theirs][key] for entry in rounds]
    return statistics.median(values), min(values), max(values)


