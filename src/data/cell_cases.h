#pragma once
// The conversion table: what a cell means, spelled for every door, and what becomes of it in a column of each type.
// Doors outside this room run through it too, so that all of them keep giving the same answers.

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "data/cell.h"
#include "data/decoded.h"
#include "data/timestamp.h"

namespace slipway::data {

/// Outcomes are written as a reader of the table would say them: `true`, `12`, `1.5`, `-0.0`, `inf`, `nan`, `'text'`,
/// `2013-07-04T00:00:00Z`, `null`, or the violation's code without its prefix: `wrong_type`.
struct CellCase {
  std::string_view json;       ///< the value in JSON; empty: JSON cannot say it
  std::string_view csv;        ///< the cell in CSV; empty: CSV cannot say it
  std::optional<Cell> direct;  ///< as a typed reader delivers it
  std::string_view boolean, integer, number, string, timestamp;
};

inline constexpr std::array<ScalarType, 5> kScalarTypes = {
    ScalarType::kBoolean, ScalarType::kInteger, ScalarType::kNumber, ScalarType::kString, ScalarType::kTimestamp};

inline std::string_view ExpectedFor(const CellCase& one, ScalarType type) {
  const std::array<std::string_view, 5> by_type = {one.boolean, one.integer, one.number, one.string, one.timestamp};
  return by_type[static_cast<size_t>(type)];
}

/// Delivers a typed cell to a builder, as a reader of Parquet or tensors would.
inline void Deliver(const Cell& cell, int field, RowBuilder& builder) {
  switch (cell.kind) {
    case Cell::Kind::kBoolean:
      return builder.SetBoolean(field, cell.boolean);
    case Cell::Kind::kInteger:
      return builder.SetInteger(field, cell.integer);
    case Cell::Kind::kUnsigned:
      return builder.SetUnsigned(field, cell.unsigned_integer);
    case Cell::Kind::kNumber:
      return builder.SetNumber(field, cell.number);
    case Cell::Kind::kText:
      return builder.SetString(field, cell.text);
    case Cell::Kind::kLexeme:
      return builder.SetLexeme(field, cell.text);
    case Cell::Kind::kTimestamp:
      return builder.SetTimestamp(field, cell.integer);
    case Cell::Kind::kOther:
      return builder.SetWrong(field, cell.text);
  }
}

/// The outcome of column 0 at `row`, in the words of the table.
inline std::string OutcomeOf(const Decoded& decoded, int64_t row);

// Short names keep the lines of the table short.
namespace cell_cases {

inline constexpr std::string_view kBad = "wrong_type";
inline constexpr double kInfinity = __builtin_inf();
inline const auto B = [](bool value) { return Cell::Boolean(value); };
inline const auto I = [](int64_t value) { return Cell::Integer(value); };
inline const auto U = [](uint64_t value) { return Cell::Unsigned(value); };
inline const auto N = [](double value) { return Cell::Number(value); };
inline const auto T = [](std::string_view value) { return Cell::Text(value); };
inline const auto S = [](std::string_view value) { return Cell::Timestamp(*ParseTimestamp(value)); };

/// Values with a type of their own. In a CSV cell of a string column they are text and stay as they are written.
inline const CellCase kTyped[] = {
    // JSON, CSV, typed | boolean, integer, number, string, timestamp
    {"true", "true", B(true), "true", kBad, kBad, kBad, kBad},
    {"false", "false", B(false), "false", kBad, kBad, kBad, kBad},
    {"true", "TRUE", B(true), "true", kBad, kBad, kBad, kBad},
    {"false", "False", B(false), "false", kBad, kBad, kBad, kBad},
    {"0", "0", I(0), "false", "0", "0", kBad, kBad},
    {"1", "1", I(1), "true", "1", "1", kBad, kBad},
    {"2", "2", I(2), kBad, "2", "2", kBad, kBad},
    {"-1", "-1", I(-1), kBad, "-1", "-1", kBad, kBad},
    {"-0", "-0", N(-0.0), "false", "0", "-0.0", kBad, kBad},
    {"-0.0", "-0.0", N(-0.0), "false", "0", "-0.0", kBad, kBad},
    {"-0e0", "-0e0", N(-0.0), "false", "0", "-0.0", kBad, kBad},
    {"0.0", "0.0", N(0.0), "false", "0", "0", kBad, kBad},
    {"1.0", "1.0", N(1.0), "true", "1", "1", kBad, kBad},
    {"1e0", "1e0", N(1.0), "true", "1", "1", kBad, kBad},
    {"0.5", "0.5", N(0.5), kBad, kBad, "0.5", kBad, kBad},
    {"0.5", ".5", N(0.5), kBad, kBad, "0.5", kBad, kBad},
    {"5.0", "5.", N(5.0), kBad, "5", "5", kBad, kBad},
    {"1.5", "1.5", N(1.5), kBad, kBad, "1.5", kBad, kBad},
    {"-2.75", "-2.75", N(-2.75), kBad, kBad, "-2.75", kBad, kBad},
    {"0.1", "0.1", N(0.1), kBad, kBad, "0.1", kBad, kBad},
    {"0.30000000000000004", "0.30000000000000004", N(0.1 + 0.2), kBad, kBad, "0.30000000000000004", kBad, kBad},
    {"1400", "1400", I(1400), kBad, "1400", "1400", kBad, kBad},
    {"1400.0", "1400.0", N(1400), kBad, "1400", "1400", kBad, kBad},
    {"1e3", "1e3", N(1000), kBad, "1000", "1000", kBad, kBad},
    {"1E3", "1E3", N(1000), kBad, "1000", "1000", kBad, kBad},
    {"1e+3", "1e+3", N(1000), kBad, "1000", "1000", kBad, kBad},
    {"1.5e3", "1.5e3", N(1500), kBad, "1500", "1500", kBad, kBad},
    {"1e-3", "1e-3", N(0.001), kBad, kBad, "0.001", kBad, kBad},
    {"12345e-2", "12345e-2", N(123.45), kBad, kBad, "123.45", kBad, kBad},
    {"1000e-3", "1000e-3", N(1), "true", "1", "1", kBad, kBad},
    {"1e0000000000000000001", "1e0000000000000000001", N(10), kBad, "10", "10", kBad, kBad},
    {"7", "+7", I(7), kBad, "7", "7", kBad, kBad},
    {"7.5", "+7.5", N(7.5), kBad, kBad, "7.5", kBad, kBad},
    {"7", "007", I(7), kBad, "7", "7", kBad, kBad},
    {"-7", "-007", I(-7), kBad, "-7", "-7", kBad, kBad},
    {"0.25", "00.25", N(0.25), kBad, kBad, "0.25", kBad, kBad},
    {"12", " 12", I(12), kBad, "12", "12", kBad, kBad},
    {"12", "12 ", I(12), kBad, "12", "12", kBad, kBad},
    {"12", "\t12\t", I(12), kBad, "12", "12", kBad, kBad},
    {"1.5", "  1.5  ", N(1.5), kBad, kBad, "1.5", kBad, kBad},
    {"true", " true ", B(true), "true", kBad, kBad, kBad, kBad},
    {"12", "\"12\"", I(12), kBad, "12", "12", kBad, kBad},
    {"1.5", "\" 1.5\"", N(1.5), kBad, kBad, "1.5", kBad, kBad},
    // Around 2^53: integers are exact, doubles name one integer only below it.
    {"9007199254740991", "9007199254740991", I(9007199254740991), kBad, "9007199254740991", "9007199254740991", kBad,
     kBad},
    {"9007199254740992", "9007199254740992", I(9007199254740992), kBad, "9007199254740992", "9007199254740992", kBad,
     kBad},
    {"9007199254740993", "9007199254740993", I(9007199254740993), kBad, "9007199254740993", "9007199254740992", kBad,
     kBad},
    {"-9007199254740993", "-9007199254740993", I(-9007199254740993), kBad, "-9007199254740993", "-9007199254740992",
     kBad, kBad},
    {"9007199254740991.0", "9007199254740991.0", N(9007199254740991.0), kBad, "9007199254740991", "9007199254740991",
     kBad, kBad},
    {"9007199254740992.0", "9007199254740992.0", N(9007199254740992.0), kBad, kBad, "9007199254740992", kBad, kBad},
    {"9007199254740993.0", "9007199254740993.0", N(9007199254740992.0), kBad, kBad, "9007199254740992", kBad, kBad},
    {"-9007199254740992.0", "-9007199254740992.0", N(-9007199254740992.0), kBad, kBad, "-9007199254740992", kBad, kBad},
    {"1e15", "1e15", N(1e15), kBad, "1000000000000000", "1e+15", kBad, kBad},
    {"1e16", "1e16", N(1e16), kBad, kBad, "1e+16", kBad, kBad},
    // Around 64 bits.
    {"9223372036854775806", "9223372036854775806", I(9223372036854775806), kBad, "9223372036854775806",
     "9223372036854775808", kBad, kBad},
    {"9223372036854775807", "9223372036854775807", I(9223372036854775807), kBad, "9223372036854775807",
     "9223372036854775808", kBad, kBad},
    {"-9223372036854775808", "-9223372036854775808", I(INT64_MIN), kBad, "-9223372036854775808", "-9223372036854775808",
     kBad, kBad},
    {"-9223372036854775809", "-9223372036854775809", N(-9223372036854775808.0), kBad, kBad, "-9223372036854775808",
     kBad, kBad},
    {"9223372036854775808", "9223372036854775808", U(9223372036854775808U), kBad, kBad, "9223372036854775808", kBad,
     kBad},
    {"18446744073709551615", "18446744073709551615", U(18446744073709551615U), kBad, kBad, "18446744073709551616", kBad,
     kBad},
    {"18446744073709551616", "18446744073709551616", N(18446744073709551616.0), kBad, kBad, "18446744073709551616",
     kBad, kBad},
    {"99999999999999999999", "99999999999999999999", N(1e20), kBad, kBad, "1e+20", kBad, kBad},
    {"123456789012345678901234567890", "123456789012345678901234567890", N(123456789012345678901234567890.0), kBad,
     kBad, "1.2345678901234568e+29", kBad, kBad},
    {"12", "00000000000000000000000000000012", I(12), kBad, "12", "12", kBad, kBad},
    // The ends of double.
    {"1.7976931348623157e308", "1.7976931348623157e308", N(1.7976931348623157e308), kBad, kBad,
     "1.7976931348623157e+308", kBad, kBad},
    {"1e400", "1e400", N(kInfinity), kBad, kBad, "inf", kBad, kBad},
    {"-1e400", "-1e400", N(-kInfinity), kBad, kBad, "-inf", kBad, kBad},
    {"1e999999999999999999999", "1e999999999999999999999", N(kInfinity), kBad, kBad, "inf", kBad, kBad},
    {"0e999999999999999999999", "0e999999999999999999999", N(0), "false", "0", "0", kBad, kBad},
    {"2.2250738585072014e-308", "2.2250738585072014e-308", N(2.2250738585072014e-308), kBad, kBad,
     "2.2250738585072014e-308", kBad, kBad},
    {"2.2250738585072011e-308", "2.2250738585072011e-308", N(2.2250738585072011e-308), kBad, kBad,
     "2.225073858507201e-308", kBad, kBad},
    {"4.9406564584124654e-324", "4.9406564584124654e-324", N(4.9406564584124654e-324), kBad, kBad, "5e-324", kBad,
     kBad},
    {"5e-324", "5e-324", N(4.9406564584124654e-324), kBad, kBad, "5e-324", kBad, kBad},
    {"1e-400", "1e-400", N(0), "false", "0", "0", kBad, kBad},
    {"-1e-400", "-1e-400", N(-0.0), "false", "0", "-0.0", kBad, kBad},
    {"", "nan", N(__builtin_nan("")), kBad, kBad, "nan", kBad, kBad},
    {"", "NaN", N(__builtin_nan("")), kBad, kBad, "nan", kBad, kBad},
    {"", "inf", N(kInfinity), kBad, kBad, "inf", kBad, kBad},
    {"", "Infinity", N(kInfinity), kBad, kBad, "inf", kBad, kBad},
    {"", "-INF", N(-kInfinity), kBad, kBad, "-inf", kBad, kBad},
    {"", "+infinity", N(kInfinity), kBad, kBad, "inf", kBad, kBad},
    // Correct rounding with more digits than a double or 64 bits hold.
    {"0.1000000000000000055511151231257827021181583404541015625",
     "0.1000000000000000055511151231257827021181583404541015625", N(0.1), kBad, kBad, "0.1", kBad, kBad},
    {"9007199254740993.00000000000000000000001", "9007199254740993.00000000000000000000001", N(9007199254740994.0),
     kBad, kBad, "9007199254740994", kBad, kBad},
    {"1.00000000000000000000", "1.00000000000000000000", N(1), "true", "1", "1", kBad, kBad},
    {"0.00000000000000000000000000001", "0.00000000000000000000000000001", N(1e-29), kBad, kBad, "1e-29", kBad, kBad},
};

/// Texts that carry the type string. `csv` is empty, since CSV has only lexemes: see kLexemes.
inline const CellCase kTexts[] = {
    {R"("")", "", T(""), kBad, kBad, kBad, "''", kBad},
    {R"("abc")", "", T("abc"), kBad, kBad, kBad, "'abc'", kBad},
    {R"(" abc ")", "", T(" abc "), kBad, kBad, kBad, "' abc '", kBad},
    {R"("12")", "", T("12"), kBad, kBad, kBad, "'12'", kBad},
    {R"("1.5")", "", T("1.5"), kBad, kBad, kBad, "'1.5'", kBad},
    {R"("1,5")", "", T("1,5"), kBad, kBad, kBad, "'1,5'", kBad},
    {R"("0")", "", T("0"), kBad, kBad, kBad, "'0'", kBad},
    {R"("true")", "", T("true"), kBad, kBad, kBad, "'true'", kBad},
    {R"("NaN")", "", T("NaN"), kBad, kBad, kBad, "'NaN'", kBad},
    {R"("null")", "", T("null"), kBad, kBad, kBad, "'null'", kBad},
    {R"("a\nb")", "", T("a\nb"), kBad, kBad, kBad, "'a\nb'", kBad},
    {R"("a\"b")", "", T("a\"b"), kBad, kBad, kBad, "'a\"b'", kBad},
    {R"("\\ \/ \b\f\r\t")", "", T("\\ / \b\f\r\t"), kBad, kBad, kBad, "'\\ / \b\f\r\t'", kBad},
    {R"("\u00e9")", "", T("é"), kBad, kBad, kBad, "'é'", kBad},
    {R"("é")", "", T("é"), kBad, kBad, kBad, "'é'", kBad},
    {R"("\u20AC")", "", T("€"), kBad, kBad, kBad, "'€'", kBad},
    {R"("\ud83d\ude00")", "", T("😀"), kBad, kBad, kBad, "'😀'", kBad},
    {R"("日本語のテキスト、すこしながいもの")", "", T("日本語のテキスト、すこしながいもの"), kBad, kBad, kBad,
     "'日本語のテキスト、すこしながいもの'", kBad},
    {"", "", T("\xff"), kBad, kBad, kBad, kBad, kBad},
    {"", "", T("ab\xc3"), kBad, kBad, kBad, kBad, kBad},
    {"", "", T("\xed\xa0\x80"), kBad, kBad, kBad, kBad, kBad},
    {"", "", T("0123456789abcdef\xf8"), kBad, kBad, kBad, kBad, kBad},
    {R"("2013-07-04")", "", T("2013-07-04"), kBad, kBad, kBad, "'2013-07-04'", "2013-07-04T00:00:00Z"},
    {R"("2013-07-04T08:15:00Z")", "", T("2013-07-04T08:15:00Z"), kBad, kBad, kBad, "'2013-07-04T08:15:00Z'",
     "2013-07-04T08:15:00Z"},
    {R"(" 2013-07-04 ")", "", T(" 2013-07-04 "), kBad, kBad, kBad, "' 2013-07-04 '", "2013-07-04T00:00:00Z"},
};

