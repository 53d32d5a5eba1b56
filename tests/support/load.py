"""Open-loop load whose every answer is checked, and balancers to send it through: shared by the suites of tests/."""

import collections
import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import threading
import time

from program import PROGRAM, until

NGINX_FRAME = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log info;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {configuration};
}}
"""


def free_ports(count):
    """Ports that nobody listens on, all different."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Replica:
    """One `slipway serve` that can be killed, stopped and started again at its place."""

    def __init__(self, folder, name, port, bundle, options=()):
        self.folder, self.name, self.port, self.bundle, self.options = folder, name, port, bundle, options
        self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self, ready=True):
        with (self.folder / f"{self.name}.out").open("a") as output:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", *map(str, self.bundle), "--http", self.address, "--threads", "1",
                 "--log-file", str(self.folder / f"{self.name}.log"), *self.options],
                cwd=self.folder, stdout=output, stderr=output)
        if ready:
            until(lambda: self.status("/readyz") == 200, what=f"{self.name} is not ready")
        return self

    def status(self, path):
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", path)
            return connection.getresponse().status
        return 0

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """In good order, as an operator or a service manager does it."""
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0


class Balancer:
    """HAProxy or nginx on a configuration that `slipway balance` has written."""

    def __init__(self, folder, kind, replicas, options=()):
        self.folder, self.kind = folder, kind
        self.port, self.stats = free_ports(2)
        self.file = folder / f"{kind}.conf"
        own = {"--listen": f"127.0.0.1:{self.port}", "--stats": f"127.0.0.1:{self.stats}"}
        self.arguments = ["balance", kind, *options]
        for option, value in [*own.items(), *(("--replica", replica.address) for replica in replicas)]:
            if option not in options or option == "--replica":
                self.arguments += [option, value]

    def write(self):
        subprocess.run([PROGRAM, *self.arguments, "--output", str(self.file)], check=True, capture_output=True)

    @property
    def command(self):
        if self.kind == "haproxy":
            return ["haproxy", "-f", str(self.file)]
        frame = self.folder / "nginx-frame.conf"
        frame.write_text(NGINX_FRAME.format(folder=self.folder, configuration=self.file))
        return [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(frame), "-e", str(self.folder / "nginx-start.log")]

    def check(self):
        """What the balancer itself says of the configuration."""
        return subprocess.run([*self.command, "-c" if self.kind == "haproxy" else "-t"], capture_output=True, text=True)

    def listens(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
            return True
        return False

    @contextlib.contextmanager
    def running(self):
        self.write()
        log = (self.folder / f"{self.kind}.log").open("w")
        process = subprocess.Popen(self.command, stdout=log, stderr=log)
        try:
            until(self.listens, what=f"{self.kind} does not listen")
            yield self
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
            process.kill()
            process.wait()
            log.close()


class Load:
    """Asks the model "shift" at a fixed rate, whatever the answers take; each answer must be right for the version that it
    names, and every replica serves a version of its own.

    `keep`: each caller keeps its connection; otherwise every request has a new one.
    """

    def __init__(self, port, rate=400, callers=16, keep=True, shift=1000, pad=0):
        self.port, self.rate, self.callers, self.keep, self.shift, self.pad = port, rate, callers, keep, shift, pad
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.answers = collections.Counter()  # by version
        self.failures, self.waits = [], []
        self.count = 0

    def ask(self, number, connection=None):
        """(status, version) of one request; raises for a wrong answer."""
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            own.request("POST", "/predict/shift", json.dumps({"x": number}) + " " * self.pad,
                        {"Content-Type": "application/json", "X-Request-Id": f"load-{number}"})
            response = own.getresponse()
            text = response.read()
            if response.status != 200:
                return response.status, text[:200]
            answer = json.loads(text)
            minor = int(answer["version"].split(".")[1])
            right = answer["prediction"]["y"] == number + self.shift * minor and answer["request_id"] == f"load-{number}"
            assert right, answer
            return 200, answer["version"]
        except (OSError, http.client.HTTPException) as error:
            own.close()
            return 0, repr(error)
        finally:
            if connection is None:
                own.close()

    def call(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20) if self.keep else None
        while not self.stopped.is_set():
            with self.lock:
                number = self.count
                self.count += 1
            due = self.begun + number / self.rate
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                status, told = self.ask(number, connection)
            except AssertionError as wrong:
                status, told = "wrong", str(wrong)
            took = time.monotonic() - due
            with self.lock:
                self.waits.append(took)
                if status == 200:
                    self.answers[told] += 1
                else:
                    self.failures.append((round(time.monotonic() - self.begun, 3), number, status, told))

    def __enter__(self):
        self.begun = time.monotonic()
        self.threads = [threading.Thread(target=self.call) for _ in range(self.callers)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def since(self):
        """What was answered by whom from now until it is called again."""
        with self.lock:
            counted, self.answers = self.answers, collections.Counter()
        return counted

    def summary(self):
        waits = sorted(self.waits)
        return (f"{len(waits)} requests, {len(self.failures)} failed, p50 {waits[len(waits) // 2] * 1e3:.1f} ms, "
                f"p99 {waits[len(waits) * 99 // 100] * 1e3:.1f} ms, longest {waits[-1] * 1e3:.0f} ms")
