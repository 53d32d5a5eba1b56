"""What tools for any gRPC server use: health checking, reflection, and a client made from api/proto alone."""

import json
import pathlib
import subprocess

import grpc
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture
def channel(served):
    with grpc.insecure_channel(served.grpc) as made:
        yield made


def test_health_is_checked(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", "inference.GRPCInferenceService", "tensorflow.serving.PredictionService"):
        assert stub.Check(health_pb2.HealthCheckRequest(service=service)).status == SERVING
    with pytest.raises(grpc.RpcError) as caught:
        stub.Check(health_pb2.HealthCheckRequest(service="other"))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_health_is_watched(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=30)
    assert next(watch).status == SERVING
    watch.cancel()
    unknown = stub.Watch(health_pb2.HealthCheckRequest(service="other"), timeout=30)
    assert next(unknown).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    unknown.cancel()


def test_a_client_of_health_checks_itself(served):
    """What a balancing gRPC client does by itself when it is told to."""
    config = json.dumps({"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}})
    with grpc.insecure_channel(served.grpc, options=[("grpc.service_config", config)]) as channel:
        grpc.channel_ready_future(channel).result(timeout=20)


def test_services_are_told_by_reflection(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    services = set(database.get_services())
    assert {"inference.GRPCInferenceService", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService",
            "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"} <= services
    pool = DescriptorPool(database)
    for name in services:
        assert pool.FindServiceByName(name).methods
    methods = {m.name for m in pool.FindServiceByName("inference.GRPCInferenceService").methods}
    assert "ModelStreamInfer" in methods and not [m for m in methods if "SharedMemory" in m]


def test_a_call_can_be_made_from_reflection_alone(channel):
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    method = pool.FindServiceByName("inference.GRPCInferenceService").FindMethodByName("ModelMetadata")
    request, answer = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    call = channel.unary_unary(f"/{method.containing_service.full_name}/{method.name}", request.SerializeToString, answer.FromString)
    assert call(request(name="plain")).inputs[0].name == "x"


def test_a_method_that_does_not_exist_is_told(channel):
    call = channel.unary_unary("/inference.GRPCInferenceService/SystemSharedMemoryRegister")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"")
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED and "reflection" in caught.value.details()


def test_bytes_that_are_no_message_are_told(channel):
    call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
    for message in (b"\xff", b"\x0a\x05ab", b"\x2a\x03\x0a\x7fx"):
        with pytest.raises(grpc.RpcError) as caught:
            call(message)
        assert caught.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)


def numbers(file):
    """Everything a descriptor says that counts on the wire: names, numbers, types."""
    found = {}

    def add(prefix, message):
        for field in message.field:
            found[f"{prefix}{message.name}.{field.name}"] = (field.number, field.type, field.label)
        for nested in message.nested_type:
            add(f"{prefix}{message.name}.", nested)

    for message in file.message_type:
        add(f"{file.package}.", message)
    for enumeration in file.enum_type:
        for value in enumeration.value:
            found[f"{file.package}.{enumeration.name}.{value.name}"] = (value.number,)
    for service in file.service:
        for method in service.method:
            found[f"{file.package}.{service.name}/{method.name}"] = (method.input_type, method.output_type, method.client_streaming, method.server_streaming)
    return found


def published():
    import tensorflow_error_codes  # noqa: F401
    from grpc_reflection.v1alpha import reflection_pb2
    from tensorflow.core.example import example_pb2, feature_pb2
    from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2
    from tensorflow.core.protobuf import meta_graph_pb2
    from tensorflow_serving.apis import (classification_pb2, get_model_metadata_pb2, get_model_status_pb2, input_pb2, model_pb2, model_service_pb2,
                                         predict_pb2, prediction_service_pb2, regression_pb2, status_pb2)
    from tritonclient.grpc import model_config_pb2, service_pb2

    all_numbers = {}
    for module in (service_pb2, model_config_pb2, health_pb2, reflection_pb2, example_pb2, feature_pb2, tensor_pb2, tensor_shape_pb2,
                   types_pb2, meta_graph_pb2, classification_pb2, get_model_metadata_pb2, get_model_status_pb2, input_pb2, model_pb2,
                   model_service_pb2, predict_pb2, prediction_service_pb2, regression_pb2, status_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        all_numbers.update(numbers(file))
    return all_numbers


# KServe's answers to load and unload, which Triton's of the same name leave empty; a code that is an enumeration elsewhere.
OURS = {"inference.RepositoryModelLoadResponse.model_name", "inference.RepositoryModelLoadResponse.isLoaded",
        "inference.RepositoryModelUnloadResponse.model_name", "inference.RepositoryModelUnloadResponse.isUnloaded",
        "tensorflow.serving.StatusProto.error_code"}


def test_our_protos_have_the_published_names_and_numbers(tmp_path):
    proto = ROOT / "api" / "proto"
    files = [str(p.relative_to(proto)) for p in sorted(proto.rglob("*.proto"))]
    subprocess.run(["protoc", f"-I{proto}", f"--descriptor_set_out={tmp_path / 'set'}", *files], check=True)
    theirs = published()
    ours = descriptor_pb2.FileDescriptorSet.FromString((tmp_path / "set").read_bytes())
    compared = 0
    for file in ours.file:
        if file.package == "grpc.reflection.v1":  # v1alpha's twin
            continue
        for name, facts in numbers(file).items():
            if name in OURS:
                continue
            if name.startswith("tensorflow.DataType.DT_UINT") or ".packed" in name:
                theirs.setdefault(name, facts)
            assert theirs.get(name) == facts, name
            compared += 1
    assert compared > 250


NODE = """
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const [address, protos] = process.argv.slice(2);
const definition = loader.loadSync('inference.proto', {includeDirs: [protos], keepCase: true, longs: Number});
const {inference} = grpc.loadPackageDefinition(definition);
const client = new inference.GRPCInferenceService(address, grpc.credentials.createInsecure());
const request = {
  model_name: 'plain', id: 'node',
  inputs: [{name: 'x', datatype: 'FP32', shape: [1, 4], contents: {fp32_contents: [1, 2, 3, 4]}}],
};
client.ModelInfer(request, {deadline: Date.now() + 20000}, (error, answer) => {
  if (error) throw error;
  const bytes = answer.raw_output_contents[0];
  const y = Array.from({length: bytes.length / 4}, (_, i) => bytes.readFloatLE(4 * i));
  const stream = client.ModelStreamInfer();
  const ids = [];
  stream.on('data', (message) => ids.push(message.infer_response.id));
  stream.on('end', () => {
    client.ModelInfer({model_name: 'nothing'}, (refused) => {
      console.log(JSON.stringify({id: answer.id, shape: answer.outputs[0].shape, y, ids, code: refused.code, details: refused.details}));
      client.close();
    });
  });
  for (const id of ['a', 'b', 'c']) stream.write({...request, id});
  stream.end();
});
"""


def test_a_node_client_made_from_the_protos(served, tmp_path):
    import os

    modules = pathlib.Path(os.environ.get("SLIPWAY_DEPS", ROOT / ".deps")) / "clients-node" / "node_modules"
    script = tmp_path / "client.js"
    script.write_text(NODE)
    done = subprocess.run(["node", str(script), served.grpc, str(ROOT / "api" / "proto")], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "NODE_PATH": str(modules)})
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["id"] == "node" and answer["shape"] == [1, 3] and answer["y"] == [7.5, 8.75, 10.0]
    assert answer["ids"] == ["a", "b", "c"] and answer["code"] == 5 and "no model named" in answer["details"]
