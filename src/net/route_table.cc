#include "net/route_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/text.h"

namespace slipway::net {
namespace {

base::Error Misfit(const Route& route, std::string_view why) {
  return {base::Code::kInternal,
          "net.route",
          fmt::format("the route {} {} cannot be registered: {}", MethodName(route.method), route.pattern, why),
          {}};
}

/// Splits "/a/b" into "a", "b". Returns the count, or more than `most` when there are too many.
template <size_t kMost>
size_t Split(std::string_view path, std::string_view (&texts)[kMost]) {
  size_t count = 0;
  path.remove_prefix(1);
  for (;;) {
    if (count == kMost) return kMost + 1;
    const size_t slash = path.find('/');
    texts[count++] = path.substr(0, slash);
    if (slash == std::string_view::npos) return count;
    path.remove_prefix(slash + 1);
  }
}

std::string AllowedMethods(const std::vector<std::unique_ptr<Route>>& routes) {
  std::string allow;
  for (const auto& route : routes) {
    allow += MethodName(route->method);
    allow += route->method == Method::kGet ? ", HEAD, " : ", ";
  }
  return allow + "OPTIONS";
}

}  // namespace

base::Result<std::vector<RouteTable::Segment>> RouteTable::ParsePattern(const std::string& pattern) {
  const auto fail = [&](std::string_view why) {
    return base::Fail(base::Code::kInternal, "net.route", fmt::format("the pattern {} {}", pattern, why));
  };
  if (!pattern.starts_with('/')) return fail("does not start with /");
  std::string_view texts[kMaxSegments];
  const size_t count = Split(pattern, texts);
  if (count > kMaxSegments) return fail("has too many segments");
  std::vector<Segment> segments;
  size_t parameters = 0;
  for (const std::string_view text : std::span(texts, count)) {
    const size_t open = text.find('{');
    const size_t close = text.find('}');
    if ((open == std::string_view::npos) != (close == std::string_view::npos)) return fail("has an unpaired brace");
    if (open == std::string_view::npos) {
      segments.push_back({std::string(text), "", ""});
      continue;
    }
    if (close <= open + 1 || text.find('{', close) != std::string_view::npos) return fail("has a malformed parameter");
    if (++parameters > Request::kMaxParameters) return fail("has too many parameters");
    segments.push_back({std::string(text.substr(0, open)), std::string(text.substr(open + 1, close - open - 1)),
                        std::string(text.substr(close + 1))});
  }
  return segments;
}

bool RouteTable::Segment::Matches(std::string_view text) const {
  if (parameter.empty()) return text == prefix;
  return text.size() > prefix.size() + suffix.size() && text.starts_with(prefix) && text.ends_with(suffix);
}

bool RouteTable::Admits(std::string_view permission) const {
  return admitted_.empty() || std::ranges::find(admitted_, permission) != admitted_.end();
}

base::Result<void> RouteTable::Add(Route route) {
  if (route.permission.empty()) return std::unexpected(Misfit(route, "it names no permission"));
  if (!route.handler) return std::unexpected(Misfit(route, "it has no handler"));
  if (route.method == Method::kHead || route.method == Method::kOptions || route.method == Method::kOther) {
    return std::unexpected(Misfit(route, "the server answers this method itself"));
  }
  SLIPWAY_ASSIGN(auto segments, ParsePattern(route.pattern));
  if (!Admits(route.permission)) return {};
  auto found = std::ranges::find_if(paths_, [&](const auto& path) { return path->pattern == route.pattern; });
  if (found == paths_.end()) {
    auto path = std::make_unique<Path>();
    path->pattern = route.pattern;
    for (const Segment& segment : segments) {
      path->literals += segment.prefix.size() + segment.suffix.size() + (segment.parameter.empty() ? 1 : 0);
    }
    path->segments = std::move(segments);
    const auto place =
        std::ranges::find_if(paths_, [&](const auto& other) { return other->literals < path->literals; });
    found = paths_.insert(place, std::move(path));
    auto& alike = paths_by_segments_[(*found)->segments.size()];
    const auto behind =
        std::ranges::find_if(alike, [&](const Path* other) { return other->literals < (*found)->literals; });
    alike.insert(behind, found->get());
  }
  Path& path = **found;
  for (const auto& other : path.routes) {
    if (other->method == route.method) return std::unexpected(Misfit(route, "it exists already"));
  }
  route.index = static_cast<int>(count_++);
  path.routes.push_back(std::make_unique<Route>(std::move(route)));
  path.allow = AllowedMethods(path.routes);
  return {};
}

const RouteTable::Path* RouteTable::FindPath(std::string_view path, std::string_view (&texts)[kMaxSegments]) const {
  if (!path.starts_with('/')) return nullptr;
  const size_t count = Split(path, texts);
  if (count > kMaxSegments) return nullptr;
  for (const Path* candidate : paths_by_segments_[count]) {
    const auto& segments = candidate->segments;
    size_t same = 0;
    while (same < count && segments[same].Matches(texts[same])) ++same;
    if (same == count) return candidate;
  }
  return nullptr;
}

RouteTable::Match RouteTable::Find(Method method, std::string_view path, Request& request) const {
  Match match;
  request.parameter_count = 0;
  std::string_view texts[kMaxSegments];
  const Path* found = FindPath(path, texts);
  if (found == nullptr) return match;
  match.allow = found->allow;
  match.fault_shape = found->routes.front()->fault_shape;
  if (method == Method::kHead) method = Method::kGet;
  for (const auto& route : found->routes) {
    if (route->method == method) match.route = route.get();
  }
  if (match.route == nullptr) return match;
  match.fault_shape = match.route->fault_shape;
  for (size_t i = 0; i < found->segments.size(); ++i) {
    const Segment& segment = found->segments[i];
    if (segment.parameter.empty()) continue;
    auto& parameter = request.parameters[request.parameter_count++];
    parameter.name = segment.parameter;
    parameter.value =
        texts[i].substr(segment.prefix.size(), texts[i].size() - segment.prefix.size() - segment.suffix.size());
    if (parameter.value.find('%') == std::string_view::npos) continue;
    auto decoded = base::DecodePercent(parameter.value);
    match.broken_parameter |= !decoded;
    parameter.decoded = std::move(decoded).value_or("");
    parameter.value = parameter.decoded;
  }
  return match;
}

std::vector<const Route*> RouteTable::All() const {
  std::vector<const Route*> all(count_);
  for (const auto& path : paths_) {
    for (const auto& route : path->routes) all[static_cast<size_t>(route->index)] = route.get();
  }
  return all;
}

}  // namespace slipway::net
