#include "tables/duckdb/function_call.h"

#include <duckdb.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "tables/duckdb/row_appender.h"

namespace slipway::tables::duckdb {
namespace {

// As for table functions, reading what is ours needs the library first.
const Library& TheLibrary() {
  return **Library::Load();
}

class TypeHandle {
 public:
  TypeHandle(const Library& library, duckdb_logical_type type) : library_(library), type_(type) {}
  ~TypeHandle() { SLIPWAY_DUCKDB(library_, duckdb_destroy_logical_type)(&type_); }
  TypeHandle(const TypeHandle&) = delete;
  duckdb_logical_type get() const { return type_; }

 private:
  const Library& library_;
  duckdb_logical_type type_;
};

std::string MemberName(const Library& library, duckdb_logical_type type, idx_t member) {
  char* text = SLIPWAY_DUCKDB(library, duckdb_struct_type_child_name)(type, member);
  std::string name = text ? text : "";
  SLIPWAY_DUCKDB(library, duckdb_free)(text);
  return name;
}

void OnBind(duckdb_bind_info info) {
  const Library& library = TheLibrary();
  const auto& call =
      *static_cast<FunctionCall*>(SLIPWAY_DUCKDB(library, duckdb_scalar_function_bind_get_extra_info)(info));
  if (const auto fine = call.CheckArgument(library, info); !fine) {
    SLIPWAY_DUCKDB(library, duckdb_scalar_function_bind_set_error)(info, fine.error().message.c_str());
  }
}

void OnCall(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const Library& library = TheLibrary();
  auto& call = *static_cast<FunctionCall*>(SLIPWAY_DUCKDB(library, duckdb_scalar_function_get_extra_info)(info));
  if (const auto done = call.Answer(library, input, output); !done) {
    SLIPWAY_DUCKDB(library, duckdb_scalar_function_set_error)(info, done.error().Text().c_str());
  }
}

}  // namespace

base::Result<void> FunctionCall::Register(Session& session) {
  const Library& library = session.library();
  std::vector<duckdb_logical_type> types;
  std::vector<const char*> names;
  for (const auto& column : columns_) {
    types.push_back(StoredTypeOf(library, column));
    names.push_back(column.name.c_str());
  }
  duckdb_logical_type answer =
      SLIPWAY_DUCKDB(library, duckdb_create_struct_type)(types.data(), names.data(), types.size());
  for (auto& type : types) SLIPWAY_DUCKDB(library, duckdb_destroy_logical_type)(&type);
  duckdb_logical_type any = SLIPWAY_DUCKDB(library, duckdb_create_logical_type)(DUCKDB_TYPE_ANY);
  duckdb_scalar_function function = SLIPWAY_DUCKDB(library, duckdb_create_scalar_function)();
  SLIPWAY_DUCKDB(library, duckdb_scalar_function_set_name)(function, function_.name.c_str());
  SLIPWAY_DUCKDB(library, duckdb_scalar_function_add_parameter)(function, any);
  SLIPWAY_DUCKDB(library, duckdb_scalar_function_set_return_type)(function, answer);
  SLIPWAY_DUCKDB(library, duckdb_scalar_function_set_special_handling)(function);
  SLIPWAY_DUCKDB(library, duckdb_scalar_function_set_extra_info)(function, this, nullptr);
  SLIPWAY_DUCKDB(library, duckdb_scalar_function_set_bind)(function, OnBind);
  SLIPWAY_DUCKDB(library, duckdb_scalar_function_set_function)(function, OnCall);
  const bool registered =
      SLIPWAY_DUCKDB(library, duckdb_register_scalar_function)(session.connection(), function) == DuckDBSuccess;
  SLIPWAY_DUCKDB(library, duckdb_destroy_scalar_function)(&function);
  SLIPWAY_DUCKDB(library, duckdb_destroy_logical_type)(&any);
  SLIPWAY_DUCKDB(library, duckdb_destroy_logical_type)(&answer);
  if (registered) return {};
  return base::Fail(base::Code::kInternal, "tables.duckdb", "DuckDB did not take a function");
}

base::Result<void> FunctionCall::CheckArgument(const Library& library, duckdb_bind_info info) const {
  const auto wrong = [](std::string message) {
    return base::Fail(base::Code::kInvalidArgument, "tables.sql", std::move(message));
  };
  duckdb_expression argument = SLIPWAY_DUCKDB(library, duckdb_scalar_function_bind_get_argument)(info, 0);
  const TypeHandle type(library, SLIPWAY_DUCKDB(library, duckdb_expression_return_type)(argument));
  SLIPWAY_DUCKDB(library, duckdb_destroy_expression)(&argument);
  if (SLIPWAY_DUCKDB(library, duckdb_get_type_id)(type.get()) != DUCKDB_TYPE_STRUCT) {
    return wrong(
        fmt::format("{0} takes a record: {0}(*), {0}(t) for a table t, or {0}({{'a': a, …}})", function_.name));
  }
  std::vector<std::string> names;
  const idx_t members = SLIPWAY_DUCKDB(library, duckdb_struct_type_child_count)(type.get());
  for (idx_t i = 0; i < members; ++i) names.push_back(MemberName(library, type.get(), i));
  for (const auto& name : function_.required) {
    if (std::ranges::find(names, name) != names.end()) continue;
    return wrong(fmt::format("{} is given no {:?}, which the model needs{}", function_.name, name,
                             base::DidYouMean(name, names)));
  }
  return {};
}

base::Result<std::unique_ptr<RecordWorker>> FunctionCall::TakeWorker() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto worker = std::move(idle_.back());
      idle_.pop_back();
      return worker;
    }
  }
  return function_.new_worker();
}

void FunctionCall::GiveBack(std::unique_ptr<RecordWorker> worker) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(worker));
}

base::Result<void> FunctionCall::Answer(const Library& library, duckdb_data_chunk input, duckdb_vector output) {
  SLIPWAY_ASSIGN(auto worker, TakeWorker());
  const auto count = static_cast<int64_t>(SLIPWAY_DUCKDB(library, duckdb_data_chunk_get_size)(input));
  duckdb_vector record = SLIPWAY_DUCKDB(library, duckdb_data_chunk_get_vector)(input, 0);
  const TypeHandle type(library, SLIPWAY_DUCKDB(library, duckdb_vector_get_column_type)(record));
  RowAppender appender(*function_.layout);
  const idx_t members = SLIPWAY_DUCKDB(library, duckdb_struct_type_child_count)(type.get());
  for (idx_t i = 0; i < members; ++i) {
    const int target = function_.layout->Find(MemberName(library, type.get(), i));
    if (target < 0) continue;
    const TypeHandle member(library, SLIPWAY_DUCKDB(library, duckdb_struct_type_child_type)(type.get(), i));
    appender.AddColumn(library, member.get(), target);
    appender.Attach(appender.columns() - 1, SLIPWAY_DUCKDB(library, duckdb_struct_vector_get_child)(record, i));
  }
  auto& rows = worker->rows();
  rows.Clear();
  appender.Append(0, count, {}, rows);
  SLIPWAY_ASSIGN(const data::Table* answers, worker->Answer());
  for (size_t i = 0; i < columns_.size(); ++i) {
    WriteRows(library, columns_[i], answers->columns[columns_[i].field], {0, count}, 0,
              SLIPWAY_DUCKDB(library, duckdb_struct_vector_get_child)(output, i));
  }
  GiveBack(std::move(worker));
  return {};
}

}  // namespace slipway::tables::duckdb
