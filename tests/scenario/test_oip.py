"""Models of several kinds behind the Open Inference Protocol, as real ONNX files declare them."""

import json
import re
import time

import numpy as np
import onnx
import pytest
from conftest import ROOT, Slipway
from onnx import TensorProto, helper, numpy_helper

BARE = "slipway: 1\nname: {}\nversion: {}\nmodel: {{engine: onnx, file: model.onnx}}\n"


def graph(nodes, inputs, outputs):
    def infos(tensors):
        return [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in tensors]

    made = helper.make_graph(nodes, "g", infos(inputs), infos(outputs))
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def iris():
    from skl2onnx import to_onnx
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    data = load_iris()
    names = data.target_names[data.target]
    model = LogisticRegression(max_iter=500).fit(data.data.astype(np.float32), names)
    return to_onnx(model, data.data[:1].astype(np.float32), target_opset=17).SerializeToString()


FLOAT, INT32, HALF, TEXT = TensorProto.FLOAT, TensorProto.INT32, TensorProto.FLOAT16, TensorProto.STRING
MODELS = {
    "iris": iris,
    "vector": lambda: graph([helper.make_node("Neg", ["x"], ["y"])], [("x", FLOAT, ["n"])], [("y", FLOAT, ["n"])]),
    "fixed": lambda: graph([helper.make_node("Neg", ["x"], ["y"])], [("x", FLOAT, [4, 2])], [("y", FLOAT, [4, 2])]),
    "images": lambda: graph([helper.make_node("Neg", ["x"], ["y"])], [("x", FLOAT, ["n", "h", "w"])], [("y", FLOAT, ["n", "h", "w"])]),
    "narrow": lambda: graph([helper.make_node("Identity", ["i"], ["j"]), helper.make_node("Identity", ["h"], ["k"])],
                            [("i", INT32, ["n", 1]), ("h", HALF, ["n", 2])], [("j", INT32, ["n", 1]), ("k", HALF, ["n", 2])]),
    "texts": lambda: graph([helper.make_node("Identity", ["s"], ["t"])], [("s", TEXT, ["n", 1])], [("t", TEXT, ["n", 1])]),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    slipway = Slipway(tmp_path_factory.mktemp("oip"))
    bundles = []
    for name, make in MODELS.items():
        slipway.write(f"{name}/slipway.yaml", BARE.format(name, "1.0.0"))
        slipway.write(f"{name}/model.onnx", make())
        bundles.append(name)
    slipway.write("vector-2/slipway.yaml", BARE.format("vector", "2.1.0"))
    slipway.write("vector-2/model.onnx", MODELS["vector"]())
    with slipway.serving(*bundles, "vector-2") as running:
        yield running


@pytest.fixture
def ask(server):
    def run(method, path, body=None):
        status, answer, _ = server.request(method, path, body)
        return status, json.loads(answer)

    return run


@pytest.fixture
def infer(ask):
    def run(model, *inputs, **more):
        asked = [dict(zip(["name", "datatype", "shape", "data"], given)) for given in inputs]
        return ask("POST", f"/v2/models/{model}/infer", {"inputs": asked, **more})

    return run


def ports(ask, model):
    metadata = ask("GET", f"/v2/models/{model}")[1]
    return [(p["name"], p["datatype"], p["shape"]) for p in metadata["inputs"] + metadata["outputs"]]


def test_metadata_shows_tensors_as_the_model_declares_them(ask):
    assert ports(ask, "vector") == [("x", "FP32", [-1]), ("y", "FP32", [-1])]
    assert ports(ask, "images") == [("x", "FP32", [-1, -1, -1]), ("y", "FP32", [-1, -1, -1])]
    assert ports(ask, "fixed") == [("x", "FP32", [-1, 2]), ("y", "FP32", [-1, 2])]
    assert ports(ask, "narrow") == [("i", "INT32", [-1, 1]), ("h", "FP16", [-1, 2]), ("j", "INT32", [-1, 1]), ("k", "FP16", [-1, 2])]
    assert ports(ask, "texts") == [("s", "BYTES", [-1, 1]), ("t", "BYTES", [-1, 1])]


def test_a_classifier_gives_labels_and_probabilities(ask, infer):
    shown = ports(ask, "iris")
    assert shown[1:] == [("output_label", "BYTES", [-1]), ("output_probability", "FP32", [-1, 3])]
    flowers = (shown[0][0], "FP32", [2, 4], [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]])
    status, answer = infer("iris", flowers, outputs=[{"name": "output_label"}, {"name": "output_probability", "parameters": {"classification": 1}}])
    label, best = answer["outputs"]
    assert status == 200 and (label["shape"], label["data"]) == ([2], ["setosa", "virginica"])
    assert best["datatype"] == "BYTES" and best["shape"] == [2, 1]
    assert [text.split(":")[1:] for text in best["data"]] == [["0", "setosa"], ["2", "virginica"]]


