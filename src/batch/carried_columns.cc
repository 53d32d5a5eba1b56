#include "batch/carried_columns.h"

#include <algorithm>
#include <utility>

namespace slipway::batch {
namespace {

data::Field CarriedField(const std::string& name, const std::vector<tables::StoredColumn>& stored) {
  data::Field field;
  field.name = name;
  field.type.scalar = data::ScalarType::kString;
  field.as_text = true;
  const auto known = std::ranges::find(stored, name, &tables::StoredColumn::name);
  const bool wide =
      known != stored.end() && (known->stored_type == "UBIGINT" || known->stored_type.ends_with("HUGEINT"));
  if (known != stored.end() && known->type && known->type->is_scalar() && !wide) {
    field.type = *known->type;
    field.as_text = false;
  }
  return field;
}

}  // namespace

CarriedColumns Carry(const scoring::Scorer& scorer, const std::vector<std::string>& names, bool ignore_unknown,
                     const std::vector<tables::StoredColumn>& stored, const std::vector<std::string>& also) {
  auto fields = scorer.layout().fields();
  CarriedColumns carried;
  const auto place_of = [&](const std::string& name) {
    const auto it = std::ranges::find(fields, name, &data::Field::name);
    return it != fields.end() ? it : fields.insert(fields.end(), CarriedField(name, stored));
  };
  // A table that still has the column to predict is no worse for it.
  if (const auto& target = scorer.manifest().target; target && !target->empty()) place_of(*target);
  for (const auto& name : names) {
    const auto it = place_of(name);
    carried.columns.push_back(static_cast<int>(it - fields.begin()));
    carried.fields.push_back(*it);
  }
  for (const auto& name : also) place_of(name);
  carried.layout =
      data::Layout(std::move(fields), ignore_unknown ? data::UnknownFields::kIgnore : scorer.layout().unknown_fields());
  return carried;
}

}  // namespace slipway::batch
