#pragma once
// StepReader takes one entry of `features:` apart, LearnedReader one entry of fitted.json. Both keep the first error
// and answer defaults afterwards, so that a parse function reads straight down and asks once, at the end.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"

namespace slipway::features {

/// Where a value stands in the manifest: "14:9", or `fallback` when the position is unknown.
std::string PlaceOf(const base::Value& value, std::string_view fallback);

/// Reads `{as: NAME, KIND: SUBJECT, parameter: value, …}`.
class StepReader {
 public:
  /// `written` is a map and outlives this.
  StepReader(const base::Value& written, std::string_view kind, std::string where);

  std::string_view kind() const { return kind_; }
  const base::Value& subject() const { return *subject_; }
  const std::string& where() const { return where_; }

  /// The subject as a name or a list of names. Default bounds: one or more.
  std::vector<std::string> Inputs(size_t at_least = 1, size_t at_most = 4096);

  double Number(std::string_view key, double fallback);
  /// As Number(), but `.nan` is a number too.
  double NumberOrNan(std::string_view key, double fallback);
  double NumberIn(std::string_view key, double fallback, double low, double high);
  std::optional<double> OptionalNumber(std::string_view key);
  int64_t Integer(std::string_view key, int64_t fallback, int64_t low, int64_t high);
  bool Boolean(std::string_view key, bool fallback);
  std::string Text(std::string_view key, std::string_view fallback);
  /// One of `choices`; the first is the default.
  std::string Choice(std::string_view key, std::initializer_list<std::string_view> choices);
  /// A list of finite numbers; nullopt when absent.
  std::optional<std::vector<double>> Numbers(std::string_view key);
  std::optional<std::vector<std::string>> Texts(std::string_view key);
  /// The raw value, or nullptr when absent or null.
  const base::Value* Find(std::string_view key);

  /// Records an error about a parameter (or the subject, when `key` is the kind).
  void Reject(std::string_view key, std::string message);
  bool failed() const { return error_.has_value(); }
  /// The first error; then parameters that nobody asked for, with the nearest known name.
  base::Result<void> Finish();

 private:
  const base::Value* Ask(std::string_view key);
  void RejectKind(std::string_view key, const base::Value& value, std::string_view wanted);

  const base::Value& written_;
  std::string kind_;
  std::string where_;
  const base::Value* subject_;
  std::vector<std::string> known_;
  std::optional<base::Error> error_;
};

/// Reads `{step: …, spec: …, parameter: …}` of fitted.json, which may have been edited or made by someone else.
class LearnedReader {
 public:
  LearnedReader(const base::Value& entry, std::string as) : entry_(entry), as_(std::move(as)) {}

  double Number(std::string_view key);
  int64_t Integer(std::string_view key, int64_t low, int64_t high);
  bool Boolean(std::string_view key);
  /// A list of `count` numbers (any number of them when `count` is -1).
  std::vector<double> Numbers(std::string_view key, int64_t count = -1);
  std::vector<int64_t> Integers(std::string_view key, int64_t count = -1);
  /// `count` lists of ascending numbers, none of them NaN.
  std::vector<std::vector<double>> AscendingLists(std::string_view key, int64_t count);
  /// A list of maps or lists to be read further; empty after an error.
  const base::ValueList& List(std::string_view key, int64_t count = -1);
  void Reject(std::string_view key, std::string_view problem);
  base::Result<void> Finish() const;

 private:
  const base::Value* Ask(std::string_view key);

  const base::Value& entry_;
  std::string as_;
  std::optional<base::Error> error_;
};

/// A number of fitted.json: JSON lacks NaN and infinities, which are the texts "NaN", "Infinity", "-Infinity".
std::optional<double> LearnedNumber(const base::Value& value);
base::Value LearnedList(const std::vector<double>& values);

}  // namespace slipway::features
