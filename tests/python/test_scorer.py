"""What the package promises beside the bits: errors, life cycle, threads, processes, memory."""

import concurrent.futures
import datetime
import decimal
import multiprocessing
import os
import pathlib
import pickle
import shutil
import subprocess
import sys

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import slipway

ROW = {"carrier": "AA", "origin": "JFK", "dest": "LAX", "distance": 2475.0, "sched_dep": "2013-07-04T08:15:00", "tailnum": None}


def rows(**changes):
    return pa.RecordBatch.from_pylist([{**ROW, **changes}])


def reason(call):
    with pytest.raises(slipway.SlipwayError) as caught:
        call()
    return caught.value


# Errors


def test_a_rejected_row_says_why_in_every_kind_of_table(scorer):
    table = pa.Table.from_pylist([ROW, {**ROW, "distance": -5.0, "origin": "XXX"}])
    for made in (table, table.to_batches()[0], table.to_pandas(), pl.from_arrow(table)):
        answers = scorer.score(made)
        error = answers["error"].to_list() if not isinstance(made, (pa.Table, pa.RecordBatch)) else answers.column("error").to_pylist()
        assert error[0] is None
        assert '"code":"schema.out_of_range"' in error[1] and '"code":"schema.not_in_set"' in error[1]
    answers = scorer.score(table.to_pylist())
    assert answers[0]["error"] is None and answers[1]["probability"] is None
    assert [one["field"] for one in answers[1]["error"]["violations"]] == ["origin", "distance"]


def test_errors_can_be_raised(scorer):
    table = pa.Table.from_pylist([ROW, ROW, {**ROW, "distance": -5.0}])
    for made in (table, table.to_batches()[0], table.to_pandas(), pl.from_arrow(table), table.to_pylist()):
        error = reason(lambda made=made: scorer.score(made, errors="raise"))
        assert (error.code, error.reason, error.field, error.row) == ("invalid_argument", "schema.violation", "distance", 2)
        assert error.violations[0]["rule"] == "min 80"
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert scorer.score(table.slice(0, 2), errors="raise").column_names == ["probability", "late"]
    assert set(scorer.score(ROW, errors="raise")) == {"probability", "late"}
    with pytest.raises(ValueError, match="column"):
        scorer.score(table, errors="ignore")


def test_columns_that_do_not_fit_are_named(scorer):
    batch = rows()
    error = reason(lambda: scorer.score(batch.drop_columns(["carrier"])))
    assert (error.reason, error.field) == ("arrow.missing_column", "carrier")
    error = reason(lambda: scorer.score(rows(dist=1)))
    assert (error.reason, error.field) == ("arrow.unknown_column", "dist")
    assert "ignore_unknown" in error.message
    assert scorer.score(rows(dist=1), ignore_unknown=True).num_rows == 1
    assert reason(lambda: scorer.score(batch, keep=["no"])).reason == "arrow.keep"
    assert reason(lambda: scorer.score(rows(late=True), keep=["late"])).reason == "arrow.keep"
    binary = batch.set_column(0, "carrier", pa.array([b"AA"]))
    error = reason(lambda: scorer.score(binary))
    assert (error.reason, error.field) == ("arrow.type", "carrier") and "binary" in error.message and "utf8" in error.message
    frame = batch.to_pandas()
    frame["carrier"] = [object()]
    assert reason(lambda: scorer.score(frame)).reason == "arrow.type"
    assert scorer.score(batch.drop_columns(["tailnum"])).column("error").null_count == 1, "it may be absent"


def test_a_table_may_carry_the_column_to_predict_and_any_other_that_is_kept(scorer):
    batch = rows(late=1, note=b"\x00", when=datetime.time(1))
    answers = scorer.score(batch.drop_columns(["late"]), keep=["note", "when"])
    assert answers.schema.names == ["note", "when", "probability", "late", "error"]
    assert scorer.score(rows(late=1)).column("error").null_count == 1


def test_wrong_values_are_the_rows_fault(scorer):
    error = scorer.score(pa.table({**{name: [value] for name, value in ROW.items()}, "distance": ["far"]})).column("error")[0].as_py()
    assert '"code":"schema.wrong_type"' in error
    for value in ("caf\udce9", float("inf")):
        record = {**ROW, "carrier": value} if isinstance(value, str) else {**ROW, "distance": decimal.Decimal("1e400")}
        try:
            assert scorer.score(record)["error"] is not None
        except slipway.SlipwayError as error:
            assert error.reason == "json.value"
    assert reason(lambda: scorer.score({**ROW, "distance": float("nan")})).reason == "json.value"
    assert scorer.score({**ROW, "sched_dep": datetime.datetime(2013, 7, 4, 8, 15)})["error"] is None


