"""Soaks `slipway serve`: good traffic through every door, checked answer by answer, while others send it rubbish, dribble, stall and
break off, and SIGHUP reloads it. Prints a table, writes a report, and fails when an answer was wrong, the server fell, answered
an undocumented 5xx, grew, leaked descriptors, or let good traffic wait.

usage: run.py BUILD REPORT.json [--minutes M] [--rate R]

The good traffic is an open loop: its latency counts from the planned time. Two servers run (plain and TLS, each with a Unix
socket as well), with as many threads as half of the processors that they have, everything else on the other half. Each is
stormed half of the time while the other rests: two busy servers on one processor would measure the scheduler.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(HERE.parent / "scenario")]

import good  # noqa: E402
import hostile  # noqa: E402
import watch  # noqa: E402
from certificates import Authority  # noqa: E402
from listeners import Listener  # noqa: E402
from program import PROGRAM, Slipway  # noqa: E402

MAX_BODY = 1 << 20
CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPUS, CLIENT_CPUS = set(CPUS[: max(1, len(CPUS) // 2)]), set(CPUS[len(CPUS) // 2:])
# Short bounds, so that slow clients come and go many times in a run.
LIMITS = ["--max-body", "1MiB", "--header-timeout", "2s", "--body-timeout", "3s", "--write-timeout", "2s", "--max-memory-in-flight", "24MiB", "--body-rate-window", "1s"]
LARGEST_P99_RATIO = 2.0
LARGEST_GROWTH = 0.03  # of the memory after warm-up, and 8 MiB


class Server:
    def __init__(self, folder, name, bundle, options):
        self.folder, self.name, self.log = folder, name, folder / f"{name}.log"
        self.process = subprocess.Popen(
            [PROGRAM, "serve", bundle, "--http", "127.0.0.1:0", "--http", f"unix:{folder / name}.sock", "--threads", str(len(SERVER_CPUS)), "--json",
             "--log-file", self.log, *LIMITS, *options],
            stdout=subprocess.PIPE, stderr=open(folder / f"{name}.err", "w"), text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CPUS))
        text = ""
        while not text.rstrip().endswith("}") or text.count("{") != text.count("}"):
            line = self.process.stdout.readline()
            assert line, (folder / f"{name}.err").read_text()
            text += line
        self.port = int(json.loads(text)["http"].rsplit(":", 1)[1])
        self.socket = Listener("unix", str(folder / f"{name}.sock"))
        self.watch = watch.Watch(self.process.pid)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "did not stop"


def play(build, script, port, seconds, rate, connections=16, unix=None):
    where = ["--unix", unix] if unix else ["--port", port]
    command = [build / "bench/load_generator", *where, "--script", script, "--rate", rate, "--seconds", seconds,
               "--connections", connections, "--sleep", 1]
    return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=lambda: (os.sched_setaffinity(0, CLIENT_CPUS), prefer()))


def prefer():
    """The generator measures: it runs ahead of the rest of the clients where that is allowed."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    except PermissionError:
        pass


def finished(generator):
    out, errors = generator.communicate()
    if generator.returncode:
        raise Unfinished(f"the generator ended with {generator.returncode}: {errors[-500:]}")
    return {**json.loads(out), "first_errors": errors.splitlines()[:5]}


class Unfinished(Exception):
    """Good traffic came to an end of its own."""


def reload_often(servers, until):
    """SIGHUP every two seconds, with the log moved away every time."""
    count = 0
    while time.monotonic() < until:
        for server in servers:
            if server.process.poll() is not None:
                return count
            if server.log.exists():
                server.log.replace(server.log.with_suffix(".old"))
            server.process.send_signal(signal.SIGHUP)
            count += 1
        time.sleep(2)
    return count


def worker(kind, arguments, listeners, stop, results):
    os.nice(10)
    outcome = hostile.Outcome()
    try:
        getattr(hostile, kind)(listeners, stop, outcome, *arguments)
    except BaseException as failure:  # told in the report
        outcome.unexpected[f"{type(failure).__name__}: {failure}"] += 1
    results.put((kind, dict(outcome.counts), dict(outcome.unexpected)))


