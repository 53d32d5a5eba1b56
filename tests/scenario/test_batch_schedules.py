"""`slipway batch daemon`: jobs run at their times, once each, whatever dies meanwhile."""

import json
import random
import shutil
import signal
import socket
import subprocess
import time
from datetime import datetime, timezone

import pytest
from batch_daemon import CRASH, Daemon


@pytest.fixture
def daemon(slipway):
    return Daemon(slipway)


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_a_job_runs_at_each_of_its_times_and_history_remembers_it(daemon):
    daemon.job("often")
    with daemon.running():
        daemon.until(lambda: len(daemon.runs("done")) >= 3)
    runs = daemon.runs("done")
    assert len({run["scheduled"] for run in runs}) == len(runs) == len(list(daemon.folder.glob("often-*.csv")))
    for run in runs:
        assert seconds(run["due"]) - seconds(run["scheduled"]) < 5 and run["rows"] == 2 and run["attempts"] == 1
        assert run["exit_code"] is None or run["exit_code"] == 0
        stamp = run["scheduled"].translate(str.maketrans("", "", "-:Z"))
        assert run["output"].endswith(f"often-{stamp}.csv")
        assert (daemon.folder / run["output"]).read_text() == "y,error\n42,\n3,\n"
    assert not list(daemon.folder.glob("*.job")), "folders of runs that are done are removed"
    names = [event["event"] for event in map(json.loads, daemon.log().splitlines())]
    assert names[:2] == ["job.scheduled", "daemon.ready"] and names[-2:] == ["daemon.stopping", "daemon.stopped"]
    assert "often" in daemon.slipway("batch", "history", "--history", "runs.sqlite").stdout
    assert 'did you mean "often"?' in daemon.slipway("batch", "history", "offen", "--history", "runs.sqlite", expect=1).stderr


def test_a_model_that_crashes_takes_nothing_else_along_and_is_tried_again(daemon):
    daemon.slipway.write("bad.csv", "a,b\n" + CRASH)
    daemon.job("crash", source="bad.csv", more="retry: {times: 1, backoff: 1s}\n")
    daemon.job("good")
    with daemon.running("--concurrency", 2):
        daemon.until(lambda: daemon.runs("failed", "crash") and len(daemon.runs("done", "good")) >= 2)
        run = daemon.runs("failed", "crash")[-1]
        assert run["attempts"] == 2 and "SIGFPE" in run["message"] and "after 2 attempts" in run["message"]
        status, health = daemon.health()
        assert status == 503 and health["status"] == "fail"
        assert [job["name"] for job in health["jobs"] if job["failed"]] == ["crash"]
        assert daemon.metric('slipway_batch_last_run_failed{job="crash"}') == 1


def test_what_the_data_is_at_fault_for_is_not_tried_again(daemon):
    daemon.slipway.write("bad.csv", "a,c\n1,2\n")
    daemon.job("bad", source="bad.csv")
    with daemon.running():
        daemon.until(lambda: daemon.runs("failed"))
    run = daemon.runs("failed")[-1]
    assert run["attempts"] == 1 and run["exit_code"] == 1 and '"b"' in run["message"]


def test_an_environment_that_comes_back_is_waited_for(daemon):
    (daemon.folder / "later").write_text("not a folder")
    daemon.job("patient", output="later/{name}.csv", more="retry: {times: 20, backoff: 1s}\n")
    with daemon.running():
        daemon.until(lambda: daemon.events("run.retry"))
        (daemon.folder / "later").unlink()
        (daemon.folder / "later").mkdir()
        daemon.until(lambda: daemon.runs("done"))
    assert daemon.runs("done")[-1]["attempts"] >= 2


def test_broken_files_disturb_no_others_and_hup_reads_them_again(daemon):
    daemon.job("good")
    path = daemon.job("typo", schedule="'61 * * * *'")
    with daemon.running():
        daemon.until(lambda: daemon.runs("done", "good"))
        status, health = daemon.health()
        assert status == 200 and health["status"] == "warn" and "minute" in health["broken"][0]["message"]
        assert daemon.metric("slipway_batch_broken_files") == 1
        path.write_text(path.read_text().replace("61 * * * *", "@every 1s"))
        (daemon.folder / "jobs/good.yaml").unlink()
        daemon.process.send_signal(signal.SIGHUP)
        daemon.until(lambda: daemon.runs("done", "typo"))
        count = len(daemon.runs("done", "good"))
        assert [job["name"] for job in daemon.health()[1]["jobs"]] == ["typo"]
        time.sleep(2)
        assert len(daemon.runs("done", "good")) <= count + 1


