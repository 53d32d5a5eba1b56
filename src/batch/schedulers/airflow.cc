// A DAG for Airflow.

#include <fmt/format.h>

#include <vector>

#include "batch/schedulers/texts.h"

namespace slipway::batch {

base::Result<std::vector<SchedulerFile>> AirflowFiles(const JobFile& file, const SchedulerOptions& options) {
  SLIPWAY_ASSIGN(const Cron* cron, CronOf(file, "Airflow"));
  SLIPWAY_TRY(CheckDaySteps(*cron, "Airflow"));
  const Periodic& periodic = file.periodic;
  const Schedule& schedule = *periodic.schedule;
  const std::string limit = periodic.timeout ? fmt::format("timedelta(seconds={})", periodic.timeout->count()) : "None";
  const std::string text = fmt::format(
      R"(# Slipway batch job {name}, for Airflow 2.9 or later (dags/{name}.py).
import subprocess
from datetime import timedelta

import pendulum
from airflow.timetables.trigger import CronTriggerTimetable

try:
    from airflow.sdk import DAG, task
    from airflow.sdk.exceptions import AirflowFailException
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.decorators import task
    from airflow.exceptions import AirflowFailException

COMMAND = [{program}, "batch", "run", "--resume"]
JOB = {job}

with DAG(
    dag_id={quoted_name},
    # The time that a run is for is the one at which it is due, as for `slipway batch daemon`.
    schedule=CronTriggerTimetable({line}, timezone={zone}),
    start_date=pendulum.parse({started}, tz={zone}),
    catchup={catch_up},
    max_active_runs=1,
    tags=["slipway"],
):

    @task(
        task_id="score",
        retries={retries},
        retry_delay=timedelta(seconds={pause}),
        retry_exponential_backoff=True,
        max_retry_delay=timedelta(hours=1),
        execution_timeout={limit},
    )
    def score(dag_run=None):
        time = dag_run.logical_date or dag_run.run_after  # a run by hand may be for no time of the schedule
        process = subprocess.Popen([*COMMAND, "--date", time.isoformat(timespec="seconds"), JOB], cwd={folder})
        try:
            code = process.wait()
        except BaseException:  # a timeout, or somebody stops the task: parts at hand finish, and are kept
            process.terminate()
            process.wait()
            raise
        if code in (1, 2):  # the data, the model or the job is at fault: trying again does not mend it
            raise AirflowFailException(f"slipway ended with exit code {{code}}")
        if code != 0:
            raise RuntimeError(f"slipway ended with exit code {{code}}; the next try goes on where it was")

    score()
)",
      fmt::arg("name", periodic.name), fmt::arg("quoted_name", Quoted(periodic.name)),
      fmt::arg("program", Quoted(options.program)), fmt::arg("job", Quoted(file.path)),
      fmt::arg("line", Quoted(cron->Text())), fmt::arg("zone", Quoted(schedule.zone().name())),
      fmt::arg("started", Quoted(schedule.zone().Format(options.now, "%Y-%m-%d"))),
      fmt::arg("catch_up", schedule.catch_up() == CatchUp::kAll ? "True" : "False"),
      fmt::arg("retries", periodic.retry.times), fmt::arg("pause", periodic.retry.backoff.count()),
      fmt::arg("limit", limit), fmt::arg("folder", Quoted(options.folder)));
  return std::vector<SchedulerFile>{{.name = periodic.name + ".py", .text = text}};
}

}  // namespace slipway::batch
