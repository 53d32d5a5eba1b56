// date_parts, elapsed: timestamps to numbers.

#include <fmt/format.h>

#include <array>
#include <limits>

#include "data/timestamp.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using data::ScalarType;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The week of ISO 8601: weeks begin on Monday, week 1 holds the year's first Thursday.
int IsoWeek(const data::CivilTime& t) {
  const auto weeks_in = [](int64_t year) {
    const auto first_weekday = [](int64_t y) {
      return (y + y / 4 - y / 100 + y / 400) % 7;
    };  // of December 31st, Sunday 0
    return first_weekday(year) == 4 || first_weekday(year - 1) == 3 ? 53 : 52;
  };
  const int week = (t.day_of_year - (t.weekday + 1) + 10) / 7;
  if (week < 1) return weeks_in(t.year - 1);
  return week > weeks_in(t.year) ? 1 : week;
}

int Quarter(const data::CivilTime& t) {
  return (t.month - 1) / 3 + 1;
}

struct Part {
  std::string_view name;
  double (*of)(const data::CivilTime&);
};

constexpr Part kParts[] = {
    {"year", [](const data::CivilTime& t) { return static_cast<double>(t.year); }},
    {"quarter", [](const data::CivilTime& t) { return static_cast<double>(Quarter(t)); }},
    {"month", [](const data::CivilTime& t) { return static_cast<double>(t.month); }},
    {"week", [](const data::CivilTime& t) { return static_cast<double>(IsoWeek(t)); }},
    {"day", [](const data::CivilTime& t) { return static_cast<double>(t.day); }},
    {"day_of_week", [](const data::CivilTime& t) { return static_cast<double>(t.weekday); }},
    {"day_of_year", [](const data::CivilTime& t) { return static_cast<double>(t.day_of_year); }},
    {"weekend", [](const data::CivilTime& t) { return t.weekday >= 5 ? 1.0 : 0.0; }},
    {"hour", [](const data::CivilTime& t) { return static_cast<double>(t.hour); }},
    {"minute", [](const data::CivilTime& t) { return static_cast<double>(t.minute); }},
    {"second", [](const data::CivilTime& t) { return t.second + t.microsecond / 1e6; }},
};

class DatePartsKernel final : public Kernel {
 public:
  DatePartsKernel(int in, int out, int zone_minutes, std::vector<const Part*> parts)
      : in_(in), out_(out), shift_(int64_t{zone_minutes} * 60'000'000), parts_(std::move(parts)) {}

  void Run(Frame& frame) const override {
    const data::ColumnView& view = frame.view(in_);
    double* out = frame.block(out_);
    for (int64_t r = 0; r < frame.rows; ++r) {
      if (!view.IsValid(r)) {
        for (size_t i = 0; i < parts_.size(); ++i) *out++ = kNan;
        continue;
      }
      int64_t local = 0;
      if (__builtin_add_overflow(view.integers()[r], shift_, &local)) local = view.integers()[r];
      const data::CivilTime civil = data::ToCivil(local);
      for (const Part* part : parts_) *out++ = part->of(civil);
    }
  }

 private:
  int in_, out_;
  int64_t shift_;
  std::vector<const Part*> parts_;
};

Result<void> CheckTimes(std::span<const Input> inputs) {
  for (const Input& input : inputs) {
    if (input.type != ScalarType::kTimestamp || input.width != 1) return WrongInput(input, "timestamps");
  }
  return {};
}

class DateParts final : public Step {
 public:
  explicit DateParts(StepReader& reader) : inputs_(reader.Inputs(1, 1)) {
    std::string known;
    for (const Part& part : kParts) known += (known.empty() ? "" : ", ") + std::string(part.name);
    const auto names = reader.Texts("parts");
    if (!names || names->empty()) {
      reader.Reject("parts",
                    "date_parts: `parts` is missing; write e.g. parts: [month, day_of_week, hour]; there are " + known);
      return;
    }
    for (const std::string& name : *names) {
      const Part* found = nullptr;
      for (const Part& part : kParts) found = part.name == name ? &part : found;
      if (found == nullptr)
        reader.Reject("parts", fmt::format("date_parts: there is no part `{}`; there are {}", name, known));
      parts_.push_back(found);
    }
  }
  const std::vector<std::string>& inputs() const override { return inputs_; }

