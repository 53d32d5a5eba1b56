#pragma once
// Runtime is ONNX Runtime itself: a shared library opened when the first model is loaded, spoken to by its C table.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct OrtApi;
struct OrtEnv;
struct OrtMemoryInfo;
struct OrtRunOptions;
struct OrtSession;
struct OrtSessionOptions;
struct OrtStatus;
struct OrtTensorTypeAndShapeInfo;
struct OrtTypeInfo;
struct OrtValue;

namespace slipway::engine::onnx {

/// The opened library and its one environment, silent and without telemetry. Lives as long as the process.
/// Thread-safety: all methods from any thread.
class Runtime {
 public:
  /// Opens it at the first call. Errors: unavailable "engine.library", with the way out. A failure is tried again at
  /// the next call.
  static base::Result<const Runtime*> Get();

  const OrtApi& api() const { return *api_; }
  OrtEnv* env() const { return env_; }
  OrtMemoryInfo* memory() const { return memory_; }  ///< plain memory of this process
  const std::string& version() const { return version_; }

 private:
  Runtime() = default;
  static base::Result<const Runtime*> Open();
  const OrtApi* api_ = nullptr;
  OrtEnv* env_ = nullptr;
  OrtMemoryInfo* memory_ = nullptr;
  std::string version_;
};

/// ONNX Runtime from 1.29 on keeps a file of events under the user's cache folder and sends them to its maker, unless
/// the environment forbids it before the library is opened. Done when a Runtime is opened; better at the start of the
/// program, while no other thread reads the environment.
void ForbidTelemetry();

/// Frees whatever ONNX Runtime handed over. Precondition: Runtime::Get() has succeeded.
struct Release {
  void operator()(OrtRunOptions* object) const;
  void operator()(OrtSession* object) const;
  void operator()(OrtSessionOptions* object) const;
  void operator()(OrtStatus* object) const;
  void operator()(OrtTensorTypeAndShapeInfo* object) const;
  void operator()(OrtTypeInfo* object) const;
  void operator()(OrtValue* object) const;
};
template <typename T>
using Owned = std::unique_ptr<T, Release>;

/// A status as a sentence of ONNX Runtime's, without source paths, signatures and line breaks; the status is freed.
std::string TakeMessage(OrtStatus* status);
/// The cleaning alone, for tests and for texts from elsewhere.
std::string CleanMessage(std::string_view text);

/// Whether ONNX Runtime's text tells of memory that it could not get.
bool TellsOfMemory(std::string_view text);

/// Result of a C call: "engine.run" with the cleaned text, or nothing.
base::Result<void> Check(OrtStatus* status, std::string_view doing);

}  // namespace slipway::engine::onnx
