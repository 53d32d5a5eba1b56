#include "serving/oip/infer_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>

#include "base/text.h"
#include "serving/oip/infer_terms.h"

namespace slipway::serving::oip {
namespace {

using base::Code;
using tensors::Datatype;
using tensors::NonFinite;
using tensors::TensorHead;

std::unexpected<base::Error> Refuse(std::string message) {
  return base::Fail(Code::kInvalidArgument, "oip.request", std::move(message));
}
std::unexpected<base::Error> RefuseBinary(std::string message) {
  return base::Fail(Code::kInvalidArgument, "oip.binary", std::move(message));
}

base::Result<NonFinite> ParseNonFinite(std::string_view text) {
  if (text == "null") return NonFinite::kNull;
  if (text == "string") return NonFinite::kString;
  if (text == "token") return NonFinite::kToken;
  return Refuse(fmt::format("parameter non_finite is null, string or token, not \"{}\"", base::Shorten(text)));
}

}  // namespace

void InferRequestReader::Input::Clear() {
  name.clear();
  datatype.reset();
  shape.reset();
  binary_size = -1;
  has_name = has_data = decoded = false;
}

InferRequestReader::InferRequestReader(const data::JsonBounds& bounds) : cursor_(bounds) {}

base::Result<void> InferRequestReader::Read(std::string_view body, std::optional<int64_t> json_length,
                                            const tensors::Contract& contract, tensors::TensorDecoder& decoder,
                                            InferRequest& request) {
  request.id.clear();
  request.has_id = request.binary_output = false;
  request.timeout = {};
  request.priority = 0;
  request.non_finite = NonFinite::kNull;
  request.outputs.clear();
  parts_.clear();
  contract_ = &contract;
  decoder_ = &decoder;
  request_ = &request;
  has_binary_section_ = json_length.has_value();
  if (json_length == 0) return ReadRaw(body, contract, decoder, request);
  const int64_t size = std::ssize(body);
  if (json_length.value_or(0) > size) {
    return RefuseBinary(
        fmt::format("Inference-Header-Content-Length is {}, but the body has {} bytes", *json_length, body.size()));
  }
  const auto length = static_cast<size_t>(json_length.value_or(size));
  const std::string_view text = body.substr(0, length);
  if (has_binary_section_ && remembered_.Holds(text, contract.serial)) {
    SLIPWAY_TRY(Repeat());
  } else {
    SLIPWAY_TRY(ReadHead(text));
  }
  SLIPWAY_TRY(AddRawParts(body.substr(length)));
  return decoder.End();
}

base::Result<void> InferRequestReader::ReadHead(std::string_view text) {
  remembered_.Begin(text);
  all_binary_ = true;
  auto read = ReadDocument(text);
  cursor_.Trim();
  SLIPWAY_TRY(std::move(read));
  if (all_binary_) remembered_.Keep(text, contract_->serial, *request_);
  return {};
}

base::Result<void> InferRequestReader::Repeat() {
  *request_ = remembered_.request();
  for (const auto& input : remembered_.inputs()) {
    SLIPWAY_ASSIGN(const auto slot, decoder_->Admit(input.head()));
    parts_.push_back({slot, input.size});
  }
  return {};
}

/// The whole body is the data of the only input; the number of rows follows from its size.
base::Result<void> InferRequestReader::ReadRaw(std::string_view body, const tensors::Contract& contract,
                                               tensors::TensorDecoder& decoder, InferRequest& request) {
  const auto required = std::ranges::count_if(contract.inputs, [](const auto& port) { return !port.optional; });
  auto port = std::ranges::find_if(contract.inputs, [](const auto& p) { return !p.optional; });
  if (required != 1 && contract.inputs.size() == 1) port = contract.inputs.begin();
  if (required > 1 || port == contract.inputs.end()) {
    return RefuseBinary(
        fmt::format("a body without JSON (Inference-Header-Content-Length: 0) is for models of one "
                    "input, and this one has {}",
                    contract.inputs.size()));
  }
  request.binary_output = true;
  TensorHead head{.name = port->name, .datatype = port->datatype, .shape = {}};
  int64_t width = std::max<int64_t>(tensors::DatatypeSize(port->datatype), 1);
  for (size_t i = port->rows_first ? 1 : 0; i < port->shape.size(); ++i) {
    if (port->shape[i] < 0 || __builtin_mul_overflow(width, std::max<int64_t>(port->shape[i], 1), &width)) {
      return RefuseBinary("a body without JSON is for inputs whose rows have a fixed shape; send JSON with the shape");
    }
  }
  const bool text = port->datatype == Datatype::kBytes;
  for (size_t i = 0; i < std::min(port->shape.size(), tensors::Shape::kMaxRank); ++i) {
    head.shape.Add(i == 0 && port->rows_first ? (text ? 1 : std::ssize(body) / width) : port->shape[i]);
  }
  SLIPWAY_ASSIGN(const auto slot, decoder.Admit(head));
  if (text) {  // the body is the text itself, without a length before it
    if (slot.elements != 1) return RefuseBinary("a body without JSON is one text, and a row of this input has several");
    const auto length = static_cast<uint32_t>(body.size());
    text_.assign(reinterpret_cast<const char*>(&length), sizeof length);
    text_ += body;
    body = text_;
  }
  SLIPWAY_TRY(decoder.AddRaw(slot, body));
  return decoder.End();
}

base::Result<void> InferRequestReader::ReadDocument(std::string_view text) {
  if (!cursor_.Open(text)) return std::unexpected(Broken());
  SLIPWAY_TRY(ReadObject("a request", [&](std::string_view name) { return ReadMember(name); }));
  if (!cursor_.Finish()) return std::unexpected(Broken());
  return {};
}

base::Result<void> InferRequestReader::ReadMember(std::string_view name) {
  if (cursor_.Peek() == 'n') return Skip();  // clients write null for what they leave out
  if (name == "inputs") return ReadInputs();
  if (name == "outputs") return ReadOutputs();
  if (name == "parameters") return ReadRequestParameters();
  if (name != "id") return Skip();  // KServe's client adds "model_name"
  request_->has_id = true;
  return ReadText("id", request_->id);
}

base::Result<void> InferRequestReader::ReadRequestParameters() {
  return ReadObject("parameters", [&](std::string_view name) -> base::Result<void> {
    if (name == "binary_data_output") {
      SLIPWAY_ASSIGN(request_->binary_output, ReadFlag("parameter binary_data_output"));
    } else if (name == "timeout") {
      SLIPWAY_ASSIGN(const int64_t timeout, ReadCount("parameter timeout, in microseconds,"));
      request_->timeout = TimeoutOf(timeout);
    } else if (name == "priority") {
      SLIPWAY_ASSIGN(const int64_t priority, ReadCount("parameter priority"));
      request_->priority = static_cast<int>(std::min<int64_t>(priority, INT_MAX));
    } else if (name == "non_finite") {
      SLIPWAY_TRY(ReadText("parameter non_finite", text_));
      SLIPWAY_ASSIGN(request_->non_finite, ParseNonFinite(text_));
    } else {
      return Skip();
    }
    return {};
  });
}

base::Result<void> InferRequestReader::ReadInputs() {
  return ReadList("inputs", [&] { return ReadInput(); });
}

base::Result<void> InferRequestReader::ReadInput() {
  input_.Clear();
  SLIPWAY_TRY(ReadObject("an input", [&](std::string_view name) { return ReadInputMember(name); }));
  return EndInput();
}

base::Result<void> InferRequestReader::ReadInputMember(std::string_view name) {
  if (cursor_.Peek() == 'n') return Skip();
  if (name == "name") {
    input_.has_name = true;
    return ReadText("name of an input", input_.name);
  }
  if (name == "datatype") {
    SLIPWAY_TRY(ReadText("datatype of an input", text_));
    input_.datatype = tensors::ParseDatatype(text_);
    if (input_.datatype) return {};
    return Refuse(fmt::format("\"{}\" is no datatype; there are {}", base::Shorten(text_), tensors::kKnownDatatypes));
  }
  if (name == "shape") return ReadShape();
  if (name == "parameters") return ReadInputParameters();
  if (name != "data") return Skip();
  if (input_.has_data) return Refuse(fmt::format("input {} has data twice; send it once", base::Shorten(input_.name)));
  input_.has_data = true;
  input_.data_place = cursor_.place();
  if (input_.IsComplete()) return DecodeData();
  return Skip();  // read later, when it is known what it is
}

base::Result<void> InferRequestReader::ReadInputParameters() {
  return ReadObject("parameters of an input", [&](std::string_view name) -> base::Result<void> {
    if (IsSharedMemory(name)) return std::unexpected(NoSharedMemory());
    if (name != "binary_data_size") return Skip();
    SLIPWAY_ASSIGN(input_.binary_size, ReadCount("parameter binary_data_size"));
    return {};
  });
}

base::Result<void> InferRequestReader::ReadShape() {
  Shape shape;
  SLIPWAY_TRY(ReadList("shape of an input", [&]() -> base::Result<void> {
    if (shape.rank == Shape::kMaxRank) {
      return base::Fail(Code::kInvalidArgument, "tensor.limit",
                        fmt::format("a tensor has at most {} dimensions", Shape::kMaxRank));
    }
    SLIPWAY_ASSIGN(const int64_t dimension, ReadCount("a dimension of a shape"));
    shape.Add(dimension);
    return {};
  }));
  input_.shape = shape;
  return {};
}

base::Result<void> InferRequestReader::DecodeData() {
  SLIPWAY_ASSIGN(const auto slot, decoder_->Admit({input_.name, *input_.datatype, *input_.shape}));
  bool broken = false;
  SLIPWAY_TRY(decoder_->AddJson(slot, cursor_, broken));
  if (broken) return std::unexpected(Broken());
  input_.decoded = true;
  return {};
}

base::Result<void> InferRequestReader::EndInput() {
  if (!input_.IsComplete()) {
    return Refuse(fmt::format("input {} lacks its {}; an input has name, datatype, shape and data",
                              base::Shorten(input_.name),
                              !input_.has_name   ? "name"
                              : !input_.datatype ? "datatype"
                                                 : "shape"));
  }
  if (input_.has_data == (input_.binary_size >= 0)) {
    return Refuse(fmt::format("input {} has {}; it has either data or binary_data_size", base::Shorten(input_.name),
                              input_.has_data ? "both" : "no data"));
  }
  all_binary_ &= !input_.has_data;
  if (input_.decoded) return {};
  if (input_.has_data) {
    const size_t after = cursor_.place();
    cursor_.Return(input_.data_place);
    SLIPWAY_TRY(DecodeData());
    cursor_.Return(after);
    return {};
  }
  if (!has_binary_section_) {
    return RefuseBinary(
        fmt::format("input {} has binary data, so the header Inference-Header-Content-Length must say "
                    "where it begins",
                    base::Shorten(input_.name)));
  }
  const TensorHead head{input_.name, *input_.datatype, *input_.shape};
  SLIPWAY_ASSIGN(const auto slot, decoder_->Admit(head));
  parts_.push_back({slot, input_.binary_size});
  remembered_.Add(head, input_.binary_size);
  return {};
}

base::Result<void> InferRequestReader::ReadOutputs() {
  if (!request_->outputs.empty()) return Refuse("outputs came twice; send them once");
  return ReadList("outputs", [&] { return ReadOutput(); });
}

base::Result<void> InferRequestReader::ReadOutput() {
  RequestedOutput output{.output = -1, .binary = {}};
  bool named = false;
  SLIPWAY_TRY(ReadObject("an output", [&](std::string_view name) -> base::Result<void> {
    if (cursor_.Peek() == 'n') return Skip();
    if (name == "parameters") return ReadOutputParameters(output);
    if (name != "name") return Skip();
    named = true;
    return ReadText("name of an output", text_);
  }));
  if (!named) return Refuse("an output lacks its name");
  return AskForOutput(*contract_, text_, output, request_->outputs);
}

base::Result<void> InferRequestReader::ReadOutputParameters(RequestedOutput& output) {
  return ReadObject("parameters of an output", [&](std::string_view name) -> base::Result<void> {
    if (IsSharedMemory(name)) return std::unexpected(NoSharedMemory());
    if (name == "binary_data") {
      SLIPWAY_ASSIGN(output.binary, ReadFlag("parameter binary_data"));
    } else if (name == "classification") {
      SLIPWAY_ASSIGN(output.classes, ReadCount("parameter classification"));
    } else {
      return Skip();
    }
    return {};
  });
}

base::Result<void> InferRequestReader::AddRawParts(std::string_view bytes) {
  for (const RawPart& part : parts_) {
    if (part.size > std::ssize(bytes)) {
      return RefuseBinary(
          fmt::format("binary_data_size is {}, but only {} bytes are left of the body", part.size, bytes.size()));
    }
    SLIPWAY_TRY(decoder_->AddRaw(part.slot, bytes.substr(0, static_cast<size_t>(part.size))));
    bytes.remove_prefix(static_cast<size_t>(part.size));
  }
  if (bytes.empty()) return {};
  return RefuseBinary(
      fmt::format("{} bytes of the body follow the JSON and belong to no input's binary_data_size", bytes.size()));
}

template <typename Member>
base::Result<void> InferRequestReader::ReadObject(std::string_view what, Member&& member) {
  if (cursor_.Peek() != '{') return Refuse(fmt::format("{} is a JSON object", what));
  bool failed = false;
  std::string_view name;
  for (bool more = cursor_.FirstMember(name, failed); more; more = cursor_.NextMember(name, failed)) {
    SLIPWAY_TRY(member(name));
  }
  if (failed) return std::unexpected(Broken());
  return {};
}

template <typename Element>
base::Result<void> InferRequestReader::ReadList(std::string_view what, Element&& element) {
  if (cursor_.Peek() != '[') return Refuse(fmt::format("{} is a JSON list", what));
  bool failed = false;
  for (bool more = cursor_.FirstElement(failed); more; more = cursor_.NextElement(failed)) SLIPWAY_TRY(element());
  if (failed) return std::unexpected(Broken());
  return {};
}

base::Result<void> InferRequestReader::ReadText(std::string_view what, std::string& text) {
  if (cursor_.Peek() != '"') return Refuse(fmt::format("{} is a string", what));
  std::string_view value;
  if (!cursor_.ReadString(value)) return std::unexpected(Broken());
  text = value;
  return {};
}

base::Result<bool> InferRequestReader::ReadFlag(std::string_view what) {
  const char first = cursor_.Peek();
  if (first != 't' && first != 'f') return Refuse(fmt::format("{} is true or false", what));
  if (!cursor_.ReadLiteral(first == 't' ? "true" : "false")) return std::unexpected(Broken());
  return first == 't';
}

base::Result<int64_t> InferRequestReader::ReadCount(std::string_view what) {
  const char first = cursor_.Peek();
  data::NumberText number;
  if (first != '-' && (first < '0' || first > '9')) return Refuse(fmt::format("{} is a whole number", what));
  if (!cursor_.ReadNumber(number)) return std::unexpected(Broken());
  if (number.kind == data::NumberText::Kind::kInteger && number.integer >= 0) return number.integer;
  return Refuse(fmt::format("{} is a whole number from 0 on, within 63 bits", what));
}

base::Result<void> InferRequestReader::Skip() {
  if (!cursor_.Skip()) return std::unexpected(Broken());
  return {};
}

}  // namespace slipway::serving::oip
