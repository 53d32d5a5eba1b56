"""Values that callers send stay out of the log, whatever goes wrong, through every door."""

import http.client
import json
import time

import numpy as np
import pytest
from collector import Collector

# What a person would not want to find in a log, in every place that a request has for it.
SECRETS = ["jane.roe@example.org", "Jane Roe", "+41 79 555 01 23", "CH93-0076-2011", "4111111111111111"]
RECORD = {"income": 30000.0, "age": 30, "purpose": "car", "city": "Jane Roe", "applied": "2024-03-01T10:00:00",
          "email": "jane.roe@example.org"}
BROKEN_RECORDS = [
    dict(RECORD, age=7, email="Jane Roe"),  # rule and pattern broken
    dict(RECORD, age="+41 79 555 01 23"),  # wrong type
    dict(RECORD, income="4111111111111111x", applied="CH93-0076-2011"),
    dict(RECORD, **{"CH93-0076-2011": 1}),  # unknown field, named like a value
    {"email": ["jane.roe@example.org"]},
    "Jane Roe",
]


def tensor(value):
    return {"inputs": [{"name": "email", "shape": [1], "datatype": "BYTES", "data": [value]},
                       {"name": "Jane Roe", "shape": [1], "datatype": "BYTES", "data": [value]}]}


def requests_of_every_door():
    """(path, content type, body), each with personal values in it, most of them wrong."""
    yield "/predict/loans", "application/json", RECORD
    for record in BROKEN_RECORDS:
        text = json.dumps(record)
        yield "/predict/loans", "application/json", record
        yield "/predict/loans", "application/json", [record, RECORD]
        yield "/predict/loans", "application/json", text[:-2]  # malformed
        yield "/predict/loans", "application/x-ndjson", text + "\n" + text[:-2] + "\n"
        yield "/v1/models/loans:predict", "application/json", {"instances": [record]}
        yield "/v1/models/loans:classify", "application/json", {"examples": [record]}
        yield "/v1/models/loans:predict", "application/json", {"signature_name": "Jane Roe", "instances": [record]}
        yield "/invocations", "application/json", {"dataframe_records": [record]}
        yield "/invocations", "application/json", {"dataframe_split": {"columns": ["Jane Roe"], "data": [["jane.roe@example.org"]]}}
    for value in SECRETS:
        yield "/predict/loans", "text/csv", f"email,age,{value}\n{value},{value},{value}\n"
        yield "/invocations", "text/csv", f"email,age\n{value},{value}\n"
        yield "/v2/models/loans/infer", "application/json", tensor(value)
        yield "/predict/loans", value.replace("\n", ""), RECORD  # as a media type
    binary = json.dumps({"inputs": [{"name": "email", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 24}}]}).encode()
    yield "/v2/models/loans/infer", f"binary {len(binary)}", binary + np.uint32(20).tobytes() + b"jane.roe@example.org"


def send(server, path, content_type, body):
    payload = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = {"Content-Type": content_type, "Cookie": "session=CH93-0076-2011", "Authorization": "Bearer 4111111111111111",
               "User-Agent": "Jane Roe", "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    if content_type.startswith("binary"):
        headers |= {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": content_type.split()[1]}
    query = "?email=jane.roe@example.org&timing=4111111111111111"
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    connection.request("POST", path + query, payload, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    connection.request("POST", path, payload, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_no_door_writes_what_a_caller_sent(slipway, bundle):
    with Collector() as collector, slipway.serving(
            bundle, options=("--log-level", "debug", "--log-requests", "100000", "--otlp-endpoint", collector.url)) as server:
        statuses = [send(server, *request) for request in requests_of_every_door()]
        assert statuses[0] == 200 and {400, 415, 422} <= set(statuses), sorted(set(statuses))
        collector.wait_for(2 * len(statuses))
        time.sleep(0.2)
    log = server.log.read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert sum(line["event"] == "request" for line in lines) >= 2 * len(statuses)
    for secret in SECRETS:
        assert secret not in log, [line for line in log.splitlines() if secret in line][:3]
        assert secret not in str(collector.requests)
    assert {line["door"] for line in lines if line.get("event") == "request" and "door" in line} >= {"native", "oip", "tfserving", "mlflow"}


def test_a_request_line_says_what_happened(slipway, bundle):
    with slipway.serving(bundle) as server:
        server.request("POST", "/predict/loans", [RECORD, dict(RECORD, age=7)], {"X-Request-Id": "one"})
        server.request("POST", "/predict/loans", "{", {"X-Request-Id": "two"})
    lines = {line["request_id"]: line for line in map(json.loads, server.log.read_text().splitlines()) if line["event"] == "request"}
    one, two = lines["one"], lines["two"]
    assert (one["model"], one["version"], one["door"], one["outcome"], one["rows"], one["rejected"]) == ("loans", "1.0.0", "native", "partial", 2, 1)
    assert one["ms"] >= sum(one[f"{phase}_ms"] for phase in ("decode", "validate", "features", "infer", "outputs", "encode"))
    assert one["infer_ms"] > 0
    assert (two["status"], two["outcome"], two["code"], two["level"]) == (400, "error", "json.malformed", "warning")


@pytest.mark.parametrize("door", ["/predict/Jane%20Roe", "/v2/models/Jane%20Roe/infer", "/v1/models/Jane%20Roe:predict"])
def test_a_name_that_is_no_model_is_in_no_metric_and_no_span(slipway, bundle, door):
    with Collector() as collector, slipway.serving(bundle, options=("--otlp-endpoint", collector.url, "--trace-sample", "1")) as server:
        server.request("POST", door, RECORD)
        collector.wait_for(1)
        assert "Jane" not in server.get("/metrics")[1]
        assert "Jane" not in str(collector.requests)
