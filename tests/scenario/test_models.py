"""Models this repository has never seen, packed and served by the README alone: an ONNX file and four lines of YAML."""

import json
import os
import subprocess

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from conftest import PROGRAM

sklearn = pytest.importorskip("sklearn")

from onnxmltools import convert_lightgbm, convert_xgboost  # noqa: E402
from onnxmltools.convert.common.data_types import FloatTensorType  # noqa: E402
from skl2onnx import to_onnx  # noqa: E402
from skl2onnx.common.data_types import FloatTensorType as SkFloat  # noqa: E402
from skl2onnx.common.data_types import StringTensorType  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.datasets import load_diabetes, load_iris, load_wine  # noqa: E402
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor  # noqa: E402
from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: E402
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.multioutput import MultiOutputClassifier  # noqa: E402
from sklearn.naive_bayes import GaussianNB  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402


def served(slipway, model_bytes, records, name="m"):
    """Packs, verifies, predicts and serves; returns the predictions, the same from every door."""
    slipway.write(f"{name}/slipway.yaml", f"slipway: 1\nname: {name}\nversion: 1.0.0\nmodel: {{engine: onnx, file: model.onnx}}\n")
    slipway.write(f"{name}/model.onnx", model_bytes)
    lines = "".join(json.dumps(record) + "\n" for record in records)
    slipway.write("records.jsonl", lines)
    slipway("pack", name, "--golden", "records.jsonl")
    slipway("verify", f"{name}-1.0.0.slipway")
    from_file = [answer["prediction"] for answer in slipway.lines("predict", f"{name}-1.0.0.slipway", stdin=lines)]
    with slipway.serving(f"{name}-1.0.0.slipway") as server:
        status, answer = server.predict(name, {"records": records})
        assert status == 200 and answer["predictions"] == from_file
    return from_file


def python_outputs(model_bytes, inputs):
    session = onnxruntime.InferenceSession(model_bytes)
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, inputs)))


def same_bits(got, expected):
    got, expected = np.asarray(got, dtype="float32"), np.asarray(expected, dtype="float32")
    return got.shape == expected.shape and (got.view("uint32") == expected.view("uint32")).all()


def one_by_one(model_bytes, name, rows):
    """What Python gets for each row alone: the promise is about rows, not about batches."""
    outputs = [python_outputs(model_bytes, {name: rows[i : i + 1]}) for i in range(len(rows))]
    return {key: np.concatenate([o[key] for o in outputs]) for key in outputs[0] if isinstance(outputs[0][key], np.ndarray)}


def test_a_classifier_with_zip_map(slipway):
    x, y = load_iris(return_X_y=True)
    x = x.astype("float32")
    labels = np.array(["setosa", "versicolor", "virginica"])[y]
    model = to_onnx(RandomForestClassifier(20, random_state=0).fit(x, labels), x[:1]).SerializeToString()
    predictions = served(slipway, model, [{"X": row.tolist()} for row in x[::7]])
    expected = python_outputs(model, {"X": x[::7]})
    assert [p["output_label"] for p in predictions] == list(expected["output_label"])
    for prediction, row in zip(predictions, expected["output_probability"]):
        assert set(prediction["output_probability"]) == set(row)
        assert same_bits([prediction["output_probability"][k] for k in row], list(row.values()))


def test_a_pipeline_with_typed_columns(slipway):
    rows = [{"size": float(i % 9), "weight": float(i % 5) / 2, "color": ["red", "green", "blue"][i % 3]} for i in range(90)]
    import pandas as pd

    table = pd.DataFrame(rows)
    y = (table["size"] > 4).astype(int)
    pipeline = make_pipeline(
        ColumnTransformer([("n", StandardScaler(), ["size", "weight"]), ("c", OneHotEncoder(), ["color"])]), LogisticRegression()
    ).fit(table, y)
    types = [("size", SkFloat([None, 1])), ("weight", SkFloat([None, 1])), ("color", StringTensorType([None, 1]))]
    model = to_onnx(pipeline, initial_types=types, options={"zipmap": False}).SerializeToString()
    predictions = served(slipway, model, rows[:30])
    for row, prediction in zip(rows, predictions):
        feed = {k: np.array([[v]], dtype=object if isinstance(v, str) else "float32") for k, v in row.items()}
        expected = python_outputs(model, feed)
        assert same_bits(prediction["probabilities"], expected["probabilities"][0])


