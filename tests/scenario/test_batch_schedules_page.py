"""What docs/operations/batch-schedules.md shows is run, and its alert rules fire when they should."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import PROGRAM, ROOT, until

PAGE = (ROOT / "docs/operations/batch-schedules.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.M | re.S)
COMMANDS = [line for kind, text in BLOCKS if kind == "" for line in text.splitlines()]


def block(kind, word):
    return next(text for each, text in BLOCKS if each == kind and word in text)


@pytest.fixture
def shop(slipway, flights_shop):
    """The page's job, with flights of the day that it is run for."""
    shutil.copy(flights_shop / "flights-1.0.0.slipway", slipway.folder / "flight-delay-1.0.0.slipway")
    table = pd.read_csv(flights_shop / "flights.csv", dtype={"tailnum": "string"}, nrows=200)
    (slipway.folder / "in/2026-11-25").mkdir(parents=True)
    table.to_csv(slipway.folder / "in/2026-11-25/flights.csv", index=False)
    slipway.write("jobs/nightly.yaml", block("yaml", "schedule:").replace("keep: [flight]", "keep: [flight]\nignore_unknown: true"))
    return slipway


def test_the_commands_of_the_page_run(shop):
    assert len(COMMANDS) == 9
    path = f"{Path(PROGRAM).parent}:{os.environ['PATH']}"
    for line in COMMANDS:
        words = ["bash", "-c", "exec " + line.replace(":9464", ":0")]
        if " daemon " not in line:
            done = subprocess.run(words, cwd=shop.folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            if " schedule " in line:
                assert done.stdout.count("T02:15:00+01:00") == 3
            continue
        process = subprocess.Popen(words, cwd=shop.folder, env={**os.environ, "PATH": path})
        log = shop.folder / "daemon.log"
        until(lambda log=log: log.exists() and "daemon.ready" in log.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert len(pd.read_csv(shop.folder / "scored-2026-11-25.csv")) == 200
    written = {path.name for path in shop.folder.iterdir()}
    assert written >= {"nightly.service", "nightly.timer", "nightly.cronjob.yaml", "nightly.py"}


def test_the_templates_of_the_page_stand_for_what_it_says(slipway):
    rows = re.findall(r"^\| (`\{\{.*?) \| ([^|]*?) \|$", PAGE, re.M)
    assert len(rows) == 8
    shown = {name.replace("\\|", "|"): re.match(r"[-\dT:+/]+", meaning) for names, meaning in rows
             for name in re.findall(r"`(\{\{ .*? \}\})`", names)}
    told = {name: value.group() for name, value in shown.items() if value}
    assert len(told) == 9
    for name, value in told.items():
        job = f"model: \"{name}\"\ninput: i\noutput: o.csv\nschedule: {{cron: 15 2 * * *, time_zone: Europe/Berlin}}\n"
        slipway.write("job.yaml", job)
        missing = slipway("batch", "run", "--date", "2026-11-26T02:15", "job.yaml", expect=1).stderr
        assert f"/{value}" in missing, name


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is missing: run deps/install test")
def test_the_alerts_fire_when_they_should(tmp_path):
    (tmp_path / "rules.yaml").write_text(block("yaml", "groups:"))
    success = {"series": 'slipway_batch_last_success_timestamp_seconds{job="nightly"}', "values": "0+0x2000"}
    up = {"series": "slipway_batch_broken_files", "values": "0+0x2000"}
    failed = {"series": 'slipway_batch_last_run_failed{job="nightly"}', "values": "0x10 1x2000"}

    def alert(time, name, summary, severity="page", **labels):
        fired = [] if summary is None else [{"exp_labels": {"severity": severity, **labels}, "exp_annotations": {"summary": summary}}]
        return {"eval_time": time, "alertname": name, "exp_alerts": fired}

    tests = [{"interval": "1m", "input_series": [success, up, failed], "alert_rule_test": [
        alert("25h", "SlipwayBatchStale", None),
        alert("26h2m", "SlipwayBatchStale", "nightly had no success for 26 h", job="nightly"),
        alert("5m", "SlipwayBatchFailed", None),
        alert("20m", "SlipwayBatchFailed", "the last run of nightly failed", "ticket", job="nightly"),
        alert("1h", "SlipwayBatchDown", None)]},
        {"interval": "1m", "input_series": [], "alert_rule_test": [
            alert("10m", "SlipwayBatchDown", "no daemon is scraped, or it cannot read a job file")]}]
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": tests}))
    for command in ["check", "rules", "rules.yaml"], ["test", "rules", "tests.yaml"]:
        done = subprocess.run(["promtool", *command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
