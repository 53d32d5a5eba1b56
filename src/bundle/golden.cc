#include "bundle/golden.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/value.h"

namespace slipway::bundle {
namespace {

using base::Value;

constexpr size_t kMaxLineBytes = size_t{64} << 20;

std::unexpected<base::Error> Malformed(int64_t line, std::string_view message) {
  return base::Fail(base::Code::kInvalidArgument, "bundle.golden",
                    fmt::format("{}; write the golden records anew with slipway pack", message),
                    fmt::format("golden.jsonl:{}", line));
}

constexpr std::string_view kSpace = " \t\r";

/// Walks over the members of one line that is known to be a JSON object, giving each value as its own text.
class MemberWalk {
 public:
  explicit MemberWalk(std::string_view object) : text_(object), at_(object.find('{') + 1) {}

  /// The text of the next member's value; the members come in the order of the parsed map.
  std::string_view NextValue() {
    SkipString(text_.find('"', at_));
    at_ = text_.find_first_not_of(kSpace, text_.find(':', at_) + 1);
    const size_t begin = at_;
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        SkipString(at_);
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}')) break;
      depth += (c == '{' || c == '[') - (c == '}' || c == ']');
      ++at_;
    }
    const std::string_view value = text_.substr(begin, at_ - begin);
    return value.substr(0, value.find_last_not_of(kSpace) + 1);
  }

 private:
  void SkipString(size_t quote) {
    for (at_ = quote + 1; at_ < text_.size() && text_[at_] != '"'; ++at_) at_ += text_[at_] == '\\';
    ++at_;
  }

  std::string_view text_;
  size_t at_;
};

base::Result<Value> ParseLine(std::string_view line, int64_t number) {
  auto parsed = base::ParseJson(line, {.bytes = kMaxLineBytes});
  if (!parsed) return Malformed(number, parsed.error().message);
  if (!parsed->is_map()) return Malformed(number, "a line is no JSON object");
  return *std::move(parsed);
}

/// The kind of CPU, when the line tells that and nothing else.
const std::string* CpuOf(const Value& line) {
  const Value* cpu = line.Find("cpu");
  return cpu != nullptr && cpu->is_string() && !cpu->string().empty() && line.map().size() == 1 ? &cpu->string()
                                                                                                : nullptr;
}

base::Result<GoldenRecord> ReadRecord(std::string_view line, const Value& parsed, int64_t number) {
  GoldenRecord record;
  MemberWalk walk(line);
  for (const auto& [key, value] : parsed.map()) {
    const std::string_view text = walk.NextValue();
    if ((key == "record" || key == "prediction") && value.is_map()) {
      (key == "record" ? record.record : record.prediction) = text;
    } else if (key == "violations" && value.is_list() && !value.list().empty()) {
      for (const Value& code : value.list()) {
        if (!code.is_string()) return Malformed(number, "a violation is no text");
        record.violations.push_back(code.string());
      }
    } else {
      return Malformed(number, fmt::format("\"{}\" is no known member or of a wrong kind", base::Shorten(key)));
    }
  }
  if (record.record.empty()) return Malformed(number, "a line has no record");
  if (record.prediction.empty() == record.violations.empty()) {
    return Malformed(number, "a line needs either a prediction or violations");
  }
  return record;
}

}  // namespace

base::Result<GoldenSet> ParseGolden(std::string_view text) {
  GoldenSet golden;
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (base::Trim(line).empty()) continue;
    if (golden.records.size() == kMaxGoldenRecords) {
      return Malformed(number, fmt::format("there are more than {} golden records", kMaxGoldenRecords));
    }
    SLIPWAY_ASSIGN(const Value parsed, ParseLine(line, number));
    if (const std::string* cpu = CpuOf(parsed); cpu != nullptr && golden.records.empty() && golden.cpu.empty()) {
      golden.cpu = *cpu;
      continue;
    }
    SLIPWAY_ASSIGN(GoldenRecord record, ReadRecord(line, parsed, number));
    golden.records.push_back(std::move(record));
  }
  return golden;
}

std::string FormatGolden(const GoldenSet& golden) {
  std::string text;
  if (!golden.cpu.empty()) text = base::ToJson(Value::Map().Set("cpu", golden.cpu)) + "\n";
  for (const GoldenRecord& record : golden.records) {
    text.append(R"({"record":)").append(record.record);
    if (record.violations.empty()) {
      text.append(R"(,"prediction":)").append(record.prediction);
    } else {
      text.append(R"(,"violations":[)");
      for (size_t i = 0; i < record.violations.size(); ++i) {
        if (i > 0) text += ',';
        base::AppendJsonString(text, record.violations[i]);
      }
      text += ']';
    }
    text.append("}\n");
  }
  return text;
}

}  // namespace slipway::bundle
