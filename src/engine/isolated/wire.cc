#include "engine/isolated/wire.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/text.h"

namespace slipway::engine::isolated {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kMostTable = size_t{64} << 20;
constexpr int64_t kMostRank = 64;
constexpr size_t kMostReason = 64, kMostMessage = 4000;

std::unexpected<base::Error> Broken(std::string what) {
  return base::Fail(base::Code::kDataLoss, "engine.protocol", std::move(what));
}

/// Elements of a shape; nullopt: negative dimensions, or more bytes than there can be.
std::optional<uint64_t> CountElements(std::span<const int64_t> shape, size_t size) {
  uint64_t count = 1;
  bool overflow = false;
  for (const int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    if (dimension == 0) return 0;
    overflow |= __builtin_mul_overflow(count, static_cast<uint64_t>(dimension), &count);
  }
  if (overflow || count > uint64_t{1} << 48 || count * size > uint64_t{1} << 48) return std::nullopt;
  return count;
}

/// Where one tensor lies, as a table tells it: inside the memory, with as many bytes as its shape wants.
struct Placed {
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> shape;
  uint64_t count = 0;
  std::span<const std::byte> bytes;
};

/// Reads a copy of a table.
class TableReader {
 public:
  /// Errors: the table is not inside the memory.
  static base::Result<TableReader> Open(std::span<const std::byte> memory, const Signal& signal) {
    if (signal.table_bytes > kMostTable || signal.at > memory.size() ||
        signal.table_bytes > memory.size() - signal.at) {
      return Broken("its table lies outside the memory");
    }
    TableReader reader;
    reader.memory_ = memory;
    reader.table_.resize(signal.table_bytes);
    if (!reader.table_.empty()) std::memcpy(reader.table_.data(), memory.data() + signal.at, signal.table_bytes);
    return reader;
  }

  std::optional<int64_t> Number() {
    int64_t number = 0;
    if (table_.size() - at_ < sizeof(number)) return std::nullopt;
    std::memcpy(&number, table_.data() + at_, sizeof(number));
    at_ += sizeof(number);
    return number;
  }

  /// A number from 0 to `most`.
  std::optional<int64_t> Count(int64_t most) {
    const auto count = Number();
    return count && *count >= 0 && *count <= most ? count : std::nullopt;
  }

  std::optional<std::string_view> Text(size_t most) {
    const auto size = Count(static_cast<int64_t>(most));
    if (!size || static_cast<size_t>(*size) > table_.size() - at_) return std::nullopt;
    const std::string_view text(table_.data() + at_, static_cast<size_t>(*size));
    at_ += text.size();
    return text;
  }

  base::Result<Placed> Tensor() {
    Placed placed;
    const auto type = Count(static_cast<int64_t>(ElementType::kString));
    const auto rank = Count(kMostRank);
    if (!type || !rank) return Broken("a tensor of no known type or rank");
    placed.type = static_cast<ElementType>(*type);
    for (int64_t i = 0; i < *rank; ++i) placed.shape.push_back(Number().value_or(-1));
    const size_t size = placed.type == ElementType::kString ? sizeof(uint64_t) : ElementSize(placed.type);
    const auto count = CountElements(placed.shape, size);
    const auto at = Count(std::numeric_limits<int64_t>::max()), bytes = Count(std::numeric_limits<int64_t>::max());
    if (!count || !at || !bytes) return Broken("a tensor of an impossible shape");
    const auto begin = static_cast<uint64_t>(*at), length = static_cast<uint64_t>(*bytes);
    if (begin > memory_.size() || length > memory_.size() - begin) return Broken("a tensor outside the memory");
    const bool text = placed.type == ElementType::kString;
    if (text ? length < *count * size : length != *count * size)
      return Broken("a tensor of another size than its shape");
    placed.count = *count;
    placed.bytes = memory_.subspan(begin, length);
    return placed;
  }

