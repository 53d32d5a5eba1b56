"""From a table to predictions: init, fit, transform, pack, verify, inspect, predict."""

import json
import shutil

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from conftest import MANIFEST, loans


def test_init_proposes_a_manifest_that_fits_its_table(slipway):
    loans(300, 5).to_csv(slipway.folder / "train.csv", index=False)
    slipway("init", "train.csv", "--target", "default", "--name", "loans", "--output", "loans")
    text = (slipway.folder / "loans/slipway.yaml").read_text()
    assert "purpose: {type: string, values: [car, home, school, trip], unknown: other}" in text
    assert "\n  default:" not in text
    slipway("fit", "loans", "--data", "train.csv")
    slipway("transform", "loans", "--data", "train.csv", "--output", "m.csv", "--keep", "default")
    assert len(pd.read_csv(slipway.folder / "m.csv")) == 300


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_init_reads_every_format(slipway, form):
    table = loans(200, 6)
    path = slipway.folder / f"t.{form}"
    {"csv": lambda: table.to_csv(path, index=False), "parquet": lambda: table.to_parquet(path),
     "jsonl": lambda: table.to_json(path, orient="records", lines=True)}[form]()
    result = json.loads(slipway("init", path, "--target", "default", "--output", "out", "--json").stdout)
    assert result["rows"] == 200 and result["inputs"] == 5


def test_init_marks_identifiers_and_personal_data(slipway):
    table = loans(200, 7)
    table.insert(0, "loan_id", range(1000, 1200))
    table["contact"] = [f"person{i}@mail.example" for i in range(200)]
    table["zip"] = [f"0{1000 + i % 50}" for i in range(200)]
    table.to_csv(slipway.folder / "t.csv", index=False)
    result = json.loads(slipway("init", "t.csv", "--output", "out", "--json").stdout)
    text = (slipway.folder / "out/slipway.yaml").read_text()
    assert any(line.startswith("loan_id") for line in result["excluded"])
    assert "contact" in result["personal"] and "personal: true" in text
    assert "zip: {type: string" in text


def test_init_does_not_write_over_a_manifest(slipway):
    slipway.write("t.csv", "a\n1\n2\n")
    slipway("init", "t.csv")
    assert "--force" in slipway("init", "t.csv", expect=1).stderr


def test_fit_is_deterministic(loans_folder, slipway):
    for name in "ab":
        slipway.write(f"{name}/slipway.yaml", MANIFEST)
        slipway("fit", name, "--data", loans_folder / "train.csv")
    for file in ["fitted.json", "baseline.json"]:
        assert (slipway.folder / "a" / file).read_bytes() == (slipway.folder / "b" / file).read_bytes()


def test_the_baseline_describes_the_matrix_that_serving_computes(loans_folder, slipway):
    baseline = json.loads((loans_folder / "loans/baseline.json").read_text())
    shutil.copytree(loans_folder / "loans", slipway.folder / "loans")
    slipway("transform", "loans", "--data", loans_folder / "train.csv", "--output", "m.parquet", "--path", "serving",
            "--precision", "float64")
    matrix = pd.read_parquet(slipway.folder / "m.parquet")
    described = {}
    for name, feature in baseline["features"].items():
        described |= feature["elements"] if "elements" in feature else {name: feature}
    assert list(described) == list(matrix.columns) and baseline["rows"] == len(matrix) == 4000
    for name, feature in described.items():
        column = matrix[name].dropna()
        assert feature.get("nan", 0) == matrix[name].isna().sum()
        assert (feature["min"], feature["max"]) == (column.min(), column.max())
        assert np.isclose([feature["mean"], feature["std"]], [column.mean(), column.std(ddof=0)], rtol=1e-12, atol=1e-12).all()
        edges = [-np.inf, *feature["edges"], np.inf]
        assert [((column > low) & (column <= high)).sum() for low, high in zip(edges, edges[1:])] == feature["counts"]
    train = pd.read_csv(loans_folder / "train.csv")
    assert baseline["columns"]["income"]["nulls"] == train.income.isna().sum() > 0
    assert baseline["columns"]["purpose"]["values"] == train.purpose.value_counts().to_dict()
    assert baseline["target"]["counts"] == train["default"].value_counts().sort_index().tolist()