@pytest.mark.parametrize("policy", ["none", "latest", "all"])
def test_times_that_passed_while_it_was_down(daemon, policy):
    daemon.job("often", schedule=f"{{cron: '@every 2s', catch_up: {policy}}}")
    with daemon.running():
        daemon.until(lambda: daemon.runs("done"))
    before = max(run["scheduled"] for run in daemon.history())
    # None is on time any more: the daemon takes those of the last minute for on time.
    rewrite = "UPDATE runs SET scheduled = scheduled - 130; UPDATE jobs SET since = since - 400"
    daemon.rewrite(rewrite)
    with daemon.running():
        daemon.until(lambda: len([run for run in daemon.history() if run["scheduled"] > before and run["state"] == "done"]) >= 1
                     if policy != "all" else len(daemon.runs("done")) > 8)
    runs = daemon.history()
    times = sorted(seconds(run["scheduled"]) for run in runs)
    skipped = [run for run in runs if run["state"] == "skipped"]
    if policy == "all":
        assert not skipped
        assert all(b - a == 2 for a, b in zip(times, times[1:])), "each of them, in order"
    else:
        assert skipped[-1]["skipped"] >= 60 and "left out" in skipped[-1]["message"] and policy in skipped[-1]["message"]


def test_a_stop_lets_the_part_at_hand_finish_and_the_run_goes_on_afterwards(daemon, batch):
    table = batch.shop / "flights.csv"
    daemon.slipway.write("jobs/long.yaml", f"model: {batch.shop}/flights-1.0.0.slipway\ninput: {table}\noutput: long.csv\n"
                         "keep: [flight]\npart_rows: 4000\nthreads: 1\nschedule: {cron: '@every 1h', catch_up: latest}\n")
    with daemon.running():
        pass
    due(daemon, "long")
    for _ in range(3):
        daemon.start()
        daemon.until(lambda: list(daemon.folder.glob("long.csv.*.job/parts/*")) or daemon.runs("done"))
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(timeout=30) == 0
        if daemon.runs("done"):
            break
        (run,) = daemon.runs("waiting")
        assert run["attempts"] == 0
    with daemon.running():
        daemon.until(lambda: daemon.runs("done"))
    (run,) = daemon.runs("done")
    batch("--input", table, "--output", "whole.csv", "--keep", "flight", "--part-rows", 4000)
    assert (daemon.folder / "long.csv").read_bytes() == (batch.folder / "whole.csv").read_bytes()
    assert run["rows"] == 336_776 and run["attempts"] == 1 and len(run["digest"]) == 32


def due(daemon, job):
    """As if the job were known for longer than its period."""
    daemon.rewrite(f"UPDATE jobs SET since = since - 7200 WHERE name = '{job}'")


def test_killed_daemons_do_no_run_twice_and_lose_none(daemon):
    chance = random.Random(5)
    daemon.slipway.write("in.csv", "a,b\n" + "84,2\n" * 3000)
    daemon.job("all", schedule="{cron: '@every 1s', catch_up: all}", more="part_rows: 500\n")
    daemon.start()
    begin = time.monotonic()
    while time.monotonic() - begin < 20:
        time.sleep(chance.uniform(0.05, 1.5))
        daemon.kill()
        daemon.start()
    daemon.until(lambda: not [run for run in daemon.history() if run["state"] != "done"][1:])
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(timeout=60) == 0
    runs = [run for run in daemon.history() if run["state"] == "done"]
    times = sorted(seconds(run["scheduled"]) for run in runs)
    assert len(times) >= 15 and all(b - a == 1 for a, b in zip(times, times[1:])), "none is missing, none is there twice"
    for run in runs:
        assert run["rows"] == 3000, run
        assert (daemon.folder / run["output"]).read_text() == "y,error\n" + "42,\n" * 3000
    told = [event["scheduled"] for event in daemon.events("run.done")]
    assert len(told) == len(set(told))


