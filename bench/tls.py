"""What TLS costs the server, in CPU time a request and a handshake, beside nginx. Usage: tls.py [ROUNDS]

The client is Python's ssl and far slower than the servers, so only their own CPU time counts (schedstat of all their
threads). Rounds are interleaved; the medians and their ratios are printed. Nothing is checked against limits.
"""

import http.client
import json
import os
import pathlib
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/scenario"))
from certificates import Authority  # noqa: E402

SLIPWAY = os.environ.get("SLIPWAY", str(ROOT / "build/release/slipway"))
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
REQUESTS, HANDSHAKES, CONNECTIONS = 8000, 300, 8


def cpu_seconds(processes):
    total = 0
    for process in processes:
        for task in pathlib.Path(f"/proc/{process}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


class Slipway:
    def __init__(self, folder, certificate=None):
        self.port = free_port()
        tls = ["--tls-cert", certificate[0], "--tls-key", certificate[1]] if certificate else []
        self.process = subprocess.Popen(
            [SLIPWAY, "serve", str(folder / "model"), "--http", f"127.0.0.1:{self.port}", "--threads", "1",
             "--log-level", "error", *map(str, tls)], stderr=subprocess.DEVNULL,
        )

    def processes(self):
        return [self.process.pid]


class Nginx:
    def __init__(self, folder, certificate=None):
        self.port = free_port()
        home = pathlib.Path(tempfile.mkdtemp(dir=folder))
        listen = f"listen 127.0.0.1:{self.port}" + (" ssl" if certificate else "") + ";"
        tls = "" if not certificate else (
            f"ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]}; ssl_protocols TLSv1.2 TLSv1.3;"
            "ssl_session_cache none; ssl_buffer_size 16k;"
        )
        (home / "nginx.conf").write_text(
            f"worker_processes 1; pid {home}/pid; error_log {home}/error.log; daemon off;\n"
            "events { worker_connections 1024; }\n"
            f"http {{ access_log off; keepalive_requests 10000000; server {{ {listen} {tls}\n"
            "  location / { default_type application/json; return 200 '{\"live\":true}'; } } }\n"
        )
        self.process = subprocess.Popen(["nginx", "-p", str(home), "-c", str(home / "nginx.conf")], stderr=subprocess.DEVNULL)

    def processes(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]


def wait_until_ready(server, context):
    for _ in range(500):
        try:
            connection = connect(server, context)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.02)
    sys.exit("a server did not start")


def connect(server, context):
    kind = http.client.HTTPConnection if context is None else http.client.HTTPSConnection
    return kind("localhost", server.port, timeout=20, **({} if context is None else {"context": context}))


def open_socket(server, context, session=None):
    plain = socket.create_connection(("127.0.0.1", server.port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return plain if context is None else context.wrap_socket(plain, server_hostname="localhost", session=session)


ASK = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


def requests(server, context):
    """Seconds of CPU a request on kept connections."""
    sockets = [open_socket(server, context) for _ in range(CONNECTIONS)]
    for one in sockets:
        one.sendall(ASK)
        one.recv(4096)
    before = cpu_seconds(server.processes())
    for _ in range(REQUESTS // CONNECTIONS):
        for one in sockets:
            one.sendall(ASK)
        for one in sockets:
            assert b"200" in one.recv(4096)
    spent = cpu_seconds(server.processes()) - before
    for one in sockets:
        one.close()
    return spent / REQUESTS


def handshakes(server, context, resume):
    """Seconds of CPU a connection with one request."""
    first = open_socket(server, context)
    first.sendall(ASK)
    first.recv(4096)
    session = getattr(first, "session", None)
    before = cpu_seconds(server.processes())
    for _ in range(HANDSHAKES):
        with open_socket(server, context, session if resume else None) as one:
            one.sendall(ASK)
            assert b"200" in one.recv(4096)
            if resume:
                assert one.session_reused
                session = one.session
    return (cpu_seconds(server.processes()) - before) / HANDSHAKES


def main():
    folder = pathlib.Path(tempfile.mkdtemp())
    random = np.random.default_rng(1)
    matrix = random.normal(size=(500, 4)).astype(np.float32)
    model = LogisticRegression().fit(matrix, matrix[:, 0] > 0)
    (folder / "model").mkdir()
    (folder / "model/model.onnx").write_bytes(to_onnx(model, matrix[:1], options={"zipmap": False}).SerializeToString())
    (folder / "model/slipway.yaml").write_text(
        "slipway: 1\nname: m\nversion: 1.0.0\nmodel: {engine: onnx, file: model.onnx}\n")
    authority = Authority(folder / "ca")
    pairs = {"ec": authority.issue("ec"), "rsa": authority.issue("rsa", rsa=True)}
    context = ssl.create_default_context(cafile=str(authority.path))
    kinds = [("slipway", Slipway)] + ([("nginx", Nginx)] if shutil.which("nginx") else [])
    servers, found = {}, {}
    try:
        for name, kind in kinds:
            servers[name, "plain"] = kind(folder)
            for key, pair in pairs.items():
                servers[name, key] = kind(folder, pair)
        for (name, mode), server in servers.items():
            wait_until_ready(server, None if mode == "plain" else context)
        for _ in range(ROUNDS):
            for (name, mode), server in servers.items():
                own = None if mode == "plain" else context
                if mode != "rsa":
                    found.setdefault((name, mode, "request"), []).append(requests(server, own))
                found.setdefault((name, mode, "connection"), []).append(handshakes(server, own, False))
                if mode == "ec":
                    found.setdefault((name, mode, "resumed connection"), []).append(handshakes(server, own, True))
    finally:
        for server in servers.values():
            server.process.terminate()
            server.process.wait()
        shutil.rmtree(folder)
    medians = {key: statistics.median(values) * 1e6 for key, values in found.items()}
    for (name, mode, what), value in medians.items():
        spread = [v * 1e6 for v in found[name, mode, what]]
        print(f"{name:8} {mode:6} {what:20} {value:8.1f} CPU-us  ({min(spread):.1f} to {max(spread):.1f})")
    for name, _ in kinds:
        print(f"{name}: TLS/plain a request {medians[name, 'ec', 'request'] / medians[name, 'plain', 'request']:.2f}")
    if len(kinds) == 2:
        for key in medians:
            if key[0] == "slipway":
                print(f"slipway/nginx {key[1]} {key[2]}: {medians[key] / medians[('nginx', *key[1:])]:.2f}")
    print(json.dumps({" ".join(key): round(value, 2) for key, value in medians.items()}))


if __name__ == "__main__":
    main()
