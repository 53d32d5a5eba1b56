"""Bodies of any length are answered in constant memory, coded ones too, and slow readers cost nothing."""

import gzip
import json
import socket
import threading
import time
import zlib

import pytest

GOOD = {"income": 30000.0, "age": 30, "purpose": "car", "city": "city-1", "applied": "2024-03-01T10:00:00"}
HEAD = "POST /predict/loans HTTP/1.1\r\nHost: x\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n"
MEGABYTE = 1 << 20


@pytest.fixture
def server(loans_folder, slipway):
    with slipway.serving(loans_folder / "loans-1.0.0.slipway", options=["--threads", "1"]) as running:
        running.predict("loans", GOOD)
        yield running


def watch_memory(server, stop, peak):
    while not stop.wait(0.02):
        peak[0] = max(peak[0], server.resident())


def connect(server):
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=120)


def send(connection, head, block, times):
    connection.sendall(head)
    for _ in range(times):
        connection.sendall(block)


def pieces(connection):
    """The answer's head, then the text of each chunk; raises when the answer breaks off."""
    stream = connection.makefile("rb")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += stream.readline()
    yield head
    while size := int(stream.readline(), 16):
        yield stream.read(size)
        assert stream.read(2) == b"\r\n"
    assert stream.read(2) == b"\r\n"


def test_200_megabytes_of_lines_pass_through_20_megabytes_of_memory(server):
    block = b"".join(json.dumps(dict(GOOD, age=20 + i % 60)).encode() + b"\n" for i in range(MEGABYTE // 100))
    times = 200 * MEGABYTE // len(block) + 1
    connection = connect(server)
    before, peak, stop = server.resident(), [0], threading.Event()
    watcher = threading.Thread(target=watch_memory, args=(server, stop, peak))
    sender = threading.Thread(
        target=send, args=(connection, HEAD.format("application/x-ndjson", len(block) * times).encode(), block, times))
    watcher.start()
    sender.start()
    answers = pieces(connection)
    assert next(answers).startswith(b"HTTP/1.1 200 OK\r\n")
    lines, last = 0, b""
    for piece in answers:
        lines += piece.count(b"\n")
        last = piece
    sender.join()
    stop.set()
    watcher.join()
    rows = block.count(b"\n") * times
    assert lines == rows
    assert json.loads(last.splitlines()[-1])["row"] == rows - 1
    assert peak[0] - before < 20 * MEGABYTE, f"grew by {(peak[0] - before) / MEGABYTE:.1f} MB"


def test_a_long_stream_for_a_heavy_model_takes_no_memory_and_holds_nobody_up(loans_folder, slipway):
    block = b"".join(json.dumps(dict(GOOD, age=20 + i % 60)).encode() + b"\n" for i in range(10_000))
    times = 30
    bundle = loans_folder / "loans-1.0.0.slipway"
    headers = {"Content-Type": "application/x-ndjson"}
    with slipway.serving(bundle, options=["--threads", "1"]) as light:
        _, expected, _ = light.request("POST", "/predict/loans", block, headers)
    with slipway.serving(bundle, options=["--threads", "1", "--heavy-from", "1us"]) as server:
        for _ in range(4):
            server.predict("loans", GOOD)
        assert json.loads(server.get("/models/loans")[1])["workload"]["runs_on"] == "compute"
        connection = connect(server)
        before, peak, stop, slowest = server.resident(), [0], threading.Event(), [0.0]

        def ask_for_health():
            while not stop.wait(0.02):
                begun = time.monotonic()
                assert server.get("/livez")[0] == 200
                slowest[0] = max(slowest[0], time.monotonic() - begun)

        threads = [threading.Thread(target=watch_memory, args=(server, stop, peak)), threading.Thread(target=ask_for_health),
                   threading.Thread(target=send, args=(connection, HEAD.format("application/x-ndjson", len(block) * times).encode(),
                                                       block, times))]
        for thread in threads:
            thread.start()
        answers = pieces(connection)
        assert next(answers).startswith(b"HTTP/1.1 200 OK\r\n")
        text = b"".join(answers)
        stop.set()
        for thread in threads:
            thread.join()
        assert text.count(b"\n") == 10_000 * times
        assert text.startswith(expected), "the same bits as on an io thread"
        assert peak[0] - before < 20 * MEGABYTE, f"grew by {(peak[0] - before) / MEGABYTE:.1f} MB"
        assert slowest[0] < 1, f"/livez took {slowest[0]:.2f} s"


def test_a_client_that_does_not_read_stops_being_read_and_gets_everything_later(server):
    block = (json.dumps(GOOD).encode() + b"\n") * 10_000
    times = 100
    connection = connect(server)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    before = server.resident()
    sent = [0]

    def feed():
        connection.sendall(HEAD.format("application/jsonl", len(block) * times).encode())
        for _ in range(times):
            connection.sendall(block)
            sent[0] += 1

    sender = threading.Thread(target=feed)
    sender.start()
    time.sleep(3)
    stuck = sent[0]
    time.sleep(1)
    assert sent[0] == stuck < times, "the server goes on reading"
    assert server.resident() - before < 20 * MEGABYTE
    assert server.get("/livez")[0] == 200, "others are served meanwhile"
    answers = pieces(connection)
    next(answers)
    assert sum(piece.count(b"\n") for piece in answers) == 10_000 * times
    sender.join()


def test_coded_bodies_are_answered_like_plain_ones(server):
    lines = b"".join(json.dumps(dict(GOOD, age=10 + i % 60)).encode() + b"\n" for i in range(3000))
    headers = {"Content-Type": "application/x-ndjson"}
    status, plain, _ = server.request("POST", "/predict/loans", lines, headers)
    assert status == 200
    for name, coded in (("gzip", gzip.compress(lines)), ("deflate", zlib.compress(lines))):
        assert server.request("POST", "/predict/loans", coded, headers | {"Content-Encoding": name})[:2] == (200, plain)
    one = json.dumps(GOOD).encode()
    status, answer, _ = server.request("POST", "/predict/loans", gzip.compress(one), {"Content-Encoding": "gzip"})
    assert status == 200 and "prediction" in json.loads(answer)


def test_a_bomb_is_refused_without_being_blown_up(server):
    bomb = gzip.compress(b"\n" * (512 * MEGABYTE), 9)
    before = server.resident()
    status, body, _ = server.request("POST", "/predict/loans", bomb, {"Content-Encoding": "gzip"})
    assert status == 413 and json.loads(body)["code"] == "http.decompression_ratio"
    assert server.resident() - before < 20 * MEGABYTE


def test_limits_and_origins_are_options(loans_folder, slipway):
    options = ["--max-header", "1KiB", "--max-body", "2KiB", "--cors-origin", "https://app.example", "--compress"]
    with slipway.serving(loans_folder / "loans-1.0.0.slipway", options=options) as server:
        assert server.request("GET", "/livez", headers={"X": "x" * 1100})[0] == 431
        assert server.request("POST", "/predict/loans", b" " * 2100)[0] == 413
        _, _, headers = server.request("GET", "/livez", headers={"Origin": "https://app.example"})
        assert headers["Access-Control-Allow-Origin"] == "https://app.example"
    bundle = str(loans_folder / "loans-1.0.0.slipway")
    failed = slipway("serve", bundle, "--max-header", "0B", expect=2)
    assert "--max-header" in failed.stderr
    failed = slipway("serve", bundle, "--cors-origin", "*", "--cors-credentials", expect=2)
    assert "credentials" in failed.stderr
