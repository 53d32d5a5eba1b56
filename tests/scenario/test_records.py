"""Rows keep their number and their meaning, however they come: see docs/formats/records.md."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
from skl2onnx import to_onnx
from sklearn.linear_model import LinearRegression

HEAD = "slipway: 1\nname: m\nversion: 1.0.0\n"
MODEL = "model: {engine: onnx, file: model.onnx, input: features}\n"


def bundle(slipway, manifest):
    x = np.arange(6, dtype="float32").reshape(6, 1)
    slipway.write("m/slipway.yaml", HEAD + manifest + MODEL)
    slipway.write("m/model.onnx", to_onnx(LinearRegression().fit(x, 2 * x[:, 0]), x[:1]).SerializeToString())
    slipway("pack", "m")
    return "m-1.0.0.slipway"


@pytest.fixture
def one_column(slipway):
    inputs = "inputs: {x: {type: number, default: -1}}\nfeatures: [{as: f, column: x}]\n"
    return bundle(slipway, inputs + "outputs: {was: {expr: x}, y: {from: 'variable[0]'}}\n")


def test_blank_lines_of_one_column_are_rows_at_every_door(slipway, one_column):
    expected = [-1.0, 1.0, -1.0, -1.0, 2.5, -1.0]
    text = 'x\n\n1\n\n""\n2.5\n\n'
    slipway.write("t.csv", text)
    from_file = slipway.lines("predict", one_column, "--input", "t.csv")
    assert [(a["row"], a["prediction"]["was"]) for a in from_file] == list(enumerate(expected))
    assert slipway.lines("predict", one_column, "--input", "-", "--format", "csv", stdin=text) == from_file
    lines = "".join(json.dumps({"x": None if was == -1 else was}) + "\n" for was in expected)
    assert slipway.lines("predict", one_column, stdin=lines) == from_file
    with slipway.serving(one_column) as server:
        status, body, _ = server.request("POST", "/predict/m", text, {"Content-Type": "text/csv"})
        assert status == 200
        answers = list(csv.DictReader(body.decode().splitlines()))
        assert [float(a["was"]) for a in answers] == expected


def test_rows_stay_aligned_with_the_frame_that_pandas_wrote(slipway, one_column):
    frame = pd.DataFrame({"x": [np.nan, 1.5, np.nan, np.nan, 4.0, np.nan] * 500})
    frame.to_csv(slipway.folder / "t.csv", index=False)
    slipway("predict", one_column, "--input", "t.csv", "--output", "o.csv")
    scored = pd.read_csv(slipway.folder / "o.csv")
    assert scored.was.tolist() == frame.x.fillna(-1).tolist()


def test_a_matrix_of_one_column_keeps_its_rows_in_pandas(slipway):
    manifest = "inputs: {x: {type: number, nullable: true}}\nfeatures: [{as: f, column: x}]\n"
    slipway.write("m/slipway.yaml", HEAD + manifest + MODEL)
    slipway.write("t.csv", "x\n1\n\n3\n\n")
    slipway("fit", "m", "--data", "t.csv")
    slipway("transform", "m", "--data", "t.csv", "--output", "f.csv")
    matrix = pd.read_csv(slipway.folder / "f.csv").f
    assert matrix.tolist()[::2] == [1, 3] and matrix.isna().tolist() == [False, True, False, True]


TYPES = ["boolean", "integer", "number", "string", "timestamp"]


@pytest.fixture
def typed(slipway):
    inputs = "".join(f"  {t}: {{type: {t}, nullable: true}}\n" for t in TYPES)
    outputs = "".join(f"  {t}: {{when: is_null({t})}}\n" for t in TYPES)
    return bundle(slipway, f"inputs:\n{inputs}features: [{{as: f, expr: '1'}}]\noutputs:\n{outputs}")


def test_an_empty_cell_in_quotes_is_null_but_for_a_string(slipway, typed):
    text = ",".join(TYPES) + '\n"","","","",""\n,,,,\n'
    quoted = {t: t != "string" for t in TYPES}
    empty = {t: True for t in TYPES}
    slipway.write("t.csv", text)
    slipway.write("t.tsv", text.replace(",", "\t"))
    for name in ["t.csv", "t.tsv"]:
        assert [a["prediction"] for a in slipway.lines("predict", typed, "--input", name)] == [quoted, empty]
    with slipway.serving(typed) as server:
        status, body, _ = server.request("POST", "/predict/m", text, {"Content-Type": "text/csv"})
        assert status == 200 and "false" in body.decode().splitlines()[1] and "false" not in body.decode().splitlines()[2]
        record = {t: "" for t in TYPES}
        status, answer = server.predict("m", record)  # JSON has null: an empty text is no number
        assert status == 422 and {v["field"] for v in answer["violations"]} == set(TYPES) - {"string"}


def test_a_table_with_every_cell_in_quotes_is_proposed_and_read_with_its_types(slipway, typed):
    frame = pd.DataFrame({"integer": [1, None] * 40, "number": [0.5, None, 1.5, 2.5] * 20, "boolean": [True, None] * 40,
                          "string": ["a", "", "b", "c"] * 20, "timestamp": ["2024-01-01", None] * 40}).astype({"integer": "Int64"})
    frame.to_csv(slipway.folder / "t.csv", index=False, quoting=csv.QUOTE_ALL)
    answers = [a["prediction"] for a in slipway.lines("predict", typed, "--input", "t.csv")]
    assert [a["number"] for a in answers] == frame.number.isna().tolist()
    assert [a["string"] for a in answers] == [False] * 80
    slipway("init", "t.csv", "--output", "out")
    text = (slipway.folder / "out/slipway.yaml").read_text()
    for column in ["integer", "number", "boolean", "timestamp"]:
        assert f"{column}: {{type: {column}" in text


def test_blank_lines_of_several_columns_are_no_rows(slipway, typed):
    slipway.write("t.csv", "\nnumber,string\n\n1,a\n\n2,b\n,\n\n")
    answers = slipway.lines("predict", typed, "--input", "t.csv", "--keep", "number")
    assert [(a["row"], a["kept"]["number"]) for a in answers] == [(0, 1.0), (1, 2.0), (2, None)]


def test_nothing_is_lost_behind_a_nul_byte(slipway, one_column):
    slipway.write("t.json", b'[{"x":1}]\0[{"x":2}]')
    assert "nothing may follow" in slipway("predict", one_column, "--input", "t.json", expect=1).stderr
    with slipway.serving(one_column) as server:
        status, _, _ = server.request("POST", "/predict/m", b'{"x":1}\0{"x":2}')
        assert status == 400
