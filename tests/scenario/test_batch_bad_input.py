"""Inputs that are not what they should be: what the operator is told, what is kept, and that the job is done once the cause is mended."""

import gzip
import json
import sqlite3

import pandas as pd
import pyarrow as pa
import pytest
from batch_shop import start

ROWS, RUN = 3000, ["--output", "b.csv", "--keep", "flight", "--part-rows", 500]


@pytest.fixture
def lines(batch):
    """The header and the first flights, numbered."""
    table = pd.read_csv(batch.shop / "flights.csv", dtype={"tailnum": "string"}, nrows=ROWS)
    table["flight"] = range(ROWS)
    return table.to_csv(index=False).splitlines(keepends=True)


def write(batch, lines, name="in.csv", encoding="utf-8"):
    batch.slipway.write(name, "".join(lines).encode(encoding))


def answers(batch, lines, *options):
    """What a job over the mended rows writes."""
    write(batch, lines, "whole-in.csv")
    batch("--input", "whole-in.csv", "--output", "whole.csv", "--keep", "flight", "--part-rows", 500, *options)
    return (batch.folder / "whole.csv").read_bytes()


def errors(batch, name="b.csv"):
    """By the number of the row."""
    column = pd.read_csv(batch.folder / name).error
    return {row: json.loads(text)["violations"] for row, text in column[column.notna()].items()}


def test_ragged_rows_are_rejected_each_with_its_line(batch, lines):
    ragged = lines.copy()
    ragged[700] = ragged[700].rstrip("\n") + ",one,two\n"
    ragged[1600] = "UA,1599\n"
    ragged[2000] = "\n"  # a blank line is no row
    write(batch, ragged)
    done = batch("--input", "in.csv", *RUN)
    assert "2 of 2,999 rows were rejected" in done.stderr
    found = {row: faults[0]["message"] for row, faults in errors(batch).items()}
    assert list(found) == [699, 1599]
    assert "line 701 has 9 cells where the header has 7" in found[699] and "line 1601 has 2 cells" in found[1599]


def test_ragged_rows_beyond_max_errors_keep_what_is_finished(batch, lines):
    """A header that is repeated in the midst of the file makes one row wrong; a file that is another from there on, all."""
    write(batch, lines[:1501] + ["1;2;3\n"] * 200)
    done = batch("--input", "in.csv", *RUN, "--max-errors", 10, "--threads", 1, expect=1)
    assert "schema.malformed" in done.stderr and "parts with" in done.stderr and "are kept" in done.stderr
    done = batch("b.csv.job", "--max-errors", "50%", command="resume")
    assert len(pd.read_csv(batch.folder / "b.csv")) == 1700


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl"])
def test_wrong_types_in_the_midst_of_a_file_are_rejected_with_their_values(batch, lines, name):
    rows = [line.rstrip("\n").split(",") for line in lines]
    rows[1801][5], rows[2001][6] = "far", "2013-02-30T05:15:00"
    if name == "in.csv":
        write(batch, [",".join(row) + "\n" for row in rows])
    else:
        records = [dict(zip(rows[0], row)) for row in rows[1:]]
        for record in records:
            record["flight"], record["tailnum"] = int(record["flight"]), record["tailnum"] or None
            record["distance"] = record["distance"] if record["distance"] == "far" else float(record["distance"])
        write(batch, [json.dumps(record) + "\n" for record in records], name)
    batch("--input", name, *RUN)
    assert {row: (faults[0]["field"], faults[0]["code"], faults[0]["value"]) for row, faults in errors(batch).items()} == {
        1800: ("distance", "schema.wrong_type", "far"), 2000: ("sched_dep", "schema.wrong_type", "2013-02-30T05:15:00")}
    good = answers(batch, lines).decode().splitlines()
    written = (batch.folder / "b.csv").read_text().splitlines()
    assert [line for n, line in enumerate(written) if n not in (1801, 2001)] == [line for n, line in enumerate(good) if n not in (1801, 2001)]


