"""What it costs to run a model in a process of its own.

usage: isolation.py BUILD WORK OPPONENTS [--quick] [logistic | trees | encoder]

The same server three times, in turn: the model runs as it would ("here"), on a compute thread in any case ("thread":
--heavy-from 1us), and in a process of its own ("process": --isolation process), which is reached from a compute thread. So
process : here is what an operator pays, and process : thread the way between the processes alone. Idle: one connection, an
open loop at a twentieth of what the slowest can. Load: 64 connections, closed loop. Server and process share one processor;
every answer is compared with ONNX Runtime's own.
"""

import json
import sys

from driver import QUICK, WORK, Opponent, in_turn, median, prepare, ratio, slipway
from heavy import heavy_server, prepare_heavy

IDLE_SECONDS, LOAD_SECONDS = (2, 1) if QUICK else (4, 2)
MODELS = ["logistic", "trees", "encoder"]
CONNECTIONS = 64
SERVERS = {"here": [], "thread": ["--heavy-from", "1us"], "process": ["--isolation", "process"]}


def server_of(label, name, options):
    options = [*options, "--max-queue-wait", "60s"]
    if name == "encoder":
        return heavy_server(label, name, *options)
    return Opponent(f"{name}-{label}", slipway(name, *options), f"/predict/{name}", name)


def measure(name):
    servers = {label: server_of(label, name, options) for label, options in SERVERS.items()}
    return in_turn(servers, CONNECTIONS, LOAD_SECONDS, IDLE_SECONDS, lambda first: min(took["per_second"] for took in first.values()) / 20, lambda server: server.megabytes())


def report(name, idle, loaded, megabytes):
    print(name)
    for label in SERVERS:
        print(f"  {label:8} {median(loaded, label, 'per_second'):7.0f} requests/s, {median(loaded, label, 'cpu_us'):6.1f} CPU µs each;"
              f" idle p50 {median(idle, label, 'p50_us'):6.0f} µs, p99 {median(idle, label, 'p99_us'):6.0f} µs; {megabytes[label]:.0f} MB")
    lines = []
    for what, rounds, key, theirs in [
        ("requests/s, process : here", loaded, "per_second", "here"),
        ("requests/s, process : thread", loaded, "per_second", "thread"),
        ("idle p50, process : here", idle, "p50_us", "here"),
        ("idle p50, process : thread", idle, "p50_us", "thread"),
    ]:
        middle, least, greatest = ratio(rounds, key, "process", theirs)
        lines.append({"model": name, "what": what, "ratio": middle, "least": least, "greatest": greatest})
        print(f"  {what:30} {middle:6.2f}  ({least:.2f} to {greatest:.2f})", flush=True)
    return {"idle": idle, "loaded": loaded, "megabytes": megabytes, "ratios": lines}


def main():
    results = {}
    names = [name for name in MODELS if name in sys.argv[4:]] or MODELS
    if names != ["encoder"]:
        prepare()
    for name in names:
        if name == "encoder":
            prepare_heavy(name)
        results[name] = report(name, *measure(name))
    (WORK / f"isolation-{'-'.join(results)}.json").write_text(json.dumps(results, indent=2))


main()
