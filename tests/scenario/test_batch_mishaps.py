"""`slipway batch`: what people ask for by mistake, names and values that are odd; no row is lost for it, and nothing is overwritten."""

import decimal
import json
import os
import pathlib
import re
import subprocess
import urllib.parse

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from batch_shop import events
from program import PROGRAM

BAD = "UA,1,N1,EWR,IAH,10,2013-01-01T05:15:00\n"  # too near


@pytest.fixture
def lines(batch):
    with open(batch.shop / "flights.csv") as file:
        return [next(file) for _ in range(2001)]


@pytest.fixture
def few(batch, lines):
    """2,000 flights, and one that is rejected."""
    batch.slipway.write("few.csv", "".join([*lines[:1000], BAD, *lines[1000:]]))
    return batch


@pytest.mark.parametrize("rejects", ["bad.csv", "bad.jsonl"])
def test_rejected_rows_of_a_job_to_standard_output_are_not_lost(few, rejects):
    few("--input", "few.csv", "--output", "o.csv", "--rejects", f"of-file-{rejects}", "--keep", "flight")
    done = few("--input", "few.csv", "--output", "-", "--output-format", "csv", "--rejects", rejects, "--keep", "flight", "--part-rows", 300)
    assert done.stdout == (few.folder / "o.csv").read_text()
    assert (few.folder / rejects).read_text() == (few.folder / f"of-file-{rejects}").read_text() != ""


def test_rejects_of_a_stream_that_ends_early_are_those_of_the_rows_that_were_answered(few):
    done = few("--input", "few.csv", "--output", "-", "--output-format", "csv", "--rejects", "bad.csv", "--keep", "flight", "--part-rows", 500,
               "--max-errors", 0, expect=1)
    assert len(pd.read_csv(few.folder / "bad.csv")) == 1 and "--max-errors" in done.stderr
    assert done.stdout.count("\n") == 1000  # two parts without the row, and the header


@pytest.mark.parametrize("option", ["--output", "--rejects"])
def test_an_input_is_never_overwritten(few, option):
    before = (few.folder / "few.csv").read_bytes()
    os.link(few.folder / "few.csv", few.folder / "linked.csv")
    others = ["--output", "o.csv"] if option == "--rejects" else []
    for name in "few.csv", "linked.csv", few.folder / "few.csv":
        told = few("--input", "few.csv", option, name, *others, "--keep", "flight", expect=2).stderr
        assert option in told and "is also an input" in told and "another name" in told
    told = few("--input", "few.csv", "--sql", "SELECT flight, predict(*) FROM input", "--output", "few.csv", expect=2).stderr
    assert "is also an input" in told
    assert (few.folder / "few.csv").read_bytes() == before and not list(few.folder.glob("*.job"))


def test_rejects_in_the_place_of_the_output_are_told_before_anything_is_scored(few):
    for output, rejects in ("o.csv", "o.csv"), ("scored/", "scored/bad.csv"):
        told = few("--input", "few.csv", "--output", output, "--rejects", rejects, "--keep", "flight", expect=2).stderr
        assert "--rejects" in told and "a place of its own" in told
    told = few("--input", "few.csv", "--output", "o.csv", "--rejects", "none/bad.csv", "--keep", "flight", expect=3).stderr
    assert "none/bad.csv" in told and "create it first" in told
    told = few("--input", "few.csv", "--output", "o.csv", "--rejects", "bad.parquet", "--keep", "flight", expect=1).stderr
    assert "csv, tsv, ssv or jsonl" in told
    for output, job in ("o.csv", "o.csv"), ("scored/", "scored"), ("scored/", "scored/job"):
        told = few("--input", "few.csv", "--output", output, "--job", job, "--keep", "flight", expect=2).stderr
        assert "--job" in told and "a place of its own" in told
    assert not list(few.folder.glob("*.job")) and not (few.folder / "scored").exists()


