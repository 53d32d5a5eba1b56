"""Hundreds of models in one process: loaded when they are called, and within a budget of memory."""

import concurrent.futures
import http.client
import json
import os
import random
import signal
import socket
import threading
import time

import numpy as np
import onnx
import pytest
from conftest import until
from grpc_client import Client, infer_request
from onnx import TensorProto, helper
from shifts import write_shift

COLD = ("--lazy", "--watch-interval", "20ms")


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def put(models, name, shift, version="1.0.0", **more):
    made = write_shift(models.parent / "made" / f"{name}-{version}-{shift}", name, version, shift, **more)
    os.rename(made, models / made.name)
    return models / made.name


def put_slow(models, name, nodes=4000):
    """A model that adds one, `nodes` times: loading it takes a while, running it does not."""
    folder = put(models, name, 1)
    names = ["x", *(f"t{i}" for i in range(nodes - 1)), "y"]
    graph = helper.make_graph(
        [helper.make_node("Add", [names[i], "one"], [names[i + 1]]) for i in range(nodes)], "slow",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["rows", 1])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["rows", 1])],
        [onnx.numpy_helper.from_array(np.array([1.0]), "one")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder


def serving(slipway, models, *options):
    return slipway.serving(options=["--watch", str(models), *COLD, *options])


def status_of(server, name):
    return next((entry for entry in json.loads(server.get("/models")[1])["bundles"] if entry.get("model") == name), {})


def metric(server, name):
    return sum(float(line.rsplit(" ", 1)[1]) for line in server.get("/metrics")[1].splitlines() if line.startswith(name))


def native(server, name, x):
    status, body = server.post(f"/predict/{name}", json.dumps({"x": x}))
    return json.loads(body)["prediction"]["y"] if status == 200 else (status, body)


def oip(server, name, x):
    tensor = {"name": "x", "datatype": "FP64", "shape": [1, 1], "data": [x]}
    status, body = server.post(f"/v2/models/{name}/infer", json.dumps({"inputs": [tensor]}))
    return json.loads(body)["outputs"][0]["data"][0] if status == 200 else (status, body)


def tfserving(server, name, x):
    status, body = server.post(f"/v1/models/{name}:predict", json.dumps({"instances": [{"x": x}]}))
    return json.loads(body)["predictions"][0] if status == 200 else (status, body)


def over_grpc(server, name, x):
    with Client(server.grpc) as client:
        answer = client.infer(infer_request(name, {"x": ("FP64", np.array([[x]]))}))
    return np.frombuffer(answer.raw_output_contents[0])[0]


def test_two_hundred_models_share_the_memory_of_twenty(slipway, models):
    shifts = {f"m{i}": 1000.0 * i for i in range(200)}
    for name, shift in shifts.items():
        put(models, name, shift)
    seed = int(time.time())
    doors = [native, oip, tfserving, over_grpc]
    with serving(slipway, models, "--models-memory", "20MiB", "--grpc", "127.0.0.1:0", "--max-cold-wait", "60s") as server:
        assert server.get("/readyz")[0] == 200
        assert metric(server, "slipway_versions_cold") == 200
        most = 0

        def call(number):
            chance = random.Random(seed + number)
            # As traffic is: most calls are for few models.
            name = f"m{min(int(chance.expovariate(1 / 40)), 199)}"
            x = chance.randrange(1000)
            return name, x, chance.choice(doors)(server, name, float(x))

        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            for i, (name, x, answer) in enumerate(pool.map(call, range(1200))):
                assert answer == shifts[name] + x, (seed, name, x, answer)
                if i % 50 == 0:
                    most = max(most, metric(server, "slipway_loaded_bytes"))
        evictions, resident = metric(server, "slipway_model_evictions_total"), server.resident()
        print(f"loaded at most {most / 2**20:.0f} MiB, {evictions:.0f} evictions, process {resident / 2**20:.0f} MiB, "
              f"{metric(server, 'slipway_cold_starts_total'):.0f} calls waited")
        assert most <= 2 * 20 * 2**20, "what a version takes is known once it is loaded"
        assert metric(server, "slipway_versions_ready") <= 20
        assert evictions > 20
        assert resident < 400 * 2**20
        assert metric(server, "slipway_model_loads_total{outcome=\"failed\"}") == 0
        # What was counted outlives the eviction.
        assert metric(server, "nv_inference_count") == 1200


def test_fifty_calls_at_once_are_answered_by_one_load(slipway, models):
    put_slow(models, "slow")
    with serving(slipway, models, "--max-cold-wait", "60s") as server:
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda x: native(server, "slow", float(x)), range(50)))
        assert answers == [4000.0 + x for x in range(50)]
        until(lambda: metric(server, "slipway_model_loads_total{outcome=\"ready\"}") >= 1)  # counted once those who waited go on
        assert metric(server, "slipway_model_loads_total{outcome=\"ready\"}") == 1
        status = status_of(server, "slow")
        assert status["state"] == "ready" and status["load_seconds"] > 0 and status["last_used"] and status["bytes"] >= 2**20