  Result<Shape> Check(std::span<const Input> inputs, const InReach&) const override {
    SLIPWAY_TRY(CheckTimes(inputs));
    return Shape{ScalarType::kNumber, static_cast<int64_t>(parts_.size())};
  }
  Result<void> Compile(StepPlan& plan) const override {
    const Input& input = plan.inputs()[0];
    const int slot = plan.AddBlock(static_cast<int64_t>(parts_.size()));
    plan.AddKernel(std::make_unique<DatePartsKernel>(input.slot, slot, input.zone_minutes, parts_));
    std::vector<std::string> suffixes;
    for (const Part* part : parts_) suffixes.push_back("." + std::string(part->name));
    if (suffixes.size() == 1) suffixes.clear();
    plan.Yield(slot, ScalarType::kNumber, std::move(suffixes));
    return {};
  }

 private:
  std::vector<std::string> inputs_;
  std::vector<const Part*> parts_;
};

struct Unit {
  std::string_view name;
  double microseconds;
};
constexpr Unit kUnits[] = {{"seconds", 1e6},  {"microseconds", 1}, {"milliseconds", 1e3}, {"minutes", 60e6},
                           {"hours", 3600e6}, {"days", 86400e6},   {"weeks", 604800e6}};

class ElapsedKernel final : public Kernel {
 public:
  ElapsedKernel(int from, int to, int out, double unit) : from_(from), to_(to), out_(out), unit_(unit) {}
  void Run(Frame& frame) const override {
    const data::ColumnView &from = frame.view(from_), &to = frame.view(to_);
    double* out = frame.block(out_);
    for (int64_t r = 0; r < frame.rows; ++r) {
      if (!from.IsValid(r) || !to.IsValid(r)) {
        out[r] = kNan;
        continue;
      }
      int64_t difference = 0;
      const int64_t a = to.integers()[r], b = from.integers()[r];
      const bool past = __builtin_sub_overflow(a, b, &difference);
      out[r] = (past ? static_cast<double>(a) - static_cast<double>(b) : static_cast<double>(difference)) / unit_;
    }
  }

 private:
  int from_, to_, out_;
  double unit_;
};

class Elapsed final : public Step {
 public:
  explicit Elapsed(StepReader& reader) {
    const base::Value *from = reader.subject().Find("from"), *to = reader.subject().Find("to");
    if (!reader.subject().is_map()) {
      inputs_ = reader.Inputs(2, 2);
    } else if (from != nullptr && to != nullptr && from->is_string() && to->is_string() &&
               reader.subject().map().size() == 2) {
      inputs_ = {from->string(), to->string()};
    } else {
      reader.Reject("elapsed", "elapsed: write {from: TIMESTAMP, to: TIMESTAMP} or [FROM, TO]");
    }
    const std::string unit =
        reader.Choice("unit", {"seconds", "microseconds", "milliseconds", "minutes", "hours", "days", "weeks"});
    for (const Unit& known : kUnits) unit_ = known.name == unit ? known.microseconds : unit_;
  }
  const std::vector<std::string>& inputs() const override { return inputs_; }

  Result<Shape> Check(std::span<const Input> inputs, const InReach&) const override {
    SLIPWAY_TRY(CheckTimes(inputs));
    return Shape{};
  }
  Result<void> Compile(StepPlan& plan) const override {
    const int slot = plan.AddBlock(1);
    plan.AddKernel(std::make_unique<ElapsedKernel>(plan.inputs()[0].slot, plan.inputs()[1].slot, slot, unit_));
    plan.Yield(slot, ScalarType::kNumber);
    return {};
  }

 private:
  std::vector<std::string> inputs_;
  double unit_ = 1e6;
};

}  // namespace

ParsedStep ParseDateParts(StepReader& reader) {
  return std::make_unique<DateParts>(reader);
}
ParsedStep ParseElapsed(StepReader& reader) {
  return std::make_unique<Elapsed>(reader);
}

}  // namespace slipway::features
