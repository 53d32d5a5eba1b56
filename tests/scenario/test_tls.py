"""`slipway serve` behind TLS, seen by Python's ssl, curl and openssl."""

import http.client
import json
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
from certificates import Authority
from conftest import Slipway

GOOD = {"income": 30000.0, "age": 30, "purpose": "car", "city": "city-1", "applied": "2024-03-01T10:00:00"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


class Https:
    """A running server and the ways to reach it."""

    def __init__(self, server, authority):
        self.server, self.authority = server, authority
        self.process = server.process
        self.port = int(server.url.rsplit(":", 1)[1])

    def context(self, certificate=None, **settings):
        context = ssl.create_default_context(cafile=str(self.authority.path))
        if certificate:
            context.load_cert_chain(*map(str, certificate))
        for name, value in settings.items():
            setattr(context, name, value)
        return context

    def connect(self, certificate=None, context=None):
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=20, context=context or self.context(certificate))
        connection.connect()
        return connection

    def get(self, path, **options):
        connection = self.connect(**options)
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def log_has(self, word):
        deadline = time.monotonic() + 10
        while word not in self.server.log.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        return word in self.server.log.read_text()


@pytest.fixture
def https(bundle, slipway, authority):
    certificate, key = authority.issue("server")
    with slipway.serving(bundle, options=["--tls-cert", certificate, "--tls-key", key]) as server:
        yield Https(server, authority)


@pytest.fixture
def mutual(bundle, slipway, authority):
    certificate, key = authority.issue("server")
    options = ["--tls-cert", certificate, "--tls-key", key, "--tls-client-ca", authority.path]
    with slipway.serving(bundle, options=options) as server:
        yield Https(server, authority)


def test_predicts_over_https_and_says_so(https, slipway):
    connection = https.connect()
    for _ in range(3):
        connection.request("POST", "/predict/loans", json.dumps(GOOD), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200 and "probability" in json.loads(answer.read())["prediction"]
    assert connection.sock.version() == "TLSv1.3"
    status, metrics = https.get("/metrics")
    assert status == 200 and 'slipway_tls_handshakes_total{outcome="full"} 2' in metrics
    expiry = [line for line in metrics.splitlines() if line.startswith("slipway_tls_certificate_not_after_seconds ")]
    assert abs(float(expiry[0].split()[1]) - time.time() - 2 * 86400) < 3600


@pytest.mark.parametrize(
    "version, ciphers, taken",
    [
        (ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM", True),
        (ssl.TLSVersion.TLSv1_2, "ECDHE+CHACHA20", True),
        (ssl.TLSVersion.TLSv1_2, "ECDHE+AES:!AESGCM:!AESCCM", False),
        (ssl.TLSVersion.TLSv1_2, "RSA+AESGCM:DHE+AESGCM", False),
        (ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0", False),
        (ssl.TLSVersion.TLSv1, "ALL:@SECLEVEL=0", False),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_versions_and_ciphers(https, version, ciphers, taken):
    context = https.context()
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = version
    if taken:
        assert https.get("/livez", context=context)[0] == 200
    else:
        with pytest.raises(ssl.SSLError):
            https.connect(context=context)


def test_a_client_that_only_speaks_http2_is_refused(https):
    context = https.context()
    context.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError, match="no application protocol|NO_APPLICATION_PROTOCOL"):
        https.connect(context=context)
    context = https.context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    assert https.connect(context=context).sock.selected_alpn_protocol() == "http/1.1"


def test_openssl_and_curl_get_along(https):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"localhost:{https.port}", "-CAfile", https.authority.path, "-verify_return_error", "-brief", "-ign_eof"],
        input="GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", capture_output=True, text=True, timeout=20,
    )
    assert '"live":true' in done.stdout, done.stderr
    assert "Verification: OK" in done.stderr
    done = subprocess.run(
        ["curl", "-sS", "--cacert", https.authority.path, "--json", json.dumps(GOOD), f"https://localhost:{https.port}/predict/loans"],
        capture_output=True, text=True, timeout=20,
    )
    assert "probability" in done.stdout, done.stderr


def test_large_bodies_pass_both_ways(https):
    connection = https.connect()
    lines = (json.dumps(GOOD) + "\n") * 40_000
    connection.request("POST", "/predict/loans", lines, {"Content-Type": "application/x-ndjson"})
    answer = connection.getresponse()
    rows = answer.read().splitlines()
    assert answer.status == 200 and len(rows) == 40_000
    assert [json.loads(row)["row"] for row in (rows[0], rows[-1])] == [0, 39_999]


def test_plain_http_on_the_tls_port_is_told_so(https):
    with socket.create_connection(("localhost", https.port), timeout=10) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while more := client.recv(4096):
            answer += more
    assert answer.startswith(b"HTTP/1.1 400 ") and b"this port speaks https" in answer


def test_slow_handshakes_do_not_hold_requests_up(https):
    silent = [socket.create_connection(("localhost", https.port)) for _ in range(600)]
    for client in silent[::2]:
        client.sendall(b"\x16\x03\x01")
    begun = time.monotonic()
    for _ in range(20):
        assert https.get("/livez")[0] == 200
    assert time.monotonic() - begun < 5
    assert 'outcome="crowded"' in https.get("/metrics")[1]
    for client in silent:
        client.close()


def test_many_short_connections(https):
    failures = []
    context = https.context()

    def work():
        for _ in range(50):
            try:
                assert https.get("/livez", context=context)[0] == 200
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not failures


def test_sessions_resume(https):
    context = https.context()
    first = https.connect(context=context)
    first.request("GET", "/livez")
    first.getresponse().read()
    session = first.sock.session
    for _ in range(6):
        with socket.create_connection(("localhost", https.port)) as plain:
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as again:
                again.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                assert b"200" in again.recv(4096)
                assert again.session_reused
                session = again.session


def serial(https):
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("localhost", https.port)))


