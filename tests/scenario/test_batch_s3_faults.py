"""`slipway batch` over an object store when process, server or network break down: what it says, and that it ends with the same bits."""

import json
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from batch_shop import events
from conftest import PROGRAM
from lake import lake, local, meddler, rows, status, store  # noqa: F401  (fixtures)
from object_store import SECRET

QUICK = {"AWS_MAX_ATTEMPTS": "3"}
KILLS = int(os.environ.get("SLIPWAY_S3_KILLS", "8"))


def fault(code, message="", **more):
    extra = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    return f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message>{extra}</Error>'


@pytest.mark.parametrize("environment, source, words", [
    ({}, "s3://lake/nothing.csv", ["no object", "nothing.csv", "check the key"]),
    ({}, "s3://sea/in.csv", ["no bucket", '"sea"', "AWS_ENDPOINT_URL"]),
    ({"AWS_SECRET_ACCESS_KEY": "another"}, "s3://lake/in.csv", ["signature", "check the secret key (from the environment)"]),
    ({"AWS_ACCESS_KEY_ID": "AKIDNOBODYKNOWS00001"}, "s3://lake/in.csv", ["does not accept the credentials", "InvalidAccessKeyId"]),
    ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1", **QUICK}, "s3://lake/in.csv", ["cannot read at http://127.0.0.1:1", "(3 attempts)"]),
    ({"AWS_ENDPOINT_URL": "minio:9000"}, "s3://lake/in.csv", ["AWS_ENDPOINT_URL must be an address such as https://"]),
    ({"AWS_SECRET_ACCESS_KEY": ""}, "s3://lake/in.csv", ["a key id and no secret key"]),
    ({"AWS_SECRET_ACCESS_KEY": "", "AWS_ACCESS_KEY_ID": ""}, "s3://lake/in.csv", ["there are no credentials", "AWS_PROFILE"]),
    ({}, "s3:///in.csv", ["the bucket is missing"]),
    ({}, "s3://lake/in/", ["no table to read"]),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_wrong_is_told_with_the_way_out(lake, rows, environment, source, words):
    lake.store.put("in.csv", rows[:10].to_csv(index=False))
    environment = {**lake.store.environment(), "HOME": str(lake.folder), **environment}
    done = subprocess.run([PROGRAM, "batch", "run", "--model", lake.shop / "flights-1.0.0.slipway", "--input", source, "--output", "b.csv"],
                          cwd=lake.folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode in (1, 2, 3) and not (lake.folder / "b.csv.job").exists()
    for word in words:
        assert word in done.stderr
    assert SECRET not in done.stderr


@pytest.mark.parametrize("answer, words", [
    ((403, {}, fault("AccessDenied", "no")), ["forbids to read it (AccessDenied)", "s3://lake/in.csv", "from the environment"]),
    ((403, {}, fault("RequestTimeTooSkewed", "no", ServerTime="2020-01-01T00:00:00Z")), ["clock is wrong", "2020-01-01"]),
    ((301, {"x-amz-bucket-region": "us-west-2"}, fault("PermanentRedirect")), ["in us-west-2", "AWS_REGION=us-west-2"]),
    ((400, {}, fault("AuthorizationHeaderMalformed", "no", Region="ap-south-1")), ["AWS_REGION=ap-south-1"]),
    ((400, {}, fault("ExpiredToken", "too old")), ["does not accept the credentials", "ExpiredToken too old"]),
    ((503, {}, fault("SlowDown", "less")), ["answers 503", "(3 attempts)"]),
    ((302, {"Location": "http://127.0.0.1:1/"}, ""), ["the bucket is elsewhere"]),
    ((418, {}, "<Error><Code>" + "a" * 5000), ["418"]),
], ids=["denied", "clock", "region", "region of a signature", "expired", "busy", "redirect", "no XML"])
def test_answers_that_say_no_are_told_with_the_way_out(lake, meddler, answer, words):
    meddler.fail("/lake/in.csv", answer, times=1000)
    done = subprocess.run([PROGRAM, "batch", "run", "--model", lake.shop / "flights-1.0.0.slipway", "--input", "s3://lake/in.csv",
                           "--output", "b.csv"], cwd=lake.folder, env=lake.store.environment(meddler.url, **QUICK), capture_output=True,
                          text=True, timeout=60)
    assert done.returncode in (1, 3)
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("what", ["reset", "short", (503, {}, fault("SlowDown")), (500, {}, fault("InternalError")),
                                  (429, {"Retry-After": "1"}, "")], ids=["reset", "short", "slow down", "internal", "too many"])
@pytest.mark.parametrize("asked", ["^GET /lake/in.csv", "^GET .*list-type", "^PUT .*partNumber=2", "^POST .*uploads=", "^POST .*uploadId"])
def test_what_passes_is_asked_again(lake, meddler, what, asked):
    lake.store.put("in.csv", lake.shop / "flights.csv")
    meddler.fail(asked, what, times=2)
    lake("--input", "s3://lake/in.cs[v]", "--output", "s3://lake/out.jsonl", "--keep", "flight",
         environment=lake.store.environment(meddler.url))
    assert all(times == 0 for _, times, _ in meddler.faults)
    assert lake.store.get("out.jsonl") == local(lake, lake.shop / "flights.csv", "local.jsonl")
    # An upload whose id was lost with the answer is for the bucket's rules to clear away.
    assert len(lake.store.uploads()) <= (2 if "uploads=" in asked and what in ("reset", "short") else 0)


def test_a_read_that_breaks_off_goes_on_where_it_broke(lake, meddler):
    lake.store.put("in.csv", lake.shop / "flights.csv")
    meddler.fail("^GET /lake/in.csv", "reset", times=5)
    lake("--input", "s3://lake/in.csv", "--output", "b.csv", "--keep", "flight", environment=lake.store.environment(meddler.url))
    asked = [headers["range"] for asked, headers in meddler.requests if asked.startswith("GET /lake/in.csv")]
    begins = [int(re.match(r"bytes=(\d+)-", text)[1]) for text in asked]
    assert any(begin % (1 << 20) for begin in begins), "from the middle of a window"
    assert all("if-match" in headers for asked, headers in meddler.requests
               if asked.startswith("GET") and not headers["range"].startswith("bytes=0-"))
    assert (lake.folder / "b.csv").read_bytes() == local(lake, lake.shop / "flights.csv", "local.csv")


def test_a_completion_whose_answer_is_lost_is_not_done_twice(lake, meddler):
    lake.store.put("in.csv", lake.shop / "flights.csv")
    meddler.fail("^POST .*uploadId", "short", times=1)
    lake("--input", "s3://lake/in.csv", "--output", "s3://lake/out.jsonl", "--keep", "flight",
         environment=lake.store.environment(meddler.url))
    assert lake.store.get("out.jsonl") == local(lake, lake.shop / "flights.csv", "local.jsonl")


@pytest.mark.parametrize("what", ["slow", "long"])
def test_answers_that_crawl_or_never_end_do_not_hold_a_job_up(lake, rows, meddler, what):
    lake.store.put("in.csv", rows.to_csv(index=False))
    meddler.fail("list-type", what, times=1)
    begun = time.monotonic()
    done = subprocess.run([PROGRAM, "batch", "run", "--model", lake.shop / "flights-1.0.0.slipway", "--input", "s3://lake/*.csv",
                           "--output", "b.csv", "--keep", "flight"], cwd=lake.folder, capture_output=True, text=True, timeout=60,
                          env=lake.store.environment(meddler.url, SLIPWAY_S3_TIMEOUT="2s"))
    if what == "slow":
        assert done.returncode == 0, done.stderr
        assert time.monotonic() - begun < 20
    else:
        assert done.returncode == 1 and "longer than the" in done.stderr


def test_an_object_that_was_replaced_while_it_was_read_stops_the_job(lake, meddler):
    text = (lake.shop / "flights.csv").read_text()
    lake.store.put("in.csv", text)

    def replace(asked):
        if asked.startswith("GET /lake/in.csv") and meddler.count("^GET /lake/in.csv") == 3:
            lake.store.put("in.csv", text.replace("2013", "2014"))

    meddler.on_request = replace
    done = lake("--input", "s3://lake/in.csv", "--output", "b.csv", "--keep", "flight", "--json", "--threads", 1, expect=4,
                environment=lake.store.environment(meddler.url))
    assert events(done)[-1]["reason"] == "batch.input_changed" and events(done)[-1]["where"] == "s3://lake/in.csv"
    if status(lake, "b.csv.job")["rows"] > 0:
        refused = lake("b.csv.job", command="resume", expect=1)
        assert "changed within rows" in refused.stderr
    lake.store.put("in.csv", text)
    lake("b.csv.job", command="resume")
    assert (lake.folder / "b.csv").read_bytes() == local(lake, lake.shop / "flights.csv", "local.csv")


def test_a_copy_of_parquet_is_scored_as_it_was_when_the_job_began(lake, meddler):
    lake.store.put("in.parquet", lake.shop / "flights.parquet")
    job = lake.start("--input", "s3://lake/in.parquet", "--output", "s3://lake/b.csv", "--keep", "flight", "--part-rows", 5000, "--json")
    for line in job.stdout:
        if '"part"' in line:
            break
    job.kill()
    job.communicate()
    assert len(list((lake.folder / "b.csv.job/copies").iterdir())) == 1
    lake.store.put("in.parquet", b"another object by now")
    lake("b.csv.job", command="resume")
    assert lake.store.get("b.csv") == local(lake, lake.shop / "flights.parquet", "local.csv", "--part-rows", 5000)


def test_a_half_copy_is_fetched_again(lake, meddler):
    lake.store.put("in.parquet", lake.shop / "flights.parquet")
    environment = lake.store.environment(meddler.url)
    job = lake.start("--input", "s3://lake/in.parquet", "--output", "b.csv", "--keep", "flight", environment=environment)
    meddler.on_request = lambda asked: asked.startswith("GET /lake/in.parquet") and meddler.count("^GET") >= 1 and job.kill()
    job.communicate()
    assert job.returncode == -signal.SIGKILL
    meddler.on_request = lambda asked: None
    lake("b.csv.job", command="resume", environment=environment)
    assert (lake.folder / "b.csv").read_bytes() == local(lake, lake.shop / "flights.parquet", "local.csv")


def test_a_job_that_cannot_begin_leaves_no_folder_behind(lake):
    lake.store.put("in.parquet", b"this is no Parquet file at all")
    assert "no Parquet file" in lake("--input", "s3://lake/in.parquet", "--output", "b.csv", expect=1).stderr
    assert not (lake.folder / "b.csv.job").exists()


def test_a_server_that_goes_down_stops_the_job_and_resuming_ends_it(lake):
    lake.store.put("in.csv", lake.shop / "flights.csv")
    environment = lake.store.environment(AWS_MAX_ATTEMPTS="2")
    job = lake.start("--input", "s3://lake/in.csv", "--output", "s3://lake/b.csv", "--keep", "flight", "--part-rows", 5000, "--json",
                     environment=environment)
    for line in job.stdout:
        if '"part"' in line:
            break
    lake.store.kill()
    out, told = job.communicate(timeout=60)
    assert job.returncode == 4, told
    assert json.loads(out.splitlines()[-1])["reason"] == "storage.unreachable"
    lake.store.start()
    lake("b.csv.job", command="resume")
    assert lake.store.get("b.csv") == local(lake, lake.shop / "flights.csv", "local.csv", "--part-rows", 5000)


def test_a_server_that_comes_back_in_time_is_only_waited_for(lake):
    lake.store.put("in.csv", lake.shop / "flights.csv")
    job = lake.start("--input", "s3://lake/in.csv", "--output", "s3://lake/b.csv", "--keep", "flight", "--part-rows", 5000, "--json")
    for line in job.stdout:
        if '"part"' in line:
            break
    lake.store.kill()
    time.sleep(1)
    lake.store.start()
    _, told = job.communicate(timeout=60)
    assert job.returncode == 0, told
    assert lake.store.get("b.csv") == local(lake, lake.shop / "flights.csv", "local.csv", "--part-rows", 5000)


@pytest.mark.parametrize("sink", ["s3://lake/out.jsonl", "s3://lake/out/", "s3://lake/out.parquet"])
def test_a_job_that_is_killed_again_and_again_writes_the_same_objects(lake, meddler, sink):
    """In reading, in scoring, and in the midst of uploads."""
    chance = random.Random(7)
    lake.store.put("in.csv", lake.shop / "flights.csv")
    options = ["--input", "s3://lake/in.csv", "--output", sink, "--keep", "flight", "--output-format",
               "parquet" if "parquet" in sink else "jsonl"]
    environment = lake.store.environment(meddler.url)
    job_folder = Path(sink.rstrip("/")).name + ".job"
    killed = 0
    for attempt in range(KILLS):
        before = len(meddler.seen)
        after = chance.randint(2, 10)
        command = {"command": "resume"} if (lake.folder / job_folder / "job.json").exists() else {}
        job = lake.start(*([job_folder] if command else options), **command, environment=environment)
        meddler.on_request = lambda asked, job=job, at=before + after: len(meddler.seen) >= at and job.poll() is None and job.kill()
        job.communicate(timeout=120)
        killed += job.returncode == -signal.SIGKILL
        if job.returncode == 0:
            break
    meddler.on_request = lambda asked: None
    assert killed > 0
    lake(job_folder, command="resume")
    assert lake.store.uploads() == []
    lake.local("--input", lake.shop / "flights.csv", "--output", "out/" if sink.endswith("/") else Path(sink).name, "--keep", "flight",
               "--output-format", options[-1])
    if sink.endswith("/"):
        files = sorted((lake.folder / "out").iterdir())
        assert lake.store.keys("out/") == ["out/_SUCCESS"] + [f"out/{file.name}" for file in files]
        assert all(lake.store.get(f"out/{file.name}") == file.read_bytes() for file in files)
    else:
        assert lake.store.get(Path(sink).name) == (lake.folder / Path(sink).name).read_bytes()


def test_an_upload_that_was_killed_leaves_the_old_object_and_is_thrown_away(lake, meddler):
    lake.store.put("in.csv", lake.shop / "flights.csv")
    lake.store.put("out.jsonl", b"of yesterday")
    job = lake.start("--input", "s3://lake/in.csv", "--output", "s3://lake/out.jsonl", "--keep", "flight",
                     environment=lake.store.environment(meddler.url))
    meddler.on_request = lambda asked: "partNumber=2" in asked and job.kill()
    job.communicate()
    meddler.on_request = lambda asked: None
    assert job.returncode == -signal.SIGKILL
    assert lake.store.get("out.jsonl") == b"of yesterday" and lake.store.uploads() == ["out.jsonl"]
    lake("out.jsonl.job", command="resume")
    assert lake.store.uploads() == []
    assert lake.store.get("out.jsonl") == local(lake, lake.shop / "flights.csv", "local.jsonl")


def test_an_upload_that_fails_is_thrown_away_at_once(lake, meddler):
    lake.store.put("in.csv", lake.shop / "flights.csv")
    meddler.fail("partNumber=2", (403, {}, fault("AccessDenied")))
    done = lake("--input", "s3://lake/in.csv", "--output", "s3://lake/out.jsonl", "--keep", "flight", expect=4,
                environment=lake.store.environment(meddler.url))
    assert "forbids to write" in done.stderr and "are kept" in done.stderr
    assert lake.store.uploads() == [] and lake.store.keys("out") == []
    lake("out.jsonl.job", command="resume")
    assert lake.store.get("out.jsonl") == local(lake, lake.shop / "flights.csv", "local.jsonl")
