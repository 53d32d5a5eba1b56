#pragma once
// ObjectStore is the seam to stores of whole objects under a name: they are written at once or not at all, replaced,
// and read in ranges, but never changed in place.
//
//   auto store = storage::StoreOf("s3://lake/flights.csv");    // one a process, by the standard environment
//   auto object = (*store)->Open(url);                         // bytes come ahead of the reader, a bounded number
//   while (*(*object)->Read(buffer) > 0) …

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::storage {

/// "s3://bucket/key". A key is taken as it is: nothing in it is escaped.
struct ObjectUrl {
  std::string bucket, key;
  std::string Text() const { return "s3://" + bucket + "/" + key; }
};

/// Whether a name is that of an object, and not of a file.
bool IsObjectUrl(std::string_view name);
/// Error: invalid_argument "storage.url".
base::Result<ObjectUrl> ParseObjectUrl(std::string_view url);

struct ObjectInfo {
  std::string key;
  int64_t size = 0;
  std::string tag;       ///< another for other content (ETag, without quotes); empty when the store has none
  int64_t modified = 0;  ///< seconds since 1970; 0 when the store does not tell
};

/// One version of an object, read from its beginning. Memory: some 24 MiB. Thread-safety: one thread at a time.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  virtual const ObjectInfo& info() const = 0;
  /// Fills `to` as far as the object goes; the number of bytes, 0 at the end. Errors: those of ObjectStore;
  /// failed_precondition "storage.changed" when the object was replaced since it was opened.
  virtual base::Result<size_t> Read(std::span<char> to) = 0;
  /// Goes on at another byte; what lies between is not fetched.
  virtual void Seek(int64_t offset) = 0;
};

/// An object in the making, which appears under its name with Finish(). Without it, what was sent is thrown away.
/// Thread-safety: one thread at a time.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual base::Result<void> Append(std::string_view bytes) = 0;
  virtual base::Result<void> Finish() = 0;
};

/// Errors of all: not_found "storage.missing", "storage.no_bucket"; permission_denied "storage.denied",
/// "storage.credentials", "storage.clock", "storage.tls"; unavailable "storage.unreachable", "storage.busy" (after all
/// attempts), "storage.region"; data_loss "storage.answer" (not of this protocol). Messages name the object and what to
/// check, and never a secret. Thread-safety: all methods from any thread.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  virtual base::Result<ObjectInfo> Look(const ObjectUrl& url) = 0;
  /// All objects whose key begins with the url's, in the order of their keys' bytes. Error: resource_exhausted
  /// "storage.too_many" when there are more than `most`.
  virtual base::Result<std::vector<ObjectInfo>> List(const ObjectUrl& prefix, size_t most) = 0;
  /// Whether there is any.
  virtual base::Result<bool> HasAny(const ObjectUrl& prefix) = 0;
  virtual base::Result<std::unique_ptr<ObjectReader>> Open(const ObjectUrl& url) = 0;
  /// `expected_bytes`: about how long it will be; 0 when that is not known. What is too long: resource_exhausted
  /// "storage.too_large".
  virtual base::Result<std::unique_ptr<ObjectWriter>> Create(const ObjectUrl& url, int64_t expected_bytes) = 0;
  /// Fine when there is none.
  virtual base::Result<void> Remove(const ObjectUrl& url) = 0;
  /// Throws away what was sent, and never finished, of objects whose key begins with the url's.
  virtual base::Result<void> DropUnfinished(const ObjectUrl& prefix) = 0;
};

inline constexpr size_t kMostListed = 1'000'000;

/// The store of a url, made at the first call and kept for the life of the process. Errors: "storage.url", those of its
/// configuration ("storage.credentials", "storage.config").
base::Result<ObjectStore*> StoreOf(std::string_view url);

}  // namespace slipway::storage