@pytest.mark.parametrize("kind", ["xgboost", "lightgbm"])
def test_boosted_trees(slipway, kind):
    x, y = load_wine(return_X_y=True)
    x, y = x.astype("float32"), (y > 0).astype(int)
    types = [("features", FloatTensorType([None, x.shape[1]]))]
    if kind == "xgboost":
        import xgboost

        trained = xgboost.XGBClassifier(n_estimators=30, max_depth=3).fit(x, y)
        model = convert_xgboost(trained, initial_types=types).SerializeToString()
    else:
        import lightgbm

        trained = lightgbm.LGBMClassifier(n_estimators=30, verbose=-1).fit(x, y)
        model = convert_lightgbm(trained, initial_types=types, zipmap=False).SerializeToString()
    predictions = served(slipway, model, [{"features": row.tolist()} for row in x[::3]])
    expected = one_by_one(model, "features", x[::3])
    assert same_bits([p["probabilities"] for p in predictions], expected["probabilities"])
    assert np.allclose([p["probabilities"] for p in predictions], trained.predict_proba(x[::3]), atol=1e-5)


def test_a_neural_network(slipway):
    x, y = load_iris(return_X_y=True)
    x = x.astype("float32")
    model = to_onnx(
        make_pipeline(StandardScaler(), MLPClassifier((16, 8), max_iter=300, random_state=0)).fit(x, y), x[:1], options={"zipmap": False}
    ).SerializeToString()
    predictions = served(slipway, model, [{"X": row.tolist()} for row in x[::5]])
    expected = one_by_one(model, "X", x[::5])
    assert same_bits([p["probabilities"] for p in predictions], expected["probabilities"])


def test_a_text_classifier(slipway):
    texts = ["good flight and kind crew", "bad delay again", "kind people", "awful delay", "good food", "bad seat", "ÉTÉ agréable", "naïve crew"] * 4
    y = [1, 0, 1, 0, 1, 0, 1, 1] * 4
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, y)
    model = to_onnx(pipeline, initial_types=[("text", StringTensorType([None, 1]))], options={"zipmap": False}).SerializeToString()
    ask = ["good crew", "awful delay again", "", "nothing known here", "ÉTÉ"]
    predictions = served(slipway, model, [{"text": text} for text in ask])
    got = np.array([p["probabilities"] for p in predictions])
    assert np.allclose(got[:4], pipeline.predict_proba(ask[:4]), atol=1e-5)


def test_several_outputs(slipway):
    x, y = load_diabetes(return_X_y=True)
    x = x.astype("float32")
    model = to_onnx(LinearRegression().fit(x, np.stack([y, -y, y * 2], axis=1)), x[:1]).SerializeToString()
    predictions = served(slipway, model, [{"X": row.tolist()} for row in x[:20]])
    expected = python_outputs(model, {"X": x[:20]})  # of a lone row this operator's last bit differs; see docs/design/same-bits.md
    assert same_bits([p["variable"] for p in predictions], expected["variable"])


def test_nothing_is_kept_or_sent_for_onnx_runtimes_maker(slipway):
    # Its Linux builds from 1.29 on do, unless the environment forbids it; they spare machines that look like CI.
    x, y = load_iris(return_X_y=True)
    model = to_onnx(LogisticRegression(max_iter=200).fit(x.astype("float32"), y), x[:1].astype("float32"))
    slipway.write("m/slipway.yaml", "slipway: 1\nname: m\nversion: 1.0.0\nmodel: {engine: onnx, file: model.onnx}\n")
    slipway.write("m/model.onnx", model.SerializeToString())
    home = slipway.folder / "home"
    home.mkdir()
    kept = ("PATH", "LD_LIBRARY_PATH", "SLIPWAY_ONNXRUNTIME")
    environment = {key: os.environ[key] for key in kept if key in os.environ}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "TMPDIR": str(home), "ORT_DISABLE_TELEMETRY": "0"}
    subprocess.run([PROGRAM, "inspect", "m"], cwd=slipway.folder, env=environment, check=True, capture_output=True, timeout=60)
    assert list(home.rglob("*")) == []


def test_a_naive_bayes_that_was_packed_can_be_verified(slipway):
    x, y = load_wine(return_X_y=True)
    x = x.astype("float32")
    model = to_onnx(GaussianNB().fit(x, y), x[:1]).SerializeToString()
    served(slipway, model, [{"X": row.tolist()} for row in x[::9]])