NAMES = ["a b", "it's", 'say "yes"', "100%25", "line\nbreak", "[1]", "st*r", "wh?t", "{a,b}", "ü", "a;b"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_files_with_odd_names_are_read_and_written(batch, lines, suffix):
    batch.slipway.write("t.csv", "".join(lines))
    batch("--input", "t.csv", "--output", f"t-out.{suffix}", "--ignore-unknown")
    frame = pd.read_csv(batch.folder / "t.csv", dtype={"tailnum": "string"}).drop(columns="flight")
    for name in NAMES:  # in folders with such names, with others that the name would be a pattern of
        folder = batch.folder / f"in {name}"
        folder.mkdir()
        for file, rows in (name, frame), ("1", frame[:1]), ("star", frame[:1]), ("what", frame[:1]):
            to = folder / f"{file}.{suffix}"
            {"csv": lambda: rows.to_csv(to, index=False), "jsonl": lambda: rows.to_json(to, orient="records", lines=True),
             "parquet": lambda: rows.to_parquet(to)}[suffix]()
        for target in f"out {name}.{suffix}", f"out {name}/":
            batch("--input", folder / f"{name}.{suffix}", "--output", target, "--keep", "distance", "--part-rows", 900)
        read = {"csv": pd.read_csv, "parquet": pd.read_parquet, "jsonl": lambda path: pd.read_json(path, lines=True)}[suffix]
        whole = read(batch.folder / f"out {name}.{suffix}")
        assert len(whole) == 2000
        if suffix != "jsonl":
            assert list(whole.probability) == list(read(batch.folder / f"t-out.{suffix}").probability)
        parts = sorted((batch.folder / f"out {name}").iterdir())
        assert sum(len(read(part)) for part in parts) == 2000 and len(parts) == 3


def test_files_with_odd_names_are_read_by_queries_and_filled_into_tables(batch, lines):
    for name in NAMES:
        folder = batch.folder / f"in {name}"
        folder.mkdir()
        (folder / f"{name}.csv").write_text("".join(lines))
        (folder / "1.csv").write_text("".join(lines[:3]))
        job, table = ["--job", f"job {name}"], f"sqlite:{urllib.parse.quote(name)}.db?table=t"
        batch("--input", folder / f"{name}.csv", "--sql", "SELECT * FROM input", "--output", table,
              "--keep", "flight", *job)
        batch("--input", table, "--sql", "SELECT count(*) FILTER (probability IS NOT NULL) AS n, predict({'carrier': 'UA', "
              "'origin': 'EWR', 'dest': 'IAH', 'distance': 100, 'sched_dep': '2013-01-01'}).late AS l FROM input GROUP BY l", "--output", "n.csv")
        assert pd.read_csv(batch.folder / "n.csv").n[0] == 2000


def test_a_way_on_that_is_told_is_a_command_that_runs(batch, lines):
    batch.slipway.write("in/it's [1].csv", "".join(lines) + '"never closed')
    done = batch("--input", "in/it's [1].csv", "--output", "it's [1].csv", "--keep", "flight", "--part-rows", 500, expect=1)
    (command,) = re.findall(r"go on with: (slipway batch resume .*)", done.stderr)
    assert "4 finished parts with 2,000 rows are kept" in done.stderr
    batch.slipway.write("in/it's [1].csv", "".join(lines))
    assert subprocess.run(command.replace("slipway", f"'{PROGRAM}'", 1), shell=True, cwd=batch.folder).returncode == 0
    assert len(pd.read_csv(batch.folder / "it's [1].csv")) == 2000


def test_a_decimal_that_is_too_wide_is_refused_and_not_read_as_another_number(batch, lines):
    batch.slipway.write("t.csv", "".join(lines[:6]))
    table = pa.Table.from_pandas(pd.read_csv(batch.folder / "t.csv", dtype={"tailnum": "string"}), preserve_index=False)
    wide = pa.array([decimal.Decimal("1400.1")] * 5, pa.decimal256(50, 2))
    at = table.schema.get_field_index("distance")
    pq.write_table(table.set_column(at, "distance", wide), batch.folder / "wide.parquet")
    told = batch("--input", "wide.parquet", "--output", "o.csv", "--keep", "flight", expect=1).stderr
    assert '"distance" is a DECIMAL(50, 2)' in told and "38 digits" in told and "double" in told and not (batch.folder / "o.csv.job").exists()
    model = batch.shop / "flights-1.0.0.slipway"
    assert "38 digits" in batch.slipway("predict", model, "--input", "wide.parquet", "--ignore-unknown", "--output", "p.csv", expect=1).stderr
    # A column that nobody needs disturbs nobody.
    pq.write_table(table.append_column("other", wide), batch.folder / "other.parquet")
    batch("--input", "other.parquet", "--output", "o.csv", "--ignore-unknown")
    assert "38 digits" in batch("--input", "other.parquet", "--output", "o.csv", "--keep", "flight,other", expect=1).stderr


def test_a_column_with_the_name_of_duckdbs_row_numbers_is_told_before_anything_is_begun(batch, lines):
    batch.slipway.write("t.csv", "".join(lines[:6]))
    pd.read_csv(batch.folder / "t.csv", dtype={"tailnum": "string"}).assign(file_row_number=7).to_parquet(batch.folder / "t.parquet")
    told = batch("--input", "t.parquet", "--output", "o.csv", "--ignore-unknown", expect=1).stderr
    assert "file_row_number" in told and "rename it" in told and not (batch.folder / "o.csv.job").exists()
    batch("--sql", "SELECT * EXCLUDE (file_row_number) FROM 't.parquet'", "--output", "o.csv", "--keep", "flight")
    assert len(pd.read_csv(batch.folder / "o.csv")) == 5


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_records_in_utf_16_are_told_before_anything_is_scored(batch, lines, encoding):
    batch.slipway.write("t.csv", "".join(lines[:6]))
    frame = pd.read_csv(batch.folder / "t.csv", dtype={"tailnum": "string"})
    for name, text in ("t.jsonl", frame.to_json(orient="records", lines=True)), ("t.json", frame.to_json(orient="records")):
        batch.slipway.write(name, text.encode(encoding))
        told = batch("--input", name, "--output", "o.csv", "--keep", "flight", expect=1).stderr
        assert "UTF-16" in told and "iconv" in told and not (batch.folder / "o.csv.job").exists()


@pytest.mark.parametrize("output", ["o.jsonl", "o.csv"])
def test_a_column_that_is_kept_twice_is_told(few, output):
    assert '--keep names "flight" twice' in few("--input", "few.csv", "--output", output, "--keep", "flight,distance,flight", expect=2).stderr


@pytest.mark.parametrize("output", ["o.txt", "o.xlsx", "o.csv.bz2"])
@pytest.mark.parametrize("source", [["--input", "t.csv"], ["--sql", "SELECT flight, predict(*) FROM 't.csv'"]])
def test_an_output_of_no_known_format_names_the_option_for_outputs(batch, lines, source, output):
    batch.slipway.write("t.csv", "".join(lines[:6]))
    told = batch(*source, "--output", output, *(["--keep", "flight"] if "--input" in source else []), expect=1).stderr
    assert output in told and "--output-format" in told and "--format " not in told


def test_a_named_format_holds_for_the_files_of_a_query(batch, lines):
    batch.slipway.write("t.txt", "".join(lines).replace(",", "\t"))
    batch("--input", "t.txt", "--format", "tsv", "--sql", "SELECT * FROM input WHERE distance > 1000", "--output", "o.csv", "--keep", "flight")
    assert 0 < len(pd.read_csv(batch.folder / "o.csv")) < 2000
    told = batch("--format", "tsv", "--sql", "SELECT * FROM 't.txt'", "--output", "p.csv", expect=2).stderr
    assert "--format" in told and "read_csv" in told


def test_a_dry_run_tells_which_rows_and_what_columns_there_would_be(batch, lines):
    batch.slipway.write("t.csv", "".join(lines))
    shown = batch("--input", "t.csv", "--output", "o.csv", "--keep", "flight", "--where", "distance > 1000", "--sample", "5%", "--limit", 100, "--dry-run")
    assert "1 file, " in shown.stdout and "where distance > 1000, a sample of 5%, the first 100 rows read" in shown.stdout
    plan = json.loads(batch("--input", "t.csv", "--output", "o.csv", "--keep", "flight", "--limit", 100, "--dry-run", "--json").stdout)
    assert plan["limit"] == 100
    query = "SELECT flight, predict(*) FROM 't.csv'"
    columns = json.loads(batch("--sql", query, "--output", "o.parquet", "--dry-run", "--json").stdout)["columns"]
    batch("--sql", query, "--output", "o.parquet")
    assert [column["name"] for column in columns] == pq.read_schema(batch.folder / "o.parquet").names


def test_a_field_of_all_columns_answers_is_told_how_to_be_had(batch, lines):
    batch.slipway.write("t.csv", "".join(lines[:6]))
    told = batch("--sql", "SELECT flight, predict(*).late FROM 't.csv'", "--output", "o.csv", expect=1).stderr
    assert "predict(t).field" in told
    batch("--sql", "SELECT flight, predict(t).late FROM 't.csv' t", "--output", "o.csv")
    assert len(pd.read_csv(batch.folder / "o.csv")) == 5


def test_a_query_that_scores_by_itself_leaves_a_record_where_one_was_asked_for(batch, lines):
    batch.slipway.write("t.csv", "".join([*lines[:6], BAD]))
    query = ["--sql", "SELECT flight, predict(*) FROM 't.csv'", "--output", "o.csv"]
    batch(*query)
    assert not list(batch.folder.glob("*.job"))
    for _ in range(2):
        batch(*query, "--job", "o.job", "--resume")
        status = json.loads(batch("o.job", "--json", command="status").stdout)
        assert status["state"] == "done" and status["rows"] == 6 and status["rejected"] == 1
        assert "done" in batch("o.job", command="resume").stderr


def test_seconds_hold_the_staging_and_the_end(batch, lines):
    batch.slipway.write("t.csv", "".join(lines))
    slow = "SELECT * FROM 't.csv' WHERE (SELECT sum(i) FROM range(60000000) r(i)) > 0 AND (SELECT sum(i * i % 7) FROM range(60000000) r(i)) > 0"
    done = events(batch("--sql", slow, "--output", "o.csv", "--keep", "flight", "--json"))[-1]
    phases = done["thread_seconds"]
    assert phases["stage"] > 0.05 and phases["assemble"] >= 0 and done["seconds"] >= phases["stage"] + phases["assemble"]
    assert done["rows_per_second"] <= done["rows"] / done["seconds"] + 1


def test_a_pipe_with_a_name_is_not_read_twice(batch, lines):
    """The header is looked at before rows are read, which of a pipe takes bytes away."""
    batch.slipway.write("t.csv", "".join(lines))
    command = f"'{PROGRAM}' batch run --model '{batch.shop}/flights-1.0.0.slipway' --input <(cat t.csv) --format csv --output o.csv --keep flight"
    done = subprocess.run(["bash", "-c", command], cwd=batch.folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "standard input" in done.stderr and not pathlib.Path(batch.folder / "o.csv").exists()
