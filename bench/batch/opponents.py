"""Scores a table through ONNX Runtime's own Python package: opponents.py NAME MODEL INPUT OUTPUT THREADS.

Prints the seconds it took, without the time to start Python and to import: a kindness that bench/batch/measure.py does not do to Slipway.
"""

import os
import sys
import time

name, model, source, target, threads = sys.argv[1:]
threads = int(threads)
os.environ["POLARS_MAX_THREADS"] = str(threads)

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402

COLUMNS = [f"f{i}" for i in range(30)]
CHUNK = 65536  # rows a call: as fast as any that was tried


def score(matrix):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    output = [each.name for each in session.get_outputs()][1]
    feed = session.get_inputs()[0].name
    chunks = (np.ascontiguousarray(matrix[i : i + CHUNK]) for i in range(0, len(matrix), CHUNK))
    return np.concatenate([session.run([output], {feed: chunk})[0][:, 1] for chunk in chunks])


def with_pandas():
    import pandas

    begin = time.perf_counter()
    if source.endswith(".csv"):
        table = pandas.read_csv(source, dtype={column: "float32" for column in COLUMNS}, engine="c")
    else:
        table = pandas.read_parquet(source)
    answers = pandas.DataFrame({"id": table["id"], "probability": score(table[COLUMNS].to_numpy("float32"))})
    answers.to_csv(target, index=False) if target.endswith(".csv") else answers.to_parquet(target, index=False)
    return begin


def with_polars():
    import polars

    begin = time.perf_counter()
    if source.endswith(".csv"):
        table = polars.read_csv(source, schema_overrides={column: polars.Float32 for column in COLUMNS})
    else:
        table = polars.read_parquet(source)
    matrix = table.select(COLUMNS).to_numpy(order="c").astype("float32", copy=False)
    answers = polars.DataFrame({"id": table["id"], "probability": score(matrix)})
    answers.write_csv(target) if target.endswith(".csv") else answers.write_parquet(target)
    return begin


def only_reading():
    import duckdb

    begin = time.perf_counter()
    connection = duckdb.connect(config={"threads": threads})
    sums = ", ".join(f"sum({column})" for column in COLUMNS)
    connection.execute(f"SELECT {sums} FROM '{source}'").fetchall()
    return begin


begin = {"pandas": with_pandas, "polars": with_polars, "duckdb": only_reading}[name]()
print(time.perf_counter() - begin)
