"""`slipway batch manifest`: what it writes for cron, systemd, Kubernetes and Airflow is read by their own tools, and runs the job."""

import fcntl
import os
import py_compile
import re
import shutil
import subprocess
import sys
import types
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import kubernetes_validate
import pytest
import yaml
from batch_daemon import CRASH, Daemon
from conftest import PROGRAM
from croniter import croniter

LINES = ["15 2 * * MON-FRI", "*/20 8-18/2 1,15 * *", "0 0 13 * FRI", "30 3 L * *", "5 4 * * MON#1,FRIL", "0 12 1-7 JAN-MAR 0", "59 23 31 12 *"]


@pytest.fixture
def shop(slipway):
    """A job that is due at 02:15 in Berlin."""
    daemon = Daemon(slipway)
    daemon.job("nightly", schedule="{cron: 15 2 * * MON-FRI, time_zone: Europe/Berlin}", output="{name}-{{{{ ds }}}}.csv",
               more="retry: {times: 2, backoff: 1s}\n")
    return daemon


def manifest(shop, scheduler, *options, job="jobs/nightly.yaml", expect=0):
    program = [] if "--program" in options else ["--program", PROGRAM]
    return shop.slipway("batch", "manifest", "--for", scheduler, *program, "--folder", shop.folder, *options, job, expect=expect)


def outputs(shop):
    return sorted(path.name for path in shop.folder.glob("nightly-*.csv"))


