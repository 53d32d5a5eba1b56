"""Makes ONNX models of every kind users bring, with inputs and the answers of Python's ONNX Runtime.

    python make_models.py FOLDER

writes NAME.onnx and NAME.json for each; test_models.py runs the engine over them. Every random number is seeded.
"""

import json
import pathlib
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

warnings.filterwarnings("ignore")
onnxruntime.set_default_logger_severity(4)
ROWS = 68  # a multiple of 4: some kernels compute the elements past the last four by another formula
ELEMENTS = {
    "tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16",
    "tensor(bfloat16)": "bfloat16", "tensor(int8)": "int8", "tensor(int16)": "int16", "tensor(int32)": "int32",
    "tensor(int64)": "int64", "tensor(uint8)": "uint8", "tensor(uint16)": "uint16", "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64", "tensor(bool)": "boolean", "tensor(string)": "string",
}
CASES = []


def case(function):
    """Registers a function that yields (name, model, inputs)."""
    CASES.append(function)
    return function


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def tensor(name, element, array):
    out = {"name": name, "type": element, "shape": list(array.shape)}
    if element == "string":
        out["strings"] = [str(text) for text in array.ravel()]
    else:
        out["hex"] = np.ascontiguousarray(array).tobytes().hex()
    return out


def output(spec, value, rows):
    """The tensors that an output becomes: a sequence of them one for each, rows that lie side by side a row each."""
    if spec.type.startswith("seq(tensor("):
        return [tensor(f"{spec.name}_{i}", ELEMENTS[spec.type[4:-1]], part) for i, part in enumerate(value)]
    if spec.type.startswith("seq(map("):
        labels = sorted(value[0])
        array = np.array([[row[label] for label in labels] for row in value], np.float32)
        return [tensor(spec.name, "float32", array) | {"labels": [str(label) for label in labels]}]
    array = np.asarray(value)
    return [tensor(spec.name, ELEMENTS[spec.type], array[0] if rows > 1 and array.shape == (1, rows) else array)]


def answers(run, inputs, one_by_one):
    if not one_by_one:
        return run.run(None, inputs)
    rows = [run.run(None, {k: v[i:i + 1] for k, v in inputs.items()}) for i in range(len(next(iter(inputs.values()))))]
    return [np.concatenate(parts) for parts in zip(*rows)]


def write(folder, name, model, inputs, save=None):
    path = folder / f"{name}.onnx"
    if save:
        save(path)
    else:
        path.write_bytes(model.SerializeToString())
    run = session(path)
    fixed = bool(run.get_inputs()) and all(i.shape and i.shape[0] == 1 for i in run.get_inputs())
    many = fixed and all(len(v) > 1 for v in inputs.values())
    values = answers(run, inputs, many)
    types = {i.name: ELEMENTS[i.type] for i in run.get_inputs()}
    rows = len(next(iter(inputs.values()))) if all(i.shape and not isinstance(i.shape[0], int) for i in run.get_inputs()) else 0
    (folder / f"{name}.json").write_text(json.dumps({
        "model": path.name,
        "inputs": [tensor(k, types[k], v) for k, v in inputs.items()],
        "outputs": [made for spec, value in zip(run.get_outputs(), values) for made in output(spec, value, rows)],
    }))


def graph_model(nodes, inputs, outputs, initializers=(), opset=17, ml=3, functions=(), domains=()):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, list(initializers))
    sets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", ml)]
    sets += [helper.make_opsetid(domain, 1) for domain in domains]
    return helper.make_model(graph, opset_imports=sets, ir_version=8, functions=list(functions))


def info(name, element, shape):
    return helper.make_tensor_value_info(name, element, shape)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def table(columns=12, rows=600):
    rng = np.random.default_rng(7)
    features = rng.standard_normal((rows, columns)).astype(np.float32)
    classes = (features[:, 0] + features[:, 1] ** 2 > 1).astype(int) + (features[:, 2] > 0.5)
    return features, classes, features[:, 0] * 3 + features[:, 1] ** 2


