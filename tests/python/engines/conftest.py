"""Slipway in Spark and Ray: real ones, on this machine, with the wheel installed."""

import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/support"))


@pytest.fixture(scope="session")
def shop():
    """A folder with flights-1.0.0.slipway, flights.parquet, and predicted.parquet by `slipway predict`, which
    tests/python/engines/make_shop.py made in an environment with trainers."""
    return pathlib.Path(os.environ["SLIPWAY_ENGINES_SHOP"])


@pytest.fixture(scope="session")
def expected(shop):
    """The program's answers by the row's number."""
    import pyarrow.parquet as pq

    return pq.read_table(shop / "predicted.parquet").sort_by("id")


@pytest.fixture
def same(expected):
    def check(answers):
        answers = answers.sort_by("id").combine_chunks()
        assert answers.num_rows == 336_776
        for name in ("id", "probability", "late", "error"):
            mine, theirs = (table.column(name).combine_chunks() for table in (answers, expected))
            assert mine.is_valid().equals(theirs.is_valid()), name
            assert mine.cast(theirs.type).equals(theirs), name
        assert answers.column("probability").type == "float"

    return check
