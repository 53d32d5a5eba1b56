// text: free text to counts, tf-idf weights or hashed counts of its words or character n-grams, or to a folded text.
// Twins: CountVectorizer, TfidfVectorizer, HashingVectorizer.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "features/learn/category_index.h"
#include "features/learn/murmur.h"
#include "features/learn/tokenizer.h"
#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;
using base::Value;
using data::ScalarType;

constexpr size_t kMaxTextBytes = size_t{1} << 30;

enum class Norm : uint8_t { kNone, kL1, kL2 };

struct Limits {
  int64_t min_count = 1, max_count = INT64_MAX;  // documents
  double min_share = 0, max_share = 1;           // of the documents
  int64_t max_features = 0;                      // 0: no limit
};

// Counts in how many texts and how often each n-gram occurs.
class VocabularyLearner final : public Learner {
 public:
  VocabularyLearner(int slot, std::string name, Tokenizer tokenizer, Limits limits, int64_t max_vocabulary)
      : slot_(slot),
        name_(std::move(name)),
        tokenizer_(std::move(tokenizer)),
        limits_(limits),
        max_vocabulary_(max_vocabulary),
        index_(ScalarType::kString) {}

  Result<void> Add(const Frame& frame, const double*) override {
    const data::ColumnView& view = frame.view(slot_);
    for (int64_t r = 0; r < frame.rows; ++r) {
      ++documents_;
      if (!view.IsValid(r)) continue;
      tokenizer_.ForEach(view.string(r), memory_, [this](std::string_view gram) {
        if (index_.size() > max_vocabulary_ || index_.text_bytes() > kMaxTextBytes) return;
        const auto id = static_cast<size_t>(index_.FindOrAddText(gram));
        if (id == terms_.size()) terms_.push_back({});
        Term& term = terms_[id];
        ++term.occurrences;
        if (term.last_document != documents_) ++term.documents;
        term.last_document = documents_;
      });
      if (index_.size() <= max_vocabulary_ && index_.text_bytes() <= kMaxTextBytes) continue;
      return base::Fail(
          base::Code::kResourceExhausted, "features.vocabulary_limit",
          fmt::format("\"{}\" has more than {} distinct words or n-grams; shorten `ngrams`, or use output: hashing",
                      name_, max_vocabulary_));
    }
    return {};
  }

  Result<Value> Finish() override {
    std::vector<int64_t> kept;
    const auto n = static_cast<double>(documents_);
    for (const int64_t id : index_.Sorted()) {
      const auto documents = terms_[static_cast<size_t>(id)].documents;
      const auto share = static_cast<double>(documents);
      if (documents < limits_.min_count || documents > limits_.max_count) continue;
      if (share < limits_.min_share * n || share > limits_.max_share * n) continue;
      kept.push_back(id);
    }
    if (limits_.max_features > 0 && static_cast<int64_t>(kept.size()) > limits_.max_features) {
      std::vector<int64_t> by_count = kept;
      std::ranges::stable_sort(by_count, std::greater(),
                               [this](int64_t id) { return terms_[static_cast<size_t>(id)].occurrences; });
      by_count.resize(static_cast<size_t>(limits_.max_features));
      std::vector<bool> chosen(terms_.size());
      for (const int64_t id : by_count) chosen[static_cast<size_t>(id)] = true;
      std::erase_if(kept, [&](int64_t id) { return !chosen[static_cast<size_t>(id)]; });
    }
    if (kept.empty()) {
      return base::Fail(
          base::Code::kInvalidArgument, "features.nothing_learned",
          fmt::format("no word of \"{}\" is left to learn; check the data, min_frequency and max_frequency", name_));
    }
    Value terms = Value::List(), counts = Value::List();
    for (const int64_t id : kept) {
      terms.Add(index_.Key(id));
      counts.Add(terms_[static_cast<size_t>(id)].documents);
    }
    return Value::Map().Set("rows", documents_).Set("terms", std::move(terms)).Set("documents", std::move(counts));
  }