def test_the_training_path_is_out_of_fold_and_the_serving_path_is_not(loans_folder, slipway):
    shutil.copytree(loans_folder / "loans", slipway.folder / "loans")
    train = loans_folder / "train.csv"
    matrices = {}
    for path in ["auto", "training", "serving"]:
        slipway("transform", "loans", "--data", train, "--output", f"{path}.parquet", "--path", path)
        matrices[path] = pd.read_parquet(slipway.folder / f"{path}.parquet")
    assert matrices["auto"].equals(matrices["training"])
    assert matrices["training"].city_rate.nunique() > matrices["serving"].city_rate.nunique() == 40
    assert matrices["training"].drop(columns="city_rate").equals(matrices["serving"].drop(columns="city_rate"))


@pytest.mark.parametrize("form", ["parquet", "csv", "npy"])
def test_transform_writes_the_same_matrix_in_every_format(loans_folder, slipway, form):
    slipway("transform", loans_folder / "loans", "--data", loans_folder / "test.csv", "--output", f"m.{form}")
    path = slipway.folder / f"m.{form}"
    matrix = {"parquet": lambda: pd.read_parquet(path).to_numpy(), "csv": lambda: pd.read_csv(path).to_numpy(),
              "npy": lambda: np.load(path)}[form]().astype("float32")
    slipway("transform", loans_folder / "loans", "--data", loans_folder / "test.csv", "--output", "r.parquet")
    expected = pd.read_parquet(slipway.folder / "r.parquet").to_numpy(dtype="float32")
    assert matrix.shape == (500, 10)
    assert (matrix.view("uint32") == expected.view("uint32")).all()


def test_transform_keeps_columns_beside_rows_that_are_left_out(loans_folder, slipway):
    table = loans(50, 8)
    table["ref"] = [f"r-{i}" for i in range(50)]
    table.loc[::7, "age"] = 7
    table.to_csv(slipway.folder / "t.csv", index=False)
    slipway("transform", loans_folder / "loans", "--data", "t.csv", "--output", "m.parquet", "--keep", "ref,default")
    matrix = pd.read_parquet(slipway.folder / "m.parquet")
    kept = table[table.age >= 18]
    assert matrix.ref.tolist() == kept.ref.tolist() and matrix["default"].tolist() == kept["default"].tolist()


def test_packing_is_reproducible(loans_folder, slipway):
    for name in ["a", "b"]:
        slipway("pack", loans_folder / "loans", "--golden", loans_folder / "test.csv", "--output", f"{name}.slipway")
    assert (slipway.folder / "a.slipway").read_bytes() == (slipway.folder / "b.slipway").read_bytes()


