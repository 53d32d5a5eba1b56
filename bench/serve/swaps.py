"""What a model notices of another one being replaced beside it.

usage: swaps.py BUILD WORK OPPONENTS [--quick]

One server thread, a folder that is watched: a model that is asked at a steady rate (open loop, every answer compared with
ONNX Runtime's own), and beside it one that is replaced ten times a second, in every second round.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading
import time

from driver import BUILD, QUICK, ROUNDS, WORK, Opponent, prepare

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/support"))
from shifts import write_shift  # noqa: E402

SECONDS = 3 if QUICK else 8
RATE = 2000


def pack(count):
    """Bundles to come, made before anything is measured."""
    store = WORK / "versions"
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir()
    for i in range(1, count + 1):
        source = WORK / "shift"
        shutil.rmtree(source, ignore_errors=True)
        write_shift(source, "shift", f"1.{i}.0", i)
        subprocess.run([BUILD / "slipway", "pack", source, "--output", store / f"shift-1.{i}.0.slipway"], check=True,
                       capture_output=True)
    return sorted(store.iterdir(), key=lambda path: int(path.name.split(".")[1]))


class Swapper(threading.Thread):
    """Replaces the bundle until it is told to stop."""

    def __init__(self, folder, waiting):
        super().__init__()
        self.folder, self.waiting, self.stop = folder, waiting, threading.Event()

    def run(self):
        while self.waiting and not self.stop.wait(0.1):
            old, new = list(self.folder.glob("shift-*.slipway")), self.waiting.pop(0)
            os.rename(new, self.folder / new.name)
            for bundle in old:
                bundle.unlink()


def main():
    prepare()
    folder = WORK / "watched"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(WORK / "logistic.slipway", folder)
    server = Opponent("swaps", lambda port: [
        BUILD / "slipway", "serve", "--watch", folder, "--watch-interval", "50ms", "--keep-loaded", "0B", "--http",
        f"127.0.0.1:{port}", "--threads", 1, "--log-file", WORK / "swaps-serve.log"], "/predict/logistic", "logistic")
    (WORK / "swaps-serve.log").unlink(missing_ok=True)
    waiting = pack(int(ROUNDS * (SECONDS + 2) * 10))
    server.start()
    server.drive(connections=8, seconds=1, rate=RATE)
    rounds = []
    for _ in range(ROUNDS):
        quiet = server.drive(connections=8, seconds=SECONDS, rate=RATE)
        swapper = Swapper(folder, waiting)
        swapper.start()
        time.sleep(0.5)
        busy = server.drive(connections=8, seconds=SECONDS, rate=RATE)
        swapper.stop.set()
        swapper.join()
        rounds.append((quiet, busy))
    server.stop()
    swaps = (WORK / "swaps-serve.log").read_text().count('"model.unloaded"')
    results = {"swaps": swaps}
    for key in ["p50_us", "p99_us", "p999_us"]:
        ratios = [busy[key] / quiet[key] for quiet, busy in rounds]
        results[key] = {"quiet": statistics.median(quiet[key] for quiet, _ in rounds),
                        "swapping": statistics.median(busy[key] for _, busy in rounds),
                        "ratio": statistics.median(ratios), "least": min(ratios), "greatest": max(ratios)}
        print("neighbour of {} swaps, {:7} {quiet:6.0f} µs quiet, {swapping:6.0f} µs meanwhile: {ratio:.2f} "
              "({least:.2f} to {greatest:.2f}){}".format(swaps, key, ", target <= 1.1" if key == "p99_us" else "",
                                                         **results[key]))
    (WORK / "swaps.json").write_text(json.dumps(results, indent=2))


main()