def test_tensors_come_back_in_their_datatype_and_shape(infer):
    status, answer = infer("narrow", ("i", "INT32", [2, 1], [7, -8]), ("h", "FP16", [2, 2], [0.5, 1, 65504, 0.1]))
    assert status == 200
    whole, half = answer["outputs"]
    assert (whole["datatype"], whole["shape"], whole["data"]) == ("INT32", [2, 1], [7, -8])
    assert (half["datatype"], half["shape"]) == ("FP16", [2, 2])
    assert np.float16(half["data"]).tolist() == np.float16([0.5, 1, 65504, 0.1]).tolist()
    assert infer("texts", ("s", "BYTES", [1], ["grüezi"]))[1]["outputs"][0]["data"] == ["grüezi"]


def test_a_fixed_batch_takes_any_number_of_rows(infer):
    for rows in (1, 3, 4, 9):
        data = list(range(1, 2 * rows + 1))
        status, answer = infer("fixed", ("x", "FP32", [rows, 2], data))
        assert status == 200 and answer["outputs"][0]["data"] == [-float(x) for x in data]


def test_rows_of_any_shape(infer):
    status, answer = infer("images", ("x", "FP32", [2, 1, 3], [1, 2, 3, 4, 5, 6]))
    assert status == 200 and answer["outputs"][0]["shape"] == [2, 1, 3]
    status, answer = infer("images", ("x", "FP32", [2, 3], [1, 2, 3, 4, 5, 6]))
    assert status == 400 and "takes shape [-1,-1,-1], not [2,3]" in answer["error"]


def test_a_body_without_json_is_the_data_of_the_only_input(server):
    def raw(model, body):
        status, answer, headers = server.request("POST", f"/v2/models/{model}/infer", body, {"Inference-Header-Content-Length": "0"})
        length = int(headers.get("Inference-Header-Content-Length", len(answer)))
        return status, json.loads(answer[:length]), answer[length:]

    text = "grüezi".encode()
    status, answer, data = raw("texts", text)
    assert status == 200 and answer["outputs"][0]["shape"] == [1, 1] and data == len(text).to_bytes(4, "little") + text
    status, answer, data = raw("fixed", np.float32([1, 2, 3, 4]).tobytes())
    assert status == 200 and np.frombuffer(data, np.float32).tolist() == [-1, -2, -3, -4]
    assert raw("fixed", b"123456789")[0] == 400
    assert "fixed shape" in raw("images", b"1234")[1]["error"]
    assert "models of one input" in raw("narrow", b"1234")[1]["error"]


def test_an_integer_that_the_model_cannot_hold_breaks_the_schema(infer):
    status, answer = infer("narrow", ("i", "INT64", [1, 1], [2**40]), ("h", "FP32", [1, 2], [0, 0]))
    assert status == 400 and "row 0, i: schema.out_of_range" in answer["error"]


def test_both_versions_are_shown_and_either_can_be_asked(ask):
    assert ask("GET", "/v2/models/vector")[1]["versions"] == ["2.1.0", "1.0.0"]
    body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": [1]}]}
    for reference, version in [("", "2.1.0"), ("/versions/1", "1.0.0"), ("/versions/2001000", "2.1.0"), ("/versions/^1.0", "1.0.0")]:
        assert ask("POST", f"/v2/models/vector{reference}/infer", body)[1]["model_version"] == version
    counted = ask("GET", "/v2/models/vector/stats")[1]["model_stats"]
    assert {s["version"]: s["inference_count"] for s in counted} == {"2.1.0": 2, "1.0.0": 2}


def test_the_log_names_the_door_and_no_value(server, infer):
    infer("texts", ("s", "BYTES", [1], ["very-secret"]))
    assert infer("texts", ("s", "BYTES", [1], [{"very-secret": 1}]))[0] == 400
    infer("fixed", ("x", "FP32", [1, 2], [1, 2]))
    for _ in range(100):
        log = server.log.read_text()
        if '"model":"fixed"' in log.splitlines()[-1]:
            break
        time.sleep(0.05)
    asked = [json.loads(line) for line in log.splitlines() if '"model":"texts"' in line]
    assert [line["door"] for line in asked[-2:]] == ["oip", "oip"] and asked[-1]["code"] == "schema.violation"
    assert "very-secret" not in log


DOCUMENT = (ROOT / "docs/protocols/oip.md").read_text()
EXAMPLES = re.findall(r"```http\n(\w+) (\S+)\n\n(.*?)```\n```json\n(.*?)```", DOCUMENT, re.S)


def test_the_examples_of_the_documentation(slipway):
    slipway.write("trips/slipway.yaml", re.search(r"```yaml\n(.*?)```", DOCUMENT, re.S)[1])
    weights = numpy_helper.from_array(np.float32([[0.5], [3]]), "w")
    made = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [helper.make_tensor_value_info("x", FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", FLOAT, ["n", 1])], [weights])
    slipway.write("trips/model.onnx", helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
    assert len(EXAMPLES) == 3
    with slipway.serving("trips") as server:
        for method, path, body, answer in EXAMPLES:
            assert json.loads(server.request(method, path, body)[1]) == json.loads(answer)
