"""Where `slipway serve` listens: Unix sockets, several addresses, the admin listener, systemd."""

import json
import os
import signal
import socket
import stat
import subprocess
import time

import pytest
from conftest import PROGRAM

GOOD = {"income": 30000.0, "age": 30, "purpose": "car", "city": "city-1", "applied": "2024-03-01T10:00:00"}


def curl(path, url, *arguments):
    return subprocess.run(
        ["curl", "-sS", "-o", "-", "-w", "\n%{http_code}", "--unix-socket", str(path), url, *arguments],
        capture_output=True, text=True, timeout=20,
    )


def listeners(bundle, slipway, *options):
    """The listeners of a server that is started for its announcement alone."""
    process = subprocess.Popen(
        [PROGRAM, "serve", str(bundle), "--json", "--log-file", "x.log", *map(str, options)],
        cwd=slipway.folder, stdout=subprocess.PIPE, text=True,
    )
    text = ""
    while not text.rstrip().endswith("}") or text.count("{") != text.count("}"):
        line = process.stdout.readline()
        assert line, f"serve ended: {process.wait()} {text}"
        text += line
    return process, json.loads(text)["listeners"]


def end(process):
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


def test_curl_over_a_unix_socket(bundle, slipway):
    path = slipway.folder / "s.sock"
    with slipway.serving(bundle, options=["--http", f"unix:{path}"]) as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        done = curl(path, "http://localhost/predict/loans", "--json", json.dumps(GOOD))
        assert done.stdout.endswith("200") and "probability" in done.stdout, done.stderr
        assert server.get("/livez")[0] == 200
        taken = slipway("serve", bundle, "--http", f"unix:{path}", expect=3)
        assert "in use" in taken.stderr
    assert not path.exists()


def test_the_socket_of_a_killed_server_is_taken_over(bundle, slipway):
    path = slipway.folder / "s.sock"
    process, _ = listeners(bundle, slipway, "--http", f"unix:{path},mode=0600")
    process.kill()
    process.wait()
    assert path.exists()
    with slipway.serving(bundle, options=["--http", f"unix:{path}"]):
        assert curl(path, "http://localhost/livez").stdout.endswith("200")


def test_the_admin_listener_takes_the_observe_routes_over(bundle, slipway):
    process, addresses = listeners(
        bundle, slipway, "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--observe-on", "admin")
    assert [listener["role"] for listener in addresses] == ["serve", "admin"]

    def status(listener, path):
        return subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", listener["url"] + path], capture_output=True, text=True,
        ).stdout

    main, admin = addresses
    assert [status(main, path) for path in ("/livez", "/readyz", "/metrics", "/models")] == ["200", "200", "404", "404"]
    assert [status(admin, path) for path in ("/livez", "/readyz", "/metrics", "/models")] == ["200"] * 4
    assert status(admin, "/predict/loans") == "404"
    end(process)


@pytest.mark.parametrize(
    "options, word",
    [
        (["--admin", "0.0.0.0:0"], "--admin-public"),
        (["--observe-on", "admin"], "--admin"),
        (["--http", "nowhere"], "HOST:PORT"),
        (["--http", "unix:" + "x" * 200], "longer than 107"),
    ],
)
def test_addresses_that_will_not_do_are_refused_with_the_way_out(bundle, slipway, options, word):
    assert word in slipway("serve", bundle, *options, expect=2).stderr


def test_an_admin_listener_for_everybody_can_be_asked_for(bundle, slipway):
    process, addresses = listeners(bundle, slipway, "--http", "127.0.0.1:0", "--admin", "0.0.0.0:0", "--admin-public")
    assert addresses[1]["role"] == "admin"
    end(process)


def test_systemd_hears_when_the_service_is_ready_reloads_and_stops(bundle, slipway, monkeypatch):
    path = slipway.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        with slipway.serving(bundle) as server:
            assert manager.recv(1024).startswith(b"READY=1\n")
            assert server.get("/readyz")[0] == 200
            server.process.send_signal(signal.SIGHUP)
            assert manager.recv(1024).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert manager.recv(1024).startswith(b"READY=1\n")
        assert manager.recv(1024).startswith(b"STOPPING=1\n")


def test_a_socket_that_systemd_opened_is_served(bundle, slipway):
    """As systemd does it: the socket is descriptor 3, and requests may wait in it before the program starts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        early = socket.create_connection(listening.getsockname())
        early.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

        def become_service():
            os.dup2(listening.fileno(), 3)
            os.set_inheritable(3, True)
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")

        # The environment of the child is set in the child, where its process id is known: exec by hand.
        child = os.fork()
        if child == 0:
            become_service()
            os.execv(PROGRAM, [PROGRAM, "serve", str(bundle), "--http", "systemd:web", "--log-file", str(slipway.folder / "x.log")])
        early.settimeout(20)
        answer = b""
        while more := early.recv(4096):
            answer += more
        assert b"200 OK" in answer
        os.kill(child, signal.SIGTERM)
        deadline = time.monotonic() + 20
        ended = (0, 0)
        while ended[0] == 0 and time.monotonic() < deadline:
            ended = os.waitpid(child, os.WNOHANG)
            time.sleep(0.02)
        assert ended == (child, 0)