def test_what_is_no_table_is_a_type_error(scorer):
    for value in (3, "rows", None, pl.LazyFrame(ROW), [1, 2]):
        with pytest.raises(TypeError):
            scorer.score(value)


def test_a_batch_in_rays_usual_format_is_not_taken_for_one_record(bundle, flights):
    import slipway.ray

    predictor = slipway.ray.Predictor(bundle, keep=["flight"])
    with pytest.raises(TypeError, match='batch_format="pyarrow"'):
        predictor({name: flights[name].to_numpy() for name in flights})
    assert len(predictor(flights)) == len(flights)


@pytest.mark.parametrize("empty", [pa.Table.from_pylist([ROW]).slice(0, 0), pd.DataFrame([ROW]).iloc[:0], pl.DataFrame([ROW]).clear(), []])
def test_a_table_without_rows_gets_one_without_rows(empty, scorer):
    answers = scorer.score(empty)
    assert len(answers) == 0
    if not isinstance(empty, list):
        assert list(getattr(answers, "column_names", getattr(answers, "columns", None))) == ["probability", "late", "error"]


def test_bundles_that_cannot_be_opened_say_why(tmp_path):
    assert reason(lambda: slipway.Scorer(tmp_path / "none.slipway")).code == "not_found"
    (tmp_path / "broken.slipway").write_bytes(b"no archive")
    assert reason(lambda: slipway.Scorer(tmp_path / "broken.slipway")).code == "invalid_argument"


# Others who speak Arrow


class OnlyStream:
    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__()


def test_whoever_speaks_arrow_is_scored(scorer):
    answers = scorer.score(OnlyStream(pa.Table.from_batches([rows(), rows(distance=-1.0)])))
    table = pa.table(answers)
    assert table.column("probability").null_count == 1
    assert reason(lambda: pa.table(answers)).reason == "arrow.taken"
    assert reason(lambda: scorer.score(OnlyStream(pa.table(rows().to_pydict())), keep=["carrier"])).code == "unimplemented"
    assert pa.schema(scorer.output_schema()).names == ["probability", "late", "error"]


def test_capsules_that_nobody_takes_are_freed(scorer):
    table = pa.table(pa.RecordBatch.from_pylist([ROW] * 20_000))

    def drop(times):
        for _ in range(times):
            scorer.score(OnlyStream(table)).__arrow_c_stream__()
            scorer.output_schema().__arrow_c_schema__()
            with pytest.raises(KeyError):  # also while an exception is on its way
                raise KeyError(scorer.score(OnlyStream(table)).__arrow_c_stream__())

    drop(20)
    before = resident()
    drop(200)
    assert resident() - before < 4 << 20


# Life cycle


def test_a_scorer_tells_its_contract(scorer, bundle):
    assert (scorer.name, scorer.version) == ("flights", "1.0.0")
    assert scorer.digest.startswith("sha256:")
    assert scorer.schema["origin"]["values"] == ["EWR", "JFK", "LGA"]
    assert scorer.outputs == {"probability": "number", "late": "boolean"}
    assert scorer.columns[0] == {"name": "probability", "type": "float32", "lists": 0}
    assert slipway.version().count(".") == 2 and str(bundle) in repr(scorer)


def test_a_closed_scorer_refuses(bundle):
    scorer = slipway.Scorer(bundle)
    scorer.close()
    scorer.close()
    assert reason(lambda: scorer.score(rows())).reason == "scorer.closed"


def test_a_scorer_is_pickled_as_its_path(scorer, bundle, tmp_path):
    again = pickle.loads(pickle.dumps(scorer))
    assert again.score(rows()).equals(scorer.score(rows()))
    other = tmp_path / "model.slipway"
    shutil.copy(bundle, other)
    pickled = pickle.dumps(slipway.Scorer(other))
    folder = tmp_path / "other"
    folder.mkdir()
    state = pickled.replace(scorer.digest.encode(), b"sha256:" + b"0" * (len(scorer.digest) - 7))
    assert reason(lambda: pickle.loads(state)).reason == "bundle.changed"


def _score_in_child(scorer):
    return scorer.score(rows()).to_pylist()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_scorers_go_to_other_processes(method, scorer):
    expected = scorer.score(rows()).to_pylist()
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
        assert pool.submit(_score_in_child, scorer).result(60) == expected


def _forked(scorer, pipe):
    pipe.send(scorer.score(rows()).to_pylist())


