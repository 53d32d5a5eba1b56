"""A model made to crash, hang or flood the process that loads it is refused with the reason, by every command."""

import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import time

import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import PROGRAM, until
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
MANIFEST = "slipway: 1\nname: x\nversion: 1.0.0\nmodel: {engine: onnx, file: model.onnx}\n"
# Small limits, so that what hangs or floods is told quickly; two tests at the end live with others.
LIMITS = {"SLIPWAY_TRIAL_TIME": "30s", "SLIPWAY_TRIAL_MEMORY": "1GiB"}
HASTY = LIMITS | {"SLIPWAY_TRIAL_TIME": "2s"}
node = helper.make_node


def value(name, element=FLOAT, shape=None):
    return helper.make_tensor_value_info(name, element, shape)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def model(nodes, x=(None, 3), y=None, initializers=(), element=FLOAT, result=FLOAT, functions=(), domains=(), sets=(17, 3)):
    graph = helper.make_graph(nodes, "g", [value("x", element, x)], [value("y", result, y)], list(initializers))
    imports = [helper.make_opsetid(name, version) for name, version in (("", sets[0]), ("ai.onnx.ml", sets[1]))]
    imports += [helper.make_opsetid(name, 1) for name in domains]
    return helper.make_model(graph, opset_imports=imports, ir_version=8, functions=list(functions))


def divides_by_zero():
    kernel = np.random.default_rng(0).standard_normal((16, 3, 16, 16)).astype("float32")
    nodes = [node("Conv", ["x", "k"], ["c"]), node("Relu", ["c"], ["r"]), node("MaxPool", ["r"], ["m"], kernel_shape=[2, 2]),
             node("GlobalAveragePool", ["m"], ["y"])]
    return model(nodes, ("N", 3, 16, 16), initializers=[constant("k", kernel)])


def loop(grows=False, folded=False):
    step = node("Concat", ["v", "v"], ["w"], axis=0) if grows else node("Add", ["v", "one"], ["w"])
    body = helper.make_graph(
        [node("Identity", ["go"], ["on"]), step], "body", [value("i", INT64, []), value("go", BOOL, []), value("v")],
        [value("on", BOOL, []), value("w")], [constant("one", np.float32(1))])
    nodes = [node("Loop", ["trips", "yes", "zero" if folded else "x"], ["l"], body=body), node("Add", ["x", "l"], ["y"])]
    numbers = {"trips": np.int64(2**62), "yes": np.array(True), "zero": np.zeros((1, 3), "float32")}
    return model(nodes, initializers=[constant(name, number) for name, number in numbers.items()])


def folded(nodes, **numbers):
    """`nodes` make "big" of constants alone; ONNX Runtime computes it at load."""
    nodes = [*nodes, node("ReduceMax", ["big"], ["most"], keepdims=0), node("Cast", ["most"], ["number"], to=FLOAT)]
    return model([*nodes, node("Add", ["x", "number"], ["y"])], initializers=[constant(k, v) for k, v in numbers.items()])


def constant_of_shape(size):
    return folded([node("ConstantOfShape", ["s"], ["big"])], s=np.array([size]))


def doubled():
    names = ["x"] + [f"t{i}" for i in range(1, 41)]
    nodes = [node("Concat", [a, a], [b], axis=1) for a, b in zip(names, names[1:])]
    return model([*nodes, node("ReduceMax", ["t40"], ["y"], axes=[1])])


def doubled_behind_an_unknown_part():
    made = doubled()
    made.training_info.add()
    return made


def functions_of_functions():
    made = []
    for i in range(40):
        inner = ("Neg", "") if i == 0 else (f"f{i - 1}", "own")
        body = [node(inner[0], ["a"], ["t"], domain=inner[1]), node(inner[0], ["t"], ["b"], domain=inner[1])]
        made.append(helper.make_function("own", f"f{i}", ["a"], ["b"], body, [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]))
    return model([node("f39", ["x"], ["y"], domain="own")], functions=made, domains=["own"])


