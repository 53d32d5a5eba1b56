#pragma once
// Client asks S3: it signs requests, repeats those that may be fine later, and turns what went wrong into errors.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "storage/object_store.h"
#include "storage/s3/answers.h"
#include "storage/s3/config.h"
#include "storage/s3/http_client.h"
#include "storage/s3/login.h"

namespace slipway::storage::s3 {

struct Request {
  std::string method;
  ObjectUrl url;  ///< without a key: the bucket
  Query query;
  std::map<std::string, std::string> headers;  ///< in lower case; all are signed
  std::string_view body;
  std::string_view doing;  ///< "read", "list" or "write", for messages
  size_t most_bytes = size_t{16} << 20;
  std::chrono::milliseconds patience{0};  ///< 0: the client's
  std::stop_token stop;
};

/// Bytes of one version of an object.
struct Range {
  std::string bytes;
  ObjectInfo object;
};

struct UploadedPart {
  int number = 0;
  std::string tag;
};

/// Errors of all methods: those of ObjectStore. Thread-safety: all methods from any thread.
class Client {
 public:
  static base::Result<std::unique_ptr<Client>> Create(Config config);

  base::Result<ObjectInfo> Head(const ObjectUrl& url);
  /// At most `length` bytes from `offset`; fewer at the object's end, none behind it. `tag`: of the version it has to
  /// be; empty for any. What broke off goes on where it broke. Error: failed_precondition "storage.changed".
  base::Result<Range> Get(const ObjectUrl& url, int64_t offset, int64_t length, const std::string& tag,
                          std::stop_token stop);
  /// One page; `listing.next` names the next one.
  base::Result<void> List(const ObjectUrl& prefix, int most, Listing& listing);
  base::Result<void> Put(const ObjectUrl& url, std::string_view bytes);
  base::Result<void> Delete(const ObjectUrl& url);

  /// `mark`: of the finished object, told by HasMark.
  base::Result<std::string> BeginUpload(const ObjectUrl& url, const std::string& mark);
  base::Result<UploadedPart> UploadPart(const ObjectUrl& url, const std::string& id, int number, std::string_view bytes,
                                        std::stop_token stop);
  base::Result<void> CompleteUpload(const ObjectUrl& url, const std::string& id, const std::vector<UploadedPart>& parts,
                                    const std::string& mark);
  base::Result<void> AbortUpload(const ObjectUrl& url, const std::string& id);
  /// One page; the markers name the next one.
  base::Result<void> ListUploads(const ObjectUrl& prefix, Uploads& uploads);

 private:
  Client(Config config, std::unique_ptr<HttpClient> http);
  /// Any answer that is not to be repeated, or the error that stayed.
  base::Result<HttpAnswer> Ask(const Request& request);
  /// One attempt.
  base::Result<void> Send(const Request& request, HttpAnswer& answer);
  /// An answer with a 2xx status.
  base::Result<HttpAnswer> Expect(const Request& request);
  base::Error ErrorOf(const Request& request, const HttpAnswer& answer) const;
  base::Result<void> TakeRange(const HttpAnswer& answer, int64_t offset, Range& range) const;
  base::Result<bool> HasMark(const ObjectUrl& url, const std::string& mark);
  bool Wait(int attempt, const HttpAnswer& answer, std::stop_token stop) const;

  const Config config_;
  std::unique_ptr<HttpClient> http_;
  LoginKeeper login_;
};

}  // namespace slipway::storage::s3
