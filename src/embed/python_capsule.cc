// Arrow structures in Python's capsules. Their destructor cannot be written in Python: it may run while an exception is
// on its way. Python's functions are those of the process, so that the library needs no Python of its own.

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "slipway/slipway.h"

namespace slipway::embed {
namespace {

using Destructor = void (*)(void* capsule);

constexpr char kSchema[] = "arrow_schema", kArray[] = "arrow_array", kStream[] = "arrow_array_stream";

template <typename Function>
Function PythonFunction(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

template <typename Structure, const char* name>
void Destroy(void* capsule) {
  static const auto pointer_of = PythonFunction<void* (*)(void*, const char*)>("PyCapsule_GetPointer");
  auto* structure = static_cast<Structure*>(pointer_of(capsule, name));
  if (structure == nullptr) return;
  if (structure->release != nullptr) structure->release(structure);
  std::free(structure);
}

template <typename Structure, const char* name>
void* Make(void* structure) {
  static const auto make = PythonFunction<void* (*)(void*, const char*, Destructor)>("PyCapsule_New");
  if (make == nullptr) return nullptr;
  auto* from = static_cast<Structure*>(structure);
  auto* moved = static_cast<Structure*>(std::malloc(sizeof(Structure)));
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, from, sizeof(Structure));
  void* capsule = make(moved, name, Destroy<Structure, name>);
  if (capsule == nullptr) {
    std::free(moved);
  } else {
    from->release = nullptr;
  }
  return capsule;
}

}  // namespace
}  // namespace slipway::embed

void* slipway_python_capsule(const char* name, void* structure) {
  using namespace slipway::embed;  // NOLINT(google-build-using-namespace): the functions of C stand in none
  if (name == nullptr || structure == nullptr) return nullptr;
  const std::string_view wanted(name);
  if (wanted == kSchema) return Make<ArrowSchema, kSchema>(structure);
  if (wanted == kArray) return Make<ArrowArray, kArray>(structure);
  return wanted == kStream ? Make<ArrowArrayStream, kStream>(structure) : nullptr;
}
