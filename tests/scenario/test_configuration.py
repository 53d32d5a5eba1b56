"""`slipway serve` is told what to do by flags, variables and a file, and by the file again while it serves."""

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import conftest
import pytest
from certificates import Authority
from conftest import PROGRAM, ROOT
from shifts import write_shift

until = functools.partial(conftest.until, seconds=10)

GOOD = {"income": 30000.0, "age": 30, "purpose": "car", "city": "city-1", "applied": "2024-03-01T10:00:00"}


@pytest.fixture
def serve(slipway):
    """Runs `slipway serve` to its end, with variables."""

    def run(*arguments, expect=0, **variables):
        environment = os.environ | {f"SLIPWAY_SERVE_{name}": value for name, value in variables.items()}
        done = subprocess.run(
            [PROGRAM, "serve", *map(str, arguments)], cwd=slipway.folder, env=environment, capture_output=True, text=True,
            timeout=120,
        )
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


def checked(serve, *arguments, **settings):
    """Each option that --check-config shows, by name."""
    report = json.loads(serve(*arguments, "--check-config", "--json", **settings).stdout)
    assert report["fine"] is True and report["problems"] == []
    return {option["name"]: option for option in report["options"]}


def log_lines(server, event):
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


def reload(server, event, count=1):
    """Sends SIGHUP and returns the newest line of the event that it leads to."""
    server.process.send_signal(signal.SIGHUP)
    return wait_for_line(server, event, count)


def wait_for_line(server, event, count=1):
    deadline = time.monotonic() + 10
    while len(log_lines(server, event)) < count:
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.02)
    return log_lines(server, event)[count - 1]


def metric(server, series):
    found = re.search(rf"^{re.escape(series)} (\S+)$", server.get("/metrics")[1], re.MULTILINE)
    return float(found.group(1)) if found else None


# Where a value comes from.


def test_a_flag_counts_before_a_variable_before_the_file_before_the_default(serve, slipway, bundle):
    slipway.write("serve.yaml", f"bundles: [{bundle}]\nlimits:\n  max-body: 1MiB\n  max-header: 1KiB\n  linger: 3s\n")
    options = checked(serve, "--config", "serve.yaml", "--max-body", "3MiB", MAX_BODY="2MiB", MAX_HEADER="2KiB")
    shown = {name: (options[name]["value"], options[name]["origin"]) for name in ("max-body", "max-header", "linger", "max-target")}
    assert shown == {
        "max-body": ("3MiB", "--max-body"),
        "max-header": ("2KiB", "SLIPWAY_SERVE_MAX_HEADER"),
        "linger": ("3s", "serve.yaml:5"),
        "max-target": ("8KiB", "default"),
    }


def test_lists_are_replaced_and_flags_can_be_taken_back(serve, slipway, bundle):
    slipway.write("serve.yaml", f"bundles: [none.slipway]\ncompress: true\nlisten: {{http: [':9001', ':9002']}}\n")
    options = checked(
        serve, "--config", "serve.yaml", "--compress=false", BUNDLES=str(bundle), HTTP="unix:s.sock,mode=0600, :9003")
    assert options["bundles"]["value"] == str(bundle)
    assert options["compress"]["value"] == "false"
    assert options["http"]["value"] == "unix:s.sock,mode=0600,:9003"


def test_the_file_alone_is_enough_to_serve(slipway, bundle):
    slipway.write("serve.yaml", f"bundles: [{bundle}]\nlimits: {{max-body: 2KiB}}\n")
    with slipway.serving(options=["--config", "serve.yaml"]) as server:
        assert server.predict("loans", GOOD)[0] == 200
        assert server.request("POST", "/predict/loans", b" " * 3000)[0] == 413


def test_the_file_may_be_named_by_a_variable(serve, slipway, bundle):
    slipway.write("serve.yaml", f"bundles: [{bundle}]\nthreads: 3\n")
    assert checked(serve, CONFIG="serve.yaml")["threads"]["value"] == "3"


# What is refused.


