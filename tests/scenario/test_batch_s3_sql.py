"""`slipway batch --sql` over objects: they are copied, and the query is asked of the copies."""

import gzip
import io
import os
import subprocess
import time

import pandas as pd
import pytest
from lake import lake, meddler, rows, status, store  # noqa: F401  (fixtures)
from object_store import SECRET


@pytest.fixture
def filled(lake, rows):
    """The first 8,000 flights as objects of several kinds, and as a file."""
    lake.store.put("in/a.csv", rows[:3000].to_csv(index=False))
    lake.store.put("in/b.csv.gz", gzip.compress(rows[3000:5000].to_csv(index=False).encode()))
    lake.store.put("in/month=11/c.parquet", rows[5000:7000].to_parquet(index=False))
    lake.store.put("in/month=12/d.parquet", rows[7000:8000].to_parquet(index=False))
    lake.store.put("in/notes.txt", "no table")
    rows[:8000].to_csv(lake.folder / "all.csv", index=False)
    lake.local("--input", "all.csv", "--output", "want.csv", "--keep", "flight")
    return lake


def wanted(lake, begin, end):
    return (lake.folder / "want.csv").read_text().splitlines(keepends=True)[1 + begin : 1 + end]


@pytest.mark.parametrize("sql, begin, end", [
    ("SELECT * FROM 's3://lake/in/a.csv'", 0, 3000),
    ("SELECT * FROM read_csv('s3://lake/in/*.csv*')", 0, 5000),
    ("SELECT * FROM read_csv(['s3://lake/in/a.csv', 's3://lake/in/b.csv.gz'], delim = ',') WHERE 's3://lake/none' <> ''", 0, 5000),
    ("SELECT * FROM read_parquet('s3://lake/in/month=*/*.parquet') WHERE month < 12", 5000, 7000),
    ("SELECT f.* FROM \"s3://lake/in/month=12/d.parquet\" f WHERE EXISTS (SELECT 1 FROM 'all.csv' l WHERE l.flight = f.flight)", 7000, 8000),
])
def test_a_query_over_objects_gives_the_bits_of_a_job_over_files(filled, sql, begin, end):
    filled("--sql", sql, "--output", "o.csv", "--keep", "flight", "--ignore-unknown")
    assert (filled.folder / "o.csv").read_text().splitlines(keepends=True)[1:] == wanted(filled, begin, end)
    job = filled.folder / "o.csv.job"
    assert sorted(path.name for path in job.iterdir()) == ["job.json", "lock", "parts.jsonl", "tallies.txt"], "copies are gone"
    assert SECRET not in (job / "job.json").read_text() and str(filled.folder / "o.csv.job/copies") not in (job / "job.json").read_text()


def test_objects_may_be_the_input_of_a_query(filled):
    for source, name in ("s3://lake/in/*.csv*", "[1] it's.csv"), ("s3://lake/in/a.csv", "o.csv"):
        filled("--input", source, "--sql", "SELECT * FROM input LIMIT 3000", "--output", name, "--keep", "flight")
        assert (filled.folder / name).read_text().splitlines(keepends=True)[1:] == wanted(filled, 0, 3000)


def test_predict_is_asked_over_objects(filled):
    before = set(os.listdir("/tmp"))
    filled("--sql", "SELECT flight, predict(*) FROM 's3://lake/in/a.csv'", "--output", "o.csv")
    ours = pd.read_csv(filled.folder / "o.csv")
    assert list(ours.flight) == list(pd.read_csv(filled.folder / "want.csv").flight[:3000]) and ours.probability.notna().any()
    assert not [name for name in set(os.listdir("/tmp")) - before if name.startswith("slipway")], "copies are gone"


def test_what_a_query_cannot_have_of_a_store_is_told_before_anything_is_begun(filled):
    for sql, told, code in [
        ("SELECT * FROM 's3://lake/in/none.csv'", "s3://lake/in/none.csv", 1),
        ("SELECT * FROM 's3://lake/none/*.csv'", "there is no such object", 1),
        ("SELECT * FROM 's3://lake/in/*.csv*'", "Table with name s3://lake/in/*.csv*", 1),  # DuckDB knows no reader for it
        ("SELECT * FROM 's3://lake/in/**/*.parquet'", "** is not read", 2),
        ("SELECT * FROM 's3://lake/in/month=11/c.parquet' WHERE nothing = 1", "nothing", 1),
    ]:
        done = filled("--sql", sql, "--output", "o.csv", "--keep", "flight", expect=code)
        assert told in done.stderr and not (filled.folder / "o.csv.job").exists(), done.stderr
    shown = filled("--sql", "SELECT * FROM 's3://lake/in/a.csv'", "--output", "o.csv", "--keep", "flight", "--dry-run").stdout
    assert "s3://lake/in/a.csv" in shown and not (filled.folder / "o.csv.job").exists()


def test_killed_at_any_moment_a_query_over_objects_gives_the_same_bytes(filled):
    sql = ["--sql", "SELECT * FROM read_csv('s3://lake/in/*.csv*')", "--keep", "flight", "--part-rows", 500]
    filled(*sql, "--output", "whole.csv")
    want, name, kills = (filled.folder / "whole.csv").read_bytes(), 0, 0
    for pause in 0.02, 0.05, 0.08, 0.11, 0.14, 0.18:
        name += 1
        arguments = [*sql, "--output", f"k{name}.csv", "--resume"]
        process = filled.start("--model", filled.shop / "flights-1.0.0.slipway", *arguments)
        time.sleep(pause)
        kills += process.poll() is None
        process.kill()
        process.wait()
        filled(*arguments)
        assert (filled.folder / f"k{name}.csv").read_bytes() == want
    assert kills >= 2


def test_a_resumed_query_asks_no_objects_once_its_rows_are_staged(filled):
    sql = ["--sql", "SELECT * FROM 's3://lake/in/a.csv'", "--keep", "flight", "--part-rows", 100, "--output", "o.csv", "--rejects", "bad.csv"]
    bad = "".join(line.replace(",1400,", ",1,") for line in filled.store.get("in/a.csv").decode().splitlines(keepends=True))
    filled.store.put("in/a.csv", bad)
    filled(*sql, "--max-errors", 5, expect=1)
    filled.store.put("in/a.csv", "something else\n")
    filled("o.csv.job", "--max-errors", 5000, command="resume")
    assert status(filled, "o.csv.job")["rows"] == 3000
