"""What a server answers when three times as much is asked as it can answer, and how soon it is itself again.

usage: overload.py BUILD WORK OPPONENTS [--quick] [encoder | deep | logistic]

First half of its capacity for a while (what is normal), then three times its capacity, then half again, in open loops.
Callers wait for the model's limits.timeout: a right answer within it, counted from the planned time, is good; a request
for which no connection was free until then is not even sent. Capacity is the most good answers a second in closed loops.
Recovery: from the end of the overload to the first two slices in a row without refusals, whose p99 is as normal.
"""

import json
import statistics
import sys
import threading

from driver import QUICK, WORK, Opponent, prepare, slipway
from heavy import heavy_server, prepare_heavy

OVERLOAD_SECONDS, CALM_SECONDS, CAPACITY_SECONDS = (4, 3, 1) if QUICK else (20, 6, 3)
TIMES = 3
SLICE = 0.25


class Memory(threading.Thread):
    """Samples what the server holds until it is told to stop."""

    def __init__(self, server):
        super().__init__()
        self.server, self.stop, self.samples = server, threading.Event(), []

    def run(self):
        while not self.stop.wait(0.5):
            self.samples.append(self.server.megabytes())


def capacity_of(server, connections, deadline):
    runs = [server.drive(connections=count, seconds=CAPACITY_SECONDS, rate=0, settle=False, more=["--deadline", deadline])
            for count in connections for _ in range(2)]
    return max(run["good_per_second"] for run in runs)


def recovery_seconds(slices, normal_us):
    """`slices` are those after the overload."""
    calm = [one["refused"] + one["unsent"] == 0 and one["p99_us"] <= normal_us for one in slices]
    for i in range(len(calm) - 1):
        if calm[i] and calm[i + 1]:
            return i * SLICE
    return float("inf")


def measure(label, server, deadline, capacity_connections, connections):
    options = ["--deadline", deadline, "--slice", SLICE]
    try:
        server.start()
        server.drive(connections=8, seconds=1, rate=0, settle=False)
        peak = capacity_of(server, capacity_connections, deadline)
        before = server.drive(connections=connections, seconds=CALM_SECONDS, rate=peak / 2, settle=False, more=options)
        memory = Memory(server)
        memory.start()
        run = server.drive(connections=connections, seconds=OVERLOAD_SECONDS, rate=TIMES * peak, settle=False,
                           more=[*options, "--then-rate", peak / 2, "--then-seconds", CALM_SECONDS])
        memory.stop.set()
        memory.join()
    finally:
        if hasattr(server, "process"):
            server.stop()
    split = int(OVERLOAD_SECONDS / SLICE)
    stormy, after = run["slices"][:split], run["slices"][split:]
    normal = 1.5 * statistics.median(one["p99_us"] for one in before["slices"])
    good = sum(one["good"] for one in stormy) / OVERLOAD_SECONDS
    refused, unsent = (sum(one[key] for one in stormy) / OVERLOAD_SECONDS for key in ("refused", "unsent"))
    return {"what": label, "deadline_ms": deadline * 1e3, "connections": connections, "capacity": peak, "good": good,
            "share": good / peak, "accepted": sum(one["accepted"] for one in stormy) / OVERLOAD_SECONDS,
            "refused": refused, "unsent": unsent, "broken": run["broken"],
            "p99_ms": statistics.median(one["p99_us"] for one in stormy) / 1e3,
            "worst_p99_ms": max(one["p99_us"] for one in stormy) / 1e3, "normal_p99_ms": normal / 1.5e3,
            "recovery_s": recovery_seconds(after, normal),
            "memory_mb": [statistics.median(memory.samples[:4]), max(memory.samples)], "slices": run["slices"]}


def report(result):
    print("{what}, deadline {deadline_ms:.0f} ms, {connections} connections: capacity {capacity:.0f}/s; at three times that "
          "{good:.0f}/s good, {share:.2f} of it (target >= 0.9)\n"
          "  a second: {accepted:.0f} accepted, {refused:.0f} refused, {unsent:.0f} not sent; {broken} broken; p99 of accepted "
          "{p99_ms:.1f} ms by slices, worst slice {worst_p99_ms:.1f} (target: within the deadline), at half load {normal_p99_ms:.1f}\n"
          "  normal again after {recovery_s:.2f} s (target <= 2); memory {memory_mb[0]:.0f} MB at first, at most {memory_mb[1]:.0f} MB"
          .format(**result), flush=True)


def measurements():
    """Name, deadline in seconds, connections of the closed loops and of the open ones."""
    yield "encoder", 0.25, [16, 32, 64], 1024
    yield "deep", 0.05, [16, 32, 64], 1024
    yield "logistic", 0.05, [16, 64], 1000
    yield "logistic", 0.05, [16, 64], 8000


def main():
    results, wanted = [], set(sys.argv[4:]) - {"--quick"}
    for name, deadline, closed, connections in measurements():
        if wanted and name not in wanted:
            continue
        limits = f"limits: {{timeout: {deadline * 1e3:.0f}ms}}\n"
        if name == "logistic":
            prepare(limits)
            server = Opponent(f"{name}-overload", slipway(name), f"/predict/{name}", name)
        else:
            prepare_heavy(name, limits)
            server = heavy_server("overload", name)
        results.append(measure(name, server, deadline, closed, connections))
        report(results[-1])
    (WORK / f"overload-{'-'.join(sorted(wanted)) or 'all'}.json").write_text(json.dumps(results, indent=2))


main()