 private:
  TableReader() = default;
  std::span<const std::byte> memory_;
  std::string table_;
  size_t at_ = 0;
};

/// The texts of a tensor: the end of each, counted from the first text's begin, and then the texts. Calls `take` with
/// each. False when the ends do not rise, or lead outside.
template <typename Take>
bool ForEachText(const Placed& placed, Take take) {
  std::vector<uint64_t> ends(placed.count);
  if (!ends.empty()) std::memcpy(ends.data(), placed.bytes.data(), ends.size() * sizeof(uint64_t));
  const auto texts = placed.bytes.subspan(ends.size() * sizeof(uint64_t));
  uint64_t begin = 0;
  for (size_t i = 0; i < ends.size(); ++i) {
    if (ends[i] < begin || ends[i] > texts.size()) return false;
    take(i, std::string_view(reinterpret_cast<const char*>(texts.data()) + begin, ends[i] - begin));
    begin = ends[i];
  }
  return true;
}

void WriteTexts(const TensorView& tensor, size_t count, std::byte* target) {
  uint64_t end = 0;
  std::byte* texts = target + count * sizeof(end);
  for (size_t i = 0; i < count; ++i) {
    const std::string_view text = tensor.strings[i];
    if (!text.empty()) std::memcpy(texts + end, text.data(), text.size());
    end += text.size();
    std::memcpy(target + i * sizeof(end), &end, sizeof(end));
  }
}

bool IsReason(std::string_view text) {
  return text.starts_with("engine.") &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '.' || c == '_'; });
}

base::Result<Answer> ReadError(TableReader& table) {
  const auto code = table.Count(static_cast<int64_t>(base::Code::kAborted));
  const auto reason = table.Text(kMostReason), message = table.Text(kMostMessage), where = table.Text(kMostMessage);
  if (!code || !reason || !message || !where || !IsReason(*reason)) return Broken("an error of no known form");
  return Answer{base::Fail(static_cast<base::Code>(*code), std::string(*reason), base::Shorten(*message, kMostMessage),
                           base::Shorten(*where, kMostMessage))};
}

base::Result<void> TakeLabels(TableReader& table, const TensorSpec& spec, std::vector<std::string>& labels) {
  const auto count = table.Count(kMostTable);
  if (!count || (*count > 0 && spec.kind != TensorSpec::Kind::kMaps)) return Broken("labels that nobody asked for");
  labels.clear();
  for (int64_t i = 0; i < *count; ++i) {
    const auto label = table.Text(kMostTable);
    if (!label) return Broken("labels that break off");
    labels.emplace_back(*label);
  }
  return {};
}

base::Result<void> TakeTensor(TableReader& table, const TensorSpec& spec, Tensor& out) {
  SLIPWAY_ASSIGN(Placed placed, table.Tensor());
  if (placed.type != spec.type) return Broken("an output of another type than the model has");
  out.type = placed.type;
  out.shape = std::move(placed.shape);
  if (placed.type != ElementType::kString) {
    out.strings.clear();
    out.data.resize(placed.bytes.size());
    if (!out.data.empty()) std::memcpy(out.data.data(), placed.bytes.data(), out.data.size());
    return TakeLabels(table, spec, out.labels);
  }
  out.data.clear();
  out.strings.resize(placed.count);
  const bool read = ForEachText(placed, [&](size_t i, std::string_view text) { out.strings[i].assign(text); });
  return read ? TakeLabels(table, spec, out.labels) : Broken("texts that lie outside their tensor");
}

}  // namespace

void Packing::PutText(std::string_view text) {
  PutNumber(std::ssize(text));
  Put(text.data(), text.size());
}

void Packing::PutTensor(const TensorView& tensor) {
  size_t count = 1;
  for (const int64_t dimension : tensor.shape) count *= static_cast<size_t>(dimension);
  size_t bytes = count * ElementSize(tensor.type);
  if (tensor.type == ElementType::kString) {
    bytes = count * sizeof(uint64_t);
    for (size_t i = 0; i < count; ++i) bytes += tensor.strings[i].size();
  }
  const size_t at = (end_ + kAlignment - 1) / kAlignment * kAlignment;
  places_.push_back({&tensor, at, bytes == 0 ? 0 : count});
  end_ = at + bytes;
  PutNumber(static_cast<int64_t>(tensor.type));
  PutNumber(std::ssize(tensor.shape));
  for (const int64_t dimension : tensor.shape) PutNumber(dimension);
  PutNumber(static_cast<int64_t>(at));
  PutNumber(static_cast<int64_t>(bytes));
}