@pytest.mark.parametrize("how", ["signal", "files"])
def test_a_new_certificate_is_taken_under_load_without_one_failed_request(https, how):
    failures, done, count = [], threading.Event(), [0]

    def kept():
        connection = https.connect()
        while not done.is_set():
            connection.request("GET", "/livez")
            answer = connection.getresponse()
            count[0] += 1
            if answer.status != 200 or not answer.read():
                failures.append(answer.status)

    def short():
        while not done.is_set():
            try:
                count[0] += 1
                if https.get("/livez")[0] != 200:
                    failures.append("status")
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=target) for target in (kept, kept, short, short)]
    [thread.start() for thread in threads]
    before = serial(https)
    for _ in range(3 if how == "signal" else 1):
        https.authority.issue("server")
        if how == "signal":
            https.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while serial(https) == before and time.monotonic() < deadline:
            time.sleep(0.05)
        assert serial(https) != before
        before = serial(https)
    done.set()
    [thread.join() for thread in threads]
    assert not failures and count[0] > 20


def test_a_broken_new_pair_keeps_the_old_one(https):
    before = serial(https)
    (https.authority.folder / "server.pem").write_text("oops")
    https.process.send_signal(signal.SIGHUP)
    assert https.log_has("tls.reload_failed")
    assert serial(https) == before
    metrics = https.get("/metrics")[1]
    assert "slipway_tls_certificate_outdated 1" in metrics and 'slipway_tls_reloads_total{result="failed"} 1' in metrics


def test_a_key_that_others_can_read_is_warned_of(bundle, slipway, authority):
    certificate, key = authority.issue("open")
    key.chmod(0o644)
    with slipway.serving(bundle, options=["--tls-cert", certificate, "--tls-key", key]) as server:
        assert Https(server, authority).log_has("tls.key_is_open")


def test_clients_with_certificates_come_in(mutual):
    batch = mutual.authority.issue("batch", "batch", "URI:spiffe://example/batch")
    assert mutual.get("/livez", certificate=batch)[0] == 200
    older = mutual.context(batch, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert mutual.get("/livez", context=older)[0] == 200


def test_clients_without_the_right_certificate_stay_out_and_the_log_says_why(mutual, tmp_path):
    stranger = Authority(tmp_path, "stranger").issue("stranger", "stranger")
    expired = mutual.authority.issue("expired", "expired", days=0)
    time.sleep(1.1)  # zero days: it was good for this second
    for certificate in (None, stranger, expired):
        with pytest.raises((ssl.SSLError, http.client.RemoteDisconnected, ConnectionError)):
            mutual.get("/livez", certificate=certificate)
    for reason in ("client_certificate_missing", "client_certificate_untrusted", "client_certificate_expired"):
        assert mutual.log_has(reason), mutual.server.log.read_text()


@pytest.mark.parametrize(
    "options, code, word",
    [
        (["--tls-key", "k.pem"], 2, "--tls-cert"),
        (["--tls-cert", "none.pem"], 1, "none.pem"),
        (["--tls-cert", "text.pem"], 1, "BEGIN CERTIFICATE"),
        (["--tls-client-auth", "maybe"], 2, "none, optional or require"),
    ],
)
def test_mistakes_in_the_options_are_told(bundle, slipway, options, code, word):
    slipway.write("text.pem", "no certificate")
    assert word in slipway("serve", bundle, "--http", "127.0.0.1:0", *options, expect=code).stderr
