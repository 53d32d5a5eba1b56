"""Several replicas behind HAProxy and nginx: what `slipway balance` writes is run, under load, while replicas come and go."""

import contextlib
import http.client
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
from certificates import Authority
from conftest import ROOT, Server, until
from load import Balancer, Load, Replica, free_ports
from shifts import write_shift

QUICK_CHECKS = ("--check-interval", "100ms", "--slow-start", "1s")
BOTH = pytest.mark.parametrize("kind", ["haproxy", "nginx"])


@pytest.fixture
def fleet(tmp_path):
    """Makes replicas, each with a version of its own, and ends those that still run."""
    started = []

    def make(count, *options):
        for number, port in enumerate(free_ports(count)):
            bundle = write_shift(tmp_path / f"shift-{number}", "shift", f"1.{number}.0", 1000 * number)
            started.append(Replica(tmp_path, f"replica-{number}", port, [bundle], options))
        return [replica.start() for replica in started]

    yield make
    for replica in started:
        with contextlib.suppress(ProcessLookupError):
            replica.process.send_signal(signal.SIGCONT)
        replica.kill()


@BOTH
@pytest.mark.parametrize("keep", [True, False], ids=["kept connections", "new connections"])
def test_replicas_are_killed_and_come_back_and_no_request_is_lost(fleet, tmp_path, kind, keep):
    replicas = fleet(3)
    with Balancer(tmp_path, kind, replicas, QUICK_CHECKS).running() as balancer, Load(balancer.port, keep=keep) as load:
        time.sleep(0.5)
        for replica in replicas:
            replica.kill()
            time.sleep(0.5)
            replica.start()
            load.since()
            until(lambda: load.answers[f"1.{replicas.index(replica)}.0"] > 0, what="it gets no requests again")
            time.sleep(0.3)
        for replica in replicas[:2]:  # at once
            replica.process.kill()
        time.sleep(1)
    print(kind, load.summary())
    assert load.failures == []


@BOTH
@pytest.mark.parametrize("keep", [True, False], ids=["kept connections", "new connections"])
def test_a_rolling_restart_loses_nothing(fleet, tmp_path, kind, keep):
    replicas = fleet(2, "--drain-delay", "600ms")
    with Balancer(tmp_path, kind, replicas, QUICK_CHECKS).running() as balancer, Load(balancer.port, keep=keep) as load:
        time.sleep(0.5)
        for replica in replicas * 2:
            replica.stop()
            replica.start()
            load.since()
            until(lambda: load.answers[f"1.{replicas.index(replica)}.0"] > 0, what="it gets no requests again")
    print(kind, load.summary())
    assert load.failures == []


@BOTH
def test_a_slow_replica_gets_less(fleet, tmp_path, kind):
    slow, *others = replicas = fleet(3)
    with Balancer(tmp_path, kind, replicas, ("--check-interval", "1s")).running() as balancer, Load(balancer.port, rate=200) as load:
        stop = threading.Event()
        thread = threading.Thread(target=hold_up, args=(slow.process, stop))
        thread.start()
        time.sleep(2.5)
        stop.set()
        thread.join()
    print(kind, load.summary(), load.answers)
    assert load.failures == []
    assert 0 < load.answers["1.0.0"] < 0.6 * min(load.answers["1.1.0"], load.answers["1.2.0"])


def hold_up(process, stop):
    """Lets a process run for a fifth of the time only."""
    while not stop.is_set():
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.08)
        process.send_signal(signal.SIGCONT)
        time.sleep(0.02)


@BOTH
def test_requests_that_a_crowded_replica_turns_away_are_answered_by_the_others(fleet, tmp_path, kind):
    replicas = fleet(2)
    crowded = Replica(tmp_path, "crowded", free_ports(1)[0],
                      [write_shift(tmp_path / "crowded-shift", "shift", "1.2.0", 2000)], ("--max-connections", "1"))
    crowded.start()
    try:
        with socket.create_connection(("127.0.0.1", crowded.port)) as taken:  # and all others are told 503
            taken.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert taken.recv(1024)
            with Balancer(tmp_path, kind, [crowded, *replicas], QUICK_CHECKS).running() as balancer, Load(balancer.port) as load:
                time.sleep(2)
        print(kind, load.summary(), load.answers)
        assert load.failures == [] and load.answers["1.2.0"] == 0
    finally:
        crowded.kill()


