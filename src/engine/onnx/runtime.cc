#include "engine/onnx/runtime.h"

#define ORT_API_MANUAL_INIT
#include <onnxruntime_c_api.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "base/library.h"
#include "base/text.h"

namespace slipway::engine::onnx {

namespace {

const OrtApi* g_api = nullptr;

/// Everything worth telling comes back as a status; the library's own log stays silent.
void ORT_API_CALL IgnoreLog(void*, OrtLoggingLevel, const char*, const char*, const char*, const char*) {}

base::Error LibraryError(const std::string& what) {
  return {base::Code::kUnavailable, "engine.library", what, {}};
}

/// Where a C++ signature that starts at `begin` ends: past its balanced parentheses and its template note.
size_t SkipSignature(std::string_view text, size_t begin) {
  const size_t open = text.find('(', begin);
  if (open == std::string_view::npos) return begin;
  int depth = 0;
  size_t at = open;
  for (; at < text.size(); ++at) {
    if (text[at] == '(') ++depth;
    if (text[at] == ')' && --depth == 0) break;
  }
  if (at >= text.size()) return begin;
  ++at;
  for (std::string_view tail : {"::<lambda()>", " const", " noexcept"}) {
    if (text.substr(at).starts_with(tail)) at += tail.size();
  }
  if (text.substr(at).starts_with(" [with ")) {
    const size_t close = text.find(']', at);
    if (close != std::string_view::npos) at = close + 1;
  }
  return at;
}

/// Cuts "/path/file.cc:123 void onnxruntime::F(int) " out of `text`; false when there is none.
bool CutSourceLocation(std::string& text) {
  for (std::string_view extension : {".cc:", ".h:", ".cpp:"}) {
    const size_t dot = text.find(extension);
    if (dot == std::string::npos) continue;
    size_t begin = text.rfind(' ', dot);
    begin = begin == std::string::npos ? 0 : begin + 1;
    size_t end = dot + extension.size();
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end]))) ++end;
    end = SkipSignature(text, end);
    while (end < text.size() && text[end] == ' ') ++end;
    text.erase(begin, end - begin);
    return true;
  }
  return false;
}

}  // namespace

base::Result<const Runtime*> Runtime::Get() {
  static std::mutex mutex;                 // guards `opened` while it is being filled
  static const Runtime* opened = nullptr;  // never freed: sessions of other statics may outlive this function's
  const std::lock_guard lock(mutex);
  if (opened == nullptr) {
    SLIPWAY_ASSIGN(opened, Open());
  }
  return opened;
}

void ForbidTelemetry() {
  constexpr const char* kVariable = "ORT_DISABLE_TELEMETRY";
  const char* value = std::getenv(kVariable);
  if (value == nullptr || std::string_view(value) != "1") ::setenv(kVariable, "1", 1);
}

base::Result<const Runtime*> Runtime::Open() {
  ForbidTelemetry();
  auto library = base::SharedLibrary::Open("onnxruntime", "SLIPWAY_ONNXRUNTIME");
  if (!library) {
    return std::unexpected(
        LibraryError("ONNX Runtime, which computes this model, cannot be opened: " + library.error().message));
  }
  auto get_base = reinterpret_cast<const OrtApiBase*(ORT_API_CALL*)()>(library->Symbol("OrtGetApiBase"));
  if (get_base == nullptr) {
    return std::unexpected(LibraryError("this library is not ONNX Runtime (no OrtGetApiBase): " + library->path()));
  }
  const OrtApiBase* api_base = get_base();
  auto runtime = std::unique_ptr<Runtime>(new Runtime());
  runtime->version_ = api_base->GetVersionString();
  runtime->api_ = api_base->GetApi(ORT_API_VERSION);
  if (runtime->api_ == nullptr) {
    return std::unexpected(LibraryError("ONNX Runtime is too old: version " + runtime->version_ + " at " +
                                        library->path() + ", needed is 1." + std::to_string(ORT_API_VERSION) +
                                        " or newer"));
  }
  g_api = runtime->api_;
  const OrtApi& api = *g_api;
  if (OrtStatus* status =
          api.CreateEnvWithCustomLogger(IgnoreLog, nullptr, ORT_LOGGING_LEVEL_FATAL, "slipway", &runtime->env_)) {
    return std::unexpected(LibraryError("ONNX Runtime does not start: " + TakeMessage(status)));
  }
  if (OrtStatus* status = api.DisableTelemetryEvents(runtime->env_)) api.ReleaseStatus(status);
  if (OrtStatus* status = api.CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &runtime->memory_)) {
    return std::unexpected(LibraryError("ONNX Runtime does not start: " + TakeMessage(status)));
  }
  return runtime.release();
}

void Release::operator()(OrtRunOptions* object) const {
  g_api->ReleaseRunOptions(object);
}
void Release::operator()(OrtSession* object) const {
  g_api->ReleaseSession(object);
}
void Release::operator()(OrtSessionOptions* object) const {
  g_api->ReleaseSessionOptions(object);
}
void Release::operator()(OrtStatus* object) const {
  g_api->ReleaseStatus(object);
}
void Release::operator()(OrtTensorTypeAndShapeInfo* object) const {
  g_api->ReleaseTensorTypeAndShapeInfo(object);
}
void Release::operator()(OrtTypeInfo* object) const {
  g_api->ReleaseTypeInfo(object);
}
void Release::operator()(OrtValue* object) const {
  g_api->ReleaseValue(object);
}

std::string TakeMessage(OrtStatus* status) {
  const Owned<OrtStatus> owned(status);
  return CleanMessage(g_api->GetErrorMessage(status));
}

std::string CleanMessage(std::string_view text) {
  std::string clean;
  for (char c : text.substr(0, 8192)) {
    const bool space = static_cast<unsigned char>(c) <= ' ';
    if (!space) clean += c;
    if (space && !clean.empty() && clean.back() != ' ') clean += ' ';
  }
  for (int cuts = 0; cuts < 8 && CutSourceLocation(clean); ++cuts) {
  }
  for (std::string_view noise : {"Exception during initialization: ", "Exception caught: ", "Load model from failed:",
                                 "Non-zero status code returned while ", "Status Message: "}) {
    if (const size_t at = clean.find(noise); at != std::string::npos) clean.erase(at, noise.size());
  }
  return base::Shorten(base::Trim(clean), 600);
}

bool TellsOfMemory(std::string_view text) {
  constexpr std::string_view kTexts[] = {"bad_alloc", "Failed to allocate memory", "Available memory of"};
  return std::ranges::any_of(kTexts, [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

base::Result<void> Check(OrtStatus* status, std::string_view doing) {
  if (status == nullptr) return {};
  return base::Fail(base::Code::kInternal, "engine.run", std::string(doing) + ": " + TakeMessage(status));
}

}  // namespace slipway::engine::onnx
