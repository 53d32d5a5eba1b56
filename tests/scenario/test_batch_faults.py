"""`slipway batch` when something is wrong: what it says, what it keeps, and that it goes on once the cause is mended."""

import csv
import gzip
import json
import os
import re
import resource
import subprocess
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from batch_shop import events, start
from conftest import PROGRAM

ROWS = 20_000


@pytest.fixture
def table(batch):
    """The first flights, as a frame."""
    return pd.read_csv(batch.shop / "flights.csv", dtype={"tailnum": "string"}, nrows=ROWS)


def status(batch, name):
    return json.loads(batch(f"{name}.job", "--json", command="status").stdout)


def whole(batch, *inputs, options=()):
    """What an uninterrupted run over the mended files writes."""
    batch(*[word for path in inputs for word in ("--input", path)], "--output", "whole.csv", "--keep", "flight",
          "--part-rows", 1000, *options)
    return (batch.folder / "whole.csv").read_bytes()


def resumed(batch, name="b.csv"):
    batch(f"{name}.job", command="resume")
    return (batch.folder / name).read_bytes()


RUN = ["--output", "b.csv", "--keep", "flight", "--part-rows", 1000]


def test_bad_rows_stand_in_the_output_with_their_reasons(batch, table):
    text = table.astype({"distance": object})
    text.loc[7, "distance"] = "far"
    text.loc[9, "origin"] = "LAX"
    lines = text.to_csv(index=False).splitlines(keepends=True)
    lines[13] = "one,cell\n"
    batch.slipway.write("in.csv", "".join(lines))
    done = batch("--input", "in.csv", *RUN, "--json")
    assert events(done)[-1]["reasons"] == {
        "distance schema.wrong_type": 1, "origin schema.not_in_set": 1, "schema.malformed": 1}
    scored = pd.read_csv(batch.folder / "b.csv")
    assert len(scored) == ROWS and list(scored.index[scored.error.notna()]) == [7, 9, 12]
    assert "line 14 has 2 cells" in scored.error[12] and scored.probability[8] > 0


@pytest.mark.parametrize("rejects", ["bad.csv", "bad.jsonl"])
def test_bad_rows_go_to_a_file_of_their_own(batch, table, rejects):
    text = table.astype({"distance": object})
    text.loc[[5, 15_000], "distance"] = "far"
    text.loc[15_000, "origin"] = "LAX"
    text[:10_000].to_csv(batch.folder / "1.csv", index=False)
    text[10_000:].to_csv(batch.folder / "2.csv", index=False)
    batch("--input", "1.csv", "--input", "2.csv", *RUN, "--rejects", rejects)
    scored = pd.read_csv(batch.folder / "b.csv")
    assert list(scored.columns) == ["flight", "probability", "late", "model", "version"] and len(scored) == ROWS - 2
    path = batch.folder / rejects
    bad = list(csv.DictReader(open(path))) if rejects.endswith("csv") else [json.loads(line) for line in open(path)]
    found = [(os.path.basename(row["file"]), int(row["row"]), row["field"], row["code"], row["value"]) for row in bad]
    assert [row[:2] for row in found] == [("1.csv", 5), ("2.csv", 5000), ("2.csv", 5000)], "in the order of the rows"
    assert set(found) == {("1.csv", 5, "distance", "schema.wrong_type", "far"), ("2.csv", 5000, "origin", "schema.not_in_set", "LAX"),
                          ("2.csv", 5000, "distance", "schema.wrong_type", "far")}
    assert all(row["message"] for row in bad)