def test_a_forked_child_opens_the_bundle_again(scorer):
    expected = scorer.score(rows()).to_pylist()
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_forked, args=(scorer, theirs))
    child.start()
    assert ours.poll(60) and ours.recv() == expected
    child.join(10)
    assert child.exitcode == 0
    assert scorer.score(rows()).to_pylist() == expected


def test_threads_score_at_once_and_close_waits_for_them(bundle, flights):
    scorer = slipway.Scorer(bundle, threads=1)
    table = pa.Table.from_pandas(flights.head(20_000), preserve_index=False).drop_columns(["flight"])
    expected = scorer.score(table)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(scorer.score, table, threads=1 + number % 3) for number in range(40)]
        done = [call.result() for call in calls[:30]]
        scorer.close()
        for call in calls[30:]:
            try:
                done.append(call.result())
            except slipway.SlipwayError as error:
                assert error.reason == "scorer.closed"
    assert all(answers.equals(expected) for answers in done)


def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_memory_does_not_grow_over_ten_thousand_calls(scorer):
    batch = pa.RecordBatch.from_pylist([ROW, {**ROW, "distance": -1.0}] * 8)
    frame = pl.from_arrow(pa.table(batch.to_pydict()).cast(batch.schema.set(5, pa.field("tailnum", pa.string()))))

    def score(calls):
        for number in range(calls):
            scorer.score(batch)
            if number % 10 == 0:
                scorer.score(frame)
                scorer.score([ROW])
                with pytest.raises(slipway.SlipwayError):
                    scorer.score(batch.drop_columns(["carrier"]))

    score(1000)
    before = resident()
    score(10_000)
    assert resident() - before < 4 << 20


BESIDE = """
import sys
import onnx, onnxruntime, pyarrow, pandas, numpy, sklearn
import google.protobuf
others = onnxruntime.InferenceSession(sys.argv[2], providers=["CPUExecutionProvider"])
import slipway
scorer = slipway.Scorer(sys.argv[1])
table = pyarrow.parquet.read_table(sys.argv[3]) if hasattr(pyarrow, "parquet") else __import__("pyarrow.parquet").parquet.read_table(sys.argv[3])
answers = scorer.score(table)
theirs = others.run(None, {others.get_inputs()[0].name: numpy.stack([table.column(n).to_numpy() for n in "ab"], 1).astype("float32")})
mine = [numpy.array(answers.column(n).to_pylist()) for n in answers.column_names]
assert numpy.array_equal(mine[0], theirs[0]) and numpy.abs(mine[1] - theirs[1]).max() < 1e-5, (mine, theirs)
print("fine", onnxruntime.__version__)
"""


def test_it_lives_beside_another_onnx_runtime_and_arrow(models_shop):
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", BESIDE, models_shop / "whole", models_shop / "whole/model.onnx",
                           models_shop / "rows.parquet"], capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.returncode == 0 and done.stdout.startswith("fine"), done.stderr


def test_it_exports_nothing_but_its_functions():
    from slipway import _library

    path = _library.library()._name
    names = {line.split()[-1] for line in subprocess.check_output(["nm", "-D", "--defined-only", path], text=True).splitlines()}
    assert names == {*_library.FUNCTIONS, "slipway_python_capsule"}


ALONE = """
import sys
for name in ("pyarrow", "pandas", "polars", "numpy"):
    sys.modules[name] = None
import slipway
with slipway.Scorer(sys.argv[1]) as scorer:
    answer = scorer.score([{"carrier": "AA", "origin": "JFK", "dest": "LAX", "distance": 2475, "sched_dep": "2013-07-04T08:15:00"}])
    assert 0 < answer[0]["probability"] < 1, answer
"""


def test_it_needs_no_other_package(bundle):
    subprocess.run([sys.executable, "-c", ALONE, bundle], check=True, timeout=60, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})


def test_a_model_that_crashes_does_not_take_this_process_along(tmp_path):
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    kernel = np.random.default_rng(0).standard_normal((16, 3, 16, 16)).astype("float32")
    nodes = [helper.make_node("Conv", ["x", "k"], ["c"]), helper.make_node("MaxPool", ["c"], ["m"], kernel_shape=[2, 2]),
             helper.make_node("GlobalAveragePool", ["m"], ["y"])]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("N", 3, 16, 16))],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], [numpy_helper.from_array(kernel, "k")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    (tmp_path / "slipway.yaml").write_text("slipway: 1\nname: x\nversion: 1.0.0\nmodel: {engine: onnx, file: model.onnx}\n")
    error = reason(lambda: slipway.Scorer(tmp_path))
    assert error.reason == "engine.model" and "crashed" in error.message
