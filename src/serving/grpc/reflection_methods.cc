#include "serving/grpc/reflection_methods.h"

#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "rpc/wire_reader.h"
#include "rpc/wire_writer.h"
#include "serving/grpc/descriptors.h"
#include "serving/grpc/infer_message.h"

namespace slipway::serving::grpc {
namespace {

using rpc::WireReader;
using rpc::WireType;
using rpc::WireWriter;

/// What ServerReflectionRequest may ask: its fields. Answers stand in fields of ServerReflectionResponse.
enum Question : uint32_t { kFile = 3, kSymbol = 4, kExtension = 5, kExtensionNumbers = 6, kServices = 7 };
constexpr uint32_t kOriginal = 2, kFileAnswer = 4, kServicesAnswer = 6, kErrorAnswer = 7;

class Reflection {
 public:
  explicit Reflection(std::vector<std::string> services)
      : index_(ServedDescriptors()), services_(std::move(services)) {}

  base::Result<void> Answer(std::string_view request, std::string& out) const {
    uint32_t question = 0;
    std::string_view text, host;
    WireReader reader(request);
    while (reader.Next()) {
      if (reader.type() != WireType::kBytes) continue;
      if (reader.field() == 1) host = reader.bytes();
      if (reader.field() < kFile || reader.field() > kServices) continue;
      question = reader.field();
      text = reader.bytes();
    }
    if (reader.broken()) return std::unexpected(BrokenMessage("ServerReflectionRequest"));
    WireWriter writer(out);
    writer.Text(1, host);
    writer.Text(kOriginal, request);
    if (question == kServices) {
      AppendServices(writer);
    } else if (question == kFile) {
      AppendFiles(index_.FilesOf(text), text, writer);
    } else if (question == kSymbol) {
      AppendFiles(index_.FilesOfSymbol(text), text, writer);
    } else {
      AppendError(rpc::Status::kNotFound, "there are no extensions here", writer);
    }
    return {};
  }

 private:
  static void AppendError(rpc::Status status, std::string_view message, WireWriter& writer) {
    const auto part = writer.Begin(kErrorAnswer);
    writer.Integer(1, static_cast<int64_t>(status));
    writer.Text(2, message);
    writer.End(part);
  }
  static void AppendFiles(const std::vector<std::string_view>& files, std::string_view asked, WireWriter& writer) {
    if (files.empty()) {
      AppendError(rpc::Status::kNotFound, fmt::format("nothing here is called \"{}\"", base::Shorten(asked)), writer);
      return;
    }
    const auto part = writer.Begin(kFileAnswer, 1 << 14);
    for (const std::string_view file : files) writer.Text(1, file);
    writer.End(part);
  }
  void AppendServices(WireWriter& writer) const {
    const auto part = writer.Begin(kServicesAnswer);
    for (const std::string& name : services_) {
      const auto service = writer.Begin(1);
      writer.Text(1, name);
      writer.End(service);
    }
    writer.End(part);
  }

  const DescriptorIndex index_;
  const std::vector<std::string> services_;
};

}  // namespace

void AddReflectionMethods(MethodTable& methods) {
  constexpr std::string_view kNames[] = {"grpc.reflection.v1.ServerReflection",
                                         "grpc.reflection.v1alpha.ServerReflection"};
  auto services = methods.services();
  services.insert(services.end(), std::begin(kNames), std::end(kNames));
  const auto reflection = std::make_shared<const Reflection>(std::move(services));
  for (const std::string_view name : kNames) {
    methods.Add(
        fmt::format("/{}/ServerReflectionInfo", name), "observe", Door::kGrpc,
        [reflection](ServiceCall& call) {
          const auto answered = reflection->Answer(call.request.body, call.response.body);
          if (!answered) call.Fail(answered.error());
        },
        Shape::kStream);
  }
}

}  // namespace slipway::serving::grpc
