"""Every step beside what scikit-learn, pandas or numpy make of the same rows."""
import numpy as np
import pandas as pd
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.metrics.pairwise import haversine_distances
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (FunctionTransformer, KBinsDiscretizer, MaxAbsScaler, MinMaxScaler, Normalizer, OneHotEncoder,
                                   OrdinalEncoder, PolynomialFeatures, QuantileTransformer,
                                   RobustScaler, SplineTransformer, StandardScaler, TargetEncoder)


def dense(matrix):
    return matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix, dtype=float)


class Case:
    def __init__(self, step, steps, expected, target=None, training=False):
        self.kind, self.steps, self.expected = step, steps, expected
        self.target, self.training = target, training

    def written(self, name, seen):
        return {"name": name, "steps": self.steps, "target": self.target, "training": self.training, "fit_rows": seen}


def fitted(twin, x, seen):
    """Fitted on the rows that training saw, applied to all."""
    return dense(twin.fit(x[:seen]).transform(x))


def numeric_cases(frame, columns, seen):
    """The steps on numbers, each with its twin, on all `columns` at once."""
    x = frame[columns].to_numpy(dtype=float)
    t = x[:seen]
    complete = not np.isnan(x).any()

    def case(kind, parameters, twin):
        return Case(kind, [{"as": "f", kind: columns, **parameters}], lambda: fitted(twin, x.copy(), seen))

    yield case("standardize", {}, StandardScaler())
    yield case("standardize", {"with_mean": False}, StandardScaler(with_mean=False))
    yield case("standardize", {"with_std": False}, StandardScaler(with_std=False))
    yield case("min_max", {}, MinMaxScaler())
    yield case("min_max", {"range": [-1, 1], "clip": True}, MinMaxScaler((-1, 1), clip=True))
    yield case("max_abs", {}, MaxAbsScaler())
    yield case("robust", {}, RobustScaler())
    yield case("robust", {"quantile_range": [10, 90], "unit_variance": True}, RobustScaler(quantile_range=(10, 90), unit_variance=True))
    yield case("robust", {"with_centering": False}, RobustScaler(with_centering=False))
    for strategy in ("mean", "median", "most_frequent"):
        yield case("impute", {"strategy": strategy}, SimpleImputer(strategy=strategy))
    yield case("impute", {"strategy": "constant", "value": -1}, SimpleImputer(strategy="constant", fill_value=-1))
    yield Case("impute", [{"as": "f", "impute": columns, "indicator": True}],
               lambda: np.hstack([fitted(SimpleImputer(), x, seen), np.isnan(x)]))
    yield case("missing_indicator", {}, MissingIndicator(features="all"))
    yield case("quantile", {"n_quantiles": 100}, QuantileTransformer(n_quantiles=100, subsample=None))
    yield case("quantile", {}, QuantileTransformer(subsample=None))
    yield case("quantile", {"output": "normal"}, QuantileTransformer(output_distribution="normal", subsample=None))
    yield case("clip", {"min": 0.5, "max": 20}, FunctionTransformer(np.clip, kw_args={"a_min": 0.5, "a_max": 20}))
    yield case("clip", {"quantiles": [0.01, 0.95]},
               FunctionTransformer(lambda x: np.clip(x, np.nanquantile(t, 0.01, axis=0), np.nanquantile(t, 0.95, axis=0))))
    yield case("log1p", {}, FunctionTransformer(np.log1p))
    yield Case("cyclical", [{"as": "f", "cyclical": columns, "period": 24}], lambda: cyclical(x, 24))
    if not complete:
        return
    for norm in ("l1", "l2", "max"):
        yield case("normalize", {"norm": norm}, Normalizer(norm))
    yield from spline_cases(frame, columns, seen)
    for strategy in ("quantile", "uniform"):
        for output, encode in (("one_hot", "onehot"), ("ordinal", "ordinal")):
            twin = KBinsDiscretizer(n_bins=7, strategy=strategy, encode=encode, subsample=None, quantile_method="linear")
            yield case("bucketize", {"bins": 7, "strategy": strategy, "output": output}, twin)
    edges = [float(v) for v in np.unique(np.percentile(x, [20, 40, 60, 80]))]
    yield Case("bucketize", [{"as": "f", "bucketize": columns, "edges": edges}], lambda: np.digitize(x, edges).astype(float))
    few = columns[:4]
    y = frame[few].to_numpy(dtype=float)
    for parameters, twin in (({}, PolynomialFeatures()), ({"degree": 4}, PolynomialFeatures(4)),
                             ({"degree": 3, "interaction_only": True, "include_bias": False},
                              PolynomialFeatures(3, interaction_only=True, include_bias=False))):
        yield Case("polynomial", [{"as": "f", "polynomial": few, **parameters}], lambda twin=twin: twin.fit_transform(y))
    for degree in (2, 3):
        twin = PolynomialFeatures((2, degree), interaction_only=True, include_bias=False)
        yield Case("interaction", [{"as": "f", "interaction": few, "degree": degree}], lambda twin=twin: twin.fit_transform(y))


