"""`slipway batch run --sql`: rows of a query are scored, or score themselves by calling `predict`."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

ROWS = 50_000


@pytest.fixture
def table(batch):
    table = pd.read_csv(batch.shop / "flights.csv", dtype={"tailnum": "string"}, nrows=ROWS)
    table["flight"] = range(ROWS)
    table["sched_dep"] = pd.to_datetime(table.sched_dep)
    table["month"] = table.sched_dep.dt.day % 3
    (batch.folder / "flights").mkdir()
    table[: ROWS // 2].to_parquet(batch.folder / "flights/a.parquet", index=False, row_group_size=7000)
    table[ROWS // 2 :].to_parquet(batch.folder / "flights/b.parquet", index=False, row_group_size=9000)
    return table


def frame(batch, name):
    return pq.read_table(batch.folder / name).to_pandas()


def same_bits(one, other):
    assert list(one.flight) == list(other.flight)
    assert one.probability.to_numpy("float32").tobytes() == other.probability.to_numpy("float32").tobytes()
    assert list(one.late.fillna(-1)) == list(other.late.fillna(-1)) and list(one.error.fillna("")) == list(other.error.fillna(""))


def test_a_query_over_files_is_scored_like_a_file(batch, table):
    batch("--sql", "SELECT * EXCLUDE (month) FROM 'flights/*.parquet' WHERE month = 1 -- only these", "--output", "q.csv", "--keep", "flight")
    table[table.month == 1].drop(columns="month").to_parquet(batch.folder / "w.parquet", index=False)
    batch("--input", "w.parquet", "--output", "w.csv", "--keep", "flight")
    assert (batch.folder / "q.csv").read_bytes() == (batch.folder / "w.csv").read_bytes()
    batch("--input", "flights/", "--sql", "SELECT * EXCLUDE (month) FROM input WHERE month = 1", "--output", "i.csv", "--keep", "flight")
    assert (batch.folder / "i.csv").read_bytes() == (batch.folder / "w.csv").read_bytes()


def test_a_query_in_a_file_is_asked_again_from_anywhere(batch, table):
    batch.slipway.write("job.yaml", f"model: {batch.shop}/flights-1.0.0.slipway\nsql: SELECT * FROM 'flights/*.parquet'\n"
                        "output: q.csv\nignore_unknown: true\nlimit: 10\n")
    batch.slipway("batch", "run", "job.yaml")
    assert len(pd.read_csv(batch.folder / "q.csv")) == 10


@pytest.mark.parametrize("sql, told", [
    ("SELECT * FROM 'nope/*.parquet'", "nope/*.parquet"),
    ("SELEC 1", "SELEC"),
    ("SELECT nope FROM 'flights/*.parquet'", "nope"),
    ("COPY (SELECT 1) TO 'stolen.csv'", "no SELECT"),
    ("SELECT 1; DROP TABLE x", "multiple"),
    ("SELECT * FROM input", "input"),
    ("SELECT 1 AS one FROM 'flights/a.parquet'", "which the model needs"),
    ("SELECT predict(*) FROM (SELECT carrier, origin, dest, distance, sched_dep AS sched_depp FROM 'flights/a.parquet')", 'did you mean "sched_depp"?'),
    ("SELECT predict(carrier) FROM 'flights/a.parquet'", "takes a record"),
])
def test_a_wrong_query_is_told_before_anything_is_begun(batch, table, sql, told):
    done = batch("--sql", sql, "--output", "q.csv", "--ignore-unknown", expect=1)
    assert told.lower() in done.stderr.lower()
    assert {path.name for path in batch.folder.iterdir()} == {"flights"}


@pytest.mark.parametrize("call", ["predict(*)", "predict(t)", "PREDICT (* EXCLUDE (month))",
                                  "predict({'carrier': carrier, 'origin': origin, 'dest': dest, 'distance': distance, "
                                  "'sched_dep': sched_dep, 'tailnum': tailnum})"])
def test_predict_gives_the_bits_of_a_job_over_the_same_rows(batch, table, call):
    for threads in 1, 2:
        batch("--sql", f"SELECT flight, {call} FROM 'flights/*.parquet' t WHERE month = 1", "--output", "q.parquet", "--threads", threads)
        table[table.month == 1].drop(columns="month").to_parquet(batch.folder / "w.parquet", index=False)
        batch("--input", "w.parquet", "--output", "wp.parquet", "--keep", "flight")
        got = frame(batch, "q.parquet")
        assert list(got.columns) == ["flight", "probability", "late", "error"]
        same_bits(got, frame(batch, "wp.parquet"))


def test_predict_with_a_name_stays_one_column(batch, table):
    batch("--sql", "SELECT flight, predict(t) AS p FROM 'flights/a.parquet' t ORDER BY flight DESC LIMIT 10", "--output", "q.parquet")
    rows = pq.read_table(batch.folder / "q.parquet").to_pylist()
    assert [row["flight"] for row in rows] == list(range(ROWS // 2 - 1, ROWS // 2 - 11, -1))
    assert set(rows[0]["p"]) == {"probability", "late", "error"}
    batch("--sql", "SELECT origin, count(*) AS n, avg(predict(t).probability) AS p FROM 'flights/*.parquet' t GROUP BY origin ORDER BY origin",
          "--output", "g.csv")
    grouped = pd.read_csv(batch.folder / "g.csv")
    assert list(grouped.n) == list(table.groupby("origin").size()) and grouped.p.between(0, 1).all()


def test_constants_missing_values_and_bad_records_are_what_they_are_in_files(batch, table):
    sql = ("SELECT i AS flight, predict({'carrier': 'AA', 'origin': CASE WHEN i % 3 = 0 THEN 'XXX' ELSE 'JFK' END, 'dest': 'LAX', 'distance': 2000, "
           "'sched_dep': TIMESTAMP '2013-01-01 05:15:00', 'tailnum': CASE WHEN i % 2 = 0 THEN 'N1' END}) FROM range(5000) r(i) WHERE i % 7 > 1")
    done = batch("--sql", sql, "--output", "q.parquet")
    flight = np.array([i for i in range(5000) if i % 7 > 1])
    same = pd.DataFrame({"carrier": "AA", "flight": flight, "tailnum": np.where(flight % 2 == 0, "N1", None),
                         "origin": np.where(flight % 3 == 0, "XXX", "JFK"), "dest": "LAX", "distance": 2000,
                         "sched_dep": pd.Timestamp("2013-01-01 05:15:00")})
    same.to_parquet(batch.folder / "w.parquet", index=False)
    batch("--input", "w.parquet", "--output", "wp.parquet", "--keep", "flight")
    same_bits(frame(batch, "q.parquet"), frame(batch, "wp.parquet"))
    assert f"{(flight % 3 == 0).sum():,} records were rejected" in done.stderr
    one = batch("--sql", "SELECT predict({'carrier': 'AA', 'origin': 'JFK', 'dest': 'LAX', 'distance': 2000, 'sched_dep': '2013-01-01T05:15:00'})",
                "--output", "-").stdout
    assert 0 < json.loads(one)["probability"] < 1


def test_predict_over_a_database_and_to_text(batch, table):
    import sqlite3

    with sqlite3.connect(batch.folder / "shop.db") as database:
        table.head(500).astype({"sched_dep": str}).to_sql("flights", database, index=False)
    options = ["--input", "sqlite:shop.db?table=flights", "--sql", "SELECT flight, predict(*) FROM input ORDER BY flight"]
    out = batch(*options, "--output", "-").stdout
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["flight"] for line in lines] == list(range(500)) and all(line["error"] is None for line in lines[1:])
    batch(*options, "--output", "q.csv")
    assert list(pd.read_csv(batch.folder / "q.csv").columns) == ["flight", "probability", "late", "error"]
    told = json.loads(batch(*options, "--output", "r.csv", "--dry-run", "--json").stdout)
    assert told["columns"][0] == {"name": "flight", "type": "BIGINT"} and not (batch.folder / "r.csv").exists()


@pytest.mark.parametrize("options, told", [
    (["--keep", "flight"], "name the columns in the query"), (["--limit", 5], "LIMIT"), (["--rejects", "r.csv"], "error"),
    (["--output", "folder/"], "standard output"), (["--output", "sqlite:a.db?table=t"], "standard output"),
])
def test_options_of_parts_are_refused_with_predict(batch, table, options, told):
    output = [] if "--output" in options else ["--output", "q.csv"]
    assert told in batch("--sql", "SELECT predict(*) FROM 'flights/*.parquet'", *output, *options, expect=2).stderr
