"""A running `slipway batch daemon`, and jobs for it."""

import contextlib
import json
import signal
import sqlite3
import subprocess
import urllib.error
import urllib.request

from faulty_models import SMALLEST, divides
from program import PROGRAM, until

CRASH = f"{SMALLEST},-1\n"  # a row of which that model dies


class Daemon:
    """Jobs in jobs/, a model that divides (and that a row of its input can kill), and the daemon over them."""

    def __init__(self, slipway):
        self.slipway, self.folder, self.process, self.url = slipway, slipway.folder, None, None
        slipway.write("model/model.onnx", divides())
        slipway.write("model/slipway.yaml", "slipway: 1\nname: divides\nversion: 1.0.0\n"
                                            "model: {engine: onnx, file: model.onnx}\n")
        slipway.write("in.csv", "a,b\n84,2\n9,3\n")
        (slipway.folder / "jobs").mkdir()

    def job(self, name, schedule="'@every 1s'", output="{name}-{{{{ ts_nodash }}}}.csv", source="in.csv", more=""):
        return self.slipway.write(f"jobs/{name}.yaml", f"model: model\ninput: {source}\noutput: {output.format(name=name)}\n"
                                                       f"schedule: {schedule}\nmodel_columns: false\n{more}")

    @contextlib.contextmanager
    def running(self, *options, expect=0):
        process = self.start(*options)
        try:
            yield self
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == expect, self.log()
        finally:
            process.kill()
            process.wait()

    def start(self, *options):
        self.process = subprocess.Popen(
            [PROGRAM, "batch", "daemon", "jobs", "--history", "runs.sqlite", "--listen", "127.0.0.1:0", "--json", "--log-file",
             str(self.folder / "daemon.log"), *map(str, options)], cwd=self.folder, stdout=subprocess.PIPE, text=True)
        text = ""
        while not text.rstrip().endswith("}"):
            line = self.process.stdout.readline()
            assert line, f"the daemon ended: {self.process.wait()} {text}"
            text += line
        self.url = "http://" + json.loads(text)["listen"]
        return self.process

    def kill(self):
        self.process.kill()
        self.process.wait()

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def health(self):
        status, body = self.get("/health")
        return status, json.loads(body)

    def metric(self, name):
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(name + " ") or (line.startswith(name) and "{" not in name and line[len(name)] == "{"):
                return float(line.rsplit(" ", 1)[1])
        return None

    def history(self, *arguments):
        done = self.slipway("batch", "history", *arguments, "--history", "runs.sqlite", "--limit", 10_000, "--json")
        return json.loads(done.stdout)

    def rewrite(self, statements):
        """As if the past had been another."""
        with contextlib.closing(sqlite3.connect(self.folder / "runs.sqlite")) as database:
            database.executescript(statements)

    def runs(self, state, job=None):
        return [run for run in self.history() if run["state"] == state and job in (None, run["job"])]

    def until(self, expected, seconds=30):
        until(expected, seconds, f"it did not come to pass: {self.log()}")

    def log(self):
        return (self.folder / "daemon.log").read_text()

    def events(self, name):
        return [event for event in map(json.loads, self.log().splitlines()) if event["event"] == name]