def spline_cases(frame, columns, seen):
    """Half of the rows lie beyond the knots that are given."""
    x = frame[columns].to_numpy(dtype=float)

    def case(parameters, **twin):
        knots = twin.get("knots")
        if isinstance(knots, list):  # one column of knots an input
            twin["knots"] = np.repeat(np.reshape(knots, (-1, 1)), len(columns), axis=1)
        return Case("spline", [{"as": "f", "spline": columns, **parameters}], lambda: fitted(SplineTransformer(**twin), x, seen))

    middle = [float(v) for v in np.unique(np.quantile(x, [0.25, 0.35, 0.5, 0.7, 0.75]))]
    yield case({})
    for degree in (1, 2, 3, 5):
        for knots in ("uniform", "quantile"):
            yield case({"degree": degree, "n_knots": 4, "knots": knots, "include_bias": False},
                       degree=degree, n_knots=4, knots=knots, include_bias=False)
        for extrapolation in ("constant", "linear", "continue", "periodic"):
            if degree == 5 and extrapolation == "periodic":
                continue  # needs more knots than the degree
            if degree == 1 and extrapolation == "linear":
                continue  # scikit-learn 1.7 takes the wrong edge from the second column on
            yield case({"degree": degree, "knots": middle, "extrapolation": extrapolation},
                       degree=degree, knots=middle, extrapolation=extrapolation)
    yield case({"n_knots": 9, "extrapolation": "periodic", "knots": "quantile"}, n_knots=9, extrapolation="periodic", knots="quantile")
    first = frame[columns[:1]].to_numpy(dtype=float)
    yield Case("spline", [{"as": "f", "spline": columns[0], "degree": 1, "knots": middle, "extrapolation": "linear"}],
               lambda: SplineTransformer(degree=1, knots=np.reshape(middle, (-1, 1)), extrapolation="linear").fit_transform(first))


def cyclical(x, period):
    angle = np.fmod(x, period) / period * 2 * np.pi
    return np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(len(x), -1)


def category_cases(frame, columns, target, seen):
    x = frame[columns].astype(object).where(frame[columns].notna(), np.nan)
    y = frame[target].to_numpy(dtype=float)

    def one_hot(parameters, **twin):
        return Case("one_hot", [{"as": "f", "one_hot": columns, **parameters}],
                    lambda: fitted(OneHotEncoder(**{"handle_unknown": "ignore", **twin}), x, seen))

    few = [c for c in columns if c != "tailnum"]
    yield Case("one_hot", [{"as": "f", "one_hot": few}], lambda: fitted(OneHotEncoder(handle_unknown="ignore"), x[few], seen))
    yield one_hot({"min_frequency": 200, "unknown": "infrequent"}, min_frequency=200, handle_unknown="infrequent_if_exist")
    yield one_hot({"min_frequency": 0.05}, min_frequency=0.05)
    yield one_hot({"max_categories": 6}, max_categories=6)
    yield one_hot({"max_categories": 6, "min_frequency": 500, "drop": "first"}, max_categories=6, min_frequency=500, drop="first")
    yield one_hot({"drop": "if_binary", "min_frequency": 30}, drop="if_binary", min_frequency=30)
    yield Case("ordinal", [{"as": "f", "ordinal": columns}],
               lambda: fitted(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), x, seen))
    yield Case("ordinal", [{"as": "f", "ordinal": columns, "missing": -7, "unknown": -8}],
               lambda: fitted(OrdinalEncoder(encoded_missing_value=-7, handle_unknown="use_encoded_value", unknown_value=-8), x, seen))
    yield Case("frequency", [{"as": "f", "frequency": columns}],
               lambda: np.column_stack([x[c].map(x[c][:seen].value_counts(dropna=False)).fillna(0) / seen for c in columns]).astype(float))
    for smoothing in ("auto", 20, 0.5):
        step = [{"as": "f", "target_encode": columns, "smoothing": smoothing}]
        twin = {"smooth": smoothing if smoothing == "auto" else float(smoothing), "target_type": "continuous"}
        yield Case("target_encode", step, lambda twin=twin: TargetEncoder(**twin).fit(x[:seen], y[:seen]).transform(x), target=target)
        if seen < len(x):
            continue  # the training path is for the rows that were seen
        yield Case("target_encode", step, lambda twin=twin: out_of_fold(x, y, twin), target=target, training=True)


def out_of_fold(x, y, twin, folds=5):
    fold = np.arange(len(x)) % folds
    result = np.empty(x.shape)
    for k in range(folds):
        result[fold == k] = TargetEncoder(**twin).fit(x[fold != k], y[fold != k]).transform(x[fold == k])
    return result


