"""Scores tables with Slipway's bundles, in this process: the same bits as the server, `slipway predict` and batch jobs.

    import slipway

    with slipway.Scorer("flight-delay-1.0.0.slipway") as scorer:
        answers = scorer.score(table, keep=["flight"])

A table is a pyarrow.RecordBatch, Table or RecordBatchReader, a pandas or polars DataFrame, anything else with Arrow's
PyCapsule interface, or a list of dicts; the answer is the same kind of thing. None of these packages is needed unless its
tables are passed.

`slipway.spark` and `slipway.ray` score with Spark and Ray Data.
"""

from ._errors import SlipwayError
from ._library import version as _version
from ._scorer import Scorer

__all__ = ["Scorer", "SlipwayError", "version"]


def version() -> str:
    """The release of Slipway that does the work, e.g. "0.1.0"."""
    return _version()