@case
def scikit_learn_classifiers():
    from skl2onnx import to_onnx
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC, LinearSVC
    features, classes, _ = table()
    names = np.array(["cold", "mild", "warm"])[classes]
    models = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
        "forest": RandomForestClassifier(25, random_state=0),
        "boosting": GradientBoostingClassifier(n_estimators=20, random_state=0),
        "mlp_relu": MLPClassifier((16, 8), max_iter=60, random_state=0),
        "mlp_tanh": MLPClassifier((16,), activation="tanh", max_iter=60, random_state=0),
        "bayes": GaussianNB(),
        "neighbours": KNeighborsClassifier(5),
        "svm": SVC(probability=True, random_state=0),
        "svm_linear": SVC(kernel="linear", probability=True, random_state=0),
        "calibrated": CalibratedClassifierCV(LinearSVC(random_state=0)),
    }
    for name, model in models.items():
        model.fit(features, classes)
        for zipmap in (True, False):
            yield (f"sk_{name}_{'zipmap' if zipmap else 'plain'}", to_onnx(model, features[:1], options={"zipmap": zipmap}),
                   {"X": features[:ROWS]})
    model = LogisticRegression().fit(features, names)
    yield "sk_text_labels_zipmap", to_onnx(model, features[:1]), {"X": features[:ROWS]}
    yield ("sk_columns_zipmap", to_onnx(model, features[:1], options={"zipmap": "columns"}), {"X": features[:ROWS]})
    wide = features.astype(np.float64)
    model = MLPClassifier((8,), max_iter=60, random_state=0).fit(wide, classes)
    yield "sk_mlp_float64", to_onnx(model, wide[:1], options={"zipmap": False}), {"X": wide[:ROWS]}


@case
def scikit_learn_of_several_targets():
    from skl2onnx import to_onnx
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.multioutput import MultiOutputClassifier
    from sklearn.naive_bayes import GaussianNB
    features, classes, _ = table()
    both = np.stack([classes, features[:, 3] > 0], 1).astype(np.int64)
    named = np.stack([np.array(["cold", "mild", "warm"])[classes], np.where(features[:, 3] > 0, "yes", "no")], 1)
    models = {"logistic": LogisticRegression(), "forest": RandomForestClassifier(10, random_state=0),
              "boosting": GradientBoostingClassifier(n_estimators=10, random_state=0), "bayes": GaussianNB()}
    for name, model in models.items():
        model = MultiOutputClassifier(model).fit(features, both)
        yield f"sk_several_{name}", to_onnx(model, features[:1]), {"X": features[:ROWS]}
    model = MultiOutputClassifier(LogisticRegression()).fit(features, named)
    yield "sk_several_text_labels", to_onnx(model, features[:1]), {"X": features[:ROWS]}


@case
def scikit_learn_discriminant_analysis():
    from skl2onnx import to_onnx
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
    features, classes, _ = table()
    names = np.array(["cold", "mild", "warm"])[classes]
    for name, model in (("quadratic", QuadraticDiscriminantAnalysis()), ("linear", LinearDiscriminantAnalysis())):
        for zipmap in (True, False):
            for kind, labels in (("", classes), ("_text", names), ("_binary", classes > 0)):
                labels = labels.astype(int) if kind == "_binary" else labels
                yield (f"sk_{name}{kind}_{'zipmap' if zipmap else 'plain'}",
                       to_onnx(model.fit(features, labels), features[:1], options={"zipmap": zipmap}), {"X": features[:ROWS]})


@case
def scikit_learn_regressors():
    from skl2onnx import to_onnx
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.linear_model import LinearRegression, PoissonRegressor
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.svm import SVR
    features, _, target = table()
    both = np.stack([target, -target ** 2], 1)
    models = {
        "linear": (LinearRegression(), target), "linear_two_targets": (LinearRegression(), both),
        "forest": (RandomForestRegressor(20, random_state=0), target),
        "forest_two_targets": (RandomForestRegressor(10, random_state=0), both),
        "boosting": (GradientBoostingRegressor(n_estimators=20, random_state=0), target),
        "neighbours": (KNeighborsRegressor(), target), "svr": (SVR(), target),
        "gaussian_process": (GaussianProcessRegressor(), target), "poisson": (PoissonRegressor(), abs(target)),
    }
    for name, (model, wanted) in models.items():
        model.fit(features[:200], wanted[:200])
        yield f"sk_{name}", to_onnx(model, features[:1]), {"X": features[:ROWS]}