def test_past_the_deadline_a_caller_is_told_when_to_come_again(slipway, models):
    put_slow(models, "slow")
    with serving(slipway, models, "--max-cold-wait", "20ms") as server:
        status, body, headers = server.request("POST", "/predict/slow", {"x": 1})
        assert status == 503 and json.loads(body)["code"] == "model.cold"
        assert int(headers["Retry-After"]) >= 1
        until(lambda: status_of(server, "slow")["state"] == "ready")
        assert native(server, "slow", 1.0) == 4001.0


def test_a_version_that_cannot_be_loaded_is_refused_with_the_reason_or_answered_for(slipway, models):
    broken = put(models, "broken", 1)
    (broken / "model.onnx").write_bytes(b"no model")
    other = put(models, "other", 1)
    (other / "model.onnx").write_bytes(b"no model")
    with (other / "slipway.yaml").open("a") as manifest:
        manifest.write("fallback: [{model: fine, on: [load]}, {constant: {y: 7}}]\n")
    put(models, "fine", 100)
    with serving(slipway, models, "--grpc", "127.0.0.1:0") as server:
        for _ in range(3):
            status, body, headers = server.request("POST", "/predict/broken", {"x": 1})
            assert (status, json.loads(body)["code"]) == (503, "model.failed")
            assert "engine.model" in json.loads(body)["detail"]
            assert int(headers["Retry-After"]) >= 1
        until(lambda: metric(server, "slipway_model_loads_total{outcome=\"failed\"}") >= 1)  # counted once those who waited go on
        assert metric(server, "slipway_model_loads_total{outcome=\"failed\"}") == 1
        status, body, headers = server.request("POST", "/predict/other", {"x": 1})
        assert json.loads(body)["prediction"] == {"y": 7.0}  # the other model is not loaded
        assert headers["Slipway-Fallback"] == "reason=load; from=other@1.0.0"
        assert native(server, "fine", 1.0) == 101.0
        assert native(server, "other", 1.0) == 101.0
        assert over_grpc(server, "other", 2.0) == 102.0
        # Mended files are taken up.
        write_shift(models.parent / "mended", "broken", "1.0.0", 5)
        os.replace(models.parent / "mended" / "model.onnx", broken / "model.onnx")
        until(lambda: native(server, "broken", 1.0) == 6.0)


def test_a_failed_load_falls_back_without_lazy_loading_too(slipway, models):
    folder = put(models, "shift", 1, golden='{"record":{"x":1},"prediction":{"y":1000.0}}')
    with (folder / "slipway.yaml").open("a") as manifest:
        manifest.write("fallback: [{constant: {y: 7}}]\n")
    with slipway.serving(options=["--watch", str(models)]) as server:
        status, body = server.post("/predict/shift", '{"x": 1}')
        assert (status, json.loads(body)["fallback"]) == (200, {"reason": "load", "from": "shift@1.0.0"})


