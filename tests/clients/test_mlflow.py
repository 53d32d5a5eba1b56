"""MLflow's own scoring client, and the payloads that its `dump_input_data` makes."""

import json

import numpy as np
import pandas as pd
import pytest
import requests
from conftest import PLAIN, PLAIN_WEIGHTS, TRIPS, TRIP_WEIGHTS, linear_model
from mlflow.deployments import PredictionsResponse
from mlflow.exceptions import RestException
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
from mlflow.utils.proto_json_utils import dump_input_data
from program import Slipway

TRIPS_FRAME = pd.DataFrame({"distance": [10.0, 200.0], "stops": [2, 2], "night": [True, True], "city": ["rome", "rome"]})


def client_of(server):
    host, port = server.url.removeprefix("http://").split(":")
    return ScoringServerClient(host, int(port))


@pytest.fixture(scope="module")
def trips(tmp_path_factory):
    """A server of one model, as `mlflow models serve` is."""
    slipway = Slipway(tmp_path_factory.mktemp("mlflow"))
    slipway.write("trips/slipway.yaml", TRIPS)
    slipway.write("trips/model.onnx", linear_model(TRIP_WEIGHTS, "y"))
    slipway.write("train.csv", "distance,stops,night,city,start\n" + "".join(
        f"{i}.5,{i},{'true' if i % 2 else 'false'},{city},2024-01-01\n" for i, city in enumerate(["bern", "rome", "oslo"] * 4)))
    slipway("fit", "trips", "--data", "train.csv")
    with slipway.serving("trips") as server:
        yield server


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    slipway = Slipway(tmp_path_factory.mktemp("mlflow"))
    slipway.write("plain/slipway.yaml", PLAIN)
    slipway.write("plain/model.onnx", linear_model(PLAIN_WEIGHTS, "y"))
    with slipway.serving("plain") as server:
        yield server


def test_the_client_finds_the_server_ready(trips):
    client = client_of(trips)
    client.ping()
    client.wait_server_ready(timeout=10)
    assert client.get_version().count(".") == 2


def test_a_frame_is_answered_by_a_frame(trips):
    answer = client_of(trips).invoke(TRIPS_FRAME).get_predictions()
    pd.testing.assert_frame_equal(answer, pd.DataFrame({"cost": [35.0, 130.0], "dear": [False, True]}))


def test_params_are_taken_and_ignored(trips):
    assert client_of(trips).invoke(TRIPS_FRAME, params={"temperature": 0.5})["predictions"][0]["cost"] == 35.0


def test_an_array_is_answered_by_an_array(plain):
    rows = np.arange(12, dtype=np.float32).reshape(3, 4)
    answer = client_of(plain).invoke(rows).get_predictions("ndarray", dtype=np.float32)
    np.testing.assert_array_equal(answer, rows @ PLAIN_WEIGHTS)


def test_lists_frames_and_named_arrays_give_the_same(plain):
    rows = np.arange(12, dtype=np.float32).reshape(3, 4)
    client = client_of(plain)
    expected = client.invoke(rows)
    assert client.invoke(rows.tolist()) == expected
    assert client.invoke([{"x": row} for row in rows.tolist()]) == expected
    assert client.invoke(pd.DataFrame({"x": rows.tolist()})) == expected
    assert client.invoke(json.dumps({"inputs": {"x": rows.tolist()}})) == expected


def test_a_missing_value_of_pandas_is_missing(trips):
    frame = TRIPS_FRAME.assign(start=[pd.Timestamp("2024-05-01"), None])
    frame["start"] = [None if pd.isna(value) else value.isoformat() for value in frame["start"]]
    assert client_of(trips).invoke(frame)["predictions"][0]["cost"] == 35.0
    with pytest.raises(Exception, match="row 1, city: schema.null"):
        client_of(trips).invoke(TRIPS_FRAME.assign(city=["rome", np.nan]))


@pytest.mark.parametrize("key", ["instances", "inputs"])
def test_both_keys_of_dump_input_data_are_taken(plain, key):
    body = dump_input_data(np.eye(4), inputs_key=key)
    answer = requests.post(plain.url + "/invocations", data=body, headers={"Content-Type": "application/json"}, timeout=30)
    np.testing.assert_array_equal(PredictionsResponse.from_json(answer.text).get_predictions("ndarray"), PLAIN_WEIGHTS)


def test_records_and_csv_are_taken(trips):
    expected = client_of(trips).invoke(TRIPS_FRAME)
    records = json.dumps({"dataframe_records": TRIPS_FRAME.to_dict(orient="records")})
    assert client_of(trips).invoke(records) == expected
    answer = requests.post(trips.url + "/invocations", data=TRIPS_FRAME.to_csv(index=False), headers={"Content-Type": "text/csv"}, timeout=30)
    assert answer.json() == expected


def test_errors_become_mlflows_exceptions(trips):
    frame = TRIPS_FRAME.assign(distance=[1.0, -5.0])
    with pytest.raises(Exception, match=r"error code 400.*row 1, distance: schema.out_of_range \(min 0\)"):
        client_of(trips).invoke(frame)
    answer = requests.post(trips.url + "/invocations", data="{}", headers={"Content-Type": "application/json"}, timeout=30)
    assert RestException(answer.json()).error_code == "BAD_REQUEST"
    assert RestException(answer.json()).get_http_status_code() == answer.status_code == 400


def test_other_content_types_are_415(trips):
    for content_type in ("application/x-parquet", "application/json; charset=latin1", "application/json; format=split"):
        answer = requests.post(trips.url + "/invocations", data="{}", headers={"Content-Type": content_type}, timeout=30)
        assert answer.status_code == 415 and set(answer.json()) == {"error_code", "message"}


def test_several_models_are_told_apart_by_header_or_query(served):
    url, body = served.url + "/invocations", dump_input_data(np.eye(4))
    headers = {"Content-Type": "application/json"}
    unnamed = requests.post(url, data=body, headers=headers, timeout=30)
    assert unnamed.status_code == 400 and "plain, trips" in unnamed.json()["message"]
    named = requests.post(url, data=body, headers={**headers, "Slipway-Model": "plain"}, timeout=30)
    assert named.status_code == 200
    assert requests.post(url + "?model=plain@1", data=body, headers=headers, timeout=30).json() == named.json()