def tree(truths, falsities, **more):
    count = len(truths)
    modes = ["LEAF" if t == f == 0 else "BRANCH_LEQ" for t, f in zip(truths, falsities)]
    lists = dict(nodes_nodeids=list(range(count)), nodes_treeids=[0] * count, nodes_featureids=[0] * count, nodes_modes=modes,
                 nodes_truenodeids=truths, nodes_falsenodeids=falsities, nodes_values=[0.5] * count, target_ids=[0],
                 target_nodeids=[count - 1], target_treeids=[0], target_weights=[1.0], n_targets=1)
    return model([node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", **(lists | more))])


def deep_tree(levels):
    inner = range(levels)
    return tree([i + 1 for i in inner] + [0] * (levels + 1), [levels + 1 + i for i in inner] + [0] * (levels + 1))


def words(**more):
    lists = dict(max_gram_length=2, min_gram_length=1, max_skip_count=0, mode="TF", ngram_counts=[0, 2], ngram_indexes=[0, 1],
                 pool_int64s=[1, 2])
    return model([node("TfIdfVectorizer", ["x"], ["y"], **(lists | more))], element=INT64)


def nested(depth):
    """If in If; ONNX Runtime itself gives up at about 30."""
    def branch(inner, name):
        return helper.make_graph([inner], name, [], [value(inner.output[0])])

    inner = node("Identity", ["x"], ["r0"])
    for i in range(1, depth):
        inner = node("If", ["c"], [f"r{i}"], then_branch=branch(inner, "t"), else_branch=branch(node("Neg", ["x"], [f"e{i}"]), "e"))
    nodes = [node("If", ["c"], ["y"], then_branch=branch(inner, "t"), else_branch=branch(node("Neg", ["x"], ["e"]), "e"))]
    return model(nodes, initializers=[constant("c", np.array(True))])


def lying_initializer():
    made = model([node("Mul", ["x", "w"], ["y"])], initializers=[constant("w", np.ones(3, "float32"))])
    made.graph.initializer[0].dims[:] = [2**40]
    return made


def sparse_initializer():
    values, places = helper.make_tensor("w", FLOAT, [1], [1.0]), helper.make_tensor("i", INT64, [1], [0])
    made = folded([node("Identity", ["w"], ["big"])])
    made.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [2**36]))
    return made


ones = np.ones((100_000, 1), "float32")
HOSTILE = {
    # name: the model, what happened, what made it suspicious
    "division by zero": (divides_by_zero, "crashed with SIGFPE", "Conv, GlobalAveragePool, MaxPool"),
    "smallest integer divided by -1": (
        lambda: folded([node("Div", ["a", "b"], ["big"])], a=np.array([-2**63]), b=np.array([-1])), "crashed with SIGFPE", "Div"),
    "endless loop": (loop, "did not finish in 2s", "Loop"),
    "endless loop at load": (lambda: loop(folded=True), "did not finish in 2s", "Loop"),
    "growing loop": (lambda: loop(grows=True), "needed more than 1GiB", "Loop"),
    "gigantic ConstantOfShape": (lambda: constant_of_shape(2**40), "needed more than 1GiB", "ConstantOfShape"),
    "large ConstantOfShape": (lambda: constant_of_shape(2**29), "needed more than 1GiB", "ConstantOfShape"),
    "gigantic Expand": (lambda: folded([node("Expand", ["a", "s"], ["big"])], a=ones[:1], s=np.array([2**34, 3])), "needed more than 1GiB", "Expand"),
    "large Tile": (lambda: folded([node("Tile", ["a", "s"], ["big"])], a=ones[:1], s=np.array([2**29, 1])), "needed more than 1GiB", "Tile"),
    "gigantic Range": (
        lambda: folded([node("Range", ["a", "b", "c"], ["big"])], a=np.int64(0), b=np.int64(2**40), c=np.int64(1)), "needed more than 1GiB", "Range"),
    "row times column": (lambda: folded([node("Add", ["a", "b"], ["big"])], a=ones, b=ones.T), "needed more than 1GiB", "how large it gets at Add"),
    "doubling": (doubled, "needed more than 1GiB", "how large it gets at Concat"),
    "doubling behind an unknown part": (doubled_behind_an_unknown_part, "needed more than 1GiB", "parts of the file"),
    "enlarged image": (
        lambda: model([node("Resize", ["x", "", "s"], ["y"], mode="nearest")], ("N", 3, 16, 16),
                      initializers=[constant("s", np.array([1, 1, 1e5, 1e5], "float32"))]), "needed more than 1GiB", "Resize"),
    "random numbers": (lambda: folded([node("RandomNormal", [], ["big"], shape=[2**18, 2**18])]), "needed more than 1GiB", "RandomNormal"),
    "functions of functions": (functions_of_functions, "did not finish in 2s", "own.f0"),
    "deep tree": (lambda: deep_tree(300_000), "crashed with SIGSEGV", "TreeEnsembleRegressor"),
    "many targets": (lambda: tree([1, 0, 0], [2, 0, 0], n_targets=2**33), "needed more than 1GiB", "TreeEnsembleRegressor"),
    "many skips": (lambda: words(max_skip_count=2**62), "did not finish in 2s", "TfIdfVectorizer"),
    "many columns": (lambda: words(ngram_indexes=[0, 2**34]), "needed more than 1GiB", "TfIdfVectorizer"),
    "an input left out": (
        lambda: model([node("LayerNormalization", ["x", "s", ""], ["y"])], initializers=[constant("s", np.ones(3, "float32"))]),
        "crashed with SIGSEGV", "LayerNormalization"),
}


