"""The DAG that `slipway batch manifest` writes, in a real Airflow: it is read, is due when the job is, and runs the job."""

import os
import pathlib
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from batch_daemon import Daemon  # noqa: E402
from program import PROGRAM, Slipway  # noqa: E402


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A job in a folder, its DAG in dags/, and an Airflow of their own."""
    folder = tmp_path_factory.mktemp("airflow")
    shop = Daemon(Slipway(folder))
    shop.job("nightly", schedule="{cron: 15 2 * * MON-FRI, time_zone: Europe/Berlin, catch_up: all}", output="{name}-{{{{ ds }}}}.csv")
    (folder / "dags").mkdir()
    shop.slipway("batch", "manifest", "--for", "airflow", "--program", PROGRAM, "--folder", folder, "--output", "dags", "jobs/nightly.yaml")
    os.environ.update(AIRFLOW_HOME=str(folder / "home"), AIRFLOW__CORE__DAGS_FOLDER=str(folder / "dags"),
                      AIRFLOW__CORE__LOAD_EXAMPLES="False", AIRFLOW__CORE__UNIT_TEST_MODE="False")
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True, timeout=300)
    return shop


@pytest.fixture(scope="module")
def dag(shop):
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(shop.folder / "dags"))
    assert not bag.import_errors, bag.import_errors
    return bag.dags["nightly"]


def due(days):
    """When the job is due, so many days from now: the DAG runs nothing before the day on which it was written."""
    return datetime.now(timezone.utc).replace(hour=1, minute=15, second=0, microsecond=0) + timedelta(days=days)


def test_airflow_reads_the_dag(dag):
    assert dag.catchup and dag.max_active_runs == 1
    (task,) = dag.tasks
    assert task.task_id == "score" and task.retries == 3 and task.retry_exponential_backoff


def test_the_dag_runs_the_job_for_its_logical_date(shop, dag):
    done = dag.test(logical_date=due(1))
    assert done.state == "success"
    assert (shop.folder / f"nightly-{due(1):%Y-%m-%d}.csv").read_text() == "y,error\n42,\n3,\n"


def test_what_the_data_is_at_fault_for_fails_at_once(shop, dag):
    (shop.folder / "in.csv").write_text("a,c\n1,2\n")
    done = dag.test(logical_date=due(2))
    assert done.state == "failed"
    assert [instance.try_number for instance in done.get_task_instances()] == [1]