/// Timestamps: in JSON the text in quotes, in CSV the text; a string column keeps it.
struct TimestampCase {
  std::string_view text;
  std::string_view outcome;
};
inline const TimestampCase kTimestamps[] = {
    {"1970-01-01", "1970-01-01T00:00:00Z"},
    {"0001-01-01", "0001-01-01T00:00:00Z"},
    {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
    {"0000-01-01", kBad},
    {"2013-07-04 08:15", "2013-07-04T08:15:00Z"},
    {"2013-07-04T08:15", "2013-07-04T08:15:00Z"},
    {"2013-07-04T08:15:30", "2013-07-04T08:15:30Z"},
    {"2013-07-04 08:15:30Z", "2013-07-04T08:15:30Z"},
    {"2013-07-04T08:15:30.5Z", "2013-07-04T08:15:30.500000Z"},
    {"2013-07-04T08:15:30.123456789", "2013-07-04T08:15:30.123456Z"},
    {"2013-07-04T08:15:30.9999999", "2013-07-04T08:15:30.999999Z"},
    {"1969-12-31T23:59:59.000001", "1969-12-31T23:59:59.000001Z"},
    {"2013-07-04T08:15:00+02:00", "2013-07-04T06:15:00Z"},
    {"2013-07-04T08:15:00+0200", "2013-07-04T06:15:00Z"},
    {"2013-07-04T08:15:00-05:30", "2013-07-04T13:45:00Z"},
    {"2013-07-04T08:15-05:30", "2013-07-04T13:45:00Z"},
    {"2013-01-01T00:00:00+14:00", "2012-12-31T10:00:00Z"},
    {"2013-07-04T08:15:00+00:00", "2013-07-04T08:15:00Z"},
    {"2012-02-29", "2012-02-29T00:00:00Z"},
    {"2000-02-29", "2000-02-29T00:00:00Z"},
    {"2013-02-29", kBad},
    {"1900-02-29", kBad},
    {"2013-02-30", kBad},
    {"2013-04-31", kBad},
    {"2013-12-31", "2013-12-31T00:00:00Z"},
    {"2013-12-32", kBad},
    {"2013-00-01", kBad},
    {"2013-13-01", kBad},
    {"2013-01-00", kBad},
    {"2016-12-31T23:59:60Z", kBad},
    {"2013-07-04T24:00:00", kBad},
    {"2013-07-04T23:60:00", kBad},
    {"2013-07-04T08:15:00+24:00", kBad},
    {"2013-07-04T08:15:00+02:60", kBad},
    {"2013-07-04T08:15:00+02", kBad},
    {"2013-07-04T08:15:00 Z", kBad},
    {"2013-07-04T08:15:00z", kBad},
    {"2013-07-04t08:15:00", kBad},
    {"2013-07-04T08:15:00.", kBad},
    {"2013-07-04T08:15:00.Z", kBad},
    {"2013-07-04T", kBad},
    {"2013-07-04T08", kBad},
    {"2013-07-04Z", kBad},
    {"2013-07-04T8:15:00", kBad},
    {"2013-7-4", kBad},
    {"13-07-04", kBad},
    {"04.07.2013", kBad},
    {"07/04/2013", kBad},
    {"2013/07/04", kBad},
    {"-2013-07-04", kBad},
    {"12013-07-04", kBad},
    {"2013-07-04T08:15:00ZZ", kBad},
    {"2013-07-04T08:15:00Zx", kBad},
    {"July 4, 2013", kBad},
    {"2013-07-04 08:15:00 America/New_York", kBad},
};

/// CSV cells that are no typed value; a lexeme in a direct call means the same.
inline const CellCase kLexemes[] = {
    {"", "abc", {}, kBad, kBad, kBad, "'abc'", kBad},
    {"", " abc ", {}, kBad, kBad, kBad, "' abc '", kBad},
    {"", "yes", {}, kBad, kBad, kBad, "'yes'", kBad},
    {"", "t", {}, kBad, kBad, kBad, "'t'", kBad},
    {"", "\"1,5\"", {}, kBad, kBad, kBad, "'1,5'", kBad},
    {"", "\"1,234.5\"", {}, kBad, kBad, kBad, "'1,234.5'", kBad},
    {"", "1.234.5", {}, kBad, kBad, kBad, "'1.234.5'", kBad},
    {"", "1 234", {}, kBad, kBad, kBad, "'1 234'", kBad},
    {"", "0x1F", {}, kBad, kBad, kBad, "'0x1F'", kBad},
    {"", "1_000", {}, kBad, kBad, kBad, "'1_000'", kBad},
    {"", "1e", {}, kBad, kBad, kBad, "'1e'", kBad},
    {"", "1e+", {}, kBad, kBad, kBad, "'1e+'", kBad},
    {"", "e5", {}, kBad, kBad, kBad, "'e5'", kBad},
    {"", ".", {}, kBad, kBad, kBad, "'.'", kBad},
    {"", "-", {}, kBad, kBad, kBad, "'-'", kBad},
    {"", "+", {}, kBad, kBad, kBad, "'+'", kBad},
    {"", "--1", {}, kBad, kBad, kBad, "'--1'", kBad},
    {"", "+-1", {}, kBad, kBad, kBad, "'+-1'", kBad},
    {"", "1-", {}, kBad, kBad, kBad, "'1-'", kBad},
    {"", "5%", {}, kBad, kBad, kBad, "'5%'", kBad},
    {"", "$5", {}, kBad, kBad, kBad, "'$5'", kBad},
    {"", "1f", {}, kBad, kBad, kBad, "'1f'", kBad},
    {"", "infinit", {}, kBad, kBad, kBad, "'infinit'", kBad},
    {"", "nano", {}, kBad, kBad, kBad, "'nano'", kBad},
    {"", "null", {}, kBad, kBad, kBad, "'null'", kBad},
    {"", " ", {}, kBad, kBad, kBad, "' '", kBad},
    {"", "\"\"", {}, "null", "null", "null", "''", "null"},
    {"", "\" \"", {}, kBad, kBad, kBad, "' '", kBad},
    {"", "\"a,b\"", {}, kBad, kBad, kBad, "'a,b'", kBad},
    {"", "\"a\"\"b\"", {}, kBad, kBad, kBad, "'a\"b'", kBad},
    {"", "\"a\nb\"", {}, kBad, kBad, kBad, "'a\nb'", kBad},
    {"", "\"a\r\nb\"", {}, kBad, kBad, kBad, "'a\r\nb'", kBad},
    {"", "a\"b", {}, kBad, kBad, kBad, "'a\"b'", kBad},
    {"", "é€😀", {}, kBad, kBad, kBad, "'é€😀'", kBad},
    {"", "\xff", {}, kBad, kBad, kBad, kBad, kBad},
    {"", "ab\xc3", {}, kBad, kBad, kBad, kBad, kBad},
    {"", "\xc0\x80", {}, kBad, kBad, kBad, kBad, kBad},
    {"", "２", {}, kBad, kBad, kBad, "'２'", kBad},
    {"", "١", {}, kBad, kBad, kBad, "'١'", kBad},
};

/// Typed cells that text has no notation of its own for.
inline const CellCase kDirect[] = {
    {"", "", S("2013-07-04T08:15:00Z"), kBad, kBad, kBad, kBad, "2013-07-04T08:15:00Z"},
    {"", "", S("1969-12-31T23:59:59Z"), kBad, kBad, kBad, kBad, "1969-12-31T23:59:59Z"},
    {R"({"a":1})", "", Cell::Other("an object"), kBad, kBad, kBad, kBad, kBad},
    {"{}", "", Cell::Other("an object"), kBad, kBad, kBad, kBad, kBad},
    {"[1]", "", {}, kBad, kBad, kBad, kBad, kBad},
    {"[]", "", {}, kBad, kBad, kBad, kBad, kBad},
    {"null", "", {}, "null", "null", "null", "null", "null"},
};

}  // namespace cell_cases

inline std::string OutcomeOf(const Decoded& decoded, int64_t row) {
  for (const Violation& violation : decoded.violations) {
    if (violation.row == row) return std::string(ViolationCodeName(violation.code).substr(sizeof "schema"));
  }
  const ColumnView column = decoded.table.columns[0].view();
  if (decoded.IsAbsent(0, row)) return "absent";
  if (!column.IsValid(row)) return "null";
  std::string text;
  switch (column.type) {
    case ScalarType::kBoolean:
      return column.booleans()[row] != 0 ? "true" : "false";
    case ScalarType::kInteger:
      return std::to_string(column.integers()[row]);
    case ScalarType::kString:
      return "'" + std::string(column.string(row)) + "'";
    case ScalarType::kTimestamp:
      AppendTimestamp(text, column.integers()[row]);
      return text;
    case ScalarType::kNumber:
      break;
  }
  const double value = column.numbers()[row];
  if (value == 0 && __builtin_signbit(value)) return "-0.0";
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

}  // namespace slipway::data
