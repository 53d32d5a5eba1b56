"""NVIDIA's tritonclient over gRPC: every call but those for shared memory, plain, asyncio and streaming."""

import asyncio
import queue

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from conftest import PLAIN_WEIGHTS
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc
from tritonclient.utils import InferenceServerException

X = np.array([[1, 2, 3, 4], [0.5, 0, -1, 8]], np.float32)
TRIPS = {
    "distance": (np.array([[10], [250.5]]), "FP64"),
    "stops": (np.array([[2], [0]], np.int64), "INT64"),
    "night": (np.array([[True], [False]]), "BOOL"),
    "city": (np.array([["rome"], ["bern"]], np.object_), "BYTES"),
    "start": (np.array([["2024-05-01T23:00:00Z"], ["2024-05-02"]], np.object_), "BYTES"),
}


def tensor(name, values, datatype):
    given = triton.InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values)
    return given


def trips(**replaced):
    return [tensor(name, replaced.get(name, values), datatype) for name, (values, datatype) in TRIPS.items()]


def x(values=X):
    return [tensor("x", values, "FP32")]


@pytest.fixture
def client(served):
    with triton.InferenceServerClient(served.grpc) as made:
        yield made


@pytest.fixture
def stub(served):
    with grpc.insecure_channel(served.grpc) as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def test_the_server_and_its_models_are_live_and_ready(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("plain") and client.is_model_ready("plain", "1.4.2")
    assert not client.is_model_ready("nothing") and not client.is_model_ready("plain", "9")


def test_only_what_is_implemented_is_announced(client):
    metadata = client.get_server_metadata()
    assert metadata.name == "slipway" and metadata.version
    assert set(metadata.extensions) == {"binary_tensor_data", "classification", "model_configuration", "statistics"}


def test_metadata_and_configuration(client):
    metadata = client.get_model_metadata("plain")
    assert (metadata.name, list(metadata.versions), metadata.platform) == ("plain", ["1.4.2"], "slipway_onnx")
    assert [(i.name, i.datatype, list(i.shape)) for i in metadata.inputs] == [("x", "FP32", [-1, 4])]
    assert [(o.name, o.datatype, list(o.shape)) for o in metadata.outputs] == [("y", "FP32", [-1, 3])]
    config = client.get_model_config("trips").config
    assert config.max_batch_size == 4096 and config.backend == "slipway"
    assert [i.name for i in config.input] == list(TRIPS)
    assert [i.name for i in config.input if i.optional] == ["start"]
    assert list(config.input[0].dims) == [1] and config.input[0].data_type == 12
    assert config.version_policy.WhichOneof("policy_choice") == "all" and not config.model_transaction_policy.decoupled
    assert client.get_model_config("trips", as_json=True)["config"]["name"] == "trips"


@pytest.mark.parametrize("version", ["1.4.2", "1.4", "1", "^1.2", "stable", "1004002"])
def test_versions_may_be_named_in_every_way(client, version):
    assert client.infer("plain", x(), version).get_response().model_version == "1.4.2"


def test_tensors_in_and_out(client):
    result = client.infer("plain", x(), request_id="r-1", outputs=[triton.InferRequestedOutput("y")])
    np.testing.assert_array_equal(result.as_numpy("y"), X @ PLAIN_WEIGHTS)
    answer = result.get_response()
    assert (answer.id, answer.model_name, answer.model_version) == ("r-1", "plain", "1.4.2")
    assert len(answer.raw_output_contents) == len(answer.outputs) == 1 and not answer.outputs[0].HasField("contents")


def test_columns_of_every_type(client):
    result = client.infer("trips", trips())
    np.testing.assert_array_equal(result.as_numpy("cost").ravel(), [35.0, 126.25])
    assert result.as_numpy("dear").ravel().tolist() == [False, True]


def test_outputs_are_selected_and_ordered(client):
    wanted = [triton.InferRequestedOutput("dear"), triton.InferRequestedOutput("cost")]
    result = client.infer("trips", trips(), outputs=wanted)
    assert [o.name for o in result.get_response().outputs] == ["dear", "cost"]
    np.testing.assert_array_equal(result.as_numpy("cost").ravel(), [35.0, 126.25])


@pytest.mark.parametrize("dtype, name", [(np.float64, "FP64"), (np.float16, "FP16"), (np.int8, "INT8"), (np.uint64, "UINT64")])
def test_other_datatypes_convert(client, dtype, name):
    values = np.array([[1, 2, 3, 4]], dtype)
    np.testing.assert_array_equal(client.infer("plain", [tensor("x", values, name)]).as_numpy("y"), np.float32([[1, 2, 3, 4]]) @ PLAIN_WEIGHTS)


CONTENTS = {"BOOL": "bool_contents", "INT8": "int_contents", "INT32": "int_contents", "INT64": "int64_contents", "UINT8": "uint_contents",
            "UINT64": "uint64_contents", "FP32": "fp32_contents", "FP64": "fp64_contents"}


@pytest.mark.parametrize("datatype", CONTENTS)
def test_typed_contents(stub, datatype):
    request = pb.ModelInferRequest(model_name="plain")
    given = request.inputs.add(name="x", datatype=datatype, shape=[1, 4])
    values = [True, False, True, False] if datatype == "BOOL" else [1, 2, 3, 4]
    getattr(given.contents, CONTENTS[datatype]).extend(values)
    if datatype == "BOOL":
        with pytest.raises(grpc.RpcError) as caught:
            stub.ModelInfer(request)
        assert "schema.wrong_type" in caught.value.details()
        return
    answer = stub.ModelInfer(request)
    np.testing.assert_array_equal(np.frombuffer(answer.raw_output_contents[0], np.float32), np.float32([1, 2, 3, 4]) @ PLAIN_WEIGHTS)


def test_classification(client):
    classes = client.infer("plain", x(), outputs=[triton.InferRequestedOutput("y", class_count=2)]).as_numpy("y")
    scores = X @ PLAIN_WEIGHTS
    for row in range(2):
        parts = [text.decode().split(":") for text in classes[row]]
        assert [int(index) for _, index in parts] == np.argsort(-scores[row])[:2].tolist()
        assert [np.float32(value) for value, _ in parts] == sorted(scores[row])[:0:-1]


def failure(call, *arguments, **options):
    with pytest.raises(InferenceServerException) as caught:
        call(*arguments, **options)
    return caught.value.status(), caught.value.message()


def test_errors_have_their_codes(client):
    status, message = failure(client.infer, "trips", trips(distance=np.array([[10], [-5.0]])))
    assert status == "StatusCode.INVALID_ARGUMENT"
    for word in ["row 1", "distance", "schema.out_of_range", "min 0"]:
        assert word in message
    assert failure(client.infer, "nothing", x())[0] == "StatusCode.NOT_FOUND"
    assert failure(client.infer, "plain", x(), "7") [0] == "StatusCode.NOT_FOUND"
    assert "takes shape [-1,4]" in failure(client.infer, "plain", x(X[:, :3]))[1]
    assert "no output" in failure(client.infer, "plain", x(), outputs=[triton.InferRequestedOutput("z")])[1]
    assert "no input" in failure(client.infer, "plain", [tensor("z", X, "FP32")])[1]
    assert "at most 4096" in failure(client.infer, "plain", x(np.zeros((5000, 4), np.float32)))[1]


def test_broken_tensors_are_told(stub):
    def refused(change):
        request = pb.ModelInferRequest(model_name="plain")
        request.inputs.add(name="x", datatype="FP32", shape=[1, 4])
        request.raw_input_contents.append(np.zeros(4, np.float32).tobytes())
        change(request)
        with pytest.raises(grpc.RpcError) as caught:
            stub.ModelInfer(request)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        return caught.value.details()

    assert "has 16 bytes, but 3 came" in refused(lambda r: r.raw_input_contents.__setitem__(0, b"abc"))
    assert "raw_input_contents has 2 tensors" in refused(lambda r: r.raw_input_contents.append(b""))
    assert "negative" in refused(lambda r: r.inputs[0].shape.__setitem__(0, -1))
    assert "no datatype" in refused(lambda r: setattr(r.inputs[0], "datatype", "FLOAT"))
    assert "both contents" in refused(lambda r: r.inputs[0].contents.fp32_contents.append(1))
    assert "more than once" in refused(lambda r: (r.inputs.add().CopyFrom(r.inputs[0]), r.raw_input_contents.append(r.raw_input_contents[0])))
    assert "at most 16 dimensions" in refused(lambda r: r.inputs[0].shape.extend([1] * 20))


def test_a_timeout_is_a_deadline(client):
    big = x(np.zeros((4096, 4), np.float32))
    assert failure(client.infer, "plain", big, timeout=1)[0] == "StatusCode.DEADLINE_EXCEEDED"
    assert client.infer("plain", x(), priority=1, timeout=60_000_000)


def test_compressed_requests(client):
    result = client.infer("plain", x(np.ones((1000, 4), np.float32)), compression_algorithm="gzip")
    np.testing.assert_array_equal(result.as_numpy("y")[999], np.ones(4, np.float32) @ PLAIN_WEIGHTS)
    assert client.infer("plain", x(), compression_algorithm="deflate").as_numpy("y").shape == (2, 3)


def test_a_small_message_that_unpacks_to_a_huge_one_is_refused(served):
    bomb = pb.ModelInferRequest(model_name="plain", raw_input_contents=[bytes(32 << 20)])
    with grpc.insecure_channel(served.grpc) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(bomb, compression=grpc.Compression.Gzip)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_what_answered_is_told_in_metadata(served):
    with grpc.insecure_channel(served.grpc) as channel:
        call = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer.with_call
        request = pb.ModelInferRequest(model_name="plain")
        request.inputs.add(name="x", datatype="FP32", shape=[2, 4])
        request.raw_input_contents.append(X.tobytes())
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        _, done = call(request, metadata=[("x-request-id", "mine-1"), ("traceparent", trace)])
    metadata = dict(done.initial_metadata())
    assert metadata["slipway-model"] == "plain" and metadata["slipway-version"] == "1.4.2"
    assert metadata["x-request-id"] == "mine-1" and metadata["traceresponse"].startswith("00-0af7651916cd43dd8448eb211c80319c-")


def test_statistics_count_what_was_asked(client):
    def read():
        return client.get_inference_statistics("plain", "1.4.2").model_stats[0]

    before = read()
    client.infer("plain", x())
    failure(client.infer, "plain", x(X[:, :3]))
    after = read()
    for name in ("success", "fail", "queue", "compute_infer"):
        assert getattr(after.inference_stats, name).count - getattr(before.inference_stats, name).count == 1
    assert after.inference_count - before.inference_count == 2 and after.last_inference > 1.6e12
    assert {s.name for s in client.get_inference_statistics().model_stats} == {"plain", "trips"}


def test_the_repository_is_changed_on_the_admin_listener_alone(client, served):
    index = client.get_model_repository_index().models
    assert {(m.name, m.version, m.state) for m in index} == {("plain", "1.4.2", "READY"), ("trips", "2.0.0", "READY")}
    for change in (client.load_model, client.unload_model):
        status, message = failure(change, "plain")
        assert status == "StatusCode.UNIMPLEMENTED" and "admin listener" in message
    with triton.InferenceServerClient(served.grpc_admin) as operator:
        operator.unload_model("plain")
        assert not client.is_model_ready("plain") and client.is_model_ready("trips")
        assert [m.state for m in operator.get_model_repository_index().models if m.name == "plain"] == ["UNAVAILABLE"]
        operator.load_model("plain")
        assert client.is_model_ready("plain")
        assert failure(operator.load_model, "nothing")[0] == "StatusCode.NOT_FOUND"
        assert "as they were packed" in failure(operator.load_model, "plain", config="{}")[1]
        assert failure(operator.infer, "plain", x())[0] == "StatusCode.UNIMPLEMENTED"


def test_settings_can_be_looked_at_and_shared_memory_does_not_exist(client):
    assert client.get_trace_settings("plain").settings["trace_level"].value == ["OFF"]
    assert client.get_log_settings().settings["log_info"].bool_param is True
    assert failure(client.update_log_settings, {"log_verbose_level": 1})[0] == "StatusCode.UNIMPLEMENTED"
    assert failure(client.update_trace_settings, None, {"trace_rate": "1"})[0] == "StatusCode.UNIMPLEMENTED"
    for call in (client.get_system_shared_memory_status, client.get_cuda_shared_memory_status):
        assert failure(call)[0] == "StatusCode.UNIMPLEMENTED"
    assert failure(client.register_system_shared_memory, "r", "/k", 64)[0] == "StatusCode.UNIMPLEMENTED"
    given = triton.InferInput("x", [1, 4], "FP32")
    given.set_shared_memory("r", 16)
    status, message = failure(client.infer, "plain", [given])
    assert status == "StatusCode.UNIMPLEMENTED" and "no shared memory" in message


def test_a_stream_answers_in_order_and_outlives_errors(client):
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for i in range(20):
        client.async_stream_infer("plain", x(X * i) if i != 7 else x(X[:, :3]), request_id=str(i))
    for i in range(20):
        result, error = answers.get(timeout=30)
        if i == 7:
            assert "takes shape" in error.message()
        else:
            assert result.get_response().id == str(i)
            np.testing.assert_array_equal(result.as_numpy("y"), (X * i) @ PLAIN_WEIGHTS)
    client.stop_stream()


def test_a_stream_tells_which_answer_is_the_last_of_a_request(client):
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    client.async_stream_infer("plain", x(), enable_empty_final_response=True)
    result, error = answers.get(timeout=30)
    assert error is None and result.get_response().parameters["triton_final_response"].bool_param is True
    client.stop_stream()


def test_asynchronous_calls(client):
    answers = queue.Queue()
    for i in range(20):
        client.async_infer("plain", x(X * i), callback=lambda result, error: answers.put((result, error)), request_id=str(i))
    for _ in range(20):
        result, error = answers.get(timeout=30)
        assert error is None
        np.testing.assert_array_equal(result.as_numpy("y"), (X * int(result.get_response().id)) @ PLAIN_WEIGHTS)


def test_asyncio(served):
    async def ask():
        async with triton_aio.InferenceServerClient(served.grpc) as client:
            assert await client.is_server_live() and await client.is_model_ready("plain")
            assert (await client.get_model_config("plain")).config.max_batch_size == 4096

            async def requests():
                for i in range(5):
                    yield {"model_name": "plain", "inputs": x(X * i), "request_id": str(i)}

            streamed = [(result, error) async for result, error in client.stream_infer(requests())]
            return streamed, await asyncio.gather(*(client.infer("plain", x(X * i)) for i in range(20)))

    streamed, results = asyncio.run(ask())
    assert [result.get_response().id for result, error in streamed if error is None] == list("01234")
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result.as_numpy("y"), (X * i) @ PLAIN_WEIGHTS)
