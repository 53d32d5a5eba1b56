"""What a client and an operator see of `slipway serve`."""

import json
import signal
import socket
import subprocess
import time

import pytest
from conftest import PROGRAM

GOOD = {"income": 30000.0, "age": 30, "purpose": "car", "city": "city-1", "applied": "2024-03-01T10:00:00"}
BAD = dict(GOOD, age=7, email="not-an-address")


@pytest.fixture(scope="module")
def server(loans_folder, tmp_path_factory):
    from conftest import Slipway

    with Slipway(tmp_path_factory.mktemp("serve")).serving(loans_folder / "loans-1.0.0.slipway") as running:
        yield running


def test_one_object_is_answered_with_model_version_and_request_id(server):
    status, body, headers = server.request("POST", "/predict/loans", GOOD, {"X-Request-Id": "abc-1"})
    answer = json.loads(body)
    assert status == 200 and set(answer) == {"model", "version", "request_id", "prediction"}
    assert (answer["model"], answer["version"], answer["request_id"]) == ("loans", "1.0.0", "abc-1")
    assert headers["X-Request-Id"] == "abc-1" and headers["Slipway-Model"] == "loans"
    assert headers["Slipway-Version"] == "1.0.0" and headers["Slipway-Arm"] == "stable"


def test_an_invalid_object_is_422_with_every_violation(server):
    status, body, headers = server.request("POST", "/predict/loans", BAD)
    problem = json.loads(body)
    assert status == 422 and headers["Content-Type"].startswith("application/problem+json")
    assert {"type", "title", "status", "detail", "code", "request_id", "violations"} <= set(problem)
    assert {(v["field"], v["code"]) for v in problem["violations"]} == {("age", "schema.out_of_range"), ("email", "schema.pattern")}


def test_a_personal_value_never_comes_back(server):
    _, body, _ = server.request("POST", "/predict/loans", BAD)
    assert b"not-an-address" not in body
    assert "not-an-address" not in server.log.read_text()


def test_a_wrong_record_does_not_spoil_its_neighbours(server):
    status, answer = server.predict("loans", {"records": [GOOD, BAD, GOOD]})
    assert status == 200
    assert [p is None for p in answer["predictions"]] == [False, True, False]
    assert answer["predictions"][0] == answer["predictions"][2] == server.predict("loans", GOOD)[1]["prediction"]
    assert [e["row"] for e in answer["errors"]] == [1] and len(answer["errors"][0]["violations"]) == 2


def test_all_records_wrong_is_422(server):
    assert server.predict("loans", {"records": [BAD, BAD]})[0] == 422


def test_json_lines_are_answered_as_predict_writes_them(server, bundle, slipway):
    text = "\n".join(json.dumps(record) for record in [GOOD, BAD, GOOD]) + "\n"
    status, body, _ = server.request("POST", "/predict/loans", text, {"Content-Type": "application/x-ndjson"})
    assert status == 200
    assert body.decode() == slipway("predict", bundle, stdin=text).stdout


def test_csv_is_answered_as_csv(server):
    text = "income,age,purpose,city,applied\n30000,30,car,city-1,2024-03-01T10:00:00\n,30,car,city-1,2024-03-01\n1,3,car,c,2024-01-01\n"
    status, body, headers = server.request("POST", "/predict/loans", text, {"Content-Type": "text/csv"})
    lines = body.decode().splitlines()
    assert status == 200 and headers["Content-Type"].startswith("text/csv")
    assert lines[0] == "probability,default,error" and len(lines) == 4
    assert float(lines[1].split(",")[0]) == server.predict("loans", GOOD)[1]["prediction"]["probability"]
    assert "schema.out_of_range" in lines[3]