def storm(kinds, listeners):
    os.sched_setaffinity(0, CLIENT_CPUS)
    stop, results = multiprocessing.Event(), multiprocessing.Queue()
    processes = [multiprocessing.Process(target=worker, args=(kind, arguments, listeners, stop, results), daemon=True)
                 for kind, arguments in kinds]
    for process in processes:
        process.start()

    def end():
        stop.set()
        return {kind: {"counts": counts, "unexpected": unexpected} for kind, counts, unexpected in
                (results.get(timeout=90) for _ in processes)}
    return end


def storm_one(options, script, server, servers, kinds, listeners, seconds):
    """Good traffic alone, then in the storm: for TLS through its Unix socket, since the generator speaks no TLS."""
    def good_traffic(seconds):
        if server.name == "tls":
            return play(options.build, script, 0, seconds, options.rate, unix=server.socket.address)
        return play(options.build, script, server.port, seconds, options.rate)

    quiet = finished(good_traffic(min(30, seconds / 4)))
    end = storm(kinds, listeners)
    playing = good_traffic(seconds)
    reloads = reload_often(servers, time.monotonic() + seconds)
    report = {"quiet": quiet, "storm": finished(playing), "hostile": end(), "reloads": reloads}
    report["p99_ratio"] = round(report["storm"]["p99_us"] / quiet["p99_us"], 2)
    os.sched_setaffinity(0, CPUS)
    return report


def soak(options, folder):
    slipway = Slipway(folder)
    table = good.make_table()
    bundle, shares = good.make_bundle(slipway, table)
    authority = Authority(folder / "pki")
    certificate, key = authority.issue("server")
    plain = Server(folder, "plain", bundle, [])
    tls = Server(folder, "tls", bundle, ["--tls-cert", certificate, "--tls-key", key])
    servers = [plain, tls]
    script = folder / "script"
    requests, rows = good.write_script(table, shares, plain.port, script)
    listeners = [Listener("plain", ("127.0.0.1", plain.port)), plain.socket,
                 Listener("tls", ("127.0.0.1", tls.port), str(authority.path)), tls.socket]
    fds = {server.name: watch.descriptors(server.process.pid) for server in servers}
    for server in servers:
        server.watch.start()

    seconds = options.minutes * 60
    report = {"requests_in_script": requests, "rows_in_script": rows, "distinct_rows": good.ROWS, "minutes": options.minutes,
              "rate": options.rate, "processors": len(CPUS), "reloads": 0}
    lines = good.jsonl_of(good.records_of(table)).splitlines(keepends=True)
    kinds = [("bad", (MAX_BODY,)), ("slow", ()), ("aborted", ()), ("streamed", (lines, shares))]
    begun = {}
    for server, targets in ((plain, listeners[:2]), (tls, listeners[2:])):
        begun[server.name] = time.monotonic()
        report[server.name] = storm_one(options, script, server, servers, kinds, targets, seconds / 2)
        report["reloads"] += report[server.name].pop("reloads")
    time.sleep(8)  # past every bound of LIMITS: what is left of the storm must be gone

    for server in servers:
        server.watch.stopped.set()
        memory = server.watch.memory(begun[server.name] + seconds / 4)
        alive = server.process.poll() is None
        left = watch.settled_descriptors(server.process.pid, fds[server.name]) if alive else None
        counted = watch.metrics(server.socket) if alive else {}
        report[server.name] |= {
            "memory": memory, "descriptors": [fds[server.name], left],
            "most_descriptors": max(count for *_, count in server.watch.samples),
            "processor_seconds": watch.processor_seconds(server.process.pid) if alive else None,
            "answers": {status: watch.summed(counted, "slipway_http_requests_total", f'status="{status}"') for status in ("2xx", "4xx", "5xx")},
            "refusals": {key.split('"')[1]: value for key, value in counted.items() if key.startswith("slipway_http_refusals_total{")},
            "exit": server.stop()}
        report[server.name]["errors"] = (folder / f"{server.name}.err").read_text()[-2000:]
    return report


