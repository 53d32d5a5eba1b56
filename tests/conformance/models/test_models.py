"""Every model of make_models.py answers by bits what Python's ONNX Runtime answers, alone, in chunks and as a batch."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import onnx
import pytest
from onnx import TensorProto, helper

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE))
import make_models  # noqa: E402


def program():
    beside = pathlib.Path(os.environ.get("SLIPWAY", "")).resolve().parent / "engine_conformance"
    for path in (os.environ.get("SLIPWAY_ENGINE_CONFORMANCE", ""), beside, ROOT / "build/release/engine_conformance"):
        if path and pathlib.Path(path).is_file():
            return str(path)
    pytest.skip("engine_conformance is not built: ninja -C build/release engine_conformance")


def ask(*words):
    environment = dict(os.environ)
    deps = pathlib.Path(environment.get("SLIPWAY_DEPS") or ROOT / ".deps")
    environment.setdefault("SLIPWAY_ONNXRUNTIME", str(deps / "onnxruntime/lib/libonnxruntime.so"))
    done = subprocess.run([program(), *map(str, words)], capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode in (0, 1), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="session")
def cases(tmp_path_factory):
    return make_models.make(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def answers(cases):
    return {answer["case"]: answer for answer in ask("compare", *cases)}


def test_there_are_many_models(answers):
    assert len(answers) > 60


def test_every_model_answers_what_python_answers(answers):
    wrong = {name: a.get("differences", a.get("error")) for name, a in answers.items() if a.get("differences") != []}
    assert wrong == {}


def test_rows_get_the_same_bits_alone_and_in_any_company(answers):
    assert {name: a["deviations"] for name, a in answers.items() if a.get("deviations", 0) != 0} == {}


@pytest.mark.parametrize("name", ["sk_logistic_zipmap", "sk_boosting_zipmap", "lgbm_binary", "xgb_classes", "cnn", "mlp_elu",
                                  "sk_column_transformer", "sk_svr"])
def test_usual_models_may_run_in_batches(answers, name):
    assert answers[name]["exact_rows"] >= 4, answers[name]["exactness"]


@pytest.mark.parametrize("name", ["sk_several_logistic", "sk_several_forest", "sk_several_text_labels"])
def test_models_of_several_targets_may_run_in_batches(answers, name):
    assert answers[name]["exact_rows"] >= 4, answers[name]["exactness"]


@pytest.mark.parametrize("name", ["sk_quadratic_zipmap", "sk_quadratic_text_plain", "sk_quadratic_binary_zipmap"])
def test_labels_that_lie_side_by_side_are_a_label_a_row(answers, name):
    assert answers[name]["batched"] is True


def test_a_model_that_mixes_rows_runs_them_alone(answers):
    assert answers["mixes_rows"]["exact_rows"] == 1


def test_fixed_batches_are_seen(answers):
    assert [answers[f"fixed_batch_{rows}"]["fixed_rows"] for rows in (1, 8)] == [1, 8]
    assert answers["vector_only"]["batched"] is False
    assert answers["scalar"]["batched"] is False


def test_maps_decoded_are_the_tensors_that_a_dropped_zipmap_leaves(cases):
    with_maps = [path for path in cases if "ZipMap" in path.with_suffix(".onnx").read_bytes().decode("latin1")]
    assert len(with_maps) > 10
    assert {a["case"]: a.get("differences", a.get("error")) for a in ask("compare", "--maps", *with_maps)
            if a.get("differences") != []} == {}


def refusal(tmp_path, content, name="model.onnx"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
    (answer,) = ask("load", path)
    assert answer.get("reason") == "engine.model", answer
    return answer["error"]


def negation(opset=17, ir_version=8, domain=""):
    node = helper.make_node("Neg" if not domain else "Own", ["x"], ["y"], domain=domain)
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])])
    sets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=sets, ir_version=ir_version)


def test_newer_operator_sets_name_both_versions_and_the_way_out(tmp_path):
    error = refusal(tmp_path, negation(opset=99))
    assert "operator set 99" in error and "knows up to" in error and "target_opset" in error


def test_newer_file_formats_name_both_versions_and_the_way_out(tmp_path):
    error = refusal(tmp_path, negation(ir_version=77))
    assert "IR version 77" in error and "model.ir_version =" in error


def test_operators_of_own_domains_are_named(tmp_path):
    assert "my.company.Own" in refusal(tmp_path, negation(domain="my.company"))


def test_outputs_that_no_column_holds_are_named(tmp_path):
    number = TensorProto.FLOAT
    x = helper.make_tensor_value_info("x", number, [None, 2])
    sequence = helper.make_tensor_sequence_value_info("parts", number, None)
    optional = helper.make_value_info("maybe", helper.make_optional_type_proto(helper.make_tensor_type_proto(number, [None, 2])))
    for node, output, word in ((helper.make_node("SplitToSequence", ["x"], ["parts"]), sequence, "output parts"),
                               (helper.make_node("Optional", ["x"], ["maybe"]), optional, "output maybe is optional")):
        model = helper.make_model(helper.make_graph([node], "g", [x], [output]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        assert word in refusal(tmp_path, model)
    model = helper.make_model(helper.make_graph([helper.make_node("Identity", ["maybe"], ["y"])], "g", [optional], [optional.__class__(name="y", type=optional.type)]),
                              opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    assert "input maybe is optional" in refusal(tmp_path, model)


def test_real_pickles_and_boosters_name_the_conversion(tmp_path):
    import pickle

    import joblib
    import lightgbm
    import xgboost
    from sklearn.linear_model import LinearRegression
    features, _, target = make_models.table()
    model = LinearRegression().fit(features, target)
    joblib.dump(model, tmp_path / "m.joblib")
    joblib.dump(model, tmp_path / "c.joblib", compress=3)
    lightgbm.LGBMRegressor(n_estimators=3, verbose=-1).fit(features, target).booster_.save_model(tmp_path / "m.txt")
    booster = xgboost.XGBRegressor(n_estimators=3).fit(features, target)
    booster.save_model(tmp_path / "m.json")
    booster.save_model(tmp_path / "m.ubj")
    assert "skl2onnx" in refusal(tmp_path, pickle.dumps(model), "m.pkl")
    for name, cure in (("m.joblib", "skl2onnx"), ("c.joblib", "skl2onnx"), ("m.txt", "convert_lightgbm"),
                       ("m.json", "convert_xgboost"), ("m.ubj", "convert_xgboost")):
        assert cure in refusal(tmp_path, (tmp_path / name).read_bytes(), name), name


def test_external_data_stays_inside(tmp_path, cases):
    folder = cases[0].parent
    model = onnx.load(folder / "external.onnx", load_external_data=False)
    for location in ("../external.weights", "/etc/passwd", "nowhere.bin"):
        model.graph.initializer[0].external_data[0].value = location
        error = refusal(tmp_path, model)
        assert "tensor w" in error and location in error


def test_missing_external_data_says_what_to_do(tmp_path, cases):
    shutil.copy(cases[0].parent / "external.onnx", tmp_path)
    (answer,) = ask("load", tmp_path / "external.onnx")
    assert "put the file beside the model" in answer["error"]


def test_text_models_need_no_system_locale(tmp_path, cases):
    model = onnx.load(cases[0].parent / "sk_tfidf.onnx")
    for node in model.graph.node:
        if node.op_type == "StringNormalizer":
            for attribute in node.attribute:
                if attribute.name == "locale":
                    attribute.s = b"en_US.UTF-8"
    path = cases[0].parent / "sk_tfidf_en_us.onnx"
    path.write_bytes(model.SerializeToString())
    case = json.loads((cases[0].parent / "sk_tfidf.json").read_text()) | {"model": path.name}
    (tmp_path / "sk_tfidf_en_us.json").write_text(json.dumps(case))
    shutil.copy(path, tmp_path)
    (answer,) = ask("compare", tmp_path / "sk_tfidf_en_us.json")
    assert answer.get("differences") == [], answer