@pytest.mark.parametrize(
    "text, words",
    [
        ("limits:\n  max-bodi: 1MiB\n", ["serve.yaml:3", "limits.max-bodi", "limits.max-body"]),
        ("max-body: 1MiB\n", ["serve.yaml:2", "limits.max-body"]),
        ("limits:\n  max-body: lots\n", ["serve.yaml:3", "limits.max-body", '"lots"', "64MiB"]),
        ("limits: {linger: 0s}\n", ["serve.yaml:2", "limits.linger", '"0s"', "above zero"]),
        ("log: {level: loud}\n", ["serve.yaml:2", "log.level", '"loud"', "warning"]),
        ("threads: [1, 2]\n", ["serve.yaml:2", "threads", "one value"]),
        ("threads: 1\nthreads: 2\n", ["serve.yaml:3", "duplicate", "threads"]),
        ("limits:\n\tmax-body: 1MiB\n", ["serve.yaml:3"]),
        ("listen: {observe-on: admin}\n", ["--admin"]),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_its_line(serve, slipway, text, words):
    slipway.write("serve.yaml", "bundles: [x.slipway]\n" + text)
    for arguments in (["--check-config"], []):
        error = serve("--config", "serve.yaml", *arguments, expect=2).stderr
        assert all(word in error for word in words), error


def test_a_variable_with_a_mistake_is_refused_by_its_name(serve):
    error = serve("x.slipway", expect=2, MAX_BODY="lots").stderr
    assert "SLIPWAY_SERVE_MAX_BODY" in error and '"lots"' in error
    error = serve("x.slipway", expect=2, MAX_BODI="1MiB").stderr
    assert "SLIPWAY_SERVE_MAX_BODI" in error and "SLIPWAY_SERVE_MAX_BODY" in error


def test_what_kubernetes_sets_for_a_service_of_that_name_does_no_harm(serve, bundle):
    checked(serve, bundle, SERVICE_HOST="10.0.0.1", SERVICE_PORT="80", PORT="tcp://10.0.0.1:80", PORT_80_TCP_PROTO="tcp")


def test_a_flag_with_a_mistake_is_refused_by_its_name(serve):
    error = serve("x.slipway", "--max-body", "lots", expect=2).stderr
    assert "--max-body" in error and '"lots"' in error
    assert "--max-body" in serve("x.slipway", "--max-bodi", "1MiB", expect=2).stderr


def test_no_bundle_and_no_file_are_usage_errors(serve):
    assert "no bundle" in serve(expect=2).stderr
    assert "none.yaml" in serve("--config", "none.yaml", expect=2).stderr


# --check-config.


def test_check_config_shows_each_value_with_its_origin_and_that_all_is_fine(serve, slipway, bundle):
    slipway.write("serve.yaml", f"bundles: [{bundle}]\nlimits: {{max-body: 1MiB}}\n")
    lines = serve("--config", "serve.yaml", "--check-config").stdout.splitlines()
    assert lines[-1] == "configuration is fine"
    assert [re.split(r"\s{2,}", line)[:3] for line in lines if line.startswith("limits.max-body ")] == [
        ["limits.max-body", "1MiB", "serve.yaml:2"]
    ]


def test_check_config_opens_what_the_configuration_names(serve, slipway, bundle, tmp_path):
    authority = Authority(tmp_path / "ca")
    (good, key), (_, other_key) = authority.issue("good"), authority.issue("other")
    checked(serve, bundle, "--tls-cert", good, "--tls-key", key)
    text = serve(bundle, "--tls-cert", good, "--tls-key", other_key, "--check-config", expect=1)
    assert "other.key" in text.stderr and "configuration is fine" not in text.stdout
    missing = serve(bundle, "none.slipway", "--tls-cert", "none.pem", "--check-config", expect=1).stderr
    assert "none.slipway" in missing and "none.pem" in missing, "every problem is told"
    slipway.write("broken.slipway", b"no archive")
    report = json.loads(serve("broken.slipway", "--check-config", "--json", expect=1).stdout)
    assert report["fine"] is False and [problem["where"] for problem in report["problems"]] == ["broken.slipway"]
    assert "none" in serve("--watch", "none", "--check-config", expect=3).stderr
    assert "log-file" in serve(bundle, "--log-file", "none/x.log", "--check-config", expect=3).stderr


def test_check_config_loads_the_bundles_of_a_watched_folder_as_those_that_are_named(serve, slipway, bundle):
    slipway.write("models/broken.slipway", b"no archive")
    slipway.write("models/.hidden.slipway", b"still being copied")
    slipway.write("models/notes.txt", b"no bundle")
    shutil.copy(slipway.folder / bundle, slipway.folder / "models")
    watched, named = (json.loads(serve(*arguments, "--check-config", "--json", expect=1).stdout)["problems"]
                      for arguments in (["--watch", "models"], ["models/broken.slipway"]))
    assert watched == named and [problem["where"] for problem in watched] == ["models/broken.slipway"]
    (slipway.folder / "models/broken.slipway").unlink()
    checked(serve, "--watch", "models")


def test_check_config_tells_of_two_bundles_of_one_version_in_a_watched_folder(serve, slipway):
    write_shift(slipway.folder / "m", "m", "1.0.0", 1.0)
    write_shift(slipway.folder / "models/m", "m", "1.0.0", 2.0)
    problem = serve("m", "--watch", "models", "--check-config", expect=1).stderr
    assert "live.version_conflict" in problem and "models/m" in problem


def test_the_example_is_fine(serve, bundle):
    example = ROOT / "examples" / "serve.yaml"
    options = checked(serve, "--config", example, BUNDLES=str(bundle), LOG_FILE="serve.log", HTTP="127.0.0.1:0")
    assert sum(option["origin"].startswith(str(example)) for option in options.values()) >= 8


def test_the_page_lists_exactly_the_options_that_there_are(serve, bundle):
    page = (ROOT / "docs" / "operations" / "configuration.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if "| `SLIPWAY_SERVE_" in line]
    listed = {tuple(cell.strip("`") for cell in row[:5]) for row in rows}
    assert len(rows) == len(listed)
    there = {
        (option["flag"] or "BUNDLE …", option["key"] or "–", option["variable"], option["default"], "yes" if option["reload"] else "no")
        for option in checked(serve, bundle).values()
    }
    assert listed == there


def test_completion_knows_the_options(slipway):
    script = slipway("completion", "bash").stdout
    assert all(flag in script for flag in ("--config", "--check-config", "--max-handshakes", "--linger", "--health-memory-warn"))


# SIGHUP.


@pytest.fixture
def reloading(slipway, bundle):
    """A server with a file; write() replaces the file."""

    def write(text):
        slipway.write("serve.yaml", f"bundles: [{bundle}]\n{text}")

    write("")
    with slipway.serving(options=["--config", "serve.yaml", "--threads", "2"]) as server:
        server.write = write
        yield server


def test_sighup_changes_a_limit_and_the_level_of_the_log(reloading):
    server = reloading
    body = json.dumps([GOOD] * 20)
    assert server.request("POST", "/predict/loans", body)[0] == 200
    server.write("limits: {max-body: 1KiB}\nlog: {level: debug}\nhealth: {loop-warn: 3s}\n")
    line = reload(server, "config.reloaded")
    assert line["max-body"] == "64MiB -> 1KiB" and line["log-level"] == "info -> debug" and line["health-loop-warn"] == "100ms -> 3s"
    assert line["options"] == 3 and line["file"] == "serve.yaml"
    until(lambda: server.request("POST", "/predict/loans", body)[0] == 413)
    assert server.predict("loans", GOOD)[0] == 200
    assert json.loads(server.get("/health")[1])["checks"]["event_loop"]["warn"] == 3.0
    server.write("log: {level: error}\n")
    line = reload(server, "config.reloaded", 2)
    assert line["max-body"] == "1KiB -> 64MiB", "a key that is gone means the default"
    until(lambda: server.request("POST", "/predict/loans", body)[0] == 200)
    requests = len(log_lines(server, "request"))
    assert server.predict("loans", GOOD)[0] == 200
    time.sleep(0.3)
    assert len(log_lines(server, "request")) == requests, "requests are not logged any more"
    assert metric(server, 'slipway_config_reloads_total{outcome="changed"}') == 2


def test_a_flag_goes_on_counting_before_the_file(slipway, bundle):
    slipway.write("serve.yaml", f"bundles: [{bundle}]\n")
    with slipway.serving(options=["--config", "serve.yaml", "--max-body", "1KiB"]) as server:
        slipway.write("serve.yaml", f"bundles: [{bundle}]\nlimits: {{max-body: 1MiB}}\n")
        assert reload(server, "config.reloaded")["options"] == 0
        assert server.request("POST", "/predict/loans", b" " * 2000)[0] == 413
        assert metric(server, 'slipway_config_reloads_total{outcome="unchanged"}') == 1


def test_what_needs_a_restart_is_named_and_waits(reloading):
    server = reloading
    server.write("limits: {max-json-depth: 4, max-body: 1KiB}\nlisten: {admin: '127.0.0.1:0'}\n")
    line = reload(server, "config.needs_restart")
    assert line["level"] == "warning" and line["options"] == 2
    assert line["max-json-depth"] == "32 -> 4" and line["admin"] == "none -> 127.0.0.1:0"
    until(lambda: server.request("POST", "/predict/loans", b" " * 2000)[0] == 413)
    assert metric(server, "slipway_config_options_waiting") == 2
    reload(server, "config.needs_restart", 2)
    server.write("")
    reload(server, "config.reloaded", 3)
    until(lambda: metric(server, "slipway_config_options_waiting") == 0)


@pytest.mark.parametrize(
    "text, word", [("limits:\n  max-body: lots\n", "serve.yaml:3"), ("limits: [\n", "serve.yaml:"), ("cors: {origin: x}\n", "serve.yaml:2"), ("cors: {origin: '*', credentials: true}\n", "serve.yaml: cross-origin")])
def test_a_bad_file_leaves_everything_as_it_was(reloading, text, word):
    server = reloading
    server.write("limits: {max-body: 1KiB}\n")
    reload(server, "config.reloaded")
    until(lambda: server.request("POST", "/predict/loans", b" " * 2000)[0] == 413)
    server.write(text)
    line = reload(server, "config.reload_failed")
    assert line["level"] == "error" and word in line["where"] + ": " + line["message"]
    assert server.request("POST", "/predict/loans", b" " * 2000)[0] == 413
    assert server.predict("loans", GOOD)[0] == 200
    assert metric(server, 'slipway_config_reloads_total{outcome="failed"}') == 1


def test_no_request_is_lost_while_the_file_is_read_again_and_again(reloading):
    server = reloading
    statuses, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            statuses.append(server.predict("loans", GOOD)[0])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(30):
        server.write(f"limits: {{max-body: {i + 10}KiB, header-timeout: {i + 1}s}}\nlog: {{requests: {i}}}\n" if i % 3 else "limits: {x: 1}\n")
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.03)
    stop.set()
    for thread in threads:
        thread.join()
    assert len(statuses) > 100 and set(statuses) == {200}
    until(lambda: metric(server, 'slipway_config_reloads_total{outcome="failed"}') >= 1)
