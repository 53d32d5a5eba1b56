"""What the server says of itself: /openapi.json and the page that is made from it."""

import json
import re


def test_openapi_tells_the_contract_of_each_model(slipway, bundle):
    with slipway.serving(bundle) as server:
        status, text = server.get("/openapi.json")
    assert status == 200
    api = json.loads(text)
    operation = api["paths"]["/predict/loans"]["post"]
    record = api["components"]["schemas"]["loans.Record"]
    assert record["properties"]["age"] == {"type": "integer", "format": "int64", "minimum": 18, "maximum": 120}
    assert record["properties"]["income"]["anyOf"][1] == {"type": "null"}
    assert set(record["required"]) == {"age", "purpose", "city", "applied"}
    assert "nobody earns that at twenty" in record["description"]
    assert set(api["components"]["schemas"]["loans.Prediction"]["properties"]) == {"probability", "default"}
    assert "422" in operation["responses"]


def test_every_example_of_openapi_is_answered(slipway, bundle):
    with slipway.serving(bundle) as server:
        api = json.loads(server.get("/openapi.json")[1])
        examples = api["paths"]["/predict/loans"]["post"]["requestBody"]["content"]["application/json"]["examples"]
        assert len(examples) == 3
        for example in examples.values():
            status, answer = server.predict("loans", example["value"])
            assert status == 200
            assert set(answer["prediction"]) == set(api["components"]["schemas"]["loans.Prediction"]["properties"])


def test_examples_hold_no_personal_value(slipway, loans_folder):
    record = {"age": 30, "purpose": "car", "city": "city-1", "applied": "2024-01-01T00:00:00", "email": "a@b"}
    slipway.write("golden.jsonl", json.dumps(record) + "\n" + json.dumps(record | {"email": None}) + "\n")
    slipway("pack", loans_folder / "loans", "--golden", "golden.jsonl", "--output", "with-email.slipway")
    with slipway.serving("with-email.slipway") as server:
        text = server.get("/openapi.json")[1]
    assert "a@b" not in text
    assert '"golden1"' in text


def test_the_page_loads_nothing_from_elsewhere(slipway, bundle):
    with slipway.serving(bundle) as server:
        status, page, headers = server.request("GET", "/docs")
        assert status == 200 and headers["Content-Type"].startswith("text/html")
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        linked = re.findall(r'(?:src|href)="([^"]+)"', page.decode())
        assert linked and not [link for link in linked if "//" in link]
        for link in set(linked):
            assert server.get("/" + link)[0] == 200
        assert "http" not in server.get("/docs/page.js")[1]