def run(slipway, *arguments, limits=LIMITS, timeout=30):
    """The ended program, with its peak of memory, its own and its child's, in MiB."""
    process = subprocess.Popen([PROGRAM, *arguments], cwd=slipway.folder, env=os.environ | limits, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    alarm = signal.signal(signal.SIGALRM, lambda *_: process.kill())
    signal.alarm(timeout)
    out, error = process.stdout.read().decode(), process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    signal.alarm(0)
    signal.signal(signal.SIGALRM, alarm)
    # A process starts with the peak of the one that made it: below that nothing is known of its own.
    peak = usage.ru_maxrss if usage.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss else 0
    return process.returncode, out, error, peak / 1024


def folder(slipway, made):
    slipway.write("x/slipway.yaml", MANIFEST)
    slipway.write("x/model.onnx", made.SerializeToString())


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_model_is_refused_with_what_it_did(slipway, name):
    make, happened, cause = HOSTILE[name]
    folder(slipway, make())
    for command in (["pack", "x"], ["serve", "x", "--http", "127.0.0.1:0", "--log-file", "log"]):
        start = time.monotonic()
        code, _, error, peak = run(slipway, *command, limits=HASTY if "finish" in happened else LIMITS)
        assert code == 1, f"exit {code}: {error}"
        assert happened in error and cause in error and "[engine.model]" in error, error
        assert len(error) < 1000 and error.count("\n") == 1, error
        assert time.monotonic() - start < 20 and peak < 1500
    assert not list(slipway.folder.glob("*.slipway"))


@pytest.mark.parametrize("command", [["inspect", "x"], ["verify", "x"], ["predict", "x", "--input", "rows.jsonl"]])
def test_every_command_that_loads_a_model_refuses_it(slipway, command):
    folder(slipway, divides_by_zero())
    slipway.write("rows.jsonl", "{}\n")
    code, out, error, _ = run(slipway, *command, "--json")
    assert code == 1
    shown = json.loads(out)["error"]
    assert shown["reason"] == "engine.model" and "SIGFPE" in shown["message"] and "model.onnx" in out + error


@pytest.mark.parametrize(
    "make, hint",
    [
        (lambda: nested(28), "graphs nested more than 24 deep"),
        (lambda: model([node("ReduceMax", ["x"], ["y"], axes=[1])], (None, 2**40)), "at input x"),
        (lambda: model([node("Neg", ["x"], ["y"])], (2**40, 3), (2**40, 3)), "at input x"),
        (lambda: model([node("Neg", ["x"], ["y"])], (None, 2**31, 2**31)), "at input x"),
        (lying_initializer, "refuses the model"),
        (sparse_initializer, "refuses the model"),
        (lambda: tree([0, 0, 0], [2, 0, 0]), "refuses the model"),
    ],
)
def test_a_model_that_contradicts_itself_is_refused(slipway, make, hint):
    folder(slipway, make())
    code, _, error, peak = run(slipway, "inspect", "x")
    assert code == 1 and hint in error, error
    assert peak < 600


@pytest.mark.parametrize("entries", [{"length": 4000}, {"offset": 2**40}, {"offset": 4, "length": 4}, {"offset": -4}])
def test_weights_beside_the_model_that_lie_are_refused(slipway, entries):
    made = model([node("Mul", ["x", "w"], ["y"])], initializers=[constant("w", np.ones(3, "float32"))])
    weights = made.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, number in {"location": "w.bin", **entries}.items():
        weights.external_data.add(key=key, value=str(number))
    folder(slipway, made)
    slipway.write("x/w.bin", np.ones(3, "float32").tobytes())
    code, _, error, _ = run(slipway, "inspect", "x")
    assert code == 1 and "[engine.model]" in error, error


def test_nested_graphs_within_bounds_load(slipway):
    folder(slipway, nested(22))
    assert run(slipway, "inspect", "x")[0] == 0


def convolution():
    random = np.random.default_rng(1)
    weights = [constant("k", random.standard_normal((8, 3, 3, 3)).astype("float32")),
               constant("w", random.standard_normal((8, 2)).astype("float32"))]
    nodes = [node("Conv", ["x", "k"], ["c"], pads=[1, 1, 1, 1]), node("Relu", ["c"], ["r"]), node("GlobalAveragePool", ["r"], ["p"]),
             node("Flatten", ["p"], ["f"]), node("MatMul", ["f", "w"], ["y"])]
    return model(nodes, ("N", 3, 8, 8), ("N", 2), weights)


def test_a_good_model_that_is_tried_answers_as_ever(slipway):
    made = convolution()
    folder(slipway, made)
    image = np.random.default_rng(2).standard_normal((1, 3, 8, 8)).astype("float32")
    slipway.write("rows.jsonl", json.dumps({"x": image[0].tolist()}) + "\n")
    slipway("pack", "x", "--golden", "rows.jsonl")
    slipway("verify", "x-1.0.0.slipway")
    expected = onnxruntime.InferenceSession(made.SerializeToString()).run(None, {"x": image})[0][0]
    with slipway.serving("x-1.0.0.slipway") as server:
        status, answer = server.predict("x", {"x": image[0].tolist()})
    assert status == 200
    assert np.array_equal(np.array(answer["prediction"]["y"], "float32"), expected)


def test_weights_beside_a_good_model_are_tried_with_it(slipway):
    made = convolution()
    onnx.save_model(made, str(slipway.folder / "model.onnx"), save_as_external_data=True, location="w.bin", size_threshold=0)
    slipway.write("x/slipway.yaml", MANIFEST)
    slipway("pack", "x", "--model", "model.onnx")
    assert "w.bin" in slipway("inspect", "x-1.0.0.slipway", "--json").stdout


def test_a_tabular_model_is_not_tried(slipway):
    folder(slipway, model([node("MatMul", ["x", "w"], ["m"]), node("Sigmoid", ["m"], ["y"])], y=(None, 2),
                          initializers=[constant("w", np.ones((3, 2), "float32"))]))
    assert run(slipway, "inspect", "x", limits={"SLIPWAY_TRIAL_TIME": "1ns"})[0] == 0
    folder(slipway, convolution())
    assert run(slipway, "inspect", "x", limits={"SLIPWAY_TRIAL_TIME": "1ns"})[0] == 1


def test_a_malformed_limit_is_told(slipway):
    folder(slipway, convolution())
    code, _, error, _ = run(slipway, "inspect", "x", limits={"SLIPWAY_TRIAL_MEMORY": "plenty"})
    assert code == 1 and "SLIPWAY_TRIAL_MEMORY" in error and "plenty" in error


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_trial_does_not_outlive_the_program_that_started_it(slipway, ending):
    folder(slipway, loop())
    process = subprocess.Popen([PROGRAM, "inspect", "x"], cwd=slipway.folder, env=os.environ | {"SLIPWAY_TRIAL_TIME": "10m"},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: children(process.pid), what="no trial was started")
        (trial,) = children(process.pid)
        stat = pathlib.Path(f"/proc/{trial}/stat")
        until(lambda: int(stat.read_text().rsplit(")")[1].split()[11]) > 30, what="the trial did not get to the loop")
        process.send_signal(ending)
        assert process.wait(timeout=20) == -ending
        until(lambda: not stat.exists() or stat.read_text().rsplit(")")[1].split()[0] == "Z", what="the trial lives on")
    finally:
        process.kill()
        process.wait()


def test_nobody_starts_a_trial_by_hand(slipway):
    done = subprocess.run([PROGRAM, "try-bundle", "1", "2", "3"], capture_output=True, timeout=20)
    assert done.returncode not in (0, 1)
    assert "try-bundle" not in slipway("--help").stdout


def counting():
    body = helper.make_graph(
        [node("Identity", ["go"], ["on"]), node("Add", ["v", "one"], ["w"])], "body",
        [value("i", INT64, []), value("go", BOOL, []), value("v")], [value("on", BOOL, []), value("w")])
    nodes = [node("Squeeze", ["x", "axes"], ["trips"]), node("Loop", ["trips", "", "zero"], ["l"], body=body),
             node("Unsqueeze", ["l", "axes"], ["y"])]
    numbers = {"axes": np.array([0]), "one": np.float32(1), "zero": np.float32(0)}
    return model(nodes, (1,), (1,), [constant(k, v) for k, v in numbers.items()], element=INT64)


def test_a_golden_record_that_never_ends_is_found_out(slipway):
    folder(slipway, counting())
    slipway.write("x/golden.jsonl", json.dumps({"record": {"x": 2**40}, "prediction": {"y": 1.0}}) + "\n")
    code, _, error, _ = run(slipway, "serve", "x", "--http", "127.0.0.1:0", limits=HASTY)
    assert code == 1 and "did not finish in 2s (because of Loop)" in error.replace(" when it was tried in a process of its own", ""), error


def test_a_model_whose_smallest_images_crash_it_is_tried_with_larger_ones(slipway):
    kernel = np.random.default_rng(0).standard_normal((16, 3, 5, 5)).astype("float32")
    nodes = [node("Conv", ["x", "k"], ["c"]), node("Relu", ["c"], ["r"]), node("MaxPool", ["r"], ["m"], kernel_shape=[2, 2]),
             node("GlobalAveragePool", ["m"], ["y"])]
    folder(slipway, model(nodes, ("N", 3, "H", "W"), initializers=[constant("k", kernel)]))
    slipway.write("rows.jsonl", json.dumps({"x": np.ones((3, 20, 20)).tolist()}) + "\n")
    (answer,) = slipway.lines("predict", "x", "--input", "rows.jsonl")
    assert np.array(answer["prediction"]["y"]).shape == (16, 1, 1)


def test_a_request_that_never_ends_is_answered_at_its_deadline(slipway):
    folder(slipway, counting())
    slipway.write("x/slipway.yaml", MANIFEST + "limits: {timeout: 300ms}\n")
    with slipway.serving("x") as server:
        assert server.predict("x", {"x": 7})[1]["prediction"] == {"y": 7.0}
        start = time.monotonic()
        status, answer = server.predict("x", {"x": 2**40})
        assert status == 504 and answer["code"] in ("engine.deadline", "scoring.deadline")
        assert 0.25 < time.monotonic() - start < 5
        assert server.predict("x", {"x": 3})[0] == 200


def test_the_usual_limits_follow_the_machine(slipway):
    folder(slipway, constant_of_shape(2**46))
    code, _, error, _ = run(slipway, "inspect", "x", limits={})
    assert code == 1
    limit = re.search(r"needed more than ([\d.]+)(MiB|GiB|TiB)", error)
    assert limit, error
    total = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) * 1024
    assert float(limit[1]) * {"MiB": 2**20, "GiB": 2**30, "TiB": 2**40}[limit[2]] < total


def test_limits_of_the_program_hold_for_its_trials(slipway):
    folder(slipway, constant_of_shape(2**29))
    done = subprocess.run(
        [PROGRAM, "inspect", "x"], cwd=slipway.folder, capture_output=True, text=True, timeout=30, env=os.environ | {"SLIPWAY_TRIAL_MEMORY": "1TiB"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30)))
    assert done.returncode == 1 and "needed more than" in done.stderr, done.stderr
