"""Tables as people have them: what init makes of them, and that its proposal works unedited up to a scored file."""

import json
import resource
import subprocess

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PROGRAM
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

ROWS = 300


def mixed(seed=1):
    """A column of each kind that gives trouble, and one of each that does not."""
    chance = np.random.default_rng(seed)
    pick = lambda values: chance.choice(values, ROWS)  # noqa: E731
    days, hours = chance.integers(1, 29, ROWS), chance.integers(0, 24, ROWS)
    return pd.DataFrame(
        {
            "row_id": range(ROWS),
            "zip code": [f"{n:05d}" for n in chance.integers(501, 99999, ROWS)],
            "active": pick(["yes", "no"]),
            "flag": chance.integers(0, 2, ROWS),
            "amount": [f"{n:,.2f}" for n in chance.lognormal(8, 1, ROWS)],
            "share": [f"{n:.1f}%" for n in chance.random(ROWS) * 100],
            "born": [f"{1950 + d}-0{1 + d % 9}-{d:02d}" for d in days],
            "day": [f"2023-05-{d:02d}" for d in days],
            "us_day": [f"05/{d:02d}/2023" for d in days],
            "when": [f"2023-05-{d:02d}T{h:02d}:30:00{z}" for d, h, z in zip(days, hours, pick(["Z", "+02:00", "-05:00"]))],
            "city": pick(["Köln", "São Paulo", "東京", 'New "York"', "a, b"]),
            "said": [f'"Hi",\nsaid number {n} to all' for n in chance.integers(0, 200, ROWS)],
            "email": [f"person{n}@mail.example" for n in range(ROWS)],
            "nothing": [None] * ROWS,
            "same": ["x"] * ROWS,
            "gaps": np.where(chance.random(ROWS) < 0.3, np.nan, chance.normal(size=ROWS)),
            "price": chance.permutation(ROWS) * 7919 + 100_000,
            "y": chance.integers(0, 2, ROWS),
        }
    )


def train(slipway, folder, matrix, target):
    table = pd.read_parquet(slipway.folder / matrix)
    x = table.drop(columns=[target]).fillna(0).to_numpy("float32")
    model = LogisticRegression(max_iter=50).fit(x, table[target].astype(str))
    slipway.write(f"{folder}/model.onnx", to_onnx(model, x[:1], options={"zipmap": False}).SerializeToString())


def test_a_proposal_works_unedited_from_init_to_a_scored_file(slipway):
    mixed().to_csv(slipway.folder / "t.csv", index=False, encoding="utf-8-sig")
    result = json.loads(slipway("init", "t.csv", "--target", "y", "--output", "b", "--json").stdout)
    left_out = {line.split(":")[0]: line for line in result["excluded"]}
    assert set(left_out) == {"row_id", "amount", "share", "us_day", "nothing", "same"}
    assert "1234.56" in left_out["amount"] and "ISO 8601" in left_out["us_day"]
    assert set(result["personal"]) == {"zip code", "email", "born"}
    text = (slipway.folder / "b/slipway.yaml").read_text()
    assert "@mail.example" not in text and "1950" not in text
    assert "day_weekday" in text and "day_hour" not in text and "when_hour" in text
    assert "{as: said_words, text: said" in text

    slipway("fit", "b", "--data", "t.csv")
    slipway("transform", "b", "--data", "t.csv", "--output", "m.parquet", "--keep", "y")
    train(slipway, "b", "m.parquet", "y")
    packed = json.loads(slipway("pack", "b", "--golden", "t.csv", "--json").stdout)
    assert packed["golden_records"] == 100 and packed["golden_rejected"] == 0
    slipway("verify", "b-1.0.0.slipway")
    done = slipway("predict", "b-1.0.0.slipway", "--input", "t.csv", "--ignore-unknown", "--output", "s.csv", "--keep", "row_id")
    assert "300 rows, 0 rejected" in done.stdout
    scored = pd.read_csv(slipway.folder / "s.csv")
    assert list(scored.row_id) == list(range(ROWS)) and scored.error.isna().all()


@pytest.mark.parametrize("separator, extension", [(";", "ssv"), ("\t", "tsv")])
def test_another_delimiter_is_named_and_can_be_asked_for(slipway, separator, extension):
    table = pd.DataFrame({"a": range(60), "b": np.arange(60) % 7 / 2, "y": np.arange(60) % 2})
    table.to_csv(slipway.folder / "t.csv", index=False, sep=separator)
    assert f"--format {extension}" in slipway("init", "t.csv", "--target", "y", expect=1).stderr
    result = json.loads(slipway("init", "t.csv", "--target", "y", "--format", extension, "--json").stdout)
    assert result["inputs"] == 1 and result["excluded"][0].startswith("a:")


