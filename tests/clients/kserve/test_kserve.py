"""KServe's own client, protocol v2 over REST. It parses answers with orjson, which takes no NaN."""

import asyncio

import httpx
import numpy as np
import pytest
from conftest import PLAIN_WEIGHTS
from given import X, given
from kserve import InferenceRESTClient, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput


@pytest.fixture
def ask(served):
    """Runs one call of the client: ask("infer", …)."""

    def run(method, *arguments, **options):
        async def call():
            async with InferenceRESTClient(RESTConfig(protocol="v2", retries=1)) as client:
                return await getattr(client, method)(served.url, *arguments, **options)

        return asyncio.run(call())

    return run


def request(model, inputs, **options):
    return InferRequest(model_name=model, infer_inputs=inputs, **options)


def test_live_and_ready(ask):
    assert ask("is_server_live") is True
    assert ask("is_server_ready") is True
    assert ask("is_model_ready", "plain") is True
    assert ask("is_model_ready", "nothing") is False


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_tensors(ask, binary_in, binary_out):
    asked = request("plain", [given("x", X, "FP32", binary_in)], request_id="k-7",
                    request_outputs=[RequestedOutput("y", {"binary_data": binary_out})])
    answer = ask("infer", asked, model_name="plain")
    assert answer.id == "k-7" and answer.model_name == "plain"
    np.testing.assert_array_equal(answer.outputs[0].as_numpy(), X @ PLAIN_WEIGHTS)


def test_columns_as_pandas_gives_them(ask):
    columns = [
        given("distance", np.array([10, 250.5]), "FP64", False),
        given("stops", np.array([2, 0], np.int64), "INT64", False),
        given("night", np.array([True, False]), "BOOL", False),
        given("city", np.array(["rome", "bern"], np.object_), "BYTES", False),
    ]
    answer = ask("infer", request("trips", columns), model_name="trips")
    assert answer.outputs[0].name == "cost" and answer.outputs[0].as_numpy().ravel().tolist() == [35.0, 126.25]


def test_a_plain_dictionary(ask):
    answer = ask("infer", {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [[1, 0, 0, 0]]}]}, model_name="plain")
    assert answer.outputs[0].data == [0.0, 0.125, 0.25]


def test_a_number_that_is_none_arrives_as_null(ask):
    x = np.array([[3e38, 3e38, 3e38, 3e38]], np.float32)
    answer = ask("infer", request("plain", [given("x", x, "FP32", False)]), model_name="plain")
    assert answer.outputs[0].data[2] is None


def test_errors_carry_the_servers_words(ask):
    with pytest.raises(httpx.HTTPStatusError, match=r"takes shape \[-1,4\], not \[2,3\].*400"):
        ask("infer", request("plain", [given("x", X[:, :3], "FP32", True)]), model_name="plain")
    with pytest.raises(httpx.HTTPStatusError, match="no model named.*404"):
        ask("infer", request("nothing", [given("x", X, "FP32", True)]), model_name="nothing")
