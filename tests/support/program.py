"""The real program, driven the way its users do: shared by the suites of tests/."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("SLIPWAY", str(ROOT / "build/release/slipway"))


def until(expected, seconds=20, what="it did not come to pass in time"):
    """Waits until `expected()` is true."""
    deadline = time.monotonic() + seconds
    while not expected():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


class Slipway:
    """Runs commands in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *arguments, stdin=None, expect=0):
        done = subprocess.run(
            [PROGRAM, *map(str, arguments)], cwd=self.folder, input=stdin, capture_output=True, timeout=120,
            text=not isinstance(stdin, bytes),
        )
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def lines(self, *arguments, **options):
        return [json.loads(line) for line in self(*arguments, **options).stdout.splitlines()]

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text) if isinstance(text, bytes) else path.write_text(text)
        return path

    @contextlib.contextmanager
    def serving(self, *bundles, options=()):
        """A running server; ends it with SIGTERM and wants exit code 0."""
        log = self.folder / "serve.log"
        process = subprocess.Popen(
            [PROGRAM, "serve", *map(str, bundles), "--http", "127.0.0.1:0", "--json", "--log-file", str(log), *options],
            cwd=self.folder, stdout=subprocess.PIPE, text=True,
        )
        try:
            text = ""
            while not text.rstrip().endswith("}") or text.count("{") != text.count("}"):
                line = process.stdout.readline()
                assert line, f"serve ended: {process.wait()} {text}"
                text += line
            listeners = json.loads(text)["listeners"]
            server = Server(listeners[0]["url"], process, log)
            for listener in listeners:
                if listener["role"] == "admin":
                    server.admin = Server(listener["url"], process, log)
                elif listener["role"] in ("grpc", "grpc-admin"):
                    setattr(server, listener["role"].replace("-", "_"), listener["address"])
            yield server
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
            process.wait()


class Server:
    def __init__(self, url, process, log):
        self.url, self.process, self.log = url, process, log
        self.admin = None  # the admin listener, when there is one
        self.grpc = self.grpc_admin = None  # addresses of gRPC's

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def resident(self):
        """Bytes of memory that the process holds."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def request(self, method, path, body=None, headers=None):
        data = body if isinstance(body, (bytes, type(None))) else (body if isinstance(body, str) else json.dumps(body)).encode()
        request = urllib.request.Request(self.url + path, data, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            return error.code, error.read(), dict(error.headers)

    def get(self, path):
        status, body, _ = self.request("GET", path)
        return status, body.decode()

    def post(self, path, text=""):
        status, body, _ = self.request("POST", path, text)
        return status, body.decode()

    def predict(self, model, body, content_type="application/json"):
        status, answer, _ = self.request("POST", f"/predict/{model}", body, {"Content-Type": content_type})
        return status, json.loads(answer)
