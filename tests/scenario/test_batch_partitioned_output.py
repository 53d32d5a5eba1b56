"""`slipway batch --partition-by`: Hive folders that others read as the table that an unpartitioned job writes."""

import json
import os
import random
import time

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from batch_shop import start
from hive import ROWS, model, table  # noqa: F401  (fixtures)
from lake import lake, meddler, store  # noqa: F401  (fixtures)

KILLS = int(os.environ.get("SLIPWAY_KILLS", "25"))
KEYS = ["month", "origin", "late"]
FORMATS = ["csv", "jsonl", "parquet"]


@pytest.fixture
def flights(batch, table):
    """The table as flights.csv in the test's folder, one of its rows no flight."""
    rows = table.astype({"distance": object})
    rows.loc[7, "distance"] = "far"
    rows.to_csv(batch.folder / "flights.csv", index=False)
    return rows


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def whole(batch, *options, keep="flight,month,origin"):
    """What the job writes without partitions, as texts, by `flight`."""
    batch("--input", "flights.csv", "--output", "whole.csv", "--ignore-unknown", "--keep", keep, *options)
    return texts(pd.read_csv(batch.folder / "whole.csv", dtype=str, keep_default_na=False))


def texts(frame):
    """A frame of any reader, made comparable."""
    frame = frame.astype(object).where(frame.notna(), "")
    for name in frame.columns:
        frame[name] = [value if isinstance(value, str) else json.dumps(value) if isinstance(value, bool) else repr(value) for value in
                       (v.item() if hasattr(v, "item") else v for v in frame[name])]
    if "late" in frame:  # nothing, in the words of Hive's folders
        frame["late"] = frame.late.replace("__HIVE_DEFAULT_PARTITION__", "")
    return frame[sorted(frame.columns)].sort_values("flight", key=lambda c: c.astype(int), ignore_index=True)


def read_with_duckdb(folder, suffix):
    reader = {"csv": "read_csv", "jsonl": "read_json", "parquet": "read_parquet"}[suffix]
    types = ", types = {'error': 'VARCHAR'}" if suffix == "csv" else ""
    frame = duckdb.sql(f"SELECT * FROM {reader}('{folder}/**/*.{suffix}', hive_partitioning = true, hive_types_autocast = false{types})").df()
    if suffix == "jsonl":
        frame["flight"] = [kept["flight"] for kept in frame.kept]
        frame["probability"] = [p["probability"] if isinstance(p, dict) else None for p in frame.prediction]
        frame = frame.drop(columns=["row", "kept", "prediction"])
    return frame


def read_with_pyarrow(folder, suffix):
    fields = pa.schema([("month", pa.string()), ("origin", pa.string()), ("late", pa.string())])
    columns = pa.schema([("flight", pa.string()), ("probability", pa.float64()), *((name, pa.string()) for name in ("model", "version", "error"))])
    schema = pa.unify_schemas([columns, fields]) if suffix == "csv" else None  # otherwise the first file's types count
    return ds.dataset(folder, schema, format=suffix, partitioning=ds.partitioning(fields, flavor="hive")).to_table().to_pandas()


def read_with_polars(folder, suffix):
    return pl.scan_parquet(folder, hive_partitioning=True, try_parse_hive_dates=False).with_columns(
        pl.col("month").cast(pl.String), pl.col("late").cast(pl.String)).collect().to_pandas()


@pytest.mark.parametrize("reader, suffix", [(read_with_duckdb, suffix) for suffix in FORMATS] +
                         [(read_with_pyarrow, "csv"), (read_with_pyarrow, "parquet"), (read_with_polars, "parquet")])
