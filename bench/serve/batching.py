"""What calls of heavy models gain from sharing runs, and what an idle server pays for it.

usage: batching.py BUILD WORK OPPONENTS [--quick] [encoder | deep]

The same server three times, in turn: calls that wait share runs ("on"), none do ("off": --max-batch-rows 1), and calls run
on the io thread ("io": --heavy-from 1h). Idle: one connection, an open loop at a twentieth of what the server can. Load: 64
connections, closed loop. 1,024 distinct rows, every answer compared with ONNX Runtime's own. The ceiling is what the model
itself gains in Python's ONNX Runtime on the same processor.
"""

import json
import sys
import urllib.request

from driver import QUICK, WORK, in_turn, median, ratio
from heavy import heavy_server, prepare_heavy, row_times

IDLE_SECONDS, LOAD_SECONDS = (2, 1) if QUICK else (4, 2)
MODELS = ["encoder", "deep"]
CONNECTIONS = 64
SIZES = [1, 2, 4, 8, 16, 32, 64]
SERVERS = {"off": ["--max-batch-rows", 1], "on": [], "io": ["--heavy-from", "1h"]}


def workload(server):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/models/{server.model}") as answer:
        return json.load(answer)["workload"]


def measure(name):
    servers = {label: heavy_server(label, name, *options) for label, options in SERVERS.items()}
    return in_turn(servers, CONNECTIONS, LOAD_SECONDS, IDLE_SECONDS, lambda first: first["off"]["per_second"] / 20, workload)


def report(name, ceiling, idle, loaded, workloads):
    print(f"{name}: one row {ceiling[1]:.0f} µs in ONNX Runtime alone; of a run of "
          + ", ".join(f"{size}: {took:.0f}" for size, took in ceiling.items() if size > 1))
    for label in SERVERS:
        print(f"  {label:4} {median(loaded, label, 'per_second'):7.0f} requests/s, p99 {median(loaded, label, 'p99_us') / 1e3:6.1f} ms"
              f" under load; idle p50 {median(idle, label, 'p50_us'):7.0f} µs, p99 {median(idle, label, 'p99_us'):7.0f} µs")
    most = max(ceiling[1] / took for took in ceiling.values())
    lines = []
    for what, rounds, key, theirs, target in [
        ("requests/s, on : off", loaded, "per_second", "off", ">= 3"),
        ("requests/s, on : io thread", loaded, "per_second", "io", ">= 3"),
        ("idle p50, on : off", idle, "p50_us", "off", "<= 1.02"),
        ("idle p99, on : off", idle, "p99_us", "off", "<= 1.02"),
        ("idle p50, on : io thread", idle, "p50_us", "io", ""),
    ]:
        middle, least, greatest = ratio(rounds, key, "on", theirs)
        lines.append({"model": name, "what": what, "ratio": middle, "least": least, "greatest": greatest, "target": target})
        print(f"  {what:28} {middle:6.2f}  ({least:.2f} to {greatest:.2f})  {target}", flush=True)
    batching = workloads["on"]["batching"]
    print(f"  the model itself gains {most:.2f}; most rows a run {batching['most_rows']}, "
          f"{batching['calls'] / max(1, batching['runs']):.1f} calls a run")
    return {"ceiling": ceiling, "gain": most, "idle": idle, "loaded": loaded, "workloads": workloads, "ratios": lines}


def main():
    results = {}
    for name in [name for name in MODELS if name in sys.argv[4:]] or MODELS:
        prepare_heavy(name)
        ceiling = row_times(name, SIZES)
        results[name] = report(name, ceiling, *measure(name))
    (WORK / f"batching-{'-'.join(results)}.json").write_text(json.dumps(results, indent=2))


main()