void Packing::Write(std::span<std::byte> memory, Signal& signal) const {
  for (const Place& place : places_) {
    const TensorView& tensor = *place.tensor;
    if (place.count == 0) continue;
    if (tensor.type == ElementType::kString) {
      WriteTexts(tensor, place.count, memory.data() + place.at);
    } else {
      std::memcpy(memory.data() + place.at, tensor.data, place.count * ElementSize(tensor.type));
    }
  }
  signal.at = TableAt();
  signal.table_bytes = static_cast<uint32_t>(table_.size());
  std::memcpy(memory.data() + signal.at, table_.data(), table_.size());
}

void PackRequest(base::SteadyTime deadline, std::span<const TensorView> inputs, Packing& packing) {
  packing.PutNumber(deadline.time_since_epoch().count());
  packing.PutNumber(std::ssize(inputs));
  for (const TensorView& input : inputs) packing.PutTensor(input);
}

base::Result<void> ReadRequest(std::span<const std::byte> memory, const Signal& signal, Request& request) {
  SLIPWAY_ASSIGN(TableReader table, TableReader::Open(memory, signal));
  const auto deadline = table.Number();
  const auto count = table.Count(static_cast<int64_t>(signal.table_bytes / sizeof(int64_t)));  // each takes more
  if (!deadline || !count) return Broken("a request that breaks off");
  request.deadline = base::SteadyTime(std::chrono::nanoseconds(*deadline));
  request.inputs.resize(static_cast<size_t>(*count));
  request.texts.resize(request.inputs.size());
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    SLIPWAY_ASSIGN(Placed placed, table.Tensor());
    TensorView& input = request.inputs[i];
    input.type = placed.type;
    input.shape = std::move(placed.shape);
    input.data = placed.bytes.data();
    if (placed.type != ElementType::kString) continue;
    auto& texts = request.texts[i];
    texts.resize(placed.count);
    if (!ForEachText(placed, [&](size_t at, std::string_view text) { texts[at] = text; })) {
      return Broken("texts that lie outside their tensor");
    }
    input.strings = texts.data();
  }
  return {};
}

void PackAnswer(const base::Result<void>& ran, std::span<const Tensor> outputs, AnswerScratch& scratch,
                Packing& packing) {
  packing.PutNumber(ran ? 1 : 0);
  if (!ran) {
    const base::Error& error = ran.error();
    packing.PutNumber(static_cast<int64_t>(error.code));
    packing.PutText(error.reason);
    packing.PutText(std::string_view(error.message).substr(0, kMostMessage));
    packing.PutText(std::string_view(error.where).substr(0, kMostMessage));
    return;
  }
  packing.PutNumber(std::ssize(outputs));
  scratch.views.resize(outputs.size());
  scratch.texts.resize(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& output = outputs[i];
    scratch.texts[i].assign(output.strings.begin(), output.strings.end());
    scratch.views[i] = {output.type, output.shape, output.data.data(), scratch.texts[i].data()};
    packing.PutTensor(scratch.views[i]);
    packing.PutNumber(std::ssize(output.labels));
    for (const std::string& label : output.labels) packing.PutText(label);
  }
}

base::Result<Answer> ReadAnswer(std::span<const std::byte> memory, const Signal& signal,
                                std::span<const TensorSpec> specs, std::span<Tensor> outputs) {
  SLIPWAY_ASSIGN(TableReader table, TableReader::Open(memory, signal));
  const auto ran = table.Count(1);
  if (!ran) return Broken("an answer that breaks off");
  if (*ran == 0) return ReadError(table);
  if (table.Number() != std::ssize(outputs)) return Broken("another number of outputs than the model has");
  for (size_t i = 0; i < outputs.size(); ++i) SLIPWAY_TRY(TakeTensor(table, specs[i], outputs[i]));
  return Answer{};
}

}  // namespace slipway::engine::isolated
