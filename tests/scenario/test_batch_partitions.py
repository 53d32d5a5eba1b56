"""`slipway batch` over Hive data sets: what the folders of a path say are columns of its rows, whoever wrote them."""

import gzip
import json
import shutil

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from batch_shop import start
from hive import FOLDERS, ROWS, model, table  # noqa: F401  (fixtures)
from lake import lake, store  # noqa: F401  (fixtures)


@pytest.fixture
def hive(batch, model):
    """`slipway batch run` with the model that needs `month`."""

    def run(*options, expect=0, **more):
        return batch.slipway("batch", "run", "--model", model, *options, expect=expect, **more)

    run.folder, run.slipway, run.batch = batch.folder, batch.slipway, batch
    return run


def scored(path, by="flight"):
    return pd.read_csv(path, dtype={"carrier": str}, keep_default_na=False).sort_values(by, ignore_index=True)


@pytest.fixture
def expected(hive, table):
    """The answers to the table as one plain file."""
    table.to_csv(hive.folder / "plain.csv", index=False)
    hive("--input", "plain.csv", "--output", "expected.csv", "--keep", "flight,year,month,carrier", "--ignore-unknown")
    return scored(hive.folder / "expected.csv")


def write_with_pyarrow(table, folder, names):
    types = pa.schema([(name, pa.string() if name == "carrier" else pa.int64()) for name in names])
    ds.write_dataset(pa.Table.from_pandas(table, preserve_index=False), folder, format="parquet",
                     partitioning=ds.partitioning(types, flavor="hive"))


def write_with_duckdb(table, folder, names):
    duckdb.sql(f"COPY (SELECT * FROM \"table\") TO '{folder}' (FORMAT parquet, PARTITION_BY ({', '.join(names)}))")


def write_with_duckdb_as_csv(table, folder, names):
    duckdb.sql(f"COPY (SELECT * FROM \"table\") TO '{folder}' (FORMAT csv, HEADER, PARTITION_BY ({', '.join(names)}))")


def write_with_polars(table, folder, names):
    pl.from_pandas(table).write_parquet(folder, partition_by=names, mkdir=True)


def write_by_hand(table, folder, names, suffix, encode):
    for values, rows in table.groupby(names, dropna=False):
        place = folder.joinpath(*[f"{name}={value}" for name, value in zip(names, values)])
        place.mkdir(parents=True)
        (place / f"a.{suffix}").write_bytes(encode(rows.drop(columns=names)))