def test_a_swap_while_cold_answers_with_the_new_version(slipway, models):
    old = put(models, "shift", 1)
    with serving(slipway, models) as server:
        put(models, "shift", 10, version="1.1.0")
        os.rename(old, models.parent / "away")
        until(lambda: status_of(server, "shift").get("version") == "1.1.0")
        assert status_of(server, "shift")["state"] == "cold"
        assert native(server, "shift", 1.0) == 11.0


def test_a_loaded_version_is_replaced_only_by_a_loaded_one(slipway, models):
    put(models, "shift", 1)
    with serving(slipway, models, "--max-cold-wait", "1ms") as server:
        until(lambda: native(server, "shift", 1.0) == 2.0)
        put(models, "shift", 10, version="1.1.0")
        seen = []
        until(lambda: seen.append(native(server, "shift", 1.0)) or seen[-1] == 11.0)
        assert set(seen) == {2.0, 11.0}


def test_a_client_that_hangs_up_leaves_the_queue(slipway, models):
    put_slow(models, "slow")
    with serving(slipway, models, "--max-cold-queue", "1", "--max-cold-wait", "60s") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as gone:
            gone.sendall(b"POST /predict/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{\"x\":1}")
            until(lambda: status_of(server, "slow").get("waiting") == 1)
            assert server.post("/predict/slow", '{"x": 1}')[0] == 429
        until(lambda: metric(server, "slipway_cold_starts_total{outcome=\"gone\"}") == 1)
        assert native(server, "slow", 1.0) == 4001.0


def test_calls_that_wait_when_the_server_stops_are_answered_or_refused(slipway, models):
    for i in range(4):
        put_slow(models, f"slow{i}")
    with serving(slipway, models, "--max-cold-wait", "60s", "--drain-timeout", "2s") as server:
        answers = []

        def call(number):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            connection.request("POST", f"/predict/slow{number % 4}", '{"x": 1}')
            answer = connection.getresponse()
            answers.append((answer.status, json.loads(answer.read())))

        callers = [threading.Thread(target=call, args=(number,)) for number in range(20)]
        for caller in callers:
            caller.start()
        until(lambda: sum(status_of(server, f"slow{i}").get("waiting", 0) for i in range(4)) > 8)
        server.process.send_signal(signal.SIGTERM)
        for caller in callers:
            caller.join()
        assert len(answers) == 20
        assert all((status == 200 and answer["prediction"]["y"] == 4001.0) or (status == 503 and answer["code"] == "model.cold")
                   for status, answer in answers), answers


def test_the_repository_api_loads_now(slipway, models):
    put(models, "shift", 1)
    put(models, "idle", 1)
    with serving(slipway, models, "--admin", "127.0.0.1:0") as server:
        index = {entry["name"]: (entry["state"], entry["reason"]) for entry in json.loads(server.post("/v2/repository/index")[1])}
        assert index == {"shift": ("UNAVAILABLE", "cold"), "idle": ("UNAVAILABLE", "cold")}
        assert server.admin.post("/v2/repository/models/shift/load")[0] == 200
        assert status_of(server, "shift")["state"] == "ready" and status_of(server, "idle")["state"] == "cold"
        assert server.admin.post("/v2/repository/models/idle/unload")[0] == 200
        assert native(server, "idle", 1.0)[0] == 404
        assert server.admin.post("/v2/repository/models/idle/load")[0] == 200
        assert native(server, "idle", 1.0) == 2.0


def test_a_model_larger_than_the_memory_is_loaded_alone_and_said_so(slipway, models):
    put(models, "a", 1)
    put(models, "b", 2)
    with serving(slipway, models, "--models-memory", "512KiB") as server:
        for _ in range(3):
            assert (native(server, "a", 1.0), native(server, "b", 1.0)) == (2.0, 3.0)
            assert metric(server, "slipway_versions_ready") == 1
        assert "model.past_memory" in server.log.read_text()


def test_the_memory_of_models_needs_lazy_loading(slipway, models):
    put(models, "a", 1)
    done = slipway("serve", "--watch", models, "--models-memory", "1GiB", expect=2)
    assert "--lazy" in done.stderr