 private:
  struct Term {
    int64_t documents = 0, occurrences = 0, last_document = 0;
  };
  int slot_;
  std::string name_;
  Tokenizer tokenizer_;
  Limits limits_;
  int64_t max_vocabulary_;
  CategoryIndex index_;
  std::vector<Term> terms_;
  int64_t documents_ = 0;
  TextMemory memory_;
};

// What happens to the counts of one row.
struct Weighting {
  bool binary = false, sublinear = false;
  std::vector<double> idf;  // by column; empty: none
  Norm norm = Norm::kNone;

  void Apply(double* row, size_t width) const {
    double sum = 0;
    for (size_t i = 0; i < width; ++i) {
      double& x = row[i];
      if (x == 0) continue;
      if (binary) x = 1;
      if (sublinear) x = std::log(x) + 1;
      if (!idf.empty()) x *= idf[i];
      sum += norm == Norm::kL2 ? x * x : std::fabs(x);
    }
    if (norm == Norm::kNone || sum == 0) return;
    const double length = norm == Norm::kL2 ? std::sqrt(sum) : sum;
    for (size_t i = 0; i < width; ++i) row[i] /= length;
  }
};

struct TextWiring {
  int slot, memory, out;
  size_t width;
};

class VocabularyKernel final : public Kernel {
 public:
  VocabularyKernel(TextWiring wiring, Tokenizer tokenizer, CategoryIndex index, Weighting weighting)
      : wiring_(wiring), tokenizer_(std::move(tokenizer)), index_(std::move(index)), weighting_(std::move(weighting)) {}
  void Run(Frame& frame) const override {
    const data::ColumnView& view = frame.view(wiring_.slot);
    double* row = frame.block(wiring_.out);
    for (int64_t r = 0; r < frame.rows; ++r, row += wiring_.width) {
      std::fill_n(row, wiring_.width, 0.0);
      if (!view.IsValid(r)) continue;
      tokenizer_.ForEach(view.string(r), frame.text_memory[wiring_.memory], [&](std::string_view gram) {
        const int64_t id = index_.FindText(gram);
        if (id >= 0) row[id] += 1;
      });
      weighting_.Apply(row, wiring_.width);
    }
  }

 private:
  TextWiring wiring_;
  Tokenizer tokenizer_;
  CategoryIndex index_;
  Weighting weighting_;
};

class HashingKernel final : public Kernel {
 public:
  HashingKernel(TextWiring wiring, Tokenizer tokenizer, bool is_signed, Weighting weighting)
      : wiring_(wiring), tokenizer_(std::move(tokenizer)), signed_(is_signed), weighting_(std::move(weighting)) {}
  void Run(Frame& frame) const override {
    const data::ColumnView& view = frame.view(wiring_.slot);
    double* row = frame.block(wiring_.out);
    const auto buckets = static_cast<int64_t>(wiring_.width);
    for (int64_t r = 0; r < frame.rows; ++r, row += wiring_.width) {
      std::fill_n(row, wiring_.width, 0.0);
      if (!view.IsValid(r)) continue;
      tokenizer_.ForEach(view.string(r), frame.text_memory[wiring_.memory], [&](std::string_view gram) {
        const int32_t hash = Murmur3(gram);
        row[MurmurBucket(hash, buckets)] += signed_ && hash < 0 ? -1 : 1;
      });
      weighting_.Apply(row, wiring_.width);
    }
  }

 private:
  TextWiring wiring_;
  Tokenizer tokenizer_;
  bool signed_;
  Weighting weighting_;
};

class FoldKernel final : public Kernel {
 public:
  FoldKernel(int slot, int memory, int text, int out, Tokenizer tokenizer)
      : slot_(slot), memory_(memory), text_(text), out_(out), tokenizer_(std::move(tokenizer)) {}
  void Run(Frame& frame) const override {
    const data::ColumnView view = frame.view(slot_);
    data::Column& out = frame.columns[text_];
    out.Clear();
    for (int64_t r = 0; r < frame.rows; ++r) {
      if (view.IsValid(r)) out.AppendString(tokenizer_.Fold(view.string(r), frame.text_memory[memory_]));
      if (!view.IsValid(r)) out.AppendNull();
    }
    frame.views[out_] = out.view();
  }

