"""Traffic that no server likes: malformed, slow, aborted. Each kind runs in a process of its own, as fast as it gets processor
time, over all listeners in turn, and counts what came of it; what must not come of it is an `unexpected`."""

import collections
import gzip
import itertools
import json
import random
import select
import selectors
import socket
import ssl
import time

from good import receive, request
from listeners import reset

JSON = "application/json"
BODY = json.dumps({**{f"f{i}": 0.5 for i in range(6)}, "kind": "air", "again": True}).encode()
GOOD = request("/predict/soak", BODY, JSON)


def framed(*lines, body=b""):
    return "\r\n".join(["POST /predict/soak HTTP/1.1", "Host: soak", *lines]).encode("latin-1") + b"\r\n\r\n" + body


def malformed(max_body):
    """(name, bytes, statuses that are right)."""
    predict = "/predict/soak"
    yield "no json", request(predict, b"{", JSON), {400}
    yield "nul", request(predict, b"{}\0", JSON), {400, 422}
    yield "not utf-8", request(predict, b'{"kind":"\xff"}', JSON), {400, 422}
    yield "deep", request(predict, b"[" * 5000, JSON), {400, 413}
    yield "wrong types", request(predict, json.dumps({"f0": "1", "kind": 3, "again": []}).encode(), JSON), {422}
    yield "missing", request(predict, b"{}", JSON), {422}
    yield "twice", request(predict, b'{"f0":1,"f0":2}', JSON), {400, 422}
    yield "scalar", request(predict, b"7", JSON), {400, 422}
    yield "csv without header", request(predict, b"", "text/csv"), {400}
    yield "csv of rubbish", request(predict, b'"\n,,,"x\n', "text/csv"), {400, 200, 422}
    yield "broken lines", request(predict, b"{\n}\nnull\n", "application/x-ndjson"), {200}
    yield "oip of another shape", request("/v2/models/soak/infer", b'{"inputs":[{"name":"f0","datatype":"FP64","shape":[9],"data":[1]}]}', JSON), {400}
    yield "oip header past the body", request("/v2/models/soak/infer", b"{}", JSON, ["Inference-Header-Content-Length: 99"]), {400}
    yield "tf without rows", request("/v1/models/soak:predict", b'{"instances":[],"inputs":[]}', JSON), {400}
    yield "mlflow of two forms", request("/invocations", b'{"instances":[],"inputs":[]}', JSON), {400}
    yield "unknown model", request("/predict/none", BODY, JSON), {404}
    yield "unknown version", request("/predict/soak@9", BODY, JSON), {404}
    yield "wrong method", b"DELETE /predict/soak HTTP/1.1\r\nHost: x\r\n\r\n", {405}
    yield "unknown type", request(predict, BODY, "application/pickle"), {415}
    yield "unknown coding", request(predict, BODY, JSON, ["Content-Encoding: br"]), {415}
    yield "broken gzip", request(predict, gzip.compress(BODY)[:-3], JSON, ["Content-Encoding: gzip"]), {400}
    yield "bomb", request(predict, gzip.compress(b" " * (64 << 20), 9), JSON, ["Content-Encoding: gzip"]), {413}
    yield "announced too large", framed("Content-Type: application/json", "Content-Length: 99999999999"), {413}
    yield "too large", framed("Content-Type: application/json", "Transfer-Encoding: chunked",
                              body=(b"10000\r\n" + b" " * 65536 + b"\r\n") * (max_body // 65536 + 2)), {413}
    yield "two lengths", framed("Content-Length: 2", "Content-Length: 3", body=b"{}"), {400}
    yield "length and chunks", framed("Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), {400}
    yield "negative length", framed("Content-Length: -1"), {400}
    yield "length of letters", framed("Content-Length: 0x10"), {400}
    yield "chunk of letters", framed("Content-Type: application/json", "Transfer-Encoding: chunked", body=b"zz\r\n"), {400}
    yield "chunk past 64 bits", framed("Content-Type: application/json", "Transfer-Encoding: chunked", body=b"fffffffffffffffff\r\n"), {400, 413}
    yield "folded header", framed("A: b", " c", "Content-Length: 0"), {400}
    yield "blank before colon", framed("A : b", "Content-Length: 0"), {400}
    yield "no host", b"GET /livez HTTP/1.1\r\n\r\n", {400}
    yield "nul in the head", b"GET /livez HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n", {400}
    yield "another version", b"GET /livez HTTP/9.1\r\nHost: x\r\n\r\n", {400, 505}
    yield "long target", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {414}
    yield "large head", framed(*[f"h{i}: {'x' * 900}" for i in range(60)]), {431}
    yield "many headers", framed(*[f"h{i}: x" for i in range(200)]), {431}
    yield "not http", bytes(range(256)) * 4 + b"\r\n\r\n", {400}
    yield "no such path", b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", {400, 404}


class Outcome:
    def __init__(self):
        self.counts, self.unexpected = collections.Counter(), collections.Counter()

    def expect(self, name, got, wanted):
        self.counts[str(got)] += 1
        if got not in wanted:
            self.unexpected[f"{name}: {got}"] += 1


def exchange(listener, data):
    """The status of the answer, "closed" when there was none; an answer may come while the request is still being sent."""
    with listener.connect() as sock:
        try:
            sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass  # refused early; the answer may still be read
        try:
            return receive(sock)[0]
        except (ConnectionError, ssl.SSLError):
            return "closed"


def bad(listeners, stop, outcome, max_body):
    cases = list(malformed(max_body))
    for listener in itertools.cycle(listeners):
        random.shuffle(cases)
        for name, data, wanted in cases:
            if stop.is_set():
                return
            # A large request that is refused early may lose its answer to the reset that its unread rest provokes.
            early = {"closed"} if len(data) > 60000 else set()
            outcome.expect(name, exchange(listener, data), wanted | early)


def slow(listeners, stop, outcome, count=96):
    """Heads and bodies that dribble, and clients that never read; the server must end each, and take the next."""
    selector, connections = selectors.DefaultSelector(), {}
    head = GOOD[:GOOD.index(b"\r\n\r\n") + 4]
    # Answers that are large and cost nothing: who does not read must not be able to hold memory; work is another matter.
    page = b"GET /docs/page.js HTTP/1.1\r\nHost: soak\r\n\r\n" * 100
    scripts = {"head": iter_bytes(GOOD), "body": [head] + iter_bytes(BODY[:-1]), "reader": [page] * 100}
    kinds = itertools.cycle(scripts)
    turn = itertools.cycle(listeners)
    while not stop.is_set():
        while len(connections) < count:
            kind = next(kinds)
            sock = next(turn).connect()
            sock.setblocking(False)
            connections[sock] = [kind, list(scripts[kind]), time.monotonic()]
            selector.register(sock, selectors.EVENT_READ if kind != "reader" else selectors.EVENT_WRITE)
        for key, _ in selector.select(0.1):
            if connections[key.fileobj][0] != "reader" and ended(key.fileobj, connections[key.fileobj], outcome):
                forget(selector, connections, key.fileobj)
        for sock, state in list(connections.items()):
            if not send_some(sock, state):
                outcome.counts[f"{state[0]}: ended"] += 1
                forget(selector, connections, sock)
            elif time.monotonic() - state[2] > 60:
                outcome.unexpected[f"{state[0]} was kept for a minute"] += 1
                forget(selector, connections, sock)
        time.sleep(0.05)
    for sock in list(connections):
        forget(selector, connections, sock)


def iter_bytes(data):
    return [data[i:i + 1] for i in range(len(data))]


def send_some(sock, state):
    try:
        if state[0] != "reader":
            if state[1] and random.random() < 0.1:
                sock.send(state[1].pop(0))
            return True
        if is_gone(sock):
            return False
        while state[1]:
            state[1][0] = state[1][0][sock.send(state[1][0]):]
            if not state[1][0]:
                state[1].pop(0)
        return True
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return True
    except OSError:
        return False


def is_gone(sock):
    """Whether the peer has closed, which one who does not read would not notice."""
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    return bool(poll.poll(0))


def ended(sock, state, outcome):
    try:
        data = sock.recv(65536)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        data = b""
    if data:
        status = int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP/1.1 ") else data[:20]
        outcome.expect(state[0], status, {408, 200, 422, 400})
    else:
        outcome.counts[f"{state[0]}: closed"] += 1
    return True


def forget(selector, connections, sock):
    del connections[sock]
    selector.unregister(sock)
    sock.close()


def aborted(listeners, stop, outcome):
    """Clients that go away in every state, and those that only stop sending, who must get their answer."""
    csv = request("/predict/soak", b"f0,f1,f2,f3,f4,f5,kind,again\n" + b"1,1,1,1,1,1,air,true\n" * 20000, "text/csv")
    for listener in itertools.cycle(listeners):
        for kind in ("reset", "reset in a stream", "half-close", "nothing", "handshake"):
            if stop.is_set():
                return
            outcome.counts[kind] += 1
            if kind == "handshake":
                abort_handshake(listener)
                continue
            with listener.connect() as sock:
                if kind == "reset":
                    sock.sendall(GOOD[:random.randrange(1, len(GOOD))])
                    reset(sock)
                elif kind == "reset in a stream":
                    sock.sendall(csv[:random.randrange(1000, len(csv))])
                    sock.recv(100) if random.random() < 0.5 else None
                    reset(sock)
                elif kind == "half-close" and listener.kind != "tls":
                    sock.sendall(GOOD)
                    sock.shutdown(socket.SHUT_WR)
                    outcome.expect("half-close", receive(sock)[0], {200})


def abort_handshake(listener):
    with listener.raw() as sock:
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + random.randbytes(40)
        sock.sendall(hello[:random.randrange(1, len(hello))] if listener.kind == "tls" else random.randbytes(200))
        reset(sock)


def streamed(listeners, stop, outcome, lines, shares):
    """Good JSON lines that arrive in chunks, over connections that are kept; every number is compared."""
    socks = {}
    for turn, listener in enumerate(itertools.cycle(listeners)):
        if stop.is_set():
            return
        if listener not in socks:
            socks[listener] = listener.connect()
        first = turn * 97 % (len(lines) - 64)
        text = b"".join(lines[first:first + 64])
        cuts = sorted(random.sample(range(1, len(text)), 7))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)])]
        sock = socks[listener]
        sock.sendall(framed("Content-Type: application/x-ndjson", "Transfer-Encoding: chunked"))
        for piece in pieces:
            sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        sock.sendall(b"0\r\n\r\n")
        status, head, body, _ = receive(sock)
        got = [json.loads(line).get("prediction", {}).get("share") for line in body.splitlines()] if status == 200 else []
        right = len(got) == 64 and all(g is not None and abs(g - s) <= 1e-6 for g, s in zip(got, shares[first:first + 64]))
        outcome.expect("streamed", "right" if right else f"wrong ({status})", {"right"})
        if b"connection: close" in head.lower():
            socks.pop(listener).close()
