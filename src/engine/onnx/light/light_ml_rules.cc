// What operators of ai.onnx.ml and of text give, and that their attributes fit each other: lists of one length, places
// within what they point into, trees no deeper than a stack.
#include <array>
#include <string>
#include <utility>

#include "engine/onnx/light/light_rules.h"

namespace slipway::engine::onnx {

namespace {

using Kind = Dimension::Kind;

/// ONNX Runtime builds a tree by recursion; 10,000 levels take about 1 MiB of its stack.
constexpr int64_t kMostTreeDepth = 10'000;
constexpr int64_t kMostClasses = 1'000;
constexpr int64_t kStepsOfAKernel = 4;  // an exponential, a power: for each element of a support vector

/// Rows and features of the input that ai.onnx.ml's models take: a matrix, or one row.
struct Table {
  Dimension rows;
  int64_t features = 0;
};

std::optional<Table> TableOf(const KnownTensor* x) {
  if (x == nullptr || x->shape.empty() || x->shape.size() > 2 || !x->shape.back().exact()) return std::nullopt;
  return Table{x->shape.size() == 2 ? x->shape[0] : Dimension(), x->shape.back().most};
}

int64_t Floats(const KnownNode& node, std::string_view name) {
  const KnownAttribute* attribute = node.Find(name);
  return attribute == nullptr ? 0 : attribute->floats;
}

int64_t Texts(const KnownNode& node, std::string_view name) {
  const KnownAttribute* attribute = node.Find(name);
  return attribute == nullptr ? 0 : attribute->texts;
}

int64_t IntegerCount(const KnownNode& node, std::string_view name) {
  const KnownAttribute* attribute = node.Find(name);
  return attribute == nullptr ? 0 : attribute->integers;
}

std::vector<int64_t> Integers(const KnownNode& node, std::string_view name) {
  const KnownAttribute* attribute = node.Find(name);
  return attribute == nullptr ? std::vector<int64_t>() : attribute->Integers();
}

/// Floats, or those of the tensor "…_as_tensor" that models in double precision have instead.
int64_t Numbers(const KnownNode& node, const std::string& name) {
  const KnownAttribute* tensor = node.Find(name + "_as_tensor");
  if (tensor == nullptr) return Floats(node, name);
  const auto known = ReadKnownTensor(tensor->tensor);
  return known && Floats(node, name) == 0 ? MostElements(known->shape) : -1;
}

int64_t Sum(const std::vector<int64_t>& values) {
  int64_t sum = 0;
  for (int64_t value : values) {
    if (value < 0 || __builtin_add_overflow(sum, value, &sum)) return -1;
  }
  return sum;
}

/// Labels of a classifier, of whichever type.
struct Labels {
  int64_t count = 0, type = kInt64Element;
};

Labels LabelsOf(const KnownNode& node, std::string_view integers) {
  const int64_t texts = Texts(node, "classlabels_strings"), numbers = IntegerCount(node, integers);
  if (texts > 0 && numbers > 0) return {0, kInt64Element};
  return texts > 0 ? Labels{texts, kStringElement} : Labels{numbers, kInt64Element};
}

bool OneOrAll(int64_t count, int64_t all) {
  return count == 1 || count == all;
}

bool Scaler(LightNode& node) {
  const auto table = TableOf(node.input(0));
  return table && OneOrAll(Floats(node.node(), "scale"), table->features) &&
         OneOrAll(Floats(node.node(), "offset"), table->features) && node.Give(0, kFloatElement, node.input(0)->shape);
}

bool Imputer(LightNode& node) {
  const auto table = TableOf(node.input(0));
  const int64_t values =
      Floats(node.node(), "imputed_value_floats") + IntegerCount(node.node(), "imputed_value_int64s");
  return table && OneOrAll(values, table->features) && node.Give(0, node.input(0)->type, node.input(0)->shape);
}

bool Normalizer(LightNode& node) {
  return TableOf(node.input(0)) && node.Give(0, kFloatElement, node.input(0)->shape);
}

bool Binarizer(LightNode& node) {
  return node.input(0) != nullptr && node.Give(0, node.input(0)->type, node.input(0)->shape);
}

bool OneHotEncoder(LightNode& node) {
  const KnownTensor* x = node.input(0);
  const int64_t texts = Texts(node.node(), "cats_strings"), numbers = IntegerCount(node.node(), "cats_int64s");
  if (x == nullptr || (texts > 0) == (numbers > 0)) return false;
  Dimensions shape = x->shape;
  shape.push_back({texts + numbers, Kind::kExact});
  return node.Give(0, kFloatElement, std::move(shape));
}

bool LabelEncoder(LightNode& node) {
  const KnownTensor* x = node.input(0);
  if (x == nullptr) return false;
  const KnownNode& own = node.node();
  if (Texts(own, "classes_strings") > 0) {  // the first version: either way between places and texts
    return node.Give(0, x->type == kStringElement ? kInt64Element : kStringElement, x->shape);
  }
  const int64_t keys = Floats(own, "keys_floats") + IntegerCount(own, "keys_int64s") + Texts(own, "keys_strings");
  const int64_t floats = Floats(own, "values_floats"), integers = IntegerCount(own, "values_int64s");
  const int64_t texts = Texts(own, "values_strings");
  const int64_t type = floats > 0 ? kFloatElement : integers > 0 ? kInt64Element : kStringElement;
  return keys > 0 && keys == floats + integers + texts && keys == std::max({floats, integers, texts}) &&
         node.Give(0, type, x->shape);
}

bool ArrayFeatureExtractor(LightNode& node) {
  const KnownTensor* x = node.input(0);
  const KnownTensor* places = node.input(1);
  if (x == nullptr || places == nullptr || x->shape.empty()) return false;
  Dimensions shape = x->shape;
  if (shape.size() == 1) shape.insert(shape.begin(), Dimension());
  const bool exact = std::ranges::all_of(places->shape, &Dimension::exact);
  shape.back() = {MostElements(places->shape), exact ? Kind::kExact : Kind::kOpen};
  return node.Give(0, x->type, std::move(shape));
}

/// Labels of a row, and its scores.
bool GiveClasses(LightNode& node, const Dimension& rows, int64_t type, int64_t scores) {
  return node.Give(0, type, {rows}) && node.Give(1, kFloatElement, {rows, {scores, Kind::kExact}});
}

bool LinearClassifier(LightNode& node) {
  const auto table = TableOf(node.input(0));
  const Labels labels = LabelsOf(node.node(), "classlabels_ints");
  const int64_t scores = Floats(node.node(), "intercepts");
  const bool binary = scores == 1 && labels.count == 2;
  if (!table || scores < 1 || (labels.count != scores && !binary) ||
      Floats(node.node(), "coefficients") != Times(scores, table->features)) {
    return false;
  }
  node.Work(Times(table->rows.most, Times(scores, table->features)));
  return GiveClasses(node, table->rows, labels.type, labels.count);
}

bool LinearRegressor(LightNode& node) {
  const auto table = TableOf(node.input(0));
  const int64_t targets = node.node().Integer("targets", 1), intercepts = Floats(node.node(), "intercepts");
  if (!table || targets < 1 || Floats(node.node(), "coefficients") != Times(targets, table->features) ||
      (intercepts != 0 && intercepts != targets)) {
    return false;
  }
  node.Work(Times(table->rows.most, Times(targets, table->features)));
  return node.Give(0, kFloatElement, {table->rows, {targets, Kind::kExact}});
}

bool SvmClassifier(LightNode& node) {
  const KnownNode& own = node.node();
  const auto table = TableOf(node.input(0));
  const Labels labels = LabelsOf(own, "classlabels_ints");
  const int64_t classes = labels.count, pairs = classes * (classes - 1) / 2;
  const int64_t vectors = Sum(Integers(own, "vectors_per_class"));
  const int64_t probabilities = Floats(own, "prob_a");
  if (!table || classes < 2 || classes > kMostClasses || vectors < 1 ||
      IntegerCount(own, "vectors_per_class") != classes ||
      Floats(own, "support_vectors") != Times(vectors, table->features) ||
      Floats(own, "coefficients") != Times(vectors, classes - 1) || Floats(own, "rho") != pairs ||
      (probabilities != 0 && probabilities != pairs) || Floats(own, "prob_b") != probabilities) {
    return false;
  }
  constexpr int64_t kRounds = 100, kStepsOfARound = 16;  // of coupling the pairs' probabilities
  node.Work(Times(table->rows.most,
                  Times(vectors, table->features + classes) + Times(kRounds * kStepsOfARound, classes * classes)));
  return GiveClasses(node, table->rows, labels.type, std::max(classes, pairs));
}

bool SvmRegressor(LightNode& node) {
  const KnownNode& own = node.node();
  const auto table = TableOf(node.input(0));
  const int64_t vectors = own.Integer("n_supports", 0), coefficients = Floats(own, "coefficients");
  if (!table || vectors < 0 || Floats(own, "rho") != 1 ||
      Floats(own, "support_vectors") != Times(vectors, table->features) ||
      coefficients != (vectors > 0 ? vectors : table->features)) {
    return false;
  }
  node.Work(Times(table->rows.most, Times(kStepsOfAKernel * std::max<int64_t>(vectors, 1), table->features)));
  return node.Give(0, kFloatElement, {table->rows, {1, Kind::kExact}});
}

/// Whether every tree ends, and none is deeper than kMostTreeDepth: nodes are numbered in the order of the file and
/// point to later ones only, as converters write them. ONNX Runtime 1.32 walks in circles where a child is the root.
bool TreesEnd(const KnownNode& node, const std::vector<int64_t>& trees) {
  const auto ids = Integers(node, "nodes_nodeids");
  const auto truths = Integers(node, "nodes_truenodeids"), falsities = Integers(node, "nodes_falsenodeids");
  const auto modes = node.Find("nodes_modes")->Texts();
  std::vector<int32_t> depths(trees.size(), 0);
  for (size_t begin = 0, i = 0; i < trees.size(); ++i) {
    if (trees[i] < trees[begin]) return false;
    if (trees[i] != trees[begin]) begin = i;
    if (ids[i] != static_cast<int64_t>(i - begin) || depths[i] > kMostTreeDepth) return false;
    if (modes[i] == "LEAF") continue;
    for (int64_t child : {truths[i], falsities[i]}) {
      if (child <= ids[i] || child >= static_cast<int64_t>(trees.size() - begin)) return false;
      int32_t& depth = depths[begin + static_cast<size_t>(child)];
      depth = std::max(depth, depths[i] + 1);
    }
  }
  return true;
}

bool AllWithin(const std::vector<int64_t>& values, int64_t end) {
  return std::ranges::all_of(values, [end](int64_t value) { return value >= 0 && value < end; });
}

/// `leaf`: how the lists about leaves begin: "class_" or "target_".
bool TreesAreInOrder(const KnownNode& node, const std::string& leaf, int64_t features, int64_t scores) {
  const auto trees = Integers(node, "nodes_treeids");
  const auto count = static_cast<int64_t>(trees.size());
  for (const char* name : {"nodes_nodeids", "nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids"}) {
    if (IntegerCount(node, name) != count) return false;
  }
  if (count < 1 || Texts(node, "nodes_modes") != count || Numbers(node, "nodes_values") != count) return false;
  const int64_t leaves = IntegerCount(node, leaf + "ids");
  if (leaves < 1 || IntegerCount(node, leaf + "nodeids") != leaves || IntegerCount(node, leaf + "treeids") != leaves ||
      Numbers(node, leaf + "weights") != leaves) {
    return false;
  }
  const int64_t base = Numbers(node, "base_values");
  if (base != 0 && base != scores && !(base == 1 && scores == 2)) return false;
  return AllWithin(Integers(node, "nodes_featureids"), features) && AllWithin(Integers(node, leaf + "ids"), scores) &&
         TreesEnd(node, trees);
}

bool TreeEnsembleClassifier(LightNode& node) {
  const auto table = TableOf(node.input(0));
  const Labels labels = LabelsOf(node.node(), "classlabels_int64s");
  if (!table || labels.count < 1 || !TreesAreInOrder(node.node(), "class_", table->features, labels.count)) {
    return false;
  }
  node.Work(Times(table->rows.most, IntegerCount(node.node(), "nodes_treeids")));
  return GiveClasses(node, table->rows, labels.type, std::max<int64_t>(labels.count, 2));
}

bool TreeEnsembleRegressor(LightNode& node) {
  const auto table = TableOf(node.input(0));
  const int64_t targets = node.node().Integer("n_targets", 0);
  if (!table || targets < 1 || !TreesAreInOrder(node.node(), "target_", table->features, targets)) return false;
  node.Work(Times(table->rows.most, IntegerCount(node.node(), "nodes_treeids")));
  return node.Give(0, kFloatElement, {table->rows, {targets, Kind::kExact}});
}

/// A map a row. Nothing that is light takes maps, so they are given to nobody.
bool ZipMap(LightNode& node) {
  const auto table = TableOf(node.input(0));
  if (!table) return false;
  constexpr int64_t kStepsOfAnEntry = 256, kBytesOfAnEntry = 128;
  const int64_t entries = Times(table->rows.most, table->features + 1);
  node.Work(Times(entries, kStepsOfAnEntry));
  node.Take(Times(entries, kBytesOfAnEntry));
  return true;
}

bool StringNormalizer(LightNode& node) {
  const KnownTensor* x = node.input(0);
  if (x == nullptr || x->type != kStringElement || x->shape.empty() || x->shape.size() > 2) return false;
  Dimensions shape = x->shape;
  if (Texts(node.node(), "stopwords") > 0) shape.back() = {shape.back().most, Kind::kOpen};
  return node.Give(0, kStringElement, std::move(shape));
}

bool Tokenizer(LightNode& node) {
  const KnownTensor* x = node.input(0);
  if (x == nullptr || x->type != kStringElement || x->shape.empty() || x->shape.size() > 2) return false;
  Dimensions shape = x->shape;
  shape.push_back({64, Kind::kOpen});  // as many as the longest text has tokens
  return node.Give(0, kStringElement, std::move(shape));
}

/// N-grams that a pool of `items` holds, by where those of each length begin; -1 when the parts do not fit.
int64_t NgramsOf(const std::vector<int64_t>& begins, int64_t items) {
  int64_t ngrams = 0;
  for (size_t i = 0; i < begins.size(); ++i) {
    const int64_t end = i + 1 < begins.size() ? begins[i + 1] : items;
    const auto length = static_cast<int64_t>(i) + 1;
    if (begins[i] < 0 || end < begins[i] || end > items || (end - begins[i]) % length != 0) return -1;
    ngrams += (end - begins[i]) / length;
  }
  return ngrams;
}

bool TfIdfVectorizer(LightNode& node) {
  const KnownNode& own = node.node();
  const KnownTensor* x = node.input(0);
  if (x == nullptr || x->shape.empty() || x->shape.size() > 2) return false;
  const int64_t most_length = own.Integer("max_gram_length", 0), skips = own.Integer("max_skip_count", 0);
  const auto begins = Integers(own, "ngram_counts"), columns = Integers(own, "ngram_indexes");
  const int64_t items = Texts(own, "pool_strings") + IntegerCount(own, "pool_int64s");
  const auto ngrams = static_cast<int64_t>(columns.size());
  if (columns.empty() || most_length < 1 || most_length > 16 || skips < 0 || skips > 16 || begins.size() > 16 ||
      NgramsOf(begins, items) != ngrams || !AllWithin(columns, int64_t{1} << 31)) {
    return false;
  }
  const int64_t width = std::ranges::max(columns) + 1, weights = Floats(own, "weights");
  if (weights != 0 && (weights != ngrams || weights != width)) return false;
  node.Work(Times(MostElements(x->shape), Times(most_length * most_length, skips + 1)));
  Dimensions shape(x->shape.begin(), x->shape.end() - 1);
  shape.push_back({width, Kind::kExact});
  return node.Give(0, kFloatElement, std::move(shape));
}

struct NamedRule {
  std::string_view name;
  LightRule rule;
};

constexpr std::array kRules = {
    NamedRule{"StringNormalizer", StringNormalizer},
    NamedRule{"TfIdfVectorizer", TfIdfVectorizer},
    NamedRule{"ai.onnx.ml.ArrayFeatureExtractor", ArrayFeatureExtractor},
    NamedRule{"ai.onnx.ml.Binarizer", Binarizer},
    NamedRule{"ai.onnx.ml.Imputer", Imputer},
    NamedRule{"ai.onnx.ml.LabelEncoder", LabelEncoder},
    NamedRule{"ai.onnx.ml.LinearClassifier", LinearClassifier},
    NamedRule{"ai.onnx.ml.LinearRegressor", LinearRegressor},
    NamedRule{"ai.onnx.ml.Normalizer", Normalizer},
    NamedRule{"ai.onnx.ml.OneHotEncoder", OneHotEncoder},
    NamedRule{"ai.onnx.ml.SVMClassifier", SvmClassifier},
    NamedRule{"ai.onnx.ml.SVMRegressor", SvmRegressor},
    NamedRule{"ai.onnx.ml.Scaler", Scaler},
    NamedRule{"ai.onnx.ml.TreeEnsembleClassifier", TreeEnsembleClassifier},
    NamedRule{"ai.onnx.ml.TreeEnsembleRegressor", TreeEnsembleRegressor},
    NamedRule{"ai.onnx.ml.ZipMap", ZipMap},
    NamedRule{"com.microsoft.Tokenizer", Tokenizer},
};

}  // namespace

LightRule FindMachineLearningRule(std::string_view name) {
  const auto found = std::ranges::find(kRules, name, &NamedRule::name);
  return found == kRules.end() ? nullptr : found->rule;
}

}  // namespace slipway::engine::onnx
