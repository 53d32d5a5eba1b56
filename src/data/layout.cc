#include "data/layout.h"

namespace slipway::data {

Layout::Layout(std::vector<Field> fields, UnknownFields unknown) : fields_(std::move(fields)), unknown_(unknown) {
  names_.reserve(fields_.size());
  for (const Field& field : fields_) {
    index_.try_emplace(field.name, static_cast<int>(names_.size()));
    names_.push_back(field.name);
  }
}

int Layout::Find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? -1 : found->second;
}

}  // namespace slipway::data
