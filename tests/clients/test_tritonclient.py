"""NVIDIA's tritonclient over HTTP: every call that only reads, and inference in JSON and binary, plain and asyncio."""

import asyncio
import gzip
import json
import urllib.error
import urllib.request

import numpy as np
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from conftest import PLAIN_WEIGHTS
from tritonclient.utils import InferenceServerException

X = np.array([[1, 2, 3, 4], [0.5, 0, -1, 8]], np.float32)
TRIPS = {
    "distance": np.array([10, 250.5]),
    "stops": np.array([2, 0], np.int64),
    "night": np.array([True, False]),
    "city": np.array(["rome", "bern"], np.object_),
    "start": np.array(["2024-05-01T23:00:00Z", "2024-05-02"], np.object_),
}
ONE_ROW = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}
DATATYPES = {"distance": "FP64", "stops": "INT64", "night": "BOOL", "city": "BYTES", "start": "BYTES"}


def tensor(name, values, datatype, binary):
    given = triton.InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values, binary_data=binary)
    return given


def trips(binary, columns=TRIPS):
    return [tensor(name, values, DATATYPES[name], binary) for name, values in columns.items()]


@pytest.fixture
def client(address):
    with triton.InferenceServerClient(address) as made:
        yield made


def test_the_server_and_its_models_are_live_and_ready(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("plain") and client.is_model_ready("plain", "1.4.2")
    assert not client.is_model_ready("nothing") and not client.is_model_ready("plain", "9")


def test_only_what_is_implemented_is_announced(client):
    metadata = client.get_server_metadata()
    assert metadata["name"] == "slipway" and metadata["version"]
    assert set(metadata["extensions"]) == {"binary_tensor_data", "classification", "model_configuration", "statistics"}


def test_metadata_shows_the_models_own_tensors(client):
    metadata = client.get_model_metadata("plain")
    assert metadata["versions"] == ["1.4.2"]
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
    assert metadata["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [-1, 3]}]


def test_metadata_shows_a_schemas_columns(client):
    inputs = client.get_model_metadata("trips", "stable")["inputs"]
    assert {i["name"]: i["datatype"] for i in inputs} == DATATYPES
    assert all(i["shape"] == [-1, 1] for i in inputs)


def test_the_configuration_has_what_perf_analyzer_asks_for(client):
    config = client.get_model_config("trips")
    assert config["max_batch_size"] == 4096
    assert [i["name"] for i in config["input"]] == list(DATATYPES)
    assert config["input"][0]["dims"] == [1] and config["input"][0]["data_type"] == "TYPE_FP64"
    assert [i["name"] for i in config["input"] if i["optional"]] == ["start"]
    assert config["output"][0]["name"] == "cost"
    assert config["model_transaction_policy"]["decoupled"] is False


@pytest.mark.parametrize("version", ["1.4.2", "1.4", "1", "^1.2", "stable", "1004002"])
def test_versions_may_be_named_in_every_way(client, version):
    assert client.infer("plain", [tensor("x", X, "FP32", True)], version).get_response()["model_version"] == "1.4.2"


def test_a_version_that_is_not_there_is_an_error(client):
    with pytest.raises(InferenceServerException, match='no version "2"') as caught:
        client.get_model_metadata("plain", "2")
    assert caught.value.status() == "404"


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
def test_tensors_in_and_out(client, binary_in, binary_out):
    outputs = None if binary_out is None else [triton.InferRequestedOutput("y", binary_data=binary_out)]
    result = client.infer("plain", [tensor("x", X, "FP32", binary_in)], outputs=outputs, request_id="r-1")
    np.testing.assert_array_equal(result.as_numpy("y"), X @ PLAIN_WEIGHTS)
    answer = result.get_response()
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("r-1", "plain", "1.4.2")
    assert ("data" in answer["outputs"][0]) == (binary_out is False)


@pytest.mark.parametrize("binary", [True, False])
def test_columns_of_every_type(client, binary):
    result = client.infer("trips", trips(binary))
    np.testing.assert_array_equal(result.as_numpy("cost").ravel(), [35.0, 126.25])
    assert result.as_numpy("dear").ravel().tolist() == [False, True]


@pytest.mark.parametrize("dtype, name", [(np.float64, "FP64"), (np.float16, "FP16"), (np.int8, "INT8"), (np.uint64, "UINT64")])
@pytest.mark.parametrize("binary", [True, False])
def test_other_datatypes_convert(client, dtype, name, binary):
    if name == "FP16" and not binary:
        pytest.skip("tritonclient itself refuses FP16 as JSON")
    x = np.array([[1, 2, 3, 4]], dtype)
    np.testing.assert_array_equal(client.infer("plain", [tensor("x", x, name, binary)]).as_numpy("y"), np.float32([[1, 2, 3, 4]]) @ PLAIN_WEIGHTS)


def test_outputs_are_selected_and_ordered(client):
    wanted = [triton.InferRequestedOutput("dear", binary_data=False), triton.InferRequestedOutput("cost")]
    assert [o["name"] for o in client.infer("trips", trips(True), outputs=wanted).get_response()["outputs"]] == ["dear", "cost"]


def test_optional_columns_may_be_left_out(client):
    columns = {name: values for name, values in TRIPS.items() if name != "start"}
    assert client.infer("trips", trips(True, columns)).as_numpy("cost").shape == (2, 1)


def test_rows_that_break_the_schema_are_named(client):
    with pytest.raises(InferenceServerException) as caught:
        client.infer("trips", trips(True, dict(TRIPS, distance=np.array([10, -5.0]))))
    assert caught.value.status() == "400"
    for word in ["row 1", "distance", "schema.out_of_range", "min 0"]:
        assert word in caught.value.message()


def test_classification(client):
    wanted = [triton.InferRequestedOutput("y", class_count=2)]
    classes = client.infer("plain", [tensor("x", X, "FP32", True)], outputs=wanted).as_numpy("y")
    scores = X @ PLAIN_WEIGHTS
    assert classes.shape == (2, 2)
    for row in range(2):
        parts = [text.decode().split(":") for text in classes[row]]
        assert [int(index) for _, index in parts] == np.argsort(-scores[row])[:2].tolist()
        assert [np.float32(value) for value, _ in parts] == sorted(scores[row])[:0:-1]


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compressed_requests_and_answers(client, served, algorithm):
    probe = urllib.request.Request(served.url + "/v2/models/plain/infer", gzip.compress(json.dumps(ONE_ROW).encode()), {"Content-Encoding": "gzip"})
    try:
        urllib.request.urlopen(probe)
    except urllib.error.HTTPError:
        pytest.skip("the server takes no compressed bodies")
    result = client.infer("plain", [tensor("x", X, "FP32", True)], request_compression_algorithm=algorithm, response_compression_algorithm=algorithm)
    np.testing.assert_array_equal(result.as_numpy("y"), X @ PLAIN_WEIGHTS)


def test_a_timeout_is_a_deadline(client):
    with pytest.raises(InferenceServerException) as caught:
        client.infer("plain", [tensor("x", np.zeros((4096, 4), np.float32), "FP32", True)], timeout=1)
    assert caught.value.status() == "504"
    assert client.infer("plain", [tensor("x", X, "FP32", True)], priority=1, timeout=60_000_000)


def test_statistics_count_what_was_asked(client):
    def read():
        return client.get_inference_statistics("plain", "1.4.2")["model_stats"][0]

    before = read()
    client.infer("plain", [tensor("x", X, "FP32", True)])
    with pytest.raises(InferenceServerException):
        client.infer("plain", [tensor("x", X[:, :3], "FP32", True)])
    after = read()
    grown = lambda name: after["inference_stats"][name]["count"] - before["inference_stats"][name]["count"]  # noqa: E731
    assert (grown("success"), grown("fail"), grown("queue"), grown("compute_infer")) == (1, 1, 1, 1)
    assert after["inference_stats"]["compute_infer"]["ns"] > before["inference_stats"]["compute_infer"]["ns"]
    assert after["inference_count"] - before["inference_count"] == 2 and after["last_inference"] > 1.6e12
    assert {s["name"] for s in client.get_inference_statistics()["model_stats"]} == {"plain", "trips"}


def test_the_repository_is_changed_on_the_admin_listener_alone(client, served):
    index = client.get_model_repository_index()
    assert {(m["name"], m["version"], m["state"]) for m in index} == {("plain", "1.4.2", "READY"), ("trips", "2.0.0", "READY")}
    for change in (client.load_model, client.unload_model):
        with pytest.raises(InferenceServerException, match="admin listener") as caught:
            change("plain")
        assert caught.value.status() == "501"
    operator = triton.InferenceServerClient(served.admin.url.removeprefix("http://"))
    operator.unload_model("plain")
    assert not client.is_model_ready("plain") and client.is_model_ready("trips")
    assert [m["state"] for m in client.get_model_repository_index() if m["name"] == "plain"] == ["UNAVAILABLE"]
    operator.load_model("plain")
    assert client.is_model_ready("plain")
    with pytest.raises(InferenceServerException, match="no bundle named"):
        operator.load_model("nothing")
    operator.close()


def test_settings_and_shared_memory_can_be_looked_at(client):
    assert client.get_trace_settings()["trace_level"] == ["OFF"] == client.get_trace_settings("plain")["trace_level"]
    assert client.get_log_settings()["log_info"] is True
    assert client.get_system_shared_memory_status() == [] == client.get_cuda_shared_memory_status()
    client.unregister_system_shared_memory()
    client.unregister_cuda_shared_memory()
    with pytest.raises(InferenceServerException, match="shared memory"):
        client.register_system_shared_memory("region", "/key", 64)
    with pytest.raises(InferenceServerException):
        client.update_log_settings({"log_verbose_level": 1})


def test_asyncio(address):
    async def ask():
        async with triton_aio.InferenceServerClient(address) as client:
            assert await client.is_server_live() and await client.is_model_ready("plain")
            assert (await client.get_model_config("plain"))["max_batch_size"] == 4096
            return await asyncio.gather(*(client.infer("plain", [tensor("x", X * i, "FP32", i % 2 == 0)]) for i in range(20)))

    for i, result in enumerate(asyncio.run(ask())):
        np.testing.assert_array_equal(result.as_numpy("y"), (X * i) @ PLAIN_WEIGHTS)


def test_a_raw_body_without_json(served):
    request = urllib.request.Request(
        served.url + "/v2/models/plain/infer", X.tobytes(), {"Inference-Header-Content-Length": "0"})
    with urllib.request.urlopen(request) as answer:
        length = int(answer.headers["Inference-Header-Content-Length"])
        body = answer.read()
    assert json.loads(body[:length])["outputs"][0]["shape"] == [2, 3]
    np.testing.assert_array_equal(np.frombuffer(body[length:], np.float32).reshape(2, 3), X @ PLAIN_WEIGHTS)