@case
def scikit_learn_typed_columns():
    import pandas
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    rng = np.random.default_rng(3)
    rows = 300
    frame = pandas.DataFrame({
        "carrier": rng.choice(["AA", "DL", "UA", "Ünï"], rows), "origin": rng.choice(["JFK", "LGA"], rows),
        "distance": rng.uniform(100, 2500, rows).astype(np.float32), "hour": rng.integers(0, 24, rows)})
    late = (frame["hour"] + rng.standard_normal(rows) * 4 > 14).astype(int)
    pipe = make_pipeline(ColumnTransformer([
        ("text", OneHotEncoder(handle_unknown="ignore"), ["carrier", "origin"]),
        ("number", make_pipeline(SimpleImputer(), StandardScaler()), ["distance", "hour"])]), LogisticRegression())
    pipe.fit(frame, late)
    types = [("carrier", StringTensorType([None, 1])), ("origin", StringTensorType([None, 1])),
             ("distance", FloatTensorType([None, 1])), ("hour", Int64TensorType([None, 1]))]
    inputs = {"carrier": frame[["carrier"]].to_numpy(object)[:ROWS], "origin": frame[["origin"]].to_numpy(object)[:ROWS],
              "distance": frame[["distance"]].to_numpy(np.float32)[:ROWS],
              "hour": frame[["hour"]].to_numpy(np.int64)[:ROWS]}
    inputs["carrier"][3, 0] = ""
    inputs["carrier"][4, 0] = "never seen"
    yield "sk_column_transformer", to_onnx(pipe, initial_types=types), inputs


@case
def scikit_learn_text():
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import StringTensorType
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    spam = ["free money now", "WIN a free prize", "money money money", "click now to win", "cheap prize"]
    ham = ["see you at lunch", "the report is late", "lunch at noon", "Meeting moved to Monday", "thanks for the report"]
    texts = np.array((spam + ham) * 7, dtype=object)[:ROWS].reshape(-1, 1)
    pipe = make_pipeline(TfidfVectorizer(token_pattern="[a-zA-Z]+"), LogisticRegression())
    pipe.fit((spam + ham), [1] * 5 + [0] * 5)
    model = to_onnx(pipe, initial_types=[("text", StringTensorType([None, 1]))],
                    options={TfidfVectorizer: {"tokenexp": "[a-zA-Z]+"}})
    for node in model.graph.node:  # this machine may lack the locale; the answers must be those of a UTF-8 one
        if node.op_type == "StringNormalizer":
            node.attribute.extend([helper.make_attribute("locale", "C.UTF-8")])
    yield "sk_tfidf", model, {"text": texts}


@case
def boosted_trees():
    import lightgbm
    import onnxmltools
    import xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType
    features, classes, target = table()
    features = features.copy()
    features[::7, 3] = np.nan
    types = [("features", FloatTensorType([None, features.shape[1]]))]
    inputs = {"features": features[:ROWS]}
    models = {
        "lgbm_classes": lightgbm.LGBMClassifier(n_estimators=20, verbose=-1).fit(features, classes),
        "lgbm_binary": lightgbm.LGBMClassifier(n_estimators=20, verbose=-1).fit(features, (classes > 0).astype(int)),
        "lgbm_number": lightgbm.LGBMRegressor(n_estimators=20, verbose=-1).fit(features, target),
        "xgb_classes": xgboost.XGBClassifier(n_estimators=20).fit(features, classes),
        "xgb_binary": xgboost.XGBClassifier(n_estimators=20).fit(features, (classes > 0).astype(int)),
        "xgb_number": xgboost.XGBRegressor(n_estimators=20).fit(features, target),
    }
    for name, model in models.items():
        convert = onnxmltools.convert_lightgbm if name.startswith("lgbm") else onnxmltools.convert_xgboost
        yield name, convert(model, initial_types=types, target_opset=15), inputs


