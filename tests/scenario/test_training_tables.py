"""What fit, transform and init say about tables that are not as they should be."""

import json

import pytest

MANIFEST = """
slipway: 1
name: b
version: 1.0.0
target: y
inputs:
  x: string
  n: {type: number, missing: "null"}
features:
  - {as: rate, target_encode: x}
  - {as: n,    standardize: n}
"""


@pytest.fixture
def folder(slipway):
    slipway.write("b/slipway.yaml", MANIFEST)
    slipway.write("good.csv", "x,n,y\na,1,0\nb,2,1\na,3,1\n")
    return slipway


def fit_error(slipway, name, text):
    slipway.write(name, text)
    return slipway("fit", "b", "--data", name, expect=1).stderr


def test_a_fault_of_the_table_names_its_file_and_row(folder):
    assert 'error: t.csv: the target "y" holds the text "apple" in row 2' in fit_error(folder, "t.csv", "x,n,y\na,1,0\n5,x,1\nb,2,apple\n")
    assert "error: t.csv: the table has no rows" in fit_error(folder, "t.csv", "x,n,y\n")


def test_a_fault_of_a_step_names_the_manifest(folder):
    assert 'error: slipway.yaml:11:5: feature "n": no row has a finite value' in fit_error(folder, "t.csv", "x,n,y\na,,0\nb,,1\n")


def test_an_infinite_target_is_called_infinite_not_null(folder):
    assert 'the target "y" is infinite in row 1' in fit_error(folder, "t.csv", "x,n,y\na,1,0\nb,2,inf\n")
    assert 'the target "y" is infinite in row 0' in fit_error(folder, "t.jsonl", '{"x":"a","n":1,"y":1e999}\n{"x":"a","n":2,"y":1}\n')


@pytest.mark.parametrize("output", ["m.csv", "m.parquet"])
def test_an_empty_table_makes_an_empty_matrix(folder, output):
    folder("fit", "b", "--data", "good.csv")
    folder.write("empty.csv", "x,n,y\n")
    folder("transform", "b", "--data", "empty.csv", "--output", output, "--keep", "y")
    if output.endswith(".csv"):
        assert (folder.folder / output).read_text() == "rate,n,y\n"
    else:
        import pandas as pd

        assert list(pd.read_parquet(folder.folder / output).columns) == ["rate", "n", "y"]


def test_a_json_document_says_itself_what_is_text(slipway):
    rows = [{"code": str(1000 + i), "count": i, "y": i % 2} for i in range(30)]
    slipway.write("t.json", json.dumps(rows))
    slipway("init", "t.json", "--target", "y", "--output", "made")
    text = (slipway.folder / "made/slipway.yaml").read_text()
    code = next(line for line in text.splitlines() if line.strip().lstrip("# ").startswith("code:"))
    assert "string" in code, text


def test_a_column_of_names_is_personal_by_its_name(slipway):
    lines = "".join(f"Ann {'abcdefgh'[i % 8]},Jet {i % 3},{i},{i % 2}\n" for i in range(40))
    slipway.write("t.csv", "passenger_name,airline_name,n,y\n" + lines)
    slipway("init", "t.csv", "--target", "y", "--output", "made")
    text = (slipway.folder / "made/slipway.yaml").read_text()
    passenger = next(line for line in text.splitlines() if "passenger_name:" in line)
    airline = next(line for line in text.splitlines() if "airline_name:" in line)
    assert "personal: true" in passenger and 'by its name, "passenger_name"' in passenger, text
    assert "personal" not in airline
