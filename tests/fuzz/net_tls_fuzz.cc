// Any bytes on a TLS listener: no input may crash it, finish a handshake, or come out as data. The first byte of an
// input says whether the rest comes in place of a handshake or behind a finished one, and in pieces of which size.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/files.h"
#include "net/descriptor.h"
#include "net/tls/authority_test.h"
#include "net/tls/session.h"

namespace {

using namespace slipway;
using net::Descriptor;
using net::tls::Session;
using Progress = net::tls::Session::Progress;

std::shared_ptr<const net::tls::Context> MakeContext() {
  static net::tls::TicketKeys tickets;
  const auto folder = base::TemporaryFolder::Create().value();
  const net::tls::Authority authority(folder.path());
  net::tls::Options options;
  options.certificate = authority.Issue("server.pem").path;
  options.client_ca = authority.path();
  options.client_auth = net::tls::ClientAuth::kOptional;
  return net::tls::Context::Load(options, tickets).value();
}

/// A session of the server and OpenSSL's client on the other end, which has finished its handshake when `ready`.
struct Pair {
  Descriptor ours, theirs;
  std::unique_ptr<Session> session;
  std::unique_ptr<SSL, decltype(&SSL_free)> client{nullptr, &SSL_free};

  Pair() {
    static const auto kContext = MakeContext();
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    ours = Descriptor(ends[0]);
    theirs = Descriptor(ends[1]);
    session = Session::Accept(*kContext, ours.get());
  }
  void Agree() {
    static SSL_CTX* const kContext = SSL_CTX_new(TLS_client_method());
    client.reset(SSL_new(kContext));
    SSL_set_fd(client.get(), theirs.get());
    SSL_set_connect_state(client.get());
    bool done = false;
    for (int i = 0; i < 16 && !done; ++i) {
      SSL_do_handshake(client.get());
      done = session->Handshake() == Progress::kDone;
    }
    if (!done) std::abort();
    ERR_clear_error();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1 || size > 64 << 10) return 0;
  const bool behind = (data[0] & 1) != 0;
  const size_t piece = (data[0] >> 1) == 0 ? size : data[0] >> 1;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Pair pair;
  if (behind) pair.Agree();
  std::array<char, 4096> out;
  while (!bytes.empty()) {
    const size_t sent = std::min(piece, bytes.size());
    if (::send(pair.theirs.get(), bytes.data(), sent, MSG_NOSIGNAL) != static_cast<ssize_t>(sent)) break;
    bytes.remove_prefix(sent);
    if (!behind) {
      const Progress progress = pair.session->Handshake();
      if (progress == Progress::kDone) std::abort();
      if (progress == Progress::kFailed) break;
    } else if (const ssize_t received = pair.session->Receive(out.data(), out.size());
               received >= 0 || errno != EAGAIN) {
      if (received > 0) std::abort();
      break;
    }
  }
  pair.session->SayGoodbye();
  return 0;
}
