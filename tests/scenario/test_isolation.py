"""A model in a process of its own crashes, hangs or takes all memory alone: neighbours see nothing, its callers are answered
by its fallback, and it comes back."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest
import requests
from conftest import PROGRAM, loans, until
from faulty_models import SMALLEST, compresses, divides, doubles, grows, logarithm

ISOLATED = ["--isolation", "process"]
DIVIDES, CRASHES = {"a": 84, "b": 2}, {"a": SMALLEST, "b": -1}


def put(slipway, name, model, version="1.0.0", isolation="process", options="", more=""):
    """A bundle in a folder."""
    slipway.write(f"{name}-{version}/model.onnx", model)
    slipway.write(f"{name}-{version}/slipway.yaml",
                  f"slipway: 1\nname: {name}\nversion: {version}\n"
                  f"model: {{engine: onnx, file: model.onnx, isolation: {isolation}{options}}}\n{more}")
    return slipway.folder / f"{name}-{version}"


def ask(server, model, record, **options):
    return requests.post(f"{server.url}/predict/{model}", json=record, timeout=60, **options)


def described(server, model):
    return requests.get(f"{server.url}/models/{model}", timeout=10).json()


def process_of(server, model):
    return described(server, model)["process"]


def answers(server, model, record, expected):
    answer = ask(server, model, record)
    return answer.status_code == 200 and answer.json().get("prediction") == expected and "fallback" not in answer.json()


def children(pid):
    with contextlib.suppress(FileNotFoundError):
        return {int(child) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()}
    return set()


def gone(pid):
    """Ended, if perhaps not yet waited for by whoever adopted it."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def log_lines(server, event):
    return [line for line in map(json.loads, server.log.read_text().splitlines()) if line["event"] == event]


def metric(server, text):
    return [line for line in requests.get(server.url + "/metrics", timeout=10).text.splitlines() if line.startswith(text)]


@pytest.fixture
def neighbour(slipway):
    return put(slipway, "doubles", doubles(), isolation="none")


GOOD = {"x": [1, 2, 3], "t": "AA"}
DOUBLED = {"y": [2.0, 4.0, 6.0], "u": "AA"}


class Load:
    """Calls without a pause from several threads; what they were answered, by `judge`."""

    def __init__(self, server, model, record, judge, threads=3):
        self.seen, self.stop = [], threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(server, model, record, judge)) for _ in range(threads)]

    def run(self, server, model, record, judge):
        session = requests.Session()
        while not self.stop.is_set():
            self.seen.append(judge(session.post(f"{server.url}/predict/{model}", json=record, timeout=60)))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def answer_of(answer):
    return (answer.status_code, json.dumps(answer.json().get("prediction"), sort_keys=True), answer.headers.get("Slipway-Fallback"))


def test_a_killed_model_takes_no_neighbour_along_and_comes_back(slipway, neighbour):
    fallback = "limits: {timeout: 5s}\nfallback: [{constant: {y: -1}}]\n"
    with slipway.serving(put(slipway, "divides", divides(), more=fallback), neighbour) as server:
        with Load(server, "doubles", GOOD, answer_of) as near, Load(server, "divides", DIVIDES, answer_of) as own:
            for _ in range(3):
                before = process_of(server, "divides")
                time.sleep(0.2)
                os.kill(before["pid"], signal.SIGKILL)
                until(lambda: process_of(server, "divides").get("pid") not in (None, before["pid"]))
                until(lambda: answers(server, "divides", DIVIDES, {"y": 42}))
        assert set(near.seen) == {(200, json.dumps(DOUBLED, sort_keys=True), None)}
        right = (200, json.dumps({"y": 42}), None)
        others = {seen for seen in own.seen if seen != right}
        assert right in own.seen
        assert {(status, answer) for status, answer, _ in others} == {(200, json.dumps({"y": -1}))}
        assert all("from=divides@1.0.0" in told for _, _, told in others)
        told = process_of(server, "divides")
        assert told["restarts"] == 3 and told["restarts_by_reason"] == {"signal": 3} and told["up"]
        assert told["last_end"]["reason"] == "signal" and "SIGKILL" in told["last_end"]["message"]
        assert metric(server, "slipway_engine_restarts_total{") == [
            'slipway_engine_restarts_total{model="divides",version="1.0.0",reason="signal"} 3']
        assert metric(server, "slipway_engine_up{") == ['slipway_engine_up{model="divides",version="1.0.0"} 1']
        ended = log_lines(server, "engine.ended")
        assert len(ended) == 3 and all(line["model"] == "divides" and line["reason"] == "signal" for line in ended)