def today():
    return datetime.now(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%d")


def test_the_line_for_cron_runs_the_job(shop):
    lines = manifest(shop, "cron").stdout.splitlines()
    assert "CRON_TZ=Europe/Berlin" in lines
    fields, command = re.match(r"((?:\S+ ){5})(.*)", lines[-1]).groups()
    assert fields.strip() == "15 2 * * 1-5" and croniter.is_valid(fields)
    assert not re.search(r"(?<!\\)%", command), "cron ends a command at a percent sign"
    command = command.replace("\\%", "%")
    before = today()
    subprocess.run(["sh", "-c", command], cwd="/", check=True, timeout=60)
    assert outputs(shop) in ([f"nightly-{before}.csv"], [f"nightly-{today()}.csv"])
    # Another run of it goes on: this one is left out.
    with open(shop.folder / "jobs/nightly.yaml") as job:
        fcntl.flock(job, fcntl.LOCK_EX)
        (shop.folder / outputs(shop)[0]).unlink()
        subprocess.run(["sh", "-c", command], cwd="/", check=True, timeout=60)
    assert outputs(shop) == []
    # What the data is at fault for is not tried again.
    (shop.folder / "in.csv").rename(shop.folder / "gone.csv")
    begin = datetime.now()
    assert subprocess.run(["sh", "-c", command], cwd="/", timeout=60, capture_output=True).returncode == 1
    assert datetime.now() - begin < timedelta(seconds=1)


def test_the_line_for_cron_tries_again_what_may_get_better(shop):
    script = shop.slipway.write("slipway.sh", '#!/bin/sh\necho "$5" >> tries\ntest $(wc -l < tries) = 3 || exit $((2 + $(wc -l < tries)))\n')
    script.chmod(0o755)
    command = manifest(shop, "cron", "--program", script).stdout.splitlines()[-1].split(" * * 1-5 ")[1].replace("\\%", "%")
    subprocess.run(["sh", "-c", command], cwd="/", check=True, timeout=60)  # exit codes 3, 4, 0
    tries = (shop.folder / "tries").read_text().splitlines()
    assert len(tries) == 3 and len(set(tries)) == 1, "each for the same time"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing: run deps/install test")
def test_systemd_finds_no_fault_with_the_units(shop):
    manifest(shop, "systemd", "--output", ".")
    done = subprocess.run(["systemd-analyze", "verify", "./nightly.service", "./nightly.timer"], cwd=shop.folder, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0 and "nightly" not in done.stderr, done.stderr
    assert f"ReadWritePaths={shop.folder}\n" in (shop.folder / "nightly.service").read_text()
    command = re.search(r"ExecStart=(.*)", (shop.folder / "nightly.service").read_text()).group(1)
    subprocess.run(command.split(), cwd=shop.folder, check=True, timeout=60)
    assert len(outputs(shop)) == 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing: run deps/install test")
@pytest.mark.parametrize("name", ["a b", "it's", "100%", 'say "yes"', "a$b", "a;b"])
def test_systemd_takes_a_job_in_a_folder_with_an_odd_name(shop, name):
    folder = shop.folder / name
    (folder / "out").mkdir(parents=True)
    job = folder / "nightly.yaml"
    job.write_text((shop.folder / "jobs/nightly.yaml").read_text().replace("output: ", "output: out/"))
    shop.slipway("batch", "manifest", "--for", "systemd", "--program", PROGRAM, "--output", folder, job)
    done = subprocess.run(["systemd-analyze", "verify", "./nightly.service", "./nightly.timer"], cwd=folder, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0 and "nightly" not in done.stderr, done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing: run deps/install test")
@pytest.mark.parametrize("line", LINES)
def test_the_timer_names_the_times_of_the_line(shop, line):
    shop.job("nightly", schedule=f"{{cron: {line!r}, time_zone: Europe/Berlin}}")
    timer = manifest(shop, "systemd").stdout
    theirs = set()
    for calendar in re.findall(r"OnCalendar=(.*)", timer):
        shown = subprocess.run(["systemd-analyze", "calendar", "--base-time=2026-11-26 12:00:00 UTC", "--iterations=8", calendar],
                               capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC"}).stdout
        theirs |= {datetime.fromisoformat(time + "+00:00") for time in re.findall(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", shown)}
    ours = shop.slipway("batch", "schedule", "--from", "2026-11-26T12:00Z", "--count", "8", "jobs/nightly.yaml").stdout
    times = [datetime.fromisoformat(time) for time in re.findall(r"\d{4}-\S+", ours)]
    assert [time.astimezone(timezone.utc) for time in times] == sorted(theirs)[:8]


@pytest.mark.parametrize("shards", [1, 3])
def test_kubernetes_takes_the_cron_job_and_its_command_runs_the_job(shop, shards, monkeypatch):
    image = ["--image", "registry.example/slipway:0.1.0", "--shards", shards]
    if shards > 1:
        told = manifest(shop, "kubernetes", *image, expect=2).stderr
        assert "put {shard} into the name" in told
        job = shop.folder / "jobs/nightly.yaml"
        job.write_text(job.read_text().replace("ds }}.csv", "ds }}-{shard}.csv"))
    text = manifest(shop, "kubernetes", *image).stdout
    config, cron_job = yaml.safe_load_all(text)
    for document in config, cron_job:
        for release in "1.31", "1.34":
            kubernetes_validate.validate(document, release, strict=True)
    assert config["data"]["job.yaml"] == (shop.folder / "jobs/nightly.yaml").read_text()
    spec = cron_job["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("15 2 * * 1-5", "Europe/Berlin", "Forbid")
    rule = spec["jobTemplate"]["spec"]["podFailurePolicy"]["rules"][-1]
    assert rule["onExitCodes"]["values"] == [1, 2] and rule["action"] == ("FailIndex" if shards > 1 else "FailJob")
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["workingDir"] == str(shop.folder) and pod["securityContext"]["runAsNonRoot"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    # The pod's command, as the pod would run it.
    (shop.folder / "etc").mkdir()
    job = shop.folder / "etc/job.yaml"
    job.write_text(config["data"]["job.yaml"])
    monkeypatch.setenv("JOB_NAME", f"nightly-{int(datetime(2026, 11, 25, 1, 15, tzinfo=timezone.utc).timestamp()) // 60}")
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "0")
    words = [str(job) if word == "/etc/slipway/job.yaml" else word for word in container["args"]]
    subprocess.run([PROGRAM, *words], cwd=shop.folder, check=True, timeout=60)
    assert outputs(shop) == ["nightly-2026-11-25-0-of-3.csv" if shards > 1 else "nightly-2026-11-25.csv"]


class Airflow:
    """So much of Airflow as a DAG's file uses, to see what it is given."""

    def __init__(self, monkeypatch):
        self.dag, self.task, self.schedule, self.function = None, None, None, None
        airflow = self

        class Dag:
            def __init__(self, **options):
                airflow.dag = options

            __enter__ = __exit__ = lambda self, *_: None

        def task(**options):
            airflow.task = options

            def decorate(function):
                airflow.function = function
                return lambda: None

            return decorate

        def timetable(*arguments, **options):
            airflow.schedule = (arguments, options)

        parts = {
            "airflow": {}, "airflow.sdk": {"DAG": Dag, "task": task}, "airflow.timetables": {},
            "airflow.timetables.trigger": {"CronTriggerTimetable": timetable},
            "airflow.sdk.exceptions": {"AirflowFailException": Failed},
            "pendulum": {"parse": lambda text, tz: (text, tz)},
        }
        for name, members in parts.items():
            module = types.ModuleType(name)
            module.__dict__.update(members)
            monkeypatch.setitem(sys.modules, name, module)


class Failed(Exception):
    pass


def test_the_dag_for_airflow_runs_the_job_for_the_time_at_which_it_is_due(shop, monkeypatch):
    manifest(shop, "airflow", "--output", ".")
    path = shop.folder / "nightly.py"
    py_compile.compile(path, doraise=True)
    airflow = Airflow(monkeypatch)
    exec(compile(path.read_text(), path, "exec"), {"__name__": "nightly"})
    assert airflow.schedule == (("15 2 * * 1-5",), {"timezone": "Europe/Berlin"})
    assert airflow.dag["catchup"] is False and airflow.dag["max_active_runs"] == 1
    assert airflow.task["retries"] == 2 and airflow.task["retry_delay"] == timedelta(seconds=1)
    due = types.SimpleNamespace(logical_date=datetime(2026, 11, 25, 1, 15, tzinfo=timezone.utc), run_after=None)
    airflow.function(dag_run=due)
    assert outputs(shop) == ["nightly-2026-11-25.csv"]
    shop.slipway.write("in.csv", "a,c\n1,2\n")
    with pytest.raises(Failed, match="exit code 1"):
        airflow.function(dag_run=types.SimpleNamespace(logical_date=None, run_after=datetime(2026, 11, 26, tzinfo=timezone.utc)))
    shop.slipway.write("in.csv", "a,b\n" + CRASH)
    with pytest.raises(RuntimeError, match="goes on where it was"):
        airflow.function(dag_run=types.SimpleNamespace(logical_date=None, run_after=datetime(2026, 11, 27, tzinfo=timezone.utc)))


def test_what_a_scheduler_cannot_say_is_refused(shop):
    shop.job("nightly", schedule="'@every 10m'")
    assert "is a period" in manifest(shop, "cron", expect=1).stderr
    shop.job("nightly", schedule="'0 0 L * *'")
    assert "systemd" in manifest(shop, "kubernetes", "--image", "i", expect=1).stderr
    shop.job("nightly", schedule="'0 0 * * *'")
    assert "--image" in manifest(shop, "kubernetes", expect=2).stderr
