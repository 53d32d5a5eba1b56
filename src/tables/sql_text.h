#pragma once
// What can be told of a text of SQL without understanding it.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::tables {

/// The text if it calls the function, outside of quotes and comments; nothing otherwise. A call with a star, `f(*)` or
/// `f(* EXCLUDE (a))`, which DuckDB knows for functions of its own alone, is made one with all those columns in a
/// struct.
std::optional<std::string> CallsOf(std::string_view function, std::string_view sql);

/// Whether the text begins as a question does: with SELECT, WITH, VALUES, TABLE or a bracket, behind blanks and
/// comments.
bool BeginsAsQuestion(std::string_view sql);

/// The text with names of files replaced by what `replace` gives for them, if anything: quoted texts behind FROM and
/// JOIN, and those that are given to functions such as read_parquet, alone or in a list.
std::string WithFilesReplaced(std::string_view sql,
                              const std::function<std::optional<std::string>(const std::string& name)>& replace);

/// The pattern that fits this path alone, where DuckDB would take *, ? and [ of it for patterns.
std::string ExactPattern(std::string_view path);

}  // namespace slipway::tables