@pytest.mark.parametrize(
    "name, content, hint",
    [
        ("t.csv", b"", "empty"),
        ("t.csv", b"a,b\n", "no rows"),
        ("t.csv", b"a,b,a\n1,2,3\n", 'twice: "a"'),
        ("t.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        ("t.csv", b'a,b\n1,"x\n', "not closed"),
        ("t.csv", b"a,b\n1\n2\n", "no row can be read"),
        ("t.parquet", b"PAR1 not really", "no Parquet file"),
        ("t.csv.gz", b"\x1f\x8b", "ends too early"),
        ("t.csv.bz2", b"BZh9", "unpack it"),
        ("t.xlsx", b"PK", "as CSV"),
        ("t.txt", b"a\n1\n", "--format"),
    ],
)
def test_a_table_that_is_none_is_told_the_way_out(slipway, name, content, hint):
    slipway.write(name, content)
    assert hint in slipway("init", name, expect=1).stderr


def test_rows_and_cells_that_cannot_be_read_are_told(slipway):
    slipway.write("t.csv", "name,x\n".encode() + "Müller,1\nLi,2\n".encode("latin-1") * 30 + b"Li\n")
    errors = slipway("init", "t.csv").stderr
    assert "1 of 61 rows cannot be read" in errors and "line 62" in errors
    assert '30 of 61 cells of "name" cannot be read' in errors and "ller" not in errors


def test_init_does_not_take_a_stream(slipway):
    assert "file" in slipway("init", "-", stdin="a\n1\n", expect=1).stderr


def test_types_of_parquet_that_no_column_takes_are_left_out(slipway):
    chance = np.random.default_rng(0)
    pq.write_table(
        pa.table(
            {
                "day": pa.array(chance.integers(0, 3000, ROWS), pa.int32()).cast(pa.date32()),
                "at": pa.array(chance.integers(0, 10**15, ROWS), pa.timestamp("us", tz="Europe/Berlin")),
                "sum": pa.array(chance.integers(0, 10**6, ROWS), pa.int32()).cast(pa.decimal128(12, 2)),
                "kind": pa.array(chance.choice(["red", "blue"], ROWS)).dictionary_encode(),
                "small": pa.array(chance.integers(-9, 9, ROWS), pa.int8()),
                "list": pa.array([[1.0, 2.0, 3.0]] * ROWS),
                "object": pa.array([{"a": 1}] * ROWS),
                "huge": pa.array([2**63 + n for n in range(ROWS)], pa.uint64()),
                "clock": pa.array(chance.integers(0, 86399, ROWS), pa.int32()).cast(pa.time32("s")),
                "bytes": pa.array([b"ab"] * ROWS),
                "y": pa.array(chance.integers(0, 2, ROWS)),
            }
        ),
        slipway.folder / "t.parquet",
    )
    result = json.loads(slipway("init", "t.parquet", "--target", "y", "--output", "b", "--json").stdout)
    assert {line.split(":")[0] for line in result["excluded"]} == {"list", "object", "huge", "clock", "bytes"}
    assert 'list: {type: "number[3]"}' in (slipway.folder / "b/slipway.yaml").read_text()
    slipway("fit", "b", "--data", "t.parquet")
    slipway("transform", "b", "--data", "t.parquet", "--output", "m.csv", "--keep", "y")
    assert len(pd.read_csv(slipway.folder / "m.csv")) == ROWS


def test_a_target_of_class_names_is_not_missing(slipway):
    table = pd.DataFrame({"x": np.arange(60) % 7 / 2, "y": ["late", "on time"] * 30})
    table.to_csv(slipway.folder / "t.csv", index=False)
    slipway("init", "t.csv", "--target", "y", "--output", "b")
    assert "no target" not in slipway("fit", "b", "--data", "t.csv").stderr


def test_missing_targets_may_be_written_NA(slipway):
    table = pd.DataFrame({"c": [f"c{n % 40}" for n in range(400)], "y": [n % 2 if n % 9 else "NA" for n in range(400)]})
    table.to_csv(slipway.folder / "t.csv", index=False)
    slipway("init", "t.csv", "--target", "y", "--output", "b")
    assert json.loads(slipway("fit", "b", "--data", "t.csv", "--json").stdout)["without_target"] == 45


def test_looking_at_a_long_table_takes_constant_memory(slipway):
    line = "{},user{},{:.3f},2023-05-0{}T10:00:00\n"
    with open(slipway.folder / "t.csv", "w") as file:
        file.write("id,user,x,at\n")
        file.writelines(line.format(n, n * 7919 % 99991, n / 7, n % 9 + 1) for n in range(400_000))
    done = subprocess.run(
        [PROGRAM, "init", "t.csv", "--json"], cwd=slipway.folder, capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (160 << 20, 160 << 20)),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == 400_000