def judge(report):
    """What is not as it must be."""
    faults = []
    for name in ("plain", "tls"):
        server = report[name]
        for phase in ("quiet", "storm"):
            faults += [f"{name}, {phase}: {server[phase][kind]} answers {kind}"
                       for kind in ("wrong", "refused", "broken", "unanswered") if server[phase][kind]]
        for kind, outcome in server["hostile"].items():
            faults += [f"{name}, {kind}: {what} ({count} times)" for what, count in outcome["unexpected"].items()]
        if server["exit"] != 0:
            faults.append(f"{name}: exit {server['exit']}: {server['errors']}")
        before, after = server["descriptors"]
        if after is not None and after > before:
            faults.append(f"{name}: {before} descriptors before, {after} after")
        memory = server["memory"]
        growth = memory["at_the_end_mib"] - memory["after_warm_up_mib"]
        if growth > 8 + LARGEST_GROWTH * memory["after_warm_up_mib"]:
            faults.append(f"{name}: memory grew by {growth:.1f} MiB after warm-up")
        if server["p99_ratio"] > LARGEST_P99_RATIO:
            faults.append(f"{name}: p99 of good traffic is {server['p99_ratio']} times its quiet value")
    # 505 is the one 5xx that the storm asks for.
    documented = sum(outcome["counts"].get("505", 0) for name in ("plain", "tls") for outcome in report[name]["hostile"].values())
    answered = sum(report[name]["answers"]["5xx"] for name in ("plain", "tls"))
    if answered > documented:
        faults.append(f"{answered:.0f} answers of 5xx, {documented} of them asked for")
    return faults


def show(report, faults):
    print(f"\n{report['minutes']} minutes, {report['requests_in_script']} requests with {report['rows_in_script']} rows "
          f"({report['distinct_rows']} distinct), {report['reloads']} reloads, {report['processors']} processors")
    print(f"{'good traffic':14}{'sent':>9}{'wrong':>7}{'refused':>9}{'broken':>8}{'a second':>10}{'p50 µs':>9}{'p99 µs':>9}{'max ms':>8}")
    for name in ("plain", "tls"):
        for phase in ("quiet", "storm"):
            run = report[name][phase]
            print(f"{name + ', ' + phase:14}{run['sent']:>9}{run['wrong']:>7}{run['refused']:>9}{run['broken']:>8}{run['per_second']:>10}"
                  f"{run['p50_us']:>9.0f}{run['p99_us']:>9.0f}{run['max_us'] / 1000:>8.1f}")
        print(f"{'':14}p99 in the storm: {report[name]['p99_ratio']} times its quiet value")
        for kind, outcome in report[name]["hostile"].items():
            print(f"{'  ' + kind:14}" + ", ".join(f"{what} {count}" for what, count in sorted(outcome["counts"].items())))
    for name in ("plain", "tls"):
        server = report[name]
        memory = server["memory"]
        print(f"server {name:7}{memory['after_warm_up_mib']} → {memory['at_the_end_mib']} MiB ({memory['slope_mib_a_minute']:+} MiB/min, "
              f"most {memory['largest_mib']}), descriptors {server['descriptors'][0]} → {server['descriptors'][1]} "
              f"(most {server['most_descriptors']}), answers {server['answers']}, exit {server['exit']}")
    for fault in faults:
        print(f"FAULT  {fault}")
    print("fine" if not faults else f"{len(faults)} faults")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=400)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        try:
            report = soak(options, pathlib.Path(folder))
        except Unfinished as failure:
            sys.exit("\n".join([str(failure), *(f"{path.name}: {path.read_text()[-2000:]}" for path in pathlib.Path(folder).glob("*.err"))]))
    faults = report["faults"] = judge(report)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(json.dumps(report, indent=1) + "\n")
    show(report, faults)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