def test_verify_tells_an_altered_model(loans_folder, slipway):
    shutil.copytree(loans_folder / "loans", slipway.folder / "loans")
    slipway("pack", "loans", "--golden", loans_folder / "test.csv", "--output", "x.slipway")
    result = json.loads(slipway("verify", "x.slipway", "--json").stdout)
    assert result["ok"] and result["golden"]["checked"] == 100
    data = bytearray((slipway.folder / "x.slipway").read_bytes())
    data[len(data) // 2] ^= 1
    slipway.write("y.slipway", bytes(data))
    assert "error:" in slipway("verify", "y.slipway", expect=1).stderr


def test_inspect_shows_the_contract(bundle, slipway):
    text = slipway("inspect", bundle).stdout
    for word in ["loans 1.0.0", "income", "one of car, home, school, trip", "probability", "when probability >= 0.5", "sha256:"]:
        assert word in text
    assert json.loads(slipway("inspect", bundle, "--json").stdout)["outputs"] == {"probability": "number", "default": "boolean"}


def test_every_door_gives_the_same_bits_and_they_are_the_trainers(loans_folder, bundle, slipway):
    table = loans(10_000, 3).drop(columns="default")
    table.to_csv(slipway.folder / "t.csv", index=False)
    table.assign(applied=pd.to_datetime(table.applied)).to_parquet(slipway.folder / "t.parquet")
    table.to_json(slipway.folder / "t.jsonl", orient="records", lines=True, double_precision=15)
    answers = {form: slipway("predict", bundle, "--input", f"t.{form}").stdout for form in ["csv", "parquet", "jsonl"]}
    answers["one thread"] = slipway("predict", bundle, "--input", "t.csv", "--threads", "1").stdout
    assert len(set(answers.values())) == 1
    predictions = [json.loads(line)["prediction"] for line in answers["csv"].splitlines()]
    assert len(predictions) == 10_000

    records = [json.loads(line) for line in (slipway.folder / "t.jsonl").read_text().splitlines()]
    with slipway.serving(bundle) as server:
        answered = []
        for start in range(0, 10_000, 4000):
            status, answer = server.predict("loans", {"records": records[start : start + 4000]})
            assert status == 200
            answered += answer["predictions"]
        assert answered == predictions
        alone = [server.predict("loans", record)[1]["prediction"] for record in records[:200]]
        assert alone == predictions[:200]

    slipway("transform", loans_folder / "loans", "--data", "t.csv", "--output", "m.parquet")
    matrix = pd.read_parquet(slipway.folder / "m.parquet").to_numpy(dtype="float32")
    session = onnxruntime.InferenceSession(loans_folder / "loans/model.onnx")
    expected = np.array([session.run(["probabilities"], {"X": row[None]})[0][0, 1] for row in matrix])
    got = np.array([p["probability"] for p in predictions], dtype="float32")
    assert (got.view("uint32") == expected.view("uint32")).all()


def test_predict_keeps_columns_and_puts_errors_last(bundle, slipway):
    slipway.write("t.csv", "ref,income,age,purpose,city,applied\nr-1,1000,30,car,city-1,2024-01-01\nr-2,1000,7,car,city-1,2024-01-01\n")
    slipway("predict", bundle, "--input", "t.csv", "--keep", "ref,age", "--output", "o.csv")
    rows = pd.read_csv(slipway.folder / "o.csv")
    assert list(rows.columns) == ["ref", "age", "probability", "default", "error"]
    assert list(rows.ref) == ["r-1", "r-2"] and pd.isna(rows.error[0])
    assert json.loads(rows.error[1])["violations"][0]["code"] == "schema.out_of_range"


def test_exit_codes_say_who_is_at_fault(bundle, slipway):
    good = '{"income":1000,"age":30,"purpose":"car","city":"x","applied":"2024-01-01"}\n'
    slipway("predict", bundle, stdin=good)
    slipway("predict", bundle, stdin=good + "{}\n")
    slipway("predict", bundle, "--strict", stdin=good + "{}\n", expect=1)
    slipway("predict", bundle, stdin="{}\n", expect=1)
    slipway("predict", bundle, "--no-such-option", expect=2)
    slipway("nonsense", expect=2)
    slipway("predict", bundle, "--output", "/proc/nowhere/x.jsonl", stdin=good, expect=3)
    slipway("predict", "missing.slipway", expect=1)
    error = json.loads(slipway("verify", "missing.slipway", "--json", expect=1).stdout)["error"]
    assert error["reason"] and error["message"]


def test_every_command_helps_with_an_example(slipway):
    for command in ["init", "fit", "transform", "pack", "inspect", "verify", "predict", "serve", "completion"]:
        assert "Example" in slipway(command, "--help").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_options(slipway, shell):
    text = slipway("completion", shell).stdout
    assert "transform" in text and "keep" in text


def test_a_misfit_between_manifest_and_model_names_the_line(loans_folder, slipway):
    shutil.copytree(loans_folder / "loans", slipway.folder / "loans")
    yaml = MANIFEST.replace("  - {as: age,       column: age}\n", "")
    slipway.write("loans/slipway.yaml", yaml)
    error = slipway("pack", "loans", expect=1).stderr
    line = 1 + yaml[: yaml.index("model: {")].count("\n")
    assert f"slipway.yaml:{line}:" in error and "10" in error and "9" in error


def test_unknown_keys_name_the_nearest(loans_folder, slipway):
    slipway.write("x/slipway.yaml", MANIFEST.replace("smoothing: 10", "smothing: 10"))
    error = slipway("fit", "x", "--data", loans_folder / "train.csv", expect=1).stderr
    line = 1 + MANIFEST[: MANIFEST.index("smoothing")].count("\n")
    assert "smothing" in error and "smoothing" in error and f"slipway.yaml:{line}:" in error