@pytest.fixture
def silent():
    """A database that never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield f"mysql://x@127.0.0.1:{listener.getsockname()[1]}/x?table=x&connect_timeout=600"


def test_a_timeout_stops_a_job_that_hangs(daemon, silent):
    daemon.job("hangs", source=silent, more="timeout: 1s\nretry: {times: 0}\n")
    with daemon.running("--grace", "1s"):
        daemon.until(lambda: daemon.runs("failed"))
    assert "timeout of 1s" in daemon.runs("failed")[-1]["message"]


def test_one_job_at_a_time_and_jobs_side_by_side(daemon, silent):
    daemon.job("a", source=silent)
    daemon.job("b", source=silent)
    daemon.job("c")
    with daemon.running("--concurrency", 2, "--grace", "100ms"):
        daemon.until(lambda: len(daemon.events("run.started")) >= 2)
        time.sleep(3)
        states = {run["job"]: run["state"] for run in daemon.history()}
        assert sorted(states.values()) == ["queued", "running", "running"]
        daemon.until(lambda: {job["name"] for job in daemon.health()[1]["jobs"] if job["late"]} >= {"a", "b"})
        assert daemon.metric('slipway_batch_running{job="a"}') == 1


def test_a_second_daemon_on_the_same_history_is_refused(daemon):
    daemon.job("often")
    with daemon.running():
        done = daemon.slipway("batch", "daemon", "jobs", "--history", "runs.sqlite", expect=1)
        assert "another daemon" in done.stderr


def test_metrics_and_probes(daemon):
    daemon.job("often")
    daemon.job("never", schedule="'0 0 1 1 *'")
    with daemon.running():
        daemon.until(lambda: daemon.metric('slipway_batch_runs_total{job="often",state="done"}'))
        assert daemon.get("/livez")[0] == 200 and daemon.get("/readyz")[0] == 200
        text = daemon.get("/metrics")[1]
        if shutil.which("promtool"):
            checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
            assert checked.returncode == 0, checked.stdout + checked.stderr
        success = daemon.metric('slipway_batch_last_success_timestamp_seconds{job="often"}')
        assert abs(success - time.time()) < 10
        assert daemon.metric('slipway_batch_last_success_timestamp_seconds{job="never"}') is None
        assert daemon.metric('slipway_batch_rows_total{job="often"}') >= 2
        year = datetime.now(timezone.utc).year + 1
        assert daemon.metric('slipway_batch_next_run_timestamp_seconds{job="never"}') == datetime(year, 1, 1, tzinfo=timezone.utc).timestamp()
    with daemon.running():  # what it did before is known to the next one
        assert daemon.metric('slipway_batch_last_success_timestamp_seconds{job="often"}') >= success


def test_old_runs_are_forgotten(daemon):
    daemon.job("often")
    with daemon.running("--keep-runs", 3):
        daemon.until(lambda: len(daemon.events("run.done")) >= 5)
    assert len([run for run in daemon.history() if run["state"] == "done"]) <= 3


def test_templates_are_filled_for_a_run_by_hand(daemon):
    daemon.job("nightly", schedule="{cron: 15 2 * * *, time_zone: Europe/Berlin}",
               output="{name}-{{{{ ds }}}}-{{{{ ds | offset(-1d) }}}}-{{{{ hour }}}}.csv")
    daemon.slipway("batch", "run", "--date", "2026-11-25T02:15", "jobs/nightly.yaml")
    assert (daemon.folder / "nightly-2026-11-25-2026-11-24-02.csv").exists()
    daemon.slipway("batch", "run", "--date", "2026-11-25T23:30Z", "--output", "by-flag-{{ ds }}.csv", "jobs/nightly.yaml")
    assert (daemon.folder / "by-flag-2026-11-26.csv").exists()
    fault = daemon.slipway("batch", "run", "--output", "{{ dss }}.csv", "jobs/nightly.yaml", expect=1).stderr
    assert '`output`: {{ dss }} is not known (did you mean "ds"?)' in fault
    assert "2026-11-25" in daemon.slipway("batch", "run", "--date", "someday", "jobs/nightly.yaml", expect=2).stderr


def test_the_schedule_can_be_looked_at(daemon):
    daemon.job("nightly", schedule="{cron: 15 2 * * MON-FRI, time_zone: Europe/Berlin}")
    shown = daemon.slipway("batch", "schedule", "--from", "2026-11-26T12:00", "--count", "2", "jobs/nightly.yaml").stdout
    assert "2026-11-27T02:15:00+01:00  Fri" in shown and "2026-11-30T02:15:00+01:00  Mon" in shown


def test_a_query_that_scores_by_itself_is_done_when_it_is_done(daemon):
    daemon.slipway.write("jobs/query.yaml", "model: model\nsql: SELECT a, predict(t).y AS y FROM 'in.csv' t\n"
                                            "output: query-{{ ts_nodash }}.csv\nschedule: '@every 1s'\n")
    with daemon.running():
        daemon.until(lambda: len(daemon.runs("done", "query")) >= 2 or daemon.runs("failed"))
    assert not daemon.runs("failed")
    for run in daemon.runs("done", "query"):
        assert run["rows"] == 2 and run["rejected"] == 0 and (daemon.folder / run["output"]).read_text() == "a,y\n84,42\n9,3\n"
    assert not list(daemon.folder.glob("*.job"))
