"""A bundle that is packed on one kind of CPU and checked on another: docs/design/same-bits.md."""

import io
import json
import shutil
import subprocess
import tarfile

import numpy as np
import onnx
import pytest
from conftest import MANIFEST, PROGRAM
from onnx import TensorProto, helper, numpy_helper


def golden_folder(loans_folder, slipway, change, cpu="vax"):
    """The bundle as a folder whose golden records are changed: change(number of the record, prediction)."""
    unpacked = subprocess.run(["zstd", "-dc", loans_folder / "loans-1.0.0.slipway"], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
        archive.extractall(slipway.folder / "loans", filter="data")
    (slipway.folder / "loans/digests.json").unlink()
    path = slipway.folder / "loans/golden.jsonl"
    head, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    packed_on, head["cpu"] = head["cpu"], cpu
    for number, line in enumerate(lines):
        if "prediction" in line:
            change(number, line["prediction"])
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in [head, *lines]))
    return packed_on


def one_ulp(number, prediction):
    up = np.nextafter(np.float32(prediction["probability"]), np.float32(2))
    prediction["probability"] = float(str(up))


def test_another_kind_of_cpu_may_differ_in_the_last_bits(loans_folder, slipway):
    packed_on = golden_folder(loans_folder, slipway, one_ulp)
    result = json.loads(slipway("verify", "loans", "--json").stdout)
    golden = result["golden"]
    assert result["ok"] and (golden["packed_on"], golden["cpu"]) == ("vax", packed_on)
    assert golden["near"] == golden["checked"] == 100 and golden["tolerance"] == 1e-5
    assert golden["worst"]["field"] == "probability" and 0 < golden["worst"]["share"] < 1e-6
    text = slipway("verify", "loans").stdout
    assert "made on vax" in text and packed_on in text and "probability of record" in text
    with slipway.serving("loans") as server:
        for path, models in [("/models", lambda body: body["models"][0]["versions"][0]), ("/models/loans", lambda body: body)]:
            told = models(json.loads(server.get(path)[1]))["golden"]
            assert told["near"] == 100 and told["worst"]["field"] == "probability"
    # The log is whole once the server has ended.
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert [line["worst_field"] for line in lines if line["event"] == "model.golden_near"] == ["probability"]


def test_another_kind_of_cpu_may_not_differ_by_more(loans_folder, slipway):
    def far(number, prediction):
        if number == 7:
            prediction["probability"] *= 1.001

    golden_folder(loans_folder, slipway, far)
    result = json.loads(slipway("verify", "loans", "--json", expect=1).stdout)
    assert not result["ok"] and [m["record"] for m in result["golden"]["mismatches"]] == [7]
    assert "golden.tolerance" in slipway("serve", "loans", "--http", "127.0.0.1:0", expect=1).stderr
    slipway.write("loans/slipway.yaml", MANIFEST + "golden: {tolerance: 0.002}\n")
    slipway("verify", "loans")


def test_the_same_kind_of_cpu_gives_the_same_bits(loans_folder, slipway):
    packed_on = golden_folder(loans_folder, slipway, lambda number, prediction: None)
    golden_folder(loans_folder, slipway, one_ulp, cpu=packed_on)
    assert json.loads(slipway("verify", "loans", "--json", expect=1).stdout)["golden"]["different"] == 100
    lines = (slipway.folder / "loans/golden.jsonl").read_text().splitlines()
    slipway.write("loans/golden.jsonl", "\n".join(lines[1:]) + "\n")  # as packed by versions that did not record it
    assert json.loads(slipway("verify", "loans", "--json", expect=1).stdout)["golden"]["different"] == 100


def classes_of_many(folder):
    """A model whose sums are cut by the width of vectors: a softmax over 100 classes behind a normalisation."""
    chance = np.random.default_rng(0)
    weights = numpy_helper.from_array((chance.normal(size=(300, 100)) / 10).astype("float32"), "w")
    gain = numpy_helper.from_array(np.ones(300, "float32"), "g")
    nodes = [helper.make_node("LayerNormalization", ["x", "g"], ["n"], axis=-1), helper.make_node("MatMul", ["n", "w"], ["m"]),
             helper.make_node("Softmax", ["m"], ["p"], axis=-1)]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 300])],
                              [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["N", 100])], [weights, gain])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "model.onnx")
    return [{"x": row.tolist()} for row in chance.normal(size=(40, 300)).astype("float32").astype(float)]


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is missing: run deps/install test")
def test_a_bundle_holds_on_a_cpu_with_fewer_instructions(slipway):
    slipway.write("m/slipway.yaml", "slipway: 1\nname: m\nversion: 1.0.0\nmodel: {engine: onnx, file: model.onnx}\n")
    records = classes_of_many(slipway.folder / "m")
    slipway.write("r.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    slipway("pack", "m", "--golden", "r.jsonl")
    packed_on = json.loads(slipway("verify", "m-1.0.0.slipway", "--json").stdout)["golden"]["cpu"]
    # Valgrind has the instructions up to AVX2, and its processor says so.
    done = subprocess.run(["valgrind", "--tool=none", "-q", PROGRAM, "verify", "m-1.0.0.slipway", "--json"], cwd=slipway.folder,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    golden = json.loads(done.stdout)["golden"]
    assert golden["packed_on"] == packed_on and golden["different"] == 0
    if "avx512" in packed_on:
        assert golden["cpu"] == "x86-64 avx2" and golden["tolerance"] == 1e-5 and golden["near"] > 0
