"""Scores Spark's tables: a function for DataFrame.mapInArrow. The bundle is opened once in each of Spark's Python workers.

    import slipway.spark

    scored = slipway.spark.score(flights, "flight-delay-1.0.0.slipway", keep=["flight"])

or, step by step:

    function, schema = slipway.spark.map_in_arrow("flight-delay-1.0.0.slipway", keep=["flight"], schema=flights.schema)
    scored = flights.mapInArrow(function, schema)

The workers need this package and pyarrow. A bundle that is one file is sent to them with the job; a folder must lie where
all of them find it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ._errors import SlipwayError
from ._scorer import Scorer

_TYPES = {"bool": "BooleanType", "int64": "LongType", "float64": "DoubleType", "float32": "FloatType",
          "utf8": "StringType", "timestamp[us, UTC]": "TimestampType"}

_lock = threading.Lock()
_scorers: dict[str, Scorer] = {}  # by digest


def map_in_arrow(bundle: str | os.PathLike[str], *, keep: Sequence[str] = (), schema: Any = None,
                 ignore_unknown: bool = False, errors: str = "column",
                 session: Any = None) -> tuple[Callable[[Iterator[Any]], Iterator[Any]], Any]:
    """The function and the schema for DataFrame.mapInArrow(function, schema).

    bundle: on the driver. A .slipway file is sent to the workers (SparkContext.addFile of `session`, or of the active one).
    keep: columns to carry along; then `schema` is the DataFrame's, which has their types.
    ignore_unknown, errors: as of Scorer.score.
    """
    from pyspark.sql import SparkSession, types

    scorer = Scorer(bundle, threads=1)
    fields = []
    for name in keep:
        if schema is None or name not in schema.names:
            raise SlipwayError("invalid_argument", "arrow.keep", name,
                               f"keep names {name!r}; pass schema=frame.schema of a frame that has it")
        fields.append(schema[name])
    for column in scorer.columns[:len(scorer.columns) - (errors == "raise")]:
        kind = getattr(types, _TYPES[column["type"]])()
        for _ in range(column["lists"]):
            kind = types.ArrayType(kind)
        fields.append(types.StructField(column["name"], kind))
    path = scorer.path
    sent = os.path.isfile(path)
    if sent:
        active = session or SparkSession.getActiveSession()
        if active is None:
            raise SlipwayError("failed_precondition", "spark.session", "", "there is no active SparkSession; pass session=")
        active.sparkContext.addFile(path)
    return _function(path, sent, scorer.digest, list(keep), ignore_unknown, errors), types.StructType(fields)


def score(frame: Any, bundle: str | os.PathLike[str], *, keep: Sequence[str] = (), ignore_unknown: bool = False,
          errors: str = "column") -> Any:
    """The answers for a Spark DataFrame as another one, with the kept columns first."""
    function, schema = map_in_arrow(bundle, keep=keep, schema=frame.schema, ignore_unknown=ignore_unknown, errors=errors,
                                    session=frame.sparkSession)
    return frame.mapInArrow(function, schema)


def _function(path: str, sent: bool, digest: str, keep: list[str], ignore_unknown: bool,
              errors: str) -> Callable[[Iterator[Any]], Iterator[Any]]:
    def score_batches(batches: Iterator[Any]) -> Iterator[Any]:
        scorer = _scorer_here(path, sent, digest)
        for batch in batches:
            yield scorer.score(batch, keep=keep, ignore_unknown=ignore_unknown, errors=errors)

    return score_batches


def _scorer_here(path: str, sent: bool, digest: str) -> Scorer:
    """In a worker: the bundle, opened when it is first asked for."""
    with _lock:
        scorer = _scorers.get(digest)
        if scorer is None:
            if sent:
                from pyspark import SparkFiles

                path_here = SparkFiles.get(os.path.basename(path))
            else:
                path_here = path
            scorer = Scorer(path_here, threads=1)
            if scorer.digest != digest:
                raise SlipwayError("failed_precondition", "bundle.changed", path_here,
                                   f"this worker has another bundle than the driver ({scorer.digest} instead of {digest})")
            _scorers[digest] = scorer
        return scorer