WRITERS = {
    "pyarrow": write_with_pyarrow,
    "duckdb": write_with_duckdb,
    "duckdb-csv": write_with_duckdb_as_csv,
    "polars": write_with_polars,
    "csv.gz": lambda *to: write_by_hand(*to, "csv.gz", lambda rows: gzip.compress(rows.to_csv(index=False).encode())),
    "jsonl": lambda *to: write_by_hand(*to, "jsonl", lambda rows: rows.to_json(orient="records", lines=True).encode()),
    "json": lambda *to: write_by_hand(*to, "json", lambda rows: rows.to_json(orient="records").encode()),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_data_sets_of_others_give_the_answers_of_the_plain_table(hive, table, expected, writer):
    WRITERS[writer](table, hive.folder / "in", FOLDERS)
    (hive.folder / "in/_SUCCESS").touch()
    hive("--input", "in", "--output", "got.csv", "--keep", "flight,year,month,carrier")
    pd.testing.assert_frame_equal(scored(hive.folder / "got.csv"), expected)
    hive("--input", "in/year=*/month=1*/*/*", "--output", "some.csv", "--keep", "flight,year,month,carrier")
    some = expected[expected.month.isin([1, 10, 11, 12])].reset_index(drop=True)
    pd.testing.assert_frame_equal(scored(hive.folder / "some.csv"), some)


@pytest.mark.parametrize("writer", ["pyarrow", "duckdb", "polars"])
def test_missing_and_odd_values_are_read_as_their_writers_meant_them(batch, table, writer):
    odd = table[:12].assign(place=[None, "São Paulo", "a/b", "50%", "x=y", "q?#&+'\"", "back\\slash", " ", "%41", "日本", "~", "1"] )
    WRITERS[writer](odd.drop(columns=["year", "month"]), batch.folder / "in", ["place"]) if writer != "pyarrow" else ds.write_dataset(
        pa.Table.from_pandas(odd.drop(columns=["year", "month"]), preserve_index=False), batch.folder / "in", format="parquet",
        partitioning=ds.partitioning(pa.schema([("place", pa.string())]), flavor="hive"))
    batch("--input", "in", "--output", "got.jsonl", "--keep", "flight,place")
    got = {line["kept"]["flight"]: line["kept"]["place"] for line in map(json.loads, (batch.folder / "got.jsonl").read_text().splitlines())}
    assert got == dict(zip(odd.flight, odd.place))


def test_rows_are_chosen_by_what_their_folders_say(hive, table, expected):
    write_with_pyarrow(table, hive.folder / "in", FOLDERS)
    hive("--input", "in", "--output", "got.csv", "--keep", "flight,year,month,carrier", "--where",
         'month > 6 and carrier == "UA" and to_integer(year) == 2013')
    chosen = expected[(expected.month > 6) & (expected.carrier == "UA")].reset_index(drop=True)
    assert len(chosen) > 300
    pd.testing.assert_frame_equal(scored(hive.folder / "got.csv"), chosen)


def test_shards_and_resumed_jobs_know_the_folders_of_their_parts(hive, table, model):
    write_with_pyarrow(table, hive.folder / "in", FOLDERS)
    options = ["--input", "in", "--keep", "flight,month,carrier", "--part-rows", "100"]
    hive(*options, "--output", "whole.csv")
    for index in range(3):
        hive(*options, "--output", "shards-{shard}.csv", "--shard", f"{index}/3")
    parts = [pd.read_csv(path) for path in hive.folder.glob("shards-*.csv")]
    whole = pd.read_csv(hive.folder / "whole.csv")
    assert sorted(sum((list(part.flight) for part in parts), [])) == list(range(ROWS))
    pd.testing.assert_frame_equal(pd.concat(parts).sort_values("flight", ignore_index=True), whole.sort_values("flight", ignore_index=True))
    process = start(hive.batch, "run", "--model", model, *options, "--output", "killed.csv", "--json", "--threads", 1)
    for _ in range(20):
        process.stdout.readline()
    process.kill()
    process.communicate()
    hive.slipway("batch", "resume", "killed.csv.job")
    assert (hive.folder / "killed.csv").read_bytes() == (hive.folder / "whole.csv").read_bytes()


def test_folders_may_mean_nothing(hive, table):
    """A model that needs nothing of them scores the files as they are, whatever the folders are called."""
    rows = table.drop(columns=["year"])
    for place in "in/run=7", "in/month=99/x=1", "in":
        (hive.folder / place).mkdir(parents=True, exist_ok=True)
    rows[:10].to_csv(hive.folder / "in/run=7/a.csv", index=False)
    hive("--input", "in", "--output", "a.csv", "--keep", "flight")
    rows[10:20].to_csv(hive.folder / "in/month=99/x=1/b.csv", index=False)
    options = ["--input", "in", "--keep", "flight"]
    message = hive(*options, "--output", "b.csv", expect=1).stderr
    assert "run=7/a.csv: the folders of this file give the columns run, and those of" in message and "month, x" in message
    assert "--no-partition-columns" in message
    hive(*options, "--output", "b.csv", "--no-partition-columns")
    hive.slipway.write("job.yaml", f"model: {hive.batch.shop}/flights-1.0.0.slipway\ninput: in\noutput: c.csv\nkeep: [flight, month]\n"
                       "partition_columns: false\n")
    hive.slipway("batch", "run", "job.yaml")
    for name in "b.csv", "c.csv":
        assert sorted(pd.read_csv(hive.folder / name).flight) == list(range(20))
    assert set(pd.read_csv(hive.folder / "c.csv").month) == set(rows.month[:20])


def test_a_row_that_says_otherwise_than_its_path_is_rejected_and_told(hive, table):
    """Neither value is taken silently: Spark and DuckDB take the path's, others the file's."""
    place = hive.folder / "in/month=3"
    place.mkdir(parents=True)
    rows = table[table.month == 3][:5].drop(columns="year").astype({"month": object})
    rows.iloc[2, rows.columns.get_loc("month")] = 4
    rows.iloc[3, rows.columns.get_loc("month")] = None
    rows.to_csv(place / "a.csv", index=False)
    rows.to_json(place / "b.jsonl", orient="records", lines=True)
    rows.astype({"month": "Int64"}).to_parquet(place / "c.parquet", index=False)
    hive("--input", "in", "--output", "got.csv", "--keep", "flight,month", "--rejects", "bad.csv")
    bad = pd.read_csv(hive.folder / "bad.csv")
    assert list(bad.row) == [2, 2, 2] and set(bad.code) == {"schema.duplicate_field"} and set(bad.field) == {"month"}
    assert 'month is "4" in the file and "3" in the file\'s path' in bad.message[0] and "--no-partition-columns" in bad.message[0]
    assert list(pd.read_csv(hive.folder / "got.csv").month) == [3] * 12
    hive("--input", "in", "--output", "files.csv", "--keep", "flight,month", "--no-partition-columns", "--rejects", "bad2.csv")
    assert set(pd.read_csv(hive.folder / "bad2.csv").code) == {"schema.null"}
    assert list(pd.read_csv(hive.folder / "files.csv").month) == [3, 3, 4, 3] * 3


def test_what_does_not_fit_is_told_before_anything_is_scored(hive, table):
    rows = table[:10].drop(columns=["year", "month"])

    def fault(*places, options=()):
        shutil.rmtree(hive.folder / "in", ignore_errors=True)
        for place in places:
            path = hive.folder / "in" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            rows.to_json(path, orient="records", lines=True) if path.suffix == ".jsonl" else rows.to_csv(path, index=False)
        done = hive("--input", "in", "--output", "x.csv", "--keep", "flight", *options, expect=1)
        assert not list(hive.folder.glob("x.csv*"))
        return done.stderr

    assert "month=may/a.csv: a folder of the path cannot be read as the column it names" in fault("month=may/a.csv")
    assert "two folders of the path give the column \"month\"" in fault("month=1/month=2/a.csv")
    assert "month=2/day=3/b.csv: the folders of this file give the columns month, day, and those of" in fault("month=1/a.csv", "month=2/day=3/b.csv")
    assert "stray.jsonl: the folders of this file give the columns none" in fault("month=1/a.csv", "stray.jsonl")
    assert '(did you mean "month"?)' in fault("month=1/a.csv", options=["--keep", "moth"])
    assert 'needs (did you mean "mnth"?)' in fault("mnth=1/a.csv")


def test_a_file_without_folders_may_have_the_columns_itself(hive, table):
    (hive.folder / "in/month=5").mkdir(parents=True)
    table[:10].drop(columns=["year", "month"]).to_csv(hive.folder / "in/month=5/new.csv", index=False)
    table[10:20].drop(columns=["year"]).to_csv(hive.folder / "in/old.csv", index=False)
    hive("--input", "in", "--output", "got.csv", "--keep", "flight,month")
    got = pd.read_csv(hive.folder / "got.csv").set_index("flight")
    assert set(got.month[range(10)]) == {5} and list(got.month[range(10, 20)]) == list(table.month[10:20])


def test_a_query_reads_folders_by_the_rules_of_duckdb(hive, table, expected):
    write_with_pyarrow(table, hive.folder / "in", FOLDERS)
    options = ["--keep", "flight,year,month,carrier"]
    hive("--sql", "SELECT * FROM 'in/**/*.parquet'", "--output", "got.csv", *options)
    pd.testing.assert_frame_equal(scored(hive.folder / "got.csv"), expected)
    hive("--input", "in", "--sql", "SELECT * FROM input WHERE month = 7", "--output", "input.csv", *options)
    pd.testing.assert_frame_equal(scored(hive.folder / "input.csv"), expected[expected.month == 7].reset_index(drop=True))
    message = hive("--sql", "SELECT * FROM 'in/**/*.parquet'", "--output", "x.csv", "--no-partition-columns", expect=2).stderr
    assert "hive_partitioning = false" in message
    off = "SELECT * FROM read_parquet('in/**/*.parquet', hive_partitioning = false)"
    assert 'no column "carrier"' in hive("--sql", off, "--output", "x.csv", *options, expect=1).stderr


def test_objects_have_the_columns_of_their_keys(lake, table, model):
    write_with_pyarrow(table[:600], lake.folder / "in", FOLDERS)
    rows = 0
    for path in sorted((lake.folder / "in").rglob("*.parquet")):
        lake.store.put(str(path.relative_to(lake.folder)), path)
        rows += 1
    lake.store.put("in/_SUCCESS", b"")
    options = ["--keep", "flight,year,month,carrier"]
    for source, output in {"in": "local.csv", "s3://lake/in/": "s3.csv"}.items():
        lake("--model", model, "--input", source, "--output", output, *options)
    assert (lake.folder / "s3.csv").read_bytes() == (lake.folder / "local.csv").read_bytes()
    lake("--model", model, "--input", "s3://lake/in/year=*/month=3/carrier=UA/*", "--output", "some.csv", *options)
    some = pd.read_csv(lake.folder / "some.csv")
    assert set(some.month) == {3} and set(some.carrier) == {"UA"}
