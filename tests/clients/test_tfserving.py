"""TensorFlow Serving's REST requests, and KServe's version 1, as scripts send them with `requests`."""

import base64
import json

import numpy as np
import pytest
import requests
from conftest import PLAIN_WEIGHTS

TRIP = {"distance": 10.0, "stops": 2, "night": True, "city": "rome"}
FAR = dict(TRIP, distance=200.0)


@pytest.fixture
def models(served):
    return served.url + "/v1/models/"


def post(url, body):
    answer = requests.post(url, data=json.dumps(body), timeout=30)  # without a content type, as the examples do
    answer.raise_for_status()
    return answer.json()


def test_a_matrix_in_rows_is_answered_by_a_matrix(models):
    rows = np.arange(12, dtype=np.float32).reshape(3, 4)
    answer = post(models + "plain:predict", {"signature_name": "serving_default", "instances": rows.tolist()})
    assert list(answer) == ["predictions"]
    np.testing.assert_array_equal(np.array(answer["predictions"], np.float32), rows @ PLAIN_WEIGHTS)


def test_columns_and_named_tensors_give_the_same(models):
    rows = np.arange(12, dtype=np.float32).reshape(3, 4).tolist()
    by_row = post(models + "plain:predict", {"instances": rows})["predictions"]
    assert post(models + "plain:predict", {"instances": [{"x": row} for row in rows]})["predictions"] == by_row
    assert post(models + "plain:predict", {"inputs": rows})["outputs"] == by_row
    assert post(models + "plain/versions/1:predict", {"inputs": {"x": rows}})["outputs"] == by_row
    assert post(models + "plain/versions/1.4.2:predict", {"inputs": {"x": rows}})["outputs"] == by_row
    assert post(models + "plain/labels/stable:predict", {"inputs": {"x": rows}})["outputs"] == by_row


def test_a_bundle_with_columns_takes_objects_lists_and_columns(models):
    by_row = post(models + "trips:predict", {"instances": [TRIP, FAR]})["predictions"]
    assert by_row == [{"cost": 35.0, "dear": False}, {"cost": 130.0, "dear": True}]
    lists = [[*trip.values(), None] for trip in (TRIP, FAR)]
    assert post(models + "trips:predict", {"instances": lists})["predictions"] == by_row
    columns = {name: [TRIP[name], FAR[name]] for name in TRIP}
    answer = post(models + "trips:predict", {"inputs": columns})["outputs"]
    assert answer == {"cost": [35.0, 130.0], "dear": [False, True]}


def test_text_may_come_in_base64(models):
    coded = dict(TRIP, city={"b64": base64.b64encode(b"rome").decode()})
    assert post(models + "trips:predict", {"instances": [coded]})["predictions"] == [{"cost": 35.0, "dear": False}]


def test_examples_are_classified_and_regressed(models):
    body = {"context": {"night": [1]}, "examples": [{"distance": [10.0], "stops": [2], "city": ["rome"]}]}
    assert post(models + "trips:classify", body) == {"results": [[["false", 35.0]]]}
    assert post(models + "trips:regress", body) == {"results": [35.0]}


def test_python_writes_nan_as_a_bare_token_and_is_told_where(models):
    answer = requests.post(models + "trips:predict", data=json.dumps({"instances": [dict(TRIP, distance=float("nan"))]}), timeout=30)
    assert answer.status_code == 400
    assert "row 0, distance: schema.not_finite" in answer.json()["error"]


def test_a_wrong_row_refuses_the_request_and_is_named(models):
    answer = requests.post(models + "trips:predict", json={"instances": [TRIP, dict(TRIP, distance=-5)]}, timeout=30)
    assert answer.status_code == 400 and set(answer.json()) == {"error"}
    assert "row 1, distance: schema.out_of_range (min 0)" in answer.json()["error"]


@pytest.mark.parametrize(
    "path, body, status",
    [
        ("none:predict", {"instances": []}, 404),
        ("plain/versions/9:predict", {"instances": []}, 404),
        ("plain:predict", {}, 400),
        ("plain:predict", {"instances": [[1, 2]]}, 400),
        ("plain:predict", {"instances": [[1, 2, 3, 4]] * 5000}, 413),
        ("plain:predict", {"signature_name": "other", "instances": []}, 400),
    ],
)
def test_errors_have_the_protocols_shape(models, path, body, status):
    answer = requests.post(models + path, json=body, timeout=30)
    assert answer.status_code == status and set(answer.json()) == {"error"}


def test_status_serves_tensorflow_serving_and_kserve(models):
    status = requests.get(models + "plain", timeout=30).json()
    assert status["name"] == "plain" and status["ready"] is True
    assert status["model_version_status"] == [
        {"version": "1.4.2", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    ]
    assert requests.get(models[:-1], timeout=30).json() == {"models": ["plain", "trips"]}


def test_metadata_describes_tensors(models):
    metadata = requests.get(models + "plain/metadata", timeout=30).json()
    assert metadata["model_spec"] == {"name": "plain", "signature_name": "", "version": "1.4.2"}
    predict = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert predict["inputs"]["x"]["dtype"] == "DT_FLOAT"
    assert [int(d["size"]) for d in predict["inputs"]["x"]["tensor_shape"]["dim"]] == [-1, 4]
    assert [int(d["size"]) for d in predict["outputs"]["y"]["tensor_shape"]["dim"]] == [-1, 3]
