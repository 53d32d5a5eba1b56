"""`slipway batch`: the same answers as everywhere else, over files of any number and size, however often it is killed."""

import json
import os
import random
import signal
import subprocess
import time

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from batch_shop import events, start

KILLS = int(os.environ.get("SLIPWAY_KILLS", "25"))
SERVED = int(os.environ.get("SLIPWAY_SERVED_ROWS", "120000"))


@pytest.mark.parametrize("source", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("sink", ["csv", "jsonl", "parquet"])
def test_every_format_gives_the_answers_of_predict(batch, source, sink):
    table = batch.shop / f"flights.{source}"
    batch("--input", table, "--output", f"b.{sink}", "--keep", "flight", "--no-model-columns")
    batch.slipway("predict", batch.shop / "flights-1.0.0.slipway", "--input", table, "--ignore-unknown", "--keep", "flight",
                  "--output", f"p.{sink}")
    ours, theirs = batch.folder / f"b.{sink}", batch.folder / f"p.{sink}"
    if sink == "parquet":  # whose row groups are the parts
        assert pq.read_table(ours).equals(pq.read_table(theirs))
        assert pq.ParquetFile(ours).num_row_groups >= 6
    else:
        assert ours.read_bytes() == theirs.read_bytes()
    status = json.loads(batch(f"b.{sink}.job", "--json", command="status").stdout)
    assert status["rows"] == 336_776 and status["reasons"] == {"distance schema.out_of_range": 1}  # LGA is 17 miles from EWR


def real_rows(shop, rows):
    """As JSON lines: the flights, and behind them flights whose values are those of others."""
    frame = pd.read_csv(shop / "flights.csv", dtype={"tailnum": "string"}).drop(columns="flight")
    random_ = np.random.default_rng(7)
    frames, left = [frame[:rows]], rows - len(frame)
    while left > 0:
        mixed = pd.DataFrame({name: frame[name].to_numpy()[random_.permutation(len(frame))] for name in frame})
        frames.append(mixed[:left])
        left -= len(mixed)
    return [line for each in frames for line in each.to_json(orient="records", lines=True).splitlines(keepends=True)]


def test_the_answers_are_those_of_the_server_bit_by_bit(batch):
    lines = real_rows(batch.shop, SERVED)
    (batch.folder / "in.jsonl").write_text("".join(lines))
    batch("--input", "in.jsonl", "--output", "b.jsonl", "--no-model-columns")
    ours = (batch.folder / "b.jsonl").read_bytes().splitlines()
    assert len(ours) == SERVED
    with batch.slipway.serving(batch.shop / "flights-1.0.0.slipway") as server:
        for begin in range(0, SERVED, 100_000):
            part = "".join(lines[begin : begin + 100_000])
            status, answer, _ = server.request("POST", "/predict/flights", part, {"Content-Type": "application/x-ndjson"})
            assert status == 200
            # {"row":N,… counts the rows of the request
            theirs = [line.split(b",", 1)[1] for line in answer.splitlines()]
            assert theirs == [line.split(b",", 1)[1] for line in ours[begin : begin + 100_000]]


def test_neither_threads_nor_memory_change_a_byte(batch):
    for name, options in {"a": ["--threads", 1], "b": ["--threads", 4, "--memory", "2GiB"], "c": ["--memory", "256MiB"]}.items():
        for sink in "csv", "parquet":
            batch("--input", batch.shop / "flights.parquet", "--output", f"{name}.{sink}", "--keep", "flight", *options)
    for sink in "csv", "parquet":
        assert len({(batch.folder / f"{name}.{sink}").read_bytes() for name in "abc"}) == 1


def test_a_folder_gets_a_file_a_part_and_takes_its_name_when_it_is_complete(batch):
    batch("--input", batch.shop / "flights.csv", "--output", "scored/", "--keep", "flight", "--part-rows", 100_000)
    files = sorted((batch.folder / "scored").iterdir())
    assert [file.name for file in files] == [f"part-{n:06}.csv" for n in range(4)]
    batch("--input", batch.shop / "flights.csv", "--output", "whole.csv", "--keep", "flight")
    whole = (batch.folder / "whole.csv").read_text().split("\n", 1)
    parts = [file.read_text().split("\n", 1) for file in files]
    assert {head for head, _ in parts} == {whole[0]} and "".join(rows for _, rows in parts) == whole[1]
    assert "has files in it" in batch("--input", batch.shop / "flights.csv", "--output", "scored/", expect=1).stderr


def test_globs_folders_and_packed_files_are_read_in_the_order_of_their_names(batch):
    table = pd.read_csv(batch.shop / "flights.csv", dtype={"tailnum": "string"}).head(9000)
    (batch.folder / "in/deep").mkdir(parents=True)
    table[:3000].to_csv(batch.folder / "in/a.csv", index=False)
    table[3000:5000].to_csv(batch.folder / "in/b.csv.gz", index=False)
    table[5000:6000].to_json(batch.folder / "in/c.json", orient="records")
    table[6000:8000].to_csv(batch.folder / "in/d.csv", index=False)
    subprocess.run(["zstd", "-q", "--rm", batch.folder / "in/d.csv"], check=True)
    table[8000:].to_parquet(batch.folder / "in/deep/e.parquet", index=False)
    (batch.folder / "in/_SUCCESS").touch()
    (batch.folder / "in/notes.txt").write_text("no table")
    batch("--input", "in", "--output", "folder.csv", "--keep", "flight")
    batch("--input", "in/*.*", "--input", "in/deep/*", "--output", "glob.csv", "--keep", "flight", "--part-rows", 700, expect=1)
    (batch.folder / "in/notes.txt").unlink()
    batch("--input", "in/*.*", "--input", "in/deep/*", "--output", "glob.csv", "--keep", "flight", "--part-rows", 700)
    assert list(pd.read_csv(batch.folder / "folder.csv").flight) == list(table.flight)
    assert (batch.folder / "glob.csv").read_bytes() == (batch.folder / "folder.csv").read_bytes()
    # Members and frames one after another are one stream.
    first, second = (batch.folder / "in/b.csv.gz").read_bytes(), table[:3].to_csv(index=False, header=False).encode()
    import gzip

    (batch.folder / "two.csv.gz").write_bytes(first + gzip.compress(second))
    batch("--input", "two.csv.gz", "--output", "two.csv", "--ignore-unknown")
    assert len(pd.read_csv(batch.folder / "two.csv")) == 2003


def test_quotes_and_line_breaks_across_the_ends_of_parts(batch):
    chance = np.random.default_rng(5)
    words = ['say "hi"', "two\nlines", "a,b", "\r\n", '"', "plain", "", "ä\n\n\nö", '","']
    table = pd.read_csv(batch.shop / "flights.csv", dtype={"tailnum": "string"}).head(3000)
    table["note"] = chance.choice(words, len(table))
    table["flight"] = range(len(table))
    table.to_csv(batch.folder / "in.csv", index=False)
    batch("--input", "in.csv", "--output", "one.csv", "--keep", "flight,note", "--part-rows", 1 << 20)
    for rows in 1, 7, 1000:
        limit = ["--limit", 300] if rows == 1 else []
        batch("--input", "in.csv", "--output", f"{rows}.csv", "--keep", "flight,note", "--part-rows", rows, *limit)
        got = (batch.folder / f"{rows}.csv").read_bytes()
        assert got == (batch.folder / "one.csv").read_bytes()[: len(got)]
    back = pd.read_csv(batch.folder / "7.csv", keep_default_na=False, lineterminator="\n")
    assert list(back.flight) == list(range(3000)) and list(back.note) == list(table.note)


def test_shards_are_disjoint_and_together_everything(batch):
    for index in range(3):
        batch("--input", batch.shop / "flights.csv", "--output", "scored", "--keep", "flight", "--part-rows", 10_000,
              "--shard", f"{index}/3")
    batch("--input", batch.shop / "flights.csv", "--output", "whole.csv", "--keep", "flight", "--part-rows", 10_000)
    parts = {file.name: file for file in (batch.folder / "scored").glob("*/part-*.csv")}
    assert len(parts) == 34 and len(list((batch.folder / "scored").iterdir())) == 3
    texts = [parts[name].read_text().split("\n", 1)[1] for name in sorted(parts)]
    assert "".join(texts) == (batch.folder / "whole.csv").read_text().split("\n", 1)[1]


def test_a_pod_of_an_indexed_job_takes_its_shard_from_the_environment(batch, monkeypatch):
    options = ["--input", batch.shop / "flights.csv", "--output", "s-{shard}.csv", "--ignore-unknown", "--shard", "auto/2"]
    assert "JOB_COMPLETION_INDEX" in batch(*options, expect=2).stderr
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")
    batch(*options)
    assert (batch.folder / "s-1-of-2.csv").exists()
    assert "{shard}" in batch("--input", "x.csv", "--output", "one.csv", "--shard", "0/2", expect=2).stderr


def test_standard_input_and_output_are_streams(batch):
    text = (batch.shop / "flights.csv").read_text()
    short = "".join(text.splitlines(keepends=True)[:5001])
    got = batch("--input", "-", "--format", "csv", "--output", "-", "--output-format", "csv", "--keep", "flight", stdin=short).stdout
    batch("--input", batch.shop / "flights.csv", "--output", "f.csv", "--keep", "flight", "--limit", 5000)
    assert got == (batch.folder / "f.csv").read_text()
    batch("--input", "-", "--format", "csv", "--output", "g.csv", "--keep", "flight", stdin=short)
    assert got == (batch.folder / "g.csv").read_text()


def test_a_job_may_stand_in_a_file(batch):
    batch.slipway.write("job.yaml", f"model: {batch.shop}/flights-1.0.0.slipway\ninput: {batch.shop}/flights.csv\n"
                        "output: from-file.csv\nkeep: [flight]\npart_rows: 50000\nmax_errors: 1%\n")
    batch.slipway("batch", "run", "job.yaml", "--limit", 1000)
    assert len(pd.read_csv(batch.folder / "from-file.csv")) == 1000
    batch.slipway.write("bad.yaml", "model: m\ninput: x.csv\noutput: y.csv\nthread: 2\n")
    message = batch.slipway("batch", "run", "bad.yaml", expect=1).stderr
    assert "bad.yaml:4:1" in message and 'did you mean "threads"?' in message


def test_a_dry_run_looks_at_everything_and_writes_nothing(batch):
    before = sorted(batch.folder.iterdir())
    plan = json.loads(batch("--input", batch.shop / "flights.parquet", "--output", "x.csv", "--keep", "flight", "--dry-run", "--json").stdout)
    assert plan["files"][0]["rows"] == 336_776 and plan["output_format"] == "csv"
    assert sorted(batch.folder.iterdir()) == before


def test_events_and_status_tell_machines_how_far_it_is(batch):
    told = events(batch("--input", batch.shop / "flights.csv", "--output", "b.csv", "--ignore-unknown", "--json"))
    assert [event["event"] for event in told] == ["started", *["part"] * 6, "finished"]
    assert told[-2]["total_rows"] == told[-1]["rows"] == 336_776 and told[-1]["rejected"] == 1
    status = json.loads(batch("b.csv.job", "--json", command="status").stdout)
    assert status["state"] == "done" and status["parts"] == {"done": 6, "total": 6} and status["rows"] == 336_776
    assert status["digest"] == told[-1]["digest"]


@pytest.mark.parametrize("output", ["k.csv", "k.parquet", "k"])
def test_killed_at_any_moment_it_resumes_to_the_same_bytes(batch, output):
    """kill -9 at random moments, of runs and of resumes, until the job is through; SLIPWAY_KILLS of them in all."""
    chance = random.Random(11)
    options = ["--model", batch.shop / "flights-1.0.0.slipway", "--input", batch.shop / "flights.csv", "--keep", "flight",
               "--part-rows", 4000, "--rejects"]
    begin = time.monotonic()
    batch.slipway("batch", "run", *options, "r0.csv", "--output", f"whole{output[1:]}")
    full = time.monotonic() - begin

    def bytes_of(path, rejects):
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        return [(file.name if path.is_dir() else "", file.read_bytes()) for file in [*files]] + [rejects.read_bytes()]

    whole = bytes_of(batch.folder / f"whole{output[1:]}", batch.folder / "r0.csv")
    kills = jobs = 0
    while kills < -(-KILLS // 3):
        jobs += 1
        target = f"{jobs}-{output}"
        command = ["run", *options, f"r{jobs}.csv", "--output", target]
        for _ in range(4):
            process = start(batch, *command, "--threads", chance.choice([1, 2, 3]))
            time.sleep(chance.uniform(0, full))
            process.kill()
            process.communicate()
            if process.returncode == 0:  # it was faster
                break
            kills += 1
            assert not (batch.folder / target).exists() or bytes_of(batch.folder / target, batch.folder / f"r{jobs}.csv") == whole
            if (batch.folder / f"{target}.job/job.json").exists():
                command = ["resume", f"{target}.job"]
        else:
            done = start(batch, *command)
            _, errors = done.communicate(timeout=60)
            assert done.returncode == 0, errors
        assert bytes_of(batch.folder / target, batch.folder / f"r{jobs}.csv") == whole
        assert not list((batch.folder / f"{target}.job").glob("parts/*"))
    # Nothing in the making is left, but of jobs whose first process died before there was a job.
    assert not [path for path in batch.folder.rglob(".*.part") if path.parent.name in ("parts", "rejects") or path.parent == batch.folder]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_what_is_finished(batch, number):
    options = ["--input", batch.shop / "flights.csv", "--keep", "flight", "--part-rows", 1000]
    batch(*options, "--output", "whole.csv")
    process = start(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", *options, "--output", "b.csv", "--json")
    for _ in range(10):
        process.stdout.readline()
    process.send_signal(number)
    out, errors = process.communicate(timeout=30)
    assert process.returncode == 4, errors
    last = json.loads(out.splitlines()[-1])
    assert last["event"] == "stopped" and last["reason"] == "batch.stopped" and last["parts"] >= 8
    assert not (batch.folder / "b.csv").exists()
    status = json.loads(batch("b.csv.job", "--json", command="status").stdout)
    assert status["state"] == "stopped" and status["parts"]["done"] == last["parts"]
    batch("b.csv.job", "--threads", 1, command="resume")
    assert (batch.folder / "b.csv").read_bytes() == (batch.folder / "whole.csv").read_bytes()
    assert "done" in batch("b.csv.job", command="resume").stderr


def test_a_job_is_worked_on_by_one_process(batch):
    process = start(batch, "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", batch.shop / "flights.csv",
                    "--ignore-unknown", "--part-rows", 500, "--output", "b.csv", "--json")
    process.stdout.readline()
    assert json.loads(batch("b.csv.job", "--json", command="status").stdout)["state"] == "running"
    assert "another process" in batch("b.csv.job", command="resume", expect=3).stderr
    process.kill()
    process.communicate()
    assert json.loads(batch("b.csv.job", "--json", command="status").stdout)["state"] == "interrupted"
    assert "resume" in batch("--input", batch.shop / "flights.csv", "--output", "b.csv", "--ignore-unknown", expect=1).stderr
    # A scheduler repeats the same command.
    again = ["--input", batch.shop / "flights.csv", "--ignore-unknown", "--part-rows", 500, "--output", "b.csv", "--resume"]
    assert "another `limit`" in batch(*again, "--limit", 5, expect=1).stderr
    batch(*again)
    assert (batch.folder / "b.csv").read_bytes().count(b"\n") == 336_777
