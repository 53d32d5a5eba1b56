#pragma once
// Transport: gRPC's framing, streams and flow control over connections that somebody else has accepted. The seam
// between the program, which knows what calls mean, and the module libslipway_grpc.so, which knows gRPC: neither is
// linked with the other, and the module is opened only when it is needed (transport_module.h).
//
// Everything here is a header of types; the module links no room of this program.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace slipway::rpc {

/// Raised with every change of what this file declares: program and module of different numbers refuse each other.
inline constexpr int kTransportAbi = 2;

/// gRPC's status codes.
enum class Status : uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

struct Metadata {
  std::string_view name;  ///< lower case
  std::string_view value;
};

/// One message of a call. Views are valid until the handler returns.
struct Call {
  std::string_view path;  ///< "/inference.GRPCInferenceService/ModelInfer"
  std::span<const Metadata> metadata;
  std::string_view peer;  ///< "127.0.0.1:51234", "[::1]:51234", "unix"
  std::string_view message;
  base::SteadyTime received;
  base::SteadyTime deadline = base::SteadyTime::max();  ///< the caller's
  int thread = 0;                                       ///< of this transport, from 0 on
  bool first = true;                                    ///< the first message of its call
};

struct Reply;

/// A call that goes on after its handler has returned. Thread-safety: all methods from any thread; may outlive the
/// transport.
class Later {
 public:
  virtual ~Later() = default;
  /// Runs `answer` on the call's thread. What it puts into the reply is sent, unless the call is over.
  virtual void Post(std::function<void(Reply&)> answer) = 0;
  /// Requested when the caller has gone, or the server has given the call up.
  virtual std::stop_token abandoned() const = 0;
};

/// What a handler answers to one message.
struct Reply {
  Status status = Status::kOk;
  std::string error;    ///< with a status that is not kOk, which ends the call
  std::string message;  ///< sent when `has_message`
  bool has_message = false;
  bool end = false;  ///< ends a stream in good order; other calls end with their message anyway
  std::vector<std::pair<std::string, std::string>> metadata;  ///< sent before the first message
  std::vector<std::pair<std::string, std::string>> trailers;  ///< sent with the call's end
  /// Set by a handler that answers later; all else is ignored. Called when the handler has returned.
  std::function<void(std::shared_ptr<Later>)> later;

  void Clear();
};

inline void Reply::Clear() {
  status = Status::kOk;
  error.clear();
  message.clear();
  has_message = end = false;
  metadata.clear();
  trailers.clear();
  later = nullptr;
}

/// What a path means to the transport; the program has more to say of it in what it derives.
struct Method {
  bool streams = false;  ///< any number of messages each way; else one each
  bool pushes = false;   ///< a stream of one request, answered again and again by Later
};

/// How a call ended that no handler saw the end of.
enum class Loss : uint8_t {
  kReset,      ///< the client took it back, or the library did for it: a message past the limit
  kTooLarge,   ///< a compressed message unpacks past the limit, or is broken
  kIncomplete  ///< it ended before its message
};

/// What the transport asks of the program, on its threads.
class Service {
 public:
  virtual ~Service() = default;
  /// nullptr: there is no such method. The method outlives the transport.
  virtual const Method* Find(std::string_view path) = 0;
  virtual void Handle(const Method& method, const Call& call, Reply& reply) = 0;
  /// A call without a method; the reply's status is kUnimplemented.
  virtual void OnUnknown(const Call& call, Reply& reply) = 0;
  virtual void OnLoss(Loss loss, std::string_view path, std::string_view peer) = 0;
  /// Takes a compressed message apart. False: it is broken or too large, and `error` says so.
  virtual bool Decompress(std::string_view coding, std::string_view message, std::string& out, std::string& error) = 0;
  /// A line of the library's own log.
  virtual void OnLog(std::string_view text) = 0;
};

/// A certificate as PEM texts.
struct PemCredentials {
  std::string chain, key;
  std::string client_roots;  ///< empty: clients are asked for none
  uint64_t generation = 0;   ///< another number for another certificate
};

enum class ClientCertificates : uint8_t { kNone, kOptional, kRequired };

struct TransportOptions {
  int threads = 1;
  int64_t message_bytes = int64_t{64} << 20;
  int64_t metadata_bytes = 32 << 10;
  int streams_per_connection = 128;
  int64_t memory_bytes = 0;  ///< of all connections' buffers; 0: any
  std::chrono::nanoseconds handshake_deadline = std::chrono::seconds(10);
  std::chrono::nanoseconds idle_timeout = std::chrono::minutes(5);          ///< without a call
  std::chrono::nanoseconds keepalive_interval = std::chrono::minutes(1);    ///< our pings on a silent connection
  std::chrono::nanoseconds keepalive_timeout = std::chrono::seconds(20);    ///< for their answer
  std::chrono::nanoseconds least_ping_interval = std::chrono::seconds(10);  ///< of clients; oftener, and they are cut
  /// For TLS: asked on every handshake, from any thread. Empty: in the clear.
  std::function<PemCredentials()> credentials;
  ClientCertificates client_certificates = ClientCertificates::kNone;
};

/// Lifecycle: serving from its creation to Stop(). Thread-safety: all methods from any thread but its own.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Takes over a connected socket.
  virtual void Adopt(int socket) = 0;
  /// Runs `task` on each thread, with its index.
  virtual void RunOnThreads(const std::function<void(int thread)>& task) = 0;
  /// Ends streams that wait for their client, lets calls that have begun finish, and cuts what is left at the timeout.
  virtual void Stop(std::chrono::nanoseconds timeout) = 0;
};

/// The module's only symbol, "slipway_grpc_transport". nullptr: `error` says why. The service outlives the transport.
using MakeTransport = Transport* (*)(int abi, const TransportOptions& options, Service& service, std::string& error);

}  // namespace slipway::rpc
