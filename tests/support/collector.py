"""A collector of traces, strict about what it takes, that can be made to misbehave."""

import base64
import http.server
import json
import re
import socket
import threading
import time

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}


def parse_request(text):
    """ExportTraceServiceRequest from OTLP's JSON: protobuf's, but for ids, which are in hexadecimal. Unknown fields and
    wrong types are errors."""
    def read_ids(value):
        for name, size in IDS.items():
            if name in value:
                assert re.fullmatch(f"[0-9a-f]{{{2 * size}}}", value[name]), (name, value[name])
                value[name] = base64.b64encode(bytes.fromhex(value[name])).decode()
        return value

    return json_format.ParseDict(json.loads(text, object_hook=read_ids), ExportTraceServiceRequest(), ignore_unknown_fields=False)


def attributes(of):
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in of.attributes}


class Collector:
    """Listens on a port of its own. `mode`: "fine", "hang" (takes the request, never answers), "slow" (answers late),
    "busy" (503 with Retry-After: 1 until told otherwise), "refuse" (400)."""

    def __init__(self, mode="fine"):
        self.mode, self.requests, self.headers, self.times, self.faults = mode, [], [], [], []
        self.closing = threading.Event()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.times.append(time.monotonic())
                mode = collector.mode
                if mode == "hang":
                    collector.closing.wait(60)
                    return
                if mode == "slow":
                    collector.closing.wait(1)
                if mode == "busy":
                    return self.answer(503, {"Retry-After": "1"})
                if mode == "refuse":
                    return self.answer(400, {})
                try:
                    assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json", self.path
                    collector.requests.append(parse_request(body))
                    collector.headers.append(dict(self.headers))
                except Exception as fault:  # told by the test that looks at them
                    collector.faults.append(repr(fault))
                self.answer(200, {})

            def answer(self, status, headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def spans(self):
        assert not self.faults, self.faults
        return [span for request in list(self.requests) for resource in request.resource_spans
                for scope in resource.scope_spans for span in scope.spans]

    def wait_for(self, count, kind=2, seconds=20):
        """The spans of that kind (2: of servers) once there are so many."""
        end = time.monotonic() + seconds
        while True:
            spans = [span for span in self.spans() if span.kind == kind]
            if len(spans) >= count or time.monotonic() > end:
                assert len(spans) >= count, f"{len(spans)} of {count} spans"
                return spans
            time.sleep(0.05)


def closed_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
