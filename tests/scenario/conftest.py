"""Drives the real program the way its users do."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import urllib.error
import urllib.request

import numpy as np
import pandas as pd
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("SLIPWAY", str(ROOT / "build/release/slipway"))


class Slipway:
    """Runs commands in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *arguments, stdin=None, expect=0):
        done = subprocess.run(
            [PROGRAM, *map(str, arguments)], cwd=self.folder, input=stdin, capture_output=True, timeout=120,
            text=not isinstance(stdin, bytes),
        )
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def lines(self, *arguments, **options):
        return [json.loads(line) for line in self(*arguments, **options).stdout.splitlines()]

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text) if isinstance(text, bytes) else path.write_text(text)
        return path

    @contextlib.contextmanager
    def serving(self, *bundles, options=()):
        """A running server; ends it with SIGTERM and wants exit code 0."""
        log = self.folder / "serve.log"
        process = subprocess.Popen(
            [PROGRAM, "serve", *map(str, bundles), "--http", "127.0.0.1:0", "--json", "--log-file", str(log), *options],
            cwd=self.folder, stdout=subprocess.PIPE, text=True,
        )
        try:
            text = ""
            while not text.rstrip().endswith("}") or text.count("{") != text.count("}"):
                line = process.stdout.readline()
                assert line, f"serve ended: {process.wait()} {text}"
                text += line
            yield Server(f"http://{json.loads(text)['http']}", process, log)
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
            process.wait()


class Server:
    def __init__(self, url, process, log):
        self.url, self.process, self.log = url, process, log

    def request(self, method, path, body=None, headers=None):
        data = body if isinstance(body, (bytes, type(None))) else (body if isinstance(body, str) else json.dumps(body)).encode()
        request = urllib.request.Request(self.url + path, data, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            return error.code, error.read(), dict(error.headers)

    def get(self, path):
        status, body, _ = self.request("GET", path)
        return status, body.decode()

    def predict(self, model, body, content_type="application/json"):
        status, answer, _ = self.request("POST", f"/predict/{model}", body, {"Content-Type": content_type})
        return status, json.loads(answer)


@pytest.fixture
def slipway(tmp_path):
    return Slipway(tmp_path)


def loans(rows, seed):
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "income": np.round(random.lognormal(10, 0.6, rows), 2),
            "age": random.integers(18, 90, rows),
            "purpose": random.choice(["car", "home", "school", "trip"], rows),
            "city": random.choice([f"city-{i}" for i in range(40)], rows),
            "applied": pd.to_datetime("2024-01-01") + pd.to_timedelta(random.integers(0, 500000, rows), "min"),
        }
    )
    table.loc[random.random(rows) < 0.05, "income"] = np.nan
    late = (table.income.fillna(20000) < 22000).astype(int) ^ (random.random(rows) < 0.1)
    table["default"] = late.astype(int)
    table["applied"] = table.applied.dt.strftime("%Y-%m-%dT%H:%M:%S")
    return table


MANIFEST = """
slipway: 1
name: loans
version: 1.0.0
target: default
inputs:
  income:  {type: number, min: 0, missing: impute}
  age:     {type: integer, min: 18, max: 120}
  purpose: {type: string, values: [car, home, school, trip], unknown: other}
  city:    {type: string}
  applied: {type: timestamp}
  email:   {type: string, optional: true, personal: true, pattern: "[^@]+@[^@]+"}
rules:
  - {check: "age > 20 or income < 1000000", message: nobody earns that at twenty}
features:
  - {as: income_z,  standardize: income}
  - {as: age,       column: age}
  - {as: purpose,   one_hot: purpose}
  - {as: city_rate, target_encode: city, smoothing: 10}
  - {as: hour,      expr: "hour(applied)"}
  - {as: cycle,     cyclical: hour, period: 24}
model: {engine: onnx, file: model.onnx, input: features}
outputs:
  probability: {from: "probabilities[1]", min: 0, max: 1}
  default:     {when: "probability >= 0.5"}
"""


@pytest.fixture(scope="session")
def loans_folder(tmp_path_factory):
    """Fitted, trained and packed: loans/ with slipway.yaml, and loans-1.0.0.slipway beside it."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import GradientBoostingClassifier

    folder = tmp_path_factory.mktemp("loans")
    slipway = Slipway(folder)
    loans(4000, 1).to_csv(folder / "train.csv", index=False)
    loans(500, 2).to_csv(folder / "test.csv", index=False)
    slipway.write("loans/slipway.yaml", MANIFEST)
    slipway("fit", "loans", "--data", "train.csv")
    slipway("transform", "loans", "--data", "train.csv", "--output", "features.parquet", "--keep", "default")
    matrix = pd.read_parquet(folder / "features.parquet")
    features = matrix.drop(columns=["default"]).to_numpy(dtype="float32")
    model = GradientBoostingClassifier(n_estimators=40, random_state=0).fit(features, matrix["default"])
    onnx_model = to_onnx(model, features[:1], options={"zipmap": False}, target_opset=17)
    (folder / "loans/model.onnx").write_bytes(onnx_model.SerializeToString())
    slipway("pack", "loans", "--golden", "test.csv")
    return folder


@pytest.fixture
def bundle(loans_folder):
    return loans_folder / "loans-1.0.0.slipway"