 private:
  int slot_, memory_, text_, out_;
  Tokenizer tokenizer_;
};

class Text final : public Step {
 public:
  explicit Text(StepReader& reader)
      : inputs_(reader.Inputs(1, 1)),
        output_(reader.Choice("output", {"tfidf", "count", "hashing", "text"})),
        tokens_(ReadTokens(reader, output_)) {
    if (output_ == "text") return;
    weighting_.binary = reader.Boolean("binary", false);
    const bool plain = output_ == "count";
    const std::string norm =
        plain ? reader.Choice("norm", {"none", "l1", "l2"}) : reader.Choice("norm", {"l2", "l1", "none"});
    weighting_.norm = norm == "none" ? Norm::kNone : norm == "l1" ? Norm::kL1 : Norm::kL2;
    if (output_ == "hashing") {
      buckets_ = reader.Integer("buckets", 0, 1, kMaxWidth);
      if (buckets_ == 0) reader.Reject("buckets", "text: output: hashing needs `buckets`, e.g. buckets: 1024");
      signed_ = reader.Boolean("signed", true);
      return;
    }
    if (output_ == "tfidf") {
      weighting_.sublinear = reader.Boolean("sublinear", false);
      smooth_ = reader.Boolean("smooth", true);
    }
    limits_.max_features = reader.Integer("max_features", 0, 1, kMaxWidth);
    ReadFrequency(reader, "min_frequency", limits_.min_count, limits_.min_share);
    ReadFrequency(reader, "max_frequency", limits_.max_count, limits_.max_share);
  }
  bool learns() const override { return output_ == "tfidf" || output_ == "count"; }
  const std::vector<std::string>& inputs() const override { return inputs_; }

  Result<Shape> Check(std::span<const Input> inputs, const InReach&) const override {
    if (inputs[0].type != ScalarType::kString || inputs[0].width != 1) return WrongInput(inputs[0], "text");
    if (output_ == "text") return Shape{ScalarType::kString, 1};
    return Shape{ScalarType::kNumber, learns() ? -1 : buckets_};
  }

  Result<std::unique_ptr<Learner>> Learn(StepPlan& plan, const FitOptions& options) const override {
    return std::make_unique<VocabularyLearner>(plan.inputs()[0].slot, plan.inputs()[0].name, Tokenizer(tokens_),
                                               limits_, options.max_vocabulary);
  }

  Result<void> Compile(StepPlan& plan) const override {
    const int slot = plan.inputs()[0].slot;
    if (output_ == "text") {
      const int text = plan.AddColumn(ScalarType::kString);
      const int out = plan.AddView();
      plan.AddKernel(std::make_unique<FoldKernel>(slot, plan.AddTextMemory(), text, out, Tokenizer(tokens_)));
      plan.Yield(out, ScalarType::kString);
      return {};
    }
    std::vector<std::string> suffixes;
    if (output_ == "hashing") {
      for (int64_t i = 0; buckets_ > 1 && i < buckets_; ++i) suffixes.push_back(fmt::format(".{}", i));
      const TextWiring wiring = Wire(plan, static_cast<size_t>(buckets_));
      plan.AddKernel(std::make_unique<HashingKernel>(wiring, Tokenizer(tokens_), signed_, weighting_));
      plan.Yield(wiring.out, ScalarType::kNumber, std::move(suffixes));
      return {};
    }
    CategoryIndex index(ScalarType::kString);
    Weighting weighting = weighting_;
    SLIPWAY_TRY(ReadVocabulary(plan, index, weighting));
    for (int64_t id = 0; id < index.size(); ++id) suffixes.push_back("=" + index.KeyText(id));
    const TextWiring wiring = Wire(plan, suffixes.size());
    plan.AddKernel(
        std::make_unique<VocabularyKernel>(wiring, Tokenizer(tokens_), std::move(index), std::move(weighting)));
    plan.Yield(wiring.out, ScalarType::kNumber, std::move(suffixes));
    return {};
  }

