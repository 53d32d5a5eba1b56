// What a server reads of what the process of a model wrote: answers in the memory that both see, and the line that
// tells of the model. No bytes may crash the reader, or make a tensor whose size is not that of its shape.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "engine/isolated/model_hello.h"
#include "engine/isolated/wire.h"

using namespace slipway::engine;
using namespace slipway::engine::isolated;

namespace {

bool IsWhole(const Tensor& tensor) {
  const auto count = static_cast<size_t>(tensor.elements());
  return tensor.type == ElementType::kString ? tensor.strings.size() == count
                                             : tensor.data.size() == count * ElementSize(tensor.type);
}

/// Two outputs, of types and kinds that the input chooses.
std::vector<TensorSpec> Specs(uint8_t choice) {
  std::vector<TensorSpec> specs(choice % 3);
  for (TensorSpec& spec : specs) {
    spec.type = static_cast<ElementType>(choice / 3 % 14);
    spec.kind = choice / 42 % 2 == 0 ? TensorSpec::Kind::kTensor : TensorSpec::Kind::kMaps;
  }
  return specs;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 5) return 0;
  if (data[0] == '{') {
    const auto hello = ReadHello({reinterpret_cast<const char*>(data), size});
    if (hello && hello->loaded && !IsSameModel(*hello->loaded, *hello->loaded)) std::abort();
    return 0;
  }
  const auto specs = Specs(data[0]);
  Signal signal;
  uint16_t place[2];
  std::memcpy(place, data + 1, sizeof(place));
  signal.at = place[0];
  signal.table_bytes = place[1];
  std::vector<std::byte> memory(size - 5);
  std::transform(data + 5, data + size, memory.begin(), [](uint8_t byte) { return std::byte{byte}; });
  std::vector<Tensor> outputs(specs.size());
  const auto answer = ReadAnswer(memory, signal, specs, outputs);
  if (answer && answer->ran && !std::ranges::all_of(outputs, IsWhole)) std::abort();
  Request request;
  if (!ReadRequest(memory, signal, request)) return 0;
  for (const TensorView& input : request.inputs) {
    if (input.type == ElementType::kString) continue;
    size_t bytes = ElementSize(input.type);
    for (const int64_t dimension : input.shape) bytes *= static_cast<size_t>(dimension);
    const auto* begin = static_cast<const std::byte*>(input.data);
    if (bytes > 0 && (begin < memory.data() || begin + bytes > memory.data() + memory.size())) std::abort();
  }
  return 0;
}