def test_a_forest_of_several_targets_answers_all_of_them(slipway):
    x, y = load_diabetes(return_X_y=True)
    x = x.astype("float32")
    model = to_onnx(RandomForestRegressor(5, random_state=0).fit(x, np.c_[y, -y]), x[:1]).SerializeToString()
    predictions = served(slipway, model, [{"X": row.tolist()} for row in x[:12]])
    assert same_bits([p["variable"] for p in predictions], one_by_one(model, "X", x[:12])["variable"])


def test_a_classifier_of_several_targets_answers_each_with_its_probabilities(slipway):
    x, y = load_wine(return_X_y=True)
    x = x.astype("float32")
    both = np.stack([y, x[:, 0] > 13], axis=1).astype("int64")
    model = to_onnx(MultiOutputClassifier(RandomForestClassifier(10, random_state=0)).fit(x, both), x[:1]).SerializeToString()
    predictions = served(slipway, model, [{"X": row.tolist()} for row in x[::9]])
    expected = python_outputs(model, {"X": x[::9]})
    assert [p["label"] for p in predictions] == expected["label"].tolist()
    for target in (0, 1):
        assert same_bits([p[f"probabilities_{target}"] for p in predictions], expected["probabilities"][target])
    assert set(predictions[0]) == {"label", "probabilities_0", "probabilities_1"}


def test_the_outputs_of_a_sequence_may_be_named_in_the_manifest(slipway):
    x, y = load_wine(return_X_y=True)
    x = x.astype("float32")
    both = np.stack([y, x[:, 0] > 13], axis=1).astype("int64")
    trained = MultiOutputClassifier(RandomForestClassifier(10, random_state=0)).fit(x, both)
    slipway.write("m/model.onnx", to_onnx(trained, x[:1]).SerializeToString())
    slipway.write("m/slipway.yaml", """
slipway: 1
name: m
version: 1.0.0
model: {engine: onnx, file: model.onnx}
outputs:
  kind: {from: "label[0]"}
  strong: {from: "probabilities_1[1]"}
""")
    (answer,) = slipway.lines("predict", "m", stdin=json.dumps({"X": x[0].tolist()}))
    assert answer["prediction"] == {"kind": 0, "strong": pytest.approx(trained.predict_proba(x[:1])[1][0, 1], abs=1e-6)}


@pytest.mark.parametrize("zipmap", [True, False])
def test_a_quadratic_discriminant_analysis_answers_a_label_a_row(slipway, zipmap):
    x, y = load_iris(return_X_y=True)
    x = x.astype("float32")
    labels = np.array(["setosa", "versicolor", "virginica"])[y]
    trained = QuadraticDiscriminantAnalysis().fit(x, labels)
    model = to_onnx(trained, x[:1], options={"zipmap": zipmap}).SerializeToString()
    predictions = served(slipway, model, [{"X": row.tolist()} for row in x[::9]])
    label, probabilities = ("output_label", "output_probability") if zipmap else ("label", "probabilities")
    assert [p[label] for p in predictions] == trained.predict(x[::9]).tolist()
    got = [list(p[probabilities].values()) if zipmap else p[probabilities] for p in predictions]
    assert np.allclose(got, trained.predict_proba(x[::9]), atol=1e-4)


def test_gaps_reach_a_boosted_model_when_its_columns_are_named(slipway):
    import xgboost

    x, y = load_wine(return_X_y=True)
    x = np.where(np.random.default_rng(0).random(x.shape) < 0.2, np.nan, x).astype("float32")
    trained = xgboost.XGBClassifier(n_estimators=10).fit(x, y)
    model = convert_xgboost(trained, initial_types=[("features", FloatTensorType([None, 13]))]).SerializeToString()
    columns = "".join(f"  f{i}: {{type: number, missing: null}}\n" for i in range(13))
    slipway.write("m/slipway.yaml", f"slipway: 1\nname: m\nversion: 1.0.0\ninputs:\n{columns}model: {{engine: onnx, file: model.onnx}}\n")
    slipway.write("m/model.onnx", model)
    pd.DataFrame(x, columns=[f"f{i}" for i in range(13)]).to_csv(slipway.folder / "t.csv", index=False)
    predictions = [line["prediction"] for line in slipway.lines("predict", "m", "--input", "t.csv", "--strict")]
    # Row by row: with several threads, Python's batches sum trees in another order (docs/design/same-bits.md).
    expected = one_by_one(model, "features", x)
    assert same_bits([p["probabilities"] for p in predictions], expected["probabilities"])
