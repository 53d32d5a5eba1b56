"""Scores a table as people do without Slipway: opponents.py NAME MODEL INPUT OUTPUT THREADS.

MODEL is a folder with model.onnx; LightGBM's own text stands beside it, as MODEL.txt. Prints the seconds it took, without the time to start Python, Java and a
Spark session and to import: a kindness that bench/batch/measure.py does not do to Slipway.
"""

import os
import sys
import time

name, model, source, target, threads = sys.argv[1:]
threads = int(threads)
os.environ["POLARS_MAX_THREADS"] = str(threads)
os.environ["PYSPARK_PYTHON"] = sys.executable

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402

COLUMNS = [f"f{i}" for i in range(30)]
CHUNK = 65536  # rows a call: as fast as any that was tried


def scorer(threads=threads):
    """A function from a matrix to probabilities."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(f"{model}/model.onnx", options, providers=["CPUExecutionProvider"])
    output = [each.name for each in session.get_outputs()][1]
    feed = session.get_inputs()[0].name
    return lambda matrix: session.run([output], {feed: np.ascontiguousarray(matrix)})[0][:, 1]


def score(matrix):
    probability = scorer()
    return np.concatenate([probability(matrix[i : i + CHUNK]) for i in range(0, len(matrix), CHUNK)])


def matrix_of(batch):
    """Of an Arrow batch."""
    matrix = np.empty((batch.num_rows, len(COLUMNS)), np.float32)
    for i, column in enumerate(COLUMNS):
        matrix[:, i] = batch.column(column).to_numpy(zero_copy_only=False)
    return matrix


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


def with_duckdb():
    """A vectorised function of Python's in SQL."""
    import duckdb
    import pyarrow

    begin = time.perf_counter()
    probability = scorer()

    def predict(*columns):
        matrix = np.empty((len(columns[0]), len(COLUMNS)), np.float32)
        for i, column in enumerate(columns):
            matrix[:, i] = column.to_numpy()
        return pyarrow.array(probability(matrix))

    connection = duckdb.connect(config={"threads": threads})
    names = ", ".join(COLUMNS)
    named = eval(f"lambda {names}: predict({names})", {"predict": predict})  # DuckDB counts the parameters
    connection.create_function("predict", named, ["FLOAT"] * len(COLUMNS), "FLOAT", type="arrow")
    types = ", ".join(f"{column}: 'FLOAT'" for column in COLUMNS)
    table = f"read_csv('{source}', types = {{{types}}})" if source.endswith(".csv") else f"'{source}'"
    connection.execute(f"COPY (SELECT id, predict({names}) AS probability FROM {table}) TO '{target}'")
    return begin


def with_spark():
    import pyarrow
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master(f"local[{threads}]").config("spark.ui.enabled", "false")
             .config("spark.driver.memory", "4g").config("spark.sql.execution.arrow.maxRecordsPerBatch", CHUNK).getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    begin = time.perf_counter()

    def answers(batches):
        probability = scorer(1)  # Spark has a process of Python for each thread
        for batch in batches:
            yield pyarrow.RecordBatch.from_arrays([batch.column("id"), pyarrow.array(probability(matrix_of(batch)))],
                                                  ["id", "probability"])

    if source.endswith(".csv"):
        table = spark.read.csv(source, header=True, schema="id long, " + ", ".join(f"{column} float" for column in COLUMNS))
    else:
        table = spark.read.parquet(source)
    scored = table.mapInArrow(answers, "id long, probability float").write.mode("overwrite")
    scored.csv(target, header=True) if target.endswith(".csv") else scored.parquet(target)
    return begin


def with_lightgbm():
    """Its own prediction from a file, whose first column it takes for the label. The answers alone are written."""
    import lightgbm

    begin = time.perf_counter()
    booster = lightgbm.Booster(model_file=f"{model}.txt")
    np.savetxt(target, booster.predict(source, data_has_header=True, num_threads=threads), "%.9g")
    return begin


def only_reading():
    import duckdb

    begin = time.perf_counter()
    connection = duckdb.connect(config={"threads": threads})
    sums = ", ".join(f"sum({column})" for column in COLUMNS)
    connection.execute(f"SELECT {sums} FROM '{source}'").fetchall()
    return begin


begin = {"pandas": with_pandas, "polars": with_polars, "duckdb": with_duckdb, "spark": with_spark, "lightgbm": with_lightgbm,
         "reading": only_reading}[name]()
print(time.perf_counter() - begin)
