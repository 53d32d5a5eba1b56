#include "serving/cache/cached_call.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/machine.h"
#include "net/route_table.h"
#include "serving/cache/redis/shared_answer.h"
#include "serving/served_model.h"

namespace slipway::serving {
namespace {

int64_t Between(base::SteadyTime from, base::SteadyTime to) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count();
}

std::chrono::nanoseconds OldestTaken(const bundle::Manifest& manifest) {
  std::chrono::nanoseconds oldest{0};
  for (const auto& step : manifest.fallback) oldest = std::max(oldest, step.age);
  return oldest;
}

}  // namespace

CacheMetrics::CacheMetrics(telemetry::MetricRegistry& registry)
    : calls(registry.AddCounter({"slipway_cache_requests_total",
                                 "Calls by what the prediction cache did for them.",
                                 {"model", "version", "outcome"}})),
      saved(registry.AddCounter({"slipway_cache_saved_seconds_total",
                                 "Time that answers from the prediction cache took less than others.",
                                 {"model", "version"},
                                 512,
                                 1e-9})) {}

void AddCacheReaders(const std::shared_ptr<const PredictionCache>& cache, const std::shared_ptr<const Flights>& flights,
                     telemetry::MetricRegistry& registry) {
  registry.AddGaugeReader({"slipway_cache_waiting", "Calls that wait for the answer that another call makes.", {}},
                          [flights] { return static_cast<double>(flights->CountWaiting()); });
  registry.AddGaugeReader({"slipway_cache_entries", "Answers in the prediction cache.", {}},
                          [cache] { return static_cast<double>(cache->Read().entries); });
  registry.AddGaugeReader({"slipway_cache_bytes", "Memory of the prediction cache.", {}},
                          [cache] { return static_cast<double>(cache->Read().bytes); });
  registry.AddCounterReader({"slipway_cache_evictions_total", "Answers that had to make room for others.", {}},
                            [cache](telemetry::MetricSamples& samples) { samples.Add({}, cache->Read().evictions); });
}

ServedCache::ServedCache(PredictionCache& kept, SharedCache* shared_cache, const CacheMetrics& metrics,
                         const live::LoadedModel& model)
    : cache(kept),
      others(shared_cache),
      old(OldestTaken(model.scorer->manifest())),
      hits(metrics.calls.With({model.name, model.version_text, "hit"})),
      shared(metrics.calls.With({model.name, model.version_text, "shared"})),
      misses(metrics.calls.With({model.name, model.version_text, "miss"})),
      skipped(metrics.calls.With({model.name, model.version_text, "skipped"})),
      saved(metrics.saved.With({model.name, model.version_text})) {
  if (others == nullptr) return;
  AppendFields(identity, std::array<std::string_view, 5>{others->options().program_version, base::CpuKind(),
                                                         model.digest, model.name, model.version_text});
}

CachedCall::CachedCall(ServedModel& served, const net::Request& request, net::Response& response, Before before)
    : served_(served),
      request_(request),
      response_(response),
      cache_(served.cache()),
      headers_(cache_ == nullptr ? 0 : response.header_text().size()),
      before_(before) {
  if (cache_ != nullptr) Look();
}

void CachedCall::Look() {
  const auto says = [&](std::string_view word) {
    return request_.Header("Cache-Control").find(word) != std::string_view::npos;
  };
  const uint64_t hash = cache_->cache.HashOf(request_.body);
  const Workload* const workload = served_.workload();
  heavy_ = workload != nullptr && workload->heavy();
  const bool pays = heavy_ || before_ != Before::kNothing || cache_->worth.Admits(hash);
  keeps_ = (pays || cache_->old.count() > 0) && request_.query.find("explain") == std::string_view::npos &&
           !says("no-store");
  if (!keeps_) {
    if (before_ == Before::kNothing) cache_->skipped.Add();
    return;
  }
  looks_ = before_ != Before::kLooked && !says("no-cache");
  asks_others_ = before_ == Before::kLooked && heavy_ && cache_->others != nullptr && !says("no-cache");
  begun_ = served_.clock().Now();
  key_ = cache_->cache.KeyOf(static_cast<uint64_t>(served_.model().index), Variant(), request_.body, hash);
}

