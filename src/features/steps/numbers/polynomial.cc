// interaction, polynomial: products of inputs. Twin: PolynomialFeatures (interaction: interaction_only, no bias, degree
// from 2 on).

#include <fmt/format.h>

#include <algorithm>

#include "features/steps/steps.h"

namespace slipway::features {
namespace {

using base::Result;

// A product: an earlier term (-1: one) times an input (-1: one).
struct Term {
  int32_t rest = -1;
  int32_t input = -1;
  std::vector<int32_t> powers;  // the inputs multiplied, ascending
};

struct Terms {
  std::vector<Term> all;
  int64_t first_shown = 0;  // terms before it only serve later ones
};

// The order and the multiplications of scikit-learn: terms of one degree after the other; a term is its first input
// times the rest.
class TermList {
 public:
  TermList(int32_t inputs, int64_t degree, bool interaction_only, int64_t limit)
      : inputs_(inputs), only_(interaction_only), limit_(limit) {
    for (int32_t i = 0; i < inputs; ++i) terms_.push_back({-1, i, {i}});
    size_t begin = 0;
    for (int64_t d = 2; d <= degree && !too_many(); ++d) {
      const size_t end = terms_.size();
      AddDegree(begin, end);
      begin = end;
    }
  }
  bool too_many() const { return static_cast<int64_t>(terms_.size()) > limit_; }
  std::vector<Term> Take() && { return std::move(terms_); }

 private:
  void AddDegree(size_t begin, size_t end) {
    for (int32_t i = 0; i < inputs_; ++i) {
      for (size_t rest = begin; rest < end; ++rest) {
        const int32_t first = terms_[rest].powers.front();
        if (first < i || (only_ && first == i)) continue;
        Term term{static_cast<int32_t>(rest), i, {i}};
        term.powers.insert(term.powers.end(), terms_[rest].powers.begin(), terms_[rest].powers.end());
        terms_.push_back(std::move(term));
        if (too_many()) return;
      }
    }
  }

  int32_t inputs_;
  bool only_;
  int64_t limit_;
  std::vector<Term> terms_;
};

class ProductKernel final : public Kernel {
 public:
  /// `scratch` takes all products, `out` those from `hidden` on.
  ProductKernel(const std::vector<Stream>& in, const std::vector<Term>& products, int scratch, int out, int64_t hidden,
                bool bias)
      : scratch_(scratch), terms_(std::ssize(products)), out_(out), hidden_(hidden), bias_(bias) {
    for (const Stream& stream : in) in_.push_back(stream.id);
    for (const Term& term : products) products_.push_back({term.rest, term.input});
  }

  void Run(Frame& frame) const override {
    double* out = frame.block(out_);
    double* scratch = frame.block(scratch_);
    for (int64_t r = 0; r < frame.rows; ++r) {
      double* row = scratch + r * terms_;
      for (size_t t = 0; t < products_.size(); ++t) {
        const double x = frame.numbers(in_[static_cast<size_t>(products_[t].second)])[r];
        row[t] = products_[t].first < 0 ? x : row[products_[t].first] * x;
      }
      if (bias_) *out++ = 1;
      out = std::copy(row + hidden_, row + terms_, out);
    }
  }

 private:
  std::vector<int> in_;
  int scratch_;
  int64_t terms_;
  int out_;
  int64_t hidden_;
  bool bias_;
  std::vector<std::pair<int32_t, int32_t>> products_;
};

class Products final : public NumericStep {
 public:
  Products(StepReader& reader, bool interaction)
      : NumericStep(reader.Inputs()),
        interaction_(interaction),
        degree_(reader.Integer("degree", 2, interaction ? 2 : 1, 16)) {
    interaction_only_ = interaction || reader.Boolean("interaction_only", false);
    bias_ = !interaction && reader.Boolean("include_bias", true);
  }

  Result<Shape> Check(std::span<const Input> inputs, const InReach& visible) const override {
    SLIPWAY_ASSIGN(const Shape shape, NumericStep::Check(inputs, visible));
    if (shape.width < 0) return shape;
    if (interaction_ && shape.width < 2) return WrongInput(inputs[0], "two numbers a row or more, to multiply them");
    TermList list(static_cast<int32_t>(shape.width), degree_, interaction_only_, kMaxWidth);
    if (list.too_many()) {
      return base::Fail(base::Code::kInvalidArgument, "features.limit",
                        fmt::format("{} inputs of degree {} make more than {} products; lower the degree", shape.width,
                                    degree_, kMaxWidth));
    }
    const auto terms = static_cast<int64_t>(std::move(list).Take().size());
    return Shape{data::ScalarType::kNumber, terms - (interaction_ ? shape.width : 0) + (bias_ ? 1 : 0)};
  }

  Result<void> Compile(StepPlan& plan) const override {
    const std::vector<Stream>& streams = plan.streams();
    const auto inputs = static_cast<int32_t>(streams.size());
    const std::vector<Term> terms = TermList(inputs, degree_, interaction_only_, kMaxWidth).Take();
    const auto count = static_cast<int64_t>(terms.size());
    const int64_t hidden = interaction_ ? inputs : 0;
    std::vector<std::string> suffixes;
    if (bias_) suffixes.push_back(".1");
    for (int64_t t = hidden; t < count; ++t) suffixes.push_back("." + NameOf(terms[static_cast<size_t>(t)], streams));
    const auto width = static_cast<int64_t>(suffixes.size());
    const int scratch = plan.AddBlock(count);
    const int slot = plan.AddBlock(width);
    plan.AddKernel(std::make_unique<ProductKernel>(streams, terms, scratch, slot, hidden, bias_));
    if (width == 1) suffixes.clear();
    plan.Yield(slot, data::ScalarType::kNumber, std::move(suffixes));
    return {};
  }

 private:
  // "a^2*b"
  static std::string NameOf(const Term& term, const std::vector<Stream>& streams) {
    std::string name;
    for (size_t i = 0; i < term.powers.size();) {
      size_t end = i;
      while (end < term.powers.size() && term.powers[end] == term.powers[i]) ++end;
      if (!name.empty()) name += '*';
      name += streams[static_cast<size_t>(term.powers[i])].name;
      if (end - i > 1) name += fmt::format("^{}", end - i);
      i = end;
    }
    return name;
  }

  bool interaction_;
  int64_t degree_;
  bool interaction_only_, bias_;
};

}  // namespace

ParsedStep ParseInteraction(StepReader& reader) {
  return std::make_unique<Products>(reader, true);
}
ParsedStep ParsePolynomial(StepReader& reader) {
  return std::make_unique<Products>(reader, false);
}

}  // namespace slipway::features