def test_rejected_rows_get_no_line_among_json_lines(batch, table):
    table.loc[3, "origin"] = "LAX"
    table[:10].to_csv(batch.folder / "in.csv", index=False)
    batch("--input", "in.csv", "--output", "b.jsonl", "--ignore-unknown", "--rejects", "bad.csv")
    assert [json.loads(line)["row"] for line in open(batch.folder / "b.jsonl")] == [0, 1, 2, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("limit, told", [("100", "101 of"), ("2%", "--max-errors 2% allows")])
def test_a_job_that_is_mostly_wrong_ends(batch, table, limit, told):
    table.loc[5000:, "origin"] = "LAX"
    table.to_csv(batch.folder / "in.csv", index=False)
    done = batch("--input", "in.csv", *RUN, "--max-errors", limit, expect=1)
    assert "more than --max-errors" in done.stderr and "origin schema.not_in_set" in done.stderr
    assert "are kept" in done.stderr and status(batch, "b.csv")["state"] == "failed"
    batch("b.csv.job", "--max-errors", "100%", command="resume")
    assert len(pd.read_csv(batch.folder / "b.csv")) == ROWS


def test_a_truncated_gzip_file_is_told_and_mended(batch, table):
    packed = gzip.compress(table.to_csv(index=False).encode(), mtime=0)
    table.to_csv(batch.folder / "1.csv", index=False)
    batch.slipway.write("2.csv.gz", packed[: len(packed) // 2])
    done = batch("--input", "1.csv", "--input", "2.csv.gz", *RUN, expect=1)
    assert "ends too early" in done.stderr and "2.csv.gz" in done.stderr
    assert status(batch, "b.csv")["rows"] >= ROWS
    batch.slipway.write("2.csv.gz", packed)
    assert resumed(batch) == whole(batch, "1.csv", "2.csv.gz")


def test_a_truncated_parquet_file_is_told_before_anything_is_scored(batch, table):
    table.to_parquet(batch.folder / "t.parquet", index=False)
    content = (batch.folder / "t.parquet").read_bytes()
    batch.slipway.write("t.parquet", content[:-100])
    table.to_csv(batch.folder / "1.csv", index=False)
    done = batch("--input", "1.csv", "--input", "t.parquet", *RUN, expect=1)
    assert "t.parquet" in done.stderr and "no Parquet file" in done.stderr
    assert not (batch.folder / "b.csv.job").exists()
    batch.slipway.write("t.parquet", content)
    batch("--input", "1.csv", "--input", "t.parquet", *RUN)


def test_a_column_missing_in_the_fortieth_file_is_told_before_anything_is_scored(batch, table):
    for n in range(40):
        part = table[n * 500 : n * 500 + 500]
        (part.drop(columns="distance") if n == 39 else part).to_csv(batch.folder / f"in-{n:02}.csv", index=False)
    done = batch("--input", "in-*.csv", *RUN, expect=1)
    assert "in-39.csv" in done.stderr and '"distance"' in done.stderr
    assert not (batch.folder / "b.csv.job").exists()
    table[19_500:].to_csv(batch.folder / "in-39.csv", index=False)
    batch("--input", "in-*.csv", *RUN)
    assert len(pd.read_csv(batch.folder / "b.csv")) == ROWS


def test_columns_that_nobody_knows_are_told_with_the_way_out(batch, table):
    table.rename(columns={"flight": "fligth"}).to_csv(batch.folder / "in.csv", index=False)
    assert 'did you mean "fligth"?' in batch("--input", "in.csv", *RUN, expect=1).stderr
    assert "--ignore-unknown" in batch("--input", "in.csv", "--output", "b.csv", expect=1).stderr


def test_broken_quoting_ends_the_job_at_its_line_and_goes_on_when_mended(batch, table):
    lines = table.to_csv(index=False).splitlines(keepends=True)
    batch.slipway.write("in.csv", "".join(lines[:15_001]) + '"AA"x,1\n' + "".join(lines[15_001:]))
    done = batch("--input", "in.csv", *RUN, "--threads", 2, expect=1)
    assert "line 15002" in done.stderr and "15 finished parts with 15,000 rows are kept" in done.stderr
    batch.slipway.write("in.csv", "".join(lines))
    assert resumed(batch) == whole(batch, "in.csv")


def test_an_unclosed_quote_and_a_huge_cell_do_not_take_the_memory(batch, table):
    text = table.to_csv(index=False)
    batch.slipway.write("in.csv", text + '"' + "x" * (100 << 20))
    job = start(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", "in.csv", *RUN)
    most = 0
    while job.poll() is None:
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{job.pid}/status").read_text())
        most = int(peak[1]) if peak else most
        time.sleep(0.002)
    told = job.communicate()[1]
    assert job.returncode == 1 and "quote" in told and "20 finished parts" in told
    assert 10 << 10 < most < 300 << 10, f"{most} KiB"
    batch.slipway.write("in.csv", text)
    assert resumed(batch) == whole(batch, "in.csv")


def test_a_field_of_megabytes_is_only_long(batch, table):
    table["note"] = "short"
    table.loc[1234, "note"] = "é" * (7 << 20)
    table.to_csv(batch.folder / "in.csv", index=False)
    batch("--input", "in.csv", "--output", "b.csv", "--keep", "note", "--ignore-unknown")
    assert list(pd.read_csv(batch.folder / "b.csv").note) == list(table.note)


def test_a_file_that_was_changed_where_it_was_scored_is_refused(batch, table):
    lines = table.to_csv(index=False).splitlines(keepends=True)
    batch.slipway.write("in.csv", "".join(lines[:9000]) + '"AA"x,1\n')
    batch("--input", "in.csv", *RUN, expect=1)
    batch.slipway.write("in.csv", "".join(lines[:17] + [lines[17].replace("2013", "2014")] + lines[18:]))
    done = batch("b.csv.job", command="resume", expect=1)
    assert "in.csv" in done.stderr and "changed within rows 0 to 999" in done.stderr
    batch.slipway.write("in.csv", "".join(lines))
    assert resumed(batch) == whole(batch, "in.csv")


def test_a_file_that_grows_while_it_is_read_is_taken_up_when_it_is_complete(batch, table):
    lines = table.to_csv(index=False).splitlines(keepends=True)
    half = "".join(lines[:12_000])
    for _ in range(5):
        path = batch.slipway.write("in.csv", half + lines[12_000][:9])
        process = start(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", "in.csv", *RUN, "--json",
                        "--threads", 1)
        process.stdout.readline()  # "started"
        with open(path, "a") as file:
            file.write(lines[12_000][9:] + "".join(lines[12_001:]))
        out, _ = process.communicate(timeout=60)
        if process.returncode == 4:
            break
        subprocess.run(["rm", "-rf", batch.folder / "b.csv", batch.folder / "b.csv.job"], check=True)  # it was faster
    last = json.loads(out.splitlines()[-1])
    assert process.returncode == 4 and last["reason"] == "batch.input_changed" and last["where"].endswith("in.csv")
    assert resumed(batch) == whole(batch, "in.csv")


def test_another_bundle_is_refused(batch, table, tmp_path):
    (batch.folder / "m").mkdir()
    for name in "slipway.yaml", "fitted.json", "model.onnx":
        (batch.folder / "m" / name).write_bytes((batch.shop / "flights" / name).read_bytes())
    lines = table.to_csv(index=False).splitlines(keepends=True)
    batch.slipway.write("in.csv", "".join(lines[:9000]) + '"AA"x,1\n')
    batch.slipway("batch", "run", "--model", "m", "--input", "in.csv", *RUN, expect=1)
    manifest = (batch.folder / "m/slipway.yaml").read_text()
    batch.slipway.write("m/slipway.yaml", manifest.replace("1.0.0", "1.0.1"))
    done = batch("b.csv.job", command="resume", expect=1)
    assert "bundle is another" in done.stderr and "flights 1.0.0" in done.stderr and "flights 1.0.1" in done.stderr
    batch.slipway.write("m/slipway.yaml", manifest)
    batch.slipway.write("in.csv", "".join(lines))
    assert resumed(batch) == whole(batch, "in.csv")


def test_a_full_disk_keeps_the_finished_parts(batch, table):
    """No file may grow beyond 64 kB: parts fit, what they become does not."""
    table.to_csv(batch.folder / "in.csv", index=False)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, 64 << 10))  # noqa: E731
    done = subprocess.run([PROGRAM, "batch", "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", "in.csv",
                           *map(str, RUN)], cwd=batch.folder, capture_output=True, text=True, preexec_fn=limit)
    assert done.returncode == 4, done.stderr
    assert "cannot write" in done.stderr and "20 finished parts" in done.stderr
    assert not (batch.folder / "b.csv").exists()
    assert resumed(batch) == whole(batch, "in.csv")


def test_a_full_file_system_keeps_the_finished_parts(batch, table):
    table.to_csv(batch.folder / "in.csv", index=False)
    small = batch.folder / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", small], capture_output=True).returncode != 0:
        pytest.skip("no right to mount a file system")
    try:
        done = batch("--input", "in.csv", "--output", "small/b.csv", "--keep", "flight", "--part-rows", 1000, expect=4)
        assert "No space left" in done.stderr and "make room" in done.stderr and "are kept" in done.stderr
        subprocess.run(["mount", "-o", "remount,size=20m", small], check=True)
        assert resumed(batch, "small/b.csv") == whole(batch, "in.csv")
    finally:
        subprocess.run(["umount", small], check=True)


def test_a_part_that_was_lost_is_made_again(batch, table):
    lines = table.to_csv(index=False).splitlines(keepends=True)
    batch.slipway.write("in.csv", "".join(lines[:9000]) + '"AA"x,1\n')
    batch("--input", "in.csv", *RUN, expect=1)
    (batch.folder / "b.csv.job/parts/part-000003.csv").unlink()
    with open(batch.folder / "b.csv.job/parts.jsonl", "a") as file:
        file.write('{"part":9,"fi')  # as a machine that went down leaves it
    batch.slipway.write("in.csv", "".join(lines))
    assert resumed(batch) == whole(batch, "in.csv")


def test_a_part_whose_bytes_rotted_is_not_handed_on(batch, table):
    lines = table.to_csv(index=False).splitlines(keepends=True)
    batch.slipway.write("in.csv", "".join(lines[:9000]) + '"AA"x,1\n')
    batch("--input", "in.csv", *RUN, expect=1)
    part = batch.folder / "b.csv.job/parts/part-000003.csv"
    part.write_bytes(part.read_bytes().replace(b"0", b"1", 1))
    batch.slipway.write("in.csv", "".join(lines))
    assert "part-000003.csv" in batch("b.csv.job", command="resume", expect=1).stderr
    assert not (batch.folder / "b.csv").exists()


def test_what_cannot_be_read_or_written_is_told_at_once(batch, table):
    assert "no such file" in batch("--input", "none.csv", *RUN, expect=1).stderr
    assert "no table" in batch("--input", "*.csv", *RUN, expect=1).stderr
    table.to_csv(batch.folder / "in.csv", index=False)
    assert "create it first" in batch("--input", "in.csv", "--output", "no/b.csv", "--keep", "flight", expect=3).stderr
    batch.slipway.write("in.csv.job", "a file")
    batch.slipway.write("other/notes.txt", "not a job")
    assert "other things" in batch("--input", "in.csv", *RUN, "--job", "other", expect=1).stderr
    assert "--input" in batch("--output", "x.csv", expect=2).stderr
    assert "has no option --inptu (did you mean" in batch("--inptu", "x", expect=2).stderr
    assert 'did you mean "run"?' in batch.slipway("batch", "rum", expect=2).stderr


def test_a_folder_that_may_not_be_read_is_told(batch, table):
    (batch.folder / "in/closed").mkdir(parents=True)
    table.to_csv(batch.folder / "in/a.csv", index=False)
    os.chmod(batch.folder / "in/closed", 0)
    command = [PROGRAM, "batch", "run", "--model", str(batch.shop / "flights-1.0.0.slipway"), "--input", "in", *map(str, RUN)]
    if os.getuid() == 0:
        if subprocess.run(["setpriv", "--version"], capture_output=True).returncode != 0:
            pytest.skip("root may read everything, and there is no setpriv")
        for folder in [batch.folder, *batch.folder.parents][:3]:
            os.chmod(folder, 0o777)
        for folder in [batch.shop, *batch.shop.parents][:2]:
            os.chmod(folder, 0o755)
        command = ["setpriv", "--reuid=65534", "--clear-groups", *command]
    done = subprocess.run(command, cwd=batch.folder, capture_output=True, text=True)
    os.chmod(batch.folder / "in/closed", 0o755)
    assert done.returncode == 3, done.stderr
    assert "Permission denied" in done.stderr and "in" in done.stderr, done.stderr


@pytest.mark.skipif("SLIPWAY_SLOW" not in os.environ, reason="writes 2 GB; set SLIPWAY_SLOW=1")
def test_two_gigabytes_are_scored_within_the_stated_memory(batch):
    rows = (batch.shop / "flights.csv").read_bytes().split(b"\n", 1)
    peak = 0
    with open(batch.folder / "big.csv", "wb") as file:
        file.write(rows[0] + b"\n")
        while file.tell() < 2 << 30:
            file.write(rows[1])
    process = start(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", "big.csv", "--output", "b.csv",
                    "--keep", "flight", "--memory", "512MiB", "--json")

    def watch():
        nonlocal peak
        while process.poll() is None:
            try:
                text = open(f"/proc/{process.pid}/status").read()
                peak = max(peak, int(text.split("VmHWM:")[1].split()[0]) * 1024)
            except (OSError, IndexError):
                pass
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, errors = process.communicate()
    watcher.join()
    assert process.returncode == 0, errors
    print(f"\npeak {peak >> 20} MiB of 512, {json.loads(out.splitlines()[-1])['rows_per_second']:,} rows/s")
    assert peak < 512 << 20