def test_readers_find_the_rows_of_an_unpartitioned_job(batch, flights, reader, suffix):
    expected = whole(batch)
    batch("--input", "flights.csv", "--output", "out", "--output-format", suffix, "--keep", "flight", "--ignore-unknown", "--partition-by",
          ",".join(KEYS), "--part-rows", 2000)
    got = texts(reader(batch.folder / "out", suffix))
    if suffix == "jsonl":
        expected = expected.drop(columns="error")
        got = got.drop(columns="error")
    got["probability"], expected["probability"] = (pd.to_numeric(f.probability, errors="coerce") for f in (got, expected))
    pd.testing.assert_frame_equal(got, expected[got.columns])
    names = list(tree(batch.folder / "out"))
    assert f"month=1/origin=EWR/late=false/part-000002.{suffix}" in names and len(names) > 72
    assert [name for name in names if "late=__HIVE" in name] == [f"month={flights.month[7]}/origin={flights.origin[7]}/"
                                                               f"late=__HIVE_DEFAULT_PARTITION__/part-000000.{suffix}"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_columns_of_the_folders_are_not_in_the_files(batch, flights, suffix):
    batch("--input", "flights.csv", "--output", "out", "--output-format", suffix, "--keep", "flight,month", "--ignore-unknown",
          "--partition-by", "month,carrier,late,version")
    name = f"month=1/carrier=UA/late=false/version=1.0.0/part-000000.{suffix}"
    path = batch.folder / "out" / name
    if suffix == "jsonl":
        line = json.loads(path.read_text().splitlines()[0])
        assert set(line) == {"row", "prediction", "kept", "model"} and list(line["kept"]) == ["flight"] and list(line["prediction"]) == ["probability"]
    else:
        columns = pq.ParquetFile(path).schema_arrow.names if suffix == "parquet" else list(pd.read_csv(path).columns)
        assert columns == ["flight", "probability", "model", "error"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_odd_and_missing_values_come_back_as_they_were(batch, flights, suffix):
    places = [None, "São Paulo", "a/b", "50%", "x=y", "q?#&+'\"", "back\\slash", " ", "%41", "日本", "~", "1", "..", "a\nb"]
    rows = flights[10 : 10 + len(places)].assign(place=places)
    rows.to_parquet(batch.folder / "odd.parquet", index=False) if suffix == "parquet" else rows.to_csv(batch.folder / "odd.csv", index=False)
    batch("--input", f"odd.{suffix}", "--output", "out", "--output-format", "parquet", "--keep", "flight", "--ignore-unknown", "--partition-by",
          "place", "--where", "distance > 0")
    meant = dict(zip(rows.flight.astype(str), places))
    found = [
        duckdb.sql(f"SELECT flight, place FROM read_parquet('{batch.folder}/out/*/*.parquet', hive_types_autocast = false)").df(),
        ds.dataset(batch.folder / "out", partitioning=ds.partitioning(pa.schema([("place", pa.string())]), flavor="hive")).to_table().to_pandas(),
        pl.scan_parquet(batch.folder / "out", hive_partitioning=True).select("flight", "place").collect().to_pandas(),
    ]
    for frame in found:
        assert dict(zip(frame.flight.astype(str), frame.place.astype(object).where(frame.place.notna(), None))) == meant
    # And by ourselves.
    batch("--input", "out", "--output", "again.jsonl", "--keep", "flight,place", "--ignore-unknown", expect=1)  # no inputs of the model


def test_a_data_set_keeps_its_folders_on_the_way_through(batch, model, flights):
    for month in "01", "02", "__HIVE_DEFAULT_PARTITION__":
        rows = flights[:100].drop(columns=["year", "month"])
        batch.slipway.write(f"in/month={month}/a.csv", rows.to_csv(index=False))
    # A number of the model's stays what the folder calls it.
    batch.slipway("batch", "run", "--model", model, "--input", "in", "--output", "out", "--keep", "flight", "--partition-by", "month", "--rejects", "r.csv")
    assert list(tree(batch.folder / "out")) == ["month=01/part-000000.csv", "month=02/part-000001.csv"]
    assert set(pd.read_csv(batch.folder / "r.csv").code) == {"schema.null", "schema.wrong_type"}


def test_times_at_midnight_are_days(batch, flights):
    rows = flights[10:16].assign(day=pd.to_datetime(["2026-11-25T00:00:00"] * 3 + ["2026-11-26T00:00:00", None, "2026-11-25T05:15:00"]))
    rows.to_parquet(batch.folder / "in.parquet", index=False)
    batch("--input", "in.parquet", "--output", "out", "--keep", "flight", "--ignore-unknown", "--partition-by", "day")
    assert [name.split("/")[0] for name in tree(batch.folder / "out")] == [
        "day=2026-11-25", "day=2026-11-25T05%3A15%3A00Z", "day=2026-11-26", "day=__HIVE_DEFAULT_PARTITION__"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_neither_threads_nor_memory_nor_rejects_change_a_byte(batch, flights, suffix):
    options = ["--input", "flights.csv", "--output-format", suffix, "--keep", "flight", "--ignore-unknown", "--partition-by", "month,late",
               "--part-rows", 500, "--rejects"]
    batch(*options, "a.csv", "--output", "a", "--threads", 1)
    batch(*options, "b.csv", "--output", "b", "--threads", 4, "--memory", "2GiB")
    assert tree(batch.folder / "a") == tree(batch.folder / "b")
    assert not [name for name in tree(batch.folder / "a") if "__HIVE" in name], "the row that is no flight is among the rejects"
    digests = {json.loads(batch(f"{name}.job", "--json", command="status").stdout)["digest"] for name in "ab"}
    assert len(digests) == 1


@pytest.mark.parametrize("suffix", FORMATS)
def test_killed_at_any_moment_it_resumes_to_the_same_files(batch, flights, suffix):
    chance = random.Random(5)
    options = ["--model", batch.shop / "flights-1.0.0.slipway", "--input", "flights.csv", "--output-format", suffix, "--keep", "flight",
               "--ignore-unknown", "--partition-by", "month,late", "--part-rows", 200]
    begin = time.monotonic()
    batch.slipway("batch", "run", *options, "--output", "whole")
    full = time.monotonic() - begin
    expected = tree(batch.folder / "whole")
    kills = jobs = 0
    while kills < -(-KILLS // 5):
        jobs += 1
        target = f"out{jobs}"
        command = ["run", *options, "--output", target]
        for _ in range(3):
            process = start(batch, *command, "--threads", chance.choice([1, 2, 3]))
            time.sleep(chance.uniform(0, full))
            process.kill()
            process.communicate()
            if process.returncode == 0:
                break
            kills += 1
            assert not (batch.folder / target).exists() or tree(batch.folder / target) == expected
            if (batch.folder / f"{target}.job/job.json").exists():
                command = ["resume", f"{target}.job"]
        else:
            done = start(batch, *command)
            _, errors = done.communicate(timeout=60)
            assert done.returncode == 0, errors
        assert tree(batch.folder / target) == expected
        assert not list(batch.folder.glob(f"{target}/**/.*")) and not list((batch.folder / f"{target}.job").glob("parts/*"))


def test_parts_that_were_lost_or_never_recorded_are_made_again(batch, flights):
    options = ["--model", batch.shop / "flights-1.0.0.slipway", "--input", "flights.csv", "--keep", "flight", "--ignore-unknown",
               "--partition-by", "month", "--part-rows", 200]
    batch.slipway("batch", "run", *options, "--output", "whole")
    process = start(batch, "run", *options, "--output", "out", "--json", "--threads", 1)
    for _ in range(12):
        process.stdout.readline()
    process.kill()
    process.communicate()
    parts = batch.folder / "out.job/parts"
    recorded = [json.loads(line) for line in (batch.folder / "out.job/parts.jsonl").read_text().splitlines()]
    assert recorded[3]["files"][0]["path"] == "month=1/part-000003.csv" and sum(f["rows"] for f in recorded[3]["files"]) == 200
    (parts / recorded[7]["files"][2]["path"]).unlink()
    (parts / "month=77").mkdir()
    (parts / "month=77/part-000099.csv").write_text("of nobody")
    batch("out.job", command="resume")
    assert tree(batch.folder / "out") == tree(batch.folder / "whole")
    assert not (batch.folder / "out/month=77").exists()


def test_too_many_folders_end_the_job_and_resuming_may_allow_more(batch, flights):
    options = ["--input", "flights.csv", "--keep", "flight", "--ignore-unknown", "--part-rows", 1000]
    message = batch(*options, "--output", "out", "--partition-by", "tailnum", "--max-partitions", 20, expect=1).stderr
    assert "more than 20 different values of tailnum" in message and "--max-partitions" in message
    assert not (batch.folder / "out").exists()
    # One that shows only in several parts.
    few = ["--partition-by", "dest", "--part-rows", 20]
    message = batch(*options[:-2], *few, "--output", "by-dest", "--max-partitions", 60, expect=1).stderr
    assert "more than 60 different values of dest" in message
    batch("by-dest.job", "--max-partitions", 500, command="resume")
    batch(*options[:-2], *few, "--output", "again")
    assert tree(batch.folder / "again") == tree(batch.folder / "by-dest")
    assert len(list((batch.folder / "again").iterdir())) == flights.dest.nunique()


def test_shards_write_disjoint_folders(batch, flights):
    options = ["--input", "flights.csv", "--keep", "flight", "--ignore-unknown", "--partition-by", "month", "--part-rows", 500]
    for index in range(2):
        batch(*options, "--output", "out", "--shard", f"{index}/2")
    batch(*options, "--output", "whole")
    both = {name.split("/", 1)[1]: text for name, text in tree(batch.folder / "out").items()}
    assert both == tree(batch.folder / "whole")


@pytest.mark.parametrize("suffix", FORMATS)
def test_objects_have_the_folders_in_their_keys_and_the_marker_last(lake, flights, meddler, suffix):
    options = ["--keep", "flight", "--ignore-unknown", "--partition-by", "month,late", "--part-rows", 1500, "--output-format", suffix]
    lake("--input", "flights.csv", "--output", "local", *options)
    early = []
    meddler.on_request = lambda asked: asked.startswith("PUT /lake/out/month") and early.append((lake.store.folder / "lake/out/_SUCCESS").exists())
    lake("--input", "flights.csv", "--output", "s3://lake/out/", *options, environment=lake.store.environment(meddler.url))
    marker = json.loads(lake.store.get("out/_SUCCESS"))
    files = tree(lake.folder / "local")
    assert [part["name"] for part in sorted(marker["parts"], key=lambda part: part["name"])] == sorted(files)
    assert sum(part["rows"] for part in marker["parts"]) == ROWS and early and not any(early)
    assert {key.removeprefix("out/"): lake.store.get(key) for key in lake.store.keys("out/") if not key.endswith("_SUCCESS")} == files


def test_killed_while_it_sends_it_resumes_to_the_same_objects(lake, flights, meddler):
    options = ["--input", "flights.csv", "--keep", "flight", "--ignore-unknown", "--partition-by", "month,late", "--part-rows", 1500]
    lake(*options, "--output", "local")
    environment = lake.store.environment(meddler.url)
    for sent in 1, 9, 40:
        target = f"out{sent}"
        job = lake.start(*options, "--output", f"s3://lake/{target}/", environment=environment)
        meddler.on_request = lambda asked, job=job, sent=sent, target=target: meddler.count(f"^PUT /lake/{target}/") >= sent and job.kill()
        job.communicate()
        assert job.returncode < 0 and f"{target}/_SUCCESS" not in lake.store.keys(f"{target}/")
        meddler.on_request = lambda asked: None
        lake(f"{target}.job", command="resume", environment=environment)
        objects = {key.removeprefix(f"{target}/"): lake.store.get(key) for key in lake.store.keys(f"{target}/")}
        assert objects.pop("_SUCCESS") and objects == tree(lake.folder / "local")


def test_what_cannot_be_a_folder_is_told_before_anything_is_scored(batch, flights):
    def fault(names, *options, expect=1, output="out"):
        done = batch("--input", "flights.csv", "--output", output, "--keep", "flight", "--ignore-unknown", "--partition-by", names, *options,
                     expect=expect)
        assert not list(batch.folder.glob("out*"))
        return done.stderr

    assert '"distance", which is a number that may have fractions' in fault("distance")
    assert '"probability", which is a number that may have fractions' in fault("probability")
    assert '"mnth", which is no column of the table and no answer of the model (did you mean "month"?)' in fault("mnth")
    assert '"model", which is no column' in fault("model", "--no-model-columns")
    assert '"month" twice' in fault("month,month", expect=2)
    assert '"_x", and folders whose names begin with . or _' in fault("_x", expect=2)
    assert "the output" in fault("month", output="out.csv", expect=2) and "name that ends in /" in fault("month", output="-", expect=2)
    flights.rename(columns={"month": "monat"}).to_json(batch.folder / "flights.jsonl", orient="records", lines=True)
    message = batch("--input", "flights.jsonl", "--output", "out", "--ignore-unknown", "--partition-by", "monad", expect=1).stderr
    assert '"monad", which is no column' in message and '(did you mean "monat"?)' in message
    sql = ["--sql", "SELECT predict(*) FROM 'flights.csv'", "--output", "out.csv"]
    assert "--partition-by writes a folder" in batch(*sql, "--partition-by", "month", expect=2).stderr


def test_a_value_that_is_too_long_for_a_name_is_told(batch, flights):
    rows = flights[10:12].assign(note="ä" * 100)
    rows.to_csv(batch.folder / "long.csv", index=False)
    message = batch("--input", "long.csv", "--output", "out", "--ignore-unknown", "--keep", "flight", "--partition-by", "note", expect=1).stderr
    assert "too long for the name of a folder" in message and "605 bytes" in message


@pytest.mark.parametrize("output", ["rows.parquet", "out/"])
def test_row_groups_have_the_rows_that_were_asked_for(batch, output):
    options = ["--input", batch.shop / "flights.parquet", "--output-format", "parquet", "--keep", "flight"]
    batch(*options, "--output", output, "--row-group-rows", 10_240)
    path = batch.folder / output
    files = [path] if path.is_file() else sorted(path.iterdir())
    for file in files:
        meta = pq.ParquetFile(file).metadata
        sizes = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
        part = [10_240] * 6 + [65_536 - 6 * 10_240]
        assert sizes == (part * 5 + [336_776 - 5 * 65_536] if path.is_file() else part if meta.num_rows == 65_536 else [meta.num_rows])
    batch(*options, "--output", "plain.parquet")
    assert pq.read_table(path).equals(pq.read_table(batch.folder / "plain.parquet"))


def test_row_groups_that_cannot_be_are_told(batch, flights):
    options = ["--input", "flights.csv", "--keep", "flight", "--ignore-unknown"]
    assert "this one is csv" in batch(*options, "--output", "x.csv", "--row-group-rows", 4096, expect=1).stderr
    assert "2048 to 16777216" in batch(*options, "--output", "x.parquet", "--row-group-rows", 1000, expect=2).stderr
    assert "needs --part-rows 100000 or more" in batch(*options, "--output", "x.parquet", "--row-group-rows", 100_000, expect=2).stderr
    large = ["--row-group-rows", 16_000_000, "--part-rows", 16_000_000]
    assert "is too many for rows of these columns" in batch(*options, "--output", "x.parquet", *large, expect=1).stderr
    assert "a table of a database" in batch(*options, "--output", "sqlite:x.db?table=t", "--row-group-rows", 4096, expect=1).stderr
    batch.slipway.write("job.yaml", f"model: {batch.shop}/flights-1.0.0.slipway\ninput: flights.csv\noutput: y/\noutput_format: parquet\n"
                        "keep: flight\nignore_unknown: true\npartition_by: [origin, month]\nmax_partitions: 40\nrow_group_rows: 2048\n")
    assert "(parquet by origin, month)" in batch.slipway("batch", "run", "--dry-run", "job.yaml").stdout
    batch.slipway("batch", "run", "job.yaml")
    assert len(list((batch.folder / "y").glob("origin=*/month=*/part-000000.parquet"))) == 36
