#pragma once
// What S3 answers, as values: lists, uploads, and faults with what to check.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "storage/object_store.h"

namespace slipway::storage::s3 {

/// One page of ListObjectsV2; pages append.
struct Listing {
  std::vector<ObjectInfo> objects;
  std::string next;  ///< the token of the next page; empty at the end
};
/// Error: data_loss "storage.answer".
base::Result<void> ReadListing(std::string_view xml, Listing& listing);

/// One page of ListMultipartUploads; pages append.
struct Uploads {
  struct Upload {
    std::string key, id;
  };
  std::vector<Upload> uploads;
  std::string next_key, next_id;  ///< markers of the next page; empty at the end
};
base::Result<void> ReadUploads(std::string_view xml, Uploads& uploads);

/// The id of an upload that was begun. Error: "storage.answer".
base::Result<std::string> ReadUploadId(std::string_view xml);

/// What an answer says when it says no. All empty for an answer that is no such XML.
struct Fault {
  std::string code, message, region, server_time;
};
Fault ReadFault(std::string_view xml);

/// The circumstances in which a fault is told.
struct Asked {
  std::string_view doing;  ///< "read", "list", "write"
  std::string_view bucket, key;
  std::string_view endpoint;
  std::string_view region;
  std::string_view login;  ///< where the credentials come from
};

/// Whether the same request may be fine a little later.
bool MayPass(int status, const Fault& fault);
/// `status`: other than 2xx. `region`: as the answer's header names it.
base::Error ToError(int status, Fault fault, std::string_view region, const Asked& asked);

/// An ETag without the quotes that some answers have and others of the same server do not.
std::string ReadTag(std::string_view text);

/// Seconds since 1970 of "2013-05-24T00:00:00.000Z" or "Fri, 24 May 2013 00:00:00 GMT"; 0 for anything else.
int64_t ReadTime(const std::string& text);

}  // namespace slipway::storage::s3
