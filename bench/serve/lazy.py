"""What loading when called costs, and what it saves.

usage: lazy.py BUILD WORK OPPONENTS [--quick]

Start: a folder of 100 small models, until /readyz is true, everything loaded and lazily. Cold start: the first call of each of
them, against a warm call of the same. Steady state: one model that is called all the time, lazily and not, in alternate rounds.
"""

import http.client
import json
import shutil
import statistics
import subprocess
import sys
import pathlib
import time

from driver import BUILD, ROUNDS, SECONDS, WORK, Opponent, free_port, prepare, ratio, slipway

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/support"))
from shifts import write_shift  # noqa: E402

MODELS = 100
LAZY = ["--lazy", "--models-memory", "64MiB"]


def write_models():
    folder = WORK / "many"
    shutil.rmtree(folder, ignore_errors=True)
    for i in range(MODELS):
        write_shift(folder / f"m{i}", f"m{i}", "1.0.0", i)
    return folder


def ask(connection, method, path, body=None):
    begun = time.perf_counter()
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer.status, answer.read(), time.perf_counter() - begun


class Many:
    """A server of all of them."""

    def __init__(self, folder, *options):
        port = free_port()
        begun = time.perf_counter()
        self.process = subprocess.Popen([BUILD / "slipway", "serve", "--watch", folder, "--http", f"127.0.0.1:{port}", "--threads", "1",
                                         "--log-file", WORK / "many.log", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        while not self.ready():
            time.sleep(0.002)
        self.start_seconds = time.perf_counter() - begun

    def ready(self):
        try:
            return ask(self.connection, "GET", "/readyz")[0] == 200
        except OSError:
            self.connection.close()
            return False

    def call(self, i):
        status, body, seconds = ask(self.connection, "POST", f"/predict/m{i}", '{"x": 1}')
        assert status == 200 and json.loads(body)["prediction"]["y"] == 1 + i, body
        return seconds

    def stop(self):
        self.process.terminate()
        self.process.wait()


def starts(folder):
    results = {}
    for name, options in {"eager": [], "lazy": ["--lazy"]}.items():
        server = Many(folder, *options)
        first = [server.call(i) for i in range(MODELS)]
        warm = [server.call(i) for i in range(MODELS)]
        server.stop()
        results[name] = {"start_ms": server.start_seconds * 1e3, "first_call_ms": statistics.median(first) * 1e3,
                         "warm_call_ms": statistics.median(warm) * 1e3}
    return results


def steady():
    servers = {name: Opponent(f"lazy-{name}", slipway("logistic", *options), "/predict/logistic", "logistic")
               for name, options in {"eager": [], "lazy": LAZY}.items()}
    for server in servers.values():
        server.start()
        server.drive(connections=32, seconds=1, rate=0)
    rounds = [{name: server.drive(connections=32, seconds=SECONDS, rate=0) for name, server in servers.items()}
              for _ in range(2 * ROUNDS)]
    for server in servers.values():
        server.stop()
    return ratio(rounds, "per_second", "lazy", "eager")


def main():
    prepare()
    results = {"starts": starts(write_models())}
    for name, found in results["starts"].items():
        print("{} models, {:5}: start {start_ms:6.0f} ms, first call {first_call_ms:5.2f} ms, warm call {warm_call_ms:5.2f} ms".format(
            MODELS, name, **found))
    results["steady"] = steady()
    print("steady state, lazily : all loaded, requests/s {:.2f} ({:.2f} to {:.2f})".format(*results["steady"]))
    (WORK / "lazy.json").write_text(json.dumps(results, indent=2))


main()
