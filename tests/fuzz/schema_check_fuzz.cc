// Records of any content get a verdict, and the same one alone as in a batch.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "data/json_rows.h"
#include "schema/validator.h"

namespace {

using namespace slipway;

constexpr std::string_view kManifest = R"({"inputs": {
  "s": {"type": "string", "values": ["a", "bb", "other"], "unknown": "other", "max_length": 5},
  "p": {"type": "string", "pattern": "[a-z]+", "min_length": 2, "on_violation": "null", "optional": true},
  "n": {"type": "number", "min": -1, "max": 1, "on_violation": "clamp", "default": 0, "missing": "impute"},
  "i": {"type": "integer", "values": [1, 2, 9007199254740993], "on_violation": "impute", "default": 1},
  "b": {"type": "boolean", "values": [true], "on_violation": "warn"},
  "t": {"type": "timestamp", "min": "2000-01-01", "nullable": true},
  "v": {"type": "number[?,2]", "max": 5, "on_violation": "null", "optional": true},
  "f": {"type": "integer[2]", "min": 0, "on_violation": "clamp", "optional": true}},
  "rules": ["n > 0 or b", "t > t"]})";

const schema::Validator& TheValidator() {
  static const schema::Validator validator =
      schema::Validator::Create(schema::ParseSchema(base::ParseJson(kManifest).value()).value()).value();
  return validator;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto& validator = TheValidator();
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  data::JsonRowDecoder decoder(validator.layout());
  data::Decoded batch(validator.layout());
  std::vector<std::string_view> lines;
  for (size_t begin = 0; begin <= text.size() && lines.size() < 24;) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    decoder.DecodeLine(lines.back(), batch);
    begin = end + 1;
  }
  schema::ValidatorWorkspace workspace;
  schema::Report report;
  validator.Check(batch, report, workspace);
  const data::JsonRowEncoder encoder(validator.layout().fields());
  size_t violation = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    data::Decoded single(validator.layout());
    decoder.DecodeLine(lines[i], single);
    schema::Report alone;
    validator.Check(single, alone, workspace);
    if (alone.rejected[0] != report.rejected[i]) std::abort();
    for (const auto& expected : alone.violations) {
      if (violation == report.violations.size() || report.violations[violation++].message != expected.message)
        std::abort();
    }
    std::string together, apart;
    encoder.AppendRow(batch.table, static_cast<int64_t>(i), together);
    encoder.AppendRow(single.table, 0, apart);
    if (together != apart) std::abort();
  }
  return 0;
}