@contextlib.contextmanager
def gone_machine():
    """The address of one that answers nothing: connecting takes until the caller gives up."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        while True:  # until its queue is full, and the kernel drops what comes
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.3)
            try:
                waiting.connect(listening.getsockname())
            except TimeoutError:
                break
        yield listening.getsockname()[1]


@BOTH
def test_a_machine_that_is_gone_without_a_word_costs_time_and_no_request(fleet, tmp_path, kind):
    replicas = fleet(2)
    with gone_machine() as port:
        gone = Replica(tmp_path, "gone", port, [])
        with Balancer(tmp_path, kind, [gone, *replicas]).running() as balancer, Load(balancer.port, rate=50, callers=64) as load:
            time.sleep(4)
    print(kind, load.summary(), load.answers)
    assert load.failures == []
    assert max(load.waits) > 0.5, "it was never tried"


def test_haproxy_sends_nothing_to_a_replica_that_is_not_ready(fleet, tmp_path):
    replicas = fleet(2)
    (tmp_path / "models").mkdir()
    empty = Replica(tmp_path, "empty", free_ports(1)[0], [], ("--watch", "models", "--watch-interval", "20ms"))
    empty.start(ready=False)
    until(lambda: empty.status("/readyz") == 503)
    try:
        balancer = Balancer(tmp_path, "haproxy", [*replicas, empty], QUICK_CHECKS)
        with balancer.running(), Load(balancer.port) as load:
            time.sleep(0.5)
            load.failures.clear()  # HAProxy takes a replica for ready until its first two checks
            time.sleep(1)
            assert load.failures == []
            os.rename(write_shift(tmp_path / "made", "shift", "1.9.0", 9000), tmp_path / "models/shift")
            until(lambda: load.answers["1.9.0"] > 0, what="the replica gets no requests once it is ready")
        assert load.failures == []
    finally:
        empty.kill()


def test_a_replica_that_is_loading_its_models_does_not_say_that_there_is_none(tmp_path):
    bundles = [write_shift(tmp_path / f"shift-{name}", name, "1.0.0", 0) for name in [*(f"other-{i}" for i in range(20)), "shift"]]
    replica = Replica(tmp_path, "replica", free_ports(1)[0], bundles)
    replica.start(ready=False)
    load, seen = Load(replica.port), set()
    try:
        until(lambda: seen.add(load.ask(1)[0]) or 200 in seen)
        assert seen <= {0, 503, 200}, seen
        assert 503 in seen
        until(lambda: replica.status("/readyz") == 200)
        assert replica.status("/v2/models/none") == 404
    finally:
        replica.kill()


class Recorder:
    """Stands in for a replica: notes what it gets, and breaks the connection off instead of answering a POST."""

    def __init__(self):
        self.seen = []
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if self.path != "/readyz":
                    recorder.seen.append(("GET", self.path, dict(self.headers)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                recorder.seen.append(("POST", self.path, dict(self.headers)))
                self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def recorders():
    made = [Recorder(), Recorder()]
    yield made
    for recorder in made:
        recorder.end()


@BOTH
def test_what_may_change_something_is_sent_once_and_a_prediction_again(fleet, recorders, tmp_path, kind):
    (real,) = fleet(1)
    recorders = recorders[:1]
    with Balancer(tmp_path, kind, [real, *recorders], QUICK_CHECKS).running() as balancer:
        server = Server(f"http://127.0.0.1:{balancer.port}", None, None)

        def sent():
            return [entry[1] for recorder in recorders for entry in recorder.seen if entry[0] == "POST"]

        for recorder in recorders:
            recorder.seen.clear()
        statuses = [server.request("POST", "/feedback/shift", "{}")[0] for _ in range(6)]
        broken = statuses.count(502)
        assert broken > 0 and set(statuses) <= {502, 404}
        assert sent() == ["/feedback/shift"] * broken
        for path in ("/predict/shift", "/v2/models/shift/infer", "/v1/models/shift:predict", "/invocations"):
            for _ in range(6):
                assert server.request("POST", path, '{"x": 1}', {"Content-Type": "application/json"})[0] not in (0, 502, 503), path
        assert len(sent()) > broken


def test_lines_are_answered_through_haproxy_while_they_come(fleet, tmp_path):
    with Balancer(tmp_path, "haproxy", fleet(1), QUICK_CHECKS).running() as balancer:
        with socket.create_connection(("127.0.0.1", balancer.port), timeout=10) as client:
            client.sendall(b"POST /predict/shift HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")
            for number in range(3):
                line = b'{"x": %d}\n' % number
                client.sendall(b"%x\r\n%s\r\n" % (len(line), line))
                answer = b""
                while b'"y":%d' % number not in answer:
                    more = client.recv(4096)
                    assert more, answer
                    answer += more
            client.sendall(b"0\r\n\r\n")
            assert client.recv(4096).endswith(b"0\r\n\r\n")


@BOTH
def test_ids_and_traces_reach_the_replica(recorders, tmp_path, kind):
    with Balancer(tmp_path, kind, recorders, QUICK_CHECKS).running() as balancer:
        server = Server(f"http://127.0.0.1:{balancer.port}", None, None)
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        server.request("GET", "/models", headers={"X-Request-Id": "mine", "traceparent": trace})
        server.request("GET", "/models")
        seen = [{name.lower(): value for name, value in headers.items()}
                for recorder in recorders for _, path, headers in recorder.seen if path == "/models"]
        given, made = sorted(seen, key=lambda headers: headers["x-request-id"] != "mine")
        assert given["x-request-id"] == "mine" and given["traceparent"] == trace
        assert len(made["x-request-id"]) >= 32 and made["x-forwarded-for"] == "127.0.0.1" and made["x-forwarded-proto"] == "http"


@BOTH
def test_routes_of_operators_are_not_reachable(recorders, tmp_path, kind):
    with Balancer(tmp_path, kind, recorders, QUICK_CHECKS).running() as balancer:
        for path in ["/metrics", "/metrics?x", "/%6detrics", "//metrics", "/api/deployments", "/v2/repository/index",
                     "/v2/%72epository/index", "/v2//repository/index"]:
            for method in ("GET", "POST"):
                connection = http.client.HTTPConnection("127.0.0.1", balancer.port, timeout=10)
                connection.request(method, path, b"" if method == "POST" else None)
                assert connection.getresponse().status == 404, path
                connection.close()
    assert {path for recorder in recorders for _, path, _ in recorder.seen} == set()


@BOTH
def test_the_balancer_tells_of_itself_on_an_address_of_its_own(fleet, tmp_path, kind):
    with Balancer(tmp_path, kind, fleet(1), QUICK_CHECKS).running() as balancer:
        stats = Server(f"http://127.0.0.1:{balancer.stats}", None, None)
        if kind == "haproxy":
            assert 'haproxy_server_status{proxy="slipway_repeatable",server="replica1",state="UP"} 1' in stats.get("/metrics")[1]
            assert stats.get("/")[0] == 200
        else:
            assert "Active connections" in stats.get("/status")[1]


@BOTH
def test_clients_may_come_over_tls(fleet, tmp_path, kind):
    certificate, key = Authority(tmp_path / "tls").issue("both")
    certificate.write_text(certificate.read_text() + key.read_text())
    balancer = Balancer(tmp_path, kind, fleet(2), (*QUICK_CHECKS, "--tls-cert", str(certificate)))
    with balancer.running():
        for version in ("--http1.1", "--http2"):
            done = subprocess.run(
                ["curl", "-sS", "--cacert", str(tmp_path / "tls/ca.pem"), version, f"https://127.0.0.1:{balancer.port}/predict/shift",
                 "--json", '{"x": 5}', "-w", "\n%{http_version} %{http_code}"], capture_output=True, text=True, timeout=20)
            assert done.stdout.splitlines()[-1] == f"{version.removeprefix('--http').removesuffix('.0')} 200", (done.stdout, done.stderr)


VARIANTS = [
    [],
    ["--stats", "none"],
    ["--listen", ":{port}", "--stats", "127.0.0.1:{stats}"],
    ["--listen", "[::1]:{port}", "--stats", "[::1]:{stats}"],
    ["--listen", "0.0.0.0:{port}", "--replica", "[fd00::1]:8080", "--replica", "localhost:8081"],
    ["--tls-cert", "{certificate}"],
    ["--check-interval", "2500ms", "--slow-start", "0s", "--retry-body", "16MiB"],
    ["--config", "{config}"],
]


@BOTH
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda words: " ".join(words) or "plain")
def test_the_balancer_itself_accepts_what_is_written(tmp_path, kind, variant):
    certificate, key = Authority(tmp_path / "tls").issue("both")
    certificate.write_text(certificate.read_text() + key.read_text())
    config = tmp_path / "serve.yaml"
    config.write_text("bundles: [x]\ndrain: {delay: 5s}\nlimits: {idle-timeout: 2s, max-body: 1MiB}\n")
    port, stats = free_ports(2)
    words = [word.format(port=port, stats=stats, certificate=certificate, config=config) for word in variant]
    balancer = Balancer(tmp_path, kind, [Replica(tmp_path, "r", 8079, [])], words)
    balancer.write()
    checked = balancer.check()
    assert checked.returncode == 0, checked.stderr
    assert not re.search(r"WARN|warn", checked.stdout + checked.stderr), checked.stderr


def test_a_drain_delay_that_is_too_short_for_the_checks_is_told(slipway):
    slipway.write("serve.yaml", "bundles: [x]\ndrain: {delay: 1s}\n")
    told = slipway("balance", "haproxy", "--replica", "a:1", "--config", "serve.yaml", "--output", "h.cfg").stderr
    assert "drain.delay is 1s" in told and "4s" in told
    slipway.write("serve.yaml", "bundles: [x]\ndrain: {delay: 4s}\n")
    assert slipway("balance", "haproxy", "--replica", "a:1", "--config", "serve.yaml", "--output", "h.cfg").stderr == ""


def test_scripts_get_what_was_written(slipway):
    done = json.loads(slipway("balance", "nginx", "--replica", "a:1", "--replica", "b:1", "--json").stdout)
    assert (done["balancer"], done["replicas"], done["output"]) == ("nginx", ["a:1", "b:1"], None)
    assert done["text"] == slipway("balance", "nginx", "--replica", "a:1", "--replica", "b:1").stdout
    slipway("balance", "nginx", "--replica", "a:1", "--output", "no/such/folder.conf", expect=3)


PAGE = (ROOT / "docs/operations/scaling.md").read_text()


def test_the_files_and_commands_of_the_scaling_page_lead_to_balancers_that_start(slipway):
    write_shift(slipway.folder / "flight-delay-1.0.0.slipway", "flight-delay", "1.0.0", 0)
    slipway.write("serve.yaml", next(text for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S) if "bundles:" in text))
    lines = [line for line in PAGE.splitlines() if re.match(r"slipway (serve|balance) ", line)]
    assert [line.split()[1] for line in lines] == ["serve", "balance", "balance"]
    for line in lines:
        done = slipway(*line.split()[1:])
        assert not done.stderr, line
    for kind, name in [("haproxy", "haproxy.cfg"), ("nginx", "slipway.conf")]:
        balancer = Balancer(slipway.folder, kind, [])
        balancer.file = slipway.folder / name
        assert balancer.check().returncode == 0


def test_the_metrics_of_the_scaling_page_are_there(bundle, slipway):
    names = set(re.findall(r"(?:slipway|process)_[a-z]+(?:_[a-z]+)+", PAGE)) - {"slipway_once", "slipway_repeatable"}
    assert len(names) >= 6
    with slipway.serving(bundle) as server:
        server.predict("loans", {})
        text = server.get("/metrics")[1]
    assert [name for name in names if f"\n{name}" not in text] == []