def text_cases(frame, seen):
    words = frame["words"].tolist()

    def case(parameters, twin):
        return Case("text", [{"as": "f", "text": "words", **parameters}], lambda: dense(twin.fit(words[:seen]).transform(words)))

    yield case({"min_frequency": 30}, TfidfVectorizer(min_df=30))
    yield case({"min_frequency": 50, "max_frequency": 0.5, "ngrams": [1, 2], "sublinear": True},
               TfidfVectorizer(min_df=50, max_df=0.5, ngram_range=(1, 2), sublinear_tf=True))
    yield case({"min_frequency": 30, "norm": "l1", "smooth": False}, TfidfVectorizer(min_df=30, norm="l1", smooth_idf=False))
    yield case({"output": "count", "min_frequency": 100, "analyzer": "char", "ngrams": [1, 3]},
               CountVectorizer(min_df=100, analyzer="char", ngram_range=(1, 3)))
    yield case({"output": "count", "min_frequency": 100, "analyzer": "char_wb", "ngrams": [2, 4], "binary": True},
               CountVectorizer(min_df=100, analyzer="char_wb", ngram_range=(2, 4), binary=True))
    yield case({"output": "count", "min_frequency": 30, "stop_words": ["from", "to"], "lowercase": False},
               CountVectorizer(min_df=30, stop_words=["from", "to"], lowercase=False))
    yield case({"output": "hashing", "buckets": 64}, HashingVectorizer(n_features=64))
    yield case({"output": "hashing", "buckets": 100, "signed": False, "norm": "none", "ngrams": [1, 2]},
               HashingVectorizer(n_features=100, alternate_sign=False, norm=None, ngram_range=(1, 2)))


def other_cases(frame, seen):
    yield Case("hash", [{"as": "f", "hash": "dest", "buckets": 32, "function": "murmur3", "signed": True}],
               lambda: dense(FeatureHasher(32, input_type="string").transform([[d] for d in frame.dest])))
    when = frame["scheduled"].dt.tz_convert("UTC")
    names = ["year", "quarter", "month", "day", "day_of_week", "day_of_year", "hour", "minute", "second", "week", "weekend"]
    yield Case("date_parts", [{"as": "f", "date_parts": "scheduled", "parts": names}],
               lambda: np.column_stack([getattr(when.dt, n) for n in names[:9]] + [when.dt.isocalendar().week, when.dt.dayofweek >= 5]).astype(float))
    yield Case("elapsed", [{"as": "f", "elapsed": {"from": "scheduled", "to": "arrived"}, "unit": "hours"}],
               lambda: ((frame["arrived"] - frame["scheduled"]) / pd.Timedelta(hours=1)).to_numpy().reshape(-1, 1))
    places = ["hour", "minute", "day", "distance"]  # any numbers will do as degrees
    degrees = np.radians(frame[places].to_numpy(dtype=float))
    yield Case("haversine", [{"as": "f", "haversine": places}],
               lambda: np.array([6371.0088 * haversine_distances([row[:2]], [row[2:]])[0] for row in degrees]))
    rates = {"AA": 1.5, "UA": 2.0, "B6": -1.0}
    yield Case("lookup", [{"as": "f", "lookup": "carrier", "table": rates, "default": 0}],
               lambda: frame.carrier.map(rates).fillna(0).to_numpy().reshape(-1, 1))
    yield Case("column", [{"as": "f", "column": "dep_delay"}], lambda: frame[["dep_delay"]].to_numpy(dtype=float))
    yield Case("expr", [{"as": "f", "expr": "distance / 2 + hour"}], lambda: (frame[["distance"]].to_numpy() / 2 + frame[["hour"]].to_numpy()))
    chain = [{"as": "filled", "impute": ["dep_delay", "air_time"], "strategy": "median", "hidden": True},
             {"as": "z", "standardize": "filled", "hidden": True}, {"as": "p", "polynomial": "z", "include_bias": False}]
    x = frame[["dep_delay", "air_time"]].to_numpy(dtype=float)
    twin = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), PolynomialFeatures(include_bias=False))
    yield Case("chain", chain, lambda: fitted(twin, x, seen))


def cases_of(table, frame, seen):
    """Every case of a table, learned from its first `seen` rows."""
    if table != "flights":
        yield from numeric_cases(frame, [c for c in frame.columns if c != "target"], seen)
        return
    yield from numeric_cases(frame, ["dep_time", "dep_delay", "arr_delay", "air_time"], seen)
    yield from numeric_cases(frame, ["distance", "hour", "minute", "sched_dep_time"], seen)
    yield from category_cases(frame, ["carrier", "origin", "tailnum", "dest"], "late", seen)
    yield from category_cases(frame, ["hour", "month"], "distance", seen)
    yield from text_cases(frame, seen)
    yield from other_cases(frame, seen)
