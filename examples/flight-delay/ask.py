"""Asks the served model about flights it has never seen and compares every answer with the Python pipeline.

usage: ask.py URL APRIL.csv EXPECTED.csv
EXPECTED.csv holds the probabilities that XGBoost itself gives for the same rows. Exit code 1 when an answer is wrong.
"""

import csv
import json
import sys
import urllib.error
import urllib.request

url, april, expected_file = sys.argv[1:]
FIELDS = ["carrier", "origin", "dest", "distance", "sched_dep", "tailnum"]
BOUND = 1e-5  # XGBoost sums its trees in single precision in another order than ONNX Runtime


def ask(body):
    request = urllib.request.Request(
        f"{url}/predict/flight-delay", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def record(row):
    flight = {name: row[name] for name in FIELDS if row[name] != ""}
    flight["distance"] = float(flight["distance"])
    return flight


with open(april) as file:
    flights = [record(row) for row in csv.DictReader(file)]
with open(expected_file) as file:
    expected = [float(line) for line in file]
wrong = 0

status, answer = ask(flights[0])
print(f"  POST one flight      {status}  {json.dumps(answer['prediction'])}")
one = answer["prediction"]["probability"]

worst, late = 0.0, 0
for start in range(0, len(flights), 1000):
    batch = flights[start : start + 1000]
    status, answer = ask({"records": batch})
    if status != 200 or "errors" in answer:
        print(f"  WRONG: status {status}, {json.dumps(answer.get('errors', answer))[:300]}")
        sys.exit(1)
    for i, prediction in enumerate(answer["predictions"]):
        difference = abs(prediction["probability"] - expected[start + i])
        worst = max(worst, difference)
        wrong += difference > BOUND
        late += prediction["late"]
    if start == 0:
        wrong += answer["predictions"][0]["probability"] != one  # alone or in a batch: the same bits
print(f"  POST {len(flights)} flights   200  {late} predicted late; largest difference to XGBoost {worst:.1e}")

bad = dict(flights[0], distance=-5, carier="AA", sched_dep="2013-02-29T08:15:00")
status, answer = ask(bad)
print(f"  POST a broken record {status}")
for violation in answer.get("violations", []):
    print(f"       {violation['code']:<22} {violation['message']}")
codes = sorted(violation["code"] for violation in answer.get("violations", []))
if status != 422 or codes != ["schema.out_of_range", "schema.unknown_field", "schema.wrong_type"]:
    print(f"  WRONG: expected 422 with three violations, got {status} {codes}")
    wrong += 1

if wrong:
    print(f"  {wrong} answers were wrong")
    sys.exit(1)
