#include "serving/grpc/infer_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <type_traits>
#include <utility>

#include "base/text.h"
#include "serving/oip/infer_terms.h"

namespace slipway::serving::grpc {
namespace {

using base::Code;
using rpc::WireReader;
using rpc::WireType;
using tensors::Datatype;

std::unexpected<base::Error> Refuse(std::string message) {
  return base::Fail(Code::kInvalidArgument, "oip.request", std::move(message));
}
std::unexpected<base::Error> Broken() {
  return std::unexpected(BrokenMessage("inference.ModelInferRequest"));
}

/// The field of InferTensorContents that a datatype's elements stand in; 0 for those that only come raw.
uint32_t ContentsField(Datatype type) {
  switch (type) {
    case Datatype::kBool:
      return 1;
    case Datatype::kInt8:
    case Datatype::kInt16:
    case Datatype::kInt32:
      return 2;
    case Datatype::kInt64:
      return 3;
    case Datatype::kUint8:
    case Datatype::kUint16:
    case Datatype::kUint32:
      return 4;
    case Datatype::kUint64:
      return 5;
    case Datatype::kFp32:
      return 6;
    case Datatype::kFp64:
      return 7;
    case Datatype::kBytes:
      return 8;
    case Datatype::kFp16:
    case Datatype::kBf16:
      break;
  }
  return 0;
}

constexpr std::string_view kContentsNames[] = {"",
                                               "bool_contents",
                                               "int_contents",
                                               "int64_contents",
                                               "uint_contents",
                                               "uint64_contents",
                                               "fp32_contents",
                                               "fp64_contents",
                                               "bytes_contents"};

WireType ElementType(uint32_t field) {
  if (field == 6) return WireType::kFixed32;
  return field == 7 ? WireType::kFixed64 : WireType::kVarint;
}

template <typename T>
void Append(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// A varint of int_contents or uint_contents in the datatype's own width. False: it does not fit.
bool AppendElement(Datatype type, uint64_t bits, std::string& out) {
  return VisitNumeric(type, [&]<typename T>(T) {
    if constexpr (std::is_integral_v<T>) {
      if (type == Datatype::kBool) {
        out += bits != 0 ? '\1' : '\0';
        return true;
      }
      const bool fits = std::is_signed_v<T> ? std::in_range<T>(static_cast<int64_t>(bits)) : std::in_range<T>(bits);
      if (fits) Append(static_cast<T>(bits), out);
      return fits;
    } else if constexpr (std::is_same_v<T, float>) {
      Append(static_cast<uint32_t>(bits), out);
    } else if constexpr (std::is_same_v<T, double>) {
      Append(bits, out);
    }
    return true;
  });
}

}  // namespace

base::Error BrokenMessage(std::string_view type) {
  return {Code::kInvalidArgument, "grpc.message", fmt::format("the bytes are no message of type {}", type), ""};
}

base::Result<ModelChoice> ReadModelChoice(std::string_view message, uint32_t name_field, uint32_t version_field) {
  ModelChoice choice;
  WireReader reader(message);
  while (reader.Next()) {
    if (reader.Is(name_field, WireType::kBytes)) choice.name = reader.bytes();
    if (reader.Is(version_field, WireType::kBytes)) choice.version = reader.bytes();
  }
  if (reader.broken()) return std::unexpected(BrokenMessage("that this method takes"));
  return choice;
}

base::Result<void> InferMessageReader::Read(std::string_view message, const tensors::Contract& contract,
                                            tensors::TensorDecoder& decoder, oip::InferRequest& request) {
  inputs_.clear();
  raw_.clear();
  wants_final_ = false;
  request.id.clear();
  request.timeout = {};
  request.priority = 0;
  request.outputs.clear();
  request.binary_output = true;
  WireReader reader(message);
  while (reader.Next()) {
    if (reader.type() != WireType::kBytes) continue;
    switch (reader.field()) {
      case 3:
        request.id = reader.bytes();
        break;
      case 4:
        SLIPWAY_TRY(ReadRequestParameter(reader.bytes(), request));
        break;
      case 5:
        SLIPWAY_TRY(ReadInput(reader.bytes()));
        break;
      case 6:
        SLIPWAY_TRY(ReadOutput(reader.bytes(), contract, request));
        break;
      case 7:
        raw_.push_back(reader.bytes());
        break;
      default:
        break;
    }
  }
  if (reader.broken()) return Broken();
  if (!base::IsValidUtf8(request.id)) return Refuse("the id of a request is text in UTF-8");
  SLIPWAY_TRY(Decode(decoder));
  return decoder.End();
}

base::Result<InferMessageReader::Parameter> InferMessageReader::ReadParameter(std::string_view entry) {
  Parameter parameter;
  WireReader reader(entry);
  while (reader.Next()) {
    if (reader.Is(1, WireType::kBytes)) parameter.name = reader.bytes();
    if (!reader.Is(2, WireType::kBytes)) continue;
    WireReader value(reader.bytes());
    while (value.Next()) {
      // One of them: the last counts.
      parameter.is_flag = value.Is(1, WireType::kVarint);
      parameter.is_number = value.Is(2, WireType::kVarint) || value.Is(5, WireType::kVarint);
      parameter.number = value.integer();
      parameter.text = value.Is(3, WireType::kBytes) ? value.bytes() : std::string_view();
    }
    if (value.broken()) return Broken();
  }
  if (reader.broken()) return Broken();
  return parameter;
}

base::Result<void> InferMessageReader::ReadRequestParameter(std::string_view entry, oip::InferRequest& request) {
  SLIPWAY_ASSIGN(const Parameter parameter, ReadParameter(entry));
  if (parameter.name == "triton_enable_empty_final_response") {
    wants_final_ = parameter.is_flag && parameter.number != 0;
  } else if (parameter.name == "timeout") {
    if (!parameter.is_number || parameter.number < 0) {
      return Refuse("parameter timeout, in microseconds, is a whole number from 0 on, within 63 bits");
    }
    request.timeout = oip::TimeoutOf(parameter.number);
  }
  if (parameter.name == "priority") {
    if (!parameter.is_number || parameter.number < 0) {
      return Refuse("parameter priority is a whole number from 0 on, within 63 bits");
    }
    request.priority = static_cast<int>(std::min<int64_t>(parameter.number, INT_MAX));
  }
  return {};
}

base::Result<void> InferMessageReader::ReadInput(std::string_view message) {
  Input input;
  WireReader reader(message);
  bool too_deep = false;
  while (reader.Next()) {
    if (reader.field() == 3) {
      const bool read = ForEachNumber(reader, WireType::kVarint, [&](uint64_t dimension) {
        too_deep = input.shape.rank == tensors::Shape::kMaxRank;
        if (!too_deep) input.shape.Add(static_cast<int64_t>(dimension));
        return !too_deep;
      });
      if (too_deep) {
        return base::Fail(Code::kInvalidArgument, "tensor.limit",
                          fmt::format("a tensor has at most {} dimensions", tensors::Shape::kMaxRank));
      }
      if (!read) return Broken();
      continue;
    }
    if (reader.type() != WireType::kBytes) continue;
    if (reader.field() == 1) {
      input.name = reader.bytes();
    } else if (reader.field() == 2) {
      const auto datatype = tensors::ParseDatatype(reader.bytes());
      if (!datatype) {
        return Refuse(fmt::format("\"{}\" is no datatype; there are {}", base::Shorten(reader.bytes()),
                                  tensors::kKnownDatatypes));
      }
      input.datatype = *datatype;
      input.has_datatype = true;
    } else if (reader.field() == 4) {
      SLIPWAY_ASSIGN(const Parameter parameter, ReadParameter(reader.bytes()));
      if (oip::IsSharedMemory(parameter.name)) return std::unexpected(oip::NoSharedMemory());
    } else if (reader.field() == 5) {
      if (input.has_contents) return Refuse(fmt::format("input {} has contents twice", base::Shorten(input.name)));
      input.contents = reader.bytes();
      input.has_contents = true;
    }
  }
  if (reader.broken()) return Broken();
  if (!input.has_datatype) {
    return Refuse(fmt::format("input {} lacks its datatype; an input has name, datatype, shape and data",
                              base::Shorten(input.name)));
  }
  inputs_.push_back(input);
  return {};
}

base::Result<void> InferMessageReader::ReadOutput(std::string_view message, const tensors::Contract& contract,
                                                  oip::InferRequest& request) {
  std::string_view name;
  oip::RequestedOutput output{.output = -1, .binary = {}};
  WireReader reader(message);
  while (reader.Next()) {
    if (reader.Is(1, WireType::kBytes)) name = reader.bytes();
    if (!reader.Is(2, WireType::kBytes)) continue;
    SLIPWAY_ASSIGN(const Parameter parameter, ReadParameter(reader.bytes()));
    if (oip::IsSharedMemory(parameter.name)) return std::unexpected(oip::NoSharedMemory());
    if (parameter.name != "classification") continue;
    if (!parameter.is_number || parameter.number < 0) {
      return Refuse("parameter classification is a whole number from 0 on, within 63 bits");
    }
    output.classes = parameter.number;
  }
  if (reader.broken()) return Broken();
  return oip::AskForOutput(contract, name, output, request.outputs);
}

base::Result<void> InferMessageReader::Decode(tensors::TensorDecoder& decoder) {
  if (!raw_.empty() && raw_.size() != inputs_.size()) {
    return Refuse(
        fmt::format("raw_input_contents has {} tensors, and the request {} inputs; send one for each, or none",
                    raw_.size(), inputs_.size()));
  }
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = inputs_[i];
    SLIPWAY_ASSIGN(const auto slot, decoder.Admit({input.name, input.datatype, input.shape}));
    if (!raw_.empty()) {
      if (!input.contents.empty()) {
        return Refuse(fmt::format("input {} has both contents and raw_input_contents; send one of them",
                                  base::Shorten(input.name)));
      }
      SLIPWAY_TRY(decoder.AddRaw(slot, raw_[i]));
      continue;
    }
    SLIPWAY_ASSIGN(const std::string_view bytes, TypedBytes(input));
    SLIPWAY_TRY(decoder.AddRaw(slot, bytes));
  }
  return {};
}

/// Packed floats are what raw contents have; everything else is rewritten.
base::Result<std::string_view> InferMessageReader::TypedBytes(const Input& input) {
  const uint32_t wanted = ContentsField(input.datatype);
  const auto name = [&] { return base::Shorten(input.name); };
  if (wanted == 0) {
    return Refuse(fmt::format("input {} is {}, which has no typed contents; send it in raw_input_contents", name(),
                              DatatypeName(input.datatype)));
  }
  const WireType type = ElementType(wanted);
  typed_.clear();
  std::string_view packed;
  bool fits = true, read = true, other = false;
  WireReader reader(input.contents);
  while (read && fits && reader.Next()) {
    if (reader.field() != wanted) {
      other |= reader.field() <= 8;
    } else if (input.datatype == Datatype::kBytes) {
      if (reader.type() != WireType::kBytes) continue;
      Append(static_cast<uint32_t>(reader.bytes().size()), typed_);
      typed_ += reader.bytes();
    } else if (type != WireType::kVarint && reader.type() == WireType::kBytes && packed.empty() && typed_.empty()) {
      packed = reader.bytes();
    } else {
      typed_.append(std::exchange(packed, {}));
      read = ForEachNumber(reader, type,
                           [&](uint64_t bits) { return fits = AppendElement(input.datatype, bits, typed_); });
    }
  }
  if (!fits) {
    return base::Fail(
        Code::kInvalidArgument, "tensor.data",
        fmt::format("an element of input {} is no {}; send another datatype", name(), DatatypeName(input.datatype)));
  }
  if (reader.broken() || !read) return Broken();
  if (other) {
    return Refuse(fmt::format("input {} is {}, whose contents stand in {} alone", name(), DatatypeName(input.datatype),
                              kContentsNames[wanted]));
  }
  return packed.empty() ? std::string_view(typed_) : packed;
}

}  // namespace slipway::serving::grpc
