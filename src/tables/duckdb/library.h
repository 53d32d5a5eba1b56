#pragma once
// DuckDB's C API, found in the shared library when a command needs it; nothing links to it.

#include <array>
#include <cstddef>
#include <string>

#include "base/error.h"

// The functions in use.
// clang-format off
#define SLIPWAY_DUCKDB_FUNCTIONS(X) \
  X(duckdb_create_config) X(duckdb_set_config) X(duckdb_destroy_config) X(duckdb_open_ext) X(duckdb_close) \
  X(duckdb_connect) X(duckdb_interrupt) X(duckdb_free) X(duckdb_query) X(duckdb_prepare) X(duckdb_prepare_error) \
  X(duckdb_destroy_prepare) X(duckdb_pending_prepared_streaming) X(duckdb_pending_error) \
  X(duckdb_execute_pending) X(duckdb_destroy_pending) X(duckdb_destroy_result) X(duckdb_result_error) \
  X(duckdb_column_count) X(duckdb_column_logical_type) X(duckdb_fetch_chunk) X(duckdb_destroy_data_chunk) \
  X(duckdb_data_chunk_get_size) X(duckdb_data_chunk_set_size) X(duckdb_data_chunk_get_vector) \
  X(duckdb_vector_get_data) X(duckdb_vector_get_validity) X(duckdb_vector_ensure_validity_writable) \
  X(duckdb_vector_assign_string_element_len) X(duckdb_list_vector_get_size) X(duckdb_list_vector_set_size) \
  X(duckdb_list_vector_reserve) X(duckdb_array_vector_get_child) X(duckdb_create_logical_type) \
  X(duckdb_create_list_type) X(duckdb_destroy_logical_type) X(duckdb_get_type_id) X(duckdb_decimal_scale) \
  X(duckdb_decimal_internal_type) X(duckdb_enum_internal_type) X(duckdb_enum_dictionary_size) \
  X(duckdb_enum_dictionary_value) X(duckdb_list_type_child_type) X(duckdb_array_type_child_type) \
  X(duckdb_array_type_array_size) X(duckdb_create_table_function) X(duckdb_destroy_table_function) \
  X(duckdb_table_function_set_name) X(duckdb_table_function_set_extra_info) X(duckdb_table_function_set_bind) \
  X(duckdb_table_function_set_init) X(duckdb_table_function_set_function) X(duckdb_register_table_function) \
  X(duckdb_bind_get_extra_info) X(duckdb_bind_add_result_column) X(duckdb_init_set_max_threads) \
  X(duckdb_function_set_error) X(duckdb_disconnect) X(duckdb_function_get_extra_info) \
  X(duckdb_list_vector_get_child) X(duckdb_vector_size) X(duckdb_query_progress) \
  X(duckdb_create_struct_type) X(duckdb_create_scalar_function) X(duckdb_destroy_scalar_function) \
  X(duckdb_scalar_function_set_name) X(duckdb_scalar_function_add_parameter) \
  X(duckdb_scalar_function_set_return_type) X(duckdb_scalar_function_set_special_handling) \
  X(duckdb_scalar_function_set_extra_info) X(duckdb_scalar_function_set_bind) X(duckdb_scalar_function_set_function) \
  X(duckdb_register_scalar_function) X(duckdb_scalar_function_bind_get_extra_info) \
  X(duckdb_scalar_function_bind_set_error) X(duckdb_scalar_function_get_extra_info) \
  X(duckdb_scalar_function_set_error) X(duckdb_scalar_function_bind_get_argument) X(duckdb_expression_return_type) \
  X(duckdb_destroy_expression) X(duckdb_struct_type_child_count) X(duckdb_struct_type_child_name) \
  X(duckdb_struct_type_child_type) X(duckdb_struct_vector_get_child) X(duckdb_vector_get_column_type) \
  X(duckdb_prepared_statement_type)
// clang-format on

// The function, with its type from duckdb.h, which only .cc files include: SLIPWAY_DUCKDB(library, duckdb_query)(…).
#define SLIPWAY_DUCKDB(library, function) \
  (reinterpret_cast<decltype(&function)>((library).Find(::slipway::tables::duckdb::Function::function)))

namespace slipway::tables::duckdb {

enum class Function : size_t {
#define SLIPWAY_DUCKDB_NAME(function) function,
  SLIPWAY_DUCKDB_FUNCTIONS(SLIPWAY_DUCKDB_NAME)
#undef SLIPWAY_DUCKDB_NAME
      kCount
};

/// Thread-safety: immutable.
class Library {
 public:
  /// Opens the library at the first call. Errors: those of base::SharedLibrary::Open; unavailable "library.unfit" for
  /// one that lacks a function.
  static base::Result<const Library*> Load();

  void* Find(Function function) const { return functions_[static_cast<size_t>(function)]; }

  /// The file of an extension of DuckDB's, which stands in the library's own folder. Error: unavailable
  /// "library.missing".
  base::Result<std::string> ExtensionPath(const std::string& name) const;

 private:
  Library() = default;
  static base::Result<Library> Open();

  std::array<void*, static_cast<size_t>(Function::kCount)> functions_{};
  std::string folder_;
};

}  // namespace slipway::tables::duckdb
