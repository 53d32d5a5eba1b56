"""`slipway serve --grpc`: deadlines, cancelled calls, limits, floods, the end, and what the operator sees of it."""

import json
import signal
import socket
import threading
import time

import grpc
import numpy as np
import pytest
from collector import Collector, attributes
from conftest import PROGRAM, ROOT, until
from faulty_models import logarithm
from grpc_client import HEALTH, INFERENCE, PREDICTION, PREFACE, Client, data, frame, headers, infer_request, message, reset, settings
from onnx import TensorProto, helper, numpy_helper

PLAIN = "slipway: 1\nname: {name}\nversion: 1.2.3\nlimits: {{max_batch_rows: 4096}}\nmodel: {{engine: onnx, file: model.onnx}}\n"
WIDTH = 1024


def chain(layers):
    """x · w · w · …: about a tenth of a second a layer for 4096 rows."""
    weights = np.eye(WIDTH, dtype=np.float32)
    names = ["x", *[f"h{i}" for i in range(layers - 1)], "y"]
    nodes = [helper.make_node("MatMul", [a, "w"], [b]) for a, b in zip(names, names[1:])]
    graph = helper.make_graph(
        nodes, "chain", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", WIDTH])], [numpy_helper.from_array(weights, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


@pytest.fixture
def models(slipway):
    for name, layers in (("quick", 1), ("slow", 12)):
        slipway.write(f"{name}/slipway.yaml", PLAIN.format(name=name))
        slipway.write(f"{name}/model.onnx", chain(layers))
    return ("quick", "slow")


def serving(slipway, models, *options):
    return slipway.serving(*models, options=["--grpc", "127.0.0.1:0", "--threads", "1", *options])


def request(model, rows=1, **fields):
    return infer_request(model, {"x": ("FP32", np.ones((rows, WIDTH), np.float32))}, **fields)


def slow():
    return request("slow", 2048)


def code(call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **options)
    return caught.value.code().name, caught.value.details()


def series(server, name):
    text = server.get("/metrics")[1]
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def log_lines(server, event="request"):
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


def test_a_call_is_logged_and_counted_under_its_door(slipway, models):
    with serving(slipway, models) as server, Client(server.grpc) as client:
        assert client.infer(request("quick"), metadata=[("x-request-id", "one")]).model_version == "1.2.3"
        assert code(client.infer, request("none"), metadata=[("x-request-id", "two")])[0] == "NOT_FOUND"
        until(lambda: len(log_lines(server)) >= 2)
        one, two = log_lines(server)[:2]
        assert (one["request_id"], one["path"], one["door"], one["model"], one["grpc_status"], one["status"]) == (
            "one", f"/{INFERENCE}/ModelInfer", "grpc", "quick", 0, 200)
        assert (two["request_id"], two["grpc_status"], two["status"], two["code"]) == ("two", 5, 404, "model.unknown")
        assert series(server, 'slipway_predictions_total{model="quick",version="1.2.3",door="grpc",outcome="ok"}') == 1
        assert series(server, f'slipway_grpc_requests_total{{door="grpc",method="{INFERENCE}/ModelInfer",code="OK"}}') == 1
        assert series(server, f'slipway_grpc_requests_total{{door="grpc",method="{INFERENCE}/ModelInfer",code="NOT_FOUND"}}') == 1


def test_the_program_opens_the_module_only_when_asked(slipway, models):
    def maps(server):
        return (ROOT / f"/proc/{server.process.pid}/maps").read_text()

    with slipway.serving("quick") as server:
        assert "libgrpc" not in maps(server) and "libslipway_grpc" not in maps(server)
    with serving(slipway, models) as server:
        assert "libgrpc++" in maps(server)


def test_without_its_module_the_program_says_what_to_install(slipway, models):
    import os
    import subprocess

    done = subprocess.run([PROGRAM, "serve", "quick", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"], cwd=slipway.folder, text=True, capture_output=True,
                          timeout=60, env={**os.environ, "SLIPWAY_GRPC": "/nowhere/libslipway_grpc.so"})
    assert done.returncode == 3
    assert "libgrpc++" in done.stderr and "apt install" in done.stderr


def test_a_deadline_ends_a_call(slipway, models):
    with serving(slipway, models) as server, Client(server.grpc) as client:
        started = time.monotonic()
        assert code(client.infer, slow(), timeout=0.2)[0] == "DEADLINE_EXCEEDED"
        assert time.monotonic() - started < 2
        until(lambda: [line for line in log_lines(server) if line.get("model") == "slow"])
        assert [line["grpc_status"] for line in log_lines(server) if line.get("model") == "slow"][0] in (1, 4)  # who noticed first
        assert series(server, 'slipway_predictions_total{model="slow",version="1.2.3",door="grpc",outcome="ok"}') == 0


def test_heavy_calls_do_not_hold_others_up(slipway, models):
    with serving(slipway, models) as server, Client(server.grpc) as client:
        busy = client.method(f"{INFERENCE}/ModelInfer").future(slow())
        time.sleep(0.1)
        assert client.infer(request("quick"), timeout=5).model_name == "quick"
        assert not busy.done()
        assert busy.result().model_name == "slow" and dict(busy.initial_metadata())["slipway-model"] == "slow"
        stream = client.method(f"{INFERENCE}/ModelStreamInfer")(iter([request("slow", 64, id=str(i)) for i in range(3)]))
        assert [answer.infer_response.id for answer in stream] == ["0", "1", "2"]
        until(lambda: len(log_lines(server)) >= 5)
        assert [line["grpc_status"] for line in log_lines(server)] == [0] * 5


def test_calls_taken_back_are_not_computed(slipway, models):
    with serving(slipway, models, "--runs-at-once", "1") as server, Client(server.grpc) as client:
        infer = client.method(f"{INFERENCE}/ModelInfer")
        first = infer.future(slow())
        time.sleep(0.2)
        others = [infer.future(slow()) for _ in range(10)]
        time.sleep(0.2)
        for other in others:
            other.cancel()
        assert first.result().model_name == "slow"
        assert client.infer(request("quick")).model_name == "quick"
        assert series(server, 'slipway_predictions_total{model="slow",version="1.2.3",door="grpc",outcome="ok"}') == 1


def test_messages_past_the_limit_are_refused(slipway, models):
    with serving(slipway, models, "--max-body", "1MiB") as server:
        with Client(server.grpc) as client:
            status, text = code(client.infer, request("quick", 512))
            assert status == "RESOURCE_EXHAUSTED" and "larger" in text
            assert client.infer(request("quick", 64)).model_name == "quick"
            big = [("big", "x" * 60_000)]
            assert code(client.infer, request("quick"), metadata=big)[0] == "RESOURCE_EXHAUSTED"
        with Client(server.grpc) as client:  # the library may end the connection with it
            assert client.infer(request("quick")).model_name == "quick"


def connect(server):
    host, port = server.grpc.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(PREFACE + settings())
    return connection


def read_all(connection):
    """What comes until the server closes."""
    text = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            return text
        if not piece:
            return text
        text += piece


def send(connection, text):
    try:
        connection.sendall(text)
        return True
    except OSError:
        return False


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::]:0"])  # where a peer of IPv4 has two names
def test_a_connection_that_takes_back_call_after_call_is_cut(slipway, models, address):
    with slipway.serving(*models, options=["--grpc", address, "--threads", "1", "--max-grpc-resets", "20"]) as server:
        server.grpc = "127.0.0.1:" + server.grpc.rsplit(":", 1)[1]
        cut_off(server)


def cut_off(server):
    with Client(server.grpc) as client:
        assert client.infer(request("quick")).model_name == "quick"
        flood = connect(server)
        drain = threading.Thread(target=read_all, args=(flood,))
        drain.start()
        stream, sent = 1, True
        end = time.monotonic() + 20
        while sent and time.monotonic() < end:
            burst = b"".join(headers(s, f"{INFERENCE}/ModelInfer") + reset(s) for s in range(stream, stream + 200, 2))
            sent = send(flood, burst)
            stream += 200
            assert client.infer(request("quick"), timeout=10).model_name == "quick"
        drain.join(timeout=20)
        assert not drain.is_alive(), "the connection was not cut"
        assert series(server, "slipway_grpc_connections_cut_total") == 1
        assert log_lines(server, "grpc.connection_cut")
        assert client.infer(request("quick")).model_name == "quick"


def test_a_client_may_take_back_calls_now_and_then(slipway, models):
    with serving(slipway, models) as server, Client(server.grpc) as client:
        infer = client.method(f"{INFERENCE}/ModelInfer")
        for _ in range(100):
            infer.future(request("quick")).cancel()
        assert client.infer(request("quick")).model_name == "quick"
        assert series(server, "slipway_grpc_connections_cut_total") == 0


def test_pings_in_quick_succession_end_the_connection(slipway, models):
    with serving(slipway, models) as server:
        connection = connect(server)
        for i in range(20):
            if not send(connection, frame(6, 0, 0, i.to_bytes(8, "big"))):
                break
            time.sleep(0.01)
        assert b"too_many_pings" in read_all(connection)


def test_connections_are_bounded(slipway, models):
    with serving(slipway, models, "--max-connections-per-address", "3") as server:
        held = [connect(server) for _ in range(3)]
        assert all(c.recv(9) for c in held)
        assert read_all(connect(server)) == b""
        assert series(server, 'slipway_grpc_connections_refused_total{listener="serve",reason="too_many_of_address"}') == 1
        held.pop().close()
        until(lambda: series(server, "slipway_grpc_connections{") == 2)
        with Client(server.grpc) as client:
            assert client.infer(request("quick")).model_name == "quick"


def test_a_connection_that_says_nothing_is_closed(slipway, models):
    with serving(slipway, models, "--header-timeout", "500ms") as server:
        host, port = server.grpc.rsplit(":", 1)
        silent = socket.create_connection((host, int(port)), timeout=10)
        started = time.monotonic()
        assert read_all(silent) is not None and time.monotonic() - started < 5


def test_rubbish_does_no_harm(slipway, models):
    random = np.random.default_rng(3)
    with serving(slipway, models) as server, Client(server.grpc) as client:
        for i in range(60):
            connection = connect(server) if i % 2 else socket.create_connection(server.grpc.rsplit(":", 1), timeout=20)
            send(connection, random.bytes(300))
            if i % 3 == 0:
                send(connection, headers(1, f"{INFERENCE}/ModelInfer") + data(1, random.bytes(50)))
            connection.close()
        assert client.infer(request("quick")).model_name == "quick"


def test_accepted_calls_finish_and_streams_end_when_the_server_is_stopped(slipway, models):
    with serving(slipway, models, "--drain-delay", "300ms") as server, Client(server.grpc) as client:
        health = client.method(f"{HEALTH}/Watch")(message("grpc.health.v1.HealthCheckRequest")())
        assert next(health).status == 1
        requests = iter([request("quick")])
        hold = threading.Event()

        def waiting():
            yield from requests
            hold.wait(30)

        stream = client.method(f"{INFERENCE}/ModelStreamInfer")(waiting())
        assert next(stream).infer_response.model_name == "quick"
        accepted = client.method(f"{INFERENCE}/ModelInfer").future(slow())
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        assert next(health).status == 2
        assert accepted.result(timeout=20).model_name == "slow"
        assert code(next, stream)[0] == "UNAVAILABLE"
        assert code(next, health)[0] == "UNAVAILABLE"
        hold.set()
        assert server.process.wait(timeout=20) == 0


def test_calls_that_do_not_end_are_cut_at_the_timeout(slipway, models):
    with serving(slipway, models, "--drain-timeout", "500ms") as server, Client(server.grpc) as client:
        hold = threading.Event()

        def never():
            hold.wait(30)
            yield request("quick")

        upload = client.channel.stream_unary(f"/{INFERENCE}/ModelInfer", lambda r: r.SerializeToString(), bytes).future(never())
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        assert server.process.wait(timeout=20) == 0
        assert time.monotonic() - started < 5
        hold.set()
        upload.cancel()


def test_unix_sockets_carry_grpc(slipway, models):
    with slipway.serving(*models, options=["--grpc", "unix:rpc.sock", "--grpc", "127.0.0.1:0"]) as server:
        with Client(f"unix:{slipway.folder}/rpc.sock") as client:
            assert client.infer(request("quick")).model_name == "quick"
        until(lambda: [line for line in log_lines(server) if line["remote"] == "unix"])


def test_observing_may_be_kept_to_the_admin_listener(slipway, models):
    options = ["--admin", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--grpc-admin", "127.0.0.1:0", "--observe-on", "admin"]
    with slipway.serving("quick", options=options) as server, Client(server.grpc) as client, Client(server.grpc_admin) as operator:
        metadata = message("inference.ServerMetadataRequest")()
        assert code(client.method(f"{INFERENCE}/ServerMetadata"), metadata)[0] == "UNIMPLEMENTED"
        assert operator.method(f"{INFERENCE}/ServerMetadata")(metadata).name == "slipway"
        assert client.infer(request("quick")).model_name == "quick"
        assert code(operator.infer, request("quick"))[0] == "UNIMPLEMENTED"


def test_an_admin_listener_for_everybody_is_refused(slipway, models):
    done = slipway("serve", "quick", "--grpc-admin", "0.0.0.0:0", expect=2)
    assert "could use it" in done.stderr


def test_an_address_that_is_taken_is_told(slipway, models):
    with serving(slipway, models) as server:
        done = slipway("serve", "quick", "--http", "127.0.0.1:0", "--grpc", server.grpc, expect=3)
        assert "in use" in done.stderr


def log_request(value, **fields):
    return infer_request("log", {"x": ("FP32", np.array([[value]], np.float32))}, **fields)


@pytest.fixture
def log_model(slipway):
    slipway.write("log/slipway.yaml", "slipway: 1\nname: log\nversion: 1.0.0\nmodel: {engine: onnx, file: model.onnx}\n"
                                      "fallback: [{constant: {y: 7}}]\n")
    slipway.write("log/model.onnx", logarithm())
    return "log"


def test_a_fallback_is_told_in_metadata_and_trailers(slipway, log_model):
    with serving(slipway, [log_model]) as server, Client(server.grpc) as client:
        hurry = log_request(1)
        hurry.parameters["timeout"].int64_param = 1
        answer, call = client.method(f"{INFERENCE}/ModelInfer").with_call(hurry, timeout=20)
        assert np.frombuffer(answer.raw_output_contents[0], np.float32) == [7]
        told = ("slipway-fallback", "reason=timeout; from=log@1.0.0")
        assert told in [tuple(field) for field in call.initial_metadata()]
        assert told in [tuple(field) for field in call.trailing_metadata()]
        _, call = client.method(f"{INFERENCE}/ModelInfer").with_call(log_request(1), timeout=20)
        assert "slipway-fallback" not in dict(call.trailing_metadata())


def test_what_is_refused_in_a_stream_is_told_with_its_id(slipway, log_model):
    asked = [log_request(1, id="1"), log_request(1, id="2"), log_request(1, id="3"), log_request(1, id="4")]
    asked[1].model_name = "nobody"
    asked[2].model_version = "9"
    with serving(slipway, [log_model]) as server, Client(server.grpc) as client:
        answers = list(client.method(f"{INFERENCE}/ModelStreamInfer")(iter(asked), timeout=20))
    assert [answer.infer_response.id for answer in answers] == ["1", "2", "3", "4"]
    assert [bool(answer.error_message) for answer in answers] == [False, True, True, False]


def test_models_that_go_are_let_go_of(slipway, models):
    with slipway.serving(*models, options=["--grpc", "127.0.0.1:0", "--grpc-admin", "127.0.0.1:0", "--keep-loaded", "0B"]) as server:
        with Client(server.grpc) as client, Client(server.grpc_admin) as operator:
            assert client.infer(request("quick")).model_name == "quick"
            unload = message("inference.RepositoryModelUnloadRequest")(model_name="quick")
            operator.method(f"{INFERENCE}/RepositoryModelUnload")(unload)
            assert code(client.infer, request("quick"))[0] == "NOT_FOUND"
            until(lambda: log_lines(server, "model.unloaded"), what=server.log.read_text())


def test_tensorflow_serving_is_counted_under_its_own_door(slipway, models):
    with serving(slipway, models) as server, Client(server.grpc) as client:
        asked = message("tensorflow.serving.PredictRequest")()
        asked.model_spec.name = "quick"
        tensor = asked.inputs["x"]
        tensor.dtype = 1
        for size in (1, WIDTH):
            tensor.tensor_shape.dim.add(size=size)
        tensor.float_val.append(2)
        answer = client.method(f"{PREDICTION}/Predict")(asked)
        assert list(answer.outputs["y"].float_val) == [2.0] * WIDTH
        assert series(server, 'slipway_predictions_total{model="quick",version="1.2.3",door="tfserving_grpc",outcome="ok"}') == 1


def test_the_log_holds_nothing_that_a_caller_sent_in_a_message(slipway, models):
    secret = "ssn-078-05-1120"
    with serving(slipway, models, "--log-level", "debug") as server, Client(server.grpc) as client:
        for asked in (request(secret), request("quick", id=secret), infer_request("quick", {secret: ("BYTES", [secret])}),
                      infer_request("quick", {"x": (secret, np.ones((1, WIDTH), np.float32))})):
            try:
                client.infer(asked)
            except grpc.RpcError:
                pass
        until(lambda: len(log_lines(server)) >= 4)
        assert secret not in server.log.read_text()


def test_a_sampled_call_is_a_span_of_rpc(slipway, models):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with Collector() as collector, serving(slipway, models, "--otlp-endpoint", collector.url) as server, Client(server.grpc) as client:
        answer, call = client.method(f"{INFERENCE}/ModelInfer").with_call(
            request("quick"), metadata=[("traceparent", f"00-{trace}-00f067aa0ba902b7-01"), ("x-request-id", "find-me")])
        (span,) = collector.wait_for(1)
        assert span.name == f"{INFERENCE}/ModelInfer"
        assert span.trace_id.hex() == trace and span.parent_span_id.hex() == "00f067aa0ba902b7"
        assert dict(call.initial_metadata())["traceresponse"] == f"00-{trace}-{span.span_id.hex()}-01"
        assert attributes(span).items() >= {
            "rpc.system": "grpc", "rpc.service": INFERENCE, "rpc.method": "ModelInfer", "rpc.grpc.status_code": 0, "slipway.door": "grpc",
            "slipway.model.name": "quick", "slipway.request.id": "find-me", "slipway.rows": 1}.items()
        assert [part.name for part in collector.spans() if part.kind == 1][-1] == "encode"