def test_a_column_of_another_type_in_a_later_parquet_file_rejects_its_rows(batch, lines):
    write(batch, lines)
    table = pd.read_csv(batch.folder / "in.csv", dtype={"tailnum": "string"})
    table[:1000].to_parquet(batch.folder / "1.parquet", index=False)
    table[1000:1100].astype({"distance": str}).replace({"distance": {str(table.distance[1000]): "far"}}).to_parquet(
        batch.folder / "2.parquet", index=False)
    batch("--input", "1.parquet", "--input", "2.parquet", *RUN)
    far = [n for n in range(1000, 1100) if table.distance[n] == table.distance[1000]]
    assert {row: faults[0]["code"] for row, faults in errors(batch).items()}.keys() >= set(far)
    assert 999 not in errors(batch)


def test_a_row_in_latin_1_among_utf_8_is_rejected_and_the_others_are_not(batch, lines):
    content = [line.encode() for line in lines]
    for n in 700, 2900:
        content[n] = content[n].replace(lines[n].split(",")[3].encode(), "LGAé".encode("latin-1"), 1)
    batch.slipway.write("in.csv", b"".join(content))
    batch("--input", "in.csv", *RUN)
    found = errors(batch)
    assert {row: faults[0]["field"] for row, faults in found.items()} == {699: "origin", 2899: "origin"}
    assert "encode the text in UTF-8" in found[699][0]["message"] and "\\xE9" in found[699][0]["value"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_among_others_is_told_before_anything_is_scored(batch, lines, encoding):
    write(batch, lines[:1001], "in/1.csv")
    write(batch, lines[:1] + lines[1001:], "in/2.csv", encoding)
    done = batch("--input", "in", *RUN, expect=1)
    assert "in/2.csv" in done.stderr and "iconv -f UTF-16 -t UTF-8" in done.stderr
    assert not (batch.folder / "b.csv.job").exists()
    write(batch, lines[:1] + lines[1001:], "in/2.csv", "utf-8-sig")
    batch("--input", "in", *RUN)
    assert (batch.folder / "b.csv").read_bytes() == answers(batch, lines)


def test_line_breaks_and_quotes_in_cells_are_text_and_lines_are_counted_through_them(batch, lines):
    cells = ['"two\nlines"', '"say ""hi"", then\r\ngo"', '"a,b"', '""', '"ends with a quote"""']
    noted = [lines[0].rstrip("\n") + ",note\n"] + [f"{line.rstrip()},{cells[n % 5]}\n" for n, line in enumerate(lines[1:])]
    noted.insert(2001, "UA,1\n")
    write(batch, noted)
    batch("--input", "in.csv", "--output", "b.csv", "--keep", "flight,note", "--part-rows", 500)
    texts = ["two\nlines", 'say "hi", then\r\ngo', "a,b", "", 'ends with a quote"']
    with open(batch.folder / "b.csv", newline="") as file:
        kept = pd.read_csv(file, keep_default_na=False, dtype={"error": str})
    assert list(kept.note[:2000]) == [texts[n % 5] for n in range(2000)] and list(kept.note[2001:]) == [texts[n % 5] for n in range(2000, ROWS)]
    line = 1 + sum(text.count("\n") for text in noted[:2001])
    assert f"line {line} has 2 cells" in kept.error[2000]


def test_broken_quoting_names_file_line_and_way_out(batch, lines):
    broken = lines.copy()
    broken[1301] = '"UA" and more,1300\n'
    write(batch, lines[:501], "1.csv")
    write(batch, broken[:1] + broken[501:], "2.csv")
    done = batch("--input", "1.csv", "--input", "2.csv", *RUN, "--threads", 1, expect=1)
    assert "2.csv" in done.stderr and "line 802" in done.stderr and "double the quotes" in done.stderr
    assert "2 finished parts with 1,000 rows are kept" in done.stderr and "slipway batch resume" in done.stderr
    write(batch, lines[:1] + lines[501:], "2.csv")
    batch("b.csv.job", command="resume")
    assert (batch.folder / "b.csv").read_bytes() == answers(batch, lines)


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_a_packed_file_that_was_cut_off_keeps_what_is_finished(batch, lines, packing):
    """Of a .zst in one block nothing can be had, so there it begins again."""
    text = "".join(lines).encode()
    packed = gzip.compress(text, mtime=0) if packing == "gz" else pa.compress(text, codec="zstd", asbytes=True)
    name = f"in.csv.{packing}"
    batch.slipway.write(name, packed[: len(packed) * 4 // 5])
    done = batch("--input", name, *RUN, "--threads", 1, expect=1)
    assert name in done.stderr and "ends too early" in done.stderr and "fetch it again" in done.stderr
    batch.slipway.write(name, packed)
    if packing == "gz":
        assert "are kept" in done.stderr
        batch("b.csv.job", command="resume")
    else:
        batch("--input", name, *RUN)
    assert (batch.folder / "b.csv").read_bytes() == answers(batch, lines)


def test_a_column_that_the_nine_hundredth_file_lacks_is_told_before_anything_is_scored(batch, lines):
    for n in range(900):
        write(batch, lines[:1] + lines[n + 1 : n + 2], f"in/{n:03}.csv")
    header = lines[0].replace("distance,", "")
    write(batch, [header, lines[900].replace("," + lines[900].split(",")[5] + ",", ",", 1)], "in/899.csv")
    done = batch("--input", "in", *RUN, expect=1)
    assert "in/899.csv" in done.stderr and 'no column "distance"' in done.stderr
    assert not (batch.folder / "b.csv.job").exists()
    write(batch, lines[:1] + lines[900:901], "in/899.csv")
    assert len(json.loads(batch("--input", "in", *RUN, "--dry-run", "--json").stdout)["files"]) == 900


def test_the_same_key_twice_tells_that_the_job_begins_again(batch, lines):
    twice = lines.copy()
    twice[2500] = twice[2500].replace(",2499,", ",7,", 1)
    write(batch, twice)
    run = ["--input", "in.csv", "--output", f"sqlite:{batch.folder}/shop.db?table=scores&mode=upsert&key=flight", "--keep", "flight",
           "--part-rows", 500, "--job", "j"]
    done = batch(*run, expect=1)
    assert "2 answers have the same key (flight = 7)" in done.stderr and "nothing was written" in done.stderr
    assert "remove the job's folder and run the job again" in done.stderr
    write(batch, lines)
    assert "changed within rows 2000 to 2499" in batch("j", command="resume", expect=1).stderr, "what was scored may not become another"
    batch(*run[:-1], "again")
    assert sqlite3.connect(batch.folder / "shop.db").execute("SELECT count(*), count(DISTINCT flight) FROM scores").fetchone() == (ROWS, ROWS)


def test_a_target_altered_mid_job_is_told_and_filled_when_it_is_mended(batch, lines):
    write(batch, lines)
    database = sqlite3.connect(batch.folder / "shop.db", isolation_level=None)
    database.execute("CREATE TABLE scores (flight bigint, probability double, late boolean, model text, version text, error text)")
    process = start(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", "in.csv", "--output",
                    f"sqlite:{batch.folder}/shop.db?table=scores", "--keep", "flight", "--part-rows", 50, "--threads", 1, "--job", "j", "--json")
    assert any(json.loads(line)["event"] == "part" for line in process.stdout)
    process.kill()
    process.communicate()
    database.execute("ALTER TABLE scores DROP COLUMN late")
    told = batch("j", command="resume", expect=1).stderr
    assert 'no column "late"' in told and "ALTER TABLE" in told
    assert json.loads(batch("j", "--json", command="status").stdout)["rows"] > 0
    database.execute("ALTER TABLE scores ADD COLUMN late boolean")
    batch("j", command="resume")
    assert database.execute("SELECT count(*), count(late) FROM scores").fetchone() == (ROWS, ROWS)
