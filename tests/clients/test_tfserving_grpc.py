"""TensorFlow Serving's own stubs (tensorflow-serving-api), with TensorFlow's messages but without TensorFlow."""

import grpc
import numpy as np
import pytest
import tensorflow_error_codes  # noqa: F401  (before the messages)
from conftest import PLAIN_WEIGHTS
from google.protobuf.wrappers_pb2 import Int64Value
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2
from tensorflow_serving.apis import (classification_pb2, get_model_metadata_pb2, get_model_status_pb2, model_service_pb2_grpc, predict_pb2,
                                     prediction_service_pb2_grpc, regression_pb2)

X = np.array([[1, 2, 3, 4], [0.5, 0, -1, 8]], np.float32)
FIELDS = {np.dtype("f4"): (types_pb2.DT_FLOAT, "float_val"), np.dtype("f8"): (types_pb2.DT_DOUBLE, "double_val"), np.dtype("i8"): (types_pb2.DT_INT64, "int64_val"),
          np.dtype("i4"): (types_pb2.DT_INT32, "int_val"), np.dtype("?"): (types_pb2.DT_BOOL, "bool_val"), np.dtype("O"): (types_pb2.DT_STRING, "string_val")}


def proto(values, content=False):
    """As tf.make_tensor_proto writes it: a list's numbers in tensor_content, or each in the field of its type."""
    dtype, field = FIELDS[values.dtype]
    shape = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=n) for n in values.shape])
    made = tensor_pb2.TensorProto(dtype=dtype, tensor_shape=shape)
    if content:
        made.tensor_content = values.tobytes()
    else:
        getattr(made, field).extend([v.encode() for v in values.ravel()] if dtype == types_pb2.DT_STRING else values.ravel().tolist())
    return made


def array(made):
    dtype, field = next((d, f) for d, (number, f) in FIELDS.items() if number == made.dtype)
    return np.array(getattr(made, field), dtype).reshape([d.size for d in made.tensor_shape.dim])


@pytest.fixture
def channel(served):
    with grpc.insecure_channel(served.grpc) as made:
        yield made


