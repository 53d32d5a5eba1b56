"""`slipway batch` over standard input: stopped by a signal it keeps what is finished, and goes on when the same bytes are piped in again."""

import gzip
import json
import os
import pty
import signal
import subprocess
import threading

import pytest
from batch_shop import events
from program import PROGRAM, until

ROWS, PART = 5000, 1000


@pytest.fixture
def table(batch):
    lines = {name: open(batch.shop / f"flights.{name}", "rb") for name in ("csv", "jsonl")}
    return {"csv": b"".join(lines["csv"].readline() for _ in range(ROWS + 1)), "jsonl": b"".join(lines["jsonl"].readline() for _ in range(ROWS))}


OPTIONS = ["--keep", "flight", "--part-rows", PART, "--threads", 1]


def most(content):
    """Of five parts three and a half: what is there of the fourth is given up."""
    return content[: len(content) * 7 // 10]


def whole(batch, table, form):
    batch.slipway.write(f"in.{form}", table[form].decode())
    batch("--input", f"in.{form}", "--output", "whole.csv", *OPTIONS)
    return (batch.folder / "whole.csv").read_bytes()


def stopped(batch, form, some, *options, output="b.csv"):
    """A job that got some bytes and then nothing, and a signal once parts were finished."""
    command = [PROGRAM, "batch", "run", "--model", batch.shop / "flights-1.0.0.slipway", "--input", "-", "--format", form, "--output", output,
               *OPTIONS, *options]
    process = subprocess.Popen([*map(str, command)], cwd=batch.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(some)
    process.stdin.flush()
    return process


def first_part(process):
    """Waits for it. Two more are read by then, and more is not to come."""
    while json.loads(process.stdout.readline())["event"] != "part":
        pass


def ended(process):
    """What it says, without its input having come to an end."""
    timer = threading.Timer(10, process.kill)
    timer.start()
    out, told = process.stdout.read(), process.stderr.read().decode()
    process.wait()
    timer.cancel()
    process.stdin.close()
    return out, told


@pytest.mark.parametrize("form, packed", [("csv", False), ("jsonl", False), ("csv", True)])
def test_stopped_by_a_signal_it_goes_on_when_the_same_bytes_are_piped_in_again(batch, table, form, packed):
    content = gzip.compress(table[form], 1) if packed else table[form]
    process = stopped(batch, form, most(content), "--json")
    first_part(process)
    process.send_signal(signal.SIGTERM)
    out, _ = ended(process)
    last = json.loads(out.splitlines()[-1])
    assert process.returncode == 4 and last["reason"] == "batch.stopped" and last["parts"] == 3 and last["rows"] == 3 * PART
    assert json.loads(batch("b.csv.job", "--json", command="status").stdout)["state"] == "stopped"
    assert not (batch.folder / "b.csv").exists()
    told = events(batch("b.csv.job", "--json", command="resume", stdin=content))
    assert told[0]["event"] == "resumed" and [event["event"] for event in told].count("part") == 5 - last["parts"]
    assert (batch.folder / "b.csv").read_bytes() == whole(batch, table, form)


def test_what_is_kept_and_how_it_goes_on_is_told(batch, table):
    process = stopped(batch, "csv", most(table["csv"]))
    record = batch.folder / "b.csv.job/parts.jsonl"
    until(lambda: record.exists() and record.read_text().count("\n") == 1, what="no part is recorded")
    process.send_signal(signal.SIGINT)
    _, told = ended(process)
    assert process.returncode == 4 and "3 finished parts with 3,000 rows are kept" in told
    assert "slipway batch resume" in told and "the same bytes piped in again from their beginning" in told
    other = table["csv"].replace(b"UA", b"AA", 1)
    done = batch("b.csv.job", command="resume", stdin=other.decode(), expect=1)
    assert "standard input changed within rows 0 to 999" in done.stderr and "3,000 rows are kept" in done.stderr
    lacking = b"".join(table["csv"].splitlines(True)[:1500]).decode()
    assert "standard input lacks rows that were scored, from row 1000 on" in batch("b.csv.job", command="resume", stdin=lacking, expect=1).stderr
    assert "the same bytes" in batch("b.csv.job", command="resume", stdin="", expect=1).stderr
    # A terminal has no bytes to give.
    terminal, end = pty.openpty()
    done = subprocess.run([PROGRAM, "batch", "resume", "b.csv.job"], cwd=batch.folder, stdin=end, capture_output=True, text=True, timeout=10)
    os.close(terminal)
    os.close(end)
    assert done.returncode == 2 and "pipe the bytes that it began with in again" in done.stderr
    batch("b.csv.job", command="resume", stdin=table["csv"])
    assert (batch.folder / "b.csv").read_bytes() == whole(batch, table, "csv")


def test_answers_on_standard_output_end_with_a_whole_part(batch, table):
    process = stopped(batch, "csv", most(table["csv"]), "--output-format", "csv", output="-")
    lines = [process.stdout.readline() for _ in range(1 + PART)]
    process.send_signal(signal.SIGTERM)
    out, told = ended(process)
    assert process.returncode != 0 and "stopped by a signal" in told
    assert (b"".join(lines) + out).endswith(b"\n") and len((b"".join(lines) + out).splitlines()) % PART == 1


def test_killed_it_goes_on_by_the_command_that_began_it(batch, table):
    process = stopped(batch, "csv", most(table["csv"]), "--json")
    first_part(process)
    process.kill()
    process.communicate()
    batch("--input", "-", "--format", "csv", "--output", "b.csv", "--resume", *OPTIONS, stdin=table["csv"])
    assert (batch.folder / "b.csv").read_bytes() == whole(batch, table, "csv")
