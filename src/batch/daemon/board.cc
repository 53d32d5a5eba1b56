#include "batch/daemon/board.h"

#include <algorithm>
#include <functional>

namespace slipway::batch {
namespace {

using base::Value;
using net::Request;
using net::Response;
using telemetry::MetricSamples;

double SecondsOf(Millisecond time) {
  return static_cast<double>(time.time_since_epoch().count()) / 1000;
}

bool Failed(const JobStatus& job) {
  return job.last_over && job.last_over->state == RunState::kFailed;
}

std::string_view StateOf(const JobStatus& job) {
  return job.open ? RunStateName(job.open->state) : "idle";
}

Value Describe(const JobStatus& job) {
  auto value = Value::Map().Set("name", job.name).Set("schedule", job.schedule).Set("state", StateOf(job));
  value.Set("late", job.late).Set("failed", Failed(job));
  value.Set("next", job.next ? Value(FormatUtc(*job.next)) : Value());
  value.Set("open", job.open ? ToValue(*job.open) : Value());
  value.Set("last", job.last_over ? ToValue(*job.last_over) : Value());
  value.Set("last_success",
            job.last_done && job.last_done->ended ? Value(FormatMillisecond(*job.last_done->ended)) : Value());
  return value;
}

void WriteJson(const Value& value, Response& response) {
  response.AddHeader("Cache-Control", "no-store");
  response.body = base::ToJson(value, {.indent = 2, .trailing_newline = true});
}

void Ready(const Status& status, Response& response) {
  const std::string_view reason = status.stopping ? "stopping" : (status.started ? "" : "starting");
  auto value = Value::Map().Set("ready", reason.empty());
  if (!reason.empty()) {
    response.status = 503;
    value.Set("reason", reason);
  }
  WriteJson(value, response);
}

}  // namespace

void Board::Publish(Status status) {
  const std::scoped_lock lock(mutex_);
  status_ = std::move(status);
}

void Board::Count(const Run& run) {
  const std::scoped_lock lock(mutex_);
  Counts& counts = counts_[run.job];
  counts.runs[run.state] += std::max<int64_t>(run.skipped, 1);
  counts.rows += run.rows;
  counts.rejected += run.rejected;
}

Status Board::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

std::map<std::string, Board::Counts> Board::counts() const {
  const std::scoped_lock lock(mutex_);
  return counts_;
}

Value Board::Report() const {
  const Status now = status();
  auto jobs = Value::List(), broken = Value::List();
  for (const auto& job : now.jobs) jobs.Add(Describe(job));
  for (const auto& file : now.broken) {
    broken.Add(Value::Map().Set("path", file.path).Set("reason", file.error.reason).Set("message", file.error.Text()));
  }
  const bool fails = std::ranges::any_of(now.jobs, Failed);
  const bool warns = !now.broken.empty() || std::ranges::any_of(now.jobs, &JobStatus::late);
  auto value = Value::Map().Set("status", fails ? "fail" : (warns ? "warn" : "pass"));
  return value.Set("jobs", std::move(jobs)).Set("broken", std::move(broken));
}

void Board::AddMetrics(telemetry::MetricRegistry& metrics) const {
  const auto by_job = [&](std::string name, std::string help,
                          std::function<std::optional<double>(const JobStatus&)> of) {
    metrics.AddGaugeReader({"slipway_batch_" + std::move(name), std::move(help), {"job"}},
                           [this, of = std::move(of)](MetricSamples& samples) {
                             for (const auto& job : status().jobs) {
                               if (const auto value = of(job)) samples.Add({job.name}, *value);
                             }
                           });
  };
  using Number = std::optional<double>;
  by_job("last_success_timestamp_seconds", "When the job's last run that was done ended.", [](const JobStatus& job) {
    return job.last_done && job.last_done->ended ? Number(SecondsOf(*job.last_done->ended)) : std::nullopt;
  });
  by_job("last_run_duration_seconds", "How long the job's last run took, with all its attempts.",
         [](const JobStatus& job) {
           const auto& last = job.last_over;
           return last && last->started && last->ended ? Number(SecondsOf(*last->ended) - SecondsOf(*last->started))
                                                       : std::nullopt;
         });
  by_job("last_run_failed", "1 when the job's last run failed.",
         [](const JobStatus& job) { return Number(Failed(job)); });
  by_job("next_run_timestamp_seconds", "When the job is due next.", [](const JobStatus& job) {
    return job.next ? Number(static_cast<double>(job.next->time_since_epoch().count())) : std::nullopt;
  });
  by_job("running", "1 while a process works on the job.", [](const JobStatus& job) { return Number(job.alive); });
  by_job("late", "1 while a run is not done although the next one is due.",
         [](const JobStatus& job) { return Number(job.late); });
  metrics.AddGaugeReader({"slipway_batch_broken_files", "Job files that could not be read.", {}},
                         [this] { return static_cast<double>(status().broken.size()); });
  metrics.AddCounterReader({"slipway_batch_runs_total", "Runs that are over, by how they ended.", {"job", "state"}},
                           [this](MetricSamples& samples) {
                             for (const auto& [job, count] : counts()) {
                               for (const auto& [state, runs] : count.runs)
                                 samples.Add({job, RunStateName(state)}, runs);
                             }
                           });
  metrics.AddCounterReader({"slipway_batch_rows_total", "Rows of runs that are done, with those rejected.", {"job"}},
                           [this](MetricSamples& samples) {
                             for (const auto& [job, count] : counts()) samples.Add({job}, count.rows);
                           });
  metrics.AddCounterReader({"slipway_batch_rejected_rows_total", "Rejected rows of runs that are done.", {"job"}},
                           [this](MetricSamples& samples) {
                             for (const auto& [job, count] : counts()) samples.Add({job}, count.rejected);
                           });
}

base::Result<void> Board::AddRoutes(const telemetry::MetricRegistry& metrics, net::RouteTable& routes) const {
  const auto get = [&](std::string pattern, std::string permission, net::Handler handler) {
    return routes.Add({.method = net::Method::kGet,
                       .pattern = std::move(pattern),
                       .permission = std::move(permission),
                       .handler = std::move(handler)});
  };
  SLIPWAY_TRY(get("/livez", "public", [](const Request&, Response& r) { r.body = "{\"live\":true}"; }));
  SLIPWAY_TRY(get("/readyz", "public", [this](const Request&, Response& r) { Ready(status(), r); }));
  SLIPWAY_TRY(get("/health", "observe", [this](const Request&, Response& r) {
    const Value report = Report();
    if (report.Find("status")->string() == "fail") r.status = 503;
    WriteJson(report, r);
  }));
  return get("/metrics", "observe", [&metrics](const Request& q, Response& r) {
    const bool open = q.Header("Accept").find("application/openmetrics-text") != std::string_view::npos;
    const auto form = open ? telemetry::Exposition::kOpenMetrics : telemetry::Exposition::kPrometheus;
    r.content_type = telemetry::ContentType(form);
    metrics.WriteText(r.body, form);
  });
}

}  // namespace slipway::batch