def test_a_record_that_crashes_the_model_is_told_without_a_fallback(slipway, neighbour):
    with slipway.serving(put(slipway, "divides", divides()), neighbour) as server:
        assert answers(server, "divides", DIVIDES, {"y": 42})

        answer = ask(server, "divides", CRASHES)

        assert answer.status_code == 503 and answer.headers["Retry-After"]
        assert answer.json()["code"] == "engine.crashed" and "SIGFPE" in answer.json()["detail"], answer.text
        assert answers(server, "doubles", GOOD, DOUBLED)
        until(lambda: answers(server, "divides", DIVIDES, {"y": 42}))
        # Again and again: it is left alone for longer each time, and callers are told at once.
        for _ in range(3):
            assert ask(server, "divides", CRASHES).json()["code"] == "engine.crashed"
            until(lambda: process_of(server, "divides")["up"])
        assert process_of(server, "divides")["restarts"] >= 3
        until(lambda: answers(server, "divides", DIVIDES, {"y": 42}))


def test_a_stopped_process_holds_the_deadline_and_is_replaced(slipway, neighbour):
    with slipway.serving(put(slipway, "divides", divides(), more="limits: {timeout: 300ms}\n"), neighbour) as server:
        assert answers(server, "divides", DIVIDES, {"y": 42})
        pid = process_of(server, "divides")["pid"]
        os.kill(pid, signal.SIGSTOP)

        begun = time.monotonic()
        answer = ask(server, "divides", DIVIDES)
        took = time.monotonic() - begun

        assert answer.status_code == 504 and answer.json()["code"] == "engine.deadline"
        assert 0.25 < took < 1
        assert answers(server, "doubles", GOOD, DOUBLED)
        until(lambda: process_of(server, "divides").get("restarts_by_reason") == {"hang": 1})
        until(lambda: answers(server, "divides", DIVIDES, {"y": 42}))
        assert gone(pid)


def test_memory_without_end_ends_the_process_that_took_it(slipway, neighbour):
    model = put(slipway, "grows", grows(), options=", batched: false")
    with slipway.serving(model, neighbour, options=["--isolation-memory", "400MiB"]) as server:
        assert answers(server, "grows", {"n": 1000}, {"y": 1000})
        pid = process_of(server, "grows")["pid"]

        answer = ask(server, "grows", {"n": 2**32})

        # Told by ONNX Runtime itself, or by the end of its process: both are of this model alone.
        assert answer.json()["code"] in ("engine.memory", "engine.crashed"), answer.text
        assert answers(server, "doubles", GOOD, DOUBLED)
        until(lambda: answers(server, "grows", {"n": 1000}, {"y": 1000}))
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
        assert int(status.split("VmHWM:")[1].split()[0]) < 400 << 10
        assert process_of(server, "grows")["pid"] != pid or answer.json()["code"] == "engine.memory"


