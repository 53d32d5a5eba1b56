// features_conformance fits and runs feature steps outside the product, for comparison with scikit-learn.
//
//   features_conformance run TABLE.json CASES.json OUT   writes OUT/<case>.f64, .f32 (raw matrices) and .json (what was
//                                                        fitted, names)
//   features_conformance kinds                           the kinds of steps, a name a line
//   features_conformance time                            microseconds a record and nanoseconds a row of 40 steps
//
// TABLE is {"columns":[{"name","type","values":[…]}]}; CASES is
// [{"name","steps":[…],"target":NAME|null,"training":bool,"fit_rows":rows to learn from, by default all}].
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <vector>

#include "base/files.h"
#include "base/value.h"
#include "data/column.h"
#include "features/fit.h"
#include "features/pipeline.h"
#include "features/step.h"

namespace {

namespace base = slipway::base;
namespace data = slipway::data;
namespace features = slipway::features;
using base::Value;

struct Rows {
  std::vector<data::Field> fields;
  std::vector<data::Column> columns;
  int64_t rows = 0;
};

void Append(data::Column& column, const Value& cell) {
  if (cell.is_null()) return column.AppendNull();
  switch (column.type().scalar) {
    case data::ScalarType::kBoolean:
      return column.AppendBoolean(cell.boolean());
    case data::ScalarType::kInteger:
    case data::ScalarType::kTimestamp:
      return column.AppendInteger(cell.integer());
    case data::ScalarType::kNumber:
      return column.AppendNumber(cell.number());
    case data::ScalarType::kString:
      return column.AppendString(cell.string());
  }
}

base::Result<Rows> ReadTable(const std::string& path) {
  SLIPWAY_ASSIGN(const std::string text, base::ReadFile(path));
  SLIPWAY_ASSIGN(const Value table, base::ParseJson(text, {.bytes = size_t{1} << 30}));
  Rows result;
  for (const Value& column : table.Find("columns")->list()) {
    SLIPWAY_ASSIGN(const data::ScalarType type, data::ParseScalarType(column.Find("type")->string()));
    result.fields.push_back({.name = column.Find("name")->string(), .type = {type, {}}});
    data::Column& cells = result.columns.emplace_back(result.fields.back().type);
    for (const Value& cell : column.Find("values")->list()) Append(cells, cell);
    result.rows = cells.rows();
  }
  return result;
}

// A part of the table as columns of its own.
Rows Slice(const Rows& table, int64_t begin, int64_t rows) {
  Rows part{.fields = table.fields, .rows = rows};
  for (const data::Column& column : table.columns) {
    data::Column& cells = part.columns.emplace_back(column.type());
    for (int64_t r = begin; r < begin + rows; ++r) cells.AppendFrom(column, r);
  }
  return part;
}

std::vector<data::ColumnView> Views(const Rows& table) {
  std::vector<data::ColumnView> views;
  for (const data::Column& column : table.columns) views.push_back(column.view());
  return views;
}

std::vector<features::StepSpec> ReadSteps(const Value& list) {
  std::vector<features::StepSpec> steps;
  for (const Value& step : list.list()) steps.push_back({step});
  return steps;
}

constexpr int64_t kBatch = 1000;

std::vector<Rows> Batches(const Rows& table, int64_t rows) {
  std::vector<Rows> batches;
  for (int64_t begin = 0; begin < rows; begin += kBatch)
    batches.push_back(Slice(table, begin, std::min(kBatch, rows - begin)));
  return batches;
}

base::Result<Value> Fit(const std::vector<Rows>& batches, const Rows& table, std::span<const features::StepSpec> steps,
                        const std::string& target) {
  SLIPWAY_ASSIGN(features::Fitter fitter, features::Fitter::Create(table.fields, steps));
  const auto found = std::ranges::find(table.fields, target, &data::Field::name);
  for (bool more = true; more;) {
    for (const Rows& batch : batches) {
      const std::vector<data::ColumnView> views = Views(batch);
      const data::ColumnView* column =
          found == table.fields.end() ? nullptr : &views[static_cast<size_t>(found - table.fields.begin())];
      SLIPWAY_TRY(fitter.Add(views, batch.rows, column));
    }
    SLIPWAY_ASSIGN(more, fitter.EndPass());
  }
  return fitter.Learned();
}

template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

base::Result<void> RunCase(const std::vector<Rows>& batches, const Rows& table, const Value& item,
                           const std::filesystem::path& out) {
  const std::vector<features::StepSpec> steps = ReadSteps(*item.Find("steps"));
  const Value* target = item.Find("target");
  const bool training = item.Find("training") != nullptr && item.Find("training")->boolean();
  const Value* fit_rows = item.Find("fit_rows");
  const bool all = fit_rows == nullptr || fit_rows->integer() == table.rows;
  const std::vector<Rows> seen = all ? std::vector<Rows>() : Batches(table, fit_rows->integer());
  SLIPWAY_ASSIGN(const Value fitted, Fit(all ? batches : seen, table, steps,
                                         target == nullptr || target->is_null() ? "" : target->string()));
  SLIPWAY_ASSIGN(const Value reread, base::ParseJson(base::ToJson(fitted)));  // as fitted.json would bring it
  SLIPWAY_ASSIGN(const features::Pipeline pipeline, features::Pipeline::Compile(table.fields, steps, reread));
  std::vector<int> shown;
  int64_t width = 0;
  Value names = Value::List();
  for (size_t i = 0; i < pipeline.features().size(); ++i) {
    const features::Feature& feature = pipeline.features()[i];
    if (feature.hidden || feature.type == data::ScalarType::kString) continue;
    shown.push_back(static_cast<int>(i));
    width += feature.width;
    for (const std::string& column : feature.columns) names.Add(column);
  }
  std::vector<double> doubles(static_cast<size_t>(table.rows * width));
  std::vector<float> floats(doubles.size());
  features::PipelineWorkspace workspace;
  int64_t row = 0;
  for (const Rows& batch : batches) {
    const std::vector<data::ColumnView> views = Views(batch);
    if (training) pipeline.RunOnTrainingRows(views, batch.rows, row, workspace);
    if (!training) pipeline.Run(views, batch.rows, workspace);
    pipeline.WriteMatrix(shown, batch.rows, workspace, doubles.data() + row * width);
    pipeline.WriteMatrix(shown, batch.rows, workspace, floats.data() + row * width);
    row += batch.rows;
  }
  const std::string name = item.Find("name")->string();
  SLIPWAY_TRY(base::WriteFileAtomically(out / (name + ".f64"), BytesOf(doubles)));
  SLIPWAY_TRY(base::WriteFileAtomically(out / (name + ".f32"), BytesOf(floats)));
  return base::WriteFileAtomically(out / (name + ".json"),
                                   base::ToJson(Value::Map().Set("columns", names).Set("fitted", fitted)));
}

base::Result<void> RunCases(const std::string& table_path, const std::string& cases_path, const std::string& out) {
  SLIPWAY_ASSIGN(const Rows table, ReadTable(table_path));
  const std::vector<Rows> batches = Batches(table, table.rows);
  SLIPWAY_ASSIGN(const std::string text, base::ReadFile(cases_path));
  SLIPWAY_ASSIGN(const Value cases, base::ParseJson(text));
  for (const Value& item : cases.list()) {
    const auto done = RunCase(batches, table, item, out);
    if (!done) fmt::print("{}: {}: {}\n", item.Find("name")->string(), done.error().reason, done.error().Text());
  }
  return {};
}

base::Result<void> PrintKinds() {
  for (const features::StepKind& kind : features::StepKinds()) fmt::print("{}\n", kind.name);
  return {};
}

// ---- time
// ------------------------------------------------------------------------------------------------------------

// 4,096 distinct rows, as unlike a loop over one record as a service is.
Rows MadeUpRows() {
  Rows table{.rows = 4096};
  const auto add = [&](std::string name, data::ScalarType type) -> data::Column& {
    table.fields.push_back({.name = std::move(name), .type = {type, {}}});
    return table.columns.emplace_back(table.fields.back().type);
  };
  static const char* const kCarriers[] = {"AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA",
                                          "MQ", "OO", "UA", "US", "VX", "WN", "YV", "9E"};
  table.columns.reserve(16);
  uint64_t state = 1;
  const auto random = [&] { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 33; };
  for (int i = 0; i < 8; ++i) {
    data::Column& column = add(fmt::format("x{}", i), data::ScalarType::kNumber);
    for (int r = 0; r < 4096; ++r) {
      if (random() % 50 == 0)
        column.AppendNull();
      else
        column.AppendNumber(static_cast<double>(random() % 100000) / 37);
    }
  }
  for (int i = 0; i < 3; ++i) {
    data::Column& column = add(fmt::format("c{}", i), data::ScalarType::kString);
    for (int r = 0; r < 4096; ++r) column.AppendString(kCarriers[random() % 16]);
  }
  data::Column& hour = add("hour", data::ScalarType::kInteger);
  for (int r = 0; r < 4096; ++r) hour.AppendInteger(static_cast<int64_t>(random() % 24));
  data::Column& at = add("at", data::ScalarType::kTimestamp);
  for (int r = 0; r < 4096; ++r)
    at.AppendInteger(1'356'998'400'000'000 + static_cast<int64_t>(random() % 31'536'000) * 1'000'000);
  data::Column& late = add("late", data::ScalarType::kBoolean);
  for (int r = 0; r < 4096; ++r) late.AppendBoolean(random() % 4 == 0);
  return table;
}

// Forty steps, most of them reading another: what a rich tabular model has.
std::string FortySteps() {
  std::string steps = "[";
  for (int i = 0; i < 8; ++i) {
    steps +=
        fmt::format(R"({{"as":"f{0}","impute":"x{0}","strategy":"median"}},{{"as":"z{0}","standardize":"f{0}"}},)", i);
  }
  for (int i = 0; i < 4; ++i) {
    steps += fmt::format(R"({{"as":"k{0}","clip":"z{0}","min":-3,"max":3}},{{"as":"l{0}","log1p":"f{0}"}},)", i);
    steps += fmt::format(R"j({{"as":"e{0}","expr":"if(z{0} > 0.5, z{0} * 2, f{0} / 100)"}},)j", i);
  }
  for (int i = 0; i < 3; ++i) {
    steps += fmt::format(
        R"({{"as":"h{0}","one_hot":"c{0}"}},{{"as":"t{0}","target_encode":"c{0}"}},{{"as":"o{0}","ordinal":"c{0}"}},)",
        i);
  }
  return steps +
         R"({"as":"cycle","cyclical":"hour","period":24},{"as":"parts","date_parts":"at","parts":["month","day_of_week"]},)" +
         R"({"as":"bins","bucketize":"f7","edges":[100,500,1000,2000]}])";
}

// Processor time of this thread: a busy machine stretches it less than the clock on the wall.
double CpuNanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

base::Result<void> Time() {
  const Rows table = MadeUpRows();
  const std::vector<Rows> whole{Slice(table, 0, table.rows)};
  SLIPWAY_ASSIGN(const Value written, base::ParseJson(FortySteps()));
  const std::vector<features::StepSpec> steps = ReadSteps(written);
  SLIPWAY_ASSIGN(const Value fitted, Fit(whole, table, steps, "late"));
  SLIPWAY_ASSIGN(const features::Pipeline pipeline, features::Pipeline::Compile(table.fields, steps, fitted));
  std::vector<int> all;
  int64_t width = 0;
  for (size_t i = 0; i < pipeline.features().size(); ++i) {
    all.push_back(static_cast<int>(i));
    width += pipeline.features()[i].width;
  }
  std::vector<Rows> records;
  std::vector<std::vector<data::ColumnView>> views;
  for (int64_t r = 0; r < table.rows; ++r) records.push_back(Slice(table, r, 1));
  for (const Rows& record : records) views.push_back(Views(record));
  features::PipelineWorkspace single, batch;
  std::vector<float> matrix(static_cast<size_t>(table.rows * width));
  const auto measure = [](int64_t rounds, int64_t units, auto run) {
    std::vector<double> nanoseconds;
    for (int64_t i = 0; i < rounds; ++i) {
      const double begin = CpuNanoseconds();
      run();
      nanoseconds.push_back((CpuNanoseconds() - begin) / static_cast<double>(units));
    }
    std::ranges::sort(nanoseconds);
    return nanoseconds[nanoseconds.size() / 2];
  };
  const double one = measure(41, table.rows, [&] {
    for (const auto& view : views) {
      pipeline.Run(view, 1, single);
      pipeline.WriteMatrix(all, 1, single, matrix.data());
    }
  });
  const std::vector<data::ColumnView> together = Views(table);
  const auto run_batch = [&](int64_t size) {
    return measure(41, table.rows, [&] {
      for (int64_t begin = 0; begin < table.rows; begin += size) {
        pipeline.Run(together, size, batch);
        pipeline.WriteMatrix(all, size, batch, matrix.data());
      }
    });
  };
  fmt::print("{} steps, {} columns: {:.2f} us a record; {:.0f} ns a row in batches of 4096, {:.0f} in batches of 256\n",
             steps.size(), width, one / 1000, run_batch(4096), run_batch(256));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  base::Result<void> done = base::Fail(base::Code::kInvalidArgument, "usage",
                                       "features_conformance run TABLE.json CASES.json OUT | kinds | time");
  if (mode == "run" && argc == 5) done = RunCases(argv[2], argv[3], argv[4]);
  if (mode == "kinds") done = PrintKinds();
  if (mode == "time") done = Time();
  if (!done) fmt::print(stderr, "{}\n", done.error().Text());
  return done ? 0 : 1;
}
