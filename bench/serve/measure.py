"""Serves the same models by Slipway and by its opponents and drives all of them in turn.

usage: measure.py BUILD WORK OPPONENTS [--quick]

One server thread on the first processor, the generator on the last. Rounds are interleaved (each opponent once a round),
figures are medians over rounds, ratios are taken within a round. 4,096 distinct rows in turn; every answer of a server
that predicts is compared with ONNX Runtime's own.
"""

import contextlib
import json
import os
import pathlib
import shutil
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


def prepare():
    import joblib
    import onnxruntime
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
    table.to_json(WORK / "rows.jsonl", orient="records", lines=True, double_precision=4)
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
            'model: {engine: onnx, file: model.onnx}\noutputs: {probability: "probabilities[1]"}\n')
        # The joblib file is the opponent's alone.
        subprocess.run([BUILD / "slipway", "pack", folder, "--output", WORK / f"{name}.slipway"], check=True,
                       capture_output=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # several threads would add trees up in another order
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
        expected = session.run([session.get_outputs()[1].name], {session.get_inputs()[0].name: matrix})[0][:, 1]
        (WORK / f"{name}.expected").write_text("".join(f"{value:.9g}\n" for value in expected))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


NGINX = """
daemon off; worker_processes 1; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {work}/nginx-body;
  proxy_temp_path {work}/nginx-a; fastcgi_temp_path {work}/nginx-b; uwsgi_temp_path {work}/nginx-c; scgi_temp_path {work}/nginx-d;
  server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json;
    return 200 '{{"model":"null","version":"1.0.0","prediction":{{"probability":0.5}}}}'; }} }} }}
"""


class Opponent:
    """One server; commands are given the port."""

    def __init__(self, name, command, path, model=None, environment=None):
        self.name, self.command, self.path, self.model, self.environment = name, command, path, model, environment or {}

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

    def drive(self, connections, seconds, rate, settle=True):
        command = ["taskset", "-c", CLIENT_CPU, BUILD / "bench/load_generator", "--port", self.port, "--path", self.path,
                   "--rows", WORK / "rows.jsonl", "--connections", connections, "--seconds", seconds, "--rate", rate]
        if self.model:
            command += ["--expect", WORK / f"{self.model}.expected", "--field", "probability"]
        before = self.cpu_seconds()
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{self.name}: {done.stderr}")
        result = json.loads(done.stdout)
        result["cpu_us"] = (self.cpu_seconds() - before) * 1e6 / max(1, result["answered"])
        bad = result["wrong"] + result["broken"] + (result["refused"] if settle else 0)
        if bad:
            sys.exit(f"{self.name}: not every answer was right: {result}")
        return result


def opponents():
    def nginx(port):
        (WORK / "nginx.conf").write_text(NGINX.format(work=WORK, port=port))
        return ["nginx", "-c", WORK / "nginx.conf", "-p", WORK]

    def slipway(model):
        return lambda port: [BUILD / "slipway", "serve", WORK / f"{model}.slipway", "--http", f"127.0.0.1:{port}",
                             "--threads", 1, "--log-file", WORK / "slipway.log"]

    def fastapi(port):
        return [PYTHON, "-m", "uvicorn", "fastapi_server:app", "--app-dir", HERE / "opponents", "--host", "127.0.0.1",
                "--port", port, "--workers", 1, "--loop", "uvloop", "--http", "httptools", "--no-access-log",
                "--log-level", "warning"]

    def node(model):
        return lambda port: ["env", f"NODE_PATH={OPPONENTS}/node/node_modules", "node", HERE / "opponents/node_server.js",
                             port, WORK / model / "model.onnx"]

    def python(engine, model):
        return {"BENCH_WORK": str(WORK), "BENCH_ENGINE": engine, "BENCH_MODEL": model, "OMP_NUM_THREADS": "1"}

    return [
        Opponent("nginx", nginx, "/predict/null"),
        Opponent("null", lambda port: [BUILD / "bench/null_server", f"127.0.0.1:{port}"], "/predict/null"),
        Opponent("slipway-logistic", slipway("logistic"), "/predict/logistic", "logistic"),
        Opponent("slipway-trees", slipway("trees"), "/predict/trees", "trees"),
        Opponent("node-logistic", node("logistic"), "/predict", "logistic"),
        Opponent("node-trees", node("trees"), "/predict", "trees"),
        Opponent("fastapi-onnx-logistic", fastapi, "/predict", "logistic", python("onnx", "logistic")),
        Opponent("fastapi-onnx-trees", fastapi, "/predict", "trees", python("onnx", "trees")),
        Opponent("fastapi-sklearn-logistic", fastapi, "/predict", "logistic", python("sklearn", "logistic")),
    ]


def median(rounds, name, key):
    return statistics.median(entry[name][key] for entry in rounds)


def ratio(rounds, key, ours, theirs):
    """Median, least and greatest of ours : theirs, taken within each round."""
    values = [entry[ours][key] / entry[theirs][key] for entry in rounds]
    return statistics.median(values), min(values), max(values)


def measure(servers):
    throughput, idle = [], []
    for server in servers:
        server.drive(connections=16, seconds=0.5, rate=0)  # warm
    for _ in range(ROUNDS):
        throughput.append({s.name: s.drive(connections=16, seconds=SECONDS, rate=0) for s in servers})
    for _ in range(ROUNDS):
        idle.append({s.name: s.drive(connections=1, seconds=SECONDS, rate=300) for s in servers})
    loaded = {}
    for server in servers:
        capacity = median(throughput, server.name, "per_second")
        loaded[server.name] = {share: server.drive(connections=32, seconds=SECONDS, rate=capacity * share / 100)
                               for share in (25, 50, 75, 90)}
    return throughput, idle, loaded


def report(servers, throughput, idle, loaded):
    print(f"{'server':26} {'req/s':>9} {'CPU-µs':>7} {'idle p50':>9} {'idle p99':>9}   p50 / p99 / p99.9 µs at 50 %, 75 %, 90 % of its capacity"
          f"   {'MB':>5} {'start s':>7}")
    for s in servers:
        row = "   ".join("{p50_us:.0f} / {p99_us:.0f} / {p999_us:.0f}".format(**loaded[s.name][share]) for share in (50, 75, 90))
        print(f"{s.name:26} {median(throughput, s.name, 'per_second'):9.0f} {median(throughput, s.name, 'cpu_us'):7.1f} "
              f"{median(idle, s.name, 'p50_us'):9.1f} {median(idle, s.name, 'p99_us'):9.1f}   {row}   {s.resident:5.0f} {s.start_seconds:7.2f}")
    print("\nratio (median of rounds, least to greatest)")
    lines = []
    for label, rounds, key, ours, theirs, target in [
        ("requests/s: slipway light : nginx static answer", throughput, "per_second", "slipway-logistic", "nginx", ">= 0.6"),
        ("requests/s: slipway light : null server, same library", throughput, "per_second", "slipway-logistic", "null", ""),
        ("requests/s: slipway light : FastAPI + ONNX Runtime", throughput, "per_second", "slipway-logistic", "fastapi-onnx-logistic", ">= 15"),
        ("requests/s: slipway light : FastAPI + scikit-learn", throughput, "per_second", "slipway-logistic", "fastapi-sklearn-logistic", ">= 40"),
        ("requests/s: slipway light : Node + onnxruntime-node", throughput, "per_second", "slipway-logistic", "node-logistic", ">= 3"),
        ("requests/s: slipway 300 trees : Node + onnxruntime-node", throughput, "per_second", "slipway-trees", "node-trees", ">= 1.8"),
        ("requests/s: slipway 300 trees : FastAPI + ONNX Runtime", throughput, "per_second", "slipway-trees", "fastapi-onnx-trees", ""),
        ("idle p50: slipway light : null server, same library", idle, "p50_us", "slipway-logistic", "null", "<= 1.10"),
        ("idle p50: slipway light : nginx static answer", idle, "p50_us", "slipway-logistic", "nginx", ""),
    ]:
        middle, least, greatest = ratio(rounds, key, ours, theirs)
        lines.append({"what": label, "ratio": middle, "least": least, "greatest": greatest, "target": target})
        print(f"  {label:58} {middle:8.2f}  ({least:.2f} to {greatest:.2f})  {target}")
    return lines


def main():
    if not shutil.which("nginx"):
        sys.exit("nginx is missing: run deps/install bench")
    prepare()
    servers = opponents()
    try:
        for server in servers:
            server.start()
        throughput, idle, loaded = measure(servers)
        for server in servers:
            server.resident = server.megabytes()
        lines = report(servers, throughput, idle, loaded)
    finally:
        for server in servers:
            if hasattr(server, "process"):
                server.stop()
    (WORK / "results.json").write_text(json.dumps(
        {"throughput": throughput, "idle": idle, "loaded": loaded, "ratios": lines,
         "start_seconds": {s.name: s.start_seconds for s in servers}, "megabytes": {s.name: s.resident for s in servers}}, indent=2))


main()