@pytest.mark.parametrize("isolation", ["none", "process"])
def test_what_is_no_number_is_told_by_every_door(slipway, isolation):
    plain = put(slipway, "log", logarithm(), isolation=isolation)
    bounded = put(slipway, "bounded", logarithm(), isolation=isolation, more="outputs: {y: {from: y, min: -5, max: 5}}\n")
    with slipway.serving(plain, bounded) as server:
        for x, y in [(-1, None), (0, None), (1, 0)]:
            answer = ask(server, "log", {"x": x})
            assert answer.status_code == 200 and answer.json()["prediction"] == {"y": y}, answer.text
        tensor = {"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [-1]}]}
        oip = requests.post(server.url + "/v2/models/log/infer", json=tensor, timeout=10).json()
        assert oip["outputs"][0]["data"] == [None]
        tfserving = requests.post(server.url + "/v1/models/log:predict", json={"instances": [[-1]]}, timeout=10)
        assert tfserving.text == '{"predictions":[[NaN]]}'
        mlflow = requests.post(server.url + "/invocations?model=log", json={"inputs": {"x": [[-1]]}}, timeout=10)
        assert mlflow.text == '{"predictions":[[NaN]]}'
        for x, y in [(-1, None), (0, -5), (1, 0)]:
            answer = ask(server, "bounded", {"x": x})
            assert answer.json()["prediction"] == {"y": y}, answer.text


@pytest.mark.parametrize("isolation", ["none", "process"])
def test_a_wrong_shape_is_an_error_of_the_model(slipway, isolation, neighbour):
    with slipway.serving(put(slipway, "compresses", compresses(), isolation=isolation), neighbour) as server:
        assert answers(server, "compresses", {"x": 3}, {"y": 3})
        answer = ask(server, "compresses", {"x": -3})
        assert answer.status_code == 500 and answer.json()["code"] == "engine.output", answer.text
        assert answers(server, "compresses", {"x": 3}, {"y": 3})
        assert answers(server, "doubles", GOOD, DOUBLED)


def test_it_answers_with_the_same_bits(slipway, bundle):
    people = loans(200, 7).drop(columns=["default"]).to_json(orient="records", lines=True)
    strange = [{"x": [1e-42, -0.0, 3.3e38], "t": ""}, {"x": [0.1, 0.2, 0.3], "t": "é\u0001 ä" * 40000}]
    plain = put(slipway, "doubles", doubles(), isolation="none")
    got = []
    for options in ([], ISOLATED):
        with slipway.serving(plain, bundle, options=options) as server:
            assert described(server, "doubles")["isolation"] == ("process" if options else "none")
            scored = requests.post(server.url + "/predict/loans", people, headers={"Content-Type": "application/jsonl"}, timeout=60)
            assert scored.status_code == 200 and scored.text.count('"probability"') == 200
            got.append([ask(server, "doubles", record).json()["prediction"] for record in strange] + scored.text.splitlines())
    assert got[0] == got[1]


def test_no_process_outlives_a_server_that_is_killed(slipway, neighbour):
    model = put(slipway, "divides", divides())
    with slipway.serving(model, neighbour) as server:
        pid = process_of(server, "divides")["pid"]
        assert pid in children(server.process.pid)
        server.process.kill()
        server.process.wait()
        until(lambda: gone(pid))
        server.process.returncode = 0  # it was killed on purpose


def descriptors(pid):
    return sorted(os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{pid}/fd"))


def test_twenty_swaps_leave_no_process_descriptor_or_memory_behind(slipway):
    models = slipway.folder / "models"
    models.mkdir()

    def swap(minor):
        built = put(slipway, "divides", divides(), version=f"1.{minor}.0")
        for old in models.iterdir():
            old.unlink()
        os.symlink(built, models / built.name)
        until(lambda: answers(server, "divides", DIVIDES, {"y": 42})
              and [entry["version"] for entry in described(server, "divides")["versions"]] == [f"1.{minor}.0"])
        until(lambda: len(children(server.process.pid)) == 1)

    with slipway.serving(options=["--watch", models, "--watch-interval", "100ms", "--keep-loaded", "0B"]) as server:
        swap(0)
        swap(1)
        before = descriptors(server.process.pid)
        for minor in range(2, 22):
            swap(minor)
        # A thread that came to run the model later has three for its lane; twenty versions left behind would be sixty.
        until(lambda: len(descriptors(server.process.pid)) <= len(before) + 2 + 3 * 6)


def test_calls_in_flight_at_the_same_time_share_the_process(slipway):
    with slipway.serving(put(slipway, "doubles", doubles()), options=["--runs-at-once", "4"]) as server:
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            records = [{"x": [i, i + 0.5, -i], "t": str(i)} for i in range(400)]
            got = list(pool.map(lambda record: ask(server, "doubles", record).json()["prediction"], records))
        assert got == [{"y": [2 * i, 2 * i + 1, -2 * i], "u": str(i)} for i in range(400)]
        assert described(server, "doubles")["workload"]["runs_on"] == "compute"
        assert len(children(server.process.pid)) == 1


def test_a_model_that_cannot_be_loaded_is_refused_in_the_same_words(slipway):
    model = put(slipway, "divides", b"no model at all")
    ends = []
    for isolation in ("none", "process"):
        done = subprocess.run([PROGRAM, "serve", model, "--http", "127.0.0.1:0", "--isolation", isolation], capture_output=True,
                              text=True, timeout=60)
        ends.append((done.returncode, done.stderr.splitlines()[-1]))
    assert ends[0] == ends[1] and ends[0][0] == 1
