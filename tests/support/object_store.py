"""A real S3 server of the test's own (rclone serve s3), that can be killed, stopped and started again at its place; the same behind
TLS; and a proxy before it that does to connections what networks do."""

import contextlib
import http.client
import http.server
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import boto3
import botocore.config
from load import free_ports
from program import until

KEY, SECRET = "AKIDSLIPWAYTESTS0001", "secret/of+the=tests"
RCLONE = str(Path(sys.executable).parent / "rclone")


class ObjectStore:
    """Buckets are folders below `folder`/store."""

    def __init__(self, folder):
        self.folder = folder / "store"
        (self.folder / "lake").mkdir(parents=True)
        self.log = folder / "rclone.log"
        [self.port] = free_ports(1)
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def environment(self, endpoint=None, **more):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": endpoint or self.url,
                "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true", **more}

    def start(self):
        # At 0 s a timer of its directory cache is always due, and it finds no time to answer.
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [RCLONE, "serve", "s3", str(self.folder), "--addr", f"127.0.0.1:{self.port}", "--auth-key", f"{KEY},{SECRET}",
                 "--vfs-cache-mode", "off", "--dir-cache-time", "20ms", "--config", "", "-v"], stdout=log, stderr=log)
        until(self.answers, what="the object store does not answer")
        return self

    def answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def hold(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def client(self, endpoint=None):
        return boto3.client("s3", endpoint_url=endpoint or self.url, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                            region_name="eu-west-1",
                            config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}))

    def put(self, key, content, bucket="lake"):
        data = content.read_bytes() if isinstance(content, Path) else content
        self.client().put_object(Bucket=bucket, Key=key, Body=data.encode() if isinstance(data, str) else data)

    def get(self, key, bucket="lake"):
        return self.client().get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, prefix="", bucket="lake"):
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def uploads(self, bucket="lake"):
        """Keys of uploads that were begun, and neither finished nor thrown away."""
        client = self.client()
        try:
            return [entry["Key"] for entry in client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]
        except client.exceptions.NoSuchUpload:  # so this server says that there are none
            return []

    @contextlib.contextmanager
    def running(self):
        self.start()
        try:
            yield self
        finally:
            with contextlib.suppress(ProcessLookupError):
                self.go_on()
            self.kill()


class Meddler:
    """A proxy before an object store that does to requests what `faults` say.

    Each fault is (pattern of "METHOD path?query", times, what): a status with headers and body to answer with; "reset" in the midst of
    the answer's body; "short": the body ends early; "slow": a byte a second; "long": an answer that does not end. `seen` lists what was
    asked; `on_request` is called with it before it goes on.
    """

    def __init__(self, port):
        meddler = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self):
                meddler.handle(self, port)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.faults, self.seen, self.requests = [], [], []
        self.on_request = lambda asked: None
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def fault_for(self, asked):
        with self.lock:
            self.seen.append(asked)
            for fault in self.faults:
                if fault[1] > 0 and re.search(fault[0], asked):
                    fault[1] -= 1
                    return fault[2]
        return None

    def fail(self, pattern, what, times=1):
        self.faults.append([pattern, times, what])

    def count(self, pattern):
        with self.lock:
            return sum(bool(re.search(pattern, asked)) for asked in self.seen)

    def handle(self, request, port):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        asked = f"{request.command} {request.path}"
        self.requests.append((asked, dict(request.headers)))
        self.on_request(asked)
        fault = self.fault_for(asked)
        if isinstance(fault, tuple):
            status, headers, text = fault
            return self.answer(request, status, headers, text.encode())
        # The server is asked under the name that was signed.
        upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        upstream.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():
            upstream.putheader(name, value)
        try:
            upstream.endheaders(body)
            answer = upstream.getresponse()
            content = answer.read()
        except OSError:
            return self.end(request)
        headers = {name: value for name, value in answer.getheaders()
                   if name.lower() not in ("transfer-encoding", "content-length", "connection")}
        length = int(answer.headers.get("Content-Length") or len(content)) if request.command == "HEAD" else len(content)
        if fault is None:
            return self.answer(request, answer.status, headers, content, length)
        self.spoil(request, fault, answer.status, headers, content)

    @staticmethod
    def answer(request, status, headers, content, length=None):
        with contextlib.suppress(OSError):
            request.send_response_only(status)
            for name, value in headers.items():
                request.send_header(name, value)
            request.send_header("Content-Length", str(len(content) if length is None else length))
            request.end_headers()
            if request.command != "HEAD":
                request.wfile.write(content)

    @staticmethod
    def end(request):
        """Ends the connection by a reset."""
        request.close_connection = True
        with contextlib.suppress(OSError):
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            request.connection.shutdown(socket.SHUT_RD)

    def spoil(self, request, fault, status, headers, content):
        if not content:
            return self.end(request)
        with contextlib.suppress(OSError):
            request.send_response_only(status)
            for name, value in headers.items():
                request.send_header(name, value)
            if fault == "long":
                request.send_header("Transfer-Encoding", "chunked")
                request.end_headers()
                chunk = b" " * (1 << 20)
                for _ in range(200):
                    request.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                return self.end(request)
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            if fault == "slow":
                for byte in content[:60]:
                    request.wfile.write(bytes([byte]))
                    request.wfile.flush()
                    time.sleep(1)
            else:
                request.wfile.write(content[: len(content) // 2])
                request.wfile.flush()
        if fault == "reset":
            return self.end(request)
        request.close_connection = True

    @contextlib.contextmanager
    def running(self):
        thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()


def tls_front(folder, authority, port):
    """haproxy with a certificate of a private authority before an object store."""
    certificate, key = authority.issue("store")
    (folder / "store.both.pem").write_text(certificate.read_text() + key.read_text())
    [front] = free_ports(1)
    (folder / "haproxy.cfg").write_text(f"""
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend store
  bind 127.0.0.1:{front} ssl crt {folder}/store.both.pem
  default_backend store
backend store
  server one 127.0.0.1:{port}
""")
    return front, subprocess.Popen(["haproxy", "-db", "-f", str(folder / "haproxy.cfg")], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