@pytest.fixture
def stub(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def predict(model, inputs, **spec):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    for name, value in spec.items():
        if name == "version":
            request.model_spec.version.CopyFrom(Int64Value(value=value))
        else:
            setattr(request.model_spec, name, value)
    for name, made in inputs.items():
        request.inputs[name].CopyFrom(made)
    return request


TRIPS = {
    "distance": np.array([10.0, 250.5]),
    "stops": np.array([2, 0], np.int64),
    "night": np.array([True, False]),
    "city": np.array(["rome", "bern"], np.object_),
}


@pytest.mark.parametrize("content", [True, False])
@pytest.mark.parametrize("spec", [{}, {"version": 1}, {"version": 1004002}, {"version_label": "stable"}, {"signature_name": "serving_default"}])
def test_tensors(stub, content, spec):
    answer = stub.Predict(predict("plain", {"x": proto(X, content)}, **spec))
    assert list(answer.outputs) == ["y"] and answer.model_spec.name == "plain" and answer.model_spec.version.value == 1004002
    np.testing.assert_array_equal(array(answer.outputs["y"]), X @ PLAIN_WEIGHTS)


def test_columns(stub):
    answer = stub.Predict(predict("trips", {name: proto(values) for name, values in TRIPS.items()}))
    np.testing.assert_array_equal(array(answer.outputs["cost"]), [35.0, 126.25])
    np.testing.assert_array_equal(array(answer.outputs["dear"]), [False, True])
    request = predict("trips", {name: proto(values) for name, values in TRIPS.items()})
    request.output_filter.append("dear")
    assert list(stub.Predict(request).outputs) == ["dear"]


def test_a_tensor_that_gives_one_element_repeats_it(stub):
    made = proto(X)
    del made.float_val[1:]
    answer = stub.Predict(predict("plain", {"x": made}))
    np.testing.assert_array_equal(array(answer.outputs["y"]), np.ones((2, 4), np.float32) @ PLAIN_WEIGHTS)


def test_smaller_integers_convert(stub):
    answer = stub.Predict(predict("plain", {"x": proto(np.array([[1, 2, 3, -4]], np.int32))}))
    np.testing.assert_array_equal(array(answer.outputs["y"]), np.float32([[1, 2, 3, -4]]) @ PLAIN_WEIGHTS)


def examples(request, rows):
    for row in rows:
        features = request.input.example_list.examples.add().features.feature
        for name, value in row.items():
            kind = {float: "float_list", int: "int64_list", str: "bytes_list"}[type(value)]
            getattr(features[name], kind).value.append(value.encode() if kind == "bytes_list" else value)
    return request


ROWS = [{"distance": 10.0, "stops": 2, "night": 1, "city": "rome"}, {"distance": 200.0, "stops": 2, "night": 1, "city": "rome"}]


def test_examples_are_classified_and_regressed(stub):
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "trips"
    answer = stub.Classify(examples(request, ROWS))
    assert [[(c.label, c.score) for c in r.classes] for r in answer.result.classifications] == [[("false", 35.0)], [("true", 130.0)]]
    request = regression_pb2.RegressionRequest()
    request.model_spec.name = "trips"
    assert [r.value for r in stub.Regress(examples(request, ROWS)).result.regressions] == [35.0, 130.0]


def test_examples_share_a_context(stub):
    request = regression_pb2.RegressionRequest()
    request.model_spec.name = "trips"
    with_context = request.input.example_list_with_context
    for distance in (10.0, 200.0):
        with_context.examples.add().features.feature["distance"].float_list.value.append(distance)
    shared = with_context.context.features.feature
    shared["stops"].int64_list.value.append(2)
    shared["night"].int64_list.value.append(1)
    shared["city"].bytes_list.value.append(b"rome")
    assert [r.value for r in stub.Regress(request).result.regressions] == [35.0, 130.0]


def test_metadata_describes_the_signatures(stub):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "trips"
    answer = stub.GetModelMetadata(request)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    default = signatures.signature_def["serving_default"]
    assert default.method_name == "tensorflow/serving/predict"
    assert {name: info.dtype for name, info in default.inputs.items()} == {
        "distance": types_pb2.DT_DOUBLE, "stops": types_pb2.DT_INT64, "night": types_pb2.DT_BOOL, "city": types_pb2.DT_STRING, "start": types_pb2.DT_STRING}
    assert [d.size for d in default.outputs["cost"].tensor_shape.dim] == [-1]
    assert {"classification", "regression"} <= set(signatures.signature_def)


def test_status_tells_the_versions(channel):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "plain"
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    versions = stub.GetModelStatus(request).model_version_status
    assert [(v.version, v.state, v.status.error_code) for v in versions] == [(1004002, 30, 0)]
    request.model_spec.name = "nothing"
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetModelStatus(request)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("request_, code, words", [
    (predict("nothing", {"x": proto(X)}), "NOT_FOUND", "no model named"),
    (predict("plain", {"x": proto(X)}, version=9), "NOT_FOUND", "no version"),
    (predict("plain", {"x": proto(X)}, signature_name="other"), "INVALID_ARGUMENT", "not found in signature def"),
    (predict("plain", {"x": proto(X[:, :3])}), "INVALID_ARGUMENT", "takes shape"),
    (predict("plain", {}), "INVALID_ARGUMENT", "no inputs"),
    (predict("plain", {"x": tensor_pb2.TensorProto(dtype=types_pb2.DT_COMPLEX64)}), "INVALID_ARGUMENT", "no input takes"),
    (predict("trips", {**{n: proto(v) for n, v in TRIPS.items()}, "distance": proto(np.array([10.0, -5.0]))}), "INVALID_ARGUMENT", "row 1, distance: schema.out_of_range"),
])
def test_errors_have_their_codes(stub, request_, code, words):
    with pytest.raises(grpc.RpcError) as caught:
        stub.Predict(request_)
    assert caught.value.code().name == code and words in caught.value.details()
