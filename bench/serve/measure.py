"""Serves the same models by Slipway and by its opponents and drives all of them in turn.

usage: measure.py BUILD WORK OPPONENTS [--quick]

One server thread on the first processor, the generator on the last. Rounds are interleaved (each opponent once a round),
figures are medians over rounds, ratios are taken within a round. 4,096 distinct rows in turn; every answer of a server
that predicts is compared with ONNX Runtime's own.
"""

import json
import shutil
import sys

from driver import BUILD, HERE, OPPONENTS, PYTHON, ROUNDS, SECONDS, WORK, Opponent, median, prepare, ratio, slipway

NGINX = """
daemon off; worker_processes 1; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {work}/nginx-body;
  proxy_temp_path {work}/nginx-a; fastcgi_temp_path {work}/nginx-b; uwsgi_temp_path {work}/nginx-c; scgi_temp_path {work}/nginx-d;
  server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json;
    return 200 '{{"model":"null","version":"1.0.0","prediction":{{"probability":0.5}}}}'; }} }} }}
"""


def opponents():
    def nginx(port):
        (WORK / "nginx.conf").write_text(NGINX.format(work=WORK, port=port))
        return ["nginx", "-c", WORK / "nginx.conf", "-p", WORK]

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
