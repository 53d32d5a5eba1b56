"""Many connections, too many of them, and clients that still send when their answer is settled."""

import functools
import os
import resource
import socket
import ssl
import time

import conftest
import pytest
from certificates import Authority

HELLO = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


def connect(server):
    connection = socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def status(connection, request=HELLO):
    connection.sendall(request)
    return int(connection.recv(65536).split()[1])


def processor_seconds(server):
    fields = open(f"/proc/{server.process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


until = functools.partial(conftest.until, seconds=15)


def test_out_of_descriptors_the_server_serves_on_idles_and_recovers(slipway, bundle):
    with slipway.serving(bundle, options=["--threads", "2"]) as server:
        standing = [connect(server) for _ in range(4)]
        assert [status(connection) for connection in standing] == [200] * 4
        open_now = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (open_now + 10, open_now + 10))
        crowd = [connect(server) for _ in range(60)]  # the kernel takes them, the program cannot
        until(lambda: len(os.listdir(f"/proc/{server.process.pid}/fd")) >= open_now + 10)
        started, before = time.monotonic(), processor_seconds(server)
        while time.monotonic() - started < 2:
            assert [status(connection) for connection in standing] == [200] * 4
            time.sleep(0.1)
        busy = (processor_seconds(server) - before) / (time.monotonic() - started)
        assert busy < 0.3, f"{busy:.0%} of a processor for a handful of requests"
        assert b'reason="http.no_descriptors"' in ask_metrics(standing[0])
        for connection in crowd:
            connection.close()
        until(lambda: answers(server))
        assert [status(connection) for connection in standing] == [200] * 4


def ask_metrics(connection):
    connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    text = b""
    while b"\r\n\r\n" not in text or len(text.split(b"\r\n\r\n", 1)[1]) < int(text.split(b"Content-Length: ")[1].split()[0]):
        text += connection.recv(1 << 20)
    return text


def answers(server):
    with connect(server) as connection:
        connection.settimeout(1)
        try:
            return status(connection) == 200
        except OSError:
            return False


def send_slowly(connection, seconds):
    """Sends a body that is too large, for so long, without reading."""
    connection.sendall(b"POST /predict/loans HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        connection.sendall(b" " * 16384)
        time.sleep(0.02)


def test_an_early_413_arrives_at_a_client_that_goes_on_sending(slipway, bundle):
    with slipway.serving(bundle, options=["--max-body", "1KiB", "--linger", "5s"]) as server, connect(server) as client:
        send_slowly(client, 2)
        assert client.recv(65536).startswith(b"HTTP/1.1 413")


def test_a_client_that_sends_longer_than_the_server_lingers_is_cut(slipway, bundle):
    with slipway.serving(bundle, options=["--max-body", "1KiB", "--linger", "50ms"]) as server, connect(server) as client:
        with pytest.raises(OSError):
            send_slowly(client, 5)
        until(lambda: 'slipway_http_connections_open 1\n' in server.get("/metrics")[1])


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 6000:
        pytest.skip(f"this machine allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 6000) if soft != resource.RLIM_INFINITY else soft, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_idle_tls_connections_cost_their_session(slipway, bundle, tmp_path, many_files):
    certificate, key = Authority(tmp_path / "ca").issue("server")
    context = ssl._create_unverified_context()  # noqa: S323

    def secure(server):
        connection = context.wrap_socket(connect(server))
        assert status(connection) == 200
        return connection

    with slipway.serving(bundle, options=["--threads", "2", "--tls-cert", certificate, "--tls-key", key]) as server:
        warm = [secure(server) for _ in range(20)]
        before = server.resident()
        idle = [secure(server) for _ in range(500)]
        each = (server.resident() - before) / 500
        print(f"{each:.0f} bytes a TLS connection")
        assert each < 40 << 10, each
        for connection in idle + warm:
            connection.close()


def test_five_thousand_idle_connections_cost_little_memory_each(slipway, bundle, many_files):
    count = 5000
    with slipway.serving(bundle, options=["--threads", "2", "--idle-timeout", "5m", "--log-requests", "0"]) as server:
        warm = [connect(server) for _ in range(50)]
        assert all(status(connection) == 200 for connection in warm)
        before = server.resident()
        idle = [connect(server) for _ in range(count)]
        assert all(status(connection) == 200 for connection in idle)
        each = (server.resident() - before) / count
        print(f"{each:.0f} bytes a connection")
        assert each < 2048, each
        assert server.get("/livez")[0] == 200
        assert status(idle[0]) == 200 and status(idle[-1]) == 200
        for connection in idle + warm:
            connection.close()
        until(lambda: "slipway_http_connections_open 1\n" in server.get("/metrics")[1])


def test_a_low_soft_limit_of_open_files_is_raised_and_a_low_hard_one_is_told(slipway, bundle):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with slipway.serving(bundle, options=["--max-connections", "1000000"]) as server:
            raised = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
            assert raised == (hard, hard)
            told = "service.few_descriptors" in server.log.read_text()
            assert told == (hard != resource.RLIM_INFINITY and hard < 1000000)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