 private:
  static TokenOptions ReadTokens(StepReader& reader, const std::string& output) {
    TokenOptions options;
    options.lowercase = reader.Boolean("lowercase", true);
    options.trim = reader.Boolean("trim", false);
    if (output == "text") return options;
    const std::string unit = reader.Choice("analyzer", {"word", "char", "char_wb"});
    options.unit = unit == "word"   ? TokenOptions::Unit::kWord
                   : unit == "char" ? TokenOptions::Unit::kCharacter
                                    : TokenOptions::Unit::kCharacterInWord;
    const auto range = reader.Numbers("ngrams").value_or(std::vector<double>{1, 1});
    const bool fits = range.size() == 2 && range[0] >= 1 && range[0] <= range[1] && range[1] <= 16 &&
                      std::floor(range[0]) == range[0] && std::floor(range[1]) == range[1];
    if (!fits)
      reader.Reject("ngrams",
                    "text: `ngrams` is not a shortest and a longest length up to 16; write e.g. ngrams: [1, 2]");
    if (fits) options.shortest = static_cast<int64_t>(range[0]);
    if (fits) options.longest = static_cast<int64_t>(range[1]);
    options.word_length = reader.Integer("word_length", 2, 1, 64);
    options.stop_words = reader.Texts("stop_words").value_or(std::vector<std::string>{});
    if (!options.stop_words.empty() && unit != "word")
      reader.Reject("stop_words", "text: `stop_words` go with analyzer: word");
    std::ranges::sort(options.stop_words);
    return options;
  }

  // A whole number is a number of texts, any other a share of them.
  static void ReadFrequency(StepReader& reader, std::string_view key, int64_t& count, double& share) {
    const Value* value = reader.Find(key);
    if (value != nullptr && value->is_integer())
      count = reader.Integer(key, 1, 1, INT64_MAX);
    else
      share = reader.NumberIn(key, share, 0, 1);
  }

  TextWiring Wire(StepPlan& plan, size_t width) const {
    return {plan.inputs()[0].slot, plan.AddTextMemory(), plan.AddBlock(static_cast<int64_t>(width)), width};
  }

  Result<void> ReadVocabulary(StepPlan& plan, CategoryIndex& index, Weighting& weighting) const {
    LearnedReader& learned = plan.learned();
    for (const Value& term : learned.List("terms")) {
      if (!index.AddKey(term)) learned.Reject("terms", "holds something that is no text, or a term twice");
    }
    const std::vector<int64_t> documents = learned.Integers("documents", index.size());
    const int64_t rows = learned.Integer("rows", 0, INT64_MAX);
    if (index.size() == 0) learned.Reject("terms", "is empty");
    SLIPWAY_TRY(learned.Finish());
    if (index.size() > kMaxWidth) {
      return std::unexpected(plan.Fault(
          "features.limit", fmt::format("feature \"{}\" has {} terms; at most {} get a column: set max_features, "
                                        "or use output: hashing",
                                        plan.as(), index.size(), kMaxWidth)));
    }
    if (output_ != "tfidf") return {};
    for (const int64_t count : documents) {
      const double more = smooth_ ? 1 : 0;
      weighting.idf.push_back(std::log((static_cast<double>(rows) + more) / (static_cast<double>(count) + more)) + 1);
    }
    return {};
  }

  std::vector<std::string> inputs_;
  std::string output_;
  TokenOptions tokens_;
  Weighting weighting_;
  Limits limits_;
  int64_t buckets_ = 0;
  bool signed_ = true, smooth_ = true;
};

}  // namespace

ParsedStep ParseText(StepReader& reader) {
  return std::make_unique<Text>(reader);
}

}  // namespace slipway::features
