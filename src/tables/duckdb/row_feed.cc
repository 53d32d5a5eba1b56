#include "tables/duckdb/row_feed.h"

#include <duckdb.h>

#include <algorithm>
#include <utility>

namespace slipway::tables::duckdb {
namespace {

std::vector<OutputColumn> VaryingColumns(const std::vector<data::Field>& fields,
                                         const std::vector<ConstantField>& constants) {
  auto columns = data::OutputColumnsOf(fields);
  std::erase_if(columns, [&](const auto& column) {
    return std::ranges::find(constants, column.field, &ConstantField::field) != constants.end();
  });
  return columns;
}

RowFeed& FeedOf(void* extra_info) {
  return *static_cast<RowFeed*>(extra_info);
}

void Bind(duckdb_bind_info info, const Library& library, const RowFeed& feed) {
  for (const auto& column : feed.columns()) {
    duckdb_logical_type type = StoredTypeOf(library, column);
    SLIPWAY_DUCKDB(library, duckdb_bind_add_result_column)(info, column.name.c_str(), type);
    SLIPWAY_DUCKDB(library, duckdb_destroy_logical_type)(&type);
  }
}

// DuckDB hands the callbacks no pointer of ours before the extra info is read, and reading it needs the library.
const Library& TheLibrary() {
  return **Library::Load();
}

void OnBind(duckdb_bind_info info) {
  const Library& library = TheLibrary();
  Bind(info, library, FeedOf(SLIPWAY_DUCKDB(library, duckdb_bind_get_extra_info)(info)));
}

void OnInit(duckdb_init_info info) {
  SLIPWAY_DUCKDB(TheLibrary(), duckdb_init_set_max_threads)(info, 1);
}

void OnRows(duckdb_function_info info, duckdb_data_chunk chunk) {
  const Library& library = TheLibrary();
  RowFeed& feed = FeedOf(SLIPWAY_DUCKDB(library, duckdb_function_get_extra_info)(info));
  if (!feed.Fill(library, chunk)) SLIPWAY_DUCKDB(library, duckdb_function_set_error)(info, "the table is given up");
}

}  // namespace

RowFeed::RowFeed(const std::vector<data::Field>& fields, const std::vector<ConstantField>& constants)
    : columns_(VaryingColumns(fields, constants)) {}

base::Result<void> RowFeed::Register(Session& session, const char* name) {
  const Library& library = session.library();
  duckdb_table_function function = SLIPWAY_DUCKDB(library, duckdb_create_table_function)();
  SLIPWAY_DUCKDB(library, duckdb_table_function_set_name)(function, name);
  SLIPWAY_DUCKDB(library, duckdb_table_function_set_extra_info)(function, this, nullptr);
  SLIPWAY_DUCKDB(library, duckdb_table_function_set_bind)(function, OnBind);
  SLIPWAY_DUCKDB(library, duckdb_table_function_set_init)(function, OnInit);
  SLIPWAY_DUCKDB(library, duckdb_table_function_set_function)(function, OnRows);
  const bool registered =
      SLIPWAY_DUCKDB(library, duckdb_register_table_function)(session.connection(), function) == DuckDBSuccess;
  SLIPWAY_DUCKDB(library, duckdb_destroy_table_function)(&function);
  if (registered) return {};
  return base::Fail(base::Code::kInternal, "tables.duckdb", "DuckDB did not take a table function");
}

bool RowFeed::Push(const data::Table& table) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return queue_.size() < kQueued || reader_gone_; });
  if (reader_gone_) return false;
  data::Table copy;
  if (!spare_.empty()) {
    copy = std::move(spare_.back());
    spare_.pop_back();
  }
  lock.unlock();
  copy = table;
  lock.lock();
  queue_.push_back(std::move(copy));
  lock.unlock();
  changed_.notify_all();
  return true;
}

void RowFeed::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

void RowFeed::Cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  changed_.notify_all();
}

void RowFeed::ReaderIsGone() {
  {
    const std::lock_guard lock(mutex_);
    reader_gone_ = true;
  }
  changed_.notify_all();
}

/// Makes the next table with rows the reader's; false at the end and when cancelled.
bool RowFeed::TakeTable() {
  while (next_row_ == table_.rows) {
    std::unique_lock lock(mutex_);
    if (!table_.columns.empty()) spare_.push_back(std::move(table_));
    table_ = {};
    next_row_ = 0;
    changed_.wait(lock, [this] { return !queue_.empty() || closed_ || cancelled_; });
    if (cancelled_ || queue_.empty()) return false;
    table_ = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    changed_.notify_all();
  }
  return true;
}

bool RowFeed::Fill(const Library& library, duckdb_data_chunk chunk) {
  const auto capacity = static_cast<int64_t>(SLIPWAY_DUCKDB(library, duckdb_vector_size)());
  int64_t filled = 0;
  while (filled < capacity && TakeTable()) {
    const int64_t count = std::min(capacity - filled, table_.rows - next_row_);
    for (size_t i = 0; i < columns_.size(); ++i) {
      WriteRows(library, columns_[i], table_.columns[columns_[i].field], {next_row_, count}, filled,
                SLIPWAY_DUCKDB(library, duckdb_data_chunk_get_vector)(chunk, i));
    }
    filled += count;
    next_row_ += count;
  }
  SLIPWAY_DUCKDB(library, duckdb_data_chunk_set_size)(chunk, static_cast<idx_t>(filled));
  const std::lock_guard lock(mutex_);
  return !cancelled_;
}

}  // namespace slipway::tables::duckdb
