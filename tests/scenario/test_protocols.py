"""The promises of the routes that other servers' clients use, with a bundle that has columns, rules and features."""

import json

import pytest

GOOD = {"income": 30000.0, "age": 30, "purpose": "car", "city": "city-1", "applied": "2024-03-01T10:00:00"}
BAD = dict(GOOD, age=7, email="not-an-address")


@pytest.fixture(scope="module")
def server(loans_folder, tmp_path_factory):
    from conftest import Slipway

    with Slipway(tmp_path_factory.mktemp("protocols")).serving(loans_folder / "loans-1.0.0.slipway") as running:
        yield running


def post(server, path, body, **headers):
    status, answer, headers = server.request("POST", path, body, {"Content-Type": "application/json", **headers})
    return status, json.loads(answer), headers


def test_every_door_says_which_version_answered(server):
    for path, key in (("/v1/models/loans:predict", "instances"), ("/invocations", "dataframe_records")):
        status, answer, headers = post(server, path, {key: [GOOD]})
        assert status == 200 and answer["predictions"][0]["default"] in (True, False)
        assert (headers["Slipway-Model"], headers["Slipway-Version"]) == ("loans", "1.0.0")


def test_a_wrong_row_refuses_the_call_with_all_it_broke(server):
    for path, key, member in (("/v1/models/loans:predict", "instances", "error"), ("/invocations", "dataframe_records", "message")):
        status, answer, _ = post(server, path, {key: [GOOD, BAD]})
        text = answer[member]
        assert status == 400
        assert "1 of 2 rows" in text and "row 1, age: schema.out_of_range (min 18)" in text and "7" in text
        assert "email: schema.pattern" in text and "not-an-address" not in text


def test_the_longest_columns_and_the_largest_batches_are_bounded(server):
    columns = {name: [value] * 5000 for name, value in GOOD.items()}
    assert post(server, "/v1/models/loans:predict", {"inputs": columns})[0] == 413
    assert post(server, "/invocations", {"inputs": columns})[0] == 413
    assert post(server, "/v1/models/loans:predict", "[" * 100000)[0] == 400
    assert post(server, "/v1/models/loans:predict", '{"instances":' + "[" * 100000 + "]" * 100000 + "}")[0] == 413


def test_readiness_is_told_in_each_protocols_way(server):
    assert server.get("/ping") == (200, "\n")
    status, body = server.get("/v1/models/loans")
    assert status == 200 and json.loads(body)["ready"] is True
    assert server.get("/version")[1].count(".") == 2


def test_calls_are_counted_by_door(server):
    post(server, "/v1/models/loans:predict", {"instances": [GOOD]})
    post(server, "/invocations", {"inputs": [GOOD]})
    metrics = server.get("/metrics")[1]
    for door in ("tfserving", "mlflow"):
        assert f'slipway_predictions_total{{model="loans",version="1.0.0",door="{door}",outcome="ok"}}' in metrics


def test_a_model_without_a_batch_takes_one_row(slipway):
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])], "twice", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])])
    twice = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    slipway.write("twice/model.onnx", twice.SerializeToString())
    slipway.write("twice/slipway.yaml", "slipway: 1\nname: twice\nversion: 1.0.0\nmodel: {engine: onnx, file: model.onnx, batched: false}\n")
    tensor, doubled = [[1, 2, 3], [4, 5, 6]], [[2.0, 4.0, 6.0], [8.0, 10.0, 12.0]]
    with slipway.serving("twice") as server:
        assert post(server, "/v1/models/twice:predict", {"inputs": tensor})[1] == {"outputs": doubled}
        assert post(server, "/v1/models/twice:predict", {"inputs": {"x": tensor}})[1] == {"outputs": doubled}
        assert post(server, "/v1/models/twice:predict", {"instances": [tensor, tensor]})[1] == {"predictions": [doubled, doubled]}
        assert post(server, "/invocations", {"inputs": tensor})[1] == {"predictions": doubled}