/// All but the body that an answer depends on.
std::array<std::string_view, 5> CachedCall::Conditions() const {
  return {request_.route == nullptr ? std::string_view() : request_.route->pattern, request_.Header("Content-Type"),
          request_.Header("Accept"), request_.Header("Inference-Header-Content-Length"), request_.query};
}

uint64_t CachedCall::Variant() const {
  uint64_t hash = 0;
  for (const std::string_view text : Conditions()) hash = cache_->cache.HashOf(text, hash);
  return hash;
}

const std::string& CachedCall::RequestForOthers() {
  std::string& request = cache_->request;
  request = cache_->identity;
  AppendFields(request, Conditions());
  AppendFields(request, std::array{request_.body});
  return request;
}

bool CachedCall::RecallFromOthers() {
  std::chrono::nanoseconds left{};
  const auto latest = std::min(served_.LatestOf(request_.received), request_.deadline);
  if (!cache_->others->Find(RequestForOthers(), latest, cache_->answer, left)) return false;
  cache_->cache.Put(key_, cache_->answer, {.left = left, .old = cache_->old});
  return true;
}

bool CachedCall::Recall(RequestNote& note) {
  if (!keeps_) return false;
  CachedAnswer& answer = cache_->answer;
  const bool found = (looks_ && cache_->cache.Find(key_, answer)) || (asks_others_ && RecallFromOthers());
  looked_ = served_.clock().Now();
  if (!found) return false;
  const int64_t took = Between(begun_, looked_);
  const bool shared = before_ == Before::kWaited;
  if (!heavy_ && !shared) cache_->worth.CountHit(took);
  (shared ? cache_->shared : cache_->hits).Add();
  const int64_t work = heavy_ ? served_.workload()->fastest().count() : cache_->worth.work();
  if (const int64_t saved = work - took; saved > 0) cache_->saved.Add(static_cast<uint64_t>(saved));
  WriteAnswer(shared ? "Slipway-Cache: shared\r\n" : "Slipway-Cache: hit\r\n");
  served_.CountRecalled(answer.rows);
  served_.End(note);
  return true;
}

void CachedCall::WriteAnswer(std::string_view header) {
  const CachedAnswer& answer = cache_->answer;
  std::string& out = response_.body;
  const size_t hole = answer.hole < 0 ? answer.body.size() : static_cast<size_t>(answer.hole);
  out.assign(answer.body, 0, hole);
  if (answer.hole >= 0) out += request_.id;
  out.append(answer.body, hole);
  response_.content_type = answer.content_type;
  response_.AddHeaderLines(answer.headers);
  response_.AddHeaderLines(header);
}

std::optional<CachedCall::Old> CachedCall::RecallOld(std::chrono::nanoseconds age) {
  if (!keeps_) return std::nullopt;
  const auto found = cache_->cache.FindOld(key_, cache_->answer, age);
  if (!found) return std::nullopt;
  WriteAnswer("Slipway-Cache: old\r\n");
  return Old{.age = *found, .rows = cache_->answer.rows};
}

void CachedCall::Keep() {
  if (!keeps_) return;
  const auto worked = served_.clock().Now();
  if (response_.status == 200 && served_.call_rejected() == 0) {
    CachedAnswer& answer = cache_->answer;
    const std::string_view body = response_.body, start = served_.answer_start();
    const bool has_id = body.starts_with(start) && body.substr(start.size()).starts_with(request_.id);
    answer.hole = has_id ? std::ssize(start) : -1;
    answer.body.assign(body, 0, has_id ? start.size() : body.size());
    if (has_id) answer.body += body.substr(start.size() + request_.id.size());
    answer.headers.assign(response_.header_text(), headers_);
    answer.content_type = response_.content_type;
    answer.rows = served_.call_rows();
    cache_->cache.Put(key_, answer, {.old = cache_->old});
    if (heavy_ && cache_->others != nullptr) cache_->others->Put(RequestForOthers(), answer);
  }
  cache_->misses.Add();
  if (heavy_ || before_ != Before::kNothing) return;
  cache_->worth.CountMiss(Between(begun_, looked_), Between(looked_, worked), Between(worked, served_.clock().Now()));
}

}  // namespace slipway::serving
