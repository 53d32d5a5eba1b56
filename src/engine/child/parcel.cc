#include "engine/child/parcel.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/map_reader.h"

namespace slipway::engine {

namespace {

// The parcel: the header's size (8 bytes), the header as JSON, and the files, each at the next multiple of kPage.
constexpr uint64_t kPage = 4096;

uint64_t NextPage(uint64_t offset) {
  return (offset + kPage - 1) / kPage * kPage;
}

struct Piece {
  std::string name;
  std::string_view bytes;
  uint64_t offset = 0;
};

base::Result<std::vector<Piece>> Collect(const bundle::Bundle& bundle, const std::vector<std::string>& external_files) {
  std::vector<std::string> names = bundle.Files();
  for (const std::string& name : external_files) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  std::vector<Piece> pieces;
  for (const std::string& name : names) {
    SLIPWAY_ASSIGN(const std::string_view bytes, bundle.Read(name));
    pieces.push_back({name, bytes});
  }
  return pieces;
}

std::string Header(const EngineOptions& options, const std::vector<Piece>& pieces) {
  auto files = base::Value::List();
  for (const Piece& piece : pieces) {
    files.Add(base::Value::Map()
                  .Set("name", piece.name)
                  .Set("offset", static_cast<int64_t>(piece.offset))
                  .Set("size", static_cast<int64_t>(piece.bytes.size())));
  }
  return base::ToJson(base::Value::Map().Set("threads", int64_t{options.threads}).Set("files", std::move(files)));
}

/// Gives every piece its place behind a header of any offsets; the parcel's size.
uint64_t Place(const EngineOptions& options, std::vector<Piece>& pieces) {
  constexpr uint64_t kDigits = 20;
  uint64_t end = sizeof(uint64_t) + Header(options, pieces).size() + pieces.size() * kDigits;
  for (Piece& piece : pieces) {
    piece.offset = NextPage(end);
    end = piece.offset + piece.bytes.size();
  }
  return end;
}

int WriteAt(int fd, uint64_t offset, std::string_view bytes) {
  if (::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) return errno;
  return base::WriteAll(fd, bytes);
}

int WriteParcel(int fd, uint64_t size, const std::string& header, const std::vector<Piece>& pieces) {
  const uint64_t header_size = header.size();
  int error = ::ftruncate(fd, static_cast<off_t>(size)) == 0 ? 0 : errno;
  if (error == 0) error = WriteAt(fd, 0, {reinterpret_cast<const char*>(&header_size), sizeof(header_size)});
  if (error == 0) error = WriteAt(fd, sizeof(header_size), header);
  for (const Piece& piece : pieces) {
    if (error == 0) error = WriteAt(fd, piece.offset, piece.bytes);
  }
  return error;
}

std::unexpected<base::Error> Broken() {
  return base::Fail(base::Code::kInvalidArgument, "engine.child", "the bundle to be loaded arrived damaged");
}

}  // namespace

base::Result<PackedParcel> PackParcel(const bundle::Bundle& bundle, const EngineOptions& options,
                                      const std::vector<std::string>& external_files) {
  SLIPWAY_ASSIGN(auto pieces, Collect(bundle, external_files));
  const uint64_t size = Place(options, pieces);
  base::FileDescriptor file(::memfd_create("slipway-bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  int error = file.ok() ? 0 : errno;
  if (error == 0) error = WriteParcel(file.get(), size, Header(options, pieces), pieces);
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  if (error == 0 && ::fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) error = errno;
  if (error == 0) return PackedParcel{std::move(file), static_cast<int64_t>(size)};
  return base::Fail(base::Code::kUnavailable, "engine.child",
                    "this model is to be loaded in another process, and its bundle cannot be handed over: " +
                        std::generic_category().message(error) + "; that takes memory for a copy of it");
}

void Parcel::Unmap::operator()(char* memory) const {
  ::munmap(memory, size);
}

base::Result<Parcel> Parcel::Open(int fd) {
  struct stat status{};
  uint64_t header_size = 0;
  if (::fstat(fd, &status) != 0 || status.st_size < static_cast<off_t>(sizeof(header_size))) return Broken();
  const auto size = static_cast<size_t>(status.st_size);
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED) return Broken();
  Parcel parcel(std::unique_ptr<char, Unmap>(static_cast<char*>(memory), Unmap{size}));
  std::memcpy(&header_size, memory, sizeof(header_size));
  if (header_size > size - sizeof(header_size)) return Broken();
  if (!parcel.ReadHeader({static_cast<char*>(memory) + sizeof(header_size), header_size})) return Broken();
  return parcel;
}

bool Parcel::ReadHeader(std::string_view text) {
  const auto header = base::ParseJson(text);
  if (!header) return false;
  base::MapReader reader(*header);
  options_.threads = static_cast<int>(reader.Integer("threads"));
  const auto& files = reader.List("files");
  return reader.fine() && std::ranges::all_of(files, [this](const base::Value& entry) { return AddFile(entry); });
}

bool Parcel::AddFile(const base::Value& entry) {
  const auto all = static_cast<int64_t>(memory_.get_deleter().size);
  base::MapReader reader(entry);
  std::string name = reader.Text("name");
  const int64_t begin = reader.Integer("offset", 0, all), bytes = reader.Integer("size", 0, all - begin);
  if (!reader.fine()) return false;
  return files_.emplace(std::move(name), std::string_view(memory_.get() + begin, static_cast<size_t>(bytes))).second;
}

}  // namespace slipway::engine
