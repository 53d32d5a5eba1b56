"""KServe's own client over gRPC, whose messages differ from Triton's here and there."""

import asyncio

import grpc
import numpy as np
import pytest
from conftest import PLAIN_WEIGHTS
from given import X, given
from kserve import InferenceGRPCClient, InferRequest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc


@pytest.fixture
def ask(served):
    """Runs one call of the client: ask("infer", …)."""

    def run(method, *arguments, **options):
        async def call():
            client = InferenceGRPCClient(served.grpc)
            try:
                return await getattr(client, method)(*arguments, **options)
            finally:
                await client.close()

        return asyncio.run(call())

    return run


def test_live_and_ready(ask):
    assert ask("is_server_live") is True
    assert ask("is_server_ready") is True
    assert ask("is_model_ready", "plain") is True
    assert ask("is_model_ready", "nothing") is False


@pytest.mark.parametrize("binary", [True, False])
def test_tensors(ask, binary):
    answer = ask("infer", InferRequest(model_name="plain", infer_inputs=[given("x", X, "FP32", binary)], request_id="k-7"))
    assert answer.id == "k-7" and answer.model_name == "plain"
    np.testing.assert_array_equal(answer.outputs[0].as_numpy(), X @ PLAIN_WEIGHTS)


@pytest.mark.parametrize("binary", [True, False])
def test_columns(ask, binary):
    columns = [
        given("distance", np.array([[10], [250.5]]), "FP64", binary),
        given("stops", np.array([[2], [0]], np.int64), "INT64", binary),
        given("night", np.array([[True], [False]]), "BOOL", binary),
        given("city", np.array([["rome"], ["bern"]], np.object_), "BYTES", binary),
    ]
    answer = ask("infer", InferRequest(model_name="trips", infer_inputs=columns))
    assert answer.outputs[0].name == "cost" and answer.outputs[0].as_numpy().ravel().tolist() == [35.0, 126.25]


def test_errors_carry_the_servers_words(ask):
    with pytest.raises(Exception, match=r"takes shape \[-1,4\], not \[2,3\]"):
        ask("infer", InferRequest(model_name="plain", infer_inputs=[given("x", X[:, :3], "FP32")]))
    with pytest.raises(Exception, match="no model named"):
        ask("infer", InferRequest(model_name="nothing", infer_inputs=[given("x", X, "FP32")]))


def test_models_are_loaded_by_the_name_in_the_first_field(served):
    with grpc.insecure_channel(served.grpc_admin) as channel:
        stub = grpc_predict_v2_pb2_grpc.GRPCInferenceServiceStub(channel)
        answer = stub.RepositoryModelUnload(pb.RepositoryModelUnloadRequest(model_name="trips"))
        assert answer.model_name == "trips" and answer.isUnloaded
        answer = stub.RepositoryModelLoad(pb.RepositoryModelLoadRequest(model_name="trips"))
        assert answer.model_name == "trips" and answer.isLoaded