@pytest.mark.parametrize(
    "path, body, headers, status",
    [
        ("/predict/loans", "{", {}, 400),
        ("/predict/loans", "[1]", {}, 422),
        ("/predict/none", GOOD, {}, 404),
        ("/predict/loans@9", GOOD, {}, 404),
        ("/predict/loans@1.0.0", GOOD, {}, 200),
        ("/predict/loans@^1.0", GOOD, {}, 200),
        ("/predict/loans", "x", {"Content-Type": "image/png"}, 415),
        ("/nothing", GOOD, {}, 404),
    ],
)
def test_statuses(server, path, body, headers, status):
    got, answer, _ = server.request("POST", path, body, {"Content-Type": "application/json", **headers})
    assert got == status
    if status >= 400:
        assert json.loads(answer)["status"] == status


def test_the_wrong_method_is_405_and_names_the_right_one(server):
    status, _, headers = server.request("GET", "/predict/loans")
    assert status == 405 and "POST" in headers["Allow"]


def test_health_and_models(server):
    assert server.get("/livez")[0] == server.get("/readyz")[0] == 200
    status, text = server.get("/models")
    assert status == 200 and "loans" in text and "1.0.0" in text
    status, text = server.get("/models/loans")
    assert status == 200 and "purpose" in text and "probability" in text
    assert server.get("/models/none")[0] == 404


def test_metrics_count_requests_rows_and_rejections(server):
    def counters():
        text = server.get("/metrics")[1]
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line and line[0] != "#"}

    before = counters()
    server.predict("loans", {"records": [GOOD, BAD]})
    after = counters()
    grown = {name for name in after if after[name] > before.get(name, 0)}
    assert any("rows" in name and 'model="loans"' in name for name in grown)
    assert any("out_of_range" in name or "violation" in name for name in grown)
    assert any("seconds_bucket" in name for name in grown)


def test_log_lines_are_json_with_request_ids(server):
    server.request("POST", "/predict/loans", GOOD, {"X-Request-Id": "find-me"})
    for _ in range(50):
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
        if any(line.get("request_id") == "find-me" for line in lines):
            return
        time.sleep(0.1)
    raise AssertionError("no line with the request id")


def test_several_bundles_are_served_at_once(loans_folder, slipway):
    second = (loans_folder / "loans/slipway.yaml").read_text().replace("version: 1.0.0", "version: 1.1.0")
    import shutil

    shutil.copytree(loans_folder / "loans", slipway.folder / "next")
    slipway.write("next/slipway.yaml", second)
    with slipway.serving(loans_folder / "loans-1.0.0.slipway", "next") as server:
        for reference, version in [("loans@1.0.0", "1.0.0"), ("loans@1.1", "1.1.0"), ("loans", "1.1.0")]:
            assert server.predict(reference, GOOD)[1]["version"] == version


def test_sigterm_finishes_what_was_accepted(bundle, slipway):
    with slipway.serving(bundle, options=["--drain-delay", "2s"]) as server:
        host, port = server.url.removeprefix("http://").split(":")
        body = json.dumps(GOOD).encode()
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"POST /predict/loans HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:10])
            server.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + 1.5
            while server.get("/readyz")[0] == 200 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert server.get("/readyz")[0] == 503
            client.sendall(body[10:])
            assert b"200" in client.recv(65536).split(b"\r\n")[0]


def test_a_taken_port_is_exit_code_3(bundle, slipway):
    with slipway.serving(bundle) as server:
        port = server.url.rsplit(":", 1)[1]
        done = slipway("serve", bundle, "--http", f"127.0.0.1:{port}", expect=3)
        assert port in done.stderr


def test_a_bundle_that_does_not_load_ends_the_start(slipway):
    slipway.write("x/slipway.yaml", "slipway: 1\nname: x\nversion: 1.0.0\nmodel: {engine: onnx, file: model.onnx}\n")
    slipway.write("x/model.onnx", b"no model")
    done = slipway("serve", "x", "--http", "127.0.0.1:0", expect=1)
    assert "model.onnx" in done.stderr


def test_the_program_starts_in_milliseconds():
    best = min(_seconds() for _ in range(10))
    assert best < 0.1, best


def _seconds():
    start = time.perf_counter()
    subprocess.run([PROGRAM, "--version"], check=True, capture_output=True)
    return time.perf_counter() - start
