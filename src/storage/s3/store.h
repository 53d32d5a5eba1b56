#pragma once
// S3 as an ObjectStore: objects are fetched in windows ahead of their reader, and sent in parts behind their writer.

#include <memory>

#include "storage/object_store.h"
#include "storage/s3/client.h"

namespace slipway::storage::s3 {

/// Errors: those of HttpClient::Create.
base::Result<std::unique_ptr<ObjectStore>> MakeStore(Config config);

/// `client` must outlive what these make.
base::Result<std::unique_ptr<ObjectReader>> OpenReader(Client& client, const ObjectUrl& url);
std::unique_ptr<ObjectWriter> MakeWriter(Client& client, const ObjectUrl& url, int64_t expected_bytes);

/// Bytes of a part of an upload, so that it has at most 10,000 of them. Part sizes hang on the length alone.
int64_t PartBytesFor(int64_t expected_bytes);

}  // namespace slipway::storage::s3