@case
def networks():
    rng = np.random.default_rng(11)

    def weights(*shape):
        return (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    features = rng.standard_normal((ROWS, 20)).astype(np.float32)
    node = helper.make_node
    number = TensorProto.FLOAT
    for name, activation in (("relu", "Relu"), ("elu", "Elu"), ("sigmoid", "Sigmoid"), ("gelu", "Erf")):
        nodes = [node("Gemm", ["x", "w1", "b1"], ["h"], transB=1), node(activation, ["h"], ["a"]),
                 node("Gemm", ["a", "w2", "b2"], ["z"], transB=1), node("Softmax", ["z"], ["probabilities"])]
        yield (f"mlp_{name}", graph_model(nodes, [info("x", number, ["batch", 20])], [info("probabilities", number, ["batch", 4])],
               [constant("w1", weights(32, 20)), constant("b1", weights(32)), constant("w2", weights(4, 32)), constant("b2", weights(4))]),
               {"x": features})
    images = rng.standard_normal((ROWS, 3, 16, 16)).astype(np.float32)
    nodes = [node("Conv", ["image", "k1"], ["c1"], pads=[1, 1, 1, 1]), node("Relu", ["c1"], ["r1"]),
             node("MaxPool", ["r1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]), node("Conv", ["p1", "k2"], ["c2"]),
             node("BatchNormalization", ["c2", "s", "o", "m", "v"], ["n2"]), node("Relu", ["n2"], ["r2"]),
             node("GlobalAveragePool", ["r2"], ["g"]), node("Flatten", ["g"], ["f"]), node("MatMul", ["f", "w"], ["logits"])]
    convolution = [constant("k1", weights(8, 3, 3, 3)), constant("k2", weights(16, 8, 3, 3)), constant("w", weights(16, 10)),
                   constant("s", np.ones(16, np.float32)), constant("o", weights(16)), constant("m", weights(16)),
                   constant("v", np.ones(16, np.float32))]
    yield ("cnn", graph_model(nodes, [info("image", number, ["N", 3, 16, 16])], [info("logits", number, ["N", 10])], convolution),
           {"image": images})
    yield ("cnn_batch_1", graph_model(nodes, [info("image", number, [1, 3, 16, 16])], [info("logits", number, [1, 10])], convolution),
           {"image": images[:5]})
    tokens = rng.integers(0, 50, (9, 13)).astype(np.int64)
    nodes = [node("Gather", ["table", "tokens"], ["e"]), node("Transpose", ["e"], ["t"], perm=[1, 0, 2]),
             node("LSTM", ["t", "w", "r"], ["", "h"], hidden_size=8), node("Squeeze", ["h", "zero"], ["q"]),
             node("MatMul", ["q", "out"], ["z"]), node("Sigmoid", ["z"], ["score"])]
    yield ("sequence", graph_model(nodes, [info("tokens", TensorProto.INT64, ["batch", "sequence"])], [info("score", number, ["batch", 1])],
           [constant("table", weights(50, 6)), constant("w", weights(1, 32, 6)), constant("r", weights(1, 32, 8)),
            constant("zero", np.array([0])), constant("out", weights(8, 1))]), {"tokens": tokens})
    nodes = [node("MatMul", ["x", "w"], ["y"])]
    yield ("vector_only", graph_model(nodes, [info("x", number, [20])], [info("y", number, [3])], [constant("w", weights(20, 3))]),
           {"x": features[0]})
    yield ("fixed_batch_1", graph_model(nodes, [info("x", number, [1, 20])], [info("y", number, [1, 3])], [constant("w", weights(20, 3))]),
           {"x": features})
    yield ("fixed_batch_8", graph_model(nodes, [info("x", number, [8, 20])], [info("y", number, [8, 3])], [constant("w", weights(20, 3))]),
           {"x": features[:8]})
    half = graph_model([node("MatMul", ["x", "w"], ["h"]), node("Relu", ["h"], ["y"])], [info("x", TensorProto.FLOAT16, [None, 20])],
                       [info("y", TensorProto.FLOAT16, [None, 3])], [constant("w", weights(20, 3).astype(np.float16))])
    yield "float16", half, {"x": features.astype(np.float16)}
    nodes = [node("Constant", [], ["zero"], value=constant("z", np.float32(0))), node("ReduceMax", ["x"], ["most"], axes=[1], keepdims=1),
             node("ReduceMax", ["most"], ["all"], axes=[0, 1], keepdims=0), node("Greater", ["all", "zero"], ["positive"])]
    then_graph = helper.make_graph([node("Add", ["x", "one"], ["y1"])], "then", [], [info("y1", number, None)])
    else_graph = helper.make_graph([node("Sub", ["x", "one"], ["y2"])], "else", [], [info("y2", number, None)])
    nodes.append(node("If", ["positive"], ["y"], then_branch=then_graph, else_branch=else_graph))
    yield ("branches", graph_model(nodes, [info("x", number, ["N", 20])], [info("y", number, ["N", 20])], [constant("one", np.float32(1))]),
           {"x": features})


@case
def element_types():
    rng = np.random.default_rng(5)
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float64", "float16"):
        element = helper.np_dtype_to_tensor_dtype(np.dtype(name))
        values = rng.integers(0, 100, (ROWS, 3)).astype(name)
        yield (f"identity_{name}", graph_model([helper.make_node("Identity", ["x"], ["y"])], [info("x", element, [None, 3])],
               [info("y", element, [None, 3])]), {"x": values})
    flags = rng.integers(0, 2, (ROWS, 4)).astype(bool)
    yield ("boolean", graph_model([helper.make_node("Not", ["x"], ["y"])], [info("x", TensorProto.BOOL, [None, 4])],
           [info("y", TensorProto.BOOL, [None, 4])]), {"x": flags})
    texts = np.array([["a", ""], ["Ärger", "日本"], ["\U0001f600", "x" * 300]] * 20, dtype=object)
    yield ("strings", graph_model([helper.make_node("Identity", ["x"], ["y"])], [info("x", TensorProto.STRING, [None, 2])],
           [info("y", TensorProto.STRING, [None, 2])]), {"x": texts})
    nodes = [helper.make_node("Cast", ["flag"], ["f"], to=TensorProto.FLOAT), helper.make_node("Cast", ["count"], ["c"], to=TensorProto.FLOAT),
             helper.make_node("Concat", ["f", "c", "number"], ["together"], axis=1),
             helper.make_node("LabelEncoder", ["name"], ["code"], domain="ai.onnx.ml", keys_strings=["a", "b"], values_int64s=[1, 2], default_int64=-1)]
    yield ("mixed_types", graph_model(nodes, [info("flag", TensorProto.BOOL, [None, 1]), info("count", TensorProto.INT32, [None, 1]),
           info("number", TensorProto.FLOAT, [None, 2]), info("name", TensorProto.STRING, [None, 1])],
           [info("together", TensorProto.FLOAT, [None, 4]), info("code", TensorProto.INT64, [None, 1])]),
           {"flag": flags[:, :1], "count": rng.integers(-5, 5, (ROWS, 1)).astype(np.int32),
            "number": rng.standard_normal((ROWS, 2)).astype(np.float32),
            "name": np.array([["a"], ["b"], ["c"]] * 30, dtype=object)[:ROWS]})


@case
def odd_shapes():
    number = TensorProto.FLOAT
    rng = np.random.default_rng(2)
    column = rng.standard_normal(ROWS).astype(np.float32)
    yield ("rank_one_rows", graph_model([helper.make_node("Mul", ["x", "x"], ["y"])], [info("x", number, [None])], [info("y", number, [None])]),
           {"x": column})
    yield ("scalar", graph_model([helper.make_node("Neg", ["x"], ["y"])], [info("x", number, [])], [info("y", number, [])]),
           {"x": np.array(2.5, np.float32)})
    yield ("untold_shape", graph_model([helper.make_node("Reshape", ["x", "shape"], ["y"])], [info("x", number, ["N", 6])],
           [info("y", number, None)], [constant("shape", np.array([-1, 2, 3]))]), {"x": rng.standard_normal((ROWS, 6)).astype(np.float32)})
    wrong = graph_model([helper.make_node("ReduceMax", ["x"], ["y"], axes=[1], keepdims=0)], [info("x", number, ["N", 6])], [info("y", number, [1])])
    yield "wrong_output_shape", wrong, {"x": rng.standard_normal((ROWS, 6)).astype(np.float32)}
    nodes = [helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1), helper.make_node("Sub", ["x", "m"], ["y"])]
    yield ("mixes_rows", graph_model(nodes, [info("x", number, ["N", 6])], [info("y", number, ["N", 6])]),
           {"x": rng.standard_normal((ROWS, 6)).astype(np.float32)})


UNARY = ("Abs Acos Asin Atan Ceil Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid HardSwish Hardmax LeakyRelu Log LogSoftmax Mish "
         "Neg Reciprocal Relu Round Selu Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Tan Tanh ThresholdedRelu").split()
REDUCTIONS = "ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare".split()


@case
def operators():
    """One operator a model: whatever the engine promises of rows in batches is tried with other values than its own."""
    rng = np.random.default_rng(23)
    node = helper.make_node

    def single(name, nodes, x, initializers=(), element=TensorProto.FLOAT, domains=(), out=None, shape=None):
        model = graph_model(nodes, [info("x", element, [None, *x.shape[1:]])], [info("y", out or element, shape)], initializers, 20,
                            domains=domains)
        return f"operator_{name}", model, {"x": x}

    for element, kind in ((TensorProto.FLOAT, np.float32), (TensorProto.DOUBLE, np.float64)):
        wide = "" if kind is np.float32 else "_float64"
        x = rng.uniform(0.05, 0.95, (ROWS, 5)).astype(kind)
        weights = rng.standard_normal((5, 7)).astype(kind)
        bias = rng.standard_normal(7).astype(kind)
        for operator in UNARY:
            if wide and operator in ("Elu", "Erf", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Selu", "Softplus", "Softsign",
                                     "ThresholdedRelu", "Hardmax", "Acos", "Asin", "Atan", "Cosh", "Sinh", "Tan"):
                continue  # no kernel in double precision
            yield single(operator + wide, [node(operator, ["x"], ["y"])], x - kind(0.5) if operator == "Elu" else x, element=element)
        for operator in REDUCTIONS:
            for shape, axis in (((5,), 1), ((9, 11), 1), ((3, 5), 2)):
                values = rng.standard_normal((ROWS, *shape)).astype(kind)
                yield single(f"{operator}_{len(shape)}_{axis}{wide}", [node(operator, ["x", "axes"], ["y"])], values,
                             [constant("axes", np.array([axis]))], element)
        for operator in ("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max"):
            yield single(operator + wide, [node(operator, ["x", "w"], ["y"])], x, [constant("w", abs(weights[:, 0]))], element)
        yield single("MatMul" + wide, [node("MatMul", ["x", "w"], ["y"])], x, [constant("w", weights)], element)
        yield single("Gemm" + wide, [node("Gemm", ["x", "w", "b"], ["y"])], x, [constant("w", weights), constant("b", bias)], element)
        computed = [node("ReduceMax", ["x"], ["m"], keepdims=0), node("Mul", ["m", "zero"], ["z"]), node("Add", ["w", "z"], ["w2"]),
                    node("MatMul", ["x", "w2"], ["y"])]
        yield single("MatMul_computed_weights" + wide, computed, x, [constant("w", weights), constant("zero", kind(0))], element)
        cube = rng.standard_normal((ROWS, 4, 12)).astype(kind)
        yield single("Softmax_middle" + wide, [node("Softmax", ["x"], ["y"], axis=1)], cube, element=element)
        yield single("LayerNormalization" + wide, [node("LayerNormalization", ["x", "s"], ["y"])], cube,
                     [constant("s", np.ones(12, kind))], element)
        yield single("Einsum" + wide, [node("Einsum", ["x", "w"], ["y"], equation="bij,jk->bik")], cube,
                     [constant("w", rng.standard_normal((12, 3)).astype(kind))], element)
        attention = [node("Transpose", ["x"], ["t"], perm=[0, 2, 1]), node("MatMul", ["x", "t"], ["u"]), node("Softmax", ["u"], ["v"]),
                     node("MatMul", ["v", "x"], ["y"])]
        yield single("attention" + wide, attention, cube, element=element)
    cube = rng.standard_normal((ROWS, 4, 12)).astype(np.float32)
    kernel = constant("k", rng.standard_normal((8, 4, 5)).astype(np.float32))
    yield single("Conv", [node("Conv", ["x", "k"], ["y"])], cube, [kernel])
    yield single("ConvTranspose", [node("ConvTranspose", ["x", "k2"], ["y"])], cube,
                 [constant("k2", rng.standard_normal((4, 8, 5)).astype(np.float32))])
    yield single("AveragePool", [node("AveragePool", ["x"], ["y"], kernel_shape=[3])], cube)
    yield single("InstanceNormalization", [node("InstanceNormalization", ["x", "s", "b"], ["y"])], cube,
                 [constant("s", np.ones(4, np.float32)), constant("b", np.zeros(4, np.float32))])
    yield single("LpNormalization", [node("LpNormalization", ["x"], ["y"])], cube)
    for operator, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
        nodes = [node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), node(operator, ["t", "w", "r"], ["", "h"], hidden_size=16),
                 node("Squeeze", ["h", "axis"], ["y"])]
        yield single(operator, nodes, cube, [constant("w", rng.standard_normal((1, gates * 16, 12)).astype(np.float32)),
                     constant("r", rng.standard_normal((1, gates * 16, 16)).astype(np.float32)), constant("axis", np.array([0]))])
    x = rng.standard_normal((ROWS, 12)).astype(np.float32)
    yield single("CDist", [node("CDist", ["x", "w"], ["y"], domain="com.microsoft", metric="sqeuclidean")], x,
                 [constant("w", rng.standard_normal((9, 12)).astype(np.float32))], domains=["com.microsoft"])
    quantized = [node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]), node("DequantizeLinear", ["q", "s", "z"], ["y"])]
    yield single("DynamicQuantizeLinear", quantized, x)
    for norm in ("MAX", "L1", "L2"):
        yield single(f"Normalizer_{norm}", [node("Normalizer", ["x"], ["y"], domain="ai.onnx.ml", norm=norm)], x)
    yield single("Scaler", [node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=x[0].tolist(), scale=x[1].tolist())], x)
    yield single("TopK", [node("TopK", ["x", "k"], ["y", "i"])], x, [constant("k", np.array([5]))])


def external_models(folder):
    """Models with weights beside them; saved by onnx itself."""
    rng = np.random.default_rng(9)
    weights = rng.standard_normal((20, 64)).astype(np.float32)
    inputs = {"x": rng.standard_normal((ROWS, 20)).astype(np.float32)}
    for name, location in (("external", "external.weights"), ("external_folder", "weights/w.bin")):
        model = graph_model([helper.make_node("MatMul", ["x", "w"], ["y"])], [info("x", TensorProto.FLOAT, [None, 20])],
                            [info("y", TensorProto.FLOAT, [None, 64])], [constant("w", weights)])
        (folder / location).parent.mkdir(exist_ok=True)
        write(folder, name, model, inputs, lambda path, model=model, location=location: onnx.save_model(
            model, path, save_as_external_data=True, location=location, size_threshold=0))


def make(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for function in CASES:
        for name, model, inputs in function():
            write(folder, name, model, inputs)
    external_models(folder)
    return sorted(folder.glob("*.json"))


if __name__ == "__main__":
    for made in make(sys.argv[1]):
        print(made)
